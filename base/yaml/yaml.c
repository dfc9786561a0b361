#include "base/yaml/yaml.h"
#include "base/invariant.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#define YAML_ROW(name, text)                                                                                           \
    {                                                                                                                  \
        name, STATUS_INVALID_ARGUMENT, 207, text                                                                       \
    }
const struct reason yaml_reasons[YAML_REASON_COUNT] = {
    [YAML_SYNTAX] = YAML_ROW("yaml.syntax", "not YAML"),
    [YAML_REFUSED] = YAML_ROW("yaml.refused", "a part of YAML that is not taken here"),
    [YAML_TOO_LARGE] = YAML_ROW("yaml.too-large", "the text is too large"),
    [YAML_DUPLICATE_KEY] = YAML_ROW("yaml.duplicate-key", "a key occurs twice"),
    [YAML_UNKNOWN_KEY] = YAML_ROW("yaml.unknown-key", "a key is not known"),
    [YAML_MISSING_KEY] = YAML_ROW("yaml.missing-key", "a key is missing"),
    [YAML_WRONG_KIND] = YAML_ROW("yaml.wrong-kind", "a value is of the wrong kind"),
    [YAML_BAD_VALUE] = YAML_ROW("yaml.bad-value", "a value cannot be used"),
};

__attribute__((format(printf, 5, 0))) static status fail_at(struct ctx *cx, uint32_t line, uint32_t column,
                                                            enum yaml_reason reason, const char *format, va_list args)
{
    char text[400];
    vsnprintf(text, sizeof text, format, args);
    return ctx_fail(cx, &yaml_reasons[reason], "line %u, column %u: %s", line, column, text);
}

status yaml_fail(struct ctx *cx, const struct yaml_node *node, enum yaml_reason reason, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    status failed = fail_at(cx, node->line, node->column, reason, format, args);
    va_end(args);
    return failed;
}

status yaml_fail_key(struct ctx *cx, const struct yaml_node *node, enum yaml_reason reason, const char *format, ...)
{
    bool keyed = node->key_line > 0;
    va_list args;
    va_start(args, format);
    status failed =
        fail_at(cx, keyed ? node->key_line : node->line, keyed ? node->key_column : node->column, reason, format, args);
    va_end(args);
    return failed;
}

/* ---- events to tree ---- */

struct level {
    struct yaml_node *node;
    struct yaml_node *last; /* child added last */
    struct yaml_node *key;  /* a map's key that waits for its value */
};

struct reader {
    struct ctx *cx;
    struct level levels[YAML_DEPTH_MAX];
    size_t depth;
    size_t nodes;
    struct yaml_node *root;
    bool ended; /* the one document is over */
};

static status fail_mark(struct ctx *cx, yaml_mark_t mark, enum yaml_reason reason, const char *what)
{
    return ctx_fail(cx, &yaml_reasons[reason], "line %zu, column %zu: %s", mark.line + 1, mark.column + 1, what);
}

static status new_node(struct reader *r, const yaml_event_t *event, enum yaml_kind kind, struct yaml_node **out_node)
{
    if (++r->nodes > YAML_NODES_MAX)
        return fail_mark(r->cx, event->start_mark, YAML_TOO_LARGE, "too many values");
    struct yaml_node *node = arena_alloc(r->cx->arena, sizeof *node);
    node->kind = kind;
    node->line = (uint32_t)event->start_mark.line + 1;
    node->column = (uint32_t)event->start_mark.column + 1;
    *out_node = node;
    return STATUS_OK;
}

static status take_key(struct reader *r, struct level *level, struct yaml_node *key)
{
    if (key->kind != YAML_TEXT)
        return yaml_fail(r->cx, key, YAML_REFUSED, "a key must be a plain text");
    if (key->text.len > YAML_KEY_BYTES_MAX) /* an empty one is fine: "" names the system of a code that has none */
        return yaml_fail(r->cx, key, YAML_REFUSED, "a key has at most %d bytes", YAML_KEY_BYTES_MAX);
    if (level->node->count >= YAML_MAP_KEYS_MAX)
        return yaml_fail(r->cx, key, YAML_TOO_LARGE, "more than %d keys in one map", YAML_MAP_KEYS_MAX);
    for (const struct yaml_node *other = level->node->first; other; other = other->next)
        if (str_eq(other->key, key->text))
            return yaml_fail(r->cx, key, YAML_DUPLICATE_KEY, "the key stands already in line %u", other->key_line);
    level->key = key;
    return STATUS_OK;
}

/* Hang a finished or just opened node where it belongs. */
static status add_node(struct reader *r, struct yaml_node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return STATUS_OK;
    }
    struct level *level = &r->levels[r->depth - 1];
    if (level->node->kind == YAML_MAP && level->key == NULL)
        return take_key(r, level, node);
    if (level->key) {
        node->key = level->key->text;
        node->key_line = level->key->line;
        node->key_column = level->key->column;
        level->key = NULL;
    }
    if (level->last)
        level->last->next = node;
    else
        level->node->first = node;
    level->last = node;
    level->node->count++;
    return STATUS_OK;
}

static status on_open(struct reader *r, const yaml_event_t *event, enum yaml_kind kind)
{
    bool tagged = kind == YAML_MAP ? event->data.mapping_start.tag != NULL : event->data.sequence_start.tag != NULL;
    bool anchored =
        kind == YAML_MAP ? event->data.mapping_start.anchor != NULL : event->data.sequence_start.anchor != NULL;
    if (tagged || anchored)
        return fail_mark(r->cx, event->start_mark, YAML_REFUSED, "anchors and tags are not taken");
    if (r->depth == YAML_DEPTH_MAX)
        return fail_mark(r->cx, event->start_mark, YAML_TOO_LARGE, "nested too deeply");
    struct yaml_node *node;
    TRY(new_node(r, event, kind, &node));
    TRY(add_node(r, node));
    r->levels[r->depth++] = (struct level){.node = node};
    return STATUS_OK;
}

static status on_text(struct reader *r, const yaml_event_t *event)
{
    if (event->data.scalar.tag || event->data.scalar.anchor)
        return fail_mark(r->cx, event->start_mark, YAML_REFUSED, "anchors and tags are not taken");
    struct str text = str_make(event->data.scalar.value, event->data.scalar.length);
    if (str_find(text, 0) >= 0) /* texts are used as C strings too: a NUL would cut them unseen */
        return fail_mark(r->cx, event->start_mark, YAML_REFUSED, "a NUL in a text");
    struct yaml_node *node;
    TRY(new_node(r, event, YAML_TEXT, &node));
    node->text = arena_str(r->cx->arena, text);
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return add_node(r, node);
}

static status on_document(struct reader *r, const yaml_event_t *event)
{
    if (r->ended)
        return fail_mark(r->cx, event->start_mark, YAML_REFUSED, "a second document");
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
        return fail_mark(r->cx, event->start_mark, YAML_REFUSED, "directives are not taken");
    return STATUS_OK;
}

static status on_event(struct reader *r, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(r, event);
    case YAML_DOCUMENT_END_EVENT:
        r->ended = true;
        return STATUS_OK;
    case YAML_ALIAS_EVENT:
        return fail_mark(r->cx, event->start_mark, YAML_REFUSED, "aliases are not taken");
    case YAML_SCALAR_EVENT:
        return on_text(r, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(r, event, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return on_open(r, event, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        INVARIANT(r->depth > 0);
        r->depth--;
        return STATUS_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
        return STATUS_OK;
    }
    return STATUS_OK;
}

static status fail_parser(struct ctx *cx, const yaml_parser_t *parser)
{
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    if (parser->error == YAML_READER_ERROR) /* the only kind without a mark */
        return ctx_fail(cx, &yaml_reasons[YAML_SYNTAX], "byte %zu: %s", parser->problem_offset, problem);
    yaml_mark_t mark = parser->problem_mark;
    if (parser->context)
        return ctx_fail(cx, &yaml_reasons[YAML_SYNTAX], "line %zu, column %zu: %s, %s", mark.line + 1, mark.column + 1,
                        problem, parser->context);
    return fail_mark(cx, mark, YAML_SYNTAX, problem);
}

static status read_events(struct reader *r, yaml_parser_t *parser)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return fail_parser(r->cx, parser);
        more = event.type != YAML_STREAM_END_EVENT;
        status read = on_event(r, &event);
        yaml_event_delete(&event);
        TRY(read);
    }
    return STATUS_OK;
}

status yaml_parse(struct ctx *cx, struct str text, const struct yaml_node **out_root)
{
    if (text.len > YAML_BYTES_MAX)
        return ctx_fail(cx, &yaml_reasons[YAML_TOO_LARGE], "%zu bytes, at most %d are taken", text.len, YAML_BYTES_MAX);
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return ctx_fail(cx, &yaml_reasons[YAML_TOO_LARGE], "no memory for the parser");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING); /* else a byte order mark would choose UTF-16 */
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len ? text.data : ""), text.len);

    struct reader reader = {.cx = cx};
    status read = read_events(&reader, &parser);
    yaml_parser_delete(&parser);
    TRY(read);
    if (reader.root == NULL) {
        reader.root = arena_alloc(cx->arena, sizeof *reader.root);
        *reader.root = (struct yaml_node){.kind = YAML_MAP, .line = 1, .column = 1};
    }
    *out_root = reader.root;
    return STATUS_OK;
}
