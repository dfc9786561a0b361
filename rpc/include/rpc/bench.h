/*
 * How fast is the gRPC face of this machine? For `idem bench` and rpc_bench_echo.
 *
 * Threads: these functions own the calling thread until they end. Pin server and client apart (options) for figures
 * that mean something; two cores are shared with everything else that runs.
 */
#pragma once

#include "base/ctx.h"

struct rpc_bench_result {
    uint64_t calls, failed;
    double calls_per_s;
    uint32_t p50_us, p99_us, max_us; /* from handing a call to the client library to its status */
    double server_cpu_us_per_call;   /* user and system time of the whole process for rpc_bench_echo_run; 0 when not
                                        measured */
};

struct rpc_bench_options {
    unsigned in_flight; /* 0 = 64 */
    int64_t run_us;     /* 0 = 3 s */
    int server_cpu;     /* rpc_bench_echo_run: CPU of the server's threads, -1 = any */
    int client_cpu;     /* CPU of the calling thread and what it starts, -1 = any */
};

struct rpc_bench_pem {
    const char *ca, *server_cert, *server_key, *client_cert, *client_key; /* files */
};
/* The ceiling: the same wire, and a handler that sends 64 bytes back without looking at them. `pem` NULL = plain. The
 * server is a forked process on loopback: call this before anything else of rpc/ has run in the calling process. */
status rpc_bench_echo_run(struct ctx *cx, const struct rpc_bench_options *options, const struct rpc_bench_pem *pem,
                          struct rpc_bench_result *out_result);

struct rpc_client_options;
struct ProtobufCMessage;
/* One unary request, again and again, against a running daemon. */
status rpc_bench_unary_run(struct ctx *cx, const struct rpc_bench_options *options,
                           const struct rpc_client_options *client, const char *method,
                           const struct ProtobufCMessage *request, struct rpc_bench_result *out_result);
