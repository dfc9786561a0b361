#include "base/clock.h"
#include "journal_world.h"

#include <pthread.h>

static void test_append__gives_numbers_without_holes_and_survives_reopen(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct journal *journal = open_journal(world, (struct journal_options){0});
    assert_int_equal(journal_first_seq(journal), 0);
    assert_int_equal(journal_last_seq(journal), 0);
    assert_int_equal(add(world, journal, STR("one")), 1);
    assert_int_equal(add(world, journal, STR("")), 2);
    journal_close(journal);
    journal = open_journal(world, (struct journal_options){0});
    assert_int_equal(journal_last_seq(journal), 2);
    assert_int_equal(add(world, journal, STR("three")), 3);
    struct journal_entry entry;
    int64_t before_us = 0;
    const char *want[] = {"one", "", "three"};
    for (uint64_t seq = 1; seq <= 3; seq++) {
        assert_ok(&world->support, journal_read(journal, cx, seq, &entry));
        assert_int_equal(entry.seq, seq);
        assert_int_equal(entry.kind, 7);
        assert_str(entry.principal, "lab");
        assert_str(entry.body, want[seq - 1]);
        assert_true(entry.time_us >= before_us);
        before_us = entry.time_us;
    }
    assert_int_equal(journal_first_seq(journal), 1);
    assert_fails(&world->support, journal_read(journal, cx, 4, &entry), "data.journal-no-such-entry");
    assert_fails(&world->support, journal_read(journal, cx, 0, &entry), "data.journal-no-such-entry");
    journal_close(journal);
    journal_close(NULL);
}

static void test_open__is_refused_while_another_holds_the_folder(void **state)
{
    struct world *world = *state;
    struct journal *journal = open_journal(world, (struct journal_options){0});
    struct journal *second = NULL;
    struct journal_options options = {.dir = world->dir};
    assert_fails(&world->support, journal_open(&world->support.cx, &options, &second), "data.in-use");
    assert_null(second);
    journal_close(journal);
}

static void test_append__takes_the_longest_body_and_refuses_one_byte_more(void **state)
{
    struct world *world = *state;
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = 1 << 20});
    char *bytes = mem_alloc(JOURNAL_BODY_BYTES_MAX + 1);
    struct str longest = str_make(bytes, JOURNAL_BODY_BYTES_MAX);
    assert_int_equal(add(world, journal, longest), 1);
    uint64_t seq;
    assert_fails(&world->support,
                 journal_append_wait(journal, &world->support.cx, 1, STR_NONE,
                                     str_make(bytes, JOURNAL_BODY_BYTES_MAX + 1), &seq),
                 "data.journal-entry-too-large");
    assert_fails(&world->support,
                 journal_append_wait(journal, &world->support.cx, 1, str_make(bytes, JOURNAL_PRINCIPAL_BYTES_MAX + 1),
                                     STR_NONE, &seq),
                 "data.journal-entry-too-large");
    assert_int_equal(add(world, journal, STR("after")), 2);
    struct journal_entry entry;
    assert_ok(&world->support, journal_read(journal, &world->support.cx, 1, &entry));
    assert_true(str_eq(entry.body, longest));
    mem_free(bytes);
    journal_close(journal);
}

static void test_reader__waits_for_the_next_entry_and_can_be_woken(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct journal *journal = open_journal(world, (struct journal_options){0});
    struct journal_reader *reader = NULL;
    struct journal_entry entry;
    assert_fails(&world->support, journal_reader_open(journal, cx, 0, &reader), "data.journal-no-such-entry");
    assert_ok(&world->support, journal_reader_open(journal, cx, 1, &reader));
    ctx_clear(cx);
    assert_int_equal(journal_reader_next(reader, cx, 0, &entry), STATUS_NOT_FOUND);
    assert_null(cx->reason);
    int64_t began_us = clock_mono_us();
    assert_int_equal(journal_reader_next(reader, cx, 30, &entry), STATUS_NOT_FOUND);
    assert_true(clock_mono_us() - began_us >= 30000);
    journal_wake(journal);
    began_us = clock_mono_us();
    assert_int_equal(journal_reader_next(reader, cx, 60000, &entry), STATUS_NOT_FOUND);
    assert_true(clock_mono_us() - began_us < 30000000);
    add(world, journal, STR("here"));
    assert_ok(&world->support, journal_reader_next(reader, cx, 60000, &entry));
    assert_str(entry.body, "here");
    journal_reader_close(reader);
    journal_reader_close(NULL);
    journal_close(journal);
}

struct order {
    struct support support;
    struct journal *journal;
    pthread_mutex_t lock;
    uint64_t seq_before, calls;
    int64_t time_before_us;
    bool in_order;
};

static void check_order(void *arg, status result, uint64_t seq, int64_t time_us)
{
    struct order *order = arg; /* the journal thread alone comes here */
    order->in_order =
        order->in_order && result == STATUS_OK && seq == order->seq_before + 1 && time_us >= order->time_before_us;
    order->seq_before = seq;
    order->time_before_us = time_us;
    order->calls++;
}

enum { APPENDERS = 4, EACH = 2000 };

static void *append_many(void *arg)
{
    struct order *order = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    for (uint64_t i = 0; i < EACH; i++)
        if (journal_append(order->journal, &cx, (uint16_t)i, STR("p"), STR("body"), check_order, order) != STATUS_OK)
            mem_panic("test", "append failed");
    arena_fini(&arena);
    return NULL;
}

static void *follow(void *arg)
{
    struct order *order = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct journal_reader *reader = NULL;
    struct journal_entry entry;
    if (journal_reader_open(order->journal, &cx, 1, &reader) != STATUS_OK)
        mem_panic("test", "no reader");
    uint64_t count = 0;
    while (count < APPENDERS * EACH && journal_reader_next(reader, &cx, 10000, &entry) == STATUS_OK) {
        count += entry.seq == count + 1;
        if (count % 100 == 0 && journal_read(order->journal, &cx, count / 2 + 1, &entry) != STATUS_OK)
            mem_panic("test", "read failed");
    }
    journal_reader_close(reader);
    arena_fini(&arena);
    return (void *)(uintptr_t)count;
}

static void test_done__is_called_in_order_while_a_reader_follows_and_verify_looks_on(void **state)
{
    struct world *world = *state;
    struct order order = {.in_order = true};
    order.journal = open_journal(world, (struct journal_options){.segment_bytes = 64 * 1024, .queue_bytes_max = 4096});
    pthread_t appenders[APPENDERS], follower;
    assert_int_equal(pthread_create(&follower, NULL, follow, &order), 0);
    for (int i = 0; i < APPENDERS; i++)
        assert_int_equal(pthread_create(&appenders[i], NULL, append_many, &order), 0);
    struct journal_report report;
    for (int i = 0; i < 20; i++) {
        assert_ok(&world->support, journal_verify(&world->support.cx, world->dir, &report));
        if (report.bad_seq != 0)
            fail_msg("%s at %" PRIu64 " in %s", report.bad_why, report.bad_seq, report.bad_segment);
    }
    for (int i = 0; i < APPENDERS; i++)
        pthread_join(appenders[i], NULL);
    void *followed = NULL;
    pthread_join(follower, &followed);
    journal_close(order.journal);
    assert_int_equal((uintptr_t)followed, APPENDERS * EACH);
    assert_true(order.in_order);
    assert_int_equal(order.calls, APPENDERS * EACH);
    assert_ok(&world->support, journal_verify(&world->support.cx, world->dir, &report));
    assert_int_equal(report.entries, APPENDERS * EACH);
    assert_int_equal(report.bad_seq, 0);
    assert_int_equal(report.torn_bytes, 0);
    assert_true(report.segments > 3);
}

static void test_drop__frees_whole_segments_and_says_so_to_readers(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = 4096});
    for (uint64_t i = 0; i < 200; i++)
        add(world, journal, body_of(&world->support.arena, i, 300));
    struct journal_reader *late = NULL;
    assert_ok(&world->support, journal_reader_open(journal, cx, 1, &late));
    uint64_t freed = 0;
    assert_ok(&world->support, journal_drop_before(journal, cx, 100, &freed));
    assert_true(freed > 4096);
    uint64_t first = journal_first_seq(journal);
    assert_true(first > 1 && first <= 100);
    struct journal_entry entry;
    assert_fails(&world->support, journal_reader_next(late, cx, 0, &entry), "data.journal-no-such-entry");
    journal_reader_close(late);
    assert_fails(&world->support, journal_reader_open(journal, cx, 1, &late), "data.journal-no-such-entry");
    assert_fails(&world->support, journal_read(journal, cx, first - 1, &entry), "data.journal-no-such-entry");
    assert_ok(&world->support, journal_read(journal, cx, first, &entry));
    journal_close(journal);
    struct journal_report report;
    assert_ok(&world->support, journal_verify(cx, world->dir, &report));
    assert_int_equal(report.bad_seq, 0);
    assert_int_equal(report.first_seq, first);
    assert_int_equal(report.last_seq, 200);
    journal = open_journal(world, (struct journal_options){.segment_bytes = 4096, .known_seq = 200});
    assert_int_equal(journal_first_seq(journal), first);
    assert_int_equal(add(world, journal, STR("next")), 201);
    assert_ok(&world->support, journal_drop_before(journal, cx, UINT64_MAX, &freed));
    assert_int_equal(journal_last_seq(journal), 201);
    assert_ok(&world->support, journal_read(journal, cx, 201, &entry));
    journal_close(journal);
}

/* A segment that nobody dropped is lost, and no entry of it is "no such entry": who waits for it would wait for ever.
 */
static void test_missing_segment__is_damage_and_not_an_entry_that_was_dropped(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = 4096});
    for (uint64_t i = 0; i < 200; i++)
        add(world, journal, body_of(&world->support.arena, i, 300));
    struct journal_reader *reader = NULL;
    assert_ok(&world->support, journal_reader_open(journal, cx, 1, &reader));
    struct str path = arena_printf(&world->support.arena, "%s/journal/0000000000000001.seg", world->dir);
    assert_int_equal(unlink(path.data), 0);
    struct journal_entry entry;
    assert_fails(&world->support, journal_read(journal, cx, 1, &entry), "data.journal-damaged");
    assert_fails(&world->support, journal_read(journal, cx, 3, &entry), "data.journal-damaged");
    assert_fails(&world->support, journal_reader_next(reader, cx, 0, &entry), "data.journal-damaged");
    assert_ok(&world->support, journal_read(journal, cx, 200, &entry));
    journal_reader_close(reader);
    journal_close(journal);
}

/* Random appends, reopens, drops; a model in memory says what must be there. */
static void test_property__what_was_appended_reads_back_equal(void **state)
{
    struct world *world = *state;
    uint64_t seed = pick_seed(), random = seed, next = 1, first = 1;
    struct journal_options options = {.segment_bytes = 20000};
    struct journal *journal = open_journal(world, options);
    for (int step = 0; step < 400; step++) {
        struct support scratch;
        support_init(&scratch);
        uint64_t what = hash_random(&random) % 100;
        if (what < 70) {
            size_t bytes_max = what < 2 ? 300000 : 900;
            struct str body = body_of(&scratch.arena, next * 2 + (bytes_max > 900), bytes_max);
            uint64_t seq = 0;
            uint16_t kind = bytes_max > 900;
            assert_ok(&scratch, journal_append_wait(journal, &scratch.cx, kind, STR("p"), body, &seq));
            assert_int_equal(seq, next++);
        } else if (what < 90 && next > first) {
            uint64_t seq = first + hash_random(&random) % (next - first);
            struct journal_entry entry;
            assert_ok(&scratch, journal_read(journal, &scratch.cx, seq, &entry));
            struct str want = body_of(&scratch.arena, seq * 2 + entry.kind, entry.kind ? 300000 : 900);
            if (!str_eq(entry.body, want) || entry.seq != seq)
                fail_msg("seed %" PRIu64 ": entry %" PRIu64 " differs", seed, seq);
        } else if (what < 97) {
            journal_close(journal);
            options.known_seq = next - 1;
            journal = open_journal(world, options);
            assert_int_equal(journal_last_seq(journal), next - 1);
        } else if (next > first) {
            uint64_t freed;
            assert_ok(&scratch, journal_drop_before(journal, &scratch.cx, first + (next - first) / 3, &freed));
            first = journal_first_seq(journal) ? journal_first_seq(journal) : next;
        }
        support_fini(&scratch);
    }
    struct ctx *cx = &world->support.cx;
    struct journal_reader *reader = NULL;
    struct journal_entry entry;
    assert_ok(&world->support, journal_reader_open(journal, cx, first, &reader));
    for (uint64_t seq = first; seq < next; seq++) {
        assert_ok(&world->support, journal_reader_next(reader, cx, 0, &entry));
        assert_int_equal(entry.seq, seq);
    }
    assert_int_equal(journal_reader_next(reader, cx, 0, &entry), STATUS_NOT_FOUND);
    journal_reader_close(reader);
    journal_close(journal);
    struct journal_report report;
    assert_ok(&world->support, journal_verify(cx, world->dir, &report));
    assert_int_equal(report.bad_seq, 0);
    assert_int_equal(report.last_seq, next - 1);
}

static void test_verify__ends_when_nobody_waits_or_time_is_over(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct journal *journal = open_journal(world, (struct journal_options){0});
    add(world, journal, STR("one"));
    struct journal_report report = {.entries = 77};
    atomic_bool gone = true;
    cx->gone = &gone;
    assert_fails(&world->support, journal_verify(cx, world->dir, &report), "base.cancelled");
    cx->gone = NULL;
    cx->deadline_us = 1;
    assert_fails(&world->support, journal_verify(cx, world->dir, &report), "base.deadline");
    assert_int_equal(report.entries, 77);
    cx->deadline_us = 0;
    assert_ok(&world->support, journal_verify(cx, world->dir, &report));
    assert_int_equal(report.entries, 1);
    journal_close(journal);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_append__gives_numbers_without_holes_and_survives_reopen),
        T(test_open__is_refused_while_another_holds_the_folder),
        T(test_append__takes_the_longest_body_and_refuses_one_byte_more),
        T(test_reader__waits_for_the_next_entry_and_can_be_woken),
        T(test_done__is_called_in_order_while_a_reader_follows_and_verify_looks_on),
        T(test_verify__ends_when_nobody_waits_or_time_is_over),
        T(test_drop__frees_whole_segments_and_says_so_to_readers),
        T(test_missing_segment__is_damage_and_not_an_entry_that_was_dropped),
        T(test_property__what_was_appended_reads_back_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
