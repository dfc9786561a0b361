/*
 * Many messages in one input: a batch file (FHS BHS … BTS FTS), messages one after the other, or MLLP frames in a file.
 *
 *   struct hl7_batch batch; struct hl7_batch_item item;
 *   hl7_batch_init(&batch, bytes);
 *   while ((got = hl7_batch_next(&batch, cx, &item)) == STATUS_OK) …      STATUS_OUT_OF_RANGE = the end
 *
 * Messages are cut, not judged: each goes through hl7_index_build() on its own, so a bad one does not fail its batch.
 * Memory:  borrows the input; allocates nothing, except where MLLP frames in a file are broken (freed at the end or by
 *          hl7_batch_fini). An item of such frames is valid until the next call.
 * Threads: one thread.
 * Source:  [HL7 2.5.1 2.10.3, 2.15.2, 2.15.3, 2.15.6, 2.15.7].
 */
#pragma once

#include "hl7v2/index.h"
#include "hl7v2/mllp.h"

struct hl7_batch_item {
    struct str message;  /* from MSH to the line end of its last segment */
    struct str file_id;  /* FHS-11 of the file it is in, or empty */
    struct str batch_id; /* BHS-11 of the batch it is in, or empty */
    uint32_t number;     /* from 1, in the whole input */
};

struct hl7_batch {
    struct str rest;
    uint32_t messages, batches;           /* seen so far */
    uint32_t batch_messages;              /* in the open batch */
    uint32_t file_batches, file_messages; /* in the open file */
    uint32_t count_mismatches;            /* BTS-1 or FTS-1 that is not the number seen; empty ones say nothing */
    uint32_t unclosed;    /* FHS or BHS without its trailer, or a trailer without its header; known at the end */
    uint32_t stray_lines; /* before the first header or message, or after a trailer */
    uint64_t noise_bytes; /* between MLLP frames */
    struct str file_id, batch_id;
    bool in_file, in_batch, framed, feeds_end;
    struct mllp_reader frames; /* only when framed */
};

/* Does the input need this? True when it starts with FHS or BHS, or a VT, or a second MSH line follows. */
bool hl7_is_batch(struct str bytes);
void hl7_batch_init(struct hl7_batch *batch, struct str bytes);
void hl7_batch_fini(struct hl7_batch *batch);
/*
 * The next message, or STATUS_OUT_OF_RANGE at the end (no reason set).
 * Errors: hl7.batch-nested, hl7.batch-too-long; then nothing more comes.
 */
status hl7_batch_next(struct hl7_batch *batch, struct ctx *cx, struct hl7_batch_item *out_item);
