/* The LOINC table (Loinc.csv) and, when it is there, MapTo.csv. Columns by name: publishers move and add them. */
#include "load.h"

#include "base/mem.h"
#include "terminology/shape.h"

enum column {
    NUM,
    COMPONENT, /* required */
    PROPERTY,
    TIME,
    SYSTEM,
    SCALE,
    METHOD,
    CLASS,
    STATUS,
    LONG_NAME,
    SHORT_NAME,
    CONSUMER_NAME,
    DISPLAY_NAME,
    ORDER_OBS,
    UNITS,
    CHANGED,
    STATUS_REASON,
    MAP_TO,
    COLUMNS
};
static const char *const names[COLUMNS] = {
    "LOINC_NUM",          "COMPONENT",     "PROPERTY",    "TIME_ASPCT", "SYSTEM",
    "SCALE_TYP",          "METHOD_TYP",    "CLASS",       "STATUS",     "LONG_COMMON_NAME",
    "SHORTNAME",          "CONSUMER_NAME", "DisplayName", "ORDER_OBS",  "EXAMPLE_UCUM_UNITS",
    "VersionLastChanged", "STATUS_REASON", "MAP_TO",
};

static const struct {
    enum column column;
    const char *name;
} properties[] = {
    {COMPONENT, "component"},
    {PROPERTY, "property"},
    {TIME, "time"},
    {SYSTEM, "system"},
    {SCALE, "scale"},
    {METHOD, "method"},
    {CLASS, "class"},
    {STATUS, "status"},
    {STATUS_REASON, "status-reason"},
    {ORDER_OBS, "order-obs"},
    {UNITS, "example-ucum-units"},
    {MAP_TO, "replaced-by"},
};
static const struct {
    enum column column;
    const char *use;
} designations[] = {
    {LONG_NAME, "long"}, {SHORT_NAME, "short"}, {DISPLAY_NAME, "display-name"}, {CONSUMER_NAME, "consumer"}};

/* Newest of the versions named in the rows: "2.9" is older than "2.72". */
struct newest {
    uint64_t major, minor;
};

static void note_version(struct newest *newest, struct str text)
{
    struct str major, minor = text;
    uint64_t a, b = 0;
    if (!str_split(&minor, '.', &major) || !str_to_u64(major, &a) || (minor.len && !str_to_u64(minor, &b)))
        return;
    if (a > newest->major || (a == newest->major && b > newest->minor))
        *newest = (struct newest){a, b};
}

static void add_row(struct table *table)
{
    struct load *load = table->load;
    struct str code = str_trim(table_field(table, NUM));
    if (!shape_is_loinc(code)) {
        load_finding(load, LOAD_FATAL, table->file->name, table_line(table), "loinc.check-digit",
                     "LOINC_NUM is not digits, a hyphen and the right check digit");
        return;
    }
    bool added = false;
    uint32_t concept = pack_builder_concept(load->builder, code, &added);
    if (concept == PACK_NONE)
        return;
    if (!added) {
        load_finding(load, LOAD_FATAL, table->file->name, table_line(table), "loinc.duplicate", "%.*s comes twice",
                     STR_ARGS(code));
        return;
    }
    static const enum column shown[] = {LONG_NAME, DISPLAY_NAME, SHORT_NAME, COMPONENT};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0] && !pack_builder_has_display(load->builder, concept); i++)
        pack_builder_display(load->builder, concept, str_trim(table_field(table, shown[i])));
    struct str state = table_field(table, STATUS);
    if (state.len && !str_is(state, "ACTIVE") && !str_is(state, "TRIAL") && !str_is(state, "DISCOURAGED") &&
        !str_is(state, "DEPRECATED"))
        load_finding(load, LOAD_WARNING, table->file->name, table_line(table), "loinc.status",
                     "a status LOINC does not have");
    pack_builder_flags(load->builder, concept, str_is(state, "DEPRECATED") ? PACK_INACTIVE : 0);
    for (size_t i = 0; i < sizeof designations / sizeof designations[0]; i++) {
        struct str text = str_trim(table_field(table, designations[i].column));
        if (text.len)
            pack_builder_designation(load->builder, concept, STR("en"), str_from(designations[i].use), text);
    }
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
        struct str text = str_trim(table_field(table, properties[i].column));
        if (text.len)
            pack_builder_property(load->builder, concept, str_from(properties[i].name), text);
    }
}

static void read_map_to(struct load *load, const struct release_file *file)
{
    static const char *const columns[] = {"LOINC", "MAP_TO"};
    struct table *table = mem_alloc(sizeof *table);
    if (table_open(load, file, ',', true, "loinc", table)) {
        bool sound = table_header(table, columns, 2, 2);
        while (sound && table_next(table)) {
            struct str from = str_trim(table_field(table, 0)), to = str_trim(table_field(table, 1));
            uint32_t concept = pack_builder_find(load->builder, from);
            if (!shape_is_loinc(from) || !shape_is_loinc(to))
                load_finding(load, LOAD_FATAL, file->name, table_line(table), "loinc.check-digit",
                             "not a LOINC number");
            else if (concept == PACK_NONE)
                load_finding(load, LOAD_WARNING, file->name, table_line(table), "loinc.unknown",
                             "maps from a code that the table does not have");
            else
                pack_builder_property(load->builder, concept, STR("replaced-by"), to);
        }
        table_close(table);
    }
    mem_free(table);
}

/* "Loinc_2.82" in the path, or the newest change a row names (a lower bound: said so in a finding). */
static void settle_version(struct load *load, const struct release_file *file, const struct newest *newest)
{
    struct str path = file->path;
    for (size_t i = 0; i + 6 < path.len; i++) {
        if (!str_eq_nocase(str_sub(path, i, 5), STR("loinc")) || (path.data[i + 5] != '_' && path.data[i + 5] != '-'))
            continue;
        size_t len = 0;
        while (i + 6 + len < path.len &&
               ((path.data[i + 6 + len] >= '0' && path.data[i + 6 + len] <= '9') || path.data[i + 6 + len] == '.'))
            len++;
        if (len >= 3) {
            load_settle_version(load, file->name, str_sub(path, i + 6, len), "loinc.version");
            return;
        }
    }
    struct str found = STR_NONE;
    if (newest->major) {
        found = arena_printf(load->cx->arena, "%llu.%02llu", (unsigned long long)newest->major,
                             (unsigned long long)newest->minor);
        if (load->options->version.len == 0)
            load_finding(load, LOAD_WARNING, file->name, 0, "loinc.version",
                         "the version %s is the newest change in the rows; give the version with the load to be exact",
                         found.data);
    }
    load_settle_version(load, file->name, found, "loinc.version");
}

void load_loinc(struct load *load, const struct release *release)
{
    const struct release_file *file = release_file(release, ROLE_LOINC_TABLE);
    struct newest newest = {0};
    struct table *table = mem_alloc(sizeof *table);
    if (table_open(load, file, ',', true, "loinc", table)) {
        if (table_header(table, names, 2, COLUMNS))
            while (table_next(table)) {
                note_version(&newest, table_field(table, CHANGED));
                add_row(table);
            }
        table_close(table);
    }
    mem_free(table);
    const struct release_file *map_to = release_file(release, ROLE_LOINC_MAP_TO);
    if (map_to && !load->cancelled)
        read_map_to(load, map_to);
    settle_version(load, file, &newest);
}
