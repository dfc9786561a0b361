#include "mllp_internal.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 64,
    ACCEPT_PAUSE_US = 100 * 1000,
    SWEEP_MAX_US = 500 * 1000,
    SWEEP_MIN_US = 10 * 1000,
    REFUSAL_LOG_US = 60 * 1000 * 1000,
};

static const int64_t IDLE_US = 3600ll * 1000 * 1000, FRAME_US = 30ll * 1000 * 1000;

const struct reason mllp_listen_reason = {"engine.listen", STATUS_FAILED_PRECONDITION, 207,
                                          "an MLLP source cannot listen"};

uint16_t mllp_source_port(const struct mllp_source *source)
{
    return source->port;
}

struct mllp_source_counts mllp_source_counts(const struct mllp_source *source)
{
    return source->counts;
}

/* ---- accepting ---- */

static void open_reserve(struct mllp_source *source)
{
    if (source->reserve_fd < 0)
        source->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void refuse(struct mllp_source *source, const char *why)
{
    source->counts.refused++;
    int64_t now_us = clock_mono_us();
    if (source->refusal_logged_us && now_us - source->refusal_logged_us < REFUSAL_LOG_US)
        return; /* a flood of connections must not become a flood of lines */
    source->refusal_logged_us = now_us;
    log_event(LOG_WARN, "mllp.connection-refused", LOG_NAME("source", source->options.source), LOG_NAME("why", why),
              LOG_NUM("refused", source->counts.refused));
}

static void accept_again(void *arg)
{
    struct mllp_source *source = arg;
    source->accept_timer = NULL;
    open_reserve(source);
    if (source->listen_watch)
        loop_watch_change(source->listen_watch, EPOLLIN);
}

/*
 * No descriptor left: the waiting connection would make the loop spin. The reserve descriptor is given up to take it
 * and close it at once, so that the sender sees an end instead of silence.
 */
static void refuse_for_descriptors(struct mllp_source *source)
{
    if (source->reserve_fd >= 0) {
        close(source->reserve_fd);
        source->reserve_fd = -1;
        char peer[NET_PEER_BYTES];
        int fd = net_accept(source->listen_fd, peer);
        if (fd >= 0)
            close(fd);
        open_reserve(source);
    }
    refuse(source, "no file descriptors left");
    if (source->reserve_fd < 0 && source->accept_timer == NULL) {
        loop_watch_change(source->listen_watch, 0);
        source->accept_timer = loop_timer_start(source->loop, ACCEPT_PAUSE_US, accept_again, source);
    }
}

static void accept_ready(void *arg, uint32_t events)
{
    (void)events;
    struct mllp_source *source = arg;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        char peer[NET_PEER_BYTES];
        int fd = net_accept(source->listen_fd, peer);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            refuse_for_descriptors(source);
            return;
        }
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        if (source->counts.connections >= source->options.connections_max) {
            close(fd);
            bound_met(BOUND_LIMIT_MLLP_CONNECTIONS);
            refuse(source, "too many connections");
            continue;
        }
        mllp_connection_open(source, fd, peer);
    }
}

/* ---- limits in time ---- */

static int64_t sweep_interval(const struct mllp_source *source)
{
    int64_t shortest =
        source->options.frame_us < source->options.idle_us ? source->options.frame_us : source->options.idle_us;
    int64_t interval = shortest / 4;
    return interval > SWEEP_MAX_US ? SWEEP_MAX_US : interval < SWEEP_MIN_US ? SWEEP_MIN_US : interval;
}

static void sweep(void *arg)
{
    struct mllp_source *source = arg;
    source->sweep_timer = loop_timer_start(source->loop, sweep_interval(source), sweep, source);
    int64_t now_us = clock_mono_us();
    source->objects++; /* held: the last connection may go while we look */
    for (struct mllp_connection *next, *one = source->connections; one; one = next) {
        next = one->next;
        mllp_connection_sweep(one, now_us);
    }
    source->objects--;
    mllp_source_settle(source);
}

/* ---- life ---- */

static void copy_options(struct mllp_source *source, const struct mllp_source_options *options)
{
    struct mllp_source_options *own = &source->options;
    *own = *options;
    own->peer_count = options->peers ? options->peer_count : 0;
    own->source = arena_str(&source->arena, str_from(options->source)).data;
    own->listen = arena_str(&source->arena, str_from(options->listen)).data;
    const char **peers = arena_array(&source->arena, own->peer_count ? own->peer_count : 1, sizeof *peers);
    for (size_t i = 0; i < own->peer_count; i++)
        peers[i] = arena_str(&source->arena, str_from(options->peers[i])).data;
    own->peers = options->peers ? peers : NULL;
    own->connections_max = options->connections_max ? options->connections_max : LIMIT_MLLP_CONNECTIONS;
    own->outstanding_max = options->outstanding_max ? options->outstanding_max : MLLP_OUTSTANDING_MAX;
    own->frame_max = options->frame_max ? options->frame_max : LIMIT_MESSAGE_BYTES;
    own->idle_us = options->idle_us ? options->idle_us : IDLE_US;
    own->frame_us = options->frame_us ? options->frame_us : FRAME_US;
}

status mllp_source_open(struct loop *loop, struct ctx *cx, struct engine *engine,
                        const struct mllp_source_options *options, struct mllp_source **out_source)
{
    struct net_address address;
    if (!net_address_read(str_from(options->listen), &address))
        return ctx_fail(cx, &mllp_listen_reason, "source %s: %s is no address", options->source, options->listen);
    if (options->tls == NULL && !options->allow_plain && !address.loopback)
        return ctx_fail(cx, &mllp_listen_reason,
                        "source %s: plain MLLP on %s, beyond loopback, is not allowed explicitly", options->source,
                        options->listen);
    int fd;
    uint16_t port;
    if (net_listen(cx, &address, &fd, &port) != STATUS_OK) {
        struct str why = cx->detail;
        return ctx_fail(cx, &mllp_listen_reason, "source %s: %.*s", options->source, STR_ARGS(why));
    }
    struct mllp_source *source = mem_alloc(sizeof *source);
    source->loop = loop;
    source->engine = engine;
    source->listen_fd = fd;
    source->port = port;
    source->reserve_fd = -1;
    arena_init(&source->arena, 0);
    copy_options(source, options);
    pthread_mutex_init(&source->mailbox_lock, NULL);
    open_reserve(source);
    source->listen_watch = loop_watch_add(loop, fd, EPOLLIN, accept_ready, source);
    source->sweep_timer = loop_timer_start(loop, sweep_interval(source), sweep, source);
    *out_source = source;
    return STATUS_OK;
}

static void free_source(struct mllp_source *source)
{
    loop_timer_stop(source->sweep_timer);
    while (source->free_turns) {
        struct mllp_turn *next = source->free_turns->next;
        buf_fini(&source->free_turns->early);
        mem_free(source->free_turns);
        source->free_turns = next;
    }
    while (source->free_chunks) {
        struct mllp_chunk *next = source->free_chunks->next;
        mem_free(source->free_chunks);
        source->free_chunks = next;
    }
    VEC_FINI(&source->mailbox.letters);
    VEC_FINI(&source->opening.letters);
    buf_fini(&source->mailbox.bytes);
    buf_fini(&source->opening.bytes);
    pthread_mutex_destroy(&source->mailbox_lock);
    arena_fini(&source->arena);
    mem_free(source);
}

void mllp_source_settle(struct mllp_source *source)
{
    if (!source->closing || source->objects > 0)
        return;
    loop_fn *closed = source->closed;
    void *arg = source->closed_arg;
    free_source(source);
    if (closed)
        closed(arg);
}

void mllp_source_close(struct mllp_source *source, loop_fn *closed, void *arg)
{
    if (source == NULL)
        return;
    source->closing = true;
    source->closed = closed;
    source->closed_arg = arg;
    loop_timer_stop(source->accept_timer);
    loop_watch_remove(source->listen_watch);
    source->listen_watch = NULL;
    close(source->listen_fd);
    if (source->reserve_fd >= 0)
        close(source->reserve_fd);
    source->objects++;
    for (struct mllp_connection *next, *one = source->connections; one; one = next) {
        next = one->next;
        mllp_connection_stop_reading(one);
    }
    source->objects--;
    mllp_source_settle(source);
}
