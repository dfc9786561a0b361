/*
 * Totals per source and per lane: the writer counts in its own (`counted`), stores what changed with the batch, and
 * shows it with the commit (`shown`, under engine->lock).
 */
#include "engine_internal.h"

#include "base/bounds.h"
#include "base/invariant.h"

#include <stdio.h>

void totals_fini(struct totals *totals)
{
    VEC_FINI(&totals->sources);
    VEC_FINI(&totals->lanes);
    map_fini(&totals->source_at);
    map_fini(&totals->lane_at);
}

/* As it fits into a total: a longer name, or one with a NUL, would never be found again and counted anew each time. */
static struct str stored_name(struct str name)
{
    ptrdiff_t nul = str_find(name, 0);
    return str_sub(name, 0, nul >= 0 && nul < LIMIT_NAME_BYTES - 1 ? (size_t)nul : LIMIT_NAME_BYTES - 1);
}

static struct source_total *source_named(struct totals *totals, struct str name)
{
    bool added;
    uint64_t *at = map_put(&totals->source_at, name, &added);
    if (added) {
        *at = totals->sources.count;
        struct source_total *total = VEC_ADD(&totals->sources);
        *total = (struct source_total){0};
        snprintf(total->name, sizeof total->name, "%.*s", STR_ARGS(name));
    }
    return &totals->sources.at[*at];
}

struct source_total *totals_source(struct totals *totals, struct str name)
{
    name = stored_name(name);
    bool full = totals->sources.count >= SOURCE_TOTALS_MAX && map_get(&totals->source_at, name) == NULL;
    return source_named(totals, full && bound_met(BOUND_SOURCE_TOTALS_MAX) ? STR("(others)") : name);
}

struct source_total *totals_shown_source(struct engine *engine, struct str name)
{
    return source_named(&engine->shown, stored_name(name));
}

struct lane_total *totals_lane(struct totals *totals, struct str name)
{
    name = stored_name(name);
    bool added;
    uint64_t *at = map_put(&totals->lane_at, name, &added);
    if (added) {
        *at = totals->lanes.count;
        struct lane_total *total = VEC_ADD(&totals->lanes);
        *total = (struct lane_total){0};
        snprintf(total->name, sizeof total->name, "%.*s", STR_ARGS(name));
    }
    return &totals->lanes.at[*at];
}

struct source_total *total_source(struct engine *engine, struct str name)
{
    struct source_total *total = totals_source(&engine->counted, name);
    total->dirty = true;
    return total;
}

struct lane_total *total_lane(struct engine *engine, struct str name)
{
    struct lane_total *total = totals_lane(&engine->counted, name);
    total->dirty = true;
    return total;
}

/* ---- rows ---- */

static struct str counter_key(struct buf *key, const char *kind, const char *name)
{
    buf_clear(key);
    buf_put_str(key, str_from(kind));
    buf_put_byte(key, 0);
    buf_put_str(key, str_from(name));
    return buf_str(key);
}

struct loading_totals {
    struct engine *engine;
    struct ctx *cx;
    status failed;
};

static bool load_one(void *arg, struct str key, struct str row)
{
    struct loading_totals *loading = arg;
    struct totals *totals = &loading->engine->counted;
    ptrdiff_t nul = str_find(key, 0);
    struct str kind = str_sub(key, 0, nul >= 0 ? (size_t)nul : 0), name = str_from_at(key, kind.len + 1);
    struct cut cut = {row, !str_is(kind, "source") && !str_is(kind, "lane")};
    if (str_is(kind, "source")) {
        struct source_total *total = totals_source(totals, name);
        total->received = cut_varint(&cut);
        total->accepted = cut_varint(&cut);
        total->refused = cut_varint(&cut);
        total->duplicates = cut_varint(&cut);
    } else if (str_is(kind, "lane")) {
        struct lane_total *total = totals_lane(totals, name);
        total->owed = cut_varint(&cut);
        total->delivered = cut_varint(&cut);
        total->dead = cut_varint(&cut);
        total->attempts = cut_varint(&cut);
        total->in_doubt = cut_varint(&cut);
    }
    if (cut.bad || cut.rest.len)
        loading->failed = ctx_fail(loading->cx, &engine_reasons[ENGINE_ROW_BAD], "counter row");
    return loading->failed == STATUS_OK;
}

static void show_source(struct engine *engine, const struct source_total *counted)
{
    struct source_total *shown = totals_shown_source(engine, str_from(counted->name));
    int64_t connections = shown->connections; /* told by the source itself, at once */
    *shown = *counted;
    shown->connections = connections;
}

static void show_all(struct engine *engine)
{
    for (size_t i = 0; i < engine->counted.sources.count; i++)
        show_source(engine, &engine->counted.sources.at[i]);
    for (size_t i = 0; i < engine->counted.lanes.count; i++)
        *totals_lane(&engine->shown, str_from(engine->counted.lanes.at[i].name)) = engine->counted.lanes.at[i];
}

static bool agrees(const struct lane_total *total, uint64_t queued)
{
    return total->delivered <= total->owed && total->dead <= total->owed - total->delivered &&
           queued == total->owed - total->delivered - total->dead;
}

/* Counters against the rows they count: a counter row that is lost or wrong is damage found here, not by the writer. */
static status check_lanes(struct engine *engine, struct ctx *cx)
{
    SCOPED(data_view_end) struct data_view view;
    data_view_begin(engine->store, &view);
    uint64_t queued = 0, dead = 0;
    for (size_t i = 0; i < engine->counted.lanes.count; i++) {
        const struct lane_total *total = &engine->counted.lanes.at[i];
        uint64_t rows = data_view_rows_in(&view, engine->outbox, str_from(total->name));
        if (!agrees(total, rows))
            return ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "counter row of %s", total->name);
        queued += rows;
        dead += total->dead;
    }
    if (queued != data_view_rows(&view, engine->outbox) || dead != data_view_rows(&view, engine->dead))
        return ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "a counter row is missing");
    return STATUS_OK;
}

status totals_load(struct engine *engine, struct ctx *cx)
{
    struct loading_totals loading = {engine, cx, STATUS_OK};
    TRY(data_scan(engine->counter, cx, STR_NONE, STR_NONE, load_one, &loading));
    TRY(loading.failed);
    TRY(check_lanes(engine, cx));
    show_all(engine);
    return STATUS_OK;
}

void totals_store(struct engine *engine, struct data_txn *txn)
{
    SCOPED(buf_fini) struct buf row = {0}, key = {0};
    for (size_t i = 0; i < engine->counted.sources.count; i++) {
        const struct source_total *total = &engine->counted.sources.at[i];
        if (!total->dirty)
            continue;
        buf_clear(&row);
        buf_put_varint(&row, total->received);
        buf_put_varint(&row, total->accepted);
        buf_put_varint(&row, total->refused);
        buf_put_varint(&row, total->duplicates);
        data_txn_put(txn, engine->counter, counter_key(&key, "source", total->name), buf_str(&row));
    }
    for (size_t i = 0; i < engine->counted.lanes.count; i++) {
        const struct lane_total *total = &engine->counted.lanes.at[i];
        if (!total->dirty)
            continue;
        INVARIANT(total->owed >= total->delivered + total->dead);
        buf_clear(&row);
        buf_put_varint(&row, total->owed);
        buf_put_varint(&row, total->delivered);
        buf_put_varint(&row, total->dead);
        buf_put_varint(&row, total->attempts);
        buf_put_varint(&row, total->in_doubt);
        data_txn_put(txn, engine->counter, counter_key(&key, "lane", total->name), buf_str(&row));
    }
}

void totals_publish(struct engine *engine)
{
    for (size_t i = 0; i < engine->counted.sources.count; i++) {
        struct source_total *total = &engine->counted.sources.at[i];
        if (total->dirty)
            show_source(engine, total);
        total->dirty = false;
    }
    for (size_t i = 0; i < engine->counted.lanes.count; i++) {
        struct lane_total *total = &engine->counted.lanes.at[i];
        if (total->dirty)
            *totals_lane(&engine->shown, str_from(total->name)) = *total;
        total->dirty = false;
    }
}
