/*
 * What has to be done from time to time and may take long: syncs and checkpoints of the store, retention of the
 * journal, packs that nobody needs any more. On a thread of its own, so that the one writer never waits for it.
 */
#include "engine_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"

#include <signal.h>

enum { SYNC_US = 250 * 1000, CHECKPOINT_US = 10 * 1000000, RETENTION_US = 60 * 1000000 };

struct upkeep {
    struct engine *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
};

/* False when it is time to stop. */
static bool wait_for_next(struct upkeep *upkeep)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SYNC_US * 1000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&upkeep->lock);
    int waited = 0;
    while (!upkeep->stopping && waited == 0)
        waited = pthread_cond_timedwait(&upkeep->changed, &upkeep->lock, &until);
    bool stopping = upkeep->stopping;
    pthread_mutex_unlock(&upkeep->lock);
    return !stopping;
}

static void keep_up(struct engine *engine, struct ctx *cx, int64_t *next_checkpoint_us, int64_t *next_retention_us)
{
    if (clock_mono_us() < *next_checkpoint_us) {
        if (data_sync(engine->store, cx) != STATUS_OK)
            log_event(LOG_WARN, "store.sync", LOG_WHY(cx));
        return;
    }
    *next_checkpoint_us = clock_mono_us() + CHECKPOINT_US;
    codes_free_unused(engine->codes);
    if (data_checkpoint(engine->store, cx) != STATUS_OK)
        log_event(LOG_WARN, "store.checkpoint", LOG_WHY(cx));
    if (engine->options.journal_keep_us <= 0 || clock_mono_us() < *next_retention_us)
        return;
    *next_retention_us = clock_mono_us() + RETENTION_US;
    uint64_t freed;
    if (retention_run(engine, cx, clock_now_us() - engine->options.journal_keep_us, &freed) != STATUS_OK)
        log_event(LOG_WARN, "journal.retention", LOG_WHY(cx));
}

static void *run(void *arg)
{
    struct upkeep *upkeep = arg;
    thread_long("upkeep", 0);
    struct arena arena = {0};
    int64_t next_checkpoint_us = clock_mono_us() + CHECKPOINT_US, next_retention_us = 0;
    while (wait_for_next(upkeep)) {
        struct ctx cx = {.arena = &arena};
        keep_up(upkeep->engine, &cx, &next_checkpoint_us, &next_retention_us);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

struct upkeep *upkeep_start(struct engine *engine)
{
    struct upkeep *upkeep = mem_alloc(sizeof *upkeep);
    upkeep->engine = engine;
    pthread_mutex_init(&upkeep->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&upkeep->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&upkeep->thread, NULL, run, upkeep) != 0)
        mem_panic("engine", "no thread");
    return upkeep;
}

void upkeep_stop(struct upkeep *upkeep)
{
    if (upkeep == NULL)
        return;
    pthread_mutex_lock(&upkeep->lock);
    upkeep->stopping = true;
    pthread_cond_signal(&upkeep->changed);
    pthread_mutex_unlock(&upkeep->lock);
    pthread_join(upkeep->thread, NULL);
    pthread_cond_destroy(&upkeep->changed);
    pthread_mutex_destroy(&upkeep->lock);
    mem_free(upkeep);
}
