/* What is told about blocking: counts that can be checked by hand, and an estimate that follows from them. */
#include "mpi/blocking.h"

#include "people.h"
#include "study_internal.h"

static const struct mpi_blocking_rule *rule_named(const struct mpi_blocking *blocking, const char *name)
{
    for (size_t i = 0; i < MPI_BLOCKING_RULES; i++)
        if (strcmp(blocking->rules[i].name, name) == 0)
            return &blocking->rules[i];
    fail_msg("no rule %s", name);
    return NULL;
}

static void test_blocking__counts_keys_pairs_and_blocks_of_every_rule(void **state)
{
    (void)state;
    static const struct human people[] = {
        {.id = "1", .family = "Lindqvist", .given = "Anna", .birth = "19800229", .sex = 'F', .phone = "2065550143"},
        {.id = "2", .family = "Lindqvist", .given = "Anna", .birth = "19800229", .sex = 'F', .phone = "2065550143"},
        {.id = "3", .family = "Lindqvist", .given = "Anna", .birth = "19800229", .sex = 'F'},
        {.id = "4", .family = "Okonkwo", .given = "Chidi", .birth = "19750304", .sex = 'M', .phone = "2065550143"},
        {.id = "5", .family = "Achebe", .given = "Ngozi", .birth = "19851117", .sex = 'F', .phone = "2065550143"},
        {.id = "6", .family = "Mwangi", .given = "Peter", .birth = "19790412", .sex = 'M'},
    };
    struct world world;
    struct mpi_blocking blocking;
    world_init_capped(&world, 2);
    assert_ok(&world.support, mpi_blocking(world.mpi, &world.support.cx, &blocking));
    assert_int_equal(blocking.records, 0);
    assert_int_equal(blocking.missed, 0);
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
        (void)world_apply(&world, &people[i]);
    world_commit(&world);
    assert_ok(&world.support, mpi_blocking(world.mpi, &world.support.cx, &blocking));
    assert_int_equal(blocking.cap, 2);
    assert_int_equal(blocking.records, 6);
    assert_int_equal(blocking.bodies, 5); /* the first two say the same */
    const struct mpi_blocking_rule *names = rule_named(&blocking, "both names"),
                                   *phone = rule_named(&blocking, "phone");
    assert_int_equal(names->keys, 4);
    assert_int_equal(names->over_full, 0);
    assert_int_equal(names->pairs, 1);
    assert_int_equal(names->largest[0], 2);
    assert_int_equal(names->largest[1], 1);
    assert_int_equal(names->largest[4], 0);
    assert_int_equal(phone->keys,
                     1); /* of three bodies, more than two: narrowed, and they have nothing else in common */
    assert_int_equal(phone->over_full, 1);
    assert_int_equal(phone->largest[0], 3);
    assert_true(phone->narrower > 3);
    assert_int_equal(phone->pairs, 0);
    assert_int_equal(blocking.linked, 1); /* 1 and 3 */
    assert_int_equal(names->linked, 1);
    assert_int_equal(names->linked_alone, 0);
    assert_int_equal(phone->linked, 0);
    uint64_t found = 0, rules = 0;
    for (size_t i = 0; i <= MPI_BLOCKING_RULES; i++)
        found += blocking.found_by[i];
    for (size_t i = 0; i < MPI_BLOCKING_RULES; i++)
        rules += blocking.rules[i].linked;
    assert_int_equal(found, 1);
    assert_int_equal(blocking.found_by[rules], 1);
    world_fini(&world);
}

static void test_missed__is_chaos_lower_bound(void **state)
{
    (void)state;
    static const struct {
        uint64_t once, twice, want;
    } cases[] = {
        {0, 0, 0}, {0, 9, 0}, {1, 0, 0}, {4, 0, 6}, {10, 5, 10}, {3, 100, 0}, {1000000000, 1, 500000000000000000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(mpi_blocking_missed(cases[i].once, cases[i].twice), cases[i].want);
}

/* A study of the same people under the same cap. */
static struct mpi_study *study_of(struct world *world, uint32_t cap)
{
    struct mpi_study *study = mpi_study_new();
    study->mpi->block_cap = cap;
    assert_ok(&world->support, mpi_study_copy(study, &world->support.cx, world->mpi, MPI_COPY_ALL));
    mpi_study_link(study, mpi_model_general());
    return study;
}

static void test_study__tells_what_the_index_tells(void **state)
{
    (void)state;
    enum { RECORDS = 300, HUMANS = 120, CAP = 12 };
    struct world world;
    struct person_text text;
    struct mpi_blocking of_index, of_study;
    uint64_t seed = 5;
    world_init_capped(&world, CAP);
    for (uint32_t i = 0; i < RECORDS; i++) {
        people_make(&seed, i, i % HUMANS, &text);
        (void)world_apply(&world, &text.human);
    }
    world_commit(&world);
    struct mpi_study *study = study_of(&world, CAP);
    assert_ok(&world.support, mpi_blocking(world.mpi, &world.support.cx, &of_index));
    mpi_study_blocking(study, &of_study);
    assert_true(of_index.linked > 100 && of_index.records == RECORDS);
    assert_memory_equal(&of_index, &of_study, sizeof of_index);
    uint64_t over_full = 0;
    for (size_t i = 0; i < MPI_BLOCKING_RULES; i++)
        over_full += of_study.rules[i].over_full;
    assert_true(over_full > 0);
    mpi_study_free(study);
    world_fini(&world);
}

/* Who meets is who would be compared: each other's candidates, or of one body. */
static void test_study__meets_exactly_who_is_compared(void **state)
{
    (void)state;
    enum { RECORDS = 120, HUMANS = 40, CAP = 6 };
    struct world world;
    struct person_text text;
    uint64_t seed = 11, met = 0, apart = 0;
    world_init_capped(&world, CAP);
    for (uint32_t i = 0; i < RECORDS; i++) {
        people_make(&seed, i, i % HUMANS, &text);
        (void)world_apply(&world, &text.human);
    }
    world_commit(&world);
    struct mpi_study *study = study_of(&world, CAP);
    const struct mpi *mpi = study->mpi;
    for (uint32_t left = 1; left <= RECORDS; left++) {
        uint32_t first = index_first(mpi, APPLIED, left), *candidates;
        struct row_keys keys = index_keys(mpi, APPLIED, first);
        size_t count = index_candidates(mpi, APPLIED, entry_at(mpi, APPLIED, first)->row, &keys, first, &candidates);
        for (uint32_t right = 1; right <= RECORDS; right++) {
            uint32_t other = index_first(mpi, APPLIED, right);
            bool meets = other == first;
            for (size_t i = 0; i < count; i++)
                meets |= candidates[i] == other;
            assert_int_equal(mpi_study_meets(study, left, right), meets);
            met += meets;
            apart += !meets;
        }
        mem_free(candidates);
    }
    assert_true(met > RECORDS && apart > RECORDS);
    mpi_study_free(study);
    world_fini(&world);
}

static void test_blocking__stops_when_nobody_waits_for_it(void **state)
{
    (void)state;
    struct world world;
    struct mpi_blocking blocking;
    static const struct human human = {.id = "1", .family = "Lindqvist", .given = "Anna"};
    world_init(&world);
    (void)world_apply(&world, &human);
    world_commit(&world);
    world.support.cx.deadline_us = 1;
    assert_fails(&world.support, mpi_blocking(world.mpi, &world.support.cx, &blocking), "base.deadline");
    world.support.cx.deadline_us = 0;
    world_fini(&world);
}

static void test_recall__is_of_what_there_is_thought_to_be(void **state)
{
    (void)state;
    assert_true(mpi_blocking_recall(&(struct mpi_blocking){0}) == 1);
    assert_true(mpi_blocking_recall(&(struct mpi_blocking){.linked = 3, .missed = 1}) == .75);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking__counts_keys_pairs_and_blocks_of_every_rule),
        cmocka_unit_test(test_missed__is_chaos_lower_bound),
        cmocka_unit_test(test_study__tells_what_the_index_tells),
        cmocka_unit_test(test_study__meets_exactly_who_is_compared),
        cmocka_unit_test(test_blocking__stops_when_nobody_waits_for_it),
        cmocka_unit_test(test_recall__is_of_what_there_is_thought_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
