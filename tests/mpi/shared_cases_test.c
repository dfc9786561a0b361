/* Pairs that an earlier idem got wrong, or must keep getting right: what becomes of them under the general model. */
#include "support.h"

#include "base/csv.h"
#include "base/file.h"
#include "mpi/study.h"

enum { COLUMNS_MAX = 24 };

struct row {
    struct str names[COLUMNS_MAX], values[COLUMNS_MAX];
    size_t count;
};

static struct str value(const struct row *row, const char *column)
{
    for (size_t i = 0; i < row->count; i++)
        if (str_is(row->names[i], column))
            return row->values[i];
    return STR_NONE;
}

static uint32_t add(struct support *support, struct mpi_study *study, const struct row *row)
{
    struct mpi_identifier identifiers[2] = {{value(row, "authority"), value(row, "id"), STR("MR")},
                                            {STR("GOV"), value(row, "national_id"), STR("SS")}};
    struct mpi_name name = {.family = value(row, "family"),
                            .given = value(row, "given"),
                            .middle = value(row, "middle"),
                            .suffix = value(row, "suffix")};
    struct mpi_address address = {
        .line = value(row, "address"), .city = value(row, "city"), .postcode = value(row, "postcode")};
    struct str phone = value(row, "phone"), sex = value(row, "sex");
    struct mpi_record_input input = {.source = value(row, "source"),
                                     .identifiers = identifiers,
                                     .identifier_count = identifiers[1].value.len ? 2 : 1};
    input.demographics = (struct mpi_demographics){.names = &name,
                                                   .name_count = 1,
                                                   .phones = &phone,
                                                   .phone_count = phone.len > 0,
                                                   .addresses = &address,
                                                   .address_count = 1,
                                                   .mother = {.family = value(row, "mother")},
                                                   .sex = sex.len ? sex.data[0] : 0};
    if (value(row, "birth_date").len)
        assert_true(date_parse(value(row, "birth_date"), &input.demographics.birth_date));
    uint32_t record;
    assert_ok(support, mpi_study_add(study, &support->cx, &input, &record));
    return record;
}

static struct row next_row(struct support *support, struct csv *csv, const struct row *head)
{
    struct row row = head ? *head : (struct row){0};
    assert_true(csv_next(csv) && csv->count <= COLUMNS_MAX);
    row.count = csv->count;
    for (size_t i = 0; i < csv->count; i++)
        *(head ? &row.values[i] : &row.names[i]) = arena_str(&support->arena, str_trim(csv->fields[i]));
    return row;
}

static struct buf read_text(struct support *support, const char *path)
{
    struct buf text = {0};
    assert_ok(support, file_read(&support->cx, path, 1 << 20, &text));
    return text;
}

/* In the words of the file: link, review, none. */
static const char *outcome_of(struct support *support, const char *file)
{
    struct buf text = read_text(support, support_data(support, file));
    struct csv csv;
    csv_init(&csv, buf_str(&text), ',', true, &support->arena);
    struct row head = next_row(support, &csv, NULL);
    struct row left = next_row(support, &csv, &head), right = next_row(support, &csv, &head);
    struct mpi_study *study = mpi_study_new();
    (void)add(support, study, &left);
    (void)add(support, study, &right);
    mpi_study_link(study, mpi_model_general());
    enum mpi_verdict verdict = mpi_study_verdict(study, 1, 2);
    bool linked = mpi_study_person(study, 1) == mpi_study_person(study, 2);
    assert_int_equal(linked, verdict == MPI_VERDICT_LINKED); /* they share a key, and the pair is all there is */
    mpi_study_free(study);
    buf_fini(&text);
    return linked ? "link" : verdict == MPI_VERDICT_REVIEW ? "review" : "none";
}

static bool is_wanted(struct str wanted, const char *got)
{
    struct str one;
    while (str_split(&wanted, '|', &one))
        if (str_is(str_trim(one), got))
            return true;
    return false;
}

static void test_cases__become_what_was_agreed(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    const char *list = support_data(&support, "cases/identity/expected.tsv");
    if (list == NULL) {
        printf("skipped: no data\n");
        support_fini(&support);
        return;
    }
    struct buf text = read_text(&support, list);
    struct str rest = buf_str(&text), line, file, situation;
    size_t wrong = 0, count = 0;
    (void)str_split(&rest, '\n', &line); /* the head */
    while (str_split(&rest, '\n', &line)) {
        struct str wanted = str_trim(line);
        if (!str_split(&wanted, '\t', &file) || !str_split(&wanted, '\t', &situation))
            continue;
        const char *got =
            outcome_of(&support, arena_printf(&support.arena, "cases/identity/%.*s", STR_ARGS(file)).data);
        count++;
        if (is_wanted(wanted, got))
            continue;
        wrong++;
        print_error("%.*s: got %s, want %.*s\n", STR_ARGS(situation), got, STR_ARGS(wanted));
    }
    assert_true(count >= 20);
    assert_int_equal(wrong, 0);
    buf_fini(&text);
    support_fini(&support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases__become_what_was_agreed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
