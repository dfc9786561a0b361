/*
 * rpc_bench_echo [--server-cpu N] [--client-cpu N] [--in-flight N] [--seconds N] [--tls]
 * The ceiling of unary gRPC on this machine with our wire and an empty handler. TLS makes its certificates in a scratch
 * folder.
 */
#include "base/crypto/pki.h"
#include "rpc/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct files {
    char dir[64], ca[96], ca_key[96], cert[96], key[96], client_cert[96], client_key[96];
};

/* A CA, a certificate for each side. */
static status make_certificates(struct ctx *cx, struct files *files)
{
    snprintf(files->dir, sizeof files->dir, "/tmp/idem-bench-XXXXXX");
    if (mkdtemp(files->dir) == NULL)
        abort();
    snprintf(files->ca, sizeof files->ca, "%s/ca.pem", files->dir);
    snprintf(files->ca_key, sizeof files->ca_key, "%s/ca.key", files->dir);
    snprintf(files->cert, sizeof files->cert, "%s/server.pem", files->dir);
    snprintf(files->key, sizeof files->key, "%s/server.key", files->dir);
    snprintf(files->client_cert, sizeof files->client_cert, "%s/client.pem", files->dir);
    snprintf(files->client_key, sizeof files->client_key, "%s/client.key", files->dir);
    static const char *const names[] = {"127.0.0.1"};
    TRY(crypto_pki_make_ca(cx, "bench", files->ca, files->ca_key));
    struct crypto_pki_request server = {.common_name = "bench", .server = true, .names = names, .name_count = 1};
    struct crypto_pki_request client = {.common_name = "bench client"};
    TRY(crypto_pki_issue(cx, files->ca, files->ca_key, &server, files->cert, files->key));
    return crypto_pki_issue(cx, files->ca, files->ca_key, &client, files->client_cert, files->client_key);
}

static void remove_certificates(const struct files *files)
{
    unlink(files->ca), unlink(files->ca_key), unlink(files->cert), unlink(files->key);
    unlink(files->client_cert), unlink(files->client_key);
    rmdir(files->dir);
}

int main(int argc, char **argv)
{
    struct rpc_bench_options options = {.server_cpu = -1, .client_cpu = -1};
    bool tls = false;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "0";
        if (strcmp(argv[i], "--tls") == 0) {
            tls = true;
            continue;
        }
        if (strcmp(argv[i], "--server-cpu") == 0)
            options.server_cpu = (int)strtol(value, NULL, 10);
        else if (strcmp(argv[i], "--client-cpu") == 0)
            options.client_cpu = (int)strtol(value, NULL, 10);
        else if (strcmp(argv[i], "--in-flight") == 0)
            options.in_flight = (unsigned)(int)strtol(value, NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            options.run_us = (int64_t)(int)strtol(value, NULL, 10) * 1000000;
        else
            return fprintf(stderr,
                           "usage: %s [--server-cpu N] [--client-cpu N] [--in-flight N] [--seconds N] [--tls]\n",
                           argv[0]),
                   2;
        i++;
    }
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct files files = {0};
    struct rpc_bench_result result;
    struct rpc_bench_pem pem = {files.ca, files.cert, files.key, files.client_cert, files.client_key};
    status ran = tls ? make_certificates(&cx, &files) : STATUS_OK;
    if (ran == STATUS_OK)
        ran = rpc_bench_echo_run(&cx, &options, tls ? &pem : NULL, &result);
    if (tls)
        remove_certificates(&files);
    if (ran != STATUS_OK)
        return fprintf(stderr, "%.*s\n", STR_ARGS(ctx_message(&cx))), 1;
    printf("%s: %.0f calls/s, p50 %u us, p99 %u us, max %u us, server %.1f us CPU/call, %" PRIu64 " calls, %" PRIu64
           " failed\n",
           tls ? "tls" : "plain", result.calls_per_s, result.p50_us, result.p99_us, result.max_us,
           result.server_cpu_us_per_call, result.calls, result.failed);
    arena_fini(&arena);
    return result.failed ? 1 : 0;
}
