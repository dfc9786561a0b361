#include "ask_internal.h"

/*
 * By identifier. A record is found by every identifier it has. Its own comes first: it names one record. A number that
 * records only mention beside their own names a person when all of them are of that one; two persons with one number
 * name nobody, and the answer says so.
 */

static bool says(const struct mpi_identifier *said, struct mpi_identifier asked)
{
    return str_eq(str_trim(said->authority), str_trim(asked.authority)) &&
           str_eq(str_trim(said->value), str_trim(asked.value));
}

/* Does the record say it, as its own (or beside it)? Keys are hashes: the text decides. */
static status check_says(const struct data_view *look, const struct mpi *mpi, struct ctx *cx, uint32_t record,
                         struct mpi_identifier identifier, bool own, bool *out_says)
{
    struct arena_mark mark = arena_mark(cx->arena);
    struct stored_record stored;
    TRY(look_at_record(look, mpi, cx, record, &stored));
    *out_says = false;
    for (size_t i = own ? 0 : 1; i < (own ? 1 : stored.identifier_count) && !*out_says; i++)
        *out_says = says(&stored.identifiers[i], identifier);
    arena_rewind(cx->arena, mark);
    return STATUS_OK;
}

static status find_own(const struct data_view *look, const struct mpi *mpi, struct ctx *cx,
                       struct mpi_identifier identifier, uint32_t *out_record)
{
    struct holders_at at = {0};
    bool found = false;
    *out_record = 0;
    for (uint32_t record; !found && (record = index_find_own(mpi, SHOWN, row_identifier_key(identifier), &at)) != 0;) {
        TRY(check_says(look, mpi, cx, record, identifier, true, &found));
        *out_record = found ? record : 0;
    }
    return STATUS_OK;
}

/* Among the holders of a key: the smallest record of the first person met, and one of another person, 0 = none. Stops
 * at the second person: a number that very many have is not walked to its end. */
static uint32_t first_two(const struct mpi *mpi, const struct holders *holders, uint32_t *out_other)
{
    struct holders_at at = {0};
    uint32_t first = 0, person = 0;
    *out_other = 0;
    for (uint32_t record; *out_other == 0 && (record = holders_next(holders, &at)) != 0;) {
        uint32_t of = entry_at(mpi, SHOWN, record)->person;
        if (first == 0)
            person = of;
        if (of != person)
            *out_other = record;
        else if (first == 0 || record < first)
            first = record;
    }
    return first;
}

/* The smallest record that mentions it. */
static status find_mentioned(const struct data_view *look, const struct mpi *mpi, struct ctx *cx,
                             struct mpi_identifier identifier, uint32_t *out_record)
{
    struct holders holders = holders_of(mpi, SHOWN, handle_key(identifier));
    uint32_t other, record = first_two(mpi, &holders, &other);
    bool says_it = false, other_says_it = false;
    if (record)
        TRY(check_says(look, mpi, cx, record, identifier, false, &says_it));
    if (other)
        TRY(check_says(look, mpi, cx, other, identifier, false, &other_says_it));
    if (says_it && other_says_it)
        return ctx_fail(cx, &mpi_reasons[MPI_IDENTIFIER_SHARED], "authority %.*s", STR_ARGS(identifier.authority));
    *out_record = says_it ? record : other_says_it ? other : 0; /* keys that meet: one of the two */
    return STATUS_OK;
}

status mpi_find(struct mpi *mpi, struct ctx *cx, struct mpi_identifier identifier, uint64_t *out_person,
                uint64_t *out_record)
{
    uint32_t record;
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    TRY(find_own(&look, mpi, cx, identifier, &record));
    if (record == 0)
        TRY(find_mentioned(&look, mpi, cx, identifier, &record));
    if (record == 0)
        return ctx_fail(cx, &mpi_reasons[MPI_IDENTIFIER_UNKNOWN], "authority %.*s", STR_ARGS(identifier.authority));
    *out_record = record;
    *out_person = entry_at(mpi, SHOWN, record)->person;
    return STATUS_OK;
}

status mpi_find_own(struct mpi *mpi, struct ctx *cx, struct mpi_identifier identifier, uint64_t *out_person,
                    uint64_t *out_record)
{
    uint32_t record;
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    TRY(find_own(&look, mpi, cx, identifier, &record));
    if (record == 0)
        return ctx_fail(cx, &mpi_reasons[MPI_IDENTIFIER_UNKNOWN], "authority %.*s", STR_ARGS(identifier.authority));
    *out_record = record;
    *out_person = entry_at(mpi, SHOWN, record)->person;
    return STATUS_OK;
}
