/* First byte: the character set. The rest: a raw value to decode, and a text to encode and read back. */
#include "hl7v2/text.h"

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
    if (size < 1)
        return 0;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct hl7_index index = {0};
    struct buf out = {0};
    char message[256];
    enum charset set = (enum charset)(data[0] % CHARSET_UTF16);
    const char *more = data[0] & 0x80 ? "~ISO IR87~ISO IR159" : "";
    int len =
        snprintf(message, sizeof message, "MSH|^~\\&|||||||ADT^A01|1|P|2.5.1||||||%s%s\r", charset_hl7_name(set), more);
    demand(hl7_index_build(&index, &cx, str_make(message, (size_t)len), NULL) == STATUS_OK);
    index.ascii = false;
    index.stepwise = index.shifts || charset_shape(index.charset) == CHARSET_SHAPE_LEAD;

    struct str value = str_make(data + 1, size - 1);
    struct hl7_text_notes notes = {0};
    hl7_text_decode(&index, value, &out, &notes);
    demand(str_is_utf8(buf_str(&out)));
    demand(out.len <= CHARSET_GROWTH * 4 * value.len + 64);
    demand(str_eq(hl7_text(&index, &arena, value, NULL), buf_str(&out)));

    struct str text = arena_str(&arena, buf_str(&out));
    buf_clear(&out);
    if (hl7_text_encode(&index, &cx, text, &out) == STATUS_OK) {
        for (size_t i = 0; i < out.len; i++)
            demand((uint8_t)out.data[i] >= 0x20 || out.data[i] == '\t' || out.data[i] == 0x1b);
        demand(hl7_subcomponent(&index, buf_str(&out), 2).data == NULL ||
               charset_shape(index.charset) != CHARSET_SHAPE_PLAIN);
        if (charset_shape(index.charset) == CHARSET_SHAPE_PLAIN && !index.shifts)
            demand(str_eq(hl7_text(&index, &arena, buf_str(&out), NULL), text));
    }
    buf_fini(&out);
    hl7_index_fini(&index);
    arena_fini(&arena);
    return 0;
}
