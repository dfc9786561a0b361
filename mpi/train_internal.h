/* Steps of training, and what they hand to each other. One study's, one thread. */
#pragma once

#include "study_internal.h"

#include "base/map.h"

/* A share of all pairs for every level of every field. */
struct shares {
    double at[FIELD_COUNT][LEVELS_MAX];
};
/* Levels, and how much rarer than their fields alone tell strangers would stand there, and relatives; in bits. */
struct pattern {
    uint8_t at[FIELD_COUNT];
    int8_t rarer, rarer_kin;
    double pairs;
};
struct patterns { /* distinct ones, in the order they were first seen */
    struct pattern *at;
    size_t count, cap;
    struct map known; /* pattern to its place */
};
struct trainer {
    const struct mpi *mpi;
    unsigned threads;
    uint32_t seekers;
    double all_pairs;
    struct patterns patterns;
    struct shares random; /* counts among random pairs, and how many were compared in at[field][0] */
    double random_pairs, same, kin;
    struct shares same_at, kin_at, strangers_at;
    double believed[FIELD_COUNT]; /* how much of same_at is the general model's, 0 to 1 */
    bool counted[FIELD_COUNT];    /* how often strangers agree exactly */
};

/* ---- train_pairs.c: what is seen ---- */

/* Every pair that shares a key, or those of an even sample of records: each pair is then met twice in `every`. Answers
 * how many were looked at. */
uint64_t train_see_pairs(struct trainer *trainer);
/* All pairs of few records; of many a sample. */
void train_see_random_pairs(struct trainer *trainer);
void train_forget_patterns(struct patterns *patterns);
/* Fields that only warn have no frequency. */
bool train_counts(size_t field);

/* ---- train_values.c: how many persons have each value ---- */

enum { COUNTED_KINDS = VALUE_FULL_NAME_YEAR + 1 };
struct agreement { /* ordered pairs of persons: that share a value, of all that have any */
    double agreeing, of;
};
/* Counts every kind by the persons that are known so far; writes the value tables and how often namesakes meet. */
void train_write_values(const struct mpi *mpi, struct mpi_model *model, struct agreement out_agreements[COUNTED_KINDS]);

/* ---- train_slips.c: which names may be slips of others ---- */

/* Fills `beside` of the family or given names that are `counts`, ascending value. */
void train_see_beside(const struct mpi *mpi, enum value_kind kind, struct value_counts *counts);

/* ---- train_learn.c: expectation maximisation ---- */

/* millibits of log2, of a share that is never taken for none. */
int32_t train_mbit_of(double share);
/* Into the model, and which fields were counted into the trainer. */
void train_count_exact_strangers(struct trainer *trainer, const struct agreement agreements[COUNTED_KINDS],
                                 struct mpi_model *model);
/* To begin with. */
void train_believe_general(struct trainer *trainer);
/* Answers the rounds it took. */
uint32_t train_learn(struct trainer *trainer);
void train_write_frequencies(const struct trainer *trainer, struct mpi_model *model);

/* ---- train_threshold.c ---- */

/* From which score the pairs of the linked study are linked. */
int32_t train_choose_auto(const struct mpi *mpi);
/* alone_mbit of the linked study. */
int32_t train_how_alone(const struct mpi *mpi);
