/*
 * What `idem send` sends: messages cut out of files, each with what became of it.
 *
 * Workers take messages by number from `next`, so one worker keeps the order of the files.
 * Threads: `next` and `done` are atomic; an outcome belongs to the worker that took its message.
 */
#pragma once

#include "line.h"

#include <stdatomic.h>

enum send_state {
    SEND_NOT_SENT,  /* nothing of it left */
    SEND_ANSWERED,  /* ack_code says */
    SEND_NO_ANSWER, /* sent, and no answer came: it may have arrived */
};

struct send_item {
    struct str message; /* borrowed from the mapped file */
    const char *file;
    uint32_t number; /* in its file, from 1 */
    enum send_state state;
    char ack_code[4];
    char reason[96]; /* reason name, or what the other side says, or why it was not sent */
    char verdict[16];
    uint64_t seq, person;
    bool duplicate;
    int64_t took_us;
};

struct send_job {
    struct cli_target target;
    const char *source; /* gRPC: as named in the routes */
    const char *to;     /* MLLP: "host:port"; NULL = gRPC */
    bool tls;           /* MLLP over TLS */
    struct send_item *items;
    size_t count;
    atomic_size_t next, done;
    atomic_bool failed; /* a connection broke: others finish what they have and stop */
};

/* Everything a worker does, from connecting to closing. On failure cx says why; messages not sent stay SEND_NOT_SENT.
 */
typedef status send_worker_fn(struct send_job *job, struct ctx *cx);
status send_over_grpc(struct send_job *job, struct ctx *cx);
status send_over_mllp(struct send_job *job, struct ctx *cx);

/* The next message to send, or NULL. */
struct send_item *send_take(struct send_job *job);
/* Copies `text`, cut to fit. */
void send_note(struct send_item *item, struct str text);
