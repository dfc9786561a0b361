/*
 * What the columns of CSV files of people mean: a map written in YAML (docs/loaders/people-map.md), or the names that
 * loaders/people.h knows.
 *
 * A field takes one column, or several whose values are joined by a blank. Columns are called as in the header of the
 * file, letter case aside, or by the documented name of a column; one that no file has is refused.
 *
 * Memory: everything is in the arena of the ctx it was read with. Threads: immutable.
 */
#pragma once

#include "base/ctx.h"

enum {
    PEOPLE_COLUMNS_MAX = 128, /* columns one map names */
    PEOPLE_JOINED_MAX = 4,    /* columns of one field */
    PEOPLE_LIST_MAX = 8,      /* names, addresses, phones, e-mails, identifiers of one record */
    PEOPLE_WORDS_MAX = 32,    /* texts that mean absent, or one of the labels */
    PEOPLE_MAP_BYTES_MAX = 64 * 1024,
};

/* Places in people_map.columns. */
struct people_field {
    uint8_t count; /* 0 = nothing is said */
    uint8_t at[PEOPLE_JOINED_MAX];
};
struct people_words {
    struct str *at;
    size_t count;
};

struct people_name_fields {
    struct people_field family, given, middle, suffix, prefix;
    struct people_field full; /* its last word is the family name, its first one the given name */
};
struct people_address_fields {
    struct people_field line, city, state, postcode, country;
};
struct people_identifier_field {
    struct people_field value;
    struct str type, authority;
};

struct people_map {
    struct str columns[PEOPLE_COLUMNS_MAX];
    size_t column_count;
    bool is_strict; /* a column that no file has is refused */

    struct people_field id, id_type, source, authority;
    struct people_words sources; /* of the files, in their order; those without one are called as the file */
    struct people_name_fields names[PEOPLE_LIST_MAX];
    struct people_address_fields addresses[PEOPLE_LIST_MAX];
    struct people_field phones[PEOPLE_LIST_MAX], emails[PEOPLE_LIST_MAX];
    struct people_identifier_field identifiers[PEOPLE_LIST_MAX]; /* besides the record's own */
    size_t name_count, address_count, phone_count, email_count, identifier_count;
    struct people_field birth_date, birth_year, birth_month, birth_day, birth_place, sex;
    struct people_field mother_family, mother_given, birth_order;
    struct people_field multiple_birth; /* yes when it begins with Y, T or 1 */
    struct people_words absent;         /* values that say nothing */

    bool is_link; /* no file has anybody twice: only pairs between files count */
    struct people_field truth;
    struct people_field household; /* who lives together: for saying which links are wrong */
    struct str truth_between; /* the truth is what stands between the first two of these; empty = the whole value */

    struct people_labels { /* of a file of labelled pairs */
        struct str left, right, label;
        struct people_words match, possible, no;
    } labels;
};

/* `path` NULL: the documented names of columns. Errors: base.file, yaml.* with the place. */
status people_map_read(struct ctx *cx, const char *path, struct people_map *out_map);
/* The truth is in this column, whatever the map says. */
status people_map_set_truth(struct ctx *cx, struct people_map *map, struct str column);
