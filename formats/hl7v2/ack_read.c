/* Reading what a destination answers: only a well-formed acknowledgement counts, and only for the id it names. */
#include "hl7v2/ack.h"
#include "index_internal.h"

static bool read_code(struct str text, enum hl7_ack_code *out)
{
    text = str_trim(text);
    for (int code = HL7_AA; code <= HL7_CR; code++) {
        if (str_is(text, hl7_ack_code_text((enum hl7_ack_code)code))) {
            *out = (enum hl7_ack_code)code;
            return true;
        }
    }
    return false;
}

static struct str next_line(struct str *rest)
{
    size_t end = 0;
    while (end < rest->len && rest->data[end] != '\r' && rest->data[end] != '\n')
        end++;
    struct str line = str_sub(*rest, 0, end);
    *rest = str_from_at(*rest, end + 1);
    return line;
}

/* Field `n` of a segment that is no header. */
static struct str line_field(const struct hl7_index *reader, struct str line, uint32_t n)
{
    struct str rest = str_from_at(line, 4);
    for (; n > 1; n--) {
        size_t end = hl7_find_delimiter(reader, rest, reader->delimiters.field);
        if (end == rest.len)
            return STR_NONE;
        rest = str_from_at(rest, end + 1);
    }
    return str_sub(rest, 0, hl7_find_delimiter(reader, rest, reader->delimiters.field));
}

static void read_error(const struct hl7_index *reader, struct str line, struct hl7_reply *reply)
{
    struct str code = hl7_component(reader, line_field(reader, line, 3), 1);
    if (code.len == 0) {
        struct str old = hl7_component(reader, line_field(reader, line, 1), 4);
        code = hl7_subcomponent(reader, old, 1);
    }
    reply->error_code = code;
    if (reply->text.len == 0)
        reply->text = line_field(reader, line, 8);
    if (reply->text.len == 0)
        reply->text = line_field(reader, line, 7);
}

status hl7_ack_read(struct ctx *cx, struct str bytes, struct hl7_reply *out_reply)
{
    struct hl7_reply reply = {0};
    hl7_header_read(bytes, &reply.header);
    if (!reply.header.found || !reply.header.delimiters_usable)
        return ctx_fail(cx, &hl7_reasons[HL7_NOT_AN_ACK], "no usable MSH in %zu bytes", bytes.len);

    struct hl7_index reader = {.delimiters = reply.header.delimiters, .charset = CHARSET_ASCII};
    const char separator = reader.delimiters.field, msa[] = {'M', 'S', 'A', separator, 0},
               err[] = {'E', 'R', 'R', separator, 0};
    bool found = false, error_found = false;
    struct str rest = bytes;
    while (rest.len > 0) {
        struct str line = next_line(&rest);
        if (str_starts(line, str_from(msa))) {
            if (found)
                return ctx_fail(cx, &hl7_reasons[HL7_NOT_AN_ACK], "more than one MSA");
            found = true;
            if (!read_code(line_field(&reader, line, 1), &reply.code))
                return ctx_fail(cx, &hl7_reasons[HL7_NOT_AN_ACK], "MSA-1 is not in table 0008");
            reply.control_id = line_field(&reader, line, 2);
            reply.text = line_field(&reader, line, 3);
            reply.sequence = line_field(&reader, line, 4);
        } else if (str_starts(line, str_from(err)) && !error_found) {
            error_found = true;
            read_error(&reader, line, &reply);
        }
    }
    if (!found)
        return ctx_fail(cx, &hl7_reasons[HL7_NOT_AN_ACK], "no MSA");
    *out_reply = reply;
    return STATUS_OK;
}

bool hl7_control_id_eq(struct str sent, struct str echoed)
{
    sent = str_trim(sent);
    return sent.len > 0 && str_eq(sent, str_trim(echoed));
}
