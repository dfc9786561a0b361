/* What the store gives back is the index that was grown: same rows, blocks, edges, clusters, numbers, answers. */
#include "ask_internal.h"
#include "people.h"

static int order_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* The records a row finds, at most `max`, as a sorted set. */
static size_t candidates_of(const struct mpi *mpi, const struct mpi_row *row, uint32_t *out, size_t max)
{
    size_t count = index_candidates(mpi, row, out, max);
    qsort(out, count, sizeof *out, order_numbers);
    return count;
}

static void check_candidates(const struct mpi *live, const struct mpi *opened, uint32_t record)
{
    static const size_t cuts[] = {1, 3, 8, 1000};
    const struct mpi_row *row = live->entries[record].row;
    for (size_t i = 0; row && i < sizeof cuts / sizeof cuts[0]; i++) {
        uint32_t a[1000], b[1000];
        size_t a_count = candidates_of(live, row, a, cuts[i]), b_count = candidates_of(opened, row, b, cuts[i]);
        assert_int_equal(a_count, b_count);
        assert_memory_equal(a, b, a_count * sizeof a[0]);
    }
}

static void check_entry(const struct mpi *live, const struct mpi *opened, uint32_t record)
{
    const struct entry *a = &live->entries[record], *b = &opened->entries[record];
    assert_int_equal(a->own_key, b->own_key);
    assert_int_equal(a->person, b->person);
    assert_int_equal(a->retired_into, b->retired_into);
    assert_int_equal(a->row != NULL, b->row != NULL);
    if (a->row) {
        assert_int_equal(row_bytes(a->row), row_bytes(b->row));
        assert_memory_equal(a->row, b->row, row_bytes(a->row));
    }
    assert_int_equal(a->edge_count, b->edge_count);
    if (a->edge_count)
        assert_memory_equal(a->edges, b->edges, a->edge_count * sizeof a->edges[0]);
}

static void check_person(struct ctx *cx, struct mpi *live, struct mpi *opened, uint32_t record)
{
    uint32_t *a, *b, a_person, b_person;
    size_t a_count = person_members(live, cx, record, &a, &a_person),
           b_count = person_members(opened, cx, record, &b, &b_person);
    assert_int_equal(a_person, b_person);
    assert_int_equal(a_count, b_count);
    assert_memory_equal(a, b, a_count * sizeof a[0]);
}

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
    assert_ok(&world->support, mpi_open(cx, world->store, &opened));
    opened->block_cap = live->block_cap;
    assert_int_equal(live->count, opened->count);
    assert_int_equal(live->persons, opened->persons);
    assert_int_equal(live->decisions.count, opened->decisions.count);
    assert_int_equal(live->open_reviews.count, opened->open_reviews.count);
    for (uint32_t i = 1; i <= live->count; i++) {
        check_entry(live, opened, i);
        check_candidates(live, opened, i);
        check_person(cx, live, opened, i);
    }
    for (uint32_t i = 0; i < 40; i++) {
        struct person_text text;
        people_make(&seed, 1000 + i, i % 12, &text);
        check_identify(world, opened, &text.human);
    }
    assert_int_equal(mpi_count(live).reviews_open, mpi_count(opened).reviews_open);
    mpi_close(opened);
    arena_rewind(cx->arena, mark);
}

/* One step of a random history: records that come, change and go, messages, stewards. */
static void step_at_random(struct world *world, uint64_t *random)
{
    static const enum mpi_decision_kind messages[] = {MPI_DECISION_MERGE, MPI_DECISION_LINK, MPI_DECISION_UNLINK};
    static const enum mpi_decision_kind stewards[] = {MPI_DECISION_SAME, MPI_DECISION_DIFFERENT, MPI_DECISION_UNDO};
    uint64_t what = hash_random(random) % 16, count = world->mpi->count;
    uint32_t a = (uint32_t)(hash_random(random) % 150), b = (uint32_t)(hash_random(random) % 150);
    struct mpi_result result;
    if (what < 10 || count < 3) {
        struct person_text text;
        struct said said;
        people_make(random, a, (uint32_t)(hash_random(random) % 30), &text);
        said_fill(&said, &text.human);
        said.input.deactivate = what == 0;
        assert_ok(&world->support,
                  mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &said.input, &result));
    } else if (what < 13) {
        char left[12], right[12];
        snprintf(left, sizeof left, "%u", a);
        snprintf(right, sizeof right, "%u", b);
        IGNORE(world_message(world, messages[what - 10], left, right, &result)); /* cycles and strangers are refused */
    } else {
        IGNORE(world_steward(world, stewards[what - 13], a % count + 1, b % count + 1,
                             hash_random(random) % (world->seq + 1), &result));
    }
}

static void check_history(uint64_t seed, uint32_t block_cap)
{
    struct world world;
    world_init(&world);
    world.mpi->block_cap = block_cap;
    uint64_t random = seed;
    print_message("seed %llu, cap %u\n", (unsigned long long)seed, block_cap);
    for (int step = 0; step < 300; step++) {
        struct arena_mark mark = arena_mark(world.support.cx.arena);
        step_at_random(&world, &random);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open__equals_the_index_that_was_grown),
        cmocka_unit_test(test_open__equals_the_index_that_was_grown_when_keys_are_too_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
