/* idem score: how well the index agrees with people whose truth is known; for made-up data and for trials on a sample.
 */
#include "commands.h"

#include "base/csv.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "mpi/measure.h"

#include <inttypes.h>

enum { TRUTH_BYTES_MAX = 256 * 1024 * 1024 };

struct answers {
    VEC(struct mpi_placed) placed;
    struct map seen; /* authority and id: a truth file may name a record twice */
    uint64_t unknown;
};

/* The person of an identifier, 0 = the index does not know it. */
static status ask_person(struct cli_run *run, struct str authority, struct str value, uint64_t *out_person)
{
    Idem__Identity__V1__Identifier identifier = IDEM__IDENTITY__V1__IDENTIFIER__INIT;
    Idem__Identity__V1__FindPersonRequest ask = IDEM__IDENTITY__V1__FIND_PERSON_REQUEST__INIT;
    identifier.authority = (char *)arena_str(run->cx->arena, authority).data;
    identifier.value = (char *)arena_str(run->cx->arena, value).data;
    ask.identifier = &identifier;
    void *reply;
    status got = cli_call(run, CLI_IDENTITY("FindPerson"), &ask.base, &idem__identity__v1__person__descriptor, &reply);
    if (got == STATUS_NOT_FOUND) {
        *out_person = 0;
        return STATUS_OK;
    }
    TRY(got);
    *out_person = ((Idem__Identity__V1__Person *)reply)->id;
    return STATUS_OK;
}

static status ask_row(struct cli_run *run, const struct csv *csv, const int columns[3], struct answers *answers)
{
    struct str authority = csv->fields[columns[0]], value = csv->fields[columns[1]];
    uint64_t truth, person;
    bool added;
    map_put(&answers->seen, arena_printf(run->cx->arena, "%.*s %.*s", STR_ARGS(authority), STR_ARGS(value)), &added);
    if (!added || !str_to_u64(csv->fields[columns[2]], &truth))
        return STATUS_OK;
    TRY(ask_person(run, authority, value, &person));
    if (person == 0) {
        answers->unknown++;
        return STATUS_OK;
    }
    *VEC_ADD(&answers->placed) =
        (struct mpi_placed){.found = person, .truth = truth, .group = (uint32_t)answers->placed.count};
    return STATUS_OK;
}

static status ask_file(struct cli_run *run, const char *path, struct answers *answers)
{
    SCOPED(buf_fini) struct buf text = {0};
    TRY(file_read(run->cx, path, TRUTH_BYTES_MAX, &text));
    struct csv *csv = mem_alloc(sizeof *csv);
    csv_init(csv, buf_str(&text), ',', true, run->cx->arena);
    status got = STATUS_OK;
    int columns[3] = {-1, -1, -1};
    if (csv_next(csv)) {
        columns[0] = csv_column(csv, "authority");
        columns[1] = csv_column(csv, "id");
        columns[2] = csv_column(csv, "person");
    }
    if (columns[0] < 0 || columns[1] < 0 || columns[2] < 0)
        got = ctx_fail(run->cx, &file_reason, "%s has no columns authority, id and person", path);
    while (got == STATUS_OK && csv_next(csv)) {
        struct arena_mark mark = arena_mark(run->cx->arena);
        bool narrow =
            csv->count <= (size_t)columns[0] || csv->count <= (size_t)columns[1] || csv->count <= (size_t)columns[2];
        got = narrow ? STATUS_OK : ask_row(run, csv, columns, answers);
        if (got == STATUS_OK &&
            answers->placed.count > 1) /* the first call makes the connection, which lives in the arena */
            arena_rewind(run->cx->arena, mark);
    }
    mem_free(csv);
    return got;
}

static void put_score(struct cli_run *run, const struct answers *answers)
{
    struct mpi_agreement score;
    mpi_measure_agreement(answers->placed.at, answers->placed.count, &score);
    double precision = mpi_share(score.pairs_right, score.pairs_found),
           recall = mpi_share(score.pairs_right, score.pairs_true);
    if (run->json) {
        struct json json = {.out = &run->out};
        json_object(&json, NULL);
        json_u64(&json, "records", score.records);
        json_u64(&json, "unknown", answers->unknown);
        json_u64(&json, "pairs_true", score.pairs_true);
        json_u64(&json, "pairs_found", score.pairs_found);
        json_u64(&json, "pairs_right", score.pairs_right);
        json_f64(&json, "precision", precision);
        json_f64(&json, "recall", recall);
        json_end(&json);
        buf_put_byte(&run->out, '\n');
        return;
    }
    char records[32], found[32], right[32], all[32];
    cli_format_count(score.records, records);
    cli_format_count(score.pairs_found, found);
    cli_format_count(score.pairs_right, right);
    cli_format_count(score.pairs_true, all);
    cli_putf(&run->show, CLI_BOLD, "precision %.4f", precision);
    cli_putf(&run->show, CLI_PLAIN, "  %s of %s linked pairs are one human", right, found);
    cli_end_line(&run->show);
    cli_putf(&run->show, CLI_BOLD, "recall    %.4f", recall);
    cli_putf(&run->show, CLI_PLAIN, "  %s of %s pairs of one human are linked", right, all);
    cli_end_line(&run->show);
    cli_putf(&run->show, CLI_DIM, "%s records compared, %" PRIu64 " not in the index", records, answers->unknown);
    cli_end_line(&run->show);
}

static enum cli_exit run_score(struct cli_run *run)
{
    struct answers answers = {0};
    status got = STATUS_OK;
    for (size_t i = 0; got == STATUS_OK && i < run->parsed->argument_count; i++)
        got = ask_file(run, cli_argument(run, i), &answers);
    enum cli_exit exit = CLI_OK;
    if (got != STATUS_OK)
        exit = cli_failed(run, got, NULL);
    else
        put_score(run, &answers);
    map_fini(&answers.seen);
    VEC_FINI(&answers.placed);
    return exit;
}

static const struct cli_argument score_arguments[] = {
    {"FILE", CLI_FILE, false, true, "CSV with the columns authority, id and person: the truth", NULL}, {0}};

const struct cli_command cli_score_commands[] = {
    {.name = "score",
     .arguments = score_arguments,
     .does = "compare the index with the truth: precision and recall over pairs of records",
     .example = "idem score made-up/truth.csv",
     .needs_daemon = true,
     .run = run_score},
    {0}};
