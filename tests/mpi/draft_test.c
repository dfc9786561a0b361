/* What is applied is a draft: seen by the writer alone until the commit, and taken back without a trace. */
#include "random_history.h"
#include "same.h"

struct marks {
    struct mpi_mark people;
    size_t rows;
};

static struct marks mark(struct world *world)
{
    return (struct marks){mpi_mark(world->mpi), data_txn_mark(world->txn)};
}

static void undo(struct world *world, struct marks marks)
{
    mpi_undo_to(world->mpi, marks.people);
    data_txn_undo_to(world->txn, marks.rows);
}

static void digest(struct world *world, uint8_t out[32])
{
    assert_ok(&world->support, data_digest(world->store, &world->support.cx, out));
}

/* Two worlds live the same history; in one, entries of every kind are refused on the way, some after several steps. */
static void check_refusals(uint64_t seed, uint32_t block_cap)
{
    struct world plain, refusing;
    world_init_capped(&plain, block_cap);
    world_init_capped(&refusing, block_cap);
    uint64_t plain_random = seed, random = seed, more = seed * 7919;
    for (int step = 0; step < 200; step++) {
        struct arena_mark left = arena_mark(plain.support.cx.arena), right = arena_mark(refusing.support.cx.arena);
        for (uint64_t refused = hash_random(&more) % 3; refused > 0; refused--) {
            struct marks outer = mark(&refusing);
            uint64_t seq = refusing.seq;
            for (uint64_t steps = hash_random(&more) % 4; steps > 0; steps--) {
                history_step(&refusing, &more);
                struct marks inner = mark(&refusing); /* as an A40 with one bad group among good ones */
                history_step(&refusing, &more);
                if (steps & 1)
                    undo(&refusing, inner);
            }
            refusing.seq = seq;
            undo(&refusing, outer);
        }
        (void)mark(&plain);
        history_step(&plain, &plain_random);
        (void)mark(&refusing);
        history_step(&refusing, &random);
        if (step % 20 == 19)
            same_index(plain.mpi, refusing.mpi, APPLIED);
        if (step % 40 == 39) {
            world_commit(&plain);
            world_commit(&refusing);
            same_index(plain.mpi, refusing.mpi, SHOWN);
            uint8_t a[32], b[32];
            digest(&plain, a);
            digest(&refusing, b);
            assert_memory_equal(a, b, sizeof a);
        }
        arena_rewind(plain.support.cx.arena, left);
        arena_rewind(refusing.support.cx.arena, right);
    }
    world_fini(&plain);
    world_fini(&refusing);
}

static void test_refused__entries_leave_no_trace(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 3; seed++)
        check_refusals(seed, BLOCK_CAP_DEFAULT);
    for (uint64_t seed = 4; seed < 7; seed++)
        check_refusals(seed, seed % 2 ? 4 : 9); /* blocks close and open again all the time */
}

/* The index that is shown stays the one the store holds, whatever is drafted above it. */
static void check_shown(uint64_t seed)
{
    struct world world;
    world_init(&world);
    uint64_t random = seed;
    for (int batch = 0; batch < 12; batch++) {
        struct mpi *stored;
        assert_ok(&world.support, mpi_open(&world.support.cx, world.store, &stored));
        for (int step = 0; step < 25; step++)
            history_step(&world, &random);
        same_index(world.mpi, stored, SHOWN);
        mpi_close(stored);
        world_commit(&world);
    }
    world_fini(&world);
}

static void test_draft__is_seen_by_no_reader_before_the_commit(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed < 15; seed++)
        check_shown(seed);
}

/* The writer's rounds begin anew at the end of 32 bits, and nothing else happens. */
static void test_rounds__begin_anew_at_the_end_of_32_bits(void **state)
{
    (void)state;
    struct world late, early;
    world_init(&late);
    world_init(&early);
    late.mpi->visit = UINT32_MAX - 100;
    uint64_t late_random = 5, early_random = 5;
    for (int step = 0; step < 300; step++) {
        history_step(&late, &late_random);
        history_step(&early, &early_random);
    }
    assert_true(late.mpi->visit < UINT32_MAX - 100);
    same_index(late.mpi, early.mpi, APPLIED);
    world_fini(&late);
    world_fini(&early);
}

/* A daemon that ends in the middle of a batch: nothing is shown, nothing leaks (the sanitizer sees it). */
static void test_close__drops_what_was_not_committed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint64_t random = 3;
    for (int step = 0; step < 60; step++)
        history_step(&world, &random);
    world_commit(&world);
    for (int step = 0; step < 60; step++)
        history_step(&world, &random);
    data_txn_abort(world.txn);
    mpi_close(world.mpi);
    data_close(world.store);
    world_open(&world);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused__entries_leave_no_trace),
        cmocka_unit_test(test_draft__is_seen_by_no_reader_before_the_commit),
        cmocka_unit_test(test_close__drops_what_was_not_committed),
        cmocka_unit_test(test_rounds__begin_anew_at_the_end_of_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
