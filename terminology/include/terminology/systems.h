/*
 * Code systems by all their names: FHIR URI, HL7 v2 table 0396 name, OID, words people type.
 *
 * Source: HL7 table 0396 (coding system), FHIR R4 code system registry.
 * Threads: immutable tables.
 */
#pragma once

#include "base/str.h"

enum { SYSTEM_ALIASES = 4 };

struct system_row {
    const char *uri;
    const char *v2_name;                 /* table 0396 */
    const char *aliases[SYSTEM_ALIASES]; /* NULL-ended: OID, other names */
    bool (*shape)(struct str code);      /* NULL: any text */
    const char *shape_text;              /* for a finding: what a code of this system looks like */
};

extern const struct system_row systems_rows[];
extern const size_t systems_count;

/* The row that has this name in any of its columns (letter case ignored), or NULL for a local system. */
const struct system_row *systems_find(struct str name);
