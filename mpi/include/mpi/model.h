/*
 * A model of who is alike, as an object of its own: fields, the levels two values can agree at, what each level weighs,
 * how common names and places are here, the prior, the thresholds. Clusters are a function of (records, decisions,
 * model), so a model never changes once it is made. Source: [FS69]; docs/adr/0007, docs/adr/0011.
 *
 * Threads: immutable; any.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

struct mpi_model;

/* The built-in one, for an index that knows nothing about its people yet. Never freed. */
const struct mpi_model *mpi_model_general(void);
void mpi_model_free(struct mpi_model *model);

/* The same beliefs without caution: links at even odds, and answers what a person would be asked by the odds as well.
 * For measuring what a model knows, never for an index. Freed with mpi_model_free(). */
struct mpi_model *mpi_model_guessing(const struct mpi_model *model);

/*
 * As text: YAML that people can read and compare, with everything the model is. Equal models give equal bytes.
 *
 * Values (names, towns, numbers that occur often) are in it as hashes only. Whoever has a list of names can still find
 * out which of them are: a model is to be kept like the index it was made from.
 */
void mpi_model_write(const struct mpi_model *model, struct buf *out);
/*
 * What mpi_model_write() wrote, comments and blank lines aside; keys of one place may come in any order, none may be
 * missing. mpi.model-bad names the line and what is expected there, never what stands there. At most LIMIT_MODEL_BYTES.
 * The text is only read. Freed with mpi_model_free().
 */
status mpi_model_read(struct ctx *cx, struct str text, struct mpi_model **out_model);
/* A hash of the text: which model this is. */
uint64_t mpi_model_identity(const struct mpi_model *model);

/* What a model says about itself; information, nothing is compared by it. */
struct mpi_model_about {
    struct str name, made_at;       /* 1 to 63 letters, digits and . : + - _; borrowed from the model */
    uint64_t records, persons;      /* that it was made from */
    int32_t auto_mbit, review_mbit; /* only read */
};
struct mpi_model_about mpi_model_about(const struct mpi_model *model);
/* mpi.model-bad when a model cannot be called so. */
status mpi_model_check_name(struct ctx *cx, struct str name);
/* Of a model that was just made and nobody has seen yet. mpi.model-bad. */
status mpi_model_name(struct ctx *cx, struct mpi_model *model, const struct mpi_model_about *about);

/*
 * Thresholds as costs, in questions: what a wrong link, and one that is missed, cost beside asking a person once. With
 * probability p a link costs (1 - p) wrong, a question 1, neither p missed; the cheapest is done. So links are made
 * from 1 - 1 / wrong on and questions asked from 1 / missed on; where that leaves no room for questions nobody is
 * asked, and links are made from the odds wrong to missed on.
 */
struct mpi_costs {
    double wrong, missed;
};
/* Sets both thresholds of a model that nobody has seen yet. mpi.model-bad for costs below 1 or above 10^9. */
status mpi_model_price(struct ctx *cx, struct mpi_model *model, struct mpi_costs costs);
/* The costs that the thresholds of a model are right for. */
struct mpi_costs mpi_model_costs(const struct mpi_model *model);
