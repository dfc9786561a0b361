/* Steps shared by the files that answer questions. Any thread; no lock held unless said. */
#pragma once

#include "index_internal.h"

/* The records of the person that `number` belongs to now, smallest first, in cx->arena. */
size_t person_members(struct mpi *mpi, struct ctx *cx, uint64_t number, uint32_t **out_members, uint32_t *out_person);

/* Fills the golden values from view->records. Pure. */
void golden_fill(struct ctx *cx, struct mpi_person_view *view);

/* Reviews that still ask something. Lock: takes the read lock. */
uint64_t reviews_count_open(struct mpi *mpi);
