/*
 * struct blocks: which records share a key. Most keys belong to one record, which then stands in the slot itself; the
 * others chain 8-byte nodes from one pool. About 22 bytes per key and 8 per record of a shared key.
 *
 * The table is cut into shards by the first bits of a key's hash, each a table of its own with open addressing, slots
 * in the order of the hashes. One shard grows at a time, by half, when it is four fifths full: with 4096 of them and
 * ten million people a step copies some 400 KB, and no step is ever larger than that of one shard.
 *
 * Threads: one writer or many readers (the index sees to that).
 */
#pragma once

#include "base/chunks.h"

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
struct shard {
    struct block *slots;
    uint32_t cap, used;
};
struct blocks {
    struct shard *shards;
    uint32_t shard_bits;
    size_t slot_count;               /* of all shards */
    CHUNKS(struct block_node) nodes; /* node 0 is not used */
    uint32_t nodes_used, free_node;
    struct blocks *places; /* (key, record) to node, for keys of very many records; NULL = there is none yet */
};

/* *blocks is all-zero before. 2^shard_bits shards, at most 2^16. */
void blocks_init(struct blocks *blocks, uint32_t shard_bits);
void blocks_fini(struct blocks *blocks);
/* Forgets everything, keeps the memory when it is little. */
void blocks_clear(struct blocks *blocks);
/* Room for so many keys more, so that it does not grow on the way. */
void blocks_reserve(struct blocks *blocks, size_t keys);
/* Both answer the number of records in the block afterwards. A key is never 0. */
uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record);
uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record);
const struct block *blocks_get(const struct blocks *blocks, uint64_t key); /* NULL when nobody has the key */
/* Walks the records of a block, of few newest first: *cursor starts at 0; answers 0 at the end. */
uint32_t blocks_next(const struct blocks *blocks, const struct block *block, uint32_t *cursor);
bool blocks_holds(const struct blocks *blocks, uint64_t key, uint32_t record);
/* Every key with every record, in the order of the keys' hashes. */
void blocks_each(const struct blocks *blocks, void (*visit)(void *arg, uint64_t key, uint32_t record), void *arg);
/* Asks for the slots of several keys at once: one wait for memory instead of `count`. Before a run of the above. */
void blocks_prefetch(const struct blocks *blocks, const uint64_t *keys, size_t count);
size_t blocks_bytes(const struct blocks *blocks);
