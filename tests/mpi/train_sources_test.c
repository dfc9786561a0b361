/* Sources in a trained model, how it says its values are used, and that its text stays within bounds. */
#include "people.h"

#include "train_internal.h"
#include "value_use_internal.h"

#include <math.h>

enum { HUMANS = 1000, TWICE = 200 };

static void add(struct support *support, struct mpi_study *study, const char *authority, unsigned human, unsigned again)
{
    static const char *const parts[] = {"ba", "den", "ki", "lor", "mu", "nes", "po", "rik", "sal", "tev", "vi", "wen"};
    uint64_t seed = human, random = hash_random(&seed);
    struct human said = {
        .authority = authority,
        .id = arena_printf(&support->arena, "%u-%u", human, again).data,
        .family = arena_printf(&support->arena, "%s%s%s", parts[random % 12], parts[random / 12 % 12],
                               parts[random / 144 % 12])
                      .data,
        .given = arena_printf(&support->arena, "%s%s", parts[random / 2000 % 12], parts[random / 24000 % 12]).data,
        .birth = arena_printf(&support->arena, "19%02u%02u%02u", human % 80 + 10, human % 12 + 1, human % 27 + 1).data,
        .phone = again ? NULL : arena_printf(&support->arena, "2065%06u", human).data,
    };
    struct said made;
    uint32_t record;
    said_fill(&made, &said);
    assert_ok(support, mpi_study_add(study, &support->cx, &made.input, &record));
}

/* Two sources of as many records; only the first gives people two numbers. */
static struct mpi_study *make_people(struct support *support)
{
    struct mpi_study *study = mpi_study_new();
    for (unsigned human = 0; human < HUMANS; human++)
        add(support, study, "CARELESS", human, 0);
    for (unsigned human = 0; human < TWICE; human++)
        add(support, study, "CARELESS", human, 1);
    for (unsigned human = 0; human < HUMANS + TWICE; human++)
        add(support, study, "CAREFUL", human, 0);
    return study;
}

static int32_t weight_within(const struct mpi_study *study, const struct mpi_model *model, uint32_t left,
                             uint32_t right)
{
    struct levels levels;
    compare_rows(entry_at(study->mpi, APPLIED, left)->row, entry_at(study->mpi, APPLIED, right)->row, &levels);
    assert_int_equal(levels.at[FIELD_AUTHORITY], SAME_EXACT);
    return weigh_field(model, &levels, FIELD_AUTHORITY);
}

static void test_sources__weigh_by_their_own_habit(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support);
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    int32_t careless = weight_within(study, model, 1, HUMANS + 1),
            careful = weight_within(study, model, HUMANS + TWICE + 1, HUMANS + TWICE + 2);
    /* pairs of one person: 1000 across, 2 * 200 with the second number, 200 within CARELESS: a quarter of all record
     * pairs is within it, an eighth of those of one person */
    double want = log2(200 / 1600.0 / 0.25) * 1000;
    if (fabs(careless - want) > 400)
        fail_msg("careless %d millibits, not about %.0f", careless, want);
    assert_true(careful < careless - 1500);
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

/* What families share is taken back: whom a source counts twice is nothing that relatives have more of. */
static void test_sources__say_nothing_of_relatives(void **state)
{
    (void)state;
    struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
    struct levels levels = {0};
    levels.at[FIELD_AUTHORITY] = SAME_EXACT;
    int32_t kin = kin_at(model, &levels, FIELD_AUTHORITY) - strangers_at(model, &levels, FIELD_AUTHORITY);
    for (uint8_t rarity = 1; rarity < 40; rarity += 13) {
        levels.rarity[FIELD_AUTHORITY] = rarity;
        assert_int_equal(strangers_at(model, &levels, FIELD_AUTHORITY), -rarity * RARITY_MBIT);
        assert_int_equal(kin_at(model, &levels, FIELD_AUTHORITY) - strangers_at(model, &levels, FIELD_AUTHORITY), kin);
    }
    mem_free(model);
}

static void test_use__is_that_of_the_records(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support);
    struct mpi_model *model, *again;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    assert_int_equal(model->format, MODEL_FORMAT);
    assert_int_equal(model->use[VALUE_FAMILY].said_ppm, 1000000);
    assert_int_equal(model->use[VALUE_EMAIL].said_ppm, 0);
    assert_int_equal(model->use[VALUE_PHONE].said_ppm, 1000000ull * (2 * HUMANS + TWICE) / (2 * HUMANS + 2 * TWICE));
    assert_int_equal(model->use[VALUE_SOURCE].listed_ppm, 1000000);
    struct value_use_count count = {0};
    for (uint32_t record = 1; record <= mpi_study_records(study); record++)
        value_use_add(&count, model, entry_at(study->mpi, APPLIED, record)->row);
    for (size_t kind = 0; kind < VALUE_KINDS; kind++) {
        struct value_use use = value_use_of(&count, kind);
        assert_memory_equal(&use, &model->use[kind], sizeof use);
        assert_true(use.listed_ppm <= 1000000);
    }
    SCOPED(buf_fini) struct buf text = {0};
    SCOPED(buf_fini) struct buf second = {0};
    mpi_model_write(model, &text);
    assert_ok(&support, mpi_model_read(&support.cx, buf_str(&text), &again));
    assert_memory_equal(again->use, model->use, sizeof model->use);
    assert_int_equal(again->values[VALUE_SOURCE].count, 2);
    mpi_model_write(again, &second);
    assert_true(str_eq(buf_str(&text), buf_str(&second)));
    mpi_study_free(study);
    mpi_model_free(model);
    mpi_model_free(again);
    support_fini(&support);
}

static void test_tables__are_cut_where_the_text_would_be_too_long(void **state)
{
    (void)state;
    enum { ALL = 300 };
    struct support support;
    support_init(&support);
    struct mpi_study *study = make_people(&support);
    struct mpi_model *whole = mem_copy(mpi_model_general(), sizeof *whole),
                     *cut = mem_copy(mpi_model_general(), sizeof *cut);
    mpi_study_link(study, mpi_model_general());
    struct agreement agreements[COUNTED_KINDS];
    train_write_values(study->mpi, TRAIN_VALUES_ALL, whole, agreements);
    train_write_values(study->mpi, ALL, cut, agreements);
    size_t sum_whole = 0, sum_cut = 0, most = 0;
    for (size_t kind = 0; kind < VALUE_SOURCE; kind++) {
        sum_whole += whole->values[kind].count;
        sum_cut += cut->values[kind].count;
        most = cut->values[kind].count > most ? cut->values[kind].count : most;
    }
    assert_true(sum_whole > ALL && sum_cut <= ALL && sum_cut > ALL - VALUE_KINDS);
    for (size_t kind = 0; kind < VALUE_SOURCE; kind++) /* only what is longer than the longest that fits */
        assert_int_equal(cut->values[kind].count, whole->values[kind].count < most ? whole->values[kind].count : most);
    mpi_model_free(whole);
    mpi_model_free(cut);
    mpi_study_free(study);
    support_fini(&support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources__weigh_by_their_own_habit),
        cmocka_unit_test(test_sources__say_nothing_of_relatives),
        cmocka_unit_test(test_use__is_that_of_the_records),
        cmocka_unit_test(test_tables__are_cut_where_the_text_would_be_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
