#include "mpi/calibrate.h"

#include "ask_internal.h"

#include <math.h>

static bool is_judgement(const struct decision *decision)
{
    bool judges = decision->kind == MPI_DECISION_SAME || decision->kind == MPI_DECISION_DIFFERENT;
    return judges && decision_stands(decision, SHOWN);
}

static void count_decision(const struct mpi *mpi, const struct decision *decision, struct mpi_reviewed *out)
{
    if (!is_judgement(decision) || index_decision_between(mpi, SHOWN, decision->left, decision->right) != decision)
        return;
    const struct mpi_row *left = entry_at(mpi, SHOWN, decision->left)->row,
                         *right = entry_at(mpi, SHOWN, decision->right)->row;
    if (left == NULL || right == NULL) {
        out->left_out++;
        return;
    }
    struct levels levels;
    compare_rows(left, right, &levels);
    mpi_calibration_add(&out->decided, probability_ppm(weigh_levels(model_of(mpi, SHOWN), &levels)),
                        decision->kind == MPI_DECISION_SAME);
}

static void count_alike(const struct mpi *mpi, uint32_t record, struct mpi_reviewed *out)
{
    const struct entry *entry = entry_at(mpi, SHOWN, record);
    for (uint32_t i = 0; i < entry->edge_count; i++)
        if (entry->edges[i].other > record)
            out->there[mpi_calibration_band(probability_ppm(entry->edges[i].score_mbit))]++;
}

enum { SLICE = 1024 }; /* of one look: the writer waits no longer than that */

static status count_decisions(struct mpi *mpi, struct ctx *cx, struct mpi_reviewed *out)
{
    uint32_t at = 0;
    for (bool more = true; more;) {
        TRY(ctx_check(cx));
        SCOPED(look_end) struct data_view look;
        look_begin(mpi, &look);
        for (uint32_t slice = 0; slice < SLICE && at < mpi->shown.decisions; slice++, at++)
            count_decision(mpi, CHUNK_AT(&mpi->decisions, at), out);
        more = at < mpi->shown.decisions;
    }
    return STATUS_OK;
}

static status count_pairs(struct mpi *mpi, struct ctx *cx, struct mpi_reviewed *out)
{
    uint32_t record = 1;
    for (bool more = true; more;) {
        TRY(ctx_check(cx));
        SCOPED(look_end) struct data_view look;
        look_begin(mpi, &look);
        for (uint32_t slice = 0; slice < SLICE && record <= mpi->shown.records; slice++)
            count_alike(mpi, record++, out);
        more = record <= mpi->shown.records;
    }
    return STATUS_OK;
}

status mpi_calibrate(struct mpi *mpi, struct ctx *cx, struct mpi_reviewed *out_reviewed)
{
    struct mpi_reviewed reviewed = {0};
    TRY(count_decisions(mpi, cx, &reviewed));
    TRY(count_pairs(mpi, cx, &reviewed));
    *out_reviewed = reviewed;
    return STATUS_OK;
}

double mpi_reviewed_error(const struct mpi_reviewed *reviewed)
{
    double there = 0, error = 0;
    for (size_t i = 0; i < MPI_BANDS; i++) {
        const struct mpi_band *band = &reviewed->decided.bands[i];
        if (band->pairs == 0)
            continue;
        double pairs = (double)band->pairs, weight = (double)reviewed->there[i];
        there += weight;
        error += weight * fabs((double)band->ppm_sum / 1e6 / pairs - (double)band->right / pairs);
    }
    return there > 0 ? error / there : 0;
}
