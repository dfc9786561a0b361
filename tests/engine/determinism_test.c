/* One journal, several stores: whoever applies it, live or afterwards, gets the same bytes. */
#include "entry.h"
#include "examples/gen.h"
#include "loaders/codes.h"
#include "model_lines.h"
#include "world.h"

static void load_map(struct world *w, const char *version, const char *rows, uint64_t *out_release)
{
    struct str path = arena_printf(&w->s.arena, "%s/map-%s.csv", w->dir, version);
    struct str text = arena_printf(
        &w->s.arena,
        "source_system,source_code,source_display,target_system,target_code,target_display,equivalence\n%s", rows);
    assert_ok(&w->s, file_replace(&w->s.cx, path.data, text, 0600));
    struct loader_options options = {.path = path.data,
                                     .pack_dir = engine_packs_dir(w->engine),
                                     .system = STR("map:local"),
                                     .version = str_from(version)};
    struct loader_result result;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_ok(&w->s, engine_register_codes(w->engine, &w->s.cx, &result.registration, out_release));
}

static void load_people(struct world *w, const struct gen *gen)
{
    struct gen_record *records = arena_array(&w->s.arena, 40 * GEN_RECORDS_PER_HUMAN, sizeof *records);
    struct mpi_record_input *inputs = arena_array(&w->s.arena, 40 * GEN_RECORDS_PER_HUMAN, sizeof *inputs);
    size_t count = 0;
    for (uint64_t human = 0; human < 40; human++)
        count += gen_records(gen, human, &records[count]);
    for (size_t i = 0; i < count; i++) {
        const struct gen_record *from = &records[i];
        struct mpi_identifier *id = arena_array(&w->s.arena, 1, sizeof *id);
        struct mpi_name *name = arena_array(&w->s.arena, 1, sizeof *name);
        *id = (struct mpi_identifier){str_from(gen_source_authority(from->source)), str_from(from->id), STR("MR")};
        *name = (struct mpi_name){.family = str_from(from->family), .given = str_from(from->given)};
        inputs[i] = (struct mpi_record_input){
            .source = str_from(gen_source_name(from->source)),
            .identifiers = id,
            .identifier_count = 1,
            .demographics = {.names = name, .name_count = 1, .birth_date = from->birth_date, .sex = from->sex}};
    }
    struct engine_people_result result;
    uint64_t seq;
    assert_ok(&w->s, engine_load_people(w->engine, &w->s.cx, inputs, count, &result, &seq));
}

static uint64_t send_messages(struct world *w, struct gen *gen, unsigned count)
{
    uint64_t accepted_seq = 0;
    for (unsigned i = 0; i < count; i++) {
        struct buf message = {0};
        struct gen_message_facts facts;
        gen_message(gen, &message, &facts);
        struct world_heard heard = world_submit(w, gen_feed_name(facts.feed), buf_str(&message));
        if (heard.code[0][1] == 'A')
            accepted_seq = heard.seq;
        if (i % 10 == 0) /* a repeat, and the same control id with other bytes */
            world_submit(w, gen_feed_name(facts.feed), buf_str(&message));
        if (i % 25 == 0) {
            buf_put_str(&message, STR("ZZZ|other\r"));
            world_submit(w, gen_feed_name(facts.feed), buf_str(&message));
        }
        buf_fini(&message);
    }
    return accepted_seq;
}

static void decide(struct world *w)
{
    struct mpi_result result;
    uint64_t seq, same;
    struct engine_decision decision = {.kind = MPI_DECISION_SAME, .left_record = 1, .right_record = 9};
    assert_ok(&w->s, engine_decide(w->engine, &w->s.cx, &decision, &result, &same));
    decision = (struct engine_decision){.kind = MPI_DECISION_DIFFERENT, .left_record = 2, .right_record = 11};
    assert_ok(&w->s, engine_decide(w->engine, &w->s.cx, &decision, &result, &seq));
    decision = (struct engine_decision){.kind = MPI_DECISION_UNDO, .undoes = same, .note = STR("wrong")};
    assert_ok(&w->s, engine_decide(w->engine, &w->s.cx, &decision, &result, &seq));
    IGNORE(engine_decide(w->engine, &w->s.cx, &decision, &result, &seq)); /* refused, and in the journal all the same */
    assert_string_equal(w->s.cx.reason->name, "mpi.decision-undone");
    ctx_clear(&w->s.cx);
}

static void append(struct world *w, struct journal *journal, enum entry_kind kind, struct buf *body, uint64_t *out_seq)
{
    assert_ok(&w->s, journal_append_wait(journal, &w->s.cx, (uint16_t)kind, STR("test"), buf_str(body), out_seq));
    buf_fini(body);
}

/* What the lane to "away" would have written, had anybody been there: refused, replayed, told twice, damaged. */
static void add_outcomes(struct world *w, uint64_t message_seq)
{
    struct journal *journal;
    struct journal_options options = {.dir = w->dir};
    assert_ok(&w->s, journal_open(&w->s.cx, &options, &journal));
    struct entry_delivery dead = {.destination = STR("away"),
                                  .key = {message_seq, 1},
                                  .message_seq = message_seq,
                                  .state = DELIVERY_DEAD,
                                  .attempts = 3,
                                  .in_doubt = 1,
                                  .first_sent_us = 5,
                                  .done_us = 6,
                                  .ack_code = STR("AE"),
                                  .why = STR("refused"),
                                  .answer = STR("MSH|")};
    uint64_t buried, seq;
    for (int i = 0; i < 2; i++) { /* the second is told twice */
        struct buf body = {0};
        entry_delivery_encode(&body, &dead);
        append(w, journal, ENTRY_DELIVERY, &body, i ? &seq : &buried);
    }
    for (int i = 0; i < 2; i++) { /* the second finds nothing */
        struct buf body = {0};
        uint64_t ids[] = {buried, 1};
        entry_replay_encode(&body, ids, 2);
        append(w, journal, ENTRY_REPLAY, &body, &seq);
    }
    static const enum entry_kind damaged[] = {ENTRY_MESSAGE,        ENTRY_DELIVERY,       ENTRY_DECISION,
                                              ENTRY_PEOPLE,         ENTRY_REPLAY,         ENTRY_ROUTES,
                                              ENTRY_CODES_REGISTER, ENTRY_CODES_ACTIVATE, ENTRY_MODEL};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        struct buf body = {0};
        buf_put_str(&body, STR("\x01\xff what is this"));
        append(w, journal, damaged[i], &body, &seq);
    }
    journal_close(journal);
}

static void copy_below(struct support *s, const char *from, const char *below, const char *to)
{
    const char *arguments[] = {"cp", "-r", arena_printf(&s->arena, "%s/%s", from, below).data, (char *)(void *)to,
                               NULL};
    pid_t child = fork();
    if (child == 0) {
        execvp("cp", (char **)(void *)arguments);
        _exit(127);
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void test_same_journal__same_bytes(void **state)
{
    (void)state;
    struct world live, again[2];
    world_begin(&live);
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = 7, .people = 300});
    world_routes(&live,
                 arena_printf(&live.s.arena,
                              "destinations:\n  - { name: archive, file: { folder: %s } }\n"
                              "  - { name: away, mllp: { connect: \"127.0.0.1:1\" } }\n"
                              "routes:\n  - { name: all, to: [archive, away], person_id: { authority: IDEM },\n"
                              "      codes: [ { path: \"OBX(*)-3\", to: [LN] }, { path: \"OBR(*)-4\", to: [LN] } ] }\n",
                              live.folder));
    uint64_t first, second, seq;
    load_map(&live, "1", "L,GLU,Glucose,LN,2345-7,Glucose Bld,equivalent\n", &first);
    load_map(&live, "2", "L,NA,Sodium,LN,2951-2,Sodium,equivalent\n", &second);
    assert_ok(&live.s, engine_activate_codes(live.engine, &live.s.cx, first, &seq));
    load_people(&live, &gen);
    send_messages(&live, &gen, 60);
    decide(&live);
    assert_ok(&live.s, engine_activate_codes(live.engine, &live.s.cx, second, &seq));
    send_messages(&live, &gen, 60);
    struct mpi_activated activated;
    assert_ok(&live.s,
              engine_activate_model(live.engine, &live.s.cx, model_bold(&live.s), STR("why"), &activated, &seq));
    send_messages(&live, &gen, 20);
    assert_ok(&live.s,
              engine_activate_model(live.engine, &live.s.cx, model_general(&live.s), STR("why"), &activated, &seq));
    assert_ok(&live.s, engine_rollback_codes(live.engine, &live.s.cx, STR("map:local"), &seq));
    world_submit(&live, "north", STR("no message at all"));
    uint64_t accepted = send_messages(&live, &gen, 60);
    for (int i = 0; i < 1000 && world_status(&live).deliveries_done < world_status(&live).deliveries_owed / 2; i++)
        usleep(5000);
    world_close(&live);
    add_outcomes(&live, accepted);

    for (int i = 0; i < 2; i++) {
        support_init(&again[i].s);
        again[i].dir = support_make_dir(&again[i].s);
        copy_below(&live.s, live.dir, "journal", again[i].dir);
        copy_below(&live.s, live.dir, "packs", again[i].dir);
    }
    uint8_t want[32], got[32];
    world_open(&live);
    struct engine_status now = world_status(&live);
    assert_int_equal(now.deliveries_dead, 0); /* buried once, replayed once */
    assert_true(now.deliveries_owed > 200 && now.work_items > 0 && now.refused > 0);
    assert_ok(&live.s, data_digest(engine_store(live.engine), &live.s.cx, want));
    for (int i = 0; i < 2; i++) {
        world_open(&again[i]);
        assert_ok(&live.s, data_digest(engine_store(again[i].engine), &again[i].s.cx, got));
        assert_memory_equal(got, want, sizeof want);
        world_end(&again[i]);
    }
    world_end(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_journal__same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
