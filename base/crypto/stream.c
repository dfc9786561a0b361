#include "base/crypto/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_KEEP_BYTES = 256 * 1024 }; /* a larger buffer is given back once it is empty */

void crypto_stream_init(struct crypto_stream *stream, int fd, struct crypto_tls *tls, const char *server_name)
{
    *stream = (struct crypto_stream){.fd = fd};
    if (tls == NULL)
        return;
    stream->tls = crypto_tls_session_new(tls, server_name);
    if (crypto_tls_start(stream->tls, &stream->out) == CRYPTO_TLS_FAILED)
        stream->why = crypto_tls_why(stream->tls);
}

void crypto_stream_fini(struct crypto_stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    crypto_tls_session_free(stream->tls);
    buf_fini(&stream->out);
    buf_fini(&stream->plain);
    *stream = (struct crypto_stream){.fd = -1};
}

bool crypto_stream_is_open(const struct crypto_stream *stream)
{
    return stream->tls == NULL || crypto_tls_state(stream->tls) == CRYPTO_TLS_OPEN;
}

static const char *errno_why(int error)
{
    switch (error) {
    case ECONNRESET:
        return "connection reset";
    case EPIPE:
        return "connection closed by the other side";
    case ETIMEDOUT:
        return "connection timed out";
    case ECONNREFUSED:
        return "connection refused";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "no route to the host";
    default:
        return "connection failed";
    }
}

static enum crypto_stream_event decrypt(struct crypto_stream *stream, struct str received, struct str *out_bytes)
{
    buf_clear(&stream->plain);
    enum crypto_tls_state state = crypto_tls_feed(stream->tls, received, &stream->plain, &stream->out);
    if (stream->plain.len > 0) { /* data before a goodbye is still data; the state is seen at the next read */
        *out_bytes = buf_str(&stream->plain);
        return CRYPTO_STREAM_DATA;
    }
    if (state == CRYPTO_TLS_FAILED) {
        stream->why = crypto_tls_why(stream->tls);
        return CRYPTO_STREAM_FAILED;
    }
    return state == CRYPTO_TLS_CLOSED ? CRYPTO_STREAM_END : CRYPTO_STREAM_WAIT;
}

enum crypto_stream_event crypto_stream_read(struct crypto_stream *stream, char *scratch, size_t scratch_size,
                                            struct str *out_bytes, bool *out_full)
{
    *out_full = false;
    if (stream->tls && crypto_tls_state(stream->tls) >= CRYPTO_TLS_CLOSED)
        return decrypt(stream, STR_NONE, out_bytes);
    ssize_t got;
    do
        got = recv(stream->fd, scratch, scratch_size, 0);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return CRYPTO_STREAM_END;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return CRYPTO_STREAM_WAIT;
    if (got < 0) {
        stream->why = errno_why(errno);
        return CRYPTO_STREAM_FAILED;
    }
    stream->bytes_in += (size_t)got;
    *out_full = (size_t)got == scratch_size;
    struct str received = str_make(scratch, (size_t)got);
    if (stream->tls)
        return decrypt(stream, received, out_bytes);
    *out_bytes = received;
    return CRYPTO_STREAM_DATA;
}

void crypto_stream_put(struct crypto_stream *stream, struct str bytes)
{
    if (stream->tls == NULL) {
        buf_put_str(&stream->out, bytes);
        return;
    }
    if (crypto_tls_write(stream->tls, bytes, &stream->out) == CRYPTO_TLS_FAILED)
        stream->why = crypto_tls_why(stream->tls);
}

void crypto_stream_goodbye(struct crypto_stream *stream)
{
    if (stream->tls)
        crypto_tls_shutdown(stream->tls, &stream->out);
}

bool crypto_stream_flush(struct crypto_stream *stream)
{
    while (stream->sent < stream->out.len) {
        ssize_t put = send(stream->fd, stream->out.data + stream->sent, stream->out.len - stream->sent, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (stream->sent >
                OUT_KEEP_BYTES) { /* else a peer that is always a little behind would let it grow for ever */
                buf_drop_front(&stream->out, stream->sent);
                stream->sent = 0;
            }
            return true;
        }
        if (put < 0) {
            stream->why = errno_why(errno);
            return false;
        }
        stream->sent += (size_t)put;
        stream->bytes_out += (size_t)put;
    }
    stream->sent = 0;
    buf_clear(&stream->out);
    if (stream->out.cap > OUT_KEEP_BYTES)
        buf_fini(&stream->out);
    return true;
}
