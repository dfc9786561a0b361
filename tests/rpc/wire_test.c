/* The whole way over real sockets: who may, what is refused and how it is told, streams, drain, certificates. */
#include "world.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"

typedef Grpc__Health__V1__HealthCheckResponse health_answer;

static status lookup(struct world *w, struct rpc_client *client, const char *code)
{
    Idem__Terminology__V1__LookupRequest ask = IDEM__TERMINOLOGY__V1__LOOKUP_REQUEST__INIT;
    ask.system = (char *)(uintptr_t) "http://loinc.org";
    ask.code = (char *)(uintptr_t)code;
    void *reply;
    return rpc_client_call(client, &w->s.cx, "idem.terminology.v1.Terminology/Lookup", &ask.base,
                           &idem__terminology__v1__lookup_reply__descriptor, 0, &reply);
}

static status get_status(struct world *w, struct rpc_client *client, int64_t timeout_us, Idem__Admin__V1__Status **out)
{
    Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    return rpc_client_call(client, &w->s.cx, "idem.admin.v1.Admin/GetStatus", &ask.base,
                           &idem__admin__v1__status__descriptor, timeout_us, (void **)out);
}

static status submit_as(struct world *w, struct rpc_client *client, const char *source, struct str message,
                        Idem__Routing__V1__SubmitReply **out)
{
    Idem__Routing__V1__SubmitRequest ask = IDEM__ROUTING__V1__SUBMIT_REQUEST__INIT;
    ask.source = (char *)(uintptr_t)source;
    ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)(uintptr_t)message.data};
    return rpc_client_call(client, &w->s.cx, "idem.routing.v1.Routing/Submit", &ask.base,
                           &idem__routing__v1__submit_reply__descriptor, 0, (void **)out);
}

static status submit(struct world *w, struct rpc_client *client, struct str message,
                     Idem__Routing__V1__SubmitReply **out)
{
    return submit_as(w, client, "north", message, out);
}

static void test_unary__answers_over_tls_and_plain(void **state)
{
    WORLD(w);
    struct rpc_client *clients[] = {world_connect(&w, "root-1"), world_connect_plain(&w)};
    for (size_t i = 0; i < 2; i++) {
        Idem__Admin__V1__Status *now;
        assert_ok(&w.s, get_status(&w, clients[i], 0, &now));
        assert_string_equal(now->version, "test");
        assert_int_equal(now->unaccounted, 0);
        rpc_client_close(clients[i]);
    }
    world_end(&w);
}

static void test_error__carries_status_reason_and_sentence(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "reader-1");
    assert_fails(&w.s, lookup(&w, client, "718-7"), "codes.system-unknown");
    assert_int_equal(w.s.cx.reason->status, STATUS_NOT_FOUND);
    assert_true(ctx_message(&w.s.cx).len > 5);
    assert_fails(&w.s, lookup(&w, client, ""), "rpc.argument");
    assert_int_equal(w.s.cx.reason->status, STATUS_INVALID_ARGUMENT);
    Idem__Identity__V1__GetPersonRequest ask = IDEM__IDENTITY__V1__GET_PERSON_REQUEST__INIT;
    ask.person = 4711;
    void *reply;
    assert_fails(&w.s,
                 rpc_client_call(client, &w.s.cx, "idem.identity.v1.Identity/GetPerson", &ask.base,
                                 &idem__identity__v1__person__descriptor, 0, &reply),
                 "mpi.person-unknown");
    rpc_client_close(client);
    world_end(&w);
}

static void test_roles__decide_who_may_use_what(void **state)
{
    WORLD(w);
    struct rpc_client *reader = world_connect(&w, "reader-1"), *sender = world_connect(&w, "sender-1"),
                      *stranger = world_connect(&w, "stranger");
    Idem__Admin__V1__Status *now;
    Idem__Routing__V1__SubmitReply *answer;
    struct str message = world_adt(&w, "R1", "1");
    assert_ok(&w.s, get_status(&w, reader, 0, &now));
    assert_fails(&w.s, submit(&w, reader, message, &answer), "rpc.no-role");
    assert_int_equal(w.s.cx.reason->status, STATUS_PERMISSION_DENIED);
    assert_fails(&w.s, get_status(&w, sender, 0, &now), "rpc.no-role");
    assert_ok(&w.s, submit(&w, sender, message, &answer));
    assert_ok(&w.s, submit_as(&w, sender, "lab", message, &answer)); /* its own sources, and no other */
    assert_fails(&w.s, submit_as(&w, sender, "lake", message, &answer), "engine.source-unknown");
    assert_fails(&w.s, get_status(&w, stranger, 0, &now), "rpc.no-role"); /* health took it: the CA signed it */
    assert_fails(&w.s, submit(&w, stranger, message, &answer), "rpc.no-role");
    rpc_client_close(reader), rpc_client_close(sender), rpc_client_close(stranger);
    world_end(&w);
}

/* What became of a delivery is an entry too, made when the destination has answered. */
static void wait_for_entries(struct world *w, uint64_t entries)
{
    while (journal_last_seq(engine_journal(w->engine)) < entries)
        usleep(1000); /* ctest's time limit ends a wait for nothing */
}

static void test_reconcile__answers_the_message_as_it_would_go_out_and_changes_nothing(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "sender-1");
    Idem__Routing__V1__SubmitReply *known;
    assert_ok(&w.s, submit(&w, client, world_adt(&w, "K1", "77"), &known));
    wait_for_entries(&w, 4); /* start, routes, message, delivery: nothing of it comes later */
    struct engine_routes_view view;
    assert_ok(&w.s,
              engine_apply_routes(w.engine, &w.s.cx,
                                  STR("destinations:\n  - name: away\n    mllp: { connect: \"127.0.0.1:1\" }\n"
                                      "routes:\n  - name: all\n    person_id: { authority: IDEM }\n    to: [away]\n"),
                                  false, &view));
    uint64_t before = journal_last_seq(engine_journal(w.engine));
    struct str message = world_adt(&w, "K2", "77");
    Idem__Routing__V1__ReconcileRequest ask = IDEM__ROUTING__V1__RECONCILE_REQUEST__INIT;
    ask.source = (char *)(uintptr_t) "north";
    ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)(uintptr_t)message.data};
    Idem__Routing__V1__ReconcileReply *reply;
    assert_ok(&w.s, rpc_client_call(client, &w.s.cx, "idem.routing.v1.Routing/Reconcile", &ask.base,
                                    &idem__routing__v1__reconcile_reply__descriptor, 0, (void **)&reply));
    assert_string_equal(reply->verdict, "known");
    assert_int_equal(reply->person, known->person);
    assert_int_equal(reply->n_destinations, 1);
    assert_string_equal(reply->destinations[0], "away");
    assert_int_equal(reply->n_changes, 1);
    struct str out = str_make(reply->message.data, reply->message.len);
    struct str number = arena_printf(&w.s.arena, "~%llu^^^IDEM^PI", (unsigned long long)reply->person);
    assert_non_null(memmem(out.data, out.len, number.data, number.len));
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), before); /* no entry, so no effect */
    rpc_client_close(client);
    world_end(&w);
}

static void test_connect__tells_apart_what_is_wrong(void **state)
{
    WORLD(w);
    struct rpc_client *client = NULL;
    struct rpc_client_options none = world_client(&w, NULL), other = world_client(&w, "impostor"),
                              plain = {.address = w.tls_address, .plain = true},
                              closed = {.address = "127.0.0.1:1", .plain = true}, wrong_ca = world_client(&w, "root-1");
    wrong_ca.ca_file = world_path(&w, "other.pem");
    const struct {
        const struct rpc_client_options *options;
        const char *says;
    } cases[] = {{&none, "certificate"},
                 {&other, "certificate"},
                 {&plain, "TLS"},
                 {&closed, "nothing listens"},
                 {&wrong_ca, "CA file"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_fails(&w.s, rpc_client_connect(&w.s.cx, cases[i].options, &client), "rpc.unreachable");
        struct str message = ctx_message(&w.s.cx);
        if (memmem(message.data, message.len, cases[i].says, strlen(cases[i].says)) == NULL)
            fail_msg("case %zu: %.*s", i, STR_ARGS(message));
    }
    world_end(&w);
}

static void test_refused__unknown_method_and_what_is_too_large(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    Idem__Admin__V1__GetStatusRequest empty = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    void *reply;
    assert_fails(&w.s,
                 rpc_client_call(client, &w.s.cx, "idem.admin.v1.Admin/Nope", &empty.base,
                                 &idem__admin__v1__status__descriptor, 0, &reply),
                 "rpc.unknown-method");
    assert_int_equal(w.s.cx.reason->status, STATUS_UNIMPLEMENTED);

    Idem__Routing__V1__SubmitReply *answer;
    struct str huge = {mem_alloc(LIMIT_GRPC_MESSAGE_BYTES + 1), LIMIT_GRPC_MESSAGE_BYTES + 1};
    assert_int_equal(submit(&w, client, huge, &answer), STATUS_RESOURCE_EXHAUSTED); /* by core, while reading */
    mem_free((void *)(uintptr_t)huge.data);

    Idem__Terminology__V1__LookupRequest ask = IDEM__TERMINOLOGY__V1__LOOKUP_REQUEST__INIT;
    char *code = mem_alloc(70000);
    memset(code, 'x', 69999);
    ask.code = code;
    assert_fails(&w.s,
                 rpc_client_call(client, &w.s.cx, "idem.terminology.v1.Terminology/Lookup", &ask.base,
                                 &idem__terminology__v1__lookup_reply__descriptor, 0, &reply),
                 "rpc.request-too-large");
    code[5000] = 0;
    assert_fails(&w.s,
                 rpc_client_call(client, &w.s.cx, "idem.terminology.v1.Terminology/Lookup", &ask.base,
                                 &idem__terminology__v1__lookup_reply__descriptor, 0, &reply),
                 "rpc.text-too-long");
    mem_free(code);
    Idem__Admin__V1__Status *now;
    assert_ok(&w.s, get_status(&w, client, 0, &now)); /* the connection has survived all of it */
    rpc_client_close(client);
    world_end(&w);
}

static void test_deadline__ends_a_call_that_waits(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    Grpc__Health__V1__HealthCheckRequest ask = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_stream *stream;
    assert_ok(&w.s, rpc_stream_open(client, &w.s.cx, "grpc.health.v1.Health/Watch",
                                    &grpc__health__v1__health_check_response__descriptor, 200 * 1000, &stream));
    assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
    assert_ok(&w.s, rpc_stream_sent_all(stream, &w.s.cx));
    void *reply;
    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, &reply));
    assert_fails(&w.s, rpc_stream_next(stream, &w.s.cx, &reply), "rpc.deadline");
    rpc_stream_close(stream);
    rpc_client_close(client);
    world_end(&w);
}

static void test_submit__answers_when_applied_and_again_the_same(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "sender-1");
    Idem__Routing__V1__SubmitReply *first, *again;
    struct str message = world_adt(&w, "S1", "77");
    assert_ok(&w.s, submit(&w, client, message, &first));
    assert_string_equal(first->code, "AA");
    assert_true(first->seq > 0 && first->person > 0 && first->ack.len > 0 && !first->duplicate);
    assert_ok(&w.s, submit(&w, client, message, &again));
    assert_true(again->duplicate);
    assert_int_equal(again->person, first->person);
    rpc_client_close(client);
    world_end(&w);
}

static void test_submit_stream__answers_in_order_past_the_window(void **state)
{
    enum { MESSAGES = 500, AHEAD = 48 };
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "sender-1");
    struct rpc_stream *stream;
    assert_ok(&w.s, rpc_stream_open(client, &w.s.cx, "idem.routing.v1.Routing/SubmitStream",
                                    &idem__routing__v1__submit_reply__descriptor, 0, &stream));
    uint64_t last_seq = 0;
    for (int sent = 0, got = 0; got < MESSAGES;) {
        if (sent < MESSAGES && sent - got < AHEAD) {
            char id[16];
            snprintf(id, sizeof id, "T%d", sent);
            /* every tenth is a refusal, answered at once by the engine: it must not overtake */
            struct str message = sent % 10 ? world_adt(&w, id, id) : STR("this is not HL7");
            Idem__Routing__V1__SubmitRequest ask = IDEM__ROUTING__V1__SUBMIT_REQUEST__INIT;
            ask.source = (char *)(uintptr_t) "north";
            ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)(uintptr_t)message.data};
            assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
            if (++sent == MESSAGES)
                assert_ok(&w.s, rpc_stream_sent_all(stream, &w.s.cx));
            continue;
        }
        Idem__Routing__V1__SubmitReply *answer;
        assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
        assert_non_null(answer);
        if (got % 10) {
            assert_string_equal(answer->code, "AA");
            assert_true(answer->seq > last_seq);
            last_seq = answer->seq;
            char control[24];
            snprintf(control, sizeof control, "|AA|T%d", got);
            size_t len = strlen(control);
            assert_non_null(memmem(answer->ack.data, answer->ack.len, control + 1, len - 1));
        } else {
            assert_string_not_equal(answer->code, "AA");
        }
        got++;
    }
    void *end = &w;
    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, &end));
    assert_null(end);
    rpc_stream_close(stream);
    rpc_client_close(client);
    world_end(&w);
}

static void test_cancel__frees_calls_in_every_state(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "root-1");
    for (int round = 0; round < 50; round++) {
        struct rpc_stream *stream;
        assert_ok(&w.s, rpc_stream_open(client, &w.s.cx, "idem.routing.v1.Routing/SubmitStream",
                                        &idem__routing__v1__submit_reply__descriptor, 0, &stream));
        for (int i = 0; i < round % 7; i++) {
            char id[24];
            snprintf(id, sizeof id, "C%d-%d", round, i);
            struct str message = world_adt(&w, id, id);
            Idem__Routing__V1__SubmitRequest ask = IDEM__ROUTING__V1__SUBMIT_REQUEST__INIT;
            ask.source = (char *)(uintptr_t) "north";
            ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)(uintptr_t)message.data};
            assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
        }
        if (round % 3 == 0)
            rpc_stream_cancel(stream);
        rpc_stream_close(stream);
    }
    rpc_client_close(client);
    struct rpc_server_stats stats;
    for (int i = 0; i < 500; i++) {
        rpc_server_stats(w.server, &stats);
        if (stats.in_flight == 0)
            break;
        usleep(10 * 1000);
    }
    assert_int_equal(stats.in_flight, 0);
    world_end(&w);
}

static void test_health__checks_and_pushes_changes(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "stranger");
    Grpc__Health__V1__HealthCheckRequest ask = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    health_answer *answer;
    ask.service = (char *)(uintptr_t) "idem.routing.v1.Routing";
    assert_ok(&w.s, rpc_client_call(client, &w.s.cx, "grpc.health.v1.Health/Check", &ask.base,
                                    &grpc__health__v1__health_check_response__descriptor, 0, (void **)&answer));
    assert_int_equal(answer->status, 1);
    struct rpc_stream *stream;
    assert_ok(&w.s, rpc_stream_open(client, &w.s.cx, "grpc.health.v1.Health/Watch",
                                    &grpc__health__v1__health_check_response__descriptor, 0, &stream));
    assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
    assert_ok(&w.s, rpc_stream_sent_all(stream, &w.s.cx));
    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
    assert_int_equal(answer->status, 1);
    rpc_server_set_serving(w.server, "idem.routing.v1.Routing", false);
    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
    assert_int_equal(answer->status, 2);
    rpc_server_set_serving(w.server, "idem.identity.v1.Identity", false); /* not ours: no message */
    rpc_server_set_serving(w.server, NULL, true);
    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
    assert_int_equal(answer->status, 1);
    rpc_stream_close(stream);
    ask.service = (char *)(uintptr_t) "no.such.Service";
    assert_fails(&w.s,
                 rpc_client_call(client, &w.s.cx, "grpc.health.v1.Health/Check", &ask.base,
                                 &grpc__health__v1__health_check_response__descriptor, 0, (void **)&answer),
                 "rpc.service-unknown");
    rpc_client_close(client);
    world_end(&w);
}

static void test_reflection__lists_services_and_serves_their_files(void **state)
{
    static const char *const methods[] = {"grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                                          "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "stranger");
    for (size_t i = 0; i < 2; i++) {
        struct rpc_stream *stream;
        assert_ok(&w.s, rpc_stream_open(client, &w.s.cx, methods[i],
                                        &grpc__reflection__v1__server_reflection_response__descriptor, 0, &stream));
        Grpc__Reflection__V1__ServerReflectionRequest ask = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
        Grpc__Reflection__V1__ServerReflectionResponse *answer;
        ask.message_request_case = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES;
        ask.list_services = (char *)(uintptr_t) "*";
        assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
        assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
        assert_int_equal(answer->list_services_response->n_service, 7);
        ask.message_request_case =
            GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
        ask.file_containing_symbol = (char *)(uintptr_t) "idem.identity.v1.Identity.Identify";
        assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
        assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
        assert_int_equal(answer->file_descriptor_response->n_file_descriptor_proto, 1);
        ask.file_containing_symbol = (char *)(uintptr_t) "google.rpc.Status";
        assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
        assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
        assert_int_equal(answer->file_descriptor_response->n_file_descriptor_proto, 2); /* with any.proto */
        ask.file_containing_symbol = (char *)(uintptr_t) "no.such.Symbol";
        assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
        assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));
        assert_int_equal(answer->error_response->error_code, STATUS_NOT_FOUND);
        assert_ok(&w.s, rpc_stream_sent_all(stream, &w.s.cx));
        void *end = &w;
        assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, &end));
        assert_null(end);
        rpc_stream_close(stream);
    }
    rpc_client_close(client);
    world_end(&w);
}

static void test_certificates__are_read_again_without_a_restart(void **state)
{
    WORLD(w);
    struct rpc_client *before = world_connect(&w, "root-1");
    /* everything moves to the other CA; the server's files are replaced while it runs */
    world_issue(&w, "other", "server2", true);
    static const char *const moves[][2] = {
        {"server2.pem", "server.pem"}, {"server2.key", "server.key"}, {"other.pem", "ca.pem"}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(rename(world_path(&w, moves[i][0]), world_path(&w, moves[i][1])), 0);
    struct rpc_client_options options = world_client(&w, "impostor");
    struct rpc_client *after = NULL;
    assert_ok(&w.s, rpc_client_connect(&w.s.cx, &options, &after)); /* ca.pem is now the other CA, on both sides */
    Idem__Admin__V1__Status *now;
    assert_ok(&w.s, get_status(&w, before, 0, &now)); /* a connection that was there goes on */
    struct rpc_client_options old = world_client(&w, "root-1");
    assert_fails(&w.s, rpc_client_connect(&w.s.cx, &old, &after), "rpc.unreachable");
    rpc_client_close(before);
    rpc_client_close(after);
    world_end(&w);
}

static void test_start__refuses_plain_beyond_loopback_and_bad_files(void **state)
{
    WORLD(w);
    struct rpc_server *server = NULL;
    struct rpc_listen plain = {"0.0.0.0:0", true}, tls = {"127.0.0.1:0", false}, taken = {w.plain_address, true};
    struct rpc_server_options options = {.listen = &plain, .listen_count = 1, .engine = w.engine};
    assert_fails(&w.s, rpc_server_start(&w.s.cx, &options, &server), "rpc.plain-refused");
    options.listen = &taken;
    assert_fails(&w.s, rpc_server_start(&w.s.cx, &options, &server), "rpc.listen");
    options.listen = &tls;
    assert_fails(&w.s, rpc_server_start(&w.s.cx, &options, &server), "rpc.certificate");
    options.cert_file = world_path(&w, "server.pem");
    options.key_file = world_path(&w, "absent.key");
    options.ca_file = world_path(&w, "ca.pem");
    assert_fails(&w.s, rpc_server_start(&w.s.cx, &options, &server), "base.file");
    options.key_file = world_path(&w, "root-1.key"); /* not the certificate's */
    assert_fails(&w.s, rpc_server_start(&w.s.cx, &options, &server), "rpc.listen");
    assert_null(server);
    world_end(&w);
}

/* ---- drain ---- */

struct loader {
    struct world *w;
    struct support s;
    pthread_t thread;
    uint64_t answered, unavailable, other;
};

static void *keep_submitting(void *arg)
{
    struct loader *loader = arg;
    support_init(&loader->s);
    struct rpc_client_options options = {.address = loader->w->plain_address, .plain = true};
    struct rpc_client *client = NULL;
    if (rpc_client_connect(&loader->s.cx, &options, &client) != STATUS_OK)
        return NULL;
    for (int i = 0;; i++) {
        struct arena arena = {0};
        struct ctx cx = {.arena = &arena};
        struct str message =
            arena_printf(&arena,
                         "MSH|^~\\&|ADT|NORTH|IDEM|IDEM|20260101120000||ADT^A01^ADT_A01|D%p-%d|P|2.5.1\r"
                         "PID|1||D%d^^^NORTH^MR||Garcia^Ana||19800229|F\r",
                         arg, i, i);
        Idem__Routing__V1__SubmitRequest ask = IDEM__ROUTING__V1__SUBMIT_REQUEST__INIT;
        ask.source = (char *)(uintptr_t) "north";
        ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)(uintptr_t)message.data};
        void *reply;
        status got = rpc_client_call(client, &cx, "idem.routing.v1.Routing/Submit", &ask.base,
                                     &idem__routing__v1__submit_reply__descriptor, 0, &reply);
        if (got == STATUS_OK)
            loader->answered++;
        else if (got == STATUS_UNAVAILABLE)
            loader->unavailable++;
        else {
            loader->other++;
            print_message("submit: %d %s %.*s\n", got, cx.reason->name, STR_ARGS(cx.detail));
        }
        arena_fini(&arena);
        if (got != STATUS_OK)
            break;
    }
    rpc_client_close(client);
    support_fini(&loader->s);
    return NULL;
}

static void test_drain__answers_what_it_took_and_ends_in_time(void **state)
{
    enum { LOADERS = 4 };
    WORLD(w);
    struct rpc_client *watcher = world_connect_plain(&w);
    Grpc__Health__V1__HealthCheckRequest ask = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_stream *stream;
    health_answer *answer;
    assert_ok(&w.s, rpc_stream_open(watcher, &w.s.cx, "grpc.health.v1.Health/Watch",
                                    &grpc__health__v1__health_check_response__descriptor, 0, &stream));
    assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
    assert_ok(&w.s, rpc_stream_sent_all(stream, &w.s.cx));
    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer));

    struct loader loaders[LOADERS] = {0};
    for (size_t i = 0; i < LOADERS; i++) {
        loaders[i].w = &w;
        assert_int_equal(pthread_create(&loaders[i].thread, NULL, keep_submitting, &loaders[i]), 0);
    }
    usleep(300 * 1000);
    int64_t began_us = clock_mono_us();
    rpc_server_drain(w.server, 3000);
    assert_true(clock_mono_us() - began_us < 8 * 1000000);

    assert_ok(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer)); /* told before it ended */
    assert_int_equal(answer->status, 2);
    assert_fails(&w.s, rpc_stream_next(stream, &w.s.cx, (void **)&answer), "rpc.draining");
    rpc_stream_close(stream);
    rpc_client_close(watcher);
    for (size_t i = 0; i < LOADERS; i++) {
        pthread_join(loaders[i].thread, NULL);
        assert_true(loaders[i].answered > 0);
        assert_int_equal(loaders[i].other, 0); /* answered, or told to go elsewhere: nothing in between */
    }
    struct rpc_server_stats stats;
    rpc_server_stats(w.server, &stats);
    assert_int_equal(stats.in_flight, 0);
    world_end(&w);
}

static void test_load_release__streams_progress_and_failures(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "root-1");
    Idem__Terminology__V1__LoadReleaseRequest ask = IDEM__TERMINOLOGY__V1__LOAD_RELEASE_REQUEST__INIT;
    ask.path = (char *)(uintptr_t)world_path(&w, "map.csv");
    ask.version = (char *)(uintptr_t) "1";
    assert_ok(&w.s,
              file_replace(&w.s.cx, ask.path,
                           STR("source_system,source_code,source_display,target_system,target_code,target_display,"
                               "equivalence,comment\n"
                               "north-lab,HGB,Haemoglobin,http://loinc.org,718-7,Hemoglobin,equivalent,\n"),
                           0600));
    struct rpc_stream *stream;
    assert_ok(&w.s, rpc_stream_open(client, &w.s.cx, "idem.terminology.v1.Terminology/LoadRelease",
                                    &idem__terminology__v1__load_release_event__descriptor, 0, &stream));
    assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
    assert_ok(&w.s, rpc_stream_sent_all(stream, &w.s.cx));
    Idem__Terminology__V1__LoadReleaseEvent *event, *last = NULL;
    for (;;) {
        status got = rpc_stream_next(stream, &w.s.cx, (void **)&event);
        if (got != STATUS_OK)
            fail_msg("%.*s", STR_ARGS(ctx_message(&w.s.cx)));
        if (event == NULL)
            break;
        last = event;
    }
    assert_non_null(last);
    assert_non_null(last->release);
    assert_true(last->release->id > 0);
    rpc_stream_close(stream);

    ask.path = (char *)(uintptr_t) "/no/such/release";
    assert_ok(&w.s, rpc_stream_open(client, &w.s.cx, "idem.terminology.v1.Terminology/LoadRelease",
                                    &idem__terminology__v1__load_release_event__descriptor, 0, &stream));
    assert_ok(&w.s, rpc_stream_send(stream, &w.s.cx, &ask.base));
    status got;
    while ((got = rpc_stream_next(stream, &w.s.cx, (void **)&event)) == STATUS_OK && event)
        continue;
    assert_int_not_equal(got, STATUS_OK);
    rpc_stream_close(stream);
    rpc_client_close(client);
    world_end(&w);
}

static void test_doctor__finds_a_fresh_daemon_well(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect(&w, "root-1");
    Idem__Admin__V1__DoctorRequest ask = IDEM__ADMIN__V1__DOCTOR_REQUEST__INIT;
    Idem__Admin__V1__DoctorReply *answer;
    assert_ok(&w.s, rpc_client_call(client, &w.s.cx, "idem.admin.v1.Admin/Doctor", &ask.base,
                                    &idem__admin__v1__doctor_reply__descriptor, 0, (void **)&answer));
    assert_true(answer->n_checks >= 7);
    for (size_t i = 0; i < answer->n_checks; i++)
        if (!answer->checks[i]->ok)
            fail_msg("%s: %s", answer->checks[i]->name, answer->checks[i]->detail);
    rpc_client_close(client);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unary__answers_over_tls_and_plain),
        cmocka_unit_test(test_error__carries_status_reason_and_sentence),
        cmocka_unit_test(test_roles__decide_who_may_use_what),
        cmocka_unit_test(test_reconcile__answers_the_message_as_it_would_go_out_and_changes_nothing),
        cmocka_unit_test(test_connect__tells_apart_what_is_wrong),
        cmocka_unit_test(test_refused__unknown_method_and_what_is_too_large),
        cmocka_unit_test(test_deadline__ends_a_call_that_waits),
        cmocka_unit_test(test_submit__answers_when_applied_and_again_the_same),
        cmocka_unit_test(test_submit_stream__answers_in_order_past_the_window),
        cmocka_unit_test(test_cancel__frees_calls_in_every_state),
        cmocka_unit_test(test_health__checks_and_pushes_changes),
        cmocka_unit_test(test_reflection__lists_services_and_serves_their_files),
        cmocka_unit_test(test_certificates__are_read_again_without_a_restart),
        cmocka_unit_test(test_start__refuses_plain_beyond_loopback_and_bad_files),
        cmocka_unit_test(test_drain__answers_what_it_took_and_ends_in_time),
        cmocka_unit_test(test_load_release__streams_progress_and_failures),
        cmocka_unit_test(test_doctor__finds_a_fresh_daemon_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
