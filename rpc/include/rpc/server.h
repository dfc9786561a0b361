/*
 * The gRPC face of the daemon: Identity, Terminology, Routing and Admin (rpc/proto), health v1, reflection v1 and
 * v1alpha.
 *
 * Who may do what: every connection is mTLS; the client certificate's URI, DNS name or common name (in that order, the
 * first one the configuration knows) is the principal; the configuration gives it roles; each method wants one of some
 * roles. A name that is not configured may use nothing but health and reflection. See the table in rpc/methods.c.
 *
 * Plain (no TLS) exists for loopback only, and only where it is asked for by name; everybody there has `plain_roles`.
 *
 * Threads: start, drain and stop from one thread; the rest says so.
 */
#pragma once

#include "base/ctx.h"

struct engine;
struct rpc_server;

enum rpc_role {
    RPC_ROLE_READER = 1 << 0, /* asks: identify, persons, codes, traces, status */
    RPC_ROLE_SENDER = 1 << 1, /* hands in messages: Reconcile, Submit, SubmitStream; may identify and look up codes */
    RPC_ROLE_TERMINOLOGIST = 1 << 2, /* loads, activates and rolls back releases */
    RPC_ROLE_OPERATOR = 1 << 3,      /* routes, dead letters, journal, bulk load of people, and what a steward may */
    RPC_ROLE_STEWARD = 1 << 4,       /* decides on reviews and takes decisions back; reads */
    RPC_ROLE_ALL = (1 << 5) - 1,
};
/* "reader", "sender", "terminologist", "operator", "steward" to its bit; 0 when it is none of them. */
uint32_t rpc_role_from_name(struct str name);

struct rpc_principal {
    const char *name; /* as in the certificate: "interface-engine-1", "spiffe://…", "console.example" */
    uint32_t roles;   /* enum rpc_role bits */
    /* the sources whose messages it may hand in; none = only the one that has its name. Operators may name any. */
    const char *const *sources;
    size_t source_count;
};

struct rpc_listen {
    const char *address; /* "127.0.0.1:7443", "[::1]:0"; port 0 = any free one */
    bool plain;          /* no TLS; refused (rpc.plain-refused) unless the address is loopback */
};

struct rpc_server_options {
    const struct rpc_listen *listen;
    size_t listen_count;
    const char *cert_file, *key_file, *ca_file; /* PEM; read again for the next handshake after any of them changed */
    const struct rpc_principal *principals;
    size_t principal_count;
    uint32_t plain_roles;      /* of everybody on a plain loopback address */
    struct engine *engine;     /* NULL: only health, reflection and the bench echo answer; the rest is rpc.draining */
    const char *data_dir;      /* for VerifyJournal and Doctor */
    const char *version;       /* for Status */
    int64_t propose_every_us;  /* how often a model is made and kept as a proposal, where the active one is no longer
                                  that  of the people here; 0 = never by itself */
    unsigned threads;          /* completion queues, each with its thread; 0 = one per core */
    uint32_t streams_max;      /* concurrent calls of one connection; 0 = 256 */
    uint32_t calls_max;        /* concurrent calls of one thread, then rpc.busy; 0 = 4096 */
    uint64_t held_bytes_max;   /* messages held while the journal has no room, then rpc.busy; 0 = LIMIT_HELD_BYTES */
    uint32_t connection_age_s; /* connections are asked to reconnect after this, so that a revoked certificate ends; 0 =
                                  1 h */
};

/* Copies the options (not the engine). Blocks all signals in the threads it starts. rpc.listen, rpc.certificate. */
status rpc_server_start(struct ctx *cx, const struct rpc_server_options *options, struct rpc_server **out_server);

/* The port bound for options->listen[index]. Any thread. */
uint16_t rpc_server_port(const struct rpc_server *server, size_t index);

/* What health says of `service` ("idem.routing.v1.Routing"), NULL = of all and of the server. Watchers are told. Any
 * thread. */
void rpc_server_set_serving(struct rpc_server *server, const char *service, bool serving);

/* Health says NOT_SERVING, no new calls are taken, running ones may finish for `grace_ms`, then they are cancelled.
 * Returns when no call is left. The engine must still answer what was submitted. */
void rpc_server_drain(struct rpc_server *server, int grace_ms);
/* Drains with no grace unless drained, then ends all threads and frees. NULL is fine. */
void rpc_server_stop(struct rpc_server *server);

struct rpc_server_stats {
    uint64_t calls, failed, refused; /* refused: no role, busy, malformed */
    uint64_t in_flight;
};
/* Sums of per-thread counters. Any thread. */
void rpc_server_stats(const struct rpc_server *server, struct rpc_server_stats *out_stats);
