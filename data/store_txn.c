/*
 * The one writer's transaction: an overlay in memory, applied at commit.
 *
 * Every change is an op: table, key, and what the key shall be. Ops are found by hash; per table they are also kept
 * sorted, lazily: new ones wait in a tail until somebody scans or commits. An undo log remembers what each put
 * replaced.
 */
#include "store_internal.h"

#include "base/clock.h"
#include "base/invariant.h"

#include <stdlib.h>

enum op_kind { OP_NOTHING, OP_PUT, OP_DELETE };

struct op {
    struct str key, row; /* in the transaction's arena */
    uint32_t table;
    enum op_kind kind; /* OP_NOTHING: undone, the committed row shows through */
    bool there;        /* a row with this key is committed: known when looked ahead */
};

struct undo {
    uint32_t op;
    enum op_kind kind;
    struct str row;
};

struct touched {
    VEC(uint32_t) ops; /* indexes of this table's ops; the first `sorted` are in key order */
    size_t sorted;
};

struct data_txn {
    struct data_store *store;
    struct arena arena;
    struct map by_key; /* table number, key → index into ops */
    VEC(struct op) ops;
    VEC(struct undo) undo;
    struct data_txn_work work;
    struct touched *tables;
    struct store_change *changes; /* per table; known when looked ahead */
    struct buf scratch;
};

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

/* Sort the new tail and merge it in from behind. */
static void sort_ops(struct data_txn *txn, struct touched *touched)
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

static size_t first_at_or_after(const struct data_txn *txn, const struct touched *touched, struct str key)
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
    sort_ops(txn, touched);
    struct merge merge = {.txn = txn,
                          .touched = touched,
                          .prefix = prefix,
                          .visit = visit,
                          .arg = arg,
                          .next = first_at_or_after(txn, touched, prefix)};
    TRY(data_scan(table, cx, prefix, STR_NONE, visit_committed, &merge));
    visit_own_before(&merge, STR_NONE);
    return STATUS_OK;
}

static void must(int error)
{
    if (error != 0)
        mem_panic("store commit", db_strerror(error));
}

/* Rows that lie on pages of their own: Berkeley DB keeps longer ones than a quarter of a page so. */
enum { OWN_PAGES_BYTES = STORE_PAGE_BYTES / 4 };

/* Is the row there? Afterwards every page that a change of it needs is in the cache. */
static bool look_at(DB *db, struct str key)
{
    DBT key_dbt = store_dbt(key), row = {.flags = DB_DBT_USERMEM}; /* no room: only its length comes back */
    int error = db->get(db, NULL, &key_dbt, &row, 0);
    if (error == DB_NOTFOUND)
        return false;
    must(error == DB_BUFFER_SMALL ? 0 : error);
    if (row.size > OWN_PAGES_BYTES) {
        row = (DBT){.data = mem_grow(NULL, row.size, 1), .ulen = row.size, .flags = DB_DBT_USERMEM};
        must(db->get(db, NULL, &key_dbt, &row, 0));
        mem_free(row.data);
    }
    return true;
}

/* Many keys are of entries that just came: past the last row there is nothing to look at. */
static bool is_there(const struct data_table *table, struct str key)
{
    return !table->empty && str_cmp(key, buf_str(&table->bound)) <= 0 && look_at(table->db, key);
}

/* Ops are in the order of their keys. */
static void raise_bound(struct data_table *table, const struct op *last)
{
    if (!table->empty && str_cmp(last->key, buf_str(&table->bound)) <= 0)
        return;
    buf_clear(&table->bound);
    buf_put_str(&table->bound, last->key);
    table->empty = false;
}

/* How many rows there are more by it. */
static int rows_by(const struct op *op)
{
    return op->kind == OP_NOTHING ? 0 : (op->kind == OP_PUT) - op->there;
}

/*
 * What is there already of what will be changed: rows are counted by it, and the disk is waited for here, while readers
 * still come and go, not in the commit. Without the lock: tables change only by this thread.
 */
static void look_ahead(struct data_txn *txn, size_t table_number)
{
    struct data_table *table = &txn->store->tables[table_number];
    struct touched *touched = &txn->tables[table_number];
    sort_ops(txn, touched); /* neighbours share pages; and no address decides the order */
    for (size_t i = 0; i < touched->ops.count; i++) {
        struct op *op = &txn->ops.at[touched->ops.at[i]];
        if (op->kind == OP_NOTHING)
            continue;
        op->there = is_there(table, op->key);
        if (rows_by(op) != 0)
            store_change_note(&txn->changes[table_number], table, op->key, rows_by(op));
    }
    if (touched->ops.count > 0)
        raise_bound(table, &txn->ops.at[touched->ops.at[touched->ops.count - 1]]);
}

static void apply_op(DB *db, DB_TXN *bdb_txn, const struct op *op)
{
    DBT key = store_dbt(op->key), row = store_dbt(op->row);
    if (op->kind == OP_PUT)
        must(db->put(db, bdb_txn, &key, &row, 0));
    if (op->kind == OP_DELETE && op->there)
        must(db->del(db, bdb_txn, &key, 0));
}

static void note_recounts(const struct data_txn *txn)
{
    struct data_store *store = txn->store;
    for (size_t i = 0; store->recounts && i < store->table_count; i++)
        for (size_t k = 0; k < txn->tables[i].ops.count; k++) {
            const struct op *op = &txn->ops.at[txn->tables[i].ops.at[k]];
            if (rows_by(op) != 0)
                store_recounts_note(store, &store->tables[i], op->key, rows_by(op));
        }
}

/* As one Berkeley DB transaction. */
static void apply_ops(struct data_txn *txn, uint64_t applied_seq)
{
    struct data_store *store = txn->store;
    DB_TXN *bdb_txn;
    must(store->env->txn_begin(store->env, NULL, &bdb_txn, DB_TXN_NOSYNC));
    for (size_t i = 0; i < store->table_count; i++)
        for (size_t k = 0; k < txn->tables[i].ops.count; k++)
            apply_op(store->tables[i].db, bdb_txn, &txn->ops.at[txn->tables[i].ops.at[k]]);
    must(store_counts_put(store, bdb_txn, applied_seq, txn->changes));
    must(bdb_txn->commit(bdb_txn, DB_TXN_NOSYNC));
}

void data_txn_commit(struct data_txn *txn, uint64_t applied_seq, data_publish_fn *publish, void *arg)
{
    struct data_store *store = txn->store;
    for (size_t i = 0; i < store->table_count; i++)
        look_ahead(txn, i);
    look_at(store_meta(store)->db, STR("applied"));
    store_must_not_hold(store);
    int64_t asked_us = clock_mono_us();
    store_log_make_room(store, txn->arena.used, txn->ops.count);
    store_commit_begin(store);
    pthread_rwlock_wrlock(&store->lock);
    int64_t got_us = clock_mono_us();
    apply_ops(txn, applied_seq);
    store_counts_show(store, txn->changes);
    note_recounts(txn);
    __atomic_store_n(&store->applied_seq, applied_seq, __ATOMIC_RELEASE);
    store_hold(store);
    if (publish)
        publish(arg);
    store_let_go(store);
    pthread_rwlock_unlock(&store->lock);
    store_commit_end(store);
    store_stats_note(store, got_us - asked_us, clock_mono_us() - got_us);
    data_txn_abort(txn);
}
