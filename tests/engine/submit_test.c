/* Submitting: every acknowledgement mode against every outcome, many senders at once, refusals, closing. */
#include "base/limits.h"
#include "world.h"

static void routes(struct world *w)
{
    world_routes(w, arena_printf(&w->s.arena,
                                 "destinations:\n  - { name: archive, file: { folder: %s } }\n"
                                 "routes:\n  - { name: all, to: [archive] }\n",
                                 w->folder));
}

/* What must be answered: the accept acknowledgement, then the application's. [HL7 2.5.1 2.9.3], table 0155. */
static void test_enhanced_mode__every_wish_against_every_outcome(void **state)
{
    (void)state;
    static const char *const wishes[] = {"", "AL", "NE", "ER", "SU"};
    enum { GOOD, CONTENT_BAD, HEADER_BAD, OUTCOMES };
    static const char *const accept_code[OUTCOMES] = {"CA", "CA", "CR"};
    static const char *const application_code[OUTCOMES] = {"AA", "AE", "AR"};
    struct world w;
    world_begin(&w);
    routes(&w);
    unsigned number = 0;
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b < 5; b++)
            for (int outcome = 0; outcome < OUTCOMES; outcome++) {
                number++;
                struct str message =
                    arena_printf(&w.s.arena, "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|E%u|P|%s|||%s|%s\rPID|1||%s||Doe^J\r",
                                 number, outcome == HEADER_BAD ? "" : "2.5.1", wishes[a], wishes[b],
                                 outcome == CONTENT_BAD ? "" : arena_printf(&w.s.arena, "%u^^^N^MR", number).data);
                bool enhanced = wishes[a][0] || wishes[b][0];
                bool accept_good = outcome != HEADER_BAD, good = outcome == GOOD;
                bool accept =
                    enhanced && (strcmp(wishes[a], "AL") == 0 || (strcmp(wishes[a], "ER") == 0 && !accept_good) ||
                                 (strcmp(wishes[a], "SU") == 0 && accept_good));
                bool application = !enhanced || strcmp(wishes[b], "AL") == 0 ||
                                   (strcmp(wishes[b], "ER") == 0 && !good) || (strcmp(wishes[b], "SU") == 0 && good);
                if (accept && !accept_good)
                    application = false; /* never accepted: nothing more to say */
                struct world_heard heard = world_submit(&w, "north", message);
                char want[16], got[16] = {0};
                size_t got_len = 0;
                snprintf(want, sizeof want, "%s%s", accept ? accept_code[outcome] : "",
                         application ? application_code[outcome] : "");
                for (unsigned i = 0; i < heard.count && got_len < sizeof got; i++)
                    got_len += (size_t)snprintf(got + got_len, sizeof got - got_len, "%s", heard.code[i]);
                if (strcmp(got, want) != 0)
                    fail_msg("MSH-15 '%s', MSH-16 '%s', outcome %d: got %s, want %s (%s)", wishes[a], wishes[b],
                             outcome, got, want, heard.reason);
                for (unsigned i = 0; i < heard.count; i++)
                    assert_int_equal(heard.ack[i][0] != 0, heard.code[i][0] != 0);
            }
    world_end(&w);
}

static void test_grpc__is_always_answered_whatever_the_message_asks(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct world_heard heard;
    world_send(&w, "north", "grpc", STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|E1|P|2.5.1|||NE|NE\rPID|1||1^^^N^MR\r"),
               &heard);
    world_wait(&heard);
    assert_int_equal(heard.count, 1);
    assert_string_equal(heard.code[0], "AA");
    world_end(&w);
}

static void test_too_large__is_refused_at_the_level_the_sender_listens_to(void **state)
{
    (void)state;
    static const struct {
        const char *wishes, *want;
    } cases[] = {{"|||", "AR"}, {"|||AL|AL", "CR"}, {"|||NE|AL", "AR"}, {"|||NE|NE", ""}, {"|||SU|ER", "AR"}};
    struct world w;
    world_begin(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf message = {0};
        buf_printf(&message, "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|E%zu|P|2.5.1%s\rNTE|1||", i, cases[i].wishes);
        size_t head = message.len;
        buf_reserve(&message, LIMIT_MESSAGE_BYTES);
        memset(message.data + head, 'x', LIMIT_MESSAGE_BYTES);
        message.len = head + LIMIT_MESSAGE_BYTES;
        uint64_t before = journal_last_seq(engine_journal(w.engine));
        struct world_heard heard = world_submit(&w, "north", buf_str(&message));
        assert_int_equal(heard.count, 1);
        assert_int_equal(heard.seq, 0);
        assert_string_equal(heard.reason, "engine.too-large");
        if (strcmp(heard.code[0], cases[i].want) != 0)
            fail_msg("case %zu: got %s, want %s", i, heard.code[0], cases[i].want);
        assert_int_equal(journal_last_seq(engine_journal(w.engine)), before);
        buf_fini(&message);
    }
    world_end(&w);
}

/* 16 MB and 99,999 segments are allowed: slow, but neither refused for their size nor the end of the process. */
static void test_largest_message__is_taken(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: archive, file: { folder: %s } }\n"
                                  "  - { name: second, file: { folder: %s/2 } }\n"
                                  "routes:\n  - { name: all, to: [archive, second], person_id: { authority: IDEM },"
                                  " codes: [ { path: \"OBX(*)-3\", to: [LN] } ] }\n",
                                  w.folder, w.folder));
    struct buf message = {0};
    buf_put_str(&message, STR("MSH|^~\\&|A|B|C|D|20260101||ORU^R01|BIG|P|2.5.1\rPID|1||1^^^N^MR||Doe^J\r"));
    for (int i = 0; i < 99990; i++)
        buf_put_str(&message, STR("OBX|1|TX|GLU^^L||some text\r"));
    size_t head = message.len, more = LIMIT_MESSAGE_BYTES - head;
    buf_put_str(&message, STR("OBX|1|TX|X||"));
    buf_reserve(&message, more);
    memset(message.data + message.len, 'y', more);
    message.len = LIMIT_MESSAGE_BYTES;
    struct world_heard heard = world_submit(&w, "north", buf_str(&message));
    assert_string_equal(heard.code[0], "AA");
    world_settled(&w, 2, 0);
    buf_fini(&message);
    world_end(&w);
}

struct sender {
    struct world *w;
    struct str message;
    struct world_heard heard;
};

static void *send_one(void *arg)
{
    struct sender *sender = arg;
    world_send(sender->w, "north", "mllp", sender->message, &sender->heard);
    world_wait(&sender->heard);
    return NULL;
}

static void run_senders(struct sender *senders, size_t count)
{
    pthread_t threads[64];
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_one, &senders[i]), 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void test_one_new_person_from_many_threads__is_one_person(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct sender senders[64];
    for (size_t i = 0; i < 64; i++) {
        char control_id[16];
        snprintf(control_id, sizeof control_id, "T%zu", i);
        senders[i] = (struct sender){.w = &w, .message = world_adt(&w, "A04", control_id, "100", "Doe", "")};
    }
    run_senders(senders, 64);
    for (size_t i = 0; i < 64; i++) {
        assert_string_equal(senders[i].heard.code[0], "AA");
        assert_int_equal(senders[i].heard.person, senders[0].heard.person);
    }
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, 1);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 1);
    world_end(&w);
}

static void test_one_control_id_from_many_threads__has_one_effect(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    routes(&w);
    struct sender senders[16];
    for (size_t i = 0; i < 16; i++)
        senders[i] = (struct sender){.w = &w, .message = world_adt(&w, "A04", "SAME", "100", "Doe", "")};
    run_senders(senders, 16);
    unsigned duplicates = 0;
    for (size_t i = 0; i < 16; i++) {
        assert_string_equal(senders[i].heard.code[0], "AA");
        assert_string_equal(senders[i].heard.ack[0], senders[0].heard.ack[0]);
        duplicates += senders[i].heard.duplicate;
    }
    assert_int_equal(duplicates, 15);
    world_settled(&w, 1, 0);
    assert_int_equal(world_status(&w).deliveries_owed, 1);
    world_end(&w);
}

static void test_names_of_sources__may_be_anything_and_are_counted_once(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    char name[301];
    memset(name, 'n', 300);
    name[300] = 0;
    for (int i = 0; i < 5; i++) {
        char control_id[16];
        snprintf(control_id, sizeof control_id, "N%d", i);
        world_submit(&w, name, world_adt(&w, "A04", control_id, "100", "Doe", ""));
    }
    struct engine_status now = world_status(&w);
    assert_int_equal(now.source_count, 1);
    assert_int_equal(now.received, 5);
    world_close(&w);
    world_open(&w);
    now = world_status(&w);
    assert_int_equal(now.source_count, 1);
    assert_int_equal(now.received, 5);
    world_end(&w);
}

/* Two groups, the second impossible: the first must not stay merged. */
static void test_refused_merge__changes_nothing(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    uint64_t one = world_submit(&w, "north", world_adt(&w, "A04", "C1", "1", "Doe", "")).person;
    uint64_t two = world_submit(&w, "north",
                                STR("MSH|^~\\&|HIS|NORTH|IDEM|HUB|2026||ADT^A04|C2|P|2.5.1\r"
                                    "PID|1||2^^^NORTH^MR||Quite-Different^Bruno||19550607|M\r"))
                       .person;
    assert_int_not_equal(one, two);
    static const char *const second[] = {
        "PID|2||1^^^NORTH^MR\rMRG|1^^^NORTH^MR\r", /* into itself */
        "PID|2||2^^^NORTH^MR\rMRG|1^^^NORTH^MR\r", /* a cycle with the first group */
        "PID|2||\rMRG|9^^^NORTH^MR\r",             /* nobody survives */
        "PID|2||9^^^NORTH^MR\rMRG|\r",             /* nobody is retired */
        "PID|2||9^^^NORTH^MR\rMRG|8^^^NORTH^XX\r", /* another kind of number */
    };
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        struct str rest = arena_printf(&w.s.arena, "MRG|2^^^NORTH^MR\r%s", second[i]);
        char control_id[16];
        snprintf(control_id, sizeof control_id, "M%zu", i);
        struct world_heard heard = world_submit(&w, "north", world_adt(&w, "A40", control_id, "1", "Doe", rest.data));
        if (heard.code[0][1] == 'A')
            fail_msg("case %zu was taken", i);
        uint64_t person, record;
        assert_ok(&w.s, mpi_find(engine_mpi(w.engine), &w.s.cx,
                                 (struct mpi_identifier){STR("NORTH"), STR("2"), STR("MR")}, &person, &record));
        if (person != two)
            fail_msg("case %zu: still merged", i);
    }
    /* and both groups good: both merged */
    struct world_heard good = world_submit(
        &w, "north",
        world_adt(&w, "A40", "MG", "1", "Doe", "MRG|2^^^NORTH^MR\rPID|2||1^^^NORTH^MR\rMRG|3^^^NORTH^MR\r"));
    assert_string_equal(good.code[0], "AA");
    uint64_t person, record;
    for (int id = 2; id <= 3; id++) {
        struct str value = arena_printf(&w.s.arena, "%d", id);
        assert_ok(&w.s, mpi_find(engine_mpi(w.engine), &w.s.cx, (struct mpi_identifier){STR("NORTH"), value, STR("MR")},
                                 &person, &record));
        assert_int_equal(person, one);
    }
    /* the store agrees with the index: a restart reads it */
    world_close(&w);
    world_open(&w);
    assert_ok(&w.s, mpi_find(engine_mpi(w.engine), &w.s.cx, (struct mpi_identifier){STR("NORTH"), STR("2"), STR("MR")},
                             &person, &record));
    assert_int_equal(person, one);
    world_end(&w);
}

static void test_refused_load_of_people__changes_nothing_and_is_no_entry(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct mpi_identifier id = {STR("N"), STR("1"), STR("MR")};
    struct mpi_record_input records[2] = {{.source = STR("load"), .identifiers = &id, .identifier_count = 1},
                                          {.source = STR("load")}}; /* without a number */
    struct engine_people_result result;
    uint64_t seq, before = journal_last_seq(engine_journal(w.engine));
    assert_fails(&w.s, engine_load_people(w.engine, &w.s.cx, records, 2, &result, &seq), "mpi.identifier-missing");
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), before);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 0);
    struct mpi_record_input *many = arena_array(&w.s.arena, 1001, sizeof *many);
    assert_fails(&w.s, engine_load_people(w.engine, &w.s.cx, many, 1001, &result, &seq), "engine.too-large");
    assert_ok(&w.s, engine_load_people(w.engine, &w.s.cx, records, 1, &result, &seq));
    assert_int_equal(result.loaded, 1);
    world_end(&w);
}

struct crowd {
    struct world *w;
    unsigned sent;
    int answered; /* atomic */
    bool stop;    /* atomic */
};

static void count_answer(void *arg, const struct engine_answer *answer)
{
    struct crowd *crowd = arg;
    if (answer->last)
        __atomic_add_fetch(&crowd->answered, 1, __ATOMIC_SEQ_CST);
}

/* Every submission is answered, also those that a short grace finds on their way. */
static void test_closing__answers_everything_that_was_taken(void **state)
{
    (void)state;
    for (int grace_ms = 0; grace_ms <= 20; grace_ms += 20) {
        struct world w;
        world_begin(&w);
        routes(&w);
        struct crowd crowd = {.w = &w};
        for (unsigned i = 0; i < 2000; i++) {
            char control_id[16], id[16];
            snprintf(control_id, sizeof control_id, "K%u", i);
            snprintf(id, sizeof id, "%u", i);
            struct engine_submission submission = {.source = STR("north"),
                                                   .protocol = STR("mllp"),
                                                   .message = world_adt(&w, "A01", control_id, id, "Doe", "")};
            submit_patiently(w.engine, &submission, count_answer, &crowd);
        }
        engine_close(w.engine, grace_ms);
        assert_int_equal(crowd.answered, 2000);
        world_open(&w);
        assert_int_equal(world_status(&w).received, 2000);
        world_settled(&w, 2000, 0); /* and what was owed is delivered after the next start */
        world_end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enhanced_mode__every_wish_against_every_outcome),
        cmocka_unit_test(test_grpc__is_always_answered_whatever_the_message_asks),
        cmocka_unit_test(test_too_large__is_refused_at_the_level_the_sender_listens_to),
        cmocka_unit_test(test_largest_message__is_taken),
        cmocka_unit_test(test_one_new_person_from_many_threads__is_one_person),
        cmocka_unit_test(test_one_control_id_from_many_threads__has_one_effect),
        cmocka_unit_test(test_names_of_sources__may_be_anything_and_are_counted_once),
        cmocka_unit_test(test_refused_merge__changes_nothing),
        cmocka_unit_test(test_refused_load_of_people__changes_nothing_and_is_no_entry),
        cmocka_unit_test(test_closing__answers_everything_that_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
