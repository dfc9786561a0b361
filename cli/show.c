#include "cli/show.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const paints[] = {
    [CLI_PLAIN] = "",       [CLI_BOLD] = "\x1b[1m",    [CLI_DIM] = "\x1b[2m",   [CLI_GREEN] = "\x1b[32m",
    [CLI_RED] = "\x1b[31m", [CLI_YELLOW] = "\x1b[33m", [CLI_CYAN] = "\x1b[36m",
};

void cli_put(struct cli_show *show, enum cli_paint paint, struct str safe)
{
    bool paints_it = show->color && paint != CLI_PLAIN && safe.len > 0;
    if (paints_it)
        buf_put_str(show->out, str_from(paints[paint]));
    buf_put_str(show->out, safe);
    if (paints_it)
        buf_put_str(show->out, STR("\x1b[0m"));
}

/* Also what a format brings in goes through cli_safe: a %s may be a stranger's. */
__attribute__((format(printf, 2, 0))) static struct str format_safe(struct arena *arena, const char *format,
                                                                    va_list args)
{
    struct buf raw = {0};
    buf_vprintf(&raw, format, args);
    struct str safe = cli_safe_str(arena, buf_str(&raw));
    buf_fini(&raw);
    return safe;
}

void cli_putf(struct cli_show *show, enum cli_paint paint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cli_put(show, paint, format_safe(show->arena, format, args));
    va_end(args);
}

void cli_title(struct cli_show *show, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cli_put(show, CLI_BOLD, cli_clip(show->arena, format_safe(show->arena, format, args), show->width));
    va_end(args);
    buf_put_byte(show->out, '\n');
}

void cli_format_bits(int32_t mbit, char out[24])
{
    int64_t value = mbit;
    int64_t size = value < 0 ? -value : value;
    snprintf(out, 24, "%c%" PRId64 ".%03" PRId64, value < 0 ? '-' : '+', size / 1000, size % 1000);
}

void cli_format_time(int64_t us, char out[32])
{
    if (us == 0) {
        snprintf(out, 32, "-");
        return;
    }
    char iso[28];
    clock_format(us, iso);
    snprintf(out, 32, "%.10s %.8s", iso, iso + 11);
}

void cli_format_clock(int64_t us, char out[32])
{
    char iso[28];
    clock_format(us, iso);
    snprintf(out, 32, "%.15s", us ? iso + 11 : "-");
}

void cli_format_span(int64_t us, char out[32])
{
    if (us < 0)
        us = 0;
    if (us < 1000)
        snprintf(out, 32, "%" PRId64 " us", us);
    else if (us < 1000000)
        snprintf(out, 32, "%.1f ms", (double)us / 1000);
    else if (us < 60 * INT64_C(1000000))
        snprintf(out, 32, "%.1f s", (double)us / 1000000);
    else if (us < 3600 * INT64_C(1000000))
        snprintf(out, 32, "%" PRId64 " min %02" PRId64 " s", us / 60000000, us / 1000000 % 60);
    else
        snprintf(out, 32, "%" PRId64 " h %02" PRId64 " min", us / 3600000000, us / 60000000 % 60);
}

void cli_format_count(uint64_t count, char out[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
    size_t at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
}

void cli_format_size(uint64_t bytes, char out[32])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    if (bytes < 1000) {
        snprintf(out, 32, "%" PRIu64 " B", bytes);
        return;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    while (value >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    snprintf(out, 32, "%.1f %s", value, units[unit]);
}
