#include "snapshot_internal.h"

#include <stdlib.h>

/*
 * A loaded index, brought up to date. Of the records that changed since, nothing but edges was loaded, and they stand
 * under no key; so they are put in as if they were new. Which keys a record has follows from the set of all records
 * (post.c), so the others already stand where they belong: who had to move on their account is among the changed ones.
 */

struct bringing {
    struct mpi *mpi;
    struct ctx *cx;
    const struct since *since;
    VEC(uint32_t) records; /* with a row */
    const char *why;
};

static bool get_row(struct bringing *bringing, struct data_table *table, const struct key *key, struct str *out_row)
{
    status got = data_get(table, bringing->cx, key_str(key), out_row);
    if (got != STATUS_OK && got != STATUS_NOT_FOUND)
        bringing->why = "store";
    ctx_clear(bringing->cx);
    return got == STATUS_OK;
}

/* ---- what the rows say ---- */

static void set_row(struct bringing *bringing, uint32_t record, const struct stored_record *stored)
{
    struct mpi *mpi = bringing->mpi;
    struct entry *entry = CHUNK_AT(&mpi->entries, record);
    union row_space space;
    entry->own_key = row_own_key(stored->identifiers, stored->identifier_count);
    (void)blocks_add(&mpi->blocks, own_block_key(entry->own_key), record);
    index_load_handles(mpi, record, stored->identifiers, stored->identifier_count);
    if (!stored->active)
        return;
    row_make(stored->identifiers, stored->identifier_count, &stored->said, stored->former, stored->former_count,
             &space);
    row_set_rarity(mpi->model, &space.row);
    index_load_body(mpi, record, &space.row);
    *VEC_ADD(&bringing->records) = record;
}

static void read_record(struct bringing *bringing, uint32_t record)
{
    struct mpi *mpi = bringing->mpi;
    struct key key = key_1(record);
    struct str row;
    struct stored_record stored;
    struct stored_member member;
    if (record > mpi->applied.records + 1) {
        bringing->why = "a gap";
        return;
    }
    if (record > mpi->applied.records) {
        (void)index_load_entry(mpi, record, 0);
        mpi->applied.records = record;
    }
    if (!get_row(bringing, mpi->records, &key, &row) || decode_record(bringing->cx, row, &stored) != STATUS_OK) {
        bringing->why = "record";
        return;
    }
    set_row(bringing, record, &stored);
    if (!get_row(bringing, mpi->members, &key, &row))
        return;
    struct entry *entry = CHUNK_AT(&mpi->entries, record);
    if (decode_member(bringing->cx, row, &member) != STATUS_OK || member.person > UINT32_MAX)
        bringing->why = "member";
    entry->person = (uint32_t)member.person;
    entry->retired_into = (uint32_t)member.retired_into;
}

static void read_records(struct bringing *bringing)
{
    const struct since *since = bringing->since;
    for (uint32_t record = 1; record <= since->record_max && bringing->why == NULL; record++) {
        if (since->records[record / 8] == 0) {
            record |= 7;
            continue;
        }
        struct arena_mark mark = arena_mark(bringing->cx->arena);
        if (since_has(since, record))
            read_record(bringing, record);
        arena_rewind(bringing->cx->arena, mark);
    }
}

static void set_half_edge(struct mpi *mpi, uint32_t from, uint32_t to, int32_t score_mbit)
{
    struct entry *entry = CHUNK_AT(&mpi->entries, from);
    mpi->applied.half_edges -= entry->edge_count;
    if (score_mbit == NO_EDGE)
        entry_drop_edge(entry, to);
    else
        entry_put_edge(entry, to, score_mbit);
    mpi->applied.half_edges += entry->edge_count;
}

static void read_edges(struct bringing *bringing)
{
    struct mpi *mpi = bringing->mpi;
    for (size_t i = 0; i < bringing->since->edges.count && bringing->why == NULL; i++) {
        struct pair pair = bringing->since->edges.at[i];
        struct arena_mark mark = arena_mark(bringing->cx->arena);
        struct key key = key_2(pair.left, pair.right);
        struct str row;
        int32_t score_mbit = NO_EDGE;
        if (get_row(bringing, mpi->edges, &key, &row) && decode_edge(bringing->cx, row, &score_mbit) != STATUS_OK)
            bringing->why = "edge";
        set_half_edge(mpi, pair.left, pair.right, score_mbit);
        set_half_edge(mpi, pair.right, pair.left, score_mbit);
        arena_rewind(bringing->cx->arena, mark);
    }
}

/* ---- keys ---- */

struct of_body {
    uint64_t body, own_key;
    uint32_t record;
};

static int order_bodies(const void *left, const void *right)
{
    const struct of_body *a = left, *b = right;
    if (a->body != b->body)
        return a->body < b->body ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

/* Members first, then which of them is the first: of two or more there is a note, which is there already when it is of
 * one that did not change. */
static void join_bodies(struct bringing *bringing)
{
    struct mpi *mpi = bringing->mpi;
    size_t count = 0;
    struct of_body *bodies = mem_array(bringing->records.count + 1, sizeof *bodies);
    for (size_t i = 0; i < bringing->records.count; i++) {
        uint32_t record = bringing->records.at[i];
        uint64_t body = row_body(CHUNK_AT(&mpi->entries, record)->row);
        if (body == 0)
            continue;
        (void)blocks_add(&mpi->blocks, body_members_key(body), record);
        bodies[count++] = (struct of_body){.body = body, .record = record};
    }
    if (count > 1)
        qsort(bodies, count, sizeof *bodies, order_bodies);
    for (size_t i = 0; i < count; i++) {
        uint32_t members;
        if (i > 0 && bodies[i].body == bodies[i - 1].body)
            continue;
        uint32_t first = body_find_first(mpi, bodies[i].body, &members);
        if (members > 1 && since_has(bringing->since, first))
            (void)blocks_add(&mpi->blocks, body_first_key(bodies[i].body), first);
    }
    mem_free(bodies);
}

/* A key that a record stands under, and that may have to be narrowed. */
struct standing {
    uint32_t record;
    struct row_key key;
};
struct standings {
    struct standing *at;
    size_t count, cap;
};

static void add_key(struct bringing *bringing, struct standings *level, uint32_t record, const struct row_key *key)
{
    (void)blocks_add(&bringing->mpi->blocks, key->key, record);
    *VEC_ADD(level) = (struct standing){record, *key};
}

static void narrow(struct bringing *bringing, const struct standing *standing, struct standings *next)
{
    struct mpi *mpi = bringing->mpi;
    if (holders_of(mpi, APPLIED, standing->key.key).count <= index_cap(mpi, &standing->key))
        return;
    struct row_trait traits[ROW_TRAITS_MAX];
    struct row_key narrower;
    size_t count = row_traits(CHUNK_AT(&mpi->entries, standing->record)->row, traits);
    for (size_t i = 0; i < count; i++)
        if (row_narrow_key(&standing->key, &traits[i], &narrower))
            add_key(bringing, next, standing->record, &narrower);
}

/* Level by level: whether a key is over-full is known when all its holders are there. */
static void join_keys(struct bringing *bringing)
{
    struct standings level = {0};
    for (size_t i = 0; i < bringing->records.count; i++) {
        struct row_keys keys = index_keys(bringing->mpi, APPLIED, bringing->records.at[i]);
        for (size_t k = 0; k < keys.count; k++)
            add_key(bringing, &level, bringing->records.at[i], &keys.at[k]);
    }
    while (level.count > 0) {
        struct standings next = {0};
        for (size_t i = 0; i < level.count; i++)
            narrow(bringing, &level.at[i], &next);
        VEC_FINI(&level);
        level = next;
    }
}

/* ---- does it fit the store? ---- */

static const char *compare_counts(const struct mpi *mpi)
{
    uint64_t members = 0;
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        const struct entry *entry = CHUNK_AT(&mpi->entries, record);
        if (entry->person == 0 || entry->person > mpi->applied.records || entry->retired_into > mpi->applied.records)
            return "person";
        members += entry->person != record || entry->retired_into != 0;
    }
    if (mpi->applied.records != data_rows(mpi->records))
        return "record count";
    if (members != data_rows(mpi->members))
        return "member count";
    return mpi->applied.half_edges == 2 * data_rows(mpi->edges) ? NULL : "edge count";
}

/* The row made again, the keys it stands under. */
static bool is_as_stored(struct bringing *bringing, uint32_t record)
{
    struct mpi *mpi = bringing->mpi;
    const struct entry *entry = CHUNK_AT(&mpi->entries, record);
    struct key key = key_1(record);
    struct str bytes;
    struct stored_record stored;
    union row_space space;
    if (!get_row(bringing, mpi->records, &key, &bytes) || decode_record(bringing->cx, bytes, &stored) != STATUS_OK ||
        stored.active != (entry->row != NULL) ||
        !blocks_holds(&mpi->blocks, own_block_key(row_own_key(stored.identifiers, stored.identifier_count)), record))
        return false;
    if (entry->row == NULL)
        return true;
    row_make(stored.identifiers, stored.identifier_count, &stored.said, stored.former, stored.former_count, &space);
    row_set_rarity(mpi->model, &space.row);
    if (row_bytes(&space.row) != row_bytes(entry->row) || memcmp(&space.row, entry->row, row_bytes(entry->row)) != 0)
        return false;
    struct row_keys keys = index_keys(mpi, APPLIED, record);
    for (size_t i = 0; i < keys.count; i++)
        if (!blocks_holds(&mpi->blocks, keys.at[i].key, record))
            return false;
    return true;
}

static void compare_sample(struct bringing *bringing)
{
    enum { SAMPLE = 1000 };
    uint32_t records = bringing->mpi->applied.records, step = records / SAMPLE + 1;
    for (uint64_t record = 1; record <= records && bringing->why == NULL; record += step) {
        struct arena_mark mark = arena_mark(bringing->cx->arena);
        if (!is_as_stored(bringing, (uint32_t)record))
            bringing->why = "it differs from the rows";
        arena_rewind(bringing->cx->arena, mark);
    }
}

const char *bring_in(struct mpi *mpi, struct ctx *cx, const struct since *since)
{
    struct bringing bringing = {.mpi = mpi, .cx = cx, .since = since};
    read_records(&bringing);
    if (bringing.why == NULL)
        bringing.why = mpi->applied.records == since->record_max ? NULL : "a gap";
    if (bringing.why == NULL)
        read_edges(&bringing);
    if (bringing.why == NULL) {
        join_bodies(&bringing);
        join_keys(&bringing);
        bringing.why = compare_counts(mpi);
    }
    if (bringing.why == NULL)
        compare_sample(&bringing);
    VEC_FINI(&bringing.records);
    return bringing.why;
}
