/* The work list of a terminology team: codes that came and could not be reconciled, counted by source and path. */
#include "codes_internal.h"
#include "codes_rows.h"

#include "base/bounds.h"

#include <stdlib.h>

static status decode_count(struct ctx *cx, status got, struct str row, uint64_t *out_count)
{
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(cx);
        *out_count = 0;
        return STATUS_OK;
    }
    TRY(got);
    struct cut cut = {.rest = row};
    uint64_t count = cut_varint(&cut);
    if (cut.bad || cut.rest.len)
        return codes_row_damaged(cx, "codes.work");
    *out_count = count;
    return STATUS_OK;
}

/* The row with key "#": how many distinct items there are. */
static status work_rows(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t *out_count)
{
    struct str row = STR_NONE;
    status got = data_txn_get(txn, codes->work, cx, STR("#"), &row);
    return decode_count(cx, got, row, out_count);
}

status codes_work_count(struct codes *codes, struct ctx *cx, uint64_t *out_count)
{
    struct str row = STR_NONE;
    status got = data_get(codes->work, cx, STR("#"), &row);
    return decode_count(cx, got, row, out_count);
}

static void put_work_rows(struct codes *codes, struct data_txn *txn, uint64_t count)
{
    SCOPED(buf_fini) struct buf row = {0};
    buf_put_varint(&row, count);
    data_txn_put(txn, codes->work, STR("#"), buf_str(&row));
}

/* A text that is too long ends in an ellipsis, after a whole character. */
static struct str short_text(struct str text, char room[CODES_WORK_TEXT_MAX])
{
    static const char ellipsis[] = "\xe2\x80\xa6";
    enum { ELLIPSIS_BYTES = sizeof ellipsis - 1 };
    if (text.len <= CODES_WORK_TEXT_MAX)
        return text;
    size_t len = CODES_WORK_TEXT_MAX - ELLIPSIS_BYTES;
    while (len > 0 && ((uint8_t)text.data[len] & 0xc0) == 0x80)
        len--;
    memcpy(room, text.data, len);
    memcpy(room + len, ellipsis, ELLIPSIS_BYTES);
    return str_make(room, len + ELLIPSIS_BYTES);
}

static void put_text(struct buf *key, struct str text)
{
    char room[CODES_WORK_TEXT_MAX];
    buf_put_lstr(key, short_text(text, room));
}

/* 'w', then the four texts with their lengths. */
static void put_key(struct buf *key, struct str source, struct str path, struct str system, struct str code)
{
    buf_put_byte(key, 'w');
    put_text(key, source);
    put_text(key, path);
    put_text(key, system);
    put_text(key, code);
}

/* The row as it is; an empty one (count 0) when there is none. */
static status get_row(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct str key,
                      struct codes_work_row *out)
{
    struct str held;
    status got = data_txn_get(txn, codes->work, cx, key, &held);
    *out = (struct codes_work_row){0};
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(cx);
        return STATUS_OK;
    }
    TRY(got);
    return codes_work_row_decode(held, out) ? STATUS_OK : codes_row_damaged(cx, "codes.work");
}

/* A sender of random codes must not fill the disk: past the bound, what is new is counted per source and path. */
static status find_row(struct codes *codes, struct data_txn *txn, struct ctx *cx, const struct codes_seen *seen,
                       struct buf *key, struct codes_work_row *out)
{
    put_key(key, seen->source, seen->path, seen->system, seen->code);
    TRY(get_row(codes, txn, cx, buf_str(key), out));
    if (out->count > 0)
        return STATUS_OK;
    uint64_t rows = 0;
    TRY(work_rows(codes, txn, cx, &rows));
    if (rows >= CODES_WORK_ROWS_MAX && bound_met(BOUND_CODES_WORK_ROWS_MAX)) {
        buf_clear(key);
        put_key(key, seen->source, seen->path, STR_NONE, STR_NONE);
        TRY(get_row(codes, txn, cx, buf_str(key), out));
        out->outcome = CODES_WORK_BEYOND_LIMIT;
    }
    if (out->count == 0)
        put_work_rows(codes, txn, rows + 1);
    return STATUS_OK;
}

status codes_apply_work_item(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                             const struct codes_seen *seen)
{
    SCOPED(buf_fini) struct buf key = {0}, bytes = {0};
    char display[CODES_WORK_TEXT_MAX];
    struct codes_work_row row;
    TRY(find_row(codes, txn, cx, seen, &key, &row));
    if (row.count == 0) {
        row.first_seq = seq;
        row.first_us = cx->now_us;
    }
    row.count++;
    row.last_seq = seq;
    row.last_us = cx->now_us;
    if (row.outcome != CODES_WORK_BEYOND_LIMIT) {
        row.outcome = seen->outcome == CODES_OUTCOME_INVALID ? CODES_WORK_INVALID : CODES_WORK_UNMAPPED;
        if (seen->display.len > 0)
            row.display = short_text(seen->display, display);
    }
    codes_work_row_encode(&bytes, &row);
    data_txn_put(txn, codes->work, buf_str(&key), buf_str(&bytes));
    return STATUS_OK;
}

/* --- listing --- */

struct held_item {
    uint64_t count;
    struct str key, row; /* owned */
};
struct most_used {
    VEC(struct held_item) items; /* a heap: the least used of those kept is at the top */
    size_t max;
    const struct held_item *after; /* of an earlier page; NULL = from the first */
    uint64_t eligible;
    bool bad;
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
    struct codes_work_row decoded = {0};
    best->bad = !codes_work_row_decode(row, &decoded);
    if (best->bad)
        return false;
    struct held_item candidate = {decoded.count, key, row};
    if (best->after && !less(&candidate, best->after))
        return true;
    best->eligible++;
    if (best->items.count < best->max) {
        *VEC_ADD(&best->items) = copy_item(decoded.count, key, row);
        sift_up(best->items.at, best->items.count - 1);
    } else if (less(&best->items.at[0], &candidate)) {
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

static const char *outcome_name(enum codes_work_outcome outcome)
{
    return outcome == CODES_WORK_BEYOND_LIMIT ? "beyond-limit" : outcome == CODES_WORK_INVALID ? "invalid" : "unmapped";
}

static status item_of(struct ctx *cx, const struct held_item *held, struct codes_work_item *out)
{
    struct cut cut = {.rest = str_from_at(arena_str(cx->arena, held->key), 1)};
    struct codes_work_row row = {0};
    if (!codes_work_row_decode(arena_str(cx->arena, held->row), &row))
        return codes_row_damaged(cx, "codes.work");
    struct codes_work_item item = {0};
    item.source = cut_lstr(&cut);
    item.path = cut_lstr(&cut);
    item.system = cut_lstr(&cut);
    item.code = cut_lstr(&cut);
    if (cut.bad || cut.rest.len)
        return codes_row_damaged(cx, "codes.work");
    item.display = row.display;
    item.outcome = str_from(outcome_name(row.outcome));
    item.count = row.count;
    item.first_seq = row.first_seq;
    item.last_seq = row.last_seq;
    item.first_us = row.first_us;
    item.last_us = row.last_us;
    *out = item;
    return STATUS_OK;
}

/* --- pages --- */

/* "COUNT.KEY", the key in hexadecimal: what the last item of a page was. */
static struct str token_of(struct ctx *cx, const struct held_item *last)
{
    SCOPED(buf_fini) struct buf text = {0};
    buf_printf(&text, "%llu.", (unsigned long long)last->count);
    for (size_t i = 0; i < last->key.len; i++)
        buf_printf(&text, "%02x", (uint8_t)last->key.data[i]);
    return arena_str(cx->arena, buf_str(&text));
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static status token_read(struct ctx *cx, struct str token, struct held_item *out)
{
    const char *point = token.len ? memchr(token.data, '.', token.len) : NULL;
    size_t digits = point ? (size_t)(point - token.data) : 0;
    struct str hex = point ? str_from_at(token, digits + 1) : STR_NONE;
    bool good = str_to_u64(str_sub(token, 0, digits), &out->count) && hex.len > 0 && hex.len % 2 == 0;
    char *key = arena_alloc(cx->arena, hex.len / 2 + 1);
    for (size_t i = 0; i < hex.len / 2 && good; i++) {
        int high = hex_digit(hex.data[2 * i]), low = hex_digit(hex.data[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = (char)(high << 4 | low);
    }
    if (!good)
        return ctx_fail(cx, &codes_reasons[CODES_PAGE_BAD], NULL);
    out->key = str_make(key, hex.len / 2);
    return STATUS_OK;
}

static status fill_page(struct ctx *cx, struct most_used *best, struct codes_work_page *out)
{
    struct codes_work_page page = {.count = best->items.count};
    if (page.count > 1)
        qsort(best->items.at, page.count, sizeof *best->items.at, most_first);
    page.items = arena_array(cx->arena, page.count + 1, sizeof *page.items);
    for (size_t i = 0; i < page.count; i++)
        TRY(item_of(cx, &best->items.at[i], &page.items[i]));
    if (best->eligible > page.count)
        page.next = token_of(cx, &best->items.at[page.count - 1]);
    *out = page;
    return STATUS_OK;
}

status codes_work_items(struct codes *codes, struct ctx *cx, size_t max, struct str after,
                        struct codes_work_page *out_page)
{
    struct held_item last = {0};
    struct most_used best = {.max = max ? max : 1};
    if (after.len > 0) {
        TRY(token_read(cx, after, &last));
        best.after = &last;
    }
    status done = data_scan(codes->work, cx, STR("w"), STR_NONE, consider, &best);
    if (done == STATUS_OK && best.bad)
        done = codes_row_damaged(cx, "codes.work");
    if (done == STATUS_OK)
        done = fill_page(cx, &best, out_page);
    for (size_t i = 0; i < best.items.count; i++)
        free_item(&best.items.at[i]);
    VEC_FINI(&best.items);
    return done;
}
