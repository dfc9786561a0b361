/*
 * Byte-preserving edits: a list of (place, new value) applied in one pass. Bytes outside the edited places are copied
 * as they are: quirks, Z segments, line ends, escapes. An edit list that changes nothing gives the same bytes.
 *
 * Missing fields, repetitions and components are made with the fewest delimiters; setting a missing place to "" makes
 * nothing. Several edits may meet in one field. The same path twice: the later one wins. A path inside another edited
 * path: refused. MSH-1 and MSH-2 (FHS, BHS alike) cannot be edited.
 *
 * Threads: one thread per list.
 */
#pragma once

#include "hl7v2/index.h"

enum hl7_edit_kind {
    HL7_EDIT_TEXT,   /* value is UTF-8 text of one leaf: encoded and escaped */
    HL7_EDIT_RAW,    /* value is raw: delimiters of lower levels count. A segment path replaces the whole segment */
    HL7_EDIT_REMOVE, /* a segment path: the segment and its line end go. Elsewhere: the place becomes empty */
    HL7_EDIT_AFTER,  /* a segment path: value is a whole raw segment, put on a line of its own after it */
};

struct hl7_edit {
    enum hl7_edit_kind kind;
    struct hl7_path path; /* concrete */
    struct str value;     /* borrowed until hl7_edit_apply() returns */
    struct str before;    /* set by hl7_edit_apply(): raw, borrows the message; data NULL = was absent */
    struct str after;     /* set by hl7_edit_apply(): raw; borrows `value` or is in cx->arena */
};

/*
 * Appends the edited message to `out`. `edits` are not reordered; their before and after are filled in.
 * Memory:  scratch and encoded values in cx->arena.
 * Errors:  hl7.edit-path (no such segment, not concrete, a level whose delimiter the message lacks, MSH-1/2),
 *          hl7.edit-value, hl7.edit-overlap, hl7.cannot-encode; the detail names the path. *out is then as it was.
 */
status hl7_edit_apply(const struct hl7_index *index, struct ctx *cx, struct hl7_edit *edits, size_t count,
                      struct buf *out);
