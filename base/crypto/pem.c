#include "pem_internal.h"

#include "base/buf.h"
#include "base/crypto/tls.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

enum { PEM_BYTES_MAX = 64 * 1024 };

const char *pem_last_error(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL; /* static strings of OpenSSL's tables */
    ERR_clear_error();
    return text ? text : "no reason given";
}

void pem_clear_errors(void)
{
    ERR_clear_error();
}

/* OpenSSL would ask on the terminal otherwise. */
static int no_password(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

static status read_pem(struct ctx *cx, const char *path, bool secret, char out_text[PEM_BYTES_MAX], size_t *out_len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info = {0};
    if (fd < 0 || fstat(fd, &info) != 0) {
        status failed = ctx_fail(cx, &file_reason, "open %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return failed;
    }
    status judged = STATUS_OK;
    if (secret && (info.st_mode & 077) != 0)
        judged = ctx_fail(cx, &crypto_reasons[CRYPTO_KEY_EXPOSED], "%s has mode %04o, at most 0600 is taken", path,
                          info.st_mode & 07777);
    else if (!S_ISREG(info.st_mode) || info.st_size >= PEM_BYTES_MAX)
        judged =
            ctx_fail(cx, &crypto_reasons[CRYPTO_BAD_FILE], "%s is no file of less than %d bytes", path, PEM_BYTES_MAX);
    size_t len = 0;
    while (judged == STATUS_OK && len < PEM_BYTES_MAX) {
        ssize_t got = read(fd, out_text + len, PEM_BYTES_MAX - len);
        if (got < 0 && errno != EINTR)
            judged = ctx_fail(cx, &file_reason, "read %s: %s", path, strerror(errno));
        if (got == 0)
            break;
        if (got > 0)
            len += (size_t)got;
    }
    close(fd);
    *out_len = len;
    return judged;
}

status pem_read_key(struct ctx *cx, const char *path, EVP_PKEY **out_key)
{
    char text[PEM_BYTES_MAX];
    size_t len = 0;
    status read = read_pem(cx, path, true, text, &len);
    if (read == STATUS_OK) {
        BIO *bio = BIO_new_mem_buf(text, (int)len);
        EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
        BIO_free(bio);
        if (key)
            *out_key = key;
        else
            read = ctx_fail(cx, &crypto_reasons[CRYPTO_BAD_FILE], "%s: %s", path, pem_last_error());
    }
    OPENSSL_cleanse(text, sizeof text);
    return read;
}

status pem_read_cert(struct ctx *cx, const char *path, X509 **out_cert)
{
    char text[PEM_BYTES_MAX];
    size_t len = 0;
    TRY(read_pem(cx, path, false, text, &len));
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    BIO_free(bio);
    if (cert == NULL)
        return ctx_fail(cx, &crypto_reasons[CRYPTO_BAD_FILE], "%s: %s", path, pem_last_error());
    *out_cert = cert;
    return STATUS_OK;
}
