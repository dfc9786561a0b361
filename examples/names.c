/* From the number of a name to its letters. */
#include "names_internal.h"

#include "base/invariant.h"

#include <string.h>

enum { GRANDPARENTS_YEAR = 1930, BABIES_YEAR = 2026 }; /* when the first and the last of a list were the fashion */

/* ---- cultures ---- */

const struct gen_culture *gen_culture_at(uint32_t number)
{
    INVARIANT(number < GEN_CULTURES);
    return number < GEN_LATIN_CULTURES ? &gen_latin_cultures[number] : &gen_other_cultures[number - GEN_LATIN_CULTURES];
}

const struct gen_culture *gen_culture_pick(uint64_t dice)
{
    uint32_t all = 0, number = 0;
    for (uint32_t i = 0; i < GEN_CULTURES; i++)
        all += gen_culture_at(i)->weight;
    for (uint32_t roll = (uint32_t)(dice % all); roll >= gen_culture_at(number)->weight; number++)
        roll -= gen_culture_at(number)->weight;
    return gen_culture_at(number);
}

/* ---- which name ---- */

uint32_t gen_family_pick(const struct gen_culture *culture, uint64_t dice)
{
    return gen_rank(culture->family_spread, dice);
}

/* The place that is `rank` steps from `centre`, to both sides in turn as long as both sides last. */
static uint32_t around(uint32_t centre, uint32_t rank, uint32_t count)
{
    uint32_t before = centre, after = count - 1 - centre, both = before < after ? before : after;
    if (rank > 2 * both)
        return before > after ? count - 1 - rank : rank;
    return rank % 2 ? centre + (rank + 1) / 2 : centre - rank / 2;
}

uint32_t gen_given_pick(const struct gen_culture *culture, bool female, uint16_t birth_year, uint64_t dice)
{
    uint32_t count = female ? culture->women.count : culture->men.count, rank = gen_rank(culture->given_spread, dice);
    if (rank >= count)
        return rank;
    uint32_t year = birth_year < GRANDPARENTS_YEAR ? 0 : birth_year - GRANDPARENTS_YEAR;
    uint32_t centre = year * count / (BABIES_YEAR - GRANDPARENTS_YEAR + 1);
    return around(centre < count ? centre : count - 1, rank, count);
}

static size_t letter_len(const char *text)
{
    uint8_t lead = (uint8_t)*text;
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

uint32_t gen_given_beside(const struct gen_culture *culture, bool female, uint32_t given)
{
    struct gen_words words = female ? culture->women : culture->men;
    if (given >= words.count)
        return given + culture->given_heads.count; /* the same head with the next tail */
    for (uint32_t step = 1; step < words.count; step++) {
        uint32_t other = (given + step) % words.count;
        if (strncmp(words.at[given], words.at[other], letter_len(words.at[given])) == 0)
            return other;
    }
    return (given + 1) % words.count;
}

/* ---- letters ---- */

void gen_append(char *text, size_t size, struct str more)
{
    size_t len = strlen(text), room = size - 1 - len;
    if (more.len > room) {
        more.len = room;
        while (more.len > 0 && ((uint8_t)more.data[more.len] & 0xC0) == 0x80)
            more.len--;
    }
    if (more.len > 0) /* an empty str may have no bytes at all */
        memcpy(text + len, more.data, more.len);
    text[len + more.len] = '\0';
}

/* A word of a table, taken apart; latin is empty when letters make it. */
struct word {
    struct str stem, ending, latin[GEN_SPELLINGS];
};

static struct str cut_at(struct str *rest, char sign)
{
    struct str head = *rest;
    const char *at = rest->len > 0 ? memchr(rest->data, sign, rest->len) : NULL;
    if (!at) {
        *rest = (struct str){0};
        return head;
    }
    head.len = (size_t)(at - rest->data);
    *rest = (struct str){at + 1, rest->len - head.len - 1};
    return head;
}

static struct word take_apart(const char *text, bool female)
{
    struct str rest = str_from(text), native = cut_at(&rest, '=');
    struct word word = {.latin = {cut_at(&rest, '=')}};
    word.latin[1] = rest.len > 0 ? rest : word.latin[0];
    word.stem = cut_at(&native, '+');
    struct str man = cut_at(&native, '/');
    word.ending = female ? native : man;
    return word;
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((uint8_t)text.data[i] >= 0x80)
            return false;
    return true;
}

static void append_latin(const struct gen_culture *culture, struct str native, unsigned spelling, char *out)
{
    char letters[GEN_NAME_MAX] = "", latin[GEN_NAME_MAX];
    if (is_ascii(native)) { /* by far the most */
        gen_append(out, GEN_NAME_MAX, native);
        return;
    }
    gen_append(letters, sizeof letters, native);
    gen_romanise(letters, spelling, culture->german_umlauts, latin);
    gen_append(out, GEN_NAME_MAX, str_from(latin));
}

static void append_word(const struct gen_culture *culture, const char *text, bool female, struct gen_name *name)
{
    struct word word = take_apart(text, female);
    gen_append(name->native, GEN_NAME_MAX, word.stem);
    gen_append(name->native, GEN_NAME_MAX, word.ending);
    for (unsigned s = 0; s < GEN_SPELLINGS; s++) {
        if (word.latin[s].len > 0)
            gen_append(name->latin[s], GEN_NAME_MAX, word.latin[s]);
        else
            append_latin(culture, word.stem, s, name->latin[s]);
        append_latin(culture, word.ending, s, name->latin[s]);
    }
}

static void begin(struct gen_name *name)
{
    name->native[0] = name->latin[0][0] = name->latin[1][0] = '\0';
}

void gen_family_spell(const struct gen_culture *culture, uint32_t family, bool female, struct gen_name *out_name)
{
    begin(out_name);
    if (family < culture->families.count) {
        append_word(culture, culture->families.at[family], female, out_name);
        return;
    }
    uint64_t all = 1;
    for (unsigned part = 0; part < GEN_FAMILY_PARTS; part++)
        all *= culture->family_parts[part].count ? culture->family_parts[part].count : 1;
    /* a large prime scatters neighbours, so that names of like rank do not look alike */
    uint64_t number = (uint64_t)(family - culture->families.count) * 2654435761u % all;
    for (unsigned part = 0; part < GEN_FAMILY_PARTS && culture->family_parts[part].count > 0; part++) {
        struct gen_words words = culture->family_parts[part];
        append_word(culture, words.at[number % words.count], female, out_name);
        number /= words.count;
    }
}

void gen_given_spell(const struct gen_culture *culture, uint32_t given, bool female, struct gen_name *out_name)
{
    struct gen_words words = female ? culture->women : culture->men, heads = culture->given_heads;
    struct gen_words tails = female ? culture->women_tails : culture->men_tails;
    begin(out_name);
    if (given < words.count) {
        append_word(culture, words.at[given], female, out_name);
        return;
    }
    uint32_t number = given - words.count;
    append_word(culture, heads.at[number % heads.count], female, out_name);
    append_word(culture, tails.at[number / heads.count % tails.count], female, out_name);
}
