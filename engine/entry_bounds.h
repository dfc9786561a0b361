/*
 * What one entry may have index and codes do: by the bounds of the daemon that journaled it, not of the one that
 * applies it. What was answered AA then stays so when an upgrade has smaller bounds, or the store is made again from
 * the journal. A START entry names them by their number, and they hold for what comes after it (docs/adr/0001).
 *
 * A bound that apply keeps gets another value: add a row, never change one. Immutable.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct entry_bounds {
    uint64_t rows_bytes;     /* of records and versions read and written; the bound is LIMIT_IDENTITY_ROWS_BYTES */
    uint64_t rows_put_bytes; /* of those written alone */
    size_t values;           /* said of its patients: LIMIT_VALUES_PER_ENTRY */
    size_t work_items;       /* told apart: LIMIT_WORK_ITEMS_PER_ENTRY; not refused, but counted together */
};

enum {
    ENTRY_BOUNDS_FIRST = 1, /* of entries before any START that names some */
    ENTRY_BOUNDS_NOW = 2,   /* of what is journaled from now on */
};

/* NULL: of a newer idem. */
const struct entry_bounds *entry_bounds_get(uint32_t number);
