/*
 * The master patient index as the rest of idem sees it.
 *
 *   record     what one source said about one patient under one identifier, with all its versions
 *   person     a cluster of records: one human, as far as the evidence goes; its number redirects for ever once
 *              merged away
 *   decision   what a steward or a message (A40, A24, A37) said about two records; pinned until undone
 *
 * Clusters are a pure function of (records, decisions, model version): never of arrival order. Merges and unmerges are
 * decisions, never rewrites. See docs/adr/0007-clusters-are-a-pure-function.md, DESIGN section 5, [FS69].
 *
 * Threads: mpi_apply_*, mpi_applied_*, mpi_mark, mpi_undo_to and mpi_publish only from the one writer; everything else
 * from any thread, and not inside a data_view of the store. Memory: results are in cx->arena; nothing returned points
 * into the index.
 *
 * Writing: what mpi_apply_* does is a draft, seen by later mpi_apply_* and mpi_applied_* and by no reader, until
 * mpi_publish() inside the commit. One that fails may have drafted some of its steps: the caller takes them back with
 * the mark it made before (mpi_undo_to, data_txn_undo_to).
 */
#pragma once

#include "base/ctx.h"
#include "base/date.h"
#include "data/store.h"

extern const struct data_table_spec mpi_tables[];
extern const size_t mpi_table_count;

struct mpi;

/* Opens over the store's tables and rebuilds the in-memory index from them: about 5 us and 600 bytes a record
 * (210,000: 1.1 s on one core). */
status mpi_open(struct ctx *cx, struct data_store *store, struct mpi **out_mpi);
void mpi_close(struct mpi *mpi);

/* ---- what is known about somebody ---- */

struct mpi_identifier {
    struct str authority; /* assigning authority: namespace id or OID (CX-4) */
    struct str value;     /* CX-1 */
    struct str type;      /* HL7 table 0203: MR, PI, SS, NI, DL …; may be empty */
};
struct mpi_name {
    struct str family, given, middle, suffix, prefix;
    struct str type; /* HL7 table 0200: L legal, M maiden, A alias, N nickname …; may be empty */
};
struct mpi_address {
    struct str line, city, state, postcode, country;
};
struct mpi_demographics {
    const struct mpi_name *names; /* UTF-8, as the source wrote them */
    size_t name_count;
    struct date birth_date;
    char sex; /* 'F' 'M' 'O' 'U' …, 0 = absent. HL7 table 0001 */
    const struct str *phones;
    size_t phone_count;
    const struct str *emails;
    size_t email_count;
    const struct mpi_address *addresses;
    size_t address_count;
    struct mpi_name mother; /* mother's (maiden) name, PID-6 */
    struct str birth_place; /* PID-23 */
    bool multiple_birth;
    uint8_t birth_order; /* 0 = absent */
    bool deceased;
};

/* Explicit nulls of an update (HL7 `""`): these fields are emptied rather than kept. */
enum mpi_field {
    MPI_FIELD_NAMES = 1 << 0,
    MPI_FIELD_BIRTH_DATE = 1 << 1,
    MPI_FIELD_SEX = 1 << 2,
    MPI_FIELD_PHONES = 1 << 3,
    MPI_FIELD_ADDRESSES = 1 << 4,
    MPI_FIELD_MOTHER = 1 << 5,
    MPI_FIELD_EMAILS = 1 << 6,
    MPI_FIELD_BIRTH_PLACE = 1 << 7,
};

/* ---- evidence ---- */

struct mpi_evidence {
    const char *field;   /* "family name", "birth date" … static */
    const char *level;   /* "exact", "one edit apart", "day and month swapped", "differs", "absent" … static */
    int32_t weight_mbit; /* millibits of log2(m/u); they add up to the score exactly */
};
enum { MPI_EVIDENCE_MAX = 24 };
struct mpi_comparison {
    uint64_t left_record, right_record;
    int32_t score_mbit;       /* sum of the weights and the prior */
    uint32_t probability_ppm; /* 2^score / (1 + 2^score), parts per million */
    uint32_t evidence_count;
    struct mpi_evidence evidence[MPI_EVIDENCE_MAX];
    uint32_t model_version;
};

/* ---- applying (the one writer) ---- */

enum mpi_verdict {
    MPI_VERDICT_KNOWN,   /* the identifier was already there: its person */
    MPI_VERDICT_LINKED,  /* new record joined an existing person on its evidence */
    MPI_VERDICT_REVIEW,  /* new person for now; a review item asks about a likely same one */
    MPI_VERDICT_NEW,     /* new person, nobody alike */
    MPI_VERDICT_DECIDED, /* a merge, link, unlink or steward decision was applied */
    MPI_VERDICT_NONE,    /* the message names nobody */
};
const char *mpi_verdict_name(enum mpi_verdict verdict);

/* What a comparison alone would lead to: LINKED, REVIEW or NEW, by the model's thresholds. */
enum mpi_verdict mpi_verdict_for(struct mpi *mpi, const struct mpi_comparison *comparison);

struct mpi_result {
    enum mpi_verdict verdict;
    uint64_t record, person;
    uint64_t person_before;     /* of an existing record whose person changed; else 0 */
    uint64_t review;            /* 0 = none opened */
    uint32_t candidates;        /* records compared */
    struct mpi_comparison best; /* the strongest comparison; evidence_count 0 when nothing was compared */
};

struct mpi_record_input {
    struct str source;                        /* who says so: sending facility/application or loader name */
    const struct mpi_identifier *identifiers; /* first = the record's own; at least one */
    size_t identifier_count;
    struct mpi_demographics demographics; /* absent values keep what an update finds */
    uint32_t cleared_fields;              /* enum mpi_field bits */
    bool person_level; /* A28, A31: person-level data. A08 and visits: one encounter's view; both update the record here
                        */
    bool keep_known;   /* orders, results: a record that is known stays as it is; a new one is created */
    bool deactivate;   /* A29: the record takes no further part in matching; never erased */
};
/* Whether mpi_apply_record() would take this input: mpi.identifier-missing, mpi.too-many. Pure. */
status mpi_check_record(struct ctx *cx, const struct mpi_record_input *input);
/* Create or update the record of (authority, value) of identifiers[0]. */
status mpi_apply_record(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                        const struct mpi_record_input *input, struct mpi_result *out_result);

enum mpi_decision_kind {
    MPI_DECISION_SAME = 1,  /* steward: one human */
    MPI_DECISION_DIFFERENT, /* steward: two humans, whatever the evidence */
    MPI_DECISION_MERGE,     /* A40 …: right identifier is retired into left */
    MPI_DECISION_LINK,      /* A24 */
    MPI_DECISION_UNLINK,    /* A37: undoes the link between the two; also pins them apart */
    MPI_DECISION_UNDO,      /* takes decision `undoes` back */
};
const char *mpi_decision_name(enum mpi_decision_kind kind);

/* Merge, link, unlink by identifier. MERGE creates a record for an identifier nobody knows yet (so that order does not
 * matter). Refused: both the same (mpi.merge-self), a cycle (mpi.merge-cycle), different authorities or types for MERGE
 * (mpi.merge-authority). LINK and UNLINK of an identifier nobody knows: mpi.identifier-unknown. The same decision said
 * again answers DECIDED and adds nothing. Result: `record` is the side whose person changed (of a merge the retired
 * one). Source: [HL7 2.5.1 3.6.2.1] A40; docs/adr/0004. */
status mpi_apply_identifier_decision(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                                     enum mpi_decision_kind kind, struct str source, struct mpi_identifier left,
                                     struct mpi_identifier right, struct mpi_result *out_result);
/* Steward decision on two records (kind SAME or DIFFERENT) or UNDO of every decision of the entry with seq `undoes`;
 * closes the review it answers. An undo cannot itself be undone (mpi.decision-unknown): decide again instead. */
status mpi_apply_steward_decision(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, uint64_t seq,
                                  enum mpi_decision_kind kind, uint64_t left_record, uint64_t right_record,
                                  uint64_t undoes, struct str note, struct mpi_result *out_result);

/*
 * mpi_mark() before an entry, mpi_undo_to() when it is refused: the index is then as if the entry had never been. Marks
 * nest like data_txn_mark() and are void after mpi_publish(). mpi_publish() shows all of the draft at once: it is
 * called inside the commit of its rows (data_publish_fn).
 */
struct mpi_mark {
    size_t at;
};
/* As the batch under way has it; 0: nobody has this identifier as its own. */
status mpi_applied_find(struct mpi *mpi, struct data_txn *txn, struct ctx *cx, struct mpi_identifier identifier,
                        uint64_t *out_record);
uint64_t mpi_applied_person(const struct mpi *mpi, uint64_t record);

/* Where the batch stands. */
struct mpi_mark mpi_mark(struct mpi *mpi);
void mpi_undo_to(struct mpi *mpi, struct mpi_mark mark);
void mpi_publish(struct mpi *mpi);

/* ---- asking (any thread) ---- */

struct mpi_match {
    uint64_t person, record;
    bool by_identifier;
    struct mpi_comparison comparison;
};
/* Who is this? Identifier matches first, then by score; one row per person, best first, at most `max`. A match by
 * identifier is no comparison: where nothing but numbers is asked, its evidence_count is 0. Changes nothing. */
status mpi_identify(struct mpi *mpi, struct ctx *cx, const struct mpi_identifier *identifiers, size_t identifier_count,
                    const struct mpi_demographics *demographics, size_t max, struct mpi_match **out_matches,
                    size_t *out_count);

struct mpi_record_view {
    uint64_t id, person;
    struct str source;
    struct mpi_identifier *identifiers;
    size_t identifier_count;
    struct mpi_demographics demographics; /* everything currently said by this record */
    uint64_t first_seq, last_seq;
    int64_t first_us, last_us;
    uint32_t versions;
    bool active;
    uint64_t retired_into; /* record id after a merge, 0 */
};
struct mpi_person_view {
    uint64_t id;                    /* after following redirects */
    uint64_t asked;                 /* the number that was asked for */
    struct mpi_demographics golden; /* most recent legal name, most frequent birth date … with lineage in golden_from */
    uint64_t golden_name_record, golden_birth_record, golden_address_record;
    struct mpi_record_view *records;
    size_t record_count;
};
/* mpi.person-unknown; mpi.too-many when its records hold more than LIMIT_PERSON_BYTES: ask for them one by one. */
status mpi_person(struct mpi *mpi, struct ctx *cx, uint64_t person, struct mpi_person_view *out_person);
status mpi_record(struct mpi *mpi, struct ctx *cx, uint64_t record, struct mpi_record_view *out_record);
/*
 * By any identifier a record has; its own goes before those it only mentions. mpi.identifier-unknown; mpi.identifier-
 * shared when records of two persons mention it and it is nobody's own. Follows merges: a retired identifier answers
 * the survivor's person.
 */
status mpi_find(struct mpi *mpi, struct ctx *cx, struct mpi_identifier identifier, uint64_t *out_person,
                uint64_t *out_record);

/* As a message about the patient would find it: by the record's own identifier only. mpi.identifier-unknown. */
status mpi_find_own(struct mpi *mpi, struct ctx *cx, struct mpi_identifier identifier, uint64_t *out_person,
                    uint64_t *out_record);

/* Why two records are one person or not: the comparison, and the decisions and links between them. Recomputed from the
 * stored values and the model version of the link, so it can be compared with what was stored. */
struct mpi_why {
    struct mpi_comparison now;
    struct mpi_comparison stored; /* as it was when the link or review was made; evidence_count 0 when there was none */
    bool same_person;
    struct str sentence; /* one line for people, without patient data */
};
status mpi_why(struct mpi *mpi, struct ctx *cx, uint64_t left_record, uint64_t right_record, struct mpi_why *out_why);

struct mpi_review {
    uint64_t id; /* = seq of the entry that opened it, times 2^24 plus a counter */
    uint64_t left_record, right_record, left_person, right_person;
    int64_t opened_us;
    struct mpi_comparison comparison;
    enum { MPI_REVIEW_OPEN = 1, MPI_REVIEW_SAME, MPI_REVIEW_DIFFERENT, MPI_REVIEW_MOOT } state;
    uint64_t decision; /* seq of the decision that closed it */
    struct str decided_by;
};
struct mpi_review_page {
    struct mpi_review *reviews;
    size_t count;
    uint64_t next; /* where the next page begins: `after` of the next call; 0 = nothing more */
};
/* Open reviews, strongest first (re-checked: none that is moot), at most `max` after review `after` (0 = from the
 * first), which may have been answered since. mpi.review-unknown. */
status mpi_reviews(struct mpi *mpi, struct ctx *cx, size_t max, uint64_t after, struct mpi_review_page *out_page);
status mpi_review(struct mpi *mpi, struct ctx *cx, uint64_t id, struct mpi_review *out_review); /* mpi.review-unknown */

struct mpi_event {
    uint64_t seq;
    int64_t time_us;
    const char *what; /* "record created", "linked", "merged", "unmerged", "decided same", "undone" … static */
    uint64_t record, person, other; /* other: person or record or decision it concerns */
    struct str by;                  /* principal */
    uint32_t nth;                   /* of the record's events of that entry; 0: how the record began */
};
/* What happened to a person and its records, oldest first: the newest 10,000 events before `before` (NULL: of all), of
 * which seq, record and nth are looked at. *out_older: there are older ones, before the first of these. */
status mpi_history(struct mpi *mpi, struct ctx *cx, uint64_t person, const struct mpi_event *before,
                   struct mpi_event **out_events, size_t *out_count, bool *out_older);

struct mpi_counts {
    uint64_t records, persons, decisions, reviews_open, index_bytes;
    uint64_t more_said; /* records that say more names, phones, e-mail or postal addresses or numbers than matching
                           looks at */
};
/* How much there is now. */
struct mpi_counts mpi_count(struct mpi *mpi);

enum mpi_reason {
    MPI_PERSON_UNKNOWN,     /* mpi.person-unknown, NOT_FOUND, 204 */
    MPI_RECORD_UNKNOWN,     /* mpi.record-unknown, NOT_FOUND, 204 */
    MPI_IDENTIFIER_UNKNOWN, /* mpi.identifier-unknown, NOT_FOUND, 204 */
    MPI_IDENTIFIER_SHARED,  /* mpi.identifier-shared, FAILED_PRECONDITION, 204 */
    MPI_IDENTIFIER_MISSING, /* mpi.identifier-missing, INVALID_ARGUMENT, 101 */
    MPI_MERGE_SELF,         /* mpi.merge-self, INVALID_ARGUMENT, 205 */
    MPI_MERGE_CYCLE,        /* mpi.merge-cycle, FAILED_PRECONDITION, 205 */
    MPI_MERGE_AUTHORITY,    /* mpi.merge-authority, INVALID_ARGUMENT, 204 */
    MPI_DECISION_UNKNOWN,   /* mpi.decision-unknown, NOT_FOUND, 204 */
    MPI_DECISION_UNDONE,    /* mpi.decision-undone, FAILED_PRECONDITION, 205 */
    MPI_REVIEW_UNKNOWN,     /* mpi.review-unknown, NOT_FOUND, 204 */
    MPI_REVIEW_CLOSED,      /* mpi.review-closed, FAILED_PRECONDITION, 205 */
    MPI_LINK_MISSING,       /* mpi.link-missing, FAILED_PRECONDITION, 204: A37 for two that were never linked */
    MPI_TOO_MANY,           /* mpi.too-many, RESOURCE_EXHAUSTED, 207 */
    MPI_ROW_BAD,            /* mpi.row-bad, DATA_LOSS, 207 */
    MPI_MODEL_BAD,          /* mpi.model-bad, INVALID_ARGUMENT, 207 */
    MPI_MODEL_UNKNOWN,      /* mpi.model-unknown, NOT_FOUND, 204 */
    MPI_MODEL_UNREADABLE,   /* mpi.model-unreadable, FAILED_PRECONDITION, 207: the store's own */
    MPI_REASON_COUNT
};
extern const struct reason mpi_reasons[MPI_REASON_COUNT];
