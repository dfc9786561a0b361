#include "codes_internal.h"

#include "base/file.h"
#include "base/mem.h"

#include <stdlib.h>

const struct data_table_spec codes_tables[] = {{"codes.release"}, {"codes.active"}, {"codes.work"}};
const size_t codes_table_count = sizeof codes_tables / sizeof codes_tables[0];

const struct reason codes_reasons[CODES_REASON_COUNT] = {
    [CODES_SYSTEM_NOT_FOUND] = {"codes.system-unknown", STATUS_NOT_FOUND, 103,
                                "no release of this code system is active"},
    [CODES_CODE_NOT_FOUND] = {"codes.code-unknown", STATUS_NOT_FOUND, 103, "the code system has no such code"},
    [CODES_RELEASE_UNKNOWN] = {"codes.release-unknown", STATUS_NOT_FOUND, 204, "no such release"},
    [CODES_RELEASE_EXISTS] = {"codes.release-exists", STATUS_ALREADY_EXISTS, 205, "this release is registered already"},
    [CODES_PACK_DAMAGED] = {"codes.pack-damaged", STATUS_DATA_LOSS, 207, "a code pack cannot be used"},
    [CODES_NOTHING_BEFORE] = {"codes.nothing-to-roll-back-to", STATUS_FAILED_PRECONDITION, 207,
                              "no release was active before this one"},
    [CODES_NO_HIERARCHY] = {"codes.no-hierarchy", STATUS_FAILED_PRECONDITION, 207, "this code system has no hierarchy"},
    [CODES_BODY_BAD] = {"codes.bad-entry", STATUS_DATA_LOSS, 207, "a journal entry about codes cannot be read"},
};

void codes_pack_add(struct codes *codes, uint64_t release_id, struct pack *pack)
{
    *VEC_ADD(&codes->packs) = (struct codes_pack){release_id, pack};
}

const struct pack *codes_pack_of(const struct codes *codes, uint64_t release_id)
{
    for (size_t i = 0; i < codes->packs.count; i++)
        if (codes->packs.at[i].release_id == release_id)
            return codes->packs.at[i].pack;
    return NULL;
}

status codes_registration_decode(struct ctx *cx, struct cut *cut, struct codes_registration *out)
{
    struct codes_registration found = {0};
    found.system = cut_lstr(cut);
    found.version = cut_lstr(cut);
    found.kind = cut_lstr(cut);
    found.pack_file = cut_lstr(cut);
    struct str digest = cut_bytes(cut, sizeof found.sha256);
    found.concepts = cut_varint(cut);
    if (cut->bad || found.system.len == 0 || found.pack_file.len == 0)
        return ctx_fail(cx, &codes_reasons[CODES_BODY_BAD], "registration");
    memcpy(found.sha256, digest.data, sizeof found.sha256);
    *out = found;
    return STATUS_OK;
}

status codes_pack_load(struct codes *codes, struct ctx *cx, const struct codes_registration *registration,
                       struct pack **out_pack)
{
    struct str file = registration->pack_file;
    if (file.data[0] == '.' || memchr(file.data, '/', file.len) || memchr(file.data, 0, file.len))
        return ctx_fail(cx, &codes_reasons[CODES_BODY_BAD], "pack name is not a plain file name");
    struct str path = arena_printf(cx->arena, "%s/%.*s", codes->dir, STR_ARGS(file));
    struct pack *pack;
    status opened = pack_open(cx, path.data, registration->sha256, &pack);
    if (opened != STATUS_OK)
        return ctx_fail(cx, &codes_reasons[CODES_PACK_DAMAGED], "%.*s: %.*s", STR_ARGS(file), STR_ARGS(cx->detail));
    if (!str_eq(pack_system(pack), registration->system) || !str_eq(pack_version(pack), registration->version) ||
        !str_eq(pack_kind(pack), registration->kind)) {
        pack_close(pack);
        return ctx_fail(cx, &codes_reasons[CODES_PACK_DAMAGED], "%.*s holds another release", STR_ARGS(file));
    }
    *out_pack = pack;
    return STATUS_OK;
}

/* --- open and close --- */

struct stored {
    uint64_t id;
    struct str row;
};
struct gathering {
    struct arena *arena;
    VEC(struct stored) rows;
};

static bool gather(void *arg, struct str key, struct str row)
{
    struct gathering *all = arg;
    struct cut cut = {.rest = key};
    uint64_t id = cut_u64(&cut);
    *VEC_ADD(&all->rows) = (struct stored){id, arena_str(all->arena, row)};
    return true;
}

static status open_packs(struct codes *codes, struct ctx *cx)
{
    struct gathering all = {.arena = cx->arena};
    status done = data_scan(codes->releases, cx, STR_NONE, STR_NONE, gather, &all);
    for (size_t i = 0; i < all.rows.count && done == STATUS_OK; i++) {
        struct cut cut = {.rest = all.rows.at[i].row};
        struct codes_registration registration;
        struct pack *pack;
        done = codes_registration_decode(cx, &cut, &registration);
        if (done == STATUS_OK)
            done = codes_pack_load(codes, cx, &registration, &pack);
        if (done == STATUS_OK)
            codes_pack_add(codes, all.rows.at[i].id, pack);
    }
    VEC_FINI(&all.rows);
    return done;
}

status codes_open(struct ctx *cx, const char *dir, struct data_store *store, struct codes **out_codes)
{
    TRY(file_make_dirs(cx, dir));
    struct codes *codes = mem_alloc(sizeof *codes);
    codes->dir = mem_copy(dir, strlen(dir) + 1);
    codes->store = store;
    codes->releases = data_table(store, "codes.release");
    codes->active = data_table(store, "codes.active");
    codes->work = data_table(store, "codes.work");
    pthread_mutex_init(&codes->lock, NULL);
    status opened = open_packs(codes, cx);
    if (opened == STATUS_OK)
        opened = codes_take_rows(codes, NULL, cx);
    if (opened != STATUS_OK) {
        codes_close(codes);
        return opened;
    }
    codes_publish(codes);
    *out_codes = codes;
    return STATUS_OK;
}

void codes_close(struct codes *codes)
{
    if (codes == NULL)
        return;
    codes_snapshot_unref(codes->applied);
    codes_snapshot_unref(codes->current);
    for (size_t i = 0; i < codes->packs.count; i++)
        pack_close(codes->packs.at[i].pack);
    VEC_FINI(&codes->packs);
    pthread_mutex_destroy(&codes->lock);
    mem_free(codes->dir);
    mem_free(codes);
}

/* --- names of systems --- */

struct str codes_system_uri(const struct codes_snapshot *snapshot, struct str system)
{
    const uint64_t *exact = map_get(&snapshot->names, system);
    const struct system_row *row = exact ? &systems_rows[*exact - 1] : systems_find(system);
    return row ? str_from(row->uri) : system;
}

struct str codes_system_v2_name(const struct codes_snapshot *snapshot, struct str system)
{
    const uint64_t *exact = map_get(&snapshot->names, system);
    const struct system_row *row = exact ? &systems_rows[*exact - 1] : systems_find(system);
    return row ? str_from(row->v2_name) : system;
}

ptrdiff_t codes_active_index(const struct codes_snapshot *snapshot, struct str system)
{
    const uint64_t *at = map_get(&snapshot->active, system);
    if (at == NULL) { /* perhaps another spelling of a known name */
        const struct system_row *row = systems_find(system);
        at = row ? map_get(&snapshot->active, str_from(row->uri)) : NULL;
    }
    return at ? (ptrdiff_t)*at - 1 : -1;
}
