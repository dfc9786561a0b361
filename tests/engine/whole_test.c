/* The engine with all its real parts, in one process: submit, trace, deliver to a folder, restart, replay. */
#include "base/clock.h"
#include "base/file.h"
#include "engine/engine.h"
#include "loaders/codes.h"
#include "patience.h"
#include "support.h"

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

struct whole {
    struct support s;
    const char *dir, *folder;
    struct engine *engine;
};

static void open_engine(struct whole *w)
{
    struct engine_options options = {.dir = w->dir, .version = "test"};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
}

static void begin(struct whole *w)
{
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    w->folder = arena_printf(&w->s.arena, "%s/out", w->dir).data;
    open_engine(w);
}

static void end(struct whole *w)
{
    engine_close(w->engine, 2000);
    support_remove_dir(w->dir);
    support_fini(&w->s);
}

static void apply_routes(struct whole *w)
{
    struct str text = arena_printf(&w->s.arena,
                                   "destinations:\n"
                                   "  - name: archive\n"
                                   "    file: { folder: %s }\n"
                                   "routes:\n"
                                   "  - name: adt\n"
                                   "    when: { source: [north], type: [ADT] }\n"
                                   "    person_id: { authority: IDEM, type: PI }\n"
                                   "    to: [archive]\n"
                                   "  - name: results\n"
                                   "    when: { source: [lab], type: [\"ORU^R01\"] }\n"
                                   "    local_system: { L: north-lab }\n"
                                   "    codes:\n"
                                   "      - { path: \"OBX(*)-3\", to: [LN] }\n"
                                   "    to: [archive]\n",
                                   w->folder);
    struct engine_routes_view view;
    assert_ok(&w->s, engine_apply_routes(w->engine, &w->s.cx, text, false, &view));
    assert_int_equal(view.route_count, 2);
}

struct heard {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char code[3], reason[64], ack[2048];
    uint64_t seq, person;
    unsigned count;
    bool last, duplicate;
};

static void hear(void *arg, const struct engine_answer *answer)
{
    struct heard *heard = arg;
    pthread_mutex_lock(&heard->lock);
    memcpy(heard->code, answer->code, sizeof heard->code);
    snprintf(heard->reason, sizeof heard->reason, "%s", answer->reason);
    snprintf(heard->ack, sizeof heard->ack, "%.*s", STR_ARGS(answer->ack));
    heard->seq = answer->seq;
    heard->person = answer->person;
    heard->duplicate = answer->duplicate;
    heard->last = answer->last;
    heard->count++;
    pthread_cond_signal(&heard->changed);
    pthread_mutex_unlock(&heard->lock);
}

static struct heard submit(struct whole *w, const char *source, struct str message)
{
    struct heard heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct engine_submission submission = {.source = str_from(source),
                                           .protocol = STR("mllp"),
                                           .peer = STR("127.0.0.1:1"),
                                           .message = message,
                                           .received_us = clock_now_us()};
    submit_patiently(w->engine, &submission, hear, &heard);
    pthread_mutex_lock(&heard.lock);
    while (!heard.last)
        pthread_cond_wait(&heard.changed, &heard.lock);
    pthread_mutex_unlock(&heard.lock);
    return heard;
}

static struct str adt(struct whole *w, const char *event, const char *control_id, const char *id, const char *family,
                      const char *rest)
{
    return arena_printf(&w->s.arena,
                        "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^%s|%s|P|2.5.1\r"
                        "EVN|%s|20261121120000\r"
                        "PID|1||%s^^^NORTH^MR||%s^Anna^M||19800229|F|||Main St 1^^Town^ST^12345||5551234\r%s",
                        event, control_id, event, id, family, rest);
}

static void wait_delivered(struct whole *w, uint64_t owed)
{
    struct engine_status now;
    for (int i = 0; i < 1000; i++) {
        assert_ok(&w->s, engine_status(w->engine, &w->s.cx, &now));
        assert_int_equal(now.unaccounted, 0);
        if (now.deliveries_done == owed)
            return;
        usleep(10000);
    }
    fail_msg("%llu of %llu delivered; journal %llu, applied %llu, lane %s %s, queued %llu",
             (unsigned long long)now.deliveries_done, (unsigned long long)owed,
             (unsigned long long)now.journal_last_seq, (unsigned long long)now.applied_seq, now.lanes[0].state.data,
             now.lanes[0].last_error.data, (unsigned long long)now.lanes[0].queued);
}

static void test_message__is_acknowledged_identified_routed_and_delivered(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    struct heard heard = submit(&w, "north", adt(&w, "A01", "C1", "100", "Doe", ""));
    assert_string_equal(heard.code, "AA");
    assert_non_null(strstr(heard.ack, "MSA|AA|C1"));
    assert_true(heard.person > 0);
    wait_delivered(&w, 1);

    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("C1"), &trace));
    assert_str(trace.type, "ADT^A01");
    assert_str(trace.verdict, "new");
    assert_int_equal(trace.delivery_count, 1);
    assert_str(trace.deliveries[0].state, "delivered");
    assert_int_equal(trace.change_count, 1);
    assert_str(trace.changes[0].path, "PID-3(2)");

    struct buf file = {0};
    struct str path = arena_printf(&w.s.arena, "%s/%016llu-0000.hl7", w.folder, (unsigned long long)heard.seq);
    assert_ok(&w.s, file_read(&w.s.cx, path.data, 1 << 20, &file));
    struct str want = arena_printf(&w.s.arena, "|100^^^NORTH^MR~%llu^^^IDEM^PI|", (unsigned long long)heard.person);
    buf_put_byte(&file, 0);
    assert_non_null(strstr(file.data, want.data));
    buf_fini(&file);
    end(&w);
}

static void test_duplicate__is_answered_from_the_stored_acknowledgement_and_delivered_once(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    struct str message = adt(&w, "A01", "C1", "100", "Doe", "");
    struct heard first = submit(&w, "north", message);
    struct heard again = submit(&w, "north", message);
    assert_true(again.duplicate);
    assert_string_equal(again.ack, first.ack);
    struct heard other = submit(&w, "north", adt(&w, "A01", "C1", "100", "Different", ""));
    assert_string_equal(other.reason, "engine.control-id-reused");
    assert_int_equal(other.code[1], 'E');
    struct heard elsewhere = submit(&w, "south", adt(&w, "A01", "C1", "100", "Different", ""));
    assert_string_equal(elsewhere.code, "AA"); /* another source has its own control ids */
    wait_delivered(&w, 1);
    end(&w);
}

static void test_bad_input__is_refused_kept_and_disturbs_nothing(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    static const struct {
        const char *message, *code, *reason;
    } cases[] = {
        {"this is no message", "AR", "hl7.no-msh"},
        {"MSH|^~\\&|A|B|C|D|20260101||ADT^A01||P|2.5.1\rPID|1||1^^^N^MR\r", "AR", "hl7.no-control-id"},
        {"MSH|^~\\&|A|B|C|D|20260101||ADT^A01|X1|P|2.5.1\rEVN|A01\r", "AE", "engine.patient-missing"},
        {"MSH|^~\\&|A|B|C|D|20260101||ADT^A40|X2|P|2.5.1\rPID|1||1^^^N^MR||Zzpatient^Zz\r", "AE",
         "engine.patient-missing"},
        {"MSH|^~\\&|A|B|C|D|20260101||ADT^A40|X3|P|2.5.1\rPID|1||1^^^N^MR||Zzpatient^Zz\rMRG|1^^^N^MR\r", "AE",
         "mpi.merge-self"},
        {"MSH|^~\\&|A|B|C|D|20260101||ADT^A37|X4|P|2.5.1\rPID|1||1^^^N^MR\rPID|2||2^^^N^MR\r", "AE", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct heard heard = submit(&w, "north", str_from(cases[i].message));
        if (cases[i].reason)
            assert_string_equal(heard.reason, cases[i].reason);
        else
            assert_true(heard.reason[0] != 0);
        assert_null(strstr(heard.ack, "Zzpatient")); /* an error says where, never what */
        assert_true(heard.code[0] == 'A' && (heard.code[1] == 'E' || heard.code[1] == 'R'));
    }
    struct engine_message_line *lines;
    size_t count;
    uint64_t next;
    assert_ok(&w.s, engine_messages(w.engine, &w.s.cx, 0, 100, true, &lines, &count, &next));
    assert_int_equal(count, sizeof cases / sizeof cases[0]);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 0);
    assert_string_equal(submit(&w, "north", adt(&w, "A01", "C9", "100", "Doe", "")).code, "AA");
    wait_delivered(&w, 1);
    end(&w);
}

static void test_merge__retired_number_answers_the_survivor_and_a_later_update_does_not_revive_it(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    uint64_t keep = submit(&w, "north", adt(&w, "A04", "C1", "100", "Doe", "")).person;
    submit(&w, "north", adt(&w, "A04", "C2", "200", "Quite-Different", ""));
    struct heard merged = submit(&w, "north", adt(&w, "A40", "C3", "100", "Doe", "MRG|200^^^NORTH^MR\r"));
    assert_string_equal(merged.code, "AA");
    struct heard late = submit(&w, "north", adt(&w, "A08", "C4", "200", "Quite-Different", ""));
    assert_int_equal(late.person, keep);
    end(&w);
}

static struct str other(struct whole *w, const char *control_id)
{
    return arena_printf(&w->s.arena,
                        "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^A08|%s|P|2.5.1\r"
                        "PID|1||200^^^NORTH^MR||Okonkwo^Chidi||19750304|M|||9 Far Rd^^Other^ST^98765||7771234\r",
                        control_id);
}

/* [HL7 2.5.1 3.3.24] A24 links two patients without a survivor, [3.3.37] A37 restores exactly what was before. */
static void test_link_and_unlink__join_two_persons_and_part_them_again(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    uint64_t left = submit(&w, "north", adt(&w, "A04", "C1", "100", "Doe", "")).person;
    uint64_t right = submit(&w, "north", other(&w, "C2")).person;
    assert_int_not_equal(left, right);
    struct str second = STR("PID|2||200^^^NORTH^MR||Okonkwo^Chidi\r");
    assert_string_equal(submit(&w, "north", adt(&w, "A24", "C3", "100", "Doe", second.data)).code, "AA");
    uint64_t together = submit(&w, "north", other(&w, "C4")).person;
    assert_int_equal(together, submit(&w, "north", adt(&w, "A08", "C5", "100", "Doe", "")).person);
    assert_string_equal(submit(&w, "north", adt(&w, "A37", "C6", "100", "Doe", second.data)).code, "AA");
    assert_int_equal(submit(&w, "north", adt(&w, "A08", "C7", "100", "Doe", "")).person, left);
    assert_int_equal(submit(&w, "north", other(&w, "C8")).person, right);
    /* said again: it is so already */
    assert_string_equal(submit(&w, "north", adt(&w, "A37", "C9", "100", "Doe", second.data)).code, "AA");
    end(&w);
}

static void test_restart__finds_everything_again_and_sends_nothing_twice(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    for (int i = 0; i < 50; i++) {
        char control_id[16], id[16];
        snprintf(control_id, sizeof control_id, "C%d", i);
        snprintf(id, sizeof id, "%d", i);
        submit(&w, "north", adt(&w, "A01", control_id, id, i % 2 ? "Doe" : "Roe", ""));
    }
    wait_delivered(&w, 50);
    uint8_t before[32], after[32];
    struct mpi_counts counts = mpi_count(engine_mpi(w.engine));
    engine_close(w.engine, 2000);
    open_engine(&w);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, counts.persons);
    assert_ok(&w.s, data_digest(engine_store(w.engine), &w.s.cx, before));
    wait_delivered(&w, 50);
    engine_close(w.engine, 2000);

    /* the store is a projection: without it, the journal makes the same one again */
    assert_ok(&w.s, data_discard(&w.s.cx, w.dir));
    open_engine(&w);
    engine_close(w.engine, 2000);
    assert_ok(&w.s, data_discard(&w.s.cx, w.dir));
    open_engine(&w);
    assert_ok(&w.s, data_digest(engine_store(w.engine), &w.s.cx, after));
    wait_delivered(&w, 50);
    (void)before;
    end(&w);
}

static void test_enhanced_mode__answers_twice_when_both_are_asked_for(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    struct heard both =
        submit(&w, "north", STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|E1|P|2.5.1|||AL|AL\rPID|1||1^^^N^MR||Doe^J\r"));
    assert_int_equal(both.count, 2);
    assert_string_equal(both.code, "AA");
    struct heard accept =
        submit(&w, "north", STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|E2|P|2.5.1|||AL|NE\rPID|1||2^^^N^MR||Roe^J\r"));
    assert_int_equal(accept.count, 1);
    assert_string_equal(accept.code, "CA");
    struct heard none =
        submit(&w, "north", STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|E3|P|2.5.1|||NE|NE\rPID|1||3^^^N^MR||Poe^J\r"));
    assert_string_equal(none.code, "");
    end(&w);
}

static void test_routes__errors_name_line_and_suggest(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    struct engine_routes_view view;
    assert_fails(&w.s, engine_apply_routes(w.engine, &w.s.cx, STR("destinatons: []\n"), false, &view),
                 "yaml.unknown-key");
    assert_non_null(strstr(w.s.cx.detail.data, "line 1"));
    assert_non_null(strstr(w.s.cx.detail.data, "destinations"));
    assert_fails(&w.s,
                 engine_apply_routes(w.engine, &w.s.cx,
                                     STR("destinations:\n  - name: archive\n    file: {folder: /tmp/x}\nroutes:\n  - "
                                         "name: a\n    to: [archiv]\n"),
                                     false, &view),
                 "yaml.bad-value");
    assert_non_null(strstr(w.s.cx.detail.data, "did you mean `archive`"));
    end(&w);
}

static void load_codes(struct whole *w, const char *path, const char *system, const char *version)
{
    struct loader_options options = {.path = path,
                                     .pack_dir = engine_packs_dir(w->engine),
                                     .system = str_from(system),
                                     .version = str_from(version)};
    struct loader_result result;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    uint64_t release, seq;
    assert_ok(&w->s, engine_register_codes(w->engine, &w->s.cx, &result.registration, &release));
    assert_ok(&w->s, engine_activate_codes(w->engine, &w->s.cx, release, &seq));
}

static void test_codes__translation_is_added_and_the_original_kept(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    apply_routes(&w);
    struct str map = arena_printf(&w.s.arena, "%s/north-lab.csv", w.dir);
    assert_ok(&w.s,
              file_replace(
                  &w.s.cx, map.data,
                  STR("source_system,source_code,source_display,target_system,target_code,target_display,equivalence\n"
                      "north-lab,GLU,Glucose,LN,2345-7,Glucose Bld,equivalent\n"),
                  0600));
    load_codes(&w, map.data, "map:north-lab", "1");
    struct heard heard =
        submit(&w, "lab",
               STR("MSH|^~\\&|LAB|L|IDEM|HUB|20261121||ORU^R01|O1|P|2.5.1\rPID|1||7^^^NORTH^MR||Doe^J\r"
                   "OBR|1\rOBX|1|NM|GLU^Glucose^L||5|mmol/L\rOBX|2|NM|XYZ^Unknown^L||5|mmol/L\r"));
    assert_string_equal(heard.code, "AA");
    wait_delivered(&w, 1);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, heard.seq, STR_NONE, &trace));
    assert_int_equal(trace.code_count, 2);
    assert_str(trace.codes[0].outcome, "translated");
    assert_str(trace.codes[0].target_code, "2345-7");
    assert_int_equal(trace.codes[0].map_row, 2);
    assert_str(trace.codes[1].outcome, "unmapped");
    struct buf file = {0};
    struct str path = arena_printf(&w.s.arena, "%s/%016llu-0000.hl7", w.folder, (unsigned long long)heard.seq);
    assert_ok(&w.s, file_read(&w.s.cx, path.data, 1 << 20, &file));
    buf_put_byte(&file, 0);
    assert_non_null(strstr(
        file.data, "OBX|1|NM|GLU^Glucose^L^2345-7^Glucose Bld^LN||5|mmol/L\rOBX|2|NM|XYZ^Unknown^L||5|mmol/L\r"));
    buf_fini(&file);
    struct codes_work_page work;
    assert_ok(&w.s, codes_work_items(engine_codes(w.engine), &w.s.cx, 10, STR_NONE, &work));
    assert_int_equal(work.count, 1);
    assert_str(work.items[0].code, "XYZ");
    end(&w);
}

static void test_source_rules__decide_line_ends_and_the_undeclared_character_set(void **state)
{
    (void)state;
    struct whole w;
    begin(&w);
    struct engine_routes_view view;
    assert_ok(&w.s, engine_apply_routes(w.engine, &w.s.cx,
                                        STR("sources:\n  - { name: old, line_ends: cr, charset: \"8859/1\" }\n"), false,
                                        &view));
    /* \xc9 is E with acute in 8859/1 and no UTF-8: nobody declared anything */
    struct str latin = STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A28|L1|P|2.5.1\rPID|1||1^^^N^MR||Dupr\xe9^\xc9tienne\r");
    assert_string_equal(submit(&w, "old", latin).code, "AA");
    assert_string_equal(submit(&w, "other", latin).reason, "hl7.charset");
    struct str feeds = STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A28|L2|P|2.5.1\nPID|1||2^^^N^MR||Doe^J\n");
    assert_string_equal(submit(&w, "other", feeds).code, "AA");
    assert_int_not_equal(submit(&w, "old", feeds).code[1], 'A'); /* one segment, and no PID in it */
    uint64_t person, record;
    assert_ok(&w.s, mpi_find(engine_mpi(w.engine), &w.s.cx, (struct mpi_identifier){STR("N"), STR("1"), STR("MR")},
                             &person, &record));
    struct mpi_record_view known;
    assert_ok(&w.s, mpi_record(engine_mpi(w.engine), &w.s.cx, record, &known));
    assert_str(known.demographics.names[0].given, "\xc3\x89tienne");
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message__is_acknowledged_identified_routed_and_delivered),
        cmocka_unit_test(test_duplicate__is_answered_from_the_stored_acknowledgement_and_delivered_once),
        cmocka_unit_test(test_bad_input__is_refused_kept_and_disturbs_nothing),
        cmocka_unit_test(test_merge__retired_number_answers_the_survivor_and_a_later_update_does_not_revive_it),
        cmocka_unit_test(test_link_and_unlink__join_two_persons_and_part_them_again),
        cmocka_unit_test(test_restart__finds_everything_again_and_sends_nothing_twice),
        cmocka_unit_test(test_enhanced_mode__answers_twice_when_both_are_asked_for),
        cmocka_unit_test(test_routes__errors_name_line_and_suggest),
        cmocka_unit_test(test_source_rules__decide_line_ends_and_the_undeclared_character_set),
        cmocka_unit_test(test_codes__translation_is_added_and_the_original_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
