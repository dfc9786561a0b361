/*
 * The note of what a start verified: the last segment there was, and the chain value before it. What is older was read
 * entry by entry then, and cannot have changed without the disk's doing: it is looked at again after the start.
 *
 * journal/verified:  0  magic "idemvrfy"   8  u64 first seq   16  chain value (32 bytes)   48  u32 CRC-32C of bytes
 * 0..47
 */
#include "journal_internal.h"

#include "base/file.h"
#include "base/hash.h"

#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_BYTES = 52 };

static const uint64_t NOTE_MAGIC = 0x6964656d76726679; /* "idemvrfy" */

static const char *note_path(struct arena *arena, const char *folder)
{
    return arena_printf(arena, "%s/verified", folder).data;
}

static void note_put(struct buf *out, const struct segment_head *head)
{
    buf_put_u64(out, NOTE_MAGIC);
    buf_put_u64(out, head->first_seq);
    buf_put(out, head->before_chain, JOURNAL_CHAIN_BYTES);
    buf_put_u32(out, hash_crc32c(0, out->data, out->len));
}

/* The place of the noted segment; 0: verify all. */
static size_t noted_place(struct ctx *cx, const char *folder, const segment_files *files)
{
    SCOPED(buf_fini) struct buf note = {0};
    const char *path = note_path(cx->arena, folder);
    bool read = access(path, F_OK) == 0 && file_read(cx, path, NOTE_BYTES, &note) == STATUS_OK;
    ctx_clear(cx);
    for (size_t i = 1; read && i < files->count; i++) {
        SCOPED(buf_fini) struct buf want = {0};
        note_put(&want, &files->at[i].head);
        if (files->at[i].head_good && str_eq(buf_str(&note), buf_str(&want)))
            return i;
    }
    return 0;
}

/* A start goes on without it: the next one reads more. */
static void write_note(struct ctx *cx, const char *folder, const segment_files *files)
{
    SCOPED(buf_fini) struct buf note = {0};
    size_t last = files->count - 1;
    if (noted_place(cx, folder, files) == last)
        return;
    note_put(&note, &files->at[last].head);
    if (file_replace(cx, note_path(cx->arena, folder), buf_str(&note), 0600) != STATUS_OK)
        ctx_clear(cx);
}

static uint64_t bytes_of(struct ctx *cx, const char *folder, const segment_files *files)
{
    uint64_t bytes = 0;
    struct arena_mark scratch = arena_mark(cx->arena);
    for (size_t i = 0; i < files->count; i++) {
        struct stat info;
        if (stat(segment_path(cx->arena, folder, files->at[i].first_seq).data, &info) == 0)
            bytes += (uint64_t)info.st_size;
    }
    arena_rewind(cx->arena, scratch);
    return bytes;
}

static status verify_newer(struct ctx *cx, const char *dir, const char *folder, uint64_t all_bytes,
                           const segment_files *files, struct journal_report *report, bool *out_whole)
{
    size_t from = files->count > 0 && bytes_of(cx, folder, files) > all_bytes ? noted_place(cx, folder, files) : 0;
    struct journal_mark mark = journal_mark_of(cx->arena, folder);
    if (from == 0)
        TRY(journal_verify(cx, dir, report));
    else
        TRY(journal_verify_files(cx, folder, files, from, &mark, report));
    if (report->bad_seq == 0 && files->count > 0)
        write_note(cx, folder, files);
    *out_whole = from == 0;
    return STATUS_OK;
}

status journal_verify_start(struct ctx *cx, const char *dir, uint64_t all_bytes, struct journal_report *out_report,
                            bool *out_whole)
{
    const char *folder = arena_printf(cx->arena, "%s/journal", dir).data;
    segment_files files = {0};
    struct journal_report report = {0};
    status verified = segment_list(cx, folder, &files);
    if (verified == STATUS_OK)
        verified = verify_newer(cx, dir, folder, all_bytes, &files, &report, out_whole);
    VEC_FINI(&files);
    TRY(verified);
    *out_report = report;
    return STATUS_OK;
}

void journal_distrust(struct ctx *cx, const char *dir)
{
    unlink(note_path(cx->arena, arena_printf(cx->arena, "%s/journal", dir).data));
}
