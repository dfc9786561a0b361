#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>

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

struct str ctx_message(const struct ctx *cx)
{
    if (cx->reason == NULL)
        return STR("no reason recorded");
    if (cx->detail.len == 0)
        return str_from(cx->reason->text);
    return arena_printf(cx->arena, "%s: %.*s", cx->reason->text, STR_ARGS(cx->detail));
}
