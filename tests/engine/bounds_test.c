/* Bounds of what the engine keeps in memory: at each of them, and one beyond. */
#include "base/limits.h"
#include "engine_internal.h"
#include "world.h"

static void count_answer(void *arg, const struct engine_answer *answer)
{
    if (answer->last)
        __atomic_fetch_add((unsigned *)arg, 1, __ATOMIC_SEQ_CST);
}

/* Messages that name nobody and go nowhere. */
static void submit_many(struct world *w, unsigned count, const char *prefix)
{
    unsigned answered = 0;
    for (unsigned i = 0; i < count; i++) {
        char message[128];
        int len = snprintf(message, sizeof message,
                           "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^R01|%s%u|P|2.5.1\r", prefix, i);
        struct engine_submission submission = {
            .source = STR("north"), .protocol = STR("mllp"), .message = str_make(message, (size_t)len)};
        submit_patiently(w->engine, &submission, count_answer, &answered);
    }
    while (__atomic_load_n(&answered, __ATOMIC_SEQ_CST) < count)
        usleep(1000);
}

static bool times_are_kept(struct world *w, uint64_t seq)
{
    struct engine_trace trace;
    assert_ok(&w->s, engine_trace(w->engine, &w->s.cx, seq, STR_NONE, &trace));
    return !trace.times_not_kept;
}

static void test_times__are_kept_for_the_newest_and_beyond_said_to_be_gone(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct world_heard first = world_submit(&w, "north", world_adt(&w, "A04", "F", "1", "Doe", ""));
    submit_many(&w, TIMINGS_MAX - 1, "K");
    assert_true(times_are_kept(&w, first.seq));
    assert_true(times_are_kept(&w, first.seq + TIMINGS_MAX - 1));
    submit_many(&w, 1, "L");
    assert_false(times_are_kept(&w, first.seq));
    assert_true(times_are_kept(&w, first.seq + 1));
    world_close(&w);
    world_open(&w);
    assert_false(times_are_kept(&w, first.seq + TIMINGS_MAX)); /* of another run */
    world_end(&w);
}

static void test_sources__past_the_most_are_counted_together(void **state)
{
    (void)state;
    struct totals totals = {0};
    char name[32];
    for (unsigned i = 0; i < SOURCE_TOTALS_MAX; i++) {
        snprintf(name, sizeof name, "source-%u", i);
        struct source_total *own = totals_source(&totals, str_from(name));
        assert_string_equal(own->name, name);
        own->received++;
    }
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "beyond-%u", i);
        struct source_total *others = totals_source(&totals, str_from(name));
        assert_string_equal(others->name, "(others)");
        assert_int_equal(others->received++, i);
    }
    assert_string_equal(totals_source(&totals, STR("source-7"))->name, "source-7"); /* who has a total keeps it */
    assert_int_equal(totals.sources.count, SOURCE_TOTALS_MAX + 1);
    totals_fini(&totals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times__are_kept_for_the_newest_and_beyond_said_to_be_gone),
        cmocka_unit_test(test_sources__past_the_most_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
