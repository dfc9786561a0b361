/* Lists that are longer than a page, over the wire: a full page, what is beyond it, and the bounds of one call. */
#include "alike.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "world.h"

#define IDENTITY "idem.identity.v1.Identity/"

enum { PAGE = 1000, MATCHES = 100 };

static void *ask_for(struct world *w, struct rpc_client *client, const char *method, const ProtobufCMessage *ask,
                     const ProtobufCMessageDescriptor *type)
{
    void *reply;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, method, ask, type, 0, &reply));
    return reply;
}

static status load_people(struct world *w, struct rpc_client *client, const char *prefix, unsigned from, unsigned count)
{
    Idem__Identity__V1__LoadPeopleRequest ask = IDEM__IDENTITY__V1__LOAD_PEOPLE_REQUEST__INIT;
    ask.source = (char *)(uintptr_t) "test";
    ask.n_records = count;
    ask.records = arena_array(&w->s.arena, count, sizeof *ask.records);
    struct {
        Idem__Identity__V1__PersonRecord record;
        Idem__Identity__V1__Identifier identifier, *identifiers[1];
        Idem__Identity__V1__Demographics demographics;
        Idem__Identity__V1__Name name, *names[1];
    } *people = arena_array(&w->s.arena, count, sizeof *people);
    for (unsigned i = 0; i < count; i++) {
        unsigned n = from + i;
        idem__identity__v1__person_record__init(&people[i].record);
        idem__identity__v1__identifier__init(&people[i].identifier);
        idem__identity__v1__demographics__init(&people[i].demographics);
        idem__identity__v1__name__init(&people[i].name);
        people[i].identifier.authority = people[i].identifier.type = (char *)(uintptr_t) "MR";
        people[i].identifier.value = (char *)(uintptr_t)arena_printf(&w->s.arena, "%s%u", prefix, n).data;
        char *birth = arena_alloc(&w->s.arena, 9);
        alike_birth(n, birth);
        people[i].name.given = (char *)(uintptr_t)alike_given(n);
        people[i].name.family = (char *)(uintptr_t)alike_family(n);
        people[i].demographics.sex = (char *)(uintptr_t) "M";
        people[i].demographics.birth_date =
            (char *)(uintptr_t)arena_printf(&w->s.arena, "%.4s-%.2s-%.2s", birth, birth + 4, birth + 6).data;
        people[i].names[0] = &people[i].name;
        people[i].demographics.names = people[i].names;
        people[i].identifiers[0] = &people[i].identifier;
        people[i].record.identifiers = people[i].identifiers;
        people[i].record.demographics = &people[i].demographics;
        people[i].demographics.n_names = people[i].record.n_identifiers = 1;
        ask.records[i] = &people[i].record;
    }
    void *reply;
    return rpc_client_call(client, &w->s.cx, IDENTITY "LoadPeople", &ask.base,
                           &idem__identity__v1__load_people_reply__descriptor, 0, &reply);
}

static Idem__Identity__V1__ListReviewsReply *list(struct world *w, struct rpc_client *client, uint32_t max,
                                                  uint64_t after)
{
    Idem__Identity__V1__ListReviewsRequest ask = IDEM__IDENTITY__V1__LIST_REVIEWS_REQUEST__INIT;
    ask.max = max;
    ask.after = after;
    return ask_for(w, client, IDENTITY "ListReviews", &ask.base, &idem__identity__v1__list_reviews_reply__descriptor);
}

static void test_reviews__a_full_page_says_where_the_next_begins(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    assert_ok(&w.s, load_people(&w, client, "A", 0, PAGE));
    assert_ok(&w.s, load_people(&w, client, "B", 0, PAGE));
    uint64_t asked = list(&w, client, UINT32_MAX, 0)->n_reviews;
    assert_int_equal(asked, PAGE); /* one for each, and not one is left unasked */
    assert_int_equal(list(&w, client, PAGE, 0)->next_after, 0);
    assert_ok(&w.s, load_people(&w, client, "A", PAGE, 1));
    assert_ok(&w.s, load_people(&w, client, "B", PAGE, 1));
    Idem__Identity__V1__ListReviewsReply *first = list(&w, client, UINT32_MAX, 0);
    assert_int_equal(first->open, PAGE + 1);
    assert_int_equal(first->n_reviews, PAGE);
    assert_int_equal(first->next_after, first->reviews[PAGE - 1]->id);
    Idem__Identity__V1__ListReviewsReply *rest = list(&w, client, UINT32_MAX, first->next_after);
    assert_int_equal(rest->n_reviews, 1);
    assert_int_equal(rest->next_after, 0);
    for (size_t i = 0; i < first->n_reviews; i++)
        assert_int_not_equal(first->reviews[i]->id, rest->reviews[0]->id);
    rpc_client_close(client);
    world_end(&w);
}

static void test_people_of_one_load__up_to_the_limit_and_not_one_more(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    assert_fails(&w.s, load_people(&w, client, "A", 0, LIMIT_PEOPLE_PER_LOAD + 1), "rpc.argument");
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 0);
    assert_ok(&w.s, load_people(&w, client, "A", 0, LIMIT_PEOPLE_PER_LOAD));
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, LIMIT_PEOPLE_PER_LOAD);
    rpc_client_close(client);
    world_end(&w);
}

static Idem__Identity__V1__IdentifyRequest *identify_request(struct world *w, unsigned numbers, uint32_t max)
{
    Idem__Identity__V1__IdentifyRequest *ask = arena_alloc(&w->s.arena, sizeof *ask);
    idem__identity__v1__identify_request__init(ask);
    ask->max = max;
    ask->n_identifiers = numbers;
    ask->identifiers = arena_array(&w->s.arena, numbers, sizeof *ask->identifiers);
    for (unsigned i = 0; i < numbers; i++) {
        ask->identifiers[i] = arena_alloc(&w->s.arena, sizeof *ask->identifiers[i]);
        idem__identity__v1__identifier__init(ask->identifiers[i]);
        ask->identifiers[i]->authority = ask->identifiers[i]->type = (char *)(uintptr_t) "MR";
        ask->identifiers[i]->value = (char *)(uintptr_t)arena_printf(&w->s.arena, "A%u", i).data;
    }
    return ask;
}

static Idem__Identity__V1__IdentifyReply *identify(struct world *w, struct rpc_client *client, unsigned numbers,
                                                   uint32_t max)
{
    return ask_for(w, client, IDENTITY "Identify", &identify_request(w, numbers, max)->base,
                   &idem__identity__v1__identify_reply__descriptor);
}

static void test_matches__past_the_most_are_said_to_be_there(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    assert_ok(&w.s, load_people(&w, client, "A", 0, MATCHES + 1));
    Idem__Identity__V1__IdentifyReply *reply = identify(&w, client, MATCHES, UINT32_MAX);
    assert_true(reply->n_matches == MATCHES && !reply->more);
    reply = identify(&w, client, MATCHES + 1, UINT32_MAX);
    assert_true(reply->n_matches == MATCHES && reply->more);
    reply = identify(&w, client, 3, 2);
    assert_true(reply->n_matches == 2 && reply->more);
    rpc_client_close(client);
    world_end(&w);
}

static struct rpc_stream *watch(struct world *w, struct rpc_client *client)
{
    Grpc__Health__V1__HealthCheckRequest ask = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct rpc_stream *stream;
    assert_ok(&w->s, rpc_stream_open(client, &w->s.cx, "grpc.health.v1.Health/Watch",
                                     &grpc__health__v1__health_check_response__descriptor, 0, &stream));
    assert_ok(&w->s, rpc_stream_send(stream, &w->s.cx, &ask.base));
    assert_ok(&w->s, rpc_stream_sent_all(stream, &w->s.cx));
    return stream;
}

/* The largest message, for so many destinations. */
static void test_outputs__are_shown_up_to_the_limit_and_counted_beyond(void **state)
{
    (void)state;
    enum { SHOWN = LIMIT_REHEARSED_BYTES / LIMIT_MESSAGE_BYTES };
    struct world w;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    SCOPED(buf_fini) struct buf message = {0};
    buf_put_str(&message, STR("MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^R01|T1|P|2.5.1\rNTE|1||"));
    size_t filler = LIMIT_MESSAGE_BYTES - message.len - 1;
    buf_reserve(&message, filler);
    memset(message.data + message.len, 'x', filler);
    message.len += filler;
    buf_put_byte(&message, '\r');
    for (size_t outputs = SHOWN; outputs <= SHOWN + 1; outputs++) {
        SCOPED(buf_fini) struct buf routes = {0};
        buf_put_str(&routes, STR("destinations:\n"));
        for (size_t i = 0; i < outputs; i++)
            buf_printf(&routes, "  - { name: d%zu, mllp: { connect: \"127.0.0.1:1\" } }\n", i);
        buf_put_str(&routes, STR("routes:\n"));
        for (size_t i = 0; i < outputs; i++)
            buf_printf(&routes, "  - { name: r%zu, to: [d%zu] }\n", i, i);
        buf_put_byte(&routes, 0);
        Idem__Admin__V1__TestRouteRequest ask = IDEM__ADMIN__V1__TEST_ROUTE_REQUEST__INIT;
        ask.text = routes.data;
        ask.source = (char *)(uintptr_t) "north";
        ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)message.data};
        Idem__Admin__V1__TestRouteReply *reply = ask_for(&w, client, "idem.admin.v1.Admin/TestRoute", &ask.base,
                                                         &idem__admin__v1__test_route_reply__descriptor);
        assert_int_equal(reply->n_outputs, outputs);
        assert_int_equal(reply->outputs_without_message, outputs - SHOWN);
        assert_int_equal(reply->outputs[SHOWN - 1]->message.len, LIMIT_MESSAGE_BYTES);
    }
    rpc_client_close(client);
    world_end(&w);
}

static void test_watchers__are_taken_up_to_the_most_and_refused_past_it(void **state)
{
    (void)state;
    enum { WATCHERS = 1024, CLIENTS = 16 };
    struct world w;
    void *reply;
    world_begin(&w);
    struct rpc_client *clients[CLIENTS];
    struct rpc_stream **streams = arena_array(&w.s.arena, WATCHERS, sizeof(struct rpc_stream *));
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = world_connect_plain(&w);
    for (int i = 0; i < WATCHERS; i++) {
        streams[i] = watch(&w, clients[i % CLIENTS]);
        assert_ok(&w.s, rpc_stream_next(streams[i], &w.s.cx, &reply));
    }
    struct rpc_stream *beyond = watch(&w, clients[0]);
    assert_fails(&w.s, rpc_stream_next(beyond, &w.s.cx, &reply), "rpc.busy");
    rpc_stream_close(beyond);
    for (int i = 0; i < WATCHERS; i++)
        rpc_stream_close(streams[i]);
    for (int i = 0; i < CLIENTS; i++)
        rpc_client_close(clients[i]);
    world_end(&w);
}

static void test_identifiers_of_a_call__up_to_the_limit_and_not_one_more(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct rpc_client *client = world_connect_plain(&w);
    assert_int_equal(identify(&w, client, LIMIT_IDENTIFIERS_PER_RECORD, 1)->n_matches, 0);
    Idem__Identity__V1__IdentifyRequest *ask = identify_request(&w, LIMIT_IDENTIFIERS_PER_RECORD + 1, 1);
    void *reply;
    assert_fails(&w.s,
                 rpc_client_call(client, &w.s.cx, IDENTITY "Identify", &ask->base,
                                 &idem__identity__v1__identify_reply__descriptor, 0, &reply),
                 "rpc.argument");
    rpc_client_close(client);
    world_end(&w);
}

static void test_certificate_files__are_taken_up_to_the_most_bytes(void **state)
{
    (void)state;
    enum { MOST = 1024 * 1024 };
    struct world w;
    world_begin(&w);
    SCOPED(buf_fini) struct buf bytes = {0};
    struct rpc_client_options options = world_client(&w, "reader-1");
    assert_ok(&w.s, file_read(&w.s.cx, options.ca_file, MOST, &bytes));
    options.ca_file = world_path(&w, "padded.pem");
    while (bytes.len < MOST)
        buf_put_byte(&bytes, '\n');
    assert_ok(&w.s, file_replace(&w.s.cx, options.ca_file, buf_str(&bytes), 0600));
    struct rpc_client *client = NULL;
    assert_ok(&w.s, rpc_client_connect(&w.s.cx, &options, &client));
    rpc_client_close(client);
    buf_put_byte(&bytes, '\n');
    assert_ok(&w.s, file_replace(&w.s.cx, options.ca_file, buf_str(&bytes), 0600));
    assert_fails(&w.s, rpc_client_connect(&w.s.cx, &options, &client), "base.file");
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reviews__a_full_page_says_where_the_next_begins),
        cmocka_unit_test(test_people_of_one_load__up_to_the_limit_and_not_one_more),
        cmocka_unit_test(test_matches__past_the_most_are_said_to_be_there),
        cmocka_unit_test(test_outputs__are_shown_up_to_the_limit_and_counted_beyond),
        cmocka_unit_test(test_watchers__are_taken_up_to_the_most_and_refused_past_it),
        cmocka_unit_test(test_certificate_files__are_taken_up_to_the_most_bytes),
        cmocka_unit_test(test_identifiers_of_a_call__up_to_the_limit_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
