/*
 * A lane, and the set of lanes. Everything here belongs to the deliver thread, but what says otherwise.
 *
 *   lane.c    one lane: its queue, the bytes it holds, its sends, their outcomes
 *   lanes.c   all of them: which there are, what they are fed, who may hold large messages, starting and stopping
 */
#pragma once

#include "engine_internal.h"

#include "base/map.h"
#include "engine/connector.h"
#include "lane_bodies.h"
#include "outbox.h"

enum {
    UNRECORDED_MAX = 8,
    LARGE_BYTES = 256 * 1024,
    LARGE_BYTES_ALL = 128 * 1024 * 1024, /* sent at a time; one goes always */
};

struct lane {
    struct lane *next;
    struct engine *engine;
    struct lanes *set;
    char name[LIMIT_NAME_BYTES];
    struct routes *routes;                  /* keeps `config` alive */
    const struct route_destination *config; /* NULL: no longer in the routes */
    struct connector *connector;
    struct lane_item *head, **tail;
    struct lane_item *sending;
    size_t held, held_bytes;
    struct outbox_key last; /* newest item taken in; older ones that are fed again are dropped */
    bool more_in_table;     /* rows behind `last` that are not held */
    bool waits_for_room;    /* in the set's queue */
    struct lane *next_waiting;
    unsigned unrecorded; /* answers known, on their way into the journal */
    unsigned in_line;    /* of these: wait for room there */
    unsigned failures;   /* in a row, for the back-off */
    struct loop_timer *timer;
    const char *state, *last_error;
    char file_name[48];     /* of the delivery under way */
    unsigned doubtful_left; /* how many of the next first sends may be repeats from before a crash */
};

struct lanes {
    struct engine *engine;
    struct map by_name; /* to lanes */
    size_t feed_bytes;  /* atomic: handed over and not yet taken in */
    bool feed_cut;      /* atomic: something was not handed over; it is in the table */
    struct lane *first;
    size_t lane_count;
    struct lane_bodies *bodies;
    struct lane *waiting, **waiting_end; /* for room for a large message */
    struct outcome *outcomes;            /* on their way into the journal */
    bool stopping, ended;                /* nothing more is sent; nothing more is recorded */
    uint64_t doubtful_to;                /* what was queued up to this entry may have been sent before a crash */
    pthread_mutex_t lock;                /* what lanes_view() reads */
};

/* ---- lane.c ---- */

struct lane *lane_new(struct lanes *set, const char *name);
void lane_free(struct lane *lane);
/* Once it is one of the set: reads the beginning of its queue. */
void lane_load(struct lane *lane);
/* `config` NULL: no longer in the routes. */
void lane_configure(struct lane *lane, struct routes *routes, const struct route_destination *config);
/* A committed item; takes it. */
void lane_take(struct lane *lane, struct lane_item *item);
/* Sends the head of its queue, unless one is under way or it must wait. in_turn: it is the first that waits for room.
 */
void lane_try(struct lane *lane, bool in_turn);
/* Nothing is under way, and memory knows nothing of its queue that the table does not. */
bool lane_may_go(const struct lane *lane);
/* Does the queue hold a message that may have been sent already? */
bool lane_has_doubt(const struct lane *lane);
/* No more sends: what is under way is in doubt. */
void lane_stop(struct lane *lane);
/* Outcomes that the journal never took. */
void lane_free_outcomes(struct lanes *set);

/* ---- lanes.c ---- */

/* Is the room for `bytes` more taken by others, or is it somebody else's turn? */
bool lanes_must_wait(const struct lane *lane, size_t bytes, bool in_turn);
/* It waits for room: at the end of the line, or stays the first. */
void lanes_wait_for_room(struct lane *lane, bool in_turn);
/* Bytes were let go: whoever waits tries again. */
void lanes_give_room(struct lanes *set);
/* Frees it, if it left the routes and may go. */
void lanes_let_go(struct lane *lane);
