/* What each level of each field is worth by the truth, beside what the model thought. */
#include "commands.h"
#include "eval.h"

#include "base/hash.h"

#include <math.h>

enum { LEVEL_ROWS = 256, BLIND_PAIRS = 1000000 };

struct level {
    const char *field, *level; /* static: what is the same text is the same place */
    uint64_t of_true, of_blind;
    int64_t weight_sum; /* over both */
};
struct tally {
    const struct eval_people *people;
    struct level levels[LEVEL_ROWS];
    size_t count;
    bool is_blind;
};

static struct level *level_of(struct tally *tally, const struct mpi_evidence *evidence)
{
    size_t at = 0;
    while (at < tally->count &&
           (tally->levels[at].field != evidence->field || tally->levels[at].level != evidence->level))
        at++;
    if (at == LEVEL_ROWS)
        return NULL; /* a model of more levels than anybody would read */
    if (at == tally->count)
        tally->levels[tally->count++] = (struct level){.field = evidence->field, .level = evidence->level};
    return &tally->levels[at];
}

static void count_pair(void *arg, uint32_t left, uint32_t right)
{
    struct tally *tally = arg;
    struct mpi_comparison comparison;
    mpi_study_compare(tally->people->study, left, right, &comparison);
    for (uint32_t i = 0; i < comparison.evidence_count; i++) {
        struct level *level = level_of(tally, &comparison.evidence[i]);
        if (level == NULL)
            continue;
        ++*(tally->is_blind ? &level->of_blind : &level->of_true);
        level->weight_sum += comparison.evidence[i].weight_mbit;
    }
}

/* Pairs picked blindly: always the same ones; those of one human among them are too few to matter. */
static void count_blind_pairs(struct tally *tally)
{
    const size_t records = tally->people->persons.count;
    uint64_t state = 1;
    tally->is_blind = true;
    for (size_t i = 0; i < BLIND_PAIRS && records > 1; i++) {
        uint32_t left = (uint32_t)(hash_random(&state) % records), right = (uint32_t)(hash_random(&state) % records);
        if (left != right)
            count_pair(tally, left < right ? left + 1 : right + 1, left < right ? right + 1 : left + 1);
    }
}

static void fill(struct tally *tally, bool across)
{
    eval_each_true_pair(tally->people, across, count_pair, tally);
    count_blind_pairs(tally);
}

/* ---- shares of the pairs in which both say something about the field ---- */

struct worth {
    double of_true, of_blind;
    double bits; /* log2 of their ratio; half a pair stands in for none */
    double thought_bits;
};

static struct worth worth_of(const struct tally *tally, const struct level *level)
{
    double all_true = 0, all_blind = 0;
    for (size_t i = 0; i < tally->count; i++) {
        if (tally->levels[i].field == level->field) {
            all_true += (double)tally->levels[i].of_true;
            all_blind += (double)tally->levels[i].of_blind;
        }
    }
    double some_true = level->of_true ? (double)level->of_true : .5,
           some_blind = level->of_blind ? (double)level->of_blind : .5;
    struct worth worth = {all_true > 0 ? (double)level->of_true / all_true : 0,
                          all_blind > 0 ? (double)level->of_blind / all_blind : 0, 0,
                          (double)level->weight_sum / 1000 / (double)(level->of_true + level->of_blind)};
    if (all_true > 0 && all_blind > 0)
        worth.bits = log2(some_true / all_true) - log2(some_blind / all_blind);
    return worth;
}

static int compare_levels(const struct tally *tally, size_t left, size_t right)
{
    const struct level *l = &tally->levels[left], *r = &tally->levels[right];
    int order = strcmp(l->field, r->field);
    return order ? order : strcmp(l->level, r->level);
}

/* Field after field, by name. */
static void sort_levels(struct tally *tally)
{
    for (size_t i = 1; i < tally->count; i++)
        for (size_t k = i; k > 0 && compare_levels(tally, k - 1, k) > 0; k--) {
            struct level moved = tally->levels[k];
            tally->levels[k] = tally->levels[k - 1];
            tally->levels[k - 1] = moved;
        }
}

static struct tally *tally_new(const struct eval_people *people, bool across)
{
    struct tally *tally = mem_alloc(sizeof *tally);
    tally->people = people;
    fill(tally, across);
    sort_levels(tally);
    return tally;
}

void eval_show_levels(struct cli_show *show, const struct eval_people *people, bool across)
{
    static const struct cli_column columns[] = {{"field", false, 0, false},      {"level", false, 0, false},
                                                {"of one human", true, 0, true}, {"of any two", true, 0, true},
                                                {"by the truth", true, 0, true}, {"thought", true, 0, true}};
    struct cli_table table;
    struct tally *tally = tally_new(people, across);
    cli_title(show, "What the evidence is worth, in bits");
    cli_table_init(&table, show, columns, 6);
    for (size_t i = 0; i < tally->count; i++) {
        struct worth worth = worth_of(tally, &tally->levels[i]);
        cli_cell_text(&table, tally->levels[i].field);
        cli_cell_text(&table, tally->levels[i].level);
        cli_cellf(&table, "%.4f %%", 100 * worth.of_true);
        cli_cellf(&table, "%.4f %%", 100 * worth.of_blind);
        cli_cellf(&table, "%s%+.2f", tally->levels[i].of_blind ? "" : "> ", worth.bits);
        cli_cellf(&table, "%+.2f", worth.thought_bits);
    }
    cli_table_end(&table, 2);
    mem_free(tally);
}

void eval_json_levels(struct json *json, const struct eval_people *people, bool across)
{
    struct tally *tally = tally_new(people, across);
    json_array(json, "levels");
    for (size_t i = 0; i < tally->count; i++) {
        struct worth worth = worth_of(tally, &tally->levels[i]);
        json_object(json, NULL);
        json_text(json, "field", str_from(tally->levels[i].field));
        json_text(json, "level", str_from(tally->levels[i].level));
        json_u64(json, "of_true", tally->levels[i].of_true);
        json_u64(json, "of_blind", tally->levels[i].of_blind);
        json_f64(json, "bits", worth.bits);
        json_f64(json, "thought_bits", worth.thought_bits);
        json_end(json);
    }
    json_end(json);
    mem_free(tally);
}
