#include "study_internal.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

struct slicing {
    const struct slices *slices;
    atomic_size_t next;
};

static void *take_slices(void *arg)
{
    struct slicing *slicing = arg;
    const struct slices *slices = slicing->slices;
    for (size_t slice; (slice = atomic_fetch_add(&slicing->next, 1)) < slices_count(slices);) {
        uint64_t from = slice * (uint64_t)slices->items, to = from + slices->items;
        slices->work(slices->arg, slice, from, to < slices->count ? to : slices->count);
    }
    return NULL;
}

size_t slices_count(const struct slices *slices)
{
    return (size_t)((slices->count + slices->items - 1) / slices->items);
}

void slices_run(const struct slices *slices, unsigned threads)
{
    struct slicing slicing = {.slices = slices};
    pthread_t helpers[STUDY_THREADS_MAX];
    unsigned started = 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the threads that there were */
    while (started + 1 < threads && started < STUDY_THREADS_MAX && started + 1 < slices_count(slices) &&
           pthread_create(&helpers[started], NULL, take_slices, &slicing) == 0)
        started++; /* with fewer it takes longer */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)take_slices(&slicing);
    while (started > 0)
        pthread_join(helpers[--started], NULL);
}
