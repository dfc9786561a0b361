/* kill -9 at random moments of a load: the pack folder never shows a pack that does not open, and the next load works.
 */
#include "loaders_world.h"

#include "base/clock.h"
#include "base/hash.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 60, CODES = 20000 };

static const char *put_order_file(struct loaders_world *w)
{
    SCOPED(buf_fini) struct buf text = {0};
    for (int i = 0; i < CODES; i++)
        buf_printf(&text, "%05d %c%02d%04d 1 %-60s Made-up diagnosis number %d, long title\r\n", i + 1,
                   'A' + i / 10000 % 26, i / 100 % 100, i % 10000, "Made-up diagnosis", i);
    return put_bytes(w, "order-2026.txt", buf_str(&text));
}

/* Every file that has the name of a pack is a whole pack. */
static size_t whole_packs(struct loaders_world *w)
{
    size_t count = 0;
    DIR *listing = opendir(w->packs.data);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        struct str path = arena_printf(&w->s.arena, "%s/%s", w->packs.data, entry->d_name);
        struct pack *pack;
        assert_ok(&w->s, pack_open(&w->s.cx, path.data, NULL, &pack));
        assert_int_equal(pack_concept_count(pack), CODES);
        pack_close(pack);
        count++;
    }
    closedir(listing);
    return count;
}

static void clear_packs(struct loaders_world *w)
{
    DIR *listing = opendir(w->packs.data);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(listing), entry->d_name, 0);
    closedir(listing);
}

static void test_load__killed_at_any_moment_leaves_nothing_half_done(void **state)
{
    struct loaders_world *w = *state;
    const char *path = put_order_file(w);
    struct loader_result result;
    int64_t start = clock_mono_us();
    assert_ok(&w->s, load_path(w, path, &result));
    int64_t whole_us = clock_mono_us() - start;
    clear_packs(w);

    uint64_t seed = 20261121;
    size_t finished = 0, half = 0;
    for (int i = 0; i < KILLS; i++) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct loader_result ignored;
            _exit(load_path(w, path, &ignored) == STATUS_OK ? 0 : 1);
        }
        usleep((useconds_t)(hash_random(&seed) % (uint64_t)(whole_us + whole_us / 4)));
        kill(child, SIGKILL);
        int ended;
        waitpid(child, &ended, 0);
        size_t packs = whole_packs(w);
        assert_true(packs <= 1);
        finished += packs;
        half += packs_seen(w) > packs;
        clear_packs(w);
        arena_rewind(&w->s.arena, mark);
    }
    print_message("%d kills in loads of %lld ms: %zu came too late, %zu left a temporary file\n", KILLS,
                  (long long)(whole_us / 1000), finished, half);
    assert_ok(&w->s, load_path(w, path, &result));
    assert_int_equal(packs_seen(w), 1); /* what the dead left is gone */
    assert_int_equal(whole_packs(w), 1);
}

/* A disk that is full in the middle: the limit on the size of a file plays the disk. */
static void test_load__a_failing_write_is_reported_and_leaves_nothing(void **state)
{
    struct loaders_world *w = *state;
    const char *path = put_order_file(w);
    struct loader_result result;
    struct rlimit before, small = {1024 * 1024, RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN); /* write() answers EFBIG instead */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status done = load_path(w, path, &result);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(done, STATUS_FAILED_PRECONDITION);
    assert_string_equal(w->s.cx.reason->name, "base.file");
    assert_int_equal(packs_seen(w), 0);
    struct loader_options options = {.path = path, .pack_dir = "/nonexistent"};
    assert_fails(&w->s, loaders_load_codes(&w->s.cx, &options, &result), "base.file");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_load__killed_at_any_moment_leaves_nothing_half_done),
        TEST(test_load__a_failing_write_is_reported_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
