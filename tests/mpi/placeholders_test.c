/* What is written when there is nothing to say takes no part in matching, and stays in the record. */
#include "world.h"

#include "model_internal.h"

static void make(const struct mpi_demographics *said, union row_space *out)
{
    struct mpi_identifier own = world_id("1");
    row_make(&own, 1, said, NULL, 0, out);
}

static void test_birth_dates__of_every_century_count_and_those_of_systems_do_not(void **state)
{
    (void)state;
    static const struct {
        struct date date;
        bool counts;
    } cases[] = {
        {{1980, 2, 29}, true},   {{1849, 12, 31}, true}, {{1642, 12, 25}, true},  {{1066, 0, 0}, true},
        {{1, 2, 3}, true},       {{1900, 1, 2}, true},   {{1900, 2, 1}, true},    {{1753, 1, 2}, true},
        {{1899, 12, 29}, true},  {{1111, 11, 10}, true}, {{1900, 1, 1}, false},   {{1900, 1, 0}, false},
        {{1900, 0, 0}, false},   {{1, 1, 1}, false},     {{1753, 1, 1}, false},   {{1899, 12, 30}, false},
        {{1899, 12, 31}, false}, {{1800, 1, 1}, false},  {{1111, 11, 11}, false}, {{0, 0, 0}, false},
        {{1981, 2, 29}, true}, /* there was none */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union row_space space;
        make(&(struct mpi_demographics){.birth_date = cases[i].date}, &space);
        if (space.row.year != (cases[i].counts ? cases[i].date.year : 0))
            fail_msg("%u-%u-%u", cases[i].date.year, cases[i].date.month, cases[i].date.day);
    }
}

static void test_addresses__of_nobody_are_absent(void **state)
{
    (void)state;
    static const struct {
        const char *line, *city, *postcode;
        bool has_street, has_city, has_postcode;
    } cases[] = {
        {"12 Elm St", "Leeds", "LS1 4AP", true, true, true},
        {"123 Any Street", "Anytown", "12345", false, false, false},
        {"UNKNOWN", "Unknown", "99999-9999", false, false, false},
        {"No Fixed Address", "Leeds", "ZZ99 3VZ", false, true, false},
        {"homeless", "No fixed abode", "LS1 4AP", false, false, true},
        {"GENERAL DELIVERY", "Nome", "99762", false, true, true},
        {"N/A", "n/a", "N/A", false, false, false},
        {"Test", "TEST", "00000", false, false, false},
        {"xxx", "Xxx", "XXXXX", false, false, false},
        {"None", "not known", "0000", false, false, false},
        /* real ones that look a little like them */
        {"4 Testa Rossa", "Nona", "10000", true, true, true},
        {"1 Unknown Soldier Rd", "Testwood", "99991", true, true, true},
        {"9 Doe Run", "Patient", "12344", true, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union row_space space;
        struct mpi_address said = {
            .line = str_from(cases[i].line), .city = str_from(cases[i].city), .postcode = str_from(cases[i].postcode)};
        make(&(struct mpi_demographics){.addresses = &said, .address_count = 1}, &space);
        struct mpi_row_address address = {0}; /* nothing of it counts */
        if (space.row.address_count > 0)
            address = row_addresses(&space.row)[0];
        if ((address.street != 0) != cases[i].has_street || (address.city != 0) != cases[i].has_city ||
            (address.postcode != 0) != cases[i].has_postcode || (address.number != 0 && !cases[i].has_street))
            fail_msg("case %zu", i);
        assert_int_equal(space.row.address_count, cases[i].has_street || cases[i].has_city || cases[i].has_postcode);
    }
}

static void test_phones__of_nobody_are_absent(void **state)
{
    (void)state;
    static const char *const nobodys[] = {"0000000000",      "999-999-9999", "1111111",    "111111",
                                          "1234567890",      "123-4567",     "0123456789", "(123) 456-7890",
                                          "+1 555 555 5555", "2065555555",   "9876543210", "206-000-0000",
                                          "0712345678",      "unknown",      "12345",      ""};
    static const char *const real[] = {"206-555-0199", "0772300633",   "+256772300633",
                                       "5551234",      "800-123-4560", "2061111112"};
    for (size_t i = 0; i < sizeof nobodys / sizeof nobodys[0]; i++) {
        union row_space space;
        struct str phone = str_from(nobodys[i]);
        make(&(struct mpi_demographics){.phones = &phone, .phone_count = 1}, &space);
        if (space.row.phone_count != 0)
            fail_msg("%s counts", nobodys[i]);
    }
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        union row_space space;
        struct str phone = str_from(real[i]);
        make(&(struct mpi_demographics){.phones = &phone, .phone_count = 1}, &space);
        if (space.row.phone_count != 1)
            fail_msg("%s does not count", real[i]);
    }
}

static void test_emails__of_nobody_are_absent(void **state)
{
    (void)state;
    static const char *const nobodys[] = {"none@none.com",   "NoEmail@clinic.org", "no-email@clinic.org", "test@x.org",
                                          "unknown@a.org",   "na@a.org",           "n/a@a.org",           "none@",
                                          "ada@noemail.com", "ada@invalid",        "do.not.reply@a.org",  "none"};
    static const char *const real[] = {"nona@a.org", "testa@a.org", "ada@nonesuch.com", "info@a.org"};
    for (size_t i = 0; i < sizeof nobodys / sizeof nobodys[0]; i++) {
        union row_space space;
        struct str email = str_from(nobodys[i]);
        make(&(struct mpi_demographics){.emails = &email, .email_count = 1}, &space);
        if (space.row.email_count != 0)
            fail_msg("%s counts", nobodys[i]);
    }
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        union row_space space;
        struct str email = str_from(real[i]);
        make(&(struct mpi_demographics){.emails = &email, .email_count = 1}, &space);
        if (space.row.email_count != 1)
            fail_msg("%s does not count", real[i]);
    }
}

static void test_placeholders__stay_in_the_record(void **state)
{
    (void)state;
    struct world world;
    struct mpi_record_view view;
    world_init(&world);
    world_apply(&world, &(struct human){.id = "1",
                                        .family = "Unknown",
                                        .birth = "19000101",
                                        .phone = "1234567890",
                                        .line = "No fixed abode",
                                        .city = "Anytown",
                                        .postcode = "99999"});
    world_commit(&world);
    assert_ok(&world.support, mpi_record(world.mpi, &world.support.cx, 1, &view));
    const struct mpi_demographics *said = &view.demographics;
    assert_str(said->names[0].family, "Unknown");
    assert_int_equal(said->birth_date.year, 1900);
    assert_str(said->phones[0], "1234567890");
    assert_str(said->addresses[0].line, "No fixed abode");
    assert_str(said->addresses[0].city, "Anytown");
    assert_str(said->addresses[0].postcode, "99999");
    world_fini(&world);
}

/* Two people of whom nothing is known are not found by each other. */
static void test_placeholders__bring_nobody_together(void **state)
{
    (void)state;
    union row_space space;
    struct row_key keys[ROW_KEYS_MAX];
    struct str phone = STR("1234567890"), email = STR("none@none.com");
    struct mpi_name name = {.family = STR("Unknown"), .given = STR("Unknown")};
    struct mpi_address address = {.line = STR("1 Unknown Street"), .city = STR("Unknown"), .postcode = STR("00000")};
    struct mpi_demographics said = {.names = &name,
                                    .name_count = 1,
                                    .birth_date = {1900, 1, 1},
                                    .phones = &phone,
                                    .phone_count = 1,
                                    .emails = &email,
                                    .email_count = 1,
                                    .addresses = &address,
                                    .address_count = 1,
                                    .birth_place = STR("not known")};
    make(&said, &space);
    union row_space rest; /* its own number aside */
    row_without_shared(&space.row, &rest);
    assert_int_equal(row_keys(&rest.row, keys), 0);
    assert_int_equal(space.row.birth_place, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_birth_dates__of_every_century_count_and_those_of_systems_do_not),
        cmocka_unit_test(test_addresses__of_nobody_are_absent),
        cmocka_unit_test(test_phones__of_nobody_are_absent),
        cmocka_unit_test(test_emails__of_nobody_are_absent),
        cmocka_unit_test(test_placeholders__stay_in_the_record),
        cmocka_unit_test(test_placeholders__bring_nobody_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
