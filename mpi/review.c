#include "ask_internal.h"

#include <inttypes.h>
#include <stdlib.h>

/*
 * A review row never changes; its state is worked out from what holds now, so an undone decision opens it again and no
 * item outlives its question.
 */
static int state_of(const struct mpi *mpi, uint32_t left, uint32_t right, const struct decision **out_decision)
{
    const struct decision *decision = index_decision_between(mpi, left, right);
    *out_decision = decision;
    if (decision)
        return decision_ties(decision->kind) ? MPI_REVIEW_SAME : MPI_REVIEW_DIFFERENT;
    return mpi->entries[left].person == mpi->entries[right].person || mpi->entries[left].row == NULL ||
                   mpi->entries[right].row == NULL || index_edge(mpi, left, right) == NULL
               ? MPI_REVIEW_MOOT
               : MPI_REVIEW_OPEN;
}

struct item {
    uint64_t id;
    int32_t score_mbit;
};
struct items {
    struct item *at;
    size_t count, cap;
};

/* Every review that asks something. There may be very many: the lock is let go between slices, for the writer's sake.
 */
static void collect_open(struct mpi *mpi, struct items *items)
{
    enum { SLICE = 256 };
    size_t at = 0;
    for (bool more = true; more;) {
        pthread_rwlock_rdlock(&mpi->lock);
        for (size_t end = at + SLICE; at < end && at < mpi->open_reviews.count; at++) {
            const struct open_review *review = &mpi->open_reviews.at[at];
            const struct decision *decision;
            if (state_of(mpi, review->left, review->right, &decision) == MPI_REVIEW_OPEN)
                *VEC_ADD(items) = (struct item){review->id, review->score_mbit};
        }
        more = at < mpi->open_reviews.count;
        pthread_rwlock_unlock(&mpi->lock);
    }
}

uint64_t reviews_count_open(struct mpi *mpi)
{
    struct items items = {0};
    collect_open(mpi, &items);
    uint64_t open = items.count;
    VEC_FINI(&items);
    return open;
}

static status fetch_review(struct mpi *mpi, struct ctx *cx, uint64_t id, struct mpi_review *out_review)
{
    struct key key = key_1(id);
    struct str row;
    status got = data_get(mpi->reviews, cx, key_str(&key), &row);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &mpi_reasons[MPI_REVIEW_UNKNOWN], "review %" PRIu64, id);
    TRY(got);
    struct stored_review stored;
    TRY(decode_review(cx, row, &stored));
    struct mpi_review review = {.id = id,
                                .left_record = stored.left,
                                .right_record = stored.right,
                                .opened_us = stored.opened_us,
                                .comparison = stored.comparison};
    uint64_t decision_id = 0;
    pthread_rwlock_rdlock(&mpi->lock);
    bool known = stored.left >= 1 && stored.left <= mpi->count && stored.right >= 1 && stored.right <= mpi->count;
    if (known) {
        const struct decision *decision;
        review.state = state_of(mpi, (uint32_t)stored.left, (uint32_t)stored.right, &decision);
        review.left_person = mpi->entries[stored.left].person;
        review.right_person = mpi->entries[stored.right].person;
        decision_id = decision ? decision->id : 0;
    }
    pthread_rwlock_unlock(&mpi->lock);
    if (!known)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.review");
    review.decision = decision_id / DECISIONS_PER_ENTRY;
    struct key decision_key = key_1(decision_id);
    if (decision_id != 0 && data_get(mpi->decided, cx, key_str(&decision_key), &row) == STATUS_OK) {
        struct stored_decision decided;
        TRY(decode_decision(cx, row, &decided));
        review.decided_by = decided.by;
    }
    ctx_clear(cx);
    *out_review = review;
    return STATUS_OK;
}

status mpi_review(struct mpi *mpi, struct ctx *cx, uint64_t id, struct mpi_review *out_review)
{
    return fetch_review(mpi, cx, id, out_review);
}

static int order_items(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->score_mbit != b->score_mbit)
        return a->score_mbit > b->score_mbit ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

status mpi_reviews(struct mpi *mpi, struct ctx *cx, size_t max, struct mpi_review **out_reviews, size_t *out_count)
{
    struct items items = {0};
    collect_open(mpi, &items);
    if (items.count > 1)
        qsort(items.at, items.count, sizeof items.at[0], order_items);
    size_t room = items.count < max ? items.count : max, kept = 0;
    struct mpi_review *reviews = arena_array(cx->arena, room ? room : 1, sizeof *reviews);
    status result = STATUS_OK;
    for (size_t i = 0; i < items.count && kept < room && result == STATUS_OK; i++) {
        result = fetch_review(mpi, cx, items.at[i].id, &reviews[kept]);
        if (result == STATUS_NOT_FOUND) { /* not committed yet: the next look will show it */
            ctx_clear(cx);
            result = STATUS_OK;
            continue;
        }
        kept += result == STATUS_OK && reviews[kept].state == MPI_REVIEW_OPEN;
    }
    VEC_FINI(&items);
    TRY(result);
    *out_reviews = reviews;
    *out_count = kept;
    return STATUS_OK;
}
