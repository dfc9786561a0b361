#include "entry.h"

#include "engine/engine.h"

enum { FORMAT = 1, PEOPLE_FORMAT = 2 }; /* people of format 1 say no e-mail address and no birth place */

const char *entry_kind_name(uint16_t kind)
{
    static const char *const names[ENTRY_KIND_COUNT] = {
        [ENTRY_MESSAGE] = "message",
        [ENTRY_DELIVERY] = "delivery",
        [ENTRY_DECISION] = "decision",
        [ENTRY_PEOPLE] = "people",
        [ENTRY_CODES_REGISTER] = "codes-register",
        [ENTRY_CODES_ACTIVATE] = "codes-activate",
        [ENTRY_ROUTES] = "routes",
        [ENTRY_REPLAY] = "replay",
        [ENTRY_START] = "start",
        [ENTRY_STOP] = "stop",
        [ENTRY_MODEL] = "model",
    };
    return kind < ENTRY_KIND_COUNT && names[kind] ? names[kind] : "unknown";
}

/* A body of any format up to the newest of its kind. */
static struct cut open_body_up_to(struct str body, uint8_t newest, uint8_t *out_format)
{
    struct cut cut = {body, false};
    *out_format = cut_u8(&cut);
    cut.bad |= *out_format < FORMAT || *out_format > newest;
    return cut;
}

static struct cut open_body(struct str body)
{
    uint8_t format;
    return open_body_up_to(body, FORMAT, &format);
}

/* Everything read, nothing left over. */
static status close_body(struct ctx *cx, const struct cut *cut, enum entry_kind kind)
{
    if (cut->bad || cut->rest.len != 0)
        return ctx_fail(cx, &engine_reasons[ENGINE_ENTRY_BAD], "%s entry", entry_kind_name(kind));
    return STATUS_OK;
}

void entry_message_encode(struct buf *out, const struct entry_message *entry)
{
    buf_put_byte(out, FORMAT);
    buf_put_lstr(out, entry->source);
    buf_put_lstr(out, entry->protocol);
    buf_put_lstr(out, entry->peer);
    buf_put_varint(out, (uint64_t)entry->received_us);
    buf_put_lstr(out, entry->message);
}

status entry_message_decode(struct ctx *cx, struct str body, struct entry_message *out_entry)
{
    struct cut cut = open_body(body);
    struct entry_message entry = {.source = cut_lstr(&cut), .protocol = cut_lstr(&cut), .peer = cut_lstr(&cut)};
    entry.received_us = (int64_t)cut_varint(&cut);
    entry.message = cut_lstr(&cut);
    TRY(close_body(cx, &cut, ENTRY_MESSAGE));
    *out_entry = entry;
    return STATUS_OK;
}

void entry_delivery_encode(struct buf *out, const struct entry_delivery *entry)
{
    buf_put_byte(out, FORMAT);
    buf_put_lstr(out, entry->destination);
    buf_put_varint(out, entry->key.seq);
    buf_put_varint(out, entry->key.number);
    buf_put_varint(out, entry->message_seq);
    buf_put_byte(out, (uint8_t)entry->state);
    buf_put_varint(out, entry->attempts);
    buf_put_varint(out, entry->in_doubt);
    buf_put_varint(out, (uint64_t)entry->first_sent_us);
    buf_put_varint(out, (uint64_t)entry->done_us);
    buf_put_lstr(out, entry->ack_code);
    buf_put_lstr(out, entry->why);
    buf_put_lstr(out, entry->answer);
}

status entry_delivery_decode(struct ctx *cx, struct str body, struct entry_delivery *out_entry)
{
    struct cut cut = open_body(body);
    struct entry_delivery entry = {.destination = cut_lstr(&cut)};
    entry.key.seq = cut_varint(&cut);
    entry.key.number = cut_varint_u32(&cut);
    entry.message_seq = cut_varint(&cut);
    uint8_t state = cut_u8(&cut);
    entry.attempts = cut_varint_u32(&cut);
    entry.in_doubt = cut_varint_u32(&cut);
    entry.first_sent_us = (int64_t)cut_varint(&cut);
    entry.done_us = (int64_t)cut_varint(&cut);
    entry.ack_code = cut_lstr(&cut);
    entry.why = cut_lstr(&cut);
    entry.answer = cut_lstr(&cut);
    if (state != DELIVERY_DELIVERED && state != DELIVERY_DEAD)
        cut.bad = true;
    TRY(close_body(cx, &cut, ENTRY_DELIVERY));
    entry.state = (enum delivery_state)state;
    *out_entry = entry;
    return STATUS_OK;
}

void entry_decision_encode(struct buf *out, const struct entry_decision *entry)
{
    buf_put_byte(out, FORMAT);
    buf_put_byte(out, (uint8_t)entry->kind);
    buf_put_varint(out, entry->left_record);
    buf_put_varint(out, entry->right_record);
    buf_put_varint(out, entry->undoes);
    buf_put_lstr(out, entry->note);
}

status entry_decision_decode(struct ctx *cx, struct str body, struct entry_decision *out_entry)
{
    struct cut cut = open_body(body);
    struct entry_decision entry = {.kind = (enum mpi_decision_kind)cut_u8(&cut)};
    entry.left_record = cut_varint(&cut);
    entry.right_record = cut_varint(&cut);
    entry.undoes = cut_varint(&cut);
    entry.note = cut_lstr(&cut);
    TRY(close_body(cx, &cut, ENTRY_DECISION));
    *out_entry = entry;
    return STATUS_OK;
}

/* ---- people in bulk ---- */

static void put_name(struct buf *out, const struct mpi_name *name)
{
    buf_put_lstr(out, name->family);
    buf_put_lstr(out, name->given);
    buf_put_lstr(out, name->middle);
    buf_put_lstr(out, name->suffix);
    buf_put_lstr(out, name->prefix);
    buf_put_lstr(out, name->type);
}

static struct mpi_name cut_name(struct cut *cut)
{
    struct mpi_name name = {.family = cut_lstr(cut), .given = cut_lstr(cut), .middle = cut_lstr(cut)};
    name.suffix = cut_lstr(cut);
    name.prefix = cut_lstr(cut);
    name.type = cut_lstr(cut);
    return name;
}

static void put_texts(struct buf *out, const struct str *texts, size_t count)
{
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++)
        buf_put_lstr(out, texts[i]);
}

static void put_record(struct buf *out, const struct mpi_record_input *record)
{
    buf_put_lstr(out, record->source);
    buf_put_varint(out, record->identifier_count);
    for (size_t i = 0; i < record->identifier_count; i++) {
        buf_put_lstr(out, record->identifiers[i].authority);
        buf_put_lstr(out, record->identifiers[i].value);
        buf_put_lstr(out, record->identifiers[i].type);
    }
    const struct mpi_demographics *d = &record->demographics;
    buf_put_varint(out, d->name_count);
    for (size_t i = 0; i < d->name_count; i++)
        put_name(out, &d->names[i]);
    buf_put_u16(out, d->birth_date.year);
    buf_put_byte(out, d->birth_date.month);
    buf_put_byte(out, d->birth_date.day);
    buf_put_byte(out, (uint8_t)d->sex);
    put_texts(out, d->phones, d->phone_count);
    buf_put_varint(out, d->address_count);
    for (size_t i = 0; i < d->address_count; i++) {
        buf_put_lstr(out, d->addresses[i].line);
        buf_put_lstr(out, d->addresses[i].city);
        buf_put_lstr(out, d->addresses[i].state);
        buf_put_lstr(out, d->addresses[i].postcode);
        buf_put_lstr(out, d->addresses[i].country);
    }
    put_name(out, &d->mother);
    buf_put_byte(out, (uint8_t)(d->multiple_birth | d->deceased << 1));
    buf_put_byte(out, d->birth_order);
    put_texts(out, d->emails, d->email_count);
    buf_put_lstr(out, d->birth_place);
}

void entry_people_encode(struct buf *out, const struct mpi_record_input *records, size_t count)
{
    buf_put_byte(out, PEOPLE_FORMAT);
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++)
        put_record(out, &records[i]);
}

/* The fewest bytes that one of them takes. */
enum { IDENTIFIER_BYTES = 3, NAME_BYTES = 6, TEXT_BYTES = 1, ADDRESS_BYTES = 5, RECORD_BYTES = 18, ID_BYTES = 1 };

/* A count that the rest of the body could hold at all: bounds what a damaged count can make us allocate. */
static size_t cut_count(struct cut *cut, size_t each_bytes)
{
    uint64_t count = cut_varint(cut);
    if (count > cut->rest.len / each_bytes) {
        cut->bad = true;
        return 0;
    }
    return (size_t)count;
}

static const struct str *cut_texts(struct ctx *cx, struct cut *cut, size_t *out_count)
{
    size_t count = cut_count(cut, TEXT_BYTES);
    struct str *texts = arena_array(cx->arena, count, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = cut_lstr(cut);
    *out_count = count;
    return texts;
}

static void cut_record(struct ctx *cx, struct cut *cut, uint8_t format, struct mpi_record_input *out)
{
    out->source = cut_lstr(cut);
    out->identifier_count = cut_count(cut, IDENTIFIER_BYTES);
    struct mpi_identifier *identifiers = arena_array(cx->arena, out->identifier_count, sizeof *identifiers);
    for (size_t i = 0; i < out->identifier_count; i++) {
        identifiers[i].authority = cut_lstr(cut);
        identifiers[i].value = cut_lstr(cut);
        identifiers[i].type = cut_lstr(cut);
    }
    out->identifiers = identifiers;
    struct mpi_demographics *d = &out->demographics;
    d->name_count = cut_count(cut, NAME_BYTES);
    struct mpi_name *names = arena_array(cx->arena, d->name_count, sizeof *names);
    for (size_t i = 0; i < d->name_count; i++)
        names[i] = cut_name(cut);
    d->names = names;
    d->birth_date.year = cut_u16(cut);
    d->birth_date.month = cut_u8(cut);
    d->birth_date.day = cut_u8(cut);
    d->sex = (char)cut_u8(cut);
    d->phones = cut_texts(cx, cut, &d->phone_count);
    d->address_count = cut_count(cut, ADDRESS_BYTES);
    struct mpi_address *addresses = arena_array(cx->arena, d->address_count, sizeof *addresses);
    for (size_t i = 0; i < d->address_count; i++) {
        addresses[i].line = cut_lstr(cut);
        addresses[i].city = cut_lstr(cut);
        addresses[i].state = cut_lstr(cut);
        addresses[i].postcode = cut_lstr(cut);
        addresses[i].country = cut_lstr(cut);
    }
    d->addresses = addresses;
    d->mother = cut_name(cut);
    uint8_t bits = cut_u8(cut);
    d->multiple_birth = bits & 1;
    d->deceased = bits >> 1 & 1;
    d->birth_order = cut_u8(cut);
    if (format < PEOPLE_FORMAT)
        return;
    d->emails = cut_texts(cx, cut, &d->email_count);
    d->birth_place = cut_lstr(cut);
}

status entry_people_decode(struct ctx *cx, struct str body, struct mpi_record_input **out_records, size_t *out_count)
{
    uint8_t format;
    struct cut cut = open_body_up_to(body, PEOPLE_FORMAT, &format);
    size_t count = cut_count(&cut, RECORD_BYTES);
    struct mpi_record_input *records = arena_array(cx->arena, count, sizeof *records);
    for (size_t i = 0; i < count && !cut.bad; i++)
        cut_record(cx, &cut, format, &records[i]);
    TRY(close_body(cx, &cut, ENTRY_PEOPLE));
    *out_records = records;
    *out_count = count;
    return STATUS_OK;
}

void entry_model_encode(struct buf *out, struct str text, struct str why)
{
    buf_put_byte(out, FORMAT);
    buf_put_lstr(out, why);
    buf_put_lstr(out, text);
}

status entry_model_decode(struct ctx *cx, struct str body, struct str *out_text, struct str *out_why)
{
    struct cut cut = open_body(body);
    struct str why = cut_lstr(&cut), text = cut_lstr(&cut);
    TRY(close_body(cx, &cut, ENTRY_MODEL));
    *out_text = text;
    *out_why = why;
    return STATUS_OK;
}

void entry_replay_encode(struct buf *out, const uint64_t *ids, size_t count)
{
    buf_put_byte(out, FORMAT);
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++)
        buf_put_varint(out, ids[i]);
}

status entry_replay_decode(struct ctx *cx, struct str body, uint64_t **out_ids, size_t *out_count)
{
    struct cut cut = open_body(body);
    size_t count = cut_count(&cut, ID_BYTES);
    uint64_t *ids = arena_array(cx->arena, count, sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = cut_varint(&cut);
    TRY(close_body(cx, &cut, ENTRY_REPLAY));
    *out_ids = ids;
    *out_count = count;
    return STATUS_OK;
}
