/*
 * struct blocks: which records share a key. Open addressing; most keys belong to one record, which then stands in the
 * slot itself; the others chain 8-byte nodes from one pool. About 22 bytes per key and 8 per record of a shared key.
 *
 * Slots are in the order of the keys' hashes, so growing reads and writes memory straight through, and by a quarter
 * each time, so that the table is never less than five eighths full. All-zero is empty. Threads: one writer or many
 * readers (the index locks).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    uint64_t key;         /* 0 = free slot */
    uint32_t count, head; /* head: of one its record; of more the first node */
};
struct block_node {
    uint32_t record, next; /* next: 0 = none */
};
struct blocks {
    struct block *slots;
    size_t slots_cap, slots_used;
    struct block_node *nodes; /* node 0 is not used */
    size_t nodes_cap, nodes_used;
    uint32_t free_node;
};

void blocks_fini(struct blocks *blocks);
/* Room for so many keys more, so that it does not grow on the way. */
void blocks_reserve(struct blocks *blocks, size_t keys);
/*
 * The same in two steps, so that readers do not wait for the copying. False: there is room. Otherwise *out_grown takes
 * the place of *blocks (readers kept out), and then the old slots are freed.
 */
bool blocks_grown(const struct blocks *blocks, size_t keys, struct blocks *out_grown);
/* Both answer the number of records in the block afterwards. */
uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record);
uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record);
const struct block *blocks_get(const struct blocks *blocks, uint64_t key); /* NULL when nobody has the key */
/* Walks the records of a block, newest first: *cursor starts at 0; answers 0 at the end. */
uint32_t blocks_next(const struct blocks *blocks, const struct block *block, uint32_t *cursor);
/* Asks for the slots of several keys at once: one wait for memory instead of `count`. Before a run of the above. */
void blocks_prefetch(const struct blocks *blocks, const uint64_t *keys, size_t count);
size_t blocks_bytes(const struct blocks *blocks);
