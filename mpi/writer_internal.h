/*
 * struct writer: the one writer at work on one entry, and the steps shared by everything it applies. Order: check,
 * begin, draft and write rows, finish. What fails half way is taken back by the caller's mark (mpi_undo_to,
 * data_txn_undo_to).
 */
#pragma once

#include "people_internal.h"

enum event_what {
    EVENT_CREATED, /* worked out from the record row */
    EVENT_UPDATED,
    EVENT_DEACTIVATED,
    EVENT_MOVED,
    EVENT_SAME,
    EVENT_DIFFERENT,
    EVENT_MERGED,
    EVENT_LINKED,
    EVENT_UNLINKED,
    EVENT_UNDONE,
    EVENT_REVIEW,
    EVENT_IDENTIFIERS_LEFT_OUT,
    EVENT_NAMES_LEFT_OUT,
    EVENT_COUNT,
};
extern const char *const event_names[EVENT_COUNT];

struct writer {
    struct mpi *mpi;
    struct data_txn *txn;
    struct ctx *cx;
    uint64_t seq;
    uint32_t reviews_before; /* this apply */
};

/* First, before anything is found or checked: starts the counters of an entry; several applies may belong to one. */
void writer_begin(struct writer *w);
/* Reclusters what was touched, closes and opens reviews, writes members, edges, moves and the new reviews. */
void writer_finish(struct writer *w);
void writer_put_event(struct writer *w, uint32_t record, enum event_what what, uint64_t person, uint64_t other);
/* The record whose own identifier this is, 0 = nobody, and what is stored of it. Compares the text, not only its hash.
 */
status writer_find_own(struct writer *w, struct mpi_identifier identifier, uint32_t *out_record,
                       struct stored_record *out_stored);
/* The stored record as this transaction sees it. */
status writer_get_record(struct writer *w, uint32_t record, struct stored_record *out_record);
void writer_put_record(struct writer *w, uint32_t record, const struct stored_record *stored);
/* A new record that knows only its identifier. */
uint32_t writer_new_record(struct writer *w, struct str source, struct mpi_identifier identifier);
/* Keeps what made the record join its person: the comparison of its strongest edge into it. */
void writer_keep_link(struct writer *w, uint32_t record);
/* The newest review that this apply opened about the record, 0 = none. */
uint64_t writer_review_of(const struct writer *w, uint32_t record);
void writer_explain(const struct writer *w, uint32_t a, uint32_t b, struct mpi_comparison *out_comparison);
void writer_put_link(struct writer *w, const struct mpi_comparison *comparison);
/* The person the record had before this apply; 0 when it has not changed. */
uint32_t writer_person_before(const struct writer *w, uint32_t record);
