/* What people ask the engine: routes, messages, traces, dead letters, status. Reads only, from any thread. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "engine_internal.h"

#include <inttypes.h>
#include <stdio.h>

static struct routes *current_routes(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct routes *routes = routes_ref(engine->routes);
    pthread_mutex_unlock(&engine->lock);
    return routes;
}

/* ---- routes ---- */

static void view_routes(struct ctx *cx, const struct routes *routes, struct engine_routes_view *out)
{
    struct arena *arena = cx->arena;
    *out = (struct engine_routes_view){
        .version = arena_str(arena, routes->version), .text = arena_str(arena, routes->text), .seq = routes->seq};
    out->routes = arena_array(arena, routes->route_count, sizeof *out->routes);
    out->destinations = arena_array(arena, routes->destination_count, sizeof *out->destinations);
    size_t sources = 0;
    for (size_t i = 0; i < routes->route_count; i++) {
        out->routes[out->route_count++] = arena_str(arena, routes->routes[i].name);
        sources += routes->routes[i].source_count;
    }
    for (size_t i = 0; i < routes->destination_count; i++)
        out->destinations[out->destination_count++] = arena_str(arena, routes->destinations[i].name);
    out->sources = arena_array(arena, sources, sizeof *out->sources);
    for (size_t i = 0; i < routes->route_count; i++)
        for (size_t j = 0; j < routes->routes[i].source_count; j++) {
            struct str source = routes->routes[i].sources[j];
            bool seen = false;
            for (size_t k = 0; k < out->source_count && !seen; k++)
                seen = str_eq(out->sources[k], source);
            if (!seen)
                out->sources[out->source_count++] = arena_str(arena, source);
        }
}

status engine_routes(struct engine *engine, struct ctx *cx, struct engine_routes_view *out_routes)
{
    struct routes *routes = current_routes(engine);
    view_routes(cx, routes, out_routes);
    routes_unref(routes);
    return STATUS_OK;
}

status engine_apply_routes(struct engine *engine, struct ctx *cx, struct str text, bool dry_run,
                           struct engine_routes_view *out_routes)
{
    struct routes *routes;
    TRY(routes_parse(cx, text, 0, &routes)); /* a faulty text never becomes an entry */
    uint64_t seq = 0;
    if (!dry_run) {
        struct applied applied;
        status got = engine_change_state(engine, cx, ENTRY_ROUTES, text, &applied);
        if (got != STATUS_OK) {
            routes_unref(routes);
            return got;
        }
        seq = applied.seq;
    }
    view_routes(cx, routes, out_routes);
    out_routes->seq = seq;
    routes_unref(routes);
    return STATUS_OK;
}

/* ---- messages and traces ---- */

static status load_message(struct engine *engine, struct ctx *cx, uint64_t seq, struct message_row *out_row)
{
    struct str bytes;
    status got = data_get(engine->message, cx, seq_key(cx->arena, seq), &bytes);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &engine_reasons[ENGINE_MESSAGE_UNKNOWN], "%" PRIu64, seq);
    TRY(got);
    return message_row_decode(cx, bytes, out_row);
}

struct newest {
    uint64_t seq;
    struct ctx *cx;
};

static bool newer(void *arg, struct str key, struct str row)
{
    (void)key;
    struct newest *newest = arg;
    struct control_row control;
    if (control_row_decode(newest->cx, row, &control) == STATUS_OK && control.seq > newest->seq)
        newest->seq = control.seq;
    return true;
}

static status find_by_control_id(struct engine *engine, struct ctx *cx, struct str control_id, uint64_t *out_seq)
{
    struct newest newest = {.cx = cx};
    TRY(data_scan(engine->control, cx, control_key(cx->arena, control_id, STR_NONE), STR_NONE, newer, &newest));
    if (newest.seq == 0)
        return ctx_fail(cx, &engine_reasons[ENGINE_MESSAGE_UNKNOWN], NULL);
    *out_seq = newest.seq;
    return STATUS_OK;
}

static void add_step(struct ctx *cx, struct engine_trace *trace, int64_t time_us, int64_t took_us, const char *step,
                     struct str detail)
{
    (void)cx;
    trace->steps[trace->step_count++] = (struct engine_step){time_us, took_us, str_from(step), detail};
}

static status load_deliveries(struct engine *engine, struct ctx *cx, uint64_t seq, const struct message_row *row,
                              struct engine_trace *trace, int64_t *out_first_sent_us)
{
    trace->deliveries = arena_array(cx->arena, row->output_count, sizeof *trace->deliveries);
    for (size_t i = 0; i < row->output_count; i++) {
        struct engine_delivery *delivery = &trace->deliveries[trace->delivery_count];
        *delivery = (struct engine_delivery){.destination = row->outputs[i].destination, .state = STR("queued")};
        struct str bytes;
        struct delivery_row stored;
        status got = data_get(engine->delivery, cx, delivery_key(cx->arena, seq, delivery->destination), &bytes);
        if (got == STATUS_OK) {
            TRY(delivery_row_decode(cx, bytes, &stored));
            delivery->state = stored.state == DELIVERY_DELIVERED ? STR("delivered") : STR("dead");
            delivery->attempts = stored.attempts;
            delivery->in_doubt = stored.in_doubt;
            delivery->done_us = stored.done_us;
            delivery->ack_code = stored.ack_code;
            delivery->reason = stored.why;
            out_first_sent_us[trace->delivery_count] = stored.first_sent_us;
        } else if (got != STATUS_NOT_FOUND) {
            return got;
        }
        ctx_clear(cx);
        trace->delivery_count++;
    }
    return STATUS_OK;
}

static struct str count_codes(struct ctx *cx, const struct message_row *row)
{
    static const char *const outcomes[] = {"standard", "translated", "unmapped", "invalid"};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        unsigned n = 0;
        for (size_t j = 0; j < row->code_count; j++)
            n += str_is(row->codes[j].outcome, outcomes[i]);
        if (n)
            buf_printf(&text, "%s%u %s", text.len ? ", " : "", n, outcomes[i]);
    }
    struct str out = arena_str(cx->arena, buf_str(&text));
    buf_fini(&text);
    return out;
}

static struct str list_outputs(struct ctx *cx, const struct message_row *row)
{
    struct buf text = {0};
    for (size_t i = 0; i < row->output_count; i++)
        buf_printf(&text, "%s%.*s -> %.*s", i ? ", " : "", STR_ARGS(row->outputs[i].route),
                   STR_ARGS(row->outputs[i].destination));
    struct str out = text.len ? arena_str(cx->arena, buf_str(&text)) : STR("no route takes it");
    buf_fini(&text);
    return out;
}

static void add_steps(struct engine *engine, struct ctx *cx, uint64_t seq, const struct message_row *row,
                      struct engine_trace *trace, const int64_t *first_sent_us)
{
    struct arena *arena = cx->arena;
    trace->steps = arena_array(arena, 8 + 2 * trace->delivery_count, sizeof *trace->steps);
    pthread_mutex_lock(&engine->lock);
    struct timing timing = engine->timings[seq % TIMINGS];
    pthread_mutex_unlock(&engine->lock);
    if (timing.seq != seq)
        timing = (struct timing){0}; /* older than this run, or pushed out */
    int64_t at = row->journaled_us;
    add_step(cx, trace, row->received.received_us, 0, "received",
             arena_printf(arena, "%.*s from %.*s", STR_ARGS(row->received.protocol), STR_ARGS(row->received.peer)));
    add_step(cx, trace, at, at - row->received.received_us, "journaled",
             arena_printf(arena, "entry %" PRIu64 ", durable", seq));
    add_step(cx, trace, at, timing.parse_us, "parsed",
             row->reason.len ? arena_printf(arena, "refused: %.*s %.*s", STR_ARGS(row->reason), STR_ARGS(row->detail))
                             : arena_printf(arena, "%.*s, %u warnings", STR_ARGS(row->type), row->warnings));
    if (row->duplicate_of)
        add_step(cx, trace, at, 0, "duplicate",
                 arena_printf(arena, "of %" PRIu64 ": answered as then, nothing sent again", row->duplicate_of));
    else if (row->reason.len == 0) {
        add_step(cx, trace, at, timing.identify_us, "identified",
                 arena_printf(arena, "%s, person %" PRIu64, row->verdict, row->person));
        add_step(cx, trace, at, timing.plan_us, "codes",
                 row->code_count ? count_codes(cx, row) : STR("none looked at"));
        add_step(cx, trace, at, 0, "routed", list_outputs(cx, row));
    }
    add_step(cx, trace, at, timing.apply_us, "answered",
             row->ack_code.len ? arena_printf(arena, "%.*s", STR_ARGS(row->ack_code)) : STR("no answer is due"));
    for (size_t i = 0; i < trace->delivery_count; i++) {
        const struct engine_delivery *delivery = &trace->deliveries[i];
        if (delivery->done_us == 0)
            continue;
        add_step(cx, trace, first_sent_us[i], 0, "sent",
                 arena_printf(arena, "to %.*s", STR_ARGS(delivery->destination)));
        add_step(cx, trace, delivery->done_us, delivery->done_us - first_sent_us[i],
                 str_is(delivery->state, "delivered") ? "delivered" : "dead",
                 arena_printf(arena, "%.*s %.*s, %u attempts%s", STR_ARGS(delivery->destination),
                              STR_ARGS(delivery->ack_code), delivery->attempts,
                              delivery->in_doubt ? ", was in doubt" : ""));
    }
}

status engine_trace(struct engine *engine, struct ctx *cx, uint64_t seq, struct str control_id,
                    struct engine_trace *out_trace)
{
    if (seq == 0)
        TRY(find_by_control_id(engine, cx, control_id, &seq));
    struct message_row row;
    TRY(load_message(engine, cx, seq, &row));
    struct engine_trace trace = {.seq = seq,
                                 .person = row.person,
                                 .record = row.record,
                                 .source = row.received.source,
                                 .principal = row.principal,
                                 .control_id = row.control_id,
                                 .type = row.type,
                                 .ack_code = row.ack_code,
                                 .reason = row.reason,
                                 .verdict = str_from(row.verdict),
                                 .routes_version = row.routes_version,
                                 .comparison = row.comparison,
                                 .codes = row.codes,
                                 .code_count = row.code_count,
                                 .changes = row.changes,
                                 .change_count = row.change_count};
    int64_t *first_sent_us = arena_array(cx->arena, row.output_count, sizeof *first_sent_us);
    TRY(load_deliveries(engine, cx, seq, &row, &trace, first_sent_us));
    add_steps(engine, cx, seq, &row, &trace, first_sent_us);
    struct journal_entry entry;
    struct entry_message message;
    if (journal_read(engine->journal, cx, seq, &entry) == STATUS_OK &&
        entry_message_decode(cx, entry.body, &message) == STATUS_OK)
        trace.message = message.message;
    ctx_clear(cx); /* its segment may have been dropped by retention: the row still tells the story */
    *out_trace = trace;
    return STATUS_OK;
}

struct listing {
    struct ctx *cx;
    struct arena scratch;
    struct engine_message_line *lines;
    size_t count, max;
    bool refused_only;
};

static bool list_line(void *arg, struct str key, struct str bytes)
{
    struct listing *listing = arg;
    struct cut cut = {key, false};
    uint64_t seq = cut_u64(&cut);
    struct message_row row;
    struct arena *arena = listing->cx->arena;
    struct ctx own = {.arena = &listing->scratch}; /* rows may be large, and most are passed over */
    arena_reset(&listing->scratch);
    if (message_row_decode(&own, bytes, &row) != STATUS_OK || (listing->refused_only && row.reason.len == 0))
        return true;
    listing->lines[listing->count++] = (struct engine_message_line){.seq = seq,
                                                                    .person = row.person,
                                                                    .time_us = row.journaled_us,
                                                                    .source = arena_str(arena, row.received.source),
                                                                    .type = arena_str(arena, row.type),
                                                                    .control_id = arena_str(arena, row.control_id),
                                                                    .ack_code = arena_str(arena, row.ack_code),
                                                                    .reason = arena_str(arena, row.reason),
                                                                    .verdict = arena_str(arena, str_from(row.verdict))};
    return listing->count < listing->max;
}

status engine_messages(struct engine *engine, struct ctx *cx, uint64_t before, size_t max, bool refused_only,
                       struct engine_message_line **out_lines, size_t *out_count)
{
    struct listing listing = {.cx = cx, .max = max < 10000 ? max : 10000, .refused_only = refused_only};
    if (listing.max == 0)
        listing.max = 1;
    listing.lines = arena_array(cx->arena, listing.max, sizeof *listing.lines);
    struct str from = before > 1 ? seq_key(cx->arena, before - 1) : STR_NONE;
    status got = data_scan_back(engine->message, cx, STR_NONE, from, list_line, &listing);
    arena_fini(&listing.scratch);
    TRY(got);
    *out_lines = listing.lines;
    *out_count = listing.count;
    return STATUS_OK;
}

/* ---- dead letters ---- */

struct letters {
    struct ctx *cx;
    struct arena scratch; /* of the row under way: it holds a whole message */
    struct str destination;
    struct engine_dead_letter *letters;
    uint64_t *ids;                       /* or only the ids */
    size_t count, max, bytes, bytes_max; /* bytes_max 0 = any */
    uint64_t total;
};

static void fill_letter(uint64_t id, const struct dead_row *row, struct engine_dead_letter *out)
{
    *out = (struct engine_dead_letter){.id = id,
                                       .seq = row->outbox.message_seq,
                                       .destination = row->delivery.destination,
                                       .reason = row->delivery.ack_code,
                                       .detail = row->delivery.why,
                                       .control_id = row->outbox.control_id,
                                       .time_us = row->delivery.done_us,
                                       .attempts = row->delivery.attempts};
}

static void keep_letter(struct arena *arena, struct engine_dead_letter *letter)
{
    letter->destination = arena_str(arena, letter->destination);
    letter->reason = arena_str(arena, letter->reason);
    letter->detail = arena_str(arena, letter->detail);
    letter->control_id = arena_str(arena, letter->control_id);
}

static bool list_letter(void *arg, struct str key, struct str bytes)
{
    struct letters *list = arg;
    struct cut cut = {key, false};
    uint64_t id = cut_u64(&cut);
    struct dead_row row;
    struct ctx own = {.arena = &list->scratch};
    arena_reset(&list->scratch);
    if (dead_row_decode(&own, bytes, &row) != STATUS_OK)
        return true;
    if (list->destination.len && !str_eq(list->destination, row.delivery.destination))
        return true;
    list->total++;
    if (list->count == list->max || (list->bytes_max && list->bytes > list->bytes_max))
        return true;
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

status engine_dead_letters(struct engine *engine, struct ctx *cx, struct str destination, size_t max,
                           struct engine_dead_letter **out_letters, size_t *out_count, uint64_t *out_total)
{
    struct letters list = {.cx = cx, .destination = destination, .max = max < 10000 ? max : 10000};
    list.letters = arena_array(cx->arena, list.max, sizeof *list.letters);
    status got = data_scan(engine->dead, cx, STR_NONE, STR_NONE, list_letter, &list);
    for (size_t i = 0; i < list.count && got == STATUS_OK; i++) {
        struct message_row row;
        struct ctx own = {.arena = &list.scratch};
        arena_reset(&list.scratch);
        if (load_message(engine, &own, list.letters[i].seq, &row) == STATUS_OK)
            list.letters[i].type = arena_str(cx->arena, row.type);
    }
    arena_fini(&list.scratch);
    TRY(got);
    *out_letters = list.letters;
    *out_count = list.count;
    *out_total = list.total;
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
    letter.answer = row.delivery.answer;
    letter.message = row.outbox.bytes;
    struct message_row message;
    TRY(load_message(engine, cx, letter.seq, &message));
    letter.type = message.type;
    if (row.outbox.as_received) {
        struct journal_entry entry;
        struct entry_message received;
        TRY(journal_read(engine->journal, cx, letter.seq, &entry));
        TRY(entry_message_decode(cx, entry.body, &received));
        letter.message = received.message;
    }
    *out_letter = letter;
    return STATUS_OK;
}

status engine_replay(struct engine *engine, struct ctx *cx, uint64_t id, struct str destination, bool dry_run,
                     uint64_t **out_ids, size_t *out_count)
{
    enum { REPLAY_MAX = 10000, REPLAY_BYTES_MAX = 64 * 1024 * 1024 }; /* in one entry; ask again for the rest */
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

/* ---- status ---- */

static void view_sources(struct engine *engine, struct ctx *cx, struct engine_status *out)
{
    out->sources = arena_array(cx->arena, engine->sources.count, sizeof *out->sources);
    for (size_t i = 0; i < engine->sources.count; i++) {
        const struct source_total *total = &engine->sources.at[i];
        out->sources[out->source_count++] = (struct engine_source_view){
            .name = arena_str(cx->arena, str_from(total->name)),
            .kind = arena_str(cx->arena, str_from(total->protocol)),
            .received = total->received,
            .accepted = total->accepted,
            .refused = total->refused,
            .duplicates = total->duplicates,
            .connections = total->connections > 0 ? (uint64_t)total->connections : 0,
        };
        out->received += total->received;
        out->accepted += total->accepted;
        out->refused += total->refused;
    }
}

static void view_lanes(struct engine *engine, struct ctx *cx, struct engine_status *out)
{
    out->lanes = arena_array(cx->arena, engine->lanes.count + engine->routes->destination_count, sizeof *out->lanes);
    for (size_t i = 0; i < engine->routes->destination_count; i++)
        total_lane(engine, engine->routes->destinations[i].name); /* shown also before the first message */
    for (size_t i = 0; i < engine->lanes.count; i++) {
        const struct lane_total *total = &engine->lanes.at[i];
        struct engine_lane_view *view = &out->lanes[out->lane_count++];
        *view = (struct engine_lane_view){.destination = arena_str(cx->arena, str_from(total->name)),
                                          .state = STR("stopped"),
                                          .queued = total->owed - total->delivered - total->dead,
                                          .delivered = total->delivered,
                                          .dead = total->dead,
                                          .attempts = total->attempts};
        for (size_t j = 0; j < engine->routes->destination_count; j++)
            if (str_is(engine->routes->destinations[j].name, total->name))
                view->kind = engine->routes->destinations[j].kind == ROUTE_MLLP ? STR("mllp") : STR("file");
    }
}

static bool sum_lane(void *arg, struct str key, struct str row)
{
    (void)key;
    struct engine_status *out = arg;
    struct cut cut = {row, false};
    out->deliveries_owed += cut_varint(&cut);
    out->deliveries_done += cut_varint(&cut);
    out->deliveries_dead += cut_varint(&cut);
    return true;
}

static status count_deliveries(struct engine *engine, struct ctx *cx, struct engine_status *out)
{
    out->deliveries_owed = out->deliveries_done = out->deliveries_dead = 0;
    TRY(data_scan(engine->counter, cx, STR("lane"), STR_NONE, sum_lane, out));
    return data_count(engine->outbox, cx, &out->deliveries_queued);
}

/* owed - done - queued - dead, from one commit: read again when a commit came in between. */
static status account(struct engine *engine, struct ctx *cx, struct engine_status *out)
{
    enum { TRIES = 3 };
    uint64_t before;
    int tries = 0;
    do {
        before = data_applied_seq(engine->store);
        TRY(count_deliveries(engine, cx, out));
    } while (before != data_applied_seq(engine->store) && ++tries < TRIES);
    if (tries == TRIES) { /* so busy that there is always one: they wait for us this once */
        pthread_mutex_lock(&engine->commit_lock);
        status got = count_deliveries(engine, cx, out);
        pthread_mutex_unlock(&engine->commit_lock);
        TRY(got);
    }
    out->unaccounted =
        (int64_t)(out->deliveries_owed - out->deliveries_done - out->deliveries_dead - out->deliveries_queued);
    return STATUS_OK;
}

/* The age of the oldest message that waits in a lane: the time its entry was journaled. */
static bool first_row(void *arg, struct str key, struct str row)
{
    (void)row;
    struct str destination;
    struct outbox_key at;
    if (outbox_key_read(key, &destination, &at))
        *(uint64_t *)arg = at.seq;
    return false;
}

static status view_ages(struct engine *engine, struct ctx *cx, struct engine_status *out)
{
    for (size_t i = 0; i < out->lane_count; i++) {
        uint64_t seq = 0;
        TRY(data_scan(engine->outbox, cx, outbox_prefix(cx->arena, out->lanes[i].destination), STR_NONE, first_row,
                      &seq));
        struct arena_mark mark = arena_mark(cx->arena); /* the entry may hold a large message */
        struct journal_entry entry;
        if (seq && journal_read(engine->journal, cx, seq, &entry) == STATUS_OK)
            out->lanes[i].oldest_us = entry.time_us;
        ctx_clear(cx);
        arena_rewind(cx->arena, mark);
    }
    return STATUS_OK;
}

status engine_status(struct engine *engine, struct ctx *cx, struct engine_status *out_status)
{
    struct engine_status out = {.started_us = engine->started_us};
    pthread_mutex_lock(&engine->lock);
    view_sources(engine, cx, &out);
    view_lanes(engine, cx, &out);
    out.applied_seq = engine->applied_seq;
    pthread_mutex_unlock(&engine->lock);
    lanes_view(engine, cx->arena, out.lanes, out.lane_count);
    TRY(view_ages(engine, cx, &out));
    TRY(account(engine, cx, &out));
    out.journal_last_seq = journal_last_seq(engine->journal);
    out.mpi = mpi_count(engine->mpi);
    struct codes_work_item *items;
    TRY(codes_work_items(engine->codes, cx, 100000, &items, &out.work_items));
    struct journal_stats stats;
    journal_stats(engine->journal, &stats);
    out.journal_full = stats.full_now;
    *out_status = out;
    return STATUS_OK;
}
