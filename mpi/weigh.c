#include "model_internal.h"

/* log2(1 + 2^-(k/4)) in millibits. */
#define SUM(k) ((int32_t)(__builtin_log2(1 + __builtin_exp2(-(k) / 4.0)) * 1000 + 0.5))
enum { SUM_STEP_MBIT = 250, SUM_STEPS = 52 };
static const int32_t sums[SUM_STEPS + 1] = {
    SUM(0),  SUM(1),  SUM(2),  SUM(3),  SUM(4),  SUM(5),  SUM(6),  SUM(7),  SUM(8),  SUM(9),  SUM(10),
    SUM(11), SUM(12), SUM(13), SUM(14), SUM(15), SUM(16), SUM(17), SUM(18), SUM(19), SUM(20), SUM(21),
    SUM(22), SUM(23), SUM(24), SUM(25), SUM(26), SUM(27), SUM(28), SUM(29), SUM(30), SUM(31), SUM(32),
    SUM(33), SUM(34), SUM(35), SUM(36), SUM(37), SUM(38), SUM(39), SUM(40), SUM(41), SUM(42), SUM(43),
    SUM(44), SUM(45), SUM(46), SUM(47), SUM(48), SUM(49), SUM(50), SUM(51), 0};

int32_t log2_one_plus(int32_t x_mbit)
{
    int32_t larger = x_mbit < 0 ? 0 : x_mbit;
    if (x_mbit <= -SUM_STEPS * SUM_STEP_MBIT || x_mbit >= SUM_STEPS * SUM_STEP_MBIT)
        return larger;
    int32_t size = x_mbit < 0 ? -x_mbit : x_mbit, step = size / SUM_STEP_MBIT, rest = size % SUM_STEP_MBIT;
    return larger + sums[step] - ((sums[step] - sums[step + 1]) * rest + SUM_STEP_MBIT / 2) / SUM_STEP_MBIT;
}

/* How often strangers stand there, or have just this value. That both names are exact is in the given name's rarity. */
int32_t strangers_at(const struct mpi_model *model, const struct levels *levels, size_t field)
{
    if (levels->rarity[field])
        return -levels->rarity[field] * RARITY_MBIT;
    int32_t strangers = model->fields[field][levels->at[field]].strangers;
    bool names = field == FIELD_GIVEN && name_agrees(levels->at[FIELD_GIVEN]) && name_agrees(levels->at[FIELD_FAMILY]);
    if (names)
        strangers += model->namesake_mbit;
    return strangers < 0 ? strangers : 0; /* always, at most */
}

/* Relatives of one birth date are twins, and twins do not get one name. They are met in a source as strangers are,
 * however often the source gives one person two numbers. */
int32_t kin_at(const struct mpi_model *model, const struct levels *levels, size_t field)
{
    enum { ONE_NAME_AND_DATE_MBIT = -13000 };
    if (field == FIELD_BIRTH && levels->at[field] == BIRTH_EXACT && levels->at[FIELD_GIVEN] == NAME_EXACT)
        return ONE_NAME_AND_DATE_MBIT;
    int32_t kin = model->fields[field][levels->at[field]].kin;
    if (field == FIELD_AUTHORITY && levels->rarity[field])
        kin += strangers_at(model, levels, field) - model->fields[field][levels->at[field]].strangers;
    return kin;
}

int32_t weigh_field(const struct mpi_model *model, const struct levels *levels, enum model_field field)
{
    return levels->at[field] ? model->fields[field][levels->at[field]].same - strangers_at(model, levels, field) : 0;
}

/* What has to be taken back because relatives share it: never above 0. */
static int32_t weigh_kin(const struct mpi_model *model, const struct levels *levels)
{
    int32_t sum = model->kin_mbit;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (levels->at[i])
            sum += kin_at(model, levels, i) - strangers_at(model, levels, i);
    return -log2_one_plus(sum);
}

int32_t weigh_levels(const struct mpi_model *model, const struct levels *levels)
{
    int32_t sum = model->prior_mbit + weigh_kin(model, levels);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        sum += weigh_field(model, levels, (enum model_field)i);
    return sum;
}

/* By itself: it must not matter what else is known. */
static int32_t speaks(const struct mpi_model *model, const struct levels *levels, size_t field)
{
    const struct frequency *frequency = &model->fields[field][levels->at[field]];
    int32_t strangers = levels->rarity[field] ? -levels->rarity[field] * RARITY_MBIT : frequency->strangers;
    return levels->at[field] ? frequency->same - strangers : 0;
}

/* What is said together: names change places with each other, and the given name says the sex. */
struct unit {
    uint8_t fields[3], count;
};
static const struct unit units[] = {{{FIELD_FAMILY, FIELD_GIVEN, FIELD_SEX}, 3},
                                    {{FIELD_MIDDLE}, 1},
                                    {{FIELD_BIRTH}, 1},
                                    {{FIELD_PHONE}, 1},
                                    {{FIELD_EMAIL}, 1},
                                    {{FIELD_ADDRESS}, 1},
                                    {{FIELD_NATIONAL}, 1},
                                    {{FIELD_IDENTIFIER}, 1},
                                    {{FIELD_MOTHER}, 1},
                                    {{FIELD_BIRTH_PLACE}, 1},
                                    {{FIELD_GENERATION}, 1},
                                    {{FIELD_BIRTH_ORDER}, 1},
                                    {{FIELD_AUTHORITY}, 1}};

/* Fields of the unit that both have, the sex aside. */
static int known_of(const struct unit *unit, const struct levels *levels)
{
    int known = 0;
    for (size_t i = 0; i < unit->count; i++)
        known += unit->fields[i] != FIELD_SEX && levels->at[unit->fields[i]] != 0;
    return known;
}

/* Above 0: the left one counts. Silence never hides what was said; of equal ones any, but always the same. */
static int compare_said(const struct mpi_model *model, const struct unit *unit, const struct levels *left,
                        const struct levels *right)
{
    int known = known_of(unit, left) - known_of(unit, right), order = 0;
    int64_t more = 0;
    for (size_t i = 0; i < unit->count; i++) {
        size_t field = unit->fields[i];
        int l = left->at[field] << 8 | left->rarity[field], r = right->at[field] << 8 | right->rarity[field];
        more += speaks(model, left, field) - speaks(model, right, field);
        order = order ? order : (l > r) - (l < r);
    }
    if (unit->fields[0] == FIELD_AUTHORITY)
        more = -more; /* what speaks against stays */
    return known ? known : more ? (more > 0) - (more < 0) : order;
}

void levels_join(const struct mpi_model *model, struct levels *known, const struct levels *more)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (compare_said(model, &units[i], more, known) <= 0)
            continue;
        for (size_t k = 0; k < units[i].count; k++) {
            known->at[units[i].fields[k]] = more->at[units[i].fields[k]];
            known->rarity[units[i].fields[k]] = more->rarity[units[i].fields[k]];
        }
    }
}

bool levels_veto(const struct levels *levels)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (model_fields[i].vetoes >> levels->at[i] & 1)
            return true;
    return false;
}

bool levels_hold(const struct mpi_model *model, const struct levels *levels)
{
    for (size_t i = 0; i < FIELD_COUNT && !model->guesses; i++)
        if (model_fields[i].holds >> levels->at[i] & 1)
            return true;
    return false;
}

/* 2^(k/8) in parts per 2^16, k = 0…8: the fraction of a power is interpolated between them, by integers. */
static const uint64_t eighth_powers[9] = {65536, 71468, 77936, 84990, 92682, 101070, 110218, 120194, 131072};

uint32_t probability_ppm(int32_t score_mbit)
{
    bool negative = score_mbit < 0;
    uint32_t size = negative ? (uint32_t) - (int64_t)score_mbit : (uint32_t)score_mbit;
    if (size >= 21000)
        return negative ? 0 : 1000000;
    uint32_t eighth = size % 1000 / 125, rest = size % 125;
    uint64_t fraction = eighth_powers[eighth] + (eighth_powers[eighth + 1] - eighth_powers[eighth]) * rest / 125;
    uint64_t odds = fraction << (size / 1000); /* in 2^-16; at most 2^37 */
    uint64_t less_likely = (1000000ull << 16) / (odds + 65536);
    return (uint32_t)(negative ? less_likely : 1000000 - less_likely);
}

static void add_line(struct mpi_comparison *comparison, const char *field, const char *level, int32_t weight_mbit)
{
    comparison->evidence[comparison->evidence_count++] = (struct mpi_evidence){field, level, weight_mbit};
}

void explain_levels(const struct mpi_model *model, const struct levels *levels, uint64_t left, uint64_t right,
                    struct mpi_comparison *out_comparison)
{
    struct mpi_comparison made = {.left_record = left, .right_record = right, .model_version = model->version};
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (levels->at[i] != 0) /* level 0 of every field is silence */
            add_line(&made, model_fields[i].name, model_fields[i].levels[levels->at[i]],
                     weigh_field(model, levels, (enum model_field)i));
    int32_t kin = weigh_kin(model, levels);
    if (kin != 0)
        add_line(&made, model_kin_field, model_kin_level, kin);
    add_line(&made, model_prior_field, model_prior_level, model->prior_mbit);
    made.score_mbit = weigh_levels(model, levels);
    made.probability_ppm = probability_ppm(made.score_mbit);
    *out_comparison = made;
}

_Static_assert((int)FIELD_COUNT + 2 <= (int)MPI_EVIDENCE_MAX, "every field must have a line");
