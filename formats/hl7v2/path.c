/* Compiled paths: a small hand-written reader of the grammar in path.h. */
#include "index_internal.h"

#include "base/mem.h"

struct reader {
    struct str text;
    size_t at;
    const char *wrong; /* what was expected at `at`; NULL = fine so far */
};

static bool take(struct reader *reader, char byte)
{
    if (reader->wrong || reader->at >= reader->text.len || reader->text.data[reader->at] != byte)
        return false;
    reader->at++;
    return true;
}

static uint32_t read_number(struct reader *reader, uint32_t max)
{
    uint32_t value = 0;
    size_t begin = reader->at;
    while (reader->at < reader->text.len && reader->text.data[reader->at] >= '0' &&
           reader->text.data[reader->at] <= '9' && value <= max)
        value = value * 10 + (uint32_t)(reader->text.data[reader->at++] - '0');
    if (!reader->wrong && (reader->at == begin || reader->text.data[begin] == '0' || value > max)) {
        reader->wrong = "a number from 1 on, not too large, is expected";
        reader->at = begin;
    }
    return value;
}

/* "(n)" or "(*)"; `absent` when there is none. */
static uint32_t read_occurrence(struct reader *reader, uint32_t absent)
{
    if (!take(reader, '('))
        return absent;
    uint32_t number = take(reader, '*') ? HL7_EACH : read_number(reader, HL7_OCCURRENCE_MAX);
    if (!take(reader, ')') && !reader->wrong)
        reader->wrong = "\")\" is expected";
    return number;
}

static uint32_t read_name(struct reader *reader)
{
    const uint8_t *at = (const uint8_t *)reader->text.data;
    if (reader->text.len < 3 || !hl7_is_name(at, 3, 0)) {
        reader->wrong = "a segment name of three capitals or digits is expected";
        return 0;
    }
    reader->at = 3;
    return HL7_NAME(at[0], at[1], at[2]);
}

status hl7_path_compile(struct ctx *cx, struct str text, struct hl7_path *out_path)
{
    struct reader reader = {.text = text};
    struct hl7_path path = {.name = read_name(&reader)};
    path.segment = read_occurrence(&reader, 1);
    if (take(&reader, '-')) {
        path.field = (uint16_t)read_number(&reader, HL7_NUMBER_MAX);
        path.repetition = read_occurrence(&reader, 0);
        if (take(&reader, '.')) {
            path.component = (uint16_t)read_number(&reader, HL7_NUMBER_MAX);
            if (take(&reader, '.'))
                path.subcomponent = (uint16_t)read_number(&reader, HL7_NUMBER_MAX);
        }
    }
    if (!reader.wrong && reader.at < text.len)
        reader.wrong = "the end is expected";
    if (reader.wrong)
        return ctx_fail(cx, &hl7_reasons[HL7_BAD_PATH], "position %zu: %s", reader.at + 1, reader.wrong);
    *out_path = path;
    return STATUS_OK;
}

struct hl7_path hl7_path_make(const char *text)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct hl7_path path = {0};
    if (hl7_path_compile(&cx, str_from(text), &path) != STATUS_OK)
        mem_panic("hl7_path_make", text);
    arena_fini(&arena);
    return path;
}

/* By hand: a trace names the place of every code and every change. */
static char *put_number(char *out, uint32_t number)
{
    char digits[10];
    size_t count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        *out++ = digits[--count];
    return out;
}

static char *put_occurrence(char *out, uint32_t number)
{
    *out++ = '(';
    if (number == HL7_EACH)
        *out++ = '*';
    else
        out = put_number(out, number);
    *out++ = ')';
    return out;
}

static char *put_part(char *out, char before, uint32_t number)
{
    *out++ = before;
    return put_number(out, number);
}

/* Every number as long as it may be, at their signs. */
_Static_assert(HL7_PATH_TEXT_MAX > 3 + 2 * (2 + 10) + 3 * (1 + 10), "the longest path and its end fit");

size_t hl7_path_format(const struct hl7_path *path, char out[HL7_PATH_TEXT_MAX])
{
    char *at = out;
    *at = 0;
    if (path->name == 0)
        return 0;
    for (int shift = 16; shift >= 0; shift -= 8)
        *at++ = (char)(path->name >> shift);
    if (path->segment != 1)
        at = put_occurrence(at, path->segment);
    if (path->field != 0) {
        at = put_part(at, '-', path->field);
        if (path->repetition != 0)
            at = put_occurrence(at, path->repetition);
        if (path->component != 0)
            at = put_part(at, '.', path->component);
        if (path->subcomponent != 0)
            at = put_part(at, '.', path->subcomponent);
    }
    *at = 0;
    return (size_t)(at - out);
}

bool hl7_path_eq(const struct hl7_path *left, const struct hl7_path *right)
{
    return left->name == right->name && left->segment == right->segment && left->field == right->field &&
           left->repetition == right->repetition && left->component == right->component &&
           left->subcomponent == right->subcomponent;
}

bool hl7_path_is_concrete(const struct hl7_path *path)
{
    return path->segment != HL7_EACH && path->repetition != HL7_EACH;
}

/* The part of a field or repetition that the rest of the path names. */
static struct str below_repetition(const struct hl7_index *index, const struct hl7_path *path, struct str value)
{
    if (path->component != 0)
        value = hl7_component(index, value, path->component);
    if (path->subcomponent != 0)
        value = hl7_subcomponent(index, value, path->subcomponent);
    return value;
}

struct str hl7_get(const struct hl7_index *index, const struct hl7_path *path)
{
    ptrdiff_t number = hl7_find_segment(index, path->name, path->segment == HL7_EACH ? 1 : path->segment, 0);
    return number < 0 ? STR_NONE : hl7_get_in(index, path, (uint32_t)number);
}

struct str hl7_get_in(const struct hl7_index *index, const struct hl7_path *path, uint32_t number)
{
    if (path->field == 0)
        return hl7_segment_bytes(index, number);
    struct str value = hl7_field(index, number, path->field);
    if (path->repetition != 0 || path->component != 0)
        value =
            hl7_repetition(index, value, path->repetition == 0 || path->repetition == HL7_EACH ? 1 : path->repetition);
    return below_repetition(index, path, value);
}

struct str hl7_at(const struct hl7_index *index, const char *path)
{
    struct hl7_path compiled = hl7_path_make(path);
    return hl7_get(index, &compiled);
}

void hl7_walk_init(struct hl7_walk *walk, const struct hl7_index *index, const struct hl7_path *path)
{
    *walk = (struct hl7_walk){.index = index, .path = *path, .at = *path};
    walk->at.segment = 0;
}

/* The next segment the path names, or false. Leaves its field in walk->repetitions. */
static bool walk_to_segment(struct hl7_walk *walk)
{
    bool each = walk->path.segment == HL7_EACH;
    if (!each && walk->at.segment != 0)
        return false;
    ptrdiff_t number =
        hl7_find_segment(walk->index, walk->path.name, each ? 1 : walk->path.segment, walk->next_segment);
    if (number < 0)
        return false;
    walk->segment_number = (uint32_t)number;
    walk->next_segment = (uint32_t)number + 1;
    walk->at.segment = each ? walk->at.segment + 1 : walk->path.segment;
    walk->at.repetition = walk->path.repetition == HL7_EACH ? 0 : walk->path.repetition;
    return true;
}

/* The next value in the current segment's field; data NULL when there is none left. */
static struct str walk_in_field(struct hl7_walk *walk)
{
    const struct hl7_index *index = walk->index;
    struct str value;
    while (hl7_next_repetition(index, &walk->repetitions, &value)) {
        walk->at.repetition++;
        value = below_repetition(index, &walk->path, value);
        if (value.data != NULL)
            return value;
    }
    return STR_NONE;
}

bool hl7_walk_next(struct hl7_walk *walk)
{
    const struct hl7_path *path = &walk->path;
    for (;;) {
        if (walk->in_field) {
            walk->value = walk_in_field(walk);
            if (walk->value.data != NULL)
                return true;
            walk->in_field = false;
        }
        if (!walk_to_segment(walk))
            return false;
        if (path->field == 0) {
            walk->value = hl7_segment_bytes(walk->index, walk->segment_number);
            return true;
        }
        struct str field = hl7_field(walk->index, walk->segment_number, path->field);
        if (path->repetition == HL7_EACH && path->field != 0) {
            walk->repetitions = field;
            walk->in_field = true;
            continue;
        }
        if (path->repetition != 0 || path->component != 0)
            field = hl7_repetition(walk->index, field, path->repetition ? path->repetition : 1);
        walk->value = below_repetition(walk->index, path, field);
        if (walk->value.data != NULL)
            return true;
    }
}
