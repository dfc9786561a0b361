/* The bench runs and its figures are figures; how good they are is read from `idem bench`, not asserted on a shared
 * machine. */
#include "support.h"

#include "terminology/bench.h"

static void test_bench__measures_every_figure(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct codes_bench_result result = {0};
    assert_ok(&s, codes_bench(&s.cx, dir, 5000, 0.3, &result));
    print_message("%u concepts: find %.0f ns, lookup %.0f ns, missing %.0f ns, is-a %.0f ns, subsumes %.0f ns, "
                  "20 elements %.1f us\n",
                  result.concepts, result.pack_find_ns, result.lookup_ns, result.missing_ns, result.subsumes_ns,
                  result.codes_subsumes_ns, result.reconcile_20_us);
    assert_int_equal(result.concepts, 5000);
    assert_true(result.pack_find_ns > 0 && result.lookup_ns > 0 && result.missing_ns > 0 && result.subsumes_ns > 0);
    assert_true(result.codes_subsumes_ns > 0 && result.reconcile_20_us > 0);
    support_remove_dir(dir);
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bench__measures_every_figure)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
