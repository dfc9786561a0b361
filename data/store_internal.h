/*
 * The store's insides.
 *
 * Folder: <dir>/store/ with one file "<table>.db" per declared table, "idem.meta.db" (format number, applied seq),
 * Berkeley DB's logs "log.*", "lock" (flock), "complete" (all files of a new store were made) and "closed": the end of
 * the log when the store was last closed in good order, absent while it is open; "damaged": what was met, if anything.
 *
 * Locking: Berkeley DB runs without its own lock manager. One reader-writer lock of ours says who may be inside:
 * readers share it for a call or for a slice of a scan, a commit holds it alone, so readers see a commit whole or not
 * at all and no two threads ever change a B-tree. Page latches inside Berkeley DB's cache remain and keep readers and
 * the checkpoint apart.
 */
#pragma once

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "data/journal.h"
#include "data/store.h"

#include <db.h>
#include <pthread.h>

enum {
    STORE_PAGE_BYTES = 16 * 1024,
    STORE_LOG_BUFFER_BYTES = 1024 * 1024, /* written by the commit that fills it, readers kept out: so not larger */
    STORE_LOG_FILE_BYTES = 64 * 1024 * 1024,
    STORE_TABLES_MAX = 1024,
};

struct data_table {
    struct data_store *store;
    DB *db;
    char *name;
    uint32_t number;
    bool grouped;
    uint64_t rows;     /* atomic */
    struct buf bound;  /* the writer's own: no row has a key after it */
    bool empty;        /* no row was ever there: no bound yet */
    struct map groups; /* of a grouped table: the group's rows; absent = none. Changes with a commit. */
};

/* Between commits and checkpoints. */
struct store_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool waiting, committing, paused; /* the writer waits, commits; a checkpoint has it wait */
};

struct data_store {
    char *folder;
    int lock_fd;
    DB_ENV *env;
    struct data_table *tables; /* the declared ones, then the meta table */
    size_t table_count;        /* without the meta table */
    pthread_rwlock_t lock;
    struct store_gate gate;
    uint64_t applied_seq; /* atomic */
    uint64_t tables_hash;
    struct data_stats stats; /* written by the writer only; atomic */
    pthread_mutex_t recounts_lock;
    struct store_recount *recounts; /* under way; a commit looks at them with the lock to itself */
};

static inline struct data_table *store_meta(struct data_store *store)
{
    return &store->tables[store->table_count];
}

/* ---- store_env.c: Berkeley DB, wrapped ---- */

/* Replaceable by tests; what Berkeley DB writes and syncs goes through here. */
struct store_io {
    ssize_t (*write)(int fd, const void *bytes, size_t len);
    ssize_t (*pwrite)(int fd, const void *bytes, size_t len, off_t at);
    int (*fsync)(int fd);
};
extern struct store_io store_io;

/* Replaceable by tests, which open hundreds of stores: at each start Berkeley DB fills the rest of the last log file
 * with zeros. */
extern uint32_t store_log_file_bytes; /* STORE_LOG_FILE_BYTES; at least 4 MiB */

/* Opens the environment with recovery; a Berkeley DB error number, 0 when good. *out_env is set only then. */
int store_env_open(const char *folder, uint64_t cache_bytes, DB_ENV **out_env);
int store_db_open(DB_ENV *env, const char *name, DB **out_db);
/* data.store-damaged with what Berkeley DB calls the error. */
status store_fail(struct ctx *cx, const char *doing, int error);
DBT store_dbt(struct str bytes); /* for handing in */

/* ---- store_damage.c ---- */

/* Has the environment note what damage it meets. */
void store_damage_watch(DB_ENV *env);
/* For Berkeley DB to read pages by: pread(), but a page that was zeroed is noted, and made one whose checksum fails. */
ssize_t store_read_page(int fd, void *bytes, size_t len, off_t at);
/* Around what this thread recovers. Answers how many pages were met that were never written, or lost. */
void store_recovery_begin(bool after_crash);
uint64_t store_recovery_end(void);
/* Was damage met in this folder since the store was made? */
bool store_damage_noted(const char *folder, struct ctx *cx, struct str *out_what);

/* ---- store_checkpoint.c ---- */

void store_gate_init(struct store_gate *gate);
void store_gate_fini(struct store_gate *gate);
/* Around a commit: waits while a checkpoint writes pages. */
void store_commit_begin(struct data_store *store);
void store_commit_end(struct data_store *store);
/* Before anything is synced: commits that this thread keeps waiting go on. */
void store_before_sync(void);

/* ---- store_logs.c ---- */

/* The highest log position that any page of the folder's files speaks of; {0, 0} when none. */
DB_LSN store_pages_lsn(const char *folder);
/* Does the log really hold the record at `lsn`? If not, recovery stopped too early. `of_page`: a page names it, so it
 * is one that changed a page. */
bool store_logs_reach(DB_ENV *env, DB_LSN lsn, bool of_page);
bool store_last_lsn(DB_ENV *env, DB_LSN *out_lsn);

/* ---- store_log_room.c ---- */

/* Before a commit that puts so many bytes in so many rows, without the lock: if the log's file has no room for it, the
 * next one is begun now. */
void store_log_make_room(struct data_store *store, uint64_t bytes, uint64_t rows);

/* ---- store_read.c ---- */

/* The readers' side of the lock; for SCOPED. */
struct data_store *store_share(struct data_store *store);
void store_unshare(struct data_store **store);
/* A thread that is in a view, or publishes, must not ask for the lock again. */
void store_hold(const struct data_store *store);
void store_let_go(const struct data_store *store);
void store_must_not_hold(const struct data_store *store);

/* The rest is for callers that hold the lock. */

status store_get_locked(struct data_table *table, struct ctx *cx, struct str key, struct str *out_row);

struct store_cursor {
    DBC *dbc;
    DBT key, row; /* DB_DBT_REALLOC */
};
void store_cursor_close(struct store_cursor *cursor);
status store_cursor_open(struct data_table *table, struct ctx *cx, struct store_cursor *cursor);
/* STATUS_NOT_FOUND without a reason past the last row. `from` only for DB_SET_RANGE. */
status store_cursor_move(struct store_cursor *cursor, struct ctx *cx, uint32_t how, struct str from,
                         struct str *out_key, struct str *out_row);

/* ---- store_cache.c ---- */

uint64_t store_cache_default(struct ctx *cx); /* of this machine, or of the part of it we may use */
uint64_t store_cache_part(uint64_t memory_bytes);
/* The lowest of `memory_bytes` and what control groups (version 2) allow. */
uint64_t store_memory_limit(struct ctx *cx, const char *cgroup_file, const char *cgroup_root, uint64_t memory_bytes);

/* ---- store_stats.c ---- */

/* After a commit, by the writer. */
void store_stats_note(struct data_store *store, int64_t waited_us, int64_t held_us);
void store_stats_log(struct data_store *store);

/* ---- store_counts.c ---- */

/* What a transaction adds to the counts of one table. */
struct store_change {
    int64_t rows;
    struct map groups; /* int64_t, as uint64_t */
};
void store_change_fini(struct store_change *change);
void store_change_note(struct store_change *change, const struct data_table *table, struct str key, int64_t by);

/* Were rows counted with just these tables? Only the meta table need be open. */
bool store_counts_know(struct data_store *store, struct ctx *cx);
/* Reads the counts of a store that was opened; counts, and keeps that, when it has none yet. */
status store_counts_open(struct data_store *store, struct ctx *cx);
/* With the applied seq, into the transaction; `changes`: one per table. A Berkeley DB error number. */
int store_counts_put(struct data_store *store, DB_TXN *txn, uint64_t applied_seq, const struct store_change *changes);
/* After the commit, readers still kept out: into memory. */
void store_counts_show(struct data_store *store, const struct store_change *changes);
/* store_recount.c: in a commit, what it does to a row. */
void store_recounts_note(struct data_store *store, const struct data_table *table, struct str key, int64_t by);
/* Walks the table. */
status store_count_table(struct data_table *table, struct ctx *cx, struct store_change *change);
bool store_counts_equal(const struct data_table *table, const struct store_change *counted);
