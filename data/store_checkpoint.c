/*
 * Checkpoints, so made that nobody who commits or reads waits for the disk.
 *
 * Berkeley DB writes a page with the page latched, and syncs its log first when the page was changed since the last
 * sync: the next commit that needs the page then waits for the disk, and keeps all readers out meanwhile. So pages are
 * written only while no commit is under way and the log is synced: then nothing is left to wait for but a copy into the
 * system's own cache. The writer is kept waiting for that, a part of the cache at a time, readers never; and before
 * the files are synced (the long wait) the writer is let go.
 */
#include "store_internal.h"

#include "base/clock.h"
#include "base/invariant.h"

#include <stdlib.h>

enum {
    HUNDREDTH_US = 5000, /* to copy a hundredth of the pages of a large cache */
    MOST_HUNDREDTHS = 3, /* at a time, however long the disk takes: the writer waits */
};

/* The store whose commits this thread keeps waiting, until it comes to sync a file. */
static _Thread_local struct data_store *paused_here;

void store_gate_init(struct store_gate *gate)
{
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

void store_gate_fini(struct store_gate *gate)
{
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
}

void store_commit_begin(struct data_store *store)
{
    struct store_gate *gate = &store->gate;
    pthread_mutex_lock(&gate->lock);
    INVARIANT(!gate->committing); /* one writer */
    gate->waiting = true;
    while (gate->paused)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->waiting = false;
    gate->committing = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void store_commit_end(struct data_store *store)
{
    struct store_gate *gate = &store->gate;
    pthread_mutex_lock(&gate->lock);
    gate->committing = false;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

/* The writer comes between two pauses, if it waits: neither keeps the other out for ever. */
static void pause_commits(struct data_store *store)
{
    struct store_gate *gate = &store->gate;
    pthread_mutex_lock(&gate->lock);
    while (gate->waiting)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->paused = true;
    while (gate->committing)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void resume_commits(struct data_store *store)
{
    struct store_gate *gate = &store->gate;
    pthread_mutex_lock(&gate->lock);
    gate->paused = false;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void store_before_sync(void)
{
    if (paused_here)
        resume_commits(paused_here);
    paused_here = NULL;
}

/* With commits going on, until there is little left: each time less comes meanwhile than the time before. */
static int sync_most(struct data_store *store)
{
    enum { MOST_TIMES = 8, LITTLE_BYTES = 128 * 1024 };
    int error = 0;
    for (int i = 0; i < MOST_TIMES && error == 0 && (i == 0 || store_log_unsynced(store) > LITTLE_BYTES); i++)
        error = store->env->log_flush(store->env, NULL);
    return error;
}

static int pause_with_synced_log(struct data_store *store)
{
    int error = sync_most(store);
    if (error != 0)
        return error;
    pause_commits(store);
    error = store->env->log_flush(store->env, NULL);
    paused_here = store;
    return error;
}

/* How many of a hundred pages need not be written; 100 when none must. */
static int clean_percent(struct data_store *store)
{
    DB_MPOOL_STAT *stat = NULL;
    if (store->env->memp_stat(store->env, &stat, NULL, 0) != 0)
        return 100; /* the checkpoint says why */
    uint64_t clean = stat->st_page_clean, dirty = stat->st_page_dirty;
    free(stat);
    return dirty == 0 ? 100 : (int)(clean * 100 / (clean + dirty));
}

/* Most pages, a hundredth of the cache at a time, or some more where the sync takes long. Those changed
 * again meanwhile the checkpoint finds. */
static int write_pages(struct data_store *store)
{
    int error = 0;
    for (int percent = clean_percent(store); percent < 100 && error == 0;) {
        int64_t began_us = clock_mono_us();
        error = pause_with_synced_log(store);
        int64_t more = 1 + (clock_mono_us() - began_us) / HUNDREDTH_US;
        if (more > MOST_HUNDREDTHS)
            more = MOST_HUNDREDTHS;
        percent = more < 100 - percent ? percent + (int)more : 100;
        int pages;
        if (error == 0)
            error = store->env->memp_trickle(store->env, percent, &pages);
        store_before_sync(); /* nothing was synced: we let go ourselves */
    }
    return error;
}

status data_checkpoint(struct data_store *store, struct ctx *cx)
{
    int error = write_pages(store);
    if (error == 0)
        error = pause_with_synced_log(store);
    if (error == 0)
        error = store->env->txn_checkpoint(store->env, 0, 0, 0);
    store_before_sync();
    return error == 0 ? STATUS_OK : store_fail(cx, "checkpoint", error);
}

status data_sync(struct data_store *store, struct ctx *cx)
{
    int error = store->env->log_flush(store->env, NULL);
    return error == 0 ? STATUS_OK : store_fail(cx, "log", error);
}

enum { SYNC_BYTES = 1024 * 1024, SYNC_US = 250 * 1000 };

status data_keep_synced(struct data_store *store, struct ctx *cx)
{
    int64_t now_us = clock_mono_us();
    if (now_us - store->synced_us < SYNC_US && store_log_unsynced(store) < SYNC_BYTES)
        return STATUS_OK;
    store->synced_us = now_us;
    return data_sync(store, cx);
}
