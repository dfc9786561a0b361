/* idem route: see, try and replace the routes. */
#include "commands.h"

#include "base/file.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"

enum { ROUTES_BYTES_MAX = 1024 * 1024 };

static void put_names(struct cli_show *show, const char *what, char *const *names, size_t count)
{
    cli_putf(show, CLI_DIM, "%-13s ", what);
    for (size_t i = 0; i < count; i++)
        cli_putf(show, CLI_PLAIN, "%s%s", i ? ", " : "", names[i]);
    if (count == 0)
        cli_putf(show, CLI_DIM, "none");
    cli_end_line(show);
}

static enum cli_exit run_list(struct cli_run *run)
{
    Idem__Admin__V1__ListRoutesRequest ask = IDEM__ADMIN__V1__LIST_ROUTES_REQUEST__INIT;
    Idem__Admin__V1__ListRoutesReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("ListRoutes"), &ask.base, &idem__admin__v1__list_routes_reply__descriptor, NULL, &reply,
                 &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    if (cli_flag(run, "text")) { /* to edit and apply again: line ends stay, all else is made safe */
        struct str rest = str_from(reply->text), line;
        while (str_split(&rest, '\n', &line)) {
            cli_safe(&run->out, line);
            buf_put_byte(&run->out, '\n');
        }
        return CLI_OK;
    }
    cli_title(&run->show, "routes %s, applied by journal entry %" PRIu64, reply->version, reply->seq);
    put_names(&run->show, "sources", reply->sources, reply->n_sources);
    put_names(&run->show, "routes", reply->routes, reply->n_routes);
    put_names(&run->show, "destinations", reply->destinations, reply->n_destinations);
    return CLI_OK;
}

/* A file, or standard input for "-" and NULL. */
static status read_input(struct ctx *cx, const char *path, size_t bytes_max, struct buf *out)
{
    return file_read(cx, !path || strcmp(path, "-") == 0 ? "/dev/stdin" : path, bytes_max, out);
}

static enum cli_exit unreadable(struct cli_run *run)
{
    return cli_misused(run, "check the path and its rights", "%.*s", STR_ARGS(ctx_message(run->cx)));
}

void cli_show_outputs(struct cli_show *show, const Idem__Admin__V1__TestRouteReply *reply, bool all)
{
    for (size_t i = 0; i < reply->n_outputs; i++) {
        const Idem__Admin__V1__TestOutput *o = reply->outputs[i];
        cli_end_line(show);
        if (o->message.len == 0) { /* a message that goes out is never empty */
            cli_title(show, "to %s by route %s, not shown: the reply would be too large", o->destination, o->route);
            continue;
        }
        cli_title(show, "to %s by route %s, %zu bytes", o->destination, o->route, o->message.len);
        if (all)
            cli_show_message(show, str_make(o->message.data, o->message.len));
    }
    if (reply->outputs_without_message) {
        cli_end_line(show);
        cli_putf(show, CLI_YELLOW, "%" PRIu32 " of %zu messages are not shown", reply->outputs_without_message,
                 reply->n_outputs);
        cli_putf(show, CLI_PLAIN, ": try fewer routes at a time");
        cli_end_line(show);
    }
}

/* The codes and changes of a rehearsal are those of a trace. */
static void show_test(struct cli_show *show, const Idem__Admin__V1__TestRouteReply *reply, bool all)
{
    cli_title(show, "rehearsal: nothing was kept or sent");
    cli_show_steps(show, reply->steps, reply->n_steps);
    cli_end_line(show);
    if (reply->person)
        cli_title(show, "person %" PRIu64 "  %s", reply->person, reply->verdict);
    else
        cli_title(show, "person  %s", *reply->verdict ? reply->verdict : "none");
    cli_show_codes(show, reply->codes, reply->n_codes);
    cli_end_line(show);
    cli_title(show, "changes  %zu", reply->n_changes);
    cli_show_changes(show, reply->changes, reply->n_changes, all);
    cli_show_outputs(show, reply, all);
}

static enum cli_exit run_test(struct cli_run *run)
{
    SCOPED(buf_fini) struct buf message = {0}, routes = {0};
    Idem__Admin__V1__TestRouteRequest ask = IDEM__ADMIN__V1__TEST_ROUTE_REQUEST__INIT;
    const char *routes_file = cli_argument(run, 0);
    if (routes_file && read_input(run->cx, routes_file, ROUTES_BYTES_MAX, &routes) != STATUS_OK)
        return unreadable(run);
    if (!cli_text(run, "file") && isatty(STDIN_FILENO))
        cli_say(run, "reading one HL7 message from the terminal; end with Ctrl-D");
    if (read_input(run->cx, cli_text(run, "file"), LIMIT_MESSAGE_BYTES, &message) != STATUS_OK)
        return unreadable(run);
    buf_put_byte(&routes, 0);
    ask.text = routes.data;
    ask.source = (char *)cli_text(run, "source");
    ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)message.data};
    Idem__Admin__V1__TestRouteReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("TestRoute"), &ask.base, &idem__admin__v1__test_route_reply__descriptor,
                 "correct the place named above", &reply, &exit))
        return exit;
    if (!run->json)
        show_test(&run->show, reply, cli_flag(run, "diff"));
    return reply->n_outputs ? CLI_OK : CLI_NEGATIVE;
}

static enum cli_exit run_apply(struct cli_run *run)
{
    SCOPED(buf_fini) struct buf routes = {0};
    Idem__Admin__V1__ApplyRoutesRequest ask = IDEM__ADMIN__V1__APPLY_ROUTES_REQUEST__INIT;
    if (read_input(run->cx, cli_argument(run, 0), ROUTES_BYTES_MAX, &routes) != STATUS_OK)
        return unreadable(run);
    buf_put_byte(&routes, 0);
    ask.text = routes.data;
    ask.dry_run = cli_flag(run, "dry-run");
    Idem__Admin__V1__ApplyRoutesReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("ApplyRoutes"), &ask.base, &idem__admin__v1__apply_routes_reply__descriptor,
                 "correct the line named above; the routes in use are unchanged", &reply, &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    cli_putf(&run->show, CLI_GREEN, "%s", ask.dry_run ? "checked" : "applied");
    cli_putf(&run->show, CLI_PLAIN, "  routes %s", reply->version);
    if (reply->seq)
        cli_putf(&run->show, CLI_PLAIN, ", journal entry %" PRIu64, reply->seq);
    cli_end_line(&run->show);
    put_names(&run->show, "routes", reply->routes, reply->n_routes);
    return CLI_OK;
}

static const struct cli_option list_options[] = {
    {"text", CLI_FLAG, NULL, NULL, "the routes' own text (YAML), to edit and apply again", NULL}, {0}};
static const struct cli_argument test_arguments[] = {
    {"ROUTES", CLI_FILE, true, false, "routes to try (YAML); the active ones when left out", NULL}, {0}};
static const struct cli_option test_options[] = {
    {"source", CLI_TEXT, "NAME", "", "as if it came from this source", NULL},
    {"file", CLI_FILE, "FILE", NULL, "the message; standard input when left out", NULL},
    {"diff", CLI_FLAG, NULL, NULL, "all changes, uncut, and the messages that would leave", NULL},
    {0}};
static const struct cli_argument apply_arguments[] = {
    {"ROUTES", CLI_FILE, false, false, "the new routes (YAML), - for standard input", NULL}, {0}};
static const struct cli_option apply_options[] = {{"dry-run", CLI_FLAG, NULL, NULL, "only check them", NULL}, {0}};

const struct cli_command cli_route_commands[] = {{.group = "route",
                                                  .name = "list",
                                                  .options = list_options,
                                                  .does = "show the routes in use",
                                                  .example = "idem route list --text > routes.yaml",
                                                  .needs_daemon = true,
                                                  .run = run_list},
                                                 {.group = "route",
                                                  .name = "test",
                                                  .arguments = test_arguments,
                                                  .options = test_options,
                                                  .does = "show every step a message would take, without effect",
                                                  .more = "Exit code 0: it would go somewhere; 1: nowhere.",
                                                  .example = "idem route test routes.yaml --source north < message.hl7",
                                                  .needs_daemon = true,
                                                  .run = run_test},
                                                 {.group = "route",
                                                  .name = "apply",
                                                  .arguments = apply_arguments,
                                                  .options = apply_options,
                                                  .does = "replace the routes: checked first, all or nothing",
                                                  .example = "idem route apply routes.yaml --dry-run",
                                                  .needs_daemon = true,
                                                  .run = run_apply},
                                                 {0}};
