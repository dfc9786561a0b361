/* Opening a pack: from bytes of unknown origin to pointers that cannot lead outside them. */
#pragma once

#include "pack_internal.h"

struct pack {
    struct str mapped; /* empty when the bytes are somebody else's */
    const struct pack_header *header;
    const char *strings;
    const struct pack_text *names;
    const struct pack_concept_row *concepts;
    const struct pack_slot *slots;
    uint64_t slot_mask;
    const uint32_t *designation_first, *property_first, *parent_first, *map_first;
    const struct pack_designation_row *designations;
    const struct pack_property_row *properties;
    const uint32_t *parents;
    const struct pack_node *nodes; /* NULL: no hierarchy */
    const struct pack_run *runs;
    const struct pack_map_file_row *map_rows;
    uint32_t map_row_count;
};

/* codes.pack-damaged. Fills *out_pack with pointers into `bytes`. `want_sha256` as in pack_open(). */
status pack_check(struct ctx *cx, struct str bytes, const uint8_t *want_sha256, struct pack *out_pack);
