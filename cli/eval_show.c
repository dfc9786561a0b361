/* A report for people, and as JSON. */
#include "commands.h"
#include "eval.h"

#include <inttypes.h>

/* ---- what there is to say ---- */

enum { PAIRS, PERSONS, RECORDS, MEASURES };

struct score {
    double precision, recall;
    uint64_t right, found, whole; /* PAIRS and PERSONS; RECORDS are averaged */
};

static struct score score_of(const struct mpi_agreement *made, size_t measure)
{
    struct score score = {made->b3_precision, made->b3_recall, 0, 0, 0};
    if (measure == RECORDS)
        return score;
    score = measure == PAIRS ? (struct score){0, 0, made->pairs_right, made->pairs_found, made->pairs_true}
                             : (struct score){0, 0, made->persons_exact, made->persons, made->humans};
    score.precision = mpi_share(score.right, score.found);
    score.recall = mpi_share(score.right, score.whole);
    return score;
}

static bool is_there(const struct eval_report *report, size_t clusters)
{
    return clusters != EVAL_EVEN || report->has_even;
}

static uint64_t missed_pairs(const struct eval_report *report)
{
    const struct mpi_agreement *made = &report->clusters[EVAL_AUTOMATIC];
    return made->pairs_true - made->pairs_right;
}

static uint64_t wrong_pairs(const struct eval_report *report)
{
    const struct mpi_agreement *made = &report->clusters[EVAL_AUTOMATIC];
    return made->pairs_found - made->pairs_right;
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
        {"", false, 0, true},  {"", false, 0, true},     {"precision", true, 0, true}, {"recall", true, 0, true},
        {"F1", true, 0, true}, {"right", true, 0, true}, {"of", true, 0, true},        {"there are", true, 0, true}};
    static const char *const clusters[EVAL_CLUSTERS] = {"as it is", "even odds", "all answered"};
    static const char *const measures[MEASURES] = {"pairs", "persons", "records"};
    struct cli_table table;
    cli_table_init(&table, show, columns, 8);
    for (size_t c = 0; c < EVAL_CLUSTERS; c++) {
        for (size_t m = 0; is_there(report, c) && m < MEASURES; m++) {
            struct score score = score_of(&report->clusters[c], m);
            const uint64_t counts[] = {score.right, score.found, score.whole};
            cli_cell_text(&table, m == 0 ? clusters[c] : "");
            cli_cell_text(&table, measures[m]);
            cli_cellf(&table, "%.4f", score.precision);
            cli_cellf(&table, "%.4f", score.recall);
            cli_cellf(&table, "%.4f", mpi_f1(score.precision, score.recall));
            for (size_t i = 0; i < 3; i++)
                if (m == RECORDS)
                    cli_cell_text(&table, "");
                else
                    cell_count(&table, counts[i]);
        }
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

static void show_wrong(struct cli_show *show, const struct eval_report *report)
{
    const struct mpi_agreement *made = &report->clusters[EVAL_AUTOMATIC];
    show_line(show, "wrong", wrong_pairs(report),
              "pairs of two humans: %" PRIu64 " by their own evidence, %" PRIu64 " of one household",
              report->wrong_by_themselves, report->wrong_in_household);
    show_line(show, "", made->persons_mixed, "persons hold more than one human");
    show_line(show, "missed", missed_pairs(report), "pairs of one human:");
    for (size_t i = 0; i < EVAL_CAUSES; i++)
        if (report->causes[i])
            show_line(show, "", report->causes[i], "%s", eval_cause_names[i]);
}

static void show_counts(struct cli_show *show, const struct eval_report *report)
{
    show_line(show, "questions", report->asked.open, "open, each about two persons: %.3f %% of the records",
              report->records ? 100 * (double)report->asked.open / (double)report->records : 0);
    show_line(show, "", report->asked.in_all, "asked in all, in %" PRIu32 " rounds, until none is open",
              report->asked.rounds);
    show_line(show, "compared", report->compared, "pairs of records, %.1f a record; %" PRIu64 " are alike",
              report->records ? (double)report->compared / (double)report->records : 0, report->alike);
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
    cli_format_count(report->clusters[EVAL_AUTOMATIC].humans, humans);
    cli_format_size(report->peak_bytes, memory);
    cli_format_count((uint64_t)records_a_second(report), speed);
    cli_title(show, "%s records of %s humans", records, humans);
    if (report->left_out + report->truth_missing)
        show_line(show, "not scored", report->truth_missing, "without truth; %" PRIu64 " rows left out",
                  report->left_out);
    if (report->clusters[EVAL_AUTOMATIC].humans) {
        show_scores(show, report);
        show_wrong(show, report);
    }
    show_counts(show, report);
    if (report->alike) {
        cli_title(show, "Calibration error %.4f", mpi_calibration_error(&report->calibration));
        show_calibration(show, report);
    }
    cli_putf(show, CLI_DIM, "read in %.2f s, model made in %.2f s, linked in %.2f s (%s records/s), %s of memory",
             report->read_seconds, report->train_seconds, report->link_seconds, speed, memory);
    cli_end_line(show);
}

/* ---- as JSON ---- */

static void json_scores(struct json *json, const struct eval_report *report)
{
    static const char *const clusters[EVAL_CLUSTERS] = {"automatic", "even_odds", "answered"};
    static const char *const measures[MEASURES] = {"pairs", "persons", "records"};
    for (size_t c = 0; c < EVAL_CLUSTERS; c++) {
        if (!is_there(report, c))
            continue;
        json_object(json, clusters[c]);
        for (size_t m = 0; m < MEASURES; m++) {
            struct score score = score_of(&report->clusters[c], m);
            json_object(json, measures[m]);
            json_f64(json, "precision", score.precision);
            json_f64(json, "recall", score.recall);
            json_f64(json, "f1", mpi_f1(score.precision, score.recall));
            if (m != RECORDS) {
                json_u64(json, "right", score.right);
                json_u64(json, "found", score.found);
                json_u64(json, "true", score.whole);
            }
            json_end(json);
        }
        json_end(json);
    }
}

static void json_causes(struct json *json, const struct eval_report *report)
{
    static const char *const keys[EVAL_CAUSES] = {"no_key", "too_little", "asked", "rest"};
    json_object(json, "missed");
    json_u64(json, "pairs", missed_pairs(report));
    for (size_t i = 0; i < EVAL_CAUSES; i++)
        json_u64(json, keys[i], report->causes[i]);
    json_end(json);
    json_object(json, "wrong");
    json_u64(json, "pairs", wrong_pairs(report));
    json_u64(json, "by_themselves", report->wrong_by_themselves);
    json_u64(json, "in_household", report->wrong_in_household);
    json_u64(json, "persons", report->clusters[EVAL_AUTOMATIC].persons_mixed);
    json_end(json);
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
    json_u64(json, "records", report->records);
    json_u64(json, "humans", report->clusters[EVAL_AUTOMATIC].humans);
    json_u64(json, "left_out", report->left_out);
    json_u64(json, "truth_missing", report->truth_missing);
    json_scores(json, report);
    json_causes(json, report);
    json_u64(json, "questions", report->asked.open);
    json_f64(json, "question_share", report->records ? (double)report->asked.open / (double)report->records : 0);
    json_u64(json, "questions_in_all", report->asked.in_all);
    json_u64(json, "alike", report->alike);
    json_u64(json, "alike_right", report->alike_right);
    json_bands(json, report);
    json_u64(json, "compared", report->compared);
    json_f64(json, "read_seconds", report->read_seconds);
    json_f64(json, "train_seconds", report->train_seconds);
    json_f64(json, "link_seconds", report->link_seconds);
    json_f64(json, "records_per_second", records_a_second(report));
    json_u64(json, "peak_bytes", report->peak_bytes);
}
