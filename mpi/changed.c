#include "people_internal.h"

#include <stdlib.h>
#include <sys/random.h>

/*
 * mpi.changed: a row for every commit that changed something, which tells the records and edges. An index that was
 * saved is brought up to date by reading those again, and nothing else.
 *
 *   number    tag, applied seq, everything changed, count and numbers of the records, count and pairs of the edges
 *
 * A commit that changes nothing says so in a row that the next one of its kind writes over, so the newest row always
 * has the store's applied seq: an idem that keeps no list, and changed something, is found out by that. More may be
 * named than changed; what changed is always named. When a row is written, up to PRUNE_ROWS go that nobody needs.
 */

enum { PRUNE_ROWS = 16 };

struct listed { /* of one batch; sorted, each once */
    VEC(uint32_t) records;
    VEC(struct pair) edges;
    bool everything;
};

static void listed_fini(struct listed *listed)
{
    VEC_FINI(&listed->records);
    VEC_FINI(&listed->edges);
}

/* ---- what a batch changed ---- */

static int order_records(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static int order_pairs(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    if (a->left != b->left)
        return a->left < b->left ? -1 : 1;
    return a->right < b->right ? -1 : a->right > b->right;
}

static void list_record(struct listed *listed, uint32_t record)
{
    if (listed->records.count == 0 || listed->records.at[listed->records.count - 1] != record)
        *VEC_ADD(&listed->records) = record;
}

static void list_step(struct listed *listed, const struct step *step)
{
    switch (step->kind) {
    case STEP_RECORD:
    case STEP_ROW:
    case STEP_CLUSTER:
    case STEP_CAME:
    case STEP_LEFT:
        list_record(listed, step->at);
        break;
    case STEP_EDGE:
        *VEC_ADD(&listed->edges) =
            step->at < step->other ? (struct pair){step->at, step->other} : (struct pair){step->other, step->at};
        break;
    case STEP_MODEL:
        listed->everything = true;
        break;
    case STEP_DECISION: /* decisions and reviews are always read from their rows */
    case STEP_UNDONE:
    case STEP_REVIEW:
    case STEP_ANSWERED:
    case STEP_COUNTERS:
        break;
    }
}

/* Who reads it again reads everything: then nothing is named. */
static bool is_everything(const struct listed *listed)
{
    enum { TOO_MANY_TO_NAME = 1 << 20 };
    return listed->everything || listed->records.count > TOO_MANY_TO_NAME || listed->edges.count > TOO_MANY_TO_NAME;
}

static void list_batch(const struct mpi *mpi, struct listed *listed)
{
    listed->everything = mpi->changed.unlisted;
    for (size_t i = 0; i < mpi->steps.count && !is_everything(listed); i++)
        list_step(listed, &mpi->steps.at[i]);
    if (is_everything(listed)) {
        listed_fini(listed);
        listed->everything = true;
    }
    size_t records = 0, edges = 0;
    if (listed->records.count > 1)
        qsort(listed->records.at, listed->records.count, sizeof *listed->records.at, order_records);
    if (listed->edges.count > 1)
        qsort(listed->edges.at, listed->edges.count, sizeof *listed->edges.at, order_pairs);
    for (size_t i = 0; i < listed->records.count; i++)
        if (i == 0 || listed->records.at[i] != listed->records.at[records - 1])
            listed->records.at[records++] = listed->records.at[i];
    for (size_t i = 0; i < listed->edges.count; i++)
        if (i == 0 || order_pairs(&listed->edges.at[i], &listed->edges.at[edges - 1]) != 0)
            listed->edges.at[edges++] = listed->edges.at[i];
    listed->records.count = records;
    listed->edges.count = edges;
}

/* ---- rows ---- */

static void encode_listed(struct buf *out, uint64_t tag, uint64_t seq, const struct listed *listed)
{
    buf_put_u64(out, tag);
    buf_put_u64(out, seq);
    buf_put_byte(out, listed->everything);
    buf_put_varint(out, listed->records.count);
    uint32_t last = 0;
    for (size_t i = 0; i < listed->records.count; last = listed->records.at[i++])
        buf_put_varint(out, listed->records.at[i] - last);
    buf_put_varint(out, listed->edges.count);
    last = 0;
    for (size_t i = 0; i < listed->edges.count; last = listed->edges.at[i++].left) {
        buf_put_varint(out, listed->edges.at[i].left - last);
        buf_put_varint(out, listed->edges.at[i].right - listed->edges.at[i].left);
    }
}

static uint64_t new_tag(void)
{
    uint64_t tag;
    INVARIANT(getentropy(&tag, sizeof tag) == 0);
    return tag;
}

/* The two newest stay: a save that begins now is of the one before this batch. */
static void prune(struct mpi *mpi, struct data_txn *txn)
{
    struct changed *changed = &mpi->changed;
    uint64_t wanted = __atomic_load_n(&changed->wanted, __ATOMIC_ACQUIRE);
    for (int i = 0; i < PRUNE_ROWS && changed->first < wanted && changed->first + 1 < changed->newest.number; i++) {
        struct key key = key_1(changed->first++);
        data_txn_delete(txn, mpi->listed, key_str(&key));
    }
}

void mpi_note_changes(struct mpi *mpi, struct data_txn *txn, uint64_t applied_seq)
{
    struct changed *changed = &mpi->changed;
    SCOPED(listed_fini) struct listed listed = {0};
    SCOPED(buf_fini) struct buf row = {0};
    list_batch(mpi, &listed);
    bool nothing = listed.records.count == 0 && listed.edges.count == 0 && !listed.everything;
    if (!(nothing && changed->nothing))
        changed->newest = (struct moment){changed->newest.number + 1, new_tag()};
    if (changed->first == 0)
        changed->first = changed->newest.number;
    struct key key = key_1(changed->newest.number);
    encode_listed(&row, changed->newest.tag, applied_seq, &listed);
    data_txn_put(txn, mpi->listed, key_str(&key), buf_str(&row));
    prune(mpi, txn);
    changed->nothing = nothing;
    changed->unlisted = false;
    changed->noted = mpi->steps.count;
    uint64_t records = listed.everything ? mpi->applied.records : listed.records.count;
    __atomic_add_fetch(&changed->records, records, __ATOMIC_RELAXED);
}

void changed_publish(struct mpi *mpi)
{
    INVARIANT(mpi->store == NULL || mpi->changed.noted == mpi->steps.count); /* else a save would miss it */
    mpi->changed.noted = 0;
    mpi->changed.shown = mpi->changed.newest;
}

/* ---- reading ---- */

struct reading {
    struct mpi *mpi;
    struct ctx *cx;
    struct moment moment; /* of the row read last */
    uint64_t seq;
    bool nothing;
    struct since *since; /* NULL: only which row it is */
    struct moment from;
    bool met; /* the row of `from` */
    status failed;
};

static void add_since(struct since *since, uint64_t record, bool *bad)
{
    *bad |= record > UINT32_MAX;
    if (*bad || record > since->record_max) /* it was taken back again: only known records are changed */
        return;
    uint8_t *at = &since->records[record / 8], bit = (uint8_t)(1 << record % 8);
    since->count += !(*at & bit);
    *at |= bit;
}

static void take_lists(struct cut *cut, struct since *since)
{
    uint64_t count = cut_varint(cut), last = 0;
    for (uint64_t i = 0; i < count && !cut->bad; i++)
        add_since(since, last += cut_varint(cut), &cut->bad);
    count = cut_varint(cut);
    last = 0;
    for (uint64_t i = 0; i < count && !cut->bad; i++) {
        last += cut_varint(cut);
        uint64_t right = last + cut_varint(cut);
        cut->bad |= last == 0 || right <= last || right > UINT32_MAX;
        if (!cut->bad && right <= since->record_max)
            *VEC_ADD(&since->edges) = (struct pair){(uint32_t)last, (uint32_t)right};
    }
}

static bool take_row(void *arg, struct str key, struct str row)
{
    enum { EMPTY_ROW_BYTES = 8 + 8 + 1 + 1 + 1 };
    struct reading *reading = arg;
    struct cut cut = {.rest = row};
    reading->moment = (struct moment){key_part(key, 0), cut_u64(&cut)};
    reading->seq = cut_u64(&cut);
    bool everything = cut_u8(&cut) != 0;
    reading->nothing = row.len == EMPTY_ROW_BYTES && !everything;
    struct since *since = reading->since;
    if (since && reading->moment.number > reading->from.number) {
        since->everything |= everything;
        take_lists(&cut, since);
        cut.bad |= cut.rest.len > 0;
    }
    reading->met |= reading->moment.number == reading->from.number && reading->moment.tag == reading->from.tag;
    cut.bad |= key.len != sizeof(uint64_t) || reading->moment.number == 0;
    if (cut.bad)
        reading->failed = ctx_fail(reading->cx, &mpi_reasons[MPI_ROW_BAD], "table mpi.changed");
    return !cut.bad && since != NULL;
}

status changed_open(struct mpi *mpi, struct ctx *cx)
{
    struct reading newest = {.mpi = mpi, .cx = cx}, first = {.mpi = mpi, .cx = cx};
    TRY(data_scan_back(mpi->listed, cx, STR_NONE, STR_NONE, take_row, &newest));
    TRY(newest.failed);
    TRY(data_scan(mpi->listed, cx, STR_NONE, STR_NONE, take_row, &first));
    TRY(first.failed);
    mpi->changed = (struct changed){.newest = newest.moment,
                                    .shown = newest.moment,
                                    .first = first.moment.number,
                                    .nothing = newest.nothing,
                                    .unlisted = newest.seq != data_applied_seq(mpi->store),
                                    .wanted = CHANGED_UNWANTED};
    return STATUS_OK;
}

status changed_since(struct mpi *mpi, struct ctx *cx, struct moment moment, struct since *out_since)
{
    uint64_t records = data_rows(mpi->records);
    struct since since = {.record_max = records < BLOCK_RECORD_MAX ? (uint32_t)records : BLOCK_RECORD_MAX};
    since.records = mem_alloc(since.record_max / 8 + 1);
    struct reading reading = {.mpi = mpi, .cx = cx, .since = &since, .from = moment};
    struct key from = key_1(moment.number);
    status read = data_scan(mpi->listed, cx, STR_NONE, key_str(&from), take_row, &reading);
    if (read == STATUS_OK)
        read = reading.failed;
    since.unknown = !reading.met || mpi->changed.unlisted;
    *out_since = since;
    return read;
}

void since_fini(struct since *since)
{
    mem_free(since->records);
    VEC_FINI(&since->edges);
    *since = (struct since){0};
}
