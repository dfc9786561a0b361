/*
 * The one writer: reads durable entries in order, applies each to the projections, commits in batches, then answers.
 *
 *   plan      an entry changes the transaction and drafts of index, codes and totals; a refused one takes it all back
 *   commit    the rows of the batch, with applied_seq
 *   publish   inside the commit: readers see all of the batch, in rows and in memory, or nothing
 *
 * Apply is deterministic: time, ids and text come from the entry and the state. The clock here only decides where a
 * batch ends and feeds the timings kept in memory for traces.
 *
 * Damage of the store (a row or page that cannot be read) is never a verdict: while catching up the start ends with its
 * reason, and the store is made again when the journal is whole; in service the process ends and the next start does
 * so.
 */
#include "apply_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "identify.h"

enum { WAIT_MS = 100 };
/* What one entry may take while it is applied: the sum of what limits.h lets it make, with room.
 * tests/engine/limits_test.c tries the products. */
static const size_t APPLY_ENTRY_BYTES_MAX = (size_t)512 << 20;

int64_t (*apply_clock_us)(void) = clock_mono_us;

typedef void apply_kind_fn(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);

void applied_as(struct applied *result, const struct ctx *cx, status got)
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
    applied_as(result, cx, got);
}

static void apply_people(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct mpi_record_input *records;
    size_t count;
    struct identity_work work = identity_work_begin(ap->txn, ap->bounds);
    status got = entry_people_decode(cx, entry->body, &records, &count);
    for (size_t i = 0; i < count && got == STATUS_OK; i++) { /* all or none */
        struct mpi_result one = {0};
        struct arena_mark mark = arena_mark(cx->arena); /* stored records may be large: they must not add up */
        got = identity_work_add(&work, cx, &records[i]);
        if (got == STATUS_OK)
            got = mpi_apply_record(ap->engine->mpi, ap->txn, cx, entry->seq, &records[i], &one);
        if (got == STATUS_OK)
            got = identity_work_check(&work, cx);
        if (got == STATUS_OK)
            ctx_give_back(cx, mark);
        result->people.loaded++;
        result->people.new_persons += one.verdict == MPI_VERDICT_NEW || one.verdict == MPI_VERDICT_REVIEW;
        result->people.linked += one.verdict == MPI_VERDICT_LINKED;
        result->people.reviews += one.review != 0;
    }
    applied_as(result, cx, got);
}

static void apply_codes_register(struct apply *ap, struct ctx *cx, const struct journal_entry *entry,
                                 struct applied *result)
{
    applied_as(result, cx, codes_apply_register(ap->engine->codes, ap->txn, cx, entry->seq, entry->body));
}

static void apply_codes_activate(struct apply *ap, struct ctx *cx, const struct journal_entry *entry,
                                 struct applied *result)
{
    applied_as(result, cx, codes_apply_activate(ap->engine->codes, ap->txn, cx, entry->seq, entry->body));
}

static void apply_model(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct str text, why;
    status got = entry_model_decode(cx, entry->body, &text, &why);
    if (got == STATUS_OK)
        got = mpi_apply_model(ap->engine->mpi, ap->txn, cx, entry->seq, text, why, &result->activated);
    applied_as(result, cx, got);
}

static void apply_routes(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct routes *routes;
    status got = routes_parse(cx, entry->body, entry->seq, &routes);
    applied_as(result, cx, got);
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

static const struct str BOUNDS_KEY = STR_INIT("bounds"); /* absent: ENTRY_BOUNDS_FIRST */

/* Other bounds would refuse what was accepted, or the other way round. */
static void use_bounds(struct apply *ap, uint64_t seq, uint32_t number)
{
    ap->bounds = entry_bounds_get(number);
    if (ap->bounds)
        return;
    log_event(LOG_ERROR, "apply.bounds-unknown", LOG_NUM("seq", seq), LOG_NUM("bounds", number));
    mem_panic("apply", "the journal was written by a newer idem, with other bounds: install the version that wrote it");
}

static void apply_start(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result)
{
    struct entry_start start;
    status got = entry_start_decode(cx, entry->body, &start);
    applied_as(result, cx, got);
    if (got != STATUS_OK)
        return;
    set_clean(ap, false);
    const struct entry_bounds *before = ap->bounds;
    use_bounds(ap, entry->seq, start.bounds);
    if (ap->bounds == before)
        return;
    SCOPED(buf_fini) struct buf row = {0};
    buf_put_u32(&row, start.bounds);
    data_txn_put(ap->txn, ap->engine->meta, BOUNDS_KEY, buf_str(&row));
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
    [ENTRY_MODEL] = apply_model,
};

/* Of the store or of a pack, not of the entry: an entry that says nothing readable is refused like any other bad input.
 */
bool apply_is_damage(const struct applied *result)
{
    return result->status == STATUS_DATA_LOSS && result->reason != &engine_reasons[ENGINE_ENTRY_BAD] &&
           result->reason != &codes_reasons[CODES_BODY_BAD];
}

static struct str keep(struct apply *ap, struct str text)
{
    return text.data ? arena_str(&ap->arena, text) : text;
}

/* What is answered after the commit outlives the entry. */
static void keep_result(struct apply *ap, struct applied *result)
{
    result->detail = keep(ap, result->detail);
    result->answer.ack = keep(ap, result->answer.ack);
    if (result->replayed_count == 0)
        return;
    uint64_t *ids = arena_array(&ap->arena, result->replayed_count, sizeof *ids);
    memcpy(ids, result->replayed, result->replayed_count * sizeof *ids);
    result->replayed = ids;
}

static void apply_entry(struct apply *ap, const struct journal_entry *entry, struct applied *result)
{
    struct ctx cx = {.arena = &ap->entry_arena, .now_us = entry->time_us, .principal = entry->principal};
    *result = (struct applied){.seq = entry->seq};
    if (entry->kind >= ENTRY_KIND_COUNT || kinds[entry->kind] == NULL) {
        /* written by a newer idem: passing over it would make a projection that is silently wrong */
        log_event(LOG_ERROR, "apply.kind-unknown", LOG_NUM("seq", entry->seq), LOG_NUM("kind", entry->kind));
        mem_panic("apply",
                  "the journal holds an entry kind this version does not know: install the version that wrote it");
    }
    size_t rows = data_txn_mark(ap->txn);
    struct mpi_mark people = mpi_mark(ap->engine->mpi);
    kinds[entry->kind](ap, &cx, entry, result);
    if (result->status != STATUS_OK) {
        data_txn_undo_to(ap->txn, rows);
        mpi_undo_to(ap->engine->mpi, people);
    }
    keep_result(ap, result);
    arena_reset(&ap->entry_arena);
    hl7_index_trim(&ap->index, 4 * 1024 * 1024);
}

static void begin_batch(struct apply *ap)
{
    ap->txn = data_txn_begin(ap->engine->store);
    ap->results.count = 0;
    ap->items = NULL;
    ap->items_end = &ap->items;
    ap->feed_bytes = 0;
    ap->moved_low = UINT64_MAX;
    ap->routes_changed = false;
}

/* Inside the commit: no reader is in the store. */
static void publish(void *arg)
{
    struct apply *ap = arg;
    struct engine *engine = ap->engine;
    mpi_publish(engine->mpi);
    codes_publish(engine->codes);
    pthread_mutex_lock(&engine->lock);
    totals_publish(engine);
    engine->applied_seq = ap->last_seq;
    if (ap->moved_low < engine->moved_low)
        engine->moved_low = ap->moved_low;
    if (ap->routes_changed) {
        routes_unref(engine->routes);
        engine->routes = routes_ref(ap->routes);
    }
    pthread_mutex_unlock(&engine->lock);
}

static void tell_lanes(struct apply *ap)
{
    if (ap->live && ap->routes_changed)
        lanes_configure(ap->engine, routes_ref(ap->routes));
    if (ap->items)
        lanes_feed(ap->engine, ap->items);
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

static void end_batch(struct apply *ap)
{
    struct engine *engine = ap->engine;
    totals_store(engine, ap->txn);
    if (engine->options.plant_publish_before_commit)
        publish(ap);
    data_txn_commit(ap->txn, ap->last_seq, publish, ap);
    ap->txn = NULL;
    tell_lanes(ap);
    for (size_t i = 0; i < ap->results.count; i++) {
        struct request *request = take_request(engine, ap->results.at[i].seq);
        if (request)
            request->applied(request, &ap->results.at[i]);
    }
    arena_reset(&ap->arena);
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

static bool has_room(const struct apply *ap, size_t count, size_t bytes, int64_t until_us)
{
    if (count == 0)
        return true;
    size_t made = data_txn_bytes(ap->txn) + ap->arena.used + ap->feed_bytes;
    return count < BATCH_ENTRIES && bytes < BATCH_BYTES && made < BATCH_MADE_BYTES && apply_clock_us() < until_us;
}

/* Nothing of the batch is kept: it is applied again, to a store that is whole. */
static status give_up(struct apply *ap, struct ctx *cx, const struct applied *result)
{
    cx->reason = result->reason;
    cx->detail = result->detail.data ? arena_str(cx->arena, result->detail) : result->detail;
    status got = result->status;
    log_event(LOG_ERROR, "apply.damage", LOG_NUM("seq", result->seq), LOG_WHY(cx));
    data_txn_abort(ap->txn);
    ap->txn = NULL;
    return got;
}

/* Applies what is there, up to one batch; answers how many entries that were. Damage of the store or the journal ends
 * it: `cx` says which. */
static status apply_batch(struct apply *ap, struct ctx *cx, int timeout_ms, size_t *out_count)
{
    struct journal_entry entry;
    size_t count = 0, bytes = 0;
    int64_t until_us = 0;
    while (has_room(ap, count, bytes, until_us)) {
        ctx_clear(cx);
        status got = journal_reader_next(ap->reader, cx, count == 0 ? timeout_ms : 0, &entry);
        if (got == STATUS_NOT_FOUND && cx->reason == NULL)
            break; /* none yet; with a reason it is lost, and waiting would be for ever */
        if (got != STATUS_OK) {
            data_txn_abort(count > 0 ? ap->txn : NULL);
            return got; /* never guess past it */
        }
        if (ap->live)
            wait_announced(ap->engine, entry.seq);
        if (count == 0) {
            begin_batch(ap);
            until_us = apply_clock_us() + BATCH_US;
        }
        struct applied *result = VEC_ADD(&ap->results);
        apply_entry(ap, &entry, result);
        if (apply_is_damage(result))
            return give_up(ap, cx, result);
        bytes += entry.body.len;
        ap->last_seq = entry.seq;
        count++;
    }
    if (count > 0)
        end_batch(ap);
    *out_count = count;
    return STATUS_OK;
}

static status load_bounds(struct apply *ap, struct ctx *cx)
{
    struct str row;
    uint32_t number = ENTRY_BOUNDS_FIRST;
    status got = data_get(ap->engine->meta, cx, BOUNDS_KEY, &row);
    if (got == STATUS_OK) {
        struct cut cut = {row, false};
        number = cut_u32(&cut);
        if (cut.bad || cut.rest.len)
            return ctx_fail(cx, &engine_reasons[ENGINE_ROW_BAD], "engine.meta, bounds");
    } else if (got != STATUS_NOT_FOUND) {
        return got;
    }
    ctx_clear(cx);
    use_bounds(ap, data_applied_seq(ap->engine->store), number);
    return STATUS_OK;
}

static status apply_init(struct apply *ap, struct engine *engine, struct ctx *cx, bool live)
{
    *ap = (struct apply){.engine = engine, .live = live};
    arena_init(&ap->entry_arena, APPLY_ENTRY_BYTES_MAX);
    pthread_mutex_lock(&engine->lock);
    ap->routes = routes_ref(engine->routes);
    pthread_mutex_unlock(&engine->lock);
    TRY(load_bounds(ap, cx));
    return journal_reader_open(engine->journal, cx, data_applied_seq(engine->store) + 1, &ap->reader);
}

static void apply_fini(struct apply *ap)
{
    journal_reader_close(ap->reader);
    routes_unref(ap->routes);
    hl7_index_fini(&ap->index);
    VEC_FINI(&ap->results);
    arena_fini(&ap->entry_arena);
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
    size_t count;
    do
        TRY(apply_batch(&ap, cx, 0, &count));
    while (count > 0);
    return STATUS_OK;
}

/* In service there is nobody to pass damage on to: what was not applied is in the journal, and the next start says what
 * is wrong or puts it right. */
static _Noreturn void stop_for_damage(struct ctx *cx)
{
    log_event(LOG_ERROR, "apply.stops", LOG_WHY(cx), LOG_NAME("next", "start again; then idem doctor"));
    mem_panic("apply", cx->reason ? cx->reason->text : "the journal or the store cannot be read");
}

void *apply_thread_main(void *arg)
{
    struct engine *engine = arg;
    thread_short("apply");
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    SCOPED(apply_fini) struct apply ap;
    if (apply_init(&ap, engine, &cx, true) != STATUS_OK)
        stop_for_damage(&cx);
    for (;;) {
        bool stopping = __atomic_load_n(&engine->apply_stop, __ATOMIC_ACQUIRE);
        size_t count;
        if (apply_batch(&ap, &cx, WAIT_MS, &count) != STATUS_OK)
            stop_for_damage(&cx);
        if (count == 0 && stopping)
            break;
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}
