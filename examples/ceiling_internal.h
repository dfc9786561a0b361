/*
 * The ceiling of what a reader could find in made-up people: see struct gen_ceiling.
 *
 * Memory: 12 bytes per slot of a table that is at most four fifths full, 16 per bare record. When 800 MB of slots are
 * full (some 20 million humans; dropping takes as much again for a moment), every second value is dropped, by its hash:
 * of those kept, all bearers are counted. Threads: one thread.
 */
#pragma once

#include "gen_internal.h"

#include "base/vec.h"

struct bare {
    uint64_t value; /* hash of name, birth date and sex */
    uint32_t human;
    uint32_t records; /* of that human, this one included */
};

struct ceiling {
    uint32_t sample; /* one of so many values is kept */
    uint64_t slots, used, slots_max;
    uint64_t *value; /* hash per slot; 0 = free */
    uint32_t *owner; /* the human it belongs to, or SHARED */
    VEC(struct bare) bare;
};

enum { CEILING_SLOTS_MAX = 1 << 26 };
void ceiling_init(struct ceiling *ceiling, uint64_t slots_max); /* a power of two from 1024 on */
void ceiling_fini(struct ceiling *ceiling);
void ceiling_add(struct ceiling *ceiling, const struct gen_human *human, const struct gen_record *records,
                 size_t count);
struct gen_ceiling ceiling_answer(const struct ceiling *ceiling);
