/*
 * The identity step of one message: what its type means (event.h), what its patient segments say (patient.h), and what
 * the index makes of it.
 */
#pragma once

#include "engine/engine.h"
#include "event.h"
#include "hl7v2/index.h"

/* Applies; the one writer. On failure nothing has changed, and *out_fault may name the place (name 0 = none). A message
 * with several merge groups is applied whole or not at all: when a later group is refused, the merges of the earlier
 * ones are undone within the same entry (numbers nobody knew stay behind as records of their own). Source:
 * [HL7 2.5.1 3.3.40 A40, 3.3.24 A24, 3.3.37 A37]. */
status identify_apply(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                      const struct hl7_index *index, struct event_meaning meaning, struct str source,
                      struct mpi_result *out_result, struct hl7_path *out_fault);

/* The same question without effect: who would it be? */
status identify_rehearse(struct mpi *mpi, struct ctx *cx, const struct hl7_index *index, struct event_meaning meaning,
                         struct str source, struct mpi_result *out_result);
