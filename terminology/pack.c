#include "pack_internal.h"

#include "base/file.h"
#include "base/mem.h"
#include "pack_check.h"

static struct str text_of(const struct pack *pack, struct pack_text text)
{
    return str_make(pack->strings + text.at, text.len);
}

static struct str name_of(const struct pack *pack, uint32_t index)
{
    return text_of(pack, pack->names[index]);
}

status pack_open_bytes(struct ctx *cx, struct str bytes, struct pack **out_pack)
{
    struct pack found = {0};
    TRY(pack_check(cx, bytes, NULL, &found));
    *out_pack = mem_copy(&found, sizeof found);
    return STATUS_OK;
}

status pack_open(struct ctx *cx, const char *path, const uint8_t *want_sha256, struct pack **out_pack)
{
    struct str bytes;
    TRY(file_map(cx, path, &bytes));
    struct pack found = {0};
    status checked = pack_check(cx, bytes, want_sha256, &found);
    if (checked != STATUS_OK) {
        file_unmap(bytes);
        return checked;
    }
    found.mapped = bytes;
    *out_pack = mem_copy(&found, sizeof found);
    return STATUS_OK;
}

void pack_close(struct pack *pack)
{
    if (pack == NULL)
        return;
    file_unmap(pack->mapped);
    mem_free(pack);
}

struct str pack_system(const struct pack *pack)
{
    return text_of(pack, pack->header->system);
}

struct str pack_version(const struct pack *pack)
{
    return text_of(pack, pack->header->version);
}

struct str pack_kind(const struct pack *pack)
{
    return text_of(pack, pack->header->kind);
}

uint32_t pack_concept_count(const struct pack *pack)
{
    return pack->header->concepts;
}

uint32_t pack_map_row_count(const struct pack *pack)
{
    return pack->map_row_count;
}

bool pack_find(const struct pack *pack, struct str code, uint32_t *out_index)
{
    enum pack_keys keys = (enum pack_keys)pack->header->keys;
    uint64_t key;
    if (!pack_key(keys, code, &key))
        return false;
    for (uint64_t at = pack_mix(key) & pack->slot_mask;; at = (at + 1) & pack->slot_mask) {
        const struct pack_slot *slot = &pack->slots[at];
        if (slot->index == 0)
            return false; /* pack_check made sure that one is free */
        if (slot->key != key)
            continue;
        if (keys == PACK_KEYS_TEXT) { /* the key is a hash: compare the text as well */
            const struct pack_concept_row *row = &pack->concepts[slot->index - 1];
            if (row->system != 0 || !str_eq(text_of(pack, row->code), code))
                continue;
        }
        *out_index = slot->index - 1;
        return true;
    }
}

struct pack_range pack_map_find(const struct pack *pack, struct str system, struct str code)
{
    uint64_t key = pack_map_key(system, code);
    for (uint64_t at = pack_mix(key) & pack->slot_mask;; at = (at + 1) & pack->slot_mask) {
        const struct pack_slot *slot = &pack->slots[at];
        if (slot->index == 0)
            return (struct pack_range){0};
        if (slot->key != key)
            continue;
        uint32_t index = slot->index - 1;
        const struct pack_concept_row *row = &pack->concepts[index];
        if (row->system == 0 || !str_eq(text_of(pack, row->code), code) ||
            !str_eq(name_of(pack, row->system - 1), system))
            continue;
        uint32_t first = pack->map_first[index];
        return (struct pack_range){first, pack->map_first[index + 1] - first};
    }
}

struct pack_concept pack_concept_at(const struct pack *pack, uint32_t index)
{
    const struct pack_concept_row *row = &pack->concepts[index];
    return (struct pack_concept){
        .code = text_of(pack, row->code),
        .display = text_of(pack, row->display),
        .system = row->system ? name_of(pack, row->system - 1) : STR_NONE,
        .active = !(row->flags & PACK_INACTIVE),
        .header = row->flags & PACK_HEADER,
    };
}

static struct pack_range range_at(const uint32_t *first, uint32_t index)
{
    return (struct pack_range){first[index], first[index + 1] - first[index]};
}

struct pack_range pack_designations(const struct pack *pack, uint32_t index)
{
    return range_at(pack->designation_first, index);
}

struct pack_designation pack_designation_at(const struct pack *pack, uint32_t row)
{
    const struct pack_designation_row *at = &pack->designations[row];
    return (struct pack_designation){name_of(pack, at->language), name_of(pack, at->use), text_of(pack, at->text)};
}

struct pack_range pack_properties(const struct pack *pack, uint32_t index)
{
    return range_at(pack->property_first, index);
}

struct pack_property pack_property_at(const struct pack *pack, uint32_t row)
{
    const struct pack_property_row *at = &pack->properties[row];
    return (struct pack_property){name_of(pack, at->name), text_of(pack, at->value)};
}

struct pack_range pack_parents(const struct pack *pack, uint32_t index)
{
    return range_at(pack->parent_first, index);
}

uint32_t pack_parent_at(const struct pack *pack, uint32_t row)
{
    return pack->parents[row];
}

struct pack_map_row pack_map_row_at(const struct pack *pack, uint32_t row)
{
    const struct pack_map_file_row *at = &pack->map_rows[row];
    return (struct pack_map_row){
        .source_display = text_of(pack, at->source_display),
        .target_system = name_of(pack, at->target_system),
        .target_code = text_of(pack, at->target_code),
        .target_display = text_of(pack, at->target_display),
        .equivalence = name_of(pack, at->equivalence),
        .comment = text_of(pack, at->comment),
        .line = at->line,
    };
}

bool pack_has_hierarchy(const struct pack *pack)
{
    return pack->nodes != NULL;
}

bool pack_is_a(const struct pack *pack, uint32_t index, uint32_t ancestor)
{
    if (index == ancestor)
        return true;
    if (pack->nodes == NULL)
        return false;
    uint32_t number = pack->nodes[index].first;
    const struct pack_node *above = &pack->nodes[ancestor];
    if (number >= above->first && number <= above->last)
        return true;
    const struct pack_run *runs = pack->runs;
    uint32_t low = above->runs, high = above[1].runs;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (number < runs[middle].first)
            high = middle;
        else if (number > runs[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

uint64_t pack_descendant_count(const struct pack *pack, uint32_t index)
{
    if (pack->nodes == NULL)
        return 1;
    const struct pack_node *node = &pack->nodes[index];
    uint64_t count = (uint64_t)node->last - node->first + 1;
    for (uint32_t i = node->runs; i < node[1].runs; i++)
        count += (uint64_t)pack->runs[i].last - pack->runs[i].first + 1;
    return count;
}
