/* Opening in the order in which things depend on each other, and closing in the opposite one. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine_internal.h"
#include "entry_bounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPACE_POLL_US = 200 * 1000 };

const struct data_table_spec engine_tables[] = {
    {.name = "engine.message"}, {.name = "engine.control"}, {.name = "engine.outbox"}, {.name = "engine.delivery"},
    {.name = "engine.dead"},    {.name = "engine.counter"}, {.name = "engine.meta"},
};
const size_t engine_table_count = sizeof engine_tables / sizeof engine_tables[0];

static struct data_options store_options(struct ctx *cx, const struct engine_options *of)
{
    static const char *const grouped[] = {"engine.outbox"}; /* by destination: status.c */
    size_t count = engine_table_count + mpi_table_count + codes_table_count;
    struct data_table_spec *tables = arena_array(cx->arena, count, sizeof *tables);
    memcpy(tables, engine_tables, engine_table_count * sizeof *tables);
    memcpy(tables + engine_table_count, mpi_tables, mpi_table_count * sizeof *tables);
    memcpy(tables + engine_table_count + mpi_table_count, codes_tables, codes_table_count * sizeof *tables);
    return (struct data_options){.dir = of->dir,
                                 .format = ENGINE_STORE_FORMAT,
                                 .cache_bytes = of->store_cache_bytes,
                                 .tables = tables,
                                 .table_count = count,
                                 .grouped = grouped,
                                 .grouped_count = sizeof grouped / sizeof grouped[0]};
}

static status open_store(struct engine *engine, struct ctx *cx)
{
    struct data_options options = store_options(cx, &engine->options);
    return data_open(cx, &options, &engine->store);
}

/* journal_open() checked the last segment; a flipped bit or a hole in an older one must not be served either. Reads the
 * whole journal: about a second for each 500 MB. */
static status verify_journal(struct engine *engine, struct ctx *cx)
{
    struct journal_report report;
    TRY(journal_verify(cx, engine->dir, &report));
    if (report.bad_seq == 0)
        return STATUS_OK;
    return ctx_fail(
        cx, &data_reasons[DATA_JOURNAL_DAMAGED],
        "segment %s: %s at seq %llu; next: idem journal verify --dir DATA, then restore the segment from a copy",
        report.bad_segment, report.bad_why, (unsigned long long)report.bad_seq);
}

static status open_journal(struct engine *engine, struct ctx *cx)
{
    struct journal_options options = {.dir = engine->dir,
                                      .segment_bytes = engine->options.journal_segment_bytes,
                                      .queue_bytes_max = engine->options.journal_queue_bytes,
                                      .known_seq = data_applied_seq(engine->store),
                                      .plant_ack_before_sync = engine->options.plant_ack_before_sync};
    TRY(journal_open(cx, &options, &engine->journal));
    uint64_t applied = data_applied_seq(engine->store), first = journal_first_seq(engine->journal);
    if (applied > journal_last_seq(engine->journal))
        return ctx_fail(
            cx, &data_reasons[DATA_JOURNAL_DAMAGED],
            "the store has seen entry %llu, the journal ends at %llu; restore the journal's folder from its copy",
            (unsigned long long)applied, (unsigned long long)journal_last_seq(engine->journal));
    if (first > applied + 1)
        return ctx_fail(
            cx, &data_reasons[DATA_JOURNAL_DAMAGED],
            "the store ends at entry %llu, the journal begins at %llu; restore the store's folder from its copy",
            (unsigned long long)applied, (unsigned long long)first);
    return verify_journal(engine, cx);
}

static status load_routes(struct engine *engine, struct ctx *cx)
{
    struct str row, text = STR_NONE;
    uint64_t seq = 0;
    status got = data_get(engine->meta, cx, STR("routes"), &row);
    if (got == STATUS_OK) {
        struct cut cut = {row, false};
        seq = cut_u64(&cut);
        text = cut.rest;
    } else if (got != STATUS_NOT_FOUND) {
        return got;
    }
    ctx_clear(cx);
    return routes_parse(cx, text, seq, &engine->routes);
}

static void find_tables(struct engine *engine)
{
    engine->message = data_table(engine->store, "engine.message");
    engine->control = data_table(engine->store, "engine.control");
    engine->outbox = data_table(engine->store, "engine.outbox");
    engine->delivery = data_table(engine->store, "engine.delivery");
    engine->dead = data_table(engine->store, "engine.dead");
    engine->counter = data_table(engine->store, "engine.counter");
    engine->meta = data_table(engine->store, "engine.meta");
}

static status stopped_cleanly(struct engine *engine, struct ctx *cx, bool *out_cleanly)
{
    struct str clean;
    status got = data_get(engine->meta, cx, STR("clean"), &clean);
    if (got == STATUS_OK)
        *out_cleanly = str_is(clean, "1");
    else if (got == STATUS_NOT_FOUND)
        *out_cleanly = journal_last_seq(engine->journal) == 0; /* the first start of all */
    else
        return got;
    ctx_clear(cx);
    return STATUS_OK;
}

static void publish_people(void *arg)
{
    mpi_publish(arg);
}

/* Written by an idem with another general model: its scores are not mixed with ours. */
static status score_anew(struct engine *engine, struct ctx *cx)
{
    if (!mpi_is_stale(engine->mpi))
        return STATUS_OK;
    uint64_t records = mpi_count(engine->mpi).records, seq = data_applied_seq(engine->store);
    if (records > 0)
        log_event(LOG_INFO, "mpi.scores-anew", LOG_NUM("records", records));
    struct ctx own = {.arena = cx->arena, .now_us = clock_now_us()};
    struct data_txn *txn = data_txn_begin(engine->store);
    status got = mpi_rescore(engine->mpi, txn, &own, seq);
    if (got != STATUS_OK) {
        data_txn_abort(txn);
        return ctx_pass(cx, &own, got);
    }
    data_txn_commit(txn, seq, publish_people, engine->mpi);
    return STATUS_OK;
}

static status open_parts(struct engine *engine, struct ctx *cx)
{
    TRY(file_make_dirs(cx, engine->packs_dir));
    TRY(open_store(engine, cx));
    find_tables(engine);
    TRY(open_journal(engine, cx));
    TRY(codes_open(cx, engine->packs_dir, engine->store, &engine->codes));
    TRY(mpi_open(cx, engine->store, &engine->mpi));
    TRY(score_anew(engine, cx));
    TRY(totals_load(engine, cx));
    TRY(load_routes(engine, cx));
    engine->announced_seq = journal_last_seq(engine->journal);
    return apply_catch_up(engine, cx);
}

/* On a full disk it waits as the running daemon does: service comes with the space, and nobody has to start it again.
 */
static status note_start(struct engine *engine, struct ctx *cx)
{
    SCOPED(buf_fini) struct buf body = {0};
    entry_start_encode(&body, &(struct entry_start){ENTRY_BOUNDS_NOW, str_from(engine->options.version)});
    for (unsigned tries = 1;; tries++) {
        struct applied applied;
        status got = engine_change_state(engine, cx, ENTRY_START, buf_str(&body), &applied);
        if (got != STATUS_RESOURCE_EXHAUSTED)
            return got;
        if (tries % 50 == 1)
            log_event(LOG_ERROR, "engine.waits-for-space", LOG_WHY(cx), LOG_NUM("tries", tries));
        ctx_clear(cx);
        usleep(SPACE_POLL_US);
    }
}

static void close_stores(struct engine *engine)
{
    if (engine->journal)
        journal_close(engine->journal);
    if (engine->mpi)
        mpi_close(engine->mpi);
    if (engine->codes)
        codes_close(engine->codes);
    if (engine->store)
        data_close(engine->store);
    routes_unref(engine->routes);
    totals_fini(&engine->counted);
    totals_fini(&engine->shown);
    engine->journal = NULL;
    engine->mpi = NULL;
    engine->codes = NULL;
    engine->store = NULL;
    engine->routes = NULL;
}

/* The journal still has everything: the store can be made again. After retention dropped segments it cannot. */
static bool journal_is_whole(struct engine *engine, struct ctx *cx)
{
    struct str first = arena_printf(cx->arena, "%s/journal/0000000000000001.seg", engine->dir);
    return access(first.data, F_OK) == 0;
}

/* A damaged store is no loss while the journal is whole: it is put away and made again, whoever found the damage. */
static status open_or_rebuild(struct engine *engine, struct ctx *cx)
{
    status got = open_parts(engine, cx);
    bool of_store = got == STATUS_DATA_LOSS && cx->reason != &data_reasons[DATA_JOURNAL_DAMAGED] &&
                    cx->reason != &codes_reasons[CODES_PACK_DAMAGED];
    if (!of_store || !journal_is_whole(engine, cx))
        return got;
    log_event(LOG_ERROR, "store.damaged", LOG_WHY(cx), LOG_NAME("next", "making it again from the journal"));
    close_stores(engine);
    ctx_clear(cx);
    TRY(data_discard(cx, engine->dir));
    return open_parts(engine, cx);
}

static status start_threads(struct engine *engine, struct ctx *cx)
{
    bool cleanly;
    TRY(stopped_cleanly(engine, cx, &cleanly));
    engine->deliver_loop = loop_new();
    engine->lane_set = lanes_new(engine, cleanly ? 0 : journal_last_seq(engine->journal));
    if (pthread_create(&engine->apply_thread, NULL, apply_thread_main, engine) != 0)
        mem_panic("engine", "no thread");
    engine->apply_running = true;
    /* durable before anything is sent: a crash while START is only on its way would look like the clean stop before it,
     * and what was sent until then would be sent again without doubt */
    TRY(note_start(engine, cx));
    lanes_configure(engine, routes_ref(engine->routes));
    if (pthread_create(&engine->deliver_thread, NULL, deliver_thread_main, engine) != 0)
        mem_panic("engine", "no thread");
    engine->deliver_running = true;
    engine->upkeep = upkeep_start(engine);
    return STATUS_OK;
}

/* Everything that was taken in is answered, and the journal owes no callback: what callbacks point to may go then. The
 * wait ends, because the journal answers every append, with success or "no space", and apply runs to its end. */
static void wait_settled(struct engine *engine)
{
    while (!engine_is_settled(engine))
        usleep(1000);
}

static void close_parts(struct engine *engine)
{
    upkeep_stop(engine->upkeep);
    if (engine->apply_running) {
        wait_settled(engine);
        __atomic_store_n(&engine->apply_stop, true, __ATOMIC_RELEASE);
        journal_wake(engine->journal);
        pthread_join(engine->apply_thread, NULL);
    }
    if (engine->deliver_running) {
        loop_stop(engine->deliver_loop);
        pthread_join(engine->deliver_thread, NULL);
    }
    lanes_free(engine->lane_set);
    if (engine->deliver_loop)
        loop_free(engine->deliver_loop);
    close_stores(engine);
    pthread_cond_destroy(&engine->announced_changed);
    pthread_mutex_destroy(&engine->lock);
    mem_free(engine->dir);
    mem_free(engine->packs_dir);
    mem_free(engine);
}

status engine_open(struct ctx *cx, const struct engine_options *options, struct engine **out_engine)
{
    struct engine *engine = mem_alloc(sizeof *engine);
    engine->options = *options;
    engine->started_us = clock_now_us();
    engine->requests_end = &engine->requests;
    engine->moved_low = UINT64_MAX;
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->announced_changed, NULL);
    struct str packs = arena_printf(cx->arena, "%s/packs", options->dir);
    engine->dir = mem_copy(options->dir, strlen(options->dir) + 1);
    engine->packs_dir = mem_copy(packs.data, packs.len + 1);
    status got = open_or_rebuild(engine, cx);
    if (got == STATUS_OK)
        got = start_threads(engine, cx);
    if (got != STATUS_OK) {
        close_parts(engine);
        return got;
    }
    *out_engine = engine;
    return STATUS_OK;
}

static void wait_quiet(struct engine *engine, int grace_ms)
{
    for (int waited = 0; waited < grace_ms; waited += 5) {
        pthread_mutex_lock(&engine->lock);
        bool quiet = engine->in_flight == 0;
        pthread_mutex_unlock(&engine->lock);
        if (quiet)
            return;
        usleep(5000);
    }
}

void engine_close(struct engine *engine, int grace_ms)
{
    if (engine == NULL)
        return;
    pthread_mutex_lock(&engine->lock);
    engine->closing = true;
    pthread_mutex_unlock(&engine->lock);
    wait_quiet(engine, grace_ms);
    if (lanes_stop(engine, grace_ms)) { /* nothing is under way: the next start need not doubt any delivery */
        struct arena arena = {0};
        struct ctx cx = {.arena = &arena};
        uint64_t seq;
        if (journal_append_wait(engine->journal, &cx, ENTRY_STOP, STR_NONE, STR("\x01"), &seq) == STATUS_OK) {
            pthread_mutex_lock(&engine->lock);
            if (engine->announced_seq < seq) /* a late submission may have come behind it already */
                engine->announced_seq = seq;
            pthread_cond_signal(&engine->announced_changed);
            pthread_mutex_unlock(&engine->lock);
        }
        arena_fini(&arena);
    }
    close_parts(engine);
}

struct mpi *engine_mpi(struct engine *engine)
{
    return engine->mpi;
}

struct codes *engine_codes(struct engine *engine)
{
    return engine->codes;
}

struct journal *engine_journal(struct engine *engine)
{
    return engine->journal;
}

struct data_store *engine_store(struct engine *engine)
{
    return engine->store;
}

const char *engine_packs_dir(struct engine *engine)
{
    return engine->packs_dir;
}

void engine_source_connections(struct engine *engine, const char *source, int change)
{
    pthread_mutex_lock(&engine->lock);
    struct source_total *total = totals_shown_source(engine, str_from(source));
    total->connections += change;
    snprintf(total->protocol, sizeof total->protocol, "mllp");
    pthread_mutex_unlock(&engine->lock);
}
