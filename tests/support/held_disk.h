/*
 * A disk that stands still: every sync of a journal waits until the test lets it go. Nothing is timed. The mark is left
 * alone: the journal's thread syncs it when it likes, also when no entry waits.
 *
 * Needs the private folder of data/ among the include folders. One test program each.
 */
#pragma once

#include "journal_internal.h"

#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held;
    unsigned stuck; /* syncs that wait */
    int mark_fd;
} held_disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .mark_fd = -1};

static inline int held_disk_sync(int fd)
{
    pthread_mutex_lock(&held_disk.lock);
    if (fd != held_disk.mark_fd) {
        held_disk.stuck++;
        pthread_cond_broadcast(&held_disk.changed);
        while (held_disk.held)
            pthread_cond_wait(&held_disk.changed, &held_disk.lock);
        held_disk.stuck--;
    }
    pthread_mutex_unlock(&held_disk.lock);
    return fdatasync(fd);
}

/* Before the journal is opened. */
static inline void held_disk_install(void)
{
    journal_io.fdatasync = held_disk_sync;
}

/* From the next sync on. */
static inline void held_disk_hold(const struct journal *journal)
{
    pthread_mutex_lock(&held_disk.lock);
    held_disk.mark_fd = journal->mark_fd;
    held_disk.held = true;
    pthread_mutex_unlock(&held_disk.lock);
}

/* Until a sync stands still. */
static inline void held_disk_wait_stuck(void)
{
    pthread_mutex_lock(&held_disk.lock);
    while (held_disk.stuck == 0)
        pthread_cond_wait(&held_disk.changed, &held_disk.lock);
    pthread_mutex_unlock(&held_disk.lock);
}

static inline bool held_disk_is_stuck(void)
{
    pthread_mutex_lock(&held_disk.lock);
    bool stuck = held_disk.held && held_disk.stuck > 0;
    pthread_mutex_unlock(&held_disk.lock);
    return stuck;
}

static inline void held_disk_release(void)
{
    pthread_mutex_lock(&held_disk.lock);
    held_disk.held = false;
    pthread_cond_broadcast(&held_disk.changed);
    pthread_mutex_unlock(&held_disk.lock);
}

/* Until so many wait for room in the journal's queue. */
static inline void held_disk_wait_waiting(struct journal *journal, uint64_t count)
{
    struct journal_stats stats = {0};
    for (;;) {
        journal_stats(journal, &stats);
        if (stats.waiting == count)
            return;
        usleep(1000);
    }
}

/* Entries in the queue behind the stuck sync; does anybody wait for room? */
static inline uint64_t held_disk_queued(struct journal *journal, bool *out_waits)
{
    pthread_mutex_lock(&journal->lock);
    uint64_t count = journal->pending.entries.count;
    *out_waits = journal->waiters != NULL;
    pthread_mutex_unlock(&journal->lock);
    return count;
}
