/* Journal entries about releases: register, activate, roll back. One writer; pure functions of (entry, rows, packs on
 * disk). */
#include "codes_internal.h"

void codes_activation_encode(struct buf *out, uint64_t release_id)
{
    buf_put_varint(out, release_id);
}

void codes_rollback_encode(struct buf *out, struct str system)
{
    buf_put_varint(out, 0);
    buf_put_lstr(out, system);
}

struct twin {
    struct ctx *cx;
    const struct codes_registration *registration;
    bool found;
    status got;
};

static bool look_for_twin(void *arg, struct str key, struct str bytes)
{
    struct twin *twin = arg;
    struct codes_known row;
    twin->got = codes_known_read(twin->cx, key, bytes, &row);
    twin->found = twin->got == STATUS_OK && str_eq(row.registration.system, twin->registration->system) &&
                  str_eq(row.registration.version, twin->registration->version) &&
                  memcmp(row.registration.sha256, twin->registration->sha256, sizeof row.registration.sha256) == 0;
    return twin->got == STATUS_OK && !twin->found;
}

status codes_apply_register(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str body)
{
    struct cut cut = {.rest = body};
    struct codes_known row = {.id = seq, .registered_us = cx->now_us};
    TRY(codes_registration_decode(cx, &cut, &row.registration));
    struct twin twin = {.cx = cx, .registration = &row.registration};
    TRY(data_txn_scan(txn, codes->releases, cx, STR_NONE, look_for_twin, &twin));
    TRY(twin.got);
    if (twin.found)
        return ctx_fail(cx, &codes_reasons[CODES_RELEASE_EXISTS], "%.*s version %.*s",
                        STR_ARGS(row.registration.system), STR_ARGS(row.registration.version));

    struct codes_pack *pack; /* in service codes_hold_registration() has it open */
    TRY(codes_pack_hold(codes, cx, &row.registration, &pack));
    codes_known_put(codes, txn, &row);
    status taken = codes_take_rows(codes, txn, cx);
    codes_pack_release(codes, pack);
    return taken;
}

/* Empty when no release of the system was active yet. */
static status load_history(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct str system,
                           struct codes_history *out)
{
    struct str row;
    status got = data_txn_get(txn, codes->active, cx, system, &row);
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(cx);
        *out = (struct codes_history){.ids = arena_array(cx->arena, 1, sizeof *out->ids)};
        return STATUS_OK;
    }
    TRY(got);
    return codes_history_decode(cx, row, out);
}

static void put_history(struct codes *codes, struct data_txn *txn, struct str system,
                        const struct codes_history *history)
{
    SCOPED(buf_fini) struct buf row = {0};
    for (size_t i = 0; i < history->count; i++)
        buf_put_varint(&row, history->ids[i]);
    data_txn_put(txn, codes->active, system, buf_str(&row));
}

static status stamp_activation(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t id,
                               struct str *out_system)
{
    SCOPED(buf_fini) struct buf key = {0};
    buf_put_u64(&key, id);
    struct str bytes;
    status got = data_txn_get(txn, codes->releases, cx, buf_str(&key), &bytes);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &codes_reasons[CODES_RELEASE_UNKNOWN], "id %llu", (unsigned long long)id);
    TRY(got);
    struct codes_known row;
    TRY(codes_known_read(cx, buf_str(&key), arena_str(cx->arena, bytes), &row)); /* outlives the put */
    row.activated_us = cx->now_us;
    codes_known_put(codes, txn, &row);
    *out_system = arena_str(cx->arena, row.registration.system);
    return STATUS_OK;
}

static status activate(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t id)
{
    struct str system;
    TRY(stamp_activation(codes, txn, cx, id, &system));
    struct codes_history history;
    TRY(load_history(codes, txn, cx, system, &history));
    if (history.count == 0 || history.ids[history.count - 1] != id)
        history.ids[history.count++] = id;
    put_history(codes, txn, system, &history);
    return STATUS_OK;
}

static status roll_back(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct str system)
{
    const struct system_row *known = systems_find(system);
    struct str uri = known ? str_from(known->uri) : system, of;
    struct codes_history history;
    TRY(load_history(codes, txn, cx, uri, &history));
    if (history.count < 2)
        return ctx_fail(cx, &codes_reasons[CODES_NOTHING_BEFORE], "%.*s", STR_ARGS(uri));
    history.count--;
    status stamped = stamp_activation(codes, txn, cx, history.ids[history.count - 1], &of);
    if (stamped == STATUS_NOT_FOUND)
        return codes_row_damaged(cx, "codes.active"); /* it was active once */
    TRY(stamped);
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
