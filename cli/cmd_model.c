/* idem model: models of who is alike: made, looked at, tried and activated. With files everything happens in this
 * process; without, in the daemon, on a copy of its index. */
#include "commands.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "eval.h"
#include "model_measure.h"
#include "mpi/models.h"
#include "mpi/train.h"
#include "mpi/whatif.h"
#include "rpc/told.h"

#include <inttypes.h>
#include <math.h>

static enum cli_exit refused(struct cli_run *run)
{
    return cli_misused(run, "correct the file or the option it is about", "%.*s [%s]", STR_ARGS(ctx_message(run->cx)),
                       run->cx->reason->name);
}

/* The text as one NUL-ended string, as a request carries it. */
static status read_text(struct ctx *cx, const char *path, struct buf *out)
{
    TRY(file_read(cx, path, LIMIT_MODEL_BYTES, out));
    buf_put_byte(out, 0);
    return STATUS_OK;
}

status cli_read_model(struct ctx *cx, const char *path, struct mpi_model **out_model)
{
    SCOPED(buf_fini) struct buf text = {0};
    TRY(file_read(cx, path, LIMIT_MODEL_BYTES, &text));
    return mpi_model_read(cx, buf_str(&text), out_model);
}

static void put_threshold(struct cli_show *show, const char *what, int32_t mbit, const char *link, double cost)
{
    double odds = exp2(mbit / 1000.0);
    cli_putf(show, CLI_DIM, "%-12s", what);
    cli_putf(show, CLI_PLAIN, "%.3f bits, %.4f %%: right when %s link costs %.1f times what a question costs",
             mbit / 1000.0, 100 * odds / (1 + odds), link, cost);
    cli_end_line(show);
}

static void put_count(struct cli_show *show, const char *what, uint64_t count)
{
    char text[32];
    cli_format_count(count, text);
    cli_putf(show, CLI_DIM, "%-12s", what);
    cli_putf(show, CLI_PLAIN, "%s", text);
    cli_end_line(show);
}

/* ---- what there is ---- */

static bool get_model(struct cli_run *run, uint64_t version, Idem__Admin__V1__Model **out_model,
                      enum cli_exit *out_exit)
{
    Idem__Admin__V1__GetModelRequest ask = IDEM__ADMIN__V1__GET_MODEL_REQUEST__INIT;
    ask.version = version > UINT32_MAX ? UINT32_MAX : (uint32_t)version;
    status got =
        cli_call(run, CLI_ADMIN("GetModel"), &ask.base, &idem__admin__v1__model__descriptor, (void **)out_model);
    if (got != STATUS_OK)
        *out_exit = cli_failed(run, got, cli_exit_of(got) == CLI_NEGATIVE ? "idem model list" : NULL);
    return got == STATUS_OK;
}

static enum cli_exit run_show(struct cli_run *run)
{
    Idem__Admin__V1__Model *model;
    enum cli_exit exit;
    if (!get_model(run, cli_argument(run, 0) ? cli_argument_number(run, 0) : 0, &model, &exit))
        return exit;
    if (run->json) {
        cli_json_reply(run, &model->base);
        return CLI_OK;
    }
    cli_title(&run->show, "model %" PRIu32 "  %s", model->version, model->name);
    cli_putf(&run->show, CLI_DIM, "%-12s", "made");
    cli_putf(&run->show, CLI_PLAIN, "%s", model->made_at);
    cli_end_line(&run->show);
    put_count(&run->show, "from records", model->records);
    put_count(&run->show, "persons", model->persons);
    put_threshold(&run->show, "links from", model->auto_mbit, "a wrong", model->wrong_cost);
    put_threshold(&run->show, "asks from", model->review_mbit, "a missed", model->missed_cost);
    if (model->drift[0]) {
        cli_putf(&run->show, CLI_DIM, "%-12s", "now");
        cli_put(&run->show, model->drifted ? CLI_YELLOW : CLI_PLAIN, cli_safe_text(run->show.arena, model->drift));
        cli_putf(&run->show, CLI_PLAIN, "%s", model->drifted ? ": idem model propose" : "");
        cli_end_line(&run->show);
    }
    return CLI_OK;
}

static enum cli_exit run_list(struct cli_run *run)
{
    static const struct cli_column columns[] = {{"version", true, 0, true},      {"name", false, 10, false},
                                                {"since (UTC)", false, 0, true}, {"by", false, 8, false},
                                                {"entry", true, 0, true},        {"why", false, 20, false}};
    Idem__Admin__V1__ListModelsRequest ask = IDEM__ADMIN__V1__LIST_MODELS_REQUEST__INIT;
    Idem__Admin__V1__ListModelsReply *reply;
    enum cli_exit exit;
    ask.max = (uint32_t)cli_number(run, "max");
    ask.before = cli_number(run, "before");
    if (!cli_ask(run, CLI_ADMIN("ListModels"), &ask.base, &idem__admin__v1__list_models_reply__descriptor, NULL, &reply,
                 &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 6);
    for (size_t i = 0; i < reply->n_activations; i++) {
        const Idem__Admin__V1__ModelActivation *row = reply->activations[i];
        char since[32];
        cli_format_time(row->time_us, since);
        cli_cellf(&table, "%" PRIu32, row->version);
        cli_cell(&table, i == 0 && ask.before == 0 ? CLI_GREEN : CLI_PLAIN, str_from(row->name));
        cli_cell_text(&table, since);
        cli_cell_text(&table, row->by);
        cli_cellf(&table, "%" PRIu64, row->seq);
        cli_cell_text(&table, row->why);
    }
    cli_table_end(&table, 0);
    if (reply->n_activations == 0)
        cli_say(run, ask.before ? "nothing before" : "the general model, version 2, since the beginning");
    if (reply->next_before)
        cli_say(run, "there are older ones: idem model list --before %" PRIu64, reply->next_before);
    return CLI_OK;
}

enum cli_exit cli_write_model(struct cli_run *run, const char *path, struct str text)
{
    if (strcmp(path, "-") == 0) {
        buf_put_str(&run->out, text);
        return CLI_OK;
    }
    if (file_replace(run->cx, path, text, 0600) != STATUS_OK)
        return refused(run);
    cli_say(run, "written to %s; keep it as carefully as the index it was made from", path);
    return CLI_OK;
}

static enum cli_exit run_export(struct cli_run *run)
{
    Idem__Admin__V1__Model *model;
    enum cli_exit exit;
    if (!get_model(run, cli_number(run, "version"), &model, &exit))
        return exit;
    return cli_write_model(run, cli_argument(run, 0), str_from(model->text));
}

/* ---- making one ---- */

static status train_here(struct cli_run *run, struct eval_people *people, const char *name, struct buf *out_text,
                         Idem__Admin__V1__Training *out_told)
{
    struct people_map *map = arena_alloc(run->cx->arena, sizeof *map);
    struct mpi_model *model;
    struct mpi_training training;
    struct mpi_making making = {
        str_from(name),
        clock_now_us(),
        {(double)cli_number(run, "wrong-cost"), (double)cli_number(run, "missed-cost")},
    };
    TRY(people_map_read(run->cx, cli_text(run, "map"), map));
    TRY(eval_people_read(run, map, 0, people));
    TRY(mpi_study_make_model(people->study, run->cx, &making, &model, &training));
    mpi_model_write(model, out_text);
    mpi_study_link(people->study, mpi_model_general()); /* it must not look through a model that is gone */
    mpi_model_free(model);
    idem__admin__v1__training__init(out_told);
    rpc_tell_training(run->cx, &training, out_told);
    cli_say(run, "from %" PRIu32 " records", mpi_study_records(people->study));
    return STATUS_OK;
}

static enum cli_exit train_there(struct cli_run *run, const char *name, struct buf *out_text,
                                 Idem__Admin__V1__Training *out_told)
{
    Idem__Admin__V1__TrainModelRequest ask = IDEM__ADMIN__V1__TRAIN_MODEL_REQUEST__INIT;
    Idem__Admin__V1__Model *model;
    ask.name = (char *)(uintptr_t)name;
    ask.wrong_cost = cli_number(run, "wrong-cost");
    ask.missed_cost = cli_number(run, "missed-cost");
    status got =
        cli_call(run, CLI_ADMIN("TrainModel"), &ask.base, &idem__admin__v1__model__descriptor, (void **)&model);
    if (got != STATUS_OK)
        return cli_failed(run, got, NULL);
    buf_put_str(out_text, str_from(model->text));
    if (model->training)
        *out_told = *model->training;
    cli_say(run, "from %" PRIu64 " records of the index", model->records);
    return CLI_OK;
}

static enum cli_exit run_train(struct cli_run *run)
{
    SCOPED(buf_fini) struct buf text = {0};
    SCOPED(eval_people_fini) struct eval_people people = {0};
    Idem__Admin__V1__Training told = IDEM__ADMIN__V1__TRAINING__INIT;
    const char *name = cli_text(run, "name"), *path = cli_text(run, "out");
    if (path == NULL)
        return cli_misused(run, "--out MODEL.yaml, or --out - for standard output", "where the model goes is not said");
    if (run->parsed->argument_count == 0) {
        enum cli_exit exit = train_there(run, name, &text, &told);
        if (exit != CLI_OK)
            return exit;
    } else if (train_here(run, &people, name, &text, &told) != STATUS_OK) {
        return refused(run);
    }
    if (strcmp(path, "-") != 0 && run->json)
        cli_json_reply(run, &told.base);
    else if (strcmp(path, "-") != 0)
        cli_show_training(&run->show, &told);
    return cli_write_model(run, path, buf_str(&text));
}

/* ---- what it would change ---- */

static void put_change(struct cli_show *show, const char *what, uint64_t before, uint64_t after, const char *more,
                       uint64_t come, const char *less, uint64_t go)
{
    char texts[4][32];
    cli_format_count(before, texts[0]);
    cli_format_count(after, texts[1]);
    cli_format_count(come, texts[2]);
    cli_format_count(go, texts[3]);
    cli_putf(show, CLI_DIM, "%-12s", what);
    cli_putf(show, CLI_PLAIN, "%s before, %s after", texts[0], texts[1]);
    if (more)
        cli_putf(show, CLI_PLAIN, ": %s %s, %s %s", texts[2], more, texts[3], less);
    cli_end_line(show);
}

static void show_changed(struct cli_run *run, const Idem__Admin__V1__WhatIfModelReply *told,
                         const struct eval_people *people)
{
    static const struct cli_column columns[] = {{"group", true, 0, true},
                                                {"record", false, 10, false},
                                                {"person before", false, 10, false},
                                                {"person after", false, 10, false}};
    struct cli_table table;
    cli_table_init(&table, &run->show, columns, 4);
    for (size_t i = 0; i < told->n_changed; i++) {
        const Idem__Admin__V1__ChangedRecord *changed = told->changed[i];
        const uint64_t numbers[] = {changed->record, changed->person_before, changed->person_after};
        cli_cellf(&table, "%" PRIu64, changed->group);
        for (size_t k = 0; k < 3; k++)
            if (people)
                cli_cell(&table, CLI_PLAIN, people->persons.at[numbers[k] - 1].id);
            else
                cli_cellf(&table, "%" PRIu64, numbers[k]);
    }
    cli_table_end(&table, 0);
    if (told->n_changed < told->records_changed)
        cli_say(run, "and %" PRIu64 " more; --list shows more of them", told->records_changed - told->n_changed);
}

void cli_show_whatif(struct cli_run *run, const Idem__Admin__V1__WhatIfModelReply *told,
                     const struct eval_people *people)
{
    struct cli_show *show = &run->show;
    put_count(show, "records", told->records);
    put_change(show, "persons", told->persons_before, told->persons_after, NULL, 0, NULL, 0);
    put_change(show, "pairs", told->pairs_before, told->pairs_after, "come together", told->pairs_joined, "go apart",
               told->pairs_parted);
    put_change(show, "questions", told->questions_before, told->questions_after, "open", told->questions_opened,
               "close", told->questions_closed);
    put_count(show, "groups", told->groups_changed);
    show_changed(run, told, people);
}

enum { CHANGED_MAX = 10000 };

static uint32_t changes_wanted(const struct cli_run *run)
{
    uint64_t list = cli_number(run, "list");
    return list > CHANGED_MAX ? CHANGED_MAX : (uint32_t)list;
}

/* As the daemon's reply, so that both are shown alike. */
static void tell(struct cli_run *run, const struct mpi_whatif *whatif, const struct eval_people *people)
{
    Idem__Admin__V1__WhatIfModelReply told = IDEM__ADMIN__V1__WHAT_IF_MODEL_REPLY__INIT;
    told.records = mpi_study_records(people->study);
    rpc_tell_whatif(run->cx, whatif, changes_wanted(run), &told);
    if (run->json)
        cli_json_reply(run, &told.base);
    else
        cli_show_whatif(run, &told, people);
}

struct trial {
    struct eval_people people;
    struct mpi_model *before, *after;
    struct mpi_whatif whatif;
};

static void trial_fini(struct trial *trial)
{
    eval_people_fini(&trial->people);
    mpi_model_free(trial->before);
    mpi_model_free(trial->after);
    mpi_whatif_fini(&trial->whatif);
}

static status try_here(struct cli_run *run, struct trial *trial)
{
    struct people_map *map = arena_alloc(run->cx->arena, sizeof *map);
    const char *against = cli_text(run, "against");
    TRY(cli_read_model(run->cx, cli_argument(run, 0), &trial->after));
    if (against)
        TRY(cli_read_model(run->cx, against, &trial->before));
    TRY(people_map_read(run->cx, cli_text(run, "map"), map));
    TRY(eval_people_read(run, map, 1, &trial->people));
    return mpi_study_whatif(trial->people.study, run->cx, trial->before ? trial->before : mpi_model_general(),
                            trial->after, &trial->whatif);
}

static enum cli_exit try_there(struct cli_run *run)
{
    SCOPED(buf_fini) struct buf text = {0};
    Idem__Admin__V1__WhatIfModelRequest ask = IDEM__ADMIN__V1__WHAT_IF_MODEL_REQUEST__INIT;
    Idem__Admin__V1__WhatIfModelReply *told;
    enum cli_exit exit;
    if (cli_text(run, "against"))
        return cli_misused(run, "say which files, or leave --against away", "the index is compared with its own model");
    if (read_text(run->cx, cli_argument(run, 0), &text) != STATUS_OK)
        return refused(run);
    ask.text = text.data;
    ask.max = changes_wanted(run);
    if (!cli_ask(run, CLI_ADMIN("WhatIfModel"), &ask.base, &idem__admin__v1__what_if_model_reply__descriptor,
                 "correct the line named above", &told, &exit))
        return exit;
    size_t listed = told->n_changed; /* none wanted is a default to the daemon */
    told->n_changed = listed < ask.max ? listed : ask.max;
    if (!run->json)
        cli_show_whatif(run, told, NULL);
    told->n_changed = listed;
    return CLI_OK;
}

static enum cli_exit run_whatif(struct cli_run *run)
{
    SCOPED(trial_fini) struct trial trial = {0};
    if (run->parsed->argument_count == 1)
        return try_there(run);
    if (try_here(run, &trial) != STATUS_OK)
        return refused(run);
    tell(run, &trial.whatif, &trial.people);
    return CLI_OK;
}

/* ---- making it count ---- */

static enum cli_exit run_activate(struct cli_run *run)
{
    SCOPED(buf_fini) struct buf text = {0};
    Idem__Admin__V1__ActivateModelRequest ask = IDEM__ADMIN__V1__ACTIVATE_MODEL_REQUEST__INIT;
    Idem__Admin__V1__ActivateModelReply *done;
    enum cli_exit exit;
    if (cli_text(run, "why") == NULL)
        return cli_misused(run, "--why TEXT", "why it is activated is not said");
    if (read_text(run->cx, cli_argument(run, 0), &text) != STATUS_OK)
        return refused(run);
    ask.text = text.data;
    ask.why = (char *)(uintptr_t)cli_text(run, "why");
    if (!cli_ask(run, CLI_ADMIN("ActivateModel"), &ask.base, &idem__admin__v1__activate_model_reply__descriptor,
                 "correct the line named above; the model in use is unchanged", &done, &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    cli_putf(&run->show, CLI_GREEN, "activated");
    cli_putf(&run->show, CLI_PLAIN, "  model %" PRIu32 ", journal entry %" PRIu64, done->version, done->seq);
    cli_end_line(&run->show);
    put_change(&run->show, "persons", done->persons_before, done->persons_after, NULL, 0, NULL, 0);
    put_change(&run->show, "reviews", done->reviews_before, done->reviews_after, NULL, 0, NULL, 0);
    put_count(&run->show, "moved", done->records_moved);
    return CLI_OK;
}

/* ---- rows ---- */

#include "cmd_model_rows.h"
