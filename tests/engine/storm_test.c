/*
 * Readers all over the one writer. Every message makes several things together, and whoever looks sees all of them or
 * none:
 *
 *   registration   ORU^R01 of two strangers: two records, two persons
 *   merge          ADT^A40 of the second into the first: one person less, one decision, one record retired
 *   either         a message row, a control row, one of the source's received and accepted, an outbox row for each
 *                  destination, one owed by each lane
 *
 * Readers only count what they find wrong; the test speaks at the end. A writer that publishes before it commits is
 * found.
 */
#include "base/mem.h"
#include "engine_internal.h"
#include "loaders/codes.h"
#include "world.h"

#include <sys/mman.h>

enum {
    PAIRS = 300,
    BURST = 40,         /* messages under way at once: batches hold several */
    PLANTED_ROUNDS = 40 /* of PAIRS, until the planted bug is seen */
};

/* What was seen that must not be; shared with a child. */
enum fault {
    FAULT_COUNTS,      /* totals in memory are not the rows of the same moment */
    FAULT_UNACCOUNTED, /* the status says so itself */
    FAULT_PEOPLE,      /* records, persons and decisions do not belong together */
    FAULT_HALF_PAIR,   /* one of two records, or half a merge */
    FAULT_NO_MESSAGE,  /* a record, but not the message that made it */
    FAULT_NO_RECORD,   /* a message, but not the record that it made */
    FAULT_LIST,        /* a list with a message twice, or without one that was there */
    FAULT_ANSWERED,    /* answered, and not there */
    FAULT_READ,        /* a reader was refused */
    FAULT_COUNT
};
static const char *const fault_names[FAULT_COUNT] = {"counts",    "unaccounted", "people",   "half pair", "no message",
                                                     "no record", "list",        "answered", "read"};
struct board {
    unsigned seen[FAULT_COUNT], looks;
    char what[64]; /* the reason of the last FAULT_READ */
};

struct storm {
    struct world w;
    struct board *board;
    unsigned from;       /* number of the first pair of this round */
    unsigned under_way;  /* atomic, as all below */
    unsigned registered; /* pairs whose registration was answered */
    uint64_t answered_seq;
    bool stop;
};

static void fault(struct storm *storm, enum fault what)
{
    __atomic_add_fetch(&storm->board->seen[what], 1, __ATOMIC_SEQ_CST);
}

static void fault_read(struct storm *storm, struct ctx *cx)
{
    snprintf(storm->board->what, sizeof storm->board->what, "%s", cx->reason ? cx->reason->name : "?");
    fault(storm, FAULT_READ);
    ctx_clear(cx);
}

/* ---- the writer's work ---- */

struct sent {
    struct storm *storm;
    bool registration;
};

static void hear(void *arg, const struct engine_answer *answer)
{
    struct sent *sent = arg;
    struct storm *storm = sent->storm;
    if (strcmp(answer->code, "AA") != 0)
        fault(storm, FAULT_ANSWERED);
    if (sent->registration)
        __atomic_add_fetch(&storm->registered, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&storm->answered_seq, answer->seq, __ATOMIC_SEQ_CST);
    __atomic_sub_fetch(&storm->under_way, 1, __ATOMIC_SEQ_CST);
    mem_free(sent);
}

static void submit(struct storm *storm, struct str message, bool registration)
{
    while (__atomic_load_n(&storm->under_way, __ATOMIC_SEQ_CST) >= BURST)
        usleep(200);
    __atomic_add_fetch(&storm->under_way, 1, __ATOMIC_SEQ_CST);
    struct sent *sent = mem_alloc(sizeof *sent);
    *sent = (struct sent){storm, registration};
    struct engine_submission submission = {.source = STR("north"),
                                           .protocol = STR("grpc"),
                                           .peer = STR("127.0.0.1:1"),
                                           .message = message,
                                           .received_us = clock_now_us()};
    submit_patiently(storm->w.engine, &submission, hear, sent);
}

static void submit_pair(struct storm *storm, unsigned n)
{
    struct buf message = {0};
    buf_printf(&message,
               "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^R01|R%u|P|2.5.1\r"
               "PID|1||A%u^^^NORTH^MR\rPID|1||B%u^^^NORTH^MR\rOBX|1|NM|GLU^Glucose^L||5\r",
               n, n, n);
    submit(storm, buf_str(&message), true);
    buf_clear(&message);
    buf_printf(&message,
               "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^A40|M%u|P|2.5.1\r"
               "PID|1||A%u^^^NORTH^MR\rMRG|B%u^^^NORTH^MR\r",
               n, n, n);
    submit(storm, buf_str(&message), false);
    buf_fini(&message);
}

/* ---- what readers see ---- */

/* Memory against rows, both of one moment. */
static void look_at_counts(struct storm *storm, struct ctx *cx, unsigned round)
{
    (void)cx, (void)round;
    struct engine *engine = storm->w.engine;
    uint64_t received = 0, accepted = 0, owed = 0, ended = 0;
    struct data_view view;
    data_view_begin(engine->store, &view);
    pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; i < engine->shown.sources.count; i++) {
        received += engine->shown.sources.at[i].received;
        accepted += engine->shown.sources.at[i].accepted;
    }
    for (size_t i = 0; i < engine->shown.lanes.count; i++) {
        owed += engine->shown.lanes.at[i].owed;
        ended += engine->shown.lanes.at[i].delivered + engine->shown.lanes.at[i].dead;
    }
    pthread_mutex_unlock(&engine->lock);
    bool same = received == data_view_rows(&view, engine->message) &&
                accepted == data_view_rows(&view, engine->control) && owed == 2 * accepted &&
                owed - ended == data_view_rows(&view, engine->outbox) &&
                ended == data_view_rows(&view, engine->delivery);
    data_view_end(&view);
    if (!same)
        fault(storm, FAULT_COUNTS);
}

static void look_at_status(struct storm *storm, struct ctx *cx, unsigned round)
{
    (void)round;
    struct engine_status now;
    if (engine_status(storm->w.engine, cx, &now) != STATUS_OK)
        fault_read(storm, cx);
    else if (now.unaccounted != 0 || now.deliveries_owed != 2 * now.accepted)
        fault(storm, FAULT_UNACCOUNTED);
}

static void look_at_people(struct storm *storm, struct ctx *cx, unsigned round)
{
    (void)cx, (void)round;
    struct mpi_counts now = mpi_count(engine_mpi(storm->w.engine));
    if (now.records % 2 != 0 || now.records != now.persons + now.decisions)
        fault(storm, FAULT_PEOPLE);
}

static struct mpi_identifier one_of(struct ctx *cx, char side, unsigned pair)
{
    return (struct mpi_identifier){STR("NORTH"), arena_printf(cx->arena, "%c%u", side, pair), STR("MR")};
}

/* A pair that may be on its way just now. */
static unsigned newest_pair(struct storm *storm, unsigned round)
{
    unsigned done = __atomic_load_n(&storm->registered, __ATOMIC_SEQ_CST);
    return done + round % BURST;
}

/* The first of a pair is there: so is the second, and the message that made both; a merge is there in all its parts. */
static void look_at_pair(struct storm *storm, struct ctx *cx, unsigned round)
{
    struct mpi *mpi = engine_mpi(storm->w.engine);
    char first = round & 1 ? 'A' : 'B', second = round & 1 ? 'B' : 'A';
    unsigned pair = newest_pair(storm, round / 2);
    uint64_t person, record, other_person, other_record;
    if (mpi_find(mpi, cx, one_of(cx, first, pair), &person, &record) != STATUS_OK) {
        ctx_clear(cx);
        return;
    }
    if (mpi_find(mpi, cx, one_of(cx, second, pair), &other_person, &other_record) != STATUS_OK) {
        fault(storm, FAULT_HALF_PAIR);
        return;
    }
    struct mpi_record_view seen;
    struct engine_trace trace;
    if (mpi_record(mpi, cx, record, &seen) != STATUS_OK)
        fault(storm, FAULT_NO_RECORD);
    else if (engine_trace(storm->w.engine, cx, seen.first_seq, STR_NONE, &trace) != STATUS_OK)
        fault(storm, FAULT_NO_MESSAGE);
    struct mpi_person_view whole;
    if (mpi_person(mpi, cx, person, &whole) != STATUS_OK) {
        fault_read(storm, cx);
        return;
    }
    unsigned retired = 0;
    for (size_t i = 0; i < whole.record_count; i++)
        retired += whole.records[i].retired_into != 0;
    if (retired + 1 != whole.record_count)
        fault(storm, FAULT_HALF_PAIR);
    struct mpi_why why;
    if (mpi_why(mpi, cx, record, other_record, &why) != STATUS_OK)
        fault_read(storm, cx);
}

/* The whole list, page by page: what was there before is in it, and nothing twice. */
static void look_at_list(struct storm *storm, struct ctx *cx, unsigned round)
{
    struct engine *engine = storm->w.engine;
    struct data_view view;
    data_view_begin(engine->store, &view);
    uint64_t before = data_view_rows(&view, engine->message);
    data_view_end(&view);
    uint64_t next = 0, last = UINT64_MAX, listed = 0;
    do {
        struct engine_message_line *lines;
        size_t count;
        if (engine_messages(engine, cx, next, 40 + round % 100, false, &lines, &count, &next) != STATUS_OK) {
            fault_read(storm, cx);
            return;
        }
        for (size_t i = 0; i < count; last = lines[i++].seq, listed++)
            if (lines[i].seq >= last)
                fault(storm, FAULT_LIST);
        uint64_t person, record = 0;
        if (count > 0 && lines[0].control_id.data[0] == 'R' &&
            mpi_find(engine_mpi(engine), cx,
                     (struct mpi_identifier){
                         STR("NORTH"),
                         arena_printf(cx->arena, "A%.*s", STR_ARGS(str_sub(lines[0].control_id, 1, SIZE_MAX))),
                         STR("MR")},
                     &person, &record) != STATUS_OK)
            fault(storm, FAULT_NO_RECORD);
    } while (next != 0);
    if (listed < before)
        fault(storm, FAULT_LIST);
}

static void look_at_answered(struct storm *storm, struct ctx *cx, unsigned round)
{
    (void)round;
    uint64_t seq = __atomic_load_n(&storm->answered_seq, __ATOMIC_SEQ_CST);
    struct engine_trace trace;
    if (seq && engine_trace(storm->w.engine, cx, seq, STR_NONE, &trace) != STATUS_OK)
        fault(storm, FAULT_ANSWERED);
    struct engine_dead_letter *letters;
    size_t count;
    uint64_t total;
    if (engine_dead_letters(storm->w.engine, cx, STR_NONE, 0, 100, &letters, &count, &total) != STATUS_OK)
        fault_read(storm, cx);
    struct codes_snapshot *codes = codes_snapshot_ref(engine_codes(storm->w.engine));
    struct codes_translation *rows;
    if (codes_translate(codes, cx, STR("L"), STR("GLU"), STR("LN"), &rows, &count) != STATUS_OK)
        fault_read(storm, cx);
    codes_snapshot_unref(codes);
}

typedef void look_fn(struct storm *storm, struct ctx *cx, unsigned round);
static look_fn *const looks[] = {look_at_counts, look_at_status, look_at_people,
                                 look_at_pair,   look_at_list,   look_at_answered};
enum { READERS = sizeof looks / sizeof looks[0] };

struct reader {
    struct storm *storm;
    look_fn *look;
    pthread_t thread;
};

static void *reader_main(void *arg)
{
    struct reader *reader = arg;
    struct arena arena = {0};
    for (unsigned round = 0; !__atomic_load_n(&reader->storm->stop, __ATOMIC_SEQ_CST); round++) {
        struct ctx cx = {.arena = &arena, .now_us = clock_now_us()};
        reader->look(reader->storm, &cx, round);
        arena_reset(&arena);
        __atomic_add_fetch(&reader->storm->board->looks, 1, __ATOMIC_SEQ_CST);
    }
    arena_fini(&arena);
    return NULL;
}

/* ---- storms ---- */

static void load_map(struct world *w)
{
    struct str path = arena_printf(&w->s.arena, "%s/map.csv", w->dir);
    struct str text = STR("source_system,source_code,source_display,target_system,target_code,target_display,"
                          "equivalence\nL,GLU,Glucose,LN,2345-7,Glucose Bld,equivalent\n");
    assert_ok(&w->s, file_replace(&w->s.cx, path.data, text, 0600));
    struct loader_options options = {
        .path = path.data, .pack_dir = engine_packs_dir(w->engine), .system = STR("map:local"), .version = STR("1")};
    struct loader_result result;
    uint64_t release, seq;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_ok(&w->s, engine_register_codes(w->engine, &w->s.cx, &result.registration, &release));
    assert_ok(&w->s, engine_activate_codes(w->engine, &w->s.cx, release, &seq));
}

static void begin(struct storm *storm, struct board *board, const char *dir, bool planted)
{
    struct world *w = &storm->w;
    *storm = (struct storm){.board = board};
    support_init(&w->s);
    w->dir = dir;
    struct engine_options options = {.dir = w->dir, .version = "test", .plant_publish_before_commit = planted};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
    load_map(w);
    world_routes(w, arena_printf(&w->s.arena,
                                 "destinations:\n  - { name: archive, file: { folder: %s/out } }\n"
                                 "  - { name: away, mllp: { connect: \"127.0.0.1:1\" } }\n"
                                 "routes:\n  - { name: all, to: [archive, away], person_id: { authority: IDEM },\n"
                                 "      codes: [ { path: \"OBX(*)-3\", to: [LN] } ] }\n",
                                 w->dir));
}

static unsigned faults(const struct board *board)
{
    unsigned all = 0;
    for (int i = 0; i < FAULT_COUNT; i++)
        all += __atomic_load_n(&board->seen[i], __ATOMIC_SEQ_CST);
    return all;
}

static void start_readers(struct storm *storm, struct reader *readers)
{
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.storm = storm, .look = looks[i]};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, reader_main, &readers[i]), 0);
    }
}

static void submit_round(struct storm *storm)
{
    for (unsigned i = 0; i < PAIRS; i++)
        submit_pair(storm, storm->from++);
    while (__atomic_load_n(&storm->under_way, __ATOMIC_SEQ_CST) > 0)
        usleep(1000);
}

static void test_readers__see_every_entry_whole_or_not_at_all(void **state)
{
    (void)state;
    static struct board board;
    static struct storm storm;
    struct reader readers[READERS];
    struct support s;
    support_init(&s);
    begin(&storm, &board, support_make_dir(&s), false);
    start_readers(&storm, readers);
    submit_round(&storm);
    __atomic_store_n(&storm.stop, true, __ATOMIC_SEQ_CST);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    for (int i = 0; i < FAULT_COUNT; i++)
        if (board.seen[i])
            fail_msg("%s: seen %u times in %u looks %s", fault_names[i], board.seen[i], board.looks, board.what);
    assert_true(board.looks > READERS);
    struct mpi_counts now = mpi_count(engine_mpi(storm.w.engine));
    assert_int_equal(now.records, 2 * PAIRS);
    assert_int_equal(now.persons, PAIRS);
    assert_int_equal(now.decisions, PAIRS);
    world_end(&storm.w);
    support_fini(&s);
}

/* What readers see of it may also end the process: it is the planted one. */
static void run_planted(struct board *board, const char *dir)
{
    static struct storm storm;
    struct reader readers[READERS];
    begin(&storm, board, dir, true);
    start_readers(&storm, readers);
    for (int i = 0; i < PLANTED_ROUNDS && faults(board) == 0; i++)
        submit_round(&storm);
}

static void test_planted_publish_before_commit__is_found(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(board != MAP_FAILED);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        alarm(250);
        run_planted(board, dir);
        _exit(0);
    }
    int how;
    waitpid(child, &how, 0);
#if defined(__SANITIZE_THREAD__)
    assert_true(faults(board) > 0 || how != 0); /* it may see the race before the readers see what comes of it */
#else
    assert_true(faults(board) > 0);
#endif
    munmap(board, sizeof *board);
    support_remove_dir(dir);
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_publish_before_commit__is_found),
        cmocka_unit_test(test_readers__see_every_entry_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
