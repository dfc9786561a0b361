/* idem messages: the newest messages. */
#include "commands.h"

#include "base/mem.h"
#include "base/vec.h"

#include <inttypes.h>

enum { PAGE_MAX = 10 * 1000 }; /* the daemon's own bound on a page */

struct lines {
    Idem__Admin__V1__MessageLine **at;
    size_t count, cap;
};

static void lines_fini(struct lines *lines)
{
    VEC_FINI(lines);
}

static void show_messages(struct cli_show *show, const Idem__Admin__V1__ListMessagesReply *reply)
{
    static const struct cli_column columns[] = {
        {"seq", true, 0, true},    {"received (UTC)", false, 0, true}, {"source", false, 8, false},
        {"type", false, 0, true},  {"control id", false, 8, false},    {"ack", false, 0, true},
        {"person", true, 0, true}, {"verdict", false, 0, true},        {"reason", false, 8, false}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 9);
    for (size_t i = 0; i < reply->n_messages; i++) {
        const Idem__Admin__V1__MessageLine *m = reply->messages[i];
        char when[32];
        cli_format_time(m->time_us, when);
        cli_cellf(&table, "%" PRIu64, m->seq);
        cli_cell_text(&table, when);
        cli_cell_text(&table, m->source);
        cli_cell_text(&table, m->type);
        cli_cell_text(&table, m->control_id);
        cli_cell(&table, strcmp(m->ack_code, "AA") == 0 ? CLI_GREEN : CLI_RED, str_from(m->ack_code));
        if (m->person && m->others)
            cli_cellf(&table, "%" PRIu64 " +%" PRIu64, m->person, m->others);
        else if (m->person)
            cli_cellf(&table, "%" PRIu64, m->person);
        else
            cli_cell_text(&table, "-");
        cli_cell_text(&table, m->verdict);
        cli_cell_text(&table, m->reason);
    }
    cli_table_end(&table, 0);
}

status cli_gather_messages(struct arena *arena, cli_page_fn *page, void *arg, uint64_t max, uint64_t before,
                           bool refused, Idem__Admin__V1__ListMessagesReply *out)
{
    SCOPED(lines_fini) struct lines all = {0};
    idem__admin__v1__list_messages_reply__init(out);
    do {
        uint64_t left = max - all.count;
        Idem__Admin__V1__ListMessagesRequest ask = IDEM__ADMIN__V1__LIST_MESSAGES_REQUEST__INIT;
        Idem__Admin__V1__ListMessagesReply *reply;
        ask.max = (uint32_t)(left < PAGE_MAX ? left : PAGE_MAX);
        ask.before = before;
        ask.refused_only = refused;
        TRY(page(arg, &ask, &reply));
        for (size_t i = 0; i < reply->n_messages; i++)
            *VEC_ADD(&all) = reply->messages[i];
        before = reply->next_before;
    } while (before != 0 && all.count < max);
    out->n_messages = all.count;
    out->messages = arena_array(arena, all.count, sizeof(void *));
    if (all.count)
        memcpy(out->messages, all.at, all.count * sizeof(void *));
    out->next_before = before;
    return STATUS_OK;
}

static status ask_page(void *arg, const Idem__Admin__V1__ListMessagesRequest *ask,
                       Idem__Admin__V1__ListMessagesReply **out_reply)
{
    return cli_call(arg, CLI_ADMIN("ListMessages"), &ask->base, &idem__admin__v1__list_messages_reply__descriptor,
                    (void **)out_reply);
}

static enum cli_exit run_messages(struct cli_run *run)
{
    Idem__Admin__V1__ListMessagesReply reply;
    uint64_t max = cli_number(run, "max");
    status got = cli_gather_messages(run->cx->arena, ask_page, run, max ? max : 1, cli_number(run, "before"),
                                     cli_flag(run, "refused"), &reply);
    if (got != STATUS_OK)
        return cli_failed(run, got, NULL);
    if (run->json)
        cli_json_reply(run, &reply.base);
    else
        show_messages(&run->show, &reply);
    if (reply.n_messages == 0)
        cli_say(run, "no messages yet: `idem send FILE` sends some");
    return CLI_OK;
}

static const struct cli_option messages_options[] = {
    {"max", CLI_NUMBER, "N", "50", "how many at most", NULL},
    {"before", CLI_NUMBER, "SEQ", NULL, "only those before this journal number", NULL},
    {"refused", CLI_FLAG, NULL, NULL, "only refused ones (AE, AR)", NULL},
    {0}};

const struct cli_command cli_messages_commands[] = {{.name = "messages",
                                                     .options = messages_options,
                                                     .does = "list the newest messages with their answers",
                                                     .example = "idem messages --refused --max 10",
                                                     .needs_daemon = true,
                                                     .run = run_messages},
                                                    {0}};
