#include "message.h"

#include "base/bounds.h"
#include "base/limits.h"
#include "precheck.h"
#include "rpc/reasons.h"

/* protobuf-c's allocator over the arena: freeing is done by the arena, and a limit stops amplification. */
struct budget {
    struct arena *arena;
    size_t left;
};

static void *budget_alloc(void *arg, size_t size)
{
    struct budget *budget = arg;
    if (size > budget->left)
        return NULL;
    budget->left -= size;
    return arena_try(budget->arena, size);
}

static void budget_free(void *arg, void *memory)
{
    (void)arg, (void)memory;
}

status message_unpack(struct ctx *cx, const ProtobufCMessageDescriptor *type, struct str bytes, size_t text_bytes_max,
                      void **out_message)
{
    TRY(precheck(cx, type, bytes, text_bytes_max));
    struct budget budget = {cx->arena, LIMIT_GRPC_ARENA_BYTES};
    ProtobufCAllocator allocator = {budget_alloc, budget_free, &budget};
    ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)bytes.data);
    bool too_much = message == NULL && budget.left < bytes.len && bound_met(BOUND_LIMIT_GRPC_ARENA_BYTES);
    if (message == NULL)
        return ctx_fail(cx, &rpc_reasons[too_much ? RPC_TOO_MANY_PARTS : RPC_MALFORMED],
                        "cannot be unpacked within %d bytes", LIMIT_GRPC_ARENA_BYTES);
    *out_message = message;
    return STATUS_OK;
}

status message_pack(struct ctx *cx, const ProtobufCMessage *message, struct wire_bytes *out_bytes)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    if (BEYOND(RPC_REPLY_BYTES_MAX, size))
        return ctx_fail(cx, &rpc_reasons[RPC_REPLY_TOO_LARGE], "%zu bytes, at most %d", size, RPC_REPLY_BYTES_MAX);
    wire_bytes_init(out_bytes, size);
    protobuf_c_message_pack(message, out_bytes->data);
    return STATUS_OK;
}

void *message_new(struct ctx *cx, const ProtobufCMessageDescriptor *type)
{
    void *message = arena_alloc(cx->arena, type->sizeof_message);
    protobuf_c_message_init(type, message);
    return message;
}

void *message_array(struct ctx *cx, const ProtobufCMessageDescriptor *type, size_t count, void ***out_pointers)
{
    char *messages = arena_array(cx->arena, count, type->sizeof_message);
    void **pointers = arena_array(cx->arena, count, sizeof *pointers);
    for (size_t i = 0; i < count; i++) {
        pointers[i] = messages + i * type->sizeof_message;
        protobuf_c_message_init(type, pointers[i]);
    }
    *out_pointers = pointers;
    return messages;
}

/* Length of the well-formed UTF-8 sequence at the start of `s`, 0 when there is none. */
static size_t sequence_length(struct str s)
{
    uint8_t first = (uint8_t)s.data[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    return first != 0 && len <= s.len && str_is_utf8(str_make(s.data, len)) ? len : 0;
}

char *message_text(struct ctx *cx, struct str text)
{
    if (text.len == 0)
        return (char *)(uintptr_t)protobuf_c_empty_string;
    if (str_is_utf8(text) && memchr(text.data, 0, text.len) == NULL)
        return (char *)(uintptr_t)arena_str(cx->arena, text).data;
    char *out = arena_alloc(cx->arena, text.len * 3 + 1); /* U+FFFD has three bytes */
    size_t used = 0;
    while (text.len > 0) {
        size_t good = sequence_length(text);
        memcpy(out + used, good ? text.data : "\xef\xbf\xbd", good ? good : 3);
        used += good ? good : 3;
        text = str_from_at(text, good ? good : 1);
    }
    return out;
}

char **message_texts(struct ctx *cx, const struct str *texts, size_t count)
{
    char **out = arena_array(cx->arena, count, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = message_text(cx, texts[i]);
    return out;
}
