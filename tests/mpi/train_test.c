/* A model made without labels knows what the labels would have told. */
#include "support.h"

#include "base/hash.h"
#include "study_internal.h"

#include <math.h>

enum { HUMANS = 3000 };

/* ---- people with known slips: every human twice, once in each source ---- */

struct drawn {
    char family[16], given[16], phone[16];
    int32_t birth;
};

static void draw_name(uint64_t *seed, unsigned many, char out[16])
{
    static const char *const parts[] = {"ba", "den", "ki", "lor", "mu", "nes", "po", "rik", "sal", "tev", "vi", "wen"};
    uint64_t random = hash_random(seed), low = random % many, rank = low * (random >> 32 & 0xFFFF) / 0x10000;
    snprintf(out, 16, "%s%s%s", parts[rank % 12], parts[rank / 12 % 12], parts[rank / 144 % 12]);
}

static void slip(uint64_t *seed, char *text)
{
    size_t at = hash_random(seed) % strlen(text);
    text[at] = text[at] == 'x' ? 'q' : 'x';
}

static bool happens(uint64_t *seed, unsigned percent)
{
    return hash_random(seed) % 100 < percent;
}

static void add(struct support *support, struct mpi_study *study, const char *source, unsigned human,
                const struct drawn *drawn)
{
    struct mpi_identifier identifier = {str_from(source), arena_printf(&support->arena, "%u", human), STR("MR")};
    struct mpi_name name = {.family = str_from(drawn->family), .given = str_from(drawn->given)};
    struct str phone = str_from(drawn->phone);
    struct mpi_record_input input = {.source = str_from(source), .identifiers = &identifier, .identifier_count = 1};
    input.demographics = (struct mpi_demographics){.names = &name,
                                                   .name_count = 1,
                                                   .phones = &phone,
                                                   .phone_count = 1,
                                                   .birth_date = date_from_days(drawn->birth)};
    uint32_t record;
    assert_ok(support, mpi_study_add(study, &support->cx, &input, &record));
}

/* Records 2h+1 and 2h+2 are human h. */
static struct mpi_study *make_people(struct support *support, unsigned humans)
{
    struct mpi_study *study = mpi_study_new();
    uint64_t seed = 11;
    for (unsigned human = 0; human < humans; human++) {
        struct drawn first = {.birth = (int32_t)(hash_random(&seed) % 25000) - 10000}, second;
        draw_name(&seed, 1500, first.family);
        draw_name(&seed, 300, first.given);
        snprintf(first.phone, sizeof first.phone, "2%08u", (unsigned)(hash_random(&seed) % 100000000));
        second = first;
        if (happens(&seed, 8))
            slip(&seed, second.family);
        if (happens(&seed, 4))
            slip(&seed, second.given);
        if (happens(&seed, 30)) /* moved */
            snprintf(second.phone, sizeof second.phone, "2%08u", (unsigned)(hash_random(&seed) % 100000000));
        if (happens(&seed, 5))
            second.birth += 3650 + (int32_t)(hash_random(&seed) % 3000);
        add(support, study, "A", human, &first);
        add(support, study, "B", human, &second);
    }
    return study;
}

/* ---- what the truth says ---- */

static double true_share(const struct mpi_study *study, unsigned humans, enum model_field field, uint8_t level)
{
    unsigned at = 0, compared = 0;
    for (unsigned human = 0; human < humans; human++) {
        struct levels levels;
        compare_rows(entry_at(study->mpi, APPLIED, 2 * human + 1)->row,
                     entry_at(study->mpi, APPLIED, 2 * human + 2)->row, &levels);
        compared += levels.at[field] != 0;
        at += levels.at[field] == level;
    }
    return (double)at / compared;
}

static void check_share(const struct mpi_study *study, const struct mpi_model *model, enum model_field field,
                        uint8_t level)
{
    double learnt = exp2(model->fields[field][level].same / 1000.0), truth = true_share(study, HUMANS, field, level);
    if (fabs(learnt - truth) > 0.015)
        fail_msg("%s, %s: learnt %.4f, truth %.4f", model_fields[field].name, model_fields[field].levels[level], learnt,
                 truth);
}

static unsigned linked_rightly(const struct mpi_study *study, unsigned humans, unsigned *out_wrongly)
{
    unsigned right = 0;
    *out_wrongly = 0;
    for (unsigned human = 0; human < humans; human++) {
        right += mpi_study_person(study, 2 * human + 1) == mpi_study_person(study, 2 * human + 2);
        for (unsigned other = human + 1; other < humans; other++)
            *out_wrongly += mpi_study_person(study, 2 * human + 1) == mpi_study_person(study, 2 * other + 1);
    }
    return right;
}

static void test_training__finds_the_frequencies_of_the_truth(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support, HUMANS);
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    mpi_study_link(study, model);
    check_share(study, model, FIELD_FAMILY, NAME_EXACT);
    check_share(study, model, FIELD_GIVEN, NAME_EXACT);
    check_share(study, model, FIELD_PHONE, LIST_EXACT);
    check_share(study, model, FIELD_PHONE, LIST_DIFFERS);
    check_share(study, model, FIELD_BIRTH, BIRTH_EXACT);
    check_share(study, model, FIELD_BIRTH, BIRTH_DIFFERS);
    check_share(study, model, FIELD_AUTHORITY, SAME_DIFFERS);
    assert_true(fabs(training.matches - HUMANS) < 0.02 * HUMANS);
    assert_true(training.kin < 0.02 * HUMANS); /* nobody here has a family */
    unsigned wrongly, rightly = linked_rightly(study, HUMANS, &wrongly);
    assert_true(rightly > 0.95 * HUMANS);
    assert_int_equal(wrongly, 0);
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

static void test_training__gives_the_same_model_twice(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support, 400);
    struct mpi_model *one, *two;
    struct mpi_training training;
    mpi_study_train(study, &one, &training);
    mpi_study_train(study, &two, &training);
    assert_int_equal(one->prior_mbit, two->prior_mbit);
    assert_int_equal(one->auto_mbit, two->auto_mbit);
    assert_int_equal(one->namesake_mbit, two->namesake_mbit);
    assert_memory_equal(one->fields, two->fields, sizeof one->fields);
    for (size_t i = 0; i < VALUE_KINDS; i++) {
        assert_int_equal(one->values[i].count, two->values[i].count);
        for (uint32_t k = 0; k < one->values[i].count; k++)
            assert_int_equal(one->values[i].at[k].rarity, two->values[i].at[k].rarity);
    }
    mpi_study_free(study);
    mpi_model_free(one);
    mpi_model_free(two);
    support_fini(&support);
}

static void test_training__of_many_looks_at_a_sample(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support, HUMANS);
    struct mpi_model *all, *some;
    struct mpi_training whole, sampled;
    study_train(study, 2 * HUMANS, &all, &whole);
    study_train(study, HUMANS / 2, &some, &sampled);
    assert_true(sampled.pairs < whole.pairs);
    assert_true(fabs(sampled.matches - whole.matches) < 0.1 * whole.matches);
    mpi_study_free(study);
    mpi_model_free(all);
    mpi_model_free(some);
    support_fini(&support);
}

static void test_training__of_nobody_is_the_general_model(void **state)
{
    (void)state;
    struct mpi_study *study = mpi_study_new();
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    assert_memory_equal(model->fields, mpi_model_general()->fields, sizeof model->fields);
    mpi_study_free(study);
    mpi_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training__finds_the_frequencies_of_the_truth),
        cmocka_unit_test(test_training__gives_the_same_model_twice),
        cmocka_unit_test(test_training__of_many_looks_at_a_sample),
        cmocka_unit_test(test_training__of_nobody_is_the_general_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
