/* A rehearsal tells what would happen, and nothing happens. */
#include "world.h"

static void digest(struct world *w, uint8_t out[32])
{
    assert_ok(&w->s, data_digest(engine_store(w->engine), &w->s.cx, out));
}

static void test_rehearsal__tells_the_same_as_applying_and_changes_nothing(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    world_routes(
        &w, arena_printf(&w.s.arena,
                         "destinations:\n  - { name: a, file: { folder: %s/a } }\n"
                         "  - { name: b, file: { folder: %s/b } }\n"
                         "routes:\n  - { name: ids, when: { type: [ADT] }, to: [a], person_id: { authority: IDEM } }\n"
                         "  - { name: rest, to: [a, b], codes: [ { path: \"OBX(*)-3\", to: [LN] } ] }\n",
                         w.folder, w.folder));
    struct world_heard known = world_submit(&w, "north", world_adt(&w, "A04", "C1", "100", "Doe", ""));
    world_settled(&w, 2, 0);
    uint64_t journal = journal_last_seq(engine_journal(w.engine));
    uint8_t before[32], after[32];
    digest(&w, before);

    struct engine_rehearsal got;
    assert_ok(&w.s, engine_rehearse(w.engine, &w.s.cx, STR_NONE, STR("north"),
                                    world_adt(&w, "A08", "C2", "100", "Doe", "OBX|1|NM|X^^L\r"), &got));
    assert_int_equal(got.person, known.person);
    assert_string_equal(got.verdict, "known");
    assert_int_equal(got.output_count, 2);
    assert_str(got.outputs[0].destination, "a");
    assert_str(got.outputs[0].route, "ids");
    assert_non_null(strstr(arena_str(&w.s.arena, got.outputs[0].message).data, "^^^IDEM^PI"));
    assert_str(got.outputs[1].destination, "b");
    assert_str(got.outputs[1].message, world_adt(&w, "A08", "C2", "100", "Doe", "OBX|1|NM|X^^L\r").data);
    assert_int_equal(got.code_count, 1);
    assert_true(got.step_count >= 4);

    static const char *const others[] = {"A04", "A29", "A40", "A24", "A37", "A20"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_ok(&w.s, engine_rehearse(w.engine, &w.s.cx, STR_NONE, STR("north"),
                                        world_adt(&w, others[i], "C3", "200", "Roe", "MRG|100^^^NORTH^MR\r"), &got));
    assert_ok(&w.s, engine_rehearse(w.engine, &w.s.cx,
                                    STR("destinations:\n  - { name: x, file: { folder: /tmp/never } }\n"
                                        "routes:\n  - { name: only, to: [x] }\n"),
                                    STR("south"), world_adt(&w, "A04", "C4", "300", "Poe", ""), &got));
    assert_int_equal(got.output_count, 1);
    assert_str(got.outputs[0].destination, "x");
    assert_fails(&w.s,
                 engine_rehearse(w.engine, &w.s.cx, STR("routs: []\n"), STR("south"),
                                 world_adt(&w, "A04", "C4", "300", "Poe", ""), &got),
                 "yaml.unknown-key");
    assert_fails(&w.s, engine_rehearse(w.engine, &w.s.cx, STR_NONE, STR("south"), STR("no message"), &got),
                 "hl7.no-msh");
    assert_fails(&w.s,
                 engine_rehearse(w.engine, &w.s.cx, STR_NONE, STR("south"),
                                 STR("MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5.1\r"), &got),
                 "engine.patient-missing");
    assert_ok(&w.s, engine_rehearse(w.engine, &w.s.cx, STR_NONE, STR("north"),
                                    STR("MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.5.1\rMSA|AA|1\r"), &got));
    assert_int_equal(got.output_count, 0); /* as when applied: answers go nowhere */

    digest(&w, after);
    assert_memory_equal(before, after, 32);
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), journal);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 1);
    world_end(&w);
}

/* A child that carries its mother's insurance number is not the mother: neither applied nor rehearsed. */
static void test_rehearsal__takes_a_number_that_is_only_mentioned_for_nobody(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: out, file: { folder: %s/out } }\n"
                                  "routes:\n  - { name: all, to: [out] }\n",
                                  w.folder));
    struct str mother = STR("MSH|^~\\&|A|B|C|D|2026||ADT^A04|M1|P|2.5.1\r"
                            "PID|1||100^^^NORTH^MR~INS7^^^INS^XX||Okafor^Ada||19600102|F\r");
    struct str child = STR("MSH|^~\\&|A|B|C|D|2026||ADT^A04|M2|P|2.5.1\r"
                           "PID|1||INS7^^^INS^XX||Okafor^Chidi||20250607|M\r");
    struct world_heard heard = world_submit(&w, "north", mother);
    assert_string_equal(heard.code, "AA");
    struct engine_rehearsal got;
    assert_ok(&w.s, engine_rehearse(w.engine, &w.s.cx, STR_NONE, STR("north"), child, &got));
    assert_string_equal(got.verdict, "new");
    assert_true(got.person != heard.person);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rehearsal__tells_the_same_as_applying_and_changes_nothing),
        cmocka_unit_test(test_rehearsal__takes_a_number_that_is_only_mentioned_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
