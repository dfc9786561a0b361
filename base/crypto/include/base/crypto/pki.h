/*
 * A small certificate authority of one's own: for the demo, for tests, and for sites that have none yet.
 *
 * Keys are EC P-256. Key files are written with mode 0600, every file atomically (a temporary name, then rename).
 * Errors: crypto.pki, crypto.bad-file, crypto.key-exposed, base.file.
 * Source: RFC 5280.
 */
#pragma once

#include "base/crypto/tls.h"

struct crypto_pki_request {
    const char *common_name;
    bool server; /* usable as a server; else as a client */
    const char *const
        *names; /* subject alternative names: "idem.example", "127.0.0.1", "::1", "urn:…" or "https://…" (URI) */
    size_t name_count;
    int64_t not_before_us, not_after_us; /* UTC; 0 = five minutes ago, 825 days from now */
};

/* A self-signed CA for ten years. */
status crypto_pki_make_ca(struct ctx *cx, const char *common_name, const char *cert_path, const char *key_path);

/* A new key and a certificate for it, signed by the CA. */
status crypto_pki_issue(struct ctx *cx, const char *ca_cert_path, const char *ca_key_path,
                        const struct crypto_pki_request *request, const char *cert_path, const char *key_path);

/* When the (first) certificate of a PEM file ends, UTC microseconds. */
status crypto_pki_expiry(struct ctx *cx, const char *cert_path, int64_t *out_us);
