/* How everything stands, from one moment: rows and counts of the same commit. O(lanes + sources), whatever waits. */
#include "base/mem.h"
#include "engine_internal.h"

#include <stdlib.h>

static void view_sources(struct engine *engine, struct ctx *cx, struct engine_status *out)
{
    const struct totals *shown = &engine->shown;
    out->sources = arena_array(cx->arena, shown->sources.count, sizeof *out->sources);
    for (size_t i = 0; i < shown->sources.count; i++) {
        const struct source_total *total = &shown->sources.at[i];
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

static void view_lane(struct engine *engine, struct ctx *cx, const struct data_view *view,
                      const struct lane_total *total, struct engine_lane_view *out)
{
    *out = (struct engine_lane_view){.destination = arena_str(cx->arena, str_from(total->name)),
                                     .state = STR("stopped"),
                                     .queued = data_view_rows_in(view, engine->outbox, str_from(total->name)),
                                     .delivered = total->delivered,
                                     .dead = total->dead,
                                     .attempts = total->attempts};
    for (size_t i = 0; i < engine->routes->destination_count; i++)
        if (str_is(engine->routes->destinations[i].name, total->name))
            out->kind = engine->routes->destinations[i].kind == ROUTE_MLLP ? STR("mllp") : STR("file");
}

/* What the totals of each lane owe against its rows in the outbox; rows of no lane as well. Differences of two lanes
 * must not make up for each other. */
static void view_lanes(struct engine *engine, struct ctx *cx, const struct data_view *view, struct engine_status *out)
{
    for (size_t i = 0; i < engine->routes->destination_count; i++) /* shown also before the first message */
        totals_lane(&engine->shown, engine->routes->destinations[i].name);
    const struct totals *shown = &engine->shown;
    out->lanes = arena_array(cx->arena, shown->lanes.count, sizeof *out->lanes);
    uint64_t of_lanes = 0;
    for (size_t i = 0; i < shown->lanes.count; i++) {
        const struct lane_total *total = &shown->lanes.at[i];
        struct engine_lane_view *lane = &out->lanes[out->lane_count++];
        view_lane(engine, cx, view, total, lane);
        out->unaccounted += llabs((int64_t)(total->owed - total->delivered - total->dead - lane->queued));
        of_lanes += lane->queued;
        out->deliveries_owed += total->owed;
        out->deliveries_done += total->delivered;
        out->deliveries_dead += total->dead;
    }
    out->deliveries_queued = data_view_rows(view, engine->outbox);
    out->unaccounted += (int64_t)(out->deliveries_queued - of_lanes);
}

/* Totals and rows of one commit. */
static void view_moment(struct engine *engine, struct ctx *cx, struct engine_status *out)
{
    SCOPED(data_view_end) struct data_view view;
    data_view_begin(engine->store, &view);
    pthread_mutex_lock(&engine->lock);
    view_sources(engine, cx, out);
    view_lanes(engine, cx, &view, out);
    out->applied_seq = engine->applied_seq;
    pthread_mutex_unlock(&engine->lock);
}

/* The oldest message that waits in a lane. */
struct oldest_waiting {
    uint64_t seq; /* 0 = none */
    bool bad;
};

static bool first_row(void *arg, struct str key, struct str row)
{
    (void)row;
    struct oldest_waiting *oldest = arg;
    struct str destination;
    struct outbox_key at = {0};
    oldest->bad = !outbox_key_read(key, &destination, &at);
    oldest->seq = at.seq;
    return false;
}

/* Its age: the time its entry was journaled. It may have been delivered and dropped since we looked. */
static status view_age(struct engine *engine, struct ctx *cx, struct engine_lane_view *lane)
{
    struct oldest_waiting oldest = {0};
    struct str prefix = outbox_prefix(cx->arena, lane->destination);
    TRY(data_scan(engine->outbox, cx, prefix, STR_NONE, first_row, &oldest));
    if (oldest.bad)
        return ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "outbox row");
    if (oldest.seq == 0)
        return STATUS_OK;
    struct arena_mark mark = arena_mark(cx->arena); /* the entry may hold a large message */
    struct journal_entry entry;
    status got = journal_read(engine->journal, cx, oldest.seq, &entry);
    if (got == STATUS_OK)
        lane->oldest_us = entry.time_us;
    else if (got != STATUS_NOT_FOUND)
        return got;
    ctx_clear(cx);
    arena_rewind(cx->arena, mark);
    return STATUS_OK;
}

status engine_status(struct engine *engine, struct ctx *cx, struct engine_status *out_status)
{
    struct engine_status out = {.started_us = engine->started_us};
    view_moment(engine, cx, &out);
    lanes_view(engine, cx->arena, out.lanes, out.lane_count);
    for (size_t i = 0; i < out.lane_count; i++)
        if (out.lanes[i].queued > 0)
            TRY(view_age(engine, cx, &out.lanes[i]));
    out.journal_last_seq = journal_last_seq(engine->journal);
    out.mpi = mpi_count(engine->mpi);
    TRY(codes_work_count(engine->codes, cx, &out.work_items));
    struct journal_stats stats;
    journal_stats(engine->journal, &stats);
    out.journal_full = stats.full_now;
    *out_status = out;
    return STATUS_OK;
}
