/*
 * A site's own map, as people keep it in a spreadsheet: from local codes to standard ones. Columns:
 * docs/loaders/local-map.md. Everything a spreadsheet does to codes (lost zeros, dates, rounded numbers) breaks a check
 * digit or a shape: those are faults.
 */
#include "load.h"

#include "base/date.h"
#include "base/map.h"
#include "base/mem.h"
#include "terminology/systems.h"

enum column {
    SOURCE_SYSTEM,
    SOURCE_CODE,
    TARGET_SYSTEM,
    TARGET_CODE, /* required */
    SOURCE_DISPLAY,
    TARGET_DISPLAY,
    EQUIVALENCE,
    COMMENT,
    COLUMNS
};
enum { REQUIRED = 4 };

/* First the documented name, then what people write instead. */
static const char *const aliases[COLUMNS][8] = {
    [SOURCE_SYSTEM] = {"source_system", "local_system", "from_system", "source_code_system", "source_codesystem",
                       "system"},
    [SOURCE_CODE] = {"source_code", "local_code", "from_code", "code"},
    [TARGET_SYSTEM] = {"target_system", "standard_system", "to_system", "target_code_system", "target_codesystem"},
    [TARGET_CODE] = {"target_code", "standard_code", "to_code"},
    [SOURCE_DISPLAY] = {"source_display", "source_name", "local_name", "local_display", "source_description",
                        "display"},
    [TARGET_DISPLAY] = {"target_display", "target_name", "standard_name", "standard_display", "target_description"},
    [EQUIVALENCE] = {"equivalence", "relationship", "relation"},
    [COMMENT] = {"comment", "comments", "note", "notes"},
};

/* FHIR R4 concept-map-equivalence; R5 relationships and people's words on the left. NULL: says that there is no target.
 */
static const struct {
    const char *given, *r4;
} equivalences[] = {
    {"equivalent", "equivalent"},
    {"equal", "equal"},
    {"wider", "wider"},
    {"narrower", "narrower"},
    {"inexact", "inexact"},
    {"subsumes", "subsumes"},
    {"specializes", "specializes"},
    {"relatedto", "relatedto"},
    {"related_to", "relatedto"},
    {"exact", "equal"},
    {"exact_match", "equivalent"},
    {"source_is_narrower_than_target", "wider"},
    {"source_is_broader_than_target", "narrower"},
    {"broader", "wider"},
    {"unmatched", NULL},
    {"disjoint", NULL},
    {"not_related_to", NULL},
};

struct map_file {
    struct load *load;
    struct table *table;
    int places[COLUMNS];
    struct map pairs;   /* source and target -> line */
    struct map sources; /* source and target system -> line */
};

static int column_named(const char *plain)
{
    for (int c = 0; c < COLUMNS; c++)
        for (size_t a = 0; a < 8 && aliases[c][a]; a++)
            if (strcmp(plain, aliases[c][a]) == 0)
                return c;
    return -1;
}

static const char *nearest_column(const char *plain)
{
    const char *words[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++)
        words[c] = aliases[c][0];
    return str_nearest(str_from(plain), words, COLUMNS);
}

static bool read_header(struct map_file *file)
{
    struct table *table = file->table;
    struct load *load = file->load;
    if (!table_header(table, NULL, 0, 0))
        return false;
    const char *misspelt[COLUMNS] = {0}; /* what was probably meant as this column */
    for (size_t c = 0; c < COLUMNS; c++)
        file->places[c] = -1;
    for (size_t i = 0; i < table->csv.count; i++) {
        char plain[64];
        load_plain_name(table->csv.fields[i], plain);
        int column = column_named(plain);
        if (column >= 0 && file->places[column] < 0) {
            file->places[column] = (int)i;
            continue;
        }
        const char *near = column < 0 ? nearest_column(plain) : NULL;
        if (near)
            misspelt[column_named(near)] = arena_str(load->cx->arena, str_from(plain)).data;
        load_finding(load, LOAD_WARNING, table->file->name, 1, column < 0 ? "map.column-unknown" : "map.column-twice",
                     near ? "column %zu (%s) is not read; did you mean %s?" : "column %zu (%s) is not read", i + 1,
                     plain, near);
    }
    bool complete = true;
    for (size_t c = 0; c < REQUIRED; c++) {
        if (file->places[c] >= 0)
            continue;
        load_finding(load, LOAD_FATAL, table->file->name, 1, "map.column-missing",
                     misspelt[c] ? "the column %s is missing; is %s meant?" : "the column %s is missing", aliases[c][0],
                     misspelt[c]);
        complete = false;
    }
    return complete;
}

static struct str get(const struct map_file *file, enum column column)
{
    int place = file->places[column];
    return place < 0 ? STR_NONE : str_trim(file->table->csv.fields[place]);
}

static void fault(const struct map_file *file, enum load_severity severity, const char *rule, const char *what)
{
    load_finding(file->load, severity, file->table->file->name, table_line(file->table), rule, "%s", what);
}

/* False with a finding when the word is not known; *out_r4 NULL when the row says "no target". */
static bool read_equivalence(const struct map_file *file, const char **out_r4)
{
    char plain[64];
    load_plain_name(get(file, EQUIVALENCE), plain);
    if (plain[0] == 0) {
        *out_r4 = "equivalent";
        return true;
    }
    enum { COUNT = sizeof equivalences / sizeof equivalences[0] };
    const char *words[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        words[i] = equivalences[i].given;
        if (strcmp(plain, words[i]) != 0)
            continue;
        *out_r4 = equivalences[i].r4;
        return true;
    }
    const char *near = str_nearest(str_from(plain), words, COUNT);
    load_finding(file->load, LOAD_FATAL, file->table->file->name, table_line(file->table), "map.equivalence",
                 near ? "the equivalence %s is not one of FHIR's; did you mean %s?"
                      : "the equivalence %s is not one of FHIR's",
                 plain, near);
    return false;
}

static struct str uri_of(struct str system)
{
    const struct system_row *row = systems_find(system);
    return row ? str_from(row->uri) : system;
}

static bool codes_sound(const struct map_file *file, const struct pack_map_row *row)
{
    if (row->source_code.len == 0 || row->source_system.len == 0) {
        fault(file, LOAD_FATAL, "map.source-empty", "source_system or source_code is empty");
        return false;
    }
    if (row->target_code.len == 0 || row->target_system.len == 0) {
        fault(file, LOAD_FATAL, "map.target-empty",
              "target_system or target_code is empty; use unmatched if there is none");
        return false;
    }
    if (row->source_code.len > PACK_CODE_MAX || row->target_code.len > PACK_CODE_MAX ||
        row->source_system.len > PACK_CODE_MAX || row->target_system.len > PACK_CODE_MAX) {
        fault(file, LOAD_FATAL, "map.too-long", "a code or system of more than 256 bytes");
        return false;
    }
    const struct system_row *known = systems_find(row->target_system);
    if (known == NULL || known->shape == NULL || known->shape(row->target_code))
        return true;
    load_finding(file->load, LOAD_FATAL, file->table->file->name, table_line(file->table), "map.target-shape",
                 "target_code is not a code of %s: %s", known->v2_name, known->shape_text);
    return false;
}

static uint64_t *place_of(struct map *map, struct buf *key, const struct pack_map_row *row, bool with_code, bool *added)
{
    buf_clear(key);
    buf_put_lstr(key, row->source_system);
    buf_put_lstr(key, row->source_code);
    buf_put_lstr(key, row->target_system);
    if (with_code)
        buf_put_lstr(key, row->target_code);
    return map_put(map, buf_str(key), added);
}

/* A row that says what an earlier one said is left out; one that says something else is kept and pointed at. */
static bool is_new(struct map_file *file, const struct pack_map_row *row)
{
    SCOPED(buf_fini) struct buf key = {0};
    bool added = false;
    uint64_t *line = place_of(&file->pairs, &key, row, true, &added);
    if (!added) {
        load_finding(file->load, LOAD_WARNING, file->table->file->name, row->line, "map.duplicate",
                     "says the same as line %llu; left out", (unsigned long long)*line);
        return false;
    }
    *line = row->line;
    line = place_of(&file->sources, &key, row, false, &added);
    if (!added)
        load_finding(
            file->load, LOAD_WARNING, file->table->file->name, row->line, "map.ambiguous",
            "another target in the same system than line %llu; the better equivalence, then the earlier line wins",
            (unsigned long long)*line);
    else
        *line = row->line;
    return true;
}

static void add_row(struct map_file *file)
{
    const char *equivalence = NULL;
    if (!read_equivalence(file, &equivalence) || equivalence == NULL)
        return;
    struct pack_map_row row = {
        .source_system = uri_of(get(file, SOURCE_SYSTEM)),
        .source_code = get(file, SOURCE_CODE),
        .source_display = get(file, SOURCE_DISPLAY),
        .target_system = uri_of(get(file, TARGET_SYSTEM)),
        .target_code = get(file, TARGET_CODE),
        .target_display = get(file, TARGET_DISPLAY),
        .equivalence = str_from(equivalence),
        .comment = get(file, COMMENT),
        .line = table_line(file->table),
    };
    if (!codes_sound(file, &row) || !is_new(file, &row))
        return;
    bool fitted = pack_builder_overflow(file->load->builder) == NULL;
    pack_builder_map(file->load->builder, &row);
    if (fitted && pack_builder_overflow(file->load->builder))
        fault(file, LOAD_FATAL, "map.too-many", pack_builder_overflow(file->load->builder));
}

static char separator_of(struct str bytes)
{
    ptrdiff_t end = str_find(bytes, '\n');
    struct str line = end < 0 ? bytes : str_sub(bytes, 0, (size_t)end);
    size_t commas = 0, tabs = 0, semicolons = 0;
    for (size_t i = 0; i < line.len; i++) {
        commas += line.data[i] == ',';
        tabs += line.data[i] == '\t';
        semicolons += line.data[i] == ';';
    }
    return tabs > commas && tabs > semicolons ? '\t' : semicolons > commas ? ';' : ',';
}

/* "map:" and the file's name without its ending, unless the load names the map. */
static void settle_name(struct load *load, const struct release_file *file)
{
    struct str stem = file->name;
    for (size_t i = stem.len; i-- > 1;)
        if (stem.data[i] == '.') {
            stem.len = i;
            break;
        }
    struct str given = load->options->system;
    if (given.len == 0)
        load->name.system = arena_printf(load->cx->arena, "map:%.*s", STR_ARGS(stem));
    else
        load->name.system = arena_str(load->cx->arena, given);
    if (load->name.system.len > PACK_CODE_MAX)
        load_finding(load, LOAD_FATAL, file->name, 0, "map.name", "the map's name is longer than 256 bytes");
    if (systems_find(load->name.system) != NULL)
        load_finding(load, LOAD_FATAL, file->name, 0, "map.name", "a map cannot have the name of a code system");
}

void load_map(struct load *load, const struct release *release)
{
    const struct release_file *file = release_file(release, ROLE_MAP_CSV);
    for (const struct release_file *other = file + 1; other < release->files.at + release->files.count; other++)
        if (other->role == ROLE_MAP_CSV)
            load_finding(load, LOAD_FATAL, other->name, 0, "map.two-files",
                         "a second map in the folder; name the one to load");
    settle_name(load, file);
    char today[11];
    date_format(date_from_days((int32_t)(load->cx->now_us / (86400 * INT64_C(1000000)))), today);
    load_settle_version(load, file->name, str_from(today), "map.version");
    struct map_file map = {.load = load, .table = mem_alloc(sizeof *map.table)};
    if (table_open(load, file, ',', true, "map", map.table)) {
        map.table->csv.separator = separator_of(map.table->bytes);
        if (read_header(&map))
            while (table_next(map.table))
                add_row(&map);
        table_close(map.table);
    }
    mem_free(map.table);
    map_fini(&map.pairs);
    map_fini(&map.sources);
}
