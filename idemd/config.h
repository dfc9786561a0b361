/*
 * idemd.yaml: where the data is, who may connect, and as whom. Everything about messages (destinations, routes) is not
 * here but in the routes, which are applied through the journal. Relative paths are relative to the file's folder.
 *
 *   data: ./data
 *   journal: { keep: 90d }
 *   tls: { certificate: server.pem, key: server.key, clients_ca: ca.pem, client_certificate: client.pem, client_key:
 * client.key } grpc: { listen: 127.0.0.1:7443 } mllp: [ { source: north, listen: 127.0.0.1:2575, tls: true, peers:
 * [north-his] } ] roles: [ { principal: steward-anna, roles: [steward, reader] } ]
 *
 * The full description with every key: docs/configuration.md.
 */
#pragma once

#include "base/ctx.h"
#include "engine/mllp_source.h"
#include "rpc/server.h"

struct config {
    const char *data;
    int64_t journal_keep_us;                     /* 0 = for ever */
    uint64_t journal_segment_bytes;              /* 0 = 64 MiB */
    uint64_t store_cache_bytes;                  /* 0 = a part of the machine's memory */
    const char *certificate, *key, *clients_ca;  /* NULL when there is no tls section */
    const char *client_certificate, *client_key; /* who we are to destinations; NULL = the daemon's own */
    struct rpc_listen grpc[2];
    size_t grpc_count;
    struct mllp_source_options *mllp; /* tls is set to a mark; main opens it */
    bool *mllp_tls;
    size_t mllp_count;
    struct rpc_principal *principals;
    size_t principal_count;
    uint32_t plain_roles;
    int64_t propose_every_us;   /* models: propose; 0 = off */
    bool plant_ack_before_sync; /* test_plant: ack-before-sync */
};

/* Everything in cx->arena, which must live as long as the daemon. */
status config_load(struct ctx *cx, const char *path, struct config *out_config);
