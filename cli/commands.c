#include "commands.h"

#include "terminology/systems.h"

#include <inttypes.h>

const struct cli_option cli_common_options[] = {
    {"address", CLI_TEXT, "HOST:PORT", NULL, "where idemd listens for gRPC; 127.0.0.1:7443 when nothing else says",
     NULL},
    {"ca", CLI_FILE, "FILE", NULL, "certificate of the authority that signed the daemon's (PEM)", NULL},
    {"cert", CLI_FILE, "FILE", NULL, "our certificate (PEM): who we are", NULL},
    {"key", CLI_FILE, "FILE", NULL, "our private key (PEM)", NULL},
    {"plain", CLI_FLAG, NULL, NULL, "no TLS; only to a daemon on this machine that allows it", NULL},
    {"home", CLI_FILE, "DIR", NULL, "take address and certificates from DIR/client.yaml", NULL},
    {"timeout", CLI_NUMBER, "SECONDS", NULL, "how long to wait for an answer; 10 when nothing else says", NULL},
    {"json", CLI_FLAG, NULL, NULL, "answer as JSON", NULL},
    {"help", CLI_FLAG, NULL, NULL, "say what the command does (also -h)", NULL},
    {0},
};

const struct cli_group cli_groups[] = {
    {NULL, "Messages", cli_send_commands},
    {NULL, "Messages", cli_trace_commands},
    {NULL, "Messages", cli_messages_commands},
    {"person", "Persons and their records", cli_person_commands},
    {NULL, "Who is who", cli_why_commands},
    {NULL, "Who is who", cli_identify_commands},
    {"people", "People in bulk", cli_people_commands},
    {"review", "Uncertain matches, for stewards", cli_review_commands},
    {"codes", "Code systems, releases and maps", cli_codes_commands},
    {"route", "Routes: what goes where", cli_route_commands},
    {"dlq", "Dead letters: what could not be delivered", cli_dlq_commands},
    {"journal", "The journal: what was accepted, in order", cli_journal_commands},
    {NULL, "Operation", cli_status_commands},
    {"pki", "Certificates for a local authority", cli_pki_commands},
    {"gen", "Made-up data to play with", cli_gen_commands},
    {NULL, "Made-up data to play with", cli_score_commands},
    {"model", "Models of who is alike", cli_model_commands},
    {"eval", "How good a model is", cli_eval_commands},
#ifdef IDEM_CLI_BENCH
    {"bench", "Measuring", cli_bench_commands},
#endif
    {NULL, "This program", cli_self_commands},
    {NULL, NULL, NULL},
};

bool cli_ask(struct cli_run *run, const char *method, const ProtobufCMessage *request,
             const ProtobufCMessageDescriptor *reply_type, const char *next, void *out_reply, enum cli_exit *out_exit)
{
    void *reply;
    status got = cli_call(run, method, request, reply_type, &reply);
    if (got != STATUS_OK) {
        *out_exit = cli_failed(run, got, cli_exit_of(got) == CLI_NEGATIVE ? next : NULL);
        return false;
    }
    if (run->json)
        cli_json_reply(run, reply);
    *(void **)out_reply = reply;
    *out_exit = CLI_OK;
    return true;
}

const char *cli_system_name(const char *system)
{
    const struct system_row *row = systems_find(str_from(system));
    return row && row->v2_name ? row->v2_name : system;
}

void cli_show_finding(struct cli_show *show, bool fatal, struct str file, uint64_t line, struct str rule,
                      struct str what)
{
    cli_put(show, fatal ? CLI_RED : CLI_YELLOW, fatal ? STR("bad   ") : STR("note  "));
    cli_putf(show, CLI_PLAIN, "%.*s", STR_ARGS(file));
    if (line)
        cli_putf(show, CLI_PLAIN, ":%" PRIu64, line);
    buf_put_str(show->out, STR("  "));
    cli_putf(show, CLI_DIM, "%.*s: ", STR_ARGS(rule));
    cli_putf(show, CLI_PLAIN, "%.*s", STR_ARGS(what));
    cli_end_line(show);
}

void cli_show_message(struct cli_show *show, struct str message)
{
    for (size_t at = 0; at < message.len;) {
        size_t end = at;
        while (end < message.len && message.data[end] != '\r' && message.data[end] != '\n')
            end++;
        buf_put_str(show->out, STR("  "));
        cli_safe(show->out, str_sub(message, at, end - at));
        buf_put_byte(show->out, '\n');
        at = end + 1;
        if (end < message.len && message.data[end] == '\r' && at < message.len && message.data[at] == '\n')
            at++;
    }
}

/* The parts that are there, with `gap` between them. */
static struct str join(struct arena *arena, const char *gap, const char *const *parts, size_t count)
{
    struct buf text = {0};
    for (size_t i = 0; i < count; i++) {
        if (!parts[i] || !*parts[i])
            continue;
        if (text.len)
            buf_put_str(&text, str_from(gap));
        buf_put_str(&text, str_from(parts[i]));
    }
    struct str kept = arena_str(arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

struct str cli_name_line(struct arena *arena, const Idem__Identity__V1__Name *name)
{
    if (!name)
        return STR_NONE;
    const char *parts[] = {name->prefix, name->given, name->middle, name->family, name->suffix};
    struct str line = join(arena, " ", parts, 5);
    if (*name->type && strcmp(name->type, "L") != 0)
        line = arena_printf(arena, "%.*s (%s)", STR_ARGS(line), name->type);
    return line;
}

struct str cli_address_line(struct arena *arena, const Idem__Identity__V1__Address *address)
{
    if (!address)
        return STR_NONE;
    const char *parts[] = {address->line, address->city, address->state, address->postcode, address->country};
    return join(arena, ", ", parts, 5);
}

struct str cli_identifier_line(struct arena *arena, const Idem__Identity__V1__Identifier *identifier)
{
    return arena_printf(arena, "%s %s%s%s%s", identifier->authority, identifier->value, *identifier->type ? " (" : "",
                        identifier->type, *identifier->type ? ")" : "");
}
