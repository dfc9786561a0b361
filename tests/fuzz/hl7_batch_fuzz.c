/* Any bytes as a batch: ends, and every message lies inside the input. */
#include "hl7v2/batch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct hl7_batch batch;
    struct hl7_batch_item item;
    size_t total = 0;
    uint32_t number = 0;
    struct str bytes = str_make(data, size);
    (void)hl7_is_batch(bytes);
    hl7_batch_init(&batch, bytes);
    while (hl7_batch_next(&batch, &cx, &item) == STATUS_OK) {
        total += item.message.len;
        if (item.message.len == 0 || total > size || item.number != ++number)
            abort();
        if (!batch.framed &&
            (item.message.data < bytes.data || item.message.data + item.message.len > bytes.data + size))
            abort();
    }
    if (hl7_batch_next(&batch, &cx, &item) == STATUS_OK)
        abort(); /* the end stays the end */
    hl7_batch_fini(&batch);
    arena_fini(&arena);
    return 0;
}
