/* A model made without labels knows what the labels would have told. */
#include "support.h"

#include "base/hash.h"
#include "study_internal.h"

#include <math.h>

enum { HUMANS = 3000, FEW = 600 };

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
static struct mpi_study *make_people_of(struct support *support, unsigned humans, const char *second_source)
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
        add(support, study, second_source, second_source[0] == 'A' ? humans + human : human, &second);
    }
    return study;
}

static struct mpi_study *make_people(struct support *support, unsigned humans)
{
    return make_people_of(support, humans, "B");
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

/* Whoever looks at the records, and by how many threads. */
static void test_training__gives_the_same_model_and_persons_by_any_number_of_threads(void **state)
{
    (void)state;
    enum { SOME = 1200 };
    static const unsigned threads[] = {1, 3, STUDY_THREADS_MAX + 1};
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support, SOME);
    SCOPED(buf_fini) struct buf first = {0};
    uint32_t *persons = arena_array(&support.arena, 2 * SOME + 1, sizeof *persons);
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        struct mpi_model *model;
        struct mpi_training training;
        SCOPED(buf_fini) struct buf text = {0};
        mpi_study_use_threads(study, threads[i]);
        mpi_study_train(study, &model, &training);
        mpi_study_link(study, model);
        mpi_model_write(model, i == 0 ? &first : &text);
        if (i > 0)
            assert_true(str_eq(buf_str(&text), buf_str(&first)));
        for (uint32_t record = 1; record <= 2 * SOME; record++) {
            if (i == 0)
                persons[record] = mpi_study_person(study, record);
            assert_int_equal(mpi_study_person(study, record), persons[record]);
        }
        mpi_study_link(study, mpi_model_general());
        mpi_model_free(model);
    }
    mpi_study_free(study);
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

/* ---- indexes that are not like others ---- */

/* Records of the fields asked for; `apart`: how many kinds of people there are. */
enum { HAS_NAMES = 1, HAS_BIRTH = 2, HAS_PHONE = 4, PLACEHOLDERS = 8, TWO_SOURCES = 16 };

static struct mpi_study *make_index(struct support *support, unsigned records, unsigned apart, unsigned has)
{
    struct mpi_study *study = mpi_study_new();
    for (unsigned i = 0; i < records; i++) {
        unsigned human = i % apart;
        uint64_t seed = human;
        struct drawn drawn = {.birth = has & HAS_BIRTH ? (int32_t)(hash_random(&seed) % 20000) : 0};
        draw_name(&seed, 1500, drawn.family);
        draw_name(&seed, 300, drawn.given);
        if (has & PLACEHOLDERS) {
            snprintf(drawn.family, sizeof drawn.family, "UNKNOWN");
            snprintf(drawn.given, sizeof drawn.given, "TEST");
        }
        struct str source = has & TWO_SOURCES && i % 2 ? STR("B") : STR("A");
        struct mpi_identifier identifier = {source, arena_printf(&support->arena, "%u", i), STR("MR")};
        struct mpi_name name = {.family = str_from(drawn.family), .given = str_from(drawn.given)};
        struct str phone = arena_printf(&support->arena, "2065%05u", human);
        struct mpi_record_input input = {.source = STR("A"), .identifiers = &identifier, .identifier_count = 1};
        input.demographics = (struct mpi_demographics){.names = &name,
                                                       .name_count = (has & HAS_NAMES) != 0,
                                                       .phones = &phone,
                                                       .phone_count = (has & HAS_PHONE) != 0};
        if (has & HAS_BIRTH)
            input.demographics.birth_date = date_from_days(drawn.birth);
        uint32_t record;
        assert_ok(support, mpi_study_add(study, &support->cx, &input, &record));
    }
    return study;
}

static void check_sane(const struct mpi_model *model)
{
    assert_in_range(-model->prior_mbit + 10000, 0, 60000);
    assert_in_range(-model->kin_mbit + 10000, 0, 60000);
    assert_in_range(model->auto_mbit, 5615, 9966);
    assert_in_range(model->namesake_mbit, 0, 8000);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        for (size_t k = 0; k < LEVELS_MAX; k++) {
            const struct frequency *at = &model->fields[i][k];
            assert_in_range(-at->same, 0, 30000);
            assert_in_range(-at->strangers, 0, 30000);
            assert_in_range(-at->kin, 0, 30000);
        }
}

static void test_training__ends_in_a_model_whatever_the_index(void **state)
{
    (void)state;
    static const struct {
        unsigned records, apart, has;
    } cases[] = {{1, 1, HAS_NAMES | HAS_BIRTH},
                 {2, 1, HAS_NAMES | HAS_BIRTH | HAS_PHONE},
                 {2, 1, HAS_NAMES | HAS_BIRTH | TWO_SOURCES},
                 {2, 2, HAS_NAMES | HAS_BIRTH},
                 {40, 1, HAS_NAMES | HAS_BIRTH | TWO_SOURCES},
                 {3, 1, HAS_PHONE},
                 {300, 1, HAS_NAMES | HAS_BIRTH},
                 {300, 1, HAS_NAMES},
                 {300, 300, HAS_NAMES},
                 {300, 150, HAS_NAMES | HAS_PHONE},
                 {300, 100, HAS_BIRTH},
                 {300, 300, HAS_NAMES | PLACEHOLDERS},
                 {300, 300, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support support;
        support_init(&support);
        struct mpi_study *study = make_index(&support, cases[i].records, cases[i].apart, cases[i].has);
        struct mpi_model *model;
        struct mpi_training training;
        mpi_study_train(study, &model, &training);
        check_sane(model);
        double pairs = cases[i].records * (cases[i].records - 1.0) / 2;
        assert_true(training.matches + training.kin <= pairs);
        mpi_study_free(study);
        mpi_model_free(model);
        support_fini(&support);
    }
}

static int32_t says(const struct mpi_model *model, enum model_field field, uint8_t level)
{
    return model->fields[field][level].same - model->fields[field][level].strangers;
}

/* The index grows: what no record had when the model was made is no proof when one has it. */
static void test_training__makes_no_proof_of_what_was_never_seen(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support, FEW);
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    static const struct {
        enum model_field field;
        uint8_t level;
    } unseen[] = {{FIELD_GIVEN, NAME_INITIAL},      {FIELD_GIVEN, NAME_NICKNAME},  {FIELD_FAMILY, NAME_PART},
                  {FIELD_BIRTH, BIRTH_PARTIAL},     {FIELD_BIRTH, BIRTH_NEAR},     {FIELD_MIDDLE, NAME_INITIAL},
                  {FIELD_EMAIL, EMAIL_EXACT},       {FIELD_ADDRESS, ADDRESS_CITY}, {FIELD_NATIONAL, LIST_EDIT},
                  {FIELD_BIRTH_PLACE, LIST_DIFFERS}};
    for (size_t i = 0; i < sizeof unseen / sizeof unseen[0]; i++) {
        int32_t now = says(model, unseen[i].field, unseen[i].level),
                general = says(mpi_model_general(), unseen[i].field, unseen[i].level);
        if (now > general + 20)
            fail_msg("%s, %s: says %d, in general %d", model_fields[unseen[i].field].name,
                     model_fields[unseen[i].field].levels[unseen[i].level], now, general);
    }
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

static void test_training__on_one_source_makes_no_proof_of_a_second(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people_of(&support, FEW, "A");
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    assert_true(fabs(training.matches - FEW) < 0.05 * FEW); /* who came twice, also those who said the same */
    assert_in_range(says(model, FIELD_AUTHORITY, SAME_EXACT) + 100, 0, 200);
    assert_true(says(model, FIELD_AUTHORITY, SAME_DIFFERS) <=
                says(mpi_model_general(), FIELD_AUTHORITY, SAME_DIFFERS) + 20);
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

/* Two of them have a phone, and not the same one: that tells nothing of how often strangers share one. */
static void test_training__believes_in_general_what_few_have(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_index(&support, 200, 200, HAS_NAMES | HAS_BIRTH);
    for (unsigned i = 0; i < 2; i++) {
        struct drawn drawn = {.family = "Okonkwo", .given = "Chidi", .birth = 77};
        snprintf(drawn.phone, sizeof drawn.phone, "20655501%02u", 10 + i);
        add(&support, study, "B", i, &drawn);
    }
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    assert_int_equal(model->fields[FIELD_PHONE][LIST_EXACT].strangers,
                     mpi_model_general()->fields[FIELD_PHONE][LIST_EXACT].strangers);
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

/* ---- steps ---- */

/* Values 1 to `count`, of as many persons as `persons_of` tells. */
static struct value_table tabulate(size_t count, size_t values_max, uint32_t (*persons_of)(size_t value))
{
    struct value_counts counts = {0};
    for (size_t value = 1; value <= count; value++) {
        *VEC_ADD(&counts) = (struct value_count){.value = value, .persons = persons_of(value)};
        counts.persons += persons_of(value);
    }
    struct value_table table;
    study_tabulate(&counts, VALUE_FAMILY, values_max, &table);
    VEC_FINI(&counts);
    return table;
}

static uint32_t zipf(size_t value)
{
    return (uint32_t)(40000 / value);
}

/* What does not fit in a table is no rarer than it is: as rare as the rest of its kind, met by whoever has it. */
static void test_table__that_is_too_small_makes_nothing_rare(void **state)
{
    (void)state;
    struct value_table whole = tabulate(4000, 4000, zipf), small = tabulate(4000, 500, zipf);
    assert_int_equal(whole.count, 4000); /* all of them are of ten or more */
    assert_int_equal(small.count, 500);
    assert_int_equal(value_table_get(&small, 500), value_table_get(&whole, 500));
    uint8_t most = value_table_get(&whole, 501) & RARITY_TOP, least = value_table_get(&whole, 4000) & RARITY_TOP;
    assert_in_range(small.rest, most, least);
    assert_true(most < least);
    value_table_fini(&whole);
    value_table_fini(&small);
}

static uint32_t one_person(size_t value)
{
    (void)value;
    return 1;
}

static void test_table__of_values_that_nobody_shares_lists_none(void **state)
{
    (void)state;
    struct value_table table = tabulate(1000, 4000, one_person), empty = tabulate(0, 4000, one_person);
    assert_int_equal(table.count, 0);
    assert_in_range(table.rest, 4 * 10, 4 * 13); /* one of 1,000, or a little rarer */
    assert_int_equal(value_table_get(&table, 7), table.rest);
    assert_int_equal(value_table_get(&empty, 7), 0); /* nothing is known */
    value_table_fini(&table);
    value_table_fini(&empty);
}

static void test_threshold__takes_all_links_of_one_score_or_none(void **state)
{
    (void)state;
    int32_t none[1] = {0}, sure[] = {20000, 30000, 25000}, many[2000];
    assert_int_equal(study_threshold(none, 0), 9966);
    assert_int_equal(study_threshold(sure, 3), 9966); /* that is always enough */
    for (size_t i = 0; i < 2000; i++)
        many[i] = i < 100 ? 30000 : 6000; /* two hundred sure ones pay for one at 98.5 %, not for 1,900 */
    assert_int_equal(study_threshold(many, 2000), 9966);
    for (size_t i = 0; i < 2000; i++)
        many[i] = i < 1999 ? 30000 : 6000;
    assert_int_equal(study_threshold(many, 2000), 6000);
}

/* Nobody's birth is known, so nobody can be told from a namesake: what is believed in general stays. */
static void test_training__without_births_believes_in_general_of_namesakes(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_index(&support, 900, 900, HAS_NAMES | HAS_PHONE);
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    assert_int_equal(model->namesake_mbit, mpi_model_general()->namesake_mbit);
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

/* ---- which names are names ---- */

static bool is_known(const struct mpi_model *model, const char *given)
{
    uint64_t value = row_name_value(str_from(given), VALUE_GIVEN);
    return value_table_get(&model->values[VALUE_GIVEN], value) & RARITY_KNOWN;
}

/* `humans` of this given name, each of another family; `records` of each. */
static void add_named(struct support *support, struct mpi_study *study, const char *given, unsigned humans,
                      unsigned records, unsigned *next)
{
    for (unsigned i = 0; i < humans; i++, ++*next) {
        for (unsigned k = 0; k < records; k++) {
            struct drawn drawn = {.birth = (int32_t)(*next * 37 % 20000)};
            snprintf(drawn.family, sizeof drawn.family, "fam%uily", *next);
            snprintf(drawn.given, sizeof drawn.given, "%s", given);
            snprintf(drawn.phone, sizeof drawn.phone, "2%08u", *next * 7919);
            add(support, study, k ? "B" : "A", *next, &drawn);
        }
    }
}

/* Among many people every slip of a common name is made more than once; a rare name is said again by those who bear it,
 * and one that is nobody else's slip needs no more than that several have it. */
static void test_names__that_are_slips_of_a_common_one_are_nobodys(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = mpi_study_new();
    unsigned next = 1;
    add_named(&support, study, "Timothy", 120, 2, &next);
    add_named(&support, study, "Timotyh", 3, 1, &next);  /* three slips */
    add_named(&support, study, "Timothea", 2, 2, &next); /* two letters away */
    add_named(&support, study, "Timoth", 1, 2, &next);   /* said again: a name, rare as it is */
    add_named(&support, study, "Chidi", 3, 1, &next);
    add_named(&support, study, "Chida", 1, 1, &next);
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    assert_true(is_known(model, "timothy"));
    assert_false(is_known(model, "timotyh"));
    assert_true(is_known(model, "timothea"));
    assert_true(is_known(model, "timoth"));
    assert_true(is_known(model, "chidi"));
    assert_false(is_known(model, "chida"));
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

/* Where everybody has another record a single one is unlikely to be somebody new; where nobody has, it is not. */
static void test_training__learns_how_likely_somebody_is_alone(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    for (unsigned records = 1; records <= 2; records++) {
        struct mpi_study *study = mpi_study_new();
        unsigned next = 1;
        add_named(&support, study, "Timothy", 150, 1, &next);
        add_named(&support, study, "Chidi", 450, records, &next);
        struct mpi_model *model;
        struct mpi_training training;
        mpi_study_train(study, &model, &training);
        double alone = records == 1 ? 1 : (150 + 10) / (double)(150 + 900 + 10);
        assert_true(fabs(model->alone_mbit + log2(alone) * 1000) < 1);
        mpi_study_free(study);
        mpi_model_free(model);
    }
    support_fini(&support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training__finds_the_frequencies_of_the_truth),
        cmocka_unit_test(test_training__gives_the_same_model_and_persons_by_any_number_of_threads),
        cmocka_unit_test(test_training__of_many_looks_at_a_sample),
        cmocka_unit_test(test_training__of_nobody_is_the_general_model),
        cmocka_unit_test(test_training__ends_in_a_model_whatever_the_index),
        cmocka_unit_test(test_training__makes_no_proof_of_what_was_never_seen),
        cmocka_unit_test(test_training__on_one_source_makes_no_proof_of_a_second),
        cmocka_unit_test(test_training__believes_in_general_what_few_have),
        cmocka_unit_test(test_names__that_are_slips_of_a_common_one_are_nobodys),
        cmocka_unit_test(test_training__learns_how_likely_somebody_is_alone),
        cmocka_unit_test(test_table__that_is_too_small_makes_nothing_rare),
        cmocka_unit_test(test_table__of_values_that_nobody_shares_lists_none),
        cmocka_unit_test(test_threshold__takes_all_links_of_one_score_or_none),
        cmocka_unit_test(test_training__without_births_believes_in_general_of_namesakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
