/* What lasts: every name made is synced in the directory it stands in, before the call is over. */
#include "base/file.h"
#include "support.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Ours instead of the library's: notes what is synced, and may refuse. */
static char synced[8192];
static const char *refused;

int fsync(int fd)
{
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    if (refused && strcmp(refused, path) == 0) {
        errno = EIO;
        return -1;
    }
    size_t used = strlen(synced);
    snprintf(synced + used, sizeof synced - used, "[%s]", path);
    return (int)syscall(SYS_fsync, fd);
}

static bool was_synced(struct support *s, const char *dir)
{
    struct str want = arena_printf(&s->arena, "[%s]", dir);
    return strstr(synced, want.data) != NULL;
}

static void begin(struct support *s, const char **out_dir)
{
    support_init(s);
    *out_dir = support_make_dir(s);
    synced[0] = '\0';
    refused = NULL;
}

static void end(struct support *s, const char *dir)
{
    support_remove_dir(dir);
    support_fini(s);
}

static void test_make_dirs__syncs_each_name_in_its_parent(void **state)
{
    (void)state;
    struct support s;
    const char *dir;
    begin(&s, &dir);
    struct str a = arena_printf(&s.arena, "%s/a", dir), b = arena_printf(&s.arena, "%s/a/b", dir);
    struct str deep = arena_printf(&s.arena, "%s/a//b/c/", dir);
    assert_ok(&s, file_make_dirs(&s.cx, deep.data));
    struct stat info;
    assert_int_equal(stat(deep.data, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_true(was_synced(&s, dir) && was_synced(&s, a.data) && was_synced(&s, b.data));
    synced[0] = '\0'; /* whoever made them may have come no further */
    assert_ok(&s, file_make_dirs(&s.cx, deep.data));
    assert_true(was_synced(&s, dir) && was_synced(&s, a.data) && was_synced(&s, b.data));
    end(&s, dir);
}

static void test_make_dirs__fails_when_a_name_it_made_does_not_last(void **state)
{
    (void)state;
    struct support s;
    const char *dir;
    begin(&s, &dir);
    struct str a = arena_printf(&s.arena, "%s/a", dir), b = arena_printf(&s.arena, "%s/a/b", dir);
    refused = a.data;
    assert_fails(&s, file_make_dirs(&s.cx, b.data), "base.file");
    assert_ok(&s, file_make_dirs(&s.cx, a.data)); /* that one is there, and lasts */
    refused = NULL;
    assert_ok(&s, file_make_dirs(&s.cx, b.data));
    end(&s, dir);
}

static void test_make_dirs__says_what_is_in_the_way(void **state)
{
    (void)state;
    struct support s;
    const char *dir;
    begin(&s, &dir);
    struct str file = arena_printf(&s.arena, "%s/file", dir), below = arena_printf(&s.arena, "%s/file/a", dir);
    assert_ok(&s, file_replace(&s.cx, file.data, STR("x"), 0600));
    assert_true(was_synced(&s, dir));
    assert_fails(&s, file_make_dirs(&s.cx, below.data), "base.file");
    end(&s, dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_make_dirs__syncs_each_name_in_its_parent),
                                       cmocka_unit_test(test_make_dirs__fails_when_a_name_it_made_does_not_last),
                                       cmocka_unit_test(test_make_dirs__says_what_is_in_the_way)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
