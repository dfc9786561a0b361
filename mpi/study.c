#include "study_internal.h"

#include "base/limits.h"

#include <unistd.h>

struct mpi_study *mpi_study_new(void)
{
    struct mpi_study *study = mem_alloc(sizeof *study);
    study->mpi = index_new();
    return study;
}

void mpi_study_free(struct mpi_study *study)
{
    if (study == NULL)
        return;
    study->mpi->shown.records = study->mpi->applied.records; /* index_free() frees what readers see */
    study->mpi->steps.count = 0;
    index_free(study->mpi);
    mem_free(study);
}

void mpi_study_use_threads(struct mpi_study *study, unsigned threads)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned wanted = threads != 0 ? threads : processors > 0 ? (unsigned)processors : 1;
    study->threads = wanted < STUDY_THREADS_MAX ? wanted : STUDY_THREADS_MAX;
}

status mpi_study_add(struct mpi_study *study, struct ctx *cx, const struct mpi_record_input *input,
                     uint32_t *out_record)
{
    TRY(mpi_check_record(cx, input));
    if (study->mpi->applied.records == BLOCK_RECORD_MAX)
        return ctx_fail(cx, &mpi_reasons[MPI_TOO_MANY], "a study holds at most %d records", BLOCK_RECORD_MAX);
    union row_space space;
    row_make(input->identifiers, input->identifier_count, &input->demographics, NULL, 0, &space);
    uint32_t record = index_load_record(study->mpi, row_own_key(input->identifiers, input->identifier_count));
    index_load_row(study->mpi, record, &space.row);
    *out_record = record;
    return STATUS_OK;
}

uint32_t mpi_study_records(const struct mpi_study *study)
{
    return study->mpi->applied.records;
}

/* ---- ending early ---- */

void study_heed(struct mpi_study *study, struct ctx *cx)
{
    study->heeds = cx;
    study->stopped = STATUS_OK;
}

bool study_stops(struct mpi_study *study)
{
    if (study->stopped == STATUS_OK && study->heeds)
        study->stopped = ctx_check(study->heeds);
    return study->stopped != STATUS_OK;
}

status study_heed_end(struct mpi_study *study)
{
    status stopped = study->stopped;
    study_heed(study, NULL);
    return stopped;
}

/* ---- linking ---- */

void study_see_by(struct mpi_study *study, const struct mpi_model *model)
{
    struct mpi *mpi = study->mpi;
    mpi->model = mpi->model_shown = model;
    mpi->steps.count = 0;
    mpi->applied.persons = mpi->applied.records;
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        struct entry *entry = CHUNK_AT(&mpi->entries, record);
        entry->edge_count = 0;
        entry->person = entry->ring = record;
        entry->retired_into = 0;
        if (entry->row)
            row_set_rarity(model, entry->row);
    }
}

enum { LINK_SLICE = 2048, LINK_SLICES = 16 };

struct found_edge {
    uint32_t left, right;
    int32_t score_mbit;
};
struct link_slice { /* what one thread found */
    VEC(struct found_edge) edges;
    uint64_t compared;
};
struct linking {
    const struct mpi *mpi;
    struct reach reach;
    uint64_t first; /* records before those that are looked at now */
    struct link_slice slices[LINK_SLICES];
};

/* Edges to those that came later: the others have looked this way already. */
static void find_edges(const struct linking *linking, struct link_slice *slice, uint32_t record)
{
    const struct mpi *mpi = linking->mpi;
    const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
    if (row == NULL)
        return; /* deactivated ones are here for what was decided about them */
    uint32_t *candidates;
    struct row_keys keys = index_keys(mpi, APPLIED, record);
    size_t count = index_later_candidates(mpi, row, &keys, record, &candidates);
    for (size_t i = 0; i < count; i++) {
        int32_t score = index_edge_score(mpi, &linking->reach, record, candidates[i]);
        if (score != NO_EDGE)
            *VEC_ADD(&slice->edges) = (struct found_edge){record, candidates[i], score};
    }
    mem_free(candidates);
    slice->compared += count + (index_first(mpi, APPLIED, record) != record); /* with the one that stands for it */
}

static void link_slice(void *arg, size_t slice, uint64_t from, uint64_t to)
{
    struct linking *linking = arg;
    for (uint64_t i = from; i < to; i++)
        find_edges(linking, &linking->slices[slice], (uint32_t)(linking->first + i) + 1);
}

static void take_edges(struct mpi_study *study, struct link_slice *slice)
{
    for (size_t i = 0; i < slice->edges.count; i++)
        index_load_edge(study->mpi, slice->edges.at[i].left, slice->edges.at[i].right, slice->edges.at[i].score_mbit);
    study->compared += slice->compared;
    VEC_FINI(&slice->edges);
    *slice = (struct link_slice){0};
}

/* Some slices at a time; false: it was stopped. */
static bool link_everybody(struct mpi_study *study)
{
    enum { AT_ONCE = LINK_SLICE * LINK_SLICES };
    struct linking linking = {.mpi = study->mpi};
    uint64_t records = study->mpi->applied.records;
    reach_make(&linking.reach, study->mpi->model);
    for (; linking.first < records; linking.first += AT_ONCE) {
        uint64_t left = records - linking.first;
        struct slices slices = {left < AT_ONCE ? left : AT_ONCE, LINK_SLICE, link_slice, &linking};
        slices_run(&slices, study->threads);
        for (size_t i = 0; i < LINK_SLICES; i++)
            take_edges(study, &linking.slices[i]);
        if (study_stops(study))
            return false;
    }
    return true;
}

void mpi_study_link(struct mpi_study *study, const struct mpi_model *model)
{
    struct mpi *mpi = study->mpi;
    study->compared = 0;
    study_see_by(study, model);
    mpi->touched.count = mpi->changes.count = mpi->edge_changes.count = 0;
    if (!link_everybody(study))
        return;
    for (uint32_t record = 1; record <= mpi->applied.records; record++)
        index_touch(mpi, record);
    index_recluster(mpi);
}

/* ---- asking ---- */

uint32_t mpi_study_person(const struct mpi_study *study, uint32_t record)
{
    return entry_at(study->mpi, APPLIED, record)->person;
}

uint64_t mpi_study_compared(const struct mpi_study *study)
{
    return study->compared;
}

/* Of those who say the same each with the first of them. */
static void visit_within_body(const struct mpi *mpi, uint32_t record,
                              void (*visit)(void *arg, const struct mpi_study_pair *pair), void *arg)
{
    uint32_t first = index_first(mpi, APPLIED, record);
    struct levels levels;
    if (first == record)
        return;
    compare_rows(entry_at(mpi, APPLIED, record)->row, entry_at(mpi, APPLIED, first)->row, &levels);
    int32_t score = weigh_levels(mpi->model, &levels);
    struct mpi_study_pair pair = {record < first ? record : first, record < first ? first : record, score,
                                  probability_ppm(score)};
    if (score >= mpi->model->review_mbit)
        visit(arg, &pair);
}

void mpi_study_each_pair(const struct mpi_study *study, void (*visit)(void *arg, const struct mpi_study_pair *pair),
                         void *arg)
{
    for (uint32_t record = 1; record <= study->mpi->applied.records; record++) {
        const struct entry *entry = entry_at(study->mpi, APPLIED, record);
        for (uint32_t i = 0; i < entry->edge_count; i++) {
            const struct edge *edge = &entry->edges[i];
            if (edge->other < record)
                continue;
            struct mpi_study_pair pair = {record, edge->other, edge->score_mbit, probability_ppm(edge->score_mbit)};
            visit(arg, &pair);
        }
        visit_within_body(study->mpi, record, visit, arg);
    }
}

bool mpi_study_question(const struct mpi_study *study, uint32_t person, struct mpi_study_pair *out_pair)
{
    if (mpi_study_person(study, person) != person)
        return false;
    struct question asked = index_question(study->mpi, person);
    bool turn = asked.record > asked.other;
    *out_pair = (struct mpi_study_pair){turn ? asked.other : asked.record, turn ? asked.record : asked.other,
                                        asked.score_mbit, probability_ppm(asked.score_mbit)};
    return asked.record != 0;
}

static struct levels levels_of(const struct mpi_study *study, uint32_t left, uint32_t right)
{
    struct levels levels;
    compare_rows(entry_at(study->mpi, APPLIED, left)->row, entry_at(study->mpi, APPLIED, right)->row, &levels);
    return levels;
}

void mpi_study_compare(const struct mpi_study *study, uint32_t left, uint32_t right,
                       struct mpi_comparison *out_comparison)
{
    struct levels levels = levels_of(study, left, right);
    explain_levels(study->mpi->model, &levels, left, right, out_comparison);
}

enum mpi_verdict mpi_study_verdict(const struct mpi_study *study, uint32_t left, uint32_t right)
{
    const struct mpi_model *model = study->mpi->model;
    struct levels levels = levels_of(study, left, right);
    int32_t score = weigh_levels(model, &levels);
    if (score < model->review_mbit)
        return MPI_VERDICT_NEW;
    bool stopped = levels_veto(&levels) || levels_hold(model, &levels) || score < model->auto_mbit;
    return stopped ? MPI_VERDICT_REVIEW : MPI_VERDICT_LINKED;
}
