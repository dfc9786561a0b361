/*
 * Packs in memory: each open once, shared, closed with its last holder. A snapshot holds those it answers from; an
 * entry under way holds the one it is about. Files are opened and verified without any lock.
 */
#include "codes_internal.h"

#include "base/invariant.h"
#include "base/mem.h"

/* --- one file --- */

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
        return ctx_fail(cx, &codes_reasons[CODES_PACK_DAMAGED],
                        "%.*s of %.*s version %.*s: %.*s; next: put this file back into %s from a backup",
                        STR_ARGS(file), STR_ARGS(registration->system), STR_ARGS(registration->version),
                        STR_ARGS(cx->detail), codes->dir);
    if (!str_eq(pack_system(pack), registration->system) || !str_eq(pack_version(pack), registration->version) ||
        !str_eq(pack_kind(pack), registration->kind)) {
        pack_close(pack);
        return ctx_fail(cx, &codes_reasons[CODES_PACK_DAMAGED], "%.*s holds another release", STR_ARGS(file));
    }
    *out_pack = pack;
    return STATUS_OK;
}

/* --- shared --- */

static struct codes_pack *find_locked(struct codes *codes, const struct codes_registration *registration)
{
    for (size_t i = 0; i < codes->packs.count; i++) {
        struct codes_pack *pack = codes->packs.at[i];
        if (memcmp(pack->sha256, registration->sha256, sizeof pack->sha256) == 0 &&
            str_eq(pack->file, registration->pack_file))
            return pack;
    }
    return NULL;
}

struct codes_pack *codes_pack_if_open(struct codes *codes, const struct codes_registration *registration)
{
    pthread_mutex_lock(&codes->lock);
    struct codes_pack *pack = find_locked(codes, registration);
    if (pack)
        pack->holders++;
    pthread_mutex_unlock(&codes->lock);
    return pack;
}

static void free_pack(struct codes_pack *pack)
{
    pack_close(pack->pack);
    mem_free((void *)pack->file.data);
    mem_free(pack);
}

status codes_pack_hold(struct codes *codes, struct ctx *cx, const struct codes_registration *registration,
                       struct codes_pack **out_pack)
{
    struct codes_pack *held = codes_pack_if_open(codes, registration);
    if (held) {
        *out_pack = held;
        return STATUS_OK;
    }
    struct codes_pack *fresh = mem_alloc(sizeof *fresh);
    status loaded = codes_pack_load(codes, cx, registration, &fresh->pack);
    if (loaded != STATUS_OK) {
        mem_free(fresh);
        return loaded;
    }
    fresh->holders = 1;
    fresh->file =
        str_make(mem_copy(registration->pack_file.data, registration->pack_file.len), registration->pack_file.len);
    memcpy(fresh->sha256, registration->sha256, sizeof fresh->sha256);

    pthread_mutex_lock(&codes->lock);
    held = find_locked(codes, registration); /* somebody may have opened it meanwhile */
    if (held)
        held->holders++;
    else
        *VEC_ADD(&codes->packs) = fresh;
    pthread_mutex_unlock(&codes->lock);
    if (held)
        free_pack(fresh);
    *out_pack = held ? held : fresh;
    return STATUS_OK;
}

void codes_pack_release(struct codes *codes, struct codes_pack *pack)
{
    if (pack == NULL)
        return;
    pthread_mutex_lock(&codes->lock);
    INVARIANT(pack->holders > 0);
    bool last = --pack->holders == 0;
    for (size_t i = 0; last && i < codes->packs.count; i++)
        if (codes->packs.at[i] == pack) {
            codes->packs.at[i] = codes->packs.at[--codes->packs.count];
            break;
        }
    pthread_mutex_unlock(&codes->lock);
    if (last)
        free_pack(pack);
}

size_t codes_open_packs(struct codes *codes)
{
    pthread_mutex_lock(&codes->lock);
    size_t count = codes->packs.count;
    pthread_mutex_unlock(&codes->lock);
    return count;
}

/* --- before an entry is journaled --- */

status codes_hold_registration(struct codes *codes, struct ctx *cx, const struct codes_registration *registration,
                               struct codes_hold *out_hold)
{
    struct codes_pack *pack;
    TRY(codes_pack_hold(codes, cx, registration, &pack));
    *out_hold = (struct codes_hold){.codes = codes, .pack = pack};
    return STATUS_OK;
}

static status hold_release(struct codes *codes, struct ctx *cx, const struct codes_snapshot *now, ptrdiff_t index,
                           struct codes_hold *out_hold)
{
    struct codes_pack *pack;
    TRY(codes_pack_hold(codes, cx, &now->registrations[index], &pack));
    *out_hold = (struct codes_hold){.codes = codes, .pack = pack, .changing = true};
    return STATUS_OK;
}

status codes_hold_activation(struct codes *codes, struct ctx *cx, uint64_t release_id, struct codes_hold *out_hold)
{
    pthread_mutex_lock(&codes->changing);
    struct codes_snapshot *now = codes_snapshot_ref(codes);
    ptrdiff_t index = codes_release_index(now, release_id);
    status held = index < 0
                      ? ctx_fail(cx, &codes_reasons[CODES_RELEASE_UNKNOWN], "id %llu", (unsigned long long)release_id)
                      : hold_release(codes, cx, now, index, out_hold);
    codes_snapshot_unref(now);
    if (held != STATUS_OK)
        pthread_mutex_unlock(&codes->changing);
    return held;
}

status codes_hold_rollback(struct codes *codes, struct ctx *cx, struct str system, struct codes_hold *out_hold)
{
    pthread_mutex_lock(&codes->changing);
    struct codes_snapshot *now = codes_snapshot_ref(codes);
    ptrdiff_t active = codes_active_index(now, system), before = active < 0 ? -1 : now->before[active];
    status held = before < 0 ? ctx_fail(cx, &codes_reasons[CODES_NOTHING_BEFORE], "%.*s", STR_ARGS(system))
                             : hold_release(codes, cx, now, before, out_hold);
    codes_snapshot_unref(now);
    if (held != STATUS_OK)
        pthread_mutex_unlock(&codes->changing);
    return held;
}

void codes_hold_end(struct codes_hold *hold)
{
    if (hold->codes == NULL)
        return;
    codes_pack_release(hold->codes, hold->pack);
    if (hold->changing)
        pthread_mutex_unlock(&hold->codes->changing);
    *hold = (struct codes_hold){0};
}
