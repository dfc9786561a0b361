/* People as files: the same bytes everywhere, a truth that agrees row by row, in little memory. */
#include "support.h"

#include "examples/gen.h"

#include "base/csv.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"

#include <sys/resource.h>

static const char *const names[] = {"north.csv", "lake.csv", "lab.csv", "insurer.csv", "truth.csv"};
enum { TRUTH = 4, FILES = 5 };

static struct gen_people_counts write_people(struct support *s, const char *dir, uint64_t seed, uint32_t people)
{
    struct gen gen;
    struct gen_people_counts counts;
    gen_init(&gen, &(struct gen_options){.seed = seed, .people = people});
    assert_ok(s, gen_write_people(&s->cx, &gen, dir, &(struct gen_people_options){0}, &counts));
    return counts;
}

static void read_one(struct support *s, const char *dir, size_t file, struct buf *text)
{
    assert_ok(s, file_read(&s->cx, arena_printf(&s->arena, "%s/%s", dir, names[file]).data, 1 << 26, text));
}

/* Whoever changes the generator changes these numbers on purpose, and says why. */
static void test_write_people__the_same_seed_gives_the_same_bytes_on_every_machine(void **state)
{
    (void)state;
    static const uint32_t want[FILES] = {0x1A3789F9, 0xDD343417, 0x5A6F4D2E, 0x492FA1BF, 0x51EFF246};
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct gen_people_counts counts = write_people(&s, dir, 2026, 2000);
    assert_int_equal(counts.records, 4335);
    assert_int_equal(counts.pairs_true, 3509);
    assert_int_equal(counts.ceiling.sample, 0); /* nobody asked */
    for (size_t i = 0; i < FILES; i++) {
        SCOPED(buf_fini) struct buf text = {0};
        read_one(&s, dir, i, &text);
        uint32_t got = hash_crc32c(0, text.data, text.len);
        if (got != want[i])
            fail_msg("%s: 0x%08X", names[i], (unsigned)got);
    }
    support_remove_dir(dir);
    support_fini(&s);
}

static void open_csv(struct support *s, struct csv *csv, const struct buf *text)
{
    csv_init(csv, buf_str(text), ',', true, &s->arena);
    assert_true(csv_next(csv));
}

/* The first cell of every column is its name: take it by name. */
static struct str cell(const struct csv *csv, int column)
{
    assert_true(column >= 0 && (size_t)column < csv->count);
    return csv->fields[column];
}

struct truth {
    struct map person, household; /* of a record; of a person */
    uint64_t rows, twins, juniors, seniors;
};

static void read_truth(struct support *s, const char *dir, uint32_t people, struct truth *truth)
{
    SCOPED(buf_fini) struct buf text = {0};
    static struct csv csv;
    read_one(s, dir, TRUTH, &text);
    open_csv(s, &csv, &text);
    int authority = csv_column(&csv, "authority"), id = csv_column(&csv, "id"), person = csv_column(&csv, "person");
    int household = csv_column(&csv, "household"), twin = csv_column(&csv, "twin");
    int namesake = csv_column(&csv, "namesake");
    while (csv_next(&csv)) {
        struct str of = cell(&csv, person);
        uint64_t number, house;
        bool added;
        assert_true(str_to_u64(of, &number) && number >= 1 && number <= people);
        assert_true(str_to_u64(cell(&csv, household), &house) && house >= 1 && house <= number && house + 8 > number);
        *map_put(&truth->person,
                 arena_printf(&s->arena, "%.*s %.*s", STR_ARGS(cell(&csv, authority)), STR_ARGS(cell(&csv, id))),
                 &added) = number;
        assert_true(added);
        uint64_t *known = map_put(&truth->household, of, &added);
        assert_true(added || *known == house); /* a person has one household, in every row */
        *known = house;
        truth->rows++;
        truth->twins += cell(&csv, twin).len > 0;
        truth->juniors += str_is(cell(&csv, namesake), "junior");
        truth->seniors += str_is(cell(&csv, namesake), "senior");
    }
    assert_null(csv.bad);
}

static void test_write_people__files_and_truth_agree(void **state)
{
    (void)state;
    enum { PEOPLE = 3000 };
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct gen_people_counts counts = write_people(&s, dir, 1, PEOPLE);
    struct truth truth = {0};
    read_truth(&s, dir, PEOPLE, &truth);
    assert_int_equal(truth.rows, counts.records);
    assert_int_equal(truth.household.count, PEOPLE); /* everybody is known somewhere */
    assert_true(truth.twins > 0 && truth.juniors > 0 && truth.seniors > 0);
    uint64_t rows = 0, pairs = 0;
    struct map of_person = {0};
    for (size_t i = 0; i < TRUTH; i++) {
        SCOPED(buf_fini) struct buf text = {0};
        static struct csv csv;
        read_one(&s, dir, i, &text);
        open_csv(&s, &csv, &text);
        size_t columns = csv.count;
        int authority = csv_column(&csv, "authority"), id = csv_column(&csv, "id");
        for (; csv_next(&csv); rows++) {
            assert_int_equal(csv.count, columns);
            struct str key =
                arena_printf(&s.arena, "%.*s %.*s", STR_ARGS(cell(&csv, authority)), STR_ARGS(cell(&csv, id)));
            const uint64_t *person = map_get(&truth.person, key);
            assert_non_null(person);
            pairs += (*map_put(&of_person, str_make(person, sizeof *person), NULL))++;
        }
        assert_null(csv.bad);
    }
    assert_int_equal(rows, counts.records);
    assert_int_equal(pairs, counts.pairs_true);
    map_fini(&of_person);
    map_fini(&truth.person);
    map_fini(&truth.household);
    support_remove_dir(dir);
    support_fini(&s);
}

static long peak_kib(void)
{
    struct rusage used;
    assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
    return used.ru_maxrss;
}

static void test_write_people__a_hundred_thousand_need_no_more_memory_than_a_thousand(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    write_people(&s, dir, 1, 1000);
    long before = peak_kib();
    struct gen_people_counts counts = write_people(&s, dir, 1, 100000);
    assert_in_range(counts.records, 210000, 220000);
    assert_in_range(peak_kib() - before, 0, 2048); /* 20 bytes a human would be seen */
    support_remove_dir(dir);
    support_fini(&s);
}

static void test_write_people__counts_the_ceiling_when_asked(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const char *dir = support_make_dir(&s);
    struct gen gen;
    struct gen_people_counts counts;
    gen_init(&gen, &(struct gen_options){.seed = 2026, .people = 2000});
    assert_ok(&s, gen_write_people(&s.cx, &gen, dir, &(struct gen_people_options){.ceiling = true}, &counts));
    assert_int_equal(counts.ceiling.sample, 1);
    assert_in_range(counts.ceiling.bare_records * 100 / counts.records, 10, 14);
    assert_true(counts.ceiling.pairs_bare < counts.pairs_true / 3);
    assert_true(counts.ceiling.pairs_undecidable < counts.ceiling.pairs_bare / 20);
    support_remove_dir(dir);
    support_fini(&s);
}

static void test_write_people__names_the_folder_that_is_not_there(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct gen gen;
    struct gen_people_counts counts = {.records = 77};
    gen_init(&gen, &(struct gen_options){.seed = 1});
    assert_fails(&s, gen_write_people(&s.cx, &gen, "/nonexistent/folder", &(struct gen_people_options){0}, &counts),
                 "examples.write");
    assert_int_equal(counts.records, 77);
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* first: nothing else may have used memory before */
        cmocka_unit_test(test_write_people__a_hundred_thousand_need_no_more_memory_than_a_thousand),
        cmocka_unit_test(test_write_people__the_same_seed_gives_the_same_bytes_on_every_machine),
        cmocka_unit_test(test_write_people__files_and_truth_agree),
        cmocka_unit_test(test_write_people__counts_the_ceiling_when_asked),
        cmocka_unit_test(test_write_people__names_the_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
