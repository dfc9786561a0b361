/*
 * Did recovery see the whole log?
 *
 * Berkeley DB ends recovery without a word at the first log record that does not check (trust.md F1). Commits after it
 * are then missing, which applied_seq shows and the journal heals; but pages that were written out meanwhile may
 * already carry parts of those commits, and entries applied to them a second time would go wrong silently. The log is
 * always written before the pages it speaks of, so a page that names a log position which the log does not hold is
 * proof: the store is damaged.
 */
#include "store_internal.h"

#include "journal_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECYCLE_RECORD = 14, CHECKPOINT_RECORD = 11, READ_PAGES = 64 }; /* types: DB___txn_recycle, DB___txn_ckp */

static void pages_lsn(int fd, char *pages, DB_LSN *lsn)
{
    off_t at = 0;
    for (;;) {
        ssize_t got = pread(fd, pages, READ_PAGES * STORE_PAGE_BYTES, at);
        if (got < (ssize_t)sizeof(DB_LSN))
            return;
        for (ssize_t i = 0; i + (ssize_t)sizeof(DB_LSN) <= got; i += STORE_PAGE_BYTES) {
            DB_LSN page; /* the first field of every page, in the machine's byte order */
            memcpy(&page, pages + i, sizeof page);
            if (page.file > lsn->file || (page.file == lsn->file && page.offset > lsn->offset))
                *lsn = page;
        }
        at += got;
    }
}

DB_LSN store_pages_lsn(const char *folder)
{
    DB_LSN lsn = {0, 0};
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return lsn;
    char *pages = mem_alloc(READ_PAGES * STORE_PAGE_BYTES);
    for (struct dirent *each = readdir(dir); each; each = readdir(dir)) {
        struct str name = str_from(each->d_name);
        if (name.len < 4 || !str_is(str_from_at(name, name.len - 3), ".db"))
            continue;
        SCOPED(journal_close_fd) int fd = openat(dirfd(dir), each->d_name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            pages_lsn(fd, pages, &lsn);
    }
    mem_free(pages);
    closedir(dir);
    return lsn;
}

bool store_logs_reach(DB_ENV *env, DB_LSN lsn, bool of_page)
{
    if (lsn.file == 0)
        return true;
    DB_LOGC *cursor;
    if (env->log_cursor(env, &cursor, 0) != 0)
        return false;
    DBT record = {.flags = DB_DBT_REALLOC};
    DB_LSN first;
    bool reaches = cursor->get(cursor, &first, &record, DB_FIRST) == 0;
    if (reaches && (lsn.file > first.file || (lsn.file == first.file && lsn.offset >= first.offset))) {
        DB_LSN at = lsn;
        uint32_t type = 0;
        reaches = cursor->get(cursor, &at, &record, DB_SET) == 0 && record.size >= sizeof type;
        if (reaches)
            memcpy(&type, record.data, sizeof type);
        /* recovery itself writes these two at the end it found: there they took the place of the record that was lost
         */
        if (of_page && (type == RECYCLE_RECORD || type == CHECKPOINT_RECORD))
            reaches = false;
    }
    free(record.data);
    cursor->close(cursor, 0);
    return reaches;
}

bool store_last_lsn(DB_ENV *env, DB_LSN *out_lsn)
{
    DB_LOGC *cursor;
    if (env->log_cursor(env, &cursor, 0) != 0)
        return false;
    DBT record = {.flags = DB_DBT_REALLOC};
    bool found = cursor->get(cursor, out_lsn, &record, DB_LAST) == 0;
    free(record.data);
    cursor->close(cursor, 0);
    return found;
}
