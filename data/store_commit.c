/*
 * Committing the writer's transaction, as one transaction of Berkeley DB.
 *
 * Readers and the writer exclude each other, so what a commit does under the lock is as little as can be: pages are
 * read before it, and of a large commit the rows that are new are put in slices. Between slices readers come and go; a
 * row that is there already but not yet shown is one they pass over (store_is_coming()). Rows that are changed or
 * removed, the counts and what memory shows come at the end, at once: so readers see a commit whole or not at all.
 */
#include "store_txn_internal.h"

#include "base/clock.h"

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
    store_txn_sort(txn, touched); /* neighbours share pages; and no address decides the order */
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

/* ---- under the lock ---- */

/* A commit under way. Readers are kept out while it holds the lock, which is once for most. */
struct commit {
    struct data_txn *txn;
    DB_TXN *bdb;
    int64_t asked_us, got_us; /* for the lock */
};

static void keep_readers_out(struct commit *commit)
{
    int64_t began_us = clock_mono_us();
    pthread_rwlock_wrlock(&commit->txn->store->lock);
    commit->got_us = clock_mono_us();
    store_stats_wait(commit->txn->store, DATA_WAIT_READERS, commit->got_us - began_us);
}

/* Whatever else a commit waits for, before its first row. */
static void wait_for_turn(struct commit *commit)
{
    struct data_txn *txn = commit->txn;
    commit->asked_us = clock_mono_us();
    store_log_make_room(txn->store, txn->arena.used, txn->ops.count);
    int64_t room_us = clock_mono_us();
    store_commit_begin(txn->store);
    store_stats_wait(txn->store, DATA_WAIT_LOG, room_us - commit->asked_us);
    store_stats_wait(txn->store, DATA_WAIT_CHECKPOINT, clock_mono_us() - room_us);
}

static void let_readers_in(struct commit *commit)
{
    pthread_rwlock_unlock(&commit->txn->store->lock);
    int64_t now_us = clock_mono_us();
    store_stats_note(commit->txn->store, commit->got_us - commit->asked_us, now_us - commit->got_us);
    commit->asked_us = now_us;
}

/* No row had its key: until the commit is shown it can be kept from readers. */
static bool is_new_row(const struct op *op)
{
    return op->kind == OP_PUT && !op->there;
}

bool store_is_coming(const struct data_table *table, struct str key)
{
    const struct data_txn *txn = table->store->coming;
    if (txn == NULL || table->number >= table->store->table_count)
        return false;
    const struct touched *touched = &txn->tables[table->number];
    size_t at = store_txn_first_at_or_after(txn, touched, key);
    if (at == touched->ops.count)
        return false;
    const struct op *op = &txn->ops.at[touched->ops.at[at]];
    return is_new_row(op) && str_eq(op->key, key);
}

static void between_slices(void)
{
}

void (*store_between_slices)(void) = between_slices;

/* A slice: some hundred microseconds. A row is not cut. */
enum { SLICE_ROWS = 256, SLICE_BYTES = 256 * 1024 };

static bool is_large(const struct data_txn *txn)
{
    return txn->ops.count > 2 * SLICE_ROWS || txn->arena.used > 2 * SLICE_BYTES;
}

/* Rows that are new are put first, readers let in between, who pass over them. */
static void put_new_rows(struct commit *commit)
{
    struct data_txn *txn = commit->txn;
    struct data_store *store = txn->store;
    size_t rows = 0, bytes = 0;
    keep_readers_out(commit);
    store->coming = txn;
    for (size_t i = 0; i < store->table_count; i++)
        for (size_t k = 0; k < txn->tables[i].ops.count; k++) {
            const struct op *op = &txn->ops.at[txn->tables[i].ops.at[k]];
            if (!is_new_row(op))
                continue;
            apply_op(store->tables[i].db, commit->bdb, op);
            bytes += op->key.len + op->row.len;
            if (++rows < SLICE_ROWS && bytes < SLICE_BYTES)
                continue;
            rows = bytes = 0;
            let_readers_in(commit);
            store_between_slices();
            keep_readers_out(commit);
        }
    let_readers_in(commit);
    store_between_slices();
}

static void put_rows(struct commit *commit, bool also_new)
{
    struct data_txn *txn = commit->txn;
    for (size_t i = 0; i < txn->store->table_count; i++)
        for (size_t k = 0; k < txn->tables[i].ops.count; k++) {
            const struct op *op = &txn->ops.at[txn->tables[i].ops.at[k]];
            if (also_new || !is_new_row(op))
                apply_op(txn->store->tables[i].db, commit->bdb, op);
        }
}

/* From here on readers see all of it. */
static void show(struct data_txn *txn, uint64_t applied_seq, data_publish_fn *publish, void *arg)
{
    struct data_store *store = txn->store;
    store->coming = NULL;
    store_counts_show(store, txn->changes);
    note_recounts(txn);
    __atomic_store_n(&store->applied_seq, applied_seq, __ATOMIC_RELEASE);
    store_hold(store);
    if (publish)
        publish(arg);
    store_let_go(store);
}

void data_txn_commit(struct data_txn *txn, uint64_t applied_seq, data_publish_fn *publish, void *arg)
{
    struct data_store *store = txn->store;
    for (size_t i = 0; i < store->table_count; i++)
        look_ahead(txn, i);
    look_at(store_meta(store)->db, STR("applied"));
    store_must_not_hold(store);
    struct commit commit = {.txn = txn};
    wait_for_turn(&commit);
    must(store->env->txn_begin(store->env, NULL, &commit.bdb, DB_TXN_NOSYNC));
    bool large = is_large(txn);
    if (large)
        put_new_rows(&commit);
    keep_readers_out(&commit);
    put_rows(&commit, !large);
    must(store_counts_put(store, commit.bdb, applied_seq, txn->changes));
    must(commit.bdb->commit(commit.bdb, DB_TXN_NOSYNC));
    show(txn, applied_seq, publish, arg);
    let_readers_in(&commit);
    store_commit_end(store);
    store_stats_commit(store);
    data_txn_abort(txn);
}
