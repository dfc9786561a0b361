/*
 * From a PID (or MRG) segment to what the index wants to know. The only place that knows which field holds what.
 * Source: [HL7 2.5.1 3.4.2 PID, 3.4.9 MRG], data types CX, XPN, XAD, XTN.
 *
 * Memory:  arrays and decoded text, as far as it is kept, in cx->arena; values that need no decoding borrow the
 *          message.
 * Threads: pure.
 */
#pragma once

#include "hl7v2/index.h"
#include "mpi/mpi.h"

/* What a segment says beyond what the index takes (LIMIT_IDENTIFIERS_PER_RECORD, LIMIT_NAMES_PER_RECORD,
 * LIMIT_FIELD_VALUE_BYTES): left out or, as the values of names and addresses, cut. And what is no date. */
struct patient_left_out {
    uint32_t identifiers;
    uint32_t names, addresses;
    uint32_t contacts; /* telephones and e-mail addresses */
    uint32_t cut_values;
    bool birth_unreadable; /* left out */
    bool birth_is_no_day;  /* of the calendar, as 1980-02-31: kept as written */
};

/* What PID segment number `pid` says. identifiers[0] is the record's own: the first of type MR, else PI, else the first
 * at all. An identifier without assigning authority belongs to `source` itself. identifier_count may be 0. Repetitions
 * past the limits are left out, and counted. Errors: engine.too-large for an identifier that is longer than
 * LIMIT_FIELD_VALUE_BYTES: shortened or left out it would be somebody else's, or another would be the record's own. */
status patient_read(const struct hl7_index *index, struct ctx *cx, uint32_t pid, struct str source,
                    struct mpi_record_input *out_record, struct patient_left_out *out_left_out);

/* MRG-1 of segment number `mrg`: the identifier that is retired (the first that matches `like` in authority, else the
 * first); its value is empty when there is none. Errors: engine.too-large, as above. */
status patient_read_retired(const struct hl7_index *index, struct ctx *cx, uint32_t mrg, struct str source,
                            struct mpi_identifier like, struct mpi_identifier *out_identifier);
