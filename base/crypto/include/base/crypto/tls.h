/*
 * TLS with certificates on both sides, as a state over bytes: ciphertext in, plaintext out, and back. No sockets here,
 * so it works under any event loop; base/crypto/stream.h puts it on a socket.
 *
 * TLS 1.2 at least, forward secrecy and AEAD only, no renegotiation, no session tickets (every connection proves its
 * certificate). A server demands a certificate that the CA signed; a client checks the server's chain and name.
 *
 * Threads: struct crypto_tls locks itself; a session belongs to one thread at a time.
 * Source:  RFC 8446, RFC 5246, RFC 6125 (names).
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

struct crypto_tls;
struct crypto_tls_session;

enum crypto_reason {
    CRYPTO_KEY_EXPOSED, /* crypto.key-exposed: a key file that others than its owner may read or write */
    CRYPTO_BAD_FILE,    /* crypto.bad-file: not PEM, certificate and key do not belong together, … */
    CRYPTO_PKI,         /* crypto.pki: making a key or a certificate failed */
    CRYPTO_REASON_COUNT
};
extern const struct reason crypto_reasons[CRYPTO_REASON_COUNT];

struct crypto_tls_options {
    bool server;
    const char *ca_path;   /* PEM: who may sign the other side's certificate */
    const char *cert_path; /* PEM: our certificate, then intermediates */
    const char *key_path;  /* PEM, mode 0600 or stricter */
};

/*
 * Reads the files; base.file, crypto.key-exposed, crypto.bad-file. Later sessions use new files by themselves when they
 * change on disk (looked at once a second at most); bad new files are logged once and the old ones stay in use.
 */
status crypto_tls_open(struct ctx *cx, const struct crypto_tls_options *options, struct crypto_tls **out_tls);
/* Sessions made from it stay usable. NULL is fine. */
void crypto_tls_close(struct crypto_tls *tls);

enum crypto_tls_state {
    CRYPTO_TLS_HANDSHAKE, /* not yet; nothing may be written */
    CRYPTO_TLS_OPEN,
    CRYPTO_TLS_CLOSED, /* the other side ended cleanly */
    CRYPTO_TLS_FAILED, /* crypto_tls_why() */
};

/* `server_name`: a client's expectation of the server's certificate (DNS name or IP literal); NULL for servers. */
struct crypto_tls_session *crypto_tls_session_new(struct crypto_tls *tls, const char *server_name);
void crypto_tls_session_free(struct crypto_tls_session *session); /* NULL is fine */

/* Begins (a client speaks first); appends to *to_send what must go to the other side. */
enum crypto_tls_state crypto_tls_start(struct crypto_tls_session *session, struct buf *to_send);
/* Takes received bytes; appends plaintext to *plain and answers for the other side (handshake, alerts) to *to_send. */
enum crypto_tls_state crypto_tls_feed(struct crypto_tls_session *session, struct str received, struct buf *plain,
                                      struct buf *to_send);
/* Encrypts; the session must be open. */
enum crypto_tls_state crypto_tls_write(struct crypto_tls_session *session, struct str plain, struct buf *to_send);
/* Says goodbye (close_notify). */
void crypto_tls_shutdown(struct crypto_tls_session *session, struct buf *to_send);

enum crypto_tls_state crypto_tls_state(const struct crypto_tls_session *session);
/* A static text: "certificate has expired", "unknown ca"; NULL before a failure. */
const char *crypto_tls_why(const struct crypto_tls_session *session);
/*
 * Did the other side refuse our certificate? Under TLS 1.3 a client hears of it after its own side is open: what it
 * wrote by then was never handed to the other program.
 */
bool crypto_tls_refused(const struct crypto_tls_session *session);

/*
 * Who the other side is, once open: the common name (if any) first, then DNS, URI and IP names of the subject
 * alternative name. Names with control characters are left out. Borrowed from the session; NUL-ended.
 */
size_t crypto_tls_peer_names(const struct crypto_tls_session *session, const struct str **out_names);
bool crypto_tls_peer_is(const struct crypto_tls_session *session, const char *name);
