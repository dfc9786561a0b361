#include "pack_build.h"

enum {
    POOLED_MAX = 64,        /* longer texts are rarely the same twice */
    STRINGS_MAX_MIB = 4000, /* offsets are 32 bits */
};

struct pack_builder *pack_builder_new(enum pack_keys keys)
{
    struct pack_builder *builder = mem_alloc(sizeof *builder);
    builder->keys = keys;
    return builder;
}

void pack_builder_free(struct pack_builder *builder)
{
    if (builder == NULL)
        return;
    buf_fini(&builder->strings);
    mem_free(builder->pool);
    VEC_FINI(&builder->pool_texts);
    map_fini(&builder->name_indexes);
    VEC_FINI(&builder->names);
    VEC_FINI(&builder->concepts);
    mem_free(builder->slots);
    VEC_FINI(&builder->designations);
    VEC_FINI(&builder->designation_of);
    VEC_FINI(&builder->properties);
    VEC_FINI(&builder->property_of);
    VEC_FINI(&builder->map_rows);
    VEC_FINI(&builder->map_of);
    VEC_FINI(&builder->rows_of);
    VEC_FINI(&builder->edges);
    mem_free(builder->nodes);
    mem_free(builder->run_counts);
    VEC_FINI(&builder->runs);
    mem_free(builder);
}

const char *pack_builder_overflow(const struct pack_builder *builder)
{
    return builder->overflow;
}

static bool overflow(struct pack_builder *builder, bool past, const char *what)
{
    if (past)
        builder->overflow = what;
    return builder->overflow != NULL;
}

static struct str text_of(const struct pack_builder *builder, struct pack_text text)
{
    return str_make(builder->strings.data + text.at, text.len);
}

static struct pack_text append(struct pack_builder *builder, struct str text)
{
    if (text.len == 0 ||
        overflow(builder, builder->strings.len + text.len > (size_t)STRINGS_MAX_MIB << 20, "4,000 MiB of text"))
        return (struct pack_text){0, 0};
    struct pack_text at = {(uint32_t)builder->strings.len, (uint32_t)text.len};
    buf_put_str(&builder->strings, text);
    return at;
}

static void put_slot(uint64_t *slots, size_t cap, uint64_t hash, uint32_t index)
{
    size_t slot = hash & (cap - 1);
    while (slots[slot] != 0)
        slot = (slot + 1) & (cap - 1);
    slots[slot] = hash >> 32 << 32 | (index + 1);
}

static void grow_pool(struct pack_builder *builder)
{
    if ((builder->pool_texts.count + 1) * 2 <= builder->pool_slots)
        return;
    size_t cap = builder->pool_slots ? builder->pool_slots * 2 : 1024;
    mem_free(builder->pool);
    builder->pool = mem_array(cap, sizeof *builder->pool);
    builder->pool_slots = cap;
    for (uint32_t i = 0; i < builder->pool_texts.count; i++)
        put_slot(builder->pool, cap, str_hash(text_of(builder, builder->pool_texts.at[i])), i);
}

/* The text in the string section; short ones are stored once. */
static struct pack_text keep(struct pack_builder *builder, struct str text)
{
    if (text.len == 0 || text.len > POOLED_MAX)
        return append(builder, text);
    grow_pool(builder);
    uint64_t hash = str_hash(text);
    for (size_t slot = hash & (builder->pool_slots - 1); builder->pool[slot] != 0;
         slot = (slot + 1) & (builder->pool_slots - 1)) {
        if (builder->pool[slot] >> 32 != hash >> 32)
            continue;
        struct pack_text held = builder->pool_texts.at[(uint32_t)builder->pool[slot] - 1];
        if (str_eq(text_of(builder, held), text))
            return held;
    }
    struct pack_text fresh = append(builder, text);
    if (fresh.len == 0)
        return fresh;
    put_slot(builder->pool, builder->pool_slots, hash, (uint32_t)builder->pool_texts.count);
    *VEC_ADD(&builder->pool_texts) = fresh;
    return fresh;
}

static uint32_t name_index(struct pack_builder *builder, struct str name)
{
    uint64_t *known = map_get(&builder->name_indexes, name);
    if (known)
        return (uint32_t)*known;
    if (overflow(builder, builder->names.count >= PACK_NAMES_MAX, "65,000 names of properties and systems"))
        return 0;
    uint32_t index = (uint32_t)builder->names.count;
    *VEC_ADD(&builder->names) = keep(builder, name);
    *map_put(&builder->name_indexes, name, NULL) = index;
    return index;
}

/* --- concepts --- */

static void grow_slots(struct pack_builder *builder)
{
    if ((builder->concepts.count + 1) * 2 <= builder->slots_cap)
        return;
    size_t cap = builder->slots_cap ? builder->slots_cap * 2 : 1024;
    mem_free(builder->slots);
    builder->slots = mem_array(cap, sizeof *builder->slots);
    builder->slots_cap = cap;
    for (uint32_t i = 0; i < builder->concepts.count; i++)
        put_slot(builder->slots, cap, pack_mix(builder->concepts.at[i].key), i);
}

/* `exact`: two different texts never have one key, so the text need not be compared. */
static uint32_t find_row(const struct pack_builder *builder, uint64_t key, uint32_t system, struct str code, bool exact)
{
    if (builder->slots_cap == 0)
        return PACK_NONE;
    uint64_t hash = pack_mix(key);
    for (size_t slot = hash & (builder->slots_cap - 1); builder->slots[slot] != 0;
         slot = (slot + 1) & (builder->slots_cap - 1)) {
        if (builder->slots[slot] >> 32 != hash >> 32)
            continue;
        uint32_t index = (uint32_t)builder->slots[slot] - 1;
        const struct pack_concept_row *row = &builder->concepts.at[index];
        if (row->key == key && row->system == system && (exact || str_eq(text_of(builder, row->code), code)))
            return index;
    }
    return PACK_NONE;
}

static uint32_t add_row(struct pack_builder *builder, uint64_t key, uint32_t system, struct str code)
{
    if (overflow(builder, builder->concepts.count >= PACK_CONCEPTS_MAX, "8 million concepts"))
        return PACK_NONE;
    grow_slots(builder);
    uint32_t index = (uint32_t)builder->concepts.count;
    struct pack_text text = keep(builder, code);
    *VEC_ADD(&builder->concepts) = (struct pack_concept_row){.key = key, .code = text, .system = system};
    put_slot(builder->slots, builder->slots_cap, pack_mix(key), index);
    return index;
}

uint32_t pack_builder_find(const struct pack_builder *builder, struct str code)
{
    uint64_t key;
    if (code.len > PACK_CODE_MAX || !pack_key(builder->keys, code, &key))
        return PACK_NONE;
    return find_row(builder, key, 0, code, builder->keys != PACK_KEYS_TEXT);
}

uint32_t pack_builder_concept(struct pack_builder *builder, struct str code, bool *out_added)
{
    uint64_t key;
    if (code.len > PACK_CODE_MAX || !pack_key(builder->keys, code, &key))
        return PACK_NONE;
    uint32_t found = find_row(builder, key, 0, code, builder->keys != PACK_KEYS_TEXT);
    if (out_added)
        *out_added = found == PACK_NONE;
    return found != PACK_NONE ? found : add_row(builder, key, 0, code);
}

struct str pack_builder_code(const struct pack_builder *builder, uint32_t concept)
{
    return text_of(builder, builder->concepts.at[concept].code);
}

bool pack_builder_has_display(const struct pack_builder *builder, uint32_t concept)
{
    return builder->concepts.at[concept].display.len > 0;
}

void pack_builder_display(struct pack_builder *builder, uint32_t concept, struct str display)
{
    builder->concepts.at[concept].display = keep(builder, display);
}

void pack_builder_flags(struct pack_builder *builder, uint32_t concept, uint32_t flags)
{
    builder->concepts.at[concept].flags = flags;
}

uint32_t pack_builder_concept_count(const struct pack_builder *builder)
{
    return (uint32_t)builder->concepts.count;
}

/* --- rows of concepts --- */

void pack_builder_designation(struct pack_builder *builder, uint32_t concept, struct str language, struct str use,
                              struct str text)
{
    if (overflow(builder, builder->designations.count >= PACK_ROWS_MAX, "128 million designations"))
        return;
    struct pack_designation_row row = {
        0}; /* one by one: the order of an initializer's calls is the compiler's choice */
    row.language = name_index(builder, language);
    row.use = name_index(builder, use);
    struct pack_text display = builder->concepts.at[concept].display;
    row.text =
        str_eq(text, text_of(builder, display)) ? display : keep(builder, text); /* mostly one of them is shown */
    *VEC_ADD(&builder->designations) = row;
    *VEC_ADD(&builder->designation_of) = concept;
}

void pack_builder_property(struct pack_builder *builder, uint32_t concept, struct str name, struct str value)
{
    if (overflow(builder, builder->properties.count >= PACK_ROWS_MAX, "128 million properties"))
        return;
    struct pack_property_row row = {.name = name_index(builder, name)};
    row.value = keep(builder, value);
    *VEC_ADD(&builder->properties) = row;
    *VEC_ADD(&builder->property_of) = concept;
}

void pack_builder_parent(struct pack_builder *builder, uint32_t child, uint32_t parent)
{
    if (overflow(builder, builder->edges.count >= PACK_ROWS_MAX, "128 million is-a rows"))
        return;
    *VEC_ADD(&builder->edges) = (struct build_edge){child, parent};
}

void pack_builder_map(struct pack_builder *builder, const struct pack_map_row *row)
{
    if (overflow(builder, builder->map_rows.count >= PACK_ROWS_MAX, "128 million map rows"))
        return;
    uint32_t system = name_index(builder, row->source_system) + 1;
    uint64_t key = pack_map_key(row->source_system, row->source_code);
    uint32_t source = find_row(builder, key, system, row->source_code, false);
    if (source == PACK_NONE)
        source = add_row(builder, key, system, row->source_code);
    if (source == PACK_NONE)
        return;
    while (builder->rows_of.count <= source)
        *VEC_ADD(&builder->rows_of) = 0;
    if (overflow(builder, builder->rows_of.at[source] >= PACK_ROWS_OF_CODE_MAX, "1,000 map rows of one code"))
        return;
    builder->rows_of.at[source]++;
    if (!pack_builder_has_display(builder, source))
        pack_builder_display(builder, source, row->source_display);
    struct pack_map_file_row kept = {.line = row->line};
    kept.target_system = name_index(builder, row->target_system);
    kept.equivalence = name_index(builder, row->equivalence);
    kept.source_display = keep(builder, row->source_display);
    kept.target_code = keep(builder, row->target_code);
    kept.target_display = keep(builder, row->target_display);
    kept.comment = keep(builder, row->comment);
    *VEC_ADD(&builder->map_rows) = kept;
    *VEC_ADD(&builder->map_of) = source;
}

uint64_t pack_builder_map_count(const struct pack_builder *builder)
{
    return builder->map_rows.count;
}

void build_group(const uint32_t *of, size_t rows, size_t groups, uint32_t **out_start, uint32_t **out_rows)
{
    uint32_t *start = mem_array(groups + 2, sizeof *start);
    uint32_t *sorted = mem_array(rows + 1, sizeof *sorted);
    for (size_t i = 0; i < rows; i++)
        start[of[i] + 2]++;
    for (size_t i = 2; i < groups + 2; i++)
        start[i] += start[i - 1];
    for (size_t i = 0; i < rows; i++)
        sorted[start[of[i] + 1]++] = (uint32_t)i;
    *out_start = start;
    *out_rows = sorted;
}
