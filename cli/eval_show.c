/* A report for people, and as JSON. */
#include "commands.h"
#include "eval.h"

#include <inttypes.h>

/* ---- what there is to say ---- */

struct scores {
    const char *name, *key; /* for people, for JSON */
    double precision, recall;
    uint64_t right, found, whole; /* 0, 0, 0: shares of records, not counts */
};
enum { SCORES = 5 };

static void fill_scores(const struct eval_report *report, struct scores out[SCORES])
{
    const struct mpi_agreement *made = &report->automatic, *answered = &report->answered;
    out[0] = (struct scores){"linked pairs", "pairs", 0, 0, made->pairs_right, made->pairs_found, made->pairs_true};
    out[1] = (struct scores){"pairs at even odds", "even_odds",     0, 0, report->even_right,
                             report->even_found,   made->pairs_true};
    out[2] = (struct scores){"persons, exactly", "persons", 0, 0, made->persons_exact, made->persons, made->humans};
    out[3] = (struct scores){"records (B-cubed)", "b3", made->b3_precision, made->b3_recall, 0, 0, 0};
    out[4] = (struct scores){"pairs, all answered", "answered",          0, 0, answered->pairs_right,
                             answered->pairs_found, answered->pairs_true};
    for (size_t i = 0; i < SCORES; i++) {
        if (i == 3)
            continue;
        out[i].precision = mpi_share(out[i].right, out[i].found);
        out[i].recall = mpi_share(out[i].right, out[i].whole);
    }
}

static const char *const band_names[MPI_BANDS] = {"0-1 %",   "1-10 %",    "10-50 %", "50-90 %",
                                                  "90-99 %", "99-99.9 %", "> 99.9 %"};

static double records_a_second(const struct eval_report *report)
{
    return report->link_seconds > 0 ? (double)report->records / report->link_seconds : 0;
}

/* ---- for people ---- */

static void cell_count(struct cli_table *table, uint64_t number)
{
    char text[32];
    cli_format_count(number, text);
    cli_cell_text(table, text);
}

static void show_scores(struct cli_show *show, const struct eval_report *report)
{
    static const struct cli_column columns[] = {
        {"", false, 0, true},     {"precision", true, 0, true}, {"recall", true, 0, true},   {"F1", true, 0, true},
        {"right", true, 0, true}, {"of", true, 0, true},        {"there are", true, 0, true}};
    struct scores scores[SCORES];
    struct cli_table table;
    fill_scores(report, scores);
    cli_table_init(&table, show, columns, 7);
    for (size_t i = 0; i < SCORES; i++) {
        cli_cell_text(&table, scores[i].name);
        cli_cellf(&table, "%.4f", scores[i].precision);
        cli_cellf(&table, "%.4f", scores[i].recall);
        cli_cellf(&table, "%.4f", mpi_f1(scores[i].precision, scores[i].recall));
        const uint64_t counts[] = {scores[i].right, scores[i].found, scores[i].whole};
        for (size_t c = 0; c < 3; c++)
            if (i == 3)
                cli_cell_text(&table, "");
            else
                cell_count(&table, counts[c]);
    }
    cli_table_end(&table, 2);
}

static void show_line(struct cli_show *show, const char *what, uint64_t count, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void show_line(struct cli_show *show, const char *what, uint64_t count, const char *format, ...)
{
    char text[32];
    struct buf rest = {0};
    va_list args;
    cli_format_count(count, text);
    va_start(args, format);
    buf_vprintf(&rest, format, args);
    va_end(args);
    cli_putf(show, CLI_PLAIN, "  %-12s %12s  %.*s", what, text, STR_ARGS(buf_str(&rest)));
    buf_fini(&rest);
    cli_end_line(show);
}

static void show_counts(struct cli_show *show, const struct eval_report *report)
{
    const struct mpi_agreement *made = &report->automatic;
    show_line(show, "wrong links", made->pairs_found - made->pairs_right,
              "pairs of two humans in one person; %" PRIu64 " persons hold more than one human", made->persons_mixed);
    show_line(show, "questions", report->questions, "pairs of persons to ask a steward about: %.3f %% of the records",
              report->records ? 100 * (double)report->questions / (double)report->records : 0);
    show_line(show, "found", report->alike_right, "of %" PRIu64 " true pairs compared and alike: %.4f",
              made->pairs_true, mpi_share(report->alike_right, made->pairs_true));
    show_line(show, "compared", report->compared, "pairs of records, %.1f a record",
              report->records ? (double)report->compared / (double)report->records : 0);
}

static void show_calibration(struct cli_show *show, const struct eval_report *report)
{
    static const struct cli_column columns[] = {
        {"probability", false, 0, true}, {"pairs", true, 0, true}, {"said", true, 0, true}, {"right", true, 0, true}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 4);
    for (size_t i = 0; i < MPI_BANDS; i++) {
        const struct mpi_band *band = &report->calibration.bands[i];
        if (band->pairs == 0)
            continue;
        cli_cell_text(&table, band_names[i]);
        cell_count(&table, band->pairs);
        cli_cellf(&table, "%.4f", (double)band->ppm_sum / 1e6 / (double)band->pairs);
        cli_cellf(&table, "%.4f", mpi_share(band->right, band->pairs));
    }
    cli_table_end(&table, 2);
}

void eval_show_report(struct cli_show *show, const struct eval_report *report)
{
    char records[32], humans[32], memory[32], speed[32];
    cli_format_count(report->records, records);
    cli_format_count(report->automatic.humans, humans);
    cli_format_size(report->peak_bytes, memory);
    cli_format_count((uint64_t)records_a_second(report), speed);
    cli_title(show, "%s records of %s humans", records, humans);
    if (report->left_out + report->truth_missing)
        show_line(show, "not scored", report->truth_missing, "without truth; %" PRIu64 " rows left out",
                  report->left_out);
    show_scores(show, report);
    show_counts(show, report);
    cli_title(show, "Calibration error %.4f", mpi_calibration_error(&report->calibration));
    show_calibration(show, report);
    cli_putf(show, CLI_DIM, "read in %.2f s, model made in %.2f s, linked in %.2f s (%s records/s), %s of memory",
             report->read_seconds, report->train_seconds, report->link_seconds, speed, memory);
    cli_end_line(show);
}

/* ---- as JSON ---- */

static void json_scores(struct json *json, const struct eval_report *report)
{
    struct scores scores[SCORES];
    fill_scores(report, scores);
    for (size_t i = 0; i < SCORES; i++) {
        json_object(json, scores[i].key);
        json_f64(json, "precision", scores[i].precision);
        json_f64(json, "recall", scores[i].recall);
        json_f64(json, "f1", mpi_f1(scores[i].precision, scores[i].recall));
        if (i != 3) {
            json_u64(json, "right", scores[i].right);
            json_u64(json, "found", scores[i].found);
            json_u64(json, "true", scores[i].whole);
        }
        json_end(json);
    }
}

static void json_bands(struct json *json, const struct eval_report *report)
{
    json_f64(json, "calibration_error", mpi_calibration_error(&report->calibration));
    json_array(json, "bands");
    for (size_t i = 0; i < MPI_BANDS; i++) {
        const struct mpi_band *band = &report->calibration.bands[i];
        json_object(json, NULL);
        json_u64(json, "to_ppm", mpi_band_ends_ppm[i]);
        json_u64(json, "pairs", band->pairs);
        json_u64(json, "right", band->right);
        json_u64(json, "ppm_sum", band->ppm_sum);
        json_end(json);
    }
    json_end(json);
}

void eval_json_report(struct json *json, const struct eval_report *report)
{
    const struct mpi_agreement *made = &report->automatic;
    json_u64(json, "records", report->records);
    json_u64(json, "humans", made->humans);
    json_u64(json, "left_out", report->left_out);
    json_u64(json, "truth_missing", report->truth_missing);
    json_scores(json, report);
    json_u64(json, "wrong_pairs", made->pairs_found - made->pairs_right);
    json_u64(json, "wrong_persons", made->persons_mixed);
    json_u64(json, "questions", report->questions);
    json_f64(json, "question_share", report->records ? (double)report->questions / (double)report->records : 0);
    json_u64(json, "alike", report->alike);
    json_f64(json, "found", mpi_share(report->alike_right, made->pairs_true));
    json_bands(json, report);
    json_u64(json, "compared", report->compared);
    json_f64(json, "read_seconds", report->read_seconds);
    json_f64(json, "train_seconds", report->train_seconds);
    json_f64(json, "link_seconds", report->link_seconds);
    json_f64(json, "records_per_second", records_a_second(report));
    json_u64(json, "peak_bytes", report->peak_bytes);
}
