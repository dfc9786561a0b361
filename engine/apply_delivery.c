/* What became of deliveries, and dead letters sent again. */
#include "apply_internal.h"

#include "base/mem.h"

static void write_delivery(struct apply *ap, const struct entry_delivery *entry)
{
    struct delivery_row row = {.state = entry->state,
                               .attempts = entry->attempts,
                               .in_doubt = entry->in_doubt,
                               .first_sent_us = entry->first_sent_us,
                               .done_us = entry->done_us,
                               .ack_code = entry->ack_code,
                               .why = entry->why};
    SCOPED(buf_fini) struct buf encoded = {0};
    delivery_row_encode(&encoded, &row);
    data_txn_put(ap->txn, ap->engine->delivery, delivery_key(&ap->entry_arena, entry->message_seq, entry->destination),
                 buf_str(&encoded));
}

static void bury(struct apply *ap, uint64_t id, const struct entry_delivery *entry, const struct outbox_row *outbox)
{
    struct dead_row row = {.destination = entry->destination,
                           .key = entry->key,
                           .message_seq = entry->message_seq,
                           .attempts = entry->attempts,
                           .in_doubt = entry->in_doubt,
                           .first_sent_us = entry->first_sent_us,
                           .done_us = entry->done_us,
                           .ack_code = entry->ack_code,
                           .why = entry->why,
                           .answer = entry->answer,
                           .outbox = *outbox};
    outbox_note_moved(ap, outbox->message_seq);
    SCOPED(buf_fini) struct buf encoded = {0};
    dead_row_encode(&encoded, &row);
    data_txn_put(ap->txn, ap->engine->dead, seq_key(&ap->entry_arena, id), buf_str(&encoded));
}

static void count_delivery(struct apply *ap, const struct entry_delivery *entry)
{
    struct lane_total *total = total_lane(ap->engine, entry->destination);
    total->delivered += entry->state == DELIVERY_DELIVERED;
    total->dead += entry->state == DELIVERY_DEAD;
    total->attempts += entry->attempts;
    total->in_doubt += entry->in_doubt;
}

static status end_delivery(struct apply *ap, struct ctx *cx, uint64_t seq, const struct entry_delivery *delivery)
{
    struct str key = outbox_key(cx->arena, delivery->destination, delivery->key), bytes;
    status got = data_txn_get(ap->txn, ap->engine->outbox, cx, key, &bytes);
    if (got ==
        STATUS_NOT_FOUND) { /* told twice (the first telling was durable, the daemon did not know): counted then */
        ctx_clear(cx);
        return STATUS_OK;
    }
    TRY(got);
    struct outbox_row outbox;
    TRY(outbox_row_decode(cx, bytes, &outbox));
    data_txn_delete(ap->txn, ap->engine->outbox, key);
    write_delivery(ap, delivery);
    if (delivery->state == DELIVERY_DEAD)
        bury(ap, seq, delivery, &outbox);
    else
        TRY(outbox_release(ap, cx, &outbox));
    count_delivery(ap, delivery);
    return STATUS_OK;
}

void apply_delivery(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct entry_delivery delivery;
    status got = entry_delivery_decode(cx, entry->body, &delivery);
    if (got == STATUS_OK)
        got = end_delivery(ap, cx, entry->seq, &delivery);
    applied_as(result, cx, got);
}

/* A letter that is gone was replayed by somebody else: STATUS_NOT_FOUND. */
static status replay_one(struct apply *ap, struct ctx *cx, uint64_t id, struct outbox_key key)
{
    struct str bytes;
    struct dead_row dead;
    status got = data_txn_get(ap->txn, ap->engine->dead, cx, seq_key(cx->arena, id), &bytes);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &engine_reasons[ENGINE_DEAD_UNKNOWN], NULL);
    TRY(got);
    TRY(dead_row_decode(cx, bytes, &dead));
    data_txn_delete(ap->txn, ap->engine->dead, seq_key(cx->arena, id));
    data_txn_delete(ap->txn, ap->engine->delivery, delivery_key(cx->arena, dead.outbox.message_seq, dead.destination));
    outbox_queue(ap, dead.destination, key, &dead.outbox, STR_NONE); /* thousands may come at once */
    total_lane(ap->engine, dead.destination)->dead--;
    return STATUS_OK;
}

/* One that is gone meanwhile is left out, the rest goes. */
static status replay_all(struct apply *ap, struct ctx *cx, uint64_t seq, uint64_t *ids, size_t count,
                         size_t *out_replayed)
{
    SCOPED(arena_fini) struct arena scratch = {0}; /* letters carry whole messages: one at a time */
    struct ctx own = {.arena = &scratch};
    size_t replayed = 0;
    for (size_t i = 0; i < count; i++) {
        arena_reset(&scratch);
        status got = replay_one(ap, &own, ids[i], (struct outbox_key){seq, (uint32_t)i});
        if (got == STATUS_OK)
            ids[replayed++] = ids[i];
        else if (got != STATUS_NOT_FOUND)
            return ctx_pass(cx, &own, got);
    }
    *out_replayed = replayed;
    return replayed > 0 || count == 0 ? STATUS_OK : ctx_fail(cx, &engine_reasons[ENGINE_DEAD_UNKNOWN], NULL);
}

void apply_replay(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    uint64_t *ids;
    size_t count;
    status got = entry_replay_decode(cx, entry->body, &ids, &count);
    if (got == STATUS_OK)
        got = replay_all(ap, cx, entry->seq, ids, count, &result->replayed_count);
    if (got == STATUS_OK)
        result->replayed = ids;
    applied_as(result, cx, got);
}
