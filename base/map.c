#include "base/map.h"

#include "base/mem.h"

void map_fini(struct map *map)
{
    map_clear(map);
    mem_free(map->entries);
    mem_free(map->slots);
    *map = (struct map){0};
}

void map_clear(struct map *map)
{
    for (size_t i = 0; i < map->used; i++)
        mem_free((void *)map->entries[i].key.data);
    if (map->slots_cap)
        memset(map->slots, 0, map->slots_cap * sizeof *map->slots);
    map->count = map->used = 0;
}

static size_t find_slot(const struct map *map, struct str key, uint64_t hash)
{
    size_t mask = map->slots_cap - 1;
    size_t slot = hash & mask;
    while (map->slots[slot] != 0) {
        const struct map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->key.data && entry->hash == hash && str_eq(entry->key, key))
            return slot;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void rebuild(struct map *map)
{
    size_t kept = 0; /* squeeze removed entries out first */
    for (size_t i = 0; i < map->used; i++)
        if (map->entries[i].key.data)
            map->entries[kept++] = map->entries[i];
    map->used = kept;
    size_t cap = 16;
    while (cap < kept * 4)
        cap *= 2;
    mem_free(map->slots);
    map->slots = mem_array(cap, sizeof *map->slots);
    map->slots_cap = cap;
    for (size_t i = 0; i < kept; i++) {
        size_t slot = map->entries[i].hash & (cap - 1);
        while (map->slots[slot] != 0)
            slot = (slot + 1) & (cap - 1);
        map->slots[slot] = (uint32_t)i + 1;
    }
}

uint64_t *map_put(struct map *map, struct str key, bool *out_added)
{
    if ((map->used + 1) * 2 > map->slots_cap)
        rebuild(map);
    uint64_t hash = str_hash(key);
    size_t slot = find_slot(map, key, hash);
    bool added = map->slots[slot] == 0;
    if (out_added)
        *out_added = added;
    if (!added)
        return &map->entries[map->slots[slot] - 1].value;
    if (map->used == map->entries_cap) {
        map->entries_cap = map->entries_cap ? map->entries_cap * 2 : 16;
        map->entries = mem_grow(map->entries, map->entries_cap, sizeof *map->entries);
    }
    char *copy = mem_grow(NULL, key.len + 1, 1);
    if (key.len)
        memcpy(copy, key.data, key.len);
    copy[key.len] = 0;
    map->entries[map->used] = (struct map_entry){.key = {copy, key.len}, .hash = hash};
    map->slots[slot] = (uint32_t)++map->used;
    map->count++;
    return &map->entries[map->used - 1].value;
}

uint64_t *map_get(const struct map *map, struct str key)
{
    if (map->slots_cap == 0)
        return NULL;
    size_t slot = find_slot(map, key, str_hash(key));
    return map->slots[slot] ? &map->entries[map->slots[slot] - 1].value : NULL;
}

bool map_remove(struct map *map, struct str key)
{
    if (map->slots_cap == 0)
        return false;
    size_t slot = find_slot(map, key, str_hash(key));
    if (map->slots[slot] == 0)
        return false;
    struct map_entry *entry = &map->entries[map->slots[slot] - 1]; /* the slot stays: a tombstone without key */
    mem_free((void *)entry->key.data);
    entry->key = STR_NONE;
    map->count--;
    return true;
}
