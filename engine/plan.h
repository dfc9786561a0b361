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

/* What one route makes of the message. Routes that change alike share bytes and changes. */
struct plan_output {
    const struct route *route;
    const size_t *to; /* indexes into routes->destinations; a destination occurs in one output only */
    size_t to_count;
    struct str bytes; /* data NULL = the message as received */
    const struct plan_change *changes;
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

struct plan_person {
    uint32_t pid;    /* which PID segment, from 1 */
    uint64_t person; /* never 0 */
};

struct plan_input {
    const struct hl7_index *index;
    const struct hl7_header *header;
    struct str source;
    const struct routes *routes;
    const struct codes_snapshot *codes;
    const struct plan_person *persons; /* of the patients that were identified */
    size_t person_count;
};

/*
 * What cannot be written into a message (a display its character set lacks, no component separator) is left out and the
 * change listed with why "codes.not-added" or "identity.not-added": a translation that does not fit must never stop a
 * message. An acknowledgement (MSH-9.1 ACK) goes nowhere.
 *
 * Errors: engine.too-large when more would be made than LIMIT_MADE_BYTES; asked before each route's bytes are made.
 * Memory: at most about 1 KiB for each coded element that plan_check() counts, and LIMIT_MADE_BYTES.
 */
status plan_make(struct ctx *cx, const struct plan_input *input, struct plan *out_plan);

/* Would the plan look at more coded elements than LIMIT_CODES_PER_MESSAGE, or make more bytes than LIMIT_MADE_BYTES?
 * Then engine.too-large. Needs no persons and no codes: asked before anything is done with the message. */
status plan_check(struct ctx *cx, const struct plan_input *input);
