/*
 * SHA-256: the journal's chain, content hashes, digests of projections.
 *
 * Uses OpenSSL's SHA256 functions directly: through EVP one hash of a few bytes costs several times as much, and the
 * journal makes one for every entry. Cannot fail, allocates nothing.
 *
 * Threads: pure; a struct crypto_sha256 belongs to one thread and may be copied to fork a hash.
 * Source:  [FIPS 180-4].
 */
#pragma once

#include "base/str.h"

enum { CRYPTO_SHA256_BYTES = 32, CRYPTO_SHA256_STATE_WORDS = 14 };

struct crypto_sha256 {
    uint64_t opaque[CRYPTO_SHA256_STATE_WORDS]; /* an OpenSSL SHA256_CTX; digest.c checks the size */
};

/* The hash of some bytes at once. */
void crypto_sha256(struct str bytes, uint8_t out_digest[CRYPTO_SHA256_BYTES]);

/* The same in pieces: init, update as often as needed, final once. The struct may be used again after another init. */
void crypto_sha256_init(struct crypto_sha256 *hash);
void crypto_sha256_update(struct crypto_sha256 *hash, const void *bytes, size_t len);
void crypto_sha256_final(struct crypto_sha256 *hash, uint8_t out_digest[CRYPTO_SHA256_BYTES]);
