/* Codes of a release that is not active: opened when somebody asks, never on the thread that serves the short calls. */
#include "base/file.h"
#include "base/mem.h"
#include "call.h"
#include "loaders/codes.h"
#include "world.h"

static uint64_t register_loinc(struct world *w, const char *version, const char *display, const char **out_pack)
{
    const char *path = world_path(w, arena_printf(&w->s.arena, "Loinc-%s.csv", version).data);
    struct str text = arena_printf(
        &w->s.arena,
        "\"LOINC_NUM\",\"COMPONENT\",\"PROPERTY\",\"TIME_ASPCT\",\"SYSTEM\",\"SCALE_TYP\",\"METHOD_TYP\","
        "\"CLASS\",\"STATUS\",\"SHORTNAME\",\"LONG_COMMON_NAME\"\n"
        "\"2345-7\",\"Glucose\",\"MCnc\",\"Pt\",\"Ser/Plas\",\"Qn\",\"\",\"CHEM\",\"ACTIVE\",\"%s\",\"%s\"\n",
        display, display);
    assert_ok(&w->s, file_replace(&w->s.cx, path, text, 0600));
    struct loader_options options = {
        .path = path, .pack_dir = engine_packs_dir(w->engine), .version = str_from(version)};
    struct loader_result result;
    uint64_t release;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_ok(&w->s, engine_register_codes(w->engine, &w->s.cx, &result.registration, &release));
    *out_pack =
        arena_printf(&w->s.arena, "%s/%.*s", engine_packs_dir(w->engine), STR_ARGS(result.registration.pack_file)).data;
    return release;
}

static status look_up(struct world *w, struct rpc_client *client, uint64_t release,
                      Idem__Terminology__V1__LookupReply **out_answer)
{
    Idem__Terminology__V1__LookupRequest ask = IDEM__TERMINOLOGY__V1__LOOKUP_REQUEST__INIT;
    ask.system = (char[]){"LN"};
    ask.code = (char[]){"2345-7"};
    ask.release = release;
    return rpc_client_call(client, &w->s.cx, "idem.terminology.v1.Terminology/Lookup", &ask.base,
                           &idem__terminology__v1__lookup_reply__descriptor, 0, (void **)out_answer);
}

static void test_lookup__of_a_release_that_is_not_active(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    const char *first_pack, *second_pack;
    uint64_t first = register_loinc(&w, "1", "first words", &first_pack), seq;
    uint64_t second = register_loinc(&w, "2", "second words", &second_pack);
    assert_ok(&w.s, engine_activate_codes(w.engine, &w.s.cx, first, &seq));
    Idem__Terminology__V1__LookupReply *answer;
    assert_ok(&w.s, look_up(&w, client, 0, &answer));
    assert_string_equal(answer->display, "first words");

    const char *aside = world_path(&w, "aside");
    assert_int_equal(rename(second_pack, aside), 0);
    assert_fails(&w.s, look_up(&w, client, second, &answer), "codes.pack-damaged");
    assert_int_equal(rename(aside, second_pack), 0);
    for (int i = 0; i < 2; i++) {
        assert_ok(&w.s, look_up(&w, client, second, &answer));
        assert_string_equal(answer->display, "second words");
    }
    assert_ok(&w.s, look_up(&w, client, first, &answer));
    assert_string_equal(answer->display, "first words");
    assert_fails(&w.s, look_up(&w, client, 4711, &answer), "codes.release-unknown");
    rpc_client_close(client);
    world_end(&w);
}

static void test_lookup__leaves_its_worker_when_it_names_a_release(void **state)
{
    (void)state;
    Idem__Terminology__V1__LookupRequest ask = IDEM__TERMINOLOGY__V1__LOOKUP_REQUEST__INIT;
    for (size_t i = 0; i < rpc_method_count; i++) {
        const struct rpc_method *method = &rpc_methods[i];
        if (strcmp(method->path, "/idem.terminology.v1.Terminology/Lookup") != 0)
            continue;
        assert_int_equal(method->style, RPC_INLINE);
        ask.release = 0;
        assert_false(method->may_wait(&ask));
        ask.release = 1;
        assert_true(method->may_wait(&ask));
        return;
    }
    fail_msg("no such method");
}

static status load_nothing(struct world *w, struct rpc_client *client)
{
    Idem__Terminology__V1__LoadReleaseRequest ask = IDEM__TERMINOLOGY__V1__LOAD_RELEASE_REQUEST__INIT;
    ask.path = (char *)(uintptr_t) "/no/such/release";
    struct rpc_stream *stream;
    void *event;
    assert_ok(&w->s, rpc_stream_open(client, &w->s.cx, "idem.terminology.v1.Terminology/LoadRelease",
                                     &idem__terminology__v1__load_release_event__descriptor, 0, &stream));
    assert_ok(&w->s, rpc_stream_send(stream, &w->s.cx, &ask.base));
    assert_ok(&w->s, rpc_stream_sent_all(stream, &w->s.cx));
    status got;
    while ((got = rpc_stream_next(stream, &w->s.cx, &event)) == STATUS_OK && event)
        continue;
    rpc_stream_close(stream);
    return got;
}

static void test_loads__are_taken_up_to_the_most_at_a_time(void **state)
{
    enum { MOST = 2 };
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    atomic_fetch_add(&w.server->loads_running, MOST - 1);
    assert_fails(&w.s, load_nothing(&w, client), "base.file");
    atomic_fetch_add(&w.server->loads_running, 1);
    assert_fails(&w.s, load_nothing(&w, client), "rpc.busy");
    assert_int_equal(atomic_load(&w.server->loads_running), MOST);
    atomic_fetch_sub(&w.server->loads_running, 1);
    assert_fails(&w.s, load_nothing(&w, client), "base.file");
    atomic_fetch_sub(&w.server->loads_running, MOST - 1);
    rpc_client_close(client);
    world_end(&w);
}

struct activator {
    struct world *w;
    uint64_t release;
    pthread_t thread;
    status result;
};

static void *activate(void *arg)
{
    struct activator *activator = arg;
    struct support mine;
    support_init(&mine);
    struct rpc_client_options options = {.address = activator->w->plain_address, .plain = true};
    struct rpc_client *client = NULL;
    assert_ok(&mine, rpc_client_connect(&mine.cx, &options, &client));
    Idem__Terminology__V1__ActivateRequest ask = IDEM__TERMINOLOGY__V1__ACTIVATE_REQUEST__INIT;
    ask.release = activator->release;
    void *reply;
    activator->result = rpc_client_call(client, &mine.cx, "idem.terminology.v1.Terminology/Activate", &ask.base,
                                        &idem__terminology__v1__activate_reply__descriptor, 60ll * 1000 * 1000, &reply);
    rpc_client_close(client);
    support_fini(&mine);
    return NULL;
}

static void wait_in_flight(struct world *w, uint64_t count)
{
    struct rpc_server_stats stats;
    do {
        usleep(1000);
        rpc_server_stats(w->server, &stats);
    } while (stats.in_flight != count);
}

static void change_and_list(struct world *w, struct rpc_client *client)
{
    Idem__Admin__V1__ApplyRoutesRequest routes = IDEM__ADMIN__V1__APPLY_ROUTES_REQUEST__INIT;
    Idem__Admin__V1__ListMessagesRequest list = IDEM__ADMIN__V1__LIST_MESSAGES_REQUEST__INIT;
    routes.text = (char *)(uintptr_t) "destinations: []\nroutes: []\n";
    void *reply;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "idem.admin.v1.Admin/ApplyRoutes", &routes.base,
                                     &idem__admin__v1__apply_routes_reply__descriptor, 20 * 1000 * 1000, &reply));
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "idem.admin.v1.Admin/ListMessages", &list.base,
                                     &idem__admin__v1__list_messages_reply__descriptor, 20 * 1000 * 1000, &reply));
}

/* One activation is at its pack, which may be large; more of them than there are threads wait for it. */
static void test_activations_that_wait__hold_up_no_change_and_no_list(void **state)
{
    (void)state;
    enum { WAITING = 6 };
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    const char *pack;
    uint64_t release = register_loinc(&w, "1", "first words", &pack);
    struct codes_hold verifying = {0};
    assert_ok(&w.s, codes_hold_activation(engine_codes(w.engine), &w.s.cx, release, &verifying));
    struct activator activators[WAITING];
    for (int i = 0; i < WAITING; i++) {
        activators[i] = (struct activator){.w = &w, .release = release};
        assert_int_equal(pthread_create(&activators[i].thread, NULL, activate, &activators[i]), 0);
    }
    wait_in_flight(&w, WAITING);
    change_and_list(&w, client);
    wait_in_flight(&w, WAITING); /* they still wait */
    codes_hold_end(&verifying);
    for (int i = 0; i < WAITING; i++)
        pthread_join(activators[i].thread, NULL);
    assert_int_equal(activators[0].result, STATUS_OK);
    rpc_client_close(client);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup__of_a_release_that_is_not_active),
        cmocka_unit_test(test_loads__are_taken_up_to_the_most_at_a_time),
        cmocka_unit_test(test_lookup__leaves_its_worker_when_it_names_a_release),
        cmocka_unit_test(test_activations_that_wait__hold_up_no_change_and_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
