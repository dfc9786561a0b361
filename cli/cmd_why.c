/* idem why: the evidence between two records. */
#include "commands.h"

#include <inttypes.h>

void cli_show_comparison(struct cli_show *show, const Idem__Identity__V1__Comparison *c)
{
    struct cli_evidence *rows = arena_array(show->arena, c->n_evidence ? c->n_evidence : 1, sizeof *rows);
    for (size_t i = 0; i < c->n_evidence; i++)
        rows[i] = (struct cli_evidence){c->evidence[i]->field, c->evidence[i]->level, c->evidence[i]->weight_mbit};
    cli_bars(show, rows, c->n_evidence, c->score_mbit, c->probability_ppm);
}

static bool differs(const Idem__Identity__V1__Comparison *left, const Idem__Identity__V1__Comparison *right)
{
    return left->score_mbit != right->score_mbit || left->model_version != right->model_version;
}

void cli_show_why(struct cli_show *show, const Idem__Identity__V1__WhyReply *why)
{
    const char *fallback = why->same_person ? "one person" : "two persons";
    cli_putf(show, why->same_person ? CLI_GREEN : CLI_YELLOW, "%s", *why->sentence ? why->sentence : fallback);
    cli_end_line(show);
    if (why->now) {
        cli_end_line(show);
        cli_title(show, "evidence now, model %" PRIu32, why->now->model_version);
        cli_show_comparison(show, why->now);
    }
    bool had_evidence = why->stored && why->stored->n_evidence;
    if (had_evidence && (!why->now || differs(why->stored, why->now))) {
        cli_end_line(show);
        cli_title(show, "evidence when it was decided, model %" PRIu32, why->stored->model_version);
        cli_show_comparison(show, why->stored);
    }
}

static enum cli_exit run_why(struct cli_run *run)
{
    Idem__Identity__V1__WhyRequest ask = IDEM__IDENTITY__V1__WHY_REQUEST__INIT;
    ask.left_record = cli_argument_number(run, 0);
    ask.right_record = cli_argument_number(run, 1);
    Idem__Identity__V1__WhyReply *why;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_IDENTITY("Why"), &ask.base, &idem__identity__v1__why_reply__descriptor,
                 "these are record numbers, as `idem person show` lists them", &why, &exit))
        return exit;
    if (!run->json)
        cli_show_why(&run->show, why);
    return why->same_person ? CLI_OK : CLI_NEGATIVE;
}

static const struct cli_argument why_arguments[] = {{"RECORD", CLI_NUMBER, false, false, "number of one record", NULL},
                                                    {"OTHER", CLI_NUMBER, false, false, "number of the other", NULL},
                                                    {0}};

const struct cli_command cli_why_commands[] = {{.name = "why",
                                                .arguments = why_arguments,
                                                .does = "say why two records are, or are not, one person",
                                                .more = "Exit code 0: one person; 1: two persons.",
                                                .example = "idem why 17 44",
                                                .needs_daemon = true,
                                                .run = run_why},
                                               {0}};
