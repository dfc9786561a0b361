#include "ask_internal.h"
#include "base/limits.h"
#include "writer_internal.h"

#include <stdlib.h>

/* One person's events. Of a very long history the newest are kept: what happened last is what is asked about. */
struct collecting {
    struct ctx *cx;
    VEC(struct mpi_event) events;
    const struct mpi_event *before; /* NULL: all */
    uint32_t record;
    size_t room; /* for this record */
    bool cut;    /* a record has more than that */
    status failed;
};
enum { EVENTS_MAX = 10000 };

/* Oldest first; events of one entry in the order of their records, creation first. */
static int order_events(const void *left, const void *right)
{
    const struct mpi_event *a = left, *b = right;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    if (a->record != b->record)
        return a->record < b->record ? -1 : 1;
    return a->nth < b->nth ? -1 : a->nth > b->nth;
}

/* Newest first. */
static bool take_event(void *arg, struct str key, struct str row)
{
    struct collecting *collecting = arg;
    struct stored_event stored;
    collecting->failed = key_check(collecting->cx, key, 3, "mpi.event");
    if (collecting->failed == STATUS_OK)
        collecting->failed = decode_event(collecting->cx, row, &stored);
    if (collecting->failed != STATUS_OK)
        return false;
    *VEC_ADD(&collecting->events) =
        (struct mpi_event){.seq = key_part(key, 1),
                           .nth = (uint32_t)key_part(key, 2) + 1,
                           .time_us = stored.time_us,
                           .what = stored.what < EVENT_COUNT ? event_names[stored.what] : "unknown",
                           .record = collecting->record,
                           .person = stored.person,
                           .other = stored.other,
                           .by = arena_str(collecting->cx->arena, stored.by)};
    collecting->cut |= --collecting->room == 0;
    return collecting->room > 0;
}

/* Creation is worked out from the record itself: most records never get an event of their own. */
static status take_creation(struct mpi *mpi, struct collecting *collecting, uint32_t record)
{
    struct ctx *cx = collecting->cx;
    struct arena_mark mark = arena_mark(cx->arena);
    struct stored_record stored;
    char source[LIMIT_FIELD_VALUE_BYTES];
    {
        SCOPED(look_end) struct data_view look;
        look_begin(mpi, &look);
        TRY(look_at_record(&look, mpi, cx, record, &stored));
    }
    size_t len = stored.source.len < sizeof source ? stored.source.len : sizeof source;
    memcpy(source, stored.source.data, len);
    arena_rewind(cx->arena, mark); /* a record may be large */
    struct mpi_event created = {.seq = stored.first_seq,
                                .time_us = stored.first_us,
                                .what = event_names[EVENT_CREATED],
                                .record = record,
                                .person = record};
    if (collecting->before && order_events(&created, collecting->before) >= 0)
        return STATUS_OK;
    created.by = arena_str(cx->arena, str_make(source, len));
    *VEC_ADD(&collecting->events) = created;
    return STATUS_OK;
}

/* The last key that an event of this record before that one can have. */
static struct key last_before(uint32_t record, const struct mpi_event *before)
{
    if (record < before->record)
        return key_3(record, before->seq, UINT64_MAX);
    if (record == before->record && before->nth > 1)
        return key_3(record, before->seq, before->nth - 2); /* keys count from 0 */
    return key_3(record, before->seq - 1, UINT64_MAX);
}

static status take_events(struct mpi *mpi, struct collecting *collecting, uint32_t record)
{
    struct key key = key_1(record), last = {.len = 0};
    if (collecting->before)
        last = last_before(record, collecting->before);
    collecting->record = record;
    collecting->room = EVENTS_MAX;
    TRY(data_scan_back(mpi->events, collecting->cx, key_str(&key), last.len ? key_str(&last) : STR_NONE, take_event,
                       collecting));
    return collecting->failed;
}

static status find_members(struct mpi *mpi, struct ctx *cx, uint64_t person, uint32_t **out_members, size_t *out_count)
{
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    if (!is_shown(mpi, person))
        return ctx_fail(cx, &mpi_reasons[MPI_PERSON_UNKNOWN], "number %llu", (unsigned long long)person);
    uint32_t id;
    *out_count = look_at_members(mpi, cx, person, out_members, &id);
    return STATUS_OK;
}

status mpi_history(struct mpi *mpi, struct ctx *cx, uint64_t person, const struct mpi_event *before,
                   struct mpi_event **out_events, size_t *out_count, bool *out_older)
{
    struct collecting collecting = {.cx = cx, .before = before};
    uint32_t *members;
    size_t count = 0;
    status result = find_members(mpi, cx, person, &members, &count);
    for (size_t i = 0; i < count && result == STATUS_OK; i++) {
        result = take_creation(mpi, &collecting, members[i]);
        if (result == STATUS_OK)
            result = take_events(mpi, &collecting, members[i]);
    }
    if (result == STATUS_OK) {
        size_t all = collecting.events.count, kept = all < EVENTS_MAX ? all : EVENTS_MAX;
        struct mpi_event *events = arena_array(cx->arena, kept, sizeof *events);
        if (all > 0) { /* none: a page before the first */
            qsort(collecting.events.at, all, sizeof collecting.events.at[0], order_events);
            memcpy(events, collecting.events.at + (all - kept), kept * sizeof *events);
        }
        *out_events = events;
        *out_count = kept;
        *out_older = all > kept || collecting.cut;
    }
    VEC_FINI(&collecting.events);
    return result;
}
