/*
 * Everything `idem` shows: one function that makes strangers' bytes safe, then tables, bars, times and colours made of
 * it.
 *
 * Bytes from messages, answers and files reach the terminal only through cli_safe(): a control character in a patient's
 * name must never move a steward's cursor, change a title or reorder what is read.
 *
 * Threads: pure, but for the buffers given.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/*
 * Appends `bytes` as text a terminal can do nothing with but show.
 * Control characters become pictures (ESC is U+241B), bytes that are not UTF-8 and characters that steer the display
 * (C1, bidirectional controls, zero-width, line separators, tags, private use) become <U+202E> or <FF>; more than four
 * combining marks on one letter likewise. Line ends are control characters too: the answer is always one line.
 */
void cli_safe(struct buf *out, struct str bytes);
/* The same, in the arena, NUL-ended. */
struct str cli_safe_str(struct arena *arena, struct str bytes);
struct str cli_safe_text(struct arena *arena, const char *nul_ended);

/* Columns a safe text takes: wide letters 2, combining marks 0. */
size_t cli_width(struct str safe);
/* Cut to `columns`, with an ellipsis in the last one when something was cut. Borrows or copies into the arena. */
struct str cli_clip(struct arena *arena, struct str safe, size_t columns);

enum cli_paint { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_GREEN, CLI_RED, CLI_YELLOW, CLI_CYAN };

struct cli_show {
    struct arena *arena;
    struct buf *out;
    bool color;
    size_t width; /* columns of the screen: 80 to 120 */
};

/* Text in a colour, or plain when colours are off. `safe` is already safe. */
void cli_put(struct cli_show *show, enum cli_paint paint, struct str safe);
void cli_putf(struct cli_show *show, enum cli_paint paint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A heading line. */
void cli_title(struct cli_show *show, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- tables ---- */

enum { CLI_COLUMNS_MAX = 12 };

struct cli_column {
    const char *title;
    bool right;        /* numbers */
    uint8_t width_min; /* never narrower than this when the screen is too small; 0 = 6 */
    bool fixed;        /* never cut */
};

/* Rows are collected, then fitted to the screen: the widest columns that may shrink are cut first. */
struct cli_table {
    struct cli_show *show;
    const struct cli_column *columns;
    size_t column_count;
    struct cli_cell *cells;
    size_t cell_count, cell_cap;
};
struct cli_cell {
    struct str text; /* safe */
    enum cli_paint paint;
};

void cli_table_init(struct cli_table *table, struct cli_show *show, const struct cli_column *columns, size_t count);
/* Cells in column order; each goes through cli_safe(). */
void cli_cell(struct cli_table *table, enum cli_paint paint, struct str bytes);
void cli_cell_text(struct cli_table *table, const char *nul_ended);
void cli_cellf(struct cli_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes the table, indented; nothing when it has no rows. */
void cli_table_end(struct cli_table *table, size_t indent);

/* ---- evidence ---- */

struct cli_evidence {
    const char *field, *level;
    int32_t weight_mbit;
};
enum { CLI_PROBABILITY_UNKNOWN = 1000001 };
/* One bar per field; the weights printed add up to the score exactly: what the rows lack is shown as a row of its own.
 */
void cli_bars(struct cli_show *show, const struct cli_evidence *evidence, size_t count, int32_t score_mbit,
              uint32_t probability_ppm);
/* "+9.250" bits, from millibits. */
void cli_format_bits(int32_t mbit, char out[24]);

/* ---- times and numbers ---- */

/* "2026-11-21 12:25:03", UTC; "-" for 0. */
void cli_format_time(int64_t us, char out[32]);
/* "12:25:03.123456" */
void cli_format_clock(int64_t us, char out[32]);
/* "830 us", "12.4 ms", "3.2 s", "2 h 05 min" */
void cli_format_span(int64_t us, char out[32]);
/* "1,234,567" */
void cli_format_count(uint64_t count, char out[32]);
/* "12.3 MB" */
void cli_format_size(uint64_t bytes, char out[32]);
