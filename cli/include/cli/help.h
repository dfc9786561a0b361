/* What the rows say, as text: for the terminal, for docs/cli.md, for the shells. Threads: pure but for the buffer. */
#pragma once

#include "cli/command.h"
#include "cli/show.h"

/* "idem review list [--max N]" */
void cli_format_usage(const struct cli_command *command, struct buf *out);
void cli_help_command(const struct cli_command *command, struct buf *out);
void cli_help_group(const struct cli_group *group, struct buf *out);
void cli_help_all(struct buf *out);
void cli_help_markdown(struct buf *out);
/* A script for `source <(idem completion bash)`. */
void cli_completion_bash(struct buf *out);
void cli_completion_zsh(struct buf *out);
