/*
 * rpc_bench_lookup ADDRESS SYSTEM CODE [--tls CA CERT KEY] [--pid N] [--client-cpu N] [--in-flight N] [--seconds N]
 * Unary Lookup, many in flight, against a running daemon; with --pid the daemon's CPU time per call too.
 */
#include "rpc/bench.h"
#include "rpc/client.h"

#include "idem/terminology/v1/terminology.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* User and system time of a process in microseconds; 0 when it cannot be read. */
static int64_t cpu_us(int pid)
{
    char path[32];
    unsigned long user = 0, sys = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = pid ? fopen(path, "re") : NULL;
    if (file == NULL)
        return 0;
    int read = fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys);
    fclose(file);
    return read == 2 ? (int64_t)(user + sys) * 1000000 / sysconf(_SC_CLK_TCK) : 0;
}

static int usage(const char *name)
{
    fprintf(
        stderr,
        "usage: %s ADDRESS SYSTEM CODE [--tls CA CERT KEY] [--pid N] [--client-cpu N] [--in-flight N] [--seconds N]\n",
        name);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return usage(argv[0]);
    struct rpc_client_options client = {.address = argv[1], .plain = true};
    struct rpc_bench_options options = {.server_cpu = -1, .client_cpu = -1};
    int pid = 0;
    for (int i = 4; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--tls") == 0 && i + 3 < argc) {
            client.plain = false;
            client.ca_file = argv[i + 1], client.cert_file = argv[i + 2], client.key_file = argv[i + 3];
            i += 2;
        } else if (strcmp(argv[i], "--pid") == 0)
            pid = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--client-cpu") == 0)
            options.client_cpu = (int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--in-flight") == 0)
            options.in_flight = (unsigned)(int)strtol(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            options.run_us = (int64_t)(int)strtol(argv[i + 1], NULL, 10) * 1000000;
        else
            return usage(argv[0]);
    }
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    Idem__Terminology__V1__LookupRequest ask = IDEM__TERMINOLOGY__V1__LOOKUP_REQUEST__INIT;
    ask.system = argv[2];
    ask.code = argv[3];
    struct rpc_bench_result result;
    int64_t before_us = cpu_us(pid);
    if (rpc_bench_unary_run(&cx, &options, &client, "idem.terminology.v1.Terminology/Lookup", &ask.base, &result) !=
        STATUS_OK)
        return fprintf(stderr, "%.*s\n", STR_ARGS(ctx_message(&cx))), 1;
    printf("%s: %.0f lookups/s, p50 %u us, p99 %u us, %" PRIu64 " calls, %" PRIu64 " failed, daemon %.1f us CPU/call\n",
           client.plain ? "plain" : "tls", result.calls_per_s, result.p50_us, result.p99_us, result.calls,
           result.failed, result.calls ? (double)(cpu_us(pid) - before_us) / (double)result.calls : 0.0);
    arena_fini(&arena);
    return result.failed ? 1 : 0;
}
