/* Everybody of some files, in a study. */
#include "eval.h"

#include "base/csv.h"
#include "base/file.h"
#include "people_rows.h"

#include <inttypes.h>

static struct str number_key(struct arena *arena, struct str authority, struct str value)
{
    return arena_printf(arena, "%.*s\x1f%.*s", STR_ARGS(authority), STR_ARGS(value));
}

/* Numbers what is said, from 1; 0 for nothing. */
static uint32_t number_of(struct map *numbers, struct str said)
{
    if (said.len == 0)
        return 0;
    bool added;
    uint64_t *number = map_put(numbers, said, &added);
    if (added)
        *number = numbers->count;
    return (uint32_t)*number;
}

/* Adds the row, unless its number is there already. */
static status add_row(struct cli_run *run, struct eval_people *people, const struct people_row *row)
{
    bool added;
    struct arena_mark mark = arena_mark(run->cx->arena);
    uint64_t *known = map_put(
        &people->by_number,
        number_key(run->cx->arena, row->input.identifiers[0].authority, row->input.identifiers[0].value), &added);
    arena_rewind(run->cx->arena, mark);
    if (!added) {
        people->left_out++;
        return STATUS_OK;
    }
    uint32_t record;
    TRY(mpi_study_add(people->study, run->cx, &row->input, &record));
    *known = record;
    struct str id =
        row->id.len ? arena_str(&people->texts, row->id) : arena_printf(&people->texts, "line %" PRIu64, row->line);
    *VEC_ADD(&people->persons) = (struct eval_person){.id = id,
                                                      .line = row->line,
                                                      .truth = number_of(&people->humans, row->truth),
                                                      .household = number_of(&people->households, row->household),
                                                      .file = people->files};
    return STATUS_OK;
}

static status read_file(struct cli_run *run, const struct people_map *map, const char *path, struct eval_people *people,
                        bool seen[PEOPLE_COLUMNS_MAX])
{
    struct people_rows *rows;
    struct people_row row;
    TRY(people_rows_open(run->cx, path, map, people->files, &rows));
    for (size_t c = 0; c < map->column_count; c++)
        seen[c] |= people_rows_have(rows, c);
    struct cli_progress progress;
    cli_progress_begin(&progress, run, "reading");
    status got = STATUS_OK;
    while (got == STATUS_OK && people_rows_next(rows, &row)) {
        got = add_row(run, people, &row);
        struct people_rows_report at = people_rows_report(rows);
        cli_progress_at(&progress, at.bytes_done, at.bytes_total);
    }
    (void)cli_progress_end(&progress);
    struct people_rows_report report = people_rows_report(rows);
    if (report.left_out)
        cli_say(run, "%s: %" PRIu64 " rows are left out, the first in line %" PRIu64 ": %s", path, report.left_out,
                report.first_line, report.first_what);
    people->left_out += report.left_out;
    people->files++;
    people_rows_close(rows);
    return got;
}

static status read_files(struct cli_run *run, const struct people_map *map, size_t first, struct eval_people *people)
{
    bool seen[PEOPLE_COLUMNS_MAX] = {false};
    for (size_t i = first; i < run->parsed->argument_count; i++)
        TRY(read_file(run, map, cli_argument(run, i), people, seen));
    for (size_t c = 0; c < map->column_count; c++)
        if (!seen[c] && (map->is_strict || (map->truth.count && c == map->truth.at[0])))
            return ctx_fail(run->cx, &people_rows_reason, "no file has the column %.*s", STR_ARGS(map->columns[c]));
    return STATUS_OK;
}

status eval_people_read(struct cli_run *run, const struct people_map *map, size_t first, struct eval_people *out_people)
{
    *out_people = (struct eval_people){.study = mpi_study_new()};
    mpi_study_use_threads(out_people->study, 0);
    arena_init(&out_people->texts, SIZE_MAX);
    return read_files(run, map, first, out_people);
}

void eval_people_fini(struct eval_people *people)
{
    mpi_study_free(people->study);
    arena_fini(&people->texts);
    VEC_FINI(&people->persons);
    map_fini(&people->by_number);
    map_fini(&people->humans);
    map_fini(&people->households);
}

/* ---- the truth of another file ---- */

enum { AUTHORITY, ID, TRUTH, HOUSEHOLD, COLUMNS, NEEDED = HOUSEHOLD };

static void take_truth(struct cli_run *run, struct eval_people *people, const struct csv *csv,
                       const int columns[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i] >= 0 && csv->count <= (size_t)columns[i])
            return;
    struct arena_mark mark = arena_mark(run->cx->arena);
    const uint64_t *record = map_get(
        &people->by_number, number_key(run->cx->arena, csv->fields[columns[AUTHORITY]], csv->fields[columns[ID]]));
    arena_rewind(run->cx->arena, mark);
    if (record == NULL)
        return;
    struct eval_person *person = &people->persons.at[*record - 1];
    person->truth = number_of(&people->humans, csv->fields[columns[TRUTH]]);
    if (columns[HOUSEHOLD] >= 0)
        person->household = number_of(&people->households, csv->fields[columns[HOUSEHOLD]]);
}

status eval_people_read_truth(struct cli_run *run, struct eval_people *people, const char *path, const char *column)
{
    struct str bytes;
    TRY(file_map(run->cx, path, &bytes));
    struct csv *csv = mem_alloc(sizeof *csv);
    struct arena scratch;
    arena_init(&scratch, 0);
    csv_init(csv, bytes, ',', true, &scratch);
    bool has_header = csv_next(csv);
    const int columns[COLUMNS] = {csv_column(csv, "authority"), csv_column(csv, "id"), csv_column(csv, column),
                                  csv_column(csv, "household")};
    bool has_all = has_header;
    for (size_t i = 0; i < NEEDED; i++)
        has_all = has_all && columns[i] >= 0;
    while (has_all && csv_next(csv)) {
        take_truth(run, people, csv, columns);
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
    mem_free(csv);
    file_unmap(bytes);
    return has_all ? STATUS_OK
                   : ctx_fail(run->cx, &people_rows_reason, "%s has no columns authority, id and %s", path, column);
}

status eval_people_read_known(struct cli_run *run, struct people_map *out_map, struct eval_people *out_people)
{
    const char *truth = cli_text(run, "truth"), *truth_file = cli_text(run, "truth-file");
    TRY(people_map_read(run->cx, cli_text(run, "map"), out_map));
    if (truth && !truth_file)
        TRY(people_map_set_truth(run->cx, out_map, str_from(truth)));
    TRY(eval_people_read(run, out_map, 0, out_people));
    return truth_file ? eval_people_read_truth(run, out_people, truth_file, truth ? truth : "person") : STATUS_OK;
}
