/*
 * The journal's insides, shared by its files and their tests.
 *
 * Segment file, all numbers big-endian:
 *
 *   header    0  magic "idemjrnl"
 *             8  u32 format
 *            12  u32 salt
 *            16  u64 first seq
 *            24  u64 first seq of the segment before (0 = none)
 *            32  i64 time of the entry before
 *            40  chain value before (32 bytes)
 *            72  u32 CRC-32C of bytes 0..71
 *            76  bytes in all
 *
 *   entry     0  u32 length of all of it
 *             4  u32 CRC-32C, seeded with the salt, of the length and of everything from byte 8 on
 *             8  u64 seq
 *            16  i64 time
 *            24  u32 place in its group, from 0
 *            28  u16 kind
 *            30  u16 principal length
 *            32  principal, body, chain value (32 bytes)
 *
 *   then zeros, as prepared ahead of use: a sync that changes no metadata is a good deal faster.
 *
 * The salt is random per segment: bytes that a stranger sends, or what an old file left on the disk, cannot pose as an
 * entry. "place in its group" tells which entries were made durable together: seq - place is the group's first seq.
 */
#pragma once

#include "base/mem.h"
#include "base/vec.h"
#include "data/journal.h"

#include <pthread.h>
#include <sys/types.h>

enum {
    JOURNAL_FORMAT = 1,
    SEGMENT_HEAD_BYTES = 76,
    ENTRY_HEAD_BYTES = 32,
    ENTRY_BYTES_MIN = ENTRY_HEAD_BYTES + JOURNAL_CHAIN_BYTES,
    ENTRY_BYTES_MAX = ENTRY_BYTES_MIN + JOURNAL_PRINCIPAL_BYTES_MAX + JOURNAL_BODY_BYTES_MAX,
    INDEX_EVERY = 16, /* one remembered offset for so many entries */
    SEGMENT_NAME_BYTES = 24,
};

/* ---- journal_io.c: the system calls that may fail, replaceable by tests ---- */

struct journal_io {
    ssize_t (*pwrite)(int fd, const void *bytes, size_t len, off_t at);
    int (*fdatasync)(int fd);
    uint64_t (*free_bytes)(int fd); /* what an unprivileged writer may still use of fd's file system */
};
extern struct journal_io journal_io;

/* 0, or the errno; short writes are continued. */
int journal_write_all(int fd, const void *bytes, size_t len, uint64_t at);
bool journal_is_full_error(int error); /* ENOSPC, EDQUOT, EFBIG */
/* Ends the process when the sync fails: what the kernel then did with the pages is unknown. */
void journal_sync(int fd, const char *what);
/* flock on <folder>/lock; data.in-use. */
status data_lock(struct ctx *cx, const char *folder, int *out_fd);
void journal_close_fd(int *fd);

/* ---- journal_format.c: bytes <-> structs, pure ---- */

struct segment_head {
    uint32_t salt;
    uint64_t first_seq, before_first_seq;
    int64_t before_time_us;
    uint8_t before_chain[JOURNAL_CHAIN_BYTES];
};
void segment_head_encode(const struct segment_head *head, uint8_t out_bytes[SEGMENT_HEAD_BYTES]);
/* False: magic, format or checksum is wrong. */
bool segment_head_decode(const uint8_t bytes[SEGMENT_HEAD_BYTES], struct segment_head *out_head);
void segment_name(uint64_t first_seq, char out_name[SEGMENT_NAME_BYTES]);
/* The first seq that a segment file name says, or 0. */
uint64_t segment_name_seq(const char *name);

/* Append an entry without seq, place, checksum and chain value: entry_seal() fills those in. */
void entry_put(struct buf *buf, int64_t time_us, uint16_t kind, struct str principal, struct str body);
uint32_t entry_length(const char *entry);
int64_t entry_time_us(const char *entry);
/* Moves *chain on, *time_us too (never back). */
void entry_seal(char *entry, uint32_t salt, uint64_t seq, uint32_t place, int64_t *time_us,
                uint8_t chain[JOURNAL_CHAIN_BYTES]);

struct raw_entry {
    struct journal_entry entry; /* borrows from the bytes */
    uint32_t place;
    uint32_t length;
};
/* True when `bytes` begin with a whole entry whose checksum holds. */
bool entry_decode(struct str bytes, uint32_t salt, struct raw_entry *out_entry);
/* Moves *chain over the whole entry in `bytes`; false when the stored chain value is another. */
bool entry_chain(const char *entry, uint8_t chain[JOURNAL_CHAIN_BYTES]);

/* ---- journal_scan.c: walking the entries of one segment file ---- */

enum scan_verdict {
    SCAN_ENTRY,
    SCAN_END, /* nothing, or only zeros, up to `end` */
    SCAN_BAD, /* scan.why says why; the position stays before the bad bytes */
};

struct scan {
    int fd;
    uint32_t salt;
    uint64_t at;       /* file offset of the next entry */
    uint64_t end;      /* never looks past this */
    uint64_t next_seq; /* that the next entry must have */
    const char *why;
    size_t window_bytes; /* to read at a time; 0 = 256 KiB */
    struct buf window;
    uint64_t window_at;
};
void scan_fini(struct scan *scan);
/* The next entry, borrowed until the next call. */
enum scan_verdict scan_next(struct scan *scan, struct raw_entry *out_entry);
/* After SCAN_BAD: does any later entry that checks belong to a group begun after scan->next_seq was durable? */
bool scan_has_later_group(struct scan *scan);

typedef VEC(uint32_t) offsets;

/* What one pass over a segment found. */
struct segment_check {
    struct segment_head head;
    uint64_t entries, last_seq, file_bytes;
    uint64_t good_end; /* file offset after the last good entry */
    int64_t last_time_us;
    uint8_t chain[JOURNAL_CHAIN_BYTES];
    const char *why;   /* NULL = all of it holds */
    uint64_t bad_seq;  /* when why */
    bool damaged;      /* when why: proven not to be a torn last group */
    uint64_t want_seq; /* in: remember the chain value of this entry */
    bool want_found;
    uint8_t want_chain[JOURNAL_CHAIN_BYTES];
    offsets index; /* of every INDEX_EVERY-th entry */
};
void segment_check_fini(struct segment_check *check);
/* Header, checksums, order and chain of one file. Never fails: trouble is in why. */
void segment_check(const char *path, struct segment_check *check);

/* ---- journal_mark.c: how far the journal was durable ---- */

struct journal_mark {
    uint64_t count;     /* of marks written; the larger one of the two slots counts */
    uint64_t seq;       /* durable up to here */
    uint64_t first_seq; /* older entries were dropped on purpose */
    uint8_t chain[JOURNAL_CHAIN_BYTES];
};
/* All zero when there is none, or none that checks. */
struct journal_mark mark_read(int fd);
/* Overwrites the older slot. False: the file system has no space even for that; the mark then lags. */
bool mark_write(int fd, struct journal_mark *mark);

/* ---- journal_list.c: the segment files of a folder ---- */

struct segment_file {
    uint64_t first_seq;
    struct segment_head head;
    bool head_good;
};
typedef VEC(struct segment_file) segment_files;
/* Sorted by first seq, headers read. */
status segment_list(struct ctx *cx, const char *folder, segment_files *out_files);
struct str segment_path(struct arena *arena, const char *folder, uint64_t first_seq);
/* The first header that does not follow from the one before: its index, or -1. *out_why then says why. */
ptrdiff_t segment_list_check(const segment_files *files, uint64_t mark_first_seq, uint64_t *out_bad_seq,
                             const char **out_why);

/* ---- journal_verify.c ---- */

/* Entry by entry, from files->at[from] on. */
status journal_verify_files(struct ctx *cx, const char *folder, const segment_files *files, size_t from,
                            const struct journal_mark *mark, struct journal_report *report);
struct journal_mark journal_mark_of(struct arena *arena, const char *folder);

/* ---- the journal itself ---- */

struct segment {
    uint64_t first_seq;
    uint32_t salt;
    bool indexed;
    uint64_t end; /* of its durable entries; when not indexed: unknown, UINT64_MAX */
    offsets index;
};

/* Who is told what became of an entry. */
struct waiting {
    journal_done_fn *done;
    void *arg;
};

struct group {
    struct buf bytes; /* entries, not sealed yet */
    VEC(struct waiting) entries;
    bool has_waiters; /* in journal_append_wait() */
};

struct journal {
    char *folder;
    struct journal_options options;
    int lock_fd, mark_fd, folder_fd;

    pthread_mutex_t lock; /* queue */
    pthread_cond_t work, room;
    struct group pending;
    struct journal_waiter *waiters, **waiters_end; /* found no room, in the order they asked */
    uint64_t kept_bytes, kept_entries;             /* room kept for waiters that were told and have not come yet */
    uint64_t group_count;                          /* groups taken by the journal thread */
    bool idle, closing;
    struct journal_stats stats;
    uint32_t group_done[2]; /* futex words: odd and even groups */

    pthread_t thread; /* the rest of this block belongs to it */
    struct group writing;
    int fd;
    uint64_t end, prepared_end;
    uint64_t segment_first_seq;
    uint32_t salt;
    uint8_t chain[JOURNAL_CHAIN_BYTES];
    int64_t last_time_us;
    uint64_t next_seq;
    bool was_full, mark_unsynced;

    pthread_mutex_t mark_lock;
    struct journal_mark mark;

    pthread_mutex_t tail_lock; /* what readers see */
    pthread_cond_t tail_moved;
    unsigned tail_waiters;
    uint64_t wakes;
    uint64_t last_seq; /* atomic for journal_last_seq() */
    VEC(struct segment) segments;
};

/* journal_queue.c: tells the next waiters that there is room, when there is. The journal thread. */
void journal_give_room(struct journal *journal);
/* Under the lock: would journal_give_room() tell anybody? */
bool journal_has_room_to_give(const struct journal *journal);

/* journal_write.c: the journal thread */
void *journal_run(void *journal);
/* Creates and syncs an empty segment that follows `journal`'s chain; 0 or the errno of "no space". */
int journal_new_segment(struct journal *journal);
