/* Delimiters in text of sets whose bytes may look like delimiters: ISO 2022 shifts, GB 18030, BIG-5. */
#include "index_internal.h"

enum { JIS_LEAD_LAST = 0x74 }; /* no JIS character begins above row 84, so '|' and '~' there end a forgotten shift */

enum charset hl7_base_charset(const struct hl7_index *index)
{
    return charset_shape(index->charset) == CHARSET_SHAPE_DOUBLE ? CHARSET_ASCII : index->charset;
}

/* Length of the escape sequence that starts `rest` and selects a known set; 0 when it does not. */
static size_t escape_length(struct str rest, enum charset *out_set)
{
    if (rest.len < 3 || rest.data[0] != HL7_ESC || !charset_from_iso2022(str_sub(rest, 1, 3), out_set))
        return 0;
    size_t len = 1;
    while (len < rest.len && rest.data[len] >= 0x20 && rest.data[len] <= 0x2f)
        len++;
    return len + 1;
}

size_t hl7_step(const struct hl7_index *index, enum charset *shifted, struct str rest)
{
    if (index->shifts) {
        size_t escape = escape_length(rest, shifted);
        if (escape > 0)
            return escape;
    }
    switch (charset_shape(*shifted)) {
    case CHARSET_SHAPE_LEAD:
        return charset_step(*shifted, rest);
    case CHARSET_SHAPE_DOUBLE:
        return rest.len >= 2 && rest.data[0] >= 0x21 && rest.data[0] <= JIS_LEAD_LAST && rest.data[1] >= 0x21 &&
                       rest.data[1] <= 0x7e
                   ? 2
                   : 1;
    default:
        return 1;
    }
}

size_t hl7_find_stepwise(const struct hl7_index *index, enum charset *shifted, struct str s, char delimiter)
{
    size_t at = 0;
    while (at < s.len) {
        size_t step = hl7_step(index, shifted, str_from_at(s, at));
        if (step == 1 && s.data[at] == delimiter)
            return at;
        at += step;
    }
    return s.len;
}

size_t hl7_find_delimiter(const struct hl7_index *index, struct str s, char delimiter)
{
    if (delimiter == 0 || s.len == 0)
        return s.len;
    if (index->stepwise) {
        enum charset shifted = hl7_base_charset(index);
        return hl7_find_stepwise(index, &shifted, s, delimiter);
    }
    const char *found = memchr(s.data, delimiter, s.len);
    return found ? (size_t)(found - s.data) : s.len;
}

bool hl7_next_run(const struct hl7_index *index, enum charset *shifted, struct str *rest, struct str *out_run,
                  enum charset *out_set)
{
    size_t escape;
    while (index->shifts && (escape = escape_length(*rest, shifted)) > 0)
        *rest = str_from_at(*rest, escape);
    if (rest->len == 0)
        return false;
    size_t len = rest->len;
    if (index->shifts) {
        enum charset next;
        for (len = 0; len < rest->len; len++) {
            const char *found = memchr(rest->data + len, HL7_ESC, rest->len - len);
            len = found ? (size_t)(found - rest->data) : rest->len;
            if (escape_length(str_from_at(*rest, len), &next) > 0)
                break;
        }
        if (len > rest->len)
            len = rest->len;
    }
    *out_run = str_sub(*rest, 0, len);
    *out_set = *shifted;
    *rest = str_from_at(*rest, len);
    return true;
}
