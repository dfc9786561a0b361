/* What the appliers of the entry kinds share: one batch under way. One thread. */
#pragma once

#include "base/invariant.h"
#include "engine_internal.h"
#include "entry_bounds.h"
#include "outbox.h"

/* A batch ends at the first of these; one entry may pass them, by what limits.h lets one entry make. Readers wait for a
 * commit, senders for the batch: so neither many nor large nor slow entries make a long one. */
enum {
    BATCH_ENTRIES = 128,
    BATCH_BYTES = 8 * 1024 * 1024,       /* of entries */
    BATCH_MADE_BYTES = 16 * 1024 * 1024, /* of rows, answers and items for the lanes */
    BATCH_US = 50 * 1000,
};

struct apply {
    struct engine *engine;
    struct journal_reader *reader;
    struct data_txn *txn;
    struct arena entry_arena;          /* of the entry under way: given back after each */
    struct arena arena;                /* of the batch: what is answered after the commit */
    struct hl7_index index;            /* of the message under way */
    struct routes *routes;             /* as of the entry under way */
    const struct entry_bounds *bounds; /* of the same */
    bool live;                         /* false while catching up: nobody waits, no lane listens */
    bool routes_changed;
    uint64_t last_seq;                    /* of the batch */
    uint64_t moved_low;                   /* the lowest message an outbox row or dead letter of the batch means */
    struct lane_item *items, **items_end; /* queued by this batch */
    size_t feed_bytes;                    /* that they hold */
    VEC(struct applied) results;
};

void apply_message(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);
void apply_delivery(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);
void apply_replay(struct apply *ap, struct ctx *cx, const struct journal_entry *entry, struct applied *result);

/* By this clock a batch ends; replaceable by tests. */
extern int64_t (*apply_clock_us)(void);

/* Did the entry meet damage of the store or of a pack, rather than being refused? Then nothing goes on. */
bool apply_is_damage(const struct applied *result);

/* Passes on how a step of an entry went. */
void applied_as(struct applied *result, const struct ctx *cx, status got);
