/*
 * An MLLP server: frames from senders into engine_submit(), answers back in order. Plain only on loopback or when the
 * configuration says so; otherwise TLS with client certificates. Source: [MLLP R1], docs/conformance/hl7v2.md.
 */
#pragma once

#include "base/loop.h"
#include "engine/engine.h"

struct mllp_source;

struct mllp_source_options {
    const char *source;       /* name, as routes know it */
    const char *listen;       /* "127.0.0.1:2575"; port 0 = any free one */
    struct crypto_tls *tls;   /* NULL = plain */
    bool allow_plain;         /* plain beyond loopback, explicitly */
    const char *const *peers; /* allowed certificate names; NULL = any that our CA signed */
    size_t peer_count;
    size_t connections_max;    /* 0 = LIMIT_MLLP_CONNECTIONS */
    size_t outstanding_max;    /* messages of one connection in the engine before we stop reading; 0 = 64 */
    size_t frame_max;          /* bytes of one message; 0 = LIMIT_MESSAGE_BYTES */
    int64_t idle_us, frame_us; /* 0 = 1 h, 30 s: silence between frames, time for one frame (or one TLS handshake) */
};

/*
 * What senders may rely on: noise around frames is skipped and counted and never disturbs the next message; a message
 * that is too long is answered AR (when its header can be read) and its connection closed; a frame that lacks only its
 * CR is taken when the line falls silent; answers go out in the order of the connection's messages. While the engine
 * has no room, a connection keeps its next message and reads no further: the sender waits, nobody else does. Closed for
 * good cause, with one log line: silence longer than idle_us, a frame slower than frame_us, only noise, TLS on a plain
 * port, answers not taken, a certificate that is not among `peers`.
 *
 * Strings of the options are copied.
 * `loop` is the accepting loop; the source lives until closed, on that loop's thread. engine.listen with the address.
 */
status mllp_source_open(struct loop *loop, struct ctx *cx, struct engine *engine,
                        const struct mllp_source_options *options, struct mllp_source **out_source);
uint16_t mllp_source_port(const struct mllp_source *source);

struct mllp_source_counts {
    uint64_t accepted, refused; /* connections: refused for their number, missing descriptors, their certificate */
    uint64_t connections;       /* open now */
    uint64_t messages, answers; /* handed to the engine; sent back */
    uint64_t no_room;           /* messages that had to wait for room in the engine */
    uint64_t noise_bytes, broken_frames, long_frames, empty_frames;
    uint64_t cut_off; /* connections closed for breaking a limit */
};
/* Of the source's whole life. On the loop's thread. */
struct mllp_source_counts mllp_source_counts(const struct mllp_source *source);

/*
 * Stops accepting and reading; answers outstanding are still sent; then closes. On the loop's thread, which must go on
 * running until every answer has come from the engine: `closed` (may be NULL) is called there when all is gone.
 */
void mllp_source_close(struct mllp_source *source, loop_fn *closed, void *arg);

extern const struct reason mllp_listen_reason; /* "engine.listen", FAILED_PRECONDITION */
