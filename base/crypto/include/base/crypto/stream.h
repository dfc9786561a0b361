/*
 * struct crypto_stream: a connected non-blocking socket, plain or TLS, with what still waits to be sent.
 *
 * The owner watches the descriptor: EPOLLIN always when it wants to read, EPOLLOUT while crypto_stream_is_sending().
 *
 * Memory:  owns the socket and the session from init to fini; all-zero with fd -1 is the empty state.
 * Threads: one thread at a time.
 */
#pragma once

#include "base/buf.h"
#include "base/crypto/tls.h"

struct crypto_stream {
    int fd;
    struct crypto_tls_session *tls; /* NULL = plain */
    struct buf out;                 /* bytes for the wire; the first `sent` are gone */
    size_t sent;
    struct buf plain;             /* what the last read decrypted */
    uint64_t bytes_in, bytes_out; /* on the wire */
    const char *why;              /* static; why reading or sending failed */
};

/* Takes the socket. `tls` NULL = plain; else the handshake begins (flush, then read until crypto_stream_is_open()). */
void crypto_stream_init(struct crypto_stream *stream, int fd, struct crypto_tls *tls, const char *server_name);
/* Closes at once, without a goodbye; see crypto_stream_goodbye(). */
void crypto_stream_fini(struct crypto_stream *stream);

enum crypto_stream_event {
    CRYPTO_STREAM_DATA,   /* *out_bytes has some: borrowed until the next call; there may be more */
    CRYPTO_STREAM_WAIT,   /* nothing now */
    CRYPTO_STREAM_END,    /* the other side closed */
    CRYPTO_STREAM_FAILED, /* stream->why */
};

/*
 * One recv(2) into `scratch`. *out_full: the scratch was filled, so there is probably more to read right now. A TLS
 * handshake may leave an answer (or the alert that goes with a failure) in `out`: flush after reading.
 */
enum crypto_stream_event crypto_stream_read(struct crypto_stream *stream, char *scratch, size_t scratch_size,
                                            struct str *out_bytes, bool *out_full);

/* May bytes be put? Plain: yes; TLS: once the handshake is done. */
bool crypto_stream_is_open(const struct crypto_stream *stream);
/* Queues bytes (encrypting them); nothing is sent before the flush. */
void crypto_stream_put(struct crypto_stream *stream, struct str bytes);
/* Queues TLS's goodbye. */
void crypto_stream_goodbye(struct crypto_stream *stream);
/* Sends what can be sent with one send(2), again while the socket takes all. False: the connection is gone
 * (stream->why). */
bool crypto_stream_flush(struct crypto_stream *stream);
static inline bool crypto_stream_is_sending(const struct crypto_stream *stream)
{
    return stream->out.len > stream->sent;
}
static inline size_t crypto_stream_waiting(const struct crypto_stream *stream)
{
    return stream->out.len - stream->sent;
}
