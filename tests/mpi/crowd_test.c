/*
 * Crowds: what many have in common must not take apart what few have. Nobody's link may depend on how many strangers
 * share a name, a phone or a year; ten thousand copies are one body; whoever comes and goes leaves no trace.
 */
#include "crowd.h"
#include "same.h"

#include "base/csv.h"
#include "base/file.h"

/* ---- pairs among strangers ---- */

/* What all of a crowd have in common. */
struct crowd_case {
    const char *what;
    uint32_t strangers;
    struct human left, right, common; /* of common: what is set */
    bool year;                        /* of the birth date only the year is common */
    bool linked;                      /* the two are one person, and the strangers nobody's */
};

static const struct human one = {.id = "p1",
                                 .family = "Thornbury",
                                 .given = "Helga",
                                 .birth = "19800601",
                                 .sex = 'F',
                                 .phone = "2065550143",
                                 .line = "12 Elm St",
                                 .postcode = "98101"};
#define SAME(...)                                                                                                      \
    {                                                                                                                  \
        .id = "p2", .family = "Thornbury", .given = "Helga", .sex = 'F', __VA_ARGS__                                   \
    }

static const struct crowd_case crowds[] = {
    {.what = "both names",
     .strangers = 5000,
     .left = one,
     .right = SAME(.birth = "19800611"),
     .common = {.family = "Thornbury", .given = "Helga"}},
    {.what = "both names and the year",
     .strangers = 5000,
     .left = one,
     .right = SAME(.birth = "19800611"),
     .common = {.family = "Thornbury", .given = "Helga", .birth = "1980"},
     .year = true},
    {.what = "both names and the birth date",
     .strangers = 1000,
     .left = one,
     .right = SAME(.birth = "19800601", .phone = "2065550143"),
     .common = {.family = "Thornbury", .given = "Helga", .birth = "19800601"}},
    {.what = "the birth date",
     .strangers = 3000,
     .left = one,
     .right = SAME(.birth = "19800601"),
     .common = {.birth = "19800601"},
     .linked = true},
    {.what = "a phone",
     .strangers = 20000,
     .left = one,
     .right = SAME(.birth = "19800601", .phone = "2065550143"),
     .common = {.phone = "2065550143"},
     .linked = true},
    {.what = "a house",
     .strangers = 3000,
     .left = one,
     .right = SAME(.birth = "19800601", .line = "12 Elm St", .postcode = "98101"),
     .common = {.line = "12 Elm St", .postcode = "98101"},
     .linked = true},
    {.what = "a national number",
     .strangers = 3000,
     .left = {.id = "p1", .family = "Thornbury", .given = "Helga", .birth = "19800601", .sex = 'F', .ssn = "536221043"},
     .right = SAME(.ssn = "536221043"),
     .common = {.ssn = "536221043"}},
};

static void add_stranger(struct crowd *crowd, const struct crowd_case *at, uint64_t *random, uint32_t number)
{
    struct stranger stranger;
    make_stranger(random, number, &stranger);
    struct human *human = &stranger.human;
    const struct human *common = &at->common;
    human->family = common->family ? common->family : human->family;
    human->given = common->given ? common->given : human->given;
    human->phone = common->phone ? common->phone : human->phone;
    human->ssn = common->ssn ? common->ssn : human->ssn;
    human->line = common->line ? common->line : human->line;
    human->postcode = common->postcode ? common->postcode : human->postcode;
    if (at->year)
        memcpy(stranger.birth, common->birth, 4);
    else if (common->birth)
        human->birth = common->birth;
    (void)crowd_add(crowd, human);
}

static void check_crowd(const struct crowd_case *at)
{
    struct crowd crowd;
    crowd_init(&crowd, BLOCK_CAP_DEFAULT);
    uint64_t random = 7;
    uint32_t left = crowd_add(&crowd, &at->left), right = crowd_add(&crowd, &at->right);
    assert_non_null(index_edge(crowd.mpi, APPLIED, left, right));
    assert_true(!at->linked || person_of(&crowd, left) == person_of(&crowd, right));
    for (uint32_t i = 0; i < at->strangers; i++) {
        add_stranger(&crowd, at, &random, i);
        if (index_edge(crowd.mpi, APPLIED, left, right) == NULL)
            fail_msg("%s: no longer put side by side after %u strangers", at->what, i + 1);
        if (at->linked && person_of(&crowd, left) != person_of(&crowd, right))
            fail_msg("%s: two persons after %u strangers", at->what, i + 1);
    }
    crowd_tell(&crowd, at->what);
    for (uint32_t i = crowd.mpi->applied.records; i > 2 && i + 300 > crowd.mpi->applied.records; i--)
        crowd_remove(&crowd, i);
    crowd_tell(&crowd, "and 300 of them gone");
    assert_non_null(index_edge(crowd.mpi, APPLIED, left, right));
    crowd_fini(&crowd);
}

static void test_pair__stays_linked_whatever_strangers_share_with_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crowds / sizeof crowds[0]; i++)
        check_crowd(&crowds[i]);
}

/* ---- copies ---- */

static void test_copies__are_one_body_without_edges_and_one_person(void **state)
{
    (void)state;
    enum { COPIES = 10000 };
    struct crowd crowd;
    crowd_init(&crowd, BLOCK_CAP_DEFAULT);
    for (uint32_t i = 1; i <= COPIES; i++) {
        char id[16];
        struct human human = one;
        snprintf(id, sizeof id, "c%u", i);
        human.id = id;
        assert_int_equal(crowd_add(&crowd, &human), i);
        assert_int_equal(person_of(&crowd, i), 1);
        assert_int_equal(entry_at(crowd.mpi, APPLIED, i)->edge_count, 0);
    }
    crowd_tell(&crowd, "copies");
    struct human nearly = one; /* an outsider has one edge, to the one that stands for all */
    nearly.id = "n";
    nearly.birth = "19800611";
    uint32_t outsider = crowd_add(&crowd, &nearly), first = index_first(crowd.mpi, APPLIED, 1);
    assert_int_equal(entry_at(crowd.mpi, APPLIED, outsider)->edge_count, 1);
    assert_non_null(index_edge(crowd.mpi, APPLIED, outsider, first));
    crowd_remove(&crowd, first);
    assert_int_equal(entry_at(crowd.mpi, APPLIED, outsider)->edge_count, 1);
    assert_non_null(index_edge(crowd.mpi, APPLIED, outsider, index_first(crowd.mpi, APPLIED, first == 1 ? 2 : 1)));
    for (uint32_t i = 1; i <= COPIES; i++)
        assert_int_equal(index_first(crowd.mpi, APPLIED, i) == first, i == first);
    crowd_fini(&crowd);
}

/* Who says too little to be linked stays apart, and each asks once. */
static void test_copies_of_too_little__stay_apart_and_each_asks_one_question(void **state)
{
    (void)state;
    enum { COPIES = 200 };
    struct world world;
    world_init(&world);
    for (uint32_t i = 0; i < COPIES; i++) {
        char id[16];
        struct human human = {.id = id, .family = "Smith", .given = "John", .birth = "19700106", .sex = 'M'};
        snprintf(id, sizeof id, "%u", i);
        struct mpi_result result = world_apply(&world, &human);
        assert_int_equal(result.verdict, i == 0 ? MPI_VERDICT_NEW : MPI_VERDICT_REVIEW);
        assert_int_equal(result.person, result.record);
        assert_int_equal(entry_at(world.mpi, APPLIED, (uint32_t)result.record)->edge_count, 0);
    }
    assert_int_equal(world.mpi->applied.reviews_open, COPIES - 1);
    world_reopen(&world);
    assert_int_equal(mpi_count(world.mpi).reviews_open, COPIES - 1);
    world_fini(&world);
}

static uint32_t add_nearly(struct crowd *crowd, uint32_t number)
{
    char id[16], phone[16];
    struct human human = one;
    snprintf(id, sizeof id, "n%u", number);
    snprintf(phone, sizeof phone, "206%07u", number * 137);
    human.id = id;
    human.phone = phone;
    return crowd_add(crowd, &human);
}

/* Who differ in nothing that is rare share every key, narrowed as far as it goes; one more, and they meet by halves. */
static void test_nearly_the_same__meet_up_to_the_last_cap_and_by_halves_beyond(void **state)
{
    (void)state;
    enum { CAP = 3, MEET = CAP * LAST_CAPS };
    struct crowd crowd;
    crowd_init(&crowd, CAP);
    uint32_t halves[2] = {0};
    for (uint32_t i = 1; i <= MEET; i++) {
        assert_int_equal(add_nearly(&crowd, i), i);
        for (uint32_t k = 1; k <= i; k++)
            assert_int_equal(entry_at(crowd.mpi, APPLIED, k)->edge_count, i - 1);
    }
    (void)add_nearly(&crowd, MEET + 1);
    for (uint32_t i = 1; i <= MEET + 1; i++)
        halves[entry_at(crowd.mpi, APPLIED, i)->own_key & 1]++;
    for (uint32_t i = 1; i <= MEET + 1; i++)
        assert_int_equal(entry_at(crowd.mpi, APPLIED, i)->edge_count,
                         halves[entry_at(crowd.mpi, APPLIED, i)->own_key & 1] - 1);
    crowd_remove(&crowd, 1);
    for (uint32_t i = 2; i <= MEET + 1; i++)
        assert_int_equal(entry_at(crowd.mpi, APPLIED, i)->edge_count, MEET - 1);
    crowd_fini(&crowd);
}

/* However many: nobody is left alone, and an entry costs no more than before. */
static void test_nearly_the_same__are_few_persons_however_many_they_are(void **state)
{
    (void)state;
    enum { RECORDS = 1200 };
    struct crowd crowd;
    crowd_init(&crowd, 16);
    for (uint32_t i = 1; i <= RECORDS; i++)
        (void)add_nearly(&crowd, i);
    crowd_tell(&crowd, "nearly the same");
    assert_true(crowd.mpi->applied.persons <= RECORDS / 16);
    for (uint32_t i = 1; i <= RECORDS; i++)
        assert_true(entry_at(crowd.mpi, APPLIED, i)->edge_count < 16 * LAST_CAPS);
    crowd_fini(&crowd);
}

/* ---- what is known of pairs that never met ---- */

static void test_why__says_when_two_were_never_put_side_by_side(void **state)
{
    (void)state;
    struct world world;
    world_init_capped(&world, 2);
    struct human left = one, right = one;
    left.phone = right.line = right.postcode = NULL;
    right.id = "p2";
    right.birth = "19700601"; /* of the date the year differs */
    (void)world_apply(&world, &left);
    (void)world_apply(&world, &right);
    world_commit(&world);
    struct mpi_why why;
    assert_ok(&world.support, mpi_why(world.mpi, &world.support.cx, 1, 2, &why));
    assert_true(why.now.score_mbit >= world.mpi->model->review_mbit);
    assert_null(strstr(why.sentence.data, "never put side by side"));
    static const char *const years[] = {"1981", "1982", "1983"};
    for (size_t i = 0; i < 3; i++) { /* too many of the name, too many born on that day of the year */
        char id[8], birth[12];
        struct human stranger = {.id = id, .family = "Thornbury", .given = "Helga", .birth = birth, .sex = 'F'};
        snprintf(id, sizeof id, "s%zu", i);
        snprintf(birth, sizeof birth, "%s0601", years[i]);
        (void)world_apply(&world, &stranger);
    }
    world_commit(&world);
    assert_null(index_edge(world.mpi, SHOWN, 1, 2));
    assert_ok(&world.support, mpi_why(world.mpi, &world.support.cx, 2, 1, &why));
    assert_non_null(strstr(why.sentence.data, "never put side by side"));
    world_fini(&world);
}

/* ---- there and back ---- */

/* A block that is filled over the cap and emptied again leaves the index that never saw it. */
static void test_crowd__that_comes_and_goes_leaves_no_trace(void **state)
{
    (void)state;
    struct crowd quiet, crowded;
    crowd_init(&quiet, 8);
    crowd_init(&crowded, 8);
    uint64_t random = 3;
    for (uint32_t i = 0; i < 40; i++) {
        struct stranger stranger;
        make_stranger(&random, i, &stranger);
        stranger.human.family = i % 2 ? "Thornbury" : "Lindqvist";
        stranger.human.given = i % 3 ? "Helga" : "Anna";
        memcpy(stranger.birth, "1980", 4);
        (void)crowd_add(&quiet, &stranger.human);
        (void)crowd_add(&crowded, &stranger.human);
    }
    for (uint32_t i = 100; i < 200; i++)
        add_stranger(&crowded, &crowds[1], &random, i);
    for (uint32_t i = crowded.mpi->applied.records; i > 40; i--)
        crowd_remove(&crowded, i);
    for (uint32_t i = 1; i <= 40; i++) {
        same_entry(quiet.mpi, crowded.mpi, APPLIED, i);
        same_blocks(quiet.mpi, crowded.mpi, APPLIED, i);
        same_members(quiet.mpi, crowded.mpi, APPLIED, i);
    }
    crowd_fini(&quiet);
    crowd_fini(&crowded);
}

/* ---- files of people that were once got wrong ---- */

static char *column_text(struct support *support, const struct csv *csv, int column)
{
    struct str s = column >= 0 && (size_t)column < csv->count ? csv->fields[column] : STR_NONE;
    return s.len ? (char *)arena_str(&support->arena, s).data : NULL;
}

/* Answers how many records the file brought; every one in an entry of its own, or all of them in one. */
static size_t apply_file(struct world *world, const char *path, bool in_one_entry)
{
    struct support *support = &world->support;
    struct buf *text = arena_alloc(&support->arena, sizeof *text);
    assert_ok(support, file_read(&support->cx, path, 1 << 20, text));
    struct csv csv;
    int columns[6] = {0};
    static const char *const names[6] = {"id", "family", "given", "birth_date", "sex", "phone"};
    size_t count = 0;
    csv_init(&csv, buf_str(text), ',', true, &support->arena);
    assert_true(csv_next(&csv));
    for (size_t i = 0; i < 6; i++)
        columns[i] = csv_column(&csv, names[i]);
    for (; csv_next(&csv); count++) {
        char birth[12] = {0};
        const char *date = column_text(support, &csv, columns[3]), *sex = column_text(support, &csv, columns[4]);
        for (size_t i = 0; date && *date && i < 8; date++)
            if (*date != '-')
                birth[i++] = *date;
        struct human human = {.id = column_text(support, &csv, columns[0]),
                              .family = column_text(support, &csv, columns[1]),
                              .given = column_text(support, &csv, columns[2]),
                              .birth = birth,
                              .sex = sex ? sex[0] : 0,
                              .phone = column_text(support, &csv, columns[5])};
        (void)world_apply(world, &human);
        world->seq -= in_one_entry;
    }
    world->seq += in_one_entry;
    assert_null(csv.bad);
    buf_fini(text);
    return count;
}

static const char *case_file(struct support *support, const char *name)
{
    const char *path = support_data(support, arena_printf(&support->arena, "cases/identity/%s", name).data);
    if (path == NULL)
        print_message("skipped: no data\n");
    return path;
}

static void test_copies_of_a_file__are_one_person_below_the_cap_and_above(void **state)
{
    (void)state;
    static const char *const files[] = {"identical_128.csv", "identical_129.csv"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct world world;
        world_init(&world);
        const char *path = case_file(&world.support, files[i]);
        if (path) {
            assert_int_equal(apply_file(&world, path, false), 128 + i);
            assert_int_equal(world.mpi->applied.persons, 1);
            assert_int_equal(world.mpi->applied.reviews_open, 0);
        }
        world_fini(&world);
    }
}

static void test_pair_of_a_file__stays_as_it_was_when_the_strangers_of_another_come(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    const char *pair = case_file(&world.support, "lost_1_pair.csv"),
               *strangers = case_file(&world.support, "lost_2_strangers.csv");
    if (pair && strangers) {
        assert_int_equal(apply_file(&world, pair, false), 2);
        bool linked = entry_at(world.mpi, APPLIED, 1)->person == entry_at(world.mpi, APPLIED, 2)->person;
        int32_t score = index_edge(world.mpi, APPLIED, 1, 2)->score_mbit;
        assert_true(apply_file(&world, strangers, false) > 200);
        assert_non_null(index_edge(world.mpi, APPLIED, 1, 2));
        assert_int_equal(index_edge(world.mpi, APPLIED, 1, 2)->score_mbit, score);
        assert_int_equal(entry_at(world.mpi, APPLIED, 1)->person == entry_at(world.mpi, APPLIED, 2)->person, linked);
    }
    world_fini(&world);
}

static void test_reviews_of_a_file__are_the_same_whether_its_records_come_at_once_or_one_by_one(void **state)
{
    (void)state;
    struct world one_by_one, at_once;
    struct mpi_model curious = *mpi_model_general(); /* asks on little, so that there is something to ask */
    curious.review_mbit = -12000;
    world_init(&one_by_one);
    world_init(&at_once);
    one_by_one.mpi->model = at_once.mpi->model = &curious;
    const char *path = case_file(&at_once.support, "reviews_cap.csv");
    if (path) {
        assert_int_equal(apply_file(&one_by_one, path, false), apply_file(&at_once, path, true));
        assert_true(at_once.mpi->applied.reviews_open > 0);
        assert_int_equal(at_once.mpi->applied.reviews, one_by_one.mpi->applied.reviews);
        for (uint32_t i = 0; i < at_once.mpi->applied.reviews; i++) {
            const struct review *a = CHUNK_AT(&at_once.mpi->asked, i), *b = CHUNK_AT(&one_by_one.mpi->asked, i);
            assert_int_equal(a->left, b->left);
            assert_int_equal(a->right, b->right);
            assert_int_equal(a->open_applied, b->open_applied);
        }
    }
    world_fini(&one_by_one);
    world_fini(&at_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pair__stays_linked_whatever_strangers_share_with_it),
        cmocka_unit_test(test_copies__are_one_body_without_edges_and_one_person),
        cmocka_unit_test(test_copies_of_too_little__stay_apart_and_each_asks_one_question),
        cmocka_unit_test(test_nearly_the_same__meet_up_to_the_last_cap_and_by_halves_beyond),
        cmocka_unit_test(test_nearly_the_same__are_few_persons_however_many_they_are),
        cmocka_unit_test(test_why__says_when_two_were_never_put_side_by_side),
        cmocka_unit_test(test_copies_of_a_file__are_one_person_below_the_cap_and_above),
        cmocka_unit_test(test_pair_of_a_file__stays_as_it_was_when_the_strangers_of_another_come),
        cmocka_unit_test(test_reviews_of_a_file__are_the_same_whether_its_records_come_at_once_or_one_by_one),
        cmocka_unit_test(test_crowd__that_comes_and_goes_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
