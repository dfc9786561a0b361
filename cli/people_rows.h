/*
 * The rows of a CSV of people as records for the index, by a map.
 *
 * Rows that are not sound (another number of columns than the header, not UTF-8, a value of more than 4,096 bytes) are
 * left out, counted, and the first of them named by its line.
 *
 * Memory: a row borrows from the reader and lives until the next one. Threads: one thread.
 */
#pragma once

#include "mpi/mpi.h"
#include "people_map.h"

struct people_rows;

struct people_row {
    uint64_t line; /* 1-based */
    struct str id; /* what the map's id says; empty = nothing */
    struct str truth, household;
    /* The record's own identifier is (authority, id); without an id the number of the line stands in for it. */
    struct mpi_record_input input;
};

/* `place` is that of the file among all files. A file of commas, semicolons or tabs, with a header. base.file;
 * cli.people-file says which column is missing or twice. */
status people_rows_open(struct ctx *cx, const char *path, const struct people_map *map, size_t place,
                        struct people_rows **out_rows);
void people_rows_close(struct people_rows *rows); /* NULL is fine */
/* False at the end. */
bool people_rows_next(struct people_rows *rows, struct people_row *out_row);

/* Whether the file has the column with this place in map->columns. */
bool people_rows_have(const struct people_rows *rows, size_t column);

struct people_rows_report {
    uint64_t bytes_done, bytes_total, left_out;
    uint64_t first_line;    /* of the rows left out */
    const char *first_what; /* why; static */
};
struct people_rows_report people_rows_report(const struct people_rows *rows);

extern const struct reason people_rows_reason; /* "cli.people-file" */
