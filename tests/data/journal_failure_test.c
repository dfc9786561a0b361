/* Failing writes and full disks, injected and real. */
#include "journal_world.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

static int calls_left; /* good calls before the failure; -1 = never fails */
static int fail_errno;

static bool fails_now(void)
{
    if (calls_left < 0 || calls_left-- > 0)
        return false;
    calls_left = 0;
    errno = fail_errno;
    return true;
}

static ssize_t failing_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    if (fails_now()) {
        if (len > 10 && pwrite(fd, bytes, len / 2, at) > 0) /* half of it gets there */
            errno = fail_errno;
        return -1;
    }
    return pwrite(fd, bytes, len, at);
}

static int failing_sync(int fd)
{
    return fails_now() ? -1 : fdatasync(fd);
}

static uint64_t plenty(int fd)
{
    (void)fd;
    return UINT64_MAX;
}

enum { RESERVE_BYTES = 16 * 1024 * 1024 };
static uint64_t left_bytes;

static uint64_t all_but_the_reserve(int fd)
{
    (void)fd;
    return RESERVE_BYTES + left_bytes;
}

static uint64_t nothing(int fd)
{
    (void)fd;
    return 0;
}

static int reset_io(void **state)
{
    journal_io = (struct journal_io){pwrite, fdatasync, plenty};
    calls_left = -1;
    return setup(state);
}

/* In a child: append until the injected failure. Answers how it ended; *out_acked = entries acknowledged before. */
static int end_of_child(struct world *world, uint64_t *out_acked)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO); /* the message of the expected end */
        signal(SIGABRT, SIG_DFL);
        struct journal *journal = NULL;
        struct journal_options options = {.dir = world->dir, .segment_bytes = 2000};
        if (journal_open(&world->support.cx, &options, &journal) != STATUS_OK)
            _exit(2);
        for (int i = 0; i < 40; i++) {
            uint64_t seq;
            if (journal_append_wait(journal, &world->support.cx, 1, STR("p"), STR("a body"), &seq) != STATUS_OK)
                _exit(3);
            if (write(ends[1], &seq, sizeof seq) != sizeof seq)
                _exit(4);
        }
        journal_close(journal);
        _exit(0);
    }
    close(ends[1]);
    *out_acked = 0;
    while (read(ends[0], out_acked, sizeof *out_acked) == sizeof *out_acked)
        continue;
    close(ends[0]);
    int how = 0;
    waitpid(child, &how, 0);
    return how;
}

/* Every write and every sync in turn fails once with EIO: the process ends, nothing acknowledged is lost. */
static void test_failed_write_or_sync__ends_the_process_and_loses_nothing(void **state)
{
    struct world *world = *state;
    for (int which = 0; which < 2; which++) {
        int n = 0;
        for (;; n++) {
            struct world each;
            support_init(&each.support);
            each.dir = support_make_dir(&each.support);
            journal_io = (struct journal_io){which == 0 ? failing_pwrite : pwrite,
                                             which == 1 ? failing_sync : fdatasync, plenty};
            calls_left = n;
            fail_errno = EIO;
            uint64_t acked;
            int how = end_of_child(&each, &acked);
            calls_left = -1;
            bool ended_well = WIFEXITED(how) && WEXITSTATUS(how) == 0;
            if (!ended_well && n > 1) /* the first two calls are the opening: it may answer instead */
                assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
            journal_io = (struct journal_io){pwrite, fdatasync, plenty};
            struct journal *journal = open_journal(&each, (struct journal_options){.segment_bytes = 2000});
            assert_true(journal_last_seq(journal) >= acked);
            journal_close(journal);
            support_remove_dir(each.dir);
            support_fini(&each.support);
            if (ended_well)
                break;
        }
        printf("%s: %d places failed\n", which == 0 ? "write" : "sync", n);
        assert_true(n > 40);
    }
    (void)world;
}

static void test_no_space__is_answered_and_appends_work_again_when_it_returns(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    static const int errnos[] = {ENOSPC, EDQUOT};
    journal_io.pwrite = failing_pwrite;
    struct journal *journal = open_journal(world, (struct journal_options){.segment_bytes = 2000});
    uint64_t seq = 0, want = 0, refused = 0;
    for (int i = 0; i < 60; i++) {
        if (i % 3 == 1) { /* at every place in turn: entry, zeros ahead, new segment */
            fail_errno = errnos[i % 2];
            __atomic_store_n(&calls_left, 0, __ATOMIC_SEQ_CST);
            assert_fails(&world->support, journal_append_wait(journal, cx, 1, STR("p"), STR("no room"), &seq),
                         "data.journal-full");
            refused++;
            __atomic_store_n(&calls_left, -1, __ATOMIC_SEQ_CST);
        }
        seq = add(world, journal, body_of(&world->support.arena, ++want, 300));
        assert_int_equal(seq, want);
    }
    struct journal_stats stats;
    journal_stats(journal, &stats);
    assert_int_equal(stats.full_refusals, refused);
    journal_close(journal);
    struct journal_report report;
    assert_ok(&world->support, journal_verify(cx, world->dir, &report));
    assert_int_equal(report.bad_seq, 0);
    assert_int_equal(report.last_seq, want);
    assert_int_equal(report.torn_bytes, 0);
}

static void test_reserve__refuses_before_the_disk_is_full(void **state)
{
    struct world *world = *state;
    struct journal *journal = open_journal(world, (struct journal_options){0});
    uint64_t seq = 0;
    journal_io.free_bytes = nothing;
    assert_fails(&world->support, journal_append_wait(journal, &world->support.cx, 1, STR("p"), STR("x"), &seq),
                 "data.journal-full");
    journal_io.free_bytes = all_but_the_reserve;
    left_bytes = ENTRY_BYTES_MIN + 1; /* one byte too few for the entry, its principal and the reserve */
    assert_fails(&world->support, journal_append_wait(journal, &world->support.cx, 1, STR("p"), STR("x"), &seq),
                 "data.journal-full");
    left_bytes = ENTRY_BYTES_MIN + 2;
    assert_ok(&world->support, journal_append_wait(journal, &world->support.cx, 1, STR("p"), STR("x"), &seq));
    assert_int_equal(seq, 1);
    journal_io.free_bytes = plenty;
    assert_int_equal(add(world, journal, STR("x")), 2);
    journal_close(journal);
}

static void fill_disk(const char *path)
{
    SCOPED(journal_close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    static const char zeros[4096];
    while (write(fd, zeros, sizeof zeros) > 0)
        continue;
    while (write(fd, zeros, 1) > 0)
        continue;
}

static void test_real_full_disk__refuses_clearly_and_goes_on_by_itself(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    if (mount("tmpfs", world->dir, "tmpfs", 0, "size=2m") != 0) {
        printf("skipped: cannot mount a tmpfs (%s)\n", strerror(errno));
        skip();
    }
    struct journal *journal =
        open_journal(world, (struct journal_options){.segment_bytes = 100000, .reserve_bytes = 1});
    struct str filler = arena_printf(&world->support.arena, "%s/filler", world->dir);
    uint64_t want = 0, refused = 0, seq = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 20; i++) {
            want++;
            assert_int_equal(add(world, journal, body_of(&world->support.arena, want, 2000)), want);
        }
        fill_disk(filler.data);
        for (int i = 0; i < 200; i++) { /* until what was prepared ahead is used up too */
            status got = journal_append_wait(journal, cx, 1, STR("p"), body_of(cx->arena, want + 1, 2000), &seq);
            want += got == STATUS_OK;
            refused += got == STATUS_RESOURCE_EXHAUSTED;
        }
        assert_true(refused > 0);
        assert_int_equal(unlink(filler.data), 0);
    }
    want++;
    assert_int_equal(add(world, journal, STR("again")), want);
    journal_close(journal);
    journal = open_journal(world, (struct journal_options){.known_seq = want});
    assert_int_equal(journal_last_seq(journal), want);
    journal_close(journal);
    struct journal_report report;
    assert_ok(&world->support, journal_verify(cx, world->dir, &report));
    assert_int_equal(report.bad_seq, 0);
    printf("%" PRIu64 " kept, %" PRIu64 " refused\n", want, refused);
    assert_int_equal(umount(world->dir), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, reset_io, teardown)
    const struct CMUnitTest tests[] = {
        T(test_failed_write_or_sync__ends_the_process_and_loses_nothing),
        T(test_no_space__is_answered_and_appends_work_again_when_it_returns),
        T(test_reserve__refuses_before_the_disk_is_full),
        T(test_real_full_disk__refuses_clearly_and_goes_on_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
