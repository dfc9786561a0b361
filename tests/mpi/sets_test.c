/*
 * Public sets with truth, the built-in model, no truth used for anything but counting. Weights were only looked at on
 * FEBRL3. Floors are what a change must not fall below.
 */
#include "world.h"

#include "base/csv.h"
#include "base/file.h"

enum { ROWS_MAX = 12000 };

struct set {
    const char *name, *file, *second_file;
    const char *columns[12]; /* id given family birth|year,month,day sex phone number line city postcode national */
    enum { TRUTH_REC_ID, TRUTH_COLUMN } truth;
    const char *truth_column;
    bool across; /* only pairs between the two files count */
    double floor;
};
enum { ID, GIVEN, FAMILY, BIRTH, SEX, PHONE, NUMBER, LINE, CITY, POSTCODE, NATIONAL, MIDDLE };

#define FEBRL_COLUMNS                                                                                                  \
    {                                                                                                                  \
        "rec_id", "given_name", "surname", "date_of_birth", NULL, NULL, "street_number", "address_1", "suburb",        \
            "postcode", "soc_sec_id", NULL                                                                             \
    }

static const struct set sets[] = {
    {"FEBRL3 (looked at)", "mpi/febrl/dataset3.csv", NULL, FEBRL_COLUMNS, TRUTH_REC_ID, NULL, false, 0.95},
    {"FEBRL1", "mpi/febrl/dataset1.csv", NULL, FEBRL_COLUMNS, TRUTH_REC_ID, NULL, false, 0.97},
    {"FEBRL2", "mpi/febrl/dataset2.csv", NULL, FEBRL_COLUMNS, TRUTH_REC_ID, NULL, false, 0.96},
    {"FEBRL4", "mpi/febrl/dataset4a.csv", "mpi/febrl/dataset4b.csv", FEBRL_COLUMNS, TRUTH_REC_ID, NULL, true, 0.97},
    {"RLdata500",
     "mpi/rldata/RLdata500.csv",
     NULL,
     {"rec_id", "fname_c1", "lname_c1", "by,bm,bd", NULL, NULL, NULL, NULL, NULL, NULL, NULL, "fname_c2"},
     TRUTH_COLUMN,
     "true_id",
     false,
     0.80},
    {"RLdata10000 (half)",
     "mpi/rldata/RLdata10000_half.csv",
     NULL,
     {"rec_id", "fname_c1", "lname_c1", "by,bm,bd", NULL, NULL, NULL, NULL, NULL, NULL, NULL, "fname_c2"},
     TRUTH_COLUMN,
     "true_id",
     false,
     0.70},
    {"Uganda without ids",
     "mpi/opencr/uganda_data_v21_20201501.csv",
     NULL,
     {"rec_id", "given_name", "surname", "date_of_birth", "sex", "phone_number", NULL, NULL, NULL, NULL, NULL, NULL},
     TRUTH_REC_ID,
     NULL,
     false,
     0.90},
};

struct row_text {
    char id[40], birth[16], line[128];
    struct human human;
    struct str truth;
    bool second;
};

static const char *field(struct support *support, struct csv *csv, const char *const *names, const char *column)
{
    if (column == NULL)
        return NULL;
    for (size_t i = 0; i < csv->count; i++) {
        if (strcmp(names[i], column) != 0)
            continue;
        struct str value = str_trim(csv->fields[i]);
        return value.len && !str_is(value, "NA") ? arena_str(&support->arena, value).data : NULL;
    }
    return NULL;
}

/* 0 when it is absent or no number */
static unsigned part_of_date(const char *text)
{
    uint64_t number;
    return text && str_to_u64(str_from(text), &number) && number <= 9999 ? (unsigned)number : 0;
}

static void fill_birth(struct support *support, struct csv *csv, const char *const *names, const char *column,
                       struct row_text *row)
{
    if (strchr(column, ',') == NULL) {
        row->human.birth = field(support, csv, names, column);
        return;
    }
    const char *year = field(support, csv, names, "by"), *month = field(support, csv, names, "bm"),
               *day = field(support, csv, names, "bd");
    snprintf(row->birth, sizeof row->birth, "%04u%02u%02u", part_of_date(year), part_of_date(month), part_of_date(day));
    row->human.birth = row->birth;
}

static size_t read_rows(struct support *support, const struct set *set, const char *file, bool second,
                        struct row_text *rows, size_t count)
{
    struct buf *text = arena_alloc(&support->arena, sizeof *text);
    assert_ok(support, file_read(&support->cx, support_data(support, file), 64 << 20, text));
    struct csv csv;
    csv_init(&csv, buf_str(text), ',', true, &support->arena);
    const char *names[CSV_FIELDS_MAX] = {0};
    assert_true(csv_next(&csv));
    for (size_t i = 0; i < csv.count; i++)
        names[i] = arena_str(&support->arena, str_trim(csv.fields[i])).data;
    while (csv_next(&csv) && count < ROWS_MAX) {
        struct row_text *row = &rows[count++];
        const char *number = field(support, &csv, names, set->columns[NUMBER]),
                   *street = field(support, &csv, names, set->columns[LINE]);
        *row = (struct row_text){.second = second};
        const char *id = field(support, &csv, names, set->columns[ID]);
        snprintf(row->id, sizeof row->id, "%s", id);
        snprintf(row->line, sizeof row->line, "%s %s", number ? number : "", street ? street : "");
        const char *sex = field(support, &csv, names, set->columns[SEX]);
        row->human = (struct human){.id = row->id,
                                    .given = field(support, &csv, names, set->columns[GIVEN]),
                                    .family = field(support, &csv, names, set->columns[FAMILY]),
                                    .middle = field(support, &csv, names, set->columns[MIDDLE]),
                                    .sex = sex ? sex[0] : 0,
                                    .phone = field(support, &csv, names, set->columns[PHONE]),
                                    .city = field(support, &csv, names, set->columns[CITY]),
                                    .postcode = field(support, &csv, names, set->columns[POSTCODE]),
                                    .ssn = field(support, &csv, names, set->columns[NATIONAL]),
                                    .line = street ? row->line : NULL};
        fill_birth(support, &csv, names, set->columns[BIRTH], row);
        struct str truth =
            str_from(set->truth == TRUTH_COLUMN ? field(support, &csv, names, set->truth_column) : row->id);
        if (set->truth == TRUTH_REC_ID) {
            struct str rest = truth, part;
            (void)str_split(&rest, '-', &part);
            (void)str_split(&rest, '-', &truth);
        }
        row->truth = arena_str(&support->arena, truth);
    }
    assert_null(csv.bad);
    buf_fini(text);
    return count;
}

struct score {
    uint64_t true_pairs, made_pairs, right_pairs;
};

static void count_pairs(const struct world *world, const struct set *set, const struct row_text *rows, size_t count,
                        struct score *tally)
{
    bool show = getenv("IDEM_SHOW_MISSES") != NULL;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            if (set->across && rows[i].second == rows[k].second)
                continue;
            bool truth = str_eq(rows[i].truth, rows[k].truth);
            bool made = entry_at(world->mpi, APPLIED, i + 1)->person == entry_at(world->mpi, APPLIED, k + 1)->person;
            tally->true_pairs += truth;
            tally->made_pairs += made;
            tally->right_pairs += truth && made;
            if (show && truth != made) {
                struct levels levels;
                compare_rows(entry_at(world->mpi, APPLIED, i + 1)->row, entry_at(world->mpi, APPLIED, k + 1)->row,
                             &levels);
                printf("%s %s %s score %d:", made ? "WRONG" : "MISSED", rows[i].id, rows[k].id,
                       weigh_levels(world->mpi->model, &levels));
                for (size_t f = 0; f < FIELD_COUNT; f++)
                    if (levels.at[f])
                        printf(" %s=%s", model_fields[f].name,
                               model_fields[f].levels[levels.at[f]]);
                printf("\n");
            }
        }
    }
}

static void check_set(const struct set *set)
{
    struct world world;
    world_init(&world);
    if (support_data(&world.support, set->file) == NULL) {
        printf("skipped: no data (%s)\n", set->name);
        world_fini(&world);
        return;
    }
    struct row_text *rows = mem_array(ROWS_MAX, sizeof *rows);
    size_t count = read_rows(&world.support, set, set->file, false, rows, 0);
    if (set->second_file)
        count = read_rows(&world.support, set, set->second_file, true, rows, count);
    uint64_t reviews = 0;
    struct arena_mark mark = arena_mark(&world.support.arena);
    for (size_t i = 0; i < count; i++) {
        reviews += world_apply(&world, &rows[i].human).review != 0;
        if (i % 1000 == 999)
            world_commit(&world);
        arena_rewind(&world.support.arena, mark);
    }
    assert_int_equal(world.mpi->applied.records, count);
    struct score tally = {0};
    count_pairs(&world, set, rows, count, &tally);
    double precision = tally.made_pairs ? (double)tally.right_pairs / (double)tally.made_pairs : 1;
    double recall = tally.true_pairs ? (double)tally.right_pairs / (double)tally.true_pairs : 1;
    double f1 = precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
    printf("%-22s rows %5zu  pairs %6llu  P %.4f  R %.4f  F1 %.4f  wrong %llu  missed %llu  reviews %llu\n", set->name,
           count, (unsigned long long)tally.true_pairs, precision, recall, f1,
           (unsigned long long)(tally.made_pairs - tally.right_pairs),
           (unsigned long long)(tally.true_pairs - tally.right_pairs), (unsigned long long)reviews);
    mem_free(rows);
    world_fini(&world);
    if (f1 < set->floor)
        fail_msg("%s: F1 %.4f is below %.4f", set->name, f1, set->floor);
}

static void test_sets__stay_above_their_floors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (getenv("IDEM_SET") == NULL || strstr(sets[i].name, getenv("IDEM_SET")))
            check_set(&sets[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sets__stay_above_their_floors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
