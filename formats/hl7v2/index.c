/* Building the index: header, scan, character set. */
#include "index_internal.h"

#include "base/limits.h"
#include "base/mem.h"

enum { FIRST_LINE = 512 };

_Static_assert((uint64_t)LIMIT_MESSAGE_BYTES < UINT32_MAX, "offsets are 32 bits");

static bool is_usable_delimiter(uint8_t byte)
{
    bool alphanumeric = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
    return byte > 0x20 && byte < 0x7f && !alphanumeric;
}

/* [HL7 2.5.1 2.15.9.1, 2.15.9.2]: MSH-1 is the byte after MSH, MSH-2 up to five bytes after it. */
int hl7_read_delimiters(struct str msh, struct hl7_delimiters *out)
{
    if (msh.len < 4)
        return HL7_SHORT_MSH;
    uint8_t separator = (uint8_t)msh.data[3];
    if (!is_usable_delimiter(separator))
        return HL7_BAD_DELIMITERS;

    size_t end = 4;
    while (end < msh.len && (uint8_t)msh.data[end] != separator && msh.data[end] != '\r' && msh.data[end] != '\n')
        end++;
    if (end == msh.len || (uint8_t)msh.data[end] != separator)
        return HL7_SHORT_MSH;

    struct str encoding = str_sub(msh, 4, end - 4);
    char *places[] = {&out->component, &out->repetition, &out->escape, &out->subcomponent, &out->truncation};
    if (encoding.len == 0 || encoding.len > sizeof places / sizeof places[0])
        return HL7_BAD_DELIMITERS;
    for (size_t i = 0; i < encoding.len; i++)
        if (!is_usable_delimiter((uint8_t)encoding.data[i]) || memchr(encoding.data, encoding.data[i], i) != NULL)
            return HL7_BAD_DELIMITERS;

    *out = (struct hl7_delimiters){.field = (char)separator};
    for (size_t i = 0; i < encoding.len; i++)
        *places[i] = encoding.data[i];
    return -1;
}

/* Where MSH begins: a byte order mark and blank lines before it are harmless. */
static size_t skip_to_msh(struct hl7_index *index, struct str bytes)
{
    size_t at = 0;
    if (str_starts(bytes, STR("\xef\xbb\xbf"))) {
        at = 3;
        index->warnings.byte_order_mark = 1;
    }
    for (; at < bytes.len && (bytes.data[at] == '\r' || bytes.data[at] == '\n'); at++)
        index->warnings.blank_lines++;
    return at;
}

/* The first line end of a message tells its habit: after a lone CR, LF may be data. */
static bool feeds_end_segments(struct str bytes, size_t at, const struct hl7_input *input)
{
    if (input->strict_line_ends)
        return false;
    for (; at < bytes.len; at += FIRST_LINE) { /* in windows: the first line end is near, the last byte may be far */
        struct str window = str_sub(bytes, at, FIRST_LINE);
        const char *cr = memchr(window.data, '\r', window.len);
        size_t before = cr ? (size_t)(cr - window.data) : window.len;
        if (memchr(window.data, '\n', before) != NULL)
            return true;
        if (cr != NULL)
            return cr + 1 < bytes.data + bytes.len && cr[1] == '\n';
    }
    return false;
}

/* The segment, and where it can be told the field, that holds the byte. */
static struct hl7_path path_of_byte(const struct hl7_index *index, size_t at)
{
    for (uint32_t i = 0; i < index->segment_count; i++) {
        const struct hl7_segment *segment = &index->segments[i];
        if (at < segment->at || at >= segment->end)
            continue;
        struct hl7_path path = {.name = segment->name, .segment = 1};
        for (uint32_t before = 0; before < i; before++)
            path.segment += index->segments[before].name == segment->name;
        uint32_t field = hl7_is_header_name(segment->name);
        for (uint32_t mark = segment->mark; index->marks[mark] < at && field < HL7_NUMBER_MAX; mark++)
            field++;
        path.field = (uint16_t)field;
        return path;
    }
    return (struct hl7_path){0};
}

static status fail_scan(const struct scan *scan, struct ctx *cx)
{
    struct hl7_index *index = scan->index;
    const struct reason *reason = &hl7_reasons[scan->fault];
    uint32_t line = index->segment_count + 1;
    switch ((enum hl7_reason)scan->fault) {
    case HL7_NUL_BYTE:
        return ctx_fail(cx, reason, "at byte %zu", scan->fault_at);
    case HL7_TOO_MANY_SEGMENTS:
        return ctx_fail(cx, reason, "more than %u", scan->segments_max);
    default:
        return ctx_fail(cx, reason, "segment %u, at byte %zu", line, scan->fault_at);
    }
}

static struct scan begin_scan(struct hl7_index *index, size_t at, const struct hl7_input *input)
{
    index->segment_count = 0;
    return (struct scan){
        .index = index,
        .at = (const uint8_t *)index->bytes.data,
        .begin = at,
        .start = at,
        .len = index->bytes.len,
        .segments_max = input->segments_max ? input->segments_max : LIMIT_MESSAGE_SEGMENTS,
        .feeds_end = feeds_end_segments(index->bytes, at, input),
        .strict = input->strict_line_ends,
        .nul_at = SIZE_MAX,
        .fault = -1,
    };
}

static status check_scan(struct scan *scan, struct ctx *cx, bool whole)
{
    if (whole && scan->nul_at != SIZE_MAX) {
        scan->fault = HL7_NUL_BYTE;
        scan->fault_at = scan->nul_at;
        scan->index->fault = path_of_byte(scan->index, scan->nul_at);
        whole = false;
    }
    return whole ? STATUS_OK : fail_scan(scan, cx);
}

/*
 * The fast scan first; again step by step when it met something that only then can be judged: LF in a CR message,
 * shifted or lead-byte text. A fault of the fast scan is final only when no such thing can have caused it.
 */
static status scan_message(struct hl7_index *index, struct ctx *cx, size_t at, const struct hl7_input *input)
{
    struct hl7_warnings before = index->warnings;
    struct scan scan = begin_scan(index, at, input);
    bool whole = hl7_scan_fast(&scan);
    if (!whole && index->segment_count == 0)
        return check_scan(&scan, cx, whole);

    TRY(hl7_charset_declare(index, cx, input));
    bool feeds = scan.feed_seen || (!whole && memchr(index->bytes.data, '\n', index->bytes.len) != NULL);
    bool careful_feeds = feeds && !scan.feeds_end && !input->strict_line_ends;
    index->stepwise = (index->shifts && memchr(index->bytes.data, HL7_ESC, index->bytes.len) != NULL) ||
                      (charset_shape(index->charset) == CHARSET_SHAPE_LEAD && (scan.high || !whole));
    if (careful_feeds || index->stepwise) {
        index->warnings = before;
        bool high = scan.high;
        scan = begin_scan(index, at, input);
        scan.high = high;
        whole = hl7_scan_careful(&scan);
    } else if (scan.feed_seen) {
        index->warnings.feeds_in_text++; /* strict: LF is data */
    }
    TRY(check_scan(&scan, cx, whole));
    index->ascii = !scan.high && !scan.escape;
    return STATUS_OK;
}

static status build(struct hl7_index *index, struct ctx *cx, struct str bytes, const struct hl7_input *input)
{
    size_t bytes_max = input->bytes_max ? input->bytes_max : LIMIT_MESSAGE_BYTES;
    if (bytes.len > bytes_max || bytes.len >= UINT32_MAX)
        return ctx_fail(cx, &hl7_reasons[HL7_TOO_LONG], "%zu bytes, at most %zu", bytes.len, bytes_max);

    size_t at = skip_to_msh(index, bytes);
    struct str msh = str_from_at(bytes, at);
    if (!str_starts(msh, STR("MSH")))
        return ctx_fail(cx, &hl7_reasons[HL7_NO_MSH], "%zu bytes", bytes.len);
    int bad = hl7_read_delimiters(msh, &index->delimiters);
    if (bad >= 0) {
        index->fault =
            (struct hl7_path){.name = HL7_NAME('M', 'S', 'H'), .segment = 1, .field = bad == HL7_SHORT_MSH ? 0 : 2};
        return ctx_fail(cx, &hl7_reasons[bad], NULL);
    }
    TRY(scan_message(index, cx, at, input));
    return hl7_charset_check(index, cx, input);
}

status hl7_index_build(struct hl7_index *index, struct ctx *cx, struct str bytes, const struct hl7_input *options)
{
    static const struct hl7_input lenient = {0};
    *index = (struct hl7_index){
        .bytes = bytes,
        .segments = index->segments,
        .segments_cap = index->segments_cap,
        .marks = index->marks,
        .marks_cap = index->marks_cap,
    };
    status built = build(index, cx, bytes, options ? options : &lenient);
    if (built != STATUS_OK)
        index->segment_count = 0;
    return built;
}

void hl7_index_fini(struct hl7_index *index)
{
    if (index == NULL)
        return;
    mem_free(index->segments);
    mem_free(index->marks);
    *index = (struct hl7_index){0};
}

void hl7_index_trim(struct hl7_index *index, size_t bytes_max)
{
    size_t held = index->segments_cap * sizeof *index->segments + index->marks_cap * sizeof *index->marks;
    if (held > bytes_max)
        hl7_index_fini(index);
}

uint32_t hl7_warnings_total(const struct hl7_warnings *warnings)
{
    return warnings->byte_order_mark + warnings->blank_lines + warnings->line_ends + warnings->feeds_in_text +
           warnings->control_bytes + warnings->charset;
}
