#include "blocks_internal.h"

#include "base/invariant.h"

#include <string.h>

enum {
    LARGE_SHARD_BITS = 12,
    SHARD_SLOTS_MIN = 4,
    LARGE_SLOT_WORDS = 5, /* two for who is there, three for 48 bits of the hash */
    SMALL_SLOT_WORDS = 6,
    BIG = 1024, /* records of one key; of more, each one's node is found by a table of its own */
};

void blocks_init(struct blocks *blocks, enum blocks_size size)
{
    blocks->shard_bits = size == BLOCKS_LARGE ? LARGE_SHARD_BITS : 0;
    blocks->slot_words = size == BLOCKS_LARGE ? LARGE_SLOT_WORDS : SMALL_SLOT_WORDS;
    blocks->shards = mem_array((size_t)1 << blocks->shard_bits, sizeof *blocks->shards);
}

static size_t shard_count(const struct blocks *blocks)
{
    return (size_t)1 << blocks->shard_bits;
}

/* Of so many slots. */
static size_t slot_bytes(const struct blocks *blocks, size_t count)
{
    return count * blocks->slot_words * sizeof(block_slot);
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
    size_t keep = ((size_t)1 << 16) / shard_count(blocks); /* slots */
    for (size_t i = 0; i < shard_count(blocks); i++) {
        struct shard *shard = &blocks->shards[i];
        if (shard->cap > keep) {
            blocks->slot_count -= shard->cap;
            mem_free(shard->slots);
            *shard = (struct shard){0};
        } else if (shard->used > 0) {
            memset(shard->slots, 0, slot_bytes(blocks, shard->cap));
            shard->used = 0;
        }
    }
    blocks->nodes_used = blocks->free_node = 0;
    if (blocks->places)
        blocks_clear(blocks->places);
}

/* ---- keys and their hashes ---- */

/* The two undo each other. */
#define HASH_FACTOR 0x9E3779B97F4A7C15ull
#define KEY_FACTOR  0xF1DE83E19937733Dull
_Static_assert(HASH_FACTOR *KEY_FACTOR == 1, "modulo 2^64, so modulo 2^60 as well");
#define LOW_BITS(value, bits) ((value) & ((1ull << (bits)) - 1))

static uint64_t hash_of(uint64_t key)
{
    return LOW_BITS(key * HASH_FACTOR, BLOCK_KEY_BITS);
}

/* How much of it is in a slot; the rest says which shard it is in. */
static uint32_t slot_hash_bits(const struct blocks *blocks)
{
    return BLOCK_KEY_BITS - blocks->shard_bits;
}

static uint64_t key_of(const struct blocks *blocks, const struct shard *shard, uint64_t slot_hash)
{
    uint64_t hash = (uint64_t)(shard - blocks->shards) << slot_hash_bits(blocks) | slot_hash;
    return LOW_BITS(hash * KEY_FACTOR, BLOCK_KEY_BITS);
}

static struct shard *shard_of(const struct blocks *blocks, uint64_t hash)
{
    return &blocks->shards[hash >> slot_hash_bits(blocks)];
}

/* ---- slots ---- */

static block_slot *slot_in(const struct blocks *blocks, const struct shard *shard, uint32_t slot)
{
    return shard->slots + (size_t)slot * blocks->slot_words;
}

static uint32_t slot_at(const block_slot *slot)
{
    return (uint32_t)slot[0] << 16 | slot[1];
}

static uint64_t slot_hash(const struct blocks *blocks, const block_slot *slot)
{
    uint64_t hash = (uint64_t)slot[2] << 32 | (uint32_t)slot[3] << 16 | slot[4];
    return blocks->slot_words == LARGE_SLOT_WORDS ? hash : hash << 16 | slot[5];
}

static void set_at(block_slot *slot, uint32_t at)
{
    slot[0] = (uint16_t)(at >> 16);
    slot[1] = (uint16_t)at;
}

static void set_hash(const struct blocks *blocks, block_slot *slot, uint64_t hash)
{
    for (uint32_t i = blocks->slot_words; i-- > 2; hash >>= 16)
        slot[i] = (uint16_t)hash;
}

/* Where the hash stands on the way from 0 to its greatest value. */
static uint32_t home_of(const struct blocks *blocks, const struct shard *shard, uint64_t slot_hash)
{
    return (uint32_t)((slot_hash >> (slot_hash_bits(blocks) - 32)) * shard->cap >> 32);
}

static uint32_t next_slot(const struct shard *shard, uint32_t slot)
{
    return slot + 1 < shard->cap ? slot + 1 : 0;
}

static uint32_t steps_between(const struct shard *shard, uint32_t from, uint32_t to)
{
    return to >= from ? to - from : to + shard->cap - from;
}

/* Of a key that nobody has, the free slot it would get. */
static uint32_t find_slot(const struct blocks *blocks, const struct shard *shard, uint64_t hash)
{
    uint64_t wanted = LOW_BITS(hash, slot_hash_bits(blocks));
    uint32_t slot = home_of(blocks, shard, wanted);
    for (const block_slot *at; slot_at(at = slot_in(blocks, shard, slot)) != 0; slot = next_slot(shard, slot))
        if (slot_hash(blocks, at) == wanted)
            break;
    return slot;
}

static void move_slot(const struct blocks *blocks, block_slot *to, const block_slot *from)
{
    for (uint32_t i = 0; i < blocks->slot_words; i++)
        to[i] = from[i];
}

/* Those behind it that have been pushed on from its place come back. */
static void free_slot(const struct blocks *blocks, struct shard *shard, uint32_t gap)
{
    const block_slot *at;
    for (uint32_t slot = next_slot(shard, gap); slot_at(at = slot_in(blocks, shard, slot)) != 0;
         slot = next_slot(shard, slot)) {
        uint32_t home = home_of(blocks, shard, slot_hash(blocks, at));
        if (steps_between(shard, home, slot) < steps_between(shard, gap, slot))
            continue;
        move_slot(blocks, slot_in(blocks, shard, gap), at);
        gap = slot;
    }
    set_at(slot_in(blocks, shard, gap), 0);
    shard->used--;
}

/* Every shard takes a little more than the one before it, so that shards which fill alike do not all grow in the same
 * moment. */
static void grow_shard(struct blocks *blocks, struct shard *shard, size_t keys)
{
    struct shard old = *shard;
    size_t want = keys + old.used;
    size_t more = (size_t)(shard - blocks->shards) * 0x9E37 % 256; /* 65 to 70 % full then, 80 % when it grows again */
    size_t cap = SHARD_SLOTS_MIN + want + want / 4 + want / 6 + want * more / 2048;
    INVARIANT(cap < UINT32_MAX);
    *shard = (struct shard){mem_alloc(slot_bytes(blocks, cap)), (uint32_t)cap, old.used};
    for (uint32_t i = 0; i < old.cap; i++) {
        const block_slot *slot = slot_in(blocks, &old, i);
        if (slot_at(slot) == 0)
            continue;
        uint32_t to = home_of(blocks, shard, slot_hash(blocks, slot));
        while (slot_at(slot_in(blocks, shard, to)) != 0)
            to = next_slot(shard, to);
        move_slot(blocks, slot_in(blocks, shard, to), slot);
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

/* ---- chains ---- */

#define CHAINED ((uint32_t)BLOCK_RECORD_MAX + 1)

static struct block_node *node_at(const struct blocks *blocks, uint32_t node)
{
    return CHUNK_AT(&blocks->nodes, node);
}

static uint32_t take_node(struct blocks *blocks, struct block_node node)
{
    uint32_t at = blocks->free_node;
    if (at) {
        blocks->free_node = node_at(blocks, at)->next;
    } else {
        INVARIANT(blocks->nodes_used < CHAINED - 1);
        at = ++blocks->nodes_used;
    }
    *CHUNK_ADD(&blocks->nodes, at) = node;
    return at;
}

static void give_node(struct blocks *blocks, uint32_t at)
{
    *node_at(blocks, at) = (struct block_node){0, blocks->free_node};
    blocks->free_node = at;
}

static struct block block_in(const struct blocks *blocks, uint32_t at)
{
    if (!(at & CHAINED))
        return (struct block){at != 0, at};
    const struct block_node *counts = node_at(blocks, at & ~CHAINED);
    return (struct block){counts->record, counts->next};
}

static void remove_chained(struct blocks *blocks, struct block_node *counts, uint32_t record)
{
    uint32_t *link = &counts->next;
    while (*link && node_at(blocks, *link)->record != record)
        link = &node_at(blocks, *link)->next;
    uint32_t gone = *link;
    if (gone == 0)
        return;
    *link = node_at(blocks, gone)->next;
    give_node(blocks, gone);
    counts->record--;
}

/* ---- big blocks: nobody walks a million records to take one out ---- */

/* Keys of one record never meet. */
static uint64_t place_key(uint64_t key, uint32_t record)
{
    uint64_t mixed = (record ^ (uint64_t)record << 31) * 0xBF58476D1CE4E5B9ull;
    mixed = (mixed ^ mixed >> 32) * 0x94D049BB133111EBull;
    return key ^ block_key(mixed ^ mixed >> 31);
}

/* The node of a record; 0 = not in the block. */
static uint32_t find_node(const struct blocks *blocks, uint64_t key, uint32_t record)
{
    struct block place = blocks_get(blocks->places, place_key(key, record));
    uint32_t cursor = 0, node;
    while ((node = blocks_next(blocks->places, place, &cursor)) != 0)
        if (node_at(blocks, node)->record == record)
            return node;
    return 0;
}

static void note_node(struct blocks *blocks, uint64_t key, uint32_t node)
{
    (void)blocks_add(blocks->places, place_key(key, node_at(blocks, node)->record), node);
}

static void forget_node(struct blocks *blocks, uint64_t key, uint32_t node)
{
    (void)blocks_remove(blocks->places, place_key(key, node_at(blocks, node)->record), node);
}

static void note_all(struct blocks *blocks, uint64_t key, uint32_t first)
{
    if (blocks->places == NULL) {
        blocks->places = mem_alloc(sizeof *blocks->places);
        blocks_init(blocks->places, blocks->shard_bits ? BLOCKS_LARGE : BLOCKS_SMALL);
    }
    for (uint32_t node = first; node; node = node_at(blocks, node)->next)
        note_node(blocks, key, node);
}

static void forget_all(struct blocks *blocks, uint64_t key, uint32_t first)
{
    for (uint32_t node = first; node; node = node_at(blocks, node)->next)
        forget_node(blocks, key, node);
}

/* The first one takes the place of the one that goes. */
static void remove_big(struct blocks *blocks, uint64_t key, struct block_node *counts, uint32_t record)
{
    uint32_t gone = find_node(blocks, key, record), head = counts->next;
    if (gone == 0)
        return;
    forget_node(blocks, key, gone);
    struct block_node first = *node_at(blocks, head);
    if (gone != head) {
        forget_node(blocks, key, head);
        node_at(blocks, gone)->record = first.record;
        note_node(blocks, key, gone);
    }
    counts->next = first.next;
    give_node(blocks, head);
    if (--counts->record == BIG)
        forget_all(blocks, key, counts->next);
}

/* ---- coming and going ---- */

static uint32_t add_chained(struct blocks *blocks, uint64_t key, struct block_node *counts, uint32_t record)
{
    counts->next = take_node(blocks, (struct block_node){record, counts->next});
    if (++counts->record == BIG + 1)
        note_all(blocks, key, counts->next);
    else if (counts->record > BIG)
        note_node(blocks, key, counts->next);
    return counts->record;
}

uint32_t blocks_add(struct blocks *blocks, uint64_t key, uint32_t record)
{
    INVARIANT(key >> BLOCK_KEY_BITS == 0 && record != 0 && record < CHAINED);
    uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(blocks, hash);
    if (is_full(shard, 1))
        grow_shard(blocks, shard, 1);
    block_slot *slot = slot_in(blocks, shard, find_slot(blocks, shard, hash));
    uint32_t at = slot_at(slot);
    if (at == 0) {
        set_at(slot, record);
        set_hash(blocks, slot, hash);
        shard->used++;
        return 1;
    }
    if (!(at & CHAINED)) {
        uint32_t only = take_node(blocks, (struct block_node){at, 0});
        at = take_node(blocks, (struct block_node){1, only}) | CHAINED;
        set_at(slot, at);
    }
    return add_chained(blocks, key, node_at(blocks, at & ~CHAINED), record);
}

/* Alone again: back into the slot. */
static void unchain(struct blocks *blocks, block_slot *slot)
{
    uint32_t counts = slot_at(slot) & ~CHAINED, last = node_at(blocks, counts)->next;
    set_at(slot, node_at(blocks, last)->record);
    give_node(blocks, last);
    give_node(blocks, counts);
}

uint32_t blocks_remove(struct blocks *blocks, uint64_t key, uint32_t record)
{
    uint64_t hash = hash_of(key);
    struct shard *shard = shard_of(blocks, hash);
    if (shard->cap == 0)
        return 0;
    uint32_t found = find_slot(blocks, shard, hash);
    block_slot *slot = slot_in(blocks, shard, found);
    uint32_t at = slot_at(slot);
    if (!(at & CHAINED)) {
        bool goes = at == record;
        if (goes)
            free_slot(blocks, shard, found);
        return at != 0 && !goes;
    }
    struct block_node *counts = node_at(blocks, at & ~CHAINED);
    if (counts->record > BIG)
        remove_big(blocks, key, counts, record);
    else
        remove_chained(blocks, counts, record);
    if (counts->record > 1)
        return counts->record;
    unchain(blocks, slot);
    return 1;
}

/* ---- looking ---- */

struct block blocks_get(const struct blocks *blocks, uint64_t key)
{
    uint64_t hash = hash_of(key);
    const struct shard *shard = shard_of(blocks, hash);
    if (shard->used == 0)
        return (struct block){0};
    return block_in(blocks, slot_at(slot_in(blocks, shard, find_slot(blocks, shard, hash))));
}

uint32_t blocks_next(const struct blocks *blocks, struct block block, uint32_t *cursor)
{
    if (block.count <= 1) {
        bool first = *cursor == 0;
        *cursor = 1;
        return first ? block.head : 0;
    }
    uint32_t node = *cursor ? node_at(blocks, *cursor)->next : block.head;
    if (node == 0)
        return 0;
    *cursor = node;
    return node_at(blocks, node)->record;
}

bool blocks_holds(const struct blocks *blocks, uint64_t key, uint32_t record)
{
    struct block block = blocks_get(blocks, key);
    if (block.count > BIG)
        return find_node(blocks, key, record) != 0;
    uint32_t cursor = 0, at;
    while ((at = blocks_next(blocks, block, &cursor)) != 0)
        if (at == record)
            return true;
    return false;
}

static void visit_slot(const struct blocks *blocks, const struct shard *shard, const block_slot *slot,
                       void (*visit)(void *arg, uint64_t key, uint32_t record), void *arg)
{
    struct block block = block_in(blocks, slot_at(slot));
    uint64_t key = key_of(blocks, shard, slot_hash(blocks, slot));
    uint32_t cursor = 0, record;
    while ((record = blocks_next(blocks, block, &cursor)) != 0)
        visit(arg, key, record);
}

size_t blocks_parts(const struct blocks *blocks)
{
    return shard_count(blocks);
}

void blocks_each_in(const struct blocks *blocks, size_t part, void (*visit)(void *arg, uint64_t key, uint32_t record),
                    void *arg)
{
    const struct shard *shard = &blocks->shards[part];
    for (uint32_t k = 0; k < shard->cap && shard->used > 0; k++)
        visit_slot(blocks, shard, slot_in(blocks, shard, k), visit, arg);
}

void blocks_each(const struct blocks *blocks, void (*visit)(void *arg, uint64_t key, uint32_t record), void *arg)
{
    for (size_t i = 0; i < shard_count(blocks); i++)
        blocks_each_in(blocks, i, visit, arg);
}

void blocks_prefetch(const struct blocks *blocks, const uint64_t *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t hash = hash_of(keys[i]);
        const struct shard *shard = shard_of(blocks, hash);
        if (shard->cap > 0)
            __builtin_prefetch(slot_in(blocks, shard, home_of(blocks, shard, LOW_BITS(hash, slot_hash_bits(blocks)))));
    }
}

size_t blocks_bytes(const struct blocks *blocks)
{
    return slot_bytes(blocks, blocks->slot_count) + (size_t)blocks->nodes_used * sizeof(struct block_node) +
           (blocks->places ? blocks_bytes(blocks->places) : 0);
}
