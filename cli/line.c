#include "line.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/yaml/yaml.h"

#include <stdlib.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 64 * 1024 };

struct cli_line {
    struct rpc_client *client;
};

/* What one layer says only counts where the layers before said nothing. */
static void fill(struct cli_target *target, const struct cli_target *from)
{
    if (!target->address)
        target->address = from->address;
    if (!target->ca)
        target->ca = from->ca;
    /* a certificate and its key belong together: never one from here and one from there */
    if (!target->cert && !target->key) {
        target->cert = from->cert;
        target->key = from->key;
    }
    target->plain |= from->plain;
    if (!target->timeout_ms)
        target->timeout_ms = from->timeout_ms;
}

static status take_text(struct ctx *cx, const struct yaml_node *map, const char *key, const char **out_text)
{
    struct str text = STR_NONE;
    TRY(yaml_text(cx, yaml_get(map, key), &text));
    *out_text = text.len ? arena_str(cx->arena, text).data : NULL;
    return STATUS_OK;
}

/* A path in a file is relative to the file, so that a folder with its certificates can be moved. */
static status take_path(struct ctx *cx, const struct yaml_node *map, const char *key, const char *file,
                        const char **out_path)
{
    const char *path = NULL;
    TRY(take_text(cx, map, key, &path));
    const char *slash = strrchr(file, '/');
    if (path && path[0] != '/' && slash)
        path = arena_printf(cx->arena, "%.*s/%s", (int)(slash - file), file, path).data;
    *out_path = path;
    return STATUS_OK;
}

static status read_file(struct ctx *cx, const char *path, struct cli_target *out_target)
{
    static const char *const keys[] = {"address", "ca", "cert", "key", "plain", "timeout"};
    SCOPED(buf_fini) struct buf text = {0};
    TRY(file_read(cx, path, FILE_BYTES_MAX, &text));
    const struct yaml_node *root;
    struct cli_target found = {0};
    int64_t timeout_us = 0;
    TRY(yaml_parse(cx, buf_str(&text), &root));
    TRY(yaml_map_keys(cx, root, keys, sizeof keys / sizeof keys[0]));
    TRY(take_text(cx, root, "address", &found.address));
    TRY(take_path(cx, root, "ca", path, &found.ca));
    TRY(take_path(cx, root, "cert", path, &found.cert));
    TRY(take_path(cx, root, "key", path, &found.key));
    TRY(yaml_bool(cx, yaml_get(root, "plain"), &found.plain));
    TRY(yaml_duration(cx, yaml_get(root, "timeout"), 1000, INT64_C(86400) * 1000000, &timeout_us));
    found.timeout_ms = timeout_us / 1000;
    *out_target = found;
    return STATUS_OK;
}

/* The reader names line and column; people also need the file. */
static status fill_from_file(struct ctx *cx, const char *path, struct cli_target *target)
{
    struct cli_target found;
    status got = read_file(cx, path, &found);
    if (got == STATUS_OK)
        fill(target, &found);
    else
        cx->detail = arena_printf(cx->arena, "%s: %.*s", path, STR_ARGS(cx->detail));
    return got;
}

static status fill_from_home(struct cli_run *run, struct cli_target *target)
{
    const char *home = cli_text(run, "home");
    if (home)
        return fill_from_file(run->cx, arena_printf(run->cx->arena, "%s/client.yaml", home).data, target);
    if (access("./.idem.yaml", R_OK) == 0)
        TRY(fill_from_file(run->cx, "./.idem.yaml", target));
    const char *user = getenv("HOME");
    if (!user)
        return STATUS_OK;
    struct str path = arena_printf(run->cx->arena, "%s/.config/idem/cli.yaml", user);
    return access(path.data, R_OK) == 0 ? fill_from_file(run->cx, path.data, target) : STATUS_OK;
}

status cli_target_find(struct cli_run *run, struct cli_target *out_target)
{
    struct cli_target target = {
        .address = cli_text(run, "address"),
        .ca = cli_text(run, "ca"),
        .cert = cli_text(run, "cert"),
        .key = cli_text(run, "key"),
        .plain = cli_flag(run, "plain"),
        .timeout_ms = (int64_t)cli_number(run, "timeout") * 1000,
    };
    struct cli_target from_environment = {
        .address = getenv("IDEM_ADDRESS"),
        .ca = getenv("IDEM_CA"),
        .cert = getenv("IDEM_CERT"),
        .key = getenv("IDEM_KEY"),
    };
    fill(&target, &from_environment);
    TRY(fill_from_home(run, &target));
    fill(&target, &(struct cli_target){.address = "127.0.0.1:7443", .timeout_ms = 10000});
    *out_target = target;
    return STATUS_OK;
}

status cli_connect(struct ctx *cx, const struct cli_target *target, struct rpc_client **out_client)
{
    struct rpc_client_options options = {
        .address = target->address,
        .ca_file = target->ca,
        .cert_file = target->cert,
        .key_file = target->key,
        .plain = target->plain,
        .timeout_us = target->timeout_ms * 1000,
    };
    return rpc_client_connect(cx, &options, out_client);
}

status cli_line_client(struct cli_run *run, struct rpc_client **out_client)
{
    if (!run->line) {
        struct cli_target target;
        struct rpc_client *client;
        TRY(cli_target_find(run, &target));
        TRY(cli_connect(run->cx, &target, &client));
        run->line = mem_alloc(sizeof *run->line);
        run->line->client = client;
    }
    *out_client = run->line->client;
    return STATUS_OK;
}

status cli_call(struct cli_run *run, const char *method, const ProtobufCMessage *request,
                const ProtobufCMessageDescriptor *reply_type, void **out_reply)
{
    struct rpc_client *client;
    TRY(cli_line_client(run, &client));
    static const int64_t long_us = INT64_C(3600) * 1000 * 1000;
    bool is_long = run->parsed->command && run->parsed->command->takes_long && !cli_number(run, "timeout");
    return rpc_client_call(client, run->cx, method, request, reply_type, is_long ? long_us : 0, out_reply);
}

void cli_copy_failure(struct ctx *to, const struct ctx *from, status got)
{
    struct reason *kept = arena_alloc(to->arena, sizeof *kept);
    *kept = from->reason ? *from->reason : (struct reason){"cli.failed", got, 207, status_text(got)};
    kept->name = arena_str(to->arena, str_from(kept->name)).data;
    kept->text = arena_str(to->arena, str_from(kept->text)).data;
    to->reason = kept;
    to->detail = from->reason ? arena_str(to->arena, from->detail) : STR_NONE;
}

void cli_line_close(struct cli_line *line)
{
    if (!line)
        return;
    rpc_client_close(line->client);
    mem_free(line);
}
