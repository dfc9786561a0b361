#include "entry_bounds.h"

#include "base/limits.h"

const struct entry_bounds *entry_bounds_get(uint32_t number)
{
    static const struct entry_bounds rows[] = {
        [ENTRY_BOUNDS_FIRST] = {.rows_bytes = UINT64_MAX,
                                .rows_put_bytes = 256u << 20,
                                .values = SIZE_MAX,
                                .work_items = SIZE_MAX},
        [ENTRY_BOUNDS_NOW] = {.rows_bytes = LIMIT_IDENTITY_ROWS_BYTES,
                              .rows_put_bytes = UINT64_MAX,
                              .values = LIMIT_VALUES_PER_ENTRY,
                              .work_items = LIMIT_WORK_ITEMS_PER_ENTRY},
    };
    return number >= ENTRY_BOUNDS_FIRST && number < sizeof rows / sizeof rows[0] ? &rows[number] : NULL;
}
