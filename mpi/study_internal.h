/* What a study is made of: an index whose records are all the writer's. Nothing is ever published, so everything is
 * changed where it stands. */
#pragma once

#include "mpi/study.h"
#include "people_internal.h"

struct mpi_study {
    struct mpi *mpi;
    uint64_t compared;
};

/* Forgets edges and persons, and sees every row through this model. */
void study_see_by(struct mpi_study *study, const struct mpi_model *model);
