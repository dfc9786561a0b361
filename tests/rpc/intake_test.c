/* Submit and SubmitStream while the journal's disk stands still and its queue is full: calls are held, on no thread;
 * questions and health checks are answered; who cancels or runs out of time is forgotten. */
#include "base/clock.h"
#include "held_disk.h"
#include "world.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { QUEUE = 64 * 1024, NOTE = 2000 };

static struct str adt(struct support *s, const char *control_id, const char *number)
{
    char note[NOTE];
    memset(note, 'x', sizeof note);
    return arena_printf(&s->arena,
                        "MSH|^~\\&|ADT|NORTH|IDEM|IDEM|20260101120000||ADT^A01^ADT_A01|%s|P|2.5.1\r"
                        "PID|1||%s^^^NORTH^MR||Garcia^Ana||19800229|F\rNTE|1||%.*s\r",
                        control_id, number, NOTE, note);
}

static Idem__Routing__V1__SubmitRequest request_of(struct str message)
{
    Idem__Routing__V1__SubmitRequest ask = IDEM__ROUTING__V1__SUBMIT_REQUEST__INIT;
    ask.source = (char *)(uintptr_t) "south"; /* has no route: no delivery comes in between */
    ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)(uintptr_t)message.data};
    return ask;
}

static status submit(struct support *s, struct rpc_client *client, struct str message, int64_t timeout_us,
                     Idem__Routing__V1__SubmitReply **out_reply)
{
    Idem__Routing__V1__SubmitRequest ask = request_of(message);
    return rpc_client_call(client, &s->cx, "idem.routing.v1.Routing/Submit", &ask.base,
                           &idem__routing__v1__submit_reply__descriptor, timeout_us, (void **)out_reply);
}

/* ---- callers with a thread of their own ---- */

struct caller {
    struct world *w;
    pthread_t thread;
    char id[16];
    int64_t timeout_us;
    status result;
    char code[8], reason[64];
};

static void *call_submit(void *arg)
{
    struct caller *caller = arg;
    struct support mine;
    support_init(&mine);
    struct rpc_client_options options = {.address = caller->w->plain_address, .plain = true};
    struct rpc_client *client = NULL;
    assert_ok(&mine, rpc_client_connect(&mine.cx, &options, &client));
    Idem__Routing__V1__SubmitReply *reply;
    caller->result = submit(&mine, client, adt(&mine, caller->id, caller->id), caller->timeout_us, &reply);
    if (caller->result == STATUS_OK)
        snprintf(caller->code, sizeof caller->code, "%s", reply->code);
    else
        snprintf(caller->reason, sizeof caller->reason, "%s", mine.cx.reason->name);
    rpc_client_close(client);
    support_fini(&mine);
    return NULL;
}

static void start_caller(struct caller *caller, struct world *w, const char *name, int number, int64_t timeout_us)
{
    *caller = (struct caller){.w = w, .timeout_us = timeout_us};
    snprintf(caller->id, sizeof caller->id, "%s%d", name, number);
    assert_int_equal(pthread_create(&caller->thread, NULL, call_submit, caller), 0);
}

static struct rpc_stream *open_stream(struct world *w, struct rpc_client *client)
{
    struct rpc_stream *stream;
    assert_ok(&w->s, rpc_stream_open(client, &w->s.cx, "idem.routing.v1.Routing/SubmitStream",
                                     &idem__routing__v1__submit_reply__descriptor, 0, &stream));
    return stream;
}

static void stream_send(struct world *w, struct rpc_stream *stream, const char *name, int number)
{
    char id[64];
    snprintf(id, sizeof id, "%s%d", name, number);
    Idem__Routing__V1__SubmitRequest ask = request_of(adt(&w->s, id, id));
    assert_ok(&w->s, rpc_stream_send(stream, &w->s.cx, &ask.base));
}

/* The stream's answers to messages from..to, all good and in order. */
static void expect_answers(struct world *w, struct rpc_stream *stream, const char *name, int from, int to)
{
    for (int i = from; i <= to; i++) {
        Idem__Routing__V1__SubmitReply *reply = NULL;
        assert_ok(&w->s, rpc_stream_next(stream, &w->s.cx, (void **)&reply));
        assert_non_null(reply);
        char want[80];
        snprintf(want, sizeof want, "MSA|AA|%s%d\r", name, i);
        assert_string_equal(reply->code, "AA");
        assert_non_null(memmem(reply->ack.data, reply->ack.len, want, strlen(want)));
        assert_false(reply->duplicate);
    }
}

static void wait_in_flight(struct world *w, uint64_t count)
{
    struct rpc_server_stats stats;
    do {
        usleep(1000);
        rpc_server_stats(w->server, &stats);
    } while (stats.in_flight != count);
}

static void ask_everything(struct world *w, struct rpc_client *client)
{
    Grpc__Health__V1__HealthCheckRequest check = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    Grpc__Health__V1__HealthCheckResponse *health;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "grpc.health.v1.Health/Check", &check.base,
                                     &grpc__health__v1__health_check_response__descriptor, 0, (void **)&health));
    assert_int_equal(health->status, GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING);
    Idem__Identity__V1__Identifier identifier = IDEM__IDENTITY__V1__IDENTIFIER__INIT;
    identifier.authority = (char *)(uintptr_t) "NORTH";
    identifier.value = (char *)(uintptr_t) "P1";
    identifier.type = (char *)(uintptr_t) "MR";
    Idem__Identity__V1__FindPersonRequest find = IDEM__IDENTITY__V1__FIND_PERSON_REQUEST__INIT;
    find.identifier = &identifier;
    Idem__Identity__V1__Person *person;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "idem.identity.v1.Identity/FindPerson", &find.base,
                                     &idem__identity__v1__person__descriptor, 0, (void **)&person));
    assert_int_not_equal(person->id, 0);
    Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    Idem__Admin__V1__Status *now;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "idem.admin.v1.Admin/GetStatus", &ask.base,
                                     &idem__admin__v1__status__descriptor, 0, (void **)&now));
    assert_int_equal(now->received, 1);
}

/* A stream fills the queue; its last message is the first that waits. */
static int fill_by_stream(struct world *w, struct rpc_stream *stream, const char *name)
{
    struct journal *journal = engine_journal(w->engine);
    stream_send(w, stream, name, 1);
    held_disk_wait_stuck();
    int sent = 1;
    for (bool waits = false; !waits;) {
        uint64_t before = held_disk_queued(journal, &waits), now = before;
        stream_send(w, stream, name, ++sent);
        while (!waits && now == before)
            now = held_disk_queued(journal, &waits);
    }
    return sent;
}

static void test_stuck_disk__calls_are_held_and_all_else_is_answered(void **state)
{
    (void)state;
    enum { CALLERS = 20 };
    struct world w;
    world_begin_with(&w, QUEUE);
    struct journal *journal = engine_journal(w.engine);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Routing__V1__SubmitReply *reply;
    assert_ok(&w.s, submit(&w.s, client, adt(&w.s, "P1", "P1"), 0, &reply));
    struct rpc_stream *stream = open_stream(&w, client);
    held_disk_hold(journal);
    int sent = fill_by_stream(&w, stream, "S");
    struct caller callers[CALLERS]; /* many more than there are threads to hold */
    for (int i = 0; i < CALLERS; i++)
        start_caller(&callers[i], &w, "C", i, 60ll * 1000 * 1000);
    held_disk_wait_waiting(journal, 1 + CALLERS);
    for (int i = 0; i < 3; i++) { /* behind the message that waits: read when that was taken */
        stream_send(&w, stream, "S", ++sent);
        ask_everything(&w, client);
    }
    assert_ok(&w.s, rpc_stream_sent_all(stream, &w.s.cx));
    ask_everything(&w, client);
    assert_true(held_disk_is_stuck()); /* all this while the sync stood still */
    held_disk_release();
    expect_answers(&w, stream, "S", 1, sent);
    void *end = &w;
    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, &end));
    assert_null(end);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].result, STATUS_OK);
        assert_string_equal(callers[i].code, "AA");
    }
    rpc_stream_close(stream);
    rpc_client_close(client);
    wait_in_flight(&w, 0);
    struct engine_status now;
    assert_ok(&w.s, engine_status(w.engine, &w.s.cx, &now));
    assert_int_equal(now.received, 1 + sent + CALLERS);
    assert_int_equal(now.sources[0].duplicates, 0);
    world_end(&w);
}

static void test_stuck_disk__who_cancels_or_runs_out_of_time_is_forgotten(void **state)
{
    (void)state;
    enum { CALLERS = 5 };
    struct world w;
    world_begin_with(&w, QUEUE);
    struct journal *journal = engine_journal(w.engine);
    struct rpc_client *client = world_connect_plain(&w);
    struct rpc_stream *stream = open_stream(&w, client), *other = open_stream(&w, client);
    held_disk_hold(journal);
    int sent = fill_by_stream(&w, stream, "S");
    stream_send(&w, other, "X", 1);
    held_disk_wait_waiting(journal, 2);
    struct caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        start_caller(&callers[i], &w, "C", i, 500 * 1000);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_string_equal(callers[i].reason, "rpc.deadline");
    }
    rpc_stream_cancel(other);
    rpc_stream_close(other);
    held_disk_wait_waiting(journal, 1); /* only the first stream's */
    wait_in_flight(&w, 1);
    assert_true(held_disk_is_stuck());
    held_disk_release();
    expect_answers(&w, stream, "S", 1, sent);
    rpc_stream_close(stream);
    rpc_client_close(client);
    wait_in_flight(&w, 0);
    struct engine_status now;
    assert_ok(&w.s, engine_status(w.engine, &w.s.cx, &now));
    assert_int_equal(now.received, sent); /* nobody's whose call was over */
    world_end(&w);
}

/* As many bytes as may be held are; one message more is told so at once, on a stream and on its own. When something
 * held goes, the next is held. */
static void test_stuck_disk__what_is_held_is_bounded(void **state)
{
    (void)state;
    enum { CALLERS = 3 };
    struct world w;
    world_begin_with(&w, QUEUE);
    rpc_server_stop(w.server);
    w.held_bytes_max = (1 + CALLERS) * adt(&w.s, "C0", "C0").len + 10; /* S17 is longer than C0 by two characters */
    world_start(&w);
    struct journal *journal = engine_journal(w.engine);
    struct rpc_client *client = world_connect_plain(&w);
    struct rpc_stream *stream = open_stream(&w, client);
    held_disk_hold(journal);
    int sent = fill_by_stream(&w, stream, "S");
    struct caller callers[CALLERS + 1];
    for (int i = 0; i < CALLERS; i++)
        start_caller(&callers[i], &w, "C", i, 60ll * 1000 * 1000);
    held_disk_wait_waiting(journal, 1 + CALLERS);
    Idem__Routing__V1__SubmitReply *reply;
    assert_fails(&w.s, submit(&w.s, client, adt(&w.s, "D1", "D1"), 0, &reply), "rpc.busy");
    struct rpc_stream *other = open_stream(&w, client);
    stream_send(&w, other, "D", 2);
    assert_fails(&w.s, rpc_stream_next(other, &w.s.cx, (void **)&reply), "rpc.busy");
    rpc_stream_close(other);
    held_disk_wait_waiting(journal, 1 + CALLERS);
    rpc_stream_cancel(stream);
    held_disk_wait_waiting(journal, CALLERS);
    start_caller(&callers[CALLERS], &w, "C", CALLERS, 60ll * 1000 * 1000);
    held_disk_wait_waiting(journal, CALLERS + 1);
    assert_true(held_disk_is_stuck());
    held_disk_release();
    for (int i = 0; i <= CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_string_equal(callers[i].code, "AA");
    }
    rpc_stream_close(stream);
    rpc_client_close(client);
    wait_in_flight(&w, 0);
    struct engine_status now;
    assert_ok(&w.s, engine_status(w.engine, &w.s.cx, &now));
    assert_int_equal(now.received, sent - 1 + CALLERS + 1); /* neither D1, D2 nor the stream's last */
    world_end(&w);
}

/* Told that there is room while the client goes away: taken or forgotten, never both, and the call ends. */
static void test_stuck_disk__cancelling_while_room_comes(void **state)
{
    (void)state;
    struct world w;
    world_begin_with(&w, QUEUE);
    struct journal *journal = engine_journal(w.engine);
    struct rpc_client *client = world_connect_plain(&w);
    for (int round = 0; round < 30; round++) {
        struct rpc_stream *stream = open_stream(&w, client);
        struct rpc_stream *others[4];
        char name[32];
        snprintf(name, sizeof name, "R%d-", round);
        held_disk_hold(journal);
        int sent = fill_by_stream(&w, stream, name);
        for (int i = 0; i < 4; i++) {
            others[i] = open_stream(&w, client);
            snprintf(name, sizeof name, "O%d-%d-", round, i);
            stream_send(&w, others[i], name, 1);
        }
        held_disk_wait_waiting(journal, 5);
        if (round % 2)
            held_disk_release();
        for (int i = 0; i < 4; i++)
            rpc_stream_cancel(others[i]);
        held_disk_release();
        snprintf(name, sizeof name, "R%d-", round);
        expect_answers(&w, stream, name, 1, sent);
        for (int i = 0; i < 4; i++)
            rpc_stream_close(others[i]);
        rpc_stream_close(stream);
        wait_in_flight(&w, 0);
    }
    rpc_client_close(client);
    world_end(&w);
}

/* What the engine took before must still be answered before the server is down: that takes the disk. */
static void *release_when_nobody_waits(void *journal)
{
    held_disk_wait_waiting(journal, 0);
    held_disk_release();
    return NULL;
}

/* The server stops while calls are held: they end, their messages are not taken. */
static void test_stuck_disk__draining_ends_held_calls(void **state)
{
    (void)state;
    struct world w;
    world_begin_with(&w, QUEUE);
    struct journal *journal = engine_journal(w.engine);
    struct rpc_client *client = world_connect_plain(&w);
    struct rpc_stream *stream = open_stream(&w, client);
    held_disk_hold(journal);
    int sent = fill_by_stream(&w, stream, "S");
    struct caller caller;
    start_caller(&caller, &w, "C", 1, 60ll * 1000 * 1000);
    held_disk_wait_waiting(journal, 2);
    pthread_t releaser;
    assert_int_equal(pthread_create(&releaser, NULL, release_when_nobody_waits, journal), 0);
    rpc_server_drain(w.server, 0);
    pthread_join(releaser, NULL);
    pthread_join(caller.thread, NULL);
    assert_int_not_equal(caller.result, STATUS_OK);
    rpc_stream_close(stream);
    rpc_client_close(client);
    struct engine_status now;
    do
        assert_ok(&w.s, engine_status(w.engine, &w.s.cx, &now));
    while (now.applied_seq < now.journal_last_seq);
    assert_in_range(now.received, 1, (uint64_t)sent - 1);
    world_end(&w);
}

/* ---- pools ---- */

struct asker {
    struct world *w;
    pthread_t thread;
    int64_t timeout_us;
    status result;
    char reason[64];
};

static void *apply_routes(void *arg)
{
    struct asker *asker = arg;
    struct support mine;
    support_init(&mine);
    struct rpc_client_options options = {.address = asker->w->plain_address, .plain = true};
    struct rpc_client *client = NULL;
    assert_ok(&mine, rpc_client_connect(&mine.cx, &options, &client));
    Idem__Admin__V1__ApplyRoutesRequest ask = IDEM__ADMIN__V1__APPLY_ROUTES_REQUEST__INIT;
    ask.text = (char *)(uintptr_t) "destinations: []\nroutes: []\n";
    Idem__Admin__V1__ApplyRoutesReply *reply;
    asker->result =
        rpc_client_call(client, &mine.cx, "idem.admin.v1.Admin/ApplyRoutes", &ask.base,
                        &idem__admin__v1__apply_routes_reply__descriptor, asker->timeout_us, (void **)&reply);
    snprintf(asker->reason, sizeof asker->reason, "%s", mine.cx.reason ? mine.cx.reason->name : "");
    rpc_client_close(client);
    support_fini(&mine);
    return NULL;
}

static void *verify(void *arg)
{
    struct asker *asker = arg;
    struct support mine;
    support_init(&mine);
    struct rpc_client_options options = {.address = asker->w->plain_address, .plain = true};
    struct rpc_client *client = NULL;
    assert_ok(&mine, rpc_client_connect(&mine.cx, &options, &client));
    Idem__Admin__V1__VerifyJournalRequest ask = IDEM__ADMIN__V1__VERIFY_JOURNAL_REQUEST__INIT;
    Idem__Admin__V1__JournalReport *reply;
    asker->result = rpc_client_call(client, &mine.cx, "idem.admin.v1.Admin/VerifyJournal", &ask.base,
                                    &idem__admin__v1__journal_report__descriptor, asker->timeout_us, (void **)&reply);
    snprintf(asker->reason, sizeof asker->reason, "%s", mine.cx.reason ? mine.cx.reason->name : "");
    rpc_client_close(client);
    support_fini(&mine);
    return NULL;
}

static void list_messages(struct world *w, struct rpc_client *client)
{
    Idem__Admin__V1__ListMessagesRequest ask = IDEM__ADMIN__V1__LIST_MESSAGES_REQUEST__INIT;
    Idem__Admin__V1__ListMessagesReply *reply;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "idem.admin.v1.Admin/ListMessages", &ask.base,
                                     &idem__admin__v1__list_messages_reply__descriptor, 0, (void **)&reply));
    assert_int_equal(reply->n_messages, 1);
}

/* More changes than there are threads for changes wait for the disk: questions do not wait behind them. */
static void test_stuck_disk__changes_hold_up_no_question(void **state)
{
    (void)state;
    enum { CHANGES = 12 };
    struct world w;
    world_begin_with(&w, 0);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Routing__V1__SubmitReply *reply;
    assert_ok(&w.s, submit(&w.s, client, adt(&w.s, "P1", "P1"), 0, &reply));
    held_disk_hold(engine_journal(w.engine));
    struct asker askers[CHANGES];
    for (int i = 0; i < CHANGES; i++) {
        askers[i] = (struct asker){.w = &w, .timeout_us = 60ll * 1000 * 1000};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, apply_routes, &askers[i]), 0);
    }
    wait_in_flight(&w, CHANGES);
    held_disk_wait_stuck();
    ask_everything(&w, client);
    list_messages(&w, client);
    struct asker late = {.w = &w, .timeout_us = 300 * 1000}; /* its turn does not come in time: not done later */
    apply_routes(&late);
    assert_string_equal(late.reason, "rpc.deadline");
    wait_in_flight(&w, CHANGES);
    assert_true(held_disk_is_stuck());
    uint64_t before = journal_last_seq(engine_journal(w.engine));
    held_disk_release();
    for (int i = 0; i < CHANGES; i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].result, STATUS_OK);
    }
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), before + CHANGES);
    rpc_client_close(client);
    world_end(&w);
}

/* One reads the whole journal and stands still at a file that does not open (a pipe nobody writes to): a second waits
 * in line on no thread, until its time is over; everything else goes on. */
static void test_stuck_verify__holds_up_nobody_and_a_second_waits(void **state)
{
    (void)state;
    struct world w;
    world_begin_with(&w, 0);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Routing__V1__SubmitReply *reply;
    assert_ok(&w.s, submit(&w.s, client, adt(&w.s, "P1", "P1"), 0, &reply));
    const char *pipe = world_path(&w, "data/journal/0000000000900000.seg");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    struct asker first = {.w = &w, .timeout_us = 60ll * 1000 * 1000}, others[3];
    assert_int_equal(pthread_create(&first.thread, NULL, verify, &first), 0);
    wait_in_flight(&w, 1);
    int writer;
    for (int i = 0; i < 3; i++) {
        others[i] = (struct asker){.w = &w, .timeout_us = 300 * 1000};
        assert_int_equal(pthread_create(&others[i].thread, NULL, verify, &others[i]), 0);
    }
    ask_everything(&w, client);
    list_messages(&w, client);
    for (int i = 0; i < 3; i++) {
        pthread_join(others[i].thread, NULL);
        assert_string_equal(others[i].reason, "rpc.deadline");
    }
    wait_in_flight(&w, 1); /* their calls are over, though the one that runs is not */
    while ((writer = open(pipe, O_WRONLY | O_NONBLOCK)) < 0)
        usleep(1000); /* until the first one is there; it then reads an end */
    unlink(pipe);
    close(writer);
    pthread_join(first.thread, NULL);
    assert_int_equal(first.result, STATUS_OK);
    first.timeout_us = 0;
    verify(&first); /* and the next one has its turn */
    assert_int_equal(first.result, STATUS_OK);
    rpc_client_close(client);
    world_end(&w);
}

int main(void)
{
    held_disk_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stuck_disk__calls_are_held_and_all_else_is_answered),
        cmocka_unit_test(test_stuck_disk__who_cancels_or_runs_out_of_time_is_forgotten),
        cmocka_unit_test(test_stuck_disk__what_is_held_is_bounded),
        cmocka_unit_test(test_stuck_disk__cancelling_while_room_comes),
        cmocka_unit_test(test_stuck_disk__draining_ends_held_calls),
        cmocka_unit_test(test_stuck_disk__changes_hold_up_no_question),
        cmocka_unit_test(test_stuck_verify__holds_up_nobody_and_a_second_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
