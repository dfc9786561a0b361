/* One message: judge, identify, plan, write, answer. */
#include "apply_internal.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/crypto/digest.h"
#include "base/mem.h"
#include "hl7v2/ack.h"
#include "hl7v2/text.h"
#include "identify.h"

#include <inttypes.h>
#include <stdio.h>

/* Everything known about the message while it is applied. */
struct work {
    struct apply *ap;
    struct ctx *cx;
    const struct journal_entry *entry;
    struct entry_message message;
    struct hl7_header header;
    struct hl7_ack_mode ack_mode;
    struct str control_id; /* UTF-8 text of MSH-10 */
    uint8_t digest[32];
    struct control_row original; /* when it was received before */
    bool duplicate;
    struct identified identified;
    struct plan plan;
    struct hl7_path fault;
    struct str ack;
    const char *ack_code;
    struct timing timing;
};

static struct event_meaning meaning_of(const struct work *w)
{
    return event_meaning(w->header.type, w->header.trigger);
}

/* Was this control id of this source applied before? Same bytes: a repeat, answered as before. Other bytes: refused. */
static status check_duplicate(struct work *w)
{
    crypto_sha256(w->message.message, w->digest);
    struct str row;
    status got = data_txn_get(w->ap->txn, w->ap->engine->control, w->cx,
                              control_key(w->cx->arena, w->control_id, w->message.source), &row);
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(w->cx);
        return STATUS_OK;
    }
    TRY(got);
    TRY(control_row_decode(w->cx, row, &w->original));
    if (memcmp(w->original.digest, w->digest, sizeof w->original.digest) != 0) {
        w->fault = hl7_path_make("MSH-10");
        return ctx_fail(w->cx, &engine_reasons[ENGINE_DUPLICATE_OTHER], "first in %" PRIu64, w->original.seq);
    }
    w->duplicate = true;
    return STATUS_OK;
}

/* Bounds of the format are counted here: its functions are asked about a message more than once. */
static void count_bound(const struct reason *reason)
{
    if (reason == &hl7_reasons[HL7_TOO_MANY_SEGMENTS])
        bound_met(BOUND_LIMIT_MESSAGE_SEGMENTS);
    if (reason == &hl7_reasons[HL7_LONG_CONTROL_ID])
        bound_met(BOUND_LIMIT_CONTROL_ID_BYTES);
}

static status judge(struct work *w)
{
    struct hl7_index *index = &w->ap->index;
    hl7_header_read(w->message.message, &w->header);
    w->ack_mode = str_is(w->message.protocol, "grpc") ? (struct hl7_ack_mode){.application = HL7_ACK_ALWAYS}
                                                      : hl7_ack_mode(&w->header);
    struct hl7_input input = routes_input(w->ap->routes, w->message.source);
    status got = hl7_index_build(index, w->cx, w->message.message, &input);
    if (got != STATUS_OK) {
        w->fault = index->fault;
        return got;
    }
    TRY(hl7_header_check(w->cx, &w->header, &w->fault));
    w->control_id = hl7_text(index, w->cx->arena, w->header.control_id, NULL);
    return check_duplicate(w);
}

static const struct plan_person *plan_persons(struct work *w)
{
    const struct identified *found = &w->identified;
    struct plan_person *persons = arena_array(w->cx->arena, found->patient_count, sizeof *persons);
    for (size_t i = 0; i < found->patient_count; i++)
        persons[i] = (struct plan_person){found->patients[i].pid, found->patients[i].result.person};
    return persons;
}

static status decide(struct work *w)
{
    struct apply *ap = w->ap;
    struct plan_input input = {.index = &ap->index,
                               .header = &w->header,
                               .source = w->message.source,
                               .routes = ap->routes,
                               .codes = codes_applied_snapshot(ap->engine->codes)};
    TRY(plan_check(w->cx, &input));
    int64_t began = clock_mono_us();
    TRY(identify_apply(ap->engine->mpi, ap->txn, w->cx, w->entry->seq, &ap->index, meaning_of(w), w->message.source,
                       &w->identified, &w->fault));
    int64_t identified = clock_mono_us();
    w->timing.identify_us = (uint32_t)(identified - began);
    input.persons = plan_persons(w);
    input.person_count = w->identified.patient_count;
    TRY(plan_make(w->cx, &input, &w->plan));
    w->timing.plan_us = (uint32_t)(clock_mono_us() - identified);
    return STATUS_OK;
}

/* ---- writing ---- */

/* How many destinations get the same bytes as this output, itself and later ones. */
static uint32_t count_sharers(const struct plan *plan, size_t from)
{
    uint32_t count = 0;
    for (size_t i = from; i < plan->output_count; i++)
        if (plan->outputs[i].bytes.data == plan->outputs[from].bytes.data)
            count += (uint32_t)plan->outputs[i].to_count;
    return count;
}

/* What the outbox rows of an output say. Outputs with the same bytes follow the first of them. */
static struct outbox_row describe(struct work *w, size_t number)
{
    const struct plan_output *output = &w->plan.outputs[number];
    struct outbox_row row = {.message_seq = w->entry->seq, .control_id = w->header.control_id, .bytes = output->bytes};
    if (output->bytes.data == NULL) {
        row.where = OUTBOX_JOURNAL;
        return row;
    }
    size_t first = 0;
    while (w->plan.outputs[first].bytes.data != output->bytes.data)
        first++;
    uint32_t sharers = count_sharers(&w->plan, first);
    if (!outbox_is_worth_sharing(output->bytes.len, sharers))
        return row;
    row.where = OUTBOX_SHARED;
    row.shared = (uint32_t)first;
    if (first == number)
        outbox_share(w->ap, w->entry->seq, row.shared, output->bytes, sharers);
    return row;
}

static void write_outbox(struct work *w)
{
    uint32_t number = 0;
    for (size_t i = 0; i < w->plan.output_count; i++) {
        const struct plan_output *output = &w->plan.outputs[i];
        struct outbox_row row = describe(w, i);
        struct str bytes = output->bytes.data ? output->bytes : w->message.message;
        for (size_t j = 0; j < output->to_count; j++) {
            struct str destination = w->ap->routes->destinations[output->to[j]].name;
            outbox_queue(w->ap, destination, (struct outbox_key){w->entry->seq, number++}, &row, bytes);
            total_lane(w->ap->engine, destination)->owed++;
        }
    }
}

static status write_work_items(struct work *w)
{
    for (size_t i = 0; i < w->plan.code_count; i++) {
        enum codes_outcome outcome = w->plan.outcomes[i];
        if (outcome != CODES_OUTCOME_UNMAPPED && outcome != CODES_OUTCOME_INVALID)
            continue;
        struct arena_mark mark = arena_mark(w->cx->arena);
        const struct engine_code *code = &w->plan.codes[i];
        struct hl7_path path;
        status compiled = hl7_path_compile(w->cx, code->path, &path);
        INVARIANT(compiled == STATUS_OK); /* plan.c formatted it */
        char text[HL7_PATH_TEXT_MAX];
        path.segment = 1;
        path.repetition = 0; /* counted by kind of place, not by each place */
        size_t len = hl7_path_format(&path, text);
        struct codes_seen seen = {.source = w->message.source,
                                  .path = str_make(text, len),
                                  .system = code->system,
                                  .code = code->code,
                                  .display = w->plan.displays[i],
                                  .outcome = outcome};
        TRY(codes_apply_work_item(w->ap->engine->codes, w->ap->txn, w->cx, w->entry->seq, &seen));
        ctx_give_back(w->cx, mark);
    }
    return STATUS_OK;
}

static void write_control(struct work *w)
{
    struct control_row row = {.seq = w->entry->seq,
                              .person = w->identified.result.person,
                              .ack_code = str_from(w->ack_code),
                              .ack = w->ack,
                              .verdict = str_from(mpi_verdict_name(w->identified.result.verdict))};
    memcpy(row.digest, w->digest, sizeof row.digest);
    SCOPED(buf_fini) struct buf encoded = {0};
    control_row_encode(&encoded, &row);
    data_txn_put(w->ap->txn, w->ap->engine->control, control_key(w->cx->arena, w->control_id, w->message.source),
                 buf_str(&encoded));
}

/* Changes are listed for each route, up to LIMIT_CHANGES_LISTED; one more line then says how many are not. */
static void list_changes(struct work *w, struct message_row *row)
{
    size_t changes = 0;
    for (size_t i = 0; i < w->plan.output_count; i++)
        changes += w->plan.outputs[i].change_count;
    size_t listed = BEYOND(LIMIT_CHANGES_LISTED, changes) ? LIMIT_CHANGES_LISTED : changes;
    const struct identified *found = &w->identified;
    row->changes = arena_array(w->cx->arena, listed + found->left_out_count + 1, sizeof *row->changes);
    for (size_t i = 0; i < w->plan.output_count; i++) {
        const struct plan_output *output = &w->plan.outputs[i];
        for (size_t j = 0; j < output->change_count && row->change_count < listed; j++) {
            const struct plan_change *change = &output->changes[j];
            row->changes[row->change_count++] = (struct message_row_change){
                output->route->name, change->path, change->before, change->after, str_from(change->why)};
        }
    }
    if (changes > listed)
        row->changes[row->change_count++] = (struct message_row_change){
            .after = arena_printf(w->cx->arena, "%zu", changes - listed), .why = STR("changes.not-listed")};
    for (size_t i = 0; i < found->left_out_count; i++)
        row->changes[row->change_count++] = (struct message_row_change){
            .path = found->left_out[i].path, .after = found->left_out[i].what, .why = STR("identity.left-out")};
}

static void list_outputs(struct work *w, struct message_row *row)
{
    size_t outputs = 0;
    for (size_t i = 0; i < w->plan.output_count; i++)
        outputs += w->plan.outputs[i].to_count;
    row->outputs = arena_array(w->cx->arena, outputs, sizeof *row->outputs);
    for (size_t i = 0; i < w->plan.output_count; i++) {
        const struct plan_output *output = &w->plan.outputs[i];
        for (size_t j = 0; j < output->to_count; j++)
            row->outputs[row->output_count++] =
                (struct message_row_output){output->route->name, w->ap->routes->destinations[output->to[j]].name};
    }
}

/* The patients after the first. */
static void list_patients(struct work *w, struct message_row *row)
{
    const struct identified *found = &w->identified;
    size_t count = found->patient_count > 1 ? found->patient_count - 1 : 0;
    row->patients = arena_array(w->cx->arena, count, sizeof *row->patients);
    for (; row->patient_count < count; row->patient_count++) {
        const struct identified_patient *patient = &found->patients[row->patient_count + 1];
        row->patients[row->patient_count] =
            (struct message_row_patient){patient->pid, patient->result.record, patient->result.person,
                                         patient->result.review, str_from(mpi_verdict_name(patient->result.verdict))};
    }
}

static void list_codes(struct work *w, struct message_row *row)
{
    row->codes = arena_array(w->cx->arena, w->plan.code_count, sizeof *row->codes);
    for (; row->code_count < w->plan.code_count; row->code_count++) {
        const struct engine_code *code = &w->plan.codes[row->code_count];
        row->codes[row->code_count] = (struct message_row_code){.path = code->path,
                                                                .outcome = code->outcome,
                                                                .system = code->system,
                                                                .code = code->code,
                                                                .target_system = code->target_system,
                                                                .target_code = code->target_code,
                                                                .target_display = code->target_display,
                                                                .map = code->map,
                                                                .map_version = code->map_version,
                                                                .map_row = code->map_row};
    }
}

_Static_assert((int)ROW_EVIDENCE_MAX >= (int)MPI_EVIDENCE_MAX, "a row holds all of a comparison");

static struct message_row_comparison comparison_row(const struct mpi_comparison *best)
{
    struct message_row_comparison row = {.left_record = best->left_record,
                                         .right_record = best->right_record,
                                         .score_mbit = best->score_mbit,
                                         .probability_ppm = best->probability_ppm,
                                         .model_version = best->model_version};
    for (; row.evidence_count < best->evidence_count; row.evidence_count++) {
        const struct mpi_evidence *evidence = &best->evidence[row.evidence_count];
        row.evidence[row.evidence_count] =
            (struct message_row_evidence){str_from(evidence->field), str_from(evidence->level), evidence->weight_mbit};
    }
    return row;
}

static void write_message(struct work *w, const struct applied *result)
{
    const struct hl7_header *h = &w->header;
    struct message_row row = {
        .source = w->message.source,
        .protocol = w->message.protocol,
        .peer = w->message.peer,
        .received_us = w->message.received_us,
        .principal = w->cx->principal,
        .journaled_us = w->entry->time_us,
        .control_id = w->control_id,
        .type =
            h->trigger.len ? arena_printf(w->cx->arena, "%.*s^%.*s", STR_ARGS(h->type), STR_ARGS(h->trigger)) : h->type,
        .ack_code = str_from(w->ack_code),
        .reason = result->reason ? str_from(result->reason->name) : STR_NONE,
        .detail = result->detail,
        .duplicate_of = w->duplicate ? w->original.seq : 0,
        .warnings = hl7_warnings_total(&w->ap->index.warnings),
        .verdict = str_from(
            result->status == STATUS_OK && !w->duplicate ? mpi_verdict_name(w->identified.result.verdict) : ""),
        .person = w->identified.result.person,
        .record = w->identified.result.record,
        .review = w->identified.result.review,
        .comparison = comparison_row(&w->identified.result.best),
        .routes_version = w->ap->routes->version,
    };
    list_codes(w, &row);
    list_changes(w, &row);
    list_outputs(w, &row);
    list_patients(w, &row);
    SCOPED(buf_fini) struct buf encoded = {0};
    message_row_encode(&encoded, &row);
    data_txn_put(w->ap->txn, w->ap->engine->message, seq_key(w->cx->arena, w->entry->seq), buf_str(&encoded));
}

/* ---- answering ---- */

static void build_ack(struct work *w, const struct applied *result)
{
    enum hl7_ack_code code = hl7_ack_code_for(result->reason, false);
    w->ack_code = hl7_ack_code_text(code);
    if (!hl7_ack_is_due(w->ack_mode.application, result->status == STATUS_OK))
        return;
    struct hl7_ack ack = {.to = &w->header,
                          .code = code,
                          .control_id = arena_printf(w->cx->arena, "I%" PRIu64, w->entry->seq),
                          .now_us = w->entry->time_us,
                          .reason = result->reason,
                          .location = &w->fault,
                          .detail = result->detail};
    SCOPED(buf_fini) struct buf bytes = {0};
    hl7_ack_build(&ack, &bytes);
    w->ack = arena_str(w->cx->arena, buf_str(&bytes));
}

/* The stored name as the static text it came from: answers are kept longer than this arena lives. */
static const char *known_verdict(struct str name)
{
    for (int verdict = MPI_VERDICT_KNOWN; verdict <= MPI_VERDICT_NONE; verdict++)
        if (str_is(name, mpi_verdict_name((enum mpi_verdict)verdict)))
            return mpi_verdict_name((enum mpi_verdict)verdict);
    return "";
}

static void answer(struct work *w, struct applied *result)
{
    struct engine_answer *out = &result->answer;
    *out =
        (struct engine_answer){.seq = w->entry->seq, .person = w->identified.result.person, .last = true, .reason = ""};
    out->verdict = mpi_verdict_name(w->identified.result.verdict);
    out->ack = w->ack;
    if (result->reason)
        out->reason = result->reason->name;
    if (w->duplicate) {
        out->duplicate = true;
        if (w->ack.len && w->original.ack.len) /* word for word as then; none when this time none is asked for */
            out->ack = w->original.ack;
        out->person = w->original.person;
        out->verdict = known_verdict(w->original.verdict);
    }
    if (w->ack.len) /* else none is due: the other one, or none at all, was asked for */
        snprintf(out->code, sizeof out->code, "%s", w->ack_code);
}

static void count_message(struct work *w, const struct applied *result)
{
    struct engine *engine = w->ap->engine;
    struct source_total *total = total_source(engine, w->message.source);
    snprintf(total->protocol, sizeof total->protocol, "%.*s", STR_ARGS(str_sub(w->message.protocol, 0, 7)));
    total->received++;
    total->accepted += result->status == STATUS_OK;
    total->refused += result->status != STATUS_OK;
    total->duplicates += w->duplicate;
    pthread_mutex_lock(&engine->lock);
    engine->timings[w->entry->seq % TIMINGS_MAX] = w->timing;
    pthread_mutex_unlock(&engine->lock);
}

/* Takes back what the message changed so far, before its refusal is written. */
static void forget(struct apply *ap, size_t rows, struct mpi_mark people)
{
    data_txn_undo_to(ap->txn, rows);
    mpi_undo_to(ap->engine->mpi, people);
}

static status write_accepted(struct work *w)
{
    write_outbox(w);
    TRY(write_work_items(w));
    write_control(w);
    return STATUS_OK;
}

void apply_message(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct work w = {.ap = ap, .cx = cx, .entry = entry, .timing.seq = entry->seq, .ack_code = ""};
    size_t rows = data_txn_mark(ap->txn);
    struct mpi_mark people = mpi_mark(ap->engine->mpi);
    int64_t began = clock_mono_us();
    status got = entry_message_decode(cx, entry->body, &w.message);
    if (got == STATUS_OK)
        got = judge(&w);
    count_bound(cx->reason);
    w.timing.parse_us = (uint32_t)(clock_mono_us() - began);
    if (got == STATUS_OK && !w.duplicate)
        got = decide(&w);
    applied_as(result, cx, got);
    if (apply_is_damage(result))
        return; /* no verdict */
    if (got == STATUS_OK) {
        result->reason = NULL;
        result->detail = STR_NONE;
    } else { /* refused: kept and listed, without any other effect */
        forget(ap, rows, people);
        w.plan = (struct plan){0};
        w.identified = (struct identified){.result.verdict = MPI_VERDICT_NONE};
    }
    build_ack(&w, result);
    if (got == STATUS_OK && !w.duplicate) {
        status written = write_accepted(&w);
        if (written != STATUS_OK) {
            applied_as(result, cx, written);
            return;
        }
    }
    write_message(&w, result);
    answer(&w, result);
    w.timing.apply_us = (uint32_t)(clock_mono_us() - began);
    count_message(&w, result);
    result->status = STATUS_OK; /* a refusal is a result of applying, and its row stays */
}
