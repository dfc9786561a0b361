/* idem eval: measuring a model on people whose truth is known; no daemon, nothing stored. */
#include "commands.h"

#include "base/clock.h"
#include "eval.h"
#include "mpi/train.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t peak_bytes(void)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");
    uint64_t kib = 0;
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtoull(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return kib * 1024;
}

static double seconds_since(int64_t from_us)
{
    return (double)(clock_mono_us() - from_us) / 1e6;
}

static void put_json(struct cli_run *run, const struct eval_people *people, bool across,
                     const struct eval_report *report, const struct eval_confusion *confusion)
{
    struct json json = {.out = &run->out};
    json_object(&json, NULL);
    eval_json_report(&json, report);
    if (confusion)
        eval_json_confusion(&json, people, confusion, cli_number(run, "misses"));
    if (cli_flag(run, "levels"))
        eval_json_levels(&json, people, across);
    if (cli_flag(run, "blocking"))
        eval_json_blocking(run, &json, people, across);
    if (cli_number(run, "misses"))
        eval_json_misses(&json, people, across, report, cli_number(run, "misses"));
    json_end(&json);
    buf_put_byte(&run->out, '\n');
}

static void put_text(struct cli_run *run, const struct eval_people *people, bool across,
                     const struct eval_report *report, const struct eval_confusion *confusion)
{
    if (cli_number(run, "misses"))
        eval_show_misses(&run->show, people, across, report, cli_number(run, "misses"));
    if (cli_flag(run, "levels"))
        eval_show_levels(&run->show, people, across);
    eval_show_report(&run->show, report);
    if (cli_flag(run, "blocking"))
        eval_show_blocking(run, people, across);
    if (confusion)
        eval_show_confusion(&run->show, people, confusion, cli_number(run, "misses"));
}

/* Under the model that was read, one made from these people, or the general one; *out_model is to be freed after the
 * study. Figures at even odds first: the study then stays linked as the index would. */
static void link_people(struct cli_run *run, struct eval_people *people, bool across, struct eval_report *report,
                        struct mpi_model **out_model)
{
    struct mpi_training training;
    int64_t from_us = clock_mono_us();
    if (*out_model == NULL && cli_flag(run, "train"))
        mpi_study_train(people->study, out_model, &training);
    report->train_seconds = seconds_since(from_us);
    const struct mpi_model *model = *out_model ? *out_model : mpi_model_general();
    report->has_even = !cli_flag(run, "quick");
    struct mpi_model *guessing = report->has_even ? mpi_model_guessing(model) : NULL;
    if (guessing) {
        mpi_study_link(people->study, guessing);
        eval_measure_clusters(people, across, &report->clusters[EVAL_EVEN]);
    }
    from_us = clock_mono_us();
    mpi_study_link(people->study, model);
    report->link_seconds = seconds_since(from_us);
    report->peak_bytes = peak_bytes();
    mpi_model_free(guessing);
}

static status evaluate(struct cli_run *run, struct people_map *map, struct eval_people *people,
                       struct mpi_model **out_model)
{
    struct eval_report report = {0};
    struct eval_confusion confusion = {.left_out = 0};
    const char *pairs = cli_text(run, "pairs");
    const char *model = cli_text(run, "model");
    int64_t from_us = clock_mono_us();
    if (model)
        TRY(cli_read_model(run->cx, model, out_model));
    TRY(eval_people_read_known(run, map, people));
    report.read_seconds = seconds_since(from_us);
    bool across = map->is_link || cli_flag(run, "link-only");
    link_people(run, people, across, &report, out_model);
    eval_measure(people, across, &report);
    if (pairs)
        TRY(eval_labels_read(run, map, people, pairs, &confusion));
    if (run->json)
        put_json(run, people, across, &report, pairs ? &confusion : NULL);
    else
        put_text(run, people, across, &report, pairs ? &confusion : NULL);
    VEC_FINI(&confusion.judged);
    return STATUS_OK;
}

static enum cli_exit run_people(struct cli_run *run)
{
    if (cli_text(run, "model") && cli_flag(run, "train"))
        return cli_misused(run, "one of them", "--model and --train exclude each other");
    struct people_map *map = mem_alloc(sizeof *map);
    struct eval_people people = {0};
    struct mpi_model *model = NULL;
    status got = evaluate(run, map, &people, &model);
    enum cli_exit exit = got == STATUS_OK ? CLI_OK
                                          : cli_misused(run, "correct the file or the option it is about", "%.*s [%s]",
                                                        STR_ARGS(ctx_message(run->cx)), run->cx->reason->name);
    eval_people_fini(&people);
    mpi_model_free(model);
    mem_free(map);
    return exit;
}

static const struct cli_argument people_arguments[] = {
    {"FILE", CLI_FILE, false, true, "CSV of people, each file a source of its own unless a column says the source",
     NULL},
    {0}};
static const struct cli_option people_options[] = {
    {"map", CLI_FILE, "MAP", NULL,
     "YAML that says what the columns mean; without it they have the names of people load", NULL},
    {"truth", CLI_TEXT, "COLUMN", NULL, "which human a row is about; used for counting only", NULL},
    {"truth-file", CLI_FILE, "CSV", NULL, "the truth is there: authority, id, and the column of --truth, or person",
     NULL},
    {"train", CLI_FLAG, NULL, NULL, "make a model from these people, without their truth, instead of the general one",
     NULL},
    {"model", CLI_FILE, "MODEL", NULL, "this model (YAML, see idem model export) instead of the general one", NULL},
    {"quick", CLI_FLAG, NULL, NULL, "link once only: no figures at even odds", NULL},
    {"link-only", CLI_FLAG, NULL, NULL, "only pairs between two files count", NULL},
    {"pairs", CLI_FILE, "CSV", NULL, "labelled pairs to judge too: columns left, right, label, or as the map says",
     NULL},
    {"misses", CLI_NUMBER, "N", NULL,
     "show N pairs of each kind that went wrong, with their evidence and without values", NULL},
    {"levels", CLI_FLAG, NULL, NULL,
     "show what each kind of evidence is worth by the truth, and what the model thought", NULL},
    {"blocking", CLI_FLAG, NULL, NULL, "show what blocking does, and how many of the true pairs it puts side by side",
     NULL},
    {0}};

const struct cli_command cli_eval_commands[] = {
    {.group = "eval",
     .name = "people",
     .arguments = people_arguments,
     .options = people_options,
     .does = "link people of known truth in this process and say how well it went",
     .more = "The truth never takes part in linking. Every figure is explained in docs/evaluation.md, the map in "
             "docs/loaders/people-map.md.",
     .example = "idem eval people north.csv lake.csv --truth-file truth.csv",
     .run = run_people},
    {0}};
