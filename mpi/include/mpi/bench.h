/* What one comparison takes on this machine: a figure that only the index itself can measure. */
#pragma once

#include "mpi/mpi.h"

/* Nanoseconds of this thread to compare and weigh two records, over `pairs` of them picked blindly; 0 when there are
 * none. The caller is the one writer. */
double mpi_bench_compare_ns(const struct mpi *mpi, uint64_t pairs, uint64_t seed);
