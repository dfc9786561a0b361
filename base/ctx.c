#include "base/ctx.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>

const struct reason ctx_deadline_reason = {"base.deadline", STATUS_DEADLINE_EXCEEDED, 207,
                                           "the time given for the work has passed"};
const struct reason ctx_cancelled_reason = {"base.cancelled", STATUS_CANCELLED, 207,
                                            "nobody waits for the answer any more"};

status ctx_check(struct ctx *cx)
{
    if (cx->gone && atomic_load_explicit(cx->gone, memory_order_relaxed))
        return ctx_fail(cx, &ctx_cancelled_reason, NULL);
    if (cx->deadline_us && clock_mono_us() >= cx->deadline_us)
        return ctx_fail(cx, &ctx_deadline_reason, NULL);
    return STATUS_OK;
}

status ctx_fail(struct ctx *cx, const struct reason *reason, const char *format, ...)
{
    cx->reason = reason;
    cx->detail = STR_NONE;
    if (format && cx->arena) {
        char text[512];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        cx->detail = arena_str(cx->arena, str_from(text));
    }
    return reason->status;
}

status ctx_pass(struct ctx *cx, const struct ctx *from, status got)
{
    cx->reason = from->reason;
    cx->detail = from->detail.len && cx->arena ? arena_str(cx->arena, from->detail) : STR_NONE;
    return got;
}

void ctx_clear(struct ctx *cx)
{
    cx->reason = NULL;
    cx->detail = STR_NONE;
}

void ctx_give_back(struct ctx *cx, struct arena_mark mark)
{
    ctx_clear(cx); /* a detail of something dealt with may be there too */
    arena_rewind(cx->arena, mark);
}

struct str ctx_message(const struct ctx *cx)
{
    if (cx->reason == NULL)
        return STR("no reason recorded");
    if (cx->detail.len == 0)
        return str_from(cx->reason->text);
    return arena_printf(cx->arena, "%s: %.*s", cx->reason->text, STR_ARGS(cx->detail));
}
