#include "model_internal.h"

#include "mpi/mpi.h"

#include <math.h>

/* Costs of less than a question, or of more than anybody counts, are slips. */
static const double cost_max = 1e9;

static status check_cost(struct ctx *cx, double cost, const char *what)
{
    if (!(cost >= 1 && cost <= cost_max))
        return ctx_fail(cx, &mpi_reasons[MPI_MODEL_BAD], "the cost of a %s link is 1 to 1000000000 questions", what);
    return STATUS_OK;
}

static int32_t mbit_of_odds(double odds)
{
    return (int32_t)lround(log2(odds) * 1000);
}

status mpi_model_price(struct ctx *cx, struct mpi_model *model, struct mpi_costs costs)
{
    TRY(check_cost(cx, costs.wrong, "wrong"));
    TRY(check_cost(cx, costs.missed, "missed"));
    /* linking is cheaper than asking from 1 - 1/wrong on, asking cheaper than nothing from 1/missed on */
    bool asks = 1 - 1 / costs.wrong > 1 / costs.missed;
    model->auto_mbit = mbit_of_odds(asks ? costs.wrong - 1 : costs.wrong / costs.missed);
    model->review_mbit = asks ? -mbit_of_odds(costs.missed - 1) : model->auto_mbit;
    return STATUS_OK;
}

struct mpi_costs mpi_model_costs(const struct mpi_model *model)
{
    return (struct mpi_costs){1 + exp2(model->auto_mbit / 1000.0), 1 + exp2(-model->review_mbit / 1000.0)};
}
