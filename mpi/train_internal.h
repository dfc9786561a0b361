/* Steps of training, and what they hand to each other. One study's, one thread. */
#pragma once

#include "study_internal.h"

#include "base/limits.h"
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
    uint32_t said_same, said_different; /* of these: by stewards */
};
struct patterns { /* distinct ones, in the order they were first seen */
    struct pattern *at;
    size_t count, cap;
    struct map known; /* pattern to its place */
};
struct trainer {
    struct mpi_study *study;
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

/* ---- train_labels.c: what stewards decided ---- */

struct train_label { /* a standing decision of a steward */
    uint32_t left, right;
    bool same;
};
struct train_labels {
    struct train_label *at;
    size_t count, cap;
};
/* Of pairs that both take part in matching. Free with VEC_FINI(). */
struct train_labels train_labels(const struct mpi_study *study);
/* What differs between a model learned without them and one learned with them: prior and weights. */
void train_tell_taught(const struct mpi_model *without, const struct mpi_model *with, struct mpi_taught *taught);

/* ---- train_pairs.c: what is seen ---- */

/* Every pair that shares a key, or those of an even sample of records: each pair is then met twice in `every`. Answers
 * how many were looked at. */
uint64_t train_see_pairs(struct trainer *trainer);
/* What stewards said of pairs, beside what is seen of all; one that shares no key is seen here only. */
void train_see_labels(struct trainer *trainer, const struct train_labels *labels);
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
struct value_counts train_count_values(const struct mpi *mpi, enum value_kind kind);
/* Counts every kind by the persons that are known so far; writes the value tables, of at most `of_all` values together
 * the most frequent of each kind, and how often namesakes meet. */
void train_write_values(const struct mpi *mpi, size_t of_all, struct mpi_model *model,
                        struct agreement out_agreements[COUNTED_KINDS]);
/* A text of so many, at 33 bytes a line at most, may be read again. */
enum { TRAIN_VALUES_ALL = 490000 };
_Static_assert(TRAIN_VALUES_ALL * 33 < LIMIT_MODEL_BYTES - 512 * 1024, "with everything else that is in it");

/* ---- train_slips.c: which names may be slips of others ---- */

/* Fills `beside` of the family or given names that are `counts`, ascending value. */
void train_see_beside(const struct mpi *mpi, enum value_kind kind, struct value_counts *counts);

/* ---- train_sources.c ---- */

/* How often two numbers of one source are one person, source by source, and how often chance makes two records be of
 * one source. */
void train_write_sources(const struct mpi *mpi, struct mpi_model *model);

/* ---- train_learn.c: expectation maximisation ---- */

/* millibits of log2, of a share that is never taken for none. */
int32_t train_mbit_of(double share);
/* Into the model, and which fields were counted into the trainer. */
void train_count_exact_strangers(struct trainer *trainer, const struct agreement agreements[COUNTED_KINDS],
                                 struct mpi_model *model);
/* To begin with. */
void train_believe_general(struct trainer *trainer);
/* Answers the rounds it took. `listens`: to what stewards said. */
uint32_t train_learn(struct trainer *trainer, bool listens);
/* How unexpected a decision is to what was learned, in bits. */
double train_surprise(const struct trainer *trainer);
void train_write_frequencies(const struct trainer *trainer, struct mpi_model *model);

/* ---- train_threshold.c ---- */

/* From which score the pairs of the linked study are linked. */
int32_t train_choose_auto(const struct mpi *mpi);
/* alone_mbit of the linked study. */
int32_t train_how_alone(const struct mpi *mpi);
