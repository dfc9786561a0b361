/* From gathered rows to a file: sorts by key, lays out the sections, and publishes the file by a rename. */
#include "pack_build.h"

#include "base/crypto/digest.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUILDING ".building-"

/* --- the image in memory-sized pieces, written to a descriptor --- */

struct image {
    struct ctx *cx;
    const char *dir;
    char path[4096]; /* of the temporary file */
    int fd;
    struct pack_header header;
    uint64_t at;
    status failed;
};

static status fail(struct ctx *cx, const char *doing, const char *path)
{
    return ctx_fail(cx, &file_reason, "%s %s: %s", doing, path, strerror(errno));
}

static void put(struct image *image, const void *bytes, size_t len)
{
    const char *from = bytes;
    while (len > 0 && image->failed == STATUS_OK) {
        ssize_t done = write(image->fd, from, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            image->failed = fail(image->cx, "write", image->path);
            return;
        }
        from += done;
        len -= (size_t)done;
        image->at += (size_t)done;
    }
}

static void put_section(struct image *image, enum pack_section which, const void *bytes, size_t len)
{
    static const char zero[8];
    image->header.sections[which].at = image->at;
    image->header.sections[which].bytes = len;
    put(image, bytes, len);
    put(image, zero, (8 - image->at % 8) % 8);
}

/* --- the order of concepts in the file --- */

struct sorted {
    uint32_t *order; /* handles in file order */
    uint32_t *rank;  /* place in the file, by handle */
};

struct sort_row {
    uint64_t key;
    uint32_t handle;
};

static int by_key(const void *left, const void *right)
{
    const struct sort_row *a = left, *b = right;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->handle < b->handle ? -1 : a->handle > b->handle;
}

static void sort_concepts(const struct pack_builder *builder, struct sorted *out)
{
    size_t count = builder->concepts.count;
    struct sort_row *rows = mem_array(count + 1, sizeof *rows);
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (struct sort_row){builder->concepts.at[i].key, i};
    qsort(rows, count, sizeof *rows, by_key);
    out->order = mem_array(count + 1, sizeof *out->order);
    out->rank = mem_array(count + 1, sizeof *out->rank);
    for (uint32_t i = 0; i < count; i++) {
        out->order[i] = rows[i].handle;
        out->rank[rows[i].handle] = i;
    }
    mem_free(rows);
}

static void put_concepts(struct image *image, const struct pack_builder *builder, const struct sorted *sorted)
{
    size_t count = builder->concepts.count, cap = 16;
    struct pack_concept_row *rows = mem_array(count + 1, sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = builder->concepts.at[sorted->order[i]];
    put_section(image, PACK_CONCEPTS, rows, count * sizeof *rows);

    while (cap < (count + 1) * 2)
        cap *= 2;
    struct pack_slot *slots = mem_array(cap, sizeof *slots);
    for (uint32_t i = 0; i < count; i++) {
        size_t slot = pack_mix(rows[i].key) & (cap - 1);
        while (slots[slot].index != 0)
            slot = (slot + 1) & (cap - 1);
        slots[slot] = (struct pack_slot){.key = rows[i].key, .index = i + 1};
    }
    put_section(image, PACK_SLOTS, slots, cap * sizeof *slots);
    mem_free(slots);
    mem_free(rows);
}

/* Rows of any kind, grouped by the file order of their concepts: first the index, then the rows. */
static void put_rows(struct image *image, const struct sorted *sorted, size_t concepts, enum pack_section first_section,
                     enum pack_section rows_section, const uint32_t *of, const void *rows, size_t count, size_t size)
{
    uint32_t *ranked = mem_array(count + 1, sizeof *ranked);
    for (size_t i = 0; i < count; i++)
        ranked[i] = sorted->rank[of[i]];
    uint32_t *start, *places;
    build_group(ranked, count, concepts, &start, &places);
    put_section(image, first_section, start, (concepts + 1) * sizeof *start);
    char *packed = mem_array(count + 1, size);
    for (size_t i = 0; i < count; i++)
        memcpy(packed + i * size, (const char *)rows + places[i] * size, size);
    put_section(image, rows_section, packed, count * size);
    mem_free(packed);
    mem_free(ranked);
    mem_free(start);
    mem_free(places);
}

static void put_parents(struct image *image, const struct pack_builder *builder, const struct sorted *sorted)
{
    size_t count = builder->edges.count;
    uint32_t *child = mem_array(count + 1, sizeof *child), *parent = mem_array(count + 1, sizeof *parent);
    for (size_t i = 0; i < count; i++) {
        child[i] = builder->edges.at[i].child;
        parent[i] = sorted->rank[builder->edges.at[i].parent];
    }
    put_rows(image, sorted, builder->concepts.count, PACK_PARENT_FIRST, PACK_PARENTS, child, parent, count,
             sizeof *parent);
    mem_free(child);
    mem_free(parent);
}

static void put_hierarchy(struct image *image, const struct pack_builder *builder, const struct sorted *sorted)
{
    size_t count = builder->nodes ? builder->concepts.count : 0, used = 0;
    struct pack_node *nodes = mem_array(count + 1, sizeof *nodes);
    struct pack_run *runs = mem_array(builder->runs.count + 1, sizeof *runs);
    for (size_t i = 0; i < count; i++) {
        const struct pack_node *node = &builder->nodes[sorted->order[i]];
        uint32_t here = builder->run_counts[sorted->order[i]];
        nodes[i] = (struct pack_node){node->first, node->last, (uint32_t)used};
        for (uint32_t r = 0; r < here; r++)
            runs[used++] = builder->runs.at[node->runs + r];
    }
    nodes[count].runs = (uint32_t)used;
    put_section(image, PACK_NODES, nodes, count ? (count + 1) * sizeof *nodes : 0);
    put_section(image, PACK_RUNS, runs, used * sizeof *runs);
    mem_free(nodes);
    mem_free(runs);
}

static void put_image(struct image *image, struct pack_builder *builder, const struct pack_name *name)
{
    struct pack_header *header = &image->header;
    memcpy(header->magic, PACK_MAGIC, sizeof header->magic);
    header->byte_order = PACK_BYTE_ORDER;
    header->format = PACK_FORMAT;
    header->keys = builder->keys;
    header->concepts = (uint32_t)builder->concepts.count;
    const struct str texts[] = {name->system, name->version, name->kind};
    struct pack_text *places[] = {&header->system, &header->version, &header->kind};
    for (size_t i = 0; i < 3; i++) {
        *places[i] = (struct pack_text){(uint32_t)builder->strings.len, (uint32_t)texts[i].len};
        buf_put_str(&builder->strings, texts[i]);
    }

    struct sorted sorted;
    sort_concepts(builder, &sorted);
    put(image, header, sizeof *header); /* room; the finished one is written over it */
    put_section(image, PACK_STRINGS, builder->strings.data, builder->strings.len);
    put_section(image, PACK_NAMES, builder->names.at, builder->names.count * sizeof *builder->names.at);
    put_concepts(image, builder, &sorted);
    size_t concepts = builder->concepts.count;
    put_rows(image, &sorted, concepts, PACK_DESIGNATION_FIRST, PACK_DESIGNATIONS, builder->designation_of.at,
             builder->designations.at, builder->designations.count, sizeof *builder->designations.at);
    put_rows(image, &sorted, concepts, PACK_PROPERTY_FIRST, PACK_PROPERTIES, builder->property_of.at,
             builder->properties.at, builder->properties.count, sizeof *builder->properties.at);
    put_parents(image, builder, &sorted);
    put_hierarchy(image, builder, &sorted);
    put_rows(image, &sorted, concepts, PACK_MAP_FIRST, PACK_MAP_ROWS, builder->map_of.at, builder->map_rows.at,
             builder->map_rows.count, sizeof *builder->map_rows.at);
    header->file_bytes = image->at;
    mem_free(sorted.order);
    mem_free(sorted.rank);
}

/* --- files --- */

/* A file being built is locked by its builder; one without a lock was left by a builder that died. */
static void remove_abandoned(const char *dir)
{
    DIR *listing = opendir(dir);
    if (listing == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strncmp(entry->d_name, BUILDING, sizeof BUILDING - 1) != 0)
            continue;
        int fd = openat(dirfd(listing), entry->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(listing), entry->d_name, 0);
        close(fd);
    }
    closedir(listing);
}

static status open_temporary(struct image *image)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        int len = snprintf(image->path, sizeof image->path, "%s/" BUILDING "XXXXXX", image->dir);
        if (len < 0 || (size_t)len >= sizeof image->path)
            return ctx_fail(image->cx, &file_reason, "path of %zu bytes is too long", strlen(image->dir));
        image->fd = mkostemp(image->path, O_CLOEXEC);
        if (image->fd < 0)
            return fail(image->cx, "create", image->path);
        struct stat info;
        if (flock(image->fd, LOCK_EX | LOCK_NB) == 0 && fstat(image->fd, &info) == 0 && info.st_nlink > 0)
            return STATUS_OK;
        close(image->fd); /* another builder took it for abandoned between create and lock */
        image->fd = -1;
    }
    return fail(image->cx, "lock", image->path);
}

/* A piece at a time: the journal, whose syncs senders wait for, never stands behind all of a release at the disk. */
static status sync_pieces(struct image *image)
{
    enum { PIECE_BYTES = 1024 * 1024 };
    for (uint64_t at = 0; at < image->at; at += PIECE_BYTES)
        if (sync_file_range(image->fd, (off_t)at, PIECE_BYTES,
                            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) != 0)
            return fail(image->cx, "sync", image->path);
    return fsync(image->fd) == 0 ? STATUS_OK : fail(image->cx, "sync", image->path);
}

/* Writes the finished header with its checksum and answers the digest of the whole file. */
static status seal(struct image *image, uint8_t out_sha256[32])
{
    if (pwrite(image->fd, &image->header, sizeof image->header, 0) != (ssize_t)sizeof image->header)
        return fail(image->cx, "write", image->path);
    void *at = mmap(NULL, image->at, PROT_READ | PROT_WRITE, MAP_SHARED, image->fd, 0);
    if (at == MAP_FAILED)
        return fail(image->cx, "map", image->path);
    struct str bytes = str_make(at, image->at);
    uint8_t content[32];
    pack_digest(bytes, content);
    memcpy((char *)at + PACK_SHA_AT, content, sizeof content);
    crypto_sha256(bytes, out_sha256);
    munmap(at, image->at);
    return sync_pieces(image);
}

static struct str file_name(struct ctx *cx, const struct pack_name *name, const uint8_t sha256[32])
{
    struct str version = arena_str(cx->arena, str_sub(name->version, 0, 64));
    for (size_t i = 0; i < version.len; i++) { /* a version from a file is not a path */
        char *c = (char *)&version.data[i];
        bool plain =
            (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '.' || *c == '_';
        *c = plain ? *c : '-';
    }
    return arena_printf(cx->arena, "%.*s-%.*s-%02x%02x%02x%02x%02x%02x%02x%02x.pack", STR_ARGS(name->kind),
                        STR_ARGS(version), sha256[0], sha256[1], sha256[2], sha256[3], sha256[4], sha256[5], sha256[6],
                        sha256[7]);
}

static status publish(struct image *image, struct pack_builder *builder, const struct pack_name *name,
                      struct pack_written *out)
{
    put_image(image, builder, name);
    TRY(image->failed);
    TRY(seal(image, out->sha256));
    out->file = file_name(image->cx, name, out->sha256);
    out->bytes = image->at;
    struct str path = arena_printf(image->cx->arena, "%s/%s", image->dir, out->file.data);
    if (rename(image->path, path.data) != 0)
        return fail(image->cx, "rename", path.data);
    return file_sync_dir(image->cx, image->dir);
}

status pack_builder_write(struct pack_builder *builder, struct ctx *cx, const char *dir, const struct pack_name *name,
                          struct pack_written *out_written)
{
    remove_abandoned(dir);
    struct image *image = mem_alloc(sizeof *image);
    image->cx = cx;
    image->dir = dir;
    image->fd = -1;
    struct pack_written written = {0};
    status done = open_temporary(image);
    if (done == STATUS_OK) {
        done = publish(image, builder, name, &written);
        if (done != STATUS_OK)
            unlink(image->path);
        close(image->fd);
    }
    mem_free(image);
    if (done == STATUS_OK)
        *out_written = written;
    return done;
}
