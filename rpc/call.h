/*
 * What a service sees of a call: the request, a ctx, and ways to answer. No gRPC types.
 *
 *   RPC_INLINE    answered on the worker's thread: short, waits for nothing
 *   RPC_BLOCKING  answered on a thread of its pool: may wait for the writer or the disk
 *   RPC_DEFERRED  begun on the worker's thread, answered later by rpc_call_reply() or rpc_call_fail()
 *   RPC_STREAM    a server stream written from a thread of its pool by rpc_stream_emit()
 *   RPC_BIDI      message by message on the worker's thread
 *
 * A handler that answers a status hands the request's fate to dispatch; the reason is in cx.
 */
#pragma once

#include "message.h"
#include "pool.h"
#include "rpc/reasons.h"
#include "rpc/server.h"
#include "wire.h"

#include <pthread.h>
#include <stdatomic.h>

struct rpc_call;
struct rpc_method;
struct health;
struct reflection;
struct proposer;

/* Each with threads and a bounded queue of its own, so that nobody waits behind what takes longer, or waits for
 * something else, than his own call. */
enum rpc_pool {
    RPC_POOL_READ,     /* a few rows; short */
    RPC_POOL_CHANGE,   /* waits for the writer, and so for the journal's disk */
    RPC_POOL_REHEARSE, /* as long as the message is large */
    RPC_POOL_LONG,     /* lists without end, loads of code releases */
    RPC_POOL_CODES,    /* verifies a pack and changes what is active: one at a time, and as long as the pack is large */
    RPC_POOL_MODEL,    /* compares everybody, in a copy of the index: one at a time */
    RPC_POOL_JOURNAL,  /* reads the whole journal: one at a time */
    RPC_POOL_COUNT
};

enum rpc_style { RPC_INLINE, RPC_BLOCKING, RPC_DEFERRED, RPC_STREAM, RPC_BIDI };

/* INLINE, BLOCKING: fill `reply` (a message of the reply type, all defaults). DEFERRED, STREAM: `reply` is NULL;
 * STATUS_OK means "begun" for DEFERRED and "the stream ended well" for STREAM. BIDI: one message of the client; `reply`
 * is NULL. */
typedef status rpc_handler(struct rpc_call *call, struct ctx *cx, const void *request, void *reply);

struct rpc_method {
    const char *path; /* "/idem.identity.v1.Identity/Identify" */
    const ProtobufCMessageDescriptor *request, *reply;
    enum wire_kind kind;
    enum rpc_style style;
    enum rpc_pool pool; /* BLOCKING, STREAM */
    uint32_t roles;     /* any one of them; 0 = everybody with a certificate */
    uint32_t request_bytes_max;
    uint32_t text_bytes_max; /* longest `string` */
    bool audit;              /* one line in the log; what changed is in the journal */
    bool needs_engine;
    rpc_handler *handle;
    bool (*may_wait)(const void *request); /* INLINE: true for a request that must not hold its worker; may be NULL */
    void (*begun)(struct rpc_call *call);  /* BIDI: before the first message; may be NULL */
    void (*half_closed)(struct rpc_call *call); /* BIDI: the client has said everything */
    void (*cancelled)(struct rpc_call *call);   /* DEFERRED, BIDI: the client is gone; may be NULL */
    void (*ended)(struct rpc_call *call);       /* frees call->state; may be NULL */
};
extern const struct rpc_method rpc_methods[];
extern const size_t rpc_method_count;

struct rpc_server {
    struct wire_server *wire;
    struct engine *engine;
    struct pool *pools[RPC_POOL_COUNT];
    struct health *health;
    struct reflection *reflection;
    struct proposer *proposer;
    struct rpc_principal *principals;
    size_t principal_count;
    uint32_t plain_roles;
    char *data_dir, *version, *cert_file;
    atomic_uint loads_running;
    _Atomic uint64_t held_bytes; /* of messages for which the engine had no room */
    uint64_t held_bytes_max;
    bool drained;         /* starting thread only */
    atomic_bool draining; /* new calls are refused */
    _Atomic uint64_t calls, failed, refused;
};

struct rpc_call {
    struct wire_call *wire;
    struct rpc_server *server;
    const struct rpc_method *method;
    struct ctx cx; /* arena: the wire call's */
    struct str principal;
    const char *principal_name;        /* as configured; NULL on plain connections and for unknown names */
    const struct rpc_principal *known; /* the configuration's row, or NULL */
    uint32_t roles;
    const void *request;
    void *state;      /* the service's */
    atomic_bool gone; /* the client has left; any thread */
    bool finished;    /* worker thread */
    bool on_pool;     /* worker thread: `job` was given to the method's pool */
    /* a pool thread's result on its way back */
    struct pool_job job;
    struct wire_post post;
    status result;
    struct wire_bytes reply_bytes;
    /* RPC_STREAM: messages handed to the worker and not yet taken by it */
    pthread_mutex_t lock;
    pthread_cond_t room;
    unsigned waiting;
};

/* Worker thread. Fail with cx->reason (call->cx's or the given one). */
void rpc_call_reply(struct rpc_call *call, struct ctx *cx, const void *reply);
void rpc_call_fail(struct rpc_call *call, struct ctx *cx, status code);
/* BIDI, worker thread: one message; the stream goes on. */
void rpc_call_send(struct rpc_call *call, struct ctx *cx, const void *message);
/* BIDI, worker thread: the stream ended well. */
void rpc_call_end(struct rpc_call *call);

/* RPC_STREAM, on its pool thread: waits while the client takes nothing. rpc.cancelled once it is gone. */
status rpc_stream_emit(struct rpc_call *call, struct ctx *cx, const void *message);

/* The bytes of google.rpc.Status with ErrorInfo{reason, "idem"} for what cx says. */
struct str rpc_error_details(struct ctx *cx, status code, struct str message);
/* ctx_message(), at most 2 KiB: it travels in a header. */
struct str rpc_error_message(struct ctx *cx);

/* A field that must be there: rpc.argument. */
status rpc_need(struct ctx *cx, bool there, const char *what);

extern const struct wire_events rpc_dispatch_events;
/* Every row agrees with the generated service descriptors and precheck can walk its request. Asserts. */
void rpc_methods_check(void);
