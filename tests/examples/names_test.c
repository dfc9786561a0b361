/* Names: every one can be spelt, women's forms, two customs of Latin letters, fashions. */
#include "support.h"

#include "dice_internal.h"
#include "names_internal.h"

static bool is_plain_ascii(const char *text)
{
    for (; *text; text++)
        if ((uint8_t)*text >= 0x80)
            return false;
    return true;
}

static void check_name(const struct gen_culture *culture, const struct gen_name *name)
{
    bool sound = name->native[0] && name->latin[0][0] && name->latin[1][0] && is_plain_ascii(name->latin[0]) &&
                 is_plain_ascii(name->latin[1]) && str_is_utf8(str_from(name->native)) &&
                 strlen(name->native) < GEN_NAME_MAX - 4;
    if (!sound)
        fail_msg("%s: \"%s\" \"%s\" \"%s\"", culture->name, name->native, name->latin[0], name->latin[1]);
}

static void test_every_name__of_every_culture_has_all_spellings(void **state)
{
    (void)state;
    struct gen_name name;
    for (uint32_t c = 0; c < GEN_CULTURES; c++) {
        const struct gen_culture *culture = gen_culture_at(c);
        for (unsigned female = 0; female < 2; female++) {
            for (uint32_t family = 0; family < gen_ranks(culture->family_spread); family++) {
                gen_family_spell(culture, family, female, &name);
                check_name(culture, &name);
            }
            for (uint32_t given = 0; given < gen_ranks(culture->given_spread) + 40; given++) {
                gen_given_spell(culture, given, female, &name);
                check_name(culture, &name);
            }
        }
    }
}

static const struct gen_culture *named(const char *name)
{
    for (uint32_t c = 0; c < GEN_CULTURES; c++)
        if (strcmp(gen_culture_at(c)->name, name) == 0)
            return gen_culture_at(c);
    fail_msg("no culture %s", name);
    return NULL;
}

static void test_spell__forms_of_women_and_customs_of_letters(void **state)
{
    (void)state;
    static const struct {
        const char *culture;
        uint32_t family;
        bool female;
        const char *native, *latin[GEN_SPELLINGS];
    } cases[] = {
        {"Polish and Czech", 1, false, "Kowalski", {"Kowalski", "Kowalski"}},
        {"Polish and Czech", 1, true, "Kowalska", {"Kowalska", "Kowalska"}},
        {"Polish and Czech", 13, true, "Nováková", {"Novakova", "Novakova"}},
        {"Russian and Ukrainian", 0, false, "Иванов", {"Ivanov", "Ivanov"}},
        {"Russian and Ukrainian", 0, true, "Иванова", {"Ivanova", "Ivanova"}},
        {"Russian and Ukrainian", 24, false, "Ющенко", {"Iushchenko", "Yushchenko"}},
        {"Greek", 0, true, "Παπαδόπουλου", {"Papadopoulou", "Papadopoulou"}},
        {"German", 0, false, "Müller", {"Mueller", "Muller"}},
        {"Arabic", 0, true, "الحسن", {"Al Hassan", "Alhasan"}},
        {"Chinese", 2, false, "张", {"Zhang", "Cheung"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gen_name name;
        gen_family_spell(named(cases[i].culture), cases[i].family, cases[i].female, &name);
        assert_string_equal(name.native, cases[i].native);
        assert_string_equal(name.latin[0], cases[i].latin[0]);
        assert_string_equal(name.latin[1], cases[i].latin[1]);
    }
}

static uint32_t how_many(const struct gen_culture *culture, const char *given, uint16_t year)
{
    uint32_t count = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        struct gen_name name;
        gen_given_spell(culture, gen_given_pick(culture, true, year, gen_throw(1, i, GEN_SALT_GIVEN)), true, &name);
        count += strcmp(name.native, given) == 0;
    }
    return count;
}

static void test_given_names__follow_the_fashion_of_the_decade(void **state)
{
    (void)state;
    static const struct {
        const char *given;
        uint16_t fashion, before, after;
    } cases[] = {{"Mildred", 1930, 1900, 2010}, {"Jennifer", 1983, 1940, 2026}, {"Hazel", 2026, 1950, 1990}};
    const struct gen_culture *english = named("English");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t then = how_many(english, cases[i].given, cases[i].fashion);
        assert_in_range(then, 200, 600); /* of ten thousand */
        assert_true(how_many(english, cases[i].given, cases[i].after) < then / 3);
        assert_true(how_many(english, cases[i].given, cases[i].before) < then / 3 || cases[i].before == 1900);
    }
}

static void test_given_beside__is_another_name_and_mostly_begins_alike(void **state)
{
    (void)state;
    const struct gen_culture *english = named("English");
    uint32_t alike = 0;
    for (uint32_t given = 0; given < 100; given++) {
        struct gen_name one, other;
        gen_given_spell(english, given, false, &one);
        gen_given_spell(english, gen_given_beside(english, false, given), false, &other);
        assert_string_not_equal(one.native, other.native);
        alike += one.native[0] == other.native[0];
    }
    assert_in_range(alike, 85, 99);
}

static void test_append__cuts_between_letters(void **state)
{
    (void)state;
    char text[6] = "ab";
    gen_append(text, sizeof text, str_from("éé"));
    assert_string_equal(text, "abé");
    gen_append(text, sizeof text, STR_NONE);
    assert_string_equal(text, "abé");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_name__of_every_culture_has_all_spellings),
        cmocka_unit_test(test_spell__forms_of_women_and_customs_of_letters),
        cmocka_unit_test(test_given_names__follow_the_fashion_of_the_decade),
        cmocka_unit_test(test_given_beside__is_another_name_and_mostly_begins_alike),
        cmocka_unit_test(test_append__cuts_between_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
