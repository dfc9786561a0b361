/*
 * Bytes that lanes hold of what stands once in the store or the journal, however many destinations get it: once in
 * memory too. A broadcast of the largest message to 256 destinations that are away would otherwise be 4 GiB.
 *
 * One thread: the deliver thread.
 */
#pragma once

#include "base/str.h"
#include "rows.h"

struct lane_body;
struct lane_bodies; /* those that somebody holds */
struct lane_bodies *lane_bodies_new(void);
/* Everything was let go. NULL is fine. */
void lane_bodies_free(struct lane_bodies *bodies);

/* What a row means that has its bytes elsewhere, when somebody holds it already: held once more; else NULL. */
struct lane_body *lane_body_find(struct lane_bodies *bodies, const struct outbox_row *row);
/* The same, as just read: a copy of `bytes`, held once. */
struct lane_body *lane_body_keep(struct lane_bodies *bodies, const struct outbox_row *row, struct str bytes);
struct str lane_body_bytes(const struct lane_body *body);
void lane_body_let_go(struct lane_body *body); /* NULL is fine; the last one frees it */
