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
    VEC_FINI(&mpi->outcomes);
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

void index_reserve(struct mpi *mpi, size_t records, size_t keys)
{
    if (records == 0)
        return;
    mpi->entries_cap = mpi->count + records + 1;
    mpi->entries = mem_grow(mpi->entries, mpi->entries_cap, sizeof *mpi->entries);
    blocks_reserve(&mpi->blocks, keys);
}

uint32_t index_add_record(struct mpi *mpi, uint64_t own_key)
{
    if (mpi->count + 2 > mpi->entries_cap) {
        mpi->entries_cap += mpi->entries_cap / 8 + 256;
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
    const struct block *block = blocks_get(&mpi->blocks, own_block_key(own_key));
    return block ? blocks_next(&mpi->blocks, block, cursor) : 0;
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

static bool has_key(const uint64_t *keys, size_t count, uint64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i] == key)
            return true;
    return false;
}

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

/* Who looks for candidates: a record that is about to join the blocks of its new row, or somebody who only asks. */
struct seeker {
    uint32_t record; /* itself is no candidate; 0 = none */
    bool joins;
};

/* As is_live() will be once the seeker's record stands in the block. */
static bool will_be_live(const struct mpi *mpi, const struct block *block, const struct seeker *seeker,
                         const uint64_t *old_keys, size_t old_count)
{
    bool comes = seeker->joins && !has_key(old_keys, old_count, block->key);
    return block->count + comes <= mpi->block_cap;
}

static size_t find_blocks(const struct mpi *mpi, const struct mpi_row *row, const struct seeker *seeker,
                          const struct block *out_blocks[ROW_KEYS_MAX])
{
    uint64_t keys[ROW_KEYS_MAX], old_keys[ROW_KEYS_MAX];
    size_t key_count = row_keys(row, keys), count = 0;
    const struct mpi_row *old = seeker->joins ? mpi->entries[seeker->record].row : NULL;
    size_t old_count = old ? row_keys(old, old_keys) : 0;
    blocks_prefetch(&mpi->blocks, keys, key_count);
    for (size_t i = 0; i < key_count; i++) {
        const struct block *block = blocks_get(&mpi->blocks, keys[i]);
        if (block && will_be_live(mpi, block, seeker, old_keys, old_count))
            out_blocks[count++] = block;
    }
    return count;
}

static size_t block_records(const struct mpi *mpi, uint64_t key, uint32_t **out_records)
{
    const struct block *block = blocks_get(&mpi->blocks, key);
    uint32_t *records = mem_array(block ? block->count : 1, sizeof *records);
    size_t count = 0;
    uint32_t cursor = 0, record;
    while (block && (record = blocks_next(&mpi->blocks, block, &cursor)) != 0)
        records[count++] = record;
    *out_records = records;
    return count;
}

struct finding {
    const struct mpi *mpi;
    uint32_t self, *seen; /* seen: a set of record numbers */
    size_t seen_cap;      /* a power of two */
    uint32_t *out_records;
    size_t count, max;
};

static void add_candidate(struct finding *finding, uint32_t record)
{
    size_t mask = finding->seen_cap - 1, slot = (record * 2654435769u) & mask;
    if (finding->count == finding->max || record == finding->self)
        return;
    while (finding->seen[slot] != 0 && finding->seen[slot] != record)
        slot = (slot + 1) & mask;
    if (finding->seen[slot] == record)
        return;
    finding->seen[slot] = record;
    finding->out_records[finding->count++] = record;
    __builtin_prefetch(finding->mpi->entries[record].row);
}

static int order_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* A block that may have to be cut is cut by record number: the order in it is another one after a restart. */
static void add_cut_block(struct finding *finding, const struct block *block)
{
    uint32_t *records;
    size_t count = block_records(finding->mpi, block->key, &records);
    qsort(records, count, sizeof *records, order_numbers);
    for (size_t i = 0; i < count; i++)
        add_candidate(finding, records[i]);
    mem_free(records);
}

static size_t find_candidates(const struct mpi *mpi, const struct mpi_row *row, const struct seeker *seeker,
                              uint32_t *out_records, size_t max)
{
    const struct block *blocks[ROW_KEYS_MAX];
    size_t block_count = find_blocks(mpi, row, seeker, blocks), total = 0;
    for (size_t i = 0; i < block_count; i++)
        total += blocks[i]->count;
    qsort(blocks, block_count, sizeof blocks[0], order_blocks);
    struct finding finding = {
        .mpi = mpi, .self = seeker->record, .seen_cap = 64, .out_records = out_records, .max = max};
    while (finding.seen_cap < total * 2)
        finding.seen_cap *= 2;
    finding.seen = mem_array(finding.seen_cap, sizeof *finding.seen);
    for (size_t i = 0; i < block_count && finding.count < max; i++) {
        uint32_t cursor = 0, record;
        if (finding.count + blocks[i]->count > max)
            add_cut_block(&finding, blocks[i]);
        else
            while ((record = blocks_next(&mpi->blocks, blocks[i], &cursor)) != 0)
                add_candidate(&finding, record);
    }
    mem_free(finding.seen);
    return finding.count;
}

size_t index_candidates(const struct mpi *mpi, const struct mpi_row *row, uint32_t *out_records, size_t max)
{
    return find_candidates(mpi, row, &(struct seeker){0}, out_records, max);
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

/* Edges to put (score) or to drop (INT32_MIN), found while readers go on and applied while they wait. */
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

/* A block grew past the cap: pairs that only it brought together are no longer compared, whoever came first. */
static void close_block(const struct mpi *mpi, uint64_t key, struct edge_works *works)
{
    uint32_t *records;
    size_t count = block_records(mpi, key, &records);
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (index_edge(mpi, records[i], records[k]) &&
                !share_live_key(mpi, mpi->entries[records[i]].row, mpi->entries[records[k]].row))
                add_work(works, records[i], records[k], INT32_MIN);
    mem_free(records);
}

/* It shrank to the cap: its pairs are compared again. Rare, and bounded by the cap squared. */
static void reopen_block(const struct mpi *mpi, uint64_t key, struct edge_works *works)
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
                add_work(works, records[i], records[k], score);
        }
    }
    mem_free(records);
}

static void do_edge_works(struct mpi *mpi, const struct edge_works *works)
{
    for (size_t i = 0; i < works->count; i++) {
        const struct edge_work *work = &works->at[i];
        if (work->score_mbit == INT32_MIN)
            drop_edge(mpi, work->left, work->right);
        else
            put_edge(mpi, work->left, work->right, work->score_mbit);
    }
}

/* One block after the other: what one dropped or put, the next must see. */
static void settle_block(struct mpi *mpi, uint64_t key,
                         void (*find)(const struct mpi *mpi, uint64_t key, struct edge_works *works),
                         struct edge_works *works)
{
    works->count = 0;
    find(mpi, key, works);
    pthread_rwlock_wrlock(&mpi->lock);
    do_edge_works(mpi, works);
    pthread_rwlock_unlock(&mpi->lock);
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
    blocks_prefetch(&mpi->blocks, keys, count);
    for (size_t i = 0; i < count; i++)
        (void)blocks_add(&mpi->blocks, keys[i], record);
    place_row(mpi, record, row);
}

/* Blocks that crossed the cap while a record moved between them. */
struct crossed {
    uint64_t closed[ROW_KEYS_MAX], reopened[ROW_KEYS_MAX];
    size_t closed_count, reopened_count;
};

static void move_keys(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct crossed *crossed)
{
    uint64_t old_keys[ROW_KEYS_MAX], new_keys[ROW_KEYS_MAX];
    size_t old_count = mpi->entries[record].row ? row_keys(mpi->entries[record].row, old_keys) : 0;
    size_t new_count = row ? row_keys(row, new_keys) : 0;
    for (size_t i = 0; i < old_count; i++)
        if (!has_key(new_keys, new_count, old_keys[i]) &&
            blocks_remove(&mpi->blocks, old_keys[i], record) == mpi->block_cap)
            crossed->reopened[crossed->reopened_count++] = old_keys[i];
    for (size_t i = 0; i < new_count; i++)
        if (!has_key(old_keys, old_count, new_keys[i]) &&
            blocks_add(&mpi->blocks, new_keys[i], record) == mpi->block_cap + 1)
            crossed->closed[crossed->closed_count++] = new_keys[i];
}

/* Ties are broken by the identifier's key: never by who came first. */
static bool is_better(const struct mpi *mpi, int32_t score, uint32_t record, const struct best *best)
{
    if (best->record == 0 || score != best->score_mbit)
        return best->record == 0 || score > best->score_mbit;
    return mpi->entries[record].own_key < mpi->entries[best->record].own_key;
}

/* Compares the row with everybody it will share a live key with; the strong ones become edges. */
static uint32_t find_edges(const struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct edge_works *works,
                           struct best *best)
{
    size_t max = (size_t)mpi->block_cap * ROW_KEYS_MAX; /* all: a cut would depend on order */
    uint32_t *candidates = mem_grow(NULL, max, sizeof *candidates);
    size_t count = find_candidates(mpi, row, &(struct seeker){record, true}, candidates, max);
    for (size_t i = 0; i < count; i++) {
        struct levels levels;
        compare_rows(row, mpi->entries[candidates[i]].row, &levels);
        int32_t score = weigh_levels(mpi->model, &levels);
        if (score >= mpi->model->review_mbit)
            add_work(works, record, candidates[i], score);
        if (is_better(mpi, score, candidates[i], best))
            *best = (struct best){candidates[i], levels, score};
    }
    mem_free(candidates);
    return (uint32_t)count;
}

/* Growing copies tens of megabytes: readers wait for the exchange only. */
static void make_room(struct mpi *mpi)
{
    struct blocks grown;
    if (!blocks_grown(&mpi->blocks, ROW_KEYS_MAX + 1, &grown))
        return;
    struct block *old = mpi->blocks.slots;
    pthread_rwlock_wrlock(&mpi->lock);
    mpi->blocks = grown;
    pthread_rwlock_unlock(&mpi->lock);
    mem_free(old);
}

uint32_t index_new_record(struct mpi *mpi, uint64_t own_key)
{
    make_room(mpi);
    pthread_rwlock_wrlock(&mpi->lock);
    uint32_t record = index_add_record(mpi, own_key);
    pthread_rwlock_unlock(&mpi->lock);
    return record;
}

uint32_t index_set_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct best *out_best)
{
    struct crossed crossed = {.closed_count = 0};
    struct edge_works works = {0};
    struct best best = {0};
    make_room(mpi);
    uint32_t compared = row ? find_edges(mpi, record, row, &works, &best) : 0;
    index_touch(mpi, record);
    pthread_rwlock_wrlock(&mpi->lock);
    while (mpi->entries[record].edge_count > 0)
        drop_edge(mpi, record, mpi->entries[record].edges[mpi->entries[record].edge_count - 1].other);
    move_keys(mpi, record, row, &crossed);
    place_row(mpi, record, row);
    do_edge_works(mpi, &works);
    pthread_rwlock_unlock(&mpi->lock);
    for (size_t i = 0; i < crossed.closed_count; i++)
        settle_block(mpi, crossed.closed[i], close_block, &works);
    for (size_t i = 0; i < crossed.reopened_count; i++)
        settle_block(mpi, crossed.reopened[i], reopen_block, &works);
    VEC_FINI(&works);
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
