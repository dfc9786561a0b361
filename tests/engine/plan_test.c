/* The plan of one message: which places are looked at, what is added where, and what is left out. */
#include "plan.h"

#include "base/limits.h"
#include "loaders/codes.h"
#include "world.h"

struct planned {
    struct routes *routes;
    struct codes_snapshot *codes;
    struct hl7_index index;
    struct hl7_header header;
    struct plan plan;
};

static struct world w;

static int begin_world(void **state)
{
    (void)state;
    world_begin(&w);
    const char *path = arena_printf(&w.s.arena, "%s/map.csv", w.dir).data;
    assert_ok(&w.s,
              file_replace(
                  &w.s.cx, path,
                  STR("source_system,source_code,source_display,target_system,target_code,target_display,equivalence\n"
                      "local,GLU,Glucose,LN,2345-7,Glucose Bld,equivalent\n"
                      "local,GLU,Glucose,SCT,33747003,Glucose measurement,equivalent\n"
                      "local,UML,Umlaut,LN,1-8,Gr\xc3\xbc\xc3\x9f"
                      "e,equivalent\n"
                      "local,ODD,Odd,LN,2-6,A^B|C&D,equivalent\n"),
                  0600));
    struct loader_options options = {
        .path = path, .pack_dir = engine_packs_dir(w.engine), .system = STR("map:local"), .version = STR("1")};
    struct loader_result result;
    uint64_t release, seq;
    assert_ok(&w.s, loaders_load_codes(&w.s.cx, &options, &result));
    assert_ok(&w.s, engine_register_codes(w.engine, &w.s.cx, &result.registration, &release));
    assert_ok(&w.s, engine_activate_codes(w.engine, &w.s.cx, release, &seq));
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static void make(struct planned *p, struct str routes, struct str message, uint64_t person)
{
    *p = (struct planned){.codes = codes_snapshot_ref(engine_codes(w.engine))};
    struct str text = arena_printf(&w.s.arena,
                                   "destinations:\n"
                                   "  - { name: a, file: { folder: /tmp/a } }\n"
                                   "  - { name: b, file: { folder: /tmp/b } }\n"
                                   "routes:\n%.*s",
                                   STR_ARGS(routes));
    assert_ok(&w.s, routes_parse(&w.s.cx, text, 1, &p->routes));
    assert_ok(&w.s, hl7_index_build(&p->index, &w.s.cx, message, NULL));
    hl7_header_read(message, &p->header);
    struct plan_person patient = {1, person};
    struct plan_input input = {&p->index, &p->header, STR("lab"), p->routes, p->codes, &patient, person != 0};
    assert_ok(&w.s, plan_check(&w.s.cx, &input));
    assert_ok(&w.s, plan_make(&w.s.cx, &input, &p->plan));
}

static void drop(struct planned *p)
{
    routes_unref(p->routes);
    codes_snapshot_unref(p->codes);
    hl7_index_fini(&p->index);
}

static bool says(struct str text, const char *what)
{
    return strstr(arena_str(&w.s.arena, text).data, what) != NULL;
}

#define LN_ROUTE                                                                                                       \
    "  - name: r\n    to: [a]\n    local_system: { L: local, \"\": local }\n"                                          \
    "    codes: [ { path: \"OBX(*)-3\", to: [LN] } ]\n"
#define MSH25 "MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5.1\r"
#define MSH27 "MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.7\r"

static void test_translation__goes_where_there_is_room_and_overwrites_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *message, *want; /* want NULL: as received */
        const char *outcome;
    } cases[] = {
        {MSH25 "OBX|1|NM|GLU^Glucose^L\r", "|GLU^Glucose^L^2345-7^Glucose Bld^LN\r", "translated"},
        {MSH25 "OBX|1|NM|GLU\r", "|GLU^^^2345-7^Glucose Bld^LN\r", "translated"},
        {MSH25 "OBX|1|NM|GLU^^L~GLU^^L\r", "|GLU^^L^2345-7^Glucose Bld^LN~GLU^^L^2345-7^Glucose Bld^LN\r",
         "translated"},
        {MSH25 "OBX|1|NM|GLU^^L^X^Own^99X\r", NULL, "translated"}, /* its alternate is taken, 2.5 has one only */
        {MSH27 "OBX|1|NM|GLU^^L^X^Own^99X\r", "|GLU^^L^X^Own^99X^^^^2345-7^Glucose Bld^LN\r", "translated"},
        {MSH27 "OBX|1|NM|GLU^^L^X^^99X^^^^Y\r", NULL, "translated"}, /* both are taken */
        {MSH25 "OBX|1|NM|GLU^^L^2345-7^^LN\r", NULL, "translated"},  /* said by the sender already */
        {MSH25 "OBX|1|NM|NOPE^^L\r", NULL, "unmapped"},
        {MSH25 "OBX|1|NM|^^^GLU^Glucose^L\r", NULL, "translated"}, /* only the alternate is filled: no room behind it */
        {MSH27 "OBX|1|NM|^^^GLU^Glucose^L\r", "|^^^GLU^Glucose^L^^^^2345-7^Glucose Bld^LN\r", "translated"},
        {MSH25 "OBX|1|NM|\"\"\r", NULL, NULL},
        {MSH25 "OBX|1|NM|\r", NULL, NULL},
        {MSH25 "OBX|1|NM|^text only\r", NULL, NULL},
        {MSH25 "OBX|1|NM|ODD^^L\r", "|ODD^^L^2-6^A\\S\\B\\F\\C\\T\\D^LN\r", "translated"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct planned p;
        make(&p, STR(LN_ROUTE), str_from(cases[i].message), 0);
        assert_int_equal(p.plan.output_count, 1);
        struct str bytes = p.plan.outputs[0].bytes;
        if (cases[i].want == NULL && bytes.data != NULL)
            fail_msg("case %zu was changed: %.*s", i, STR_ARGS(bytes));
        if (cases[i].want && (bytes.data == NULL || !says(bytes, cases[i].want)))
            fail_msg("case %zu: want %s in %.*s", i, cases[i].want, STR_ARGS(bytes));
        if (cases[i].outcome == NULL)
            assert_int_equal(p.plan.code_count, 0);
        else if (p.plan.code_count == 0 || !str_is(p.plan.codes[0].outcome, cases[i].outcome))
            fail_msg("case %zu: %zu codes", i, p.plan.code_count);
        drop(&p);
    }
}

/* [HL7 2.5.1] the coded fields hospitals ask for first: each finds its translation in the alternate components. */
static void test_every_usual_coded_field__gets_its_alternate(void **state)
{
    (void)state;
    static const struct {
        const char *path, *segment, *want;
    } cases[] = {
        {"OBX(*)-3", "OBX|1|NM|GLU^Glucose^L||5", "OBX|1|NM|GLU^Glucose^L^2345-7^Glucose Bld^LN||5"},
        {"OBX(*)-5", "OBX|1|CWE|X||GLU^Glucose^L", "OBX|1|CWE|X||GLU^Glucose^L^2345-7^Glucose Bld^LN"},
        {"OBR(*)-4", "OBR|1|||GLU^Glucose^L", "OBR|1|||GLU^Glucose^L^2345-7^Glucose Bld^LN"},
        {"DG1(*)-3", "DG1|1||GLU^Glucose^L|x", "DG1|1||GLU^Glucose^L^2345-7^Glucose Bld^LN|x"},
        {"PR1(*)-3", "PR1|1||GLU^Glucose^L", "PR1|1||GLU^Glucose^L^2345-7^Glucose Bld^LN"},
        {"AL1(*)-3", "AL1|1||GLU^Glucose^L~UNKNOWN^X^L", "AL1|1||GLU^Glucose^L^2345-7^Glucose Bld^LN~UNKNOWN^X^L"},
        {"RXA(*)-5", "RXA|0|1|20260101||GLU^Glucose^L", "RXA|0|1|20260101||GLU^Glucose^L^2345-7^Glucose Bld^LN"},
        {"RXE(*)-2", "RXE||GLU^Glucose^L|1", "RXE||GLU^Glucose^L^2345-7^Glucose Bld^LN|1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct planned p;
        struct str route = arena_printf(&w.s.arena,
                                        "  - name: r\n    to: [a]\n    local_system: { L: local }\n"
                                        "    codes: [ { path: \"%s\", to: [LN] } ]\n",
                                        cases[i].path);
        make(&p, route, arena_printf(&w.s.arena, "%s%s\r", MSH25, cases[i].segment), 0);
        struct str want = arena_printf(&w.s.arena, "%s%s\r", MSH25, cases[i].want);
        assert_str(p.plan.outputs[0].bytes, want.data);
        drop(&p);
    }
}

static void test_two_rules_for_one_place__use_two_places_and_say_nothing_twice(void **state)
{
    (void)state;
    static const char rules[] = "  - name: r\n    to: [a]\n    local_system: { L: local }\n    codes:\n"
                                "      - { path: \"OBX(*)-3\", to: [LN] }\n"
                                "      - { path: \"OBX-3\", to: [LN] }\n"
                                "      - { path: \"OBX(*)-3\", to: [SCT] }\n";
    struct planned p;
    make(&p, str_from(rules), STR(MSH27 "OBX|1|NM|GLU^^L\r"), 0);
    assert_true(says(p.plan.outputs[0].bytes, "|GLU^^L^2345-7^Glucose Bld^LN^^^^33747003^Glucose measurement^SCT\r"));
    drop(&p);
    make(&p, str_from(rules), STR(MSH25 "OBX|1|NM|GLU^^L\r"), 0); /* room for the first only: never a mixture */
    assert_true(says(p.plan.outputs[0].bytes, "|GLU^^L^2345-7^Glucose Bld^LN\r"));
    drop(&p);
}

static void test_obx_5__is_coded_only_when_obx_2_says_so(void **state)
{
    (void)state;
    struct planned p;
    make(&p,
         STR("  - name: r\n    to: [a]\n    local_system: { L: local }\n"
             "    codes: [ { path: \"OBX(*)-5\", to: [LN] } ]\n"),
         STR(MSH25 "OBX|1|CWE|X||GLU^^L\rOBX|2|ST|X||GLU^^L\rOBX|3|CE|X||GLU^^L\rOBX|4||X||GLU^^L\r"), 0);
    assert_int_equal(p.plan.code_count, 2);
    assert_str(p.plan.codes[0].path, "OBX-5(1)");
    assert_str(p.plan.codes[1].path, "OBX(3)-5(1)");
    assert_true(says(p.plan.outputs[0].bytes, "OBX|2|ST|X||GLU^^L\r"));
    drop(&p);
}

static void test_destinations__get_a_message_once_by_the_first_route(void **state)
{
    (void)state;
    struct planned p;
    make(&p,
         STR("  - { name: one, to: [a] }\n"
             "  - { name: two, to: [a, b], person_id: { authority: IDEM } }\n"
             "  - { name: other, to: [b], when: { source: [elsewhere] } }\n"),
         STR(MSH25 "PID|1||7^^^N^MR\r"), 5);
    assert_int_equal(p.plan.output_count, 2);
    assert_int_equal(p.plan.outputs[0].to_count, 1);
    assert_null(p.plan.outputs[0].bytes.data);
    assert_int_equal(p.plan.outputs[1].to_count, 1);
    assert_int_equal(p.plan.outputs[1].to[0], 1);
    assert_true(says(p.plan.outputs[1].bytes, "|7^^^N^MR~5^^^IDEM^PI\r"));
    drop(&p);
}

#define ID_ROUTE "  - { name: r, to: [a], person_id: { authority: IDEM } }\n"

static void test_person_number__is_added_replaced_or_left_out_and_said(void **state)
{
    (void)state;
    static const struct {
        const char *routes, *message, *want, *why;
        uint64_t person;
    } cases[] = {
        {ID_ROUTE, MSH25 "PID|1||7^^^N^MR\r", "|7^^^N^MR~5^^^IDEM^PI\r", "identity.person", 5},
        {ID_ROUTE, MSH25 "PID|1||7^^^N^MR~4^^^IDEM^PI~8\r", "|7^^^N^MR~5^^^IDEM^PI~8\r", "identity.person", 5},
        {ID_ROUTE, MSH25 "PID|1||7^^^N^MR~5^^^IDEM^PI\r", NULL, NULL, 5}, /* there already: nothing changes */
        {ID_ROUTE, MSH25 "PID|1|7\r", "PID|1|7|5^^^IDEM^PI\r", "identity.person", 5},
        {ID_ROUTE, MSH25 "PID|1||7^^^N^MR\r", NULL, NULL, 0},
        {ID_ROUTE, MSH25 "NTE|1\r", NULL, NULL, 5},
        {ID_ROUTE, "MSH|^|A|B|C|D|20260101||ORU^R01|1|P|2.5.1\rPID|1||7^^^N^MR\r", NULL, "identity.not-added", 5},
        {"  - { name: r, to: [a], person_id: { authority: \"A^B\" } }\n", MSH25 "PID|1||7\r", "|7~5^^^A\\S\\B^PI\r",
         "identity.person", 5}, /* never a delimiter that was not meant as one */
        {"  - { name: r, to: [a], person_id: { authority: \"\xc3\x84\" } }\n",
         "MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5.1||||||ASCII\rPID|1||7\r", NULL, "identity.not-added", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct planned p;
        make(&p, str_from(cases[i].routes), str_from(cases[i].message), cases[i].person);
        const struct plan_output *output = &p.plan.outputs[0];
        if (cases[i].want ? !says(output->bytes, cases[i].want) : output->bytes.data != NULL)
            fail_msg("case %zu: %.*s", i, STR_ARGS(output->bytes));
        assert_int_equal(output->change_count, cases[i].why ? 1 : 0);
        if (cases[i].why)
            assert_string_equal(output->changes[0].why, cases[i].why);
        drop(&p);
    }
}

static void test_what_the_message_cannot_carry__is_left_out_and_said(void **state)
{
    (void)state;
    struct planned p;
    make(&p, STR(LN_ROUTE), STR("MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5.1||||||ASCII\rOBX|1|NM|UML^^L\r"), 0);
    const struct plan_output *output = &p.plan.outputs[0];
    assert_true(says(output->bytes, "|UML^^L^1-8^^LN\r")); /* the code, without a display that ASCII lacks */
    assert_int_equal(output->change_count, 3);
    assert_string_equal(output->changes[2].why, "codes.not-added");
    assert_str(output->changes[2].path, "OBX-3(1).5");
    drop(&p);
    make(&p, STR(LN_ROUTE), STR("MSH|^~\\&|A|B|C|D|20260101||ORU^R01|1|P|2.5.1||||||8859/1\rOBX|1|NM|UML^^L\r"), 0);
    assert_true(says(p.plan.outputs[0].bytes, "^1-8^Gr\xfc\xdf"
                                              "e^LN\r"));
    drop(&p);
}

static void test_acknowledgements__go_nowhere(void **state)
{
    (void)state;
    struct planned p;
    make(&p, STR("  - { name: r, to: [a] }\n"), STR("MSH|^~\\&|A|B|C|D|20260101||ACK|1|P|2.5.1\rMSA|AA|1\r"), 0);
    assert_int_equal(p.plan.output_count, 0);
    drop(&p);
}

/* What this thread has worked, whatever else the machine does. */
static int64_t worked_us(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return spent.tv_sec * 1000000 + spent.tv_nsec / 1000;
}

static void test_very_many_codes__are_looked_at_up_to_the_limit_in_linear_time(void **state)
{
    (void)state;
    struct buf message = {0};
    buf_put_str(&message, STR(MSH25));
    for (int i = 0; i < LIMIT_CODES_PER_MESSAGE - 1; i++) /* with MSH as many as segments are allowed */
        buf_put_str(&message, STR("OBX|1|NM|GLU^^L\r"));
    struct planned p;
    int64_t began = worked_us();
    make(&p, STR(LN_ROUTE), buf_str(&message), 0);
    int64_t took = worked_us() - began;
    assert_true(took < 20 * 1000000);
    assert_int_equal(p.plan.code_count, LIMIT_CODES_PER_MESSAGE - 1);
    const struct plan_output *output = &p.plan.outputs[0];
    assert_true(output->bytes.len > message.len + 20ull * (LIMIT_CODES_PER_MESSAGE - 1));
    assert_true(says(str_from_at(output->bytes, output->bytes.len - 40), "GLU^^L^2345-7^Glucose Bld^LN\r"));
    drop(&p);
    buf_fini(&message);
}

/* Routes and a message for plan_check(). */
struct sized {
    struct routes *routes;
    struct hl7_index index;
    struct hl7_header header;
    struct buf text, message;
};

static struct plan_input sized_input(struct sized *z)
{
    assert_ok(&w.s, routes_parse(&w.s.cx, buf_str(&z->text), 1, &z->routes));
    assert_ok(&w.s, hl7_index_build(&z->index, &w.s.cx, buf_str(&z->message), NULL));
    hl7_header_read(buf_str(&z->message), &z->header);
    return (struct plan_input){.index = &z->index, .header = &z->header, .source = STR("lab"), .routes = z->routes};
}

static void sized_end(struct sized *z)
{
    hl7_index_fini(&z->index);
    routes_unref(z->routes);
    buf_fini(&z->text);
    buf_fini(&z->message);
}

static void put_destinations(struct buf *text, int count)
{
    buf_put_str(text, STR("destinations:\n"));
    for (int i = 0; i < count; i++)
        buf_printf(text, "  - { name: d%d, file: { folder: /tmp/a } }\n", i);
    buf_put_str(text, STR("routes:\n"));
}

static void test_bytes_to_make__are_counted_for_each_kind_of_change_and_refused_beyond_the_limit(void **state)
{
    (void)state;
    enum { MOST = LIMIT_MADE_BYTES / LIMIT_MESSAGE_BYTES }; /* copies of the largest message */
    static const struct {
        int routes, authorities; /* routes with the same authority change alike */
        bool fits;
    } cases[] = {
        {60, 1, true}, {60, MOST, true}, {60, MOST + 1, false}, {MOST, MOST, true}, {MOST + 1, MOST + 1, false},
        {256, 1, true}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct sized z = {0};
        put_destinations(&z.text, cases[c].routes);
        for (int i = 0; i < cases[c].routes; i++)
            buf_printf(&z.text, "  - { name: r%d, to: [d%d], person_id: { authority: IDEM%d } }\n", i, i,
                       i % cases[c].authorities);
        buf_put_str(&z.message, STR(MSH25 "OBX|1|TX|X||"));
        buf_reserve(&z.message, LIMIT_MESSAGE_BYTES);
        size_t fill = LIMIT_MESSAGE_BYTES - z.message.len;
        memset(z.message.data + z.message.len, 'x', fill);
        z.message.len += fill;
        struct plan_input input = sized_input(&z);
        if (cases[c].fits)
            assert_ok(&w.s, plan_check(&w.s.cx, &input));
        else
            assert_fails(&w.s, plan_check(&w.s.cx, &input), "engine.too-large");
        sized_end(&z);
    }
}

static void test_coded_elements__are_counted_for_each_kind_of_change_and_refused_beyond_the_limit(void **state)
{
    (void)state;
    enum { RULES = 5 };
    for (int more = 0; more <= 1; more++) {
        struct sized z = {0};
        put_destinations(&z.text, RULES);
        for (int i = 0; i < RULES; i++)
            buf_printf(
                &z.text,
                "  - { name: r%d, to: [d%d], local_system: { L: l%d }, codes: [ { path: OBX(*)-3, to: [LN] } ] }\n", i,
                i, i);
        buf_put_str(&z.message, STR(MSH25));
        for (int i = 0; i < LIMIT_CODES_PER_MESSAGE / RULES + more; i++)
            buf_put_str(&z.message, STR("OBX|1|NM|GLU^^L\r"));
        struct plan_input input = sized_input(&z);
        if (more == 0)
            assert_ok(&w.s, plan_check(&w.s.cx, &input));
        else
            assert_fails(&w.s, plan_check(&w.s.cx, &input), "engine.too-large");
        sized_end(&z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translation__goes_where_there_is_room_and_overwrites_nothing),
        cmocka_unit_test(test_every_usual_coded_field__gets_its_alternate),
        cmocka_unit_test(test_two_rules_for_one_place__use_two_places_and_say_nothing_twice),
        cmocka_unit_test(test_obx_5__is_coded_only_when_obx_2_says_so),
        cmocka_unit_test(test_destinations__get_a_message_once_by_the_first_route),
        cmocka_unit_test(test_person_number__is_added_replaced_or_left_out_and_said),
        cmocka_unit_test(test_what_the_message_cannot_carry__is_left_out_and_said),
        cmocka_unit_test(test_acknowledgements__go_nowhere),
        cmocka_unit_test(test_very_many_codes__are_looked_at_up_to_the_limit_in_linear_time),
        cmocka_unit_test(test_bytes_to_make__are_counted_for_each_kind_of_change_and_refused_beyond_the_limit),
        cmocka_unit_test(test_coded_elements__are_counted_for_each_kind_of_change_and_refused_beyond_the_limit),
    };
    return cmocka_run_group_tests(tests, begin_world, end_world);
}
