/* Reading: by number, and as a cursor that follows right behind the journal thread. Both see durable entries only. */
#include "journal_internal.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { ONE_READ_BYTES = 32 * 1024 };

/* Where to begin scanning for an entry. */
struct place {
    uint64_t segment_first_seq, segment_last_seq; /* last: as far as durable now */
    uint64_t at, at_seq, end;
    uint32_t salt;
};

uint64_t journal_first_seq(const struct journal *journal)
{
    struct journal *shared = (struct journal *)journal; /* the lock is all that changes */
    pthread_mutex_lock(&shared->tail_lock);
    uint64_t first_seq = shared->segments.at[0].first_seq;
    if (first_seq > shared->last_seq)
        first_seq = 0;
    pthread_mutex_unlock(&shared->tail_lock);
    return first_seq;
}

uint64_t journal_last_seq(const struct journal *journal)
{
    return __atomic_load_n(&journal->last_seq, __ATOMIC_ACQUIRE);
}

static status no_entry(struct ctx *cx, uint64_t seq)
{
    return ctx_fail(cx, &data_reasons[DATA_JOURNAL_NO_ENTRY], "seq %" PRIu64, seq);
}

static status damaged(struct ctx *cx, const struct place *place, const char *why, uint64_t seq)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(place->segment_first_seq, name);
    return ctx_fail(cx, &data_reasons[DATA_JOURNAL_DAMAGED],
                    "segment %s: %s at seq %" PRIu64 "; next: idem journal verify --dir DATA", name, why, seq);
}

/* The segment that holds `seq`, or -1 when it was dropped. */
static ptrdiff_t find_locked(const struct journal *journal, uint64_t seq)
{
    size_t low = 0, high = journal->segments.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->segments.at[middle].first_seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return (ptrdiff_t)low - 1;
}

/* False: `seq` was dropped. Needs seq <= last_seq. *out_indexed false: the place is the segment's begin. */
static bool find_place_locked(const struct journal *journal, uint64_t seq, struct place *out_place, bool *out_indexed)
{
    ptrdiff_t found = find_locked(journal, seq);
    if (found < 0)
        return false;
    const struct segment *segment = &journal->segments.at[found];
    bool last = (size_t)found + 1 == journal->segments.count;
    *out_place = (struct place){
        .segment_first_seq = segment->first_seq,
        .segment_last_seq = last ? journal->last_seq : segment[1].first_seq - 1,
        .at = SEGMENT_HEAD_BYTES,
        .at_seq = segment->first_seq,
        .end = segment->end,
        .salt = segment->salt,
    };
    *out_indexed = segment->indexed;
    if (segment->indexed) {
        size_t slot = (size_t)((seq - segment->first_seq) / INDEX_EVERY);
        out_place->at = segment->index.at[slot];
        out_place->at_seq = segment->first_seq + slot * INDEX_EVERY;
    }
    return true;
}

static status open_scan(struct ctx *cx, const struct journal *journal, const struct place *place, struct scan *scan)
{
    journal_close_fd(&scan->fd);
    struct arena_mark mark = arena_mark(cx->arena);
    struct str path = segment_path(cx->arena, journal->folder, place->segment_first_seq);
    int fd;
    while ((fd = open(path.data, O_RDONLY | O_CLOEXEC)) < 0 && (errno == EMFILE || errno == ENFILE))
        usleep(100 * 1000); /* too many connections for a moment: no reason to call the journal damaged */
    int error = errno;
    arena_rewind(cx->arena, mark);
    if (fd < 0 && error == ENOENT) /* dropped a moment ago, or lost */
        return place->segment_first_seq < journal_first_seq(journal)
                   ? no_entry(cx, place->at_seq)
                   : damaged(cx, place, "the file is missing", place->at_seq);
    if (fd < 0)
        return ctx_fail(cx, &file_reason, "open a journal segment: %s", strerror(error));
    uint64_t end = place->end == UINT64_MAX ? (uint64_t)lseek(fd, 0, SEEK_END) : place->end;
    buf_clear(&scan->window);
    scan->window_at = 0;
    scan->fd = fd;
    scan->salt = place->salt;
    scan->at = place->at;
    scan->end = end;
    scan->next_seq = place->at_seq;
    return STATUS_OK;
}

static void close_scan(struct scan *scan)
{
    journal_close_fd(&scan->fd);
    scan_fini(scan);
}

/* Read on until just before `seq`. */
static status skip_to(struct ctx *cx, const struct place *place, struct scan *scan, uint64_t seq)
{
    struct raw_entry raw;
    while (scan->next_seq < seq) {
        enum scan_verdict verdict = scan_next(scan, &raw);
        if (verdict != SCAN_ENTRY)
            return damaged(cx, place, verdict == SCAN_BAD ? scan->why : "hole", scan->next_seq);
    }
    return STATUS_OK;
}

/* Walk an older segment once and remember where its entries are. */
static status index_segment(struct ctx *cx, struct journal *journal, const struct place *place)
{
    SCOPED(close_scan) struct scan scan = {.fd = -1};
    TRY(open_scan(cx, journal, place, &scan));
    offsets index = {0};
    status walked = STATUS_OK;
    while (walked == STATUS_OK && scan.next_seq <= place->segment_last_seq) {
        if ((scan.next_seq - place->segment_first_seq) % INDEX_EVERY == 0)
            *VEC_ADD(&index) = (uint32_t)scan.at;
        walked = skip_to(cx, place, &scan, scan.next_seq + 1);
    }
    pthread_mutex_lock(&journal->tail_lock);
    ptrdiff_t found = find_locked(journal, place->segment_first_seq);
    struct segment *segment = found < 0 ? NULL : &journal->segments.at[found];
    if (walked == STATUS_OK && segment && segment->first_seq == place->segment_first_seq && !segment->indexed) {
        segment->index = index;
        segment->end = scan.at;
        segment->indexed = true;
        index = (offsets){0};
    }
    pthread_mutex_unlock(&journal->tail_lock);
    VEC_FINI(&index);
    return walked;
}

/* Needs 1 <= seq <= last_seq. */
static status find_place(struct ctx *cx, struct journal *journal, uint64_t seq, struct place *out_place)
{
    for (;;) {
        bool indexed;
        pthread_mutex_lock(&journal->tail_lock);
        bool found = find_place_locked(journal, seq, out_place, &indexed);
        pthread_mutex_unlock(&journal->tail_lock);
        if (!found)
            return no_entry(cx, seq);
        if (indexed || seq == out_place->segment_first_seq)
            return STATUS_OK;
        TRY(index_segment(cx, journal, out_place));
    }
}

status journal_read(struct journal *journal, struct ctx *cx, uint64_t seq, struct journal_entry *out_entry)
{
    if (seq == 0 || seq > journal_last_seq(journal))
        return no_entry(cx, seq);
    struct place place;
    TRY(find_place(cx, journal, seq, &place));
    SCOPED(close_scan) struct scan scan = {.fd = -1, .window_bytes = ONE_READ_BYTES};
    TRY(open_scan(cx, journal, &place, &scan));
    TRY(skip_to(cx, &place, &scan, seq));
    struct raw_entry raw;
    enum scan_verdict verdict = scan_next(&scan, &raw);
    if (verdict != SCAN_ENTRY)
        return damaged(cx, &place, verdict == SCAN_BAD ? scan.why : "hole", seq);
    raw.entry.principal = arena_str(cx->arena, raw.entry.principal);
    raw.entry.body = arena_str(cx->arena, raw.entry.body);
    *out_entry = raw.entry;
    return STATUS_OK;
}

/* ---- the cursor ---- */

struct journal_reader {
    struct journal *journal;
    struct scan scan;
    struct place place; /* of the open file */
    uint64_t next_seq;
    uint64_t wakes_seen;
};

status journal_reader_open(struct journal *journal, struct ctx *cx, uint64_t seq, struct journal_reader **out_reader)
{
    if (seq == 0)
        return no_entry(cx, seq);
    pthread_mutex_lock(&journal->tail_lock);
    bool dropped = seq < journal->segments.at[0].first_seq;
    uint64_t wakes = journal->wakes;
    pthread_mutex_unlock(&journal->tail_lock);
    if (dropped)
        return no_entry(cx, seq);
    struct journal_reader *reader = mem_alloc(sizeof *reader);
    *reader = (struct journal_reader){.journal = journal, .scan = {.fd = -1}, .next_seq = seq, .wakes_seen = wakes};
    *out_reader = reader;
    return STATUS_OK;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader == NULL)
        return;
    close_scan(&reader->scan);
    mem_free(reader);
}

void journal_wake(struct journal *journal)
{
    pthread_mutex_lock(&journal->tail_lock);
    journal->wakes++;
    pthread_cond_broadcast(&journal->tail_moved);
    pthread_mutex_unlock(&journal->tail_lock);
}

/* False: not durable yet when the time was over or journal_wake() was called. */
static bool wait_for(struct journal_reader *reader, int timeout_ms)
{
    struct journal *journal = reader->journal;
    int64_t until_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
    struct timespec until = {until_us / 1000000, until_us % 1000000 * 1000};
    pthread_mutex_lock(&journal->tail_lock);
    int waited = timeout_ms > 0 ? 0 : ETIMEDOUT;
    while (journal->last_seq < reader->next_seq && waited == 0 && journal->wakes == reader->wakes_seen) {
        journal->tail_waiters++;
        waited = pthread_cond_timedwait(&journal->tail_moved, &journal->tail_lock, &until);
        journal->tail_waiters--;
    }
    reader->wakes_seen = journal->wakes;
    bool there = journal->last_seq >= reader->next_seq;
    pthread_mutex_unlock(&journal->tail_lock);
    return there;
}

/* Make the scan stand before next_seq, with an end that is durable now. */
static status settle(struct journal_reader *reader, struct ctx *cx)
{
    struct place *place = &reader->place;
    bool same_file = false;
    if (reader->scan.fd >= 0 && reader->scan.next_seq == reader->next_seq) {
        struct place now;
        bool indexed;
        pthread_mutex_lock(&reader->journal->tail_lock);
        same_file = find_place_locked(reader->journal, reader->next_seq, &now, &indexed) &&
                    now.segment_first_seq == place->segment_first_seq;
        pthread_mutex_unlock(&reader->journal->tail_lock);
        if (same_file) {
            place->segment_last_seq = now.segment_last_seq;
            if (now.end != UINT64_MAX)
                reader->scan.end = now.end;
            return STATUS_OK;
        }
    }
    TRY(find_place(cx, reader->journal, reader->next_seq, place));
    TRY(open_scan(cx, reader->journal, place, &reader->scan));
    return skip_to(cx, place, &reader->scan, reader->next_seq);
}

status journal_reader_next(struct journal_reader *reader, struct ctx *cx, int timeout_ms,
                           struct journal_entry *out_entry)
{
    if (reader->scan.fd < 0 || reader->next_seq > reader->place.segment_last_seq ||
        reader->scan.next_seq != reader->next_seq) {
        if (journal_last_seq(reader->journal) < reader->next_seq && !wait_for(reader, timeout_ms))
            return STATUS_NOT_FOUND;
        TRY(settle(reader, cx));
    }
    struct raw_entry raw;
    enum scan_verdict verdict = scan_next(&reader->scan, &raw);
    if (verdict != SCAN_ENTRY)
        return damaged(cx, &reader->place, verdict == SCAN_BAD ? reader->scan.why : "hole", reader->next_seq);
    reader->next_seq++;
    *out_entry = raw.entry;
    return STATUS_OK;
}

/* ---- dropping old segments ---- */

/* The mark says first what will be missing: a folder without its first segments is damage unless the mark knows. */
static status mark_first(struct ctx *cx, struct journal *journal, uint64_t first_seq)
{
    pthread_mutex_lock(&journal->mark_lock);
    struct journal_mark before = journal->mark;
    journal->mark.first_seq = first_seq;
    bool written = mark_write(journal->mark_fd, &journal->mark);
    if (written)
        journal_sync(journal->mark_fd, "journal mark");
    else
        journal->mark.first_seq = before.first_seq;
    pthread_mutex_unlock(&journal->mark_lock);
    return written ? STATUS_OK : ctx_fail(cx, &data_reasons[DATA_JOURNAL_FULL], "mark not written");
}

status journal_drop_before(struct journal *journal, struct ctx *cx, uint64_t keep_from_seq, uint64_t *out_bytes_freed)
{
    pthread_mutex_lock(&journal->tail_lock);
    size_t drop = 0;
    while (drop + 1 < journal->segments.count && journal->segments.at[drop + 1].first_seq <= keep_from_seq)
        drop++;
    uint64_t first_seq = journal->segments.at[drop].first_seq;
    pthread_mutex_unlock(&journal->tail_lock);
    *out_bytes_freed = 0;
    if (drop == 0)
        return STATUS_OK;
    TRY(mark_first(cx, journal, first_seq));
    for (size_t i = 0; i < drop; i++) {
        pthread_mutex_lock(&journal->tail_lock);
        struct segment gone = journal->segments.at[0];
        journal->segments.count--;
        memmove(journal->segments.at, journal->segments.at + 1, journal->segments.count * sizeof gone);
        pthread_mutex_unlock(&journal->tail_lock);
        VEC_FINI(&gone.index);
        char name[SEGMENT_NAME_BYTES];
        segment_name(gone.first_seq, name);
        int fd = openat(journal->folder_fd, name, O_RDONLY | O_CLOEXEC);
        off_t bytes = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
        journal_close_fd(&fd);
        if (unlinkat(journal->folder_fd, name, 0) == 0 && bytes > 0)
            *out_bytes_freed += (uint64_t)bytes;
    }
    return file_sync_dir(cx, journal->folder);
}
