/*
 * struct json: writes one JSON text into a buf, commas and escapes taken care of. Source: RFC 8259.
 *
 *   json_object(&j, NULL); json_u64(&j, "seq", 7); json_array(&j, "names"); json_text(&j, NULL, STR("é"));
 * json_end(&j); json_end(&j);
 *
 * Keys are NULL inside arrays. Bytes that are not UTF-8 are written as U+FFFD. Threads: one thread.
 */
#pragma once

#include "base/buf.h"

struct json {
    struct buf *out;
    uint64_t open_kinds; /* bit per level: 1 = object */
    uint8_t depth;
    bool needs_comma;
};

void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end(struct json *json);
void json_text(struct json *json, const char *key, struct str value);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);
void json_f64(struct json *json, const char *key, double value); /* finite; else null */
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);
