#include "proposer.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "idem/admin/v1/admin.pb-c.h"
#include "mpi/train.h"
#include "mpi/whatif.h"
#include "rpc/told.h"
#include "service_model.h"

#include <unistd.h>

enum { CHANGED_KEPT = 100, DRIFT_AGE_US = 60 * 1000 * 1000 };

struct proposer {
    struct rpc_server *server;
    int64_t every_us;
    atomic_bool stopping;
    bool has_thread, job_waits;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct pool_job job;
    struct mpi_drift drift;
    int64_t drift_us; /* when it was looked for; 0 = never */
    bool knows_kept;
    int64_t kept_us; /* when what is kept was made; 0 = nothing is */
    uint32_t kept_with;
};

/* ---- what is kept ---- */

static const char *path_of(struct rpc_server *server, struct ctx *cx)
{
    return arena_printf(cx->arena, "%s/" MODEL_PROPOSAL_FILE, server->data_dir).data;
}

/* NULL: nothing is. */
static void note_kept(struct proposer *proposer, const Idem__Admin__V1__ModelProposal *kept)
{
    pthread_mutex_lock(&proposer->lock);
    proposer->knows_kept = true;
    proposer->kept_us = kept ? kept->made_us : 0;
    proposer->kept_with = kept ? kept->compared_with : 0;
    pthread_mutex_unlock(&proposer->lock);
}

static status keep(struct rpc_server *server, struct ctx *cx, const Idem__Admin__V1__ModelProposal *proposal)
{
    struct wire_bytes bytes;
    TRY(message_pack(cx, &proposal->base, &bytes));
    status kept = file_replace(cx, path_of(server, cx), str_make((const char *)bytes.data, bytes.len), 0600);
    wire_bytes_fini(&bytes);
    if (kept == STATUS_OK)
        note_kept(server->proposer, proposal);
    return kept;
}

status proposer_kept(struct rpc_server *server, struct ctx *cx, Idem__Admin__V1__ModelProposal **out_proposal)
{
    SCOPED(buf_fini) struct buf bytes = {0};
    void *message = NULL;
    *out_proposal = NULL;
    if (server->data_dir == NULL || access(path_of(server, cx), F_OK) != 0)
        return STATUS_OK;
    TRY(file_read(cx, path_of(server, cx), RPC_REPLY_BYTES_MAX, &bytes));
    TRY(message_unpack(cx, &idem__admin__v1__model_proposal__descriptor, arena_str(cx->arena, buf_str(&bytes)),
                       LIMIT_MODEL_BYTES, &message));
    *out_proposal = message;
    return STATUS_OK;
}

int64_t proposer_kept_at(struct proposer *proposer, struct ctx *cx, uint32_t version)
{
    pthread_mutex_lock(&proposer->lock);
    bool known = proposer->knows_kept;
    pthread_mutex_unlock(&proposer->lock);
    if (!known) {
        Idem__Admin__V1__ModelProposal *kept;
        if (proposer_kept(proposer->server, cx, &kept) != STATUS_OK)
            ctx_clear(cx); /* not ours to read: none that could be looked at */
        note_kept(proposer, kept);
    }
    pthread_mutex_lock(&proposer->lock);
    int64_t at_us = proposer->kept_with == version ? proposer->kept_us : 0;
    pthread_mutex_unlock(&proposer->lock);
    return at_us;
}

/* ---- making one ---- */

struct work { /* what the work holds until it is told */
    struct mpi_study *study;
    struct mpi_model *made, *active;
    struct mpi_whatif whatif;
};

static void work_fini(struct work *work)
{
    mpi_study_free(work->study);
    mpi_model_free(work->made);
    mpi_model_free(work->active);
    mpi_whatif_fini(&work->whatif);
}

static status copy_index(struct rpc_server *server, struct ctx *cx, enum mpi_copied copied, struct work *work)
{
    mpi_study_free(work->study);
    work->study = mpi_study_new();
    return mpi_study_copy(work->study, cx, engine_mpi(server->engine), copied);
}

status proposer_make(struct rpc_server *server, struct ctx *cx, Idem__Admin__V1__ModelProposal *out)
{
    SCOPED(work_fini) struct work work = {0};
    struct mpi *mpi = engine_mpi(server->engine);
    struct mpi_training training;
    struct mpi_drift drift;
    struct mpi_making making = {.name = STR("proposed"), .now_us = clock_now_us()};
    TRY(rpc_need(cx, server->data_dir != NULL, "data directory"));
    TRY(mpi_drift(mpi, cx, &drift));
    TRY(copy_index(server, cx, MPI_COPY_MATCHED, &work));
    TRY(mpi_study_make_model(work.study, cx, &making, &work.made, &training));
    TRY(service_read_model(server, cx, 0, &work.active, &out->compared_with));
    TRY(copy_index(server, cx, MPI_COPY_ALL, &work));
    TRY(mpi_study_whatif(work.study, cx, work.active, work.made, &work.whatif));
    out->made_us = making.now_us;
    out->why = message_text(cx, mpi_drift_text(cx, &drift));
    out->model = message_new(cx, &idem__admin__v1__model__descriptor);
    service_tell_model(cx, work.made, 0, out->model);
    out->model->training = message_new(cx, &idem__admin__v1__training__descriptor);
    rpc_tell_training(cx, &training, out->model->training);
    out->changes = message_new(cx, &idem__admin__v1__what_if_model_reply__descriptor);
    out->changes->records = mpi_study_records(work.study);
    rpc_tell_whatif(cx, &work.whatif, CHANGED_KEPT, out->changes);
    return keep(server, cx, out);
}

/* ---- on a schedule ---- */

/* A proposal that is waiting for somebody is made again only when the index has changed since as much as that takes. */
static bool is_wanted(const struct mpi_drift *drift, const Idem__Admin__V1__ModelProposal *kept)
{
    if (drift->cause == MPI_DRIFT_NONE)
        return false;
    if (kept == NULL || kept->model == NULL || kept->compared_with != drift->version)
        return true;
    return drift->records_now * 2 >= kept->model->records * 3 || drift->records_now * 3 <= kept->model->records * 2;
}

static status look(struct rpc_server *server, struct ctx *cx)
{
    struct mpi_drift drift;
    Idem__Admin__V1__ModelProposal *kept;
    TRY(mpi_drift(engine_mpi(server->engine), cx, &drift));
    if (proposer_kept(server, cx, &kept) != STATUS_OK) {
        ctx_clear(cx); /* of another idem, or damaged: it is made anew */
        kept = NULL;
    }
    if (!is_wanted(&drift, kept))
        return STATUS_OK;
    Idem__Admin__V1__ModelProposal *made = message_new(cx, &idem__admin__v1__model_proposal__descriptor);
    TRY(proposer_make(server, cx, made));
    log_event(LOG_INFO, "model.proposed", LOG_NUM("records", (int64_t)made->model->records),
              LOG_NUM("persons_before", (int64_t)made->changes->persons_before),
              LOG_NUM("persons_after", (int64_t)made->changes->persons_after));
    return STATUS_OK;
}

static void run_job(struct pool_job *job)
{
    struct proposer *proposer = (struct proposer *)(void *)((char *)job - offsetof(struct proposer, job));
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    struct ctx cx = {.arena = &arena, .gone = &proposer->stopping};
    status got = ctx_check(&cx);
    if (got == STATUS_OK)
        got = look(proposer->server, &cx);
    if (got != STATUS_OK && !atomic_load(&proposer->stopping))
        log_event(LOG_WARN, "model.not-proposed", LOG_NAME("reason", cx.reason ? cx.reason->name : status_text(got)));
    arena_fini(&arena);
    pthread_mutex_lock(&proposer->lock);
    proposer->job_waits = false;
    pthread_cond_broadcast(&proposer->changed);
    pthread_mutex_unlock(&proposer->lock);
}

/* Until it is time or the end has come; the lock is held. */
static void wait_locked(struct proposer *proposer)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t at_ns = (int64_t)until.tv_nsec + proposer->every_us % 1000000 * 1000;
    until.tv_sec += proposer->every_us / 1000000 + at_ns / 1000000000;
    until.tv_nsec = at_ns % 1000000000;
    while (!atomic_load(&proposer->stopping))
        if (pthread_cond_timedwait(&proposer->changed, &proposer->lock, &until) != 0)
            return;
}

static void *watch(void *arg)
{
    struct proposer *proposer = arg;
    pthread_mutex_lock(&proposer->lock);
    while (!atomic_load(&proposer->stopping)) {
        wait_locked(proposer);
        if (atomic_load(&proposer->stopping) || proposer->job_waits)
            continue;
        proposer->job_waits = true;
        proposer->job = (struct pool_job){.run = run_job};
        pthread_mutex_unlock(&proposer->lock);
        bool added = pool_add(proposer->server->pools[RPC_POOL_MODEL], &proposer->job);
        pthread_mutex_lock(&proposer->lock);
        proposer->job_waits = proposer->job_waits && added; /* no room: the next time will do */
    }
    pthread_mutex_unlock(&proposer->lock);
    return NULL;
}

struct proposer *proposer_new(struct rpc_server *server, int64_t every_us)
{
    struct proposer *proposer = mem_alloc(sizeof *proposer);
    pthread_condattr_t monotonic;
    proposer->server = server;
    proposer->every_us = every_us;
    pthread_mutex_init(&proposer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&proposer->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    proposer->has_thread = every_us > 0 && server->engine;
    if (proposer->has_thread && pthread_create(&proposer->thread, NULL, watch, proposer) != 0)
        mem_panic("rpc", "cannot start a thread");
    return proposer;
}

void proposer_stop(struct proposer *proposer)
{
    if (proposer == NULL)
        return;
    pthread_mutex_lock(&proposer->lock);
    atomic_store(&proposer->stopping, true);
    pthread_cond_broadcast(&proposer->changed);
    pthread_mutex_unlock(&proposer->lock);
    if (proposer->has_thread)
        pthread_join(proposer->thread, NULL);
    proposer->has_thread = false;
}

void proposer_free(struct proposer *proposer)
{
    if (proposer == NULL)
        return;
    pthread_cond_destroy(&proposer->changed);
    pthread_mutex_destroy(&proposer->lock);
    mem_free(proposer);
}

/* ---- asked often ---- */

status proposer_drift(struct proposer *proposer, struct ctx *cx, struct mpi_drift *out_drift)
{
    struct mpi *mpi = engine_mpi(proposer->server->engine);
    int64_t now_us = clock_mono_us();
    pthread_mutex_lock(&proposer->lock);
    struct mpi_drift drift = proposer->drift;
    int64_t at_us = proposer->drift_us;
    pthread_mutex_unlock(&proposer->lock);
    if (at_us == 0 || now_us - at_us > DRIFT_AGE_US || drift.version != mpi_model_version(mpi)) {
        TRY(mpi_drift(mpi, cx, &drift));
        pthread_mutex_lock(&proposer->lock);
        proposer->drift = drift;
        proposer->drift_us = now_us;
        pthread_mutex_unlock(&proposer->lock);
    }
    *out_drift = drift;
    return STATUS_OK;
}
