/*
 * struct blocks: which records share a key. Open addressing, chains of 8-byte nodes from one pool.
 * All-zero is empty. Threads: one writer or many readers (the index locks).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    uint64_t key; /* 0 = free slot */
    uint32_t head, count; /* node number, 0 = none */
};
struct block_node {
    uint32_t record, next;
};
struct blocks {
    struct block *slots;
    size_t slots_cap, slots_used;
    struct block_node *nodes; /* node 0 is not used */
    size_t nodes_cap, nodes_used;
    uint32_t free_node;
};

void blocks_fini(struct blocks *blocks);
/* Both answer the number of records in the block afterwards. */
uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record);
uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record);
const struct block *blocks_get(const struct blocks *blocks, uint64_t key); /* NULL when nobody has the key */
size_t blocks_bytes(const struct blocks *blocks);
