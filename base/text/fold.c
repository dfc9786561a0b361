#include "base/text/fold.h"

#include <pthread.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>
#include <unicode/utrans.h>

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

/* One transliterator per thread: they are not safe to share and cost milliseconds to open. */
static pthread_key_t transliterator_key;
static pthread_once_t transliterator_once = PTHREAD_ONCE_INIT;

static void close_transliterator(void *transliterator)
{
    utrans_close(transliterator);
}

static void make_key(void)
{
    (void)pthread_key_create(&transliterator_key, close_transliterator);
}

static UTransliterator *get_transliterator(void)
{
    (void)pthread_once(&transliterator_once, make_key);
    UTransliterator *have = pthread_getspecific(transliterator_key);
    if (have)
        return have;
    UErrorCode error = U_ZERO_ERROR;
    static const UChar id[] = u"Any-Latin; Latin-ASCII";
    have = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &error);
    if (U_FAILURE(error))
        return NULL; /* without ICU's data the letters stay as they are: still comparable with themselves */
    (void)pthread_setspecific(transliterator_key, have);
    return have;
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
    UTransliterator *transliterator = get_transliterator();
    UChar latin[UNITS_MAX]; /* from the composed form: Hangul and Kana rules expect it */
    u_memcpy(latin, lower, lower_len);
    int32_t latin_len = lower_len, limit = lower_len;
    if (transliterator)
        utrans_transUChars(transliterator, latin, &latin_len, UNITS_MAX, 0, &limit, &error);
    if (transliterator == NULL || U_FAILURE(error)) {
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

static size_t fold_any(struct str text, char *out, size_t out_max, bool joined)
{
    struct sink sink = {.out = out, .max = out_max, .joined = joined};
    size_t max = text.len < TEXT_FOLD_IN_MAX ? text.len : TEXT_FOLD_IN_MAX;
    size_t ascii = 0;
    while (ascii < max && (unsigned char)text.data[ascii] < 0x80)
        ascii++;
    if (ascii == max) {
        for (size_t i = 0; i < max && !sink.full; i++)
            put_ascii(&sink, (unsigned char)text.data[i]);
        return sink.len;
    }
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
