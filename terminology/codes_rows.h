/*
 * What the rows of the code tables hold, in types that nothing else uses: the API may change without the format.
 *
 *   codes.release  id      a registered release (struct codes_release_row)
 *   codes.active   system  its activated ids, oldest first, each a varint
 *   codes.work     "#"     how many work items there are, a varint
 *                  'w', source, path, system, code, each with its length: a work item (struct codes_work_row)
 *
 * Memory: strings borrow the row. Threads: pure. Decoders: false for what is no such row.
 */
#pragma once

#include "base/buf.h"

struct codes_release_row {
    struct str system, version, kind, pack_file;
    uint8_t sha256[32];
    uint64_t concepts;
    int64_t registered_us, activated_us; /* activated: 0 = never */
};
void codes_release_row_encode(struct buf *out, const struct codes_release_row *row);
bool codes_release_row_decode(struct str bytes, struct codes_release_row *out_row);

enum codes_work_outcome {
    CODES_WORK_UNMAPPED = 2,
    CODES_WORK_INVALID = 3,
    CODES_WORK_BEYOND_LIMIT =
        255, /* of a source and path, for what came past CODES_WORK_ROWS_MAX or LIMIT_WORK_ITEMS_PER_ENTRY */
};
struct codes_work_row {
    uint64_t count, first_seq, last_seq; /* count: at least 1 */
    int64_t first_us, last_us;
    enum codes_work_outcome outcome;
    struct str display;
};
void codes_work_row_encode(struct buf *out, const struct codes_work_row *row);
bool codes_work_row_decode(struct str bytes, struct codes_work_row *out_row);
