/* Pairs that somebody judged one by one: match, possible, no. */
#include "eval.h"

#include "base/csv.h"
#include "base/file.h"
#include "people_rows.h"

#include <inttypes.h>

enum { LEFT, RIGHT, LABEL, COLUMNS };
static const uint64_t ambiguous = UINT64_MAX;

static void index_ids(const struct eval_people *people, struct map *out_ids)
{
    for (size_t i = 0; i < people->persons.count; i++) {
        bool added;
        uint64_t *record = map_put(out_ids, people->persons.at[i].id, &added);
        *record = added ? i + 1 : ambiguous;
    }
}

static bool is_among(struct str word, const struct people_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        if (str_eq_nocase(word, words->at[i]))
            return true;
    return false;
}

/* EVAL_LABELS: none that the map knows. */
static enum eval_label label_of(const struct people_labels *labels, struct str word)
{
    return is_among(word, &labels->match)      ? EVAL_MATCH
           : is_among(word, &labels->possible) ? EVAL_POSSIBLE
           : is_among(word, &labels->no)       ? EVAL_NO
                                               : EVAL_LABELS;
}

static enum eval_label label_for(enum mpi_verdict verdict)
{
    return verdict == MPI_VERDICT_LINKED ? EVAL_MATCH : verdict == MPI_VERDICT_REVIEW ? EVAL_POSSIBLE : EVAL_NO;
}

static uint64_t record_of(const struct map *ids, struct str id)
{
    const uint64_t *record = map_get(ids, str_trim(id));
    return record && *record != ambiguous ? *record : 0;
}

static void count_row(const struct people_labels *labels, const struct eval_people *people, const struct map *ids,
                      const struct csv *csv, const int columns[COLUMNS], struct eval_confusion *confusion)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (csv->count <= (size_t)columns[i]) {
            confusion->left_out++;
            return;
        }
    }
    uint64_t left = record_of(ids, csv->fields[columns[LEFT]]), right = record_of(ids, csv->fields[columns[RIGHT]]);
    enum eval_label said = label_of(labels, str_trim(csv->fields[columns[LABEL]]));
    if (left == 0 || right == 0 || left == right || said == EVAL_LABELS) {
        confusion->left_out++;
        return;
    }
    enum eval_label got = label_for(mpi_study_verdict(people->study, (uint32_t)left, (uint32_t)right));
    confusion->pairs[said][got]++;
    *VEC_ADD(&confusion->judged) = (struct eval_judged){(uint32_t)left, (uint32_t)right, said, got};
}

status eval_labels_read(struct cli_run *run, const struct people_map *map, const struct eval_people *people,
                        const char *path, struct eval_confusion *out_confusion)
{
    struct str bytes;
    TRY(file_map(run->cx, path, &bytes));
    struct csv *csv = mem_alloc(sizeof *csv);
    struct arena scratch;
    struct map ids = {0};
    arena_init(&scratch, 0);
    csv_init(csv, bytes, ',', true, &scratch);
    const struct str names[COLUMNS] = {map->labels.left, map->labels.right, map->labels.label};
    int columns[COLUMNS];
    bool has_all = csv_next(csv);
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = has_all ? csv_column(csv, arena_str(run->cx->arena, names[i]).data) : -1;
        has_all = has_all && columns[i] >= 0;
    }
    struct eval_confusion confusion = {.left_out = 0};
    if (has_all)
        index_ids(people, &ids);
    while (has_all && csv_next(csv)) {
        count_row(&map->labels, people, &ids, csv, columns, &confusion);
        arena_reset(&scratch);
    }
    map_fini(&ids);
    arena_fini(&scratch);
    mem_free(csv);
    file_unmap(bytes);
    if (!has_all)
        return ctx_fail(run->cx, &people_rows_reason, "%s has no columns %.*s, %.*s and %.*s", path,
                        STR_ARGS(names[LEFT]), STR_ARGS(names[RIGHT]), STR_ARGS(names[LABEL]));
    *out_confusion = confusion;
    return STATUS_OK;
}

static const char *const label_names[EVAL_LABELS] = {"match", "possible", "no"};

/* ---- the table ---- */

static double accuracy(const struct eval_confusion *confusion)
{
    uint64_t right = 0, all = 0;
    for (size_t said = 0; said < EVAL_LABELS; said++)
        for (size_t got = 0; got < EVAL_LABELS; got++) {
            all += confusion->pairs[said][got];
            right += said == got ? confusion->pairs[said][got] : 0;
        }
    return mpi_share(right, all);
}

/* ---- some of the pairs that went wrong ---- */

struct pick {
    const struct eval_people *people;
    const struct eval_confusion *confusion;
    struct cli_show *show;
    struct json *json; /* or NULL */
    uint64_t max;
};

static const char *const got_names[EVAL_LABELS] = {"linked", "asked about", "apart"};

static void pick_cell(const struct pick *pick, enum eval_label said, enum eval_label got)
{
    uint64_t all = pick->confusion->pairs[said][got], step = all > pick->max ? all / pick->max : 1, seen = 0, shown = 0;
    for (size_t i = 0; i < pick->confusion->judged.count && shown < pick->max; i++) {
        const struct eval_judged *judged = &pick->confusion->judged.at[i];
        if (judged->said != said || judged->got != got || seen++ % step != 0)
            continue;
        shown++;
        if (pick->json)
            eval_json_pair(pick->json, pick->people, judged->left, judged->right, label_names[said], got_names[got]);
        else
            eval_show_pair(pick->show, pick->people, judged->left, judged->right, label_names[said], got_names[got]);
    }
}

static void pick_some(const struct pick *pick)
{
    for (enum eval_label said = 0; said < EVAL_LABELS; said++)
        for (enum eval_label got = 0; got < EVAL_LABELS; got++)
            if (said != got && pick->max > 0)
                pick_cell(pick, said, got);
}

void eval_show_confusion(struct cli_show *show, const struct eval_people *people,
                         const struct eval_confusion *confusion, uint64_t misses_max)
{
    static const struct cli_column columns[] = {
        {"label", false, 0, true}, {"linked", true, 0, true}, {"asked about", true, 0, true}, {"apart", true, 0, true}};
    struct cli_table table;
    cli_title(show, "Labelled pairs: %.4f right, %" PRIu64 " rows left out", accuracy(confusion), confusion->left_out);
    cli_table_init(&table, show, columns, 4);
    for (size_t said = 0; said < EVAL_LABELS; said++) {
        cli_cell_text(&table, label_names[said]);
        for (size_t got = 0; got < EVAL_LABELS; got++)
            cli_cellf(&table, "%" PRIu64, confusion->pairs[said][got]);
    }
    cli_table_end(&table, 2);
    pick_some(&(struct pick){.people = people, .confusion = confusion, .show = show, .max = misses_max});
}

void eval_json_confusion(struct json *json, const struct eval_people *people, const struct eval_confusion *confusion,
                         uint64_t misses_max)
{
    static const char *const keys[EVAL_LABELS] = {"linked", "review", "apart"};
    json_object(json, "labels");
    json_f64(json, "accuracy", accuracy(confusion));
    json_u64(json, "left_out", confusion->left_out);
    for (size_t said = 0; said < EVAL_LABELS; said++) {
        json_object(json, label_names[said]);
        for (size_t got = 0; got < EVAL_LABELS; got++)
            json_u64(json, keys[got], confusion->pairs[said][got]);
        json_end(json);
    }
    json_array(json, "misses");
    pick_some(&(struct pick){.people = people, .confusion = confusion, .json = json, .max = misses_max});
    json_end(json);
    json_end(json);
}
