#include "journal_internal.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int by_first_seq(const void *left, const void *right)
{
    const struct segment_file *a = left, *b = right;
    return (a->first_seq > b->first_seq) - (a->first_seq < b->first_seq);
}

struct str segment_path(struct arena *arena, const char *folder, uint64_t first_seq)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(first_seq, name);
    return arena_printf(arena, "%s/%s", folder, name);
}

static void read_head(int folder_fd, const char *name, struct segment_file *file)
{
    SCOPED(journal_close_fd) int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    uint8_t bytes[SEGMENT_HEAD_BYTES];
    file->head_good = fd >= 0 && pread(fd, bytes, sizeof bytes, 0) == sizeof bytes &&
                      segment_head_decode(bytes, &file->head) && file->head.first_seq == file->first_seq;
}

status segment_list(struct ctx *cx, const char *folder, segment_files *out_files)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return ctx_fail(cx, &file_reason, "open %s: %s", folder, strerror(errno));
    for (struct dirent *each = readdir(dir); each; each = readdir(dir)) {
        uint64_t first_seq = segment_name_seq(each->d_name);
        if (first_seq == 0)
            continue;
        struct segment_file file = {.first_seq = first_seq};
        read_head(dirfd(dir), each->d_name, &file);
        *VEC_ADD(out_files) = file;
    }
    closedir(dir);
    if (out_files->count > 1)
        qsort(out_files->at, out_files->count, sizeof *out_files->at, by_first_seq);
    return STATUS_OK;
}

ptrdiff_t segment_list_check(const segment_files *files, uint64_t mark_first_seq, uint64_t *out_bad_seq,
                             const char **out_why)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct segment_file *file = &files->at[i];
        *out_bad_seq = file->first_seq;
        *out_why = "header";
        if (!file->head_good)
            return (ptrdiff_t)i;
        *out_why = "hole";
        if (i == 0 && mark_first_seq != 0 && file->first_seq > mark_first_seq) {
            *out_bad_seq = mark_first_seq;
            return 0;
        }
        if (i > 0 && file->head.before_first_seq != files->at[i - 1].first_seq) {
            *out_bad_seq = file->head.before_first_seq; /* the segment that should be there */
            return (ptrdiff_t)i;
        }
    }
    return -1;
}
