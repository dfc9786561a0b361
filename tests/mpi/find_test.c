/* Every identifier of a record finds it, whatever the order of things; a number of two persons names nobody. */
#include "world.h"

#include "base/limits.h"

static status find(struct world *world, const char *authority, const char *value, uint64_t *out_record)
{
    uint64_t person;
    world_commit(world);
    return mpi_find(world->mpi, &world->support.cx,
                    (struct mpi_identifier){str_from(authority), str_from(value), STR_NONE}, &person, out_record);
}

static void check_finds(struct world *world, const char *authority, const char *value, uint64_t want)
{
    uint64_t record;
    assert_ok(&world->support, find(world, authority, value, &record));
    assert_int_equal(record, want);
}

static void check_unknown(struct world *world, const char *authority, const char *value, const char *reason)
{
    uint64_t record;
    assert_fails(&world->support, find(world, authority, value, &record), reason);
}

/* A record with `count` identifiers: its own at HOSP, others "n" at authority "An", type T<n>, numbered from `from`. */
static uint64_t apply_many(struct world *world, const char *own, unsigned from, size_t count)
{
    struct mpi_identifier *identifiers = arena_array(&world->support.arena, count, sizeof *identifiers);
    identifiers[0] = world_id(own);
    for (size_t i = 1; i < count; i++)
        identifiers[i] = (struct mpi_identifier){arena_printf(&world->support.arena, "A%zu", i),
                                                 arena_printf(&world->support.arena, "%zu", from + i),
                                                 arena_printf(&world->support.arena, "T%zu", i)};
    struct mpi_record_input input = {.source = STR("test"), .identifiers = identifiers, .identifier_count = count};
    struct mpi_result result = {0};
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &input, &result));
    return result.record;
}

static void check_all(struct world *world, unsigned from, size_t count, uint64_t want)
{
    for (size_t i = 1; i < count; i++) {
        char authority[24], value[24];
        snprintf(authority, sizeof authority, "A%zu", i);
        snprintf(value, sizeof value, "%zu", from + i);
        if (want)
            check_finds(world, authority, value, want);
        else
            check_unknown(world, authority, value, "mpi.identifier-unknown");
    }
}

static void test_every_identifier__finds_its_record_up_to_the_last_one(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint64_t record = apply_many(&world, "1", 100, LIMIT_IDENTIFIERS_PER_RECORD);
    check_finds(&world, "HOSP", "1", record);
    check_all(&world, 100, LIMIT_IDENTIFIERS_PER_RECORD, record);
    world_reopen(&world);
    check_all(&world, 100, LIMIT_IDENTIFIERS_PER_RECORD, record);
    (void)apply_many(&world, "1", 5000, LIMIT_IDENTIFIERS_PER_RECORD); /* the same types: they take their places */
    check_all(&world, 100, LIMIT_IDENTIFIERS_PER_RECORD, 0);
    check_all(&world, 5000, LIMIT_IDENTIFIERS_PER_RECORD, record);
    world_fini(&world);
}

static void test_identifier__that_was_only_mentioned_finds_after_the_record_is_deactivated(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human one = {.id = "1", .family = "Okafor", .given = "Ada", .ssn = "536224411"};
    (void)world_apply(&world, &one);
    struct said said;
    struct mpi_result result;
    said_fill(&said, &one);
    said.input.deactivate = true;
    assert_ok(&world.support,
              mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &said.input, &result));
    check_finds(&world, "USA", "536224411", 1);
    world_reopen(&world);
    check_finds(&world, "USA", "536224411", 1);
    world_fini(&world);
}

/* `many` records of one person and one of another mention one number. */
static void test_identifier__of_two_persons_names_nobody_and_the_answer_says_so(void **state)
{
    (void)state;
    for (int stranger_first = 0; stranger_first < 2; stranger_first++) {
        struct world world;
        world_init(&world);
        struct human stranger = {.id = "s", .family = "Moreau", .given = "Luc", .birth = "19500607", .ssn = "077"};
        if (stranger_first)
            (void)world_apply(&world, &stranger);
        for (unsigned i = 0; i < 12; i++) {
            char id[8];
            snprintf(id, sizeof id, "%u", i);
            struct human same = {.id = id, .family = "Okafor", .given = "Ada", .birth = "19800201", .ssn = "077"};
            (void)world_apply(&world, &same);
            struct mpi_result result;
            if (i > 0)
                assert_ok(&world.support, world_message(&world, MPI_DECISION_LINK, "0", id, &result));
        }
        if (!stranger_first) {
            check_finds(&world, "USA", "077", 1);
            (void)world_apply(&world, &stranger);
        }
        check_unknown(&world, "USA", "077", "mpi.identifier-shared");
        world_reopen(&world);
        check_unknown(&world, "USA", "077", "mpi.identifier-shared");
        struct mpi_result result;
        assert_ok(&world.support, world_message(&world, MPI_DECISION_LINK, "0", "s", &result));
        check_finds(&world, "USA", "077", 1); /* one person after all */
        world_fini(&world);
    }
}

static void test_identifier__of_its_own_goes_before_those_others_mention(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human other = {.id = "1", .ssn = "200"}, owner = {.id = "200", .authority = "USA"};
    (void)world_apply(&world, &other);
    check_finds(&world, "USA", "200", 1);
    uint64_t record = world_apply(&world, &owner).record;
    check_finds(&world, "USA", " 200 ", record);
    world_fini(&world);
}

/* What a message would find: a number that is only mentioned is another patient's, not this one's. */
static void test_find_own__knows_only_what_is_a_records_own(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human mother = {.id = "100", .family = "Okafor", .given = "Ada", .ssn = "INS7"};
    (void)world_apply(&world, &mother);
    world_commit(&world);
    uint64_t person, record;
    struct mpi_identifier insurance = {STR("USA"), STR("INS7"), STR("SS")};
    assert_ok(&world.support, mpi_find(world.mpi, &world.support.cx, insurance, &person, &record));
    assert_fails(&world.support, mpi_find_own(world.mpi, &world.support.cx, insurance, &person, &record),
                 "mpi.identifier-unknown");
    assert_ok(&world.support, mpi_find_own(world.mpi, &world.support.cx, world_id("100"), &person, &record));
    assert_int_equal(record, 1);
    world_fini(&world);
}

/* Rows the index needs and the store has not: damage, for the writer and for readers; never an answer about a patient.
 */
static void test_missing_row__is_damage(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human one = {.id = "1", .family = "Okafor", .given = "Ada", .ssn = "536224411"};
    (void)world_apply(&world, &one);
    world_commit(&world);
    struct key key = key_1(1);
    data_txn_delete(world.txn, world.mpi->records, key_str(&key));
    struct said said;
    struct mpi_result result;
    said_fill(&said, &one);
    assert_fails(&world.support,
                 mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &said.input, &result),
                 "mpi.row-bad");
    world_commit(&world);
    uint64_t person, record;
    struct mpi_person_view view;
    struct mpi_event *events;
    size_t count;
    bool older;
    struct ctx *cx = &world.support.cx;
    assert_fails(&world.support, mpi_find(world.mpi, cx, world_id("1"), &person, &record), "mpi.row-bad");
    assert_fails(&world.support, mpi_person(world.mpi, cx, 1, &view), "mpi.row-bad");
    assert_fails(&world.support, mpi_history(world.mpi, cx, 1, NULL, &events, &count, &older), "mpi.row-bad");
    world_fini(&world);
}

/* A person that is too large to be shown at once is refused, and its records are there one by one. */
static void test_person__of_large_records_is_shown_up_to_the_bound_and_refused_beyond(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    enum { COUNT = LIMIT_IDENTIFIERS_PER_RECORD, RECORD_BYTES = COUNT * (LIMIT_FIELD_VALUE_BYTES + 512) };
    struct mpi_identifier *identifiers = arena_array(&world.support.arena, COUNT, sizeof *identifiers);
    char *filler = arena_alloc(&world.support.arena, LIMIT_FIELD_VALUE_BYTES);
    memset(filler, 'x', LIMIT_FIELD_VALUE_BYTES);
    bool refused = false;
    for (unsigned n = 1; n <= 17 && !refused; n++) {
        char id[8];
        snprintf(id, sizeof id, "%u", n);
        struct arena_mark mark = arena_mark(&world.support.arena);
        for (size_t i = 1; i < COUNT; i++)
            identifiers[i] = (struct mpi_identifier){
                arena_printf(&world.support.arena, "%u-%zu", n, i), {filler, LIMIT_FIELD_VALUE_BYTES}, STR("X")};
        identifiers[0] = world_id(id);
        struct mpi_record_input input = {.identifiers = identifiers, .identifier_count = COUNT};
        struct mpi_result result;
        assert_ok(&world.support,
                  mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &input, &result));
        if (n > 1)
            assert_ok(&world.support, world_message(&world, MPI_DECISION_LINK, "1", id, &result));
        world_commit(&world);
        struct mpi_person_view view;
        struct mpi_record_view record;
        refused = mpi_person(world.mpi, &world.support.cx, 1, &view) != STATUS_OK;
        if (n <= LIMIT_PERSON_BYTES / RECORD_BYTES) /* each is a little over a MiB */
            assert_false(refused);
        if (refused)
            assert_string_equal(world.support.cx.reason->name, "mpi.too-many");
        ctx_clear(&world.support.cx);
        assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, n, &record));
        arena_rewind(&world.support.arena, mark);
    }
    assert_true(refused);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_identifier__finds_its_record_up_to_the_last_one),
        cmocka_unit_test(test_identifier__that_was_only_mentioned_finds_after_the_record_is_deactivated),
        cmocka_unit_test(test_identifier__of_two_persons_names_nobody_and_the_answer_says_so),
        cmocka_unit_test(test_identifier__of_its_own_goes_before_those_others_mention),
        cmocka_unit_test(test_find_own__knows_only_what_is_a_records_own),
        cmocka_unit_test(test_missing_row__is_damage),
        cmocka_unit_test(test_person__of_large_records_is_shown_up_to_the_bound_and_refused_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
