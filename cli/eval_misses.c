/* Pairs that went wrong, and why: numbers, ids and evidence, never a value. */
#include "commands.h"
#include "eval.h"

#include <inttypes.h>
#include <stdlib.h>

const char *const eval_cause_names[EVAL_CAUSES] = {
    [EVAL_NO_KEY] = "no common key",
    [EVAL_TOO_LITTLE] = "too little evidence",
    [EVAL_ASKED] = "to be asked about",
    [EVAL_REST] = "not with the rest of the persons",
};

/* ---- every pair that went wrong ---- */

struct place {
    uint32_t record, person, truth, file;
};

struct search {
    const struct eval_people *people;
    bool across, wrong;  /* wrong: one person, two humans; else missed: one human, two persons */
    VEC(uint64_t) alike; /* missed pairs that were compared and are alike, sorted */
    eval_miss_fn *visit;
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

static int compare_pairs(const void *left, const void *right)
{
    uint64_t l = *(const uint64_t *)left, r = *(const uint64_t *)right;
    return l < r ? -1 : l > r;
}

static uint64_t pair_key(uint32_t left, uint32_t right)
{
    return (uint64_t)left << 32 | right;
}

static void keep_missed(void *arg, const struct mpi_study_pair *pair)
{
    struct search *search = arg;
    const struct eval_people *people = search->people;
    uint32_t truth = people->persons.at[pair->left - 1].truth;
    if (truth && truth == people->persons.at[pair->right - 1].truth &&
        mpi_study_person(people->study, pair->left) != mpi_study_person(people->study, pair->right))
        *VEC_ADD(&search->alike) = pair_key(pair->left, pair->right);
}

static enum eval_cause cause_of(const struct search *search, uint32_t left, uint32_t right)
{
    enum mpi_verdict verdict = mpi_study_verdict(search->people->study, left, right);
    if (verdict == MPI_VERDICT_NEW)
        return EVAL_TOO_LITTLE;
    uint64_t key = pair_key(left, right);
    if (!search->alike.count ||
        !bsearch(&key, search->alike.at, search->alike.count, sizeof *search->alike.at, compare_pairs))
        return EVAL_NO_KEY;
    return verdict == MPI_VERDICT_REVIEW ? EVAL_ASKED : EVAL_REST;
}

static void look_at(const struct search *search, const struct place *left, const struct place *right)
{
    bool went_wrong = search->wrong ? left->truth != right->truth : left->person != right->person;
    if (!went_wrong || (search->across && left->file == right->file))
        return;
    search->visit(search->arg, search->wrong, left->record, right->record,
                  search->wrong ? EVAL_CAUSES : cause_of(search, left->record, right->record));
}

static void look_through(const struct search *search, const struct place *places, size_t count)
{
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        while (to < count &&
               (search->wrong ? places[to].person == places[from].person : places[to].truth == places[from].truth))
            to++;
        for (size_t i = from; i < to; i++)
            for (size_t k = i + 1; k < to; k++)
                look_at(search, &places[i], &places[k]);
    }
}

void eval_each_miss(const struct eval_people *people, bool across, eval_miss_fn *visit, void *arg)
{
    struct search search = {.people = people, .across = across, .wrong = true, .visit = visit, .arg = arg};
    struct place *places = mem_array(people->persons.count + 1, sizeof *places);
    size_t count = 0;
    for (uint32_t record = 1; record <= people->persons.count; record++) {
        const struct eval_person *person = &people->persons.at[record - 1];
        if (person->truth)
            places[count++] =
                (struct place){record, mpi_study_person(people->study, record), person->truth, person->file};
    }
    qsort(places, count, sizeof *places, by_person);
    look_through(&search, places, count);
    mpi_study_each_pair(people->study, keep_missed, &search);
    if (search.alike.count)
        qsort(search.alike.at, search.alike.count, sizeof *search.alike.at, compare_pairs);
    search.wrong = false;
    qsort(places, count, sizeof *places, by_truth);
    look_through(&search, places, count);
    VEC_FINI(&search.alike);
    mem_free(places);
}

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
