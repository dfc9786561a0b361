/* Connectors against idem-receiver, a receiving system that can be told to misbehave, and against folders. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/net.h"
#include "engine/connector.h"
#include "engine/send.h"
#include "support_tls.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct receiver {
    pid_t pid;
    char address[40];
    const char *list;
};

/* `options` ends with NULL. */
static struct receiver start_receiver(struct support *s, const char *dir, const char *const *options)
{
    struct receiver receiver = {.list = arena_printf(&s->arena, "%s/list", dir).data};
    const char *arguments[32] = {RECEIVER, "--list", receiver.list};
    size_t count = 3;
    for (size_t i = 0; options && options[i]; i++)
        arguments[count++] = options[i];
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
    unsigned port = 0;
    ssize_t got = read(out[0], line, sizeof line - 1);
    assert_true(got > 0 && sscanf(line, "listening on %u", &port) == 1);
    close(out[0]);
    snprintf(receiver.address, sizeof receiver.address, "127.0.0.1:%u", port);
    return receiver;
}

static void stop_receiver(const struct receiver *receiver)
{
    int how;
    kill(receiver->pid, SIGTERM);
    assert_int_equal(waitpid(receiver->pid, &how, 0), receiver->pid);
}

/* ---- one send, waited for ---- */

struct wait {
    struct loop *loop;
    int calls;
    bool inside_send;
    struct connector_outcome outcome;
};

static void done(void *arg, const struct connector_outcome *outcome)
{
    struct wait *wait = arg;
    assert_false(wait->inside_send);
    wait->calls++;
    wait->outcome = *outcome;
    wait->outcome.answer = STR_NONE;
    loop_stop(wait->loop);
}

static struct connector_outcome send_one(struct loop *loop, struct connector *connector, struct str message,
                                         const char *id)
{
    struct wait wait = {.loop = loop, .inside_send = true};
    connector_send(connector, message, str_from(id), id, done, &wait);
    wait.inside_send = false;
    loop_run(loop);
    assert_int_equal(wait.calls, 1);
    return wait.outcome;
}

static struct str make_message(struct support *s, const char *id)
{
    return arena_printf(&s->arena, "MSH|^~\\&|A|B|C|D|20260101||ADT^A08^ADT_A01|%s|P|2.5.1\rPID|1||1^^^H||X\r", id);
}

/* A row is one receiver and what becomes of messages 1, 2, 3 … sent through one connector. */
static void test_mllp__says_what_became_of_each_message(void **state)
{
    (void)state;
    static const struct {
        const char *options[3];
        int64_t answer_us;
        char want[8]; /* D delivered, E refused, R rejected, ? in doubt */
    } cases[] = {
        {{NULL}, 2000000, "DDDD"},
        {{"--refuse-every", "2"}, 2000000, "DEDE"},
        {{"--reject-first", "2"}, 2000000, "RRDD"},
        {{"--no-answer-every", "3"}, 300000, "DD?DD?"},
        {{"--wrong-id-every", "2"}, 300000, "D?D?"},
        {{"--close-every", "3"}, 2000000, "DD?DD?"},
        {{"--delay-ms", "50"}, 2000000, "DD"},
        {{"--delay-ms", "300"}, 100000, "???"},
    };
    static const char letters[] = {'D', 'E', 'R', 'N', '?'};
    struct support s;
    support_init(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *dir = support_make_dir(&s);
        struct receiver receiver = start_receiver(&s, dir, cases[i].options);
        struct loop *loop = loop_new();
        struct connector *connector = NULL;
        const struct connector_mllp_options options = {
            .name = "lab", .connect = receiver.address, .answer_timeout_us = cases[i].answer_us};
        assert_ok(&s, connector_open_mllp(loop, &s.cx, &options, &connector));
        for (size_t m = 0; cases[i].want[m]; m++) {
            char id[16];
            snprintf(id, sizeof id, "M%zu", m + 1);
            struct connector_outcome got = send_one(loop, connector, make_message(&s, id), id);
            if (letters[got.kind] != cases[i].want[m])
                fail_msg("case %zu message %zu: %c (%s), wanted %c", i, m + 1, letters[got.kind], got.why,
                         cases[i].want[m]);
            if (got.kind <= CONNECTOR_REJECTED)
                assert_string_equal(got.ack_code, got.kind == CONNECTOR_DELIVERED ? "AA"
                                                  : got.kind == CONNECTOR_REFUSED ? "AE"
                                                                                  : "AR");
        }
        connector_close(connector);
        loop_free(loop);
        stop_receiver(&receiver);
        support_remove_dir(dir);
    }
    support_fini(&s);
}

static void test_mllp__reads_a_commit_acknowledgement_as_delivered(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct receiver receiver = start_receiver(&s, dir, NULL);
    struct loop *loop = loop_new();
    struct connector *connector = NULL;
    assert_ok(&s, connector_open_mllp(loop, &s.cx,
                                      &(struct connector_mllp_options){.name = "lab", .connect = receiver.address},
                                      &connector));
    struct connector_outcome got =
        send_one(loop, connector, STR("MSH|^~\\&|A|B|C|D|1||ADT^A08|E1|P|2.5.1|||AL|NE\rPID|1\r"), "E1");
    assert_int_equal(got.kind, CONNECTOR_DELIVERED);
    assert_string_equal(got.ack_code, "CA");
    connector_close(connector);
    loop_free(loop);
    stop_receiver(&receiver);
    support_remove_dir(dir);
    support_fini(&s);
}

static void test_mllp__nobody_there_is_not_sent(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct receiver receiver = start_receiver(&s, dir, NULL);
    struct loop *loop = loop_new();
    struct connector *connector = NULL;
    struct connector_mllp_options options = {.name = "lab", .connect = receiver.address, .connect_timeout_us = 500000};
    assert_ok(&s, connector_open_mllp(loop, &s.cx, &options, &connector));
    assert_int_equal(send_one(loop, connector, make_message(&s, "A"), "A").kind, CONNECTOR_DELIVERED);
    stop_receiver(&receiver); /* the kept connection is dead: seen before anything is written */
    struct connector_outcome got = send_one(loop, connector, make_message(&s, "B"), "B");
    assert_int_equal(got.kind, CONNECTOR_NOT_SENT);
    assert_string_equal(got.why, "connection refused");
    connector_close(connector);

    options.connect = "name.invalid:2575";
    assert_ok(&s, connector_open_mllp(loop, &s.cx, &options, &connector));
    got = send_one(loop, connector, make_message(&s, "C"), "C");
    assert_int_equal(got.kind, CONNECTOR_NOT_SENT);
    connector_close(connector);

    assert_ok(&s, connector_open_mllp(loop, &s.cx, &options, &connector)); /* closed while the name is looked up */
    struct wait wait = {.loop = loop};
    connector_send(connector, make_message(&s, "D"), STR("D"), "D", done, &wait);
    connector_close(connector);
    assert_int_equal(wait.calls, 0);

    options.connect = "nonsense";
    assert_fails(&s, connector_open_mllp(loop, &s.cx, &options, &connector), "engine.connector");
    loop_free(loop);
    support_remove_dir(dir);
    support_fini(&s);
}

/* Two acknowledgements for the first message, as a stored stream has them: the second must not confirm the second
 * message. */
static void test_mllp__a_late_second_answer_never_confirms_the_next_message(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    int listener;
    uint16_t port;
    struct net_address address = {.host = "127.0.0.1", .numeric = true};
    assert_ok(&s, net_listen(&s.cx, &address, &listener, &port));
    pid_t pid = fork();
    if (pid == 0) {
        struct epoll_event event = {.events = EPOLLIN};
        int ep = epoll_create1(0);
        epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event);
        epoll_wait(ep, &event, 1, 5000);
        char peer[NET_PEER_BYTES], part[4096];
        int fd = net_accept(listener, peer);
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
        epoll_wait(ep, &event, 1, 5000);
        ssize_t got = recv(fd, part, sizeof part, 0);
        static const char twice[] = "\x0bMSH|^~\\&|C|D|A|B|1||ACK|1|P|2.5.1\rMSA|AA|MSG1\r\x1c\r"
                                    "\x0bMSH|^~\\&|C|D|A|B|1||ACK|2|P|2.5.1\rMSA|AA|MSG1\r\x1c\r";
        got = send(fd, twice, sizeof twice - 1, 0);
        usleep(100 * 1000);
        got = send(fd, twice, sizeof twice - 1, 0);
        usleep(600 * 1000);
        _exit(got > 0 ? 0 : 1);
    }
    close(listener);
    struct loop *loop = loop_new();
    struct connector *connector = NULL;
    struct str to = arena_printf(&s.arena, "127.0.0.1:%u", port);
    const struct connector_mllp_options options = {.name = "lab", .connect = to.data, .answer_timeout_us = 300000};
    assert_ok(&s, connector_open_mllp(loop, &s.cx, &options, &connector));
    assert_int_equal(send_one(loop, connector, make_message(&s, "MSG1"), "MSG1").kind, CONNECTOR_DELIVERED);
    assert_int_equal(send_one(loop, connector, make_message(&s, "MSG2"), "MSG2").kind, CONNECTOR_IN_DOUBT);
    connector_close(connector);
    loop_free(loop);
    int how;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    support_fini(&s);
}

static void test_mllp_tls__checks_both_sides(void **state)
{
    (void)state;
    static const struct {
        const char *server, *client_ca, *client, *name;
        enum connector_outcome_kind want, or_want;
    } cases[] = {
        {"server", "ca", "client", NULL, CONNECTOR_DELIVERED, CONNECTOR_DELIVERED},
        {"server", "ca", "client", "localhost", CONNECTOR_DELIVERED, CONNECTOR_DELIVERED},
        {"server", "ca", "client", "lab.example", CONNECTOR_NOT_SENT, CONNECTOR_NOT_SENT},
        {"server", "other", "client", NULL, CONNECTOR_NOT_SENT, CONNECTOR_NOT_SENT},
        {"expired-server", "ca", "client", NULL, CONNECTOR_NOT_SENT, CONNECTOR_NOT_SENT},
        /* in TLS 1.3 the refusal may come after we wrote, or be lost with the connection: then it is honest doubt */
        {"server", "ca", "stranger", NULL, CONNECTOR_NOT_SENT, CONNECTOR_IN_DOUBT},
        {"server", "ca", "expired", NULL, CONNECTOR_NOT_SENT, CONNECTOR_IN_DOUBT},
    };
    struct support s;
    struct support_tls pki;
    support_init(&s);
    support_tls_init(&s, &pki);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const arguments[] = {
            "--ca",   support_tls_path(&s, &pki, "ca.pem"),
            "--cert", arena_printf(&s.arena, "%s/%s.pem", pki.dir, cases[i].server).data,
            "--key",  arena_printf(&s.arena, "%s/%s-key.pem", pki.dir, cases[i].server).data,
            NULL};
        struct receiver receiver = start_receiver(&s, pki.dir, arguments);
        struct crypto_tls *tls = support_tls_open(&s, &pki, false, cases[i].client_ca, cases[i].client);
        struct loop *loop = loop_new();
        struct connector *connector = NULL;
        const struct connector_mllp_options options = {.name = "lab",
                                                       .connect = receiver.address,
                                                       .tls = tls,
                                                       .server_name = cases[i].name,
                                                       .answer_timeout_us = 2000000};
        assert_ok(&s, connector_open_mllp(loop, &s.cx, &options, &connector));
        for (int m = 0; m < 3; m++) {
            struct connector_outcome got = send_one(loop, connector, make_message(&s, "T"), "T");
            if (got.kind != cases[i].want && got.kind != cases[i].or_want)
                fail_msg("case %zu: outcome %d (%s)", i, got.kind, got.why);
        }
        connector_close(connector);
        loop_free(loop);
        crypto_tls_close(tls);
        stop_receiver(&receiver);
    }
    support_remove_dir(pki.dir);
    support_fini(&s);
}

static void test_file__is_in_place_once_whatever_is_repeated(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct str folder = arena_printf(&s.arena, "%s/out/deep", dir);
    struct loop *loop = loop_new();
    struct connector *connector = NULL;
    assert_ok(&s, connector_open_file(loop, &s.cx, &(struct connector_file_options){"files", folder.data}, &connector));
    for (int i = 0; i < 3; i++)
        assert_int_equal(send_one(loop, connector, make_message(&s, "F1"), "000001").kind, CONNECTOR_DELIVERED);
    struct buf bytes = {0};
    const char *path = arena_printf(&s.arena, "%s/000001.hl7", folder.data).data;
    assert_ok(&s, file_read(&s.cx, path, 10000, &bytes));
    assert_true(str_eq(buf_str(&bytes), make_message(&s, "F1")));
    assert_int_equal(send_one(loop, connector, make_message(&s, "F2"), "000001").kind, CONNECTOR_DELIVERED);
    buf_clear(&bytes);
    assert_ok(&s, file_read(&s.cx, path, 10000, &bytes));
    assert_true(str_eq(buf_str(&bytes), make_message(&s, "F2")));
    static const char *const bad[] = {"../escape", ".hidden", "", "a/b"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(send_one(loop, connector, make_message(&s, "F3"), bad[i]).kind, CONNECTOR_REFUSED);
    struct wait wait = {.loop = loop};
    struct str last = make_message(&s, "F4");
    connector_send(connector, last, STR("F4"), "000004", done, &wait);
    connector_close(connector); /* waits for the file under way, reports nothing */
    assert_int_equal(wait.calls, 0);
    buf_fini(&bytes);
    loop_free(loop);
    support_remove_dir(dir);
    support_fini(&s);
}

/* ---- the sender of `idem send` and of the benchmarks ---- */

static void make_numbered(void *arg, uint64_t number, struct buf *out)
{
    (void)arg;
    buf_printf(out,
               "MSH|^~\\&|A|B|C|D|20260101||ADT^A08^ADT_A01|N%llu|P|2.5.1\rEVN|A08|20260101\r"
               "PID|1||100^^^H||DOE^JANE||19700101|F|||1 STREET^^TOWN\rPV1|1|I|W^1\r",
               (unsigned long long)number);
}

static void test_send__one_by_one_and_in_floods(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct receiver receiver = start_receiver(&s, dir, NULL);
    const struct send_options to = {.connect = receiver.address, .timeout_us = 5000000};
    struct send_client *client = NULL;
    assert_ok(&s, send_open(&s.cx, &to, &client));
    struct send_answer answers[SEND_ANSWERS_MAX];
    size_t count = 0;
    for (int i = 0; i < 2; i++) { /* the second is a repeat: AA again */
        assert_ok(&s, send_message(client, &s.cx, make_message(&s, "S1"), answers, &count));
        assert_int_equal(count, 1);
        assert_string_equal(answers[0].code, "AA");
    }
    send_close(client);

    struct send_flood_result result = {0};
    const struct send_flood_options flood = {
        .to = to, .connections = 4, .window = 50, .messages = 40000, .make = make_numbered};
    assert_ok(&s, send_flood(&s.cx, &flood, &result));
    assert_int_equal(result.accepted, 40000);
    assert_int_equal(result.unanswered, 0);
    printf("flood: %.0f msg/s in and acknowledged, p50 %lld us, p99 %lld us\n", 40000 * 1e6 / (double)result.took_us,
           (long long)result.p50_us, (long long)result.p99_us);
    stop_receiver(&receiver);
    struct buf list = {0};
    assert_ok(&s, file_read(&s.cx, receiver.list, 64 << 20, &list));
    size_t lines = 0, repeats = 0;
    struct str rest = buf_str(&list), line;
    while (str_split(&rest, '\n', &line)) {
        lines += line.len > 0;
        repeats += line.len > 0 && memmem(line.data, line.len, "\trepeat\t", 8) != NULL;
    }
    assert_int_equal(lines, 40002);
    assert_int_equal(repeats, 1);
    buf_fini(&list);
    assert_fails(&s, send_open(&s.cx, &to, &client), "base.net");
    support_remove_dir(dir);
    support_fini(&s);
}

struct long_answer {
    int listener;
    size_t bytes; /* of the whole answer */
};

/* A destination of one message: its answer ends in so much text. */
static void *answer_at_length(void *arg)
{
    const struct long_answer *say = arg;
    char peer[NET_PEER_BYTES], received[4096];
    int fd = -1;
    while (fd < 0)
        fd = net_accept(say->listener, peer);
    ssize_t got = 0;
    while (got <= 0)
        got = read(fd, received, sizeof received);
    SCOPED(buf_fini) struct buf answer = {0};
    buf_put_str(&answer, STR("\x0bMSH|^~\\&|C|D|A|B|20260101||ACK^A08^ACK|1|P|2.5.1\rMSA|AA|M1\rNTE|1||"));
    while (answer.len < say->bytes + 1)
        buf_put_byte(&answer, 'x');
    buf_put_str(&answer, STR("\x1c\r"));
    for (size_t at = 0; at < answer.len;) {
        ssize_t sent = send(fd, answer.data + at, answer.len - at, MSG_NOSIGNAL);
        if (sent > 0)
            at += (size_t)sent;
        else if (errno != EAGAIN && errno != EINTR)
            break;
    }
    while (read(fd, received, sizeof received) != 0 && (errno == EAGAIN || errno == EINTR))
        usleep(1000);
    close(fd);
    return NULL;
}

static void test_mllp__an_answer_is_one_up_to_the_most_bytes_and_in_doubt_past_it(void **state)
{
    (void)state;
    enum { MOST = 1024 * 1024 };
    struct support s;
    support_init(&s);
    for (size_t more = 0; more < 2; more++) {
        struct net_address address = {.host = "127.0.0.1", .numeric = true};
        struct long_answer say = {.bytes = MOST + more};
        uint16_t port;
        pthread_t destination;
        assert_ok(&s, net_listen(&s.cx, &address, &say.listener, &port));
        assert_int_equal(pthread_create(&destination, NULL, answer_at_length, &say), 0);
        struct loop *loop = loop_new();
        struct connector *connector = NULL;
        const struct connector_mllp_options options = {.name = "lab",
                                                       .connect = arena_printf(&s.arena, "127.0.0.1:%u", port).data,
                                                       .answer_timeout_us = more ? 500000 : 20000000};
        assert_ok(&s, connector_open_mllp(loop, &s.cx, &options, &connector));
        struct connector_outcome got = send_one(loop, connector, make_message(&s, "M1"), "M1");
        assert_int_equal(got.kind, more ? CONNECTOR_IN_DOUBT : CONNECTOR_DELIVERED);
        connector_close(connector);
        loop_free(loop);
        pthread_join(destination, NULL);
        close(say.listener);
    }
    support_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mllp__says_what_became_of_each_message),
        cmocka_unit_test(test_mllp__an_answer_is_one_up_to_the_most_bytes_and_in_doubt_past_it),
        cmocka_unit_test(test_mllp__reads_a_commit_acknowledgement_as_delivered),
        cmocka_unit_test(test_mllp__nobody_there_is_not_sent),
        cmocka_unit_test(test_mllp__a_late_second_answer_never_confirms_the_next_message),
        cmocka_unit_test(test_mllp_tls__checks_both_sides),
        cmocka_unit_test(test_file__is_in_place_once_whatever_is_repeated),
        cmocka_unit_test(test_send__one_by_one_and_in_floods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
