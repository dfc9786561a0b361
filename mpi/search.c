#include "ask_internal.h"

#include "base/bounds.h"
#include "base/limits.h"

#include <stdlib.h>

struct hit {
    uint32_t record, person;
    int32_t score_mbit;
    bool by_identifier;
    uint64_t own_key;
    struct levels levels;
};

static int order_hits(const void *left, const void *right)
{
    const struct hit *a = left, *b = right;
    if (a->by_identifier != b->by_identifier)
        return a->by_identifier ? -1 : 1;
    if (a->score_mbit != b->score_mbit)
        return a->score_mbit > b->score_mbit ? -1 : 1;
    if (a->own_key != b->own_key)
        return a->own_key < b->own_key ? -1 : 1;
    return a->record < b->record ? -1 : a->record > b->record;
}

/* Below this a candidate is not worth showing: 1 in 32 at best. */
enum { SHOWN_MBIT = -5000 };

struct hits {
    struct hit *at;
    size_t count, cap;
};

static void add_hit(struct mpi *mpi, const struct reach *reach, const struct mpi_row *row, uint32_t record,
                    bool by_identifier, struct hits *hits)
{
    const struct entry *entry = entry_at(mpi, SHOWN, record);
    struct hit hit = {
        .record = record, .person = entry->person, .own_key = entry->own_key, .by_identifier = by_identifier};
    int32_t least = by_identifier ? INT32_MIN : SHOWN_MBIT;
    if (entry->row == NULL || reach_compare(reach, row, entry->row, least, &hit.levels, &hit.score_mbit))
        *VEC_ADD(hits) = hit;
}

/* The one that was found stands for others who say the same, perhaps of other persons. */
static void add_others_of_body(struct mpi *mpi, const struct reach *reach, const struct mpi_row *row, uint32_t first,
                               struct hits *hits)
{
    uint64_t body = row_body(entry_at(mpi, SHOWN, first)->row);
    struct holders members = holders_of(mpi, SHOWN, body_members_key(body));
    struct holders_at at = {0};
    for (uint32_t member; body != 0 && members.count > 1 && (member = holders_next(&members, &at)) != 0;)
        if (entry_at(mpi, SHOWN, member)->person != entry_at(mpi, SHOWN, first)->person)
            add_hit(mpi, reach, row, member, false, hits);
}

/* Everybody alike or known by an identifier. Inside a look. */
static void collect_hits(struct mpi *mpi, const struct mpi_row *row, const uint32_t *known, size_t known_count,
                         struct hits *hits)
{
    uint32_t *candidates;
    struct row_keys keys = {.count = row_keys(row, keys.at)};
    size_t found = index_candidates(mpi, SHOWN, row, &keys, 0, &candidates);
    struct reach reach;
    reach_make(&reach, mpi->model_shown);
    for (size_t i = 0; i < known_count; i++)
        add_hit(mpi, &reach, row, known[i], true, hits);
    for (size_t i = 0; i < found; i++) {
        add_hit(mpi, &reach, row, candidates[i], false, hits);
        add_others_of_body(mpi, &reach, row, candidates[i], hits);
    }
    mem_free(candidates);
}

/* Records known by one of the identifiers, texts compared. */
static status find_known(struct mpi *mpi, struct ctx *cx, const struct mpi_identifier *identifiers, size_t count,
                         uint32_t *known, size_t *out_known)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t person, record;
        if (str_trim(identifiers[i].value).len == 0)
            continue;
        status got = mpi_find(mpi, cx, identifiers[i], &person, &record);
        if (got == STATUS_OK)
            known[found++] = (uint32_t)record;
        else if (got != STATUS_NOT_FOUND && cx->reason != &mpi_reasons[MPI_IDENTIFIER_SHARED])
            return got; /* a number that names nobody finds nobody here; the rest of what is said may */
        ctx_clear(cx);
    }
    *out_known = found;
    return STATUS_OK;
}

/* Beside a number alone there is nothing to compare: it is that record's, or it is not. */
static bool says_more_than_numbers(const struct mpi_demographics *said)
{
    return said->name_count > 0 || said->birth_date.year != 0 || said->sex != 0 || said->phone_count > 0 ||
           said->email_count > 0 || said->address_count > 0 || said->mother.family.len > 0 ||
           said->mother.given.len > 0 || said->birth_place.len > 0;
}

status mpi_identify(struct mpi *mpi, struct ctx *cx, const struct mpi_identifier *identifiers, size_t identifier_count,
                    const struct mpi_demographics *demographics, size_t max, struct mpi_match **out_matches,
                    size_t *out_count)
{
    if (BEYOND(LIMIT_IDENTIFIERS_PER_RECORD, identifier_count))
        return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "%zu identifiers", identifier_count);
    TRY(said_check_lists(cx, demographics));
    uint32_t *known = arena_array(cx->arena, identifier_count + 1, sizeof *known);
    size_t known_count;
    TRY(find_known(mpi, cx, identifiers, identifier_count, known, &known_count));
    union row_space space;
    row_make(identifiers, identifier_count, demographics, NULL, 0, &space);
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look); /* to the end: the model must be that of the rows */
    row_set_rarity(mpi->model_shown, &space.row);
    struct hits hits = {0};
    collect_hits(mpi, &space.row, known, known_count, &hits);
    if (hits.count > 1)
        qsort(hits.at, hits.count, sizeof hits.at[0], order_hits);
    size_t room = hits.count < max ? hits.count : max, count = 0;
    struct mpi_match *matches = arena_array(cx->arena, room ? room : 1, sizeof *matches);
    for (size_t i = 0; i < hits.count && count < room; i++) {
        bool shown = false;
        for (size_t k = 0; k < count && !shown; k++)
            shown = matches[k].person == hits.at[i].person;
        if (shown)
            continue;
        matches[count] = (struct mpi_match){
            .person = hits.at[i].person, .record = hits.at[i].record, .by_identifier = hits.at[i].by_identifier};
        if (!hits.at[i].by_identifier || says_more_than_numbers(demographics))
            explain_levels(mpi->model_shown, &hits.at[i].levels, 0, hits.at[i].record, &matches[count].comparison);
        count++;
    }
    VEC_FINI(&hits);
    *out_matches = matches;
    *out_count = count;
    return STATUS_OK;
}
