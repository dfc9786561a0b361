/* Codes through the whole engine: when readers see a release, and what a pack that is not whole does. */
#include "base/mem.h"
#include "loaders/codes.h"
#include "world.h"

#define MAP_HEAD "source_system,source_code,source_display,target_system,target_code,target_display,equivalence\n"

/* Makes a pack of a map with one row: GLU to `target`. Answers what would be registered. */
static struct codes_registration load_map(struct world *w, const char *version, const char *target)
{
    const char *path = arena_printf(&w->s.arena, "%s/map-%s.csv", w->dir, version).data;
    struct str text = arena_printf(&w->s.arena, MAP_HEAD "L,GLU,Glucose,LN,%s,Glucose,equivalent\n", target);
    assert_ok(&w->s, file_replace(&w->s.cx, path, text, 0600));
    struct loader_options options = {.path = path,
                                     .pack_dir = arena_printf(&w->s.arena, "%s/packs", w->dir).data,
                                     .system = STR("map:local"),
                                     .version = str_from(version)};
    struct loader_result result;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    return result.registration;
}

static uint64_t register_map(struct world *w, const char *version, const char *target)
{
    struct codes_registration registration = load_map(w, version, target);
    uint64_t release;
    assert_ok(&w->s, engine_register_codes(w->engine, &w->s.cx, &registration, &release));
    return release;
}

static void activate(struct world *w, uint64_t release)
{
    uint64_t seq;
    assert_ok(&w->s, engine_activate_codes(w->engine, &w->s.cx, release, &seq));
}

/* What readers are told GLU is; empty when no map knows it. */
static struct str translated(struct world *w)
{
    struct codes_snapshot *now = codes_snapshot_ref(engine_codes(w->engine));
    struct codes_translation *rows;
    size_t count;
    assert_ok(&w->s, codes_translate(now, &w->s.cx, STR("L"), STR("GLU"), STR("LN"), &rows, &count));
    struct str code = count ? arena_str(&w->s.arena, rows[0].code) : STR_NONE;
    codes_snapshot_unref(now);
    return code;
}

/* --- publish --- */

struct activating {
    struct world *w;
    uint64_t release;
    status got;
};

static void *activate_beside(void *arg)
{
    struct activating *activating = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    uint64_t seq;
    activating->got = engine_activate_codes(activating->w->engine, &cx, activating->release, &seq);
    arena_fini(&arena);
    return NULL;
}

/* While somebody looks at the store nothing can be committed. Was the new release seen all the same? */
static bool is_seen_before_commit(bool planted, int looks)
{
    struct world w = {0};
    support_init(&w.s);
    w.dir = support_make_dir(&w.s);
    struct engine_options options = {.dir = w.dir, .version = "test", .plant_publish_before_commit = planted};
    assert_ok(&w.s, engine_open(&w.s.cx, &options, &w.engine));
    activate(&w, register_map(&w, "1", "2345-7"));
    struct activating activating = {.w = &w, .release = register_map(&w, "2", "2951-2")};

    struct data_view view;
    data_view_begin(engine_store(w.engine), &view);
    pthread_t thread;
    pthread_create(&thread, NULL, activate_beside, &activating);
    bool seen = false;
    for (int i = 0; i < looks && !seen; i++) {
        seen = str_is(translated(&w), "2951-2");
        usleep(1000);
    }
    data_view_end(&view);
    pthread_join(thread, NULL);
    assert_int_equal(activating.got, STATUS_OK);
    assert_str(translated(&w), "2951-2");
    world_end(&w);
    return seen;
}

static void test_activation__is_seen_only_after_its_commit(void **state)
{
    (void)state;
    assert_false(is_seen_before_commit(false, 300));
    assert_true(is_seen_before_commit(true, 20000)); /* the planted bug is found */
}

/* --- packs that are not whole --- */

static const char *pack_path(struct world *w, const struct codes_registration *registration)
{
    return arena_printf(&w->s.arena, "%s/packs/%.*s", w->dir, STR_ARGS(registration->pack_file)).data;
}

/* Missing, or one bit of it flipped. */
static void spoil(struct world *w, const char *path, bool missing)
{
    SCOPED(buf_fini) struct buf bytes = {0};
    assert_ok(&w->s, file_read(&w->s.cx, path, 1 << 20, &bytes));
    assert_ok(&w->s, file_replace(&w->s.cx, arena_printf(&w->s.arena, "%s.copy", path).data, buf_str(&bytes), 0600));
    bytes.data[bytes.len / 2] ^= 1;
    assert_ok(&w->s, file_replace(&w->s.cx, path, buf_str(&bytes), 0600));
    if (missing)
        assert_int_equal(unlink(path), 0);
}

static void put_back(struct world *w, const char *path)
{
    assert_int_equal(rename(arena_printf(&w->s.arena, "%s.copy", path).data, path), 0);
    ctx_clear(&w->s.cx);
}

static void test_change__of_a_pack_that_is_not_whole_is_refused_and_is_no_entry(void **state)
{
    (void)state;
    struct world w = {0};
    world_begin(&w);
    activate(&w, register_map(&w, "1", "2345-7"));
    struct codes_registration second = load_map(&w, "2", "2951-2");
    const char *path = pack_path(&w, &second);
    uint64_t entries = journal_last_seq(engine_journal(w.engine)), release, seq;
    for (int missing = 0; missing < 2; missing++) {
        spoil(&w, path, missing);
        assert_fails(&w.s, engine_register_codes(w.engine, &w.s.cx, &second, &release), "codes.pack-damaged");
        put_back(&w, path);
    }
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), entries);
    assert_ok(&w.s, engine_register_codes(w.engine, &w.s.cx, &second, &release));

    entries = journal_last_seq(engine_journal(w.engine));
    spoil(&w, path, false);
    assert_fails(&w.s, engine_activate_codes(w.engine, &w.s.cx, release, &seq), "codes.pack-damaged");
    assert_fails(&w.s, engine_activate_codes(w.engine, &w.s.cx, 4711, &seq), "codes.release-unknown");
    assert_fails(&w.s, engine_rollback_codes(w.engine, &w.s.cx, STR("map:local"), &seq),
                 "codes.nothing-to-roll-back-to");
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), entries);
    assert_str(translated(&w), "2345-7"); /* in service all the while */
    put_back(&w, path);
    activate(&w, release);
    assert_str(translated(&w), "2951-2");
    world_end(&w);
}

static void remove_store(struct world *w)
{
    assert_ok(&w->s, data_discard(&w->s.cx, w->dir));
}

/* With the store as it was, and with one that must be made again from the journal: the entry is applied a second time,
 * and a pack that is gone meanwhile is no reason to refuse what was accepted. */
static void test_start__with_a_pack_that_is_not_whole_is_refused_until_it_is_back(void **state)
{
    (void)state;
    struct world w = {0};
    world_begin(&w);
    world_routes(&w,
                 arena_printf(&w.s.arena,
                              "destinations:\n  - { name: archive, file: { folder: %s } }\n"
                              "routes:\n  - { name: all, to: [archive], codes: [ { path: \"OBX(*)-3\", to: [LN] } ] "
                              "}\n",
                              w.folder));
    struct codes_registration registration = load_map(&w, "1", "2345-7");
    uint64_t release;
    assert_ok(&w.s, engine_register_codes(w.engine, &w.s.cx, &registration, &release));
    activate(&w, release);
    uint64_t seq = world_submit(&w, "lab",
                                STR("MSH|^~\\&|LAB|L|IDEM|HUB|20261121||ORU^R01|O1|P|2.5.1\rPID|1||7^^^N^MR||Doe^J\r"
                                    "OBR|1\rOBX|1|NM|GLU^Glucose^L||5|mmol/L\r"))
                       .seq;
    const char *path = pack_path(&w, &registration);
    for (int round = 0; round < 4; round++) {
        world_close(&w);
        spoil(&w, path, round & 1);
        if (round & 2)
            remove_store(&w);
        struct engine_options options = {.dir = w.dir, .version = "test"};
        assert_fails(&w.s, engine_open(&w.s.cx, &options, &w.engine), "codes.pack-damaged");
        const char *why = ctx_message(&w.s.cx).data;
        assert_non_null(strstr(why, strrchr(path, '/') + 1));
        assert_non_null(strstr(why, "next: put this file back into"));
        put_back(&w, path);
        world_open(&w);
        assert_str(translated(&w), "2345-7");
        struct engine_trace trace;
        assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, seq, STR_NONE, &trace));
        assert_int_equal(trace.code_count, 1);
        assert_str(trace.codes[0].outcome, "translated");
    }
    world_end(&w);
}

/* --- rows that cannot be read --- */

/* As a bit that fell over where page checksums do not look: the row is another one. */
static void replace_row(struct world *w, const char *table, struct str key, struct str row)
{
    struct data_table_spec tables[64];
    size_t count = 0;
    for (size_t i = 0; i < engine_table_count; i++)
        tables[count++] = engine_tables[i];
    for (size_t i = 0; i < mpi_table_count; i++)
        tables[count++] = mpi_tables[i];
    for (size_t i = 0; i < codes_table_count; i++)
        tables[count++] = codes_tables[i];
    assert_true(count <= sizeof tables / sizeof tables[0]);
    struct data_options options = {
        .dir = w->dir, .format = ENGINE_STORE_FORMAT, .tables = tables, .table_count = count};
    struct data_store *store;
    assert_ok(&w->s, data_open(&w->s.cx, &options, &store));
    struct data_txn *txn = data_txn_begin(store);
    data_txn_put(txn, data_table(store, table), key, row);
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
    data_close(store);
}

static void test_start__makes_the_store_again_when_a_row_about_codes_cannot_be_read(void **state)
{
    (void)state;
    struct world w = {0};
    world_begin(&w);
    uint64_t first = register_map(&w, "1", "2345-7"), second = register_map(&w, "2", "2951-2"), seq;
    activate(&w, first);
    activate(&w, second);
    static const struct {
        const char *table;
        struct str key, row;
    } cases[] = {
        {"codes.active", STR_INIT("map:local"), STR_INIT("\xff")},
        {"codes.active", STR_INIT("map:local"), STR_INIT("\x7f")}, /* once: nothing was active, silently */
        {"codes.release", STR_INIT("\0\0\0\0\0\0\0\x02"), STR_INIT("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        world_close(&w);
        replace_row(&w, cases[i].table, cases[i].key, cases[i].row);
        world_open(&w);
        assert_str(translated(&w), "2951-2");
    }
    assert_ok(&w.s, engine_rollback_codes(w.engine, &w.s.cx, STR("map:local"), &seq));
    assert_str(translated(&w), "2345-7");
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change__of_a_pack_that_is_not_whole_is_refused_and_is_no_entry),
        cmocka_unit_test(test_start__with_a_pack_that_is_not_whole_is_refused_until_it_is_back),
        cmocka_unit_test(test_start__makes_the_store_again_when_a_row_about_codes_cannot_be_read),
        cmocka_unit_test(test_activation__is_seen_only_after_its_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
