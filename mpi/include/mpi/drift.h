/*
 * Is the active model still that of the people who are here? Compares what it says it was made from with what the index
 * holds now. Looks only; what follows is somebody's decision.
 */
#pragma once

#include "mpi/models.h"

enum mpi_drift_cause {
    MPI_DRIFT_NONE,
    MPI_DRIFT_GENERAL, /* it was made from nobody, and there are people enough to make one from */
    MPI_DRIFT_GROWN,   /* half as many records more */
    MPI_DRIFT_SHRUNK,  /* a third of the records less */
    MPI_DRIFT_SAID,    /* a kind of value is said more or less often, by ten records of a hundred */
    MPI_DRIFT_LISTED,  /* other values: so many more or fewer are those the model knows */
};

struct mpi_drift {
    uint32_t version;
    uint64_t records_then,
        records_now;            /* that take part in matching; now: estimated from a sample where there are many */
    enum mpi_drift_cause cause; /* the first that holds */
    const char *kind;           /* SAID, LISTED: which kind of value; else NULL */
    uint32_t then_ppm, now_ppm; /* SAID, LISTED: the shares */
};

/* Looks at 8,192 records at most, evenly, some at a time; 2 us each. Threads: any reader. base.deadline,
 * base.cancelled. */
status mpi_drift(struct mpi *mpi, struct ctx *cx, struct mpi_drift *out_drift);
/* One sentence for people, without values, in cx->arena. */
struct str mpi_drift_text(struct ctx *cx, const struct mpi_drift *drift);
