#include "people_internal.h"

#include <stdlib.h>

/* ---- keys ---- */

struct holders holders_of(const struct mpi *mpi, enum sight sight, uint64_t key)
{
    struct holders holders = {.mpi = mpi, .key = key, .shown = blocks_get(&mpi->blocks, key)};
    holders.count = holders.shown.count;
    if (sight == APPLIED) {
        holders.came = blocks_get(&mpi->came, key);
        holders.left = blocks_get(&mpi->left, key);
        holders.count += holders.came.count - holders.left.count;
    }
    return holders;
}

uint32_t holders_next(const struct holders *holders, struct holders_at *at)
{
    const struct mpi *mpi = holders->mpi;
    uint32_t record;
    while (!at->in_came && (record = blocks_next(&mpi->blocks, holders->shown, &at->cursor)) != 0)
        if (holders->left.count == 0 || !blocks_holds(&mpi->left, holders->key, record))
            return record;
    if (!at->in_came)
        *at = (struct holders_at){.in_came = true};
    return blocks_next(&mpi->came, holders->came, &at->cursor);
}

uint32_t holders_list(const struct mpi *mpi, enum sight sight, uint64_t key, uint32_t **out_records)
{
    struct holders holders = holders_of(mpi, sight, key);
    struct holders_at at = {0};
    uint32_t *records = mem_array((size_t)holders.count + 1, sizeof *records), count = 0;
    for (uint32_t record; (record = holders_next(&holders, &at)) != 0;)
        records[count++] = record;
    *out_records = records;
    return count;
}

static uint32_t count_holders(const struct mpi *mpi, uint64_t key)
{
    return holders_of(mpi, APPLIED, key).count;
}

static void come(struct mpi *mpi, uint64_t key, uint32_t record)
{
    if (blocks_holds(&mpi->left, key, record))
        (void)blocks_remove(&mpi->left, key, record);
    else
        (void)blocks_add(&mpi->came, key, record);
}

static void leave(struct mpi *mpi, uint64_t key, uint32_t record)
{
    if (blocks_holds(&mpi->came, key, record))
        (void)blocks_remove(&mpi->came, key, record);
    else
        (void)blocks_add(&mpi->left, key, record);
}

/* ---- entries ---- */

/* The entry to change: a record that readers do not see yet is changed where it stands, others in a copy. */
static struct entry *draft_of(struct mpi *mpi, uint32_t record)
{
    struct entry *shown = CHUNK_AT(&mpi->entries, record);
    if (record > mpi->shown.records)
        return shown;
    struct note *note = CHUNK_AT(&mpi->notes, record);
    if (note->copy == 0) {
        *CHUNK_ADD(&mpi->copies, mpi->copy_count) = (struct copy){record, *shown};
        note->copy = ++mpi->copy_count;
    }
    return &CHUNK_AT(&mpi->copies, note->copy - 1)->entry;
}

/* The same with edges of its own. */
static struct entry *draft_edges_of(struct mpi *mpi, uint32_t record)
{
    struct entry *entry = draft_of(mpi, record);
    const struct entry *shown = CHUNK_AT(&mpi->entries, record);
    if (entry != shown && entry->edges && entry->edges == shown->edges)
        entry->edges = mem_copy(shown->edges, entry->edge_count * sizeof *entry->edges);
    return entry;
}

static void set_half_edge(struct mpi *mpi, uint32_t from, uint32_t to, int32_t score_mbit)
{
    struct entry *entry = draft_edges_of(mpi, from);
    mpi->applied.half_edges -= entry->edge_count;
    if (score_mbit == NO_EDGE)
        entry_drop_edge(entry, to);
    else
        entry_put_edge(entry, to, score_mbit);
    mpi->applied.half_edges += entry->edge_count;
}

static void set_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit)
{
    set_half_edge(mpi, left, right, score_mbit);
    set_half_edge(mpi, right, left, score_mbit);
}

static struct mpi_row *exchange_row(struct mpi *mpi, uint32_t record, struct mpi_row *row)
{
    struct entry *entry = draft_of(mpi, record);
    struct mpi_row *before = entry->row;
    mpi->applied.row_bytes += row ? row_bytes(row) : 0;
    mpi->applied.row_bytes -= before ? row_bytes(before) : 0;
    mpi->applied.more_said += row && (row->flags & ROW_MORE_SAID);
    mpi->applied.more_said -= before && (before->flags & ROW_MORE_SAID);
    entry->row = row;
    return before;
}

static struct cluster_state exchange_cluster(struct mpi *mpi, uint32_t record, struct cluster_state state)
{
    struct entry *entry = draft_of(mpi, record);
    struct cluster_state before = {entry->person, entry->retired_into, entry->ring};
    mpi->applied.persons += state.person == record;
    mpi->applied.persons -= before.person == record;
    entry->person = state.person;
    entry->retired_into = state.retired_into;
    entry->ring = state.ring;
    return before;
}

/* ---- steps ---- */

static struct step *add_step(struct mpi *mpi, enum step_kind kind, uint32_t at, uint32_t other)
{
    struct step *step = VEC_ADD(&mpi->steps);
    *step = (struct step){.kind = kind, .at = at, .other = other};
    return step;
}

uint32_t draft_add_record(struct mpi *mpi, uint64_t own_key)
{
    INVARIANT(mpi->applied.records < BLOCK_RECORD_MAX);
    uint32_t record = ++mpi->applied.records;
    *CHUNK_ADD(&mpi->entries, record) = (struct entry){.person = record, .ring = record, .own_key = own_key};
    *CHUNK_ADD(&mpi->notes, record) = (struct note){0};
    mpi->applied.persons++;
    add_step(mpi, STEP_RECORD, record, 0);
    (void)draft_add_key(mpi, own_block_key(own_key), record);
    return record;
}

void draft_set_row(struct mpi *mpi, uint32_t record, struct mpi_row *row)
{
    struct mpi_row *before = exchange_row(mpi, record, row);
    add_step(mpi, STEP_ROW, record, 0)->before.row = before;
}

void draft_set_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit)
{
    const struct edge *edge = index_edge(mpi, APPLIED, left, right);
    int32_t before = edge ? edge->score_mbit : NO_EDGE;
    if (before == score_mbit)
        return;
    add_step(mpi, STEP_EDGE, left, right)->before.score_mbit = before;
    set_edge(mpi, left, right, score_mbit);
}

void draft_set_cluster(struct mpi *mpi, uint32_t record, struct cluster_state state)
{
    struct cluster_state before = exchange_cluster(mpi, record, state);
    add_step(mpi, STEP_CLUSTER, record, 0)->before.cluster = before;
}

uint32_t draft_add_key(struct mpi *mpi, uint64_t key, uint32_t record)
{
    come(mpi, key, record);
    add_step(mpi, STEP_CAME, record, 0)->before.key = key;
    return count_holders(mpi, key);
}

uint32_t draft_remove_key(struct mpi *mpi, uint64_t key, uint32_t record)
{
    leave(mpi, key, record);
    add_step(mpi, STEP_LEFT, record, 0)->before.key = key;
    return count_holders(mpi, key);
}

void draft_add_decision(struct mpi *mpi, const struct decision *decision)
{
    INVARIANT(decision->left != decision->right && mpi->applied.decisions < UINT32_MAX);
    struct entry *left = draft_of(mpi, decision->left), *right = draft_of(mpi, decision->right);
    struct decision *made = CHUNK_ADD(&mpi->decisions, mpi->applied.decisions);
    *made = *decision;
    made->next_left = left->decision;
    made->next_right = right->decision;
    left->decision = right->decision = ++mpi->applied.decisions;
    add_step(mpi, STEP_DECISION, 0, 0);
}

static void remove_decision(struct mpi *mpi)
{
    mpi->applied.decisions--;
    const struct decision *gone = CHUNK_AT(&mpi->decisions, mpi->applied.decisions);
    draft_of(mpi, gone->left)->decision = gone->next_left;
    draft_of(mpi, gone->right)->decision = gone->next_right;
}

void draft_undo_decision(struct mpi *mpi, uint64_t id)
{
    uint32_t at;
    const struct decision *decision = index_decision(mpi, id, &at);
    INVARIANT(decision != NULL && !decision->undone_applied);
    CHUNK_AT(&mpi->decisions, at)->undone_applied = true;
    add_step(mpi, STEP_UNDONE, at, 0);
}

void draft_add_review(struct mpi *mpi, const struct review *review)
{
    INVARIANT(review->left != review->right && mpi->applied.reviews < UINT32_MAX);
    struct entry *left = draft_of(mpi, review->left), *right = draft_of(mpi, review->right);
    struct review *made = CHUNK_ADD(&mpi->asked, mpi->applied.reviews);
    *made = *review;
    made->next_left = left->review;
    made->next_right = right->review;
    made->open = false;
    made->open_applied = true;
    mpi->applied.reviews_open++;
    left->review = right->review = ++mpi->applied.reviews;
    add_step(mpi, STEP_REVIEW, mpi->applied.reviews - 1, 0);
}

static void remove_review(struct mpi *mpi)
{
    mpi->applied.reviews--;
    const struct review *gone = CHUNK_AT(&mpi->asked, mpi->applied.reviews);
    INVARIANT(gone->open_applied);
    mpi->applied.reviews_open--;
    draft_of(mpi, gone->left)->review = gone->next_left;
    draft_of(mpi, gone->right)->review = gone->next_right;
}

static void answer_review(struct mpi *mpi, uint32_t at, bool open)
{
    struct review *review = CHUNK_AT(&mpi->asked, at);
    mpi->applied.reviews_open += open;
    mpi->applied.reviews_open -= review->open_applied;
    review->open_applied = open;
}

void draft_answer_review(struct mpi *mpi, uint32_t at, bool open)
{
    if (CHUNK_AT(&mpi->asked, at)->open_applied == open)
        return;
    answer_review(mpi, at, open);
    add_step(mpi, STEP_ANSWERED, at, open);
}

void draft_set_model(struct mpi *mpi, const struct mpi_model *model)
{
    add_step(mpi, STEP_MODEL, mpi->model_is_own, 0)->before.model = mpi->model;
    mpi->model = model;
    mpi->model_is_own = true;
}

/* ---- taking back ---- */

static void remove_record(struct mpi *mpi, uint32_t record)
{
    struct entry *entry = CHUNK_AT(&mpi->entries, record);
    INVARIANT(record == mpi->applied.records && record > mpi->shown.records && entry->row == NULL &&
              entry->edge_count == 0);
    *entry = (struct entry){0};
    mpi->applied.records--;
    mpi->applied.persons--;
}

static void take_back(struct mpi *mpi, const struct step *step)
{
    switch (step->kind) {
    case STEP_RECORD:
        remove_record(mpi, step->at);
        break;
    case STEP_ROW:
        mem_free(exchange_row(mpi, step->at, step->before.row));
        break;
    case STEP_EDGE:
        set_edge(mpi, step->at, step->other, step->before.score_mbit);
        break;
    case STEP_CLUSTER:
        (void)exchange_cluster(mpi, step->at, step->before.cluster);
        break;
    case STEP_CAME:
        leave(mpi, step->before.key, step->at);
        break;
    case STEP_LEFT:
        come(mpi, step->before.key, step->at);
        break;
    case STEP_DECISION:
        remove_decision(mpi);
        break;
    case STEP_UNDONE:
        CHUNK_AT(&mpi->decisions, step->at)->undone_applied = false;
        break;
    case STEP_REVIEW:
        remove_review(mpi);
        break;
    case STEP_ANSWERED:
        answer_review(mpi, step->at, !step->other);
        break;
    case STEP_MODEL:
        mpi_model_free((struct mpi_model *)mpi->model);
        mpi->model = step->before.model;
        mpi->model_is_own = step->at;
        break;
    case STEP_COUNTERS:
        mpi->counters = step->before.counters;
        break;
    }
}

struct mpi_mark mpi_mark(struct mpi *mpi)
{
    struct mpi_mark mark = {mpi->steps.count};
    add_step(mpi, STEP_COUNTERS, 0, 0)->before.counters = mpi->counters;
    return mark;
}

static void take_back_to(struct mpi *mpi, size_t at)
{
    while (mpi->steps.count > at) {
        struct step step = mpi->steps.at[--mpi->steps.count];
        take_back(mpi, &step);
    }
}

void draft_drop(struct mpi *mpi)
{
    take_back_to(mpi, 0);
    mpi_publish(mpi);
}

void mpi_undo_to(struct mpi *mpi, struct mpi_mark mark)
{
    INVARIANT(mark.at < mpi->steps.count && mpi->steps.at[mark.at].kind == STEP_COUNTERS);
    take_back_to(mpi, mark.at);
    mpi->touched.count = mpi->changes.count = mpi->edge_changes.count = mpi->outcomes.count = 0;
}

/* ---- publishing ---- */

static void publish_copy(struct mpi *mpi, const struct copy *copy)
{
    struct entry *shown = CHUNK_AT(&mpi->entries, copy->record);
    if (shown->edges != copy->entry.edges)
        mem_free(shown->edges);
    *shown = copy->entry;
    CHUNK_AT(&mpi->notes, copy->record)->copy = 0;
}

static void take_posting(void *arg, uint64_t key, uint32_t record)
{
    struct mpi *mpi = arg;
    *VEC_ADD(&mpi->postings) = (struct posting){key, record};
}

/* Asks for memory a little ahead: a batch touches thousands of places that have nothing to do with each other. */
static void publish_keys(struct mpi *mpi, struct blocks *draft,
                         uint32_t (*change)(struct blocks *blocks, uint64_t key, uint32_t record))
{
    enum { AHEAD = 12 };
    mpi->postings.count = 0;
    blocks_each(draft, take_posting, mpi);
    for (size_t i = 0; i < mpi->postings.count; i++) {
        if (i + AHEAD < mpi->postings.count)
            blocks_prefetch(&mpi->blocks, &mpi->postings.at[i + AHEAD].key, 1);
        (void)change(&mpi->blocks, mpi->postings.at[i].key, mpi->postings.at[i].record);
    }
    blocks_clear(draft);
}

static void publish_step(struct mpi *mpi, const struct step *step)
{
    switch (step->kind) {
    case STEP_ROW:
        mem_free(step->before.row);
        break;
    case STEP_MODEL:
        if (step->at)
            mpi_model_free((struct mpi_model *)step->before.model);
        break;
    case STEP_UNDONE:
        CHUNK_AT(&mpi->decisions, step->at)->undone = true;
        break;
    case STEP_REVIEW:
    case STEP_ANSWERED:
        CHUNK_AT(&mpi->asked, step->at)->open = CHUNK_AT(&mpi->asked, step->at)->open_applied;
        break;
    default:
        break;
    }
}

void mpi_publish(struct mpi *mpi)
{
    enum { KEEP_STEPS = 1 << 16 };
    changed_publish(mpi);
    for (uint32_t i = 0; i < mpi->copy_count; i++)
        publish_copy(mpi, CHUNK_AT(&mpi->copies, i));
    mpi->copy_count = 0;
    publish_keys(mpi, &mpi->left, blocks_remove);
    publish_keys(mpi, &mpi->came, blocks_add);
    for (size_t i = 0; i < mpi->steps.count; i++)
        publish_step(mpi, &mpi->steps.at[i]);
    mpi->steps.count = 0;
    if (mpi->steps.cap > KEEP_STEPS)
        VEC_FINI(&mpi->steps);
    mpi->shown = mpi->applied;
    mpi->model_shown = mpi->model;
}
