/* Any text: a path that compiles formats to a text that compiles to the same path, and can be looked up. */
#include "hl7v2/index.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct hl7_path path, again;
    char text[HL7_PATH_TEXT_MAX];
    if (hl7_path_compile(&cx, str_make(data, size), &path) == STATUS_OK) {
        size_t len = hl7_path_format(&path, text);
        if (len >= sizeof text || hl7_path_compile(&cx, str_make(text, len), &again) != STATUS_OK ||
            !hl7_path_eq(&path, &again))
            abort();
        struct hl7_index index = {0};
        if (hl7_index_build(&index, &cx, STR("MSH|^~\\&|A^B&C~D|\rPID|1||X^^^Y&Z~W\r"), NULL) != STATUS_OK)
            abort();
        struct hl7_walk walk;
        hl7_walk_init(&walk, &index, &path);
        for (int steps = 0; hl7_walk_next(&walk); steps++)
            if (steps > 100 || !hl7_path_is_concrete(&walk.at) || hl7_get(&index, &walk.at).data != walk.value.data)
                abort();
        hl7_index_fini(&index);
    }
    arena_fini(&arena);
    return 0;
}
