/*
 * From release files to a pack. The loader is recognised by content, not by path; every row is checked; a faulty or
 * killed load leaves nothing behind: the pack is written under a temporary name and renamed when it is complete.
 *
 * Sources: ICD-10-CM order file (CMS layout: columns 1-5 order, 7-13 code, 15 flag, 17-76 short, 78- long title), LOINC
 * table CSV (Loinc.csv), RxNorm RRF (RXNCONSO, RXNREL, RXNSAT, RXNCUI), SNOMED CT RF2 snapshot [RF2 4.2], local map
 * CSV.
 */
#pragma once

#include "base/ctx.h"
#include "terminology/codes.h"

struct loader_finding {
    struct str file; /* base name */
    uint64_t line;   /* 1-based; 0 = the whole file */
    struct str rule; /* "loinc.check-digit", "rf2.columns", "csv.quote" … */
    struct str what; /* one sentence: what, and what to do */
    bool fatal;      /* a fatal finding refuses the load */
};

struct loader_options {
    const char *path;     /* a file or a release folder */
    const char *pack_dir; /* where the pack goes */
    struct str system;    /* for map CSV: its name, empty = "map:" + file stem */
    struct str version;   /* overrides what the files say; needed where they say nothing */
    bool dry_run;         /* check everything, write nothing */
    size_t findings_max;  /* keep at most so many, fatal ones before warnings; 0 = 100; all are counted */
    /* called now and then on the loading thread; answer false to cancel */
    bool (*progress)(void *arg, const char *stage, uint64_t done, uint64_t total);
    void *arg;
};

struct loader_result {
    const char *kind; /* which loader took it; "probe" report in `probe` when none did */
    struct str probe; /* what was seen, for people */
    struct codes_registration registration;
    struct loader_finding *findings;
    size_t findings_count;
    uint64_t findings_total, findings_fatal, rows;
};

/* Everything in cx->arena. loaders.unknown-release, loaders.faulty (see findings), loaders.cancelled, base.file.
 * *out_result is filled on failure too, against the custom: it carries the findings and what was seen. */
status loaders_load_codes(struct ctx *cx, const struct loader_options *options, struct loader_result *out_result);

enum loaders_reason {
    LOADERS_UNKNOWN_RELEASE, /* loaders.unknown-release, INVALID_ARGUMENT */
    LOADERS_FAULTY,          /* loaders.faulty, INVALID_ARGUMENT */
    LOADERS_CANCELLED,       /* loaders.cancelled, CANCELLED */
    LOADERS_PEOPLE_COLUMNS,  /* loaders.people-columns, INVALID_ARGUMENT */
    LOADERS_REASON_COUNT
};
extern const struct reason loaders_reasons[LOADERS_REASON_COUNT];
