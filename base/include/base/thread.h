/*
 * What a thread is for: its name, as `top -H` and `perf` show it (at most 15 characters), and how it shares the
 * processors with the others of its process. Called by the thread itself, first of all; a wish that the kernel does not
 * grant leaves it as any other thread.
 */
#pragma once

#include <stdbool.h>

/* Others wait for it, and it has little to do at a time: a loop, the journal, the writer. It asks for short turns, so
 * that when it wakes it need not wait until somebody's long turn is over. Linux 6.12 and later. */
void thread_short(const char *name);

/* What takes long steps back behind the others when the processors are busy, by `nice`, 0 to 19. */
void thread_long(const char *name, int nice);
/* Is this one that began so? It should hold no lock that others wait for: it may be without a processor for long. */
bool thread_is_long(void);
