/*
 * Latin letters for other letters, one by one, by two customs: passports and libraries do not agree.
 * Source: ICAO Doc 9303-3 (custom 0) and BGN/PCGN (custom 1), simplified.
 */
#include "names_internal.h"

#include <string.h>

struct letter {
    uint16_t code;
    const char *latin[GEN_SPELLINGS];
};

static const struct letter marked[] = {
    {0xC0, {"A", "A"}},
    {0xC1, {"A", "A"}},
    {0xC2, {"A", "A"}},
    {0xC4, {"A", "A"}},
    {0xC5, {"Aa", "A"}},
    {0xC6, {"Ae", "Ae"}},
    {0xC7, {"C", "C"}},
    {0xC8, {"E", "E"}},
    {0xC9, {"E", "E"}},
    {0xCD, {"I", "I"}},
    {0xD1, {"N", "N"}},
    {0xD3, {"O", "O"}},
    {0xD6, {"O", "O"}},
    {0xD8, {"Oe", "O"}},
    {0xDA, {"U", "U"}},
    {0xDC, {"U", "U"}},
    {0xDF, {"ss", "ss"}},
    {0xE0, {"a", "a"}},
    {0xE1, {"a", "a"}},
    {0xE2, {"a", "a"}},
    {0xE3, {"a", "a"}},
    {0xE4, {"a", "a"}},
    {0xE5, {"aa", "a"}},
    {0xE6, {"ae", "ae"}},
    {0xE7, {"c", "c"}},
    {0xE8, {"e", "e"}},
    {0xE9, {"e", "e"}},
    {0xEA, {"e", "e"}},
    {0xEB, {"e", "e"}},
    {0xEC, {"i", "i"}},
    {0xED, {"i", "i"}},
    {0xEE, {"i", "i"}},
    {0xEF, {"i", "i"}},
    {0xF1, {"n", "n"}},
    {0xF2, {"o", "o"}},
    {0xF3, {"o", "o"}},
    {0xF4, {"o", "o"}},
    {0xF5, {"o", "o"}},
    {0xF6, {"o", "o"}},
    {0xF8, {"oe", "o"}},
    {0xF9, {"u", "u"}},
    {0xFA, {"u", "u"}},
    {0xFB, {"u", "u"}},
    {0xFC, {"u", "u"}},
    {0xFD, {"y", "y"}},
    {0x105, {"a", "a"}},
    {0x107, {"c", "c"}},
    {0x10C, {"C", "C"}},
    {0x10D, {"c", "c"}},
    {0x119, {"e", "e"}},
    {0x11B, {"e", "e"}},
    {0x11F, {"g", "g"}},
    {0x130, {"I", "I"}},
    {0x131, {"i", "i"}},
    {0x141, {"L", "L"}},
    {0x142, {"l", "l"}},
    {0x144, {"n", "n"}},
    {0x148, {"n", "n"}},
    {0x159, {"r", "r"}},
    {0x15A, {"S", "S"}},
    {0x15B, {"s", "s"}},
    {0x15E, {"S", "S"}},
    {0x15F, {"s", "s"}},
    {0x160, {"S", "S"}},
    {0x161, {"s", "s"}},
    {0x16F, {"u", "u"}},
    {0x17A, {"z", "z"}},
    {0x17B, {"Z", "Z"}},
    {0x17C, {"z", "z"}},
    {0x17D, {"Z", "Z"}},
    {0x17E, {"z", "z"}},
    /* Greek with accent, small and at the beginning */
    {0x386, {"A", "A"}},
    {0x388, {"E", "E"}},
    {0x389, {"I", "I"}},
    {0x38A, {"I", "I"}},
    {0x38C, {"O", "O"}},
    {0x3AC, {"a", "a"}},
    {0x3AD, {"e", "e"}},
    {0x3AE, {"i", "i"}},
    {0x3AF, {"i", "i"}},
    {0x3CC, {"o", "o"}},
    {0x3CD, {"y", "i"}},
    {0x3CE, {"o", "o"}},
    {0x3CA, {"i", "i"}},
    {0x451, {"e", "yo"}},
};

/* U+0391 .. U+03A9 and, 32 further on, the small ones */
enum { GREEK_FIRST = 0x391, GREEK_SMALL = 0x3B1, GREEK_END = 0x3CA, CYRILLIC_FIRST = 0x410, CYRILLIC_SMALL = 0x430 };
static const char *const greek[25][GEN_SPELLINGS] = {
    {"a", "a"}, {"v", "v"}, {"g", "g"}, {"d", "d"},  {"e", "e"},  {"z", "z"},   {"i", "i"}, {"th", "th"}, {"i", "i"},
    {"k", "k"}, {"l", "l"}, {"m", "m"}, {"n", "n"},  {"x", "x"},  {"o", "o"},   {"p", "p"}, {"r", "r"},   {"s", "s"},
    {"s", "s"}, {"t", "t"}, {"y", "i"}, {"f", "ph"}, {"ch", "h"}, {"ps", "ps"}, {"o", "o"}};
enum { CYRILLIC_END = 0x450 };
static const char *const cyrillic[32][GEN_SPELLINGS] = {
    {"a", "a"},   {"b", "b"},       {"v", "v"}, {"g", "g"}, {"d", "d"}, {"e", "e"},  {"zh", "zh"}, {"z", "z"},
    {"i", "i"},   {"i", "y"},       {"k", "k"}, {"l", "l"}, {"m", "m"}, {"n", "n"},  {"o", "o"},   {"p", "p"},
    {"r", "r"},   {"s", "s"},       {"t", "t"}, {"u", "u"}, {"f", "f"}, {"kh", "h"}, {"ts", "ts"}, {"ch", "ch"},
    {"sh", "sh"}, {"shch", "shch"}, {"ie", ""}, {"y", "y"}, {"", ""},   {"e", "e"},  {"iu", "yu"}, {"ia", "ya"}};

static const char *latin_of(uint32_t code, unsigned spelling)
{
    for (size_t i = 0; i < sizeof marked / sizeof marked[0]; i++)
        if (marked[i].code == code)
            return marked[i].latin[spelling];
    return "";
}

/* A table of small letters serves the capitals too. */
static void append_letter(const char *latin, bool capital, char out[GEN_NAME_MAX])
{
    char letter[8] = "";
    gen_append(letter, sizeof letter, str_from(latin));
    if (capital && letter[0] >= 'a')
        letter[0] = (char)(letter[0] - 32);
    gen_append(out, GEN_NAME_MAX, str_from(letter));
}

static bool append_umlaut(uint32_t code, char out[GEN_NAME_MAX])
{
    static const struct letter umlauts[] = {{0xC4, {"Ae", ""}}, {0xD6, {"Oe", ""}}, {0xDC, {"Ue", ""}},
                                            {0xE4, {"ae", ""}}, {0xF6, {"oe", ""}}, {0xFC, {"ue", ""}}};
    for (size_t i = 0; i < sizeof umlauts / sizeof umlauts[0]; i++)
        if (umlauts[i].code == code) {
            gen_append(out, GEN_NAME_MAX, str_from(umlauts[i].latin[0]));
            return true;
        }
    return false;
}

void gen_romanise(const char *native, unsigned spelling, bool german_umlauts, char out[GEN_NAME_MAX])
{
    uint32_t before = 0;
    out[0] = '\0';
    for (const uint8_t *at = (const uint8_t *)native; *at;) {
        uint32_t code = *at++;
        if (code < 0x80) {
            gen_append(out, GEN_NAME_MAX, str_make(at - 1, 1));
            continue;
        }
        code &= code < 0xE0 ? 0x1F : code < 0xF0 ? 0x0F : 0x07;
        while ((*at & 0xC0) == 0x80)
            code = code << 6 | (*at++ & 0x3F);
        bool follows_o = before == 0x3BF || before == 0x39F;
        before = code;
        if (follows_o && (code == 0x3C5 || code == 0x3CD)) /* Greek "ου" is one sound */
            gen_append(out, GEN_NAME_MAX, STR("u"));
        else if (code >= CYRILLIC_FIRST && code < CYRILLIC_END)
            append_letter(cyrillic[(code - CYRILLIC_FIRST) % 32][spelling], code < CYRILLIC_SMALL, out);
        else if (code >= GREEK_FIRST && code < GREEK_END && (code < 0x3AA || code >= GREEK_SMALL))
            append_letter(greek[(code - GREEK_FIRST) % 32][spelling], code < GREEK_SMALL, out);
        else if (!(german_umlauts && spelling == 0 && append_umlaut(code, out)))
            gen_append(out, GEN_NAME_MAX, str_from(latin_of(code, spelling)));
    }
}
