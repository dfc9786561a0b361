/* Decoding and encoding of values: escapes ([HL7 2.5.1 2.7]) and character sets, once each. */
#include "hl7v2/text.h"
#include "index_internal.h"

#include "base/mem.h"

enum { SPACES_MAX = 16 };

struct decoder {
    const struct hl7_index *index;
    struct buf *out;
    struct hl7_text_notes *notes;
    size_t raw_from;        /* out->data from here on is still raw, in `set` */
    enum charset base, set; /* of the value; of the raw bytes not yet converted */
    enum charset walked;    /* the set after the raw bytes: shifts move it */
};

static bool is_utf8_kin(const struct decoder *d, enum charset set)
{
    return set == CHARSET_UTF8 || set == CHARSET_NONE ||
           (set == CHARSET_ASCII && d->index->charsets[0] == CHARSET_NONE);
}

/* Turns the raw bytes at the end of `out` into UTF-8. */
static void convert_pending(struct decoder *d)
{
    struct str raw = str_from_at(buf_str(d->out), d->raw_from), run;
    enum charset set;
    if (raw.len > 0 && !(is_utf8_kin(d, d->set) && !d->index->shifts && str_is_utf8(raw))) {
        SCOPED(buf_fini) struct buf copy = {0};
        buf_put_str(&copy, raw);
        d->out->len = d->raw_from;
        raw = buf_str(&copy);
        while (hl7_next_run(d->index, &d->set, &raw, &run, &set))
            d->notes->bad_bytes += (uint32_t)charset_to_utf8(is_utf8_kin(d, set) ? CHARSET_UTF8 : set, run, d->out);
    }
    d->raw_from = d->out->len;
    d->set = d->walked;
}

/* A character of ours, whatever set the value is in. */
static void put_ascii(struct decoder *d, char byte, unsigned times)
{
    convert_pending(d);
    for (unsigned i = 0; i < times; i++)
        buf_put_byte(d->out, (uint8_t)byte);
    d->raw_from = d->out->len;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static bool is_hex_pairs(struct str body)
{
    for (size_t i = 0; i < body.len; i++)
        if (hex_digit(body.data[i]) < 0)
            return false;
    return body.len >= 2 && body.len % 2 == 0;
}

static uint8_t hex_byte(struct str pairs, size_t n)
{
    return (uint8_t)(hex_digit(pairs.data[2 * n]) << 4 | hex_digit(pairs.data[2 * n + 1]));
}

/* [HL7 2.5.1 2.7.5] \Xdd..\: bytes in the message's own set, so that a character may be spread over several escapes. */
static bool decode_hex(struct decoder *d, struct str pairs)
{
    if (!is_hex_pairs(pairs))
        return false;
    for (size_t i = 0; i < pairs.len / 2; i++)
        buf_put_byte(d->out, hex_byte(pairs, i));
    return true;
}

/* [HL7 2.5.1 2.7.2] \Cxxyy\ and \Mxxyyzz\ name the bytes of an ISO 2022 escape. */
static bool decode_switch(struct decoder *d, struct str pairs)
{
    char tail[3];
    enum charset set;
    if (!is_hex_pairs(pairs) || pairs.len / 2 > sizeof tail)
        return false;
    for (size_t i = 0; i < pairs.len / 2; i++)
        tail[i] = (char)hex_byte(pairs, i);
    if (!charset_from_iso2022(str_make(tail, pairs.len / 2), &set))
        return false;
    if (set == CHARSET_ASCII && charset_shape(d->base) == CHARSET_SHAPE_PLAIN)
        set = d->base; /* back: the base set holds ASCII */
    convert_pending(d);
    d->set = d->walked = set;
    return true;
}

static unsigned small_number(struct str digits, unsigned absent)
{
    uint64_t n = absent;
    if (digits.len > 0 && (digits.data[0] == '+' || digits.data[0] == '-'))
        digits = str_from_at(digits, 1);
    if (digits.len > 0 && !str_to_u64(digits, &n))
        n = absent;
    return n > SPACES_MAX ? SPACES_MAX : (unsigned)n;
}

/* [HL7 2.5.1 2.7.6] formatted text. */
static bool decode_format(struct decoder *d, struct str command)
{
    struct str name = str_sub(command, 0, 2), rest = str_from_at(command, 2);
    if ((str_is(name, "br") || str_is(name, "ce")) && rest.len == 0)
        put_ascii(d, '\n', 1);
    else if (str_is(name, "sp"))
        put_ascii(d, '\n', small_number(rest, 1));
    else if (str_is(name, "sk"))
        put_ascii(d, ' ', small_number(rest, 1));
    else if (!str_is(name, "in") && !str_is(name, "ti") && !str_is(name, "fi") && !str_is(name, "nf"))
        return false;
    return true;
}

static bool decode_letter(struct decoder *d, char letter)
{
    const struct hl7_delimiters *delimiters = &d->index->delimiters;
    const struct {
        char letter, byte, recommended;
    } rows[] = {
        {'F', delimiters->field, '|'},      {'S', delimiters->component, '^'}, {'T', delimiters->subcomponent, '&'},
        {'R', delimiters->repetition, '~'}, {'E', delimiters->escape, '\\'},   {'P', delimiters->truncation, 0},
    };
    if (letter == 'H' || letter == 'N') /* highlighting says nothing to a reader of text */
        return true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char byte = rows[i].byte ? rows[i].byte : rows[i].recommended;
        if (rows[i].letter == letter && byte != 0) {
            put_ascii(d, byte, 1);
            return true;
        }
    }
    return false;
}

static bool decode_escape(struct decoder *d, struct str body)
{
    struct str rest = str_from_at(body, 1);
    if (body.len == 0)
        return false;
    switch (body.data[0]) {
    case 'X':
        return decode_hex(d, rest);
    case 'C':
    case 'M':
        return decode_switch(d, rest);
    case '.':
        return decode_format(d, rest);
    default:
        return body.len == 1 && decode_letter(d, body.data[0]);
    }
}

static size_t find_escape(struct decoder *d, struct str rest)
{
    char escape = d->index->delimiters.escape;
    if (escape == 0)
        return rest.len;
    if (charset_shape(d->walked) == CHARSET_SHAPE_DOUBLE && !d->index->stepwise) {
        /* switched to by \M..\: the switch back is an HL7 escape, so one is looked for wherever a character may begin
         */
        size_t at = 0;
        while (at < rest.len && rest.data[at] != escape)
            at += hl7_step(d->index, &d->walked, str_from_at(rest, at));
        return at < rest.len ? at : rest.len;
    }
    if (d->index->stepwise || d->walked != d->base)
        return hl7_find_stepwise(d->index, &d->walked, rest, escape);
    const char *found = memchr(rest.data, escape, rest.len);
    return found ? (size_t)(found - rest.data) : rest.len;
}

void hl7_text_decode(const struct hl7_index *index, struct str raw, struct buf *out, struct hl7_text_notes *notes)
{
    struct hl7_text_notes unread = {0};
    enum charset base = hl7_base_charset(index);
    struct decoder d = {.index = index,
                        .out = out,
                        .notes = notes ? notes : &unread,
                        .raw_from = out->len,
                        .base = base,
                        .set = base,
                        .walked = base};
    while (raw.len > 0) {
        size_t at = find_escape(&d, raw);
        buf_put_str(out, str_sub(raw, 0, at));
        raw = str_from_at(raw, at);
        if (raw.len == 0)
            break;
        const char *close = raw.len > 1 ? memchr(raw.data + 1, index->delimiters.escape, raw.len - 1) : NULL;
        size_t len = close ? (size_t)(close - raw.data) + 1 : 1;
        if (close == NULL || !decode_escape(&d, str_sub(raw, 1, len - 2))) {
            d.notes->unknown_escapes++;
            buf_put_str(out, str_sub(raw, 0, len));
        }
        raw = str_from_at(raw, len);
    }
    convert_pending(&d);
}

bool hl7_text_is_plain(const struct hl7_index *index, struct str raw)
{
    char escape = index->delimiters.escape;
    if (raw.len == 0)
        return true;
    if (escape != 0 && memchr(raw.data, escape, raw.len) != NULL)
        return false;
    return index->ascii || (!index->stepwise && index->charset == CHARSET_UTF8 && str_is_utf8(raw));
}

struct str hl7_text(const struct hl7_index *index, struct arena *arena, struct str raw, struct hl7_text_notes *notes)
{
    if (hl7_text_is_plain(index, raw))
        return raw;
    SCOPED(buf_fini) struct buf text = {0};
    hl7_text_decode(index, raw, &text, notes);
    return arena_str(arena, buf_str(&text));
}
