#include "people_internal.h"

#include <stdlib.h>

uint32_t index_find_own(const struct mpi *mpi, enum sight sight, uint64_t own_key, struct holders_at *at)
{
    struct holders holders = holders_of(mpi, sight, own_block_key(own_key));
    return holders_next(&holders, at);
}

/* ---- live keys ---- */

struct live_key {
    struct row_key key;
    struct holders holders;
};
struct live_keys {
    struct live_key *at;
    size_t count, cap;
};

static void add_key(struct live_keys *keys, const struct mpi *mpi, enum sight sight, const struct row_key *key)
{
    struct holders holders = holders_of(mpi, sight, key->key);
    if (holders.count > 0)
        *VEC_ADD(keys) = (struct live_key){*key, holders};
}

static int order_live_keys(const void *left, const void *right)
{
    const struct live_key *a = left, *b = right;
    return a->key.key < b->key.key ? -1 : a->key.key > b->key.key;
}

static void prefetch(const struct mpi *mpi, const struct row_keys *keys)
{
    uint64_t wanted[ROW_KEYS_MAX];
    for (size_t i = 0; i < keys->count; i++)
        wanted[i] = keys->at[i].key;
    blocks_prefetch(&mpi->blocks, wanted, keys->count);
}

/* Narrower keys go behind the others, to be looked at in their turn. On the heap, ascending. */
static struct live_keys find_live(const struct mpi *mpi, enum sight sight, const struct mpi_row *row,
                                  const struct row_keys *keys)
{
    struct live_keys found = {0};
    struct row_trait traits[ROW_TRAITS_MAX];
    struct row_key narrower;
    size_t trait_count = 0, live = 0;
    found.cap = keys->count + 1;
    found.at = mem_grow(NULL, found.cap, sizeof *found.at);
    prefetch(mpi, keys);
    for (size_t i = 0; i < keys->count; i++)
        add_key(&found, mpi, sight, &keys->at[i]);
    for (size_t i = 0; i < found.count; i++) {
        struct live_key at = found.at[i];
        if (at.holders.count <= index_cap(mpi, &at.key)) {
            found.at[live++] = at;
            continue;
        }
        if (trait_count == 0)
            trait_count = row_traits(row, traits);
        for (size_t k = 0; k < trait_count; k++)
            if (row_narrow_key(&at.key, &traits[k], &narrower))
                add_key(&found, mpi, sight, &narrower);
    }
    if (trait_count > 0 && live > 1)
        qsort(found.at, live, sizeof *found.at, order_live_keys);
    found.count = live;
    return found;
}

size_t index_live_keys(const struct mpi *mpi, enum sight sight, const struct mpi_row *row, const struct row_keys *keys,
                       struct row_key **out_keys)
{
    struct live_keys live = find_live(mpi, sight, row, keys);
    struct row_key *all = mem_grow(NULL, live.count + 1, sizeof *all);
    for (size_t i = 0; i < live.count; i++)
        all[i] = live.at[i].key;
    *out_keys = all;
    size_t count = live.count;
    VEC_FINI(&live);
    return count;
}

/* ---- candidates ---- */

struct finding {
    const struct mpi *mpi;
    uint32_t self, after; /* no candidates: the record itself, and those up to this number */
    uint32_t *seen;       /* a set of record numbers */
    size_t seen_cap;      /* a power of two */
    uint32_t *records;
    size_t count;
};

static void add_candidate(struct finding *finding, uint32_t record)
{
    size_t mask = finding->seen_cap - 1, slot = (record * 2654435769u >> 8) & mask;
    if (record == finding->self || record <= finding->after)
        return;
    while (finding->seen[slot] != 0 && finding->seen[slot] != record)
        slot = (slot + 1) & mask;
    if (finding->seen[slot] == record)
        return;
    finding->seen[slot] = record;
    finding->records[finding->count++] = record;
    __builtin_prefetch(CHUNK_AT(&finding->mpi->entries, record));
}

/* One of each key in turn: chains are walked by one wait for memory after the other, so several go side by side. */
static void walk_keys(struct finding *finding, const struct live_keys *live)
{
    struct holders_at *at = mem_array(live->count + 1, sizeof *at);
    uint32_t *left = mem_array(live->count + 1, sizeof *left);
    size_t left_count = live->count;
    for (uint32_t i = 0; i < left_count; i++)
        left[i] = i;
    while (left_count > 0) {
        size_t kept = 0;
        for (size_t i = 0; i < left_count; i++) {
            uint32_t record = holders_next(&live->at[left[i]].holders, &at[left[i]]);
            if (record == 0)
                continue;
            add_candidate(finding, record);
            left[kept++] = left[i];
        }
        left_count = kept;
    }
    mem_free(at);
    mem_free(left);
}

/* A record without a row is found by an identifier whose key is also one of these. */
static void keep_rows(struct finding *finding, enum sight sight)
{
    enum { LINE = 64, LINES = 3 }; /* of memory: most of a row */
    size_t kept = 0;
    for (size_t i = 0; i < finding->count; i++) {
        const struct mpi_row *row = entry_at(finding->mpi, sight, finding->records[i])->row;
        if (row == NULL)
            continue;
        for (size_t k = 0; k < LINES; k++)
            __builtin_prefetch((const char *)row + k * LINE);
        finding->records[kept++] = finding->records[i];
    }
    finding->count = kept;
}

/* All of them, never some: a cut would depend on who came first. Bounded by the keys of a row times the cap. */
static size_t find_candidates(struct finding *finding, enum sight sight, const struct mpi_row *row,
                              const struct row_keys *keys, uint32_t **out_records)
{
    struct live_keys live = find_live(finding->mpi, sight, row, keys);
    size_t total = 0;
    for (size_t i = 0; i < live.count; i++)
        total += live.at[i].holders.count;
    for (finding->seen_cap = 64; finding->seen_cap < total * 2;)
        finding->seen_cap *= 2;
    finding->seen = mem_array(finding->seen_cap, sizeof *finding->seen);
    finding->records = mem_grow(NULL, total + 1, sizeof *finding->records);
    walk_keys(finding, &live);
    keep_rows(finding, sight);
    VEC_FINI(&live);
    mem_free(finding->seen);
    *out_records = finding->records;
    return finding->count;
}

size_t index_candidates(const struct mpi *mpi, enum sight sight, const struct mpi_row *row, const struct row_keys *keys,
                        uint32_t self, uint32_t **out_records)
{
    struct finding finding = {.mpi = mpi, .self = self};
    return find_candidates(&finding, sight, row, keys, out_records);
}

size_t index_later_candidates(const struct mpi *mpi, const struct mpi_row *row, const struct row_keys *keys,
                              uint32_t record, uint32_t **out_records)
{
    struct finding finding = {.mpi = mpi, .self = record, .after = record};
    return find_candidates(&finding, APPLIED, row, keys, out_records);
}
