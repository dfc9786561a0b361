/* Opening (with the decision torn or damaged, see data/journal.h) and closing. journal_queue.c takes entries in,
 * journal_write.c is the thread. */
#include "data/journal.h"
#include "journal_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const uint64_t SEGMENT_BYTES = 64u << 20, SEGMENT_BYTES_MAX = 1u << 30;
static const uint64_t RESERVE_BYTES = 16u << 20;

static status damaged(struct ctx *cx, uint64_t segment_first_seq, const char *why, uint64_t bad_seq)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(segment_first_seq, name);
    return ctx_fail(cx, &data_reasons[DATA_JOURNAL_DAMAGED],
                    "segment %s: %s at seq %" PRIu64 "; next: idem journal verify --dir DATA", name, why, bad_seq);
}

static status open_mark(struct ctx *cx, struct journal *journal)
{
    static const char zeros[1024];
    struct str path = arena_printf(cx->arena, "%s/mark", journal->folder);
    journal->mark_fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->mark_fd < 0)
        return ctx_fail(cx, &file_reason, "open %s: %s", path.data, strerror(errno));
    journal->mark = mark_read(journal->mark_fd);
    if (journal->mark.count > 0)
        return STATUS_OK;
    if (lseek(journal->mark_fd, 0, SEEK_END) > 0)
        log_event(LOG_WARN, "journal.mark-unreadable", LOG_NUM("seq", 0));
    /* its space is taken now, so that a full disk does not keep it from moving */
    int error = journal_write_all(journal->mark_fd, zeros, sizeof zeros, 0);
    if (error != 0)
        return ctx_fail(cx, &file_reason, "write %s: %s", path.data, strerror(error));
    journal_sync(journal->mark_fd, "journal mark");
    return STATUS_OK;
}

static uint64_t known_durable(const struct journal *journal)
{
    uint64_t known = journal->options.known_seq;
    return journal->mark.seq > known ? journal->mark.seq : known;
}

/* The last segment: everything checks, or the tail is torn, or it is damage. */
static status check_last(struct ctx *cx, const struct journal *journal, const struct segment_check *check,
                         uint64_t first_seq)
{
    uint64_t known = known_durable(journal);
    if (check->why && check->damaged)
        return damaged(cx, first_seq, check->why, check->bad_seq ? check->bad_seq : first_seq);
    if (check->last_seq < known)
        return damaged(cx, first_seq, check->why ? check->why : "end lost", check->last_seq + 1);
    if (check->want_found && memcmp(check->want_chain, journal->mark.chain, JOURNAL_CHAIN_BYTES) != 0)
        return damaged(cx, first_seq, "chain", journal->mark.seq);
    return STATUS_OK;
}

static void cut_torn(struct journal *journal, const struct segment_check *check)
{
    log_event(LOG_WARN, "journal.torn-tail-cut", LOG_NUM("last_seq", check->last_seq),
              LOG_NUM("bytes", check->file_bytes - check->good_end));
    if (ftruncate(journal->fd, (off_t)check->good_end) != 0)
        mem_panic("journal cut", strerror(errno));
    journal_sync(journal->fd, "journal cut");
}

static status open_last(struct ctx *cx, struct journal *journal, uint64_t first_seq)
{
    struct str path = segment_path(cx->arena, journal->folder, first_seq);
    SCOPED(segment_check_fini) struct segment_check check = {.want_seq = journal->mark.seq};
    segment_check(path.data, &check);
    TRY(check_last(cx, journal, &check, first_seq));
    journal->fd = open(path.data, O_RDWR | O_CLOEXEC);
    if (journal->fd < 0)
        return ctx_fail(cx, &file_reason, "open %s: %s", path.data, strerror(errno));
    if (check.why)
        cut_torn(journal, &check);
    journal->end = check.good_end;
    journal->prepared_end = check.why ? check.good_end : check.file_bytes;
    journal->segment_first_seq = first_seq;
    journal->salt = check.head.salt;
    memcpy(journal->chain, check.chain, JOURNAL_CHAIN_BYTES);
    journal->last_time_us = check.last_time_us;
    journal->next_seq = check.last_seq + 1;
    journal->last_seq = check.last_seq;
    struct segment *segment = &journal->segments.at[journal->segments.count - 1];
    segment->indexed = true;
    segment->end = check.good_end;
    segment->index = check.index;
    check.index = (offsets){0}; /* moved */
    return STATUS_OK;
}

static status create_first(struct ctx *cx, struct journal *journal)
{
    if (known_durable(journal) > 0)
        return damaged(cx, 1, "hole", 1);
    journal->next_seq = 1;
    int error = journal_new_segment(journal);
    if (error != 0)
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_FULL], "create the first segment: %s", strerror(error));
    return STATUS_OK;
}

static status open_segments(struct ctx *cx, struct journal *journal, segment_files *files)
{
    TRY(segment_list(cx, journal->folder, files));
    uint64_t bad_seq;
    const char *why;
    ptrdiff_t bad = segment_list_check(files, journal->mark.first_seq, &bad_seq, &why);
    if (bad >= 0)
        return damaged(cx, files->at[bad].first_seq, why, bad_seq);
    if (files->count == 0) {
        TRY(create_first(cx, journal));
    } else {
        for (size_t i = 0; i < files->count; i++)
            *VEC_ADD(&journal->segments) = (struct segment){
                .first_seq = files->at[i].first_seq, .salt = files->at[i].head.salt, .end = UINT64_MAX};
        TRY(open_last(cx, journal, files->at[files->count - 1].first_seq));
    }
    journal->mark.first_seq = journal->segments.at[0].first_seq;
    return STATUS_OK;
}

static status open_folder(struct ctx *cx, struct journal *journal)
{
    TRY(file_make_dirs(cx, journal->folder));
    TRY(data_lock(cx, journal->folder, &journal->lock_fd));
    journal->folder_fd = open(journal->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->folder_fd < 0)
        return ctx_fail(cx, &file_reason, "open %s: %s", journal->folder, strerror(errno));
    unlinkat(journal->folder_fd, "new.tmp", 0); /* of a process that ended while it made a segment */
    TRY(open_mark(cx, journal));
    segment_files files = {0};
    status opened = open_segments(cx, journal, &files);
    VEC_FINI(&files);
    TRY(opened);
    TRY(file_sync_dir(cx, journal->folder));
    return file_sync_dir(cx, journal->options.dir);
}

static void free_journal(struct journal *journal)
{
    for (size_t i = 0; i < journal->segments.count; i++)
        VEC_FINI(&journal->segments.at[i].index);
    VEC_FINI(&journal->segments);
    buf_fini(&journal->pending.bytes);
    buf_fini(&journal->writing.bytes);
    VEC_FINI(&journal->pending.entries);
    VEC_FINI(&journal->writing.entries);
    journal_close_fd(&journal->fd);
    journal_close_fd(&journal->mark_fd);
    journal_close_fd(&journal->folder_fd);
    journal_close_fd(&journal->lock_fd);
    pthread_mutex_destroy(&journal->lock);
    pthread_mutex_destroy(&journal->mark_lock);
    pthread_mutex_destroy(&journal->tail_lock);
    pthread_cond_destroy(&journal->work);
    pthread_cond_destroy(&journal->room);
    pthread_cond_destroy(&journal->tail_moved);
    mem_free(journal->folder);
    mem_free(journal);
}

static struct journal *make_journal(struct ctx *cx, const struct journal_options *options)
{
    struct journal *journal = mem_alloc(sizeof *journal);
    journal->options = *options;
    if (journal->options.segment_bytes == 0)
        journal->options.segment_bytes = SEGMENT_BYTES;
    if (journal->options.segment_bytes > SEGMENT_BYTES_MAX)
        journal->options.segment_bytes = SEGMENT_BYTES_MAX; /* offsets in an index are 32 bits */
    if (journal->options.queue_bytes_max == 0)
        journal->options.queue_bytes_max = LIMIT_JOURNAL_QUEUE_BYTES;
    if (journal->options.queue_bytes_max > SEGMENT_BYTES_MAX)
        journal->options.queue_bytes_max = SEGMENT_BYTES_MAX;
    if (journal->options.queue_entries_max == 0)
        journal->options.queue_entries_max = LIMIT_JOURNAL_QUEUE_ENTRIES;
    journal->waiters_end = &journal->waiters;
    if (journal->options.reserve_bytes == 0)
        journal->options.reserve_bytes = RESERVE_BYTES;
    journal->lock_fd = journal->mark_fd = journal->folder_fd = journal->fd = -1;
    struct str folder = arena_printf(cx->arena, "%s/journal", options->dir);
    journal->folder = mem_copy(folder.data, folder.len + 1);
    pthread_mutex_init(&journal->lock, NULL);
    pthread_mutex_init(&journal->mark_lock, NULL);
    pthread_mutex_init(&journal->tail_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&journal->work, &monotonic);
    pthread_cond_init(&journal->room, &monotonic);
    pthread_cond_init(&journal->tail_moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return journal;
}

status journal_open(struct ctx *cx, const struct journal_options *options, struct journal **out_journal)
{
    struct journal *journal = make_journal(cx, options);
    status opened = open_folder(cx, journal);
    if (opened != STATUS_OK) {
        free_journal(journal);
        return opened;
    }
    journal->mark_unsynced = true; /* the mark catches up with what was found */
    if (pthread_create(&journal->thread, NULL, journal_run, journal) != 0)
        mem_panic("journal", "no thread");
    *out_journal = journal;
    return STATUS_OK;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    pthread_mutex_lock(&journal->lock);
    journal->closing = true;
    pthread_cond_broadcast(&journal->work);
    pthread_cond_broadcast(&journal->room);
    pthread_mutex_unlock(&journal->lock);
    pthread_join(journal->thread, NULL);
    free_journal(journal);
}

void journal_stats(struct journal *journal, struct journal_stats *out_stats)
{
    pthread_mutex_lock(&journal->lock);
    *out_stats = journal->stats;
    pthread_mutex_unlock(&journal->lock);
}
