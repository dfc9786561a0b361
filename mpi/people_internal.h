/*
 * struct mpi: the match index in memory, and the steps that change it.
 *
 * Record numbers count from 1 without gaps and are never used again. A person's number is the number of its founding
 * record: the smallest active record of its cluster that is not retired. So a person's number is a function of the
 * clusters, any record's number redirects to the person that record belongs to now, for ever, and an unmerge gives back
 * the earlier numbers.
 *
 * Plan, commit, publish. What the writer applies goes into a draft laid over the index: copies of the entries it
 * touches, keys that come and go, records and decisions beyond those that are shown. It reads through the draft
 * (APPLIED); readers see what is below it (SHOWN). mpi_publish() writes the draft into the index inside the store's
 * commit, so a reader inside a data_view has rows and index of one moment. mpi_undo_to() takes steps of the draft back.
 *
 * Threads: one writer, which needs no lock for reading, comparing and drafting. Readers hold a data_view of the store:
 * the index below the draft changes only inside the commit. What is the writer's alone says so.
 */
#pragma once

#include "base/invariant.h"
#include "base/vec.h"
#include "blocks_internal.h"
#include "model_internal.h"
#include "stored_internal.h"

enum {
    BLOCK_CAP_DEFAULT = 128,   /* a key that more bodies share is too common to compare by and is narrowed */
    LAST_CAPS = 2,             /* a key that cannot be narrowed any more may be held by so many times the cap */
    COMPONENT_MAX = 128,       /* larger components are cut to pieces, the strongest ties last */
    FORCED_MAX = 512,          /* records tied together by decisions alone */
    DECISIONS_PER_ENTRY = 256, /* an A40 may repeat its merge group */
    REVIEW_NUMBERS = 1 << 24,  /* from one entry's first review number to the next's; they may run on past it */
    NO_EDGE = INT32_MIN,
};

/* ---- what there is ---- */

struct edge {
    uint32_t other;
    int32_t score_mbit;
};
struct entry {
    struct mpi_row *row; /* NULL = takes no part in matching (no row yet, or deactivated) */
    uint64_t own_key;    /* of its own identifier: an order that has nothing to do with arrival */
    struct edge *edges;  /* sorted by `other`; scores at or above the review floor */
    uint32_t edge_count;
    uint32_t person, retired_into;
    uint32_t ring;     /* next record of the same person, in a circle */
    uint32_t decision; /* newest decision about it: index + 1 into mpi.decisions */
    uint32_t review;   /* newest review about it: index + 1 into mpi.reviews_asked */
};
struct note {       /* the writer's about a record */
    uint32_t visit; /* round of the last walk */
    uint32_t local; /* place in the component being solved */
    uint32_t copy;  /* its copy in the draft: index + 1, 0 = none */
};
struct decision {
    uint64_t id; /* seq * DECISIONS_PER_ENTRY + n */
    uint32_t left, right;
    uint32_t next_left, next_right; /* older decisions about the same record */
    uint8_t kind;
    bool undone;         /* as readers see it */
    bool undone_applied; /* the writer's */
};
struct review {
    uint64_t id;
    uint32_t left, right;
    uint32_t next_left, next_right; /* older reviews about the same record */
    int32_t score_mbit;
    bool open;         /* asks something, as readers see it */
    bool open_applied; /* the writer's */
};
struct tally { /* how much of everything */
    uint32_t records, decisions, reviews;
    uint64_t persons, reviews_open, row_bytes, half_edges, more_said; /* more_said: records with ROW_MORE_SAID */
};

/* ---- the draft ---- */

struct copy {
    uint32_t record;
    struct entry entry; /* edges: those of the entry below until they change */
};
enum step_kind {
    STEP_RECORD,
    STEP_ROW,
    STEP_EDGE,
    STEP_CLUSTER,
    STEP_CAME,
    STEP_LEFT,
    STEP_DECISION,
    STEP_UNDONE,
    STEP_REVIEW,
    STEP_ANSWERED,
    STEP_MODEL,
    STEP_COUNTERS
};
struct cluster_state { /* a record's place among the persons */
    uint32_t person, retired_into, ring;
};
struct counters { /* of the entry being applied */
    uint64_t seq;
    uint32_t events, decisions;
};
/* One change of the draft, with what it was before. */
struct step {
    enum step_kind kind;
    uint32_t at, other; /* a record, or an index into decisions or reviews; of a model, whether it was our own */
    union {
        struct mpi_row *row;
        int32_t score_mbit;
        struct cluster_state cluster;
        uint64_t key;
        struct counters counters;
        const struct mpi_model *model;
    } before;
};

struct posting {
    uint64_t key;
    uint32_t record;
};

/* ---- the writer's notes about the entry being applied ---- */

struct change { /* of a record's cluster state; the first `before` of a round is kept */
    uint32_t record, person_before, retired_before;
};
struct outcome { /* what clustering says of a record */
    uint32_t record;
    struct cluster_state state;
};
struct pair {
    uint32_t left, right; /* left < right */
};
/* ---- changed.c: which records each commit changed ---- */

/* A state of the index. The tag is of no other one, of this store or another. */
struct moment {
    uint64_t number, tag; /* number: key of its row in mpi.changed; 0 = before the first */
};
struct changed {
    struct moment newest, shown; /* the writer's; as readers see it */
    uint64_t first;              /* the oldest row that is kept */
    bool nothing;                /* the newest row says that nothing changed: the next may say so in its place */
    bool unlisted;               /* something changed that no row speaks of: the next one says everything */
    size_t noted;                /* steps of the draft that were noted */
    uint64_t records;            /* how many were noted since the last save; atomic */
    uint64_t wanted;             /* rows before are needed by nobody; atomic */
};
#define CHANGED_UNWANTED UINT64_MAX /* there is no snapshot */

struct crossing { /* of a key, over the cap or back */
    uint64_t key;
    bool over_full;
};

enum sight {
    SHOWN,   /* committed: for readers, inside a data_view */
    APPLIED, /* with the draft: for the writer */
};

struct mpi {
    struct data_store *store; /* NULL: a bench without rows and readers */
    struct data_table *records, *versions, *members, *edges, *links, *decided, *reviews, *events, *models, *listed;
    const struct mpi_model *model, *model_shown; /* the writer's, and what readers see rows and edges by */
    bool model_is_own;                           /* the writer's goes with the index, or when another one comes */
    uint64_t scored_by;                          /* identity of the model that the stored edges are of; 0: unsaid */
    uint32_t block_cap;                          /* set before the first record */

    struct tally shown, applied;
    CHUNKS(struct entry) entries; /* [0] is not used */
    CHUNKS(struct note) notes;
    struct blocks blocks;
    CHUNKS(struct decision) decisions; /* ascending id */
    CHUNKS(struct review) asked;       /* ascending id */

    /* the draft */
    CHUNKS(struct copy) copies;
    uint32_t copy_count;
    struct blocks came, left; /* keys of records, beyond those in blocks or no longer */
    VEC(struct step) steps;   /* since the last publish */
    struct changed changed;
    VEC(struct posting) postings; /* being published */

    /* the writer's notes */
    VEC(uint32_t) touched;
    VEC(struct change) changes;
    VEC(struct pair) edge_changes;
    VEC(struct outcome) outcomes;
    VEC(uint32_t) reposted; /* records whose keys changed although their rows did not */
    VEC(struct crossing) crossings;
    bool opening; /* records go straight into the index */
    uint32_t visit;
    struct counters counters;
};

/* ---- draft.c: looking through it ---- */

static inline const struct entry *entry_at(const struct mpi *mpi, enum sight sight, uint32_t record)
{
    if (sight == APPLIED) {
        uint32_t copy = mpi->copy_count > 0 ? CHUNK_AT(&mpi->notes, record)->copy : 0;
        if (copy != 0)
            return &CHUNK_AT(&mpi->copies, copy - 1)->entry;
    }
    return CHUNK_AT(&mpi->entries, record);
}

/* Of readers: for as long as their look lasts. */
static inline const struct mpi_model *model_of(const struct mpi *mpi, enum sight sight)
{
    return sight == APPLIED ? mpi->model : mpi->model_shown;
}

static inline const struct tally *tally_of(const struct mpi *mpi, enum sight sight)
{
    return sight == APPLIED ? &mpi->applied : &mpi->shown;
}

/* The records that hold a key. */
struct holders {
    const struct mpi *mpi;
    struct block shown, came, left;
    uint64_t key;
    uint32_t count;
};
struct holders_at { /* all-zero: before the first */
    uint32_t cursor;
    bool in_came;
};
struct holders holders_of(const struct mpi *mpi, enum sight sight, uint64_t key);
uint32_t holders_next(const struct holders *holders, struct holders_at *at); /* 0 at the end */
/* The holders as an array on the heap, which stays while keys change. */
uint32_t holders_list(const struct mpi *mpi, enum sight sight, uint64_t key, uint32_t **out_records);

/* ---- draft.c: changing it; each a step that mpi_undo_to() takes back ---- */

uint32_t draft_add_record(struct mpi *mpi, uint64_t own_key);
void draft_set_row(struct mpi *mpi, uint32_t record, struct mpi_row *row); /* takes the row; NULL = none */
void draft_set_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit); /* NO_EDGE: none */
void draft_set_cluster(struct mpi *mpi, uint32_t record, struct cluster_state state);
uint32_t draft_add_key(struct mpi *mpi, uint64_t key, uint32_t record);    /* holders afterwards */
uint32_t draft_remove_key(struct mpi *mpi, uint64_t key, uint32_t record); /* holders afterwards */
void draft_add_decision(struct mpi *mpi, const struct decision *decision);
void draft_undo_decision(struct mpi *mpi, uint64_t id);
void draft_add_review(struct mpi *mpi, const struct review *review);
void draft_answer_review(struct mpi *mpi, uint32_t at, bool open);

void draft_set_model(struct mpi *mpi, const struct mpi_model *model); /* takes the model; rows and edges must follow */

/* At the end: takes all of it back. */
void draft_drop(struct mpi *mpi);

/* ---- entries.c: records and edges ---- */

struct mpi *index_new(void);
void index_free(struct mpi *mpi);
/* Keys of identifiers: a record's own, by which it is found again, and the others it has. */
uint64_t own_block_key(uint64_t own_key);
uint64_t handle_key(struct mpi_identifier identifier);
/* The edge between two records, or NULL. */
const struct edge *index_edge(const struct mpi *mpi, enum sight sight, uint32_t left, uint32_t right);
void entry_put_edge(struct entry *entry, uint32_t other, int32_t score_mbit);
void entry_drop_edge(struct entry *entry, uint32_t other);
void index_touch(struct mpi *mpi, uint32_t record);
/* A walk begins: nobody was visited in its round. The writer's. */
void index_next_round(struct mpi *mpi);

/* While opening, before anybody reads: straight into the index; edges and clusters come from the store. */
void index_load_reserve(struct mpi *mpi, size_t keys);
/* A record with this number, its own person until more is known. */
struct entry *index_load_entry(struct mpi *mpi, uint32_t record, uint64_t own_key);
uint32_t index_load_record(struct mpi *mpi, uint64_t own_key); /* the next one, and the key of its identifier */
/* Gives it a row, but no keys yet. */
void index_load_body(struct mpi *mpi, uint32_t record, const struct mpi_row *row);
void index_load_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row);
void index_load_handles(struct mpi *mpi, uint32_t record, const struct mpi_identifier *identifiers, size_t count);
void index_load_edge(struct mpi *mpi, uint32_t left, uint32_t right, int32_t score_mbit);
void index_load_finish(struct mpi *mpi); /* rings, reviews, counts */
/* mpi_open() with another cap, which stays as it is: which keys there are follows from it. */
status index_open(struct ctx *cx, struct data_store *store, uint32_t block_cap, struct mpi **out_mpi);

/* ---- body.c: records that say the same ---- */

/* Keys under which the members of a body stand, and, when there are two or more, the first of them. */
uint64_t body_members_key(uint64_t body);
uint64_t body_first_key(uint64_t body);
/* The member with the smallest own key; somebody must be in it. */
uint32_t body_first_of(const struct mpi *mpi, enum sight sight, uint64_t body);
/* The same worked out from all members, where the note of it is not right yet, and how many they are. The writer's. */
uint32_t body_find_first(const struct mpi *mpi, uint64_t body, uint32_t *out_members);
/* Who stands for a record: the first of its body, itself when it is in none. */
uint32_t index_first(const struct mpi *mpi, enum sight sight, uint32_t record);
/* Order within a body: by own key, never by who came first. */
bool index_comes_before(const struct mpi *mpi, uint32_t left, uint32_t right);
/* The first of its body beside itself, 0 = it is alone. The writer's. */
uint32_t index_first_other(const struct mpi *mpi, uint32_t record);
/* What two records with this row say about each other, identifiers aside. */
int32_t body_score(const struct mpi *mpi, const struct mpi_row *row, struct levels *out_levels);
/* Is that enough to link? Then the body is one, however many say it. */
bool body_is_one(const struct mpi *mpi, const struct mpi_row *row);
/* Were the two put side by side and found alike: themselves, or those who stand for them? */
bool index_alike(const struct mpi *mpi, enum sight sight, uint32_t left, uint32_t right);

/* ---- post.c: under which keys a record stands ---- */

struct row_keys {
    struct row_key at[ROW_KEYS_MAX];
    size_t count;
};
/* The keys of its row, fewer when another of its body stands for it. */
struct row_keys index_keys(const struct mpi *mpi, enum sight sight, uint32_t record);
/* Puts a record under the keys of its row, or takes it away from them while it still has the row. Notes crossings, and
 * others of the body that changed their keys. */
void index_join(struct mpi *mpi, uint32_t record);
void index_leave(struct mpi *mpi, uint32_t record);

/* Bodies that may hold a key before it is narrowed, or halved when it was narrowed as far as it goes. */
static inline uint32_t index_cap(const struct mpi *mpi, const struct row_key *key)
{
    return key->depth < ROW_NARROW_MAX ? mpi->block_cap : mpi->block_cap * LAST_CAPS;
}

/* ---- candidates.c: who may be alike ---- */

/* Keys few enough hold, among these and the narrower ones of those too many hold; on the heap, ascending. A row finds
 * its candidates under them. */
size_t index_live_keys(const struct mpi *mpi, enum sight sight, const struct mpi_row *row, const struct row_keys *keys,
                       struct row_key **out_keys);
/* Records that stand under a live key, each once, into an array on the heap; the caller frees it. `self` is none. */
size_t index_candidates(const struct mpi *mpi, enum sight sight, const struct mpi_row *row, const struct row_keys *keys,
                        uint32_t self, uint32_t **out_records);
/* Those of them that came after the record: so every pair of an index is found once. */
size_t index_later_candidates(const struct mpi *mpi, const struct mpi_row *row, const struct row_keys *keys,
                              uint32_t record, uint32_t **out_records);
/* The record whose own identifier has this key, or 0; the caller checks the text: a key may be shared. */
uint32_t index_find_own(const struct mpi *mpi, enum sight sight, uint64_t own_key, struct holders_at *at);

/* ---- records.c ---- */

/* Not more of anything than a record holds: mpi.too-many. Pure. */
status said_check_lists(struct ctx *cx, const struct mpi_demographics *said);

/* ---- place.c: a record gets another row ---- */

struct best {
    uint32_t record;
    struct levels levels;
    int32_t score_mbit;
};
/*
 * Gives a record a new row (NULL: none), moves it between blocks and renews the edges of everybody whose blocks changed
 * with it: two records have an edge when they stand under one live key, are alike, and are not of one body that is one.
 * Notes touched records and changed edges; index_recluster() must follow. Answers the records compared; the best
 * comparison goes to *out_best (record 0: none).
 */
uint32_t index_set_row(struct mpi *mpi, uint32_t record, const struct mpi_row *row, struct best *out_best);
/* The score of an edge between two records that share a live key, NO_EDGE: there is none. `reach` is of mpi->model. */
int32_t index_edge_score(const struct mpi *mpi, const struct reach *reach, uint32_t left, uint32_t right);
/* By which identifiers beside its own it is found. */
void index_set_handles(struct mpi *mpi, uint32_t record, const struct mpi_identifier *before, size_t before_count,
                       const struct mpi_identifier *now, size_t now_count);

/* ---- decisions.c: decisions and reviews in memory ---- */

bool decision_ties(uint8_t kind);
static inline bool decision_stands(const struct decision *decision, enum sight sight)
{
    return !(sight == APPLIED ? decision->undone_applied : decision->undone);
}
void index_load_decision(struct mpi *mpi, const struct decision *decision);
/* Does a decision about the record stand? The writer's. */
bool index_is_decided(const struct mpi *mpi, uint32_t record);
void index_load_review(struct mpi *mpi, const struct review *review);
const struct review *index_review(const struct mpi *mpi, uint64_t id); /* of readers; NULL: there is none */
/* The writer's: the decision with this id, NULL = none; its place. */
const struct decision *index_decision(const struct mpi *mpi, uint64_t id, uint32_t *out_at);
/* Walks the decisions about a record, newest first: *cursor starts at 0; NULL at the end. */
const struct decision *index_next_decision(const struct mpi *mpi, enum sight sight, uint32_t record, uint32_t *cursor);
/* The newest standing decision between two records (SAME, DIFFERENT, MERGE, LINK, UNLINK), or NULL. */
const struct decision *index_decision_between(const struct mpi *mpi, enum sight sight, uint32_t left, uint32_t right);
/* True when a new tie of the two would bind more than FORCED_MAX records by decisions alone. The writer's. */
bool index_tie_too_large(struct mpi *mpi, uint32_t left, uint32_t right);
/* OPEN, SAME, DIFFERENT or MOOT: by what was decided about just these two, else by what is asked now; so an undone
 * decision opens a review again and none outlives its question. Of readers. */
int index_review_state(const struct mpi *mpi, const struct review *review, const struct decision **out_decision);

/* ---- questions.c: what is asked; all of it the writer's ---- */

struct question {
    uint32_t record, other; /* of the person that asks, and of the one it asks about */
    int32_t score_mbit;
};
struct questions {
    struct question *at;
    size_t count, cap;
};
/*
 * A person asks about the one other person it is most alike to: the strongest of its pairs at or above the review
 * threshold with a person that nobody said it is not. record 0: it asks nothing. A function of rows, edges, persons and
 * standing decisions; never of what came first. So whoever is in doubt is asked about, and nobody asks twice.
 */
struct question index_question(const struct mpi *mpi, uint32_t person);
/* Is this pair what one of its two persons asks? */
bool index_asks(const struct mpi *mpi, uint32_t left, uint32_t right);
/*
 * After clusters, for the touched and the changed: reviews close and open as their pairs are asked, and
 * *out_unasked gets the pairs that are asked and have no review yet, record < other, ascending.
 */
void index_reask(struct mpi *mpi, struct questions *out_unasked);

/* ---- changed.c ---- */

/* What changed after a moment; more may be named than did. */
struct since {
    uint8_t *records; /* a bit for each record */
    uint32_t record_max;
    uint64_t count;
    VEC(struct pair) edges;
    bool everything, unknown; /* unknown: the moment is not one of this store, or its rows are gone */
};
/* In the commit: what was noted is shown. */
void changed_publish(struct mpi *mpi);
/* Before anything is loaded: is there a row for every commit? */
status changed_open(struct mpi *mpi, struct ctx *cx);
status changed_since(struct mpi *mpi, struct ctx *cx, struct moment moment, struct since *out_since);
void since_fini(struct since *since);
static inline bool since_has(const struct since *since, uint32_t record)
{
    return record <= since->record_max && (since->records[record / 8] >> record % 8 & 1);
}

/* ---- models.c: which model is active ---- */

/* Before rows are loaded: reads the active model, and which one the stored edges are of. */
status models_open(struct mpi *mpi, struct ctx *cx);

/* ---- cluster.c ---- */

/*
 * Works out the clusters of every component that holds a touched record, drafts persons, retirements and rings, and
 * notes the changes. A pure function of rows, edges and standing decisions of these components. False: one more of its
 * body joined it, and nobody's question is another one.
 */
bool index_recluster(struct mpi *mpi);
