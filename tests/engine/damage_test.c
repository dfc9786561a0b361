/* A row that cannot be read is no verdict: the writer stops with a clear word and nobody is answered; the next start
 * puts it right from the journal. A reader says so and never shows less. */
#include "base/file.h"
#include "base/mem.h"
#include "engine_internal.h"
#include "world.h"

#include <fcntl.h>
#include <sys/mman.h>

/* Shared with the child. */
struct board {
    unsigned answers; /* since the damage was done */
    uint64_t seq;     /* of the first message */
};

static void begin(struct world *w, const char *dir, bool skip_bad_row)
{
    support_init(&w->s);
    w->dir = dir;
    struct engine_options options = {.dir = dir, .version = "test", .plant_skip_bad_row = skip_bad_row};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
}

static struct str adt(struct world *w, const char *control_id)
{
    static char filler[5000];
    memset(filler, 'x', sizeof filler - 1);
    return world_adt(w, "A08", control_id, "100", "Doe", arena_printf(&w->s.arena, "NTE|1||%s\r", filler).data);
}

/* ---- doing damage ---- */

struct first {
    struct arena *arena;
    struct str key;
};

static bool keep_first(void *arg, struct str key, struct str row)
{
    (void)row;
    struct first *first = arg;
    first->key = arena_str(first->arena, key);
    return false;
}

/* The first row there is, as if its bytes had gone wrong. The writer has nothing to do meanwhile. */
static void damage(struct world *w, const char *table_name, struct str prefix)
{
    struct data_store *store = engine_store(w->engine);
    struct data_table *table = data_table(store, table_name);
    struct first first = {.arena = &w->s.arena};
    assert_ok(&w->s, data_scan(table, &w->s.cx, prefix, STR_NONE, keep_first, &first));
    assert_true(first.key.len > 0);
    struct data_txn *txn = data_txn_begin(store);
    data_txn_put(txn, table, first.key, STR("\xff"));
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
}

/* ---- what then happens ---- */

static void hear(void *arg, const struct engine_answer *answer)
{
    (void)answer;
    __atomic_add_fetch(&((struct board *)arg)->answers, 1, __ATOMIC_SEQ_CST);
}

static void submit(struct world *w, const char *control_id, struct board *board)
{
    struct engine_submission submission = {.source = STR("north"),
                                           .protocol = STR("grpc"),
                                           .peer = STR("127.0.0.1:1"),
                                           .message = adt(w, control_id),
                                           .received_us = clock_now_us()};
    submit_patiently(w->engine, &submission, hear, board);
}

static void repeat_message(struct world *w, struct board *board)
{
    submit(w, "C1", board);
}

static void update_patient(struct world *w, struct board *board)
{
    submit(w, "C2", board);
}

static void change(struct world *w, struct board *board, enum entry_kind kind, const struct buf *body)
{
    struct applied applied;
    IGNORE(engine_change_state(w->engine, &w->s.cx, kind, buf_str(body), &applied));
    board->answers++; /* only the end of the process is no answer */
}

static void end_delivery(struct world *w, const char *destination, uint32_t number, enum delivery_state how,
                         struct board *board)
{
    SCOPED(buf_fini) struct buf body = {0};
    struct entry_delivery entry = {.destination = str_from(destination),
                                   .key = {board->seq, number},
                                   .message_seq = board->seq,
                                   .state = how,
                                   .attempts = 1,
                                   .first_sent_us = 5,
                                   .done_us = 6};
    entry_delivery_encode(&body, &entry);
    change(w, board, ENTRY_DELIVERY, &body);
}

static void deliver(struct world *w, struct board *board)
{
    end_delivery(w, "d0", 0, DELIVERY_DELIVERED, board);
}

static void replay(struct world *w, struct board *board)
{
    SCOPED(buf_fini) struct buf body = {0};
    uint64_t ids[] = {board->seq + 1};
    entry_replay_encode(&body, ids, 1);
    change(w, board, ENTRY_REPLAY, &body);
}

static const struct damaged {
    const char *name, *table;
    struct str prefix;
    void (*then)(struct world *w, struct board *board);
    const char *reason;
} cases[] = {
    {"control id", "engine.control", {"", 0}, repeat_message, "engine.row-bad"},
    {"outbox", "engine.outbox", {"d0", 2}, deliver, "engine.row-bad"},
    {"count of shared bytes", "engine.meta", {"held", 4}, deliver, "engine.row-bad"},
    {"dead letter", "engine.dead", {"", 0}, replay, "engine.row-bad"},
    {"record", "mpi.record", {"", 0}, update_patient, "mpi.row-bad"},
};

/* Two destinations: one delivery waits, one is dead. */
static void prepare(struct world *w, struct board *board)
{
    world_routes(w, STR("destinations:\n"
                        "  - { name: d0, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n"
                        "  - { name: d1, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n"
                        "routes:\n  - { name: all, person_id: { authority: IDEM }, to: [d0, d1] }\n"));
    struct world_heard heard = world_submit(w, "north", adt(w, "C1"));
    assert_string_equal(heard.code[0], "AA");
    board->seq = heard.seq;
    end_delivery(w, "d1", 1, DELIVERY_DEAD, board);
    board->answers = 0;
}

static void run_damaged(const struct damaged *damaged, const char *dir, struct board *board)
{
    struct world w;
    begin(&w, dir, false);
    prepare(&w, board);
    damage(&w, damaged->table, damaged->prefix);
    damaged->then(&w, board);
    for (;;)
        pause(); /* the writer ends it */
}

static pid_t start_child(const char *log, void (*run)(const struct damaged *, const char *, struct board *),
                         const struct damaged *damaged, const char *dir, struct board *board)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(fd, 2);
        setenv("CMOCKA_TEST_ABORT", "1", 1); /* what fails here must not run on as a second parent */
        alarm(60);
        run(damaged, dir, board);
        _exit(0);
    }
    return child;
}

static void check_log(struct support *s, const struct damaged *damaged, const char *log)
{
    struct buf text = {0};
    assert_ok(s, file_read(&s->cx, log, 1 << 20, &text));
    buf_put_byte(&text, 0);
    const char *stops = strstr((char *)text.data, "apply.stops");
    if (stops == NULL || strstr(stops, damaged->reason) == NULL || strstr(stops, "idem: fatal: apply: ") == NULL)
        fail_msg("%s: said %s", damaged->name, (char *)text.data);
    buf_fini(&text);
}

/* The start after it: made again from the journal, and everything has the verdict it ought to have. */
static void run_again(const struct damaged *damaged, const char *dir, struct board *board)
{
    struct world w;
    begin(&w, dir, false);
    (void)damaged;
    struct engine_message_line *lines;
    size_t count;
    uint64_t next;
    assert_ok(&w.s, engine_messages(w.engine, &w.s.cx, 0, 10, false, &lines, &count, &next));
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        assert_str(lines[i].ack_code, "AA");
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 1);
    assert_int_equal(world_status(&w).unaccounted, 0);
    assert_string_equal(world_submit(&w, "north", adt(&w, "C3")).code[0], "AA");
    board->answers++;
}

static void test_apply__stops_at_damage_and_the_next_start_puts_it_right(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(board != MAP_FAILED);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *dir = support_make_dir(&s), *log = arena_printf(&s.arena, "%s/log", dir).data;
        *board = (struct board){0};
        int how;
        waitpid(start_child(log, run_damaged, &cases[i], dir, board), &how, 0);
        if (!WIFSIGNALED(how) || WTERMSIG(how) != SIGABRT)
            fail_msg("%s: ended with %d, %u answers", cases[i].name, how, board->answers);
        assert_int_equal(board->answers, 0);
        check_log(&s, &cases[i], log);
        waitpid(start_child(log, run_again, &cases[i], dir, board), &how, 0);
        if (!WIFEXITED(how) || how != 0)
            fail_msg("%s: the next start ended with %d", cases[i].name, how);
        assert_int_equal(board->answers, 1);
        support_remove_dir(dir);
    }
    munmap(board, sizeof *board);
    support_fini(&s);
}

/* ---- lanes ---- */

static void run_lanes(const struct damaged *unused, const char *dir, struct board *board)
{
    (void)unused;
    struct world w;
    begin(&w, dir, false);
    board->answers++;
    for (;;)
        pause(); /* the lanes end it */
}

/* The store of an engine that is closed: whose lanes do not read what is being changed. */
static struct data_store *open_closed_store(struct support *s, const char *dir)
{
    static const char *const grouped[] = {"engine.outbox"};
    size_t count = engine_table_count + mpi_table_count + codes_table_count;
    struct data_table_spec *tables = arena_array(&s->arena, count, sizeof *tables);
    memcpy(tables, engine_tables, engine_table_count * sizeof *tables);
    memcpy(tables + engine_table_count, mpi_tables, mpi_table_count * sizeof *tables);
    memcpy(tables + engine_table_count + mpi_table_count, codes_tables, codes_table_count * sizeof *tables);
    struct data_options options = {.dir = dir,
                                   .format = ENGINE_STORE_FORMAT,
                                   .tables = tables,
                                   .table_count = count,
                                   .grouped = grouped,
                                   .grouped_count = 1};
    struct data_store *store;
    assert_ok(s, data_open(&s->cx, &options, &store));
    return store;
}

/* Once: a queued message whose key had gone wrong was never sent, and nobody said so. */
static void test_lanes__never_pass_over_a_queued_row_that_cannot_be_read(void **state)
{
    (void)state;
    struct support s;
    struct board board = {0};
    struct world w;
    support_init(&s);
    const char *dir = support_make_dir(&s), *log = arena_printf(&s.arena, "%s/log", dir).data;
    begin(&w, dir, false);
    prepare(&w, &board);
    world_close(&w);
    support_fini(&w.s);
    struct data_store *store = open_closed_store(&s, dir);
    struct data_table *outbox = data_table(store, "engine.outbox");
    struct first first = {.arena = &s.arena};
    assert_ok(&s, data_scan(outbox, &s.cx, STR("d0"), STR_NONE, keep_first, &first));
    struct data_txn *txn = data_txn_begin(store);
    struct str row;
    assert_ok(&s, data_txn_get(txn, outbox, &s.cx, first.key, &row));
    row = arena_str(&s.arena, row);
    data_txn_delete(txn, outbox, first.key);
    data_txn_put(txn, outbox, str_sub(first.key, 0, first.key.len - 1), row);
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
    data_close(store);

    int how;
    waitpid(start_child(log, run_lanes, NULL, dir, &board), &how, 0);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT);
    SCOPED(buf_fini) struct buf text = {0};
    assert_ok(&s, file_read(&s.cx, log, 1 << 20, &text));
    buf_put_byte(&text, 0);
    assert_non_null(strstr(text.data, "idem: fatal: outbox: a row cannot be read"));
    support_remove_dir(dir);
    support_fini(&s);
}

/* ---- readers ---- */

static bool refuses(struct world *w, status got)
{
    bool refused = got == STATUS_DATA_LOSS && w->s.cx.reason == &engine_reasons[ENGINE_ROW_BAD];
    ctx_clear(&w->s.cx);
    return refused;
}

struct readers_said {
    bool messages, refused_messages, trace, letters, letter;
};

static struct readers_said ask_readers(bool skip_bad_row)
{
    struct support s;
    struct board board = {0};
    struct world w;
    support_init(&s);
    begin(&w, support_make_dir(&s), skip_bad_row);
    prepare(&w, &board);
    damage(&w, "engine.message", STR_NONE);
    damage(&w, "engine.dead", STR_NONE);
    struct engine_message_line *lines;
    struct engine_dead_letter *letters, letter;
    struct engine_trace trace;
    size_t count;
    uint64_t number;
    struct readers_said said;
    struct ctx *cx = &w.s.cx;
    said.messages = refuses(&w, engine_messages(w.engine, cx, 0, 10, false, &lines, &count, &number));
    said.refused_messages = refuses(&w, engine_messages(w.engine, cx, 0, 10, true, &lines, &count, &number));
    said.trace = refuses(&w, engine_trace(w.engine, cx, board.seq, STR_NONE, &trace));
    said.letters = refuses(&w, engine_dead_letters(w.engine, cx, STR_NONE, 0, 10, &letters, &count, &number));
    said.letter = refuses(&w, engine_dead_letter(w.engine, cx, board.seq + 1, &letter));
    const char *dir = w.dir;
    world_close(&w);
    support_remove_dir(dir);
    support_fini(&w.s);
    support_fini(&s);
    return said;
}

static void test_readers__say_that_a_row_is_bad_and_never_leave_it_out(void **state)
{
    (void)state;
    struct readers_said said = ask_readers(false);
    assert_true(said.messages && said.refused_messages && said.trace && said.letters && said.letter);
}

/* The same questions of an engine that passes bad rows over: they find it. */
static void test_planted_skip_of_a_bad_row__is_found(void **state)
{
    (void)state;
    struct readers_said said = ask_readers(true);
    assert_false(said.messages);
    assert_false(said.refused_messages);
}

/* ---- counters ---- */

static void put_counter(struct world *w, const char *kind, bool lost, const uint64_t numbers[5])
{
    struct data_store *store = engine_store(w->engine);
    SCOPED(buf_fini) struct buf key = {0}, row = {0};
    buf_put_str(&key, str_from(kind));
    buf_put_byte(&key, 0);
    buf_put_str(&key, STR("d0"));
    for (size_t i = 0; i < 5; i++)
        buf_put_varint(&row, numbers[i]);
    struct data_txn *txn = data_txn_begin(store);
    if (lost)
        data_txn_delete(txn, data_table(store, "engine.counter"), buf_str(&key));
    else
        data_txn_put(txn, data_table(store, "engine.counter"), buf_str(&key), buf_str(&row));
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
}

/* Once: the writer met it, and each start again. */
static void test_counters_that_do_not_agree_with_their_rows__are_made_again(void **state)
{
    (void)state;
    static const struct {
        bool lost;
        uint64_t numbers[5]; /* owed, delivered, dead, attempts, in doubt; 1, 0, 0 are right */
    } bad[] = {{true, {0}},     {false, {2}},       {false, {0}},
               {false, {1, 1}}, {false, {2, 0, 1}}, {false, {0, UINT64_MAX, 2}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct support s;
        struct board board = {0};
        struct world w;
        support_init(&s);
        const char *dir = support_make_dir(&s);
        begin(&w, dir, false);
        prepare(&w, &board);
        put_counter(&w, "lane", bad[i].lost, bad[i].numbers);
        world_close(&w);
        support_fini(&w.s);
        begin(&w, dir, false);
        struct engine_status now = world_status(&w); /* nothing is unaccounted for */
        assert_int_equal(now.deliveries_owed, 2);
        assert_int_equal(now.deliveries_queued, 1);
        assert_int_equal(now.deliveries_dead, 1);
        assert_int_equal(now.received, 1);
        deliver(&w, &board);
        assert_int_equal(world_status(&w).deliveries_done, 1);
        world_close(&w);
        support_remove_dir(dir);
        support_fini(&w.s);
        support_fini(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apply__stops_at_damage_and_the_next_start_puts_it_right),
        cmocka_unit_test(test_lanes__never_pass_over_a_queued_row_that_cannot_be_read),
        cmocka_unit_test(test_readers__say_that_a_row_is_bad_and_never_leave_it_out),
        cmocka_unit_test(test_planted_skip_of_a_bad_row__is_found),
        cmocka_unit_test(test_counters_that_do_not_agree_with_their_rows__are_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
