/*
 * struct arena: memory that is freed all at once (a request, a batch, a scratch mark).
 *
 * Bounded: an arena has a limit; past it arena_alloc() ends the process. Callers count what they are going to make
 * before they make it (limits.h), the products of their bounds included (tests/engine/limits_test.c). Use arena_try()
 * where outside input decides the size. Under AddressSanitizer every allocation is its own malloc, so overruns are
 * seen.
 *
 * Threads: one thread.
 */
#pragma once

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used;  /* bytes handed out since the last reset */
    size_t limit; /* 0 = ARENA_LIMIT_DEFAULT */
};

struct arena_mark {
    struct arena_block *head;
    size_t block_used, used;
};

void arena_init(struct arena *arena, size_t limit);
void arena_fini(struct arena *arena);  /* zero state is fine */
void arena_reset(struct arena *arena); /* keeps one block of at most 1 MiB for reuse */

void *arena_try(struct arena *arena, size_t size);   /* zeroed, 16-byte aligned; NULL past the limit */
void *arena_alloc(struct arena *arena, size_t size); /* zeroed; ends the process past the limit */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A NUL-ended copy (the NUL is not counted in len). */
struct str arena_str(struct arena *arena, struct str s);
struct str arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Scratch: everything allocated after the mark is freed by the rewind. */
struct arena_mark arena_mark(struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);
