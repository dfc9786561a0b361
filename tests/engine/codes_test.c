/* Codes through the whole engine: when readers see a release, and what a pack that is not whole does. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activation__is_seen_only_after_its_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
