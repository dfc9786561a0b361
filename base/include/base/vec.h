/*
 * VEC(type): an owned, growing array. VEC(int) v = {0}; *VEC_ADD(&v) = 3; VEC_FINI(&v);
 * Threads: one thread.
 */
#pragma once

#include "base/mem.h"

#define VEC(type)                                                                                                      \
    struct {                                                                                                           \
        type *at;                                                                                                      \
        size_t count, cap;                                                                                             \
    }

/* Room for one more; answers the place of the new last element (not zeroed). */
#define VEC_ADD(vec)                                                                                                   \
    (((vec)->count == (vec)->cap ? (void)((vec)->cap = (vec)->cap ? (vec)->cap * 2 : 8,                                \
                                          (vec)->at = mem_grow((vec)->at, (vec)->cap, sizeof *(vec)->at))              \
                                 : (void)0),                                                                           \
     &(vec)->at[(vec)->count++])

#define VEC_FINI(vec) (mem_free((vec)->at), (vec)->at = NULL, (vec)->count = (vec)->cap = 0)
