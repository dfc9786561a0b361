/* Any bytes as a message to answer: the answer has exactly its own segments. Any bytes as a reply: read or refused. */
#include "hl7v2/ack.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define demand(holds)                                                                                                  \
    do {                                                                                                               \
        if (!(holds)) {                                                                                                \
            fprintf(stderr, "line %d\n", __LINE__);                                                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct hl7_header header;
    struct hl7_reply reply;
    struct buf out = {0};
    struct str bytes = str_make(data, size);
    (void)hl7_ack_read(&cx, bytes, &reply);
    hl7_header_read(bytes, &header);
    (void)hl7_ack_mode(&header);

    struct hl7_path at = {.name = HL7_NAME('P', 'I', 'D'), .segment = 1, .field = 3, .repetition = 2, .component = 4};
    for (int i = -1; i < HL7_REASON_COUNT; i++) {
        const struct reason *reason = i < 0 ? NULL : &hl7_reasons[i];
        struct hl7_ack ack = {.to = &header,
                              .code = hl7_ack_code_for(reason, (i & 1) != 0),
                              .control_id = STR("IDEM1"),
                              .reason = reason,
                              .location = i & 2 ? &at : NULL,
                              .detail = STR("at byte 3"),
                              .expected_sequence = i & 4 ? -1 : 0};
        buf_clear(&out);
        hl7_ack_build(&ack, &out);
        uint32_t lines = 0;
        for (size_t n = 0; n < out.len; n++) {
            lines += out.data[n] == '\r';
            demand((uint8_t)out.data[n] >= 0x20 || out.data[n] == '\r');
        }
        demand(lines == (i < 0 ? 2u : 3u) && out.data[out.len - 1] == '\r');
        demand(hl7_ack_read(&cx, buf_str(&out), &reply) == STATUS_OK && reply.code == ack.code);
    }
    buf_fini(&out);
    arena_fini(&arena);
    return 0;
}
