#include "mpi/train.h"

#include "train_internal.h"

/*
 * Three kinds of pairs: one person (same), two relatives of one home (kin), strangers. How strangers agree is measured,
 * on random pairs; the other two are estimated on patterns of levels. Pairs that share no key are taken for strangers.
 */
enum { SEEKERS_MAX = 200000 }; /* records whose candidates are looked at; of more, an even sample */

/* What is counted, before anything is learned: values by the persons that are known so far, and general beliefs. */
static struct mpi_model *count_model(struct trainer *trainer)
{
    struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
    struct agreement agreements[COUNTED_KINDS];
    train_write_values(trainer->mpi, model, agreements);
    train_count_exact_strangers(trainer, agreements, model);
    return model;
}

/*
 * Persons are needed to count values, values to find persons: so it starts with the cautious general model and goes
 * round a few times.
 */
void study_train(struct mpi_study *study, uint32_t seekers, struct mpi_model **out_model,
                 struct mpi_training *out_training)
{
    enum { PASSES = 2 };
    struct trainer *trainer = mem_alloc(sizeof *trainer);
    trainer->mpi = study->mpi;
    trainer->threads = study->threads;
    trainer->seekers = seekers;
    double records = study->mpi->applied.records;
    trainer->all_pairs = records * (records - 1) / 2;
    struct mpi_training training = {0};
    struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
    struct mpi_model *guessing = mpi_model_guessing(model);
    mpi_study_link(study, guessing);
    for (size_t pass = 0; pass < PASSES && records > 1; pass++) {
        struct mpi_model *next = count_model(trainer);
        study_see_by(study, next);
        mpi_model_free(guessing);
        mpi_model_free(model);
        model = next;
        train_forget_patterns(&trainer->patterns);
        train_believe_general(trainer);
        training.pairs = train_see_pairs(trainer);
        train_see_random_pairs(trainer);
        training.rounds = train_learn(trainer);
        train_write_frequencies(trainer, model);
        guessing = mpi_model_guessing(model); /* who is one person, as well as is known: not only what is certain */
        mpi_study_link(study, guessing);
    }
    model->auto_mbit = train_choose_auto(study->mpi);
    model->alone_mbit = train_how_alone(study->mpi);
    study_see_by(study, model);
    mpi_model_free(guessing);
    training.patterns = (uint32_t)trainer->patterns.count;
    training.random_pairs = (uint64_t)trainer->random_pairs;
    training.matches = trainer->same * trainer->all_pairs;
    training.kin = trainer->kin * trainer->all_pairs;
    train_forget_patterns(&trainer->patterns);
    mem_free(trainer);
    *out_model = model;
    *out_training = training;
}

void mpi_study_train(struct mpi_study *study, struct mpi_model **out_model, struct mpi_training *out_training)
{
    study_train(study, SEEKERS_MAX, out_model, out_training);
}
