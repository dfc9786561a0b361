#include "snapshot_internal.h"

#include "base/log.h"
#include "mpi/models.h"
#include "mpi/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Two threads read at once: one the records, one the keys; neither touches what the other fills. Nothing in the file is
 * believed before its checksum was seen, and nothing of it that cannot be is taken even then.
 */

/* One kind of frames, being read. */
struct section {
    struct mpi *mpi;
    const struct since *since;
    int fd;
    uint32_t kind, records;
    uint64_t at, end;
    struct buf bytes;
    struct frame frame;
    struct tally tally;
    uint64_t key_count;
    const char *why; /* what is wrong; NULL = nothing */
};

static bool read_at(int fd, void *bytes, size_t len, uint64_t at)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = pread(fd, (char *)bytes + done, len - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool wrong(struct section *section, const char *why)
{
    section->why = why;
    return false;
}

/* False at the end, or when something is wrong. */
static bool next_frame(struct section *section, uint32_t want_at)
{
    struct frame *frame = &section->frame;
    if (section->end - section->at < sizeof *frame || !read_at(section->fd, frame, sizeof *frame, section->at))
        return wrong(section, "cut");
    section->at += sizeof *frame;
    if (frame->bytes > section->end - section->at)
        return wrong(section, "frame");
    buf_clear(&section->bytes);
    buf_reserve(&section->bytes, frame->bytes + 1);
    if (!read_at(section->fd, section->bytes.data, frame->bytes, section->at))
        return wrong(section, "read");
    section->at += frame->bytes;
    if (frame->crc != frame_crc(frame, section->bytes.data))
        return wrong(section, "checksum");
    if (frame->kind != section->kind || frame->at != want_at)
        return wrong(section, "order");
    section->bytes.len = frame->bytes;
    return true;
}

/* The next bytes of the frame, or NULL. */
static const char *take(struct str *rest, size_t len)
{
    if (rest->len < len)
        return NULL;
    const char *bytes = rest->data;
    *rest = str_from_at(*rest, len);
    return bytes;
}

/* ---- records ---- */

static bool take_edges(struct section *section, struct entry *entry, const struct saved_record *saved,
                       const char *edges)
{
    if (saved->edge_count == 0)
        return true;
    entry->edge_count = saved->edge_count;
    entry->edges = mem_copy(edges, saved->edge_count * sizeof *entry->edges);
    section->tally.half_edges += saved->edge_count;
    for (uint32_t i = 0, last = 0; i < entry->edge_count; last = entry->edges[i++].other)
        if (entry->edges[i].other <= last || entry->edges[i].other > section->since->record_max)
            return wrong(section, "edge");
    return true;
}

static bool take_row(struct section *section, struct entry *entry, const struct saved_record *saved, const char *bytes)
{
    if (saved->row_bytes < sizeof *entry->row || saved->row_bytes > sizeof(union row_space))
        return wrong(section, "row");
    entry->row = mem_copy(bytes, saved->row_bytes);
    section->tally.row_bytes += saved->row_bytes;
    section->tally.more_said += (entry->row->flags & ROW_MORE_SAID) != 0;
    return row_bytes(entry->row) == saved->row_bytes || wrong(section, "row");
}

/* Of a record that changed since, the row and the place among the persons are left out: they are read again. */
static bool take_record(struct section *section, uint32_t record, struct str *rest)
{
    struct saved_record saved;
    const char *head = take(rest, sizeof saved);
    if (head == NULL)
        return wrong(section, "record");
    memcpy(&saved, head, sizeof saved);
    const char *edges = take(rest, saved.edge_count * sizeof(struct edge)), *row = take(rest, saved.row_bytes);
    if (edges == NULL || row == NULL || saved.person == 0)
        return wrong(section, "record");
    struct entry *entry = index_load_entry(section->mpi, record, saved.own_key);
    section->tally.records = record;
    if (!take_edges(section, entry, &saved, edges))
        return false;
    if (since_has(section->since, record))
        return true;
    entry->person = saved.person;
    entry->retired_into = saved.retired_into;
    return saved.row_bytes == 0 || take_row(section, entry, &saved, row);
}

static void read_records(struct section *section)
{
    for (uint32_t record = 1; record <= section->records;) {
        if (!next_frame(section, record))
            return;
        struct str rest = buf_str(&section->bytes);
        uint32_t count = section->frame.count;
        if (count == 0 || count > section->records - record + 1)
            section->why = "record";
        for (; count > 0 && section->why == NULL; count--)
            (void)take_record(section, record++, &rest);
        if (section->why || rest.len > 0) {
            (void)wrong(section, section->why ? section->why : "length");
            return;
        }
    }
    if (section->at != section->end)
        section->why = "length";
}

/* ---- keys ---- */

static bool take_key(struct section *section, struct str *rest)
{
    uint64_t head;
    const char *bytes = take(rest, sizeof head);
    if (bytes == NULL)
        return wrong(section, "key");
    memcpy(&head, bytes, sizeof head);
    uint32_t count = head & KEY_MANY;
    const char *many = count == KEY_MANY ? take(rest, sizeof count) : NULL;
    if (many)
        memcpy(&count, many, sizeof count);
    const char *records = take(rest, count * sizeof(uint32_t));
    if (records == NULL || count == 0 || (many == NULL && count == KEY_MANY))
        return wrong(section, "key");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t record;
        memcpy(&record, records + i * sizeof record, sizeof record);
        if (record == 0 || record > section->since->record_max)
            return wrong(section, "key");
        if (!since_has(section->since, record))
            (void)blocks_add(&section->mpi->blocks, head >> KEY_COUNT_BITS, record);
    }
    section->key_count++;
    return true;
}

static void *read_keys(void *arg)
{
    struct section *section = arg;
    size_t parts = blocks_parts(&section->mpi->blocks);
    for (uint32_t part = 0; part < parts; part++) {
        if (!next_frame(section, part))
            return NULL;
        struct str rest = buf_str(&section->bytes);
        for (uint32_t i = 0; i < section->frame.count && section->why == NULL; i++)
            (void)take_key(section, &rest);
        if (section->why == NULL && rest.len > 0)
            section->why = "length";
        if (section->why)
            return NULL;
    }
    if (section->at != section->end)
        section->why = "length";
    return NULL;
}

/* ---- the whole ---- */

static const char *read_both(struct mpi *mpi, int fd, const struct footer *footer, const struct since *since)
{
    struct section records = {.mpi = mpi,
                              .since = since,
                              .fd = fd,
                              .kind = SNAPSHOT_RECORDS,
                              .records = footer->records,
                              .end = footer->keys_at};
    struct section keys = {
        .mpi = mpi, .since = since, .fd = fd, .kind = SNAPSHOT_KEYS, .at = footer->keys_at, .end = footer->end};
    blocks_reserve(&mpi->blocks, footer->key_count);
    pthread_t thread;
    bool beside = pthread_create(&thread, NULL, read_keys, &keys) == 0;
    read_records(&records);
    if (beside)
        pthread_join(thread, NULL);
    else
        (void)read_keys(&keys);
    buf_fini(&records.bytes);
    buf_fini(&keys.bytes);
    mpi->applied = records.tally;
    if (records.why == NULL && keys.why == NULL && keys.key_count != footer->key_count)
        return "key count";
    return records.why ? records.why : keys.why;
}

/* Is the file whole, ours, and of this store? */
static const char *read_footer(struct mpi *mpi, int fd, struct footer *footer)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || (uint64_t)info.st_size < sizeof *footer ||
        !read_at(fd, footer, sizeof *footer, (uint64_t)info.st_size - sizeof *footer))
        return "cut";
    if (memcmp(footer->magic, snapshot_magic, sizeof footer->magic) != 0 || footer->crc != footer_crc(footer))
        return "footer";
    if (footer->end != (uint64_t)info.st_size - sizeof *footer || footer->keys_at > footer->end ||
        footer->key_count > (footer->end - footer->keys_at) / sizeof(uint64_t))
        return "length";
    if (footer->program == 0 || footer->program != snapshot_program())
        return "another program";
    if (footer->block_cap != mpi->block_cap || footer->model != mpi_model_identity(mpi->model))
        return "another model";
    return NULL;
}

/* Reading them one by one would take longer than making all anew. */
bool snapshot_is_too_old(const struct since *since)
{
    enum { FEW = 10000, PART = 4 };
    return since->count > FEW && since->count > since->record_max / PART;
}

static const char *load_file(struct mpi *mpi, struct ctx *cx, int fd)
{
    struct footer footer;
    const char *why = read_footer(mpi, fd, &footer);
    if (why)
        return why;
    SCOPED(since_fini) struct since since = {0};
    if (changed_since(mpi, cx, footer.moment, &since) != STATUS_OK)
        return "list of changes";
    if (since.unknown)
        return "another store";
    if (since.everything || footer.records > since.record_max || snapshot_is_too_old(&since))
        return "too much has changed";
    why = read_both(mpi, fd, &footer, &since);
    if (why == NULL)
        why = bring_in(mpi, cx, &since);
    if (why)
        return why;
    mpi->changed.records = since.count;
    mpi->changed.wanted = footer.moment.number;
    return NULL;
}

const char *snapshot_load(struct mpi *mpi, struct ctx *cx, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "absent";
    const char *why = load_file(mpi, cx, fd);
    close(fd);
    ctx_clear(cx);
    return why;
}
