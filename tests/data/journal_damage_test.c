/* Damaged bits, missing files, torn tails: what is reported, what is refused, what is cut, and that nothing wrong is
 * served. */
#include "base/vec.h"
#include "journal_world.h"

#include <sys/stat.h>

enum { ENTRIES = 150, BODY_MAX = 500, FLIPS = 400 };

struct spot { /* one entry on disk */
    uint64_t segment_first_seq, seq, at, length;
};
typedef VEC(struct spot) spots;

static const char *path_of(struct world *world, uint64_t first_seq)
{
    struct str folder = arena_printf(&world->support.arena, "%s/journal", world->dir);
    return segment_path(&world->support.arena, folder.data, first_seq).data;
}

static const char *mark_path(struct world *world)
{
    return arena_printf(&world->support.arena, "%s/journal/mark", world->dir).data;
}

/* Made entries in several segments, each entry its own group; answers where they are. */
static spots make_journal(struct world *world)
{
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = 8192});
    for (uint64_t i = 1; i <= ENTRIES; i++)
        add(world, journal, body_of(&world->support.arena, i, BODY_MAX));
    spots all = {0};
    for (size_t i = 0; i < journal->segments.count; i++) {
        uint64_t first_seq = journal->segments.at[i].first_seq, at = SEGMENT_HEAD_BYTES;
        uint64_t end = i + 1 < journal->segments.count ? journal->segments.at[i + 1].first_seq : ENTRIES + 1;
        for (uint64_t seq = first_seq; seq < end; seq++) {
            uint64_t length = ENTRY_BYTES_MIN + 3 + body_of(&world->support.arena, seq, BODY_MAX).len;
            *VEC_ADD(&all) = (struct spot){first_seq, seq, at, length};
            at += length;
        }
    }
    assert_true(journal->segments.count >= 4);
    journal_close(journal);
    return all;
}

static void flip(const char *path, uint64_t at, uint8_t mask)
{
    SCOPED(journal_close_fd) int fd = open(path, O_RDWR);
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= mask;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

static void expect_report(struct world *world, uint64_t bad_seq, const char *why)
{
    struct journal_report report;
    assert_ok(&world->support, journal_verify(&world->support.cx, world->dir, &report));
    if (report.bad_seq != bad_seq)
        fail_msg("bad seq %" PRIu64 " (%s), want %" PRIu64, report.bad_seq, report.bad_why ? report.bad_why : "-",
                 bad_seq);
    if (why)
        assert_string_equal(report.bad_why, why);
    if (bad_seq > 0)
        assert_true(report.last_seq < bad_seq && report.bad_segment[0] != 0);
}

static void expect_refused(struct world *world, uint64_t known_seq)
{
    struct journal *journal = NULL;
    struct journal_options options = {.dir = world->dir, .segment_bytes = 8192, .known_seq = known_seq};
    assert_fails(&world->support, journal_open(&world->support.cx, &options, &journal), "data.journal-damaged");
}

/* The journal opens, and reading serves exactly the true entries up to `last_good`, by cursor and by number. */
static void expect_served_up_to(struct world *world, uint64_t last_good, bool damage_follows)
{
    struct ctx *cx = &world->support.cx;
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = 8192});
    struct journal_reader *reader = NULL;
    struct journal_entry entry;
    assert_ok(&world->support, journal_reader_open(journal, cx, 1, &reader));
    for (uint64_t seq = 1; seq <= last_good; seq++) {
        assert_ok(&world->support, journal_reader_next(reader, cx, 0, &entry));
        assert_true(str_eq(entry.body, body_of(cx->arena, seq, BODY_MAX)));
    }
    if (damage_follows) {
        assert_fails(&world->support, journal_reader_next(reader, cx, 0, &entry), "data.journal-damaged");
        assert_fails(&world->support, journal_reader_next(reader, cx, 0, &entry), "data.journal-damaged");
        assert_fails(&world->support, journal_read(journal, cx, last_good + 1, &entry), "data.journal-damaged");
    } else {
        assert_int_equal(journal_reader_next(reader, cx, 0, &entry), STATUS_NOT_FOUND);
        assert_int_equal(journal_last_seq(journal), last_good);
    }
    journal_reader_close(reader);
    journal_close(journal);
}

static void test_flip__is_found_at_the_right_seq_and_never_served(void **state)
{
    struct world *world = *state;
    spots all = make_journal(world);
    uint64_t last_segment = all.at[all.count - 1].segment_first_seq;
    uint64_t random = pick_seed();
    expect_report(world, 0, NULL);
    for (int i = 0; i < FLIPS; i++) {
        struct arena_mark scratch = arena_mark(&world->support.arena);
        struct spot spot = all.at[hash_random(&random) % all.count];
        bool header = hash_random(&random) % 10 == 0;
        uint64_t at = header ? hash_random(&random) % SEGMENT_HEAD_BYTES : spot.at + hash_random(&random) % spot.length;
        uint8_t mask = (uint8_t)(1u << hash_random(&random) % 8);
        const char *path = path_of(world, spot.segment_first_seq);
        flip(path, at, mask);
        expect_report(world, header ? spot.segment_first_seq : spot.seq, header ? "header" : "checksum");
        if (header || spot.segment_first_seq == last_segment)
            expect_refused(world, 0);
        else
            expect_served_up_to(world, spot.seq - 1, true);
        flip(path, at, mask);
        arena_rewind(&world->support.arena, scratch);
    }
    expect_report(world, 0, NULL);
    expect_served_up_to(world, ENTRIES, false);
    VEC_FINI(&all);
}

static void test_tail__is_cut_only_when_nothing_says_it_was_durable(void **state)
{
    struct world *world = *state;
    spots all = make_journal(world);
    struct spot last = all.at[ENTRIES - 1], before = all.at[ENTRIES - 2];
    const char *path = path_of(world, last.segment_first_seq);
    assert_int_equal(last.segment_first_seq, before.segment_first_seq);

    flip(path, last.at + 40, 4);
    expect_refused(world, 0); /* the mark says it was durable */
    assert_int_equal(unlink(mark_path(world)), 0);
    expect_refused(world, ENTRIES); /* the store says so */
    flip(path, before.at + 40, 4);
    flip(path, last.at + 40, 4);
    expect_refused(world, 0); /* a later group stands behind the damage */
    flip(path, before.at + 40, 4);
    flip(path, last.at + 40, 4);
    struct journal_report report;
    assert_ok(&world->support, journal_verify(&world->support.cx, world->dir, &report));
    assert_int_equal(report.bad_seq, 0);
    assert_int_equal(report.torn_bytes, last.length);
    expect_served_up_to(world, ENTRIES - 1, false); /* nothing speaks for it: torn, and cut */
    expect_report(world, 0, NULL);
    struct journal *journal = open_journal(world, (struct journal_options){0});
    assert_int_equal(add(world, journal, STR("new")), ENTRIES); /* its number was never given to anybody */
    journal_close(journal);
    expect_report(world, 0, NULL);
    VEC_FINI(&all);
}

static void test_tail__shorter_than_the_mark_is_refused(void **state)
{
    struct world *world = *state;
    spots all = make_journal(world);
    struct spot last = all.at[ENTRIES - 1];
    const char *path = path_of(world, last.segment_first_seq);
    assert_int_equal(truncate(path, (off_t)last.at + 10), 0);
    expect_report(world, ENTRIES, NULL);
    expect_refused(world, 0);
    assert_int_equal(truncate(path, (off_t)last.at), 0);
    expect_report(world, ENTRIES, "end lost");
    expect_refused(world, 0);
    assert_int_equal(unlink(path), 0);
    expect_report(world, last.segment_first_seq, "end lost");
    expect_refused(world, 0);
    VEC_FINI(&all);
}

static void append_raw(const char *path, struct str bytes, uint64_t at)
{
    SCOPED(journal_close_fd) int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, bytes.data, bytes.len, (off_t)at), bytes.len);
}

/* The pages of the last group may reach the disk in any order: a good later entry of the same group proves nothing. */
static void test_tail__of_one_group_written_out_of_order_is_torn(void **state)
{
    struct world *world = *state;
    spots all = make_journal(world);
    struct spot last = all.at[ENTRIES - 1];
    const char *path = path_of(world, last.segment_first_seq);
    SCOPED(segment_check_fini) struct segment_check check = {0};
    segment_check(path, &check);
    for (int later_group = 0; later_group < 2; later_group++) {
        struct buf group = {0};
        uint8_t chain[JOURNAL_CHAIN_BYTES];
        memcpy(chain, check.chain, sizeof chain);
        int64_t time_us = check.last_time_us;
        for (uint32_t i = 0; i < 3; i++) {
            size_t at = group.len;
            entry_put(&group, 0, 1, STR("p"), STR("one of three"));
            entry_seal(group.data + at, check.head.salt, ENTRIES + 1 + i, later_group && i == 2 ? 0 : i, &time_us,
                       chain);
        }
        memset(group.data, 0, 50); /* the first page never arrived */
        append_raw(path, buf_str(&group), check.good_end);
        if (later_group)
            expect_refused(world, 0);
        else
            expect_served_up_to(world, ENTRIES, false);
        buf_fini(&group);
    }
    VEC_FINI(&all);
}

static void test_hole__is_named_by_its_first_missing_seq(void **state)
{
    struct world *world = *state;
    spots all = make_journal(world);
    uint64_t firsts[ENTRIES];
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++)
        if (i == 0 || all.at[i].segment_first_seq != all.at[i - 1].segment_first_seq)
            firsts[count++] = all.at[i].segment_first_seq;
    for (size_t i = 0; i + 1 < count; i++) {
        const char *path = path_of(world, firsts[i]);
        struct str aside = arena_printf(&world->support.arena, "%s.aside", path);
        assert_int_equal(rename(path, aside.data), 0);
        expect_report(world, firsts[i], "hole");
        expect_refused(world, 0);
        assert_int_equal(rename(aside.data, path), 0);
    }
    expect_report(world, 0, NULL);
    VEC_FINI(&all);
}

/* A forged entry with a right checksum still breaks the chain. */
static void test_chain__shows_an_entry_that_was_rewritten_with_its_checksum(void **state)
{
    struct world *world = *state;
    spots all = make_journal(world);
    struct spot spot = all.at[5];
    const char *path = path_of(world, spot.segment_first_seq);
    SCOPED(segment_check_fini) struct segment_check check = {0};
    segment_check(path, &check);
    char *bytes = mem_alloc(spot.length);
    SCOPED(journal_close_fd) int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, bytes, spot.length, (off_t)spot.at), spot.length);
    uint8_t chain[JOURNAL_CHAIN_BYTES] = {0};
    int64_t time_us = 0;
    bytes[ENTRY_HEAD_BYTES] ^= 1;
    entry_seal(bytes, check.head.salt, spot.seq, 0, &time_us, chain);
    assert_int_equal(pwrite(fd, bytes, spot.length, (off_t)spot.at), spot.length);
    mem_free(bytes);
    expect_report(world, spot.seq, "chain");
    VEC_FINI(&all);
}

static void test_mark__damaged_falls_back_on_the_other_slot(void **state)
{
    struct world *world = *state;
    spots all = make_journal(world);
    SCOPED(journal_close_fd) int fd = open(mark_path(world), O_RDWR);
    struct journal_mark newest = mark_read(fd);
    assert_int_equal(newest.seq, ENTRIES);
    flip(mark_path(world), newest.count % 2 * 512 + 20, 1);
    assert_int_equal(mark_read(fd).seq, ENTRIES - 1);
    expect_report(world, 0, NULL);
    expect_served_up_to(world, ENTRIES, false);
    VEC_FINI(&all);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_flip__is_found_at_the_right_seq_and_never_served),
        T(test_tail__is_cut_only_when_nothing_says_it_was_durable),
        T(test_tail__shorter_than_the_mark_is_refused),
        T(test_tail__of_one_group_written_out_of_order_is_torn),
        T(test_hole__is_named_by_its_first_missing_seq),
        T(test_chain__shows_an_entry_that_was_rewritten_with_its_checksum),
        T(test_mark__damaged_falls_back_on_the_other_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
