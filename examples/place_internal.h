/*
 * The made-up country: eight states, some two thousand towns from three large cities down to hamlets, postcodes that
 * belong to one town, streets whose names repeat from town to town, telephone areas nobody was ever given.
 * Threads: pure functions.
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

enum { GEN_STATES = 8, GEN_HOME_TEXT = 64 };

struct gen_home {
    uint32_t town;
    char line[GEN_HOME_TEXT], city[GEN_HOME_TEXT];
    char postcode[6], state[3];
};

/* The town that dice fell on, and the state it lies in (0 .. GEN_STATES-1). */
uint32_t gen_town_pick(uint64_t dice);
uint32_t gen_town_state(uint32_t town);
/* A dwelling in that town. */
void gen_settle(uint32_t town, uint64_t dice, struct gen_home *out_home);
/* Ten digits, within the areas of that town. */
void gen_telephone(uint32_t town, uint64_t dice, char out_digits[11]);
