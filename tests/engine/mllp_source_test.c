/* The MLLP server over real loopback sockets; the engine behind it is a double that answers late and in the wrong
 * order. */
#include "base/bounds.h"
#include "base/buf.h"
#include "base/crypto/stream.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/net.h"
#include "base/vec.h"
#include "engine/mllp_source.h"
#include "engine/send.h"
#include "hl7v2/header.h"
#include "hl7v2/mllp.h"
#include "mllp_internal.h"
#include "support_tls.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the engine's double ---- */

struct job {
    engine_answer_fn *answered;
    void *arg;
    char control_id[64];
    bool is_ack, enhanced;
};

struct engine {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    VEC(struct job) jobs;
    bool stopping, held;
    VEC(struct engine_room *) waiting; /* for room, in the order asked */
    size_t room;                       /* for so many more messages; SIZE_MAX = without end */
    atomic_int submitted, connections, forgotten;
    char principal[64];
};

static void answer(const struct job *job, const char *code, bool last)
{
    char text[160] = "";
    if (code[0])
        snprintf(text, sizeof text, "MSH|^~\\&|I|D|S|F|2026||ACK|1|P|2.5.1\rMSA|%s|%s\r", code, job->control_id);
    struct engine_answer given = {.seq = 1, .ack = str_from(text), .verdict = "", .reason = "", .last = last};
    snprintf(given.code, sizeof given.code, "%s", code);
    job->answered(job->arg, &given);
}

static void *answer_jobs(void *arg)
{
    struct engine *engine = arg;
    pthread_mutex_lock(&engine->lock);
    while (!engine->stopping || engine->jobs.count > 0) {
        if (engine->jobs.count == 0 || (engine->held && !engine->stopping)) {
            pthread_cond_wait(&engine->changed, &engine->lock);
            continue;
        }
        struct job *jobs = engine->jobs.at;
        size_t count = engine->jobs.count;
        engine->jobs.at = NULL;
        engine->jobs.count = engine->jobs.cap = 0;
        pthread_mutex_unlock(&engine->lock);
        for (size_t i = count; i-- > 0;) { /* backwards: the source must put them in order */
            if (jobs[i].enhanced)
                answer(&jobs[i], "CA", false);
            answer(&jobs[i], jobs[i].is_ack ? "" : "AA", true);
        }
        mem_free(jobs);
        pthread_mutex_lock(&engine->lock);
    }
    pthread_mutex_unlock(&engine->lock);
    return NULL;
}

/* Room for so many messages: those who wait are told, as by the engine, from a thread that is not the loop's. */
static void give_room(struct engine *engine, size_t room)
{
    pthread_mutex_lock(&engine->lock);
    engine->room = room;
    while (engine->waiting.count > 0 && room-- > 0) {
        struct engine_room *next = engine->waiting.at[0];
        memmove(engine->waiting.at, engine->waiting.at + 1, --engine->waiting.count * sizeof(struct engine_room *));
        pthread_mutex_unlock(&engine->lock);
        next->told(next->arg);
        pthread_mutex_lock(&engine->lock);
    }
    pthread_mutex_unlock(&engine->lock);
}

static size_t waiting_now(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    size_t count = engine->waiting.count;
    pthread_mutex_unlock(&engine->lock);
    return count;
}

bool engine_forget(struct engine *engine, struct engine_room *room)
{
    pthread_mutex_lock(&engine->lock);
    bool waited = false;
    for (size_t i = 0; i < engine->waiting.count && !waited; i++) {
        waited = engine->waiting.at[i] == room;
        if (waited)
            memmove(engine->waiting.at + i, engine->waiting.at + i + 1,
                    (--engine->waiting.count - i) * sizeof(struct engine_room *));
    }
    pthread_mutex_unlock(&engine->lock);
    atomic_fetch_add(&engine->forgotten, 1);
    return waited;
}

enum engine_taken engine_submit(struct engine *engine, const struct engine_submission *submission,
                                engine_answer_fn *answered, void *arg, struct engine_room *room)
{
    struct hl7_header header;
    hl7_header_read(submission->message, &header);
    struct job job = {
        .answered = answered, .arg = arg, .is_ack = str_is(header.type, "ACK"), .enhanced = header.accept_ack.len > 0};
    snprintf(job.control_id, sizeof job.control_id, "%.*s", STR_ARGS(header.control_id));
    pthread_mutex_lock(&engine->lock);
    if (engine->room == 0) {
        *VEC_ADD(&engine->waiting) = room;
        pthread_mutex_unlock(&engine->lock);
        return ENGINE_FULL;
    }
    engine->room -= engine->room != SIZE_MAX;
    snprintf(engine->principal, sizeof engine->principal, "%.*s", STR_ARGS(submission->principal));
    *VEC_ADD(&engine->jobs) = job;
    pthread_cond_signal(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
    atomic_fetch_add(&engine->submitted, 1);
    return ENGINE_TAKEN;
}

void engine_source_connections(struct engine *engine, const char *source, int change)
{
    (void)source;
    atomic_fetch_add(&engine->connections, change);
}

/* ---- a server in its own thread ---- */

struct server {
    struct support s;
    struct engine engine;
    struct loop *loop;
    pthread_t thread;
    struct mllp_source *source;
    struct mllp_source_counts counts;
    uint16_t port;
};

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void server_start(struct server *server, struct mllp_source_options options)
{
    memset(server, 0, sizeof *server);
    server->engine.room = SIZE_MAX;
    support_init(&server->s);
    pthread_mutex_init(&server->engine.lock, NULL);
    pthread_cond_init(&server->engine.changed, NULL);
    pthread_create(&server->engine.thread, NULL, answer_jobs, &server->engine);
    server->loop = loop_new();
    options.source = "adt";
    options.listen = "127.0.0.1:0";
    assert_ok(&server->s, mllp_source_open(server->loop, &server->s.cx, &server->engine, &options, &server->source));
    server->port = mllp_source_port(server->source);
    assert_int_not_equal(server->port, 0);
    pthread_create(&server->thread, NULL, run_loop, server->loop);
}

static void hold_engine(struct server *server, bool held)
{
    pthread_mutex_lock(&server->engine.lock);
    server->engine.held = held;
    pthread_cond_signal(&server->engine.changed);
    pthread_mutex_unlock(&server->engine.lock);
}

static void source_gone(void *arg)
{
    struct server *server = arg;
    loop_stop(server->loop);
}

static void close_source(void *arg)
{
    struct server *server = arg;
    server->counts = mllp_source_counts(server->source);
    mllp_source_close(server->source, source_gone, server);
    hold_engine(server,
                false); /* after the source stopped reading: what it has handed over is answered, nothing more */
}

struct idle_check {
    struct server *server;
    atomic_uint connections;
    atomic_bool answered;
};

static void look_at_connections(void *arg)
{
    struct idle_check *check = arg;
    atomic_store(&check->connections, (unsigned)mllp_source_counts(check->server->source).connections);
    atomic_store(&check->answered, true);
}

/* A connection's noise and long frames are counted when it ends, which is a moment after the client's close(). */
static void wait_until_nobody_is_connected(struct server *server)
{
    struct idle_check check = {.server = server, .connections = 1};
    for (int tries = 0; tries < 5000 && atomic_load(&check.connections) > 0; tries++) {
        atomic_store(&check.answered, false);
        loop_post(server->loop, look_at_connections, &check);
        while (!atomic_load(&check.answered))
            usleep(1000);
    }
    assert_int_equal(atomic_load(&check.connections), 0);
}

static void server_stop(struct server *server)
{
    loop_post(server->loop, close_source, server);
    pthread_join(server->thread, NULL);
    pthread_mutex_lock(&server->engine.lock);
    server->engine.stopping = true;
    pthread_cond_signal(&server->engine.changed);
    pthread_mutex_unlock(&server->engine.lock);
    pthread_join(server->engine.thread, NULL);
    VEC_FINI(&server->engine.jobs);
    assert_int_equal(server->engine.waiting.count, 0);
    VEC_FINI(&server->engine.waiting);
    assert_int_equal(atomic_load(&server->engine.connections), 0);
    loop_free(server->loop);
    support_fini(&server->s);
}

/* ---- a client that blocks, with a limit ---- */

static int dial(uint16_t port)
{
    struct support s;
    support_init(&s);
    struct net_address address = {.host = "127.0.0.1", .port = port, .numeric = true};
    struct net_endpoint endpoint;
    size_t count;
    assert_ok(&s, net_resolve(&s.cx, &address, &endpoint, 1, &count));
    int fd = net_connect_begin(&endpoint);
    assert_true(fd >= 0);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&ready, 1, 5000), 1);
    assert_int_equal(net_connect_result(fd), 0);
    support_fini(&s);
    return fd;
}

/* False when the other side has closed. */
static bool put(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd ready = {.fd = fd, .events = POLLOUT};
            assert_int_equal(poll(&ready, 1, 10000), 1);
            continue;
        }
        if (sent < 0)
            return false;
        bytes = str_from_at(bytes, (size_t)sent);
    }
    return true;
}

/* Reads until the other side closes, or until `want` answers have come (0 = until the close). */
static size_t get(int fd, size_t want, struct buf *out)
{
    size_t frames = 0;
    for (;;) {
        char part[4096];
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 10000) != 1)
            fail_msg("no answer within 10 s; %zu came", frames);
        ssize_t got = recv(fd, part, sizeof part, 0);
        if (got <= 0)
            return frames;
        buf_put(out, part, (size_t)got);
        for (ssize_t i = 0; i < got; i++)
            frames += part[i] == MLLP_VT; /* an answer may echo an FS */
        if (want && frames >= want)
            return frames;
    }
}

static bool has(const struct buf *bytes, const char *text)
{
    return bytes->len > 0 && memmem(bytes->data, bytes->len, text, strlen(text)) != NULL;
}

static struct str message(struct support *s, const char *control_id)
{
    return arena_printf(&s->arena, "\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A08|%s|P|2.5.1\rPID|1||1\r\x1c\r", control_id);
}

/* ---- tests ---- */

static void test_own_frames__noise_never_disturbs_the_next_message(void **state)
{
    (void)state;
    /* what is answered besides the message that follows; cut: the connection is closed for it */
    static const struct {
        const char *file;
        size_t answers, messages;
        bool cut;
    } cases[] = {
        {"00-valid.bin", 1, 1, false},          {"01-two-back-to-back.bin", 2, 2, false},
        {"02-no-vt.bin", 0, 0, false},          {"03-no-fs.bin", 0, 0, false},
        {"04-fs-no-cr.bin", 1, 1, false},       {"05-cr-lf-after.bin", 1, 1, false},
        {"06-double-vt.bin", 1, 1, false},      {"07-vt-inside.bin", 1, 1, false},
        {"08-fs-inside.bin", 1, 1, false},      {"09-fscr-inside.bin", 1, 1, false},
        {"10-garbage-before.bin", 1, 1, false}, {"11-tls-hello.bin", 0, 0, true},
        {"12-empty-frame.bin", 0, 0, false},    {"13-10k-empty-frames.bin", 0, 0, false},
        {"14-1MB-no-end.bin", 0, 0, true},      {"15-vt-only.bin", 0, 0, false},
        {"16-nul-flood.bin", 0, 0, true},       {"17-ack-flood.bin", 0, 1000, false},
        {"18-late-ack-pair.bin", 0, 2, false},  {"19-commit-ack-mode.bin", 2, 1, false},
        {"20-mllp2-commit.bin", 0, 0, false},
    };
    struct server server;
    server_start(&server, (struct mllp_source_options){.frame_max = 512 * 1024});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str name = arena_printf(&server.s.arena, "adversarial/own/mllp-frames/%s", cases[i].file);
        const char *path = support_data(&server.s, name.data);
        if (path == NULL) {
            printf("skipped: no data\n");
            server_stop(&server);
            skip();
        }
        struct buf stream = {0}, answers = {0};
        assert_ok(&server.s, file_read(&server.s.cx, path, 16 << 20, &stream));
        int submitted = atomic_load(&server.engine.submitted);
        int fd = dial(server.port);
        bool open = put(fd, buf_str(&stream)) && put(fd, message(&server.s, "NEXT"));
        shutdown(fd, SHUT_WR);
        size_t count = get(fd, 0, &answers);
        close(fd);
        size_t messages = (size_t)(atomic_load(&server.engine.submitted) - submitted);
        size_t next = cases[i].cut ? 0 : 1;
        if (count != cases[i].answers + next || messages != cases[i].messages + next ||
            has(&answers, "MSA|AA|NEXT") != next)
            fail_msg("%s: %zu answers, %zu messages, open %d: %.*s", cases[i].file, count, messages, open,
                     answers.len < 600 ? (int)answers.len : 600, answers.data);
        buf_fini(&stream);
        buf_fini(&answers);
    }
    wait_until_nobody_is_connected(&server);
    server_stop(&server);
    assert_true(server.counts.noise_bytes > 100000);
    assert_int_equal(server.counts.connections, 0);
}

static void test_frames__may_be_cut_at_every_byte(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    struct buf both = {0};
    buf_put_str(&both, message(&server.s, "FIRST"));
    buf_put_str(&both, message(&server.s, "SECOND"));
    int fd = dial(server.port);
    for (size_t cut = 0; cut <= both.len; cut++) {
        struct buf answers = {0};
        assert_true(put(fd, str_sub(buf_str(&both), 0, cut)));
        if (cut % 8 == 0)
            usleep(300); /* now and then the parts really arrive apart */
        assert_true(put(fd, str_from_at(buf_str(&both), cut)));
        assert_int_equal(get(fd, 2, &answers), 2);
        const char *first = memmem(answers.data, answers.len, "AA|FIRST", 8);
        const char *second = memmem(answers.data, answers.len, "AA|SECOND", 9);
        assert_true(first && second && first < second);
        buf_fini(&answers);
    }
    close(fd);
    for (size_t i = 0; i < both.len; i++) { /* and one byte at a time */
        if (i == 0)
            fd = dial(server.port);
        assert_true(put(fd, str_sub(buf_str(&both), i, 1)));
    }
    struct buf answers = {0};
    assert_int_equal(get(fd, 2, &answers), 2);
    close(fd);
    buf_fini(&answers);
    buf_fini(&both);
    server_stop(&server);
}

static void test_answers__go_out_in_order_however_the_engine_gives_them(void **state)
{
    (void)state;
    enum { CONNECTIONS = 5, MESSAGES = 2000 };
    struct server server;
    server_start(&server, (struct mllp_source_options){.outstanding_max = 16});
    int fds[CONNECTIONS];
    struct buf stream = {0};
    for (int i = 0; i < MESSAGES; i++)
        buf_printf(&stream, "\x0bMSH|^~\\&|A|B|C|D|1||ADT^A08|N%05d|P|2.5.1|||%s\rPID|1\r\x1c\r", i,
                   i % 7 ? "" : "AL|AL");
    for (int c = 0; c < CONNECTIONS; c++)
        fds[c] = dial(server.port);
    for (int c = 0; c < CONNECTIONS; c++) {
        assert_true(put(fds[c], buf_str(&stream)));
        shutdown(fds[c], SHUT_WR);
    }
    for (int c = 0; c < CONNECTIONS; c++) {
        struct buf answers = {0};
        get(fds[c], 0, &answers);
        close(fds[c]);
        struct str rest = buf_str(&answers);
        for (int i = 0; i < MESSAGES; i++) {
            char want[2][32] = {"", ""};
            int wanted = 0;
            if (i % 7 == 0)
                snprintf(want[wanted++], sizeof want[0], "MSA|CA|N%05d\r", i);
            snprintf(want[wanted++], sizeof want[0], "MSA|AA|N%05d\r", i);
            for (int w = 0; w < wanted; w++) {
                const char *at = memmem(rest.data, rest.len, "MSA|", 4);
                assert_non_null(at);
                rest = str_from_at(rest, (size_t)(at - rest.data));
                if (!str_starts(rest, str_from(want[w])))
                    fail_msg("wanted %s, got %.*s", want[w], 16, rest.data);
                rest = str_from_at(rest, 4);
            }
        }
        buf_fini(&answers);
    }
    buf_fini(&stream);
    server_stop(&server);
    assert_int_equal(server.counts.messages, CONNECTIONS * MESSAGES);
}

static void test_outstanding__is_bounded_and_closing_still_answers(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){.outstanding_max = 8});
    hold_engine(&server, true);
    int fd = dial(server.port);
    for (int i = 0; i < 100; i++)
        assert_true(put(fd, message(&server.s, "M")));
    usleep(100 * 1000);
    assert_int_equal(atomic_load(&server.engine.submitted), 8);
    server_stop(&server); /* the eight are answered, the others never read */
    struct buf answers = {0};
    assert_int_equal(get(fd, 8, &answers), 8);
    buf_fini(&answers);
    close(fd);
}

static void wait_for_waiting(struct server *server, size_t count)
{
    while (waiting_now(&server->engine) != count)
        usleep(1000);
}

/* One message of each connection waits and nothing behind it is read; who has no message to give is not disturbed, and
 * new connections come in. */
static void test_no_room__every_connection_waits_with_its_message_and_goes_on_in_order(void **state)
{
    (void)state;
    enum { CONNECTIONS = 4, MESSAGES = 200 };
    struct server server;
    server_start(&server, (struct mllp_source_options){.outstanding_max = 16});
    give_room(&server.engine, 0);
    int fds[CONNECTIONS];
    for (int c = 0; c < CONNECTIONS; c++) {
        fds[c] = dial(server.port); /* while the first ones wait */
        for (int i = 0; i < MESSAGES; i++) {
            struct arena_mark mark = arena_mark(&server.s.arena);
            char control_id[16];
            snprintf(control_id, sizeof control_id, "N%05d", i);
            assert_true(put(fds[c], message(&server.s, control_id)));
            arena_rewind(&server.s.arena, mark);
        }
        shutdown(fds[c], SHUT_WR);
        wait_for_waiting(&server, (size_t)c + 1);
    }
    assert_int_equal(atomic_load(&server.engine.submitted), 0);
    give_room(&server.engine, 2); /* for two of the four; each then finds no room for its next message */
    while (atomic_load(&server.engine.submitted) < 2)
        usleep(1000);
    wait_for_waiting(&server, 4);
    assert_int_equal(atomic_load(&server.engine.submitted), 2);
    give_room(&server.engine, SIZE_MAX);
    for (int c = 0; c < CONNECTIONS; c++) {
        struct buf answers = {0};
        assert_int_equal(get(fds[c], 0, &answers), MESSAGES);
        close(fds[c]);
        struct str rest = buf_str(&answers);
        for (int i = 0; i < MESSAGES; i++) {
            char want[32];
            snprintf(want, sizeof want, "MSA|AA|N%05d\r", i);
            const char *at = memmem(rest.data, rest.len, "MSA|", 4);
            assert_non_null(at);
            rest = str_from_at(rest, (size_t)(at - rest.data));
            assert_true(str_starts(rest, str_from(want)));
            rest = str_from_at(rest, 4);
        }
        buf_fini(&answers);
    }
    server_stop(&server);
    assert_int_equal(server.counts.messages, CONNECTIONS * MESSAGES);
    assert_true(server.counts.no_room > CONNECTIONS);
}

/* A frame that lacks only its CR waits like any other, also when its sender has said all it had to say. */
static void test_no_room__the_last_message_of_a_silent_sender_waits_too(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    give_room(&server.engine, 0);
    int fd = dial(server.port);
    struct str whole = message(&server.s, "LAST");
    assert_true(put(fd, str_sub(whole, 0, whole.len - 1)));
    shutdown(fd, SHUT_WR);
    wait_for_waiting(&server, 1);
    give_room(&server.engine, SIZE_MAX);
    struct buf answers = {0};
    assert_int_equal(get(fd, 0, &answers), 1);
    assert_true(has(&answers, "MSA|AA|LAST"));
    buf_fini(&answers);
    close(fd);
    server_stop(&server);
}

/* Closing and vanished senders: what was not taken is not submitted later, and gets no answer. */
static void test_no_room__who_gives_up_is_forgotten(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    give_room(&server.engine, 1);
    hold_engine(&server, true);
    int gone = dial(server.port), stays = dial(server.port);
    assert_true(put(stays, message(&server.s, "TAKEN")));
    while (atomic_load(&server.engine.submitted) < 1)
        usleep(1000);
    assert_true(put(stays, message(&server.s, "WAITS")));
    wait_for_waiting(&server, 1);
    assert_true(put(gone, message(&server.s, "GONE")));
    wait_for_waiting(&server, 2);
    struct linger now = {.l_onoff = 1};
    assert_int_equal(setsockopt(gone, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(gone); /* with a reset: nobody is there any more */
    wait_for_waiting(&server, 1);
    server_stop(&server); /* forgets the other one; the message that was taken is answered */
    struct buf answers = {0};
    assert_int_equal(get(stays, 0, &answers), 1);
    assert_true(has(&answers, "MSA|AA|TAKEN"));
    buf_fini(&answers);
    close(stays);
    assert_int_equal(atomic_load(&server.engine.submitted), 1);
    assert_int_equal(server.counts.messages, 1);
}

/* The connection ends between being told and hearing it on the loop. */
static void test_no_room__told_when_the_connection_is_just_gone(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    for (int i = 0; i < 200; i++) {
        give_room(&server.engine, 0);
        int fd = dial(server.port);
        assert_true(put(fd, message(&server.s, "RACE")));
        wait_for_waiting(&server, 1);
        struct linger now = {.l_onoff = 1};
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
        if (i % 2)
            close(fd);
        give_room(&server.engine, SIZE_MAX);
        if (i % 2 == 0)
            close(fd);
    }
    wait_until_nobody_is_connected(&server);
    server_stop(&server);
}

static void test_gone_sender__leaves_answers_without_a_home(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    hold_engine(&server, true);
    for (int i = 0; i < 20; i++) {
        int fd = dial(server.port);
        assert_true(put(fd, message(&server.s, "GONE")));
        struct linger hard = {.l_onoff = 1};
        while (atomic_load(&server.engine.submitted) <= i)
            usleep(100);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd); /* reset */
    }
    usleep(20 * 1000);
    hold_engine(&server, false);
    server_stop(&server);
}

static void test_too_long__is_answered_and_the_connection_closed(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){.frame_max = 1000});
    struct buf stream = {0}, answers = {0};
    buf_put_str(&stream, message(&server.s, "SHORT"));
    buf_put_str(&stream, STR("\x0bMSH|^~\\&|A|B|C|D|20260101||ADT^A08|LONG|P|2.5.1\r"));
    for (int i = 0; i < 100000; i++)
        buf_put_str(&stream, STR("NTE|1\r"));
    int fd = dial(server.port);
    assert_true(put(fd, buf_str(&stream)));
    assert_int_equal(get(fd, 0, &answers), 2);
    assert_true(has(&answers, "MSA|AA|SHORT"));
    assert_true(has(&answers, "MSA|AR|LONG"));
    close(fd);
    buf_fini(&stream);
    buf_fini(&answers);
    wait_until_nobody_is_connected(&server);
    server_stop(&server);
    assert_int_equal(server.counts.long_frames, 1);
}

static void test_slow_senders__are_cut_off(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){.frame_us = 100 * 1000, .idle_us = 400 * 1000});
    struct buf answers = {0};
    static const char *const beginnings[] = {"\x0b", "\x0bMSH|^~\\&|A", ""}; /* the last: connected and silent */
    for (size_t i = 0; i < 3; i++) {
        int64_t begin_us = clock_mono_us();
        int fd = dial(server.port);
        assert_true(put(fd, str_from(beginnings[i])));
        assert_int_equal(get(fd, 0, &answers), 0);
        int64_t took_us = clock_mono_us() - begin_us;
        assert_true(took_us >= (i < 2 ? 100 : 400) * 1000 && took_us < 3000 * 1000);
        close(fd);
    }
    buf_fini(&answers);
    server_stop(&server);
    assert_int_equal(server.counts.cut_off, 3);
}

static void test_connections__are_bounded_in_number(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){.connections_max = 2});
    struct buf answers = {0};
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(server.port);
        assert_true(put(fds[i], message(&server.s, "X")));
        assert_int_equal(get(fds[i], 1, &answers), i < 2 ? 1 : 0);
    }
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    buf_fini(&answers);
    server_stop(&server);
    assert_int_equal(server.counts.refused, 1);
}

static void test_no_descriptors__refuses_and_recovers(void **state)
{
    (void)state;
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    struct buf answers = {0};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit limit, tight;
    getrlimit(RLIMIT_NOFILE, &limit);
    int highest = dup(client);
    tight = (struct rlimit){(rlim_t)highest, limit.rlim_max};
    close(highest);
    struct net_address address = {.host = "127.0.0.1", .port = server.port, .numeric = true};
    struct net_endpoint endpoint;
    size_t count;
    assert_ok(&server.s, net_resolve(&server.s.cx, &address, &endpoint, 1, &count));
    setrlimit(RLIMIT_NOFILE, &tight);
    assert_int_equal(connect(client, (const struct sockaddr *)endpoint.bytes, endpoint.len), 0);
    assert_int_equal(get(client, 0, &answers), 0); /* an end instead of silence */
    setrlimit(RLIMIT_NOFILE, &limit);
    close(client);
    int fd = dial(server.port);
    assert_true(put(fd, message(&server.s, "AGAIN")));
    assert_int_equal(get(fd, 1, &answers), 1);
    close(fd);
    buf_fini(&answers);
    server_stop(&server);
}

static void test_open__refuses_plain_beyond_loopback(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct loop *loop = loop_new();
    struct mllp_source *source = NULL;
    struct mllp_source_options options = {.source = "adt", .listen = "0.0.0.0:0"};
    assert_fails(&s, mllp_source_open(loop, &s.cx, NULL, &options, &source), "engine.listen");
    options.listen = "nonsense";
    assert_fails(&s, mllp_source_open(loop, &s.cx, NULL, &options, &source), "engine.listen");
    options.listen = "192.0.2.1:1"; /* not an address of ours */
    options.allow_plain = true;
    assert_fails(&s, mllp_source_open(loop, &s.cx, NULL, &options, &source), "engine.listen");
    assert_null(source);
    loop_free(loop);
    support_fini(&s);
}

/* One message through TLS; whether it was answered. */
static bool is_answered(struct server *server, struct crypto_tls *tls)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", server->port);
    const struct send_options to = {.connect = address, .tls = tls, .timeout_us = 5000000};
    struct send_client *client = NULL;
    struct send_answer answers[SEND_ANSWERS_MAX];
    size_t count = 0;
    status sent = send_open(&server->s.cx, &to, &client);
    if (sent == STATUS_OK)
        sent = send_message(client, &server->s.cx, STR("MSH|^~\\&|A|B|C|D|1||ADT^A08|TLS1|P|2.5.1\rPID|1\r"), answers,
                            &count);
    send_close(client);
    return sent == STATUS_OK && count == 1 && strcmp(answers[0].code, "AA") == 0;
}

static void test_tls__lets_in_only_whom_it_knows(void **state)
{
    (void)state;
    static const char *const others[] = {"somebody", "else"}, *const ours[] = {"somebody", "urn:idem:adt"};
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    static const struct {
        const char *ca, *who; /* NULL: plain bytes to a TLS port */
        const char *const *peers;
        bool answered;
    } cases[] = {
        {"ca", "client", NULL, true},     {"ca", "stranger", NULL, false}, {"ca", "expired", NULL, false},
        {"other", "client", NULL, false}, {"ca", "client", others, false}, {"ca", "client", ours, true},
        {NULL, NULL, NULL, false},
    };
    struct crypto_tls *tls = support_tls_open(&s, &pki, true, "ca", "server");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server server;
        server_start(&server, (struct mllp_source_options){.tls = tls, .peers = cases[i].peers, .peer_count = 2});
        struct crypto_tls *client = cases[i].who ? support_tls_open(&s, &pki, false, cases[i].ca, cases[i].who) : NULL;
        for (int n = 0; n < 2; n++)
            if (is_answered(&server, client) != cases[i].answered)
                fail_msg("case %zu", i);
        assert_int_equal(atomic_load(&server.engine.submitted), cases[i].answered ? 2 : 0);
        if (cases[i].answered)
            assert_string_equal(server.engine.principal, "adt-sender");
        crypto_tls_close(client);
        server_stop(&server);
    }
    crypto_tls_close(tls);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void make_numbered(void *arg, uint64_t number, struct buf *out)
{
    (void)arg;
    buf_printf(out,
               "MSH|^~\\&|A|B|C|D|20260101||ADT^A08^ADT_A01|N%llu|P|2.5.1\rEVN|A08|20260101\r"
               "PID|1||100^^^H||DOE^JANE||19700101|F|||1 STREET^^TOWN\rPV1|1|I|W^1\r",
               (unsigned long long)number);
}

static void test_flood__is_answered_whole_plain_and_tls(void **state)
{
    (void)state;
    enum { MESSAGES = 20000 };
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    struct crypto_tls *tls = support_tls_open(&s, &pki, true, "ca", "server");
    struct crypto_tls *client = support_tls_open(&s, &pki, false, "ca", "client");
    for (int secure = 0; secure < 2; secure++) {
        struct server server;
        server_start(&server, (struct mllp_source_options){.tls = secure ? tls : NULL});
        char address[32];
        snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
        const struct send_flood_options flood = {
            .to = {.connect = address, .tls = secure ? client : NULL, .timeout_us = 10000000},
            .connections = 4,
            .window = 100,
            .messages = MESSAGES,
            .make = make_numbered};
        struct send_flood_result result = {0};
        assert_ok(&s, send_flood(&s.cx, &flood, &result));
        assert_int_equal(result.accepted, MESSAGES);
        printf("%s: %.0f msg/s in and answered, p99 %lld us\n", secure ? "tls" : "plain",
               MESSAGES * 1e6 / (double)result.took_us, (long long)result.p99_us);
        server_stop(&server);
    }
    crypto_tls_close(client);
    crypto_tls_close(tls);
    support_remove_dir(pki.dir);
    support_fini(&s);
}

/* Blanks before a frame: so many are borne, one more is no MLLP. */
static void test_noise__is_borne_up_to_its_bound_and_then_cut_off(void **state)
{
    (void)state;
    enum { NOISE = MLLP_NOISE_BYTES_MAX };
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    for (size_t more = 0; more < 2; more++) {
        struct buf noise = {0}, answers = {0};
        for (size_t i = 0; i < NOISE + more; i++)
            buf_put_byte(&noise, ' ');
        int fd = dial(server.port);
        bool open = put(fd, buf_str(&noise)) && put(fd, message(&server.s, "X"));
        size_t count = get(fd, 1, &answers);
        assert_true(open || more);
        assert_int_equal(count, more ? 0 : 1);
        close(fd);
        buf_fini(&noise);
        buf_fini(&answers);
    }
    wait_until_nobody_is_connected(&server);
    server_stop(&server);
}

/* Unfinished frames of all connections may hold so many bytes; whoever brings one more is cut off, and nobody else. */
static void test_unfinished_frames__hold_up_to_their_bound_together_and_one_more_cuts_its_sender_off(void **state)
{
    (void)state;
    enum { EACH = LIMIT_MESSAGE_BYTES, SENDERS = MLLP_PARTIAL_BYTES_MAX / EACH };
    struct server server;
    server_start(&server, (struct mllp_source_options){0});
    SCOPED(buf_fini) struct buf part = {0};
    buf_put_byte(&part, MLLP_VT);
    buf_reserve(&part, EACH);
    memset(part.data + 1, 'x', EACH);
    part.len = 1 + EACH;
    for (size_t more = 0; more < 2; more++) {
        uint64_t before = bound_times(BOUND_MLLP_PARTIAL_BYTES_MAX);
        int fds[SENDERS + 1];
        size_t count = SENDERS + more, answered = 0;
        for (size_t i = 0; i < SENDERS; i++) {
            fds[i] = dial(server.port);
            (void)put(fds[i], buf_str(&part));
        }
        if (more) {
            fds[SENDERS] = dial(server.port);
            (void)put(fds[SENDERS], STR("\x0bx"));
            while (bound_times(BOUND_MLLP_PARTIAL_BYTES_MAX) == before)
                usleep(1000); /* by whichever byte comes last */
        }
        for (size_t i = 0; i < count; i++) {
            SCOPED(buf_fini) struct buf answers = {0};
            (void)put(fds[i], STR("\x1c\r"));
            answered += get(fds[i], 1, &answers);
        }
        assert_int_equal(answered, SENDERS);
        assert_int_equal(bound_times(BOUND_MLLP_PARTIAL_BYTES_MAX) - before, more);
        for (size_t i = 0; i < count; i++)
            close(fds[i]);
        wait_until_nobody_is_connected(&server);
    }
    server_stop(&server);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_frames__noise_never_disturbs_the_next_message),
        cmocka_unit_test(test_frames__may_be_cut_at_every_byte),
        cmocka_unit_test(test_answers__go_out_in_order_however_the_engine_gives_them),
        cmocka_unit_test(test_outstanding__is_bounded_and_closing_still_answers),
        cmocka_unit_test(test_no_room__every_connection_waits_with_its_message_and_goes_on_in_order),
        cmocka_unit_test(test_no_room__the_last_message_of_a_silent_sender_waits_too),
        cmocka_unit_test(test_no_room__who_gives_up_is_forgotten),
        cmocka_unit_test(test_no_room__told_when_the_connection_is_just_gone),
        cmocka_unit_test(test_gone_sender__leaves_answers_without_a_home),
        cmocka_unit_test(test_too_long__is_answered_and_the_connection_closed),
        cmocka_unit_test(test_slow_senders__are_cut_off),
        cmocka_unit_test(test_connections__are_bounded_in_number),
        cmocka_unit_test(test_noise__is_borne_up_to_its_bound_and_then_cut_off),
        cmocka_unit_test(test_unfinished_frames__hold_up_to_their_bound_together_and_one_more_cuts_its_sender_off),
        cmocka_unit_test(test_no_descriptors__refuses_and_recovers),
        cmocka_unit_test(test_open__refuses_plain_beyond_loopback),
        cmocka_unit_test(test_tls__lets_in_only_whom_it_knows),
        cmocka_unit_test(test_flood__is_answered_whole_plain_and_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
