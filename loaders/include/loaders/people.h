/*
 * People in bulk: a CSV of demographic records, one person of one source per row, for the first load of an index.
 *
 * Columns are found by name (docs/loaders/people.md); other spellings are understood ("last_name" for family). A column
 * nobody knows is an error that says what was probably meant: a misspelt column would lose data for everybody. Bad rows
 * are skipped, counted and named by line; findings never hold a value, which would be patient data.
 *
 * Threads: one thread.
 */
#pragma once

#include "loaders/codes.h"

struct loader_people;

/* Texts are trimmed, borrow from the reader and live until the next call. Absent columns are empty. */
struct loader_person {
    uint64_t line;        /* 1-based, of the row's start */
    struct str source;    /* the sending system */
    struct str id;        /* its identifier for the person */
    struct str authority; /* who issued the id */
    struct str id_type;   /* HL7 table 0203: "MR", "PI" … */
    struct str family, given, middle, suffix, prefix;
    struct str birth_date; /* as written; a date that does not exist is a finding, and the row is still answered */
    struct str sex;
    struct str phone, email;
    struct str address, address2, city, state, postcode, country;
    struct str national_id;
    struct str mother; /* mother's maiden name */
    struct str birth_place, race, ethnicity, language, marital_status, religion, death_date;
};

/* Opens the file and reads its header. base.file; loaders.people-columns: the detail names the column and the nearest
 * one known. `source` and `authority` stand in for absent columns or empty cells; without them a row must say both its
 * source and id. */
struct loader_people_options {
    const char *path;
    struct str source, authority;
    size_t findings_max; /* 0 = 100 */
};
status loader_people_open(struct ctx *cx, const struct loader_people_options *options,
                          struct loader_people **out_people);
void loader_people_close(struct loader_people *people);

/* The next sound row; false at the end. */
bool loader_people_next(struct loader_people *people, struct loader_person *out_person);

/* The documented name of a column called `header` (any spelling understood), static; NULL when nobody knows it. */
const char *loader_people_column(struct str header);

struct loader_people_report {
    uint64_t rows, skipped, findings_total;
    const struct loader_finding *findings; /* live until close */
    size_t findings_count;
    uint64_t bytes_done, bytes_total; /* for progress */
};
struct loader_people_report loader_people_report(const struct loader_people *people);
