/* An entry is applied under the bounds of the daemon that journaled it. */
#include "base/limits.h"
#include "base/mem.h"
#include "entry.h"
#include "entry_bounds.h"
#include "world.h"

enum {
    LARGE_BYTES = 1024 * 1024, /* of a record, by its identifiers; put twice and read once each time it changes */
    NOW_TOO_OFTEN = 60,        /* 180 MiB: more than today's 64 of both, less than the first 256 of those put */
    ALWAYS_TOO_OFTEN = 160,
};

static void put_header(struct buf *out, const char *control_id)
{
    buf_printf(out, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^A08|%s|P|2.5.1\r", control_id);
}

static void put_large_record(struct buf *out)
{
    static char text[LIMIT_FIELD_VALUE_BYTES - 8];
    memset(text, 'a', sizeof text);
    put_header(out, "LARGE");
    buf_put_str(out, STR("PID|1||P0^^^NORTH^MR"));
    for (int i = 1; out->len < LARGE_BYTES; i++)
        buf_printf(out, "~%d%.*s^^^%.*s", i, (int)sizeof text, text, (int)sizeof text, text);
    buf_put_str(out, STR("||Doe^Anna||19800101|F\r"));
}

static void put_named_often(struct buf *out, const char *control_id, int often)
{
    put_header(out, control_id);
    for (int i = 0; i < often; i++)
        buf_printf(out, "PID|1||P0^^^NORTH^MR||%s^Anna||19800101|F\r", i % 2 ? "Doe" : "Roe");
}

static uint64_t append(struct world *w, struct journal *journal, enum entry_kind kind, struct str body)
{
    uint64_t seq;
    assert_ok(&w->s, journal_append_wait(journal, &w->s.cx, (uint16_t)kind, STR_NONE, body, &seq));
    return seq;
}

static uint64_t append_message(struct world *w, struct journal *journal, struct buf *message)
{
    SCOPED(buf_fini) struct buf body = {0};
    struct entry_message entry = {.source = STR("north"), .protocol = STR("grpc"), .message = buf_str(message)};
    entry_message_encode(&body, &entry);
    buf_fini(message);
    return append(w, journal, ENTRY_MESSAGE, buf_str(&body));
}

/* What a daemon that says so at its start has taken in, and could not apply any more. */
static void write_journal(struct world *w, struct str start, uint64_t *out_often, uint64_t *out_too_often)
{
    struct journal *journal;
    struct buf message = {0};
    assert_ok(&w->s, journal_open(&w->s.cx, &(struct journal_options){.dir = w->dir}, &journal));
    append(w, journal, ENTRY_START, start);
    put_large_record(&message);
    append_message(w, journal, &message);
    put_named_often(&message, "OFTEN", NOW_TOO_OFTEN);
    *out_often = append_message(w, journal, &message);
    put_named_often(&message, "TOO-OFTEN", ALWAYS_TOO_OFTEN);
    *out_too_often = append_message(w, journal, &message);
    journal_close(journal);
}

static void check_applied(struct world *w, uint64_t seq, const char *ack, const char *reason)
{
    struct engine_trace trace;
    assert_ok(&w->s, engine_trace(w->engine, &w->s.cx, seq, STR_NONE, &trace));
    assert_str(trace.ack_code, ack);
    assert_str(trace.reason, reason);
}

static void check_submitted(struct world *w, const char *control_id, int often, const char *ack, const char *reason)
{
    SCOPED(buf_fini) struct buf message = {0};
    put_named_often(&message, control_id, often);
    struct world_heard heard = world_submit(w, "north", buf_str(&message));
    assert_string_equal(heard.code[0], ack);
    assert_string_equal(heard.reason, reason);
}

static void begin(struct world *w)
{
    *w = (struct world){0};
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
}

static void test_entry_of_an_earlier_daemon__is_applied_under_its_bounds(void **state)
{
    (void)state;
    struct world w;
    uint64_t often, too_often;
    begin(&w);
    write_journal(&w, STR("0.1.0"), &often, &too_often);
    uint8_t digests[2][32];
    for (int again = 0; again <= 1; again++) { /* at the upgrade, and when the store is made again after it */
        world_open(&w);
        check_applied(&w, often, "AA", "");
        check_applied(&w, too_often, "AR", "engine.too-large");
        if (!again) {
            check_submitted(&w, "NEW", NOW_TOO_OFTEN, "AR", "engine.too-large");
            check_submitted(&w, "FEW", NOW_TOO_OFTEN / 10, "AA", "");
        }
        assert_ok(&w.s, data_digest(engine_store(w.engine), &w.s.cx, digests[again]));
        world_close(&w);
        assert_ok(&w.s, data_discard(&w.s.cx, w.dir));
    }
    assert_memory_equal(digests[0], digests[1], sizeof digests[0]);
    support_remove_dir(w.dir);
    support_fini(&w.s);
}

static void test_entry_of_this_daemon__is_applied_under_its_bounds(void **state)
{
    (void)state;
    struct world w;
    uint64_t often, too_often;
    SCOPED(buf_fini) struct buf start = {0};
    entry_start_encode(&start, &(struct entry_start){ENTRY_BOUNDS_NOW, STR("0.1.0")});
    begin(&w);
    write_journal(&w, buf_str(&start), &often, &too_often);
    world_open(&w);
    check_applied(&w, often, "AR", "engine.too-large");
    world_end(&w);
}

/* Bounds hold for what comes after the START that names them, also in the next batch and after a start. */
static void test_bounds__are_kept_by_the_store(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {ENTRY_BOUNDS_FIRST, ENTRY_BOUNDS_NOW};
    for (size_t i = 0; i < 2; i++)
        assert_non_null(entry_bounds_get(numbers[i]));
    assert_null(entry_bounds_get(0));
    assert_null(entry_bounds_get(ENTRY_BOUNDS_NOW + 1));
    struct world w;
    world_begin(&w);
    struct str row;
    for (int i = 0; i < 2; i++) {
        assert_ok(&w.s, data_get(data_table(engine_store(w.engine), "engine.meta"), &w.s.cx, STR("bounds"), &row));
        struct cut cut = {row, false};
        assert_int_equal(cut_u32(&cut), ENTRY_BOUNDS_NOW);
        world_close(&w);
        world_open(&w);
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_of_an_earlier_daemon__is_applied_under_its_bounds),
        cmocka_unit_test(test_entry_of_this_daemon__is_applied_under_its_bounds),
        cmocka_unit_test(test_bounds__are_kept_by_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
