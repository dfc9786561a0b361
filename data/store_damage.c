/*
 * Damage that is met while the store is open. What was read is refused to whoever asked; and the file "damaged" says it
 * to the next open, which does not take the store for whole: so a start after an end by damage makes it again, and
 * never ends the same way twice.
 *
 * A page that is all zeros Berkeley DB takes for one that was never written, and reads it as empty in spite of its
 * checksums; it may then look for a key for ever. In a store that was closed in good order, and in any store after
 * recovery, there is no such page: they are told apart here, as they are read. Recovery after a crash may meet pages
 * that were begun and never written; whether they are that only the rows can tell, which are counted then.
 */
#include "store_internal.h"

#include "base/file.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, NOTE_BYTES = 512 };

/* What this thread read last: a checksum fails right after its page was read. */
static _Thread_local struct {
    int fd;
    off_t at;
    bool checksum_failed;
    bool holes_may_be;
    uint64_t holes;
} last_read;

/* ---- the note ---- */

static void note(const char *folder, const char *what)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct str path = arena_printf(&arena, "%s/damaged", folder);
    if (access(path.data, F_OK) != 0) { /* what was met first says most; every later call meets it again */
        log_event(LOG_ERROR, "store.damage-found", LOG_NAME("what", what),
                  LOG_NAME("next", "start again: it is made anew"));
        if (file_replace(&cx, path.data, str_from(what), 0600) != STATUS_OK)
            log_event(LOG_ERROR, "store.damage-not-noted", LOG_WHY(&cx));
    }
    arena_fini(&arena);
}

bool store_damage_noted(const char *folder, struct ctx *cx, struct str *out_what)
{
    SCOPED(buf_fini) struct buf what = {0};
    struct str path = arena_printf(cx->arena, "%s/damaged", folder);
    if (access(path.data, F_OK) != 0)
        return false;
    if (file_read(cx, path.data, NOTE_BYTES, &what) != STATUS_OK) /* it is there: that says enough */
        ctx_clear(cx);
    *out_what = arena_str(cx->arena, buf_str(&what));
    return true;
}

bool data_damage(const struct data_store *store, struct ctx *cx, struct str *out_what)
{
    return store_damage_noted(store->folder, cx, out_what);
}

/* ---- finding it ---- */

/* The path behind a descriptor; false when the system does not tell. */
static bool path_of(int fd, char *out_path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out_path, PATH_BYTES - 1);
    out_path[len > 0 ? len : 0] = '\0';
    return len > 0 && strrchr(out_path, '/') != NULL;
}

static void note_page(int fd, off_t at, const char *why)
{
    char path[PATH_BYTES], what[NOTE_BYTES];
    if (!path_of(fd, path))
        return;
    char *name = strrchr(path, '/');
    *name++ = '\0';
    snprintf(what, sizeof what, "%.200s page %lld: %s", name, (long long)(at / STORE_PAGE_BYTES), why);
    note(path, what);
}

/* What Berkeley DB takes for a hole in the file: no log position, no number, no type. */
static bool is_hole(const uint8_t *page)
{
    enum { LSN_AND_NUMBER_BYTES = 12, TYPE_AT = 25 };
    uint8_t any = page[TYPE_AT];
    for (size_t i = 0; i < LSN_AND_NUMBER_BYTES; i++)
        any |= page[i];
    return any == 0;
}

ssize_t store_read_page(int fd, void *bytes, size_t len, off_t at)
{
    ssize_t got = pread(fd, bytes, len, at);
    last_read.fd = fd;
    last_read.at = at;
    if (got != STORE_PAGE_BYTES || at % STORE_PAGE_BYTES != 0 || !is_hole(bytes))
        return got;
    if (last_read.holes_may_be) {
        last_read.holes++;
        return got;
    }
    note_page(fd, at, "empty");
    memset(bytes, 0xFF, (size_t)got); /* a failed read would be tried again another way: so its checksum fails */
    return got;
}

void store_recovery_begin(bool after_crash)
{
    last_read.holes_may_be = after_crash;
    last_read.holes = 0;
}

uint64_t store_recovery_end(void)
{
    last_read.holes_may_be = false;
    return last_read.holes;
}

/* Berkeley DB's own messages may carry keys: nothing of them is kept but that a checksum failed. */
static void hear(const DB_ENV *env, const char *prefix, const char *message)
{
    (void)env, (void)prefix;
    if (strstr(message, "checksum error") != NULL)
        last_read.checksum_failed = true;
}

static void after_event(DB_ENV *env, u_int32_t event, void *info)
{
    const char *folder = NULL;
    if (event != DB_EVENT_PANIC || env->get_home(env, &folder) != 0 || folder == NULL)
        return;
    if (last_read.checksum_failed)
        note_page(last_read.fd, last_read.at, "its checksum does not fit");
    else
        note(folder, db_strerror(*(int *)info));
    last_read.checksum_failed = false; /* another store's damage may be of another kind */
}

void store_damage_watch(DB_ENV *env)
{
    env->set_errcall(env, hear);
    (void)env->set_event_notify(env, after_event);
}
