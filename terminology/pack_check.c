#include "pack_check.h"

#include "base/crypto/digest.h"
#include "terminology/codes.h"

void pack_digest(struct str bytes, uint8_t out_sha256[32])
{
    static const uint8_t zero[32];
    struct crypto_sha256 hash;
    crypto_sha256_init(&hash);
    crypto_sha256_update(&hash, bytes.data, PACK_SHA_AT);
    crypto_sha256_update(&hash, zero, sizeof zero);
    crypto_sha256_update(&hash, bytes.data + PACK_SHA_AT + sizeof zero, bytes.len - PACK_SHA_AT - sizeof zero);
    crypto_sha256_final(&hash, out_sha256);
}

static status damaged(struct ctx *cx, const char *what)
{
    return ctx_fail(cx, &codes_reasons[CODES_PACK_DAMAGED], "%s", what);
}

static status check_header(struct ctx *cx, struct str bytes, const uint8_t *want_sha256)
{
    if (bytes.len < sizeof(struct pack_header) || (uintptr_t)bytes.data % 8 != 0)
        return damaged(cx, "shorter than its header");
    const struct pack_header *header = (const void *)bytes.data;
    if (memcmp(header->magic, PACK_MAGIC, sizeof header->magic) != 0)
        return damaged(cx, "not a pack");
    if (header->byte_order != PACK_BYTE_ORDER)
        return damaged(cx, "built on a machine with another byte order");
    if (header->format != PACK_FORMAT)
        return ctx_fail(cx, &codes_reasons[CODES_PACK_DAMAGED], "format %u, this program reads format %d",
                        header->format, PACK_FORMAT);
    if (header->file_bytes != bytes.len)
        return damaged(cx, "length is not that of its header");

    uint8_t got[32];
    if (want_sha256)
        crypto_sha256(bytes, got);
    else
        pack_digest(bytes, got);
    if (memcmp(got, want_sha256 ? want_sha256 : header->sha256, sizeof got) != 0)
        return damaged(cx, "checksum does not agree");
    if (header->keys >= PACK_KEYS_COUNT || header->concepts > PACK_CONCEPTS_MAX)
        return damaged(cx, "header out of range");
    return STATUS_OK;
}

/* How many elements a section holds; false when it lies outside the file or is cut in the middle of one. */
static bool section(const struct pack_header *header, enum pack_section which, size_t size, const void **out_at,
                    uint64_t *out_count)
{
    uint64_t at = header->sections[which].at, bytes = header->sections[which].bytes;
    if (at > header->file_bytes || bytes > header->file_bytes - at || at % 8 != 0 || bytes % size != 0 ||
        bytes / size > UINT32_MAX)
        return false;
    *out_at = (const char *)header + at;
    *out_count = bytes / size;
    return true;
}

struct counts {
    uint64_t strings, names, concepts, slots, designations, properties, parents, nodes, runs, map_rows;
    uint64_t designation_first, property_first, parent_first, map_first;
};

static bool find_sections(struct pack *pack, struct counts *n)
{
    const struct pack_header *h = pack->header;
#define FIND(which, field, count) section(h, which, sizeof *pack->field, (const void **)&pack->field, &n->count)
    return FIND(PACK_STRINGS, strings, strings) && FIND(PACK_NAMES, names, names) &&
           FIND(PACK_CONCEPTS, concepts, concepts) && FIND(PACK_SLOTS, slots, slots) &&
           FIND(PACK_DESIGNATION_FIRST, designation_first, designation_first) &&
           FIND(PACK_DESIGNATIONS, designations, designations) &&
           FIND(PACK_PROPERTY_FIRST, property_first, property_first) && FIND(PACK_PROPERTIES, properties, properties) &&
           FIND(PACK_PARENT_FIRST, parent_first, parent_first) && FIND(PACK_PARENTS, parents, parents) &&
           FIND(PACK_NODES, nodes, nodes) && FIND(PACK_RUNS, runs, runs) &&
           FIND(PACK_MAP_FIRST, map_first, map_first) && FIND(PACK_MAP_ROWS, map_rows, map_rows);
#undef FIND
}

static bool text_ok(const struct counts *n, struct pack_text text)
{
    return text.at <= n->strings && text.len <= n->strings - text.at;
}

/* first[0] = 0, never falling, first[concepts] = rows. */
static bool firsts_ok(const uint32_t *first, uint64_t firsts, uint64_t concepts, uint64_t rows)
{
    if (firsts != concepts + 1 || first[0] != 0 || first[concepts] != rows)
        return false;
    for (uint64_t i = 0; i < concepts; i++)
        if (first[i] > first[i + 1])
            return false;
    return true;
}

static bool concepts_ok(const struct pack *pack, const struct counts *n)
{
    for (uint64_t i = 0; i < n->names; i++)
        if (!text_ok(n, pack->names[i]))
            return false;
    for (uint64_t i = 0; i < n->concepts; i++) {
        const struct pack_concept_row *row = &pack->concepts[i];
        if (!text_ok(n, row->code) || !text_ok(n, row->display) || row->system > n->names)
            return false;
    }
    /* a power of two with a free slot: every search ends */
    if (n->slots == 0 || (n->slots & (n->slots - 1)) != 0)
        return false;
    uint64_t used = 0;
    for (uint64_t i = 0; i < n->slots; i++) {
        used += pack->slots[i].index != 0;
        if (pack->slots[i].index > n->concepts)
            return false;
    }
    return used < n->slots;
}

static bool rows_ok(const struct pack *pack, const struct counts *n)
{
    for (uint64_t i = 0; i < n->designations; i++) {
        const struct pack_designation_row *row = &pack->designations[i];
        if (row->language >= n->names || row->use >= n->names || !text_ok(n, row->text))
            return false;
    }
    for (uint64_t i = 0; i < n->properties; i++)
        if (pack->properties[i].name >= n->names || !text_ok(n, pack->properties[i].value))
            return false;
    for (uint64_t i = 0; i < n->parents; i++)
        if (pack->parents[i] >= n->concepts)
            return false;
    for (uint64_t i = 0; i < n->map_rows; i++) {
        const struct pack_map_file_row *row = &pack->map_rows[i];
        if (row->target_system >= n->names || row->equivalence >= n->names || !text_ok(n, row->source_display) ||
            !text_ok(n, row->target_code) || !text_ok(n, row->target_display) || !text_ok(n, row->comment))
            return false;
    }
    return true;
}

static bool hierarchy_ok(const struct pack *pack, const struct counts *n)
{
    if (n->nodes == 0)
        return n->runs == 0;
    if (n->nodes != n->concepts + 1 || pack->nodes[0].runs != 0 || pack->nodes[n->concepts].runs != n->runs)
        return false;
    for (uint64_t i = 0; i < n->concepts; i++) {
        const struct pack_node *node = &pack->nodes[i];
        if (node->first > node->last || node->last >= n->concepts || node->runs > node[1].runs)
            return false;
    }
    for (uint64_t i = 0; i < n->runs; i++)
        if (pack->runs[i].first > pack->runs[i].last || pack->runs[i].last >= n->concepts)
            return false;
    return true;
}

status pack_check(struct ctx *cx, struct str bytes, const uint8_t *want_sha256, struct pack *out_pack)
{
    TRY(check_header(cx, bytes, want_sha256));
    struct pack pack = {.header = (const void *)bytes.data};
    struct counts n;
    if (!find_sections(&pack, &n))
        return damaged(cx, "a section lies outside the file");
    const struct pack_header *h = pack.header;
    if (n.concepts != h->concepts || !text_ok(&n, h->system) || !text_ok(&n, h->version) || !text_ok(&n, h->kind))
        return damaged(cx, "header names what is not there");
    if (!firsts_ok(pack.designation_first, n.designation_first, n.concepts, n.designations) ||
        !firsts_ok(pack.property_first, n.property_first, n.concepts, n.properties) ||
        !firsts_ok(pack.parent_first, n.parent_first, n.concepts, n.parents) ||
        !firsts_ok(pack.map_first, n.map_first, n.concepts, n.map_rows))
        return damaged(cx, "an index is out of order");
    if (!concepts_ok(&pack, &n) || !rows_ok(&pack, &n) || !hierarchy_ok(&pack, &n))
        return damaged(cx, "a row points outside the file");
    pack.slot_mask = n.slots - 1;
    pack.map_row_count = (uint32_t)n.map_rows;
    if (n.nodes == 0)
        pack.nodes = NULL;
    *out_pack = pack;
    return STATUS_OK;
}
