#include "ask_internal.h"

#include <inttypes.h>
#include <stdlib.h>

/* What holds between two records. */
struct standing {
    bool both_active, same_person;
    bool met;         /* put side by side by blocking and found alike: themselves, or those who say the same */
    uint8_t decision; /* kind of the newest standing decision between the two, 0 = none */
    struct levels levels;
};

static struct standing read_standing(const struct mpi *mpi, uint32_t left, uint32_t right)
{
    const struct entry *a = entry_at(mpi, SHOWN, left), *b = entry_at(mpi, SHOWN, right);
    const struct decision *decision = index_decision_between(mpi, SHOWN, left, right);
    struct standing standing = {.both_active = a->row && b->row,
                                .same_person = a->person == b->person,
                                .decision = decision ? decision->kind : 0};
    if (standing.both_active) {
        compare_rows(a->row, b->row, &standing.levels);
        standing.met = index_alike(mpi, SHOWN, left, right);
    }
    return standing;
}

static const char *cause_of(const struct mpi *mpi, const struct standing *standing, const struct mpi_comparison *now)
{
    if (standing->decision)
        return standing->same_person == decision_ties(standing->decision) ? "decided"
                                                                          : "decided, overruled by a newer decision";
    if (!standing->both_active)
        return "a record takes no part in matching";
    if (levels_veto(&standing->levels))
        return standing->same_person ? "by decisions about others of the person" : "a veto";
    if (levels_hold(mpi->model_shown, &standing->levels))
        return standing->same_person ? "the evidence of other records of the person"
                                     : "only a person can tell these two apart";
    if (now->score_mbit >= mpi->model_shown->review_mbit && !standing->met)
        return standing->same_person ? "the evidence of the whole person; the two share no key that few share"
                                     : "never put side by side: the two share no key that few share";
    if (now->score_mbit >= mpi->model_shown->auto_mbit)
        return standing->same_person
                   ? "strong evidence"
                   : "strong evidence, but another person fits nearly as well, or the rest of this one does not, or a "
                     "decision is against it";
    if (standing->same_person)
        return "the evidence of the whole person";
    return now->score_mbit >= mpi->model_shown->review_mbit ? "too little evidence to link, enough to ask"
                                                            : "too little evidence";
}

status mpi_why(struct mpi *mpi, struct ctx *cx, uint64_t left_record, uint64_t right_record, struct mpi_why *out_why)
{
    uint64_t left = left_record < right_record ? left_record : right_record;
    uint64_t right = left_record < right_record ? right_record : left_record;
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    if (!is_shown(mpi, left) || !is_shown(mpi, right))
        return ctx_fail(cx, &mpi_reasons[MPI_RECORD_UNKNOWN], "record %" PRIu64 " or %" PRIu64, left, right);
    struct standing standing = read_standing(mpi, (uint32_t)left, (uint32_t)right);
    struct mpi_why why = {.same_person = standing.same_person};
    if (standing.both_active)
        explain_levels(mpi->model_shown, &standing.levels, left, right, &why.now);
    else
        why.now = (struct mpi_comparison){
            .left_record = left, .right_record = right, .model_version = mpi->model_shown->version};
    struct key key = key_2(left, right);
    struct str row;
    status got = data_view_get(&look, mpi->links, cx, key_str(&key), &row);
    if (got == STATUS_OK)
        TRY(decode_comparison(cx, row, &why.stored));
    else if (got != STATUS_NOT_FOUND)
        return got;
    ctx_clear(cx);
    int32_t score = why.now.score_mbit;
    why.sentence = arena_printf(
        cx->arena, "%s: %s%s%s; score %s%d.%d bits, %u.%04u %%", standing.same_person ? "one person" : "two persons",
        cause_of(mpi, &standing, &why.now), standing.decision ? " " : "",
        standing.decision ? mpi_decision_name(standing.decision) : "", score < 0 ? "-" : "", abs(score) / 1000,
        abs(score) % 1000 / 100, why.now.probability_ppm / 10000, why.now.probability_ppm % 10000);
    *out_why = why;
    return STATUS_OK;
}

enum mpi_verdict mpi_verdict_for(struct mpi *mpi, const struct mpi_comparison *comparison)
{
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    const struct mpi_model *model = mpi->model_shown;
    if (comparison->evidence_count == 0 || comparison->score_mbit < model->review_mbit)
        return MPI_VERDICT_NEW;
    return comparison->score_mbit >= model->auto_mbit ? MPI_VERDICT_LINKED : MPI_VERDICT_REVIEW;
}
