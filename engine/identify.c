#include "identify.h"

#include "patient.h"

static const uint32_t PID = HL7_NAME('P', 'I', 'D'), MRG = HL7_NAME('M', 'R', 'G');

static status missing(struct ctx *cx, const char *what, struct hl7_path *out_fault)
{
    *out_fault = hl7_path_make(what);
    return ctx_fail(cx, &engine_reasons[ENGINE_PATIENT_MISSING], "%s", what);
}

/* Reads the n-th PID; refuses when the event is about nothing else than this patient. */
static status read_pid(const struct hl7_index *index, struct ctx *cx, uint32_t nth, struct str source,
                       struct event_meaning meaning, struct mpi_record_input *out, struct hl7_path *out_fault)
{
    *out = (struct mpi_record_input){0};
    ptrdiff_t pid = hl7_find_segment(index, PID, nth, 0);
    if (pid >= 0)
        patient_read(index, cx, (uint32_t)pid, source, out);
    out->person_level = meaning.person_level;
    if (out->identifier_count == 0 && meaning.needs_identifier)
        return missing(cx, pid < 0 ? "PID" : "PID-3", out_fault);
    return STATUS_OK;
}

static status apply_update(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                           const struct hl7_index *index, struct event_meaning meaning, struct str source,
                           struct mpi_result *out, struct hl7_path *fault)
{
    struct mpi_record_input record;
    TRY(read_pid(index, cx, 1, source, meaning, &record, fault));
    if (record.identifier_count == 0)
        return STATUS_OK; /* nobody is named: verdict none */
    record.deactivate = meaning.action == IDENTITY_DEACTIVATE;
    record.keep_known = meaning.action == IDENTITY_REGISTER;
    return mpi_apply_record(mpi, txn, cx, seq, &record, out);
}

static struct mpi_identifier of_authority(const struct mpi_record_input *record, struct str authority)
{
    for (size_t i = 0; i < record->identifier_count; i++)
        if (str_eq(record->identifiers[i].authority, authority))
            return record->identifiers[i];
    return record->identifiers[0];
}

enum { MERGE_GROUPS_MAX = 200 }; /* an entry holds 256 decisions (mpi/), and one more to take them back */

/* One PID + MRG group: PID-3 survives, MRG-1 is retired. */
struct merge_group {
    struct mpi_record_input record;
    struct mpi_identifier surviving, retired;
};

static status read_merge_group(const struct hl7_index *index, struct ctx *cx, uint32_t pid, uint32_t mrg,
                               struct str source, struct merge_group *out, struct hl7_path *fault)
{
    patient_read(index, cx, pid, source, &out->record);
    if (out->record.identifier_count == 0)
        return missing(cx, "PID-3", fault);
    if (!patient_read_retired(index, cx, mrg, source, out->record.identifiers[0], &out->retired))
        return missing(cx, "MRG-1", fault);
    out->surviving = of_authority(&out->record, out->retired.authority);
    if (out->retired.type.len == 0) /* MRG-1 often comes without a type: it is of the kind it is merged into */
        out->retired.type = out->surviving.type;
    return mpi_check_record(cx, &out->record);
}

static status read_merge_groups(const struct hl7_index *index, struct ctx *cx, struct str source,
                                struct merge_group *groups, size_t *out_count, struct hl7_path *fault)
{
    ptrdiff_t pid = -1;
    size_t count = 0;
    for (uint32_t i = 0; i < index->segment_count; i++) {
        if (index->segments[i].name == PID)
            pid = i;
        if (index->segments[i].name != MRG)
            continue;
        if (pid < 0)
            return missing(cx, "PID", fault);
        if (count == MERGE_GROUPS_MAX)
            return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "more than %d merges in one message", MERGE_GROUPS_MAX);
        TRY(read_merge_group(index, cx, (uint32_t)pid, i, source, &groups[count], fault));
        count++;
    }
    *out_count = count;
    return count ? STATUS_OK : missing(cx, "MRG", fault);
}

/* All or none. Everything is read and checked before the first decision; what only the index can refuse (a cycle, too
 * many tied together) takes the decisions of the groups before it back. */
static status apply_merges(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                           const struct hl7_index *index, struct str source, struct mpi_result *out,
                           struct hl7_path *fault)
{
    struct merge_group *groups = arena_array(cx->arena, MERGE_GROUPS_MAX, sizeof *groups);
    size_t count = 0;
    TRY(read_merge_groups(index, cx, source, groups, &count, fault));
    *fault = hl7_path_make("MRG-1");
    for (size_t i = 0; i < count; i++) {
        status got = mpi_apply_identifier_decision(mpi, txn, cx, seq, MPI_DECISION_MERGE, source, groups[i].surviving,
                                                   groups[i].retired, out);
        if (got == STATUS_OK)
            continue;
        struct ctx own = *cx; /* the reason to tell is that of the merge */
        struct mpi_result undone;
        if (i > 0) /* answers "unknown" when all before were said already: then there is nothing to take back */
            IGNORE(mpi_apply_steward_decision(mpi, txn, &own, seq, MPI_DECISION_UNDO, 0, 0, seq, STR("message refused"),
                                              &undone));
        return got;
    }
    for (size_t i = 0; i < count; i++) {
        struct mpi_result updated;
        TRY(mpi_apply_record(mpi, txn, cx, seq, &groups[i].record, &updated));
        out->person = updated.person;
    }
    return STATUS_OK;
}

static bool same_identifier(const struct mpi_identifier *left, const struct mpi_identifier *right)
{
    return str_eq(left->authority, right->authority) && str_eq(left->value, right->value);
}

static status apply_pair(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                         const struct hl7_index *index, struct event_meaning meaning, struct str source,
                         struct mpi_result *out, struct hl7_path *fault)
{
    struct mpi_record_input left, right;
    TRY(read_pid(index, cx, 1, source, meaning, &left, fault));
    TRY(read_pid(index, cx, 2, source, meaning, &right, fault));
    *fault = hl7_path_make("PID-3");
    enum mpi_decision_kind kind = meaning.action == IDENTITY_LINK ? MPI_DECISION_LINK : MPI_DECISION_UNLINK;
    if (same_identifier(&left.identifiers[0], &right.identifiers[0]))
        return ctx_fail(cx, &mpi_reasons[MPI_MERGE_SELF], NULL);
    if (kind ==
        MPI_DECISION_LINK) { /* two that nobody knows yet may be linked; only a link that exists can be undone */
        struct mpi_result known;
        TRY(mpi_check_record(cx, &left));
        TRY(mpi_check_record(cx, &right)); /* both or none */
        left.keep_known = right.keep_known = true;
        TRY(mpi_apply_record(mpi, txn, cx, seq, &left, &known));
        TRY(mpi_apply_record(mpi, txn, cx, seq, &right, &known));
    }
    return mpi_apply_identifier_decision(mpi, txn, cx, seq, kind, source, left.identifiers[0], right.identifiers[0],
                                         out);
}

status identify_apply(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                      const struct hl7_index *index, struct event_meaning meaning, struct str source,
                      struct mpi_result *out_result, struct hl7_path *out_fault)
{
    struct mpi_result result = {.verdict = MPI_VERDICT_NONE};
    status got = STATUS_OK;
    switch (meaning.action) {
    case IDENTITY_NONE:
        break;
    case IDENTITY_REGISTER:
    case IDENTITY_UPDATE:
    case IDENTITY_DEACTIVATE:
        got = apply_update(mpi, txn, cx, seq, index, meaning, source, &result, out_fault);
        break;
    case IDENTITY_MERGE:
        got = apply_merges(mpi, txn, cx, seq, index, source, &result, out_fault);
        break;
    case IDENTITY_LINK:
    case IDENTITY_UNLINK:
        got = apply_pair(mpi, txn, cx, seq, index, meaning, source, &result, out_fault);
        break;
    }
    TRY(got);
    *out_result = result;
    return STATUS_OK;
}

status identify_rehearse(struct mpi *mpi, struct ctx *cx, const struct hl7_index *index, struct event_meaning meaning,
                         struct str source, struct mpi_result *out_result)
{
    struct mpi_result result = {.verdict = MPI_VERDICT_NONE};
    struct mpi_record_input record;
    struct hl7_path fault;
    TRY(read_pid(index, cx, 1, source, meaning, &record, &fault));
    if (meaning.action == IDENTITY_NONE || record.identifier_count == 0) {
        *out_result = result;
        return STATUS_OK;
    }
    if (mpi_find(mpi, cx, record.identifiers[0], &result.person, &result.record) == STATUS_OK) {
        result.verdict = MPI_VERDICT_KNOWN;
        *out_result = result;
        return STATUS_OK;
    }
    ctx_clear(cx); /* unknown is an answer */
    struct mpi_match *matches;
    size_t count;
    TRY(mpi_identify(mpi, cx, NULL, 0, &record.demographics, 1, &matches, &count));
    result.verdict = MPI_VERDICT_NEW;
    if (count > 0) {
        result.best = matches[0].comparison;
        result.verdict = mpi_verdict_for(mpi, &matches[0].comparison);
        result.person = result.verdict == MPI_VERDICT_LINKED ? matches[0].person : 0;
    }
    *out_result = result;
    return STATUS_OK;
}
