/* Pairwise agreement of two clusterings. */
#include "support.h"

#include "examples/gen.h"

static void test_score__counts_pairs(void **state)
{
    (void)state;
    static const struct {
        uint64_t found[4], truth[4];
        uint64_t want_true, want_found, want_right;
    } cases[] = {
        {{1, 1, 2, 2}, {5, 5, 6, 6}, 2, 2, 2}, /* names of clusters do not matter */
        {{1, 1, 1, 1}, {5, 5, 6, 6}, 2, 6, 2}, /* all in one */
        {{1, 2, 3, 4}, {5, 5, 6, 6}, 2, 0, 0}, /* nothing linked */
        {{1, 2, 2, 3}, {5, 5, 6, 6}, 2, 1, 0}, /* only wrong ones */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gen_score score = gen_score_clusters(cases[i].found, cases[i].truth, 4);
        assert_int_equal(score.pairs_true, cases[i].want_true);
        assert_int_equal(score.pairs_found, cases[i].want_found);
        assert_int_equal(score.pairs_right, cases[i].want_right);
    }
    assert_int_equal(gen_score_clusters(NULL, NULL, 0).pairs_true, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score__counts_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
