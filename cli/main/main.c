/* idem: parse, run, say how it ended. */
#include "base/log.h"
#include "cli/help.h"
#include "cli/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Help and mistakes before any command runs. */
static int without_command(struct cli_run *run, const struct cli_parsed *parsed)
{
    if (parsed->command)
        cli_help_command(parsed->command, &run->out);
    else if (parsed->group)
        cli_help_group(parsed->group, &run->out);
    else
        cli_help_all(&run->out);
    return cli_flush(run) ? CLI_OK : CLI_INTERNAL;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);            /* `idem messages | head`: cli_flush() sees it */
    setenv("GRPC_VERBOSITY", "NONE", 0); /* gRPC's own log says nothing that our reasons do not say */
    log_set_level(LOG_ERROR);            /* what went wrong is said once, by cli_failed() */
    struct arena arena;
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena};
    static struct cli_parsed parsed; /* too large for a stack frame to be polite */
    struct cli_misuse misuse;
    struct cli_run run;
    bool understood = cli_parse(argc, (const char *const *)argv, &parsed, &misuse);
    cli_run_init(&run, &cx, &parsed);
    int code;
    if (!understood)
        code = (int)cli_misused(&run, misuse.next, "%s", misuse.what);
    else if (parsed.help || !parsed.command)
        code = without_command(&run, &parsed);
    else
        code = (int)parsed.command->run(&run);
    if (!cli_flush(&run) && code == CLI_OK)
        code = CLI_INTERNAL;
    cli_run_fini(&run);
    arena_fini(&arena);
    return code;
}
