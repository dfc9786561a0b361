/* Where the daemon waits: what it counts itself, and what the kernel counts of its threads. */
#include "bench.h"

#include "base/mem.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "rpc/client.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Those that an answer passes through, in its order. */
static const char *const THREADS[BENCH_THREADS] = {"mllp", "journal", "apply"};

/* Of all threads with a name: the time they could run and had no processor, and how often they came to run. */
static void look_at_thread(const char *folder, const char *id, struct bench_look *look)
{
    char path[320], name[32] = {0};
    unsigned long long ran = 0, waited = 0, times = 0;
    snprintf(path, sizeof path, "%s/%.16s/comm", folder, id);
    FILE *file = fopen(path, "r");
    if (file && fgets(name, sizeof name, file))
        name[strcspn(name, "\n")] = 0;
    if (file)
        fclose(file);
    snprintf(path, sizeof path, "%s/%.16s/schedstat", folder, id);
    file = fopen(path, "r");
    bool read = file && fscanf(file, "%llu %llu %llu", &ran, &waited, &times) == 3;
    if (file)
        fclose(file);
    for (size_t i = 0; read && i < BENCH_THREADS; i++)
        if (strcmp(name, THREADS[i]) == 0) {
            look->threads[i].waited_us += (double)waited / 1e3;
            look->threads[i].times += (double)times;
        }
}

static void look_at_threads(pid_t pid, struct bench_look *look)
{
    char folder[64];
    snprintf(folder, sizeof folder, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            look_at_thread(folder, entry->d_name, look);
    if (dir)
        closedir(dir);
}

static void copy_buckets(uint64_t *to, const uint64_t *from, size_t count)
{
    memcpy(to, from, (count < DATA_STATS_BUCKETS ? count : DATA_STATS_BUCKETS) * sizeof *to);
}

static void copy_waits(struct bench_look *look, const Idem__Admin__V1__CommitTimes *times)
{
    look->commits = times->commits;
    for (size_t i = 0; i < times->n_waits && i < DATA_WAIT_COUNT; i++) {
        look->waits_us[i] = times->waits[i]->total_us;
        look->waits_max_us[i] = times->waits[i]->max_us;
    }
}

static void ask(struct bench_daemon *daemon, struct bench_look *look)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct rpc_client *client = bench_connect(daemon, &cx);
    Idem__Admin__V1__GetStatusRequest status_ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    Idem__Admin__V1__GetJournalStatsRequest journal_ask = IDEM__ADMIN__V1__GET_JOURNAL_STATS_REQUEST__INIT;
    Idem__Admin__V1__Status *status_now;
    Idem__Admin__V1__JournalStats *journal_now;
    if (client && rpc_client_call(client, &cx, "idem.admin.v1.Admin/GetStatus", &status_ask.base,
                                  &idem__admin__v1__status__descriptor, 0, (void **)&status_now) == STATUS_OK) {
        copy_buckets(look->held, status_now->commit_times->held, status_now->commit_times->n_held);
        copy_buckets(look->waited, status_now->commit_times->waited, status_now->commit_times->n_waited);
        copy_waits(look, status_now->commit_times);
    }
    if (client && rpc_client_call(client, &cx, "idem.admin.v1.Admin/GetJournalStats", &journal_ask.base,
                                  &idem__admin__v1__journal_stats__descriptor, 0, (void **)&journal_now) == STATUS_OK) {
        look->syncs = journal_now->groups;
        look->sync_us = journal_now->sync_us_total;
    }
    rpc_client_close(client);
    arena_fini(&arena);
}

void bench_look(struct bench_daemon *daemon, struct bench_look *out_look)
{
    *out_look = (struct bench_look){0};
    ask(daemon, out_look);
    look_at_threads(daemon->idemd, out_look);
}

static void since(struct bench_look *now, const struct bench_look *before)
{
    for (size_t i = 0; i < DATA_STATS_BUCKETS; i++) {
        now->held[i] -= before->held[i];
        now->waited[i] -= before->waited[i];
    }
    for (size_t i = 0; i < DATA_WAIT_COUNT; i++)
        now->waits_us[i] -= before->waits_us[i];
    now->commits -= before->commits;
    now->syncs -= before->syncs;
    now->sync_us -= before->sync_us;
    for (size_t i = 0; i < BENCH_THREADS; i++) {
        now->threads[i].waited_us -= before->threads[i].waited_us;
        now->threads[i].times -= before->threads[i].times;
    }
}

static void add_histogram(struct bench *bench, const char *prefix, const char *what, const uint64_t *buckets)
{
    struct arena *arena = bench->run->cx->arena;
    for (size_t i = 0; i < DATA_STATS_BUCKETS; i++)
        if (buckets[i] > 0 && i > 10) /* a millisecond and more is worth a row */
            bench_add(bench, ROW(arena_printf(arena, "  %s%s below %llu ms", prefix, what, (1ull << i) / 1000).data,
                                 "times", (double)buckets[i]));
}

void bench_look_add(struct bench_daemon *daemon, const char *prefix, const struct bench_look *before)
{
    struct bench *bench = daemon->bench;
    struct arena *arena = bench->run->cx->arena;
    struct bench_look now;
    bench_look(daemon, &now);
    since(&now, before);
    bench_add(bench, ROW(arena_printf(arena, "  %sreaders stopped p99", prefix).data, "us",
                         (double)data_stats_us(now.held, 990), .note = "upper end of a power of two"));
    bench_add(bench, ROW(arena_printf(arena, "  %sreaders stopped longest", prefix).data, "us",
                         (double)data_stats_us(now.held, 1000)));
    bench_add(bench, ROW(arena_printf(arena, "  %swriter stopped p99", prefix).data, "us",
                         (double)data_stats_us(now.waited, 990)));
    bench_add(bench, ROW(arena_printf(arena, "  %swriter stopped longest", prefix).data, "us",
                         (double)data_stats_us(now.waited, 1000), .goal = 20000, .at_most = true));
    add_histogram(bench, prefix, "writer stopped", now.waited);
    for (size_t i = 0; i < DATA_WAIT_COUNT; i++) {
        const char *name = data_wait_name((enum data_wait)i);
        bench_add(bench,
                  ROW(arena_printf(arena, "  %swriter waits for %s", prefix, name).data, "us",
                      now.commits ? (double)now.waits_us[i] / (double)now.commits : 0, .note = "mean of a commit"));
        bench_add(bench, ROW(arena_printf(arena, "  %swriter waits for %s longest", prefix, name).data, "us",
                             (double)now.waits_max_us[i], .note = "since the start"));
    }
    bench_add(bench, ROW(arena_printf(arena, "  %sjournal sync", prefix).data, "us",
                         now.syncs ? (double)now.sync_us / (double)now.syncs : 0, .note = "mean"));
    for (size_t i = 0; i < BENCH_THREADS; i++)
        bench_add(bench, ROW(arena_printf(arena, "  %s%s without processor", prefix, THREADS[i]).data, "us",
                             now.threads[i].times > 0 ? now.threads[i].waited_us / now.threads[i].times : 0,
                             .note = "mean, each time it woke; 0 of a kernel or daemon that does not tell"));
}
