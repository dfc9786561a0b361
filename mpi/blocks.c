#include "blocks_internal.h"

#include "base/mem.h"

#include <sys/mman.h>

void blocks_fini(struct blocks *blocks)
{
    mem_free(blocks->slots);
    mem_free(blocks->nodes);
    *blocks = (struct blocks){0};
}

/* The hash's place on the way from 0 to its greatest value, as a place on the way through the slots. */
static size_t home_slot(size_t cap, uint64_t key)
{
    uint64_t hash = key * 0x9E3779B97F4A7C15ull;
    return (size_t)((hash >> 32) * cap >> 32);
}

static size_t find_slot(const struct block *slots, size_t cap, uint64_t key)
{
    size_t slot = home_slot(cap, key);
    while (slots[slot].key != 0 && slots[slot].key != key)
        slot = slot + 1 < cap ? slot + 1 : 0;
    return slot;
}

/* Looked at here and there, so every look would also miss the translation of its address: ask for large pages. */
static struct block *make_slots(size_t cap)
{
    enum { LARGE_PAGE_BYTES = 2 << 20 };
    struct block *slots = mem_array(cap, sizeof *slots);
    uintptr_t begin = ((uintptr_t)slots + LARGE_PAGE_BYTES - 1) & -(uintptr_t)LARGE_PAGE_BYTES;
    uintptr_t end = (uintptr_t)(slots + cap) & -(uintptr_t)LARGE_PAGE_BYTES;
    if (begin < end)
        (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE); /* refused: slower, nothing else */
    return slots;
}

/* Leaves blocks that became empty behind. */
bool blocks_grown(const struct blocks *blocks, size_t keys, struct blocks *out_grown)
{
    if ((blocks->slots_used + keys) * 5 <= blocks->slots_cap * 4)
        return false;
    struct blocks grown = *blocks;
    grown.slots_used = 0;
    for (size_t i = 0; i < blocks->slots_cap; i++)
        grown.slots_used += blocks->slots[i].count != 0;
    size_t want = grown.slots_used + keys;
    grown.slots_cap = 1024 + want + want / 2 + want / 16; /* 64 % full then, 80 % when it grows again */
    grown.slots = make_slots(grown.slots_cap);
    for (size_t i = 0; i < blocks->slots_cap; i++)
        if (blocks->slots[i].count != 0)
            grown.slots[find_slot(grown.slots, grown.slots_cap, blocks->slots[i].key)] = blocks->slots[i];
    *out_grown = grown;
    return true;
}

void blocks_reserve(struct blocks *blocks, size_t keys)
{
    struct blocks grown;
    if (!blocks_grown(blocks, keys, &grown))
        return;
    mem_free(blocks->slots);
    *blocks = grown;
}

static uint32_t take_node(struct blocks *blocks, struct block_node node)
{
    uint32_t at = blocks->free_node;
    if (at) {
        blocks->free_node = blocks->nodes[at].next;
    } else {
        if (blocks->nodes_used + 1 >= blocks->nodes_cap) {
            blocks->nodes_cap += blocks->nodes_cap / 8 + 1024;
            blocks->nodes = mem_grow(blocks->nodes, blocks->nodes_cap, sizeof *blocks->nodes);
        }
        at = (uint32_t)++blocks->nodes_used;
    }
    blocks->nodes[at] = node;
    return at;
}

static void give_node(struct blocks *blocks, uint32_t at)
{
    blocks->nodes[at] = (struct block_node){0, blocks->free_node};
    blocks->free_node = at;
}

uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record)
{
    blocks_reserve(blocks, 1);
    struct block *block = &blocks->slots[find_slot(blocks->slots, blocks->slots_cap, key)];
    if (block->key == 0) {
        block->key = key;
        blocks->slots_used++;
    }
    if (block->count == 0) {
        block->head = record;
        return block->count = 1;
    }
    if (block->count == 1)
        block->head = take_node(blocks, (struct block_node){block->head, 0});
    block->head = take_node(blocks, (struct block_node){record, block->head});
    return ++block->count;
}

static void remove_chained(struct blocks *blocks, struct block *block, uint32_t record)
{
    uint32_t *link = &block->head;
    while (*link && blocks->nodes[*link].record != record)
        link = &blocks->nodes[*link].next;
    uint32_t gone = *link;
    if (gone == 0)
        return;
    *link = blocks->nodes[gone].next;
    give_node(blocks, gone);
    if (--block->count > 1)
        return;
    uint32_t last = block->head; /* alone again: back into the slot */
    block->head = blocks->nodes[last].record;
    give_node(blocks, last);
}

uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record)
{
    if (blocks->slots_cap == 0)
        return 0;
    struct block *block = &blocks->slots[find_slot(blocks->slots, blocks->slots_cap, key)];
    if (block->count > 1)
        remove_chained(blocks, block, record);
    else if (block->count == 1 && block->head == record)
        block->count = block->head = 0;
    return block->count;
}

const struct block *blocks_get(const struct blocks *blocks, uint64_t key)
{
    if (blocks->slots_cap == 0)
        return NULL;
    const struct block *block = &blocks->slots[find_slot(blocks->slots, blocks->slots_cap, key)];
    return block->count ? block : NULL;
}

uint32_t blocks_next(const struct blocks *blocks, const struct block *block, uint32_t *cursor)
{
    if (block->count == 1) {
        bool first = *cursor == 0;
        *cursor = 1;
        return first ? block->head : 0;
    }
    uint32_t node = *cursor ? blocks->nodes[*cursor].next : block->head;
    if (node == 0)
        return 0;
    *cursor = node;
    return blocks->nodes[node].record;
}

void blocks_prefetch(const struct blocks *blocks, const uint64_t *keys, size_t count)
{
    if (blocks->slots_cap == 0)
        return;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&blocks->slots[home_slot(blocks->slots_cap, keys[i])]);
}

size_t blocks_bytes(const struct blocks *blocks)
{
    return blocks->slots_cap * sizeof *blocks->slots + blocks->nodes_cap * sizeof *blocks->nodes;
}
