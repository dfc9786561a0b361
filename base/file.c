#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const struct reason file_reason = {"base.file", STATUS_FAILED_PRECONDITION, 207, "a file cannot be used"};

static status fail(struct ctx *cx, const char *doing, const char *path)
{
    return ctx_fail(cx, &file_reason, "%s %s: %s", doing, path, strerror(errno));
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

status file_read(struct ctx *cx, const char *path, size_t len_max, struct buf *out)
{
    __attribute__((cleanup(close_fd))) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(cx, "open", path);
    size_t total = 0;
    for (;;) {
        buf_reserve(out, 64 * 1024);
        ssize_t got = read(fd, out->data + out->len, 64 * 1024);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(cx, "read", path);
        if (got == 0)
            return STATUS_OK;
        total += (size_t)got;
        if (total > len_max)
            return ctx_fail(cx, &file_reason, "%s is longer than %zu bytes", path, len_max);
        out->len += (size_t)got;
    }
}

status file_sync_dir(struct ctx *cx, const char *path)
{
    __attribute__((cleanup(close_fd))) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return fail(cx, "sync directory", path);
    return STATUS_OK;
}

static struct str parent_of(struct ctx *cx, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL   ? STR(".")
           : slash == path ? STR("/")
                           : arena_str(cx->arena, str_make(path, (size_t)(slash - path)));
}

status file_replace(struct ctx *cx, const char *path, struct str bytes, unsigned mode)
{
    struct str temporary = arena_printf(cx->arena, "%s.tmp.%ld", path, (long)getpid());
    __attribute__((cleanup(close_fd))) int fd = open(temporary.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return fail(cx, "create", temporary.data);
    for (size_t done = 0; done < bytes.len;) {
        ssize_t put = write(fd, bytes.data + done, bytes.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            status failed = fail(cx, "write", temporary.data);
            unlink(temporary.data);
            return failed;
        }
        done += (size_t)put;
    }
    if (fsync(fd) != 0 || rename(temporary.data, path) != 0) {
        status failed = fail(cx, "replace", path);
        unlink(temporary.data);
        return failed;
    }
    return file_sync_dir(cx, parent_of(cx, path).data);
}

/* A name lasts when the directory it stands in is synced. One that is there already may have been made by somebody who
 * came no further than that; where it may not be synced it is not ours. */
static status make_dir(struct ctx *cx, const char *path)
{
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return fail(cx, "make directory", path);
    status synced = file_sync_dir(cx, parent_of(cx, path).data);
    if (synced != STATUS_OK && made)
        return synced;
    ctx_clear(cx);
    return STATUS_OK;
}

status file_make_dirs(struct ctx *cx, const char *path)
{
    struct str copy = arena_str(cx->arena, str_from(path));
    char *text = (char *)copy.data;
    for (size_t i = 1; i <= copy.len; i++) {
        if ((text[i] != '/' && text[i] != 0) || text[i - 1] == '/')
            continue;
        char kept = text[i];
        text[i] = 0;
        TRY(make_dir(cx, text));
        text[i] = kept;
    }
    return STATUS_OK;
}

status file_map(struct ctx *cx, const char *path, struct str *out_bytes)
{
    __attribute__((cleanup(close_fd))) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0)
        return fail(cx, "open", path);
    if (!S_ISREG(info.st_mode))
        return ctx_fail(cx, &file_reason, "%s is not a regular file", path);
    if (info.st_size == 0) {
        *out_bytes = STR_NONE;
        return STATUS_OK;
    }
    void *at = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        return fail(cx, "map", path);
    *out_bytes = str_make(at, (size_t)info.st_size);
    return STATUS_OK;
}

void file_unmap(struct str bytes)
{
    if (bytes.len)
        munmap((void *)bytes.data, bytes.len);
}
