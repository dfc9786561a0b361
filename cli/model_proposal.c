/* idem model propose, idem model proposal: another model, and what it would change, kept by the daemon. */
#include "model_measure.h"

#include <inttypes.h>

static void show_proposal(struct cli_run *run, const Idem__Admin__V1__ModelProposal *proposal)
{
    struct cli_show *show = &run->show;
    char made[32];
    cli_format_time(proposal->made_us, made);
    cli_title(show, "proposed %s, against model %" PRIu32, made, proposal->compared_with);
    cli_putf(show, CLI_DIM, "%-12s", "why");
    cli_put(show, CLI_PLAIN, cli_safe_text(show->arena, proposal->why));
    cli_end_line(show);
    if (proposal->outdated) {
        cli_put(show, CLI_YELLOW, STR("another model is active now: what it would change is no longer this"));
        cli_end_line(show);
    }
    if (proposal->model && proposal->model->training)
        cli_show_training(show, proposal->model->training);
    if (proposal->changes)
        cli_show_whatif(run, proposal->changes, NULL);
}

enum cli_exit cli_model_propose(struct cli_run *run)
{
    Idem__Admin__V1__ProposeModelRequest ask = IDEM__ADMIN__V1__PROPOSE_MODEL_REQUEST__INIT;
    Idem__Admin__V1__ModelProposal *proposal;
    enum cli_exit exit;
    if (!cli_ask(run, CLI_ADMIN("ProposeModel"), &ask.base, &idem__admin__v1__model_proposal__descriptor, NULL,
                 &proposal, &exit))
        return exit;
    if (!run->json)
        show_proposal(run, proposal);
    return CLI_OK;
}

enum cli_exit cli_model_proposal(struct cli_run *run)
{
    Idem__Admin__V1__GetModelProposalRequest ask = IDEM__ADMIN__V1__GET_MODEL_PROPOSAL_REQUEST__INIT;
    Idem__Admin__V1__ModelProposal *proposal;
    const char *path = cli_text(run, "out");
    status got = cli_call(run, CLI_ADMIN("GetModelProposal"), &ask.base, &idem__admin__v1__model_proposal__descriptor,
                          (void **)&proposal);
    if (got != STATUS_OK)
        return cli_failed(run, got, "idem model propose");
    if (path && proposal->model)
        return cli_write_model(run, path, str_from(proposal->model->text));
    if (run->json)
        cli_json_reply(run, &proposal->base);
    else
        show_proposal(run, proposal);
    return CLI_OK;
}
