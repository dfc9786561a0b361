/* MSH, tolerantly: what a NAK needs even when the message is refused. */
#include "hl7v2/header.h"
#include "index_internal.h"

#include "base/limits.h"

enum { FIELDS_READ = 21 };

static const struct hl7_delimiters recommended = {
    .field = '|', .component = '^', .repetition = '~', .escape = '\\', .subcomponent = '&'};

/* From MSH on, up to the end of the segment; empty when there is none. */
static struct str find_msh(struct str bytes)
{
    bytes = str_sub(bytes, 0, HL7_HEADER_MAX);
    if (str_starts(bytes, STR("\xef\xbb\xbf")))
        bytes = str_from_at(bytes, 3);
    while (bytes.len > 0 && (uint8_t)bytes.data[0] <= ' ')
        bytes = str_from_at(bytes, 1);
    if (!str_starts(bytes, STR("MSH")))
        return STR_NONE;
    size_t end = 4;
    while (end < bytes.len && bytes.data[end] != '\r' && bytes.data[end] != '\n')
        end++;
    return str_sub(bytes, 0, end);
}

/* Fields 3.. of the segment, by number. */
static void split_fields(const struct hl7_index *reader, struct str msh, struct str fields[FIELDS_READ])
{
    memset(fields, 0, FIELDS_READ * sizeof *fields);
    struct str rest = str_from_at(msh, 4);
    ptrdiff_t encoding = str_find(rest, reader->delimiters.field); /* MSH-2 is never shifted text */
    if (encoding < 0)
        return;
    rest = str_from_at(rest, (size_t)encoding + 1);
    for (size_t number = 3; number < FIELDS_READ; number++) {
        size_t end = hl7_find_delimiter(reader, rest, reader->delimiters.field);
        fields[number] = str_sub(rest, 0, end);
        if (end == rest.len)
            return;
        rest = str_from_at(rest, end + 1);
    }
}

/* MSH-18 decides how bytes of the header itself are to be read: again step by step when its set asks for it. */
static bool needs_steps(struct hl7_index *reader, struct str msh, struct str charsets)
{
    enum charset set;
    struct str first = str_sub(charsets, 0, hl7_find_delimiter(reader, charsets, reader->delimiters.repetition));
    if (charset_from_hl7(first, &set) && charset_shape(set) != CHARSET_SHAPE_WIDE)
        reader->charset = set;
    reader->shifts = str_find(msh, HL7_ESC) >= 0 && charsets.len > 0;
    reader->stepwise = reader->shifts || charset_shape(reader->charset) == CHARSET_SHAPE_LEAD;
    return reader->stepwise;
}

void hl7_header_read(struct str bytes, struct hl7_header *out_header)
{
    *out_header = (struct hl7_header){.delimiters = recommended};
    struct str msh = find_msh(bytes);
    if (msh.len == 0)
        return;
    out_header->found = true;

    struct hl7_index reader = {.delimiters = recommended, .charset = CHARSET_ASCII};
    out_header->delimiters_usable = hl7_read_delimiters(msh, &reader.delimiters) < 0;
    if (out_header->delimiters_usable)
        out_header->delimiters = reader.delimiters;
    else if (msh.len > 3 && (uint8_t)msh.data[3] > ' ' && (uint8_t)msh.data[3] < 0x7f)
        reader.delimiters.field = msh.data[3]; /* fields may stand right although MSH-2 is wrong */

    struct str fields[FIELDS_READ];
    split_fields(&reader, msh, fields);
    if (needs_steps(&reader, msh, fields[18]))
        split_fields(&reader, msh, fields);

    struct hl7_header *h = out_header;
    h->sending_application = fields[3];
    h->sending_facility = fields[4];
    h->receiving_application = fields[5];
    h->receiving_facility = fields[6];
    h->date = fields[7];
    h->type = hl7_component(&reader, fields[9], 1);
    h->trigger = hl7_component(&reader, fields[9], 2);
    h->structure = hl7_component(&reader, fields[9], 3);
    h->control_id = fields[10];
    h->processing = fields[11];
    h->processing_id = hl7_component(&reader, fields[11], 1);
    h->version_field = fields[12];
    h->version = hl7_component(&reader, fields[12], 1);
    h->sequence = fields[13];
    h->accept_ack = fields[15];
    h->application_ack = fields[16];
    h->country = fields[17];
    h->charsets = fields[18];
}

status hl7_header_check(struct ctx *cx, const struct hl7_header *header, struct hl7_path *out_fault)
{
    const struct {
        struct str value;
        enum hl7_reason reason;
        uint16_t field;
    } needed[] = {
        {header->type, HL7_NO_TYPE, 9},
        {header->control_id, HL7_NO_CONTROL_ID, 10},
        {header->version, HL7_NO_VERSION, 12},
    };
    struct hl7_path where = {.name = HL7_NAME('M', 'S', 'H'), .segment = 1};
    if (!header->found)
        return ctx_fail(cx, &hl7_reasons[HL7_NO_MSH], NULL);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (str_trim(needed[i].value).len > 0 && !hl7_is_null(needed[i].value))
            continue;
        where.field = needed[i].field;
        *out_fault = where;
        return ctx_fail(cx, &hl7_reasons[needed[i].reason], NULL);
    }
    if (header->control_id.len > LIMIT_CONTROL_ID_BYTES) {
        where.field = 10;
        *out_fault = where;
        return ctx_fail(cx, &hl7_reasons[HL7_LONG_CONTROL_ID], "%zu bytes, at most %d", header->control_id.len,
                        (int)LIMIT_CONTROL_ID_BYTES);
    }
    return STATUS_OK;
}

uint32_t hl7_version_number(struct str version)
{
    uint32_t number = 0;
    int parts = 0;
    struct str rest = str_trim(version), part;
    while (parts < 3 && str_split(&rest, '.', &part)) {
        uint64_t value;
        if (part.len > 2 || !str_to_u64(part, &value))
            return 0;
        number = number * 100 + (uint32_t)value;
        parts++;
    }
    if (parts == 0 || rest.len > 0)
        return 0;
    for (; parts < 3; parts++)
        number *= 100;
    return number;
}
