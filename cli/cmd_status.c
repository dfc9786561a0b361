/* idem status, idem doctor: is everything well? */
#include "commands.h"

#include "base/clock.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void put_fact(struct cli_show *show, const char *name, uint64_t value, bool last)
{
    char count[32];
    cli_format_count(value, count);
    cli_putf(show, CLI_DIM, "%s ", name);
    cli_putf(show, CLI_PLAIN, "%s", count);
    if (!last)
        cli_put(show, CLI_PLAIN, STR("   "));
}

static void show_head(struct cli_show *show, const Idem__Admin__V1__Status *s, int64_t now_us)
{
    char up[32], rss[32];
    cli_format_span(s->started_us ? now_us - s->started_us : 0, up);
    cli_format_size(s->rss_bytes, rss);
    cli_title(show, "idemd %s, up %s, %s of memory", s->version, up, rss);
    if (s->journal_full) {
        cli_put(show, CLI_RED,
                STR("The journal cannot grow (disk full): senders are refused until there is space again."));
        cli_end_line(show);
    }
    cli_put(show, CLI_BOLD, STR("messages    "));
    put_fact(show, "received", s->received, false);
    put_fact(show, "accepted", s->accepted, false);
    put_fact(show, "refused", s->refused, true);
    cli_end_line(show);
    cli_put(show, CLI_BOLD, STR("journal     "));
    put_fact(show, "last", s->journal_last_seq, false);
    put_fact(show, "applied", s->applied_seq, false);
    put_fact(show, "behind", s->journal_last_seq > s->applied_seq ? s->journal_last_seq - s->applied_seq : 0, true);
    cli_end_line(show);
    cli_put(show, CLI_BOLD, STR("deliveries  "));
    put_fact(show, "owed", s->deliveries_owed, false);
    put_fact(show, "done", s->deliveries_done, false);
    put_fact(show, "queued", s->deliveries_queued, false);
    put_fact(show, "dead", s->deliveries_dead, false);
    cli_putf(show, s->unaccounted ? CLI_RED : CLI_GREEN, "unaccounted %" PRId64, s->unaccounted);
    cli_end_line(show);
    cli_put(show, CLI_BOLD, STR("people      "));
    put_fact(show, "records", s->records, false);
    put_fact(show, "persons", s->persons, false);
    put_fact(show, "reviews open", s->reviews_open, false);
    put_fact(show, "codes to map", s->work_items, true);
    if (s->more_said > 0)
        put_fact(show, "say more than is compared", s->more_said, true);
    cli_end_line(show);
}

static void show_model(struct cli_show *show, const Idem__Admin__V1__ModelState *model)
{
    if (model == NULL)
        return;
    cli_put(show, CLI_BOLD, STR("model       "));
    cli_putf(show, CLI_PLAIN, "%" PRIu32 " ", model->version);
    cli_put(show, model->drifted ? CLI_YELLOW : CLI_DIM, cli_safe_text(show->arena, model->drift));
    if (model->proposed_us)
        cli_put(show, CLI_PLAIN, STR(": another is proposed, idem model proposal"));
    else if (model->drifted)
        cli_put(show, CLI_PLAIN, STR(": idem model propose"));
    cli_end_line(show);
}

static void show_store(struct cli_show *show, const Idem__Admin__V1__CommitTimes *times)
{
    if (times == NULL || times->commits == 0)
        return;
    cli_put(show, CLI_BOLD, STR("store       "));
    put_fact(show, "commits", times->commits, false);
    cli_putf(show, CLI_DIM, "kept readers out ");
    cli_putf(show, CLI_PLAIN, "%.1f ms at most, p99 %.1f", (double)times->held_max_us / 1000,
             (double)times->held_p99_us / 1000);
    cli_putf(show, CLI_DIM, "   waited ");
    cli_putf(show, CLI_PLAIN, "%.1f ms at most, p99 %.1f", (double)times->waited_max_us / 1000,
             (double)times->waited_p99_us / 1000);
    cli_end_line(show);
}

static void show_bounds(struct cli_show *show, const Idem__Admin__V1__Status *s)
{
    static const struct cli_column columns[] = {{"bound met", false, 8, false}, {"times", true, 0, true}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 2);
    for (size_t i = 0; i < s->n_bounds_met; i++) {
        char count[32];
        cli_format_count(s->bounds_met[i]->times, count);
        cli_cell_text(&table, s->bounds_met[i]->name);
        cli_cell_text(&table, count);
    }
    cli_table_end(&table, 0);
}

static void show_sources(struct cli_show *show, const Idem__Admin__V1__Status *s)
{
    static const struct cli_column columns[] = {{"source", false, 8, false},   {"kind", false, 0, true},
                                                {"received", true, 0, true},   {"accepted", true, 0, true},
                                                {"refused", true, 0, true},    {"repeated", true, 0, true},
                                                {"connections", true, 0, true}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 7);
    for (size_t i = 0; i < s->n_sources; i++) {
        const Idem__Admin__V1__Source *source = s->sources[i];
        const uint64_t counts[] = {source->received, source->accepted, source->refused, source->duplicates,
                                   source->connections};
        cli_cell_text(&table, source->name);
        cli_cell_text(&table, source->kind);
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            char count[32];
            cli_format_count(counts[c], count);
            cli_cell_text(&table, count);
        }
    }
    cli_table_end(&table, 0);
}

static void show_lanes(struct cli_show *show, const Idem__Admin__V1__Status *s, int64_t now_us)
{
    static const struct cli_column columns[] = {
        {"destination", false, 8, false}, {"kind", false, 0, true},     {"state", false, 0, true},
        {"queued", true, 0, true},        {"delivered", true, 0, true}, {"refused", true, 0, true},
        {"dead", true, 0, true},          {"oldest", true, 0, true},    {"last error", false, 8, false}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 9);
    for (size_t i = 0; i < s->n_lanes; i++) {
        const Idem__Admin__V1__Lane *lane = s->lanes[i];
        const uint64_t counts[] = {lane->queued, lane->delivered, lane->refused, lane->dead};
        bool is_bad = strcmp(lane->state, "retrying") == 0 || strcmp(lane->state, "stopped") == 0;
        cli_cell_text(&table, lane->destination);
        cli_cell_text(&table, lane->kind);
        cli_cell(&table, is_bad ? CLI_RED : CLI_GREEN, str_from(lane->state));
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            char count[32];
            cli_format_count(counts[c], count);
            cli_cell_text(&table, count);
        }
        char age[32];
        cli_format_span(now_us - lane->oldest_us, age);
        cli_cell_text(&table, lane->oldest_us ? age : "-");
        cli_cell_text(&table, lane->last_error);
    }
    cli_table_end(&table, 0);
}

void cli_show_status(struct cli_show *show, const Idem__Admin__V1__Status *s, int64_t now_us)
{
    show_head(show, s, now_us);
    show_model(show, s->model);
    show_store(show, s->commit_times);
    if (s->n_sources)
        cli_end_line(show);
    show_sources(show, s);
    if (s->n_lanes)
        cli_end_line(show);
    show_lanes(show, s, now_us);
    if (s->n_bounds_met)
        cli_end_line(show);
    show_bounds(show, s);
}

void cli_show_status_line(struct cli_show *show, const Idem__Admin__V1__Status *s)
{
    put_fact(show, "in", s->received, false);
    put_fact(show, "refused", s->refused, false);
    put_fact(show, "delivered", s->deliveries_done, false);
    put_fact(show, "queued", s->deliveries_queued, false);
    put_fact(show, "persons", s->persons, false);
    put_fact(show, "reviews", s->reviews_open, false);
    cli_putf(show, s->unaccounted ? CLI_RED : CLI_GREEN, "unaccounted %" PRId64, s->unaccounted);
}

static bool ask_status(struct cli_run *run, Idem__Admin__V1__Status **out_reply, enum cli_exit *out_exit)
{
    Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    return cli_ask(run, CLI_ADMIN("GetStatus"), &ask.base, &idem__admin__v1__status__descriptor, NULL, out_reply,
                   out_exit);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* Each look has its own scratch: a watch may run for days. */
static enum cli_exit watch(struct cli_run *run, bool as_line)
{
    uint64_t every_ms = cli_number(run, "every");
    uint64_t looks = cli_number(run, "times");
    bool redraws = isatty(STDOUT_FILENO) && !run->json;
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    enum cli_exit exit = CLI_OK;
    for (uint64_t n = 1; !interrupted; n++) {
        struct arena_mark mark = arena_mark(run->cx->arena);
        Idem__Admin__V1__Status *now;
        if (!ask_status(run, &now, &exit))
            break;
        if (!run->json && as_line) {
            struct buf line = {0};
            struct cli_show show = run->show;
            show.out = &line;
            cli_show_status_line(&show, now);
            buf_printf(&run->out, "%s%.*s%s", redraws ? "\r\x1b[K" : "", STR_ARGS(buf_str(&line)), redraws ? "" : "\n");
            buf_fini(&line);
        } else if (!run->json) {
            if (redraws)
                buf_put_str(&run->out, STR("\x1b[H\x1b[2J"));
            cli_show_status(&run->show, now, clock_now_us());
        }
        bool written = cli_flush(run);
        arena_rewind(run->cx->arena, mark);
        if (!written || (looks && n >= looks))
            break;
        usleep((useconds_t)(every_ms * 1000));
    }
    if (redraws && as_line)
        buf_put_byte(&run->out, '\n');
    return exit;
}

static enum cli_exit run_status(struct cli_run *run)
{
    if (cli_number(run, "every") < 50 || cli_number(run, "every") > 3600000)
        return cli_misused(run, "milliseconds between two looks, for example --every 1000",
                           "--every is outside 50 to 3600000");
    if (cli_flag(run, "watch"))
        return watch(run, cli_flag(run, "line"));
    Idem__Admin__V1__Status *now;
    enum cli_exit exit;
    if (!ask_status(run, &now, &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    if (cli_flag(run, "line")) {
        cli_show_status_line(&run->show, now);
        cli_end_line(&run->show);
    } else {
        cli_show_status(&run->show, now, clock_now_us());
    }
    return CLI_OK;
}

static enum cli_exit run_doctor(struct cli_run *run)
{
    static const struct cli_column columns[] = {
        {"", false, 0, true}, {"check", false, 0, true}, {"found", false, 20, false}};
    Idem__Admin__V1__DoctorRequest ask = IDEM__ADMIN__V1__DOCTOR_REQUEST__INIT;
    Idem__Admin__V1__DoctorReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("Doctor"), &ask.base, &idem__admin__v1__doctor_reply__descriptor, NULL, &reply, &exit))
        return exit;
    size_t bad = 0;
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 3);
    for (size_t i = 0; i < reply->n_checks; i++) {
        const Idem__Admin__V1__DoctorCheck *check = reply->checks[i];
        bad += !check->ok;
        cli_cell(&table, check->ok ? CLI_GREEN : CLI_RED, check->ok ? STR("ok") : STR("BAD"));
        cli_cell_text(&table, check->name);
        cli_cell_text(&table, check->detail);
    }
    if (run->json)
        table.cell_count = 0;
    cli_table_end(&table, 0);
    if (bad)
        cli_say(run, "%zu of %zu checks found something: docs/operations.md says what to do about each", bad,
                reply->n_checks);
    return bad ? CLI_DAMAGED : CLI_OK;
}

static const struct cli_option status_options[] = {
    {"watch", CLI_FLAG, NULL, NULL, "look again and again, until interrupted", NULL},
    {"line", CLI_FLAG, NULL, NULL, "one line instead of a screen", NULL},
    {"every", CLI_NUMBER, "MS", "1000", "milliseconds between two looks of --watch", NULL},
    {"times", CLI_NUMBER, "N", NULL, "end --watch after so many looks", NULL},
    {0}};

const struct cli_command cli_status_commands[] = {
    {.name = "status",
     .options = status_options,
     .does = "show messages, deliveries, people, sources and destinations on one screen",
     .more = "\"unaccounted\" is owed - done - queued - dead and must be 0. With --watch --json every look is one JSON "
             "text on "
             "its own line.",
     .example = "idem status --watch --line",
     .needs_daemon = true,
     .run = run_status},
    {.name = "doctor",
     .does = "let the daemon check itself: journal, store, index, codes, routes, disk",
     .example = "idem doctor",
     .needs_daemon = true,
     .run = run_doctor},
    {0}};
