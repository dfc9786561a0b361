#include "rpc/server.h"

#include "base/mem.h"
#include "call.h"
#include "health.h"
#include "proposer.h"
#include "reflection.h"

#include "base/limits.h"

#include <unistd.h>

/* Loads keep at most two threads (LOADS_MAX): two are left for lists. */
static const struct {
    const char *name;
    unsigned threads;
    size_t waiting_max;
    int nice; /* what may take long steps back behind the writer and short questions */
} pool_sizes[RPC_POOL_COUNT] = {
    [RPC_POOL_READ] = {"read", 4, 1024},        [RPC_POOL_CHANGE] = {"change", 4, 256},
    [RPC_POOL_REHEARSE] = {"rehearse", 2, 256}, [RPC_POOL_LONG] = {"long", 4, 64, 5},
    [RPC_POOL_CODES] = {"codes", 1, 64, 5},     [RPC_POOL_JOURNAL] = {"read-journal", 1, 16, 10},
    [RPC_POOL_MODEL] = {"model", 1, 4, 19},
};

uint32_t rpc_role_from_name(struct str name)
{
    static const struct {
        const char *name;
        uint32_t role;
    } roles[] = {
        {"reader", RPC_ROLE_READER},     {"sender", RPC_ROLE_SENDER},   {"terminologist", RPC_ROLE_TERMINOLOGIST},
        {"operator", RPC_ROLE_OPERATOR}, {"steward", RPC_ROLE_STEWARD},
    };
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (str_is(name, roles[i].name))
            return roles[i].role;
    return 0;
}

static char *copy_text(const char *text)
{
    return text ? mem_copy(text, strlen(text) + 1) : NULL;
}

static struct rpc_principal copy_principal(const struct rpc_principal *from)
{
    char **sources = mem_array(from->source_count, sizeof *sources);
    for (size_t i = 0; i < from->source_count; i++)
        sources[i] = copy_text(from->sources[i]);
    return (struct rpc_principal){copy_text(from->name), from->roles, (const char *const *)sources, from->source_count};
}

static void free_principal(struct rpc_principal *principal)
{
    for (size_t i = 0; i < principal->source_count; i++)
        mem_free((char *)(uintptr_t)principal->sources[i]);
    mem_free((void *)(uintptr_t)principal->sources);
    mem_free((char *)(uintptr_t)principal->name);
}

static struct rpc_server *new_server(const struct rpc_server_options *options)
{
    struct rpc_server *server = mem_alloc(sizeof *server);
    server->engine = options->engine;
    server->plain_roles = options->plain_roles;
    server->held_bytes_max = options->held_bytes_max ? options->held_bytes_max : LIMIT_HELD_BYTES;
    server->data_dir = copy_text(options->data_dir);
    server->version = copy_text(options->version ? options->version : "");
    server->cert_file = copy_text(options->cert_file);
    server->principals = mem_array(options->principal_count, sizeof *server->principals);
    server->principal_count = options->principal_count;
    for (size_t i = 0; i < options->principal_count; i++)
        server->principals[i] = copy_principal(&options->principals[i]);
    server->health = health_new();
    server->reflection = reflection_new();
    reflection_check(server->reflection);
    rpc_methods_check();
    for (size_t i = 0; i < RPC_POOL_COUNT; i++)
        server->pools[i] =
            pool_new(pool_sizes[i].name, pool_sizes[i].threads, pool_sizes[i].waiting_max, pool_sizes[i].nice);
    server->proposer = proposer_new(server, options->propose_every_us);
    return server;
}

static void free_server(struct rpc_server *server)
{
    proposer_stop(server->proposer);
    for (size_t i = 0; i < RPC_POOL_COUNT; i++)
        pool_free(server->pools[i]);
    proposer_free(server->proposer);
    health_free(server->health);
    reflection_free(server->reflection);
    for (size_t i = 0; i < server->principal_count; i++)
        free_principal(&server->principals[i]);
    mem_free(server->principals);
    mem_free(server->data_dir);
    mem_free(server->version);
    mem_free(server->cert_file);
    mem_free(server);
}

status rpc_server_start(struct ctx *cx, const struct rpc_server_options *options, struct rpc_server **out_server)
{
    struct wire_method *methods = arena_array(cx->arena, rpc_method_count, sizeof *methods);
    for (size_t i = 0; i < rpc_method_count; i++)
        methods[i] = (struct wire_method){rpc_methods[i].path, rpc_methods[i].kind, &rpc_methods[i]};
    struct wire_listen *listen = arena_array(cx->arena, options->listen_count, sizeof *listen);
    for (size_t i = 0; i < options->listen_count; i++)
        listen[i] = (struct wire_listen){options->listen[i].address, options->listen[i].plain};

    struct rpc_server *server = new_server(options);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct wire_server_options wire = {
        .listen = listen,
        .listen_count = options->listen_count,
        .cert_file = options->cert_file,
        .key_file = options->key_file,
        .ca_file = options->ca_file,
        .methods = methods,
        .method_count = rpc_method_count,
        .events = rpc_dispatch_events,
        .app = server,
        .threads = options->threads ? options->threads
                   : cores > 0      ? (unsigned)cores
                                    : 1,
        .streams_max = options->streams_max ? options->streams_max : 256,
        .calls_max = options->calls_max ? options->calls_max : 4096,
        .connection_age_s = options->connection_age_s ? options->connection_age_s : 3600,
        .message_bytes_max = LIMIT_GRPC_MESSAGE_BYTES,
    };
    health_set(server->health, NULL, true);
    status started = wire_server_start(cx, &wire, &server->wire);
    if (started != STATUS_OK) {
        free_server(server);
        return started;
    }
    *out_server = server;
    return STATUS_OK;
}

uint16_t rpc_server_port(const struct rpc_server *server, size_t index)
{
    return wire_server_port(server->wire, index);
}

void rpc_server_set_serving(struct rpc_server *server, const char *service, bool serving)
{
    health_set(server->health, service, serving);
}

void rpc_server_drain(struct rpc_server *server, int grace_ms)
{
    if (server->drained)
        return;
    server->drained = true;
    proposer_stop(server->proposer);
    atomic_store(&server->draining, true);
    health_close(server->health);
    wire_server_drain(server->wire, grace_ms);
}

void rpc_server_stop(struct rpc_server *server)
{
    if (server == NULL)
        return;
    rpc_server_drain(server, 0);
    wire_server_stop(server->wire);
    free_server(server);
}

void rpc_server_stats(const struct rpc_server *server, struct rpc_server_stats *out_stats)
{
    *out_stats = (struct rpc_server_stats){
        .calls = atomic_load(&server->calls),
        .failed = atomic_load(&server->failed),
        .refused = atomic_load(&server->refused),
        .in_flight = wire_server_in_flight(server->wire),
    };
}
