/*
 * INVARIANT(condition): what our own code must guarantee, checked in every build: a packager's -DNDEBUG does not take
 * it away, because a process that goes on with a broken invariant may mix up patients. When it does not hold the
 * process ends, naming file and line, never data; what was acknowledged is in the journal.
 *
 * For orders, sizes, counters that must agree, above all at the borders of rooms. Never for input: what the world may
 * do is a status. Conditions must be cheap and without effect.
 */
#pragma once

#include "base/mem.h"

#define INVARIANT_TEXT_(line) #line
#define INVARIANT_LINE_(line) INVARIANT_TEXT_(line)

#define INVARIANT(condition)                                                                                           \
    ((condition) ? (void)0 : mem_panic(__FILE_NAME__ ":" INVARIANT_LINE_(__LINE__), "broken invariant: " #condition))
