/*
 * Rows of the store to structures and back. Every decoder survives any bytes: damage is mpi.row-bad. What the larger
 * rows hold is in types of their own (disk_internal.h); here they become what the rest of mpi/ works with.
 *
 *   mpi.record    record                 what the record says now
 *   mpi.version   record, version        what the record said before the update that made the next version
 *   mpi.member    record                 its person and the record it was retired into; absent: its own person
 *   mpi.edge      left, right            score of two records that are alike; left < right
 *   mpi.link      left, right            the comparison as it was when a link or review was made
 *   mpi.decision  seq * 256 + n          what was decided
 *   mpi.review    review id              who is asked about
 *   mpi.event     record, seq, n         what happened
 *   mpi.model     see models.c           models that were activated, when, and which one the edges are of
 *
 * Keys are big-endian u64s. Memory: decoded strings borrow the row; arrays are in cx->arena.
 */
#pragma once

#include "mpi/mpi.h"

enum { FORMER_NAMES_MAX = 64 };

struct stored_record {
    struct str source;
    struct mpi_identifier *identifiers;
    size_t identifier_count;
    struct mpi_demographics said;
    struct mpi_name *former;
    size_t former_count;
    uint64_t first_seq, last_seq;
    int64_t first_us, last_us;
    uint32_t versions;
    bool active, person_level;
};
struct stored_member {
    uint64_t person, retired_into;
};
struct stored_decision {
    enum mpi_decision_kind kind;
    uint64_t left, right, undoes, undone_by; /* undone_by: seq of the UNDO, 0 = stands */
    struct str note, source, by;
    int64_t time_us;
};
struct stored_review {
    uint64_t left, right;
    int64_t opened_us;
    struct mpi_comparison comparison;
};
struct stored_event {
    uint8_t what;
    int64_t time_us;
    uint64_t person, other;
    struct str by;
};

void encode_record(struct buf *out, const struct stored_record *record);
status decode_record(struct ctx *cx, struct str row, struct stored_record *out_record);
void encode_member(struct buf *out, const struct stored_member *member);
status decode_member(struct ctx *cx, struct str row, struct stored_member *out_member);
void encode_edge(struct buf *out, int32_t score_mbit);
status decode_edge(struct ctx *cx, struct str row, int32_t *out_score_mbit);
void encode_decision(struct buf *out, const struct stored_decision *decision);
status decode_decision(struct ctx *cx, struct str row, struct stored_decision *out_decision);
void encode_review(struct buf *out, const struct stored_review *review);
status decode_review(struct ctx *cx, struct str row, struct stored_review *out_review);
void encode_comparison(struct buf *out, const struct mpi_comparison *comparison);
status decode_comparison(struct ctx *cx, struct str row, struct mpi_comparison *out_comparison);
void encode_event(struct buf *out, const struct stored_event *event);
status decode_event(struct ctx *cx, struct str row, struct stored_event *out_event);

/* Big-endian keys on the stack. */
struct key {
    char bytes[24];
    size_t len;
};
struct key key_1(uint64_t a);
struct key key_2(uint64_t a, uint64_t b);
struct key key_3(uint64_t a, uint64_t b, uint64_t c);
static inline struct str key_str(const struct key *key)
{
    return (struct str){key->bytes, key->len};
}
uint64_t key_part(struct str key, size_t part); /* 0 when the key is shorter */
status key_check(struct ctx *cx, struct str key, size_t parts, const char *table);
