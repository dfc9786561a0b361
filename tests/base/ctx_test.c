#include "base/clock.h"
#include "support.h"

static void test_check__goes_on_until_the_time_is_over_or_nobody_waits(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    atomic_bool gone = false;
    assert_ok(&s, ctx_check(&s.cx)); /* no deadline, nobody to leave */
    s.cx.gone = &gone;
    s.cx.deadline_us = clock_mono_us() + 3600ll * 1000 * 1000;
    assert_ok(&s, ctx_check(&s.cx));
    s.cx.deadline_us = clock_mono_us();
    assert_fails(&s, ctx_check(&s.cx), "base.deadline");
    s.cx.deadline_us = 0;
    atomic_store(&gone, true);
    assert_fails(&s, ctx_check(&s.cx), "base.cancelled");
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check__goes_on_until_the_time_is_over_or_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
