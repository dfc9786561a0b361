/* MSH-18: which character sets a message declares, and whether its bytes are text of them. */
#include "index_internal.h"

static status fail_at(struct hl7_index *index, struct ctx *cx, enum hl7_reason reason, struct hl7_path where)
{
    char text[HL7_PATH_TEXT_MAX];
    index->fault = where;
    if (where.name == 0)
        return ctx_fail(cx, &hl7_reasons[reason], NULL);
    hl7_path_format(&where, text);
    return ctx_fail(cx, &hl7_reasons[reason], "%s", text);
}

static bool can_be_default(enum charset set)
{
    return charset_shape(set) != CHARSET_SHAPE_WIDE; /* MLLP forbids bytes that 16-bit sets need: [MLLP R1] */
}

/* [HL7 2.5.1 2.15.9.18]: the first repetition is the default set, the others are reached by escapes; empty means ASCII.
 */
status hl7_charset_declare(struct hl7_index *index, struct ctx *cx, const struct hl7_input *input)
{
    struct str rest = hl7_field(index, 0, 18), part;
    struct hl7_path where = {.name = HL7_NAME('M', 'S', 'H'), .segment = 1, .field = 18};
    index->charset_count = 0;
    index->shifts = false;
    while (rest.len > 0 && hl7_next_repetition(index, &rest, &part)) {
        enum charset set = CHARSET_NONE;
        bool known = charset_from_hl7(part, &set);
        where.repetition = index->charset_count + 1;
        if (index->charset_count == HL7_CHARSETS_MAX) /* what it says would be read as something else */
            return fail_at(index, cx, HL7_CHARSET_UNKNOWN, where);
        bool needed = index->charset_count == 0; /* a further set that we do not know matters only when it is used */
        if (str_trim(part).len > 0 && needed && (!known || !can_be_default(set)))
            return fail_at(index, cx, HL7_CHARSET_UNKNOWN, where);
        index->charsets[index->charset_count++] = set;
    }
    index->charset = index->charset_count > 0 ? index->charsets[0] : CHARSET_NONE;
    for (uint32_t i = 0; i < index->charset_count; i++)
        index->shifts |=
            charset_iso2022(index->charsets[i])[0] == '$' || (i > 0 && charset_iso2022(index->charsets[i])[0] != 0);
    if (index->charset == CHARSET_NONE)
        index->charset = input->charset_default;
    if (index->charset == CHARSET_NONE)
        index->charset = CHARSET_ASCII;
    return STATUS_OK;
}

static bool value_fits(const struct hl7_index *index, struct str value)
{
    enum charset shifted = hl7_base_charset(index), set;
    struct str run;
    while (hl7_next_run(index, &shifted, &value, &run, &set))
        if (!charset_fits(set, run))
            return false;
    return true;
}

/* The first field that does not fit; field 0 when the message as a whole is broken between fields. */
static struct hl7_path first_misfit(const struct hl7_index *index)
{
    for (uint32_t i = 0; i < index->segment_count; i++) {
        const struct hl7_segment *segment = &index->segments[i];
        for (uint32_t field = 1; field <= segment->fields; field++) {
            if (value_fits(index, hl7_field(index, i, field)))
                continue;
            struct hl7_path path = {
                .name = segment->name, .segment = 1, .field = (uint16_t)(field > HL7_NUMBER_MAX ? 0 : field)};
            for (uint32_t before = 0; before < i; before++)
                path.segment += index->segments[before].name == segment->name;
            return path;
        }
    }
    return (struct hl7_path){0};
}

/* Undeclared text above ASCII is read as UTF-8 where it is that; the mismatch is counted, never silent. */
static bool adopt_utf8(struct hl7_index *index)
{
    if (index->charset != CHARSET_ASCII || !str_is_utf8(index->bytes))
        return false;
    index->charset = CHARSET_UTF8;
    index->warnings.charset++;
    return true;
}

status hl7_charset_check(struct hl7_index *index, struct ctx *cx, const struct hl7_input *input)
{
    if (index->ascii)
        return STATUS_OK;
    if (index->stepwise && index->shifts) {
        struct hl7_path misfit = first_misfit(index);
        if (!input->trust_charset && misfit.name != 0)
            return fail_at(index, cx, HL7_CHARSET, misfit);
        return STATUS_OK;
    }
    if (charset_fits(hl7_base_charset(index), index->bytes) || adopt_utf8(index) || input->trust_charset)
        return STATUS_OK;
    return fail_at(index, cx, HL7_CHARSET, first_misfit(index));
}
