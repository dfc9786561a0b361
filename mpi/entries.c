#include "people_internal.h"

#include <stdlib.h>

struct mpi *index_new(void)
{
    struct mpi *mpi = mem_alloc(sizeof *mpi);
    mpi->model = mpi->model_shown = &model_builtin;
    mpi->block_cap = BLOCK_CAP_DEFAULT;
    blocks_init(&mpi->blocks, BLOCKS_LARGE);
    blocks_init(&mpi->came, BLOCKS_SMALL);
    blocks_init(&mpi->left, BLOCKS_SMALL);
    return mpi;
}

void index_free(struct mpi *mpi)
{
    if (mpi == NULL)
        return;
    draft_drop(mpi);
    for (uint32_t i = 1; i <= mpi->shown.records; i++) {
        mem_free(CHUNK_AT(&mpi->entries, i)->row);
        mem_free(CHUNK_AT(&mpi->entries, i)->edges);
    }
    CHUNKS_FINI(&mpi->entries);
    CHUNKS_FINI(&mpi->notes);
    CHUNKS_FINI(&mpi->decisions);
    CHUNKS_FINI(&mpi->asked);
    CHUNKS_FINI(&mpi->copies);
    blocks_fini(&mpi->blocks);
    blocks_fini(&mpi->came);
    blocks_fini(&mpi->left);
    VEC_FINI(&mpi->steps);
    VEC_FINI(&mpi->postings);
    VEC_FINI(&mpi->touched);
    VEC_FINI(&mpi->changes);
    VEC_FINI(&mpi->edge_changes);
    VEC_FINI(&mpi->outcomes);
    VEC_FINI(&mpi->reposted);
    VEC_FINI(&mpi->crossings);
    if (mpi->model_is_own)
        mpi_model_free((struct mpi_model *)mpi->model);
    mem_free(mpi);
}

void index_touch(struct mpi *mpi, uint32_t record)
{
    *VEC_ADD(&mpi->touched) = record;
}

void index_next_round(struct mpi *mpi)
{
    if (++mpi->visit != 0)
        return;
    for (uint32_t i = 1; i <= mpi->applied.records; i++) /* once in four billion walks */
        CHUNK_AT(&mpi->notes, i)->visit = 0;
    mpi->visit = 1;
}

/* ---- keys of identifiers: of kinds of their own, so that they meet no blocking key ---- */

uint64_t own_block_key(uint64_t own_key)
{
    return block_key(own_key ^ 0x6A09E667F3BCC909ull);
}

uint64_t handle_key(struct mpi_identifier identifier)
{
    return block_key(row_identifier_key(identifier) ^ 0xBB67AE8584CAA73Bull);
}

/* ---- edges ---- */

static size_t edge_place(const struct entry *entry, uint32_t other)
{
    size_t low = 0, high = entry->edge_count;
    if (high > 0 && entry->edges[high - 1].other < other)
        return high; /* the usual place of a new one; always while opening */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry->edges[middle].other < other)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void entry_put_edge(struct entry *entry, uint32_t other, int32_t score_mbit)
{
    size_t at = edge_place(entry, other);
    if (at == entry->edge_count || entry->edges[at].other != other) {
        entry->edges = mem_grow(entry->edges, (size_t)entry->edge_count + 1, sizeof *entry->edges);
        memmove(entry->edges + at + 1, entry->edges + at, (entry->edge_count++ - at) * sizeof *entry->edges);
    }
    entry->edges[at] = (struct edge){other, score_mbit};
}

void entry_drop_edge(struct entry *entry, uint32_t other)
{
    size_t at = edge_place(entry, other);
    if (at == entry->edge_count || entry->edges[at].other != other)
        return;
    memmove(entry->edges + at, entry->edges + at + 1, (--entry->edge_count - at) * sizeof *entry->edges);
    if (entry->edge_count > 0)
        return;
    mem_free(entry->edges);
    entry->edges = NULL;
}

const struct edge *index_edge(const struct mpi *mpi, enum sight sight, uint32_t left, uint32_t right)
{
    const struct entry *entry = entry_at(mpi, sight, left);
    size_t at = edge_place(entry, right);
    return at < entry->edge_count && entry->edges[at].other == right ? &entry->edges[at] : NULL;
}

/* ---- opening ---- */

void index_load_reserve(struct mpi *mpi, size_t keys)
{
    blocks_reserve(&mpi->blocks, keys);
}

uint32_t index_load_record(struct mpi *mpi, uint64_t own_key)
{
    INVARIANT(mpi->applied.records < BLOCK_RECORD_MAX);
    uint32_t record = ++mpi->applied.records;
    *CHUNK_ADD(&mpi->entries, record) = (struct entry){.person = record, .ring = record, .own_key = own_key};
    *CHUNK_ADD(&mpi->notes, record) = (struct note){0};
    (void)blocks_add(&mpi->blocks, own_block_key(own_key), record);
    return record;
}

void index_load_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row)
{
    struct mpi_row *own = mem_copy(row, row_bytes(row));
    row_set_rarity(mpi->model, own);
    CHUNK_AT(&mpi->entries, record)->row = own;
    mpi->applied.row_bytes += row_bytes(row);
    mpi->applied.more_said += (row->flags & ROW_MORE_SAID) != 0;
    mpi->opening = true;
    index_join(mpi, record);
    mpi->opening = false;
    mpi->crossings.count = 0;
}

void index_load_handles(struct mpi *mpi, uint32_t record, const struct mpi_identifier *identifiers, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t key = handle_key(identifiers[i]);
        if (!blocks_holds(&mpi->blocks, key, record)) /* one said twice */
            (void)blocks_add(&mpi->blocks, key, record);
    }
}

void index_load_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit)
{
    entry_put_edge(CHUNK_AT(&mpi->entries, left), right, score_mbit);
    entry_put_edge(CHUNK_AT(&mpi->entries, right), left, score_mbit);
    mpi->applied.half_edges += 2;
}

static void load_rings(struct mpi *mpi)
{
    uint32_t records = mpi->applied.records, *last = mem_array((size_t)records + 1, sizeof *last);
    for (uint32_t i = 1; i <= records; i++) {
        struct entry *entry = CHUNK_AT(&mpi->entries, i);
        uint32_t person = entry->person;
        mpi->applied.persons += last[person] == 0;
        entry->ring = i;
        if (last[person] != 0) { /* after the one before, closing the circle */
            struct entry *before = CHUNK_AT(&mpi->entries, last[person]);
            entry->ring = before->ring;
            before->ring = i;
        }
        last[person] = i;
    }
    mem_free(last);
}

void index_load_finish(struct mpi *mpi)
{
    load_rings(mpi);
    for (uint32_t i = 0; i < mpi->applied.reviews; i++) {
        struct review *review = CHUNK_AT(&mpi->asked, i);
        review->open = review->open_applied = index_asks(mpi, review->left, review->right);
        mpi->applied.reviews_open += review->open;
    }
    mpi->shown = mpi->applied;
}
