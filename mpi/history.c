#include "apply_internal.h"
#include "ask_internal.h"

struct collecting {
    struct ctx *cx;
    VEC(struct mpi_event) events;
    uint32_t record;
    status failed;
};
enum { EVENTS_MAX = 10000 };

static bool take_event(void *arg, struct str key, struct str row)
{
    struct collecting *collecting = arg;
    struct stored_event stored;
    collecting->failed = decode_event(collecting->cx, row, &stored);
    if (collecting->failed != STATUS_OK || collecting->events.count >= EVENTS_MAX)
        return false;
    *VEC_ADD(&collecting->events) =
        (struct mpi_event){.seq = key_part(key, 1),
                           .time_us = stored.time_us,
                           .what = stored.what < EVENT_COUNT ? event_names[stored.what] : "unknown",
                           .record = collecting->record,
                           .person = stored.person,
                           .other = stored.other,
                           .by = arena_str(collecting->cx->arena, stored.by)};
    return true;
}

/* Creation is worked out from the record itself: most records never get an event of their own. */
static status take_record(struct mpi *mpi, struct collecting *collecting, uint32_t record)
{
    struct ctx *cx = collecting->cx;
    struct stored_record stored;
    status got = rows_fetch_record(mpi, cx, record, &stored);
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(cx);
        return STATUS_OK;
    }
    TRY(got);
    collecting->record = record;
    *VEC_ADD(&collecting->events) = (struct mpi_event){.seq = stored.first_seq,
                                                       .time_us = stored.first_us,
                                                       .what = event_names[EVENT_CREATED],
                                                       .record = record,
                                                       .person = record,
                                                       .by = stored.source};
    struct key key = key_1(record);
    TRY(data_scan(mpi->events, cx, key_str(&key), STR_NONE, take_event, collecting));
    return collecting->failed;
}

/* Oldest first; events of one entry stay in the order of their records. */
static void sort_events(struct mpi_event *events, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct mpi_event event = events[i];
        size_t k = i;
        for (; k > 0 && events[k - 1].seq > event.seq; k--)
            events[k] = events[k - 1];
        events[k] = event;
    }
}

status mpi_history(struct mpi *mpi, struct ctx *cx, uint64_t person, struct mpi_event **out_events, size_t *out_count)
{
    pthread_rwlock_rdlock(&mpi->lock);
    bool known = person >= 1 && person <= mpi->count;
    pthread_rwlock_unlock(&mpi->lock);
    if (!known)
        return ctx_fail(cx, &mpi_reasons[MPI_PERSON_UNKNOWN], "number %llu", (unsigned long long)person);
    uint32_t *members, id;
    size_t count = person_members(mpi, cx, person, &members, &id);
    struct collecting collecting = {.cx = cx};
    status result = STATUS_OK;
    for (size_t i = 0; i < count && result == STATUS_OK; i++)
        result = take_record(mpi, &collecting, members[i]);
    if (result == STATUS_OK) {
        struct mpi_event *events = arena_array(cx->arena, collecting.events.count + 1, sizeof *events);
        if (collecting.events.count)
            memcpy(events, collecting.events.at, collecting.events.count * sizeof *events);
        sort_events(events, collecting.events.count);
        *out_events = events;
        *out_count = collecting.events.count;
    }
    VEC_FINI(&collecting.events);
    return result;
}
