/* One load under way: shared by the entry (load.c), the probe and every loader. */
#pragma once

#include "loaders/codes.h"

#include "base/csv.h"
#include "base/vec.h"
#include "terminology/pack.h"

enum {
    LOAD_LINE_MAX = 1024 * 1024, /* bytes of one row, quoted line ends included */
    LOAD_FINDINGS_MAX = 100,
    PROBE_FILES_MAX = 20000, /* files and nested folders looked at for the parts of a release */
    PROBE_DEPTH_MAX = 16,
};

struct load {
    struct ctx *cx;
    const struct loader_options *options;
    struct pack_builder *builder;
    struct pack_name name; /* version is settled by the loader; system and kind come from its row */
    VEC(struct loader_finding) findings;
    uint64_t findings_total, findings_fatal, rows;
    bool cancelled;
};

enum load_severity { LOAD_WARNING, LOAD_FATAL };

/* Counts a finding and keeps it while there is room. */
void load_finding(struct load *load, enum load_severity severity, struct str file, uint64_t line, const char *rule,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));

/* --- what the probe saw --- */

enum release_kind {
    RELEASE_UNKNOWN,
    RELEASE_ICD,
    RELEASE_LOINC,
    RELEASE_RXNORM,
    RELEASE_SNOMED,
    RELEASE_MAP,
    RELEASE_KINDS
};

enum release_role {
    ROLE_OTHER,
    ROLE_ICD_ORDER,
    ROLE_LOINC_TABLE,
    ROLE_LOINC_MAP_TO,
    ROLE_RXNCONSO,
    ROLE_RXNREL,
    ROLE_RXNSAT,
    ROLE_RXNCUI,
    ROLE_RXNSAB,
    ROLE_RXN_OTHER,
    ROLE_RF2_CONCEPT,
    ROLE_RF2_DESCRIPTION,
    ROLE_RF2_RELATIONSHIP,
    ROLE_RF2_CONCRETE,
    ROLE_RF2_LANGUAGE,
    ROLE_RF2_ASSOCIATION,
    ROLE_RF2_MAP,
    ROLE_RF2_OTHER,
    ROLE_MAP_CSV,
    ROLE_COUNT
};

struct release_file {
    enum release_role role;
    struct str path, name; /* NUL-ended; name is the last part of the path */
    size_t columns;        /* of its first line */
};

struct release {
    enum release_kind kind;
    VEC(struct release_file) files; /* in path order */
    size_t seen;
    bool icd_procedures; /* an order file of ICD-10-PCS */
};

/* Looks at a file, or at the files of a folder; texts live in cx->arena. *out_probe says what was seen. */
status probe_release(struct ctx *cx, const char *path, struct release *out_release, struct str *out_probe);
void release_fini(struct release *release);
/* The first file with this role, or NULL. */
const struct release_file *release_file(const struct release *release, enum release_role role);

/* --- rows of a delimited file --- */

enum { TABLE_COLUMNS_MAX = 32 }; /* columns a loader can ask for */

struct table {
    struct load *load;
    const struct release_file *file;
    struct str bytes;
    struct arena scratch;
    struct csv csv;
    size_t columns;  /* every row must have so many; 0 = not checked */
    size_t may_lack; /* so many at the end of a row may be absent (a warning): nobody reads them */
    const char *rule_columns, *rule_text;
    const char *stage;
    uint64_t rows;
    int places[TABLE_COLUMNS_MAX]; /* of the columns asked for */
};

/* False when the file cannot be opened (a fatal finding says why). `quoted` as in struct csv. */
bool table_open(struct load *load, const struct release_file *file, char separator, bool quoted, const char *format,
                struct table *out_table);
void table_close(struct table *table);
/* Reads the header and finds the columns; a missing one of the first `required` is a fatal finding and answers false.
 */
bool table_header(struct table *table, const char *const *names, size_t required, size_t count);
/* The next row that is sound: no NUL, UTF-8, right number of columns, not too long. Others become fatal findings. */
bool table_next(struct table *table);
/* A column of this row by its place in `names`; empty when the file does not have it. */
struct str table_field(const struct table *table, size_t name);
uint64_t table_line(const struct table *table);

/* --- loaders: each adds to load->builder and settles load->name.version --- */
void load_icd(struct load *load, const struct release *release);
void load_loinc(struct load *load, const struct release *release);
void load_rxnorm(struct load *load, const struct release *release);
void load_snomed(struct load *load, const struct release *release);
void load_map(struct load *load, const struct release *release);

/* options.version, or `found`, or a fatal finding that asks for one. */
void load_settle_version(struct load *load, struct str file, struct str found, const char *rule);

/* Lower case, blanks and hyphens as '_': for header names people type. Into at most 63 bytes and a NUL. */
void load_plain_name(struct str text, char out[64]);
