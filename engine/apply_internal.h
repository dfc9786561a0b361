/* What the appliers of the entry kinds share: one batch under way. One thread. */
#pragma once

#include "engine_internal.h"

struct apply {
    struct engine *engine;
    struct journal_reader *reader;
    struct data_txn *txn;
    struct arena arena;     /* of the batch */
    struct hl7_index index; /* of the message under way */
    struct routes *routes;  /* as of the entry under way */
    bool live;              /* false while catching up: nobody waits, no lane listens */
    bool routes_changed;
    struct lane_item *items, **items_end; /* queued by this batch */
    VEC(struct applied) results;
};

/* One row into the outbox, and to its lane after the commit. Large bytes, and APPLY_IN_TABLE, the lane reads itself
 * when it gets there. */
#define APPLY_IN_TABLE STR_NONE
void apply_queue(struct apply *ap, struct str destination, struct outbox_key key, const struct outbox_row *row,
                 struct str bytes);

void apply_message(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);
void apply_delivery(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);
void apply_replay(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);
