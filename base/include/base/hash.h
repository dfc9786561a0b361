/*
 * Checksums that are not secrets: CRC-32C (Castagnoli) for stored entries. SHA-256 lives in base/crypto.
 * Source: RFC 3720 B.4 (CRC-32C test vectors). Uses SSE4.2 where the processor has it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t hash_crc32c(uint32_t seed, const void *bytes, size_t len); /* seed 0 to begin; chainable */

/* splitmix64 step: a seeded generator for tests, samples and jitter; never for secrets. */
uint64_t hash_random(uint64_t *state);
