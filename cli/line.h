/*
 * The line to the daemon: where it is, who we are, and one call over it.
 *
 * Order of what counts: options, then IDEM_ADDRESS IDEM_CA IDEM_CERT IDEM_KEY, then DIR/client.yaml of --home, then
 * ./.idem.yaml, then ~/.config/idem/cli.yaml, then the defaults. Paths in a file are relative to that file.
 *
 * Threads: one thread.
 */
#pragma once

#include "cli/run.h"
#include "rpc/client.h"

#include "idem/admin/v1/admin.pb-c.h"
#include "idem/identity/v1/identity.pb-c.h"
#include "idem/routing/v1/routing.pb-c.h"
#include "idem/terminology/v1/terminology.pb-c.h"

struct cli_target {
    const char *address, *ca, *cert, *key; /* NULL = not said */
    bool plain;
    int64_t timeout_ms;
};
/* Errors: base.file, yaml.* with the file and the line. */
status cli_target_find(struct cli_run *run, struct cli_target *out_target);

/* A connection of its own, for a thread of its own: `cx` is that thread's. Close with rpc_client_close(). */
status cli_connect(struct ctx *cx, const struct cli_target *target, struct rpc_client **out_client);
/* The run's connection, made at the first call. */
status cli_line_client(struct cli_run *run, struct rpc_client **out_client);

/*
 * One unary call: *out_reply (a pointer to the reply's struct) is in cx->arena.
 * `method` is the full name: CLI_ADMIN("GetStatus").
 * Errors: the daemon's own reason and detail; rpc.* when it cannot be reached; base.file, yaml.* for our configuration.
 */
status cli_call(struct cli_run *run, const char *method, const ProtobufCMessage *request,
                const ProtobufCMessageDescriptor *reply_type, void **out_reply);

/* Why a call failed on another thread, into this thread's ctx: names and texts of a reason may live in the other's
 * arena. */
void cli_copy_failure(struct ctx *to, const struct ctx *from, status got);

void cli_line_close(struct cli_line *line); /* NULL is fine */

#define CLI_ADMIN(name)       "idem.admin.v1.Admin/" name
#define CLI_IDENTITY(name)    "idem.identity.v1.Identity/" name
#define CLI_ROUTING(name)     "idem.routing.v1.Routing/" name
#define CLI_TERMINOLOGY(name) "idem.terminology.v1.Terminology/" name

/* The whole reply as one JSON text, field names as in the protos. Bytes that are text are written as text, others as
 * hex. */
void cli_json_reply(struct cli_run *run, const ProtobufCMessage *reply);
/* The same as a value inside a JSON text that is being written. */
void cli_json_message(struct json *json, const char *key, const ProtobufCMessage *message);
