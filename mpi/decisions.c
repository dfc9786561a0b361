#include "index_internal.h"

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
            if (mpi->entries[other].person == right_person &&
                index_decision_between(mpi, review->left, review->right) == NULL)
                return true;
            at = review->left == record ? review->next_left : review->next_right;
        }
        record = mpi->entries[record].ring;
    } while (record != left_person);
    return false;
}
