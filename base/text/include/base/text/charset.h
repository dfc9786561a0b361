/*
 * Character sets of HL7 table 0211 to UTF-8 and back.
 *
 * The names of table 0211 are the only names: "UNICODE UTF-8", "8859/1", "ISO IR87", "GB 18030-2000", …
 * Bytes that do not fit become U+FFFD and are counted, so that the caller decides between refusing and showing.
 * Memory:  every call appends at most CHARSET_GROWTH times its input to `out`.
 * Threads: any; the tables of the one-byte sets are made once and then immutable.
 * Source:  [HL7 2.5.1 2.15.9.18] MSH-18, table 0211; ICU does the mapping.
 */
#pragma once

#include "base/buf.h"

enum charset {
    CHARSET_NONE = 0, /* nothing declared */
    CHARSET_ASCII,    /* "ASCII", "ISO IR6" */
    CHARSET_UTF8,     /* "UNICODE UTF-8" */
    CHARSET_8859_1,
    CHARSET_8859_2,
    CHARSET_8859_3,
    CHARSET_8859_4,
    CHARSET_8859_5,
    CHARSET_8859_6,
    CHARSET_8859_7,
    CHARSET_8859_8,
    CHARSET_8859_9,
    CHARSET_8859_15,
    CHARSET_JIS_X0201, /* "ISO IR14": one byte, Latin with yen sign and half-width katakana */
    CHARSET_JIS_X0208, /* "ISO IR87": two 7-bit bytes a character */
    CHARSET_JIS_X0212, /* "ISO IR159": two 7-bit bytes a character */
    CHARSET_GB18030,
    CHARSET_KS_X1001,
    CHARSET_CNS11643,
    CHARSET_BIG5,
    CHARSET_UTF16, /* "UNICODE", "UNICODE UTF-16": named so that it can be refused by name; MLLP cannot carry it */
    CHARSET_UTF32,
    CHARSET_COUNT,
};

enum { CHARSET_GROWTH = 4 };

/* How the bytes of a set relate to ASCII: decides how delimiters may be looked for. */
enum charset_shape {
    CHARSET_SHAPE_PLAIN,  /* every byte below 0x80 is that ASCII character */
    CHARSET_SHAPE_LEAD,   /* a lead byte >= 0x81 may be followed by one below 0x80 that is no character of its own */
    CHARSET_SHAPE_DOUBLE, /* pairs of 7-bit bytes: only reachable by an escape sequence */
    CHARSET_SHAPE_WIDE,   /* 2 or 4 bytes each, NULs included: not for HL7 messages */
};

/* The set with this table 0211 name (blanks around it and letter case ignored). False, and *out untouched, when
 * unknown. */
bool charset_from_hl7(struct str name, enum charset *out_set);
/* Its table 0211 name; "" for CHARSET_NONE. */
const char *charset_hl7_name(enum charset set);
enum charset_shape charset_shape(enum charset set);

/* Length in bytes of the character that starts `bytes` (1 when it is broken), for CHARSET_SHAPE_LEAD sets. 0 at the
 * end. */
size_t charset_step(enum charset set, struct str bytes);

/* The set that an ISO 2022 escape selects, given what follows ESC, e.g. "$B", "(B", "$(D", "-A". Source: [ISO 2022],
 * [HL7 2.5.1 2.7.2]. False when it is none of the sets above. */
bool charset_from_iso2022(struct str after_escape, enum charset *out_set);
/* What follows ESC to select the set, or "" when it has no such escape. */
const char *charset_iso2022(enum charset set);

/* Do all bytes fit the set? Allocates nothing for ASCII, UTF-8 and the one-byte sets. */
bool charset_fits(enum charset set, struct str bytes);

/* Appends the text as UTF-8; answers how many places did not fit (each written as U+FFFD). CHARSET_NONE is read as
 * UTF-8. */
size_t charset_to_utf8(enum charset set, struct str bytes, struct buf *out);

/* Appends `utf8` in the set; answers how many characters the set does not have, and then *out is as it was. */
size_t charset_from_utf8(enum charset set, struct str utf8, struct buf *out);
