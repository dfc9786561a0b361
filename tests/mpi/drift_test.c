/* When the people of an index are no longer those its model was made from. */
#include "mpi/drift.h"

#include "people.h"
#include "study_internal.h"

enum { RECORDS = 1600 };

struct crowd { /* of made people: what they say */
    const char *prefix;
    unsigned names;
    bool phones;
};

static void add(struct world *world, const struct crowd *crowd, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char id[16], family[24], given[24], phone[16];
        snprintf(id, sizeof id, "%s%u", crowd->prefix, i);
        snprintf(family, sizeof family, "%s%c%c", crowd->prefix, 'a' + i % crowd->names % 26,
                 'a' + i % crowd->names / 26);
        snprintf(given, sizeof given, "given%c", 'a' + i * 7 % 19);
        snprintf(phone, sizeof phone, "2065%06u", i);
        struct human human = {
            .id = id, .family = family, .given = given, .phone = crowd->phones ? phone : NULL, .sex = 'F'};
        (void)world_apply(world, &human);
    }
    world_commit(world);
}

static void train(struct world *world)
{
    struct mpi_study *study = mpi_study_new();
    struct mpi_model *model;
    struct mpi_training training;
    struct mpi_activated activated;
    const struct mpi_making making = {.name = STR("here")};
    SCOPED(buf_fini) struct buf text = {0};
    assert_ok(&world->support, mpi_study_copy(study, &world->support.cx, world->mpi, MPI_COPY_MATCHED));
    assert_ok(&world->support, mpi_study_make_model(study, &world->support.cx, &making, &model, &training));
    mpi_model_write(model, &text);
    mpi_study_free(study);
    mpi_model_free(model);
    assert_ok(&world->support, mpi_apply_model(world->mpi, world->txn, &world->support.cx, ++world->seq, buf_str(&text),
                                               STR("a test"), &activated));
    world_commit(world);
}

static struct mpi_drift drift_of(struct world *world)
{
    struct mpi_drift drift;
    assert_ok(&world->support, mpi_drift(world->mpi, &world->support.cx, &drift));
    return drift;
}

static bool says(struct world *world, const struct mpi_drift *drift, const char *what)
{
    struct str text = mpi_drift_text(&world->support.cx, drift);
    for (size_t i = 0; i < text.len; i++)
        if (str_starts(str_from_at(text, i), str_from(what)))
            return true;
    return false;
}

static const struct crowd first = {"north", 60, true}, others = {"south", 60, true}, silent = {"north", 60, false};

static void test_drift__of_the_general_model_is_that_there_are_people(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    assert_int_equal(drift_of(&world).cause, MPI_DRIFT_NONE);
    add(&world, &first, 0, 999);
    assert_int_equal(drift_of(&world).cause, MPI_DRIFT_NONE);
    add(&world, &first, 999, 1000);
    struct mpi_drift drift = drift_of(&world);
    assert_true(drift.cause == MPI_DRIFT_GENERAL && drift.version == 2 && drift.records_now == 1000);
    assert_true(says(&world, &drift, "1000 records are enough"));
    world_fini(&world);
}

static void test_drift__is_none_of_those_it_was_made_from_and_growth_beyond(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    add(&world, &first, 0, RECORDS);
    train(&world);
    struct mpi_drift drift = drift_of(&world);
    assert_true(drift.cause == MPI_DRIFT_NONE && drift.version == 100);
    assert_int_equal(drift.records_then, RECORDS);
    assert_int_equal(drift.records_now, RECORDS);
    add(&world, &first, RECORDS, RECORDS * 3 / 2 - 1);
    assert_int_equal(drift_of(&world).cause, MPI_DRIFT_NONE);
    add(&world, &first, RECORDS * 3 / 2 - 1, RECORDS * 3 / 2);
    drift = drift_of(&world);
    assert_int_equal(drift.cause, MPI_DRIFT_GROWN);
    assert_true(says(&world, &drift, "there are 2400 now"));
    world_fini(&world);
}

static void test_drift__is_seen_in_what_is_said_and_in_its_values(void **state)
{
    (void)state;
    static const struct {
        const struct crowd *crowd;
        enum mpi_drift_cause cause;
        const char *kind;
    } cases[] = {{&others, MPI_DRIFT_LISTED, "family name"}, {&silent, MPI_DRIFT_SAID, "phone"}};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        world_init(&world);
        add(&world, &first, 0, RECORDS);
        train(&world);
        add(&world, cases[i].crowd, RECORDS, RECORDS * 7 / 5);
        struct mpi_drift drift = drift_of(&world);
        assert_int_equal(drift.cause, cases[i].cause);
        assert_string_equal(drift.kind, cases[i].kind);
        assert_true(drift.now_ppm + 100000 < drift.then_ppm);
        assert_true(says(&world, &drift, cases[i].kind));
        world_fini(&world);
    }
}

/* A third of them goes. */
static void test_drift__is_seen_when_people_go(void **state)
{
    (void)state;
    struct world world;
    struct mpi_result result;
    world_init(&world);
    add(&world, &first, 0, RECORDS);
    train(&world);
    for (unsigned i = 0; i < RECORDS * 2 / 5; i++) {
        char id[16];
        struct human human = {.id = id};
        struct said said;
        snprintf(id, sizeof id, "north%u", i);
        said_fill(&said, &human);
        said.input.deactivate = true;
        assert_ok(&world.support,
                  mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &said.input, &result));
    }
    world_commit(&world);
    assert_int_equal(drift_of(&world).cause, MPI_DRIFT_SHRUNK);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drift__of_the_general_model_is_that_there_are_people),
        cmocka_unit_test(test_drift__is_none_of_those_it_was_made_from_and_growth_beyond),
        cmocka_unit_test(test_drift__is_seen_in_what_is_said_and_in_its_values),
        cmocka_unit_test(test_drift__is_seen_when_people_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
