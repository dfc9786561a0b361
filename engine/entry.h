/*
 * The kinds of journal entry and their bodies. One row per kind in entry_kinds; a body begins with its format byte.
 * Encoders append; decoders borrow from the body and answer engine.entry-bad for anything that is not exactly one.
 * Numbers and layouts are part of the disk format: add, never change (docs/adr/0001).
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "mpi/mpi.h"
#include "rows.h"

enum entry_kind {
    ENTRY_MESSAGE = 1,        /* bytes from a sender */
    ENTRY_DELIVERY = 2,       /* what became of one delivery: delivered or dead */
    ENTRY_DECISION = 3,       /* a steward's */
    ENTRY_PEOPLE = 4,         /* records in bulk */
    ENTRY_CODES_REGISTER = 5, /* body: codes_registration_encode() */
    ENTRY_CODES_ACTIVATE = 6, /* body: codes_activation_encode() or codes_rollback_encode() */
    ENTRY_ROUTES = 7,         /* body: the YAML text */
    ENTRY_REPLAY = 8,         /* dead letters to send again */
    ENTRY_START = 9,          /* the daemon started; body: its version */
    ENTRY_STOP = 10,          /* the daemon stopped cleanly: no delivery was under way */
    ENTRY_MODEL = 11,         /* a model of who is alike is activated: its whole text, and why */
    ENTRY_KIND_COUNT
};
const char *entry_kind_name(uint16_t kind);

struct entry_message {
    struct str source, protocol, peer, message;
    int64_t received_us;
};
void entry_message_encode(struct buf *out, const struct entry_message *entry);
status entry_message_decode(struct ctx *cx, struct str body, struct entry_message *out_entry);

struct entry_delivery {
    struct str destination;
    struct outbox_key key;
    uint64_t message_seq;
    enum delivery_state state;
    uint32_t attempts, in_doubt;
    int64_t first_sent_us, done_us;
    struct str ack_code, why, answer; /* answer only when dead */
};
void entry_delivery_encode(struct buf *out, const struct entry_delivery *entry);
status entry_delivery_decode(struct ctx *cx, struct str body, struct entry_delivery *out_entry);

struct entry_decision {
    enum mpi_decision_kind kind;
    uint64_t left_record, right_record, undoes;
    struct str note;
};
void entry_decision_encode(struct buf *out, const struct entry_decision *entry);
status entry_decision_decode(struct ctx *cx, struct str body, struct entry_decision *out_entry);

void entry_people_encode(struct buf *out, const struct mpi_record_input *records, size_t count);
/* Into cx->arena; strings borrow from the body. */
status entry_people_decode(struct ctx *cx, struct str body, struct mpi_record_input **out_records, size_t *out_count);

void entry_model_encode(struct buf *out, struct str text, struct str why);
status entry_model_decode(struct ctx *cx, struct str body, struct str *out_text, struct str *out_why);

void entry_replay_encode(struct buf *out, const uint64_t *ids, size_t count);
status entry_replay_decode(struct ctx *cx, struct str body, uint64_t **out_ids, size_t *out_count);
