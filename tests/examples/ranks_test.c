/* Ranks: the share of the first, of every octave, and the ends. */
#include "support.h"

#include "ranks_internal.h"

#include "base/hash.h"

static void test_rank__ends_are_the_first_and_the_last(void **state)
{
    (void)state;
    static const struct gen_spread spreads[] = {{1, 1}, {1, 5}, {3, 5}, {10, 14}, {60, 4}, {65535, 16}};
    for (size_t i = 0; i < sizeof spreads / sizeof spreads[0]; i++) {
        assert_int_equal(gen_rank(spreads[i], 0), 0);
        uint32_t ranks = gen_ranks(spreads[i]), last = gen_rank(spreads[i], UINT64_MAX);
        assert_true(last < ranks && last >= ranks - 1 - ranks / 1000);
    }
}

static void test_rank__never_falls_when_dice_rise(void **state)
{
    (void)state;
    const struct gen_spread spread = {10, 14};
    uint32_t before = 0;
    for (uint64_t dice = 0; dice < 1u << 20; dice++) {
        uint32_t rank = gen_rank(spread, dice << 44);
        assert_true(rank >= before);
        before = rank;
    }
}

/* Shares in the header of ranks_internal.h: log2(1 + 1/10) / 14 = 0.98 % for the first, 1/14 for an octave. */
static void test_rank__the_first_has_one_percent_and_half_have_one_of_ten_thousand(void **state)
{
    (void)state;
    enum { THROWS = 1000000 };
    const struct gen_spread spread = {10, 14};
    uint64_t dice = 1;
    uint32_t first = 0, octave = 0, rare = 0;
    for (uint32_t i = 0; i < THROWS; i++) {
        uint32_t rank = gen_rank(spread, hash_random(&dice));
        first += rank == 0;
        octave += rank >= 10 && rank < 30; /* ranks + head: 20 .. 40 */
        rare += rank >= 1020;              /* 1 / (14 ln 2 (rank + 10)) is below 1/10,000 */
    }
    assert_in_range(first, 9600, 10000);
    assert_in_range(octave, 70800, 72100);
    assert_in_range(rare, 520000, 523500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rank__ends_are_the_first_and_the_last),
        cmocka_unit_test(test_rank__never_falls_when_dice_rise),
        cmocka_unit_test(test_rank__the_first_has_one_percent_and_half_have_one_of_ten_thousand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
