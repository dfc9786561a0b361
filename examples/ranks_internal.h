/*
 * Few are common and many are rare: ranks as names, towns and streets have them.
 *
 * Zipf-Mandelbrot with exponent 1: rank r (from 0) has a share proportional to log2(1 + 1/(r + head)). So every octave
 * of ranks (head .. 2 head, 2 head .. 4 head, …) has the same share of the people. The most common one has log2(1 +
 * 1/head) / octaves of them, and there are head * (2^octaves - 1) ranks. Source: B. Mandelbrot, "An informational
 * theory of the statistical structure of language" (1953).
 */
#pragma once

#include <stdint.h>

struct gen_spread {
    uint16_t head;
    uint8_t octaves; /* at most 20 */
};

/* How many ranks there are. */
uint32_t gen_ranks(struct gen_spread spread);
/* The rank that even dice fell on, below gen_ranks(). Integers only: the same on every machine. */
uint32_t gen_rank(struct gen_spread spread, uint64_t dice);
