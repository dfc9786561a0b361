#include "patient.h"

#include "base/bounds.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "hl7v2/text.h"

enum {
    PID_2 = 2,
    PID_3 = 3,
    PID_5 = 5,
    PID_6,
    PID_7,
    PID_8,
    PID_11 = 11,
    PID_13 = 13,
    PID_14,
    PID_19 = 19,
    PID_23 = 23,
    PID_24,
    PID_25,
    PID_30 = 30
};

/* One segment being read, and what of it is not taken. */
struct reading {
    const struct hl7_index *index;
    struct ctx *cx;
    struct patient_left_out left_out;
    bool identifier_too_long;
};

/* At most so many repetitions; the others are counted. */
static uint32_t repetitions_taken(const struct reading *r, struct str field, uint32_t most, uint32_t *left_out)
{
    uint32_t repetitions = hl7_repetition_count(r->index, field);
    if (repetitions <= most)
        return repetitions;
    *left_out += repetitions - most;
    return most;
}

static struct str cut_whole_characters(struct str text)
{
    size_t len = LIMIT_FIELD_VALUE_BYTES;
    while (len > 0 && ((unsigned char)text.data[len] & 0xC0) == 0x80)
        len--;
    return str_sub(text, 0, len);
}

/* Decoded apart: only what is kept takes memory of the message, however long the field is. */
static struct str kept_text(struct reading *r, struct str raw, bool *out_cut)
{
    *out_cut = false;
    if (raw.len == 0 || hl7_is_null(raw))
        return STR_NONE;
    SCOPED(buf_fini) struct buf decoded = {0};
    bool plain = hl7_text_is_plain(r->index, raw);
    if (!plain)
        hl7_text_decode(r->index, raw, &decoded, NULL);
    struct str text = str_trim(plain ? raw : buf_str(&decoded));
    if (text.len > LIMIT_FIELD_VALUE_BYTES) {
        *out_cut = true;
        text = cut_whole_characters(text);
    }
    return plain ? text : arena_str(r->cx->arena, text);
}

/* Too long a name is kept as far as it goes, in whole characters. */
static struct str text_of(struct reading *r, struct str raw)
{
    bool cut;
    struct str text = kept_text(r, raw, &cut);
    r->left_out.cut_values += cut;
    return text;
}

/* Never a shortened number, it might be somebody else's; and never without it, another would stand in its place: the
 * segment is refused. */
static struct str identifier_text(struct reading *r, struct str raw)
{
    bool cut;
    struct str text = kept_text(r, raw, &cut);
    r->identifier_too_long |= cut;
    return text;
}

static struct str component(struct reading *r, struct str repetition, uint32_t n)
{
    return text_of(r, hl7_subcomponent(r->index, hl7_component(r->index, repetition, n), 1));
}

/* CX: id in .1, assigning authority in .4 (HD: namespace, else universal id), type in .5. */
static bool read_identifier(struct reading *r, struct str cx_value, struct str source, struct mpi_identifier *out)
{
    struct str value = identifier_text(r, hl7_subcomponent(r->index, hl7_component(r->index, cx_value, 1), 1));
    struct str hd = hl7_component(r->index, cx_value, 4);
    struct str authority = identifier_text(r, hl7_subcomponent(r->index, hd, 1));
    if (authority.len == 0)
        authority = identifier_text(r, hl7_subcomponent(r->index, hd, 2));
    if (authority.len == 0)
        authority = source; /* a number without authority means something only where it comes from */
    if (value.len == 0)
        return false;
    *out = (struct mpi_identifier){.authority = authority, .value = value, .type = component(r, cx_value, 5)};
    return true;
}

static unsigned own_rank(const struct mpi_identifier *identifier)
{
    return str_is(identifier->type, "MR") ? 2 : str_is(identifier->type, "PI");
}

static void put_own_first(struct mpi_identifier *identifiers, size_t count)
{
    size_t own = 0;
    for (size_t i = 1; i < count; i++)
        if (own_rank(&identifiers[i]) > own_rank(&identifiers[own]))
            own = i;
    if (count > 0) {
        struct mpi_identifier first = identifiers[own];
        memmove(identifiers + 1, identifiers, own * sizeof *identifiers);
        identifiers[0] = first;
    }
}

static void read_identifiers(struct reading *r, uint32_t pid, struct str source, struct mpi_record_input *out)
{
    struct str field = hl7_field(r->index, pid, PID_3);
    if (field.len == 0)
        field = hl7_field(r->index, pid, PID_2); /* before 2.3.1 the number often stands only in PID-2 */
    uint32_t repetitions = repetitions_taken(r, field, LIMIT_IDENTIFIERS_PER_RECORD, &r->left_out.identifiers);
    struct mpi_identifier *identifiers = arena_array(r->cx->arena, repetitions + 1, sizeof *identifiers);
    size_t count = 0;
    struct str rest = field, one;
    for (uint32_t i = 0; i < repetitions && hl7_next_repetition(r->index, &rest, &one); i++)
        count += read_identifier(r, one, source, &identifiers[count]);
    put_own_first(identifiers, count);
    struct str ssn_raw = hl7_component(r->index, hl7_field(r->index, pid, PID_19), 1);
    struct str ssn = identifier_text(r, hl7_subcomponent(r->index, ssn_raw, 1));
    bool room = count < LIMIT_IDENTIFIERS_PER_RECORD;
    if (ssn.len > 0 && count > 0 && room) /* never a record's own number: it is the person's, and often wrong */
        identifiers[count++] = (struct mpi_identifier){STR("SSA"), ssn, STR("SS")};
    r->left_out.identifiers += ssn.len > 0 && !room;
    out->identifiers = identifiers;
    out->identifier_count = count;
}

static struct mpi_name read_name(struct reading *r, struct str xpn)
{
    return (struct mpi_name){
        .family = component(r, xpn, 1),
        .given = component(r, xpn, 2),
        .middle = component(r, xpn, 3),
        .suffix = component(r, xpn, 4),
        .prefix = component(r, xpn, 5),
        .type = component(r, xpn, 7),
    };
}

static void read_names(struct reading *r, struct str field, struct mpi_demographics *out)
{
    uint32_t repetitions = repetitions_taken(r, field, LIMIT_NAMES_PER_RECORD, &r->left_out.names);
    struct mpi_name *names = arena_array(r->cx->arena, repetitions, sizeof *names);
    size_t count = 0;
    struct str rest = field, one;
    for (uint32_t i = 0; i < repetitions && hl7_next_repetition(r->index, &rest, &one); i++) {
        names[count] = read_name(r, one);
        count += names[count].family.len || names[count].given.len;
    }
    out->names = names;
    out->name_count = count;
}

static void read_addresses(struct reading *r, struct str field, struct mpi_demographics *out)
{
    uint32_t repetitions = repetitions_taken(r, field, LIMIT_NAMES_PER_RECORD, &r->left_out.addresses);
    struct mpi_address *addresses = arena_array(r->cx->arena, repetitions, sizeof *addresses);
    size_t count = 0;
    struct str rest = field, one;
    for (uint32_t i = 0; i < repetitions && hl7_next_repetition(r->index, &rest, &one); i++) {
        addresses[count] = (struct mpi_address){
            .line = component(r, one, 1),
            .city = component(r, one, 3),
            .state = component(r, one, 4),
            .postcode = component(r, one, 5),
            .country = component(r, one, 6),
        };
        count += addresses[count].line.len || addresses[count].city.len || addresses[count].postcode.len;
    }
    out->addresses = addresses;
    out->address_count = count;
}

/* XTN: the number in .1, or area code and local number in .6 and .7, or unformatted in .12. */
static struct str read_phone(struct reading *r, struct str xtn)
{
    struct str whole = component(r, xtn, 1);
    if (whole.len)
        return whole;
    struct str area = component(r, xtn, 6), local = component(r, xtn, 7);
    if (local.len)
        return arena_printf(r->cx->arena, "%.*s%.*s", STR_ARGS(area), STR_ARGS(local));
    return component(r, xtn, 12);
}

/* [HL7 2.5.1 2.A.89 XTN] .4 is the e-mail address, where .3 says Internet or X.400; many write it where a number
 * belongs.
 */
static void read_contacts(struct reading *r, uint32_t pid, struct mpi_demographics *out)
{
    struct str *phones = arena_array(r->cx->arena, LIMIT_NAMES_PER_RECORD, sizeof *phones);
    struct str *emails = arena_array(r->cx->arena, LIMIT_NAMES_PER_RECORD, sizeof *emails);
    size_t phone_count = 0, email_count = 0;
    for (uint32_t number = PID_13; number <= PID_14; number++) {
        struct str field = hl7_field(r->index, pid, number), rest = field, one;
        size_t fuller = phone_count > email_count ? phone_count : email_count;
        uint32_t room = (uint32_t)(LIMIT_NAMES_PER_RECORD - fuller);
        uint32_t repetitions = repetitions_taken(r, field, room, &r->left_out.contacts);
        for (uint32_t i = 0; i < repetitions && hl7_next_repetition(r->index, &rest, &one); i++) {
            struct str phone = read_phone(r, one), email = component(r, one, 4);
            bool misplaced = str_find(phone, '@') >= 0;
            r->left_out.contacts += misplaced && email.len > 0 && !str_eq(phone, email);
            if (phone.len > 0 && !misplaced)
                phones[phone_count++] = phone;
            if (email.len > 0 || misplaced)
                emails[email_count++] = email.len > 0 ? email : phone;
        }
    }
    out->phones = phones;
    out->phone_count = phone_count;
    out->emails = emails;
    out->email_count = email_count;
}

static char read_sex(struct str text)
{
    return text.len == 1 && text.data[0] >= 'A' && text.data[0] <= 'Z' ? text.data[0] : 0;
}

static uint32_t read_cleared(const struct hl7_index *index, uint32_t pid)
{
    static const struct {
        uint32_t field;
        uint32_t bits; /* enum mpi_field */
    } rows[] = {
        {PID_5, MPI_FIELD_NAMES},        {PID_6, MPI_FIELD_MOTHER},     {PID_7, MPI_FIELD_BIRTH_DATE},
        {PID_8, MPI_FIELD_SEX},          {PID_11, MPI_FIELD_ADDRESSES}, {PID_13, MPI_FIELD_PHONES | MPI_FIELD_EMAILS},
        {PID_23, MPI_FIELD_BIRTH_PLACE},
    };
    uint32_t cleared = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (hl7_is_null(hl7_field(index, pid, rows[i].field)))
            cleared |= rows[i].bits;
    return cleared;
}

static void read_birth_date(struct reading *r, struct str field, struct mpi_demographics *d)
{
    struct str text = component(r, field, 1);
    if (text.len == 0 || hl7_is_null(field))
        return;
    r->left_out.birth_unreadable = !date_parse_as_written(text, &d->birth_date);
    r->left_out.birth_is_no_day = !r->left_out.birth_unreadable && !date_is_valid(d->birth_date);
}

static status check_identifiers(const struct reading *r)
{
    if (r->identifier_too_long && bound_met(BOUND_LIMIT_FIELD_VALUE_BYTES))
        return ctx_fail(r->cx, &engine_reasons[ENGINE_TOO_LARGE], "an identifier of more than %d bytes",
                        LIMIT_FIELD_VALUE_BYTES);
    return STATUS_OK;
}

status patient_read(const struct hl7_index *index, struct ctx *cx, uint32_t pid, struct str source,
                    struct mpi_record_input *out_record, struct patient_left_out *out_left_out)
{
    struct reading own = {.index = index, .cx = cx}, *r = &own;
    struct mpi_record_input record = {.source = source};
    read_identifiers(r, pid, source, &record);
    TRY(check_identifiers(r));
    struct mpi_demographics *d = &record.demographics;
    read_names(r, hl7_field(index, pid, PID_5), d);
    d->mother = read_name(r, hl7_repetition(index, hl7_field(index, pid, PID_6), 1));
    read_birth_date(r, hl7_field(index, pid, PID_7), d);
    d->sex = read_sex(component(r, hl7_field(index, pid, PID_8), 1));
    read_addresses(r, hl7_field(index, pid, PID_11), d);
    read_contacts(r, pid, d);
    d->birth_place = component(r, hl7_field(index, pid, PID_23), 1);
    d->multiple_birth = str_is(hl7_field(index, pid, PID_24), "Y");
    uint64_t order;
    if (str_to_u64(hl7_field(index, pid, PID_25), &order) && order > 0 && order < 100)
        d->birth_order = (uint8_t)order;
    d->deceased = str_is(hl7_field(index, pid, PID_30), "Y");
    record.cleared_fields = read_cleared(index, pid);
    *out_record = record;
    *out_left_out = own.left_out;
    return STATUS_OK;
}

status patient_read_retired(const struct hl7_index *index, struct ctx *cx, uint32_t mrg, struct str source,
                            struct mpi_identifier like, struct mpi_identifier *out_identifier)
{
    struct reading r = {.index = index, .cx = cx};
    struct str rest = hl7_field(index, mrg, 1), one;
    struct mpi_identifier found = {0}, read;
    for (unsigned i = 0; i < LIMIT_IDENTIFIERS_PER_RECORD && hl7_next_repetition(index, &rest, &one); i++) {
        if (!read_identifier(&r, one, source, &read))
            continue;
        if (found.value.len == 0)
            found = read;
        if (str_eq(read.authority, like.authority)) {
            found = read;
            break;
        }
    }
    TRY(check_identifiers(&r));
    *out_identifier = found;
    return STATUS_OK;
}
