/*
 * What the engine's files share: the engine itself, its totals, its requests.
 *
 * Threads: the apply thread owns everything that changes by entries; `lock` guards what others read while it changes.
 */
#pragma once

#include "base/limits.h"
#include "base/loop.h"
#include "base/map.h"
#include "base/vec.h"
#include "engine/engine.h"
#include "entry.h"
#include "plan.h"
#include "rows.h"

#include <pthread.h>

/* One append that somebody waits for. `applied` is called on the apply thread after the commit, in seq order. */
struct applied;
struct engine;
struct request {
    struct engine *engine;
    struct request *next;
    uint64_t seq;
    void (*durable)(struct request *request, status result, uint64_t seq,
                    int64_t time_us); /* journal thread; may be NULL */
    void (*applied)(struct request *request, const struct applied *result);
};

/* What applying one entry came to; texts live in the batch's arena. */
struct applied {
    uint64_t seq;
    status status;
    const struct reason *reason;
    struct str detail;
    struct engine_answer answer;        /* MESSAGE */
    struct mpi_result mpi;              /* DECISION */
    struct engine_people_result people; /* PEOPLE */
    struct mpi_activated activated;     /* MODEL */
    uint64_t *replayed;                 /* REPLAY */
    size_t replayed_count;
};

struct source_total {
    char name[LIMIT_NAME_BYTES];
    uint64_t received, accepted, refused, duplicates;
    int64_t connections; /* not stored */
    char protocol[8];    /* of the last message or connection; not stored */
    bool dirty;
};
struct lane_total {
    char name[LIMIT_NAME_BYTES];
    uint64_t owed, delivered, dead, attempts, in_doubt;
    bool dirty;
};
/* Of one text in a list: the longest control id may take as much in UTF-8. A message tells its own whole. */
enum { LISTED_TEXT_MAX = 3 * LIMIT_CONTROL_ID_BYTES };
struct str listed_text(struct arena *arena, struct str text);

enum { SOURCE_TOTALS_MAX = 4096 }; /* callers name their source: the rest is counted together, as "(others)" */
struct totals {
    VEC(struct source_total) sources;
    VEC(struct lane_total) lanes;
    struct map source_at, lane_at; /* name to place in the above */
};

/* How long the parts of an apply took, for recent messages: kept in memory only, because apply itself must not read
 * clocks into its rows. */
struct timing {
    uint64_t seq;
    uint32_t parse_us, identify_us, plan_us, apply_us;
};
enum { TIMINGS_MAX = 8192 };

struct engine {
    struct engine_options options;
    char *dir, *packs_dir;
    struct journal *journal;
    struct data_store *store;
    struct mpi *mpi;
    struct codes *codes;
    struct data_table *message, *delivery, *outbox, *control, *dead, *counter, *meta;

    struct totals counted; /* the writer's */

    pthread_mutex_t lock; /* everything below, unless said otherwise; taken inside the store's, never the other way */
    pthread_cond_t announced_changed;
    struct request *requests, **requests_end; /* durable, not yet applied; in seq order */
    uint64_t announced_seq;                   /* every entry up to here has had its durable callback */
    uint64_t applied_seq;
    uint64_t in_flight; /* submissions and changes not yet answered */
    uint64_t appends;   /* given or offered to the journal, which has not yet said what became of them */
    bool closing;
    struct routes *routes;
    struct totals shown;
    uint64_t moved_low; /* upkeep.c: the lowest message that an outbox row or dead letter written since means */
    struct timing timings[TIMINGS_MAX];
    int64_t started_us;

    pthread_t apply_thread, deliver_thread;
    bool apply_running, deliver_running, apply_stop; /* apply_stop: atomic */
    struct upkeep *upkeep;
    struct saver *saver;
    struct checker *checker;
    bool unchecked; /* the start did not verify the whole journal */
    struct loop *deliver_loop;
    struct lanes *lane_set; /* deliver thread */
};

/* submit.c */
/* Never waits, like engine_submit(). */
status engine_offer(struct engine *engine, struct ctx *cx, enum entry_kind kind, struct str principal, struct str body,
                    struct request *request, struct engine_room *room, enum engine_taken *out_taken);
/* Waits for room: for threads that may. */
status engine_append(struct engine *engine, struct ctx *cx, enum entry_kind kind, struct str principal, struct str body,
                     struct request *request);
/* True when nothing is in flight and the journal owes no callback. */
bool engine_is_settled(struct engine *engine);
/* Append, wait until applied, pass on how it went. The answer's arrays are copied into cx->arena. */
status engine_change_state(struct engine *engine, struct ctx *cx, enum entry_kind kind, struct str body,
                           struct applied *out_applied);

/* apply.c */
void *apply_thread_main(void *engine);
/* Everything the store has not seen yet, without answering anybody; used at open. */
status apply_catch_up(struct engine *engine, struct ctx *cx);

/* upkeep.c: checkpoints and retention, on a thread of their own */
struct upkeep *upkeep_start(struct engine *engine);
void upkeep_stop(struct upkeep *upkeep); /* NULL is fine; waits for the round under way */

/* saver.c: writes the index to a file from time to time and at the end, so that a start need not make it again */
const char *saver_path(struct engine *engine, struct arena *arena);
struct saver *saver_start(struct engine *engine);
void saver_tick(struct saver *saver); /* the upkeep thread's: begins to save, on a thread of its own, when it is time */
/* No other thread works on the index any more. Ends what is under way and saves what is not. NULL is fine. */
void saver_stop(struct saver *saver);

/* checker.c: verifies the whole journal once, behind a start that did not, on a thread that yields to all others */
struct checker *checker_start(const char *dir);
void checker_stop(struct checker *checker); /* ends it in the middle too; NULL is fine */

/* retention.c: drops the journal segments that nobody needs and whose every entry is older than `since_us`. The upkeep
 * thread. */
status retention_run(struct engine *engine, struct ctx *cx, int64_t since_us, uint64_t *out_bytes_freed);

/* trace.c: the row of a message. engine.message-unknown, engine.row-bad. */
status message_load(struct engine *engine, struct ctx *cx, uint64_t seq, struct message_row *out_row);

/* totals.c */
void totals_fini(struct totals *totals);
struct source_total *totals_source(struct totals *totals, struct str name); /* made when it is new */
/* As shown, under engine->lock: those that are counted and those configured, so that it needs no bound of its own. */
struct source_total *totals_shown_source(struct engine *engine, struct str name);
struct lane_total *totals_lane(struct totals *totals, struct str name);
/* The writer's own, to count in. */
struct source_total *total_source(struct engine *engine, struct str name);
struct lane_total *total_lane(struct engine *engine, struct str name);
/* engine.row-bad, also when the counters do not agree with the rows of outbox and dead letters. */
status totals_load(struct engine *engine, struct ctx *cx);
void totals_store(struct engine *engine, struct data_txn *txn);
void totals_publish(struct engine *engine); /* under engine->lock */

/* lane.c, lanes.c: see there */
struct lane_item {
    struct lane_item *next;
    struct outbox_key key;
    uint64_t message_seq;
    struct str control_id, bytes; /* in the same allocation, or `bytes` those of `body` */
    struct lane_body *body;       /* held for the send under way, with other lanes; NULL: its own, or none */
    bool elsewhere;               /* it has no bytes of its own: read for each send, as the next two say */
    enum outbox_where where;
    uint32_t shared;
    size_t bytes_known;                    /* how many they were when they were read last; 0: not yet */
    bool in_table;                         /* without bytes: the lane reads it from the outbox when it gets there */
    uint32_t attempts, in_doubt, answered; /* answered: refusals that may be tried again */
    int64_t first_sent_us;
    char destination[LIMIT_NAME_BYTES];
};
/* doubtful_to: the journal's end when the last run did not stop cleanly, else 0. */
struct lanes *lanes_new(struct engine *engine, uint64_t doubtful_to);
void lanes_free(struct lanes *set); /* the deliver thread has ended */
struct lane_item *lane_item_new(struct str destination, struct outbox_key key, uint64_t message_seq,
                                struct str control_id, struct str bytes);
/* Hands a list of committed items to the deliver thread. Any thread. */
void lanes_feed(struct engine *engine, struct lane_item *first);
/* New routes: lanes appear, change or stop. Any thread; takes over one reference. */
void lanes_configure(struct engine *engine, struct routes *routes);
void *deliver_thread_main(void *engine);
/* Stop sending; waits until nothing is under way, at most grace_ms. True when all outcomes are known. */
bool lanes_stop(struct engine *engine, int grace_ms);
void lanes_view(struct engine *engine, struct arena *arena, struct engine_lane_view *views, size_t count);
/* Lanes there are, and bytes on their way to them. Any thread. */
void lanes_memory(struct engine *engine, size_t *out_lanes, size_t *out_feed_bytes);
