/*
 * The clusters worked out the slow and plain way, to hold the index against: every pair compared, keys counted and
 * narrowed by hand, groups joined from scratch. Shares only rows, keys, comparison and weights with the real thing.
 */
#pragma once

#include "asked.h"

struct batch {
    uint32_t count;
    uint32_t *group;     /* [record] = smallest record of its cluster, by the plain algorithm */
    int32_t *score;      /* (count + 1) squared; INT32_MIN = no edge */
    uint32_t *body;      /* [record] = first record of its body of evidence */
    int32_t *body_score; /* by first records; INT32_MIN = nothing to compare */
    bool *body_held;
    uint32_t *stands_for; /* [record] = of those who say the same the one with the smallest own key */
    bool *follows;        /* another record stands for it in clustering */
};

static inline const struct mpi_row *batch_row(const struct mpi *mpi, uint32_t record)
{
    return entry_at(mpi, APPLIED, record)->row;
}

/* ---- keys: level by level, counted by hand ---- */

struct batch_post {
    uint32_t record;
    struct row_key key;
};
struct batch_posts {
    struct batch_post *at;
    size_t count, cap;
};

static inline int batch_order_posts(const void *left, const void *right)
{
    const struct batch_post *a = left, *b = right;
    return a->key.key < b->key.key ? -1 : a->key.key > b->key.key;
}

static inline bool batch_says_own(const struct mpi_row *row, const struct row_key *key)
{
    struct row_key keys[ROW_KEYS_MAX];
    size_t count = row_keys(row, keys);
    for (size_t i = 0; i < count; i++)
        if (keys[i].key == key->key)
            return true;
    return false;
}

static inline void batch_base_posts(const struct mpi *mpi, const struct batch *batch, struct batch_posts *posts)
{
    for (uint32_t r = 1; r <= batch->count; r++) {
        struct row_key keys[ROW_KEYS_MAX];
        size_t count = batch_row(mpi, r) ? row_keys(batch_row(mpi, r), keys) : 0;
        for (size_t i = 0; i < count; i++)
            if (batch->stands_for[r] == r ||
                (keys[i].rule == RULE_IDENTIFIER && !batch_says_own(batch_row(mpi, batch->stands_for[r]), &keys[i])))
                *VEC_ADD(posts) = (struct batch_post){r, keys[i]};
    }
}

/* Splits the posts of one level into live ones and those of the next level. */
static inline void batch_split(const struct mpi *mpi, struct batch_posts *level, struct batch_posts *live,
                               struct batch_posts *next)
{
    if (level->count > 1)
        qsort(level->at, level->count, sizeof *level->at, batch_order_posts);
    for (size_t i = 0, end; i < level->count; i = end) {
        for (end = i + 1; end < level->count && level->at[end].key.key == level->at[i].key.key;)
            end++;
        for (size_t k = i; k < end; k++) {
            if (end - i <= (size_t)mpi->block_cap * (level->at[i].key.depth >= 2 ? 2 : 1)) {
                *VEC_ADD(live) = level->at[k];
                continue;
            }
            struct row_trait traits[ROW_TRAITS_MAX];
            struct row_key narrower;
            size_t count = row_traits(batch_row(mpi, level->at[k].record), traits);
            for (size_t t = 0; t < count; t++)
                if (row_narrow_key(&level->at[k].key, &traits[t], &narrower))
                    *VEC_ADD(next) = (struct batch_post){level->at[k].record, narrower};
        }
    }
    VEC_FINI(level);
}

static inline void batch_live_posts(const struct mpi *mpi, const struct batch *batch, struct batch_posts *live)
{
    struct batch_posts level = {0}, next = {0};
    batch_base_posts(mpi, batch, &level);
    while (level.count > 0) {
        batch_split(mpi, &level, live, &next);
        level = next;
        next = (struct batch_posts){0};
    }
    if (live->count > 1)
        qsort(live->at, live->count, sizeof *live->at, batch_order_posts);
}

/* ---- bodies ---- */

static inline bool batch_is_one(const struct mpi *mpi, uint32_t a, uint32_t b)
{
    return a != b && batch_row(mpi, a) && batch_row(mpi, b) && row_body(batch_row(mpi, a)) != 0 &&
           row_same_body(batch_row(mpi, a), batch_row(mpi, b)) && body_is_one(mpi, batch_row(mpi, a));
}

static inline void batch_find_bodies(const struct mpi *mpi, struct batch *batch)
{
    for (uint32_t a = 1; a <= batch->count; a++) {
        batch->stands_for[a] = a;
        for (uint32_t b = 1; b <= batch->count && batch_row(mpi, a) && row_body(batch_row(mpi, a)); b++)
            if (batch_row(mpi, b) && row_same_body(batch_row(mpi, a), batch_row(mpi, b)) &&
                index_comes_before(mpi, b, batch->stands_for[a]))
                batch->stands_for[a] = b;
    }
}

static inline bool batch_is_plain(const struct mpi *mpi, const struct batch *batch, uint32_t record)
{
    for (size_t i = 0; i < mpi->applied.decisions; i++) {
        const struct decision *at = CHUNK_AT(&mpi->decisions, i);
        if (!at->undone_applied && (at->left == record || at->right == record))
            return false;
    }
    for (uint32_t other = 1; other <= batch->count && batch->stands_for[record] != record; other++) {
        uint32_t low = record < other ? record : other, high = record < other ? other : record;
        if (batch->score[(size_t)low * (batch->count + 1) + high] != INT32_MIN)
            return false;
    }
    return true;
}

static inline void batch_find_followers(const struct mpi *mpi, struct batch *batch)
{
    for (uint32_t a = 1; a <= batch->count; a++)
        for (uint32_t b = 1; b <= batch->count && !batch->follows[a]; b++)
            batch->follows[a] = batch_is_one(mpi, a, b) && index_comes_before(mpi, b, a) &&
                                batch_is_plain(mpi, batch, a) && batch_is_plain(mpi, batch, b);
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
    struct batch_posts live = {0};
    for (size_t i = 0; i < (size_t)(batch->count + 1) * (batch->count + 1); i++)
        batch->score[i] = INT32_MIN;
    batch_live_posts(mpi, batch, &live);
    for (size_t i = 0; i < live.count; i++) {
        for (size_t k = i + 1; k < live.count && live.at[k].key.key == live.at[i].key.key; k++) {
            uint32_t a = live.at[i].record, b = live.at[k].record;
            bool veto;
            int32_t score = batch_pair(mpi, a, b, &veto);
            if (score >= mpi->model->review_mbit && !batch_is_one(mpi, a, b))
                batch->score[(size_t)(a < b ? a : b) * (batch->count + 1) + (a < b ? b : a)] = score;
        }
    }
    VEC_FINI(&live);
}

static inline void batch_join(struct batch *batch, uint32_t *labels, uint32_t a, uint32_t b)
{
    uint32_t keep = labels[a] < labels[b] ? labels[a] : labels[b], gone = labels[a] < labels[b] ? labels[b] : labels[a];
    for (uint32_t i = 1; i <= batch->count; i++)
        if (labels[i] == gone)
            labels[i] = keep;
}

/* Components by edges, bodies that are one and standing ties. */
static inline void batch_components(const struct mpi *mpi, struct batch *batch, uint32_t *component)
{
    for (uint32_t i = 1; i <= batch->count; i++)
        component[i] = i;
    for (uint32_t a = 1; a <= batch->count; a++)
        for (uint32_t b = a + 1; b <= batch->count; b++)
            if (batch->score[(size_t)a * (batch->count + 1) + b] >= mpi->model->auto_mbit || batch_is_one(mpi, a, b))
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
    bool forbidden, possible;
    int32_t best, link; /* strongest pair, and strongest that may link by itself */
    int64_t sum, pairs;
    uint64_t low_key, high_key; /* smallest identifier keys of the two groups: breaks ties */
};

/* What two bodies of evidence (records tied by decisions) say about each other: their strongest pair. */
static inline bool batch_bodies(const struct mpi *mpi, const struct batch *batch, uint32_t a, uint32_t b,
                                int32_t *out_score, bool *out_held)
{
    const uint32_t *body = batch->body;
    uint32_t count = batch->count;
    bool any = false, held = true;
    int32_t best = INT32_MIN;
    for (uint32_t i = 1; i <= count; i++) {
        for (uint32_t k = 1; k <= count; k++) {
            if (body[i] != a || body[k] != b || batch_row(mpi, i) == NULL || batch_row(mpi, k) == NULL ||
                batch->follows[i] || batch->follows[k])
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
                (void)batch_bodies(mpi, batch, a, b, &batch->body_score[a * side + b], &batch->body_held[a * side + b]);
}

static inline struct batch_offer batch_weigh(const struct mpi *mpi, const struct batch *batch, const bool *apart,
                                             const bool *veto, uint32_t a, uint32_t b)
{
    struct batch_offer offer = {.low_key = UINT64_MAX, .high_key = UINT64_MAX, .best = INT32_MIN, .link = INT32_MIN};
    size_t side = batch->count + 1;
    uint64_t a_key = UINT64_MAX, b_key = UINT64_MAX;
    for (uint32_t i = 1; i <= batch->count; i++) {
        if (batch->group[i] == a && entry_at(mpi, APPLIED, i)->own_key < a_key)
            a_key = entry_at(mpi, APPLIED, i)->own_key;
        if (batch->group[i] == b && entry_at(mpi, APPLIED, i)->own_key < b_key)
            b_key = entry_at(mpi, APPLIED, i)->own_key;
        for (uint32_t k = 1; k <= batch->count; k++) {
            if (batch->group[i] != a || batch->group[k] != b)
                continue;
            offer.forbidden |= apart[i * side + k] || veto[i * side + k];
            if (batch->body[i] != i || batch->body[k] != k)
                continue; /* each body once, by its first record */
            offer.pairs++;
            int32_t pair = batch->body_score[i * side + k], floor = mpi->model->review_mbit,
                    clip = mpi->model->clip_mbit;
            if (pair == INT32_MIN)
                continue;
            bool held = batch->body_held[i * side + k];
            offer.forbidden |= held && pair < mpi->model->auto_mbit;
            offer.best = pair > offer.best ? pair : offer.best;
            offer.link = !held && pair > offer.link ? pair : offer.link;
            offer.sum += pair > clip ? clip : pair < floor ? floor : pair;
        }
    }
    offer.low_key = a_key < b_key ? a_key : b_key;
    offer.high_key = a_key < b_key ? b_key : a_key;
    offer.possible = !offer.forbidden && offer.sum > 0 && offer.link >= mpi->model->auto_mbit;
    return offer;
}

/* Does a third group fit `a` nearly as well as `b` does, and is it somebody else than `b`? */
static inline bool batch_has_rival(const struct mpi *mpi, const struct batch *batch, const uint32_t *component,
                                   const bool *apart, const bool *veto, uint32_t a, uint32_t b)
{
    enum { NEARLY_MBIT = 7000 };
    int32_t link = batch_weigh(mpi, batch, apart, veto, a, b).link;
    for (uint32_t c = 1; c <= batch->count; c++) {
        if (c == a || c == b || batch->group[c] != c || component[c] != component[a] || batch->follows[c])
            continue;
        struct batch_offer to_a = batch_weigh(mpi, batch, apart, veto, a, c),
                           to_b = batch_weigh(mpi, batch, apart, veto, b, c);
        bool fits = !to_a.forbidden && to_a.link >= mpi->model->auto_mbit && to_a.link >= link - NEARLY_MBIT;
        if (fits && (to_b.forbidden || to_b.best < mpi->model->prior_mbit))
            return true;
    }
    return false;
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
    batch->stands_for = mem_array(side, 4);
    batch->follows = mem_array(side, 1);
    batch_find_bodies(mpi, batch);
    batch_edges(mpi, batch);
    batch_find_followers(mpi, batch);
    batch_components(mpi, batch, component);
    for (uint32_t i = 1; i <= batch->count; i++)
        batch->group[i] = i;
    batch_decisions(mpi, batch, apart);
    for (uint32_t a = 1; a <= batch->count; a++)
        for (uint32_t b = 1; b <= batch->count; b++)
            if (a != b && batch_row(mpi, a) && batch_row(mpi, b) && !batch->follows[a] && !batch->follows[b])
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
                if (batch->group[a] != a || batch->group[b] != b || component[a] != component[b] || batch->follows[a] ||
                    batch->follows[b])
                    continue;
                struct batch_offer offer = batch_weigh(mpi, batch, apart, veto, a, b);
                if (!offer.possible || !batch_prefers(&offer, &best) ||
                    batch_has_rival(mpi, batch, component, apart, veto, a, b) ||
                    batch_has_rival(mpi, batch, component, apart, veto, b, a))
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
    for (uint32_t a = 1; a <= batch->count; a++) /* last: where the first plain one of the body is */
        for (uint32_t b = 1; b <= batch->count && batch->follows[a]; b++)
            if (!batch->follows[b] && batch_is_one(mpi, a, b) && batch_is_plain(mpi, batch, b))
                batch_join(batch, batch->group, a, b);
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
    mem_free(batch->stands_for);
    mem_free(batch->follows);
}

/* 0: may found a person at once, 1: no longer matched, 2: retired. */
static inline uint32_t batch_class(const struct mpi *mpi, uint32_t record)
{
    return entry_at(mpi, APPLIED, record)->retired_into != 0 ? 2 : batch_row(mpi, record) == NULL ? 1 : 0;
}

/* A person is known by the first of its records that may found one. */
static inline void batch_check_founder(const struct mpi *mpi, uint32_t record)
{
    uint32_t person = entry_at(mpi, APPLIED, record)->person, class = batch_class(mpi, record),
             founder = batch_class(mpi, person);
    assert_int_equal(entry_at(mpi, APPLIED, person)->person, person);
    assert_true(founder < class || (founder == class && person <= record));
}

/* The index has exactly these edges and these clusters, and asks these questions. */
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
    for (uint32_t i = 1; i <= mpi->applied.records; i++) {
        batch_check_founder(mpi, i);
        persons += entry_at(mpi, APPLIED, i)->person == i;
    }
    assert_int_equal(persons, mpi->applied.persons);
    batch_free(&batch);
    asked_check(mpi, what, seed, step);
}
