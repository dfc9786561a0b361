/*
 * struct blocks: which records share a key. Most keys belong to one record, which then stands in the slot itself; the
 * others chain 8-byte nodes from one pool, the first of which counts them. About 14 bytes per key, and 8 per record of
 * a shared key and 8 for their count.
 *
 * A key is a number of 60 bits, from block_key() on and everywhere. A large table is cut into shards by the first 12
 * bits of a key's hash, each a table of its own with open addressing, slots in the order of the hashes: the shard and
 * the 48 bits in the slot are the whole hash, and the hash gives back the key, so no two keys are ever taken for one
 * here. One shard grows at a time when it is four fifths full: with ten million people a step copies some 250 KB, and
 * no step is ever larger than that of one shard. A small table, which is walked and cleared often, is one shard, and
 * its slots have all 60 bits.
 *
 * Threads: one writer or many readers (the index sees to that).
 */
#pragma once

#include "base/chunks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BLOCK_KEY_BITS = 60,
    BLOCK_RECORD_MAX = 2147483647, /* the bit above tells records and nodes apart */
};

/* The key made of a hash of 64 bits. */
static inline uint64_t block_key(uint64_t hash)
{
    return hash >> (64 - BLOCK_KEY_BITS);
}

/* The records of a key, until something changes. */
struct block {
    uint32_t count; /* 0: nobody has the key */
    uint32_t head;  /* of one its record; of more the first node */
};
struct block_node {
    uint32_t record, next; /* next: 0 = none. The one before the first: how many there are, the first */
};
/* A slot is a few words of two bytes, so that there is no room between slots: a record, or with the first bit set the
 * node that counts, 0 = free; then the hash. */
typedef uint16_t block_slot;
struct shard {
    block_slot *slots;
    uint32_t cap, used;
};
enum blocks_size { BLOCKS_SMALL, BLOCKS_LARGE };
struct blocks {
    struct shard *shards;
    uint32_t shard_bits, slot_words;
    size_t slot_count;               /* of all shards */
    CHUNKS(struct block_node) nodes; /* node 0 is not used */
    uint32_t nodes_used, free_node;
    struct blocks *places; /* (key, record) to node, for keys of very many records; NULL = there is none yet */
};

/* *blocks is all-zero before. */
void blocks_init(struct blocks *blocks, enum blocks_size size);
void blocks_fini(struct blocks *blocks);
/* Forgets everything, keeps the memory when it is little. */
void blocks_clear(struct blocks *blocks);
/* Room for so many keys more, so that it does not grow on the way. */
void blocks_reserve(struct blocks *blocks, size_t keys);
/* Both answer the number of records in the block afterwards. */
uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record);
uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record);
struct block blocks_get(const struct blocks *blocks, uint64_t key);
/* Walks the records of a block, of few newest first: *cursor starts at 0; answers 0 at the end. */
uint32_t blocks_next(const struct blocks *blocks, struct block block, uint32_t *cursor);
bool blocks_holds(const struct blocks *blocks, uint64_t key, uint32_t record);
/* Every key with every record, in the order of the keys' hashes. */
void blocks_each(const struct blocks *blocks, void (*visit)(void *arg, uint64_t key, uint32_t record), void *arg);
/* The same part by part: a key is always in the same one, and all its records with it. */
size_t blocks_parts(const struct blocks *blocks);
void blocks_each_in(const struct blocks *blocks, size_t part, void (*visit)(void *arg, uint64_t key, uint32_t record),
                    void *arg);
/* Asks for the slots of several keys at once: one wait for memory instead of `count`. Before a run of the above. */
void blocks_prefetch(const struct blocks *blocks, const uint64_t *keys, size_t count);
size_t blocks_bytes(const struct blocks *blocks);
