/*
 * What each source writes about a human, and how: one row of habits per source.
 *
 * A record says what was true when the clerk wrote it down, some years ago: an old address, an old telephone and a
 * maiden name belong together. Then comes what is typed when a form insists (placeholders.c), then mistakes (errors.c).
 */
#include "gen_internal.h"

#include "dice_internal.h"

enum script { NATIVE, LATIN1, LATIN, CAPITALS };
enum { NEWBORN_PERCENT = 15 };

static const struct habits {
    const char *name, *authority;
    uint64_t multiplier;                  /* spreads the numbers; coprime to 10^9, so that all stay different */
    const char *id_prefix, *id_separator; /* before and between the halves of nine digits */
    const char *phone[3];                 /* before the area, the exchange and the number */
    enum script script;
    uint8_t spelling; /* of the customs of Latin letters */
    uint8_t knows_percent, twice_percent;
    struct gen_spread age; /* years since the clerk asked */
    uint8_t phone_percent, household_phone_percent, wrong_phone_percent;
    uint8_t address_percent, abbreviates_percent;
    uint8_t national_id_percent, mother_percent, child_mother_percent;
    uint8_t middle_percent, initial_percent, suffix_percent, birth_order_percent;
    uint8_t nickname_percent;
    uint8_t given_initial_percent;                 /* only the first letter: for sources of LATIN and CAPITALS */
    uint8_t former_percent;                        /* the maiden name beside, not instead */
    uint8_t second_family_percent, hyphen_percent; /* of two family names; the rest know one */
    uint8_t swaps_percent;                         /* puts a family name that is said first last */
    uint8_t capitals_percent;                      /* from an older system: all in capitals */
    uint8_t no_sex_percent, error_percent;
    uint16_t placeholder_permille;
} sources[GEN_SOURCES] = {
    [GEN_NORTH] = {.name = "north",
                   .authority = "NORTH",
                   .multiplier = 1299709,
                   .id_prefix = "",
                   .id_separator = "",
                   .phone = {"+1 ", " ", " "},
                   .script = NATIVE,
                   .spelling = 0,
                   .knows_percent = 65,
                   .twice_percent = 6,
                   .age = {1, 3},
                   .phone_percent = 88,
                   .household_phone_percent = 25,
                   .wrong_phone_percent = 1,
                   .address_percent = 94,
                   .abbreviates_percent = 25,
                   .national_id_percent = 25,
                   .mother_percent = 25,
                   .child_mother_percent = 95,
                   .middle_percent = 70,
                   .initial_percent = 60,
                   .suffix_percent = 85,
                   .birth_order_percent = 66,
                   .nickname_percent = 2,
                   .former_percent = 25,
                   .second_family_percent = 85,
                   .swaps_percent = 4,
                   .no_sex_percent = 2,
                   .error_percent = 11,
                   .placeholder_permille = 50},
    [GEN_LAKE] = {.name = "lake",
                  .authority = "LAKE",
                  .multiplier = 7368787,
                  .id_prefix = "L-",
                  .id_separator = "-",
                  .phone = {"(", ")", "-"},
                  .script = LATIN1,
                  .spelling = 1,
                  .knows_percent = 45,
                  .twice_percent = 5,
                  .age = {1, 4},
                  .phone_percent = 86,
                  .household_phone_percent = 40,
                  .wrong_phone_percent = 2,
                  .address_percent = 92,
                  .abbreviates_percent = 60,
                  .national_id_percent = 0,
                  .mother_percent = 20,
                  .child_mother_percent = 90,
                  .middle_percent = 35,
                  .initial_percent = 90,
                  .suffix_percent = 45,
                  .birth_order_percent = 0,
                  .nickname_percent = 15,
                  .former_percent = 15,
                  .second_family_percent = 70,
                  .hyphen_percent = 30,
                  .swaps_percent = 10,
                  .no_sex_percent = 2,
                  .error_percent = 17,
                  .placeholder_permille = 75},
    [GEN_LAB] = {.name = "lab",
                 .authority = "LAB",
                 .multiplier = 15485863,
                 .id_prefix = "LB",
                 .id_separator = "",
                 .phone = {"", "", ""},
                 .script = CAPITALS,
                 .spelling = 0,
                 .knows_percent = 40,
                 .twice_percent = 4,
                 .age = {1, 4},
                 .phone_percent = 40,
                 .household_phone_percent = 25,
                 .wrong_phone_percent = 2,
                 .nickname_percent = 8,
                 .given_initial_percent = 9,
                 .second_family_percent = 45,
                 .swaps_percent = 8,
                 .no_sex_percent = 2,
                 .error_percent = 22,
                 .placeholder_permille = 60},
    [GEN_INSURER] = {.name = "insurer",
                     .authority = "INSURER",
                     .multiplier = 32452843,
                     .id_prefix = "M",
                     .id_separator = "-",
                     .phone = {"", "-", "-"},
                     .script = LATIN,
                     .spelling = 0,
                     .knows_percent = 50,
                     .twice_percent = 3,
                     .age = {1, 3},
                     .phone_percent = 84,
                     .household_phone_percent = 30,
                     .wrong_phone_percent = 1,
                     .address_percent = 97,
                     .abbreviates_percent = 40,
                     .national_id_percent = 60,
                     .mother_percent = 0,
                     .child_mother_percent = 0,
                     .middle_percent = 95,
                     .initial_percent = 10,
                     .suffix_percent = 90,
                     .birth_order_percent = 66,
                     .former_percent = 90,
                     .second_family_percent = 95,
                     .swaps_percent = 2,
                     .capitals_percent = 20,
                     .no_sex_percent = 1,
                     .error_percent = 9,
                     .placeholder_permille = 35},
};

const char *gen_source_name(enum gen_source source)
{
    return sources[source].name;
}

const char *gen_source_authority(enum gen_source source)
{
    return sources[source].authority;
}

/* ---- texts, without printf: it would take half of the time ---- */

static void put(char *text, size_t size, const char *more)
{
    gen_append(text, size, str_from(more));
}

static void put_digits(char *text, size_t size, uint64_t number, unsigned digits)
{
    char out[20];
    for (unsigned at = digits; at > 0; at--, number /= 10)
        out[at - 1] = (char)('0' + number % 10);
    gen_append(text, size, str_make(out, digits));
}

static void set(char *text, size_t size, const char *value)
{
    text[0] = '\0';
    put(text, size, value);
}
#define SET(field, value) set(field, sizeof(field), value)

/* ---- who is known where, under which number ---- */

void gen_identifier(enum gen_source source, uint64_t index, unsigned slot, char out_id[24])
{
    uint64_t number = ((index * GEN_SLOTS + slot) * sources[source].multiplier + 7919) % 1000000000;
    set(out_id, 24, sources[source].id_prefix);
    put_digits(out_id, 24, number / 10000, 5);
    put(out_id, 24, sources[source].id_separator);
    put_digits(out_id, 24, number % 10000, 4);
}

uint32_t gen_known_at(const struct gen *gen, uint64_t index, uint32_t *out_twice)
{
    uint64_t dice = gen_throw(gen->seed, index, GEN_SALT_SOURCES);
    uint32_t known = 0, twice = 0;
    for (unsigned s = 0; s < GEN_SOURCES; s++) {
        if (!gen_chance(dice, 2 * s, sources[s].knows_percent))
            continue;
        known |= 1u << s;
        if (gen_chance(dice, 2 * s + 1, sources[s].twice_percent))
            twice |= 1u << s;
    }
    *out_twice = twice;
    return known ? known : 1u << GEN_NORTH;
}

/* ---- names ---- */

/* What one clerk does with one human: the habits of the source, and dice for them. */
struct clerk {
    const struct habits *habits;
    uint64_t dice;
    uint32_t years_ago;
};

static const char *written(const struct clerk *clerk, const struct gen_name *name)
{
    enum script script = clerk->habits->script;
    if (script == NATIVE && gen_chance(clerk->dice, 1, 8)) /* now and then there was no keyboard for it */
        script = LATIN;
    bool native = script == NATIVE || (script == LATIN1 && gen_fits_latin1(name->native));
    return native ? name->native : name->latin[clerk->habits->spelling];
}

static void write_family(const struct clerk *clerk, const struct gen_human *human, struct gen_record *record)
{
    const struct gen_name *family = gen_family_at(human, clerk->years_ago);
    bool married_now = human->self->married_family.culture && clerk->years_ago < human->self->married_years;
    SET(record->family, written(clerk, family));
    if (human->second_family.native[0] && !married_now &&
        gen_chance(clerk->dice, 2, clerk->habits->second_family_percent)) {
        put(record->family, GEN_TEXT_MAX, gen_chance(clerk->dice, 3, clerk->habits->hyphen_percent) ? "-" : " ");
        put(record->family, GEN_TEXT_MAX, written(clerk, &human->second_family));
    }
    if (married_now && gen_chance(clerk->dice, 4, clerk->habits->former_percent))
        SET(record->former_family, written(clerk, &human->family));
}

static void write_given(const struct clerk *clerk, const struct gen_human *human, struct gen_record *record)
{
    const char *nickname = gen_nickname(human->given.native), *middle = written(clerk, &human->middle);
    bool called_so = nickname && gen_chance(clerk->dice, 5, clerk->habits->nickname_percent);
    SET(record->given, called_so ? nickname : written(clerk, &human->given));
    if (gen_chance(clerk->dice, 20, clerk->habits->given_initial_percent))
        record->given[1] = '\0'; /* only where all letters are ASCII */
    if (middle[0] && gen_chance(clerk->dice, 6, clerk->habits->middle_percent)) {
        bool initial = gen_chance(clerk->dice, 7, clerk->habits->initial_percent) && (uint8_t)middle[0] < 0x80;
        if (initial)
            gen_append(record->middle, GEN_TEXT_MAX, str_make(middle, 1));
        else
            SET(record->middle, middle);
    }
    if (human->self->culture->says_junior && human->self->namesake != GEN_NO_NAMESAKE &&
        gen_chance(clerk->dice, 8, clerk->habits->suffix_percent))
        SET(record->suffix, human->self->namesake == GEN_JUNIOR ? "Jr" : "Sr");
}

static void write_mother(const struct clerk *clerk, const struct gen_human *human, struct gen_record *record)
{
    bool child = human->self->age < 18;
    if (!gen_chance(clerk->dice, 9, child ? clerk->habits->child_mother_percent : clerk->habits->mother_percent))
        return;
    SET(record->mother_family, written(clerk, &human->mother_family));
    SET(record->mother_given, written(clerk, &human->mother_given));
}

static void swap_names(struct gen_record *record)
{
    char given[GEN_TEXT_MAX];
    memcpy(given, record->given, sizeof given);
    memcpy(record->given, record->family, sizeof given);
    memcpy(record->family, given, sizeof given);
}

static void write_names(const struct clerk *clerk, const struct gen_human *human, struct gen_record *record)
{
    write_family(clerk, human, record);
    write_given(clerk, human, record);
    write_mother(clerk, human, record);
    if (human->self->culture->family_first && gen_chance(clerk->dice, 10, clerk->habits->swaps_percent))
        swap_names(record);
}

/* ---- where and how to reach ---- */

static void write_phone(const struct gen *gen, const struct clerk *clerk, const struct gen_human *human,
                        struct gen_record *record)
{
    char digits[11];
    if (!gen_chance(clerk->dice, 11, clerk->habits->phone_percent))
        return;
    bool shared = human->self->age < 14 ||
                  (!human->self->away && gen_chance(clerk->dice, 12, clerk->habits->household_phone_percent));
    gen_phone_at(gen, &human->house, human->index, clerk->years_ago, shared, digits);
    if (gen_chance(clerk->dice, 13, clerk->habits->wrong_phone_percent)) /* somebody's, or nobody's */
        gen_telephone(human->house.town, clerk->dice, digits);
    for (unsigned part = 0; part < 3; part++) {
        put(record->phone, sizeof record->phone, clerk->habits->phone[part]);
        gen_append(record->phone, sizeof record->phone, str_make(digits + part * 3, part < 2 ? 3 : 4));
    }
}

static void abbreviate(char line[GEN_TEXT_MAX])
{
    static const char *const words[][2] = {{" Street", " St"}, {" Avenue", " Ave"}, {" Road", " Rd"},
                                           {" Drive", " Dr"},  {" Court", " Ct"},   {" Lane", " Ln"},
                                           {" Place", " Pl"},  {" Apt ", " #"},     {" Unit ", " #"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char *at = strstr(line, words[i][0]), tail[GEN_TEXT_MAX] = "";
        if (!at)
            continue;
        put(tail, sizeof tail, at + strlen(words[i][0]));
        *at = '\0';
        put(line, GEN_TEXT_MAX, words[i][1]);
        put(line, GEN_TEXT_MAX, tail);
    }
}

static void write_address(const struct gen *gen, const struct clerk *clerk, const struct gen_human *human,
                          struct gen_record *record)
{
    struct gen_home home;
    if (!gen_chance(clerk->dice, 14, clerk->habits->address_percent))
        return;
    gen_home_at(gen, &human->house, human->index, clerk->years_ago, &home);
    SET(record->line, home.line);
    SET(record->city, home.city);
    SET(record->postcode, home.postcode);
    SET(record->state, home.state);
    SET(record->country, "XX");
    if (gen_chance(clerk->dice, 15, clerk->habits->abbreviates_percent))
        abbreviate(record->line);
}

static void write_facts(const struct clerk *clerk, const struct gen_human *human, struct gen_record *record)
{
    const struct habits *habits = clerk->habits;
    record->birth_date = human->self->birth;
    record->sex = gen_chance(clerk->dice, 16, habits->no_sex_percent) ? 'U' : human->self->female ? 'F' : 'M';
    if (human->self->twin && gen_chance(clerk->dice, 17, habits->birth_order_percent)) {
        record->multiple_birth = true;
        record->birth_order = human->self->twin;
    }
    if (gen_chance(clerk->dice, 18, habits->national_id_percent)) {
        SET(record->national_id, "9");
        put_digits(record->national_id, sizeof record->national_id, human->index * 49979687 + 104729, 8);
    }
}

/* ---- the whole record ---- */

void gen_record(const struct gen *gen, const struct gen_human *human, enum gen_source source, unsigned slot,
                struct gen_record *out_record)
{
    uint64_t subject = (human->index * GEN_SOURCES + source) * GEN_SLOTS + slot;
    uint64_t error = gen_throw(gen->seed, subject, GEN_SALT_ERROR);
    struct clerk clerk = {.habits = &sources[source], .dice = gen_throw(gen->seed, subject, GEN_SALT_HABIT)};
    clerk.years_ago = gen_rank(clerk.habits->age, clerk.dice);
    if (clerk.years_ago > human->self->age)
        clerk.years_ago = human->self->age;
    *out_record = (struct gen_record){.source = source, .human = human->index};
    gen_identifier(source, human->index, slot, out_record->id);
    write_names(&clerk, human, out_record);
    write_phone(gen, &clerk, human, out_record);
    write_address(gen, &clerk, human, out_record);
    write_facts(&clerk, human, out_record);
    if (human->self->age < 18 && clerk.years_ago == human->self->age && gen_chance(error, 5, NEWBORN_PERCENT))
        gen_leave_unnamed(human, out_record); /* asked at birth, and never again */
    if (gen_part(error, 6, 1000) < clerk.habits->placeholder_permille)
        gen_put_placeholder(out_record, error);
    /* whoever is registered a second time is so because something was written differently */
    uint32_t percent = slot > 0 ? 60u : clerk.habits->error_percent;
    if (gen_chance(error, 3, percent))
        gen_spoil(out_record, error);
    if (gen_chance(error, 4, percent / 6))
        gen_spoil(out_record, error >> 7);
    if (clerk.habits->script == CAPITALS || gen_chance(clerk.dice, 19, clerk.habits->capitals_percent)) {
        gen_to_capitals(out_record->family);
        gen_to_capitals(out_record->given);
    }
}

bool gen_record_is_bare(const struct gen_record *record)
{
    return !record->national_id[0] && !record->middle[0] && !record->suffix[0] && !record->former_family[0] &&
           !record->phone[0] && !record->line[0] && !record->city[0] && !record->postcode[0] &&
           !record->mother_family[0];
}
