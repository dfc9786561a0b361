/*
 * Private to wire_server.c (listening, threads, drain) and wire_call.c (the life of one call).
 */
#pragma once

#include "wire_grpc.h"

#include <pthread.h>
#include <stdatomic.h>

struct call;

/* A tag: what to run when core says that the operation is done. */
struct op {
    void (*fn)(struct op *op, bool ok);
    struct call *call;
};

struct worker {
    struct wire_server *server;
    grpc_completion_queue *cq;
    pthread_t thread;
    struct call *spare; /* calls to use again; this worker only */
    unsigned spare_count;
    _Atomic uint64_t live; /* calls begun and not ended; written by this worker only */
};

struct wire_server {
    struct wire_server_options options;
    struct wire_method *methods;
    void **registered; /* core's handle per method */
    grpc_server *server;
    struct wire_creds *creds;
    uint16_t *ports;
    struct worker *workers;
    unsigned worker_count;
    struct op shutdown_op;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;          /* core has ended every connection; under lock */
    bool drained;       /* main thread */
    atomic_int posting; /* threads inside wire_post() */
};

/* Wait for one call of a method (index), or of any unknown one (index == method_count). */
void wire_call_arm(struct worker *worker, size_t index);
void wire_call_free_spares(struct worker *worker);
