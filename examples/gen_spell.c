/* Errors of hands and scanners, and the letters that old systems know. */
#include "gen_internal.h"

#include <stdio.h>

enum { LETTERS_MAX = GEN_TEXT_MAX };

/* Start of every UTF-8 character; answers how many. */
static size_t letters_of(const char *text, uint8_t starts[LETTERS_MAX + 1])
{
    size_t count = 0, len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if (((uint8_t)text[i] & 0xC0) != 0x80)
            starts[count++] = (uint8_t)i;
    starts[count] = (uint8_t)len;
    return count;
}

static char beside_on_keyboard(char letter, uint64_t dice)
{
    static const char rows[] = "qwertyuiop asdfghjkl zxcvbnm ";
    char small = letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : letter;
    const char *at = strchr(rows, small);
    if (!at || small < 'a' || small > 'z')
        return letter;
    char near = at > rows && dice % 2 && at[-1] != ' ' ? at[-1] : at[1] != ' ' ? at[1] : at[-1];
    return small == letter ? near : (char)(near - 32);
}

static bool misread(char text[GEN_TEXT_MAX])
{
    static const char *const pairs[][2] = {{"rn", "m"}, {"m", "rn"}, {"l", "1"}, {"O", "0"},
                                           {"cl", "d"}, {"vv", "w"}, {"h", "b"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *at = strstr(text + 1, pairs[i][0]);
        if (!at || strlen(text) + 2 >= GEN_TEXT_MAX)
            continue;
        char tail[GEN_TEXT_MAX];
        snprintf(tail, sizeof tail, "%s", at + strlen(pairs[i][0]));
        snprintf(at, (size_t)(GEN_TEXT_MAX - (at - text)), "%s%s", pairs[i][1], tail);
        return true;
    }
    return false;
}

void gen_misspell(char text[GEN_TEXT_MAX], uint64_t dice)
{
    uint8_t starts[LETTERS_MAX + 1];
    size_t count = letters_of(text, starts);
    if (count < 3)
        return;
    if (gen_part(dice, 1, 5) == 0 && misread(text))
        return;
    size_t at = 1 + gen_part(dice, 2, (uint32_t)(count - 2)); /* the first letter is rarely wrong */
    char old[GEN_TEXT_MAX];
    snprintf(old, sizeof old, "%s", text);
    struct str head = {old, starts[at]}, here = {old + starts[at], (size_t)(starts[at + 1] - starts[at])};
    struct str next = {old + starts[at + 1], at + 2 <= count ? (size_t)(starts[at + 2] - starts[at + 1]) : 0};
    const char *tail = old + starts[at + 1] + next.len;
    switch (gen_part(dice, 3, 4)) {
    case 0: /* two letters change places */
        snprintf(text, GEN_TEXT_MAX, "%.*s%.*s%.*s%s", STR_ARGS(head), STR_ARGS(next), STR_ARGS(here), tail);
        break;
    case 1: /* one is left out */
        snprintf(text, GEN_TEXT_MAX, "%.*s%.*s%s", STR_ARGS(head), STR_ARGS(next), tail);
        break;
    case 2: /* one comes twice */
        snprintf(text, GEN_TEXT_MAX, "%.*s%.*s%.*s%.*s%s", STR_ARGS(head), STR_ARGS(here), STR_ARGS(here),
                 STR_ARGS(next), tail);
        break;
    default:
        if (here.len == 1)
            text[starts[at]] = beside_on_keyboard(here.data[0], dice >> 40);
        break;
    }
}

bool gen_fits_latin1(const char *utf8)
{
    for (const uint8_t *at = (const uint8_t *)utf8; *at; at++)
        if (*at >= 0xC4)
            return false; /* 0xC2 and 0xC3 lead U+0080..U+00FF */
    return true;
}

void gen_put_latin1(struct buf *out, struct str utf8)
{
    for (size_t i = 0; i < utf8.len; i++) {
        uint8_t byte = (uint8_t)utf8.data[i];
        if (byte >= 0xC2 && byte <= 0xC3 && i + 1 < utf8.len)
            byte = (uint8_t)((byte & 0x03) << 6 | ((uint8_t)utf8.data[++i] & 0x3F));
        buf_put_byte(out, byte);
    }
}

void gen_to_capitals(char text[GEN_TEXT_MAX])
{
    size_t to = 0;
    for (size_t i = 0; text[i]; i++) {
        char c = text[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '-')
            text[to++] = c;
    }
    text[to] = '\0';
}
