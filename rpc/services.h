/*
 * The handlers of rpc_methods[]: pure translations between protos and the domain rooms.
 */
#pragma once

#include "call.h"

/* service_identity.c */
rpc_handler identity_identify, identity_get_person, identity_find_person, identity_get_history, identity_why,
    identity_list_reviews, identity_get_review, identity_decide, identity_undo, identity_load_people;

/* service_terminology.c */
rpc_handler terminology_lookup, terminology_validate, terminology_translate, terminology_subsumes,
    terminology_list_releases, terminology_load_release, terminology_activate, terminology_rollback,
    terminology_list_work_items;
bool terminology_lookup_may_wait(const void *request);

/* service_routing.c */
rpc_handler routing_reconcile, routing_submit, routing_submit_stream;
void routing_submit_cancelled(struct rpc_call *call);
void routing_stream_cancelled(struct rpc_call *call);
void routing_stream_begun(struct rpc_call *call);
void routing_stream_half_closed(struct rpc_call *call);
void routing_stream_ended(struct rpc_call *call);

/* service_model.c */
rpc_handler admin_get_model, admin_list_models, admin_train_model, admin_what_if_model, admin_activate_model,
    admin_get_blocking, admin_calibrate_model, admin_propose_model, admin_get_model_proposal;

/* service_admin.c, service_trace.c, service_doctor.c */
rpc_handler admin_get_status, admin_get_trace, admin_list_messages, admin_list_routes, admin_test_route,
    admin_apply_routes, admin_list_dead_letters, admin_get_dead_letter, admin_replay_dead_letter, admin_verify_journal,
    admin_get_journal_stats, admin_doctor;
