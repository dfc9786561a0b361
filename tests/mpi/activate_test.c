/* Another model: everybody is scored, clustered and asked about as if it had been there from the beginning, and the
 * model before gives back what was before. */
#include "batch.h"
#include "random_history.h"
#include "same.h"

#include "models_internal.h"
#include "mpi/models.h"

/* The general model with other odds. */
struct odds {
    int32_t prior_mbit, auto_mbit, review_mbit;
};
static const struct odds bold = {-12000, 4000, -3000}, shy = {-25000, 9966, 1000}, deaf = {-60000, 60000, 50000};

static struct str text_of(struct support *support, const struct odds *odds)
{
    SCOPED(buf_fini) struct buf text = {0};
    struct mpi_model *model;
    mpi_model_write(mpi_model_general(), &text);
    if (odds == NULL)
        return arena_str(support->cx.arena, buf_str(&text));
    assert_ok(support, mpi_model_read(&support->cx, buf_str(&text), &model));
    model->prior_mbit = odds->prior_mbit;
    model->auto_mbit = odds->auto_mbit;
    model->review_mbit = odds->review_mbit;
    model->values[VALUE_FAMILY].rest = 40; /* rows too look different */
    buf_clear(&text);
    mpi_model_write(model, &text);
    mpi_model_free(model);
    return arena_str(support->cx.arena, buf_str(&text));
}

static struct mpi_activated activate(struct world *world, const struct odds *odds)
{
    struct mpi_activated activated = {0};
    assert_ok(&world->support, mpi_apply_model(world->mpi, world->txn, &world->support.cx, ++world->seq,
                                               text_of(&world->support, odds), STR("a test"), &activated));
    return activated;
}

static void live(struct world *world, uint64_t *random, int steps)
{
    for (int step = 0; step < steps; step++)
        history_step(world, random);
}

static void digest(struct world *world, uint8_t out[32])
{
    assert_ok(&world->support, data_digest(world->store, &world->support.cx, out));
}

static void test_activated__equals_every_pair_compared_from_scratch(void **state)
{
    (void)state;
    static const struct odds *const models[] = {&bold, &shy, NULL, &deaf};
    for (uint64_t seed = 1; seed < 5; seed++) {
        struct world world;
        world_init(&world);
        world.mpi->block_cap = seed % 2 ? BLOCK_CAP_DEFAULT : 6;
        uint64_t random = seed, choice = seed * 31;
        for (int round = 0; round < 6; round++) {
            live(&world, &random, 30);
            if (round % 2)
                world_commit(&world);
            (void)activate(&world, models[hash_random(&choice) % 4]);
            batch_check(world.mpi, "activated", seed, round);
            live(&world, &random, 10);
            batch_check(world.mpi, "after", seed, round);
        }
        world_fini(&world);
    }
}

/* The same records one after the other under a model that was there from the start, or came later. */
static void test_activated__equals_an_index_that_was_grown_with_the_model(void **state)
{
    (void)state;
    struct world early, late;
    world_init(&early);
    world_init(&late);
    (void)activate(&early, &bold);
    late.seq++;
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t random = i + 1;
        struct person_text text;
        people_make(&random, i, i % 30, &text);
        (void)world_apply(&early, &text.human);
        (void)world_apply(&late, &text.human);
    }
    struct mpi_activated activated = activate(&late, &bold);
    assert_true(activated.moved > 0 && activated.persons_after < activated.persons_before);
    assert_int_equal(activated.persons_after, early.mpi->applied.persons);
    assert_int_equal(activated.version, early.mpi->model->version);
    for (uint32_t i = 1; i <= 100; i++) {
        const struct entry *a = entry_at(early.mpi, APPLIED, i), *b = entry_at(late.mpi, APPLIED, i);
        assert_int_equal(a->person, b->person);
        assert_int_equal(a->edge_count, b->edge_count);
        assert_memory_equal(a->row, b->row, row_bytes(a->row));
        for (uint32_t k = 0; k < a->edge_count; k++)
            assert_int_equal(a->edges[k].score_mbit, b->edges[k].score_mbit);
    }
    world_fini(&early);
    world_fini(&late);
}

static void test_activated__is_what_the_store_holds(void **state)
{
    (void)state;
    static const struct odds *const models[] = {&bold, NULL, &shy};
    struct world world;
    world_init(&world);
    uint64_t random = 9;
    for (int round = 0; round < 3; round++) {
        live(&world, &random, 60);
        (void)activate(&world, models[round]);
        live(&world, &random, 20);
        world_commit(&world);
        struct mpi *stored;
        assert_ok(&world.support, mpi_open(&world.support.cx, world.store, &stored));
        same_index(world.mpi, stored, SHOWN);
        assert_int_equal(stored->model->version, world.mpi->model->version);
        assert_false(mpi_is_stale(stored));
        mpi_close(stored);
    }
    world_reopen(&world);
    live(&world, &random, 20);
    batch_check(world.mpi, "reopened", 9, 0);
    world_fini(&world);
}

/* Taken back, whether its text was bad or the entry was refused after it. */
static void test_refused__model_leaves_no_trace(void **state)
{
    (void)state;
    struct world plain, refusing;
    world_init(&plain);
    world_init(&refusing);
    uint64_t a = 3, b = 3;
    for (int round = 0; round < 4; round++) {
        live(&plain, &a, 40);
        live(&refusing, &b, 40);
        struct mpi_mark people = mpi_mark(refusing.mpi);
        size_t rows = data_txn_mark(refusing.txn);
        uint64_t seq = refusing.seq;
        (void)activate(&refusing, round % 2 ? &bold : &shy);
        (void)activate(&refusing, &deaf);
        refusing.seq = seq;
        mpi_undo_to(refusing.mpi, people);
        data_txn_undo_to(refusing.txn, rows);
        struct mpi_activated activated;
        assert_fails(&refusing.support,
                     mpi_apply_model(refusing.mpi, refusing.txn, &refusing.support.cx, seq + 1, STR("format: 1\n"),
                                     STR("a test"), &activated),
                     "mpi.model-bad");
        (void)mpi_mark(plain.mpi);
        same_index(plain.mpi, refusing.mpi, APPLIED);
        world_commit(&plain);
        world_commit(&refusing);
        uint8_t left[32], right[32];
        digest(&plain, left);
        digest(&refusing, right);
        assert_memory_equal(left, right, sizeof left);
        assert_int_equal(refusing.mpi->model->version, MODEL_BUILTIN_VERSION);
    }
    world_fini(&plain);
    world_fini(&refusing);
}

static void test_model_before__gives_back_what_was_before(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint64_t random = 5, persons[200] = {0};
    live(&world, &random, 150);
    batch_check(world.mpi, "before", 5, 0);
    uint64_t asked = world.mpi->applied.reviews_open;
    for (uint32_t i = 1; i <= world.mpi->applied.records; i++)
        persons[i] = mpi_applied_person(world.mpi, i);
    assert_int_equal(activate(&world, &bold).version, MODELS_FIRST_VERSION);
    assert_int_equal(activate(&world, &shy).version, MODELS_FIRST_VERSION + 1);
    struct mpi_activated back = activate(&world, &bold);
    assert_int_equal(back.version, MODELS_FIRST_VERSION); /* the text it was, the version it was */
    back = activate(&world, NULL);
    assert_int_equal(back.version, MODEL_BUILTIN_VERSION);
    assert_true(back.moved > 0);
    for (uint32_t i = 1; i <= world.mpi->applied.records; i++)
        assert_int_equal(mpi_applied_person(world.mpi, i), persons[i]);
    assert_int_equal(back.reviews_after, asked); /* what was asked then is asked again, and nothing else */
    struct mpi_activated again = activate(&world, NULL);
    assert_int_equal(again.moved, 0);
    assert_int_equal(again.reviews_after, back.reviews_after);
    world_fini(&world);
}

/* Readers see the model, its rows and its edges change in one moment. */
static void test_readers__see_the_model_with_the_commit(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct human anna = {.id = "1", .family = "Lindqvist", .given = "Anna", .birth = "19800229", .sex = 'F'};
    (void)world_apply(&world, &anna);
    anna.id = "2";
    (void)world_apply(&world, &anna);
    world_commit(&world);
    uint32_t versions[2];
    int32_t scores[2];
    (void)activate(&world, &shy);
    for (size_t i = 0; i < 2; i++) {
        struct mpi_match *matches;
        struct mpi_why why;
        struct said said;
        size_t count;
        said_fill(&said, &anna);
        assert_ok(&world.support,
                  mpi_identify(world.mpi, &world.support.cx, NULL, 0, &said.input.demographics, 5, &matches, &count));
        assert_ok(&world.support, mpi_why(world.mpi, &world.support.cx, 1, 2, &why));
        versions[i] = why.now.model_version;
        scores[i] = why.now.score_mbit;
        assert_true(count > 0);
        assert_int_equal(matches[0].comparison.model_version, versions[i]);
        world_commit(&world);
    }
    assert_int_equal(versions[0], MODEL_BUILTIN_VERSION);
    assert_int_equal(versions[1], MODELS_FIRST_VERSION);
    assert_true(scores[0] - scores[1] > 5000);
    world_fini(&world);
}

/* Written by an idem with another general model: nothing is mixed. */
static void test_stale_store__is_scored_anew_when_it_is_opened(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint64_t random = 21;
    live(&world, &random, 120);
    assert_true(mpi_is_stale(world.mpi));                       /* nobody has said yet what the store is scored by */
    for (uint32_t i = 1; i < world.mpi->applied.records; i++) { /* edges of other scores, and between anybody */
        struct key key = key_2(i, i + 1);
        SCOPED(buf_fini) struct buf row = {0};
        encode_edge(&row, 70000);
        data_txn_put(world.txn, world.mpi->edges, key_str(&key), buf_str(&row));
    }
    for (int round = 0; round < 2; round++) {
        world_reopen(&world);
        assert_int_equal(mpi_is_stale(world.mpi), round == 0);
        assert_ok(&world.support, mpi_rescore(world.mpi, world.txn, &world.support.cx, world.seq));
        assert_false(mpi_is_stale(world.mpi));
        batch_check(world.mpi, "rescored", 21, round);
        world_commit(&world);
        struct mpi *stored;
        assert_ok(&world.support, mpi_open(&world.support.cx, world.store, &stored));
        same_index(world.mpi, stored, SHOWN);
        mpi_close(stored);
    }
    world_fini(&world);
}

static void test_models__are_listed_and_their_texts_kept(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    struct ctx *cx = &world.support.cx;
    struct mpi_activation_row *rows;
    size_t count;
    struct str text;
    uint32_t version;
    uint64_t older;
    assert_ok(&world.support, mpi_activations(world.mpi, cx, 0, 10, &rows, &count, &older));
    assert_true(count == 0 && older == 0);
    assert_ok(&world.support, mpi_model_text(world.mpi, cx, 0, &text, &version));
    assert_true(version == MODEL_BUILTIN_VERSION && str_eq(text, text_of(&world.support, NULL)));
    cx->principal = STR("ann");
    (void)activate(&world, &bold);
    (void)activate(&world, &shy);
    (void)activate(&world, &bold);
    world_commit(&world);
    assert_ok(&world.support, mpi_activations(world.mpi, cx, 0, 3, &rows, &count, &older));
    assert_true(count == 3 && older == 0);
    assert_ok(&world.support, mpi_activations(world.mpi, cx, 0, 2, &rows, &count, &older));
    assert_true(count == 2 && older == 2);
    struct mpi_activation_row *first;
    assert_ok(&world.support, mpi_activations(world.mpi, cx, older, 2, &first, &count, &older));
    assert_true(count == 1 && older == 0 && first[0].seq == 1);
    assert_true(rows[0].seq == 3 && rows[0].version == 100 && rows[1].seq == 2 && rows[1].version == 101);
    assert_true(str_is(rows[0].by, "ann") && str_is(rows[0].why, "a test") && str_is(rows[0].name, "general"));
    assert_ok(&world.support, mpi_model_text(world.mpi, cx, 101, &text, &version));
    assert_true(str_eq(text, text_of(&world.support, &shy)));
    assert_ok(&world.support, mpi_model_text(world.mpi, cx, 0, &text, &version));
    assert_true(version == 100 && str_eq(text, text_of(&world.support, &bold)));
    assert_fails(&world.support, mpi_model_text(world.mpi, cx, 102, &text, &version), "mpi.model-unknown");
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activated__equals_every_pair_compared_from_scratch),
        cmocka_unit_test(test_activated__equals_an_index_that_was_grown_with_the_model),
        cmocka_unit_test(test_activated__is_what_the_store_holds),
        cmocka_unit_test(test_refused__model_leaves_no_trace),
        cmocka_unit_test(test_model_before__gives_back_what_was_before),
        cmocka_unit_test(test_readers__see_the_model_with_the_commit),
        cmocka_unit_test(test_stale_store__is_scored_anew_when_it_is_opened),
        cmocka_unit_test(test_models__are_listed_and_their_texts_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
