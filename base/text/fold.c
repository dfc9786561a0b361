#include "base/text/fold.h"

#include "base/mem.h"

#include <pthread.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>
#include <unicode/utrans.h>
#include <unicode/uversion.h>

enum { UNITS_MAX = TEXT_FOLD_IN_MAX * 4 };

/* What is written so far; `open` = a blank is owed before the next letter. */
struct sink {
    char *out;
    size_t len, max;
    bool open, joined, full;
};

static void put_bytes(struct sink *sink, const char *bytes, size_t len)
{
    if (sink->full)
        return;
    size_t blank = sink->open && sink->len > 0 && !sink->joined;
    if (sink->len + blank + len > sink->max) {
        sink->full = true; /* never half a character, and nothing behind the cut */
        return;
    }
    if (blank)
        sink->out[sink->len++] = ' ';
    sink->open = false;
    memcpy(sink->out + sink->len, bytes, len);
    sink->len += len;
}

static void put_ascii(struct sink *sink, unsigned char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        byte = (unsigned char)(byte + ('a' - 'A'));
    if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'))
        put_bytes(sink, (const char *)&byte, 1);
    else if (byte != '\'' && byte != '`')
        sink->open = true;
}

/* Latin letters that have no decomposition. NULL when `c` is none of them. */
static const char *latin_spelling(UChar32 c)
{
    switch (c) {
    case 0xDF:
    case 0x1E9E:
        return "ss";
    case 0xC6:
    case 0xE6:
        return "ae";
    case 0x152:
    case 0x153:
        return "oe";
    case 0xD8:
    case 0xF8:
        return "o";
    case 0x141:
    case 0x142:
        return "l";
    case 0xD0:
    case 0xF0:
    case 0x110:
    case 0x111:
        return "d";
    case 0xDE:
    case 0xFE:
        return "th";
    case 0x131:
        return "i";
    case 0x126:
    case 0x127:
        return "h";
    case 0x166:
    case 0x167:
        return "t";
    case 0x18F:
    case 0x259:
        return "a";
    default:
        return NULL;
    }
}

static bool is_joiner(UChar32 c) /* apostrophes of every kind: O’Neil is one word */
{
    return c == 0x2019 || c == 0x2018 || c == 0x02BC || c == 0x02BB || c == 0xB4 || c == 0x02B9 || c == 0x02BA ||
           c == 0x200C || c == 0x200D || c == 0x0640;
}

static void put_character(struct sink *sink, UChar32 c)
{
    if (c < 0x80) {
        put_ascii(sink, (unsigned char)c);
        return;
    }
    if (is_joiner(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK))
        return;
    const char *spelling = latin_spelling(c);
    if (spelling) {
        put_bytes(sink, spelling, strlen(spelling));
        return;
    }
    if (!u_isalnum(c)) {
        sink->open = true;
        return;
    }
    char bytes[U8_MAX_LENGTH];
    int32_t len = 0;
    UChar32 folded = u_foldCase(c, U_FOLD_CASE_DEFAULT);
    U8_APPEND_UNSAFE(bytes, len, folded);
    put_bytes(sink, bytes, (size_t)len);
}

/*
 * Any script to Latin by ICU's rules. One set of rules for the process, behind a lock: a set is not safe to share
 * otherwise, costs 20 ms to open and 140 ms more at the first Chinese name. Behind the same lock a small memory of
 * words: names come again and again, and the rules take 10 to 50 us for each.
 */
enum { KNOWN_UNITS = 24, KNOWN_LATIN_UNITS = 72, KNOWN_WORDS = 2048 };
struct known_word {
    int32_t len, latin_len; /* len 0 = free */
    UChar units[KNOWN_UNITS], latin[KNOWN_LATIN_UNITS];
};
static struct {
    pthread_mutex_t lock;
    bool opened;
    UTransliterator *rules;   /* NULL without ICU's data: letters stay as they are, still comparable with themselves */
    struct known_word *known; /* by hash; the latest wins */
} transliterator = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void open_rules_locked(void)
{
    static const UChar id[] = u"Any-Latin; Latin-ASCII";
    UErrorCode error = U_ZERO_ERROR;
    transliterator.rules = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &error);
    transliterator.known = mem_array(KNOWN_WORDS, sizeof *transliterator.known);
    transliterator.opened = true;
}

/* By the rules; -1 when they cannot. */
static int32_t apply_rules_locked(const UChar *word, int32_t len, UChar latin[UNITS_MAX])
{
    if (transliterator.rules == NULL)
        return -1;
    UErrorCode error = U_ZERO_ERROR;
    u_memcpy(latin, word, len);
    int32_t latin_len = len, limit = len;
    utrans_transUChars(transliterator.rules, latin, &latin_len, UNITS_MAX, 0, &limit, &error);
    return U_FAILURE(error) ? -1 : latin_len;
}

static int32_t transliterate_locked(const UChar *word, int32_t len, UChar latin[UNITS_MAX])
{
    if (len > KNOWN_UNITS)
        return apply_rules_locked(word, len, latin);
    uint64_t hash = str_hash(str_make(word, (size_t)len * sizeof *word));
    struct known_word *known = &transliterator.known[hash % KNOWN_WORDS];
    if (known->len == len && u_memcmp(known->units, word, len) == 0) {
        u_memcpy(latin, known->latin, known->latin_len);
        return known->latin_len;
    }
    int32_t latin_len = apply_rules_locked(word, len, latin);
    if (latin_len >= 0 && latin_len <= KNOWN_LATIN_UNITS) {
        known->len = len;
        known->latin_len = latin_len;
        u_memcpy(known->units, word, len);
        u_memcpy(known->latin, latin, latin_len);
    }
    return latin_len;
}

/* A case-folded word in Latin letters: its length, or -1. */
static int32_t transliterate(const UChar *word, int32_t len, UChar latin[UNITS_MAX])
{
    pthread_mutex_lock(&transliterator.lock);
    if (!transliterator.opened)
        open_rules_locked();
    int32_t latin_len = transliterate_locked(word, len, latin);
    pthread_mutex_unlock(&transliterator.lock);
    return latin_len;
}

static bool needs_transliteration(const UChar *units, int32_t len)
{
    for (int32_t i = 0; i < len;) {
        UChar32 c;
        U16_NEXT(units, i, len, c);
        if (c >= 0x80 && u_isalpha(c) && !(U_GET_GC_MASK(c) & U_GC_M_MASK) && latin_spelling(c) == NULL)
            return true;
    }
    return false;
}

static void put_units(struct sink *sink, const UChar *units, int32_t len)
{
    for (int32_t i = 0; i < len;) {
        UChar32 c;
        U16_NEXT(units, i, len, c);
        put_character(sink, c);
    }
}

/* One blank-free word of the source. ICU writes Han as parted syllables; inside one source word they belong together.
 */
static void put_word(struct sink *sink, const UChar *word, int32_t len)
{
    UErrorCode error = U_ZERO_ERROR;
    UChar units[UNITS_MAX];
    const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&error);
    UChar lower[UNITS_MAX]; /* first of all: some capitals have no rule of their own */
    int32_t lower_len = U_SUCCESS(error) ? u_strFoldCase(lower, UNITS_MAX, word, len, U_FOLD_CASE_DEFAULT, &error) : 0;
    int32_t units_len = U_SUCCESS(error) ? unorm2_normalize(nfkd, lower, lower_len, units, UNITS_MAX, &error) : 0;
    if (U_FAILURE(error)) {
        put_units(sink, word, len);
        return;
    }
    if (!needs_transliteration(units, units_len)) {
        put_units(sink, units, units_len);
        return;
    }
    UChar latin[UNITS_MAX]; /* from the composed form: Hangul and Kana rules expect it */
    int32_t latin_len = transliterate(lower, lower_len, latin);
    if (latin_len < 0) {
        put_units(sink, units, units_len);
        return;
    }
    units_len =
        unorm2_normalize(nfkd, latin, latin_len, units, UNITS_MAX, &error); /* rules leave modifier letters behind */
    if (U_FAILURE(error))
        return;
    for (int32_t i = 0; i < units_len;) {
        UChar32 c;
        U16_NEXT(units, i, units_len, c);
        if (c != ' ')
            put_character(sink, c);
    }
}

static bool is_word_break(UChar32 c)
{
    return c < 0 || u_isUWhiteSpace(c) || c == '-' || c == ',' || c == '.' || c == '/' || c == 0x30FB || c == 0xFF0C;
}

static bool is_ascii(struct str text)
{
    unsigned char bits = 0;
    for (size_t i = 0; i < text.len; i++)
        bits |= (unsigned char)text.data[i];
    return bits < 0x80;
}

/* What put_ascii() does for every byte, in one loop: most text is this. */
static size_t fold_ascii(struct str text, char *out, size_t out_max, bool joined)
{
    size_t len = 0;
    bool open = false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i], folded = (char)(byte | 0x20); /* digits have that bit already */
        if (!(folded >= 'a' && folded <= 'z') && !(byte >= '0' && byte <= '9')) {
            open |= byte != '\'' && byte != '`';
            continue;
        }
        bool blank = open && len > 0 && !joined;
        if (len + blank + 1 > out_max)
            break;
        if (blank)
            out[len++] = ' ';
        open = false;
        out[len++] = folded;
    }
    return len;
}

static size_t fold_any(struct str text, char *out, size_t out_max, bool joined)
{
    struct sink sink = {.out = out, .max = out_max, .joined = joined};
    size_t max = text.len < TEXT_FOLD_IN_MAX ? text.len : TEXT_FOLD_IN_MAX;
    if (is_ascii(str_sub(text, 0, max)))
        return fold_ascii(str_sub(text, 0, max), out, out_max, joined);
    UChar word[TEXT_FOLD_IN_MAX];
    int32_t word_len = 0;
    for (int32_t i = 0; i < (int32_t)max;) {
        UChar32 c;
        U8_NEXT(text.data, i, (int32_t)max, c);
        if (is_word_break(c)) {
            put_word(&sink, word, word_len);
            word_len = 0;
            sink.open = true;
            continue;
        }
        UBool overflow = false;
        U16_APPEND(word, word_len, TEXT_FOLD_IN_MAX, c, overflow);
        if (overflow)
            break; /* cannot be: a character never has more UTF-16 units than UTF-8 bytes */
    }
    put_word(&sink, word, word_len);
    return sink.len;
}

size_t text_fold(struct str text, char *out, size_t out_max)
{
    return fold_any(text, out, out_max, false);
}

size_t text_fold_joined(struct str text, char *out, size_t out_max)
{
    return fold_any(text, out, out_max, true);
}

static char rules_version[U_MAX_VERSION_STRING_LENGTH];

static void read_version(void)
{
    UVersionInfo version;
    u_getVersion(version);
    u_versionToString(version, rules_version);
}

const char *text_rules_version(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_version);
    return rules_version;
}
