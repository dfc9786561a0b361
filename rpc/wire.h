/*
 * The wire: the only place that knows gRPC-core. Completion queues and their threads, calls, byte buffers, credentials,
 * drain.
 *
 * One completion queue and one thread ("worker") each; a call lives on the worker whose connection it came by, so
 * everything about a call happens on that one thread and needs no lock. Other threads reach a call by wire_post() only.
 *
 * A call ends in exactly this order: wire_finish() by the application, core is done with it, every hold is released,
 * `ended`.
 *
 * Pitfalls this file is built around (all measured): an unarmed or unknown method hangs its client for ever; re-arming
 * after shutdown spins; a status must not be sent while a write is outstanding; a received payload of NULL means
 * half-close, too large or broken; only an empty batch may be started from a foreign thread.
 */
#pragma once

#include "base/ctx.h"

/* Bytes to send: made once, filled by the owner, handed over by wire_send(). */
struct wire_bytes {
    void *owner;
    uint8_t *data;
    size_t len;
};
void wire_bytes_init(struct wire_bytes *bytes, size_t len);
void wire_bytes_fini(struct wire_bytes *bytes); /* only when not handed over */

enum wire_kind { WIRE_UNARY, WIRE_SERVER_STREAM, WIRE_BIDI };

struct wire_method {
    const char *path; /* "/idem.identity.v1.Identity/Identify" */
    enum wire_kind kind;
    const void *row; /* the application's */
};

struct wire_call {
    const void *row;     /* of the method; NULL = unknown method */
    void *app;           /* wire_server_options.app */
    void *state;         /* the application's, per call */
    struct arena arena;  /* lives as long as the call; one thread at a time */
    int64_t deadline_us; /* monotonic; 0 = none */
    int64_t started_us;  /* monotonic */
    bool cancelled;      /* the client is gone; worker thread only */
    bool over_limit;     /* more calls than calls_max: answer rpc.busy */
    bool has_request;    /* unary, server stream: false when the client sent none, or one past the size limit */
};

/* All on the call's worker thread. */
struct wire_events {
    void (*started)(struct wire_call *call, struct str request); /* request lives until `ended`; empty for WIRE_BIDI */
    void (*message)(struct wire_call *call, struct str bytes); /* WIRE_BIDI: bytes live for the call of this function */
    void (*half_closed)(struct wire_call *call);               /* WIRE_BIDI: no more messages will come */
    void (*cancelled)(struct wire_call *call);                 /* client gone, deadline passed, or drain's end */
    void (*ended)(struct wire_call *call);                     /* last; call->state may be freed */
};

/* Worker thread only: */
void wire_send(struct wire_call *call, struct wire_bytes *bytes); /* takes the bytes; sent in order */
/* After what was sent before. Later calls for the same call do nothing. `details`: serialized google.rpc.Status or
 * empty. */
void wire_finish(struct wire_call *call, status code, struct str message, struct str details);
void wire_hold(struct wire_call *call); /* the call stays until wire_release() */
void wire_release(struct wire_call *call);
/* All names in the client certificate: URIs, DNS names, common name, in this order, copied into call->arena; 0 on a
 * plain connection (then *out_plain) or when there is none. */
size_t wire_peer_names(struct wire_call *call, struct str **out_names, bool *out_plain);
struct str wire_peer_address(struct wire_call *call); /* "ipv4:127.0.0.1:50312" */

/* Run fn on the call's worker. Any thread that owns a hold on the call; `post` stays in place until fn runs. */
struct wire_post {
    struct wire_post *next;
    void (*fn)(struct wire_call *call, struct wire_post *post);
};
void wire_post(struct wire_call *call, struct wire_post *post);

/* WIRE_BIDI, worker thread: read no further message, nor the half-close, until told to go on: the client waits. */
void wire_pause(struct wire_call *call);
void wire_resume(struct wire_call *call);

enum { WIRE_BIDI_WINDOW = 64 }; /* messages of a call taken but not yet answered, then reading pauses */
enum { WIRE_BIDI_WINDOW_BYTES = 32 * 1024 * 1024 }; /* the same in bytes */

struct wire_listen {
    const char *address;
    bool plain;
};
struct wire_server_options {
    const struct wire_listen *listen;
    size_t listen_count;
    const char *cert_file, *key_file, *ca_file;
    const struct wire_method *methods;
    size_t method_count;
    struct wire_events events;
    void *app;
    unsigned threads;
    uint32_t streams_max, calls_max, connection_age_s;
    size_t message_bytes_max;
};
struct wire_server;
/* rpc.listen, rpc.certificate */
status wire_server_start(struct ctx *cx, const struct wire_server_options *options, struct wire_server **out_server);
uint16_t wire_server_port(const struct wire_server *server, size_t index);
/* The application refuses new calls by now. Waits for running ones up to the grace, then ends every connection. */
void wire_server_drain(struct wire_server *server, int grace_ms);
void wire_server_stop(struct wire_server *server); /* after drain */
uint64_t wire_server_in_flight(const struct wire_server *server);

/* ---- client ---- */

struct wire_channel;
struct wire_channel_options {
    const char *address, *server_name;
    struct str ca, cert, key; /* PEM */
    bool plain;
};
struct wire_channel *wire_channel_open(const struct wire_channel_options *options);
void wire_channel_close(struct wire_channel *channel);

/* How a client call ended, in the arena it was asked with. */
struct wire_outcome {
    status code;
    struct str message;
    struct str details; /* bytes of grpc-status-details-bin */
};
/* One request, one reply (copied into `arena`). `bytes` is taken. STATUS_OK in out_outcome->code: *out_reply is set. */
void wire_channel_call(struct wire_channel *channel, const char *path, struct wire_bytes *bytes, int64_t timeout_us,
                       struct arena *arena, struct str *out_reply, struct wire_outcome *out_outcome);

struct wire_stream;
struct wire_stream *wire_stream_open(struct wire_channel *channel, const char *path, int64_t timeout_us);
bool wire_stream_send(struct wire_stream *stream,
                      struct wire_bytes *bytes); /* false: the call is over, see wire_stream_end() */
bool wire_stream_sent_all(struct wire_stream *stream);
bool wire_stream_next(struct wire_stream *stream, struct arena *arena, struct str *out_reply); /* false: over */
void wire_stream_end(struct wire_stream *stream, struct arena *arena, struct wire_outcome *out_outcome); /* waits */
void wire_stream_cancel(struct wire_stream *stream); /* any thread */
void wire_stream_close(struct wire_stream *stream);

/* Unary calls, `in_flight` at a time, for `run_us`; every reply is checked for STATUS_OK and not being empty of bytes
 * when `reply_bytes_min` asks. Latencies in microseconds go into `latencies` (at most latencies_max). */
struct wire_load {
    const char *path;
    struct str request;
    unsigned in_flight;
    int64_t run_us;
    uint32_t *latencies;
    size_t latencies_max;
    uint64_t calls, failed; /* answers */
    size_t latency_count;
    int64_t took_us;
};
void wire_channel_load(struct wire_channel *channel, struct wire_load *load);
