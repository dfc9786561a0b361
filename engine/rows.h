/*
 * The engine's rows in the store: their keys and encodings, in one place. Tables:
 *
 *   engine.message   seq                        what was received and decided (struct message_row)
 *   engine.control   control id, NUL, source    duplicate detection: the stored acknowledgement (struct control_row)
 *   engine.outbox    destination, NUL, seq, nr  what is still to be delivered (struct outbox_row)
 *   engine.delivery  seq, destination           how a delivery ended (struct delivery_row)
 *   engine.dead      id                         dead letters (struct dead_row); id = seq of the entry that buried it
 *   engine.counter   "source" or "lane", NUL, name   running totals (struct counter_row)
 *   engine.meta      name                       "routes", "clean"; "body" and "held", NUL, seq, nr: bytes that several
 *                                               outbox rows share, and by how many (outbox.h)
 *
 * The types are the rows' own: neither the API nor the journal's entries can change what stands on the disk. Decoders
 * borrow from the row and answer engine.row-bad for damage.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

/* Everything read, nothing left over. */
status row_end(struct ctx *cx, const struct cut *cut, const char *what);

struct message_row_code { /* a coded element that was looked at */
    struct str path, outcome, system, code, target_system, target_code, target_display, map, map_version;
    uint64_t map_row;
};
struct message_row_change {
    struct str route, path, before, after, why;
};
enum { ROW_EVIDENCE_MAX = 24 };
struct message_row_comparison { /* no evidence: nothing was compared, and nothing else stands in the row */
    uint64_t left_record, right_record;
    int32_t score_mbit;
    uint32_t probability_ppm, model_version;
    struct message_row_evidence {
        struct str field, level;
        int32_t weight_mbit;
    } evidence[ROW_EVIDENCE_MAX];
    uint32_t evidence_count;
};
struct message_row {
    struct str source, protocol, peer; /* the bytes stay in the journal */
    int64_t received_us;
    struct str principal;
    int64_t journaled_us;
    struct str control_id, type; /* UTF-8, "ADT^A01" */
    struct str ack_code, reason, detail;
    uint64_t duplicate_of;
    uint32_t warnings;
    struct str verdict;
    uint64_t person, record, review;
    struct message_row_comparison comparison;
    struct str routes_version;
    struct message_row_code *codes;
    size_t code_count;
    struct message_row_change *changes;
    size_t change_count;
    struct message_row_output {
        struct str route, destination;
    } * outputs;
    size_t output_count;
    struct message_row_patient { /* the second and further patients; the first stands above */
        uint32_t pid;            /* which PID segment, from 1 */
        uint64_t record, person, review;
        struct str verdict;
    } * patients;
    size_t patient_count;
};
struct str seq_key(struct arena *arena, uint64_t seq); /* of messages and dead letters */
status seq_key_read(struct ctx *cx, struct str key, uint64_t *out_seq);
void message_row_encode(struct buf *out, const struct message_row *row);
status message_row_decode(struct ctx *cx, struct str bytes, struct message_row *out_row); /* arrays in cx->arena */

struct control_row {
    uint64_t seq, person;
    uint8_t digest[16]; /* first half of the SHA-256 of the message */
    struct str ack_code, ack, verdict;
};
struct str control_key(struct arena *arena, struct str control_id, struct str source);
void control_row_encode(struct buf *out, const struct control_row *row);
status control_row_decode(struct ctx *cx, struct str bytes, struct control_row *out_row);

enum outbox_where {
    OUTBOX_HERE,    /* in the row */
    OUTBOX_JOURNAL, /* as received: those of the journal entry `message_seq` */
    OUTBOX_SHARED,  /* in engine.meta, under (message_seq, shared): several rows mean the same bytes */
};
struct outbox_row {
    uint64_t message_seq;
    struct str control_id; /* MSH-10 as sent, raw */
    enum outbox_where where;
    uint32_t shared;  /* OUTBOX_SHARED */
    struct str bytes; /* OUTBOX_HERE */
};
/* Which outbox row: a destination's queue is ordered by (seq, number). */
struct outbox_key {
    uint64_t seq;    /* entry that queued it: the message's, or the replay's */
    uint32_t number; /* within that entry */
};
struct str outbox_key(struct arena *arena, struct str destination, struct outbox_key key);
struct str outbox_prefix(struct arena *arena, struct str destination);
bool outbox_key_read(struct str bytes, struct str *out_destination, struct outbox_key *out_key);
struct str body_key(struct arena *arena, uint64_t message_seq, uint32_t shared);
struct str held_key(struct arena *arena, uint64_t message_seq, uint32_t shared);
void outbox_row_encode(struct buf *out, const struct outbox_row *row);
status outbox_row_decode(struct ctx *cx, struct str bytes, struct outbox_row *out_row);

enum delivery_state { DELIVERY_DELIVERED = 1, DELIVERY_DEAD = 2 };
struct delivery_row {
    enum delivery_state state;
    uint32_t attempts, in_doubt;
    int64_t first_sent_us, done_us;
    struct str ack_code, why;
};
struct str delivery_key(struct arena *arena, uint64_t seq, struct str destination);
void delivery_row_encode(struct buf *out, const struct delivery_row *row);
status delivery_row_decode(struct ctx *cx, struct str bytes, struct delivery_row *out_row);

struct dead_row {
    struct str destination;
    struct outbox_key key;
    uint64_t message_seq;
    uint32_t attempts, in_doubt;
    int64_t first_sent_us, done_us;
    struct str ack_code, why, answer;
    struct outbox_row outbox; /* as it was queued */
};
void dead_row_encode(struct buf *out, const struct dead_row *row);
status dead_row_decode(struct ctx *cx, struct str bytes, struct dead_row *out_row);
