/* The work list of a terminology team: codes that came and could not be reconciled, counted by source and path. */
#include "codes_internal.h"

#include <stdlib.h>

/* The row with key "#": how many distinct items there are. */
static uint64_t work_rows(struct codes *codes, struct data_txn *txn, struct ctx *cx)
{
    struct str row;
    if (data_txn_get(txn, codes->work, cx, STR("#"), &row) != STATUS_OK) {
        ctx_clear(cx);
        return 0;
    }
    struct cut cut = {.rest = row};
    return cut_varint(&cut);
}

static void put_work_rows(struct codes *codes, struct data_txn *txn, uint64_t count)
{
    SCOPED(buf_fini) struct buf row = {0};
    buf_put_varint(&row, count);
    data_txn_put(txn, codes->work, STR("#"), buf_str(&row));
}

/* 'w', then the four texts with their lengths. */
static void put_key(struct buf *key, struct str source, struct str path, struct str system, struct str code)
{
    buf_put_byte(key, 'w');
    buf_put_lstr(key, str_sub(source, 0, CODES_WORK_TEXT_MAX));
    buf_put_lstr(key, str_sub(path, 0, CODES_WORK_TEXT_MAX));
    buf_put_lstr(key, str_sub(system, 0, CODES_WORK_TEXT_MAX));
    buf_put_lstr(key, str_sub(code, 0, CODES_WORK_TEXT_MAX));
}

struct work_row {
    uint64_t count, first_seq, last_seq;
    int64_t first_us, last_us;
    uint8_t outcome;
    struct str display;
};

static bool work_decode(struct str bytes, struct work_row *out)
{
    struct cut cut = {.rest = bytes};
    out->count = cut_varint(&cut);
    out->first_seq = cut_varint(&cut);
    out->last_seq = cut_varint(&cut);
    out->first_us = (int64_t)cut_varint(&cut);
    out->last_us = (int64_t)cut_varint(&cut);
    out->outcome = cut_u8(&cut);
    out->display = cut_lstr(&cut);
    return !cut.bad;
}

static void work_encode(struct buf *out, const struct work_row *row)
{
    buf_put_varint(out, row->count);
    buf_put_varint(out, row->first_seq);
    buf_put_varint(out, row->last_seq);
    buf_put_varint(out, (uint64_t)row->first_us);
    buf_put_varint(out, (uint64_t)row->last_us);
    buf_put_byte(out, row->outcome);
    buf_put_lstr(out, str_sub(row->display, 0, CODES_WORK_TEXT_MAX));
}

void codes_apply_work_item(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str source,
                           struct str path, struct str system, struct str code, struct str display,
                           enum codes_outcome outcome)
{
    SCOPED(buf_fini) struct buf key = {0}, bytes = {0};
    put_key(&key, source, path, system, code);
    struct str held;
    struct work_row row = {.first_seq = seq, .first_us = cx->now_us};
    status got = data_txn_get(txn, codes->work, cx, buf_str(&key), &held);
    if (got != STATUS_OK) {
        ctx_clear(cx);
        uint64_t rows = work_rows(codes, txn, cx);
        if (rows >= CODES_WORK_ROWS_MAX) { /* a sender of random codes must not fill the disk */
            buf_clear(&key);
            put_key(&key, source, path, STR_NONE, STR_NONE);
            got = data_txn_get(txn, codes->work, cx, buf_str(&key), &held);
            display = STR_NONE;
            if (got != STATUS_OK)
                ctx_clear(cx);
        } else {
            put_work_rows(codes, txn, rows + 1);
        }
    }
    struct work_row before = {0};
    if (got == STATUS_OK && work_decode(held, &before))
        row = before;
    row.count++;
    row.last_seq = seq;
    row.last_us = cx->now_us;
    row.outcome = (uint8_t)outcome;
    if (display.len > 0)
        row.display = display;
    work_encode(&bytes, &row);
    data_txn_put(txn, codes->work, buf_str(&key), buf_str(&bytes));
}

/* --- listing --- */

struct held_item {
    uint64_t count;
    struct str key, row; /* owned */
};
struct most_used {
    VEC(struct held_item) items; /* a heap: the least used of those kept is at the top */
    size_t max;
};

static bool less(const struct held_item *a, const struct held_item *b)
{
    return a->count != b->count ? a->count < b->count : str_cmp(a->key, b->key) > 0;
}

static void sift_down(struct held_item *items, size_t count, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = at * 2 + 1; child <= at * 2 + 2 && child < count; child++)
            if (less(&items[child], &items[least]))
                least = child;
        if (least == at)
            return;
        struct held_item swap = items[at];
        items[at] = items[least];
        items[least] = swap;
        at = least;
    }
}

static void sift_up(struct held_item *items, size_t at)
{
    while (at > 0 && less(&items[at], &items[(at - 1) / 2])) {
        struct held_item swap = items[at];
        items[at] = items[(at - 1) / 2];
        items[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

static struct held_item copy_item(uint64_t count, struct str key, struct str row)
{
    return (struct held_item){count, str_make(mem_copy(key.data, key.len), key.len),
                              str_make(mem_copy(row.data, row.len), row.len)};
}

static void free_item(struct held_item *item)
{
    mem_free((void *)item->key.data);
    mem_free((void *)item->row.data);
}

static bool consider(void *arg, struct str key, struct str row)
{
    struct most_used *best = arg;
    struct work_row decoded = {0};
    if (!work_decode(row, &decoded))
        return true;
    struct held_item candidate = {decoded.count, key, row};
    if (best->items.count < best->max) {
        *VEC_ADD(&best->items) = copy_item(decoded.count, key, row);
        sift_up(best->items.at, best->items.count - 1);
    } else if (best->max > 0 && less(&best->items.at[0], &candidate)) {
        free_item(&best->items.at[0]);
        best->items.at[0] = copy_item(decoded.count, key, row);
        sift_down(best->items.at, best->items.count, 0);
    }
    return true;
}

static int most_first(const void *left, const void *right)
{
    return less(left, right) ? 1 : -1;
}

static const char *outcome_name(uint8_t outcome)
{
    return outcome == CODES_OUTCOME_INVALID ? "invalid" : "unmapped";
}

static struct codes_work_item item_of(struct ctx *cx, const struct held_item *held)
{
    struct cut cut = {.rest = str_from_at(arena_str(cx->arena, held->key), 1)};
    struct work_row row = {0};
    work_decode(arena_str(cx->arena, held->row), &row);
    struct codes_work_item item = {0};
    item.source = cut_lstr(&cut);
    item.path = cut_lstr(&cut);
    item.system = cut_lstr(&cut);
    item.code = cut_lstr(&cut);
    item.display = row.display;
    item.outcome = str_from(outcome_name(row.outcome));
    item.count = row.count;
    item.first_seq = row.first_seq;
    item.last_seq = row.last_seq;
    item.first_us = row.first_us;
    item.last_us = row.last_us;
    return item;
}

status codes_work_items(struct codes *codes, struct ctx *cx, size_t max, struct codes_work_item **out_items,
                        size_t *out_count)
{
    struct most_used best = {.max = max};
    status scanned = data_scan(codes->work, cx, STR("w"), STR_NONE, consider, &best);
    if (scanned == STATUS_OK) {
        if (best.items.count > 1)
            qsort(best.items.at, best.items.count, sizeof *best.items.at, most_first);
        *out_items = arena_array(cx->arena, best.items.count + 1, sizeof **out_items);
        for (size_t i = 0; i < best.items.count; i++)
            (*out_items)[i] = item_of(cx, &best.items.at[i]);
        *out_count = best.items.count;
    }
    for (size_t i = 0; i < best.items.count; i++)
        free_item(&best.items.at[i]);
    VEC_FINI(&best.items);
    return scanned;
}

uint64_t codes_work_count(const struct codes *codes)
{
    uint64_t rows = data_rows(codes->work);
    return rows > 0 ? rows - 1 : 0; /* all but "#" */
}
