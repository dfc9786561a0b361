#include "data/bench.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/invariant.h"
#include "base/mem.h"
#include "base/vec.h"
#include "data/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ENTRY_BYTES = 1024, GROUP_BYTES = 64 * 1024, UNDER_WAY = 64, RAW_SPACE_BYTES = 16 * 1024 * 1024 };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void journal_close_at(struct journal **journal)
{
    journal_close(*journal);
}

static void journal_reader_close_at(struct journal_reader **reader)
{
    journal_reader_close(*reader);
}

/* Writes and syncs `len` bytes again and again, from the begin once `space` is full. */
static status raw_rate(struct ctx *cx, const char *path, size_t len, bool overwrite, unsigned seconds,
                       uint64_t *out_per_s)
{
    SCOPED(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char *bytes = mem_alloc(RAW_SPACE_BYTES);
    bool good = fd >= 0;
    if (overwrite)
        good = good && pwrite(fd, bytes, RAW_SPACE_BYTES, 0) == RAW_SPACE_BYTES && fsync(fd) == 0;
    uint64_t done = 0;
    off_t at = 0;
    int64_t began_us = clock_mono_us(), took_us = 0;
    while (good && took_us < (int64_t)seconds * 1000000) {
        good = pwrite(fd, bytes, len, at) == (ssize_t)len && fdatasync(fd) == 0;
        at += (off_t)len;
        if (overwrite && at + (off_t)len > RAW_SPACE_BYTES)
            at = 0;
        done++;
        took_us = clock_mono_us() - began_us;
    }
    mem_free(bytes);
    if (!good)
        return ctx_fail(cx, &file_reason, "write %s: %s", path, strerror(errno));
    *out_per_s = done * 1000000 / (uint64_t)(took_us > 0 ? took_us : 1);
    return STATUS_OK;
}

struct caller {
    struct journal *journal;
    int64_t until_us;
    bool pipelined;
    uint64_t appended;
    status result;
    VEC(uint32_t) waits_us;
    pthread_mutex_t lock;
    pthread_cond_t fewer;
    unsigned under_way;
};

static void on_done(void *arg, status result, uint64_t seq, int64_t time_us)
{
    (void)seq, (void)time_us;
    struct caller *caller = arg;
    pthread_mutex_lock(&caller->lock);
    if (result == STATUS_OK)
        caller->appended++;
    else
        caller->result = result;
    if (caller->under_way-- == UNDER_WAY / 2 || caller->under_way == 0)
        pthread_cond_signal(&caller->fewer);
    pthread_mutex_unlock(&caller->lock);
}

static status append_pipelined(struct caller *caller, struct ctx *cx, struct str body)
{
    pthread_mutex_lock(&caller->lock);
    while (caller->under_way >= UNDER_WAY)
        pthread_cond_wait(&caller->fewer, &caller->lock);
    caller->under_way++;
    pthread_mutex_unlock(&caller->lock);
    status queued = journal_append(caller->journal, cx, 1, STR("bench"), body, on_done, caller);
    if (queued != STATUS_OK)
        on_done(caller, queued, 0, 0);
    return queued;
}

static status append_waiting(struct caller *caller, struct ctx *cx, struct str body)
{
    uint64_t seq;
    int64_t began_us = clock_mono_us();
    TRY(journal_append_wait(caller->journal, cx, 1, STR("bench"), body, &seq));
    *VEC_ADD(&caller->waits_us) = (uint32_t)(clock_mono_us() - began_us);
    caller->appended++;
    return STATUS_OK;
}

static void *run_caller(void *arg)
{
    struct caller *caller = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    static const char bytes[ENTRY_BYTES];
    struct str body = str_make(bytes, sizeof bytes);
    status result = STATUS_OK;
    while (result == STATUS_OK && clock_mono_us() < caller->until_us)
        result = caller->pipelined ? append_pipelined(caller, &cx, body) : append_waiting(caller, &cx, body);
    pthread_mutex_lock(&caller->lock);
    while (caller->under_way > 0)
        pthread_cond_wait(&caller->fewer, &caller->lock);
    if (result != STATUS_OK)
        caller->result = result;
    pthread_mutex_unlock(&caller->lock);
    arena_fini(&arena);
    return NULL;
}

static int by_value(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void sum_waits(struct caller *callers, unsigned threads, struct data_bench_result *result)
{
    VEC(uint32_t) all = {0};
    for (unsigned i = 0; i < threads; i++)
        for (size_t k = 0; k < callers[i].waits_us.count; k++)
            *VEC_ADD(&all) = callers[i].waits_us.at[k];
    if (all.count > 0) {
        qsort(all.at, all.count, sizeof *all.at, by_value);
        result->p50_us = all.at[all.count / 2];
        result->p99_us = all.at[all.count * 99 / 100];
        result->max_us = all.at[all.count - 1];
    }
    VEC_FINI(&all);
}

static status run_callers(struct ctx *cx, struct journal *journal, unsigned threads, unsigned seconds, bool pipelined,
                          struct data_bench_result *result, uint64_t *out_per_s)
{
    struct caller *callers = mem_array(threads, sizeof *callers);
    pthread_t *ids = mem_array(threads, sizeof *ids);
    int64_t began_us = clock_mono_us();
    for (unsigned i = 0; i < threads; i++) {
        callers[i] = (struct caller){
            .journal = journal, .until_us = began_us + (int64_t)seconds * 1000000, .pipelined = pipelined};
        pthread_mutex_init(&callers[i].lock, NULL);
        pthread_cond_init(&callers[i].fewer, NULL);
        if (pthread_create(&ids[i], NULL, run_caller, &callers[i]) != 0)
            mem_panic("bench", "no thread");
    }
    uint64_t appended = 0;
    status failed = STATUS_OK;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        appended += callers[i].appended;
        if (callers[i].result != STATUS_OK)
            failed = callers[i].result;
    }
    int64_t took_us = clock_mono_us() - began_us;
    if (!pipelined)
        sum_waits(callers, threads, result);
    for (unsigned i = 0; i < threads; i++) {
        VEC_FINI(&callers[i].waits_us);
        pthread_mutex_destroy(&callers[i].lock);
        pthread_cond_destroy(&callers[i].fewer);
    }
    mem_free(ids);
    mem_free(callers);
    if (failed != STATUS_OK)
        return ctx_fail(cx, &data_reasons[DATA_JOURNAL_FULL], "while measuring");
    *out_per_s = appended * 1000000 / (uint64_t)took_us;
    return STATUS_OK;
}

static status read_all(struct ctx *cx, struct journal *journal, unsigned seconds, uint64_t *out_per_s)
{
    SCOPED(journal_reader_close_at) struct journal_reader *reader = NULL;
    TRY(journal_reader_open(journal, cx, 1, &reader));
    int64_t began_us = clock_mono_us();
    uint64_t count = 0;
    struct journal_entry entry;
    status read = STATUS_OK;
    while (read == STATUS_OK && (count % 1024 != 0 || clock_mono_us() - began_us < (int64_t)seconds * 1000000)) {
        read = journal_reader_next(reader, cx, 0, &entry);
        count += read == STATUS_OK;
    }
    if (read != STATUS_OK && read != STATUS_NOT_FOUND)
        return read;
    int64_t took_us = clock_mono_us() - began_us;
    *out_per_s = count * 1000000 / (uint64_t)(took_us > 0 ? took_us : 1);
    return STATUS_OK;
}

static status measure(struct ctx *cx, const char *folder, unsigned threads, unsigned seconds,
                      struct data_bench_result *result)
{
    struct str raw = arena_printf(cx->arena, "%s/raw", folder);
    TRY(raw_rate(cx, raw.data, ENTRY_BYTES, false, seconds, &result->raw_append_per_s));
    TRY(raw_rate(cx, raw.data, ENTRY_BYTES, true, seconds, &result->raw_overwrite_per_s));
    TRY(raw_rate(cx, raw.data, GROUP_BYTES, true, seconds, &result->raw_grouped_per_s));
    unlink(raw.data);
    SCOPED(journal_close_at) struct journal *journal = NULL;
    TRY(journal_open(cx, &(struct journal_options){.dir = folder}, &journal));
    TRY(run_callers(cx, journal, threads, seconds, false, result, &result->appends_per_s));
    struct journal_stats stats;
    journal_stats(journal, &stats);
    result->groups = stats.groups;
    result->appended = stats.appended;
    result->entries_per_group = stats.groups ? (double)stats.appended / (double)stats.groups : 0;
    TRY(run_callers(cx, journal, threads, seconds, true, result, &result->pipelined_per_s));
    return read_all(cx, journal, seconds, &result->reads_per_s);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

status data_bench_journal(struct ctx *cx, const char *dir, unsigned threads, unsigned seconds,
                          struct data_bench_result *out_result)
{
    INVARIANT(threads >= 1 && threads <= 256 && seconds >= 1 && seconds <= 60);
    struct str folder = arena_printf(cx->arena, "%s/bench-journal", dir);
    TRY(file_make_dirs(cx, folder.data));
    struct data_bench_result result = {0};
    status measured = measure(cx, folder.data, threads, seconds, &result);
    nftw(folder.data, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    TRY(measured);
    *out_result = result;
    return STATUS_OK;
}
