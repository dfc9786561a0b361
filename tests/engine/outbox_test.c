/* Bytes that several rows mean stand once, and as long as one row means them: in the outbox or among the dead letters.
 */
#include "outbox.h"

#include "base/mem.h"
#include "engine_internal.h"
#include "world.h"

enum { DESTINATIONS = 6 };

static const char *const names[DESTINATIONS] = {"d0", "d1", "d2", "d3", "d4", "d5"};

/* Nobody is ever there: what becomes of a delivery is what the test says. */
static void put_destinations(struct buf *out)
{
    buf_put_str(out, STR("destinations:\n"));
    for (size_t i = 0; i < DESTINATIONS; i++)
        buf_printf(out, "  - { name: %s, mllp: { connect: \"127.0.0.1:1\" }, retry: { first: 1h, most: 1h } }\n",
                   names[i]);
}

static void use_routes(struct world *w, const char *routes)
{
    SCOPED(buf_fini) struct buf text = {0};
    put_destinations(&text);
    buf_printf(&text, "routes:\n%s", routes);
    world_routes(w, buf_str(&text));
}

static struct str message(struct world *w, const char *control_id, size_t filler)
{
    char *text = arena_alloc(&w->s.arena, filler + 1);
    memset(text, 'x', filler);
    text[filler] = 0;
    return world_adt(w, "A04", control_id, "100", "Doe", arena_printf(&w->s.arena, "NTE|1||%s\r", text).data);
}

static uint64_t send(struct world *w, const char *control_id, size_t filler)
{
    struct world_heard heard = world_submit(w, "north", message(w, control_id, filler));
    assert_string_equal(heard.code[0], "AA");
    return heard.seq;
}

/* ---- what is in the tables ---- */

struct rows_seen {
    struct world *w;
    struct {
        struct str destination;
        struct outbox_key key;
        struct outbox_row row;
        uint64_t letter; /* 0: in the outbox */
    } at[256];
    size_t count;
};

static bool see_queued(void *arg, struct str key, struct str bytes)
{
    struct rows_seen *seen = arg;
    assert_true(seen->count < sizeof seen->at / sizeof seen->at[0]);
    struct arena *arena = &seen->w->s.arena;
    struct str destination;
    assert_true(outbox_key_read(arena_str(arena, key), &destination, &seen->at[seen->count].key));
    seen->at[seen->count].destination = destination;
    seen->at[seen->count].letter = 0;
    assert_ok(&seen->w->s, outbox_row_decode(&seen->w->s.cx, arena_str(arena, bytes), &seen->at[seen->count++].row));
    return true;
}

static bool see_dead(void *arg, struct str key, struct str bytes)
{
    struct rows_seen *seen = arg;
    assert_true(seen->count < sizeof seen->at / sizeof seen->at[0]);
    struct dead_row dead;
    struct cut cut = {key, false};
    assert_ok(&seen->w->s, dead_row_decode(&seen->w->s.cx, arena_str(&seen->w->s.arena, bytes), &dead));
    seen->at[seen->count].destination = dead.destination;
    seen->at[seen->count].letter = cut_u64(&cut);
    seen->at[seen->count++].row = dead.outbox;
    return true;
}

static struct rows_seen *see(struct world *w)
{
    struct rows_seen *seen = arena_array(&w->s.arena, 1, sizeof *seen);
    seen->w = w;
    assert_ok(&w->s, data_scan(w->engine->outbox, &w->s.cx, STR_NONE, STR_NONE, see_queued, seen));
    assert_ok(&w->s, data_scan(w->engine->dead, &w->s.cx, STR_NONE, STR_NONE, see_dead, seen));
    return seen;
}

/* How many rows hold these shared bytes, as counted; 0 and no bytes when nobody does. */
static uint64_t held(struct world *w, uint64_t seq, uint32_t shared)
{
    struct str count, bytes;
    status counted = data_get(w->engine->meta, &w->s.cx, held_key(&w->s.arena, seq, shared), &count);
    status there = data_get(w->engine->meta, &w->s.cx, body_key(&w->s.arena, seq, shared), &bytes);
    ctx_clear(&w->s.cx);
    assert_int_equal(counted, there); /* both or none */
    if (counted == STATUS_NOT_FOUND)
        return 0;
    assert_int_equal(counted, STATUS_OK);
    struct cut cut = {count, false};
    uint64_t rows = cut_varint(&cut);
    assert_true(rows > 0 && !cut.bad);
    return rows;
}

/* ---- what becomes of deliveries ---- */

static void end_delivery(struct world *w, const char *destination, struct outbox_key key, uint64_t message_seq,
                         enum delivery_state how)
{
    SCOPED(buf_fini) struct buf body = {0};
    struct entry_delivery entry = {.destination = str_from(destination),
                                   .key = key,
                                   .message_seq = message_seq,
                                   .state = how,
                                   .attempts = 1,
                                   .first_sent_us = 5,
                                   .done_us = 6,
                                   .ack_code = how == DELIVERY_DEAD ? STR("AE") : STR("AA"),
                                   .why = STR("so says the test")};
    entry_delivery_encode(&body, &entry);
    struct applied applied;
    assert_ok(&w->s, engine_change_state(w->engine, &w->s.cx, ENTRY_DELIVERY, buf_str(&body), &applied));
}

static struct outbox_key key_in_outbox(struct world *w, const char *destination)
{
    const struct rows_seen *seen = see(w);
    for (size_t i = 0; i < seen->count; i++)
        if (seen->at[i].letter == 0 && str_is(seen->at[i].destination, destination))
            return seen->at[i].key;
    fail_msg("nothing waits for %s", destination);
    return (struct outbox_key){0};
}

static void end_first(struct world *w, const char *destination, uint64_t message_seq, enum delivery_state how)
{
    end_delivery(w, destination, key_in_outbox(w, destination), message_seq, how);
}

static void replay(struct world *w, const char *destination)
{
    uint64_t *ids;
    size_t count;
    assert_ok(&w->s, engine_replay(w->engine, &w->s.cx, 0, str_from(destination), false, &ids, &count));
    assert_true(count > 0);
}

/* Another engine comes to the same rows. */
static void check_again(struct world *w)
{
    struct world again;
    support_init(&again.s);
    again.dir = support_make_dir(&again.s);
    const char *arguments[] = {"cp", "-r", arena_printf(&w->s.arena, "%s/journal", w->dir).data, again.dir, NULL};
    pid_t child = fork();
    if (child == 0) {
        execvp("cp", (char **)(void *)arguments);
        _exit(127);
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    world_open(&again);
    uint8_t want[32], got[32];
    assert_ok(&w->s, data_digest(engine_store(w->engine), &w->s.cx, want));
    assert_ok(&w->s, data_digest(engine_store(again.engine), &again.s.cx, got));
    assert_memory_equal(got, want, sizeof want);
    world_end(&again);
}

/* ---- tests ---- */

static const char one_route[] = "  - { name: all, person_id: { authority: IDEM }, to: [d0, d1, d2] }\n";

static void test_where_bytes_stand__follows_their_size_and_how_many_mean_them(void **state)
{
    (void)state;
    static const struct {
        const char *routes;
        size_t filler;
        enum outbox_where where[DESTINATIONS];
        size_t count;
    } cases[] = {
        {one_route, 6000, {OUTBOX_SHARED, OUTBOX_SHARED, OUTBOX_SHARED}, 3},
        {one_route, 10, {OUTBOX_HERE, OUTBOX_HERE, OUTBOX_HERE}, 3},
        {"  - { name: all, person_id: { authority: IDEM }, to: [d0] }\n", 6000, {OUTBOX_HERE}, 1},
        {"  - { name: all, to: [d0, d1] }\n", 6000, {OUTBOX_JOURNAL, OUTBOX_JOURNAL}, 2},
        /* routes that change alike share, others do not */
        {"  - { name: r0, person_id: { authority: IDEM }, to: [d0] }\n"
         "  - { name: r1, person_id: { authority: IDEM }, to: [d1] }\n"
         "  - { name: r2, person_id: { authority: OTHER }, to: [d2] }\n"
         "  - { name: r3, to: [d3] }\n",
         6000,
         {OUTBOX_SHARED, OUTBOX_SHARED, OUTBOX_HERE, OUTBOX_JOURNAL},
         4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;
        world_begin(&w);
        use_routes(&w, cases[i].routes);
        uint64_t seq = send(&w, "C1", cases[i].filler);
        const struct rows_seen *seen = see(&w);
        uint64_t sharers = 0;
        assert_int_equal(seen->count, cases[i].count);
        for (size_t row = 0; row < seen->count; row++) {
            assert_str(seen->at[row].destination, names[row]);
            assert_int_equal(seen->at[row].row.where, cases[i].where[row]);
            sharers += seen->at[row].row.where == OUTBOX_SHARED;
        }
        assert_int_equal(held(&w, seq, 0), sharers);
        check_again(&w);
        world_end(&w);
    }
}

/* The only bytes that are right: those that a route with one destination makes, in its row. */
static struct str bytes_of_a_single_route(struct world *w, size_t filler)
{
    struct world single;
    world_begin(&single);
    use_routes(&single, "  - { name: all, person_id: { authority: IDEM }, to: [d0] }\n");
    send(&single, "C1", filler);
    const struct rows_seen *seen = see(&single);
    assert_int_equal(seen->at[0].row.where, OUTBOX_HERE);
    struct str bytes = arena_str(&w->s.arena, seen->at[0].row.bytes);
    world_end(&single);
    return bytes;
}

static void check_all_mean(struct world *w, struct str want)
{
    const struct rows_seen *seen = see(w);
    for (size_t i = 0; i < seen->count; i++) {
        struct str got;
        assert_ok(&w->s, outbox_bytes(w->engine, &w->s.cx, &seen->at[i].row, &got));
        assert_true(str_eq(got, want));
    }
}

static void test_shared_bytes__go_with_the_last_row_that_means_them(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    use_routes(&w, one_route);
    struct str want = bytes_of_a_single_route(&w, 6000);
    uint64_t seq = send(&w, "C1", 6000);
    assert_int_equal(held(&w, seq, 0), 3);
    check_all_mean(&w, want);

    struct outbox_key first = key_in_outbox(&w, "d0");
    end_delivery(&w, "d0", first, seq, DELIVERY_DELIVERED);
    assert_int_equal(held(&w, seq, 0), 2);
    end_delivery(&w, "d0", first, seq, DELIVERY_DELIVERED); /* told twice */
    assert_int_equal(held(&w, seq, 0), 2);
    end_first(&w, "d1", seq, DELIVERY_DEAD); /* a dead letter goes on meaning them */
    assert_int_equal(held(&w, seq, 0), 2);
    check_again(&w);
    end_first(&w, "d2", seq, DELIVERY_DELIVERED);
    assert_int_equal(held(&w, seq, 0), 1);

    struct engine_dead_letter *letters, letter;
    size_t count;
    uint64_t total;
    assert_ok(&w.s, engine_dead_letters(w.engine, &w.s.cx, STR_NONE, 0, 10, &letters, &count, &total));
    assert_int_equal(count, 1);
    assert_ok(&w.s, engine_dead_letter(w.engine, &w.s.cx, letters[0].id, &letter));
    assert_true(str_eq(letter.message, want));
    replay(&w, "d1");
    assert_int_equal(held(&w, seq, 0), 1);
    check_all_mean(&w, want);
    end_first(&w, "d1", seq, DELIVERY_DEAD);
    assert_int_equal(held(&w, seq, 0), 1);
    check_again(&w);
    replay(&w, "d1");
    end_first(&w, "d1", seq, DELIVERY_DELIVERED);
    assert_int_equal(held(&w, seq, 0), 0);
    assert_int_equal(see(&w)->count, 0);
    check_again(&w);
    world_end(&w);
}

static void test_shared_bytes__outlive_the_journal_entry_they_were_made_from_and_a_restart(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    use_routes(&w, one_route);
    struct str want = bytes_of_a_single_route(&w, 6000);
    uint64_t seq = send(&w, "C1", 6000), freed;
    end_first(&w, "d1", seq, DELIVERY_DEAD);
    world_close(&w);
    world_open(&w);
    assert_int_equal(held(&w, seq, 0), 3);
    assert_ok(&w.s, retention_run(w.engine, &w.s.cx, clock_now_us() + 1000000, &freed));
    check_all_mean(&w, want);
    replay(&w, "d1");
    for (size_t i = 0; i < 3; i++)
        end_first(&w, names[i], seq, DELIVERY_DELIVERED);
    assert_int_equal(held(&w, seq, 0), 0);
    world_end(&w);
}

/* ---- whatever happens, in whatever order ---- */

static unsigned pick(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(*seed >> 33) % below;
}

static void check_counts(struct world *w, const uint64_t *seqs, size_t seq_count, uint64_t seed)
{
    const struct rows_seen *seen = see(w);
    for (size_t i = 0; i < seq_count; i++)
        for (uint32_t shared = 0; shared < 2; shared++) {
            uint64_t rows = 0;
            for (size_t k = 0; k < seen->count; k++)
                rows += seen->at[k].row.where == OUTBOX_SHARED && seen->at[k].row.message_seq == seqs[i] &&
                        seen->at[k].row.shared == shared;
            if (held(w, seqs[i], shared) != rows)
                fail_msg("seed %llu: message %llu: %llu rows, counted %llu", (unsigned long long)seed,
                         (unsigned long long)seqs[i], (unsigned long long)rows,
                         (unsigned long long)held(w, seqs[i], shared));
        }
}

static void do_something(struct world *w, uint64_t *seed)
{
    const struct rows_seen *seen = see(w);
    if (seen->count == 0)
        return;
    size_t i = pick(seed, (unsigned)seen->count);
    char name[8];
    snprintf(name, sizeof name, "%.*s", STR_ARGS(seen->at[i].destination));
    if (seen->at[i].letter)
        replay(w, name);
    else
        end_delivery(w, name, seen->at[i].key, seen->at[i].row.message_seq,
                     pick(seed, 2) ? DELIVERY_DEAD : DELIVERY_DELIVERED);
}

static void test_counts__are_the_rows_that_mean_the_bytes_whatever_happens(void **state)
{
    (void)state;
    enum { MESSAGES = 8, STEPS = 150 };
    uint64_t seed = 20261129, first_seed = seed, seqs[MESSAGES];
    struct world w;
    world_begin(&w);
    use_routes(&w, "  - { name: r0, person_id: { authority: IDEM }, to: [d0, d1, d2] }\n"
                   "  - { name: r1, person_id: { authority: OTHER }, to: [d3, d4, d5] }\n");
    size_t sent = 0;
    for (int step = 0; step < STEPS; step++) {
        struct arena_mark mark = arena_mark(&w.s.arena);
        char control_id[32];
        snprintf(control_id, sizeof control_id, "C%zu", sent);
        if (sent < MESSAGES && pick(&seed, 4) == 0)
            seqs[sent] = send(&w, control_id, sent % 2 ? 9000 : 5000), sent++;
        else
            do_something(&w, &seed);
        check_counts(&w, seqs, sent, first_seed);
        arena_rewind(&w.s.arena, mark);
    }
    assert_int_equal(sent, MESSAGES);
    check_again(&w);
    for (int i = 0; see(&w)->count > 0 && i < 10 * STEPS; i++) {
        struct arena_mark mark = arena_mark(&w.s.arena);
        do_something(&w, &seed);
        arena_rewind(&w.s.arena, mark);
    }
    assert_int_equal(see(&w)->count, 0);
    check_counts(&w, seqs, sent, first_seed);
    check_again(&w);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_bytes_stand__follows_their_size_and_how_many_mean_them),
        cmocka_unit_test(test_shared_bytes__go_with_the_last_row_that_means_them),
        cmocka_unit_test(test_shared_bytes__outlive_the_journal_entry_they_were_made_from_and_a_restart),
        cmocka_unit_test(test_counts__are_the_rows_that_mean_the_bytes_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
