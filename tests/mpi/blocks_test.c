/* struct blocks against a plain list: random adds and removes of few keys and many. */
#include "world.h"

enum { KEYS = 400, RECORDS = 50 };

struct plain {
    uint32_t records[KEYS][RECORDS]; /* oldest first */
    uint32_t count[KEYS];
};

static uint64_t key_of(uint32_t key)
{
    return block_key((key + 1) * 0x9E3779B97F4A7C15ull);
}

/* The key whose hash this is. */
static uint64_t key_hashed_to(uint64_t hash)
{
    return hash * 0xF1DE83E19937733Dull & ((1ull << BLOCK_KEY_BITS) - 1);
}

/* All at home in one slot, the first of a shard. */
static uint64_t first_slot_key(uint32_t key)
{
    return key_hashed_to(key);
}

/* All at home in one slot, the last of a shard: those pushed on stand at its beginning. */
static uint64_t last_slot_key(uint32_t key)
{
    return key_hashed_to((1ull << BLOCK_KEY_BITS) - 1 - key);
}

static uint32_t find_record(const struct plain *plain, uint32_t key, uint32_t record)
{
    uint32_t at = 0;
    while (at < plain->count[key] && plain->records[key][at] != record)
        at++;
    return at;
}

static void check_block(const struct blocks *blocks, const struct plain *plain, uint64_t (*make)(uint32_t key),
                        uint32_t key)
{
    struct block block = blocks_get(blocks, make(key));
    uint32_t cursor = 0;
    assert_int_equal(block.count, plain->count[key]);
    for (uint32_t i = plain->count[key]; i-- > 0;)
        assert_int_equal(blocks_next(blocks, block, &cursor), plain->records[key][i]);
    assert_int_equal(blocks_next(blocks, block, &cursor), 0);
    assert_int_equal(blocks_next(blocks, block, &cursor), 0); /* stays at the end */
}

static void check_random(uint64_t seed, enum blocks_size size, uint64_t (*make)(uint32_t key))
{
    struct blocks *blocks = mem_alloc(sizeof *blocks);
    blocks_init(blocks, size);
    struct plain *plain = mem_alloc(sizeof *plain);
    uint64_t random = seed;
    for (int step = 0; step < 20000; step++) {
        uint32_t key = (uint32_t)(hash_random(&random) % (step < 10000 ? KEYS : 40)),
                 record = (uint32_t)(hash_random(&random) % RECORDS) + 1;
        uint32_t at = find_record(plain, key, record), *count = &plain->count[key];
        if (at < *count) {
            memmove(&plain->records[key][at], &plain->records[key][at + 1], (*count - at - 1) * sizeof(uint32_t));
            assert_int_equal(blocks_remove(blocks, make(key), record), --*count);
        } else if (hash_random(&random) % 4 != 0) {
            plain->records[key][(*count)++] = record;
            assert_int_equal(blocks_add(blocks, make(key), record), *count);
        } else {
            assert_int_equal(blocks_remove(blocks, make(key), record), *count); /* nobody: nothing changes */
        }
        check_block(blocks, plain, make, key);
    }
    for (uint32_t key = 0; key < KEYS; key++)
        check_block(blocks, plain, make, key);
    blocks_clear(blocks);
    for (uint32_t key = 0; key < KEYS; key++)
        assert_int_equal(blocks_get(blocks, make(key)).count, 0);
    assert_int_equal(blocks_add(blocks, make(1), 7), 1);
    mem_free(plain);
    blocks_fini(blocks);
    mem_free(blocks);
}

static void test_blocks__equal_a_plain_list(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 5; seed++) {
        enum blocks_size size = seed % 2 ? BLOCKS_LARGE : BLOCKS_SMALL;
        check_random(seed, size, key_of);
        check_random(seed, size, first_slot_key);
        check_random(seed, size, last_slot_key);
    }
}

static void take_posting(void *arg, uint64_t key, uint32_t record)
{
    uint32_t *seen = arg;
    assert_int_equal(key, key_of(record));
    seen[record]++;
}

static void test_blocks__give_every_key_back(void **state)
{
    (void)state;
    struct blocks *blocks = mem_alloc(sizeof *blocks);
    blocks_init(blocks, BLOCKS_LARGE);
    enum { MANY = 20000 };
    uint32_t *seen = mem_array(MANY, sizeof *seen);
    for (uint32_t i = 1; i < MANY; i++)
        assert_int_equal(blocks_add(blocks, key_of(i), i), 1);
    blocks_each(blocks, take_posting, seen);
    for (uint32_t i = 1; i < MANY; i++)
        assert_int_equal(seen[i], 1);
    mem_free(seen);
    blocks_fini(blocks);
    mem_free(blocks);
}

static void test_blocks__grow_without_losing_anybody_and_stay_small(void **state)
{
    (void)state;
    struct blocks *blocks = mem_alloc(sizeof *blocks);
    blocks_init(blocks, BLOCKS_LARGE);
    enum { MANY = 300000 };
    for (uint32_t i = 1; i <= MANY; i++)
        assert_int_equal(blocks_add(blocks, key_of(i), i), 1);
    for (uint32_t i = 1; i <= MANY; i++) {
        uint32_t cursor = 0;
        assert_int_equal(blocks_next(blocks, blocks_get(blocks, key_of(i)), &cursor), i);
    }
    assert_true(blocks_bytes(blocks) <= MANY * 16);
    for (uint32_t i = 1; i <= MANY; i++)
        assert_int_equal(blocks_remove(blocks, key_of(i), i), 0);
    assert_int_equal(blocks_get(blocks, key_of(1)).count, 0);
    blocks_fini(blocks);
    mem_free(blocks);
}

/* Ten million people have a hundred million keys; one step copies no more than one shard of that. */
static void test_blocks__grow_one_small_shard_at_a_time(void **state)
{
    (void)state;
    struct blocks *blocks = mem_alloc(sizeof *blocks);
    blocks_init(blocks, BLOCKS_LARGE);
    enum { MANY = 1000000 };
    size_t before = 0, largest = 0;
    for (uint32_t i = 1; i <= MANY; i++) {
        (void)blocks_add(blocks, key_of(i), i);
        size_t now = blocks_bytes(blocks);
        largest = now - before > largest ? now - before : largest;
        before = now;
    }
    assert_true(largest <= blocks_bytes(blocks) / 4096);
    blocks_fini(blocks);
    mem_free(blocks);
}

/* A number that very many have: records come and go in any order, and one goes without a walk over all. */
static void test_blocks__of_very_many_records_equal_a_plain_set(void **state)
{
    (void)state;
    enum { MANY = 6000, STEPS = 60000 };
    struct blocks *blocks = mem_alloc(sizeof *blocks);
    blocks_init(blocks, BLOCKS_LARGE);
    bool *in = mem_array(MANY + 1, sizeof *in);
    uint64_t random = 9;
    uint32_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        uint32_t record = (uint32_t)(hash_random(&random) % MANY) + 1;
        bool come = step < STEPS / 2 ? hash_random(&random) % 4 != 0 : hash_random(&random) % 4 == 0;
        if (come && !in[record])
            assert_int_equal(blocks_add(blocks, key_of(5), record), ++count);
        else if (!come)
            assert_int_equal(blocks_remove(blocks, key_of(5), record), in[record] ? --count : count);
        in[record] = come;
        assert_int_equal(blocks_holds(blocks, key_of(5), record), come);
    }
    for (uint32_t left = count; left > 0;) { /* each once, then out one after the other */
        uint32_t cursor = 0, seen = 0, record;
        struct block block = blocks_get(blocks, key_of(5));
        while ((record = blocks_next(blocks, block, &cursor)) != 0)
            seen += in[record];
        assert_int_equal(seen, left);
        for (uint32_t stop = left > 700 ? left - 700 : 0; left > stop;) {
            record = (uint32_t)(hash_random(&random) % MANY) + 1;
            if (!in[record])
                continue;
            in[record] = false;
            assert_int_equal(blocks_remove(blocks, key_of(5), record), --left);
        }
    }
    assert_int_equal(blocks_get(blocks, key_of(5)).count, 0);
    mem_free(in);
    blocks_fini(blocks);
    mem_free(blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks__equal_a_plain_list),
        cmocka_unit_test(test_blocks__of_very_many_records_equal_a_plain_set),
        cmocka_unit_test(test_blocks__give_every_key_back),
        cmocka_unit_test(test_blocks__grow_without_losing_anybody_and_stay_small),
        cmocka_unit_test(test_blocks__grow_one_small_shard_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
