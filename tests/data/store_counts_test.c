/* Counts kept with the commit are the counts of what is there: whatever is put, replaced, removed, undone, and by
 * whichever idem the store was made. */
#include "journal_world.h"
#include "store_internal.h"

static const struct data_table_spec TABLES[] = {{.name = "t.one"}, {.name = "t.two"}};
static const char *const GROUPED[] = {"t.one"}, *const OTHERS[] = {"t.two"};

static struct data_options options_of(const struct world *world)
{
    return (struct data_options){.dir = world->dir,
                                 .format = 3,
                                 .cache_bytes = 4 << 20,
                                 .tables = TABLES,
                                 .table_count = 2,
                                 .grouped = GROUPED,
                                 .grouped_count = 1};
}

static struct data_store *open_with(struct world *world, const struct data_options *options)
{
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, options, &store));
    return store;
}

static struct data_store *open_store(struct world *world)
{
    struct data_options options = options_of(world);
    return open_with(world, &options);
}

static uint64_t rows_in(struct data_store *store, const char *table, struct str group)
{
    struct data_view view;
    data_view_begin(store, &view);
    uint64_t rows = data_view_rows_in(&view, data_table(store, table), group);
    data_view_end(&view);
    return rows;
}

static const char *why_bad(struct world *world)
{
    struct data_options options = options_of(world);
    struct data_doctor_report report;
    assert_ok(&world->support, data_doctor(&world->support.cx, &options, &report));
    return report.bad_tables ? report.first_bad_why : "";
}

enum { GROUPS = 4, NUMBERS = 50 };

static struct str group_name(size_t group)
{
    static const char *const names[GROUPS] = {"", "north", "north-west", "\xff"};
    return str_from(names[group]);
}

static struct str key_in(struct arena *arena, size_t group, size_t number)
{
    struct str name = group_name(group);
    return arena_printf(arena, "%.*s%c%zu", STR_ARGS(name), 0, number);
}

static void assert_counts(struct data_store *store, const bool there[GROUPS][NUMBERS])
{
    uint64_t all = 0;
    for (size_t group = 0; group < GROUPS; group++) {
        uint64_t rows = 0;
        for (size_t i = 0; i < NUMBERS; i++)
            rows += there[group][i];
        assert_int_equal(rows_in(store, "t.one", group_name(group)), rows);
        all += rows;
    }
    assert_int_equal(data_rows(data_table(store, "t.one")), all);
    assert_int_equal(rows_in(store, "t.one", STR("nobody")), 0);
}

static void test_rows__are_those_of_a_model_after_every_commit_and_reopening(void **state)
{
    struct world *world = *state;
    uint64_t random = pick_seed();
    bool there[GROUPS][NUMBERS] = {0};
    struct data_store *store = open_store(world);
    struct arena arena = {0};
    for (uint64_t seq = 1; seq <= 400; seq++) {
        struct data_table *one = data_table(store, "t.one");
        struct data_txn *txn = data_txn_begin(store);
        uint64_t puts_of_ten = hash_random(&random) % 11; /* now it fills, now it empties */
        for (int i = 0; i < 40; i++) {
            size_t group = hash_random(&random) % GROUPS, number = hash_random(&random) % NUMBERS;
            size_t mark = data_txn_mark(txn);
            bool put = hash_random(&random) % 10 < puts_of_ten;
            if (put) /* some are put again, some rows lie on pages of their own */
                data_txn_put(txn, one, key_in(&arena, group, number), body_of(&arena, seq, number == 7 ? 40000 : 100));
            else /* some never were */
                data_txn_delete(txn, one, key_in(&arena, group, number));
            if (hash_random(&random) % 4 == 0)
                data_txn_undo_to(txn, mark);
            else
                there[group][number] = put;
        }
        data_txn_put(txn, data_table(store, "t.two"), STR("always the same"), body_of(&arena, seq, 30));
        data_txn_commit(txn, seq, NULL, NULL);
        if (seq % 50 == 0) {
            data_close(store);
            assert_string_equal(why_bad(world), "");
            store = open_store(world);
        }
        assert_counts(store, there);
        assert_int_equal(data_rows(data_table(store, "t.two")), 1);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    data_close(store);
}

static void put_some(struct data_store *store)
{
    struct data_txn *txn = data_txn_begin(store);
    data_txn_put(txn, data_table(store, "t.one"), str_make("north\0a", 7), STR("1"));
    data_txn_put(txn, data_table(store, "t.one"), str_make("north\0b", 7), STR("2"));
    data_txn_put(txn, data_table(store, "t.one"), STR("no zero byte"), STR("3"));
    data_txn_put(txn, data_table(store, "t.two"), str_make("lake\0c", 6), STR("4"));
    data_txn_commit(txn, 1, NULL, NULL);
}

/* Behind the store's back. */
static void set_meta(struct data_store *store, struct str key, struct str row)
{
    DB *db = store_meta(store)->db;
    DBT key_dbt = store_dbt(key), row_dbt = store_dbt(row);
    assert_int_equal(row.data ? db->put(db, NULL, &key_dbt, &row_dbt, 0) : db->del(db, NULL, &key_dbt, 0), 0);
}

static void test_rows__of_a_store_made_before_there_were_counts_are_counted_once(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    put_some(store);
    struct buf applied = {0};
    buf_put_u64(&applied, 1);
    set_meta(store, STR("applied"), buf_str(&applied));
    buf_fini(&applied);
    set_meta(store, str_make("rows\0t.one\0north", 16), STR_NONE);
    set_meta(store, str_make("rows\0t.one\0no zero byte", 23), STR_NONE);
    data_close(store);
    for (int time = 0; time < 2; time++) { /* counted; then read */
        store = open_store(world);
        assert_int_equal(data_rows(data_table(store, "t.one")), 3);
        assert_int_equal(data_rows(data_table(store, "t.two")), 1);
        assert_int_equal(rows_in(store, "t.one", STR("north")), 2);
        assert_int_equal(rows_in(store, "t.one", STR("no zero byte")), 1);
        assert_int_equal(data_applied_seq(store), 1);
        data_close(store);
    }
    assert_string_equal(why_bad(world), "");
}

static void test_groups__are_counted_anew_when_other_tables_are_grouped(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    put_some(store);
    data_close(store);
    struct data_options options = options_of(world);
    options.grouped = OTHERS;
    store = open_with(world, &options);
    assert_int_equal(rows_in(store, "t.two", STR("lake")), 1);
    struct data_txn *txn = data_txn_begin(store);
    data_txn_delete(txn, data_table(store, "t.one"), str_make("north\0a", 7));
    data_txn_commit(txn, 2, NULL, NULL);
    data_close(store);
    store = open_store(world); /* and back: what was written for t.one then is not believed */
    assert_int_equal(rows_in(store, "t.one", STR("north")), 1);
    data_close(store);
    assert_string_equal(why_bad(world), "");
}

static void test_doctor__finds_a_count_that_is_wrong(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    put_some(store);
    struct buf row = {0};
    buf_put_u64(&row, 3);
    set_meta(store, str_make("rows\0t.one\0north", 16), buf_str(&row));
    data_close(store);
    assert_string_equal(why_bad(world), "row count");
    buf_clear(&row);
    buf_put_u64(&row, 2);
    store = open_store(world);
    set_meta(store, str_make("rows\0t.one\0north", 16), buf_str(&row));
    data_close(store);
    assert_string_equal(why_bad(world), "");
    store = open_store(world);
    store->tables[1].rows++; /* a commit that miscounted would store this with the next one */
    struct data_txn *txn = data_txn_begin(store);
    data_txn_put(txn, data_table(store, "t.one"), STR("one more"), STR(""));
    data_txn_commit(txn, 2, NULL, NULL);
    data_close(store);
    assert_string_equal(why_bad(world), "row count");
    buf_fini(&row);
}

/* ---- counted again while commits go on ---- */

struct commits {
    struct data_store *store;
    _Atomic bool stop;
    uint64_t random, seq;
};

/* Rows come and go everywhere. */
static void *commit_on(void *arg)
{
    struct commits *commits = arg;
    struct arena arena = {0};
    struct data_table *one = data_table(commits->store, "t.one");
    while (!atomic_load(&commits->stop)) {
        struct data_txn *txn = data_txn_begin(commits->store);
        for (int i = 0; i < 20; i++) {
            struct str key =
                key_in(&arena, hash_random(&commits->random) % GROUPS, hash_random(&commits->random) % 4000);
            if (hash_random(&commits->random) % 2)
                data_txn_put(txn, one, key, STR("x"));
            else
                data_txn_delete(txn, one, key);
        }
        data_txn_commit(txn, ++commits->seq, NULL, NULL);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

static void note_miscount(void *arg, const struct data_miscount *miscount)
{
    struct buf *told = arg;
    buf_printf(told, "%s%s%.*s %llu %llu;", miscount->table, miscount->of_group ? "/" : "", STR_ARGS(miscount->group),
               (unsigned long long)miscount->kept, (unsigned long long)miscount->there);
}

static void assert_recounted(struct world *world, struct data_store *store, const char *want)
{
    SCOPED(buf_fini) struct buf told = {0};
    uint64_t rows = 0;
    assert_ok(&world->support, data_recount(store, &world->support.cx, note_miscount, &told, &rows));
    assert_str(buf_str(&told), want);
}

static void test_recount__agrees_at_every_moment_while_commits_go_on(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    struct commits commits = {.store = store, .random = pick_seed()};
    struct data_txn *txn = data_txn_begin(store);
    for (size_t i = 0; i < 8000; i++)
        data_txn_put(txn, data_table(store, "t.one"), key_in(&world->support.arena, i % GROUPS, i / 2), STR("x"));
    data_txn_commit(txn, ++commits.seq, NULL, NULL);
    pthread_t writer;
    pthread_create(&writer, NULL, commit_on, &commits);
    struct data_stats before, now;
    data_stats(store, &before);
    for (int i = 0; i < 30; i++)
        assert_recounted(world, store, "");
    data_stats(store, &now);
    assert_true(now.commits > before.commits); /* they did go on */
    atomic_store(&commits.stop, true);
    pthread_join(writer, NULL);
    data_close(store);
}

static void test_recount__tells_each_count_that_is_wrong_and_by_how_much(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    put_some(store);
    assert_recounted(world, store, "");
    *map_put(&store->tables[0].groups, STR("north"), NULL) = 5;
    *map_put(&store->tables[0].groups, STR("gone"), NULL) = 1;
    store->tables[1].rows = 0;
    assert_recounted(world, store, "t.one/north 5 2;t.one/gone 1 0;t.two 0 1;");
    *map_put(&store->tables[0].groups, STR("north"), NULL) = 2;
    map_remove(&store->tables[0].groups, STR("gone"));
    store->tables[1].rows = 1;
    assert_recounted(world, store, "");
    data_close(store);
}

static void test_recount__ends_when_nobody_waits_for_it(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    struct data_txn *txn = data_txn_begin(store);
    for (size_t i = 0; i < 2000; i++)
        data_txn_put(txn, data_table(store, "t.one"), key_in(&world->support.arena, 1, i), STR("x"));
    data_txn_commit(txn, 1, NULL, NULL);
    atomic_bool gone = true;
    world->support.cx.gone = &gone;
    SCOPED(buf_fini) struct buf told = {0};
    uint64_t rows;
    assert_fails(&world->support, data_recount(store, &world->support.cx, note_miscount, &told, &rows),
                 "base.cancelled");
    world->support.cx.gone = NULL;
    assert_null(store->recounts);
    put_some(store); /* no commit remembers it */
    data_close(store);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_rows__are_those_of_a_model_after_every_commit_and_reopening),
        T(test_rows__of_a_store_made_before_there_were_counts_are_counted_once),
        T(test_groups__are_counted_anew_when_other_tables_are_grouped),
        T(test_doctor__finds_a_count_that_is_wrong),
        T(test_recount__agrees_at_every_moment_while_commits_go_on),
        T(test_recount__tells_each_count_that_is_wrong_and_by_how_much),
        T(test_recount__ends_when_nobody_waits_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
