/* idem bench: figures of this machine, beside its ceilings and our goals. */
#include "bench.h"
#include "commands.h"

#include "base/clock.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

static const struct {
    const char *name;
    void (*run)(struct bench *bench);
} benches[] = {
    {"machine", bench_machine}, {"journal", bench_journal},
    {"store", bench_store},     {"hl7", bench_hl7},
    {"codes", bench_codes},     {"identity", bench_identity},
    {"lookup", bench_lookup},   {"passthrough", bench_passthrough},
    {"full", bench_full},       {"storm", bench_storm},
};

void bench_add(struct bench *bench, struct bench_row row)
{
    if (bench->row_count < sizeof bench->rows / sizeof bench->rows[0])
        bench->rows[bench->row_count++] = row;
    cli_say(bench->run, "%-28s %14.1f %s", row.name, row.value, row.unit);
}

bool bench_told(struct bench *bench, const char *what, status got)
{
    if (got == STATUS_OK)
        return true;
    cli_say(bench->run, "bench %s: %.*s", what, STR_ARGS(ctx_message(bench->run->cx)));
    ctx_clear(bench->run->cx);
    return false;
}

static bool is_met(const struct bench_row *row)
{
    return row->at_most ? row->value <= row->goal : row->value >= row->goal;
}

static void write_machine(struct json *json)
{
    struct utsname uname_now;
    char model[256] = "unknown", line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        char *at = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;
        if (at == NULL)
            continue;
        snprintf(model, sizeof model, "%.200s", at + 2);
        model[strcspn(model, "\n")] = 0;
        break;
    }
    if (file)
        fclose(file);
    double load[1] = {0};
    json_object(json, "machine");
    json_text(json, "cpu", str_from(model));
    json_u64(json, "cores", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    json_text(json, "kernel", uname(&uname_now) == 0 ? str_from(uname_now.release) : STR("unknown"));
    json_f64(json, "load", getloadavg(load, 1) == 1 ? load[0] : 0);
    char when[28];
    clock_format(clock_now_us(), when);
    json_text(json, "at", str_from(when));
    json_end(json);
}

static void write_json(struct bench *bench)
{
    struct json json = {.out = &bench->run->out};
    json_object(&json, NULL);
    write_machine(&json);
    json_array(&json, "results");
    const char *owner = "";
    for (size_t i = 0; i < bench->row_count; i++) {
        const struct bench_row *row = &bench->rows[i];
        json_object(&json, NULL);
        if (row->name[0] == ' ') { /* a detail of the row above */
            json_text(&json, "name",
                      arena_printf(bench->run->cx->arena, "%s.%s", owner, row->name + strspn(row->name, " ")));
        } else {
            owner = row->name;
            json_text(&json, "name", str_from(row->name));
        }
        json_f64(&json, "value", row->value);
        json_text(&json, "unit", str_from(row->unit));
        if (row->goal > 0) {
            json_f64(&json, "goal", row->goal);
            json_bool(&json, "met", is_met(row));
        }
        if (row->note)
            json_text(&json, "note", str_from(row->note));
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
    buf_put_byte(&bench->run->out, '\n');
}

static void write_table(struct bench *bench)
{
    for (size_t i = 0; i < bench->row_count; i++) {
        const struct bench_row *row = &bench->rows[i];
        buf_printf(&bench->run->out, "%-28s %14.1f %-12s", row->name, row->value, row->unit);
        if (row->goal > 0)
            buf_printf(&bench->run->out, " %s %s %.0f", is_met(row) ? "met " : "MISS",
                       row->at_most ? "<=" : ">=", row->goal);
        if (row->note)
            buf_printf(&bench->run->out, "  %s", row->note);
        buf_put_byte(&bench->run->out, '\n');
    }
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static enum cli_exit run_bench(struct cli_run *run)
{
    const char *what = cli_argument(run, 0) ? cli_argument(run, 0) : "all";
    const char *root = cli_text(run, "dir");
    char dir[1024];
    snprintf(dir, sizeof dir, "%s/idem-bench-XXXXXX", root);
    if (mkdtemp(dir) == NULL)
        return cli_misused(run, "name a folder that can be written with --dir", "%s cannot be written", root);
    struct bench bench = {.run = run,
                          .dir = dir,
                          .messages = cli_number(run, "messages"),
                          .people = cli_number(run, "people"),
                          .stored = cli_number(run, "stored"),
                          .queued = cli_number(run, "queued"),
                          .crowd = cli_number(run, "crowd"),
                          .seconds = (double)cli_number(run, "seconds")};
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        if (strcmp(what, "all") == 0 || strcmp(what, benches[i].name) == 0)
            benches[i].run(&bench);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (run->json)
        write_json(&bench);
    else
        write_table(&bench);
    return bench.row_count ? CLI_OK : CLI_INTERNAL;
}

static const struct cli_argument bench_arguments[] = {
    {"WHAT", CLI_CHOICE, true, false, "which bench; all without it",
     "all|machine|journal|store|hl7|codes|identity|lookup|passthrough|full|storm"},
    {0}};
static const struct cli_option bench_options[] = {
    {"messages", CLI_NUMBER, "N", "40000", "messages of passthrough and full; a part of them for storm", NULL},
    {"people", CLI_NUMBER, "N", "100000", "people of identity and full", NULL},
    {"crowd", CLI_NUMBER, "N", "0", "people in the index before storm begins", NULL},
    {"stored", CLI_NUMBER, "N", "0", "messages in the store before storm begins", NULL},
    {"queued", CLI_NUMBER, "N", "200000", "deliveries that wait while storm asks for the status", NULL},
    {"seconds", CLI_NUMBER, "S", "3", "how long each small bench runs", NULL},
    {"dir", CLI_TEXT, "DIR", "/var/tmp", "where the scratch folder goes; its disk is what is measured", NULL},
    {0}};

const struct cli_command cli_bench_commands[] = {
    {.name = "bench",
     .arguments = bench_arguments,
     .options = bench_options,
     .does = "measure this machine and idem on it",
     .more =
         "Starts daemons of its own on loopback; none needs to run. Figures stand beside the machine's own ceilings "
         "(fdatasync per second, an empty gRPC call) measured in the same run, because machines are noisy.",
     .example = "idem bench passthrough --json",
     .run = run_bench},
    {0}};
