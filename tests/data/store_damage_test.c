/* Pages of table files zeroed, torn and flipped: what is read afterwards is refused or right, and the next open knows.
 */
#include "base/file.h"
#include "base/hash.h"
#include "journal_world.h"
#include "store_internal.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { ROWS = 3000, ROW_BYTES = 180 };

static const struct data_table_spec TABLES[] = {{.name = "t.one"}, {.name = "t.two"}};
static const char *const FILES[] = {"t.one.db", "t.two.db", "idem.meta.db"};

static struct data_options options_of(const struct world *world)
{
    return (struct data_options){
        .dir = world->dir, .format = 3, .cache_bytes = 1 << 20, .tables = TABLES, .table_count = 2};
}

static void put_rows(struct data_store *store, uint64_t from, uint64_t seq)
{
    struct data_txn *txn = data_txn_begin(store);
    for (uint64_t i = 0; i < ROWS; i++) {
        char key[16], row[ROW_BYTES + 1];
        uint64_t random = i + from;
        snprintf(key, sizeof key, "%08llu", (unsigned long long)(hash_random(&random) % 100000000));
        snprintf(row, sizeof row, "%0*llu", ROW_BYTES, (unsigned long long)(i + from));
        data_txn_put(txn, data_table(store, TABLES[i % 2].name), str_from(key), str_from(row));
    }
    data_txn_commit(txn, seq, NULL, NULL);
}

static void make_store(struct world *world)
{
    struct data_options options = options_of(world);
    struct data_store *store;
    assert_ok(&world->support, data_open(&world->support.cx, &options, &store));
    put_rows(store, 0, 1);
    data_close(store);
}

static const char *path_of(struct world *world, const char *name)
{
    return arena_printf(&world->support.arena, "%s/store/%s", world->dir, name).data;
}

static bool add_row(void *arg, struct str key, struct str row)
{
    *(uint64_t *)arg += str_hash(key) * 31 + str_hash(row);
    return true;
}

/* What a store says when all of it is read; false: something was refused. */
static bool read_all(struct data_store *store, struct ctx *cx, uint64_t *out_said)
{
    bool whole = true;
    *out_said = 0;
    for (size_t i = 0; i < 2; i++)
        whole &= data_scan_all(data_table(store, TABLES[i].name), cx, add_row, out_said) == STATUS_OK;
    ctx_clear(cx);
    return whole;
}

/* The store as it was closed: its files, and none that was made since. */
static void copy_back(struct world *world)
{
    struct ctx *cx = &world->support.cx;
    struct arena_mark mark = arena_mark(cx->arena);
    const char *whole = arena_printf(cx->arena, "%s/whole", world->dir).data;
    assert_ok(&world->support, data_discard(cx, world->dir));
    DIR *dir = opendir(whole);
    assert_non_null(dir);
    for (struct dirent *each; (each = readdir(dir)) != NULL;) {
        SCOPED(buf_fini) struct buf bytes = {0};
        if (each->d_type != DT_REG)
            continue;
        assert_ok(&world->support,
                  file_read(cx, arena_printf(cx->arena, "%s/%s", whole, each->d_name).data, 64 << 20, &bytes));
        assert_ok(&world->support, file_replace(cx, path_of(world, each->d_name), buf_str(&bytes), 0600));
    }
    closedir(dir);
    arena_rewind(cx->arena, mark);
}

enum damage { ZERO_PAGE, ZERO_HEAD, ZERO_TAIL, FLIP, DAMAGES };

static void do_damage(const char *path, enum damage damage, uint64_t page, uint64_t *random)
{
    static const struct {
        uint32_t at, len;
    } zeros[] = {[ZERO_PAGE] = {0, STORE_PAGE_BYTES}, [ZERO_HEAD] = {0, 4096}, [ZERO_TAIL] = {8192, 8192}};
    static const uint8_t nothing[STORE_PAGE_BYTES];
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t start = (off_t)(page * STORE_PAGE_BYTES);
    if (damage == FLIP) {
        uint8_t byte;
        off_t at = start + (off_t)(hash_random(random) % STORE_PAGE_BYTES);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= (uint8_t)(1u << hash_random(random) % 8);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    } else {
        assert_int_equal(pwrite(fd, nothing, zeros[damage].len, start + zeros[damage].at), zeros[damage].len);
    }
    close(fd);
}

/* Opens, reads everything; answers whether the damage was seen, and checks that it stays seen. */
static bool is_seen(struct world *world, uint64_t want)
{
    struct data_options options = options_of(world);
    struct ctx *cx = &world->support.cx;
    struct data_store *store = NULL;
    struct str what;
    if (data_open(cx, &options, &store) != STATUS_OK) {
        assert_string_equal(cx->reason->name, "data.store-damaged");
        ctx_clear(cx);
        return true;
    }
    uint64_t said;
    bool whole = read_all(store, cx, &said);
    if (whole)
        assert_int_equal(said, want); /* never silent */
    else
        assert_true(data_damage(store, cx, &what) && memmem(what.data, what.len, ".db page ", 9) != NULL);
    data_close(store);
    if (!whole)
        assert_fails(&world->support, data_open(cx, &options, &store), "data.store-damaged");
    return !whole;
}

static void test_damage__of_any_page_is_refused_and_known_to_the_next_open(void **state)
{
    struct world *world = *state;
    struct data_options options = options_of(world);
    struct ctx *cx = &world->support.cx;
    struct data_store *store;
    uint64_t want, random = 1, tried = 0, seen = 0;
    make_store(world);
    assert_int_equal(rename(path_of(world, ""), arena_printf(cx->arena, "%s/whole", world->dir).data), 0);
    copy_back(world);
    assert_ok(&world->support, data_open(cx, &options, &store));
    assert_true(read_all(store, cx, &want));
    data_close(store);
    for (size_t file = 0; file < sizeof FILES / sizeof FILES[0]; file++) {
        struct stat stat_of;
        assert_int_equal(stat(path_of(world, FILES[file]), &stat_of), 0);
        uint64_t pages = (uint64_t)stat_of.st_size / STORE_PAGE_BYTES;
        for (uint64_t page = 0; page < pages; page++) {
            for (enum damage damage = 0; damage < DAMAGES; damage++) {
                copy_back(world);
                do_damage(path_of(world, FILES[file]), damage, page, &random);
                tried++;
                seen += is_seen(world, want);
            }
        }
    }
    assert_true(tried > 40 && seen > tried / 2); /* the rest lay where nothing is */
    copy_back(world);
    do_damage(path_of(world, "t.one.db"), ZERO_PAGE, 1, &random);
    assert_true(is_seen(world, want));
    assert_ok(&world->support, data_discard(cx, world->dir)); /* made anew, nothing is left of it */
    assert_ok(&world->support, data_open(cx, &options, &store));
    assert_int_equal(data_applied_seq(store), 0);
    data_close(store);
}

/* The writer meets it: the process ends, as it must, and the next open knows why. */
static void test_damage__met_by_a_commit_ends_the_process_once(void **state)
{
    struct world *world = *state;
    struct data_options options = options_of(world);
    struct data_store *store = NULL;
    uint64_t random = 1;
    make_store(world);
    do_damage(path_of(world, "t.two.db"), ZERO_PAGE, 2, &random);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        IGNORE(freopen("/dev/null", "w", stderr) == NULL);
        if (data_open(&world->support.cx, &options, &store) != STATUS_OK)
            _exit(7);
        put_rows(store, 50, 2);
        _exit(8);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended));
    assert_fails(&world->support, data_open(&world->support.cx, &options, &store), "data.store-damaged");
    struct str said = ctx_message(&world->support.cx);
    assert_non_null(memmem(said.data, said.len, "t.two.db page 2", 15));
}

/* Space at the end of a file that was never written is no damage. */
static void test_hole__at_the_end_of_a_file_is_filled(void **state)
{
    struct world *world = *state;
    struct data_options options = options_of(world);
    struct ctx *cx = &world->support.cx;
    struct data_store *store;
    struct str what;
    make_store(world);
    for (size_t file = 0; file < 2; file++) {
        struct stat stat_of;
        assert_int_equal(stat(path_of(world, FILES[file]), &stat_of), 0);
        assert_int_equal(truncate(path_of(world, FILES[file]), stat_of.st_size + 5 * STORE_PAGE_BYTES), 0);
    }
    assert_ok(&world->support, data_open(cx, &options, &store));
    for (uint64_t round = 1; round < 6; round++)
        put_rows(store, round * ROWS, round + 1);
    uint64_t said, again;
    assert_true(read_all(store, cx, &said));
    assert_false(data_damage(store, cx, &what));
    data_close(store);
    assert_ok(&world->support, data_open(cx, &options, &store));
    assert_true(read_all(store, cx, &again));
    assert_int_equal(said, again);
    data_close(store);
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
    store_log_file_bytes = 4 << 20;
    const struct CMUnitTest tests[] = {
        T(test_damage__of_any_page_is_refused_and_known_to_the_next_open),
        T(test_damage__met_by_a_commit_ends_the_process_once),
        T(test_hole__at_the_end_of_a_file_is_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
