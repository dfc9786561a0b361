/* Identity: protos to mpi/ and back. Decisions and bulk loads go through the engine, which journals them. */
#include "convert.h"
#include "page.h"
#include "services.h"

#include "base/bounds.h"
#include "base/limits.h"
#include "engine/engine.h"
#include "idem/identity/v1/identity.pb-c.h"
#include <inttypes.h>

static struct mpi *mpi_of(struct rpc_call *call)
{
    return engine_mpi(call->server->engine);
}

status identity_identify(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__IdentifyRequest *asked = request;
    Idem__Identity__V1__IdentifyReply *answer = reply;
    struct mpi_identifier *identifiers;
    TRY(convert_identifiers(cx, asked->identifiers, asked->n_identifiers, &identifiers));
    struct mpi_demographics demographics = {0};
    if (asked->demographics)
        TRY(convert_demographics(cx, asked->demographics, &demographics));
    TRY(rpc_need(cx, asked->n_identifiers > 0 || asked->demographics, "an identifier or demographics"));

    size_t max = page_rows(asked->max, MATCHES_USUAL, MATCHES_MAX);
    struct mpi_match *matches;
    size_t count;
    TRY(mpi_identify(mpi_of(call), cx, identifiers, asked->n_identifiers, &demographics, max + 1, &matches, &count));
    answer->more = count > max;
    count = answer->more ? max : count;
    MESSAGE_LIST(cx, answer, matches, &idem__identity__v1__match__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        answer->matches[i]->person = matches[i].person;
        answer->matches[i]->record = matches[i].record;
        answer->matches[i]->by_identifier = matches[i].by_identifier;
        if (matches[i].comparison.evidence_count > 0)
            answer->matches[i]->comparison = convert_comparison(cx, &matches[i].comparison);
    }
    return STATUS_OK;
}

static status answer_person(struct rpc_call *call, struct ctx *cx, uint64_t number, Idem__Identity__V1__Person *answer)
{
    struct mpi_person_view person;
    TRY(mpi_person(mpi_of(call), cx, number, &person));
    answer->id = person.id;
    answer->asked = person.asked;
    answer->golden = convert_demographics_out(cx, &person.golden);
    MESSAGE_LIST(cx, answer, records, &idem__identity__v1__record__descriptor, person.record_count);
    for (size_t i = 0; i < person.record_count; i++)
        convert_record(cx, &person.records[i], answer->records[i]);
    return STATUS_OK;
}

status identity_get_person(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__GetPersonRequest *asked = request;
    TRY(rpc_need(cx, asked->person != 0, "person"));
    return answer_person(call, cx, asked->person, reply);
}

status identity_find_person(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__FindPersonRequest *asked = request;
    TRY(rpc_need(cx, asked->identifier && asked->identifier->value[0], "identifier.value"));
    uint64_t person, record;
    TRY(mpi_find(mpi_of(call), cx, convert_identifier(asked->identifier), &person, &record));
    return answer_person(call, cx, person, reply);
}

/* A place in a history: "entry.record.nth". */
static bool read_place(struct str text, struct mpi_event *out_place)
{
    struct str part[3];
    uint64_t number[3];
    for (size_t i = 0; i < 3; i++)
        if (!str_split(&text, '.', &part[i]) || !str_to_u64(part[i], &number[i]))
            return false;
    *out_place = (struct mpi_event){.seq = number[0], .record = number[1], .nth = (uint32_t)number[2]};
    return text.len == 0 && number[0] > 0 && number[2] <= UINT32_MAX;
}

status identity_get_history(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__GetHistoryRequest *asked = request;
    Idem__Identity__V1__History *answer = reply;
    TRY(rpc_need(cx, asked->person != 0, "person"));
    struct mpi_event *events;
    size_t count;
    bool older, go_on = asked->before[0] != 0;
    struct mpi_event before;
    TRY(rpc_need(cx, !go_on || read_place(str_from(asked->before), &before), "before, as next_before said it,"));
    TRY(mpi_history(mpi_of(call), cx, asked->person, go_on ? &before : NULL, &events, &count, &older));
    answer->person = asked->person;
    answer->older = older;
    if (older && count > 0)
        answer->next_before = message_text(cx, arena_printf(cx->arena, "%" PRIu64 ".%" PRIu64 ".%" PRIu32,
                                                            events[0].seq, events[0].record, events[0].nth));
    MESSAGE_LIST(cx, answer, events, &idem__identity__v1__event__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        Idem__Identity__V1__Event *event = answer->events[i];
        event->seq = events[i].seq;
        event->time_us = events[i].time_us;
        event->what = message_text(cx, str_from(events[i].what));
        event->record = events[i].record;
        event->person = events[i].person;
        event->other = events[i].other;
        event->by = message_text(cx, events[i].by);
    }
    return STATUS_OK;
}

status identity_why(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__WhyRequest *asked = request;
    Idem__Identity__V1__WhyReply *answer = reply;
    TRY(rpc_need(cx, asked->left_record && asked->right_record, "left_record and right_record"));
    struct mpi_why why;
    TRY(mpi_why(mpi_of(call), cx, asked->left_record, asked->right_record, &why));
    answer->now = convert_comparison(cx, &why.now);
    if (why.stored.evidence_count > 0)
        answer->stored = convert_comparison(cx, &why.stored);
    answer->same_person = why.same_person;
    answer->sentence = message_text(cx, why.sentence);
    return STATUS_OK;
}

static void convert_review(struct ctx *cx, const struct mpi_review *review, Idem__Identity__V1__Review *answer)
{
    static const char *const states[] = {[MPI_REVIEW_OPEN] = "open",
                                         [MPI_REVIEW_SAME] = "same",
                                         [MPI_REVIEW_DIFFERENT] = "different",
                                         [MPI_REVIEW_MOOT] = "moot"};
    answer->id = review->id;
    answer->left_record = review->left_record;
    answer->right_record = review->right_record;
    answer->left_person = review->left_person;
    answer->right_person = review->right_person;
    answer->opened_us = review->opened_us;
    answer->comparison = convert_comparison(cx, &review->comparison);
    answer->state = message_text(cx, str_from(states[review->state]));
    answer->decision = review->decision;
    answer->decided_by = message_text(cx, review->decided_by);
}

status identity_list_reviews(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__ListReviewsRequest *asked = request;
    Idem__Identity__V1__ListReviewsReply *answer = reply;
    size_t max = page_rows(asked->max, REVIEWS_USUAL, REVIEWS_MAX);
    struct mpi_review_page page;
    TRY(mpi_reviews(mpi_of(call), cx, max, asked->after, &page));
    answer->open = mpi_count(mpi_of(call)).reviews_open;
    answer->next_after = page.next;
    MESSAGE_LIST(cx, answer, reviews, &idem__identity__v1__review__descriptor, page.count);
    for (size_t i = 0; i < page.count; i++)
        convert_review(cx, &page.reviews[i], answer->reviews[i]);
    return STATUS_OK;
}

status identity_get_review(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__GetReviewRequest *asked = request;
    Idem__Identity__V1__Review *answer = reply;
    TRY(rpc_need(cx, asked->review != 0, "review"));
    struct mpi_review review;
    TRY(mpi_review(mpi_of(call), cx, asked->review, &review));
    convert_review(cx, &review, answer);
    struct mpi_record_view left, right;
    TRY(mpi_record(mpi_of(call), cx, review.left_record, &left));
    TRY(mpi_record(mpi_of(call), cx, review.right_record, &right));
    answer->left = message_new(cx, &idem__identity__v1__record__descriptor);
    answer->right = message_new(cx, &idem__identity__v1__record__descriptor);
    convert_record(cx, &left, answer->left);
    convert_record(cx, &right, answer->right);
    return STATUS_OK;
}

static status decide(struct rpc_call *call, struct ctx *cx, const struct engine_decision *decision,
                     Idem__Identity__V1__DecideReply *answer)
{
    struct mpi_result result;
    uint64_t seq;
    TRY(engine_decide(call->server->engine, cx, decision, &result, &seq));
    answer->decision = seq;
    answer->person = result.person;
    answer->person_before = result.person_before;
    return STATUS_OK;
}

status identity_decide(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__DecideRequest *asked = request;
    struct engine_decision decision = {
        .kind = asked->same ? MPI_DECISION_SAME : MPI_DECISION_DIFFERENT,
        .left_record = asked->left_record,
        .right_record = asked->right_record,
        .note = str_from(asked->note),
    };
    if (asked->review) {
        struct mpi_review review;
        TRY(mpi_review(mpi_of(call), cx, asked->review, &review));
        if (review.state != MPI_REVIEW_OPEN)
            return ctx_fail(cx, &mpi_reasons[MPI_REVIEW_CLOSED], "review %" PRIu64, review.id);
        decision.left_record = review.left_record;
        decision.right_record = review.right_record;
    }
    TRY(rpc_need(cx, decision.left_record && decision.right_record, "review, or left_record and right_record"));
    return decide(call, cx, &decision, reply);
}

status identity_undo(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__UndoRequest *asked = request;
    TRY(rpc_need(cx, asked->decision != 0, "decision"));
    struct engine_decision decision = {
        .kind = MPI_DECISION_UNDO, .undoes = asked->decision, .note = str_from(asked->note)};
    return decide(call, cx, &decision, reply);
}

status identity_load_people(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Identity__V1__LoadPeopleRequest *asked = request;
    Idem__Identity__V1__LoadPeopleReply *answer = reply;
    TRY(rpc_need(cx, asked->source[0] != 0, "source"));
    if (asked->n_records == 0 || BEYOND(LIMIT_PEOPLE_PER_LOAD, asked->n_records))
        return ctx_fail(cx, &rpc_reasons[RPC_ARGUMENT], "%zu records in one call, 1 to %d can be loaded",
                        asked->n_records, LIMIT_PEOPLE_PER_LOAD);
    struct mpi_record_input *inputs = arena_array(cx->arena, asked->n_records, sizeof *inputs);
    for (size_t i = 0; i < asked->n_records; i++) {
        const Idem__Identity__V1__PersonRecord *record = asked->records[i];
        struct mpi_identifier *identifiers;
        TRY(rpc_need(cx, record->n_identifiers > 0, "an identifier in every record"));
        TRY(convert_identifiers(cx, record->identifiers, record->n_identifiers, &identifiers));
        inputs[i] = (struct mpi_record_input){.source = str_from(asked->source),
                                              .identifiers = identifiers,
                                              .identifier_count = record->n_identifiers,
                                              .person_level = true};
        if (record->demographics)
            TRY(convert_demographics(cx, record->demographics, &inputs[i].demographics));
    }
    struct engine_people_result result;
    uint64_t seq;
    TRY(engine_load_people(call->server->engine, cx, inputs, asked->n_records, &result, &seq));
    answer->seq = seq;
    answer->loaded = result.loaded;
    answer->new_persons = result.new_persons;
    answer->linked = result.linked;
    answer->reviews = result.reviews;
    return STATUS_OK;
}
