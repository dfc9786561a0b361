#include "model_internal.h"

int32_t weigh_levels(const struct mpi_model *model, const struct levels *levels)
{
    int32_t sum = model->prior_mbit;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        sum += model->fields[i].levels[levels->at[i]].weight_mbit;
    return sum;
}

bool levels_veto(const struct mpi_model *model, const struct levels *levels)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (model->fields[i].vetoes >> levels->at[i] & 1)
            return true;
    return false;
}

bool levels_hold(const struct mpi_model *model, const struct levels *levels)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (model->fields[i].holds >> levels->at[i] & 1)
            return true;
    return false;
}

/* 2^(k/8) in parts per 2^16, k = 0…8: the fraction of a power is interpolated between them, by integers. */
static const uint64_t eighth_powers[9] = {65536, 71468, 77936, 84990, 92682, 101070, 110218, 120194, 131072};

uint32_t probability_ppm(int32_t score_mbit)
{
    bool negative = score_mbit < 0;
    uint32_t size = negative ? (uint32_t) - (int64_t)score_mbit : (uint32_t)score_mbit;
    if (size >= 21000)
        return negative ? 0 : 1000000;
    uint32_t eighth = size % 1000 / 125, rest = size % 125;
    uint64_t fraction = eighth_powers[eighth] + (eighth_powers[eighth + 1] - eighth_powers[eighth]) * rest / 125;
    uint64_t odds = fraction << (size / 1000); /* in 2^-16; at most 2^37 */
    uint64_t less_likely = (1000000ull << 16) / (odds + 65536);
    return (uint32_t)(negative ? less_likely : 1000000 - less_likely);
}

void explain_levels(const struct mpi_model *model, const struct levels *levels, uint64_t left, uint64_t right,
                    struct mpi_comparison *out_comparison)
{
    struct mpi_comparison made = {.left_record = left, .right_record = right, .model_version = model->version};
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct model_field_spec *field = &model->fields[i];
        if (levels->at[i] == 0)
            continue; /* level 0 of every field is silence */
        made.evidence[made.evidence_count++] = (struct mpi_evidence){field->name, field->levels[levels->at[i]].name,
                                                                     field->levels[levels->at[i]].weight_mbit};
    }
    made.evidence[made.evidence_count++] =
        (struct mpi_evidence){model_prior_field, model_prior_level, model->prior_mbit};
    made.score_mbit = weigh_levels(model, levels);
    made.probability_ppm = probability_ppm(made.score_mbit);
    *out_comparison = made;
}

_Static_assert((int)FIELD_COUNT + 1 <= (int)MPI_EVIDENCE_MAX, "every field must have a line");
