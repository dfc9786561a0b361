#include "pool.h"

#include "base/mem.h"
#include "base/thread.h"

#include <pthread.h>
#include <signal.h>

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t added;
    struct pool_job *first, **end;
    size_t waiting, waiting_max;
    int nice;
    const char *name;
    bool closing;
    unsigned thread_count;
    pthread_t threads[];
};

static void unlink_job(struct pool *pool, struct pool_job *job)
{
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    else
        pool->end = job->link;
    job->link = NULL;
    pool->waiting--;
}

static void *work(void *arg)
{
    struct pool *pool = arg;
    if (pool->nice == 0)
        thread_short(pool->name);
    else
        thread_long(pool->name, pool->nice);
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->first == NULL && !pool->closing)
            pthread_cond_wait(&pool->added, &pool->lock);
        struct pool_job *job = pool->first;
        if (job == NULL)
            break;
        unlink_job(pool, job);
        pthread_mutex_unlock(&pool->lock);
        job->run(job);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct pool *pool_new(const char *name, unsigned threads, size_t waiting_max, int nice)
{
    struct pool *pool = mem_alloc(sizeof *pool + threads * sizeof pool->threads[0]);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->added, NULL);
    pool->end = &pool->first;
    pool->waiting_max = waiting_max;
    pool->nice = nice;
    pool->name = name;
    pool->thread_count = threads;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&pool->threads[i], NULL, work, pool) != 0)
            mem_panic("rpc", "cannot start a thread");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool;
}

bool pool_add(struct pool *pool, struct pool_job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool room = pool->waiting < pool->waiting_max;
    if (room) {
        job->next = NULL;
        job->link = pool->end;
        *pool->end = job;
        pool->end = &job->next;
        pool->waiting++;
        pthread_cond_signal(&pool->added);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}

bool pool_remove(struct pool *pool, struct pool_job *job)
{
    pthread_mutex_lock(&pool->lock);
    bool waits = job->link != NULL;
    if (waits)
        unlink_job(pool, job);
    pthread_mutex_unlock(&pool->lock);
    return waits;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->added);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->added);
    mem_free(pool);
}
