/*
 * Bytes that lanes read for a send. What stands once in the store or the journal stands once in memory too, however
 * many lanes send it just now: a broadcast of the largest message to 256 destinations would otherwise be 4 GiB.
 *
 * One thread: the deliver thread.
 */
#pragma once

#include "engine_internal.h"

struct lane_bodies; /* those that somebody holds */
struct lane_bodies *lane_bodies_new(void);
/* That are held just now. */
size_t lane_bodies_bytes(const struct lane_bodies *bodies);
/* Everything was let go. NULL is fine. */
void lane_bodies_free(struct lane_bodies *bodies);

/* From where the item says: its row, the shared bytes, the journal. In cx->arena. The reasons of outbox_bytes(). */
status lane_body_read(struct engine *engine, struct ctx *cx, const struct lane_item *item, struct str *out_bytes);

struct lane_body;
/* The item's bytes when somebody holds them already: held once more; else NULL. */
struct lane_body *lane_body_find(struct lane_bodies *bodies, const struct lane_item *item);
/* A copy of what was just read, held once. */
struct lane_body *lane_body_keep(struct lane_bodies *bodies, const struct lane_item *item, struct str bytes);
struct str lane_body_bytes(const struct lane_body *body);
void lane_body_let_go(struct lane_body *body); /* NULL is fine; the last one frees it */
