/*
 * Replies as JSON: the field names and types come from the descriptors, so a new field in a proto is in --json without
 * a line here.
 */
#include "line.h"

#include "base/invariant.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEPTH_MAX = 16 }; /* our messages are five levels deep at most, and none holds itself */

static void put_message(struct json *json, const char *key, const ProtobufCMessage *message, unsigned depth);

static void put_bytes(struct json *json, const char *key, struct str bytes)
{
    if (str_is_utf8(bytes)) {
        json_text(json, key, bytes);
        return;
    }
    struct buf hex = {0};
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(&hex, "%02x", (unsigned)(uint8_t)bytes.data[i]);
    json_object(json, key);
    json_text(json, "hex", buf_str(&hex));
    json_end(json);
    buf_fini(&hex);
}

static void put_value(struct json *json, const char *key, const ProtobufCFieldDescriptor *field, const void *at,
                      unsigned depth)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        json_u64(json, key, *(const uint32_t *)at);
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        json_u64(json, key, *(const uint64_t *)at);
        return;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
        json_i64(json, key, *(const int32_t *)at);
        return;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        json_i64(json, key, *(const int64_t *)at);
        return;
    case PROTOBUF_C_TYPE_FLOAT:
        json_f64(json, key, (double)*(const float *)at);
        return;
    case PROTOBUF_C_TYPE_DOUBLE:
        json_f64(json, key, *(const double *)at);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        json_bool(json, key, *(const protobuf_c_boolean *)at != 0);
        return;
    case PROTOBUF_C_TYPE_STRING:
        json_text(json, key, str_from(*(const char *const *)at));
        return;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *bytes = at;
        put_bytes(json, key, str_make(bytes->data, bytes->len));
        return;
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)at;
        if (inner)
            put_message(json, key, inner, depth + 1);
        return;
    }
    }
}

static size_t value_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

static void put_field(struct json *json, const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                      unsigned depth)
{
    const char *base = (const char *)message;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        put_value(json, field->name, field, base + field->offset, depth);
        return;
    }
    size_t count = *(const size_t *)(const void *)(base + field->quantifier_offset);
    const char *items = *(const char *const *)(const void *)(base + field->offset);
    json_array(json, field->name);
    for (size_t i = 0; i < count; i++)
        put_value(json, NULL, field, items + i * value_size(field), depth);
    json_end(json);
}

static void put_message(struct json *json, const char *key, const ProtobufCMessage *message, unsigned depth)
{
    INVARIANT(depth < DEPTH_MAX); /* the depth of our own protos, not of what was sent */
    json_object(json, key);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        put_field(json, message, &message->descriptor->fields[i], depth);
    json_end(json);
}

void cli_json_message(struct json *json, const char *key, const ProtobufCMessage *message)
{
    put_message(json, key, message, 0);
}

void cli_json_reply(struct cli_run *run, const ProtobufCMessage *reply)
{
    struct json json = {.out = &run->out};
    put_message(&json, NULL, reply, 0);
    buf_put_byte(&run->out, '\n');
}
