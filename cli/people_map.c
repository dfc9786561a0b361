#include "people_map.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/yaml/yaml.h"

#include <stddef.h>

#define KEYS(...) (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

/* What a file says whose columns have the documented names. */
static const char known_names[] =
    "id: id\n"
    "id_type: id_type\n"
    "source: source\n"
    "authority: authority\n"
    "names: [{family: family, given: given, middle: middle, suffix: suffix, prefix: prefix}]\n"
    "addresses: [{line: [address, address_2], city: city, state: state, postcode: postcode, country: country}]\n"
    "birth_date: birth_date\n"
    "sex: sex\n"
    "phones: [phone]\n"
    "emails: [email]\n"
    "birth_place: birth_place\n"
    "identifiers: [{column: national_id, type: NI, authority: national}]\n"
    "mother: {family: mother}\n";

/* ---- fields ---- */

/* A key of the map and the field it fills. */
struct field_row {
    const char *key;
    size_t at;
};

static status add_column(struct ctx *cx, struct people_map *map, const struct yaml_node *node,
                         struct people_field *field)
{
    struct str name;
    TRY(yaml_text(cx, node, &name));
    if (field->count == PEOPLE_JOINED_MAX)
        return yaml_fail(cx, node, YAML_BAD_VALUE, "a field takes at most %d columns", (int)PEOPLE_JOINED_MAX);
    size_t at = 0;
    while (at < map->column_count && !str_eq_nocase(map->columns[at], name))
        at++;
    if (at == PEOPLE_COLUMNS_MAX)
        return yaml_fail(cx, node, YAML_TOO_LARGE, "a map names at most %d columns", (int)PEOPLE_COLUMNS_MAX);
    if (at == map->column_count)
        map->columns[map->column_count++] = name;
    field->at[field->count++] = (uint8_t)at;
    return STATUS_OK;
}

/* A column, or a list of columns. */
static status read_field(struct ctx *cx, struct people_map *map, const struct yaml_node *node,
                         struct people_field *field)
{
    if (node == NULL)
        return STATUS_OK;
    if (node->kind != YAML_LIST)
        return add_column(cx, map, node, field);
    for (const struct yaml_node *item = node->first; item; item = item->next)
        TRY(add_column(cx, map, item, field));
    return STATUS_OK;
}

static status read_fields(struct ctx *cx, struct people_map *map, const struct yaml_node *node,
                          const struct field_row *rows, size_t count, void *fields)
{
    for (size_t i = 0; i < count; i++)
        TRY(read_field(cx, map, yaml_get(node, rows[i].key), (struct people_field *)((char *)fields + rows[i].at)));
    return STATUS_OK;
}

/* A map with no other keys than these. */
static status read_only_fields(struct ctx *cx, struct people_map *map, const struct yaml_node *node,
                               const struct field_row *rows, size_t count, void *fields)
{
    const char *keys[16];
    for (size_t i = 0; i < count; i++)
        keys[i] = rows[i].key;
    TRY(yaml_map_keys(cx, node, keys, count));
    return read_fields(cx, map, node, rows, count, fields);
}

static status read_words(struct ctx *cx, const struct yaml_node *node, struct people_words *words)
{
    if (node == NULL)
        return STATUS_OK;
    return yaml_texts(cx, node, PEOPLE_WORDS_MAX, &words->at, &words->count);
}

/* ---- lists ---- */

static const struct field_row name_rows[] = {
    {"family", offsetof(struct people_name_fields, family)}, {"given", offsetof(struct people_name_fields, given)},
    {"middle", offsetof(struct people_name_fields, middle)}, {"suffix", offsetof(struct people_name_fields, suffix)},
    {"prefix", offsetof(struct people_name_fields, prefix)}, {"full", offsetof(struct people_name_fields, full)},
};
static const struct field_row address_rows[] = {
    {"line", offsetof(struct people_address_fields, line)},
    {"city", offsetof(struct people_address_fields, city)},
    {"state", offsetof(struct people_address_fields, state)},
    {"postcode", offsetof(struct people_address_fields, postcode)},
    {"country", offsetof(struct people_address_fields, country)},
};
#define ROWS(rows) (rows), sizeof(rows) / sizeof((rows)[0])

static status read_name(struct ctx *cx, struct people_map *map, const struct yaml_node *node, size_t nth)
{
    return read_only_fields(cx, map, node, ROWS(name_rows), &map->names[nth]);
}

static status read_address(struct ctx *cx, struct people_map *map, const struct yaml_node *node, size_t nth)
{
    return read_only_fields(cx, map, node, ROWS(address_rows), &map->addresses[nth]);
}

static status read_phone(struct ctx *cx, struct people_map *map, const struct yaml_node *node, size_t nth)
{
    return read_field(cx, map, node, &map->phones[nth]);
}

static status read_email(struct ctx *cx, struct people_map *map, const struct yaml_node *node, size_t nth)
{
    return read_field(cx, map, node, &map->emails[nth]);
}

static status read_identifier(struct ctx *cx, struct people_map *map, const struct yaml_node *node, size_t nth)
{
    struct people_identifier_field *identifier = &map->identifiers[nth];
    const struct yaml_node *column;
    TRY(yaml_map_keys(cx, node, KEYS("column", "type", "authority")));
    TRY(yaml_need(cx, node, "column", &column));
    TRY(read_field(cx, map, column, &identifier->value));
    TRY(yaml_text(cx, yaml_get(node, "type"), &identifier->type));
    return yaml_text(cx, yaml_get(node, "authority"), &identifier->authority);
}

static const struct list_row {
    const char *key;
    status (*read)(struct ctx *cx, struct people_map *map, const struct yaml_node *node, size_t nth);
    size_t count_at;
} list_rows[] = {
    {"names", read_name, offsetof(struct people_map, name_count)},
    {"addresses", read_address, offsetof(struct people_map, address_count)},
    {"phones", read_phone, offsetof(struct people_map, phone_count)},
    {"emails", read_email, offsetof(struct people_map, email_count)},
    {"identifiers", read_identifier, offsetof(struct people_map, identifier_count)},
};

static status read_list(struct ctx *cx, struct people_map *map, const struct yaml_node *node,
                        const struct list_row *row)
{
    if (node == NULL)
        return STATUS_OK;
    size_t *count = (size_t *)((char *)map + row->count_at);
    TRY(yaml_list(cx, node, PEOPLE_LIST_MAX));
    for (const struct yaml_node *item = node->first; item; item = item->next)
        TRY(row->read(cx, map, item, (*count)++));
    return STATUS_OK;
}

/* ---- truth and labels ---- */

static status read_truth(struct ctx *cx, struct people_map *map, const struct yaml_node *node)
{
    if (node == NULL)
        return STATUS_OK;
    if (node->kind != YAML_MAP)
        return read_field(cx, map, node, &map->truth);
    const struct yaml_node *column;
    TRY(yaml_map_keys(cx, node, KEYS("column", "between")));
    TRY(yaml_need(cx, node, "column", &column));
    TRY(read_field(cx, map, column, &map->truth));
    const struct yaml_node *between = yaml_get(node, "between");
    TRY(yaml_text(cx, between, &map->truth_between));
    if (between && map->truth_between.len != 1)
        return yaml_fail(cx, between, YAML_BAD_VALUE, "`between` is one character");
    return STATUS_OK;
}

static status read_labels(struct ctx *cx, struct people_map *map, const struct yaml_node *node)
{
    static struct str match = STR_INIT("match"), possible = STR_INIT("possible"), no = STR_INIT("no");
    map->labels = (struct people_labels){.left = STR("left"),
                                         .right = STR("right"),
                                         .label = STR("label"),
                                         .match = {&match, 1},
                                         .possible = {&possible, 1},
                                         .no = {&no, 1}};
    if (node == NULL)
        return STATUS_OK;
    TRY(yaml_map_keys(cx, node, KEYS("left", "right", "label", "match", "possible", "no")));
    TRY(yaml_text(cx, yaml_get(node, "left"), &map->labels.left));
    TRY(yaml_text(cx, yaml_get(node, "right"), &map->labels.right));
    TRY(yaml_text(cx, yaml_get(node, "label"), &map->labels.label));
    TRY(read_words(cx, yaml_get(node, "match"), &map->labels.match));
    TRY(read_words(cx, yaml_get(node, "possible"), &map->labels.possible));
    return read_words(cx, yaml_get(node, "no"), &map->labels.no);
}

/* ---- the whole ---- */

static const struct field_row field_rows[] = {
    {"id", offsetof(struct people_map, id)},
    {"id_type", offsetof(struct people_map, id_type)},
    {"source", offsetof(struct people_map, source)},
    {"authority", offsetof(struct people_map, authority)},
    {"birth_date", offsetof(struct people_map, birth_date)},
    {"birth_year", offsetof(struct people_map, birth_year)},
    {"birth_month", offsetof(struct people_map, birth_month)},
    {"birth_day", offsetof(struct people_map, birth_day)},
    {"birth_place", offsetof(struct people_map, birth_place)},
    {"sex", offsetof(struct people_map, sex)},
    {"birth_order", offsetof(struct people_map, birth_order)},
    {"multiple_birth", offsetof(struct people_map, multiple_birth)},
    {"household", offsetof(struct people_map, household)},
};
static const struct field_row mother_rows[] = {
    {"family", offsetof(struct people_map, mother_family)},
    {"given", offsetof(struct people_map, mother_given)},
};

static status read_map(struct ctx *cx, struct str text, struct people_map *map)
{
    static const char *const modes[] = {"dedupe", "link"};
    const struct yaml_node *root;
    size_t mode = 0;
    TRY(yaml_parse(cx, text, &root));
    TRY(yaml_map_keys(cx, root,
                      KEYS("mode", "id", "id_type", "source", "sources", "authority", "names", "addresses", "phones",
                           "emails", "identifiers", "birth_date", "birth_year", "birth_month", "birth_day",
                           "birth_place", "sex", "mother", "birth_order", "multiple_birth", "household", "absent",
                           "truth", "labels")));
    TRY(yaml_choice(cx, yaml_get(root, "mode"), modes, 2, &mode));
    map->is_link = mode == 1;
    TRY(read_fields(cx, map, root, ROWS(field_rows), map));
    for (size_t i = 0; i < sizeof list_rows / sizeof list_rows[0]; i++)
        TRY(read_list(cx, map, yaml_get(root, list_rows[i].key), &list_rows[i]));
    const struct yaml_node *mother = yaml_get(root, "mother");
    if (mother)
        TRY(read_only_fields(cx, map, mother, ROWS(mother_rows), map));
    TRY(read_words(cx, yaml_get(root, "sources"), &map->sources));
    TRY(read_words(cx, yaml_get(root, "absent"), &map->absent));
    TRY(read_truth(cx, map, yaml_get(root, "truth")));
    return read_labels(cx, map, yaml_get(root, "labels"));
}

status people_map_read(struct ctx *cx, const char *path, struct people_map *out_map)
{
    SCOPED(buf_fini) struct buf text = {0};
    struct people_map *map = mem_alloc(sizeof *map);
    map->is_strict = path != NULL;
    status got = path ? file_read(cx, path, PEOPLE_MAP_BYTES_MAX, &text) : STATUS_OK;
    if (got == STATUS_OK)
        got = read_map(cx, path ? buf_str(&text) : str_from(known_names), map);
    if (got == STATUS_OK)
        *out_map = *map;
    mem_free(map);
    return got;
}

status people_map_set_truth(struct ctx *cx, struct people_map *map, struct str column)
{
    if (map->truth.count == 1 && str_eq_nocase(map->columns[map->truth.at[0]], column))
        return STATUS_OK; /* with its `between` */
    struct yaml_node node = {.kind = YAML_TEXT, .text = column, .quoted = true};
    map->truth = (struct people_field){0};
    map->truth_between = STR_NONE;
    return add_column(cx, map, &node, &map->truth);
}
