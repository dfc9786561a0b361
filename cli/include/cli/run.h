/*
 * struct cli_run: one run of one command: its values, its screen, its line to the daemon, and how it ended.
 * Threads: one thread.
 */
#pragma once

#include "base/ctx.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/show.h"

struct cli_line; /* the connection to the daemon, made at the first call */

struct cli_run {
    struct ctx *cx;
    const struct cli_parsed *parsed;
    struct buf out;       /* what goes to stdout */
    struct cli_show show; /* writes into out */
    bool json;            /* --json: readable output is not written */
    bool talk_is_terminal;
    struct cli_line *line;
};

/* Looks at the terminal, the environment and the values; `parsed` must stay. */
void cli_run_init(struct cli_run *run, struct ctx *cx, const struct cli_parsed *parsed);
void cli_run_fini(struct cli_run *run);
/* What is in run->out goes to stdout now. False when stdout cannot take it; it is said on stderr. */
bool cli_flush(struct cli_run *run);

/* Values of options and arguments. */
const char *cli_text(const struct cli_run *run, const char *option); /* NULL = not given and no default */
uint64_t cli_number(const struct cli_run *run, const char *option);  /* 0 = not given and no default */
bool cli_flag(const struct cli_run *run, const char *option);
const char *cli_argument(const struct cli_run *run, size_t nth); /* from 0; NULL = not given */
uint64_t cli_argument_number(const struct cli_run *run, size_t nth);

/* ---- talk: stderr ---- */

/* A remark for people, one line. */
void cli_say(struct cli_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The command line was understood but makes no sense: what, and what to do. Answers CLI_USAGE. */
enum cli_exit cli_misused(struct cli_run *run, const char *next, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A call failed: says what, where, why and what to do next, from run->cx; with --json also as an object on stdout.
 * `next` overrides the row's advice when not NULL. Answers the exit code for it. */
enum cli_exit cli_failed(struct cli_run *run, status failed, const char *next);
/* The exit code of a status. */
enum cli_exit cli_exit_of(status failed);

/* ---- progress ---- */

/* A bar on stderr while it is a terminal, at most ten times a second; nothing otherwise. */
struct cli_progress {
    struct cli_run *run;
    const char *what;
    int64_t started_us, shown_us;
    bool shown;
};
void cli_progress_begin(struct cli_progress *progress, struct cli_run *run, const char *what);
/* total 0 = not known. */
void cli_progress_at(struct cli_progress *progress, uint64_t done, uint64_t total);
/* Removes the bar. Answers the microseconds since begin. */
int64_t cli_progress_end(struct cli_progress *progress);
