/*
 * Retention: whole journal segments go once nobody needs them.
 *
 * Needed is what is younger than `keep`, what the store has not durably applied, and every message that waits in the
 * outbox or lies among the dead letters (their bytes are in the journal). After the first drop the store can no longer
 * be made again from the journal alone: docs/operations.md says what that asks of backups.
 */
#include "engine_internal.h"

#include "base/log.h"

struct oldest {
    uint64_t seq;
};

static void need(struct oldest *oldest, uint64_t seq)
{
    if (seq < oldest->seq)
        oldest->seq = seq;
}

static bool need_outbox_row(void *arg, struct str key, struct str row)
{
    struct str destination;
    struct outbox_key at;
    struct cut cut = {row, false};
    need(arg, cut_varint(&cut)); /* outbox_row: message_seq comes first */
    if (outbox_key_read(key, &destination, &at))
        need(arg, at.seq);
    return true;
}

static bool need_dead_row(void *arg, struct str key, struct str row)
{
    (void)key;
    struct cut cut = {row, false};
    cut_lstr(&cut);              /* how it ended */
    need(arg, cut_varint(&cut)); /* the outbox row: message_seq comes first */
    return true;
}

/* The first entry at or after `time_us`: entry times never go back, so this is a binary search. */
static status first_since(struct engine *engine, struct ctx *cx, int64_t time_us, uint64_t *out_seq)
{
    uint64_t low = journal_first_seq(engine->journal), high = journal_last_seq(engine->journal) + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct arena_mark mark = arena_mark(cx->arena);
        struct journal_entry entry;
        TRY(journal_read(engine->journal, cx, middle, &entry));
        bool before = entry.time_us < time_us;
        arena_rewind(cx->arena, mark);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    *out_seq = low;
    return STATUS_OK;
}

status retention_run(struct engine *engine, struct ctx *cx, int64_t since_us, uint64_t *out_bytes_freed)
{
    *out_bytes_freed = 0;
    if (journal_last_seq(engine->journal) == 0)
        return STATUS_OK;
    TRY(data_checkpoint(engine->store, cx)); /* what is applied is durable now */
    struct oldest oldest = {data_applied_seq(engine->store)};
    uint64_t since;
    TRY(first_since(engine, cx, since_us, &since));
    need(&oldest, since);
    TRY(data_scan(engine->outbox, cx, STR_NONE, STR_NONE, need_outbox_row, &oldest));
    TRY(data_scan(engine->dead, cx, STR_NONE, STR_NONE, need_dead_row, &oldest));
    TRY(journal_drop_before(engine->journal, cx, oldest.seq, out_bytes_freed));
    if (*out_bytes_freed > 0)
        log_event(LOG_INFO, "journal.dropped", LOG_NUM("bytes", *out_bytes_freed),
                  LOG_NUM("first", journal_first_seq(engine->journal)));
    return STATUS_OK;
}
