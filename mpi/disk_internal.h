/*
 * What the larger rows of the store hold, in types that nothing else uses: the API, and what matching works with, may
 * change without the format. Between these and the bytes: disk.c; between these and what mpi/ works with: stored.c and
 * stored_record.c. A list or number that is there stays; new ones come at the end, announced by a flag.
 *
 * Memory: strings borrow the row; lists are in the arena given. Threads: pure.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { STORED_LIST_MAX = 256, DISK_LINES_MAX = 23 };

struct disk_identifier {
    struct str authority, value, type;
};
struct disk_name {
    struct str family, given, middle, suffix, prefix, type;
};
struct disk_address {
    struct str line, city, state, postcode, country;
};
struct disk_said {
    struct disk_name *names;
    size_t name_count;
    uint16_t birth_year;
    uint8_t birth_month, birth_day, sex, birth_order;
    bool multiple_birth, deceased;
    const struct str *phones;
    size_t phone_count;
    struct disk_address *addresses;
    size_t address_count;
    struct disk_name mother;
    const struct str *emails;
    size_t email_count;
    struct str birth_place;
};
struct disk_record {
    struct str source;
    struct disk_identifier *identifiers;
    size_t identifier_count;
    struct disk_said said;
    struct disk_name *former;
    size_t former_count;
    uint64_t first_seq, last_seq;
    int64_t first_us, last_us;
    uint32_t versions;
    bool active, person_level;
};
void disk_put_record(struct buf *out, const struct disk_record *record);
/* What is no record sets cut->bad. */
struct disk_record disk_cut_record(struct cut *cut, struct arena *arena);

/* A comparison: numbers of a field and its level for each line, with the weight as it was; the prior stands apart. */
struct disk_line {
    uint8_t field, level;
    int32_t weight_mbit;
};
struct disk_comparison {
    uint32_t model_version, probability_ppm;
    uint64_t left, right;
    int32_t score_mbit, prior_mbit;
    struct disk_line lines[DISK_LINES_MAX];
    size_t line_count;
};
void disk_put_comparison(struct buf *out, const struct disk_comparison *comparison);
struct disk_comparison disk_cut_comparison(struct cut *cut);

/* A score: small ones take few bytes, below 0 too. */
void disk_put_mbit(struct buf *out, int32_t mbit);
int32_t disk_cut_mbit(struct cut *cut);
