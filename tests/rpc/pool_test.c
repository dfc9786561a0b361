/* The pool: order, bound, and jobs that are taken back before they run. */
#include "pool.h"
#include "support.h"

#include <pthread.h>

enum { JOBS = 8 };

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open, at_gate;
    unsigned count;
    int order[JOBS];
};

struct job {
    struct pool_job job; /* first */
    struct gate *gate;
    int number; /* 0 waits at the gate */
};

static void run(struct pool_job *pool_job)
{
    struct job *job = (struct job *)(void *)pool_job;
    struct gate *gate = job->gate;
    pthread_mutex_lock(&gate->lock);
    gate->at_gate |= job->number == 0;
    pthread_cond_broadcast(&gate->changed);
    while (job->number == 0 && !gate->open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->order[gate->count++] = job->number;
    pthread_mutex_unlock(&gate->lock);
}

static void test_pool__runs_in_order_what_was_not_taken_back(void **state)
{
    (void)state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct job jobs[JOBS];
    for (int i = 0; i < JOBS; i++)
        jobs[i] = (struct job){.job.run = run, .gate = &gate, .number = i};
    struct pool *pool = pool_new("test", 1, 5, 0);
    assert_true(pool_add(pool, &jobs[0].job));
    pthread_mutex_lock(&gate.lock);
    while (!gate.at_gate)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    for (int i = 1; i <= 5; i++)
        assert_true(pool_add(pool, &jobs[i].job));
    assert_false(pool_add(pool, &jobs[6].job));
    assert_false(pool_remove(pool, &jobs[6].job)); /* never came in */
    assert_false(pool_remove(pool, &jobs[0].job)); /* runs */
    assert_true(pool_remove(pool, &jobs[1].job));  /* the first */
    assert_false(pool_remove(pool, &jobs[1].job));
    assert_true(pool_remove(pool, &jobs[3].job)); /* one between */
    assert_true(pool_remove(pool, &jobs[5].job)); /* the last */
    assert_true(pool_add(pool, &jobs[6].job));    /* there is room again */
    assert_true(pool_add(pool, &jobs[7].job));
    pthread_mutex_lock(&gate.lock);
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    pool_free(pool); /* runs what waits */
    static const int want[] = {0, 2, 4, 6, 7};
    assert_int_equal(gate.count, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(gate.order[i], want[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pool__runs_in_order_what_was_not_taken_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
