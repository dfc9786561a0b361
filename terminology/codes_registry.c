/* What the store says of releases, and the registration inside journal entries. */
#include "codes_internal.h"
#include "codes_rows.h"

#include "base/mem.h"
#include "data/journal.h"

status codes_row_damaged(struct ctx *cx, const char *table)
{
    return ctx_fail(cx, &data_reasons[DATA_STORE_DAMAGED],
                    "a row of %s cannot be read; next: rebuild it from the journal", table);
}

/* --- registrations --- */

void codes_registration_encode(struct buf *out, const struct codes_registration *registration)
{
    buf_put_lstr(out, registration->system);
    buf_put_lstr(out, registration->version);
    buf_put_lstr(out, registration->kind);
    buf_put_lstr(out, registration->pack_file);
    buf_put(out, registration->sha256, sizeof registration->sha256);
    buf_put_varint(out, registration->concepts);
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

/* --- codes.release --- */

status codes_known_read(struct ctx *cx, struct str key, struct str bytes, struct codes_known *out)
{
    struct cut in_key = {.rest = key};
    struct codes_release_row row;
    struct codes_known found = {.id = cut_u64(&in_key)};
    if (in_key.bad || in_key.rest.len || !codes_release_row_decode(bytes, &row))
        return codes_row_damaged(cx, "codes.release");
    found.registration = (struct codes_registration){.system = row.system,
                                                     .version = row.version,
                                                     .kind = row.kind,
                                                     .pack_file = row.pack_file,
                                                     .concepts = row.concepts};
    memcpy(found.registration.sha256, row.sha256, sizeof row.sha256);
    found.registered_us = row.registered_us;
    found.activated_us = row.activated_us;
    *out = found;
    return STATUS_OK;
}

void codes_known_put(struct codes *codes, struct data_txn *txn, const struct codes_known *known)
{
    const struct codes_registration *from = &known->registration;
    struct codes_release_row row = {.system = from->system,
                                    .version = from->version,
                                    .kind = from->kind,
                                    .pack_file = from->pack_file,
                                    .concepts = from->concepts,
                                    .registered_us = known->registered_us,
                                    .activated_us = known->activated_us};
    memcpy(row.sha256, from->sha256, sizeof row.sha256);
    SCOPED(buf_fini) struct buf key = {0}, bytes = {0};
    buf_put_u64(&key, known->id);
    codes_release_row_encode(&bytes, &row);
    data_txn_put(txn, codes->releases, buf_str(&key), buf_str(&bytes));
}

/* --- codes.active --- */

status codes_history_decode(struct ctx *cx, struct str row, struct codes_history *out)
{
    struct cut cut = {.rest = row};
    struct codes_history history = {.ids = arena_array(cx->arena, row.len + 1, sizeof *history.ids)};
    while (cut.rest.len && !cut.bad) /* a number is a byte at least */
        history.ids[history.count++] = cut_varint(&cut);
    if (cut.bad || history.count == 0)
        return codes_row_damaged(cx, "codes.active");
    *out = history;
    return STATUS_OK;
}
