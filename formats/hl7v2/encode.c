/* UTF-8 to raw: the other direction of text.c. */
#include "hl7v2/text.h"
#include "index_internal.h"

struct encoder {
    const struct hl7_index *index;
    struct buf *out;
    enum charset base, shifted;
    size_t lost; /* characters no declared set has */
    bool cannot_escape;
};

static void shift_to(struct encoder *e, enum charset set)
{
    if (e->shifted == set)
        return;
    buf_put_byte(e->out, HL7_ESC);
    buf_put_str(e->out, str_from(charset_iso2022(set)));
    e->shifted = set;
}

static void encode_shifted(struct encoder *e, struct str character)
{
    for (uint32_t i = 0; i < e->index->charset_count; i++) {
        enum charset set = i == 0 ? e->base : e->index->charsets[i];
        size_t before = e->out->len;
        enum charset shifted = e->shifted;
        if (charset_iso2022(set)[0] == 0)
            continue;
        shift_to(e, set);
        if (charset_from_utf8(set, character, e->out) == 0)
            return;
        e->out->len = before;
        e->shifted = shifted;
    }
    e->lost++;
}

/* Text without delimiters and control bytes. */
static void encode_plain(struct encoder *e, struct str text)
{
    if (text.len == 0)
        return;
    if (e->shifted == e->base) {
        size_t lost = charset_from_utf8(e->base, text, e->out);
        if (lost == 0)
            return;
        if (!e->index->shifts || !str_is_utf8(text)) {
            e->lost += lost;
            return;
        }
    }
    for (size_t at = 0, len; at < text.len; at += len) {
        for (len = 1; at + len < text.len && ((uint8_t)text.data[at + len] & 0xc0) == 0x80; len++)
            ;
        encode_shifted(e, str_sub(text, at, len));
    }
}

/* The body of the escape for a byte that must not stand raw, or NULL. `hex` has room for it. */
static const char *escape_body(const struct hl7_delimiters *delimiters, char byte, char hex[4])
{
    static const char digits[] = "0123456789ABCDEF";
    if (byte == '\n')
        return ".br"; /* [HL7 2.5.1 2.7.6] */
    if ((uint8_t)byte < 0x20 && byte != '\t') {
        hex[0] = 'X';
        hex[1] = digits[(uint8_t)byte >> 4];
        hex[2] = digits[byte & 15];
        hex[3] = 0;
        return hex;
    }
    return byte == 0                          ? NULL
           : byte == delimiters->field        ? "F"
           : byte == delimiters->component    ? "S"
           : byte == delimiters->subcomponent ? "T"
           : byte == delimiters->repetition   ? "R"
           : byte == delimiters->escape       ? "E"
           : byte == delimiters->truncation   ? "P"
                                              : NULL;
}

static void encode_escape(struct encoder *e, const char *body)
{
    char escape = e->index->delimiters.escape;
    e->cannot_escape |= escape == 0;
    shift_to(e, e->base);
    buf_put_byte(e->out, (uint8_t)escape);
    buf_put_str(e->out, str_from(body));
    buf_put_byte(e->out, (uint8_t)escape);
}

status hl7_text_encode(const struct hl7_index *index, struct ctx *cx, struct str utf8, struct buf *out)
{
    size_t before = out->len, plain_from = 0;
    enum charset base = hl7_base_charset(index);
    struct encoder e = {.index = index, .out = out, .base = base, .shifted = base};
    for (size_t at = 0; at < utf8.len; at++) {
        char hex[4];
        const char *body = escape_body(&index->delimiters, utf8.data[at], hex);
        if (body == NULL)
            continue;
        encode_plain(&e, str_sub(utf8, plain_from, at - plain_from));
        encode_escape(&e, body);
        plain_from = at + 1;
    }
    encode_plain(&e, str_from_at(utf8, plain_from));
    shift_to(&e, e.base);
    if (e.lost == 0 && !e.cannot_escape)
        return STATUS_OK;
    out->len = before;
    if (e.cannot_escape)
        return ctx_fail(cx, &hl7_reasons[HL7_CANNOT_ENCODE], "no escape character in MSH-2");
    return ctx_fail(cx, &hl7_reasons[HL7_CANNOT_ENCODE], "%zu characters not in %s", e.lost, charset_hl7_name(base));
}
