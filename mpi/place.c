#include "people_internal.h"

#include <stdlib.h>

/* ---- edges to be ---- */

/* NO_EDGE: to drop. */
struct edge_work {
    uint32_t left, right;
    int32_t score_mbit;
};
struct edge_works {
    struct edge_work *at;
    size_t count, cap;
};

static void add_work(struct edge_works *works, uint32_t left, uint32_t right, int32_t score_mbit)
{
    *VEC_ADD(works) = (struct edge_work){left, right, score_mbit};
}

static void set_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit)
{
    draft_set_edge(mpi, left, right, score_mbit);
    *VEC_ADD(&mpi->edge_changes) = left < right ? (struct pair){left, right} : (struct pair){right, left};
    index_touch(mpi, left);
    index_touch(mpi, right);
}

/* ---- blocks that cross the cap ---- */

static bool is_live(const struct mpi *mpi, uint64_t key)
{
    uint32_t count = holders_of(mpi, APPLIED, key).count;
    return count > 0 && count <= mpi->block_cap;
}

static bool share_live_key(const struct mpi *mpi, const struct mpi_row *left, const struct mpi_row *right)
{
    uint64_t a[ROW_KEYS_MAX], b[ROW_KEYS_MAX];
    size_t a_count = row_keys(left, a), b_count = row_keys(right, b);
    for (size_t i = 0, k = 0; i < a_count && k < b_count;) {
        if (a[i] == b[k]) {
            if (is_live(mpi, a[i]))
                return true;
            i++;
            k++;
        } else if (a[i] < b[k]) {
            i++;
        } else {
            k++;
        }
    }
    return false;
}

/* The rows of a block's records. */
struct members {
    uint32_t *records;
    const struct mpi_row **rows;
    size_t count;
};

static struct members members_of(const struct mpi *mpi, uint64_t key)
{
    struct holders holders = holders_of(mpi, APPLIED, key);
    struct members members = {.records = mem_array((size_t)holders.count + 1, sizeof *members.records),
                              .rows = mem_array((size_t)holders.count + 1, sizeof *members.rows)};
    struct holders_at at = {0};
    for (uint32_t record; (record = holders_next(&holders, &at)) != 0;) {
        const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
        if (row == NULL)
            continue;
        members.records[members.count] = record;
        members.rows[members.count++] = row;
    }
    return members;
}

static void members_fini(struct members *members)
{
    mem_free(members->records);
    mem_free(members->rows);
}

/* A block grew past the cap: pairs that only it brought together are no longer compared, whoever came first. */
static void close_block(const struct mpi *mpi, const struct members *in, struct edge_works *works)
{
    for (size_t i = 0; i < in->count; i++)
        for (size_t k = i + 1; k < in->count; k++)
            if (index_edge(mpi, APPLIED, in->records[i], in->records[k]) &&
                !share_live_key(mpi, in->rows[i], in->rows[k]))
                add_work(works, in->records[i], in->records[k], NO_EDGE);
}

/* It shrank to the cap: its pairs are compared again. Rare, and bounded by the cap squared. */
static void reopen_block(const struct mpi *mpi, const struct members *in, struct edge_works *works)
{
    for (size_t i = 0; i < in->count; i++) {
        for (size_t k = i + 1; k < in->count; k++) {
            if (index_edge(mpi, APPLIED, in->records[i], in->records[k]))
                continue;
            struct levels levels;
            compare_rows(in->rows[i], in->rows[k], &levels);
            int32_t score = weigh_levels(mpi->model, &levels);
            if (score >= mpi->model->review_mbit)
                add_work(works, in->records[i], in->records[k], score);
        }
    }
}

static void do_edge_works(struct mpi *mpi, struct edge_works *works)
{
    for (size_t i = 0; i < works->count; i++)
        set_edge(mpi, works->at[i].left, works->at[i].right, works->at[i].score_mbit);
    works->count = 0;
}

typedef void settle_fn(const struct mpi *mpi, const struct members *in, struct edge_works *works);

/* One block after the other: what one dropped or put, the next must see. */
static void settle_blocks(struct mpi *mpi, const uint64_t *keys, size_t count, settle_fn *settle,
                          struct edge_works *works)
{
    for (size_t i = 0; i < count; i++) {
        SCOPED(members_fini) struct members members = members_of(mpi, keys[i]);
        settle(mpi, &members, works);
        do_edge_works(mpi, works);
    }
}

/* Blocks that crossed the cap while a record moved between them. */
struct crossed {
    uint64_t closed[ROW_KEYS_MAX], reopened[ROW_KEYS_MAX];
    size_t closed_count, reopened_count;
};

static void move_keys(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct crossed *crossed)
{
    uint64_t old_keys[ROW_KEYS_MAX], new_keys[ROW_KEYS_MAX];
    const struct mpi_row *old = entry_at(mpi, APPLIED, record)->row;
    size_t old_count = old ? row_keys(old, old_keys) : 0, new_count = row ? row_keys(row, new_keys) : 0;
    for (size_t i = 0; i < old_count; i++)
        if (!row_keys_hold(new_keys, new_count, old_keys[i]) &&
            draft_remove_key(mpi, old_keys[i], record) == mpi->block_cap)
            crossed->reopened[crossed->reopened_count++] = old_keys[i];
    for (size_t i = 0; i < new_count; i++)
        if (!row_keys_hold(old_keys, old_count, new_keys[i]) &&
            draft_add_key(mpi, new_keys[i], record) == mpi->block_cap + 1)
            crossed->closed[crossed->closed_count++] = new_keys[i];
}

/* ---- a row takes its place ---- */

/* Ties are broken by the identifier's key: never by who came first. */
static bool is_better(const struct mpi *mpi, int32_t score, uint32_t record, const struct best *best)
{
    if (best->record == 0 || score != best->score_mbit)
        return best->record == 0 || score > best->score_mbit;
    return entry_at(mpi, APPLIED, record)->own_key < entry_at(mpi, APPLIED, best->record)->own_key;
}

/* Compares the row with everybody it will share a live key with; the strong ones become edges. */
static uint32_t find_edges(const struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct edge_works *works,
                           struct best *best)
{
    uint32_t *candidates;
    size_t count = index_candidates(mpi, APPLIED, row, &(struct seeker){record, true}, &candidates);
    for (size_t i = 0; i < count; i++) {
        struct levels levels;
        compare_rows(row, entry_at(mpi, APPLIED, candidates[i])->row, &levels);
        int32_t score = weigh_levels(mpi->model, &levels);
        if (score >= mpi->model->review_mbit)
            add_work(works, record, candidates[i], score);
        if (is_better(mpi, score, candidates[i], best))
            *best = (struct best){candidates[i], levels, score};
    }
    mem_free(candidates);
    return (uint32_t)count;
}

uint32_t index_set_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct best *out_best)
{
    struct crossed crossed = {.closed_count = 0};
    struct edge_works works = {0};
    struct best best = {0};
    uint32_t compared = row ? find_edges(mpi, record, row, &works, &best) : 0;
    index_touch(mpi, record);
    for (const struct entry *entry; (entry = entry_at(mpi, APPLIED, record))->edge_count > 0;)
        set_edge(mpi, record, entry->edges[entry->edge_count - 1].other, NO_EDGE);
    move_keys(mpi, record, row, &crossed);
    draft_set_row(mpi, record, row ? mem_copy(row, row_bytes(row)) : NULL);
    do_edge_works(mpi, &works);
    settle_blocks(mpi, crossed.closed, crossed.closed_count, close_block, &works);
    settle_blocks(mpi, crossed.reopened, crossed.reopened_count, reopen_block, &works);
    VEC_FINI(&works);
    *out_best = best;
    return compared;
}

/* ---- handles ---- */

static int order_keys(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Keys of identifiers from the second on (the first is the record's own), sorted, each once; on the heap. */
static uint64_t *handles_of(const struct mpi_identifier *identifiers, size_t count, size_t *out_count)
{
    uint64_t *keys = mem_array(count + 1, sizeof *keys);
    size_t kept = 0;
    for (size_t i = 1; i < count; i++)
        keys[i - 1] = handle_key(identifiers[i]);
    if (count > 2)
        qsort(keys, count - 1, sizeof keys[0], order_keys);
    for (size_t i = 0; i + 1 < count; i++)
        if (kept == 0 || keys[kept - 1] != keys[i])
            keys[kept++] = keys[i];
    *out_count = kept;
    return keys;
}

void index_set_handles(struct mpi *mpi, uint32_t record, const struct mpi_identifier *before, size_t before_count,
                       const struct mpi_identifier *now, size_t now_count)
{
    size_t old_count, new_count, i = 0, k = 0;
    uint64_t *old_keys = handles_of(before, before_count, &old_count);
    uint64_t *new_keys = handles_of(now, now_count, &new_count);
    while (i < old_count || k < new_count) {
        if (k == new_count || (i < old_count && old_keys[i] < new_keys[k])) {
            (void)draft_remove_key(mpi, old_keys[i++], record);
        } else if (i == old_count || new_keys[k] < old_keys[i]) {
            (void)draft_add_key(mpi, new_keys[k++], record);
        } else {
            i++;
            k++;
        }
    }
    mem_free(old_keys);
    mem_free(new_keys);
}
