/* idem people load: a CSV of people into the index, in requests of at most 1000, several under way. */
#include "commands.h"

#include "base/date.h"
#include "base/mem.h"
#include "loaders/people.h"
#include "people_lanes.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- rows into records ---- */

static char *keep(struct arena *arena, struct str text)
{
    return (char *)arena_str(arena, text).data;
}

static void add_identifier(struct people_chunk *chunk, Idem__Identity__V1__PersonRecord *record, struct str authority,
                           struct str value, struct str type)
{
    Idem__Identity__V1__Identifier *id = arena_alloc(&chunk->arena, sizeof *id);
    idem__identity__v1__identifier__init(id);
    id->authority = keep(&chunk->arena, authority);
    id->value = keep(&chunk->arena, value);
    id->type = keep(&chunk->arena, type);
    record->identifiers[record->n_identifiers++] = id;
}

static Idem__Identity__V1__Name *make_name(struct arena *arena, struct str family, const char *type)
{
    Idem__Identity__V1__Name *name = arena_alloc(arena, sizeof *name);
    idem__identity__v1__name__init(name);
    name->family = keep(arena, family);
    name->type = (char *)type;
    return name;
}

static void add_name(struct arena *arena, Idem__Identity__V1__Demographics *d, const struct loader_person *p)
{
    if (p->family.len + p->given.len == 0)
        return;
    Idem__Identity__V1__Name *name = make_name(arena, p->family, "L");
    name->given = keep(arena, p->given);
    name->middle = keep(arena, p->middle);
    name->suffix = keep(arena, p->suffix);
    name->prefix = keep(arena, p->prefix);
    d->names = arena_array(arena, 1, sizeof *d->names);
    d->names[d->n_names++] = name;
}

static void add_address(struct arena *arena, Idem__Identity__V1__Demographics *d, const struct loader_person *p)
{
    if (p->address.len + p->address2.len + p->city.len + p->postcode.len + p->state.len + p->country.len == 0)
        return;
    Idem__Identity__V1__Address *address = arena_alloc(arena, sizeof *address);
    idem__identity__v1__address__init(address);
    address->line = (char *)arena_printf(arena, "%.*s%s%.*s", STR_ARGS(p->address),
                                         p->address.len && p->address2.len ? ", " : "", STR_ARGS(p->address2))
                        .data;
    address->city = keep(arena, p->city);
    address->state = keep(arena, p->state);
    address->postcode = keep(arena, p->postcode);
    address->country = keep(arena, p->country);
    d->addresses = arena_array(arena, 1, sizeof *d->addresses);
    d->addresses[d->n_addresses++] = address;
}

static Idem__Identity__V1__Demographics *make_demographics(struct arena *arena, const struct loader_person *p)
{
    Idem__Identity__V1__Demographics *d = arena_alloc(arena, sizeof *d);
    idem__identity__v1__demographics__init(d);
    add_name(arena, d, p);
    add_address(arena, d, p);
    struct date born;
    if (date_parse_as_written(p->birth_date, &born)) { /* one that does not exist is a finding of the reader already */
        d->birth_date = arena_alloc(arena, 11);
        date_format(born, d->birth_date);
    }
    d->sex = keep(arena, p->sex);
    if (p->phone.len) {
        d->phones = arena_array(arena, 1, sizeof *d->phones);
        d->phones[d->n_phones++] = keep(arena, p->phone);
    }
    if (p->email.len) {
        d->emails = arena_array(arena, 1, sizeof *d->emails);
        d->emails[d->n_emails++] = keep(arena, p->email);
    }
    d->birth_place = keep(arena, p->birth_place);
    if (p->mother.len)
        d->mother = make_name(arena, p->mother, "M");
    d->deceased = p->death_date.len > 0;
    return d;
}

static void add_record(struct cli_run *run, struct people_chunk *chunk, const struct loader_person *p)
{
    struct arena *arena = &chunk->arena;
    Idem__Identity__V1__PersonRecord *record = arena_alloc(arena, sizeof *record);
    idem__identity__v1__person_record__init(record);
    record->identifiers = arena_array(arena, 2, sizeof *record->identifiers);
    add_identifier(chunk, record, p->authority, p->id, p->id_type);
    if (p->national_id.len)
        add_identifier(chunk, record, str_from(cli_text(run, "national-authority")), p->national_id, STR("NI"));
    record->demographics = make_demographics(arena, p);
    chunk->records[chunk->count++] = record;
}

/* ---- rows of several sources into requests of one ---- */

struct open_chunks {
    struct people_chunk *at[PEOPLE_SOURCES_MAX];
    size_t next_out;
};

/* The chunk that collects this source; the oldest is sent away when there are too many sources at once. */
static struct people_chunk **chunk_for(struct open_chunks *open, struct people_lanes *lanes, struct str source)
{
    struct people_chunk **free_place = NULL;
    for (size_t i = 0; i < PEOPLE_SOURCES_MAX; i++) {
        if (!open->at[i])
            free_place = free_place ? free_place : &open->at[i];
        else if (str_eq(open->at[i]->source, source))
            return &open->at[i];
    }
    if (!free_place) {
        free_place = &open->at[open->next_out++ % PEOPLE_SOURCES_MAX];
        people_lanes_put(lanes, *free_place);
    }
    *free_place = people_chunk_new(source);
    return free_place;
}

static void read_rows(struct cli_run *run, struct loader_people *people, struct people_lanes *lanes,
                      struct cli_progress *progress)
{
    struct open_chunks open = {0};
    struct loader_person person;
    while (!people_lanes_broken(lanes) && loader_people_next(people, &person)) {
        struct people_chunk **chunk = chunk_for(&open, lanes, person.source);
        add_record(run, *chunk, &person);
        if (people_chunk_is_full(*chunk)) {
            people_lanes_put(lanes, *chunk);
            *chunk = NULL;
            struct loader_people_report report = loader_people_report(people);
            cli_progress_at(progress, report.bytes_done, report.bytes_total);
        }
    }
    for (size_t i = 0; i < PEOPLE_SOURCES_MAX; i++)
        people_lanes_put(lanes, open.at[i]);
}

/* ---- the report ---- */

static void show_findings(struct cli_run *run, const struct loader_people_report *report)
{
    for (size_t i = 0; i < report->findings_count; i++) {
        const struct loader_finding *f = &report->findings[i];
        cli_show_finding(&run->show, f->fatal, f->file, f->line, f->rule, f->what);
    }
    if (report->findings_total > report->findings_count) {
        cli_putf(&run->show, CLI_DIM, "%" PRIu64 " findings in all", report->findings_total);
        cli_end_line(&run->show);
    }
}

static void put_report_json(struct cli_run *run, const struct loader_people_report *report,
                            const struct people_totals *totals, int64_t took_us)
{
    struct json json = {.out = &run->out};
    json_object(&json, NULL);
    json_u64(&json, "rows", report->rows);
    json_u64(&json, "skipped", report->skipped);
    json_u64(&json, "findings_total", report->findings_total);
    json_u64(&json, "loaded", totals->loaded);
    json_u64(&json, "new_persons", totals->new_persons);
    json_u64(&json, "linked", totals->linked);
    json_u64(&json, "reviews", totals->reviews);
    json_i64(&json, "took_us", took_us);
    json_array(&json, "findings");
    for (size_t i = 0; i < report->findings_count; i++) {
        json_object(&json, NULL);
        json_u64(&json, "line", report->findings[i].line);
        json_text(&json, "rule", report->findings[i].rule);
        json_text(&json, "what", report->findings[i].what);
        json_bool(&json, "skipped", report->findings[i].fatal);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    buf_put_byte(&run->out, '\n');
}

static void put_report(struct cli_run *run, const struct loader_people_report *report,
                       const struct people_totals *totals, int64_t took_us)
{
    show_findings(run, report);
    const struct {
        const char *name;
        uint64_t count;
    } facts[] = {{"rows", report->rows},     {"skipped", report->skipped},
                 {"loaded", totals->loaded}, {"new persons", totals->new_persons},
                 {"linked", totals->linked}, {"reviews", totals->reviews}};
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        char count[32];
        cli_format_count(facts[i].count, count);
        cli_putf(&run->show, CLI_DIM, "%s%s ", i ? "   " : "", facts[i].name);
        cli_putf(&run->show, CLI_PLAIN, "%s", count);
    }
    cli_end_line(&run->show);
    char took[32], rate[32];
    cli_format_span(took_us, took);
    cli_format_count(took_us > 0 ? (uint64_t)((double)totals->loaded * 1e6 / (double)took_us) : 0, rate);
    cli_say(run, "in %s, %s records/s", took, rate);
}

static enum cli_exit run_load(struct cli_run *run)
{
    struct loader_people_options options = {
        .path = cli_argument(run, 0),
        .source = str_from(cli_text(run, "source")),
        .authority = str_from(cli_text(run, "authority")),
    };
    uint64_t connections = cli_number(run, "connections");
    struct cli_target target;
    struct loader_people *people;
    if (connections == 0 || connections > PEOPLE_LANES_MAX)
        return cli_misused(run, NULL, "--connections is outside 1 to %d", (int)PEOPLE_LANES_MAX);
    if (cli_target_find(run, &target) != STATUS_OK || loader_people_open(run->cx, &options, &people) != STATUS_OK)
        return cli_misused(run, "nothing was loaded", "%.*s", STR_ARGS(ctx_message(run->cx)));

    struct cli_progress progress;
    struct people_totals totals;
    cli_progress_begin(&progress, run, "people load");
    struct people_lanes *lanes = people_lanes_start(&target, (size_t)connections);
    read_rows(run, people, lanes, &progress);
    status got = people_lanes_end(lanes, run->cx, &totals);
    int64_t took_us = cli_progress_end(&progress);
    struct loader_people_report report = loader_people_report(people);
    enum cli_exit exit = report.skipped ? CLI_NEGATIVE : CLI_OK;
    if (got != STATUS_OK)
        exit = cli_failed(run, got,
                          totals.loaded
                              ? "what was loaded stays; load the file again: known records are updated, not doubled"
                              : NULL);
    else if (run->json)
        put_report_json(run, &report, &totals, took_us);
    else
        put_report(run, &report, &totals, took_us);
    loader_people_close(people);
    return exit;
}

static const struct cli_argument load_arguments[] = {
    {"FILE", CLI_FILE, false, false, "CSV with a header line; docs/loaders/people.md lists the columns", NULL}, {0}};
static const struct cli_option load_options[] = {
    {"source", CLI_TEXT, "NAME", "", "sending system, for rows that name none", NULL},
    {"authority", CLI_TEXT, "NAME", "", "who assigned the identifiers, for rows that name none", NULL},
    {"national-authority", CLI_TEXT, "NAME", "NATID", "who assigned the column national_id", NULL},
    {"connections", CLI_NUMBER, "N", "2", "so many requests under way", NULL},
    {0}};

const struct cli_command cli_people_commands[] = {
    {.group = "people",
     .name = "load",
     .arguments = load_arguments,
     .options = load_options,
     .does = "load people from a CSV file into the index",
     .more = "Exit code 0: every row was loaded; 1: some were skipped, each named by its line.",
     .example = "idem people load north.csv --source north --authority NORTH",
     .needs_daemon = true,
     .run = run_load},
    {0}};
