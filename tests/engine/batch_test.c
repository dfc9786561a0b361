/* Where a batch ends: at so many entries, bytes read, bytes made, or so much time. The test holds the clock: while it
 * does, messages gather in the journal; then each look at the clock takes as long as the test says. */
#include "apply_internal.h"
#include "world.h"

static pthread_mutex_t clock_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t clock_moved = PTHREAD_COND_INITIALIZER;
static bool held, asked;
static int64_t now_us, step_us;

static int64_t test_clock_us(void)
{
    pthread_mutex_lock(&clock_lock);
    asked = true;
    pthread_cond_broadcast(&clock_moved);
    while (held)
        pthread_cond_wait(&clock_moved, &clock_lock);
    int64_t now = now_us;
    now_us += step_us;
    pthread_mutex_unlock(&clock_lock);
    return now;
}

static void hold_clock(void)
{
    pthread_mutex_lock(&clock_lock);
    held = true;
    asked = false;
    pthread_mutex_unlock(&clock_lock);
}

/* The apply thread stands at the beginning of a batch. */
static void wait_until_asked(void)
{
    pthread_mutex_lock(&clock_lock);
    while (!asked)
        pthread_cond_wait(&clock_moved, &clock_lock);
    pthread_mutex_unlock(&clock_lock);
}

static void let_clock_go(int64_t each_look_us)
{
    pthread_mutex_lock(&clock_lock);
    held = false;
    step_us = each_look_us;
    pthread_cond_broadcast(&clock_moved);
    pthread_mutex_unlock(&clock_lock);
}

enum { MANY = 300 };
static struct world_heard heard[MANY];

static uint64_t commits(struct world *w)
{
    struct data_stats stats;
    data_stats(engine_store(w->engine), &stats);
    return stats.commits;
}

/* How many commits so many messages of so many bytes take, all there before the first is applied. */
static uint64_t commits_of(struct world *w, unsigned count, size_t bytes, int64_t each_look_us)
{
    static unsigned sent;
    uint64_t before = commits(w), last = journal_last_seq(engine_journal(w->engine)) + count;
    hold_clock();
    for (unsigned i = 0; i < count; i++) {
        SCOPED(buf_fini) struct buf message = {0};
        buf_printf(&message, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^R01|B%u|P|2.5.1\r", sent);
        buf_printf(&message, "PID|1||B%u^^^NORTH^MR\rNTE|1||", sent++);
        while (message.len < bytes)
            buf_put_byte(&message, 'x');
        world_send(w, "north", "mllp", buf_str(&message), &heard[i]);
        if (i == 0)
            wait_until_asked();
    }
    while (journal_last_seq(engine_journal(w->engine)) < last)
        usleep(1000);
    let_clock_go(each_look_us);
    for (unsigned i = 0; i < count; i++) {
        world_wait(&heard[i]);
        assert_string_equal(heard[i].code[0], "AA");
    }
    return commits(w) - before;
}

static void begin(struct world *w)
{
    held = false;
    now_us = step_us = 0;
    apply_clock_us = test_clock_us;
    world_begin(w);
    while (data_applied_seq(engine_store(w->engine)) < journal_last_seq(engine_journal(w->engine)))
        usleep(1000); /* START */
}

static void end(struct world *w)
{
    world_end(w);
    apply_clock_us = clock_mono_us;
}

static void test_batch__ends_at_its_time(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    assert_int_equal(commits_of(&w, 100, 0, 0), 1);
    assert_int_equal(commits_of(&w, 100, 0, BATCH_US / 5), 100 / 5);
    assert_int_equal(commits_of(&w, 100, 0, BATCH_US / 5 - 1), 100 / 6 + 1); /* one look before its end */
    assert_int_equal(commits_of(&w, 20, 0, BATCH_US), 20);                   /* each passes it by itself */
    end(&w);
}

static void test_batch__ends_at_so_many_entries(void **state)
{
    (void)state;
    struct world w;
    begin(&w);
    assert_int_equal(commits_of(&w, BATCH_ENTRIES, 0, 0), 1);
    assert_int_equal(commits_of(&w, 2 * BATCH_ENTRIES + 1, 0, 0), 3);
    end(&w);
}

static void test_batch__ends_at_bytes_read(void **state)
{
    (void)state;
    enum { EACH = BATCH_BYTES / 8 };
    struct world w;
    begin(&w);
    assert_int_equal(commits_of(&w, 8, EACH, 0), 1);
    assert_int_equal(commits_of(&w, 17, EACH, 0), 3);
    end(&w);
}

/* Each message becomes another for each of eight destinations. */
static void test_batch__ends_at_bytes_made(void **state)
{
    (void)state;
    enum { ROUTES = 8, EACH = BATCH_MADE_BYTES / ROUTES / 4 };
    struct world w;
    begin(&w);
    SCOPED(buf_fini) struct buf routes = {0};
    buf_put_str(&routes, STR("destinations:\n"));
    for (int i = 0; i < ROUTES; i++)
        buf_printf(&routes, "  - { name: d%d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n",
                   i);
    buf_put_str(&routes, STR("routes:\n"));
    for (int i = 0; i < ROUTES; i++)
        buf_printf(&routes, "  - { name: r%d, person_id: { authority: R%d }, to: [d%d] }\n", i, i, i);
    world_routes(&w, buf_str(&routes));
    assert_true((int)EACH * 12 < (int)BATCH_BYTES); /* what is read ends none of them */
    assert_int_equal(commits_of(&w, 4, EACH, 0), 1);
    assert_int_equal(commits_of(&w, 12, EACH, 0), 3);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch__ends_at_its_time),
        cmocka_unit_test(test_batch__ends_at_so_many_entries),
        cmocka_unit_test(test_batch__ends_at_bytes_read),
        cmocka_unit_test(test_batch__ends_at_bytes_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
