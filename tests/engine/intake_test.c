/* Intake never waits: while the journal's disk stands still and its queue is full, senders wait and nobody else does.
 */
#include "base/buf.h"
#include "base/loop.h"
#include "base/net.h"
#include "engine/mllp_source.h"
#include "held_disk.h"
#include "hl7v2/mllp.h"
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { QUEUE = 64 * 1024, SOURCES = 2 };

/* ---- two MLLP sources on one loop, as in the daemon ---- */

struct gates {
    struct world *w;
    struct loop *loop;
    pthread_t thread;
    struct mllp_source *sources[SOURCES];
    unsigned open;
};

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void gates_open(struct gates *gates, struct world *w)
{
    static const char *const names[SOURCES] = {"north", "south"};
    *gates = (struct gates){.w = w, .loop = loop_new(), .open = SOURCES};
    for (int i = 0; i < SOURCES; i++) {
        struct mllp_source_options options = {
            .source = names[i], .listen = "127.0.0.1:0", .outstanding_max = 10 * 1000};
        assert_ok(&w->s, mllp_source_open(gates->loop, &w->s.cx, w->engine, &options, &gates->sources[i]));
    }
    assert_int_equal(pthread_create(&gates->thread, NULL, run_loop, gates->loop), 0);
}

static void one_closed(void *arg)
{
    struct gates *gates = arg;
    if (--gates->open == 0)
        loop_stop(gates->loop);
}

static void close_all(void *arg)
{
    struct gates *gates = arg;
    for (int i = 0; i < SOURCES; i++)
        mllp_source_close(gates->sources[i], one_closed, gates);
}

static void gates_close(struct gates *gates)
{
    loop_post(gates->loop, close_all, gates);
    pthread_join(gates->thread, NULL);
    loop_free(gates->loop);
}

static int dial(const struct gates *gates, int source)
{
    struct net_address address = {
        .host = "127.0.0.1", .port = mllp_source_port(gates->sources[source]), .numeric = true};
    struct net_endpoint endpoint;
    size_t count;
    assert_ok(&gates->w->s, net_resolve(&gates->w->s.cx, &address, &endpoint, 1, &count));
    int fd = net_connect_begin(&endpoint);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&ready, 1, 5000), 1);
    assert_int_equal(net_connect_result(fd), 0);
    return fd;
}

/* ---- a sender with a thread of its own: it may wait ---- */

struct sender {
    pthread_t thread;
    int fd;
    char letter; /* of its control ids */
    int from, to;
};

static void send_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        if (sent < 0 && errno == EAGAIN && poll(&ready, 1, -1) == 1)
            continue;
        if (sent < 0)
            return;
        bytes = str_from_at(bytes, (size_t)sent);
    }
}

static void *send_messages(void *arg)
{
    struct sender *sender = arg;
    static char note[1000];
    memset(note, 'x', sizeof note);
    for (int i = sender->from; i <= sender->to; i++) {
        struct buf frame = {0};
        buf_printf(&frame,
                   "\x0bMSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^A08|%c%05d|P|2.5.1\r"
                   "PID|1||%c%d^^^NORTH^MR||Doe^Anna||19800229|F\rNTE|1||%.*s\r\x1c\r",
                   sender->letter, i, sender->letter, i % 10, (int)sizeof note, note);
        send_all(sender->fd, buf_str(&frame));
        buf_fini(&frame);
    }
    return NULL;
}

static void sender_start(struct sender *sender)
{
    assert_int_equal(pthread_create(&sender->thread, NULL, send_messages, sender), 0);
}

/* The disk stands still with the sender's first message; what it sends from now on fills the queue. */
static void stick_disk(struct world *w, struct sender *sender)
{
    int to = sender->to;
    held_disk_hold(engine_journal(w->engine));
    sender->to = sender->from;
    sender_start(sender);
    pthread_join(sender->thread, NULL);
    held_disk_wait_stuck();
    sender->from++;
    sender->to = to;
    sender_start(sender);
}

/* So many good answers, in the order of the messages. */
static void expect_answers(const struct sender *sender, int from, int to)
{
    struct buf got = {0};
    int next = from;
    size_t looked = 0;
    while (next <= to) {
        char part[4096], want[32];
        struct pollfd ready = {.fd = sender->fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 20 * 1000), 1);
        ssize_t bytes = recv(sender->fd, part, sizeof part, 0);
        assert_true(bytes > 0);
        buf_put(&got, part, (size_t)bytes);
        for (;;) {
            char *answer = memmem(got.data + looked, got.len - looked, "MSA|", 4);
            char *end = answer ? memchr(answer, '\r', got.len - (size_t)(answer - got.data)) : NULL;
            if (end == NULL)
                break;
            snprintf(want, sizeof want, "MSA|AA|%c%05d", sender->letter, next++);
            assert_int_equal((size_t)(end - answer), strlen(want));
            assert_memory_equal(answer, want, strlen(want));
            looked = (size_t)(end - got.data);
        }
    }
    assert_null(memmem(got.data + looked, got.len - looked, "MSA|", 4));
    buf_fini(&got);
    assert_int_equal(next, to + 1);
}

static uint64_t connections_of(struct world *w, const char *source)
{
    struct arena_mark mark = arena_mark(&w->s.arena);
    struct engine_status now = world_status(w);
    uint64_t connections = 0;
    for (size_t i = 0; i < now.source_count; i++)
        if (str_is(now.sources[i].name, source))
            connections = now.sources[i].connections;
    arena_rewind(&w->s.arena, mark);
    return connections;
}

static void find_person(struct world *w, const char *id)
{
    uint64_t person, record;
    assert_ok(&w->s, mpi_find(engine_mpi(w->engine), &w->s.cx,
                              (struct mpi_identifier){STR("NORTH"), str_from(id), STR("MR")}, &person, &record));
    assert_int_not_equal(person, 0);
}

static void route_to_folder(struct world *w)
{
    world_routes(w, arena_printf(&w->s.arena,
                                 "destinations:\n  - { name: archive, file: { folder: %s } }\n"
                                 "routes:\n  - { name: all, to: [archive] }\n",
                                 w->folder));
}

/* Every message once in the journal, those of each sender in their order. */
static void expect_order(struct world *w, size_t messages)
{
    struct engine_message_line *lines;
    size_t count;
    uint64_t before;
    int newest[256] = {0};
    assert_ok(&w->s, engine_messages(w->engine, &w->s.cx, 0, 10 * 1000, false, &lines, &count, &before));
    assert_int_equal(count, messages);
    for (size_t i = 0; i < count; i++) {
        uint8_t letter = (uint8_t)lines[i].control_id.data[0];
        int number = (int)strtol(arena_str(&w->s.arena, lines[i].control_id).data + 1, NULL, 10);
        assert_true(newest[letter] == 0 || newest[letter] == number + 1);
        newest[letter] = number;
    }
}

static void test_stuck_disk__only_those_who_send_wait_and_all_is_acknowledged_in_order(void **state)
{
    (void)state;
    enum { MANY = 300 };
    struct world w;
    world_begin_with(&w, QUEUE);
    route_to_folder(&w);
    struct gates gates;
    gates_open(&gates, &w);
    struct sender first = {.fd = dial(&gates, 0), .letter = 'A', .from = 1, .to = 1};
    sender_start(&first);
    expect_answers(&first, 1, 1);
    pthread_join(first.thread, NULL);
    world_settled(&w, 1, 0);

    first.from = 2;
    first.to = MANY;
    stick_disk(&w, &first);
    held_disk_wait_waiting(engine_journal(w.engine), 1); /* the queue is full */
    /* the loop lets others in, and takes their messages as far as there is room: none */
    struct sender second = {.fd = dial(&gates, 0), .letter = 'B', .from = 1, .to = MANY};
    while (connections_of(&w, "north") != 2)
        usleep(1000);
    struct sender other = {.fd = dial(&gates, 1), .letter = 'C', .from = 1, .to = MANY};
    while (connections_of(&w, "south") != 1)
        usleep(1000);
    sender_start(&other);
    held_disk_wait_waiting(engine_journal(w.engine), 2);
    sender_start(&second);
    held_disk_wait_waiting(engine_journal(w.engine), 3);
    /* and who asks is answered */
    assert_int_equal(world_status(&w).received, 1);
    find_person(&w, "A1");
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("A00001"), &trace));
    assert_true(held_disk_is_stuck()); /* all this while the sync stood still */

    held_disk_release();
    expect_answers(&first, 2, MANY);
    expect_answers(&second, 1, MANY);
    expect_answers(&other, 1, MANY);
    struct sender *all[] = {&first, &second, &other};
    for (size_t i = 0; i < 3; i++) {
        pthread_join(all[i]->thread, NULL);
        close(all[i]->fd);
    }
    world_settled(&w, 3 * MANY, 0);
    assert_int_equal(world_status(&w).received, 3 * MANY);
    expect_order(&w, 3 * MANY);
    gates_close(&gates);
    world_end(&w);
}

/* Senders give up while their message waits: it is not taken later. What was taken is. */
static void test_stuck_disk__who_hangs_up_is_forgotten(void **state)
{
    (void)state;
    enum { MANY = 300 };
    struct world w;
    world_begin_with(&w, QUEUE);
    route_to_folder(&w);
    struct gates gates;
    gates_open(&gates, &w);
    struct sender first = {.fd = dial(&gates, 0), .letter = 'A', .from = 1, .to = MANY};
    stick_disk(&w, &first);
    held_disk_wait_waiting(engine_journal(w.engine), 1);
    struct sender gone = {.fd = dial(&gates, 1), .letter = 'G', .from = 1, .to = 1};
    sender_start(&gone);
    pthread_join(gone.thread, NULL);
    held_disk_wait_waiting(engine_journal(w.engine), 2);
    struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(gone.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(gone.fd);
    held_disk_wait_waiting(engine_journal(w.engine), 1);
    assert_true(held_disk_is_stuck());
    held_disk_release();
    expect_answers(&first, 1, MANY);
    pthread_join(first.thread, NULL);
    close(first.fd);
    gates_close(&gates);
    world_settled(&w, MANY, 0);
    expect_order(&w, MANY); /* the other one's message is not among them */
    world_end(&w);
}

/* The daemon closes while senders wait: sources first, then the engine, as in service. Nothing taken is left without
 * its answer, nothing that waited is taken. */
static void test_stuck_disk__closing_lets_the_waiting_go(void **state)
{
    (void)state;
    enum { MANY = 300 };
    struct world w;
    world_begin_with(&w, QUEUE);
    route_to_folder(&w);
    struct gates gates;
    gates_open(&gates, &w);
    struct sender sender = {.fd = dial(&gates, 0), .letter = 'A', .from = 1, .to = MANY};
    stick_disk(&w, &sender);
    held_disk_wait_waiting(engine_journal(w.engine), 1);
    loop_post(gates.loop, close_all, &gates);
    held_disk_wait_waiting(engine_journal(w.engine), 0); /* forgotten */
    assert_true(held_disk_is_stuck());
    held_disk_release();
    pthread_join(gates.thread, NULL);
    loop_free(gates.loop);
    pthread_join(sender.thread, NULL);
    close(sender.fd);
    uint64_t taken = 0;
    while (taken == 0 || world_status(&w).applied_seq != world_status(&w).journal_last_seq)
        taken = world_status(&w).received;
    assert_in_range(taken, 1, MANY - 1);
    world_settled(&w, world_status(&w).received, 0);
    expect_order(&w, world_status(&w).received);
    world_end(&w);
}

int main(void)
{
    held_disk_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stuck_disk__only_those_who_send_wait_and_all_is_acknowledged_in_order),
        cmocka_unit_test(test_stuck_disk__who_hangs_up_is_forgotten),
        cmocka_unit_test(test_stuck_disk__closing_lets_the_waiting_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
