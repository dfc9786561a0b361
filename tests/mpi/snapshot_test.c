/* An index from a snapshot is the one that was grown, whatever changed since it was saved; whatever is wrong with the
 * file, it is refused and the index made from the rows. */
#include "random_history.h"
#include "same.h"

#include "base/file.h"
#include "mpi/models.h"
#include "mpi/snapshot.h"
#include "snapshot_internal.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *path_of(struct world *world)
{
    return arena_printf(world->support.cx.arena, "%s/index.snapshot", world->dir).data;
}

static void grow(struct world *world, uint64_t *random, int steps, int steps_of_commit)
{
    for (int step = 0; step < steps; step++) {
        struct arena_mark mark = arena_mark(world->support.cx.arena);
        history_step(world, random);
        arena_rewind(world->support.cx.arena, mark);
        if (step % steps_of_commit == steps_of_commit - 1)
            world_commit(world);
    }
    world_commit(world);
}

static void save(struct world *world)
{
    assert_ok(&world->support, mpi_save(world->mpi, &world->support.cx, path_of(world)));
}

/* What is wrong with the snapshot; NULL: taken, and then it must be the index that was grown. */
static const char *opened_why(struct world *world)
{
    struct ctx *cx = &world->support.cx;
    struct arena_mark mark = arena_mark(cx->arena);
    const char *path = path_of(world), *why;
    struct mpi *opened;
    { /* why, by the loader itself */
        struct mpi *tried = index_new();
        tried->block_cap = world->mpi->block_cap;
        tried->store = world->store;
        tried->records = world->mpi->records;
        tried->members = world->mpi->members;
        tried->edges = world->mpi->edges;
        tried->listed = world->mpi->listed;
        tried->model = world->mpi->model;
        assert_ok(&world->support, changed_open(tried, cx));
        why = snapshot_load(tried, cx, path);
        tried->shown.records = tried->applied.records;
        index_free(tried);
    }
    assert_ok(&world->support, index_open_saved(cx, world->store, world->mpi->block_cap, path, &opened));
    assert_int_equal(opened->changed.wanted == CHANGED_UNWANTED, why != NULL); /* as mpi_open_saved() did it */
    same_index(world->mpi, opened, SHOWN);
    mpi_close(opened);
    arena_rewind(cx->arena, mark);
    return why;
}

static void assert_taken(struct world *world)
{
    const char *why = opened_why(world);
    if (why)
        fail_msg("refused: %s", why);
}

static void assert_refused(struct world *world, const char *want)
{
    const char *why = opened_why(world);
    if (why == NULL)
        fail_msg("taken, although: %s", want ? want : "something");
    if (want)
        assert_string_equal(why, want);
}

/* ---- the same index ---- */

static void check_history(uint64_t seed, uint32_t block_cap)
{
    struct world world;
    world_init_capped(&world, block_cap);
    uint64_t random = seed;
    print_message("seed %llu, cap %u\n", (unsigned long long)seed, block_cap);
    for (int round = 0; round < 6; round++) {
        grow(&world, &random, 60, 7);
        save(&world);
        assert_taken(&world); /* of this moment */
        grow(&world, &random, round * 12, 5);
        assert_taken(&world); /* of an earlier one */
    }
    world_fini(&world);
}

static void test_snapshot__is_the_index_that_was_grown(void **state)
{
    (void)state;
    for (uint64_t seed = 300; seed < 303; seed++)
        check_history(seed, BLOCK_CAP_DEFAULT);
}

static void test_snapshot__is_the_index_that_was_grown_when_keys_are_too_common(void **state)
{
    (void)state;
    for (uint64_t seed = 400; seed < 406; seed++)
        check_history(seed, seed % 2 ? 4 : 12);
}

/* A commit between any two slices: the writer goes on while it is saved. */
static struct {
    struct world *world;
    uint64_t random;
    int left;
} meanwhile;

static void commit_meanwhile(void)
{
    if (meanwhile.left-- <= 0)
        return;
    history_step(meanwhile.world, &meanwhile.random);
    world_commit(meanwhile.world);
}

static void test_snapshot__may_be_written_while_the_writer_goes_on(void **state)
{
    (void)state;
    for (uint64_t seed = 500; seed < 506; seed++) {
        struct world world;
        world_init_capped(&world, seed % 2 ? 4 : BLOCK_CAP_DEFAULT);
        uint64_t random = seed;
        print_message("seed %llu\n", (unsigned long long)seed);
        grow(&world, &random, 200, 20);
        snapshot_between = commit_meanwhile;
        meanwhile.world = &world;
        meanwhile.random = seed;
        meanwhile.left = 40 + (int)seed % 7 * 30; /* some stop in the middle of the keys */
        save(&world);
        snapshot_between = NULL;
        assert_taken(&world);
        world_fini(&world);
    }
}

static void test_snapshot__is_not_needed_again_while_nothing_changes(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint64_t random = 9;
    assert_int_equal(mpi_unsaved(world.mpi), 0);
    grow(&world, &random, 80, 9);
    assert_int_equal(mpi_unsaved(world.mpi), world.mpi->shown.records);
    save(&world);
    assert_int_equal(mpi_unsaved(world.mpi), 0);
    uint64_t rows = data_rows(world.mpi->listed);
    for (int i = 0; i < 20; i++)
        world_commit(&world); /* nothing in it */
    assert_int_equal(mpi_unsaved(world.mpi), 0);
    assert_true(data_rows(world.mpi->listed) <= rows + 1);
    assert_taken(&world);
    grow(&world, &random, 30, 30);
    assert_true(mpi_unsaved(world.mpi) > 0);
    world_fini(&world);
}

static void test_changes__are_listed_no_longer_than_they_are_needed(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    uint64_t random = 10;
    grow(&world, &random, 100, 1);
    assert_true(data_rows(world.mpi->listed) <= 3); /* there is no snapshot */
    save(&world);
    grow(&world, &random, 100, 1);
    uint64_t kept = data_rows(world.mpi->listed);
    assert_true(kept > 30);
    assert_taken(&world);
    save(&world);
    grow(&world, &random, 10, 1);
    assert_true(data_rows(world.mpi->listed) < kept - 20);
    assert_taken(&world);
    world_fini(&world);
}

/* ---- what is not taken ---- */

static void read_file(struct world *world, struct buf *out)
{
    buf_clear(out);
    assert_ok(&world->support, file_read(&world->support.cx, path_of(world), 64 << 20, out));
}

static void write_file(struct world *world, struct str bytes)
{
    assert_ok(&world->support, file_replace(&world->support.cx, path_of(world), bytes, 0600));
}

static void init_saved(struct world *world, uint64_t seed)
{
    world_init_capped(world, 12);
    grow(world, &seed, 120, 11);
    save(world);
}

static void test_damage__of_every_kind_is_noticed(void **state)
{
    (void)state;
    enum { TRIES = 300 };
    struct world world;
    init_saved(&world, 20);
    SCOPED(buf_fini) struct buf whole = {0};
    read_file(&world, &whole);
    uint64_t random = 21;
    for (int i = 0; i < TRIES; i++) {
        SCOPED(buf_fini) struct buf bad = {0};
        struct arena_mark mark = arena_mark(world.support.cx.arena);
        size_t at = hash_random(&random) % whole.len, len = hash_random(&random) % 600 + 1;
        buf_put_str(&bad, buf_str(&whole));
        len = len < whole.len - at ? len : whole.len - at;
        switch (i % 5) {
        case 0: /* a bit */
            bad.data[at] = (char)(bad.data[at] ^ 1 << hash_random(&random) % 8);
            break;
        case 1: /* cut */
            bad.len = at;
            break;
        case 2: /* a hole of zeros, or of other bytes where there were zeros */
            for (size_t k = 0; k < len; k++)
                bad.data[at + k] = (char)(memchr(whole.data + at, 0, len) == NULL ? 0 : ~bad.data[at + k]);
            break;
        case 3: /* something missing in the middle */
            memmove(bad.data + at, bad.data + at + len, bad.len - at - len);
            bad.len -= len;
            break;
        default: /* something twice */
            buf_put(&bad, whole.data + at, whole.len - at);
            break;
        }
        write_file(&world, buf_str(&bad));
        if (opened_why(&world) == NULL)
            fail_msg("taken: try %d, at %zu of %zu, %zu bytes", i, at, whole.len, len);
        arena_rewind(world.support.cx.arena, mark);
    }
    write_file(&world, buf_str(&whole));
    assert_taken(&world);
    world_fini(&world);
}

static void test_frames__in_another_order_are_noticed(void **state)
{
    (void)state;
    struct world world;
    init_saved(&world, 22);
    SCOPED(buf_fini) struct buf bytes = {0};
    read_file(&world, &bytes);
    struct footer footer;
    memcpy(&footer, bytes.data + bytes.len - sizeof footer, sizeof footer);
    struct frame first, second; /* of keys: two whole frames change places */
    char *at = bytes.data + footer.keys_at;
    memcpy(&first, at, sizeof first);
    size_t first_len = sizeof first + first.bytes;
    memcpy(&second, at + first_len, sizeof second);
    size_t second_len = sizeof second + second.bytes;
    char *both = mem_copy(at, first_len + second_len);
    memcpy(at, both + first_len, second_len);
    memcpy(at + second_len, both, first_len);
    mem_free(both);
    write_file(&world, buf_str(&bytes));
    assert_refused(&world, "order");
    world_fini(&world);
}

static void test_snapshot__of_another_store_is_refused(void **state)
{
    (void)state;
    struct world one, two;
    init_saved(&one, 23);
    init_saved(&two, 23); /* the same people, in the same commits */
    SCOPED(buf_fini) struct buf bytes = {0};
    read_file(&one, &bytes);
    write_file(&two, buf_str(&bytes));
    assert_refused(&two, "another store");
    world_fini(&one);
    world_fini(&two);
}

/* An older copy, when the rows of mpi.changed that it would want are gone. */
static void test_snapshot__from_before_the_last_one_is_refused(void **state)
{
    (void)state;
    struct world world;
    uint64_t random = 24;
    init_saved(&world, 24);
    SCOPED(buf_fini) struct buf old = {0};
    read_file(&world, &old);
    grow(&world, &random, 40, 2);
    save(&world);
    grow(&world, &random, 40, 2);
    write_file(&world, buf_str(&old));
    assert_refused(&world, "another store");
    world_fini(&world);
}

static uint64_t another_program(void)
{
    return 12345;
}

static uint64_t no_program(void)
{
    return 0;
}

static void test_snapshot__of_another_program_is_refused(void **state)
{
    (void)state;
    struct world world;
    uint64_t (*this_one)(void) = snapshot_program;
    init_saved(&world, 25);
    snapshot_program = another_program;
    assert_refused(&world, "another program");
    snapshot_program = no_program;
    assert_refused(&world, "another program");
    snapshot_program = this_one;
    assert_taken(&world);
    world_fini(&world);
}

static void test_snapshot__of_another_cap_is_refused(void **state)
{
    (void)state;
    struct world world;
    struct mpi *opened;
    init_saved(&world, 26);
    assert_ok(&world.support, index_open_saved(&world.support.cx, world.store, 13, path_of(&world), &opened));
    assert_int_equal(opened->changed.wanted, CHANGED_UNWANTED);
    mpi_close(opened);
    world_fini(&world);
}

static void activate(struct world *world, int32_t more_mbit)
{
    struct ctx *cx = &world->support.cx;
    SCOPED(buf_fini) struct buf text = {0};
    struct mpi_model *model;
    struct mpi_activated activated;
    mpi_model_write(mpi_model_general(), &text);
    assert_ok(&world->support, mpi_model_read(cx, buf_str(&text), &model));
    model->auto_mbit += more_mbit;
    buf_clear(&text);
    mpi_model_write(model, &text);
    mpi_model_free(model);
    assert_ok(&world->support,
              mpi_apply_model(world->mpi, world->txn, cx, ++world->seq, buf_str(&text), STR("a test"), &activated));
    world_commit(world);
}

static void test_snapshot__of_another_model_is_refused(void **state)
{
    (void)state;
    struct world world;
    init_saved(&world, 32);
    activate(&world, 3000);
    assert_refused(&world, "another model");
    activate(&world, 0); /* the same one as before: everybody was scored anew all the same */
    assert_refused(&world, "too much has changed");
    save(&world);
    assert_taken(&world);
    world_fini(&world);
}

/* As by an idem that keeps no list: rows change, and mpi.changed does not speak of it. */
static void test_snapshot__is_refused_after_a_commit_that_was_not_listed(void **state)
{
    (void)state;
    struct world world;
    init_saved(&world, 27);
    struct data_txn *txn = data_txn_begin(world.store);
    struct key key = key_1(1);
    struct str row;
    assert_ok(&world.support, data_get(world.mpi->records, &world.support.cx, key_str(&key), &row));
    data_txn_put(txn, world.mpi->records, key_str(&key), row);
    data_txn_commit(txn, ++world.seq, NULL, NULL);
    assert_refused(&world, "another store");
    /* nor ever after: what was not listed stays unlisted, until there is another snapshot */
    world_reopen(&world);
    uint64_t random = 27;
    grow(&world, &random, 30, 5);
    assert_refused(&world, NULL);
    save(&world);
    assert_taken(&world);
    world_fini(&world);
}

/* A planted bug, which the counts and the sample are there for: changes that the list leaves out. */
static void test_snapshot__is_refused_when_the_list_leaves_something_out(void **state)
{
    (void)state;
    struct world world;
    uint64_t random = 28;
    init_saved(&world, 28);
    struct person_text text;
    people_make(&random, 999, 3, &text);
    (void)world_apply(&world, &text.human);
    world.mpi->steps.count = 0; /* nothing to list, and rows all the same */
    mpi_note_changes(world.mpi, world.txn, world.seq);
    world.mpi->changed.noted = 0;
    data_txn_commit(world.txn, world.seq, NULL, NULL);
    world.txn = data_txn_begin(world.store);
    struct mpi *opened;
    assert_ok(&world.support, index_open_saved(&world.support.cx, world.store, 12, path_of(&world), &opened));
    assert_int_equal(opened->changed.wanted, CHANGED_UNWANTED);
    assert_int_equal(opened->shown.records, data_rows(world.mpi->records));
    mpi_close(opened);
    data_txn_abort(world.txn);
    mpi_close(world.mpi);
    assert_ok(&world.support, index_open(&world.support.cx, world.store, 12, &world.mpi));
    world.txn = data_txn_begin(world.store);
    world_fini(&world);
}

static void test_snapshot__is_refused_when_too_much_has_changed(void **state)
{
    (void)state;
    struct world world;
    init_saved(&world, 29);
    struct since since = {.record_max = 100000, .count = 25000};
    assert_false(snapshot_is_too_old(&since));
    since.count++;
    assert_true(snapshot_is_too_old(&since));
    since = (struct since){.record_max = 10, .count = 10}; /* of few, all may be read again */
    assert_false(snapshot_is_too_old(&since));
    world_fini(&world);
}

/* ---- when it cannot be written ---- */

static void test_save__that_fails_leaves_the_one_before(void **state)
{
    (void)state;
    struct world world;
    struct ctx *cx = &world.support.cx;
    init_saved(&world, 30);
    uint64_t random = 30;
    grow(&world, &random, 20, 4);
    struct str temporary = arena_printf(cx->arena, "%s.tmp", path_of(&world));
    assert_int_equal(symlink("/dev/full", temporary.data), 0); /* a disk without space */
    assert_int_not_equal(mpi_save(world.mpi, cx, path_of(&world)), STATUS_OK);
    assert_ptr_equal(cx->reason, &file_reason);
    ctx_clear(cx);
    assert_int_not_equal(access(temporary.data, F_OK), 0); /* nothing is left of it */
    assert_true(mpi_unsaved(world.mpi) > 0);
    assert_taken(&world);
    atomic_bool gone = true;
    cx->gone = &gone; /* stopped in the middle */
    assert_int_not_equal(mpi_save(world.mpi, cx, path_of(&world)), STATUS_OK);
    cx->gone = NULL;
    ctx_clear(cx);
    assert_int_not_equal(access(temporary.data, F_OK), 0);
    assert_taken(&world);
    world_fini(&world);
}

/* Killed while it was written: half a file under the other name. */
static void test_save__passes_over_what_a_killed_one_left(void **state)
{
    (void)state;
    struct world world;
    struct ctx *cx = &world.support.cx;
    init_saved(&world, 31);
    struct str temporary = arena_printf(cx->arena, "%s.tmp", path_of(&world));
    assert_ok(&world.support, file_replace(cx, temporary.data, STR("half"), 0600));
    assert_taken(&world);
    save(&world);
    assert_int_not_equal(access(temporary.data, F_OK), 0);
    assert_taken(&world);
    world_fini(&world);
}

/* A process that applies, commits, saves and syncs without end, killed at any moment; then what it left. */
_Noreturn static void work_until_killed(const char *dir, uint64_t seed)
{
    struct world world = {.dir = dir, .block_cap = 12};
    support_init(&world.support);
    world_open(&world);
    mpi_close(world.mpi);
    assert_ok(&world.support, index_open_saved(&world.support.cx, world.store, 12, path_of(&world), &world.mpi));
    world.seq = data_applied_seq(world.store);
    for (uint64_t random = seed;;) {
        grow(&world, &random, 12, 3);
        if (hash_random(&random) % 2)
            save(&world);
        if (hash_random(&random) % 3 == 0)
            assert_ok(&world.support, data_checkpoint(world.store, &world.support.cx));
    }
}

/* Not before there is a snapshot: from then on there always is one. */
static void kill_worker(const char *dir, const char *snapshot, uint64_t seed, useconds_t after_us)
{
    pid_t pid = fork();
    if (pid == 0)
        work_until_killed(dir, seed);
    while (access(snapshot, F_OK) != 0 && waitpid(pid, NULL, WNOHANG) == 0)
        usleep(1000);
    usleep(after_us);
    kill(pid, SIGKILL);
    int how;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL); /* it ended by nothing else */
}

static void test_kills__leave_the_snapshot_or_none(void **state)
{
    (void)state;
    enum { KILLS = 15 };
    struct world world = {.block_cap = 12};
    uint64_t random = 77;
    support_init(&world.support);
    world.dir = support_make_dir(&world.support);
    for (int i = 0; i < KILLS; i++) {
        uint64_t seed = hash_random(&random);
        kill_worker(world.dir, path_of(&world), seed, (useconds_t)(50000 + hash_random(&random) % 400000));
        world_open(&world); /* from the rows */
        assert_taken(&world);
        data_txn_abort(world.txn);
        mpi_close(world.mpi);
        data_close(world.store);
    }
    support_remove_dir(world.dir);
    support_fini(&world.support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot__is_the_index_that_was_grown),
        cmocka_unit_test(test_snapshot__is_the_index_that_was_grown_when_keys_are_too_common),
        cmocka_unit_test(test_snapshot__may_be_written_while_the_writer_goes_on),
        cmocka_unit_test(test_snapshot__is_not_needed_again_while_nothing_changes),
        cmocka_unit_test(test_changes__are_listed_no_longer_than_they_are_needed),
        cmocka_unit_test(test_damage__of_every_kind_is_noticed),
        cmocka_unit_test(test_frames__in_another_order_are_noticed),
        cmocka_unit_test(test_snapshot__of_another_store_is_refused),
        cmocka_unit_test(test_snapshot__from_before_the_last_one_is_refused),
        cmocka_unit_test(test_snapshot__of_another_program_is_refused),
        cmocka_unit_test(test_snapshot__of_another_cap_is_refused),
        cmocka_unit_test(test_snapshot__of_another_model_is_refused),
        cmocka_unit_test(test_snapshot__is_refused_after_a_commit_that_was_not_listed),
        cmocka_unit_test(test_snapshot__is_refused_when_the_list_leaves_something_out),
        cmocka_unit_test(test_snapshot__is_refused_when_too_much_has_changed),
        cmocka_unit_test(test_save__that_fails_leaves_the_one_before),
        cmocka_unit_test(test_save__passes_over_what_a_killed_one_left),
        cmocka_unit_test(test_kills__leave_the_snapshot_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
