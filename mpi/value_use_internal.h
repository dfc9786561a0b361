/* Counting how records use each kind of value: when a model is made, and later, to see whether they still do. */
#pragma once

#include "model_internal.h"

struct value_use_count {
    uint64_t records, said[VALUE_KINDS], values[VALUE_KINDS], listed[VALUE_KINDS];
};
/* One record more. About 2 us. */
void value_use_add(struct value_use_count *count, const struct mpi_model *model, const struct mpi_row *row);
struct value_use value_use_of(const struct value_use_count *count, size_t kind);
