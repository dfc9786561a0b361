/* Mistakes of hands, ears and scanners, and the letters that old systems know. */
#include "gen_internal.h"

#include "dice_internal.h"

/* ---- in one word ---- */

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

static bool replace_first(char text[GEN_TEXT_MAX], const char *from, const char *to)
{
    char *at = strstr(text, from), tail[GEN_TEXT_MAX] = "";
    if (!at || strlen(text) + strlen(to) >= GEN_TEXT_MAX)
        return false;
    gen_append(tail, sizeof tail, str_from(at + strlen(from)));
    *at = '\0';
    gen_append(text, GEN_TEXT_MAX, str_from(to));
    gen_append(text, GEN_TEXT_MAX, str_from(tail));
    return true;
}

/* The first pair from a random one on that the text has. */
static bool replace_some(char text[GEN_TEXT_MAX], const char *const pairs[][2], size_t count, uint64_t dice)
{
    size_t start = gen_part(dice, 1, (uint32_t)count);
    for (size_t i = 0; i < count; i++)
        if (replace_first(text, pairs[(start + i) % count][0], pairs[(start + i) % count][1]))
            return true;
    return false;
}

/* As a scanner reads it. */
static bool misread(char text[GEN_TEXT_MAX], uint64_t dice)
{
    static const char *const pairs[][2] = {{"rn", "m"}, {"m", "rn"}, {"l", "1"},  {"O", "0"}, {"cl", "d"}, {"vv", "w"},
                                           {"h", "b"},  {"e", "c"},  {"ri", "n"}, {"g", "q"}, {"S", "5"},  {"B", "8"}};
    return replace_some(text, pairs, sizeof pairs / sizeof pairs[0], dice);
}

/* As an ear hears it. */
static bool mishear(char text[GEN_TEXT_MAX], uint64_t dice)
{
    static const char *const pairs[][2] = {
        {"ph", "f"}, {"ck", "k"}, {"sch", "sh"}, {"ll", "l"}, {"nn", "n"}, {"tt", "t"}, {"ss", "s"},
        {"th", "t"}, {"z", "s"},  {"ei", "ai"},  {"ie", "y"}, {"y", "i"},  {"v", "w"},  {"ou", "u"},
        {"c", "k"},  {"ee", "i"}, {"au", "o"},   {"d", "t"},  {"в", "ф"},  {"о", "а"},  {"и", "е"}};
    return replace_some(text, pairs, sizeof pairs / sizeof pairs[0], dice);
}

/* At the keyboard; leaves texts under three letters alone. */
static bool mistype(char text[GEN_TEXT_MAX], uint64_t dice)
{
    uint8_t starts[LETTERS_MAX + 1];
    size_t count = letters_of(text, starts);
    if (count < 3)
        return false;
    size_t at = 1 + gen_part(dice, 2, (uint32_t)(count - 2)); /* the first letter is rarely wrong */
    char old[GEN_TEXT_MAX];
    memcpy(old, text, sizeof old);
    struct str here = {old + starts[at], (size_t)(starts[at + 1] - starts[at])};
    struct str next = {old + starts[at + 1], (size_t)(starts[at + 2] - starts[at + 1])};
    struct str tail = str_from(next.data + next.len);
    char key[1] = {here.len == 1 ? beside_on_keyboard(here.data[0], dice >> 40) : 0};
    const struct str typed[][4] = {
        {next, here, tail},                   /* two letters change places */
        {next, tail},                         /* one is left out */
        {here, here, next, tail},             /* one comes twice */
        {str_make(key, 1), next, tail},       /* the key beside */
        {here, str_make(key, 1), next, tail}, /* both at once */
    };
    uint32_t kind = gen_part(dice, 3, key[0] ? 5 : 3);
    text[starts[at]] = '\0';
    for (size_t i = 0; i < 4; i++)
        gen_append(text, GEN_TEXT_MAX, typed[kind][i]);
    return strcmp(text, old) != 0;
}

static bool misspell(char text[GEN_TEXT_MAX], uint64_t dice)
{
    return gen_chance(dice, 4, 20) ? misread(text, dice) : mistype(text, dice);
}

/* Another digit at one place of a number. */
static bool change_digit(char *text, uint64_t dice)
{
    size_t len = strlen(text), start = len > 0 ? gen_part(dice, 1, (uint32_t)len) : 0;
    for (size_t i = 0; i < len; i++) {
        char *at = &text[(start + i) % len];
        if (*at < '0' || *at > '9')
            continue;
        *at = (char)('0' + (*at - '0' + 1 + (int)gen_part(dice, 2, 9)) % 10);
        return true;
    }
    return false;
}

/* Two digits beside each other change places. */
static bool transpose_digits(char *text, uint64_t dice)
{
    size_t len = strlen(text), start = len > 1 ? gen_part(dice, 1, (uint32_t)len - 1) : 0;
    for (size_t i = 0; i + 1 < len; i++) {
        char *at = &text[(start + i) % (len - 1)], left = at[0];
        if (left < '0' || left > '9' || at[1] < '0' || at[1] > '9' || left == at[1])
            continue;
        at[0] = at[1];
        at[1] = left;
        return true;
    }
    return false;
}

/* ---- in a record ---- */

static bool mistype_given(struct gen_record *record, uint64_t dice)
{
    return misspell(record->given, dice);
}
static bool mistype_family(struct gen_record *record, uint64_t dice)
{
    return misspell(record->family, dice);
}
static bool mishear_given(struct gen_record *record, uint64_t dice)
{
    return mishear(record->given, dice);
}
static bool mishear_family(struct gen_record *record, uint64_t dice)
{
    return mishear(record->family, dice);
}
static bool truncate_family(struct gen_record *record, uint64_t dice)
{
    uint8_t starts[LETTERS_MAX + 1];
    size_t keep = 7 + gen_part(dice, 1, 3);
    if (letters_of(record->family, starts) <= keep)
        return false;
    record->family[starts[keep]] = '\0';
    return true;
}
static bool swap_names(struct gen_record *record, uint64_t dice)
{
    (void)dice;
    char given[GEN_TEXT_MAX];
    memcpy(given, record->given, sizeof given);
    memcpy(record->given, record->family, sizeof given);
    memcpy(record->family, given, sizeof given);
    return true;
}
static bool use_middle_name(struct gen_record *record, uint64_t dice)
{
    (void)dice;
    if (strlen(record->middle) < 3)
        return false;
    memcpy(record->given, record->middle, GEN_TEXT_MAX);
    record->middle[0] = '\0';
    return true;
}

/* A day that does not exist is seen at once: such a mistake does not stay. */
static bool set_birth_date(struct gen_record *record, struct date date)
{
    if (record->birth_date.day == 0 || !date_is_valid(date) || date.year > 2026 || date.year < 1900)
        return false;
    record->birth_date = date;
    return true;
}
static bool swap_day_and_month(struct gen_record *record, uint64_t dice)
{
    (void)dice;
    struct date date = record->birth_date;
    return date.day != date.month && set_birth_date(record, (struct date){date.year, date.day, date.month});
}
static bool change_day(struct gen_record *record, uint64_t dice)
{
    static const int8_t steps[] = {1, -1, 10, -10, 2, -2, 20, 7}; /* one digit is another */
    struct date date = record->birth_date;
    date.day = (uint8_t)(date.day + steps[gen_part(dice, 1, sizeof steps)]);
    return set_birth_date(record, date);
}
static bool change_month(struct gen_record *record, uint64_t dice)
{
    struct date date = record->birth_date;
    date.month = (uint8_t)(date.month + (gen_chance(dice, 1, 50) ? 1 : -1));
    return set_birth_date(record, date);
}
static bool change_year(struct gen_record *record, uint64_t dice)
{
    static const int8_t steps[] = {1, -1, 1, -1, 10, -10, 9, -9}; /* beside it, or another decade, or 65 for 56 */
    struct date date = record->birth_date;
    date.year = (uint16_t)(date.year + steps[gen_part(dice, 1, sizeof steps)]);
    return set_birth_date(record, date);
}
static bool forget_day(struct gen_record *record, uint64_t dice)
{
    (void)dice;
    bool known = record->birth_date.day != 0;
    record->birth_date.day = 0;
    return known;
}
static bool flip_sex(struct gen_record *record, uint64_t dice)
{
    (void)dice;
    record->sex = record->sex == 'F' ? 'M' : 'F';
    return true;
}
static bool change_phone(struct gen_record *record, uint64_t dice)
{
    return gen_chance(dice, 8, 50) ? transpose_digits(record->phone, dice) : change_digit(record->phone, dice);
}
static bool change_postcode(struct gen_record *record, uint64_t dice)
{
    return gen_chance(dice, 8, 50) ? transpose_digits(record->postcode, dice) : change_digit(record->postcode, dice);
}
static bool change_line(struct gen_record *record, uint64_t dice)
{
    return gen_chance(dice, 8, 50) ? change_digit(record->line, dice) : misspell(record->line, dice);
}
static bool change_national_id(struct gen_record *record, uint64_t dice)
{
    return gen_chance(dice, 8, 50) ? transpose_digits(record->national_id, dice)
                                   : change_digit(record->national_id, dice);
}

static const struct mistake_row {
    uint8_t weight;
    bool (*make)(struct gen_record *record, uint64_t dice);
} mistakes[] = {{20, mistype_given},    {19, mistype_family},    {4, mishear_given},   {5, mishear_family},
                {2, truncate_family},   {9, swap_day_and_month}, {5, change_day},      {3, change_month},
                {7, change_year},       {5, swap_names},         {4, forget_day},      {5, flip_sex},
                {2, use_middle_name},   {3, change_phone},       {2, change_postcode}, {3, change_line},
                {2, change_national_id}};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0], MISTAKE_WEIGHTS = 100 };

void gen_spoil(struct gen_record *record, uint64_t dice)
{
    uint32_t first = 0;
    for (uint32_t roll = gen_part(dice, 9, MISTAKE_WEIGHTS); roll >= mistakes[first].weight; first++)
        roll -= mistakes[first].weight;
    /* what does not fit this record gives way to the next kind that does */
    for (uint32_t i = 0; i < MISTAKES; i++)
        if (mistakes[(first + i) % MISTAKES].make(record, dice))
            return;
}

/* ---- what old systems know ---- */

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

void gen_to_capitals(char *text)
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
