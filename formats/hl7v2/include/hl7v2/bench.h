/*
 * How fast the index is on this machine, for `idem bench`.
 *
 * Input:   `corpus` holds whole messages one after the other (batch.h cuts them); those that the index refuses are left
 * out. Errors:  hl7.no-msh when no message of the corpus can be indexed.
 */
#pragma once

#include "hl7v2/index.h"

struct hl7_bench_result {
    double megabytes_per_s; /* 10^6 bytes */
    double messages_per_s;
    uint64_t messages;      /* in the corpus */
    uint64_t bytes;         /* in the corpus */
    uint64_t array_growths; /* times the index's arrays had to grow after the first round: 0 */
    const char *scanner;    /* "avx2", "sse2", "plain" */
};

/* One thread, about `seconds` long (at least one round). */
status hl7_bench_index(struct ctx *cx, struct str corpus, double seconds, struct hl7_bench_result *out_result);

/* Measures (and tests) the scanner that processors without AVX2 get. Process-wide; not for service. */
void hl7_bench_without_avx2(bool without);
