/* How much of the machine's memory the tables may be kept in. */
#include "store_internal.h"

#include "base/file.h"

#include <unistd.h>

static const uint64_t CACHE_BYTES_MIN = 64u << 20, CACHE_BYTES_MAX = 1024u << 20;
enum { CACHE_PART = 32, FILE_BYTES_MAX = 64 * 1024 }; /* the index and the packs want memory too */

uint64_t store_cache_part(uint64_t memory_bytes)
{
    uint64_t part = memory_bytes / CACHE_PART;
    if (part < CACHE_BYTES_MIN)
        return CACHE_BYTES_MIN;
    return part < CACHE_BYTES_MAX ? part : CACHE_BYTES_MAX;
}

static void lower(uint64_t *bytes, struct str folder, struct ctx *cx)
{
    SCOPED(buf_fini) struct buf text = {0};
    const char *path = arena_printf(cx->arena, "%.*s/memory.max", STR_ARGS(folder)).data;
    uint64_t max;
    if (file_read(cx, path, FILE_BYTES_MAX, &text) == STATUS_OK && str_to_u64(str_trim(buf_str(&text)), &max) &&
        max < *bytes)
        *bytes = max;
    ctx_clear(cx); /* absent, or "max": no limit here */
}

/* "0::/system.slice/idemd.service": the limit of each group up to the root holds. */
uint64_t store_memory_limit(struct ctx *cx, const char *cgroup_file, const char *cgroup_root, uint64_t memory_bytes)
{
    SCOPED(buf_fini) struct buf text = {0};
    if (file_read(cx, cgroup_file, FILE_BYTES_MAX, &text) != STATUS_OK) {
        ctx_clear(cx);
        return memory_bytes;
    }
    struct str rest = buf_str(&text), line;
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, STR("0::/")))
            continue;
        struct str folder = arena_printf(cx->arena, "%s%.*s", cgroup_root, STR_ARGS(str_from_at(line, 3)));
        size_t root_len = strlen(cgroup_root);
        for (;;) {
            lower(&memory_bytes, folder, cx);
            if (folder.len <= root_len)
                break;
            do
                folder.len--;
            while (folder.len > root_len && folder.data[folder.len] != '/');
        }
    }
    return memory_bytes;
}

uint64_t store_cache_default(struct ctx *cx)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
    return store_cache_part(store_memory_limit(cx, "/proc/self/cgroup", "/sys/fs/cgroup", memory));
}
