/*
 * mTLS credentials of the server. The fetcher is called by core for every handshake, on whatever thread polls: it
 * compares the files' stamps and reads them only when one changed. A pair that does not fit keeps the old one in use.
 */
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "rpc/reasons.h"
#include "wire_grpc.h"

#include <pthread.h>
#include <sys/stat.h>

enum { PEM_BYTES_MAX = 1024 * 1024, FILES = 3 };

struct stamp {
    int64_t seconds, nanoseconds;
    uint64_t inode;
    int64_t size;
};

struct wire_creds {
    char *paths[FILES]; /* certificate, key, CA */
    struct stamp stamps[FILES];
    bool loaded;
    pthread_mutex_t lock;
};

struct wire_creds *wire_creds_new(const char *cert_file, const char *key_file, const char *ca_file)
{
    struct wire_creds *creds = mem_alloc(sizeof *creds);
    const char *paths[FILES] = {cert_file, key_file, ca_file};
    for (size_t i = 0; i < FILES; i++)
        creds->paths[i] = mem_copy(paths[i], strlen(paths[i]) + 1);
    pthread_mutex_init(&creds->lock, NULL);
    return creds;
}

void wire_creds_free(struct wire_creds *creds)
{
    if (creds == NULL)
        return;
    for (size_t i = 0; i < FILES; i++)
        mem_free(creds->paths[i]);
    pthread_mutex_destroy(&creds->lock);
    mem_free(creds);
}

status wire_creds_check(struct ctx *cx, const struct wire_creds *creds)
{
    for (size_t i = 0; i < FILES; i++) {
        SCOPED(buf_fini) struct buf pem = {0};
        TRY(file_read(cx, creds->paths[i], PEM_BYTES_MAX, &pem));
        if (memmem(pem.data, pem.len, "-----BEGIN ", 11) == NULL)
            return ctx_fail(cx, &rpc_reasons[RPC_CERTIFICATE], "%s holds no PEM", creds->paths[i]);
    }
    return STATUS_OK;
}

static bool stamp_of(const char *path, struct stamp *out_stamp)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return false;
    *out_stamp = (struct stamp){info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_ino, info.st_size};
    return true;
}

/* NULL when a file cannot be read. */
static grpc_ssl_server_certificate_config *read_config(struct wire_creds *creds)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct buf pem[FILES] = {0};
    grpc_ssl_server_certificate_config *config = NULL;
    bool good = true;
    for (size_t i = 0; i < FILES && good; i++) {
        good = file_read(&cx, creds->paths[i], PEM_BYTES_MAX, &pem[i]) == STATUS_OK;
        buf_put_byte(&pem[i], 0);
    }
    if (good) {
        grpc_ssl_pem_key_cert_pair pair = {.private_key = pem[1].data, .cert_chain = pem[0].data};
        config = grpc_ssl_server_certificate_config_create(pem[2].data, &pair, 1);
    }
    for (size_t i = 0; i < FILES; i++) {
        if (pem[i].data)
            explicit_bzero(pem[i].data, pem[i].len);
        buf_fini(&pem[i]);
    }
    arena_fini(&arena);
    return config;
}

static grpc_ssl_certificate_config_reload_status fetch(void *arg, grpc_ssl_server_certificate_config **out_config)
{
    struct wire_creds *creds = arg;
    grpc_ssl_certificate_config_reload_status answer = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    pthread_mutex_lock(&creds->lock);
    struct stamp now[FILES];
    bool there = true;
    for (size_t i = 0; i < FILES; i++)
        there = there && stamp_of(creds->paths[i], &now[i]);
    if (!there) {
        answer = creds->loaded ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    } else if (!creds->loaded || memcmp(now, creds->stamps, sizeof now) != 0) {
        /* remembered even when the read fails or the pair does not fit: the next change is what helps, not the next
         * handshake */
        memcpy(creds->stamps, now, sizeof now);
        grpc_ssl_server_certificate_config *config = read_config(creds);
        if (config) {
            if (creds->loaded)
                log_event(LOG_INFO, "rpc.certificate-read-again", LOG_NAME("file", creds->paths[0]));
            creds->loaded = true;
            *out_config = config;
            answer = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
        } else if (!creds->loaded) {
            answer = GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
        }
    }
    pthread_mutex_unlock(&creds->lock);
    return answer;
}

grpc_server_credentials *wire_creds_server(struct wire_creds *creds)
{
    grpc_ssl_server_credentials_options *options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, fetch, creds);
    return grpc_ssl_server_credentials_create_with_options(options); /* takes the options */
}
