/*
 * Routes as text: which messages go where, what their local codes mean, and how each destination is reached.
 *
 *   sources:       [ { name, line_ends, charset } ]
 *   destinations:  [ { name, mllp: {connect, tls, server_name} | file: {folder},
 *                      retry: {first, most, give_up_after}, answer_timeout } ]
 *   routes:        [ { name, when: {source, type}, person_id: {authority, type}, local_system: {…},
 *                      codes: [ {path, to} ], to } ]
 *
 * Strict: an unknown key, a destination that nobody defined, a bad path are errors with line, column and a suggestion
 * (yaml.* and engine.routes-bad). The full description with every key: docs/routes.md.
 *
 * Threads: immutable and counted; routes_ref/unref from any thread.
 */
#pragma once

#include "base/ctx.h"
#include "hl7v2/index.h"

enum { ROUTE_TARGETS_MAX = 8 };

enum route_destination_kind { ROUTE_MLLP, ROUTE_FILE };

struct route_destination {
    struct str name; /* NUL-ended, as all texts here */
    enum route_destination_kind kind;
    struct str connect, server_name; /* MLLP */
    bool tls;
    struct str folder; /* file */
    int64_t retry_first_us, retry_most_us, answer_timeout_us;
    uint32_t give_up_after; /* attempts that reached it without success before the dead letter; 0 = never */
};

struct route_codes {
    struct hl7_path path; /* repetition and segment may be "*" */
    struct str path_text;
    struct str targets[ROUTE_TARGETS_MAX]; /* code systems, in order of preference */
    size_t target_count;
};

struct route_local_system {
    struct str seen; /* CWE-3 as sent; empty = none given */
    struct str system;
};

struct route {
    struct str name;
    struct str *sources; /* none = any */
    size_t source_count;
    struct str *types; /* "ADT" or "ADT^A01"; none = any */
    size_t type_count;
    struct str person_authority, person_type; /* empty authority: no PID-3 repetition is added */
    struct route_local_system *local_systems;
    size_t local_system_count;
    struct route_codes *codes;
    size_t codes_count;
    size_t *to; /* indexes into destinations */
    size_t to_count;
    size_t like; /* the first route that changes messages in the same way: its own index when none before it does */
};

/* How to read what a source sends; sources without a row are read leniently. */
struct route_source {
    struct str name;
    bool strict_line_ends; /* only CR ends a segment */
    enum charset charset;  /* when MSH-18 is empty; CHARSET_NONE = ASCII, or UTF-8 where the bytes are that */
};

struct routes {
    struct arena arena;
    unsigned refs;
    struct str text, version; /* version: first 12 hex digits of the SHA-256 of the text */
    uint64_t seq;             /* entry that applied it; 0 = none yet */
    struct route_source *sources;
    size_t source_count;
    struct route_destination *destinations;
    size_t destination_count;
    struct route *routes;
    size_t route_count;
};

status routes_parse(struct ctx *cx, struct str text, uint64_t seq, struct routes **out_routes);
struct routes *routes_ref(struct routes *routes);
void routes_unref(struct routes *routes); /* NULL is fine */

/* How messages of this source are read. */
struct hl7_input routes_input(const struct routes *routes, struct str source);

/* Does the route change what it passes on? If not, its destinations get the bytes as received. */
bool route_changes(const struct route *route);

/* Does the route take a message of this source and type (MSH-9.1, MSH-9.2)? */
bool route_takes(const struct route *route, struct str source, struct str type, struct str trigger);
