/* The bench of the index: people as `idem gen people` makes them, in this process, over a store of its own. */
#include "bench_people.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "examples/gen.h"
#include "mpi/bench.h"
#include "mpi/study.h"
#include "mpi/train.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { TENTHS = 10, BATCH = 256, QUERIES = 20000, COMPARED_PAIRS = 1000000, SEED = 7 };

/* Processor time of this thread: the figures must not depend on who else uses the machine. */
static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int order_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

void bench_sort(double *times, size_t count)
{
    qsort(times, count, sizeof *times, order_doubles);
}

double bench_of_sorted(const double *times, size_t count, size_t percent)
{
    return count ? times[count * percent / 100] : 0;
}

/* ---- people ---- */

void bench_make_input(const struct gen_record *record, struct bench_made *out)
{
    const char *authority = gen_source_authority(record->source);
    out->identifiers[0] = (struct mpi_identifier){str_from(authority), str_from(record->id), STR("MR")};
    out->identifiers[1] = (struct mpi_identifier){STR("NATID"), str_from(record->national_id), STR("NI")};
    out->name = (struct mpi_name){.family = str_from(record->family),
                                  .given = str_from(record->given),
                                  .middle = str_from(record->middle),
                                  .suffix = str_from(record->suffix)};
    out->phone = str_from(record->phone);
    out->address = (struct mpi_address){str_from(record->line), str_from(record->city), str_from(record->state),
                                        str_from(record->postcode), str_from(record->country)};
    bool has_address = record->line[0] || record->city[0] || record->postcode[0];
    out->input = (struct mpi_record_input){.source = str_from(gen_source_name(record->source)),
                                           .identifiers = out->identifiers,
                                           .identifier_count = record->national_id[0] ? 2 : 1,
                                           .demographics = {.names = &out->name,
                                                            .name_count = record->family[0] || record->given[0],
                                                            .birth_date = record->birth_date,
                                                            .sex = record->sex,
                                                            .phones = &out->phone,
                                                            .phone_count = record->phone[0] != 0,
                                                            .addresses = &out->address,
                                                            .address_count = has_address,
                                                            .mother = {.family = str_from(record->mother_family)}}};
}

/* ---- without a store: a model from these people, and everybody put side by side at once ---- */

static status fill_study(struct ctx *cx, const struct gen *gen, struct mpi_study *study)
{
    for (uint64_t human = 0; human < gen->people; human++) {
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        size_t count = gen_records(gen, human, records);
        for (size_t i = 0; i < count; i++) {
            struct bench_made made;
            uint32_t record;
            bench_make_input(&records[i], &made);
            TRY(mpi_study_add(study, cx, &made.input, &record));
        }
    }
    return STATUS_OK;
}

static void free_study(struct mpi_study **study)
{
    mpi_study_free(*study);
}

/* By the clock: more threads than this one work. */
static double since_us(int64_t from_us)
{
    return (double)(clock_mono_us() - from_us);
}

static double process_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count_pair(void *arg, const struct mpi_study_pair *pair)
{
    (void)pair;
    ++*(uint64_t *)arg;
}

static void run_link(struct bench *bench, struct mpi_study *study)
{
    double records = mpi_study_records(study), cpu_s = process_s();
    int64_t from_us = clock_mono_us();
    mpi_study_link(study, mpi_model_general());
    double took_s = since_us(from_us) / 1e6;
    cpu_s = process_s() - cpu_s;
    uint64_t alike = 0;
    mpi_study_each_pair(study, count_pair, &alike);
    bench_add(bench,
              ROW("identity.link", "s", took_s, .note = "everybody at once, no store, general model; by the clock"));
    bench_add(bench, ROW("  cpu", "s", cpu_s, .note = "processor time of all threads"));
    bench_add(bench, ROW("  records", "records/s", records / took_s, .goal = 16667, .note = "a million in a minute"));
    bench_add(bench, ROW("  pairs", "pairs", (double)mpi_study_compared(study), .note = "that share a key"));
    bench_add(bench, ROW("  pairs-each", "pairs/record", (double)mpi_study_compared(study) / records));
    bench_add(bench, ROW("  pairs-rate", "pairs/s", (double)mpi_study_compared(study) / took_s));
    bench_add(bench, ROW("  alike", "pairs", (double)alike, .note = "from the review threshold on"));
}

static status run_study(struct bench *bench, const struct gen *gen)
{
    SCOPED(free_study) struct mpi_study *study = mpi_study_new();
    mpi_study_use_threads(study, 0);
    TRY(fill_study(bench->run->cx, gen, study));
    run_link(bench, study);
    struct mpi_model *model;
    struct mpi_training training;
    double cpu_s = process_s();
    int64_t from_us = clock_mono_us();
    mpi_study_train(study, &model, &training);
    bench_add(bench, ROW("identity.train", "s", since_us(from_us) / 1e6, .note = "a model from the same people"));
    bench_add(bench, ROW("  cpu", "s", process_s() - cpu_s));
    bench_add(bench, ROW("  pairs", "pairs", (double)training.pairs, .note = "looked at, beside random ones"));
    bench_add(bench, ROW("  patterns", "patterns", training.patterns));
    mpi_study_link(study, mpi_model_general()); /* lets the model go */
    mpi_model_free(model);
    return STATUS_OK;
}

/* ---- over a store ---- */

struct indexed {
    struct ctx *cx;
    struct data_store *store;
    struct mpi *mpi;
    struct data_txn *txn;
    uint64_t seq;
    double publish_us_max;
};

static void publish(void *arg)
{
    struct indexed *indexed = arg;
    double from_us = now_us();
    mpi_publish(indexed->mpi);
    double took_us = now_us() - from_us;
    indexed->publish_us_max = took_us > indexed->publish_us_max ? took_us : indexed->publish_us_max;
}

static void commit(struct indexed *indexed)
{
    mpi_note_changes(indexed->mpi, indexed->txn, indexed->seq);
    data_txn_commit(indexed->txn, indexed->seq, publish, indexed);
    indexed->txn = data_txn_begin(indexed->store);
}

/* As the daemon's writer does it: matched and drafted, every so many of them committed and shown at once. */
static status apply(struct indexed *indexed, const struct mpi_record_input *input, struct mpi_result *out_result)
{
    struct arena_mark mark = arena_mark(indexed->cx->arena);
    status got = mpi_apply_record(indexed->mpi, indexed->txn, indexed->cx, ++indexed->seq, input, out_result);
    arena_rewind(indexed->cx->arena, mark);
    if (got == STATUS_OK && indexed->seq % BATCH == 0)
        commit(indexed);
    return got;
}

struct rate {
    uint64_t records, candidates;
    double us;
};

static status load_humans(struct indexed *indexed, const struct gen *gen, uint64_t from, uint64_t to, struct rate *rate)
{
    for (uint64_t human = from; human < to; human++) {
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        size_t count = gen_records(gen, human, records);
        double from_us = now_us();
        for (size_t i = 0; i < count; i++) {
            struct bench_made made;
            struct mpi_result result;
            bench_make_input(&records[i], &made);
            TRY(apply(indexed, &made.input, &result));
            rate->candidates += result.candidates;
        }
        rate->us += now_us() - from_us;
        rate->records += count;
    }
    return STATUS_OK;
}

static double per_second(struct rate rate)
{
    return rate.us > 0 ? (double)rate.records / rate.us * 1e6 : 0;
}

static status run_load(struct bench *bench, struct indexed *indexed, const struct gen *gen)
{
    static const char *const names[TENTHS] = {"  tenth-1", "  tenth-2", "  tenth-3", "  tenth-4", "  tenth-5",
                                              "  tenth-6", "  tenth-7", "  tenth-8", "  tenth-9", "  tenth-10"};
    static const char *const candidate_names[TENTHS] = {
        "  candidates-1", "  candidates-2", "  candidates-3", "  candidates-4", "  candidates-5",
        "  candidates-6", "  candidates-7", "  candidates-8", "  candidates-9", "  candidates-10"};
    struct rate tenths[TENTHS] = {{0}};
    int64_t from_us = clock_mono_us();
    for (uint64_t i = 0; i < TENTHS; i++) {
        TRY(load_humans(indexed, gen, gen->people * i / TENTHS, gen->people * (i + 1) / TENTHS, &tenths[i]));
        commit(indexed);
        TRY(data_checkpoint(indexed->store, indexed->cx)); /* the daemon has another thread for it: not in the rates */
    }
    double seconds = (double)(clock_mono_us() - from_us) / 1e6;
    bench_add(bench, ROW("identity.load", "records/s", (double)indexed->seq / seconds,
                         .note = "matched, into a store, making them included; by the clock"));
    for (size_t i = 0; i < TENTHS; i++)
        bench_add(bench, ROW(names[i], "records/s", per_second(tenths[i]), .goal = 15000,
                             .note = i ? NULL : "by processor time, making them aside"));
    for (size_t i = 0; i < TENTHS; i++)
        bench_add(bench, ROW(candidate_names[i], "records", (double)tenths[i].candidates / (double)tenths[i].records,
                             .note = i ? NULL : "compared with each that came"));
    if (per_second(tenths[0]) > 0)
        bench_add(bench, ROW("  last-to-first", "times", per_second(tenths[TENTHS - 1]) / per_second(tenths[0])));
    return STATUS_OK;
}

static uint64_t disk_bytes; /* nftw() hands nothing through */
static int add_file(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)path, (void)where;
    if (kind == FTW_F)
        disk_bytes += (uint64_t)info->st_blocks * 512;
    return 0;
}

static void add_sizes(struct bench *bench, struct indexed *indexed, const char *dir)
{
    struct mpi_counts counts = mpi_count(indexed->mpi);
    double records = counts.records ? (double)counts.records : 1;
    disk_bytes = 0;
    nftw(dir, add_file, 16, FTW_PHYS);
    bench_add(bench, ROW("identity.records", "records", (double)counts.records));
    bench_add(bench, ROW("identity.persons", "persons", (double)counts.persons));
    bench_add(bench, ROW("identity.index", "bytes/record", (double)counts.index_bytes / records, .goal = 400,
                         .at_most = true, .note = "in memory"));
    bench_add(bench, ROW("identity.disk", "bytes/record", (double)disk_bytes / records, .goal = 1024, .at_most = true,
                         .note = "the store and its log"));
    bench_add(bench, ROW("identity.compare", "ns", mpi_bench_compare_ns(indexed->mpi, COMPARED_PAIRS, SEED)));
}

const struct gen_record *bench_next_asked(const struct gen *gen, uint64_t i, struct gen_record *records)
{
    uint64_t human = i % 2 ? i * 7919 % gen->people : gen->people + i;
    size_t count = gen_records(gen, human, records);
    return &records[i / 2 % count];
}

static status run_identify(struct bench *bench, struct indexed *indexed, const struct gen *gen, double *times)
{
    for (uint64_t i = 0; i < QUERIES; i++) {
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        struct bench_made made;
        struct mpi_match *matches;
        size_t count;
        bench_make_input(bench_next_asked(gen, i, records), &made);
        struct arena_mark mark = arena_mark(indexed->cx->arena);
        double from_us = now_us();
        TRY(mpi_identify(indexed->mpi, indexed->cx, NULL, 0, &made.input.demographics, 10, &matches, &count));
        times[i] = now_us() - from_us;
        arena_rewind(indexed->cx->arena, mark);
    }
    bench_sort(times, QUERIES);
    bench_add(bench, ROW("identity.identify-p50", "us", bench_of_sorted(times, QUERIES, 50), .goal = 1000,
                         .at_most = true, .note = "in process, by names, dates, phones, places"));
    bench_add(bench,
              ROW("identity.identify-p99", "us", bench_of_sorted(times, QUERIES, 99), .goal = 5000, .at_most = true));
    return STATUS_OK;
}

/* New records: every other one is of somebody who is there, under a number nobody has yet. */
static status run_apply(struct bench *bench, struct indexed *indexed, const struct gen *gen, double *times)
{
    double sum_us = 0, candidates = 0;
    indexed->publish_us_max = 0;
    for (uint64_t i = 0; i < QUERIES; i++) {
        struct gen_record records[GEN_RECORDS_PER_HUMAN];
        char id[32];
        struct bench_made made;
        struct mpi_result result;
        bench_make_input(bench_next_asked(gen, i, records), &made);
        snprintf(id, sizeof id, "BENCH%llu", (unsigned long long)i);
        made.identifiers[0].value = str_from(id);
        double from_us = now_us();
        TRY(apply(indexed, &made.input, &result));
        times[i] = now_us() - from_us;
        sum_us += times[i];
        candidates += result.candidates;
    }
    commit(indexed);
    bench_sort(times, QUERIES);
    bench_add(bench,
              ROW("identity.apply", "us", sum_us / QUERIES, .note = "one more record, its share of a commit too"));
    bench_add(bench, ROW("identity.apply-p99", "us", bench_of_sorted(times, QUERIES, 99)));
    bench_add(bench, ROW("identity.candidates", "records", candidates / QUERIES));
    bench_add(bench, ROW("identity.publish-max", "us", indexed->publish_us_max, .note = "readers wait so long"));
    return STATUS_OK;
}

static status run_indexed(struct bench *bench, struct indexed *indexed, const struct gen *gen, const char *dir,
                          double *times)
{
    TRY(run_load(bench, indexed, gen));
    add_sizes(bench, indexed, dir);
    TRY(run_identify(bench, indexed, gen, times));
    return run_apply(bench, indexed, gen, times);
}

static status run_store(struct bench *bench, const struct gen *gen)
{
    struct ctx *cx = bench->run->cx;
    struct str dir = arena_printf(cx->arena, "%s/identity", bench->dir);
    struct data_options options = {.dir = dir.data, .format = 1, .tables = mpi_tables, .table_count = mpi_table_count};
    struct indexed indexed = {.cx = cx};
    TRY(file_make_dirs(cx, dir.data));
    TRY(data_open(cx, &options, &indexed.store));
    status got = mpi_open(cx, indexed.store, &indexed.mpi);
    if (got == STATUS_OK) {
        double *times = mem_array(QUERIES, sizeof *times);
        indexed.txn = data_txn_begin(indexed.store);
        got = run_indexed(bench, &indexed, gen, dir.data, times);
        data_txn_abort(indexed.txn);
        mpi_close(indexed.mpi);
        mem_free(times);
    }
    data_close(indexed.store);
    return got;
}

void bench_identity(struct bench *bench)
{
    struct gen gen;
    uint64_t most = GEN_PEOPLE_MAX - 2 * QUERIES; /* those who are asked about are beyond them */
    uint64_t people = bench->people < most ? bench->people : most;
    gen_init(&gen, &(struct gen_options){.seed = SEED, .people = (uint32_t)people});
    if (bench_told(bench, "identity", run_study(bench, &gen)) && bench_told(bench, "identity", run_store(bench, &gen)))
        (void)bench_told(bench, "identity", bench_served(bench, &gen));
}
