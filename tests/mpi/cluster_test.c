/* Clusters are a pure function: any arrival order gives the same ones, and the incremental way equals the plain slow
 * one. */
#include "batch.h"
#include "people.h"

enum { PEOPLE = 30, PERMUTATIONS = 120 };

static void shuffle(uint64_t *seed, uint32_t *order, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = hash_random(seed) % i;
        uint32_t swap = order[i - 1];
        order[i - 1] = order[k];
        order[k] = swap;
    }
}

static void check_permutations(uint64_t seed, uint32_t block_cap, const struct mpi_model *model)
{
    struct person_text people[PEOPLE];
    uint64_t random = seed;
    uint32_t order[PEOPLE];
    for (uint32_t i = 0; i < PEOPLE; i++) {
        people_make(&random, i, (uint32_t)(hash_random(&random) % 14), &people[i]);
        order[i] = i;
    }
    uint32_t want[PEOPLE] = {0}; /* smallest index of the cluster */
    for (int round = 0; round < PERMUTATIONS; round++) {
        struct world world;
        world_init_capped(&world, block_cap);
        world.mpi->model = model;
        uint32_t record_of[PEOPLE], have[PEOPLE];
        for (uint32_t i = 0; i < PEOPLE; i++)
            record_of[order[i]] = (uint32_t)world_apply(&world, &people[order[i]].human).record;
        for (uint32_t i = 0; i < PEOPLE; i++) {
            have[i] = i;
            for (uint32_t k = 0; k < i && have[i] == i; k++)
                if (entry_at(world.mpi, APPLIED, record_of[k])->person ==
                    entry_at(world.mpi, APPLIED, record_of[i])->person)
                    have[i] = k;
        }
        if (round == 0) {
            memcpy(want, have, sizeof want);
            batch_check(world.mpi, "permutations", seed, 0);
        } else if (memcmp(want, have, sizeof want) != 0) {
            fail_msg("seed %llu round %d: other clusters", (unsigned long long)seed, round);
        }
        world_fini(&world);
        shuffle(&random, order, PEOPLE);
    }
}

static void test_clusters__are_the_same_for_every_arrival_order(void **state)
{
    (void)state;
    check_permutations(1, BLOCK_CAP_DEFAULT, mpi_model_general());
    check_permutations(2, BLOCK_CAP_DEFAULT, mpi_model_general());
    struct mpi_model sociable = *mpi_model_general();
    sociable.alone_mbit = 5000;
    check_permutations(1, BLOCK_CAP_DEFAULT, &sociable);
    check_permutations(5, BLOCK_CAP_DEFAULT, &sociable);
}

static void test_clusters__are_the_same_when_keys_become_too_common(void **state)
{
    (void)state;
    check_permutations(3, 2, mpi_model_general());
    check_permutations(4, 4, mpi_model_general());
}

struct history {
    uint32_t block_cap, humans;
    uint32_t variants; /* ways to write each human down; few: many records say the same */
    bool eager;        /* links on little: many who say the same are one */
    bool sociable;     /* who is alone is unlikely: two who fit nobody else join on less */
};

static void use_model(struct world *world, const struct history *history)
{
    static struct mpi_model model;
    model = *mpi_model_general();
    if (history->eager)
        model.auto_mbit = 4000;
    if (history->sociable)
        model.alone_mbit = 5000;
    world->mpi->model = &model;
}

/* A record, sometimes with a second number: one that several have, or another record's own. */
static void add_anybody(struct world *world, const struct history *history, uint64_t *random)
{
    struct person_text text;
    struct said said;
    struct mpi_result result;
    char number[12];
    uint64_t variant = hash_random(random) % history->variants;
    people_make(&variant, (uint32_t)(hash_random(random) % 40), (uint32_t)(hash_random(random) % history->humans),
                &text);
    said_fill(&said, &text.human);
    uint64_t second = hash_random(random) % 6;
    snprintf(number, sizeof number, "%u", (unsigned)(hash_random(random) % (second == 0 ? 3 : 40)));
    if (second < 2) {
        said.identifiers[1] = (struct mpi_identifier){second ? STR("HOSP") : STR("CARD"), str_from(number), STR("MR")};
        said.input.identifier_count = 2;
    }
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &said.input, &result));
}

/* Adds, edits, deactivations and decisions at random; after each the index equals the batch. */
static void check_incremental(uint64_t seed, const struct history *history)
{
    struct world world;
    world_init_capped(&world, history->block_cap);
    use_model(&world, history);
    uint64_t random = seed;
    for (int step = 0; step < 150; step++) {
        uint64_t what = hash_random(&random) % 13, count = world.mpi->applied.records;
        struct mpi_result result;
        if (what < 6 || count < 3) {
            add_anybody(&world, history, &random);
        } else if (what == 6) {
            struct person_text text;
            struct said said;
            people_make(&random, (uint32_t)(hash_random(&random) % 40), 1, &text);
            said_fill(&said, &text.human);
            said.input.deactivate = true;
            assert_ok(&world.support,
                      mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &said.input, &result));
        } else if (what >= 10) {
            static const enum mpi_decision_kind kinds[] = {MPI_DECISION_MERGE, MPI_DECISION_LINK, MPI_DECISION_UNLINK};
            char left[8], right[8];
            snprintf(left, sizeof left, "%u", (unsigned)(hash_random(&random) % 40));
            snprintf(right, sizeof right, "%u", (unsigned)(hash_random(&random) % 40));
            IGNORE(
                world_message(&world, kinds[what - 10], left, right, &result)); /* cycles and strangers are refused */
        } else {
            uint64_t left = hash_random(&random) % count + 1, right = hash_random(&random) % count + 1;
            enum mpi_decision_kind kind = what == 7   ? MPI_DECISION_SAME
                                          : what == 8 ? MPI_DECISION_DIFFERENT
                                                      : MPI_DECISION_UNDO;
            IGNORE(world_steward(&world, kind, left, right, hash_random(&random) % (world.seq + 1),
                                 &result)); /* refused ones too */
        }
        batch_check(world.mpi, "incremental", seed, step);
        if (step % 37 == 36) { /* what comes back from the store is the same index */
            world_reopen(&world);
            use_model(&world, history);
            batch_check(world.mpi, "reopened", seed, step);
        }
    }
    world_fini(&world);
}

static void test_incremental__equals_batch_after_every_step(void **state)
{
    (void)state;
    static const struct history histories[] = {
        {BLOCK_CAP_DEFAULT, 12, 1000000, false, false},
        {3, 12, 1000000, false, false},
        {BLOCK_CAP_DEFAULT, 3, 2, true, false},
        {1, 4, 4, true, false},
        {2, 6, 8, true, false},
        {4, 2, 12, true, false},
        {BLOCK_CAP_DEFAULT, 12, 1000000, false, true},
        {3, 20, 1000000, false, true},
        {2, 6, 8, true, true},
    };
    for (size_t i = 0; i < sizeof histories / sizeof histories[0]; i++)
        for (uint64_t seed = 10; seed < 13; seed++)
            check_incremental(seed + i * 10, &histories[i]);
}

/* ---- who is alone ---- */

/* The records of one person each, as letters: "ab c". */
static void check_persons(const struct mpi_model *model, const struct human *humans, size_t count, const char *want)
{
    struct world world;
    uint32_t records[4];
    char have[16] = "";
    world_init(&world);
    world.mpi->model = model;
    for (size_t i = 0; i < count; i++)
        records[i] = (uint32_t)world_apply(&world, &humans[i]).record;
    for (size_t i = 0, len = 0; i < count; i++) {
        for (size_t k = i; k < count; k++)
            if (entry_at(world.mpi, APPLIED, records[k])->person == records[i])
                have[len++] = (char)('a' + k);
        have[len] = '\0';
        if (len > 0 && have[len - 1] != ' ' && i + 1 < count)
            have[len++] = ' ';
    }
    batch_check(world.mpi, want, 0, 0);
    size_t len = strlen(have);
    while (len > 0 && have[len - 1] == ' ')
        have[--len] = '\0';
    assert_string_equal(have, want);
    world_fini(&world);
}

/* Anna and somebody A. of her family and birth date, which is too little for one pair. She is joined when the rest of
 * the index has nobody else whom A. may be, and where somebody who stands alone is unlikely. */
static void test_two_who_fit_nobody_else__join_on_less(void **state)
{
    (void)state;
    static const struct human anna = {.id = "1", .family = "Lindqvist", .given = "Anna", .birth = "19800229"},
                              initial = {.id = "2", .family = "Lindqvist", .given = "A", .birth = "19800229"},
                              agnes = {.id = "3", .family = "Lindqvist", .given = "Agnes", .birth = "19800229"},
                              again = {.id = "4",
                                       .family = "Lindqvist",
                                       .given = "Anna",
                                       .birth = "19800229",
                                       .phone = "2065550143"},
                              slip = {.id = "5", .family = "Lindqvist", .given = "Agna", .birth = "19800229"};
    struct mpi_model sociable = *mpi_model_general();
    sociable.alone_mbit = 4000;
    struct levels levels;
    union row_space left, right;
    struct mpi_name names[2] = {{.family = STR("Lindqvist"), .given = STR("Anna")},
                                {.family = STR("Lindqvist"), .given = STR("A")}};
    for (size_t i = 0; i < 2; i++)
        row_make(&(struct mpi_identifier){STR("HOSP"), i ? STR("2") : STR("1"), STR("MR")}, 1,
                 &(struct mpi_demographics){.names = &names[i], .name_count = 1, .birth_date = {1980, 2, 29}}, NULL, 0,
                 i ? &right : &left);
    compare_rows(&left.row, &right.row, &levels);
    int32_t score = weigh_levels(&sociable, &levels);
    sociable.auto_mbit = score + 3000; /* a pair of them is too little, alone it is enough */
    struct mpi_model cautious = sociable;
    cautious.alone_mbit = 0;
    check_persons(&cautious, (const struct human[]){anna, initial}, 2, "a b");
    check_persons(&sociable, (const struct human[]){anna, initial}, 2, "ab");
    check_persons(&sociable, (const struct human[]){anna, again, initial}, 3, "abc");
    check_persons(&sociable, (const struct human[]){anna, agnes, initial}, 3, "a b c"); /* which of the two? */
    check_persons(&sociable, (const struct human[]){anna, slip}, 2, "a b");             /* twins have such names */
    cautious.alone_mbit = 2000;
    check_persons(&cautious, (const struct human[]){anna, initial}, 2, "a b"); /* not as unlikely as that */
}

/* One human, written down differently every time: what is too large to be solved together is cut, and nobody but those
 * who find no room stands alone. */
static void test_large_component__is_cut_and_solved_in_bounded_time(void **state)
{
    (void)state;
    enum { RECORDS = BLOCK_CAP_DEFAULT * LAST_CAPS };
    struct world world;
    world_init(&world);
    uint64_t random = 5;
    for (uint32_t i = 0; i < RECORDS; i++) {
        char id[16], phone[16];
        snprintf(id, sizeof id, "%u", i);
        snprintf(phone, sizeof phone, "2%09u", (unsigned)(hash_random(&random) % 1000000000));
        struct human human = {.id = id,
                              .family = "Lindqvist",
                              .given = "Anna",
                              .birth = "19800229",
                              .sex = 'F',
                              .phone = phone,
                              .line = "12 Elm St",
                              .postcode = "98101"};
        (void)world_apply(&world, &human);
        assert_int_equal(world.mpi->applied.persons, (i + COMPONENT_MAX) / COMPONENT_MAX);
    }
    world_fini(&world);
}

/* They are counted in 32 bits. */
static void test_rounds__of_walks_begin_anew_with_nobody_visited(void **state)
{
    (void)state;
    struct world world;
    struct person_text person;
    uint64_t random = 1;
    world_init(&world);
    for (uint32_t i = 0; i < 3; i++) {
        people_make(&random, i, i, &person);
        uint32_t record = (uint32_t)world_apply(&world, &person.human).record;
        CHUNK_AT(&world.mpi->notes, record)->visit = 1; /* long ago */
    }
    world.mpi->visit = UINT32_MAX;
    index_next_round(world.mpi);
    for (uint32_t record = 1; record <= world.mpi->applied.records; record++)
        assert_int_not_equal(CHUNK_AT(&world.mpi->notes, record)->visit, world.mpi->visit);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds__of_walks_begin_anew_with_nobody_visited),
        cmocka_unit_test(test_two_who_fit_nobody_else__join_on_less),
        cmocka_unit_test(test_clusters__are_the_same_for_every_arrival_order),
        cmocka_unit_test(test_clusters__are_the_same_when_keys_become_too_common),
        cmocka_unit_test(test_incremental__equals_batch_after_every_step),
        cmocka_unit_test(test_large_component__is_cut_and_solved_in_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
