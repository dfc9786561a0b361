/* Admin: what happened to one message, and what would happen to it. */
#include "page.h"
#include "services.h"

#include "base/bounds.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "idem/admin/v1/admin.pb-c.h"

static Idem__Admin__V1__TraceStep **convert_steps(struct ctx *cx, const struct engine_step *steps, size_t count)
{
    void **out;
    Idem__Admin__V1__TraceStep *step = message_array(cx, &idem__admin__v1__trace_step__descriptor, count, &out);
    for (size_t i = 0; i < count; i++, step++) {
        step->time_us = steps[i].time_us;
        step->took_us = steps[i].took_us;
        step->step = message_text(cx, steps[i].step);
        step->detail = message_text(cx, steps[i].detail);
    }
    return (Idem__Admin__V1__TraceStep **)out;
}

static Idem__Admin__V1__TraceCode **convert_codes(struct ctx *cx, const struct engine_code *codes, size_t count)
{
    void **out;
    Idem__Admin__V1__TraceCode *code = message_array(cx, &idem__admin__v1__trace_code__descriptor, count, &out);
    for (size_t i = 0; i < count; i++, code++) {
        code->path = message_text(cx, codes[i].path);
        code->outcome = message_text(cx, codes[i].outcome);
        code->system = message_text(cx, codes[i].system);
        code->code = message_text(cx, codes[i].code);
        code->target_system = message_text(cx, codes[i].target_system);
        code->target_code = message_text(cx, codes[i].target_code);
        code->target_display = message_text(cx, codes[i].target_display);
        code->map = message_text(cx, codes[i].map);
        code->map_version = message_text(cx, codes[i].map_version);
        code->map_row = codes[i].map_row;
    }
    return (Idem__Admin__V1__TraceCode **)out;
}

static Idem__Admin__V1__TraceChange **convert_changes(struct ctx *cx, const struct engine_change *changes, size_t count)
{
    void **out;
    Idem__Admin__V1__TraceChange *change = message_array(cx, &idem__admin__v1__trace_change__descriptor, count, &out);
    for (size_t i = 0; i < count; i++, change++) {
        change->destination = message_text(cx, changes[i].route);
        change->path = message_text(cx, changes[i].path);
        change->before = message_bytes(changes[i].before);
        change->after = message_bytes(changes[i].after);
        change->why = message_text(cx, str_from(changes[i].why));
    }
    return (Idem__Admin__V1__TraceChange **)out;
}

static void convert_deliveries(struct ctx *cx, const struct engine_trace *trace, Idem__Admin__V1__Trace *answer)
{
    MESSAGE_LIST(cx, answer, deliveries, &idem__admin__v1__trace_delivery__descriptor, trace->delivery_count);
    for (size_t i = 0; i < trace->delivery_count; i++) {
        const struct engine_delivery *delivery = &trace->deliveries[i];
        answer->deliveries[i]->destination = message_text(cx, delivery->destination);
        answer->deliveries[i]->state = message_text(cx, delivery->state);
        answer->deliveries[i]->attempts = delivery->attempts;
        answer->deliveries[i]->in_doubt = delivery->in_doubt;
        answer->deliveries[i]->done_us = delivery->done_us;
        answer->deliveries[i]->ack_code = message_text(cx, delivery->ack_code);
        answer->deliveries[i]->reason = message_text(cx, delivery->reason);
    }
}

static void convert_evidence(struct ctx *cx, const struct mpi_comparison *comparison, Idem__Admin__V1__Trace *answer)
{
    size_t count = comparison->evidence_count < MPI_EVIDENCE_MAX ? comparison->evidence_count : MPI_EVIDENCE_MAX;
    MESSAGE_LIST(cx, answer, evidence, &idem__admin__v1__trace_evidence__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        answer->evidence[i]->field = message_text(cx, str_from(comparison->evidence[i].field));
        answer->evidence[i]->level = message_text(cx, str_from(comparison->evidence[i].level));
        answer->evidence[i]->weight_mbit = comparison->evidence[i].weight_mbit;
    }
    answer->score_mbit = comparison->score_mbit;
    answer->model_version = comparison->model_version;
}

status admin_get_trace(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__GetTraceRequest *asked = request;
    Idem__Admin__V1__Trace *answer = reply;
    TRY(rpc_need(cx, asked->seq || asked->control_id[0], "seq or control_id"));
    struct engine_trace trace;
    TRY(engine_trace(call->server->engine, cx, asked->seq, str_from(asked->control_id), &trace));
    answer->seq = trace.seq;
    answer->source = message_text(cx, trace.source);
    answer->principal = message_text(cx, trace.principal);
    answer->control_id = message_text(cx, trace.control_id);
    answer->type = message_text(cx, trace.type);
    answer->ack_code = message_text(cx, trace.ack_code);
    answer->reason = message_text(cx, trace.reason);
    answer->person = trace.person;
    answer->record = trace.record;
    answer->verdict = message_text(cx, trace.verdict);
    convert_evidence(cx, &trace.comparison, answer);
    answer->codes = convert_codes(cx, trace.codes, trace.code_count);
    answer->n_codes = trace.code_count;
    answer->changes = convert_changes(cx, trace.changes, trace.change_count);
    answer->n_changes = trace.change_count;
    convert_deliveries(cx, &trace, answer);
    answer->steps = convert_steps(cx, trace.steps, trace.step_count);
    answer->n_steps = trace.step_count;
    answer->times_not_kept = trace.times_not_kept;
    answer->message = message_bytes(trace.message);
    answer->routes_version = message_text(cx, trace.routes_version);
    return STATUS_OK;
}

status admin_test_route(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__TestRouteRequest *asked = request;
    Idem__Admin__V1__TestRouteReply *answer = reply;
    TRY(rpc_need(cx, asked->source[0] != 0, "source"));
    TRY(rpc_need(cx, asked->message.len > 0, "message"));
    struct engine_rehearsal rehearsal;
    TRY(engine_rehearse(call->server->engine, cx, str_from(asked->text), str_from(asked->source),
                        str_make(asked->message.data, asked->message.len), &rehearsal));
    answer->steps = convert_steps(cx, rehearsal.steps, rehearsal.step_count);
    answer->n_steps = rehearsal.step_count;
    answer->codes = convert_codes(cx, rehearsal.codes, rehearsal.code_count);
    answer->n_codes = rehearsal.code_count;
    answer->changes = convert_changes(cx, rehearsal.changes, rehearsal.change_count);
    answer->n_changes = rehearsal.change_count;
    answer->person = rehearsal.person;
    answer->verdict = message_text(cx, str_from(rehearsal.verdict));
    MESSAGE_LIST(cx, answer, outputs, &idem__admin__v1__test_output__descriptor, rehearsal.output_count);
    size_t shown = 0; /* the same bytes go to many destinations: shown as long as the reply has room */
    for (size_t i = 0; i < rehearsal.output_count; i++) {
        struct str message = rehearsal.outputs[i].message;
        answer->outputs[i]->destination = message_text(cx, rehearsal.outputs[i].destination);
        answer->outputs[i]->route = message_text(cx, rehearsal.outputs[i].route);
        if (BEYOND(LIMIT_REHEARSED_BYTES, shown + message.len)) {
            answer->outputs_without_message++;
            continue;
        }
        shown += message.len;
        answer->outputs[i]->message = message_bytes(message);
    }
    return STATUS_OK;
}

status admin_list_messages(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__ListMessagesRequest *asked = request;
    Idem__Admin__V1__ListMessagesReply *answer = reply;
    size_t max = asked->max ? asked->max : MESSAGES_USUAL;
    struct engine_message_line *lines;
    size_t count;
    TRY(engine_messages(call->server->engine, cx, asked->before, max, asked->refused_only, &lines, &count,
                        &answer->next_before));
    MESSAGE_LIST(cx, answer, messages, &idem__admin__v1__message_line__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        Idem__Admin__V1__MessageLine *line = answer->messages[i];
        line->seq = lines[i].seq;
        line->time_us = lines[i].time_us;
        line->source = message_text(cx, lines[i].source);
        line->type = message_text(cx, lines[i].type);
        line->control_id = message_text(cx, lines[i].control_id);
        line->ack_code = message_text(cx, lines[i].ack_code);
        line->reason = message_text(cx, lines[i].reason);
        line->person = lines[i].person;
        line->others = lines[i].others;
        line->verdict = message_text(cx, lines[i].verdict);
    }
    return STATUS_OK;
}
