/* idem gen: made-up people, messages and code sets; nothing in them is about anybody. */
#include "commands.h"

#include "base/file.h"
#include "examples/gen.h"

#include <inttypes.h>

static status init(struct cli_run *run, struct gen *out_gen)
{
    struct gen_options options = {.seed = cli_number(run, "seed"), .people = (uint32_t)cli_number(run, "people")};
    TRY(file_make_dirs(run->cx, cli_text(run, "out")));
    gen_init(out_gen, &options);
    return STATUS_OK;
}

static enum cli_exit cannot_write(struct cli_run *run)
{
    return cli_misused(run, "check that the folder can be written", "%.*s", STR_ARGS(ctx_message(run->cx)));
}

static enum cli_exit report(struct cli_run *run, status got, const char *what, uint64_t count)
{
    if (got != STATUS_OK)
        return cannot_write(run);
    if (run->json) {
        struct json json = {.out = &run->out};
        json_object(&json, NULL);
        json_text(&json, "out", str_from(cli_text(run, "out")));
        json_u64(&json, what, count);
        json_end(&json);
        buf_put_byte(&run->out, '\n');
        return CLI_OK;
    }
    char text[32];
    cli_format_count(count, text);
    cli_putf(&run->show, CLI_PLAIN, "%s %s in %s", text, what, cli_text(run, "out"));
    cli_end_line(&run->show);
    return CLI_OK;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : 0;
}

static void put_people_json(struct cli_run *run, const struct gen_people_counts *counts)
{
    const struct gen_ceiling *ceiling = &counts->ceiling;
    struct json json = {.out = &run->out};
    json_object(&json, NULL);
    json_text(&json, "out", str_from(cli_text(run, "out")));
    json_u64(&json, "records", counts->records);
    json_u64(&json, "pairs_true", counts->pairs_true);
    if (ceiling->sample > 0) {
        json_u64(&json, "bare_records", ceiling->bare_records);
        json_u64(&json, "pairs_bare", ceiling->pairs_bare);
        json_u64(&json, "pairs_undecidable", ceiling->pairs_undecidable);
        json_f64(&json, "share_undecidable", share(ceiling->pairs_undecidable, counts->pairs_true));
        json_bool(&json, "estimated", ceiling->sample > 1);
        json_u64(&json, "sampled_one_of", ceiling->sample);
    }
    json_end(&json);
    buf_put_byte(&run->out, '\n');
}

static void put_people(struct cli_run *run, const struct gen_people_counts *counts)
{
    const struct gen_ceiling *ceiling = &counts->ceiling;
    char records[32], pairs[32], bare[32], open[32];
    cli_format_count(counts->records, records);
    cli_format_count(counts->pairs_true, pairs);
    cli_format_count(ceiling->bare_records, bare);
    cli_format_count(ceiling->pairs_undecidable, open);
    cli_putf(&run->show, CLI_PLAIN, "%s records in %s, %s pairs of one human", records, cli_text(run, "out"), pairs);
    cli_end_line(&run->show);
    if (ceiling->sample == 0)
        return;
    cli_putf(&run->show, CLI_PLAIN, "%s records say only name, birth date and sex", bare);
    cli_end_line(&run->show);
    cli_putf(&run->show, CLI_PLAIN, "%s pairs (%.3f %%) nobody could decide: these values are those of several humans",
             open, 100 * share(ceiling->pairs_undecidable, counts->pairs_true));
    cli_end_line(&run->show);
    if (ceiling->sample > 1) {
        cli_putf(&run->show, CLI_DIM, "estimated from one of %" PRIu32 " values", ceiling->sample);
        cli_end_line(&run->show);
    }
}

static bool has_sane_numbers(struct cli_run *run)
{
    return cli_number(run, "people") <= GEN_PEOPLE_MAX;
}

static enum cli_exit run_people(struct cli_run *run)
{
    struct gen gen;
    struct gen_people_options options = {.ceiling = cli_flag(run, "ceiling")};
    struct gen_people_counts counts;
    if (!has_sane_numbers(run))
        return cli_misused(run, "choose a smaller number", "--people is larger than %d", (int)GEN_PEOPLE_MAX);
    status got = init(run, &gen);
    if (got == STATUS_OK)
        got = gen_write_people(run->cx, &gen, cli_text(run, "out"), &options, &counts);
    if (got != STATUS_OK)
        return cannot_write(run);
    if (run->json)
        put_people_json(run, &counts);
    else
        put_people(run, &counts);
    return CLI_OK;
}

static enum cli_exit run_messages(struct cli_run *run)
{
    struct gen gen;
    struct gen_files_options options = {
        .count = cli_number(run, "count"),
        .framed = cli_flag(run, "framed"),
        .big = (uint32_t)cli_number(run, "big"),
    };
    if (!has_sane_numbers(run))
        return cli_misused(run, "choose a smaller number", "--people is larger than %d", (int)GEN_PEOPLE_MAX);
    status got = init(run, &gen);
    if (got == STATUS_OK)
        got = gen_write_messages(run->cx, &gen, cli_text(run, "out"), &options);
    return report(run, got, "messages", options.count);
}

static enum cli_exit run_codes(struct cli_run *run)
{
    status got = file_make_dirs(run->cx, cli_text(run, "out"));
    if (got == STATUS_OK)
        got = gen_write_codes(run->cx, cli_text(run, "out"));
    return report(run, got, "sets", 6);
}

#define OUT_OPTION                                                                                                     \
    {                                                                                                                  \
        "out", CLI_FILE, "DIR", "made-up", "folder for the files; made when absent", NULL                              \
    }
#define SEED_OPTION                                                                                                    \
    {                                                                                                                  \
        "seed", CLI_NUMBER, "N", "1", "the same seed gives the same bytes", NULL                                       \
    }
#define PEOPLE_OPTION                                                                                                  \
    {                                                                                                                  \
        "people", CLI_NUMBER, "N", "5000", "how many humans there are", NULL                                           \
    }

static const struct cli_option people_options[] = {
    OUT_OPTION,
    SEED_OPTION,
    PEOPLE_OPTION,
    {"ceiling", CLI_FLAG, NULL, NULL, "also count the pairs that nobody could decide (takes memory, 1.7 GB at most)",
     NULL},
    {0}};
static const struct cli_option codes_options[] = {OUT_OPTION, {0}};
static const struct cli_option messages_options[] = {
    OUT_OPTION,
    SEED_OPTION,
    PEOPLE_OPTION,
    {"count", CLI_NUMBER, "N", "300", "how many messages", NULL},
    {"framed", CLI_FLAG, NULL, NULL, "as MLLP frames", NULL},
    {"big", CLI_NUMBER, "N", "0", "so many messages of 1 MB more", NULL},
    {0}};

const struct cli_command cli_gen_commands[] = {
    {.group = "gen",
     .name = "people",
     .options = people_options,
     .does = "write made-up people of four sources, and the truth about them",
     .example = "idem gen people --people 100000 --out /tmp/people",
     .run = run_people},
    {.group = "gen",
     .name = "messages",
     .options = messages_options,
     .does = "write made-up HL7 v2 messages about these people",
     .example = "idem gen messages --count 1000 --out /tmp/messages",
     .run = run_messages},
    {.group = "gen",
     .name = "codes",
     .options = codes_options,
     .does = "write small made-up code sets in the layout of the real releases, and two local maps",
     .example = "idem gen codes --out /tmp/codes",
     .run = run_codes},
    {0}};
