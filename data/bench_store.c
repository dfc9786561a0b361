/* How long the store's one writer and its readers stop each other. */
#include "data/bench.h"
#include "data/store.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/invariant.h"
#include "base/thread.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { OLD_ROWS = 200000, BATCH_ROWS = 100, ROW_BYTES = 300, SCANNERS = 2, SYNC_EVERY_MS = 250, SCAN_NICE = 5 };

static const struct data_table_spec TABLES[] = {{.name = "bench.new"}, {.name = "bench.old"}};

struct scanner {
    struct data_store *store;
    pthread_t thread;
    bool stop;
    uint64_t rows;
};

static bool count_row(void *arg, struct str key, struct str row)
{
    (void)key, (void)row;
    struct scanner *scanner = arg;
    scanner->rows++;
    return !__atomic_load_n(&scanner->stop, __ATOMIC_RELAXED);
}

static void *scan_on(void *arg)
{
    struct scanner *scanner = arg;
    thread_long("scan", SCAN_NICE); /* as the daemon's long lists */
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    status scanned = STATUS_OK;
    while (scanned == STATUS_OK && !__atomic_load_n(&scanner->stop, __ATOMIC_RELAXED))
        scanned = data_scan_all(data_table(scanner->store, "bench.old"), &cx, count_row, scanner);
    arena_fini(&arena);
    return NULL;
}

struct keeper {
    struct data_store *store;
    pthread_t thread;
    bool stop;
};

/* As the daemon does it, but with more checkpoints: one a second. */
static void *keep_up(void *arg)
{
    struct keeper *keeper = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    status kept = STATUS_OK;
    for (unsigned i = 1; kept == STATUS_OK && !__atomic_load_n(&keeper->stop, __ATOMIC_RELAXED); i++) {
        nanosleep(&(struct timespec){.tv_nsec = SYNC_EVERY_MS * 1000000L}, NULL);
        kept = i % 4 == 0 ? data_checkpoint(keeper->store, &cx) : data_sync(keeper->store, &cx);
    }
    arena_fini(&arena);
    return NULL;
}

static void put_number(struct data_txn *txn, struct data_table *table, uint64_t number)
{
    static const char row[ROW_BYTES];
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_u64(&key, number);
    data_txn_put(txn, table, buf_str(&key), str_make(row, ROW_BYTES - number % 100));
}

static void fill(struct data_store *store)
{
    for (uint64_t number = 0; number < OLD_ROWS;) {
        struct data_txn *txn = data_txn_begin(store);
        for (int i = 0; i < 1000; i++)
            put_number(txn, data_table(store, "bench.old"), number++);
        data_txn_commit(txn, number, NULL, NULL);
    }
}

/* Half of the rows are new, half are old ones anywhere. */
static uint64_t commit_on(struct data_store *store, int64_t until_us)
{
    uint64_t random = 1, seq = data_applied_seq(store), commits = 0;
    for (; clock_mono_us() < until_us; commits++) {
        struct data_txn *txn = data_txn_begin(store);
        for (int i = 0; i < BATCH_ROWS / 2; i++) {
            put_number(txn, data_table(store, "bench.new"), ++seq);
            put_number(txn, data_table(store, "bench.old"), hash_random(&random) % OLD_ROWS);
        }
        data_txn_commit(txn, seq, NULL, NULL);
    }
    return commits;
}

/* What came between two looks. */
static void subtract(uint64_t *buckets, const uint64_t *before)
{
    for (size_t i = 0; i < DATA_STATS_BUCKETS; i++)
        buckets[i] -= before[i];
}

static void measure(struct data_store *store, unsigned seconds, size_t scanners, struct data_bench_commits *out)
{
    struct scanner scanning[SCANNERS] = {0};
    for (size_t i = 0; i < scanners; i++) {
        scanning[i].store = store;
        if (pthread_create(&scanning[i].thread, NULL, scan_on, &scanning[i]) != 0)
            mem_panic("bench", "no thread");
    }
    struct keeper keeper = {.store = store};
    if (pthread_create(&keeper.thread, NULL, keep_up, &keeper) != 0)
        mem_panic("bench", "no thread");
    struct data_stats before, after;
    data_stats(store, &before);
    uint64_t commits = commit_on(store, clock_mono_us() + (int64_t)seconds * 1000000);
    data_stats(store, &after);
    __atomic_store_n(&keeper.stop, true, __ATOMIC_RELAXED);
    pthread_join(keeper.thread, NULL);
    *out = (struct data_bench_commits){.rows_per_s = commits * BATCH_ROWS / seconds};
    for (size_t i = 0; i < scanners; i++) {
        __atomic_store_n(&scanning[i].stop, true, __ATOMIC_RELAXED);
        pthread_join(scanning[i].thread, NULL);
        out->scanned_per_s += scanning[i].rows / seconds;
    }
    subtract(after.held, before.held);
    subtract(after.waited, before.waited);
    out->held_p99_us = data_stats_us(after.held, 990);
    out->held_worst_us = data_stats_us(after.held, 1000);
    out->waited_p99_us = data_stats_us(after.waited, 990);
    out->waited_worst_us = data_stats_us(after.waited, 1000);
    memcpy(out->waits_worst_us, after.waits_max_us, sizeof out->waits_worst_us);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

status data_bench_store(struct ctx *cx, const char *dir, unsigned seconds, struct data_bench_store_result *out_result)
{
    INVARIANT(seconds >= 1 && seconds <= 60);
    struct str folder = arena_printf(cx->arena, "%s/bench-store", dir);
    TRY(file_make_dirs(cx, folder.data));
    struct data_options options = {
        .dir = folder.data, .format = 1, .tables = TABLES, .table_count = sizeof TABLES / sizeof TABLES[0]};
    struct data_store *store = NULL;
    status opened = data_open(cx, &options, &store);
    if (opened == STATUS_OK) {
        fill(store);
        measure(store, seconds, 0, &out_result->quiet);
        measure(store, seconds, SCANNERS, &out_result->scanned);
        data_close(store);
    }
    nftw(folder.data, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return opened;
}
