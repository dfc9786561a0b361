/* The invented and public-domain codes that the sample releases, the local maps and the messages share. */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* ICD-10-CM: real codes and titles (public domain, NCHS/CMS). The short title is the long one, cut. */
struct sample_icd {
    const char *code; /* without the point */
    bool billable;
    const char *title;
    uint8_t releases; /* SAMPLE_BEFORE | SAMPLE_NOW */
};
enum sample_release { SAMPLE_BEFORE = 1, SAMPLE_NOW = 2, SAMPLE_BOTH = 3 };
extern const struct sample_icd sample_icd_rows[];
extern const size_t sample_icd_count;

/* What a laboratory measures, in words of our own. */
struct sample_analyte {
    const char *local; /* the lab's own code */
    const char *name;
    const char *unit;
    double low, high;
};
extern const struct sample_analyte sample_analytes[];
extern const size_t sample_analyte_count;

/* "990001-4": invented LOINC-shaped numbers with a right check digit. specimen 0..2 (serum, urine, blood), kind 0..1.
 */
void sample_loinc(size_t analyte, unsigned specimen, unsigned kind, char out[16]);
extern const char *const sample_specimens[3];

/* Invented RxCUIs. */
struct sample_drug {
    const char *ingredient;
    const char *brand;        /* invented */
    const char *strengths[3]; /* "250 MG", NULL-ended */
    const char *form;         /* "Oral Tablet" */
};
extern const struct sample_drug sample_drugs[];
extern const size_t sample_drug_count;
/* RxCUI of a clinical drug (SCD). */
uint32_t sample_rxcui(size_t drug, unsigned strength);
/* "amoxicillin 250 MG Oral Capsule" */
struct str sample_drug_name(struct arena *arena, size_t drug, unsigned strength);

/* Invented SNOMED-shaped identifiers: namespace 9990001, Verhoeff check digit. `item` from 1; partition "10", "11" or
 * "12". */
void sample_sctid(uint32_t item, const char *partition, char out[24]);
/* Findings, procedures, allergies: item number of the n-th. */
extern const size_t sample_finding_count, sample_procedure_count, sample_substance_count;
uint32_t sample_finding_item(size_t n);
uint32_t sample_procedure_item(size_t n);
uint32_t sample_substance_item(size_t n);
/* "Swelling of elbow" */
struct str sample_finding_name(struct arena *arena, size_t n);
struct str sample_procedure_name(struct arena *arena, size_t n);
const char *sample_substance_name(size_t n);

/* One file of a release; `dir` ends without a slash. */
status sample_write(struct ctx *cx, const char *dir, const char *path, struct buf *bytes);

status sample_write_icd(struct ctx *cx, const char *dir);
status sample_write_loinc(struct ctx *cx, const char *dir);
status sample_write_rxnorm(struct ctx *cx, const char *dir);
status sample_write_snomed(struct ctx *cx, const char *dir);
status sample_write_maps(struct ctx *cx, const char *dir);
