/*
 * Memory from the heap that never fails: when the machine has none left the process ends with a message.
 *
 * Why: every input is bounded by limits.h, so running out means a broken machine or a broken limit, and a process that
 * ends is safe here: what was acknowledged is in the journal. See docs/adr/0005-out-of-memory-ends-the-process.md.
 */
#pragma once

#include <stddef.h>

void *mem_alloc(size_t size);                         /* zeroed */
void *mem_array(size_t count, size_t size);           /* zeroed; ends the process on overflow */
void *mem_grow(void *old, size_t count, size_t size); /* realloc for arrays; new part is not zeroed */
void *mem_copy(const void *from, size_t size);
void mem_free(void *memory); /* NULL is fine */

/* A handle that closes itself when its scope ends: SCOPED(buf_fini) struct buf b = {0}; */
#define SCOPED(close_function) __attribute__((cleanup(close_function)))

/* End the process at once, message on stderr: for failed writes of state files and broken invariants. Never patient
 * data. */
_Noreturn void mem_panic(const char *where, const char *what);
