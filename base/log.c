#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <inttypes.h>
#include <unistd.h>

static int level_min = LOG_INFO;

void log_set_level(enum log_level level)
{
    __atomic_store_n(&level_min, (int)level, __ATOMIC_RELAXED);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if ((int)level < __atomic_load_n(&level_min, __ATOMIC_RELAXED))
        return;
    char when[28];
    clock_format(clock_now_us(), when);
    struct buf line = {0};
    buf_printf(&line, "%s %s %s", when, names[level], event);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].name)
            buf_printf(&line, " %s=%s", fields[i].key, fields[i].name);
        else
            buf_printf(&line, " %s=%" PRId64, fields[i].key, fields[i].number);
    }
    buf_put_byte(&line, '\n');
    ssize_t written =
        write(STDERR_FILENO, line.data, line.len); /* one write, one line; a lost log line changes nothing */
    (void)written;
    buf_fini(&line);
}
