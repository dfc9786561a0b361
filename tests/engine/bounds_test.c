/* Bounds of what the engine keeps in memory: at each of them, and one beyond. */
#include "base/bounds.h"
#include "base/limits.h"
#include "base/mem.h"
#include "engine_internal.h"
#include "world.h"

static void count_answer(void *arg, const struct engine_answer *answer)
{
    if (answer->last)
        __atomic_fetch_add((unsigned *)arg, 1, __ATOMIC_SEQ_CST);
}

/* Messages that name nobody and go nowhere. */
static void submit_many(struct world *w, unsigned count, const char *prefix)
{
    unsigned answered = 0;
    for (unsigned i = 0; i < count; i++) {
        char message[128];
        int len = snprintf(message, sizeof message,
                           "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^R01|%s%u|P|2.5.1\r", prefix, i);
        struct engine_submission submission = {
            .source = STR("north"), .protocol = STR("mllp"), .message = str_make(message, (size_t)len)};
        submit_patiently(w->engine, &submission, count_answer, &answered);
    }
    while (__atomic_load_n(&answered, __ATOMIC_SEQ_CST) < count)
        usleep(1000);
}

static bool times_are_kept(struct world *w, uint64_t seq)
{
    struct engine_trace trace;
    assert_ok(&w->s, engine_trace(w->engine, &w->s.cx, seq, STR_NONE, &trace));
    return !trace.times_not_kept;
}

static void test_times__are_kept_for_the_newest_and_beyond_said_to_be_gone(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct world_heard first = world_submit(&w, "north", world_adt(&w, "A04", "F", "1", "Doe", ""));
    submit_many(&w, TIMINGS_MAX - 1, "K");
    assert_true(times_are_kept(&w, first.seq));
    assert_true(times_are_kept(&w, first.seq + TIMINGS_MAX - 1));
    submit_many(&w, 1, "L");
    assert_false(times_are_kept(&w, first.seq));
    assert_true(times_are_kept(&w, first.seq + 1));
    world_close(&w);
    world_open(&w);
    assert_false(times_are_kept(&w, first.seq + TIMINGS_MAX)); /* of another run */
    world_end(&w);
}

static void test_sources__past_the_most_are_counted_together(void **state)
{
    (void)state;
    struct totals totals = {0};
    char name[32];
    for (unsigned i = 0; i < SOURCE_TOTALS_MAX; i++) {
        snprintf(name, sizeof name, "source-%u", i);
        struct source_total *own = totals_source(&totals, str_from(name));
        assert_string_equal(own->name, name);
        own->received++;
    }
    for (unsigned i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "beyond-%u", i);
        struct source_total *others = totals_source(&totals, str_from(name));
        assert_string_equal(others->name, "(others)");
        assert_int_equal(others->received++, i);
    }
    assert_string_equal(totals_source(&totals, STR("source-7"))->name, "source-7"); /* who has a total keeps it */
    assert_int_equal(totals.sources.count, SOURCE_TOTALS_MAX + 1);
    totals_fini(&totals);
}

static void test_names_of_totals__are_whole_up_to_the_limit_and_the_beginning_beyond(void **state)
{
    (void)state;
    struct totals totals = {0};
    char name[LIMIT_NAME_BYTES + 1];
    memset(name, 'n', sizeof name);
    struct source_total *whole = totals_source(&totals, str_make(name, LIMIT_NAME_BYTES - 1)); /* and its end */
    assert_int_equal(strlen(whole->name), LIMIT_NAME_BYTES - 1);
    whole->received = 7;
    assert_int_equal(totals_source(&totals, str_make(name, LIMIT_NAME_BYTES))->received, 7);
    assert_int_equal(totals_source(&totals, str_make(name, LIMIT_NAME_BYTES - 2))->received, 0);
    assert_int_equal(totals.sources.count, 2);
    totals_fini(&totals);
}

static const struct engine_source_view *source_in(const struct engine_status *now, const char *name)
{
    for (size_t i = 0; i < now->source_count; i++)
        if (str_is(now->sources[i].name, name))
            return &now->sources[i];
    fail_msg("no source %s", name);
    return NULL;
}

/* Once: what was counted for one took the place and the name of all others. */
static void test_sources__are_shown_by_name_beside_as_many_configured_ones_as_there_are(void **state)
{
    (void)state;
    struct world w;
    char name[32];
    world_begin(&w);
    for (unsigned i = 0; i < SOURCE_TOTALS_MAX + 2; i++) {
        snprintf(name, sizeof name, "mllp-%u", i);
        engine_source_connections(w.engine, name, 1);
    }
    world_submit(&w, "one", world_adt(&w, "A04", "C1", "1", "Doe", ""));
    world_submit(&w, "two", world_adt(&w, "A04", "C2", "2", "Roe", ""));
    world_submit(&w, "two", world_adt(&w, "A04", "C3", "3", "Poe", ""));
    world_submit(&w, "mllp-4097", world_adt(&w, "A04", "C4", "3", "Poe", ""));
    struct engine_status now = world_status(&w);
    assert_int_equal(source_in(&now, "one")->received, 1);
    assert_int_equal(source_in(&now, "two")->received, 2);
    assert_int_equal(source_in(&now, "mllp-4097")->received, 1);
    assert_int_equal(source_in(&now, "mllp-4097")->connections, 1);
    assert_int_equal(now.received, 4);
    world_end(&w);
}

static size_t list_messages(struct world *w, bool refused_only, uint64_t before, uint64_t *out_next)
{
    struct engine_message_line *lines;
    size_t count;
    struct arena_mark mark = arena_mark(&w->s.arena);
    assert_ok(&w->s, engine_messages(w->engine, &w->s.cx, before, SIZE_MAX, refused_only, &lines, &count, out_next));
    arena_rewind(&w->s.arena, mark);
    return count;
}

/* A page holds 10,000 messages, and looks through 20,000 for refused ones. */
static void test_messages__a_full_page_says_where_the_next_begins(void **state)
{
    (void)state;
    enum { LINES = 10000, LOOKED_AT = 20000 };
    struct world w;
    uint64_t next;
    world_begin(&w);
    struct world_heard refused = world_submit(&w, "north", world_adt(&w, "A04", "F", "", "Doe", ""));
    assert_string_equal(refused.code[0], "AE");
    submit_many(&w, LINES, "K");
    assert_int_equal(list_messages(&w, false, 0, &next), LINES);
    assert_int_equal(next, refused.seq + 1);
    assert_int_equal(list_messages(&w, false, next, &next), 1);
    submit_many(&w, LOOKED_AT - LINES - 1, "L");
    assert_int_equal(list_messages(&w, true, 0, &next), 1); /* the last that is looked at */
    submit_many(&w, 1, "M");
    assert_int_equal(list_messages(&w, true, 0, &next), 0);
    assert_int_equal(next, refused.seq + 1);
    assert_int_equal(list_messages(&w, true, next, &next), 1);
    assert_int_equal(next, 0);
    world_end(&w);
}

struct burying {
    struct engine *engine;
    uint64_t first, from, to;
    pthread_t thread;
};

static void *bury_some(void *arg)
{
    struct burying *burying = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    for (uint64_t i = burying->from; i < burying->to; i++) {
        SCOPED(buf_fini) struct buf body = {0};
        struct applied applied;
        struct entry_delivery entry = {.destination = STR("d"),
                                       .key = {burying->first + i, 0},
                                       .message_seq = burying->first + i,
                                       .state = DELIVERY_DEAD,
                                       .attempts = 1,
                                       .ack_code = STR("AE")};
        entry_delivery_encode(&body, &entry);
        arena_reset(&arena);
        if (engine_change_state(burying->engine, &cx, ENTRY_DELIVERY, buf_str(&body), &applied) != STATUS_OK)
            break;
    }
    arena_fini(&arena);
    return NULL;
}

/* Many at a time, so that many share a sync. */
static void bury(struct world *w, uint64_t first, uint64_t count)
{
    enum { THREADS = 16 };
    struct burying burying[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        burying[i] = (struct burying){w->engine, first, count * i / THREADS, count * (i + 1) / THREADS, 0};
        assert_int_equal(pthread_create(&burying[i].thread, NULL, bury_some, &burying[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(burying[i].thread, NULL);
}

static void submit_long_type(struct world *w, unsigned number)
{
    SCOPED(buf_fini) struct buf message = {0};
    buf_put_str(&message, STR("MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||"));
    for (int i = 0; i < 30000; i++)
        buf_put_str(&message, STR("\xc3\xa9"));
    buf_printf(&message, "|L%u|P|2.5.1||||||UNICODE UTF-8\r", number);
    assert_string_equal(world_submit(w, "north", buf_str(&message)).code[0], "AA");
}

static void bury_with_a_long_reason(struct world *w, uint64_t first, uint64_t seq)
{
    SCOPED(buf_fini) struct buf body = {0};
    static char why[60000];
    memset(why, 'x', sizeof why);
    struct applied applied;
    struct entry_delivery entry = {.destination = STR("d"),
                                   .key = {first, 0},
                                   .message_seq = seq,
                                   .state = DELIVERY_DEAD,
                                   .attempts = 1,
                                   .ack_code = STR("AE"),
                                   .why = str_make(why, sizeof why)};
    entry_delivery_encode(&body, &entry);
    assert_ok(&w->s, engine_change_state(w->engine, &w->s.cx, ENTRY_DELIVERY, buf_str(&body), &applied));
}

static void check_listed(struct str text)
{
    assert_true(text.len <= LISTED_TEXT_MAX && text.len > LISTED_TEXT_MAX - 4);
    assert_true(str_is_utf8(text));
    assert_str(str_from_at(text, text.len - 3), "\xe2\x80\xa6");
}

/* Once: pages of what senders call long ended the daemon. */
static void test_lists__cut_long_texts_and_take_memory_for_their_lines_only(void **state)
{
    (void)state;
    enum { MESSAGES = 40 };
    struct world w;
    world_begin(&w);
    world_routes(&w, STR("destinations:\n  - { name: d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, "
                         "most: 1h } }\nroutes:\n  - { name: r, to: [d] }\n"));
    uint64_t first = journal_last_seq(engine_journal(w.engine)) + 1;
    for (unsigned i = 0; i < MESSAGES; i++)
        submit_long_type(&w, i);
    for (unsigned i = 0; i < MESSAGES; i++)
        bury_with_a_long_reason(&w, first + i, first + i);

    struct arena arena;
    arena_init(&arena, 256 * 1024); /* whole they would take 2.4 MB; past its limit the process ends */
    struct ctx cx = {.arena = &arena};
    struct engine_message_line *lines;
    struct engine_dead_letter *letters;
    size_t count;
    uint64_t number;
    assert_int_equal(engine_messages(w.engine, &cx, 0, MESSAGES, false, &lines, &count, &number), STATUS_OK);
    assert_int_equal(count, MESSAGES);
    for (size_t i = 0; i < count; i++)
        check_listed(lines[i].type);
    arena_reset(&arena);
    assert_int_equal(engine_dead_letters(w.engine, &cx, STR("d"), 0, MESSAGES, &letters, &count, &number), STATUS_OK);
    assert_int_equal(count, MESSAGES);
    for (size_t i = 0; i < count; i++) {
        check_listed(letters[i].type);
        check_listed(letters[i].detail);
    }
    arena_fini(&arena);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, first, STR_NONE, &trace));
    assert_int_equal(trace.type.len, 60000); /* the message itself tells it whole */
    world_end(&w);
}

static void test_listed_text__is_whole_up_to_the_limit(void **state)
{
    (void)state;
    struct arena arena = {0};
    static char text[LISTED_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    assert_int_equal(listed_text(&arena, str_make(text, LISTED_TEXT_MAX)).len, LISTED_TEXT_MAX);
    assert_memory_equal(listed_text(&arena, str_make(text, LISTED_TEXT_MAX)).data, text, LISTED_TEXT_MAX);
    check_listed(listed_text(&arena, str_make(text, LISTED_TEXT_MAX + 1)));
    arena_fini(&arena);
}

static void test_replay__takes_so_many_and_what_is_left_is_counted(void **state)
{
    (void)state;
    enum { MOST = 10000 };
    struct world w;
    uint64_t *ids;
    size_t count;
    world_begin(&w);
    world_routes(&w, STR("destinations:\n  - { name: d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, "
                         "most: 1h } }\nroutes:\n  - { name: r, to: [d] }\n"));
    uint64_t first = journal_last_seq(engine_journal(w.engine)) + 1;
    submit_many(&w, MOST + 1, "K");
    bury(&w, first, MOST + 1);
    assert_int_equal(engine_dead_count(w.engine, STR("d")), MOST + 1);
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, 0, STR("d"), true, &ids, &count));
    assert_int_equal(count, MOST);
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, 0, STR("d"), false, &ids, &count));
    assert_int_equal(count, MOST);
    assert_int_equal(engine_dead_count(w.engine, STR("d")), 1);
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, 0, STR("d"), false, &ids, &count));
    assert_int_equal(count, 1);
    assert_int_equal(engine_dead_count(w.engine, STR("d")), 0);
    world_end(&w);
}

/* Each letter holds its own bytes: after the one that passes 64 MiB no further one is taken. */
static void test_replay__takes_so_many_bytes_and_what_is_left_is_counted(void **state)
{
    (void)state;
    enum { LETTER = 15 * 1024 * 1024, MOST = 64 * 1024 * 1024, TAKEN = MOST / LETTER + 1 };
    struct world w;
    uint64_t *ids;
    size_t count;
    world_begin(&w);
    world_routes(&w, STR("destinations:\n  - { name: d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, "
                         "most: 1h } }\nroutes:\n  - { name: r, person_id: { authority: IDEM }, to: [d] }\n"));
    char *filler = mem_alloc(LETTER + 1);
    memset(filler, 'x', LETTER);
    uint64_t first = journal_last_seq(engine_journal(w.engine)) + 1;
    for (int i = 0; i <= TAKEN; i++) {
        char control_id[16];
        snprintf(control_id, sizeof control_id, "K%d", i);
        struct arena_mark mark = arena_mark(&w.s.arena);
        struct str note = arena_printf(&w.s.arena, "NTE|1||%s\r", filler);
        struct world_heard heard = world_submit(&w, "north", world_adt(&w, "A08", control_id, "1", "Doe", note.data));
        assert_string_equal(heard.code[0], "AA");
        assert_int_equal(heard.seq, first + (uint64_t)i);
        arena_rewind(&w.s.arena, mark);
    }
    mem_free(filler);
    bury(&w, first, TAKEN + 1);
    assert_int_equal(engine_dead_count(w.engine, STR("d")), TAKEN + 1);
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, 0, STR("d"), false, &ids, &count));
    assert_int_equal(count, TAKEN);
    assert_int_equal(engine_dead_count(w.engine, STR("d")), 1);
    world_end(&w);
}

/* ---- counters ---- */

/* A message with so many of what is bounded; `sent` makes control ids. */
static void put_head(struct buf *out, const char *event, unsigned sent)
{
    buf_printf(out, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||%s|N%u|P|2.5.1", event, sent);
}

static void put_control_id(struct buf *out, unsigned sent, size_t bytes)
{
    buf_printf(out, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^R01|%0*u|P|2.5.1\r", (int)bytes, sent);
}

static void put_segments(struct buf *out, unsigned sent, size_t count)
{
    put_head(out, "ORU^R01", sent);
    buf_put_byte(out, '\r');
    for (size_t i = 1; i < count; i++)
        buf_put_str(out, STR("NTE|1\r"));
}

static void put_patients(struct buf *out, unsigned sent, size_t count)
{
    put_head(out, "ORU^R01", sent);
    buf_put_byte(out, '\r');
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "PID|1||N%zu^^^NORTH^MR\r", i);
}

static void put_merges(struct buf *out, unsigned sent, size_t count)
{
    put_head(out, "ADT^A40", sent);
    buf_printf(out, "\rPID|1||M%u^^^NORTH^MR\r", sent);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "MRG|M%uO%zu^^^NORTH^MR\r", sent, i);
}

static void put_identifiers(struct buf *out, unsigned sent, size_t count)
{
    put_head(out, "ADT^A08", sent);
    buf_put_str(out, STR("\rPID|1||"));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%sI%uN%zu^^^NORTH^MR", i ? "~" : "", sent, i);
    buf_put_byte(out, '\r');
}

static void put_name_bytes(struct buf *out, unsigned sent, size_t bytes)
{
    put_head(out, "ADT^A08", sent);
    buf_printf(out, "\rPID|1||L%u^^^NORTH^MR||%0*u\r", sent, (int)bytes, sent);
}

static void test_bounds_of_a_message__are_counted_beyond_them_and_not_at_them(void **state)
{
    (void)state;
    static const struct {
        enum bound bound;
        size_t most;
        void (*put)(struct buf *out, unsigned sent, size_t count);
        const char *reason; /* of one beyond; "": taken, and something says what was left out */
    } cases[] = {
        {BOUND_LIMIT_CONTROL_ID_BYTES, LIMIT_CONTROL_ID_BYTES, put_control_id, "hl7.long-control-id"},
        {BOUND_LIMIT_MESSAGE_SEGMENTS, LIMIT_MESSAGE_SEGMENTS, put_segments, "hl7.too-many-segments"},
        {BOUND_LIMIT_PATIENTS_PER_MESSAGE, LIMIT_PATIENTS_PER_MESSAGE, put_patients, "engine.too-large"},
        {BOUND_LIMIT_MERGES_PER_MESSAGE, LIMIT_MERGES_PER_MESSAGE, put_merges, "engine.too-large"},
        {BOUND_LIMIT_IDENTIFIERS_PER_RECORD, LIMIT_IDENTIFIERS_PER_RECORD, put_identifiers, ""},
        {BOUND_LIMIT_FIELD_VALUE_BYTES, LIMIT_FIELD_VALUE_BYTES, put_name_bytes, ""},
    };
    struct world w;
    world_begin(&w);
    for (unsigned i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        bool beyond = i % 2;
        uint64_t before = bound_times(cases[i / 2].bound);
        SCOPED(buf_fini) struct buf message = {0};
        cases[i / 2].put(&message, i, cases[i / 2].most + beyond);
        struct world_heard heard = world_submit(&w, "north", buf_str(&message));
        assert_string_equal(heard.reason, beyond ? cases[i / 2].reason : "");
        assert_int_equal(bound_times(cases[i / 2].bound) - before, beyond);
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times__are_kept_for_the_newest_and_beyond_said_to_be_gone),
        cmocka_unit_test(test_sources__past_the_most_are_counted_together),
        cmocka_unit_test(test_names_of_totals__are_whole_up_to_the_limit_and_the_beginning_beyond),
        cmocka_unit_test(test_sources__are_shown_by_name_beside_as_many_configured_ones_as_there_are),
        cmocka_unit_test(test_messages__a_full_page_says_where_the_next_begins),
        cmocka_unit_test(test_lists__cut_long_texts_and_take_memory_for_their_lines_only),
        cmocka_unit_test(test_listed_text__is_whole_up_to_the_limit),
        cmocka_unit_test(test_replay__takes_so_many_and_what_is_left_is_counted),
        cmocka_unit_test(test_replay__takes_so_many_bytes_and_what_is_left_is_counted),
        cmocka_unit_test(test_bounds_of_a_message__are_counted_beyond_them_and_not_at_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
