/*
 * The store: Berkeley DB tables that hold the projections. One writer (the apply thread), many readers.
 *
 * Writes: a struct data_txn gathers puts and deletes in memory; its own reads see them. data_txn_commit() applies them,
 * sorted, as one Berkeley DB transaction together with `applied_seq`, without sync: after a crash the store comes back
 * as it was after some earlier commit, and the journal is applied again from data_applied_seq() on. Readers see a
 * commit whole or not at all: they wait while one is applied, so keep batches to a few thousand rows. A scan may lie
 * across commits; a data_view never does.
 *
 * Why one writer: Debian's Berkeley DB 5.3 silently loses keys under concurrent B-tree inserts
 * (docs/adr/0002-one-writer.md). Every database is created with page checksums; any Berkeley DB write or sync failure
 * ends the process, a full disk is waited for (logged as store.waits-for-space).
 *
 * Damage: a page that does not check, a missing file, a log that recovery did not see to its end (flipped bits there
 * are otherwise silent, trust.md F1) are data.store-damaged, at open or at the call that meets it; every later call
 * then answers the same. The way out: data_close(), data_discard(), data_open(), apply the journal from its first
 * entry. The caller also compares data_applied_seq() with journal_last_seq(): a store that is ahead of its journal
 * belongs to another one, or the journal lost its end (hand data_applied_seq() to journal_open() as known_seq).
 *
 * Rows: `key` and `row` are bytes; keys sort by memcmp, so numbers in keys are big-endian (base/buf.h). Rows may be
 * longer than a page (16 KiB), up to 1 GiB; short ones are much cheaper. Threads: data_get / data_scan from any thread;
 * struct data_txn and data_close from the one writer; data_checkpoint and data_sync from one other.
 */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

struct data_store;
struct data_txn;

/* A room declares its tables as a const array and hands them to data_open(); the names are part of the disk format: a
 * store without the file of a declared table is damaged, unless it was made before there was that table. */
struct data_table_spec {
    const char *name; /* "mpi.record" */
    bool added;       /* there are stores without it: it is made empty when they are opened */
    bool local;       /* of this store only, not of what the journal says: left out of data_digest() */
};

struct data_table; /* handle; lives as long as the store */

struct data_options {
    const char *dir; /* the data directory; the store makes its own folder inside */
    uint32_t
        format; /* on-disk format number of idem's rows: a store with another number is refused (DATA_STORE_FORMAT) */
    uint64_t cache_bytes; /* 0 = a 32nd of the memory that there is or that the control group allows, 64 MiB to 1 GiB */
    const struct data_table_spec *tables;
    size_t table_count;
    /* Names of tables whose rows are also counted by group: the bytes of the key before its first zero byte. For few
     * groups: each is held in memory. */
    const char *const *grouped;
    size_t grouped_count;
};

/* Opens or creates, locks (a second opener gets data.in-use), runs recovery, checks the format number
 * (data.store-format). A damaged store is refused with data.store-damaged: the caller may data_discard() it and apply
 * the journal again from its first entry. After a crash it also reads the first bytes of every page (see Damage): about
 * a second for some GB. */
status data_open(struct ctx *cx, const struct data_options *options, struct data_store **out_store);
void data_close(struct data_store *store); /* checkpoint and close */
/* Removes what is there, whole or damaged; the store must be closed (else data.in-use). */
status data_discard(struct ctx *cx, const char *dir);

struct data_table *data_table(struct data_store *store, const char *name); /* must be one of the declared tables */

uint64_t data_applied_seq(struct data_store *store); /* 0 for a new store */

/* One row into cx->arena. data.no-such-row (NOT_FOUND) when absent: then cx->reason is set cheaply, without detail. */
status data_get(struct data_table *table, struct ctx *cx, struct str key, struct str *out_row);

/*
 * Rows whose key starts with `prefix`, in key order, from `from` on (STR_NONE = the first), until visit answers false.
 *
 * Read slice by slice, a few pages at a time, and visited in between: commits go on meanwhile, and visit may take its
 * time and call data_*. What that means: each row that is there from beginning to end is given once, in order; one put,
 * removed or changed meanwhile may be given or not, as it was or as it is, never twice. What must be of one moment is
 * read in a data_view, or by the writer.
 *
 * Memory: key and row are borrowed for the call; a slice is copied (some 32 KiB, or the one row that is longer).
 */
typedef bool data_visit_fn(void *arg, struct str key, struct str row);
status data_scan(struct data_table *table, struct ctx *cx, struct str prefix, struct str from, data_visit_fn *visit,
                 void *arg);
/* The same from the last key downwards; `from` STR_NONE = the last of the prefix. */
status data_scan_back(struct data_table *table, struct ctx *cx, struct str prefix, struct str from,
                      data_visit_fn *visit, void *arg);
/* Every row of the table, in the same way. */
status data_scan_all(struct data_table *table, struct ctx *cx, data_visit_fn *visit, void *arg);
/* How many rows the table has, as of the last commit: kept with the commit, so nothing is walked. */
uint64_t data_rows(struct data_table *table);

/*
 * One moment: no commit comes between begin and end, so several rows, and what memory shows beside them, belong
 * together. The writer waits meanwhile: for a few rows, never for a scan. Inside only data_view_*(): the other
 * readers would wait for a writer that waits for this view, so they end the process. Thread: one, the same for begin
 * and end; one view at a time.
 */
struct data_view {
    struct data_store *store;
};
void data_view_begin(struct data_store *store, struct data_view *out_view);
void data_view_end(struct data_view *view); /* all-zero is fine: for SCOPED */
status data_view_get(const struct data_view *view, struct data_table *table, struct ctx *cx, struct str key,
                     struct str *out_row);
uint64_t data_view_rows(const struct data_view *view, struct data_table *table);
/* Of one group of a table that is counted by group; 0 when there is no such group. */
uint64_t data_view_rows_in(const struct data_view *view, struct data_table *table, struct str group);

/* The one writer's transaction. */
struct data_txn *data_txn_begin(struct data_store *store);
status data_txn_get(struct data_txn *txn, struct data_table *table, struct ctx *cx, struct str key,
                    struct str *out_row);
void data_txn_put(struct data_txn *txn, struct data_table *table, struct str key, struct str row);
void data_txn_delete(struct data_txn *txn, struct data_table *table, struct str key);
/* Rows by prefix as this transaction sees them (committed rows with its own puts and deletes laid over). */
status data_txn_scan(struct data_txn *txn, struct data_table *table, struct ctx *cx, struct str prefix,
                     data_visit_fn *visit, void *arg);
/* Bytes of memory it holds: for whoever must end a batch in time. */
size_t data_txn_bytes(const struct data_txn *txn);
/* What was asked of it so far: rows put and deleted, rows got, and the bytes of all of them, those replaced or undone
 * since included. What one entry adds depends on the entry alone, not on its batch: it may decide what becomes of it.
 */
struct data_txn_work {
    uint64_t puts, gets, bytes;
};
struct data_txn_work data_txn_work(const struct data_txn *txn);
/* A mark to undo to: an entry that turns out to be refused takes its half-made rows back. */
size_t data_txn_mark(struct data_txn *txn);
void data_txn_undo_to(struct data_txn *txn, size_t mark);
/*
 * Applies and frees the transaction. Failure ends the process (only programming errors and broken disks reach it).
 * `publish` (may be NULL) is called after the commit while every reader of the store is still kept out: what memory
 * shows of this batch (index, codes, totals) changes there, so that a data_view sees rows and memory of one moment. It
 * must be short and must not call data_*.
 */
typedef void data_publish_fn(void *arg);
void data_txn_commit(struct data_txn *txn, uint64_t applied_seq, data_publish_fn *publish, void *arg);
void data_txn_abort(struct data_txn *txn);

/*
 * Writes out changed pages and drops old logs; called on a timer. Makes applied_seq durable as a side effect. Readers
 * do not wait for it; a commit waits while some pages are copied out, a hundredth of the cache at a time, and for what
 * the log has not synced, never for the tables' files to be synced. Threads: any one at a time, beside the writer.
 */
status data_checkpoint(struct data_store *store, struct ctx *cx);
/* Syncs the store's log, while commits and readers go on: often, so that no commit has much to sync itself (when a log
 * file is full, or a page changed since must leave the cache). Threads: as above. */
status data_sync(struct data_store *store, struct ctx *cx);

/*
 * How long commits kept readers out, and how long they waited for readers and checkpoints: commits counted by time.
 * Bucket i: 2^(i-1) us and more, less than 2^i us; bucket 0: less than 1 us; the last: all that took longer.
 *
 * Threads: any; a commit under way may be in one figure and not yet in another.
 */
enum { DATA_STATS_BUCKETS = 28 }; /* up to two minutes */
struct data_stats {
    uint64_t commits;
    uint64_t held[DATA_STATS_BUCKETS], waited[DATA_STATS_BUCKETS];
    uint64_t held_max_us, waited_max_us;
};
void data_stats(struct data_store *store, struct data_stats *out_stats);
/* The time that `per_mille` of a thousand commits did not pass, as the upper end of its bucket; 0 without commits. */
uint64_t data_stats_us(const uint64_t buckets[DATA_STATS_BUCKETS], unsigned per_mille);

/* Every row of every table that is not local, in order, hashed (SHA-256): equal projections have equal digests. Of one
 * moment only while nobody commits. */
status data_digest(struct data_store *store, struct ctx *cx, uint8_t out_digest[32]);

/*
 * Counts every row of the open store again, with its groups, and tells each count that differs from the one kept with
 * the commits: of one moment, exactly, though commits go on. A table is read as by a scan, its keys only.
 *
 * Threads: any; `tell` is called without the lock. Errors: data.store-damaged, and what ctx_check() says between
 * slices.
 */
struct data_miscount {
    const char *table;
    struct str group; /* borrowed for the call */
    bool of_group;    /* else of the whole table */
    uint64_t kept, there;
};
typedef void data_miscount_fn(void *arg, const struct data_miscount *miscount);
status data_recount(struct data_store *store, struct ctx *cx, data_miscount_fn *tell, void *arg, uint64_t *out_rows);

/* Has this store met damage since it was opened? Then what, and where; it is refused to whoever asks for it, and the
 * next open is data.store-damaged. In the context's arena. Threads: any. */
bool data_damage(const struct data_store *store, struct ctx *cx, struct str *out_what);

struct data_doctor_report {
    uint64_t rows, tables, bad_tables;
    char first_bad[64];        /* table name */
    const char *first_bad_why; /* "page checksum", "key order", "row count", … */
};
/* Reads every page and key of a store that nobody has open: checksums, key order, and whether there are as many rows as
 * were counted. */
status data_doctor(struct ctx *cx, const struct data_options *options, struct data_doctor_report *out_report);
