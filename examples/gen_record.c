/* What each source writes about a human: its format, its habits, its errors. */
#include "gen_internal.h"

#include <stdio.h>

static const struct source_row {
    const char *name, *authority;
    uint64_t multiplier;                  /* spreads the numbers; coprime to 10^8, so that all stay different */
    const char *id_prefix, *id_separator; /* around and between two halves of eight digits */
    const char *phone[3];                 /* before the area, the exchange and the number */
    uint8_t knows_percent, twice_percent;
    uint8_t error_percent, former_percent, nickname_percent, middle_percent;
} sources[GEN_SOURCES] = {
    [GEN_NORTH] = {"north", "NORTH", 1299709, "", "", {"+1 ", " ", " "}, 65, 5, 7, 20, 0, 70},
    [GEN_LAKE] = {"lake", "LAKE", 7368787, "L-", "-", {"(", ")", "-"}, 45, 2, 9, 45, 10, 30},
    [GEN_LAB] = {"lab", "LAB", 15485863, "LB", "", {"", "", ""}, 40, 0, 12, 45, 8, 0},
    [GEN_INSURER] = {"insurer", "INSURER", 32452843, "M", "-", {"", "-", "-"}, 50, 0, 4, 15, 0, 95},
};

const char *gen_source_name(enum gen_source source)
{
    return sources[source].name;
}

const char *gen_source_authority(enum gen_source source)
{
    return sources[source].authority;
}

void gen_identifier(enum gen_source source, uint64_t index, unsigned slot, char out_id[24])
{
    uint64_t number = ((index * GEN_SLOTS + slot) * sources[source].multiplier + 7919) % 100000000;
    snprintf(out_id, 24, "%s%04u%s%04u", sources[source].id_prefix, (unsigned)(number / 10000),
             sources[source].id_separator, (unsigned)(number % 10000));
}

uint32_t gen_known_at(const struct gen *gen, uint64_t index, uint32_t *out_twice)
{
    uint64_t dice = gen_dice(gen, index, GEN_SALT_SOURCES);
    uint32_t known = 0, twice = 0;
    for (unsigned s = 0; s < GEN_SOURCES; s++) {
        if (gen_part(dice, 2 * s, 100) >= sources[s].knows_percent)
            continue;
        known |= 1u << s;
        if (gen_part(dice, 2 * s + 1, 100) < sources[s].twice_percent)
            twice |= 1u << s;
    }
    *out_twice = twice;
    return known ? known : 1u << GEN_NORTH;
}

/* ---- names ---- */

static const char *written(enum gen_source source, uint64_t habit, const struct gen_name *name)
{
    if (source == GEN_NORTH) /* now and then the clerk had no keyboard for it */
        return gen_part(habit, 1, 100) < 8 ? name->latin : name->native;
    if (source == GEN_LAKE)
        return gen_fits_latin1(name->native) ? name->native : name->latin;
    return name->latin;
}

static void write_names(const struct gen_human *human, enum gen_source source, uint64_t habit,
                        struct gen_record *record)
{
    const struct source_row *row = &sources[source];
    bool former = human->name_changed && gen_part(habit, 2, 100) < row->former_percent;
    snprintf(record->family, GEN_TEXT_MAX, "%s", written(source, habit, former ? &human->maiden : &human->family));
    snprintf(record->given, GEN_TEXT_MAX, "%s", written(source, habit, &human->given));
    const char *nickname = gen_nickname(human->given.native);
    if (nickname && gen_part(habit, 3, 100) < row->nickname_percent)
        snprintf(record->given, GEN_TEXT_MAX, "%s", nickname);
    const char *middle = written(source, habit, &human->middle);
    if (gen_part(habit, 4, 100) < row->middle_percent) {
        bool initial = source != GEN_INSURER && (uint8_t)middle[0] < 0x80;
        snprintf(record->middle, GEN_TEXT_MAX, "%.*s", initial ? 1 : GEN_TEXT_MAX - 1, middle);
    }
    bool keeps_suffix =
        source == GEN_NORTH || source == GEN_INSURER || (source == GEN_LAKE && gen_part(habit, 5, 2) == 0);
    if (keeps_suffix)
        snprintf(record->suffix, sizeof record->suffix, "%s", human->suffix);
    if (human->name_changed && !former && (source == GEN_INSURER || gen_part(habit, 6, 100) < 25) && source != GEN_LAB)
        snprintf(record->former_family, GEN_TEXT_MAX, "%s", written(source, habit, &human->maiden));
    if ((human->child || gen_part(habit, 7, 4) == 0) && (source == GEN_NORTH || source == GEN_LAKE)) {
        snprintf(record->mother_family, GEN_TEXT_MAX, "%s", written(source, habit, &human->mother_family));
        snprintf(record->mother_given, GEN_TEXT_MAX, "%s", written(source, habit, &human->mother_given));
    }
}

/* ---- the rest ---- */

static void write_phone(enum gen_source source, const char digits[11], char out[32])
{
    const char *const *before = sources[source].phone;
    snprintf(out, 32, "%s%.3s%s%.3s%s%.4s", before[0], digits, before[1], digits + 3, before[2], digits + 6);
}

static void write_reach(const struct gen_human *human, enum gen_source source, uint64_t habit,
                        struct gen_record *record)
{
    bool old = human->moved && gen_part(habit, 8, 100) < 40;
    if (gen_part(habit, 9, 100) >= (source == GEN_LAB ? 60u : 12u))
        write_phone(source, old ? human->old_phone_digits : human->phone_digits, record->phone);
    if (source == GEN_LAB || gen_part(habit, 10, 100) < 6)
        return;
    snprintf(record->line, GEN_TEXT_MAX, "%s", old ? human->old_line : human->line);
    snprintf(record->city, GEN_TEXT_MAX, "%s", old ? human->old_city : human->city);
    snprintf(record->postcode, sizeof record->postcode, "%s", old ? human->old_postcode : human->postcode);
    snprintf(record->state, sizeof record->state, "ZZ");
    snprintf(record->country, sizeof record->country, "XX");
    char *street = strstr(record->line, " Street");
    if (street && gen_part(habit, 11, 3) == 0)
        snprintf(street, 8, " St");
}

static void write_facts(const struct gen_human *human, enum gen_source source, uint64_t habit,
                        struct gen_record *record)
{
    record->birth_date = human->birth;
    record->sex = human->female ? 'F' : 'M';
    if (gen_part(habit, 12, 100) < 2)
        record->sex = 'U';
    if (human->twin && (source == GEN_NORTH || source == GEN_INSURER) && gen_part(habit, 13, 3) > 0) {
        record->multiple_birth = true;
        record->birth_order = human->birth_order;
    }
    if ((source == GEN_INSURER && gen_part(habit, 14, 100) < 60) ||
        (source == GEN_NORTH && gen_part(habit, 14, 100) < 25))
        snprintf(record->national_id, sizeof record->national_id, "9%08u",
                 (unsigned)((human->index * 49979687 + 104729) % 100000000));
}

/* ---- errors ---- */

static bool swap_day_and_month(struct date *date)
{
    if (date->day == 0 || date->day > 12 || date->day == date->month)
        return false;
    uint8_t day = date->day;
    date->day = date->month;
    date->month = day;
    return true;
}

static void spoil_once(struct gen_record *record, uint64_t dice)
{
    switch (gen_part(dice, 1, 12)) {
    case 0:
    case 1:
    case 2:
        gen_misspell(record->given, dice);
        break;
    case 3:
    case 4:
    case 5:
        gen_misspell(record->family, dice);
        break;
    case 6:
    case 7:
        if (!swap_day_and_month(&record->birth_date))
            gen_misspell(record->family, dice);
        break;
    case 8:
        if (record->birth_date.year == 0)
            break;
        record->birth_date.year = (uint16_t)(record->birth_date.year + (dice & 1 ? 1 : -1));
        if (record->birth_date.month == 2 && record->birth_date.day == 29)
            record->birth_date.day = 28;
        break;
    case 9: { /* names in the wrong boxes */
        char given[GEN_TEXT_MAX];
        memcpy(given, record->given, sizeof given);
        memcpy(record->given, record->family, sizeof given);
        memcpy(record->family, given, sizeof given);
        break;
    }
    case 10:
        record->birth_date = (struct date){record->birth_date.year, record->birth_date.month, 0};
        break;
    default:
        record->sex = record->sex == 'F' ? 'M' : 'F';
        break;
    }
}

static void put_placeholders(const struct gen_human *human, uint64_t dice, struct gen_record *record)
{
    uint32_t roll = gen_part(dice, 2, 1000);
    if (human->child && roll < 20)
        snprintf(record->given, GEN_TEXT_MAX, "%s", human->female ? "Baby Girl" : "Baby Boy");
    else if (roll < 24)
        record->birth_date = (struct date){1900, 1, 1};
    else if (roll < 32)
        snprintf(record->phone, sizeof record->phone, "999-999-9999");
    else if (roll < 38)
        snprintf(record->line, GEN_TEXT_MAX, "UNKNOWN");
    else if (roll < 52)
        record->birth_date = (struct date){0};
}

void gen_record(const struct gen *gen, const struct gen_human *human, enum gen_source source, unsigned slot,
                struct gen_record *out_record)
{
    *out_record = (struct gen_record){.source = source, .human = human->index};
    gen_identifier(source, human->index, slot, out_record->id);
    uint64_t subject = (human->index * GEN_SOURCES + source) * GEN_SLOTS + slot;
    uint64_t habit = gen_dice(gen, subject, GEN_SALT_HABIT), error = gen_dice(gen, subject, GEN_SALT_ERROR);
    write_names(human, source, habit, out_record);
    write_reach(human, source, habit, out_record);
    write_facts(human, source, habit, out_record);
    put_placeholders(human, error, out_record);
    /* whoever is registered a second time is so because something was written differently */
    uint32_t percent = slot > 0 ? 60u : sources[source].error_percent;
    if (gen_part(error, 3, 100) < percent)
        spoil_once(out_record, error);
    if (gen_part(error, 4, 100) < percent / 6)
        spoil_once(out_record, error >> 7);
    if (source == GEN_LAB) {
        gen_to_capitals(out_record->family);
        gen_to_capitals(out_record->given);
    }
}

size_t gen_records(const struct gen *gen, uint64_t human, struct gen_record out_records[GEN_RECORDS_PER_HUMAN])
{
    struct gen_human who;
    gen_human(gen, human, &who);
    uint32_t twice, known = gen_known_at(gen, human, &twice);
    size_t count = 0;
    for (unsigned s = 0; s < GEN_SOURCES; s++)
        for (unsigned slot = 0; slot < 2; slot++)
            if ((slot == 0 ? known : twice) >> s & 1)
                gen_record(gen, &who, (enum gen_source)s, slot, &out_records[count++]);
    return count;
}
