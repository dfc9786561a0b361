/*
 * Steps shared by the files that answer questions. Any thread, inside a look: one moment of index and rows, because the
 * index below the writer's draft changes only inside the store's commit. Keep looks to a few rows; never scan in one.
 */
#pragma once

#include "people_internal.h"

static inline void look_begin(const struct mpi *mpi, struct data_view *out_look)
{
    *out_look = (struct data_view){0};
    if (mpi->store)
        data_view_begin(mpi->store, out_look);
}
/* SCOPED(look_end) struct data_view look; */
#define look_end data_view_end

static inline bool is_shown(const struct mpi *mpi, uint64_t record)
{
    return record >= 1 && record <= mpi->shown.records;
}

/* The record's row, in cx->arena. A record of the index without one is damage: mpi.row-bad. */
status look_at_record(const struct data_view *look, const struct mpi *mpi, struct ctx *cx, uint32_t record,
                      struct stored_record *out_record);
/* The records of the person that `number` belongs to now, smallest first, in cx->arena. */
size_t look_at_members(const struct mpi *mpi, struct ctx *cx, uint64_t number, uint32_t **out_members,
                       uint32_t *out_person);

/* Fills the golden values from view->records. Pure. */
void golden_fill(struct ctx *cx, struct mpi_person_view *view);
