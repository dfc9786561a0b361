#include "blocks_internal.h"
#include "row_internal.h"

/*
 * Blocking keys. Each is a pure function of one row, so whether two records are compared never depends on who came
 * first. A pair is found when any one key agrees.
 *
 * A key that too many hold is narrowed: (key, one further value) takes its place, and (key, two further values) where
 * that is still held by too many. Two records then find each other when what they share is shared by few enough. By
 * which fields a rule is narrowed: by those that make no earlier rule of it. What a pair shares beyond a phone is found
 * from the phone; so nothing else is narrowed by phones, and everything shared has one way that leads to it.
 */
#define BIT(field) (1u << ROW_FIELD_##field)
enum {
    NAMES = BIT(GIVEN) | BIT(FAMILY),
    BIRTH = BIT(YEAR) | BIT(DAY),
    ORIGIN = BIT(MOTHER) | BIT(PLACE),
    HOME = BIT(POSTCODE) | BIT(STREET),
    REACHED = BIT(PHONE) | BIT(EMAIL),
};
static const struct {
    const char *name;
    uint32_t narrows;
} rules[RULE_COUNT] = {
    [RULE_IDENTIFIER] = {"identifier", NAMES | BIRTH | HOME | REACHED | ORIGIN | BIT(NATIONAL)},
    [RULE_NATIONAL] = {"national identifier", NAMES | BIRTH | HOME | REACHED | ORIGIN},
    [RULE_PHONE] = {"phone", NAMES | BIRTH | HOME | ORIGIN | BIT(EMAIL)},
    [RULE_EMAIL] = {"e-mail address", NAMES | BIRTH | HOME | ORIGIN},
    [RULE_EMAIL_LOCAL] = {"first part of the e-mail address", NAMES | BIRTH | HOME | ORIGIN},
    [RULE_HOUSE] = {"street and number", NAMES | BIRTH | ORIGIN | BIT(POSTCODE)},
    [RULE_BIRTH] = {"birth date", NAMES | ORIGIN | HOME},
    [RULE_BOTH_NAMES] = {"both names", BIRTH | ORIGIN | HOME | BIT(NATIONAL)},
    [RULE_FAMILY_POSTCODE] = {"family name and postcode", BIRTH | ORIGIN | BIT(STREET) | BIT(NATIONAL)},
    [RULE_GIVEN_POSTCODE] = {"given name and postcode", BIRTH | ORIGIN | BIT(STREET) | BIT(NATIONAL)},
    [RULE_FAMILY_PLACE] = {"family name and birth place", BIRTH | BIT(MOTHER) | BIT(STREET)},
    [RULE_GIVEN_PLACE] = {"given name and birth place", BIRTH | BIT(MOTHER) | BIT(STREET)},
    [RULE_FAMILY_YEAR] = {"family name and birth year", BIT(DAY) | BIT(MOTHER) | BIT(STREET)},
    [RULE_GIVEN_YEAR] = {"given name and birth year", BIT(DAY) | BIT(MOTHER) | BIT(STREET)},
    [RULE_FAMILY_DAY] = {"family name, birth day and month", BIT(MOTHER) | BIT(STREET)},
    [RULE_GIVEN_DAY] = {"given name, birth day and month", BIT(MOTHER) | BIT(STREET)},
    [RULE_POSTCODE_YEAR] = {"postcode and birth year", BIT(DAY) | ORIGIN | BIT(STREET)},
};

const char *row_rule_name(enum row_rule rule)
{
    return rules[rule].name;
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9ull;
    value = (value ^ value >> 27) * 0x94D049BB133111EBull;
    return value ^ value >> 31;
}

/* ---- values ---- */

static uint64_t text_key(const struct mpi_row *row, uint16_t at)
{
    struct str s = row_text(row, at);
    return s.len ? str_hash(s) : 0;
}

/* One number for all spellings a nickname table knows: robert and bob meet in one block. */
static uint64_t given_sound(const struct mpi_row *row, const struct mpi_row_name *name)
{
    return name->nicknames[0]  ? name->nicknames[0] + (1ull << 32)
           : name->given_sound ? name->given_sound
                               : text_key(row, name->given);
}

static uint64_t family_sound(const struct mpi_row *row, const struct mpi_row_name *name)
{
    return name->family_sound ? name->family_sound : text_key(row, name->family);
}

static bool has_full_birth(const struct mpi_row *row)
{
    return row->day != 0 && !(row->flags & ROW_BIRTH_ESTIMATED);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a < b ? b : a;
}

/* Day and month, whichever stands first. */
static uint64_t swapped_day(const struct mpi_row *row)
{
    return smaller(row->month, row->day) * 100 + larger(row->month, row->day);
}

/* ---- keys ---- */

struct keys {
    struct row_key *at;
    size_t count;
};

static void add_key(struct keys *keys, enum row_rule rule, uint64_t first, uint64_t second)
{
    if (first == 0 || second == 0 || keys->count == ROW_KEYS_MAX)
        return;
    keys->at[keys->count++] = (struct row_key){block_key(mix(mix(first * 31 + (uint64_t)rule + 1) + second)),
                                               rules[rule].narrows, (uint16_t)rule, 0};
}

static void add_name_keys(struct keys *keys, const struct mpi_row *row, const struct mpi_row_name *name)
{
    uint64_t family = family_sound(row, name), given = given_sound(row, name);
    uint64_t day = has_full_birth(row) ? row->month * 100u + row->day : 0, place = text_key(row, row->birth_place);
    if (family && given) /* in either order */
        add_key(keys, RULE_BOTH_NAMES, mix(smaller(family, given)), larger(family, given));
    add_key(keys, RULE_FAMILY_YEAR, family, row->year);
    add_key(keys, RULE_GIVEN_YEAR, given, row->year);
    add_key(keys, RULE_FAMILY_DAY, family, day);
    add_key(keys, RULE_GIVEN_DAY, given, day);
    add_key(keys, RULE_FAMILY_PLACE, family, place);
    add_key(keys, RULE_GIVEN_PLACE, given, place);
    for (size_t i = 0; i < row->address_count; i++) {
        add_key(keys, RULE_FAMILY_POSTCODE, family, row_addresses(row)[i].postcode);
        add_key(keys, RULE_GIVEN_POSTCODE, given, row_addresses(row)[i].postcode);
    }
}

static void add_email_keys(struct keys *keys, const struct mpi_row *row, uint16_t email)
{
    enum { LOCAL_MIN = 5 }; /* "info" is anybody */
    struct str rest = row_text(row, email), local;
    add_key(keys, RULE_EMAIL, text_key(row, email), 1);
    if (str_split(&rest, '@', &local) && local.len >= LOCAL_MIN)
        add_key(keys, RULE_EMAIL_LOCAL, str_hash(local), 1);
}

/* A dozen keys: no call per comparison. */
static size_t sort_keys(struct keys *keys)
{
    size_t kept = 0;
    for (size_t i = 1; i < keys->count; i++) {
        struct row_key key = keys->at[i];
        size_t k = i;
        for (; k > 0 && keys->at[k - 1].key > key.key; k--)
            keys->at[k] = keys->at[k - 1];
        keys->at[k] = key;
    }
    for (size_t i = 0; i < keys->count; i++)
        if (kept == 0 || keys->at[kept - 1].key != keys->at[i].key)
            keys->at[kept++] = keys->at[i];
    return kept;
}

size_t row_keys(const struct mpi_row *row, struct row_key out_keys[ROW_KEYS_MAX])
{
    struct keys keys = {.at = out_keys};
    for (size_t i = 0; i < row->shared_count; i++)
        add_key(&keys, RULE_IDENTIFIER, row_shared(row)[i], 1);
    for (size_t i = 0; i < row->national_count; i++)
        add_key(&keys, RULE_NATIONAL, text_key(row, row_nationals(row)[i].text), row_nationals(row)[i].kind);
    for (size_t i = 0; i < row->phone_count; i++)
        add_key(&keys, RULE_PHONE, row_phones(row)[i], 1);
    for (size_t i = 0; i < row->email_count; i++)
        add_email_keys(&keys, row, row_emails(row)[i]);
    if (has_full_birth(row))
        add_key(&keys, RULE_BIRTH, row->year * 10000u + row->month * 100u + row->day, 1);
    for (size_t i = 0; i < row->address_count; i++) {
        add_key(&keys, RULE_HOUSE, text_key(row, row_addresses(row)[i].street), row_addresses(row)[i].number);
        add_key(&keys, RULE_POSTCODE_YEAR, row_addresses(row)[i].postcode, row->year);
    }
    for (size_t i = 0; i < row->name_count; i++)
        add_name_keys(&keys, row, &row_names(row)[i]);
    return sort_keys(&keys);
}

/* ---- further values ---- */

struct traits {
    struct row_trait *at;
    size_t count;
};

static void add_trait(struct traits *traits, enum row_field field, uint64_t what, uint64_t value)
{
    if (value == 0 || traits->count == ROW_TRAITS_MAX)
        return;
    struct row_trait trait = {mix(mix(value + (what << 32)) + field), (uint8_t)field};
    for (size_t i = traits->count; i-- > 0 && traits->at[i].field == trait.field;)
        if (traits->at[i].value == trait.value)
            return;
    traits->at[traits->count++] = trait;
}

/* The day without the year; and what is left of it when one digit of it is wrong, or two stand in each other's place.
 */
static void add_day_traits(struct traits *traits, const struct mpi_row *row)
{
    enum { WHOLE = 1, MONTH_TENS, MONTH_ONES, DAY_TENS, DAY_ONES, SWAPPED, DIGITS_SWAPPED, MONTH };
    uint64_t month = row->month, day = row->day, m10 = month / 10, m1 = month % 10, d10 = day / 10, d1 = day % 10;
    if (row->flags & ROW_BIRTH_ESTIMATED || month == 0)
        return;
    add_trait(traits, ROW_FIELD_DAY, MONTH, month);
    if (day == 0)
        return;
    add_trait(traits, ROW_FIELD_DAY, WHOLE, month * 100 + day);
    add_trait(traits, ROW_FIELD_DAY, MONTH_TENS, 1 + day * 10 + m10);
    add_trait(traits, ROW_FIELD_DAY, MONTH_ONES, 1 + day * 10 + m1);
    add_trait(traits, ROW_FIELD_DAY, DAY_TENS, 1 + month * 10 + d10);
    add_trait(traits, ROW_FIELD_DAY, DAY_ONES, 1 + month * 10 + d1);
    add_trait(traits, ROW_FIELD_DAY, SWAPPED, swapped_day(row));
    add_trait(traits, ROW_FIELD_DAY, DIGITS_SWAPPED,
              1 + smaller(m10, m1) * 1000 + larger(m10, m1) * 100 + smaller(d10, d1) * 10 + larger(d10, d1));
}

/* A number, and its halves: one slip leaves one of them whole. */
static void add_national_traits(struct traits *traits, const struct mpi_row *row, const struct mpi_row_national *at)
{
    enum { WHOLE = 1 << 16, FIRST_HALF = 2 << 16, SECOND_HALF = 3 << 16 };
    struct str text = row_text(row, at->text);
    if (text.len < 6)
        return;
    add_trait(traits, ROW_FIELD_NATIONAL, WHOLE + at->kind, str_hash(text));
    add_trait(traits, ROW_FIELD_NATIONAL, FIRST_HALF + at->kind, str_hash(str_sub(text, 0, text.len / 2)));
    add_trait(traits, ROW_FIELD_NATIONAL, SECOND_HALF + at->kind,
              str_hash(str_sub(text, text.len - text.len / 2, text.len)));
}

size_t row_traits(const struct mpi_row *row, struct row_trait out_traits[ROW_TRAITS_MAX])
{
    struct traits traits = {.at = out_traits};
    for (size_t i = 0; i < row->name_count; i++)
        add_trait(&traits, ROW_FIELD_GIVEN, 0, given_sound(row, &row_names(row)[i]));
    for (size_t i = 0; i < row->name_count; i++)
        add_trait(&traits, ROW_FIELD_FAMILY, 0, family_sound(row, &row_names(row)[i]));
    add_trait(&traits, ROW_FIELD_YEAR, 0, row->year);
    add_day_traits(&traits, row);
    for (size_t i = 0; i < row->address_count; i++)
        add_trait(&traits, ROW_FIELD_POSTCODE, 0, row_addresses(row)[i].postcode);
    for (size_t i = 0; i < row->address_count; i++)
        add_trait(&traits, ROW_FIELD_STREET, 0, text_key(row, row_addresses(row)[i].street));
    for (size_t i = 0; i < row->phone_count; i++)
        add_trait(&traits, ROW_FIELD_PHONE, 0, row_phones(row)[i]);
    for (size_t i = 0; i < row->email_count; i++)
        add_trait(&traits, ROW_FIELD_EMAIL, 0, text_key(row, row_emails(row)[i]));
    for (size_t i = 0; i < row->national_count; i++)
        add_national_traits(&traits, row, &row_nationals(row)[i]);
    add_trait(&traits, ROW_FIELD_MOTHER, 1, text_key(row, row->mother_family));
    add_trait(&traits, ROW_FIELD_MOTHER, 2, text_key(row, row->mother_given));
    add_trait(&traits, ROW_FIELD_PLACE, 0, text_key(row, row->birth_place));
    if (traits.count < ROW_TRAITS_MAX)
        traits.at[traits.count++] = (struct row_trait){row->own_bits, ROW_FIELD_OWN};
    return traits.count;
}

/* Half of those who share all that was asked for: by the next bit of the own key, which is a hash. */
static bool halve_key(const struct row_key *key, uint64_t own_bits, struct row_key *out_key)
{
    if (key->depth == ROW_NARROW_MAX + ROW_HALVINGS)
        return false;
    *out_key = *key;
    out_key->key = block_key(mix(key->key + 1 + (own_bits >> (key->depth - ROW_NARROW_MAX) & 1)));
    out_key->depth++;
    return true;
}

/* By fields in their order only, so that one set of values is one key, whichever of them is taken first. */
bool row_narrow_key(const struct row_key *key, const struct row_trait *trait, struct row_key *out_key)
{
    if (key->depth >= ROW_NARROW_MAX)
        return trait->field == ROW_FIELD_OWN && halve_key(key, trait->value, out_key);
    if (!(key->narrows >> trait->field & 1))
        return false;
    *out_key = (struct row_key){.key = block_key(mix(key->key + trait->value)),
                                .narrows = key->narrows & ~((2u << trait->field) - 1),
                                .rule = key->rule,
                                .depth = (uint16_t)(key->depth + 1)};
    return true;
}
