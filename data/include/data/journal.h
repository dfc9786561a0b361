/*
 * The journal: the one truth. Every input is appended here, made durable, and only then acknowledged; everything else in the
 * data directory is a projection that can be rebuilt from it.
 *
 * On disk: <dir>/journal/NNNNNNNNNNNNNNNN.seg, one file per segment, named by its first sequence number. A segment begins with
 * a header (magic, format number, first seq, hash of the entry before), then entries: length, CRC-32C, seq, time, kind,
 * principal, body, SHA-256 chain value = SHA-256(previous chain value || everything of this entry before the chain value).
 * See docs/adr/0001-one-journal.md.
 *
 * Durability: a journal thread writes what is queued and calls fdatasync once per group (group commit). First failed write or
 * sync, other than "no space", ends the process (trust.md F2, docs/adr/0006). When space runs out, appends answer
 * data.journal-full, nothing half-written stays visible, and appends work again by themselves once space returns.
 *
 * Threads: journal_append* from any thread; a reader belongs to one thread.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

struct journal;

enum { JOURNAL_CHAIN_BYTES = 32 };

struct journal_entry {
    uint64_t seq;         /* 1, 2, 3 … without holes */
    int64_t time_us;      /* UTC, given by the journal thread at append; never goes back */
    uint16_t kind;        /* engine/entry.h names the kinds; the journal does not look inside */
    struct str principal; /* who caused it */
    struct str body;
};

struct journal_options {
    const char *dir;              /* the data directory; the journal makes its own folder inside */
    uint64_t segment_bytes;       /* a new segment begins past this; 0 = 64 MiB */
    uint64_t queue_bytes_max;     /* back-pressure: appends wait for room past this; 0 = 64 MiB */
    uint64_t reserve_bytes;       /* refuse appends while the file system has less free than this; 0 = 16 MiB */
    bool plant_ack_before_sync;   /* PLANTED BUG for the crash harness: call `done` before the write and sync */
};

/* Called on the journal thread, in seq order, once the entry is durable, or once with a failure (seq then 0). Must be short. */
typedef void journal_done_fn(void *arg, status result, uint64_t seq, int64_t time_us);

/*
 * Opens or creates. Checks the whole chain of the last segment and the headers of all; a torn tail (an incomplete last
 * group, never acknowledged) is cut and logged. A hole, a bad CRC before later good entries, or a bad link is refused with
 * data.journal-damaged: the detail names the segment and first bad seq and the next step (`idem journal verify`).
 */
status journal_open(struct ctx *cx, const struct journal_options *options, struct journal **out_journal);
void journal_close(struct journal *journal); /* makes everything queued durable first */

/* Queue one entry; `principal` and `body` are copied. `done` is called later. data.journal-full when there is no space. */
status journal_append(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal, struct str body,
                      journal_done_fn *done, void *arg);
/* The same, and wait until durable. */
status journal_append_wait(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal, struct str body,
                           uint64_t *out_seq);

uint64_t journal_first_seq(const struct journal *journal); /* 1 unless old segments were dropped; 0 when empty */
uint64_t journal_last_seq(const struct journal *journal);  /* durable */

/* A cursor over durable entries from `seq` on. */
struct journal_reader;
status journal_reader_open(struct journal *journal, struct ctx *cx, uint64_t seq, struct journal_reader **out_reader);
void journal_reader_close(struct journal_reader *reader);
/* The next entry, waiting up to `timeout_ms` for it (0 = do not wait). STATUS_NOT_FOUND = none yet. Borrowed until the next call. */
status journal_reader_next(struct journal_reader *reader, struct ctx *cx, int timeout_ms, struct journal_entry *out_entry);
/* Wake readers that wait, so that their threads can end. */
void journal_wake(struct journal *journal);

/* One entry by number, copied into cx->arena. data.journal-no-such-entry when never written or dropped. Any thread. */
status journal_read(struct journal *journal, struct ctx *cx, uint64_t seq, struct journal_entry *out_entry);

/* Drop whole segments whose every entry is below `keep_from_seq`. Space returns at once. */
status journal_drop_before(struct journal *journal, struct ctx *cx, uint64_t keep_from_seq, uint64_t *out_bytes_freed);

struct journal_report {
    uint64_t first_seq, last_seq, entries, bytes, segments;
    uint64_t bad_seq;      /* 0 = chain and checksums hold */
    uint64_t torn_bytes;   /* unacknowledged tail after the last good entry of the last segment */
    char bad_segment[64];
    const char *bad_why;   /* "checksum", "chain", "hole", "header", … */
    uint8_t chain[JOURNAL_CHAIN_BYTES]; /* of the last good entry */
};
/* Reads everything, changes nothing, works on a running daemon's directory too. STATUS_OK also when damage was found: look at bad_seq. */
status journal_verify(struct ctx *cx, const char *dir, struct journal_report *out_report);

struct journal_stats {
    uint64_t appended, groups, bytes, full_refusals, sync_us_total, sync_us_max;
};
void journal_stats(struct journal *journal, struct journal_stats *out_stats);

enum data_reason {
    DATA_JOURNAL_FULL,       /* data.journal-full, RESOURCE_EXHAUSTED, 207 */
    DATA_JOURNAL_DAMAGED,    /* data.journal-damaged, DATA_LOSS, 207 */
    DATA_JOURNAL_NO_ENTRY,   /* data.journal-no-such-entry, NOT_FOUND, 204 */
    DATA_JOURNAL_CLOSED,     /* data.journal-closed, UNAVAILABLE, 207 */
    DATA_JOURNAL_IN_USE,     /* data.in-use: another process holds the directory */
    DATA_ROW_UNKNOWN,        /* data.no-such-row, NOT_FOUND, 204 */
    DATA_STORE_DAMAGED,      /* data.store-damaged, DATA_LOSS: rebuild from the journal */
    DATA_STORE_FORMAT,       /* data.store-format, FAILED_PRECONDITION: written by a newer or unknown idem */
    DATA_REASON_COUNT
};
extern const struct reason data_reasons[DATA_REASON_COUNT];
