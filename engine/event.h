/*
 * What a message type means for identity: one row per event of HL7 chapter 3 that does something special.
 * Source: [HL7 2.5.1 3.3], table 0003; docs/conformance/hl7v2.md.
 */
#pragma once

#include "base/str.h"

enum identity_action {
    IDENTITY_NONE,     /* names no patient, or must not touch identity */
    IDENTITY_REGISTER, /* know the record, create it when new, leave a known one as it is: orders, results, documents */
    IDENTITY_UPDATE,   /* create or update from PID: A01, A04, A05, A08, A28, A31 … */
    IDENTITY_DEACTIVATE, /* A29 */
    IDENTITY_MERGE,      /* each PID + MRG group: MRG-1 is retired into PID-3: A40, A18, A30, A34, A36, A39, A47 */
    IDENTITY_LINK,       /* two PID: A24 */
    IDENTITY_UNLINK,     /* two PID: A37 */
};

struct event_meaning {
    enum identity_action action;
    bool person_level;     /* A28, A31: independent of an encounter */
    bool needs_identifier; /* refused without PID-3: the message is about nothing else */
};

/* `type` and `trigger` are MSH-9.1 and MSH-9.2. */
struct event_meaning event_meaning(struct str type, struct str trigger);
