/*
 * struct map: open-addressing hash from byte strings to a 64-bit value (a number, an index, or a pointer).
 * Memory: copies keys into itself. Iteration order is insertion order (never addresses), unless something was removed.
 * Threads: one writer, or many readers.
 */
#pragma once

#include "base/str.h"

struct map_entry {
    struct str key;
    uint64_t value;
    uint64_t hash;
};

struct map {
    struct map_entry *entries; /* dense, in insertion order; removed ones have key.data == NULL */
    uint32_t *slots;           /* index + 1 into entries; 0 = free */
    size_t count, used, entries_cap, slots_cap;
};

void map_fini(struct map *map);
void map_clear(struct map *map);
/* The place of the key's value, created as 0 when absent (*out_added then true; out_added may be NULL). Valid until the
 * next put. */
uint64_t *map_put(struct map *map, struct str key, bool *out_added);
uint64_t *map_get(const struct map *map, struct str key); /* NULL when absent */
bool map_remove(struct map *map, struct str key);
