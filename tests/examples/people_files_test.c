/* Made-up people: the same every time, different from each other, with what was planted. */
#include "support.h"

#include "examples/gen.h"

#include "base/csv.h"
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"

static struct gen fresh(uint64_t seed)
{
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = seed});
    return gen;
}

static void test_records__are_a_pure_function_of_seed_and_number(void **state)
{
    (void)state;
    struct gen first = fresh(7), second = fresh(7), other = fresh(8);
    static struct gen_record a[GEN_RECORDS_PER_HUMAN], b[GEN_RECORDS_PER_HUMAN];
    bool differs = false;
    for (uint64_t i = 0; i < 500; i++) {
        size_t count = gen_records(&first, i, a);
        assert_int_equal(gen_records(&second, i, b), count);
        assert_memory_equal(a, b, count * sizeof a[0]);
        differs = differs || gen_records(&other, i, b) != count || strcmp(a[0].family, b[0].family) != 0;
    }
    assert_true(differs);
}

static void test_records__have_unique_numbers_and_sound_values(void **state)
{
    (void)state;
    struct gen gen = fresh(2026);
    static struct gen_record records[GEN_RECORDS_PER_HUMAN];
    struct map seen = {0};
    size_t native = 0, juniors = 0, former = 0, twins = 0, partial = 0, placeholders = 0;
    for (uint64_t i = 0; i < gen.people; i++) {
        size_t count = gen_records(&gen, i, records);
        assert_in_range(count, 1, GEN_RECORDS_PER_HUMAN);
        for (size_t r = 0; r < count; r++) {
            const struct gen_record *record = &records[r];
            char key[64];
            snprintf(key, sizeof key, "%s %s", gen_source_authority(record->source), record->id);
            bool added;
            map_put(&seen, str_from(key), &added);
            assert_true(added);
            assert_true(str_is_utf8(str_from(record->family)) && str_is_utf8(str_from(record->given)));
            assert_true(record->family[0] && record->given[0]);
            assert_true(record->birth_date.year == 0 || date_is_valid(record->birth_date));
            native += (uint8_t)record->family[0] >= 0xC8;
            juniors += strcmp(record->suffix, "Jr") == 0;
            former += record->former_family[0] != 0;
            twins += record->multiple_birth;
            partial += record->birth_date.year && record->birth_date.day == 0;
            placeholders += strcmp(record->phone, "999-999-9999") == 0 || strncmp(record->given, "Baby ", 5) == 0;
        }
    }
    assert_true(native > 50 && juniors > 50 && former > 200 && twins > 100 && partial > 10 && placeholders > 10);
    map_fini(&seen);
}

static void test_twins__share_the_day_and_the_house_but_not_the_name(void **state)
{
    (void)state;
    struct gen gen = fresh(3);
    static struct gen_record a[GEN_RECORDS_PER_HUMAN], b[GEN_RECORDS_PER_HUMAN];
    size_t pairs = 0;
    for (uint64_t house = 0; house < 1000; house++) {
        gen_records(&gen, house * 4 + 2, a);
        gen_records(&gen, house * 4 + 3, b);
        if (!a[0].multiple_birth || !b[0].multiple_birth || a[0].source != b[0].source ||
            a[0].birth_date.year != b[0].birth_date.year)
            continue;
        pairs++;
        assert_true(strcmp(a[0].given, b[0].given) != 0 || strncmp(a[0].given, "Baby", 4) == 0);
        assert_int_not_equal(a[0].birth_order, b[0].birth_order);
    }
    assert_true(pairs > 10);
}

static void test_write_people__files_and_truth_agree(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = 1, .people = 200});
    uint64_t records = 0;
    assert_ok(&s, gen_write_people(&s.cx, &gen, dir, &records));
    uint64_t rows = 0, truths = 0;
    static const char *const names[] = {"north.csv", "lake.csv", "lab.csv", "insurer.csv", "truth.csv"};
    for (size_t i = 0; i < 5; i++) {
        SCOPED(buf_fini) struct buf text = {0};
        assert_ok(&s, file_read(&s.cx, arena_printf(&s.arena, "%s/%s", dir, names[i]).data, 1 << 24, &text));
        static struct csv csv;
        csv_init(&csv, buf_str(&text), ',', true, &s.arena);
        assert_true(csv_next(&csv));
        size_t columns = csv.count;
        while (csv_next(&csv)) {
            assert_int_equal(csv.count, columns);
            *(i == 4 ? &truths : &rows) += 1;
        }
        assert_null(csv.bad);
    }
    assert_int_equal(rows, records);
    assert_int_equal(truths, records);
    support_remove_dir(dir);
    support_fini(&s);
}

static void test_write_people__names_the_folder_that_is_not_there(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct gen gen = fresh(1);
    uint64_t records = 77;
    assert_fails(&s, gen_write_people(&s.cx, &gen, "/nonexistent/folder", &records), "examples.write");
    assert_int_equal(records, 77);
    support_fini(&s);
}

static void test_score__counts_pairs(void **state)
{
    (void)state;
    static const struct {
        uint64_t found[4], truth[4];
        uint64_t want_true, want_found, want_right;
    } cases[] = {
        {{1, 1, 2, 2}, {5, 5, 6, 6}, 2, 2, 2}, /* names of clusters do not matter */
        {{1, 1, 1, 1}, {5, 5, 6, 6}, 2, 6, 2}, /* all in one */
        {{1, 2, 3, 4}, {5, 5, 6, 6}, 2, 0, 0}, /* nothing linked */
        {{1, 2, 2, 3}, {5, 5, 6, 6}, 2, 1, 0}, /* only wrong ones */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gen_score score = gen_score_clusters(cases[i].found, cases[i].truth, 4);
        assert_int_equal(score.pairs_true, cases[i].want_true);
        assert_int_equal(score.pairs_found, cases[i].want_found);
        assert_int_equal(score.pairs_right, cases[i].want_right);
    }
    assert_int_equal(gen_score_clusters(NULL, NULL, 0).pairs_true, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records__are_a_pure_function_of_seed_and_number),
        cmocka_unit_test(test_records__have_unique_numbers_and_sound_values),
        cmocka_unit_test(test_twins__share_the_day_and_the_house_but_not_the_name),
        cmocka_unit_test(test_write_people__files_and_truth_agree),
        cmocka_unit_test(test_write_people__names_the_folder_that_is_not_there),
        cmocka_unit_test(test_score__counts_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
