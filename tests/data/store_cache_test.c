/* How much memory the tables are kept in: a part of what there is, or of what the control group allows. */
#include "journal_world.h"
#include "store_internal.h"

static const uint64_t MIB = 1u << 20, GIB = 1u << 30;

static void test_cache__is_a_part_within_bounds(void **state)
{
    (void)state;
    static const struct {
        uint64_t memory, want;
    } cases[] = {
        {0, 64ull << 20},
        {1ull << 30, 64ull << 20},
        {2ull << 30, 64ull << 20},
        {4ull << 30, 128ull << 20},
        {24ull << 30, 768ull << 20},
        {32ull << 30, 1ull << 30},
        {1024ull << 30, 1ull << 30},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(store_cache_part(cases[i].memory), cases[i].want);
}

static void write_text(struct world *world, const char *path, const char *text)
{
    assert_ok(&world->support, file_replace(&world->support.cx, path, str_from(text), 0600));
}

static void test_memory_limit__is_the_lowest_of_the_groups_up_to_the_root(void **state)
{
    struct world *world = *state;
    struct arena *arena = &world->support.arena;
    struct ctx *cx = &world->support.cx;
    const char *root = arena_printf(arena, "%s/cgroup", world->dir).data;
    const char *file = arena_printf(arena, "%s/self", world->dir).data;
    const char *slice = arena_printf(arena, "%s/system.slice", root).data;
    const char *service = arena_printf(arena, "%s/idemd.service", slice).data;
    assert_ok(&world->support, file_make_dirs(cx, service));
    assert_int_equal(store_memory_limit(cx, file, root, 8 * GIB), 8 * GIB); /* no control groups */
    write_text(world, file, "4:memory:/somewhere\n0::/system.slice/idemd.service\n");
    assert_int_equal(store_memory_limit(cx, file, root, 8 * GIB), 8 * GIB); /* without the file */
    write_text(world, arena_printf(arena, "%s/memory.max", service).data, "max\n");
    assert_int_equal(store_memory_limit(cx, file, root, 8 * GIB), 8 * GIB);
    write_text(world, arena_printf(arena, "%s/memory.max", service).data, "4294967296\n");
    assert_int_equal(store_memory_limit(cx, file, root, 8 * GIB), 4 * GIB);
    write_text(world, arena_printf(arena, "%s/memory.max", slice).data, "3221225472\n");
    assert_int_equal(store_memory_limit(cx, file, root, 8 * GIB), 3 * GIB);
    write_text(world, arena_printf(arena, "%s/memory.max", root).data, "536870912\n"); /* a container sees it here */
    assert_int_equal(store_memory_limit(cx, file, root, 8 * GIB), 512 * MIB);
    assert_int_equal(store_memory_limit(cx, file, root, 128 * MIB), 128 * MIB); /* more than there is */
    write_text(world, file, "0::/\n");
    assert_int_equal(store_memory_limit(cx, file, root, 8 * GIB), 512 * MIB);
}

static uint64_t cache_of(struct world *world, uint64_t cache_bytes)
{
    static const struct data_table_spec tables[] = {{.name = "t.one"}};
    struct data_options options = {
        .dir = world->dir, .format = 1, .cache_bytes = cache_bytes, .tables = tables, .table_count = 1};
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    uint32_t gib, bytes;
    int pieces;
    assert_int_equal(store->env->get_cachesize(store->env, &gib, &bytes, &pieces), 0);
    data_close(store);
    return gib * GIB + bytes;
}

/* Berkeley DB adds a quarter to small ones. */
static void test_open__takes_the_default_or_what_is_said(void **state)
{
    struct world *world = *state;
    uint64_t want = store_cache_default(&world->support.cx), got = cache_of(world, 0);
    assert_true(got >= want && got <= want + want / 4 + MIB);
    got = cache_of(world, 20 * MIB);
    assert_true(got >= 20 * MIB && got <= 26 * MIB);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_cache__is_a_part_within_bounds),
        T(test_memory_limit__is_the_lowest_of_the_groups_up_to_the_root),
        T(test_open__takes_the_default_or_what_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
