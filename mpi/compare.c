#include "model_internal.h"

#include "base/text/distance.h"

/* ---- names ---- */

/* True when one shared word of at least three letters makes the two names alike: "garcia lopez" and "garcia". */
static bool share_word(struct str left, struct str right)
{
    if (memchr(left.data, ' ', left.len) == NULL && memchr(right.data, ' ', right.len) == NULL)
        return false;
    struct str left_rest = left, left_word;
    while (str_split(&left_rest, ' ', &left_word)) {
        struct str right_rest = right, right_word;
        while (left_word.len >= 3 && str_split(&right_rest, ' ', &right_word))
            if (str_eq(left_word, right_word))
                return true;
    }
    return false;
}

/* How two words that are not equal come near each other; NAME_DIFFERS when they do not. */
static enum name_level near_level(struct str left, struct str right, uint32_t left_sound, uint32_t right_sound)
{
    if (share_word(left, right))
        return NAME_PART;
    size_t shorter = left.len < right.len ? left.len : right.len;
    uint32_t alike = text_jaro_winkler(left, right);
    if (alike >= 780 && shorter >= 3 && text_edit_distance(left, right, 1) <= 1)
        return NAME_EDIT;
    if (alike >= 900)
        return NAME_SIMILAR;
    if (left_sound != 0 && left_sound == right_sound)
        return NAME_SOUND;
    if (alike >= 800 && shorter >= 5 && text_edit_distance(left, right, 2) <= 2)
        return NAME_SOUND;
    return NAME_DIFFERS;
}

static enum name_level family_level(const struct mpi_row *left, const struct mpi_row_name *left_name,
                                    const struct mpi_row *right, const struct mpi_row_name *right_name)
{
    struct str a = row_text(left, left_name->family), b = row_text(right, right_name->family);
    if (a.len == 0 || b.len == 0)
        return NAME_ABSENT;
    if (str_eq(a, b))
        return left_name->family_common ? NAME_EXACT_COMMON : NAME_EXACT;
    return near_level(a, b, left_name->family_sound, right_name->family_sound);
}

static bool share_nickname(const struct mpi_row_name *left, const struct mpi_row_name *right)
{
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 2; k++)
            if (left->nicknames[i] != 0 && left->nicknames[i] == right->nicknames[k])
                return true;
    return false;
}

static enum name_level given_level(const struct mpi_row *left, const struct mpi_row_name *left_name,
                                   const struct mpi_row *right, const struct mpi_row_name *right_name)
{
    struct str a = row_text(left, left_name->given), b = row_text(right, right_name->given);
    if (a.len == 0 || b.len == 0)
        return NAME_ABSENT;
    if (str_eq(a, b))
        return a.len == 1 ? NAME_INITIAL : left_name->given_common ? NAME_EXACT_COMMON : NAME_EXACT;
    if (share_nickname(left_name, right_name))
        return NAME_NICKNAME;
    if (a.len == 1 || b.len == 1)
        return a.data[0] == b.data[0] ? NAME_INITIAL : NAME_DIFFERS;
    enum name_level near = near_level(a, b, left_name->given_sound, right_name->given_sound);
    if (near != NAME_DIFFERS)
        return near;
    struct str a_middle = row_text(left, left_name->middle), b_middle = row_text(right, right_name->middle);
    if ((a_middle.len > 1 && str_eq(a_middle, b)) || (b_middle.len > 1 && str_eq(b_middle, a)))
        return NAME_OTHER;
    return NAME_DIFFERS;
}

static enum name_level middle_level(struct str a, struct str b)
{
    if (a.len == 0 || b.len == 0)
        return NAME_ABSENT;
    if (a.len == 1 || b.len == 1)
        return a.data[0] == b.data[0] ? NAME_INITIAL : NAME_DIFFERS;
    if (str_eq(a, b))
        return NAME_EXACT;
    return text_jaro_winkler(a, b) >= 880 || share_word(a, b) ? NAME_SIMILAR : NAME_DIFFERS;
}

/* Given and family name each in the other's place; a slip of a letter in one of them is allowed. */
static bool is_swapped(const struct mpi_row *left, const struct mpi_row_name *left_name, const struct mpi_row *right,
                       const struct mpi_row_name *right_name)
{
    struct str a_family = row_text(left, left_name->family), a_given = row_text(left, left_name->given);
    struct str b_family = row_text(right, right_name->family), b_given = row_text(right, right_name->given);
    if (a_family.len < 2 || a_given.len < 2 || b_family.len < 2 || b_given.len < 2)
        return false;
    bool first = str_eq(a_family, b_given), second = str_eq(a_given, b_family);
    if (first && second)
        return true;
    return (first && text_jaro_winkler(a_given, b_family) >= 920) ||
           (second && text_jaro_winkler(a_family, b_given) >= 920);
}

/* Among all names two records ever used the pair that speaks most for one person counts. */
static void compare_names(const struct mpi_row *left, const struct mpi_row *right, struct levels *levels)
{
    const struct model_level *family = model_builtin.fields[FIELD_FAMILY].levels;
    const struct model_level *given = model_builtin.fields[FIELD_GIVEN].levels;
    int32_t best = INT32_MIN;
    uint32_t best_shape = UINT32_MAX;
    for (size_t i = 0; i < left->name_count; i++) {
        for (size_t k = 0; k < right->name_count; k++) {
            const struct mpi_row_name *a = &left->names[i], *b = &right->names[k];
            uint8_t at[3] = {(uint8_t)family_level(left, a, right, b), (uint8_t)given_level(left, a, right, b),
                             (uint8_t)middle_level(row_text(left, a->middle), row_text(right, b->middle))};
            if (family[at[0]].weight_mbit + given[at[1]].weight_mbit < 9000 && is_swapped(left, a, right, b))
                at[0] = at[1] = NAME_SWAPPED;
            int32_t weight = family[at[0]].weight_mbit + given[at[1]].weight_mbit;
            uint32_t shape = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2]; /* ties must not depend on order */
            if (weight < best || (weight == best && shape >= best_shape))
                continue;
            best = weight;
            best_shape = shape;
            levels->at[FIELD_FAMILY] = at[0];
            levels->at[FIELD_GIVEN] = at[1];
            levels->at[FIELD_MIDDLE] = at[2];
        }
    }
}

/* ---- birth date ---- */

static uint32_t digits_apart(uint32_t left, uint32_t right, size_t digits)
{
    uint32_t apart = 0;
    for (size_t i = 0; i < digits; i++, left /= 10, right /= 10)
        apart += left % 10 != right % 10;
    return apart;
}

static bool neighbours_swapped(uint32_t left, uint32_t right, size_t digits)
{
    uint32_t power = 1;
    for (size_t i = 0; i + 1 < digits; i++, power *= 10) {
        uint32_t low = left / power % 10, high = left / power / 10 % 10;
        if (left - (low + high * 10) * power + (high + low * 10) * power == right)
            return true;
    }
    return false;
}

static enum birth_level birth_level(const struct mpi_row *left, const struct mpi_row *right)
{
    if (left->year == 0 || right->year == 0)
        return BIRTH_ABSENT;
    bool estimated = (left->flags | right->flags) & ROW_BIRTH_ESTIMATED;
    bool partial = left->day == 0 || right->day == 0;
    bool year = left->year == right->year;
    if (estimated || left->month == 0 || right->month == 0) {
        if (estimated && year && left->month == right->month && left->day == right->day)
            return BIRTH_ESTIMATED;
        uint32_t gap =
            year ? 0 : (uint32_t)(left->year > right->year ? left->year - right->year : right->year - left->year);
        return gap == 0 ? BIRTH_ESTIMATED : gap == 1 ? BIRTH_NEAR : BIRTH_DIFFERS;
    }
    bool month = left->month == right->month, day = left->day == right->day;
    if (partial)
        return year && month ? BIRTH_PARTIAL : year ? BIRTH_YEAR : BIRTH_DIFFERS;
    if (year && month && day)
        return BIRTH_EXACT;
    if (year && left->month == right->day && left->day == right->month)
        return BIRTH_SWAPPED;
    uint32_t a = left->year * 10000u + left->month * 100u + left->day;
    uint32_t b = right->year * 10000u + right->month * 100u + right->day;
    if (digits_apart(a, b, 8) == 1 || neighbours_swapped(a, b, 8))
        return BIRTH_TYPO;
    if (year + month + day == 2)
        return BIRTH_TWO_PARTS;
    return year ? BIRTH_YEAR : BIRTH_DIFFERS;
}

/* ---- lists and the rest ---- */

static enum list_level phone_level(const struct mpi_row *left, const struct mpi_row *right)
{
    if (left->phone_count == 0 || right->phone_count == 0)
        return LIST_ABSENT;
    enum list_level best = LIST_DIFFERS;
    for (size_t i = 0; i < left->phone_count; i++) {
        for (size_t k = 0; k < right->phone_count; k++) {
            uint32_t a = left->phones[i], b = right->phones[k];
            if (a == b)
                return LIST_EXACT;
            if (digits_apart(a, b, 9) == 1 || neighbours_swapped(a, b, 9))
                best = LIST_EDIT;
        }
    }
    return best;
}

static bool near_text(struct str a, struct str b)
{
    return a.len > 0 && b.len > 0 && (str_eq(a, b) || text_jaro_winkler(a, b) >= 900);
}

static enum address_level one_address(const struct mpi_row *left, const struct mpi_row_address *a,
                                      const struct mpi_row *right, const struct mpi_row_address *b)
{
    struct str a_street = row_text(left, a->street), b_street = row_text(right, b->street);
    struct str a_city = row_text(left, a->city), b_city = row_text(right, b->city);
    bool postcode = a->postcode != 0 && a->postcode == b->postcode;
    bool number = a->number != 0 && a->number == b->number;
    bool street = near_text(a_street, b_street);
    bool city = near_text(a_city, b_city);
    if (street && number &&
        (postcode || city || (a->postcode == 0 && a_city.len == 0) || (b->postcode == 0 && b_city.len == 0)))
        return ADDRESS_HOUSE;
    if (street && (postcode || city || number))
        return ADDRESS_STREET;
    if (postcode)
        return ADDRESS_POSTCODE;
    if (city)
        return ADDRESS_CITY;
    bool comparable = (a->postcode && b->postcode) || (a_city.len && b_city.len) || (a_street.len && b_street.len);
    return comparable ? ADDRESS_DIFFERS : ADDRESS_ABSENT;
}

static enum address_level address_level(const struct mpi_row *left, const struct mpi_row *right)
{
    enum address_level best = ADDRESS_ABSENT; /* levels are in order of strength, absent aside */
    for (size_t i = 0; i < left->address_count; i++) {
        for (size_t k = 0; k < right->address_count; k++) {
            enum address_level level = one_address(left, &left->addresses[i], right, &right->addresses[k]);
            if (best == ADDRESS_ABSENT || (level != ADDRESS_ABSENT && level < best))
                best = level;
        }
    }
    return best;
}

static enum list_level national_level(const struct mpi_row *left, const struct mpi_row *right)
{
    enum list_level best = LIST_ABSENT;
    for (size_t i = 0; i < left->national_count; i++) {
        for (size_t k = 0; k < right->national_count; k++) {
            if (left->nationals[i].kind != right->nationals[k].kind)
                continue;
            struct str a = row_text(left, left->nationals[i].text), b = row_text(right, right->nationals[k].text);
            if (str_eq(a, b))
                return LIST_EXACT;
            if (a.len >= 6 && b.len >= 6 && text_edit_distance(a, b, 1) <= 1)
                best = LIST_EDIT;
            else if (best == LIST_ABSENT && ROW_KIND_IS_SINGLE(left->nationals[i].kind))
                best = LIST_DIFFERS;
        }
    }
    return best;
}

static bool share_identifier(const struct mpi_row *left, const struct mpi_row *right)
{
    for (size_t i = 0; i < left->shared_count; i++)
        for (size_t k = 0; k < right->shared_count; k++)
            if (left->shared[i] == right->shared[k])
                return true;
    return false;
}

static enum list_level mother_level(const struct mpi_row *left, const struct mpi_row *right)
{
    struct str a_family = row_text(left, left->mother_family), b_family = row_text(right, right->mother_family);
    struct str a_given = row_text(left, left->mother_given), b_given = row_text(right, right->mother_given);
    bool families = a_family.len && b_family.len, givens = a_given.len && b_given.len;
    if (!families && !givens)
        return LIST_ABSENT;
    if ((!families || str_eq(a_family, b_family)) && (!givens || str_eq(a_given, b_given)))
        return LIST_EXACT;
    if ((!families || near_text(a_family, b_family)) && (!givens || near_text(a_given, b_given)))
        return LIST_EDIT;
    if ((families && str_eq(a_family, b_family)) || (givens && str_eq(a_given, b_given)))
        return LIST_ABSENT; /* half of it agrees: says nothing either way */
    return LIST_DIFFERS;
}

static enum same_level same_number(uint32_t left, uint32_t right)
{
    return left == 0 || right == 0 ? SAME_ABSENT : left == right ? SAME_EXACT : SAME_DIFFERS;
}

/* Twins agree on nearly everything, so independence of the fields fails and the given name alone must decide. */
static bool looks_like_twins(const struct levels *levels)
{
    if (levels->at[FIELD_GIVEN] != NAME_DIFFERS || levels->at[FIELD_BIRTH] != BIRTH_EXACT)
        return false;
    if (levels->at[FIELD_NATIONAL] == LIST_EXACT || levels->at[FIELD_IDENTIFIER] == SAME_EXACT)
        return false; /* one number, two names: an error in a name, or adoption; not twins */
    uint8_t family = levels->at[FIELD_FAMILY];
    bool one_family = family == NAME_EXACT || family == NAME_EXACT_COMMON || family == NAME_EDIT || family == NAME_PART;
    bool one_home = levels->at[FIELD_ADDRESS] == ADDRESS_HOUSE || levels->at[FIELD_PHONE] == LIST_EXACT;
    return one_family || one_home;
}

static bool lacks_given_of_its_own(const struct mpi_row *left, const struct mpi_row *right, const struct levels *levels)
{
    if (levels->at[FIELD_GIVEN] != NAME_ABSENT || levels->at[FIELD_NATIONAL] == LIST_EXACT ||
        levels->at[FIELD_IDENTIFIER] == SAME_EXACT)
        return false;
    if (levels->at[FIELD_BIRTH_ORDER] == SAME_EXACT)
        return false;
    return (left->flags | right->flags) & (ROW_GIVEN_PLACEHOLDER | ROW_MULTIPLE_BIRTH);
}

/* Father and son, brothers, spouses: one family name, one home, but another given name or another birth date. */
static enum household_level household_level(const struct levels *levels)
{
    uint8_t family = levels->at[FIELD_FAMILY], birth = levels->at[FIELD_BIRTH];
    uint8_t given = levels->at[FIELD_GIVEN];
    bool one_family = family != NAME_ABSENT && family != NAME_DIFFERS;
    bool other_birth = birth == BIRTH_DIFFERS || birth == BIRTH_YEAR || birth == BIRTH_NEAR;
    bool other_given = given == NAME_DIFFERS || given == NAME_OTHER;
    if (!one_family || (!other_birth && !other_given) || levels->at[FIELD_TWINS] == SAME_DIFFERS ||
        levels->at[FIELD_NATIONAL] == LIST_EXACT || levels->at[FIELD_IDENTIFIER] == SAME_EXACT)
        return HOUSEHOLD_NO_SIGN;
    unsigned shared = (levels->at[FIELD_PHONE] == LIST_EXACT) + (levels->at[FIELD_ADDRESS] == ADDRESS_HOUSE);
    return shared == 2 ? HOUSEHOLD_BOTH : shared == 1 ? HOUSEHOLD_ONE : HOUSEHOLD_NO_SIGN;
}

void compare_rows(const struct mpi_row *left, const struct mpi_row *right, struct levels *out_levels)
{
    struct levels levels = {0};
    compare_names(left, right, &levels);
    levels.at[FIELD_BIRTH] = (uint8_t)birth_level(left, right);
    levels.at[FIELD_SEX] = (uint8_t)same_number((uint8_t)left->sex, (uint8_t)right->sex);
    levels.at[FIELD_PHONE] = (uint8_t)phone_level(left, right);
    levels.at[FIELD_ADDRESS] = (uint8_t)address_level(left, right);
    levels.at[FIELD_NATIONAL] = (uint8_t)national_level(left, right);
    levels.at[FIELD_IDENTIFIER] = share_identifier(left, right) ? SAME_EXACT : SAME_ABSENT;
    levels.at[FIELD_MOTHER] = (uint8_t)mother_level(left, right);
    levels.at[FIELD_GENERATION] = (uint8_t)same_number(left->generation, right->generation);
    levels.at[FIELD_BIRTH_ORDER] = (uint8_t)same_number(left->birth_order, right->birth_order);
    levels.at[FIELD_TWINS] = looks_like_twins(&levels) ? SAME_DIFFERS : SAME_ABSENT;
    levels.at[FIELD_NEWBORN] = lacks_given_of_its_own(left, right, &levels) ? SAME_DIFFERS : SAME_ABSENT;
    levels.at[FIELD_HOUSEHOLD] = (uint8_t)household_level(&levels);
    *out_levels = levels;
}
