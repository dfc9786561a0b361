/*
 * Acknowledgements: which are due, building them, reading the ones that come back.
 * Source: [HL7 2.5.1 2.9.2, 2.9.3, 2.14.1 ACK, 2.15.5 ERR, 2.15.8 MSA]; tables 0008, 0155, 0357, 0516.
 */
#pragma once

#include "hl7v2/header.h"

/* Table 0008. */
enum hl7_ack_code { HL7_ACK_NONE, HL7_AA, HL7_AE, HL7_AR, HL7_CA, HL7_CE, HL7_CR };
const char *hl7_ack_code_text(enum hl7_ack_code code); /* "AA"; "" for HL7_ACK_NONE */

/* Table 0155, as asked by MSH-15 or MSH-16. */
enum hl7_ack_when { HL7_ACK_NEVER, HL7_ACK_ALWAYS, HL7_ACK_ON_ERROR, HL7_ACK_ON_SUCCESS };

struct hl7_ack_mode {
    bool enhanced;                 /* MSH-15 or MSH-16 is filled */
    enum hl7_ack_when accept;      /* CA/CE/CR, at once; never in original mode */
    enum hl7_ack_when application; /* AA/AE/AR; always in original mode */
};

/*
 * Which acknowledgements a message asks for. Original mode (both empty): one application ack, always. Enhanced: an
 * empty one is never; an unknown word is always (a sender that asks something must not wait for nothing). A message
 * that is itself an acknowledgement (MSH-9.1 ACK or MCF) is answered by nothing, or two engines would talk for ever.
 */
struct hl7_ack_mode hl7_ack_mode(const struct hl7_header *header);
bool hl7_ack_is_due(enum hl7_ack_when when, bool success);

/*
 * The code for a failure: AR (CR at accept level) when the message cannot be processed at all, as it is (no header,
 * delimiters, type, version, processing id, character set, our own trouble), AE (CE) when its content is wrong. NULL
 * reason: AA (CA).
 */
enum hl7_ack_code hl7_ack_code_for(const struct reason *reason, bool accept_level);

struct hl7_ack {
    const struct hl7_header *to; /* the message answered; may have found == false */
    enum hl7_ack_code code;
    struct str control_id;           /* our own MSH-10; ASCII without delimiters */
    int64_t now_us;                  /* for MSH-7 */
    const struct reason *reason;     /* NULL: no ERR segment */
    const struct hl7_path *location; /* for ERR-2 / ERR-1; may be NULL or have name 0 */
    struct str detail;               /* for ERR-7, e.g. cx->detail; without patient data; may be empty */
    int64_t expected_sequence;       /* MSA-4 of the sequence number protocol; 0 = not given */
};

/*
 * Appends the acknowledgement: MSH (3/4 and 5/6 swapped, MSH-9 ACK^event^ACK from 2.4, ACK^event before, MSH-11 and 12
 * echoed or P and 2.5.1, delimiters of the message when usable), MSA, and ERR when there is a reason (2.5 form from 2.5
 * on, else ERR-1). Segments end with CR. Whatever odd bytes the message had, the answer has exactly these segments:
 * echoed values are escaped again and cut at HL7_ECHO_MAX bytes.
 */
enum { HL7_ECHO_MAX = 512 };
void hl7_ack_build(const struct hl7_ack *ack, struct buf *out);

/* What came back from a destination. All borrow the reply and are raw. */
struct hl7_reply {
    enum hl7_ack_code code;
    struct str control_id;    /* MSA-2: which message it answers */
    struct str text;          /* MSA-3, else ERR-8 or ERR-7 of the first ERR */
    struct str error_code;    /* ERR-3.1, or ERR-1.4.1 before 2.5 */
    struct str sequence;      /* MSA-4 */
    struct hl7_header header; /* of the reply itself */
};

/*
 * Reads a reply tolerantly (any message type with an MSA: query responses too). Refuses what is none: hl7.not-an-ack
 * (no MSH, no MSA, a code outside table 0008, HTML, …). Allocates nothing beyond the error detail. The caller compares
 * control_id with the one outstanding: any other never confirms it. hl7_control_id_eq() does.
 */
status hl7_ack_read(struct ctx *cx, struct str bytes, struct hl7_reply *out_reply);

/* Is the echoed MSA-2 the MSH-10 that was sent? Equal bytes but for blanks around them; an empty id never is. */
bool hl7_control_id_eq(struct str sent, struct str echoed);
