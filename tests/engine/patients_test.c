/* One message, several patients: each is identified, each PID gets its own person's number, and what is wrong with one
 * of them is said of that one. */
#include "base/limits.h"
#include "base/mem.h"
#include "world.h"

static void use_routes(struct world *w)
{
    world_routes(w, STR("destinations:\n"
                        "  - { name: away, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n"
                        "routes:\n"
                        "  - { name: all, person_id: { authority: IDEM }, to: [away] }\n"));
}

static void put_header(struct buf *out, const char *event, const char *control_id)
{
    buf_printf(out, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||%s|%s|P|2.5.1\r", event, control_id);
}

static void put_pid(struct buf *out, const char *id, unsigned n)
{
    buf_printf(out, "PID|1||%s%u^^^NORTH^MR||Doe%uq^Anna||19%02u%02u%02u|F\r", id, n, n, n % 90 + 10, n % 12 + 1,
               n % 28 + 1);
}

static struct world_heard send(struct world *w, struct buf *message)
{
    struct world_heard heard = world_submit(w, "north", buf_str(message));
    buf_fini(message);
    return heard;
}

static struct world_heard register_many(struct world *w, const char *control_id, const char *id, unsigned count)
{
    struct buf message = {0};
    put_header(&message, "ORU^R01", control_id);
    for (unsigned i = 0; i < count; i++)
        put_pid(&message, id, i);
    return send(w, &message);
}

static uint64_t person_of(struct world *w, const char *id)
{
    uint64_t person, record;
    struct mpi_identifier key = {STR("NORTH"), str_from(id), STR("MR")};
    assert_ok(&w->s, mpi_find(engine_mpi(w->engine), &w->s.cx, key, &person, &record));
    return person;
}

static const struct engine_change *change_at(const struct engine_trace *trace, const char *path)
{
    for (size_t i = 0; i < trace->change_count; i++)
        if (str_is(trace->changes[i].path, path))
            return &trace->changes[i];
    fail_msg("nothing was changed at %s", path);
    return NULL;
}

static void check_number(struct world *w, const struct engine_trace *trace, const char *path, uint64_t person)
{
    struct str want = arena_printf(&w->s.arena, "%llu^^^IDEM^PI", (unsigned long long)person);
    assert_str(change_at(trace, path)->after, want.data);
}

static bool has_step(const struct engine_trace *trace, const char *detail)
{
    for (size_t i = 0; i < trace->step_count; i++)
        if (str_is(trace->steps[i].step, "identified") && str_is(trace->steps[i].detail, detail))
            return true;
    return false;
}

static void test_two_patients__each_pid_gets_its_own_persons_number(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    use_routes(&w);
    assert_string_equal(register_many(&w, "C1", "A", 3).code[0], "AA");
    uint64_t first = person_of(&w, "A2"), second = person_of(&w, "A0");
    assert_int_not_equal(first, second);

    struct buf message = {0};
    put_header(&message, "ORU^R01", "C2");
    put_pid(&message, "A", 2);
    buf_put_str(&message, STR("OBR|1|||GLU\rOBX|1|NM|GLU||5\r"));
    put_pid(&message, "A", 0);
    buf_put_str(&message, STR("OBR|2|||GLU\rOBX|1|NM|GLU||7\r"));
    struct engine_rehearsal rehearsed;
    assert_ok(&w.s, engine_rehearse(w.engine, &w.s.cx, STR_NONE, STR("north"), buf_str(&message), &rehearsed));
    struct world_heard heard = send(&w, &message);
    assert_string_equal(heard.code[0], "AA");
    assert_int_equal(heard.person, first);

    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
    check_number(&w, &trace, "PID-3(2)", first);
    check_number(&w, &trace, "PID(2)-3(2)", second);
    assert_true(has_step(&trace, arena_printf(&w.s.arena, "known, person %llu", (unsigned long long)first).data));
    assert_true(
        has_step(&trace, arena_printf(&w.s.arena, "PID(2): known, person %llu", (unsigned long long)second).data));

    struct engine_message_line *lines;
    size_t count;
    uint64_t next;
    assert_ok(&w.s, engine_messages(w.engine, &w.s.cx, 0, 1, false, &lines, &count, &next));
    assert_int_equal(lines[0].person, first);
    assert_int_equal(lines[0].others, 1);

    /* the whole of it: what was rehearsed is the message with two repetitions more, each in its place */
    struct str want = arena_printf(&w.s.arena, "PID|1||A2^^^NORTH^MR~%llu^^^IDEM^PI|", (unsigned long long)first);
    const char *one = memmem(rehearsed.outputs[0].message.data, rehearsed.outputs[0].message.len, want.data, want.len);
    want = arena_printf(&w.s.arena, "PID|1||A0^^^NORTH^MR~%llu^^^IDEM^PI|", (unsigned long long)second);
    const char *two = memmem(rehearsed.outputs[0].message.data, rehearsed.outputs[0].message.len, want.data, want.len);
    assert_true(one && two && one < two);
    world_end(&w);
}

static void test_new_and_known_and_nameless__are_told_apart_by_their_place(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    use_routes(&w);
    register_many(&w, "C1", "A", 1);
    struct buf message = {0};
    put_header(&message, "ORU^R01", "C2");
    put_pid(&message, "B", 7);
    buf_put_str(&message, STR("PID|1||||Nobody^Known\r")); /* names nobody, and this event lets it */
    put_pid(&message, "A", 0);
    put_pid(&message, "B", 7); /* again: the same person */
    struct world_heard heard = send(&w, &message);
    assert_string_equal(heard.code[0], "AA");
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
    check_number(&w, &trace, "PID-3(2)", person_of(&w, "B7"));
    check_number(&w, &trace, "PID(3)-3(2)", person_of(&w, "A0"));
    check_number(&w, &trace, "PID(4)-3(2)", person_of(&w, "B7"));
    for (size_t i = 0; i < trace.change_count; i++)
        assert_false(str_starts(trace.changes[i].path, STR("PID(2)")));
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 2);
    world_end(&w);
}

static void test_one_bad_patient__refuses_the_message_and_names_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *event, *segments, *location, *detail;
    } cases[] = {
        {"ADT^A31", "PID|1||A0^^^NORTH^MR||Doe^Anna\rPID|1||||Doe^Berta\r", "|PID^2^3|", "PID(2)-3"},
        {"ADT^A40", "PID|1||A0^^^NORTH^MR||Doe^Anna\rMRG|A1^^^NORTH^MR\rPID|1||||Doe^Berta\rMRG|A2^^^NORTH^MR\r",
         "|PID^2^3|", "PID(2)-3"},
        {"ADT^A40", "PID|1||A0^^^NORTH^MR||Doe^Anna\rMRG|A1^^^NORTH^MR\rPID|1||A2^^^NORTH^MR\rMRG|\r", "|MRG^2^1|",
         "MRG(2)-1"},
        {"ADT^A24", "PID|1||A0^^^NORTH^MR||Doe^Anna\rPID|2||||Doe^Berta\r", "|PID^2^3|", "PID(2)-3"},
    };
    struct world w;
    world_begin(&w);
    use_routes(&w);
    register_many(&w, "C0", "A", 3);
    uint64_t persons = mpi_count(engine_mpi(w.engine)).persons;
    uint64_t owed = world_status(&w).deliveries_owed;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf message = {0};
        char control_id[32];
        snprintf(control_id, sizeof control_id, "C%zu", i + 1);
        put_header(&message, cases[i].event, control_id);
        buf_put_str(&message, str_from(cases[i].segments));
        struct world_heard heard = send(&w, &message);
        assert_string_equal(heard.code[0], "AE");
        assert_string_equal(heard.reason, "engine.patient-missing");
        if (strstr(heard.ack[0], cases[i].location) == NULL)
            fail_msg("%s is not in %s", cases[i].location, heard.ack[0]);
        assert_non_null(strstr(heard.ack[0], cases[i].detail));
    }
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, persons);
    assert_int_equal(world_status(&w).deliveries_owed, owed);
    world_end(&w);
}

static void test_merge_that_fails_in_its_second_group__names_its_place(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    register_many(&w, "C0", "A", 3);
    struct buf message = {0};
    put_header(&message, "ADT^A40", "C1");
    buf_put_str(&message, STR("PID|1||A0^^^NORTH^MR\rMRG|A1^^^NORTH^MR\rPID|1||A2^^^NORTH^MR\rMRG|A2^^^NORTH^MR\r"));
    struct world_heard heard = send(&w, &message);
    assert_string_equal(heard.reason, "mpi.merge-self");
    assert_non_null(strstr(heard.ack[0], "|MRG^2^1|"));
    world_end(&w);
}

static void test_patients_of_a_message__up_to_the_limit_and_not_one_more(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    use_routes(&w);
    struct world_heard heard = register_many(&w, "C1", "A", LIMIT_PATIENTS_PER_MESSAGE + 1);
    assert_string_equal(heard.reason, "engine.too-large");
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 0);
    heard = register_many(&w, "C2", "A", LIMIT_PATIENTS_PER_MESSAGE);
    assert_string_equal(heard.code[0], "AA");
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, LIMIT_PATIENTS_PER_MESSAGE);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
    assert_int_equal(trace.change_count, LIMIT_PATIENTS_PER_MESSAGE);
    char path[32], id[32];
    snprintf(path, sizeof path, "PID(%d)-3(2)", LIMIT_PATIENTS_PER_MESSAGE);
    snprintf(id, sizeof id, "A%d", LIMIT_PATIENTS_PER_MESSAGE - 1);
    check_number(&w, &trace, path, person_of(&w, id));
    world_end(&w);
}

/* Of the second of two patients; of a PID with two merge groups once. */
static void test_what_a_patient_says_beyond_the_limits__stands_in_the_trace(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"ORU^R01", ""}, {"ADT^A40", "MRG|B1^^^NORTH^MR\rMRG|B2^^^NORTH^MR\r"}};
    struct world w;
    world_begin(&w);
    for (size_t i = 0; i < 2; i++) {
        struct buf message = {0};
        char control_id[8];
        snprintf(control_id, sizeof control_id, "C%zu", i);
        put_header(&message, cases[i][0], control_id);
        put_pid(&message, "A", 0);
        buf_put_str(&message, STR("MRG|B0^^^NORTH^MR\rPID|1||A1^^^NORTH^MR||Doe^Anna||||||||"));
        for (int phone = 0; phone < LIMIT_NAMES_PER_RECORD + 3; phone++)
            buf_printf(&message, "%s555%d", phone ? "~" : "", phone);
        buf_printf(&message, "\r%s", cases[i][1]);
        struct world_heard heard = send(&w, &message);
        assert_string_equal(heard.code[0], "AA");
        struct engine_trace trace;
        assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
        assert_int_equal(trace.change_count, 1);
        assert_str(trace.changes[0].path, "PID(2)");
        assert_str(trace.changes[0].after, "3 phones or e-mail addresses");
        assert_string_equal(trace.changes[0].why, "identity.left-out");
    }
    world_end(&w);
}

static void test_birth_date__that_is_no_day_is_kept_and_the_trace_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *born, *after;
        struct date kept;
    } cases[] = {{"19800231", "birth date is no day of the calendar: kept as written", {1980, 2, 31}},
                 {"31.2.1980", "birth date, which cannot be read", {0, 0, 0}}};
    struct world w;
    world_begin(&w);
    for (size_t i = 0; i < 2; i++) {
        struct buf message = {0};
        char control_id[8];
        snprintf(control_id, sizeof control_id, "C%zu", i);
        put_header(&message, "ADT^A04", control_id);
        buf_printf(&message, "PID|1||%zu^^^NORTH^MR||Doe^Anna||%s|F\r", i, cases[i].born);
        struct world_heard heard = send(&w, &message);
        assert_string_equal(heard.code[0], "AA");
        struct engine_trace trace;
        assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
        assert_int_equal(trace.change_count, 1);
        assert_str(trace.changes[0].path, "PID");
        assert_str(trace.changes[0].after, cases[i].after);
        assert_string_equal(trace.changes[0].why, "identity.left-out");
        struct mpi_record_view record;
        assert_ok(&w.s, mpi_record(engine_mpi(w.engine), &w.s.cx, i + 1, &record));
        assert_memory_equal(&record.demographics.birth_date, &cases[i].kept, sizeof cases[i].kept);
    }
    world_end(&w);
}

static struct world_heard merge_many(struct world *w, const char *control_id, unsigned count)
{
    struct buf message = {0};
    put_header(&message, "ADT^A40", control_id);
    for (unsigned i = 0; i < count; i++) {
        put_pid(&message, "A", i);
        buf_printf(&message, "MRG|B%u^^^NORTH^MR\r", i);
    }
    return send(w, &message);
}

static void test_merges_of_a_message__up_to_the_limit_and_not_one_more(void **state)
{
    (void)state;
    enum { MOST = LIMIT_MERGES_PER_MESSAGE };
    struct world w;
    world_begin(&w);
    use_routes(&w);
    struct buf message = {0};
    put_header(&message, "ORU^R01", "C1");
    for (unsigned i = 0; i <= MOST; i++) { /* strangers: nothing but a number */
        buf_printf(&message, "PID|1||A%u^^^NORTH^MR\rPID|1||B%u^^^NORTH^MR\r", i, i);
    }
    assert_string_equal(send(&w, &message).code[0], "AA");
    uint64_t persons = mpi_count(engine_mpi(w.engine)).persons;
    assert_int_equal(persons, 2 * (MOST + 1));
    assert_string_equal(merge_many(&w, "C2", MOST + 1).reason, "engine.too-large");
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, persons);
    struct world_heard heard = merge_many(&w, "C3", MOST);
    assert_string_equal(heard.code[0], "AA");
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, persons - MOST);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
    assert_int_equal(person_of(&w, "A199"), person_of(&w, "B199"));
    check_number(&w, &trace, "PID(200)-3(2)", person_of(&w, "B199"));
    world_end(&w);
}

/* Each route writes its number into each PID: one change for each of both. */
static void test_changes__are_listed_up_to_the_limit_and_the_rest_is_counted(void **state)
{
    (void)state;
    enum { PATIENTS = LIMIT_PATIENTS_PER_MESSAGE, ROUTES = LIMIT_CHANGES_LISTED / PATIENTS };
    struct world w;
    world_begin(&w);
    for (unsigned routes = ROUTES; routes <= ROUTES + 1; routes++) {
        SCOPED(buf_fini) struct buf text = {0};
        char control_id[8];
        buf_put_str(&text, STR("destinations:\n"));
        for (unsigned i = 0; i < routes; i++)
            buf_printf(&text, "  - { name: d%u, mllp: { connect: \"127.0.0.1:1\" } }\n", i);
        buf_put_str(&text, STR("routes:\n"));
        for (unsigned i = 0; i < routes; i++)
            buf_printf(&text, "  - { name: r%u, person_id: { authority: R%u }, to: [d%u] }\n", i, i, i);
        world_routes(&w, buf_str(&text));
        snprintf(control_id, sizeof control_id, "C%u", routes);
        struct world_heard heard = register_many(&w, control_id, "A", PATIENTS);
        assert_string_equal(heard.code[0], "AA");
        struct engine_trace trace;
        assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
        assert_int_equal(trace.change_count, LIMIT_CHANGES_LISTED + (routes - ROUTES));
        if (routes > ROUTES) {
            const struct engine_change *last = &trace.changes[LIMIT_CHANGES_LISTED];
            assert_string_equal(last->why, "changes.not-listed");
            assert_str(last->after, "1000");
        }
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_patients__each_pid_gets_its_own_persons_number),
        cmocka_unit_test(test_new_and_known_and_nameless__are_told_apart_by_their_place),
        cmocka_unit_test(test_one_bad_patient__refuses_the_message_and_names_the_place),
        cmocka_unit_test(test_merge_that_fails_in_its_second_group__names_its_place),
        cmocka_unit_test(test_patients_of_a_message__up_to_the_limit_and_not_one_more),
        cmocka_unit_test(test_changes__are_listed_up_to_the_limit_and_the_rest_is_counted),
        cmocka_unit_test(test_birth_date__that_is_no_day_is_kept_and_the_trace_says_so),
        cmocka_unit_test(test_what_a_patient_says_beyond_the_limits__stands_in_the_trace),
        cmocka_unit_test(test_merges_of_a_message__up_to_the_limit_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
