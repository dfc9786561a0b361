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
    bool bad; /* a row that cannot be read: nothing is dropped */
};

static void need(struct oldest *oldest, uint64_t seq)
{
    if (seq < oldest->seq)
        oldest->seq = seq;
}

static bool need_outbox_row(void *arg, struct str key, struct str row)
{
    struct oldest *oldest = arg;
    struct str destination;
    struct outbox_key at;
    struct cut cut = {row, false};
    need(oldest, cut_varint(&cut)); /* outbox_row: message_seq comes first */
    oldest->bad |= cut.bad || !outbox_key_read(key, &destination, &at);
    if (!oldest->bad)
        need(oldest, at.seq);
    return !oldest->bad;
}

static bool need_dead_row(void *arg, struct str key, struct str row)
{
    (void)key;
    struct oldest *oldest = arg;
    struct cut cut = {row, false};
    cut_lstr(&cut);                 /* how it ended */
    need(oldest, cut_varint(&cut)); /* the outbox row: message_seq comes first */
    oldest->bad |= cut.bad;
    return !oldest->bad;
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

/* The tables are looked through while the writer goes on: a row that moves from the outbox to the dead letters, or
 * back, may be in neither when we come by. What moved is therefore noted by the writer. */
static void begin_watch(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->moved_low = UINT64_MAX;
    pthread_mutex_unlock(&engine->lock);
}

static uint64_t moved_meanwhile(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    uint64_t low = engine->moved_low;
    pthread_mutex_unlock(&engine->lock);
    return low;
}

status retention_run(struct engine *engine, struct ctx *cx, int64_t since_us, uint64_t *out_bytes_freed)
{
    *out_bytes_freed = 0;
    if (journal_last_seq(engine->journal) == 0)
        return STATUS_OK;
    struct oldest oldest = {.seq =
                                data_applied_seq(engine->store)}; /* durable after the checkpoint, later ones perhaps */
    TRY(data_checkpoint(engine->store, cx));
    begin_watch(engine);
    uint64_t since;
    TRY(first_since(engine, cx, since_us, &since));
    need(&oldest, since);
    TRY(data_scan(engine->outbox, cx, STR_NONE, STR_NONE, need_outbox_row, &oldest));
    TRY(data_scan(engine->dead, cx, STR_NONE, STR_NONE, need_dead_row, &oldest));
    if (oldest.bad)
        return ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "outbox or dead letter row");
    need(&oldest, moved_meanwhile(engine));
    TRY(journal_drop_before(engine->journal, cx, oldest.seq, out_bytes_freed));
    if (*out_bytes_freed > 0)
        log_event(LOG_INFO, "journal.dropped", LOG_NUM("bytes", *out_bytes_freed),
                  LOG_NUM("first", journal_first_seq(engine->journal)));
    return STATUS_OK;
}
