/*
 * A pack: one release of one code system, or one map, as an immutable, checksummed, mmap'd file.
 *
 * The builder takes rows in any order and writes the file in one go: temporary name, fsync, rename, fsync of the
 * folder; a killed build leaves only a temporary file that the next build removes. The same rows in one order give the
 * same bytes.
 *
 * Opening checks magic, format number, byte order, the SHA-256, and then every index inside the file, so that nothing
 * read later can lead outside the mapping, even in a file that was made to deceive.
 *
 * Codes become a 64-bit key (SCTID and RxCUI as numbers, ICD and LOINC in base 37), found by open addressing: one cache
 * miss for the index of a concept, another for its texts. Is-a: concepts are numbered by a depth-first walk, so that
 * most of the descendants of a concept are one interval; the rest are a short sorted list of runs. The question "is A
 * an ancestor of B" is one comparison, rarely a binary search.
 *
 * Memory:  texts answered borrow from the mapping and live as long as the pack.
 * Threads: struct pack is immutable; struct pack_builder belongs to one thread.
 */
#pragma once

#include "base/ctx.h"

enum pack_keys {
    PACK_KEYS_TEXT,   /* any text, compared exactly */
    PACK_KEYS_DIGITS, /* SCTID, RxCUI */
    PACK_KEYS_ICD,    /* with or without the point after the third character; letter case ignored */
    PACK_KEYS_LOINC,  /* with the hyphen before the check digit */
    PACK_KEYS_COUNT
};

enum {
    PACK_INACTIVE = 1, /* retired */
    PACK_HEADER = 2,   /* a heading: not to be used for coding */
};

enum { /* what a stranger's release can make a pack hold */
       PACK_CONCEPTS_MAX = 8 * 1000 * 1000,
       PACK_ROWS_MAX = 128 * 1000 * 1000, /* designations, properties, is-a, map rows: each */
       PACK_RUNS_MAX = 64 * 1000 * 1000,
       PACK_ROWS_OF_CODE_MAX = 1000, /* map rows of one source code: each is looked at for each element that has it */
       PACK_NAMES_MAX = 65000,       /* languages, uses, property names, systems */
       PACK_CODE_MAX = 256,          /* bytes of one code */
};

struct pack;

struct pack_concept {
    struct str code, display;
    struct str system; /* map packs: the system of the source code; empty elsewhere */
    bool active, header;
};
struct pack_designation {
    struct str language, use, text;
};
struct pack_property {
    struct str name, value;
};
struct pack_map_row {
    struct str source_system, source_code, source_display;
    struct str target_system, target_code, target_display;
    struct str equivalence, comment;
    uint64_t line; /* 1-based, in the loaded file */
};
struct pack_range {
    uint32_t first, count;
};

/* codes.pack-damaged. `want_sha256` NULL: the checksum inside the file is compared; otherwise the digest of the whole
 * file. */
status pack_open(struct ctx *cx, const char *path, const uint8_t *want_sha256, struct pack **out_pack);
/* Over bytes in memory (8-byte aligned, borrowed until pack_close). */
status pack_open_bytes(struct ctx *cx, struct str bytes, struct pack **out_pack);
void pack_close(struct pack *pack);

struct str pack_system(const struct pack *pack);
struct str pack_version(const struct pack *pack);
struct str pack_kind(const struct pack *pack);
uint32_t pack_concept_count(const struct pack *pack); /* of a map: distinct source codes */
uint32_t pack_map_row_count(const struct pack *pack);

/* Index of a code, 0 .. count-1. Normalises as its enum pack_keys says. */
bool pack_find(const struct pack *pack, struct str code, uint32_t *out_index);
struct pack_concept pack_concept_at(const struct pack *pack, uint32_t index);
struct pack_range pack_designations(const struct pack *pack, uint32_t index);
struct pack_designation pack_designation_at(const struct pack *pack, uint32_t row);
struct pack_range pack_properties(const struct pack *pack, uint32_t index);
struct pack_property pack_property_at(const struct pack *pack, uint32_t row);
struct pack_range pack_parents(const struct pack *pack, uint32_t index);
uint32_t pack_parent_at(const struct pack *pack, uint32_t row); /* index of a concept */

bool pack_has_hierarchy(const struct pack *pack);
/* True when `ancestor` is reached from `index` by is-a; a concept is its own ancestor. */
bool pack_is_a(const struct pack *pack, uint32_t index, uint32_t ancestor);
/* How many concepts are under this one, itself counted. */
uint64_t pack_descendant_count(const struct pack *pack, uint32_t index);

/* Rows of one source code in a map, in the order of the file. */
struct pack_range pack_map_find(const struct pack *pack, struct str system, struct str code);
struct pack_map_row pack_map_row_at(const struct pack *pack, uint32_t row);

/* --- building --- */
struct pack_builder;
#define PACK_NONE UINT32_MAX

struct pack_builder *pack_builder_new(enum pack_keys keys);
void pack_builder_free(struct pack_builder *builder);
/* The concept's handle, made when absent (*out_added may be NULL). PACK_NONE: the code does not fit the kind of key, is
 * longer than PACK_CODE_MAX, or there are too many. Texts are copied. */
uint32_t pack_builder_concept(struct pack_builder *builder, struct str code, bool *out_added);
uint32_t pack_builder_find(const struct pack_builder *builder, struct str code); /* PACK_NONE when absent */
struct str pack_builder_code(const struct pack_builder *builder,
                             uint32_t concept); /* borrowed until the next concept */
bool pack_builder_has_display(const struct pack_builder *builder, uint32_t concept);
void pack_builder_display(struct pack_builder *builder, uint32_t concept, struct str display);
void pack_builder_flags(struct pack_builder *builder, uint32_t concept,
                        uint32_t flags); /* PACK_INACTIVE | PACK_HEADER */
void pack_builder_designation(struct pack_builder *builder, uint32_t concept, struct str language, struct str use,
                              struct str text);
void pack_builder_property(struct pack_builder *builder, uint32_t concept, struct str name, struct str value);
void pack_builder_parent(struct pack_builder *builder, uint32_t child, uint32_t parent);
void pack_builder_map(struct pack_builder *builder, const struct pack_map_row *row);
uint32_t pack_builder_concept_count(const struct pack_builder *builder);
uint64_t pack_builder_map_count(const struct pack_builder *builder);
/* NULL, or what went past a bound above: nothing added since then is in the pack. */
const char *pack_builder_overflow(const struct pack_builder *builder);

/* Numbers the concepts along is-a; needs no recursion at any depth. False when is-a runs in a circle: *out_concept is a
 * concept on it (PACK_NONE: the hierarchy has more than PACK_RUNS_MAX runs). Call once, before pack_builder_write. */
bool pack_builder_order(struct pack_builder *builder, uint32_t *out_concept);

struct pack_name {
    struct str system, version, kind;
};
struct pack_written {
    struct str file; /* name inside the folder, in cx->arena: kind, version and the start of the digest */
    uint8_t sha256[32];
    uint64_t bytes;
};
/* base.file. Removes what a killed build left in `dir`. */
status pack_builder_write(struct pack_builder *builder, struct ctx *cx, const char *dir, const struct pack_name *name,
                          struct pack_written *out_written);
