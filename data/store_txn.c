/*
 * The one writer's transaction: an overlay in memory, applied at commit (store_commit.c).
 */
#include "store_txn_internal.h"

#include "base/invariant.h"

#include <stdlib.h>

static const size_t TXN_BYTES_MAX = (size_t)16 << 30; /* callers bound their batches */

struct data_txn *data_txn_begin(struct data_store *store)
{
    struct data_txn *txn = mem_alloc(sizeof *txn);
    txn->store = store;
    arena_init(&txn->arena, TXN_BYTES_MAX);
    txn->tables = mem_array(store->table_count, sizeof *txn->tables);
    txn->changes = mem_array(store->table_count, sizeof *txn->changes);
    return txn;
}

void data_txn_abort(struct data_txn *txn)
{
    if (txn == NULL)
        return;
    for (size_t i = 0; i < txn->store->table_count; i++) {
        VEC_FINI(&txn->tables[i].ops);
        store_change_fini(&txn->changes[i]);
    }
    mem_free(txn->tables);
    mem_free(txn->changes);
    VEC_FINI(&txn->ops);
    VEC_FINI(&txn->undo);
    map_fini(&txn->by_key);
    buf_fini(&txn->scratch);
    arena_fini(&txn->arena);
    mem_free(txn);
}

static struct str hash_key(struct data_txn *txn, const struct data_table *table, struct str key)
{
    buf_clear(&txn->scratch);
    buf_put_u16(&txn->scratch, (uint16_t)table->number);
    buf_put_str(&txn->scratch, key);
    return buf_str(&txn->scratch);
}

static const struct op *find(struct data_txn *txn, const struct data_table *table, struct str key)
{
    uint64_t *index = map_get(&txn->by_key, hash_key(txn, table, key));
    const struct op *op = index ? &txn->ops.at[*index] : NULL;
    return op && op->kind != OP_NOTHING ? op : NULL;
}

static void set(struct data_txn *txn, struct data_table *table, struct str key, enum op_kind kind, struct str row)
{
    INVARIANT(table->store == txn->store && table->number < txn->store->table_count);
    bool added;
    uint64_t *index = map_put(&txn->by_key, hash_key(txn, table, key), &added);
    if (added) {
        *index = txn->ops.count;
        *VEC_ADD(&txn->ops) = (struct op){.key = arena_str(&txn->arena, key), .table = table->number};
        *VEC_ADD(&txn->tables[table->number].ops) = (uint32_t)*index;
    }
    struct op *op = &txn->ops.at[*index];
    *VEC_ADD(&txn->undo) = (struct undo){.op = (uint32_t)*index, .kind = op->kind, .row = op->row};
    txn->work.puts++;
    txn->work.bytes += key.len + row.len;
    txn->work.put_bytes += key.len + row.len;
    op->kind = kind;
    op->row = kind == OP_PUT ? arena_str(&txn->arena, row) : STR_NONE;
}

void data_txn_put(struct data_txn *txn, struct data_table *table, struct str key, struct str row)
{
    set(txn, table, key, OP_PUT, row);
}

void data_txn_delete(struct data_txn *txn, struct data_table *table, struct str key)
{
    set(txn, table, key, OP_DELETE, STR_NONE);
}

size_t data_txn_bytes(const struct data_txn *txn)
{
    return txn->arena.used;
}

struct data_txn_work data_txn_work(const struct data_txn *txn)
{
    return txn->work;
}

size_t data_txn_mark(struct data_txn *txn)
{
    return txn->undo.count;
}

void data_txn_undo_to(struct data_txn *txn, size_t mark)
{
    INVARIANT(mark <= txn->undo.count);
    while (txn->undo.count > mark) {
        struct undo undo = txn->undo.at[--txn->undo.count];
        txn->ops.at[undo.op].kind = undo.kind;
        txn->ops.at[undo.op].row = undo.row;
    }
}

static status get(struct data_txn *txn, struct data_table *table, struct ctx *cx, struct str key, struct str *out_row)
{
    const struct op *op = find(txn, table, key);
    if (op == NULL) /* the writer alone commits, but the cache behind is shared: same rules as for readers */
        return data_get(table, cx, key, out_row);
    if (op->kind == OP_DELETE) {
        cx->reason = &data_reasons[DATA_ROW_UNKNOWN];
        cx->detail = STR_NONE;
        return STATUS_NOT_FOUND;
    }
    *out_row = arena_str(cx->arena, op->row); /* a copy: later puts must not change what the caller holds */
    return STATUS_OK;
}

status data_txn_get(struct data_txn *txn, struct data_table *table, struct ctx *cx, struct str key, struct str *out_row)
{
    status got = get(txn, table, cx, key, out_row);
    txn->work.gets++;
    txn->work.bytes += got == STATUS_OK ? out_row->len : 0;
    return got;
}

static int by_key(const void *left, const void *right, void *arg)
{
    const struct op *ops = arg;
    return str_cmp(ops[*(const uint32_t *)left].key, ops[*(const uint32_t *)right].key);
}

/* The new tail is sorted and merged in from behind. */
void store_txn_sort(struct data_txn *txn, struct touched *touched)
{
    size_t count = touched->ops.count, tail = count - touched->sorted;
    if (tail == 0)
        return;
    uint32_t *at = touched->ops.at;
    qsort_r(at + touched->sorted, tail, sizeof *at, by_key, txn->ops.at);
    uint32_t *fresh = mem_copy(at + touched->sorted, tail * sizeof *at);
    size_t left = touched->sorted, to = count;
    while (tail > 0) {
        if (left > 0 && by_key(&at[left - 1], &fresh[tail - 1], txn->ops.at) > 0)
            at[--to] = at[--left];
        else
            at[--to] = fresh[--tail];
    }
    mem_free(fresh);
    touched->sorted = count;
}

size_t store_txn_first_at_or_after(const struct data_txn *txn, const struct touched *touched, struct str key)
{
    size_t low = 0, high = touched->ops.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(txn->ops.at[touched->ops.at[middle]].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct merge {
    struct data_txn *txn;
    struct touched *touched;
    size_t next; /* op not visited yet */
    struct str prefix;
    data_visit_fn *visit;
    void *arg;
    bool stopped;
};

/* Visit the transaction's own rows with keys before `key` (STR_NONE data = all left). */
static void visit_own_before(struct merge *merge, struct str key)
{
    while (!merge->stopped && merge->next < merge->touched->ops.count) {
        const struct op *op = &merge->txn->ops.at[merge->touched->ops.at[merge->next]];
        if (!str_starts(op->key, merge->prefix) || (key.data && str_cmp(op->key, key) >= 0))
            return;
        merge->next++;
        if (op->kind == OP_PUT && !merge->visit(merge->arg, op->key, op->row))
            merge->stopped = true;
    }
}

static bool visit_committed(void *arg, struct str key, struct str row)
{
    struct merge *merge = arg;
    visit_own_before(merge, key);
    if (merge->stopped)
        return false;
    if (merge->next < merge->touched->ops.count) {
        const struct op *op = &merge->txn->ops.at[merge->touched->ops.at[merge->next]];
        if (op->kind != OP_NOTHING && str_eq(op->key, key)) {
            merge->next++;
            if (op->kind == OP_DELETE)
                return true;
            merge->stopped = !merge->visit(merge->arg, op->key, op->row);
            return !merge->stopped;
        }
    }
    merge->stopped = !merge->visit(merge->arg, key, row);
    return !merge->stopped;
}

status data_txn_scan(struct data_txn *txn, struct data_table *table, struct ctx *cx, struct str prefix,
                     data_visit_fn *visit, void *arg)
{
    struct touched *touched = &txn->tables[table->number];
    store_txn_sort(txn, touched);
    struct merge merge = {.txn = txn,
                          .touched = touched,
                          .prefix = prefix,
                          .visit = visit,
                          .arg = arg,
                          .next = store_txn_first_at_or_after(txn, touched, prefix)};
    TRY(data_scan(table, cx, prefix, STR_NONE, visit_committed, &merge));
    visit_own_before(&merge, STR_NONE);
    return STATUS_OK;
}
