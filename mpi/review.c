#include "ask_internal.h"

#include <inttypes.h>
#include <stdlib.h>

struct item {
    uint64_t id;
    int32_t score_mbit;
};
struct items {
    struct item *at;
    size_t count, cap;
};

/* Every review that asks something. There may be very many: a look at some at a time, for the writer's sake. */
static void collect_open(struct mpi *mpi, struct items *items)
{
    enum { SLICE = 4096 };
    uint32_t at = 0;
    for (bool more = true; more;) {
        SCOPED(look_end) struct data_view look;
        look_begin(mpi, &look);
        for (uint32_t slice = 0; slice < SLICE && at < mpi->shown.reviews; slice++, at++) {
            const struct review *review = CHUNK_AT(&mpi->asked, at);
            if (review->open)
                *VEC_ADD(items) = (struct item){review->id, review->score_mbit};
        }
        more = at < mpi->shown.reviews;
    }
}

static status fill_decided_by(const struct data_view *look, const struct mpi *mpi, struct ctx *cx, uint64_t decision,
                              struct mpi_review *review)
{
    struct key key = key_1(decision);
    struct str row;
    struct stored_decision decided;
    status got = data_view_get(look, mpi->decided, cx, key_str(&key), &row);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.decision: %" PRIu64 " has no row", decision);
    TRY(got);
    TRY(decode_decision(cx, row, &decided));
    review->decision = decision / DECISIONS_PER_ENTRY;
    review->decided_by = decided.by;
    return STATUS_OK;
}

status mpi_review(struct mpi *mpi, struct ctx *cx, uint64_t id, struct mpi_review *out_review)
{
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    struct key key = key_1(id);
    struct str row;
    status got = data_view_get(&look, mpi->reviews, cx, key_str(&key), &row);
    const struct review *kept = index_review(mpi, id);
    if (got == STATUS_NOT_FOUND && kept == NULL)
        return ctx_fail(cx, &mpi_reasons[MPI_REVIEW_UNKNOWN], "review %" PRIu64, id);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.review: %" PRIu64 " has no row", id);
    TRY(got);
    struct stored_review stored;
    TRY(decode_review(cx, row, &stored));
    if (kept == NULL || kept->left != stored.left || kept->right != stored.right)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.review: review %" PRIu64, id);
    const struct decision *decision;
    struct mpi_review review = {.id = id,
                                .left_record = stored.left,
                                .right_record = stored.right,
                                .opened_us = stored.opened_us,
                                .comparison = stored.comparison,
                                .left_person = entry_at(mpi, SHOWN, (uint32_t)stored.left)->person,
                                .right_person = entry_at(mpi, SHOWN, (uint32_t)stored.right)->person};
    review.state = index_review_state(mpi, kept, &decision);
    if (decision)
        TRY(fill_decided_by(&look, mpi, cx, decision->id, &review));
    *out_review = review;
    return STATUS_OK;
}

static int order_items(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    if (a->score_mbit != b->score_mbit)
        return a->score_mbit > b->score_mbit ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* What stands before the page: everything up to this review, whatever became of it. */
static status page_begin(struct mpi *mpi, struct ctx *cx, uint64_t after, struct item *out_last)
{
    struct mpi_review last;
    *out_last = (struct item){0, INT32_MAX};
    if (after == 0)
        return STATUS_OK;
    TRY(mpi_review(mpi, cx, after, &last));
    *out_last = (struct item){after, last.comparison.score_mbit};
    return STATUS_OK;
}

static status fill_page(struct mpi *mpi, struct ctx *cx, const struct items *items, const struct item *last, size_t max,
                        struct mpi_review_page *out)
{
    size_t room = items->count < max ? items->count : max, i = 0;
    struct mpi_review_page page = {.reviews = arena_array(cx->arena, room ? room : 1, sizeof *page.reviews)};
    while (i < items->count && order_items(&items->at[i], last) <= 0)
        i++;
    for (; i < items->count && page.count < room; i++) {
        struct mpi_review *review = &page.reviews[page.count];
        TRY(mpi_review(mpi, cx, items->at[i].id, review));
        page.count += review->state == MPI_REVIEW_OPEN; /* may have been answered since */
    }
    if (i < items->count && page.count > 0)
        page.next = page.reviews[page.count - 1].id;
    *out = page;
    return STATUS_OK;
}

status mpi_reviews(struct mpi *mpi, struct ctx *cx, size_t max, uint64_t after, struct mpi_review_page *out_page)
{
    struct item last;
    struct items items = {0};
    TRY(page_begin(mpi, cx, after, &last));
    collect_open(mpi, &items);
    if (items.count > 1)
        qsort(items.at, items.count, sizeof items.at[0], order_items);
    status result = fill_page(mpi, cx, &items, &last, max ? max : 1, out_page);
    VEC_FINI(&items);
    return result;
}
