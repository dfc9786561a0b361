/* Made people for the benches of the index: in process (bench_identity.c) and served (bench_served.c). */
#pragma once

#include "bench.h"

#include "examples/gen.h"
#include "mpi/mpi.h"

/* A made record as people load would bring it. Borrows from the record. */
struct bench_made {
    struct mpi_identifier identifiers[2];
    struct mpi_name name;
    struct str phone;
    struct mpi_address address;
    struct mpi_record_input input;
};
void bench_make_input(const struct gen_record *record, struct bench_made *out);

/* Somebody who is there and somebody who is not, in turn, as one of the sources writes them. */
const struct gen_record *bench_next_asked(const struct gen *gen, uint64_t i, struct gen_record *records);

void bench_sort(double *times, size_t count);
double bench_of_sorted(const double *times, size_t count, size_t percent);

/* The same people in a daemon: starts, identify through gRPC, registrations beside it. */
status bench_served(struct bench *bench, const struct gen *gen);
