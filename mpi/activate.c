#include "models_internal.h"
#include "mpi/models.h"
#include "writer_internal.h"

#include <stdlib.h>

/* ---- everybody scored anew ---- */

static void redraft_rows(struct mpi *mpi)
{
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
        if (row == NULL)
            continue;
        struct mpi_row *anew = mem_copy(row, row_bytes(row));
        row_set_rarity(mpi->model, anew);
        draft_set_row(mpi, record, anew);
    }
}

static int order_records(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static void put_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit)
{
    const struct edge *edge = index_edge(mpi, APPLIED, left, right);
    if (score_mbit == (edge ? edge->score_mbit : NO_EDGE))
        return;
    draft_set_edge(mpi, left, right, score_mbit);
    *VEC_ADD(&mpi->edge_changes) = (struct pair){left, right};
}

/* An idem that looked for candidates in another way may have left edges that nobody would find now. */
static void drop_strays(struct mpi *mpi, uint32_t record, const uint32_t *candidates, size_t count)
{
    const struct entry *entry = entry_at(mpi, APPLIED, record);
    for (uint32_t i = entry->edge_count; i-- > 0;) { /* from behind: what is dropped moves the later ones */
        uint32_t other = entry->edges[i].other;
        bool found = count > 0 && bsearch(&other, candidates, count, sizeof *candidates, order_records) != NULL;
        if (other > record && !found)
            put_edge(mpi, record, other, NO_EDGE);
        entry = entry_at(mpi, APPLIED, record); /* the first change makes it a copy */
    }
}

/* Edges to those that came later: the others have looked this way already. */
static void rescore_record(struct mpi *mpi, uint32_t record)
{
    const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
    uint32_t *candidates = NULL;
    size_t count = 0;
    if (row) {
        struct row_keys keys = index_keys(mpi, APPLIED, record);
        count = index_candidates(mpi, APPLIED, row, &keys, record, &candidates);
    }
    index_touch(mpi, record);
    if (count > 1)
        qsort(candidates, count, sizeof *candidates, order_records);
    drop_strays(mpi, record, candidates, count);
    struct reach reach;
    reach_make(&reach, mpi->model);
    for (size_t i = 0; i < count; i++)
        if (candidates[i] > record)
            put_edge(mpi, record, candidates[i], index_edge_score(mpi, &reach, record, candidates[i]));
    mem_free(candidates);
}

/* What edges, persons and questions follow from: the model, and the rules of the idem that worked them out. */
static uint64_t scored_by(const struct mpi_model *model)
{
    enum { RULES = 3 }; /* 2: a person asks one question; 3: slips of common names, names of two customs of writing */
    return mpi_model_identity(model) ^ RULES;
}

static void put_scored(struct writer *w)
{
    struct key key = key_2(MODELS_SCORED, 0);
    SCOPED(buf_fini) struct buf row = {0};
    encode_scored(&row, scored_by(w->mpi->model));
    data_txn_put(w->txn, w->mpi->models, key_str(&key), buf_str(&row));
}

/* Links remember the model that made them; those that stay keep theirs. */
static void keep_links(struct writer *w)
{
    const struct mpi *mpi = w->mpi;
    for (size_t i = 0; i < mpi->changes.count; i++) {
        const struct change *change = &mpi->changes.at[i];
        const struct entry *entry = entry_at(mpi, APPLIED, change->record);
        if (entry->person != change->person_before && entry->ring != change->record)
            writer_keep_link(w, change->record);
    }
}

static void rescore_all(struct writer *w)
{
    struct mpi *mpi = w->mpi;
    redraft_rows(mpi);
    for (uint32_t record = 1; record <= mpi->applied.records; record++)
        rescore_record(mpi, record);
    writer_finish(w);
    put_scored(w);
    keep_links(w);
}

/* ---- activating ---- */

struct numbering {
    struct ctx *cx;
    uint64_t identity;
    uint32_t found, next;
    status failed;
};

static bool take_version(void *arg, struct str key, struct str row)
{
    struct numbering *numbering = arg;
    uint32_t version;
    numbering->failed = decode_version(numbering->cx, row, &version);
    if (numbering->failed != STATUS_OK)
        return false;
    if (key_part(key, 1) == numbering->identity)
        numbering->found = version;
    if (version >= numbering->next)
        numbering->next = version + 1;
    return true;
}

/* The version of this text: the one it had, or the next; its rows are written. */
static status number_model(struct writer *w, struct mpi_model *model)
{
    struct mpi *mpi = w->mpi;
    struct numbering numbering = {.cx = w->cx, .identity = mpi_model_identity(model), .next = MODELS_FIRST_VERSION};
    struct key all = key_1(MODELS_IDENTITY);
    TRY(data_txn_scan(w->txn, mpi->models, w->cx, key_str(&all), take_version, &numbering));
    TRY(numbering.failed);
    bool general = numbering.identity == mpi_model_identity(mpi_model_general());
    model->version = numbering.found ? numbering.found : general ? MODEL_BUILTIN_VERSION : numbering.next;
    if (numbering.found)
        return STATUS_OK;
    SCOPED(buf_fini) struct buf text = {0};
    SCOPED(buf_fini) struct buf version = {0};
    mpi_model_write(model, &text);
    encode_version(&version, model->version);
    struct key text_key = key_2(MODELS_TEXT, model->version), version_key = key_2(MODELS_IDENTITY, numbering.identity);
    data_txn_put(w->txn, mpi->models, key_str(&text_key), buf_str(&text));
    data_txn_put(w->txn, mpi->models, key_str(&version_key), buf_str(&version));
    return STATUS_OK;
}

static void put_activation(struct writer *w, const struct mpi_model *model, struct str why)
{
    struct key key = key_2(MODELS_ACTIVATION, w->seq);
    struct stored_activation activation = {.version = model->version,
                                           .time_us = w->cx->now_us,
                                           .name = str_from(model->name),
                                           .by = w->cx->principal,
                                           .why = why};
    SCOPED(buf_fini) struct buf row = {0};
    encode_activation(&row, &activation);
    data_txn_put(w->txn, w->mpi->models, key_str(&key), buf_str(&row));
}

static uint64_t count_moved(const struct mpi *mpi)
{
    uint64_t moved = 0;
    for (size_t i = 0; i < mpi->changes.count; i++)
        moved += mpi->changes.at[i].person_before != entry_at(mpi, APPLIED, mpi->changes.at[i].record)->person;
    return moved;
}

status mpi_apply_model(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str text,
                       struct str why, struct mpi_activated *out_activated)
{
    struct writer w = {.mpi = mpi, .txn = txn, .cx = cx, .seq = seq};
    struct mpi_model *model;
    TRY(mpi_model_read(cx, text, &model));
    writer_begin(&w);
    status numbered = number_model(&w, model);
    if (numbered != STATUS_OK) {
        mpi_model_free(model);
        return numbered;
    }
    struct mpi_activated activated = {
        .version = model->version, .persons_before = mpi->applied.persons, .reviews_before = mpi->applied.reviews_open};
    put_activation(&w, model, why);
    draft_set_model(mpi, model);
    rescore_all(&w);
    activated.persons_after = mpi->applied.persons;
    activated.reviews_after = mpi->applied.reviews_open;
    activated.moved = count_moved(mpi);
    *out_activated = activated;
    return STATUS_OK;
}

/* ---- when a store is opened ---- */

bool mpi_is_stale(const struct mpi *mpi)
{
    return mpi->scored_by != scored_by(mpi->model);
}

status mpi_rescore(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq)
{
    enum { EVENTS_FROM = 1u << 30 }; /* the last entry may have had events of its own */
    struct writer w = {.mpi = mpi, .txn = txn, .cx = cx, .seq = seq};
    writer_begin(&w);
    mpi->counters.events = EVENTS_FROM;
    rescore_all(&w);
    mpi->scored_by = scored_by(mpi->model);
    return STATUS_OK;
}
