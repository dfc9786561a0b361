#include "mpi/train.h"

#include "train_internal.h"
#include "value_use_internal.h"

/*
 * Three kinds of pairs: one person (same), two relatives of one home (kin), strangers. How strangers agree is measured,
 * on random pairs; the other two are estimated on patterns of levels. Pairs that share no key are taken for strangers.
 */
enum { SEEKERS_MAX = 200000 }; /* records whose candidates are looked at; of more, an even sample */

/* What is counted, before anything is learned: values by the persons that are known so far, and general beliefs. */
static struct mpi_model *count_model(struct trainer *trainer)
{
    struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
    struct agreement agreements[COUNTED_KINDS] = {0};
    model->format = MODEL_FORMAT;
    train_write_values(trainer->mpi, TRAIN_VALUES_ALL, model, agreements);
    train_write_sources(trainer->mpi, model);
    train_count_exact_strangers(trainer, agreements, model);
    return model;
}

/* Frequencies into the model, first as they are without what stewards said, then with it; what that changed is told. */
static void learn_model(struct trainer *trainer, const struct train_labels *labels, struct mpi_model *model,
                        struct mpi_training *training)
{
    struct mpi_taught taught = {0};
    training->rounds = train_learn(trainer, false);
    train_write_frequencies(trainer, model);
    if (labels->count > 0) {
        struct mpi_model *without = mem_copy(model, sizeof *model); /* frequencies only */
        taught.surprise_before = train_surprise(trainer);
        training->rounds = train_learn(trainer, true);
        train_write_frequencies(trainer, model);
        taught.surprise_after = train_surprise(trainer);
        train_tell_taught(without, model, &taught);
        mem_free(without);
    }
    for (size_t i = 0; i < labels->count; i++) {
        taught.same += labels->at[i].same;
        taught.different += !labels->at[i].same;
    }
    training->taught = taught;
}

/* How the values of the model are used by those it was made from: an even sample of many. */
static void write_use(const struct mpi *mpi, struct mpi_model *model)
{
    enum { SAMPLED = 100000 };
    struct value_use_count count = {0};
    uint32_t records = mpi->applied.records, every = records / SAMPLED + 1;
    for (uint32_t record = 1; record <= records; record += every)
        value_use_add(&count, model, entry_at(mpi, APPLIED, record)->row);
    for (size_t kind = 0; kind < VALUE_KINDS; kind++)
        model->use[kind] = value_use_of(&count, kind);
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
    trainer->study = study;
    trainer->mpi = study->mpi;
    trainer->threads = study->threads;
    trainer->seekers = seekers;
    double records = study->mpi->applied.records;
    trainer->all_pairs = records * (records - 1) / 2;
    struct mpi_training training = {0};
    struct train_labels labels = train_labels(study);
    struct mpi_model *model = mem_copy(mpi_model_general(), sizeof *model);
    struct mpi_model *guessing = mpi_model_guessing(model);
    mpi_study_link(study, guessing);
    for (size_t pass = 0; pass < PASSES && records > 1 && !study_stops(study); pass++) {
        struct mpi_model *next = count_model(trainer);
        study_see_by(study, next);
        mpi_model_free(guessing);
        mpi_model_free(model);
        model = next;
        train_forget_patterns(&trainer->patterns);
        train_believe_general(trainer);
        training.pairs = train_see_pairs(trainer);
        train_see_labels(trainer, &labels);
        train_see_random_pairs(trainer);
        learn_model(trainer, &labels, model, &training);
        guessing = mpi_model_guessing(model); /* who is one person, as well as is known: not only what is certain */
        mpi_study_link(study, guessing);
    }
    model->auto_mbit = train_choose_auto(study->mpi);
    model->alone_mbit = train_how_alone(study->mpi);
    write_use(study->mpi, model);
    study_see_by(study, model);
    mpi_model_free(guessing);
    training.patterns = (uint32_t)trainer->patterns.count;
    training.random_pairs = (uint64_t)trainer->random_pairs;
    training.matches = trainer->same * trainer->all_pairs;
    training.kin = trainer->kin * trainer->all_pairs;
    train_forget_patterns(&trainer->patterns);
    VEC_FINI(&labels);
    mem_free(trainer);
    *out_model = model;
    *out_training = training;
}

void mpi_study_train(struct mpi_study *study, struct mpi_model **out_model, struct mpi_training *out_training)
{
    study_train(study, SEEKERS_MAX, out_model, out_training);
}
