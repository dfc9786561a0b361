#include "base/crypto/random.h"

#include "base/mem.h"

#include <limits.h>
#include <openssl/rand.h>

void crypto_random(void *out_bytes, size_t len)
{
    if (len > INT_MAX || RAND_bytes(out_bytes, (int)len) != 1)
        mem_panic("crypto_random", "no random bytes");
}
