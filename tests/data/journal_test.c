#include "base/hash.h"
#include "data/journal.h"
#include "journal_internal.h"
#include "support.h"

#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

struct world {
    struct support support;
    const char *dir;
};

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof *world);
    support_init(&world->support);
    world->dir = support_make_dir(&world->support);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    support_remove_dir(world->dir);
    support_fini(&world->support);
    mem_free(world);
    return 0;
}

static struct journal *open_journal(struct world *world, struct journal_options options)
{
    options.dir = world->dir;
    struct journal *journal = NULL;
    assert_ok(&world->support, journal_open(&world->support.cx, &options, &journal));
    return journal;
}

static uint64_t add(struct world *world, struct journal *journal, struct str body)
{
    uint64_t seq = 0;
    assert_ok(&world->support, journal_append_wait(journal, &world->support.cx, 7, STR("lab"), body, &seq));
    return seq;
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_append__gives_numbers_without_holes_and_survives_reopen, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
