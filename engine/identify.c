#include "identify.h"

#include "base/bounds.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "patient.h"

#include <inttypes.h>

static const uint32_t PID = HL7_NAME('P', 'I', 'D'), MRG = HL7_NAME('M', 'R', 'G');

/* One message on its way through the index. */
struct identifying {
    struct mpi *mpi;
    struct data_txn *txn;
    struct ctx *cx;
    uint64_t seq;
    const struct hl7_index *index;
    struct event_meaning meaning;
    struct str source;
    struct hl7_path *fault;
    struct identified *out;
    struct identity_work work;
};

static status missing_in(struct identifying *id, uint32_t segment, const char *what)
{
    char text[HL7_PATH_TEXT_MAX];
    *id->fault = hl7_path_make(what);
    id->fault->segment = segment;
    return ctx_fail(id->cx, &engine_reasons[ENGINE_PATIENT_MISSING], "%.*s", (int)hl7_path_format(id->fault, text),
                    text);
}

static status missing(struct identifying *id, const char *what)
{
    return missing_in(id, 1, what);
}

static status too_many(struct ctx *cx, int most, const char *what)
{
    return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE], "more than %d %s in one message", most, what);
}

static size_t count_segments(const struct hl7_index *index, uint32_t name)
{
    size_t count = 0;
    for (uint32_t i = 0; i < index->segment_count; i++)
        count += index->segments[i].name == name;
    return count;
}

/* Room for a patient of every PID there is. */
static status make_room(struct ctx *cx, const struct hl7_index *index, struct identified *out)
{
    size_t count = count_segments(index, PID);
    if (BEYOND(LIMIT_PATIENTS_PER_MESSAGE, count))
        return too_many(cx, LIMIT_PATIENTS_PER_MESSAGE, "patients");
    out->patients = arena_array(cx->arena, count, sizeof *out->patients);
    out->left_out = arena_array(cx->arena, count, sizeof *out->left_out);
    return STATUS_OK;
}

static void add_patient(struct identified *out, uint32_t pid, const struct mpi_result *result)
{
    out->patients[out->patient_count++] = (struct identified_patient){pid, *result};
}

/* Nothing is left out in silence. */
static void note_left_out(struct identifying *id, uint32_t pid, const struct patient_left_out *left)
{
    const struct {
        uint32_t count;
        const char *what;
        enum bound bound;
    } rows[] = {{left->identifiers, "identifiers", BOUND_LIMIT_IDENTIFIERS_PER_RECORD},
                {left->names, "names", BOUND_LIMIT_NAMES_PER_RECORD},
                {left->addresses, "addresses", BOUND_LIMIT_NAMES_PER_RECORD},
                {left->contacts, "phones or e-mail addresses", BOUND_LIMIT_NAMES_PER_RECORD},
                {left->cut_values, "values cut", BOUND_LIMIT_FIELD_VALUE_BYTES}};
    SCOPED(buf_fini) struct buf text = {0};
    char path[HL7_PATH_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].count > 0 && bound_met(rows[i].bound))
            buf_printf(&text, "%s%u %s", text.len ? ", " : "", rows[i].count, rows[i].what);
    if (left->birth_unreadable)
        buf_printf(&text, "%sbirth date, which cannot be read", text.len ? ", " : "");
    if (left->birth_is_no_day)
        buf_printf(&text, "%sbirth date is no day of the calendar: kept as written", text.len ? ", " : "");
    if (text.len == 0)
        return;
    struct hl7_path place = hl7_path_make("PID");
    place.segment = pid;
    struct str at = str_make(path, hl7_path_format(&place, path));
    id->out->left_out[id->out->left_out_count++] =
        (struct identified_left_out){arena_str(id->cx->arena, at), arena_str(id->cx->arena, buf_str(&text))};
}

/* Names the place of what reading a segment met. */
static status read_in(struct identifying *id, const char *what, uint32_t segment, status got)
{
    if (got == STATUS_OK)
        return got;
    *id->fault = hl7_path_make(what);
    id->fault->segment = segment;
    return got;
}

static status read_patient(struct identifying *id, uint32_t segment, uint32_t pid, struct mpi_record_input *out)
{
    struct patient_left_out left_out;
    TRY(read_in(id, "PID", pid, patient_read(id->index, id->cx, segment, id->source, out, &left_out)));
    note_left_out(id, pid, &left_out);
    return STATUS_OK;
}

/* What a PID segment, the `pid`th, says; refused when it names nobody and the event is about nothing else. */
static status read_pid(struct identifying *id, uint32_t segment, uint32_t pid, struct mpi_record_input *out)
{
    TRY(read_patient(id, segment, pid, out));
    out->person_level = id->meaning.person_level;
    if (out->identifier_count == 0 && id->meaning.needs_identifier)
        return missing_in(id, pid, "PID-3");
    return STATUS_OK;
}

static status need_a_pid(struct identifying *id)
{
    return id->meaning.needs_identifier && hl7_find_segment(id->index, PID, 1, 0) < 0 ? missing(id, "PID") : STATUS_OK;
}

struct identity_work identity_work_begin(const struct data_txn *txn, const struct entry_bounds *bounds)
{
    return (struct identity_work){.txn = txn, .bounds = bounds, .before = data_txn_work(txn)};
}

status identity_work_add(struct identity_work *work, struct ctx *cx, const struct mpi_record_input *record)
{
    const struct mpi_demographics *said = &record->demographics;
    work->values +=
        record->identifier_count + said->name_count + said->address_count + said->phone_count + said->email_count;
    if (work->values > work->bounds->values && bound_met(BOUND_LIMIT_VALUES_PER_ENTRY))
        return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE],
                        "it would say more than %zu identifiers, names, addresses, phones and e-mail addresses",
                        work->bounds->values);
    return STATUS_OK;
}

status identity_work_check(const struct identity_work *work, struct ctx *cx)
{
    struct data_txn_work now = data_txn_work(work->txn);
    uint64_t bytes = now.bytes - work->before.bytes, put = now.put_bytes - work->before.put_bytes;
    const struct entry_bounds *bounds = work->bounds;
    if ((bytes > bounds->rows_bytes || put > bounds->rows_put_bytes) && bound_met(BOUND_LIMIT_IDENTITY_ROWS_BYTES))
        return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE],
                        bytes > bounds->rows_bytes
                            ? "it would read and write more than %" PRIu64 " bytes of records and their versions"
                            : "it would write more than %" PRIu64 " bytes of records and their versions",
                        bytes > bounds->rows_bytes ? bounds->rows_bytes : bounds->rows_put_bytes);
    return STATUS_OK;
}

/* Records may be large, and a message may name the same one many times: what the index reads for one does not add up.
 */
static status apply_record(struct identifying *id, const struct mpi_record_input *record, struct mpi_result *out)
{
    struct arena_mark mark = arena_mark(id->cx->arena);
    TRY(identity_work_add(&id->work, id->cx, record));
    TRY(mpi_apply_record(id->mpi, id->txn, id->cx, id->seq, record, out));
    TRY(identity_work_check(&id->work, id->cx));
    ctx_give_back(id->cx, mark);
    return STATUS_OK;
}

static status apply_identifiers(struct identifying *id, enum mpi_decision_kind kind, struct mpi_identifier left,
                                struct mpi_identifier right)
{
    struct arena_mark mark = arena_mark(id->cx->arena);
    TRY(mpi_apply_identifier_decision(id->mpi, id->txn, id->cx, id->seq, kind, id->source, left, right,
                                      &id->out->result));
    TRY(identity_work_check(&id->work, id->cx));
    ctx_give_back(id->cx, mark);
    return STATUS_OK;
}

/* ---- registering and updating: every patient of the message ---- */

static status apply_updates(struct identifying *id)
{
    uint32_t pid = 0;
    TRY(need_a_pid(id));
    for (uint32_t i = 0; i < id->index->segment_count; i++) {
        if (id->index->segments[i].name != PID)
            continue;
        struct mpi_record_input record;
        struct mpi_result result;
        pid++;
        TRY(read_pid(id, i, pid, &record));
        if (record.identifier_count == 0)
            continue; /* nobody is named */
        record.deactivate = id->meaning.action == IDENTITY_DEACTIVATE;
        record.keep_known = id->meaning.action == IDENTITY_REGISTER;
        TRY(apply_record(id, &record, &result));
        add_patient(id->out, pid, &result);
    }
    if (id->out->patient_count > 0)
        id->out->result = id->out->patients[0].result;
    return STATUS_OK;
}

/* ---- merging ---- */

static struct mpi_identifier of_authority(const struct mpi_record_input *record, struct str authority)
{
    for (size_t i = 0; i < record->identifier_count; i++)
        if (str_eq(record->identifiers[i].authority, authority))
            return record->identifiers[i];
    return record->identifiers[0];
}

/* One PID + MRG group: PID-3 survives, MRG-1 is retired. */
struct merge_group {
    uint32_t pid;
    const struct mpi_record_input *record; /* of the PID, shared by all groups of it */
    struct mpi_identifier surviving, retired;
};

/* The PID of a group; read once, however many MRG follow it. */
static status read_surviving(struct identifying *id, uint32_t pid_segment, const struct merge_group *before,
                             struct merge_group *out)
{
    if (before && before->pid == out->pid) {
        out->record = before->record;
        return STATUS_OK;
    }
    struct mpi_record_input *record = arena_array(id->cx->arena, 1, sizeof *record);
    TRY(read_patient(id, pid_segment, out->pid, record));
    out->record = record;
    return record->identifier_count == 0 ? missing_in(id, out->pid, "PID-3") : STATUS_OK;
}

static status read_retired(struct identifying *id, uint32_t mrg_segment, uint32_t mrg, struct merge_group *out)
{
    TRY(read_in(
        id, "MRG-1", mrg,
        patient_read_retired(id->index, id->cx, mrg_segment, id->source, out->record->identifiers[0], &out->retired)));
    if (out->retired.value.len == 0)
        return missing_in(id, mrg, "MRG-1");
    out->surviving = of_authority(out->record, out->retired.authority);
    if (out->retired.type.len == 0) /* MRG-1 often comes without a type: it is of the kind it is merged into */
        out->retired.type = out->surviving.type;
    return STATUS_OK;
}

static status read_merge_groups(struct identifying *id, struct merge_group *groups, size_t *out_count)
{
    ptrdiff_t pid_segment = -1;
    uint32_t pid = 0;
    size_t count = 0;
    for (uint32_t i = 0; i < id->index->segment_count; i++) {
        if (id->index->segments[i].name == PID) {
            pid_segment = i;
            pid++;
        }
        if (id->index->segments[i].name != MRG)
            continue;
        if (pid_segment < 0)
            return missing(id, "PID");
        groups[count].pid = pid;
        TRY(read_surviving(id, (uint32_t)pid_segment, count > 0 ? &groups[count - 1] : NULL, &groups[count]));
        TRY(read_retired(id, i, (uint32_t)count + 1, &groups[count]));
        count++;
    }
    *out_count = count;
    return count ? STATUS_OK : missing(id, "MRG");
}

/* First every decision, then what the groups say of their patients: an update then finds the merged person. */
static status apply_merges(struct identifying *id)
{
    size_t count = count_segments(id->index, MRG);
    if (BEYOND(LIMIT_MERGES_PER_MESSAGE, count))
        return too_many(id->cx, LIMIT_MERGES_PER_MESSAGE, "merges");
    struct merge_group *groups = arena_array(id->cx->arena, count, sizeof *groups);
    TRY(read_merge_groups(id, groups, &count));
    *id->fault = hl7_path_make("MRG-1");
    for (size_t i = 0; i < count; i++) {
        id->fault->segment = (uint32_t)i + 1;
        TRY(apply_identifiers(id, MPI_DECISION_MERGE, groups[i].surviving, groups[i].retired));
    }
    for (size_t i = 0; i < count; i++) {
        struct mpi_result updated;
        if (i > 0 && groups[i].pid == groups[i - 1].pid)
            continue; /* said already */
        TRY(apply_record(id, groups[i].record, &updated));
        add_patient(id->out, groups[i].pid, &updated);
    }
    return STATUS_OK;
}

/* ---- linking two ---- */

static bool same_identifier(const struct mpi_identifier *left, const struct mpi_identifier *right)
{
    return str_eq(left->authority, right->authority) && str_eq(left->value, right->value);
}

static status read_pair(struct identifying *id, struct mpi_record_input out[2])
{
    for (uint32_t i = 0; i < 2; i++) {
        ptrdiff_t segment = hl7_find_segment(id->index, PID, i + 1, 0);
        if (segment < 0)
            return missing(id, "PID");
        TRY(read_pid(id, (uint32_t)segment, i + 1, &out[i]));
    }
    return STATUS_OK;
}

static status apply_pair(struct identifying *id)
{
    struct mpi_record_input pair[2];
    struct mpi_result known;
    TRY(read_pair(id, pair));
    *id->fault = hl7_path_make("PID-3");
    bool link = id->meaning.action == IDENTITY_LINK;
    const struct mpi_identifier *left = &pair[0].identifiers[0], *right = &pair[1].identifiers[0];
    if (same_identifier(left, right))
        return ctx_fail(id->cx, &mpi_reasons[MPI_MERGE_SELF], NULL);
    for (size_t i = 0; link && i < 2; i++) { /* two that nobody knows yet may be linked; only a link can be undone */
        pair[i].keep_known = true;
        TRY(apply_record(id, &pair[i], &known));
    }
    TRY(apply_identifiers(id, link ? MPI_DECISION_LINK : MPI_DECISION_UNLINK, *left, *right));
    for (uint32_t i = 0; i < 2; i++) {
        struct mpi_result patient = {.verdict = MPI_VERDICT_DECIDED};
        TRY(mpi_applied_find(id->mpi, id->txn, id->cx, pair[i].identifiers[0], &patient.record));
        if (patient.record != 0)
            add_patient(id->out, i + 1, &patient);
    }
    return STATUS_OK;
}

status identify_apply(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                      const struct entry_bounds *bounds, const struct hl7_index *index, struct event_meaning meaning,
                      struct str source, struct identified *out_identified, struct hl7_path *out_fault)
{
    struct identified out = {.result.verdict = MPI_VERDICT_NONE};
    struct identifying id = {mpi,     txn,    cx,        seq,  index,
                             meaning, source, out_fault, &out, identity_work_begin(txn, bounds)};
    TRY(make_room(cx, index, &out));
    switch (meaning.action) {
    case IDENTITY_NONE:
        break;
    case IDENTITY_REGISTER:
    case IDENTITY_UPDATE:
    case IDENTITY_DEACTIVATE:
        TRY(apply_updates(&id));
        break;
    case IDENTITY_MERGE:
        TRY(apply_merges(&id));
        break;
    case IDENTITY_LINK:
    case IDENTITY_UNLINK:
        TRY(apply_pair(&id));
        break;
    }
    for (size_t i = 0; i < out.patient_count; i++) /* a later one may have moved an earlier one */
        out.patients[i].result.person = mpi_applied_person(mpi, out.patients[i].result.record);
    if (out.patient_count > 0)
        out.result.person = out.patients[0].result.person;
    *out_fault = (struct hl7_path){0};
    *out_identified = out;
    return STATUS_OK;
}

/* ---- without effect ---- */

static status rehearse_patient(struct mpi *mpi, struct ctx *cx, const struct mpi_record_input *record,
                               struct mpi_result *out)
{
    struct mpi_result result = {.verdict = MPI_VERDICT_NEW};
    status got = mpi_find_own(mpi, cx, record->identifiers[0], &result.person, &result.record);
    if (got == STATUS_OK) {
        result.verdict = MPI_VERDICT_KNOWN;
        *out = result;
        return STATUS_OK;
    }
    if (got != STATUS_NOT_FOUND)
        return got;
    ctx_clear(cx); /* unknown is an answer */
    struct mpi_match *matches;
    size_t count;
    TRY(mpi_identify(mpi, cx, NULL, 0, &record->demographics, 1, &matches, &count));
    if (count > 0) {
        result.best = matches[0].comparison;
        result.verdict = mpi_verdict_for(mpi, &matches[0].comparison);
        result.person = result.verdict == MPI_VERDICT_LINKED ? matches[0].person : 0;
    }
    *out = result;
    return STATUS_OK;
}

status identify_rehearse(struct mpi *mpi, struct ctx *cx, const struct hl7_index *index, struct event_meaning meaning,
                         struct str source, struct identified *out_identified)
{
    struct identified out = {.result.verdict = MPI_VERDICT_NONE};
    struct hl7_path fault;
    struct identifying id = {
        .cx = cx, .index = index, .meaning = meaning, .source = source, .fault = &fault, .out = &out};
    TRY(make_room(cx, index, &out));
    TRY(need_a_pid(&id));
    uint32_t pid = 0;
    for (uint32_t i = 0; i < index->segment_count; i++) {
        if (index->segments[i].name != PID)
            continue;
        struct mpi_record_input record;
        struct mpi_result result;
        pid++;
        TRY(read_pid(&id, i, pid, &record));
        if (meaning.action == IDENTITY_NONE || record.identifier_count == 0)
            continue;
        struct arena_mark mark = arena_mark(cx->arena);
        TRY(rehearse_patient(mpi, cx, &record, &result));
        ctx_give_back(cx, mark);
        add_patient(&out, pid, &result);
    }
    if (out.patient_count > 0)
        out.result = out.patients[0].result;
    *out_identified = out;
    return STATUS_OK;
}
