/*
 * How fast journal and store are here, beside what the machine itself can do: for `idem bench` and the figures in the
 * manual.
 */
#pragma once

#include "base/ctx.h"
#include "data/store.h"

struct data_bench_result {
    /* the machine's ceiling: one thread, write and fdatasync in a loop */
    uint64_t raw_append_per_s;    /* 1 KiB to the end of a growing file */
    uint64_t raw_overwrite_per_s; /* 1 KiB into space that was written before */
    uint64_t raw_grouped_per_s;   /* 64 KiB into space that was written before */
    /* the journal: `threads` callers, each waiting until its entry of 1 KiB is durable */
    uint64_t appends_per_s;
    uint64_t p50_us, p99_us, max_us; /* from the call until durable */
    uint64_t groups, appended;
    double entries_per_group;
    /* the journal without waiting: the same callers, 64 entries under way each */
    uint64_t pipelined_per_s;
    /* reading all of it back in order, checked */
    uint64_t reads_per_s;
};

/*
 * Measures in <dir>/bench-journal, which is made and removed again.
 *
 * Units:   `seconds` for each of the five measurements, 1..60; `threads` 1..256.
 * Threads: starts its own; the caller waits.
 */
status data_bench_journal(struct ctx *cx, const char *dir, unsigned threads, unsigned seconds,
                          struct data_bench_result *out_result);

/* Commits of 100 rows into a store of some 200,000, one after the other, with a checkpoint a second beside them; times
 * as in data_stats(): each is the upper end of its power of two. */
struct data_bench_commits {
    uint64_t rows_per_s, scanned_per_s;
    uint64_t held_p99_us, held_worst_us;      /* readers kept out */
    uint64_t waited_p99_us, waited_worst_us;  /* the writer kept out, by readers or the checkpoint */
    uint64_t waits_worst_us[DATA_WAIT_COUNT]; /* what for, since the store was opened; exactly */
};
struct data_bench_store_result {
    struct data_bench_commits quiet, scanned; /* alone; beside two readers that scan all rows again and again */
};
/* Measures in <dir>/bench-store, which is made and removed again. `seconds` for each of the two, 1..60. */
status data_bench_store(struct ctx *cx, const char *dir, unsigned seconds, struct data_bench_store_result *out_result);
