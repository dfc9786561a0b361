/*
 * Raw field bytes to UTF-8 text and back: escapes once, character sets of MSH-18.
 *
 * Decoding: \F\ \S\ \T\ \R\ \E\ \P\ become the delimiters; \Xdd..\ the bytes, in the message's character set;
 * \.br\ \.ce\ a line feed, \.sp<n>\ n of them (at most 16), \.sk<n>\ n blanks (at most 16), \.in \.ti \.fi \.nf and
 * \H\ \N\ nothing; \Cxxyy\ and \Mxxyyzz\ switch the set until the next switch or the end of the value. Local \Z..\,
 * unknown, odd and unterminated escapes stay as they are, as text, and are counted. The result is never read for
 * escapes again. Source: [HL7 2.5.1 2.7].
 *
 * Threads: pure. Linear in the value.
 */
#pragma once

#include "hl7v2/index.h"

struct hl7_text_notes {
    uint32_t unknown_escapes; /* passed as text */
    uint32_t bad_bytes;       /* not text of the set: U+FFFD */
};

/* The decoded text. Borrows `raw` itself when nothing had to change, else it is in the arena. `notes` may be NULL, adds
 * up. */
struct str hl7_text(const struct hl7_index *index, struct arena *arena, struct str raw, struct hl7_text_notes *notes);
/* Is `raw` its own text, so that nothing has to be decoded? */
bool hl7_text_is_plain(const struct hl7_index *index, struct str raw);
/* The same as hl7_text(), appended to `out`. */
void hl7_text_decode(const struct hl7_index *index, struct str raw, struct buf *out, struct hl7_text_notes *notes);

/*
 * UTF-8 text as the raw bytes of one subcomponent (or of a component or field without parts) in the message's
 * delimiters and character set: delimiters are escaped, control bytes become \Xdd\, LF becomes \.br\. Errors:
 * hl7.cannot-encode when the set lacks a character (detail: U+xxxx is not given, only the count) or an escape is needed
 * and the message has no escape character; *out is then as it was.
 */
status hl7_text_encode(const struct hl7_index *index, struct ctx *cx, struct str utf8, struct buf *out);
