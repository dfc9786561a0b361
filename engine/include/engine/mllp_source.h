/*
 * An MLLP server: frames from senders into engine_submit(), answers back in order. Plain only on loopback or when the
 * configuration says so; otherwise TLS with client certificates. Source: [MLLP R1], docs/conformance/hl7v2.md.
 */
#pragma once

#include "base/loop.h"
#include "engine/engine.h"

struct mllp_source;

struct mllp_source_options {
    const char *source;        /* name, as routes know it */
    const char *listen;        /* "127.0.0.1:2575"; port 0 = any free one */
    struct crypto_tls *tls;    /* NULL = plain */
    bool allow_plain;          /* plain beyond loopback, explicitly */
    const char *const *peers;  /* allowed certificate names; NULL = any that our CA signed */
    size_t peer_count;
    size_t connections_max;    /* 0 = LIMIT_MLLP_CONNECTIONS */
    size_t outstanding_max;    /* messages of one connection in the engine before we stop reading; 0 = 64 */
    int64_t idle_us, frame_us; /* 0 = 1 h, 30 s: silence between frames, time for one frame */
};
/* `loop` is the accepting loop; the source lives until closed, on that loop's thread. engine.listen with the address. */
status mllp_source_open(struct loop *loop, struct ctx *cx, struct engine *engine, const struct mllp_source_options *options,
                        struct mllp_source **out_source);
uint16_t mllp_source_port(const struct mllp_source *source);
/* Stops accepting and reading; answers outstanding are still sent; then closes. On the loop's thread. */
void mllp_source_close(struct mllp_source *source);
