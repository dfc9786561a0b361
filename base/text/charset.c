/* Table 0211: one row per set; ICU maps all but ASCII, UTF-8 and JIS X 0201. */
#include "base/text/charset.h"

#include "base/mem.h"

#include <pthread.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ucnv_err.h>

enum { ESC = 0x1b, PIECE = 512 };

struct charset_row {
    const char *hl7_name;
    const char *alias; /* written by real senders, not in the table */
    const char *icu_name;
    const char *iso2022; /* what follows ESC */
    enum charset_shape shape;
    bool one_byte;
};

static const struct charset_row rows[CHARSET_COUNT] = {
    [CHARSET_NONE] = {"", NULL, NULL, "", CHARSET_SHAPE_PLAIN, false},
    [CHARSET_ASCII] = {"ASCII", "US-ASCII", NULL, "(B", CHARSET_SHAPE_PLAIN, false},
    [CHARSET_UTF8] = {"UNICODE UTF-8", "UTF-8", NULL, "", CHARSET_SHAPE_PLAIN, false},
    [CHARSET_8859_1] = {"8859/1", "ISO-8859-1", "ISO-8859-1", "-A", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_2] = {"8859/2", "ISO-8859-2", "ISO-8859-2", "-B", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_3] = {"8859/3", "ISO-8859-3", "ISO-8859-3", "-C", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_4] = {"8859/4", "ISO-8859-4", "ISO-8859-4", "-D", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_5] = {"8859/5", "ISO-8859-5", "ISO-8859-5", "-L", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_6] = {"8859/6", "ISO-8859-6", "ISO-8859-6", "-G", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_7] = {"8859/7", "ISO-8859-7", "ISO-8859-7", "-F", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_8] = {"8859/8", "ISO-8859-8", "ISO-8859-8", "-H", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_9] = {"8859/9", "ISO-8859-9", "ISO-8859-9", "-M", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_8859_15] = {"8859/15", "ISO-8859-15", "ISO-8859-15", "-b", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_JIS_X0201] = {"ISO IR14", NULL, NULL, "(J", CHARSET_SHAPE_PLAIN, true},
    [CHARSET_JIS_X0208] = {"ISO IR87", NULL, "ISO-2022-JP-2", "$B", CHARSET_SHAPE_DOUBLE, false},
    [CHARSET_JIS_X0212] = {"ISO IR159", NULL, "ISO-2022-JP-2", "$(D", CHARSET_SHAPE_DOUBLE, false},
    [CHARSET_GB18030] = {"GB 18030-2000", "GB18030", "gb18030", "", CHARSET_SHAPE_LEAD, false},
    [CHARSET_KS_X1001] = {"KS X 1001", "EUC-KR", "EUC-KR", "$)C", CHARSET_SHAPE_LEAD, false},
    [CHARSET_CNS11643] = {"CNS 11643-1992", NULL, "EUC-TW", "", CHARSET_SHAPE_LEAD, false},
    [CHARSET_BIG5] = {"BIG-5", "BIG5", "Big5", "", CHARSET_SHAPE_LEAD, false},
    [CHARSET_UTF16] = {"UNICODE", "UNICODE UTF-16", "UTF-16", "", CHARSET_SHAPE_WIDE, false},
    [CHARSET_UTF32] = {"UNICODE UTF-32", "UTF-32", "UTF-32", "", CHARSET_SHAPE_WIDE, false},
};

bool charset_from_hl7(struct str name, enum charset *out_set)
{
    static const struct {
        const char *name;
        enum charset set;
    } more[] = {{"ISO IR6", CHARSET_ASCII}, {"UTF8", CHARSET_UTF8}, {"UTF-16", CHARSET_UTF16}};
    name = str_trim(name);
    if (name.len == 0)
        return false;
    for (int set = CHARSET_ASCII; set < CHARSET_COUNT; set++) {
        if (str_eq_nocase(name, str_from(rows[set].hl7_name)) ||
            (rows[set].alias && str_eq_nocase(name, str_from(rows[set].alias)))) {
            *out_set = (enum charset)set;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        if (str_eq_nocase(name, str_from(more[i].name))) {
            *out_set = more[i].set;
            return true;
        }
    }
    return false;
}

const char *charset_hl7_name(enum charset set)
{
    return rows[set].hl7_name;
}

enum charset_shape charset_shape(enum charset set)
{
    return rows[set].shape;
}

size_t charset_step(enum charset set, struct str bytes)
{
    if (bytes.len == 0)
        return 0;
    const uint8_t *at = (const uint8_t *)bytes.data;
    if (rows[set].shape != CHARSET_SHAPE_LEAD || at[0] < 0x81 || at[0] == 0xff || bytes.len < 2)
        return 1;
    if (set == CHARSET_GB18030)
        return at[1] >= 0x30 && at[1] <= 0x39 ? (bytes.len < 4 || at[2] < 0x81 ? 1 : 4) : at[1] >= 0x40 ? 2 : 1;
    if (set == CHARSET_BIG5)
        return at[1] >= 0x40 && at[1] != 0x7f ? 2 : 1;
    return at[1] >= 0xa1 ? 2 : 1; /* EUC: both bytes are high */
}

bool charset_from_iso2022(struct str after_escape, enum charset *out_set)
{
    if (str_starts(after_escape, STR("$@"))) { /* JIS X 0208:1978, read as its successor */
        *out_set = CHARSET_JIS_X0208;
        return true;
    }
    for (int set = CHARSET_ASCII; set < CHARSET_COUNT; set++) {
        struct str tail = str_from(rows[set].iso2022);
        if (tail.len > 0 && str_starts(after_escape, tail)) {
            *out_set = (enum charset)set;
            return true;
        }
    }
    return false;
}

const char *charset_iso2022(enum charset set)
{
    return rows[set].iso2022;
}

/* ---- one-byte sets: a table of code points each, asked from ICU once */

static uint16_t one_byte[CHARSET_COUNT][256]; /* U+FFFD: the set has no such byte */
static pthread_once_t one_byte_once = PTHREAD_ONCE_INIT;

/* [JIS X 0201] katakana above ASCII; ICU builds often lack the set. Its yen sign and overline share their bytes with
 * the escape and repetition delimiters of HL7, so those two are read as ASCII, as Japanese systems show them. */
static void make_jis_x0201(void)
{
    for (int byte = 0; byte < 256; byte++)
        one_byte[CHARSET_JIS_X0201][byte] = byte < 0x80                    ? (uint16_t)byte
                                            : byte >= 0xa1 && byte <= 0xdf ? (uint16_t)(0xff61 + byte - 0xa1)
                                                                           : 0xfffd;
}

static void make_one_byte_tables(void)
{
    make_jis_x0201();
    for (int set = 0; set < CHARSET_COUNT; set++) {
        if (!rows[set].one_byte || set == CHARSET_JIS_X0201)
            continue;
        UErrorCode error = U_ZERO_ERROR;
        UConverter *converter = ucnv_open(rows[set].icu_name, &error);
        if (U_FAILURE(error))
            mem_panic("charset", rows[set].icu_name); /* an ICU without its data files */
        for (int byte = 0; byte < 256; byte++) {
            char source = (char)byte;
            UChar text[4];
            error = U_ZERO_ERROR;
            int32_t len = ucnv_toUChars(converter, text, 4, &source, 1, &error);
            one_byte[set][byte] = U_SUCCESS(error) && len == 1 && (byte < 0x80 || text[0] != 0x1a) ? text[0] : 0xfffd;
            if (byte < 0x20 || byte == 0x7f)
                one_byte[set][byte] = (uint16_t)byte; /* some tables rotate SUB, FS and DEL: IBM habits */
        }
        ucnv_close(converter);
    }
}

static void put_utf8(struct buf *out, uint32_t point)
{
    if (point < 0x80) {
        buf_put_byte(out, (uint8_t)point);
    } else if (point < 0x800) {
        buf_put_byte(out, (uint8_t)(0xc0 | point >> 6));
        buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
    } else { /* one-byte sets and U+FFFD never leave the first plane */
        buf_put_byte(out, (uint8_t)(0xe0 | point >> 12));
        buf_put_byte(out, (uint8_t)(0x80 | (point >> 6 & 0x3f)));
        buf_put_byte(out, (uint8_t)(0x80 | (point & 0x3f)));
    }
}

static size_t one_byte_to_utf8(enum charset set, struct str bytes, struct buf *out)
{
    size_t bad = 0;
    pthread_once(&one_byte_once, make_one_byte_tables);
    for (size_t i = 0; i < bytes.len; i++) {
        uint16_t point = one_byte[set][(uint8_t)bytes.data[i]];
        bad += point == 0xfffd;
        put_utf8(out, point);
    }
    return bad;
}

/* Length of the well-formed UTF-8 character that starts `bytes`, or 0. Source: [Unicode 15 D92]. */
static size_t utf8_step(struct str bytes)
{
    uint8_t lead = (uint8_t)bytes.data[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    return len > 0 && len <= bytes.len && (len == 1 || str_is_utf8(str_sub(bytes, 0, len))) ? len : 0;
}

static size_t repair_utf8(struct str bytes, bool ascii_only, struct buf *out)
{
    size_t bad = 0;
    while (bytes.len > 0) {
        size_t len = utf8_step(bytes);
        if (len == 0 || (ascii_only && len > 1)) {
            bad++;
            put_utf8(out, 0xfffd);
            len = 1;
        } else {
            buf_put(out, bytes.data, len);
        }
        bytes = str_from_at(bytes, len);
    }
    return bad;
}

/* The character that starts well-formed `text`, and its length. */
static uint32_t utf8_point(struct str text, size_t len)
{
    const uint8_t *at = (const uint8_t *)text.data;
    switch (len) {
    case 1:
        return at[0];
    case 2:
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    case 3:
        return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    default:
        return 0x10000; /* beyond every one-byte set */
    }
}

static bool put_one_byte(enum charset set, uint32_t point, struct buf *out)
{
    if (point == 0xfffd)
        return false;
    if (point < 0x80 && one_byte[set][point] == point) {
        buf_put_byte(out, (uint8_t)point);
        return true;
    }
    for (int byte = 0; byte < 256; byte++) {
        if (one_byte[set][byte] == point) {
            buf_put_byte(out, (uint8_t)byte);
            return true;
        }
    }
    return false;
}

static size_t one_byte_from_utf8(enum charset set, struct str utf8, struct buf *out)
{
    size_t bad = 0, len;
    pthread_once(&one_byte_once, make_one_byte_tables);
    for (; utf8.len > 0; utf8 = str_from_at(utf8, len)) {
        len = utf8_step(utf8);
        bad += len == 0 || !put_one_byte(set, utf8_point(utf8, len), out);
        len += len == 0;
    }
    return bad;
}

/* ---- the other sets: ICU converters, opened for the call (they are rare and conversions are short) */

static void U_CALLCONV count_bad_bytes(const void *context, UConverterToUnicodeArgs *args, const char *units,
                                       int32_t length, UConverterCallbackReason why, UErrorCode *error)
{
    static const UChar replacement = 0xfffd;
    (void)units;
    (void)length;
    if (why > UCNV_IRREGULAR)
        return; /* reset, close, clone: nothing was read */
    ++*(size_t *)(uintptr_t)context;
    *error = U_ZERO_ERROR;
    ucnv_cbToUWriteUChars(args, &replacement, 1, 0, error);
}

static void U_CALLCONV count_bad_characters(const void *context, UConverterFromUnicodeArgs *args, const UChar *units,
                                            int32_t length, UChar32 point, UConverterCallbackReason why,
                                            UErrorCode *error)
{
    (void)args;
    (void)units;
    (void)length;
    (void)point;
    if (why > UCNV_IRREGULAR)
        return;
    ++*(size_t *)(uintptr_t)context;
    *error = U_ZERO_ERROR; /* leave the character out: the caller throws the result away */
}

static UConverter *open_converter(const char *icu_name)
{
    UErrorCode error = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(icu_name, &error);
    if (U_FAILURE(error))
        mem_panic("charset", icu_name);
    return converter;
}

static size_t convert_pieces(UConverter *from, UConverter *to, struct str bytes, struct buf *out, const size_t *bad)
{
    UChar pivot[PIECE], *pivot_source = pivot, *pivot_target = pivot;
    const char *source = bytes.data, *end = bytes.data + bytes.len;
    bool reset = true;
    for (;;) {
        char piece[PIECE], *target = piece;
        UErrorCode error = U_ZERO_ERROR;
        ucnv_convertEx(to, from, &target, piece + sizeof piece, &source, end, pivot, &pivot_source, &pivot_target,
                       pivot + PIECE, reset, true, &error);
        reset = false;
        buf_put(out, piece, (size_t)(target - piece));
        if (error != U_BUFFER_OVERFLOW_ERROR)
            return *bad + (U_FAILURE(error) ? 1 : 0);
    }
}

static size_t icu_to_utf8(enum charset set, struct str bytes, struct buf *out)
{
    size_t bad = 0;
    UErrorCode error = U_ZERO_ERROR;
    UConverter *from = open_converter(rows[set].icu_name), *to = open_converter("UTF-8");
    ucnv_setToUCallBack(from, count_bad_bytes, &bad, NULL, NULL, &error);

    struct buf shifted = {0}; /* the 7-bit double byte sets exist in ICU only behind their escape */
    if (rows[set].shape == CHARSET_SHAPE_DOUBLE) {
        buf_put_byte(&shifted, ESC);
        buf_put_str(&shifted, str_from(rows[set].iso2022));
        buf_put_str(&shifted, bytes);
        bytes = buf_str(&shifted);
    }
    convert_pieces(from, to, bytes, out, &bad);
    buf_fini(&shifted);
    ucnv_close(from);
    ucnv_close(to);
    return bad;
}

/* The bytes of a double byte set without the escapes that ICU writes around them; anything else left over is a
 * character that only another set has. */
static size_t strip_shifts(enum charset set, struct str shifted, struct buf *out)
{
    struct str begin = str_from(rows[set].iso2022);
    size_t bad = 0;
    bool inside = false;
    for (size_t i = 0; i < shifted.len; i++) {
        if (shifted.data[i] == ESC) {
            struct str tail = str_from_at(shifted, i + 1);
            inside = str_starts(tail, begin);
            i += inside ? begin.len : str_starts(tail, STR("$(")) || str_starts(tail, STR("$)")) ? 3 : 2;
        } else if (inside) {
            buf_put_byte(out, (uint8_t)shifted.data[i]);
        } else {
            bad++;
        }
    }
    return bad;
}

static size_t icu_from_utf8(enum charset set, struct str utf8, struct buf *out)
{
    size_t bad = 0;
    UErrorCode error = U_ZERO_ERROR;
    UConverter *from = open_converter("UTF-8"), *to = open_converter(rows[set].icu_name);
    ucnv_setToUCallBack(from, count_bad_bytes, &bad, NULL, NULL, &error);
    ucnv_setFromUCallBack(to, count_bad_characters, &bad, NULL, NULL, &error);
    if (rows[set].shape == CHARSET_SHAPE_DOUBLE) {
        struct buf shifted = {0};
        convert_pieces(from, to, utf8, &shifted, &bad);
        bad += strip_shifts(set, buf_str(&shifted), out);
        buf_fini(&shifted);
    } else {
        convert_pieces(from, to, utf8, out, &bad);
    }
    ucnv_close(from);
    ucnv_close(to);
    return bad;
}

static bool is_ascii(struct str bytes)
{
    uint8_t all = 0;
    for (size_t i = 0; i < bytes.len; i++)
        all |= (uint8_t)bytes.data[i];
    return all < 0x80;
}

bool charset_fits(enum charset set, struct str bytes)
{
    if (set == CHARSET_ASCII)
        return is_ascii(bytes);
    if (set == CHARSET_NONE || set == CHARSET_UTF8)
        return str_is_utf8(bytes);
    if (rows[set].one_byte) {
        pthread_once(&one_byte_once, make_one_byte_tables);
        for (size_t i = 0; i < bytes.len; i++)
            if (one_byte[set][(uint8_t)bytes.data[i]] == 0xfffd)
                return false;
        return true;
    }
    struct buf text = {0};
    size_t bad = icu_to_utf8(set, bytes, &text);
    buf_fini(&text);
    return bad == 0;
}

size_t charset_to_utf8(enum charset set, struct str bytes, struct buf *out)
{
    if (set == CHARSET_ASCII)
        return repair_utf8(bytes, true, out);
    if (set == CHARSET_NONE || set == CHARSET_UTF8)
        return repair_utf8(bytes, false, out);
    if (rows[set].one_byte)
        return one_byte_to_utf8(set, bytes, out);
    return icu_to_utf8(set, bytes, out);
}

size_t charset_from_utf8(enum charset set, struct str utf8, struct buf *out)
{
    size_t before = out->len, bad = 0;
    if (set == CHARSET_NONE || set == CHARSET_UTF8 || set == CHARSET_ASCII) {
        bad = repair_utf8(utf8, set == CHARSET_ASCII, out);
    } else if (rows[set].one_byte) {
        bad = one_byte_from_utf8(set, utf8, out);
    } else {
        bad = icu_from_utf8(set, utf8, out);
    }
    if (bad > 0)
        out->len = before;
    return bad;
}
