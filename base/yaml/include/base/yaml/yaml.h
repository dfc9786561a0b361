/*
 * A strict reader for the YAML that people write for us: routes and configuration.
 *
 * A small subset on purpose: maps with text keys, lists, texts. No anchors, aliases, tags, directives, or second
 * documents; a key may occur once. Nothing is guessed from how a text looks: `no`, `0755`, `1e3` and `12:30` are texts
 * until a getter below is asked to read them as something, and then only the forms named there are taken.
 *
 * Every refusal names its place: "line 7, column 3: unknown key `destinatons`; did you mean `destinations`?".
 *
 * Memory:  the tree and its texts live in cx->arena; texts are NUL-ended there, UTF-8, without NUL inside.
 * Threads: the tree is immutable.
 * Source:  [YAML 1.1] as libyaml reads it.
 */
#pragma once

#include "base/ctx.h"

enum {
    YAML_BYTES_MAX = 1024 * 1024,
    YAML_DEPTH_MAX = 24,
    YAML_NODES_MAX = 50 * 1000,
    YAML_MAP_KEYS_MAX = 1000, /* keys of one map */
    YAML_KEY_BYTES_MAX = 256,
};

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    uint32_t line, column;         /* 1-based, of the value */
    struct str key;                /* of a map's child; empty for list items and the root */
    uint32_t key_line, key_column; /* 1-based */
    struct str text;               /* YAML_TEXT */
    bool quoted;                   /* YAML_TEXT in quotes or as a block: an empty one was meant */
    size_t count;                  /* children */
    const struct yaml_node *first; /* children in the order of the text: for (n = map->first; n; n = n->next) */
    const struct yaml_node *next;
};

enum yaml_reason {
    YAML_SYNTAX,        /* yaml.syntax: not YAML */
    YAML_REFUSED,       /* yaml.refused: YAML that we do not take (anchor, tag, second document, …) */
    YAML_TOO_LARGE,     /* yaml.too-large */
    YAML_DUPLICATE_KEY, /* yaml.duplicate-key */
    YAML_UNKNOWN_KEY,   /* yaml.unknown-key */
    YAML_MISSING_KEY,   /* yaml.missing-key */
    YAML_WRONG_KIND,    /* yaml.wrong-kind: a list where a map belongs, … */
    YAML_BAD_VALUE,     /* yaml.bad-value */
    YAML_REASON_COUNT
};
extern const struct reason yaml_reasons[YAML_REASON_COUNT]; /* all STATUS_INVALID_ARGUMENT, HL7 207 */

/* Reads a whole text. An empty text answers an empty map. */
status yaml_parse(struct ctx *cx, struct str text, const struct yaml_node **out_root);

/* A refusal at the place of `node`, for checks of the caller's own; yaml_fail_key() at the place of its key. */
status yaml_fail(struct ctx *cx, const struct yaml_node *node, enum yaml_reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
status yaml_fail_key(struct ctx *cx, const struct yaml_node *node, enum yaml_reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* `node` must be a map whose keys are all among `allowed`. */
status yaml_map_keys(struct ctx *cx, const struct yaml_node *node, const char *const *allowed, size_t allowed_count);
/* `node` must be a list of at most `items_max`. */
status yaml_list(struct ctx *cx, const struct yaml_node *node, size_t items_max);

/* The value under `key`, or NULL when absent (or `map` is NULL). */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The same, refusing absence. */
status yaml_need(struct ctx *cx, const struct yaml_node *map, const char *key, const struct yaml_node **out_node);

/*
 * Getters. A NULL node (absent) is fine and leaves *out as it is, so a default stands:
 *
 *   int64_t idle_us = 3600 * 1000000ll;
 *   TRY(yaml_duration(cx, yaml_get(map, "idle"), 1000, DAY_US, &idle_us));
 *
 * A key without a value is refused; "" in quotes is an empty text.
 */
status yaml_text(struct ctx *cx, const struct yaml_node *node, struct str *out_text);
status yaml_bool(struct ctx *cx, const struct yaml_node *node, bool *out_value); /* true or false, nothing else */
status yaml_integer(struct ctx *cx, const struct yaml_node *node, int64_t min, int64_t max,
                    int64_t *out_value); /* decimal */
/* "250ms" "5s" "2m" "1h" "7d", in microseconds; a unit is needed, except for 0. */
status yaml_duration(struct ctx *cx, const struct yaml_node *node, int64_t min_us, int64_t max_us, int64_t *out_us);
/* "4096" "64KiB" "64MiB" "2GiB", in bytes. */
status yaml_size(struct ctx *cx, const struct yaml_node *node, uint64_t min, uint64_t max, uint64_t *out_bytes);
/* The index of the text among `words`. */
status yaml_choice(struct ctx *cx, const struct yaml_node *node, const char *const *words, size_t word_count,
                   size_t *out_index);
/* A list of texts, in cx->arena. */
status yaml_texts(struct ctx *cx, const struct yaml_node *node, size_t texts_max, struct str **out_texts,
                  size_t *out_count);
/* "127.0.0.1:2575", "[::1]:2575", "host.example:2575"; port 0..65535. Answers the text as it stands. */
status yaml_address(struct ctx *cx, const struct yaml_node *node, struct str *out_address);
