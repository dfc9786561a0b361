#include "route.h"

#include "base/crypto/digest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/yaml/yaml.h"
#include "engine/engine.h"

enum { SECOND_US = 1000000, NAME_MAX_BYTES = 64, SOURCES_MAX = 1000 };

#define KEYS(...) (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

/* Names appear in logs, file names and keys: letters, digits, dash, dot and underscore only. */
static status read_name(struct ctx *cx, const struct yaml_node *map, struct str *out)
{
    const struct yaml_node *node;
    TRY(yaml_need(cx, map, "name", &node));
    TRY(yaml_text(cx, node, out));
    bool good = out->len > 0 && out->len <= NAME_MAX_BYTES;
    for (size_t i = 0; i < out->len && good; i++) {
        char c = out->data[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._", c) != NULL;
    }
    return good ? STATUS_OK : yaml_fail(cx, node, YAML_BAD_VALUE, "a name is 1 to 64 letters, digits, '-', '.' or '_'");
}

static status read_mllp(struct ctx *cx, const struct yaml_node *map, struct route_destination *out)
{
    TRY(yaml_map_keys(cx, map, KEYS("connect", "tls", "server_name")));
    const struct yaml_node *connect;
    TRY(yaml_need(cx, map, "connect", &connect));
    TRY(yaml_address(cx, connect, &out->connect));
    TRY(yaml_bool(cx, yaml_get(map, "tls"), &out->tls));
    return yaml_text(cx, yaml_get(map, "server_name"), &out->server_name);
}

static status read_file(struct ctx *cx, const struct yaml_node *map, struct route_destination *out)
{
    TRY(yaml_map_keys(cx, map, KEYS("folder")));
    const struct yaml_node *folder;
    TRY(yaml_need(cx, map, "folder", &folder));
    TRY(yaml_text(cx, folder, &out->folder));
    if (out->folder.len == 0 || out->folder.data[0] != '/')
        return yaml_fail(cx, folder, YAML_BAD_VALUE, "the folder must be an absolute path");
    return STATUS_OK;
}

static status read_retry(struct ctx *cx, const struct yaml_node *map, struct route_destination *out)
{
    if (map == NULL)
        return STATUS_OK;
    TRY(yaml_map_keys(cx, map, KEYS("first", "most", "give_up_after")));
    TRY(yaml_duration(cx, yaml_get(map, "first"), 1000, 3600ll * SECOND_US, &out->retry_first_us));
    TRY(yaml_duration(cx, yaml_get(map, "most"), 1000, 24 * 3600ll * SECOND_US, &out->retry_most_us));
    int64_t give_up = out->give_up_after;
    TRY(yaml_integer(cx, yaml_get(map, "give_up_after"), 0, 1000000, &give_up));
    out->give_up_after = (uint32_t)give_up;
    return STATUS_OK;
}

static status read_destination(struct ctx *cx, const struct yaml_node *map, struct route_destination *out)
{
    TRY(yaml_map_keys(cx, map, KEYS("name", "mllp", "file", "retry", "answer_timeout")));
    *out = (struct route_destination){.retry_first_us = SECOND_US,
                                      .retry_most_us = 60ll * SECOND_US,
                                      .answer_timeout_us = 30ll * SECOND_US,
                                      .give_up_after = 50};
    TRY(read_name(cx, map, &out->name));
    const struct yaml_node *mllp = yaml_get(map, "mllp"), *file = yaml_get(map, "file");
    if ((mllp != NULL) == (file != NULL))
        return yaml_fail(cx, map, YAML_MISSING_KEY, "a destination has exactly one of `mllp` and `file`");
    out->kind = mllp ? ROUTE_MLLP : ROUTE_FILE;
    if (mllp)
        TRY(read_mllp(cx, mllp, out));
    else
        TRY(read_file(cx, file, out));
    TRY(read_retry(cx, yaml_get(map, "retry"), out));
    return yaml_duration(cx, yaml_get(map, "answer_timeout"), 1000, 3600ll * SECOND_US, &out->answer_timeout_us);
}

static status read_source(struct ctx *cx, const struct yaml_node *map, struct route_source *out)
{
    static const char *const line_ends[] = {"any", "cr"};
    TRY(yaml_map_keys(cx, map, KEYS("name", "line_ends", "charset")));
    TRY(read_name(cx, map, &out->name));
    size_t chosen = 0;
    TRY(yaml_choice(cx, yaml_get(map, "line_ends"), line_ends, 2, &chosen));
    out->strict_line_ends = chosen == 1;
    const struct yaml_node *charset = yaml_get(map, "charset");
    struct str name = STR_NONE;
    TRY(yaml_text(cx, charset, &name));
    if (charset && (!charset_from_hl7(name, &out->charset) || charset_shape(out->charset) == CHARSET_SHAPE_WIDE ||
                    charset_shape(out->charset) == CHARSET_SHAPE_DOUBLE))
        return yaml_fail(cx, charset, YAML_BAD_VALUE,
                         "no usable character set of HL7 table 0211, like \"8859/1\" or \"UNICODE UTF-8\"");
    return STATUS_OK;
}

static status read_sources(struct ctx *cx, const struct yaml_node *list, struct routes *routes)
{
    if (list == NULL)
        return STATUS_OK;
    TRY(yaml_list(cx, list, SOURCES_MAX));
    routes->sources = arena_array(cx->arena, list->count, sizeof *routes->sources);
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        struct route_source *source = &routes->sources[routes->source_count];
        TRY(read_source(cx, node, source));
        for (size_t i = 0; i < routes->source_count; i++)
            if (str_eq(routes->sources[i].name, source->name))
                return yaml_fail(cx, node, YAML_BAD_VALUE, "the source `%s` is there twice", source->name.data);
        routes->source_count++;
    }
    return STATUS_OK;
}

static status read_destinations(struct ctx *cx, const struct yaml_node *list, struct routes *routes)
{
    if (list == NULL)
        return STATUS_OK;
    TRY(yaml_list(cx, list, LIMIT_DESTINATIONS));
    routes->destinations = arena_array(cx->arena, list->count, sizeof *routes->destinations);
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        struct route_destination *destination = &routes->destinations[routes->destination_count];
        TRY(read_destination(cx, node, destination));
        for (size_t i = 0; i < routes->destination_count; i++)
            if (str_eq(routes->destinations[i].name, destination->name))
                return yaml_fail(cx, node, YAML_BAD_VALUE, "the destination `%s` is there twice",
                                 destination->name.data);
        routes->destination_count++;
    }
    return STATUS_OK;
}

static status read_when(struct ctx *cx, const struct yaml_node *map, struct route *out)
{
    if (map == NULL)
        return STATUS_OK;
    TRY(yaml_map_keys(cx, map, KEYS("source", "type")));
    if (yaml_get(map, "source"))
        TRY(yaml_texts(cx, yaml_get(map, "source"), 1000, &out->sources, &out->source_count));
    if (yaml_get(map, "type"))
        TRY(yaml_texts(cx, yaml_get(map, "type"), 1000, &out->types, &out->type_count));
    return STATUS_OK;
}

static status read_person_id(struct ctx *cx, const struct yaml_node *map, struct route *out)
{
    if (map == NULL)
        return STATUS_OK;
    TRY(yaml_map_keys(cx, map, KEYS("authority", "type")));
    const struct yaml_node *authority;
    TRY(yaml_need(cx, map, "authority", &authority));
    TRY(yaml_text(cx, authority, &out->person_authority));
    if (out->person_authority.len == 0)
        return yaml_fail(cx, authority, YAML_BAD_VALUE, "the authority must not be empty");
    out->person_type = STR("PI");
    return yaml_text(cx, yaml_get(map, "type"), &out->person_type);
}

static status read_local_systems(struct ctx *cx, const struct yaml_node *map, struct route *out)
{
    if (map == NULL)
        return STATUS_OK;
    if (map->kind != YAML_MAP)
        return yaml_fail(cx, map, YAML_WRONG_KIND, "local_system is a map from the system as sent to its name");
    out->local_systems = arena_array(cx->arena, map->count, sizeof *out->local_systems);
    for (const struct yaml_node *node = map->first; node; node = node->next) {
        struct route_local_system *row = &out->local_systems[out->local_system_count++];
        row->seen = node->key;
        TRY(yaml_text(cx, node, &row->system));
    }
    return STATUS_OK;
}

static status read_code_rule(struct ctx *cx, const struct yaml_node *map, struct route_codes *out)
{
    TRY(yaml_map_keys(cx, map, KEYS("path", "to")));
    const struct yaml_node *path, *to;
    TRY(yaml_need(cx, map, "path", &path));
    TRY(yaml_text(cx, path, &out->path_text));
    if (hl7_path_compile(cx, out->path_text, &out->path) != STATUS_OK)
        return yaml_fail(cx, path, YAML_BAD_VALUE, "%s", ctx_message(cx).data);
    if (out->path.field == 0 || out->path.component != 0)
        return yaml_fail(cx, path, YAML_BAD_VALUE, "name a whole coded field, like OBX(*)-3");
    if (out->path.repetition == 0)
        out->path.repetition = HL7_EACH; /* a coded field means all its repetitions */
    TRY(yaml_need(cx, map, "to", &to));
    struct str *targets;
    TRY(yaml_texts(cx, to, ROUTE_TARGETS_MAX, &targets, &out->target_count));
    if (out->target_count == 0)
        return yaml_fail(cx, to, YAML_BAD_VALUE, "name at least one code system");
    memcpy(out->targets, targets, out->target_count * sizeof *targets);
    return STATUS_OK;
}

static status read_codes(struct ctx *cx, const struct yaml_node *list, struct route *out)
{
    if (list == NULL)
        return STATUS_OK;
    TRY(yaml_list(cx, list, 1000));
    out->codes = arena_array(cx->arena, list->count, sizeof *out->codes);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        TRY(read_code_rule(cx, node, &out->codes[out->codes_count++]));
    return STATUS_OK;
}

static status find_destination(struct ctx *cx, const struct routes *routes, const struct yaml_node *node, size_t *out)
{
    struct str name;
    TRY(yaml_text(cx, node, &name));
    const char **names = arena_array(cx->arena, routes->destination_count + 1, sizeof *names);
    for (size_t i = 0; i < routes->destination_count; i++) {
        names[i] = routes->destinations[i].name.data;
        if (str_eq(name, routes->destinations[i].name)) {
            *out = i;
            return STATUS_OK;
        }
    }
    const char *near = str_nearest(name, names, routes->destination_count);
    return yaml_fail(cx, node, YAML_BAD_VALUE, "no destination is called `%s`%s%s%s", name.data,
                     near ? "; did you mean `" : "", near ? near : "", near ? "`?" : "");
}

static status read_to(struct ctx *cx, const struct yaml_node *list, const struct routes *routes, struct route *out)
{
    TRY(yaml_list(cx, list, LIMIT_DESTINATIONS));
    out->to = arena_array(cx->arena, list->count, sizeof *out->to);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        TRY(find_destination(cx, routes, node, &out->to[out->to_count++]));
    return STATUS_OK;
}

static status read_route(struct ctx *cx, const struct yaml_node *map, const struct routes *routes, struct route *out)
{
    TRY(yaml_map_keys(cx, map, KEYS("name", "when", "person_id", "local_system", "codes", "to")));
    TRY(read_name(cx, map, &out->name));
    TRY(read_when(cx, yaml_get(map, "when"), out));
    TRY(read_person_id(cx, yaml_get(map, "person_id"), out));
    TRY(read_local_systems(cx, yaml_get(map, "local_system"), out));
    TRY(read_codes(cx, yaml_get(map, "codes"), out));
    const struct yaml_node *to;
    TRY(yaml_need(cx, map, "to", &to));
    return read_to(cx, to, routes, out);
}

bool route_changes(const struct route *route)
{
    return route->codes_count > 0 || route->person_authority.len > 0;
}

static bool same_codes(const struct route_codes *left, const struct route_codes *right)
{
    bool same = hl7_path_eq(&left->path, &right->path) && left->target_count == right->target_count;
    for (size_t i = 0; same && i < left->target_count; i++)
        same = str_eq(left->targets[i], right->targets[i]);
    return same;
}

/* Whatever the message: the same edits. */
static bool change_alike(const struct route *left, const struct route *right)
{
    bool same = str_eq(left->person_authority, right->person_authority) &&
                str_eq(left->person_type, right->person_type) && left->codes_count == right->codes_count;
    for (size_t i = 0; same && i < left->codes_count; i++)
        same = same_codes(&left->codes[i], &right->codes[i]);
    if (!same || left->codes_count == 0) /* local systems are for codes only */
        return same;
    same = left->local_system_count == right->local_system_count;
    for (size_t i = 0; same && i < left->local_system_count; i++)
        same = str_eq(left->local_systems[i].seen, right->local_systems[i].seen) &&
               str_eq(left->local_systems[i].system, right->local_systems[i].system);
    return same;
}

/* What is made of a message for one route is made once for all that are like it. */
static void find_alike(struct routes *routes)
{
    for (size_t i = 0; i < routes->route_count; i++) {
        size_t like = 0;
        while (like < i &&
               !(routes->routes[like].like == like && change_alike(&routes->routes[like], &routes->routes[i])))
            like++;
        routes->routes[i].like = like;
    }
}

static status read_routes(struct ctx *cx, const struct yaml_node *list, struct routes *routes)
{
    if (list == NULL)
        return STATUS_OK;
    TRY(yaml_list(cx, list, LIMIT_ROUTES));
    routes->routes = arena_array(cx->arena, list->count, sizeof *routes->routes);
    for (const struct yaml_node *node = list->first; node; node = node->next) {
        struct route *route = &routes->routes[routes->route_count];
        TRY(read_route(cx, node, routes, route));
        for (size_t i = 0; i < routes->route_count; i++)
            if (str_eq(routes->routes[i].name, route->name))
                return yaml_fail(cx, node, YAML_BAD_VALUE, "the route `%s` is there twice", route->name.data);
        routes->route_count++;
    }
    find_alike(routes);
    return STATUS_OK;
}

static status read_all(struct ctx *cx, struct routes *routes)
{
    const struct yaml_node *root;
    TRY(yaml_parse(cx, routes->text, &root));
    TRY(yaml_map_keys(cx, root, KEYS("sources", "destinations", "routes")));
    TRY(read_sources(cx, yaml_get(root, "sources"), routes));
    TRY(read_destinations(cx, yaml_get(root, "destinations"), routes));
    return read_routes(cx, yaml_get(root, "routes"), routes);
}

static struct str version_of(struct arena *arena, struct str text)
{
    uint8_t digest[32];
    crypto_sha256(text, digest);
    return arena_printf(arena, "%02x%02x%02x%02x%02x%02x", digest[0], digest[1], digest[2], digest[3], digest[4],
                        digest[5]);
}

status routes_parse(struct ctx *cx, struct str text, uint64_t seq, struct routes **out_routes)
{
    struct routes *routes = mem_alloc(sizeof *routes);
    arena_init(&routes->arena, 0);
    routes->refs = 1;
    routes->seq = seq;
    routes->text = arena_str(&routes->arena, text);
    routes->version = version_of(&routes->arena, text);
    struct ctx own = *cx; /* what is read lives as long as the routes do */
    own.arena = &routes->arena;
    status got = read_all(&own, routes);
    if (got != STATUS_OK) {
        cx->reason = own.reason;
        cx->detail = arena_str(cx->arena, own.detail);
        routes_unref(routes);
        return got;
    }
    *out_routes = routes;
    return STATUS_OK;
}

struct routes *routes_ref(struct routes *routes)
{
    __atomic_add_fetch(&routes->refs, 1, __ATOMIC_RELAXED);
    return routes;
}

void routes_unref(struct routes *routes)
{
    if (routes == NULL || __atomic_sub_fetch(&routes->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    arena_fini(&routes->arena);
    mem_free(routes);
}

struct hl7_input routes_input(const struct routes *routes, struct str source)
{
    struct hl7_input input = {0};
    for (size_t i = 0; i < routes->source_count; i++)
        if (str_eq(routes->sources[i].name, source)) {
            input.strict_line_ends = routes->sources[i].strict_line_ends;
            input.charset_default = routes->sources[i].charset;
        }
    return input;
}

static bool type_matches(struct str wanted, struct str type, struct str trigger)
{
    ptrdiff_t caret = str_find(wanted, '^');
    if (caret < 0)
        return str_eq(wanted, type);
    struct str wanted_type = str_sub(wanted, 0, (size_t)caret);
    return str_eq(wanted_type, type) && str_eq(str_from_at(wanted, (size_t)caret + 1), trigger);
}

bool route_takes(const struct route *route, struct str source, struct str type, struct str trigger)
{
    bool from = route->source_count == 0;
    for (size_t i = 0; i < route->source_count && !from; i++)
        from = str_eq(route->sources[i], source);
    bool of = route->type_count == 0;
    for (size_t i = 0; i < route->type_count && !of; i++)
        of = type_matches(route->types[i], type, trigger);
    return from && of;
}
