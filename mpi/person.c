#include "ask_internal.h"

#include "base/bounds.h"
#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>

status look_at_record(const struct data_view *look, const struct mpi *mpi, struct ctx *cx, uint32_t record,
                      struct stored_record *out_record)
{
    struct key key = key_1(record);
    struct str row;
    status got = data_view_get(look, mpi->records, cx, key_str(&key), &row);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.record: record %u has no row", record);
    TRY(got);
    return decode_record(cx, row, out_record);
}

static int order_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

size_t look_at_members(const struct mpi *mpi, struct ctx *cx, uint64_t number, uint32_t **out_members,
                       uint32_t *out_person)
{
    uint32_t person = entry_at(mpi, SHOWN, (uint32_t)number)->person, at = person;
    size_t count = 0;
    do
        count++;
    while ((at = entry_at(mpi, SHOWN, at)->ring) != person);
    uint32_t *members = arena_array(cx->arena, count, sizeof *members);
    count = 0;
    do
        members[count++] = at;
    while ((at = entry_at(mpi, SHOWN, at)->ring) != person);
    qsort(members, count, sizeof members[0], order_numbers);
    *out_members = members;
    *out_person = person;
    return count;
}

static void fill_view(const struct mpi *mpi, uint32_t record, const struct stored_record *stored,
                      struct mpi_record_view *out_view)
{
    const struct entry *entry = entry_at(mpi, SHOWN, record);
    *out_view = (struct mpi_record_view){.id = record,
                                         .person = entry->person,
                                         .source = stored->source,
                                         .identifiers = stored->identifiers,
                                         .identifier_count = stored->identifier_count,
                                         .demographics = stored->said,
                                         .first_seq = stored->first_seq,
                                         .last_seq = stored->last_seq,
                                         .first_us = stored->first_us,
                                         .last_us = stored->last_us,
                                         .versions = stored->versions,
                                         .active = stored->active,
                                         .retired_into = entry->retired_into};
}

status mpi_record(struct mpi *mpi, struct ctx *cx, uint64_t record, struct mpi_record_view *out_record)
{
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    if (!is_shown(mpi, record))
        return ctx_fail(cx, &mpi_reasons[MPI_RECORD_UNKNOWN], "number %" PRIu64, record);
    struct stored_record stored;
    TRY(look_at_record(&look, mpi, cx, (uint32_t)record, &stored));
    fill_view(mpi, (uint32_t)record, &stored, out_record);
    return STATUS_OK;
}

/* The records of a person, some at a time, for the writer's sake. Most have one slice: then all is of one moment. */
struct reading_person {
    uint32_t *members, id;
    size_t count, at;
    size_t used; /* of the arena, before */
};

static status read_some(const struct data_view *look, const struct mpi *mpi, struct ctx *cx,
                        struct reading_person *reading, struct mpi_person_view *view)
{
    enum { SLICE = 64 };
    for (size_t end = reading->at + SLICE; reading->at < reading->count && reading->at < end; reading->at++) {
        uint32_t record = reading->members[reading->at];
        struct stored_record stored;
        if (entry_at(mpi, SHOWN, record)->person != reading->id)
            continue; /* another person's since an earlier slice */
        TRY(look_at_record(look, mpi, cx, record, &stored));
        fill_view(mpi, record, &stored, &view->records[view->record_count++]);
        if (BEYOND(LIMIT_PERSON_BYTES, cx->arena->used - reading->used))
            return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "%zu records of person %u hold too much to show at once",
                            reading->count, reading->id);
    }
    return STATUS_OK;
}

status mpi_person(struct mpi *mpi, struct ctx *cx, uint64_t person, struct mpi_person_view *out_person)
{
    struct reading_person reading = {.used = cx->arena->used};
    struct mpi_person_view view = {.asked = person};
    do {
        SCOPED(look_end) struct data_view look;
        look_begin(mpi, &look);
        if (reading.count == 0) {
            if (!is_shown(mpi, person))
                return ctx_fail(cx, &mpi_reasons[MPI_PERSON_UNKNOWN], "number %" PRIu64, person);
            reading.count = look_at_members(mpi, cx, person, &reading.members, &reading.id);
            view.id = reading.id;
            view.records = arena_array(cx->arena, reading.count, sizeof *view.records);
        }
        TRY(read_some(&look, mpi, cx, &reading, &view));
    } while (reading.at < reading.count);
    golden_fill(cx, &view);
    *out_person = view;
    return STATUS_OK;
}

struct mpi_counts mpi_count(struct mpi *mpi)
{
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    const struct tally *shown = &mpi->shown;
    return (struct mpi_counts){
        .records = shown->records,
        .persons = shown->persons,
        .decisions = shown->decisions,
        .reviews_open = shown->reviews_open,
        .more_said = shown->more_said,
        .index_bytes = blocks_bytes(&mpi->blocks) + shown->row_bytes + shown->half_edges * sizeof(struct edge) +
                       (size_t)shown->records * (sizeof(struct entry) + sizeof(struct note)) +
                       (size_t)shown->decisions * sizeof(struct decision) +
                       (size_t)shown->reviews * sizeof(struct review),
    };
}
