/*
 * Does a code look like one of its system? Refuses typing errors before any table is asked.
 *
 * Source: [SCTID] Verhoeff's dihedral check digit, partition identifier; [LOINC] modulus-10 check digit (users' guide,
 * appendix); ICD-10-CM official guidelines I.A.2 (3 to 7 characters, a point after the third). Threads: pure.
 */
#pragma once

#include "base/str.h"

/* 6 to 18 digits, no leading zero, right check digit. */
bool shape_is_sctid(struct str code);
/* The identifier of a concept (partition 00 or 10), not of a description or a relationship. */
bool shape_is_sctid_concept(struct str code);
/* "1234-5" with the right check digit; parts and answers ("LP1234-5"), whose check digits follow another rule, by form
 * only. */
bool shape_is_loinc(struct str code);
/* ICD-10-CM with or without its point: "E11.9", "E119". */
bool shape_is_icd10cm(struct str code);
/* ICD-10-PCS: 3 to 7 letters (without I and O) and digits. */
bool shape_is_icd10pcs(struct str code);
/* 1 to 9 digits without a leading zero. */
bool shape_is_rxcui(struct str code);
