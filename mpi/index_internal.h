/*
 * struct mpi: the match index in memory, and the steps that change it.
 *
 * Record numbers count from 1 without gaps and are never used again. A person's number is the number of its founding
 * record: the smallest active record of its cluster that is not retired. So a person's number is a function of the
 * clusters, any record's number redirects to the person that record belongs to now, for ever, and an unmerge gives back
 * the earlier numbers.
 *
 * Threads: one writer; it reads, compares and clusters without the lock and holds it only to change what readers see:
 * for microseconds, whatever there was to compare. Readers hold the read lock.
 */
#pragma once

#include "base/vec.h"
#include "blocks_internal.h"
#include "codec_internal.h"
#include "model_internal.h"

#include <pthread.h>

enum {
    BLOCK_CAP_DEFAULT = 128,   /* a key that more records share is too common to compare by */
    COMPONENT_MAX = 128,       /* larger components are cut at a higher floor first */
    FORCED_MAX = 512,          /* records tied together by decisions alone */
    DECISIONS_PER_ENTRY = 256, /* an A40 may repeat its merge group */
    REVIEWS_PER_ENTRY = 16,
};

struct edge {
    uint32_t other;
    int32_t score_mbit;
};
struct entry {
    struct mpi_row *row; /* NULL = takes no part in matching (no row yet, or deactivated) */
    uint64_t own_key;    /* of its own identifier: an order that has nothing to do with arrival */
    struct edge *edges;  /* sorted by `other`; scores at or above the review floor */
    uint32_t edge_count, edge_cap;
    uint32_t person, retired_into;
    uint32_t ring;     /* next record of the same person, in a circle */
    uint32_t decision; /* newest decision about it: index + 1 into mpi.decisions */
    uint32_t review;   /* newest review about it: index + 1 into mpi.open_reviews */
    uint32_t pending;  /* number of its newest row in mpi.pending, 0 = none */
    uint32_t visit;    /* the writer's: round of the last walk */
    uint32_t local;    /* the writer's: place in the component being solved */
};
struct decision {
    uint64_t id; /* seq * DECISIONS_PER_ENTRY + n */
    uint32_t left, right;
    uint32_t next_left, next_right; /* older decisions about the same record */
    uint8_t kind;
    bool undone;
};
struct open_review {
    uint64_t id;
    uint32_t left, right;
    uint32_t next_left, next_right; /* older reviews about the same record */
    int32_t score_mbit;
};
struct change { /* of a record's cluster state; the first `before` of a round is kept */
    uint32_t record, person_before, retired_before;
};
struct outcome { /* what clustering says of a record */
    uint32_t record, person, retired_into, ring;
};
struct pair {
    uint32_t left, right; /* left < right */
};

/* A record's row that the store may not have committed yet: readers prefer it. */
struct pending_row {
    uint64_t seq;
    struct str row; /* heap */
};

struct mpi {
    struct data_store *store;
    struct data_table *records, *versions, *members, *edges, *links, *decided, *reviews, *events;
    const struct model *model;
    uint32_t block_cap;
    pthread_rwlock_t lock;

    struct entry *entries; /* [0] is not used */
    uint32_t count;        /* records */
    size_t entries_cap;
    struct blocks blocks;
    VEC(struct decision) decisions;       /* ascending id */
    VEC(struct open_review) open_reviews; /* ascending id; states are worked out when asked */
    uint64_t persons, row_bytes, edge_bytes;
    VEC(struct pending_row) pending; /* oldest first; number of the first is pending_base + 1 */
    uint32_t pending_base;

    /* the writer's notes about the entry being applied */
    VEC(uint32_t) touched;
    VEC(struct change) changes;
    VEC(struct pair) edge_changes;
    VEC(struct outcome) outcomes;
    uint32_t visit;
    uint64_t seq;
    uint32_t event_count, decision_count, review_count; /* of this seq */
};

/* ---- index.c: rows, blocks, edges ---- */

struct mpi *index_new(void);
void index_free(struct mpi *mpi);
/* A record that knows only its own identifier. Lock: takes the write lock. */
uint32_t index_new_record(struct mpi *mpi, uint64_t own_key);
/* While opening: room for so many more, so that memory is not moved over and over. */
void index_reserve(struct mpi *mpi, size_t records, size_t keys);
uint32_t index_add_record(struct mpi *mpi, uint64_t own_key);
/*
 * Gives a record a new row (NULL: none), moves it between blocks and renews its edges. Notes touched records and
 * changed edges; index_recluster() must follow. Also keeps the rule "a key shared by more than block_cap records finds
 * nobody" true for every pair when a block crosses the cap. Answers the records compared; the best comparison goes to
 * *out_best (record 0: none). Lock: compares without, then takes the write lock.
 */
struct best {
    uint32_t record;
    struct levels levels;
    int32_t score_mbit;
};
uint32_t index_set_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct best *out_best);
/* While opening: place the row without comparing; edges come from the store. */
void index_load_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row);
void index_load_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit);
void index_rebuild_rings(struct mpi *mpi);
const struct edge *index_edge(const struct mpi *mpi, uint32_t left, uint32_t right); /* NULL = none */
void index_touch(struct mpi *mpi, uint32_t record);

/* Records that share a live key with `row`, each once, rarest keys first, at most `max`. */
size_t index_candidates(const struct mpi *mpi, const struct mpi_row *row, uint32_t *out_records, size_t max);
/* The record whose own identifier has this key, or 0; the caller checks the text. *cursor starts at 0: a key may be
 * shared. */
uint32_t index_find_own(const struct mpi *mpi, uint64_t own_key, uint32_t *cursor);

/* ---- decisions.c: decisions and reviews in memory ---- */

void index_add_decision(struct mpi *mpi, const struct decision *decision);
struct decision *index_decision(struct mpi *mpi, uint64_t id); /* NULL = none */
/* Walks the decisions about a record, newest first: *cursor starts at 0; NULL at the end. */
struct decision *index_next_decision(const struct mpi *mpi, uint32_t record, uint32_t *cursor);
/* The newest standing decision between two records (SAME, DIFFERENT, MERGE, LINK, UNLINK), or NULL. */
struct decision *index_decision_between(const struct mpi *mpi, uint32_t left, uint32_t right);
bool decision_ties(uint8_t kind);
/* True when a new tie of the two would bind more than FORCED_MAX records by decisions alone. */
bool index_tie_too_large(struct mpi *mpi, uint32_t left, uint32_t right);
void index_add_review(struct mpi *mpi, const struct open_review *review);
bool index_review_open_between(const struct mpi *mpi, uint32_t left_person, uint32_t right_person);

/* ---- rows as readers see them: rows.c ---- */

/* The record's current row, in cx->arena: what was applied last, committed or not. mpi.record-unknown. Any thread, no
 * lock held. */
status rows_fetch_record(struct mpi *mpi, struct ctx *cx, uint32_t record, struct stored_record *out_record);
void rows_add_pending(struct mpi *mpi, uint32_t record, uint64_t seq, struct str row); /* write lock held */
void rows_view(const struct mpi *mpi, uint32_t record, const struct stored_record *stored,
               struct mpi_record_view *out_view);

/* ---- cluster.c ---- */

/*
 * Works out the clusters of every component that holds a touched record, writes persons, retirements and rings, and
 * notes the changes. A pure function of rows, edges and standing decisions of these components. Lock: works without,
 * then takes the write lock once: readers see all of it or nothing.
 */
void index_recluster(struct mpi *mpi);
