/* Rows about messages; those of deliveries: rows_delivery.c. */
#include "rows.h"

#include "base/mem.h"
#include "engine/engine.h"

status row_end(struct ctx *cx, const struct cut *cut, const char *what)
{
    if (cut->bad || cut->rest.len)
        return ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "%s row", what);
    return STATUS_OK;
}

/* The fewest bytes that one of them takes. */
enum { CODE_BYTES = 10, CHANGE_BYTES = 5, OUTPUT_BYTES = 2, PATIENT_BYTES = 5 };

/* A count that the rest of the row could hold: bounds what a damaged one makes us allocate. */
static size_t cut_count(struct cut *cut, size_t each_bytes)
{
    uint64_t count = cut_varint(cut);
    if (count > cut->rest.len / each_bytes) {
        cut->bad = true;
        return 0;
    }
    return (size_t)count;
}

/* zigzag: small negative numbers stay small */
static void put_signed(struct buf *out, int64_t value)
{
    buf_put_varint(out, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static int64_t cut_signed(struct cut *cut)
{
    uint64_t value = cut_varint(cut);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static int32_t cut_signed_number(struct cut *cut)
{
    int64_t value = cut_signed(cut);
    cut->bad |= value < INT32_MIN || value > INT32_MAX;
    return (int32_t)value;
}

static struct str key_of(struct arena *arena, const struct buf *key)
{
    return arena_str(arena, buf_str(key));
}

struct str seq_key(struct arena *arena, uint64_t seq)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_u64(&key, seq);
    return key_of(arena, &key);
}

status seq_key_read(struct ctx *cx, struct str key, uint64_t *out_seq)
{
    struct cut cut = {key, false};
    uint64_t seq = cut_u64(&cut);
    TRY(row_end(cx, &cut, "key of a"));
    *out_seq = seq;
    return STATUS_OK;
}

/* ---- message ---- */

static void put_comparison(struct buf *out, const struct message_row_comparison *c)
{
    buf_put_varint(out, c->evidence_count);
    if (c->evidence_count == 0)
        return;
    buf_put_varint(out, c->left_record);
    buf_put_varint(out, c->right_record);
    put_signed(out, c->score_mbit);
    buf_put_varint(out, c->probability_ppm);
    buf_put_varint(out, c->model_version);
    for (uint32_t i = 0; i < c->evidence_count; i++) {
        buf_put_lstr(out, c->evidence[i].field);
        buf_put_lstr(out, c->evidence[i].level);
        put_signed(out, c->evidence[i].weight_mbit);
    }
}

static void cut_comparison(struct cut *cut, struct message_row_comparison *out)
{
    uint64_t count = cut_varint(cut);
    if (count > ROW_EVIDENCE_MAX)
        cut->bad = true;
    if (count == 0 || cut->bad)
        return;
    out->evidence_count = (uint32_t)count;
    out->left_record = cut_varint(cut);
    out->right_record = cut_varint(cut);
    out->score_mbit = cut_signed_number(cut);
    out->probability_ppm = cut_varint_u32(cut);
    out->model_version = cut_varint_u32(cut);
    for (uint32_t i = 0; i < count; i++) {
        out->evidence[i].field = cut_lstr(cut);
        out->evidence[i].level = cut_lstr(cut);
        out->evidence[i].weight_mbit = cut_signed_number(cut);
    }
}

static void put_code(struct buf *out, const struct message_row_code *code)
{
    const struct str texts[] = {code->path,           code->outcome,       code->system,
                                code->code,           code->target_system, code->target_code,
                                code->target_display, code->map,           code->map_version};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_put_lstr(out, texts[i]);
    buf_put_varint(out, code->map_row);
}

static void cut_code(struct cut *cut, struct message_row_code *out)
{
    struct str *const texts[] = {&out->path,           &out->outcome,       &out->system,
                                 &out->code,           &out->target_system, &out->target_code,
                                 &out->target_display, &out->map,           &out->map_version};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = cut_lstr(cut);
    out->map_row = cut_varint(cut);
}

void message_row_encode(struct buf *out, const struct message_row *row)
{
    buf_put_lstr(out, row->source);
    buf_put_lstr(out, row->protocol);
    buf_put_lstr(out, row->peer);
    buf_put_varint(out, (uint64_t)row->received_us);
    buf_put_lstr(out, row->principal);
    buf_put_varint(out, (uint64_t)row->journaled_us);
    buf_put_lstr(out, row->control_id);
    buf_put_lstr(out, row->type);
    buf_put_lstr(out, row->ack_code);
    buf_put_lstr(out, row->reason);
    buf_put_lstr(out, row->detail);
    buf_put_varint(out, row->duplicate_of);
    buf_put_varint(out, row->warnings);
    buf_put_lstr(out, row->verdict);
    buf_put_varint(out, row->person);
    buf_put_varint(out, row->record);
    buf_put_varint(out, row->review);
    put_comparison(out, &row->comparison);
    buf_put_lstr(out, row->routes_version);
    buf_put_varint(out, row->code_count);
    for (size_t i = 0; i < row->code_count; i++)
        put_code(out, &row->codes[i]);
    buf_put_varint(out, row->change_count);
    for (size_t i = 0; i < row->change_count; i++) {
        buf_put_lstr(out, row->changes[i].route);
        buf_put_lstr(out, row->changes[i].path);
        buf_put_lstr(out, row->changes[i].before);
        buf_put_lstr(out, row->changes[i].after);
        buf_put_lstr(out, row->changes[i].why);
    }
    buf_put_varint(out, row->output_count);
    for (size_t i = 0; i < row->output_count; i++) {
        buf_put_lstr(out, row->outputs[i].route);
        buf_put_lstr(out, row->outputs[i].destination);
    }
    if (row->patient_count == 0)
        return; /* rows of one patient end here, as they always did */
    buf_put_varint(out, row->patient_count);
    for (size_t i = 0; i < row->patient_count; i++) {
        buf_put_varint(out, row->patients[i].pid);
        buf_put_varint(out, row->patients[i].record);
        buf_put_varint(out, row->patients[i].person);
        buf_put_varint(out, row->patients[i].review);
        buf_put_lstr(out, row->patients[i].verdict);
    }
}

static void cut_patients(struct ctx *cx, struct cut *cut, struct message_row *row)
{
    if (cut->rest.len == 0)
        return;
    row->patient_count = cut_count(cut, PATIENT_BYTES);
    cut->bad |= row->patient_count == 0;
    row->patients = arena_array(cx->arena, row->patient_count, sizeof *row->patients);
    for (size_t i = 0; i < row->patient_count; i++) {
        row->patients[i].pid = cut_varint_u32(cut);
        row->patients[i].record = cut_varint(cut);
        row->patients[i].person = cut_varint(cut);
        row->patients[i].review = cut_varint(cut);
        row->patients[i].verdict = cut_lstr(cut);
    }
}

static void cut_lists(struct ctx *cx, struct cut *cut, struct message_row *row)
{
    row->code_count = cut_count(cut, CODE_BYTES);
    row->codes = arena_array(cx->arena, row->code_count, sizeof *row->codes);
    for (size_t i = 0; i < row->code_count; i++)
        cut_code(cut, &row->codes[i]);
    row->change_count = cut_count(cut, CHANGE_BYTES);
    row->changes = arena_array(cx->arena, row->change_count, sizeof *row->changes);
    for (size_t i = 0; i < row->change_count; i++) {
        row->changes[i].route = cut_lstr(cut);
        row->changes[i].path = cut_lstr(cut);
        row->changes[i].before = cut_lstr(cut);
        row->changes[i].after = cut_lstr(cut);
        row->changes[i].why = cut_lstr(cut);
    }
    row->output_count = cut_count(cut, OUTPUT_BYTES);
    row->outputs = arena_array(cx->arena, row->output_count, sizeof *row->outputs);
    for (size_t i = 0; i < row->output_count; i++) {
        row->outputs[i].route = cut_lstr(cut);
        row->outputs[i].destination = cut_lstr(cut);
    }
}

status message_row_decode(struct ctx *cx, struct str bytes, struct message_row *out_row)
{
    struct cut cut = {bytes, false};
    struct message_row row = {0};
    row.source = cut_lstr(&cut);
    row.protocol = cut_lstr(&cut);
    row.peer = cut_lstr(&cut);
    row.received_us = (int64_t)cut_varint(&cut);
    row.principal = cut_lstr(&cut);
    row.journaled_us = (int64_t)cut_varint(&cut);
    row.control_id = cut_lstr(&cut);
    row.type = cut_lstr(&cut);
    row.ack_code = cut_lstr(&cut);
    row.reason = cut_lstr(&cut);
    row.detail = cut_lstr(&cut);
    row.duplicate_of = cut_varint(&cut);
    row.warnings = cut_varint_u32(&cut);
    row.verdict = cut_lstr(&cut);
    row.person = cut_varint(&cut);
    row.record = cut_varint(&cut);
    row.review = cut_varint(&cut);
    cut_comparison(&cut, &row.comparison);
    row.routes_version = cut_lstr(&cut);
    cut_lists(cx, &cut, &row);
    cut_patients(cx, &cut, &row);
    TRY(row_end(cx, &cut, "message"));
    *out_row = row;
    return STATUS_OK;
}

/* ---- control ---- */

struct str control_key(struct arena *arena, struct str control_id, struct str source)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_str(&key, control_id);
    buf_put_byte(&key, 0);
    buf_put_str(&key, source);
    return key_of(arena, &key);
}

void control_row_encode(struct buf *out, const struct control_row *row)
{
    buf_put_varint(out, row->seq);
    buf_put_varint(out, row->person);
    buf_put(out, row->digest, sizeof row->digest);
    buf_put_lstr(out, row->ack_code);
    buf_put_lstr(out, row->verdict);
    buf_put_lstr(out, row->ack);
}

status control_row_decode(struct ctx *cx, struct str bytes, struct control_row *out_row)
{
    struct cut cut = {bytes, false};
    struct control_row row = {.seq = cut_varint(&cut)};
    row.person = cut_varint(&cut);
    struct str digest = cut_bytes(&cut, sizeof row.digest);
    row.ack_code = cut_lstr(&cut);
    row.verdict = cut_lstr(&cut);
    row.ack = cut_lstr(&cut);
    TRY(row_end(cx, &cut, "control"));
    memcpy(row.digest, digest.data, sizeof row.digest);
    *out_row = row;
    return STATUS_OK;
}
