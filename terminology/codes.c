#include "codes_internal.h"

#include "base/file.h"
#include "base/invariant.h"
#include "base/mem.h"

const struct data_table_spec codes_tables[] = {
    {.name = "codes.release"}, {.name = "codes.active"}, {.name = "codes.work"}};
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
    [CODES_PAGE_BAD] = {"codes.page-bad", STATUS_INVALID_ARGUMENT, 207, "no page of this list begins there"},
    [CODES_TOO_MANY_ROWS] = {"codes.too-many-rows", STATUS_FAILED_PRECONDITION, 207,
                             "the active maps hold too many rows for this code: name a target system"},
    [CODES_BODY_BAD] = {"codes.bad-entry", STATUS_DATA_LOSS, 207, "a journal entry about codes cannot be read"},
};

/* --- open and close --- */

status codes_open(struct ctx *cx, const char *dir, struct data_store *store, struct codes **out_codes)
{
    TRY(file_make_dirs(cx, dir));
    struct codes *codes = mem_alloc(sizeof *codes);
    codes->dir = mem_copy(dir, strlen(dir) + 1);
    codes->store = store;
    codes->releases = data_table(store, "codes.release");
    codes->active = data_table(store, "codes.active");
    codes->work = data_table(store, "codes.work");
    pthread_mutex_init(&codes->changing, NULL);
    pthread_mutex_init(&codes->lock, NULL);
    status opened = codes_start(codes, cx);
    if (opened != STATUS_OK) {
        codes_close(codes);
        return opened;
    }
    *out_codes = codes;
    return STATUS_OK;
}

void codes_close(struct codes *codes)
{
    if (codes == NULL)
        return;
    codes_snapshot_unref(codes->applied);
    codes_snapshot_unref(codes->current);
    codes_free_unused(codes);
    INVARIANT(codes->packs.count == 0); /* every snapshot and hold was given back */
    VEC_FINI(&codes->packs);
    pthread_mutex_destroy(&codes->changing);
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
