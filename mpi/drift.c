#include "mpi/drift.h"

#include "ask_internal.h"
#include "value_use_internal.h"

#include <inttypes.h>

enum {
    SAMPLED = 8192,
    SLICE = 256,
    PEOPLE_MIN = 1000, /* records below which no model of one's own is worth having */
    VALUES_MIN = 1000, /* said in the sample, below which a share is chance */
    MOVED_PPM = 100000,
};

struct sample {
    struct value_use_count count; /* of those who take part in matching */
    uint64_t looked_at, records;  /* records: there are */
    struct value_use then[VALUE_KINDS];
    uint8_t format;
};

static void look_at_model(const struct mpi_model *model, struct sample *sample, struct mpi_drift *drift)
{
    drift->version = model->version;
    drift->records_then = model->records;
    sample->format = model->format;
    memcpy(sample->then, model->use, sizeof sample->then);
}

/* Evenly; a model that is activated meanwhile begins a new sample. */
static status take_sample(struct mpi *mpi, struct ctx *cx, struct sample *out, struct mpi_drift *drift)
{
    struct sample sample = {0};
    uint32_t record = 1, every = 0;
    for (bool more = true; more;) {
        TRY(ctx_check(cx));
        SCOPED(look_end) struct data_view look;
        look_begin(mpi, &look);
        if (every == 0 || drift->version != mpi->model_shown->version) {
            sample = (struct sample){.records = mpi->shown.records};
            look_at_model(mpi->model_shown, &sample, drift);
            every = mpi->shown.records / SAMPLED + 1;
            record = 1;
        }
        for (uint32_t slice = 0; slice < SLICE && record <= sample.records; slice++, record += every) {
            const struct mpi_row *row = entry_at(mpi, SHOWN, record)->row;
            sample.looked_at++;
            if (row)
                value_use_add(&sample.count, mpi->model_shown, row);
        }
        more = record <= sample.records;
    }
    *out = sample;
    return STATUS_OK;
}

static bool has_moved(uint32_t then_ppm, uint32_t now_ppm)
{
    return (then_ppm > now_ppm ? then_ppm - now_ppm : now_ppm - then_ppm) > MOVED_PPM;
}

static bool is_said_otherwise(const struct sample *sample, size_t kind, struct mpi_drift *drift)
{
    struct value_use now = value_use_of(&sample->count, kind);
    drift->then_ppm = sample->then[kind].said_ppm;
    drift->now_ppm = now.said_ppm;
    return sample->count.records >= VALUES_MIN && has_moved(drift->then_ppm, drift->now_ppm);
}

static bool are_other_values(const struct sample *sample, size_t kind, struct mpi_drift *drift)
{
    struct value_use now = value_use_of(&sample->count, kind);
    drift->then_ppm = sample->then[kind].listed_ppm;
    drift->now_ppm = now.listed_ppm;
    return sample->count.values[kind] >= VALUES_MIN && has_moved(drift->then_ppm, drift->now_ppm);
}

static enum mpi_drift_cause size_cause(const struct mpi_drift *drift)
{
    if (drift->records_then == 0)
        return drift->records_now >= PEOPLE_MIN ? MPI_DRIFT_GENERAL : MPI_DRIFT_NONE;
    if (drift->records_now * 2 >= drift->records_then * 3)
        return MPI_DRIFT_GROWN;
    return drift->records_now * 3 <= drift->records_then * 2 ? MPI_DRIFT_SHRUNK : MPI_DRIFT_NONE;
}

static enum mpi_drift_cause value_cause(const struct sample *sample, struct mpi_drift *drift)
{
    for (size_t kind = 0; kind < VALUE_KINDS && sample->format > 1; kind++) {
        drift->kind = model_value_names[kind];
        if (is_said_otherwise(sample, kind, drift))
            return MPI_DRIFT_SAID;
        if (are_other_values(sample, kind, drift))
            return MPI_DRIFT_LISTED;
    }
    drift->kind = NULL;
    drift->then_ppm = drift->now_ppm = 0;
    return MPI_DRIFT_NONE;
}

status mpi_drift(struct mpi *mpi, struct ctx *cx, struct mpi_drift *out_drift)
{
    struct mpi_drift drift = {0};
    struct sample *sample = arena_alloc(cx->arena, sizeof *sample);
    TRY(take_sample(mpi, cx, sample, &drift));
    drift.records_now = sample->looked_at ? sample->records * sample->count.records / sample->looked_at : 0;
    drift.cause = size_cause(&drift);
    if (drift.cause == MPI_DRIFT_NONE && drift.records_then > 0)
        drift.cause = value_cause(sample, &drift);
    *out_drift = drift;
    return STATUS_OK;
}

struct str mpi_drift_text(struct ctx *cx, const struct mpi_drift *drift)
{
    struct arena *arena = cx->arena;
    double then = drift->then_ppm / 1e4, now = drift->now_ppm / 1e4;
    switch (drift->cause) {
    case MPI_DRIFT_GENERAL:
        return arena_printf(arena, "made from nobody here; %" PRIu64 " records are enough to make one from",
                            drift->records_now);
    case MPI_DRIFT_GROWN:
        return arena_printf(arena, "made from %" PRIu64 " records, there are %" PRIu64 " now", drift->records_then,
                            drift->records_now);
    case MPI_DRIFT_SHRUNK:
        return arena_printf(arena, "made from %" PRIu64 " records, only %" PRIu64 " are left", drift->records_then,
                            drift->records_now);
    case MPI_DRIFT_SAID:
        return arena_printf(arena, "%.1f %% of the records said a %s when it was made, %.1f %% now", then, drift->kind,
                            now);
    case MPI_DRIFT_LISTED:
        return arena_printf(arena, "%.1f %% of what is said as %s was known when it was made, %.1f %% now", then,
                            drift->kind, now);
    case MPI_DRIFT_NONE:
        break;
    }
    return arena_printf(arena, "made from %" PRIu64 " records, %" PRIu64 " now, saying the like", drift->records_then,
                        drift->records_now);
}
