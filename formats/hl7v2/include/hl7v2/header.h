/*
 * What the engine needs of MSH, read tolerantly: also from a message that the index refuses, so that a NAK can be
 * built.
 *
 * All values are raw bytes of the message (escaped, in its character set); decode for display only.
 * Memory:  borrows the message; allocates nothing. Reads at most the first HL7_HEADER_MAX bytes.
 * Threads: pure.
 * Source:  [HL7 2.5.1 2.15.9].
 */
#pragma once

#include "hl7v2/index.h"

enum { HL7_HEADER_MAX = 64 * 1024 };

struct hl7_header {
    bool found;             /* an MSH was found; nothing below is set otherwise */
    bool delimiters_usable; /* else `delimiters` are the recommended |^~\& and values may be nonsense */
    struct hl7_delimiters delimiters;
    struct str sending_application, sending_facility;     /* MSH-3, 4: whole fields (HD) */
    struct str receiving_application, receiving_facility; /* MSH-5, 6 */
    struct str date;                                      /* MSH-7 */
    struct str type, trigger, structure;                  /* MSH-9.1, .2, .3 */
    struct str control_id;                                /* MSH-10, the whole field */
    struct str processing_id;                             /* MSH-11.1 */
    struct str version;                                   /* MSH-12.1 */
    struct str processing, version_field;                 /* MSH-11, MSH-12 whole, for the echo */
    struct str sequence;                                  /* MSH-13 */
    struct str accept_ack, application_ack;               /* MSH-15, 16 */
    struct str country;                                   /* MSH-17 */
    struct str charsets;                                  /* MSH-18, all repetitions */
};

/* Never fails; look at `found`. Skips a byte order mark, VT, blanks and line ends before MSH. */
void hl7_header_read(struct str bytes, struct hl7_header *out_header);

/*
 * Is the header enough to take responsibility? Refuses an empty MSH-9, MSH-10, MSH-12 and an MSH-10 above
 * LIMIT_CONTROL_ID_BYTES: hl7.no-type, hl7.no-control-id, hl7.no-version, hl7.long-control-id. *out_fault names the
 * field.
 */
status hl7_header_check(struct ctx *cx, const struct hl7_header *header, struct hl7_path *out_fault);

/* The version as a number that sorts: "2.5.1" = 20501, "2.3" = 20300; 0 when it is not like that. */
uint32_t hl7_version_number(struct str version);
