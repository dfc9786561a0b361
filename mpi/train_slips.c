#include "train_internal.h"

#include "base/text/fold.h"

#include <stdlib.h>

/*
 * Two names are a slip away from each other when both become the same text by leaving out one letter or none: a letter
 * too many, too few, another one, or two in each other's place. So every name is filed under all these texts, and who
 * meets in one is compared. A few names that are two slips apart meet as well ("karl" and "arlo").
 */
struct filed {
    uint64_t form;
    uint32_t at; /* in the counts */
};
struct file {
    struct filed *at;
    size_t count, cap;
};

static int order_filed(const void *left, const void *right)
{
    const struct filed *a = left, *b = right;
    if (a->form != b->form)
        return a->form < b->form ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

static void file_name(struct file *file, struct str name, uint32_t at)
{
    char form[TEXT_FOLD_IN_MAX];
    if (name.len < 3 || name.len > sizeof form)
        return;
    *VEC_ADD(file) = (struct filed){str_hash(name), at};
    for (size_t i = 0; i < name.len; i++) {
        memcpy(form, name.data, i);
        memcpy(form + i, name.data + i + 1, name.len - i - 1);
        *VEC_ADD(file) = (struct filed){str_hash(str_make(form, name.len - 1)), at};
    }
}

static struct value_count *find_count(const struct value_counts *counts, uint64_t value)
{
    size_t low = 0, high = counts->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (counts->at[middle].value < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < counts->count && counts->at[low].value == value ? &counts->at[low] : NULL;
}

/* Each name once; who is said by one record only is nobody's name anyhow. */
static void file_names(const struct mpi *mpi, enum value_kind kind, const struct value_counts *counts,
                       struct file *file)
{
    uint8_t *filed = mem_array(counts->count + 1, 1);
    for (uint32_t record = 1; record <= mpi->applied.records; record++) {
        const struct mpi_row *row = entry_at(mpi, APPLIED, record)->row;
        for (size_t i = 0; row && i < row->name_count; i++) {
            struct str name = row_text(row, kind == VALUE_FAMILY ? row_names(row)[i].family : row_names(row)[i].given);
            struct value_count *count = find_count(counts, row_name_value(name, kind));
            if (count == NULL || count->records < 2 || filed[count - counts->at])
                continue;
            filed[count - counts->at] = 1;
            file_name(file, name, (uint32_t)(count - counts->at));
        }
    }
    mem_free(filed);
}

void train_see_beside(const struct mpi *mpi, enum value_kind kind, struct value_counts *counts)
{
    struct file file = {0};
    file_names(mpi, kind, counts, &file);
    if (file.count > 1)
        qsort(file.at, file.count, sizeof file.at[0], order_filed);
    for (size_t i = 0, end; i < file.count; i = end) {
        uint32_t most = 0;
        for (end = i; end < file.count && file.at[end].form == file.at[i].form; end++)
            if (counts->at[file.at[end].at].persons > most)
                most = counts->at[file.at[end].at].persons;
        for (size_t k = i; k < end; k++)
            if (counts->at[file.at[k].at].beside < most)
                counts->at[file.at[k].at].beside = most;
    }
    VEC_FINI(&file);
}
