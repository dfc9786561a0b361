/* The first byte chooses a method; the rest is its request: checked, unpacked, and packed again when it was taken. */
#include "base/limits.h"
#include "call.h"
#include "precheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct rpc_method *method = &rpc_methods[data[0] % rpc_method_count];
    struct arena arena;
    arena_init(&arena, LIMIT_REQUEST_ARENA_BYTES);
    struct ctx cx = {.arena = &arena};
    void *message;
    if (message_unpack(&cx, method->request, str_make(data + 1, size - 1), method->text_bytes_max, &message) ==
        STATUS_OK) {
        struct wire_bytes bytes;
        if (message_pack(&cx, message, &bytes) != STATUS_OK)
            __builtin_trap();
        /* what we pack from a taken message must be taken again */
        if (precheck(&cx, method->request, str_make(bytes.data, bytes.len), method->text_bytes_max) != STATUS_OK)
            __builtin_trap();
        wire_bytes_fini(&bytes);
    }
    arena_fini(&arena);
    return 0;
}
