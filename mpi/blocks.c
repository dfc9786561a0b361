#include "blocks_internal.h"

#include "base/invariant.h"

#include <string.h>

enum {
    SHARD_SLOTS_MIN = 8,
    BIG = 1024, /* records of one key; of more, each one's node is found by a table of its own */
};

void blocks_init(struct blocks *blocks, uint32_t shard_bits)
{
    INVARIANT(shard_bits <= 16);
    blocks->shard_bits = shard_bits;
    blocks->shards = mem_array((size_t)1 << shard_bits, sizeof *blocks->shards);
}

static size_t shard_count(const struct blocks *blocks)
{
    return (size_t)1 << blocks->shard_bits;
}

void blocks_fini(struct blocks *blocks)
{
    if (blocks->shards == NULL)
        return;
    for (size_t i = 0; i < shard_count(blocks); i++)
        mem_free(blocks->shards[i].slots);
    mem_free(blocks->shards);
    blocks->shards = NULL;
    if (blocks->places)
        blocks_fini(blocks->places);
    mem_free(blocks->places);
    blocks->places = NULL;
    CHUNKS_FINI(&blocks->nodes);
}

void blocks_clear(struct blocks *blocks)
{
    enum { KEEP_SLOTS = 1 << 16 };
    for (size_t i = 0; i < shard_count(blocks); i++) {
        struct shard *shard = &blocks->shards[i];
        blocks->slot_count -= shard->cap;
        if (shard->cap > KEEP_SLOTS) {
            mem_free(shard->slots);
            *shard = (struct shard){0};
        } else if (shard->used > 0) {
            memset(shard->slots, 0, shard->cap * sizeof *shard->slots);
            shard->used = 0;
        }
        blocks->slot_count += shard->cap;
    }
    blocks->nodes_used = blocks->free_node = 0;
    if (blocks->places)
        blocks_clear(blocks->places);
}

/* Where a key's hash stands on the way from 0 to its greatest value says which shard it is in, and where there. */
static uint64_t hash_of(uint64_t key)
{
    return key * 0x9E3779B97F4A7C15ull;
}

static struct shard *shard_of(const struct blocks *blocks, uint64_t key)
{
    return &blocks->shards[hash_of(key) >> 32 >> (32 - blocks->shard_bits)];
}

static uint32_t home_slot(const struct blocks *blocks, uint32_t cap, uint64_t key)
{
    return (uint32_t)((hash_of(key) << blocks->shard_bits >> 32) * cap >> 32);
}

static struct block *find_slot(const struct blocks *blocks, const struct shard *shard, uint64_t key)
{
    uint32_t slot = home_slot(blocks, shard->cap, key);
    while (shard->slots[slot].key != 0 && shard->slots[slot].key != key)
        slot = slot + 1 < shard->cap ? slot + 1 : 0;
    return &shard->slots[slot];
}

/* Leaves blocks that became empty behind. Every shard takes a little more than the one before it, so that shards which
 * fill alike do not all grow in the same moment. */
static void grow_shard(struct blocks *blocks, struct shard *shard, size_t keys)
{
    struct shard old = *shard;
    size_t want = keys;
    for (uint32_t i = 0; i < old.cap; i++)
        want += old.slots[i].count != 0;
    size_t more = (size_t)(shard - blocks->shards) * 0x9E37 % 256; /* 56 to 64 % full then, 80 % when it grows again */
    size_t cap = SHARD_SLOTS_MIN + want + want / 2 + want / 16 + want * more / 1024;
    INVARIANT(cap < UINT32_MAX);
    *shard = (struct shard){.slots = mem_array(cap, sizeof *shard->slots), .cap = (uint32_t)cap};
    for (uint32_t i = 0; i < old.cap; i++) {
        if (old.slots[i].count == 0)
            continue;
        *find_slot(blocks, shard, old.slots[i].key) = old.slots[i];
        shard->used++;
    }
    blocks->slot_count += shard->cap - old.cap;
    mem_free(old.slots);
}

static bool is_full(const struct shard *shard, size_t keys)
{
    return (shard->used + keys) * 5 > (size_t)shard->cap * 4;
}

void blocks_reserve(struct blocks *blocks, size_t keys)
{
    size_t each = keys / shard_count(blocks);
    for (size_t i = 0; i < shard_count(blocks) && each > 0; i++)
        if (is_full(&blocks->shards[i], each))
            grow_shard(blocks, &blocks->shards[i], each);
}

static uint32_t take_node(struct blocks *blocks, struct block_node node)
{
    uint32_t at = blocks->free_node;
    if (at) {
        blocks->free_node = CHUNK_AT(&blocks->nodes, at)->next;
    } else {
        INVARIANT(blocks->nodes_used < UINT32_MAX);
        at = ++blocks->nodes_used;
    }
    *CHUNK_ADD(&blocks->nodes, at) = node;
    return at;
}

static void give_node(struct blocks *blocks, uint32_t at)
{
    *CHUNK_AT(&blocks->nodes, at) = (struct block_node){0, blocks->free_node};
    blocks->free_node = at;
}

static void remove_chained(struct blocks *blocks, struct block *block, uint32_t record)
{
    uint32_t *link = &block->head;
    while (*link && CHUNK_AT(&blocks->nodes, *link)->record != record)
        link = &CHUNK_AT(&blocks->nodes, *link)->next;
    uint32_t gone = *link;
    if (gone == 0)
        return;
    *link = CHUNK_AT(&blocks->nodes, gone)->next;
    give_node(blocks, gone);
    if (--block->count > 1)
        return;
    uint32_t last = block->head; /* alone again: back into the slot */
    block->head = CHUNK_AT(&blocks->nodes, last)->record;
    give_node(blocks, last);
}

/* ---- big blocks: nobody walks a million records to take one out ---- */

static uint64_t place_key(uint64_t key, uint32_t record)
{
    uint64_t mixed = (key ^ (key >> 29)) * 0xBF58476D1CE4E5B9ull + record;
    mixed = (mixed ^ mixed >> 32) * 0x94D049BB133111EBull;
    return (mixed ^ mixed >> 31) | 1;
}

/* The node of a record; 0 = not in the block. */
static uint32_t find_node(const struct blocks *blocks, uint64_t key, uint32_t record)
{
    const struct block *place = blocks_get(blocks->places, place_key(key, record));
    uint32_t cursor = 0, node;
    while (place && (node = blocks_next(blocks->places, place, &cursor)) != 0)
        if (CHUNK_AT(&blocks->nodes, node)->record == record)
            return node;
    return 0;
}

static void note_node(struct blocks *blocks, uint64_t key, uint32_t node)
{
    (void)blocks_add(blocks->places, place_key(key, CHUNK_AT(&blocks->nodes, node)->record), node);
}

static void forget_node(struct blocks *blocks, uint64_t key, uint32_t node)
{
    (void)blocks_remove(blocks->places, place_key(key, CHUNK_AT(&blocks->nodes, node)->record), node);
}

static void note_all(struct blocks *blocks, const struct block *block)
{
    if (blocks->places == NULL) {
        blocks->places = mem_alloc(sizeof *blocks->places);
        blocks_init(blocks->places, blocks->shard_bits);
    }
    for (uint32_t node = block->head; node; node = CHUNK_AT(&blocks->nodes, node)->next)
        note_node(blocks, block->key, node);
}

static void forget_all(struct blocks *blocks, const struct block *block)
{
    for (uint32_t node = block->head; node; node = CHUNK_AT(&blocks->nodes, node)->next)
        forget_node(blocks, block->key, node);
}

/* The first one takes the place of the one that goes. */
static void remove_big(struct blocks *blocks, struct block *block, uint32_t record)
{
    uint32_t gone = find_node(blocks, block->key, record), head = block->head;
    if (gone == 0)
        return;
    forget_node(blocks, block->key, gone);
    struct block_node first = *CHUNK_AT(&blocks->nodes, head);
    if (gone != head) {
        forget_node(blocks, block->key, head);
        CHUNK_AT(&blocks->nodes, gone)->record = first.record;
        note_node(blocks, block->key, gone);
    }
    block->head = first.next;
    give_node(blocks, head);
    if (--block->count == BIG)
        forget_all(blocks, block);
}

uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record)
{
    INVARIANT(key != 0 && record != 0);
    struct shard *shard = shard_of(blocks, key);
    if (is_full(shard, 1))
        grow_shard(blocks, shard, 1);
    struct block *block = find_slot(blocks, shard, key);
    if (block->key == 0) {
        block->key = key;
        shard->used++;
    }
    if (block->count == 0) {
        block->head = record;
        return block->count = 1;
    }
    if (block->count == 1)
        block->head = take_node(blocks, (struct block_node){block->head, 0});
    block->head = take_node(blocks, (struct block_node){record, block->head});
    if (++block->count == BIG + 1)
        note_all(blocks, block);
    else if (block->count > BIG)
        note_node(blocks, key, block->head);
    return block->count;
}

uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record)
{
    struct shard *shard = shard_of(blocks, key);
    if (shard->cap == 0)
        return 0;
    struct block *block = find_slot(blocks, shard, key);
    if (block->count > BIG)
        remove_big(blocks, block, record);
    else if (block->count > 1)
        remove_chained(blocks, block, record);
    else if (block->count == 1 && block->head == record)
        block->count = block->head = 0;
    return block->count;
}

const struct block *blocks_get(const struct blocks *blocks, uint64_t key)
{
    const struct shard *shard = shard_of(blocks, key);
    if (shard->cap == 0)
        return NULL;
    const struct block *block = find_slot(blocks, shard, key);
    return block->count ? block : NULL;
}

uint32_t blocks_next(const struct blocks *blocks, const struct block *block, uint32_t *cursor)
{
    if (block->count == 1) {
        bool first = *cursor == 0;
        *cursor = 1;
        return first ? block->head : 0;
    }
    uint32_t node = *cursor ? CHUNK_AT(&blocks->nodes, *cursor)->next : block->head;
    if (node == 0)
        return 0;
    *cursor = node;
    return CHUNK_AT(&blocks->nodes, node)->record;
}

bool blocks_holds(const struct blocks *blocks, uint64_t key, uint32_t record)
{
    const struct block *block = blocks_get(blocks, key);
    if (block && block->count > BIG)
        return find_node(blocks, key, record) != 0;
    uint32_t cursor = 0, at;
    while (block && (at = blocks_next(blocks, block, &cursor)) != 0)
        if (at == record)
            return true;
    return false;
}

void blocks_each(const struct blocks *blocks, void (*visit)(void *arg, uint64_t key, uint32_t record), void *arg)
{
    for (size_t i = 0; i < shard_count(blocks); i++) {
        const struct shard *shard = &blocks->shards[i];
        for (uint32_t k = 0; k < shard->cap && shard->used > 0; k++) {
            uint32_t cursor = 0, record;
            while (shard->slots[k].count > 0 && (record = blocks_next(blocks, &shard->slots[k], &cursor)) != 0)
                visit(arg, shard->slots[k].key, record);
        }
    }
}

void blocks_prefetch(const struct blocks *blocks, const uint64_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct shard *shard = shard_of(blocks, keys[i]);
        if (shard->cap > 0)
            __builtin_prefetch(&shard->slots[home_slot(blocks, shard->cap, keys[i])]);
    }
}

size_t blocks_bytes(const struct blocks *blocks)
{
    return blocks->slot_count * sizeof(struct block) + (size_t)blocks->nodes_used * sizeof(struct block_node) +
           (blocks->places ? blocks_bytes(blocks->places) : 0);
}
