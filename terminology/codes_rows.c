#include "codes_rows.h"

void codes_release_row_encode(struct buf *out, const struct codes_release_row *row)
{
    buf_put_lstr(out, row->system);
    buf_put_lstr(out, row->version);
    buf_put_lstr(out, row->kind);
    buf_put_lstr(out, row->pack_file);
    buf_put(out, row->sha256, sizeof row->sha256);
    buf_put_varint(out, row->concepts);
    buf_put_varint(out, (uint64_t)row->registered_us);
    buf_put_varint(out, (uint64_t)row->activated_us);
}

bool codes_release_row_decode(struct str bytes, struct codes_release_row *out_row)
{
    struct cut cut = {.rest = bytes};
    struct codes_release_row row = {.system = cut_lstr(&cut)};
    row.version = cut_lstr(&cut);
    row.kind = cut_lstr(&cut);
    row.pack_file = cut_lstr(&cut);
    struct str digest = cut_bytes(&cut, sizeof row.sha256);
    row.concepts = cut_varint(&cut);
    row.registered_us = (int64_t)cut_varint(&cut);
    row.activated_us = (int64_t)cut_varint(&cut);
    if (cut.bad || cut.rest.len > 0 || row.system.len == 0 || row.pack_file.len == 0)
        return false;
    memcpy(row.sha256, digest.data, sizeof row.sha256);
    *out_row = row;
    return true;
}

void codes_work_row_encode(struct buf *out, const struct codes_work_row *row)
{
    buf_put_varint(out, row->count);
    buf_put_varint(out, row->first_seq);
    buf_put_varint(out, row->last_seq);
    buf_put_varint(out, (uint64_t)row->first_us);
    buf_put_varint(out, (uint64_t)row->last_us);
    buf_put_byte(out, (uint8_t)row->outcome);
    buf_put_lstr(out, row->display);
}

static bool is_outcome(uint8_t number)
{
    return number == CODES_WORK_UNMAPPED || number == CODES_WORK_INVALID || number == CODES_WORK_BEYOND_LIMIT;
}

bool codes_work_row_decode(struct str bytes, struct codes_work_row *out_row)
{
    struct cut cut = {.rest = bytes};
    struct codes_work_row row = {.count = cut_varint(&cut)};
    row.first_seq = cut_varint(&cut);
    row.last_seq = cut_varint(&cut);
    row.first_us = (int64_t)cut_varint(&cut);
    row.last_us = (int64_t)cut_varint(&cut);
    uint8_t outcome = cut_u8(&cut);
    row.outcome = (enum codes_work_outcome)outcome;
    row.display = cut_lstr(&cut);
    if (cut.bad || cut.rest.len > 0 || row.count == 0 || !is_outcome(outcome))
        return false;
    *out_row = row;
    return true;
}
