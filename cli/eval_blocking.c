/* What blocking does to people of known truth. */
#include "eval.h"
#include "model_measure.h"

#include "mpi/blocking.h"
#include "rpc/told.h"

struct meeting {
    const struct mpi_study *study;
    uint64_t pairs, met;
};

static void count_meeting(void *arg, uint32_t left, uint32_t right)
{
    struct meeting *meeting = arg;
    meeting->pairs++;
    meeting->met += mpi_study_meets(meeting->study, left, right);
}

static struct meeting measure(struct ctx *cx, const struct eval_people *people, bool across,
                              Idem__Admin__V1__Blocking *out_told)
{
    struct meeting meeting = {.study = people->study};
    struct mpi_blocking *blocking = arena_alloc(cx->arena, sizeof *blocking);
    mpi_study_blocking(people->study, blocking);
    idem__admin__v1__blocking__init(out_told);
    rpc_tell_blocking(cx, blocking, out_told);
    eval_each_true_pair(people, across, count_meeting, &meeting);
    return meeting;
}

void eval_show_blocking(struct cli_run *run, const struct eval_people *people, bool across)
{
    Idem__Admin__V1__Blocking told;
    struct meeting meeting = measure(run->cx, people, across, &told);
    char pairs[32];
    cli_format_count(meeting.pairs, pairs);
    cli_title(&run->show, "Blocking");
    cli_show_blocking(&run->show, &told);
    cli_putf(&run->show, CLI_DIM, "%-12s", "by truth");
    cli_putf(&run->show, CLI_PLAIN, "%.4f of the %s pairs of one human are put side by side",
             mpi_share(meeting.met, meeting.pairs), pairs);
    cli_end_line(&run->show);
}

void eval_json_blocking(struct cli_run *run, struct json *json, const struct eval_people *people, bool across)
{
    Idem__Admin__V1__Blocking told;
    struct meeting meeting = measure(run->cx, people, across, &told);
    cli_json_message(json, "blocking", &told.base);
    json_object(json, "side_by_side");
    json_u64(json, "true", meeting.pairs);
    json_u64(json, "found", meeting.met);
    json_f64(json, "recall", mpi_share(meeting.met, meeting.pairs));
    json_end(json);
}
