/* What is asked is a function of records, decisions and model: whatever came first, whatever was answered between. */
#include "asked.h"
#include "people.h"

/* ---- by name ---- */

static const struct human john = {
    .id = "john", .family = "Smith", .given = "John", .birth = "19700505", .sex = 'M', .city = "Leeds"};

static uint32_t add(struct world *world, const char *id, const char *given, const char *city)
{
    struct human human = john;
    human.id = id;
    human.given = given;
    human.city = city;
    return (uint32_t)world_apply(world, &human).record;
}

static bool is_open(const struct world *world, uint32_t left, uint32_t right)
{
    for (uint32_t i = 0; i < world->mpi->applied.reviews; i++) {
        const struct review *review = CHUNK_AT(&world->mpi->asked, i);
        if (review->open_applied &&
            ((review->left == left && review->right == right) || (review->left == right && review->right == left)))
            return true;
    }
    return false;
}

static uint64_t open_count(const struct world *world)
{
    return world->mpi->applied.reviews_open;
}

static void decide(struct world *world, enum mpi_decision_kind kind, uint32_t left, uint32_t right, uint64_t undoes)
{
    struct mpi_result result;
    assert_ok(&world->support, world_steward(world, kind, left, right, undoes, &result));
    asked_check(world->mpi, "decided", 0, (int)world->seq);
}

/* Two who say the same ask about each other; who is a little like them asks about one of them. */
static void test_question__is_about_the_one_who_is_most_alike(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint32_t jon = add(&world, "jon", "Jon", NULL), one = add(&world, "one", "John", NULL);
    assert_true(is_open(&world, jon, one));
    uint32_t two = add(&world, "two", "John", NULL);
    assert_true(is_open(&world, one, two));
    assert_true(is_open(&world, jon, one) != is_open(&world, jon, two));
    assert_int_equal(open_count(&world), 2);
    asked_check(world.mpi, "three", 0, 0);
    world_fini(&world);
}

/* Each answer brings the next question; an undone one brings back the one before. */
static void test_question__gives_way_to_the_next_when_it_is_answered(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint32_t one = add(&world, "one", "John", "Leeds"), two = add(&world, "two", "John", "York"),
             three = add(&world, "three", "John", "Hull");
    bool first_asks_two = is_open(&world, one, two);
    uint64_t before = open_count(&world);
    assert_int_equal(before, 2); /* all equally alike: a chain or a fork */
    asked_check(world.mpi, "three", 0, 0);
    uint32_t left = one, right = first_asks_two ? two : three, rest = first_asks_two ? three : two;
    decide(&world, MPI_DECISION_DIFFERENT, left, right, 0);
    uint64_t different = world.seq;
    assert_false(is_open(&world, left, right));
    assert_true(is_open(&world, left, rest) && is_open(&world, right, rest));
    decide(&world, MPI_DECISION_SAME, left, rest, 0);
    assert_int_equal(open_count(&world), 0); /* the third is not the first, so it is not the two */
    decide(&world, MPI_DECISION_UNDO, 0, 0, world.seq);
    assert_true(is_open(&world, left, rest) && is_open(&world, right, rest));
    decide(&world, MPI_DECISION_UNDO, 0, 0, different);
    assert_int_equal(open_count(&world), before);
    assert_true(is_open(&world, left, right));
    world_fini(&world);
}

/* Whoever becomes the first of those who say the same is asked about by all of them. */
static void test_crowd__asks_about_its_first(void **state)
{
    (void)state;
    enum { CROWD = 60 };
    struct world world;
    world_init(&world);
    for (unsigned i = 0; i < CROWD; i++) {
        char id[16];
        snprintf(id, sizeof id, "%u", i);
        (void)add(&world, id, "John", NULL);
        assert_int_equal(open_count(&world), i);
        asked_check(world.mpi, "crowd", 0, (int)i);
    }
    for (unsigned i = 0; i < CROWD; i += 7) { /* one after the other turns out to be somebody else */
        char id[16], family[16];
        snprintf(id, sizeof id, "%u", i);
        snprintf(family, sizeof family, "Nakamura%c", 'a' + (char)(i % 26));
        struct human other = {.id = id, .family = family, .given = "Kenta", .birth = "19880309", .sex = 'M'};
        (void)world_apply(&world, &other);
        asked_check(world.mpi, "crowd left", 0, (int)i);
    }
    world_reopen(&world);
    asked_check(world.mpi, "crowd opened", 0, 0);
    world_fini(&world);
}

/* ---- in any order ---- */

enum { PEOPLE = 70, DECISIONS = 8 };

static void shuffle(uint32_t *order, uint32_t count, uint64_t *random)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; i-- > 1;) {
        uint32_t k = (uint32_t)(hash_random(random) % (i + 1)), at = order[i];
        order[i] = order[k];
        order[k] = at;
    }
}

static uint64_t key_of(const struct mpi *mpi, uint32_t record)
{
    return entry_at(mpi, APPLIED, record)->own_key;
}

static int order_keys(const void *left, const void *right)
{
    return memcmp(left, right, 2 * sizeof(uint64_t));
}

/* What is open, by the identifiers of the two, sorted. */
static size_t open_pairs(const struct mpi *mpi, uint64_t (*pairs)[2])
{
    size_t count = 0;
    for (uint32_t i = 0; i < mpi->applied.reviews; i++) {
        const struct review *review = CHUNK_AT(&mpi->asked, i);
        if (!review->open_applied)
            continue;
        uint64_t a = key_of(mpi, review->left), b = key_of(mpi, review->right);
        pairs[count][0] = a < b ? a : b;
        pairs[count++][1] = a < b ? b : a;
    }
    qsort(pairs, count, sizeof pairs[0], order_keys);
    return count;
}

/* The people of a seed in some order, many to an entry, and in the end the decisions, which are always the same. */
static size_t ask_in_order(uint64_t seed, uint64_t order_seed, uint64_t (*pairs)[2])
{
    struct world world;
    uint32_t order[PEOPLE];
    world_init_capped(&world, seed % 2 ? BLOCK_CAP_DEFAULT : 3);
    shuffle(order, PEOPLE, &order_seed);
    for (uint32_t i = 0; i < PEOPLE; i++) {
        uint64_t random = seed * 1000 + order[i];
        struct person_text text;
        people_make(&random, order[i], (uint32_t)(hash_random(&random) % 18), &text);
        (void)world_apply(&world, &text.human);
        world.seq -= hash_random(&order_seed) % 3 != 0;
    }
    for (uint64_t i = 0, random = seed; i < DECISIONS; i++) {
        char left[12], right[12];
        struct mpi_result result;
        snprintf(left, sizeof left, "%u", (unsigned)(hash_random(&random) % PEOPLE));
        snprintf(right, sizeof right, "%u", (unsigned)(hash_random(&random) % PEOPLE));
        IGNORE(world_message(&world, i % 2 ? MPI_DECISION_LINK : MPI_DECISION_UNLINK, left, right, &result));
    }
    asked_check(world.mpi, "in order", seed, 0);
    size_t count = open_pairs(world.mpi, pairs);
    world_fini(&world);
    return count;
}

static void test_questions__are_the_same_in_every_order(void **state)
{
    (void)state;
    static uint64_t first[PEOPLE * 2][2], other[PEOPLE * 2][2];
    for (uint64_t seed = 1; seed < 9; seed++) {
        size_t count = ask_in_order(seed, 0, first);
        assert_true(count > 0 && count <= PEOPLE);
        for (uint64_t order = 1; order < 6; order++) {
            assert_int_equal(ask_in_order(seed, order, other), count);
            assert_memory_equal(first, other, count * sizeof first[0]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_question__is_about_the_one_who_is_most_alike),
                                       cmocka_unit_test(test_question__gives_way_to_the_next_when_it_is_answered),
                                       cmocka_unit_test(test_crowd__asks_about_its_first),
                                       cmocka_unit_test(test_questions__are_the_same_in_every_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
