/*
 * Are the probabilities of the active model true? Measured on what stewards decided: of the pairs that the model gives
 * a probability in this band, how many were one person.
 *
 * Stewards are asked about doubtful pairs, so their answers are no sample of all pairs: they speak of a band, never of
 * all bands together. `there` tells how many pairs the index has in each, for weighing the bands by it. For people
 * whose truth is known see measure.h.
 */
#pragma once

#include "mpi/measure.h"
#include "mpi/mpi.h"

struct mpi_reviewed {
    struct mpi_calibration decided; /* pairs with a standing decision SAME (right) or DIFFERENT */
    uint64_t there[MPI_BANDS];      /* pairs of the index at or above the review threshold, decided or not */
    uint64_t left_out;              /* decisions about a record that takes no part in matching any more */
};

/*
 * Weighs every pair that a steward decided as it is now, by the active model; an identifier merge that a message
 * brought, a link and an unlink are no judgement of likeness and count nowhere. Some at a time: what is applied
 * meanwhile may count or not. About 1 us a decision and 10 ns a pair. base.deadline, base.cancelled. Threads: any
 * reader.
 */
status mpi_calibrate(struct mpi *mpi, struct ctx *cx, struct mpi_reviewed *out_reviewed);

/* mpi_calibration_error() with each band weighed by `there`: bands that nobody decided in are left out. */
double mpi_reviewed_error(const struct mpi_reviewed *reviewed);
