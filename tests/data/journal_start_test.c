/* What a start verifies of a long journal: what is newer than the start before, and everything when in doubt. */
#include "journal_world.h"

enum { ENTRIES = 60, SEGMENT = 2048, LONG = 0, SHORT = 1 << 30 };

static void append_some(struct world *world, uint64_t count)
{
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = SEGMENT});
    for (uint64_t i = 0; i < count; i++)
        (void)add(world, journal, body_of(&world->support.arena, i, 200));
    journal_close(journal);
}

static bool start(struct world *world, uint64_t all_bytes, uint64_t want_bad_seq)
{
    struct journal_report report;
    bool whole;
    assert_ok(&world->support, journal_verify_start(&world->support.cx, world->dir, all_bytes, &report, &whole));
    assert_int_equal(report.bad_seq, want_bad_seq);
    return whole;
}

static const char *file_of(struct world *world, const char *name)
{
    return arena_printf(&world->support.arena, "%s/journal/%s", world->dir, name).data;
}

static void flip(const char *path, uint64_t at)
{
    SCOPED(journal_close_fd) int fd = open(path, O_RDWR);
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

/* In the body or the head of the first entry of the segment that `seq` begins. */
static void damage(struct world *world, uint64_t seq)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(seq, name);
    flip(file_of(world, name), SEGMENT_HEAD_BYTES + 9);
}

static uint64_t last_segment(struct world *world)
{
    segment_files files = {0};
    assert_ok(&world->support, segment_list(&world->support.cx, file_of(world, ""), &files));
    assert_true(files.count > 3);
    uint64_t first_seq = files.at[files.count - 1].first_seq;
    VEC_FINI(&files);
    return first_seq;
}

static void test_start__reads_everything_of_a_short_journal(void **state)
{
    struct world *world = *state;
    append_some(world, ENTRIES);
    assert_true(start(world, SHORT, 0));
    assert_true(start(world, SHORT, 0));
    damage(world, 1);
    assert_true(start(world, SHORT, 1));
}

static void test_start__reads_only_what_is_newer_than_the_start_before(void **state)
{
    struct world *world = *state;
    append_some(world, ENTRIES);
    assert_true(start(world, LONG, 0)); /* the first time */
    uint64_t noted = last_segment(world);
    append_some(world, ENTRIES);
    uint64_t newest = last_segment(world);
    assert_true(newest > noted);
    damage(world, noted); /* it was the last segment: it may have grown since */
    assert_false(start(world, LONG, noted));
    damage(world, noted);
    damage(world, 1); /* older: for journal_verify(), later */
    assert_false(start(world, LONG, 0));
    journal_distrust(&world->support.cx, world->dir);
    assert_true(start(world, LONG, 1)); /* it was found meanwhile: the start is refused */
    assert_true(start(world, LONG, 1)); /* and leaves no note */
    damage(world, 1);
    assert_true(start(world, LONG, 0));
    damage(world, noted);
    assert_false(start(world, LONG, 0)); /* the note moved on */
    damage(world, noted);
    damage(world, newest);
    assert_false(start(world, LONG, newest));
}

static void test_note__that_does_not_fit_counts_for_nothing(void **state)
{
    struct world *world = *state;
    append_some(world, ENTRIES);
    assert_true(start(world, LONG, 0));
    assert_false(start(world, LONG, 0));
    SCOPED(buf_fini) struct buf note = {0};
    const char *path = file_of(world, "verified");
    assert_ok(&world->support, file_read(&world->support.cx, path, 1000, &note));
    for (uint64_t at = 0; at < note.len; at++) {
        flip(path, at);
        assert_true(start(world, LONG, 0)); /* and is written anew */
        assert_false(start(world, LONG, 0));
    }
    assert_ok(&world->support, file_replace(&world->support.cx, path, str_sub(buf_str(&note), 0, 20), 0600));
    assert_true(start(world, LONG, 0));
    assert_ok(&world->support, file_replace(&world->support.cx, path, STR(""), 0600));
    assert_true(start(world, LONG, 0));
}

/* The same numbers, another chain. */
static void test_note__of_another_journal_counts_for_nothing(void **state)
{
    struct world *world = *state;
    struct world *other;
    append_some(world, ENTRIES);
    assert_true(start(world, LONG, 0));
    assert_int_equal(setup((void **)&other), 0);
    append_some(other, ENTRIES);
    SCOPED(buf_fini) struct buf note = {0};
    assert_ok(&world->support, file_read(&world->support.cx, file_of(world, "verified"), 1000, &note));
    assert_ok(&other->support, file_replace(&other->support.cx, file_of(other, "verified"), buf_str(&note), 0600));
    assert_true(start(other, LONG, 0));
    teardown((void **)&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start__reads_everything_of_a_short_journal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_start__reads_only_what_is_newer_than_the_start_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_note__that_does_not_fit_counts_for_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_note__of_another_journal_counts_for_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
