/* Into the journal, and back to whoever waits. */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "engine_internal.h"
#include "hl7v2/ack.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- requests ---- */

static void on_durable(void *arg, status result, uint64_t seq, int64_t time_us)
{
    struct request *request = arg;
    struct engine *engine = request->engine;
    bool waits = request->applied != NULL;
    if (result == STATUS_OK) {
        pthread_mutex_lock(&engine->lock);
        if (waits) {
            request->seq = seq;
            request->next = NULL;
            *engine->requests_end = request;
            engine->requests_end = &request->next;
        }
        pthread_mutex_unlock(&engine->lock);
    }
    if (request->durable) /* an entry that waits for nothing more may free its request here */
        request->durable(request, result, seq, time_us);
    pthread_mutex_lock(&engine->lock);
    engine->appends--;
    if (result == STATUS_OK) {
        engine->announced_seq = seq;
        pthread_cond_signal(&engine->announced_changed);
    }
    pthread_mutex_unlock(&engine->lock);
}

static void count_append(struct engine *engine, bool begins)
{
    pthread_mutex_lock(&engine->lock);
    engine->appends += begins ? 1 : (uint64_t)-1;
    pthread_mutex_unlock(&engine->lock);
}

bool engine_is_settled(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool settled = engine->in_flight == 0 && engine->appends == 0;
    pthread_mutex_unlock(&engine->lock);
    return settled;
}

status engine_append(struct engine *engine, struct ctx *cx, enum entry_kind kind, struct str principal, struct str body,
                     struct request *request)
{
    request->engine = engine;
    count_append(engine, true); /* before: the callback may come first */
    status got = journal_append(engine->journal, cx, (uint16_t)kind, principal, body, on_durable, request);
    if (got != STATUS_OK)
        count_append(engine, false);
    return got;
}

static void on_room(void *arg)
{
    struct engine_room *room = arg;
    struct engine *engine = room->engine;
    room->told(room->arg); /* its owner may be gone from here on */
    count_append(engine, false);
}

bool engine_forget(struct engine *engine, struct engine_room *room)
{
    bool waited = journal_forget(engine->journal, &room->waiter);
    if (waited)
        count_append(engine, false);
    return waited;
}

status engine_offer(struct engine *engine, struct ctx *cx, enum entry_kind kind, struct str principal, struct str body,
                    struct request *request, struct engine_room *room, enum engine_taken *out_taken)
{
    request->engine = engine;
    room->engine = engine;
    room->waiter.room = on_room;
    room->waiter.arg = room;
    count_append(engine, true); /* before: a callback may come first. On FULL on_room() takes it back */
    bool taken = false;
    status got =
        journal_offer(engine->journal, cx, (uint16_t)kind, principal, body, on_durable, request, &room->waiter, &taken);
    if (got != STATUS_OK) {
        count_append(engine, false);
        (void)engine_forget(engine, room);
        return got;
    }
    *out_taken = taken ? ENGINE_TAKEN : ENGINE_FULL;
    return STATUS_OK;
}

/* ---- messages ---- */

/* A message the engine has taken, until its last answer. */
struct taken_message {
    struct request request;
    engine_answer_fn *answered;
    void *arg;
    struct hl7_ack_mode mode;
    const struct reason *bad_header; /* decides the accept acknowledgement */
    bool accept_due;
    struct hl7_header header; /* borrows `head` */
    struct str head;          /* copy of the MSH segment, for acknowledgements built here */
};

static void leave(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->in_flight--;
    pthread_mutex_unlock(&engine->lock);
}

static bool enter(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool open = !engine->closing;
    engine->in_flight += open;
    pthread_mutex_unlock(&engine->lock);
    return open;
}

static void taken_message_ends(struct taken_message *submission)
{
    leave(submission->request.engine);
    mem_free((void *)submission->head.data);
    mem_free(submission);
}

static struct str header_bytes(struct str message)
{
    struct str head = str_sub(message, 0, HL7_HEADER_MAX);
    size_t start = 0;
    while (start < head.len && head.data[start] != 'M')
        start++; /* blanks and marks before MSH */
    for (size_t i = start; i < head.len; i++)
        if (head.data[i] == '\r' || head.data[i] == '\n')
            return str_sub(head, 0, i);
    return head;
}

/* An answer that needs no apply: the accept acknowledgement, or a refusal of our own. */
static void answer_now(struct taken_message *submission, enum hl7_ack_code code, const struct reason *reason,
                       uint64_t seq, int64_t now_us, bool last)
{
    char control_id[32];
    size_t len = (size_t)snprintf(control_id, sizeof control_id, "A%" PRIu64, seq ? seq : (uint64_t)now_us);
    struct hl7_ack ack = {.to = &submission->header,
                          .code = code,
                          .control_id = str_make(control_id, len),
                          .now_us = now_us,
                          .reason = reason};
    struct buf bytes = {0};
    if (code != HL7_ACK_NONE)
        hl7_ack_build(&ack, &bytes);
    struct engine_answer answer = {
        .seq = seq, .ack = buf_str(&bytes), .verdict = "", .reason = reason ? reason->name : "", .last = last};
    snprintf(answer.code, sizeof answer.code, "%s", hl7_ack_code_text(code));
    submission->answered(submission->arg, &answer);
    buf_fini(&bytes);
}

/* At the level the sender listens to: the accept acknowledgement, else the application's, else nothing (table 0155 NE).
 */
static enum hl7_ack_code refusal_code(const struct taken_message *submission, const struct reason *reason)
{
    if (submission->mode.enhanced && hl7_ack_is_due(submission->mode.accept, false))
        return hl7_ack_code_for(reason, true);
    return hl7_ack_is_due(submission->mode.application, false) ? hl7_ack_code_for(reason, false) : HL7_ACK_NONE;
}

static void message_durable(struct request *request, status result, uint64_t seq, int64_t time_us)
{
    struct taken_message *submission = (struct taken_message *)request;
    if (result != STATUS_OK) { /* not stored: say so now, the sender keeps the message */
        const struct reason *full = &data_reasons[DATA_JOURNAL_FULL];
        answer_now(submission, refusal_code(submission, full), full, 0, clock_now_us(), true);
        taken_message_ends(submission);
        return;
    }
    if (!submission->mode.enhanced)
        return;
    bool last = request->applied == NULL;
    enum hl7_ack_code code = submission->accept_due ? hl7_ack_code_for(submission->bad_header, true) : HL7_ACK_NONE;
    if (submission->accept_due || last)
        answer_now(submission, code, submission->bad_header, seq, time_us, last);
    if (last)
        taken_message_ends(submission);
}

static void message_applied(struct request *request, const struct applied *result)
{
    struct taken_message *submission = (struct taken_message *)request;
    submission->answered(submission->arg, &result->answer);
    taken_message_ends(submission);
}

static struct taken_message *taken_message_new(const struct engine_submission *from, engine_answer_fn *answered,
                                               void *arg)
{
    struct taken_message *submission = mem_alloc(sizeof *submission);
    submission->answered = answered;
    submission->arg = arg;
    struct str head = header_bytes(from->message);
    submission->head = str_make(mem_copy(head.data, head.len), head.len);
    hl7_header_read(submission->head, &submission->header);
    /* over gRPC the reply is the application answer, whatever MSH-15 and 16 ask for */
    submission->mode = str_is(from->protocol, "grpc") ? (struct hl7_ack_mode){.application = HL7_ACK_ALWAYS}
                                                      : hl7_ack_mode(&submission->header);
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct hl7_path fault;
    if (hl7_header_check(&cx, &submission->header, &fault) != STATUS_OK)
        submission->bad_header = cx.reason;
    arena_fini(&arena);
    submission->accept_due =
        submission->mode.enhanced && hl7_ack_is_due(submission->mode.accept, submission->bad_header == NULL);
    return submission;
}

static void refuse(struct engine *engine, struct taken_message *submission, const struct reason *reason, bool entered)
{
    submission->request.engine = engine;
    answer_now(submission, refusal_code(submission, reason), reason, 0, clock_now_us(), true);
    if (!entered) {
        pthread_mutex_lock(&engine->lock);
        engine->in_flight++; /* taken_message_ends() takes it back */
        pthread_mutex_unlock(&engine->lock);
    }
    taken_message_ends(submission);
}

/* Into an entry, and to the journal. */
static enum engine_taken offer(struct engine *engine, const struct engine_submission *from,
                               struct taken_message *submission, struct engine_room *room)
{
    struct entry_message entry = {from->source, from->protocol, from->peer, from->message, from->received_us};
    SCOPED(buf_fini) struct buf body = {0};
    buf_reserve(&body, from->message.len + 256);
    entry_message_encode(&body, &entry);
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    enum engine_taken taken = ENGINE_TAKEN;
    if (engine_offer(engine, &cx, ENTRY_MESSAGE, from->principal, buf_str(&body), &submission->request, room, &taken) !=
        STATUS_OK)
        refuse(engine, submission, cx.reason, true);
    else if (taken == ENGINE_FULL)
        taken_message_ends(submission);
    arena_fini(&arena);
    return taken;
}

enum engine_taken engine_submit(struct engine *engine, const struct engine_submission *from, engine_answer_fn *answered,
                                void *arg, struct engine_room *room)
{
    struct taken_message *submission = taken_message_new(from, answered, arg);
    submission->request.engine = engine;
    bool entered = enter(engine);
    if (!entered || BEYOND(LIMIT_MESSAGE_BYTES, from->message.len)) {
        (void)engine_forget(engine, room);
        refuse(engine, submission, &engine_reasons[entered ? ENGINE_TOO_LARGE : ENGINE_CLOSING], entered);
        return ENGINE_TAKEN;
    }
    /* after CE or CR no application acknowledgement follows: the message was never accepted [HL7 2.5.1 2.9.3.2] */
    bool ends_at_accept = submission->accept_due && submission->bad_header;
    bool wants_result =
        !submission->mode.enhanced || (submission->mode.application != HL7_ACK_NEVER && !ends_at_accept);
    submission->request.durable = message_durable;
    submission->request.applied = wants_result ? message_applied : NULL;
    return offer(engine, from, submission, room);
}

/* ---- changes by people ---- */

struct waiting {
    struct request request;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ctx *cx;
    struct applied result;
    bool done;
};

static void wake(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

static void change_durable(struct request *request, status result, uint64_t seq, int64_t time_us)
{
    (void)seq, (void)time_us;
    struct waiting *waiting = (struct waiting *)request;
    if (result == STATUS_OK)
        return;
    waiting->result = (struct applied){.status = result, .reason = &data_reasons[DATA_JOURNAL_FULL]};
    wake(waiting);
}

static void change_applied(struct request *request, const struct applied *result)
{
    struct waiting *waiting = (struct waiting *)request;
    struct arena *arena = waiting->cx->arena; /* the waiter sleeps: its arena is ours for the moment */
    waiting->result = *result;
    waiting->result.detail = arena_str(arena, result->detail);
    if (result->replayed_count) {
        waiting->result.replayed = arena_array(arena, result->replayed_count, sizeof *result->replayed);
        memcpy(waiting->result.replayed, result->replayed, result->replayed_count * sizeof *result->replayed);
    }
    wake(waiting);
}

status engine_change_state(struct engine *engine, struct ctx *cx, enum entry_kind kind, struct str body,
                           struct applied *out_applied)
{
    if (!enter(engine))
        return ctx_fail(cx, &engine_reasons[ENGINE_CLOSING], NULL);
    struct waiting waiting = {.request = {.durable = change_durable, .applied = change_applied}, .cx = cx};
    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.changed, NULL);
    status got = engine_append(engine, cx, kind, cx->principal, body, &waiting.request);
    if (got == STATUS_OK) {
        pthread_mutex_lock(&waiting.lock);
        while (!waiting.done)
            pthread_cond_wait(&waiting.changed, &waiting.lock);
        pthread_mutex_unlock(&waiting.lock);
        got = waiting.result.status;
        if (got != STATUS_OK) {
            cx->reason = waiting.result.reason;
            cx->detail = waiting.result.detail;
        }
    }
    pthread_cond_destroy(&waiting.changed);
    pthread_mutex_destroy(&waiting.lock);
    leave(engine);
    TRY(got);
    *out_applied = waiting.result;
    return STATUS_OK;
}

status engine_decide(struct engine *engine, struct ctx *cx, const struct engine_decision *decision,
                     struct mpi_result *out_result, uint64_t *out_seq)
{
    SCOPED(buf_fini) struct buf body = {0};
    struct entry_decision entry = {decision->kind, decision->left_record, decision->right_record, decision->undoes,
                                   decision->note};
    entry_decision_encode(&body, &entry);
    struct applied applied;
    TRY(engine_change_state(engine, cx, ENTRY_DECISION, buf_str(&body), &applied));
    *out_result = applied.mpi;
    *out_seq = applied.seq;
    return STATUS_OK;
}

status engine_load_people(struct engine *engine, struct ctx *cx, const struct mpi_record_input *records, size_t count,
                          struct engine_people_result *out_result, uint64_t *out_seq)
{
    if (BEYOND(LIMIT_PEOPLE_PER_LOAD, count))
        return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE], "%zu records in one call, at most %d", count,
                        LIMIT_PEOPLE_PER_LOAD);
    for (size_t i = 0; i < count; i++)
        TRY(mpi_check_record(cx, &records[i])); /* a faulty load never becomes an entry */
    SCOPED(buf_fini) struct buf body = {0};
    entry_people_encode(&body, records, count);
    if (BEYOND(LIMIT_MESSAGE_BYTES, body.len))
        return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE], "%zu bytes in one call", body.len);
    struct applied applied;
    TRY(engine_change_state(engine, cx, ENTRY_PEOPLE, buf_str(&body), &applied));
    *out_result = applied.people;
    *out_seq = applied.seq;
    return STATUS_OK;
}

status engine_register_codes(struct engine *engine, struct ctx *cx, const struct codes_registration *registration,
                             uint64_t *out_release)
{
    SCOPED(codes_hold_end) struct codes_hold hold = {0};
    TRY(codes_hold_registration(engine->codes, cx, registration, &hold));
    SCOPED(buf_fini) struct buf body = {0};
    codes_registration_encode(&body, registration);
    struct applied applied;
    TRY(engine_change_state(engine, cx, ENTRY_CODES_REGISTER, buf_str(&body), &applied));
    *out_release = applied.seq;
    return STATUS_OK;
}

status engine_activate_codes(struct engine *engine, struct ctx *cx, uint64_t release, uint64_t *out_seq)
{
    SCOPED(codes_hold_end) struct codes_hold hold = {0};
    TRY(codes_hold_activation(engine->codes, cx, release, &hold));
    SCOPED(buf_fini) struct buf body = {0};
    codes_activation_encode(&body, release);
    struct applied applied;
    TRY(engine_change_state(engine, cx, ENTRY_CODES_ACTIVATE, buf_str(&body), &applied));
    *out_seq = applied.seq;
    return STATUS_OK;
}

status engine_rollback_codes(struct engine *engine, struct ctx *cx, struct str system, uint64_t *out_seq)
{
    SCOPED(codes_hold_end) struct codes_hold hold = {0};
    TRY(codes_hold_rollback(engine->codes, cx, system, &hold));
    SCOPED(buf_fini) struct buf body = {0};
    codes_rollback_encode(&body, system);
    struct applied applied;
    TRY(engine_change_state(engine, cx, ENTRY_CODES_ACTIVATE, buf_str(&body), &applied));
    *out_seq = applied.seq;
    return STATUS_OK;
}

status engine_activate_model(struct engine *engine, struct ctx *cx, struct str text, struct str why,
                             struct mpi_activated *out_activated, uint64_t *out_seq)
{
    if (str_trim(why).len == 0)
        return ctx_fail(cx, &engine_reasons[ENGINE_WHY_MISSING], NULL);
    if (BEYOND(LIMIT_FIELD_VALUE_BYTES, why.len))
        return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE], "a why of %zu bytes, at most %d", why.len,
                        LIMIT_FIELD_VALUE_BYTES);
    struct mpi_model *model;
    TRY(mpi_model_read(cx, text, &model));
    mpi_model_free(model);
    SCOPED(buf_fini) struct buf body = {0};
    entry_model_encode(&body, text, why);
    struct applied applied;
    TRY(engine_change_state(engine, cx, ENTRY_MODEL, buf_str(&body), &applied));
    *out_activated = applied.activated;
    *out_seq = applied.seq;
    return STATUS_OK;
}
