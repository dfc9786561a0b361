/*
 * The code service as the rest of idem sees it: which code systems and maps are active, and what a code means in them.
 *
 * Every loaded release is an immutable, checksummed, mmap'd *pack* (terminology/pack.h). The *registry* says which
 * packs exist and which is active per system; registering, activating and rolling back are journal entries applied by
 * the one writer. Readers take a *snapshot*: immutable and reference-counted, so an activation never disturbs a running
 * call.
 *
 * Systems are named by FHIR URI ("http://loinc.org"); HL7 v2 names (table 0396: LN, SCT, I10, I10C, RXNORM) are
 * aliases. A local map is a release of a pack with kind map: from one system (or local system name) to another.
 *
 * Threads: codes_snapshot() and everything on a snapshot from any thread; codes_apply_* from the one writer.
 */
#pragma once

#include "base/ctx.h"
#include "base/date.h"
#include "base/json.h"
#include "data/store.h"

extern const struct data_table_spec codes_tables[];
extern const size_t codes_table_count;

struct codes;          /* registry and packs of one daemon */
struct codes_snapshot; /* what was active at one moment */

/* `dir` holds the packs (<data>/packs). Verifies every registered pack, and keeps open those that are needed: of the
 * active releases, and of those a roll back leads to. A missing or damaged one is codes.pack-damaged, by name; a row
 * that cannot be read is data.store-damaged. */
status codes_open(struct ctx *cx, const char *dir, struct data_store *store, struct codes **out_codes);
void codes_close(struct codes *codes);

/* What is active now, as of the last commit; give every reference back before codes_close(). */
struct codes_snapshot *codes_snapshot_ref(struct codes *codes);
void codes_snapshot_unref(struct codes_snapshot *snapshot);
/* Frees snapshots that everybody gave back, and closes packs that nobody refers to any more: that may take tens of
 * milliseconds, so it is done from time to time on a thread that nobody waits for. Any thread. */
void codes_free_unused(struct codes *codes);

/* A release as listed. Strings live as long as the snapshot. */
struct codes_release {
    uint64_t id;        /* seq of the journal entry that registered it */
    struct str system;  /* code system URI, or for a map its name, e.g. "map:hospital-a-labs" */
    struct str version; /* "2.78", "20250901", "2026" … */
    struct str kind;    /* "icd10cm", "loinc", "rxnorm", "snomed", "map" */
    uint64_t concepts;  /* or map rows */
    int64_t registered_us;
    int64_t activated_us; /* 0 = never */
    bool active;
};
size_t codes_release_count(const struct codes_snapshot *snapshot);
struct codes_release codes_release_at(const struct codes_snapshot *snapshot, size_t index);
/* Reads the pack of a release again, all of it, from disk: codes.pack-damaged. */
status codes_verify_pack(const struct codes_snapshot *snapshot, struct ctx *cx, size_t index);

/* URI of a system given as URI or HL7 v2 name; the name itself when unknown (local systems have only names). */
struct str codes_system_uri(const struct codes_snapshot *snapshot, struct str system);
/* The HL7 v2 name (table 0396) of a system, or the given text when it has none. */
struct str codes_system_v2_name(const struct codes_snapshot *snapshot, struct str system);

struct codes_concept {
    struct str system, version; /* of the release that answered */
    struct str code, display;
    bool active;   /* in use in that release */
    bool billable; /* ICD: may be used for coding (a leaf); true elsewhere */
};
struct codes_designation {
    struct str language, use, text; /* use: "fsn", "synonym", "short", "long", "preferred" … */
};
struct codes_property {
    struct str name, value; /* "parent", "replaced-by", "component", "tty", … */
};
/* codes.system-unknown, codes.code-unknown, codes.release-unknown. `release_id` 0 = the active one. The pack of another
 * one may have to be opened: seconds for a large one, and codes.pack-damaged; the snapshot then keeps it. */
status codes_lookup(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                    uint64_t release_id, struct codes_concept *out_concept);
/* Into cx->arena. */
status codes_details(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                     uint64_t release_id, struct codes_designation **out_designations, size_t *out_designation_count,
                     struct codes_property **out_properties, size_t *out_property_count);

enum codes_validity {
    CODES_VALID,    /* in use in the active release */
    CODES_INACTIVE, /* known, but retired: see replaced-by */
    CODES_HEADER,   /* known, but a heading that may not be used (ICD-10-CM) */
    CODES_CODE_UNKNOWN,
    CODES_SYSTEM_UNKNOWN,
};
const char *codes_validity_name(enum codes_validity validity); /* "valid", "inactive", … */

struct codes_verdict {
    enum codes_validity validity;
    struct codes_concept concept; /* when known */
    bool display_differs;         /* a display was given and it is none of the concept's designations (case ignored) */
    struct str replacement;       /* a code to use instead, when the release names exactly one */
};
/* Is this code usable? `display` may be empty. Never fails: unknown is an answer. */
struct codes_verdict codes_validate(const struct codes_snapshot *snapshot, struct str system, struct str code,
                                    struct str display);

struct codes_translation {
    struct str system, code, display; /* target; display from the target's active release when it has one */
    struct str equivalence; /* FHIR R4 concept-map-equivalence: "equivalent", "equal", "wider", "narrower", "inexact" */
    struct str map, map_version; /* release that answered */
    uint64_t map_row;            /* 1-based line of the row in the loaded file */
};
/* All rows from (system, code) to `target_system` (empty = any target) in active maps, best first (equivalence, then
 * the map's name, then the line), into cx->arena. A map has at most PACK_ROWS_OF_CODE_MAX of them; codes.too-many-rows
 * past 50,000 in all maps. None is an answer, not a failure: *out_count = 0. When a local system has no row of its own,
 * rows of the source system "*" count; never for a system that claims to be a standard one. */
status codes_translate(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                       struct str target_system, struct codes_translation **out_rows, size_t *out_count);

/* True when `ancestor` is reached from `code` by is-a (equal codes: true). For systems with a hierarchy. */
status codes_subsumes(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str ancestor,
                      struct str code, bool *out_subsumes);

/* What reconciliation decided about one coded element; engine/ writes it into the message and the trace. */
enum codes_outcome {
    CODES_OUTCOME_STANDARD,   /* already valid in a target system: nothing to add */
    CODES_OUTCOME_TRANSLATED, /* `translation` is to be added */
    CODES_OUTCOME_UNMAPPED,   /* no map row: a work item */
    CODES_OUTCOME_INVALID,    /* claims a standard system but is not valid in it: `verdict` says why; a work item */
    CODES_OUTCOME_EMPTY,
};
struct codes_reconciled {
    enum codes_outcome outcome;
    struct codes_verdict verdict;
    struct codes_translation translation;
};
/* Reconcile one (code, display, system) against the wanted target systems, in order of preference.
 * A translation whose target is retired, a heading or unknown in the target's active release is never answered: when a
 * map has no better row the outcome is INVALID and the verdict is that of the target. Without targets only validity is
 * judged. Never fails: all it needs is in memory. Texts live as long as the snapshot, or are the caller's. */
struct codes_reconciled codes_reconcile(const struct codes_snapshot *snapshot, struct str system, struct str code,
                                        struct str display, const struct str *targets, size_t target_count);

/* Apply (the one writer). Bodies are those the daemon journals. What register and activate changed is in the writer's
 * snapshot as soon as they answer OK, so that later entries of a batch see it; an entry that is refused has not changed
 * it, and its rows are taken back by the caller (data_txn_undo_to). */
struct codes_registration {
    struct str system, version, kind;
    struct str pack_file; /* file name inside the pack directory */
    uint8_t sha256[32];   /* of the pack file */
    uint64_t concepts;
};
void codes_registration_encode(struct buf *out, const struct codes_registration *registration);
/* Register (not yet active). Same system+version+digest again: codes.release-exists. The pack file must be there with
 * this digest: it was when the entry was journaled (codes_hold_registration()), so codes.pack-damaged here is damage,
 * never a verdict about the entry. */
status codes_apply_register(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str body);
/* Activate release_id for its system, or roll back to the one active before: body = varint release id, 0 + lstr system
 * = roll back. */
void codes_activation_encode(struct buf *out, uint64_t release_id);
void codes_rollback_encode(struct buf *out, struct str system);
status codes_apply_activate(struct codes *codes, struct data_txn *txn, struct ctx *cx, uint64_t seq, struct str body);

/*
 * Before an entry about codes is journaled, on the thread of whoever wants it: opens and verifies the pack the entry
 * needs and holds it, so that a pack that is missing or damaged is refused before there is an entry, and the writer
 * reads no file. codes.pack-damaged, codes.release-unknown, codes.nothing-to-roll-back-to. Give it back, on the same
 * thread, when the entry has been applied. One activation or roll back at a time: a second caller waits here.
 */
struct codes_hold {
    struct codes *codes;
    struct codes_pack *pack;
    bool changing;
};
status codes_hold_registration(struct codes *codes, struct ctx *cx, const struct codes_registration *registration,
                               struct codes_hold *out_hold);
status codes_hold_activation(struct codes *codes, struct ctx *cx, uint64_t release_id, struct codes_hold *out_hold);
status codes_hold_rollback(struct codes *codes, struct ctx *cx, struct str system, struct codes_hold *out_hold);
void codes_hold_end(struct codes_hold *hold); /* all-zero is fine: for SCOPED */

/*
 * What register and activate changed is seen by the writer (codes_applied_snapshot()) at once and by readers
 * (codes_snapshot_ref()) only after codes_publish(), which is called inside the commit (data_publish_fn): it moves a
 * pointer, and nothing when nothing changed. Thread: the one writer.
 */
struct codes_snapshot *codes_applied_snapshot(struct codes *codes); /* borrowed until the next codes_apply_*() */
void codes_publish(struct codes *codes);

/*
 * The work list of a terminology team: unmapped and invalid codes, counted by source and place. Texts over 200 bytes
 * are kept with an ellipsis at their end. Past a million distinct items (a sender of random codes must not fill the
 * disk), and past `items_left` of one entry (each is a row of its commit), what comes is counted per source and place,
 * as an item without system and code whose outcome is "beyond-limit".
 */
struct codes_seen {
    struct str source, path, system, code, display;
    enum codes_outcome outcome; /* unmapped or invalid */
};
struct codes_entry_items {
    uint64_t seq;
    size_t items_left; /* that may be told apart: LIMIT_WORK_ITEMS_PER_ENTRY at first */
};
/* Counts one. Fails on damage only. The one writer. */
status codes_apply_work_item(struct codes *codes, struct data_txn *txn, struct ctx *cx, struct codes_entry_items *entry,
                             const struct codes_seen *seen);
/* How many items there are: one row is read. */
status codes_work_count(struct codes *codes, struct ctx *cx, uint64_t *out_count);
struct codes_work_item {
    struct str source, path, system, code, display, outcome;
    uint64_t count, first_seq, last_seq;
    int64_t first_us, last_us;
};
struct codes_work_page {
    struct codes_work_item *items;
    size_t count;
    struct str next; /* ask again with this as `after`; empty = that was all */
};
/* Work items, most used first, at most `max` (0 = 1) after what an earlier page ended with (empty = from the first),
 * into cx->arena. Reads the whole table. An item that came again between two pages may have moved to an earlier one.
 * codes.page-bad. */
status codes_work_items(struct codes *codes, struct ctx *cx, size_t max, struct str after,
                        struct codes_work_page *out_page);

enum codes_reason {
    CODES_SYSTEM_NOT_FOUND, /* codes.system-unknown, NOT_FOUND, 103 */
    CODES_CODE_NOT_FOUND,   /* codes.code-unknown, NOT_FOUND, 103 */
    CODES_RELEASE_UNKNOWN,  /* codes.release-unknown, NOT_FOUND, 204 */
    CODES_RELEASE_EXISTS,   /* codes.release-exists, ALREADY_EXISTS, 205 */
    CODES_PACK_DAMAGED,     /* codes.pack-damaged, DATA_LOSS, 207 */
    CODES_NOTHING_BEFORE,   /* codes.nothing-to-roll-back-to, FAILED_PRECONDITION, 207 */
    CODES_NO_HIERARCHY,     /* codes.no-hierarchy, FAILED_PRECONDITION, 207 */
    CODES_BODY_BAD,         /* codes.bad-entry, DATA_LOSS, 207 */
    CODES_PAGE_BAD,         /* codes.page-bad, INVALID_ARGUMENT, 207 */
    CODES_TOO_MANY_ROWS,    /* codes.too-many-rows, FAILED_PRECONDITION, 207 */
    CODES_REASON_COUNT
};
extern const struct reason codes_reasons[CODES_REASON_COUNT];
