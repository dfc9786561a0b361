/*
 * idemd: the daemon. The only place that knows all parts; it opens them in order, waits for a signal, and closes them.
 *
 * Signals: TERM and INT drain and stop; HUP is ignored (certificates are read again by themselves when their files
 * change). Exit codes: 0 stopped cleanly, 1 could not start (the reason is on stderr), 2 usage.
 */
#include "config.h"

#include "base/crypto/tls.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "engine/engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define IDEM_VERSION "0.1.0"

enum { DRAIN_MS = 10000, STOP_MS = 5000 };

struct daemon {
    struct config config;
    struct crypto_tls *server_tls, *client_tls;
    struct engine *engine;
    struct loop *loop; /* of the MLLP sources */
    pthread_t loop_thread;
    bool loop_running;
    struct mllp_source **sources;
    size_t sources_open; /* while closing */
    struct rpc_server *rpc;
};

static void *run_loop(void *arg)
{
    thread_short("mllp");
    loop_run(arg);
    return NULL;
}

static status open_tls(struct daemon *d, struct ctx *cx)
{
    const struct config *c = &d->config;
    if (c->certificate == NULL)
        return STATUS_OK;
    struct crypto_tls_options options = {
        .server = true, .ca_path = c->clients_ca, .cert_path = c->certificate, .key_path = c->key};
    TRY(crypto_tls_open(cx, &options, &d->server_tls));
    options.server = false;
    if (c->client_certificate) { /* authorities often sign a certificate for one side only */
        options.cert_path = c->client_certificate;
        options.key_path = c->client_key;
    }
    return crypto_tls_open(cx, &options, &d->client_tls);
}

static status open_engine(struct daemon *d, struct ctx *cx)
{
    struct engine_options options = {.dir = d->config.data,
                                     .client_tls = d->client_tls,
                                     .plant_ack_before_sync = d->config.plant_ack_before_sync,
                                     .journal_keep_us = d->config.journal_keep_us,
                                     .journal_segment_bytes = d->config.journal_segment_bytes,
                                     .store_cache_bytes = d->config.store_cache_bytes,
                                     .version = IDEM_VERSION};
    return engine_open(cx, &options, &d->engine);
}

static status open_sources(struct daemon *d, struct ctx *cx)
{
    d->loop = loop_new();
    d->sources = mem_array(d->config.mllp_count + 1, sizeof *d->sources);
    for (size_t i = 0; i < d->config.mllp_count; i++) {
        struct mllp_source_options *options = &d->config.mllp[i];
        options->tls = d->config.mllp_tls[i] ? d->server_tls : NULL;
        TRY(mllp_source_open(d->loop, cx, d->engine, options, &d->sources[i]));
        log_event(LOG_INFO, "mllp.listening", LOG_NAME("source", options->source), LOG_NAME("address", options->listen),
                  LOG_NUM("port", mllp_source_port(d->sources[i])), LOG_NAME("tls", options->tls ? "yes" : "no"));
    }
    if (pthread_create(&d->loop_thread, NULL, run_loop, d->loop) != 0)
        mem_panic("idemd", "no thread");
    d->loop_running = true;
    return STATUS_OK;
}

static status open_rpc(struct daemon *d, struct ctx *cx)
{
    const struct config *c = &d->config;
    if (c->grpc_count == 0)
        return STATUS_OK;
    struct rpc_server_options options = {.listen = c->grpc,
                                         .listen_count = c->grpc_count,
                                         .cert_file = c->certificate,
                                         .key_file = c->key,
                                         .ca_file = c->clients_ca,
                                         .principals = c->principals,
                                         .principal_count = c->principal_count,
                                         .plain_roles = c->plain_roles,
                                         .engine = d->engine,
                                         .data_dir = c->data,
                                         .propose_every_us = c->propose_every_us,
                                         .version = IDEM_VERSION};
    TRY(rpc_server_start(cx, &options, &d->rpc));
    for (size_t i = 0; i < c->grpc_count; i++)
        log_event(LOG_INFO, "grpc.listening", LOG_NAME("address", c->grpc[i].address),
                  LOG_NUM("port", rpc_server_port(d->rpc, i)), LOG_NAME("tls", c->grpc[i].plain ? "no" : "yes"));
    return STATUS_OK;
}

static status open_all(struct daemon *d, struct ctx *cx)
{
    TRY(open_tls(d, cx));
    TRY(open_engine(d, cx));
    TRY(open_sources(d, cx));
    return open_rpc(d, cx);
}

static void source_closed(void *arg)
{
    struct daemon *d = arg;
    if (--d->sources_open == 0)
        loop_stop(d->loop);
}

static void give_up_on_sources(void *arg)
{
    struct daemon *d = arg;
    log_event(LOG_WARN, "mllp.cut-off", LOG_NUM("sources", d->sources_open));
    loop_stop(d->loop);
}

/* On the loop's thread: answers that are due still go out, then the loop ends. */
static void close_sources(void *arg)
{
    struct daemon *d = arg;
    for (size_t i = 0; i < d->config.mllp_count; i++)
        d->sources_open += d->sources[i] != NULL;
    if (d->sources_open == 0) {
        loop_stop(d->loop);
        return;
    }
    loop_timer_start(d->loop, STOP_MS * 1000, give_up_on_sources, d);
    for (size_t i = 0; i < d->config.mllp_count; i++)
        if (d->sources[i])
            mllp_source_close(d->sources[i], source_closed, d);
}

static void close_all(struct daemon *d)
{
    if (d->rpc)
        rpc_server_drain(d->rpc, DRAIN_MS);
    if (d->loop) {
        loop_post(d->loop, close_sources, d);
        if (d->loop_running)
            pthread_join(d->loop_thread, NULL);
        else
            loop_run(d->loop);
    }
    rpc_server_stop(d->rpc);
    engine_close(d->engine, STOP_MS);
    if (d->loop)
        loop_free(d->loop);
    mem_free(d->sources);
    crypto_tls_close(d->server_tls);
    crypto_tls_close(d->client_tls);
}

/* As many files as the hard limit allows: a listener that runs out of them stops listening (docs/adr/0003). */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    struct rlimit none = {0, 0}; /* no core files: they would hold patients */
    setrlimit(RLIMIT_CORE, &none);
}

static int usage(void)
{
    fputs("usage: idemd --config FILE\n\nThe daemon of idem. FILE is described in docs/configuration.md.\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("idemd " IDEM_VERSION);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--config") != 0)
        return usage();
    raise_file_limit();
    sigset_t signals; /* blocked before any thread starts, so that only sigwait() sees them */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct daemon d = {0};
    status got = config_load(&cx, argv[2], &d.config);
    if (got == STATUS_OK)
        got = open_all(&d, &cx);
    if (got != STATUS_OK) {
        struct str why = ctx_message(&cx);
        fprintf(stderr, "idemd: cannot start: %.*s [%s]\n", STR_ARGS(why),
                cx.reason ? cx.reason->name : status_text(got));
        close_all(&d);
        arena_fini(&arena);
        return 1;
    }
    log_event(LOG_INFO, "idemd.ready", LOG_NAME("version", IDEM_VERSION), LOG_NUM("pid", getpid()));
    int caught;
    do {
        sigwait(&signals, &caught);
    } while (caught == SIGHUP);
    log_event(LOG_INFO, "idemd.stopping", LOG_NUM("signal", caught));
    close_all(&d);
    log_event(LOG_INFO, "idemd.stopped", LOG_NUM("pid", getpid()));
    arena_fini(&arena);
    return 0;
}
