#include "base/net.h"
#include "base/yaml/yaml.h"

#include <inttypes.h>
#include <stdio.h>

enum { SHOWN_MAX = 48 };

/* What people wrote, short and printable: it goes to terminals and into answers. */
struct shown {
    char text[SHOWN_MAX + 8];
};

static struct shown show(struct str s)
{
    struct shown shown;
    size_t len = s.len < SHOWN_MAX ? s.len : SHOWN_MAX;
    size_t put = 0;
    for (size_t i = 0; i < len; i++)
        shown.text[put++] = s.data[i] >= ' ' && s.data[i] < 127 ? s.data[i] : '?';
    if (s.len > len) {
        memcpy(shown.text + put, "...", 3);
        put += 3;
    }
    shown.text[put] = 0;
    return shown;
}

static const char *kind_text(enum yaml_kind kind)
{
    return kind == YAML_TEXT ? "a text" : kind == YAML_LIST ? "a list" : "a map";
}

static status need_kind(struct ctx *cx, const struct yaml_node *node, enum yaml_kind kind)
{
    if (node->kind == kind)
        return STATUS_OK;
    if (node->kind == YAML_TEXT && node->text.len == 0)
        return yaml_fail(cx, node, YAML_WRONG_KIND, "%s is needed, here is nothing", kind_text(kind));
    return yaml_fail(cx, node, YAML_WRONG_KIND, "%s is needed, here is %s", kind_text(kind), kind_text(node->kind));
}

status yaml_map_keys(struct ctx *cx, const struct yaml_node *node, const char *const *allowed, size_t allowed_count)
{
    TRY(need_kind(cx, node, YAML_MAP));
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        bool known = false;
        for (size_t i = 0; i < allowed_count && !known; i++)
            known = str_is(child->key, allowed[i]);
        if (known)
            continue;
        const char *near = str_nearest(child->key, allowed, allowed_count);
        if (near)
            return yaml_fail_key(cx, child, YAML_UNKNOWN_KEY, "unknown key `%s`; did you mean `%s`?",
                                 show(child->key).text, near);
        return yaml_fail_key(cx, child, YAML_UNKNOWN_KEY, "unknown key `%s`", show(child->key).text);
    }
    return STATUS_OK;
}

status yaml_list(struct ctx *cx, const struct yaml_node *node, size_t items_max)
{
    TRY(need_kind(cx, node, YAML_LIST));
    if (node->count > items_max)
        return yaml_fail(cx, node, YAML_TOO_LARGE, "%zu items, at most %zu are taken", node->count, items_max);
    return STATUS_OK;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (map == NULL || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *child = map->first; child; child = child->next)
        if (str_is(child->key, key))
            return child;
    return NULL;
}

status yaml_need(struct ctx *cx, const struct yaml_node *map, const char *key, const struct yaml_node **out_node)
{
    TRY(need_kind(cx, map, YAML_MAP));
    const struct yaml_node *found = yaml_get(map, key);
    if (found == NULL)
        return yaml_fail(cx, map, YAML_MISSING_KEY, "the key `%s` is missing", key);
    *out_node = found;
    return STATUS_OK;
}

status yaml_text(struct ctx *cx, const struct yaml_node *node, struct str *out_text)
{
    if (node == NULL)
        return STATUS_OK;
    TRY(need_kind(cx, node, YAML_TEXT));
    if (node->text.len == 0 && !node->quoted)
        return yaml_fail(cx, node, YAML_WRONG_KIND, "a text is needed, here is nothing");
    *out_text = node->text;
    return STATUS_OK;
}

status yaml_bool(struct ctx *cx, const struct yaml_node *node, bool *out_value)
{
    if (node == NULL)
        return STATUS_OK;
    struct str text = STR_NONE;
    TRY(yaml_text(cx, node, &text));
    bool yes = str_is(text, "true");
    if (!yes && !str_is(text, "false"))
        return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is neither true nor false", show(text).text);
    *out_value = yes;
    return STATUS_OK;
}

static status number_bad(struct ctx *cx, const struct yaml_node *node, struct str text)
{
    return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is not a whole decimal number", show(text).text);
}

status yaml_integer(struct ctx *cx, const struct yaml_node *node, int64_t min, int64_t max, int64_t *out_value)
{
    if (node == NULL)
        return STATUS_OK;
    struct str text = STR_NONE;
    TRY(yaml_text(cx, node, &text));
    bool negative = text.len > 0 && text.data[0] == '-';
    struct str digits = str_from_at(text, negative);
    uint64_t magnitude;
    if (!str_to_u64(digits, &magnitude) ||
        (digits.len > 1 && digits.data[0] == '0')) /* 0755 is no number: octal or not? */
        return number_bad(cx, node, text);
    if (magnitude > INT64_MAX)
        return number_bad(cx, node, text);
    int64_t value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    if (value < min || value > max)
        return yaml_fail(cx, node, YAML_BAD_VALUE, "%" PRId64 " is outside %" PRId64 "..%" PRId64, value, min, max);
    *out_value = value;
    return STATUS_OK;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* digits and a unit; false when it is not like that or overflows. An empty unit name means "no unit". */
static bool read_unit(struct str text, const struct unit *units, size_t unit_count, uint64_t *out_value)
{
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    uint64_t number;
    if (!str_to_u64(str_sub(text, 0, digits), &number))
        return false;
    struct str unit = str_from_at(text, digits);
    for (size_t i = 0; i < unit_count; i++) {
        if (!str_is(unit, units[i].name))
            continue;
        return !__builtin_mul_overflow(number, units[i].factor, out_value);
    }
    return false;
}

status yaml_duration(struct ctx *cx, const struct yaml_node *node, int64_t min_us, int64_t max_us, int64_t *out_us)
{
    static const struct unit units[] = {{"ms", 1000},
                                        {"s", 1000 * 1000},
                                        {"m", 60ull * 1000 * 1000},
                                        {"h", 3600ull * 1000 * 1000},
                                        {"d", 86400ull * 1000 * 1000}};
    if (node == NULL)
        return STATUS_OK;
    struct str text = STR_NONE;
    TRY(yaml_text(cx, node, &text));
    uint64_t us = 0;
    if (!str_is(text, "0") && !read_unit(text, units, sizeof units / sizeof units[0], &us))
        return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is no duration such as 250ms, 5s, 2m, 1h or 7d",
                         show(text).text);
    if (us > INT64_MAX || (int64_t)us < min_us || (int64_t)us > max_us)
        return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is outside %" PRId64 "..%" PRId64 " ms", show(text).text,
                         min_us / 1000, max_us / 1000);
    *out_us = (int64_t)us;
    return STATUS_OK;
}

status yaml_size(struct ctx *cx, const struct yaml_node *node, uint64_t min, uint64_t max, uint64_t *out_bytes)
{
    static const struct unit units[] = {{"", 1}, {"KiB", 1ull << 10}, {"MiB", 1ull << 20}, {"GiB", 1ull << 30}};
    if (node == NULL)
        return STATUS_OK;
    struct str text = STR_NONE;
    TRY(yaml_text(cx, node, &text));
    uint64_t bytes = 0;
    if (!read_unit(text, units, sizeof units / sizeof units[0], &bytes))
        return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is no size such as 4096, 64KiB, 64MiB or 2GiB",
                         show(text).text);
    if (bytes < min || bytes > max)
        return yaml_fail(cx, node, YAML_BAD_VALUE, "%" PRIu64 " bytes are outside %" PRIu64 "..%" PRIu64, bytes, min,
                         max);
    *out_bytes = bytes;
    return STATUS_OK;
}

status yaml_choice(struct ctx *cx, const struct yaml_node *node, const char *const *words, size_t word_count,
                   size_t *out_index)
{
    if (node == NULL)
        return STATUS_OK;
    struct str text = STR_NONE;
    TRY(yaml_text(cx, node, &text));
    for (size_t i = 0; i < word_count; i++) {
        if (str_is(text, words[i])) {
            *out_index = i;
            return STATUS_OK;
        }
    }
    const char *near = str_nearest(text, words, word_count);
    if (near)
        return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is not known; did you mean `%s`?", show(text).text, near);
    struct str list = STR_NONE;
    for (size_t i = 0; i < word_count && i < 12; i++)
        list = arena_printf(cx->arena, "%.*s%s%s", STR_ARGS(list), i ? ", " : "", words[i]);
    return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is not one of %.*s", show(text).text, STR_ARGS(list));
}

status yaml_texts(struct ctx *cx, const struct yaml_node *node, size_t texts_max, struct str **out_texts,
                  size_t *out_count)
{
    if (node == NULL)
        return STATUS_OK;
    TRY(yaml_list(cx, node, texts_max));
    struct str *texts = arena_array(cx->arena, node->count ? node->count : 1, sizeof *texts);
    size_t count = 0;
    for (const struct yaml_node *item = node->first; item; item = item->next)
        TRY(yaml_text(cx, item, &texts[count++]));
    *out_texts = texts;
    *out_count = count;
    return STATUS_OK;
}

status yaml_address(struct ctx *cx, const struct yaml_node *node, struct str *out_address)
{
    if (node == NULL)
        return STATUS_OK;
    struct str text = STR_NONE;
    TRY(yaml_text(cx, node, &text));
    struct net_address address;
    if (!net_address_read(text, &address))
        return yaml_fail(cx, node, YAML_BAD_VALUE, "`%s` is no address such as 127.0.0.1:2575, [::1]:2575 or host:2575",
                         show(text).text);
    *out_address = text;
    return STATUS_OK;
}
