/*
 * Whole small files, and the one right way to replace a file: temporary name, fsync, rename, fsync of the directory.
 * Errors: base.file with the errno text and the path (paths are configuration, not patient data).
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* Reads at most `len_max` bytes; a longer file is refused. Appends to *out. */
status file_read(struct ctx *cx, const char *path, size_t len_max, struct buf *out);
/* Atomic and durable replace; mode as for open(2), e.g. 0600 for secrets. */
status file_replace(struct ctx *cx, const char *path, struct str bytes, unsigned mode);
/* mkdir -p, mode 0700 for what is created, and durable: the names are synced in the directories they stand in. */
status file_make_dirs(struct ctx *cx, const char *path);
status file_sync_dir(struct ctx *cx, const char *path);
/* A read-only mapping of the whole file; empty files answer an empty str. Unmap with file_unmap(). */
status file_map(struct ctx *cx, const char *path, struct str *out_bytes);
void file_unmap(struct str bytes);

extern const struct reason file_reason; /* "base.file" */
