#include "base/json.h"
#include "base/invariant.h"

#include <inttypes.h>
#include <math.h>

static void put_quoted(struct buf *out, struct str s)
{
    buf_put_byte(out, '"');
    for (size_t i = 0; i < s.len;) {
        uint8_t c = (uint8_t)s.data[i];
        if (c == '"' || c == '\\') {
            buf_put_byte(out, '\\');
            buf_put_byte(out, c);
        } else if (c == '\n') {
            buf_put_str(out, STR("\\n"));
        } else if (c == '\r') {
            buf_put_str(out, STR("\\r"));
        } else if (c == '\t') {
            buf_put_str(out, STR("\\t"));
        } else if (c < 0x20 || c == 0x7f) {
            buf_printf(out, "\\u%04x", c);
        } else if (c < 0x80) {
            buf_put_byte(out, c);
        } else {
            size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
            struct str one = str_sub(s, i, len);
            if (one.len == len && str_is_utf8(one)) {
                buf_put_str(out, one);
                i += len;
                continue;
            }
            buf_put_str(out, STR("\xef\xbf\xbd"));
        }
        i++;
    }
    buf_put_byte(out, '"');
}

static void begin_value(struct json *json, const char *key)
{
    if (json->needs_comma)
        buf_put_byte(json->out, ',');
    if (key) {
        put_quoted(json->out, str_from(key));
        buf_put_byte(json->out, ':');
    }
    json->needs_comma = true;
}

static void open_level(struct json *json, const char *key, bool is_object)
{
    INVARIANT(json->depth < 63);
    begin_value(json, key);
    json->depth++;
    uint64_t bit = (uint64_t)1 << json->depth;
    json->open_kinds = is_object ? json->open_kinds | bit : json->open_kinds & ~bit;
    buf_put_byte(json->out, is_object ? '{' : '[');
    json->needs_comma = false;
}

void json_object(struct json *json, const char *key)
{
    open_level(json, key, true);
}

void json_array(struct json *json, const char *key)
{
    open_level(json, key, false);
}

void json_end(struct json *json)
{
    INVARIANT(json->depth > 0);
    buf_put_byte(json->out, json->open_kinds >> json->depth & 1 ? '}' : ']');
    json->depth--;
    json->needs_comma = true;
}

void json_text(struct json *json, const char *key, struct str value)
{
    begin_value(json, key);
    put_quoted(json->out, value);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
    begin_value(json, key);
    buf_printf(json->out, "%" PRIu64, value);
}

void json_i64(struct json *json, const char *key, int64_t value)
{
    begin_value(json, key);
    buf_printf(json->out, "%" PRId64, value);
}

void json_f64(struct json *json, const char *key, double value)
{
    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    begin_value(json, key);
    buf_printf(json->out, "%.6g", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin_value(json, key);
    buf_put_str(json->out, value ? STR("true") : STR("false"));
}

void json_null(struct json *json, const char *key)
{
    begin_value(json, key);
    buf_put_str(json->out, STR("null"));
}
