/* Folding, distances, sounds, nicknames. */
#include "support.h"

#include "base/hash.h"
#include "base/text/distance.h"
#include "base/text/fold.h"
#include "base/text/nickname.h"
#include "base/text/phonetic.h"

#include <pthread.h>

static void test_fold__writes_every_script_in_plain_latin(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"   ", ""},
        {"SMITH", "smith"},
        {"O'Neil-Nu\xC3\xB1"
         "ez",
         "oneil nunez"},
        {"O\xE2\x80\x99Neil", "oneil"},
        {"  Van  der   Berg ", "van der berg"},
        {"\xC5\x81ukasz", "lukasz"},
        {"Stra\xC3\x9F"
         "e",
         "strasse"},
        {"\xC3\x86r\xC3\xB8", "aero"},
        {"\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD", "ivan"},                              /* Cyrillic */
        {"\xCE\x93\xCE\xB9\xCF\x8E\xCF\x81\xCE\xB3\xCE\xBF\xCF\x82", "giorgos"},   /* Greek */
        {"\xE6\xAF\x9B\xE6\xB3\xBD\xE4\xB8\x9C", "maozedong"},                     /* Han: one word stays one */
        {"\xE3\x81\x82\xE3\x82\x93\xE3\x81\xA9\xE3\x81\x86", "andou"},             /* Hiragana */
        {"\xEF\xBD\xB1\xEF\xBE\x9D\xEF\xBE\x84\xEF\xBE\x9E\xEF\xBD\xB3", "andou"}, /* half-width Katakana */
        {"Ren\xC3\xA9"
         "e",
         "renee"},
        {"Ren"
         "e\xCC\x81"
         "e",
         "renee"}, /* combining acute */
        {"a\xFF"
         "b",
         "a b"}, /* broken bytes part words */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[64];
        size_t len = text_fold(str_from(cases[i].text), out, sizeof out);
        if (!str_is(str_make(out, len), cases[i].want))
            fail_msg("case %zu: got \"%.*s\", want \"%s\"", i, (int)len, out, cases[i].want);
    }
}

static void test_fold__arabic_and_hebrew_become_latin_letters(void **state)
{
    (void)state;
    static const char *const texts[] = {"\xD9\x85\xD8\xAD\xD9\x85\xD8\xAF", "\xD7\x93\xD7\xA0\xD7\x99\xD7\x90\xD7\x9C",
                                        "\xEA\xB9\x80\xEB\xAF\xBC\xEC\xA4\x80", "\xE0\xA4\xB0\xE0\xA4\xBE\xE0\xA4\xAE"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char out[64];
        size_t len = text_fold(str_from(texts[i]), out, sizeof out);
        assert_true(len > 0);
        for (size_t k = 0; k < len; k++)
            assert_true(out[k] == ' ' || (out[k] >= 'a' && out[k] <= 'z'));
    }
}

/* What is remembered of earlier words must never change an answer, in any thread. */
static void *fold_all_scripts(void *arg)
{
    static const struct {
        const char *text, *want;
    } cases[] = {{"\xD0\x98\xD0\xB2\xD0\xB0\xD0\xBD", "ivan"},
                 {"\xD0\x9C\xD0\xB0\xD1\x80\xD0\xB8\xD1\x8F", "mariia"},
                 {"\xE6\xAF\x9B\xE6\xB3\xBD\xE4\xB8\x9C", "maozedong"}};
    bool *same = arg;
    char first[3][64];
    size_t first_len[3];
    for (size_t round = 0; round < 200; round++) {
        for (size_t i = 0; i < 3; i++) {
            char out[64];
            size_t len = text_fold(str_from(cases[i].text), out, sizeof out);
            if (round == 0)
                memcpy(first[i], out, first_len[i] = len);
            *same &= len == first_len[i] && memcmp(out, first[i], len) == 0;
            *same &= i == 1 || str_is(str_make(out, len), cases[i].want);
        }
        char text[16], out[64]; /* pushes others out of the memory */
        int len = snprintf(text, sizeof text, "\xD0%c\xD0%c", (int)(0xB0 + round % 16), (int)(0xB0 + round / 16));
        (void)text_fold(str_make(text, (size_t)len), out, sizeof out);
    }
    return NULL;
}

static void test_fold__answers_the_same_in_every_thread_and_every_time(void **state)
{
    (void)state;
    pthread_t threads[4];
    bool same[4] = {true, true, true, true};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fold_all_scripts, &same[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(same[i]);
    }
}

static void test_fold__looks_at_the_most_bytes_and_no_further(void **state)
{
    (void)state;
    char text[TEXT_FOLD_IN_MAX + 1], out[2 * TEXT_FOLD_IN_MAX], longer[2 * TEXT_FOLD_IN_MAX];
    memset(text, 'a', sizeof text);
    text[TEXT_FOLD_IN_MAX - 1] = 'z';
    size_t len = text_fold(str_make(text, TEXT_FOLD_IN_MAX), out, sizeof out);
    assert_int_equal(len, TEXT_FOLD_IN_MAX);
    assert_int_equal(out[len - 1], 'z');
    assert_int_equal(text_fold(str_make(text, TEXT_FOLD_IN_MAX + 1), longer, sizeof longer), len);
    assert_memory_equal(out, longer, len);
}

static void test_fold__is_bounded_and_never_cuts_a_character(void **state)
{
    (void)state;
    char text[4000], out[100];
    for (size_t i = 0; i < sizeof text; i += 2)
        memcpy(text + i, "\xD0\x98", 2);
    for (size_t max = 0; max < sizeof out; max++) {
        size_t len = text_fold(str_make(text, sizeof text), out, max);
        assert_true(len <= max);
        assert_true(str_is_utf8(str_make(out, len)));
    }
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] >= 0x80)
            return false;
    return true;
}

static void test_fold__twice_is_once_and_always_utf8(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    for (int round = 0; round < 20000; round++) {
        char text[24], once[128], twice[128];
        size_t len = hash_random(&seed) % sizeof text;
        for (size_t i = 0; i < len; i++)
            text[i] = (char)hash_random(&seed);
        size_t once_len = text_fold(str_make(text, len), once, sizeof once);
        size_t twice_len = text_fold(str_make(once, once_len), twice, sizeof twice);
        assert_true(str_is_utf8(str_make(once, once_len)));
        if (is_ascii(once, once_len) && !str_eq(str_make(once, once_len), str_make(twice, twice_len)))
            fail_msg("seed 20261121 round %d: \"%.*s\" then \"%.*s\"", round, (int)once_len, once, (int)twice_len,
                     twice);
    }
}

static void test_jaro_winkler__gives_the_published_values(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        uint32_t want;
    } cases[] = {
        {"martha", "marhta", 961},
        {"dwayne", "duane", 840},
        {"dixon", "dicksonx", 813},
        {"jones", "johnson", 832},
        {"michelle", "michael", 921},
        {"abroms", "abrams", 922},
        {"hardin", "martinez", 722},
        {"itman", "smith", 467},
        {"same", "same", 1000},
        {"", "", 0},
        {"a", "", 0},
        {"a", "b", 0},
        {"shackleford", "shackelford", 982},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t got = text_jaro_winkler(str_from(cases[i].left), str_from(cases[i].right));
        if (got != cases[i].want)
            fail_msg("%s / %s: got %u, want %u", cases[i].left, cases[i].right, got, cases[i].want);
    }
}

static void test_edit_distance__counts_neighbour_swaps_as_one(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        uint32_t max, want;
    } cases[] = {
        {"kitten", "sitting", 9, 3}, {"ca", "abc", 9, 3},  {"garcia", "gacria", 9, 1}, {"", "abc", 9, 3},
        {"abc", "abc", 0, 0},        {"abc", "abd", 0, 1}, {"abcdef", "uvwxyz", 2, 3}, {"jos\xC3\xA9", "jose", 9, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(text_edit_distance(str_from(cases[i].left), str_from(cases[i].right), cases[i].max),
                         cases[i].want);
}

static void test_distances__are_symmetric_and_survive_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        char left[90], right[90];
        size_t left_len = hash_random(&seed) % sizeof left, right_len = hash_random(&seed) % sizeof right;
        uint64_t letters = round % 2 ? 4 : 256;
        for (size_t i = 0; i < sizeof left; i++) {
            left[i] = (char)('a' + hash_random(&seed) % letters);
            right[i] = (char)('a' + hash_random(&seed) % letters);
        }
        struct str a = str_make(left, left_len), b = str_make(right, right_len);
        assert_int_equal(text_jaro_winkler(a, b), text_jaro_winkler(b, a));
        for (uint32_t least = 0; least <= 1000; least += 20)
            assert_int_equal(text_is_alike(a, b, least), text_jaro_winkler(a, b) >= least);
        assert_int_equal(text_edit_distance(a, b, 64), text_edit_distance(b, a, 64));
        assert_int_equal(text_edit_distance(a, b, 2), text_edit_distance(b, a, 2));
        assert_int_equal(text_jaro_winkler(a, a), left_len ? 1000 : 0);
    }
}

static void test_sound__joins_what_sounds_alike(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        bool same;
    } cases[] = {
        {"smith", "smyth", true},         {"meier", "meyer", true},     {"stephen", "stefan", true},
        {"catherine", "katherine", true}, {"schmidt", "shmit", true},   {"wright", "rite", true},
        {"knight", "nite", true},         {"phillips", "filips", true}, {"smith", "jones", false},
        {"garcia", "gomez", false},       {"lee", "li", true},          {"mohammed", "muhamad", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool same = text_sound(str_from(cases[i].left)) == text_sound(str_from(cases[i].right));
        if (same != cases[i].same)
            fail_msg("%s / %s", cases[i].left, cases[i].right);
    }
}

static void test_sound__has_no_key_for_letters_it_cannot_read(void **state)
{
    (void)state;
    assert_int_equal(text_sound(STR("")), 0);
    assert_int_equal(text_sound(STR("12")), 0);
    assert_int_equal(text_sound(STR("\xD0\x98\xD0\xB2")), 0);
}

static void test_nicknames__know_common_ones_and_join_no_strangers(void **state)
{
    (void)state;
    assert_true(text_is_nickname(STR("robert"), STR("bob")));
    assert_true(text_is_nickname(STR("bob"), STR("robert")));
    assert_true(text_is_nickname(STR("william"), STR("bill")));
    assert_true(text_is_nickname(STR("francisco"), STR("paco")));
    assert_true(text_is_nickname(STR("elizabeth"), STR("liz")));
    assert_false(text_is_nickname(STR("robert"), STR("william")));
    assert_false(text_is_nickname(STR(""), STR("")));
    assert_false(text_is_nickname(STR("zzz"), STR("zzz")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold__writes_every_script_in_plain_latin),
        cmocka_unit_test(test_fold__arabic_and_hebrew_become_latin_letters),
        cmocka_unit_test(test_fold__looks_at_the_most_bytes_and_no_further),
        cmocka_unit_test(test_fold__is_bounded_and_never_cuts_a_character),
        cmocka_unit_test(test_fold__answers_the_same_in_every_thread_and_every_time),
        cmocka_unit_test(test_fold__twice_is_once_and_always_utf8),
        cmocka_unit_test(test_jaro_winkler__gives_the_published_values),
        cmocka_unit_test(test_edit_distance__counts_neighbour_swaps_as_one),
        cmocka_unit_test(test_distances__are_symmetric_and_survive_any_bytes),
        cmocka_unit_test(test_sound__joins_what_sounds_alike),
        cmocka_unit_test(test_sound__has_no_key_for_letters_it_cannot_read),
        cmocka_unit_test(test_nicknames__know_common_ones_and_join_no_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
