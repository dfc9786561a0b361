/*
 * Makes a model from people, without labels: expectation maximisation on distinct agreement patterns of the pairs that
 * share a blocking key, over the whole pair space; chance agreement from random pairs and from value counts; relatives
 * as a class of their own; value frequencies counted per person, not per record. Sources: [FS69], [Enamorado 2019] (EM
 * on patterns), docs/adr/0011.
 *
 * The result is data: the same people give the same model on one machine; a model that is in use is frozen, written
 * down and the same everywhere.
 */
#pragma once

#include "mpi/study.h"

/* A weight that decisions changed. */
struct mpi_moved {
    const char *field, *level;
    int32_t before_mbit, after_mbit; /* same / strangers */
};
enum { MPI_MOVED_MAX = 8 };

/*
 * What stewards' decisions taught. They were asked about doubtful pairs, so their answers are no sample of all pairs;
 * of the pairs that look just alike they are one, because who is asked about follows from how a pair looks. So a
 * decision counts for its own pattern only: there the share of those said to be the same stands beside what the model
 * believes, which counts as two decisions.
 */
struct mpi_taught {
    uint64_t same, different; /* pairs decided */
    /* How unexpected a decision was, bits in the mean, for the model learned without them and with them. */
    double surprise_before, surprise_after;
    int32_t prior_before_mbit, prior_after_mbit;
    struct mpi_moved moved[MPI_MOVED_MAX]; /* largest change first */
    size_t moved_count;
};

struct mpi_training {
    uint64_t pairs, random_pairs; /* looked at */
    uint32_t patterns;            /* distinct ones among the pairs */
    uint32_t rounds;              /* of the last expectation maximisation */
    double matches, kin;          /* pairs thought to be one person, and of two relatives */
    struct mpi_taught taught;     /* of the last one too */
};

/* From everybody in the study. Links them on the way: mpi_study_link() again with the model that is wanted. Fewer than
 * two records: a copy of the general model. Free it with mpi_model_free(), after the study has another or is freed. */
void mpi_study_train(struct mpi_study *study, struct mpi_model **out_model, struct mpi_training *out_training);

/* How a model is to be made. */
struct mpi_making {
    struct str name;
    int64_t now_us;
    struct mpi_costs
        costs; /* set the thresholds; both 0: links where one in 5,000 would be wrong, asks as in general */
};
/* The same, and says in the model how it is called, when it was made and from how many: to be written and activated.
 * The study stays linked by it. mpi.model-bad for the name or the costs; base.deadline, base.cancelled: soon after the
 * caller is gone. */
status mpi_study_make_model(struct mpi_study *study, struct ctx *cx, const struct mpi_making *making,
                            struct mpi_model **out_model, struct mpi_training *out_training);
