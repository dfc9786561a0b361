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

/* The texts of a registration lie in the snapshot's arena, with the rows. */
static status fill_releases(struct ctx *cx, struct codes_snapshot *snapshot, const struct reading *rows)
{
    size_t count = rows->rows.count;
    snapshot->releases = arena_array(&snapshot->arena, count + 1, sizeof *snapshot->releases);
    snapshot->registrations = arena_array(&snapshot->arena, count + 1, sizeof *snapshot->registrations);
    snapshot->before = arena_array(&snapshot->arena, count + 1, sizeof *snapshot->before);
    snapshot->packs = arena_array(&snapshot->arena, count + 1, sizeof *snapshot->packs);
    for (size_t i = 0; i < count; i++) {
        struct codes_known row;
        TRY(codes_known_read(cx, rows->rows.at[i].key, rows->rows.at[i].row, &row));
        snapshot->registrations[i] = row.registration;
        snapshot->before[i] = -1;
        atomic_init(&snapshot->packs[i], NULL);
        snapshot->releases[i] = (struct codes_release){
            .id = row.id,
            .system = row.registration.system,
            .version = row.registration.version,
            .kind = row.registration.kind,
            .concepts = row.registration.concepts,
            .registered_us = row.registered_us,
            .activated_us = row.activated_us,
        };
        snapshot->count++;
    }
    return STATUS_OK;
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
static status fill_active(struct ctx *cx, struct codes_snapshot *snapshot, const struct reading *rows)
{
    snapshot->actives = arena_array(&snapshot->arena, rows->rows.count + 1, sizeof *snapshot->actives);
    for (size_t i = 0; i < rows->rows.count; i++) {
        struct codes_history history;
        TRY(codes_history_decode(cx, rows->rows.at[i].row, &history));
        ptrdiff_t index = codes_release_index(snapshot, history.ids[history.count - 1]);
        ptrdiff_t before = history.count > 1 ? codes_release_index(snapshot, history.ids[history.count - 2]) : -1;
        if (index < 0 || (history.count > 1 && before < 0))
            return codes_row_damaged(cx, "codes.active");
        snapshot->releases[index].active = true;
        snapshot->before[index] = before;
        snapshot->actives[snapshot->active_count++] = (size_t)index;
        name_active(snapshot, (size_t)index);
    }
    return STATUS_OK;
}

/* Active releases must be there. The one a roll back leads to is kept when it is open, so that going back is immediate;
 * others are opened when somebody asks for them. */
static status hold_packs(struct ctx *cx, struct codes_snapshot *snapshot)
{
    snapshot->maps = arena_array(&snapshot->arena, snapshot->active_count + 1, sizeof *snapshot->maps);
    for (size_t i = 0; i < snapshot->active_count; i++) {
        size_t active = snapshot->actives[i];
        const struct pack *pack;
        TRY(codes_pack_of(snapshot, cx, active, &pack));
        if (pack_map_row_count(pack) > 0)
            snapshot->maps[snapshot->map_count++] = active;
        ptrdiff_t before = snapshot->before[active];
        if (before >= 0 && atomic_load(&snapshot->packs[before]) == NULL)
            atomic_store(&snapshot->packs[before],
                         codes_pack_if_open(snapshot->codes, &snapshot->registrations[before]));
    }
    return STATUS_OK;
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

static status fill(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct codes_snapshot *snapshot)
{
    struct reading releases = {.arena = &snapshot->arena}, active = {.arena = &snapshot->arena};
    status done = read_table(codes->releases, txn, cx, &releases);
    if (done == STATUS_OK)
        done = read_table(codes->active, txn, cx, &active);
    if (done == STATUS_OK)
        done = fill_releases(cx, snapshot, &releases);
    if (done == STATUS_OK)
        done = fill_active(cx, snapshot, &active);
    if (done == STATUS_OK)
        fill_names(snapshot);
    VEC_FINI(&releases.rows);
    VEC_FINI(&active.rows);
    return done;
}

static struct codes_snapshot *new_snapshot(struct codes *codes)
{
    struct codes_snapshot *snapshot = mem_alloc(sizeof *snapshot);
    snapshot->codes = codes;
    atomic_init(&snapshot->refs, 1);
    arena_init(&snapshot->arena, 0);
    return snapshot;
}

status codes_take_rows(struct codes *codes, struct data_txn *txn, struct ctx *cx)
{
    struct codes_snapshot *fresh = new_snapshot(codes);
    status built = fill(codes, txn, cx, fresh);
    if (built == STATUS_OK)
        built = hold_packs(cx, fresh);
    if (built != STATUS_OK) {
        codes_snapshot_unref(fresh);
        return built;
    }
    codes_snapshot_unref(codes->applied);
    codes->applied = fresh;
    return STATUS_OK;
}

status codes_start(struct codes *codes, struct ctx *cx)
{
    struct codes_snapshot *all = new_snapshot(codes);
    status got = fill(codes, NULL, cx, all);
    for (size_t i = 0; i < all->count && got == STATUS_OK; i++) {
        const struct pack *pack;
        got = codes_pack_of(all, cx, i, &pack);
    }
    if (got == STATUS_OK)
        got = codes_take_rows(codes, NULL, cx); /* finds every pack open, keeps those it needs */
    codes_snapshot_unref(all);
    if (got == STATUS_OK)
        codes_publish(codes);
    return got;
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
    struct codes *codes = snapshot->codes; /* the last may be a reader in a hurry, or the writer inside a commit */
    pthread_mutex_lock(&codes->lock);
    snapshot->next_unused = codes->unused;
    codes->unused = snapshot;
    pthread_mutex_unlock(&codes->lock);
}

void codes_free_unused(struct codes *codes)
{
    pthread_mutex_lock(&codes->lock);
    struct codes_snapshot *snapshot = codes->unused;
    codes->unused = NULL;
    pthread_mutex_unlock(&codes->lock);
    while (snapshot) {
        struct codes_snapshot *next = snapshot->next_unused;
        for (size_t i = 0; i < snapshot->count; i++)
            codes_pack_release(codes, atomic_load(&snapshot->packs[i]));
        map_fini(&snapshot->active);
        map_fini(&snapshot->names);
        arena_fini(&snapshot->arena);
        mem_free(snapshot);
        snapshot = next;
    }
}

size_t codes_release_count(const struct codes_snapshot *snapshot)
{
    return snapshot->count;
}

struct codes_release codes_release_at(const struct codes_snapshot *snapshot, size_t index)
{
    return snapshot->releases[index];
}

ptrdiff_t codes_release_index(const struct codes_snapshot *snapshot, uint64_t release_id)
{
    for (size_t i = 0; i < snapshot->count; i++)
        if (snapshot->releases[i].id == release_id)
            return (ptrdiff_t)i;
    return -1;
}

status codes_pack_of(const struct codes_snapshot *snapshot, struct ctx *cx, size_t index, const struct pack **out_pack)
{
    struct codes_pack *held = atomic_load(&snapshot->packs[index]);
    if (held == NULL) {
        struct codes_pack *fresh;
        TRY(codes_pack_hold(snapshot->codes, cx, &snapshot->registrations[index], &fresh));
        if (atomic_compare_exchange_strong(&snapshot->packs[index], &held, fresh))
            held = fresh;
        else
            codes_pack_release(snapshot->codes, fresh); /* another reader was first */
    }
    *out_pack = held->pack;
    return STATUS_OK;
}

status codes_verify_pack(const struct codes_snapshot *snapshot, struct ctx *cx, size_t index)
{
    struct pack *pack;
    TRY(codes_pack_load(snapshot->codes, cx, &snapshot->registrations[index], &pack));
    pack_close(pack);
    return STATUS_OK;
}
