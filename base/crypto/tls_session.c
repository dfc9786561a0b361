#include "base/crypto/tls.h"
#include "base/invariant.h"

#include "base/mem.h"
#include "base/vec.h"
#include "pem_internal.h"

#include <arpa/inet.h>
#include <limits.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { PEER_NAME_BYTES_MAX = 256 };

struct crypto_tls_session {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    enum crypto_tls_state state;
    const char *why;
    bool refused;
    struct arena arena;    /* peer names */
    VEC(struct str) names; /* a certificate's length bounds them */
};

static void expect_server(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *checks = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    struct in6_addr numeric;
    int set;
    if (inet_pton(AF_INET, name, &numeric) == 1 || inet_pton(AF_INET6, name, &numeric) == 1)
        set = X509_VERIFY_PARAM_set1_ip_asc(checks, name);
    else
        set = SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
    if (set != 1)
        mem_panic("crypto_tls_session_new", "the server's name cannot be set");
}

struct crypto_tls_session *crypto_tls_session_new(struct crypto_tls *tls, const char *server_name)
{
    struct crypto_tls_session *session = mem_alloc(sizeof *session);
    session->ssl = tls_session_ssl(tls);
    session->in = BIO_new(BIO_s_mem());
    session->out = BIO_new(BIO_s_mem());
    if (session->in == NULL || session->out == NULL)
        mem_panic("crypto_tls_session_new", "no memory for a session");
    BIO_set_mem_eof_return(session->in, -1);
    SSL_set_bio(session->ssl, session->in, session->out);
    if (server_name)
        expect_server(session->ssl, server_name);
    arena_init(&session->arena, 0);
    return session;
}

void crypto_tls_session_free(struct crypto_tls_session *session)
{
    if (session == NULL)
        return;
    SSL_free(session->ssl);
    VEC_FINI(&session->names);
    arena_fini(&session->arena);
    mem_free(session);
}

/* ---- names ---- */

static void add_name(struct crypto_tls_session *session, struct str name)
{
    if (name.len == 0 || name.len > PEER_NAME_BYTES_MAX)
        return;
    for (size_t i = 0; i < name.len; i++)
        if ((uint8_t)name.data[i] < ' ' || name.data[i] == 127)
            return; /* a NUL would make two programs read two names; line ends would forge log lines */
    *VEC_ADD(&session->names) = arena_str(&session->arena, name);
}

static void add_common_name(struct crypto_tls_session *session, X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return;
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0)
        add_name(session, str_make(text, (size_t)len));
    OPENSSL_free(text);
}

static void add_alternative_name(struct crypto_tls_session *session, const GENERAL_NAME *name)
{
    if (name->type == GEN_DNS || name->type == GEN_URI) {
        const ASN1_IA5STRING *text = name->type == GEN_DNS ? name->d.dNSName : name->d.uniformResourceIdentifier;
        add_name(session, str_make(ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text)));
    } else if (name->type == GEN_IPADD) {
        char text[INET6_ADDRSTRLEN];
        int len = ASN1_STRING_length(name->d.iPAddress);
        const unsigned char *bytes = ASN1_STRING_get0_data(name->d.iPAddress);
        if ((len == 4 || len == 16) && inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text))
            add_name(session, str_from(text));
    }
}

static void learn_names(struct crypto_tls_session *session)
{
    X509 *cert = SSL_get0_peer_certificate(session->ssl);
    if (cert == NULL)
        return;
    add_common_name(session, cert);
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        add_alternative_name(session, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
}

size_t crypto_tls_peer_names(const struct crypto_tls_session *session, const struct str **out_names)
{
    *out_names = session->names.at;
    return session->names.count;
}

bool crypto_tls_peer_is(const struct crypto_tls_session *session, const char *name)
{
    for (size_t i = 0; i < session->names.count; i++)
        if (str_is(session->names.at[i], name))
            return true;
    return false;
}

/* ---- the state ---- */

static bool is_refusal(unsigned long code)
{
    switch (ERR_GET_REASON(code)) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

static void fail(struct crypto_tls_session *session)
{
    unsigned long code = ERR_peek_last_error();
    session->refused = is_refusal(code);
    long verified = SSL_get_verify_result(session->ssl);
    if (verified != X509_V_OK && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        session->why = X509_verify_cert_error_string(verified);
    else
        session->why = pem_last_error();
    session->state = CRYPTO_TLS_FAILED;
}

static void judge(struct crypto_tls_session *session, int result)
{
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return;
    case SSL_ERROR_ZERO_RETURN:
        session->state = CRYPTO_TLS_CLOSED;
        return;
    default:
        fail(session);
    }
}

static void shake_hands(struct crypto_tls_session *session)
{
    int done = SSL_do_handshake(session->ssl);
    if (done != 1) {
        judge(session, done);
        return;
    }
    session->state = CRYPTO_TLS_OPEN;
    learn_names(session);
}

static void collect(struct crypto_tls_session *session, struct buf *to_send)
{
    char *bytes = NULL;
    long len = BIO_get_mem_data(session->out, &bytes);
    if (len > 0)
        buf_put(to_send, bytes, (size_t)len);
    (void)BIO_reset(session->out);
}

enum crypto_tls_state crypto_tls_start(struct crypto_tls_session *session, struct buf *to_send)
{
    pem_clear_errors();
    shake_hands(session);
    collect(session, to_send);
    return session->state;
}

static void read_plain(struct crypto_tls_session *session, struct buf *plain)
{
    for (;;) {
        size_t got = 0;
        buf_reserve(plain, 16 * 1024);
        int done = SSL_read_ex(session->ssl, plain->data + plain->len, 16 * 1024, &got);
        if (done != 1) {
            judge(session, done);
            return;
        }
        plain->len += got;
    }
}

enum crypto_tls_state crypto_tls_feed(struct crypto_tls_session *session, struct str received, struct buf *plain,
                                      struct buf *to_send)
{
    if (session->state >= CRYPTO_TLS_CLOSED)
        return session->state;
    pem_clear_errors();
    INVARIANT(received.len <= INT_MAX);
    if (received.len > 0 && BIO_write(session->in, received.data, (int)received.len) != (int)received.len)
        mem_panic("crypto_tls_feed", "no memory for received bytes");
    if (session->state == CRYPTO_TLS_HANDSHAKE)
        shake_hands(session);
    if (session->state == CRYPTO_TLS_OPEN)
        read_plain(session, plain);
    collect(session, to_send);
    return session->state;
}

enum crypto_tls_state crypto_tls_write(struct crypto_tls_session *session, struct str plain, struct buf *to_send)
{
    if (session->state != CRYPTO_TLS_OPEN || plain.len == 0)
        return session->state;
    pem_clear_errors();
    size_t put = 0;
    int done = SSL_write_ex(session->ssl, plain.data, plain.len, &put); /* memory takes all of it at once */
    if (done != 1)
        fail(session);
    collect(session, to_send);
    return session->state;
}

void crypto_tls_shutdown(struct crypto_tls_session *session, struct buf *to_send)
{
    if (session->state != CRYPTO_TLS_OPEN && session->state != CRYPTO_TLS_CLOSED)
        return;
    pem_clear_errors();
    IGNORE((status)(SSL_shutdown(session->ssl) < 0)); /* best effort: the connection ends anyway */
    pem_clear_errors();
    collect(session, to_send);
}

enum crypto_tls_state crypto_tls_state(const struct crypto_tls_session *session)
{
    return session->state;
}

const char *crypto_tls_why(const struct crypto_tls_session *session)
{
    return session->why;
}

bool crypto_tls_refused(const struct crypto_tls_session *session)
{
    return session->refused;
}
