#include "study_internal.h"

#include "base/clock.h"

static uint64_t count_persons(const struct mpi_study *study)
{
    uint64_t persons = 0;
    for (uint32_t record = 1; record <= mpi_study_records(study); record++)
        persons += mpi_study_person(study, record) == record;
    return persons;
}

static bool has_costs(const struct mpi_making *making)
{
    return making->costs.wrong > 0 || making->costs.missed > 0;
}

/* What may be refused is asked before the hours that it may take. */
static status check(struct ctx *cx, const struct mpi_making *making)
{
    struct mpi_model trial = {.format = 1};
    TRY(mpi_model_check_name(cx, making->name));
    return has_costs(making) ? mpi_model_price(cx, &trial, making->costs) : STATUS_OK;
}

status mpi_study_make_model(struct mpi_study *study, struct ctx *cx, const struct mpi_making *making,
                            struct mpi_model **out_model, struct mpi_training *out_training)
{
    TRY(check(cx, making));
    struct mpi_model *model;
    char made_at[28];
    study_heed(study, cx);
    mpi_study_train(study, &model, out_training);
    if (has_costs(making))
        IGNORE(mpi_model_price(cx, model, making->costs)); /* checked above */
    mpi_study_link(study, model);
    status stopped = study_heed_end(study);
    if (stopped != STATUS_OK) {
        study_see_by(study, mpi_model_general()); /* it must not look through a model that is gone */
        mpi_model_free(model);
        return stopped;
    }
    clock_format(making->now_us, made_at);
    struct mpi_model_about about = {.name = making->name,
                                    .made_at = str_from(made_at),
                                    .records = mpi_study_records(study),
                                    .persons = count_persons(study)};
    IGNORE(mpi_model_name(cx, model, &about)); /* checked above */
    *out_model = model;
    return STATUS_OK;
}
