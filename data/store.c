/* Opening, closing, discarding, checkpoints. */
#include "data/store.h"
#include "store_internal.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/invariant.h"
#include "base/log.h"
#include "journal_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

static const char *const META_TABLE = "idem.meta";

static const struct str FORMAT_KEY = STR_INIT("format"), APPLIED_KEY = STR_INIT("applied");

static status read_number(struct data_store *store, struct ctx *cx, struct str key, uint64_t *out_number)
{
    struct str row;
    TRY(store_get_locked(store_meta(store), cx, key, &row));
    struct cut cut = {.rest = row};
    *out_number = cut_u64(&cut);
    return cut.bad ? store_fail(cx, "idem.meta", EINVAL) : STATUS_OK;
}

static status write_number(struct data_store *store, struct ctx *cx, struct str key, uint64_t number)
{
    SCOPED(buf_fini) struct buf row = {0};
    buf_put_u64(&row, number);
    DBT key_dbt = store_dbt(key), row_dbt = store_dbt(buf_str(&row));
    int error = store_meta(store)->db->put(store_meta(store)->db, NULL, &key_dbt, &row_dbt, DB_AUTO_COMMIT);
    return error == 0 ? STATUS_OK : store_fail(cx, "idem.meta", error);
}

static status check_format(struct data_store *store, struct ctx *cx, uint32_t format, bool is_new)
{
    uint64_t found;
    status got = read_number(store, cx, FORMAT_KEY, &found);
    if (got == STATUS_NOT_FOUND) {
        ctx_clear(cx);
        if (!is_new)
            return store_fail(cx, "idem.meta has no format number", DB_NOTFOUND);
        TRY(write_number(store, cx, FORMAT_KEY, format));
        return write_number(store, cx, APPLIED_KEY, 0);
    }
    TRY(got);
    if (found != format)
        return ctx_fail(cx, &data_reasons[DATA_STORE_FORMAT], "it has format %" PRIu64 ", this idem writes %" PRIu32,
                        found, format);
    return read_number(store, cx, APPLIED_KEY, &store->applied_seq);
}

static bool is_grouped(const struct data_options *options, const char *name)
{
    for (size_t i = 0; i < options->grouped_count; i++)
        if (str_is(str_from(name), options->grouped[i]))
            return true;
    return false;
}

static bool has_file(struct ctx *cx, const char *folder, const char *name)
{
    return access(arena_printf(cx->arena, "%s/%s", folder, name).data, F_OK) == 0;
}

static const char *table_file(struct ctx *cx, const char *table)
{
    return arena_printf(cx->arena, "%s.db", table).data;
}

static status is_missing(struct ctx *cx, const char *table)
{
    return ctx_fail(cx, &data_reasons[DATA_STORE_DAMAGED], "%s is missing; next: rebuild it from the journal",
                    table_file(cx, table));
}

/* `lacks`: tables that were added later are missing, which is well if the meta table knows nothing of them. */
static status open_tables(struct data_store *store, struct ctx *cx, const struct data_options *options, bool lacks)
{
    store->table_count = options->table_count;
    store->tables = mem_array(options->table_count + 1, sizeof *store->tables);
    for (size_t i = 0; i <= options->table_count; i++) {
        const char *name = i < options->table_count ? options->tables[i].name : META_TABLE;
        store->tables[i] = (struct data_table){.store = store,
                                               .name = mem_copy(name, strlen(name) + 1),
                                               .number = (uint32_t)i,
                                               .grouped = is_grouped(options, name)};
    }
    for (size_t i = store->table_count + 1; i-- > 0;) { /* the meta table first: it knows which there were */
        struct data_table *table = &store->tables[i];
        if (lacks && i + 1 == store->table_count && store_counts_know(store, cx))
            return ctx_fail(cx, &data_reasons[DATA_STORE_DAMAGED],
                            "a table's file is missing; next: rebuild it from the journal");
        int error = store_db_open(store->env, table->name, &table->db);
        if (error != 0)
            return store_fail(cx, table->name, error);
    }
    return STATUS_OK;
}

static bool take_key(void *arg, struct str key, struct str row)
{
    (void)row;
    struct data_table *table = arg;
    buf_put_str(&table->bound, key);
    table->empty = false;
    return false;
}

static status find_bound(struct data_table *table, struct ctx *cx)
{
    table->empty = true;
    return data_scan_back(table, cx, STR_NONE, STR_NONE, take_key, table);
}

/* A table file that is gone would silently come back empty: what exists must be complete. A table that was added later
 * may be missing in an older store; the counts tell whether it is one. */
static status check_files(struct ctx *cx, const char *folder, const struct data_options *options, bool *out_lacks)
{
    *out_lacks = false;
    for (size_t i = 0; i <= options->table_count; i++) {
        const char *name = i < options->table_count ? options->tables[i].name : META_TABLE;
        bool there = has_file(cx, folder, table_file(cx, name));
        if (!there && !(i < options->table_count && options->tables[i].added))
            return is_missing(cx, name);
        *out_lacks |= !there;
    }
    return STATUS_OK;
}

/* "complete" is made once every file of a new store exists; without it, what is there was never finished and is made
 * anew. */
static status make_file(struct ctx *cx, const char *folder, const char *name)
{
    return file_replace(cx, arena_printf(cx->arena, "%s/%s", folder, name).data, STR(""), 0600);
}

static void remove_file(struct ctx *cx, const char *folder, const char *name)
{
    unlink(arena_printf(cx->arena, "%s/%s", folder, name).data);
}

static status remove_all(struct ctx *cx, const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return ctx_fail(cx, &file_reason, "open %s: %s", folder, strerror(errno));
    status removed = STATUS_OK;
    /* first, so that a half removed store is not taken for a whole one */
    if (unlinkat(dirfd(dir), "complete", 0) == 0)
        removed = file_sync_dir(cx, folder);
    for (struct dirent *each = readdir(dir); each && removed == STATUS_OK; each = readdir(dir)) {
        struct str name = str_from(each->d_name);
        if (str_is(name, ".") || str_is(name, "..") || str_is(name, "lock"))
            continue;
        if (unlinkat(dirfd(dir), each->d_name, 0) != 0 && errno != ENOENT)
            removed = ctx_fail(cx, &file_reason, "remove %s/%s: %s", folder, each->d_name, strerror(errno));
    }
    closedir(dir);
    TRY(removed);
    return file_sync_dir(cx, folder);
}

/* Where the log ended when the store was closed in good order; false when it was not. The note is then taken away. */
static bool take_closed_note(struct data_store *store, struct ctx *cx, DB_LSN *out_lsn)
{
    SCOPED(buf_fini) struct buf bytes = {0};
    if (!has_file(cx, store->folder, "closed"))
        return false;
    bool read = file_read(cx, arena_printf(cx->arena, "%s/closed", store->folder).data, 64, &bytes) == STATUS_OK;
    ctx_clear(cx);
    remove_file(cx, store->folder, "closed");
    struct cut cut = {.rest = buf_str(&bytes)};
    DB_LSN lsn = {.file = cut_u32(&cut), .offset = 0};
    lsn.offset = cut_u32(&cut);
    uint32_t crc = cut_u32(&cut);
    if (!read || cut.bad || crc != hash_crc32c(0, bytes.data, 8))
        return false;
    *out_lsn = lsn;
    return true;
}

static status write_closed_note(struct data_store *store, struct ctx *cx)
{
    DB_LSN lsn;
    if (!store_last_lsn(store->env, &lsn))
        return store_fail(cx, "read the log", EIO);
    SCOPED(buf_fini) struct buf bytes = {0};
    buf_put_u32(&bytes, lsn.file);
    buf_put_u32(&bytes, lsn.offset);
    buf_put_u32(&bytes, hash_crc32c(0, bytes.data, bytes.len));
    return file_replace(cx, arena_printf(cx->arena, "%s/closed", store->folder).data, buf_str(&bytes), 0600);
}

static status open_env(struct data_store *store, struct ctx *cx, const struct data_options *options,
                       uint64_t *out_holes)
{
    DB_LSN end = {0, 0};
    bool was_closed = take_closed_note(store, cx, &end);
    TRY(file_sync_dir(cx, store->folder)); /* the note must not come back after a crash */
    if (!was_closed)
        end = store_pages_lsn(store->folder);
    uint64_t cache_bytes = options->cache_bytes ? options->cache_bytes : store_cache_default(cx);
    store_recovery_begin(!was_closed);
    int error = store_env_open(store->folder, cache_bytes, &store->env);
    *out_holes = store_recovery_end();
    if (error != 0)
        return store_fail(cx, "recovery", error);
    if (!store_logs_reach(store->env, end, !was_closed))
        return ctx_fail(cx, &data_reasons[DATA_STORE_DAMAGED],
                        "the log ends too early; next: rebuild it from the journal");
    return STATUS_OK;
}

static void tell_miscount(void *arg, const struct data_miscount *miscount)
{
    struct ctx *cx = arg;
    if (cx->reason == NULL)
        IGNORE(ctx_fail(cx, &data_reasons[DATA_STORE_DAMAGED],
                        "%s.db has %" PRIu64 " rows of %" PRIu64 "; next: rebuild it from the journal", miscount->table,
                        miscount->there, miscount->kept));
}

/* Recovery found pages empty: never written before the crash, or lost. Then rows are missing. */
static status check_rows(struct data_store *store, struct ctx *cx, uint64_t holes)
{
    uint64_t rows;
    log_event(LOG_INFO, "store.counts-rows", LOG_NUM("empty_pages", holes));
    TRY(data_recount(store, cx, tell_miscount, cx, &rows));
    return cx->reason ? STATUS_DATA_LOSS : STATUS_OK;
}

static status open_store(struct data_store *store, struct ctx *cx, const struct data_options *options)
{
    TRY(file_make_dirs(cx, store->folder));
    TRY(data_lock(cx, store->folder, &store->lock_fd));
    struct str damage;
    if (store_damage_noted(store->folder, cx, &damage))
        return ctx_fail(cx, &data_reasons[DATA_STORE_DAMAGED], "%.*s; next: rebuild it from the journal",
                        STR_ARGS(damage));
    bool is_new = !has_file(cx, store->folder, "complete"), lacks = false;
    if (is_new)
        TRY(remove_all(cx, store->folder));
    else
        TRY(check_files(cx, store->folder, options, &lacks));
    uint64_t holes;
    TRY(open_env(store, cx, options, &holes));
    TRY(open_tables(store, cx, options, lacks));
    TRY(check_format(store, cx, options->format, is_new));
    TRY(store_counts_open(store, cx));
    for (size_t i = 0; i < store->table_count; i++)
        TRY(find_bound(&store->tables[i], cx));
    if (holes > 0 && !is_new)
        TRY(check_rows(store, cx, holes));
    if (is_new || lacks)
        TRY(data_checkpoint(store, cx));
    return is_new ? make_file(cx, store->folder, "complete") : STATUS_OK;
}

static void free_store(struct data_store *store)
{
    for (size_t i = 0; store->tables && i <= store->table_count; i++) {
        if (store->tables[i].db)
            store->tables[i].db->close(store->tables[i].db, DB_NOSYNC);
        mem_free(store->tables[i].name);
        map_fini(&store->tables[i].groups);
        buf_fini(&store->tables[i].bound);
    }
    if (store->env)
        store->env->close(store->env, 0);
    mem_free(store->tables);
    journal_close_fd(&store->lock_fd);
    pthread_rwlock_destroy(&store->lock);
    pthread_mutex_destroy(&store->recounts_lock);
    store_gate_fini(&store->gate);
    mem_free(store->folder);
    mem_free(store);
}

static struct data_store *make_store(struct ctx *cx, const char *dir)
{
    struct data_store *store = mem_alloc(sizeof *store);
    struct str folder = arena_printf(cx->arena, "%s/store", dir);
    store->folder = mem_copy(folder.data, folder.len + 1);
    store->lock_fd = -1;
    pthread_rwlockattr_t fair;
    pthread_rwlockattr_init(&fair);
    /* a stream of readers must not keep the writer out */
    pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&store->lock, &fair);
    pthread_rwlockattr_destroy(&fair);
    pthread_mutex_init(&store->recounts_lock, NULL);
    store_gate_init(&store->gate);
    return store;
}

status data_open(struct ctx *cx, const struct data_options *options, struct data_store **out_store)
{
    INVARIANT(options->table_count <= STORE_TABLES_MAX);
    struct data_store *store = make_store(cx, options->dir);
    status opened = open_store(store, cx, options);
    if (opened != STATUS_OK) {
        free_store(store);
        return opened;
    }
    *out_store = store;
    return STATUS_OK;
}

void data_close(struct data_store *store)
{
    if (store == NULL)
        return;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    store_stats_log(store);
    if (data_checkpoint(store, &cx) != STATUS_OK || write_closed_note(store, &cx) != STATUS_OK)
        log_event(LOG_ERROR, "store.close", LOG_WHY(&cx)); /* found again at the next open */
    free_store(store);
    arena_fini(&arena);
}

status data_discard(struct ctx *cx, const char *dir)
{
    struct str folder = arena_printf(cx->arena, "%s/store", dir);
    TRY(file_make_dirs(cx, folder.data));
    SCOPED(journal_close_fd) int lock_fd = -1;
    TRY(data_lock(cx, folder.data, &lock_fd));
    return remove_all(cx, folder.data);
}

struct data_table *data_table(struct data_store *store, const char *name)
{
    for (size_t i = 0; i < store->table_count; i++)
        if (str_is(str_from(name), store->tables[i].name))
            return &store->tables[i];
    mem_panic("store", "a table that was not declared"); /* a mistake in our own code, at start */
}

uint64_t data_applied_seq(struct data_store *store)
{
    return __atomic_load_n(&store->applied_seq, __ATOMIC_ACQUIRE);
}
