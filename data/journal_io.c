#include "journal_internal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

static uint64_t free_bytes(int fd)
{
    struct statvfs info;
    if (fstatvfs(fd, &info) != 0)
        return UINT64_MAX; /* cannot tell: the write itself will */
    return (uint64_t)info.f_bavail * info.f_frsize;
}

struct journal_io journal_io = {pwrite, fdatasync, free_bytes};

int journal_write_all(int fd, const void *bytes, size_t len, uint64_t at)
{
    const char *from = bytes;
    while (len > 0) {
        ssize_t put = journal_io.pwrite(fd, from, len, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        from += put;
        len -= (size_t)put;
        at += (uint64_t)put;
    }
    return 0;
}

bool journal_is_full_error(int error)
{
    /* out of descriptors passes like a full disk: the group is refused, senders keep it, nothing was half written */
    return error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMFILE || error == ENFILE;
}

void journal_sync(int fd, const char *what)
{
    if (journal_io.fdatasync(fd) != 0)
        mem_panic(what, strerror(errno));
}

status data_lock(struct ctx *cx, const char *folder, int *out_fd)
{
    struct str path = arena_printf(cx->arena, "%s/lock", folder);
    int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *out_fd = fd;
        return STATUS_OK;
    }
    int error = errno;
    journal_close_fd(&fd);
    if (error != EWOULDBLOCK)
        return ctx_fail(cx, &file_reason, "lock %s: %s", path.data, strerror(error));
    return ctx_fail(cx, &data_reasons[DATA_JOURNAL_IN_USE], "%s", path.data);
}

void journal_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}
