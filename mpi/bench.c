#include "mpi/bench.h"

#include "people_internal.h"

#include "base/hash.h"

#include <time.h>

/* Processor time: the figure must not depend on who else uses the machine. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double mpi_bench_compare_ns(const struct mpi *mpi, uint64_t pairs, uint64_t seed)
{
    uint32_t records = mpi->shown.records;
    if (records == 0 || pairs == 0)
        return 0;
    int64_t sum = 0;
    double from_ns = now_ns();
    for (uint64_t i = 0; i < pairs; i++) {
        struct levels levels;
        uint64_t random = hash_random(&seed);
        const struct mpi_row *left = entry_at(mpi, SHOWN, (uint32_t)(random % records) + 1)->row;
        const struct mpi_row *right = entry_at(mpi, SHOWN, (uint32_t)((random >> 32) % records) + 1)->row;
        if (left == NULL || right == NULL)
            continue;
        compare_rows(left, right, &levels);
        sum += weigh_levels(mpi->model, &levels);
    }
    double took_ns = now_ns() - from_ns;
    return took_ns / (double)pairs + (sum == 1 ? 1e-9 : 0); /* the sum must not be optimised away */
}
