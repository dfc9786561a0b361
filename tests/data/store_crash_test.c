/*
 * The store after kill -9, after a flipped bit in its log, after a flipped bit in its tables: what opens is a state
 * that the journal can go on from, or it is refused. Commits build on what was there (a counter that is read, raised
 * and written), so one commit applied twice, or half of one, changes the digest.
 */
#include "journal_world.h"
#include "store_internal.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct data_table_spec TABLES[] = {{.name = "t.one"}, {.name = "t.two"}};

enum { KILL_ROUNDS = 30, LOG_FLIP_ROUNDS = 30, TABLE_FLIPS = 45, COMMITS_MAX = 400, KEYS = 500 };

static const char *const GROUPED[] = {"t.one"}; /* each key a group of its own */

static struct data_options options_for(const char *dir)
{
    /* the smallest cache: pages are written out early, between checkpoints */
    return (struct data_options){.dir = dir,
                                 .format = 1,
                                 .cache_bytes = 1 << 20,
                                 .tables = TABLES,
                                 .table_count = 2,
                                 .grouped = GROUPED,
                                 .grouped_count = 1};
}

/* What was counted with the commits is what is there. */
static bool counts_are_right(struct data_store *store, struct ctx *cx)
{
    bool right = true;
    for (size_t i = 0; i < store->table_count; i++) {
        struct store_change counted = {0};
        right &= store_count_table(&store->tables[i], cx, &counted) == STATUS_OK &&
                 store_counts_equal(&store->tables[i], &counted);
        store_change_fini(&counted);
    }
    return right && data_rows(data_table(store, "t.two")) == data_applied_seq(store);
}

/* What the journal entry `seq` does to the state: a pure function of both. */
static void apply(struct data_store *store, struct ctx *cx, uint64_t seq)
{
    struct data_table *one = data_table(store, "t.one"), *two = data_table(store, "t.two");
    struct data_txn *txn = data_txn_begin(store);
    uint64_t random = seq;
    for (int i = 0; i < 20; i++) {
        struct str key = arena_printf(cx->arena, "key %" PRIu64, hash_random(&random) % KEYS), row;
        uint64_t times = 0;
        if (data_txn_get(txn, one, cx, key, &row) == STATUS_OK) {
            struct cut cut = {.rest = row};
            times = cut_u64(&cut);
        }
        struct buf next = {0};
        buf_put_u64(&next, times + 1);
        struct str body = body_of(cx->arena, hash_random(&random), 1500);
        buf_put_str(&next, body);
        data_txn_put(txn, one, key, buf_str(&next));
        buf_fini(&next);
    }
    struct buf number = {0};
    buf_put_u64(&number, seq);
    data_txn_put(txn, two, buf_str(&number), STR("applied"));
    buf_fini(&number);
    data_txn_commit(txn, seq, NULL, NULL);
}

static int tell_fd = -1; /* in a child: one byte for each commit */

static void apply_up_to(struct data_store *store, uint64_t seq)
{
    for (uint64_t at = data_applied_seq(store) + 1; at <= seq; at++) {
        struct support scratch;
        support_init(&scratch);
        apply(store, &scratch.cx, at);
        if (at % 64 == 0)
            IGNORE(data_checkpoint(store, &scratch.cx)); /* a failure shows at the next commit */
        support_fini(&scratch);
        if (tell_fd >= 0 && write(tell_fd, "", 1) != 1)
            _exit(3);
    }
}

/* The digest that a store must have when it says `seq`. Counts up only as far as asked; remembers. */
static const uint8_t *true_digest(uint64_t seq)
{
    static uint8_t digests[COMMITS_MAX + 1][32];
    static bool ready;
    if (!ready) {
        struct support support;
        support_init(&support);
        const char *dir = support_make_dir(&support);
        struct data_options options = options_for(dir);
        options.cache_bytes = 64 << 20;
        struct data_store *store = NULL;
        assert_ok(&support, data_open(&support.cx, &options, &store));
        for (uint64_t at = 0; at <= COMMITS_MAX; at++) {
            apply_up_to(store, at);
            assert_ok(&support, data_digest(store, &support.cx, digests[at]));
        }
        data_close(store);
        support_remove_dir(dir);
        support_fini(&support);
        ready = true;
    }
    assert_true(seq <= COMMITS_MAX);
    return digests[seq];
}

/* Start a child that applies on and on; kill it some time after so many commits. */
static void apply_and_die(const char *dir, uint64_t commits, int64_t after_us)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        tell_fd = ends[1];
        struct support support;
        support_init(&support);
        struct data_options options = options_for(dir);
        struct data_store *store = NULL;
        if (data_open(&support.cx, &options, &store) != STATUS_OK)
            _exit(2);
        apply_up_to(store, COMMITS_MAX);
        for (;;)
            pause();
    }
    close(ends[1]);
    char byte;
    while (commits > 0 && read(ends[0], &byte, 1) == 1)
        commits--;
    nap_us(after_us);
    int how = 0;
    kill(child, SIGKILL);
    close(ends[0]);
    waitpid(child, &how, 0);
    assert_true(WIFSIGNALED(how));
}

static void test_kill__leaves_exactly_the_state_of_its_applied_seq(void **state)
{
    struct world *world = *state;
    uint64_t random = pick_seed(), seen = 0;
    true_digest(0);
    for (int round = 0; round < KILL_ROUNDS; round++) {
        struct support scratch;
        support_init(&scratch);
        apply_and_die(world->dir, hash_random(&random) % 120, (int64_t)(hash_random(&random) % 3000));
        struct data_options options = options_for(world->dir);
        struct data_store *store = NULL;
        assert_ok(&scratch, data_open(&scratch.cx, &options, &store));
        uint64_t applied = data_applied_seq(store);
        uint8_t digest[32];
        assert_ok(&scratch, data_digest(store, &scratch.cx, digest));
        assert_memory_equal(digest, true_digest(applied), 32);
        assert_true(counts_are_right(store, &scratch.cx));
        seen += applied;
        data_close(store);
        if (applied > COMMITS_MAX / 2)
            assert_ok(&scratch, data_discard(&scratch.cx, world->dir));
        support_fini(&scratch);
    }
    assert_true(seen > 0);
}

/* How opening and reading ended, decided in a child so that a crash would be seen as one. */
enum outcome { SAME_STATE, EARLIER_STATE, REFUSED, WRONG_STATE, CRASHED, OUTCOMES };

static enum outcome outcome_of(const char *dir, uint64_t applied_before)
{
    pid_t child = fork();
    if (child == 0) {
        struct support support;
        support_init(&support);
        struct data_options options = options_for(dir);
        struct data_store *store = NULL;
        uint8_t digest[32];
        status opened = data_open(&support.cx, &options, &store);
        if (opened == STATUS_OK)
            opened = data_digest(store, &support.cx, digest);
        if (opened == STATUS_DATA_LOSS)
            _exit(REFUSED);
        uint64_t applied = opened == STATUS_OK ? data_applied_seq(store) : 0;
        if (opened != STATUS_OK || applied > COMMITS_MAX || memcmp(digest, true_digest(applied), 32) != 0 ||
            !counts_are_right(store, &support.cx))
            _exit(WRONG_STATE);
        _exit(applied < applied_before ? EARLIER_STATE : SAME_STATE);
    }
    int how = 0;
    waitpid(child, &how, 0);
    return WIFEXITED(how) && WEXITSTATUS(how) < OUTCOMES ? (enum outcome)WEXITSTATUS(how) : CRASHED;
}

static void copy_store(struct world *world, const char *from, const char *to)
{
    struct arena_mark mark = arena_mark(&world->support.arena);
    struct str source = arena_printf(&world->support.arena, "%s/store", from);
    struct str target = arena_printf(&world->support.arena, "%s/store", to);
    support_remove_dir(target.data);
    assert_int_equal(mkdir(target.data, 0700), 0);
    DIR *dir = opendir(source.data);
    assert_non_null(dir);
    for (struct dirent *each = readdir(dir); each; each = readdir(dir)) {
        if (each->d_name[0] == '.')
            continue;
        struct buf bytes = {0};
        struct str path = arena_printf(&world->support.arena, "%s/%s", source.data, each->d_name);
        assert_ok(&world->support, file_read(&world->support.cx, path.data, (size_t)1 << 30, &bytes));
        path = arena_printf(&world->support.arena, "%s/%s", target.data, each->d_name);
        SCOPED(journal_close_fd) int fd = open(path.data, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
        buf_fini(&bytes);
    }
    closedir(dir);
    arena_rewind(&world->support.arena, mark);
}

static void flip_bit(const char *path, uint64_t at, uint64_t bit)
{
    SCOPED(journal_close_fd) int fd = open(path, O_RDWR);
    uint8_t byte = 0;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

/* The used length of a log file: Berkeley DB leaves zeros after it. */
static uint64_t used_bytes(struct world *world, const char *path)
{
    struct buf bytes = {0};
    assert_ok(&world->support, file_read(&world->support.cx, path, (size_t)1 << 30, &bytes));
    uint64_t used = bytes.len;
    while (used > 0 && bytes.data[used - 1] == 0)
        used--;
    buf_fini(&bytes);
    return used;
}

static void print_outcomes(const char *what, const int counts[OUTCOMES])
{
    printf("%s: %d same state, %d earlier state, %d refused, %d wrong, %d crashed\n", what, counts[SAME_STATE],
           counts[EARLIER_STATE], counts[REFUSED], counts[WRONG_STATE], counts[CRASHED]);
}

static void test_flip_in_the_log__never_opens_as_a_wrong_state(void **state)
{
    struct world *world = *state;
    uint64_t random = pick_seed();
    true_digest(0);
    const char *killed = support_make_dir(&world->support);
    int counts[OUTCOMES] = {0};
    for (int round = 0; round < LOG_FLIP_ROUNDS; round++) {
        if (round % 10 == 0) {
            assert_ok(&world->support, data_discard(&world->support.cx, killed));
            if (round / 10 % 2 == 1) { /* closed in good order instead */
                struct data_options options = options_for(killed);
                struct data_store *store = NULL;
                assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
                apply_up_to(store, 1 + hash_random(&random) % 150);
                data_close(store);
            } else {
                apply_and_die(killed, 70 + hash_random(&random) % 200, (int64_t)(hash_random(&random) % 3000));
            }
        }
        copy_store(world, killed, world->dir);
        if (round % 10 == 0) { /* without a flip it opens */
            assert_int_equal(outcome_of(world->dir, 0), SAME_STATE);
            continue;
        }
        const char *log = arena_printf(&world->support.arena, "%s/store/log.0000000001", world->dir).data;
        uint64_t used = used_bytes(world, log);
        assert_true(used > 0);
        flip_bit(log, hash_random(&random) % used, hash_random(&random));
        counts[outcome_of(world->dir, 0)]++;
    }
    print_outcomes("log flips", counts);
    assert_int_equal(counts[WRONG_STATE], 0);
    assert_int_equal(counts[CRASHED], 0);
    support_remove_dir(killed);
}

static void test_flip_in_a_table__is_refused_or_without_effect(void **state)
{
    struct world *world = *state;
    uint64_t random = pick_seed();
    const char *whole = support_make_dir(&world->support);
    struct data_options options = options_for(whole);
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    apply_up_to(store, 60);
    data_close(store);
    true_digest(0);
    static const char *const files[] = {"t.one.db", "t.two.db", "idem.meta.db"};
    int counts[3][OUTCOMES] = {0};
    for (int i = 0; i < TABLE_FLIPS; i++) {
        copy_store(world, whole, world->dir);
        const char *path = arena_printf(&world->support.arena, "%s/store/%s", world->dir, files[i % 3]).data;
        struct stat info;
        assert_int_equal(stat(path, &info), 0);
        flip_bit(path, hash_random(&random) % (uint64_t)info.st_size, hash_random(&random));
        counts[i % 3][outcome_of(world->dir, 60)]++;
    }
    for (int file = 0; file < 3; file++) {
        print_outcomes(files[file], counts[file]);
        assert_int_equal(counts[file][WRONG_STATE], 0);
        assert_int_equal(counts[file][EARLIER_STATE], 0);
        assert_int_equal(counts[file][CRASHED], 0);
    }
    support_remove_dir(whole);
}

/* Berkeley DB does not give back the memory of an environment that found damage and was closed. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libdb-5.3.so";
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    store_log_file_bytes = 16 << 20;
    const struct CMUnitTest tests[] = {
        T(test_kill__leaves_exactly_the_state_of_its_applied_seq),
        T(test_flip_in_the_log__never_opens_as_a_wrong_state),
        T(test_flip_in_a_table__is_refused_or_without_effect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
