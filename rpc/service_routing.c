/*
 * Routing: messages in. A submission is answered when the engine answers: on its threads, so the answer is copied and
 * posted to the call's worker. In enhanced mode the engine answers twice; a gRPC sender gets the last answer that says
 * something.
 *
 * When the engine has no room, the call is held with its message, on no thread; a stream is read no further meanwhile.
 * A client that goes away, or whose time is over, is forgotten.
 */
#include "services.h"

#include "base/bounds.h"
#include "base/buf.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "idem/routing/v1/routing.pb-c.h"

/* One message in the engine, or held until there is room. Lives until its answer is on the wire, and holds its call. */
struct submit_call {
    struct wire_post post; /* first: the answer is there */
    struct wire_post room_post;
    struct rpc_call *call;
    struct submit_call *next; /* streams: in the order of the messages */
    struct str source, peer, message;
    int64_t received_us;
    struct engine_room room;
    struct buf copy; /* streams: of source and message while held */
    /* worker thread: */
    bool answered;
    bool held;    /* not in the engine yet */
    bool dropped; /* nobody wants it any more: freed when room_post comes */
    /* the answer so far; written by the engine's callbacks, read by the worker after the post */
    char code[3];
    uint64_t seq, person;
    struct buf ack;
    const char *verdict, *reason; /* static texts of the engine */
    bool duplicate;
};

/* A SubmitStream; worker thread. */
struct stream {
    struct submit_call *first, **end;
    struct submit_call *held; /* the last one, while the engine has no room for it */
    struct str peer;
    bool half_closed;
};

static void on_answer(void *arg, const struct engine_answer *answer)
{
    struct submit_call *submission = arg;
    if (answer->code[0] || submission->code[0] == 0) {
        memcpy(submission->code, answer->code, sizeof submission->code);
        submission->seq = answer->seq;
        submission->person = answer->person;
        submission->verdict = answer->verdict;
        submission->reason = answer->reason;
        submission->duplicate = answer->duplicate;
        buf_clear(&submission->ack);
        buf_put_str(&submission->ack, answer->ack);
    }
    if (answer->last)
        wire_post(submission->call->wire, &submission->post);
}

static void fill_reply(struct ctx *cx, const struct submit_call *submission, Idem__Routing__V1__SubmitReply *reply)
{
    reply->code = message_text(cx, str_from(submission->code));
    reply->seq = submission->seq;
    reply->ack = message_bytes(buf_str(&submission->ack));
    reply->person = submission->person;
    reply->verdict = message_text(cx, str_from(submission->verdict));
    reply->duplicate = submission->duplicate;
    reply->reason = message_text(cx, str_from(submission->reason));
}

/* On the worker. The call may be over after this. */
static void free_submit_call(struct submit_call *submission)
{
    struct wire_call *wire = submission->call->wire;
    buf_fini(&submission->ack);
    buf_fini(&submission->copy);
    mem_free(submission);
    wire_release(wire);
}

static void on_room(void *arg)
{
    struct submit_call *submission = arg;
    wire_post(submission->call->wire, &submission->room_post);
}

typedef void wire_post_fn(struct wire_call *wire, struct wire_post *post);

static struct submit_call *new_submit_call(struct rpc_call *call, const struct ctx *cx,
                                           const Idem__Routing__V1__SubmitRequest *asked, struct str peer,
                                           wire_post_fn *answered, wire_post_fn *has_room)
{
    struct submit_call *submission = mem_alloc(sizeof *submission);
    wire_hold(call->wire);
    submission->call = call;
    submission->post.fn = answered;
    submission->room_post.fn = has_room;
    submission->room = (struct engine_room){.told = on_room, .arg = submission};
    submission->source = str_from(asked->source);
    submission->peer = peer;
    submission->message = str_make(asked->message.data, asked->message.len);
    submission->received_us = cx->now_us;
    return submission;
}

/* Holds it, or lets it go on: what is held is counted, because callers without number could hold anything. */
static void count_held(struct submit_call *submission, bool held)
{
    struct rpc_server *server = submission->call->server;
    if (held && !submission->held)
        atomic_fetch_add(&server->held_bytes, submission->message.len);
    if (!held && submission->held)
        atomic_fetch_sub(&server->held_bytes, submission->message.len);
    submission->held = held;
}

/* Into the engine. When it has no room the submission is held, and room_post comes. */
static void submit(struct submit_call *submission)
{
    struct engine_submission message = {
        .source = submission->source,
        .protocol = STR("grpc"),
        .peer = submission->peer,
        .principal = submission->call->principal,
        .message = submission->message,
        .received_us = submission->received_us,
    };
    count_held(submission, engine_submit(submission->call->server->engine, &message, on_answer, submission,
                                         &submission->room) == ENGINE_FULL);
}

/* A held submission that nobody wants any more. */
static void drop(struct submit_call *submission)
{
    count_held(submission, false);
    if (engine_forget(submission->call->server->engine, &submission->room))
        free_submit_call(submission);
    else
        submission->dropped = true;
}

static bool holds_too_much(const struct submit_call *submission)
{
    const struct rpc_server *server = submission->call->server;
    return submission->held && atomic_load(&server->held_bytes) > server->held_bytes_max;
}

static status refuse_to_hold(struct ctx *cx)
{
    bound_met(BOUND_LIMIT_HELD_BYTES);
    return ctx_fail(cx, &rpc_reasons[RPC_BUSY], "the disk is slow, and as many messages as may wait for it do");
}

/* Nobody may speak for another system: a message's source decides whose control ids, identifiers and routes count. */
static bool may_speak_for(const struct rpc_call *call, const char *source)
{
    const struct rpc_principal *known = call->known;
    if (known == NULL || (known->roles & RPC_ROLE_OPERATOR)) /* plain loopback has no names to tell apart */
        return true;
    for (size_t i = 0; i < known->source_count; i++)
        if (strcmp(known->sources[i], source) == 0)
            return true;
    return known->source_count == 0 && strcmp(known->name, source) == 0;
}

static status check(const struct rpc_call *call, struct ctx *cx, const char *source, size_t message_len)
{
    TRY(rpc_need(cx, source[0] != 0, "source"));
    if (!may_speak_for(call, source))
        return ctx_fail(cx, &engine_reasons[ENGINE_SOURCE_UNKNOWN],
                        "principal %s; see `sources` of its row under `roles`", call->known->name);
    return rpc_need(cx, message_len > 0, "message");
}

/* ---- one message ---- */

static void unary_answered(struct wire_call *wire, struct wire_post *post)
{
    (void)wire;
    struct submit_call *submission = (struct submit_call *)(void *)post;
    struct rpc_call *call = submission->call;
    Idem__Routing__V1__SubmitReply reply = IDEM__ROUTING__V1__SUBMIT_REPLY__INIT;
    fill_reply(&call->cx, submission, &reply);
    rpc_call_reply(call, &call->cx, &reply);
    call->state = NULL;
    free_submit_call(submission);
}

static struct submit_call *from_room_post(struct wire_post *post)
{
    return (struct submit_call *)(void *)((char *)post - offsetof(struct submit_call, room_post));
}

static void unary_has_room(struct wire_call *wire, struct wire_post *post)
{
    (void)wire;
    struct submit_call *submission = from_room_post(post);
    if (submission->dropped)
        free_submit_call(submission);
    else
        submit(submission);
}

status routing_submit(struct rpc_call *call, struct ctx *cx, const void *request, void *unused)
{
    (void)unused;
    const Idem__Routing__V1__SubmitRequest *asked = request; /* lives as long as the call */
    TRY(check(call, cx, asked->source, asked->message.len));
    struct submit_call *submission =
        new_submit_call(call, cx, asked, wire_peer_address(call->wire), unary_answered, unary_has_room);
    submit(submission);
    if (holds_too_much(submission)) {
        drop(submission);
        return refuse_to_hold(cx);
    }
    call->state = submission;
    return STATUS_OK;
}

/* What the engine took stays there, and its answer finds nobody; what it has not taken is forgotten. */
void routing_submit_cancelled(struct rpc_call *call)
{
    struct submit_call *submission = call->state;
    if (submission == NULL || !submission->held)
        return;
    call->state = NULL;
    rpc_call_fail(call, &call->cx, ctx_fail(&call->cx, &rpc_reasons[RPC_CANCELLED], NULL));
    drop(submission);
}

/* ---- the stream: one reply per message, in order, whatever order the engine answers in ---- */

void routing_stream_begun(struct rpc_call *call)
{
    struct stream *stream = arena_alloc(call->cx.arena, sizeof *stream);
    stream->end = &stream->first;
    stream->peer = wire_peer_address(call->wire);
    call->state = stream;
}

static void send_ready(struct rpc_call *call, struct stream *stream)
{
    while (stream->first && stream->first->answered) {
        struct submit_call *submission = stream->first;
        stream->first = submission->next;
        if (stream->first == NULL)
            stream->end = &stream->first;
        struct arena scratch = {0};
        struct ctx cx = {.arena = &scratch};
        Idem__Routing__V1__SubmitReply reply = IDEM__ROUTING__V1__SUBMIT_REPLY__INIT;
        fill_reply(&cx, submission, &reply);
        rpc_call_send(call, &cx, &reply);
        arena_fini(&scratch);
        free_submit_call(submission);
    }
    if (stream->half_closed && stream->first == NULL)
        rpc_call_end(call);
}

static void stream_answered(struct wire_call *wire, struct wire_post *post)
{
    struct submit_call *submission = (struct submit_call *)(void *)post;
    struct rpc_call *call = submission->call;
    submission->answered = true;
    wire_hold(wire); /* what is sent lets its own hold go */
    send_ready(call, call->state);
    wire_release(wire);
}

static void stream_has_room(struct wire_call *wire, struct wire_post *post)
{
    struct submit_call *submission = from_room_post(post);
    if (submission->dropped) {
        free_submit_call(submission);
        return;
    }
    submit(submission);
    if (submission->held)
        return;
    buf_fini(&submission->copy);
    struct stream *stream = submission->call->state;
    stream->held = NULL;
    wire_resume(wire);
}

/* The request goes away when its handler is done. */
static void keep_request(struct submit_call *submission)
{
    buf_put_str(&submission->copy, submission->source);
    buf_put_str(&submission->copy, submission->message);
    submission->source = str_make(submission->copy.data, submission->source.len);
    submission->message = str_make(submission->copy.data + submission->source.len, submission->message.len);
}

/* The held one is the last in the row. */
static void drop_held(struct stream *stream)
{
    struct submit_call *held = stream->held;
    if (held == NULL)
        return;
    struct submit_call **at = &stream->first;
    while (*at != held)
        at = &(*at)->next;
    *at = NULL;
    stream->end = at;
    stream->held = NULL;
    drop(held);
}

status routing_submit_stream(struct rpc_call *call, struct ctx *cx, const void *request, void *unused)
{
    (void)unused;
    struct stream *stream = call->state;
    const Idem__Routing__V1__SubmitRequest *asked = request;
    TRY(check(call, cx, asked->source, asked->message.len));
    struct submit_call *submission = new_submit_call(call, cx, asked, stream->peer, stream_answered, stream_has_room);
    *stream->end = submission;
    stream->end = &submission->next;
    submit(submission);
    if (!submission->held)
        return STATUS_OK;
    stream->held = submission;
    if (holds_too_much(submission)) {
        drop_held(stream);
        return refuse_to_hold(cx);
    }
    keep_request(submission);
    wire_pause(call->wire);
    return STATUS_OK;
}

void routing_stream_cancelled(struct rpc_call *call)
{
    if (call->state) /* else it was refused before it began */
        drop_held(call->state);
}

void routing_stream_half_closed(struct rpc_call *call)
{
    struct stream *stream = call->state;
    stream->half_closed = true;
    send_ready(call, stream);
}

void routing_stream_ended(struct rpc_call *call)
{
    struct stream *stream = call->state;
    while (stream && stream->first) { /* none: every submission holds the call until it is answered and sent */
        struct submit_call *next = stream->first->next;
        free_submit_call(stream->first);
        stream->first = next;
    }
}

/* ---- Reconcile ---- */

static void convert_codes(struct ctx *cx, const struct engine_rehearsal *rehearsal,
                          Idem__Routing__V1__ReconcileReply *answer)
{
    MESSAGE_LIST(cx, answer, codes, &idem__routing__v1__code_outcome__descriptor, rehearsal->code_count);
    for (size_t i = 0; i < rehearsal->code_count; i++) {
        const struct engine_code *code = &rehearsal->codes[i];
        Idem__Routing__V1__CodeOutcome *out = answer->codes[i];
        out->path = message_text(cx, code->path);
        out->outcome = message_text(cx, code->outcome);
        out->system = message_text(cx, code->system);
        out->code = message_text(cx, code->code);
        out->target_system = message_text(cx, code->target_system);
        out->target_code = message_text(cx, code->target_code);
        out->target_display = message_text(cx, code->target_display);
        out->map = message_text(cx, code->map);
        out->map_version = message_text(cx, code->map_version);
        out->map_row = code->map_row;
    }
}

/* The changes of the message that is handed back: those of its destination, and those that are for every destination.
 */
static void convert_changes(struct ctx *cx, const struct engine_rehearsal *rehearsal,
                            Idem__Routing__V1__ReconcileReply *answer)
{
    struct str route = rehearsal->output_count ? rehearsal->outputs[0].route : STR_NONE; /* the one that is answered */
    MESSAGE_LIST(cx, answer, changes, &idem__routing__v1__change__descriptor, rehearsal->change_count);
    size_t kept = 0;
    for (size_t i = 0; i < rehearsal->change_count; i++) {
        const struct engine_change *change = &rehearsal->changes[i];
        if (!str_eq(change->route, route))
            continue;
        Idem__Routing__V1__Change *out = answer->changes[kept++];
        out->path = message_text(cx, change->path);
        out->before = message_bytes(change->before);
        out->after = message_bytes(change->after);
        out->why = message_text(cx, str_from(change->why));
    }
    answer->n_changes = kept;
}

status routing_reconcile(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Routing__V1__ReconcileRequest *asked = request;
    Idem__Routing__V1__ReconcileReply *answer = reply;
    TRY(check(call, cx, asked->source, asked->message.len));
    struct str message = str_make(asked->message.data, asked->message.len);
    struct engine_rehearsal rehearsal;
    TRY(engine_rehearse(call->server->engine, cx, STR_NONE, str_from(asked->source), message, &rehearsal));
    answer->message = message_bytes(rehearsal.output_count ? rehearsal.outputs[0].message : message);
    answer->person = rehearsal.person;
    answer->verdict = message_text(cx, str_from(rehearsal.verdict));
    convert_changes(cx, &rehearsal, answer);
    convert_codes(cx, &rehearsal, answer);
    answer->destinations = arena_array(cx->arena, rehearsal.output_count, sizeof *answer->destinations);
    answer->n_destinations = rehearsal.output_count;
    for (size_t i = 0; i < rehearsal.output_count; i++)
        answer->destinations[i] = message_text(cx, rehearsal.outputs[i].destination);
    return STATUS_OK;
}
