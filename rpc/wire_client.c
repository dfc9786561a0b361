/*
 * The client's side of the wire: one channel, one queue to wait on, one thing at a time per thread; and a load
 * generator that keeps many calls in flight.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "wire_grpc.h"

enum { CLIENT_REPLY_BYTES_MAX = 72 * 1024 * 1024 };

struct wire_channel {
    grpc_channel *core;
    grpc_completion_queue *cq; /* of the plucking kind */
};

static grpc_arg int_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static char *nul_ended(struct str text)
{
    char *copy = mem_alloc(text.len + 1);
    if (text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}

static grpc_channel_credentials *credentials(const struct wire_channel_options *options)
{
    if (options->plain)
        return grpc_insecure_credentials_create();
    char *ca = nul_ended(options->ca), *cert = nul_ended(options->cert), *key = nul_ended(options->key);
    grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = cert};
    grpc_channel_credentials *creds =
        grpc_ssl_credentials_create(options->ca.len ? ca : NULL, options->cert.len ? &pair : NULL, NULL, NULL);
    explicit_bzero(key, options->key.len);
    mem_free(ca);
    mem_free(cert);
    mem_free(key);
    return creds;
}

struct wire_channel *wire_channel_open(const struct wire_channel_options *options)
{
    wire_library_init();
    struct wire_channel *channel = mem_alloc(sizeof *channel);
    channel->cq = grpc_completion_queue_create_for_pluck(NULL);
    grpc_arg args[] = {
        int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, CLIENT_REPLY_BYTES_MAX),
        int_arg(GRPC_ARG_ENABLE_RETRIES, 0), /* a Submit that is in doubt must not be sent again behind our back */
        int_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200),
        int_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000),
        int_arg("grpc.use_local_subchannel_pool", 1), /* clients with other certificates must not share connections */
        {.type = GRPC_ARG_STRING,
         .key = (char *)(uintptr_t)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
         .value.string = (char *)(uintptr_t)options->server_name},
    };
    bool named = options->server_name && !options->plain;
    grpc_channel_args all = {.num_args = sizeof args / sizeof args[0] - (named ? 0 : 1), .args = args};
    grpc_channel_credentials *creds = credentials(options);
    channel->core = creds ? grpc_channel_create(options->address, creds, &all) : NULL;
    grpc_channel_credentials_release(creds);
    if (channel->core == NULL)
        channel->core = grpc_lame_client_channel_create(options->address, GRPC_STATUS_UNAVAILABLE,
                                                        "certificate, key or CA cannot be used");
    return channel;
}

void wire_channel_close(struct wire_channel *channel)
{
    if (channel == NULL)
        return;
    grpc_channel_destroy(channel->core);
    grpc_completion_queue_shutdown(channel->cq);
    while (grpc_completion_queue_pluck(channel->cq, NULL, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
           GRPC_QUEUE_SHUTDOWN)
        continue;
    grpc_completion_queue_destroy(channel->cq);
    mem_free(channel);
    wire_library_fini();
}

static gpr_timespec deadline_after(int64_t timeout_us)
{
    if (timeout_us <= 0)
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(timeout_us, GPR_TIMESPAN));
}

static grpc_call *new_call(struct wire_channel *channel, grpc_completion_queue *cq, const char *path,
                           int64_t timeout_us)
{
    grpc_slice method = grpc_slice_from_copied_string(path);
    grpc_call *call = grpc_channel_create_call(channel->core, NULL, GRPC_PROPAGATE_DEFAULTS, cq, method, NULL,
                                               deadline_after(timeout_us), NULL);
    grpc_slice_unref(method);
    return call;
}

static void start(grpc_call *call, const grpc_op *ops, size_t count, void *tag)
{
    wire_tag_out(tag);
    grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);
    if (error != GRPC_CALL_OK)
        mem_panic("rpc client", grpc_call_error_to_string(error));
}

/* What comes back at the end of a call. */
struct ending {
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice message;
};

static void ending_init(struct ending *ending)
{
    *ending = (struct ending){.message = grpc_empty_slice()};
    grpc_metadata_array_init(&ending->initial);
    grpc_metadata_array_init(&ending->trailing);
}

static void ending_fini(struct ending *ending)
{
    grpc_metadata_array_destroy(&ending->initial);
    grpc_metadata_array_destroy(&ending->trailing);
    grpc_slice_unref(ending->message);
}

static grpc_op status_op(struct ending *ending)
{
    grpc_op op = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
    op.data.recv_status_on_client.trailing_metadata = &ending->trailing;
    op.data.recv_status_on_client.status = &ending->code;
    op.data.recv_status_on_client.status_details = &ending->message;
    return op;
}

static grpc_op initial_op(struct ending *ending)
{
    grpc_op op = {.op = GRPC_OP_RECV_INITIAL_METADATA};
    op.data.recv_initial_metadata.recv_initial_metadata = &ending->initial;
    return op;
}

static void ending_outcome(const struct ending *ending, struct arena *arena, struct wire_outcome *out_outcome)
{
    struct wire_outcome outcome = {.code = (status)ending->code};
    outcome.message = arena_str(arena, wire_slice_str(&ending->message));
    for (size_t i = 0; i < ending->trailing.count; i++) {
        const grpc_metadata *entry = &ending->trailing.metadata[i];
        if (grpc_slice_str_cmp(entry->key, "grpc-status-details-bin") == 0)
            outcome.details = arena_str(arena, wire_slice_str(&entry->value));
    }
    *out_outcome = outcome;
}

static struct str take_message(grpc_byte_buffer *buffer, struct arena *arena)
{
    struct str bytes, kept = STR_NONE;
    grpc_slice copy;
    if (wire_buffer_bytes(buffer, &bytes, &copy))
        kept = arena_str(arena, bytes);
    grpc_slice_unref(copy);
    grpc_byte_buffer_destroy(buffer);
    return kept;
}

static bool pluck(struct wire_channel *channel, void *tag)
{
    grpc_event event = grpc_completion_queue_pluck(channel->cq, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    wire_tag_in(tag);
    return event.type == GRPC_OP_COMPLETE && event.success;
}

static grpc_byte_buffer *buffer_of(struct wire_bytes *bytes)
{
    grpc_slice slice = wire_bytes_slice(bytes);
    grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create(&slice, 1);
    grpc_slice_unref(slice);
    return buffer;
}

void wire_channel_call(struct wire_channel *channel, const char *path, struct wire_bytes *bytes, int64_t timeout_us,
                       struct arena *arena, struct str *out_reply, struct wire_outcome *out_outcome)
{
    grpc_call *call = new_call(channel, channel->cq, path, timeout_us);
    struct ending ending;
    ending_init(&ending);
    grpc_byte_buffer *request = buffer_of(bytes), *reply = NULL;
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        initial_op(&ending),
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &reply},
        status_op(&ending),
    };
    start(call, ops, sizeof ops / sizeof ops[0], &ending);
    pluck(channel, &ending);
    ending_outcome(&ending, arena, out_outcome);
    if (reply) {
        struct str got = take_message(reply, arena);
        if (out_outcome->code == STATUS_OK)
            *out_reply = got;
    }
    grpc_byte_buffer_destroy(request);
    ending_fini(&ending);
    grpc_call_unref(call);
}

/* ---- streams ---- */

struct wire_stream {
    struct wire_channel *channel;
    grpc_call *call;
    struct ending ending;
    grpc_byte_buffer *incoming;
    bool ended; /* the status has come */
    bool sent_all;
    char open_tag, send_tag, recv_tag;
};

struct wire_stream *wire_stream_open(struct wire_channel *channel, const char *path, int64_t timeout_us)
{
    struct wire_stream *stream = mem_alloc(sizeof *stream);
    stream->channel = channel;
    stream->call = new_call(channel, channel->cq, path, timeout_us);
    ending_init(&stream->ending);
    grpc_op last = status_op(&stream->ending);
    start(stream->call, &last, 1, &stream->ending);
    grpc_op open[] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, initial_op(&stream->ending)};
    start(stream->call, open, 1, &stream->open_tag);
    pluck(channel, &stream->open_tag);
    start(stream->call, open + 1, 1, &stream->open_tag); /* plucked at the end: the server may be silent at first */
    return stream;
}

bool wire_stream_send(struct wire_stream *stream, struct wire_bytes *bytes)
{
    if (stream->ended || stream->sent_all) {
        wire_bytes_fini(bytes);
        return false;
    }
    grpc_byte_buffer *buffer = buffer_of(bytes);
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = buffer};
    start(stream->call, &op, 1, &stream->send_tag);
    bool sent = pluck(stream->channel, &stream->send_tag);
    grpc_byte_buffer_destroy(buffer);
    return sent;
}

bool wire_stream_sent_all(struct wire_stream *stream)
{
    if (stream->ended || stream->sent_all)
        return !stream->ended;
    stream->sent_all = true;
    grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};
    start(stream->call, &op, 1, &stream->send_tag);
    return pluck(stream->channel, &stream->send_tag);
}

bool wire_stream_next(struct wire_stream *stream, struct arena *arena, struct str *out_reply)
{
    if (stream->ended)
        return false;
    stream->incoming = NULL;
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &stream->incoming};
    start(stream->call, &op, 1, &stream->recv_tag);
    pluck(stream->channel, &stream->recv_tag);
    if (stream->incoming == NULL)
        return false;
    *out_reply = take_message(stream->incoming, arena);
    return true;
}

void wire_stream_end(struct wire_stream *stream, struct arena *arena, struct wire_outcome *out_outcome)
{
    if (!stream->ended) {
        pluck(stream->channel, &stream->ending);
        pluck(stream->channel, &stream->open_tag);
        stream->ended = true;
    }
    ending_outcome(&stream->ending, arena, out_outcome);
}

void wire_stream_cancel(struct wire_stream *stream)
{
    grpc_call_cancel(stream->call, NULL);
}

void wire_stream_close(struct wire_stream *stream)
{
    if (stream == NULL)
        return;
    if (!stream->ended) {
        grpc_call_cancel(stream->call, NULL);
        pluck(stream->channel, &stream->ending);
        pluck(stream->channel, &stream->open_tag);
    }
    ending_fini(&stream->ending);
    grpc_call_unref(stream->call);
    mem_free(stream);
}

/* ---- load ---- */

struct load_call {
    grpc_call *call;
    struct ending ending;
    grpc_byte_buffer *request, *reply; /* core empties a request buffer as it sends: one per call */
    int64_t started_us;
};

static void load_start(struct wire_channel *channel, grpc_completion_queue *cq, grpc_slice *request,
                       const grpc_slice *method, struct load_call *slot)
{
    slot->call = grpc_channel_create_call(channel->core, NULL, GRPC_PROPAGATE_DEFAULTS, cq, *method, NULL,
                                          gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    ending_init(&slot->ending);
    slot->request = grpc_raw_byte_buffer_create(request, 1);
    slot->reply = NULL;
    slot->started_us = clock_mono_us();
    grpc_op ops[] = {
        {.op = GRPC_OP_SEND_INITIAL_METADATA},
        {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = slot->request},
        {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
        initial_op(&slot->ending),
        {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &slot->reply},
        status_op(&slot->ending),
    };
    start(slot->call, ops, sizeof ops / sizeof ops[0], slot);
}

void wire_channel_load(struct wire_channel *channel, struct wire_load *load)
{
    grpc_completion_queue *cq = grpc_completion_queue_create_for_next(NULL);
    grpc_slice bytes = grpc_slice_from_copied_buffer(load->request.data, load->request.len);
    grpc_slice method = grpc_slice_from_copied_string(load->path);
    struct load_call *slots = mem_array(load->in_flight, sizeof *slots);
    int64_t began_us = clock_mono_us(), until_us = began_us + load->run_us;
    unsigned running = load->in_flight;
    for (unsigned i = 0; i < load->in_flight; i++)
        load_start(channel, cq, &bytes, &method, &slots[i]);
    while (running > 0) {
        grpc_event event = grpc_completion_queue_next(cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        struct load_call *slot = event.tag;
        wire_tag_in(slot);
        int64_t now_us = clock_mono_us();
        load->calls++;
        if (slot->ending.code != GRPC_STATUS_OK || slot->reply == NULL || grpc_byte_buffer_length(slot->reply) == 0)
            load->failed++;
        if (load->latency_count < load->latencies_max)
            load->latencies[load->latency_count++] = (uint32_t)(now_us - slot->started_us);
        if (slot->reply)
            grpc_byte_buffer_destroy(slot->reply);
        grpc_byte_buffer_destroy(slot->request);
        ending_fini(&slot->ending);
        grpc_call_unref(slot->call);
        if (now_us < until_us)
            load_start(channel, cq, &bytes, &method, slot);
        else
            running--;
    }
    load->took_us = clock_mono_us() - began_us;
    mem_free(slots);
    grpc_slice_unref(method);
    grpc_slice_unref(bytes);
    grpc_completion_queue_shutdown(cq);
    while (grpc_completion_queue_next(cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type != GRPC_QUEUE_SHUTDOWN)
        continue;
    grpc_completion_queue_destroy(cq);
}
