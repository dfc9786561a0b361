/*
 * The engine: accept, apply, route, deliver. One journal, one writer, one ordered lane per destination.
 *
 *   submit -> journal (durable) -> apply (one thread, in order) -> answers, outbox -> lanes -> outcome -> journal
 *
 * Threads: everything here from any thread unless said otherwise. Callbacks come on engine threads and must be short.
 */
#pragma once

#include "base/ctx.h"
#include "data/journal.h"
#include "data/store.h"
#include "mpi/models.h"
#include "mpi/mpi.h"
#include "terminology/codes.h"

extern const struct data_table_spec engine_tables[];
extern const size_t engine_table_count;

enum { ENGINE_STORE_FORMAT = 1 }; /* on-disk format number of every row in the store */

struct engine;
struct crypto_tls;

struct engine_options {
    const char *dir;               /* data directory */
    struct crypto_tls *client_tls; /* for MLLP destinations with tls; NULL = none configured */
    /* planted bugs, so that the harnesses that must see them can be tried; never set in service */
    bool plant_ack_before_sync, plant_publish_before_commit, plant_skip_bad_row;
    const char *version;            /* written into the START entry */
    int64_t journal_keep_us;        /* drop segments whose every entry is older and needed by nobody; 0 = keep all */
    uint64_t journal_segment_bytes; /* 0 = 64 MiB */
    uint64_t journal_queue_bytes;   /* entries that wait for the next sync; 0 = LIMIT_JOURNAL_QUEUE_BYTES */
    uint64_t
        journal_verify_bytes;   /* a longer journal is not verified whole before the start, but behind it; 0 = 1 GiB */
    uint64_t store_cache_bytes; /* 0 = as much as data_open() thinks right for this machine */
    uint64_t snapshot_records_min; /* a smaller index is made from its rows at every start; 0 = 10,000 */
};

/* Opens journal and store (rebuilding a damaged or missing store from the journal), the index and the codes, applies
 * what the store has not seen, and starts the apply and delivery threads. */
status engine_open(struct ctx *cx, const struct engine_options *options, struct engine **out_engine);
/* No more submissions; finishes what is in flight (at most `grace_ms`), closes everything cleanly. */
void engine_close(struct engine *engine, int grace_ms);

/* The parts, borrowed: they live as long as the engine. */
struct mpi *engine_mpi(struct engine *engine);
struct codes *engine_codes(struct engine *engine);
struct journal *engine_journal(struct engine *engine);
struct data_store *engine_store(struct engine *engine);
const char *engine_packs_dir(struct engine *engine);

/* ---- messages ---- */

struct engine_submission {
    struct str source;    /* configured name of the source */
    struct str protocol;  /* "mllp", "grpc" */
    struct str peer;      /* address, for the trace */
    struct str principal; /* authenticated identity; empty on plain loopback */
    struct str message;   /* HL7 v2 without framing */
    int64_t received_us;
};
struct engine_answer {
    char code[3];   /* "AA" "AE" "AR", or "CA" "CE" "CR" for the accept acknowledgement; "" = no answer is due */
    uint64_t seq;   /* 0 = not journaled (journal full, shutting down) */
    struct str ack; /* HL7 acknowledgement, no framing; empty when none is due */
    uint64_t person;
    const char *verdict; /* mpi_verdict_name(), or "" */
    bool duplicate;
    const char *reason; /* reason name, "" for AA and CA */
    bool last;          /* no further answer will come for this submission */
};
/* Called once, or twice in enhanced mode (accept acknowledgement, then application acknowledgement when one is due). */
typedef void engine_answer_fn(void *arg, const struct engine_answer *answer);

/* How a source hears that there is room again: the caller's memory, all zero but `told` and `arg`, in place until its
 * message was taken or forgotten. One message at a time. */
struct engine_room {
    void (*told)(void *arg); /* on an engine thread, once for each ENGINE_FULL; short, and submits nothing itself */
    void *arg;
    /* the engine's: */
    struct engine *engine;
    struct journal_waiter waiter;
};

/*
 * Never waits, however slow the disk is.
 * ENGINE_TAKEN: the message was copied; `answered` is always called, also for refusals (no space on the disk: AR and
 * reason data.journal-full).
 * ENGINE_FULL: nothing was kept and nothing is answered. room->told is called when there is room; then submit the same
 * message again, or engine_forget(): its place is kept until one of them. Places are given in the order asked. A source
 * stops reading meanwhile, so that its sender waits too.
 */
enum engine_taken { ENGINE_TAKEN, ENGINE_FULL };
enum engine_taken engine_submit(struct engine *engine, const struct engine_submission *submission,
                                engine_answer_fn *answered, void *arg, struct engine_room *room);
/* The message will not be submitted again. True: room->told is not called any more. False: it was called, or is being
 * called right now, or nothing waits. */
bool engine_forget(struct engine *engine, struct engine_room *room);

/* What would happen, without effect (Reconcile and TestRoute). `routes_text` empty = the active routes. */
struct engine_change {
    struct str route, path, before, after; /* what this route changed, for all its destinations; no route: see why */
    const char *why;
};
struct engine_code {
    struct str path, outcome, system, code, target_system, target_code, target_display, map, map_version;
    uint64_t map_row;
};
struct engine_step {
    int64_t time_us, took_us;
    struct str step, detail;
};
struct engine_output {
    struct str destination, route, message;
};
struct engine_rehearsal {
    uint64_t person;
    const char *verdict;
    struct engine_step *steps;
    size_t step_count;
    struct engine_code *codes;
    size_t code_count;
    struct engine_change *changes;
    size_t change_count;
    struct engine_output *outputs;
    size_t output_count;
};
status engine_rehearse(struct engine *engine, struct ctx *cx, struct str routes_text, struct str source,
                       struct str message, struct engine_rehearsal *out_rehearsal);

/* ---- changes by people: journaled, applied, answered ---- */

struct engine_decision {
    enum mpi_decision_kind kind; /* SAME, DIFFERENT, UNDO */
    uint64_t left_record, right_record, undoes;
    struct str note;
};
status engine_decide(struct engine *engine, struct ctx *cx, const struct engine_decision *decision,
                     struct mpi_result *out_result, uint64_t *out_seq);

struct engine_people_result {
    uint64_t loaded, new_persons, linked, reviews;
};
/* At most 1000 records an entry. */
status engine_load_people(struct engine *engine, struct ctx *cx, const struct mpi_record_input *records, size_t count,
                          struct engine_people_result *out_result, uint64_t *out_seq);

/* Releases of codes: register one that was loaded, make it count, go back to the one before. */
status engine_register_codes(struct engine *engine, struct ctx *cx, const struct codes_registration *registration,
                             uint64_t *out_release);
status engine_activate_codes(struct engine *engine, struct ctx *cx, uint64_t release, uint64_t *out_seq);
status engine_rollback_codes(struct engine *engine, struct ctx *cx, struct str system, uint64_t *out_seq);

/* From here on people are linked by the model of this text (mpi_apply_model() says what that takes). A text that cannot
 * be read, or without a why, never becomes an entry: mpi.model-bad, engine.why-missing. */
status engine_activate_model(struct engine *engine, struct ctx *cx, struct str text, struct str why,
                             struct mpi_activated *out_activated, uint64_t *out_seq);

struct engine_routes_view {
    struct str version, text;
    uint64_t seq;
    struct str *routes, *sources, *destinations;
    size_t route_count, source_count, destination_count;
};
status engine_routes(struct engine *engine, struct ctx *cx, struct engine_routes_view *out_routes);
/* Strict: engine.routes-bad with line, column and a suggestion. */
status engine_apply_routes(struct engine *engine, struct ctx *cx, struct str text, bool dry_run,
                           struct engine_routes_view *out_routes);

struct engine_dead_letter {
    uint64_t id, seq;
    struct str destination, reason, detail, control_id, type, message,
        answer; /* message and answer only from engine_dead_letter() */
    int64_t time_us;
    uint32_t attempts;
};
/* Oldest first, at most `max` after letter `after` (0 = from the first); of one destination, or (empty) of every one,
 * and how many there are of it in all. */
status engine_dead_letters(struct engine *engine, struct ctx *cx, struct str destination, uint64_t after, size_t max,
                           struct engine_dead_letter **out_letters, size_t *out_count, uint64_t *out_total);
/* How many there are, as counted with the last commit. */
uint64_t engine_dead_count(struct engine *engine, struct str destination);
status engine_dead_letter(struct engine *engine, struct ctx *cx, uint64_t id, struct engine_dead_letter *out_letter);
/* By id, or (id 0) all of a destination (empty: of every one), oldest first, at most 10,000 or 64 MiB a call; what
 * engine_dead_count() still has then wants another. */
status engine_replay(struct engine *engine, struct ctx *cx, uint64_t id, struct str destination, bool dry_run,
                     uint64_t **out_ids, size_t *out_count);

/* ---- seeing ---- */

struct engine_delivery {
    struct str destination, state, ack_code, reason; /* state: "queued" "delivered" "refused" "dead" */
    uint32_t attempts, in_doubt;
    int64_t done_us;
};
struct engine_trace {
    uint64_t seq, person, record;
    struct str source, principal, control_id, type, ack_code, reason, verdict, message, routes_version;
    struct mpi_comparison comparison;
    struct engine_code *codes;
    size_t code_count;
    struct engine_change *changes;
    size_t change_count;
    struct engine_delivery *deliveries;
    size_t delivery_count;
    struct engine_step *steps;
    size_t step_count;
    bool times_not_kept; /* what the writer's steps took: of the newest 8,192 entries since the start only */
};
/* By journal number, or (seq 0) the newest message with this control id. engine.message-unknown. */
status engine_trace(struct engine *engine, struct ctx *cx, uint64_t seq, struct str control_id,
                    struct engine_trace *out_trace);

struct engine_message_line {
    uint64_t seq, person;
    uint64_t others; /* patients beside that person: the trace names them */
    int64_t time_us;
    struct str source, type, control_id, ack_code, reason, verdict;
};
/* Newest first, below `before` (0 = the newest), at most `max`, and only as far as a call should look: go on with
 * *out_next_before, 0 = that was all. A row that cannot be read: engine.row-bad, never a list without it. A text of
 * more than 597 bytes ends in an ellipsis, here and among the dead letters; the message's trace has it whole. */
status engine_messages(struct engine *engine, struct ctx *cx, uint64_t before, size_t max, bool refused_only,
                       struct engine_message_line **out_lines, size_t *out_count, uint64_t *out_next_before);

struct engine_lane_view {
    struct str destination, kind, state, last_error;
    uint64_t queued, delivered, refused, dead, attempts;
    int64_t oldest_us;
};
struct engine_source_view {
    struct str name, kind;
    uint64_t received, accepted, refused, duplicates, connections;
};
struct engine_status {
    int64_t started_us;
    uint64_t journal_last_seq, applied_seq, received, accepted, refused;
    uint64_t deliveries_owed, deliveries_done, deliveries_queued, deliveries_dead;
    /* owed - done - queued - dead of each lane, added up without sign, the queue counted in the outbox itself: 0 */
    int64_t unaccounted;
    struct mpi_counts mpi;
    uint64_t work_items;
    struct engine_lane_view *lanes;
    size_t lane_count;
    struct engine_source_view *sources;
    size_t source_count;
    bool journal_full;
};
status engine_status(struct engine *engine, struct ctx *cx, struct engine_status *out_status);

/* A source says how many connections it holds, for the status. */
void engine_source_connections(struct engine *engine, const char *source, int change);

enum engine_reason {
    ENGINE_DUPLICATE_OTHER, /* engine.control-id-reused, ALREADY_EXISTS, 205: same control id, other content */
    ENGINE_SOURCE_UNKNOWN,  /* engine.source-unknown, PERMISSION_DENIED, 207 */
    ENGINE_ROUTES_BAD,      /* engine.routes-bad, INVALID_ARGUMENT, 207 */
    ENGINE_MESSAGE_UNKNOWN, /* engine.message-unknown, NOT_FOUND, 204 */
    ENGINE_DEAD_UNKNOWN,    /* engine.dead-letter-unknown, NOT_FOUND, 204 */
    ENGINE_CLOSING,         /* engine.closing, UNAVAILABLE, 207 */
    ENGINE_ENTRY_BAD,       /* engine.entry-bad, DATA_LOSS, 207: a journal entry that says nothing readable; refused */
    ENGINE_ROW_BAD, /* engine.row-bad, DATA_LOSS, 207: a row of the store that cannot be read; nothing goes on */
    ENGINE_PATIENT_MISSING, /* engine.patient-missing, INVALID_ARGUMENT, 101 */
    ENGINE_TOO_LARGE,       /* engine.too-large, RESOURCE_EXHAUSTED, 207 */
    ENGINE_WHY_MISSING,     /* engine.why-missing, INVALID_ARGUMENT, 207 */
    ENGINE_REASON_COUNT
};
extern const struct reason engine_reasons[ENGINE_REASON_COUNT];
