/* What cluster.c and groups.c share. The writer's. */
#pragma once

#include "people_internal.h"

struct nodes {
    uint32_t *at;
    size_t count, cap;
};
/* From which score on a pair may tie its records: two that fit each other and nobody else join below the threshold. */
int32_t cluster_least_tie(const struct mpi_model *model);

/*
 * Works out the persons of one piece and adds them to mpi->outcomes. `records`: one for each node, in the order of
 * their identifier keys; `all`: with those whom another stands for, each one's note tells its node.
 */
void cluster_solve_piece(struct mpi *mpi, const struct nodes *all, uint32_t *records, uint32_t count);
