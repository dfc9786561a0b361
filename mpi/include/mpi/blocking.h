/*
 * What blocking does: which pairs its rules put side by side, and how many it is likely to miss.
 *
 * Records are compared when they share a key; a key that too many share is narrowed by a further value (docs/adr/0007).
 * Sizes only: no value of any key is told. A linked pair that several rules find would have been found without some of
 * them; from how many are found by one rule only and by two, Chao's lower bound tells how many no rule finds.
 *
 * Units:   counts of keys, bodies (records that say the same count once) and pairs. Integers.
 * Source:  [Chao 1984] f1^2 / (2 f2).
 */
#pragma once

#include "mpi/mpi.h"
#include "mpi/study.h"

enum { MPI_BLOCKING_RULES = 17, MPI_BLOCKING_LARGEST = 5 };

struct mpi_blocking_rule {
    const char *name;
    uint64_t keys;                          /* different ones, before any is narrowed */
    uint64_t over_full;                     /* of these: held by more than the cap, and so narrowed */
    uint64_t narrower;                      /* keys that take their place */
    uint64_t pairs;                         /* put side by side; one that shares two keys counts twice */
    uint64_t linked;                        /* linked pairs that it finds */
    uint64_t linked_alone;                  /* of these: that no other rule finds */
    uint32_t largest[MPI_BLOCKING_LARGEST]; /* bodies that hold the most frequent keys, largest first */
};
struct mpi_blocking {
    uint64_t records, bodies; /* that take part in matching */
    uint32_t cap;             /* bodies of one key beyond which it is narrowed */
    struct mpi_blocking_rule rules[MPI_BLOCKING_RULES];
    uint64_t linked;                           /* pairs of different bodies at or above the automatic threshold */
    uint64_t found_by[MPI_BLOCKING_RULES + 1]; /* of these: by so many rules */
    uint64_t missed;                           /* estimated at least: such pairs that no rule finds */
};

/* Walks the whole index, about 10 us a record, some records at a time: what is applied meanwhile may be counted or not.
 * base.deadline, base.cancelled. Threads: any reader. */
status mpi_blocking(struct mpi *mpi, struct ctx *cx, struct mpi_blocking *out_blocking);
/* The same of a study, after mpi_study_link(). */
void mpi_study_blocking(const struct mpi_study *study, struct mpi_blocking *out_blocking);
/* Were the two put side by side: by a key, or because they, or who says the same, are one body? For pairs whose truth
 * is known. About 20 us. */
bool mpi_study_meets(const struct mpi_study *study, uint32_t left, uint32_t right);

/* Chao's lower bound from pairs found once and twice. */
uint64_t mpi_blocking_missed(uint64_t once, uint64_t twice);
/* Of the linked pairs there are, as far as that tells, those that some rule finds; 1 when there are none. */
double mpi_blocking_recall(const struct mpi_blocking *blocking);
