#include "base/hash.h"
#include "base/map.h"
#include "data/journal.h"
#include "store_internal.h"
#include "support.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct data_table_spec TABLES[] = {{"t.one"}, {"t.two"}};

struct world {
    struct support support;
    const char *dir;
};

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    support_init(&world->support);
    world->dir = support_make_dir(&world->support);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    support_remove_dir(world->dir);
    support_fini(&world->support);
    mem_free(world);
    return 0;
}

static struct data_options options_of(const struct world *world)
{
    return (struct data_options){.dir = world->dir, .format = 3, .cache_bytes = 4 << 20, .tables = TABLES, .table_count = 2};
}

static struct data_store *open_store(struct world *world)
{
    struct data_options options = options_of(world);
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    return store;
}

static void put_one(struct data_store *store, const char *table, struct str key, struct str row, uint64_t seq)
{
    struct data_txn *txn = data_txn_begin(store);
    data_txn_put(txn, data_table(store, table), key, row);
    data_txn_commit(txn, seq);
}

static bool join_row(void *arg, struct str key, struct str row)
{
    buf_printf(arg, "%.*s=%.*s ", STR_ARGS(key), STR_ARGS(row));
    return true;
}

static bool join_first(void *arg, struct str key, struct str row)
{
    buf_printf(arg, "%.*s=%.*s ", STR_ARGS(key), STR_ARGS(row));
    return false;
}

#define assert_scan(want, call)                                                                                        \
    do {                                                                                                               \
        struct buf seen = {0};                                                                                         \
        assert_ok(&world->support, call);                                                                              \
        assert_str(buf_str(&seen), want);                                                                              \
        buf_fini(&seen);                                                                                               \
    } while (0)

static void test_commit__is_read_back_after_reopen_with_its_seq(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world);
    assert_int_equal(data_applied_seq(store), 0);
    put_one(store, "t.one", STR("a"), STR("1"), 41);
    assert_int_equal(data_applied_seq(store), 41);
    data_close(store);
    store = open_store(world);
    assert_int_equal(data_applied_seq(store), 41);
    struct str row;
    assert_ok(&world->support, data_get(data_table(store, "t.one"), cx, STR("a"), &row));
    assert_str(row, "1");
    assert_fails(&world->support, data_get(data_table(store, "t.two"), cx, STR("a"), &row), "data.no-such-row");
    uint64_t rows = 9;
    assert_ok(&world->support, data_count(data_table(store, "t.one"), cx, &rows));
    assert_int_equal(rows, 1);
    data_close(store);
    data_close(NULL);
}

static void test_scan__goes_both_ways_by_prefix(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world);
    struct data_table *one = data_table(store, "t.one");
    struct data_txn *txn = data_txn_begin(store);
    static const char *const keys[] = {"b2", "a1", "b1", "c1", "b3", "\xff\xff"};
    for (size_t i = 0; i < 6; i++)
        data_txn_put(txn, one, str_from(keys[i]), STR("x"));
    data_txn_commit(txn, 1);
    assert_scan("b1=x b2=x b3=x ", data_scan(one, cx, STR("b"), STR_NONE, join_row, &seen));
    assert_scan("b2=x b3=x ", data_scan(one, cx, STR("b"), STR("b2"), join_row, &seen));
    assert_scan("b1=x ", data_scan(one, cx, STR("b"), STR_NONE, join_first, &seen));
    assert_scan("", data_scan(one, cx, STR("d"), STR_NONE, join_row, &seen));
    assert_scan("b3=x b2=x b1=x ", data_scan_back(one, cx, STR("b"), STR_NONE, join_row, &seen));
    assert_scan("b2=x b1=x ", data_scan_back(one, cx, STR("b"), STR("b2"), join_row, &seen));
    assert_scan("b2=x b1=x ", data_scan_back(one, cx, STR("b"), STR("b2z"), join_row, &seen));
    assert_scan("b3=x b2=x b1=x ", data_scan_back(one, cx, STR("b"), STR("zz"), join_row, &seen));
    assert_scan("\xff\xff=x ", data_scan_back(one, cx, STR_NONE, STR_NONE, join_first, &seen));
    assert_scan("\xff\xff=x ", data_scan_back(one, cx, STR("\xff"), STR_NONE, join_row, &seen));
    data_close(store);
}

static void test_txn__sees_its_own_rows_laid_over_and_undoes_to_a_mark(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world);
    struct data_table *one = data_table(store, "t.one");
    put_one(store, "t.one", STR("k2"), STR("old"), 1);
    put_one(store, "t.one", STR("k4"), STR("old"), 2);
    struct data_txn *txn = data_txn_begin(store);
    struct str row;
    data_txn_put(txn, one, STR("k1"), STR("new"));
    data_txn_put(txn, one, STR("k2"), STR("new"));
    assert_scan("k1=new k2=new k4=old ", data_txn_scan(txn, one, cx, STR("k"), join_row, &seen));
    size_t mark = data_txn_mark(txn);
    data_txn_delete(txn, one, STR("k4"));
    data_txn_put(txn, one, STR("k3"), STR("new"));
    data_txn_put(txn, one, STR("k2"), STR("newer"));
    data_txn_delete(txn, one, STR("k1"));
    data_txn_put(txn, one, STR("k9"), STR("last"));
    assert_scan("k2=newer k3=new k9=last ", data_txn_scan(txn, one, cx, STR("k"), join_row, &seen));
    assert_fails(&world->support, data_txn_get(txn, one, cx, STR("k4"), &row), "data.no-such-row");
    data_txn_undo_to(txn, mark);
    assert_scan("k1=new k2=new k4=old ", data_txn_scan(txn, one, cx, STR("k"), join_row, &seen));
    assert_ok(&world->support, data_txn_get(txn, one, cx, STR("k4"), &row));
    assert_str(row, "old");
    assert_fails(&world->support, data_txn_get(txn, one, cx, STR("k3"), &row), "data.no-such-row");
    data_txn_commit(txn, 3);
    assert_scan("k1=new k2=new k4=old ", data_scan(one, cx, STR("k"), STR_NONE, join_row, &seen));
    txn = data_txn_begin(store);
    data_txn_delete(txn, one, STR("k1"));
    data_txn_delete(txn, one, STR("never there"));
    data_txn_commit(txn, 4);
    assert_scan("k2=new k4=old ", data_scan(one, cx, STR_NONE, STR_NONE, join_row, &seen));
    data_close(store);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_commit__is_read_back_after_reopen_with_its_seq),
        T(test_scan__goes_both_ways_by_prefix),
        T(test_txn__sees_its_own_rows_laid_over_and_undoes_to_a_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
