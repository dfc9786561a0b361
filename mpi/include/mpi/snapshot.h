/*
 * A snapshot: the index in memory, kept in a file, so that a start does not make it again from every row.
 *
 * It is never the truth. A start takes it when it is whole (every part has its checksum), was written by this very
 * program, and its moment is one of this store; the records changed since are read from the store, then counts and a
 * sample are compared with the rows. Whatever does not fit: log mpi.snapshot-refused with why, and the index is made
 * from the rows, as if there had been no file (docs/adr/0014-index-snapshot.md).
 *
 * Errors: mpi_save() answers base.file with the failed call, data.store-damaged, and what ctx_check() says between
 * slices; the snapshot that was there stays.
 */
#pragma once

#include "data/store.h"
#include "mpi/mpi.h"

/* As mpi_open(), from the snapshot at `path` if it serves; `path` outlives the call only. */
status mpi_open_saved(struct ctx *cx, struct data_store *store, const char *path, struct mpi **out_mpi);

/* Writes the snapshot anew, durable when it answers. Threads: one at a time; the writer and readers go on: it looks at
 * a few hundred records at a time. */
status mpi_save(struct mpi *mpi, struct ctx *cx, const char *path);

/* How many record changes there were since the snapshot; all records when there is none. 0: it is of this moment. Any
 * thread. */
uint64_t mpi_unsaved(struct mpi *mpi);
