/* What the builder gathers: shared by pack_builder.c (rows in), pack_order.c (is-a) and pack_write.c (file out). */
#pragma once

#include "pack_internal.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"

struct build_edge {
    uint32_t child, parent;
};

struct pack_builder {
    enum pack_keys keys;
    struct buf strings;
    uint64_t *pool; /* short texts, to hold each once: tag << 32 | index + 1 into pool_texts */
    size_t pool_slots;
    VEC(struct pack_text) pool_texts;
    struct map name_indexes;
    VEC(struct pack_text) names;
    VEC(struct pack_concept_row) concepts;
    uint64_t *slots; /* tag << 32 | index + 1 into `concepts`, as they came */
    size_t slots_cap;
    VEC(struct pack_designation_row) designations;
    VEC(uint32_t) designation_of; /* the concept of each row above */
    VEC(struct pack_property_row) properties;
    VEC(uint32_t) property_of;
    VEC(struct pack_map_file_row) map_rows;
    VEC(uint32_t) map_of;
    VEC(uint32_t) rows_of; /* map rows of each source code, by handle */
    VEC(struct build_edge) edges;
    struct pack_node *nodes; /* by handle; made by pack_builder_order, `runs` counts from the first run of this node */
    uint32_t *run_counts;
    VEC(struct pack_run) runs;
    const char *overflow;
};

/* start[i] .. start[i+1]: the places in *out_rows of the rows whose `of` is i, in their order; both to be freed. */
void build_group(const uint32_t *of, size_t rows, size_t groups, uint32_t **out_start, uint32_t **out_rows);
