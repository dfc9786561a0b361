#include "engine_internal.h"

#include <stdio.h>

/* Totals per source and per lane: kept in memory, written with the batch that changed them. */

enum { SOURCES_MAX = 4096 };

/* As it fits into a total: a longer name, or one with a NUL, would never be found again and counted anew each time. */
static struct str stored_name(struct str name)
{
    ptrdiff_t nul = str_find(name, 0);
    return str_sub(name, 0, nul >= 0 && nul < LIMIT_NAME_BYTES - 1 ? (size_t)nul : LIMIT_NAME_BYTES - 1);
}

static struct source_total *find_source(struct engine *engine, struct str name)
{
    for (size_t i = 0; i < engine->sources.count; i++)
        if (str_is(name, engine->sources.at[i].name))
            return &engine->sources.at[i];
    return NULL;
}

struct source_total *total_source(struct engine *engine, struct str name)
{
    name = stored_name(name);
    struct source_total *total = find_source(engine, name);
    if (total == NULL && engine->sources.count >= SOURCES_MAX) { /* callers name their source: bounded all the same */
        name = STR("(others)");
        total = find_source(engine, name);
    }
    if (total)
        return total;
    total = VEC_ADD(&engine->sources);
    *total = (struct source_total){0};
    snprintf(total->name, sizeof total->name, "%.*s", STR_ARGS(name));
    return total;
}

struct lane_total *total_lane(struct engine *engine, struct str name)
{
    name = stored_name(name);
    for (size_t i = 0; i < engine->lanes.count; i++)
        if (str_is(name, engine->lanes.at[i].name))
            return &engine->lanes.at[i];
    struct lane_total *total = VEC_ADD(&engine->lanes);
    *total = (struct lane_total){0};
    snprintf(total->name, sizeof total->name, "%.*s", STR_ARGS(name));
    return total;
}

static struct str counter_key(struct ctx *cx, const char *kind, const char *name)
{
    return arena_printf(cx->arena, "%s%c%s", kind, 0, name);
}

static bool load_one(void *arg, struct str key, struct str row)
{
    struct engine *engine = arg;
    ptrdiff_t nul = str_find(key, 0);
    if (nul < 0)
        return true;
    struct str name = str_from_at(key, (size_t)nul + 1);
    struct cut cut = {row, false};
    if (str_starts(key, STR("source"))) {
        struct source_total *total = total_source(engine, name);
        total->received = cut_varint(&cut);
        total->accepted = cut_varint(&cut);
        total->refused = cut_varint(&cut);
        total->duplicates = cut_varint(&cut);
    } else {
        struct lane_total *total = total_lane(engine, name);
        total->owed = cut_varint(&cut);
        total->delivered = cut_varint(&cut);
        total->dead = cut_varint(&cut);
        total->attempts = cut_varint(&cut);
        total->in_doubt = cut_varint(&cut);
    }
    return true;
}

status totals_load(struct engine *engine, struct ctx *cx)
{
    return data_scan(engine->counter, cx, STR_NONE, STR_NONE, load_one, engine);
}

void totals_store(struct engine *engine, struct ctx *cx, struct data_txn *txn)
{
    struct buf row = {0};
    for (size_t i = 0; i < engine->sources.count; i++) {
        struct source_total *total = &engine->sources.at[i];
        if (!total->dirty)
            continue;
        total->dirty = false;
        buf_clear(&row);
        buf_put_varint(&row, total->received);
        buf_put_varint(&row, total->accepted);
        buf_put_varint(&row, total->refused);
        buf_put_varint(&row, total->duplicates);
        data_txn_put(txn, engine->counter, counter_key(cx, "source", total->name), buf_str(&row));
    }
    for (size_t i = 0; i < engine->lanes.count; i++) {
        struct lane_total *total = &engine->lanes.at[i];
        if (!total->dirty)
            continue;
        total->dirty = false;
        buf_clear(&row);
        buf_put_varint(&row, total->owed);
        buf_put_varint(&row, total->delivered);
        buf_put_varint(&row, total->dead);
        buf_put_varint(&row, total->attempts);
        buf_put_varint(&row, total->in_doubt);
        data_txn_put(txn, engine->counter, counter_key(cx, "lane", total->name), buf_str(&row));
    }
    buf_fini(&row);
}
