/* What a record says, from an update to the next, and what of it a person shows. */
#include "world.h"

#include "stored_internal.h"

struct contacts {
    const char *email, *birth_place, *phone; /* NULL = not said */
    uint32_t cleared;
};

static void apply(struct world *world, const char *id, const struct contacts *contacts)
{
    struct mpi_identifier own = world_id(id);
    struct mpi_name name = {.family = STR("Lindqvist"), .given = STR("Anna")};
    struct str email = str_from(contacts->email), phone = str_from(contacts->phone);
    struct mpi_record_input input = {.source = STR("test"),
                                     .identifiers = &own,
                                     .identifier_count = 1,
                                     .demographics = {.names = &name,
                                                      .name_count = 1,
                                                      .birth_date = {1980, 2, 29},
                                                      .sex = 'F',
                                                      .emails = &email,
                                                      .email_count = contacts->email != NULL,
                                                      .phones = &phone,
                                                      .phone_count = contacts->phone != NULL,
                                                      .birth_place = str_from(contacts->birth_place)},
                                     .cleared_fields = contacts->cleared};
    struct mpi_result result;
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &input, &result));
    world_commit(world);
}

static void assert_says(const struct mpi_demographics *said, const struct contacts *want)
{
    assert_int_equal(said->email_count, want->email != NULL);
    if (want->email)
        assert_str(said->emails[0], want->email);
    assert_int_equal(said->phone_count, want->phone != NULL);
    if (want->phone)
        assert_str(said->phones[0], want->phone);
    assert_str(said->birth_place, want->birth_place ? want->birth_place : "");
}

static void test_update__keeps_what_it_does_not_say_and_clears_what_it_nulls(void **state)
{
    (void)state;
    static const struct {
        struct contacts said, want;
    } steps[] = {
        {{"a@b.c", "Ghent", "5551234", 0}, {"a@b.c", "Ghent", "5551234", 0}},
        {{NULL, NULL, NULL, 0}, {"a@b.c", "Ghent", "5551234", 0}},
        {{"d@e.f", NULL, NULL, 0}, {"d@e.f", "Ghent", "5551234", 0}},
        {{NULL, "Bruges", NULL, 0}, {"d@e.f", "Bruges", "5551234", 0}},
        {{NULL, NULL, NULL, MPI_FIELD_EMAILS}, {NULL, "Bruges", "5551234", 0}},
        {{NULL, NULL, NULL, MPI_FIELD_BIRTH_PLACE}, {NULL, NULL, "5551234", 0}},
        {{"a@b.c", "Ghent", NULL, MPI_FIELD_EMAILS | MPI_FIELD_BIRTH_PLACE | MPI_FIELD_PHONES},
         {"a@b.c", "Ghent", NULL, 0}}, /* cleared and said again */
    };
    struct world world;
    world_init(&world);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct mpi_record_view view;
        apply(&world, "1", &steps[i].said);
        assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, 1, &view));
        assert_says(&view.demographics, &steps[i].want);
        world_reopen(&world);
        assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, 1, &view));
        assert_says(&view.demographics, &steps[i].want);
    }
    world_fini(&world);
}

static void test_person__shows_the_latest_email_and_birth_place_that_a_record_says(void **state)
{
    (void)state;
    struct world world;
    struct mpi_person_view person;
    world_init(&world);
    apply(&world, "1", &(struct contacts){"a@b.c", "Ghent", "5551234", 0});
    apply(&world, "2", &(struct contacts){"d@e.f", NULL, "5551234", 0});
    struct mpi_result result;
    assert_ok(&world.support, world_steward(&world, MPI_DECISION_SAME, 1, 2, 0, &result));
    assert_ok(&world.support, mpi_person(world.mpi, &world.support.cx, world_person(&world, "1"), &person));
    assert_says(&person.golden, &(struct contacts){"d@e.f", "Ghent", "5551234", 0});
    world_fini(&world);
}

/* However many say it: one that exists goes before. When there is no other it is shown, as what was said. */
static void test_person__shows_a_birth_date_that_exists_before_one_that_does_not(void **state)
{
    (void)state;
    static const char *const ids[] = {"1", "2", "3"};
    static const struct date births[] = {{1980, 2, 31}, {1980, 2, 31}, {1980, 2, 28}};
    struct world world;
    struct mpi_person_view person;
    struct mpi_result result;
    world_init(&world);
    for (size_t i = 0; i < 3; i++) {
        struct said said;
        said_fill(&said, &(struct human){.id = ids[i], .family = "Lind", .given = "Ada"});
        said.input.demographics.birth_date = births[i];
        assert_ok(&world.support,
                  mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &said.input, &result));
        if (i > 0)
            assert_ok(&world.support, world_steward(&world, MPI_DECISION_SAME, 1, i + 1, 0, &result));
        assert_ok(&world.support, mpi_person(world.mpi, &world.support.cx, world_person(&world, "1"), &person));
        assert_int_equal(person.golden.birth_date.day, i < 2 ? 31 : 28);
        world_reopen(&world);
    }
    world_fini(&world);
}

/* A record of before there were e-mail addresses in it, byte by byte: stores live on. */
static void test_stored_row__without_emails_and_birth_place_is_as_it_was(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    static const char row[] = "\x05north\x01\x01N\x01"
                              "7\x02MR" /* source, identifier */
                              "\x01\x04Lind\x03"
                              "Ada\0\0\0\x01L" /* name */
                              "\xbc\x0f\x02\x1d"
                              "F\x02\x03" /* 1980-02-29, sex; second of a multiple birth, deceased */
                              "\x01\x07"
                              "5551234\0" /* phone, no address */
                              "\x04"
                              "Berg\0\0\0\0\0"              /* mother */
                              "\0\x01\x02\x03\x04\x05\x01"; /* no former name; seqs, times, versions; active */
    struct stored_record record;
    assert_ok(&s, decode_record(&s.cx, str_make(row, sizeof row - 1), &record));
    assert_int_equal(record.said.birth_date.year, 1980);
    assert_str(record.said.mother.family, "Berg");
    assert_says(&record.said, &(struct contacts){NULL, NULL, "5551234", 0});
    SCOPED(buf_fini) struct buf again = {0};
    encode_record(&again, &record);
    assert_true(str_eq(buf_str(&again), str_make(row, sizeof row - 1)));
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_update__keeps_what_it_does_not_say_and_clears_what_it_nulls),
        cmocka_unit_test(test_person__shows_the_latest_email_and_birth_place_that_a_record_says),
        cmocka_unit_test(test_person__shows_a_birth_date_that_exists_before_one_that_does_not),
        cmocka_unit_test(test_stored_row__without_emails_and_birth_place_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
