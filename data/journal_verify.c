/* The whole journal, read from the outside: no lock, nothing changed, a writer may be at work. */
#include "journal_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 20, TRY_AGAIN_AFTER_MS = 10 };

struct journal_mark journal_mark_of(struct arena *arena, const char *folder)
{
    struct str path = arena_printf(arena, "%s/mark", folder);
    SCOPED(journal_close_fd) int fd = open(path.data, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? (struct journal_mark){0} : mark_read(fd);
}

static void found(struct journal_report *report, uint64_t segment_first_seq, const char *why, uint64_t seq)
{
    segment_name(segment_first_seq, report->bad_segment);
    report->bad_why = why;
    report->bad_seq = seq;
}

/* Damage in the segment that is being written is believed only when it is seen twice at the same place: a group that
 * lands while we read looks damaged once. */
static void check_live(const char *path, uint64_t want_seq, struct segment_check *check)
{
    uint64_t seen_bad_seq = 0;
    for (int i = 0; i < TRIES; i++) {
        segment_check_fini(check);
        *check = (struct segment_check){.want_seq = want_seq};
        segment_check(path, check);
        if (check->why == NULL || !check->damaged || (i > 0 && check->bad_seq == seen_bad_seq))
            return;
        seen_bad_seq = check->bad_seq;
        nanosleep(&(struct timespec){.tv_nsec = TRY_AGAIN_AFTER_MS * 1000000L}, NULL);
    }
}

/* False: the walk ends here. */
static bool add_segment(struct journal_report *report, const struct journal_mark *mark, const struct segment_file *file,
                        const struct segment_check *check, bool first, bool last)
{
    if (check->why && check->bad_seq == 0) { /* not even a header */
        found(report, file->first_seq, check->why, file->first_seq);
        return false;
    }
    bool linked = first || memcmp(check->head.before_chain, report->chain, JOURNAL_CHAIN_BYTES) == 0;
    if (check->head.first_seq != file->first_seq || !linked) {
        found(report, file->first_seq, linked ? "header" : "chain", file->first_seq);
        return false;
    }
    report->segments++;
    report->entries += check->entries;
    report->bytes += check->good_end;
    report->last_seq = check->last_seq;
    memcpy(report->chain, check->chain, JOURNAL_CHAIN_BYTES);
    bool torn = check->why && last && !check->damaged && check->last_seq >= mark->seq;
    if (torn)
        report->torn_bytes = check->file_bytes - check->good_end;
    if (check->why && !torn)
        found(report, file->first_seq, check->why, check->bad_seq);
    else if (last && check->last_seq < mark->seq)
        found(report, file->first_seq, "end lost", check->last_seq + 1);
    else if (check->want_found && memcmp(check->want_chain, mark->chain, JOURNAL_CHAIN_BYTES) != 0)
        found(report, file->first_seq, "chain", mark->seq);
    return report->bad_seq == 0;
}

status journal_verify_files(struct ctx *cx, const char *folder, const segment_files *files, size_t from,
                            const struct journal_mark *mark, struct journal_report *report)
{
    report->first_seq = files->at[from].first_seq;
    report->last_seq = report->first_seq - 1;
    for (size_t i = from; i < files->count; i++) {
        const struct segment_file *file = &files->at[i];
        bool last = i + 1 == files->count;
        TRY(ctx_check(cx));
        if (i > from && file->first_seq != report->last_seq + 1) {
            found(report, file->first_seq, "hole", report->last_seq + 1);
            return STATUS_OK;
        }
        struct arena_mark scratch = arena_mark(cx->arena);
        struct str path = segment_path(cx->arena, folder, file->first_seq);
        SCOPED(segment_check_fini) struct segment_check check = {.want_seq = mark->seq};
        if (last)
            check_live(path.data, mark->seq, &check);
        else
            segment_check(path.data, &check);
        arena_rewind(cx->arena, scratch);
        bool dropped =
            report->segments == 0 && check.why && journal_mark_of(cx->arena, folder).first_seq > file->first_seq;
        if (dropped) { /* by the daemon, since we listed the folder */
            report->first_seq = files->at[i + !last].first_seq;
            report->last_seq = report->first_seq - 1;
            continue;
        }
        if (!add_segment(report, mark, file, &check, i == from, last))
            return STATUS_OK;
    }
    return STATUS_OK;
}

status journal_verify(struct ctx *cx, const char *dir, struct journal_report *out_report)
{
    struct str folder = arena_printf(cx->arena, "%s/journal", dir);
    struct journal_mark mark =
        journal_mark_of(cx->arena, folder.data); /* before the entries: it must not run ahead of them */
    segment_files files = {0};
    status listed = segment_list(cx, folder.data, &files);
    if (listed != STATUS_OK) {
        VEC_FINI(&files);
        return listed;
    }
    status verified = STATUS_OK;
    struct journal_report report = {0};
    uint64_t first_kept =
        journal_mark_of(cx->arena, folder.data).first_seq; /* read again: a drop moves it while we list */
    uint64_t first_found = files.count > 0 ? files.at[0].first_seq : UINT64_MAX;
    if ((first_kept > 0 && first_found > first_kept) || (files.count == 0 && mark.seq > 0)) {
        found(&report, first_kept, "hole", first_kept);
        report.last_seq = first_kept - 1;
    } else if (files.count > 0) {
        verified = journal_verify_files(cx, folder.data, &files, 0, &mark, &report);
    }
    VEC_FINI(&files);
    TRY(verified);
    *out_report = report;
    return STATUS_OK;
}
