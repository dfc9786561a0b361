#include "writer_internal.h"

#include "base/bounds.h"

/* ---- shared by stewards and messages ---- */

static enum event_what event_of(enum mpi_decision_kind kind)
{
    switch (kind) {
    case MPI_DECISION_SAME:
        return EVENT_SAME;
    case MPI_DECISION_DIFFERENT:
        return EVENT_DIFFERENT;
    case MPI_DECISION_MERGE:
        return EVENT_MERGED;
    case MPI_DECISION_LINK:
        return EVENT_LINKED;
    case MPI_DECISION_UNLINK:
        return EVENT_UNLINKED;
    default:
        return EVENT_UNDONE;
    }
}

static void put_decision_row(struct writer *w, uint64_t id, const struct stored_decision *decision)
{
    struct key key = key_1(id);
    SCOPED(buf_fini) struct buf row = {0};
    encode_decision(&row, decision);
    data_txn_put(w->txn, w->mpi->decided, key_str(&key), buf_str(&row));
}

static status check_room(struct writer *w, enum mpi_decision_kind kind, uint32_t left, uint32_t right)
{
    if (w->mpi->counters.seq == w->seq && w->mpi->counters.decisions >= DECISIONS_PER_ENTRY &&
        bound_met(BOUND_DECISIONS_PER_ENTRY))
        return ctx_fail(w->cx, &mpi_reasons[MPI_TOO_MANY], "%d decisions in one entry", DECISIONS_PER_ENTRY);
    if (left && right && decision_ties((uint8_t)kind) && index_tie_too_large(w->mpi, left, right) &&
        bound_met(BOUND_FORCED_MAX))
        return ctx_fail(w->cx, &mpi_reasons[MPI_TOO_MANY], "decisions would tie more than %d records", FORCED_MAX);
    return STATUS_OK;
}

static void add_decision(struct writer *w, enum mpi_decision_kind kind, uint32_t left, uint32_t right, struct str note,
                         struct str source)
{
    struct mpi *mpi = w->mpi;
    uint64_t id = w->seq * DECISIONS_PER_ENTRY + mpi->counters.decisions++;
    struct stored_decision stored = {.kind = kind,
                                     .left = left,
                                     .right = right,
                                     .note = note,
                                     .source = source,
                                     .by = w->cx->principal,
                                     .time_us = w->cx->now_us};
    put_decision_row(w, id, &stored);
    struct decision decision = {.id = id, .left = left, .right = right, .kind = (uint8_t)kind};
    draft_add_decision(mpi, &decision);
    index_touch(mpi, left);
    index_touch(mpi, right);
    writer_put_event(w, left, event_of(kind), entry_at(mpi, APPLIED, left)->person, right);
    writer_put_event(w, right, event_of(kind), entry_at(mpi, APPLIED, right)->person, left);
}

/* The side whose person changed is the one to tell about; of a merge that is the retired side. */
static void fill_result(struct writer *w, uint32_t left, uint32_t right, struct mpi_result *out_result)
{
    uint32_t left_before = writer_person_before(w, left), right_before = writer_person_before(w, right);
    uint32_t record = right_before == 0 && left_before != 0 ? left : right;
    *out_result = (struct mpi_result){.verdict = MPI_VERDICT_DECIDED,
                                      .record = record,
                                      .person = entry_at(w->mpi, APPLIED, record)->person,
                                      .person_before = record == left ? left_before : right_before};
}

/* ---- by identifier ---- */

static status check_identifiers(struct ctx *cx, enum mpi_decision_kind kind, const struct mpi_identifier *left,
                                const struct mpi_identifier *right)
{
    if (str_trim(left->value).len == 0 || str_trim(right->value).len == 0)
        return ctx_fail(cx, &mpi_reasons[MPI_IDENTIFIER_MISSING], NULL);
    bool one_authority = str_eq(str_trim(left->authority), str_trim(right->authority));
    if (one_authority && str_eq(str_trim(left->value), str_trim(right->value)))
        return ctx_fail(cx, &mpi_reasons[MPI_MERGE_SELF], NULL);
    bool one_type = left->type.len == 0 || right->type.len == 0 || str_eq_nocase(left->type, right->type);
    if (kind == MPI_DECISION_MERGE && !(one_authority && one_type))
        return ctx_fail(cx, &mpi_reasons[MPI_MERGE_AUTHORITY], NULL);
    return STATUS_OK;
}

/* Is `record` retired, directly or over others, into `into`? Bounded by the records there are: a standing cycle cannot
 * form. */
static bool is_retired_into(const struct mpi *mpi, uint32_t record, uint32_t into)
{
    for (uint32_t step = 0; record != 0 && step <= FORCED_MAX; step++) {
        if (record == into)
            return true;
        record = entry_at(mpi, APPLIED, record)->retired_into;
    }
    return record != 0;
}

static status check_merge(struct writer *w, uint32_t left, uint32_t right)
{
    if (left && right && is_retired_into(w->mpi, left, right))
        return ctx_fail(w->cx, &mpi_reasons[MPI_MERGE_CYCLE], "record %u into record %u", right, left);
    return STATUS_OK;
}

static status check_unlink(struct writer *w, uint32_t left, uint32_t right)
{
    const struct mpi *mpi = w->mpi;
    const struct decision *last = index_decision_between(mpi, APPLIED, left, right);
    bool tied = last && decision_ties(last->kind);
    if (!tied && entry_at(mpi, APPLIED, left)->person != entry_at(mpi, APPLIED, right)->person)
        return ctx_fail(w->cx, &mpi_reasons[MPI_LINK_MISSING], "record %u and record %u", left, right);
    return STATUS_OK;
}

/* A message sent twice must not need two undos. */
static bool is_said_already(const struct mpi *mpi, enum mpi_decision_kind kind, uint32_t left, uint32_t right)
{
    if (left == 0 || right == 0)
        return false;
    const struct decision *last = index_decision_between(mpi, APPLIED, left, right);
    return last && last->kind == kind && (kind != MPI_DECISION_MERGE || last->left == left);
}

static status find_or_refuse(struct writer *w, enum mpi_decision_kind kind, struct mpi_identifier identifier,
                             uint32_t *out_record)
{
    struct arena_mark mark = arena_mark(w->cx->arena);
    struct stored_record stored;
    TRY(writer_find_own(w, identifier, out_record, &stored));
    arena_rewind(w->cx->arena, mark);
    if (*out_record == 0 && kind != MPI_DECISION_MERGE)
        return ctx_fail(w->cx, &mpi_reasons[MPI_IDENTIFIER_UNKNOWN], "authority %.*s", STR_ARGS(identifier.authority));
    return STATUS_OK;
}

status mpi_apply_identifier_decision(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                                     enum mpi_decision_kind kind, struct str source, struct mpi_identifier left,
                                     struct mpi_identifier right, struct mpi_result *out_result)
{
    struct writer w = {.mpi = mpi, .txn = txn, .cx = cx, .seq = seq};
    uint32_t left_record = 0, right_record = 0;
    TRY(check_identifiers(cx, kind, &left, &right));
    TRY(find_or_refuse(&w, kind, left, &left_record));
    TRY(find_or_refuse(&w, kind, right, &right_record));
    if (kind == MPI_DECISION_MERGE)
        TRY(check_merge(&w, left_record, right_record));
    bool repeated = is_said_already(mpi, kind, left_record, right_record);
    if (kind == MPI_DECISION_UNLINK && !repeated)
        TRY(check_unlink(&w, left_record, right_record));
    TRY(check_room(&w, kind, left_record, right_record));
    writer_begin(&w);
    if (!repeated) {
        if (left_record == 0)
            left_record = writer_new_record(&w, source, left);
        if (right_record == 0)
            right_record = writer_new_record(&w, source, right);
        add_decision(&w, kind, left_record, right_record, STR_NONE, source);
    }
    writer_finish(&w);
    fill_result(&w, left_record, right_record, out_result);
    return STATUS_OK;
}

/* ---- by stewards ---- */

static status check_record(struct mpi *mpi, struct ctx *cx, uint64_t record)
{
    if (record == 0 || record > mpi->applied.records)
        return ctx_fail(cx, &mpi_reasons[MPI_RECORD_UNKNOWN], "record %llu", (unsigned long long)record);
    return STATUS_OK;
}

/* Marks every decision of that entry as undone, in memory and in its row. Checked before: nothing here fails half way.
 */
static status undo_entry(struct writer *w, uint64_t undoes, struct str note, struct mpi_result *out_result)
{
    struct mpi *mpi = w->mpi;
    uint64_t first = undoes * DECISIONS_PER_ENTRY;
    uint32_t place;
    if (undoes == 0 || undoes > UINT64_MAX / DECISIONS_PER_ENTRY - 1 || index_decision(mpi, first, &place) == NULL)
        return ctx_fail(w->cx, &mpi_reasons[MPI_DECISION_UNKNOWN], "decision %llu", (unsigned long long)undoes);
    struct stored_decision stored[DECISIONS_PER_ENTRY];
    size_t count = 0;
    for (const struct decision *at; count < DECISIONS_PER_ENTRY && (at = index_decision(mpi, first + count, &place));
         count++) {
        if (at->undone_applied)
            return ctx_fail(w->cx, &mpi_reasons[MPI_DECISION_UNDONE], "decision %llu", (unsigned long long)undoes);
        struct key key = key_1(at->id);
        struct str row;
        status got = data_txn_get(w->txn, mpi->decided, w->cx, key_str(&key), &row);
        if (got == STATUS_NOT_FOUND) /* the index has it */
            return ctx_fail(w->cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.decision: a row is missing");
        TRY(got);
        TRY(decode_decision(w->cx, row, &stored[count]));
    }
    TRY(check_room(w, MPI_DECISION_UNDO, 0, 0));
    writer_begin(w);
    for (size_t i = 0; i < count; i++) {
        uint32_t left = (uint32_t)stored[i].left, right = (uint32_t)stored[i].right;
        stored[i].undone_by = w->seq;
        put_decision_row(w, first + i, &stored[i]);
        draft_undo_decision(mpi, first + i);
        index_touch(mpi, left);
        index_touch(mpi, right);
        writer_put_event(w, left, EVENT_UNDONE, entry_at(mpi, APPLIED, left)->person, undoes);
        writer_put_event(w, right, EVENT_UNDONE, entry_at(mpi, APPLIED, right)->person, undoes);
    }
    struct stored_decision undo = {.kind = MPI_DECISION_UNDO,
                                   .left = stored[0].left,
                                   .right = stored[0].right,
                                   .undoes = undoes,
                                   .note = note,
                                   .by = w->cx->principal,
                                   .time_us = w->cx->now_us};
    put_decision_row(w, w->seq * DECISIONS_PER_ENTRY + mpi->counters.decisions++, &undo);
    writer_finish(w);
    fill_result(w, (uint32_t)stored[0].left, (uint32_t)stored[0].right, out_result);
    return STATUS_OK;
}

status mpi_apply_steward_decision(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                                  enum mpi_decision_kind kind, uint64_t left_record, uint64_t right_record,
                                  uint64_t undoes, struct str note, struct mpi_result *out_result)
{
    struct writer w = {.mpi = mpi, .txn = txn, .cx = cx, .seq = seq};
    if (kind == MPI_DECISION_UNDO)
        return undo_entry(&w, undoes, note, out_result);
    if (kind != MPI_DECISION_SAME && kind != MPI_DECISION_DIFFERENT)
        return ctx_fail(cx, &mpi_reasons[MPI_DECISION_UNKNOWN], "kind %d is not for stewards", (int)kind);
    TRY(check_record(mpi, cx, left_record));
    TRY(check_record(mpi, cx, right_record));
    if (left_record == right_record)
        return ctx_fail(cx, &mpi_reasons[MPI_MERGE_SELF], NULL);
    uint32_t left = (uint32_t)left_record, right = (uint32_t)right_record;
    TRY(check_room(&w, kind, left, right));
    writer_begin(&w);
    add_decision(&w, kind, left, right, note, STR_NONE);
    writer_finish(&w);
    fill_result(&w, left, right, out_result);
    return STATUS_OK;
}
