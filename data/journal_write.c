/*
 * The journal thread: takes all that is queued as one group, tells those who wait for room in the queue, seals the
 * group, writes it, syncs it, tells the readers, the mark and the appenders, in that order. With nothing to do it
 * sleeps, so a lone append is synced at once; while it syncs, the next group gathers by itself.
 */
#include "journal_internal.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    PREPARE_BYTES_MIN = 256 * 1024,
    PREPARE_BYTES_MAX = 1024 * 1024,
    SMALL_GROUP_BYTES = 256 * 1024, /* above this the data itself is what a sync costs */
    KEEP_BUFFER_BYTES = 8 * 1024 * 1024,
    MARK_SYNC_AFTER_MS = 500,
};

static void trim(struct journal *journal)
{
    if (journal->fd >= 0 && ftruncate(journal->fd, (off_t)journal->end) != 0)
        mem_panic("journal segment", strerror(errno));
}

static int give_up(int fd, int folder_fd)
{
    int error = errno;
    journal_close_fd(&fd);
    unlinkat(folder_fd, "new.tmp", 0);
    if (!journal_is_full_error(error))
        mem_panic("journal segment", strerror(error));
    return error;
}

/* Complete under a temporary name before it gets its own: a segment file never has half a header. */
int journal_new_segment(struct journal *journal)
{
    struct segment_head head = {
        .first_seq = journal->next_seq,
        .before_first_seq = journal->segment_first_seq,
        .before_time_us = journal->last_time_us,
    };
    memcpy(head.before_chain, journal->chain, JOURNAL_CHAIN_BYTES);
    if (getrandom(&head.salt, sizeof head.salt, 0) != sizeof head.salt)
        mem_panic("journal segment", "no random bytes");
    uint8_t bytes[SEGMENT_HEAD_BYTES];
    segment_head_encode(&head, bytes);

    int fd = openat(journal->folder_fd, "new.tmp", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return give_up(fd, journal->folder_fd);
    errno = journal_write_all(fd, bytes, sizeof bytes, 0);
    if (errno != 0)
        return give_up(fd, journal->folder_fd);
    journal_sync(fd, "journal segment");
    char name[SEGMENT_NAME_BYTES];
    segment_name(head.first_seq, name);
    if (renameat(journal->folder_fd, "new.tmp", journal->folder_fd, name) != 0)
        return give_up(fd, journal->folder_fd);
    if (fsync(journal->folder_fd) != 0)
        mem_panic("journal folder", strerror(errno));

    trim(journal);
    journal_close_fd(&journal->fd);
    journal->fd = fd;
    journal->end = journal->prepared_end = SEGMENT_HEAD_BYTES;
    journal->segment_first_seq = head.first_seq;
    journal->salt = head.salt;
    pthread_mutex_lock(&journal->tail_lock);
    *VEC_ADD(&journal->segments) =
        (struct segment){.first_seq = head.first_seq, .salt = head.salt, .indexed = true, .end = SEGMENT_HEAD_BYTES};
    pthread_mutex_unlock(&journal->tail_lock);
    return 0;
}

/* Zeros ahead of the entries, so that most syncs have no metadata to write. Only a help: without space it is left out.
 */
static void prepare(struct journal *journal, size_t len, uint64_t free_bytes)
{
    static const char zeros[PREPARE_BYTES_MIN];
    uint64_t group_end = journal->end + len;
    if (group_end <= journal->prepared_end || len > SMALL_GROUP_BYTES)
        return;
    uint64_t step = journal->end < PREPARE_BYTES_MIN   ? PREPARE_BYTES_MIN
                    : journal->end > PREPARE_BYTES_MAX ? PREPARE_BYTES_MAX
                                                       : journal->end;
    uint64_t to = (group_end / PREPARE_BYTES_MIN + 1) * PREPARE_BYTES_MIN + step;
    if (to > journal->options.segment_bytes + PREPARE_BYTES_MIN)
        to = journal->options.segment_bytes + PREPARE_BYTES_MIN;
    if (to <= group_end || free_bytes < journal->options.reserve_bytes + 2 * (to - journal->end))
        return;
    for (uint64_t at = group_end; at < to;) {
        size_t part = to - at < sizeof zeros ? (size_t)(to - at) : sizeof zeros;
        int error = journal_write_all(journal->fd, zeros, part, at);
        if (error != 0 && !journal_is_full_error(error))
            mem_panic("journal write", strerror(error));
        if (error != 0) {
            trim(journal);
            return;
        }
        at += part;
    }
    journal->prepared_end = to;
}

/* Back to the last durable end, durably: a refused entry must not come back after a crash. */
static void cut_back(struct journal *journal)
{
    trim(journal);
    journal->prepared_end = journal->end;
    journal_sync(journal->fd, "journal cut back");
}

static void seal(struct journal *journal, struct group *group, uint8_t chain[JOURNAL_CHAIN_BYTES], int64_t *time_us)
{
    char *entry = group->bytes.data;
    for (size_t i = 0; i < group->entries.count; i++) {
        entry_seal(entry, journal->salt, journal->next_seq + i, (uint32_t)i, time_us, chain);
        entry += entry_length(entry);
    }
}

/* Answers 0 once the group is durable, or the "no space" errno with nothing of it left in the file. */
static int write_group(struct journal *journal, struct group *group)
{
    size_t len = group->bytes.len;
    uint64_t free_bytes = journal_io.free_bytes(journal->fd);
    if (free_bytes < journal->options.reserve_bytes + len && bound_met(BOUND_RESERVE_BYTES))
        return ENOSPC;
    if (journal->end >= journal->options.segment_bytes && journal->next_seq > journal->segment_first_seq) {
        int error = journal_new_segment(journal);
        if (error != 0)
            return error;
    }
    uint8_t chain[JOURNAL_CHAIN_BYTES];
    memcpy(chain, journal->chain, sizeof chain);
    int64_t time_us = journal->last_time_us;
    seal(journal, group, chain, &time_us);
    prepare(journal, len, free_bytes);
    int error = journal_write_all(journal->fd, group->bytes.data, len, journal->end);
    if (journal_is_full_error(error)) {
        cut_back(journal);
        return error;
    }
    if (error != 0)
        mem_panic("journal write", strerror(error));
    journal_sync(journal->fd, "journal sync");
    memcpy(journal->chain, chain, sizeof chain);
    journal->last_time_us = time_us;
    return 0;
}

/* Let the readers see it. */
static void publish(struct journal *journal, struct group *group)
{
    pthread_mutex_lock(&journal->tail_lock);
    struct segment *segment = &journal->segments.at[journal->segments.count - 1];
    const char *entry = group->bytes.data;
    for (size_t i = 0; i < group->entries.count; i++) {
        if ((journal->next_seq + i - segment->first_seq) % INDEX_EVERY == 0)
            *VEC_ADD(&segment->index) = (uint32_t)(journal->end + (uint64_t)(entry - group->bytes.data));
        entry += entry_length(entry);
    }
    journal->end += group->bytes.len;
    segment->end = journal->end;
    if (journal->prepared_end < journal->end)
        journal->prepared_end = journal->end;
    journal->next_seq += group->entries.count;
    __atomic_store_n(&journal->last_seq, journal->next_seq - 1, __ATOMIC_RELEASE);
    if (journal->tail_waiters > 0)
        pthread_cond_broadcast(&journal->tail_moved);
    pthread_mutex_unlock(&journal->tail_lock);
}

static void remember(struct journal *journal, bool sync)
{
    pthread_mutex_lock(&journal->mark_lock);
    if (journal->mark.seq != journal->next_seq - 1 || journal->mark.count == 0) {
        journal->mark.seq = journal->next_seq - 1;
        memcpy(journal->mark.chain, journal->chain, JOURNAL_CHAIN_BYTES);
        if (!mark_write(journal->mark_fd, &journal->mark))
            log_event(LOG_WARN, "journal.mark-lags", LOG_NUM("seq", journal->mark.seq));
    }
    if (sync)
        journal_sync(journal->mark_fd, "journal mark");
    pthread_mutex_unlock(&journal->mark_lock);
    journal->mark_unsynced = !sync;
}

static void answer(struct group *group, status result, uint64_t first_seq)
{
    const char *entry = group->bytes.data;
    for (size_t i = 0; i < group->entries.count; i++) {
        struct waiting *waiting = &group->entries.at[i];
        if (waiting->done)
            waiting->done(waiting->arg, result, result == STATUS_OK ? first_seq + i : 0,
                          result == STATUS_OK ? entry_time_us(entry) : 0);
        entry += entry_length(entry);
    }
}

static void wake_group(struct journal *journal, uint64_t number)
{
    uint32_t *word = &journal->group_done[number % 2];
    __atomic_add_fetch(word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void count(struct journal *journal, const struct group *group, int error, int64_t sync_us)
{
    pthread_mutex_lock(&journal->lock);
    struct journal_stats *stats = &journal->stats;
    stats->full_now = error != 0;
    if (error != 0) {
        stats->full_refusals += group->entries.count;
    } else {
        stats->appended += group->entries.count;
        stats->groups++;
        stats->bytes += group->bytes.len;
        stats->sync_us_total += (uint64_t)sync_us;
        if ((uint64_t)sync_us > stats->sync_us_max)
            stats->sync_us_max = (uint64_t)sync_us;
    }
    pthread_mutex_unlock(&journal->lock);
    if (error != 0 && !journal->was_full)
        log_event(LOG_ERROR, "journal.full", LOG_NUM("refused", group->entries.count));
    if (error == 0 && journal->was_full)
        log_event(LOG_WARN, "journal.accepts-again", LOG_NUM("seq", journal->next_seq - 1));
    journal->was_full = error != 0;
}

static void commit_group(struct journal *journal, struct group *group, uint64_t number)
{
    bool planted = journal->options.plant_ack_before_sync;
    uint64_t first_seq = journal->next_seq;
    if (planted)
        answer(group, STATUS_OK, first_seq);
    int64_t began_us = clock_mono_us();
    int error = write_group(journal, group);
    int64_t took_us = clock_mono_us() - began_us;
    if (error == 0) {
        publish(journal, group);
        remember(journal, false);
    }
    count(journal, group, error, took_us);
    if (!planted)
        answer(group, error == 0 ? STATUS_OK : STATUS_RESOURCE_EXHAUSTED, first_seq);
    if (group->has_waiters)
        wake_group(journal, number);
}

static void empty_group(struct group *group)
{
    if (group->bytes.cap > KEEP_BUFFER_BYTES)
        buf_fini(&group->bytes);
    buf_clear(&group->bytes);
    group->entries.count = 0;
    group->has_waiters = false;
}

/* Waits for work. False: nothing came for a while, or nothing will come any more. */
static bool take_group(struct journal *journal, uint64_t *out_number, bool *out_closing)
{
    pthread_mutex_lock(&journal->lock);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += MARK_SYNC_AFTER_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    int waited = 0;
    while (journal->pending.entries.count == 0 && !journal->closing && waited == 0 &&
           !journal_has_room_to_give(journal)) {
        journal->idle = true;
        waited = journal->mark_unsynced ? pthread_cond_timedwait(&journal->work, &journal->lock, &until)
                                        : pthread_cond_wait(&journal->work, &journal->lock);
        journal->idle = false;
    }
    bool has_work = journal->pending.entries.count > 0;
    *out_closing = journal->closing && !has_work;
    if (has_work) {
        struct group empty = journal->writing;
        journal->writing = journal->pending;
        journal->pending = empty;
        *out_number = journal->group_count++;
    }
    pthread_mutex_unlock(&journal->lock);
    return has_work;
}

void *journal_run(void *arg)
{
    struct journal *journal = arg;
    thread_short("journal");
    for (;;) {
        uint64_t number = 0;
        bool closing = false;
        bool taken = take_group(journal, &number, &closing);
        journal_give_room(journal); /* before the sync: the next group gathers meanwhile */
        if (taken) {
            commit_group(journal, &journal->writing, number);
            empty_group(&journal->writing);
        } else if (journal->mark_unsynced || closing) {
            remember(journal, true);
        }
        if (closing)
            break;
    }
    trim(journal);
    return NULL;
}
