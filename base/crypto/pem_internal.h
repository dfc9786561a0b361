/* Shared by the files of this room: reading keys, and OpenSSL's own words for what went wrong. */
#pragma once

#include "base/ctx.h"

#include <openssl/ssl.h>

struct crypto_tls;

/* A private key whose file only its owner may touch; never asks a terminal for a password. Free with EVP_PKEY_free().
 */
status pem_read_key(struct ctx *cx, const char *path, EVP_PKEY **out_key);
status pem_read_cert(struct ctx *cx, const char *path, X509 **out_cert);

/* Static text for the newest error of this thread's queue, which is emptied. */
const char *pem_last_error(void);
void pem_clear_errors(void);

/* A fresh SSL of the files in use now. */
SSL *tls_session_ssl(struct crypto_tls *tls);
