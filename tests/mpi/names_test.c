/* Names that are written in several ways meet; names that only look a little like them do not. */
#include "world.h"

#include "model_internal.h"
#include "name_forms_internal.h"

static void test_families__are_written_in_one_way(void **state)
{
    (void)state;
    static const struct {
        const char *said, *want;
    } cases[] = {
        {"O'Brien", "obrien"},
        {"O Brien", "obrien"},
        {"O\xE2\x80\x99"
         "Brien",
         "obrien"},
        {"Mc Donald", "mcdonald"},
        {"Mac Donald", "macdonald"},
        {"D'Souza", "dsouza"},
        {"D Souza", "dsouza"},
        {"Fitz-Gerald", "fitzgerald"},
        {"Van der Berg", "van der berg"},
        {"Vander Berg", "van der berg"},
        {"Vanderberg", "van der berg"},
        {"VAN DEN BERG", "van den berg"},
        {"vandenBerg", "van den berg"},
        {"Vande Velde", "van de velde"},
        {"De La Cruz", "de la cruz"},
        {"Dela Cruz", "de la cruz"},
        {"Delacruz", "de la cruz"},
        {"Delossantos", "de los santos"},
        {"Garcia y Lopez", "garcia lopez"},
        {"da Silva", "da silva"},
        {"von Braun", "von braun"},
        {"El-Masri", "al masri"},
        {"Al Masri", "al masri"},
        {"As-Sayed", "al sayed"},
        {"Ash Shami", "al shami"},
        {"Ibn Saud", "bin saud"},
        {"Ben Saud", "bin saud"},
        {"Abou Zeid", "abu zeid"},
        {"Abd El-Rahman", "abdulrahman"},
        {"Abdul Rahman Al Farsi", "abdulrahman al farsi"},
        /* and these are left alone */
        {"", ""},
        {"Ben", "ben"},
        {"El", "el"},
        {"Mac", "mac"},
        {"O", "o"},
        {"Vander", "vander"},
        {"Dela", "dela"},
        {"Delaney", "delaney"},
        {"Delos", "delos"},
        {"Macias", "macias"},
        {"Elmasri", "elmasri"},
        {"Elbert Allen", "elbert allen"},
        {"Abdou", "abdou"},
        {"Abdul", "abdul"},
        {"Abdullaev", "abdullaev"},
        {"Abdi", "abdi"},
        {"Abd", "abd"},
        {"Mueller", "mueller"},
        {"Garcia Lopez", "garcia lopez"},
        {"Lopez Garcia", "lopez garcia"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word family = fold_word(str_from(cases[i].said));
        name_form_family(&family);
        assert_str(word_str(&family), cases[i].want);
        name_form_family(&family); /* said as it is kept: stays so */
        assert_str(word_str(&family), cases[i].want);
    }
}

static void test_given_names__are_written_in_one_way(void **state)
{
    (void)state;
    static const struct {
        const char *given, *middle, *want_given, *want_middle;
    } cases[] = {
        {"Abdul Rahman", "", "abdulrahman", ""},
        {"Abdelrahman", "", "abdulrahman", ""},
        {"Abd al-Rahman", "", "abdulrahman", ""},
        {"Abd ar-Rahman", "", "abdulrahman", ""},
        {"Abd Rahman", "", "abdulrahman", ""},
        {"Abdurrahman", "", "abdulrahman", ""},
        {"Abdur Rahman", "", "abdulrahman", ""},
        {"Abdurahman", "", "abdulrahman", ""},
        {"Abdirahman", "", "abdulrahman", ""},
        {"Abdoul-Rahman", "", "abdulrahman", ""},
        {"Abdul", "Rahman", "abdulrahman", ""}, /* in two fields */
        {"Abdul", "Rahman Omar", "abdulrahman omar", ""},
        {"Abdullah", "", "abdullah", ""},
        {"Abdallah", "", "abdullah", ""},
        {"Abd Allah", "", "abdullah", ""},
        {"Abdulla", "", "abdullah", ""},
        {"Abdussalam", "", "abdulsalam", ""},
        {"Abdus Salam", "", "abdulsalam", ""},
        {"Abdush-Shakur", "", "abdulshakur", ""},
        {"Abdelaziz", "", "abdulaziz", ""},
        {"Abdiaziz", "", "abdulaziz", ""},
        {"Omar Abdel Aziz", "", "omar abdulaziz", ""},
        {"Abu Bakr", "", "abubakr", ""},
        {"Abou-Bakr", "", "abubakr", ""},
        {"Abu", "Bakr", "abubakr", ""},
        {"De Andre", "", "deandre", ""},
        {"De'Andre", "", "deandre", ""},
        /* and these are left alone */
        {"", "", "", ""},
        {"", "Rahman", "", "rahman"},
        {"Abdul", "", "abdul", ""},
        {"Abdul", "A", "abdul a", ""},
        {"Abdou", "Karim", "abdou", "karim"},
        {"Abdi", "Hassan", "abdi", "hassan"},
        {"Mary", "Ann", "mary", "ann"},
        {"Manuel", "", "manuel", ""},
        {"Joel", "", "joel", ""},
        {"Michael", "", "michael", ""},
        {"Ben", "Ali", "ben", "ali"},
        {"An", "Nhi", "an", "nhi"},
        {"El", "Hadj", "el", "hadj"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word given = fold_word(str_from(cases[i].given)), middle = fold_word(str_from(cases[i].middle));
        name_form_given(&given, &middle);
        assert_str(word_str(&given), cases[i].want_given);
        assert_str(word_str(&middle), cases[i].want_middle);
    }
}

/* What does not fit when written in another way is compared as it is; nothing is cut in two. */
static void test_forms__are_bounded(void **state)
{
    (void)state;
    struct word longest = {.len = ROW_WORD_MAX};
    memset(longest.bytes, 'x', sizeof longest.bytes);
    memcpy(longest.bytes, "vander", 6);
    struct word family = longest;
    name_form_family(&family);
    assert_true(str_eq(word_str(&family), word_str(&longest)));
    memcpy(longest.bytes, "abdi", 4);
    struct word given = longest, middle = fold_word(STR("Omar"));
    name_form_given(&given, &middle);
    assert_true(str_eq(word_str(&given), word_str(&longest)));
    assert_str(word_str(&middle), "omar");
}

static void make(const char *family, const char *given, union row_space *out)
{
    struct mpi_identifier own = world_id("1");
    struct mpi_name name = {.family = str_from(family), .given = str_from(given)};
    struct mpi_demographics said = {.names = &name, .name_count = 1};
    row_make(&own, 1, &said, NULL, 0, out);
}

/* Whether two records have a name in common. */
static bool share_name(const struct mpi_row *left, const struct mpi_row *right)
{
    for (size_t i = 0; i < left->name_count; i++)
        for (size_t k = 0; k < right->name_count; k++)
            if (str_eq(row_text(left, row_names(left)[i].family), row_text(right, row_names(right)[k].family)) &&
                str_eq(row_text(left, row_names(left)[i].given), row_text(right, row_names(right)[k].given)))
                return true;
    return false;
}

static void test_other_spellings__make_one_name_of_two_and_never_of_two_peoples(void **state)
{
    (void)state;
    static const struct {
        const char *left[2], *right[2];
        bool want;
    } cases[] = {
        {{"M\xC3\xBCller", "J\xC3\xB6rg"}, {"Mueller", "Joerg"}, true},
        {{"M\xC3\xBCller", "J\xC3\xB6rg"}, {"Muller", "Jorg"}, true},
        {{"MU\xCC\x88LLER", "Hans"}, {"Mueller", "Hans"}, true}, /* the mark apart from its letter */
        {{"\xC3\x85kerstr\xC3\xB8m", "S\xC3\xB8ren"}, {"Aakerstroem", "Soeren"}, true},
        {{"Prescott-Whitlow", "Helen"}, {"Whitlow-Prescott", "Helen"}, true},
        {{"Prescott-Whitlow", "Helen"}, {"Whitlow Prescott", "Helen"}, true},
        {{"Prescott\xE2\x80\x91Whitlow", "Helen"}, {"Whitlow Prescott", "Helen"}, true},
        /* without a mark it is another name */
        {{"Mueller", "Joe"}, {"Mueller", "Jo"}, false},
        {{"Xue", "Li"}, {"Xu", "Li"}, false},
        {{"Kim", "Haerin"}, {"Kim", "Harin"}, false},
        {{"Nowak", "Michael"}, {"Nowak", "Micha\xC5\x82"}, false},
        {{"Garcia Lopez", "Ana"}, {"Lopez Garcia", "Ana"}, false},
        {{"Al-Masri", "Ali"}, {"Masri Al", "Ali"}, false},
        {{"Ada-Berg-Cole", "Ali"}, {"Cole Berg Ada", "Ali"}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union row_space left, right;
        make(cases[i].left[0], cases[i].left[1], &left);
        make(cases[i].right[0], cases[i].right[1], &right);
        if (share_name(&left.row, &right.row) != cases[i].want || share_name(&right.row, &left.row) != cases[i].want)
            fail_msg("case %zu: %s, %s", i, cases[i].left[0], cases[i].right[0]);
        assert_false(left.row.flags & ROW_MORE_SAID);
    }
}

/* Other spellings take what room is left, and which of them do never depends on the order names were said in. */
static void test_other_spellings__never_displace_a_name_and_are_the_same_in_any_order(void **state)
{
    (void)state;
    struct mpi_name names[ROW_NAMES] = {{.family = STR("M\xC3\xBCller-Sch\xC3\xB6n"), .given = STR("Eva")},
                                        {.family = STR("J\xC3\xA4ger"), .given = STR("Eva")},
                                        {.family = STR("K\xC3\xB6hler"), .given = STR("Eva")}};
    struct mpi_identifier own = world_id("1");
    for (size_t count = 1; count <= ROW_NAMES; count++) {
        struct mpi_name turned[ROW_NAMES];
        for (size_t i = 0; i < count; i++)
            turned[i] = names[count - 1 - i];
        union row_space there, back;
        row_make(&own, 1, &(struct mpi_demographics){.names = names, .name_count = count}, NULL, 0, &there);
        row_make(&own, 1, &(struct mpi_demographics){.names = turned, .name_count = count}, NULL, 0, &back);
        assert_int_equal(there.row.name_count, ROW_NAMES);
        assert_int_equal(back.row.name_count, ROW_NAMES);
        for (size_t i = 0; i < ROW_NAMES; i++) {
            bool found = false;
            for (size_t k = 0; k < ROW_NAMES; k++)
                found |= str_eq(row_text(&there.row, row_names(&there.row)[i].family),
                                row_text(&back.row, row_names(&back.row)[k].family));
            assert_true(found);
        }
        for (size_t i = 0; i < count; i++) {
            bool found = false;
            struct word said = fold_word(names[i].family);
            for (size_t k = 0; k < ROW_NAMES; k++)
                found |= str_eq(word_str(&said), row_text(&there.row, row_names(&there.row)[k].family));
            assert_true(found);
        }
    }
}

static void test_words_that_many_names_begin_with__make_no_two_names_alike(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        bool want;
    } cases[] = {
        {"Garcia Lopez", "Garcia", true},
        {"van der Berg", "Berg", true},
        {"Bin Saud", "Saud", true},
        {"San", "San Tun", true}, /* it is all there is of the name */
        {"van Dyk", "van Houten", false},
        {"von Braun", "von Essen", false},
        {"Bin Saud", "Ibn Qasim", false},
        {"van der Berg", "van der Veen", false},
        {"de los Santos", "de los Reyes", false},
        {"Del Toro", "Del Monte", false},
        {"San Miguel", "San Martin", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union row_space left, right;
        struct levels there, back;
        make(cases[i].left, "Eva", &left);
        make(cases[i].right, "Eva", &right);
        compare_rows(&left.row, &right.row, &there);
        compare_rows(&right.row, &left.row, &back);
        if ((there.at[FIELD_FAMILY] == NAME_PART) != cases[i].want || there.at[FIELD_FAMILY] != back.at[FIELD_FAMILY])
            fail_msg("%s, %s: %s", cases[i].left, cases[i].right,
                     model_fields[FIELD_FAMILY].levels[there.at[FIELD_FAMILY]]);
    }
}

static void test_customs__of_writing_one_name_are_not_two_names(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        bool want;
    } cases[] = {
        {"lidiya", "lidiia", true},      {"dmitriy", "dmitrii", true},  {"mikhail", "mihail", true},
        {"nadezhda", "nadezda", true},   {"nefeli", "nepheli", true},   {"iuliia", "yuliya", true},
        {"oliwer", "oliver", true},      {"natasha", "natasa", true},   {"philippe", "filipe", true},
        {"anna", "anne", false},         {"maria", "marta", false},     {"lena", "lea", false},
        {"jon", "john", false},          {"corlynn", "corlene", false}, {"andrea", "andreas", false},
        {"van hung", "van dung", false}, {"sara", "sarah", false},      {"", "h", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str left = str_from(cases[i].left), right = str_from(cases[i].right);
        if (name_is_other_custom(left, right) != cases[i].want || name_is_other_custom(right, left) != cases[i].want)
            fail_msg("%s, %s", cases[i].left, cases[i].right);
    }
    char most[65], beyond[66];
    for (size_t i = 0; i < sizeof beyond; i++)
        beyond[i] = i % 2 ? 'a' : 'b';
    memcpy(most, beyond, sizeof most);
    assert_true(name_is_other_custom(str_make(most, 64), str_make(beyond, 64)));
    assert_false(name_is_other_custom(str_make(most, 65), str_make(beyond, 65)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families__are_written_in_one_way),
        cmocka_unit_test(test_given_names__are_written_in_one_way),
        cmocka_unit_test(test_forms__are_bounded),
        cmocka_unit_test(test_other_spellings__make_one_name_of_two_and_never_of_two_peoples),
        cmocka_unit_test(test_other_spellings__never_displace_a_name_and_are_the_same_in_any_order),
        cmocka_unit_test(test_customs__of_writing_one_name_are_not_two_names),
        cmocka_unit_test(test_words_that_many_names_begin_with__make_no_two_names_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
