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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lookup__of_a_release_that_is_not_active),
        cmocka_unit_test(test_loads__are_taken_up_to_the_most_at_a_time),
        cmocka_unit_test(test_lookup__leaves_its_worker_when_it_names_a_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
