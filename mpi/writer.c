#include "writer_internal.h"

#include <stdlib.h>

const char *const event_names[EVENT_COUNT] = {[EVENT_CREATED] = "record created",
                                              [EVENT_UPDATED] = "record updated",
                                              [EVENT_DEACTIVATED] = "record deactivated",
                                              [EVENT_MOVED] = "moved to another person",
                                              [EVENT_SAME] = "decided same",
                                              [EVENT_DIFFERENT] = "decided different",
                                              [EVENT_MERGED] = "merged",
                                              [EVENT_LINKED] = "linked",
                                              [EVENT_UNLINKED] = "unlinked",
                                              [EVENT_UNDONE] = "decision undone",
                                              [EVENT_REVIEW] = "review opened",
                                              [EVENT_IDENTIFIERS_LEFT_OUT] = "old identifiers left out",
                                              [EVENT_NAMES_LEFT_OUT] = "former names left out"};

void writer_begin(struct writer *w)
{
    struct mpi *mpi = w->mpi;
    if (mpi->counters.seq != w->seq)
        mpi->counters = (struct counters){.seq = w->seq};
    mpi->touched.count = mpi->changes.count = mpi->edge_changes.count = 0;
    w->reviews_before = mpi->applied.reviews;
}

void writer_put_event(struct writer *w, uint32_t record, enum event_what what, uint64_t person, uint64_t other)
{
    struct key key = key_3(record, w->seq, w->mpi->counters.events++);
    struct stored_event event = {
        .what = (uint8_t)what, .time_us = w->cx->now_us, .person = person, .other = other, .by = w->cx->principal};
    SCOPED(buf_fini) struct buf row = {0};
    encode_event(&row, &event);
    data_txn_put(w->txn, w->mpi->events, key_str(&key), buf_str(&row));
}

static void put_members(struct writer *w)
{
    struct mpi *mpi = w->mpi;
    for (size_t i = 0; i < mpi->changes.count; i++) {
        const struct change *change = &mpi->changes.at[i];
        const struct entry *entry = entry_at(mpi, APPLIED, change->record);
        struct key key = key_1(change->record);
        struct stored_member member = {entry->person, entry->retired_into};
        SCOPED(buf_fini) struct buf row = {0};
        encode_member(&row, &member);
        if (entry->person == change->record && entry->retired_into == 0)
            data_txn_delete(w->txn, mpi->members, key_str(&key)); /* its own person, as every record starts */
        else
            data_txn_put(w->txn, mpi->members, key_str(&key), buf_str(&row));
        if (change->person_before != entry->person)
            writer_put_event(w, change->record, EVENT_MOVED, entry->person, change->person_before);
    }
}

static void put_edges(struct writer *w)
{
    struct mpi *mpi = w->mpi;
    for (size_t i = 0; i < mpi->edge_changes.count; i++) {
        struct pair pair = mpi->edge_changes.at[i];
        struct key key = key_2(pair.left, pair.right);
        const struct edge *edge = index_edge(mpi, APPLIED, pair.left, pair.right);
        if (edge == NULL) {
            data_txn_delete(w->txn, mpi->edges, key_str(&key));
            continue;
        }
        SCOPED(buf_fini) struct buf row = {0};
        encode_edge(&row, edge->score_mbit);
        data_txn_put(w->txn, mpi->edges, key_str(&key), buf_str(&row));
    }
}

void writer_explain(const struct writer *w, uint32_t a, uint32_t b, struct mpi_comparison *out_comparison)
{
    const struct mpi *mpi = w->mpi;
    uint32_t left = a < b ? a : b, right = a < b ? b : a;
    struct levels levels;
    compare_rows(entry_at(mpi, APPLIED, left)->row, entry_at(mpi, APPLIED, right)->row, &levels);
    explain_levels(mpi->model, &levels, left, right, out_comparison);
}

void writer_put_link(struct writer *w, const struct mpi_comparison *comparison)
{
    uint64_t left = comparison->left_record, right = comparison->right_record;
    struct key key = left < right ? key_2(left, right) : key_2(right, left);
    SCOPED(buf_fini) struct buf row = {0};
    encode_comparison(&row, comparison);
    data_txn_put(w->txn, w->mpi->links, key_str(&key), buf_str(&row));
}

/* Ascending, whatever came before. */
static uint64_t next_review_id(const struct writer *w)
{
    const struct mpi *mpi = w->mpi;
    uint64_t first = w->seq * REVIEW_NUMBERS;
    uint64_t last = mpi->applied.reviews ? CHUNK_AT(&mpi->asked, mpi->applied.reviews - 1)->id : 0;
    return last >= first ? last + 1 : first;
}

static void open_review(struct writer *w, const struct question *question)
{
    struct mpi *mpi = w->mpi;
    struct stored_review review = {.left = question->record, .right = question->other, .opened_us = w->cx->now_us};
    writer_explain(w, question->record, question->other, &review.comparison);
    struct review open = {.id = next_review_id(w),
                          .left = question->record,
                          .right = question->other,
                          .score_mbit = review.comparison.score_mbit};
    struct key key = key_1(open.id);
    SCOPED(buf_fini) struct buf row = {0};
    encode_review(&row, &review);
    data_txn_put(w->txn, mpi->reviews, key_str(&key), buf_str(&row));
    writer_put_link(w, &review.comparison);
    writer_put_event(w, open.left, EVENT_REVIEW, entry_at(mpi, APPLIED, open.left)->person, open.right);
    writer_put_event(w, open.right, EVENT_REVIEW, entry_at(mpi, APPLIED, open.right)->person, open.left);
    draft_add_review(mpi, &open);
}

static int order_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    return a->record < b->record ? -1 : a->record > b->record;
}

void writer_finish(struct writer *w)
{
    struct mpi *mpi = w->mpi;
    struct questions unasked = {0};
    if (index_recluster(mpi))
        index_reask(mpi, &unasked);
    mpi->touched.count = 0;
    if (mpi->changes.count > 1) /* the order of rows and event numbers must not depend on memory */
        qsort(mpi->changes.at, mpi->changes.count, sizeof mpi->changes.at[0], order_changes);
    put_members(w);
    put_edges(w);
    for (size_t i = 0; i < unasked.count; i++)
        open_review(w, &unasked.at[i]);
    VEC_FINI(&unasked);
}

uint64_t writer_review_of(const struct writer *w, uint32_t record)
{
    uint32_t newest = entry_at(w->mpi, APPLIED, record)->review;
    return newest > w->reviews_before ? CHUNK_AT(&w->mpi->asked, newest - 1)->id : 0;
}

status writer_get_record(struct writer *w, uint32_t record, struct stored_record *out_record)
{
    struct key key = key_1(record);
    struct str row;
    status got = data_txn_get(w->txn, w->mpi->records, w->cx, key_str(&key), &row);
    if (got == STATUS_NOT_FOUND) /* the index has it */
        return ctx_fail(w->cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.record: record %u has no row", record);
    TRY(got);
    return decode_record(w->cx, row, out_record);
}

void writer_put_record(struct writer *w, uint32_t record, const struct stored_record *stored)
{
    struct key key = key_1(record);
    SCOPED(buf_fini) struct buf row = {0};
    encode_record(&row, stored);
    data_txn_put(w->txn, w->mpi->records, key_str(&key), buf_str(&row));
}

/* Is it the record's own? A key is a hash: the text decides. */
static bool is_own(const struct stored_record *stored, struct mpi_identifier identifier)
{
    return stored->identifier_count > 0 &&
           str_eq(str_trim(stored->identifiers[0].authority), str_trim(identifier.authority)) &&
           str_eq(str_trim(stored->identifiers[0].value), str_trim(identifier.value));
}

status writer_find_own(struct writer *w, struct mpi_identifier identifier, uint32_t *out_record,
                       struct stored_record *out_stored)
{
    struct holders_at at = {0};
    uint64_t key = row_identifier_key(identifier);
    *out_record = 0;
    for (uint32_t record; (record = index_find_own(w->mpi, APPLIED, key, &at)) != 0;) {
        struct arena_mark mark = arena_mark(w->cx->arena);
        TRY(writer_get_record(w, record, out_stored));
        if (is_own(out_stored, identifier)) {
            *out_record = record;
            return STATUS_OK;
        }
        arena_rewind(w->cx->arena, mark);
    }
    return STATUS_OK;
}

uint32_t writer_new_record(struct writer *w, struct str source, struct mpi_identifier identifier)
{
    struct mpi *mpi = w->mpi;
    struct stored_record stored = {.source = source,
                                   .identifiers = &identifier,
                                   .identifier_count = 1,
                                   .first_seq = w->seq,
                                   .last_seq = w->seq,
                                   .first_us = w->cx->now_us,
                                   .last_us = w->cx->now_us,
                                   .versions = 1,
                                   .active = true};
    union row_space space;
    row_make(&identifier, 1, &stored.said, NULL, 0, &space);
    row_set_rarity(mpi->model, &space.row);
    uint32_t record = draft_add_record(mpi, row_own_key(&identifier, 1));
    struct best best;
    (void)index_set_row(mpi, record, &space.row, &best);
    writer_put_record(w, record, &stored);
    return record;
}

uint32_t writer_person_before(const struct writer *w, uint32_t record)
{
    const struct mpi *mpi = w->mpi;
    for (size_t i = 0; i < mpi->changes.count; i++)
        if (mpi->changes.at[i].record == record)
            return mpi->changes.at[i].person_before == entry_at(mpi, APPLIED, record)->person
                       ? 0
                       : mpi->changes.at[i].person_before;
    return 0;
}

status mpi_applied_find(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, struct mpi_identifier identifier,
                        uint64_t *out_record)
{
    struct writer w = {.mpi = mpi, .txn = txn, .cx = cx};
    struct arena_mark mark = arena_mark(cx->arena);
    struct stored_record stored;
    uint32_t record;
    TRY(writer_find_own(&w, identifier, &record, &stored));
    arena_rewind(cx->arena, mark);
    *out_record = record;
    return STATUS_OK;
}

uint64_t mpi_applied_person(const struct mpi *mpi, uint64_t record)
{
    return entry_at(mpi, APPLIED, (uint32_t)record)->person;
}
