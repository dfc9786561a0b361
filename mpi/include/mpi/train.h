/*
 * Makes a model from people, without labels: expectation maximisation on distinct agreement patterns of the pairs that
 * share a blocking key, over the whole pair space; chance agreement from random pairs and from value counts; relatives
 * as a class of their own; value frequencies counted per person, not per record. Sources: [FS69], [Enamorado 2019] (EM
 * on patterns), docs/adr/0011.
 *
 * The result is data: the same people give the same model on one machine; a model that is in use is frozen, written
 * down and the same everywhere.
 */
#pragma once

#include "mpi/study.h"

struct mpi_training {
    uint64_t pairs, random_pairs; /* looked at */
    uint32_t patterns;            /* distinct ones among the pairs */
    uint32_t rounds;              /* of the last expectation maximisation */
    double matches, kin;          /* pairs thought to be one person, and of two relatives */
};

/* From everybody in the study. Links them on the way: mpi_study_link() again with the model that is wanted. Fewer than
 * two records: a copy of the general model. Free it with mpi_model_free(), after the study has another or is freed. */
void mpi_study_train(struct mpi_study *study, struct mpi_model **out_model, struct mpi_training *out_training);

/* The same, and says in the model how it is called, when it was made and from how many: to be written and activated.
 * The study stays linked by it. mpi.model-bad for the name. */
status mpi_study_make_model(struct mpi_study *study, struct ctx *cx, struct str name, int64_t now_us,
                            struct mpi_model **out_model, struct mpi_training *out_training);
