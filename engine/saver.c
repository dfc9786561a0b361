/*
 * The index as a file, index.snapshot in the data directory: written when much has changed since the last time, and at
 * the end. On a thread that is there while it is written: it takes some seconds for each ten million records, and
 * upkeep has other things to do.
 */
#include "engine_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "mpi/snapshot.h"

enum {
    RECORDS_MIN = 10 * 1000,      /* fewer are made from their rows in no time */
    CHANGES_MIN = 100 * 1000,     /* so many are read again in about a second */
    PAUSE_US = 10 * 60 * 1000000, /* a bulk load must not become one long save */
};

struct saver {
    struct engine *engine;
    pthread_t thread;
    bool running;      /* the upkeep thread's, then whoever stops */
    atomic_bool ended; /* the thread has nothing left to do */
    atomic_bool stopping;
    int64_t next_us;
};

const char *saver_path(struct engine *engine, struct arena *arena)
{
    return arena_printf(arena, "%s/index.snapshot", engine->dir).data;
}

static void save(struct saver *saver, const atomic_bool *gone)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena, .gone = gone};
    struct mpi *mpi = saver->engine->mpi;
    int64_t began_us = clock_mono_us();
    if (mpi_save(mpi, &cx, saver_path(saver->engine, &arena)) == STATUS_OK)
        log_event(LOG_INFO, "mpi.saved", LOG_NUM("records", mpi_count(mpi).records),
                  LOG_NUM("took_ms", (clock_mono_us() - began_us) / 1000));
    else if (cx.reason != &ctx_cancelled_reason) /* nothing is lost: the next start takes longer */
        log_event(LOG_WARN, "mpi.not-saved", LOG_WHY(&cx));
    arena_fini(&arena);
}

static void *run(void *arg)
{
    struct saver *saver = arg;
    save(saver, &saver->stopping);
    atomic_store(&saver->ended, true);
    return NULL;
}

static bool is_worth_saving(struct saver *saver, uint64_t changes_min)
{
    uint64_t min = saver->engine->options.snapshot_records_min, records = mpi_count(saver->engine->mpi).records;
    uint64_t unsaved = mpi_unsaved(saver->engine->mpi);
    return records >= (min ? min : RECORDS_MIN) && (unsaved >= changes_min || unsaved == records);
}

struct saver *saver_start(struct engine *engine)
{
    struct saver *saver = mem_alloc(sizeof *saver);
    saver->engine = engine;
    return saver;
}

static void join(struct saver *saver)
{
    if (saver->running)
        pthread_join(saver->thread, NULL);
    saver->running = false;
}

void saver_tick(struct saver *saver)
{
    if (saver->running && !atomic_load(&saver->ended))
        return;
    join(saver);
    if (clock_mono_us() < saver->next_us || !is_worth_saving(saver, CHANGES_MIN))
        return;
    saver->next_us = clock_mono_us() + PAUSE_US;
    atomic_store(&saver->ended, false);
    saver->running = pthread_create(&saver->thread, NULL, run, saver) == 0;
}

void saver_stop(struct saver *saver)
{
    if (saver == NULL)
        return;
    atomic_store(&saver->stopping, true);
    join(saver);
    if (is_worth_saving(saver, 1))
        save(saver, NULL);
    mem_free(saver);
}
