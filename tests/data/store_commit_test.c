/* What a commit keeps waiting, and what keeps a commit waiting: counted, never timed. */
#include "journal_world.h"
#include "store_internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct data_table_spec TABLES[] = {{.name = "t.one"}, {.name = "t.two"}};

static struct data_store *open_store(struct world *world, uint64_t cache_bytes)
{
    struct data_options options = {
        .dir = world->dir, .format = 3, .cache_bytes = cache_bytes, .tables = TABLES, .table_count = 2};
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    return store;
}

static struct str number_key(struct arena *arena, uint64_t number)
{
    struct buf key = {0};
    buf_put_u64(&key, number);
    struct str kept = arena_str(arena, buf_str(&key));
    buf_fini(&key);
    return kept;
}

/* ---- pages are read before readers are kept out ---- */

enum { ROWS = 30000, ROW_BYTES = 1000, LONG_ROW_BYTES = 200 * 1024, TOUCHED = 40 };

static uint64_t pages_read(struct data_store *store)
{
    DB_MPOOL_STAT *stat = NULL;
    assert_int_equal(store->env->memp_stat(store->env, &stat, NULL, 0), 0);
    uint64_t pages = stat->st_page_in;
    free(stat);
    return pages;
}

static void fill(struct data_store *store)
{
    struct arena arena = {0};
    static const char row[LONG_ROW_BYTES];
    for (uint64_t from = 0; from < ROWS; from += 1000) {
        struct data_txn *txn = data_txn_begin(store);
        for (uint64_t i = from; i < from + 1000; i++)
            data_txn_put(txn, data_table(store, "t.one"), number_key(&arena, i),
                         str_make(row, i % 1000 == 500 ? LONG_ROW_BYTES : ROW_BYTES));
        data_txn_commit(txn, from + 1, NULL, NULL);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

struct committing {
    struct data_store *store;
    uint64_t pages_at_publish;
};

static void note_pages(void *arg)
{
    struct committing *committing = arg;
    committing->pages_at_publish = pages_read(committing->store);
}

/* Rows far apart: made longer, removed, put new in between; one that fills pages of its own. */
static void *commit_far_apart(void *arg)
{
    struct committing *committing = arg;
    struct data_table *one = data_table(committing->store, "t.one");
    struct arena arena = {0};
    struct data_txn *txn = data_txn_begin(committing->store);
    for (uint64_t i = 0; i < TOUCHED; i++) {
        struct str key = number_key(&arena, i * (ROWS / TOUCHED));
        if (i % 3 == 0)
            data_txn_put(txn, one, key, body_of(&arena, i, ROW_BYTES));
        else if (i % 3 == 1)
            data_txn_delete(txn, one, key);
        else
            data_txn_put(txn, one, arena_printf(&arena, "%.*s+", STR_ARGS(key)), STR("new"));
    }
    data_txn_put(txn, one, number_key(&arena, 500), STR("short by now"));
    data_txn_commit(txn, ROWS + 1, note_pages, committing);
    arena_fini(&arena);
    return NULL;
}

/* Writers are preferred: once one waits, no new reader is let in. */
static void wait_for_waiting_writer(struct data_store *store)
{
    while (pthread_rwlock_tryrdlock(&store->lock) == 0) {
        pthread_rwlock_unlock(&store->lock);
        sched_yield();
    }
}

static void test_commit__reads_no_page_while_readers_are_kept_out(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world, 64 << 20);
    fill(store);
    data_close(store);
    store = open_store(world, 4 << 20); /* the tables are ten times as large */
    struct committing committing = {.store = store};
    uint64_t before = pages_read(store);
    struct data_view view;
    data_view_begin(store, &view);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, commit_far_apart, &committing), 0);
    wait_for_waiting_writer(store);
    uint64_t ready = pages_read(store);
    data_view_end(&view);
    pthread_join(writer, NULL);
    assert_true(ready - before >= TOUCHED + LONG_ROW_BYTES / STORE_PAGE_BYTES); /* they were not in the cache */
    assert_int_equal(committing.pages_at_publish, ready);
    data_close(store);
}

/* ---- a checkpoint beside commits ---- */

/* Little enough for one file of the log: the commit that begins the next one does wait for a sync. */
enum { CHECKPOINT_ROWS = 300, CHECKPOINTS = 5 };

/* Whoever syncs for a checkpoint hands over to the writer and to a reader, and goes on once both have done theirs. */
static struct {
    struct data_store *store;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t checkpointer;
    uint64_t syncs, read, asked, committed, syncs_paused, syncs_of_files;
    bool done;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static bool flag_of(const bool *flag)
{
    pthread_mutex_lock(&gate.store->gate.lock);
    bool value = *flag;
    pthread_mutex_unlock(&gate.store->gate.lock);
    return value;
}

/* At the gate, where it keeps no reader out. */
static bool writer_waits_outside(void)
{
    return flag_of(&gate.store->gate.paused) && flag_of(&gate.store->gate.waiting);
}

static bool has_committed(uint64_t number)
{
    pthread_mutex_lock(&gate.lock);
    bool has = gate.committed >= number;
    pthread_mutex_unlock(&gate.lock);
    return has;
}

/* The writer is asked to commit; it does, or waits outside. */
static void have_it_commit(bool is_log)
{
    pthread_mutex_lock(&gate.lock);
    uint64_t number = ++gate.asked;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    gate.syncs_paused += flag_of(&gate.store->gate.paused);
    gate.syncs_of_files += !is_log;
    while (!has_committed(number) && !writer_waits_outside())
        sched_yield();
}

static bool is_log_file(int fd)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = 0;
    return strstr(path, "/log.") != NULL;
}

static int sync_beside_others(int fd)
{
    if (!pthread_equal(pthread_self(), gate.checkpointer))
        return fdatasync(fd);
    have_it_commit(is_log_file(fd));
    pthread_mutex_lock(&gate.lock);
    uint64_t number = ++gate.syncs;
    pthread_cond_broadcast(&gate.changed);
    while (gate.read < number)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    return fdatasync(fd);
}

static void end_gate(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.done = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void *checkpoint_often(void *arg)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    gate.checkpointer = pthread_self();
    store_io.fsync = sync_beside_others;
    status done = STATUS_OK;
    for (int i = 0; i < CHECKPOINTS && done == STATUS_OK; i++)
        done = data_checkpoint(arg, &cx);
    store_io.fsync = fdatasync;
    end_gate();
    arena_fini(&arena);
    return done == STATUS_OK ? arg : NULL;
}

/* Every row, so every page. */
static void change_all(struct data_store *store, uint64_t seq)
{
    struct arena arena = {0};
    struct data_txn *txn = data_txn_begin(store);
    for (uint64_t i = 0; i < CHECKPOINT_ROWS; i++)
        data_txn_put(txn, data_table(store, "t.one"), number_key(&arena, i), body_of(&arena, seq * i, 300));
    data_txn_commit(txn, seq, NULL, NULL);
    arena_fini(&arena);
}

static void *commit_when_asked(void *arg)
{
    pthread_mutex_lock(&gate.lock);
    for (;;) {
        while (gate.committed == gate.asked && !gate.done)
            pthread_cond_wait(&gate.changed, &gate.lock);
        if (gate.committed == gate.asked)
            break;
        uint64_t seq = gate.committed + 2;
        pthread_mutex_unlock(&gate.lock);
        change_all(arg, seq);
        pthread_mutex_lock(&gate.lock);
        gate.committed++;
        pthread_cond_broadcast(&gate.changed);
    }
    pthread_mutex_unlock(&gate.lock);
    return NULL;
}

static bool count_it(void *arg, struct str key, struct str row)
{
    (void)key, (void)row;
    ++*(uint64_t *)arg;
    return true;
}

static void read_at_each_sync(struct world *world, struct data_table *table)
{
    pthread_mutex_lock(&gate.lock);
    for (;;) {
        while (gate.read == gate.syncs && !gate.done)
            pthread_cond_wait(&gate.changed, &gate.lock);
        if (gate.read == gate.syncs)
            break;
        pthread_mutex_unlock(&gate.lock);
        uint64_t rows = 0;
        assert_ok(&world->support, data_scan_all(table, &world->support.cx, count_it, &rows));
        assert_int_equal(rows, CHECKPOINT_ROWS);
        pthread_mutex_lock(&gate.lock);
        gate.read++;
        pthread_cond_broadcast(&gate.changed);
    }
    pthread_mutex_unlock(&gate.lock);
}

/* At every sync of a checkpoint all pages are read, and changed, but for the syncs before pages are written: then the
 * writer waits outside. A checkpoint that held a page, the log or the lock while the disk is slow would wait here for
 * ever. */
static void test_checkpoint__keeps_no_reader_waiting_and_no_commit_while_files_are_synced(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world, 16 << 20);
    gate.store = store;
    change_all(store, 1);
    pthread_t checkpointer, writer;
    assert_int_equal(pthread_create(&writer, NULL, commit_when_asked, store), 0);
    assert_int_equal(pthread_create(&checkpointer, NULL, checkpoint_often, store), 0);
    read_at_each_sync(world, data_table(store, "t.one"));
    void *good;
    pthread_join(checkpointer, &good);
    pthread_join(writer, NULL);
    assert_ptr_equal(good, store);
    assert_true(gate.syncs_of_files >= 2 * CHECKPOINTS); /* the table and idem.meta, each time */
    assert_true(gate.syncs > gate.syncs_of_files && gate.syncs_paused > 0);
    assert_int_equal(gate.committed, gate.syncs);
    assert_int_equal(data_applied_seq(store), 1 + gate.syncs);
    data_close(store);
}

/* ---- syncs in between ---- */

static uint64_t syncs_counted;

static int count_syncs(int fd)
{
    syncs_counted++;
    return fdatasync(fd);
}

/* Four times a second by the daemon: an idle one must leave the disk alone. */
static void test_sync__syncs_what_was_committed_and_nothing_when_nothing_was(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world, 4 << 20);
    assert_ok(&world->support, data_sync(store, cx));
    store_io.fsync = count_syncs;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        syncs_counted = 0;
        data_txn_commit(data_txn_begin(store), seq, NULL, NULL);
        assert_int_equal(syncs_counted, 0);
        assert_ok(&world->support, data_sync(store, cx));
        assert_int_equal(syncs_counted, 1);
        assert_ok(&world->support, data_sync(store, cx));
        assert_int_equal(syncs_counted, 1);
    }
    store_io.fsync = fdatasync;
    data_close(store);
}

/* ---- how long they took ---- */

static uint64_t sum(const uint64_t buckets[DATA_STATS_BUCKETS])
{
    uint64_t all = 0;
    for (size_t i = 0; i < DATA_STATS_BUCKETS; i++)
        all += buckets[i];
    return all;
}

static void take_a_while(void *arg)
{
    nap_us(*(int64_t *)arg);
}

/* Bounds from below only: a slow machine makes them longer. */
/* ---- the log goes on in another file ---- */

enum { LOG_FILE_BYTES = 4 << 20, LOG_FILES = 6 };

static struct data_store *synced_store;
static unsigned syncs, syncs_in_commits;

/* One thread: who cannot share the lock holds it. */
static int sync_and_look(int fd)
{
    bool in_commit = pthread_rwlock_tryrdlock(&synced_store->lock) != 0;
    if (!in_commit)
        pthread_rwlock_unlock(&synced_store->lock);
    syncs++;
    syncs_in_commits += in_commit;
    return fdatasync(fd);
}

static uint32_t log_file(struct data_store *store)
{
    DB_LOG_STAT *stat = NULL;
    assert_int_equal(store->env->log_stat(store->env, &stat, 0), 0);
    uint32_t file = stat->st_cur_file;
    free(stat);
    return file;
}

/* Small commits and larger ones, of rows that are new and rows that were there; answers the last seq. */
static uint64_t commit_into_files(struct data_store *store, uint32_t files)
{
    struct arena arena = {0};
    static const char row[3000];
    uint64_t random = 7, seq = 0, number = 0;
    for (uint32_t from = log_file(store); log_file(store) < from + files;) {
        struct data_txn *txn = data_txn_begin(store);
        uint64_t rows = 1 + hash_random(&random) % 200;
        for (uint64_t i = 0; i < rows; i++) {
            uint64_t at = i % 2 ? hash_random(&random) % (number + 1) : number++;
            data_txn_put(txn, data_table(store, "t.one"), number_key(&arena, at),
                         str_make(row, hash_random(&random) % sizeof row));
        }
        data_txn_commit(txn, ++seq, NULL, NULL);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return seq;
}

/* Once: in the commit that filled a file, readers kept out until the disk had it. */
static void test_log_files__begin_while_readers_come_and_go(void **state)
{
    struct world *world = *state;
    store_log_file_bytes = LOG_FILE_BYTES;
    struct data_store *store = synced_store = open_store(world, 256 << 20);
    syncs = syncs_in_commits = 0;
    store_io.fsync = sync_and_look;
    (void)commit_into_files(store, LOG_FILES);
    store_io.fsync = fdatasync;
    store_log_file_bytes = STORE_LOG_FILE_BYTES;
    assert_int_equal(syncs_in_commits, 0);
    assert_true(syncs >= LOG_FILES); /* each was synced before the next began */
    data_close(store);
}

static void test_log_files__that_were_filled_up_are_recovered_after_a_crash(void **state)
{
    struct world *world = *state;
    store_log_file_bytes = LOG_FILE_BYTES;
    int pipes[2];
    uint64_t committed = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    if (child == 0) {
        uint64_t seq = commit_into_files(open_store(world, 256 << 20), LOG_FILES);
        _exit(write(pipes[1], &seq, sizeof seq) == (ssize_t)sizeof seq ? 0 : 1); /* nothing is closed */
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && how == 0);
    assert_int_equal(read(pipes[0], &committed, sizeof committed), sizeof committed);
    struct data_store *store = open_store(world, 256 << 20);
    store_log_file_bytes = STORE_LOG_FILE_BYTES;
    assert_true(committed > 0 && data_applied_seq(store) <= committed);
    assert_true(data_applied_seq(store) * 2 > committed); /* of which all but what the log's buffer held is there */
    data_close(store);
    close(pipes[0]);
    close(pipes[1]);
}

static void test_stats__count_each_commit_once_in_the_bucket_of_its_time(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world, 4 << 20);
    struct data_stats stats;
    data_stats(store, &stats);
    assert_int_equal(stats.commits, 0);
    for (uint64_t seq = 1; seq <= 10; seq++) {
        int64_t nap = seq == 7 ? 20000 : 0;
        data_txn_commit(data_txn_begin(store), seq, take_a_while, &nap);
    }
    data_stats(store, &stats);
    assert_int_equal(stats.commits, 10);
    assert_int_equal(sum(stats.held), 10);
    assert_int_equal(sum(stats.waited), 10);
    assert_true(stats.held_max_us >= 20000);
    uint64_t long_ones = 0;
    for (size_t i = 15; i < DATA_STATS_BUCKETS; i++) /* 16,384 us and more */
        long_ones += stats.held[i];
    assert_true(long_ones >= 1);
    assert_true(data_stats_us(stats.held, 1000) > stats.held_max_us);
    assert_true(data_stats_us(stats.held, 1000) <= 2 * stats.held_max_us);
    data_close(store);
}

static void test_stats_us__is_the_upper_end_of_the_bucket(void **state)
{
    (void)state;
    uint64_t buckets[DATA_STATS_BUCKETS] = {0};
    assert_int_equal(data_stats_us(buckets, 990), 0);
    buckets[3] = 989;
    buckets[10] = 11;
    assert_int_equal(data_stats_us(buckets, 500), 8);
    assert_int_equal(data_stats_us(buckets, 989), 8);
    assert_int_equal(data_stats_us(buckets, 990), 1024);
    assert_int_equal(data_stats_us(buckets, 1000), 1024);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_commit__reads_no_page_while_readers_are_kept_out),
        T(test_checkpoint__keeps_no_reader_waiting_and_no_commit_while_files_are_synced),
        T(test_sync__syncs_what_was_committed_and_nothing_when_nothing_was),
        T(test_log_files__begin_while_readers_come_and_go),
        T(test_log_files__that_were_filled_up_are_recovered_after_a_crash),
        T(test_stats__count_each_commit_once_in_the_bucket_of_its_time),
        T(test_stats_us__is_the_upper_end_of_the_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
