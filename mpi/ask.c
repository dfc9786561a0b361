#include "ask_internal.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- by identifier ---- */

static bool says_identifier(const struct stored_record *stored, struct mpi_identifier identifier, bool own_only)
{
    size_t count = own_only ? 1 : stored->identifier_count;
    for (size_t i = 0; i < count; i++)
        if (str_eq(str_trim(stored->identifiers[i].authority), str_trim(identifier.authority)) &&
            str_eq(str_trim(stored->identifiers[i].value), str_trim(identifier.value)))
            return true;
    return false;
}

enum { OWNERS_MAX = 8 };

/* Records whose own identifier may be this one. */
static size_t own_records(struct mpi *mpi, uint64_t key, uint32_t out[OWNERS_MAX])
{
    size_t count = 0;
    uint32_t cursor = 0, record;
    pthread_rwlock_rdlock(&mpi->lock);
    while (count < OWNERS_MAX && (record = index_find_own(mpi, key, &cursor)) != 0)
        out[count++] = record;
    pthread_rwlock_unlock(&mpi->lock);
    return count;
}

static int order_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* Records that mention it beside their own, smallest first, when these are all of one person; two persons with one
 * number name nobody. */
static size_t mentioning_records(struct mpi *mpi, struct mpi_identifier identifier, uint32_t out[OWNERS_MAX])
{
    union row_space space;
    struct mpi_demographics nothing = {0};
    row_make(&identifier, 1, &nothing, NULL, 0, &space);
    size_t count = 0;
    pthread_rwlock_rdlock(&mpi->lock);
    uint32_t candidates[OWNERS_MAX];
    size_t found = index_candidates(mpi, &space.row, candidates, OWNERS_MAX);
    uint32_t person = found ? mpi->entries[candidates[0]].person : 0;
    for (size_t i = 0; i < found; i++) {
        if (mpi->entries[candidates[i]].person != person) {
            count = 0;
            break;
        }
        out[count++] = candidates[i];
    }
    pthread_rwlock_unlock(&mpi->lock);
    qsort(out, count, sizeof out[0], order_numbers); /* the order in a block is another one after a restart */
    return count;
}

static uint32_t person_of(struct mpi *mpi, uint32_t record)
{
    pthread_rwlock_rdlock(&mpi->lock);
    uint32_t person = mpi->entries[record].person;
    pthread_rwlock_unlock(&mpi->lock);
    return person;
}

status mpi_find(struct mpi *mpi, struct ctx *cx, struct mpi_identifier identifier, uint64_t *out_person,
                uint64_t *out_record)
{
    uint32_t records[OWNERS_MAX];
    for (int own = 1; own >= 0; own--) {
        size_t count = own ? own_records(mpi, row_identifier_key(identifier), records)
                           : mentioning_records(mpi, identifier, records);
        for (size_t i = 0; i < count; i++) {
            struct stored_record stored;
            status got = rows_fetch_record(mpi, cx, records[i], &stored);
            if (got == STATUS_NOT_FOUND)
                continue;
            TRY(got);
            if (!says_identifier(&stored, identifier, own))
                continue;
            *out_record = records[i];
            *out_person = person_of(mpi, records[i]);
            ctx_clear(cx);
            return STATUS_OK;
        }
    }
    return ctx_fail(cx, &mpi_reasons[MPI_IDENTIFIER_UNKNOWN], "authority %.*s", STR_ARGS(identifier.authority));
}

/* ---- by everything ---- */

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

static size_t collect_hits(struct mpi *mpi, const struct mpi_row *row, const uint32_t *known, size_t known_count,
                           struct hit *hits)
{
    uint32_t candidates[LIMIT_CANDIDATES];
    size_t count = 0;
    pthread_rwlock_rdlock(&mpi->lock);
    size_t found = index_candidates(mpi, row, candidates, LIMIT_CANDIDATES);
    for (size_t i = 0; i < found + known_count; i++) {
        uint32_t record = i < known_count ? known[i] : candidates[i - known_count];
        const struct entry *entry = &mpi->entries[record];
        struct hit hit = {
            .record = record, .person = entry->person, .own_key = entry->own_key, .by_identifier = i < known_count};
        if (entry->row) {
            compare_rows(row, entry->row, &hit.levels);
            hit.score_mbit = weigh_levels(mpi->model, &hit.levels);
        }
        if (hit.by_identifier || hit.score_mbit >= SHOWN_MBIT)
            hits[count++] = hit;
    }
    pthread_rwlock_unlock(&mpi->lock);
    return count;
}

/* Records known by one of the identifiers, texts compared. */
static status find_known(struct mpi *mpi, struct ctx *cx, const struct mpi_identifier *identifiers, size_t count,
                         uint32_t *known, size_t *out_known)
{
    size_t found = 0;
    for (size_t i = 0; i < count && found < OWNERS_MAX; i++) {
        uint64_t person, record;
        if (str_trim(identifiers[i].value).len == 0)
            continue;
        status got = mpi_find(mpi, cx, identifiers[i], &person, &record);
        if (got == STATUS_OK)
            known[found++] = (uint32_t)record;
        else if (got != STATUS_NOT_FOUND)
            return got;
        ctx_clear(cx);
    }
    *out_known = found;
    return STATUS_OK;
}

status mpi_identify(struct mpi *mpi, struct ctx *cx, const struct mpi_identifier *identifiers, size_t identifier_count,
                    const struct mpi_demographics *demographics, size_t max, struct mpi_match **out_matches,
                    size_t *out_count)
{
    if (identifier_count > LIMIT_IDENTIFIERS_PER_RECORD || demographics->name_count > LIMIT_NAMES_PER_RECORD)
        return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "%zu identifiers, %zu names", identifier_count,
                        demographics->name_count);
    uint32_t known[OWNERS_MAX];
    size_t known_count;
    TRY(find_known(mpi, cx, identifiers, identifier_count, known, &known_count));
    union row_space space;
    row_make(identifiers, identifier_count, demographics, NULL, 0, &space);
    struct hit *hits = arena_array(cx->arena, LIMIT_CANDIDATES + OWNERS_MAX, sizeof *hits);
    size_t hit_count = collect_hits(mpi, &space.row, known, known_count, hits);
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
        explain_levels(mpi->model, &hits[i].levels, 0, hits[i].record, &matches[count].comparison);
        count++;
    }
    *out_matches = matches;
    *out_count = count;
    return STATUS_OK;
}

/* ---- one record, one person ---- */

static status check_known(struct mpi *mpi, struct ctx *cx, uint64_t number, enum mpi_reason reason)
{
    pthread_rwlock_rdlock(&mpi->lock);
    bool known = number >= 1 && number <= mpi->count;
    pthread_rwlock_unlock(&mpi->lock);
    return known ? STATUS_OK : ctx_fail(cx, &mpi_reasons[reason], "number %" PRIu64, number);
}

static void add_state(struct mpi *mpi, uint32_t record, const struct stored_record *stored,
                      struct mpi_record_view *out_view)
{
    pthread_rwlock_rdlock(&mpi->lock);
    rows_view(mpi, record, stored, out_view);
    pthread_rwlock_unlock(&mpi->lock);
}

status mpi_record(struct mpi *mpi, struct ctx *cx, uint64_t record, struct mpi_record_view *out_record)
{
    TRY(check_known(mpi, cx, record, MPI_RECORD_UNKNOWN));
    struct stored_record stored;
    TRY(rows_fetch_record(mpi, cx, (uint32_t)record, &stored));
    add_state(mpi, (uint32_t)record, &stored, out_record);
    return STATUS_OK;
}

/* Its records, smallest number first. */
size_t person_members(struct mpi *mpi, struct ctx *cx, uint64_t number, uint32_t **out_members, uint32_t *out_person)
{
    pthread_rwlock_rdlock(&mpi->lock);
    uint32_t person = mpi->entries[number].person;
    size_t count = 0;
    uint32_t at = person;
    do
        count++;
    while ((at = mpi->entries[at].ring) != person);
    uint32_t *members = arena_array(cx->arena, count, sizeof *members);
    count = 0;
    do
        members[count++] = at;
    while ((at = mpi->entries[at].ring) != person);
    pthread_rwlock_unlock(&mpi->lock);
    for (size_t i = 1; i < count; i++) /* few */
        for (size_t k = i; k > 0 && members[k - 1] > members[k]; k--) {
            uint32_t swap = members[k];
            members[k] = members[k - 1];
            members[k - 1] = swap;
        }
    *out_members = members;
    *out_person = person;
    return count;
}

status mpi_person(struct mpi *mpi, struct ctx *cx, uint64_t person, struct mpi_person_view *out_person)
{
    TRY(check_known(mpi, cx, person, MPI_PERSON_UNKNOWN));
    uint32_t *members, id;
    size_t count = person_members(mpi, cx, person, &members, &id);
    struct mpi_person_view view = {
        .id = id, .asked = person, .records = arena_array(cx->arena, count, sizeof *view.records)};
    for (size_t i = 0; i < count; i++) {
        struct stored_record stored;
        status got = rows_fetch_record(mpi, cx, members[i], &stored);
        if (got == STATUS_NOT_FOUND)
            continue;
        TRY(got);
        add_state(mpi, members[i], &stored, &view.records[view.record_count++]);
    }
    golden_fill(cx, &view);
    *out_person = view;
    return STATUS_OK;
}

/* Smallest by value, so that the answer never depends on arrival. */
status mpi_person_identifier(struct mpi *mpi, struct ctx *cx, uint64_t person, struct str authority,
                             struct mpi_identifier *out_identifier)
{
    TRY(check_known(mpi, cx, person, MPI_PERSON_UNKNOWN));
    uint32_t *members, id;
    size_t count = person_members(mpi, cx, person, &members, &id);
    struct mpi_identifier best = {0};
    for (size_t i = 0; i < count; i++) {
        struct mpi_record_view view;
        status got = mpi_record(mpi, cx, members[i], &view);
        if (got == STATUS_NOT_FOUND)
            continue;
        TRY(got);
        if (!view.active || view.retired_into != 0)
            continue;
        const struct mpi_identifier *own = &view.identifiers[0];
        if (str_eq(own->authority, authority) && (best.value.len == 0 || str_cmp(own->value, best.value) < 0))
            best = *own;
    }
    if (best.value.len == 0)
        return ctx_fail(cx, &mpi_reasons[MPI_IDENTIFIER_UNKNOWN], "authority %.*s", STR_ARGS(authority));
    *out_identifier = best;
    return STATUS_OK;
}

struct mpi_counts mpi_count(struct mpi *mpi)
{
    uint64_t reviews_open = reviews_count_open(mpi);
    pthread_rwlock_rdlock(&mpi->lock);
    struct mpi_counts counts = {.records = mpi->count,
                                .persons = mpi->persons,
                                .decisions = mpi->decisions.count,
                                .reviews_open = reviews_open,
                                .index_bytes = blocks_bytes(&mpi->blocks) + mpi->row_bytes + mpi->edge_bytes +
                                               mpi->entries_cap * sizeof *mpi->entries +
                                               mpi->decisions.cap * sizeof *mpi->decisions.at};
    pthread_rwlock_unlock(&mpi->lock);
    return counts;
}
