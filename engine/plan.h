/*
 * The plan of one message: which routes take it, what each of them changes, and the bytes each destination gets.
 *
 * A pure function of (message, source, person, routes, active codes): apply and rehearsal make the same plan.
 * Memory:  everything in cx->arena; code and route strings borrow the snapshot and the routes.
 */
#pragma once

#include "engine/engine.h"
#include "hl7v2/edit.h"
#include "hl7v2/header.h"
#include "route.h"

struct plan_change {
    struct str path; /* "OBX(2)-3.4" */
    struct str before, after;
    const char *why; /* "codes.translated", "identity.person" */
};

struct plan_output {
    const struct route *route;
    const size_t *to; /* indexes into routes->destinations; a destination occurs in one output only */
    size_t to_count;
    struct str bytes; /* data NULL = the message as received */
    struct plan_change *changes;
    size_t change_count;
};

struct plan {
    struct plan_output *outputs;
    size_t output_count;
    struct engine_code *codes;
    enum codes_outcome *outcomes; /* of each code */
    struct str *displays;         /* of each code, as sent */
    size_t code_count;
};

struct plan_input {
    const struct hl7_index *index;
    const struct hl7_header *header;
    struct str source;
    const struct routes *routes;
    const struct codes_snapshot *codes;
    uint64_t person; /* 0 = nobody */
};

/* What cannot be written into a message (a display its character set lacks, no component separator) is left out and the
 * change listed with why "codes.not-added" or "identity.not-added": a translation that does not fit must never stop a
 * message. A route looks at LIMIT_CODES_PER_MESSAGE coded elements; "codes.too-many" names the first that was left as
 * it is. An acknowledgement (MSH-9.1 ACK) goes nowhere. */
void plan_make(struct ctx *cx, const struct plan_input *input, struct plan *out_plan);

/* Would the bytes for all destinations together pass what one message may make us hold? engine.too-large. Asked before
 * the message changes anything. */
status plan_check_size(struct ctx *cx, const struct hl7_index *index, const struct hl7_header *header,
                       struct str source, const struct routes *routes);
