/* Which messages there are, newest first. */
#include "engine_internal.h"

/* A list of refused messages may have to pass over very many others: after so many rows it answers what it has, and
 * where to go on. */
enum { LINES_MAX = 10000, LOOKED_AT_MAX = 20000 }; /* of a page */

struct listing {
    struct ctx *cx;
    struct arena scratch;
    struct engine_message_line *lines;
    size_t count, max, looked_at;
    bool refused_only, skip_bad;
    uint64_t last_seq; /* looked at */
    status failed;
};

/* Senders decide how long a text is, and a page holds thousands: a longer one ends in an ellipsis, after a whole
 * character. */
struct str listed_text(struct arena *arena, struct str text)
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    if (text.len <= LISTED_TEXT_MAX)
        return arena_str(arena, text);
    size_t len = LISTED_TEXT_MAX - (sizeof ellipsis - 1);
    while (len > 0 && ((uint8_t)text.data[len] & 0xc0) == 0x80)
        len--;
    return arena_printf(arena, "%.*s%s", (int)len, text.data, ellipsis);
}

static bool list_line(void *arg, struct str key, struct str bytes)
{
    struct listing *listing = arg;
    struct message_row row;
    struct arena *arena = listing->cx->arena;
    struct ctx own = {.arena = &listing->scratch}; /* rows may be large, and most are passed over */
    arena_reset(&listing->scratch);
    listing->looked_at++;
    status got = seq_key_read(&own, key, &listing->last_seq);
    if (got == STATUS_OK)
        got = message_row_decode(&own, bytes, &row);
    if (got != STATUS_OK && !listing->skip_bad) {
        listing->failed = ctx_pass(listing->cx, &own, got);
        return false;
    }
    if (got == STATUS_OK && (!listing->refused_only || row.reason.len > 0))
        listing->lines[listing->count++] =
            (struct engine_message_line){.seq = listing->last_seq,
                                         .person = row.person,
                                         .others = row.patient_count,
                                         .time_us = row.journaled_us,
                                         .source = listed_text(arena, row.source),
                                         .type = listed_text(arena, row.type),
                                         .control_id = listed_text(arena, row.control_id),
                                         .ack_code = listed_text(arena, row.ack_code),
                                         .reason = listed_text(arena, row.reason),
                                         .verdict = arena_str(arena, row.verdict)};
    return listing->count < listing->max && listing->looked_at < LOOKED_AT_MAX;
}

status engine_messages(struct engine *engine, struct ctx *cx, uint64_t before, size_t max, bool refused_only,
                       struct engine_message_line **out_lines, size_t *out_count, uint64_t *out_next_before)
{
    struct listing listing = {.cx = cx,
                              .max = max < 1           ? 1
                                     : max < LINES_MAX ? max
                                                       : LINES_MAX,
                              .refused_only = refused_only,
                              .skip_bad = engine->options.plant_skip_bad_row};
    listing.lines = arena_array(cx->arena, listing.max, sizeof *listing.lines);
    struct str from = before > 1 ? seq_key(cx->arena, before - 1) : STR_NONE;
    status got = data_scan_back(engine->message, cx, STR_NONE, from, list_line, &listing);
    arena_fini(&listing.scratch);
    TRY(got);
    TRY(listing.failed);
    bool stopped = listing.count == listing.max || listing.looked_at == LOOKED_AT_MAX;
    *out_next_before = stopped && listing.last_seq > 1 ? listing.last_seq : 0;
    *out_lines = listing.lines;
    *out_count = listing.count;
    return STATUS_OK;
}
