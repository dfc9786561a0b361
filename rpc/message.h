/*
 * Messages and memory: unpacking into an arena with a limit, packing straight into what will be sent, and building
 * replies from the domain's borrowed strings. Everything lives in the arena of the call.
 */
#pragma once

#include "base/ctx.h"
#include "wire.h"

#include <protobuf-c/protobuf-c.h>

/* precheck(), then unpack into cx->arena, at most LIMIT_GRPC_ARENA_BYTES. */
status message_unpack(struct ctx *cx, const ProtobufCMessageDescriptor *type, struct str bytes, size_t text_bytes_max,
                      void **out_message);

/* rpc.reply-too-large past RPC_REPLY_BYTES_MAX */
enum { RPC_REPLY_BYTES_MAX = 64 * 1024 * 1024 };
status message_pack(struct ctx *cx, const ProtobufCMessage *message, struct wire_bytes *out_bytes);

/* A new message of this type, all defaults. */
void *message_new(struct ctx *cx, const ProtobufCMessageDescriptor *type);
/* An array of `count` new messages and the array of pointers that protobuf-c wants. */
void *message_array(struct ctx *cx, const ProtobufCMessageDescriptor *type, size_t count, void ***out_pointers);

/* A C string for a `string` field: what is not UTF-8 becomes U+FFFD and NUL too, because a client library may refuse
 * the whole reply for one bad byte. `bytes` fields carry the original. */
char *message_text(struct ctx *cx, struct str text);
static inline ProtobufCBinaryData message_bytes(struct str bytes)
{
    return (ProtobufCBinaryData){.len = bytes.len, .data = (uint8_t *)(uintptr_t)bytes.data};
}
char **message_texts(struct ctx *cx, const struct str *texts, size_t count);

/* Set a repeated message field: message_list(cx, reply, matches, …descriptor, count) makes the messages and answers the
 * first; elements are reply->matches[i]. */
#define MESSAGE_LIST(cx, message, field, descriptor, count)                                                            \
    do {                                                                                                               \
        void **list_;                                                                                                  \
        (void)message_array((cx), (descriptor), (count), &list_);                                                      \
        (message)->field = (void *)list_;                                                                              \
        (message)->n_##field = (count);                                                                                \
    } while (0)
