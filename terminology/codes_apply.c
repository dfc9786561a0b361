/* Journal entries about releases: register, activate, roll back. One writer; pure functions of (entry, rows, packs on
 * disk). */
#include "codes_internal.h"

void codes_registration_encode(struct buf *out, const struct codes_registration *registration)
{
    buf_put_lstr(out, registration->system);
    buf_put_lstr(out, registration->version);
    buf_put_lstr(out, registration->kind);
    buf_put_lstr(out, registration->pack_file);
    buf_put(out, registration->sha256, sizeof registration->sha256);
    buf_put_varint(out, registration->concepts);
}

void codes_activation_encode(struct buf *out, uint64_t release_id)
{
    buf_put_varint(out, release_id);
}

void codes_rollback_encode(struct buf *out, struct str system)
{
    buf_put_varint(out, 0);
    buf_put_lstr(out, system);
}

static void put_release(struct codes *codes, struct data_txn *txn, uint64_t id,
                        const struct codes_registration *registration, int64_t registered_us, int64_t activated_us)
{
    SCOPED(buf_fini) struct buf key = {0}, row = {0};
    buf_put_u64(&key, id);
    codes_registration_encode(&row, registration);
    buf_put_varint(&row, (uint64_t)registered_us);
    buf_put_varint(&row, (uint64_t)activated_us);
    data_txn_put(txn, codes->releases, buf_str(&key), buf_str(&row));
}

struct twin {
    const struct codes_registration *registration;
    bool found;
};

static bool look_for_twin(void *arg, struct str key, struct str row)
{
    (void)key;
    struct twin *twin = arg;
    struct cut cut = {.rest = row};
    struct str system = cut_lstr(&cut), version = cut_lstr(&cut);
    cut_lstr(&cut); /* kind */
    cut_lstr(&cut); /* file */
    struct str digest = cut_bytes(&cut, 32);
    twin->found = !cut.bad && str_eq(system, twin->registration->system) &&
                  str_eq(version, twin->registration->version) &&
                  memcmp(digest.data, twin->registration->sha256, 32) == 0;
    return !twin->found;
}

status codes_apply_register(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str body)
{
    struct cut cut = {.rest = body};
    struct codes_registration registration;
    TRY(codes_registration_decode(cx, &cut, &registration));
    struct twin twin = {.registration = &registration};
    TRY(data_txn_scan(txn, codes->releases, cx, STR_NONE, look_for_twin, &twin));
    if (twin.found)
        return ctx_fail(cx, &codes_reasons[CODES_RELEASE_EXISTS], "%.*s version %.*s", STR_ARGS(registration.system),
                        STR_ARGS(registration.version));

    if (codes_pack_of(codes, seq) == NULL) { /* it is open already when an undone entry is applied again */
        struct pack *pack;
        TRY(codes_pack_load(codes, cx, &registration, &pack));
        codes_pack_add(codes, seq, pack);
    }
    put_release(codes, txn, seq, &registration, cx->now_us, 0);
    return codes_take_rows(codes, txn, cx);
}

/* Activated ids of a system, oldest first. */
struct history {
    uint64_t ids[CODES_HISTORY_MAX];
    size_t count;
};

static status load_history(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct str system,
                           struct history *out)
{
    *out = (struct history){0};
    struct str row;
    status got = data_txn_get(txn, codes->active, cx, system, &row);
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(cx);
        return STATUS_OK;
    }
    TRY(got);
    struct cut cut = {.rest = row};
    while (cut.rest.len && !cut.bad && out->count < CODES_HISTORY_MAX)
        out->ids[out->count++] = cut_varint(&cut);
    return cut.bad ? ctx_fail(cx, &codes_reasons[CODES_BODY_BAD], "row of active releases") : STATUS_OK;
}

static void put_history(struct codes *codes, struct data_txn *txn, struct str system, const struct history *history)
{
    SCOPED(buf_fini) struct buf row = {0};
    for (size_t i = 0; i < history->count; i++)
        buf_put_varint(&row, history->ids[i]);
    data_txn_put(txn, codes->active, system, buf_str(&row));
}

static status stamp_activation(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t id,
                               struct codes_registration *out_registration)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_u64(&key, id);
    struct str row;
    status got = data_txn_get(txn, codes->releases, cx, buf_str(&key), &row);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &codes_reasons[CODES_RELEASE_UNKNOWN], "id %llu", (unsigned long long)id);
    TRY(got);
    struct cut cut = {.rest = arena_str(cx->arena, row)};
    TRY(codes_registration_decode(cx, &cut, out_registration));
    int64_t registered_us = (int64_t)cut_varint(&cut);
    put_release(codes, txn, id, out_registration, registered_us, cx->now_us);
    return STATUS_OK;
}

static status activate(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t id)
{
    struct codes_registration registration;
    TRY(stamp_activation(codes, txn, cx, id, &registration));
    struct history history;
    TRY(load_history(codes, txn, cx, registration.system, &history));
    if (history.count == 0 || history.ids[history.count - 1] != id) {
        if (history.count == CODES_HISTORY_MAX)
            memmove(history.ids, history.ids + 1, --history.count * sizeof history.ids[0]);
        history.ids[history.count++] = id;
    }
    put_history(codes, txn, registration.system, &history);
    return STATUS_OK;
}

static status roll_back(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct str system)
{
    const struct system_row *known = systems_find(system);
    struct str uri = known ? str_from(known->uri) : system;
    struct history history;
    TRY(load_history(codes, txn, cx, uri, &history));
    if (history.count < 2)
        return ctx_fail(cx, &codes_reasons[CODES_NOTHING_BEFORE], "%.*s", STR_ARGS(uri));
    history.count--;
    struct codes_registration registration;
    TRY(stamp_activation(codes, txn, cx, history.ids[history.count - 1], &registration));
    put_history(codes, txn, uri, &history);
    return STATUS_OK;
}

status codes_apply_activate(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str body)
{
    (void)seq;
    struct cut cut = {.rest = body};
    uint64_t id = cut_varint(&cut);
    struct str system = id == 0 ? cut_lstr(&cut) : STR_NONE;
    if (cut.bad || (id == 0 && system.len == 0))
        return ctx_fail(cx, &codes_reasons[CODES_BODY_BAD], "activation");
    TRY(id ? activate(codes, txn, cx, id) : roll_back(codes, txn, cx, system));
    return codes_take_rows(codes, txn, cx);
}
