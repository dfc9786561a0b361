#include "people_internal.h"

/* ---- decisions ---- */

bool decision_ties(uint8_t kind)
{
    return kind == MPI_DECISION_SAME || kind == MPI_DECISION_MERGE || kind == MPI_DECISION_LINK;
}

void index_load_decision(struct mpi *mpi, const struct decision *decision)
{
    struct entry *left = CHUNK_AT(&mpi->entries, decision->left), *right = CHUNK_AT(&mpi->entries, decision->right);
    struct decision *made = CHUNK_ADD(&mpi->decisions, mpi->applied.decisions);
    *made = *decision;
    made->next_left = left->decision;
    made->next_right = right->decision;
    left->decision = right->decision = ++mpi->applied.decisions;
}

const struct decision *index_decision(const struct mpi *mpi, uint64_t id, uint32_t *out_at)
{
    uint32_t low = 0, high = mpi->applied.decisions;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (CHUNK_AT(&mpi->decisions, middle)->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    *out_at = low;
    const struct decision *found = low < mpi->applied.decisions ? CHUNK_AT(&mpi->decisions, low) : NULL;
    return found && found->id == id ? found : NULL;
}

const struct decision *index_next_decision(const struct mpi *mpi, enum sight sight, uint32_t record, uint32_t *cursor)
{
    if (*cursor == 0) {
        *cursor = entry_at(mpi, sight, record)->decision;
    } else {
        const struct decision *at = CHUNK_AT(&mpi->decisions, *cursor - 1);
        *cursor = at->left == record ? at->next_left : at->next_right;
    }
    return *cursor ? CHUNK_AT(&mpi->decisions, *cursor - 1) : NULL;
}

const struct decision *index_decision_between(const struct mpi *mpi, enum sight sight, uint32_t left, uint32_t right)
{
    uint32_t cursor = 0;
    for (const struct decision *at; (at = index_next_decision(mpi, sight, left, &cursor));)
        if (decision_stands(at, sight) && (at->left == right || at->right == right))
            return at;
    return NULL;
}

bool index_is_decided(const struct mpi *mpi, uint32_t record)
{
    uint32_t cursor = 0;
    for (const struct decision *at; (at = index_next_decision(mpi, APPLIED, record, &cursor));)
        if (decision_stands(at, APPLIED))
            return true;
    return false;
}

bool index_tie_too_large(struct mpi *mpi, uint32_t left, uint32_t right)
{
    VEC(uint32_t) nodes = {0};
    index_next_round(mpi);
    uint32_t starts[2] = {left, right};
    for (size_t i = 0; i < 2; i++) {
        struct note *of = CHUNK_AT(&mpi->notes, starts[i]);
        if (of->visit != mpi->visit)
            *VEC_ADD(&nodes) = starts[i];
        of->visit = mpi->visit;
    }
    for (size_t i = 0; i < nodes.count && nodes.count <= FORCED_MAX; i++) {
        uint32_t cursor = 0, record = nodes.at[i];
        for (const struct decision *at; (at = index_next_decision(mpi, APPLIED, record, &cursor));) {
            uint32_t other = at->left == record ? at->right : at->left;
            struct note *of = CHUNK_AT(&mpi->notes, other);
            if (!decision_stands(at, APPLIED) || !decision_ties(at->kind) || of->visit == mpi->visit)
                continue;
            of->visit = mpi->visit;
            *VEC_ADD(&nodes) = other;
        }
    }
    bool too_large = nodes.count > FORCED_MAX;
    VEC_FINI(&nodes);
    return too_large;
}

/* ---- reviews ---- */

void index_load_review(struct mpi *mpi, const struct review *review)
{
    struct entry *left = CHUNK_AT(&mpi->entries, review->left), *right = CHUNK_AT(&mpi->entries, review->right);
    struct review *made = CHUNK_ADD(&mpi->asked, mpi->applied.reviews);
    *made = *review;
    made->next_left = left->review;
    made->next_right = right->review;
    left->review = right->review = ++mpi->applied.reviews;
}

int index_review_state(const struct mpi *mpi, const struct review *review, const struct decision **out_decision)
{
    const struct decision *decision = index_decision_between(mpi, SHOWN, review->left, review->right);
    *out_decision = decision;
    if (decision)
        return decision_ties(decision->kind) ? MPI_REVIEW_SAME : MPI_REVIEW_DIFFERENT;
    return review->open ? MPI_REVIEW_OPEN : MPI_REVIEW_MOOT;
}

const struct review *index_review(const struct mpi *mpi, uint64_t id)
{
    uint32_t low = 0, high = mpi->shown.reviews;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (CHUNK_AT(&mpi->asked, middle)->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    const struct review *found = low < mpi->shown.reviews ? CHUNK_AT(&mpi->asked, low) : NULL;
    return found && found->id == id ? found : NULL;
}
