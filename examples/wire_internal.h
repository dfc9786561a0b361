/*
 * Writing one HL7 v2 message field by field, with whatever delimiters and character set the sender has.
 *
 *   wire_segment(&w, "PID"); wire_at(&w, 5); wire_text(&w, "O'Brien"); wire_next(&w); wire_text(&w, "Ann");
 * wire_end(&w);
 *
 * Source: [HL7 2.5.1 2.5.4] delimiters, [HL7 2.5.1 2.7.1] escapes, [HL7 2.7 2.5.5.2] truncation character.
 */
#pragma once

#include "base/buf.h"

struct wire_delimiters {
    char field, component, repetition, escape, subcomponent, truncation; /* truncation 0 = none */
};

struct wire {
    struct buf *out;
    struct wire_delimiters delimiters;
    bool latin1;
    unsigned field; /* number of the field being written */
};

void wire_segment(struct wire *wire, const char *name);
void wire_at(struct wire *wire, unsigned field);        /* forward only; starts the first component of that field */
void wire_next(struct wire *wire, unsigned components); /* so many component separators */
void wire_repeat(struct wire *wire);
void wire_text(struct wire *wire, const char *utf8); /* escaped, in the message's character set */
void wire_raw(struct wire *wire, const char *bytes); /* as it is: delimiters and escapes meant as such */
void wire_end(struct wire *wire);
/* code^text^system in the field `field` */
void wire_coded(struct wire *wire, unsigned field, const char *code, const char *text, const char *system);
