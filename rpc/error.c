/* A failure as gRPC clients read it: status, sentence, and google.rpc.ErrorInfo with the reason's stable name. */
#include "call.h"

#include "google/rpc/status.pb-c.h"

enum { MESSAGE_BYTES_MAX = 2048 };

struct str rpc_error_message(struct ctx *cx)
{
    struct str message = ctx_message(cx);
    if (message.len <= MESSAGE_BYTES_MAX)
        return message;
    message.len = MESSAGE_BYTES_MAX;
    while (message.len > 0 && ((uint8_t)message.data[message.len] & 0xc0) == 0x80)
        message.len--; /* not in the middle of a character */
    return message;
}

static ProtobufCBinaryData packed(struct ctx *cx, const ProtobufCMessage *message)
{
    ProtobufCBinaryData bytes = {.len = protobuf_c_message_get_packed_size(message)};
    bytes.data = arena_alloc(cx->arena, bytes.len + 1);
    protobuf_c_message_pack(message, bytes.data);
    return bytes;
}

struct str rpc_error_details(struct ctx *cx, status code, struct str message)
{
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    info.reason = (char *)(uintptr_t)(cx->reason ? cx->reason->name : "rpc.failed");
    info.domain = (char *)(uintptr_t) "idem";

    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    any.type_url = (char *)(uintptr_t) "type.googleapis.com/google.rpc.ErrorInfo";
    any.value = packed(cx, &info.base);

    Google__Protobuf__Any *details[] = {&any};
    Google__Rpc__Status answer = GOOGLE__RPC__STATUS__INIT;
    answer.code = (int32_t)code;
    answer.message = message_text(cx, message);
    answer.n_details = 1;
    answer.details = details;
    ProtobufCBinaryData bytes = packed(cx, &answer.base);
    return str_make(bytes.data, bytes.len);
}

status rpc_need(struct ctx *cx, bool there, const char *what)
{
    return there ? STATUS_OK : ctx_fail(cx, &rpc_reasons[RPC_ARGUMENT], "%s is needed", what);
}
