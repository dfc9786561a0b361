/* idem codes: releases, lookups, maps and what is still unmapped. */
#include "commands.h"

#include "base/vec.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char next_system[] = "`idem codes list` lists the code systems and their releases";

/* ---- loading ---- */

struct load {
    struct cli_run *run;
    struct cli_progress progress;
    size_t findings_kept;
    uint64_t findings_total;
    Idem__Terminology__V1__Release *release;
    char stage[64]; /* of the last event: the bar outlives the event's memory */
};

static void take_finding(struct load *load, const Idem__Terminology__V1__Finding *f)
{
    load->findings_kept++;
    if (!load->run->json)
        cli_show_finding(&load->run->show, f->fatal, str_from(f->file), f->line, str_from(f->rule), str_from(f->what));
}

static void take_event(struct load *load, Idem__Terminology__V1__LoadReleaseEvent *event)
{
    if (event->finding)
        take_finding(load, event->finding);
    if (event->findings_total > load->findings_total)
        load->findings_total = event->findings_total;
    if (event->release)
        load->release = event->release;
    if (*event->stage) {
        snprintf(load->stage, sizeof load->stage, "%.60s", event->stage);
        load->progress.what = load->stage;
    }
    cli_progress_at(&load->progress, event->done, event->total);
}

/* The scratch of progress events is given back; the release is not.
 */
static status load_stream(struct load *load, const Idem__Terminology__V1__LoadReleaseRequest *ask, struct json *json)
{
    struct cli_run *run = load->run;
    struct rpc_client *client;
    TRY(cli_line_client(run, &client));
    struct rpc_stream *stream;
    TRY(rpc_stream_open(client, run->cx, CLI_TERMINOLOGY("LoadRelease"),
                        &idem__terminology__v1__load_release_event__descriptor, 0, &stream));
    status got = rpc_stream_send(stream, run->cx, &ask->base);
    if (got == STATUS_OK)
        got = rpc_stream_sent_all(stream, run->cx);
    while (got == STATUS_OK) {
        struct arena_mark mark = arena_mark(run->cx->arena);
        void *reply = NULL;
        got = rpc_stream_next(stream, run->cx, &reply);
        if (got != STATUS_OK || !reply)
            break;
        Idem__Terminology__V1__LoadReleaseEvent *event = reply;
        take_event(load, event);
        if (event->finding)
            cli_json_message(json, NULL, &event->finding->base);
        if (!event->release)
            arena_rewind(run->cx->arena, mark);
    }
    rpc_stream_close(stream);
    return got;
}

static void show_release_line(struct cli_run *run, const Idem__Terminology__V1__Release *r, const char *what)
{
    char count[32];
    cli_format_count(r->concepts, count);
    cli_putf(&run->show, CLI_GREEN, "%s", what);
    cli_putf(&run->show, CLI_PLAIN, "  release %" PRIu64 "  %s %s (%s), %s rows, %s", r->id, r->system, r->version,
             r->kind, count, r->active ? "active" : "not active");
    cli_end_line(&run->show);
}

static const char *advice(const struct load *load, status got)
{
    if (got == STATUS_ALREADY_EXISTS)
        return "`idem codes list` shows it; --version gives another version to what the files hold";
    if (cli_exit_of(got) != CLI_NEGATIVE)
        return NULL;
    return load->findings_kept ? "mend the rows named above; nothing of this load was kept"
                               : "nothing of this load was kept";
}

static enum cli_exit end_load(struct load *load, status got, int64_t took_us)
{
    struct cli_run *run = load->run;
    if (load->findings_total > load->findings_kept)
        cli_say(run, "%" PRIu64 " findings in all, %zu shown", load->findings_total, load->findings_kept);
    if (got != STATUS_OK)
        return cli_failed(run, got, advice(load, got));
    char took[32];
    cli_format_span(took_us, took);
    bool is_dry = cli_flag(run, "dry-run");
    if (load->release && !run->json)
        show_release_line(run, load->release, is_dry ? "checked" : "loaded");
    cli_say(run, "%s in %s%s", is_dry ? "checked" : "loaded", took,
            load->release && !load->release->active && !is_dry ? "; `idem codes activate ID` makes it count" : "");
    return CLI_OK;
}

static enum cli_exit run_load(struct cli_run *run)
{
    char real[PATH_MAX];
    const char *path = cli_argument(run, 0);
    Idem__Terminology__V1__LoadReleaseRequest ask = IDEM__TERMINOLOGY__V1__LOAD_RELEASE_REQUEST__INIT;
    ask.path =
        realpath(path, real) ? real : (char *)path; /* the daemon has another working directory, or another machine */
    if (cli_text(run, "system"))
        ask.system = (char *)cli_text(run, "system");
    if (cli_text(run, "version"))
        ask.version = (char *)cli_text(run, "version");
    ask.dry_run = cli_flag(run, "dry-run");
    ask.activate = cli_flag(run, "activate");

    struct load load = {.run = run};
    struct json json = {.out = &run->out};
    struct buf unused = {0};
    if (!run->json)
        json.out = &unused;
    cli_progress_begin(&load.progress, run, "load");
    json_object(&json, NULL);
    json_array(&json, "findings");
    status got = load_stream(&load, &ask, &json);
    json_end(&json);
    json_u64(&json, "findings_total", load.findings_total);
    if (load.release)
        cli_json_message(&json, "release", &load.release->base);
    json_end(&json);
    buf_put_byte(json.out, '\n');
    enum cli_exit exit = end_load(&load, got, cli_progress_end(&load.progress));
    buf_fini(&unused);
    return exit;
}

/* ---- releases ---- */

static enum cli_exit run_list(struct cli_run *run)
{
    static const struct cli_column columns[] = {{"id", true, 0, true},
                                                {"system", false, 10, false},
                                                {"version", false, 8, false},
                                                {"kind", false, 0, true},
                                                {"rows", true, 0, true},
                                                {"loaded (UTC)", false, 0, true},
                                                {"active since (UTC)", false, 0, true}};
    Idem__Terminology__V1__ListReleasesRequest ask = IDEM__TERMINOLOGY__V1__LIST_RELEASES_REQUEST__INIT;
    Idem__Terminology__V1__ListReleasesReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_TERMINOLOGY("ListReleases"), &ask.base,
                 &idem__terminology__v1__list_releases_reply__descriptor, NULL, &reply, &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 7);
    for (size_t i = 0; i < reply->n_releases; i++) {
        const Idem__Terminology__V1__Release *r = reply->releases[i];
        char count[32], loaded[32], active[32];
        cli_format_count(r->concepts, count);
        cli_format_time(r->registered_us, loaded);
        cli_format_time(r->activated_us, active);
        cli_cellf(&table, "%" PRIu64, r->id);
        cli_cell_text(&table, r->system);
        cli_cell_text(&table, r->version);
        cli_cell_text(&table, r->kind);
        cli_cell_text(&table, count);
        cli_cell_text(&table, loaded);
        cli_cell(&table, r->active ? CLI_GREEN : CLI_DIM, r->active ? str_from(active) : STR("-"));
    }
    cli_table_end(&table, 0);
    if (reply->n_releases == 0)
        cli_say(run, "no releases yet: `idem codes load FILE|FOLDER` loads one");
    return CLI_OK;
}

static enum cli_exit show_activation(struct cli_run *run, const Idem__Terminology__V1__ActivateReply *reply)
{
    if (!run->json && reply->release)
        show_release_line(run, reply->release, "active");
    else if (!run->json) {
        cli_putf(&run->show, CLI_GREEN, "active");
        cli_end_line(&run->show);
    }
    cli_say(run, "journal entry %" PRIu64, reply->seq);
    return CLI_OK;
}

static enum cli_exit run_activate(struct cli_run *run)
{
    Idem__Terminology__V1__ActivateRequest ask = IDEM__TERMINOLOGY__V1__ACTIVATE_REQUEST__INIT;
    ask.release = cli_argument_number(run, 0);
    Idem__Terminology__V1__ActivateReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_TERMINOLOGY("Activate"), &ask.base, &idem__terminology__v1__activate_reply__descriptor,
                 next_system, &reply, &exit))
        return exit;
    return show_activation(run, reply);
}

static enum cli_exit run_rollback(struct cli_run *run)
{
    Idem__Terminology__V1__RollbackRequest ask = IDEM__TERMINOLOGY__V1__ROLLBACK_REQUEST__INIT;
    ask.system = (char *)cli_argument(run, 0);
    Idem__Terminology__V1__ActivateReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_TERMINOLOGY("Rollback"), &ask.base, &idem__terminology__v1__activate_reply__descriptor,
                 next_system, &reply, &exit))
        return exit;
    return show_activation(run, reply);
}

/* ---- asking ---- */

static void show_concept(struct cli_show *show, const Idem__Terminology__V1__LookupReply *c)
{
    cli_putf(show, CLI_BOLD, "%s  %s", c->code, c->display);
    cli_end_line(show);
    cli_putf(show, CLI_DIM, "  %s %s%s%s", c->system, c->version, c->active ? ", active" : ", inactive",
             c->billable ? ", billable" : "");
    cli_end_line(show);
    for (size_t i = 0; i < c->n_designations; i++) {
        const Idem__Terminology__V1__Designation *d = c->designations[i];
        cli_putf(show, CLI_DIM, "  %s%s%s  ", d->language, *d->language && *d->use ? " " : "", d->use);
        cli_putf(show, CLI_PLAIN, "%s", d->text);
        cli_end_line(show);
    }
    for (size_t i = 0; i < c->n_properties; i++) {
        cli_putf(show, CLI_DIM, "  %s = ", c->properties[i]->name);
        cli_putf(show, CLI_PLAIN, "%s", c->properties[i]->value);
        cli_end_line(show);
    }
}

static enum cli_exit run_lookup(struct cli_run *run)
{
    Idem__Terminology__V1__LookupRequest ask = IDEM__TERMINOLOGY__V1__LOOKUP_REQUEST__INIT;
    ask.system = (char *)cli_argument(run, 0);
    ask.code = (char *)cli_argument(run, 1);
    ask.release = cli_number(run, "release");
    ask.details = true;
    Idem__Terminology__V1__LookupReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_TERMINOLOGY("Lookup"), &ask.base, &idem__terminology__v1__lookup_reply__descriptor,
                 next_system, &reply, &exit))
        return exit;
    if (!run->json)
        show_concept(&run->show, reply);
    return CLI_OK;
}

static enum cli_exit run_validate(struct cli_run *run)
{
    Idem__Terminology__V1__ValidateRequest ask = IDEM__TERMINOLOGY__V1__VALIDATE_REQUEST__INIT;
    ask.system = (char *)cli_argument(run, 0);
    ask.code = (char *)cli_argument(run, 1);
    if (cli_text(run, "display"))
        ask.display = (char *)cli_text(run, "display");
    Idem__Terminology__V1__ValidateReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_TERMINOLOGY("Validate"), &ask.base, &idem__terminology__v1__validate_reply__descriptor,
                 next_system, &reply, &exit))
        return exit;
    bool is_valid = strcmp(reply->validity, "valid") == 0;
    if (run->json)
        return is_valid ? CLI_OK : CLI_NEGATIVE;
    cli_putf(&run->show, is_valid ? CLI_GREEN : CLI_RED, "%s", reply->validity);
    if (*reply->replacement)
        cli_putf(&run->show, CLI_PLAIN, "  replaced by %s", reply->replacement);
    if (reply->display_differs)
        cli_putf(&run->show, CLI_YELLOW, "  the display given is not one of its names");
    cli_end_line(&run->show);
    if (reply->concept && *reply->concept->code)
        show_concept(&run->show, reply->concept);
    return is_valid ? CLI_OK : CLI_NEGATIVE;
}

static enum cli_exit run_translate(struct cli_run *run)
{
    static const struct cli_column columns[] = {{"system", false, 10, false},
                                                {"code", false, 0, true},
                                                {"meaning", false, 10, false},
                                                {"equivalence", false, 0, true},
                                                {"map row, release", false, 12, false}};
    Idem__Terminology__V1__TranslateRequest ask = IDEM__TERMINOLOGY__V1__TRANSLATE_REQUEST__INIT;
    ask.system = (char *)cli_argument(run, 0);
    ask.code = (char *)cli_argument(run, 1);
    if (cli_argument(run, 2))
        ask.target_system = (char *)cli_argument(run, 2);
    Idem__Terminology__V1__TranslateReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_TERMINOLOGY("Translate"), &ask.base, &idem__terminology__v1__translate_reply__descriptor,
                 next_system, &reply, &exit))
        return exit;
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 5);
    for (size_t i = 0; !run->json && i < reply->n_translations; i++) {
        const Idem__Terminology__V1__Translation *t = reply->translations[i];
        cli_cell_text(&table, t->system);
        cli_cell_text(&table, t->code);
        cli_cell_text(&table, t->display);
        cli_cell_text(&table, t->equivalence);
        cli_cellf(&table, "%s row %" PRIu64 ", %s", t->map, t->map_row, t->map_version);
    }
    cli_table_end(&table, 0);
    if (reply->n_translations == 0)
        cli_say(run, "no active map knows this code");
    return reply->n_translations ? CLI_OK : CLI_NEGATIVE;
}

static enum cli_exit run_subsumes(struct cli_run *run)
{
    Idem__Terminology__V1__SubsumesRequest ask = IDEM__TERMINOLOGY__V1__SUBSUMES_REQUEST__INIT;
    ask.system = (char *)cli_argument(run, 0);
    ask.ancestor = (char *)cli_argument(run, 1);
    ask.code = (char *)cli_argument(run, 2);
    Idem__Terminology__V1__SubsumesReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_TERMINOLOGY("Subsumes"), &ask.base, &idem__terminology__v1__subsumes_reply__descriptor,
                 next_system, &reply, &exit))
        return exit;
    if (!run->json) {
        cli_putf(&run->show, reply->subsumes ? CLI_GREEN : CLI_YELLOW, "%s", reply->subsumes ? "yes" : "no");
        cli_end_line(&run->show);
    }
    return reply->subsumes ? CLI_OK : CLI_NEGATIVE;
}

/* As many pages as `max` needs, as one reply. */
static status gather_work(struct cli_run *run, uint64_t max, Idem__Terminology__V1__ListWorkItemsReply *all)
{
    Idem__Terminology__V1__ListWorkItemsRequest ask = IDEM__TERMINOLOGY__V1__LIST_WORK_ITEMS_REQUEST__INIT;
    VEC(Idem__Terminology__V1__WorkItem *) items = {0};
    status got;
    do {
        uint64_t wanted = max - items.count;
        ask.max = wanted < UINT32_MAX ? (uint32_t)wanted : UINT32_MAX;
        void *answer;
        got = cli_call(run, CLI_TERMINOLOGY("ListWorkItems"), &ask.base,
                       &idem__terminology__v1__list_work_items_reply__descriptor, &answer);
        if (got != STATUS_OK)
            break;
        Idem__Terminology__V1__ListWorkItemsReply *page = answer;
        for (size_t i = 0; i < page->n_items; i++)
            *VEC_ADD(&items) = page->items[i];
        all->next_after = ask.after = page->next_after;
    } while (*ask.after && items.count < max);
    all->n_items = items.count;
    all->items = arena_array(run->cx->arena, items.count + 1, sizeof *all->items);
    if (items.count)
        memcpy(all->items, items.at, items.count * sizeof *items.at);
    VEC_FINI(&items);
    return got;
}

static enum cli_exit run_work(struct cli_run *run)
{
    static const struct cli_column columns[] = {{"times", true, 0, true},    {"source", false, 6, false},
                                                {"at", false, 0, true},      {"system", false, 8, false},
                                                {"code", false, 8, false},   {"sent as", false, 8, false},
                                                {"outcome", false, 0, true}, {"last seq", true, 0, true}};
    Idem__Terminology__V1__ListWorkItemsReply reply = IDEM__TERMINOLOGY__V1__LIST_WORK_ITEMS_REPLY__INIT;
    uint64_t max = cli_number(run, "max");
    status got = gather_work(run, max ? max : UINT64_MAX, &reply);
    if (got != STATUS_OK)
        return cli_failed(run, got, NULL);
    if (run->json)
        cli_json_reply(run, &reply.base);
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 8);
    for (size_t i = 0; !run->json && i < reply.n_items; i++) {
        const Idem__Terminology__V1__WorkItem *w = reply.items[i];
        char count[32];
        cli_format_count(w->count, count);
        cli_cell_text(&table, count);
        cli_cell_text(&table, w->source);
        cli_cell_text(&table, w->path);
        cli_cell_text(&table, w->system);
        cli_cell_text(&table, w->code);
        cli_cell_text(&table, w->display);
        cli_cell_text(&table, w->outcome);
        cli_cellf(&table, "%" PRIu64, w->last_seq);
    }
    cli_table_end(&table, 0);
    if (reply.n_items == 0)
        cli_say(run, "every code seen so far is known or mapped");
    else if (*reply.next_after)
        cli_say(run, "there are more: `--max 0` lists all");
    return CLI_OK;
}

#include "cmd_codes_rows.h"
