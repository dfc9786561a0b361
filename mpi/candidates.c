#include "people_internal.h"

#include <stdlib.h>

uint32_t index_find_own(const struct mpi *mpi, enum sight sight, uint64_t own_key, struct holders_at *at)
{
    struct holders holders = holders_of(mpi, sight, own_block_key(own_key));
    return holders_next(&holders, at);
}

/* Live keys of a row: those that will not be too common once the seeker's record stands in the block. */
static size_t find_blocks(const struct mpi *mpi, enum sight sight, const struct mpi_row *row,
                          const struct seeker *seeker, struct holders out_blocks[ROW_KEYS_MAX])
{
    uint64_t keys[ROW_KEYS_MAX], old_keys[ROW_KEYS_MAX];
    size_t key_count = row_keys(row, keys), count = 0;
    const struct mpi_row *old = seeker->joins ? entry_at(mpi, sight, seeker->record)->row : NULL;
    size_t old_count = old ? row_keys(old, old_keys) : 0;
    blocks_prefetch(&mpi->blocks, keys, key_count);
    for (size_t i = 0; i < key_count; i++) {
        struct holders holders = holders_of(mpi, sight, keys[i]);
        bool comes = seeker->joins && !row_keys_hold(old_keys, old_count, keys[i]);
        if (holders.count > 0 && holders.count + comes <= mpi->block_cap)
            out_blocks[count++] = holders;
    }
    return count;
}

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
size_t index_candidates(const struct mpi *mpi, enum sight sight, const struct mpi_row *row, const struct seeker *seeker,
                        uint32_t **out_records)
{
    struct holders blocks[ROW_KEYS_MAX];
    size_t block_count = find_blocks(mpi, sight, row, seeker, blocks), total = 0;
    for (size_t i = 0; i < block_count; i++)
        total += blocks[i].count;
    struct finding finding = {.mpi = mpi, .sight = sight, .self = seeker->record, .seen_cap = 64};
    while (finding.seen_cap < total * 2)
        finding.seen_cap *= 2;
    finding.seen = mem_array(finding.seen_cap, sizeof *finding.seen);
    finding.records = mem_grow(NULL, total + 1, sizeof *finding.records);
    for (size_t i = 0; i < block_count; i++) {
        struct holders_at at = {0};
        for (uint32_t record; (record = holders_next(&blocks[i], &at)) != 0;)
            add_candidate(&finding, record);
    }
    mem_free(finding.seen);
    *out_records = finding.records;
    return finding.count;
}
