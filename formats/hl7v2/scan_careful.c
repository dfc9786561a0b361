/* The careful scanner: one step at a time, for LF inside fields of a CR message and for text whose bytes look like
 * delimiters. */
#include "index_internal.h"

/* In a message whose segments end with CR, LF ends one only where a segment (or nothing) follows: report texts hold LF.
 */
static bool feed_ends_segment(const struct scan *scan, size_t at)
{
    if (scan->strict)
        return false;
    if (scan->feeds_end || at == scan->start)
        return true;
    size_t next = at + 1;
    while (next < scan->len && (scan->at[next] == '\r' || scan->at[next] == '\n'))
        next++;
    if (next == scan->len)
        return true;
    size_t left = scan->len - next, len = left < 4 ? left : 4;
    if (len == 4 && (scan->at[next + 3] == '\r' || scan->at[next + 3] == '\n'))
        len = 3;
    return hl7_is_name(scan->at + next, len, (uint8_t)scan->index->delimiters.field);
}

static size_t add_mark(struct scan *scan, size_t at)
{
    if (scan->index->marks_cap < scan->mark_count + 1)
        hl7_scan_grow_marks(scan->index, scan->mark_count + 1);
    scan->index->marks[scan->mark_count] = (uint32_t)at;
    return scan->mark_count++;
}

bool hl7_scan_careful(struct scan *scan)
{
    struct hl7_index *index = scan->index;
    struct str bytes = {(const char *)scan->at, scan->len};
    enum charset base = hl7_base_charset(index), shifted = base;
    size_t step;
    for (size_t at = scan->begin; at < scan->len; at += step) {
        step = index->stepwise ? hl7_step(index, &shifted, str_from_at(bytes, at)) : 1;
        uint8_t byte = scan->at[at];
        scan->high |= byte >= 0x80;
        if (step > 1) {
            scan->escape |= byte == HL7_ESC;
        } else if (byte == (uint8_t)index->delimiters.field) {
            add_mark(scan, at);
            shifted = base; /* a shift never reaches over a field: [HL7 2.5.1 2.15.9.20] */
        } else if (byte == '\r' || (byte == '\n' && feed_ends_segment(scan, at))) {
            if (!hl7_scan_close(scan, at, add_mark(scan, at)))
                return false;
            shifted = base;
        } else if (byte == '\n') {
            index->warnings.feeds_in_text++;
        } else if (byte < 0x20) {
            hl7_scan_odd(scan, at, 1);
        }
    }
    return hl7_scan_finish(scan);
}
