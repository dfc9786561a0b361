#include "store_internal.h"

#include "base/crypto/digest.h"
#include "base/invariant.h"

#include <endian.h>
#include <stdlib.h>

enum { ROW_ON_STACK_BYTES = 4096 };

/* The store this thread holds in a view, or publishes in: whoever asks it for the lock once more may wait for ever. */
static _Thread_local const struct data_store *held;

void store_hold(const struct data_store *store)
{
    INVARIANT(held == NULL);
    held = store;
}

void store_let_go(const struct data_store *store)
{
    INVARIANT(held == store);
    held = NULL;
}

void store_must_not_hold(const struct data_store *store)
{
    INVARIANT(held != store);
}

struct data_store *store_share(struct data_store *store)
{
    store_must_not_hold(store);
    pthread_rwlock_rdlock(&store->lock);
    return store;
}

void store_unshare(struct data_store **store)
{
    pthread_rwlock_unlock(&(*store)->lock);
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
    if (error == DB_NOTFOUND || (error == 0 && store_is_coming(table, key))) {
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
    SCOPED(store_unshare) struct data_store *shared = store_share(table->store);
    (void)shared;
    return store_get_locked(table, cx, key, out_row);
}

void data_view_begin(struct data_store *store, struct data_view *out_view)
{
    store_share(store);
    store_hold(store);
    out_view->store = store;
}

void data_view_end(struct data_view *view)
{
    if (view->store == NULL)
        return;
    store_let_go(view->store);
    store_unshare(&view->store);
    view->store = NULL;
}

status data_view_get(const struct data_view *view, struct data_table *table, struct ctx *cx, struct str key,
                     struct str *out_row)
{
    INVARIANT(view->store == table->store);
    return store_get_locked(table, cx, key, out_row);
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
    *cursor = (struct store_cursor){.table = table, .key = {.flags = DB_DBT_REALLOC}, .row = {.flags = DB_DBT_REALLOC}};
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
    uint32_t on = how == DB_PREV || how == DB_LAST ? DB_PREV : DB_NEXT;
    while (error == 0 && store_is_coming(cursor->table, str_make(cursor->key.data, cursor->key.size)))
        error = cursor->dbc->get(cursor->dbc, &cursor->key, &cursor->row, on);
    if (error == DB_NOTFOUND)
        return STATUS_NOT_FOUND;
    if (error != 0)
        return store_fail(cx, "read a table", error);
    *out_key = str_make(cursor->key.data, cursor->key.size);
    *out_row = str_make(cursor->row.data, cursor->row.size);
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
