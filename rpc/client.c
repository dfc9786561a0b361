#include "rpc/client.h"

#include "base/file.h"
#include "base/mem.h"
#include "message.h"
#include "rpc/reasons.h"

#include "google/rpc/status.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"

enum { PEM_BYTES_MAX = 1024 * 1024, TIMEOUT_DEFAULT_US = 10 * 1000 * 1000 };

struct rpc_client {
    struct wire_channel *channel;
    char *address;
    int64_t timeout_us;
};

struct rpc_stream {
    struct wire_stream *wire;
    struct rpc_client *client;
    const ProtobufCMessageDescriptor *reply_type;
};

/* ---- failures ---- */

/* The daemon's ErrorInfo.reason, or NULL. */
static const char *reason_name(struct ctx *cx, struct str details)
{
    ProtobufCAllocator *heap = NULL;
    const char *name = NULL;
    Google__Rpc__Status *answer = google__rpc__status__unpack(heap, details.len, (const uint8_t *)details.data);
    for (size_t i = 0; answer && i < answer->n_details && name == NULL; i++) {
        const Google__Protobuf__Any *any = answer->details[i];
        if (strcmp(any->type_url, "type.googleapis.com/google.rpc.ErrorInfo") != 0)
            continue;
        Google__Rpc__ErrorInfo *info = google__rpc__error_info__unpack(heap, any->value.len, any->value.data);
        if (info && info->reason[0])
            name = arena_str(cx->arena, str_from(info->reason)).data;
        if (info)
            google__rpc__error_info__free_unpacked(info, heap);
    }
    if (answer)
        google__rpc__status__free_unpacked(answer, heap);
    return name;
}

static bool contains(struct str text, const char *part)
{
    return text.len && memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* What is most likely wrong, and what to do about it. */
static status unreachable(struct ctx *cx, const char *address, struct str cause)
{
    const char *why = "is it running, and is this its address?";
    if (contains(cause, "refused"))
        why = "nothing listens there: start the daemon (idemd --config idemd.yaml), or give its address";
    else if (contains(cause, "cannot be used"))
        why = "the client's certificate, key or CA file cannot be used: do certificate and key belong together?";
    else if (contains(cause, "handshake") || contains(cause, "SSL"))
        why = "the TLS handshake failed: is the CA file the one that signed the daemon's certificate, does that name "
              "this "
              "host, and does the daemon speak TLS on this port?";
    else if (contains(cause, "DNS") || contains(cause, "resolution"))
        why = "the host name cannot be resolved";
    else if (contains(cause, "closed") || contains(cause, "reset"))
        why = "it closed the connection: does it want TLS, and does it accept this client certificate?";
    return ctx_fail(cx, &rpc_reasons[RPC_UNREACHABLE], "%s: %s", address, why);
}

static status fail(struct rpc_client *client, struct ctx *cx, const struct wire_outcome *outcome)
{
    const char *name = reason_name(cx, outcome->details);
    if (name) {
        struct reason *reason = arena_alloc(cx->arena, sizeof *reason);
        *reason = (struct reason){name, outcome->code, 207, arena_str(cx->arena, outcome->message).data};
        return ctx_fail(cx, reason, NULL);
    }
    if (outcome->code == STATUS_UNAVAILABLE)
        return unreachable(cx, client->address, outcome->message);
    if (outcome->code == STATUS_DEADLINE_EXCEEDED)
        return ctx_fail(cx, &rpc_reasons[RPC_DEADLINE], "%s", client->address);
    if (outcome->code == STATUS_CANCELLED)
        return ctx_fail(cx, &rpc_reasons[RPC_CANCELLED], NULL);
    struct reason *reason = arena_alloc(cx->arena, sizeof *reason);
    *reason = rpc_reasons[RPC_FAILED];
    reason->status = outcome->code;
    return ctx_fail(cx, reason, "%s, %.*s", status_text(outcome->code), STR_ARGS(outcome->message));
}

/* ---- connecting ---- */

static status read_pem(struct ctx *cx, const char *path, struct buf *out)
{
    return path ? file_read(cx, path, PEM_BYTES_MAX, out) : STATUS_OK;
}

static void buf_wipe(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->len);
    buf_fini(buf);
}

/* Any answer of the daemon's will do, a refusal too: it is there and takes our certificate. */
static status probe(struct rpc_client *client, struct ctx *cx)
{
    Grpc__Health__V1__HealthCheckRequest ask = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct wire_bytes bytes;
    TRY(message_pack(cx, &ask.base, &bytes));
    struct str reply;
    struct wire_outcome outcome;
    wire_channel_call(client->channel, "/grpc.health.v1.Health/Check", &bytes, client->timeout_us, cx->arena, &reply,
                      &outcome);
    if (outcome.code == STATUS_UNAVAILABLE || outcome.code == STATUS_DEADLINE_EXCEEDED)
        return reason_name(cx, outcome.details) ? fail(client, cx, &outcome)
                                                : unreachable(cx, client->address, outcome.message);
    return STATUS_OK;
}

status rpc_client_connect(struct ctx *cx, const struct rpc_client_options *options, struct rpc_client **out_client)
{
    SCOPED(buf_wipe) struct buf ca = {0};
    SCOPED(buf_wipe) struct buf cert = {0};
    SCOPED(buf_wipe) struct buf key = {0};
    if (!options->plain) {
        TRY(read_pem(cx, options->ca_file, &ca));
        TRY(read_pem(cx, options->cert_file, &cert));
        TRY(read_pem(cx, options->key_file, &key));
    }
    struct rpc_client *client = mem_alloc(sizeof *client);
    client->address = mem_copy(options->address, strlen(options->address) + 1);
    client->timeout_us = options->timeout_us ? options->timeout_us : TIMEOUT_DEFAULT_US;
    client->channel = wire_channel_open(&(struct wire_channel_options){
        .address = options->address,
        .server_name = options->server_name,
        .ca = buf_str(&ca),
        .cert = buf_str(&cert),
        .key = buf_str(&key),
        .plain = options->plain,
    });
    status reached = probe(client, cx);
    if (reached != STATUS_OK) {
        rpc_client_close(client);
        return reached;
    }
    *out_client = client;
    return STATUS_OK;
}

void rpc_client_close(struct rpc_client *client)
{
    if (client == NULL)
        return;
    wire_channel_close(client->channel);
    mem_free(client->address);
    mem_free(client);
}

/* ---- calls ---- */

static const char *path_of(struct ctx *cx, const char *method)
{
    return arena_printf(cx->arena, "/%s", method).data;
}

static status unpack_reply(struct ctx *cx, const ProtobufCMessageDescriptor *type, struct str bytes, void **out_reply)
{
    status unpacked = message_unpack(cx, type, bytes, SIZE_MAX, out_reply);
    if (unpacked == STATUS_OK)
        return STATUS_OK;
    struct str why = ctx_message(cx);
    return ctx_fail(cx, &rpc_reasons[RPC_BAD_REPLY], "%.*s", STR_ARGS(why));
}

status rpc_client_call(struct rpc_client *client, struct ctx *cx, const char *method,
                       const struct ProtobufCMessage *request, const struct ProtobufCMessageDescriptor *reply_type,
                       int64_t timeout_us, void **out_reply)
{
    struct wire_bytes bytes;
    TRY(message_pack(cx, request, &bytes));
    struct str reply = STR_NONE;
    struct wire_outcome outcome;
    wire_channel_call(client->channel, path_of(cx, method), &bytes, timeout_us ? timeout_us : client->timeout_us,
                      cx->arena, &reply, &outcome);
    if (outcome.code != STATUS_OK)
        return fail(client, cx, &outcome);
    return unpack_reply(cx, reply_type, reply, out_reply);
}

status rpc_stream_open(struct rpc_client *client, struct ctx *cx, const char *method,
                       const struct ProtobufCMessageDescriptor *reply_type, int64_t timeout_us,
                       struct rpc_stream **out_stream)
{
    struct rpc_stream *stream = mem_alloc(sizeof *stream);
    stream->client = client;
    stream->reply_type = reply_type;
    stream->wire = wire_stream_open(client->channel, path_of(cx, method), timeout_us);
    *out_stream = stream;
    return STATUS_OK;
}

/* The stream is over: its status, or rpc.cancelled when it ended well although we were not done. */
static status why_over(struct rpc_stream *stream, struct ctx *cx)
{
    struct wire_outcome outcome;
    wire_stream_end(stream->wire, cx->arena, &outcome);
    if (outcome.code == STATUS_OK)
        return ctx_fail(cx, &rpc_reasons[RPC_CANCELLED], "the daemon ended the stream");
    return fail(stream->client, cx, &outcome);
}

status rpc_stream_send(struct rpc_stream *stream, struct ctx *cx, const struct ProtobufCMessage *request)
{
    struct wire_bytes bytes;
    TRY(message_pack(cx, request, &bytes));
    return wire_stream_send(stream->wire, &bytes) ? STATUS_OK : why_over(stream, cx);
}

status rpc_stream_sent_all(struct rpc_stream *stream, struct ctx *cx)
{
    return wire_stream_sent_all(stream->wire) ? STATUS_OK : why_over(stream, cx);
}

status rpc_stream_next(struct rpc_stream *stream, struct ctx *cx, void **out_reply)
{
    struct str bytes;
    if (wire_stream_next(stream->wire, cx->arena, &bytes))
        return unpack_reply(cx, stream->reply_type, bytes, out_reply);
    struct wire_outcome outcome;
    wire_stream_end(stream->wire, cx->arena, &outcome);
    if (outcome.code != STATUS_OK)
        return fail(stream->client, cx, &outcome);
    *out_reply = NULL;
    return STATUS_OK;
}

void rpc_stream_cancel(struct rpc_stream *stream)
{
    wire_stream_cancel(stream->wire);
}

void rpc_stream_close(struct rpc_stream *stream)
{
    if (stream == NULL)
        return;
    wire_stream_close(stream->wire);
    mem_free(stream);
}
