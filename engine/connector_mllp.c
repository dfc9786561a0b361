#include "connector_internal.h"

#include "base/clock.h"
#include "base/crypto/stream.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/net.h"
#include "hl7v2/ack.h"
#include "hl7v2/mllp.h"
#include "resolver.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { ANSWER_BYTES_MAX = 1024 * 1024, READ_BYTES = 16 * 1024 };

static const int64_t CONNECT_US = 5ll * 1000 * 1000, ANSWER_US = 30ll * 1000 * 1000, IDLE_US = 300ll * 1000 * 1000;

const struct reason connector_reason = {"engine.connector", STATUS_FAILED_PRECONDITION, 207,
                                        "a destination cannot be set up"};

enum link_state {
    LINK_DOWN,
    LINK_RESOLVING,
    LINK_CONNECTING,
    LINK_SHAKING_HANDS, /* TLS */
    LINK_UP,
};

struct mllp_link {
    struct connector base;
    struct net_address address;
    struct crypto_tls *tls;
    char *server_name;
    int64_t connect_us, answer_us, idle_us;

    enum link_state state;
    struct resolver *resolver;
    struct net_endpoint endpoints[RESOLVER_ENDPOINTS_MAX];
    size_t endpoint_count, endpoint_next;
    struct crypto_stream stream;
    struct loop_watch *watch;
    struct loop_timer *timer; /* to connect, for the answer, or until an idle link is closed */
    struct mllp_reader reader;
    bool kept;          /* the link served an earlier send */
    bool stray_logged;  /* once for each link */
    uint64_t wire_mark; /* stream.bytes_out before the message: above it, some of it is on the wire */

    bool inside_send; /* outcomes found now are reported from the next turn of the loop */
    struct connector_outcome outcome;
    struct buf answer;
    struct buf last_id; /* control id of the send before on this link */
    struct arena arena; /* reasons of unreadable answers */
    char scratch[READ_BYTES];
};

static void open_link(struct mllp_link *link);

static struct mllp_link *link_of(struct connector *connector)
{
    return (struct mllp_link *)connector;
}

static void set_timer(struct mllp_link *link, int64_t after_us, loop_fn *fired)
{
    loop_timer_stop(link->timer);
    link->timer = loop_timer_start(link->base.loop, after_us, fired, link);
}

static void drop_link(struct mllp_link *link)
{
    resolver_abandon(link->resolver);
    link->resolver = NULL;
    loop_timer_stop(link->timer);
    link->timer = NULL;
    loop_watch_remove(link->watch);
    link->watch = NULL;
    if (link->state == LINK_UP) {
        crypto_stream_goodbye(&link->stream);
        (void)crypto_stream_flush(&link->stream); /* best effort */
    }
    crypto_stream_fini(&link->stream);
    mllp_reader_fini(&link->reader);
    link->state = LINK_DOWN;
}

/* ---- outcomes ---- */

static void report_now(void *arg)
{
    struct mllp_link *link = arg;
    struct connector_outcome outcome = link->outcome;
    outcome.answer = buf_str(&link->answer);
    link->timer = NULL;
    connector_report(&link->base, &outcome);
}

static void idle_over(void *arg)
{
    struct mllp_link *link = arg;
    link->timer = NULL;
    drop_link(link);
}

/* The link is touched no more after this. */
static void finish(struct mllp_link *link, enum connector_outcome_kind kind, const char *why)
{
    link->outcome.kind = kind;
    link->outcome.why = why;
    if (kind == CONNECTOR_NOT_SENT || kind == CONNECTOR_IN_DOUBT) {
        link->outcome.ack_code[0] = 0;
        buf_clear(&link->answer);
        drop_link(link); /* what may still come on it answers this message, never the next */
    }
    if (link->inside_send) {
        set_timer(link, 0, report_now);
        return;
    }
    if (link->state == LINK_UP)
        set_timer(link, link->idle_us, idle_over);
    struct connector_outcome outcome = link->outcome;
    outcome.answer = buf_str(&link->answer);
    connector_report(&link->base, &outcome);
}

/* The link broke, or never came to be. */
static void lost(struct mllp_link *link, const char *why)
{
    bool up = link->state == LINK_UP;
    bool on_the_wire = up && link->stream.bytes_out > link->wire_mark;
    bool refused = link->stream.tls && crypto_tls_refused(link->stream.tls);
    bool was_kept = link->kept;
    if (link->base.done == NULL) {
        drop_link(link);
        return;
    }
    if (refused)
        finish(link, CONNECTOR_NOT_SENT, "the destination refused our certificate");
    else if (on_the_wire)
        finish(link, CONNECTOR_IN_DOUBT, why ? why : "connection closed before the answer");
    else if (up && was_kept) {
        drop_link(link);
        open_link(link); /* it died in its sleep; once only, for the new one is not `kept` */
    } else
        finish(link, CONNECTOR_NOT_SENT, why ? why : "connection closed");
}

static void connect_late(void *arg)
{
    struct mllp_link *link = arg;
    link->timer = NULL;
    finish(link, CONNECTOR_NOT_SENT,
           link->state == LINK_SHAKING_HANDS ? "TLS handshake timed out"
           : link->state == LINK_RESOLVING   ? "name resolution timed out"
                                             : "connect timed out");
}

static void answer_late(void *arg)
{
    struct mllp_link *link = arg;
    link->timer = NULL;
    bool on_the_wire = link->stream.bytes_out > link->wire_mark;
    finish(link, on_the_wire ? CONNECTOR_IN_DOUBT : CONNECTOR_NOT_SENT, "answer timed out");
}

/* ---- answers ---- */

static void note_stray(struct mllp_link *link, const char *what)
{
    if (link->stray_logged)
        return;
    link->stray_logged = true;
    log_event(LOG_WARN, "connector.stray-answer", LOG_NAME("destination", link->base.name), LOG_NAME("what", what));
}

static enum connector_outcome_kind kind_of(enum hl7_ack_code code)
{
    switch (code) {
    case HL7_AA:
    case HL7_CA:
        return CONNECTOR_DELIVERED;
    case HL7_AE:
    case HL7_CE:
        return CONNECTOR_REFUSED;
    case HL7_AR:
    case HL7_CR:
    case HL7_ACK_NONE:
        break;
    }
    return CONNECTOR_REJECTED;
}

/* True when the frame is the answer to the message that waits. */
static bool take_answer(struct mllp_link *link, struct str frame)
{
    struct ctx cx = {.arena = &link->arena};
    struct hl7_reply reply;
    arena_reset(&link->arena);
    if (hl7_ack_read(&cx, frame, &reply) != STATUS_OK) {
        note_stray(link, "not an acknowledgement");
        return false;
    }
    if (link->base.done == NULL || !hl7_control_id_eq(link->base.control_id, reply.control_id)) {
        note_stray(link, "an answer for another message");
        return false;
    }
    link->outcome.kind = kind_of(reply.code);
    snprintf(link->outcome.ack_code, sizeof link->outcome.ack_code, "%s", hl7_ack_code_text(reply.code));
    buf_clear(&link->answer);
    buf_put_str(&link->answer, frame);
    return true;
}

static bool take_bytes(struct mllp_link *link, struct str bytes)
{
    bool answered = false;
    mllp_feed(&link->reader, bytes);
    for (;;) {
        struct str frame;
        enum mllp_event event = mllp_next(&link->reader, &frame);
        if (event == MLLP_MORE)
            return answered;
        if (event != MLLP_FRAME)
            note_stray(link, "not an acknowledgement");
        else if (answered)
            note_stray(link, "a second answer");
        else
            answered = take_answer(link, frame);
    }
}

static const char *why_of(enum connector_outcome_kind kind)
{
    return kind == CONNECTOR_DELIVERED ? "accepted"
           : kind == CONNECTOR_REFUSED ? "refused by the destination"
                                       : "rejected by the destination";
}

/* ---- the socket ---- */

static void watch_what_matters(struct mllp_link *link)
{
    loop_watch_change(link->watch,
                      (uint32_t)EPOLLIN | (crypto_stream_is_sending(&link->stream) ? (uint32_t)EPOLLOUT : 0));
}

static void send_message(struct mllp_link *link)
{
    link->wire_mark = link->stream.bytes_out;
    if (link->stream.tls || crypto_stream_is_sending(&link->stream)) {
        struct buf framed = {0};
        mllp_frame(&framed, link->base.message);
        crypto_stream_put(&link->stream, buf_str(&framed));
        buf_fini(&framed);
    } else {
        mllp_frame(&link->stream.out, link->base.message); /* plain: no copy in between */
    }
    set_timer(link, link->answer_us, answer_late);
    if (!crypto_stream_flush(&link->stream)) {
        lost(link, link->stream.why);
        return;
    }
    watch_what_matters(link);
}

static void link_is_up(struct mllp_link *link)
{
    link->state = LINK_UP;
    mllp_reader_init(&link->reader, (struct mllp_options){.frame_max = ANSWER_BYTES_MAX});
    if (link->base.done)
        send_message(link);
    else
        set_timer(link, link->idle_us, idle_over);
}

static void read_ready(struct mllp_link *link)
{
    for (bool full = true; full;) {
        struct str bytes;
        enum crypto_stream_event event = crypto_stream_read(&link->stream, link->scratch, READ_BYTES, &bytes, &full);
        if (event == CRYPTO_STREAM_DATA) {
            if (link->state == LINK_UP && take_bytes(link, bytes)) {
                finish(link, link->outcome.kind, why_of(link->outcome.kind));
                return;
            }
        } else if (event != CRYPTO_STREAM_WAIT) {
            (void)crypto_stream_flush(&link->stream); /* TLS's alert tells the other side why */
            lost(link, event == CRYPTO_STREAM_FAILED ? link->stream.why : NULL);
            return;
        }
        if (link->state == LINK_SHAKING_HANDS && crypto_stream_is_open(&link->stream)) {
            link_is_up(link);
            return; /* level-triggered: what else there is comes with the next turn */
        }
    }
    if (!crypto_stream_flush(&link->stream))
        lost(link, link->stream.why);
    else
        watch_what_matters(link);
}

static void try_next_endpoint(struct mllp_link *link, const char *why);

static const char *connect_why(int error)
{
    return error == ECONNREFUSED                           ? "connection refused"
           : error == ETIMEDOUT                            ? "connect timed out"
           : error == EHOSTUNREACH || error == ENETUNREACH ? "no route to the host"
           : error == EMFILE || error == ENFILE            ? "no file descriptors left"
                                                           : "connect failed";
}

static void connected(struct mllp_link *link)
{
    int error = net_connect_result(link->stream.fd);
    if (error) {
        loop_watch_remove(link->watch);
        link->watch = NULL;
        crypto_stream_fini(&link->stream);
        try_next_endpoint(link, connect_why(error));
        return;
    }
    if (link->tls == NULL) {
        link_is_up(link);
        return;
    }
    int fd = link->stream.fd;
    crypto_stream_init(&link->stream, fd, link->tls, link->server_name);
    link->state = LINK_SHAKING_HANDS;
    if (!crypto_stream_flush(&link->stream))
        lost(link, link->stream.why);
    else
        watch_what_matters(link);
}

static void link_ready(void *arg, uint32_t events)
{
    struct mllp_link *link = arg;
    if (link->state == LINK_CONNECTING) {
        connected(link);
        return;
    }
    if ((events & EPOLLOUT) && !crypto_stream_flush(&link->stream)) {
        lost(link, link->stream.why);
        return;
    }
    if (events & ~(uint32_t)EPOLLOUT)
        read_ready(link);
    else
        watch_what_matters(link);
}

static void try_next_endpoint(struct mllp_link *link, const char *why)
{
    while (link->endpoint_next < link->endpoint_count) {
        int fd = net_connect_begin(&link->endpoints[link->endpoint_next++]);
        if (fd < 0) {
            why = connect_why(errno);
            continue;
        }
        crypto_stream_init(&link->stream, fd, NULL, NULL); /* TLS begins once it is connected */
        link->state = LINK_CONNECTING;
        link->watch = loop_watch_add(link->base.loop, fd, EPOLLOUT, link_ready, link);
        return;
    }
    finish(link, CONNECTOR_NOT_SENT, why);
}

static void resolved(void *arg, const struct net_endpoint *endpoints, size_t count)
{
    struct mllp_link *link = arg;
    link->resolver = NULL;
    memcpy(link->endpoints, endpoints, count * sizeof *endpoints);
    link->endpoint_count = count;
    link->endpoint_next = 0;
    try_next_endpoint(link, "the host's name is not known");
}

static void open_link(struct mllp_link *link)
{
    link->kept = false;
    link->stray_logged = false;
    set_timer(link, link->connect_us, connect_late);
    if (!link->address.numeric) {
        link->state = LINK_RESOLVING;
        link->resolver = resolver_start(link->base.loop, &link->address, resolved, link);
        if (link->resolver == NULL)
            finish(link, CONNECTOR_NOT_SENT, "name resolution cannot be started");
        return;
    }
    struct ctx cx = {.arena = &link->arena};
    size_t count = 0;
    arena_reset(&link->arena);
    if (net_resolve(&cx, &link->address, link->endpoints, RESOLVER_ENDPOINTS_MAX, &count) != STATUS_OK)
        count = 0;
    link->endpoint_count = count;
    link->endpoint_next = 0;
    try_next_endpoint(link, "the address cannot be used");
}

/* ---- the connector ---- */

/* Has the other side closed while we had nothing to say? Asked before each use: what is written into a closed link is
 * in doubt. */
static bool is_dead(const struct mllp_link *link)
{
    char byte;
    ssize_t got = recv(link->stream.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

static void mllp_send(struct connector *connector)
{
    struct mllp_link *link = link_of(connector);
    link->inside_send = true;
    link->outcome = (struct connector_outcome){.why = ""};
    buf_clear(&link->answer);
    /* A second answer to the message before (AA after CA, a late one) must never confirm this one: senders choose
     * control ids, and two sources may choose the same. */
    bool same_id = hl7_control_id_eq(buf_str(&link->last_id), connector->control_id);
    if (link->state == LINK_UP && (same_id || is_dead(link)))
        drop_link(link);
    buf_clear(&link->last_id);
    buf_put_str(&link->last_id, connector->control_id);
    if (link->state == LINK_UP) {
        link->kept = true;
        send_message(link);
    } else {
        open_link(link);
    }
    link->inside_send = false;
}

static void mllp_close(struct connector *connector)
{
    struct mllp_link *link = link_of(connector);
    drop_link(link);
    buf_fini(&link->last_id);
    buf_fini(&link->answer);
    arena_fini(&link->arena);
    mem_free(link->server_name);
    connector_fini(connector);
    mem_free(link);
}

static const struct connector_kind mllp_kind = {mllp_send, mllp_close};

status connector_open_mllp(struct loop *loop, struct ctx *cx, const struct connector_mllp_options *options,
                           struct connector **out_connector)
{
    struct net_address address;
    if (!net_address_read(str_from(options->connect), &address) || address.port == 0)
        return ctx_fail(cx, &connector_reason, "destination %s: %s is no address", options->name, options->connect);
    struct mllp_link *link = mem_alloc(sizeof *link);
    connector_init(&link->base, &mllp_kind, loop, options->name);
    link->address = address;
    link->tls = options->tls;
    const char *server_name = options->server_name ? options->server_name : address.host;
    link->server_name = mem_copy(server_name, strlen(server_name) + 1);
    link->connect_us = options->connect_timeout_us ? options->connect_timeout_us : CONNECT_US;
    link->answer_us = options->answer_timeout_us ? options->answer_timeout_us : ANSWER_US;
    link->idle_us = options->idle_close_us ? options->idle_close_us : IDLE_US;
    link->stream.fd = -1;
    arena_init(&link->arena, 0);
    *out_connector = &link->base;
    return STATUS_OK;
}
