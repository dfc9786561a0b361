#include "people_internal.h"

#include <stdlib.h>

uint32_t index_find_own(const struct mpi *mpi, enum sight sight, uint64_t own_key, struct holders_at *at)
{
    struct holders holders = holders_of(mpi, sight, own_block_key(own_key));
    return holders_next(&holders, at);
}

/* ---- live keys ---- */

struct live_keys {
    struct row_key *at;
    size_t count, cap;
};

/* Narrower keys go behind the others, to be looked at in their turn. */
static void add_narrower(struct live_keys *keys, const struct row_key *key, const struct row_trait *traits,
                         size_t trait_count)
{
    struct row_key narrower;
    for (size_t i = 0; i < trait_count; i++)
        if (row_narrow_key(key, &traits[i], &narrower))
            *VEC_ADD(keys) = narrower;
}

static int order_row_keys(const void *left, const void *right)
{
    const struct row_key *a = left, *b = right;
    return a->key < b->key ? -1 : a->key > b->key;
}

static void prefetch(const struct mpi *mpi, const struct row_keys *keys)
{
    uint64_t wanted[ROW_KEYS_MAX];
    for (size_t i = 0; i < keys->count; i++)
        wanted[i] = keys->at[i].key;
    blocks_prefetch(&mpi->blocks, wanted, keys->count);
}

size_t index_live_keys(const struct mpi *mpi, enum sight sight, const struct mpi_row *row, const struct row_keys *keys,
                       struct row_key **out_keys)
{
    struct live_keys looked_at = {0};
    struct row_trait traits[ROW_TRAITS_MAX];
    size_t trait_count = 0, live = 0;
    prefetch(mpi, keys);
    for (size_t i = 0; i < keys->count; i++)
        *VEC_ADD(&looked_at) = keys->at[i];
    for (size_t i = 0; i < looked_at.count; i++) {
        struct row_key key = looked_at.at[i];
        uint32_t count = holders_of(mpi, sight, key.key).count;
        if (count <= index_cap(mpi, &key)) {
            if (count > 0)
                looked_at.at[live++] = key;
            continue;
        }
        if (trait_count == 0)
            trait_count = row_traits(row, traits);
        add_narrower(&looked_at, &key, traits, trait_count);
    }
    if (trait_count > 0 && live > 1)
        qsort(looked_at.at, live, sizeof *looked_at.at, order_row_keys);
    *out_keys = looked_at.at;
    return live;
}

/* ---- candidates ---- */

struct finding {
    const struct mpi *mpi;
    enum sight sight;
    uint32_t self, *seen; /* seen: a set of record numbers */
    size_t seen_cap;      /* a power of two */
    uint32_t *records;
    size_t count;
};

static void add_candidate(struct finding *finding, uint32_t record)
{
    size_t mask = finding->seen_cap - 1, slot = (record * 2654435769u) & mask;
    const struct mpi_row *row = entry_at(finding->mpi, finding->sight, record)->row;
    if (record == finding->self || row == NULL) /* of no row: found by an identifier whose key is also one of these */
        return;
    while (finding->seen[slot] != 0 && finding->seen[slot] != record)
        slot = (slot + 1) & mask;
    if (finding->seen[slot] == record)
        return;
    finding->seen[slot] = record;
    finding->records[finding->count++] = record;
    __builtin_prefetch(row);
}

/* All of them, never some: a cut would depend on who came first. Bounded by the keys of a row times the cap. */
size_t index_candidates(const struct mpi *mpi, enum sight sight, const struct mpi_row *row, const struct row_keys *keys,
                        uint32_t self, uint32_t **out_records)
{
    struct row_key *live;
    size_t live_count = index_live_keys(mpi, sight, row, keys, &live), total = 0;
    for (size_t i = 0; i < live_count; i++)
        total += holders_of(mpi, sight, live[i].key).count;
    struct finding finding = {.mpi = mpi, .sight = sight, .self = self, .seen_cap = 64};
    while (finding.seen_cap < total * 2)
        finding.seen_cap *= 2;
    finding.seen = mem_array(finding.seen_cap, sizeof *finding.seen);
    finding.records = mem_grow(NULL, total + 1, sizeof *finding.records);
    for (size_t i = 0; i < live_count; i++) {
        struct holders holders = holders_of(mpi, sight, live[i].key);
        struct holders_at at = {0};
        for (uint32_t record; (record = holders_next(&holders, &at)) != 0;)
            add_candidate(&finding, record);
    }
    mem_free(live);
    mem_free(finding.seen);
    *out_records = finding.records;
    return finding.count;
}
