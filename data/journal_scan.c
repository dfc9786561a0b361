#include "journal_internal.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WINDOW_BYTES = 256 * 1024 };

void scan_fini(struct scan *scan)
{
    buf_fini(&scan->window);
}

/* Up to `len` bytes at file offset `at`, fewer where `end` or the file ends; borrowed until the next call. */
static struct str look(struct scan *scan, uint64_t at, size_t len)
{
    if (at >= scan->end)
        return STR_NONE;
    if (len > scan->end - at)
        len = (size_t)(scan->end - at);
    struct buf *window = &scan->window;
    if (at < scan->window_at || at + len > scan->window_at + window->len) {
        size_t want = scan->window_bytes ? scan->window_bytes : WINDOW_BYTES;
        if (want < len)
            want = len;
        if (want > scan->end - at)
            want = (size_t)(scan->end - at);
        buf_clear(window);
        buf_reserve(window, want);
        scan->window_at = at;
        while (window->len < want) {
            ssize_t got = pread(scan->fd, window->data + window->len, want - window->len, (off_t)(at + window->len));
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                scan->why = "unreadable";
            if (got <= 0)
                break;
            window->len += (size_t)got;
        }
    }
    return str_sub(buf_str(window), (size_t)(at - scan->window_at), len);
}

static bool only_zeros_left(struct scan *scan)
{
    static const char zeros[4096];
    for (uint64_t at = scan->at; at < scan->end;) {
        struct str bytes = look(scan, at, sizeof zeros);
        if (bytes.len == 0)
            return scan->why == NULL; /* the file is shorter than it was */
        if (memcmp(bytes.data, zeros, bytes.len) != 0)
            return false;
        at += bytes.len;
    }
    return true;
}

static enum scan_verdict bad(struct scan *scan, const char *why)
{
    if (scan->why == NULL)
        scan->why = why;
    return SCAN_BAD;
}

enum scan_verdict scan_next(struct scan *scan, struct raw_entry *out_entry)
{
    scan->why = NULL;
    struct str head = look(scan, scan->at, 4);
    uint32_t length = head.len == 4 ? entry_length(head.data) : 0;
    if (length == 0 && scan->why == NULL)
        return only_zeros_left(scan) ? SCAN_END : bad(scan, "checksum");
    if (length > ENTRY_BYTES_MAX || scan->why)
        return bad(scan, "checksum");
    struct raw_entry raw;
    if (!entry_decode(look(scan, scan->at, length), scan->salt, &raw))
        return bad(scan, "checksum");
    if (raw.entry.seq != scan->next_seq)
        return bad(scan, "sequence");
    scan->at += raw.length;
    scan->next_seq++;
    *out_entry = raw;
    return SCAN_ENTRY;
}

/* Entries are not aligned: try every byte, but let a cheap look at the seq decide whether a checksum is worth
 * computing. */
bool scan_has_later_group(struct scan *scan)
{
    uint64_t at = scan->at + 1;
    uint64_t seq_max = scan->next_seq + (scan->end - scan->at) / ENTRY_BYTES_MIN + 1;
    for (;;) {
        struct str bytes = look(scan, at, WINDOW_BYTES);
        if (bytes.len < ENTRY_BYTES_MIN)
            return false;
        size_t tries = bytes.len - ENTRY_BYTES_MIN + 1;
        for (size_t i = 0; i < tries; i++) {
            uint64_t seq;
            memcpy(&seq, bytes.data + i + 8, sizeof seq);
            seq = be64toh(seq);
            if (seq <= scan->next_seq || seq > seq_max)
                continue;
            uint32_t length = entry_length(bytes.data + i);
            struct raw_entry raw;
            if (length < ENTRY_BYTES_MIN || length > ENTRY_BYTES_MAX ||
                !entry_decode(look(scan, at + i, length), scan->salt, &raw)) {
                bytes = look(scan, at, WINDOW_BYTES); /* the long look may have moved the window */
                continue;
            }
            if (raw.entry.seq - raw.place > scan->next_seq)
                return true;
            bytes = look(scan, at, WINDOW_BYTES);
        }
        at += tries;
    }
}

void segment_check_fini(struct segment_check *check)
{
    VEC_FINI(&check->index);
}

static void found_bad(struct segment_check *check, const char *why, uint64_t seq, bool damaged)
{
    check->why = why;
    check->bad_seq = seq;
    check->damaged = damaged;
}

static void check_entries(struct scan *scan, struct segment_check *check)
{
    struct raw_entry raw;
    for (;;) {
        uint64_t at = scan->at;
        enum scan_verdict verdict = scan_next(scan, &raw);
        if (verdict == SCAN_END)
            return;
        if (verdict == SCAN_BAD) {
            /* a whole entry with a good checksum in the wrong place was never the work of a torn write */
            bool damaged = str_is(str_from(scan->why), "sequence") || scan_has_later_group(scan);
            found_bad(check, scan->why, scan->next_seq, damaged);
            return;
        }
        uint8_t chain[JOURNAL_CHAIN_BYTES];
        memcpy(chain, check->chain, sizeof chain);
        if (!entry_chain(raw.entry.principal.data - ENTRY_HEAD_BYTES, chain)) {
            found_bad(check, "chain", raw.entry.seq, true);
            return;
        }
        memcpy(check->chain, chain, sizeof chain);
        if (raw.entry.seq == check->want_seq) {
            check->want_found = true;
            memcpy(check->want_chain, chain, sizeof chain);
        }
        if (check->entries++ % INDEX_EVERY == 0)
            *VEC_ADD(&check->index) = (uint32_t)at;
        check->last_seq = raw.entry.seq;
        check->last_time_us = raw.entry.time_us;
        check->good_end = scan->at;
    }
}

void segment_check(const char *path, struct segment_check *check)
{
    SCOPED(journal_close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    uint8_t head[SEGMENT_HEAD_BYTES];
    if (fd < 0 || fstat(fd, &info) != 0) {
        found_bad(check, "unreadable", 0, true);
        return;
    }
    check->file_bytes = (uint64_t)info.st_size;
    if (pread(fd, head, sizeof head, 0) != sizeof head || !segment_head_decode(head, &check->head)) {
        found_bad(check, "header", 0, true);
        return;
    }
    check->last_seq = check->head.first_seq - 1;
    check->last_time_us = check->head.before_time_us;
    check->good_end = SEGMENT_HEAD_BYTES;
    memcpy(check->chain, check->head.before_chain, JOURNAL_CHAIN_BYTES);
    SCOPED(scan_fini)
    struct scan scan = {.fd = fd,
                        .salt = check->head.salt,
                        .at = SEGMENT_HEAD_BYTES,
                        .end = check->file_bytes,
                        .next_seq = check->head.first_seq};
    check_entries(&scan, check);
}
