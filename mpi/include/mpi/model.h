/*
 * A model of who is alike, as an object of its own: fields, the levels two values can agree at, what each level weighs,
 * how common names and places are here, the prior, the thresholds. Clusters are a function of (records, decisions,
 * model), so a model never changes once it is made. Source: [FS69]; docs/adr/0007, docs/adr/0011.
 *
 * Threads: immutable; any.
 */
#pragma once

#include "base/ctx.h"

struct mpi_model;

/* The built-in one, for an index that knows nothing about its people yet. Never freed. */
const struct mpi_model *mpi_model_general(void);
void mpi_model_free(struct mpi_model *model);

/* The same beliefs without caution: links at even odds, and answers what a person would be asked by the odds as well.
 * For measuring what a model knows, never for an index. Freed with mpi_model_free(). */
struct mpi_model *mpi_model_guessing(const struct mpi_model *model);
