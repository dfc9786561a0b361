/*
 * struct hl7_path: the name of a place in a message, compiled once and looked up many times.
 *
 *   path       = segment [ "-" field [ "." component [ "." subcomponent ] ] ]
 *   segment    = name [ "(" occurrence ")" ]           name = letter, then two letters or digits, capitals: "PID",
 * "PV1", "ZB2" field      = number [ "(" occurrence ")" ]         occurrence: the repetition occurrence = number | "*"
 * "*" means each: only for hl7_walk number     = 1..65534 (occurrences: 1..99999999) without leading zeros
 *
 *   "PID"            the whole first PID segment              "OBX(3)-5"     OBX-5 of the third OBX
 *   "PID-3"          the whole field, all its repetitions     "PID-3(2)"     its second repetition
 *   "PID-3.4"        component 4 of the first repetition      "PID-3(2).4.1" subcomponent 1 of component 4 of the
 * second "OBX(*)-3.1"     OBX-3.1 of every OBX                     "PID-3(*).5"   component 5 of every repetition
 *
 * An absent segment occurrence means 1. MSH-1 is the field separator itself and MSH-2 is never split
 * ([HL7 2.5.1 2.15.9.1, 2.15.9.2]); the same holds for FHS and BHS.
 *
 * Threads: immutable.
 */
#pragma once

#include "base/ctx.h"

struct hl7_index;

#define HL7_NAME(a, b, c) ((uint32_t)(uint8_t)(a) << 16 | (uint32_t)(uint8_t)(b) << 8 | (uint32_t)(uint8_t)(c))

#define HL7_EACH UINT32_MAX /* "*" as an occurrence */

enum { HL7_NUMBER_MAX = 65534, HL7_OCCURRENCE_MAX = 99999999, HL7_PATH_TEXT_MAX = 64 };

struct hl7_path {
    uint32_t name;    /* HL7_NAME('P','I','D'); 0 = no path at all */
    uint32_t segment; /* which of the segments of that name, from 1; HL7_EACH = every one */
    /* 0 = not given: the whole field, or the first repetition when a component is named; HL7_EACH */
    uint32_t repetition;
    uint16_t field;        /* 0 = the whole segment */
    uint16_t component;    /* 0 = not given */
    uint16_t subcomponent; /* 0 = not given */
};

/* Compiles the text. Errors: hl7.bad-path, detail "position 7: …". */
status hl7_path_compile(struct ctx *cx, struct str text, struct hl7_path *out_path);
/* The same for constants of our own program: a bad one ends the process. */
struct hl7_path hl7_path_make(const char *text);

/* "PID-3(2).4.1" into `out`, NUL-ended; answers its length. Occurrence 1 of a segment is left out. */
size_t hl7_path_format(const struct hl7_path *path, char out[HL7_PATH_TEXT_MAX]);

bool hl7_path_eq(const struct hl7_path *left, const struct hl7_path *right);
/* No "*" in it. */
bool hl7_path_is_concrete(const struct hl7_path *path);

/*
 * The raw bytes at the path, in the message's own delimiters and character set, still escaped.
 * data == NULL when the message has no such place; data != NULL with len 0 when the place is there but empty.
 * "*" is read as 1.
 * Memory:  borrows the message; allocates nothing.
 */
struct str hl7_get(const struct hl7_index *index, const struct hl7_path *path);
/* hl7_get of a path of our own program: hl7_at(index, "PID-3.1"). Compiles it each time (some 50 ns). */
struct str hl7_at(const struct hl7_index *index, const char *path);

/*
 * Every place a path with "*" names, in message order; a path without "*" gives its one place when it is present.
 *
 *   struct hl7_walk walk;
 *   hl7_walk_init(&walk, &index, &path);
 *   while (hl7_walk_next(&walk))  … walk.at (concrete) … walk.value (raw) …
 *
 * Places that are absent are not answered; present empty ones are. Linear over the message. Allocates nothing.
 */
struct hl7_walk {
    const struct hl7_index *index;
    struct hl7_path path;
    struct hl7_path at; /* where walk.value is */
    struct str value;
    uint32_t segment_number; /* of the segment in the message, from 0: for hl7_field() of its neighbours */
    uint32_t next_segment;
    struct str repetitions; /* what is left of the field */
    bool in_field;
};
void hl7_walk_init(struct hl7_walk *walk, const struct hl7_index *index, const struct hl7_path *path);
bool hl7_walk_next(struct hl7_walk *walk);
