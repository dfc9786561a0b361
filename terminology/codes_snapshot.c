/* From rows to a snapshot, and its life: built whole by the writer, seen by its later entries at once and by readers
 * with the commit (one assignment under a lock), freed by its last reader. */
#include "codes_internal.h"

#include "base/mem.h"

#include <stdlib.h>

struct row_pair {
    struct str key, row;
};
struct reading {
    struct arena *arena;
    VEC(struct row_pair) rows;
};

static bool read_row(void *arg, struct str key, struct str row)
{
    struct reading *reading = arg;
    *VEC_ADD(&reading->rows) = (struct row_pair){arena_str(reading->arena, key), arena_str(reading->arena, row)};
    return true;
}

static status read_table(struct data_table *table, struct data_txn *txn, struct ctx *cx, struct reading *reading)
{
    return txn ? data_txn_scan(txn, table, cx, STR_NONE, read_row, reading)
               : data_scan(table, cx, STR_NONE, STR_NONE, read_row, reading);
}

static status fill_releases(struct codes *codes, struct ctx *cx, struct codes_snapshot *snapshot,
                            const struct reading *rows)
{
    snapshot->releases = arena_array(&snapshot->arena, rows->rows.count + 1, sizeof *snapshot->releases);
    snapshot->packs = arena_array(&snapshot->arena, rows->rows.count + 1, sizeof *snapshot->packs);
    for (size_t i = 0; i < rows->rows.count; i++) {
        struct cut key = {.rest = rows->rows.at[i].key}, row = {.rest = rows->rows.at[i].row};
        uint64_t id = cut_u64(&key);
        struct codes_registration registration;
        TRY(codes_registration_decode(cx, &row, &registration));
        int64_t registered_us = (int64_t)cut_varint(&row), activated_us = (int64_t)cut_varint(&row);
        const struct pack *pack = codes_pack_of(codes, id);
        if (pack == NULL || key.bad || row.bad)
            return ctx_fail(cx, &codes_reasons[CODES_PACK_DAMAGED], "release %llu is registered but not open",
                            (unsigned long long)id);
        snapshot->packs[i] = pack;
        snapshot->releases[i] = (struct codes_release){
            .id = id,
            .system = pack_system(pack),
            .version = pack_version(pack),
            .kind = pack_kind(pack),
            .concepts = registration.concepts,
            .registered_us = registered_us,
            .activated_us = activated_us,
        };
        snapshot->count++;
    }
    return STATUS_OK;
}

/* The last id of an active row is the active release. */
static uint64_t last_id(struct str row)
{
    struct cut cut = {.rest = row};
    uint64_t id = 0;
    while (cut.rest.len && !cut.bad)
        id = cut_varint(&cut);
    return cut.bad ? 0 : id;
}

static void name_active(struct codes_snapshot *snapshot, size_t index)
{
    struct str uri = snapshot->releases[index].system;
    *map_put(&snapshot->active, uri, NULL) = index + 1;
    const struct system_row *row = systems_find(uri);
    if (row == NULL)
        return;
    *map_put(&snapshot->active, str_from(row->v2_name), NULL) = index + 1;
    for (size_t a = 0; a < sizeof row->aliases / sizeof row->aliases[0] && row->aliases[a]; a++)
        *map_put(&snapshot->active, str_from(row->aliases[a]), NULL) = index + 1;
}

/* Rows come in the order of their keys, so maps are asked in the order of their names. */
static void fill_active(struct codes_snapshot *snapshot, const struct reading *rows)
{
    snapshot->maps = arena_array(&snapshot->arena, rows->rows.count + 1, sizeof *snapshot->maps);
    for (size_t i = 0; i < rows->rows.count; i++) {
        uint64_t id = last_id(rows->rows.at[i].row);
        for (size_t r = 0; r < snapshot->count; r++) {
            if (snapshot->releases[r].id != id)
                continue;
            snapshot->releases[r].active = true;
            name_active(snapshot, r);
            if (pack_map_row_count(snapshot->packs[r]) > 0)
                snapshot->maps[snapshot->map_count++] = r;
        }
    }
}

static void fill_names(struct codes_snapshot *snapshot)
{
    for (size_t i = 0; i < systems_count; i++) {
        const struct system_row *row = &systems_rows[i];
        *map_put(&snapshot->names, str_from(row->uri), NULL) = i + 1;
        *map_put(&snapshot->names, str_from(row->v2_name), NULL) = i + 1;
        for (size_t a = 0; a < sizeof row->aliases / sizeof row->aliases[0] && row->aliases[a]; a++)
            *map_put(&snapshot->names, str_from(row->aliases[a]), NULL) = i + 1;
    }
}

static status build(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct codes_snapshot *snapshot)
{
    struct reading releases = {.arena = &snapshot->arena}, active = {.arena = &snapshot->arena};
    status done = read_table(codes->releases, txn, cx, &releases);
    if (done == STATUS_OK)
        done = read_table(codes->active, txn, cx, &active);
    if (done == STATUS_OK)
        done = fill_releases(codes, cx, snapshot, &releases);
    if (done == STATUS_OK) {
        fill_active(snapshot, &active);
        fill_names(snapshot);
    }
    VEC_FINI(&releases.rows);
    VEC_FINI(&active.rows);
    return done;
}

status codes_take_rows(struct codes *codes, struct data_txn *txn, struct ctx *cx)
{
    struct codes_snapshot *fresh = mem_alloc(sizeof *fresh);
    atomic_init(&fresh->refs, 1);
    arena_init(&fresh->arena, 0);
    status built = build(codes, txn, cx, fresh);
    if (built != STATUS_OK) {
        codes_snapshot_unref(fresh);
        return built;
    }
    codes_snapshot_unref(codes->applied);
    codes->applied = fresh;
    return STATUS_OK;
}

struct codes_snapshot *codes_applied_snapshot(struct codes *codes)
{
    return codes->applied;
}

void codes_publish(struct codes *codes)
{
    struct codes_snapshot *fresh = codes->applied, *old = codes->current; /* only this thread changes them */
    if (fresh == old)
        return;
    atomic_fetch_add_explicit(&fresh->refs, 1, memory_order_relaxed);
    pthread_mutex_lock(&codes->lock);
    codes->current = fresh;
    pthread_mutex_unlock(&codes->lock);
    codes_snapshot_unref(old);
}

struct codes_snapshot *codes_snapshot_ref(struct codes *codes)
{
    pthread_mutex_lock(&codes->lock);
    struct codes_snapshot *snapshot = codes->current;
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&codes->lock);
    return snapshot;
}

void codes_snapshot_unref(struct codes_snapshot *snapshot)
{
    if (snapshot == NULL || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
        return;
    map_fini(&snapshot->active);
    map_fini(&snapshot->names);
    arena_fini(&snapshot->arena);
    mem_free(snapshot);
}

size_t codes_release_count(const struct codes_snapshot *snapshot)
{
    return snapshot->count;
}

struct codes_release codes_release_at(const struct codes_snapshot *snapshot, size_t index)
{
    return snapshot->releases[index];
}
