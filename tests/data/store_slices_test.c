/* A large commit lets readers in between its slices: they see all of it or nothing, in every way there is to read. */
#include "journal_world.h"
#include "store_internal.h"

#include <sys/wait.h>

static const struct data_table_spec TABLES[] = {{.name = "t.one"}, {.name = "t.two"}};

enum { STAY = 3000, COME = 4000, LONG_ROW_BYTES = 300 * 1024 };

static struct data_store *open_store(struct world *world)
{
    static const char *const grouped[] = {"t.two"};
    struct data_options options = {.dir = world->dir,
                                   .format = 3,
                                   .cache_bytes = 16 << 20,
                                   .tables = TABLES,
                                   .table_count = 2,
                                   .grouped = grouped,
                                   .grouped_count = 1};
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    return store;
}

/* Rows that stay have even numbers, rows that come odd ones, and all above. */
static struct str key_of(struct arena *arena, uint64_t number)
{
    return arena_printf(arena, "g%llu%c%06llu", (unsigned long long)number % 3, 0, (unsigned long long)number);
}

static void fill(struct data_store *store, struct arena *arena)
{
    for (size_t i = 0; i < 2; i++) {
        struct data_txn *txn = data_txn_begin(store);
        for (uint64_t n = 0; n < STAY; n++)
            data_txn_put(txn, data_table(store, TABLES[i].name), key_of(arena, 2 * n), STR("stays"));
        data_txn_commit(txn, i + 1, NULL, NULL);
    }
}

static struct data_txn *large(struct data_store *store, struct arena *arena)
{
    static const char row[LONG_ROW_BYTES];
    struct data_txn *txn = data_txn_begin(store);
    for (size_t i = 0; i < 2; i++) {
        struct data_table *table = data_table(store, TABLES[i].name);
        for (uint64_t n = 0; n < COME; n++)
            data_txn_put(txn, table, key_of(arena, 2 * n + 1), n % 500 == 7 ? str_make(row, sizeof row) : STR("comes"));
        data_txn_put(txn, table, STR(" before all"), STR("comes"));
        data_txn_put(txn, table, key_of(arena, 20), STR("changes"));
        data_txn_delete(txn, table, key_of(arena, 22));
        data_txn_put(txn, table, key_of(arena, 7), STR("comes after all"));
        data_txn_delete(txn, table, key_of(arena, 9)); /* does not come after all */
    }
    return txn;
}

/* ---- every way to read, as one hash ---- */

static bool add_row(void *arg, struct str key, struct str row)
{
    struct buf *seen = arg;
    uint64_t hashes[3] = {*(uint64_t *)(void *)seen->data, str_hash(key), str_hash(row)};
    *(uint64_t *)(void *)seen->data = str_hash(str_make((const char *)hashes, sizeof hashes));
    return true;
}

static void must_not_differ(void *arg, const struct data_miscount *miscount)
{
    (void)arg;
    fail_msg("%s: kept %llu, counted %llu", miscount->table, (unsigned long long)miscount->kept,
             (unsigned long long)miscount->there);
}

static void add_scans(struct data_table *table, struct ctx *cx, struct buf *seen)
{
    const struct str from[] = {STR_NONE, key_of(cx->arena, 7), key_of(cx->arena, 20), key_of(cx->arena, 2 * COME - 1)};
    const struct str prefixes[] = {STR_NONE, STR("g1"), STR(" ")};
    for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++)
        for (size_t f = 0; f < sizeof from / sizeof from[0]; f++) {
            assert_int_equal(data_scan(table, cx, prefixes[p], from[f], add_row, seen), STATUS_OK);
            assert_int_equal(data_scan_back(table, cx, prefixes[p], from[f], add_row, seen), STATUS_OK);
        }
}

static void add_gets(struct data_table *table, struct ctx *cx, struct buf *seen)
{
    static const uint64_t numbers[] = {0, 1, 7, 9, 15, 20, 22, 2 * COME - 1};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct str key = key_of(cx->arena, numbers[i]), row = STR_NONE;
        status got = data_get(table, cx, key, &row);
        assert_true(got == STATUS_OK || got == STATUS_NOT_FOUND);
        add_row(seen, key, got == STATUS_OK ? row : STR("none"));
    }
    ctx_clear(cx);
}

static uint64_t look(struct data_store *store)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    uint64_t hash = 0, rows;
    struct buf seen = {0};
    buf_put(&seen, &hash, sizeof hash);
    for (size_t i = 0; i < 2; i++) {
        struct data_table *table = data_table(store, TABLES[i].name);
        add_scans(table, &cx, &seen);
        add_gets(table, &cx, &seen);
        SCOPED(data_view_end) struct data_view view;
        data_view_begin(store, &view);
        rows = data_view_rows(&view, table) * 10000 + (i ? data_view_rows_in(&view, table, STR("g1")) : 0);
        add_row(&seen, STR("rows"), str_make((const char *)&rows, sizeof rows));
    }
    uint8_t digest[32];
    assert_int_equal(data_digest(store, &cx, digest), STATUS_OK);
    add_row(&seen, STR("digest"), str_make((const char *)digest, sizeof digest));
    assert_int_equal(data_recount(store, &cx, must_not_differ, NULL, &rows), STATUS_OK);
    add_row(&seen, STR("recount"), str_make((const char *)&rows, sizeof rows));
    hash = *(uint64_t *)(void *)seen.data;
    buf_fini(&seen);
    arena_fini(&arena);
    return hash;
}

static struct {
    struct data_store *store;
    uint64_t before, slices, published;
} beside;

static void look_between(void)
{
    if (beside.slices++ % 7 == 0) /* each look reads everything */
        assert_true(look(beside.store) == beside.before);
    assert_int_equal(beside.published, 0);
}

static void publish(void *arg)
{
    (void)arg;
    beside.published++;
}

static void test_large_commit__is_seen_whole_or_not_at_all(void **state)
{
    struct world *world = *state;
    struct arena *arena = &world->support.arena;
    struct data_store *store = open_store(world);
    fill(store, arena);
    beside.store = store;
    beside.before = look(store);
    beside.slices = beside.published = 0;
    void (*as_it_was)(void) = store_between_slices;
    store_between_slices = look_between;
    data_txn_commit(large(store, arena), 3, publish, NULL);
    store_between_slices = as_it_was;
    assert_true(beside.slices >= 2 * COME / 256);
    assert_int_equal(beside.published, 1);
    uint64_t after = look(store);
    assert_true(after != beside.before);
    for (size_t i = 0; i < 2; i++) {
        struct data_view view;
        data_view_begin(store, &view);
        assert_int_equal(data_view_rows(&view, data_table(store, TABLES[i].name)), STAY + COME - 1); /* one more before all; two less */
        data_view_end(&view);
        struct str row;
        assert_ok(&world->support,
                  data_get(data_table(store, TABLES[i].name), &world->support.cx, key_of(arena, 7), &row));
        assert_str(row, "comes after all");
        assert_ok(&world->support,
                  data_get(data_table(store, TABLES[i].name), &world->support.cx, key_of(arena, 20), &row));
        assert_str(row, "changes");
    }
    data_close(store);
    store = open_store(world);
    assert_true(look(store) == after);
    data_close(store);
}

/* As of one commit when it ends, though a large one came while it was half way. */
static struct {
    struct data_store *store;
    struct arena arena;
} half_way;

static bool commit_half_way(void *arg, struct str key, struct str row)
{
    (void)key, (void)row;
    uint64_t *rows = arg;
    if (++*rows == STAY / 2)
        data_txn_commit(large(half_way.store, &half_way.arena), 3, NULL, NULL);
    return true;
}

static void test_scan__goes_on_over_a_large_commit(void **state)
{
    struct world *world = *state;
    half_way.store = open_store(world);
    fill(half_way.store, &world->support.arena);
    uint64_t rows = 0;
    assert_ok(&world->support,
              data_scan_all(data_table(half_way.store, "t.one"), &world->support.cx, commit_half_way, &rows));
    assert_true(rows >= STAY && rows < STAY + COME); /* those before it never, those after it all */
    arena_fini(&half_way.arena);
    data_close(half_way.store);
}

/* A crash between slices: as if it had not begun. */
static void die(void)
{
    if (++beside.slices == 5)
        _exit(0);
}

static void test_crash_between_slices__leaves_nothing_of_it(void **state)
{
    struct world *world = *state;
    pid_t child = fork();
    if (child == 0) {
        struct data_store *store = open_store(world);
        fill(store, &world->support.arena);
        IGNORE(data_checkpoint(store, &world->support.cx));
        beside.slices = 0;
        store_between_slices = die;
        data_txn_commit(large(store, &world->support.arena), 3, NULL, NULL);
        _exit(1);
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    struct data_store *store = open_store(world);
    assert_int_equal(data_applied_seq(store), 2);
    struct str row;
    assert_int_equal(data_get(data_table(store, "t.one"), &world->support.cx, key_of(&world->support.arena, 1), &row),
                     STATUS_NOT_FOUND);
    struct data_view view;
    data_view_begin(store, &view);
    assert_int_equal(data_view_rows(&view, data_table(store, "t.one")), STAY);
    data_view_end(&view);
    IGNORE(look(store)); /* counts agree with rows */
    data_txn_commit(large(store, &world->support.arena), 3, NULL, NULL);
    IGNORE(look(store));
    data_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_large_commit__is_seen_whole_or_not_at_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scan__goes_on_over_a_large_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crash_between_slices__leaves_nothing_of_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
