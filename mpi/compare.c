#include "model_internal.h"

#include "base/text/distance.h"
#include "name_forms_internal.h"

/* ---- names ---- */

/* Three letters or more, and no "van" or "bin", unless it is all there is. */
static bool is_telling_word(struct str word, struct str left, struct str right)
{
    return word.len >= 3 && (!name_is_particle(word) || word.len == left.len || word.len == right.len);
}

/* True when one shared word makes the two names alike: "garcia lopez" and "garcia". */
static bool share_word(struct str left, struct str right)
{
    if (memchr(left.data, ' ', left.len) == NULL && memchr(right.data, ' ', right.len) == NULL)
        return false;
    struct str left_rest = left, left_word;
    while (str_split(&left_rest, ' ', &left_word)) {
        struct str right_rest = right, right_word;
        while (str_split(&right_rest, ' ', &right_word))
            if (str_eq(left_word, right_word) && is_telling_word(left_word, left, right))
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
    enum { LEAST = 780 }; /* below it only the sound counts */
    uint32_t alike = text_most_alike(left, right) >= LEAST ? text_jaro_winkler(left, right) : 0;
    if (alike >= LEAST && shorter >= 3 && text_edit_distance(left, right, 1) <= 1)
        return NAME_EDIT;
    if (alike >= 900)
        return NAME_SIMILAR;
    if (left_sound != 0 && left_sound == right_sound)
        return NAME_SOUND;
    if (alike >= 800 && shorter >= 5 && text_edit_distance(left, right, 2) <= 2)
        return NAME_SOUND;
    return NAME_DIFFERS;
}

/* Two that resemble each other and both occur here are two names, unless they are one by two customs of writing; where
 * one of them is nobody's, it is a slip. */
static enum name_level of_names(enum name_level near, struct str left, struct str right, uint8_t left_rarity,
                                uint8_t right_rarity)
{
    bool slip = !(left_rarity & right_rarity & RARITY_KNOWN);
    if (near != NAME_EDIT && near != NAME_SIMILAR && near != NAME_SOUND)
        return near;
    if (slip)
        return near == NAME_EDIT ? NAME_EDIT : NAME_SIMILAR;
    if (name_is_other_custom(left, right))
        return NAME_EDIT;
    return near == NAME_EDIT ? NAME_EDIT_NAMES : near == NAME_SIMILAR ? NAME_SIMILAR_NAMES : NAME_SOUND;
}

static enum name_level family_level(const struct mpi_row *left, const struct mpi_row_name *left_name,
                                    const struct mpi_row *right, const struct mpi_row_name *right_name)
{
    struct str a = row_text(left, left_name->family), b = row_text(right, right_name->family);
    if (a.len == 0 || b.len == 0)
        return NAME_ABSENT;
    if (str_eq(a, b))
        return NAME_EXACT;
    enum name_level near = near_level(a, b, left_name->family_sound, right_name->family_sound);
    return of_names(near, a, b, left_name->family_rarity, right_name->family_rarity);
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
        return a.len == 1 ? NAME_INITIAL : NAME_EXACT;
    if (share_nickname(left_name, right_name))
        return NAME_NICKNAME;
    if (a.len == 1 || b.len == 1)
        return a.data[0] == b.data[0] ? NAME_INITIAL : NAME_DIFFERS;
    enum name_level near = near_level(a, b, left_name->given_sound, right_name->given_sound);
    if (near != NAME_DIFFERS)
        return of_names(near, a, b, left_name->given_rarity, right_name->given_rarity);
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
    return text_is_alike(a, b, 880) || share_word(a, b) ? NAME_SIMILAR : NAME_DIFFERS;
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
    return (first && text_is_alike(a_given, b_family, 920)) || (second && text_is_alike(a_family, b_given, 920));
}

/* That a stranger has just these two names, each in its place; of the two orders the likelier. */
static uint8_t swapped_rarity(const struct mpi_row_name *a, const struct mpi_row_name *b)
{
    unsigned one = (a->family_rarity & RARITY_TOP) + (a->given_rarity & RARITY_TOP);
    unsigned other = (b->family_rarity & RARITY_TOP) + (b->given_rarity & RARITY_TOP);
    unsigned likelier = one < other ? one : other;
    return (uint8_t)(likelier < RARITY_TOP ? likelier : RARITY_TOP);
}

/* What a level of a name says in general: which of several pairs of names speaks most must not depend on a model. */
static int32_t name_strength(enum model_field field, uint8_t level)
{
    return model_builtin.fields[field][level].same - model_builtin.fields[field][level].strangers;
}

/* Among all names two records ever used the pair that speaks most for one person counts. */
void compare_names(const struct mpi_row *left, const struct mpi_row *right, struct levels *levels)
{
    enum { WEAK_MBIT = 9000 };
    int64_t best = INT64_MIN;
    uint64_t best_shape = UINT64_MAX;
    for (size_t i = 0; i < left->name_count; i++) {
        for (size_t k = 0; k < right->name_count; k++) {
            const struct mpi_row_name *a = &row_names(left)[i], *b = &row_names(right)[k];
            uint8_t at[3] = {(uint8_t)family_level(left, a, right, b), (uint8_t)given_level(left, a, right, b),
                             (uint8_t)middle_level(row_text(left, a->middle), row_text(right, b->middle))};
            if (name_strength(FIELD_FAMILY, at[0]) + name_strength(FIELD_GIVEN, at[1]) < WEAK_MBIT &&
                is_swapped(left, a, right, b))
                at[0] = at[1] = NAME_SWAPPED;
            uint8_t family_rarity = at[0] == NAME_EXACT     ? a->family_rarity & RARITY_TOP
                                    : at[0] == NAME_SWAPPED ? swapped_rarity(a, b)
                                                            : 0;
            uint8_t given_rarity = at[1] == NAME_EXACT ? a->given_rarity & RARITY_TOP : 0;
            if (at[0] == NAME_EXACT && at[1] == NAME_EXACT &&
                a->full_rarity) /* how rare it is beside this family name */
                given_rarity = a->full_rarity > family_rarity ? (uint8_t)(a->full_rarity - family_rarity) : 1;
            uint8_t middle_rarity = at[1] == NAME_EXACT && at[2] == NAME_EXACT ? a->middle_rarity : 0;
            int64_t weight = name_strength(FIELD_FAMILY, at[0]) + name_strength(FIELD_GIVEN, at[1]);
            weight = weight * 1000 + family_rarity + given_rarity;
            weight = weight * 100000 + name_strength(FIELD_MIDDLE, at[2]); /* with it and without it: one name, twice */
            uint64_t shape = (uint64_t)at[0] << 40 | (uint64_t)at[1] << 32 | (uint64_t)at[2] << 24 |
                             (uint64_t)middle_rarity << 16 | (uint64_t)family_rarity << 8 |
                             given_rarity; /* ties must not depend on order */
            if (weight < best || (weight == best && shape >= best_shape))
                continue;
            best = weight;
            best_shape = shape;
            levels->at[FIELD_FAMILY] = at[0];
            levels->at[FIELD_GIVEN] = at[1];
            levels->at[FIELD_MIDDLE] = at[2];
            levels->rarity[FIELD_FAMILY] = family_rarity;
            levels->rarity[FIELD_GIVEN] = given_rarity;
            levels->rarity[FIELD_MIDDLE] = middle_rarity;
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

/* One digit moves a number by c * 10^k, two neighbours in each other's place by 9 * c * 10^k: nearly all pairs are told
 * by how far apart they are. */
static bool is_slip(uint32_t left, uint32_t right, size_t digits)
{
    uint32_t apart = left > right ? left - right : right - left;
    while (apart > 81 && apart % 10 == 0)
        apart /= 10;
    if (apart > 81)
        return false;
    return digits_apart(left, right, digits) == 1 || neighbours_swapped(left, right, digits);
}

static enum birth_level birth_level(const struct mpi_row *left, const struct mpi_row *right)
{
    if (left->year == 0 || right->year == 0)
        return BIRTH_ABSENT;
    bool estimated = (left->flags | right->flags) & ROW_BIRTH_ESTIMATED;
    bool partial = left->day == 0 || right->day == 0;
    bool year = left->year == right->year;
    if (estimated || left->month == 0 || right->month == 0) {
        uint32_t gap =
            year ? 0 : (uint32_t)(left->year > right->year ? left->year - right->year : right->year - left->year);
        return gap == 0 ? BIRTH_ESTIMATED : gap == 1 ? BIRTH_NEAR : BIRTH_DIFFERS;
    }
    bool month = left->month == right->month, day = left->day == right->day;
    if (partial)
        return year && month ? BIRTH_PARTIAL : year ? BIRTH_ONLY_YEAR : BIRTH_DIFFERS;
    if (year && month && day)
        return BIRTH_EXACT;
    if (year && left->month == right->day && left->day == right->month)
        return BIRTH_SWAPPED;
    if (year && month)
        return is_slip(left->day, right->day, 2) ? BIRTH_DAY_SLIP : BIRTH_DAY;
    if (year && day)
        return is_slip(left->month, right->month, 2) ? BIRTH_MONTH_SLIP : BIRTH_MONTH;
    if (month && day)
        return is_slip(left->year, right->year, 4) ? BIRTH_YEAR_SLIP : BIRTH_YEAR;
    uint32_t a = left->year * 10000u + left->month * 100u + left->day;
    uint32_t b = right->year * 10000u + right->month * 100u + right->day;
    if (digits_apart(a, b, 8) == 2)
        return BIRTH_TWO_SLIPS;
    return year ? BIRTH_ONLY_YEAR : BIRTH_DIFFERS;
}

/* ---- lists and the rest ---- */

/* Of several values that both share the rarest speaks; 0 is a value that is not known to be frequent. */
static bool is_rarer(uint8_t rarity, uint8_t than)
{
    return rarity == 0 ? than != 0 : than != 0 && rarity > than;
}

static enum list_level phone_level(const struct mpi_row *left, const struct mpi_row *right, uint8_t *out_rarity)
{
    if (left->phone_count == 0 || right->phone_count == 0)
        return LIST_ABSENT;
    enum list_level best = LIST_DIFFERS;
    for (size_t i = 0; i < left->phone_count; i++) {
        for (size_t k = 0; k < right->phone_count; k++) {
            uint32_t a = row_phones(left)[i], b = row_phones(right)[k];
            uint8_t rarity = row_rarities(left)[i] & RARITY_TOP;
            if (a == b && (best != LIST_EXACT || is_rarer(rarity, *out_rarity))) {
                best = LIST_EXACT;
                *out_rarity = rarity;
            } else if (best == LIST_DIFFERS && is_slip(a, b, 9)) {
                best = LIST_EDIT;
            }
        }
    }
    return best;
}

static enum email_level one_email(struct str a, struct str b)
{
    if (str_eq(a, b))
        return EMAIL_EXACT;
    struct str a_rest = a, b_rest = b, a_local, b_local;
    (void)str_split(&a_rest, '@', &a_local);
    (void)str_split(&b_rest, '@', &b_local);
    if (a_local.len >= 5 && str_eq(a_local, b_local))
        return EMAIL_LOCAL;
    return a_local.len >= 5 && b_local.len >= 5 && text_edit_distance(a, b, 2) <= 2 ? EMAIL_EDIT : EMAIL_DIFFERS;
}

static enum email_level email_level(const struct mpi_row *left, const struct mpi_row *right, uint8_t *out_rarity)
{
    enum email_level best = EMAIL_ABSENT;
    for (size_t i = 0; i < left->email_count; i++) {
        for (size_t k = 0; k < right->email_count; k++) {
            enum email_level level =
                one_email(row_text(left, row_emails(left)[i]), row_text(right, row_emails(right)[k]));
            uint8_t rarity = level == EMAIL_EXACT ? row_rarities(left)[left->phone_count + i] & RARITY_TOP : 0;
            if (best == EMAIL_ABSENT || level < best || (level == best && is_rarer(rarity, *out_rarity))) {
                best = level;
                *out_rarity = rarity;
            }
        }
    }
    return best;
}

static bool near_text(struct str a, struct str b)
{
    return a.len > 0 && b.len > 0 && (str_eq(a, b) || text_is_alike(a, b, 900));
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
    bool placeless = (a->postcode == 0 && a_city.len == 0) || (b->postcode == 0 && b_city.len == 0);
    if (street && number && (postcode || city || placeless))
        return ADDRESS_HOUSE;
    if (street && (postcode || city))
        return ADDRESS_STREET;
    if (street && number)
        return ADDRESS_LINE;
    if (postcode)
        return ADDRESS_POSTCODE;
    if (city)
        return ADDRESS_CITY;
    if (a->area != 0 && a->area == b->area)
        return ADDRESS_AREA;
    bool comparable = (a->postcode && b->postcode) || (a_city.len && b_city.len) || (a_street.len && b_street.len);
    return comparable ? ADDRESS_DIFFERS : ADDRESS_ABSENT;
}

/* Of one place written in two ways the commoner way: a slip in a shelter's street does not make it somebody's home. */
static uint8_t commoner(uint8_t left, uint8_t right)
{
    left &= RARITY_TOP;
    right &= RARITY_TOP;
    return is_rarer(left, right) ? right : left;
}

static uint8_t address_rarity(enum address_level level, const struct mpi_row_address *a,
                              const struct mpi_row_address *b)
{
    if (level == ADDRESS_HOUSE)
        return commoner(a->house_rarity, b->house_rarity);
    if (level == ADDRESS_POSTCODE)
        return a->postcode_rarity & RARITY_TOP;
    if (level == ADDRESS_CITY)
        return commoner(a->city_rarity, b->city_rarity);
    return 0;
}

static enum address_level address_level(const struct mpi_row *left, const struct mpi_row *right, uint8_t *out_rarity)
{
    enum address_level best = ADDRESS_ABSENT; /* levels are in order of strength, absent aside */
    for (size_t i = 0; i < left->address_count; i++) {
        for (size_t k = 0; k < right->address_count; k++) {
            const struct mpi_row_address *a = &row_addresses(left)[i], *b = &row_addresses(right)[k];
            enum address_level level = one_address(left, a, right, b);
            uint8_t rarity = address_rarity(level, a, b);
            if (level == ADDRESS_ABSENT || (best != ADDRESS_ABSENT && level > best) ||
                (level == best && !is_rarer(rarity, *out_rarity)))
                continue;
            best = level;
            *out_rarity = rarity;
        }
    }
    return best;
}

static enum list_level national_level(const struct mpi_row *left, const struct mpi_row *right, uint8_t *out_rarity)
{
    enum list_level best = LIST_ABSENT;
    for (size_t i = 0; i < left->national_count; i++) {
        for (size_t k = 0; k < right->national_count; k++) {
            const struct mpi_row_national *one = &row_nationals(left)[i], *other = &row_nationals(right)[k];
            if (one->kind != other->kind)
                continue;
            struct str a = row_text(left, one->text), b = row_text(right, other->text);
            uint8_t rarity = one->rarity & RARITY_TOP;
            if (str_eq(a, b) && (best != LIST_EXACT || is_rarer(rarity, *out_rarity))) {
                best = LIST_EXACT;
                *out_rarity = rarity;
            } else if (best != LIST_EXACT && a.len >= 6 && b.len >= 6 && text_edit_distance(a, b, 1) <= 1) {
                best = LIST_EDIT;
            } else if (best == LIST_ABSENT && ROW_KIND_IS_SINGLE(one->kind)) {
                best = LIST_DIFFERS;
            }
        }
    }
    return best;
}

static bool share_identifier(const struct mpi_row *left, const struct mpi_row *right)
{
    for (size_t i = 0; i < left->shared_count; i++)
        for (size_t k = 0; k < right->shared_count; k++)
            if (row_shared(left)[i] == row_shared(right)[k])
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

static enum sex_level sex_level(const struct mpi_row *left, const struct mpi_row *right, const struct levels *levels)
{
    if (left->sex == 0 || right->sex == 0)
        return SEX_ABSENT;
    bool same = left->sex == right->sex;
    if (name_agrees(levels->at[FIELD_GIVEN]))
        return same ? SEX_SAME_AS_NAMED : SEX_DIFFERS_UNLIKE_NAME;
    return same ? SEX_SAME : SEX_DIFFERS;
}

static enum list_level birth_place_level(const struct mpi_row *left, const struct mpi_row *right, uint8_t *out_rarity)
{
    struct str a = row_text(left, left->birth_place), b = row_text(right, right->birth_place);
    if (a.len == 0 || b.len == 0)
        return LIST_ABSENT;
    if (str_eq(a, b)) {
        *out_rarity = left->birth_place_rarity & RARITY_TOP;
        return LIST_EXACT;
    }
    return near_text(a, b) || share_word(a, b) ? LIST_EDIT : LIST_DIFFERS;
}

static bool sex_differs(const struct levels *levels)
{
    return levels->at[FIELD_SEX] == SEX_DIFFERS || levels->at[FIELD_SEX] == SEX_DIFFERS_UNLIKE_NAME;
}

/*
 * Twins agree on nearly everything, so independence of the fields fails and the given name alone must decide: where it
 * could be two names, a person decides, unless one number says that they are one. A slip in a name is no sign of two
 * children, unless something else is.
 */
static bool looks_like_twins(const struct mpi_row *left, const struct mpi_row *right, const struct levels *levels)
{
    if (levels->at[FIELD_BIRTH] != BIRTH_EXACT || levels->at[FIELD_IDENTIFIER] == SAME_EXACT)
        return false;
    uint8_t family = levels->at[FIELD_FAMILY], given = levels->at[FIELD_GIVEN];
    bool one_family = family == NAME_EXACT || family == NAME_EDIT || family == NAME_EDIT_NAMES || family == NAME_PART;
    bool one_home = levels->at[FIELD_ADDRESS] == ADDRESS_HOUSE || levels->at[FIELD_PHONE] == LIST_EXACT ||
                    levels->at[FIELD_MOTHER] == LIST_EXACT;
    bool marked = (left->flags | right->flags) & ROW_MULTIPLE_BIRTH;
    bool told_apart = levels->at[FIELD_NATIONAL] == LIST_DIFFERS || levels->at[FIELD_MIDDLE] == NAME_DIFFERS ||
                      sex_differs(levels) || marked;
    if (!one_family && !one_home)
        return false;
    switch (given) {
    case NAME_SWAPPED:
        return false;
    case NAME_EXACT:
        return levels->at[FIELD_MIDDLE] == NAME_DIFFERS;
    case NAME_ABSENT: /* these fit both twins: whom else they fit is looked at when records are joined */
    case NAME_INITIAL:
    case NAME_NICKNAME:
    case NAME_EDIT:
    case NAME_SIMILAR:
    case NAME_PART:
        return told_apart;
    case NAME_DIFFERS: /* of those who are known to be twins the number may be the mother's */
        return levels->at[FIELD_NATIONAL] != LIST_EXACT || marked;
    default:
        return (levels->at[FIELD_NATIONAL] != LIST_EXACT && levels->at[FIELD_NATIONAL] != LIST_EDIT) || marked;
    }
}

/* Father and son of one name, or two children named after one: the years between them are no slip of the pen. */
static bool looks_like_namesake(const struct mpi_row *left, const struct mpi_row *right, const struct levels *levels)
{
    enum { GENERATION_FROM = 14, GENERATION_TO = 60 };
    int gap = left->year > right->year ? left->year - right->year : right->year - left->year;
    bool one_home = levels->at[FIELD_ADDRESS] == ADDRESS_HOUSE || levels->at[FIELD_PHONE] == LIST_EXACT;
    bool apart = (gap >= GENERATION_FROM && gap <= GENERATION_TO) || levels->at[FIELD_BIRTH] == BIRTH_YEAR;
    return left->year != 0 && right->year != 0 && apart && one_home && levels->at[FIELD_NATIONAL] != LIST_EXACT &&
           levels->at[FIELD_IDENTIFIER] != SAME_EXACT;
}

static enum relatives_level relatives_level(const struct mpi_row *left, const struct mpi_row *right,
                                            const struct levels *levels)
{
    return looks_like_twins(left, right, levels)      ? RELATIVES_TWINS
           : looks_like_namesake(left, right, levels) ? RELATIVES_NAMESAKES
                                                      : RELATIVES_NO_SIGN;
}

/* Strong fields that say two people. Two of them are more than a slip: a person decides. A man seldom changes his
 * family name: without a number that both have it says as much as two. */
static enum contradiction_level contradictions(const struct mpi_row *left, const struct mpi_row *right,
                                               const struct levels *levels)
{
    uint8_t birth = levels->at[FIELD_BIRTH], given = levels->at[FIELD_GIVEN];
    bool other_family = levels->at[FIELD_FAMILY] == NAME_DIFFERS;
    bool men = left->sex == 'M' && right->sex == 'M' && levels->at[FIELD_NATIONAL] != LIST_EXACT;
    int count = (birth == BIRTH_DIFFERS || birth == BIRTH_ONLY_YEAR) + (given == NAME_DIFFERS || given == NAME_OTHER) +
                sex_differs(levels) + (levels->at[FIELD_NATIONAL] == LIST_DIFFERS) +
                (levels->at[FIELD_MOTHER] == LIST_DIFFERS) + other_family + (other_family && men);
    return count < 2 ? CONTRADICTION_NONE : count == 2 ? CONTRADICTION_TWO : CONTRADICTION_MORE;
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

void compare_numbers(const struct mpi_row *left, const struct mpi_row *right, struct levels *levels)
{
    levels->at[FIELD_BIRTH] = (uint8_t)birth_level(left, right);
    if (levels->at[FIELD_BIRTH] == BIRTH_EXACT)
        levels->rarity[FIELD_BIRTH] = left->birth_rarity & RARITY_TOP;
    levels->at[FIELD_PHONE] = (uint8_t)phone_level(left, right, &levels->rarity[FIELD_PHONE]);
    levels->at[FIELD_NATIONAL] = (uint8_t)national_level(left, right, &levels->rarity[FIELD_NATIONAL]);
    levels->at[FIELD_IDENTIFIER] = share_identifier(left, right) ? SAME_EXACT : SAME_ABSENT;
    levels->at[FIELD_GENERATION] = (uint8_t)same_number(left->generation, right->generation);
    levels->at[FIELD_BIRTH_ORDER] = (uint8_t)same_number(left->birth_order, right->birth_order);
    levels->at[FIELD_AUTHORITY] = (uint8_t)same_number(left->authority, right->authority);
    if (levels->at[FIELD_AUTHORITY] == SAME_EXACT)
        levels->rarity[FIELD_AUTHORITY] = row_rarities(left)[left->phone_count + left->email_count];
}

void compare_rest(const struct mpi_row *left, const struct mpi_row *right, struct levels *levels)
{
    uint8_t *rarity = levels->rarity;
    levels->at[FIELD_SEX] = (uint8_t)sex_level(left, right, levels);
    levels->at[FIELD_EMAIL] = (uint8_t)email_level(left, right, &rarity[FIELD_EMAIL]);
    levels->at[FIELD_ADDRESS] = (uint8_t)address_level(left, right, &rarity[FIELD_ADDRESS]);
    levels->at[FIELD_MOTHER] = (uint8_t)mother_level(left, right);
    levels->at[FIELD_BIRTH_PLACE] = (uint8_t)birth_place_level(left, right, &rarity[FIELD_BIRTH_PLACE]);
    levels->at[FIELD_RELATIVES] = (uint8_t)relatives_level(left, right, levels);
    levels->at[FIELD_NEWBORN] = lacks_given_of_its_own(left, right, levels) ? SAME_DIFFERS : SAME_ABSENT;
    levels->at[FIELD_CONTRADICTION] = (uint8_t)contradictions(left, right, levels);
}

void compare_rows(const struct mpi_row *left, const struct mpi_row *right, struct levels *out_levels)
{
    struct levels levels = {0};
    compare_numbers(left, right, &levels);
    compare_names(left, right, &levels);
    compare_rest(left, right, &levels);
    *out_levels = levels;
}
