/* idem identify: who is this? Changes nothing. */
#include "commands.h"

#include "asked_patient.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "hl7v2/batch.h"

#include <inttypes.h>

/* "AUTHORITY:VALUE" or "AUTHORITY:VALUE:TYPE"; several with commas. */
static bool read_identifiers(struct cli_run *run, Idem__Identity__V1__IdentifyRequest *ask, const char *text)
{
    struct str rest = str_from(text), one;
    while (str_split(&rest, ',', &one)) {
        struct str authority, value, type = STR_NONE;
        if (!str_split(&one, ':', &authority) || !str_split(&one, ':', &value) || value.len == 0)
            return false;
        if (one.len)
            type = one;
        asked_add_identifier(run->cx->arena, ask, authority, value, type);
    }
    return true;
}

static void set(char **field, const char *text)
{
    if (text)
        *field = (char *)text;
}

static void read_options(struct cli_run *run, Idem__Identity__V1__IdentifyRequest *ask)
{
    struct arena *arena = run->cx->arena;
    if (cli_text(run, "family") || cli_text(run, "given") || cli_text(run, "middle") || cli_text(run, "suffix")) {
        Idem__Identity__V1__Name *name = asked_name(arena, ask);
        set(&name->family, cli_text(run, "family"));
        set(&name->given, cli_text(run, "given"));
        set(&name->middle, cli_text(run, "middle"));
        set(&name->suffix, cli_text(run, "suffix"));
    }
    if (cli_text(run, "line") || cli_text(run, "city") || cli_text(run, "state") || cli_text(run, "postcode")) {
        Idem__Identity__V1__Address *address = asked_address(arena, ask);
        set(&address->line, cli_text(run, "line"));
        set(&address->city, cli_text(run, "city"));
        set(&address->state, cli_text(run, "state"));
        set(&address->postcode, cli_text(run, "postcode"));
    }
    if (cli_text(run, "mother"))
        set(&asked_mother(arena, ask)->family, cli_text(run, "mother"));
    asked_add_phone(arena, ask, str_from(cli_text(run, "phone")));
    asked_add_email(arena, ask, str_from(cli_text(run, "email")));
    set(&ask->demographics->birth_place, cli_text(run, "birth-place"));
    set(&ask->demographics->sex, cli_text(run, "sex"));
}

static status read_asked_file(struct cli_run *run, const char *path, Idem__Identity__V1__IdentifyRequest *ask)
{
    SCOPED(buf_fini) struct buf text = {0};
    TRY(file_read(run->cx, strcmp(path, "-") == 0 ? "/dev/stdin" : path, LIMIT_MESSAGE_BYTES, &text));
    struct str start = str_trim(buf_str(&text));
    bool is_hl7 = !str_starts(start, STR("{")) && str_find(start, '|') >= 0;
    if (!is_hl7)
        return asked_read_json(run->cx, buf_str(&text), ask);
    struct hl7_batch batch;
    struct hl7_batch_item item = {.message = buf_str(&text)};
    hl7_batch_init(&batch, buf_str(&text));         /* of many messages the first */
    IGNORE(hl7_batch_next(&batch, run->cx, &item)); /* none to cut out: the reader says what is wrong */
    return asked_read_hl7(run->cx, item.message, ask);
}

static void show_match(struct cli_run *run, const Idem__Identity__V1__Match *match, bool with_evidence)
{
    struct cli_show *show = &run->show;
    cli_title(show, "person %" PRIu64 "  record %" PRIu64 "%s", match->person, match->record,
              match->by_identifier ? ", by its number" : "");
    bool compared = match->comparison && match->comparison->n_evidence;
    if (match->by_identifier)
        cli_putf(show, CLI_PLAIN,
                 compared ? "the number is this record's; what else was said:"
                          : "the number is this record's; nothing was compared");
    if (match->by_identifier)
        cli_end_line(show);
    if (with_evidence && compared)
        cli_show_comparison(show, match->comparison);
}

static enum cli_exit run_identify(struct cli_run *run)
{
    Idem__Identity__V1__IdentifyRequest *ask = asked_new(run->cx->arena);
    const char *path = cli_argument(run, 0), *born = cli_text(run, "born"), *ids = cli_text(run, "id");
    if (path && read_asked_file(run, path, ask) != STATUS_OK)
        return cli_misused(run, "a file holds one HL7 v2 message, or a JSON object with the names of the options",
                           "%.*s", STR_ARGS(ctx_message(run->cx)));
    if (ids && !read_identifiers(run, ask, ids))
        return cli_misused(run, "for example --id NORTH:10023", "--id wants AUTHORITY:VALUE or AUTHORITY:VALUE:TYPE");
    if (born && !asked_set_birth_date(run->cx->arena, ask, str_from(born)))
        return cli_misused(run, "write 1980-02-29, 1980-02 or 1980", "--born: no such day");
    read_options(run, ask);
    if (asked_is_empty(ask))
        return cli_misused(run, "for example idem identify --family Lind --born 1980-02-29",
                           "says nothing about anybody");
    ask->max = (uint32_t)cli_number(run, "max");
    Idem__Identity__V1__IdentifyReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("Identify"), &ask->base, &idem__identity__v1__identify_reply__descriptor, NULL,
                 &reply, &exit))
        return exit;
    for (size_t i = 0; !run->json && i < reply->n_matches; i++) {
        if (i)
            cli_end_line(&run->show);
        show_match(run, reply->matches[i], true);
    }
    if (reply->more)
        cli_say(run, "there are more; --max N shows up to 100");
    if (reply->n_matches == 0)
        cli_say(run, "nobody known is like this");
    return reply->n_matches ? CLI_OK : CLI_NEGATIVE;
}

static const struct cli_argument identify_arguments[] = {
    {"FILE", CLI_FILE, true, false,
     "an HL7 v2 message (the first of many), or JSON with the names of the options; - for stdin", NULL},
    {0}};
static const struct cli_option identify_options[] = {
    {"id", CLI_TEXT, "AUTHORITY:VALUE", NULL, "identifier; more with commas, a third part is its type", NULL},
    {"family", CLI_TEXT, "NAME", NULL, "family name", NULL},
    {"given", CLI_TEXT, "NAME", NULL, "given name", NULL},
    {"middle", CLI_TEXT, "NAME", NULL, "middle names", NULL},
    {"suffix", CLI_TEXT, "TEXT", NULL, "Jr, III \u2026", NULL},
    {"born", CLI_TEXT, "DATE", NULL, "1980-02-29, 1980-02 or 1980", NULL},
    {"sex", CLI_TEXT, "CODE", NULL, "HL7 table 0001: F, M, O, U \u2026", NULL},
    {"phone", CLI_TEXT, "NUMBER", NULL, "telephone number", NULL},
    {"email", CLI_TEXT, "ADDRESS", NULL, "e-mail address", NULL},
    {"line", CLI_TEXT, "TEXT", NULL, "street and number", NULL},
    {"city", CLI_TEXT, "NAME", NULL, "city", NULL},
    {"postcode", CLI_TEXT, "CODE", NULL, "postcode", NULL},
    {"state", CLI_TEXT, "CODE", NULL, "state or province", NULL},
    {"mother", CLI_TEXT, "NAME", NULL, "mother's maiden name", NULL},
    {"birth-place", CLI_TEXT, "NAME", NULL, "place of birth", NULL},
    {"max", CLI_NUMBER, "N", "5", "how many at most", NULL},
    {0}};

const struct cli_command cli_identify_commands[] = {
    {.name = "identify",
     .arguments = identify_arguments,
     .options = identify_options,
     .does = "ask who this is: by identifier, then by evidence; changes nothing",
     .more = "Exit code 0: somebody is alike; 1: nobody.",
     .example = "idem identify --family Lind --given Ada --born 1980-02-29",
     .needs_daemon = true,
     .run = run_identify},
    {0}};
