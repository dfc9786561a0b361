/* Who is asked about: from options, from a JSON (or YAML) file, or from the PID segment of an HL7 v2 message. */
#pragma once

#include "base/limits.h"
#include "line.h"

/* One more than the daemon takes: it then refuses, and nobody is asked about by a part of what is known. */
enum { ASKED_IDENTIFIERS_MAX = LIMIT_IDENTIFIERS_PER_RECORD + 1, ASKED_REPETITIONS_MAX = LIMIT_NAMES_PER_RECORD + 1 };

/* A request of IDENTIFY with room for what is found; everything in the arena. */
Idem__Identity__V1__IdentifyRequest *asked_new(struct arena *arena);
bool asked_is_empty(const Idem__Identity__V1__IdentifyRequest *ask);

void asked_add_identifier(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str authority,
                          struct str value, struct str type);
/* The name to fill: the first one, made when there is none. */
Idem__Identity__V1__Name *asked_name(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask);
Idem__Identity__V1__Address *asked_address(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask);
Idem__Identity__V1__Name *asked_mother(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask);
void asked_add_phone(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str phone);
void asked_add_email(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str email);
/* "1980-02-29", "19800229", "1980": as the daemon wants it. False when there is no such day. */
bool asked_set_birth_date(struct arena *arena, Idem__Identity__V1__IdentifyRequest *ask, struct str text);

/* PID-3, 5, 6, 7, 8, 11, 13, 14, 23. hl7.* for messages that are none; cli.no-patient without PID. */
status asked_read_hl7(struct ctx *cx, struct str message, Idem__Identity__V1__IdentifyRequest *ask);
/* {"identifiers": [{"authority", "value", "type"}], "family", "given", …}: the names of the options. yaml.*,
 * cli.no-patient. */
status asked_read_json(struct ctx *cx, struct str text, Idem__Identity__V1__IdentifyRequest *ask);

extern const struct reason asked_no_patient; /* "cli.no-patient" */
