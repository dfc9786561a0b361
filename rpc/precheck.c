#include "precheck.h"

#include "base/bounds.h"
#include "base/limits.h"
#include "rpc/reasons.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, SEEN_FIELDS = 64 };

struct level {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *end;
    uint64_t seen; /* singular sub-messages met so far, a bit per field of the type */
};

struct walk {
    struct ctx *cx;
    const uint8_t *at;
    struct level levels[LIMIT_GRPC_DEPTH];
    size_t depth; /* levels in use */
    size_t parts, unknown, text_bytes_max;
};

static status malformed(struct walk *walk, const char *what)
{
    return ctx_fail(walk->cx, &rpc_reasons[RPC_MALFORMED], "%s in %s", what, walk->levels[walk->depth - 1].type->name);
}

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *out_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out_value = value;
            return true;
        }
    }
    return false;
}

static unsigned wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_BYTES;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        break;
    }
    return WIRE_VARINT;
}

static status count_parts(struct walk *walk, size_t parts)
{
    walk->parts += parts;
    if (BEYOND(PRECHECK_PARTS_MAX, walk->parts))
        return ctx_fail(walk->cx, &rpc_reasons[RPC_TOO_MANY_PARTS], "more than %d", PRECHECK_PARTS_MAX);
    return STATUS_OK;
}

static status check_packed(struct walk *walk, const ProtobufCFieldDescriptor *field, struct str bytes)
{
    unsigned wire_type = wire_type_of(field->type);
    size_t width = wire_type == WIRE_64 ? 8 : 4;
    if (wire_type != WIRE_VARINT)
        return bytes.len % width ? malformed(walk, "packed elements of a broken length")
                                 : count_parts(walk, bytes.len / width);
    const uint8_t *at = (const uint8_t *)bytes.data, *end = at + bytes.len;
    uint64_t unused;
    size_t elements = 0;
    for (; at < end; elements++)
        if (!read_varint(&at, end, &unused))
            return malformed(walk, "a broken packed element");
    return count_parts(walk, elements);
}

static status check_text(struct walk *walk, const ProtobufCFieldDescriptor *field, struct str text)
{
    if (text.len > walk->text_bytes_max && bound_met(BOUND_LIMIT_FIELD_VALUE_BYTES))
        return ctx_fail(walk->cx, &rpc_reasons[RPC_TEXT_TOO_LONG], "%s has %zu bytes, at most %zu", field->name,
                        text.len, walk->text_bytes_max);
    if (text.len && memchr(text.data, 0, text.len))
        return ctx_fail(walk->cx, &rpc_reasons[RPC_NUL_IN_TEXT], "%s", field->name);
    if (!str_is_utf8(text))
        return ctx_fail(walk->cx, &rpc_reasons[RPC_NOT_UTF8], "%s", field->name);
    return STATUS_OK;
}

static status enter(struct walk *walk, const ProtobufCFieldDescriptor *field, size_t length)
{
    struct level *level = &walk->levels[walk->depth - 1];
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        uint64_t bit = (uint64_t)1 << ((size_t)(field - level->type->fields) % SEEN_FIELDS);
        if (level->seen & bit)
            return ctx_fail(walk->cx, &rpc_reasons[RPC_REPEATED_PART], "%s", field->name);
        level->seen |= bit;
    }
    if (walk->depth == LIMIT_GRPC_DEPTH && bound_met(BOUND_LIMIT_GRPC_DEPTH))
        return ctx_fail(walk->cx, &rpc_reasons[RPC_TOO_DEEP], "more than %d levels", LIMIT_GRPC_DEPTH);
    walk->levels[walk->depth++] = (struct level){.type = field->descriptor, .end = walk->at + length};
    return STATUS_OK;
}

static status check_bytes(struct walk *walk, const ProtobufCFieldDescriptor *field, size_t length)
{
    struct str bytes = str_make(walk->at, length);
    if (field && field->type == PROTOBUF_C_TYPE_MESSAGE)
        return enter(walk, field, length); /* walk->at stays: its fields come next */
    walk->at += length;
    if (field == NULL || field->type == PROTOBUF_C_TYPE_BYTES)
        return STATUS_OK;
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return check_text(walk, field, bytes);
    return check_packed(walk, field, bytes);
}

static status check_field(struct walk *walk)
{
    const struct level *level = &walk->levels[walk->depth - 1];
    uint64_t tag, value;
    if (!read_varint(&walk->at, level->end, &tag) || tag > UINT32_MAX)
        return malformed(walk, "a broken tag");
    unsigned wire_type = tag & 7;
    if (tag >> 3 == 0)
        return malformed(walk, "field number 0");
    TRY(count_parts(walk, 1));
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(level->type, (unsigned)(tag >> 3));
    if (field == NULL && BEYOND(PRECHECK_UNKNOWN_MAX, ++walk->unknown))
        return ctx_fail(walk->cx, &rpc_reasons[RPC_TOO_MANY_PARTS], "more than %d unknown fields",
                        PRECHECK_UNKNOWN_MAX);
    if (field) {
        bool packed = wire_type == WIRE_BYTES && field->label == PROTOBUF_C_LABEL_REPEATED;
        if (wire_type != wire_type_of(field->type) && !packed)
            return malformed(walk, "a field of another wire type");
    }
    switch (wire_type) {
    case WIRE_VARINT:
        return read_varint(&walk->at, level->end, &value) ? STATUS_OK : malformed(walk, "a broken number");
    case WIRE_64:
    case WIRE_32: {
        ptrdiff_t width = wire_type == WIRE_64 ? 8 : 4;
        if (level->end - walk->at < width)
            return malformed(walk, "a cut number");
        walk->at += width;
        return STATUS_OK;
    }
    case WIRE_BYTES:
        if (!read_varint(&walk->at, level->end, &value) || value > (uint64_t)(level->end - walk->at))
            return malformed(walk, "a length past the end");
        return check_bytes(walk, field, (size_t)value);
    default:
        return malformed(walk, "a group or an unknown wire type");
    }
}

status precheck(struct ctx *cx, const ProtobufCMessageDescriptor *type, struct str bytes, size_t text_bytes_max)
{
    if (bytes.len == 0)
        return STATUS_OK;
    const uint8_t *start = (const uint8_t *)bytes.data;
    struct walk walk; /* levels are set as they are entered: no need to clear a kilobyte per call */
    walk.cx = cx;
    walk.at = start;
    walk.parts = walk.unknown = 0;
    walk.text_bytes_max = text_bytes_max;
    walk.levels[0] = (struct level){.type = type, .end = start + bytes.len};
    walk.depth = 1;
    while (walk.depth > 0) {
        if (walk.at == walk.levels[walk.depth - 1].end)
            walk.depth--;
        else
            TRY(check_field(&walk));
    }
    return STATUS_OK;
}

bool precheck_supports(const ProtobufCMessageDescriptor *type)
{
    const ProtobufCMessageDescriptor *types[256]; /* all types reachable, each once */
    size_t count = 0;
    types[count++] = type;
    for (size_t next = 0; next < count; next++) {
        if (types[next]->n_fields > SEEN_FIELDS)
            return false;
        for (unsigned i = 0; i < types[next]->n_fields; i++) {
            const ProtobufCFieldDescriptor *field = &types[next]->fields[i];
            if (field->type != PROTOBUF_C_TYPE_MESSAGE)
                continue;
            size_t known = 0;
            while (known < count && types[known] != field->descriptor)
                known++;
            if (known < count)
                continue;
            if (count == sizeof types / sizeof types[0])
                return false;
            types[count++] = field->descriptor;
        }
    }
    return true;
}
