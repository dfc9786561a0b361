/* Building acknowledgements: few fields, all of them safe whatever the message answered was. */
#include "hl7v2/ack.h"
#include "index_internal.h"

#include "base/clock.h"
#include "base/limits.h"

#include <inttypes.h>

_Static_assert((int)HL7_ECHO_MAX > (int)LIMIT_CONTROL_ID_BYTES, "a control id we accept is echoed whole");

const char *hl7_ack_code_text(enum hl7_ack_code code)
{
    static const char *const texts[] = {"", "AA", "AE", "AR", "CA", "CE", "CR"};
    return texts[code];
}

/* Table 0155. */
static enum hl7_ack_when read_when(struct str asked)
{
    asked = str_trim(asked);
    if (asked.len == 0 || str_eq_nocase(asked, STR("NE")) || hl7_is_null(asked))
        return HL7_ACK_NEVER;
    if (str_eq_nocase(asked, STR("ER")))
        return HL7_ACK_ON_ERROR;
    if (str_eq_nocase(asked, STR("SU")))
        return HL7_ACK_ON_SUCCESS;
    return HL7_ACK_ALWAYS;
}

struct hl7_ack_mode hl7_ack_mode(const struct hl7_header *header)
{
    bool is_answer = str_is(header->type, "ACK") || str_is(header->type, "MCF");
    bool enhanced = str_trim(header->accept_ack).len > 0 || str_trim(header->application_ack).len > 0;
    if (is_answer)
        return (struct hl7_ack_mode){.enhanced = enhanced};
    if (!enhanced)
        return (struct hl7_ack_mode){.application = HL7_ACK_ALWAYS}; /* [HL7 2.5.1 2.9.2] */
    return (struct hl7_ack_mode){
        .enhanced = true, .accept = read_when(header->accept_ack), .application = read_when(header->application_ack)};
}

bool hl7_ack_is_due(enum hl7_ack_when when, bool success)
{
    return when == HL7_ACK_ALWAYS || (when == HL7_ACK_ON_ERROR && !success) || (when == HL7_ACK_ON_SUCCESS && success);
}

/* [HL7 2.5.1 2.9.2]: reject what cannot be processed at all; error for content. */
static bool rejects(const struct reason *reason)
{
    static const enum hl7_reason whole[] = {
        HL7_NO_MSH,        HL7_SHORT_MSH, HL7_BAD_DELIMITERS, HL7_SECOND_MSH,      HL7_CHARSET_UNKNOWN,
        HL7_NO_CONTROL_ID, HL7_NO_TYPE,   HL7_NO_VERSION,     HL7_LONG_CONTROL_ID, HL7_BATCH_NESTED,
    };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (reason == &hl7_reasons[whole[i]])
            return true;
    if (reason == &hl7_reasons[HL7_TOO_LONG] || reason == &hl7_reasons[HL7_TOO_MANY_SEGMENTS])
        return false; /* the same message again would fail again: not a matter of our state */
    return (reason->hl7_code >= 200 && reason->hl7_code <= 203) || reason->hl7_code == 207;
}

enum hl7_ack_code hl7_ack_code_for(const struct reason *reason, bool accept_level)
{
    if (reason == NULL)
        return accept_level ? HL7_CA : HL7_AA;
    if (rejects(reason))
        return accept_level ? HL7_CR : HL7_AR;
    return accept_level ? HL7_CE : HL7_AE;
}

/* ---- writing */

struct pen {
    struct buf *out;
    struct hl7_delimiters d;
};

/* Length of the escape sequence that starts `rest`, when it is one that a receiver will understand; else 0. */
static size_t escape_sequence(const struct pen *pen, struct str rest)
{
    size_t len = 1;
    while (len < rest.len && rest.data[len] != pen->d.escape) {
        char c = rest.data[len++];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '+';
        if (!plain)
            return 0;
    }
    return len > 1 && len < rest.len ? len + 1 : 0;
}

static void put_escape(struct pen *pen, const char *body)
{
    buf_put_byte(pen->out, (uint8_t)pen->d.escape);
    buf_put_str(pen->out, str_from(body));
    buf_put_byte(pen->out, (uint8_t)pen->d.escape);
}

static void put_odd(struct pen *pen, char byte)
{
    const struct hl7_delimiters *d = &pen->d;
    if ((uint8_t)byte < 0x20) {
        buf_put_byte(pen->out, (uint8_t)d->escape);
        buf_printf(pen->out, "X%02X", (unsigned)(uint8_t)byte);
        buf_put_byte(pen->out, (uint8_t)d->escape);
        return;
    }
    put_escape(pen, byte == d->field          ? "F"
                    : byte == d->component    ? "S"
                    : byte == d->subcomponent ? "T"
                    : byte == d->repetition   ? "R"
                    : byte == d->escape       ? "E"
                                              : "P");
}

static bool is_delimiter(const struct hl7_delimiters *d, char byte)
{
    return byte != 0 && (byte == d->field || byte == d->component || byte == d->subcomponent || byte == d->repetition ||
                         byte == d->escape || byte == d->truncation);
}

/*
 * A raw value of the message answered, made safe: it stays one value. Whole escape sequences are kept, delimiters other
 * than those in `kept` and control bytes are escaped, so nothing echoed can begin a field or a segment.
 */
static void put_echo(struct pen *pen, struct str raw, const char *kept)
{
    raw = str_sub(raw, 0, HL7_ECHO_MAX);
    for (size_t i = 0, len; i < raw.len; i += len) {
        char byte = raw.data[i];
        len = byte == pen->d.escape ? escape_sequence(pen, str_from_at(raw, i)) : 0;
        if (len > 0) {
            buf_put_str(pen->out, str_sub(raw, i, len));
            continue;
        }
        len = 1;
        if ((uint8_t)byte < 0x20 || (is_delimiter(&pen->d, byte) && strchr(kept, byte) == NULL))
            put_odd(pen, byte);
        else
            buf_put_byte(pen->out, (uint8_t)byte);
    }
}

/* Our own words: ASCII, so that they are text in whatever set the message has. */
static void put_words(struct pen *pen, struct str text)
{
    for (size_t i = 0; i < text.len && i < HL7_ECHO_MAX; i++) {
        char byte = text.data[i];
        if ((uint8_t)byte >= 0x7f)
            buf_put_byte(pen->out, '?');
        else if ((uint8_t)byte < 0x20 || is_delimiter(&pen->d, byte))
            put_odd(pen, byte);
        else
            buf_put_byte(pen->out, (uint8_t)byte);
    }
}

static void put_field(struct pen *pen)
{
    buf_put_byte(pen->out, (uint8_t)pen->d.field);
}

static void put_number(struct pen *pen, char before, uint64_t number)
{
    if (before)
        buf_put_byte(pen->out, (uint8_t)before);
    if (number > 0)
        buf_printf(pen->out, "%" PRIu64, number);
}

/* The message's own delimiters when all that escaping needs is there, else the recommended ones. */
static struct hl7_delimiters choose_delimiters(const struct hl7_header *to)
{
    const struct hl7_delimiters *d = &to->delimiters;
    if (to->delimiters_usable && d->component && d->repetition && d->escape && d->subcomponent)
        return *d;
    return (struct hl7_delimiters){
        .field = '|', .component = '^', .repetition = '~', .escape = '\\', .subcomponent = '&'};
}

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.data[i] >= 0x80)
            return false;
    return true;
}

static void put_type(struct pen *pen, const struct hl7_header *to, uint32_t version)
{
    buf_put_str(pen->out, STR("ACK"));
    if (to->trigger.len == 0)
        return;
    buf_put_byte(pen->out, (uint8_t)pen->d.component);
    put_echo(pen, to->trigger, "");
    if (version == 0 || version >= 20400) { /* [HL7 2.4 2.16.9.9]: the structure is the third component */
        buf_put_byte(pen->out, (uint8_t)pen->d.component);
        buf_put_str(pen->out, STR("ACK"));
    }
}

static void put_or(struct pen *pen, struct str value, const char *kept, const char *absent)
{
    if (str_trim(value).len == 0)
        buf_put_str(pen->out, str_from(absent));
    else
        put_echo(pen, value, kept);
}

static void put_msh(struct pen *pen, const struct hl7_ack *ack, uint32_t version)
{
    const struct hl7_header *to = ack->to;
    const struct hl7_delimiters *d = &pen->d;
    const char parts[] = {d->component, d->subcomponent, 0}, list[] = {d->component, d->subcomponent, d->repetition, 0};
    const struct str swapped[] = {to->receiving_application, to->receiving_facility, to->sending_application,
                                  to->sending_facility};
    char now[32];
    bool plain = true;

    buf_put_str(pen->out, STR("MSH"));
    put_field(pen);
    const char encoding[] = {d->component, d->repetition, d->escape, d->subcomponent, d->truncation, 0};
    buf_put_str(pen->out, str_from(encoding));
    for (size_t i = 0; i < sizeof swapped / sizeof swapped[0]; i++) {
        put_field(pen);
        put_echo(pen, swapped[i], parts);
        plain = plain && is_ascii(swapped[i]);
    }
    clock_format_hl7(ack->now_us, now);
    put_field(pen);
    put_words(pen, str_from(now));
    put_field(pen); /* MSH-8 security: never echoed */
    put_field(pen);
    put_type(pen, to, version);
    put_field(pen);
    put_words(pen, ack->control_id);
    put_field(pen);
    put_or(pen, to->processing, parts, "P");
    put_field(pen);
    put_or(pen, to->version_field, parts, "2.5.1");

    bool later = ack->code >= HL7_AA && ack->code <= HL7_AR && hl7_ack_mode(to).enhanced;
    bool charset = to->charsets.len > 0 && !(plain && is_ascii(to->control_id));
    if (later || charset) {
        for (int field = 13; field <= 15; field++)
            put_field(pen);
        buf_put_str(pen->out, later ? STR("NE") : STR(""));
        put_field(pen);
        buf_put_str(pen->out, later ? STR("NE") : STR("")); /* an answer is not answered: [HL7 2.5.1 2.9.3] */
    }
    if (charset) {
        put_field(pen);
        put_field(pen);
        put_echo(pen, to->charsets, list);
    }
    buf_put_byte(pen->out, '\r');
}

static void put_msa(struct pen *pen, const struct hl7_ack *ack)
{
    buf_put_str(pen->out, STR("MSA"));
    put_field(pen);
    buf_put_str(pen->out, str_from(hl7_ack_code_text(ack->code)));
    put_field(pen);
    put_echo(pen, ack->to->control_id, "");
    if (ack->reason != NULL || ack->expected_sequence != 0) {
        put_field(pen);
        if (ack->reason != NULL)
            put_words(pen, str_from(ack->reason->text));
    }
    if (ack->expected_sequence != 0) {
        put_field(pen);
        buf_printf(pen->out, "%" PRId64, ack->expected_sequence);
    }
    buf_put_byte(pen->out, '\r');
}

/* Table 0357. */
static const char *code_text(uint16_t code)
{
    static const struct {
        uint16_t code;
        const char *text;
    } rows[] = {
        {0, "Message accepted"},
        {100, "Segment sequence error"},
        {101, "Required field missing"},
        {102, "Data type error"},
        {103, "Table value not found"},
        {200, "Unsupported message type"},
        {201, "Unsupported event code"},
        {202, "Unsupported processing id"},
        {203, "Unsupported version id"},
        {204, "Unknown key identifier"},
        {205, "Duplicate key identifier"},
        {206, "Application record locked"},
        {207, "Application internal error"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return rows[i].text;
    return "Application internal error";
}

/* Segment, occurrence, field: the part that ERL and the older ELD share. */
static void put_place(struct pen *pen, const struct hl7_path *at)
{
    const char name[] = {(char)(at->name >> 16), (char)(at->name >> 8), (char)at->name, 0};
    put_words(pen, str_from(name));
    put_number(pen, pen->d.component, at->segment == HL7_EACH ? 1 : at->segment);
    if (at->field != 0)
        put_number(pen, pen->d.component, at->field);
}

static void put_code(struct pen *pen, char between, const struct reason *reason)
{
    buf_printf(pen->out, "%u", reason->hl7_code);
    buf_put_byte(pen->out, (uint8_t)between);
    put_words(pen, str_from(code_text(reason->hl7_code)));
    buf_put_byte(pen->out, (uint8_t)between);
    buf_put_str(pen->out, STR("HL70357"));
}

/* [HL7 2.5.1 2.15.5.2]: ERL counts everything from 1; repetition before component. */
static void put_err_location(struct pen *pen, const struct hl7_path *at)
{
    put_place(pen, at);
    if (at->field == 0 || (at->repetition == 0 && at->component == 0))
        return;
    put_number(pen, pen->d.component, at->repetition == 0 || at->repetition == HL7_EACH ? 1 : at->repetition);
    if (at->component != 0)
        put_number(pen, pen->d.component, at->component);
    if (at->subcomponent != 0)
        put_number(pen, pen->d.component, at->subcomponent);
}

static void put_err(struct pen *pen, const struct hl7_ack *ack, uint32_t version)
{
    bool has_place = ack->location != NULL && ack->location->name != 0;
    buf_put_str(pen->out, STR("ERR"));
    put_field(pen);
    if (version != 0 && version < 20500) { /* [HL7 2.4 2.16.5.1] ERR-1, ELD: segment^sequence^field^code */
        if (has_place)
            put_place(pen, ack->location);
        for (int n = !has_place ? 3 : ack->location->field ? 1 : 2; n > 0; n--)
            buf_put_byte(pen->out, (uint8_t)pen->d.component);
        put_code(pen, pen->d.subcomponent, ack->reason);
        buf_put_byte(pen->out, '\r');
        return;
    }
    put_field(pen);
    if (has_place)
        put_err_location(pen, ack->location);
    put_field(pen);
    put_code(pen, pen->d.component, ack->reason);
    put_field(pen);
    buf_put_byte(pen->out, 'E'); /* table 0516 */
    put_field(pen);
    put_words(pen, str_from(ack->reason->name)); /* ERR-5: our own code */
    put_field(pen);
    put_field(pen);
    put_words(pen, ack->detail); /* ERR-7 */
    put_field(pen);
    put_words(pen, str_from(ack->reason->text)); /* ERR-8 */
    buf_put_byte(pen->out, '\r');
}

void hl7_ack_build(const struct hl7_ack *ack, struct buf *out)
{
    struct pen pen = {.out = out, .d = choose_delimiters(ack->to)};
    uint32_t version = hl7_version_number(ack->to->version);
    put_msh(&pen, ack, version);
    put_msa(&pen, ack);
    if (ack->reason != NULL)
        put_err(&pen, ack, version);
}
