/* Edits in one pass: sorted by place, each touched field is written anew, everything between is copied. */
#include "hl7v2/edit.h"
#include "hl7v2/text.h"
#include "index_internal.h"

#include "base/mem.h"

#include <stdlib.h>

enum { LEVEL_REPETITION, LEVEL_COMPONENT, LEVEL_SUBCOMPONENT, LEVELS, AFTER_FIELDS = UINT16_MAX };

struct slot {
    struct hl7_edit *edit;
    uint32_t segment, field;  /* field AFTER_FIELDS: a segment put behind this one */
    uint32_t numbers[LEVELS]; /* 0 = the place ends above this level */
    size_t order;
};

struct writer {
    const struct hl7_index *index;
    struct ctx *cx;
    struct buf *out;
};

static status fail_edit(struct ctx *cx, enum hl7_reason reason, const struct hl7_path *path, const char *why)
{
    char text[HL7_PATH_TEXT_MAX];
    hl7_path_format(path, text);
    return ctx_fail(cx, &hl7_reasons[reason], "%s: %s", text, why);
}

static char level_delimiter(const struct hl7_index *index, int level)
{
    const struct hl7_delimiters *d = &index->delimiters;
    return level == LEVEL_REPETITION ? d->repetition : level == LEVEL_COMPONENT ? d->component : d->subcomponent;
}

static bool has_line_end(struct str value)
{
    return str_find(value, '\r') >= 0 || str_find(value, '\n') >= 0;
}

/* A raw value must not reach out of its place: no line end, no delimiter of a level above its own. */
static status check_raw(const struct hl7_index *index, struct ctx *cx, const struct slot *slot, struct str value)
{
    const struct hl7_path *path = &slot->edit->path;
    if (str_eq(value, slot->edit->before))
        return STATUS_OK; /* as it was: whatever it holds, it holds already */
    if (has_line_end(value) || hl7_find_delimiter(index, value, index->delimiters.field) < value.len)
        return fail_edit(cx, HL7_EDIT_VALUE, path, "a field separator or line end inside");
    for (int level = 0; level < LEVELS && slot->numbers[level] != 0; level++)
        if (hl7_find_delimiter(index, value, level_delimiter(index, level)) < value.len)
            return fail_edit(cx, HL7_EDIT_VALUE, path, "a delimiter of a higher level inside");
    return STATUS_OK;
}

static status check_segment(const struct hl7_index *index, struct ctx *cx, const struct slot *slot)
{
    const struct hl7_edit *edit = slot->edit;
    const uint8_t *at = (const uint8_t *)edit->value.data;
    if (slot->segment == 0 && edit->kind != HL7_EDIT_AFTER)
        return fail_edit(cx, HL7_EDIT_PATH, &edit->path, "the header stays");
    if (edit->kind == HL7_EDIT_TEXT)
        return fail_edit(cx, HL7_EDIT_PATH, &edit->path, "a segment is no text");
    if (edit->kind == HL7_EDIT_REMOVE)
        return STATUS_OK;
    if (!hl7_is_name(at, edit->value.len, (uint8_t)index->delimiters.field) || str_starts(edit->value, STR("MSH")) ||
        (has_line_end(edit->value) && !str_eq(edit->value, edit->before)))
        return fail_edit(cx, HL7_EDIT_VALUE, &edit->path, "not one segment");
    return STATUS_OK;
}

/* Where the last edit was: the next is mostly there or behind it, and thousands of edits must not each begin at MSH. */
struct near {
    uint32_t name, occurrence, number;
};

static ptrdiff_t find_near(const struct hl7_index *index, const struct hl7_path *path, struct near *near)
{
    bool behind = near->name == path->name && path->segment >= near->occurrence && near->occurrence > 0;
    ptrdiff_t number = behind ? hl7_find_segment(index, path->name, path->segment - near->occurrence + 1, near->number)
                              : hl7_find_segment(index, path->name, path->segment, 0);
    if (number >= 0)
        *near = (struct near){path->name, path->segment, (uint32_t)number};
    return number;
}

static status check_place(const struct hl7_index *index, struct ctx *cx, struct slot *slot, struct near *near)
{
    struct hl7_edit *edit = slot->edit;
    const struct hl7_path *path = &edit->path;
    if (!hl7_path_is_concrete(path))
        return fail_edit(cx, HL7_EDIT_PATH, path, "not one place");
    ptrdiff_t number = find_near(index, path, near);
    if (number < 0)
        return fail_edit(cx, HL7_EDIT_PATH, path, "no such segment");
    if (hl7_is_header_name(path->name) && (path->field == 1 || path->field == 2))
        return fail_edit(cx, HL7_EDIT_PATH, path, "the delimiters stay");
    if (edit->kind == HL7_EDIT_AFTER && path->field != 0)
        return fail_edit(cx, HL7_EDIT_PATH, path, "only a segment can follow a segment");
    slot->segment = (uint32_t)number;
    slot->field = edit->kind == HL7_EDIT_AFTER ? AFTER_FIELDS : path->field;
    slot->numbers[LEVEL_REPETITION] = path->repetition == 0 && path->component != 0 ? 1 : path->repetition;
    slot->numbers[LEVEL_COMPONENT] = path->component;
    slot->numbers[LEVEL_SUBCOMPONENT] = path->component != 0 ? path->subcomponent : 0;
    edit->before = edit->kind == HL7_EDIT_AFTER ? STR_NONE : hl7_get_in(index, path, slot->segment);
    return STATUS_OK;
}

static status prepare(const struct hl7_index *index, struct ctx *cx, struct slot *slot, struct near *near)
{
    struct hl7_edit *edit = slot->edit;
    TRY(check_place(index, cx, slot, near));
    edit->after = edit->kind == HL7_EDIT_REMOVE ? STR("") : edit->value;
    if (slot->edit->path.field == 0)
        return check_segment(index, cx, slot);
    if (edit->kind != HL7_EDIT_TEXT)
        return check_raw(index, cx, slot, edit->after);

    SCOPED(buf_fini) struct buf raw = {0};
    TRY(hl7_text_encode(index, cx, edit->value, &raw));
    edit->after = arena_str(cx->arena, buf_str(&raw));
    return STATUS_OK;
}

static int compare_places(const struct slot *a, const struct slot *b)
{
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    for (int level = 0; level < LEVELS; level++)
        if (a->numbers[level] != b->numbers[level])
            return a->numbers[level] < b->numbers[level] ? -1 : 1;
    return 0;
}

static int compare_slots(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;
    int places = compare_places(a, b);
    return places ? places : a->order < b->order ? -1 : a->order > b->order;
}

/* A place sorts directly before the places inside it. */
static bool contains(const struct slot *outer, const struct slot *inner)
{
    if (outer->segment != inner->segment || inner->field == AFTER_FIELDS)
        return false;
    if (outer->field == 0)
        return inner->field != 0;
    if (outer->field != inner->field)
        return false;
    for (int level = 0; level < LEVELS; level++) {
        if (outer->numbers[level] == 0)
            return inner->numbers[level] != 0;
        if (outer->numbers[level] != inner->numbers[level])
            return false;
    }
    return false;
}

/* Sorted, without those that a later edit of the same place replaces. */
static status sort_slots(struct ctx *cx, struct slot *slots, size_t *count)
{
    size_t kept = 0;
    qsort(slots, *count, sizeof *slots, compare_slots);
    for (size_t i = 0; i < *count; i++) {
        bool replaced =
            i + 1 < *count && slots[i].field != AFTER_FIELDS && compare_places(&slots[i], &slots[i + 1]) == 0;
        if (!replaced)
            slots[kept++] = slots[i];
    }
    for (size_t i = 1; i < kept; i++)
        if (contains(&slots[i - 1], &slots[i]))
            return fail_edit(cx, HL7_EDIT_OVERLAP, &slots[i].edit->path, "inside another edited place");
    *count = kept;
    return STATUS_OK;
}

static bool cut_part(const struct hl7_index *index, struct str *rest, char delimiter, struct str *out_part)
{
    if (rest->data == NULL)
        return false;
    size_t end = hl7_find_delimiter(index, *rest, delimiter);
    *out_part = str_sub(*rest, 0, end);
    *rest = end == rest->len ? STR_NONE : str_from_at(*rest, end + 1);
    return true;
}

/* A value whose parts at `level` and below are edited. The depth is that of the standard: three levels. */
static status write_parts(struct writer *w, int level, struct str original, const struct slot *slots, size_t count)
{
    if (slots->numbers[level] == 0) {
        buf_put_str(w->out, slots->edit->after);
        return STATUS_OK;
    }
    char delimiter = level_delimiter(w->index, level);
    uint32_t written = 0;
    struct str part;
    for (size_t i = 0, same; i < count; i += same) {
        uint32_t number = slots[i].numbers[level];
        for (same = 1; i + same < count && slots[i + same].numbers[level] == number; same++)
            ;
        while (written < number - 1 && cut_part(w->index, &original, delimiter, &part)) {
            if (written++ > 0)
                buf_put_byte(w->out, (uint8_t)delimiter);
            buf_put_str(w->out, part);
        }
        bool present = written == number - 1 && cut_part(w->index, &original, delimiter, &part);
        if (!present)
            part = STR_NONE;
        size_t before = w->out->len;
        for (uint32_t n = written > 0 ? written : 1; n < number; n++)
            buf_put_byte(w->out, (uint8_t)delimiter);
        size_t at = w->out->len;
        TRY(level + 1 < LEVELS ? write_parts(w, level + 1, part, slots + i, same)
                               : (buf_put_str(w->out, slots[i].edit->after), STATUS_OK));
        if (!present && w->out->len == at) {
            w->out->len = before; /* nothing said about a place that is not there: no delimiters for it */
            continue;
        }
        if (number > 1 && delimiter == 0)
            return fail_edit(w->cx, HL7_EDIT_PATH, &slots[i].edit->path, "MSH-2 has no delimiter for it");
        written = number;
    }
    if (original.data != NULL) {
        if (written > 0)
            buf_put_byte(w->out, (uint8_t)delimiter);
        buf_put_str(w->out, original);
    }
    return STATUS_OK;
}

static status write_fields(struct writer *w, uint32_t number, const struct slot *slots, size_t count)
{
    const struct hl7_segment *segment = &w->index->segments[number];
    const char *bytes = w->index->bytes.data;
    size_t cursor = segment->at;
    uint32_t fields = segment->fields;
    for (size_t i = 0, same; i < count; i += same) {
        uint32_t field = slots[i].field;
        for (same = 1; i + same < count && slots[i + same].field == field; same++)
            ;
        struct str original = hl7_field(w->index, number, field);
        size_t upto = original.data ? (size_t)(original.data - bytes) : segment->end;
        buf_put(w->out, bytes + cursor, upto - cursor);
        cursor = original.data ? upto + original.len : segment->end;

        size_t before = w->out->len;
        for (uint32_t n = fields; original.data == NULL && n < field; n++)
            buf_put_byte(w->out, (uint8_t)w->index->delimiters.field);
        size_t at = w->out->len;
        TRY(write_parts(w, LEVEL_REPETITION, original, slots + i, same));
        if (original.data == NULL && w->out->len == at)
            w->out->len = before;
        else if (original.data == NULL)
            fields = field;
    }
    buf_put(w->out, bytes + cursor, segment->end - cursor);
    return STATUS_OK;
}

static struct str line_end(const struct hl7_index *index, uint32_t number)
{
    struct str tail = str_from_at(index->bytes, index->segments[number].end);
    return str_sub(tail, 0, str_starts(tail, STR("\r\n")) ? 2 : 1);
}

/* One touched segment with its line end; answers in *cursor where the untouched bytes go on. */
static status write_segment(struct writer *w, const struct slot *slots, size_t count, size_t *cursor)
{
    const struct hl7_index *index = w->index;
    uint32_t number = slots->segment;
    struct str end = line_end(index, number), new_line = end;
    if (new_line.len == 0)
        new_line = number > 0 ? line_end(index, 0) : STR("\r");

    size_t inside = 0;
    while (inside < count && slots[inside].field != AFTER_FIELDS)
        inside++;
    bool whole = inside > 0 && slots->field == 0;
    bool removed = whole && slots->edit->kind == HL7_EDIT_REMOVE;
    if (whole)
        buf_put_str(w->out, slots->edit->after);
    else if (inside > 0)
        TRY(write_fields(w, number, slots, inside));
    else
        buf_put_str(w->out, hl7_segment_bytes(index, number));

    for (size_t i = inside; i < count; i++) {
        if (!removed)
            buf_put_str(w->out, new_line);
        buf_put_str(w->out, slots[i].edit->after);
        removed = false;
    }
    *cursor = index->segments[number].end + (removed ? end.len : 0);
    return STATUS_OK;
}

static status write_message(struct writer *w, const struct slot *slots, size_t count)
{
    const struct hl7_index *index = w->index;
    size_t cursor = 0;
    for (size_t i = 0, same; i < count; i += same) {
        for (same = 1; i + same < count && slots[i + same].segment == slots[i].segment; same++)
            ;
        buf_put(w->out, index->bytes.data + cursor, index->segments[slots[i].segment].at - cursor);
        TRY(write_segment(w, slots + i, same, &cursor));
    }
    buf_put_str(w->out, str_from_at(index->bytes, cursor));
    return STATUS_OK;
}

status hl7_edit_apply(const struct hl7_index *index, struct ctx *cx, struct hl7_edit *edits, size_t count,
                      struct buf *out)
{
    struct slot *slots = arena_array(cx->arena, count ? count : 1, sizeof *slots);
    struct near near = {0};
    for (size_t i = 0; i < count; i++) {
        slots[i] = (struct slot){.edit = &edits[i], .order = i};
        TRY(prepare(index, cx, &slots[i], &near));
    }
    TRY(sort_slots(cx, slots, &count));

    size_t before = out->len;
    struct writer writer = {.index = index, .cx = cx, .out = out};
    buf_reserve(out, index->bytes.len);
    status written = write_message(&writer, slots, count);
    if (written != STATUS_OK)
        out->len = before;
    return written;
}
