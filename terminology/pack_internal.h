/*
 * The bytes of a pack file, shared by its reader and its builder. Little-endian as the machine is: a file from a
 * machine of another kind is refused by its byte-order mark.
 */
#pragma once

#include "terminology/pack.h"

#define PACK_MAGIC "idempack"
enum { PACK_BYTE_ORDER = 0x01020304, PACK_FORMAT = 1 };

enum pack_section {
    PACK_STRINGS,           /* bytes of every text */
    PACK_NAMES,             /* pack_text: languages, uses, property names, systems, equivalences */
    PACK_CONCEPTS,          /* pack_concept_row, sorted by key */
    PACK_SLOTS,             /* pack_slot: open addressing from key to concept */
    PACK_DESIGNATION_FIRST, /* uint32_t, one per concept and one at the end */
    PACK_DESIGNATIONS,
    PACK_PROPERTY_FIRST,
    PACK_PROPERTIES,
    PACK_PARENT_FIRST,
    PACK_PARENTS, /* uint32_t index of a concept */
    PACK_NODES,   /* pack_node, one per concept and one at the end; empty when there is no hierarchy */
    PACK_RUNS,    /* pack_run */
    PACK_MAP_FIRST,
    PACK_MAP_ROWS,
    PACK_SECTION_COUNT
};

struct pack_text {
    uint32_t at, len;
};

struct pack_header {
    char magic[8];
    uint32_t byte_order, format;
    uint8_t sha256[32]; /* of the whole file with this field zero */
    uint64_t file_bytes;
    uint32_t keys, concepts;
    struct pack_text system, version, kind;
    struct {
        uint64_t at, bytes;
    } sections[PACK_SECTION_COUNT];
};
_Static_assert(sizeof(struct pack_header) % 8 == 0, "sections are 8-byte aligned");
enum { PACK_SHA_AT = 16 };
_Static_assert(offsetof(struct pack_header, sha256) == PACK_SHA_AT, "where the checksum lies is part of the format");

struct pack_concept_row {
    uint64_t key;
    struct pack_text code, display;
    uint32_t flags, system; /* system: name index + 1, 0 = the pack's own */
};

struct pack_slot { /* the key lies here too, so that a search touches one cache line */
    uint64_t key;
    uint32_t index; /* + 1; 0 = free */
    uint32_t zero;
};

struct pack_designation_row {
    uint32_t language, use; /* name indexes */
    struct pack_text text;
};

struct pack_property_row {
    uint32_t name;
    struct pack_text value;
};

struct pack_map_file_row {
    uint32_t target_system, equivalence; /* name indexes */
    struct pack_text source_display, target_code, target_display, comment;
    uint64_t line;
};

/* Descendants of a concept, as numbers of the depth-first walk: first..last, and the runs from here to those of the
 * next. */
struct pack_node {
    uint32_t first, last, runs;
};
struct pack_run {
    uint32_t first, last;
};

/* The key of a code; false when the code cannot be one of this kind. */
bool pack_key(enum pack_keys keys, struct str code, uint64_t *out_key);
/* The key of a source code in a map. */
uint64_t pack_map_key(struct str system, struct str code);
uint64_t pack_mix(uint64_t key);

/* SHA-256 of a file image with its checksum field taken as zero. */
void pack_digest(struct str bytes, uint8_t out_sha256[32]);
