/* Pairs that went wrong, for people and as JSON: ids and evidence, never a value. */
#include "commands.h"
#include "eval.h"

const char *const eval_cause_names[EVAL_CAUSES] = {
    [EVAL_NO_KEY] = "no common key",
    [EVAL_TOO_LITTLE] = "too little evidence",
    [EVAL_ASKED] = "to be asked about",
    [EVAL_REST] = "not with the rest of the persons",
};

/* ---- one pair ---- */

void eval_show_pair(struct cli_show *show, const struct eval_people *people, uint32_t left, uint32_t right,
                    const char *what, const char *why)
{
    const struct eval_person *a = &people->persons.at[left - 1], *b = &people->persons.at[right - 1];
    struct mpi_comparison comparison;
    char bits[24];
    mpi_study_compare(people->study, left, right, &comparison);
    cli_format_bits(comparison.score_mbit, bits);
    cli_putf(show, CLI_YELLOW, "%s", what);
    cli_putf(show, CLI_PLAIN, "  %.*s  %.*s  %s bits, %u.%04u %%, %s", STR_ARGS(cli_safe_str(show->arena, a->id)),
             STR_ARGS(cli_safe_str(show->arena, b->id)), bits, comparison.probability_ppm / 10000,
             comparison.probability_ppm % 10000, why);
    cli_end_line(show);
    for (uint32_t i = 0; i < comparison.evidence_count; i++) {
        cli_format_bits(comparison.evidence[i].weight_mbit, bits);
        cli_putf(show, CLI_PLAIN, "    %-20s %-36s %9s", comparison.evidence[i].field, comparison.evidence[i].level,
                 bits);
        cli_end_line(show);
    }
}

void eval_json_pair(struct json *json, const struct eval_people *people, uint32_t left, uint32_t right,
                    const char *what, const char *why)
{
    struct mpi_comparison comparison;
    mpi_study_compare(people->study, left, right, &comparison);
    json_object(json, NULL);
    json_text(json, "what", str_from(what));
    json_text(json, "why", str_from(why));
    json_text(json, "left", people->persons.at[left - 1].id);
    json_text(json, "right", people->persons.at[right - 1].id);
    json_i64(json, "score_mbit", comparison.score_mbit);
    json_u64(json, "probability_ppm", comparison.probability_ppm);
    json_array(json, "evidence");
    for (uint32_t i = 0; i < comparison.evidence_count; i++) {
        json_object(json, NULL);
        json_text(json, "field", str_from(comparison.evidence[i].field));
        json_text(json, "level", str_from(comparison.evidence[i].level));
        json_i64(json, "weight_mbit", comparison.evidence[i].weight_mbit);
        json_end(json);
    }
    json_end(json);
    json_end(json);
}

/* ---- some of them, evenly taken ---- */

struct sample {
    const struct eval_people *people;
    struct cli_show *show;
    struct json *json; /* or NULL */
    uint64_t max;
    struct {
        uint64_t step, seen, shown;
    } kinds[EVAL_CAUSES + 1]; /* by the cause of missed ones; the last: wrong ones */
};

static void take_some(void *arg, bool wrong, uint32_t left, uint32_t right, enum eval_cause cause)
{
    struct sample *sample = arg;
    if (sample->kinds[cause].seen++ % sample->kinds[cause].step != 0 || sample->kinds[cause].shown == sample->max)
        return;
    sample->kinds[cause].shown++;
    const char *what = wrong ? "wrong" : "missed";
    const char *why =
        wrong ? mpi_verdict_name(mpi_study_verdict(sample->people->study, left, right)) : eval_cause_names[cause];
    if (sample->json)
        eval_json_pair(sample->json, sample->people, left, right, what, why);
    else
        eval_show_pair(sample->show, sample->people, left, right, what, why);
}

static void sample_misses(struct sample *sample, bool across, const struct eval_report *report)
{
    const struct mpi_agreement *made = &report->clusters[EVAL_AUTOMATIC];
    for (size_t kind = 0; kind <= EVAL_CAUSES; kind++) {
        uint64_t all = kind == EVAL_CAUSES ? made->pairs_found - made->pairs_right : report->causes[kind];
        sample->kinds[kind].step = all > sample->max ? all / sample->max : 1;
    }
    eval_each_miss(sample->people, across, take_some, sample);
}

void eval_show_misses(struct cli_show *show, const struct eval_people *people, bool across,
                      const struct eval_report *report, uint64_t max)
{
    sample_misses(&(struct sample){.people = people, .show = show, .max = max}, across, report);
}

void eval_json_misses(struct json *json, const struct eval_people *people, bool across,
                      const struct eval_report *report, uint64_t max)
{
    json_array(json, "misses");
    sample_misses(&(struct sample){.people = people, .json = json, .max = max}, across, report);
    json_end(json);
}
