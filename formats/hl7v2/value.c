/* Segments, fields, repetitions, components: looked up over the marks, or split when asked. */
#include "index_internal.h"

ptrdiff_t hl7_find_segment(const struct hl7_index *index, uint32_t name, uint32_t nth, uint32_t from)
{
    if (nth == 0)
        return -1;
    for (uint32_t i = from; i < index->segment_count; i++)
        if (index->segments[i].name == name && --nth == 0)
            return (ptrdiff_t)i;
    return -1;
}

struct str hl7_segment_bytes(const struct hl7_index *index, uint32_t number)
{
    if (number >= index->segment_count)
        return STR_NONE;
    const struct hl7_segment *segment = &index->segments[number];
    return (struct str){index->bytes.data + segment->at, segment->end - segment->at};
}

struct str hl7_field(const struct hl7_index *index, uint32_t number, uint32_t field)
{
    if (number >= index->segment_count || field == 0 || field > index->segments[number].fields)
        return STR_NONE;
    const struct hl7_segment *segment = &index->segments[number];
    const uint32_t *marks = index->marks + segment->mark;
    if (hl7_is_header_name(segment->name)) {
        if (field == 1)
            return (struct str){index->bytes.data + marks[0], 1};
        field--; /* MSH-n is token n-1: [HL7 2.5.1 2.15.9.1] */
    }
    return (struct str){index->bytes.data + marks[field - 1] + 1, marks[field] - marks[field - 1] - 1};
}

/* MSH-2 holds the delimiters themselves: it is one value whatever it contains. */
static bool is_encoding_field(const struct hl7_index *index, struct str value)
{
    if (index->segment_count == 0 || value.data == NULL)
        return false;
    const char *msh = index->bytes.data + index->segments[0].at;
    return value.data >= msh + 3 && value.data <= msh + 4;
}

static struct str nth_part(const struct hl7_index *index, struct str value, uint32_t n, char delimiter)
{
    if (value.data == NULL || n == 0)
        return STR_NONE;
    if (is_encoding_field(index, value))
        return n == 1 ? value : STR_NONE;
    for (;;) {
        size_t end = hl7_find_delimiter(index, value, delimiter);
        if (--n == 0)
            return str_sub(value, 0, end);
        if (end == value.len)
            return STR_NONE;
        value = str_from_at(value, end + 1);
    }
}

struct str hl7_repetition(const struct hl7_index *index, struct str field, uint32_t n)
{
    return nth_part(index, field, n, index->delimiters.repetition);
}

struct str hl7_component(const struct hl7_index *index, struct str repetition, uint32_t n)
{
    return nth_part(index, repetition, n, index->delimiters.component);
}

struct str hl7_subcomponent(const struct hl7_index *index, struct str component, uint32_t n)
{
    return nth_part(index, component, n, index->delimiters.subcomponent);
}

uint32_t hl7_repetition_count(const struct hl7_index *index, struct str field)
{
    uint32_t count = 0;
    struct str part;
    while (hl7_next_repetition(index, &field, &part))
        count++;
    return count;
}

/* rest->data == NULL is the end; a trailing delimiter still has an empty part behind it. */
static bool next_part(const struct hl7_index *index, struct str *rest, char delimiter, struct str *out_part)
{
    if (rest->data == NULL)
        return false;
    size_t end = is_encoding_field(index, *rest) ? rest->len : hl7_find_delimiter(index, *rest, delimiter);
    *out_part = str_sub(*rest, 0, end);
    *rest = end == rest->len ? STR_NONE : str_from_at(*rest, end + 1);
    return true;
}

bool hl7_next_repetition(const struct hl7_index *index, struct str *rest, struct str *out_repetition)
{
    return next_part(index, rest, index->delimiters.repetition, out_repetition);
}

bool hl7_next_component(const struct hl7_index *index, struct str *rest, struct str *out_component)
{
    return next_part(index, rest, index->delimiters.component, out_component);
}
