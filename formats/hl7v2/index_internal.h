/* Shared inside the room: the scanners' state and delimiter search that knows shifted and lead-byte text. */
#pragma once

#include "hl7v2/index.h"

enum { HL7_ESC = 0x1b };

/* One pass over a message that fills index->marks and index->segments. */
struct scan {
    struct hl7_index *index;
    const uint8_t *at;
    size_t begin, len; /* bytes [begin, len) are scanned */
    size_t start;      /* of the segment that is open */
    size_t mark_count;
    size_t segment_mark; /* first mark of the open segment */
    uint32_t segments_max;
    bool feeds_end;    /* LF ends a segment */
    bool strict;       /* LF never does */
    bool high, escape; /* a byte above 0x7F, an ESC was seen */
    bool feed_seen;    /* LF that did not end a segment */
    size_t nul_at;     /* SIZE_MAX = none */
    size_t fault_at;
    int fault; /* enum hl7_reason, or -1 */
};

/* False when the message is refused: scan->fault and fault_at say why. */
bool hl7_scan_fast(struct scan *scan);
/* The same result byte by byte, for messages whose LF is sometimes data, or whose text is stepwise. */
bool hl7_scan_careful(struct scan *scan);
const char *hl7_scanner_name(void);

void hl7_scan_grow_marks(struct hl7_index *index, size_t count);
/* A line ended at `end`; its end is mark number `mark`. */
bool hl7_scan_close(struct scan *scan, size_t end, size_t mark);
/* The input ended without a line end. */
bool hl7_scan_finish(struct scan *scan);
/* Bytes below 0x20 that end nothing, one bit each from `at` on. */
void hl7_scan_odd(struct scan *scan, size_t at, uint64_t bits);

bool hl7_is_name(const uint8_t *at, size_t len, uint8_t separator);

/* MSH, FHS and BHS: their field 1 is the separator itself. */
static inline bool hl7_is_header_name(uint32_t name)
{
    return name == HL7_NAME('M', 'S', 'H') || name == HL7_NAME('F', 'H', 'S') || name == HL7_NAME('B', 'H', 'S');
}

/* hl7_get() within the segment of this number, whatever occurrence the path names. */
struct str hl7_get_in(const struct hl7_index *index, const struct hl7_path *path, uint32_t number);

/* The set a value starts in. */
enum charset hl7_base_charset(const struct hl7_index *index);
/* Length of what starts `rest`: 1 = one byte that may be a delimiter, more = bytes that belong together and are none.
 * Follows ISO 2022 escapes in *shifted. */
size_t hl7_step(const struct hl7_index *index, enum charset *shifted, struct str rest);
/* Position of the delimiter in `s`, or s.len. *shifted is the set at the start, then at the answer. */
size_t hl7_find_stepwise(const struct hl7_index *index, enum charset *shifted, struct str s, char delimiter);
/* The same from the start of a value; delimiter 0 is never found. */
size_t hl7_find_delimiter(const struct hl7_index *index, struct str s, char delimiter);

/* The next run of bytes in one set. False at the end. */
bool hl7_next_run(const struct hl7_index *index, enum charset *shifted, struct str *rest, struct str *out_run,
                  enum charset *out_set);

/* Reads MSH-1 and MSH-2 at `msh`. Answers -1 or the reason (enum hl7_reason). */
int hl7_read_delimiters(struct str msh, struct hl7_delimiters *out);

/* After the scan: MSH-18, and whether the bytes fit. */
status hl7_charset_declare(struct hl7_index *index, struct ctx *cx, const struct hl7_input *input);
status hl7_charset_check(struct hl7_index *index, struct ctx *cx, const struct hl7_input *input);
