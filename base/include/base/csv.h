/*
 * Delimited text, one record at a time, over bytes in memory: RFC 4180 CSV (quotes, doubled quotes, line ends inside
 * quotes), and the unquoted pipe/tab files of RRF and RF2.
 *
 * Memory: fields borrow from the text, except quoted fields that hold "", which are copied into the arena.
 * Errors: an unterminated quote or text after a closing quote sets `bad` and names the line; more than CSV_FIELDS_MAX
 * fields too.
 */
#pragma once

#include "base/arena.h"

enum { CSV_FIELDS_MAX = 256 };

struct csv {
    struct str rest;
    struct arena *arena; /* for fields with doubled quotes; may be reset by the caller between records */
    char separator;      /* ',' '\t' '|' */
    bool quoted;         /* false: quotes are ordinary bytes (RF2, RRF) */
    uint64_t line;       /* 1-based, of the record answered last */
    uint64_t next_line;
    const char *bad; /* NULL, or what is wrong with the record at `line` */
    size_t count;
    struct str fields[CSV_FIELDS_MAX];
};

void csv_init(struct csv *csv, struct str text, char separator, bool quoted, struct arena *arena);
/* False at the end of the text or when `bad` was set. Empty lines are skipped; a UTF-8 BOM at the start too. */
bool csv_next(struct csv *csv);
/* Column of `name` (ASCII case ignored) in the record answered last, or -1. */
int csv_column(const struct csv *csv, const char *name);
