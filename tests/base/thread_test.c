/* Names and turns of threads, as far as the kernel tells them. */
#include "base/thread.h"

#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct seen {
    char name[16];
    int nice, policy;
    uint64_t turn_ns;
};

static void see(struct seen *out)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns, deadline_ns, period_ns;
    } turns = {0};
    pthread_getname_np(pthread_self(), out->name, sizeof out->name);
    out->nice = getpriority(PRIO_PROCESS, 0);
    out->policy = sched_getscheduler(0);
    if (syscall(SYS_sched_getattr, 0, &turns, sizeof turns, 0) == 0)
        out->turn_ns = turns.runtime_ns; /* 0 before Linux 6.12 */
}

static void *begin_short(void *arg)
{
    thread_short("brief");
    see(arg);
    return NULL;
}

static void *begin_long(void *arg)
{
    thread_long("lengthy", 7);
    see(arg);
    return NULL;
}

static struct seen in_a_thread(void *(*begin)(void *arg))
{
    struct seen seen = {0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, begin, &seen), 0);
    pthread_join(thread, NULL);
    return seen;
}

static void test_short_thread__keeps_policy_and_nice_and_asks_for_short_turns(void **state)
{
    (void)state;
    struct seen here = {0}, seen = in_a_thread(begin_short);
    see(&here);
    assert_string_equal(seen.name, "brief");
    assert_int_equal(seen.policy, here.policy);
    assert_int_equal(seen.nice, here.nice);
    if (here.turn_ns > 0 && here.policy == SCHED_OTHER)
        assert_true(seen.turn_ns < here.turn_ns);
}

static void *begin_long_from_short(void *arg)
{
    pthread_t thread;
    thread_short("brief");
    assert_int_equal(pthread_create(&thread, NULL, begin_long, arg), 0);
    pthread_join(thread, NULL);
    return NULL;
}

static void test_long_thread__of_a_short_one_has_turns_as_usual(void **state)
{
    (void)state;
    struct seen here = {0}, seen = in_a_thread(begin_long_from_short);
    see(&here);
    assert_string_equal(seen.name, "lengthy");
    assert_int_equal(seen.turn_ns, here.turn_ns);
}

static void test_long_thread__steps_back_and_nobody_else(void **state)
{
    (void)state;
    struct seen before = {0}, after = {0};
    see(&before);
    struct seen seen = in_a_thread(begin_long);
    see(&after);
    assert_string_equal(seen.name, "lengthy");
    assert_int_equal(seen.nice, before.nice + 7 < 19 ? before.nice + 7 : 19);
    assert_int_equal(after.nice, before.nice);
    assert_string_equal(after.name, before.name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_thread__keeps_policy_and_nice_and_asks_for_short_turns),
        cmocka_unit_test(test_long_thread__of_a_short_one_has_turns_as_usual),
        cmocka_unit_test(test_long_thread__steps_back_and_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
