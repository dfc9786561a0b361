/* How records use each kind of value. */
#include "value_use_internal.h"

void value_use_add(struct value_use_count *count, const struct mpi_model *model, const struct mpi_row *row)
{
    count->records++;
    for (size_t kind = 0; kind < VALUE_KINDS; kind++) {
        uint64_t values[ROW_VALUES_ROOM];
        size_t said = row_values(row, (enum value_kind)kind, values);
        count->said[kind] += said > 0;
        count->values[kind] += said;
        for (size_t i = 0; i < said; i++)
            count->listed[kind] += value_table_lists(&model->values[kind], values[i]);
    }
}

static uint32_t ppm(uint64_t part, uint64_t whole)
{
    return whole ? (uint32_t)(part * 1000000 / whole) : 0;
}

struct value_use value_use_of(const struct value_use_count *count, size_t kind)
{
    return (struct value_use){ppm(count->said[kind], count->records), ppm(count->listed[kind], count->values[kind])};
}
