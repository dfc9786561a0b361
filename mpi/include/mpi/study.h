/*
 * A study: people in memory, without a store and without readers, for making a model from them, for measuring one on
 * people whose truth is known, and for asking what another model would change.
 *
 * Memory: about 500 bytes a record, freed with the study. Threads: one.
 */
#pragma once

#include "mpi/model.h"
#include "mpi/mpi.h"

struct mpi_study;

/* Empty, seen through the general model. */
struct mpi_study *mpi_study_new(void);
void mpi_study_free(struct mpi_study *study);

/* Adds a record as mpi_apply_record() would create it; records are numbered from 1 in the order they come.
 * mpi.identifier-missing, mpi.too-many. Whether two name the same identifier is the caller's to know. */
status mpi_study_add(struct mpi_study *study, struct ctx *cx, const struct mpi_record_input *input,
                     uint32_t *out_record);
uint32_t mpi_study_records(const struct mpi_study *study);

enum mpi_copied {
    MPI_COPY_MATCHED, /* who takes part in matching: for making a model */
    MPI_COPY_ALL,     /* everybody, numbered as in the index: decisions tie deactivated records too. For whatif.h */
};
/*
 * Adds the people of an index, with the names they had before, and what was decided about them and stands. Reads the
 * store while the index goes on: each record as it is when it is met. Into an empty study. mpi.row-bad, mpi.too-many,
 * base.deadline, base.cancelled. Threads: any.
 */
status mpi_study_copy(struct mpi_study *study, struct ctx *cx, struct mpi *from, enum mpi_copied copied);

/* Compares everybody who shares a blocking key and clusters them, under this model, as the index would after the last
 * of them came. May be called again with another model. Borrows the model until the next call or the end. */
void mpi_study_link(struct mpi_study *study, const struct mpi_model *model);

/* ---- after mpi_study_link() ---- */

/* The number of the person's founder: equal for records of one person. */
uint32_t mpi_study_person(const struct mpi_study *study, uint32_t record);
/* Comparisons made by mpi_study_link(). */
uint64_t mpi_study_compared(const struct mpi_study *study);

/* Two records put side by side because they share a key, at or above the review threshold. */
struct mpi_study_pair {
    uint32_t left, right; /* left < right */
    int32_t score_mbit;
    uint32_t probability_ppm;
};
/* Every such pair once; of records that say the same each with the first of them only (docs/adr/0007). */
void mpi_study_each_pair(const struct mpi_study *study, void (*visit)(void *arg, const struct mpi_study_pair *pair),
                         void *arg);
/* What a person would ask a steward: the pair it is about. False: nothing, or `person` is not the founder of one. Two
 * persons may ask about the same pair. */
bool mpi_study_question(const struct mpi_study *study, uint32_t person, struct mpi_study_pair *out_pair);
/* Two of its records, whether they share a key or not. */
void mpi_study_compare(const struct mpi_study *study, uint32_t left, uint32_t right,
                       struct mpi_comparison *out_comparison);
/* What the index would say of the two by themselves: LINKED, REVIEW or NEW. */
enum mpi_verdict mpi_study_verdict(const struct mpi_study *study, uint32_t left, uint32_t right);
