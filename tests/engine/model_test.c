/* A model of who is alike as an entry: refused before the journal, applied once, the same after a kill and from the
 * journal alone. */
#include "base/limits.h"
#include "entry.h"
#include "model_lines.h"
#include "world.h"

enum { PEOPLE = 120 };

/* Made-up people in pairs that are alike, but not enough for the general model. */
static void load_people(struct world *w, unsigned first)
{
    static const char *const families[] = {"Lindqvist", "Okonkwo", "Moreau", "Nakamura", "Petrov", "Haddad"};
    static const char *const givens[] = {"Anna", "Chidi", "Claire", "Kenta", "Olga"};
    struct mpi_identifier ids[PEOPLE];
    struct mpi_name names[PEOPLE];
    struct mpi_record_input records[PEOPLE];
    for (unsigned i = 0; i < PEOPLE; i++) {
        unsigned who = (first + i) / 2;
        ids[i] = (struct mpi_identifier){STR("NORTH"), arena_printf(&w->s.arena, "%u", first + i), STR("MR")};
        names[i] = (struct mpi_name){.family = str_from(families[who % 6]), .given = str_from(givens[who % 5])};
        records[i] = (struct mpi_record_input){
            .source = STR("north"),
            .identifiers = &ids[i],
            .identifier_count = 1,
            .demographics = {
                .names = &names[i], .name_count = 1, .birth_date = {(uint16_t)(1950 + who % 40), 3, 4}, .sex = 'F'}};
        if (i % 2) /* a slip */
            records[i].demographics.birth_date.day = 14;
    }
    struct engine_people_result result;
    uint64_t seq;
    assert_ok(&w->s, engine_load_people(w->engine, &w->s.cx, records, PEOPLE, &result, &seq));
}

static struct mpi_activated activate(struct world *w, struct str text)
{
    struct mpi_activated activated = {0};
    uint64_t seq = 0;
    assert_ok(&w->s, engine_activate_model(w->engine, &w->s.cx, text, STR("more is known"), &activated, &seq));
    assert_int_equal(seq, journal_last_seq(engine_journal(w->engine)));
    return activated;
}

static uint64_t persons(struct world *w)
{
    return mpi_count(engine_mpi(w->engine)).persons;
}

static uint32_t version(struct world *w)
{
    struct str text;
    uint32_t active;
    assert_ok(&w->s, mpi_model_text(engine_mpi(w->engine), &w->s.cx, 0, &text, &active));
    return active;
}

static void test_model__that_cannot_be_read_or_has_no_why_never_becomes_an_entry(void **state)
{
    (void)state;
    struct world w = {0};
    world_begin(&w);
    load_people(&w, 0);
    uint64_t entries = journal_last_seq(engine_journal(w.engine)), before = persons(&w), seq = 0;
    struct mpi_activated activated = {0};
    struct str bad = model_line(&w.s, model_general(&w.s), "auto", "many");
    assert_fails(&w.s, engine_activate_model(w.engine, &w.s.cx, bad, STR("why"), &activated, &seq), "mpi.model-bad");
    assert_fails(&w.s, engine_activate_model(w.engine, &w.s.cx, model_bold(&w.s), STR(" "), &activated, &seq),
                 "engine.why-missing");
    struct str long_why = arena_printf(&w.s.arena, "%*s.", LIMIT_FIELD_VALUE_BYTES, "");
    assert_fails(&w.s, engine_activate_model(w.engine, &w.s.cx, model_bold(&w.s), long_why, &activated, &seq),
                 "engine.too-large");
    assert_int_equal(journal_last_seq(engine_journal(w.engine)), entries);
    assert_int_equal(persons(&w), before);
    assert_int_equal(version(&w), 2);
    world_end(&w);
}

/* What an older or a faulty idem may have written: the entry is refused, and nothing is changed by it. */
static void test_model_entry__that_is_damaged_is_passed_over(void **state)
{
    (void)state;
    struct world w = {0};
    world_begin(&w);
    load_people(&w, 0);
    uint64_t before = persons(&w), seq;
    SCOPED(buf_fini) struct buf body = {0};
    entry_model_encode(&body, STR("format: 1\nname: cut"), STR("why"));
    world_close(&w);
    struct journal *journal;
    struct journal_options options = {.dir = w.dir};
    assert_ok(&w.s, journal_open(&w.s.cx, &options, &journal));
    assert_ok(&w.s, journal_append_wait(journal, &w.s.cx, ENTRY_MODEL, STR("test"), buf_str(&body), &seq));
    assert_ok(&w.s, journal_append_wait(journal, &w.s.cx, ENTRY_MODEL, STR("test"), STR("\x01\xff"), &seq));
    journal_close(journal);
    world_open(&w);
    assert_int_equal(persons(&w), before);
    assert_int_equal(version(&w), 2);
    world_end(&w);
}

/* In a process of its own, which is killed as soon as it was told that the model is active. */
static void live_and_die(struct world *w)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        world_open(w);
        load_people(w, 0);
        (void)activate(w, model_bold(&w->s));
        load_people(w, PEOPLE);
        kill(getpid(), SIGKILL);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
}

static void test_model__is_active_after_a_kill_and_from_the_journal_alone(void **state)
{
    (void)state;
    struct world w = {0};
    support_init(&w.s);
    w.dir = support_make_dir(&w.s);
    live_and_die(&w);
    uint64_t found[3], asked[3];
    for (int round = 0; round < 3; round++) {
        world_open(&w);
        assert_int_equal(version(&w), 100);
        found[round] = persons(&w);
        asked[round] = mpi_count(engine_mpi(w.engine)).reviews_open;
        if (round == 2)
            break;
        world_close(&w);
        assert_ok(&w.s, data_discard(&w.s.cx, w.dir));
    }
    assert_true(found[0] < 2 * PEOPLE && found[1] == found[0] && found[2] == found[0]);
    assert_true(asked[1] == asked[0] && asked[2] == asked[0]);
    struct mpi_activation_row *rows;
    size_t count;
    uint64_t older;
    assert_ok(&w.s, mpi_activations(engine_mpi(w.engine), &w.s.cx, 0, 10, &rows, &count, &older));
    assert_int_equal(count, 1);
    assert_str(rows[0].name, "bold");
    assert_str(rows[0].why, "more is known");
    world_end(&w);
}

static void test_model__before_is_activated_again_to_take_one_back(void **state)
{
    (void)state;
    struct world w = {0};
    world_begin(&w);
    load_people(&w, 0);
    uint64_t before = persons(&w);
    struct mpi_activated bold = activate(&w, model_bold(&w.s)), back = activate(&w, model_general(&w.s));
    assert_true(bold.persons_before == before && bold.persons_after < before && bold.moved > 0);
    assert_int_equal(back.persons_after, before);
    assert_int_equal(back.version, 2);
    assert_int_equal(persons(&w), before);
    world_close(&w);
    world_open(&w);
    assert_int_equal(persons(&w), before);
    assert_int_equal(version(&w), 2);
    world_end(&w);
}

static struct data_store *open_store(struct world *w)
{
    size_t count = engine_table_count + mpi_table_count + codes_table_count;
    struct data_table_spec *tables = arena_array(&w->s.arena, count, sizeof *tables);
    memcpy(tables, engine_tables, engine_table_count * sizeof *tables);
    memcpy(tables + engine_table_count, mpi_tables, mpi_table_count * sizeof *tables);
    memcpy(tables + engine_table_count + mpi_table_count, codes_tables, codes_table_count * sizeof *tables);
    static const char *const grouped[] = {"engine.outbox"};
    struct data_options options = {.dir = w->dir,
                                   .format = ENGINE_STORE_FORMAT,
                                   .tables = tables,
                                   .table_count = count,
                                   .grouped = grouped,
                                   .grouped_count = 1};
    struct data_store *store = NULL;
    assert_ok(&w->s, data_open(&w->s.cx, &options, &store));
    return store;
}

static bool drop_row(void *arg, struct str key, struct str row)
{
    (void)row;
    struct data_txn *txn = ((void **)arg)[0];
    data_txn_delete(txn, ((void **)arg)[1], key);
    return true;
}

/* As an idem left it that had another general model: what its edges were does not matter, and nothing is mixed. */
static void test_store_of_another_model__is_scored_anew_at_the_start(void **state)
{
    (void)state;
    struct world w = {0};
    world_begin(&w);
    load_people(&w, 0);
    uint64_t before = persons(&w);
    world_close(&w);
    struct data_store *store = open_store(&w);
    struct data_txn *txn = data_txn_begin(store);
    const char *const emptied[] = {"mpi.model", "mpi.edge", "mpi.member"};
    for (size_t i = 0; i < 3; i++) {
        void *arg[] = {txn, data_table(store, emptied[i])};
        assert_ok(&w.s, data_scan_all(arg[1], &w.s.cx, drop_row, arg));
    }
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
    data_close(store);
    world_open(&w);
    assert_int_equal(persons(&w), before);
    assert_false(mpi_is_stale(engine_mpi(w.engine)));
    load_people(&w, PEOPLE);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model__that_cannot_be_read_or_has_no_why_never_becomes_an_entry),
        cmocka_unit_test(test_model_entry__that_is_damaged_is_passed_over),
        cmocka_unit_test(test_model__is_active_after_a_kill_and_from_the_journal_alone),
        cmocka_unit_test(test_model__before_is_activated_again_to_take_one_back),
        cmocka_unit_test(test_store_of_another_model__is_scored_anew_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
