/* idem trace: one message's whole way on one screen. */
#include "commands.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>

enum { CHANGES_SHOWN = 12 };

static enum cli_paint paint_of_code(const char *ack)
{
    return strcmp(ack, "AA") == 0 || strcmp(ack, "CA") == 0 ? CLI_GREEN : CLI_RED;
}

static enum cli_paint paint_of_state(const char *state)
{
    if (strcmp(state, "delivered") == 0)
        return CLI_GREEN;
    return strcmp(state, "queued") == 0 ? CLI_YELLOW : CLI_RED;
}

static void show_head(struct cli_show *show, const Idem__Admin__V1__Trace *trace)
{
    cli_title(show, "message %" PRIu64 "  %s  control id %s", trace->seq, trace->type, trace->control_id);
    cli_putf(show, CLI_PLAIN, "from %s%s%s, %zu bytes, answered ", trace->source, *trace->principal ? " as " : "",
             trace->principal, trace->message.len);
    cli_putf(show, paint_of_code(trace->ack_code), "%s", *trace->ack_code ? trace->ack_code : "nothing yet");
    if (*trace->reason)
        cli_putf(show, CLI_PLAIN, "  %s", trace->reason);
    cli_end_line(show);
}

void cli_show_steps(struct cli_show *show, Idem__Admin__V1__TraceStep *const *steps, size_t count)
{
    static const struct cli_column columns[] = {{"when (UTC)", false, 0, true},
                                                {"step", false, 8, true},
                                                {"took", true, 0, true},
                                                {"what happened", false, 20, false}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 4);
    for (size_t i = 0; i < count; i++) {
        char when[32], took[32];
        cli_format_clock(steps[i]->time_us, when);
        cli_format_span(steps[i]->took_us, took);
        cli_cell_text(&table, when);
        cli_cell(&table, CLI_CYAN, str_from(steps[i]->step));
        cli_cell_text(&table, steps[i]->took_us ? took : "");
        cli_cell_text(&table, steps[i]->detail);
    }
    cli_table_end(&table, 2);
}

static void show_person_found(struct cli_show *show, const Idem__Admin__V1__Trace *trace)
{
    cli_end_line(show);
    if (trace->person == 0) {
        cli_title(show, "person  none%s%s", *trace->verdict ? ": " : "", trace->verdict);
        return;
    }
    cli_title(show, "person %" PRIu64 "  %s, record %" PRIu64 ", model %" PRIu32, trace->person, trace->verdict,
              trace->record, trace->model_version);
    if (trace->n_evidence == 0) {
        cli_putf(show, CLI_DIM, "  no evidence was weighed: the identifier says it, or nobody was alike");
        cli_end_line(show);
        return;
    }
    struct cli_evidence *rows = arena_array(show->arena, trace->n_evidence, sizeof *rows);
    for (size_t i = 0; i < trace->n_evidence; i++)
        rows[i] = (struct cli_evidence){trace->evidence[i]->field, trace->evidence[i]->level,
                                        trace->evidence[i]->weight_mbit};
    cli_bars(show, rows, trace->n_evidence, trace->score_mbit, CLI_PROBABILITY_UNKNOWN);
}

/* The map's row, or the release that knows the code. */
static void put_provenance(struct cli_table *table, const Idem__Admin__V1__TraceCode *c)
{
    const char *map = cli_system_name(c->map);
    if (c->map_row)
        cli_cellf(table, "%s row %" PRIu64 ", %s", map, c->map_row, c->map_version);
    else
        cli_cellf(table, "%s%s%s", map, *map && *c->map_version ? " " : "", c->map_version);
}

void cli_show_codes(struct cli_show *show, Idem__Admin__V1__TraceCode *const *codes, size_t count)
{
    static const struct cli_column columns[] = {{"at", false, 0, true},       {"outcome", false, 0, true},
                                                {"code", false, 14, false},   {"became", false, 18, false},
                                                {"meaning", false, 8, false}, {"map row, release", false, 24, false}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 6);
    for (size_t i = 0; i < count; i++) {
        const Idem__Admin__V1__TraceCode *c = codes[i];
        bool is_bad = strcmp(c->outcome, "unmapped") == 0 || strcmp(c->outcome, "invalid") == 0;
        cli_cell_text(&table, c->path);
        cli_cell(&table, is_bad ? CLI_YELLOW : CLI_GREEN, str_from(c->outcome));
        cli_cellf(&table, "%s %s", c->code, cli_system_name(c->system));
        cli_cellf(&table, "%s%s%s", c->target_code, *c->target_code ? " " : "", cli_system_name(c->target_system));
        cli_cell_text(&table, c->target_display);
        put_provenance(&table, c);
    }
    cli_table_end(&table, 2);
}

/* Absent and empty look alike in a table: say which way the change went. */
static struct str value_of(struct arena *arena, ProtobufCBinaryData bytes)
{
    return bytes.len ? cli_safe_str(arena, str_make(bytes.data, bytes.len)) : STR("(empty)");
}

static void show_change_long(struct cli_show *show, const Idem__Admin__V1__TraceChange *change)
{
    cli_putf(show, CLI_BOLD, "  %s  %s", change->destination, change->path);
    cli_putf(show, CLI_DIM, "  %s", change->why);
    cli_end_line(show);
    cli_put(show, CLI_PLAIN, STR("    - "));
    cli_put(show, CLI_RED, value_of(show->arena, change->before));
    cli_end_line(show);
    cli_put(show, CLI_PLAIN, STR("    + "));
    cli_put(show, CLI_GREEN, value_of(show->arena, change->after));
    cli_end_line(show);
}

void cli_show_changes(struct cli_show *show, Idem__Admin__V1__TraceChange *const *changes, size_t count, bool all)
{
    static const struct cli_column columns[] = {{"for", false, 6, false},
                                                {"at", false, 0, true},
                                                {"before", false, 10, false},
                                                {"after", false, 10, false},
                                                {"why", false, 10, false}};
    if (all) {
        for (size_t i = 0; i < count; i++)
            show_change_long(show, changes[i]);
        return;
    }
    struct cli_table table;
    cli_table_init(&table, show, columns, 5);
    for (size_t i = 0; i < count && i < CHANGES_SHOWN; i++) {
        const Idem__Admin__V1__TraceChange *c = changes[i];
        cli_cell_text(&table, c->destination);
        cli_cell_text(&table, c->path);
        cli_cell(&table, CLI_RED, value_of(show->arena, c->before));
        cli_cell(&table, CLI_GREEN, value_of(show->arena, c->after));
        cli_cell_text(&table, c->why);
    }
    cli_table_end(&table, 2);
    if (count > CHANGES_SHOWN) {
        cli_putf(show, CLI_DIM, "  and %zu more: --diff shows all, uncut", count - CHANGES_SHOWN);
        cli_end_line(show);
    }
}

static void show_deliveries(struct cli_show *show, const Idem__Admin__V1__Trace *trace)
{
    static const struct cli_column columns[] = {{"destination", false, 8, false}, {"state", false, 0, true},
                                                {"answer", false, 0, true},       {"tries", true, 0, true},
                                                {"in doubt", true, 0, true},      {"when (UTC)", false, 0, true},
                                                {"why", false, 8, false}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 7);
    for (size_t i = 0; i < trace->n_deliveries; i++) {
        const Idem__Admin__V1__TraceDelivery *d = trace->deliveries[i];
        char when[32];
        cli_format_clock(d->done_us, when);
        cli_cell_text(&table, d->destination);
        cli_cell(&table, paint_of_state(d->state), str_from(d->state));
        cli_cell_text(&table, d->ack_code);
        cli_cellf(&table, "%" PRIu32, d->attempts);
        cli_cellf(&table, "%" PRIu32, d->in_doubt);
        cli_cell_text(&table, d->done_us ? when : "-");
        cli_cell_text(&table, d->reason);
    }
    cli_table_end(&table, 2);
}

static void show_heading(struct cli_show *show, const char *what, size_t count, const char *none)
{
    cli_end_line(show);
    if (count)
        cli_title(show, "%s  %zu", what, count);
    else
        cli_title(show, "%s  %s", what, none);
}

void cli_show_trace(struct cli_show *show, const Idem__Admin__V1__Trace *trace, bool all)
{
    show_head(show, trace);
    cli_end_line(show);
    cli_show_steps(show, trace->steps, trace->n_steps);
    if (trace->times_not_kept) {
        cli_putf(show, CLI_DIM, "  how long the daemon's own steps took is not kept any more");
        cli_end_line(show);
    }
    show_person_found(show, trace);
    show_heading(show, "codes", trace->n_codes, "none looked at");
    cli_show_codes(show, trace->codes, trace->n_codes);
    show_heading(show, "changes", trace->n_changes, "none: every byte leaves as it came");
    cli_show_changes(show, trace->changes, trace->n_changes, all);
    cli_end_line(show);
    cli_title(show, "deliveries  %zu, routes %s", trace->n_deliveries, trace->routes_version);
    show_deliveries(show, trace);
    if (all) {
        cli_end_line(show);
        cli_title(show, "as received");
        cli_show_message(show, str_make(trace->message.data, trace->message.len));
    }
}

static enum cli_exit run_trace(struct cli_run *run)
{
    Idem__Admin__V1__GetTraceRequest ask = IDEM__ADMIN__V1__GET_TRACE_REQUEST__INIT;
    const char *control_id = cli_text(run, "control-id");
    ask.seq = cli_argument_number(run, 0);
    if ((ask.seq == 0) == (control_id == NULL))
        return cli_misused(run, "idem trace 17, or idem trace --control-id MSG00001",
                           "wants a journal number or --control-id, one of both");
    if (control_id)
        ask.control_id = (char *)control_id;
    Idem__Admin__V1__Trace *trace;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("GetTrace"), &ask.base, &idem__admin__v1__trace__descriptor,
                 "`idem messages` lists the newest messages with their numbers", &trace, &exit))
        return exit;
    if (!run->json)
        cli_show_trace(&run->show, trace, cli_flag(run, "diff"));
    return CLI_OK;
}

static const struct cli_argument trace_arguments[] = {
    {"SEQ", CLI_NUMBER, true, false, "journal number of the message, as `send` and `messages` show it", NULL}, {0}};
static const struct cli_option trace_options[] = {
    {"control-id", CLI_TEXT, "ID", NULL, "the newest message with this control id (MSH-10)", NULL},
    {"diff", CLI_FLAG, NULL, NULL, "all changes, uncut, and the message as received", NULL},
    {0}};

const struct cli_command cli_trace_commands[] = {
    {.name = "trace",
     .arguments = trace_arguments,
     .options = trace_options,
     .does = "show one message's whole way: person, evidence, codes, changes, deliveries, times",
     .more = "Weights are bits of log2(m/u) and add up exactly to the score. Before and after are the message's own "
             "bytes at "
             "each place that was changed.",
     .example = "idem trace 17 --diff",
     .needs_daemon = true,
     .run = run_trace},
    {0}};
