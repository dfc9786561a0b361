/* What a study is made of: an index whose records are all the writer's. Nothing is ever published, so everything is
 * changed where it stands. */
#pragma once

#include "mpi/study.h"
#include "mpi/train.h"
#include "people_internal.h"

struct mpi_study {
    struct mpi *mpi;
    uint64_t compared;
};

/* Forgets edges and persons, and sees every row through this model. */
void study_see_by(struct mpi_study *study, const struct mpi_model *model);

/* mpi_study_train() that looks around `seekers` records at most, 1 or more. */
void study_train(struct mpi_study *study, uint32_t seekers, struct mpi_model **out_model,
                 struct mpi_training *out_training);
