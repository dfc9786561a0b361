/* Figures worked out by hand. */
#include "support.h"

#include "base/mem.h"
#include "mpi/measure.h"

#define SAME(left, right) assert_true((left) > (right)-1e-9 && (left) < (right) + 1e-9)

/*
 * Seven records. Persons: {1 2 3} {4 5} {6} {7}; humans: a = {1 2 4}, b = {3}, c = {5}, d = {6}, e = {7}.
 *
 * Found pairs 3 + 1, true pairs 3, right: 1-2. Persons 4, of them exact {6} {7}, mixed {1 2 3} {4 5}. B-cubed:
 * precision (2/3 + 2/3 + 1/3 + 1/2 + 1/2 + 1 + 1) / 7, recall (2/3 + 2/3 + 1 + 1/3 + 1 + 1 + 1) / 7.
 */
static struct mpi_placed by_hand[7] = {{.found = 10, .truth = 1}, {.found = 10, .truth = 1}, {.found = 10, .truth = 2},
                                       {.found = 40, .truth = 1}, {.found = 40, .truth = 3}, {.found = 60, .truth = 4},
                                       {.found = 70, .truth = 5}};

static void set_groups(const uint32_t groups[7])
{
    for (size_t i = 0; i < 7; i++)
        by_hand[i].group = groups[i];
}

static void test_agreement__is_that_of_the_hand(void **state)
{
    (void)state;
    set_groups((const uint32_t[]){1, 2, 3, 4, 5, 6, 7});
    struct mpi_agreement got;
    mpi_measure_agreement(by_hand, 7, &got);
    assert_int_equal(got.records, 7);
    assert_int_equal(got.pairs_found, 4);
    assert_int_equal(got.pairs_true, 3);
    assert_int_equal(got.pairs_right, 1);
    assert_int_equal(got.persons, 4);
    assert_int_equal(got.humans, 5);
    assert_int_equal(got.persons_exact, 2);
    assert_int_equal(got.persons_mixed, 2);
    SAME(got.b3_precision, (2 / 3.0 + 2 / 3.0 + 1 / 3.0 + .5 + .5 + 1 + 1) / 7);
    SAME(got.b3_recall, (2 / 3.0 + 2 / 3.0 + 1 + 1 / 3.0 + 1 + 1 + 1) / 7);
}

static void test_agreement__leaves_pairs_of_one_group_out(void **state)
{
    (void)state;
    /* records 1 3 5 6 of one file, 2 4 7 of the other: found 1-2 2-3 4-5, true 1-2 1-4, right 1-2 */
    set_groups((const uint32_t[]){1, 2, 1, 2, 1, 1, 2});
    struct mpi_agreement got;
    mpi_measure_agreement(by_hand, 7, &got);
    assert_int_equal(got.pairs_found, 3);
    assert_int_equal(got.pairs_true, 2);
    assert_int_equal(got.pairs_right, 1);
    assert_int_equal(got.persons_exact, 2);
}

static void test_agreement__does_not_hear_the_order(void **state)
{
    (void)state;
    set_groups((const uint32_t[]){1, 2, 1, 2, 1, 1, 2});
    struct mpi_agreement forth, back;
    struct mpi_placed turned[7];
    for (size_t i = 0; i < 7; i++)
        turned[i] = by_hand[6 - i];
    mpi_measure_agreement(by_hand, 7, &forth);
    mpi_measure_agreement(turned, 7, &back);
    assert_memory_equal(&forth, &back, sizeof forth);
}

static void test_agreement__of_extremes(void **state)
{
    (void)state;
    struct mpi_agreement got;
    mpi_measure_agreement(NULL, 0, &got);
    assert_int_equal(got.records + got.pairs_true + got.pairs_found + got.persons + got.humans, 0);
    SAME(got.b3_precision, 1);

    enum { MANY = 100000 }; /* all in one: five thousand million pairs, counted without making them */
    struct mpi_placed *all = mem_array(MANY, sizeof *all);
    for (uint32_t i = 0; i < MANY; i++)
        all[i] = (struct mpi_placed){.found = 7, .truth = i / 2, .group = i};
    mpi_measure_agreement(all, MANY, &got);
    mem_free(all);
    assert_int_equal(got.pairs_found, (uint64_t)MANY * (MANY - 1) / 2);
    assert_int_equal(got.pairs_true, MANY / 2);
    assert_int_equal(got.pairs_right, MANY / 2);
    assert_int_equal(got.persons_exact, 0);
    assert_int_equal(got.persons_mixed, 1);
    SAME(got.b3_precision, 2.0 / MANY);
    SAME(got.b3_recall, 1);
}

static void test_shares__of_nothing(void **state)
{
    (void)state;
    SAME(mpi_share(1, 4), .25);
    SAME(mpi_share(0, 0), 1);
    SAME(mpi_f1(1, .5), 2 / 3.0);
    SAME(mpi_f1(0, 0), 0);
}

static void test_calibration__is_that_of_the_hand(void **state)
{
    (void)state;
    struct mpi_calibration calibration = {0};
    SAME(mpi_calibration_error(&calibration), 0);
    /* 50-90 %: said .6 and .8, one of two right: off by .2 a pair; 99.9-100 %: said 1 and 1, both right; at the end
     * of a band: the next one. */
    mpi_calibration_add(&calibration, 600000, true);
    mpi_calibration_add(&calibration, 800000, false);
    mpi_calibration_add(&calibration, 1000000, true);
    mpi_calibration_add(&calibration, 1000000, true);
    SAME(mpi_calibration_error(&calibration), (2 * .2 + 2 * 0) / 4);
    mpi_calibration_add(&calibration, 10000, false); /* 1-10 %: said .01, none right */
    SAME(mpi_calibration_error(&calibration), (2 * .2 + .01) / 5);
    static const uint64_t want[MPI_BANDS] = {0, 1, 0, 2, 0, 0, 2};
    for (size_t i = 0; i < MPI_BANDS; i++)
        assert_int_equal(calibration.bands[i].pairs, want[i]);
    assert_int_equal(calibration.bands[3].right, 1);
    assert_int_equal(calibration.bands[3].ppm_sum, 1400000);
}

static void test_bounds__of_a_share(void **state)
{
    (void)state;
    double low, high;
    mpi_share_bounds(0, 0, &low, &high);
    assert_true(low == 0 && high == 1);
    mpi_share_bounds(8, 10, &low, &high); /* [Wilson 1927]: 0.4902 to 0.9433 */
    assert_true(low > 0.4901 && low < 0.4903 && high > 0.9432 && high < 0.9434);
    mpi_share_bounds(50, 50, &low, &high);
    assert_true(low > 0.92 && low < 0.93 && high > 0.999999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agreement__is_that_of_the_hand),
        cmocka_unit_test(test_agreement__leaves_pairs_of_one_group_out),
        cmocka_unit_test(test_agreement__does_not_hear_the_order),
        cmocka_unit_test(test_agreement__of_extremes),
        cmocka_unit_test(test_shares__of_nothing),
        cmocka_unit_test(test_calibration__is_that_of_the_hand),
        cmocka_unit_test(test_bounds__of_a_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
