/* A pack whose checksum is right but whose content was made to deceive: refused, or every answer stays inside the
 * bytes. */
#include "pack_internal.h"

#include "base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct pack *pack)
{
    uint32_t count = pack_concept_count(pack), found;
    size_t sum = pack_system(pack).len + pack_version(pack).len + pack_kind(pack).len;
    for (uint32_t i = 0; i < count && i < 64; i++) {
        struct pack_concept concept = pack_concept_at(pack, i);
        sum += concept.display.len + pack_find(pack, concept.code, &found);
        sum += pack_map_find(pack, concept.system, concept.code).count;
        struct pack_range rows = pack_designations(pack, i);
        for (uint32_t r = 0; r < rows.count; r++)
            sum += pack_designation_at(pack, rows.first + r).text.len;
        rows = pack_properties(pack, i);
        for (uint32_t r = 0; r < rows.count; r++)
            sum += pack_property_at(pack, rows.first + r).value.len;
        rows = pack_parents(pack, i);
        for (uint32_t r = 0; r < rows.count; r++)
            sum += pack_concept_at(pack, pack_parent_at(pack, rows.first + r)).code.len;
        for (uint32_t a = 0; a < count && a < 64; a++)
            sum += pack_is_a(pack, i, a);
        sum += pack_descendant_count(pack, i);
    }
    for (uint32_t r = 0; r < pack_map_row_count(pack) && r < 64; r++)
        sum += pack_map_row_at(pack, r).comment.len;
    if (sum == SIZE_MAX)
        abort(); /* uses every answer */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < sizeof(struct pack_header))
        return 0;
    char *bytes = aligned_alloc(8, (size + 7) / 8 * 8);
    memcpy(bytes, data, size);
    struct pack_header *header = (void *)bytes;
    memcpy(header->magic, PACK_MAGIC, sizeof header->magic);
    header->byte_order = PACK_BYTE_ORDER;
    header->format = PACK_FORMAT;
    header->file_bytes = size;
    pack_digest(str_make(bytes, size), header->sha256);

    struct arena arena = {0};
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena};
    struct pack *pack;
    if (pack_open_bytes(&cx, str_make(bytes, size), &pack) == STATUS_OK) {
        walk(pack);
        pack_close(pack);
    }
    arena_fini(&arena);
    free(bytes);
    return 0;
}
