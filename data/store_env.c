#include "store_internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { NO_SPACE_TRY_AGAIN_MS = 100, NO_SPACE_LOG_EVERY = 100 };

struct store_io store_io = {write, pwrite, fdatasync};

/* Berkeley DB goes on after a failed write or sync and then loses commits (trust.md F2), so it never gets to see one. A
 * full disk is not a broken one: it waits until the operator has made room, and nothing is half done meanwhile. */
static void after_failed(const char *what, unsigned *tries)
{
    if (errno == EINTR)
        return;
    if (errno != ENOSPC && errno != EDQUOT)
        mem_panic(what, strerror(errno));
    if ((*tries)++ % NO_SPACE_LOG_EVERY == 0)
        log_event(LOG_ERROR, "store.waits-for-space", LOG_NUM("tries", *tries));
    nanosleep(&(struct timespec){.tv_nsec = NO_SPACE_TRY_AGAIN_MS * 1000000L}, NULL);
}

static ssize_t write_or_end(int fd, const void *bytes, size_t len)
{
    for (unsigned tries = 0;;) {
        ssize_t put = store_io.write(fd, bytes, len);
        if (put >= 0)
            return put;
        after_failed("store write", &tries);
    }
}

static ssize_t pwrite_or_end(int fd, const void *bytes, size_t len, off_t at)
{
    for (unsigned tries = 0;;) {
        ssize_t put = store_io.pwrite(fd, bytes, len, at);
        if (put >= 0)
            return put;
        after_failed("store write", &tries);
    }
}

static int sync_or_end(int fd)
{
    store_before_sync();
    while (store_io.fsync(fd) != 0)
        if (errno != EINTR)
            mem_panic("store sync", strerror(errno));
    return 0;
}

/* Berkeley DB's own messages may carry keys: only the error number is told, by whoever asked. */
static void say_nothing(const DB_ENV *env, const char *message)
{
    (void)env, (void)message;
}

/* With a write hook Berkeley DB seeks and writes; the pwrite hook is for builds of it that do otherwise. Pages, and
 * nothing else, are read by pread. */
static void set_hooks(void)
{
    db_env_set_func_write(write_or_end);
    db_env_set_func_pwrite(pwrite_or_end);
    db_env_set_func_fsync(sync_or_end);
    db_env_set_func_pread(store_read_page);
}

uint32_t store_log_file_bytes = STORE_LOG_FILE_BYTES;

static int configure(DB_ENV *env, uint64_t cache_bytes)
{
    store_damage_watch(env);
    env->set_msgcall(env, say_nothing);
    int error = env->set_cachesize(env, (uint32_t)(cache_bytes >> 30), (uint32_t)(cache_bytes & ((1u << 30) - 1)), 1);
    if (error == 0) /* it makes room for so many pages of this size; 4 KiB otherwise */
        error = env->set_mp_pagesize(env, STORE_PAGE_BYTES);
    if (error == 0) /* a small file with a large buffer is refused */
        error = env->set_lg_bsize(env, store_log_file_bytes / (STORE_LOG_FILE_BYTES / STORE_LOG_BUFFER_BYTES));
    if (error == 0)
        error = env->set_lg_max(env, store_log_file_bytes);
    if (error == 0)
        error = env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1);
    if (error == 0) /* the journal is what is durable; the log only has to be in order */
        error = env->set_flags(env, DB_TXN_NOSYNC, 1);
    return error;
}

int store_env_open(const char *folder, uint64_t cache_bytes, DB_ENV **out_env)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_hooks);
    DB_ENV *env;
    int error = db_env_create(&env, 0);
    if (error != 0)
        return error;
    error = configure(env, cache_bytes);
    if (error == 0)
        error = env->open(env, folder,
                          DB_CREATE | DB_PRIVATE | DB_THREAD | DB_RECOVER | DB_INIT_MPOOL | DB_INIT_LOG | DB_INIT_TXN,
                          0600);
    if (error != 0) {
        env->close(env, 0);
        return error;
    }
    *out_env = env;
    return 0;
}

int store_db_open(DB_ENV *env, const char *name, DB **out_db)
{
    char file[256];
    snprintf(file, sizeof file, "%s.db", name);
    DB *db;
    int error = db_create(&db, env, 0);
    if (error != 0)
        return error;
    error = db->set_flags(db, DB_CHKSUM);
    if (error == 0)
        error = db->set_pagesize(db, STORE_PAGE_BYTES);
    if (error == 0)
        error = db->open(db, NULL, file, NULL, DB_BTREE, DB_CREATE | DB_THREAD | DB_AUTO_COMMIT, 0600);
    if (error != 0) {
        db->close(db, DB_NOSYNC);
        return error;
    }
    *out_db = db;
    return 0;
}

status store_fail(struct ctx *cx, const char *doing, int error)
{
    return ctx_fail(cx, &data_reasons[DATA_STORE_DAMAGED], "%s: %s; next: rebuild it from the journal", doing,
                    db_strerror(error));
}

DBT store_dbt(struct str bytes)
{
    return (DBT){.data = (void *)bytes.data, .size = (uint32_t)bytes.len};
}
