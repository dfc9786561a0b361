/* idem dlq: what could not be delivered, and sending it again. */
#include "commands.h"

#include <inttypes.h>

static const char next_letter[] = "`idem dlq list` lists the dead letters with their numbers";

static enum cli_exit run_list(struct cli_run *run)
{
    static const struct cli_column columns[] = {
        {"id", true, 0, true},           {"seq", true, 0, true},          {"destination", false, 8, false},
        {"type", false, 0, true},        {"control id", false, 8, false}, {"tries", true, 0, true},
        {"since (UTC)", false, 0, true}, {"reason", false, 10, false}};
    Idem__Admin__V1__ListDeadLettersRequest ask = IDEM__ADMIN__V1__LIST_DEAD_LETTERS_REQUEST__INIT;
    if (cli_text(run, "destination"))
        ask.destination = (char *)cli_text(run, "destination");
    ask.max = (uint32_t)cli_number(run, "max");
    ask.after = cli_number(run, "after");
    Idem__Admin__V1__ListDeadLettersReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("ListDeadLetters"), &ask.base, &idem__admin__v1__list_dead_letters_reply__descriptor,
                 NULL, &reply, &exit))
        return exit;
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 8);
    for (size_t i = 0; !run->json && i < reply->n_letters; i++) {
        const Idem__Admin__V1__DeadLetter *d = reply->letters[i];
        char when[32];
        cli_format_time(d->time_us, when);
        cli_cellf(&table, "%" PRIu64, d->id);
        cli_cellf(&table, "%" PRIu64, d->seq);
        cli_cell_text(&table, d->destination);
        cli_cell_text(&table, d->type);
        cli_cell_text(&table, d->control_id);
        cli_cellf(&table, "%" PRIu32, d->attempts);
        cli_cell_text(&table, when);
        cli_cellf(&table, "%s%s%s", d->reason, *d->detail ? ": " : "", d->detail);
    }
    cli_table_end(&table, 0);
    cli_say(run, "%" PRIu64 " in all", reply->total);
    if (reply->next_after)
        cli_say(run, "`--after %" PRIu64 "` shows the next ones", reply->next_after);
    return CLI_OK;
}

static enum cli_exit run_show(struct cli_run *run)
{
    Idem__Admin__V1__GetDeadLetterRequest ask = IDEM__ADMIN__V1__GET_DEAD_LETTER_REQUEST__INIT;
    ask.id = cli_argument_number(run, 0);
    Idem__Admin__V1__DeadLetter *d;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("GetDeadLetter"), &ask.base, &idem__admin__v1__dead_letter__descriptor, next_letter, &d,
                 &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    struct cli_show *show = &run->show;
    char when[32];
    cli_format_time(d->time_us, when);
    cli_title(show, "dead letter %" PRIu64 "  %s for %s, message %" PRIu64, d->id, d->type, d->destination, d->seq);
    cli_putf(show, CLI_RED, "%s", d->reason);
    cli_putf(show, CLI_PLAIN, "  %s  after %" PRIu32 " tries, %s UTC", d->detail, d->attempts, when);
    cli_end_line(show);
    cli_end_line(show);
    cli_title(show, "as sent");
    cli_show_message(show, str_make(d->message.data, d->message.len));
    if (d->answer.len) {
        cli_title(show, "the answer");
        cli_show_message(show, str_make(d->answer.data, d->answer.len));
    }
    cli_say(run, "`idem dlq replay %" PRIu64 "` sends it again", d->id);
    return CLI_OK;
}

static enum cli_exit run_replay(struct cli_run *run)
{
    Idem__Admin__V1__ReplayDeadLetterRequest ask = IDEM__ADMIN__V1__REPLAY_DEAD_LETTER_REQUEST__INIT;
    ask.id = cli_argument_number(run, 0);
    if (cli_text(run, "destination"))
        ask.destination = (char *)cli_text(run, "destination");
    ask.dry_run = cli_flag(run, "dry-run");
    if ((ask.id == 0) == (*ask.destination == 0))
        return cli_misused(run, next_letter, "wants the number of a dead letter, or --destination NAME for all of one");
    Idem__Admin__V1__ReplayReply *reply;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("ReplayDeadLetter"), &ask.base, &idem__admin__v1__replay_reply__descriptor, next_letter,
                 &reply, &exit))
        return exit;
    if (!run->json) {
        cli_putf(&run->show, CLI_GREEN, "%s %" PRIu64, ask.dry_run ? "would send again" : "queued again",
                 reply->replayed);
        cli_end_line(&run->show);
        if (*ask.destination && reply->left)
            cli_say(run, "%" PRIu64 " more are left; the same command again takes the next ones", reply->left);
    }
    return reply->replayed ? CLI_OK : CLI_NEGATIVE;
}

static const struct cli_argument id_argument[] = {{"ID", CLI_NUMBER, false, false, "number of the dead letter", NULL},
                                                  {0}};
static const struct cli_argument replay_argument[] = {
    {"ID", CLI_NUMBER, true, false, "number of the dead letter", NULL}, {0}};
static const struct cli_option list_options[] = {
    {"destination", CLI_TEXT, "NAME", NULL, "only of this destination", NULL},
    {"max", CLI_NUMBER, "N", "50", "how many at most", NULL},
    {"after", CLI_NUMBER, "ID", NULL, "those after this one", NULL},
    {0}};
static const struct cli_option replay_options[] = {
    {"destination", CLI_TEXT, "NAME", NULL, "all of this destination", NULL},
    {"dry-run", CLI_FLAG, NULL, NULL, "only count them", NULL},
    {0}};

const struct cli_command cli_dlq_commands[] = {{.group = "dlq",
                                                .name = "list",
                                                .options = list_options,
                                                .does = "list dead letters",
                                                .example = "idem dlq list --destination lab",
                                                .needs_daemon = true,
                                                .run = run_list},
                                               {.group = "dlq",
                                                .name = "show",
                                                .arguments = id_argument,
                                                .does = "show a dead letter: message, answer and reason",
                                                .example = "idem dlq show 12",
                                                .needs_daemon = true,
                                                .run = run_show},
                                               {.group = "dlq",
                                                .name = "replay",
                                                .arguments = replay_argument,
                                                .options = replay_options,
                                                .does = "send dead letters again, in their order",
                                                .example = "idem dlq replay --destination lab",
                                                .needs_daemon = true,
                                                .run = run_replay},
                                               {0}};
