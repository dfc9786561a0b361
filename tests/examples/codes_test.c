/* The committed sample code sets are what the generator writes; UPDATE_GOLDEN=1 writes them anew. */
#include "support.h"

#include "examples/gen.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/vec.h"

#include <dirent.h>
#include <sys/stat.h>

static const char *const roots[] = {"examples/codes", "examples/maps"};

struct listing {
    VEC(struct str) files;
};

/* Every file below dir/root, as paths below dir. */
static void list(struct support *s, const char *dir, const char *root, struct listing *listing)
{
    VEC(const char *) waiting = {0};
    *VEC_ADD(&waiting) = root;
    while (waiting.count > 0) {
        const char *folder = waiting.at[--waiting.count];
        DIR *open = opendir(arena_printf(&s->arena, "%s/%s", dir, folder).data);
        assert_non_null(open);
        for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
            if (entry->d_name[0] == '.')
                continue;
            struct stat info;
            struct str path = arena_printf(&s->arena, "%s/%s", folder, entry->d_name);
            assert_int_equal(stat(arena_printf(&s->arena, "%s/%s", dir, path.data).data, &info), 0);
            if (S_ISDIR(info.st_mode))
                *VEC_ADD(&waiting) = path.data;
            else
                *VEC_ADD(&listing->files) = path;
        }
        closedir(open);
    }
    VEC_FINI(&waiting);
}

static void test_codes__the_committed_files_are_what_the_generator_writes(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    if (getenv("UPDATE_GOLDEN"))
        assert_ok(&s, gen_write_codes(&s.cx, "examples"));
    const char *dir = support_make_dir(&s);
    assert_ok(&s, gen_write_codes(&s.cx, arena_printf(&s.arena, "%s/examples", dir).data));
    struct listing committed = {0}, fresh = {0};
    for (size_t i = 0; i < 2; i++) {
        list(&s, ".", roots[i], &committed);
        list(&s, dir, roots[i], &fresh);
    }
    assert_int_equal(committed.files.count, fresh.files.count);
    for (size_t i = 0; i < fresh.files.count; i++) {
        SCOPED(buf_fini) struct buf want = {0}, got = {0};
        assert_ok(&s, file_read(&s.cx, fresh.files.at[i].data, 1 << 24, &got));
        assert_ok(&s,
                  file_read(&s.cx, arena_printf(&s.arena, "%s/%s", dir, fresh.files.at[i].data).data, 1 << 24, &want));
        if (!str_eq(buf_str(&want), buf_str(&got)))
            fail_msg("%s is not what the generator writes", fresh.files.at[i].data);
    }
    VEC_FINI(&committed.files);
    VEC_FINI(&fresh.files);
    support_remove_dir(dir);
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes__the_committed_files_are_what_the_generator_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
