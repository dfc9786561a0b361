#include "base/crypto/tls.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "pem_internal.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/stat.h>

#include <openssl/ssl.h>

const struct reason crypto_reasons[CRYPTO_REASON_COUNT] = {
    [CRYPTO_KEY_EXPOSED] = {"crypto.key-exposed", STATUS_FAILED_PRECONDITION, 207, "a private key is open to others"},
    [CRYPTO_BAD_FILE] = {"crypto.bad-file", STATUS_FAILED_PRECONDITION, 207, "a certificate or key cannot be used"},
    [CRYPTO_PKI] = {"crypto.pki", STATUS_INTERNAL, 207, "a key or certificate cannot be made"},
};

enum { PATH_COUNT = 3, LOOK_AGAIN_US = 1000 * 1000 };

/* What a file looked like when it was read: another inode, size or time means that it was replaced. */
struct stamp {
    uint64_t inode, size;
    int64_t seconds, nanoseconds;
};

struct stamps {
    struct stamp of[PATH_COUNT];
};

struct crypto_tls {
    bool server;
    char *paths[PATH_COUNT]; /* CA, certificate, key */
    pthread_mutex_t lock;
    SSL_CTX *current;    /* under lock */
    struct stamps tried; /* under lock: the files last read, whether they were good or not */
    int64_t looked_us;   /* under lock */
};

static struct stamps stamps_now(const struct crypto_tls *tls)
{
    struct stamps stamps = {0};
    for (size_t i = 0; i < PATH_COUNT; i++) {
        struct stat info;
        if (stat(tls->paths[i], &info) == 0)
            stamps.of[i] = (struct stamp){(uint64_t)info.st_ino, (uint64_t)info.st_size, info.st_mtim.tv_sec,
                                          info.st_mtim.tv_nsec};
    }
    return stamps;
}

/* ---- contexts ---- */

static status bad_file(struct ctx *cx, const char *path)
{
    return ctx_fail(cx, &crypto_reasons[CRYPTO_BAD_FILE], "%s: %s", path, pem_last_error());
}

static status use_ca(struct ctx *cx, SSL_CTX *context, const char *path, bool server)
{
    if (SSL_CTX_load_verify_file(context, path) != 1)
        return bad_file(cx, path);
    if (!server)
        return STATUS_OK;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path);
    if (names == NULL)
        return bad_file(cx, path);
    SSL_CTX_set_client_CA_list(context, names);
    return STATUS_OK;
}

static status use_files(struct ctx *cx, const struct crypto_tls *tls, SSL_CTX *context)
{
    TRY(use_ca(cx, context, tls->paths[0], tls->server));
    if (SSL_CTX_use_certificate_chain_file(context, tls->paths[1]) != 1)
        return bad_file(cx, tls->paths[1]);
    EVP_PKEY *key = NULL;
    TRY(pem_read_key(cx, tls->paths[2], &key));
    int used = SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    return used ? STATUS_OK : bad_file(cx, tls->paths[2]);
}

static void harden(SSL_CTX *context, bool server)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN); /* send what the file holds, no CAs */
    SSL_CTX_set_verify(context, server ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_verify_depth(context, 8);
}

static status context_make(struct ctx *cx, const struct crypto_tls *tls, SSL_CTX **out_context)
{
    pem_clear_errors();
    SSL_CTX *context = SSL_CTX_new(tls->server ? TLS_server_method() : TLS_client_method());
    if (context == NULL)
        return ctx_fail(cx, &crypto_reasons[CRYPTO_BAD_FILE], "%s", pem_last_error());
    harden(context, tls->server);
    status used = use_files(cx, tls, context);
    pem_clear_errors();
    if (used != STATUS_OK) {
        SSL_CTX_free(context);
        return used;
    }
    *out_context = context;
    return STATUS_OK;
}

status crypto_tls_open(struct ctx *cx, const struct crypto_tls_options *options, struct crypto_tls **out_tls)
{
    struct crypto_tls *tls = mem_alloc(sizeof *tls);
    tls->server = options->server;
    const char *paths[PATH_COUNT] = {options->ca_path, options->cert_path, options->key_path};
    for (size_t i = 0; i < PATH_COUNT; i++)
        tls->paths[i] = mem_copy(paths[i], strlen(paths[i]) + 1);
    pthread_mutex_init(&tls->lock, NULL);
    tls->tried = stamps_now(tls); /* before reading: a change in between is seen later */
    tls->looked_us = clock_mono_us();
    status made = context_make(cx, tls, &tls->current);
    if (made != STATUS_OK) {
        crypto_tls_close(tls);
        return made;
    }
    *out_tls = tls;
    return STATUS_OK;
}

void crypto_tls_close(struct crypto_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->current);
    for (size_t i = 0; i < PATH_COUNT; i++)
        mem_free(tls->paths[i]);
    pthread_mutex_destroy(&tls->lock);
    mem_free(tls);
}

/* Files that changed since they were last tried are read; only good ones replace what is in use. */
static void refresh_locked(struct crypto_tls *tls)
{
    int64_t now_us = clock_mono_us();
    if (now_us - tls->looked_us < LOOK_AGAIN_US)
        return;
    tls->looked_us = now_us;
    struct stamps stamps = stamps_now(tls);
    if (memcmp(&stamps, &tls->tried, sizeof stamps) == 0)
        return;
    tls->tried = stamps;
    struct arena arena;
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena};
    SSL_CTX *fresh = NULL;
    if (context_make(&cx, tls, &fresh) == STATUS_OK) {
        SSL_CTX_free(tls->current);
        tls->current = fresh;
        log_event(LOG_INFO, "tls.reloaded", LOG_NAME("certificate", tls->paths[1]));
    } else {
        log_event(LOG_ERROR, "tls.kept-old-files", LOG_WHY(&cx), LOG_NAME("certificate", tls->paths[1]));
    }
    arena_fini(&arena);
}

SSL *tls_session_ssl(struct crypto_tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    refresh_locked(tls);
    SSL *ssl = SSL_new(tls->current); /* keeps the context by its own count */
    pthread_mutex_unlock(&tls->lock);
    if (ssl == NULL)
        mem_panic("crypto_tls_session_new", "no memory for a session");
    if (tls->server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return ssl;
}
