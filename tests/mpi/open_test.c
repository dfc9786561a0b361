/* What the store gives back is the index that was grown: same rows, blocks, edges, clusters, numbers, answers. */
#include "random_history.h"
#include "same.h"

static void check_identify(struct world *world, struct mpi *opened, const struct human *human)
{
    struct said said;
    struct mpi_match *a, *b;
    size_t a_count, b_count;
    struct ctx *cx = &world->support.cx;
    said_fill(&said, human);
    const struct mpi_record_input *input = &said.input;
    assert_ok(&world->support, mpi_identify(world->mpi, cx, input->identifiers, input->identifier_count,
                                            &input->demographics, 50, &a, &a_count));
    assert_ok(&world->support, mpi_identify(opened, cx, input->identifiers, input->identifier_count,
                                            &input->demographics, 50, &b, &b_count));
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_int_equal(a[i].person, b[i].person);
        assert_int_equal(a[i].record, b[i].record);
        assert_int_equal(a[i].comparison.score_mbit, b[i].comparison.score_mbit);
    }
}

static void check_opened(struct world *world, uint64_t seed)
{
    struct ctx *cx = &world->support.cx;
    struct arena_mark mark = arena_mark(cx->arena);
    struct mpi *live = world->mpi, *opened;
    assert_ok(&world->support, index_open(cx, world->store, live->block_cap, &opened));
    same_index(live, opened, SHOWN);
    for (uint32_t i = 0; i < 40; i++) {
        struct person_text text;
        people_make(&seed, 1000 + i, i % 12, &text);
        check_identify(world, opened, &text.human);
    }
    assert_int_equal(mpi_count(live).reviews_open, mpi_count(opened).reviews_open);
    mpi_close(opened);
    arena_rewind(cx->arena, mark);
}

static void check_history(uint64_t seed, uint32_t block_cap)
{
    struct world world;
    world_init_capped(&world, block_cap);
    uint64_t random = seed;
    print_message("seed %llu, cap %u\n", (unsigned long long)seed, block_cap);
    for (int step = 0; step < 300; step++) {
        struct arena_mark mark = arena_mark(world.support.cx.arena);
        history_step(&world, &random);
        arena_rewind(world.support.cx.arena, mark);
        if (step % 50 != 49)
            continue;
        world_commit(&world);
        check_opened(&world, random);
    }
    world_fini(&world);
}

static void test_open__equals_the_index_that_was_grown(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 103; seed++)
        check_history(seed, BLOCK_CAP_DEFAULT);
}

static void test_open__equals_the_index_that_was_grown_when_keys_are_too_common(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed < 203; seed++)
        check_history(seed, seed % 2 ? 4 : 12);
}

/* ---- damage ---- */

struct first {
    struct arena *arena;
    struct str key, row;
};

static bool keep_first(void *arg, struct str key, struct str row)
{
    struct first *first = arg;
    first->key = arena_str(first->arena, key);
    first->row = arena_str(first->arena, row);
    return false;
}

static void replace_row(struct world *world, struct data_table *table, struct str away, struct str key, struct str row)
{
    struct data_txn *txn = data_txn_begin(world->store);
    data_txn_delete(txn, table, away);
    data_txn_put(txn, table, key, row);
    data_txn_commit(txn, data_applied_seq(world->store), NULL, NULL);
}

static void check_damage(struct world *world, const char *name, bool of_key)
{
    struct support *s = &world->support;
    struct data_table *table = data_table(world->store, name);
    struct first first = {.arena = s->cx.arena};
    struct mpi *opened;
    assert_ok(s, data_scan_all(table, &s->cx, keep_first, &first));
    assert_true(first.key.len > 0);
    struct str key = of_key ? str_sub(first.key, 0, first.key.len - 1) : first.key;
    replace_row(world, table, first.key, key, of_key ? first.row : STR("\xff"));
    assert_fails(s, index_open(&s->cx, world->store, world->mpi->block_cap, &opened), "mpi.row-bad");
    replace_row(world, table, key, first.key, first.row);
    assert_ok(s, index_open(&s->cx, world->store, world->mpi->block_cap, &opened));
    mpi_close(opened);
}

static void test_open__refuses_a_row_or_key_that_cannot_be_read(void **state)
{
    (void)state;
    static const char *const tables[] = {"mpi.record", "mpi.member", "mpi.edge", "mpi.decision", "mpi.review"};
    struct world world;
    world_init(&world);
    uint64_t random = 100;
    for (int step = 0; step < 100; step++)
        history_step(&world, &random);
    world_commit(&world);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (int of_key = 0; of_key <= 1; of_key++)
            check_damage(&world, tables[i], of_key);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open__equals_the_index_that_was_grown),
        cmocka_unit_test(test_open__equals_the_index_that_was_grown_when_keys_are_too_common),
        cmocka_unit_test(test_open__refuses_a_row_or_key_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
