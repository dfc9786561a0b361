/*
 * The clusters worked out the slow and plain way, to hold the index against: every pair compared, keys counted by hand,
 * groups joined from scratch. Shares only rows, keys, comparison and weights with the real thing.
 */
#pragma once

#include "world.h"

struct batch {
    uint32_t count;
    uint32_t *group;     /* [record] = smallest record of its cluster, by the plain algorithm */
    int32_t *score;      /* (count + 1) squared; INT32_MIN = no edge */
    uint32_t *body;      /* [record] = first record of its body of evidence */
    int32_t *body_score; /* by first records; INT32_MIN = nothing to compare */
    bool *body_held;
};

static inline bool batch_share_live_key(const struct mpi *mpi, uint32_t a, uint32_t b)
{
    uint64_t a_keys[ROW_KEYS_MAX], b_keys[ROW_KEYS_MAX];
    size_t a_count = row_keys(entry_at(mpi, APPLIED, a)->row, a_keys),
           b_count = row_keys(entry_at(mpi, APPLIED, b)->row, b_keys);
    for (size_t i = 0; i < a_count; i++) {
        for (size_t k = 0; k < b_count; k++) {
            if (a_keys[i] != b_keys[k])
                continue;
            uint32_t holders = 0;
            for (uint32_t r = 1; r <= mpi->applied.records; r++) {
                uint64_t keys[ROW_KEYS_MAX];
                size_t count = entry_at(mpi, APPLIED, r)->row ? row_keys(entry_at(mpi, APPLIED, r)->row, keys) : 0;
                for (size_t n = 0; n < count; n++)
                    holders += keys[n] == a_keys[i];
            }
            if (holders <= mpi->block_cap)
                return true;
        }
    }
    return false;
}

static inline int32_t batch_pair(const struct mpi *mpi, uint32_t a, uint32_t b, bool *out_veto)
{
    struct levels levels;
    compare_rows(entry_at(mpi, APPLIED, a)->row, entry_at(mpi, APPLIED, b)->row, &levels);
    *out_veto = levels_veto(&levels);
    return weigh_levels(mpi->model, &levels);
}

static inline void batch_edges(const struct mpi *mpi, struct batch *batch)
{
    for (uint32_t a = 1; a <= mpi->applied.records; a++) {
        for (uint32_t b = a + 1; b <= mpi->applied.records; b++) {
            int32_t *at = &batch->score[(size_t)a * (mpi->applied.records + 1) + b];
            *at = INT32_MIN;
            bool veto;
            if (entry_at(mpi, APPLIED, a)->row == NULL || entry_at(mpi, APPLIED, b)->row == NULL ||
                !batch_share_live_key(mpi, a, b))
                continue;
            int32_t score = batch_pair(mpi, a, b, &veto);
            if (score >= mpi->model->review_mbit)
                *at = score;
        }
    }
}

static inline void batch_join(struct batch *batch, uint32_t *labels, uint32_t a, uint32_t b)
{
    uint32_t keep = labels[a] < labels[b] ? labels[a] : labels[b], gone = labels[a] < labels[b] ? labels[b] : labels[a];
    for (uint32_t i = 1; i <= batch->count; i++)
        if (labels[i] == gone)
            labels[i] = keep;
}

/* Components by edges and standing ties. */
static inline void batch_components(const struct mpi *mpi, struct batch *batch, uint32_t *component)
{
    for (uint32_t i = 1; i <= batch->count; i++)
        component[i] = i;
    for (uint32_t a = 1; a <= batch->count; a++)
        for (uint32_t b = a + 1; b <= batch->count; b++)
            if (batch->score[(size_t)a * (batch->count + 1) + b] >= mpi->model->auto_mbit)
                batch_join(batch, component, a, b);
    for (size_t i = 0; i < mpi->applied.decisions; i++)
        if (!CHUNK_AT(&mpi->decisions, i)->undone_applied && decision_ties(CHUNK_AT(&mpi->decisions, i)->kind))
            batch_join(batch, component, CHUNK_AT(&mpi->decisions, i)->left, CHUNK_AT(&mpi->decisions, i)->right);
}

static inline void batch_decisions(const struct mpi *mpi, struct batch *batch, bool *apart)
{
    size_t side = batch->count + 1;
    for (size_t i = mpi->applied.decisions; i-- > 0;) {
        const struct decision *at = CHUNK_AT(&mpi->decisions, i);
        if (at->undone_applied)
            continue;
        bool forbidden = false;
        for (uint32_t a = 1; a <= batch->count; a++)
            for (uint32_t b = 1; b <= batch->count; b++)
                forbidden |= batch->group[a] == batch->group[at->left] && batch->group[b] == batch->group[at->right] &&
                             apart[a * side + b];
        if (!decision_ties(at->kind)) {
            if (batch->group[at->left] != batch->group[at->right])
                apart[at->left * side + at->right] = apart[at->right * side + at->left] = true;
        } else if (!forbidden || batch->group[at->left] == batch->group[at->right]) {
            batch_join(batch, batch->group, at->left, at->right);
        }
    }
}

struct batch_offer {
    bool possible;
    int64_t sum, pairs;
    uint64_t low_key, high_key; /* smallest identifier keys of the two groups: breaks ties */
};

/* What two bodies of evidence (records tied by decisions) say about each other: their strongest pair. */
static inline bool batch_bodies(const struct mpi *mpi, const uint32_t *body, uint32_t count, uint32_t a, uint32_t b,
                                int32_t *out_score, bool *out_held)
{
    bool any = false, held = true;
    int32_t best = INT32_MIN;
    for (uint32_t i = 1; i <= count; i++) {
        for (uint32_t k = 1; k <= count; k++) {
            if (body[i] != a || body[k] != b || entry_at(mpi, APPLIED, i)->row == NULL ||
                entry_at(mpi, APPLIED, k)->row == NULL)
                continue;
            struct levels levels;
            compare_rows(entry_at(mpi, APPLIED, i)->row, entry_at(mpi, APPLIED, k)->row, &levels);
            int32_t score = weigh_levels(mpi->model, &levels);
            bool holds = levels_hold(mpi->model, &levels);
            held = score > best ? holds : score == best ? held && holds : held;
            best = score > best ? score : best;
            any = true;
        }
    }
    *out_score = best;
    *out_held = any && held;
    return any;
}

static inline void batch_all_bodies(const struct mpi *mpi, struct batch *batch)
{
    size_t side = batch->count + 1;
    for (uint32_t a = 1; a <= batch->count; a++)
        for (uint32_t b = 1; b <= batch->count; b++)
            if (a != b && batch->body[a] == a && batch->body[b] == b)
                (void)batch_bodies(mpi, batch->body, batch->count, a, b, &batch->body_score[a * side + b],
                                   &batch->body_held[a * side + b]);
}

static inline struct batch_offer batch_weigh(const struct mpi *mpi, const struct batch *batch, const bool *apart,
                                             const bool *veto, uint32_t a, uint32_t b)
{
    struct batch_offer offer = {.low_key = UINT64_MAX, .high_key = UINT64_MAX};
    size_t side = batch->count + 1;
    int32_t best = INT32_MIN;
    bool forbidden = false;
    uint64_t a_key = UINT64_MAX, b_key = UINT64_MAX;
    for (uint32_t i = 1; i <= batch->count; i++) {
        if (batch->group[i] == a && entry_at(mpi, APPLIED, i)->own_key < a_key)
            a_key = entry_at(mpi, APPLIED, i)->own_key;
        if (batch->group[i] == b && entry_at(mpi, APPLIED, i)->own_key < b_key)
            b_key = entry_at(mpi, APPLIED, i)->own_key;
        for (uint32_t k = 1; k <= batch->count; k++) {
            if (batch->group[i] != a || batch->group[k] != b)
                continue;
            forbidden |= apart[i * side + k] || veto[i * side + k];
            if (batch->body[i] != i || batch->body[k] != k)
                continue; /* each body once, by its first record */
            offer.pairs++;
            int32_t pair = batch->body_score[i * side + k], clip = mpi->model->clip_mbit,
                    floor = mpi->model->review_mbit;
            if (pair == INT32_MIN)
                continue;
            forbidden |= batch->body_held[i * side + k];
            best = pair > best ? pair : best;
            offer.sum += pair > clip ? clip : pair < floor ? floor : pair;
        }
    }
    offer.low_key = a_key < b_key ? a_key : b_key;
    offer.high_key = a_key < b_key ? b_key : a_key;
    offer.possible = !forbidden && offer.sum > 0 && best >= mpi->model->auto_mbit;
    return offer;
}

static inline bool batch_prefers(const struct batch_offer *left, const struct batch_offer *right)
{
    if (!right->possible)
        return true;
    int64_t a = left->sum * right->pairs, b = right->sum * left->pairs;
    if (a != b)
        return a > b;
    return left->low_key != right->low_key ? left->low_key < right->low_key : left->high_key < right->high_key;
}

static inline void batch_run(const struct mpi *mpi, struct batch *batch)
{
    size_t side = mpi->applied.records + 1;
    *batch =
        (struct batch){.count = mpi->applied.records, .group = mem_array(side, 4), .score = mem_array(side * side, 4)};
    uint32_t *component = mem_array(side, 4);
    bool *apart = mem_array(side * side, 1), *veto = mem_array(side * side, 1);
    batch_edges(mpi, batch);
    batch_components(mpi, batch, component);
    for (uint32_t i = 1; i <= batch->count; i++)
        batch->group[i] = i;
    batch_decisions(mpi, batch, apart);
    for (uint32_t a = 1; a <= batch->count; a++)
        for (uint32_t b = 1; b <= batch->count; b++)
            if (a != b && entry_at(mpi, APPLIED, a)->row && entry_at(mpi, APPLIED, b)->row)
                (void)batch_pair(mpi, a, b, &veto[a * side + b]);
    batch->body = mem_copy(batch->group, side * 4);
    batch->body_score = mem_array(side * side, 4);
    batch->body_held = mem_array(side * side, 1);
    batch_all_bodies(mpi, batch);
    for (bool joined = true; joined;) {
        struct batch_offer best = {0};
        uint32_t best_a = 0, best_b = 0;
        for (uint32_t a = 1; a <= batch->count; a++) {
            for (uint32_t b = a + 1; b <= batch->count; b++) {
                if (batch->group[a] != a || batch->group[b] != b || component[a] != component[b])
                    continue;
                struct batch_offer offer = batch_weigh(mpi, batch, apart, veto, a, b);
                if (!offer.possible || !batch_prefers(&offer, &best))
                    continue;
                best = offer;
                best_a = a;
                best_b = b;
            }
        }
        joined = best_a != 0;
        if (joined)
            batch_join(batch, batch->group, best_a, best_b);
    }
    mem_free(component);
    mem_free(apart);
    mem_free(veto);
}

static inline void batch_free(struct batch *batch)
{
    mem_free(batch->group);
    mem_free(batch->score);
    mem_free(batch->body);
    mem_free(batch->body_score);
    mem_free(batch->body_held);
}

/* The index has exactly these edges and these clusters. */
static inline void batch_check(const struct mpi *mpi, const char *what, uint64_t seed, int step)
{
    struct batch batch;
    batch_run(mpi, &batch);
    for (uint32_t a = 1; a <= mpi->applied.records; a++) {
        for (uint32_t b = a + 1; b <= mpi->applied.records; b++) {
            const struct edge *edge = index_edge(mpi, APPLIED, a, b);
            int32_t have = edge ? edge->score_mbit : INT32_MIN,
                    want = batch.score[(size_t)a * (mpi->applied.records + 1) + b];
            if (have != want)
                fail_msg("%s seed %llu step %d: edge %u-%u is %d, want %d", what, (unsigned long long)seed, step, a, b,
                         have, want);
            bool one = entry_at(mpi, APPLIED, a)->person == entry_at(mpi, APPLIED, b)->person,
                 same = batch.group[a] == batch.group[b];
            if (one != same)
                fail_msg("%s seed %llu step %d: records %u and %u are %s, batch says %s", what,
                         (unsigned long long)seed, step, a, b, one ? "one" : "two", same ? "one" : "two");
        }
    }
    uint64_t persons = 0;
    for (uint32_t i = 1; i <= mpi->applied.records; i++)
        persons += entry_at(mpi, APPLIED, i)->person == i;
    assert_int_equal(persons, mpi->applied.persons);
    batch_free(&batch);
}
