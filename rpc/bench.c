#include "rpc/bench.h"

#include "base/file.h"
#include "base/mem.h"
#include "message.h"
#include "rpc/client.h"
#include "rpc/reasons.h"
#include "wire.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEM_BYTES_MAX = 1024 * 1024, LATENCIES_MAX = 2 * 1000 * 1000, ECHO_BYTES = 64 };

/* Threads started later inherit it: gRPC-core's own threads must not wander onto the other side's core. */
static void pin(int cpu)
{
    if (cpu < 0)
        return;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    sched_setaffinity(0, sizeof set, &set); /* refused: the figure is a little worse */
}

static int compare_u32(const void *left, const void *right)
{
    uint32_t l = *(const uint32_t *)left, r = *(const uint32_t *)right;
    return (l > r) - (l < r);
}

static void run_load(struct wire_channel *channel, const struct rpc_bench_options *options, const char *path,
                     struct str request, struct rpc_bench_result *out_result)
{
    struct wire_load warm = {.path = path, .request = request, .in_flight = 16, .run_us = 200 * 1000};
    wire_channel_load(channel, &warm);
    struct wire_load load = {
        .path = path,
        .request = request,
        .in_flight = options->in_flight ? options->in_flight : 64,
        .run_us = options->run_us ? options->run_us : 3 * 1000 * 1000,
        .latencies = mem_array(LATENCIES_MAX, sizeof *load.latencies),
        .latencies_max = LATENCIES_MAX,
    };
    wire_channel_load(channel, &load);
    struct rpc_bench_result result = {.calls = load.calls, .failed = load.failed};
    result.calls_per_s = load.took_us ? (double)load.calls * 1e6 / (double)load.took_us : 0;
    if (load.latency_count) {
        qsort(load.latencies, load.latency_count, sizeof *load.latencies, compare_u32);
        result.p50_us = load.latencies[load.latency_count / 2];
        result.p99_us = load.latencies[load.latency_count - 1 - load.latency_count / 100];
        result.max_us = load.latencies[load.latency_count - 1];
    }
    mem_free(load.latencies);
    *out_result = result;
}

/* ---- echo ---- */

static void echo_started(struct wire_call *call, struct str request)
{
    struct wire_bytes bytes;
    wire_bytes_init(&bytes, request.len);
    memcpy(bytes.data, request.data, request.len);
    wire_send(call, &bytes);
    wire_finish(call, STATUS_OK, STR_NONE, STR_NONE);
}

static void echo_nothing(struct wire_call *call)
{
    (void)call;
}

static status echo_serve(struct ctx *cx, const struct rpc_bench_pem *pem, struct wire_server **out_server)
{
    static const struct wire_method echo = {.path = "/idem.bench.Echo/Echo", .kind = WIRE_UNARY};
    struct wire_listen listen = {"127.0.0.1:0", pem == NULL};
    struct wire_server_options options = {
        .listen = &listen,
        .listen_count = 1,
        .cert_file = pem ? pem->server_cert : NULL,
        .key_file = pem ? pem->server_key : NULL,
        .ca_file = pem ? pem->ca : NULL,
        .methods = &echo,
        .method_count = 1,
        .events = {.started = echo_started, .half_closed = echo_nothing, .cancelled = echo_nothing},
        .threads = 1,
        .streams_max = 1024,
        .calls_max = 4096,
        .connection_age_s = 3600,
        .message_bytes_max = PEM_BYTES_MAX,
    };
    return wire_server_start(cx, &options, out_server);
}

struct echo_report {
    int64_t cpu_us;
};

/* The server's process: tells its port, serves until the pipe from the parent closes, tells what it cost. */
_Noreturn static void echo_process(int from_parent, int to_parent, int cpu, const struct rpc_bench_pem *pem)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(cpu);
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct wire_server *server = NULL;
    uint16_t port = 0;
    if (echo_serve(&cx, pem, &server) == STATUS_OK)
        port = wire_server_port(server, 0);
    char unused;
    bool told = write(to_parent, &port, sizeof port) == (ssize_t)sizeof port;
    while (told && server && read(from_parent, &unused, 1) > 0)
        continue;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    struct echo_report report = {(int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                                 usage.ru_utime.tv_usec + usage.ru_stime.tv_usec};
    bool reported = write(to_parent, &report, sizeof report) == (ssize_t)sizeof report;
    _exit(reported ? 0 : 1);
}

static status read_pem(struct ctx *cx, const char *path, struct buf *out)
{
    return path ? file_read(cx, path, PEM_BYTES_MAX, out) : STATUS_OK;
}

static status echo_measure(struct ctx *cx, const struct rpc_bench_options *options, uint16_t port,
                           const struct rpc_bench_pem *pem, struct rpc_bench_result *out_result)
{
    SCOPED(buf_fini) struct buf ca = {0};
    SCOPED(buf_fini) struct buf cert = {0};
    SCOPED(buf_fini) struct buf key = {0};
    if (pem) {
        TRY(read_pem(cx, pem->ca, &ca));
        TRY(read_pem(cx, pem->client_cert, &cert));
        TRY(read_pem(cx, pem->client_key, &key));
    }
    struct str address = arena_printf(cx->arena, "127.0.0.1:%u", port);
    struct wire_channel *channel = wire_channel_open(&(struct wire_channel_options){.address = address.data,
                                                                                    .ca = buf_str(&ca),
                                                                                    .cert = buf_str(&cert),
                                                                                    .key = buf_str(&key),
                                                                                    .plain = pem == NULL});
    char request[ECHO_BYTES] = {1};
    run_load(channel, options, "/idem.bench.Echo/Echo", str_make(request, sizeof request), out_result);
    wire_channel_close(channel);
    return STATUS_OK;
}

status rpc_bench_echo_run(struct ctx *cx, const struct rpc_bench_options *options, const struct rpc_bench_pem *pem,
                          struct rpc_bench_result *out_result)
{
    int down[2], up[2];
    if (pipe(down) != 0)
        return ctx_fail(cx, &rpc_reasons[RPC_LISTEN], "no pipe");
    if (pipe(up) != 0) {
        close(down[0]), close(down[1]);
        return ctx_fail(cx, &rpc_reasons[RPC_LISTEN], "no pipe");
    }
    pid_t child = fork(); /* before gRPC-core has threads in this process, or not at all: see the header */
    if (child == 0) {
        close(down[1]), close(up[0]);
        echo_process(down[0], up[1], options->server_cpu, pem);
    }
    close(down[0]), close(up[1]);
    uint16_t port = 0;
    struct echo_report report = {0};
    status measured = STATUS_OK;
    struct rpc_bench_result result = {0};
    if (child > 0 && read(up[0], &port, sizeof port) == (ssize_t)sizeof port && port) {
        pin(options->client_cpu);
        measured = echo_measure(cx, options, port, pem, &result);
    } else {
        measured = ctx_fail(cx, &rpc_reasons[RPC_LISTEN], "the echo server did not start");
    }
    close(down[1]);
    if (measured == STATUS_OK && read(up[0], &report, sizeof report) == (ssize_t)sizeof report && result.calls)
        result.server_cpu_us_per_call = (double)report.cpu_us / (double)result.calls;
    close(up[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    TRY(measured);
    *out_result = result;
    return STATUS_OK;
}

/* ---- a running daemon ---- */

status rpc_bench_unary_run(struct ctx *cx, const struct rpc_bench_options *options,
                           const struct rpc_client_options *client_options, const char *method,
                           const struct ProtobufCMessage *request, struct rpc_bench_result *out_result)
{
    SCOPED(buf_fini) struct buf ca = {0};
    SCOPED(buf_fini) struct buf cert = {0};
    SCOPED(buf_fini) struct buf key = {0};
    pin(options->client_cpu);
    struct rpc_client *client; /* tells what is wrong when the daemon is not there */
    TRY(rpc_client_connect(cx, client_options, &client));
    rpc_client_close(client);
    if (!client_options->plain) {
        TRY(read_pem(cx, client_options->ca_file, &ca));
        TRY(read_pem(cx, client_options->cert_file, &cert));
        TRY(read_pem(cx, client_options->key_file, &key));
    }
    struct wire_bytes bytes;
    TRY(message_pack(cx, request, &bytes));
    struct wire_channel *channel =
        wire_channel_open(&(struct wire_channel_options){.address = client_options->address,
                                                         .server_name = client_options->server_name,
                                                         .ca = buf_str(&ca),
                                                         .cert = buf_str(&cert),
                                                         .key = buf_str(&key),
                                                         .plain = client_options->plain});
    run_load(channel, options, arena_printf(cx->arena, "/%s", method).data, str_make(bytes.data, bytes.len),
             out_result);
    wire_bytes_fini(&bytes);
    wire_channel_close(channel);
    return STATUS_OK;
}
