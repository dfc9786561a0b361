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

static void do_edge_works(struct mpi *mpi, struct edge_works *works)
{
    for (size_t i = 0; i < works->count; i++)
        set_edge(mpi, works->at[i].left, works->at[i].right, works->at[i].score_mbit);
    VEC_FINI(works);
}

static const struct mpi_row *row_of(const struct mpi *mpi, uint32_t record)
{
    return entry_at(mpi, APPLIED, record)->row;
}

/* Of two whose score reaches the floor: does the body say it already? */
static bool is_said_by_body(const struct mpi *mpi, const struct mpi_row *left, const struct mpi_row *right)
{
    return row_same_body(left, right) && body_is_one(mpi, left);
}

int32_t index_edge_score(const struct mpi *mpi, const struct reach *reach, uint32_t left, uint32_t right)
{
    const struct mpi_row *a = row_of(mpi, left), *b = row_of(mpi, right);
    struct levels levels;
    int32_t score;
    if (!reach_compare(reach, a, b, mpi->model->review_mbit, &levels, &score) || is_said_by_body(mpi, a, b))
        return NO_EDGE;
    return score;
}

/* ---- the record itself, and those whose own keys changed with it ---- */

/* Ties are broken by the identifier's key: never by who came first. */
static bool is_better(const struct mpi *mpi, int32_t score, uint32_t record, const struct best *best)
{
    if (best->record == 0 || score != best->score_mbit)
        return best->record == 0 || score > best->score_mbit;
    return entry_at(mpi, APPLIED, record)->own_key < entry_at(mpi, APPLIED, best->record)->own_key;
}

static void take_best(const struct mpi *mpi, uint32_t other, const struct levels *levels, int32_t score,
                      struct best *best)
{
    if (is_better(mpi, score, other, best))
        *best = (struct best){other, *levels, score};
}

/* What a candidate must come to before it matters: an edge, or to be the best of all. */
static int32_t least_of_interest(const struct mpi *mpi, const struct best *best)
{
    if (best->record == 0)
        return INT32_MIN;
    return best->score_mbit < mpi->model->review_mbit ? best->score_mbit : mpi->model->review_mbit;
}

static void compare_candidate(const struct mpi *mpi, const struct reach *reach, uint32_t record, uint32_t candidate,
                              struct edge_works *works, struct best *best)
{
    const struct mpi_row *a = row_of(mpi, record), *b = row_of(mpi, candidate);
    struct levels levels;
    int32_t score;
    if (!reach_compare(reach, a, b, least_of_interest(mpi, best), &levels, &score))
        return;
    if (score >= mpi->model->review_mbit && !is_said_by_body(mpi, a, b))
        add_work(works, record, candidate, score);
    take_best(mpi, candidate, &levels, score, best);
}

/* What has no edge any more is dropped first; what keeps its edge is not touched in the store. */
static uint32_t renew_edges(struct mpi *mpi, uint32_t record, struct best *best)
{
    struct edge_works works = {0};
    uint32_t *candidates = NULL;
    size_t count = 0;
    if (row_of(mpi, record)) {
        struct row_keys keys = index_keys(mpi, APPLIED, record);
        count = index_candidates(mpi, APPLIED, row_of(mpi, record), &keys, record, &candidates);
    }
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    for (uint32_t i = 0; i < entry->edge_count; i++)
        add_work(&works, record, entry->edges[i].other, NO_EDGE);
    struct reach reach;
    reach_make(&reach, mpi->model);
    for (size_t i = 0; i < count; i++)
        compare_candidate(mpi, &reach, record, candidates[i], &works, best);
    mem_free(candidates);
    do_edge_works(mpi, &works);
    return (uint32_t)count;
}

/* One of a body meets another of it. */
static uint32_t meet_body(const struct mpi *mpi, uint32_t record, struct best *best)
{
    uint32_t other = index_first_other(mpi, record);
    struct levels levels;
    if (other == 0)
        return 0;
    compare_rows(row_of(mpi, record), row_of(mpi, other), &levels);
    take_best(mpi, other, &levels, weigh_levels(mpi->model, &levels), best);
    return 1;
}

/* ---- keys that crossed the cap ---- */

static int order_crossings(const void *left, const void *right)
{
    const struct crossing *const *a = left, *const *b = right;
    if ((*a)->key != (*b)->key)
        return (*a)->key < (*b)->key ? -1 : 1;
    return *a < *b ? -1 : *a > *b; /* the earlier first */
}

struct key_list {
    uint64_t *at;
    size_t count, cap;
};

/* Keys that are not what they were before the change: of those that crossed there and back nothing is left to do. */
static void settle_crossings(struct mpi *mpi, struct key_list *closed, struct key_list *opened)
{
    size_t count = mpi->crossings.count;
    const struct crossing **sorted = mem_array(count + 1, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &mpi->crossings.at[i];
    qsort(sorted, count, sizeof *sorted, order_crossings);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && sorted[end]->key == sorted[i]->key;)
            end++;
        if ((end - i) % 2 == 1)
            *VEC_ADD(sorted[i]->over_full ? closed : opened) = sorted[i]->key;
    }
    mem_free(sorted);
    mpi->crossings.count = 0;
}

static int order_records(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* The records under any of the keys, ascending, each once, on the heap. */
static size_t all_under(const struct mpi *mpi, const struct key_list *keys, uint32_t **out_records)
{
    VEC(uint32_t) all = {0};
    size_t kept = 0;
    for (size_t i = 0; i < keys->count; i++) {
        struct holders holders = holders_of(mpi, APPLIED, keys->at[i]);
        struct holders_at at = {0};
        for (uint32_t record; (record = holders_next(&holders, &at)) != 0;)
            if (row_of(mpi, record))
                *VEC_ADD(&all) = record;
    }
    if (all.count > 1)
        qsort(all.at, all.count, sizeof *all.at, order_records);
    for (size_t i = 0; i < all.count; i++)
        if (kept == 0 || all.at[kept - 1] != all.at[i])
            all.at[kept++] = all.at[i];
    *out_records = all.at;
    return kept;
}

struct live {
    struct row_key *keys;
    size_t count;
};

static struct live live_keys_of(const struct mpi *mpi, uint32_t record)
{
    struct live live;
    struct row_keys keys = index_keys(mpi, APPLIED, record);
    live.count = index_live_keys(mpi, APPLIED, row_of(mpi, record), &keys, &live.keys);
    return live;
}

static bool share_live_key(const struct live *left, const struct live *right)
{
    for (size_t i = 0, k = 0; i < left->count && k < right->count;) {
        if (left->keys[i].key == right->keys[k].key)
            return true;
        if (left->keys[i].key < right->keys[k].key)
            i++;
        else
            k++;
    }
    return false;
}

/* Who stood under one of them keeps the edges to those it meets under another key. */
static void close_keys(struct mpi *mpi, const struct key_list *closed)
{
    struct edge_works works = {0};
    uint32_t *records;
    size_t count = all_under(mpi, closed, &records);
    struct live *live = mem_array(count + 1, sizeof *live);
    for (size_t i = 0; i < count; i++)
        live[i] = live_keys_of(mpi, records[i]);
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = entry_at(mpi, APPLIED, records[i]);
        for (uint32_t k = 0; k < entry->edge_count; k++) {
            const uint32_t *at = bsearch(&entry->edges[k].other, records, count, sizeof *records, order_records);
            if (at && at > &records[i] && !share_live_key(&live[i], &live[at - records]))
                add_work(&works, records[i], *at, NO_EDGE); /* whoever lost a key together is in the list together */
        }
    }
    for (size_t i = 0; i < count; i++)
        mem_free(live[i].keys);
    mem_free(live);
    mem_free(records);
    do_edge_works(mpi, &works);
}

/* Pairs seen so far: a set with open addressing. */
struct pair_set {
    uint64_t *at;
    size_t cap, count;
};

static bool add_pair(struct pair_set *set, uint32_t left, uint32_t right)
{
    if ((set->count + 1) * 2 > set->cap) {
        struct pair_set larger = {.cap = set->cap ? set->cap * 2 : 1024};
        larger.at = mem_array(larger.cap, sizeof *larger.at);
        for (size_t i = 0; i < set->cap; i++)
            if (set->at[i] != 0)
                (void)add_pair(&larger, (uint32_t)(set->at[i] >> 32), (uint32_t)set->at[i]);
        mem_free(set->at);
        *set = larger;
    }
    uint64_t pair = (uint64_t)left << 32 | right;
    size_t slot = (size_t)(pair * 0x9E3779B97F4A7C15ull >> 20) & (set->cap - 1);
    while (set->at[slot] != 0 && set->at[slot] != pair)
        slot = (slot + 1) & (set->cap - 1);
    if (set->at[slot] == pair)
        return false;
    set->at[slot] = pair;
    set->count++;
    return true;
}

/* Those who meet again under a key are compared, each pair once: all of it was held by the one record that went. */
static void open_keys(struct mpi *mpi, const struct key_list *opened)
{
    struct edge_works works = {0};
    struct pair_set seen = {0};
    struct reach reach;
    reach_make(&reach, mpi->model);
    for (size_t i = 0; i < opened->count; i++) {
        uint32_t *records;
        size_t count = all_under(mpi, &(struct key_list){&opened->at[i], 1, 1}, &records);
        for (size_t a = 0; a < count; a++) {
            for (size_t b = a + 1; b < count; b++) {
                if (!add_pair(&seen, records[a], records[b]) || index_edge(mpi, APPLIED, records[a], records[b]))
                    continue;
                int32_t score = index_edge_score(mpi, &reach, records[a], records[b]);
                if (score != NO_EDGE)
                    add_work(&works, records[a], records[b], score);
            }
        }
        mem_free(records);
    }
    mem_free(seen.at);
    do_edge_works(mpi, &works);
}

static void settle_blocks(struct mpi *mpi)
{
    struct key_list closed = {0}, opened = {0};
    settle_crossings(mpi, &closed, &opened);
    if (closed.count > 0)
        close_keys(mpi, &closed);
    if (opened.count > 0)
        open_keys(mpi, &opened);
    VEC_FINI(&closed);
    VEC_FINI(&opened);
}

/* ---- a row takes its place ---- */

uint32_t index_set_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct best *out_best)
{
    struct best best = {0};
    mpi->reposted.count = mpi->crossings.count = 0;
    index_touch(mpi, record);
    if (row_of(mpi, record))
        index_leave(mpi, record);
    draft_set_row(mpi, record, row ? mem_copy(row, row_bytes(row)) : NULL);
    if (row)
        index_join(mpi, record);
    uint32_t compared = renew_edges(mpi, record, &best) + meet_body(mpi, record, &best);
    for (size_t i = 0; i < mpi->reposted.count; i++)
        (void)renew_edges(mpi, mpi->reposted.at[i], &(struct best){0});
    settle_blocks(mpi);
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
