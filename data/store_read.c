#include "store_internal.h"

#include "base/crypto/digest.h"
#include "base/invariant.h"

#include <endian.h>
#include <stdlib.h>

enum { ROW_ON_STACK_BYTES = 4096, ROWS_AT_ONCE_BYTES = 256 * 1024 };

static void unlock(pthread_rwlock_t **lock)
{
    pthread_rwlock_unlock(*lock);
}

static pthread_rwlock_t *share(struct data_store *store)
{
    pthread_rwlock_rdlock(&store->lock);
    return &store->lock;
}

status store_get_locked(struct data_table *table, struct ctx *cx, struct str key, struct str *out_row)
{
    char first[ROW_ON_STACK_BYTES];
    DBT key_dbt = store_dbt(key);
    DBT row = {.data = first, .ulen = sizeof first, .flags = DB_DBT_USERMEM};
    int error = table->db->get(table->db, NULL, &key_dbt, &row, 0);
    if (error == DB_BUFFER_SMALL) {
        row.ulen = row.size;
        row.data = arena_alloc(cx->arena, row.size);
        error = table->db->get(table->db, NULL, &key_dbt, &row, 0);
    }
    if (error == DB_NOTFOUND) {
        cx->reason = &data_reasons[DATA_ROW_UNKNOWN]; /* cheap on purpose: absent rows are an everyday answer */
        cx->detail = STR_NONE;
        return STATUS_NOT_FOUND;
    }
    if (error != 0)
        return store_fail(cx, table->name, error);
    *out_row = row.data == first ? arena_str(cx->arena, str_make(first, row.size)) : str_make(row.data, row.size);
    return STATUS_OK;
}

status data_get(struct data_table *table, struct ctx *cx, struct str key, struct str *out_row)
{
    SCOPED(unlock) pthread_rwlock_t *lock = share(table->store);
    (void)lock;
    return store_get_locked(table, cx, key, out_row);
}

void data_view_begin(struct data_store *store, struct data_view *out_view)
{
    pthread_rwlock_rdlock(&store->lock);
    out_view->store = store;
}

void data_view_end(struct data_view *view)
{
    if (view->store)
        pthread_rwlock_unlock(&view->store->lock);
    view->store = NULL;
}

status data_view_get(const struct data_view *view, struct data_table *table, struct ctx *cx, struct str key,
                     struct str *out_row)
{
    INVARIANT(view->store == table->store);
    return store_get_locked(table, cx, key, out_row);
}

uint64_t data_view_rows(const struct data_view *view, struct data_table *table)
{
    INVARIANT(view->store == table->store);
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct store_cursor cursor;
    uint64_t rows = 0;
    struct str key, row;
    if (store_cursor_open(table, &cx, &cursor) != STATUS_OK)
        return 0;
    for (status moved = store_cursor_move(&cursor, &cx, DB_FIRST, STR_NONE, &key, &row); moved == STATUS_OK;
         moved = store_cursor_move(&cursor, &cx, DB_NEXT, STR_NONE, &key, &row))
        rows++;
    store_cursor_close(&cursor);
    arena_fini(&arena);
    return rows;
}

void store_cursor_close(struct store_cursor *cursor)
{
    if (cursor->dbc)
        cursor->dbc->close(cursor->dbc);
    free(cursor->key.data);
    free(cursor->row.data);
    *cursor = (struct store_cursor){0};
}

status store_cursor_open(struct data_table *table, struct ctx *cx, struct store_cursor *cursor)
{
    *cursor = (struct store_cursor){.key = {.flags = DB_DBT_REALLOC}, .row = {.flags = DB_DBT_REALLOC}};
    int error = table->db->cursor(table->db, NULL, &cursor->dbc, 0);
    if (error == 0)
        return STATUS_OK;
    cursor->dbc = NULL;
    return store_fail(cx, table->name, error);
}

status store_cursor_move(struct store_cursor *cursor, struct ctx *cx, uint32_t how, struct str from,
                         struct str *out_key, struct str *out_row)
{
    if (how == DB_SET_RANGE) { /* the key goes in and the found one comes out of the same DBT */
        void *room = realloc(cursor->key.data, from.len ? from.len : 1);
        if (room == NULL)
            mem_panic("memory", "none left");
        if (from.len)
            memcpy(room, from.data, from.len);
        cursor->key.data = room;
        cursor->key.size = (uint32_t)from.len;
    }
    int error = cursor->dbc->get(cursor->dbc, &cursor->key, &cursor->row, how);
    if (error == DB_NOTFOUND)
        return STATUS_NOT_FOUND;
    if (error != 0)
        return store_fail(cx, "read a table", error);
    *out_key = str_make(cursor->key.data, cursor->key.size);
    *out_row = str_make(cursor->row.data, cursor->row.size);
    return STATUS_OK;
}

/* Past the last row is how a scan ends well. */
static status end_of_scan(status moved)
{
    return moved == STATUS_NOT_FOUND ? STATUS_OK : moved;
}

status data_scan(struct data_table *table, struct ctx *cx, struct str prefix, struct str from, data_visit_fn *visit,
                 void *arg)
{
    SCOPED(unlock) pthread_rwlock_t *lock = share(table->store);
    (void)lock;
    SCOPED(store_cursor_close) struct store_cursor cursor;
    TRY(store_cursor_open(table, cx, &cursor));
    struct str key, row;
    struct str begin = str_cmp(from, prefix) > 0 ? from : prefix;
    status moved = store_cursor_move(&cursor, cx, DB_SET_RANGE, begin, &key, &row);
    while (moved == STATUS_OK && str_starts(key, prefix) && visit(arg, key, row))
        moved = store_cursor_move(&cursor, cx, DB_NEXT, STR_NONE, &key, &row);
    return end_of_scan(moved);
}

/* Up to a bufferful of rows; grows the buffer for a row that does not fit by itself. */
static int read_many(DBC *dbc, DBT *rows)
{
    for (;;) {
        DBT key = {0};
        int error = dbc->get(dbc, &key, rows, DB_MULTIPLE_KEY | DB_NEXT);
        if (error != DB_BUFFER_SMALL)
            return error;
        uint32_t need = rows->size + ROWS_AT_ONCE_BYTES; /* with what is kept about each row */
        rows->ulen = need - need % 1024;                 /* Berkeley DB asks for whole KiB */
        rows->data = mem_grow(rows->data, rows->ulen, 1);
    }
}

static bool visit_many(DBT *rows, data_visit_fn *visit, void *arg)
{
    void *at;
    DB_MULTIPLE_INIT(at, rows);
    for (;;) {
        void *key, *row;
        size_t key_len, row_len;
        DB_MULTIPLE_KEY_NEXT(at, rows, key, key_len, row, row_len);
        if (at == NULL)
            return true;
        if (!visit(arg, str_make(key, key_len), str_make(row, row_len)))
            return false;
    }
}

status data_scan_all(struct data_table *table, struct ctx *cx, data_visit_fn *visit, void *arg)
{
    SCOPED(unlock) pthread_rwlock_t *lock = share(table->store);
    (void)lock;
    SCOPED(store_cursor_close) struct store_cursor cursor;
    TRY(store_cursor_open(table, cx, &cursor));
    DBT rows = {.data = mem_alloc(ROWS_AT_ONCE_BYTES), .ulen = ROWS_AT_ONCE_BYTES, .flags = DB_DBT_USERMEM};
    int error;
    do
        error = read_many(cursor.dbc, &rows);
    while (error == 0 && visit_many(&rows, visit, arg));
    mem_free(rows.data);
    return error == 0 || error == DB_NOTFOUND ? STATUS_OK : store_fail(cx, table->name, error);
}

/* The first key after everything that starts with `prefix`, in the arena; false when there is none. */
static bool after_prefix(struct arena *arena, struct str prefix, struct str *out_key)
{
    size_t len = prefix.len;
    while (len > 0 && (uint8_t)prefix.data[len - 1] == 0xff)
        len--;
    if (len == 0)
        return false;
    struct str key = arena_str(arena, str_sub(prefix, 0, len));
    ((char *)key.data)[len - 1]++;
    *out_key = key;
    return true;
}

/* Stand on the last row that is `from` or before it, within the prefix. */
static status begin_back(struct store_cursor *cursor, struct ctx *cx, struct str prefix, struct str from,
                         struct str *out_key, struct str *out_row)
{
    struct str bound = STR_NONE;
    bool bounded = after_prefix(cx->arena, prefix, &bound);
    bool inclusive = from.data != NULL && (!bounded || str_cmp(from, bound) < 0);
    if (inclusive)
        bound = from;
    else if (!bounded)
        return store_cursor_move(cursor, cx, DB_LAST, STR_NONE, out_key, out_row);
    struct str key, row;
    status moved = store_cursor_move(cursor, cx, DB_SET_RANGE, bound, &key, &row);
    if (moved == STATUS_NOT_FOUND)
        return store_cursor_move(cursor, cx, DB_LAST, STR_NONE, out_key, out_row);
    TRY(moved);
    if (inclusive && str_eq(key, bound)) {
        *out_key = key;
        *out_row = row;
        return STATUS_OK;
    }
    return store_cursor_move(cursor, cx, DB_PREV, STR_NONE, out_key, out_row);
}

status data_scan_back(struct data_table *table, struct ctx *cx, struct str prefix, struct str from,
                      data_visit_fn *visit, void *arg)
{
    SCOPED(unlock) pthread_rwlock_t *lock = share(table->store);
    (void)lock;
    SCOPED(store_cursor_close) struct store_cursor cursor;
    TRY(store_cursor_open(table, cx, &cursor));
    struct str key, row;
    status moved = begin_back(&cursor, cx, prefix, from, &key, &row);
    while (moved == STATUS_OK && str_starts(key, prefix) && visit(arg, key, row))
        moved = store_cursor_move(&cursor, cx, DB_PREV, STR_NONE, &key, &row);
    return end_of_scan(moved);
}

static bool count_row(void *arg, struct str key, struct str row)
{
    (void)key, (void)row;
    ++*(uint64_t *)arg;
    return true;
}

status data_count(struct data_table *table, struct ctx *cx, uint64_t *out_rows)
{
    uint64_t rows = 0;
    TRY(data_scan_all(table, cx, count_row, &rows));
    *out_rows = rows;
    return STATUS_OK;
}

static void hash_bytes(struct crypto_sha256 *hash, struct str bytes)
{
    uint64_t len = htobe64(bytes.len); /* so that no two different tables hash as the same run of bytes */
    crypto_sha256_update(hash, &len, sizeof len);
    crypto_sha256_update(hash, bytes.data, bytes.len);
}

static bool hash_row(void *arg, struct str key, struct str row)
{
    hash_bytes(arg, key);
    hash_bytes(arg, row);
    return true;
}

status data_digest(struct data_store *store, struct ctx *cx, uint8_t out_digest[32])
{
    struct crypto_sha256 hash;
    crypto_sha256_init(&hash);
    for (size_t i = 0; i < store->table_count; i++) {
        hash_bytes(&hash, str_from(store->tables[i].name));
        TRY(data_scan_all(&store->tables[i], cx, hash_row, &hash));
    }
    crypto_sha256_final(&hash, out_digest);
    return STATUS_OK;
}
