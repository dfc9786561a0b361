/* idem person: one person, its records and its history. */
#include "commands.h"

#include <inttypes.h>
#include <stdio.h>

static void put_line(struct cli_show *show, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    cli_putf(show, CLI_DIM, "  %-12s ", name);
    cli_put(show, CLI_PLAIN, cli_clip(show->arena, cli_safe_str(show->arena, value), show->width - 15));
    cli_end_line(show);
}

static void show_golden(struct cli_show *show, const Idem__Identity__V1__Demographics *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_names; i++)
        put_line(show, i ? "" : "name", cli_name_line(show->arena, d->names[i]));
    put_line(show, "born", str_from(d->birth_date));
    put_line(show, "sex", str_from(d->sex));
    for (size_t i = 0; i < d->n_phones; i++)
        put_line(show, i ? "" : "phone", str_from(d->phones[i]));
    for (size_t i = 0; i < d->n_emails; i++)
        put_line(show, i ? "" : "e-mail", str_from(d->emails[i]));
    for (size_t i = 0; i < d->n_addresses; i++)
        put_line(show, i ? "" : "address", cli_address_line(show->arena, d->addresses[i]));
    put_line(show, "mother", cli_name_line(show->arena, d->mother));
    put_line(show, "birth place", str_from(d->birth_place));
    if (d->multiple_birth)
        put_line(show, "twin",
                 d->birth_order ? arena_printf(show->arena, "yes, number %" PRIu32, d->birth_order) : STR("yes"));
    if (d->deceased)
        put_line(show, "deceased", STR("yes"));
}

static struct str identifiers_line(struct arena *arena, const Idem__Identity__V1__Record *record)
{
    struct buf text = {0};
    for (size_t i = 0; i < record->n_identifiers; i++) {
        buf_put_str(&text, i ? STR("; ") : STR(""));
        buf_put_str(&text, cli_identifier_line(arena, record->identifiers[i]));
    }
    struct str kept = arena_str(arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

static const char *state_of(const Idem__Identity__V1__Record *record)
{
    return record->retired_into ? "retired" : record->active ? "" : "inactive";
}

static void show_records(struct cli_show *show, const Idem__Identity__V1__Person *person)
{
    static const struct cli_column columns[] = {
        {"record", true, 0, true}, {"source", false, 6, false}, {"name", false, 10, false},
        {"born", false, 0, true},  {"sex", false, 0, true},     {"identifiers", false, 12, false},
        {"state", false, 0, true}, {"versions", true, 0, true}, {"last (UTC)", false, 0, true}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 9);
    for (size_t i = 0; i < person->n_records; i++) {
        const Idem__Identity__V1__Record *r = person->records[i];
        const Idem__Identity__V1__Demographics *d = r->demographics;
        char when[32];
        cli_format_time(r->last_us, when);
        cli_cellf(&table, "%" PRIu64, r->id);
        cli_cell_text(&table, r->source);
        cli_cell(&table, CLI_PLAIN, cli_name_line(show->arena, d && d->n_names ? d->names[0] : NULL));
        cli_cell_text(&table, d ? d->birth_date : "");
        cli_cell_text(&table, d ? d->sex : "");
        cli_cell(&table, CLI_PLAIN, identifiers_line(show->arena, r));
        cli_cell_text(&table, state_of(r));
        cli_cellf(&table, "%" PRIu32, r->versions);
        when[10] = 0; /* the day is enough beside so much else */
        cli_cell_text(&table, when);
    }
    cli_table_end(&table, 2);
}

void cli_show_person(struct cli_show *show, const Idem__Identity__V1__Person *person)
{
    if (person->asked && person->asked != person->id)
        cli_title(show, "person %" PRIu64 "  (%" PRIu64 " was merged into it)", person->id, person->asked);
    else
        cli_title(show, "person %" PRIu64, person->id);
    show_golden(show, person->golden);
    cli_end_line(show);
    cli_title(show, "records  %zu", person->n_records);
    show_records(show, person);
}

static const char next_person[] =
    "`idem person find AUTHORITY VALUE` looks one up by identifier, `idem identify` by name and birth date";

static enum cli_exit run_show(struct cli_run *run)
{
    Idem__Identity__V1__GetPersonRequest ask = IDEM__IDENTITY__V1__GET_PERSON_REQUEST__INIT;
    ask.person = cli_argument_number(run, 0);
    Idem__Identity__V1__Person *person;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("GetPerson"), &ask.base, &idem__identity__v1__person__descriptor, next_person,
                 &person, &exit))
        return exit;
    if (!run->json)
        cli_show_person(&run->show, person);
    return CLI_OK;
}

static enum cli_exit run_find(struct cli_run *run)
{
    Idem__Identity__V1__Identifier identifier = IDEM__IDENTITY__V1__IDENTIFIER__INIT;
    Idem__Identity__V1__FindPersonRequest ask = IDEM__IDENTITY__V1__FIND_PERSON_REQUEST__INIT;
    identifier.authority = (char *)cli_argument(run, 0);
    identifier.value = (char *)cli_argument(run, 1);
    if (cli_text(run, "type"))
        identifier.type = (char *)cli_text(run, "type");
    ask.identifier = &identifier;
    Idem__Identity__V1__Person *person;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("FindPerson"), &ask.base, &idem__identity__v1__person__descriptor,
                 "check the authority's spelling: it is the namespace or OID of CX-4", &person, &exit))
        return exit;
    if (!run->json)
        cli_show_person(&run->show, person);
    return CLI_OK;
}

static enum cli_exit run_history(struct cli_run *run)
{
    static const struct cli_column columns[] = {{"seq", true, 0, true},     {"when (UTC)", false, 0, true},
                                                {"what", false, 12, false}, {"record", true, 0, true},
                                                {"person", true, 0, true},  {"other", true, 0, true},
                                                {"by", false, 8, false}};
    Idem__Identity__V1__GetHistoryRequest ask = IDEM__IDENTITY__V1__GET_HISTORY_REQUEST__INIT;
    ask.person = cli_argument_number(run, 0);
    if (cli_text(run, "before"))
        ask.before = (char *)cli_text(run, "before");
    Idem__Identity__V1__History *history;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("GetHistory"), &ask.base, &idem__identity__v1__history__descriptor, next_person,
                 &history, &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 7);
    for (size_t i = 0; i < history->n_events; i++) {
        const Idem__Identity__V1__Event *e = history->events[i];
        char when[32];
        cli_format_time(e->time_us, when);
        cli_cellf(&table, "%" PRIu64, e->seq);
        cli_cell_text(&table, when);
        cli_cell_text(&table, e->what);
        const uint64_t numbers[] = {e->record, e->person, e->other};
        for (size_t n = 0; n < 3; n++) {
            if (numbers[n])
                cli_cellf(&table, "%" PRIu64, numbers[n]);
            else
                cli_cell_text(&table, "-");
        }
        cli_cell_text(&table, e->by);
    }
    cli_table_end(&table, 0);
    if (history->older)
        cli_say(run, "there are older ones: idem person history %" PRIu64 " --before %s", ask.person,
                history->next_before);
    return CLI_OK;
}

static const struct cli_argument person_arguments[] = {
    {"PERSON", CLI_NUMBER, false, false, "number of the person; retired numbers are followed", NULL}, {0}};
static const struct cli_argument find_arguments[] = {
    {"AUTHORITY", CLI_TEXT, false, false, "who assigned the identifier: namespace or OID (CX-4)", NULL},
    {"VALUE", CLI_TEXT, false, false, "the identifier (CX-1)", NULL},
    {0}};
static const struct cli_option history_options[] = {
    {"before", CLI_TEXT, "PLACE", NULL, "only what happened before: what a full page says goes on", NULL}, {0}};
static const struct cli_option find_options[] = {
    {"type", CLI_TEXT, "CODE", NULL, "kind of identifier, HL7 table 0203: MR, PI, SS \u2026", NULL}, {0}};

const struct cli_command cli_person_commands[] = {{.group = "person",
                                                   .name = "show",
                                                   .arguments = person_arguments,
                                                   .does = "show a person: best known values, records, identifiers",
                                                   .example = "idem person show 17",
                                                   .needs_daemon = true,
                                                   .run = run_show},
                                                  {.group = "person",
                                                   .name = "find",
                                                   .arguments = find_arguments,
                                                   .options = find_options,
                                                   .does = "show the person an identifier belongs to",
                                                   .example = "idem person find NORTH 10023",
                                                   .needs_daemon = true,
                                                   .run = run_find},
                                                  {.group = "person",
                                                   .name = "history",
                                                   .arguments = person_arguments,
                                                   .options = history_options,
                                                   .does = "list what happened to a person, oldest first",
                                                   .example = "idem person history 17",
                                                   .needs_daemon = true,
                                                   .run = run_history},
                                                  {0}};
