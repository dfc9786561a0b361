/*
 * How fast codes are answered in process; the figures of `idem bench codes`.
 * Threads: one thread; runs for about `seconds` in all.
 */
#pragma once

#include "terminology/codes.h"

struct codes_bench_result {
    uint32_t concepts;        /* of the made-up code system the figures are for */
    double pack_find_ns;      /* code -> index of the concept, random existing codes */
    double lookup_ns;         /* codes_lookup(): system and code -> concept */
    double missing_ns;        /* pack_find() of codes that do not exist */
    double subsumes_ns;       /* pack_is_a() of random pairs */
    double codes_subsumes_ns; /* codes_subsumes(): with the lookups of both codes */
    double reconcile_20_us;   /* 20 coded elements of a message: 12 through a local map, 6 standard, 2 unknown */
};

/* Makes a code system of `concepts` concepts (SCTID-shaped) and a local map in `dir`, a scratch folder that must be
 * empty, and measures. 0 = 400,000 concepts. */
status codes_bench(struct ctx *cx, const char *dir, uint32_t concepts, double seconds,
                   struct codes_bench_result *out_result);
