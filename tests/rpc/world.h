/*
 * A real server over a real engine in a scratch directory: TLS on one port, plain loopback on another, certificates
 * made on the spot, and clients for it.
 */
#pragma once

#include "base/crypto/pki.h"
#include "engine/engine.h"
#include "rpc/client.h"
#include "rpc/server.h"
#include "support.h"

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "idem/identity/v1/identity.pb-c.h"
#include "idem/routing/v1/routing.pb-c.h"
#include "idem/terminology/v1/terminology.pb-c.h"

#include <pthread.h>
#include <unistd.h>

struct world {
    struct support s;
    const char *dir;
    struct engine *engine;
    struct rpc_server *server;
    int64_t propose_every_us;
    uint64_t held_bytes_max;
    char tls_address[32], plain_address[32];
};

static inline const char *world_path(struct world *w, const char *name)
{
    return arena_printf(&w->s.arena, "%s/%s", w->dir, name).data;
}

/* <name>.pem and <name>.key, signed by the CA `ca`.pem. */
static inline void world_issue(struct world *w, const char *ca, const char *name, bool server)
{
    const char *names[] = {"127.0.0.1", "localhost"};
    struct crypto_pki_request request = {
        .common_name = name, .server = server, .names = names, .name_count = server ? 2 : 0};
    assert_ok(&w->s, crypto_pki_issue(&w->s.cx, world_path(w, arena_printf(&w->s.arena, "%s.pem", ca).data),
                                      world_path(w, arena_printf(&w->s.arena, "%s.key", ca).data), &request,
                                      world_path(w, arena_printf(&w->s.arena, "%s.pem", name).data),
                                      world_path(w, arena_printf(&w->s.arena, "%s.key", name).data)));
}

static inline void world_start(struct world *w)
{
    static const char *const of_sender[] = {"north", "lab"};
    static const struct rpc_principal principals[] = {
        {.name = "reader-1", .roles = RPC_ROLE_READER},
        {.name = "sender-1", .roles = RPC_ROLE_SENDER, .sources = of_sender, .source_count = 2},
        {.name = "root-1", .roles = RPC_ROLE_ALL}};
    struct rpc_listen listen[] = {{"127.0.0.1:0", false}, {"127.0.0.1:0", true}};
    struct rpc_server_options options = {
        .listen = listen,
        .listen_count = 2,
        .cert_file = world_path(w, "server.pem"),
        .key_file = world_path(w, "server.key"),
        .ca_file = world_path(w, "ca.pem"),
        .principals = principals,
        .principal_count = 3,
        .plain_roles = RPC_ROLE_ALL,
        .engine = w->engine,
        .data_dir = world_path(w, "data"),
        .version = "test",
        .threads = 2,
        .held_bytes_max = w->held_bytes_max,
        .propose_every_us = w->propose_every_us,
    };
    assert_ok(&w->s, rpc_server_start(&w->s.cx, &options, &w->server));
    snprintf(w->tls_address, sizeof w->tls_address, "127.0.0.1:%u", rpc_server_port(w->server, 0));
    snprintf(w->plain_address, sizeof w->plain_address, "127.0.0.1:%u", rpc_server_port(w->server, 1));
}

/* queue_bytes: of the journal; 0 = as in service. */
static inline void world_begin_with(struct world *w, uint64_t queue_bytes)
{
    *w = (struct world){0};
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    assert_ok(&w->s, crypto_pki_make_ca(&w->s.cx, "test CA", world_path(w, "ca.pem"), world_path(w, "ca.key")));
    assert_ok(&w->s, crypto_pki_make_ca(&w->s.cx, "other CA", world_path(w, "other.pem"), world_path(w, "other.key")));
    world_issue(w, "ca", "server", true);
    static const char *const clients[] = {"reader-1", "sender-1", "root-1", "stranger"};
    for (size_t i = 0; i < 4; i++)
        world_issue(w, "ca", clients[i], false);
    world_issue(w, "other", "impostor", false);
    struct engine_options options = {
        .dir = world_path(w, "data"), .version = "test", .journal_queue_bytes = queue_bytes};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
    struct str routes = arena_printf(&w->s.arena,
                                     "destinations:\n"
                                     "  - name: archive\n"
                                     "    file: { folder: %s }\n"
                                     "routes:\n"
                                     "  - name: adt\n"
                                     "    when: { source: [north], type: [ADT] }\n"
                                     "    to: [archive]\n",
                                     world_path(w, "out"));
    struct engine_routes_view view;
    assert_ok(&w->s, engine_apply_routes(w->engine, &w->s.cx, routes, false, &view));
    world_start(w);
}

static inline void world_begin(struct world *w)
{
    world_begin_with(w, 0);
}

static inline void world_end(struct world *w)
{
    rpc_server_stop(w->server);
    engine_close(w->engine, 2000);
    support_remove_dir(w->dir);
    support_fini(&w->s);
}

static inline struct rpc_client_options world_client(struct world *w, const char *name)
{
    return (struct rpc_client_options){
        .address = w->tls_address,
        .ca_file = world_path(w, "ca.pem"),
        .cert_file = name ? world_path(w, arena_printf(&w->s.arena, "%s.pem", name).data) : NULL,
        .key_file = name ? world_path(w, arena_printf(&w->s.arena, "%s.key", name).data) : NULL,
    };
}

static inline struct rpc_client *world_connect(struct world *w, const char *name)
{
    struct rpc_client_options options = world_client(w, name);
    struct rpc_client *client = NULL;
    assert_ok(&w->s, rpc_client_connect(&w->s.cx, &options, &client));
    return client;
}

static inline struct rpc_client *world_connect_plain(struct world *w)
{
    struct rpc_client_options options = {.address = w->plain_address, .plain = true};
    struct rpc_client *client = NULL;
    assert_ok(&w->s, rpc_client_connect(&w->s.cx, &options, &client));
    return client;
}

static inline struct str world_adt(struct world *w, const char *control_id, const char *number)
{
    return arena_printf(&w->s.arena,
                        "MSH|^~\\&|ADT|NORTH|IDEM|IDEM|20260101120000||ADT^A01^ADT_A01|%s|P|2.5.1\r"
                        "EVN|A01|20260101120000\r"
                        "PID|1||%s^^^NORTH^MR||Garcia^Ana||19800229|F\r"
                        "PV1|1|I\r",
                        control_id, number);
}

/* The body of a sentence-like test: a world that lives as long as the block. */
#define WORLD(w)                                                                                                       \
    (void)state;                                                                                                       \
    struct world w;                                                                                                    \
    world_begin(&w)
