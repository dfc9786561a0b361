/*
 * Where a new file of Berkeley DB's log begins.
 *
 * The record that does not fit into a file ends it: Berkeley DB then syncs it, and only then goes on in the next. In a
 * commit that would keep the readers out as long as the disk takes. So before a commit that will hardly fit, the rest
 * of the file is filled with records that say nothing (recovery passes over them), while readers come and go: the
 * writer alone waits for the disk.
 */
#include "store_internal.h"

#include <stdlib.h>

enum {
    FILLER_BYTES = 1900, /* log_printf() takes a little more */
    ROW_COSTS = 512,     /* a record's head, its place in the page, its share of the pages that split */
    COMMIT_COSTS = 256 * 1024,
};

struct log_place {
    uint32_t file, left;
};

static bool find_place(DB_ENV *env, struct log_place *out)
{
    DB_LOG_STAT *stat = NULL;
    if (env->log_stat(env, &stat, 0) != 0)
        return false; /* whatever is wrong with the log, the commit will meet it */
    *out = (struct log_place){stat->st_cur_file,
                              stat->st_lg_size > stat->st_cur_offset ? stat->st_lg_size - stat->st_cur_offset : 0};
    free(stat);
    return true;
}

/* About so much: what is put, what was there before, and what it takes to tell. Too little is no fault: the file then
 * ends within the commit. */
static uint64_t log_bytes(uint64_t bytes, uint64_t rows)
{
    return 2 * bytes + rows * ROW_COSTS + COMMIT_COSTS;
}

void store_log_make_room(struct data_store *store, uint64_t bytes, uint64_t rows)
{
    DB_ENV *env = store->env;
    struct log_place first, now;
    uint64_t need = log_bytes(bytes, rows);
    if (!find_place(env, &first) || first.left >= need || need > store_log_file_bytes / 2)
        return; /* the largest commits do not fit into one file either way */
    do
        if (env->log_printf(env, NULL, "%*s", FILLER_BYTES, "") != 0 || !find_place(env, &now))
            return;
    while (now.file == first.file);
}

uint64_t store_log_unsynced(struct data_store *store)
{
    DB_LOG_STAT *stat = NULL;
    if (store->env->log_stat(store->env, &stat, 0) != 0)
        return 0; /* the next commit meets it */
    uint64_t now = (uint64_t)stat->st_cur_file * stat->st_lg_size + stat->st_cur_offset;
    uint64_t synced = (uint64_t)stat->st_disk_file * stat->st_lg_size + stat->st_disk_offset;
    free(stat);
    return now > synced ? now - synced : 0;
}
