/*
 * What is known of made people, how often records of one human agree (m) and those of strangers do (u), is what
 * training finds without being told who is who.
 *
 * Tolerance, stated: m of every level within .03 of the truth. u of every level that chance shows two hundred times is
 * not below that of strangers nor above that of everybody else, relatives included, by more than a factor of 1.4: what
 * homes share is partly taken for chance.
 */
#include "orders.h"
#include "study_internal.h"

#include <math.h>

enum { PEOPLE = 4000, CHANCE_PAIRS = 1500000, OFTEN = 200, HOME = 8 };

struct truth {
    uint64_t at[FIELD_COUNT][LEVELS_MAX], compared[FIELD_COUNT];
};

struct made {
    struct mpi_study *study;
    uint32_t *human; /* [record] */
    uint32_t records;
};

static void make_people(struct support *support, uint64_t seed, struct made *out)
{
    struct gen gen;
    struct told *told = arena_alloc(&support->arena, sizeof *told);
    *out = (struct made){.study = mpi_study_new(),
                         .human = mem_array(PEOPLE * GEN_RECORDS_PER_HUMAN + 1, sizeof *out->human)};
    gen_init(&gen, &(struct gen_options){.seed = seed, .people = PEOPLE});
    for (uint32_t human = 0; human < PEOPLE; human++) {
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        size_t count = gen_records(&gen, human, records);
        for (size_t i = 0; i < count; i++) {
            struct arena_mark mark = arena_mark(&support->arena);
            uint32_t record;
            *told = (struct told){0};
            set_tell_made(&support->arena, &records[i], told);
            assert_ok(support, mpi_study_add(out->study, &support->cx, &told->input, &record));
            out->human[record] = human;
            out->records = record;
            arena_rewind(&support->arena, mark);
        }
    }
}

static void count_pair(const struct mpi_study *study, uint32_t a, uint32_t b, struct truth *truth)
{
    struct levels levels;
    compare_rows(entry_at(study->mpi, APPLIED, a)->row, entry_at(study->mpi, APPLIED, b)->row, &levels);
    for (size_t field = 0; field < FIELD_COUNT; field++) {
        truth->at[field][levels.at[field]]++;
        truth->compared[field] += levels.at[field] != 0;
    }
}

/* Records of one human stand together. Of two that say the same nothing can be learned: training sees them once. */
static void count_matches(const struct made *made, struct truth *truth)
{
    for (uint32_t a = 1; a <= made->records; a++)
        for (uint32_t b = a + 1; b <= made->records && made->human[a] == made->human[b]; b++)
            if (!row_same_body(entry_at(made->study->mpi, APPLIED, a)->row,
                               entry_at(made->study->mpi, APPLIED, b)->row))
                count_pair(made->study, a, b, truth);
}

/* Of everybody else, and of those who are no relatives: a home stands together. */
static void count_others(const struct made *made, uint64_t seed, struct truth *everybody, struct truth *strangers)
{
    for (uint32_t i = 0; i < CHANCE_PAIRS; i++) {
        uint32_t a = (uint32_t)(hash_random(&seed) % made->records + 1),
                 b = (uint32_t)(hash_random(&seed) % made->records + 1);
        uint32_t low = made->human[a < b ? a : b], high = made->human[a < b ? b : a];
        if (low == high)
            continue;
        count_pair(made->study, a, b, everybody);
        if (high - low >= HOME)
            count_pair(made->study, a, b, strangers);
    }
}

static double share(const struct truth *truth, size_t field, size_t level)
{
    return (double)truth->at[field][level] / (double)truth->compared[field];
}

struct sought {
    const struct mpi_model *model;
    struct truth same, everybody, strangers;
    unsigned levels, wrong;
};

/* A given name in the family name's place is told once, there. */
static bool is_told_elsewhere(size_t field, size_t level)
{
    return field == FIELD_GIVEN && level == NAME_SWAPPED;
}

static void check_level(struct sought *sought, size_t field, size_t level)
{
    const struct frequency *learnt = &sought->model->fields[field][level];
    double m = share(&sought->same, field, level), learnt_m = exp2(learnt->same / 1000.0);
    double least = share(&sought->strangers, field, level), most = share(&sought->everybody, field, level);
    double learnt_u = exp2(learnt->strangers / 1000.0);
    bool often = sought->strangers.at[field][level] >= OFTEN;
    bool wrong = fabs(m - learnt_m) > 0.03 || (often && (learnt_u < least / 1.4 || learnt_u > fmax(most, least) * 1.4));
    print_message("%s%s, %s: m %.4f learnt %.4f; u %.6f to %.6f learnt %.6f%s\n", wrong ? "WRONG " : "",
                  model_fields[field].name, model_fields[field].levels[level], m, learnt_m, least, most, learnt_u,
                  often ? "" : " (hardly seen)");
    sought->levels++;
    sought->wrong += wrong;
}

static void check_model(struct sought *sought)
{
    for (size_t field = 0; field < FIELD_COUNT; field++) {
        bool seen = sought->same.compared[field] >= 1000 && sought->strangers.compared[field] >= 1000;
        for (size_t level = 1; level < LEVELS_MAX && seen && model_fields[field].learned; level++)
            if (model_fields[field].levels[level] && !is_told_elsewhere(field, level))
                check_level(sought, field, level);
    }
}

static void test_training__recovers_m_and_u_of_made_people(void **state)
{
    (void)state;
    struct support support;
    struct made made;
    struct sought sought = {0};
    struct mpi_model *model;
    struct mpi_training training;
    support_init(&support);
    make_people(&support, 21, &made);
    mpi_study_train(made.study, &model, &training);
    mpi_study_link(made.study, model); /* which names are known ones is the model's to say */
    sought.model = model;
    count_matches(&made, &sought.same);
    count_others(&made, 21, &sought.everybody, &sought.strangers);
    check_model(&sought);
    uint64_t matches = sought.same.compared[FIELD_AUTHORITY];
    print_message("%u levels; %llu pairs of one human that do not say the same, learnt %.0f; relatives learnt %.0f\n",
                  sought.levels, (unsigned long long)matches, training.matches, training.kin);
    assert_int_equal(sought.wrong, 0);
    assert_true(sought.levels > 40);
    assert_true(fabs(training.matches - (double)matches) < 0.03 * (double)matches);
    mpi_study_free(made.study);
    mpi_model_free(model);
    mem_free(made.human);
    support_fini(&support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training__recovers_m_and_u_of_made_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
