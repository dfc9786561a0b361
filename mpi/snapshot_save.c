#include "snapshot_internal.h"

#include "ask_internal.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text/fold.h"
#include "mpi/models.h"
#include "mpi/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

/*
 * Slice by slice, each inside a look, so each is of some moment after the one the snapshot is said to be of. What a
 * slice has too old or too new is among the records changed since that moment, and is read again by the start.
 */

enum { SLICE_RECORDS = 256, SYNC_BYTES = 32 << 20 };

struct saving {
    struct mpi *mpi;
    struct ctx *cx;
    const char *path; /* of the temporary file */
    int fd;
    uint64_t at, synced;
    struct buf bytes; /* of a frame; its head first */
    struct frame frame;
    uint64_t key_count;
    uint64_t key; /* being gathered, and its records */
    VEC(uint32_t) holders;
};

uint32_t frame_crc(const struct frame *frame, const void *bytes)
{
    return hash_crc32c(hash_crc32c(0, &frame->kind, sizeof *frame - offsetof(struct frame, kind)), bytes, frame->bytes);
}

uint32_t footer_crc(const struct footer *footer)
{
    return hash_crc32c(0, footer, offsetof(struct footer, crc));
}

static uint64_t this_program(void)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct str bytes;
    uint64_t hash = 0;
    if (file_map(&cx, "/proc/self/exe", &bytes) == STATUS_OK) {
        hash = str_hash(bytes) ^ str_hash(str_from(text_rules_version())) * 0x9E3779B97F4A7C15ull;
        file_unmap(bytes);
    }
    arena_fini(&arena);
    return hash;
}

uint64_t (*snapshot_program)(void) = this_program;
void (*snapshot_between)(void);

/* ---- writing ---- */

static status failed(struct saving *saving, const char *doing)
{
    return ctx_fail(saving->cx, &file_reason, "%s %s: %s", doing, saving->path, strerror(errno));
}

static status write_all(struct saving *saving, const void *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t put = write(saving->fd, (const char *)bytes + done, len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return failed(saving, "write");
        done += (size_t)put;
    }
    saving->at += len;
    return STATUS_OK;
}

static void begin_frame(struct saving *saving, uint32_t kind, uint32_t at)
{
    buf_clear(&saving->bytes);
    buf_put(&saving->bytes, &(struct frame){0}, sizeof(struct frame));
    saving->frame = (struct frame){.kind = kind, .at = at};
}

/* Syncs from time to time: the system must not gather gigabytes that the journal's next sync then waits for. */
static status end_frame(struct saving *saving)
{
    INVARIANT(saving->bytes.len - sizeof(struct frame) <= UINT32_MAX);
    saving->frame.bytes = (uint32_t)(saving->bytes.len - sizeof(struct frame));
    saving->frame.crc = frame_crc(&saving->frame, saving->bytes.data + sizeof(struct frame));
    memcpy(saving->bytes.data, &saving->frame, sizeof saving->frame);
    TRY(write_all(saving, saving->bytes.data, saving->bytes.len));
    if (saving->at - saving->synced >= SYNC_BYTES) {
        if (fdatasync(saving->fd) != 0)
            return failed(saving, "sync");
        saving->synced = saving->at;
    }
    if (snapshot_between)
        snapshot_between();
    return ctx_check(saving->cx);
}

/* ---- records ---- */

static void put_record(struct buf *out, const struct entry *entry)
{
    struct saved_record saved = {.own_key = entry->own_key,
                                 .person = entry->person,
                                 .retired_into = entry->retired_into,
                                 .edge_count = entry->edge_count,
                                 .row_bytes = entry->row ? (uint32_t)row_bytes(entry->row) : 0};
    buf_put(out, &saved, sizeof saved);
    buf_put(out, entry->edges, entry->edge_count * sizeof *entry->edges);
    buf_put(out, entry->row, saved.row_bytes);
}

static void gather_records(struct saving *saving, uint32_t last)
{
    SCOPED(look_end) struct data_view look;
    look_begin(saving->mpi, &look);
    for (uint32_t record = saving->frame.at; record <= last; record++)
        put_record(&saving->bytes, entry_at(saving->mpi, SHOWN, record));
}

static status save_records(struct saving *saving, uint32_t records)
{
    for (uint32_t at = 1; at <= records; at += SLICE_RECORDS) {
        uint32_t last = records - at < SLICE_RECORDS ? records : at + SLICE_RECORDS - 1;
        begin_frame(saving, SNAPSHOT_RECORDS, at);
        saving->frame.count = last - at + 1;
        gather_records(saving, last);
        TRY(end_frame(saving));
    }
    return STATUS_OK;
}

/* ---- keys ---- */

static void end_key(struct saving *saving)
{
    uint32_t count = (uint32_t)saving->holders.count;
    if (count == 0)
        return;
    uint64_t head = saving->key << KEY_COUNT_BITS | (count < KEY_MANY ? count : KEY_MANY);
    buf_put(&saving->bytes, &head, sizeof head);
    if (count >= KEY_MANY)
        buf_put(&saving->bytes, &count, sizeof count);
    buf_put(&saving->bytes, saving->holders.at, count * sizeof *saving->holders.at);
    saving->holders.count = 0;
    saving->key_count++;
    saving->frame.count++;
}

static void gather_key(void *arg, uint64_t key, uint32_t record)
{
    struct saving *saving = arg;
    if (saving->key != key)
        end_key(saving);
    saving->key = key;
    *VEC_ADD(&saving->holders) = record;
}

static void gather_part(struct saving *saving)
{
    SCOPED(look_end) struct data_view look;
    look_begin(saving->mpi, &look);
    blocks_each_in(&saving->mpi->blocks, saving->frame.at, gather_key, saving);
}

static status save_keys(struct saving *saving)
{
    size_t parts = blocks_parts(&saving->mpi->blocks);
    for (uint32_t part = 0; part < parts; part++) {
        begin_frame(saving, SNAPSHOT_KEYS, part);
        gather_part(saving);
        end_key(saving);
        TRY(end_frame(saving));
    }
    return STATUS_OK;
}

/* ---- the whole ---- */

/* What the file is of. From here on rows of mpi.changed are kept for it. */
static void begin_footer(struct mpi *mpi, struct footer *footer, uint64_t *out_wanted_before)
{
    *footer = (struct footer){.program = snapshot_program(), .block_cap = mpi->block_cap};
    memcpy(footer->magic, snapshot_magic, sizeof footer->magic);
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    footer->model = mpi_model_identity(mpi->model_shown);
    footer->moment = mpi->changed.shown;
    footer->records = mpi->shown.records;
    *out_wanted_before = __atomic_load_n(&mpi->changed.wanted, __ATOMIC_RELAXED);
    if (*out_wanted_before == CHANGED_UNWANTED)
        __atomic_store_n(&mpi->changed.wanted, footer->moment.number, __ATOMIC_RELEASE);
}

static status write_file(struct saving *saving, struct footer *footer)
{
    TRY(save_records(saving, footer->records));
    footer->keys_at = saving->at;
    TRY(save_keys(saving));
    footer->end = saving->at;
    footer->key_count = saving->key_count;
    footer->crc = footer_crc(footer);
    TRY(write_all(saving, footer, sizeof *footer));
    return fdatasync(saving->fd) == 0 ? STATUS_OK : failed(saving, "sync");
}

/* The store first: after a power cut it must not come back as it was before the moment of the file. */
static status put_in_place(struct saving *saving, const char *path)
{
    TRY(data_sync(saving->mpi->store, saving->cx));
    if (rename(saving->path, path) != 0)
        return failed(saving, "replace");
    const char *slash = strrchr(path, '/');
    struct str dir = slash ? arena_str(saving->cx->arena, str_make(path, (size_t)(slash - path) + 1)) : STR(".");
    return file_sync_dir(saving->cx, dir.data);
}

static status save_as(struct saving *saving, const char *path, struct footer *footer)
{
    saving->fd = open(saving->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (saving->fd < 0)
        return failed(saving, "create");
    status saved = write_file(saving, footer);
    close(saving->fd);
    buf_fini(&saving->bytes);
    VEC_FINI(&saving->holders);
    if (saved == STATUS_OK)
        saved = put_in_place(saving, path);
    if (saved != STATUS_OK)
        unlink(saving->path);
    return saved;
}

status mpi_save(struct mpi *mpi, struct ctx *cx, const char *path)
{
    struct saving saving = {.mpi = mpi, .cx = cx, .path = arena_printf(cx->arena, "%s.tmp", path).data};
    uint64_t noted = __atomic_load_n(&mpi->changed.records, __ATOMIC_RELAXED), wanted;
    struct footer footer;
    begin_footer(mpi, &footer, &wanted);
    bool useful = footer.program != 0 && footer.moment.number != 0; /* else nobody could ever take it */
    status saved = useful ? save_as(&saving, path, &footer) : STATUS_OK;
    if (useful && saved == STATUS_OK) {
        wanted = footer.moment.number;
        __atomic_sub_fetch(&mpi->changed.records, noted, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&mpi->changed.wanted, wanted, __ATOMIC_RELEASE);
    return saved;
}

uint64_t mpi_unsaved(struct mpi *mpi)
{
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    if (__atomic_load_n(&mpi->changed.wanted, __ATOMIC_ACQUIRE) == CHANGED_UNWANTED)
        return mpi->shown.records;
    return __atomic_load_n(&mpi->changed.records, __ATOMIC_RELAXED);
}
