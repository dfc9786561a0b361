#include "connector_internal.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES_MAX = 200 };

struct folder {
    struct connector base;
    int folder_fd, done_fd; /* an eventfd: the worker has an outcome */
    struct loop_watch *watch;
    pthread_t worker;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_work, closing;           /* under lock */
    struct connector_outcome outcome; /* under lock */
};

static struct folder *folder_of(struct connector *connector)
{
    return (struct folder *)connector;
}

static bool is_good_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= NAME_BYTES_MAX && name[0] != '.' && strchr(name, '/') == NULL;
}

static const char *write_why(int error)
{
    return error == ENOSPC || error == EDQUOT                    ? "disk full"
           : error == EACCES || error == EROFS || error == EPERM ? "the folder may not be written"
           : error == ENOENT                                     ? "the folder is gone"
                                                                 : "writing failed";
}

/* ---- on the worker's thread ---- */

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.data, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes = str_from_at(bytes, (size_t)put);
    }
    return true;
}

static bool is_same(int fd, struct str bytes)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || (uint64_t)info.st_size != bytes.len)
        return false;
    char part[16 * 1024];
    while (bytes.len > 0) {
        ssize_t got = read(fd, part, sizeof part);
        if (got <= 0 || (size_t)got > bytes.len || memcmp(part, bytes.data, (size_t)got) != 0)
            return false;
        bytes = str_from_at(bytes, (size_t)got);
    }
    return true;
}

/* A repeat of a delivery: the file is there. Made durable once more, for nobody knows how far the first one came. */
static bool is_there(int folder_fd, const char *name, struct str bytes)
{
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    bool same = is_same(fd, bytes) && fsync(fd) == 0 && fsync(folder_fd) == 0;
    close(fd);
    return same;
}

static int put_file(int folder_fd, const char *file_name, struct str bytes)
{
    char name[NAME_BYTES_MAX + 8], temporary[NAME_BYTES_MAX + 8];
    snprintf(name, sizeof name, "%s.hl7", file_name);
    snprintf(temporary, sizeof temporary, ".%s.tmp", file_name);
    if (is_there(folder_fd, name, bytes))
        return 0;
    int fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return errno;
    int error = write_all(fd, bytes) && fsync(fd) == 0 ? 0 : errno;
    if (close(fd) != 0 && error == 0)
        error = errno;
    if (error == 0 && renameat(folder_fd, temporary, folder_fd, name) != 0)
        error = errno;
    if (error) {
        unlinkat(folder_fd, temporary, 0);
        return error;
    }
    return fsync(folder_fd) == 0 ? 0 : errno;
}

static void *work(void *arg)
{
    struct folder *folder = arg;
    thread_long("folder", 0);
    pthread_mutex_lock(&folder->lock);
    for (;;) {
        while (!folder->has_work && !folder->closing)
            pthread_cond_wait(&folder->changed, &folder->lock);
        if (!folder->has_work)
            break;
        pthread_mutex_unlock(&folder->lock);
        struct connector_outcome outcome = {.kind = CONNECTOR_DELIVERED, .why = "in place"};
        if (!is_good_name(folder->base.file_name)) {
            outcome = (struct connector_outcome){.kind = CONNECTOR_REFUSED, .why = "not a file name"};
        } else {
            int error = put_file(folder->folder_fd, folder->base.file_name, folder->base.message);
            if (error)
                outcome = (struct connector_outcome){.kind = CONNECTOR_NOT_SENT, .why = write_why(error)};
        }
        pthread_mutex_lock(&folder->lock);
        folder->has_work = false;
        folder->outcome = outcome;
        uint64_t one = 1;
        ssize_t put = write(folder->done_fd, &one, sizeof one); /* never full: one outcome at a time */
        (void)put;
    }
    pthread_mutex_unlock(&folder->lock);
    return NULL;
}

/* ---- on the loop's ---- */

static void work_done(void *arg, uint32_t events)
{
    (void)events;
    struct folder *folder = arg;
    uint64_t one;
    ssize_t got = read(folder->done_fd, &one, sizeof one);
    (void)got;
    pthread_mutex_lock(&folder->lock);
    struct connector_outcome outcome = folder->outcome;
    pthread_mutex_unlock(&folder->lock);
    if (folder->base.done)
        connector_report(&folder->base, &outcome);
}

static void folder_send(struct connector *connector)
{
    struct folder *folder = folder_of(connector);
    pthread_mutex_lock(&folder->lock);
    folder->has_work = true;
    pthread_cond_signal(&folder->changed);
    pthread_mutex_unlock(&folder->lock);
}

static void folder_close(struct connector *connector)
{
    struct folder *folder = folder_of(connector);
    pthread_mutex_lock(&folder->lock);
    folder->closing = true;
    pthread_cond_signal(&folder->changed);
    pthread_mutex_unlock(&folder->lock);
    pthread_join(folder->worker, NULL);
    loop_watch_remove(folder->watch);
    close(folder->done_fd);
    close(folder->folder_fd);
    pthread_cond_destroy(&folder->changed);
    pthread_mutex_destroy(&folder->lock);
    connector_fini(connector);
    mem_free(folder);
}

static const struct connector_kind file_kind = {folder_send, folder_close};

status connector_open_file(struct loop *loop, struct ctx *cx, const struct connector_file_options *options,
                           struct connector **out_connector)
{
    TRY(file_make_dirs(cx, options->folder));
    int folder_fd = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        return ctx_fail(cx, &connector_reason, "destination %s: folder %s: %s", options->name, options->folder,
                        strerror(errno));
    int done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct folder *folder = mem_alloc(sizeof *folder);
    folder->folder_fd = folder_fd;
    folder->done_fd = done_fd;
    pthread_mutex_init(&folder->lock, NULL);
    pthread_cond_init(&folder->changed, NULL);
    if (done_fd < 0 || pthread_create(&folder->worker, NULL, work, folder) != 0)
        mem_panic("connector_open_file", "no descriptor or thread left");
    connector_init(&folder->base, &file_kind, loop, options->name);
    folder->watch = loop_watch_add(loop, done_fd, EPOLLIN, work_done, folder);
    *out_connector = &folder->base;
    return STATUS_OK;
}
