#include "cli/help.h"

#include <inttypes.h>
#include <stdio.h>

const struct cli_exit_row cli_exits[CLI_EXIT_COUNT] = {
    {CLI_OK, "done, and the answer is yes"},
    {CLI_NEGATIVE, "done, and the answer is no: not found, not the same, refused (AE, AR), not valid"},
    {CLI_USAGE, "the command line makes no sense, or a file of ours cannot be used"},
    {CLI_UNREACHABLE, "the daemon cannot be reached, or did not answer in time"},
    {CLI_DENIED, "the daemon does not know us, or we have no right to do that"},
    {CLI_DAMAGED, "damage was found: the journal or the store is not what it was"},
    {CLI_INTERNAL, "something failed that should not: the daemon, this program, or the machine"},
};

static const char environment_text[] = "Where the daemon is and who we are: options count first, then the environment "
                                       "(IDEM_ADDRESS, IDEM_CA, IDEM_CERT, IDEM_KEY), "
                                       "then DIR/client.yaml of --home DIR; without --home ./.idem.yaml and "
                                       "~/.config/idem/cli.yaml, with the keys address, ca, "
                                       "cert, key, plain and timeout.";
static const char output_text[] = "Data goes to standard output, talk to standard error. --json writes one JSON text "
                                  "instead of tables, also for failures. "
                                  "Colours only on a terminal and without NO_COLOR. Control characters in messages are "
                                  "never sent to the terminal: they are "
                                  "shown as pictures or <U+202E>. Text is UTF-8.";

void cli_format_usage(const struct cli_command *command, struct buf *out)
{
    char name[CLI_NAME_MAX];
    cli_command_name(command, name);
    buf_printf(out, "idem %s", name);
    for (const struct cli_argument *a = command->arguments; a && a->name; a++)
        buf_printf(out, " %s%s%s%s", a->optional ? "[" : "", a->name, a->repeated ? "\u2026" : "",
                   a->optional ? "]" : "");
    for (const struct cli_option *o = command->options; o && o->name; o++)
        buf_printf(out, " [--%s%s%s]", o->name, o->value ? " " : "", o->value ? o->value : "");
}

/* Words broken at `width`, each line indented; ends with a line end. */
static void put_wrapped(struct buf *out, const char *text, size_t indent, size_t width)
{
    struct str rest = str_from(text), word;
    size_t column = 0;
    while (str_split(&rest, ' ', &word)) {
        size_t columns = cli_width(word);
        if (column > indent && column + 1 + columns > width) {
            buf_put_byte(out, '\n');
            column = 0;
        }
        if (column == 0) {
            buf_printf(out, "%*s", (int)indent, "");
            column = indent;
        } else {
            buf_put_byte(out, ' ');
            column++;
        }
        buf_put_str(out, word);
        column += columns;
    }
    buf_put_byte(out, '\n');
}

static void put_options(struct buf *out, const struct cli_option *options)
{
    for (const struct cli_option *o = options; o && o->name; o++) {
        char lead[64];
        snprintf(lead, sizeof lead, "--%s%s%s", o->name, o->value ? " " : "", o->value ? o->value : "");
        buf_printf(out, "  %-24s %s", lead, o->sentence);
        if (o->choices)
            buf_printf(out, " (%s)", o->choices);
        if (o->fallback)
            buf_printf(out, " [%s]", o->fallback);
        buf_put_byte(out, '\n');
    }
}

void cli_help_command(const struct cli_command *command, struct buf *out)
{
    char name[CLI_NAME_MAX];
    cli_command_name(command, name);
    struct buf usage = {0};
    cli_format_usage(command, &usage);
    buf_put_byte(&usage, 0);
    buf_printf(out, "idem %s: %s\n\n", name, command->does);
    buf_put_str(out, STR("Usage:\n"));
    put_wrapped(out, usage.data, 2, 100);
    buf_fini(&usage);
    if (command->more) {
        buf_put_byte(out, '\n');
        put_wrapped(out, command->more, 0, 100);
    }
    if (command->arguments && command->arguments->name) {
        buf_put_str(out, STR("\nArguments:\n"));
        for (const struct cli_argument *a = command->arguments; a->name; a++) {
            buf_printf(out, "  %-24s %s", a->name, a->sentence);
            if (a->choices)
                buf_printf(out, " (%s)", a->choices);
            buf_put_byte(out, '\n');
        }
    }
    if (command->options && command->options->name) {
        buf_put_str(out, STR("\nOptions:\n"));
        put_options(out, command->options);
    }
    buf_put_str(out, STR("\nOptions of every command:\n"));
    put_options(out, cli_common_options);
    buf_printf(out, "\nExample:\n  %s\n", command->example);
}

static void put_group_line(struct buf *out, const struct cli_command *command)
{
    char name[CLI_NAME_MAX];
    cli_command_name(command, name);
    buf_printf(out, "  %-20s %s\n", name, command->does);
}

void cli_help_group(const struct cli_group *group, struct buf *out)
{
    buf_printf(out, "idem %s: %s\n\n", group->name, group->does);
    for (const struct cli_command *command = group->commands; command->name; command++)
        put_group_line(out, command);
    buf_printf(out, "\n`idem help %s COMMAND` says more.\n", group->name);
}

void cli_help_all(struct buf *out)
{
    buf_put_str(out,
                STR("idem: one patient, one meaning. Talks to the daemon idemd.\n\nUsage:\n  idem COMMAND [OPTIONS] "
                    "[ARGUMENTS]\n"));
    const char *heading = "";
    for (const struct cli_group *group = cli_groups; group->commands; group++) {
        if (strcmp(heading, group->does) != 0) /* commands of one word come from several files */
            buf_printf(out, "\n%s:\n", group->does);
        heading = group->does;
        for (const struct cli_command *command = group->commands; command->name; command++)
            put_group_line(out, command);
    }
    buf_put_str(out, STR("\nOptions of every command:\n"));
    put_options(out, cli_common_options);
    buf_put_byte(out, '\n');
    put_wrapped(out, environment_text, 0, 100);
    buf_put_byte(out, '\n');
    put_wrapped(out, output_text, 0, 100);
    buf_put_str(out, STR("\nExit codes:\n"));
    for (size_t i = 0; i < CLI_EXIT_COUNT; i++)
        buf_printf(out, "  %d  %s\n", (int)cli_exits[i].code, cli_exits[i].sentence);
    buf_put_str(out, STR("\n`idem help COMMAND` says more about one command.\n"));
}

/* ---- docs/cli.md ---- */

static void put_markdown_options(struct buf *out, const struct cli_option *options)
{
    buf_put_str(out, STR("| option | what it does | default |\n|---|---|---|\n"));
    for (const struct cli_option *o = options; o->name; o++) {
        buf_printf(out, "| `--%s%s%s` | %s", o->name, o->value ? " " : "", o->value ? o->value : "", o->sentence);
        if (o->choices) { /* a bar would end the cell */
            struct str rest = str_from(o->choices), word;
            buf_put_str(out, STR(": "));
            for (bool first = true; str_split(&rest, '|', &word); first = false)
                buf_printf(out, "%s`%.*s`", first ? "" : ", ", STR_ARGS(word));
        }
        buf_printf(out, " | %s%s%s |\n", o->fallback ? "`" : "", o->fallback ? o->fallback : "",
                   o->fallback ? "`" : "");
    }
}

static void put_markdown_command(struct buf *out, const struct cli_command *command)
{
    char name[CLI_NAME_MAX];
    cli_command_name(command, name);
    buf_printf(out, "\n### idem %s\n\n%c%s.\n\n```\n", name, command->does[0] & ~0x20, command->does + 1);
    cli_format_usage(command, out);
    buf_put_str(out, STR("\n```\n"));
    if (command->more)
        buf_printf(out, "\n%s\n", command->more);
    if (command->arguments && command->arguments->name) {
        buf_put_str(out, STR("\n| argument | what it is |\n|---|---|\n"));
        for (const struct cli_argument *a = command->arguments; a->name; a++)
            buf_printf(out, "| `%s` | %s |\n", a->name, a->sentence);
    }
    if (command->options && command->options->name) {
        buf_put_byte(out, '\n');
        put_markdown_options(out, command->options);
    }
    buf_printf(out, "\nExample: `%s`%s\n", command->example, command->needs_daemon ? "" : " (needs no daemon)");
}

void cli_help_markdown(struct buf *out)
{
    buf_put_str(out,
                STR("# The `idem` command\n\nThis page is made by `idem help --markdown` from the same rows as the "
                    "parser, the help and the completion; a test\nchecks that it is up to date.\n\n"));
    put_wrapped(out, environment_text, 0, 120);
    buf_put_byte(out, '\n');
    put_wrapped(out, output_text, 0, 120);
    buf_put_str(out, STR("\nShell completion: `source <(idem completion bash)`, or `source <(idem completion zsh)`.\n\n"
                         "## Options of every command\n\n"));
    put_markdown_options(out, cli_common_options);
    buf_put_str(out, STR("\n## Exit codes\n\n| code | meaning |\n|---|---|\n"));
    for (size_t i = 0; i < CLI_EXIT_COUNT; i++)
        buf_printf(out, "| %d | %s |\n", (int)cli_exits[i].code, cli_exits[i].sentence);
    const char *heading = "";
    for (const struct cli_group *group = cli_groups; group->commands; group++) {
        if (strcmp(heading, group->does) != 0)
            buf_printf(out, "\n## %s\n", group->does);
        heading = group->does;
        for (const struct cli_command *command = group->commands; command->name; command++)
            put_markdown_command(out, command);
    }
}
