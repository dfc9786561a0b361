/*
 * Reads of threads that step back behind others (thread_long()).
 *
 * Such a thread may lose its processor at any time and wait long for the next: were it in the lock meanwhile, the
 * writer would wait as long, and everybody behind the writer. So the slices of its scans are read by another thread,
 * which gets a processor as soon as any, and it only waits for them. One for all: at most one long scan is in the lock.
 */
#include "store_internal.h"

#include "base/invariant.h"
#include "base/thread.h"

#include <signal.h>

struct store_calm_read {
    struct store_calm_read *next;
    store_read_fn *read;
    void *arg;
    pthread_cond_t done;
    bool is_done;
};

void store_calm_init(struct store_calm *calm)
{
    pthread_mutex_init(&calm->lock, NULL);
    pthread_cond_init(&calm->changed, NULL);
    calm->end = &calm->first;
}

static void *serve(void *arg)
{
    struct store_calm *calm = arg;
    thread_short("store-read");
    pthread_mutex_lock(&calm->lock);
    while (calm->first || !calm->closing) {
        struct store_calm_read *read = calm->first;
        if (read == NULL) {
            pthread_cond_wait(&calm->changed, &calm->lock);
            continue;
        }
        calm->first = read->next;
        if (calm->first == NULL)
            calm->end = &calm->first;
        pthread_mutex_unlock(&calm->lock);
        read->read(read->arg);
        pthread_mutex_lock(&calm->lock);
        read->is_done = true;
        pthread_cond_signal(&read->done);
    }
    pthread_mutex_unlock(&calm->lock);
    return NULL;
}

/* Most stores, of tests and of programs that read one once, never need it. */
static void start(struct store_calm *calm)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&calm->thread, NULL, serve, calm) != 0)
        mem_panic("store", "no thread");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    calm->running = true;
}

static void wait_for(struct store_calm *calm, struct store_calm_read *read)
{
    pthread_cond_init(&read->done, NULL);
    pthread_mutex_lock(&calm->lock);
    if (!calm->running)
        start(calm);
    *calm->end = read;
    calm->end = &read->next;
    pthread_cond_signal(&calm->changed);
    while (!read->is_done)
        pthread_cond_wait(&read->done, &calm->lock);
    pthread_mutex_unlock(&calm->lock);
    pthread_cond_destroy(&read->done);
}

void store_read_calmly(struct data_store *store, store_read_fn *read, void *arg)
{
    store_must_not_hold(store); /* the other thread would not know */
    if (thread_is_long())
        wait_for(&store->calm, &(struct store_calm_read){.read = read, .arg = arg});
    else
        read(arg);
}

void store_calm_fini(struct store_calm *calm)
{
    if (calm->running) {
        pthread_mutex_lock(&calm->lock);
        calm->closing = true;
        pthread_cond_signal(&calm->changed);
        pthread_mutex_unlock(&calm->lock);
        pthread_join(calm->thread, NULL);
    }
    INVARIANT(calm->first == NULL);
    pthread_cond_destroy(&calm->changed);
    pthread_mutex_destroy(&calm->lock);
}
