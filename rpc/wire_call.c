/*
 * The life of one call on its worker.
 *
 *   armed -> begun -> (message in, message out)* -> final batch -> freed
 *
 * `pending` counts operations core still owes us; the call is freed when the final batch is done, nothing is pending
 * and nobody holds it. A unary call costs two events: its arrival, with the request already read, and one batch with
 * everything we say.
 */
#include "base/clock.h"
#include "base/invariant.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/vec.h"
#include "wire_server.h"

enum { SPARE_CALLS_MAX = 256, ARENA_KEEP_BYTES = 128 * 1024 };

struct call {
    struct wire_call head; /* first: the application's view */
    struct worker *worker;
    size_t index;
    enum wire_kind kind;
    grpc_call *core;
    grpc_call_details details; /* unknown methods only */
    grpc_metadata_array metadata;
    gpr_timespec deadline;
    grpc_byte_buffer *payload; /* request of a unary or server-stream call, until the end */
    grpc_slice payload_copy;
    grpc_byte_buffer *incoming; /* message being received */
    grpc_byte_buffer *outgoing; /* being sent */
    VEC(struct wire_bytes) out; /* waiting to be sent, from out_first on */
    size_t out_first;
    size_t window[WIRE_BIDI_WINDOW]; /* sizes of messages taken and not answered, a ring */
    unsigned window_first, window_count;
    size_t window_bytes;
    struct op new_op, recv_op, send_op, close_op, final_op, post_op;
    unsigned pending, holds;
    int was_cancelled; /* core's int */
    bool metadata_sent, writing, reading, half_closed, closing, finishing, final_started, final_done, in_events, paused;
    grpc_status_code code;
    grpc_slice message, status_details;
    grpc_metadata trailer;
    pthread_mutex_t post_lock;
    struct wire_post *posts, **posts_end;
    struct call *next_spare;
};

static struct call *from_head(struct wire_call *head)
{
    return (struct call *)(void *)head;
}

static void start(struct call *call, const grpc_op *ops, size_t count, struct op *tag)
{
    call->pending++;
    wire_tag_out(tag);
    grpc_call_error error = grpc_call_start_batch(call->core, ops, count, tag, NULL);
    if (error != GRPC_CALL_OK)
        mem_panic("rpc", grpc_call_error_to_string(error)); /* a bug of the state machine, never of a peer */
}

static void reset(struct call *call)
{
    if (call->head.arena.used > ARENA_KEEP_BYTES)
        arena_fini(&call->head.arena);
    else
        arena_reset(&call->head.arena);
    call->head = (struct wire_call){.arena = call->head.arena, .app = call->head.app};
    call->core = NULL;
    call->payload = call->incoming = call->outgoing = NULL;
    call->payload_copy = call->message = call->status_details = grpc_empty_slice();
    call->out.count = call->out_first = 0;
    call->window_first = call->window_count = 0;
    call->window_bytes = 0;
    call->pending = call->holds = 0;
    call->was_cancelled = 0;
    call->metadata_sent = call->writing = call->reading = call->half_closed = call->closing = false;
    call->finishing = call->final_started = call->final_done = call->in_events = call->paused = false;
    call->code = GRPC_STATUS_OK;
    call->posts = NULL;
    call->posts_end = &call->posts;
}

static void free_call(struct call *call)
{
    arena_fini(&call->head.arena);
    VEC_FINI(&call->out);
    pthread_mutex_destroy(&call->post_lock);
    mem_free(call);
}

void wire_call_free_spares(struct worker *worker)
{
    while (worker->spare) {
        struct call *next = worker->spare->next_spare;
        free_call(worker->spare);
        worker->spare = next;
    }
    worker->spare_count = 0;
}

static void give_back(struct call *call)
{
    struct worker *worker = call->worker;
    if (worker->spare_count >= SPARE_CALLS_MAX) {
        free_call(call);
        return;
    }
    reset(call);
    call->next_spare = worker->spare;
    worker->spare = call;
    worker->spare_count++;
}

static void drop_outgoing(struct call *call)
{
    for (size_t i = call->out_first; i < call->out.count; i++)
        wire_bytes_fini(&call->out.at[i]);
    call->out.count = call->out_first = 0;
}

static void end_if_over(struct call *call)
{
    if (!call->final_done || call->pending > 0 || call->holds > 0 || call->in_events)
        return;
    struct worker *worker = call->worker;
    if (worker->server->options.events.ended)
        worker->server->options.events.ended(&call->head);
    drop_outgoing(call);
    if (call->payload)
        grpc_byte_buffer_destroy(call->payload);
    if (call->incoming)
        grpc_byte_buffer_destroy(call->incoming);
    if (call->outgoing)
        grpc_byte_buffer_destroy(call->outgoing);
    grpc_slice_unref(call->payload_copy);
    grpc_slice_unref(call->message);
    grpc_slice_unref(call->status_details);
    grpc_metadata_array_destroy(&call->metadata);
    if (call->index == worker->server->options.method_count)
        grpc_call_details_destroy(&call->details);
    grpc_call_unref(call->core);
    atomic_fetch_sub_explicit(&worker->live, 1, memory_order_relaxed);
    give_back(call);
}

/* ---- out ---- */

static size_t add_metadata(struct call *call, grpc_op *ops, size_t at)
{
    if (call->metadata_sent)
        return at;
    call->metadata_sent = true;
    ops[at] = (grpc_op){.op = GRPC_OP_SEND_INITIAL_METADATA};
    return at + 1;
}

static size_t add_message(struct call *call, grpc_op *ops, size_t at)
{
    grpc_slice slice = wire_bytes_slice(&call->out.at[call->out_first++]);
    call->outgoing = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    ops[at] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->outgoing};
    return at + 1;
}

static void send_final(struct call *call)
{
    grpc_op ops[4] = {0};
    size_t count = add_metadata(call, ops, 0);
    if (call->out_first < call->out.count)
        count = add_message(call, ops, count);
    ops[count] = (grpc_op){.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    ops[count].data.send_status_from_server.status = call->code;
    if (call->code != GRPC_STATUS_OK) {
        ops[count].data.send_status_from_server.status_details = &call->message;
        if (GRPC_SLICE_LENGTH(call->status_details) > 0) {
            call->trailer = (grpc_metadata){.key = grpc_slice_from_static_string("grpc-status-details-bin"),
                                            .value = call->status_details};
            ops[count].data.send_status_from_server.trailing_metadata = &call->trailer;
            ops[count].data.send_status_from_server.trailing_metadata_count = 1;
        }
    }
    count++;
    if (!call->closing) { /* every server call must ask for its end once */
        call->closing = true;
        ops[count] = (grpc_op){.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
        ops[count++].data.recv_close_on_server.cancelled = &call->was_cancelled;
    }
    call->final_started = true;
    start(call, ops, count, &call->final_op);
}

/* Start the next thing to be said, if core has taken the last one. */
static void pump(struct call *call)
{
    if (call->writing || call->final_started)
        return;
    size_t waiting = call->out.count - call->out_first;
    if (call->finishing && waiting <= 1) {
        send_final(call);
        return;
    }
    if (waiting == 0 || call->kind == WIRE_UNARY) /* a unary reply leaves together with its status */
        return;
    grpc_op ops[2] = {0};
    size_t count = add_metadata(call, ops, 0);
    count = add_message(call, ops, count);
    call->writing = true;
    start(call, ops, count, &call->send_op);
}

void wire_send(struct wire_call *head, struct wire_bytes *bytes)
{
    struct call *call = from_head(head);
    if (call->finishing || head->cancelled) {
        wire_bytes_fini(bytes);
        return;
    }
    if (call->out_first == call->out.count)
        call->out.count = call->out_first = 0;
    *VEC_ADD(&call->out) = *bytes;
    *bytes = (struct wire_bytes){0};
    pump(call);
}

void wire_finish(struct wire_call *head, status code, struct str message, struct str details)
{
    struct call *call = from_head(head);
    if (call->finishing)
        return;
    call->finishing = true;
    call->code = (grpc_status_code)code;
    if (code != STATUS_OK) {
        call->message = grpc_slice_from_copied_buffer(message.data ? message.data : "", message.len);
        call->status_details = grpc_slice_from_copied_buffer(details.data ? details.data : "", details.len);
        if (call->kind == WIRE_UNARY)
            drop_outgoing(call);
    }
    pump(call);
}

void wire_hold(struct wire_call *head)
{
    from_head(head)->holds++;
}

void wire_release(struct wire_call *head)
{
    struct call *call = from_head(head);
    INVARIANT(call->holds > 0);
    call->holds--;
    end_if_over(call);
}

/* ---- in ---- */

static void read_next(struct call *call)
{
    bool room = call->window_count < WIRE_BIDI_WINDOW && call->window_bytes < WIRE_BIDI_WINDOW_BYTES;
    if (call->reading || call->paused || call->half_closed || call->finishing || call->head.cancelled || !room)
        return; /* not reading is back-pressure: HTTP/2 flow control stops the client */
    call->reading = true;
    start(call, &(grpc_op){.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->incoming}, 1,
          &call->recv_op);
}

void wire_pause(struct wire_call *head)
{
    from_head(head)->paused = true;
}

void wire_resume(struct wire_call *head)
{
    struct call *call = from_head(head);
    call->paused = false;
    read_next(call);
}

static void on_received(struct op *op, bool ok)
{
    struct call *call = op->call;
    const struct wire_events *events = &call->worker->server->options.events;
    call->pending--;
    call->reading = false;
    call->in_events = true;
    if (!ok || call->incoming == NULL) {
        call->half_closed = true;
        if (!call->finishing && !call->head.cancelled)
            events->half_closed(&call->head);
    } else {
        struct str bytes;
        grpc_slice copy;
        bool good = wire_buffer_bytes(call->incoming, &bytes, &copy);
        call->window[(call->window_first + call->window_count++) % WIRE_BIDI_WINDOW] = bytes.len;
        call->window_bytes += bytes.len;
        if (!call->finishing && !call->head.cancelled) {
            if (good)
                events->message(&call->head, bytes);
            else
                wire_finish(&call->head, STATUS_INVALID_ARGUMENT, STR("not a readable message"), STR_NONE);
        }
        grpc_slice_unref(copy);
        grpc_byte_buffer_destroy(call->incoming);
        call->incoming = NULL;
        read_next(call);
    }
    call->in_events = false;
    end_if_over(call);
}

static void on_sent(struct op *op, bool ok)
{
    struct call *call = op->call;
    call->pending--;
    call->writing = false;
    grpc_byte_buffer_destroy(call->outgoing);
    call->outgoing = NULL;
    if (!ok)
        drop_outgoing(call);      /* the client is gone; the close operation tells the application */
    if (call->window_count > 0) { /* one answer per message */
        call->window_bytes -= call->window[call->window_first];
        call->window_first = (call->window_first + 1) % WIRE_BIDI_WINDOW;
        call->window_count--;
    }
    pump(call);
    if (call->kind == WIRE_BIDI)
        read_next(call);
    end_if_over(call);
}

static void on_final(struct op *op, bool ok)
{
    (void)ok; /* false: the client was gone before it heard; nothing is left to do either way */
    struct call *call = op->call;
    call->pending--;
    call->final_done = true;
    end_if_over(call);
}

static void on_closed(struct op *op, bool ok)
{
    (void)ok;
    struct call *call = op->call;
    call->pending--;
    if (call->was_cancelled && !call->final_started) {
        call->head.cancelled = true;
        call->in_events = true;
        call->worker->server->options.events.cancelled(&call->head);
        call->in_events = false;
    }
    end_if_over(call);
}

static int64_t deadline_us(gpr_timespec deadline)
{
    if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0)
        return 0;
    gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
    int64_t at = clock_mono_us() + left.tv_sec * 1000000 + left.tv_nsec / 1000;
    return at > 0 ? at : 1;
}

static void on_new(struct op *op, bool ok)
{
    struct call *call = op->call;
    struct worker *worker = call->worker;
    struct wire_server *server = worker->server;
    if (!ok) { /* shutting down: arming again would spin */
        grpc_metadata_array_destroy(&call->metadata);
        if (call->index == server->options.method_count)
            grpc_call_details_destroy(&call->details);
        free_call(call);
        return;
    }
    wire_call_arm(worker, call->index);
    uint64_t live = atomic_fetch_add_explicit(&worker->live, 1, memory_order_relaxed);
    call->head.row = call->index < server->options.method_count ? server->methods[call->index].row : NULL;
    call->head.over_limit = live >= server->options.calls_max;
    call->head.started_us = clock_mono_us();
    call->head.deadline_us = deadline_us(call->deadline);

    struct str request = STR("");
    if (call->payload)
        call->head.has_request = wire_buffer_bytes(call->payload, &request, &call->payload_copy);
    call->in_events = true;
    server->options.events.started(&call->head, request);
    call->in_events = false;
    if (!call->final_started) { /* it takes time: learn of the client's going away meanwhile */
        if (!call->closing) {
            call->closing = true;
            grpc_op close_op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
            close_op.data.recv_close_on_server.cancelled = &call->was_cancelled;
            start(call, &close_op, 1, &call->close_op);
        }
        if (call->kind == WIRE_BIDI)
            read_next(call);
    }
    end_if_over(call);
}

/* ---- from other threads ---- */

static void on_posted(struct op *op, bool ok)
{
    (void)ok;
    struct call *call = op->call;
    pthread_mutex_lock(&call->post_lock);
    struct wire_post *post = call->posts;
    call->posts = NULL;
    call->posts_end = &call->posts;
    pthread_mutex_unlock(&call->post_lock);
    call->in_events = true; /* a post that releases the last hold must not free what the next post still needs */
    while (post) {
        struct wire_post *next = post->next;
        post->fn(&call->head, post);
        post = next;
    }
    call->in_events = false;
    end_if_over(call);
}

void wire_post(struct wire_call *head, struct wire_post *post)
{
    struct call *call = from_head(head);
    struct wire_server *server = call->worker->server;
    grpc_call *core = call->core;
    post->next = NULL;
    atomic_fetch_add(&server->posting, 1);
    grpc_call_ref(core); /* the worker may end the call while this thread is still inside start_batch */
    pthread_mutex_lock(&call->post_lock);
    bool first = call->posts == NULL;
    *call->posts_end = post;
    call->posts_end = &post->next;
    pthread_mutex_unlock(&call->post_lock);
    if (first) {
        wire_tag_out(&call->post_op);
        /* An empty batch completes at once and is the one that any thread may start. */
        grpc_call_error error = grpc_call_start_batch(core, NULL, 0, &call->post_op, NULL);
        if (error != GRPC_CALL_OK)
            mem_panic("rpc", grpc_call_error_to_string(error));
    }
    grpc_call_unref(core);
    atomic_fetch_sub(&server->posting, 1);
}

/* ---- arming ---- */

static struct call *new_call(struct worker *worker)
{
    struct call *call = worker->spare;
    if (call) {
        worker->spare = call->next_spare;
        worker->spare_count--;
        return call;
    }
    call = mem_alloc(sizeof *call);
    call->worker = worker;
    arena_init(&call->head.arena, LIMIT_REQUEST_ARENA_BYTES);
    pthread_mutex_init(&call->post_lock, NULL);
    call->new_op = (struct op){on_new, call};
    call->recv_op = (struct op){on_received, call};
    call->send_op = (struct op){on_sent, call};
    call->close_op = (struct op){on_closed, call};
    call->final_op = (struct op){on_final, call};
    call->post_op = (struct op){on_posted, call};
    reset(call);
    return call;
}

void wire_call_arm(struct worker *worker, size_t index)
{
    struct wire_server *server = worker->server;
    struct call *call = new_call(worker);
    call->index = index;
    call->head.app = server->options.app;
    grpc_metadata_array_init(&call->metadata);
    grpc_call_error error;
    wire_tag_out(&call->new_op);
    if (index == server->options.method_count) {
        call->kind = WIRE_UNARY;
        grpc_call_details_init(&call->details);
        error = grpc_server_request_call(server->server, &call->core, &call->details, &call->metadata, worker->cq,
                                         worker->cq, &call->new_op);
    } else {
        call->kind = server->methods[index].kind;
        error = grpc_server_request_registered_call(
            server->server, server->registered[index], &call->core, &call->deadline, &call->metadata,
            call->kind == WIRE_BIDI ? NULL : &call->payload, worker->cq, worker->cq, &call->new_op);
    }
    if (error != GRPC_CALL_OK)
        mem_panic("rpc", grpc_call_error_to_string(error));
}

/* ---- who asks ---- */

static const char *const name_properties[] = {"peer_uri", "peer_dns", GRPC_X509_CN_PROPERTY_NAME};

/* Into `names` when it is not NULL; answers how many there are. A certificate's length bounds them. */
static size_t read_names(grpc_auth_context *auth, struct arena *arena, struct str *names)
{
    size_t count = 0;
    for (size_t i = 0; i < sizeof name_properties / sizeof name_properties[0]; i++) {
        grpc_auth_property_iterator at = grpc_auth_context_find_properties_by_name(auth, name_properties[i]);
        const grpc_auth_property *property;
        while ((property = grpc_auth_property_iterator_next(&at)) != NULL) {
            if (property->value_length == 0)
                continue;
            if (names)
                names[count] = arena_str(arena, str_make(property->value, property->value_length));
            count++;
        }
    }
    return count;
}

size_t wire_peer_names(struct wire_call *head, struct str **out_names, bool *out_plain)
{
    struct call *call = from_head(head);
    grpc_auth_context *auth = grpc_call_auth_context(call->core);
    bool plain = auth == NULL || !grpc_auth_context_peer_is_authenticated(auth);
    size_t count = plain ? 0 : read_names(auth, &head->arena, NULL);
    struct str *names = arena_array(&head->arena, count, sizeof *names);
    if (count)
        read_names(auth, &head->arena, names);
    grpc_auth_context_release(auth);
    *out_names = names;
    *out_plain = plain;
    return count;
}

struct str wire_peer_address(struct wire_call *head)
{
    char *peer = grpc_call_get_peer(from_head(head)->core);
    struct str copy = arena_str(&head->arena, str_from(peer));
    gpr_free(peer);
    return copy;
}
