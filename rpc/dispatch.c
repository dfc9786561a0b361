/*
 * From the wire to a handler and back, the same fixed steps for every call: known method, room, deadline, who, may
 * they, request read and checked, handler, answer, one audit line.
 */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "call.h"

enum { STREAM_WAITING_MAX = 64 };

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- answers ---- */

static void finished(struct rpc_call *call, status code)
{
    if (call->finished)
        return;
    call->finished = true;
    if (code != STATUS_OK)
        count(&call->server->failed);
    if (call->method && call->method->audit)
        log_event(LOG_INFO, "rpc.audit", LOG_NAME("method", call->method->path),
                  LOG_NAME("principal", call->principal_name  ? call->principal_name
                                        : call->principal.len ? "not-configured"
                                                              : "plain"),
                  LOG_NAME("status", status_text(code)), LOG_NUM("took_us", clock_mono_us() - call->wire->started_us));
}

void rpc_call_fail(struct rpc_call *call, struct ctx *cx, status code)
{
    if (call->finished)
        return;
    struct str message = rpc_error_message(cx);
    finished(call, code);
    wire_finish(call->wire, code, message, rpc_error_details(cx, code, message));
}

void rpc_call_send(struct rpc_call *call, struct ctx *cx, const void *message)
{
    struct wire_bytes bytes;
    status packed = message_pack(cx, message, &bytes);
    if (packed != STATUS_OK)
        rpc_call_fail(call, cx, packed);
    else
        wire_send(call->wire, &bytes);
}

void rpc_call_end(struct rpc_call *call)
{
    finished(call, STATUS_OK);
    wire_finish(call->wire, STATUS_OK, STR_NONE, STR_NONE);
}

void rpc_call_reply(struct rpc_call *call, struct ctx *cx, const void *reply)
{
    rpc_call_send(call, cx, reply);
    if (!call->finished)
        rpc_call_end(call);
}

/* ---- on the pool ---- */

static struct rpc_call *from_job(struct pool_job *job)
{
    return (struct rpc_call *)(void *)((char *)job - offsetof(struct rpc_call, job));
}

static struct rpc_call *from_post(struct wire_post *post)
{
    return (struct rpc_call *)(void *)((char *)post - offsetof(struct rpc_call, post));
}

static void pool_done(struct wire_call *wire, struct wire_post *post)
{
    struct rpc_call *call = from_post(post);
    if (call->result != STATUS_OK) {
        rpc_call_fail(call, &call->cx, call->result);
    } else {
        if (call->reply_bytes.owner)
            wire_send(wire, &call->reply_bytes);
        rpc_call_end(call);
    }
    wire_release(wire);
}

/* Its time may be over, or its client gone, since it was queued. */
static status still_wanted(struct rpc_call *call, struct ctx *cx)
{
    if (atomic_load(&call->gone))
        return ctx_fail(cx, &rpc_reasons[RPC_CANCELLED], "before it began");
    if (cx->deadline_us && clock_mono_us() >= cx->deadline_us)
        return ctx_fail(cx, &rpc_reasons[RPC_DEADLINE], "before it began");
    return STATUS_OK;
}

static void pool_run(struct pool_job *job)
{
    struct rpc_call *call = from_job(job);
    struct ctx *cx = &call->cx;
    const struct rpc_method *method = call->method;
    call->result = still_wanted(call, cx);
    if (call->result == STATUS_OK && method->style == RPC_STREAM) {
        call->result = method->handle(call, cx, call->request, NULL);
    } else if (call->result == STATUS_OK) {
        ProtobufCMessage *reply = message_new(cx, method->reply);
        call->result = method->handle(call, cx, call->request, reply);
        if (call->result == STATUS_OK)
            call->result = message_pack(cx, reply, &call->reply_bytes);
    }
    call->post.fn = pool_done;
    wire_post(call->wire, &call->post);
}

struct emitted {
    struct wire_post post;
    struct rpc_call *call;
    struct wire_bytes bytes;
};

static void emitted_on_worker(struct wire_call *wire, struct wire_post *post)
{
    struct emitted *emitted = (struct emitted *)(void *)post;
    struct rpc_call *call = emitted->call;
    wire_send(wire, &emitted->bytes);
    mem_free(emitted);
    pthread_mutex_lock(&call->lock);
    call->waiting--;
    pthread_cond_signal(&call->room);
    pthread_mutex_unlock(&call->lock);
}

status rpc_stream_emit(struct rpc_call *call, struct ctx *cx, const void *message)
{
    struct wire_bytes bytes;
    TRY(message_pack(cx, message, &bytes));
    pthread_mutex_lock(&call->lock);
    while (call->waiting >= STREAM_WAITING_MAX)
        pthread_cond_wait(&call->room, &call->lock); /* the worker always takes them, also when the client is gone */
    call->waiting++;
    pthread_mutex_unlock(&call->lock);
    if (atomic_load(&call->gone)) {
        pthread_mutex_lock(&call->lock);
        call->waiting--;
        pthread_mutex_unlock(&call->lock);
        wire_bytes_fini(&bytes);
        return ctx_fail(cx, &rpc_reasons[RPC_CANCELLED], NULL);
    }
    struct emitted *emitted = mem_alloc(sizeof *emitted);
    *emitted = (struct emitted){.post.fn = emitted_on_worker, .call = call, .bytes = bytes};
    wire_post(call->wire, &emitted->post);
    return STATUS_OK;
}

/* ---- the fixed steps ---- */

static void identify_caller(struct rpc_call *call)
{
    struct str *names;
    bool plain;
    size_t name_count = wire_peer_names(call->wire, &names, &plain);
    if (plain) {
        call->roles = call->server->plain_roles;
        return;
    }
    call->principal = name_count ? names[0] : STR("unnamed");
    for (size_t i = 0; i < name_count; i++) {
        for (size_t known = 0; known < call->server->principal_count; known++) {
            if (!str_is(names[i], call->server->principals[known].name))
                continue;
            call->principal = names[i];
            call->principal_name = call->server->principals[known].name;
            call->roles = call->server->principals[known].roles;
            call->known = &call->server->principals[known];
            return;
        }
    }
}

static status admit(struct rpc_call *call, struct ctx *cx)
{
    const struct wire_call *wire = call->wire;
    if (call->method == NULL)
        return ctx_fail(cx, &rpc_reasons[RPC_UNKNOWN_METHOD], NULL);
    if (wire->over_limit)
        return ctx_fail(cx, &rpc_reasons[RPC_BUSY], NULL);
    if (wire->deadline_us && wire->deadline_us <= wire->started_us)
        return ctx_fail(cx, &rpc_reasons[RPC_DEADLINE], "before the call began");
    identify_caller(call);
    if (call->method->roles && (call->roles & call->method->roles) == 0)
        return ctx_fail(cx, &rpc_reasons[RPC_NO_ROLE], "%s", call->method->path + 1);
    bool stopped = call->server->engine == NULL || atomic_load_explicit(&call->server->draining, memory_order_relaxed);
    if (call->method->needs_engine && stopped)
        return ctx_fail(cx, &rpc_reasons[RPC_DRAINING], NULL);
    return STATUS_OK;
}

static status read_request(struct rpc_call *call, struct ctx *cx, struct str bytes, void **out_request)
{
    const struct rpc_method *method = call->method;
    if (bytes.len > method->request_bytes_max && bound_met(BOUND_LIMIT_GRPC_MESSAGE_BYTES))
        return ctx_fail(cx, &rpc_reasons[RPC_REQUEST_TOO_LARGE], "%zu bytes, at most %u", bytes.len,
                        method->request_bytes_max);
    return message_unpack(cx, method->request, bytes, method->text_bytes_max, out_request);
}

static void begin_on_pool(struct rpc_call *call, struct ctx *cx)
{
    wire_hold(call->wire);
    call->job.run = pool_run;
    call->on_pool = true;
    if (pool_add(call->server->pools[call->method->pool], &call->job))
        return;
    count(&call->server->refused);
    rpc_call_fail(call, cx, ctx_fail(cx, &rpc_reasons[RPC_BUSY], NULL));
    wire_release(call->wire);
}

static void run(struct rpc_call *call, struct ctx *cx)
{
    const struct rpc_method *method = call->method;
    switch (method->style) {
    case RPC_INLINE: {
        if (method->may_wait && method->may_wait(call->request)) {
            begin_on_pool(call, cx);
            break;
        }
        void *reply = message_new(cx, method->reply);
        status result = method->handle(call, cx, call->request, reply);
        if (result == STATUS_OK)
            rpc_call_reply(call, cx, reply);
        else
            rpc_call_fail(call, cx, result);
        break;
    }
    case RPC_DEFERRED: {
        status result = method->handle(call, cx, call->request, NULL);
        if (result != STATUS_OK)
            rpc_call_fail(call, cx, result);
        break;
    }
    case RPC_BLOCKING:
    case RPC_STREAM:
        begin_on_pool(call, cx);
        break;
    case RPC_BIDI:
        if (method->begun)
            method->begun(call);
        break;
    }
}

static void on_started(struct wire_call *wire, struct str request)
{
    struct rpc_server *server = wire->app;
    struct rpc_call *call = arena_alloc(&wire->arena, sizeof *call);
    call->wire = wire;
    call->server = server;
    call->method = wire->row;
    wire->state = call;
    pthread_mutex_init(&call->lock, NULL);
    pthread_cond_init(&call->room, NULL);
    struct ctx *cx = &call->cx;
    cx->arena = &wire->arena;
    cx->now_us = clock_now_us();
    cx->deadline_us = wire->deadline_us;
    cx->gone = &call->gone;
    count(&server->calls);

    status admitted = admit(call, cx);
    cx->principal = call->principal;
    if (admitted == STATUS_OK && call->method->kind != WIRE_BIDI) {
        void *message = NULL;
        if (!wire->has_request)
            admitted = ctx_fail(cx, &rpc_reasons[RPC_MALFORMED], "no request was sent");
        else
            admitted = read_request(call, cx, request, &message);
        call->request = message;
    }
    if (admitted != STATUS_OK) {
        count(&server->refused);
        rpc_call_fail(call, cx, admitted);
        return;
    }
    run(call, cx);
}

/* Every message of a stream gets its own scratch: what must outlive it, the service copies. */
static void on_message(struct wire_call *wire, struct str bytes)
{
    struct rpc_call *call = wire->state;
    struct arena scratch;
    arena_init(&scratch, LIMIT_REQUEST_ARENA_BYTES);
    struct ctx cx = call->cx;
    cx.arena = &scratch;
    cx.now_us = clock_now_us();
    void *request = NULL;
    status result = read_request(call, &cx, bytes, &request);
    if (result == STATUS_OK)
        result = call->method->handle(call, &cx, request, NULL);
    if (result != STATUS_OK)
        rpc_call_fail(call, &cx, result);
    arena_fini(&scratch);
}

static void on_half_closed(struct wire_call *wire)
{
    struct rpc_call *call = wire->state;
    if (call->method && call->method->half_closed)
        call->method->half_closed(call);
}

static void on_cancelled(struct wire_call *wire)
{
    struct rpc_call *call = wire->state;
    atomic_store(&call->gone, true);
    if (call->method && call->method->cancelled)
        call->method->cancelled(call);
    if (call->on_pool && pool_remove(call->server->pools[call->method->pool], &call->job)) {
        rpc_call_fail(call, &call->cx, ctx_fail(&call->cx, &rpc_reasons[RPC_CANCELLED], "before it began"));
        wire_release(wire);
    }
    if (call->method && call->method->kind == WIRE_BIDI)
        rpc_call_fail(call, &call->cx, ctx_fail(&call->cx, &rpc_reasons[RPC_CANCELLED], NULL));
}

static void on_ended(struct wire_call *wire)
{
    struct rpc_call *call = wire->state;
    if (call->method && call->method->ended)
        call->method->ended(call);
    wire_bytes_fini(&call->reply_bytes);
    pthread_mutex_destroy(&call->lock);
    pthread_cond_destroy(&call->room);
}

const struct wire_events rpc_dispatch_events = {
    .started = on_started,
    .message = on_message,
    .half_closed = on_half_closed,
    .cancelled = on_cancelled,
    .ended = on_ended,
};
