#include "index_internal.h"

/*
 * The store commits after a batch; the index in memory is ahead of it. Rows applied but not committed are kept here, so
 * that an answer never mixes a new cluster with a record the store does not have yet.
 */
void rows_add_pending(struct mpi *mpi, uint32_t record, uint64_t seq, struct str row)
{
    uint64_t applied = data_applied_seq(mpi->store);
    size_t done = 0;
    while (done < mpi->pending.count && mpi->pending.at[done].seq <= applied)
        mem_free((void *)mpi->pending.at[done++].row.data);
    if (done > 0) {
        mpi->pending.count -= done;
        mpi->pending_base += (uint32_t)done;
        memmove(mpi->pending.at, mpi->pending.at + done, mpi->pending.count * sizeof *mpi->pending.at);
    }
    *VEC_ADD(&mpi->pending) = (struct pending_row){seq, {mem_copy(row.data, row.len), row.len}};
    mpi->entries[record].pending = mpi->pending_base + (uint32_t)mpi->pending.count;
}

static bool copy_pending(struct mpi *mpi, struct ctx *cx, uint32_t record, struct str *out_row)
{
    pthread_rwlock_rdlock(&mpi->lock);
    uint32_t number = mpi->entries[record].pending - mpi->pending_base - 1; /* wraps past the end when it is gone */
    bool have = mpi->entries[record].pending != 0 && number < mpi->pending.count;
    if (have)
        *out_row = arena_str(cx->arena, mpi->pending.at[number].row);
    pthread_rwlock_unlock(&mpi->lock);
    return have;
}

status rows_fetch_record(struct mpi *mpi, struct ctx *cx, uint32_t record, struct stored_record *out_record)
{
    struct str row;
    if (!copy_pending(mpi, cx, record, &row)) {
        struct key key = key_1(record);
        status got = data_get(mpi->records, cx, key_str(&key), &row);
        if (got == STATUS_NOT_FOUND)
            return ctx_fail(cx, &mpi_reasons[MPI_RECORD_UNKNOWN], "record %u", record);
        TRY(got);
    }
    return decode_record(cx, row, out_record);
}

void rows_view(const struct mpi *mpi, uint32_t record, const struct stored_record *stored,
               struct mpi_record_view *out_view)
{
    *out_view = (struct mpi_record_view){.id = record,
                                         .person = mpi->entries[record].person,
                                         .source = stored->source,
                                         .identifiers = stored->identifiers,
                                         .identifier_count = stored->identifier_count,
                                         .demographics = stored->said,
                                         .first_seq = stored->first_seq,
                                         .last_seq = stored->last_seq,
                                         .first_us = stored->first_us,
                                         .last_us = stored->last_us,
                                         .versions = stored->versions,
                                         .active = stored->active,
                                         .retired_into = mpi->entries[record].retired_into};
}
