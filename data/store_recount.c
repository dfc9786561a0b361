/*
 * Counting again what commits have counted, while they go on.
 *
 * A recount goes through a table slice by slice, as a scan does. A commit that puts or removes a row the recount has
 * passed already adds that to what it counted; of rows before it, it will see what is there. So it is right at every
 * moment, also at its end, when the lock is still held and what is kept can be compared.
 */
#include "store_internal.h"

#include "base/clock.h"

enum { SLICE_ROWS = 512, SLICE_US = 500 };

struct store_recount {
    struct store_recount *next;
    struct data_table *table;
    struct buf from; /* rows with keys before it are counted */
    struct store_change counted;
};

void store_recounts_note(struct data_store *store, const struct data_table *table, struct str key, int64_t by)
{
    for (struct store_recount *recount = store->recounts; recount; recount = recount->next)
        if (recount->table == table && str_cmp(key, buf_str(&recount->from)) < 0)
            store_change_note(&recount->counted, table, key, by);
}

/* Both with the lock shared, so that no commit looks at them meanwhile; other recounts may. */
static void join(struct store_recount *recount)
{
    struct data_store *store = recount->table->store;
    pthread_mutex_lock(&store->recounts_lock);
    recount->next = store->recounts;
    store->recounts = recount;
    pthread_mutex_unlock(&store->recounts_lock);
}

static void leave(struct store_recount *recount)
{
    struct data_store *store = recount->table->store;
    pthread_mutex_lock(&store->recounts_lock);
    struct store_recount **at = &store->recounts;
    while (*at && *at != recount)
        at = &(*at)->next;
    if (*at)
        *at = recount->next;
    pthread_mutex_unlock(&store->recounts_lock);
}

/* The next rows by their keys alone; STATUS_NOT_FOUND: that was all. */
static status count_rows(struct store_recount *recount, struct ctx *cx)
{
    SCOPED(store_cursor_close) struct store_cursor cursor;
    TRY(store_cursor_open(recount->table, cx, &cursor));
    cursor.row.flags |= DB_DBT_PARTIAL; /* none of its bytes */
    int64_t until_us = clock_mono_us() + SLICE_US;
    struct str key, row;
    status got = store_cursor_move(&cursor, cx, DB_SET_RANGE, buf_str(&recount->from), &key, &row);
    for (int rows = 1; got == STATUS_OK; rows++) {
        store_change_note(&recount->counted, recount->table, key, 1);
        if (rows == SLICE_ROWS || clock_mono_us() > until_us) {
            buf_clear(&recount->from);
            buf_put_str(&recount->from, key);
            buf_put_byte(&recount->from, 0); /* no key lies between one and the same with a zero byte more */
            return STATUS_OK;
        }
        got = store_cursor_move(&cursor, cx, DB_NEXT, STR_NONE, &key, &row);
    }
    return got;
}

/* What the two of one moment do not agree about. */
struct miscounts {
    struct arena arena;
    VEC(struct data_miscount) at;
};

static void compare(struct miscounts *out, const struct data_table *table, struct str group, uint64_t kept,
                    uint64_t there)
{
    if (kept != there)
        *VEC_ADD(&out->at) =
            (struct data_miscount){table->name, arena_str(&out->arena, group), group.data != NULL, kept, there};
}

static uint64_t counted_in(const struct map *groups, struct str group)
{
    const uint64_t *rows = map_get(groups, group);
    return rows ? *rows : 0;
}

static void compare_table(struct miscounts *out, const struct data_table *table, const struct store_change *counted)
{
    compare(out, table, STR_NONE, table->rows, (uint64_t)counted->rows);
    for (size_t i = 0; i < counted->groups.used; i++) {
        const struct map_entry *entry = &counted->groups.entries[i];
        compare(out, table, entry->key, counted_in(&table->groups, entry->key), entry->value);
    }
    for (size_t i = 0; i < table->groups.used; i++) {
        const struct map_entry *entry = &table->groups.entries[i];
        if (entry->key.data && map_get(&counted->groups, entry->key) == NULL)
            compare(out, table, entry->key, entry->value, 0);
    }
}

/* A slice under way. */
struct recounting {
    struct store_recount recount;
    struct ctx *cx;
    struct miscounts *out;
    status got; /* STATUS_NOT_FOUND after the last one, when the comparison is made */
};

static void count_slice(void *arg)
{
    struct recounting *slice = arg;
    struct store_recount *recount = &slice->recount;
    SCOPED(store_unshare) struct data_store *shared = store_share(recount->table->store);
    (void)shared;
    if (recount->from.len == 0) /* the first */
        join(recount);
    slice->got = count_rows(recount, slice->cx);
    if (slice->got == STATUS_NOT_FOUND)
        compare_table(slice->out, recount->table, &recount->counted);
    if (slice->got != STATUS_OK)
        leave(recount);
}

static void end_early(void *arg)
{
    struct recounting *slice = arg;
    SCOPED(store_unshare) struct data_store *shared = store_share(slice->recount.table->store);
    (void)shared;
    leave(&slice->recount);
}

static status recount_table(struct data_table *table, struct ctx *cx, struct miscounts *out, uint64_t *rows)
{
    struct recounting slice = {.recount = {.table = table}, .cx = cx, .out = out};
    status got;
    do {
        store_read_calmly(table->store, count_slice, &slice);
        got = slice.got;
    } while (got == STATUS_OK && (got = ctx_check(cx)) == STATUS_OK);
    *rows += (uint64_t)slice.recount.counted.rows;
    store_read_calmly(table->store, end_early, &slice); /* when whoever asked has gone */
    store_change_fini(&slice.recount.counted);
    buf_fini(&slice.recount.from);
    return got == STATUS_NOT_FOUND ? STATUS_OK : got;
}

status data_recount(struct data_store *store, struct ctx *cx, data_miscount_fn *tell, void *arg, uint64_t *out_rows)
{
    struct miscounts found = {0};
    uint64_t rows = 0;
    status got = STATUS_OK;
    for (size_t i = 0; i < store->table_count && got == STATUS_OK; i++)
        got = recount_table(&store->tables[i], cx, &found, &rows);
    for (size_t i = 0; i < found.at.count; i++)
        tell(arg, &found.at.at[i]);
    VEC_FINI(&found.at);
    arena_fini(&found.arena);
    if (got == STATUS_OK)
        *out_rows = rows;
    return got;
}
