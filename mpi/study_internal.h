/* What a study is made of: an index whose records are all the writer's. Nothing is ever published, so everything is
 * changed where it stands. */
#pragma once

#include "mpi/study.h"
#include "mpi/train.h"
#include "people_internal.h"

enum { STUDY_THREADS_MAX = 64 };

struct mpi_study {
    struct mpi *mpi;
    uint64_t compared;
    unsigned threads;  /* 0 as 1 */
    struct ctx *heeds; /* whose deadline and client long work minds; NULL: nobody's */
    status stopped;    /* why it ended early: what it made is worth nothing */
};

/* Long work runs between these two: it ends early when `cx` says so, and then the second answers why. What it made is
 * worth nothing then, and the study is linked by nothing. */
void study_heed(struct mpi_study *study, struct ctx *cx);
status study_heed_end(struct mpi_study *study);
/* Asked by long work every few thousand comparisons of a thread. */
bool study_stops(struct mpi_study *study);

/* ---- slices.c: looking at many by several threads ---- */

/*
 * Something is done with `count` items, so many at a time. What the slices are does not depend on how many threads
 * there are, and each leaves its result in a place of its own: put together in their order they make the same of it.
 */
struct slices {
    uint64_t count;
    uint32_t items;                                                    /* in a slice */
    void (*work)(void *arg, size_t slice, uint64_t from, uint64_t to); /* items from … to - 1; by any thread */
    void *arg;
};
size_t slices_count(const struct slices *slices);
/* Answers when all are done. */
void slices_run(const struct slices *slices, unsigned threads);

/* Forgets edges and persons, and sees every row through this model. */
void study_see_by(struct mpi_study *study, const struct mpi_model *model);

/* mpi_study_train() that looks around `seekers` records at most, 1 or more. */
void study_train(struct mpi_study *study, uint32_t seekers, struct mpi_model **out_model,
                 struct mpi_training *out_training);

/* ---- steps of training ---- */

struct value_count {
    uint64_t value;
    uint32_t persons, records;
    uint32_t beside; /* of a name: persons who have the commonest other one that is a slip away */
};
struct value_counts {
    struct value_count *at;
    size_t count, cap;
    uint64_t persons; /* that have any */
};
/* How rare each value is, of at most `values_max` of them the most frequent; sorts `counts`. */
void study_tabulate(struct value_counts *counts, enum value_kind kind, size_t values_max,
                    struct value_table *out_table);

/*
 * Links are made from where on, by the model's own odds, at most one link in 3,000 is wrong; never below 98 % for a
 * single one, and 99.9 % is always enough. Scores: those of at least STUDY_LOWEST_MBIT; they are sorted.
 */
enum { STUDY_LOWEST_MBIT = 5615 };
int32_t study_threshold(int32_t *scores, size_t count);
