/* What two rows say is the same from both sides, has a name, and adds up. */
#include "support.h"

#include "base/hash.h"
#include "study_internal.h"

#include <math.h>

/* ---- records of few values, so that everything agrees, half agrees and is absent often ---- */

enum { LIST_MAX = 3, RECORDS = 250 };

struct drawn {
    struct mpi_identifier identifiers[1 + LIST_MAX];
    struct mpi_name names[LIST_MAX];
    struct str phones[LIST_MAX], emails[LIST_MAX];
    struct mpi_address addresses[LIST_MAX];
    struct mpi_record_input input;
};

static struct str pick(uint64_t *seed, const char *const *from, size_t count)
{
    return str_from(from[hash_random(seed) % count]);
}
#define PICK(seed, ...)                                                                                                \
    pick(seed, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct mpi_name draw_name(uint64_t *seed)
{
    return (struct mpi_name){.family = PICK(seed, "Smith", "Smith", "Smyth", "Smithe", "Garcia Lopez", "Garcia",
                                            "van der Berg", "van Dyk", "Anna", "Maria", "Lindqvist", "Okonkwo",
                                            "UNKNOWN", "X", ""),
                             .given = PICK(seed, "Anna", "Ana", "Hannah", "Anna Maria", "Maria", "A", "Robert", "Bob",
                                           "Baby of", "Smith", "Jon", "John", ""),
                             .middle = PICK(seed, "", "", "Maria", "M", "Robert", "Marie", "Smith"),
                             .suffix = PICK(seed, "", "", "", "Jr", "Sr")};
}

static struct date draw_birth(uint64_t *seed)
{
    static const struct date dates[] = {{0, 0, 0},    {1970, 5, 6},  {1970, 6, 5},   {1970, 5, 7}, {1970, 5, 26},
                                        {1970, 1, 1}, {1970, 0, 0},  {1970, 5, 0},   {1971, 0, 0}, {1971, 5, 6},
                                        {1997, 5, 6}, {1970, 12, 6}, {1964, 11, 71}, {1940, 5, 6}, {1985, 3, 30}};
    return dates[hash_random(seed) % (sizeof dates / sizeof dates[0])];
}

static void draw(uint64_t *seed, char *id, struct drawn *out)
{
    *out = (struct drawn){0};
    size_t counts[5];
    for (size_t i = 0; i < 5; i++)
        counts[i] = hash_random(seed) % (LIST_MAX + 1);
    out->identifiers[0] = (struct mpi_identifier){PICK(seed, "A", "B"), str_from(id), STR("MR")};
    for (size_t i = 0; i < LIST_MAX; i++) {
        out->identifiers[i + 1] = (struct mpi_identifier){
            STR("USA"), PICK(seed, "536221001", "536221002", "536222001", "536221001"), PICK(seed, "SS", "DL", "PPN")};
        out->names[i] = draw_name(seed);
        out->phones[i] = PICK(seed, "2065550112", "2065550113", "2065559912", "4155550100");
        out->emails[i] = PICK(seed, "annas@example.org", "annas@mail.example", "anna.s@example.org", "bob@x.example");
        out->addresses[i] =
            (struct mpi_address){.line = PICK(seed, "12 Elm St", "12 Elmo St", "7 Oak Ave", "Oak Ave", ""),
                                 .city = PICK(seed, "Seattle", "Seatle", "Saint Paul", ""),
                                 .postcode = PICK(seed, "98101", "98102", "55101", "")};
    }
    out->input = (struct mpi_record_input){
        .source = STR("S"), .identifiers = out->identifiers, .identifier_count = 1 + counts[0]};
    out->input.demographics = (struct mpi_demographics){
        .names = out->names,
        .name_count = counts[1],
        .phones = out->phones,
        .phone_count = counts[2],
        .emails = out->emails,
        .email_count = counts[3],
        .addresses = out->addresses,
        .address_count = counts[4],
        .birth_date = draw_birth(seed),
        .birth_place = PICK(seed, "", "Lagos", "Lagoss", "Saint Paul", "Saint Cloud"),
        .mother = {.family = PICK(seed, "", "Moreau", "Moreaux"), .given = PICK(seed, "", "Eve")},
        .sex = "FMU"[hash_random(seed) % 3],
        .multiple_birth = hash_random(seed) % 8 == 0,
        .birth_order = (uint8_t)(hash_random(seed) % 3)};
}

static struct mpi_study *draw_study(struct support *support, uint64_t seed)
{
    struct mpi_study *study = mpi_study_new();
    for (unsigned i = 0; i < RECORDS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%u", i);
        struct drawn drawn;
        draw(&seed, id, &drawn);
        uint32_t record;
        assert_ok(support, mpi_study_add(study, &support->cx, &drawn.input, &record));
    }
    return study;
}

/* ---- what holds of every pair ---- */

static void check_pair(const struct mpi_model *model, const struct mpi_row *left, const struct mpi_row *right)
{
    struct levels there, back;
    compare_rows(left, right, &there);
    compare_rows(right, left, &back);
    assert_memory_equal(&there, &back, sizeof there); /* levels and rarities */
    struct mpi_comparison comparison;
    explain_levels(model, &there, 1, 2, &comparison);
    int32_t sum = 0;
    for (uint32_t i = 0; i < comparison.evidence_count; i++) {
        assert_non_null(comparison.evidence[i].field);
        assert_non_null(comparison.evidence[i].level);
        sum += comparison.evidence[i].weight_mbit;
    }
    assert_int_equal(sum, comparison.score_mbit);
    assert_int_equal(weigh_levels(model, &back), comparison.score_mbit);
}

/* Left off early or not, it says the same. */
static void check_reach(const struct mpi_model *model, const struct mpi_row *left, const struct mpi_row *right)
{
    struct reach reach;
    struct levels whole, levels;
    reach_make(&reach, model);
    compare_rows(left, right, &whole);
    int32_t score = weigh_levels(model, &whole), got;
    const int32_t least[] = {INT32_MIN, model->review_mbit, model->auto_mbit, score - 1, score, score + 1};
    for (size_t i = 0; i < sizeof least / sizeof least[0]; i++) {
        bool reaches = reach_compare(&reach, left, right, least[i], &levels, &got);
        if (reaches != (score >= least[i]))
            fail_msg("score %d, at least %d: %s", score, least[i], reaches ? "reached" : "given up");
        if (!reaches)
            continue;
        assert_int_equal(got, score);
        assert_memory_equal(&levels, &whole, sizeof levels);
    }
}

static void check_all_pairs(const struct mpi_study *study, const struct mpi_model *model)
{
    for (uint32_t left = 1; left <= RECORDS; left++)
        for (uint32_t right = left; right <= RECORDS; right++) {
            const struct mpi_row *a = entry_at(study->mpi, APPLIED, left)->row;
            const struct mpi_row *b = entry_at(study->mpi, APPLIED, right)->row;
            check_pair(model, a, b);
            check_reach(model, a, b);
        }
}

static void test_comparisons__are_the_same_from_both_sides_have_names_and_add_up(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = draw_study(&support, 5);
    study_see_by(study, mpi_model_general());
    check_all_pairs(study, mpi_model_general());
    struct mpi_model *model;
    struct mpi_training training;
    mpi_study_train(study, &model, &training);
    check_all_pairs(study, model); /* by how often values occur here */
    mpi_study_free(study);
    mpi_model_free(model);
    support_fini(&support);
}

/* Also of levels that no two rows stand at together. */
static void test_evidence__adds_up_whatever_the_levels(void **state)
{
    (void)state;
    uint64_t seed = 3;
    struct mpi_model *model = mpi_model_guessing(mpi_model_general());
    for (int round = 0; round < 100000; round++) {
        struct levels levels = {0};
        model->namesake_mbit = (int32_t)(hash_random(&seed) % 9000);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            size_t level = hash_random(&seed) % LEVELS_MAX;
            levels.at[i] = model_fields[i].levels[level] ? (uint8_t)level : 0;
            levels.rarity[i] = levels.at[i] && hash_random(&seed) % 3 == 0 ? hash_random(&seed) % (RARITY_TOP + 1) : 0;
        }
        struct mpi_comparison comparison;
        explain_levels(model, &levels, 1, 2, &comparison);
        int32_t sum = 0;
        for (uint32_t i = 0; i < comparison.evidence_count; i++)
            sum += comparison.evidence[i].weight_mbit;
        assert_int_equal(sum, comparison.score_mbit);
        assert_true(comparison.evidence_count <= MPI_EVIDENCE_MAX);
    }
    mpi_model_free(model);
}

/* A record that says a name with and without the middle one still shares the middle name. */
static void test_middle_name__counts_where_a_name_is_said_without_it_too(void **state)
{
    (void)state;
    struct mpi_identifier own = {STR("A"), STR("1"), STR("MR")};
    struct mpi_name names[] = {{.family = STR("Okafor"), .given = STR("Ada")},
                               {.family = STR("Okafor"), .given = STR("Ada"), .middle = STR("Rose")},
                               {.family = STR("Okafor"), .given = STR("Ada"), .middle = STR("June")}};
    static const struct {
        size_t left_from, left_count, right;
        uint8_t want;
    } cases[] = {{0, 2, 1, NAME_EXACT},
                 {0, 2, 0, NAME_ABSENT},
                 {0, 2, 2, NAME_ABSENT},
                 {1, 2, 2, NAME_EXACT},
                 {1, 1, 2, NAME_DIFFERS}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union row_space left, right;
        struct mpi_demographics said = {.names = names + cases[i].left_from, .name_count = cases[i].left_count};
        row_make(&own, 1, &said, NULL, 0, &left);
        said = (struct mpi_demographics){.names = names + cases[i].right, .name_count = 1};
        row_make(&own, 1, &said, NULL, 0, &right);
        struct levels there, back;
        compare_rows(&left.row, &right.row, &there);
        compare_rows(&right.row, &left.row, &back);
        assert_int_equal(there.at[FIELD_MIDDLE], cases[i].want);
        assert_memory_equal(&there, &back, sizeof there);
    }
}

/* Of its only address. */
static void set_address_rarity(union row_space *space, uint8_t rarity)
{
    struct mpi_row_address *address = (void *)(space->bytes + row_addresses_at(&space->row));
    address->house_rarity = address->city_rarity = rarity;
}

/* A house that many have stays one when its street is written with a slip; so does a city. */
static void test_address__is_as_common_as_the_commoner_of_its_two_spellings(void **state)
{
    (void)state;
    struct mpi_identifier own = {STR("A"), STR("1"), STR("MR")};
    struct mpi_address one = {.line = STR("12 Harbour Street"), .city = STR("Seattle")}, other = one;
    static const struct {
        const char *line;
        uint8_t level, left, right, want;
    } cases[] = {{"12 Harbor Street", ADDRESS_HOUSE, 20, 0, 20},
                 {"12 Harbour Street", ADDRESS_HOUSE, 20, 20, 20},
                 {"12 Harbor Street", ADDRESS_HOUSE, 0, 0, 0},
                 {"9 Oak Ave", ADDRESS_CITY, 4, 48 | RARITY_KNOWN, 4},
                 {"9 Oak Ave", ADDRESS_CITY, 4 | RARITY_KNOWN, 4 | RARITY_KNOWN, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        union row_space left, right;
        struct levels there, back;
        other.line = str_from(cases[i].line);
        row_make(&own, 1, &(struct mpi_demographics){.addresses = &one, .address_count = 1}, NULL, 0, &left);
        row_make(&own, 1, &(struct mpi_demographics){.addresses = &other, .address_count = 1}, NULL, 0, &right);
        set_address_rarity(&left, cases[i].left);
        set_address_rarity(&right, cases[i].right);
        compare_rows(&left.row, &right.row, &there);
        compare_rows(&right.row, &left.row, &back);
        assert_int_equal(there.at[FIELD_ADDRESS], cases[i].level);
        assert_int_equal(there.rarity[FIELD_ADDRESS], cases[i].want);
        assert_memory_equal(&there, &back, sizeof there);
    }
}

/* ---- what several records say together ---- */

static struct levels joined(const struct mpi_model *model, struct levels left, const struct levels *right)
{
    levels_join(model, &left, right);
    return left;
}

/* Levels of any kind, with rarities where a value can be shared. */
static struct levels draw_levels(uint64_t *seed)
{
    struct levels levels = {0};
    for (size_t field = 0; field < FIELD_COUNT; field++) {
        size_t level = hash_random(seed) % LEVELS_MAX;
        if (model_fields[field].levels[level])
            levels.at[field] = (uint8_t)level;
        if (levels.at[field] == 1 && hash_random(seed) % 2)
            levels.rarity[field] = (uint8_t)(hash_random(seed) % RARITY_TOP + 1);
    }
    return levels;
}

static void test_what_is_known__does_not_depend_on_who_said_it_first(void **state)
{
    (void)state;
    const struct mpi_model *model = mpi_model_general();
    uint64_t seed = 5;
    for (int round = 0; round < 20000; round++) {
        struct levels none = {0}, a = draw_levels(&seed), b = draw_levels(&seed), c = draw_levels(&seed);
        a = joined(model, none, &a); /* without what only warns */
        struct levels ab = joined(model, a, &b), bc = joined(model, b, &c), ba = joined(model, b, &a);
        struct levels left = joined(model, ab, &c), right = joined(model, a, &bc), once = joined(model, ab, &b);
        ba = joined(model, none, &ba);
        right = joined(model, none, &right);
        assert_memory_equal(&ab, &ba, sizeof ab);
        assert_memory_equal(&left, &right, sizeof left);
        assert_memory_equal(&once, &ab, sizeof once);
    }
}

static void test_what_is_known__is_the_best_of_each_and_hides_nothing(void **state)
{
    (void)state;
    const struct mpi_model *model = mpi_model_general();
    struct levels old = {.at = {[FIELD_FAMILY] = NAME_EXACT,
                                [FIELD_GIVEN] = NAME_DIFFERS,
                                [FIELD_PHONE] = LIST_DIFFERS,
                                [FIELD_ADDRESS] = ADDRESS_HOUSE,
                                [FIELD_AUTHORITY] = SAME_EXACT}};
    struct levels new = {.at = {[FIELD_FAMILY] = NAME_EXACT,
                                [FIELD_PHONE] = LIST_EXACT,
                                [FIELD_AUTHORITY] = SAME_DIFFERS,
                                [FIELD_CONTRADICTION] = CONTRADICTION_TWO}};
    struct levels known = joined(model, old, &new);
    assert_int_equal(known.at[FIELD_GIVEN], NAME_DIFFERS); /* that one has none does not hide it */
    assert_int_equal(known.at[FIELD_PHONE], LIST_EXACT);
    assert_int_equal(known.at[FIELD_ADDRESS], ADDRESS_HOUSE);
    assert_int_equal(known.at[FIELD_AUTHORITY], SAME_EXACT); /* one source gave two numbers */
    assert_int_equal(known.at[FIELD_CONTRADICTION], CONTRADICTION_NONE);
    /* swapped names are one event: never the family name of one pair with the given name of another */
    struct levels swapped = {.at = {[FIELD_FAMILY] = NAME_SWAPPED, [FIELD_GIVEN] = NAME_SWAPPED}};
    struct levels exact = {.at = {[FIELD_FAMILY] = NAME_EXACT, [FIELD_GIVEN] = NAME_EXACT}};
    known = joined(model, swapped, &exact);
    assert_int_equal(known.at[FIELD_FAMILY] == NAME_SWAPPED, known.at[FIELD_GIVEN] == NAME_SWAPPED);
}

/* ---- arithmetic ---- */

static void test_log2_one_plus__is_within_two_millibits_and_never_falls(void **state)
{
    (void)state;
    int32_t before = 0;
    for (int32_t x = -40000; x <= 40000; x++) {
        int32_t got = log2_one_plus(x);
        double want = x > 0 ? x + log2(1 + exp2(-x / 1000.0)) * 1000 : log2(1 + exp2(x / 1000.0)) * 1000;
        if (fabs(got - want) > 2 || got < before)
            fail_msg("log2(1 + 2^%d): %d, after %d, exactly %f", x, got, before, want);
        before = got;
    }
    assert_int_equal(log2_one_plus(INT32_MAX), INT32_MAX);
    assert_int_equal(log2_one_plus(INT32_MIN), 0);
}

static void test_probability__never_falls_and_mirrors(void **state)
{
    (void)state;
    for (int32_t score = -30000; score <= 30000; score++) {
        assert_true(probability_ppm(score) >= probability_ppm(score - 1));
        assert_int_equal(probability_ppm(score) + probability_ppm(-score), 1000000);
    }
    assert_int_equal(probability_ppm(INT32_MIN), 0);
    assert_int_equal(probability_ppm(INT32_MAX), 1000000);
}

static void test_names__never_say_more_where_more_strangers_share_both(void **state)
{
    (void)state;
    struct mpi_model *model = mpi_model_guessing(mpi_model_general());
    struct levels levels = {.at = {[FIELD_FAMILY] = NAME_EXACT, [FIELD_GIVEN] = NAME_SIMILAR}};
    int32_t before = INT32_MAX;
    for (model->namesake_mbit = 0; model->namesake_mbit <= 12000; model->namesake_mbit += 500) {
        int32_t says = weigh_field(model, &levels, FIELD_GIVEN);
        assert_true(says <= before);
        before = says;
    }
    assert_int_equal(before, model->fields[FIELD_GIVEN][NAME_SIMILAR].same); /* everybody does, at most */
    mpi_model_free(model);
}

/* ---- tables of values ---- */

static void test_value_table__finds_each_value_and_nothing_else(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 5000};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        VEC(struct value_rarity) values = {0};
        uint64_t seed = counts[c];
        for (size_t i = 0; i < counts[c];
             i++) /* small numbers, as phones and dates are, and hashes; smallest and largest */
            *VEC_ADD(&values) = (struct value_rarity){i == 0     ? 1
                                                      : i == 1   ? UINT64_MAX
                                                      : i < 2500 ? i
                                                                 : hash_random(&seed) | 1ull << 63,
                                                      (uint8_t)(i % 127 + 1)};
        struct value_rarity *said = mem_copy(values.at, counts[c] * sizeof *said);
        struct value_table table;
        value_table_make(&table, values.at, counts[c], 99 | RARITY_KNOWN);
        struct value_table copy = value_table_copy(&table);
        value_table_fini(&table);
        for (size_t i = 0; i < counts[c]; i++)
            assert_int_equal(value_table_get(&copy, said[i].value), said[i].rarity);
        for (uint64_t other = 3000; other < 5000; other++)
            assert_int_equal(value_table_get(&copy, other), 99 | RARITY_KNOWN);
        assert_int_equal(value_table_get(&copy, 0), 0); /* absent */
        value_table_fini(&copy);
        mem_free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons__are_the_same_from_both_sides_have_names_and_add_up),
        cmocka_unit_test(test_evidence__adds_up_whatever_the_levels),
        cmocka_unit_test(test_middle_name__counts_where_a_name_is_said_without_it_too),
        cmocka_unit_test(test_address__is_as_common_as_the_commoner_of_its_two_spellings),
        cmocka_unit_test(test_what_is_known__does_not_depend_on_who_said_it_first),
        cmocka_unit_test(test_what_is_known__is_the_best_of_each_and_hides_nothing),
        cmocka_unit_test(test_log2_one_plus__is_within_two_millibits_and_never_falls),
        cmocka_unit_test(test_probability__never_falls_and_mirrors),
        cmocka_unit_test(test_names__never_say_more_where_more_strangers_share_both),
        cmocka_unit_test(test_value_table__finds_each_value_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
