/*
 * struct hl7_index: where the segments and fields of one message are, over its original bytes.
 *
 * Zero-copy and lazy: one pass finds segments and fields; repetitions, components and subcomponents are looked for when
 * asked. Nothing is copied, changed or unescaped (text.h does that). An index may be built again for the next message
 * and keeps its arrays: no heap allocation per message once they are large enough.
 *
 *   struct hl7_index index = {0};
 *   TRY(hl7_index_build(&index, cx, bytes, NULL));
 *   struct str family = hl7_at(&index, "PID-5.1.1");
 *
 * Tolerated and counted in index->warnings: a UTF-8 byte order mark, blank lines, LF and CRLF as segment ends, LF
 * inside a field of a CR message, C0 control bytes other than NUL, text that is UTF-8 though nothing was declared.
 * Refused with a reason, index->fault says where: see enum hl7_reason.
 *
 * Memory:  borrows `bytes`, which must outlive the index's use; owns its arrays.
 * Threads: one thread to build; immutable after that.
 * Source:  [HL7 2.5.1 2.5, 2.6, 2.15.9]; docs/conformance/hl7v2.md.
 */
#pragma once

#include "base/text/charset.h"
#include "hl7v2/path.h"

enum hl7_reason {
    HL7_NO_MSH,         /* "hl7.no-msh": does not start with MSH */
    HL7_SHORT_MSH,      /* "hl7.short-msh": ends inside MSH-1 or MSH-2 */
    HL7_BAD_DELIMITERS, /* "hl7.bad-delimiters": equal, letters, digits, control or non-ASCII bytes, or more than five
                           in MSH-2 */
    HL7_BAD_SEGMENT,    /* "hl7.bad-segment": a line whose first three bytes are no segment name */
    HL7_SECOND_MSH,     /* "hl7.second-msh": another message begins inside: see batch.h */
    HL7_TOO_LONG,       /* "hl7.too-long": more than bytes_max bytes */
    HL7_TOO_MANY_SEGMENTS, /* "hl7.too-many-segments" */
    HL7_NUL_BYTE,          /* "hl7.nul-byte": a NUL inside the text */
    HL7_CHARSET_UNKNOWN,   /* "hl7.charset-unknown": MSH-18 names no usable set of table 0211, or more than eight */
    HL7_CHARSET,           /* "hl7.charset": bytes that are not text of the declared set */
    HL7_NO_CONTROL_ID,     /* "hl7.no-control-id": MSH-10 is empty (header.h) */
    HL7_LONG_CONTROL_ID,   /* "hl7.long-control-id" (header.h) */
    HL7_NO_TYPE,           /* "hl7.no-type": MSH-9 is empty (header.h) */
    HL7_NO_VERSION,        /* "hl7.no-version": MSH-12 is empty (header.h) */
    HL7_BAD_PATH,          /* "hl7.bad-path" (path.h) */
    HL7_CANNOT_ENCODE,     /* "hl7.cannot-encode": a character the message's set does not have, or no escape character
                              (text.h) */
    HL7_EDIT_PATH,         /* "hl7.edit-path": an edit whose place cannot be made (edit.h) */
    HL7_EDIT_VALUE,        /* "hl7.edit-value": a raw value with a delimiter of a higher level or a line end (edit.h) */
    HL7_EDIT_OVERLAP,      /* "hl7.edit-overlap": one edit's place contains another's (edit.h) */
    HL7_NOT_AN_ACK,        /* "hl7.not-an-ack" (ack.h) */
    HL7_BATCH_NESTED,      /* "hl7.batch-nested": FHS inside a file or BHS inside a batch (batch.h) */
    HL7_BATCH_TOO_LONG,    /* "hl7.batch-too-long": more than LIMIT_BATCH_MESSAGES messages (batch.h) */
    HL7_REASON_COUNT,
};
extern const struct reason hl7_reasons[HL7_REASON_COUNT];

/* 0 = the message does not have this one ([HL7 2.5.1 2.5.4]: MSH-2 may be short). */
struct hl7_delimiters {
    char field, component, repetition, escape, subcomponent;
    char truncation; /* [HL7 2.7 2.5.5.2] */
};

/* How to read; all-zero is the lenient default. */
struct hl7_input {
    bool strict_line_ends; /* only CR ends a segment; LF is data (counted) */
    bool trust_charset;    /* do not check that the bytes fit the declared set */
    /* when MSH-18 is empty: CHARSET_NONE = ASCII, and UTF-8 where bytes above 0x7F form it */
    enum charset charset_default;
    uint32_t bytes_max;    /* 0 = LIMIT_MESSAGE_BYTES */
    uint32_t segments_max; /* 0 = LIMIT_MESSAGE_SEGMENTS */
};

/* What was tolerated, in times seen. */
struct hl7_warnings {
    uint32_t byte_order_mark;
    uint32_t blank_lines;
    uint32_t line_ends;     /* segments that did not end with a lone CR; the last segment may end with nothing */
    uint32_t feeds_in_text; /* LF kept as data */
    uint32_t control_bytes; /* C0 other than TAB, CR, LF, and ESC where the set allows it */
    uint32_t charset;       /* nothing (or ASCII) declared, but bytes above 0x7F that are UTF-8 */
};

enum { HL7_CHARSETS_MAX = 8 };

struct hl7_segment {
    uint32_t at, end; /* bytes [at, end) of the message, without the line end */
    uint32_t name;    /* HL7_NAME('P','I','D') */
    uint32_t mark;    /* of its first field separator in index->marks; internal */
    uint32_t fields;  /* how many fields it has: the number of the last one (MSH-1 counts) */
};

struct hl7_index {
    struct str bytes; /* the message as given */
    struct hl7_delimiters delimiters;
    enum charset charset;                    /* in use: as declared, or as found when nothing was declared */
    enum charset charsets[HL7_CHARSETS_MAX]; /* MSH-18, all repetitions; [0] may be CHARSET_NONE */
    uint32_t charset_count;
    bool ascii;    /* no byte above 0x7F and no ESC anywhere: text needs no conversion */
    bool shifts;   /* MSH-18 announces more than one set: ESC sequences of ISO 2022 may occur */
    bool stepwise; /* delimiters cannot be looked for byte by byte: shifted or lead-byte text is present */
    struct hl7_warnings warnings;
    struct hl7_path fault; /* where a refused message is wrong; name 0 = not at a place */

    struct hl7_segment *segments;
    uint32_t segment_count;

    uint32_t *marks; /* owned: offsets of field separators; after those of a segment, its end */
    size_t marks_cap, segments_cap;
};

/* The index of `bytes`; `options` may be NULL. On failure segment_count is 0, but delimiters and header.h remain
 * usable. */
status hl7_index_build(struct hl7_index *index, struct ctx *cx, struct str bytes, const struct hl7_input *options);
void hl7_index_fini(struct hl7_index *index);
/* Gives back arrays that one huge message made larger than `bytes_max` in all; call between messages. */
void hl7_index_trim(struct hl7_index *index, size_t bytes_max);

/* All tolerated things together. */
uint32_t hl7_warnings_total(const struct hl7_warnings *warnings);

/* Below, `number` of a segment counts from 0; fields, repetitions, components from 1 as in the standard.
 * Absent: data == NULL. Present and empty: data != NULL, len 0. All borrow the message and allocate nothing. */

/* Number of the n-th (from 1) segment of this name at or after segment number `from`, or -1. */
ptrdiff_t hl7_find_segment(const struct hl7_index *index, uint32_t name, uint32_t nth, uint32_t from);
/* The segment's bytes, without its line end. */
struct str hl7_segment_bytes(const struct hl7_index *index, uint32_t number);
/* The whole field, all repetitions. */
struct str hl7_field(const struct hl7_index *index, uint32_t number, uint32_t field);
/* Parts of a raw value. A missing delimiter means there is exactly one part. */
struct str hl7_repetition(const struct hl7_index *index, struct str field, uint32_t n);
struct str hl7_component(const struct hl7_index *index, struct str repetition, uint32_t n);
struct str hl7_subcomponent(const struct hl7_index *index, struct str component, uint32_t n);
/* How many repetitions a raw field has: 1 at least, 0 when absent. */
uint32_t hl7_repetition_count(const struct hl7_index *index, struct str field);
/* Cuts the next repetition off *rest, for loops that stay linear; false at the end. Start with *rest = the field. */
bool hl7_next_repetition(const struct hl7_index *index, struct str *rest, struct str *out_repetition);
bool hl7_next_component(const struct hl7_index *index, struct str *rest, struct str *out_component);

/* The explicit null: two quotes, "delete what you have" ([HL7 2.5.1 2.5.3]). Empty means "say nothing". */
static inline bool hl7_is_null(struct str raw)
{
    return raw.len == 2 && raw.data[0] == '"' && raw.data[1] == '"';
}
