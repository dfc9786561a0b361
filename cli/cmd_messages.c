/* idem messages: the newest messages. */
#include "commands.h"

#include <inttypes.h>

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

static enum cli_exit run_messages(struct cli_run *run)
{
    Idem__Admin__V1__ListMessagesRequest ask = IDEM__ADMIN__V1__LIST_MESSAGES_REQUEST__INIT;
    ask.max = (uint32_t)cli_number(run, "max");
    ask.before = cli_number(run, "before");
    ask.refused_only = cli_flag(run, "refused");
    Idem__Admin__V1__ListMessagesReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("ListMessages"), &ask.base, &idem__admin__v1__list_messages_reply__descriptor, NULL,
                 &reply, &exit))
        return exit;
    if (!run->json)
        show_messages(&run->show, reply);
    if (reply->n_messages == 0)
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
