/*
 * Listening, worker threads, drain. The order of ending is core's, and strict: shutdown_and_notify while the workers go
 * on polling, cancel what is left after the grace, wait for the tag, destroy the server, shut and drain each queue,
 * join, destroy.
 */
#include "wire_server.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "rpc/reasons.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { ARMED_PER_METHOD = 16, METADATA_BYTES_MAX = 8 * 1024, QUOTA_BYTES = 768 * 1024 * 1024 };
enum { IDLE_LOOKS = 5, IDLE_LOOK_US = 10 * 1000, GOAWAY_MS = 50 };

static void *work(void *arg)
{
    struct worker *worker = arg;
    thread_short("grpc");
    for (;;) {
        grpc_event event = grpc_completion_queue_next(worker->cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        struct op *op = event.tag;
        wire_tag_in(op);
        op->fn(op, event.success != 0);
    }
}

static void on_shut(struct op *op, bool ok)
{
    (void)ok;
    struct wire_server *server = (struct wire_server *)(void *)((char *)op - offsetof(struct wire_server, shutdown_op));
    pthread_mutex_lock(&server->lock);
    server->shut = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
           strncmp(address, "localhost:", 10) == 0;
}

static grpc_arg int_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static grpc_server *create_server(const struct wire_server_options *options)
{
    grpc_resource_quota *quota = grpc_resource_quota_create("idem");
    grpc_resource_quota_resize(quota, QUOTA_BYTES);
    grpc_arg args[] = {
        int_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, (int)options->message_bytes_max),
        int_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, (int)options->streams_max),
        int_arg(GRPC_ARG_MAX_METADATA_SIZE, METADATA_BYTES_MAX),
        int_arg(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                1), /* none: the size limit is applied after inflation */
        int_arg(GRPC_ARG_KEEPALIVE_TIME_MS, 60 * 1000),
        int_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000),
        int_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        int_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10 * 1000),
        int_arg(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 2),
        int_arg(GRPC_ARG_MAX_CONNECTION_AGE_MS, (int)options->connection_age_s * 1000),
        int_arg(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 10 * 60 * 1000),
        int_arg(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 5 * 1000),
        int_arg(GRPC_ARG_ALLOW_REUSEPORT, 0), /* a second daemon on the same port is a mistake, not a feature */
        {.type = GRPC_ARG_POINTER,
         .key = (char *)(uintptr_t)GRPC_ARG_RESOURCE_QUOTA,
         .value.pointer = {.p = quota, .vtable = grpc_resource_quota_arg_vtable()}},
    };
    grpc_channel_args all = {.num_args = sizeof args / sizeof args[0], .args = args};
    grpc_server *server = grpc_server_create(&all, NULL);
    grpc_resource_quota_unref(quota);
    return server;
}

static status listen_on(struct wire_server *server, struct ctx *cx, size_t index)
{
    const struct wire_listen *listen = &server->options.listen[index];
    if (listen->plain && !is_loopback(listen->address))
        return ctx_fail(cx, &rpc_reasons[RPC_PLAIN_REFUSED], "%s is not a loopback address", listen->address);
    grpc_server_credentials *creds =
        listen->plain ? grpc_insecure_server_credentials_create() : wire_creds_server(server->creds);
    int port = creds ? grpc_server_add_http2_port(server->server, listen->address, creds) : 0;
    grpc_server_credentials_release(creds);
    if (port == 0)
        return ctx_fail(cx, &rpc_reasons[RPC_LISTEN], "%s; is it in use, is it an address of this machine%s",
                        listen->address, listen->plain ? "" : ", do certificate and key belong together");
    server->ports[index] = (uint16_t)port;
    return STATUS_OK;
}

static status prepare(struct wire_server *server, struct ctx *cx)
{
    struct wire_server_options *options = &server->options;
    bool tls = false;
    for (size_t i = 0; i < options->listen_count; i++)
        tls = tls || !options->listen[i].plain;
    if (tls) {
        if (!options->cert_file || !options->key_file || !options->ca_file)
            return ctx_fail(cx, &rpc_reasons[RPC_CERTIFICATE], "certificate, key and CA files must all be named");
        server->creds = wire_creds_new(options->cert_file, options->key_file, options->ca_file);
        TRY(wire_creds_check(cx, server->creds));
    }
    for (size_t i = 0; i < options->listen_count; i++)
        TRY(listen_on(server, cx, i));
    for (size_t i = 0; i < options->method_count; i++)
        server->registered[i] = grpc_server_register_method(
            server->server, server->methods[i].path, NULL,
            server->methods[i].kind == WIRE_BIDI ? GRPC_SRM_PAYLOAD_NONE : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
            0);
    return STATUS_OK;
}

static void free_server(struct wire_server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++)
        grpc_completion_queue_destroy(server->workers[i].cq);
    wire_creds_free(server->creds);
    mem_free(server->methods);
    mem_free(server->registered);
    mem_free(server->ports);
    mem_free(server->workers);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    mem_free(server);
    wire_library_fini();
}

/* A server that could not bind was never started; core still wants its shutdown. */
static void abandon(struct wire_server *server)
{
    struct op unused = {0};
    grpc_server_shutdown_and_notify(server->server, server->workers[0].cq, &unused);
    grpc_completion_queue_next(server->workers[0].cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    grpc_server_destroy(server->server);
    for (unsigned i = 0; i < server->worker_count; i++) {
        grpc_completion_queue_shutdown(server->workers[i].cq);
        grpc_completion_queue_next(server->workers[i].cq, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
    }
    free_server(server);
}

status wire_server_start(struct ctx *cx, const struct wire_server_options *options, struct wire_server **out_server)
{
    wire_library_init();
    struct wire_server *server = mem_alloc(sizeof *server);
    server->options = *options;
    server->methods = mem_copy(options->methods, options->method_count * sizeof *options->methods);
    server->options.methods = server->methods;
    server->registered = mem_array(options->method_count, sizeof *server->registered);
    server->ports = mem_array(options->listen_count, sizeof *server->ports);
    server->worker_count = options->threads;
    server->workers = mem_array(server->worker_count, sizeof *server->workers);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    server->shutdown_op.fn = on_shut;
    server->server = create_server(&server->options);
    for (unsigned i = 0; i < server->worker_count; i++) {
        server->workers[i].server = server;
        server->workers[i].cq = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(server->server, server->workers[i].cq, NULL);
    }
    status prepared = prepare(server, cx);
    if (prepared != STATUS_OK) {
        abandon(server);
        return prepared;
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    grpc_server_start(server->server);
    for (unsigned i = 0; i < server->worker_count; i++) {
        for (size_t method = 0; method <= server->options.method_count; method++)
            for (int armed = 0; armed < ARMED_PER_METHOD; armed++)
                wire_call_arm(&server->workers[i], method);
        if (pthread_create(&server->workers[i].thread, NULL, work, &server->workers[i]) != 0)
            mem_panic("rpc", "cannot start a thread");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *out_server = server;
    return STATUS_OK;
}

uint16_t wire_server_port(const struct wire_server *server, size_t index)
{
    return index < server->options.listen_count ? server->ports[index] : 0;
}

uint64_t wire_server_in_flight(const struct wire_server *server)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < server->worker_count; i++)
        sum += atomic_load_explicit(&server->workers[i].live, memory_order_relaxed);
    return sum;
}

/* False when `wait_ms` passed first. */
static bool wait_until_shut(struct wire_server *server, int wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&server->lock);
    int waited = 0;
    while (!server->shut && waited == 0)
        waited = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    bool shut = server->shut;
    pthread_mutex_unlock(&server->lock);
    return shut;
}

/* Until no call is left; a moment without one does not count, because the next may be on its way through core. */
static void wait_until_idle(const struct wire_server *server, int64_t until_us)
{
    for (int idle = 0; idle < IDLE_LOOKS && clock_mono_us() < until_us;) {
        usleep(IDLE_LOOK_US);
        idle = wire_server_in_flight(server) == 0 ? idle + 1 : 0;
    }
}

void wire_server_drain(struct wire_server *server, int grace_ms)
{
    if (server->drained)
        return;
    wait_until_idle(server, clock_mono_us() + (int64_t)grace_ms * 1000);
    wire_tag_out(&server->shutdown_op);
    grpc_server_shutdown_and_notify(server->server, server->workers[0].cq, &server->shutdown_op);
    wait_until_shut(server, GOAWAY_MS); /* an idle client that does not answer core's PING would hold this for 20 s */
    grpc_server_cancel_all_calls(server->server);
    while (!wait_until_shut(server, 10 * 1000))
        log_event(LOG_WARN, "rpc.drain-waits", LOG_NUM("calls", wire_server_in_flight(server)));
    while (wire_server_in_flight(server) > 0 || atomic_load(&server->posting) > 0)
        usleep(1000); /* answers that are due from the engine: it always answers */
    server->drained = true;
}

void wire_server_stop(struct wire_server *server)
{
    wire_server_drain(server, 0);
    grpc_server_destroy(server->server);
    for (unsigned i = 0; i < server->worker_count; i++)
        grpc_completion_queue_shutdown(server->workers[i].cq);
    for (unsigned i = 0; i < server->worker_count; i++) {
        pthread_join(server->workers[i].thread, NULL);
        wire_call_free_spares(&server->workers[i]);
    }
    free_server(server);
}
