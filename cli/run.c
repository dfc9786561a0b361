#include "cli/run.h"

#include "base/clock.h"
#include "line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_MIN = 80, WIDTH_MAX = 120, WIDTH_PIPE = 120 };

static size_t screen_width(void)
{
    struct winsize size = {0};
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_PIPE;
    return size.ws_col < WIDTH_MIN ? WIDTH_MIN : size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

static bool wants_color(void)
{
    const char *refused = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
    const char *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(refused && *refused) && !(terminal && strcmp(terminal, "dumb") == 0);
}

void cli_run_init(struct cli_run *run, struct ctx *cx, const struct cli_parsed *parsed)
{
    *run = (struct cli_run){.cx = cx, .parsed = parsed};
    run->json = parsed->json;
    run->talk_is_terminal = isatty(STDERR_FILENO);
    run->show =
        (struct cli_show){.arena = cx->arena, .out = &run->out, .color = wants_color(), .width = screen_width()};
}

void cli_run_fini(struct cli_run *run)
{
    cli_line_close(run->line);
    run->line = NULL;
    buf_fini(&run->out);
}

bool cli_flush(struct cli_run *run)
{
    size_t done = 0;
    while (done < run->out.len) {
        ssize_t put = write(STDOUT_FILENO, run->out.data + done, run->out.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            if (errno != EPIPE) /* `idem messages | head` is no mistake */
                cli_say(run, "standard output: %s", strerror(errno));
            buf_clear(&run->out);
            return false;
        }
        done += (size_t)put;
    }
    buf_clear(&run->out);
    return true;
}

const char *cli_text(const struct cli_run *run, const char *option)
{
    return cli_parsed_text(run->parsed, option);
}

uint64_t cli_number(const struct cli_run *run, const char *option)
{
    uint64_t number = 0;
    const char *text = cli_text(run, option);
    return text && str_to_u64(str_from(text), &number) ? number : 0; /* the parser has checked the digits */
}

bool cli_flag(const struct cli_run *run, const char *option)
{
    return cli_text(run, option) != NULL;
}

const char *cli_argument(const struct cli_run *run, size_t nth)
{
    return nth < run->parsed->argument_count ? run->parsed->arguments[nth] : NULL;
}

uint64_t cli_argument_number(const struct cli_run *run, size_t nth)
{
    uint64_t number = 0;
    const char *text = cli_argument(run, nth);
    return text && str_to_u64(str_from(text), &number) ? number : 0;
}

/* ---- talk ---- */

static void put_talk(const char *lead, struct str raw)
{
    struct buf line = {0};
    buf_put_str(&line, str_from(lead));
    cli_safe(&line, raw);
    buf_put_byte(&line, '\n');
    fwrite(line.data, 1, line.len, stderr);
    buf_fini(&line);
}

void cli_say(struct cli_run *run, const char *format, ...)
{
    (void)run;
    struct buf raw = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&raw, format, args);
    va_end(args);
    put_talk("", buf_str(&raw));
    buf_fini(&raw);
}

/* With --json stdout is one JSON text, also when it fails: what was written before is dropped. */
static void put_json_error(struct cli_run *run, const char *reason, const char *kind, struct str what, const char *next)
{
    if (!run->json)
        return;
    buf_clear(&run->out);
    struct json json = {.out = &run->out};
    json_object(&json, NULL);
    json_object(&json, "error");
    json_text(&json, "reason", str_from(reason));
    json_text(&json, "status", str_from(kind));
    json_text(&json, "message", what);
    json_text(&json, "next", str_from(next));
    json_end(&json);
    json_end(&json);
    buf_put_byte(&run->out, '\n');
}

static void put_lead(struct cli_run *run, char lead[80])
{
    char name[CLI_NAME_MAX] = "";
    if (run->parsed->command)
        cli_command_name(run->parsed->command, name);
    snprintf(lead, 80, "idem%s%s: ", *name ? " " : "", name);
}

enum cli_exit cli_misused(struct cli_run *run, const char *next, const char *format, ...)
{
    struct buf raw = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&raw, format, args);
    va_end(args);
    char lead[80];
    put_lead(run, lead);
    put_talk(lead, buf_str(&raw));
    if (next)
        put_talk("  next: ", str_from(next));
    put_json_error(run, "cli.usage", status_text(STATUS_INVALID_ARGUMENT), buf_str(&raw), next ? next : "");
    buf_fini(&raw);
    return CLI_USAGE;
}

struct advice {
    status failed;
    enum cli_exit code;
    const char *next;
};

/* What a status means for a person at a prompt. */
static const struct advice advices[] = {
    {STATUS_CANCELLED, CLI_INTERNAL, "it was stopped; nothing half-done is kept: try again"},
    {STATUS_UNKNOWN, CLI_INTERNAL, "look at the daemon's log; `idem doctor` checks the daemon"},
    {STATUS_INVALID_ARGUMENT, CLI_NEGATIVE, "correct the value named above"},
    {STATUS_DEADLINE_EXCEEDED, CLI_UNREACHABLE,
     "the daemon is slow or stuck: give it longer with --timeout, look at `idem status`"},
    {STATUS_NOT_FOUND, CLI_NEGATIVE, NULL},
    {STATUS_ALREADY_EXISTS, CLI_NEGATIVE, NULL},
    {STATUS_PERMISSION_DENIED, CLI_DENIED,
     "this certificate has no right to do that: use --cert and --key of one that has, or ask who runs idemd"},
    {STATUS_RESOURCE_EXHAUSTED, CLI_NEGATIVE, "too large or too much at once: send less, or later"},
    {STATUS_FAILED_PRECONDITION, CLI_NEGATIVE, NULL},
    {STATUS_ABORTED, CLI_NEGATIVE, "try again"},
    {STATUS_OUT_OF_RANGE, CLI_NEGATIVE, NULL},
    {STATUS_UNIMPLEMENTED, CLI_INTERNAL,
     "this daemon does not know the command: compare `idem version` and `idem status`"},
    {STATUS_INTERNAL, CLI_INTERNAL, "look at the daemon's log; `idem doctor` checks the daemon"},
    {STATUS_UNAVAILABLE, CLI_UNREACHABLE,
     "is idemd running (`idemd --config FILE`)? then check --address, --ca, --cert and --key, or --home DIR"},
    {STATUS_DATA_LOSS, CLI_DAMAGED,
     "stop sending, keep the data directory as it is, and see docs/operations.md on damage"},
    {STATUS_UNAUTHENTICATED, CLI_DENIED,
     "show who you are: --ca, --cert and --key, or --home DIR; `idem pki issue` makes a certificate"},
};

static const struct advice *advice_for(status failed)
{
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (advices[i].failed == failed)
            return &advices[i];
    return &advices[1];
}

enum cli_exit cli_exit_of(status failed)
{
    return failed == STATUS_OK ? CLI_OK : advice_for(failed)->code;
}

enum cli_exit cli_failed(struct cli_run *run, status failed, const char *next)
{
    const struct advice *advice = advice_for(failed);
    const char *reason = run->cx->reason ? run->cx->reason->name : "cli.failed";
    struct str what = run->cx->reason ? ctx_message(run->cx) : str_from(status_text(failed));
    const char *then = next ? next : advice->next;
    char lead[80];
    put_lead(run, lead);
    struct buf line = {0};
    buf_printf(&line, "%.*s [%s]", STR_ARGS(what), reason);
    put_talk(lead, buf_str(&line));
    buf_fini(&line);
    if (then)
        put_talk("  next: ", str_from(then));
    put_json_error(run, reason, status_text(failed), what, then ? then : "");
    return advice->code;
}

/* ---- progress ---- */

enum { PROGRESS_EVERY_US = 100000, PROGRESS_BAR = 30 };

void cli_progress_begin(struct cli_progress *progress, struct cli_run *run, const char *what)
{
    *progress = (struct cli_progress){.run = run, .what = what, .started_us = clock_mono_us()};
}

static void put_bar(struct buf *line, uint64_t done, uint64_t total)
{
    uint64_t part = done < total ? done : total;
    for (uint64_t i = 0; i < PROGRESS_BAR; i++)
        buf_put_str(line, i < part * PROGRESS_BAR / total ? STR("\u2588") : STR("\u2591"));
    buf_printf(line, " %3u%%  ", (unsigned)(part * 100 / total));
}

void cli_progress_at(struct cli_progress *progress, uint64_t done, uint64_t total)
{
    int64_t now = clock_mono_us();
    if (!progress->run->talk_is_terminal || now - progress->shown_us < PROGRESS_EVERY_US)
        return;
    progress->shown_us = now;
    progress->shown = true;
    char count[32], rate[32];
    double seconds = (double)(now - progress->started_us) / 1e6;
    cli_format_count(done, count);
    cli_format_count(seconds > 0 ? (uint64_t)((double)done / seconds) : 0, rate);
    struct buf line = {0};
    buf_put_str(&line, STR("\r\x1b[K"));
    cli_safe(&line, str_from(progress->what));
    buf_put_byte(&line, ' ');
    if (total)
        put_bar(&line, done, total);
    buf_printf(&line, "%s  %s/s", count, rate);
    fwrite(line.data, 1, line.len, stderr);
    fflush(stderr);
    buf_fini(&line);
}

int64_t cli_progress_end(struct cli_progress *progress)
{
    if (progress->shown)
        fputs("\r\x1b[K", stderr);
    progress->shown = false;
    return clock_mono_us() - progress->started_us;
}
