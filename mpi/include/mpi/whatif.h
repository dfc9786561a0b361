/*
 * What would another model change? The same people linked by two models, and the difference counted.
 *
 * Memory: 16 bytes for each record whose person would change company; mpi_whatif_fini(). Threads: one.
 */
#pragma once

#include "mpi/study.h"

/* A record of a person that would gain or lose records. */
struct mpi_whatif_line {
    uint32_t group;         /* its smallest record: persons before and after that share records are one group */
    uint32_t record;        /* as the study numbers it */
    uint32_t before, after; /* its person: the number of the founder */
};
struct mpi_whatif {
    uint64_t persons_before, persons_after;
    uint64_t pairs_before, pairs_after;         /* pairs of records that are one person */
    uint64_t pairs_joined, pairs_parted;        /* that would come together, and go apart */
    uint64_t questions_before, questions_after; /* pairs of persons that a steward would be asked about */
    uint64_t questions_opened, questions_closed;
    uint32_t groups;
    struct mpi_whatif_line *lines; /* by group, then record */
    size_t line_count;
};

/* Links everybody by `before`, then by `after`; the study stays linked by `after`. base.deadline, base.cancelled: soon
 * after the caller is gone; the study is then linked by nothing. */
status mpi_study_whatif(struct mpi_study *study, struct ctx *cx, const struct mpi_model *before,
                        const struct mpi_model *after, struct mpi_whatif *out_whatif);
void mpi_whatif_fini(struct mpi_whatif *whatif);
