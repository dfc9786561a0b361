/* idem journal: is what was accepted still what was accepted? */
#include "commands.h"

#include "data/journal.h"

#include <inttypes.h>
#include <stdio.h>

static void put_fact(struct cli_show *show, const char *name, const char *format, uint64_t value)
{
    char count[32];
    cli_format_count(value, count);
    cli_putf(show, CLI_DIM, "%-16s ", name);
    cli_putf(show, CLI_PLAIN, "%s%s", count, format);
    cli_end_line(show);
}

/* A daemon does not start over a damaged journal, so the damage must be readable without one. */
static bool verify_folder(struct cli_run *run, const char *dir, Idem__Admin__V1__JournalReport **out_report,
                          enum cli_exit *out_exit)
{
    struct journal_report *found = arena_alloc(run->cx->arena, sizeof *found);
    status got = journal_verify(run->cx, dir, found);
    if (got != STATUS_OK) {
        *out_exit = cli_failed(run, got, "name the data directory: the one with the folder `journal` in it");
        return false;
    }
    char *chain = arena_alloc(run->cx->arena, sizeof found->chain * 2 + 1);
    for (size_t i = 0; i < sizeof found->chain; i++)
        snprintf(chain + i * 2, 3, "%02x", found->chain[i]);
    Idem__Admin__V1__JournalReport *report = arena_alloc(run->cx->arena, sizeof *report);
    idem__admin__v1__journal_report__init(report);
    report->first_seq = found->first_seq;
    report->last_seq = found->last_seq;
    report->entries = found->entries;
    report->bytes = found->bytes;
    report->segments = found->segments;
    report->bad_seq = found->bad_seq;
    report->bad_segment = found->bad_segment;
    report->bad_why = (char *)(uintptr_t)(found->bad_why ? found->bad_why : "");
    report->torn_bytes = found->torn_bytes;
    report->chain = chain;
    if (run->json)
        cli_json_reply(run, &report->base);
    *out_report = report;
    return true;
}

static bool verify(struct cli_run *run, Idem__Admin__V1__JournalReport **out_report, enum cli_exit *out_exit)
{
    const char *dir = cli_text(run, "dir");
    if (dir)
        return verify_folder(run, dir, out_report, out_exit);
    Idem__Admin__V1__VerifyJournalRequest ask = IDEM__ADMIN__V1__VERIFY_JOURNAL_REQUEST__INIT;
    return cli_ask(run, CLI_ADMIN("VerifyJournal"), &ask.base, &idem__admin__v1__journal_report__descriptor,
                   "without a daemon: idem journal verify --dir DATA", out_report, out_exit);
}

static enum cli_exit run_verify(struct cli_run *run)
{
    Idem__Admin__V1__JournalReport *r;
    enum cli_exit exit;
    if (!verify(run, &r, &exit))
        return exit;
    bool is_bad = r->bad_seq != 0 || *r->bad_why != 0;
    if (!run->json) {
        struct cli_show *show = &run->show;
        char size[32];
        cli_format_size(r->bytes, size);
        cli_putf(show, is_bad ? CLI_RED : CLI_GREEN, "%s", is_bad ? "DAMAGED" : "whole");
        cli_putf(show, CLI_PLAIN, "  entries %" PRIu64 " to %" PRIu64 ", %s in %" PRIu64 " segments", r->first_seq,
                 r->last_seq, size, r->segments);
        cli_end_line(show);
        if (is_bad)
            cli_putf(show, CLI_RED, "first bad entry %" PRIu64 " in %s: %s", r->bad_seq, r->bad_segment, r->bad_why);
        else
            cli_putf(show, CLI_DIM, "chain %s", r->chain);
        cli_end_line(show);
    }
    if (is_bad)
        cli_say(run, "  next: stop idemd, keep the data directory as it is, restore the segment from a backup; see "
                     "docs/operations.md");
    return is_bad ? CLI_DAMAGED : CLI_OK;
}

static enum cli_exit run_stats(struct cli_run *run)
{
    Idem__Admin__V1__GetJournalStatsRequest ask = IDEM__ADMIN__V1__GET_JOURNAL_STATS_REQUEST__INIT;
    Idem__Admin__V1__JournalStats *s;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("GetJournalStats"), &ask.base, &idem__admin__v1__journal_stats__descriptor, NULL, &s,
                 &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    put_fact(&run->show, "first entry", "", s->first_seq);
    put_fact(&run->show, "last entry", "", s->last_seq);
    put_fact(&run->show, "appended", " since start", s->appended);
    put_fact(&run->show, "synced groups", "", s->groups);
    put_fact(&run->show, "bytes", "", s->bytes);
    put_fact(&run->show, "refused, full", "", s->full_refusals);
    put_fact(&run->show, "sync, mean", " us", s->groups ? s->sync_us_total / s->groups : 0);
    put_fact(&run->show, "sync, longest", " us", s->sync_us_max);
    return CLI_OK;
}

static const struct cli_option verify_options[] = {
    {"dir", CLI_FILE, "DATA", NULL, "data directory to read here, without a daemon", NULL}, {0}};

const struct cli_command cli_journal_commands[] = {
    {.group = "journal",
     .name = "verify",
     .options = verify_options,
     .does = "read the whole journal: checksums, chain, no holes",
     .more =
         "Exit code 5 when it is damaged; the first bad entry is named. With --dir no daemon is needed: a daemon does "
         "not start over a damaged journal. Long journals may need a longer --timeout.",
     .example = "idem journal verify --dir /var/lib/idem",
     .run = run_verify},
    {.group = "journal",
     .name = "stats",
     .does = "show how much was written and how long syncing took",
     .example = "idem journal stats",
     .needs_daemon = true,
     .run = run_stats},
    {0}};
