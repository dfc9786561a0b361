/* idem model blocking, idem model calibrate: of files in this process, of the index by the daemon. */
#include "model_measure.h"

#include "eval.h"
#include "mpi/blocking.h"
#include "mpi/calibrate.h"
#include "rpc/told.h"

#include <inttypes.h>

static void cell_count(struct cli_table *table, uint64_t number)
{
    char text[32];
    cli_format_count(number, text);
    cli_cell_text(table, text);
}

static void put_line(struct cli_show *show, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void put_line(struct cli_show *show, const char *what, const char *format, ...)
{
    SCOPED(buf_fini) struct buf line = {0};
    va_list args;
    va_start(args, format);
    buf_vprintf(&line, format, args);
    va_end(args);
    cli_putf(show, CLI_DIM, "%-12s", what);
    cli_putf(show, CLI_PLAIN, "%.*s", STR_ARGS(buf_str(&line)));
    cli_end_line(show);
}

/* ---- files ---- */

struct measured {
    struct people_map *map;
    struct eval_people people;
    struct mpi_model *model;
};

static void measured_fini(struct measured *measured)
{
    eval_people_fini(&measured->people); /* before the model it is seen through */
    mpi_model_free(measured->model);
    mem_free(measured->map);
}

/* Linked by --model, or the general one. */
static status link_files(struct cli_run *run, bool with_truth, struct measured *measured)
{
    const char *model = cli_text(run, "model");
    measured->map = mem_alloc(sizeof *measured->map);
    if (model)
        TRY(cli_read_model(run->cx, model, &measured->model));
    if (with_truth) {
        TRY(eval_people_read_known(run, measured->map, &measured->people));
    } else {
        TRY(people_map_read(run->cx, cli_text(run, "map"), measured->map));
        TRY(eval_people_read(run, measured->map, 0, &measured->people));
    }
    mpi_study_link(measured->people.study, measured->model ? measured->model : mpi_model_general());
    return STATUS_OK;
}

static enum cli_exit refused(struct cli_run *run)
{
    return cli_misused(run, "correct the file or the option it is about", "%.*s [%s]", STR_ARGS(ctx_message(run->cx)),
                       run->cx->reason->name);
}

/* ---- blocking ---- */

static void show_rules(struct cli_show *show, const Idem__Admin__V1__Blocking *blocking)
{
    static const struct cli_column columns[] = {
        {"rule", false, 0, true},  {"keys", true, 0, true},  {"narrowed", true, 0, true}, {"pairs", true, 0, true},
        {"linked", true, 0, true}, {"alone", true, 0, true}, {"largest", false, 8, false}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 7);
    for (size_t i = 0; i < blocking->n_rules; i++) {
        const Idem__Admin__V1__BlockingRule *rule = blocking->rules[i];
        SCOPED(buf_fini) struct buf largest = {0};
        for (size_t k = 0; k < rule->n_largest; k++)
            buf_printf(&largest, "%s%" PRIu32, k ? " " : "", rule->largest[k]);
        cli_cell_text(&table, rule->name);
        cell_count(&table, rule->keys);
        cell_count(&table, rule->over_full);
        cell_count(&table, rule->pairs);
        cell_count(&table, rule->linked);
        cell_count(&table, rule->linked_alone);
        cli_cell(&table, CLI_PLAIN, buf_str(&largest));
    }
    cli_table_end(&table, 0);
}

void cli_show_blocking(struct cli_show *show, const Idem__Admin__V1__Blocking *blocking)
{
    char texts[4][32];
    cli_format_count(blocking->records, texts[0]);
    cli_format_count(blocking->bodies, texts[1]);
    cli_format_count(blocking->linked, texts[2]);
    cli_format_count(blocking->missed, texts[3]);
    show_rules(show, blocking);
    put_line(show, "records",
             "%s, %s that do not say the same as another; more than %" PRIu32 " of these under one key are narrowed",
             texts[0], texts[1], blocking->cap);
    put_line(show, "linked", "%s pairs, each found by one rule or more", texts[2]);
    put_line(show, "missed", "%s or more, estimated from how many are found by one rule only and by two", texts[3]);
    put_line(show, "recall", "%.4f or less of the pairs that would be linked are put side by side",
             blocking->recall_ppm / 1e6);
}

static enum cli_exit blocking_of_files(struct cli_run *run)
{
    SCOPED(measured_fini) struct measured measured = {0};
    struct mpi_blocking *blocking = arena_alloc(run->cx->arena, sizeof *blocking);
    Idem__Admin__V1__Blocking told = IDEM__ADMIN__V1__BLOCKING__INIT;
    if (link_files(run, false, &measured) != STATUS_OK)
        return refused(run);
    mpi_study_blocking(measured.people.study, blocking);
    rpc_tell_blocking(run->cx, blocking, &told);
    if (run->json)
        cli_json_reply(run, &told.base);
    else
        cli_show_blocking(&run->show, &told);
    return CLI_OK;
}

enum cli_exit cli_model_blocking(struct cli_run *run)
{
    Idem__Admin__V1__GetBlockingRequest ask = IDEM__ADMIN__V1__GET_BLOCKING_REQUEST__INIT;
    Idem__Admin__V1__Blocking *told;
    enum cli_exit exit;
    if (run->parsed->argument_count > 0)
        return blocking_of_files(run);
    if (cli_text(run, "model"))
        return cli_misused(run, "say which files, or leave --model away", "the index is linked by its own model");
    if (!cli_ask(run, CLI_ADMIN("GetBlocking"), &ask.base, &idem__admin__v1__blocking__descriptor, NULL, &told, &exit))
        return exit;
    if (!run->json)
        cli_show_blocking(&run->show, told);
    return CLI_OK;
}

/* ---- calibration ---- */

static void show_bands(struct cli_show *show, const Idem__Admin__V1__Calibration *calibration)
{
    static const struct cli_column columns[] = {{"probability", false, 0, true}, {"known", true, 0, true},
                                                {"said", true, 0, true},         {"right", true, 0, true},
                                                {"95 % sure", true, 0, true},    {"there are", true, 0, true}};
    struct cli_table table;
    uint32_t from_ppm = 0;
    cli_table_init(&table, show, columns, 6);
    for (size_t i = 0; i < calibration->n_bands; i++) {
        const Idem__Admin__V1__CalibrationBand *band = calibration->bands[i];
        cli_cellf(&table, "%g-%g %%", from_ppm / 1e4, band->to_ppm / 1e4);
        from_ppm = band->to_ppm;
        cell_count(&table, band->pairs);
        if (band->pairs) {
            cli_cellf(&table, "%.4f", band->mean_ppm / 1e6);
            cli_cellf(&table, "%.4f", band->right_ppm / 1e6);
            cli_cellf(&table, "%.4f-%.4f", band->right_low_ppm / 1e6, band->right_high_ppm / 1e6);
        } else {
            for (size_t k = 0; k < 3; k++)
                cli_cell_text(&table, "");
        }
        cell_count(&table, band->there);
    }
    cli_table_end(&table, 0);
}

void cli_show_calibration(struct cli_show *show, const Idem__Admin__V1__Calibration *calibration)
{
    char pairs[32], right[32];
    cli_format_count(calibration->pairs, pairs);
    cli_format_count(calibration->right, right);
    show_bands(show, calibration);
    put_line(show, "known", "%s pairs, %s of them one person", pairs, right);
    if (calibration->left_out)
        put_line(show, "left out", "%" PRIu64 " decisions about records that take no part in matching any more",
                 calibration->left_out);
    if (calibration->pairs == 0)
        return;
    put_line(show, "error", "%.4f expected calibration error of these pairs", calibration->error_ppm / 1e6);
    put_line(show, "", "%.4f of all pairs there are, in bands with any that are known",
             calibration->error_there_ppm / 1e6);
}

static enum cli_exit calibrate_files(struct cli_run *run)
{
    SCOPED(measured_fini) struct measured measured = {0};
    struct eval_report report = {0};
    Idem__Admin__V1__Calibration told = IDEM__ADMIN__V1__CALIBRATION__INIT;
    if (link_files(run, true, &measured) != STATUS_OK)
        return refused(run);
    eval_measure(&measured.people, measured.map->is_link, &report);
    struct mpi_reviewed reviewed = {.decided = report.calibration};
    for (size_t i = 0; i < MPI_BANDS; i++)
        reviewed.there[i] = report.calibration.bands[i].pairs;
    rpc_tell_calibration(run->cx, &reviewed, &told);
    if (run->json)
        cli_json_reply(run, &told.base);
    else
        cli_show_calibration(&run->show, &told);
    return CLI_OK;
}

enum cli_exit cli_model_calibrate(struct cli_run *run)
{
    Idem__Admin__V1__CalibrateModelRequest ask = IDEM__ADMIN__V1__CALIBRATE_MODEL_REQUEST__INIT;
    Idem__Admin__V1__Calibration *told;
    enum cli_exit exit;
    if (run->parsed->argument_count > 0)
        return calibrate_files(run);
    if (cli_text(run, "model"))
        return cli_misused(run, "say which files, or leave --model away", "the index is measured by its own model");
    if (!cli_ask(run, CLI_ADMIN("CalibrateModel"), &ask.base, &idem__admin__v1__calibration__descriptor, NULL, &told,
                 &exit))
        return exit;
    if (run->json)
        return CLI_OK;
    cli_title(&run->show, "model %" PRIu32 ", by what stewards decided", told->version);
    cli_show_calibration(&run->show, told);
    if (told->pairs == 0)
        cli_say(run, "nobody has said of two alike persons yet whether they are the same: idem review list");
    return CLI_OK;
}

/* ---- training ---- */

static void show_moved(struct cli_show *show, const Idem__Admin__V1__Training *training)
{
    static const struct cli_column columns[] = {
        {"field", false, 0, true}, {"level", false, 0, true}, {"without", true, 0, true}, {"with", true, 0, true}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 4);
    for (size_t i = 0; i < training->n_moved; i++) {
        const Idem__Admin__V1__MovedWeight *moved = training->moved[i];
        cli_cell_text(&table, moved->field);
        cli_cell_text(&table, moved->level);
        cli_cellf(&table, "%.3f", moved->before_mbit / 1e3);
        cli_cellf(&table, "%.3f", moved->after_mbit / 1e3);
    }
    cli_table_end(&table, 0);
}

void cli_show_training(struct cli_show *show, const Idem__Admin__V1__Training *training)
{
    char texts[3][32];
    cli_format_count(training->pairs, texts[0]);
    cli_format_count(training->matches, texts[1]);
    cli_format_count(training->relatives, texts[2]);
    put_line(show, "pairs", "%s looked at: %s thought to be one person, %s of relatives", texts[0], texts[1], texts[2]);
    if (training->decided_same + training->decided_different == 0)
        return;
    put_line(show, "decided", "%" PRIu64 " pairs to be the same, %" PRIu64 " to be different, by stewards",
             training->decided_same, training->decided_different);
    put_line(show, "unexpected", "%.3f bits a decision learned without them, %.3f with them",
             training->surprise_before_mbit / 1e3, training->surprise_after_mbit / 1e3);
    put_line(show, "prior", "%.3f bits without them, %.3f with them", training->prior_before_mbit / 1e3,
             training->prior_after_mbit / 1e3);
    show_moved(show, training);
}
