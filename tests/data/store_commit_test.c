/* What a commit keeps waiting, and what keeps a commit waiting: counted, never timed. */
#include "journal_world.h"
#include "store_internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static const struct data_table_spec TABLES[] = {{"t.one"}, {"t.two"}};

static struct data_store *open_store(struct world *world, uint64_t cache_bytes)
{
    struct data_options options = {
        .dir = world->dir, .format = 3, .cache_bytes = cache_bytes, .tables = TABLES, .table_count = 2};
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    return store;
}

static struct str number_key(struct arena *arena, uint64_t number)
{
    struct buf key = {0};
    buf_put_u64(&key, number);
    struct str kept = arena_str(arena, buf_str(&key));
    buf_fini(&key);
    return kept;
}

/* ---- pages are read before readers are kept out ---- */

enum { ROWS = 30000, ROW_BYTES = 1000, LONG_ROW_BYTES = 200 * 1024, TOUCHED = 40 };

static uint64_t pages_read(struct data_store *store)
{
    DB_MPOOL_STAT *stat = NULL;
    assert_int_equal(store->env->memp_stat(store->env, &stat, NULL, 0), 0);
    uint64_t pages = stat->st_page_in;
    free(stat);
    return pages;
}

static void fill(struct data_store *store)
{
    struct arena arena = {0};
    static const char row[LONG_ROW_BYTES];
    for (uint64_t from = 0; from < ROWS; from += 1000) {
        struct data_txn *txn = data_txn_begin(store);
        for (uint64_t i = from; i < from + 1000; i++)
            data_txn_put(txn, data_table(store, "t.one"), number_key(&arena, i),
                         str_make(row, i % 1000 == 500 ? LONG_ROW_BYTES : ROW_BYTES));
        data_txn_commit(txn, from + 1, NULL, NULL);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

struct committing {
    struct data_store *store;
    uint64_t pages_at_publish;
};

static void note_pages(void *arg)
{
    struct committing *committing = arg;
    committing->pages_at_publish = pages_read(committing->store);
}

/* Rows far apart: made longer, removed, put new in between; one that fills pages of its own. */
static void *commit_far_apart(void *arg)
{
    struct committing *committing = arg;
    struct data_table *one = data_table(committing->store, "t.one");
    struct arena arena = {0};
    struct data_txn *txn = data_txn_begin(committing->store);
    for (uint64_t i = 0; i < TOUCHED; i++) {
        struct str key = number_key(&arena, i * (ROWS / TOUCHED));
        if (i % 3 == 0)
            data_txn_put(txn, one, key, body_of(&arena, i, ROW_BYTES));
        else if (i % 3 == 1)
            data_txn_delete(txn, one, key);
        else
            data_txn_put(txn, one, arena_printf(&arena, "%.*s+", STR_ARGS(key)), STR("new"));
    }
    data_txn_put(txn, one, number_key(&arena, 500), STR("short by now"));
    data_txn_commit(txn, ROWS + 1, note_pages, committing);
    arena_fini(&arena);
    return NULL;
}

/* Writers are preferred: once one waits, no new reader is let in. */
static void wait_for_waiting_writer(struct data_store *store)
{
    while (pthread_rwlock_tryrdlock(&store->lock) == 0) {
        pthread_rwlock_unlock(&store->lock);
        sched_yield();
    }
}

static void test_commit__reads_no_page_while_readers_are_kept_out(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world, 64 << 20);
    fill(store);
    data_close(store);
    store = open_store(world, 4 << 20); /* the tables are ten times as large */
    struct committing committing = {.store = store};
    uint64_t before = pages_read(store);
    struct data_view view;
    data_view_begin(store, &view);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, commit_far_apart, &committing), 0);
    wait_for_waiting_writer(store);
    uint64_t ready = pages_read(store);
    data_view_end(&view);
    pthread_join(writer, NULL);
    assert_true(ready - before >= TOUCHED + LONG_ROW_BYTES / STORE_PAGE_BYTES); /* they were not in the cache */
    assert_int_equal(committing.pages_at_publish, ready);
    data_close(store);
}

/* ---- how long they took ---- */

static uint64_t sum(const uint64_t buckets[DATA_STATS_BUCKETS])
{
    uint64_t all = 0;
    for (size_t i = 0; i < DATA_STATS_BUCKETS; i++)
        all += buckets[i];
    return all;
}

static void take_a_while(void *arg)
{
    nap_us(*(int64_t *)arg);
}

/* Bounds from below only: a slow machine makes them longer. */
static void test_stats__count_each_commit_once_in_the_bucket_of_its_time(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world, 4 << 20);
    struct data_stats stats;
    data_stats(store, &stats);
    assert_int_equal(stats.commits, 0);
    for (uint64_t seq = 1; seq <= 10; seq++) {
        int64_t nap = seq == 7 ? 20000 : 0;
        data_txn_commit(data_txn_begin(store), seq, take_a_while, &nap);
    }
    data_stats(store, &stats);
    assert_int_equal(stats.commits, 10);
    assert_int_equal(sum(stats.held), 10);
    assert_int_equal(sum(stats.waited), 10);
    assert_true(stats.held_max_us >= 20000);
    uint64_t long_ones = 0;
    for (size_t i = 15; i < DATA_STATS_BUCKETS; i++) /* 16,384 us and more */
        long_ones += stats.held[i];
    assert_true(long_ones >= 1);
    assert_true(data_stats_us(stats.held, 1000) > stats.held_max_us);
    assert_true(data_stats_us(stats.held, 1000) <= 2 * stats.held_max_us);
    data_close(store);
}

static void test_stats_us__is_the_upper_end_of_the_bucket(void **state)
{
    (void)state;
    uint64_t buckets[DATA_STATS_BUCKETS] = {0};
    assert_int_equal(data_stats_us(buckets, 990), 0);
    buckets[3] = 989;
    buckets[10] = 11;
    assert_int_equal(data_stats_us(buckets, 500), 8);
    assert_int_equal(data_stats_us(buckets, 989), 8);
    assert_int_equal(data_stats_us(buckets, 990), 1024);
    assert_int_equal(data_stats_us(buckets, 1000), 1024);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_commit__reads_no_page_while_readers_are_kept_out),
        T(test_stats__count_each_commit_once_in_the_bucket_of_its_time),
        T(test_stats_us__is_the_upper_end_of_the_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
