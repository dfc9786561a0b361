/* Dead letters: listed, shown, sent again. */
#include "engine_internal.h"
#include "outbox.h"

#include <inttypes.h>

enum { REPLAY_MAX = 10000, REPLAY_BYTES_MAX = 64 * 1024 * 1024 }; /* in one entry; ask again for the rest */

struct letters {
    struct ctx *cx;
    struct arena scratch; /* of the row under way: it holds a whole message */
    struct str destination;
    struct engine_dead_letter *letters;
    uint64_t *ids;                       /* or only the ids */
    size_t count, max, bytes, bytes_max; /* bytes_max 0 = any */
    status failed;
};

static void fill_letter(uint64_t id, const struct dead_row *row, struct engine_dead_letter *out)
{
    *out = (struct engine_dead_letter){.id = id,
                                       .seq = row->outbox.message_seq,
                                       .destination = row->destination,
                                       .reason = row->ack_code,
                                       .detail = row->why,
                                       .control_id = row->outbox.control_id,
                                       .time_us = row->done_us,
                                       .attempts = row->attempts};
}

static void keep_letter(struct arena *arena, struct engine_dead_letter *letter)
{
    letter->destination = listed_text(arena, letter->destination);
    letter->reason = listed_text(arena, letter->reason);
    letter->detail = listed_text(arena, letter->detail);
    letter->control_id = listed_text(arena, letter->control_id);
}

static bool list_letter(void *arg, struct str key, struct str bytes)
{
    struct letters *list = arg;
    uint64_t id = 0;
    struct dead_row row;
    struct ctx own = {.arena = &list->scratch};
    arena_reset(&list->scratch);
    status got = seq_key_read(&own, key, &id);
    if (got == STATUS_OK)
        got = dead_row_decode(&own, bytes, &row);
    if (got != STATUS_OK) {
        list->failed = ctx_pass(list->cx, &own, got);
        return false;
    }
    if (list->destination.len && !str_eq(list->destination, row.destination))
        return true;
    if (list->count == list->max || (list->bytes_max && list->bytes > list->bytes_max))
        return false;
    list->bytes += bytes.len;
    if (list->letters) {
        struct engine_dead_letter *letter = &list->letters[list->count];
        fill_letter(id, &row, letter);
        keep_letter(list->cx->arena, letter);
    }
    if (list->ids)
        list->ids[list->count] = id;
    list->count++;
    return true;
}

uint64_t engine_dead_count(struct engine *engine, struct str destination)
{
    uint64_t dead = 0;
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < engine->shown.lanes.count; i++)
        if (destination.len == 0 || str_is(destination, engine->shown.lanes.at[i].name))
            dead += engine->shown.lanes.at[i].dead;
    pthread_mutex_unlock(&engine->lock);
    return dead;
}

status engine_dead_letters(struct engine *engine, struct ctx *cx, struct str destination, uint64_t after, size_t max,
                           struct engine_dead_letter **out_letters, size_t *out_count, uint64_t *out_total)
{
    struct letters list = {.cx = cx, .destination = destination, .max = max};
    struct str from = after == 0 ? STR_NONE /* numbers are those of entries */
                                 : seq_key(cx->arena, after < UINT64_MAX ? after + 1 : after);
    list.letters = arena_array(cx->arena, list.max, sizeof *list.letters);
    status got = data_scan(engine->dead, cx, STR_NONE, from, list_letter, &list);
    if (got == STATUS_OK)
        got = list.failed;
    for (size_t i = 0; i < list.count && got == STATUS_OK; i++) {
        struct message_row row;
        struct ctx own = {.arena = &list.scratch};
        arena_reset(&list.scratch);
        got = message_load(engine, &own, list.letters[i].seq, &row);
        if (got == STATUS_OK)
            list.letters[i].type = listed_text(cx->arena, row.type);
        else
            got = ctx_pass(cx, &own, got);
    }
    arena_fini(&list.scratch);
    TRY(got);
    *out_letters = list.letters;
    *out_count = list.count;
    *out_total = engine_dead_count(engine, destination);
    return STATUS_OK;
}

status engine_dead_letter(struct engine *engine, struct ctx *cx, uint64_t id, struct engine_dead_letter *out_letter)
{
    struct str bytes;
    struct dead_row row;
    status got = data_get(engine->dead, cx, seq_key(cx->arena, id), &bytes);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &engine_reasons[ENGINE_DEAD_UNKNOWN], "%" PRIu64, id);
    TRY(got);
    TRY(dead_row_decode(cx, bytes, &row));
    struct engine_dead_letter letter;
    fill_letter(id, &row, &letter);
    letter.answer = row.answer;
    struct message_row message;
    TRY(message_load(engine, cx, letter.seq, &message));
    letter.type = message.type;
    TRY(outbox_bytes(engine, cx, &row.outbox, &letter.message));
    *out_letter = letter;
    return STATUS_OK;
}

status engine_replay(struct engine *engine, struct ctx *cx, uint64_t id, struct str destination, bool dry_run,
                     uint64_t **out_ids, size_t *out_count)
{
    struct letters list = {.cx = cx, .destination = destination, .max = REPLAY_MAX, .bytes_max = REPLAY_BYTES_MAX};
    list.ids = arena_array(cx->arena, REPLAY_MAX, sizeof *list.ids);
    if (id != 0) {
        struct engine_dead_letter letter;
        TRY(engine_dead_letter(engine, cx, id, &letter));
        list.ids[list.count++] = id;
    } else {
        status got = data_scan(engine->dead, cx, STR_NONE, STR_NONE, list_letter, &list);
        arena_fini(&list.scratch);
        TRY(got);
        TRY(list.failed);
    }
    if (!dry_run && list.count > 0) {
        SCOPED(buf_fini) struct buf body = {0};
        entry_replay_encode(&body, list.ids, list.count);
        struct applied applied;
        TRY(engine_change_state(engine, cx, ENTRY_REPLAY, buf_str(&body), &applied));
        list.ids = applied.replayed;
        list.count = applied.replayed_count;
    }
    *out_ids = list.ids;
    *out_count = list.count;
    return STATUS_OK;
}
