/* A body is what records say, identifiers aside: nothing of it may be overlooked, and nothing else may count. */
#include "world.h"

struct words {
    struct mpi_identifier identifiers[3];
    struct mpi_name names[2];
    struct str phones[2], emails[2];
    struct mpi_address addresses[2];
    struct mpi_demographics said;
    size_t identifier_count;
};

static void fill_words(struct words *words)
{
    *words = (struct words){
        .identifiers = {{STR("HOSP"), STR("1"), STR("MR")}, {STR("USA"), STR("536221043"), STR("SS")}},
        .identifier_count = 2,
        .names = {{.family = STR("Lindqvist"), .given = STR("Anna"), .middle = STR("Maj")},
                  {.family = STR("Sandoval"), .given = STR("Anna")}},
        .phones = {STR("2065550143"), STR("2065550177")},
        .emails = {STR("anna.lind@example.org"), STR("anna.sand@example.org")},
        .addresses = {{.line = STR("12 Elm St"), .city = STR("Seattle"), .state = STR("WA"), .postcode = STR("98101")},
                      {.line = STR("7 Oak Ave"), .city = STR("Boise"), .state = STR("ID"), .postcode = STR("83702")}}};
    words->said = (struct mpi_demographics){.names = words->names,
                                            .name_count = 2,
                                            .birth_date = {1980, 2, 29},
                                            .sex = 'F',
                                            .phones = words->phones,
                                            .phone_count = 2,
                                            .emails = words->emails,
                                            .email_count = 2,
                                            .addresses = words->addresses,
                                            .address_count = 2,
                                            .mother = {.family = STR("Petit"), .given = STR("Claire")},
                                            .birth_place = STR("Lund")};
}

static void make_row(const struct words *words, union row_space *out)
{
    row_make(words->identifiers, words->identifier_count, &words->said, NULL, 0, out);
}

/* One change each, by number; false past the last one. */
static bool change_words(struct words *words, size_t which)
{
    struct mpi_demographics *said = &words->said;
    switch (which) {
    case 0:
        words->names[0].family = STR("Lindqvost");
        return true;
    case 1:
        words->names[0].given = STR("Hanna");
        return true;
    case 2:
        words->names[0].middle = STR("Mai");
        return true;
    case 3:
        words->names[1].family = STR("Sandovar");
        return true;
    case 4:
        said->name_count = 1;
        return true;
    case 5:
        said->birth_date.year = 1984;
        return true;
    case 6:
        said->birth_date.month = 3;
        return true;
    case 7:
        said->birth_date.day = 28;
        return true;
    case 8:
        said->sex = 'M';
        return true;
    case 9:
        words->phones[1] = STR("2065550178");
        return true;
    case 10:
        said->phone_count = 1;
        return true;
    case 11:
        words->emails[0] = STR("anna.line@example.org");
        return true;
    case 12:
        said->email_count = 1;
        return true;
    case 13:
        words->addresses[0].line = STR("13 Elm St");
        return true;
    case 14:
        words->addresses[0].line = STR("12 Ulm St");
        return true;
    case 15:
        words->addresses[0].city = STR("Seattla");
        return true;
    case 16:
        words->addresses[1].postcode = STR("83703");
        return true;
    case 17:
        said->address_count = 1;
        return true;
    case 18:
        said->mother.family = STR("Petite");
        return true;
    case 19:
        said->mother.given = STR("Klaire");
        return true;
    case 20:
        said->birth_place = STR("Lunt");
        return true;
    case 21:
        said->multiple_birth = true;
        return true;
    case 22:
        said->birth_order = 2;
        return true;
    case 23:
        words->names[0].suffix = STR("Jr");
        return true;
    case 24:
        words->identifiers[1].value = STR("536221044");
        return true;
    case 25:
        words->identifiers[1].type = STR("NI");
        return true;
    case 26:
        words->identifiers[0].authority = STR("CLINIC");
        return true;
    default:
        return false;
    }
}

static void test_body__is_another_one_when_anything_that_is_compared_differs(void **state)
{
    (void)state;
    struct words words;
    union row_space plain, changed;
    fill_words(&words);
    make_row(&words, &plain);
    size_t which = 0;
    for (;; which++) {
        fill_words(&words);
        if (!change_words(&words, which))
            break;
        make_row(&words, &changed);
        if (row_same_body(&plain.row, &changed.row) || row_body(&plain.row) == row_body(&changed.row))
            fail_msg("change %zu is overlooked", which);
    }
    assert_int_equal(which, 27);
}

static void test_body__is_the_same_whatever_its_numbers(void **state)
{
    (void)state;
    struct words words;
    union row_space plain, other;
    fill_words(&words);
    make_row(&words, &plain);
    words.identifiers[0].value = STR("2");
    words.identifiers[2] = (struct mpi_identifier){STR("CARD"), STR("77"), STR("PI")};
    words.identifier_count = 3;
    make_row(&words, &other);
    row_set_rarity(mpi_model_general(), &other.row); /* how rare a value is nobody says */
    assert_int_equal(row_body(&plain.row), row_body(&other.row));
    assert_true(row_same_body(&plain.row, &other.row));
    struct mpi_demographics nothing = {.name_count = 0};
    row_make(words.identifiers, 1, &nothing, NULL, 0, &other);
    assert_int_equal(row_body(&other.row), 0); /* those who say nothing have nothing in common */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body__is_another_one_when_anything_that_is_compared_differs),
        cmocka_unit_test(test_body__is_the_same_whatever_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
