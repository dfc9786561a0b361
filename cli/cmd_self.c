/* idem help, completion, version: about this program; no daemon needed. */
#include "cli/help.h"
#include "commands.h"

#include <stdio.h>

/* Help words are parsed as a command line of their own, so that unknown ones get the same advice. */
static enum cli_exit run_help(struct cli_run *run)
{
    if (cli_flag(run, "markdown")) {
        cli_help_markdown(&run->out);
        return CLI_OK;
    }
    const char *words[] = {"idem", "--help", cli_argument(run, 0), cli_argument(run, 1)};
    int count = cli_argument(run, 1) ? 4 : cli_argument(run, 0) ? 3 : 2;
    struct cli_parsed *asked = arena_alloc(run->cx->arena, sizeof *asked);
    struct cli_misuse misuse;
    if (!cli_parse(count, words, asked, &misuse))
        return cli_misused(run, misuse.next, "%s", misuse.what);
    if (asked->command)
        cli_help_command(asked->command, &run->out);
    else if (asked->group)
        cli_help_group(asked->group, &run->out);
    else
        cli_help_all(&run->out);
    return CLI_OK;
}

static enum cli_exit run_completion(struct cli_run *run)
{
    if (strcmp(cli_argument(run, 0), "bash") == 0)
        cli_completion_bash(&run->out);
    else
        cli_completion_zsh(&run->out);
    return CLI_OK;
}

static enum cli_exit run_version(struct cli_run *run)
{
    if (run->json) {
        struct json json = {.out = &run->out};
        json_object(&json, NULL);
        json_text(&json, "name", STR("idem"));
        json_text(&json, "version", STR(IDEM_VERSION));
        json_end(&json);
        buf_put_byte(&run->out, '\n');
        return CLI_OK;
    }
    buf_put_str(&run->out, STR("idem " IDEM_VERSION "\n"));
    return CLI_OK;
}

static const struct cli_argument help_arguments[] = {{"COMMAND", CLI_TEXT, true, false, "command or group", NULL},
                                                     {"NAME", CLI_TEXT, true, false, "command of the group", NULL},
                                                     {0}};
static const struct cli_option help_options[] = {{"markdown", CLI_FLAG, NULL, NULL, "everything, as docs/cli.md", NULL},
                                                 {0}};
static const struct cli_argument shell_argument[] = {{"SHELL", CLI_CHOICE, false, false, "which shell", "bash|zsh"},
                                                     {0}};

const struct cli_command cli_self_commands[] = {
    {.name = "help",
     .arguments = help_arguments,
     .options = help_options,
     .does = "say what a command does",
     .example = "idem help review same",
     .run = run_help},
    {.name = "completion",
     .arguments = shell_argument,
     .does = "write a completion script for a shell",
     .example = "source <(idem completion bash)",
     .run = run_completion},
    {.name = "version", .does = "say which version this is", .example = "idem version --json", .run = run_version},
    {0}};
