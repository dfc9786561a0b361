#include "study_internal.h"

#include "base/clock.h"

static uint64_t count_persons(const struct mpi_study *study)
{
    uint64_t persons = 0;
    for (uint32_t record = 1; record <= mpi_study_records(study); record++)
        persons += mpi_study_person(study, record) == record;
    return persons;
}

status mpi_study_make_model(struct mpi_study *study, struct ctx *cx, struct str name, int64_t now_us,
                            struct mpi_model **out_model, struct mpi_training *out_training)
{
    TRY(mpi_model_check_name(cx, name)); /* before the hours that it may take */
    struct mpi_model *model;
    char made_at[28];
    study_heed(study, cx);
    mpi_study_train(study, &model, out_training);
    mpi_study_link(study, model);
    status stopped = study_heed_end(study);
    if (stopped != STATUS_OK) {
        study_see_by(study, mpi_model_general()); /* it must not look through a model that is gone */
        mpi_model_free(model);
        return stopped;
    }
    clock_format(now_us, made_at);
    struct mpi_model_about about = {.name = name,
                                    .made_at = str_from(made_at),
                                    .records = mpi_study_records(study),
                                    .persons = count_persons(study)};
    IGNORE(mpi_model_name(cx, model, &about)); /* checked above */
    *out_model = model;
    return STATUS_OK;
}
