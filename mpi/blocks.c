#include "blocks_internal.h"

#include "base/mem.h"

void blocks_fini(struct blocks *blocks)
{
    mem_free(blocks->slots);
    mem_free(blocks->nodes);
    *blocks = (struct blocks){0};
}

static size_t find_slot(const struct block *slots, size_t cap, uint64_t key)
{
    size_t mask = cap - 1;
    size_t slot = (size_t)(key * 0x9E3779B97F4A7C15ull >> 20) & mask;
    while (slots[slot].key != 0 && slots[slot].key != key)
        slot = (slot + 1) & mask;
    return slot;
}

/* Doubles, and leaves blocks that became empty behind. */
static void grow(struct blocks *blocks)
{
    size_t live = 0;
    for (size_t i = 0; i < blocks->slots_cap; i++)
        live += blocks->slots[i].head != 0;
    size_t cap = 1024;
    while (cap * 5 < (live + 1) * 8)
        cap *= 2;
    struct block *slots = mem_array(cap, sizeof *slots);
    for (size_t i = 0; i < blocks->slots_cap; i++)
        if (blocks->slots[i].head != 0)
            slots[find_slot(slots, cap, blocks->slots[i].key)] = blocks->slots[i];
    mem_free(blocks->slots);
    blocks->slots = slots;
    blocks->slots_cap = cap;
    blocks->slots_used = live;
}

static uint32_t take_node(struct blocks *blocks)
{
    if (blocks->free_node) {
        uint32_t node = blocks->free_node;
        blocks->free_node = blocks->nodes[node].next;
        return node;
    }
    if (blocks->nodes_used + 1 >= blocks->nodes_cap) {
        blocks->nodes_cap = blocks->nodes_cap ? blocks->nodes_cap + blocks->nodes_cap / 2 : 1024;
        blocks->nodes = mem_grow(blocks->nodes, blocks->nodes_cap, sizeof *blocks->nodes);
    }
    return (uint32_t)++blocks->nodes_used;
}

uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record)
{
    if ((blocks->slots_used + 1) * 10 > blocks->slots_cap * 8)
        grow(blocks);
    struct block *block = &blocks->slots[find_slot(blocks->slots, blocks->slots_cap, key)];
    if (block->key == 0) {
        block->key = key;
        blocks->slots_used++;
    }
    uint32_t node = take_node(blocks);
    blocks->nodes[node] = (struct block_node){record, block->head};
    block->head = node;
    return ++block->count;
}

uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record)
{
    if (blocks->slots_cap == 0)
        return 0;
    struct block *block = &blocks->slots[find_slot(blocks->slots, blocks->slots_cap, key)];
    for (uint32_t *link = &block->head; *link; link = &blocks->nodes[*link].next) {
        uint32_t node = *link;
        if (blocks->nodes[node].record != record)
            continue;
        *link = blocks->nodes[node].next;
        blocks->nodes[node] = (struct block_node){0, blocks->free_node};
        blocks->free_node = node;
        block->count--;
        break;
    }
    return block->count;
}

const struct block *blocks_get(const struct blocks *blocks, uint64_t key)
{
    if (blocks->slots_cap == 0)
        return NULL;
    const struct block *block = &blocks->slots[find_slot(blocks->slots, blocks->slots_cap, key)];
    return block->head ? block : NULL;
}

size_t blocks_bytes(const struct blocks *blocks)
{
    return blocks->slots_cap * sizeof *blocks->slots + blocks->nodes_cap * sizeof *blocks->nodes;
}
