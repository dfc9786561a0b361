/*
 * Dice that always fall the same way: an even 64-bit number for (seed, subject, what it decides).
 * Threads: pure.
 */
#pragma once

#include "base/hash.h"

enum gen_salt {
    GEN_SALT_HOUSE = 1,
    GEN_SALT_CULTURE,
    GEN_SALT_FAMILY,
    GEN_SALT_GIVEN,
    GEN_SALT_MIDDLE,
    GEN_SALT_BODY, /* sex and birth */
    GEN_SALT_MOTHER,
    GEN_SALT_MARRIAGE,
    GEN_SALT_HOME,
    GEN_SALT_PHONE,
    GEN_SALT_SOURCES,
    GEN_SALT_HABIT,
    GEN_SALT_ERROR,
    GEN_SALT_MESSAGE,
};

static inline uint64_t gen_throw(uint64_t seed, uint64_t subject, enum gen_salt salt)
{
    uint64_t state = seed * 0x9E3779B97F4A7C15u + subject;
    state = hash_random(&state) ^ ((uint64_t)salt << 56);
    return hash_random(&state);
}

/* Part `n` of one throw, 0 .. sides-1; different n are independent enough for samples. */
static inline uint32_t gen_part(uint64_t dice, unsigned n, uint32_t sides)
{
    uint64_t state = dice + n;
    return (uint32_t)((hash_random(&state) >> 32) * sides >> 32);
}

/* Does part `n` of the throw fall into so many of a hundred? */
static inline bool gen_chance(uint64_t dice, unsigned n, uint32_t percent)
{
    return gen_part(dice, n, 100) < percent;
}
