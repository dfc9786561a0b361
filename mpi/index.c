#include "index_internal.h"

#include <stdlib.h>

struct mpi *index_new(void)
{
    struct mpi *mpi = mem_alloc(sizeof *mpi);
    mpi->model = &model_builtin;
    mpi->block_cap = BLOCK_CAP_DEFAULT;
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    /* glibc lets readers starve a writer otherwise */
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&mpi->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
    return mpi;
}

void index_free(struct mpi *mpi)
{
    if (mpi == NULL)
        return;
    for (uint32_t i = 1; i <= mpi->count; i++) {
        mem_free(mpi->entries[i].row);
        mem_free(mpi->entries[i].edges);
    }
    mem_free(mpi->entries);
    blocks_fini(&mpi->blocks);
    VEC_FINI(&mpi->decisions);
    VEC_FINI(&mpi->open_reviews);
    for (size_t i = 0; i < mpi->pending.count; i++)
        mem_free((void *)mpi->pending.at[i].row.data);
    VEC_FINI(&mpi->pending);
    VEC_FINI(&mpi->touched);
    VEC_FINI(&mpi->changes);
    VEC_FINI(&mpi->edge_changes);
    pthread_rwlock_destroy(&mpi->lock);
    mem_free(mpi);
}

void index_touch(struct mpi *mpi, uint32_t record)
{
    *VEC_ADD(&mpi->touched) = record;
}

/* ---- own identifiers: blocks of one, under keys of their own kind ---- */

static uint64_t own_block_key(uint64_t own_key)
{
    return (own_key ^ 0x6A09E667F3BCC909ull) | 1;
}

uint32_t index_add_record(struct mpi *mpi, uint64_t own_key)
{
    if (mpi->count + 2 > mpi->entries_cap) {
        mpi->entries_cap = mpi->entries_cap ? mpi->entries_cap + mpi->entries_cap / 2 : 256;
        mpi->entries = mem_grow(mpi->entries, mpi->entries_cap, sizeof *mpi->entries);
    }
    uint32_t record = ++mpi->count;
    mpi->entries[record] = (struct entry){.person = record, .ring = record, .own_key = own_key};
    mpi->persons++;
    (void)blocks_add(&mpi->blocks, own_block_key(own_key), record);
    return record;
}

uint32_t index_find_own(const struct mpi *mpi, uint64_t own_key, uint32_t *cursor)
{
    if (*cursor == 0) {
        const struct block *block = blocks_get(&mpi->blocks, own_block_key(own_key));
        *cursor = block ? block->head : 0;
    } else {
        *cursor = mpi->blocks.nodes[*cursor].next;
    }
    return *cursor ? mpi->blocks.nodes[*cursor].record : 0;
}

/* ---- edges ---- */

static size_t edge_place(const struct entry *entry, uint32_t other)
{
    size_t low = 0, high = entry->edge_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entry->edges[middle].other < other)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct edge *index_edge(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    const struct entry *entry = &mpi->entries[left];
    size_t at = edge_place(entry, right);
    return at < entry->edge_count && entry->edges[at].other == right ? &entry->edges[at] : NULL;
}

static void put_half_edge(struct mpi *mpi, uint32_t from, uint32_t to, int32_t score_mbit)
{
    struct entry *entry = &mpi->entries[from];
    size_t at = edge_place(entry, to);
    if (at < entry->edge_count && entry->edges[at].other == to) {
        entry->edges[at].score_mbit = score_mbit;
        return;
    }
    if (entry->edge_count == entry->edge_cap) {
        mpi->edge_bytes += sizeof *entry->edges * (entry->edge_cap ? entry->edge_cap : 2);
        entry->edge_cap = entry->edge_cap ? entry->edge_cap * 2 : 2;
        entry->edges = mem_grow(entry->edges, entry->edge_cap, sizeof *entry->edges);
    }
    memmove(entry->edges + at + 1, entry->edges + at, (entry->edge_count - at) * sizeof *entry->edges);
    entry->edges[at] = (struct edge){to, score_mbit};
    entry->edge_count++;
}

static void drop_half_edge(struct mpi *mpi, uint32_t from, uint32_t to)
{
    struct entry *entry = &mpi->entries[from];
    size_t at = edge_place(entry, to);
    if (at == entry->edge_count || entry->edges[at].other != to)
        return;
    memmove(entry->edges + at, entry->edges + at + 1, (entry->edge_count - at - 1) * sizeof *entry->edges);
    entry->edge_count--;
}

static void note_edge(struct mpi *mpi, uint32_t left, uint32_t right)
{
    *VEC_ADD(&mpi->edge_changes) = left < right ? (struct pair){left, right} : (struct pair){right, left};
    index_touch(mpi, left);
    index_touch(mpi, right);
}

static void put_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit)
{
    put_half_edge(mpi, left, right, score_mbit);
    put_half_edge(mpi, right, left, score_mbit);
    note_edge(mpi, left, right);
}

static void drop_edge(struct mpi *mpi, uint32_t left, uint32_t right)
{
    drop_half_edge(mpi, left, right);
    drop_half_edge(mpi, right, left);
    note_edge(mpi, left, right);
}

void index_load_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit)
{
    put_half_edge(mpi, left, right, score_mbit);
    put_half_edge(mpi, right, left, score_mbit);
}

/* ---- candidates ---- */

static bool is_live(const struct mpi *mpi, const struct block *block)
{
    return block && block->count <= mpi->block_cap;
}

static int order_blocks(const void *left, const void *right)
{
    const struct block *a = *(const struct block *const *)left, *b = *(const struct block *const *)right;
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    return a->key < b->key ? -1 : a->key > b->key;
}

size_t index_candidates(const struct mpi *mpi, const struct mpi_row *row, uint32_t self, uint32_t *out_records, size_t max)
{
    uint64_t keys[ROW_KEYS_MAX];
    size_t key_count = row_keys(row, keys), block_count = 0, total = 0;
    const struct block *blocks[ROW_KEYS_MAX];
    for (size_t i = 0; i < key_count; i++) {
        const struct block *block = blocks_get(&mpi->blocks, keys[i]);
        if (!is_live(mpi, block))
            continue;
        blocks[block_count++] = block;
        total += block->count;
    }
    qsort(blocks, block_count, sizeof blocks[0], order_blocks);
    size_t cap = 64;
    while (cap < total * 2)
        cap *= 2;
    uint32_t *seen = mem_array(cap, sizeof *seen);
    size_t count = 0;
    for (size_t i = 0; i < block_count; i++) {
        for (uint32_t node = blocks[i]->head; node && count < max; node = mpi->blocks.nodes[node].next) {
            uint32_t record = mpi->blocks.nodes[node].record;
            size_t slot = (record * 2654435769u) & (cap - 1);
            while (seen[slot] != 0 && seen[slot] != record)
                slot = (slot + 1) & (cap - 1);
            if (seen[slot] == record || record == self)
                continue;
            seen[slot] = record;
            out_records[count++] = record;
            __builtin_prefetch(mpi->entries[record].row);
        }
    }
    mem_free(seen);
    return count;
}

/* ---- rows ---- */

static bool share_live_key(const struct mpi *mpi, const struct mpi_row *left, const struct mpi_row *right)
{
    uint64_t a[ROW_KEYS_MAX], b[ROW_KEYS_MAX];
    size_t a_count = row_keys(left, a), b_count = row_keys(right, b);
    for (size_t i = 0, k = 0; i < a_count && k < b_count;) {
        if (a[i] == b[k]) {
            if (is_live(mpi, blocks_get(&mpi->blocks, a[i])))
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

static size_t block_records(const struct mpi *mpi, uint64_t key, uint32_t **out_records)
{
    const struct block *block = blocks_get(&mpi->blocks, key);
    uint32_t *records = mem_array(block ? block->count : 1, sizeof *records);
    size_t count = 0;
    for (uint32_t node = block ? block->head : 0; node; node = mpi->blocks.nodes[node].next)
        records[count++] = mpi->blocks.nodes[node].record;
    *out_records = records;
    return count;
}

/* A block grew past the cap: pairs that only it brought together are no longer compared, whoever came first. */
static void close_block(struct mpi *mpi, uint64_t key)
{
    uint32_t *records;
    size_t count = block_records(mpi, key, &records);
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (index_edge(mpi, records[i], records[k]) &&
                !share_live_key(mpi, mpi->entries[records[i]].row, mpi->entries[records[k]].row))
                drop_edge(mpi, records[i], records[k]);
    mem_free(records);
}

/* It shrank to the cap: its pairs are compared again. Rare, and bounded by the cap squared. */
static void reopen_block(struct mpi *mpi, uint64_t key)
{
    uint32_t *records;
    size_t count = block_records(mpi, key, &records);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            if (index_edge(mpi, records[i], records[k]))
                continue;
            struct levels levels;
            compare_rows(mpi->entries[records[i]].row, mpi->entries[records[k]].row, &levels);
            int32_t score = weigh_levels(mpi->model, &levels);
            if (score >= mpi->model->review_mbit)
                put_edge(mpi, records[i], records[k], score);
        }
    }
    mem_free(records);
}

static void place_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row)
{
    struct entry *entry = &mpi->entries[record];
    if (entry->row)
        mpi->row_bytes -= row_bytes(entry->row);
    mem_free(entry->row);
    entry->row = row ? mem_copy(row, row_bytes(row)) : NULL;
    mpi->row_bytes += row ? row_bytes(row) : 0;
}

void index_load_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row)
{
    uint64_t keys[ROW_KEYS_MAX];
    size_t count = row_keys(row, keys);
    for (size_t i = 0; i < count; i++)
        (void)blocks_add(&mpi->blocks, keys[i], record);
    place_row(mpi, record, row);
}

static bool has_key(const uint64_t *keys, size_t count, uint64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i] == key)
            return true;
    return false;
}

/* Moves the record from its old keys to the new ones; collects the blocks that crossed the cap. */
static void move_keys(struct mpi *mpi, uint32_t record, const struct mpi_row *row, uint64_t *closed, size_t *closed_count,
                      uint64_t *reopened, size_t *reopened_count)
{
    uint64_t old_keys[ROW_KEYS_MAX], new_keys[ROW_KEYS_MAX];
    size_t old_count = mpi->entries[record].row ? row_keys(mpi->entries[record].row, old_keys) : 0;
    size_t new_count = row ? row_keys(row, new_keys) : 0;
    for (size_t i = 0; i < old_count; i++)
        if (!has_key(new_keys, new_count, old_keys[i]) && blocks_remove(&mpi->blocks, old_keys[i], record) == mpi->block_cap)
            reopened[(*reopened_count)++] = old_keys[i];
    for (size_t i = 0; i < new_count; i++)
        if (!has_key(old_keys, old_count, new_keys[i]) && blocks_add(&mpi->blocks, new_keys[i], record) == mpi->block_cap + 1)
            closed[(*closed_count)++] = new_keys[i];
}

/* Ties are broken by the identifier's key: never by who came first. */
static bool is_better(const struct mpi *mpi, int32_t score, uint32_t record, const struct best *best)
{
    if (best->record == 0 || score != best->score_mbit)
        return best->record == 0 || score > best->score_mbit;
    return mpi->entries[record].own_key < mpi->entries[best->record].own_key;
}

static uint32_t renew_edges(struct mpi *mpi, uint32_t record, struct best *best)
{
    const struct mpi_row *row = mpi->entries[record].row;
    size_t max = (size_t)mpi->block_cap * ROW_KEYS_MAX; /* all: a cut would depend on order */
    uint32_t *candidates = mem_grow(NULL, max, sizeof *candidates);
    size_t count = index_candidates(mpi, row, record, candidates, max);
    for (size_t i = 0; i < count; i++) {
        struct levels levels;
        compare_rows(row, mpi->entries[candidates[i]].row, &levels);
        int32_t score = weigh_levels(mpi->model, &levels);
        if (score >= mpi->model->review_mbit)
            put_edge(mpi, record, candidates[i], score);
        if (is_better(mpi, score, candidates[i], best))
            *best = (struct best){candidates[i], levels, score};
    }
    mem_free(candidates);
    return (uint32_t)count;
}

uint32_t index_set_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct best *out_best)
{
    uint64_t closed[ROW_KEYS_MAX], reopened[ROW_KEYS_MAX];
    size_t closed_count = 0, reopened_count = 0;
    index_touch(mpi, record);
    while (mpi->entries[record].edge_count > 0)
        drop_edge(mpi, record, mpi->entries[record].edges[mpi->entries[record].edge_count - 1].other);
    move_keys(mpi, record, row, closed, &closed_count, reopened, &reopened_count);
    place_row(mpi, record, row);
    struct best best = {0};
    uint32_t compared = row ? renew_edges(mpi, record, &best) : 0;
    for (size_t i = 0; i < closed_count; i++)
        close_block(mpi, closed[i]);
    for (size_t i = 0; i < reopened_count; i++)
        reopen_block(mpi, reopened[i]);
    *out_best = best;
    return compared;
}

void index_rebuild_rings(struct mpi *mpi)
{
    uint32_t *last = mem_array(mpi->count + 1, sizeof *last);
    mpi->persons = 0;
    for (uint32_t i = 1; i <= mpi->count; i++) {
        uint32_t person = mpi->entries[i].person;
        if (last[person] == 0) {
            mpi->entries[i].ring = i;
            mpi->persons++;
        } else { /* after the one before, closing the circle */
            mpi->entries[i].ring = mpi->entries[last[person]].ring;
            mpi->entries[last[person]].ring = i;
        }
        last[person] = i;
    }
    mem_free(last);
}

/* ---- decisions ---- */

bool decision_ties(uint8_t kind)
{
    return kind == MPI_DECISION_SAME || kind == MPI_DECISION_MERGE || kind == MPI_DECISION_LINK;
}

void index_add_decision(struct mpi *mpi, const struct decision *decision)
{
    struct decision made = *decision;
    made.next_left = mpi->entries[made.left].decision;
    made.next_right = mpi->entries[made.right].decision;
    *VEC_ADD(&mpi->decisions) = made;
    mpi->entries[made.left].decision = mpi->entries[made.right].decision = (uint32_t)mpi->decisions.count;
}

struct decision *index_decision(struct mpi *mpi, uint64_t id)
{
    size_t low = 0, high = mpi->decisions.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mpi->decisions.at[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < mpi->decisions.count && mpi->decisions.at[low].id == id ? &mpi->decisions.at[low] : NULL;
}

struct decision *index_next_decision(const struct mpi *mpi, uint32_t record, uint32_t *cursor)
{
    if (*cursor == 0) {
        *cursor = mpi->entries[record].decision;
    } else {
        const struct decision *at = &mpi->decisions.at[*cursor - 1];
        *cursor = at->left == record ? at->next_left : at->next_right;
    }
    return *cursor ? &mpi->decisions.at[*cursor - 1] : NULL;
}

struct decision *index_decision_between(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    uint32_t cursor = 0;
    for (struct decision *at; (at = index_next_decision(mpi, left, &cursor));)
        if (!at->undone && (at->left == right || at->right == right))
            return at;
    return NULL;
}

bool index_tie_too_large(struct mpi *mpi, uint32_t left, uint32_t right)
{
    VEC(uint32_t) nodes = {0};
    mpi->visit++;
    uint32_t starts[2] = {left, right};
    for (size_t i = 0; i < 2; i++) {
        if (mpi->entries[starts[i]].visit != mpi->visit)
            *VEC_ADD(&nodes) = starts[i];
        mpi->entries[starts[i]].visit = mpi->visit;
    }
    for (size_t i = 0; i < nodes.count && nodes.count <= FORCED_MAX; i++) {
        uint32_t cursor = 0, record = nodes.at[i];
        for (const struct decision *at; (at = index_next_decision(mpi, record, &cursor));) {
            uint32_t other = at->left == record ? at->right : at->left;
            if (at->undone || !decision_ties(at->kind) || mpi->entries[other].visit == mpi->visit)
                continue;
            mpi->entries[other].visit = mpi->visit;
            *VEC_ADD(&nodes) = other;
        }
    }
    bool too_large = nodes.count > FORCED_MAX;
    VEC_FINI(&nodes);
    return too_large;
}

/* ---- reviews ---- */

void index_add_review(struct mpi *mpi, const struct open_review *review)
{
    struct open_review made = *review;
    made.next_left = mpi->entries[made.left].review;
    made.next_right = mpi->entries[made.right].review;
    *VEC_ADD(&mpi->open_reviews) = made;
    mpi->entries[made.left].review = mpi->entries[made.right].review = (uint32_t)mpi->open_reviews.count;
}

bool index_review_open_between(const struct mpi *mpi, uint32_t left_person, uint32_t right_person)
{
    uint32_t record = left_person;
    do {
        uint32_t at = mpi->entries[record].review;
        while (at) {
            const struct open_review *review = &mpi->open_reviews.at[at - 1];
            uint32_t other = review->left == record ? review->right : review->left;
            if (mpi->entries[other].person == right_person && index_decision_between(mpi, review->left, review->right) == NULL)
                return true;
            at = review->left == record ? review->next_left : review->next_right;
        }
        record = mpi->entries[record].ring;
    } while (record != left_person);
    return false;
}
