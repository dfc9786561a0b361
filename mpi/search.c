#include "ask_internal.h"

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

/* Everybody alike or known by an identifier, on the heap. The caller frees it. Inside a look. */
static size_t collect_hits(struct mpi *mpi, const struct mpi_row *row, const uint32_t *known, size_t known_count,
                           struct hit **out_hits)
{
    uint32_t *candidates;
    size_t found = index_candidates(mpi, SHOWN, row, &(struct seeker){0}, &candidates), count = 0;
    struct hit *hits = mem_grow(NULL, found + known_count + 1, sizeof *hits);
    for (size_t i = 0; i < found + known_count; i++) {
        uint32_t record = i < known_count ? known[i] : candidates[i - known_count];
        const struct entry *entry = entry_at(mpi, SHOWN, record);
        struct hit hit = {
            .record = record, .person = entry->person, .own_key = entry->own_key, .by_identifier = i < known_count};
        if (entry->row) {
            compare_rows(row, entry->row, &hit.levels);
            hit.score_mbit = weigh_levels(mpi->model_shown, &hit.levels);
        }
        if (hit.by_identifier || hit.score_mbit >= SHOWN_MBIT)
            hits[count++] = hit;
    }
    mem_free(candidates);
    *out_hits = hits;
    return count;
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

status mpi_identify(struct mpi *mpi, struct ctx *cx, const struct mpi_identifier *identifiers, size_t identifier_count,
                    const struct mpi_demographics *demographics, size_t max, struct mpi_match **out_matches,
                    size_t *out_count)
{
    if (identifier_count > LIMIT_IDENTIFIERS_PER_RECORD)
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
    struct hit *hits;
    size_t hit_count = collect_hits(mpi, &space.row, known, known_count, &hits);
    qsort(hits, hit_count, sizeof hits[0], order_hits);
    size_t room = hit_count < max ? hit_count : max, count = 0;
    struct mpi_match *matches = arena_array(cx->arena, room ? room : 1, sizeof *matches);
    for (size_t i = 0; i < hit_count && count < room; i++) {
        bool shown = false;
        for (size_t k = 0; k < count && !shown; k++)
            shown = matches[k].person == hits[i].person;
        if (shown)
            continue;
        matches[count] = (struct mpi_match){
            .person = hits[i].person, .record = hits[i].record, .by_identifier = hits[i].by_identifier};
        explain_levels(mpi->model_shown, &hits[i].levels, 0, hits[i].record, &matches[count].comparison);
        count++;
    }
    mem_free(hits);
    *out_matches = matches;
    *out_count = count;
    return STATUS_OK;
}
