/*
 * How fast the index is on this machine: synthetic people in memory, one thread, no store behind it.
 *
 * Memory: builds and frees an index of `people` records (about 600 bytes each). Threads: any; nothing shared.
 */
#pragma once

#include "base/ctx.h"

struct mpi_bench {
    uint64_t people, queries;
    uint64_t index_bytes;
    double load_seconds;                /* placing `people` rows without comparing, as mpi_open does */
    double apply_us_mean, apply_us_p99; /* a new record among `people`: fold, compare, cluster, publish; no store */
    double publish_us_max;              /* showing 128 of them at once: readers wait so long */
    double identify_us_p50, identify_us_p99;
    double candidates_mean; /* records compared for one new record */
    double compare_ns;      /* one comparison of two rows */
};
/* people 1..10,000,000; the same seed gives the same people. */
status mpi_bench(struct ctx *cx, uint64_t people, uint64_t seed, struct mpi_bench *out_bench);
