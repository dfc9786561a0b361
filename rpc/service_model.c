/* Admin: models of who is alike. Training and what-if look at a copy of the index, so that nobody waits for them. */
#include "page.h"
#include "services.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "mpi/blocking.h"
#include "mpi/calibrate.h"
#include "mpi/train.h"
#include "mpi/whatif.h"
#include "proposer.h"
#include "rpc/told.h"
#include "service_model.h"

void service_tell_model(struct ctx *cx, const struct mpi_model *model, uint32_t version, Idem__Admin__V1__Model *answer)
{
    struct mpi_model_about about = mpi_model_about(model);
    SCOPED(buf_fini) struct buf text = {0};
    mpi_model_write(model, &text);
    answer->version = version;
    answer->name = message_text(cx, about.name);
    answer->made_at = message_text(cx, about.made_at);
    answer->records = about.records;
    answer->persons = about.persons;
    answer->auto_mbit = about.auto_mbit;
    answer->review_mbit = about.review_mbit;
    answer->wrong_cost = mpi_model_costs(model).wrong;
    answer->missed_cost = mpi_model_costs(model).missed;
    answer->text = message_text(cx, buf_str(&text));
}

status service_read_model(struct rpc_server *server, struct ctx *cx, uint32_t version, struct mpi_model **out_model,
                          uint32_t *out_version)
{
    struct str text;
    TRY(mpi_model_text(engine_mpi(server->engine), cx, version, &text, out_version));
    return mpi_model_read(cx, text, out_model);
}

/* Of the active one only: the others are not what the people here are compared by. */
static status tell_drift(struct rpc_call *call, struct ctx *cx, Idem__Admin__V1__Model *answer)
{
    struct mpi_drift drift;
    TRY(proposer_drift(call->server->proposer, cx, &drift));
    if (drift.version != answer->version)
        return STATUS_OK;
    answer->drifted = drift.cause != MPI_DRIFT_NONE;
    answer->drift = message_text(cx, mpi_drift_text(cx, &drift));
    return STATUS_OK;
}

status admin_get_model(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__GetModelRequest *asked = request;
    struct mpi_model *model;
    uint32_t version;
    TRY(service_read_model(call->server, cx, asked->version, &model, &version));
    service_tell_model(cx, model, version, reply);
    mpi_model_free(model);
    return tell_drift(call, cx, reply);
}

status admin_list_models(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__ListModelsRequest *asked = request;
    Idem__Admin__V1__ListModelsReply *answer = reply;
    struct mpi_activation_row *rows;
    size_t count;
    TRY(mpi_activations(engine_mpi(call->server->engine), cx, asked->before,
                        page_rows(asked->max, MODELS_USUAL, MODELS_MAX), &rows, &count, &answer->next_before));
    MESSAGE_LIST(cx, answer, activations, &idem__admin__v1__model_activation__descriptor, count);
    for (size_t i = 0; i < count; i++) {
        Idem__Admin__V1__ModelActivation *row = answer->activations[i];
        row->seq = rows[i].seq;
        row->version = rows[i].version;
        row->time_us = rows[i].time_us;
        row->name = message_text(cx, rows[i].name);
        row->by = message_text(cx, rows[i].by);
        row->why = message_text(cx, rows[i].why);
    }
    return STATUS_OK;
}

/* ---- of the index as it is ---- */

status admin_get_blocking(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    struct mpi_blocking *blocking = arena_alloc(cx->arena, sizeof *blocking);
    TRY(mpi_blocking(engine_mpi(call->server->engine), cx, blocking));
    rpc_tell_blocking(cx, blocking, reply);
    return STATUS_OK;
}

status admin_calibrate_model(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    Idem__Admin__V1__Calibration *answer = reply;
    struct mpi *mpi = engine_mpi(call->server->engine);
    struct mpi_reviewed reviewed;
    TRY(mpi_calibrate(mpi, cx, &reviewed));
    rpc_tell_calibration(cx, &reviewed, answer);
    answer->version = mpi_model_version(mpi);
    return STATUS_OK;
}

/* ---- on a copy ---- */

struct copy {
    struct mpi_study *study;
    struct mpi_model *models[2]; /* the study may look through them */
    struct mpi_whatif whatif;
};

static void copy_fini(struct copy *copy)
{
    mpi_study_free(copy->study);
    mpi_model_free(copy->models[0]);
    mpi_model_free(copy->models[1]);
    mpi_whatif_fini(&copy->whatif);
}

static status copy_begin(struct rpc_call *call, struct ctx *cx, enum mpi_copied copied, struct copy *out_copy)
{
    out_copy->study = mpi_study_new();
    return mpi_study_copy(out_copy->study, cx, engine_mpi(call->server->engine), copied);
}

status admin_train_model(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__TrainModelRequest *asked = request;
    SCOPED(copy_fini) struct copy copy = {0};
    struct mpi_training training;
    struct mpi_making making = {str_from(asked->name),
                                clock_now_us(),
                                {.wrong = (double)asked->wrong_cost, .missed = (double)asked->missed_cost}};
    TRY(mpi_model_check_name(cx, making.name));
    TRY(copy_begin(call, cx, MPI_COPY_MATCHED, &copy));
    TRY(mpi_study_make_model(copy.study, cx, &making, &copy.models[0], &training));
    Idem__Admin__V1__Model *answer = reply;
    service_tell_model(cx, copy.models[0], 0, answer);
    answer->training = message_new(cx, &idem__admin__v1__training__descriptor);
    rpc_tell_training(cx, &training, answer->training);
    return STATUS_OK;
}

status admin_what_if_model(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__WhatIfModelRequest *asked = request;
    SCOPED(copy_fini) struct copy copy = {0};
    uint32_t version;
    TRY(mpi_model_read(cx, str_from(asked->text), &copy.models[1]));
    TRY(service_read_model(call->server, cx, 0, &copy.models[0], &version));
    TRY(copy_begin(call, cx, MPI_COPY_ALL, &copy));
    TRY(mpi_study_whatif(copy.study, cx, copy.models[0], copy.models[1], &copy.whatif));
    ((Idem__Admin__V1__WhatIfModelReply *)reply)->records = mpi_study_records(copy.study);
    rpc_tell_whatif(cx, &copy.whatif, page_rows(asked->max, CHANGED_USUAL, CHANGED_MAX), reply);
    return STATUS_OK;
}

status admin_activate_model(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const Idem__Admin__V1__ActivateModelRequest *asked = request;
    Idem__Admin__V1__ActivateModelReply *answer = reply;
    struct mpi_activated activated;
    TRY(engine_activate_model(call->server->engine, cx, str_from(asked->text), str_from(asked->why), &activated,
                              &answer->seq));
    answer->version = activated.version;
    answer->persons_before = activated.persons_before;
    answer->persons_after = activated.persons_after;
    answer->records_moved = activated.moved;
    answer->reviews_before = activated.reviews_before;
    answer->reviews_after = activated.reviews_after;
    return STATUS_OK;
}

/* ---- proposals ---- */

status admin_propose_model(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    return proposer_make(call->server, cx, reply);
}

status admin_get_model_proposal(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)request;
    Idem__Admin__V1__ModelProposal *kept, *answer = reply;
    TRY(proposer_kept(call->server, cx, &kept));
    if (kept == NULL)
        return ctx_fail(cx, &mpi_reasons[MPI_MODEL_UNKNOWN], "none is proposed; next: idem model propose");
    *answer = *kept;
    answer->outdated = kept->compared_with != mpi_model_version(engine_mpi(call->server->engine));
    return STATUS_OK;
}
