/*
 * Messages over one MLLP connection: send, wait for the answer with the same control id, send the next.
 * Source: [MLLP R1]; [HL7 2.5.1 2.9.2] original mode, [2.9.3] enhanced mode: a commit (CA) ends the wait when no
 * application acknowledgement was asked for.
 */
#include "send_job.h"

#include "base/clock.h"
#include "base/crypto/stream.h"
#include "base/mem.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct reason mllp_unreachable = {"cli.mllp-unreachable", STATUS_UNAVAILABLE, 207,
                                               "the receiving system cannot be reached"};
static const struct reason mllp_broken = {"cli.mllp-broken", STATUS_UNAVAILABLE, 207, "the MLLP connection broke"};

static const struct reason mllp_refused = {"cli.mllp-refused", STATUS_UNAUTHENTICATED, 207,
                                           "the receiving system refuses our certificate"};

enum { SCRATCH_BYTES = 64 * 1024 };

struct mllp_line {
    struct crypto_tls *tls;
    struct crypto_stream stream;
    struct mllp_reader reader;
    int64_t timeout_us;
    char scratch[SCRATCH_BYTES];
};

/* "host:port" into its parts; brackets of "[::1]:2575" are dropped. */
static void split_address(struct ctx *cx, const char *to, const char **out_host, const char **out_port)
{
    const char *colon = strrchr(to, ':');
    struct str host = str_make(to, (size_t)(colon - to));
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = str_sub(host, 1, host.len - 2);
    *out_host = arena_str(cx->arena, host).data;
    *out_port = colon + 1;
}

static bool wait_for(int fd, short events, int64_t until_us)
{
    for (;;) {
        int64_t left = until_us - clock_mono_us();
        struct pollfd poller = {.fd = fd, .events = events};
        int got = left > 0 ? poll(&poller, 1, (int)(left / 1000 + 1)) : 0;
        if (got < 0 && errno == EINTR)
            continue;
        return got > 0;
    }
}

static int connect_one(const struct addrinfo *address, int64_t until_us)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int failure = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (failure == EINPROGRESS) {
        socklen_t len = sizeof failure;
        if (!wait_for(fd, POLLOUT, until_us))
            failure = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
            failure = errno;
    }
    if (failure == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        return fd;
    }
    close(fd);
    errno = failure;
    return -1;
}

static status connect_to(struct ctx *cx, const char *to, int64_t timeout_us, const char **out_host, int *out_fd)
{
    const char *port;
    split_address(cx, to, out_host, &port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int failed = getaddrinfo(*out_host, port, &hints, &found);
    if (failed)
        return ctx_fail(cx, &mllp_unreachable, "%s: %s", to, gai_strerror(failed));
    int fd = -1;
    for (const struct addrinfo *one = found; one && fd < 0; one = one->ai_next)
        fd = connect_one(one, clock_mono_us() + timeout_us);
    int failure = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return ctx_fail(cx, &mllp_unreachable, "%s: %s", to, strerror(failure));
    *out_fd = fd;
    return STATUS_OK;
}

static status broken(struct ctx *cx, const struct mllp_line *line, const char *what)
{
    if (line->stream.tls && crypto_tls_refused(line->stream.tls))
        return ctx_fail(cx, &mllp_refused, NULL);
    return ctx_fail(cx, &mllp_broken, "%s%s%s", what, line->stream.why ? ": " : "",
                    line->stream.why ? line->stream.why : "");
}

/* Everything that waits goes out. */
static status flush_all(struct ctx *cx, struct mllp_line *line, int64_t until_us)
{
    for (;;) {
        if (!crypto_stream_flush(&line->stream))
            return broken(cx, line, "sending");
        if (!crypto_stream_is_sending(&line->stream))
            return STATUS_OK;
        if (!wait_for(line->stream.fd, POLLOUT, until_us))
            return broken(cx, line, "the other side takes nothing");
    }
}

/* One read; *out_bytes may stay empty. */
static status read_some(struct ctx *cx, struct mllp_line *line, int64_t until_us, struct str *out_bytes)
{
    bool full, was_open = crypto_stream_is_open(&line->stream);
    *out_bytes = STR_NONE;
    switch (crypto_stream_read(&line->stream, line->scratch, sizeof line->scratch, out_bytes, &full)) {
    case CRYPTO_STREAM_DATA:
        return STATUS_OK;
    case CRYPTO_STREAM_WAIT:
        TRY(flush_all(cx, line, until_us));
        if (!was_open && crypto_stream_is_open(&line->stream))
            return STATUS_OK; /* the last word of a handshake was ours: nothing need come before we speak */
        return wait_for(line->stream.fd, POLLIN, until_us) ? STATUS_OK : broken(cx, line, "no answer in time");
    case CRYPTO_STREAM_END:
        return broken(cx, line, "the other side closed");
    case CRYPTO_STREAM_FAILED:
        crypto_stream_flush(&line->stream); /* the alert, if there is one: it tells the other side why */
        return broken(cx, line, "receiving");
    }
    return STATUS_OK;
}

static status open_line(struct ctx *cx, const struct send_job *job, struct mllp_line *line)
{
    const char *host;
    int fd = -1;
    int64_t until_us = clock_mono_us() + line->timeout_us;
    if (job->tls) {
        struct crypto_tls_options options = {
            .ca_path = job->target.ca, .cert_path = job->target.cert, .key_path = job->target.key};
        if (!options.ca_path || !options.cert_path || !options.key_path)
            return ctx_fail(cx, &mllp_unreachable, "mllps wants --ca, --cert and --key, or --home");
        TRY(crypto_tls_open(cx, &options, &line->tls));
    }
    TRY(connect_to(cx, job->to, line->timeout_us, &host, &fd));
    crypto_stream_init(&line->stream, fd, line->tls, line->tls ? host : NULL);
    TRY(flush_all(cx, line, until_us));
    while (!crypto_stream_is_open(&line->stream)) {
        struct str unused;
        TRY(read_some(cx, line, until_us, &unused));
    }
    return STATUS_OK;
}

/* Does this answer end the wait for the message? */
static bool take_answer(struct ctx *cx, struct send_item *item, const struct hl7_header *sent, struct str frame)
{
    struct hl7_reply reply;
    if (hl7_ack_read(cx, frame, &reply) != STATUS_OK || !hl7_control_id_eq(sent->control_id, reply.control_id))
        return false; /* somebody else's: not ours to judge */
    const char *code = hl7_ack_code_text(reply.code);
    struct hl7_ack_mode mode = hl7_ack_mode(sent);
    bool more_comes = reply.code == HL7_CA && mode.application == HL7_ACK_ALWAYS;
    snprintf(item->ack_code, sizeof item->ack_code, "%s", code);
    item->state = SEND_ANSWERED;
    send_note(item, strcmp(code, "AA") == 0 || strcmp(code, "CA") == 0 ? STR_NONE
                    : reply.text.len                                   ? reply.text
                                                                       : reply.error_code);
    return !more_comes;
}

static status exchange(struct ctx *cx, struct mllp_line *line, struct send_item *item)
{
    struct hl7_header header;
    hl7_header_read(item->message, &header);
    int64_t started_us = clock_mono_us(), until_us = started_us + line->timeout_us;
    struct buf frame = {0};
    mllp_frame(&frame, item->message);
    item->state = SEND_NO_ANSWER; /* from here on it may have arrived */
    crypto_stream_put(&line->stream, buf_str(&frame));
    buf_fini(&frame);
    TRY(flush_all(cx, line, until_us));
    for (;;) {
        struct str bytes, answer;
        TRY(read_some(cx, line, until_us, &bytes));
        mllp_feed(&line->reader, bytes);
        enum mllp_event event;
        bool is_done = false;
        while ((event = mllp_next(&line->reader, &answer)) != MLLP_MORE)
            is_done |= event == MLLP_FRAME && take_answer(cx, item, &header, answer);
        item->took_us = clock_mono_us() - started_us;
        if (is_done)
            return STATUS_OK;
    }
}

static status send_all(struct send_job *job, struct ctx *cx, struct mllp_line *line)
{
    struct send_item *item;
    while ((item = send_take(job))) {
        struct arena_mark mark = arena_mark(cx->arena);
        status got = exchange(cx, line, item);
        if (got == STATUS_UNAUTHENTICATED)
            item->state = SEND_NOT_SENT; /* what was written before the refusal came was never handed over */
        TRY(got);
        ctx_clear(cx);
        arena_rewind(cx->arena, mark);
        atomic_fetch_add(&job->done, 1);
    }
    return STATUS_OK;
}

status send_over_mllp(struct send_job *job, struct ctx *cx)
{
    struct mllp_line *line = mem_alloc(sizeof *line);
    line->stream.fd = -1;
    line->timeout_us = job->target.timeout_ms * 1000;
    mllp_reader_init(&line->reader, (struct mllp_options){0});
    status got = open_line(cx, job, line);
    if (got == STATUS_OK)
        got = send_all(job, cx, line);
    if (line->stream.fd >= 0 && got == STATUS_OK) {
        crypto_stream_goodbye(&line->stream);
        crypto_stream_flush(&line->stream);
    }
    crypto_stream_fini(&line->stream);
    crypto_tls_close(line->tls);
    mllp_reader_fini(&line->reader);
    mem_free(line);
    return got;
}
