/*
 * What is asked, worked out the slow and plain way, to hold the reviews against: every two records looked at for every
 * person. Shares only rows, body scores and persons with the real thing.
 */
#pragma once

#include "world.h"

static inline uint32_t asked_person(const struct mpi *mpi, uint32_t record)
{
    return entry_at(mpi, APPLIED, record)->person;
}

/* Has anybody said that the two persons are two? */
static inline bool asked_is_decided(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    for (uint32_t i = 0; i < mpi->applied.decisions; i++) {
        const struct decision *at = CHUNK_AT(&mpi->decisions, i);
        uint32_t a = asked_person(mpi, at->left), b = asked_person(mpi, at->right);
        if (!at->undone_applied && !decision_ties(at->kind) && ((a == left && b == right) || (a == right && b == left)))
            return true;
    }
    return false;
}

static inline bool asked_is_named(const struct mpi *mpi, uint32_t record)
{
    for (uint32_t i = 0; i < mpi->applied.decisions; i++) {
        const struct decision *at = CHUNK_AT(&mpi->decisions, i);
        if (!at->undone_applied && (at->left == record || at->right == record))
            return true;
    }
    return false;
}

/* The first of those who say the same as the record, when it is another one. */
static inline uint32_t asked_first(const struct mpi *mpi, uint32_t record)
{
    const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
    uint32_t first = record;
    for (uint32_t i = 1; i <= mpi->applied.records && row && row_body(row); i++) {
        const struct mpi_row *other = entry_at(mpi, APPLIED, i)->row;
        if (other && row_same_body(row, other) && index_comes_before(mpi, i, first))
            first = i;
    }
    return first == record ? 0 : first;
}

/* How alike one record finds another; NO_EDGE: it does not ask about it. Of those who say the same only the others ask
 * about the first, which is `first`. */
static inline int32_t asked_score(const struct mpi *mpi, uint32_t record, uint32_t other, uint32_t first)
{
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    const struct edge *edge = index_edge(mpi, APPLIED, record, other);
    int32_t best = edge ? edge->score_mbit : NO_EDGE;
    struct levels levels;
    if (first != other)
        return best;
    int32_t score = body_score(mpi, entry->row, &levels);
    bool copy = body_is_one(mpi, entry->row) && entry->edge_count == 0 && !asked_is_named(mpi, record);
    return !copy && score >= mpi->model->review_mbit && score > best ? score : best;
}

struct asked_pair {
    uint32_t low, high; /* by identifier key */
    int32_t score_mbit;
};

static inline bool asked_is_more(const struct mpi *mpi, const struct asked_pair *a, const struct asked_pair *b)
{
    if (b->low == 0 || a->score_mbit != b->score_mbit)
        return b->low == 0 || a->score_mbit > b->score_mbit;
    if (a->low != b->low)
        return index_comes_before(mpi, a->low, b->low);
    return a->high != b->high && index_comes_before(mpi, a->high, b->high);
}

/* By person: its question; low 0 = it asks nothing. */
static inline struct asked_pair *asked_all(const struct mpi *mpi)
{
    struct asked_pair *best = mem_array(mpi->applied.records + 1, sizeof *best);
    for (uint32_t a = 1; a <= mpi->applied.records; a++) {
        uint32_t first = asked_first(mpi, a);
        for (uint32_t b = 1; b <= mpi->applied.records; b++) {
            uint32_t left = asked_person(mpi, a), right = asked_person(mpi, b);
            int32_t score = left == right ? NO_EDGE : asked_score(mpi, a, b, first);
            if (score == NO_EDGE || asked_is_decided(mpi, left, right))
                continue;
            bool turn = index_comes_before(mpi, b, a);
            struct asked_pair pair = {turn ? b : a, turn ? a : b, score};
            if (asked_is_more(mpi, &pair, &best[left]))
                best[left] = pair;
        }
    }
    return best;
}

static inline bool asked_is_wanted(const struct asked_pair *best, uint32_t records, uint32_t a, uint32_t b)
{
    for (uint32_t person = 1; person <= records; person++)
        if ((best[person].low == a && best[person].high == b) || (best[person].low == b && best[person].high == a))
            return true;
    return false;
}

/* Open are the reviews of the pairs that are asked, each once, and no others. */
static inline void asked_check(const struct mpi *mpi, const char *what, uint64_t seed, int step)
{
    struct asked_pair *best = asked_all(mpi);
    uint64_t open = 0, wanted = 0;
    for (uint32_t i = 0; i < mpi->applied.reviews; i++) {
        const struct review *review = CHUNK_AT(&mpi->asked, i);
        bool want = asked_is_wanted(best, mpi->applied.records, review->left, review->right);
        if (review->open_applied != want)
            fail_msg("%s seed %llu step %d: review %llu about %u and %u is %s", what, (unsigned long long)seed, step,
                     (unsigned long long)review->id, review->left, review->right, want ? "closed" : "open");
        open += want;
    }
    for (uint32_t person = 1; person <= mpi->applied.records; person++) {
        bool first = best[person].low != 0;
        for (uint32_t before = 1; before < person && first; before++)
            first = best[before].low != best[person].low || best[before].high != best[person].high;
        wanted += first;
    }
    if (open != wanted || open != mpi->applied.reviews_open)
        fail_msg("%s seed %llu step %d: %llu reviews are open, %llu counted, %llu pairs are asked", what,
                 (unsigned long long)seed, step, (unsigned long long)open,
                 (unsigned long long)mpi->applied.reviews_open, (unsigned long long)wanted);
    mem_free(best);
}
