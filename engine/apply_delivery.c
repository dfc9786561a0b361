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
    data_txn_put(ap->txn, ap->engine->delivery, delivery_key(&ap->arena, entry->message_seq, entry->destination),
                 buf_str(&encoded));
}

static void bury(struct apply *ap, uint64_t id, const struct entry_delivery *entry, const struct outbox_row *outbox)
{
    struct dead_row row = {*entry, *outbox};
    SCOPED(buf_fini) struct buf encoded = {0};
    dead_row_encode(&encoded, &row);
    data_txn_put(ap->txn, ap->engine->dead, seq_key(&ap->arena, id), buf_str(&encoded));
}

static void count_delivery(struct apply *ap, const struct entry_delivery *entry)
{
    pthread_mutex_lock(&ap->engine->lock);
    struct lane_total *total = total_lane(ap->engine, entry->destination);
    total->delivered += entry->state == DELIVERY_DELIVERED;
    total->dead += entry->state == DELIVERY_DEAD;
    total->attempts += entry->attempts;
    total->in_doubt += entry->in_doubt;
    total->dirty = true;
    pthread_mutex_unlock(&ap->engine->lock);
}

void apply_delivery(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct entry_delivery delivery;
    result->status = entry_delivery_decode(cx, entry->body, &delivery);
    if (result->status != STATUS_OK)
        return;
    struct str key = outbox_key(cx->arena, delivery.destination, delivery.key), bytes;
    if (data_txn_get(ap->txn, ap->engine->outbox, cx, key, &bytes) != STATUS_OK)
        return; /* told twice (the first telling was durable, the daemon did not know): already counted */
    struct outbox_row outbox;
    result->status = outbox_row_decode(cx, bytes, &outbox);
    if (result->status != STATUS_OK)
        return;
    data_txn_delete(ap->txn, ap->engine->outbox, key);
    write_delivery(ap, &delivery);
    if (delivery.state == DELIVERY_DEAD)
        bury(ap, entry->seq, &delivery, &outbox);
    count_delivery(ap, &delivery);
}

static status replay_one(struct apply *ap, struct ctx *cx, uint64_t id, struct outbox_key key)
{
    struct str bytes;
    struct dead_row dead;
    status got = data_txn_get(ap->txn, ap->engine->dead, cx, seq_key(cx->arena, id), &bytes);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &engine_reasons[ENGINE_DEAD_UNKNOWN], NULL);
    TRY(got);
    TRY(dead_row_decode(cx, bytes, &dead));
    if (dead.outbox.as_received && dead.outbox.message_seq < journal_first_seq(ap->engine->journal))
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_NO_ENTRY], NULL); /* its bytes are gone: the letter stays */
    data_txn_delete(ap->txn, ap->engine->dead, seq_key(cx->arena, id));
    data_txn_delete(ap->txn, ap->engine->delivery,
                    delivery_key(cx->arena, dead.outbox.message_seq, dead.delivery.destination));
    apply_queue(ap, dead.delivery.destination, key, &dead.outbox, APPLY_IN_TABLE); /* thousands may come at once */
    pthread_mutex_lock(&ap->engine->lock);
    struct lane_total *total = total_lane(ap->engine, dead.delivery.destination);
    total->dead--;
    total->dirty = true;
    pthread_mutex_unlock(&ap->engine->lock);
    return STATUS_OK;
}

void apply_replay(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    uint64_t *ids;
    size_t count;
    result->status = entry_replay_decode(cx, entry->body, &ids, &count);
    if (result->status != STATUS_OK)
        return;
    result->replayed = ids;
    struct arena scratch = {0}; /* letters carry whole messages: one at a time */
    struct ctx own = {.arena = &scratch};
    for (size_t i = 0; i < count; i++) {
        /* one that somebody else replayed in between is left out, the rest goes */
        if (replay_one(ap, &own, ids[i], (struct outbox_key){entry->seq, (uint32_t)i}) == STATUS_OK)
            ids[result->replayed_count++] = ids[i];
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
    if (result->replayed_count == 0 && count > 0) {
        result->status = own.reason ? own.reason->status : STATUS_NOT_FOUND;
        result->reason = own.reason;
    }
}
