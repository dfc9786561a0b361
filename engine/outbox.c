#include "apply_internal.h"

enum {
    SHARE_BYTES_MIN = 4096,            /* below, a copy in each row costs less than counting who shares */
    FEED_BYTES_MAX = 256 * 1024,       /* larger messages the lanes read from the table, one at a time */
    FEED_BATCH_BYTES = 8 * 1024 * 1024 /* past it, so do the rest of the batch's */
};

bool outbox_is_worth_sharing(size_t bytes, size_t rows)
{
    return rows > 1 && bytes >= SHARE_BYTES_MIN;
}

void outbox_note_moved(struct apply *ap, uint64_t message_seq)
{
    if (message_seq < ap->moved_low)
        ap->moved_low = message_seq;
}

void outbox_queue(struct apply *ap, struct str destination, struct outbox_key key, const struct outbox_row *row,
                  struct str bytes)
{
    SCOPED(buf_fini) struct buf encoded = {0};
    outbox_row_encode(&encoded, row);
    data_txn_put(ap->txn, ap->engine->outbox, outbox_key(&ap->entry_arena, destination, key), buf_str(&encoded));
    outbox_note_moved(ap, row->message_seq);
    if (!ap->live)
        return; /* the lanes load from the table when they start */
    bool in_table = bytes.data == NULL || bytes.len > FEED_BYTES_MAX || ap->feed_bytes > FEED_BATCH_BYTES;
    struct lane_item *item =
        lane_item_new(destination, key, row->message_seq, row->control_id, in_table ? STR_NONE : bytes);
    item->in_table = in_table;
    ap->feed_bytes += sizeof *item + item->bytes.len;
    *ap->items_end = item;
    ap->items_end = &item->next;
}

void outbox_share(struct apply *ap, uint64_t message_seq, uint32_t shared, struct str bytes, uint32_t rows)
{
    INVARIANT(rows > 0);
    SCOPED(buf_fini) struct buf count = {0};
    buf_put_varint(&count, rows);
    data_txn_put(ap->txn, ap->engine->meta, body_key(&ap->entry_arena, message_seq, shared), bytes);
    data_txn_put(ap->txn, ap->engine->meta, held_key(&ap->entry_arena, message_seq, shared), buf_str(&count));
}

static status missing_body(struct ctx *cx, status got)
{
    return got == STATUS_NOT_FOUND ? ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "shared bytes are missing") : got;
}

status outbox_release(struct apply *ap, struct ctx *cx, const struct outbox_row *row)
{
    if (row->where != OUTBOX_SHARED)
        return STATUS_OK;
    struct data_table *meta = ap->engine->meta;
    struct str key = held_key(cx->arena, row->message_seq, row->shared), bytes;
    status got = data_txn_get(ap->txn, meta, cx, key, &bytes);
    if (got != STATUS_OK)
        return missing_body(cx, got);
    struct cut cut = {bytes, false};
    uint64_t rows = cut_varint(&cut);
    if (cut.bad || cut.rest.len || rows == 0)
        return ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "count of shared bytes");
    if (rows == 1) {
        data_txn_delete(ap->txn, meta, key);
        data_txn_delete(ap->txn, meta, body_key(cx->arena, row->message_seq, row->shared));
        return STATUS_OK;
    }
    SCOPED(buf_fini) struct buf count = {0};
    buf_put_varint(&count, rows - 1);
    data_txn_put(ap->txn, meta, key, buf_str(&count));
    return STATUS_OK;
}

status outbox_bytes(struct engine *engine, struct ctx *cx, const struct outbox_row *row, struct str *out_bytes)
{
    struct journal_entry entry;
    struct entry_message message;
    switch (row->where) {
    case OUTBOX_HERE:
        *out_bytes = row->bytes;
        return STATUS_OK;
    case OUTBOX_JOURNAL:
        TRY(journal_read(engine->journal, cx, row->message_seq, &entry));
        TRY(entry_message_decode(cx, entry.body, &message));
        *out_bytes = message.message;
        return STATUS_OK;
    case OUTBOX_SHARED:
        break;
    }
    status got = data_get(engine->meta, cx, body_key(cx->arena, row->message_seq, row->shared), out_bytes);
    return got == STATUS_OK ? STATUS_OK : missing_body(cx, got);
}
