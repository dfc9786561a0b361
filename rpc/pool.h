/*
 * A small bounded pool of threads for methods that wait: for the writer, the disk, a loader. Jobs are run in the order
 * they came. Threads: locks itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool_job {
    struct pool_job *next, **link; /* in the queue; link is NULL outside it */
    void (*run)(struct pool_job *job);
};

/* `name`: of its threads, as `top -H` shows it: at most 15 characters, kept by the caller. `nice`: how far its threads
 * step back behind the others of the process when the processors are busy, 0 to 19. */
struct pool *pool_new(const char *name, unsigned threads, size_t waiting_max, int nice);
/* False when too many jobs wait already: the caller answers rpc.busy. The job stays in place until it has run. */
bool pool_add(struct pool *pool, struct pool_job *job);
/* True: it waited, and will not be run. False: it runs, has run or was never added. */
bool pool_remove(struct pool *pool, struct pool_job *job);
void pool_free(struct pool *pool); /* runs what waits, joins; NULL is fine */
