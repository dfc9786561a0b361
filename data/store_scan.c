/*
 * Scans, slice by slice. The lock is held while a slice is copied out, never while its rows are visited; the next slice
 * begins after the last key given. So a scan, however long and however slow its visitor, keeps the writer out for a few
 * pages at a time.
 */
#include "store_internal.h"

#include "base/clock.h"
#include "base/invariant.h"

enum {
    SLICE_BYTES = 32 * 1024, /* two or three pages */
    SLICE_ROWS = 256,
    SLICE_US = 500,
    /* many want only the first: small slices, then larger ones */
    FIRST_BYTES = STORE_PAGE_BYTES, /* at least a page, in whole KiB, says Berkeley DB */
    FIRST_ROWS = 4,
};

/* ---- forward: a slice is one bulk read, at a quarter of the cost of row by row ---- */

struct forward {
    struct data_table *table;
    struct str prefix;
    struct buf from;   /* the first key that may come next */
    DBT rows;          /* the slice */
    struct buf coming; /* a byte for each of its rows: not zero, it is passed over; or nothing, and none is */
    int error;         /* of the last read */
};

static void forward_close(struct forward *scan)
{
    buf_fini(&scan->from);
    buf_fini(&scan->coming);
    mem_free(scan->rows.data);
}

/* Room for a slice, or for one row that is longer: given back after it. */
static void make_room(DBT *rows, uint32_t bytes)
{
    if (rows->ulen == bytes)
        return;
    mem_free(rows->data);
    *rows = (DBT){.data = mem_grow(NULL, bytes, 1), .ulen = bytes, .flags = DB_DBT_USERMEM};
}

/* Which of its rows are of a commit that is not shown yet: known only while the lock is held. */
static void note_coming(struct forward *scan)
{
    buf_clear(&scan->coming);
    if (scan->table->store->coming == NULL)
        return;
    void *at;
    DB_MULTIPLE_INIT(at, &scan->rows);
    for (;;) {
        void *key, *row;
        size_t key_len, row_len;
        DB_MULTIPLE_KEY_NEXT(at, &scan->rows, key, key_len, row, row_len);
        if (at == NULL)
            return;
        (void)row, (void)row_len;
        buf_put_byte(&scan->coming, store_is_coming(scan->table, str_make(key, key_len)));
    }
}

static void read_once(void *arg)
{
    struct forward *scan = arg;
    SCOPED(store_unshare) struct data_store *shared = store_share(scan->table->store);
    (void)shared;
    DBC *cursor;
    scan->error = scan->table->db->cursor(scan->table->db, NULL, &cursor, 0);
    if (scan->error != 0)
        return;
    DBT key = store_dbt(buf_str(&scan->from));
    scan->error = cursor->get(cursor, &key, &scan->rows, DB_MULTIPLE_KEY | DB_SET_RANGE);
    cursor->close(cursor);
    if (scan->error == 0)
        note_coming(scan);
}

static int read_slice(struct forward *scan)
{
    make_room(&scan->rows, scan->rows.ulen == 0 ? FIRST_BYTES : SLICE_BYTES);
    for (;;) {
        store_read_calmly(scan->table->store, read_once, scan);
        int error = scan->error;
        if (error != DB_BUFFER_SMALL)
            return error;
        uint32_t need = scan->rows.size > scan->rows.ulen ? scan->rows.size : scan->rows.ulen;
        make_room(&scan->rows, (need / 1024 + 1) * 1024); /* without the lock; then as the row is by now */
    }
}

/* False when that was all. */
static bool visit_slice(struct forward *scan, data_visit_fn *visit, void *arg)
{
    void *at;
    DB_MULTIPLE_INIT(at, &scan->rows);
    struct str last = STR_NONE;
    for (size_t i = 0;; i++) {
        void *key_bytes, *row;
        size_t key_len, row_len;
        DB_MULTIPLE_KEY_NEXT(at, &scan->rows, key_bytes, key_len, row, row_len);
        if (at == NULL)
            break;
        struct str key = str_make(key_bytes, key_len);
        bool passed_over = i < scan->coming.len && scan->coming.data[i];
        if (!str_starts(key, scan->prefix) || (!passed_over && !visit(arg, key, str_make(row, row_len))))
            return false;
        last = key;
    }
    INVARIANT(last.data != NULL); /* or the scan would never end */
    buf_clear(&scan->from);
    buf_put_str(&scan->from, last);
    buf_put_byte(&scan->from, 0); /* no key lies between one and the same with a zero byte more */
    return true;
}

status data_scan(struct data_table *table, struct ctx *cx, struct str prefix, struct str from, data_visit_fn *visit,
                 void *arg)
{
    SCOPED(forward_close) struct forward scan = {.table = table, .prefix = prefix};
    buf_put_str(&scan.from, str_cmp(from, prefix) > 0 ? from : prefix);
    int error;
    do
        error = read_slice(&scan);
    while (error == 0 && visit_slice(&scan, visit, arg));
    return error == 0 || error == DB_NOTFOUND ? STATUS_OK : store_fail(cx, table->name, error);
}

status data_scan_all(struct data_table *table, struct ctx *cx, data_visit_fn *visit, void *arg)
{
    return data_scan(table, cx, STR_NONE, STR_NONE, visit, arg);
}

/* ---- backward: Berkeley DB reads in bulk only forward ---- */

struct back {
    struct data_table *table;
    struct str prefix;
    struct buf bound; /* rows before it, or it as well */
    bool bounded, inclusive;
    size_t rows_max;
    struct buf slice; /* lengths of key and row, key, row; and so on */
    struct ctx *cx;
    status read; /* how the last slice went */
};

static void back_close(struct back *scan)
{
    buf_fini(&scan->bound);
    buf_fini(&scan->slice);
}

/* Before the first key after everything that starts with the prefix; without one when there is no such key. */
static void bound_by_prefix(struct back *scan, struct str prefix)
{
    while (prefix.len > 0 && (uint8_t)prefix.data[prefix.len - 1] == 0xff)
        prefix.len--;
    buf_put_str(&scan->bound, prefix);
    scan->bounded = prefix.len > 0;
    if (scan->bounded)
        scan->bound.data[prefix.len - 1]++;
}

static void bound_back(struct back *scan, struct str prefix, struct str from)
{
    bound_by_prefix(scan, prefix);
    if (from.data == NULL || (scan->bounded && str_cmp(from, buf_str(&scan->bound)) >= 0))
        return;
    buf_clear(&scan->bound);
    buf_put_str(&scan->bound, from);
    scan->bounded = scan->inclusive = true;
}

/* Stand on the last row within the bound. */
static status begin_back(const struct back *scan, struct store_cursor *cursor, struct ctx *cx, struct str *out_key,
                         struct str *out_row)
{
    if (!scan->bounded)
        return store_cursor_move(cursor, cx, DB_LAST, STR_NONE, out_key, out_row);
    struct str bound = buf_str(&scan->bound), key, row;
    status moved = store_cursor_move(cursor, cx, DB_SET_RANGE, bound, &key, &row);
    if (moved == STATUS_NOT_FOUND)
        return store_cursor_move(cursor, cx, DB_LAST, STR_NONE, out_key, out_row);
    TRY(moved);
    if (!scan->inclusive || !str_eq(key, bound))
        return store_cursor_move(cursor, cx, DB_PREV, STR_NONE, out_key, out_row);
    *out_key = key;
    *out_row = row;
    return STATUS_OK;
}

static void keep_row(struct buf *slice, struct str key, struct str row)
{
    uint32_t lengths[2] = {(uint32_t)key.len, (uint32_t)row.len};
    buf_put(slice, lengths, sizeof lengths);
    buf_put_str(slice, key);
    buf_put_str(slice, row);
}

/* NOT_FOUND when no row is left after this slice. */
static status read_slice_back_in(struct back *scan, struct ctx *cx)
{
    SCOPED(store_unshare) struct data_store *shared = store_share(scan->table->store);
    (void)shared;
    SCOPED(store_cursor_close) struct store_cursor cursor;
    TRY(store_cursor_open(scan->table, cx, &cursor));
    int64_t until_us = clock_mono_us() + SLICE_US;
    struct str key, row;
    status moved = begin_back(scan, &cursor, cx, &key, &row);
    for (size_t rows = 1; moved == STATUS_OK; rows++) {
        if (!str_starts(key, scan->prefix))
            return STATUS_NOT_FOUND;
        keep_row(&scan->slice, key, row);
        if (rows == scan->rows_max || scan->slice.len >= SLICE_BYTES || clock_mono_us() >= until_us)
            return STATUS_OK;
        moved = store_cursor_move(&cursor, cx, DB_PREV, STR_NONE, &key, &row);
    }
    return moved;
}

static void read_slice_back(void *arg)
{
    struct back *scan = arg;
    scan->read = read_slice_back_in(scan, scan->cx);
}

static bool visit_slice_back(struct back *scan, data_visit_fn *visit, void *arg)
{
    struct cut cut = {.rest = buf_str(&scan->slice)};
    struct str key = STR_NONE;
    while (cut.rest.len > 0) {
        uint32_t lengths[2];
        memcpy(lengths, cut_bytes(&cut, sizeof lengths).data, sizeof lengths);
        key = cut_bytes(&cut, lengths[0]);
        if (!visit(arg, key, cut_bytes(&cut, lengths[1])))
            return false;
    }
    buf_clear(&scan->bound);
    buf_put_str(&scan->bound, key);
    scan->bounded = true;
    scan->inclusive = false;
    return true;
}

/* Room made without the lock; what grew for a long row is given back. */
static void next_slice_back(struct back *scan)
{
    scan->rows_max = scan->rows_max == 0 ? FIRST_ROWS : scan->rows_max * 8;
    if (scan->rows_max > SLICE_ROWS)
        scan->rows_max = SLICE_ROWS;
    if (scan->slice.cap > 4 * SLICE_BYTES)
        buf_fini(&scan->slice);
    buf_clear(&scan->slice);
    buf_reserve(&scan->slice, scan->rows_max < SLICE_ROWS ? FIRST_BYTES : 2 * SLICE_BYTES);
}

status data_scan_back(struct data_table *table, struct ctx *cx, struct str prefix, struct str from,
                      data_visit_fn *visit, void *arg)
{
    SCOPED(back_close) struct back scan = {.table = table, .prefix = prefix, .cx = cx};
    bound_back(&scan, prefix, from);
    for (;;) {
        next_slice_back(&scan);
        store_read_calmly(table->store, read_slice_back, &scan);
        if (scan.read != STATUS_OK && scan.read != STATUS_NOT_FOUND)
            return scan.read;
        if (!visit_slice_back(&scan, visit, arg) || scan.read == STATUS_NOT_FOUND)
            return STATUS_OK;
    }
}
