/*
 * How well clusters and probabilities agree with people whose truth is known: counts and shares, nothing that decides.
 *
 * Threads: pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One record: the person it was put to, the human it is about, and the group (a file, a source) it comes from. */
struct mpi_placed {
    uint64_t found, truth;
    uint32_t group; /* pairs within one group do not count; one group a record: every pair counts */
};

struct mpi_agreement {
    uint64_t records;
    uint64_t pairs_found, pairs_true, pairs_right; /* of one person, of one human, of both */
    uint64_t persons, humans;
    uint64_t persons_exact; /* hold all records of one human and no other */
    uint64_t persons_mixed; /* hold records of two humans or more */
    /* B-cubed: of a record's person, the share that is its human; of its human, the share that is its person; averaged
     * over the records. Groups play no part in it. Source: [Bagga, Baldwin 1998]. */
    double b3_precision, b3_recall;
};

/* Time: that of sorting the records, never that of counting pairs. Memory: 32 bytes a record for the call. */
void mpi_measure_agreement(const struct mpi_placed *records, size_t count, struct mpi_agreement *out_agreement);

/* part / whole; of nothing all of it is right: 1. */
double mpi_share(uint64_t part, uint64_t whole);
/* The harmonic mean; 0 when both are 0. */
double mpi_f1(double precision, double recall);

/* ---- are the probabilities true? ---- */

enum { MPI_BANDS = 7 };
/* Where each band ends, in parts per million: 1 %, 10 %, 50 %, 90 %, 99 %, 99.9 %, 100 %. */
extern const uint32_t mpi_band_ends_ppm[MPI_BANDS];

struct mpi_band {
    uint64_t pairs, right;
    uint64_t ppm_sum; /* of their probabilities */
};
struct mpi_calibration {
    struct mpi_band bands[MPI_BANDS]; /* a probability at the end of a band belongs to the next one */
};
/* The band that a probability belongs to. */
size_t mpi_calibration_band(uint32_t probability_ppm);
void mpi_calibration_add(struct mpi_calibration *calibration, uint32_t probability_ppm, bool is_right);
/* The expected calibration error: how far the mean probability of a band is from its share of right pairs, averaged
 * over the pairs; 0 without pairs. Source: [Naeini 2015]. */
double mpi_calibration_error(const struct mpi_calibration *calibration);
/* How sure a share is: between *out_low and *out_high with 95 %; of no pairs 0 to 1. Source: [Wilson 1927]. */
void mpi_share_bounds(uint64_t part, uint64_t whole, double *out_low, double *out_high);
