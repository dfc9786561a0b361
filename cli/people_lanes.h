/*
 * Requests of people on their way: a bounded queue, and threads with a connection each that carry it.
 *
 * Threads: struct people_lanes locks itself; a chunk belongs to who holds it.
 */
#pragma once

#include "base/limits.h"
#include "line.h"

enum {
    PEOPLE_CHUNK_MAX = LIMIT_PEOPLE_PER_LOAD, /* records of one request */
    PEOPLE_CHUNK_BYTES = 4 * 1024 * 1024,     /* far below the daemon's bound on a request */
    PEOPLE_LANES_MAX = 16,
    PEOPLE_SOURCES_MAX = 32, /* chunks that fill at the same time */
};

struct people_chunk {
    struct arena arena;
    struct str source;
    Idem__Identity__V1__PersonRecord *records[PEOPLE_CHUNK_MAX];
    size_t count;
};
struct people_chunk *people_chunk_new(struct str source);
bool people_chunk_is_full(const struct people_chunk *chunk);

struct people_totals {
    uint64_t loaded, new_persons, linked, reviews;
};

struct people_lanes;
/* `target` must stay until the end. */
struct people_lanes *people_lanes_start(const struct cli_target *target, size_t count);
/* Takes the chunk (NULL is fine); waits while the queue is full. After a failure chunks are dropped. */
void people_lanes_put(struct people_lanes *lanes, struct people_chunk *chunk);
/* A connection failed: reading on is of no use. */
bool people_lanes_broken(struct people_lanes *lanes);
/* Waits for all, frees, and answers the first failure with its reason copied into cx. *out_totals is always filled. */
status people_lanes_end(struct people_lanes *lanes, struct ctx *cx, struct people_totals *out_totals);
