#include "base/hash.h"
#include "base/map.h"
#include "journal_world.h"
#include "store_internal.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static const struct data_table_spec TABLES[] = {{.name = "t.one"}, {.name = "t.two"}};

static struct data_options options_of(const struct world *world)
{
    return (struct data_options){
        .dir = world->dir, .format = 3, .cache_bytes = 4 << 20, .tables = TABLES, .table_count = 2};
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
    data_txn_commit(txn, seq, NULL, NULL);
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
    assert_int_equal(data_rows(data_table(store, "t.one")), 1);
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
    data_txn_commit(txn, 1, NULL, NULL);
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
    data_txn_commit(txn, 3, NULL, NULL);
    assert_scan("k1=new k2=new k4=old ", data_scan(one, cx, STR("k"), STR_NONE, join_row, &seen));
    txn = data_txn_begin(store);
    data_txn_delete(txn, one, STR("k1"));
    data_txn_delete(txn, one, STR("never there"));
    data_txn_commit(txn, 4, NULL, NULL);
    assert_scan("k2=new k4=old ", data_scan(one, cx, STR_NONE, STR_NONE, join_row, &seen));
    data_close(store);
}

static void test_row__may_be_far_longer_than_a_page(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 16384, 70000, 16 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *bytes = mem_alloc(sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            bytes[k] = (char)(k * 31 + i);
        put_one(store, "t.two", STR("big"), str_make(bytes, sizes[i]), i + 1);
        struct str row;
        assert_ok(&world->support, data_get(data_table(store, "t.two"), &world->support.cx, STR("big"), &row));
        assert_true(str_eq(row, str_make(bytes, sizes[i])));
        mem_free(bytes);
    }
    data_close(store);
}

struct rows_seen {
    uint64_t count, bytes;
    bool in_order;
};

static bool see_row(void *arg, struct str key, struct str row)
{
    struct rows_seen *seen = arg;
    struct cut cut = {.rest = key};
    seen->in_order &= cut_u64(&cut) == seen->count++;
    for (size_t i = 0; i < row.len; i++)
        seen->in_order &= row.data[i] == row.data[0];
    seen->bytes += row.len;
    return seen->count < 1500;
}

/* Rows of every size around what one read takes: none is lost, cut or seen twice. */
static void test_scan_all__reads_rows_of_every_size_once(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world);
    static const size_t sizes[] = {0, 1, 100, 4000, 17 * 1024, 255 * 1024, 256 * 1024, 300 * 1024, 1500 * 1024};
    struct data_txn *txn = data_txn_begin(store);
    static char bytes[1500 * 1024];
    uint64_t want_bytes = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        size_t size = i % 100 == 7 ? sizes[i / 100 % (sizeof sizes / sizeof sizes[0])] : i % 50;
        struct buf key = {0};
        buf_put_u64(&key, i);
        memset(bytes, (char)('a' + i % 26), size);
        data_txn_put(txn, data_table(store, "t.one"), buf_str(&key), str_make(bytes, size));
        want_bytes += i < 1500 ? size : 0;
        buf_fini(&key);
    }
    data_txn_commit(txn, 1, NULL, NULL);
    struct rows_seen seen = {.in_order = true};
    assert_ok(&world->support, data_scan_all(data_table(store, "t.one"), cx, see_row, &seen));
    assert_true(seen.in_order);
    assert_int_equal(seen.count, 1500); /* it stops where visit says so */
    assert_int_equal(seen.bytes, want_bytes);
    seen = (struct rows_seen){0};
    assert_ok(&world->support, data_scan_all(data_table(store, "t.two"), cx, see_row, &seen));
    assert_int_equal(seen.count, 0);
    data_close(store);
}

static void test_open__refuses_another_format_a_second_opener_and_a_missing_file(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world), *second = NULL;
    put_one(store, "t.one", STR("a"), STR("1"), 5);
    struct data_options options = options_of(world);
    assert_fails(&world->support, data_open(cx, &options, &second), "data.in-use");
    assert_fails(&world->support, data_discard(cx, world->dir), "data.in-use");
    data_close(store);
    options.format = 4;
    assert_fails(&world->support, data_open(cx, &options, &second), "data.store-format");
    options.format = 3;
    static const char *const files[] = {"t.one.db", "idem.meta.db"};
    for (size_t i = 0; i < 2; i++) {
        struct str path = arena_printf(cx->arena, "%s/store/%s", world->dir, files[i]);
        assert_int_equal(unlink(path.data), 0);
        assert_fails(&world->support, data_open(cx, &options, &second), "data.store-damaged");
        assert_ok(&world->support, data_discard(cx, world->dir));
        store = open_store(world);
        assert_int_equal(data_applied_seq(store), 0);
        assert_int_equal(data_rows(data_table(store, "t.one")), 0);
        data_close(store);
    }
    assert_null(second);
}

/* A newer idem has a table more. */
static void test_open__makes_a_table_that_an_older_store_does_not_have_and_misses_it_from_then_on(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    static const struct data_table_spec more[] = {
        {.name = "t.one"}, {.name = "t.added", .added = true}, {.name = "t.two"}};
    struct data_store *store = open_store(world);
    put_one(store, "t.one", STR("a"), STR("1"), 5);
    put_one(store, "t.two", STR("b"), STR("2"), 6);
    data_close(store);
    struct data_options options = options_of(world);
    options.tables = more;
    options.table_count = 3;
    for (uint64_t round = 0; round < 2; round++) {
        assert_ok(&world->support, data_open(cx, &options, &store));
        assert_int_equal(data_applied_seq(store), 6 + round);
        assert_int_equal(data_rows(data_table(store, "t.one")), 1);
        assert_int_equal(data_rows(data_table(store, "t.two")), 1);
        assert_int_equal(data_rows(data_table(store, "t.added")), round);
        put_one(store, "t.added", STR("c"), STR("3"), 7);
        data_close(store);
    }
    struct str path = arena_printf(cx->arena, "%s/store/t.added.db", world->dir);
    assert_int_equal(unlink(path.data), 0);
    store = NULL;
    for (size_t i = 0; i < 2; i++) /* the first try must not make what it missed */
        assert_fails(&world->support, data_open(cx, &options, &store), "data.store-damaged");
    assert_null(store);
}

/* Random puts, deletes, marks and undos against a model in memory. */
static void test_property__store_equals_a_model_and_equal_puts_give_equal_digests(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    uint64_t seed = pick_seed();
    uint8_t digests[2][32];
    for (int run = 0; run < 2; run++) {
        uint64_t random = seed;
        char *model[200] = {0}; /* rows of t.one by key number; NULL = absent */
        assert_ok(&world->support, data_discard(cx, world->dir));
        struct data_store *store = open_store(world);
        struct data_table *one = data_table(store, "t.one");
        for (uint64_t seq = 1; seq <= 60; seq++) {
            struct data_txn *txn = data_txn_begin(store);
            for (int i = 0; i < 30; i++) {
                bool undone = hash_random(&random) % 4 == 0;
                size_t mark = data_txn_mark(txn);
                size_t number = hash_random(&random) % 200;
                struct str key = arena_printf(cx->arena, "k%03zu", number);
                struct str row = arena_printf(cx->arena, "%" PRIu64, hash_random(&random));
                bool deletes = hash_random(&random) % 3 == 0;
                if (deletes)
                    data_txn_delete(txn, one, key);
                else
                    data_txn_put(txn, one, key, row);
                if (undone)
                    data_txn_undo_to(txn, mark);
                else
                    model[number] = deletes ? NULL : (char *)row.data;
            }
            struct buf want = {0};
            for (size_t i = 0; i < 200; i++)
                if (model[i])
                    buf_printf(&want, "k%03zu=%s ", i, model[i]);
            buf_put_byte(&want, 0);
            assert_scan(want.data, data_txn_scan(txn, one, cx, STR_NONE, join_row, &seen));
            data_txn_commit(txn, seq, NULL, NULL);
            assert_scan(want.data, data_scan(one, cx, STR_NONE, STR_NONE, join_row, &seen));
            buf_fini(&want);
            if (run == 1 && seq % 20 == 0) { /* checkpoints and reopens change nothing that is seen */
                assert_ok(&world->support, data_checkpoint(store, cx));
                data_close(store);
                store = open_store(world);
                one = data_table(store, "t.one");
            }
        }
        assert_ok(&world->support, data_digest(store, cx, digests[run]));
        if (run == 1) {
            put_one(store, "t.two", STR("more"), STR(""), 61);
            uint8_t other[32];
            assert_ok(&world->support, data_digest(store, cx, other));
            assert_memory_not_equal(other, digests[1], 32);
        }
        data_close(store);
    }
    assert_memory_equal(digests[0], digests[1], 32);
}

enum { READERS = 3, COMMITS = 300, ROWS_EACH = 40 };

struct reading {
    struct data_store *store;
    bool stop, torn;
    uint64_t scans;
};

/* All rows in one view: the same value in each. */
static bool view_is_whole(struct data_store *store, struct data_table *one, struct ctx *cx)
{
    SCOPED(data_view_end) struct data_view view;
    struct str first = STR_NONE, row;
    data_view_begin(store, &view);
    if (data_applied_seq(store) == 0)
        return true;
    for (int i = 0; i < ROWS_EACH; i++) {
        if (data_view_get(&view, one, cx, arena_printf(cx->arena, "row %d", i), &row) != STATUS_OK)
            return false;
        if (i == 0)
            first = row;
        if (!str_eq(row, first))
            return false;
    }
    return true;
}

static bool count_it(void *arg, struct str key, struct str row)
{
    (void)key, (void)row;
    ++*(uint64_t *)arg;
    return true;
}

static void *read_all_the_time(void *arg)
{
    struct reading *reading = arg;
    struct data_table *one = data_table(reading->store, "t.one");
    while (!__atomic_load_n(&reading->stop, __ATOMIC_ACQUIRE)) {
        struct arena arena = {0};
        struct ctx cx = {.arena = &arena};
        uint64_t before = data_applied_seq(reading->store), rows = 0;
        struct str row;
        bool bad = !view_is_whole(reading->store, one, &cx) ||
                   data_scan(one, &cx, STR_NONE, STR_NONE, count_it, &rows) != STATUS_OK ||
                   (before > 0 && rows != ROWS_EACH) ||
                   (before > 0 && data_get(one, &cx, STR("row 7"), &row) != STATUS_OK);
        if (bad)
            __atomic_store_n(&reading->torn, true, __ATOMIC_RELEASE);
        __atomic_add_fetch(&reading->scans, 1, __ATOMIC_RELAXED);
        arena_fini(&arena);
    }
    return NULL;
}

/* Every commit writes the same value into all rows: a reader that sees two values saw half a commit. */
static void test_readers__see_commits_whole_while_the_writer_writes(void **state)
{
    struct world *world = *state;
    struct reading reading = {.store = open_store(world)};
    struct data_table *one = data_table(reading.store, "t.one");
    pthread_t readers[READERS];
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all_the_time, &reading), 0);
    for (uint64_t seq = 1; seq <= COMMITS; seq++) {
        struct support scratch;
        support_init(&scratch);
        struct data_txn *txn = data_txn_begin(reading.store);
        char filler[1500] = {0};
        struct str row = str_make(filler, seq * 37 % sizeof filler); /* pages split and shrink */
        memcpy(filler, &seq, sizeof seq);
        for (int i = 0; i < ROWS_EACH; i++)
            data_txn_put(txn, one, arena_printf(&scratch.arena, "row %d", i), row);
        data_txn_commit(txn, seq, NULL, NULL);
        if (seq % 50 == 0)
            assert_ok(&scratch, data_checkpoint(reading.store, &scratch.cx));
        support_fini(&scratch);
    }
    __atomic_store_n(&reading.stop, true, __ATOMIC_RELEASE);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_false(reading.torn);
    assert_true(reading.scans > 0);
    data_close(reading.store);
}

/* Near-sequential keys by one writer beside readers: the pattern that loses keys with several writers (docs/adr/0002).
 */
static void test_doctor__finds_every_key_in_order_after_many_inserts(void **state)
{
    struct world *world = *state;
    struct reading reading = {.store = open_store(world)};
    struct data_table *two = data_table(reading.store, "t.two");
    uint64_t random = 5, rows = 0;
    for (uint64_t seq = 1; seq <= 200; seq++) {
        struct data_txn *txn = data_txn_begin(reading.store);
        for (int i = 0; i < 100; i++) {
            struct buf key = {0};
            buf_put_u64(&key, ++rows * 4 + hash_random(&random) % 4);
            data_txn_put(txn, two, buf_str(&key), STR("some row of some length"));
            buf_fini(&key);
        }
        data_txn_commit(txn, seq, NULL, NULL);
    }
    data_close(reading.store);
    struct data_options options = options_of(world);
    struct data_doctor_report report;
    assert_ok(&world->support, data_doctor(&world->support.cx, &options, &report));
    assert_int_equal(report.bad_tables, 0);
    assert_int_equal(report.rows, rows);
    assert_int_equal(report.tables, 2);
    struct str path = arena_printf(&world->support.arena, "%s/store/t.two.db", world->dir);
    SCOPED(journal_close_fd) int fd = open(path.data, O_RDWR);
    assert_int_equal(pwrite(fd, "?", 1, 5 * STORE_PAGE_BYTES + 9000), 1);
    assert_ok(&world->support, data_doctor(&world->support.cx, &options, &report));
    assert_int_equal(report.bad_tables, 1);
    assert_string_equal(report.first_bad, "t.two");
}

static int failing_fsync(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

static ssize_t failing_write(int fd, const void *bytes, size_t len)
{
    (void)fd, (void)bytes, (void)len;
    errno = EIO;
    return -1;
}

static void test_failed_write_or_sync__ends_the_process(void **state)
{
    struct world *world = *state;
    data_close(open_store(world));
    for (int which = 0; which < 2; which++) {
        pid_t child = fork();
        if (child == 0) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, STDERR_FILENO);
            signal(SIGABRT, SIG_DFL);
            struct data_options options = options_of(world);
            struct data_store *store = NULL;
            if (data_open(&world->support.cx, &options, &store) != STATUS_OK)
                _exit(2);
            put_one(store, "t.one", STR("k"), STR("v"), 1);
            if (which == 0)
                store_io.fsync = failing_fsync;
            else
                store_io.write = failing_write;
            _exit(data_checkpoint(store, &world->support.cx) == STATUS_OK ? 0 : 3);
        }
        int how = 0;
        waitpid(child, &how, 0);
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
    }
}

static int no_space_left;

static ssize_t write_without_space(int fd, const void *bytes, size_t len)
{
    if (__atomic_load_n(&no_space_left, __ATOMIC_ACQUIRE) > 0) {
        __atomic_sub_fetch(&no_space_left, 1, __ATOMIC_ACQ_REL);
        errno = ENOSPC;
        return -1;
    }
    return write(fd, bytes, len);
}

static void test_full_disk__is_waited_for(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    put_one(store, "t.one", STR("k"), STR("v"), 1);
    store_io.write = write_without_space;
    no_space_left = 3;
    assert_ok(&world->support, data_checkpoint(store, &world->support.cx));
    assert_int_equal(no_space_left, 0);
    store_io.write = write;
    data_close(store);
    store = open_store(world);
    assert_int_equal(data_applied_seq(store), 1);
    data_close(store);
}

/* Berkeley DB does not give back the memory of an environment that found damage and was closed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libdb-5.3.so";
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_commit__is_read_back_after_reopen_with_its_seq),
        T(test_scan__goes_both_ways_by_prefix),
        T(test_txn__sees_its_own_rows_laid_over_and_undoes_to_a_mark),
        T(test_row__may_be_far_longer_than_a_page),
        T(test_scan_all__reads_rows_of_every_size_once),
        T(test_open__refuses_another_format_a_second_opener_and_a_missing_file),
        T(test_open__makes_a_table_that_an_older_store_does_not_have_and_misses_it_from_then_on),
        T(test_property__store_equals_a_model_and_equal_puts_give_equal_digests),
        T(test_readers__see_commits_whole_while_the_writer_writes),
        T(test_doctor__finds_every_key_in_order_after_many_inserts),
        T(test_failed_write_or_sync__ends_the_process),
        T(test_full_disk__is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
