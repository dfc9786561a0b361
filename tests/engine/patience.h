/* Submitting by who may wait for room. */
#pragma once

#include "engine/engine.h"

#include <pthread.h>

/* A sender that may wait: submits, and again when it is told that there is room. */
struct patience {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool told;
};

static inline void patience_told(void *arg)
{
    struct patience *patience = arg;
    pthread_mutex_lock(&patience->lock);
    patience->told = true;
    pthread_cond_signal(&patience->changed);
    pthread_mutex_unlock(&patience->lock);
}

static inline void submit_patiently(struct engine *engine, const struct engine_submission *submission,
                                    engine_answer_fn *answered, void *arg)
{
    struct patience patience = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct engine_room room = {.told = patience_told, .arg = &patience};
    while (engine_submit(engine, submission, answered, arg, &room) == ENGINE_FULL) {
        pthread_mutex_lock(&patience.lock);
        while (!patience.told)
            pthread_cond_wait(&patience.changed, &patience.lock);
        patience.told = false;
        pthread_mutex_unlock(&patience.lock);
    }
}
