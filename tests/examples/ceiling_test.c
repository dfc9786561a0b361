/* The ceiling: pairs that nobody could decide, counted exactly and from a sample. */
#include "support.h"

#include "ceiling_internal.h"

#include "base/mem.h"

static struct gen fresh(uint64_t seed)
{
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = seed});
    return gen;
}

/* A person of a town where everybody is called alike. */
static void be_john_smith(uint64_t index, uint16_t birth_year, struct gen_member *self, struct gen_human *human)
{
    const struct gen_culture *english = gen_culture_at(0);
    *self = (struct gen_member){.culture = english, .birth = {birth_year, 2, 3}};
    *human = (struct gen_human){.index = index, .self = self};
    gen_family_spell(english, 0, false, &human->family);
    gen_given_spell(english, 0, false, &human->given);
}

static struct gen_record written(const struct gen_human *human, const char *given, const char *phone)
{
    struct gen_record record = {.source = GEN_LAB, .human = human->index, .birth_date = human->self->birth, .sex = 'M'};
    gen_append(record.family, GEN_TEXT_MAX, STR("SMITH"));
    gen_append(record.given, GEN_TEXT_MAX, str_from(given));
    gen_append(record.phone, sizeof record.phone, str_from(phone));
    return record;
}

static struct gen_ceiling ceiling_of_two(uint16_t first_year, uint16_t second_year, const char *given,
                                         const char *phone)
{
    SCOPED(ceiling_fini) struct ceiling ceiling = {0};
    struct gen_member one, two;
    static struct gen_human first, second;
    ceiling_init(&ceiling, CEILING_SLOTS_MAX);
    be_john_smith(1, first_year, &one, &first);
    be_john_smith(2, second_year, &two, &second);
    struct gen_record records[] = {written(&first, given, phone), written(&first, "WALTER", "5550001"),
                                   written(&first, "WALTER", "5550002")};
    ceiling_add(&ceiling, &first, records, 3);
    ceiling_add(&ceiling, &second, NULL, 0);
    return ceiling_answer(&ceiling);
}

static void test_ceiling__counts_pairs_of_bare_records_with_the_values_of_several(void **state)
{
    (void)state;
    static const struct {
        uint16_t first_year, second_year;
        const char *given, *phone;
        uint64_t want_bare_records, want_bare, want_undecidable;
    } cases[] = {
        {1980, 1980, "WALTER", "", 1, 2, 2},  /* both are called so, born on that day */
        {1980, 1980, "W", "", 1, 2, 2},       /* the first letter fits both too */
        {1980, 1981, "WALTER", "", 1, 2, 0},  /* another year of birth */
        {1980, 1980, "WLATER", "", 1, 2, 0},  /* nobody else would be written so */
        {1980, 1980, "WALTER", "5", 0, 0, 0}, /* not bare */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gen_ceiling got =
            ceiling_of_two(cases[i].first_year, cases[i].second_year, cases[i].given, cases[i].phone);
        assert_int_equal(got.sample, 1);
        assert_int_equal(got.bare_records, cases[i].want_bare_records);
        assert_int_equal(got.pairs_bare, cases[i].want_bare);
        assert_int_equal(got.pairs_undecidable, cases[i].want_undecidable);
    }
}

static struct gen_ceiling ceiling_of_people(uint64_t people, uint64_t slots_max)
{
    SCOPED(ceiling_fini) struct ceiling ceiling = {0};
    struct gen gen = fresh(7);
    static struct gen_human human;
    static struct gen_record records[GEN_RECORDS_PER_HUMAN];
    ceiling_init(&ceiling, slots_max);
    for (uint64_t index = 0; index < people; index++) {
        gen_human(&gen, index, &human);
        ceiling_add(&ceiling, &human, records, gen_records_of(&gen, &human, records));
        assert_true(ceiling.slots <= slots_max);
    }
    return ceiling_answer(&ceiling);
}

static void test_ceiling__of_a_sample_is_near_the_exact_one_in_less_memory(void **state)
{
    (void)state;
    struct gen_ceiling exact = ceiling_of_people(30000, CEILING_SLOTS_MAX);
    struct gen_ceiling sampled = ceiling_of_people(30000, 1 << 14);
    assert_int_equal(exact.sample, 1);
    assert_int_equal(sampled.sample, 8);
    assert_true(exact.pairs_undecidable > 0 && exact.pairs_undecidable < exact.pairs_bare / 100);
    assert_in_range(exact.bare_records, 7500, 8200);
    assert_in_range(sampled.bare_records * 100 / exact.bare_records, 92, 108);
    assert_in_range(sampled.pairs_bare * 100 / exact.pairs_bare, 92, 108);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceiling__counts_pairs_of_bare_records_with_the_values_of_several),
        cmocka_unit_test(test_ceiling__of_a_sample_is_near_the_exact_one_in_less_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
