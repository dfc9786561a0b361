/* One message's whole way, put together from its rows and the journal. */
#include "engine_internal.h"
#include "outbox.h"

#include <inttypes.h>

status message_load(struct engine *engine, struct ctx *cx, uint64_t seq, struct message_row *out_row)
{
    struct str bytes;
    status got = data_get(engine->message, cx, seq_key(cx->arena, seq), &bytes);
    if (got == STATUS_NOT_FOUND)
        return ctx_fail(cx, &engine_reasons[ENGINE_MESSAGE_UNKNOWN], "%" PRIu64, seq);
    TRY(got);
    return message_row_decode(cx, bytes, out_row);
}

struct newest {
    uint64_t seq;
    struct ctx *cx;
    status failed;
};

static bool newer(void *arg, struct str key, struct str row)
{
    (void)key;
    struct newest *newest = arg;
    struct control_row control;
    newest->failed = control_row_decode(newest->cx, row, &control);
    if (newest->failed == STATUS_OK && control.seq > newest->seq)
        newest->seq = control.seq;
    return newest->failed == STATUS_OK;
}

static status find_by_control_id(struct engine *engine, struct ctx *cx, struct str control_id, uint64_t *out_seq)
{
    struct newest newest = {.cx = cx};
    TRY(data_scan(engine->control, cx, control_key(cx->arena, control_id, STR_NONE), STR_NONE, newer, &newest));
    TRY(newest.failed);
    if (newest.seq == 0)
        return ctx_fail(cx, &engine_reasons[ENGINE_MESSAGE_UNKNOWN], NULL);
    *out_seq = newest.seq;
    return STATUS_OK;
}

static void add_step(struct ctx *cx, struct engine_trace *trace, int64_t time_us, int64_t took_us, const char *step,
                     struct str detail)
{
    (void)cx;
    trace->steps[trace->step_count++] = (struct engine_step){time_us, took_us, str_from(step), detail};
}

static status load_deliveries(struct engine *engine, struct ctx *cx, uint64_t seq, const struct message_row *row,
                              struct engine_trace *trace, int64_t *out_first_sent_us)
{
    trace->deliveries = arena_array(cx->arena, row->output_count, sizeof *trace->deliveries);
    for (size_t i = 0; i < row->output_count; i++) {
        struct engine_delivery *delivery = &trace->deliveries[trace->delivery_count];
        *delivery = (struct engine_delivery){.destination = row->outputs[i].destination, .state = STR("queued")};
        struct str bytes;
        struct delivery_row stored;
        status got = data_get(engine->delivery, cx, delivery_key(cx->arena, seq, delivery->destination), &bytes);
        if (got == STATUS_OK) {
            TRY(delivery_row_decode(cx, bytes, &stored));
            delivery->state = stored.state == DELIVERY_DELIVERED ? STR("delivered") : STR("dead");
            delivery->attempts = stored.attempts;
            delivery->in_doubt = stored.in_doubt;
            delivery->done_us = stored.done_us;
            delivery->ack_code = stored.ack_code;
            delivery->reason = stored.why;
            out_first_sent_us[trace->delivery_count] = stored.first_sent_us;
        } else if (got != STATUS_NOT_FOUND) {
            return got;
        }
        ctx_clear(cx);
        trace->delivery_count++;
    }
    return STATUS_OK;
}

static struct str count_codes(struct ctx *cx, const struct message_row *row)
{
    static const char *const outcomes[] = {"standard", "translated", "unmapped", "invalid"};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        unsigned n = 0;
        for (size_t j = 0; j < row->code_count; j++)
            n += str_is(row->codes[j].outcome, outcomes[i]);
        if (n)
            buf_printf(&text, "%s%u %s", text.len ? ", " : "", n, outcomes[i]);
    }
    struct str out = arena_str(cx->arena, buf_str(&text));
    buf_fini(&text);
    return out;
}

static struct str list_outputs(struct ctx *cx, const struct message_row *row)
{
    struct buf text = {0};
    for (size_t i = 0; i < row->output_count; i++)
        buf_printf(&text, "%s%.*s -> %.*s", i ? ", " : "", STR_ARGS(row->outputs[i].route),
                   STR_ARGS(row->outputs[i].destination));
    struct str out = text.len ? arena_str(cx->arena, buf_str(&text)) : STR("no route takes it");
    buf_fini(&text);
    return out;
}

/* Who else the message is about. */
static void add_patients(struct ctx *cx, const struct message_row *row, struct engine_trace *trace)
{
    for (size_t i = 0; i < row->patient_count; i++) {
        const struct message_row_patient *patient = &row->patients[i];
        add_step(cx, trace, row->journaled_us, 0, "identified",
                 arena_printf(cx->arena, "PID(%" PRIu32 "): %.*s, person %" PRIu64, patient->pid,
                              STR_ARGS(patient->verdict), patient->person));
    }
}

static void add_steps(struct engine *engine, struct ctx *cx, uint64_t seq, const struct message_row *row,
                      struct engine_trace *trace, const int64_t *first_sent_us)
{
    struct arena *arena = cx->arena;
    trace->steps = arena_array(arena, 8 + row->patient_count + 2 * trace->delivery_count, sizeof *trace->steps);
    pthread_mutex_lock(&engine->lock);
    struct timing timing = engine->timings[seq % TIMINGS_MAX];
    pthread_mutex_unlock(&engine->lock);
    trace->times_not_kept = timing.seq != seq; /* older than this run, or pushed out */
    if (trace->times_not_kept)
        timing = (struct timing){0};
    int64_t at = row->journaled_us;
    add_step(cx, trace, row->received_us, 0, "received",
             arena_printf(arena, "%.*s from %.*s", STR_ARGS(row->protocol), STR_ARGS(row->peer)));
    add_step(cx, trace, at, at - row->received_us, "journaled", arena_printf(arena, "entry %" PRIu64 ", durable", seq));
    add_step(cx, trace, at, timing.parse_us, "parsed",
             row->reason.len ? arena_printf(arena, "refused: %.*s %.*s", STR_ARGS(row->reason), STR_ARGS(row->detail))
                             : arena_printf(arena, "%.*s, %u warnings", STR_ARGS(row->type), row->warnings));
    if (row->duplicate_of)
        add_step(cx, trace, at, 0, "duplicate",
                 arena_printf(arena, "of %" PRIu64 ": answered as then, nothing sent again", row->duplicate_of));
    else if (row->reason.len == 0) {
        add_step(cx, trace, at, timing.identify_us, "identified",
                 arena_printf(arena, "%.*s, person %" PRIu64, STR_ARGS(row->verdict), row->person));
        add_patients(cx, row, trace);
        add_step(cx, trace, at, timing.plan_us, "codes",
                 row->code_count ? count_codes(cx, row) : STR("none looked at"));
        add_step(cx, trace, at, 0, "routed", list_outputs(cx, row));
    }
    add_step(cx, trace, at, timing.apply_us, "answered",
             row->ack_code.len ? arena_printf(arena, "%.*s", STR_ARGS(row->ack_code)) : STR("no answer is due"));
    for (size_t i = 0; i < trace->delivery_count; i++) {
        const struct engine_delivery *delivery = &trace->deliveries[i];
        if (delivery->done_us == 0)
            continue;
        add_step(cx, trace, first_sent_us[i], 0, "sent",
                 arena_printf(arena, "to %.*s", STR_ARGS(delivery->destination)));
        add_step(cx, trace, delivery->done_us, delivery->done_us - first_sent_us[i],
                 str_is(delivery->state, "delivered") ? "delivered" : "dead",
                 arena_printf(arena, "%.*s %.*s, %u attempts%s", STR_ARGS(delivery->destination),
                              STR_ARGS(delivery->ack_code), delivery->attempts,
                              delivery->in_doubt ? ", was in doubt" : ""));
    }
}

/* The bytes as received; none when retention dropped their segment: the row still tells the story. A segment that is
 * missing otherwise is damage, and said so. */
static status read_received(struct engine *engine, struct ctx *cx, uint64_t seq, struct str *out_bytes)
{
    struct outbox_row as_received = {.message_seq = seq, .where = OUTBOX_JOURNAL};
    status got = outbox_bytes(engine, cx, &as_received, out_bytes);
    if (got != STATUS_NOT_FOUND)
        return got;
    ctx_clear(cx);
    return STATUS_OK;
}

/* ---- what the row says, as the API says it ---- */

static struct mpi_comparison comparison_of(struct ctx *cx, const struct message_row_comparison *row)
{
    struct mpi_comparison comparison = {.left_record = row->left_record,
                                        .right_record = row->right_record,
                                        .score_mbit = row->score_mbit,
                                        .probability_ppm = row->probability_ppm,
                                        .model_version = row->model_version};
    for (; comparison.evidence_count < row->evidence_count; comparison.evidence_count++) {
        const struct message_row_evidence *line = &row->evidence[comparison.evidence_count];
        comparison.evidence[comparison.evidence_count] = (struct mpi_evidence){
            arena_str(cx->arena, line->field).data, arena_str(cx->arena, line->level).data, line->weight_mbit};
    }
    return comparison;
}

static void trace_codes(struct ctx *cx, const struct message_row *row, struct engine_trace *trace)
{
    trace->codes = arena_array(cx->arena, row->code_count, sizeof *trace->codes);
    for (; trace->code_count < row->code_count; trace->code_count++) {
        const struct message_row_code *code = &row->codes[trace->code_count];
        trace->codes[trace->code_count] = (struct engine_code){.path = code->path,
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

static void trace_changes(struct ctx *cx, const struct message_row *row, struct engine_trace *trace)
{
    trace->changes = arena_array(cx->arena, row->change_count, sizeof *trace->changes);
    for (; trace->change_count < row->change_count; trace->change_count++) {
        const struct message_row_change *change = &row->changes[trace->change_count];
        trace->changes[trace->change_count] = (struct engine_change){.route = change->route,
                                                                     .path = change->path,
                                                                     .before = change->before,
                                                                     .after = change->after,
                                                                     .why = arena_str(cx->arena, change->why).data};
    }
}

status engine_trace(struct engine *engine, struct ctx *cx, uint64_t seq, struct str control_id,
                    struct engine_trace *out_trace)
{
    if (seq == 0)
        TRY(find_by_control_id(engine, cx, control_id, &seq));
    struct message_row row;
    TRY(message_load(engine, cx, seq, &row));
    struct engine_trace trace = {.seq = seq,
                                 .person = row.person,
                                 .record = row.record,
                                 .source = row.source,
                                 .principal = row.principal,
                                 .control_id = row.control_id,
                                 .type = row.type,
                                 .ack_code = row.ack_code,
                                 .reason = row.reason,
                                 .verdict = row.verdict,
                                 .routes_version = row.routes_version,
                                 .comparison = comparison_of(cx, &row.comparison)};
    trace_codes(cx, &row, &trace);
    trace_changes(cx, &row, &trace);
    int64_t *first_sent_us = arena_array(cx->arena, row.output_count, sizeof *first_sent_us);
    TRY(load_deliveries(engine, cx, seq, &row, &trace, first_sent_us));
    add_steps(engine, cx, seq, &row, &trace, first_sent_us);
    TRY(read_received(engine, cx, seq, &trace.message));
    *out_trace = trace;
    return STATUS_OK;
}
