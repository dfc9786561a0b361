/* Any bytes: index, every value, paths to every value, edits that change nothing and edits that change one place. */
#include "hl7v2/edit.h"
#include "hl7v2/header.h"
#include "hl7v2/text.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EDITS_MAX = 64 };

#define demand(holds)                                                                                                  \
    do {                                                                                                               \
        if (!(holds)) {                                                                                                \
            fprintf(stderr, "line %d\n", __LINE__);                                                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static size_t edit_everything(const struct hl7_index *index, struct hl7_edit *edits)
{
    size_t count = 0;
    for (uint32_t i = 0; i < index->segment_count && count < EDITS_MAX; i++) {
        uint32_t name = index->segments[i].name, occurrence = 1;
        for (uint32_t before = 0; before < i; before++)
            occurrence += index->segments[before].name == name;
        for (uint32_t field = 1; field <= index->segments[i].fields && count < EDITS_MAX; field++) {
            struct hl7_path path = {.name = name, .segment = occurrence, .field = (uint16_t)field};
            struct str value = hl7_field(index, i, field), got = hl7_get(index, &path);
            demand(got.data == value.data && got.len == value.len);
            bool header =
                name == HL7_NAME('M', 'S', 'H') || name == HL7_NAME('F', 'H', 'S') || name == HL7_NAME('B', 'H', 'S');
            if (field < HL7_NUMBER_MAX && !(header && field <= 2))
                edits[count++] = (struct hl7_edit){.kind = HL7_EDIT_RAW, .path = path, .value = value};
        }
    }
    return count;
}

static void walk_everything(const struct hl7_index *index)
{
    struct hl7_path path = {.segment = HL7_EACH, .field = 3, .repetition = HL7_EACH, .component = 1};
    for (uint32_t i = 0; i < index->segment_count && i < 32; i++) {
        struct hl7_walk walk;
        path.name = index->segments[i].name;
        hl7_walk_init(&walk, index, &path);
        for (int steps = 0; steps < 32 && hl7_walk_next(&walk); steps++) {
            struct str got = hl7_get(index, &walk.at);
            demand(got.data == walk.value.data && got.len == walk.value.len);
        }
    }
}

static void decode_everything(const struct hl7_index *index, struct ctx *cx)
{
    struct hl7_text_notes notes = {0};
    for (uint32_t i = 0; i < index->segment_count && i < 64; i++)
        for (uint32_t field = 1; field <= index->segments[i].fields && field < 64; field++)
            demand(str_is_utf8(hl7_text(index, cx->arena, hl7_field(index, i, field), &notes)));
}

static void check_edits(const struct hl7_index *index, struct ctx *cx, struct str bytes, bool strict)
{
    static struct hl7_edit edits[EDITS_MAX];
    struct buf out = {0};
    size_t count = edit_everything(index, edits);
    demand(hl7_edit_apply(index, cx, edits, count, &out) == STATUS_OK);
    demand(str_eq(buf_str(&out), bytes));

    buf_clear(&out);
    struct hl7_edit set = {.kind = HL7_EDIT_TEXT, .path = hl7_path_make("MSH-23(2).3.2"), .value = STR("a|b^c\rMSH|")};
    if (hl7_edit_apply(index, cx, &set, 1, &out) == STATUS_OK) {
        struct hl7_index again = {0};
        struct hl7_input input = {.trust_charset = true, .strict_line_ends = strict};
        demand(hl7_index_build(&again, cx, buf_str(&out), &input) == STATUS_OK);
        demand(again.segment_count == index->segment_count);
        demand(str_eq(hl7_text(&again, cx->arena, hl7_get(&again, &set.path), NULL), set.value));
        hl7_index_fini(&again);
    }
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hl7_index index; /* kept: reuse is part of what is tested */
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct str bytes = str_make(data, size);
    struct hl7_header header;
    struct hl7_path fault;
    hl7_header_read(bytes, &header);
    (void)hl7_header_check(&cx, &header, &fault);
    for (int strict = 0; strict < 2; strict++) {
        struct hl7_input input = {.strict_line_ends = strict != 0};
        if (hl7_index_build(&index, &cx, bytes, &input) != STATUS_OK) {
            demand(cx.reason != NULL && cx.reason->hl7_code != 0 && index.segment_count == 0);
            continue;
        }
        demand(index.segment_count > 0);
        walk_everything(&index);
        decode_everything(&index, &cx);
        check_edits(&index, &cx, bytes, strict != 0);
    }
    arena_fini(&arena);
    return 0;
}
