#include "config.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/yaml/yaml.h"

#define KEYS(...) (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

enum { LISTS_MAX = 1000, CONFIG_BYTES_MAX = 1024 * 1024 };

static const uint64_t CACHE_BYTES_MIN = 16ull << 20, CACHE_BYTES_MAX = 64ull << 30;
static const int64_t HOUR_US = 3600ll * 1000000;

struct reading {
    struct ctx *cx;
    struct str folder; /* of the file; relative paths begin here */
    struct config *out;
};

static status read_path(struct reading *r, const struct yaml_node *node, const char **out)
{
    struct str text;
    if (node == NULL)
        return STATUS_OK;
    TRY(yaml_text(r->cx, node, &text));
    if (text.len == 0)
        return yaml_fail(r->cx, node, YAML_BAD_VALUE, "a path must not be empty");
    bool absolute = text.data[0] == '/';
    *out = absolute ? text.data : arena_printf(r->cx->arena, "%.*s/%s", STR_ARGS(r->folder), text.data).data;
    return STATUS_OK;
}

static status read_tls(struct reading *r, const struct yaml_node *map)
{
    if (map == NULL)
        return STATUS_OK;
    const struct yaml_node *certificate, *key, *ca;
    TRY(yaml_map_keys(r->cx, map, KEYS("certificate", "key", "clients_ca", "client_certificate", "client_key")));
    TRY(yaml_need(r->cx, map, "certificate", &certificate));
    TRY(yaml_need(r->cx, map, "key", &key));
    TRY(yaml_need(r->cx, map, "clients_ca", &ca));
    TRY(read_path(r, certificate, &r->out->certificate));
    TRY(read_path(r, key, &r->out->key));
    TRY(read_path(r, yaml_get(map, "client_certificate"), &r->out->client_certificate));
    TRY(read_path(r, yaml_get(map, "client_key"), &r->out->client_key));
    if ((r->out->client_certificate == NULL) != (r->out->client_key == NULL))
        return yaml_fail(r->cx, map, YAML_MISSING_KEY, "client_certificate and client_key belong together");
    return read_path(r, ca, &r->out->clients_ca);
}

static status read_address(struct reading *r, const struct yaml_node *node, const char **out)
{
    struct str address = STR_NONE;
    TRY(yaml_address(r->cx, node, &address));
    *out = address.data;
    return STATUS_OK;
}

static status read_grpc(struct reading *r, const struct yaml_node *map)
{
    if (map == NULL)
        return STATUS_OK;
    const char *listen = NULL, *plain = NULL;
    TRY(yaml_map_keys(r->cx, map, KEYS("listen", "listen_plain")));
    if (yaml_get(map, "listen"))
        TRY(read_address(r, yaml_get(map, "listen"), &listen));
    if (yaml_get(map, "listen_plain"))
        TRY(read_address(r, yaml_get(map, "listen_plain"), &plain));
    if (listen && r->out->certificate == NULL)
        return yaml_fail(r->cx, map, YAML_MISSING_KEY,
                         "grpc over TLS needs the section `tls`; idem pki init makes certificates");
    if (listen)
        r->out->grpc[r->out->grpc_count++] = (struct rpc_listen){.address = listen};
    if (plain)
        r->out->grpc[r->out->grpc_count++] = (struct rpc_listen){.address = plain, .plain = true};
    return STATUS_OK;
}

static status read_texts(struct reading *r, const struct yaml_node *node, const char *const **out_texts,
                         size_t *out_count)
{
    if (node == NULL)
        return STATUS_OK;
    struct str *texts;
    TRY(yaml_texts(r->cx, node, LISTS_MAX, &texts, out_count));
    const char **copies = arena_array(r->cx->arena, *out_count, sizeof *copies);
    for (size_t i = 0; i < *out_count; i++)
        copies[i] = texts[i].data;
    *out_texts = copies;
    return STATUS_OK;
}

static status read_source(struct reading *r, const struct yaml_node *map, struct mllp_source_options *out,
                          bool *out_tls)
{
    const struct yaml_node *source, *listen;
    struct str name;
    TRY(yaml_map_keys(r->cx, map, KEYS("source", "listen", "tls", "allow_plain", "peers", "connections_max")));
    TRY(yaml_need(r->cx, map, "source", &source));
    TRY(yaml_text(r->cx, source, &name));
    if (name.len == 0 || name.len >= LIMIT_NAME_BYTES)
        return yaml_fail(r->cx, source, YAML_BAD_VALUE, "a source name has 1 to %d bytes", LIMIT_NAME_BYTES - 1);
    out->source = name.data;
    TRY(yaml_need(r->cx, map, "listen", &listen));
    TRY(read_address(r, listen, &out->listen));
    TRY(yaml_bool(r->cx, yaml_get(map, "tls"), out_tls));
    TRY(yaml_bool(r->cx, yaml_get(map, "allow_plain"), &out->allow_plain));
    int64_t connections = 0;
    TRY(yaml_integer(r->cx, yaml_get(map, "connections_max"), 1, LIMIT_MLLP_CONNECTIONS, &connections));
    out->connections_max = (size_t)connections;
    if (*out_tls && r->out->certificate == NULL)
        return yaml_fail(r->cx, map, YAML_MISSING_KEY,
                         "tls: true needs the section `tls`; idem pki init makes certificates");
    return read_texts(r, yaml_get(map, "peers"), &out->peers, &out->peer_count);
}

static status read_mllp(struct reading *r, const struct yaml_node *list)
{
    if (list == NULL)
        return STATUS_OK;
    TRY(yaml_list(r->cx, list, LISTS_MAX));
    r->out->mllp = arena_array(r->cx->arena, list->count, sizeof *r->out->mllp);
    r->out->mllp_tls = arena_array(r->cx->arena, list->count, sizeof *r->out->mllp_tls);
    for (const struct yaml_node *node = list->first; node; node = node->next, r->out->mllp_count++)
        TRY(read_source(r, node, &r->out->mllp[r->out->mllp_count], &r->out->mllp_tls[r->out->mllp_count]));
    return STATUS_OK;
}

static status read_role_names(struct reading *r, const struct yaml_node *node, uint32_t *out_roles)
{
    struct str *names;
    size_t count;
    TRY(yaml_texts(r->cx, node, LISTS_MAX, &names, &count));
    uint32_t roles = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t role = rpc_role_from_name(names[i]);
        if (role == 0)
            return yaml_fail(r->cx, node, YAML_BAD_VALUE,
                             "no role is called `%s`; there are reader, sender, steward, terminologist, operator",
                             names[i].data);
        roles |= role;
    }
    *out_roles = roles;
    return STATUS_OK;
}

static status read_role(struct reading *r, const struct yaml_node *map, struct rpc_principal *out)
{
    const struct yaml_node *principal, *roles;
    struct str name;
    TRY(yaml_map_keys(r->cx, map, KEYS("principal", "roles", "sources")));
    TRY(yaml_need(r->cx, map, "principal", &principal));
    TRY(yaml_text(r->cx, principal, &name));
    TRY(yaml_need(r->cx, map, "roles", &roles));
    TRY(read_role_names(r, roles, &out->roles));
    out->name = name.data;
    return read_texts(r, yaml_get(map, "sources"), &out->sources, &out->source_count);
}

static status read_roles(struct reading *r, const struct yaml_node *list)
{
    if (list == NULL)
        return STATUS_OK;
    TRY(yaml_list(r->cx, list, LISTS_MAX));
    r->out->principals = arena_array(r->cx->arena, list->count, sizeof *r->out->principals);
    for (const struct yaml_node *node = list->first; node; node = node->next)
        TRY(read_role(r, node, &r->out->principals[r->out->principal_count++]));
    return STATUS_OK;
}

static status read_journal(struct reading *r, const struct yaml_node *map)
{
    if (map == NULL)
        return STATUS_OK;
    TRY(yaml_map_keys(r->cx, map, KEYS("keep", "segment")));
    TRY(yaml_duration(r->cx, yaml_get(map, "keep"), HOUR_US, 100 * 365 * 24 * HOUR_US, &r->out->journal_keep_us));
    return yaml_size(r->cx, yaml_get(map, "segment"), 64 * 1024, 1024 * 1024 * 1024, &r->out->journal_segment_bytes);
}

static status read_store(struct reading *r, const struct yaml_node *map)
{
    if (map == NULL)
        return STATUS_OK;
    TRY(yaml_map_keys(r->cx, map, KEYS("cache")));
    return yaml_size(r->cx, yaml_get(map, "cache"), CACHE_BYTES_MIN, CACHE_BYTES_MAX, &r->out->store_cache_bytes);
}

static status read_models(struct reading *r, const struct yaml_node *map)
{
    const struct yaml_node *propose;
    if (map == NULL)
        return STATUS_OK;
    TRY(yaml_map_keys(r->cx, map, KEYS("propose")));
    propose = yaml_get(map, "propose");
    struct str text = STR_NONE;
    if (propose)
        TRY(yaml_text(r->cx, propose, &text));
    if (str_is(text, "off"))
        return STATUS_OK;
    return yaml_duration(r->cx, propose, HOUR_US, 366 * 24 * HOUR_US, &r->out->propose_every_us);
}

static status read_plant(struct reading *r, const struct yaml_node *node)
{
    static const char *const plants[] = {"none", "ack-before-sync"};
    size_t chosen = 0;
    TRY(yaml_choice(r->cx, node, plants, 2, &chosen));
    r->out->plant_ack_before_sync = chosen == 1;
    return STATUS_OK;
}

static status read_all(struct reading *r, const struct yaml_node *root)
{
    const struct yaml_node *data;
    TRY(yaml_map_keys(
        r->cx, root,
        KEYS("data", "journal", "store", "models", "tls", "grpc", "mllp", "roles", "plain_roles", "test_plant")));
    TRY(yaml_need(r->cx, root, "data", &data));
    TRY(read_path(r, data, &r->out->data));
    TRY(read_journal(r, yaml_get(root, "journal")));
    TRY(read_store(r, yaml_get(root, "store")));
    TRY(read_models(r, yaml_get(root, "models")));
    TRY(read_tls(r, yaml_get(root, "tls")));
    TRY(read_grpc(r, yaml_get(root, "grpc")));
    TRY(read_mllp(r, yaml_get(root, "mllp")));
    TRY(read_roles(r, yaml_get(root, "roles")));
    if (yaml_get(root, "plain_roles"))
        TRY(read_role_names(r, yaml_get(root, "plain_roles"), &r->out->plain_roles));
    return read_plant(r, yaml_get(root, "test_plant"));
}

status config_load(struct ctx *cx, const char *path, struct config *out_config)
{
    struct buf text = {0};
    status got = file_read(cx, path, CONFIG_BYTES_MAX, &text);
    struct str kept = arena_str(cx->arena, buf_str(&text));
    buf_fini(&text);
    TRY(got);
    const struct yaml_node *root;
    TRY(yaml_parse(cx, kept, &root));
    const char *slash = strrchr(path, '/');
    struct config config = {0};
    struct reading reading = {cx, slash ? str_make(path, (size_t)(slash - path)) : STR("."), &config};
    TRY(read_all(&reading, root));
    *out_config = config;
    return STATUS_OK;
}
