/* idem send: files of HL7 v2 messages, over gRPC or MLLP, and what was answered. */
#include "commands.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/vec.h"
#include "hl7v2/batch.h"
#include "hl7v2/header.h"
#include "send_job.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, ROWS_MAX = 200, FILE_BYTES_MAX = 1024 * 1024 * 1024 };

/* ---- files into messages ---- */

struct cargo {
    VEC(struct send_item) items;
    VEC(struct buf) files; /* the messages borrow from these */
};

static void free_cargo(struct cargo *cargo)
{
    for (size_t i = 0; i < cargo->files.count; i++)
        buf_fini(&cargo->files.at[i]);
    VEC_FINI(&cargo->files);
    VEC_FINI(&cargo->items);
}

static status add_file(struct ctx *cx, struct cargo *cargo, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct buf bytes = {0};
    status got = file_read(cx, is_stdin ? "/dev/stdin" : path, FILE_BYTES_MAX, &bytes);
    *VEC_ADD(&cargo->files) = bytes;
    TRY(got);
    struct hl7_batch batch;
    struct hl7_batch_item item;
    hl7_batch_init(&batch, buf_str(&bytes));
    while ((got = hl7_batch_next(&batch, cx, &item)) == STATUS_OK)
        *VEC_ADD(&cargo->items) = (struct send_item){.message = item.message, .file = path, .number = item.number};
    return got == STATUS_OUT_OF_RANGE ? STATUS_OK : got;
}

/* ---- workers ---- */

struct send_item *send_take(struct send_job *job)
{
    if (atomic_load(&job->failed))
        return NULL;
    size_t number = atomic_fetch_add(&job->next, 1);
    return number < job->count ? &job->items[number] : NULL;
}

void send_note(struct send_item *item, struct str text)
{
    snprintf(item->reason, sizeof item->reason, "%.*s", (int)(text.len < 95 ? text.len : 95),
             text.len ? text.data : "");
}

struct worker {
    struct send_job *job;
    pthread_t thread;
    struct arena arena;
    struct ctx cx;
    status got;
};

static void *work(void *arg)
{
    struct worker *worker = arg;
    worker->got = worker->job->to ? send_over_mllp(worker->job, &worker->cx) : send_over_grpc(worker->job, &worker->cx);
    if (worker->got != STATUS_OK)
        atomic_store(&worker->job->failed, true);
    return NULL;
}

/* Runs the workers to their end, showing progress; answers the first failure, with its reason in run->cx. */
static status run_workers(struct cli_run *run, struct send_job *job, size_t count, int64_t *out_took_us)
{
    struct worker *workers = mem_array(count, sizeof *workers);
    struct cli_progress progress;
    cli_progress_begin(&progress, run, "send");
    for (size_t i = 0; i < count; i++) {
        arena_init(&workers[i].arena, 0);
        workers[i].job = job;
        workers[i].cx = (struct ctx){.arena = &workers[i].arena};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            mem_panic("idem send", "no thread to be had");
    }
    while (run->talk_is_terminal && !atomic_load(&job->failed) && atomic_load(&job->done) < job->count) {
        cli_progress_at(&progress, atomic_load(&job->done), job->count);
        usleep(20000);
    }
    status got = STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].got != STATUS_OK && got == STATUS_OK) {
            cli_copy_failure(run->cx, &workers[i].cx, workers[i].got);
            got = workers[i].got;
        }
        arena_fini(&workers[i].arena);
    }
    *out_took_us = cli_progress_end(&progress);
    mem_free(workers);
    return got;
}

/* ---- what became of them ---- */

struct tally {
    uint64_t accepted, failed, rejected, unanswered, unsent, duplicates;
};

static bool is_accepted(const struct send_item *item)
{
    return item->state == SEND_ANSWERED && (strcmp(item->ack_code, "AA") == 0 || strcmp(item->ack_code, "CA") == 0);
}

static struct tally count_items(const struct send_job *job)
{
    struct tally tally = {0};
    for (size_t i = 0; i < job->count; i++) {
        const struct send_item *item = &job->items[i];
        tally.duplicates += item->duplicate;
        if (item->state == SEND_NOT_SENT)
            tally.unsent++;
        else if (item->state == SEND_NO_ANSWER)
            tally.unanswered++;
        else if (is_accepted(item))
            tally.accepted++;
        else if (item->ack_code[1] == 'E')
            tally.failed++;
        else
            tally.rejected++;
    }
    return tally;
}

static const char *answer_of(const struct send_item *item)
{
    return item->state == SEND_ANSWERED ? item->ack_code : item->state == SEND_NO_ANSWER ? "no answer" : "not sent";
}

static void put_number(struct cli_table *table, uint64_t number)
{
    if (number)
        cli_cellf(table, "%" PRIu64, number);
    else
        cli_cell_text(table, "-");
}

/* Of many messages only those that need a look. */
static void show_items(struct cli_show *show, const struct send_job *job)
{
    bool only_bad = job->count > ROWS_MAX;
    static const struct cli_column columns[] = {{"file", false, 8, false},  {"n", true, 0, true},
                                                {"type", false, 0, true},   {"control id", false, 8, false},
                                                {"answer", false, 0, true}, {"seq", true, 0, true},
                                                {"person", true, 0, true},  {"verdict", false, 0, true},
                                                {"took", true, 0, true},    {"reason", false, 8, false}};
    struct cli_table table;
    cli_table_init(&table, show, columns, 10);
    size_t rows = 0;
    for (size_t i = 0; i < job->count; i++) {
        const struct send_item *item = &job->items[i];
        if (only_bad && is_accepted(item))
            continue;
        if (rows++ == ROWS_MAX)
            break;
        struct hl7_header header;
        hl7_header_read(item->message, &header);
        const char *slash = strrchr(item->file, '/');
        char took[32] = "";
        if (item->took_us)
            cli_format_span(item->took_us, took);
        cli_cell_text(&table, slash ? slash + 1 : item->file);
        cli_cellf(&table, "%" PRIu32, item->number);
        cli_cellf(&table, "%.*s^%.*s", STR_ARGS(header.type), STR_ARGS(header.trigger));
        cli_cell(&table, CLI_PLAIN, header.control_id);
        cli_cell(&table, is_accepted(item) ? CLI_GREEN : CLI_RED, str_from(answer_of(item)));
        put_number(&table, item->seq);
        put_number(&table, item->person);
        cli_cell_text(&table, item->verdict);
        cli_cell_text(&table, took);
        cli_cellf(&table, "%s%s", item->duplicate ? "repeated; " : "", item->reason);
    }
    cli_table_end(&table, 0);
}

static void put_summary(struct cli_run *run, const struct send_job *job, struct tally tally, int64_t took_us)
{
    char took[32], rate[32];
    cli_format_span(took_us, took);
    double answered = (double)(tally.accepted + tally.failed + tally.rejected);
    cli_format_count(took_us > 0 ? (uint64_t)(answered * 1e6 / (double)took_us) : 0, rate);
    cli_putf(&run->show, CLI_BOLD, "%zu messages: ", job->count);
    cli_putf(&run->show, CLI_GREEN, "%" PRIu64 " AA", tally.accepted);
    cli_putf(&run->show, tally.failed ? CLI_RED : CLI_PLAIN, ", %" PRIu64 " AE", tally.failed);
    cli_putf(&run->show, tally.rejected ? CLI_RED : CLI_PLAIN, ", %" PRIu64 " AR", tally.rejected);
    if (tally.unanswered || tally.unsent)
        cli_putf(&run->show, CLI_RED, ", %" PRIu64 " without answer, %" PRIu64 " not sent", tally.unanswered,
                 tally.unsent);
    if (tally.duplicates)
        cli_putf(&run->show, CLI_PLAIN, ", %" PRIu64 " repeated", tally.duplicates);
    cli_putf(&run->show, CLI_PLAIN, "  in %s, %s/s", took, rate);
    cli_end_line(&run->show);
}

static void put_item_json(struct json *json, const struct send_item *item)
{
    struct hl7_header header;
    hl7_header_read(item->message, &header);
    json_object(json, NULL);
    json_text(json, "file", str_from(item->file));
    json_u64(json, "number", item->number);
    json_text(json, "control_id", header.control_id);
    json_text(json, "answer", str_from(answer_of(item)));
    json_u64(json, "seq", item->seq);
    json_u64(json, "person", item->person);
    json_text(json, "verdict", str_from(item->verdict));
    json_bool(json, "duplicate", item->duplicate);
    json_text(json, "reason", str_from(item->reason));
    json_i64(json, "took_us", item->took_us);
    json_end(json);
}

static void put_json(struct cli_run *run, const struct send_job *job, struct tally tally, int64_t took_us)
{
    struct json json = {.out = &run->out};
    json_object(&json, NULL);
    json_array(&json, "messages");
    for (size_t i = 0; i < job->count && !cli_flag(run, "quiet"); i++)
        put_item_json(&json, &job->items[i]);
    json_end(&json);
    json_object(&json, "summary");
    json_u64(&json, "messages", job->count);
    json_u64(&json, "accepted", tally.accepted);
    json_u64(&json, "failed", tally.failed);
    json_u64(&json, "rejected", tally.rejected);
    json_u64(&json, "unanswered", tally.unanswered);
    json_u64(&json, "not_sent", tally.unsent);
    json_u64(&json, "duplicates", tally.duplicates);
    json_i64(&json, "took_us", took_us);
    json_end(&json);
    json_end(&json);
    buf_put_byte(&run->out, '\n');
}

static const char *advice(const struct send_job *job, const struct tally *tally)
{
    if (tally->unanswered)
        return "send the same files again: idemd answers what it has and takes nothing twice";
    return job->to ? "does the receiving system listen there? check --to, and for mllps:// the certificates" : NULL;
}

static enum cli_exit end_send(struct cli_run *run, struct send_job *job, status got, int64_t took_us)
{
    struct tally tally = count_items(job);
    enum cli_exit exit = tally.accepted == job->count ? CLI_OK : CLI_NEGATIVE;
    if (got != STATUS_OK) {
        bool json = run->json;
        run->json = false; /* the object below tells it all */
        exit = cli_failed(run, got, advice(job, &tally));
        run->json = json;
    }
    if (run->json) {
        put_json(run, job, tally, took_us);
        return exit;
    }
    if (!cli_flag(run, "quiet"))
        show_items(&run->show, job);
    put_summary(run, job, tally, took_us);
    return exit;
}

/* "mllp://host:port", "mllps://host:port" or just "host:port". */
static bool read_address(const char *to, struct send_job *job)
{
    job->tls = strncmp(to, "mllps://", 8) == 0;
    bool is_plain = strncmp(to, "mllp://", 7) == 0;
    job->to = to + (job->tls ? 8 : is_plain ? 7 : 0);
    const char *colon = strrchr(job->to, ':');
    uint64_t port;
    return colon && colon > job->to && !strstr(job->to, "/") && str_to_u64(str_from(colon + 1), &port) && port > 0 &&
           port < 65536;
}

static enum cli_exit run_send(struct cli_run *run)
{
    struct send_job job = {.source = cli_text(run, "source")};
    uint64_t connections = cli_number(run, "connections");
    const char *to = cli_text(run, "to");
    if (to && cli_flag(run, "grpc"))
        return cli_misused(run, "leave one of them out", "--to and --grpc exclude each other");
    if (to && !read_address(to, &job))
        return cli_misused(run, "for example --to mllp://127.0.0.1:2575", "--to \"%s\" is no address", to);
    if (connections == 0 || connections > CONNECTIONS_MAX)
        return cli_misused(run, "one connection keeps the order of the messages", "--connections is outside 1 to %d",
                           (int)CONNECTIONS_MAX);
    status got = cli_target_find(run, &job.target);
    if (got != STATUS_OK)
        return cli_misused(run, NULL, "%.*s", STR_ARGS(ctx_message(run->cx)));

    struct cargo cargo = {0};
    for (size_t i = 0; got == STATUS_OK && i < run->parsed->argument_count; i++)
        got = add_file(run->cx, &cargo, cli_argument(run, i));
    if (got != STATUS_OK || cargo.items.count == 0) {
        free_cargo(&cargo);
        return got != STATUS_OK
                   ? cli_misused(run, "nothing was sent", "%.*s", STR_ARGS(ctx_message(run->cx)))
                   : cli_misused(run, "a message begins with MSH at the start of a line", "no message in these files");
    }
    job.items = cargo.items.at;
    job.count = cargo.items.count;
    int64_t took_us;
    size_t workers = connections < job.count ? (size_t)connections : job.count;
    got = run_workers(run, &job, workers, &took_us);
    enum cli_exit exit = end_send(run, &job, got, took_us);
    free_cargo(&cargo);
    return exit;
}

static const struct cli_argument send_arguments[] = {
    {"FILE", CLI_FILE, false, true,
     "HL7 v2: one message, many, a batch (FHS, BHS) or MLLP frames; - for standard input", NULL},
    {0}};
static const struct cli_option send_options[] = {
    {"to", CLI_TEXT, "ADDRESS", NULL, "over MLLP to mllp://HOST:PORT, or mllps:// with our certificate", NULL},
    {"grpc", CLI_FLAG, NULL, NULL, "over gRPC to the daemon; so it is without --to", NULL},
    {"source", CLI_TEXT, "NAME", "", "gRPC: the sending system, as the routes name it", NULL},
    {"connections", CLI_NUMBER, "N", "1", "so many at once; with more than one the order is not kept", NULL},
    {"quiet", CLI_FLAG, NULL, NULL, "only the summary", NULL},
    {0}};

const struct cli_command cli_send_commands[] = {
    {.name = "send",
     .arguments = send_arguments,
     .options = send_options,
     .does = "send HL7 v2 messages and show what was answered",
     .more =
         "Exit code 0: all were accepted (AA); 1: some were not. The same control id with the same content is answered "
         "again and not taken twice, so sending a file again after a broken connection is safe.",
     .example = "idem send north.hl7 --source north",
     .needs_daemon = true,
     .run = run_send},
    {0}};
