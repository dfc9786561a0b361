/* Rows about deliveries: what is queued, how it ended, dead letters. */
#include "rows.h"

#include "base/mem.h"

static struct str key_of(struct arena *arena, const struct buf *key)
{
    return arena_str(arena, buf_str(key));
}

/* ---- outbox ---- */

struct str outbox_prefix(struct arena *arena, struct str destination)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_str(&key, destination);
    buf_put_byte(&key, 0);
    return key_of(arena, &key);
}

struct str outbox_key(struct arena *arena, struct str destination, struct outbox_key at)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_str(&key, destination);
    buf_put_byte(&key, 0);
    buf_put_u64(&key, at.seq);
    buf_put_u32(&key, at.number);
    return key_of(arena, &key);
}

bool outbox_key_read(struct str bytes, struct str *out_destination, struct outbox_key *out_key)
{
    ptrdiff_t nul = str_find(bytes, 0);
    if (nul < 0)
        return false;
    struct cut cut = {str_from_at(bytes, (size_t)nul + 1), false};
    struct outbox_key key = {.seq = cut_u64(&cut), .number = cut_u32(&cut)};
    if (cut.bad || cut.rest.len)
        return false;
    *out_destination = str_sub(bytes, 0, (size_t)nul);
    *out_key = key;
    return true;
}

static struct str shared_key(struct arena *arena, struct str kind, uint64_t message_seq, uint32_t shared)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_str(&key, kind);
    buf_put_byte(&key, 0);
    buf_put_u64(&key, message_seq);
    buf_put_u32(&key, shared);
    return key_of(arena, &key);
}

struct str body_key(struct arena *arena, uint64_t message_seq, uint32_t shared)
{
    return shared_key(arena, STR("body"), message_seq, shared);
}

struct str held_key(struct arena *arena, uint64_t message_seq, uint32_t shared)
{
    return shared_key(arena, STR("held"), message_seq, shared);
}

void outbox_row_encode(struct buf *out, const struct outbox_row *row)
{
    buf_put_varint(out, row->message_seq);
    buf_put_lstr(out, row->control_id);
    buf_put_byte(out, (uint8_t)row->where);
    if (row->where == OUTBOX_SHARED)
        buf_put_varint(out, row->shared);
    else
        buf_put_lstr(out, row->where == OUTBOX_HERE ? row->bytes : STR_NONE);
}

static void cut_outbox_row(struct cut *cut, struct outbox_row *out)
{
    out->message_seq = cut_varint(cut);
    out->control_id = cut_lstr(cut);
    uint8_t where = cut_u8(cut);
    cut->bad |= where > OUTBOX_SHARED;
    out->where = (enum outbox_where)where;
    if (where == OUTBOX_SHARED)
        out->shared = cut_varint_u32(cut);
    else
        out->bytes = cut_lstr(cut);
}

status outbox_row_decode(struct ctx *cx, struct str bytes, struct outbox_row *out_row)
{
    struct cut cut = {bytes, false};
    struct outbox_row row = {0};
    cut_outbox_row(&cut, &row);
    TRY(row_end(cx, &cut, "outbox"));
    *out_row = row;
    return STATUS_OK;
}

/* ---- delivery and dead letter ---- */

struct str delivery_key(struct arena *arena, uint64_t seq, struct str destination)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_u64(&key, seq);
    buf_put_str(&key, destination);
    return key_of(arena, &key);
}

void delivery_row_encode(struct buf *out, const struct delivery_row *row)
{
    buf_put_byte(out, (uint8_t)row->state);
    buf_put_varint(out, row->attempts);
    buf_put_varint(out, row->in_doubt);
    buf_put_varint(out, (uint64_t)row->first_sent_us);
    buf_put_varint(out, (uint64_t)row->done_us);
    buf_put_lstr(out, row->ack_code);
    buf_put_lstr(out, row->why);
}

status delivery_row_decode(struct ctx *cx, struct str bytes, struct delivery_row *out_row)
{
    struct cut cut = {bytes, false};
    uint8_t state = cut_u8(&cut);
    cut.bad |= state != DELIVERY_DELIVERED && state != DELIVERY_DEAD;
    struct delivery_row row = {.state = (enum delivery_state)state};
    row.attempts = cut_varint_u32(&cut);
    row.in_doubt = cut_varint_u32(&cut);
    row.first_sent_us = (int64_t)cut_varint(&cut);
    row.done_us = (int64_t)cut_varint(&cut);
    row.ack_code = cut_lstr(&cut);
    row.why = cut_lstr(&cut);
    TRY(row_end(cx, &cut, "delivery"));
    *out_row = row;
    return STATUS_OK;
}

/* How it ended, as the entry said that buried it: with its length, before the outbox row. */
enum { ENDED_FORMAT = 1 };

static void put_ended(struct buf *out, const struct dead_row *row)
{
    buf_put_byte(out, ENDED_FORMAT);
    buf_put_lstr(out, row->destination);
    buf_put_varint(out, row->key.seq);
    buf_put_varint(out, row->key.number);
    buf_put_varint(out, row->message_seq);
    buf_put_byte(out, DELIVERY_DEAD);
    buf_put_varint(out, row->attempts);
    buf_put_varint(out, row->in_doubt);
    buf_put_varint(out, (uint64_t)row->first_sent_us);
    buf_put_varint(out, (uint64_t)row->done_us);
    buf_put_lstr(out, row->ack_code);
    buf_put_lstr(out, row->why);
    buf_put_lstr(out, row->answer);
}

static bool cut_ended(struct str bytes, struct dead_row *row)
{
    struct cut cut = {bytes, false};
    cut.bad |= cut_u8(&cut) != ENDED_FORMAT;
    row->destination = cut_lstr(&cut);
    row->key.seq = cut_varint(&cut);
    row->key.number = cut_varint_u32(&cut);
    row->message_seq = cut_varint(&cut);
    cut.bad |= cut_u8(&cut) != DELIVERY_DEAD;
    row->attempts = cut_varint_u32(&cut);
    row->in_doubt = cut_varint_u32(&cut);
    row->first_sent_us = (int64_t)cut_varint(&cut);
    row->done_us = (int64_t)cut_varint(&cut);
    row->ack_code = cut_lstr(&cut);
    row->why = cut_lstr(&cut);
    row->answer = cut_lstr(&cut);
    return !cut.bad && cut.rest.len == 0;
}

void dead_row_encode(struct buf *out, const struct dead_row *row)
{
    SCOPED(buf_fini) struct buf ended = {0};
    put_ended(&ended, row);
    buf_put_lstr(out, buf_str(&ended));
    outbox_row_encode(out, &row->outbox);
}

status dead_row_decode(struct ctx *cx, struct str bytes, struct dead_row *out_row)
{
    struct cut cut = {bytes, false};
    struct dead_row row = {0};
    struct str ended = cut_lstr(&cut);
    cut_outbox_row(&cut, &row.outbox);
    cut.bad |= !cut_ended(ended, &row);
    TRY(row_end(cx, &cut, "dead letter"));
    *out_row = row;
    return STATUS_OK;
}
