/*
 * The outbox: what is still to be delivered, one row for each destination of a message.
 *
 * Bytes stand in the row; or in the journal, when the destination gets them as received; or, when several destinations
 * get the same ones and they are not short, once in engine.meta, with a count of the rows that mean them. So what a
 * message costs grows with the different things made of it, not with its destinations.
 *
 * A row leaves the outbox when its delivery ends: delivered, or dead. A dead letter goes on meaning its bytes.
 */
#pragma once

#include "rows.h"

struct apply;

/* ---- the one writer; rows of the batch under way ---- */

/* One row, and its item for the lane after the commit. `bytes`: what `row` means, when they are at hand; data NULL: the
 * lane reads them when it gets there. */
void outbox_queue(struct apply *ap, struct str destination, struct outbox_key key, const struct outbox_row *row,
                  struct str bytes);
/* Bytes that `rows` rows are going to mean, as OUTBOX_SHARED under (message_seq, shared). */
void outbox_share(struct apply *ap, uint64_t message_seq, uint32_t shared, struct str bytes, uint32_t rows);
/* The row means its bytes no longer; the last one takes shared bytes away. Damage: engine.row-bad. */
status outbox_release(struct apply *ap, struct ctx *cx, const struct outbox_row *row);
/* A row that means this message appears somewhere, in the outbox or among the dead letters: retention must not miss it
 * while it looks through the tables (upkeep.c). */
void outbox_note_moved(struct apply *ap, uint64_t message_seq);
/* Worth sharing? */
bool outbox_is_worth_sharing(size_t bytes, size_t rows);

/* ---- any thread ---- */

struct engine;
/* The bytes a committed row means, borrowed from `row` or in cx->arena. What should be there and is not:
 * engine.row-bad, data.journal-no-such-entry, data.journal-damaged. */
status outbox_bytes(struct engine *engine, struct ctx *cx, const struct outbox_row *row, struct str *out_bytes);
