#include "base/clock.h"
#include "base/loop.h"
#include "support.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

struct seen {
    struct loop *loop;
    int order[64];
    int count;
    int stop_at;
};

struct step {
    struct seen *seen;
    int number;
};

static void note(void *arg)
{
    struct step *step = arg;
    step->seen->order[step->seen->count++] = step->number;
    if (step->seen->count == step->seen->stop_at)
        loop_stop(step->seen->loop);
}

static void test_timers__fire_in_order_of_time_then_of_start(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_new(), .stop_at = 4};
    struct step steps[5];
    static const int64_t after_us[5] = {20000, 5000, 5000, 1000, 8000};
    struct loop_timer *timers[5];
    for (int i = 0; i < 5; i++) {
        steps[i] = (struct step){&seen, i};
        timers[i] = loop_timer_start(seen.loop, after_us[i], note, &steps[i]);
    }
    loop_timer_stop(timers[4]);
    loop_timer_stop(timers[4]); /* twice does nothing */
    int64_t begin_us = clock_mono_us();
    loop_run(seen.loop);
    assert_true(clock_mono_us() - begin_us >= 19000);
    static const int want[4] = {3, 1, 2, 0};
    assert_memory_equal(seen.order, want, sizeof want);
    loop_free(seen.loop);
}

static void test_timer_stop__of_a_fired_one_never_stops_another(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_new(), .stop_at = 1};
    struct step step = {&seen, 1};
    struct loop_timer *old = loop_timer_start(seen.loop, 0, note, &step);
    loop_run(seen.loop);
    for (int i = 0; i < 1000; i++) { /* every slot is used again and again */
        struct loop_timer *other = loop_timer_start(seen.loop, 0, note, &step);
        loop_timer_stop(old);
        seen.count = 0;
        loop_run(seen.loop);
        assert_int_equal(seen.count, 1);
        old = other;
    }
    loop_free(seen.loop);
}

static void test_timers__many_random_ones_keep_the_heap_right(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_new(), .stop_at = 50};
    struct step steps[1000];
    struct loop_timer *timers[1000];
    uint64_t random = 7;
    for (int i = 0; i < 1000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        steps[i] = (struct step){&seen, (int)(random >> 33) % 10};
        timers[i] = loop_timer_start(seen.loop, steps[i].number * 1000, note, &steps[i]);
    }
    for (int i = 0; i < 950; i++)
        loop_timer_stop(timers[i]);
    loop_run(seen.loop);
    assert_int_equal(seen.count, 50);
    for (int i = 1; i < 50; i++)
        assert_true(seen.order[i - 1] <= seen.order[i]);
    loop_free(seen.loop);
}

enum { POSTERS = 4, POSTS_EACH = 20000 };

struct poster {
    struct loop *loop;
    pthread_t thread;
    int next;   /* posts of one thread run in its order */
    int *total; /* on the loop's thread only */
};

struct numbered {
    struct poster *poster;
    int number;
};

static void on_post(void *arg)
{
    struct numbered *post = arg;
    assert_int_equal(post->number, post->poster->next);
    post->poster->next++;
    if (++*post->poster->total == POSTERS * POSTS_EACH)
        loop_stop(post->poster->loop);
    free(post);
}

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    for (int i = 0; i < POSTS_EACH; i++) {
        struct numbered *post = malloc(sizeof *post);
        *post = (struct numbered){poster, i};
        loop_post(poster->loop, on_post, post);
    }
    return NULL;
}

static void test_post__from_many_threads_keeps_each_order(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct poster posters[POSTERS];
    int total = 0;
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.loop = loop, .total = &total};
        pthread_create(&posters[i].thread, NULL, post_all, &posters[i]);
    }
    loop_run(loop);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(posters[i].thread, NULL);
    assert_int_equal(total, POSTERS * POSTS_EACH);
    loop_free(loop);
}

struct pair {
    struct loop *loop;
    struct loop_watch *mine, *other;
    int calls;
};

static void remove_both(void *arg, uint32_t events)
{
    struct pair *pair = arg;
    assert_true(events & EPOLLIN);
    pair->calls++;
    loop_watch_remove(pair->mine);
    loop_watch_remove(pair->other); /* it is ready too, and its event is already in hand */
    loop_stop(pair->loop);
}

static void test_watch_remove__inside_a_callback_silences_both(void **state)
{
    (void)state;
    int fds[2][2];
    struct pair pair = {.loop = loop_new()};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(fds[i]), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
    }
    pair.mine = loop_watch_add(pair.loop, fds[0][0], EPOLLIN, remove_both, &pair);
    pair.other = loop_watch_add(pair.loop, fds[1][0], EPOLLIN, remove_both, &pair);
    loop_run(pair.loop);
    assert_int_equal(pair.calls, 1);
    for (int i = 0; i < 2; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
    loop_free(pair.loop);
}

static void post_again(void *arg)
{
    struct step *step = arg;
    if (step->number-- > 0)
        loop_post(step->seen->loop, post_again, step);
    else
        loop_stop(step->seen->loop);
}

static void test_post__from_a_post_runs_later_and_stop_drains(void **state)
{
    (void)state;
    struct seen seen = {.loop = loop_new(), .stop_at = 64};
    struct step again = {&seen, 5};
    loop_post(seen.loop, post_again, &again);
    loop_run(seen.loop);
    assert_int_equal(again.number, -1);

    struct step last = {&seen, 9};
    loop_post(seen.loop, note, &last);
    loop_stop(seen.loop);
    loop_run(seen.loop); /* stopped before it ran: the post still runs */
    assert_int_equal(seen.count, 1);
    loop_free(seen.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers__fire_in_order_of_time_then_of_start),
        cmocka_unit_test(test_timer_stop__of_a_fired_one_never_stops_another),
        cmocka_unit_test(test_timers__many_random_ones_keep_the_heap_right),
        cmocka_unit_test(test_post__from_many_threads_keeps_each_order),
        cmocka_unit_test(test_watch_remove__inside_a_callback_silences_both),
        cmocka_unit_test(test_post__from_a_post_runs_later_and_stop_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
