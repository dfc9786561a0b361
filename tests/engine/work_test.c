/* What the dearest entries have the index do, counted and never timed: rows put and got, bytes of them, and steps of
 * the draft. Work grows with what an entry says, never with its square, and what would be too much is refused. */
#include "base/limits.h"
#include "base/mem.h"
#include "event.h"
#include "identify.h"
#include "world.h"

/* Work of one message. */
struct did {
    uint64_t puts, gets, bytes, steps;
    const char *reason; /* "": taken */
};

/* Applied to the index of an engine that has nothing to do, and taken back unless `keep`. */
static struct did apply(struct world *w, struct str message, bool keep)
{
    struct did did = {.reason = ""};
    struct mpi *mpi = engine_mpi(w->engine);
    struct data_store *store = engine_store(w->engine);
    struct hl7_index index = {0};
    struct hl7_path fault;
    struct identified identified;
    assert_ok(&w->s, hl7_index_build(&index, &w->s.cx, message, NULL));
    struct event_meaning meaning = event_meaning(hl7_at(&index, "MSH-9.1"), hl7_at(&index, "MSH-9.2"));
    struct data_txn *txn = data_txn_begin(store);
    struct mpi_mark before = mpi_mark(mpi);
    uint64_t seq = data_applied_seq(store) + 1;
    if (identify_apply(mpi, txn, &w->s.cx, seq, entry_bounds_get(ENTRY_BOUNDS_NOW), &index, meaning, STR("north"),
                       &identified, &fault) != STATUS_OK)
        did.reason = w->s.cx.reason->name;
    struct mpi_mark after = mpi_mark(mpi);
    struct data_txn_work work = data_txn_work(txn);
    did.puts = work.puts;
    did.gets = work.gets;
    did.bytes = work.bytes;
    did.steps = after.at - before.at;
    mpi_undo_to(mpi, before);
    data_txn_abort(txn);
    hl7_index_fini(&index);
    if (keep)
        assert_string_equal(world_submit(w, "north", message).code[0], "AA");
    return did;
}

static void put_header(struct buf *out, const char *event)
{
    static int sent;
    buf_printf(out, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||%s|W%d|P|2.5.1\r", event, sent++);
}

static char letter(size_t n)
{
    return (char)('a' + n % 26);
}

/* One name, and identifiers of one authority, or each of its own. */
static void put_pid(struct buf *out, size_t patient, size_t identifiers, bool authorities)
{
    buf_printf(out, "PID|1||P%zu^^^NORTH^MR", patient);
    for (size_t i = 1; i < identifiers; i++)
        buf_printf(out, "~P%zuI%zu^^^A%zu^MR", patient, i, authorities ? i : 0);
    buf_printf(out, "||%c%c%c%c^%c%c%c||19%02zu%02zu%02zu|F\r", letter(patient), letter(patient / 3),
               letter(patient * 7), letter(patient * 11), letter(patient * 5), letter(patient / 26),
               letter(patient * 3), patient % 90 + 10, patient % 12 + 1,
               patient % 28 + 1); /* strangers: nobody is asked about */
}

static struct did update_many(struct world *w, size_t patients, size_t identifiers, bool keep)
{
    SCOPED(buf_fini) struct buf message = {0};
    put_header(&message, "ADT^A08");
    for (size_t i = 0; i < patients; i++)
        put_pid(&message, i, identifiers, true);
    return apply(w, buf_str(&message), keep);
}

static struct did merge_many(struct world *w, size_t merges, size_t identifiers, bool one_pid)
{
    SCOPED(buf_fini) struct buf message = {0};
    put_header(&message, "ADT^A40");
    for (size_t i = 0; i < merges; i++) {
        if (i == 0 || !one_pid)
            put_pid(&message, i, identifiers, false);
        buf_printf(&message, "MRG|OLD%zu^^^NORTH^MR\r", i);
    }
    return apply(w, buf_str(&message), false);
}

static void check_at_most(const char *what, uint64_t got, uint64_t most)
{
    if (got > most)
        fail_msg("%llu %s, at most %llu", (unsigned long long)got, what, (unsigned long long)most);
}

static void check_work(const struct did *did, struct did most)
{
    assert_string_equal(did->reason, "");
    check_at_most("rows put", did->puts, most.puts);
    check_at_most("rows got", did->gets, most.gets);
    check_at_most("bytes", did->bytes, most.bytes);
    check_at_most("steps", did->steps, most.steps);
}

static void test_values_of_one_entry__are_taken_up_to_the_most_and_refused_past_it(void **state)
{
    (void)state;
    enum { PATIENTS = 400, IDENTIFIERS = LIMIT_VALUES_PER_ENTRY / PATIENTS - 1 /* the name */ };
    struct world w;
    world_begin(&w);
    struct did did = update_many(&w, PATIENTS, IDENTIFIERS, false);
    check_work(&did, (struct did){.puts = PATIENTS * 2,
                                  .bytes = PATIENTS * IDENTIFIERS * 24,
                                  .steps = LIMIT_VALUES_PER_ENTRY + PATIENTS * 40});
    assert_true(did.steps >= LIMIT_VALUES_PER_ENTRY - 2 * PATIENTS); /* it is counted what is bounded */
    assert_string_equal(update_many(&w, PATIENTS + 1, IDENTIFIERS, false).reason, "engine.too-large");
    world_end(&w);
}

static void test_a_load__says_as_much_as_a_message(void **state)
{
    (void)state;
    enum { RECORDS = 400, IDENTIFIERS = LIMIT_VALUES_PER_ENTRY / RECORDS };
    struct world w;
    world_begin(&w);
    for (int more = 0; more <= 1; more++) {
        struct mpi_record_input records[RECORDS];
        for (size_t i = 0; i < RECORDS; i++) {
            struct mpi_identifier *identifiers = arena_array(&w.s.arena, IDENTIFIERS + 1, sizeof *identifiers);
            for (size_t k = 0; k <= IDENTIFIERS; k++)
                identifiers[k] = (struct mpi_identifier){STR("NORTH"), arena_printf(&w.s.arena, "R%zuI%zu", i, k),
                                                         k == 0 ? STR("MR") : STR("XX")};
            records[i] = (struct mpi_record_input){
                .source = STR("load"), .identifiers = identifiers, .identifier_count = IDENTIFIERS};
        }
        records[0].identifier_count += (size_t)more;
        struct engine_people_result result;
        uint64_t seq;
        status got = engine_load_people(w.engine, &w.s.cx, records, RECORDS, &result, &seq);
        assert_string_equal(got == STATUS_OK ? "" : w.s.cx.reason->name, more ? "engine.too-large" : "");
    }
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, RECORDS);
    world_end(&w);
}

/* A record is read once and written once; what it said is kept once. */
static void test_updates__read_each_record_once(void **state)
{
    (void)state;
    enum { PATIENTS = 100, IDENTIFIERS = 200, ROW = IDENTIFIERS * 24 };
    struct world w;
    world_begin(&w);
    (void)update_many(&w, PATIENTS, IDENTIFIERS, true);
    struct did same = update_many(&w, PATIENTS, IDENTIFIERS, true);
    check_work(&same, (struct did){.puts = PATIENTS, .gets = PATIENTS, .bytes = PATIENTS * 2 * ROW, .steps = 2});
    struct did other = update_many(&w, PATIENTS, IDENTIFIERS / 2, false); /* old numbers stay */
    check_work(&other, (struct did){.puts = PATIENTS * 3,
                                    .gets = PATIENTS,
                                    .bytes = (uint64_t)PATIENTS * 3 * ROW,
                                    .steps = PATIENTS * 40});
    world_end(&w);
}

static void test_merges__work_in_proportion_to_what_they_say(void **state)
{
    (void)state;
    enum { MERGES = LIMIT_MERGES_PER_MESSAGE, IDENTIFIERS = LIMIT_IDENTIFIERS_PER_RECORD };
    struct world w;
    world_begin(&w);
    struct did each = merge_many(&w, MERGES, IDENTIFIERS, false);
    check_work(&each, (struct did){.puts = MERGES * 12,
                                   .gets = MERGES * 2,
                                   .bytes = MERGES * IDENTIFIERS * 28,
                                   .steps = MERGES * (IDENTIFIERS + 60)});
    struct did one = merge_many(&w, MERGES, IDENTIFIERS, true); /* its PID is applied once */
    check_work(
        &one, (struct did){
                  .puts = MERGES * 12, .gets = MERGES * 2, .bytes = MERGES * 1000, .steps = MERGES * 60 + IDENTIFIERS});
    world_end(&w);
}

/* 2 MB of a record, named again and again: refused before the reading adds up. */
static void test_a_large_record__is_read_and_written_so_often_and_no_more(void **state)
{
    (void)state;
    enum { ROW = 2 * 1024 * 1024, OFTEN = LIMIT_PATIENTS_PER_MESSAGE };
    static char text[LIMIT_FIELD_VALUE_BYTES - 8];
    memset(text, 'a', sizeof text);
    struct world w;
    world_begin(&w);
    SCOPED(buf_fini) struct buf large = {0}, named = {0};
    put_header(&large, "ADT^A08");
    buf_put_str(&large, STR("PID|1||P0^^^NORTH^MR"));
    for (int i = 1; i < LIMIT_IDENTIFIERS_PER_RECORD; i++)
        buf_printf(&large, "~%d%.*s^^^%.*s", i, (int)sizeof text, text, (int)sizeof text, text);
    buf_put_str(&large, STR("||Doe^Anna||19800101|F\r"));
    assert_string_equal(apply(&w, buf_str(&large), true).reason, "");

    put_header(&named, "ADT^A08");
    for (int i = 0; i < OFTEN; i++)
        buf_printf(&named, "PID|1||P0^^^NORTH^MR||%s^Anna||19800101|F\r", i % 2 ? "Doe" : "Roe");
    struct did did = apply(&w, buf_str(&named), false);
    assert_string_equal(did.reason, "engine.too-large");
    check_at_most("bytes", did.bytes, LIMIT_IDENTITY_ROWS_BYTES + 4ull * ROW);
    check_at_most("rows got", did.gets, LIMIT_IDENTITY_ROWS_BYTES / ROW);
    world_end(&w);
}

/* Each code that nobody knows is looked for and written once, and the count of all with it. */
static void test_unknown_codes__are_two_rows_each(void **state)
{
    (void)state;
    enum { CODES = LIMIT_CODES_PER_MESSAGE / 10 };
    struct world w;
    world_begin(&w);
    struct data_txn *txn = data_txn_begin(engine_store(w.engine));
    struct codes_entry_items entry = {1, CODES};
    for (unsigned i = 0; i < CODES; i++) {
        struct arena_mark mark = arena_mark(&w.s.arena);
        struct codes_seen seen = {.source = STR("north"),
                                  .path = STR("OBX-3"),
                                  .system = STR("L"),
                                  .code = arena_printf(&w.s.arena, "X%u", i),
                                  .outcome = CODES_OUTCOME_UNMAPPED};
        assert_ok(&w.s, codes_apply_work_item(engine_codes(w.engine), txn, &w.s.cx, &entry, &seen));
        arena_rewind(&w.s.arena, mark);
    }
    struct data_txn_work work = data_txn_work(txn);
    check_at_most("rows put", work.puts, 2 * CODES);
    check_at_most("rows got", work.gets, 2 * CODES);
    check_at_most("bytes", work.bytes, 100 * CODES);
    data_txn_abort(txn);
    world_end(&w);
}

static uint64_t work_items(struct world *w)
{
    return world_status(w).work_items;
}

/* The largest list of codes that nobody knows makes as many rows as a bound says, and one. */
static void test_unknown_codes__past_the_most_of_a_message_are_counted_together(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    world_routes(&w, arena_printf(&w.s.arena,
                                  "destinations:\n  - { name: out, file: { folder: %s } }\nroutes:\n  - { name: r, "
                                  "codes: [ { path: \"OBX(*)-3\", to: [LN] } ], to: [out] }\n",
                                  w.folder));
    static const unsigned counts[] = {LIMIT_WORK_ITEMS_PER_ENTRY, LIMIT_CODES_PER_MESSAGE - 4};
    uint64_t want = 0;
    for (size_t i = 0; i < 2; i++) {
        SCOPED(buf_fini) struct buf message = {0};
        put_header(&message, "ORU^R01");
        put_pid(&message, 1, 1, false);
        for (unsigned k = 0; k < counts[i]; k++)
            buf_printf(&message, "OBX|1|NM|X%zuY%u^^L||1\r", i, k);
        assert_string_equal(world_submit(&w, "lab", buf_str(&message)).code[0], "AA");
        want += LIMIT_WORK_ITEMS_PER_ENTRY + i;
        assert_int_equal(work_items(&w), want);
    }
    struct codes_work_page page;
    assert_ok(&w.s, codes_work_items(engine_codes(w.engine), &w.s.cx, 1, STR_NONE, &page));
    assert_str(page.items[0].outcome, "beyond-limit");
    assert_int_equal(page.items[0].count, LIMIT_CODES_PER_MESSAGE - 4 - LIMIT_WORK_ITEMS_PER_ENTRY);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_one_entry__are_taken_up_to_the_most_and_refused_past_it),
        cmocka_unit_test(test_a_load__says_as_much_as_a_message),
        cmocka_unit_test(test_updates__read_each_record_once),
        cmocka_unit_test(test_merges__work_in_proportion_to_what_they_say),
        cmocka_unit_test(test_a_large_record__is_read_and_written_so_often_and_no_more),
        cmocka_unit_test(test_unknown_codes__are_two_rows_each),
        cmocka_unit_test(test_unknown_codes__past_the_most_of_a_message_are_counted_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
