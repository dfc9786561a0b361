/* Scans beside a writer: nobody waits for a scan, and each row that stays is given once, in order. */
#include "journal_world.h"
#include "store_internal.h"

#include "base/invariant.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static const struct data_table_spec TABLES[] = {{.name = "t.one"}, {.name = "t.two"}};

static struct data_store *open_store(struct world *world)
{
    struct data_options options = {
        .dir = world->dir, .format = 3, .cache_bytes = 16 << 20, .tables = TABLES, .table_count = 2};
    struct data_store *store = NULL;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    return store;
}

/* ---- a writer on its own thread, that commits when told to ---- */

struct writer {
    struct data_store *store;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct data_txn *txn; /* to be committed */
    uint64_t commits;
    bool stop;
};

static void *write_on_demand(void *arg)
{
    struct writer *writer = arg;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (writer->txn == NULL && !writer->stop)
            pthread_cond_wait(&writer->changed, &writer->lock);
        if (writer->txn == NULL)
            break;
        data_txn_commit(writer->txn, writer->commits + 1000, NULL, NULL);
        writer->txn = NULL;
        writer->commits++;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* By the other thread; waits for it. A scan that held the lock while it calls back would wait here for ever. */
static void commit_elsewhere(struct writer *writer, struct data_txn *txn)
{
    pthread_mutex_lock(&writer->lock);
    writer->txn = txn;
    pthread_cond_broadcast(&writer->changed);
    while (writer->txn != NULL)
        pthread_cond_wait(&writer->changed, &writer->lock);
    pthread_mutex_unlock(&writer->lock);
}

static void writer_start(struct writer *writer, struct data_store *store)
{
    *writer = (struct writer){.store = store};
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    assert_int_equal(pthread_create(&writer->thread, NULL, write_on_demand, writer), 0);
}

static void writer_stop(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
}

/* ---- a hundred thousand rows that stay, at even numbers; what comes and goes has odd ones ---- */

enum { STABLE = 100000, COMMIT_EVERY = 700, CHANGES = 40 };

static struct str key_of(struct arena *arena, char group, uint64_t number)
{
    struct buf key = {0};
    buf_put_byte(&key, (uint8_t)group);
    buf_put_u64(&key, number);
    struct str kept = arena_str(arena, buf_str(&key));
    buf_fini(&key);
    return kept;
}

static void put_stable(struct data_store *store, char group, uint64_t count)
{
    struct arena arena = {0};
    for (uint64_t from = 0; from < count; from += 10000) {
        struct data_txn *txn = data_txn_begin(store);
        for (uint64_t i = from; i < count && i < from + 10000; i++)
            data_txn_put(txn, data_table(store, "t.one"), key_of(&arena, group, 2 * i), STR("stays"));
        data_txn_commit(txn, from + 1, NULL, NULL);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

struct passing {
    struct writer *writer;
    struct arena arena;
    uint64_t random, rows, stable, odd, last;
    char group;
    bool back, wrong;
};

/* Rows put, taken away and made longer on both sides of where the scan stands. */
static void change_around(struct passing *passing, uint64_t number)
{
    struct data_table *one = data_table(passing->writer->store, "t.one");
    struct data_txn *txn = data_txn_begin(passing->writer->store);
    for (int i = 0; i < CHANGES; i++) {
        uint64_t far = hash_random(&passing->random) % (i % 2 ? 400 : 2 * STABLE);
        uint64_t at = (i / 2 % 2 && number >= far ? number - far : number + far) % (2 * STABLE);
        struct str odd = key_of(&passing->arena, passing->group, at | 1);
        struct str even = key_of(&passing->arena, passing->group, at & ~1ull);
        if (hash_random(&passing->random) % 3 == 0)
            data_txn_delete(txn, one, odd);
        else
            data_txn_put(txn, one, odd, STR("comes and goes"));
        data_txn_put(txn, one, even, body_of(&passing->arena, at, 3000));
    }
    commit_elsewhere(passing->writer, txn);
    arena_reset(&passing->arena);
}

static bool pass_row(void *arg, struct str key, struct str row)
{
    (void)row;
    struct passing *passing = arg;
    struct cut cut = {.rest = key};
    passing->wrong |= cut_u8(&cut) != (uint8_t)passing->group;
    uint64_t number = cut_u64(&cut);
    if (passing->rows++ > 0) /* strictly on: so nothing is given twice */
        passing->wrong |= passing->back ? number >= passing->last : number <= passing->last;
    passing->last = number;
    passing->stable += number % 2 == 0;
    passing->odd += number % 2;
    if (passing->rows % COMMIT_EVERY == 0)
        change_around(passing, number);
    return true;
}

static void scan_beside_writer(struct world *world, bool back)
{
    struct data_store *store = open_store(world);
    struct data_table *one = data_table(store, "t.one");
    put_stable(store, 'a', 300);
    put_stable(store, 'b', STABLE);
    put_stable(store, 'c', 300);
    struct writer writer;
    writer_start(&writer, store);
    struct passing passing = {.writer = &writer, .random = pick_seed(), .group = 'b', .back = back};
    struct ctx *cx = &world->support.cx;
    assert_ok(&world->support, (back ? data_scan_back : data_scan)(one, cx, STR("b"), STR_NONE, pass_row, &passing));
    writer_stop(&writer);
    assert_false(passing.wrong);
    assert_int_equal(passing.stable, STABLE);
    assert_true(passing.odd > 0); /* some of what came was seen: the scan went on in the table as it is */
    assert_true(writer.commits >= STABLE / COMMIT_EVERY);
    arena_fini(&passing.arena);
    data_close(store);
}

static void test_scan__lets_the_writer_commit_and_gives_each_row_that_stays_once(void **state)
{
    scan_beside_writer(*state, false);
}

static void test_scan_back__lets_the_writer_commit_and_gives_each_row_that_stays_once(void **state)
{
    scan_beside_writer(*state, true);
}

/* ---- the row the scan stands on goes away, at every row ---- */

struct removing {
    struct writer *writer;
    uint64_t rows;
};

static bool remove_it(void *arg, struct str key, struct str row)
{
    (void)row;
    struct removing *removing = arg;
    struct data_txn *txn = data_txn_begin(removing->writer->store);
    data_txn_delete(txn, data_table(removing->writer->store, "t.one"), key);
    commit_elsewhere(removing->writer, txn);
    removing->rows++;
    return true;
}

static void test_scan__goes_on_where_the_row_it_stood_on_is_gone(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world);
    struct data_table *one = data_table(store, "t.one");
    struct writer writer;
    for (int back = 0; back < 2; back++) {
        put_stable(store, 'b', 3000);
        writer_start(&writer, store);
        struct removing removing = {.writer = &writer};
        assert_ok(&world->support,
                  (back ? data_scan_back : data_scan)(one, cx, STR_NONE, STR_NONE, remove_it, &removing));
        writer_stop(&writer);
        assert_int_equal(removing.rows, 3000);
        assert_int_equal(data_rows(one), 0);
    }
    data_close(store);
}

/* ---- keys where slices meet ---- */

struct gathered {
    struct arena arena;
    struct str keys[4096];
    size_t count;
    bool wrong;
};

static bool gather(void *arg, struct str key, struct str row)
{
    struct gathered *all = arg;
    all->wrong |= !str_eq(row, key);
    if (all->count < 4096)
        all->keys[all->count++] = arena_str(&all->arena, key);
    return true;
}

/* Keys that are prefixes of each other, with zero and 0xff bytes at their ends, the empty key, rows as long as a slice:
 * what a scan that goes on "after the last key" could lose or give twice. Backward is forward reversed. */
static void test_scan__meets_every_key_on_both_sides_of_a_slice(void **state)
{
    struct world *world = *state;
    struct ctx *cx = &world->support.cx;
    struct data_store *store = open_store(world);
    struct data_table *one = data_table(store, "t.one");
    struct data_txn *txn = data_txn_begin(store);
    struct arena arena = {0};
    static const char bytes[] = {0, 1, 'k', (char)0xff};
    for (uint64_t lead = 0; lead < 32; lead++)
        for (size_t len = 0; len <= 3; len++)
            for (size_t number = 0; number < (1u << (2 * len)); number++) {
                size_t pad = lead == 0 ? 0 : lead % 4 == 1 ? 3000 : 900; /* the key is its own row */
                struct buf key = {0};
                if (lead > 0)
                    buf_put_byte(&key, (uint8_t)(lead * 8 - 1)); /* the last is 0xff */
                for (size_t i = 0; i < len; i++)
                    buf_put_byte(&key, (uint8_t)bytes[number >> (2 * i) & 3]);
                for (size_t i = key.len; i < pad; i++)
                    buf_put_byte(&key, lead % 2 ? 0 : 0xff);
                data_txn_put(txn, one, buf_str(&key), buf_str(&key));
                buf_fini(&key);
            }
    data_txn_commit(txn, 1, NULL, NULL);
    struct gathered *forward = mem_alloc(sizeof *forward), *back = mem_alloc(sizeof *back);
    assert_ok(&world->support, data_scan_all(one, cx, gather, forward));
    assert_ok(&world->support, data_scan_back(one, cx, STR_NONE, STR_NONE, gather, back));
    uint64_t rows = data_rows(one);
    assert_false(forward->wrong || back->wrong);
    assert_int_equal(forward->count, rows);
    assert_int_equal(back->count, rows);
    for (size_t i = 0; i < rows; i++) {
        assert_true(i == 0 || str_cmp(forward->keys[i - 1], forward->keys[i]) < 0);
        assert_true(str_eq(forward->keys[i], back->keys[rows - 1 - i]));
    }
    arena_fini(&forward->arena);
    arena_fini(&back->arena);
    mem_free(forward);
    mem_free(back);
    arena_fini(&arena);
    data_close(store);
}

/* ---- what must not be done inside a view ---- */

static bool ends_the_process(struct data_store *store, void (*does)(struct data_store *store))
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        does(store);
        _exit(0);
    }
    int how = 0;
    waitpid(child, &how, 0);
    return WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT;
}

static bool visit_none(void *arg, struct str key, struct str row)
{
    (void)arg, (void)key, (void)row;
    return false;
}

static void scan_in_view(struct data_store *store)
{
    SCOPED(data_view_end) struct data_view view;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    data_view_begin(store, &view);
    IGNORE(data_scan(data_table(store, "t.one"), &cx, STR_NONE, STR_NONE, visit_none, NULL));
}

static void get_in_view(struct data_store *store)
{
    SCOPED(data_view_end) struct data_view view;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct str row;
    data_view_begin(store, &view);
    IGNORE(data_get(data_table(store, "t.one"), &cx, STR("k"), &row));
}

static void commit_in_view(struct data_store *store)
{
    SCOPED(data_view_end) struct data_view view;
    struct data_txn *txn = data_txn_begin(store);
    data_view_begin(store, &view);
    alarm(20); /* instead of waiting for itself */
    data_txn_commit(txn, 1, NULL, NULL);
}

static void get_in_publish(void *arg)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct str row;
    alarm(20);
    IGNORE(data_get(data_table(arg, "t.one"), &cx, STR("k"), &row));
}

static void read_in_publish(struct data_store *store)
{
    data_txn_commit(data_txn_begin(store), 1, get_in_publish, store);
}

static void view_and_get(struct data_store *store)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct str row;
    for (int i = 0; i < 2; i++) {
        struct data_view view;
        data_view_begin(store, &view);
        IGNORE(data_view_get(&view, data_table(store, "t.one"), &cx, STR("k"), &row));
        data_view_end(&view);
        IGNORE(data_get(data_table(store, "t.one"), &cx, STR("k"), &row));
    }
    arena_fini(&arena);
}

static void test_view__ends_the_process_when_the_lock_is_asked_for_again(void **state)
{
    struct world *world = *state;
    struct data_store *store = open_store(world);
    assert_true(ends_the_process(store, get_in_view));
    assert_true(ends_the_process(store, scan_in_view));
    assert_true(ends_the_process(store, commit_in_view));
    assert_true(ends_the_process(store, read_in_publish));
    assert_false(ends_the_process(store, view_and_get));
    data_close(store);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_scan__lets_the_writer_commit_and_gives_each_row_that_stays_once),
        T(test_scan_back__lets_the_writer_commit_and_gives_each_row_that_stays_once),
        T(test_scan__goes_on_where_the_row_it_stood_on_is_gone),
        T(test_scan__meets_every_key_on_both_sides_of_a_slice),
        T(test_view__ends_the_process_when_the_lock_is_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
