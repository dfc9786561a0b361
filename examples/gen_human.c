/*
 * The humans. Four of them in a row live in one house; what kind of house decides who is whose twin, junior or wife.
 *
 * Everything is computed from dice over (seed, house) or (seed, human), never from another human's struct, so that no
 * human needs memory and none needs recursion.
 */
#include "gen_internal.h"

#include <stdio.h>

enum { HOUSE_SIZE = 4, FATHER = 0, MOTHER = 1, ELDER = 2, YOUNGER = 3 };
enum house_kind { SINGLES, COUPLE, FAMILY, JUNIOR, TWINS };

void gen_init(struct gen *gen, const struct gen_options *options)
{
    *gen = (struct gen){
        .seed = options->seed,
        .people = options->people ? options->people : GEN_PEOPLE_DEFAULT,
    };
    if (gen->people > GEN_PEOPLE_MAX)
        gen->people = GEN_PEOPLE_MAX;
}

uint64_t gen_dice(const struct gen *gen, uint64_t subject, enum gen_salt salt)
{
    uint64_t state = gen->seed * 0x9E3779B97F4A7C15u + subject;
    state = hash_random(&state) ^ ((uint64_t)salt << 56);
    return hash_random(&state);
}

static enum house_kind house_kind(const struct gen *gen, uint64_t house)
{
    uint32_t roll = gen_part(gen_dice(gen, house, GEN_SALT_HOUSE), 0, 100);
    return roll < 40 ? SINGLES : roll < 52 ? COUPLE : roll < 78 ? FAMILY : roll < 88 ? JUNIOR : TWINS;
}

static bool lives_with_family(enum house_kind kind, unsigned place)
{
    return kind == COUPLE ? place <= MOTHER : kind != SINGLES;
}

/* Few names are common and many are rare. */
static const struct gen_word *pick(struct gen_words words, uint64_t dice)
{
    uint64_t even = dice % 4096;
    return &words.at[even * even * words.count / (4096ull * 4096ull)];
}

static void copy(char out[GEN_TEXT_MAX], const char *head, const char *tail)
{
    snprintf(out, GEN_TEXT_MAX, "%s%s", head, tail);
}

static void name_given(const struct gen_culture *culture, bool female, uint64_t dice, struct gen_name *out_name)
{
    const struct gen_word *word = pick(female ? culture->women : culture->men, dice);
    copy(out_name->native, word->native, "");
    copy(out_name->latin, word->latin, "");
}

static void name_family(const struct gen_culture *culture, bool female, uint64_t dice, struct gen_name *out_name)
{
    if (culture->heads.count > 0 && gen_part(dice, 1, 3) > 0) {
        const struct gen_word *head = &culture->heads.at[gen_part(dice, 2, (uint32_t)culture->heads.count)];
        const struct gen_word *tail = &culture->tails.at[gen_part(dice, 3, (uint32_t)culture->tails.count)];
        copy(out_name->native, head->native, tail->native);
        copy(out_name->latin, head->latin, tail->latin);
        return;
    }
    const struct gen_word *word = pick(culture->families, gen_part(dice, 4, 4096));
    copy(out_name->native, female && word->native_f ? word->native_f : word->native, "");
    copy(out_name->latin, female && word->latin_f ? word->latin_f : word->latin, "");
}

static void append_second(struct gen_name *name, const struct gen_name *second)
{
    struct gen_name first = *name;
    snprintf(name->native, GEN_TEXT_MAX, "%.60s %.60s", first.native, second->native);
    snprintf(name->latin, GEN_TEXT_MAX, "%.60s %.60s", first.latin, second->latin);
}

static struct date birth_between(uint64_t dice, unsigned year_min, unsigned year_max)
{
    int32_t from = date_to_days((struct date){(uint16_t)year_min, 1, 1});
    int32_t to = date_to_days((struct date){(uint16_t)year_max, 12, 31});
    return date_from_days(from + (int32_t)(dice % (uint64_t)(to - from + 1)));
}

static const struct {
    const char *city;
    unsigned postcode;
} towns[] = {
    {"Northport", 10100}, {"Lakeside", 20200},  {"Millbrook", 30300}, {"Stonebridge", 40400}, {"Eastmere", 50500},
    {"Fernhill", 60600},  {"Saltmarsh", 70700}, {"Oldcastle", 80800}, {"Redwater", 90900},    {"Greenford", 11200},
};
static const char *const streets[] = {
    "Oak",    "Maple",  "Mill",     "Church", "Station", "Harbour", "Orchard",  "Bridge",
    "Garden", "Castle", "Spring",   "Forest", "Market",  "Willow",  "Chestnut", "Meadow",
    "River",  "School", "Victoria", "Canal",  "Abbey",   "Copper",  "Juniper",  "Quarry",
};
static const char *const ways[] = {"Street", "Road", "Avenue", "Lane", "Way", "Close"};

static void settle(uint64_t dice, char line[GEN_TEXT_MAX], const char **out_city, char postcode[16])
{
    size_t town = gen_part(dice, 1, sizeof towns / sizeof towns[0]);
    snprintf(line, GEN_TEXT_MAX, "%u %s %s", 1 + gen_part(dice, 2, 399),
             streets[gen_part(dice, 3, sizeof streets / sizeof streets[0])],
             ways[gen_part(dice, 4, sizeof ways / sizeof ways[0])]);
    *out_city = towns[town].city;
    snprintf(postcode, 16, "%05u", towns[town].postcode + gen_part(dice, 5, 90));
}

static void telephone(uint64_t dice, char digits[11])
{
    snprintf(digits, 11, "%03u555%04u", 200 + gen_part(dice, 1, 700), gen_part(dice, 2, 10000));
}

static void live(const struct gen *gen, bool shared, struct gen_human *human)
{
    uint64_t house = human->index / HOUSE_SIZE;
    /* houses and humans are numbered apart: the top bit keeps their dice apart */
    uint64_t subject = shared ? house | 1ull << 63 : human->index;
    settle(gen_dice(gen, subject, GEN_SALT_ADDRESS), human->line, &human->city, human->postcode);
    settle(gen_dice(gen, human->index, GEN_SALT_OLD_ADDRESS), human->old_line, &human->old_city, human->old_postcode);
    uint64_t changes = gen_dice(gen, human->index, GEN_SALT_CHANGES);
    bool own_phone = !shared || (!human->child && gen_part(changes, 1, 2) == 0);
    telephone(gen_dice(gen, own_phone ? human->index : subject, GEN_SALT_PHONE), human->phone_digits);
    telephone(gen_dice(gen, human->index, GEN_SALT_OLD_PHONE), human->old_phone_digits);
    human->moved = gen_part(changes, 2, 100) < 18;
}

static void be_single(const struct gen *gen, struct gen_human *human)
{
    uint64_t i = human->index;
    human->culture = gen_culture_pick(gen_dice(gen, i, GEN_SALT_CULTURE) >> 8);
    human->female = gen_dice(gen, i, GEN_SALT_SEX) >> 63;
    name_family(human->culture, human->female, gen_dice(gen, i, GEN_SALT_FAMILY), &human->family);
    if (human->culture->two_families) {
        struct gen_name second;
        name_family(human->culture, false, gen_dice(gen, i, GEN_SALT_SECOND_FAMILY), &second);
        append_second(&human->family, &second);
    }
    name_given(human->culture, human->female, gen_dice(gen, i, GEN_SALT_GIVEN), &human->given);
    human->birth = birth_between(gen_dice(gen, i, GEN_SALT_BIRTH), 1930, 2020);
    name_family(human->culture, true, gen_dice(gen, i, GEN_SALT_MOTHER), &human->mother_family);
    name_given(human->culture, true, gen_dice(gen, i, GEN_SALT_MOTHER) >> 20, &human->mother_given);
}

static void be_wife(const struct gen *gen, uint64_t father, struct gen_human *human)
{
    struct gen_name own;
    name_family(human->culture, true, gen_dice(gen, human->index, GEN_SALT_FAMILY), &own);
    if (human->culture->wife_keeps_name) {
        human->family = own;
        return;
    }
    name_family(human->culture, true, gen_dice(gen, father, GEN_SALT_FAMILY), &human->family);
    human->maiden = own;
    human->name_changed = true;
}

static void be_child(const struct gen *gen, enum house_kind kind, unsigned place, uint64_t father,
                     struct gen_human *human)
{
    uint64_t i = human->index, first = father + ELDER;
    struct date of_father = birth_between(gen_dice(gen, father, GEN_SALT_BIRTH), 1945, 1985);
    bool twin = kind == TWINS;
    unsigned from = of_father.year + 23u + (place == YOUNGER ? 3u : 0u);
    if (twin) /* both throw the elder's dice */
        human->birth = birth_between(gen_dice(gen, first, GEN_SALT_BIRTH), from - (place == YOUNGER ? 3u : 0u),
                                     of_father.year + 35u);
    else
        human->birth = birth_between(gen_dice(gen, i, GEN_SALT_BIRTH), from, of_father.year + 35u);
    human->child = human->birth.year > 2004;
    bool junior = kind == JUNIOR && place == ELDER;
    human->female = junior ? false
                           : gen_dice(gen, twin && gen_part(gen_dice(gen, father, GEN_SALT_HOUSE), 3, 2) ? first : i,
                                      GEN_SALT_SEX) >>
                                 63;
    name_family(human->culture, human->female, gen_dice(gen, father, GEN_SALT_FAMILY), &human->family);
    if (human->culture->two_families) {
        struct gen_name second;
        name_family(human->culture, false, gen_dice(gen, father + MOTHER, GEN_SALT_FAMILY), &second);
        append_second(&human->family, &second);
    }
    name_given(human->culture, human->female, gen_dice(gen, junior ? father : i, GEN_SALT_GIVEN), &human->given);
    human->suffix = junior ? "Jr" : "";
    human->twin = twin;
    human->birth_order = twin ? (uint8_t)(place - ELDER + 1) : 0;
    name_family(human->culture, true, gen_dice(gen, father + MOTHER, GEN_SALT_FAMILY), &human->mother_family);
    name_given(human->culture, true, gen_dice(gen, father + MOTHER, GEN_SALT_GIVEN), &human->mother_given);
}

/* Two children of one house never get the same given name, or there would be no truth about them. */
static void tell_siblings_apart(const struct gen *gen, enum house_kind kind, uint64_t father, struct gen_human *human)
{
    struct gen_name elder;
    bool elder_female = kind != JUNIOR && gen_dice(gen, father + ELDER, GEN_SALT_SEX) >> 63;
    name_given(human->culture, elder_female, gen_dice(gen, kind == JUNIOR ? father : father + ELDER, GEN_SALT_GIVEN),
               &elder);
    for (unsigned n = 1; n < 8 && strcmp(elder.latin, human->given.latin) == 0; n++)
        name_given(human->culture, human->female, gen_part(gen_dice(gen, human->index, GEN_SALT_GIVEN), n, 4096),
                   &human->given);
}

static void be_of_family(const struct gen *gen, enum house_kind kind, struct gen_human *human)
{
    uint64_t father = human->index - human->index % HOUSE_SIZE;
    unsigned place = (unsigned)(human->index % HOUSE_SIZE);
    human->culture = gen_culture_pick(gen_dice(gen, father, GEN_SALT_CULTURE) >> 8);
    if (place >= ELDER) {
        be_child(gen, kind, place, father, human);
        if (place == YOUNGER)
            tell_siblings_apart(gen, kind, father, human);
        return;
    }
    human->married = true;
    human->female = place == MOTHER;
    name_given(human->culture, human->female, gen_dice(gen, human->index, GEN_SALT_GIVEN), &human->given);
    human->birth = birth_between(gen_dice(gen, human->index, GEN_SALT_BIRTH), 1945, 1985);
    name_family(human->culture, true, gen_dice(gen, human->index, GEN_SALT_MOTHER), &human->mother_family);
    name_given(human->culture, true, gen_dice(gen, human->index, GEN_SALT_MOTHER) >> 20, &human->mother_given);
    if (place == MOTHER) {
        be_wife(gen, father, human);
        return;
    }
    name_family(human->culture, false, gen_dice(gen, father, GEN_SALT_FAMILY), &human->family);
    human->suffix = kind == JUNIOR ? "Sr" : "";
}

void gen_human(const struct gen *gen, uint64_t index, struct gen_human *out_human)
{
    *out_human = (struct gen_human){.index = index, .suffix = ""};
    enum house_kind kind = house_kind(gen, index / HOUSE_SIZE);
    bool with_family = lives_with_family(kind, (unsigned)(index % HOUSE_SIZE));
    if (with_family)
        be_of_family(gen, kind, out_human);
    else
        be_single(gen, out_human);
    if (gen_part(gen_dice(gen, index, GEN_SALT_MIDDLE), 1, 100) < 45)
        name_given(out_human->culture, out_human->female, gen_dice(gen, index, GEN_SALT_MIDDLE) >> 8,
                   &out_human->middle);
    live(gen, with_family, out_human);
}
