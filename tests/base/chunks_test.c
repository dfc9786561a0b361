/* CHUNKS: what was added stays where it is, however much is added behind it. */
#include "support.h"

#include "base/chunks.h"

struct numbers {
    CHUNKS(uint64_t) all;
};

static void test_chunks__grow_without_moving_what_is_there(void **state)
{
    (void)state;
    enum { MANY = 3 * CHUNK_ITEMS + 5 };
    struct numbers *numbers = mem_alloc(sizeof *numbers);
    const uint64_t *first = CHUNK_ADD(&numbers->all, 0), *edge = NULL;
    for (uint32_t i = 0; i < MANY; i++) {
        uint64_t *place = CHUNK_ADD(&numbers->all, i);
        assert_int_equal(*place, 0); /* zeroed */
        *place = i * 3u;
        if (i == CHUNK_ITEMS - 1)
            edge = place;
    }
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(*CHUNK_AT(&numbers->all, i), i * 3u);
    assert_ptr_equal(CHUNK_AT(&numbers->all, 0), first);
    assert_ptr_equal(CHUNK_AT(&numbers->all, CHUNK_ITEMS - 1), edge);
    CHUNKS_FINI(&numbers->all);
    assert_null(numbers->all.chunk[0]);
    mem_free(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks__grow_without_moving_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
