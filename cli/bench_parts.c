/* Benches of single parts: the machine, the index of a message, the journal, the store, codes. */
#include "bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/bench.h"
#include "examples/gen.h"
#include "hl7v2/bench.h"
#include "rpc/bench.h"
#include "terminology/bench.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void bench_machine(struct bench *bench)
{
    struct rpc_bench_result echo;
    struct rpc_bench_options options = {
        .in_flight = 64, .run_us = (int64_t)(bench->seconds * 1e6), .server_cpu = 0, .client_cpu = 1};
    if (bench_told(bench, "machine", rpc_bench_echo_run(bench->run->cx, &options, NULL, &echo))) {
        bench_add(bench,
                  ROW("machine.grpc-echo", "calls/s", echo.calls_per_s, .note = "ceiling: one core, no handler"));
        bench_add(bench, ROW("machine.grpc-echo.server-cpu", "us/call", echo.server_cpu_us_per_call));
    }
}

void bench_journal(struct bench *bench)
{
    struct data_bench_result got;
    struct str dir = arena_printf(bench->run->cx->arena, "%s/journal", bench->dir);
    if (!bench_told(bench, "journal", file_make_dirs(bench->run->cx, dir.data)) ||
        !bench_told(
            bench, "journal",
            data_bench_journal(bench->run->cx, dir.data, 32, bench->seconds < 1 ? 1 : (unsigned)bench->seconds, &got)))
        return;
    bench_add(bench, ROW("machine.fdatasync", "syncs/s", (double)got.raw_overwrite_per_s,
                         .note = "ceiling: 1 KiB, one thread"));
    bench_add(bench, ROW("machine.fdatasync-append", "syncs/s", (double)got.raw_append_per_s));
    bench_add(bench,
              ROW("journal.appends", "entries/s", (double)got.appends_per_s, .note = "1 KiB, 32 callers, each waits"));
    bench_add(bench, ROW("journal.appends-pipelined", "entries/s", (double)got.pipelined_per_s));
    bench_add(bench, ROW("journal.append-p50", "us", (double)got.p50_us));
    bench_add(bench, ROW("journal.append-p99", "us", (double)got.p99_us));
    bench_add(bench, ROW("journal.entries-per-sync", "entries", got.entries_per_group));
    bench_add(bench, ROW("journal.reads", "entries/s", (double)got.reads_per_s));
}

static void add_commits(struct bench *bench, const char *name, const struct data_bench_commits *got)
{
    bench_add(bench, ROW(name, "rows/s", (double)got->rows_per_s, .note = "100 rows a commit, half at random places"));
    if (got->scanned_per_s > 0)
        bench_add(bench, ROW("  scanned", "rows/s", (double)got->scanned_per_s, .note = "two readers, all rows"));
    bench_add(bench, ROW("  readers stopped p99", "us", (double)got->held_p99_us));
    bench_add(bench, ROW("  readers stopped longest", "us", (double)got->held_worst_us, .goal = 20000, .at_most = true,
                         .note = "upper end of a power of two"));
    bench_add(bench, ROW("  writer stopped p99", "us", (double)got->waited_p99_us));
    bench_add(bench,
              ROW("  writer stopped longest", "us", (double)got->waited_worst_us, .goal = 20000, .at_most = true));
    for (size_t i = 0; i < DATA_WAIT_COUNT; i++)
        bench_add(bench, ROW(arena_printf(bench->run->cx->arena, "  for %s", data_wait_name((enum data_wait)i)).data,
                             "us", (double)got->waits_worst_us[i], .note = "longest since the store was opened"));
}

void bench_store(struct bench *bench)
{
    struct data_bench_store_result got;
    struct str dir = arena_printf(bench->run->cx->arena, "%s/store", bench->dir);
    if (!bench_told(bench, "store", file_make_dirs(bench->run->cx, dir.data)) ||
        !bench_told(
            bench, "store",
            data_bench_store(bench->run->cx, dir.data, bench->seconds < 1 ? 1 : (unsigned)bench->seconds, &got)))
        return;
    add_commits(bench, "store.commits", &got.quiet);
    add_commits(bench, "store.commits-beside-scans", &got.scanned);
}

void bench_hl7(struct bench *bench)
{
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = 1});
    struct buf corpus = {0};
    struct gen_message_facts facts;
    while (corpus.len < 4 * 1024 * 1024)
        gen_message(&gen, &corpus, &facts);
    struct hl7_bench_result got;
    if (bench_told(bench, "hl7", hl7_bench_index(bench->run->cx, buf_str(&corpus), bench->seconds, &got))) {
        bench_add(bench, ROW("hl7.index", "MB/s", got.megabytes_per_s, .goal = 500, .note = got.scanner));
        bench_add(bench, ROW("hl7.index-messages", "msg/s", got.messages_per_s));
        bench_add(bench,
                  ROW("hl7.index-array-growths", "allocations", (double)got.array_growths, .note = "goal: none"));
    }
    buf_fini(&corpus);
}

void bench_codes(struct bench *bench)
{
    struct codes_bench_result got;
    struct str dir = arena_printf(bench->run->cx->arena, "%s/codes", bench->dir);
    if (!bench_told(bench, "codes", file_make_dirs(bench->run->cx, dir.data)) ||
        !bench_told(bench, "codes", codes_bench(bench->run->cx, dir.data, 100000, bench->seconds / 4, &got)))
        return;
    bench_add(bench, ROW("codes.lookup", "ns", got.lookup_ns, .note = "in process, 100,000 concepts"));
    bench_add(bench, ROW("codes.subsumes", "ns", got.subsumes_ns));
    bench_add(bench, ROW("codes.reconcile-20", "us", got.reconcile_20_us, .note = "a message of 20 codes"));
}
