#include "engine/send.h"

#include "base/clock.h"
#include "base/crypto/stream.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/net.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"
#include "send_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

enum { READ_BYTES = 64 * 1024, ENDPOINTS_MAX = 8 };

static const int64_t TIMEOUT_US = 30ll * 1000 * 1000;

struct send_client {
    struct crypto_stream stream;
    struct mllp_reader reader;
    int64_t timeout_us;
    char scratch[READ_BYTES];
};

static status fail(struct ctx *cx, const char *what, const char *why)
{
    return ctx_fail(cx, &net_reason, "%s: %s", what, why);
}

/* Waits for the socket; false when the time is over. */
static bool wait_for(int fd, short events, int64_t until_us)
{
    for (;;) {
        int64_t left_us = until_us - clock_mono_us();
        if (left_us <= 0)
            return false;
        struct pollfd ready = {.fd = fd, .events = events};
        int got = poll(&ready, 1, (int)((left_us + 999) / 1000));
        if (got > 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
    }
}

static status connect_one(struct ctx *cx, const struct net_endpoint *endpoint, const char *to, int64_t until_us,
                          int *out_fd)
{
    int fd = net_connect_begin(endpoint);
    if (fd < 0)
        return fail(cx, to, strerror(errno));
    int error = wait_for(fd, POLLOUT, until_us) ? net_connect_result(fd) : ETIMEDOUT;
    if (error) {
        struct crypto_stream closing = {.fd = fd};
        crypto_stream_fini(&closing);
        return fail(cx, to, strerror(error));
    }
    *out_fd = fd;
    return STATUS_OK;
}

static status shake_hands(struct ctx *cx, struct crypto_stream *stream, const char *to, int64_t until_us)
{
    while (!crypto_stream_is_open(stream)) {
        char scratch[4096];
        struct str none;
        bool full;
        if (!crypto_stream_flush(stream))
            return fail(cx, to, stream->why);
        if (!wait_for(stream->fd, POLLIN, until_us))
            return fail(cx, to, "TLS handshake timed out");
        enum crypto_stream_event event = crypto_stream_read(stream, scratch, sizeof scratch, &none, &full);
        if (event == CRYPTO_STREAM_END || event == CRYPTO_STREAM_FAILED) {
            (void)crypto_stream_flush(stream); /* the alert says why to the other side */
            return fail(cx, to, stream->why ? stream->why : "closed during the TLS handshake");
        }
    }
    return crypto_stream_flush(stream) ? STATUS_OK : fail(cx, to, stream->why);
}

status send_connect(struct ctx *cx, const struct send_options *options, struct crypto_stream *out_stream)
{
    struct net_address address;
    if (!net_address_read(str_from(options->connect), &address))
        return fail(cx, options->connect, "not an address");
    struct net_endpoint endpoints[ENDPOINTS_MAX];
    size_t count = 0;
    TRY(net_resolve(cx, &address, endpoints, ENDPOINTS_MAX, &count));
    int64_t until_us = clock_mono_us() + (options->timeout_us ? options->timeout_us : TIMEOUT_US);
    int fd = -1;
    status connected = fail(cx, options->connect, "no address");
    for (size_t i = 0; i < count && connected != STATUS_OK; i++)
        connected = connect_one(cx, &endpoints[i], options->connect, until_us, &fd);
    TRY(connected);
    ctx_clear(cx);
    struct crypto_stream stream;
    crypto_stream_init(&stream, fd, options->tls, options->server_name ? options->server_name : address.host);
    status shaken = shake_hands(cx, &stream, options->connect, until_us);
    if (shaken != STATUS_OK) {
        crypto_stream_fini(&stream);
        return shaken;
    }
    *out_stream = stream;
    return STATUS_OK;
}

status send_open(struct ctx *cx, const struct send_options *options, struct send_client **out_client)
{
    struct send_client *client = mem_alloc(sizeof *client);
    status connected = send_connect(cx, options, &client->stream);
    if (connected != STATUS_OK) {
        mem_free(client);
        return connected;
    }
    client->timeout_us = options->timeout_us ? options->timeout_us : TIMEOUT_US;
    mllp_reader_init(&client->reader, (struct mllp_options){0});
    *out_client = client;
    return STATUS_OK;
}

void send_close(struct send_client *client)
{
    if (client == NULL)
        return;
    crypto_stream_goodbye(&client->stream);
    (void)crypto_stream_flush(&client->stream); /* best effort */
    crypto_stream_fini(&client->stream);
    mllp_reader_fini(&client->reader);
    mem_free(client);
}

/* The next frame, or why there is none. */
static status next_frame(struct send_client *client, struct ctx *cx, int64_t until_us, struct str *out_frame)
{
    for (;;) {
        enum mllp_event event = mllp_next(&client->reader, out_frame);
        if (event == MLLP_FRAME)
            return STATUS_OK;
        if (event != MLLP_MORE)
            continue;
        if (!crypto_stream_flush(&client->stream))
            return fail(cx, "sending", client->stream.why);
        bool sending = crypto_stream_is_sending(&client->stream);
        if (!wait_for(client->stream.fd, (short)(POLLIN | (sending ? POLLOUT : 0)), until_us))
            return fail(cx, "waiting for the answer", "timed out");
        struct str bytes;
        bool full;
        enum crypto_stream_event read =
            crypto_stream_read(&client->stream, client->scratch, sizeof client->scratch, &bytes, &full);
        if (read == CRYPTO_STREAM_DATA)
            mllp_feed(&client->reader, bytes);
        else if (read != CRYPTO_STREAM_WAIT)
            return fail(cx, "waiting for the answer", client->stream.why ? client->stream.why : "connection closed");
    }
}

static size_t answers_wanted(const struct hl7_ack_mode *mode)
{
    bool accept = mode->enhanced && (mode->accept == HL7_ACK_ALWAYS || mode->accept == HL7_ACK_ON_SUCCESS);
    bool application = mode->application == HL7_ACK_ALWAYS || mode->application == HL7_ACK_ON_SUCCESS;
    return (size_t)accept + (size_t)application;
}

status send_message(struct send_client *client, struct ctx *cx, struct str message,
                    struct send_answer out_answers[SEND_ANSWERS_MAX], size_t *out_count)
{
    *out_count = 0;
    struct hl7_header header;
    hl7_header_read(message, &header);
    struct hl7_ack_mode mode = hl7_ack_mode(&header);
    size_t wanted = header.found ? answers_wanted(&mode) : 1;

    struct buf framed = {0};
    mllp_frame(&framed, message);
    crypto_stream_put(&client->stream, buf_str(&framed));
    buf_fini(&framed);
    int64_t begin_us = clock_mono_us();
    if (!crypto_stream_flush(&client->stream))
        return fail(cx, "sending", client->stream.why);
    while (crypto_stream_is_sending(&client->stream) && wanted == 0) {
        if (!wait_for(client->stream.fd, POLLOUT, begin_us + client->timeout_us) ||
            !crypto_stream_flush(&client->stream))
            return fail(cx, "sending", "timed out");
    }
    while (*out_count < wanted) {
        struct str frame;
        TRY(next_frame(client, cx, begin_us + client->timeout_us, &frame));
        struct hl7_reply reply;
        TRY(hl7_ack_read(cx, frame, &reply));
        if (header.control_id.len > 0 && reply.control_id.len > 0 &&
            !hl7_control_id_eq(header.control_id, reply.control_id))
            continue;
        struct send_answer *answer = &out_answers[(*out_count)++];
        *answer = (struct send_answer){.ack = arena_str(cx->arena, frame), .took_us = clock_mono_us() - begin_us};
        snprintf(answer->code, sizeof answer->code, "%s", hl7_ack_code_text(reply.code));
        if (reply.code == HL7_CE || reply.code == HL7_CR ||
            (wanted == 2 && reply.code >= HL7_AA && reply.code <= HL7_AR))
            break; /* nothing more will come */
    }
    return STATUS_OK;
}
