#include "stored_internal.h"

#include "base/mem.h"
#include "model_internal.h"

/* ---- keys ---- */

static void put_part(struct key *key, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        key->bytes[key->len++] = (char)(value >> shift);
}

struct key key_1(uint64_t a)
{
    struct key key = {.len = 0};
    put_part(&key, a);
    return key;
}

struct key key_2(uint64_t a, uint64_t b)
{
    struct key key = key_1(a);
    put_part(&key, b);
    return key;
}

struct key key_3(uint64_t a, uint64_t b, uint64_t c)
{
    struct key key = key_2(a, b);
    put_part(&key, c);
    return key;
}

uint64_t key_part(struct str key, size_t part)
{
    struct cut cut = {.rest = str_from_at(key, part * 8)};
    uint64_t value = cut_u64(&cut);
    return cut.bad ? 0 : value;
}

/* ---- parts ---- */

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
    struct mpi_name name;
    name.family = cut_lstr(cut);
    name.given = cut_lstr(cut);
    name.middle = cut_lstr(cut);
    name.suffix = cut_lstr(cut);
    name.prefix = cut_lstr(cut);
    name.type = cut_lstr(cut);
    return name;
}

/* A list length that the remaining bytes can hold (every item takes a byte at least). */
static size_t cut_count(struct cut *cut)
{
    uint64_t count = cut_varint(cut);
    if (count > STORED_LIST_MAX || count > cut->rest.len)
        cut->bad = true;
    return cut->bad ? 0 : (size_t)count;
}

static struct mpi_name *cut_names(struct cut *cut, struct arena *arena, size_t *out_count)
{
    size_t count = cut_count(cut);
    struct mpi_name *names = arena_array(arena, count ? count : 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = cut_name(cut);
    *out_count = count;
    return names;
}

/* SAID_MORE: e-mail addresses and birth place follow at the end. A row that is older, or says neither, ends before. */
enum { SAID_MULTIPLE_BIRTH = 1, SAID_DECEASED = 2, SAID_MORE = 4 };

static uint8_t said_flags(const struct mpi_demographics *said)
{
    bool more = said->email_count > 0 || said->birth_place.len > 0;
    return (uint8_t)((said->multiple_birth ? SAID_MULTIPLE_BIRTH : 0) | (said->deceased ? SAID_DECEASED : 0) |
                     (more ? SAID_MORE : 0));
}

static void put_texts(struct buf *out, const struct str *texts, size_t count)
{
    buf_put_varint(out, count);
    for (size_t i = 0; i < count; i++)
        buf_put_lstr(out, texts[i]);
}

static const struct str *cut_texts(struct cut *cut, struct arena *arena, size_t *out_count)
{
    size_t count = cut_count(cut);
    struct str *texts = arena_array(arena, count ? count : 1, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = cut_lstr(cut);
    *out_count = count;
    return texts;
}

static void put_said(struct buf *out, const struct mpi_demographics *said)
{
    buf_put_varint(out, said->name_count);
    for (size_t i = 0; i < said->name_count; i++)
        put_name(out, &said->names[i]);
    buf_put_varint(out, said->birth_date.year);
    buf_put_byte(out, said->birth_date.month);
    buf_put_byte(out, said->birth_date.day);
    buf_put_byte(out, (uint8_t)said->sex);
    buf_put_byte(out, said->birth_order);
    uint8_t flags = said_flags(said);
    buf_put_byte(out, flags);
    put_texts(out, said->phones, said->phone_count);
    buf_put_varint(out, said->address_count);
    for (size_t i = 0; i < said->address_count; i++) {
        const struct mpi_address *address = &said->addresses[i];
        buf_put_lstr(out, address->line);
        buf_put_lstr(out, address->city);
        buf_put_lstr(out, address->state);
        buf_put_lstr(out, address->postcode);
        buf_put_lstr(out, address->country);
    }
    put_name(out, &said->mother);
    if (flags & SAID_MORE) {
        put_texts(out, said->emails, said->email_count);
        buf_put_lstr(out, said->birth_place);
    }
}

static const struct mpi_address *cut_addresses(struct cut *cut, struct arena *arena, size_t *out_count)
{
    size_t count = cut_count(cut);
    struct mpi_address *address = arena_array(arena, count ? count : 1, sizeof *address);
    for (size_t i = 0; i < count; i++) {
        address[i].line = cut_lstr(cut);
        address[i].city = cut_lstr(cut);
        address[i].state = cut_lstr(cut);
        address[i].postcode = cut_lstr(cut);
        address[i].country = cut_lstr(cut);
    }
    *out_count = count;
    return address;
}

static struct mpi_demographics cut_said(struct cut *cut, struct arena *arena)
{
    struct mpi_demographics said = {0};
    said.names = cut_names(cut, arena, &said.name_count);
    uint64_t year = cut_varint(cut);
    if (year > 9999)
        cut->bad = true;
    said.birth_date.year = (uint16_t)year;
    said.birth_date.month = cut_u8(cut);
    said.birth_date.day = cut_u8(cut);
    said.sex = (char)cut_u8(cut);
    said.birth_order = cut_u8(cut);
    uint8_t flags = cut_u8(cut);
    said.multiple_birth = flags & SAID_MULTIPLE_BIRTH;
    said.deceased = flags & SAID_DECEASED;
    said.phones = cut_texts(cut, arena, &said.phone_count);
    said.addresses = cut_addresses(cut, arena, &said.address_count);
    said.mother = cut_name(cut);
    if (flags & SAID_MORE) {
        said.emails = cut_texts(cut, arena, &said.email_count);
        said.birth_place = cut_lstr(cut);
    }
    return said;
}

static status row_end(struct ctx *cx, const struct cut *cut, const char *table)
{
    if (cut->bad || cut->rest.len > 0)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table %s", table);
    return STATUS_OK;
}

/* ---- records ---- */

enum { RECORD_ACTIVE = 1, RECORD_PERSON_LEVEL = 2 };

void encode_record(struct buf *out, const struct stored_record *record)
{
    buf_put_lstr(out, record->source);
    buf_put_varint(out, record->identifier_count);
    for (size_t i = 0; i < record->identifier_count; i++) {
        buf_put_lstr(out, record->identifiers[i].authority);
        buf_put_lstr(out, record->identifiers[i].value);
        buf_put_lstr(out, record->identifiers[i].type);
    }
    put_said(out, &record->said);
    buf_put_varint(out, record->former_count);
    for (size_t i = 0; i < record->former_count; i++)
        put_name(out, &record->former[i]);
    buf_put_varint(out, record->first_seq);
    buf_put_varint(out, record->last_seq);
    buf_put_varint(out, (uint64_t)record->first_us);
    buf_put_varint(out, (uint64_t)record->last_us);
    buf_put_varint(out, record->versions);
    buf_put_byte(out,
                 (uint8_t)((record->active ? RECORD_ACTIVE : 0) | (record->person_level ? RECORD_PERSON_LEVEL : 0)));
}

status decode_record(struct ctx *cx, struct str row, struct stored_record *out_record)
{
    struct cut cut = {.rest = row};
    struct stored_record record = {.source = cut_lstr(&cut)};
    record.identifier_count = cut_count(&cut);
    record.identifiers =
        arena_array(cx->arena, record.identifier_count ? record.identifier_count : 1, sizeof *record.identifiers);
    for (size_t i = 0; i < record.identifier_count; i++) {
        record.identifiers[i].authority = cut_lstr(&cut);
        record.identifiers[i].value = cut_lstr(&cut);
        record.identifiers[i].type = cut_lstr(&cut);
    }
    record.said = cut_said(&cut, cx->arena);
    record.former = cut_names(&cut, cx->arena, &record.former_count);
    record.first_seq = cut_varint(&cut);
    record.last_seq = cut_varint(&cut);
    record.first_us = (int64_t)cut_varint(&cut);
    record.last_us = (int64_t)cut_varint(&cut);
    record.versions = (uint32_t)cut_varint(&cut);
    uint8_t flags = cut_u8(&cut);
    record.active = flags & RECORD_ACTIVE;
    record.person_level = flags & RECORD_PERSON_LEVEL;
    TRY(row_end(cx, &cut, "mpi.record"));
    if (record.identifier_count == 0)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.record: no identifier");
    *out_record = record;
    return STATUS_OK;
}

/* ---- members ---- */

void encode_member(struct buf *out, const struct stored_member *member)
{
    buf_put_varint(out, member->person);
    buf_put_varint(out, member->retired_into);
}

status decode_member(struct ctx *cx, struct str row, struct stored_member *out_member)
{
    struct cut cut = {.rest = row};
    struct stored_member member = {.person = cut_varint(&cut), .retired_into = cut_varint(&cut)};
    TRY(row_end(cx, &cut, "mpi.member"));
    *out_member = member;
    return STATUS_OK;
}

/* ---- decisions ---- */

void encode_decision(struct buf *out, const struct stored_decision *decision)
{
    buf_put_byte(out, (uint8_t)decision->kind);
    buf_put_varint(out, decision->left);
    buf_put_varint(out, decision->right);
    buf_put_varint(out, decision->undoes);
    buf_put_varint(out, decision->undone_by);
    buf_put_lstr(out, decision->note);
    buf_put_lstr(out, decision->source);
    buf_put_lstr(out, decision->by);
    buf_put_varint(out, (uint64_t)decision->time_us);
}

status decode_decision(struct ctx *cx, struct str row, struct stored_decision *out_decision)
{
    struct cut cut = {.rest = row};
    struct stored_decision decision = {.kind = cut_u8(&cut)};
    decision.left = cut_varint(&cut);
    decision.right = cut_varint(&cut);
    decision.undoes = cut_varint(&cut);
    decision.undone_by = cut_varint(&cut);
    decision.note = cut_lstr(&cut);
    decision.source = cut_lstr(&cut);
    decision.by = cut_lstr(&cut);
    decision.time_us = (int64_t)cut_varint(&cut);
    TRY(row_end(cx, &cut, "mpi.decision"));
    if (decision.kind < MPI_DECISION_SAME || decision.kind > MPI_DECISION_UNDO)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.decision: kind %d", (int)decision.kind);
    *out_decision = decision;
    return STATUS_OK;
}

/* ---- comparisons: field and level numbers of a model version, with the weights as they were ---- */

static uint64_t zigzag(int32_t value)
{
    return ((uint64_t)(int64_t)value << 1) ^ (uint64_t)((int64_t)value >> 63);
}

static int32_t unzigzag(uint64_t value)
{
    return (int32_t)(int64_t)(value >> 1 ^ -(value & 1));
}

/* Model version 1 had no score below 0 and wrote it as it is; its edges are scored again when the store is opened. */
void encode_edge(struct buf *out, int32_t score_mbit)
{
    buf_put_varint(out, zigzag(score_mbit));
}

status decode_edge(struct ctx *cx, struct str row, int32_t *out_score_mbit)
{
    struct cut cut = {.rest = row};
    uint64_t score = cut_varint(&cut);
    if (cut.bad || cut.rest.len > 0 || score > UINT32_MAX)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.edge");
    *out_score_mbit = unzigzag(score);
    return STATUS_OK;
}

/* Evidence lines are rows of model_fields, or what relatives share; the last one is the prior. */
enum { LINE_KIN = 0xFE };

static uint8_t line_field(const struct mpi_evidence *line)
{
    uint8_t field = 0;
    while (field < FIELD_COUNT && model_fields[field].name != line->field)
        field++;
    return field < FIELD_COUNT ? field : LINE_KIN;
}

static uint8_t line_level(uint8_t field, const struct mpi_evidence *line)
{
    uint8_t level = 0;
    while (field != LINE_KIN && level + 1 < LEVELS_MAX && model_fields[field].levels[level] != line->level)
        level++;
    return level;
}

static void put_comparison(struct buf *out, const struct mpi_comparison *comparison)
{
    buf_put_varint(out, comparison->model_version);
    buf_put_varint(out, comparison->left_record);
    buf_put_varint(out, comparison->right_record);
    buf_put_varint(out, zigzag(comparison->score_mbit));
    buf_put_varint(out, comparison->probability_ppm);
    size_t lines = comparison->evidence_count ? comparison->evidence_count - 1 : 0;
    buf_put_byte(out, (uint8_t)lines);
    for (size_t i = 0; i < lines; i++) {
        const struct mpi_evidence *line = &comparison->evidence[i];
        uint8_t field = line_field(line);
        buf_put_byte(out, field);
        buf_put_byte(out, line_level(field, line));
        buf_put_varint(out, zigzag(line->weight_mbit));
    }
    buf_put_varint(out, zigzag(comparison->evidence_count ? comparison->evidence[lines].weight_mbit : 0));
}

/* False: no such line. */
static bool name_line(uint8_t field, uint8_t level, struct mpi_evidence *out_line)
{
    if (field == LINE_KIN && level == 0) {
        out_line->field = model_kin_field;
        out_line->level = model_kin_level;
        return true;
    }
    if (field >= FIELD_COUNT || level >= LEVELS_MAX || model_fields[field].levels[level] == NULL)
        return false;
    out_line->field = model_fields[field].name;
    out_line->level = model_fields[field].levels[level];
    return true;
}

static struct mpi_comparison cut_comparison(struct cut *cut)
{
    enum { OTHER_FIELDS_VERSION = 1 }; /* its fields and levels are not today's: only its score is still understood */
    struct mpi_comparison made = {.model_version = (uint32_t)cut_varint(cut)};
    made.left_record = cut_varint(cut);
    made.right_record = cut_varint(cut);
    made.score_mbit = unzigzag(cut_varint(cut));
    made.probability_ppm = (uint32_t)cut_varint(cut);
    size_t lines = cut_u8(cut);
    if (lines >= MPI_EVIDENCE_MAX)
        cut->bad = true;
    for (size_t i = 0; i < lines && !cut->bad; i++) {
        uint8_t field = cut_u8(cut), level = cut_u8(cut);
        struct mpi_evidence *line = &made.evidence[i];
        line->weight_mbit = unzigzag(cut_varint(cut));
        if (made.model_version != OTHER_FIELDS_VERSION && !name_line(field, level, line))
            cut->bad = true;
    }
    int32_t prior = unzigzag(cut_varint(cut));
    if (cut->bad || lines == 0 || made.model_version == OTHER_FIELDS_VERSION)
        return made;
    made.evidence[lines] = (struct mpi_evidence){model_prior_field, model_prior_level, prior};
    made.evidence_count = (uint32_t)lines + 1;
    return made;
}

void encode_comparison(struct buf *out, const struct mpi_comparison *comparison)
{
    put_comparison(out, comparison);
}

status decode_comparison(struct ctx *cx, struct str row, struct mpi_comparison *out_comparison)
{
    struct cut cut = {.rest = row};
    struct mpi_comparison comparison = cut_comparison(&cut);
    TRY(row_end(cx, &cut, "mpi.link"));
    *out_comparison = comparison;
    return STATUS_OK;
}

/* ---- reviews and events ---- */

void encode_review(struct buf *out, const struct stored_review *review)
{
    buf_put_varint(out, review->left);
    buf_put_varint(out, review->right);
    buf_put_varint(out, (uint64_t)review->opened_us);
    put_comparison(out, &review->comparison);
}

status decode_review(struct ctx *cx, struct str row, struct stored_review *out_review)
{
    struct cut cut = {.rest = row};
    struct stored_review review = {.left = cut_varint(&cut), .right = cut_varint(&cut)};
    review.opened_us = (int64_t)cut_varint(&cut);
    review.comparison = cut_comparison(&cut);
    TRY(row_end(cx, &cut, "mpi.review"));
    *out_review = review;
    return STATUS_OK;
}

void encode_event(struct buf *out, const struct stored_event *event)
{
    buf_put_byte(out, event->what);
    buf_put_varint(out, (uint64_t)event->time_us);
    buf_put_varint(out, event->person);
    buf_put_varint(out, event->other);
    buf_put_lstr(out, event->by);
}

status decode_event(struct ctx *cx, struct str row, struct stored_event *out_event)
{
    struct cut cut = {.rest = row};
    struct stored_event event = {.what = cut_u8(&cut)};
    event.time_us = (int64_t)cut_varint(&cut);
    event.person = cut_varint(&cut);
    event.other = cut_varint(&cut);
    event.by = cut_lstr(&cut);
    TRY(row_end(cx, &cut, "mpi.event"));
    *out_event = event;
    return STATUS_OK;
}
