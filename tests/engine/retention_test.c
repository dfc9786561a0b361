/* Old segments go, what is needed stays; a store is made again from the journal only while the journal is whole. */
#include "world.h"

#include "base/mem.h"
#include "engine_internal.h"

#include <fcntl.h>

static void open_small(struct world *w)
{
    struct engine_options options = {.dir = w->dir, .version = "test", .journal_segment_bytes = 64 * 1024};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
}

static void begin_small(struct world *w)
{
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    w->folder = arena_printf(&w->s.arena, "%s/out", w->dir).data;
    open_small(w);
}

static void route_to_folder(struct world *w, const char *extra_destination)
{
    world_routes(w, arena_printf(&w->s.arena,
                                 "destinations:\n  - name: archive\n    file: { folder: %s }\n%s"
                                 "routes:\n  - name: all\n    to: [archive]\n%s",
                                 w->folder, extra_destination,
                                 extra_destination[0]
                                     ? "  - name: more\n    when: { type: [\"ADT^A05\"] }\n    to: [away]\n"
                                     : ""));
}

static void send_many(struct world *w, const char *event, const char *prefix, int count)
{
    for (int i = 0; i < count; i++) {
        char control_id[24], id[24];
        snprintf(control_id, sizeof control_id, "%s%d", prefix, i);
        snprintf(id, sizeof id, "%s%d", prefix, i % 7);
        assert_string_equal(world_submit(w, "north", world_adt(w, event, control_id, id, "Doe", "")).code[0], "AA");
    }
}

static uint64_t drop(struct world *w)
{
    uint64_t freed;
    assert_ok(&w->s, retention_run(w->engine, &w->s.cx, clock_now_us() + 1000000, &freed));
    return freed;
}

static void test_retention__drops_what_nobody_needs_and_goes_on_after_a_restart(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 600);
    world_settled(&w, 600, 0);
    uint64_t freed;
    assert_ok(&w.s, retention_run(w.engine, &w.s.cx, 0, &freed));
    assert_int_equal(freed, 0); /* nothing is that old */
    assert_true(drop(&w) > 0);
    uint64_t first = journal_first_seq(engine_journal(w.engine));
    assert_true(first > 1);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("C0"), &trace));
    assert_str(trace.ack_code, "AA"); /* the row tells the story, the bytes are gone */
    assert_int_equal(trace.message.len, 0);
    world_close(&w);
    open_small(&w);
    send_many(&w, "A08", "D", 5);
    world_settled(&w, 605, 0);
    world_end(&w);
}

static void test_retention__keeps_what_waits_for_a_destination(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "  - name: away\n    mllp: { connect: \"127.0.0.1:1\" }\n");
    send_many(&w, "A08", "A", 3);
    uint64_t waiting = world_submit(&w, "north", world_adt(&w, "A05", "W", "9", "Doe", "")).seq;
    send_many(&w, "A08", "B", 600);
    world_settled(&w, 604, 0);
    drop(&w);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, waiting, STR_NONE, &trace));
    assert_true(trace.message.len > 0);
    world_end(&w);
}

/* ---- rows that move while retention looks through the tables ---- */

struct mover {
    struct world *w;
    struct outbox_key key; /* in the outbox, or of the letter's entry */
    uint64_t message_seq;
    unsigned moves;
    bool stop;
};

static uint64_t change(struct world *w, struct ctx *cx, enum entry_kind kind, const struct buf *body)
{
    struct applied applied;
    if (engine_change_state(w->engine, cx, kind, buf_str(body), &applied) != STATUS_OK)
        mem_panic("mover", cx->reason->name);
    return applied.seq;
}

/* Dead, queued again, dead … */
static void *move_to_and_fro(void *arg)
{
    struct mover *mover = arg;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    while (!__atomic_load_n(&mover->stop, __ATOMIC_SEQ_CST)) {
        struct entry_delivery dead = {.destination = STR("away"),
                                      .key = mover->key,
                                      .message_seq = mover->message_seq,
                                      .state = DELIVERY_DEAD,
                                      .attempts = 1};
        SCOPED(buf_fini) struct buf body = {0}, again = {0};
        entry_delivery_encode(&body, &dead);
        uint64_t letter = change(mover->w, &cx, ENTRY_DELIVERY, &body);
        entry_replay_encode(&again, &letter, 1);
        mover->key = (struct outbox_key){change(mover->w, &cx, ENTRY_REPLAY, &again), 0};
        __atomic_add_fetch(&mover->moves, 1, __ATOMIC_SEQ_CST);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

/* Many rows before the one that moves, so that looking takes a while; and old ones behind it, so that a miss shows. */
static uint64_t prepare_move(struct world *w)
{
    enum { OTHERS = 200, ROWS = 40 };
    struct buf text = {0};
    buf_put_str(&text, STR("destinations:\n  - { name: away, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, "
                           "most: 1h } }\n"));
    for (int i = 0; i < OTHERS; i++)
        buf_printf(&text, "  - { name: a%d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n", i);
    buf_put_str(&text, STR("routes:\n  - { name: one, when: { type: [\"ADT^A05\"] }, to: [away] }\n"
                           "  - { name: many, when: { type: [\"ADT^A08\"] }, to: [a0"));
    for (int i = 1; i < OTHERS; i++)
        buf_printf(&text, ", a%d", i);
    buf_put_str(&text, STR("] }\n"));
    world_routes(w, buf_str(&text));
    buf_fini(&text);
    uint64_t seq = world_submit(w, "north", world_adt(w, "A05", "W", "9", "Doe", "")).seq;
    send_many(w, "A04", "A", 300); /* goes nowhere; some segments */
    send_many(w, "A08", "B", ROWS);
    return seq;
}

static void test_retention__does_not_miss_a_row_that_moves_meanwhile(void **state)
{
    (void)state;
    enum { ROUNDS = 100, MOVES_MIN = 50 };
    struct world w;
    begin_small(&w);
    uint64_t seq = prepare_move(&w);
    struct mover mover = {.w = &w, .key = {seq, 0}, .message_seq = seq};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, move_to_and_fro, &mover), 0);
    for (unsigned i = 0; i < ROUNDS || __atomic_load_n(&mover.moves, __ATOMIC_SEQ_CST) < MOVES_MIN; i++) {
        struct arena_mark mark = arena_mark(&w.s.arena);
        drop(&w);
        arena_rewind(&w.s.arena, mark);
        if (journal_first_seq(engine_journal(w.engine)) > seq)
            break;
    }
    __atomic_store_n(&mover.stop, true, __ATOMIC_SEQ_CST);
    pthread_join(thread, NULL);
    assert_true(journal_first_seq(engine_journal(w.engine)) <= seq);
    struct journal_entry entry;
    assert_ok(&w.s, journal_read(engine_journal(w.engine), &w.s.cx, seq, &entry));
    world_end(&w);
}

/* Damage that only a reader of the rows finds, not the opening of the tables. */
static void damage_store(struct world *w)
{
    struct str path = arena_printf(&w->s.arena, "%s/store/mpi.record.db", w->dir);
    int fd = open(path.data, O_RDWR);
    assert_true(fd >= 0);
    char byte;
    for (off_t at = 16 * 1024 + 8000; at < 16 * 1024 + 8064; at++) {
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte = (char)~byte;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

static void test_damaged_store__is_made_again_while_the_journal_is_whole(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 300);
    world_settled(&w, 300, 0);
    uint64_t persons = mpi_count(engine_mpi(w.engine)).persons;
    world_close(&w);
    damage_store(&w);
    open_small(&w);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, persons);
    world_settled(&w, 300, 0);
    world_end(&w);
}

static void test_damaged_store__is_left_alone_when_the_journal_has_lost_its_beginning(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 600);
    world_settled(&w, 600, 0);
    assert_true(drop(&w) > 0);
    world_close(&w);
    damage_store(&w);
    struct engine_options options = {.dir = w.dir, .version = "test"};
    ctx_clear(&w.s.cx);
    assert_int_equal(engine_open(&w.s.cx, &options, &w.engine), STATUS_DATA_LOSS);
    struct str record = arena_printf(&w.s.arena, "%s/store/mpi.record.db", w.dir);
    assert_int_equal(access(record.data, F_OK), 0); /* all that is left of the beginning is still there */
    support_remove_dir(w.dir);
    support_fini(&w.s);
}

/* Damage in a segment that is not the last: nobody reads it at the start, and it must not be served all the same. */
static void test_damaged_old_segment__is_refused_with_segment_number_and_next_step(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 600);
    world_settled(&w, 600, 0);
    world_close(&w);
    struct str path = arena_printf(&w.s.arena, "%s/journal/0000000000000001.seg", w.dir);
    int fd = open(path.data, O_RDWR);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, 20000), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 20000), 1);
    close(fd);
    struct engine_options options = {.dir = w.dir, .version = "test"};
    assert_fails(&w.s, engine_open(&w.s.cx, &options, &w.engine), "data.journal-damaged");
    assert_non_null(strstr(w.s.cx.detail.data, "segment 0000000000000001.seg"));
    assert_non_null(strstr(w.s.cx.detail.data, "next: idem journal verify --dir"));
    support_remove_dir(w.dir);
    support_fini(&w.s);
}

/* Once: the message was shown without its bytes, as after retention. */
static void test_missing_segment__is_damage_and_never_a_message_without_bytes(void **state)
{
    (void)state;
    struct world w;
    struct engine_trace trace;
    begin_small(&w);
    struct world_heard heard = world_submit(&w, "north", world_adt(&w, "A04", "C1", "1", "Doe", ""));
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
    assert_true(trace.message.len > 0);
    struct str path = arena_printf(&w.s.arena, "%s/journal/0000000000000001.seg", w.dir);
    assert_int_equal(unlink(path.data), 0);
    assert_fails(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace), "data.journal-damaged");
    world_close(&w);
    support_remove_dir(w.dir);
    support_fini(&w.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retention__drops_what_nobody_needs_and_goes_on_after_a_restart),
        cmocka_unit_test(test_retention__keeps_what_waits_for_a_destination),
        cmocka_unit_test(test_retention__does_not_miss_a_row_that_moves_meanwhile),
        cmocka_unit_test(test_damaged_store__is_made_again_while_the_journal_is_whole),
        cmocka_unit_test(test_damaged_old_segment__is_refused_with_segment_number_and_next_step),
        cmocka_unit_test(test_missing_segment__is_damage_and_never_a_message_without_bytes),
        cmocka_unit_test(test_damaged_store__is_left_alone_when_the_journal_has_lost_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Berkeley DB forgets memory when it closes an environment in which it found damage. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libdb-5.3.so";
}
