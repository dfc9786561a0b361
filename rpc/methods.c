/* Who may call what, how large, where it runs. Default deny: a row without roles is for every certificate our CA
 * signed. */
#include "base/invariant.h"
#include "base/limits.h"
#include "health.h"
#include "precheck.h"
#include "reflection.h"
#include "services.h"

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "idem/identity/v1/identity.pb-c.h"
#include "idem/routing/v1/routing.pb-c.h"
#include "idem/terminology/v1/terminology.pb-c.h"

enum {
    SMALL = 64 * 1024,        /* a question */
    PEOPLE = 8 * 1024 * 1024, /* 1000 records */
    ROUTES = 4 * 1024 * 1024, /* a route file */
    MODEL = LIMIT_MODEL_BYTES,
    MESSAGE = LIMIT_GRPC_MESSAGE_BYTES,
    TEXT = LIMIT_FIELD_VALUE_BYTES, /* one `string` */
};
enum {
    READ = RPC_ROLE_READER | RPC_ROLE_OPERATOR | RPC_ROLE_STEWARD,
    DECIDE = RPC_ROLE_STEWARD | RPC_ROLE_OPERATOR,
    SEND = RPC_ROLE_SENDER,
    CODES = RPC_ROLE_TERMINOLOGIST,
    CODES_READ = RPC_ROLE_ALL,
    OPERATE = RPC_ROLE_OPERATOR,
};

#define ROW(path_, request_, reply_, style_, roles_, bytes_, text_, handler_)                                          \
    .path = "/" path_, .request = &request_##__descriptor, .reply = &reply_##__descriptor, .style = style_,            \
    .roles = roles_, .request_bytes_max = bytes_, .text_bytes_max = text_, .handle = handler_

#define IDENTITY(method_, request_, reply_, style_, roles_, bytes_, handler_)                                          \
    ROW("idem.identity.v1.Identity/" method_, idem__identity__v1__##request_, idem__identity__v1__##reply_, style_,    \
        roles_, bytes_, TEXT, handler_),                                                                               \
        .needs_engine = true
#define TERMINOLOGY(method_, request_, reply_, style_, roles_, handler_)                                               \
    ROW("idem.terminology.v1.Terminology/" method_, idem__terminology__v1__##request_,                                 \
        idem__terminology__v1__##reply_, style_, roles_, SMALL, TEXT, handler_),                                       \
        .needs_engine = true
#define ROUTING(method_, request_, reply_, style_, handler_)                                                           \
    ROW("idem.routing.v1.Routing/" method_, idem__routing__v1__##request_, idem__routing__v1__##reply_, style_, SEND,  \
        MESSAGE, TEXT, handler_),                                                                                      \
        .needs_engine = true
#define ADMIN(method_, request_, reply_, style_, roles_, bytes_, text_, handler_)                                      \
    ROW("idem.admin.v1.Admin/" method_, idem__admin__v1__##request_, idem__admin__v1__##reply_, style_, roles_,        \
        bytes_, text_, handler_),                                                                                      \
        .needs_engine = true
#define REFLECTION(version_)                                                                                           \
    ROW("grpc.reflection." version_ ".ServerReflection/ServerReflectionInfo",                                          \
        grpc__reflection__v1__server_reflection_request, grpc__reflection__v1__server_reflection_response, RPC_BIDI,   \
        0, SMALL, TEXT, reflection_ask),                                                                               \
        .kind = WIRE_BIDI, .half_closed = reflection_half_closed

const struct rpc_method rpc_methods[] = {
    {IDENTITY("Identify", identify_request, identify_reply, RPC_BLOCKING, READ | SEND, SMALL, identity_identify)},
    {IDENTITY("GetPerson", get_person_request, person, RPC_BLOCKING, READ, SMALL, identity_get_person)},
    {IDENTITY("FindPerson", find_person_request, person, RPC_BLOCKING, READ | SEND, SMALL, identity_find_person)},
    {IDENTITY("GetHistory", get_history_request, history, RPC_BLOCKING, READ, SMALL, identity_get_history)},
    {IDENTITY("Why", why_request, why_reply, RPC_BLOCKING, READ, SMALL, identity_why)},
    {IDENTITY("ListReviews", list_reviews_request, list_reviews_reply, RPC_BLOCKING, READ, SMALL,
              identity_list_reviews),
     .pool = RPC_POOL_LONG},
    {IDENTITY("GetReview", get_review_request, review, RPC_BLOCKING, READ, SMALL, identity_get_review)},
    {IDENTITY("Decide", decide_request, decide_reply, RPC_BLOCKING, DECIDE, SMALL, identity_decide), .audit = true,
     .pool = RPC_POOL_CHANGE},
    {IDENTITY("Undo", undo_request, decide_reply, RPC_BLOCKING, DECIDE, SMALL, identity_undo), .audit = true,
     .pool = RPC_POOL_CHANGE},
    {IDENTITY("LoadPeople", load_people_request, load_people_reply, RPC_BLOCKING, OPERATE, PEOPLE,
              identity_load_people),
     .audit = true, .pool = RPC_POOL_CHANGE},

    {TERMINOLOGY("Lookup", lookup_request, lookup_reply, RPC_INLINE, CODES_READ, terminology_lookup),
     .may_wait = terminology_lookup_may_wait},
    {TERMINOLOGY("Validate", validate_request, validate_reply, RPC_INLINE, CODES_READ, terminology_validate)},
    {TERMINOLOGY("Translate", translate_request, translate_reply, RPC_INLINE, CODES_READ, terminology_translate)},
    {TERMINOLOGY("Subsumes", subsumes_request, subsumes_reply, RPC_INLINE, CODES_READ, terminology_subsumes)},
    {TERMINOLOGY("ListReleases", list_releases_request, list_releases_reply, RPC_INLINE, CODES_READ,
                 terminology_list_releases)},
    {TERMINOLOGY("LoadRelease", load_release_request, load_release_event, RPC_STREAM, CODES, terminology_load_release),
     .kind = WIRE_SERVER_STREAM, .audit = true, .pool = RPC_POOL_LONG},
    {TERMINOLOGY("Activate", activate_request, activate_reply, RPC_BLOCKING, CODES, terminology_activate),
     .audit = true, .pool = RPC_POOL_CODES},
    {TERMINOLOGY("Rollback", rollback_request, activate_reply, RPC_BLOCKING, CODES, terminology_rollback),
     .audit = true, .pool = RPC_POOL_CODES},
    {TERMINOLOGY("ListWorkItems", list_work_items_request, list_work_items_reply, RPC_BLOCKING, CODES | READ,
                 terminology_list_work_items),
     .pool = RPC_POOL_LONG},

    {ROUTING("Reconcile", reconcile_request, reconcile_reply, RPC_BLOCKING, routing_reconcile),
     .pool = RPC_POOL_REHEARSE},
    {ROUTING("Submit", submit_request, submit_reply, RPC_DEFERRED, routing_submit),
     .cancelled = routing_submit_cancelled},
    {ROUTING("SubmitStream", submit_request, submit_reply, RPC_BIDI, routing_submit_stream), .kind = WIRE_BIDI,
     .begun = routing_stream_begun, .half_closed = routing_stream_half_closed, .cancelled = routing_stream_cancelled,
     .ended = routing_stream_ended},

    {ADMIN("GetStatus", get_status_request, status, RPC_BLOCKING, READ, SMALL, TEXT, admin_get_status)},
    {ADMIN("GetTrace", get_trace_request, trace, RPC_BLOCKING, READ, SMALL, TEXT, admin_get_trace), .audit = true},
    {ADMIN("ListMessages", list_messages_request, list_messages_reply, RPC_BLOCKING, READ, SMALL, TEXT,
           admin_list_messages),
     .pool = RPC_POOL_LONG},
    {ADMIN("ListRoutes", list_routes_request, list_routes_reply, RPC_BLOCKING, READ, SMALL, TEXT, admin_list_routes)},
    {ADMIN("TestRoute", test_route_request, test_route_reply, RPC_BLOCKING, OPERATE, MESSAGE, ROUTES, admin_test_route),
     .pool = RPC_POOL_REHEARSE},
    {ADMIN("ApplyRoutes", apply_routes_request, apply_routes_reply, RPC_BLOCKING, OPERATE, ROUTES, ROUTES,
           admin_apply_routes),
     .audit = true, .pool = RPC_POOL_CHANGE},
    {ADMIN("GetModel", get_model_request, model, RPC_BLOCKING, READ, SMALL, TEXT, admin_get_model)},
    {ADMIN("ListModels", list_models_request, list_models_reply, RPC_BLOCKING, READ, SMALL, TEXT, admin_list_models)},
    {ADMIN("TrainModel", train_model_request, model, RPC_BLOCKING, OPERATE, SMALL, TEXT, admin_train_model),
     .audit = true, .pool = RPC_POOL_MODEL},
    {ADMIN("WhatIfModel", what_if_model_request, what_if_model_reply, RPC_BLOCKING, OPERATE, MESSAGE, MODEL,
           admin_what_if_model),
     .pool = RPC_POOL_MODEL},
    {ADMIN("ActivateModel", activate_model_request, activate_model_reply, RPC_BLOCKING, OPERATE, MESSAGE, MODEL,
           admin_activate_model),
     .audit = true, .pool = RPC_POOL_CODES},
    {ADMIN("ProposeModel", propose_model_request, model_proposal, RPC_BLOCKING, OPERATE, SMALL, TEXT,
           admin_propose_model),
     .audit = true, .pool = RPC_POOL_MODEL},
    {ADMIN("GetModelProposal", get_model_proposal_request, model_proposal, RPC_BLOCKING, READ, SMALL, TEXT,
           admin_get_model_proposal)},
    {ADMIN("GetBlocking", get_blocking_request, blocking, RPC_BLOCKING, READ, SMALL, TEXT, admin_get_blocking),
     .pool = RPC_POOL_LONG},
    {ADMIN("CalibrateModel", calibrate_model_request, calibration, RPC_BLOCKING, READ, SMALL, TEXT,
           admin_calibrate_model),
     .pool = RPC_POOL_LONG},
    {ADMIN("ListDeadLetters", list_dead_letters_request, list_dead_letters_reply, RPC_BLOCKING, READ, SMALL, TEXT,
           admin_list_dead_letters),
     .pool = RPC_POOL_LONG},
    {ADMIN("GetDeadLetter", get_dead_letter_request, dead_letter, RPC_BLOCKING, READ, SMALL, TEXT,
           admin_get_dead_letter),
     .audit = true},
    {ADMIN("ReplayDeadLetter", replay_dead_letter_request, replay_reply, RPC_BLOCKING, OPERATE, SMALL, TEXT,
           admin_replay_dead_letter),
     .audit = true, .pool = RPC_POOL_CHANGE},
    {ADMIN("VerifyJournal", verify_journal_request, journal_report, RPC_BLOCKING, READ, SMALL, TEXT,
           admin_verify_journal),
     .pool = RPC_POOL_JOURNAL},
    {ADMIN("GetJournalStats", get_journal_stats_request, journal_stats, RPC_INLINE, READ, SMALL, TEXT,
           admin_get_journal_stats)},
    {ADMIN("Doctor", doctor_request, doctor_reply, RPC_BLOCKING, READ, SMALL, TEXT, admin_doctor),
     .pool = RPC_POOL_JOURNAL},

    {ROW("grpc.health.v1.Health/Check", grpc__health__v1__health_check_request, grpc__health__v1__health_check_response,
         RPC_INLINE, 0, SMALL, TEXT, health_check)},
    {ROW("grpc.health.v1.Health/Watch", grpc__health__v1__health_check_request, grpc__health__v1__health_check_response,
         RPC_DEFERRED, 0, SMALL, TEXT, health_watch),
     .kind = WIRE_SERVER_STREAM, .cancelled = health_watch_cancelled},
    {REFLECTION("v1")},
    {REFLECTION("v1alpha")}, /* the same messages under another package: the same on the wire */
};
const size_t rpc_method_count = sizeof rpc_methods / sizeof rpc_methods[0];

void rpc_methods_check(void)
{
    for (size_t i = 0; i < rpc_method_count; i++)
        INVARIANT(precheck_supports(rpc_methods[i].request));
}
