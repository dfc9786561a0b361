#include "ask_internal.h"
#include "models_internal.h"

#include "mpi/models.h"

#include <inttypes.h>

/* ---- rows ---- */

static status end_of_row(struct ctx *cx, const struct cut *cut)
{
    if (cut->bad || cut->rest.len > 0)
        return ctx_fail(cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.model");
    return STATUS_OK;
}

void encode_activation(struct buf *out, const struct stored_activation *activation)
{
    buf_put_u32(out, activation->version);
    buf_put_varint(out, (uint64_t)activation->time_us);
    buf_put_lstr(out, activation->name);
    buf_put_lstr(out, activation->by);
    buf_put_lstr(out, activation->why);
}

status decode_activation(struct ctx *cx, struct str row, struct stored_activation *out_activation)
{
    struct cut cut = {.rest = row};
    struct stored_activation activation = {.version = cut_u32(&cut)};
    activation.time_us = (int64_t)cut_varint(&cut);
    activation.name = cut_lstr(&cut);
    activation.by = cut_lstr(&cut);
    activation.why = cut_lstr(&cut);
    TRY(end_of_row(cx, &cut));
    *out_activation = activation;
    return STATUS_OK;
}

void encode_scored(struct buf *out, uint64_t identity)
{
    buf_put_u64(out, identity);
}

void encode_version(struct buf *out, uint32_t version)
{
    buf_put_u32(out, version);
}

status decode_version(struct ctx *cx, struct str row, uint32_t *out_version)
{
    struct cut cut = {.rest = row};
    uint32_t version = cut_u32(&cut);
    TRY(end_of_row(cx, &cut));
    *out_version = version;
    return STATUS_OK;
}

/* ---- activations, newest first ---- */

struct listing {
    struct ctx *cx;
    size_t max, count;
    struct mpi_activation_row *rows;
    status failed;
};

static bool take_activation(void *arg, struct str key, struct str row)
{
    struct listing *listing = arg;
    struct stored_activation stored;
    listing->failed = key_check(listing->cx, key, 2, "mpi.model");
    if (listing->failed == STATUS_OK)
        listing->failed = decode_activation(listing->cx, row, &stored);
    if (listing->failed != STATUS_OK)
        return false;
    struct arena *arena = listing->cx->arena;
    listing->rows[listing->count++] = (struct mpi_activation_row){.seq = key_part(key, 1),
                                                                  .version = stored.version,
                                                                  .time_us = stored.time_us,
                                                                  .name = arena_str(arena, stored.name),
                                                                  .by = arena_str(arena, stored.by),
                                                                  .why = arena_str(arena, stored.why)};
    return listing->count < listing->max;
}

status mpi_activations(struct mpi *mpi, struct ctx *cx, uint64_t before, size_t max,
                       struct mpi_activation_row **out_rows, size_t *out_count, uint64_t *out_next_before)
{
    struct key prefix = key_1(MODELS_ACTIVATION), from = key_2(MODELS_ACTIVATION, before - 1);
    uint64_t there = data_rows(mpi->models);
    struct listing listing = {.cx = cx, .max = max < there ? max + 1 : (size_t)there}; /* one more: is there more? */
    listing.rows = arena_array(cx->arena, listing.max + 1, sizeof *listing.rows);
    if (listing.max > 0)
        TRY(data_scan_back(mpi->models, cx, key_str(&prefix), before ? key_str(&from) : STR_NONE, take_activation,
                           &listing));
    TRY(listing.failed);
    *out_rows = listing.rows;
    *out_count = listing.count < max ? listing.count : max;
    *out_next_before = listing.count > max && max > 0 ? listing.rows[max - 1].seq : 0;
    return STATUS_OK;
}

status mpi_model_text(struct mpi *mpi, struct ctx *cx, uint32_t version, struct str *out_text, uint32_t *out_version)
{
    struct mpi_activation_row *active;
    size_t count = 0;
    uint64_t older;
    if (version == 0)
        TRY(mpi_activations(mpi, cx, 0, 1, &active, &count, &older));
    uint32_t wanted = version ? version : count ? active[0].version : MODEL_BUILTIN_VERSION;
    struct key key = key_2(MODELS_TEXT, wanted);
    struct str text;
    status got = data_get(mpi->models, cx, key_str(&key), &text);
    ctx_clear(cx);
    if (got == STATUS_NOT_FOUND && wanted == MODEL_BUILTIN_VERSION) {
        SCOPED(buf_fini) struct buf general = {0};
        mpi_model_write(mpi_model_general(), &general);
        text = arena_str(cx->arena, buf_str(&general));
    } else if (got == STATUS_NOT_FOUND) {
        return ctx_fail(cx, &mpi_reasons[MPI_MODEL_UNKNOWN], "version %" PRIu32, wanted);
    } else if (got != STATUS_OK) {
        return got;
    }
    *out_text = text;
    *out_version = wanted;
    return STATUS_OK;
}

uint32_t mpi_model_version(struct mpi *mpi)
{
    SCOPED(look_end) struct data_view look;
    look_begin(mpi, &look);
    return mpi->model_shown->version;
}

/* ---- opening ---- */

static status read_scored(struct mpi *mpi, struct ctx *cx)
{
    struct key key = key_2(MODELS_SCORED, 0);
    struct str row;
    status got = data_get(mpi->models, cx, key_str(&key), &row);
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(cx);
        return STATUS_OK;
    }
    TRY(got);
    struct cut cut = {.rest = row};
    mpi->scored_by = cut_u64(&cut);
    return end_of_row(cx, &cut);
}

status models_open(struct mpi *mpi, struct ctx *cx)
{
    struct str text;
    uint32_t version;
    struct mpi_activation_row *active;
    size_t count;
    uint64_t older;
    TRY(read_scored(mpi, cx));
    TRY(mpi_activations(mpi, cx, 0, 1, &active, &count, &older));
    if (count == 0)
        return STATUS_OK;
    TRY(mpi_model_text(mpi, cx, 0, &text, &version));
    struct mpi_model *model;
    if (mpi_model_read(cx, text, &model) != STATUS_OK) {
        struct str why = cx->detail; /* of the store, not of the caller: a start that cannot go on */
        return ctx_fail(cx, &mpi_reasons[MPI_MODEL_UNREADABLE],
                        "version %" PRIu32 ", %.*s; next: start the idem that wrote it, and activate the general model",
                        version, STR_ARGS(why));
    }
    model->version = version;
    mpi->model = mpi->model_shown = model;
    mpi->model_is_own = true;
    return STATUS_OK;
}
