/* What stewards decided, for training. */
#include "train_internal.h"

#include <stdlib.h>

static bool is_label(const struct mpi *mpi, const struct decision *decision)
{
    bool judges = decision->kind == MPI_DECISION_SAME || decision->kind == MPI_DECISION_DIFFERENT;
    return judges && decision_stands(decision, APPLIED) && entry_at(mpi, APPLIED, decision->left)->row &&
           entry_at(mpi, APPLIED, decision->right)->row &&
           index_decision_between(mpi, APPLIED, decision->left, decision->right) == decision;
}

struct train_labels train_labels(const struct mpi_study *study)
{
    const struct mpi *mpi = study->mpi;
    struct train_labels labels = {0};
    for (uint32_t i = 0; i < mpi->applied.decisions; i++) {
        const struct decision *decision = CHUNK_AT(&mpi->decisions, i);
        if (is_label(mpi, decision))
            *VEC_ADD(&labels) =
                (struct train_label){decision->left, decision->right, decision->kind == MPI_DECISION_SAME};
    }
    return labels;
}

static int32_t weight_of(const struct mpi_model *model, size_t field, size_t level)
{
    return model->fields[field][level].same - model->fields[field][level].strangers;
}

static int32_t change_of(const struct mpi_moved *moved)
{
    return abs(moved->after_mbit - moved->before_mbit);
}

static void note_moved(struct mpi_taught *taught, const struct mpi_moved *moved)
{
    size_t at = taught->moved_count;
    if (change_of(moved) == 0 || (at == MPI_MOVED_MAX && change_of(&taught->moved[at - 1]) >= change_of(moved)))
        return;
    if (at == MPI_MOVED_MAX)
        at--;
    else
        taught->moved_count++;
    for (; at > 0 && change_of(&taught->moved[at - 1]) < change_of(moved); at--)
        taught->moved[at] = taught->moved[at - 1];
    taught->moved[at] = *moved;
}

void train_tell_taught(const struct mpi_model *without, const struct mpi_model *with, struct mpi_taught *taught)
{
    taught->prior_before_mbit = without->prior_mbit;
    taught->prior_after_mbit = with->prior_mbit;
    taught->moved_count = 0;
    for (size_t field = 0; field < FIELD_COUNT; field++)
        for (size_t level = 1; level < LEVELS_MAX; level++)
            if (model_fields[field].levels[level])
                note_moved(taught,
                           &(struct mpi_moved){model_fields[field].name, model_fields[field].levels[level],
                                               weight_of(without, field, level), weight_of(with, field, level)});
}
