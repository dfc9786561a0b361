/* Every reader of every table: a row that cannot be read, or whose key cannot, is said to be bad and never left out. */
#include "base/file.h"
#include "base/mem.h"
#include "engine_internal.h"
#include "loaders/codes.h"
#include "model_lines.h"
#include "mpi/study.h"
#include "world.h"

/* ---- a row in each table ---- */

static uint64_t deliver(struct world *w, uint64_t seq, const char *destination, uint32_t number,
                        enum delivery_state state)
{
    SCOPED(buf_fini) struct buf body = {0};
    struct applied applied;
    struct entry_delivery entry = {.destination = str_from(destination),
                                   .key = {seq, number},
                                   .message_seq = seq,
                                   .state = state,
                                   .attempts = 1,
                                   .first_sent_us = 5,
                                   .done_us = 6};
    entry_delivery_encode(&body, &entry);
    assert_ok(&w->s, engine_change_state(w->engine, &w->s.cx, ENTRY_DELIVERY, buf_str(&body), &applied));
    return journal_last_seq(engine_journal(w->engine));
}

static void submit(struct world *w, const char *id, const char *patient)
{
    struct str message = arena_printf(&w->s.arena,
                                      "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ORU^R01|%s|P|2.5.1\r"
                                      "PID|1||%s^^^NORTH^MR||%s\rOBX|1|NM|ODD^Odd^L||5\r",
                                      id, id, patient);
    assert_string_equal(world_submit(w, "north", message).code[0], "AA");
}

struct known {
    uint64_t seq, letter; /* of the first message; of a dead letter */
};

/* Two records that are decided to be one, two that are asked about; a delivery that waits, one that is done, one that
 * is dead; a code nobody knows; a model. */
static struct known prepare(struct world *w)
{
    world_routes(w, STR("destinations:\n"
                        "  - { name: d0, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n"
                        "  - { name: d1, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n"
                        "  - { name: d2, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n"
                        "routes:\n  - { name: all, person_id: { authority: IDEM }, to: [d0, d1, d2],\n"
                        "      codes: [ { path: \"OBX(*)-3\", to: [LN] } ] }\n"));
    struct known known = {.seq = journal_last_seq(engine_journal(w->engine)) + 1};
    submit(w, "C1", "Doe^Anna||19800229|F|||1 Elm^^Ghent^^9000||5551234");
    submit(w, "C2", "Doe^Anna||19800229|F|||1 Elm^^Ghent^^9000||5551234");
    submit(w, "C3", "Lindqvist^Anna||19500304|F");
    submit(w, "C4", "Lindqvist^Anna||19500314|F");
    struct mpi_result result;
    uint64_t seq;
    struct engine_decision same = {.kind = MPI_DECISION_SAME, .left_record = 1, .right_record = 2, .note = STR("n")};
    struct mpi_activated activated;
    assert_ok(&w->s, engine_decide(w->engine, &w->s.cx, &same, &result, &seq));
    assert_ok(&w->s, engine_activate_model(w->engine, &w->s.cx, model_general(&w->s), STR("why"), &activated, &seq));
    deliver(w, known.seq, "d0", 0, DELIVERY_DELIVERED);
    known.letter = deliver(w, known.seq, "d1", 1, DELIVERY_DEAD);
    return known;
}

/* ---- who reads it ---- */

static status ask_messages(struct world *w, const struct known *known)
{
    (void)known;
    struct engine_message_line *lines;
    size_t count;
    uint64_t next;
    return engine_messages(w->engine, &w->s.cx, 0, 10, false, &lines, &count, &next);
}

static status ask_refused(struct world *w, const struct known *known)
{
    (void)known;
    struct engine_message_line *lines;
    size_t count;
    uint64_t next;
    return engine_messages(w->engine, &w->s.cx, 0, 10, true, &lines, &count, &next);
}

static status ask_trace(struct world *w, const struct known *known)
{
    struct engine_trace trace;
    return engine_trace(w->engine, &w->s.cx, known->seq, STR_NONE, &trace);
}

static status ask_trace_by_control_id(struct world *w, const struct known *known)
{
    (void)known;
    struct engine_trace trace;
    return engine_trace(w->engine, &w->s.cx, 0, STR("C1"), &trace);
}

static status ask_status(struct world *w, const struct known *known)
{
    (void)known;
    struct engine_status now;
    return engine_status(w->engine, &w->s.cx, &now);
}

static status ask_letters(struct world *w, const struct known *known)
{
    (void)known;
    struct engine_dead_letter *letters;
    size_t count;
    uint64_t total;
    return engine_dead_letters(w->engine, &w->s.cx, STR_NONE, 0, 10, &letters, &count, &total);
}

static status ask_letter(struct world *w, const struct known *known)
{
    struct engine_dead_letter letter;
    return engine_dead_letter(w->engine, &w->s.cx, known->letter, &letter);
}

static status ask_replay(struct world *w, const struct known *known)
{
    (void)known;
    uint64_t *ids;
    size_t count;
    return engine_replay(w->engine, &w->s.cx, 0, STR_NONE, true, &ids, &count);
}

static status ask_retention(struct world *w, const struct known *known)
{
    (void)known;
    uint64_t freed;
    return retention_run(w->engine, &w->s.cx, INT64_MAX, &freed);
}

static status ask_person(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_person_view person;
    return mpi_person(engine_mpi(w->engine), &w->s.cx, 1, &person);
}

static status ask_record(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_record_view record;
    return mpi_record(engine_mpi(w->engine), &w->s.cx, 1, &record);
}

static status ask_identifier(struct world *w, const struct known *known)
{
    (void)known;
    uint64_t person, record;
    return mpi_find(engine_mpi(w->engine), &w->s.cx, (struct mpi_identifier){STR("NORTH"), STR("C1"), STR("MR")},
                    &person, &record);
}

static status ask_identify(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_match *matches;
    size_t count;
    struct mpi_identifier identifier = {STR("NORTH"), STR("C1"), STR("MR")};
    return mpi_identify(engine_mpi(w->engine), &w->s.cx, &identifier, 1, &(struct mpi_demographics){0}, 5, &matches,
                        &count);
}

static status ask_why(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_why why;
    return mpi_why(engine_mpi(w->engine), &w->s.cx, 3, 4, &why);
}

static status ask_reviews(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_review_page page;
    return mpi_reviews(engine_mpi(w->engine), &w->s.cx, 10, 0, &page);
}

static status ask_history(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_event *events;
    size_t count;
    bool older;
    return mpi_history(engine_mpi(w->engine), &w->s.cx, 1, NULL, &events, &count, &older);
}

static status ask_models(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_activation_row *rows;
    size_t count;
    uint64_t older;
    return mpi_activations(engine_mpi(w->engine), &w->s.cx, 0, 10, &rows, &count, &older);
}

static status ask_work_items(struct world *w, const struct known *known)
{
    (void)known;
    struct codes_work_page page;
    return codes_work_items(engine_codes(w->engine), &w->s.cx, 10, STR_NONE, &page);
}

static status ask_study(struct world *w, const struct known *known)
{
    (void)known;
    struct mpi_study *study = mpi_study_new();
    status got = mpi_study_copy(study, &w->s.cx, engine_mpi(w->engine), MPI_COPY_MATCHED);
    mpi_study_free(study);
    return got;
}

/* ---- damage ---- */

enum { VALUE = 1, KEY = 2 };

static const struct asked {
    const char *what, *table;
    struct str prefix; /* of the row */
    status (*ask)(struct world *w, const struct known *known);
    unsigned wrong; /* what of the row the question must notice: VALUE, KEY */
    const char *reason;
} asked[] = {
    {"messages", "engine.message", {"", 0}, ask_messages, VALUE | KEY, "engine.row-bad"},
    {"refused messages", "engine.message", {"", 0}, ask_refused, VALUE | KEY, "engine.row-bad"},
    {"trace", "engine.message", {"", 0}, ask_trace, VALUE, "engine.row-bad"},
    {"trace by control id", "engine.control", {"", 0}, ask_trace_by_control_id, VALUE, "engine.row-bad"},
    {"deliveries of a trace", "engine.delivery", {"", 0}, ask_trace, VALUE, "engine.row-bad"},
    {"age of what waits", "engine.outbox", {"d0", 2}, ask_status, KEY, "engine.row-bad"},
    {"what the outbox needs", "engine.outbox", {"", 0}, ask_retention, KEY, "engine.row-bad"},
    {"letters", "engine.dead", {"", 0}, ask_letters, VALUE | KEY, "engine.row-bad"},
    {"messages of letters", "engine.message", {"", 0}, ask_letters, VALUE, "engine.row-bad"},
    {"letter", "engine.dead", {"", 0}, ask_letter, VALUE, "engine.row-bad"},
    {"letters to replay", "engine.dead", {"", 0}, ask_replay, VALUE | KEY, "engine.row-bad"},
    {"letters that are needed", "engine.dead", {"", 0}, ask_retention, VALUE, "engine.row-bad"},
    {"person", "mpi.record", {"", 0}, ask_person, VALUE | KEY, "mpi.row-bad"},
    {"record", "mpi.record", {"", 0}, ask_record, VALUE | KEY, "mpi.row-bad"},
    {"identifier", "mpi.record", {"", 0}, ask_identifier, VALUE | KEY, "mpi.row-bad"},
    {"identify", "mpi.record", {"", 0}, ask_identify, VALUE | KEY, "mpi.row-bad"},
    {"study", "mpi.record", {"", 0}, ask_study, VALUE | KEY, "mpi.row-bad"},
    {"first event", "mpi.record", {"", 0}, ask_history, VALUE | KEY, "mpi.row-bad"},
    {"reviews", "mpi.review", {"", 0}, ask_reviews, VALUE, "mpi.row-bad"},
    {"events", "mpi.event", {"", 0}, ask_history, VALUE, "mpi.row-bad"},
    {"why", "mpi.link", {"", 0}, ask_why, VALUE, "mpi.row-bad"},
    {"models", "mpi.model", {"\0\0\0\0\0\0\0\3", 8}, ask_models, VALUE | KEY, "mpi.row-bad"},
    {"work items", "codes.work", {"w", 1}, ask_work_items, VALUE | KEY, "data.store-damaged"},
    {"number of work items", "codes.work", {"#", 1}, ask_status, VALUE, "data.store-damaged"},
};

struct first {
    struct arena *arena;
    struct str key, row;
};

static bool keep_first(void *arg, struct str key, struct str row)
{
    struct first *first = arg;
    first->key = arena_str(first->arena, key);
    first->row = arena_str(first->arena, row);
    return false;
}

static struct first first_row_of(struct world *w, const struct asked *of)
{
    struct first first = {.arena = &w->s.arena};
    struct data_table *table = data_table(engine_store(w->engine), of->table);
    assert_ok(&w->s, data_scan(table, &w->s.cx, of->prefix, STR_NONE, keep_first, &first));
    if (first.key.len == 0)
        fail_msg("%s: there is no row in %s", of->what, of->table);
    return first;
}

/* As if it had gone wrong; the writer has nothing to do meanwhile. */
static void change_row(struct world *w, const struct asked *of, struct str away, struct str key, struct str row)
{
    struct data_store *store = engine_store(w->engine);
    struct data_table *table = data_table(store, of->table);
    struct data_txn *txn = data_txn_begin(store);
    data_txn_delete(txn, table, away);
    data_txn_put(txn, table, key, row);
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
}

static void check(struct world *w, const struct known *known, const struct asked *of, unsigned wrong)
{
    struct first first = first_row_of(w, of);
    struct str short_key = str_sub(first.key, 0, first.key.len - 1);
    ctx_clear(&w->s.cx);
    if (of->ask(w, known) != STATUS_OK)
        fail_msg("%s: %s before there was any damage", of->what, w->s.cx.reason->name);
    if (wrong == KEY)
        change_row(w, of, first.key, short_key, first.row);
    else
        change_row(w, of, first.key, first.key, STR("\xff"));
    status got = of->ask(w, known);
    if (got != STATUS_DATA_LOSS || strcmp(w->s.cx.reason->name, of->reason) != 0)
        fail_msg("%s: a bad %s of %s: %s", of->what, wrong == KEY ? "key" : "value", of->table,
                 w->s.cx.reason ? w->s.cx.reason->name : "answered");
    ctx_clear(&w->s.cx);
    change_row(w, of, wrong == KEY ? short_key : first.key, first.key, first.row);
}

static void test_every_reader__says_that_a_row_is_bad_and_never_leaves_it_out(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    struct known known = prepare(&w);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        for (unsigned wrong = VALUE; wrong <= KEY; wrong++)
            if (asked[i].wrong & wrong)
                check(&w, &known, &asked[i], wrong);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_reader__says_that_a_row_is_bad_and_never_leaves_it_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
