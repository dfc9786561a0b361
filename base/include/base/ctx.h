/*
 * struct ctx: what a call carries: its memory, its time, its principal, and, when it failed, why.
 *
 * Reasons are rows of per-room tables; gRPC error details, the HL7 ERR segment and the manual all read the same row.
 * Detail text: fact first, lower case, no full stop, sizes with units; never patient data.
 *
 * Threads: one thread at a time.
 */
#pragma once

#include "base/arena.h"
#include "base/status.h"

#include <stdatomic.h>

struct reason {
    const char *name; /* "mpi.person-unknown": stable, documented, greppable */
    status status;
    uint16_t hl7_code; /* HL7 table 0357: 100..104 structure, 200..207 content */
    const char *text;  /* one sentence without its full stop */
};

struct ctx {
    struct arena *arena;
    int64_t now_us;          /* UTC microseconds since 1970: the time of the work, taken from the entry when applying */
    int64_t deadline_us;     /* monotonic; 0 = none */
    const atomic_bool *gone; /* true once nobody waits for the answer any more; set by any thread; NULL = never */
    struct str principal;    /* who asks, as authenticated; empty = the system itself */
    const struct reason *reason; /* of the last failure; NULL before any */
    struct str detail;           /* in arena; may be empty */
};

/* Record why and answer its status, for: return ctx_fail(cx, &rows[X], "segment %u", n); `format` may be NULL. */
status ctx_fail(struct ctx *cx, const struct reason *reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The failure of a step that ran with a ctx of its own, as that of `cx`; answers `got`. The detail is copied. */
status ctx_pass(struct ctx *cx, const struct ctx *from, status got);

/* Long work asks this between its slices and ends when it fails: base.deadline, base.cancelled. */
status ctx_check(struct ctx *cx);

extern const struct reason ctx_deadline_reason, ctx_cancelled_reason;

/* Forget a failure that was dealt with. */
void ctx_clear(struct ctx *cx);

/* Gives back what a step that succeeded took of cx->arena since `mark`; nothing it answered may be there. */
void ctx_give_back(struct ctx *cx, struct arena_mark mark);

/* "reason text: detail", in cx->arena, for people. */
struct str ctx_message(const struct ctx *cx);
