/* idem pki: a certificate authority of one's own, for a site that has none yet. */
#include "commands.h"

#include "base/crypto/pki.h"
#include "base/file.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 16 };

static const char *in_dir(struct cli_run *run, const char *stem, const char *ending)
{
    return arena_printf(run->cx->arena, "%s/%s.%s", cli_text(run, "dir"), stem, ending).data;
}

static enum cli_exit failed(struct cli_run *run)
{
    return cli_misused(run, "check the folder, its rights, and that `idem pki init` was run there", "%.*s",
                       STR_ARGS(ctx_message(run->cx)));
}

static enum cli_exit report(struct cli_run *run, const char *cert, const char *key)
{
    int64_t until_us = 0;
    char until[32];
    if (crypto_pki_expiry(run->cx, cert, &until_us) != STATUS_OK)
        return failed(run);
    cli_format_time(until_us, until);
    if (run->json) {
        struct json json = {.out = &run->out};
        json_object(&json, NULL);
        json_text(&json, "cert", str_from(cert));
        json_text(&json, "key", str_from(key));
        json_i64(&json, "not_after_us", until_us);
        json_end(&json);
        buf_put_byte(&run->out, '\n');
        return CLI_OK;
    }
    cli_putf(&run->show, CLI_PLAIN, "%s and %s, good until %s UTC", cert, key, until);
    cli_end_line(&run->show);
    return CLI_OK;
}

/* Replacing an authority makes every certificate it signed worthless: never by accident. */
static enum cli_exit run_init(struct cli_run *run)
{
    const char *cert = in_dir(run, "ca", "pem"), *key = in_dir(run, "ca", "key");
    if (access(key, F_OK) == 0 || access(cert, F_OK) == 0)
        return cli_misused(run, "choose another --dir, or move the files away by hand",
                           "there is an authority already: %s", cert);
    if (file_make_dirs(run->cx, cli_text(run, "dir")) != STATUS_OK ||
        crypto_pki_make_ca(run->cx, cli_text(run, "name"), cert, key) != STATUS_OK)
        return failed(run);
    enum cli_exit exit = report(run, cert, key);
    cli_say(run, "keep %s secret: who has it can issue certificates", key);
    return exit;
}

/* "a,b,c" into texts in the arena; answers how many, or NAMES_MAX + 1. */
static size_t split_names(struct cli_run *run, const char *text, const char *names[NAMES_MAX])
{
    struct str rest = str_from(text), one;
    size_t count = 0;
    while (str_split(&rest, ',', &one)) {
        if (str_trim(one).len == 0)
            continue;
        if (count == NAMES_MAX)
            return NAMES_MAX + 1;
        names[count++] = arena_str(run->cx->arena, str_trim(one)).data;
    }
    return count;
}

/* The name becomes a file name: letters, digits, dash, dot and underscore, and no way out of the folder. */
static bool is_file_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    return len > 0 && name[len] == 0 && name[0] != '.' && len <= 64;
}

static enum cli_exit run_issue(struct cli_run *run)
{
    const char *name = cli_argument(run, 0);
    const char *names[NAMES_MAX];
    bool server = cli_flag(run, "server");
    const char *said = cli_text(run, "names");
    if (!is_file_name(name))
        return cli_misused(run, "letters, digits, dash, dot and underscore, for example north-engine",
                           "\"%s\" cannot be a file name", name);
    struct crypto_pki_request request = {
        .common_name = name,
        .server = server,
        .names = names,
        .name_count = split_names(run,
                                  said     ? said
                                  : server ? "localhost,127.0.0.1,::1"
                                           : "",
                                  names),
    };
    if (request.name_count > NAMES_MAX)
        return cli_misused(run, NULL, "--names has more than %d names", (int)NAMES_MAX);
    const char *cert = in_dir(run, name, "pem"), *key = in_dir(run, name, "key");
    if (access(key, F_OK) == 0 && !cli_flag(run, "replace"))
        return cli_misused(run, "--replace makes a new key and certificate",
                           "there is a certificate of this name already: %s", cert);
    if (crypto_pki_issue(run->cx, in_dir(run, "ca", "pem"), in_dir(run, "ca", "key"), &request, cert, key) != STATUS_OK)
        return failed(run);
    return report(run, cert, key);
}

#define DIR_OPTION                                                                                                     \
    {                                                                                                                  \
        "dir", CLI_FILE, "DIR", "pki", "folder of the authority", NULL                                                 \
    }

static const struct cli_option init_options[] = {
    DIR_OPTION, {"name", CLI_TEXT, "TEXT", "idem local authority", "common name of the authority", NULL}, {0}};
static const struct cli_argument issue_arguments[] = {
    {"NAME", CLI_TEXT, false, false,
     "common name: who it is; roles are given to this name in the daemon's configuration", NULL},
    {0}};
static const struct cli_option issue_options[] = {
    DIR_OPTION,
    {"server", CLI_FLAG, NULL, NULL, "for a daemon or a receiving system; else for a client", NULL},
    {"names", CLI_TEXT, "NAME,\u2026", NULL, "host names and addresses it is for; this machine for --server", NULL},
    {"replace", CLI_FLAG, NULL, NULL, "replace an earlier certificate of this name", NULL},
    {0}};

const struct cli_command cli_pki_commands[] = {{.group = "pki",
                                                .name = "init",
                                                .options = init_options,
                                                .does = "make a certificate authority: DIR/ca.pem and DIR/ca.key",
                                                .example = "idem pki init --dir pki",
                                                .run = run_init},
                                               {.group = "pki",
                                                .name = "issue",
                                                .arguments = issue_arguments,
                                                .options = issue_options,
                                                .does = "make a key and a certificate: DIR/NAME.pem and DIR/NAME.key",
                                                .example = "idem pki issue idemd --server --dir pki",
                                                .run = run_issue},
                                               {0}};
