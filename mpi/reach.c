#include "model_internal.h"

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* ---- what levels weigh ---- */

/* weigh_field() of one level, but for namesakes, which only take away. The rarity as levels have it. */
static int32_t weight_of(const struct mpi_model *model, size_t field, uint8_t level, uint8_t rarity)
{
    const struct frequency *at = &model->fields[field][level];
    if (rarity)
        return at->same + rarity * RARITY_MBIT;
    return at->same - (at->strangers < 0 ? at->strangers : 0);
}

/* `ruled_out`: a bit per level. */
static int32_t most_of_levels(const struct mpi_model *model, size_t field, uint32_t ruled_out)
{
    int32_t most = INT32_MIN;
    for (size_t k = 1; k < LEVELS_MAX; k++)
        if (model_fields[field].levels[k] && !(ruled_out >> k & 1))
            most = larger(most, weight_of(model, field, (uint8_t)k, 0));
    return most;
}

#define LEVEL(level) (1u << (level))

void reach_make(struct reach *reach, const struct mpi_model *model)
{
    const uint32_t equal_names = LEVEL(NAME_EXACT) | LEVEL(NAME_SWAPPED);
    const uint32_t equal_places = LEVEL(ADDRESS_HOUSE) | LEVEL(ADDRESS_LINE) | LEVEL(ADDRESS_POSTCODE);
    reach->model = model;
    for (size_t i = 0; i < FIELD_COUNT; i++)
        reach->most[i] = larger(most_of_levels(model, i, 0), 0);
    reach->family_unlike = most_of_levels(model, FIELD_FAMILY, equal_names);
    reach->given_unlike = most_of_levels(model, FIELD_GIVEN, equal_names);
    reach->address_unlike = larger(most_of_levels(model, FIELD_ADDRESS, equal_places), 0);
}

/* Of a field where an exact value of this rarity may be shared. */
static int32_t most_with(const struct reach *reach, size_t field, uint8_t exact, uint8_t rarity)
{
    return larger(reach->most[field], weight_of(reach->model, field, exact, rarity));
}

/* ---- names, by whether they are equal ---- */

enum { UNBOUNDED = 1 << 28 }; /* more than all fields together weigh */

static int32_t most_of_family(const struct reach *reach, struct str a, struct str b, uint8_t rarity)
{
    if (a.len == 0 || b.len == 0)
        return 0;
    return str_eq(a, b) ? weight_of(reach->model, FIELD_FAMILY, NAME_EXACT, rarity & RARITY_TOP) : reach->family_unlike;
}

static int32_t most_of_given(const struct reach *reach, struct str a, struct str b, uint8_t rarity)
{
    if (a.len == 0 || b.len == 0)
        return 0;
    if (!str_eq(a, b))
        return reach->given_unlike;
    return a.len == 1 ? weight_of(reach->model, FIELD_GIVEN, NAME_INITIAL, 0)
                      : weight_of(reach->model, FIELD_GIVEN, NAME_EXACT, rarity & RARITY_TOP);
}

/* Both names equal, or one in the other's place: worth looking at. */
static int32_t most_of_name(const struct reach *reach, const struct mpi_row *left, const struct mpi_row_name *a,
                            const struct mpi_row *right, const struct mpi_row_name *b)
{
    struct str a_family = row_text(left, a->family), b_family = row_text(right, b->family);
    struct str a_given = row_text(left, a->given), b_given = row_text(right, b->given);
    if (str_eq(a_family, b_given) || str_eq(a_given, b_family) ||
        (str_eq(a_family, b_family) && str_eq(a_given, b_given)))
        return UNBOUNDED;
    int32_t most = most_of_family(reach, a_family, b_family, a->family_rarity) +
                   most_of_given(reach, a_given, b_given, a->given_rarity);
    if (a->middle != 0 && b->middle != 0)
        most += most_with(reach, FIELD_MIDDLE, NAME_EXACT, a->middle_rarity);
    return most;
}

static int32_t most_of_names(const struct reach *reach, const struct mpi_row *left, const struct mpi_row *right)
{
    int32_t most = left->name_count > 0 && right->name_count > 0 ? INT32_MIN : 0;
    for (size_t i = 0; i < left->name_count; i++)
        for (size_t k = 0; k < right->name_count; k++)
            most = larger(most, most_of_name(reach, left, &row_names(left)[i], right, &row_names(right)[k]));
    return most;
}

/* ---- addresses, by their numbers ---- */

/* Of one place written in two ways the commoner way counts: either may be it. */
static int32_t most_of_place(const struct reach *reach, uint8_t level, uint8_t left, uint8_t right)
{
    return larger(weight_of(reach->model, FIELD_ADDRESS, level, 0),
                  larger(weight_of(reach->model, FIELD_ADDRESS, level, left & RARITY_TOP),
                         weight_of(reach->model, FIELD_ADDRESS, level, right & RARITY_TOP)));
}

static int32_t most_of_address(const struct reach *reach, const struct mpi_row_address *a,
                               const struct mpi_row_address *b)
{
    int32_t most = reach->address_unlike;
    if (a->city != 0 && b->city != 0)
        most = larger(most, most_of_place(reach, ADDRESS_CITY, a->city_rarity, b->city_rarity));
    if (a->postcode != 0 && a->postcode == b->postcode)
        most = larger(most, most_of_place(reach, ADDRESS_POSTCODE, a->postcode_rarity, b->postcode_rarity));
    if (a->number == 0 || a->number != b->number)
        return most;
    most = larger(most, weight_of(reach->model, FIELD_ADDRESS, ADDRESS_LINE, 0));
    return larger(most, most_of_place(reach, ADDRESS_HOUSE, a->house_rarity, b->house_rarity));
}

static int32_t most_of_addresses(const struct reach *reach, const struct mpi_row *left, const struct mpi_row *right)
{
    int32_t most = 0;
    for (size_t i = 0; i < left->address_count; i++)
        for (size_t k = 0; k < right->address_count; k++)
            most = larger(most, most_of_address(reach, &row_addresses(left)[i], &row_addresses(right)[k]));
    return most;
}

/* ---- the rest, by whether there is any ---- */

static int32_t most_of_rest(const struct reach *reach, const struct mpi_row *left, const struct mpi_row *right)
{
    int32_t most = reach->most[FIELD_RELATIVES] + reach->most[FIELD_NEWBORN] + reach->most[FIELD_CONTRADICTION];
    if (left->sex != 0 && right->sex != 0)
        most += reach->most[FIELD_SEX];
    if (left->email_count > 0 && right->email_count > 0)
        most += most_with(reach, FIELD_EMAIL, EMAIL_EXACT, RARITY_TOP);
    if ((left->mother_family | left->mother_given) && (right->mother_family | right->mother_given))
        most += reach->most[FIELD_MOTHER];
    if (left->birth_place != 0 && right->birth_place != 0)
        most += most_with(reach, FIELD_BIRTH_PLACE, LIST_EXACT, left->birth_place_rarity & RARITY_TOP);
    return most + most_of_addresses(reach, left, right);
}

/* ---- all of it ---- */

static int32_t weigh_fields(const struct mpi_model *model, const struct levels *levels, uint32_t fields)
{
    int32_t sum = 0;
    for (uint32_t rest = fields; rest != 0; rest &= rest - 1) {
        uint32_t field = (uint32_t)__builtin_ctz(rest);
        if (levels->at[field] != 0)
            sum += weight_of(model, field, levels->at[field], levels->rarity[field]);
    }
    return sum;
}

#define FIELD(field) (1u << FIELD_##field)
enum {
    NUMBERS = FIELD(BIRTH) | FIELD(PHONE) | FIELD(NATIONAL) | FIELD(IDENTIFIER) | FIELD(GENERATION) |
              FIELD(BIRTH_ORDER) | FIELD(AUTHORITY),
    NAMES = FIELD(FAMILY) | FIELD(GIVEN) | FIELD(MIDDLE),
};

/* What relatives share anyway only takes away: it is left out until the end. */
bool reach_compare(const struct reach *reach, const struct mpi_row *left, const struct mpi_row *right,
                   int32_t least_mbit, struct levels *out_levels, int32_t *out_score_mbit)
{
    struct levels levels = {0};
    compare_numbers(left, right, &levels);
    int32_t most =
        reach->model->prior_mbit + weigh_fields(reach->model, &levels, NUMBERS) + most_of_rest(reach, left, right);
    if (most + most_of_names(reach, left, right) < least_mbit)
        return false;
    compare_names(left, right, &levels);
    if (most + weigh_fields(reach->model, &levels, NAMES) < least_mbit)
        return false;
    compare_rest(left, right, &levels);
    int32_t score_mbit = weigh_levels(reach->model, &levels);
    if (score_mbit < least_mbit)
        return false;
    *out_levels = levels;
    *out_score_mbit = score_mbit;
    return true;
}
