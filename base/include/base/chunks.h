/*
 * CHUNKS(type): an array that grows without moving anything, so readers may look at what is there while the one writer
 * adds behind it (how many there are for readers is told under a lock).
 *
 *     CHUNKS(int) numbers = {0};
 *     *CHUNK_ADD(&numbers, count) = 3; count++;
 *     CHUNK_AT(&numbers, 0);
 *     CHUNKS_FINI(&numbers);
 *
 * Up to 2^32 elements; a step of growth is one chunk of zeroed memory that the system hands out page by page. The
 * structure itself is half a MiB of pointers, nearly all never touched: keep it on the heap.
 */
#pragma once

#include "base/mem.h"

#include <stdint.h>

enum { CHUNK_BITS = 16, CHUNK_ITEMS = 1 << CHUNK_BITS, CHUNKS_MAX = 1 << 16 };

#define CHUNKS(type)                                                                                                   \
    struct {                                                                                                           \
        type *chunk[CHUNKS_MAX];                                                                                       \
    }

/* The element at `i`, which must have been added. `i` is evaluated twice, here and below. */
#define CHUNK_AT(chunks, i) (&(chunks)->chunk[(uint32_t)(i) >> CHUNK_BITS][(uint32_t)(i) & (CHUNK_ITEMS - 1)])

/* Room for an element at `i`, and its place; zeroed when it was never used. */
#define CHUNK_ADD(chunks, i)                                                                                           \
    (((chunks)->chunk[(uint32_t)(i) >> CHUNK_BITS] == NULL                                                             \
          ? (void)((chunks)->chunk[(uint32_t)(i) >> CHUNK_BITS] = mem_array(CHUNK_ITEMS, sizeof *(chunks)->chunk[0]))  \
          : (void)0),                                                                                                  \
     CHUNK_AT(chunks, i))

#define CHUNKS_FINI(chunks)                                                                                            \
    do {                                                                                                               \
        for (size_t chunk_ = 0; chunk_ < CHUNKS_MAX && (chunks)->chunk[chunk_] != NULL; chunk_++) {                    \
            mem_free((chunks)->chunk[chunk_]);                                                                         \
            (chunks)->chunk[chunk_] = NULL;                                                                            \
        }                                                                                                              \
    } while (0)
