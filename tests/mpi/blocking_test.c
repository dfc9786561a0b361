/* What is told about blocking: counts that can be checked by hand, and an estimate that follows from them. */
#include "mpi/blocking.h"

#include "people.h"

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
    mpi_blocking(world.mpi, &blocking);
    assert_int_equal(blocking.records, 0);
    assert_int_equal(blocking.missed, 0);
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++)
        (void)world_apply(&world, &people[i]);
    world_commit(&world);
    mpi_blocking(world.mpi, &blocking);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking__counts_keys_pairs_and_blocks_of_every_rule),
        cmocka_unit_test(test_missed__is_chaos_lower_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
