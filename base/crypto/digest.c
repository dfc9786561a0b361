#define OPENSSL_SUPPRESS_DEPRECATED /* the direct functions: see the header */
#include "base/crypto/digest.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct crypto_sha256), "the opaque state holds OpenSSL's");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct crypto_sha256), "and is aligned for it");

void crypto_sha256_init(struct crypto_sha256 *hash)
{
    SHA256_Init((SHA256_CTX *)(void *)hash->opaque);
}

void crypto_sha256_update(struct crypto_sha256 *hash, const void *bytes, size_t len)
{
    if (len > 0)
        SHA256_Update((SHA256_CTX *)(void *)hash->opaque, bytes, len);
}

void crypto_sha256_final(struct crypto_sha256 *hash, uint8_t out_digest[CRYPTO_SHA256_BYTES])
{
    SHA256_Final(out_digest, (SHA256_CTX *)(void *)hash->opaque);
}

void crypto_sha256(struct str bytes, uint8_t out_digest[CRYPTO_SHA256_BYTES])
{
    struct crypto_sha256 hash;
    crypto_sha256_init(&hash);
    crypto_sha256_update(&hash, bytes.data, bytes.len);
    crypto_sha256_final(&hash, out_digest);
}
