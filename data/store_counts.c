/*
 * How many rows there are, kept with the commit: in memory for whoever asks, and in idem.meta for the next start.
 *
 * The rows of idem.meta: "applied" holds the applied seq, then a hash that says of which tables, then each table's
 * count; "rows", table and group, with zero bytes between, the count of one group. They are written in the transaction
 * whose rows they count, so a crash cannot part them; and an idem that does not count leaves "applied" without counts,
 * so they are never older than the rows.
 */
#include "store_internal.h"

#include "base/invariant.h"
#include "base/log.h"

static const struct str APPLIED_KEY = STR_INIT("applied"), ROWS_KEY = STR_INIT("rows");

static struct str group_of(struct str key)
{
    ptrdiff_t zero = str_find(key, 0);
    return zero < 0 ? key : str_sub(key, 0, (size_t)zero);
}

void store_change_fini(struct store_change *change)
{
    map_fini(&change->groups);
}

void store_change_note(struct store_change *change, const struct data_table *table, struct str key, int64_t by)
{
    change->rows += by;
    if (table->grouped)
        *map_put(&change->groups, group_of(key), NULL) += (uint64_t)by; /* wraps around for what is below 0 */
}

static uint64_t changed_by(uint64_t rows, int64_t by)
{
    INVARIANT(by >= 0 || rows >= (uint64_t)-by);
    return rows + (uint64_t)by;
}

static uint64_t rows_in(const struct data_table *table, struct str group)
{
    const uint64_t *rows = map_get(&table->groups, group);
    return rows ? *rows : 0;
}

/* ---- rows of idem.meta ---- */

/* Another order of tables, or other groups, and the counts are not believed. */
static uint64_t hash_tables(const struct data_store *store)
{
    SCOPED(buf_fini) struct buf names = {0};
    for (size_t i = 0; i < store->table_count; i++) {
        buf_put_lstr(&names, str_from(store->tables[i].name));
        buf_put_byte(&names, store->tables[i].grouped);
    }
    return str_hash(buf_str(&names));
}

static struct str group_key(struct buf *key, const struct data_table *table, struct str group)
{
    buf_clear(key);
    buf_put_str(key, ROWS_KEY);
    buf_put_byte(key, 0);
    buf_put_str(key, str_from(table->name));
    buf_put_byte(key, 0);
    buf_put_str(key, group);
    return buf_str(key);
}

static int put(struct data_store *store, DB_TXN *txn, struct str key, struct str row)
{
    DB *db = store_meta(store)->db;
    DBT key_dbt = store_dbt(key), row_dbt = store_dbt(row);
    return db->put(db, txn, &key_dbt, &row_dbt, 0);
}

static int put_group(struct data_store *store, DB_TXN *txn, struct str key, uint64_t rows)
{
    DB *db = store_meta(store)->db;
    DBT key_dbt = store_dbt(key);
    if (rows == 0) {
        int error = db->del(db, txn, &key_dbt, 0);
        return error == DB_NOTFOUND ? 0 : error;
    }
    SCOPED(buf_fini) struct buf row = {0};
    buf_put_u64(&row, rows);
    return put(store, txn, key, buf_str(&row));
}

static int put_groups(struct data_store *store, DB_TXN *txn, const struct data_table *table,
                      const struct store_change *change)
{
    SCOPED(buf_fini) struct buf key = {0};
    int error = 0;
    for (size_t i = 0; i < change->groups.used && error == 0; i++) {
        const struct map_entry *entry = &change->groups.entries[i];
        if (entry->value != 0)
            error = put_group(store, txn, group_key(&key, table, entry->key),
                              changed_by(rows_in(table, entry->key), (int64_t)entry->value));
    }
    return error;
}

static int put_applied(struct data_store *store, DB_TXN *txn, uint64_t applied_seq, const struct store_change *changes)
{
    SCOPED(buf_fini) struct buf row = {0};
    buf_put_u64(&row, applied_seq);
    buf_put_u64(&row, store->tables_hash);
    for (size_t i = 0; i < store->table_count; i++)
        buf_put_u64(&row, changed_by(store->tables[i].rows, changes[i].rows));
    return put(store, txn, APPLIED_KEY, buf_str(&row));
}

int store_counts_put(struct data_store *store, DB_TXN *txn, uint64_t applied_seq, const struct store_change *changes)
{
    int error = 0;
    for (size_t i = 0; i < store->table_count && error == 0; i++)
        error = put_groups(store, txn, &store->tables[i], &changes[i]);
    return error == 0 ? put_applied(store, txn, applied_seq, changes) : error;
}

static void show_groups(struct data_table *table, const struct store_change *change)
{
    for (size_t i = 0; i < change->groups.used; i++) {
        const struct map_entry *entry = &change->groups.entries[i];
        if (entry->value == 0)
            continue;
        uint64_t rows = changed_by(rows_in(table, entry->key), (int64_t)entry->value);
        if (rows == 0)
            map_remove(&table->groups, entry->key);
        else
            *map_put(&table->groups, entry->key, NULL) = rows;
    }
}

void store_counts_show(struct data_store *store, const struct store_change *changes)
{
    for (size_t i = 0; i < store->table_count; i++) {
        struct data_table *table = &store->tables[i];
        __atomic_store_n(&table->rows, changed_by(table->rows, changes[i].rows), __ATOMIC_RELEASE);
        show_groups(table, &changes[i]);
    }
}

/* ---- when a store is opened ---- */

struct counting {
    struct data_table *table;
    struct store_change *change;
};

static bool count_row(void *arg, struct str key, struct str row)
{
    (void)row;
    const struct counting *counting = arg;
    store_change_note(counting->change, counting->table, key, 1);
    return true;
}

status store_count_table(struct data_table *table, struct ctx *cx, struct store_change *change)
{
    struct counting counting = {table, change};
    return data_scan_all(table, cx, count_row, &counting);
}

bool store_counts_equal(const struct data_table *table, const struct store_change *counted)
{
    if (table->rows != (uint64_t)counted->rows || table->groups.count != counted->groups.count)
        return false;
    for (size_t i = 0; i < counted->groups.used; i++)
        if (rows_in(table, counted->groups.entries[i].key) != counted->groups.entries[i].value)
            return false;
    return true;
}

/* False when there are no counts, or they tell of other tables. */
static bool decode_counts(struct data_store *store, struct str row)
{
    struct cut cut = {.rest = row};
    cut_u64(&cut); /* the applied seq */
    if (cut_u64(&cut) != store->tables_hash)
        return false;
    for (size_t i = 0; i < store->table_count; i++)
        store->tables[i].rows = cut_u64(&cut);
    return !cut.bad && cut.rest.len == 0;
}

bool store_counts_know(struct data_store *store, struct ctx *cx)
{
    struct str row;
    status got = store_get_locked(store_meta(store), cx, APPLIED_KEY, &row);
    ctx_clear(cx);
    struct cut cut = {.rest = got == STATUS_OK ? str_from_at(row, sizeof(uint64_t)) : STR_NONE};
    return cut_u64(&cut) == hash_tables(store) && !cut.bad;
}

static bool load_group(void *arg, struct str key, struct str row)
{
    struct data_store *store = arg;
    struct cut cut = {.rest = row};
    struct str rest = str_from_at(key, ROWS_KEY.len + 1), name = group_of(rest);
    for (size_t i = 0; i < store->table_count; i++)
        if (str_is(name, store->tables[i].name))
            *map_put(&store->tables[i].groups, str_from_at(rest, name.len + 1), NULL) = cut_u64(&cut);
    return true;
}

struct old_groups {
    struct arena arena;
    VEC(struct str) keys;
};

static bool note_key(void *arg, struct str key, struct str row)
{
    (void)row;
    struct old_groups *old = arg;
    *VEC_ADD(&old->keys) = arena_str(&old->arena, key);
    return true;
}

/* Counts of other groups than today's go; then today's are written: one transaction. */
static int replace_counts(struct data_store *store, const struct old_groups *old, const struct store_change *changes)
{
    DB_TXN *txn;
    int error = store->env->txn_begin(store->env, NULL, &txn, DB_TXN_NOSYNC);
    if (error != 0)
        return error;
    for (size_t i = 0; i < old->keys.count && error == 0; i++)
        error = put_group(store, txn, old->keys.at[i], 0);
    if (error == 0)
        error = store_counts_put(store, txn, store->applied_seq, changes);
    if (error != 0) {
        txn->abort(txn);
        return error;
    }
    return txn->commit(txn, DB_TXN_NOSYNC);
}

static status count_all(struct data_store *store, struct ctx *cx, struct str prefix, struct store_change *changes)
{
    struct old_groups old = {0};
    uint64_t rows = 0;
    status counted = data_scan(store_meta(store), cx, prefix, STR_NONE, note_key, &old);
    for (size_t i = 0; i < store->table_count && counted == STATUS_OK; i++) {
        store->tables[i].rows = 0; /* the groups are empty: nothing was loaded */
        counted = store_count_table(&store->tables[i], cx, &changes[i]);
        rows += (uint64_t)changes[i].rows;
    }
    int error = counted == STATUS_OK ? replace_counts(store, &old, changes) : 0;
    if (counted == STATUS_OK && error != 0)
        counted = store_fail(cx, "idem.meta", error);
    if (counted == STATUS_OK) {
        store_counts_show(store, changes);
        if (rows > 0)
            log_event(LOG_INFO, "store.counted", LOG_NUM("rows", rows));
    }
    VEC_FINI(&old.keys);
    arena_fini(&old.arena);
    return counted;
}

status store_counts_open(struct data_store *store, struct ctx *cx)
{
    SCOPED(buf_fini) struct buf prefix = {0};
    buf_put_str(&prefix, ROWS_KEY);
    buf_put_byte(&prefix, 0);
    store->tables_hash = hash_tables(store);
    struct str row;
    TRY(store_get_locked(store_meta(store), cx, APPLIED_KEY, &row));
    if (decode_counts(store, row))
        return data_scan(store_meta(store), cx, buf_str(&prefix), STR_NONE, load_group, store);
    struct store_change *changes = mem_array(store->table_count, sizeof *changes);
    status counted = count_all(store, cx, buf_str(&prefix), changes);
    for (size_t i = 0; i < store->table_count; i++)
        store_change_fini(&changes[i]);
    mem_free(changes);
    return counted;
}

/* ---- for whoever asks ---- */

uint64_t data_rows(struct data_table *table)
{
    return __atomic_load_n(&table->rows, __ATOMIC_ACQUIRE);
}

uint64_t data_view_rows(const struct data_view *view, struct data_table *table)
{
    INVARIANT(view->store == table->store);
    return data_rows(table);
}

uint64_t data_view_rows_in(const struct data_view *view, struct data_table *table, struct str group)
{
    INVARIANT(view->store == table->store && table->grouped);
    return rows_in(table, group);
}
