/* Lanes against real receivers, sockets and folders: order, retries, dead letters, doubt, back-log, restarts. */
#include "base/net.h"
#include "engine_internal.h"
#include "held_disk.h"
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

/* ---- a receiving system in a process of its own ---- */

struct receiver {
    pid_t pid;
    unsigned port;
    const char *list;
};

static struct receiver start_receiver(struct world *w, const char *listen, const char *option, const char *value)
{
    struct receiver receiver = {.list = arena_printf(&w->s.arena, "%s/list", w->dir).data};
    const char *arguments[] = {RECEIVER, "--list", receiver.list, "--listen", listen, option, value, NULL};
    int out[2];
    assert_int_equal(pipe(out), 0);
    receiver.pid = fork();
    if (receiver.pid == 0) {
        dup2(out[1], 1);
        execv(RECEIVER, (char **)(void *)arguments);
        _exit(127);
    }
    close(out[1]);
    char line[64] = "";
    ssize_t got = read(out[0], line, sizeof line - 1);
    assert_true(got > 0 && sscanf(line, "listening on %u", &receiver.port) == 1);
    close(out[0]);
    return receiver;
}

static void stop_receiver(const struct receiver *receiver)
{
    int how;
    kill(receiver->pid, SIGTERM);
    waitpid(receiver->pid, &how, 0);
}

/* How many messages came, and that their numbers ("K1", "K2" …) never went back: new ones in order, none missing. */
static unsigned check_order(struct world *w, const char *list)
{
    struct buf text = {0};
    assert_ok(&w->s, file_read(&w->s.cx, list, 64 << 20, &text));
    struct str rest = buf_str(&text), line;
    unsigned last = 0, lines = 0;
    while (str_split(&rest, '\n', &line)) {
        const char *at = memmem(line.data, line.len, "K", 1);
        if (at == NULL)
            continue;
        unsigned number = (unsigned)strtoul(at + 1, NULL, 10);
        bool new_one = memmem(line.data, line.len, "new", 3) != NULL;
        if (new_one && number != last + 1 && number != last) /* one that was rejected is new again */
            fail_msg("after %u came %u", last, number);
        if (new_one)
            last = number;
        lines++;
    }
    buf_fini(&text);
    return last;
}

static void route_to(struct world *w, unsigned port, const char *retry)
{
    world_routes(w, arena_printf(&w->s.arena,
                                 "destinations:\n  - name: lab\n    mllp: { connect: \"127.0.0.1:%u\" }\n"
                                 "    answer_timeout: 300ms\n    retry: { first: 5ms, most: 20ms%s }\n"
                                 "routes:\n  - { name: all, to: [lab] }\n",
                                 port, retry));
}

static void submit_numbers(struct world *w, unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        char control_id[16];
        snprintf(control_id, sizeof control_id, "K%u", i);
        struct world_heard heard = world_submit(w, "north", world_adt(w, "A08", control_id, "100", "Doe", ""));
        assert_string_equal(heard.code[0], "AA");
        arena_rewind(&w->s.arena, mark);
    }
}

static void ignore_answer(void *arg, const struct engine_answer *answer)
{
    if (answer->last)
        __atomic_add_fetch((int *)arg, 1, __ATOMIC_SEQ_CST);
}

/* Without waiting for each: thousands within a second or two. */
static void submit_many(struct world *w, unsigned from, unsigned to)
{
    int answered = 0;
    for (unsigned i = from; i <= to; i++) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        char control_id[16];
        snprintf(control_id, sizeof control_id, "K%u", i);
        struct engine_submission submission = {.source = STR("north"),
                                               .protocol = STR("mllp"),
                                               .message = world_adt(w, "A08", control_id, "100", "Doe", "")};
        submit_patiently(w->engine, &submission, ignore_answer, &answered);
        arena_rewind(&w->s.arena, mark);
    }
    while (__atomic_load_n(&answered, __ATOMIC_SEQ_CST) < (int)(to - from + 1))
        usleep(1000);
}

/* A port on which nobody listens. */
static unsigned free_port(struct world *w)
{
    struct receiver receiver = start_receiver(w, "127.0.0.1:0", NULL, NULL);
    stop_receiver(&receiver);
    return receiver.port;
}

/* ---- */

static void test_order__is_kept_whatever_the_receiver_does(void **state)
{
    (void)state;
    static const char *const misbehaviour[][2] = {{NULL, NULL},
                                                  {"--no-answer-every", "7"},
                                                  {"--wrong-id-every", "9"},
                                                  {"--close-every", "5"},
                                                  {"--reject-first", "3"}};
    for (size_t i = 0; i < sizeof misbehaviour / sizeof misbehaviour[0]; i++) {
        struct world w;
        world_begin(&w);
        struct receiver receiver = start_receiver(&w, "127.0.0.1:0", misbehaviour[i][0], misbehaviour[i][1]);
        route_to(&w, receiver.port, ", give_up_after: 0");
        submit_numbers(&w, 1, 30);
        world_settled(&w, 30, 0);
        assert_int_equal(check_order(&w, receiver.list), 30);
        stop_receiver(&receiver);
        world_end(&w);
    }
}

static void test_refused__is_a_dead_letter_at_once_and_the_rest_goes_on(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct receiver receiver = start_receiver(&w, "127.0.0.1:0", "--refuse-every", "3");
    route_to(&w, receiver.port, "");
    submit_numbers(&w, 1, 9);
    world_settled(&w, 6, 3);
    struct engine_dead_letter *letters;
    size_t count;
    uint64_t total;
    assert_ok(&w.s, engine_dead_letters(w.engine, &w.s.cx, STR("lab"), 0, 2, &letters, &count, &total));
    assert_true(count == 2 && total == 3);
    assert_str(letters[0].control_id, "K3");
    struct engine_dead_letter *page;
    assert_ok(&w.s, engine_dead_letters(w.engine, &w.s.cx, STR("lab"), letters[1].id, 2, &page, &count, &total));
    assert_true(count == 1 && total == 3);
    assert_str(page[0].control_id, "K9");
    assert_ok(&w.s, engine_dead_letters(w.engine, &w.s.cx, STR_NONE, page[0].id, 2, &page, &count, &total));
    assert_int_equal(count, 0);
    assert_ok(&w.s, engine_dead_letters(w.engine, &w.s.cx, STR_NONE, UINT64_MAX, 2, &page, &count, &total));
    assert_int_equal(count, 0);
    assert_str(letters[0].reason, "AE");
    assert_str(letters[0].type, "ADT^A08");
    assert_int_equal(letters[0].attempts, 1);
    struct engine_dead_letter letter;
    assert_ok(&w.s, engine_dead_letter(w.engine, &w.s.cx, letters[0].id, &letter));
    assert_non_null(strstr(arena_str(&w.s.arena, letter.answer).data, "MSA|AE|K3"));
    assert_non_null(strstr(arena_str(&w.s.arena, letter.message).data, "ADT^A08|K3"));
    assert_fails(&w.s, engine_dead_letter(w.engine, &w.s.cx, 999999, &letter), "engine.dead-letter-unknown");

    /* replay: one by number, then the rest; a dry run changes nothing; nothing is sent twice */
    uint64_t *ids;
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, letters[0].id, STR_NONE, true, &ids, &count));
    assert_int_equal(count, 1);
    assert_int_equal(world_status(&w).deliveries_dead, 3);
    uint64_t first = letters[0].id;
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, first, STR_NONE, false, &ids, &count));
    assert_int_equal(count, 1);
    world_settled(&w, 7, 2); /* the 10th of the receiver: taken */
    assert_fails(&w.s, engine_replay(w.engine, &w.s.cx, first, STR_NONE, false, &ids, &count),
                 "engine.dead-letter-unknown");
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, 0, STR("elsewhere"), false, &ids, &count));
    assert_int_equal(count, 0);
    assert_ok(&w.s, engine_replay(w.engine, &w.s.cx, 0, STR("lab"), false, &ids, &count));
    assert_int_equal(count, 2);
    for (int i = 0; i < 300 && world_status(&w).deliveries_queued; i++)
        usleep(10000);
    assert_int_equal(world_status(&w).deliveries_owed, 9);
    stop_receiver(&receiver);
    world_end(&w);
}

static void test_rejected__is_tried_again_and_dead_after_give_up(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct receiver receiver = start_receiver(&w, "127.0.0.1:0", "--reject-first", "4");
    route_to(&w, receiver.port, ", give_up_after: 3");
    submit_numbers(&w, 1, 2);
    world_settled(&w, 1, 1); /* three rejections bury the first; the second is rejected once, then taken */
    struct engine_dead_letter *letters;
    size_t count;
    uint64_t total;
    assert_ok(&w.s, engine_dead_letters(w.engine, &w.s.cx, STR_NONE, 0, 10, &letters, &count, &total));
    assert_int_equal(letters[0].attempts, 3);
    assert_str(letters[0].reason, "AR");
    stop_receiver(&receiver);
    world_end(&w);
}

static void test_away__is_never_dead_and_a_long_back_log_goes_out_in_order(void **state)
{
    (void)state;
    enum { HELD = 2048, MANY = 2 * HELD + 900 }; /* what a lane holds, filled twice over */
    struct world w;
    world_begin(&w);
    unsigned port = free_port(&w);
    route_to(&w, port, ", give_up_after: 1");
    submit_many(&w, 1, MANY);
    struct engine_status now = world_status(&w);
    assert_true(now.deliveries_queued == MANY && now.deliveries_dead == 0);
    assert_true(now.lanes[0].oldest_us > 0);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    submit_many(&w, MANY + 1, MANY + 50); /* while the back-log drains */
    world_settled(&w, MANY + 50, 0);
    assert_int_equal(check_order(&w, receiver.list), MANY + 50);
    stop_receiver(&receiver);
    world_end(&w);
}

static void test_no_answer__is_in_doubt_and_counted(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct receiver receiver = start_receiver(&w, "127.0.0.1:0", "--no-answer-every", "2");
    route_to(&w, receiver.port, "");
    submit_numbers(&w, 1, 2);
    world_settled(&w, 2, 0);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K2"), &trace));
    assert_int_equal(trace.deliveries[0].in_doubt, 1);
    assert_int_equal(trace.deliveries[0].attempts, 2);
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K1"), &trace));
    assert_int_equal(trace.deliveries[0].in_doubt, 0);
    stop_receiver(&receiver);
    world_end(&w);
}

/* The engine in a child that is killed: what was queued then may have been sent. */
static void run_until_killed(struct world *w, unsigned messages)
{
    pid_t child = fork();
    if (child == 0) {
        world_open(w);
        if (messages)
            submit_many(w, 1, messages);
        usleep(20000);
        kill(getpid(), SIGKILL);
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFSIGNALED(how));
}

static void test_crash__marks_the_first_ones_in_doubt_and_only_those(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    unsigned port = free_port(&w);
    route_to(&w, port, "");
    world_close(&w);
    run_until_killed(&w, 20);
    world_open(&w);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    world_settled(&w, 20, 0);
    assert_int_equal(check_order(&w, receiver.list), 20);
    for (unsigned i = 1; i <= 20; i++) {
        struct engine_trace trace;
        assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, arena_printf(&w.s.arena, "K%u", i), &trace));
        assert_int_equal(trace.deliveries[0].in_doubt, i <= 9); /* UNRECORDED_MAX + 1 */
    }
    /* a destination that appears only now has nothing to doubt */
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: new, file: { folder: %s } }\n"
                                  "routes:\n  - { name: all, to: [new] }\n",
                                  w.folder));
    submit_numbers(&w, 21, 23);
    world_settled(&w, 23, 0);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K21"), &trace));
    assert_int_equal(trace.deliveries[0].in_doubt, 0);
    stop_receiver(&receiver);
    world_end(&w);
}

static void test_clean_stop__leaves_nothing_in_doubt(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    unsigned port = free_port(&w);
    route_to(&w, port, "");
    submit_numbers(&w, 1, 3);
    world_close(&w);
    world_open(&w);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    world_settled(&w, 3, 0);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K1"), &trace));
    assert_int_equal(trace.deliveries[0].in_doubt, 0);
    stop_receiver(&receiver);
    world_end(&w);
}

/* Sent, never answered, then a clean stop: the next run repeats it and must say so. */
static void test_doubt__survives_a_clean_stop(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    unsigned port = free_port(&w);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver mute = start_receiver(&w, listen, "--no-answer-every", "1");
    route_to(&w, port, "");
    submit_numbers(&w, 1, 1);
    for (int i = 0; i < 2000; i++) {
        struct engine_status now = world_status(&w);
        if (now.lane_count && str_is(now.lanes[0].state, "retrying"))
            break;
        usleep(5000);
    }
    world_close(&w);
    stop_receiver(&mute);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    world_open(&w);
    world_settled(&w, 1, 0);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K1"), &trace));
    assert_true(trace.deliveries[0].in_doubt >= 1);
    stop_receiver(&receiver);
    world_end(&w);
}

static void test_destination__leaves_and_comes_back_with_its_queue(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    unsigned port = free_port(&w);
    route_to(&w, port, "");
    submit_numbers(&w, 1, 5);
    world_routes(&w, STR("destinations: []\nroutes: []\n"));
    submit_numbers(&w, 6, 6); /* goes nowhere */
    struct engine_status now = world_status(&w);
    assert_int_equal(now.deliveries_queued, 5);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    usleep(100000);
    assert_int_equal(world_status(&w).deliveries_queued, 5); /* nobody sends for a destination that left */
    route_to(&w, port, "");
    world_settled(&w, 5, 0);
    assert_int_equal(check_order(&w, receiver.list), 5);
    stop_receiver(&receiver);
    world_end(&w);
}

/* The receiver's list has so many lines. */
static void wait_received(struct world *w, const struct receiver *receiver, unsigned count)
{
    for (;;) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        unsigned last = access(receiver->list, F_OK) == 0 ? check_order(w, receiver->list) : 0;
        arena_rewind(&w->s.arena, mark);
        if (last == count)
            return;
        usleep(1000);
    }
}

static void wait_lanes(struct world *w, size_t count)
{
    size_t lanes = count + 1, bytes;
    while (lanes != count) {
        usleep(1000);
        lanes_memory(w->engine, &lanes, &bytes);
    }
}

static void test_lane__goes_with_its_destination_and_its_queue_stays(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    for (int i = 0; i < 20; i++) { /* come and go: none is left behind */
        world_routes(&w, arena_printf(&w.s.arena,
                                      "destinations:\n  - { name: d%d, file: { folder: %s/%d } }\n"
                                      "routes:\n  - { name: all, to: [d%d] }\n",
                                      i, w.folder, i, i));
        submit_numbers(&w, (unsigned)i + 100, (unsigned)i + 100);
        world_settled(&w, (uint64_t)i + 1, 0);
    }
    wait_lanes(&w, 1);
    unsigned port = free_port(&w);
    route_to(&w, port, "");
    submit_numbers(&w, 1, 5);
    wait_lanes(&w, 1);
    world_routes(&w, STR("destinations: []\nroutes: []\n"));
    wait_lanes(&w, 0);
    struct engine_status now = world_status(&w);
    assert_int_equal(now.deliveries_queued, 5);
    for (size_t i = 0; i < now.lane_count; i++) {
        assert_str(now.lanes[i].state, "stopped");
        assert_str(now.lanes[i].last_error, "not in the routes");
    }
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    route_to(&w, port, "");
    world_settled(&w, 25, 0);
    assert_int_equal(check_order(&w, receiver.list), 5);
    wait_lanes(&w, 1);
    stop_receiver(&receiver);
    world_end(&w);
}

/* What may have been sent is known to the lane alone: it stays, so that the doubt is not forgotten. */
static void test_lane__with_doubt_in_its_queue_stays(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct receiver mute = start_receiver(&w, "127.0.0.1:0", "--no-answer-every", "1");
    route_to(&w, mute.port, "");
    submit_numbers(&w, 1, 2);
    wait_received(&w, &mute, 1);
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: other, file: { folder: %s } }\n"
                                  "routes:\n  - { name: all, to: [other] }\n",
                                  w.folder));
    submit_numbers(&w, 3, 3);
    world_settled(&w, 1, 0); /* the new routes have arrived at the lanes */
    wait_lanes(&w, 2);
    stop_receiver(&mute);
    struct receiver receiver = start_receiver(&w, "127.0.0.1:0", NULL, NULL);
    route_to(&w, receiver.port, "");
    world_settled(&w, 3, 0);
    wait_lanes(&w, 1);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K1"), &trace));
    assert_true(trace.deliveries[0].in_doubt >= 1);
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K2"), &trace));
    assert_int_equal(trace.deliveries[0].in_doubt, 0);
    stop_receiver(&receiver);
    world_end(&w);
}

/* ---- a delivery loop that does not come round ---- */

struct blocked {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool there, go;
};

static void block_loop(void *arg)
{
    struct blocked *blocked = arg;
    pthread_mutex_lock(&blocked->lock);
    blocked->there = true;
    pthread_cond_broadcast(&blocked->changed);
    while (!blocked->go)
        pthread_cond_wait(&blocked->changed, &blocked->lock);
    pthread_mutex_unlock(&blocked->lock);
}

/* No lane is full by itself, all together are: what is not handed over is found in the table, and nothing overtakes it.
 */
static void test_feed__is_bounded_while_the_lanes_do_not_come_round(void **state)
{
    (void)state;
    enum { LANES = 8, MESSAGES = 1200, NOTE = 3600 }; /* below what several rows would share */
    struct world w;
    world_begin(&w);
    struct receiver receiver = start_receiver(&w, "127.0.0.1:0", NULL, NULL); /* of them all: new ones come in order */
    struct buf routes = {0};
    buf_put_str(&routes, STR("destinations:\n"));
    for (int i = 0; i < LANES; i++)
        buf_printf(&routes, "  - { name: lab%d, mllp: { connect: \"127.0.0.1:%u\" } }\n", i, receiver.port);
    buf_put_str(&routes, STR("routes:\n  - { name: all, to: [lab0, lab1, lab2, lab3, lab4, lab5, lab6, lab7] }\n"));
    world_routes(&w, buf_str(&routes));
    buf_fini(&routes);
    submit_numbers(&w, 1, 1);
    world_settled(&w, LANES, 0);
    struct blocked blocked = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    loop_post(w.engine->deliver_loop, block_loop, &blocked);
    pthread_mutex_lock(&blocked.lock);
    while (!blocked.there)
        pthread_cond_wait(&blocked.changed, &blocked.lock);
    pthread_mutex_unlock(&blocked.lock);
    char note[NOTE + 1];
    memset(note, 'x', NOTE);
    note[NOTE] = 0;
    int answered = 0;
    for (unsigned i = 2; i <= MESSAGES; i++) {
        struct arena_mark mark = arena_mark(&w.s.arena);
        struct str rest = arena_printf(&w.s.arena, "NTE|1||%s\r", i % 50 ? note : ""); /* short ones still fit */
        struct str control_id = arena_printf(&w.s.arena, "K%u", i);
        struct engine_submission submission = {.source = STR("north"),
                                               .protocol = STR("mllp"),
                                               .message =
                                                   world_adt(&w, "A08", control_id.data, "100", "Doe", rest.data)};
        submit_patiently(w.engine, &submission, ignore_answer, &answered);
        arena_rewind(&w.s.arena, mark);
    }
    while (__atomic_load_n(&answered, __ATOMIC_SEQ_CST) < MESSAGES - 1)
        usleep(1000);
    size_t lanes, bytes;
    lanes_memory(w.engine, &lanes, &bytes);
    assert_int_equal(lanes, LANES);
    assert_in_range(bytes, LIMIT_LANE_FEED_BYTES - 2 * NOTE, LIMIT_LANE_FEED_BYTES); /* met, and kept */
    pthread_mutex_lock(&blocked.lock);
    blocked.go = true;
    pthread_cond_broadcast(&blocked.changed);
    pthread_mutex_unlock(&blocked.lock);
    world_settled(&w, LANES * MESSAGES, 0);
    assert_int_equal(check_order(&w, receiver.list), MESSAGES);
    lanes_memory(w.engine, &lanes, &bytes);
    assert_int_equal(bytes, 0);
    stop_receiver(&receiver);
    world_end(&w);
}

/* A folder that cannot be made yet, as on a disk that is mounted late: the lane opens when it can. */
static void test_destination_that_cannot_be_opened__is_tried_again(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct str in_the_way = arena_printf(&w.s.arena, "%s/late", w.dir);
    assert_ok(&w.s, file_replace(&w.s.cx, in_the_way.data, STR("not a folder"), 0600));
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: late, file: { folder: %s/out }, "
                                  "retry: { first: 5ms, most: 20ms } }\nroutes:\n  - { name: all, to: [late] }\n",
                                  in_the_way.data));
    submit_numbers(&w, 1, 2);
    usleep(50000);
    struct engine_status now = world_status(&w);
    assert_str(now.lanes[0].state, "retrying");
    assert_int_equal(now.deliveries_queued, 2);
    unlink(in_the_way.data);
    world_settled(&w, 2, 0);
    world_end(&w);
}

/* More bytes than a lane may hold: they wait in the table, and still all go, in order. */
static void test_large_messages__wait_in_the_table_and_go_out_in_order(void **state)
{
    (void)state;
    enum { HELD = 8 * 1024 * 1024, BYTES = 1024 * 1024, COUNT = 3 * (HELD / BYTES) };
    struct world w;
    world_begin(&w);
    unsigned port = free_port(&w);
    route_to(&w, port, "");
    struct buf note = {0};
    buf_put_str(&note, STR("NTE|1||"));
    buf_reserve(&note, BYTES);
    memset(note.data + note.len, 'x', BYTES);
    note.len += BYTES;
    buf_put_str(&note, STR("\r"));
    buf_put_byte(&note, 0);
    for (unsigned i = 1; i <= COUNT; i++) {
        struct arena_mark mark = arena_mark(&w.s.arena);
        char control_id[16];
        snprintf(control_id, sizeof control_id, "K%u", i);
        const char *rest = i % 3 ? note.data : ""; /* small ones between must not overtake */
        assert_string_equal(world_submit(&w, "north", world_adt(&w, "A08", control_id, "100", "Doe", rest)).code[0],
                            "AA");
        arena_rewind(&w.s.arena, mark);
    }
    buf_fini(&note);
    world_close(&w);
    world_open(&w);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    world_settled(&w, COUNT, 0);
    assert_int_equal(check_order(&w, receiver.list), COUNT);
    stop_receiver(&receiver);
    world_end(&w);
}

/* Half of the lanes get what was received, the other half what was made for them alone. */
static void route_to_many(struct world *w, int lanes, bool away)
{
    struct buf text = {0};
    buf_put_str(&text, STR("destinations:\n"));
    for (int i = 0; i < lanes; i++)
        if (away)
            buf_printf(&text, "  - { name: d%d, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n",
                       i);
        else
            buf_printf(&text, "  - { name: d%d, file: { folder: %s/%d } }\n", i, w->folder, i);
    buf_put_str(&text, STR("routes:\n"));
    for (int i = 0; i < lanes; i++)
        buf_printf(&text, "  - { name: r%d, when: { type: [\"ADT^Z%02d\"] }, to: [d%d]%s }\n", i, i, i,
                   i % 2 ? ", person_id: { authority: IDEM }" : "");
    world_routes(w, buf_str(&text));
    buf_fini(&text);
}

/* Each file of the lane's folder, with what the person's number adds to every second lane's. */
static void check_folder(struct world *w, int lane, const size_t *sizes, int count)
{
    struct str folder = arena_printf(&w->s.arena, "%s/%d", w->folder, lane);
    DIR *dir = opendir(folder.data);
    assert_non_null(dir);
    size_t want = 0, got = 0;
    int files = 0;
    for (int i = 0; i < count; i++)
        want += sizes[i] + (lane % 2 ? strlen("~1^^^IDEM^PI") : 0);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        struct str path = arena_printf(&w->s.arena, "%s/%s", folder.data, entry->d_name);
        assert_int_equal(stat(path.data, &info), 0);
        got += (size_t)info.st_size;
        files++;
    }
    closedir(dir);
    assert_int_equal(files, count);
    assert_int_equal(got, want);
}

/* More at once than are sent at once: they take turns, and all arrive, whole. */
static void test_large_messages_of_many_lanes__take_turns_and_all_arrive(void **state)
{
    (void)state;
    enum { LANES = 12, EACH = 3, BYTES = 15 * 1024 * 1024 };
    struct world w;
    world_begin(&w);
    route_to_many(&w, LANES, true);
    char *note = malloc(BYTES + 1);
    memset(note, 'x', BYTES);
    note[BYTES] = 0;
    memcpy(note, "NTE|1||", 7);
    note[BYTES - 1] = '\r';
    size_t sizes[EACH];
    for (int i = 0; i < EACH; i++)
        for (int lane = 0; lane < LANES; lane++) {
            struct arena_mark mark = arena_mark(&w.s.arena);
            char control_id[32], event[16];
            snprintf(control_id, sizeof control_id, "%02d-%02d", i, lane);
            snprintf(event, sizeof event, "Z%02d", lane);
            struct str message = world_adt(&w, event, control_id, "100", "Doe", i == 1 ? "" : note);
            sizes[i] = message.len;
            assert_string_equal(world_submit(&w, "north", message).code[0], "AA");
            arena_rewind(&w.s.arena, mark);
        }
    free(note);
    route_to_many(&w, LANES, false); /* now all of them may send */
    world_settled(&w, LANES * EACH, 0);
    for (int lane = 0; lane < LANES; lane++)
        check_folder(&w, lane, sizes, EACH);
    world_end(&w);
}

/* ---- a disk that stands still ---- */

enum { QUEUE = 32 * 1024 };

struct filler {
    struct engine_room room;
    pthread_t thread;
    struct world *w;
    int answered;
    unsigned taken;
};

static void hear_nothing(void *arg)
{
    (void)arg;
}

/* Messages of a source without a route, until the journal's queue is full; the last one stays in line. */
static void fill_queue(struct filler *filler, struct world *w)
{
    *filler = (struct filler){.w = w, .room.told = hear_nothing};
    for (;;) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        char control_id[16];
        snprintf(control_id, sizeof control_id, "F%u", filler->taken);
        struct engine_submission submission = {.source = STR("south"),
                                               .protocol = STR("mllp"),
                                               .message = world_adt(w, "A08", control_id, "900", "Fill", "")};
        bool full =
            engine_submit(w->engine, &submission, ignore_answer, &filler->answered, &filler->room) == ENGINE_FULL;
        arena_rewind(&w->s.arena, mark);
        if (full)
            break;
        if (filler->taken++ == 0)
            held_disk_wait_stuck();
    }
}

/* The one in line gives its place up: when it was told before, its room would be kept for ever. */
static void end_filling(struct filler *filler)
{
    (void)engine_forget(filler->w->engine, &filler->room);
    while (__atomic_load_n(&filler->answered, __ATOMIC_SEQ_CST) < (int)filler->taken)
        usleep(1000);
}

static void route_north(struct world *w, unsigned port)
{
    world_routes(w, arena_printf(&w->s.arena,
                                 "destinations:\n  - name: lab\n    mllp: { connect: \"127.0.0.1:%u\" }\n"
                                 "    answer_timeout: 30s\n    retry: { first: 5ms, most: 20ms }\n"
                                 "routes:\n  - { name: some, when: { source: [north] }, to: [lab] }\n",
                                 port));
}

/* The messages whose delivery was recorded, in the order of the journal. */
static unsigned recorded(struct world *w, unsigned *out_lines, unsigned max)
{
    struct journal_reader *reader;
    struct journal_entry entry;
    uint64_t first_message = 0;
    unsigned count = 0;
    assert_ok(&w->s, journal_reader_open(engine_journal(w->engine), &w->s.cx, 1, &reader));
    while (journal_reader_next(reader, &w->s.cx, 0, &entry) == STATUS_OK) {
        struct entry_delivery delivery;
        if (entry.kind == ENTRY_MESSAGE && first_message == 0)
            first_message = entry.seq;
        if (entry.kind != ENTRY_DELIVERY || count == max)
            continue;
        assert_ok(&w->s, entry_delivery_decode(&w->s.cx, entry.body, &delivery));
        out_lines[count++] = (unsigned)(delivery.message_seq - first_message + 1);
    }
    journal_reader_close(reader);
    return count;
}

/* Answers of a destination that find no room in the journal: the lane sends on up to its window and no further, its
 * loop waits for nothing, and each is recorded once and in order when there is room. */
static void test_no_room__outcomes_wait_in_order_and_the_loop_goes_on(void **state)
{
    (void)state;
    enum { MESSAGES = 20, WINDOW = 8 };
    struct world w;
    world_begin_with(&w, QUEUE);
    unsigned port = free_port(&w);
    route_north(&w, port);
    submit_numbers(&w, 1, MESSAGES);
    held_disk_hold(engine_journal(w.engine));
    struct filler filler;
    fill_queue(&filler, &w);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    held_disk_wait_waiting(engine_journal(w.engine), 1 + WINDOW); /* so many answers are known and wait */
    wait_received(&w, &receiver, WINDOW);
    assert_int_equal(world_status(&w).deliveries_queued, MESSAGES); /* what is not durable is not believed */
    assert_true(held_disk_is_stuck());
    held_disk_release();
    world_settled(&w, MESSAGES, 0);
    assert_int_equal(check_order(&w, receiver.list), MESSAGES);
    unsigned order[MESSAGES + 1];
    assert_int_equal(recorded(&w, order, MESSAGES + 1), MESSAGES);
    for (unsigned i = 0; i < MESSAGES; i++)
        assert_int_equal(order[i], i + 1);
    end_filling(&filler);
    stop_receiver(&receiver);
    world_end(&w);
}

static void *close_now(void *arg)
{
    struct filler *filler = arg;
    engine_close(filler->w->engine, 50);
    return NULL;
}

/* Closing while answers wait for room: they are given up, the stop is not clean, and the messages are sent again in
 * doubt. */
static void test_no_room__closing_gives_up_what_waits_and_doubts_it(void **state)
{
    (void)state;
    enum { MESSAGES = 12, WINDOW = 8 };
    struct world w;
    world_begin_with(&w, QUEUE);
    unsigned port = free_port(&w);
    route_north(&w, port);
    submit_numbers(&w, 1, MESSAGES);
    held_disk_hold(engine_journal(w.engine));
    struct filler filler;
    fill_queue(&filler, &w);
    char listen[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    struct receiver receiver = start_receiver(&w, listen, NULL, NULL);
    held_disk_wait_waiting(engine_journal(w.engine), 1 + WINDOW);
    assert_true(engine_forget(w.engine, &filler.room));
    assert_int_equal(pthread_create(&filler.thread, NULL, close_now, &filler), 0);
    usleep(200 * 1000); /* past the grace: the disk comes back when the lanes have given up */
    held_disk_release();
    pthread_join(filler.thread, NULL);
    assert_int_equal(filler.answered, filler.taken);
    world_open(&w);
    world_settled(&w, MESSAGES, 0);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("K1"), &trace));
    assert_int_equal(trace.deliveries[0].in_doubt, 1);
    stop_receiver(&receiver);
    world_end(&w);
}

static struct str with_note(struct world *w, const char *control_id, size_t bytes)
{
    char *note = arena_alloc(&w->s.arena, bytes + 16);
    memcpy(note, "NTE|1||", 7);
    memset(note + 7, 'x', bytes);
    note[bytes + 7] = '\r';
    return world_adt(w, "A08", control_id, "100", "Doe", note);
}

/* What is asked for is small; what it is read from is not. Past its limit an arena ends the process. */
static void test_lists_and_status__need_little_memory_whatever_the_messages_hold(void **state)
{
    (void)state;
    enum { COUNT = 6, BYTES = 1024 * 1024, SMALL = 1536 * 1024 };
    struct world w;
    world_begin(&w);
    struct receiver receiver = start_receiver(&w, "127.0.0.1:0", "--refuse-every", "1");
    unsigned nobody = free_port(&w);
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: lab, mllp: { connect: \"127.0.0.1:%u\" } }\n"
                                  "  - { name: away, mllp: { connect: \"127.0.0.1:%u\" } }\n"
                                  "  - { name: gone, mllp: { connect: \"127.0.0.1:%u\" } }\n"
                                  "routes:\n  - { name: all, to: [lab, away, gone], person_id: { authority: IDEM } }\n",
                                  receiver.port, nobody, nobody));
    for (unsigned i = 1; i <= COUNT; i++) {
        char control_id[16];
        snprintf(control_id, sizeof control_id, "K%u", i);
        assert_string_equal(world_submit(&w, "north", with_note(&w, control_id, BYTES)).code[0], "AA");
    }
    world_settled(&w, 0, COUNT);
    struct arena small;
    arena_init(&small, SMALL);
    struct ctx cx = {.arena = &small};
    struct engine_dead_letter *letters;
    struct engine_message_line *lines;
    size_t count;
    uint64_t next;
    uint64_t total, *ids;
    struct engine_status now;
    assert_int_equal(engine_dead_letters(w.engine, &cx, STR_NONE, 0, 100, &letters, &count, &total), STATUS_OK);
    assert_true(count == COUNT && total == COUNT);
    assert_str(letters[COUNT - 1].control_id, "K6");
    assert_str(letters[COUNT - 1].destination, "lab");
    assert_int_equal(engine_replay(w.engine, &cx, 0, STR_NONE, true, &ids, &count), STATUS_OK);
    assert_int_equal(count, COUNT);
    assert_int_equal(engine_status(w.engine, &cx, &now), STATUS_OK); /* two lanes wait with 1 MiB at their heads */
    assert_int_equal(now.deliveries_queued, 2 * COUNT);
    arena_reset(&small);
    assert_int_equal(engine_messages(w.engine, &cx, 0, 1, true, &lines, &count, &next), STATUS_OK);
    assert_int_equal(count, 0);
    assert_true(small.used < 1024); /* none is refused: what is passed over leaves nothing behind */
    arena_fini(&small);
    stop_receiver(&receiver);
    world_end(&w);
}

static void *submit_steadily(void *arg)
{
    submit_many(arg, 1, 3000);
    return NULL;
}

static void test_status__accounts_for_everything_while_messages_come_and_go(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    unsigned nobody = free_port(&w);
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: archive, file: { folder: %s } }\n"
                                  "  - { name: away, mllp: { connect: \"127.0.0.1:%u\" } }\n"
                                  "routes:\n  - { name: all, to: [archive, away] }\n",
                                  w.folder, nobody));
    struct world other = w; /* its own arena for the thread */
    support_init(&other.s);
    pthread_t thread;
    pthread_create(&thread, NULL, submit_steadily, &other);
    for (int i = 0; i < 200; i++) {
        struct arena_mark mark = arena_mark(&w.s.arena);
        world_status(&w); /* asserts that nothing is unaccounted for */
        arena_rewind(&w.s.arena, mark);
    }
    pthread_join(thread, NULL);
    support_fini(&other.s);
    world_status(&w);
    world_end(&w);
}

int main(void)
{
    held_disk_install();
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order__is_kept_whatever_the_receiver_does),
        cmocka_unit_test(test_refused__is_a_dead_letter_at_once_and_the_rest_goes_on),
        cmocka_unit_test(test_rejected__is_tried_again_and_dead_after_give_up),
        cmocka_unit_test(test_away__is_never_dead_and_a_long_back_log_goes_out_in_order),
        cmocka_unit_test(test_no_answer__is_in_doubt_and_counted),
        cmocka_unit_test(test_crash__marks_the_first_ones_in_doubt_and_only_those),
        cmocka_unit_test(test_clean_stop__leaves_nothing_in_doubt),
        cmocka_unit_test(test_doubt__survives_a_clean_stop),
        cmocka_unit_test(test_destination__leaves_and_comes_back_with_its_queue),
        cmocka_unit_test(test_lane__goes_with_its_destination_and_its_queue_stays),
        cmocka_unit_test(test_lane__with_doubt_in_its_queue_stays),
        cmocka_unit_test(test_feed__is_bounded_while_the_lanes_do_not_come_round),
        cmocka_unit_test(test_destination_that_cannot_be_opened__is_tried_again),
        cmocka_unit_test(test_lists_and_status__need_little_memory_whatever_the_messages_hold),
        cmocka_unit_test(test_status__accounts_for_everything_while_messages_come_and_go),
        cmocka_unit_test(test_no_room__outcomes_wait_in_order_and_the_loop_goes_on),
        cmocka_unit_test(test_no_room__closing_gives_up_what_waits_and_doubts_it),
        cmocka_unit_test(test_large_messages__wait_in_the_table_and_go_out_in_order),
        cmocka_unit_test(test_large_messages_of_many_lanes__take_turns_and_all_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
