/*
 * Who lives with whom, who is whose twin, junior, wife or grandmother; where they lived before.
 *
 * Humans are numbered through. Thirty-two in a row are a neighbourhood, and its dice decide how it falls into
 * households, so the household of any human is computed alone, from numbers only. Names are numbers here
 * (names_internal.h). Threads: pure functions.
 */
#pragma once

#include "examples/gen.h"
#include "names_internal.h"
#include "place_internal.h"

enum { GEN_NEIGHBOURHOOD = 32, GEN_HOUSE_MAX = 8, GEN_NO_NAME = UINT32_MAX };

/* A name before it is spelt; `culture` NULL = none. */
struct gen_family_name {
    const struct gen_culture *culture;
    uint32_t number;
};

struct gen_member {
    const struct gen_culture *culture; /* of given and middle name */
    struct date birth;
    uint8_t age;
    bool female;
    bool away;    /* a grown child with a home of its own */
    uint8_t twin; /* 0, or who of the two was born first (1) and second (2) */
    enum gen_namesake namesake;
    uint8_t married_years;                                        /* how long ago; 0 = not married */
    uint32_t given, middle;                                       /* middle: GEN_NO_NAME = none */
    struct gen_family_name family, second_family, married_family; /* the last only when marriage changed the name */
    struct gen_family_name mother_family;
    const struct gen_culture *mother_culture;
    uint32_t mother_given;
};

struct gen_house {
    uint64_t first; /* index of the first member: the number of the household */
    uint32_t size, town;
    struct gen_member members[GEN_HOUSE_MAX];
};

/* The household in which human `index` was born, married, or lives. */
void gen_house_of(const struct gen *gen, uint64_t index, struct gen_house *out_house);

/* Where the member lived, and the telephone it gave, so many years ago. */
void gen_home_at(const struct gen *gen, const struct gen_house *house, uint64_t index, uint32_t years_ago,
                 struct gen_home *out_home);
void gen_phone_at(const struct gen *gen, const struct gen_house *house, uint64_t index, uint32_t years_ago,
                  bool of_household, char out_digits[11]);
