/*
 * The two halves of the MLLP server: mllp_source.c accepts and watches over limits, mllp_connection.c talks.
 *
 * Threads: all on the loop's thread, except the mailbox, into which engine threads put answers.
 */
#pragma once

#include "base/crypto/stream.h"
#include "base/limits.h"
#include "base/net.h"
#include "base/vec.h"
#include "engine/mllp_source.h"
#include "hl7v2/mllp.h"

#include <pthread.h>

enum {
    MLLP_CHUNK_BYTES = 64 * 1024, /* one read */
    MLLP_OUTSTANDING_MAX = 64,
    MLLP_UNREAD_ANSWER_BYTES = 1024 * 1024,     /* a peer that takes no answers is not read any further */
    MLLP_PARTIAL_BYTES_MAX = 256 * 1024 * 1024, /* unfinished frames of all connections of a source together */
    MLLP_NOISE_BYTES_MAX = 64 * 1024,           /* between two frames: no MLLP is spoken here */
};

struct mllp_connection;

/* One message in the engine, in the order of its connection. Its address is the engine's callback argument. */
struct mllp_turn {
    struct mllp_connection *connection;
    struct mllp_turn *next;
    struct buf early; /* framed answers that came before the turns ahead had theirs */
    bool answered;    /* the last answer came */
};

struct mllp_chunk {
    struct mllp_chunk *next;
    char bytes[MLLP_CHUNK_BYTES];
};

struct mllp_connection {
    struct mllp_source *source;
    struct mllp_connection *next, *previous;
    struct crypto_stream stream;
    struct loop_watch *watch; /* NULL once the socket is closed */
    struct mllp_reader reader;
    struct mllp_chunk *chunk;       /* holds input the reader has not used up yet (plain only) */
    struct mllp_turn *first, *last; /* messages in the engine */
    size_t outstanding;
    struct mllp_turn *held_turn; /* the last one, when its message found no room in the engine: reading has stopped */
    struct str held;             /* that message, still in the reader */
    int64_t held_received_us;
    struct engine_room room;
    size_t partial_counted; /* of mllp_pending(), as added to source->partial_bytes */
    int64_t opened_us, frame_since_us, last_frame_us, last_byte_us, send_since_us, linger_since_us;
    uint64_t noise_before; /* of the reader's count, up to the last frame */
    bool input_waits;      /* the reader holds input that waits for room in the engine */
    bool room_due;         /* the engine will say, or has said, that there is room; not heard on the loop yet */
    bool reading_ended;    /* no more input: the peer closed, or we decided so */
    bool greeted;          /* TLS is open and the certificate is allowed; plain: from the start */
    bool lingers;          /* read the rest away before closing */
    bool noise_logged;
    bool flush_due;
    struct mllp_connection *next_flush;
    char peer[NET_PEER_BYTES];
    struct str principal; /* borrowed from the session */
};

/* An answer on its way from an engine thread to the loop. */
struct mllp_letter {
    struct mllp_turn *turn;
    size_t len; /* of its framed bytes in the mailbox */
    bool last;
};

struct mllp_mailbox {
    VEC(struct mllp_letter) letters;
    struct buf bytes;
};

struct mllp_source {
    struct loop *loop;
    struct engine *engine;
    struct mllp_source_options options; /* strings are our own copies in `arena` */
    struct arena arena;
    int listen_fd, reserve_fd;
    uint16_t port;
    struct loop_watch *listen_watch;
    struct loop_timer *sweep_timer, *accept_timer;
    struct mllp_connection *connections;
    struct mllp_source_counts counts;
    size_t partial_bytes;
    int64_t refusal_logged_us;
    struct mllp_turn *free_turns;
    struct mllp_chunk *free_chunks;
    size_t free_chunk_count;
    size_t objects; /* connections, open or waiting for answers: the source is freed after the last */
    bool closing;
    loop_fn *closed;
    void *closed_arg;

    pthread_mutex_t mailbox_lock;
    struct mllp_mailbox mailbox; /* under mailbox_lock */
    struct mllp_mailbox opening; /* the loop's own, swapped with the above */
};

/* mllp_connection.c */
void mllp_connection_open(struct mllp_source *source, int fd, const char *peer);
void mllp_connection_sweep(struct mllp_connection *connection, int64_t now_us);
void mllp_connection_stop_reading(struct mllp_connection *connection);
/* One log line, no more input, and no more patience: the socket is closed now. */
void mllp_connection_cut_off(struct mllp_connection *connection, const char *why);

/* mllp_source.c: the last connection is gone; frees a closing source. */
void mllp_source_settle(struct mllp_source *source);
