/*
 * The journal: the one truth. Every input is appended here, made durable, and only then acknowledged; everything else
 * in the data directory is a projection that can be rebuilt from it.
 *
 * On disk: <dir>/journal/NNNNNNNNNNNNNNNN.seg, one file per segment, named by its first sequence number. A segment
 * begins with a header (magic, format number, first seq, first seq and chain value of what came before), then entries:
 * length, CRC-32C, seq, time, place in its group, kind, principal, body, SHA-256 chain value = SHA-256(chain value
 * before || this entry from seq to body). Zeros may follow the last entry (space prepared ahead). <dir>/journal/mark
 * remembers how far the journal was durable. journal_internal.h has the layout byte by byte. See
 * docs/adr/0001-one-journal.md.
 *
 * Durability: a journal thread writes what is queued and calls fdatasync once per group (group commit). First failed
 * write or sync, other than "no space", ends the process (trust.md F2, docs/adr/0006). When space runs out, appends
 * answer data.journal-full, nothing half-written stays visible, and appends work again by themselves once space
 * returns.
 *
 * Torn or damaged? A crash can leave only the last group incomplete, in any order of its pages. So at open, when an
 * entry of the last segment does not check, everything from there on is cut *only if* nothing speaks for it having been
 * durable:
 *   - no later entry that checks belongs to a later group (a group is begun only when the one before it is durable);
 *   - the mark file, written right after every sync and itself synced when the journal is idle or closed, does not say
 * so;
 *   - known_seq of the options (what the store had applied, an outside checkpoint) does not say so.
 * Otherwise the open is refused with data.journal-damaged. A segment that is not the last one is never cut. What
 * remains: a machine that loses power within the second after the last acknowledgement *and* has a damaged bit in
 * exactly that last group, with no known_seq above it, is cut as torn. After a killed process or a clean stop the mark
 * is always exact.
 *
 * Threads: journal_append* and journal_offer() from any thread; a reader belongs to one thread.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"
#include "base/limits.h"

struct journal;

enum {
    JOURNAL_CHAIN_BYTES = 32,
    JOURNAL_BODY_BYTES_MAX = LIMIT_MESSAGE_BYTES + 1024 * 1024, /* a message and its envelope */
    JOURNAL_PRINCIPAL_BYTES_MAX = 1024,
};

struct journal_entry {
    uint64_t seq;         /* 1, 2, 3 … without holes */
    int64_t time_us;      /* UTC, read at append; never goes back, even when the machine's clock does */
    uint16_t kind;        /* engine/entry.h names the kinds; the journal does not look inside */
    struct str principal; /* who caused it */
    struct str body;
};

struct journal_options {
    const char *dir;            /* the data directory; the journal makes its own folder inside */
    uint64_t segment_bytes;     /* a new segment begins past this; 0 = 64 MiB */
    uint64_t queue_bytes_max;   /* back-pressure: past this there is no room; 0 = LIMIT_JOURNAL_QUEUE_BYTES */
    uint64_t queue_entries_max; /* the same in entries; 0 = LIMIT_JOURNAL_QUEUE_ENTRIES */
    uint64_t reserve_bytes;     /* refuse appends while the file system has less free than this; 0 = 16 MiB */
    uint64_t known_seq; /* the highest seq known elsewhere to have been durable: an end below it is damage; 0 = none */
    bool plant_ack_before_sync; /* PLANTED BUG for the crash harness: call `done` before the write and sync */
};

/* Called on the journal thread, in seq order, once the entry is durable, or once with STATUS_RESOURCE_EXHAUSTED when
 * there is no space (seq and time then 0). Must be short and must not call journal_append* (it may wait for this very
 * thread). */
typedef void journal_done_fn(void *arg, status result, uint64_t seq, int64_t time_us);

/*
 * Opens or creates, and locks: a second opener, in this or another process, gets data.in-use. Checks the headers of all
 * segments and the whole chain of the last one; a torn tail (see above) is cut and logged. A hole, damage, or a bad
 * link is refused with data.journal-damaged: the detail names the segment, the first bad seq and the next step (`idem
 * journal verify`). Older segments are checked entry by entry when they are read, and with the chain by
 * journal_verify().
 */
status journal_open(struct ctx *cx, const struct journal_options *options, struct journal **out_journal);
/* Makes everything queued durable first. Nobody waits for room any more. */
void journal_close(struct journal *journal);

/*
 * Who waits for room in the queue: the caller's memory, all zero but what it sets, in place until the offer was taken
 * or journal_forget() was called.
 */
typedef void journal_room_fn(void *arg);
enum journal_waiter_state { JOURNAL_WAITER_NONE, JOURNAL_WAITER_WAITS, JOURNAL_WAITER_TOLD };
struct journal_waiter {
    journal_room_fn *room; /* on the journal's thread, once for each offer that found no room; short, never offers */
    void *arg;
    bool in_line; /* wait for a turn even when there is room: for who must not pass an earlier one of its own */
    /* the journal's: */
    struct journal_waiter *next;
    uint64_t bytes;
    enum journal_waiter_state state;
};

/*
 * Queue one entry without ever waiting; `principal` and `body` are copied. Taken: `done` is called later, exactly once,
 * and a full disk is told there. Not taken: the queue has no room; nothing was kept, and waiter->room is called once,
 * when the queue has fallen to half. Those who found no room are told in the order they asked, as many as fit, and
 * their room is kept: so each must then offer again (it is taken, unless it became larger) or journal_forget(). Who
 * comes new finds no room while somebody waits. Fails, without calling anything, with data.journal-entry-too-large and
 * data.journal-closed. Memory: the queue holds at most twice its bounds and one entry.
 */
status journal_offer(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal, struct str body,
                     journal_done_fn *done, void *arg, struct journal_waiter *waiter, bool *out_taken);
/* The waiter will not offer again. True: its `room` is not called any more. False: it was or is just being called, or
 * nothing waits. */
bool journal_forget(struct journal *journal, struct journal_waiter *waiter);

/* The same as journal_offer(), and waits for room, in turn with all others. */
status journal_append(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal, struct str body,
                      journal_done_fn *done, void *arg);
/* The same, and wait until durable. data.journal-full when there is no space. */
status journal_append_wait(struct journal *journal, struct ctx *cx, uint16_t kind, struct str principal,
                           struct str body, uint64_t *out_seq);

uint64_t journal_first_seq(const struct journal *journal); /* 1 unless old segments were dropped; 0 when empty */
uint64_t journal_last_seq(const struct journal *journal);  /* durable */

/* A cursor over durable entries from `seq` on (at least 1; may lie beyond the last). data.journal-no-such-entry when
 * dropped. Close every reader before the journal. */
struct journal_reader;
status journal_reader_open(struct journal *journal, struct ctx *cx, uint64_t seq, struct journal_reader **out_reader);
void journal_reader_close(struct journal_reader *reader);
/*
 * The next entry, waiting up to `timeout_ms` for it (0 = do not wait). STATUS_NOT_FOUND without a reason = none yet, or
 * woken. Borrowed until the next call. Checksum and seq are checked; what does not check is data.journal-damaged and
 * never served.
 */
status journal_reader_next(struct journal_reader *reader, struct ctx *cx, int timeout_ms,
                           struct journal_entry *out_entry);
/* Wake readers that wait, so that their threads can end. */
void journal_wake(struct journal *journal);

/* One entry by number, copied into cx->arena and checked like the reader's. data.journal-no-such-entry when never
 * written, not yet durable or dropped. Any thread. The first read of an older segment reads through it once to index
 * it. */
status journal_read(struct journal *journal, struct ctx *cx, uint64_t seq, struct journal_entry *out_entry);

/* Drop whole segments whose every entry is below `keep_from_seq`; the last segment always stays. Space returns at once.
 */
status journal_drop_before(struct journal *journal, struct ctx *cx, uint64_t keep_from_seq, uint64_t *out_bytes_freed);

struct journal_report {
    uint64_t first_seq, last_seq, entries, bytes, segments;
    uint64_t bad_seq;    /* 0 = chain and checksums hold */
    uint64_t torn_bytes; /* unacknowledged tail after the last good entry of the last segment */
    char bad_segment[64];
    const char *bad_why; /* "checksum", "chain", "sequence", "hole", "header", "unreadable", "end lost" */
    uint8_t chain[JOURNAL_CHAIN_BYTES]; /* of the last good entry */
};
/*
 * Reads everything, changes nothing, works on a running daemon's directory too (torn_bytes may then count a group that
 * is just being written). Asks ctx_check() before each segment. STATUS_OK also when damage was found: look at bad_seq;
 * counts and chain then stop before it.
 */
status journal_verify(struct ctx *cx, const char *dir, struct journal_report *out_report);

/*
 * What a start verifies: everything, while the segments have no more than `all_bytes`. Of a longer journal the segments
 * from the one on that was the last when a start verified it before (<dir>/journal/verified tells; a note that does not
 * fit counts for nothing). *out_whole false: what is older is left to a journal_verify() soon, with
 * journal_distrust() when that finds damage. Otherwise as journal_verify(), of the segments read.
 */
status journal_verify_start(struct ctx *cx, const char *dir, uint64_t all_bytes, struct journal_report *out_report,
                            bool *out_whole);
/* The next start verifies everything. */
void journal_distrust(struct ctx *cx, const char *dir);

struct journal_stats {
    uint64_t appended, groups, bytes, full_refusals, sync_us_total, sync_us_max;
    uint64_t no_room; /* times that the queue had no room */
    uint64_t waiting; /* wait for room now */
    bool full_now;    /* the last group was refused for want of space */
};
void journal_stats(struct journal *journal, struct journal_stats *out_stats);

enum data_reason {
    DATA_JOURNAL_FULL,      /* data.journal-full, RESOURCE_EXHAUSTED, 207 */
    DATA_JOURNAL_DAMAGED,   /* data.journal-damaged, DATA_LOSS, 207 */
    DATA_JOURNAL_NO_ENTRY,  /* data.journal-no-such-entry, NOT_FOUND, 204 */
    DATA_JOURNAL_CLOSED,    /* data.journal-closed, UNAVAILABLE, 207 */
    DATA_JOURNAL_IN_USE,    /* data.in-use: another process holds the directory */
    DATA_ROW_UNKNOWN,       /* data.no-such-row, NOT_FOUND, 204 */
    DATA_STORE_DAMAGED,     /* data.store-damaged, DATA_LOSS: rebuild from the journal */
    DATA_STORE_FORMAT,      /* data.store-format, FAILED_PRECONDITION: written by a newer or unknown idem */
    DATA_JOURNAL_TOO_LARGE, /* data.journal-entry-too-large, INVALID_ARGUMENT, 207 */
    DATA_REASON_COUNT
};
extern const struct reason data_reasons[DATA_REASON_COUNT];
