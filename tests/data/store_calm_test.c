/* Threads that step back behind others read what all read, and never hold the lock themselves. */
#include "journal_world.h"
#include "store_internal.h"

#include "base/thread.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>

static const struct data_table_spec TABLES[] = {{.name = "t.one"}};

enum { ROWS = 20000, READERS = 4, ROUNDS = 6, LONG_ROW_BYTES = 100 * 1024 };

static struct data_store *open_filled(struct world *world)
{
    static const char long_row[LONG_ROW_BYTES];
    struct data_options options = {
        .dir = world->dir, .format = 3, .cache_bytes = 16 << 20, .tables = TABLES, .table_count = 1};
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    struct data_txn *txn = data_txn_begin(store);
    for (unsigned i = 0; i < ROWS; i++)
        data_txn_put(txn, data_table(store, "t.one"), arena_printf(&world->support.arena, "k%06u", i),
                     i % 5000 == 7 ? str_make(long_row, sizeof long_row) : STR("row"));
    data_txn_commit(txn, 1, NULL, NULL);
    return store;
}

static unsigned threads_named(const char *name)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[300], comm[32] = {0};
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        FILE *file = fopen(path, "r");
        if (file && fgets(comm, sizeof comm, file))
            count += strncmp(comm, name, strlen(name)) == 0;
        if (file)
            fclose(file);
    }
    closedir(dir);
    return count;
}

struct reading {
    struct data_store *store;
    bool is_long;
    uint64_t rows, bytes, counted, miscounts;
    pthread_t thread;
};

static bool add_row(void *arg, struct str key, struct str row)
{
    struct reading *reading = arg;
    reading->rows++;
    reading->bytes += key.len + row.len;
    return true;
}

static void note_miscount(void *arg, const struct data_miscount *miscount)
{
    (void)miscount;
    struct reading *reading = arg;
    reading->miscounts++;
}

static void *read_all(void *arg)
{
    struct reading *reading = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    if (reading->is_long)
        thread_long("test-long", 3);
    struct data_table *table = data_table(reading->store, "t.one");
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t counted;
        assert_int_equal(data_scan_all(table, &cx, add_row, reading), STATUS_OK);
        assert_int_equal(data_scan_back(table, &cx, STR("k01"), STR_NONE, add_row, reading), STATUS_OK);
        assert_int_equal(data_recount(reading->store, &cx, note_miscount, reading, &counted), STATUS_OK);
        reading->counted += counted;
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

static struct reading in_threads(struct data_store *store, bool is_long)
{
    struct reading readings[READERS] = {0};
    for (size_t i = 0; i < READERS; i++) {
        readings[i].store = store;
        readings[i].is_long = is_long;
        assert_int_equal(pthread_create(&readings[i].thread, NULL, read_all, &readings[i]), 0);
    }
    for (uint64_t seq = 2; seq < 50; seq++) { /* rows change, and stay as many and as long */
        struct data_txn *txn = data_txn_begin(store);
        data_txn_put(txn, data_table(store, "t.one"), STR("k000100"), seq % 2 ? STR("row") : STR("ROW"));
        data_txn_commit(txn, data_applied_seq(store) + 1, NULL, NULL);
    }
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readings[i].thread, NULL);
        assert_int_equal(readings[i].rows, readings[0].rows);
        assert_int_equal(readings[i].bytes, readings[0].bytes);
        assert_int_equal(readings[i].counted, ROUNDS * ROWS);
        assert_int_equal(readings[i].miscounts, 0);
    }
    return readings[0];
}

static void test_long_threads__read_the_same_by_another_thread(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_filled(world);
    struct reading usual = in_threads(store, false);
    assert_int_equal(usual.rows, ROUNDS * (ROWS + 10000));
    assert_int_equal(threads_named("store-read"), 0);
    struct reading calm = in_threads(store, true);
    assert_int_equal(calm.rows, usual.rows);
    assert_int_equal(calm.bytes, usual.bytes);
    assert_int_equal(threads_named("store-read"), 1); /* one for all */
    data_close(store);
    assert_int_equal(threads_named("store-read"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_long_threads__read_the_same_by_another_thread, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
