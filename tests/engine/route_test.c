/* Routes as text: every key, every refusal with its line, and which messages a route takes. */
#include "base/limits.h"
#include "base/mem.h"
#include "route.h"

#include "support.h"

#define DESTINATION "destinations:\n  - name: archive\n    file: { folder: /tmp/out }\n"

static void test_every_key__is_read(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct routes *routes;
    assert_ok(&s, routes_parse(&s.cx,
                               STR("destinations:\n"
                                   "  - name: archive\n"
                                   "    file: { folder: /tmp/out }\n"
                                   "  - name: lab.2\n"
                                   "    mllp: { connect: \"127.0.0.1:2600\", tls: true, server_name: lab.example }\n"
                                   "    retry: { first: 10ms, most: 2s, give_up_after: 3 }\n"
                                   "    answer_timeout: 5s\n"
                                   "routes:\n"
                                   "  - name: adt\n"
                                   "    when: { source: [north, lake], type: [ADT, \"ORU^R01\"] }\n"
                                   "    person_id: { authority: IDEM, type: XX }\n"
                                   "    local_system: { L: north-lab, \"\": other }\n"
                                   "    codes:\n"
                                   "      - { path: \"OBX(*)-3\", to: [LN, SCT] }\n"
                                   "      - { path: DG1-3, to: [I10C] }\n"
                                   "    to: [lab.2, archive]\n"
                                   "  - name: nowhere\n"
                                   "    to: []\n"),
                               42, &routes));
    assert_int_equal(routes->seq, 42);
    assert_int_equal(routes->version.len, 12);
    const struct route_destination *lab = &routes->destinations[1], *archive = &routes->destinations[0];
    assert_int_equal(archive->kind, ROUTE_FILE);
    assert_str(archive->folder, "/tmp/out");
    assert_true(archive->retry_first_us == 1000000 && archive->retry_most_us == 60000000 &&
                archive->answer_timeout_us == 30000000 && archive->give_up_after == 50);
    assert_true(lab->kind == ROUTE_MLLP && lab->tls);
    assert_str(lab->connect, "127.0.0.1:2600");
    assert_str(lab->server_name, "lab.example");
    assert_true(lab->retry_first_us == 10000 && lab->retry_most_us == 2000000 && lab->answer_timeout_us == 5000000 &&
                lab->give_up_after == 3);
    const struct route *adt = &routes->routes[0];
    assert_true(adt->source_count == 2 && adt->type_count == 2 && adt->local_system_count == 2 &&
                adt->codes_count == 2 && adt->to_count == 2);
    assert_str(adt->person_authority, "IDEM");
    assert_str(adt->person_type, "XX");
    assert_true(adt->to[0] == 1 && adt->to[1] == 0);
    assert_int_equal(adt->codes[0].target_count, 2);
    assert_true(adt->codes[0].path.segment == HL7_EACH && adt->codes[0].path.repetition == HL7_EACH);
    assert_int_equal(routes->routes[1].to_count, 0);
    routes_unref(routes_ref(routes));
    routes_unref(routes);
    support_fini(&s);
}

static void test_empty_text__is_no_routes(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct routes *routes;
    assert_ok(&s, routes_parse(&s.cx, STR_NONE, 0, &routes));
    assert_true(routes->destination_count == 0 && routes->route_count == 0);
    routes_unref(routes);
    routes_unref(NULL);
    support_fini(&s);
}

static void test_refusals__name_the_place_and_suggest(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason, *line, *says;
    } cases[] = {
        {"destinatons: []\n", "yaml.unknown-key", "line 1", "destinations"},
        {"destinations:\n  - nam: x\n", "yaml.unknown-key", "line 2", "name"},
        {"destinations:\n  - file: { folder: /tmp }\n", "yaml.missing-key", "line 2", "name"},
        {"destinations:\n  - name: \"a b\"\n    file: { folder: /tmp }\n", "yaml.bad-value", "line 2", "letters"},
        {"destinations:\n  - name: a/../b\n    file: { folder: /tmp }\n", "yaml.bad-value", "line 2", "letters"},
        {"destinations:\n  - name: x\n", "yaml.missing-key", "line 2", "exactly one"},
        {"destinations:\n  - name: x\n    file: { folder: /t }\n    mllp: { connect: \"h:1\" }\n", "yaml.missing-key",
         "line 2", "exactly one"},
        {"destinations:\n  - name: x\n    file: { folder: tmp }\n", "yaml.bad-value", "line 3", "absolute"},
        {"destinations:\n  - name: x\n    file: {}\n", "yaml.missing-key", "line 3", "folder"},
        {"destinations:\n  - name: x\n    mllp: { connect: nowhere }\n", "yaml.bad-value", "line 3", ""},
        {"destinations:\n  - name: x\n    mllp: { conect: \"h:1\" }\n", "yaml.unknown-key", "line 3", "connect"},
        {"destinations:\n  - name: x\n    mllp: { connect: \"h:1\", tls: maybe }\n", "yaml.bad-value", "line 3", ""},
        {DESTINATION "    retry: { first: 0s }\n", "yaml.bad-value", "line 4", ""},
        {DESTINATION "    retry: { give_up_after: -1 }\n", "yaml.bad-value", "line 4", ""},
        {DESTINATION "    answer_timeout: 2h\n", "yaml.bad-value", "line 4", ""},
        {DESTINATION "  - name: archive\n    file: { folder: /tmp }\n", "yaml.bad-value", "line 4", "twice"},
        {DESTINATION "routes:\n  - name: r\n", "yaml.missing-key", "line 5", "to"},
        {DESTINATION "routes:\n  - name: r\n    to: [archiv]\n", "yaml.bad-value", "line 6", "did you mean `archive`"},
        {DESTINATION "routes:\n  - name: r\n    to: archive\n", "yaml.wrong-kind", "line 6", ""},
        {DESTINATION "routes:\n  - name: r\n    to: []\n  - name: r\n    to: []\n", "yaml.bad-value", "line 7",
         "twice"},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    when: { sources: [a] }\n", "yaml.unknown-key", "line 7",
         "source"},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    person_id: { type: PI }\n", "yaml.missing-key", "line 7",
         "authority"},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    person_id: { authority: \"\" }\n", "yaml.bad-value",
         "line 7", "empty"},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    local_system: [a]\n", "yaml.wrong-kind", "line 7", ""},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    codes: [ { path: \"OBX-3.1\", to: [LN] } ]\n",
         "yaml.bad-value", "line 7", "whole coded field"},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    codes: [ { path: OBX, to: [LN] } ]\n", "yaml.bad-value",
         "line 7", "whole coded field"},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    codes: [ { path: \"OBX-x\", to: [LN] } ]\n",
         "yaml.bad-value", "line 7", ""},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    codes: [ { path: \"OBX-3\", to: [] } ]\n", "yaml.bad-value",
         "line 7", "at least one"},
        {DESTINATION "routes:\n  - name: r\n    to: []\n    codes: [ { path: \"OBX-3\" } ]\n", "yaml.missing-key",
         "line 7", "to"},
        {DESTINATION
         "routes:\n  - name: r\n    to: []\n    codes:\n      - { path: \"OBX-3\", to: [1,2,3,4,5,6,7,8,9] }\n",
         NULL, "line 8", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        struct routes *routes = NULL;
        if (routes_parse(&s.cx, str_from(cases[i].text), 1, &routes) == STATUS_OK)
            fail_msg("case %zu was taken", i);
        assert_null(routes);
        struct str message = ctx_message(&s.cx);
        if (cases[i].reason && strcmp(s.cx.reason->name, cases[i].reason) != 0)
            fail_msg("case %zu: %s, %.*s", i, s.cx.reason->name, STR_ARGS(message));
        if (!strstr(message.data, cases[i].line) || !strstr(message.data, cases[i].says))
            fail_msg("case %zu: want \"%s\" and \"%s\" in: %.*s", i, cases[i].line, cases[i].says, STR_ARGS(message));
        support_fini(&s);
    }
}

static void test_takes__by_source_and_type_with_or_without_trigger(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct routes *routes;
    assert_ok(&s, routes_parse(&s.cx,
                               STR(DESTINATION "routes:\n"
                                               "  - name: any\n    to: []\n"
                                               "  - name: some\n    to: []\n"
                                               "    when: { source: [north], type: [ADT, \"ORU^R01\"] }\n"),
                               1, &routes));
    static const struct {
        struct str source, type, trigger;
        bool want;
    } cases[] = {
        {STR_INIT("north"), STR_INIT("ADT"), STR_INIT("A01"), true},
        {STR_INIT("north"), STR_INIT("ADT"), STR_INIT(""), true},
        {STR_INIT("south"), STR_INIT("ADT"), STR_INIT("A01"), false},
        {STR_INIT("north"), STR_INIT("ORU"), STR_INIT("R01"), true},
        {STR_INIT("north"), STR_INIT("ORU"), STR_INIT("R03"), false},
        {STR_INIT("north"), STR_INIT("ORU"), STR_INIT(""), false},
        {STR_INIT("North"), STR_INIT("ADT"), STR_INIT("A01"), false}, /* names are exact */
        {STR_INIT(""), STR_INIT(""), STR_INIT(""), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(route_takes(&routes->routes[0], cases[i].source, cases[i].type, cases[i].trigger));
        assert_int_equal(route_takes(&routes->routes[1], cases[i].source, cases[i].type, cases[i].trigger),
                         cases[i].want);
    }
    routes_unref(routes);
    support_fini(&s);
}

static void test_sources__say_how_their_messages_are_read(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct routes *routes;
    assert_ok(&s, routes_parse(&s.cx,
                               STR("sources:\n"
                                   "  - { name: old-lab, line_ends: cr, charset: \"8859/1\" }\n"
                                   "  - { name: lenient, line_ends: any }\n"),
                               1, &routes));
    assert_true(routes_input(routes, STR("old-lab")).strict_line_ends);
    assert_int_equal(routes_input(routes, STR("old-lab")).charset_default, CHARSET_8859_1);
    assert_false(routes_input(routes, STR("lenient")).strict_line_ends);
    assert_int_equal(routes_input(routes, STR("anybody")).charset_default, CHARSET_NONE);
    routes_unref(routes);
    static const char *const refused[] = {
        "sources: [ { name: a, charset: \"UNICODE UTF-16\" } ]\n", "sources: [ { name: a, charset: latin1 } ]\n",
        "sources: [ { name: a, line_ends: lf } ]\n", "sources: [ { name: a }, { name: a } ]\n"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_fails(&s, routes_parse(&s.cx, str_from(refused[i]), 1, &routes), "yaml.bad-value");
    support_fini(&s);
}

enum bound { BOUND_ROUTES, BOUND_DESTINATIONS, BOUND_TO, BOUND_SOURCES, BOUND_TARGETS, BOUND_NAME, BOUND_COUNT };

static void put_list(struct buf *out, const char *prefix, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s%zu", i ? ", " : "", prefix, i);
    buf_put_str(out, STR("]"));
}

static void put_routes_of(struct buf *out, enum bound bound, size_t size)
{
    size_t destinations = bound == BOUND_DESTINATIONS ? size : LIMIT_DESTINATIONS;
    size_t routes = bound == BOUND_ROUTES ? size : 1;
    buf_put_str(out, STR("destinations:\n"));
    for (size_t i = 0; i < destinations; i++)
        buf_printf(out, "  - { name: d%zu, file: { folder: /tmp/out } }\n", i);
    buf_put_str(out, STR("routes:\n"));
    for (size_t i = 0; i < routes; i++) {
        buf_put_str(out, STR("  - { name: r"));
        for (size_t k = 1; bound == BOUND_NAME && k < size; k++)
            buf_put_byte(out, 'x');
        if (bound != BOUND_NAME)
            buf_printf(out, "%zu", i);
        buf_put_str(out, STR(", when: { source: ["));
        put_list(out, "s", bound == BOUND_SOURCES ? size : 1);
        buf_put_str(out, STR(" }, codes: [ { path: DG1-3, to: ["));
        put_list(out, "http://s/", bound == BOUND_TARGETS ? size : 1);
        buf_put_str(out, STR(" } ], to: ["));
        put_list(out, "d", bound == BOUND_TO ? size : 1);
        buf_put_str(out, STR(" }\n"));
    }
}

static void test_bounds__are_taken_and_one_more_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t most;
        const char *reason;
    } bounds[BOUND_COUNT] = {[BOUND_ROUTES] = {LIMIT_ROUTES, "yaml.too-large"},
                             [BOUND_DESTINATIONS] = {LIMIT_DESTINATIONS, "yaml.too-large"},
                             [BOUND_TO] = {LIMIT_DESTINATIONS, "yaml.too-large"},
                             [BOUND_SOURCES] = {1000, "yaml.too-large"},
                             [BOUND_TARGETS] = {ROUTE_TARGETS_MAX, "yaml.too-large"},
                             [BOUND_NAME] = {64, "yaml.bad-value"}};
    for (enum bound bound = 0; bound < BOUND_COUNT; bound++) {
        for (size_t more = 0; more < 2; more++) {
            struct support s;
            support_init(&s);
            SCOPED(buf_fini) struct buf text = {0};
            struct routes *routes;
            put_routes_of(&text, bound, bounds[bound].most + more);
            if (more) {
                assert_fails(&s, routes_parse(&s.cx, buf_str(&text), 1, &routes), bounds[bound].reason);
            } else {
                assert_ok(&s, routes_parse(&s.cx, buf_str(&text), 1, &routes));
                routes_unref(routes);
            }
            support_fini(&s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key__is_read),
        cmocka_unit_test(test_empty_text__is_no_routes),
        cmocka_unit_test(test_refusals__name_the_place_and_suggest),
        cmocka_unit_test(test_bounds__are_taken_and_one_more_is_refused),
        cmocka_unit_test(test_takes__by_source_and_type_with_or_without_trigger),
        cmocka_unit_test(test_sources__say_how_their_messages_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
