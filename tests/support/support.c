#include "support.h"

#include "base/hash.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

void support_init(struct support *support)
{
    *support = (struct support){0};
    arena_init(&support->arena, 0);
    support->cx = (struct ctx){.arena = &support->arena, .now_us = 1763726400000000};
}

void support_fini(struct support *support)
{
    arena_fini(&support->arena);
}

const char *support_data(struct support *support, const char *below)
{
    const char *root = getenv("IDEM_DATA");
    struct str path = arena_printf(&support->arena, "%s/%s", root ? root : "../shared/data", below);
    return access(path.data, R_OK) == 0 ? path.data : NULL;
}

const char *support_make_dir(struct support *support)
{
    const char *root = getenv("TMPDIR");
    struct str path = arena_printf(&support->arena, "%s/idem-test-XXXXXX", root ? root : "/tmp");
    return mkdtemp((char *)path.data);
}

struct str support_random_text(struct arena *arena, uint64_t *seed, size_t len_max)
{
    size_t len = hash_random(seed) % (len_max + 1);
    char *text = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = (char)hash_random(seed);
    return str_make(text, len);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

void support_remove_dir(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
