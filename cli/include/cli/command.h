/*
 * The commands of `idem`, as rows. One row makes the parser, the help, the manual page in docs/cli.md, the did-you-mean
 * and the completion: nothing about a command is written twice.
 *
 * Threads: the rows are immutable.
 */
#pragma once

#include "base/str.h"

struct cli_run;

/* What a shell script may rely on; the sentences are in cli_exits. */
enum cli_exit {
    CLI_OK = 0,
    CLI_NEGATIVE = 1,
    CLI_USAGE = 2,
    CLI_UNREACHABLE = 3,
    CLI_DENIED = 4,
    CLI_DAMAGED = 5,
    CLI_INTERNAL = 6,
};
struct cli_exit_row {
    enum cli_exit code;
    const char *sentence;
};
enum { CLI_EXIT_COUNT = 7 };
extern const struct cli_exit_row cli_exits[CLI_EXIT_COUNT];

enum cli_kind {
    CLI_FLAG,   /* no value */
    CLI_TEXT,   /* any text */
    CLI_NUMBER, /* unsigned decimal */
    CLI_FILE,   /* completed as a file name */
    CLI_CHOICE, /* one word of `choices` */
};

struct cli_option {
    const char *name; /* without the dashes; NULL ends a list */
    enum cli_kind kind;
    const char *value;    /* how the help names the value: "HOST:PORT"; NULL for flags */
    const char *fallback; /* default as the user would type it; NULL = none */
    const char *sentence; /* lower case, no full stop */
    const char *choices;  /* CLI_CHOICE: "bash|zsh" */
};

struct cli_argument {
    const char *name; /* "FILE"; NULL ends a list */
    enum cli_kind kind;
    bool optional;
    bool repeated; /* only the last one */
    const char *sentence;
    const char *choices;
};

typedef enum cli_exit cli_command_fn(struct cli_run *run);

struct cli_command {
    const char *group; /* NULL: the command is one word */
    const char *name;  /* NULL ends a list */
    const struct cli_argument *arguments;
    const struct cli_option *options; /* besides cli_common_options */
    const char *does;                 /* one sentence, lower case, no full stop */
    const char *more;                 /* a paragraph for the manual; may be NULL */
    const char *example;
    bool needs_daemon;
    bool takes_long; /* an answer is waited for an hour, where nothing else is said */
    cli_command_fn *run;
};

struct cli_group {
    const char *name; /* of `idem NAME …`, or NULL for commands of one word; the last row has commands NULL */
    const char *does;
    const struct cli_command *commands;
};

/* Every command there is, in the order of the help. */
extern const struct cli_group cli_groups[];
/* Options every command takes: connection, --json, --help. */
extern const struct cli_option cli_common_options[];

/* Walks all commands: start with *at = (struct cli_walk){0}. NULL at the end. */
struct cli_walk {
    size_t group, command;
};
const struct cli_command *cli_next_command(struct cli_walk *at);

/* "review list", "send": into a buffer of CLI_NAME_MAX bytes. */
enum { CLI_NAME_MAX = 40 };
void cli_command_name(const struct cli_command *command, char out[CLI_NAME_MAX]);

/* ---- parsing ---- */

enum { CLI_ARGUMENTS_MAX = 4096, CLI_OPTIONS_MAX = 40 };

struct cli_parsed {
    const struct cli_command *command; /* NULL: only help was asked for, or `group` alone */
    const struct cli_group *group;     /* `idem review --help` */
    bool help;
    const char *values[CLI_OPTIONS_MAX]; /* in the order of common options, then the command's; NULL = not given */
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
    bool json; /* seen anywhere, also when parsing failed */
};

/* Why a command line is not understood: what, and what to do. Borrow nothing; texts are cut when longer. */
struct cli_misuse {
    char what[256];
    char next[256];
};

/* argv[0] is the program. False with *out_misuse filled when the words mean nothing; values are checked against their
 * kinds. */
bool cli_parse(int argc, const char *const *argv, struct cli_parsed *out_parsed, struct cli_misuse *out_misuse);

/* The value as given, else the default, else NULL. The name must be one of the command's or the common options:
 * asserted. */
const char *cli_parsed_text(const struct cli_parsed *parsed, const char *option);
