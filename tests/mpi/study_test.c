/* A study links as the index would. */
#include "world.h"

#include "mpi/study.h"

static void test_study__links_as_the_index_does(void **state)
{
    (void)state;
    struct support support;
    support_init(&support);
    struct mpi_study *study = mpi_study_new();
    static const struct {
        const char *id, *family, *given;
        int32_t day;
    } people[] = {
        {"1", "Lindqvist", "Anna", 3710}, {"2", "Lindqvist", "Anna Maria", 3710}, {"3", "Okonkwo", "Chidi", 900}};
    for (size_t i = 0; i < 3; i++) {
        struct mpi_identifier identifier = {STR("A"), str_from(people[i].id), STR("MR")};
        struct mpi_name name = {.family = str_from(people[i].family), .given = str_from(people[i].given)};
        struct mpi_record_input input = {.source = STR("S"), .identifiers = &identifier, .identifier_count = 1};
        input.demographics = (struct mpi_demographics){
            .names = &name, .name_count = 1, .birth_date = date_from_days(people[i].day), .sex = 'F'};
        uint32_t record;
        assert_ok(&support, mpi_study_add(study, &support.cx, &input, &record));
        assert_int_equal(record, i + 1);
    }
    for (size_t round = 0; round < 2; round++) { /* linking again starts anew */
        mpi_study_link(study, mpi_model_general());
        assert_int_equal(mpi_study_compared(study), 1);
        assert_int_equal(mpi_study_person(study, 1), mpi_study_person(study, 2));
        assert_int_not_equal(mpi_study_person(study, 1), mpi_study_person(study, 3));
    }
    assert_int_equal(mpi_study_verdict(study, 1, 2), MPI_VERDICT_LINKED);
    assert_int_equal(mpi_study_verdict(study, 1, 3), MPI_VERDICT_NEW);
    mpi_study_free(study);
    support_fini(&support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_study__links_as_the_index_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
