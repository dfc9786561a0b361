/*
 * The one writer: reads durable entries in order, applies each to the projections, commits in batches, then answers.
 *
 * Apply is deterministic: time, ids and text come from the entry and the state. The only clock here feeds the timings
 * kept in memory for traces.
 */
#include "apply_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    BATCH_ENTRIES = 128,
    BATCH_BYTES = 8 * 1024 * 1024,
    FEED_BYTES_MAX = 256 * 1024, /* larger messages the lanes read from the table, one at a time */
    CHECKPOINT_US = 10 * 1000000,
    RETENTION_US = 60 * 1000000,
    WAIT_MS = 100,
};

typedef void apply_kind_fn(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);

static void note_failure(struct ctx *cx, status got, struct applied *result)
{
    result->status = got;
    result->reason = cx->reason;
    result->detail = cx->detail;
}

static void apply_decision(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct entry_decision decision;
    status got = entry_decision_decode(cx, entry->body, &decision);
    if (got == STATUS_OK)
        got = mpi_apply_steward_decision(ap->engine->mpi, ap->txn, cx, entry->seq, decision.kind, decision.left_record,
                                         decision.right_record, decision.undoes, decision.note, &result->mpi);
    note_failure(cx, got, result);
}

static void apply_people(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct mpi_record_input *records;
    size_t count;
    note_failure(cx, entry_people_decode(cx, entry->body, &records, &count), result);
    if (result->status != STATUS_OK)
        return;
    for (size_t i = 0; i < count; i++) { /* all or none: what the index took in can never be taken back */
        note_failure(cx, mpi_check_record(cx, &records[i]), result);
        if (result->status != STATUS_OK)
            return;
    }
    for (size_t i = 0; i < count; i++) {
        struct mpi_result one = {0};
        size_t mark = data_txn_mark(ap->txn);
        status got = mpi_apply_record(ap->engine->mpi, ap->txn, cx, entry->seq, &records[i], &one);
        if (got != STATUS_OK) { /* a damaged row: the records before it stay */
            data_txn_undo_to(ap->txn, mark);
            result->keeps_rows = true;
            note_failure(cx, got, result);
            return;
        }
        result->people.loaded++;
        result->people.new_persons += one.verdict == MPI_VERDICT_NEW || one.verdict == MPI_VERDICT_REVIEW;
        result->people.linked += one.verdict == MPI_VERDICT_LINKED;
        result->people.reviews += one.review != 0;
    }
}

static void apply_codes_register(struct apply *ap, struct ctx *cx, const struct journal_entry *entry,
                                 struct applied *result)
{
    note_failure(cx, codes_apply_register(ap->engine->codes, ap->txn, cx, entry->seq, entry->body), result);
}

static void apply_codes_activate(struct apply *ap, struct ctx *cx, const struct journal_entry *entry,
                                 struct applied *result)
{
    note_failure(cx, codes_apply_activate(ap->engine->codes, ap->txn, cx, entry->seq, entry->body), result);
}

static void apply_routes(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct routes *routes;
    status got = routes_parse(cx, entry->body, entry->seq, &routes);
    note_failure(cx, got, result);
    if (got != STATUS_OK)
        return;
    struct buf row = {0};
    buf_put_u64(&row, entry->seq);
    buf_put_str(&row, entry->body);
    data_txn_put(ap->txn, ap->engine->meta, STR("routes"), buf_str(&row));
    buf_fini(&row);
    routes_unref(ap->routes);
    ap->routes = routes;
    ap->routes_changed = true;
}

static void set_clean(struct apply *ap, bool clean)
{
    data_txn_put(ap->txn, ap->engine->meta, STR("clean"), clean ? STR("1") : STR("0"));
}

static void apply_start(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    (void)cx, (void)entry, (void)result;
    set_clean(ap, false);
}

static void apply_stop(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    (void)cx, (void)entry, (void)result;
    set_clean(ap, true);
}

static apply_kind_fn *const kinds[ENTRY_KIND_COUNT] = {
    [ENTRY_MESSAGE] = apply_message,
    [ENTRY_DELIVERY] = apply_delivery,
    [ENTRY_DECISION] = apply_decision,
    [ENTRY_PEOPLE] = apply_people,
    [ENTRY_CODES_REGISTER] = apply_codes_register,
    [ENTRY_CODES_ACTIVATE] = apply_codes_activate,
    [ENTRY_ROUTES] = apply_routes,
    [ENTRY_REPLAY] = apply_replay,
    [ENTRY_START] = apply_start,
    [ENTRY_STOP] = apply_stop,
};

static void apply_entry(struct apply *ap, const struct journal_entry *entry, struct applied *result)
{
    struct ctx cx = {
        .arena = &ap->arena, .now_us = entry->time_us, .principal = arena_str(&ap->arena, entry->principal)};
    *result = (struct applied){.seq = entry->seq};
    if (entry->kind >= ENTRY_KIND_COUNT || kinds[entry->kind] == NULL) {
        /* written by a newer idem: passing over it would make a projection that is silently wrong */
        log_event(LOG_ERROR, "apply.kind-unknown", LOG_NUM("seq", entry->seq), LOG_NUM("kind", entry->kind));
        mem_panic("apply",
                  "the journal holds an entry kind this version does not know: install the version that wrote it");
    }
    size_t mark = data_txn_mark(ap->txn);
    struct mpi_mark people = mpi_mark(ap->engine->mpi);
    kinds[entry->kind](ap, &cx, entry, result);
    if (result->status != STATUS_OK && !result->keeps_rows) {
        data_txn_undo_to(ap->txn, mark);
        mpi_undo_to(ap->engine->mpi, people);
    }
    if (!ap->live && result->reason == &codes_reasons[CODES_PACK_DAMAGED]) /* nobody waits who could be told */
        log_event(LOG_ERROR, "apply.pack-missing", LOG_NUM("seq", entry->seq),
                  LOG_NAME("next", "restore the packs folder, discard the store and start again"));
}

void apply_queue(struct apply *ap, struct str destination, struct outbox_key key, const struct outbox_row *row,
                 struct str bytes)
{
    SCOPED(buf_fini) struct buf encoded = {0};
    outbox_row_encode(&encoded, row);
    data_txn_put(ap->txn, ap->engine->outbox, outbox_key(&ap->arena, destination, key), buf_str(&encoded));
    if (!ap->live)
        return; /* the lanes load from the table when they start */
    bool in_table = bytes.data == NULL || bytes.len > FEED_BYTES_MAX;
    struct lane_item *item =
        lane_item_new(destination, key, row->message_seq, row->control_id, in_table ? STR_NONE : bytes);
    item->in_table = in_table;
    *ap->items_end = item;
    ap->items_end = &item->next;
}

static void begin_batch(struct apply *ap)
{
    ap->txn = data_txn_begin(ap->engine->store);
    ap->results.count = 0;
    ap->items = NULL;
    ap->items_end = &ap->items;
    ap->routes_changed = false;
}

static void publish(struct apply *ap, uint64_t seq)
{
    struct engine *engine = ap->engine;
    struct routes *old = NULL;
    pthread_mutex_lock(&engine->lock);
    engine->applied_seq = seq;
    if (ap->routes_changed) {
        old = engine->routes;
        engine->routes = routes_ref(ap->routes);
    }
    pthread_mutex_unlock(&engine->lock);
    routes_unref(old);
    if (ap->live && ap->routes_changed)
        lanes_configure(engine, routes_ref(ap->routes));
    if (ap->items)
        lanes_feed(engine, ap->items);
}

/* The request of this entry, if anybody waits: requests are queued in seq order. */
static struct request *take_request(struct engine *engine, uint64_t seq)
{
    pthread_mutex_lock(&engine->lock);
    struct request *request = engine->requests;
    if (request && request->seq == seq) {
        engine->requests = request->next;
        if (engine->requests == NULL)
            engine->requests_end = &engine->requests;
    } else {
        request = NULL;
    }
    pthread_mutex_unlock(&engine->lock);
    return request;
}

/* Inside the commit: no reader is in the store. */
static void publish_memory(void *arg)
{
    struct engine *engine = arg;
    mpi_publish(engine->mpi);
    codes_publish(engine->codes);
}

static void end_batch(struct apply *ap, uint64_t seq)
{
    struct engine *engine = ap->engine;
    struct ctx cx = {.arena = &ap->arena};
    pthread_mutex_lock(&engine->lock);
    totals_store(engine, &cx, ap->txn);
    pthread_mutex_unlock(&engine->lock);
    pthread_mutex_lock(&engine->commit_lock);
    if (engine->options.plant_publish_before_commit)
        publish_memory(engine);
    data_txn_commit(ap->txn, seq, publish_memory, engine);
    pthread_mutex_unlock(&engine->commit_lock);
    ap->txn = NULL;
    publish(ap, seq);
    for (size_t i = 0; i < ap->results.count; i++) {
        struct request *request = take_request(engine, ap->results.at[i].seq);
        if (request)
            request->applied(request, &ap->results.at[i]);
    }
    arena_reset(&ap->arena);
    hl7_index_trim(&ap->index, 4 * 1024 * 1024);
}

/* Entries are visible a moment before their durable callback ran; whoever waits must be in the queue before we answer.
 */
static void wait_announced(struct engine *engine, uint64_t seq)
{
    pthread_mutex_lock(&engine->lock);
    while (engine->announced_seq < seq)
        pthread_cond_wait(&engine->announced_changed, &engine->lock);
    pthread_mutex_unlock(&engine->lock);
}

/* Applies what is there, up to one batch; answers how many entries that were. */
static size_t apply_batch(struct apply *ap, int timeout_ms)
{
    struct ctx cx = {.arena = &ap->arena};
    struct journal_entry entry;
    size_t count = 0, bytes = 0;
    uint64_t last = 0;
    while (count < BATCH_ENTRIES && bytes < BATCH_BYTES) {
        status got = journal_reader_next(ap->reader, &cx, count == 0 ? timeout_ms : 0, &entry);
        if (got == STATUS_NOT_FOUND)
            break;
        if (got != STATUS_OK)
            mem_panic("apply", "the journal is damaged: run idem journal verify"); /* never guess past it */
        if (ap->live)
            wait_announced(ap->engine, entry.seq);
        if (count == 0)
            begin_batch(ap);
        struct applied *result = VEC_ADD(&ap->results);
        apply_entry(ap, &entry, result);
        bytes += entry.body.len;
        last = entry.seq;
        count++;
    }
    if (count > 0)
        end_batch(ap, last);
    return count;
}

static status apply_init(struct apply *ap, struct engine *engine, struct ctx *cx, bool live)
{
    *ap = (struct apply){.engine = engine, .live = live};
    arena_init(&ap->arena, 0);
    pthread_mutex_lock(&engine->lock);
    ap->routes = routes_ref(engine->routes);
    pthread_mutex_unlock(&engine->lock);
    return journal_reader_open(engine->journal, cx, data_applied_seq(engine->store) + 1, &ap->reader);
}

static void apply_fini(struct apply *ap)
{
    journal_reader_close(ap->reader);
    routes_unref(ap->routes);
    hl7_index_fini(&ap->index);
    VEC_FINI(&ap->results);
    arena_fini(&ap->arena);
}

status apply_catch_up(struct engine *engine, struct ctx *cx)
{
    if (data_applied_seq(engine->store) >= journal_last_seq(engine->journal))
        return STATUS_OK;
    SCOPED(apply_fini) struct apply ap;
    TRY(apply_init(&ap, engine, cx, false));
    log_event(LOG_INFO, "apply.catch-up", LOG_NUM("from", data_applied_seq(engine->store) + 1),
              LOG_NUM("to", journal_last_seq(engine->journal)));
    while (apply_batch(&ap, 0) > 0)
        ;
    return STATUS_OK;
}

void *apply_thread_main(void *arg)
{
    struct engine *engine = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    SCOPED(apply_fini) struct apply ap;
    if (apply_init(&ap, engine, &cx, true) != STATUS_OK)
        mem_panic("apply", "the journal cannot be read from where the store ends");
    int64_t next_checkpoint = clock_mono_us() + CHECKPOINT_US, next_retention = clock_mono_us() + CHECKPOINT_US;
    for (;;) {
        bool stopping = __atomic_load_n(&engine->apply_stop, __ATOMIC_ACQUIRE);
        size_t applied = apply_batch(&ap, WAIT_MS);
        if (applied == 0 && stopping)
            break;
        if (clock_mono_us() < next_checkpoint)
            continue;
        next_checkpoint = clock_mono_us() + CHECKPOINT_US;
        if (data_checkpoint(engine->store, &cx) != STATUS_OK)
            log_event(LOG_WARN, "store.checkpoint", LOG_WHY(&cx));
        if (engine->options.journal_keep_us > 0 && clock_mono_us() >= next_retention) {
            next_retention = clock_mono_us() + RETENTION_US;
            uint64_t freed;
            if (retention_run(engine, &cx, clock_now_us() - engine->options.journal_keep_us, &freed) != STATUS_OK)
                log_event(LOG_WARN, "journal.retention", LOG_WHY(&cx));
        }
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}
