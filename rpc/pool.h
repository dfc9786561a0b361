/*
 * A small bounded pool of threads for methods that wait: for the writer, the disk, a loader. Threads: locks itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pool;

struct pool_job {
    struct pool_job *next;
    void (*run)(struct pool_job *job);
};

struct pool *pool_new(unsigned threads, size_t waiting_max);
/* False when too many jobs wait already: the caller answers rpc.busy. The job stays in place until it has run. */
bool pool_add(struct pool *pool, struct pool_job *job);
void pool_free(struct pool *pool); /* runs what waits, joins; NULL is fine */
