/*
 * The identity step of one message: what its type means (event.h), what its patient segments say (patient.h), and what
 * the index makes of it.
 */
#pragma once

#include "engine/engine.h"
#include "entry_bounds.h"
#include "event.h"
#include "hl7v2/index.h"

/* What the index made of one PID segment. */
struct identified_patient {
    uint32_t pid; /* which PID segment, from 1 */
    struct mpi_result result;
};
/* What a PID segment says beyond the limits: left out, one line of the trace. */
struct identified_left_out {
    struct str path, what; /* "PID(2)", "3 identifiers, 1 value cut" */
};
struct identified {
    struct mpi_result result; /* of what the message does: of a merge or link that; else of its first patient */
    struct identified_patient *patients; /* every PID that names somebody, in order, each with its person as it is after
                                            the whole message; in cx->arena */
    size_t patient_count;
    struct identified_left_out *left_out; /* in cx->arena */
    size_t left_out_count;
};

/* What one entry has the index do: nothing else happens meanwhile, so it is bounded. */
struct identity_work {
    const struct data_txn *txn;
    const struct entry_bounds *bounds;
    struct data_txn_work before; /* of the batch, when the entry began */
    size_t values;               /* said of its patients so far */
};
struct identity_work identity_work_begin(const struct data_txn *txn, const struct entry_bounds *bounds);
/* Before a record is applied: engine.too-large when the entry says more values than its bounds allow. */
status identity_work_add(struct identity_work *work, struct ctx *cx, const struct mpi_record_input *record);
/* After each step: engine.too-large when it has read and written more bytes of rows than they allow. */
status identity_work_check(const struct identity_work *work, struct ctx *cx);

/* Applies every patient of the message; the one writer. A refusal may leave some of it behind: the caller takes the
 * entry back (data_txn_undo_to(), mpi_undo_to()). *out_fault may name the place (name 0 = none).
 * Errors: engine.patient-missing, engine.too-large (LIMIT_PATIENTS_PER_MESSAGE, LIMIT_MERGES_PER_MESSAGE,
 * `bounds`), those of mpi_apply_*(). Source: [HL7 2.5.1 3.3.40 A40, 3.3.24
 * A24, 3.3.37 A37, 7.3.1 ORU^R01: PATIENT_RESULT repeats]. */
status identify_apply(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                      const struct entry_bounds *bounds, const struct hl7_index *index, struct event_meaning meaning,
                      struct str source, struct identified *out_identified, struct hl7_path *out_fault);

/* The same question without effect: who would they be? Persons of merges and links are those before. */
status identify_rehearse(struct mpi *mpi, struct ctx *cx, const struct hl7_index *index, struct event_meaning meaning,
                         struct str source, struct identified *out_identified);
