/* Pairs that went wrong, for finding out why: numbers, ids and evidence, never a value. */
#include "commands.h"
#include "eval.h"

#include <inttypes.h>
#include <stdlib.h>

struct place {
    uint32_t record, person, truth, file;
};

struct pick {
    const struct eval_people *people;
    bool across, wrong; /* wrong: one person, two humans; else missed: one human, two persons */
    uint64_t step;      /* every so many pairs one is shown */
    uint64_t seen, shown, max;
    void (*show)(void *arg, const struct eval_people *people, bool wrong, uint32_t left, uint32_t right);
    void *arg;
};

static int by_person(const void *left, const void *right)
{
    const struct place *l = left, *r = right;
    return l->person != r->person ? (l->person < r->person ? -1 : 1) : l->record < r->record ? -1 : 1;
}

static int by_truth(const void *left, const void *right)
{
    const struct place *l = left, *r = right;
    return l->truth != r->truth ? (l->truth < r->truth ? -1 : 1) : l->record < r->record ? -1 : 1;
}

static void look_at(struct pick *pick, const struct place *left, const struct place *right)
{
    bool is_split = pick->wrong ? left->truth != right->truth : left->person != right->person;
    if (!is_split || (pick->across && left->file == right->file))
        return;
    if (pick->seen++ % pick->step != 0 || pick->shown == pick->max)
        return;
    pick->shown++;
    pick->show(pick->arg, pick->people, pick->wrong, left->record, right->record);
}

static void look_through(struct pick *pick, const struct place *places, size_t count)
{
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        while (to < count &&
               (pick->wrong ? places[to].person == places[from].person : places[to].truth == places[from].truth))
            to++;
        for (size_t i = from; i < to && pick->shown < pick->max; i++)
            for (size_t k = i + 1; k < to && pick->shown < pick->max; k++)
                look_at(pick, &places[i], &places[k]);
    }
}

static void pick_both(const struct eval_people *people, bool across, uint64_t max, struct pick pick)
{
    struct eval_report report = {0};
    eval_measure(people, across, &report);
    const struct mpi_agreement *made = &report.automatic;
    const uint64_t missed = made->pairs_true - made->pairs_right, wrong = made->pairs_found - made->pairs_right;
    struct place *places = mem_array(people->persons.count + 1, sizeof *places);
    size_t count = 0;
    for (uint32_t record = 1; record <= people->persons.count; record++) {
        const struct eval_person *person = &people->persons.at[record - 1];
        if (person->truth)
            places[count++] =
                (struct place){record, mpi_study_person(people->study, record), person->truth, person->file};
    }
    for (size_t round = 0; round < 2; round++) {
        uint64_t all = round == 0 ? wrong : missed;
        struct pick now = pick;
        now.people = people;
        now.across = across;
        now.wrong = round == 0;
        now.max = max;
        now.step = all > max ? all / max : 1;
        qsort(places, count, sizeof *places, round == 0 ? by_person : by_truth);
        look_through(&now, places, count);
    }
    mem_free(places);
}

/* ---- for people ---- */

static void show_pair(void *arg, const struct eval_people *people, bool wrong, uint32_t left, uint32_t right)
{
    struct cli_show *show = arg;
    struct mpi_comparison comparison;
    const struct eval_person *a = &people->persons.at[left - 1], *b = &people->persons.at[right - 1];
    char score[24];
    mpi_study_compare(people->study, left, right, &comparison);
    cli_format_bits(comparison.score_mbit, score);
    cli_putf(show, wrong ? CLI_RED : CLI_YELLOW, "%s", wrong ? "WRONG " : "MISSED");
    cli_putf(show, CLI_PLAIN, "  %.*s  %.*s  %s bits, %u.%04u %%, %s", STR_ARGS(cli_safe_str(show->arena, a->id)),
             STR_ARGS(cli_safe_str(show->arena, b->id)), score, comparison.probability_ppm / 10000,
             comparison.probability_ppm % 10000, mpi_verdict_name(mpi_study_verdict(people->study, left, right)));
    cli_end_line(show);
    for (uint32_t i = 0; i < comparison.evidence_count; i++) {
        cli_format_bits(comparison.evidence[i].weight_mbit, score);
        cli_putf(show, CLI_PLAIN, "    %-20s %-36s %9s", comparison.evidence[i].field, comparison.evidence[i].level,
                 score);
        cli_end_line(show);
    }
}

void eval_show_misses(struct cli_show *show, const struct eval_people *people, bool across, uint64_t max)
{
    pick_both(people, across, max, (struct pick){.show = show_pair, .arg = show});
}

/* ---- as JSON ---- */

static void json_pair(void *arg, const struct eval_people *people, bool wrong, uint32_t left, uint32_t right)
{
    struct json *json = arg;
    struct mpi_comparison comparison;
    mpi_study_compare(people->study, left, right, &comparison);
    json_object(json, NULL);
    json_text(json, "kind", wrong ? STR("wrong") : STR("missed"));
    json_text(json, "left", people->persons.at[left - 1].id);
    json_text(json, "right", people->persons.at[right - 1].id);
    json_i64(json, "score_mbit", comparison.score_mbit);
    json_u64(json, "probability_ppm", comparison.probability_ppm);
    json_text(json, "verdict", str_from(mpi_verdict_name(mpi_study_verdict(people->study, left, right))));
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

void eval_json_misses(struct json *json, const struct eval_people *people, bool across, uint64_t max)
{
    json_array(json, "misses");
    pick_both(people, across, max, (struct pick){.show = json_pair, .arg = json});
    json_end(json);
}
