/* Starts that do not read everything. The index snapshot: written at a stop, taken by the next start, never needed. */
#include "world.h"

#include "base/file.h"
#include "base/mem.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *path_of(struct world *w)
{
    return arena_printf(&w->s.arena, "%s/index.snapshot", w->dir).data;
}

static void open_with(struct world *w, uint64_t records_min)
{
    struct engine_options options = {.dir = w->dir, .version = "test", .snapshot_records_min = records_min};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
}

static void begin(struct world *w, uint64_t records_min)
{
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    open_with(w, records_min);
}

static void load(struct world *w, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        struct engine_people_result result;
        uint64_t seq;
        char id[16], family[16];
        snprintf(id, sizeof id, "%u", i);
        snprintf(family, sizeof family, "Family%c%c", 'a' + (int)(i / 3 % 26), 'a' + (int)(i / 78 % 26));
        struct mpi_identifier identifier = {STR("HOSP"), str_from(id), STR("MR")};
        struct mpi_name name = {.family = str_from(family), .given = STR("Anna")};
        struct mpi_record_input input = {
            .source = STR("test"),
            .identifiers = &identifier,
            .identifier_count = 1,
            .demographics = {.names = &name, .name_count = 1, .birth_date = {1980, 2, (uint8_t)(i / 3 % 28 + 1)}}};
        assert_ok(&w->s, engine_load_people(w->engine, &w->s.cx, &input, 1, &result, &seq));
    }
}

static bool same_counts(struct mpi_counts a, struct mpi_counts b)
{
    return a.records == b.records && a.persons == b.persons && a.decisions == b.decisions &&
           a.reviews_open == b.reviews_open;
}

/* Stops and starts; the index must be the one that was. */
static void restart(struct world *w, uint64_t records_min)
{
    struct mpi_counts before = mpi_count(engine_mpi(w->engine));
    world_close(w);
    open_with(w, records_min);
    assert_true(same_counts(before, mpi_count(engine_mpi(w->engine))));
}

static void test_stop__saves_the_index_and_the_next_start_takes_it(void **state)
{
    (void)state;
    struct world w;
    begin(&w, 1);
    load(&w, 0, 60);
    restart(&w, 1);
    assert_int_equal(access(path_of(&w), F_OK), 0);
    load(&w, 60, 90); /* goes on from it */
    restart(&w, 1);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 90);
    world_end(&w);
}

static void test_stop__of_a_small_index_writes_nothing(void **state)
{
    (void)state;
    struct world w;
    begin(&w, 0);
    load(&w, 0, 10);
    restart(&w, 0);
    assert_int_not_equal(access(path_of(&w), F_OK), 0);
    world_end(&w);
}

static void test_stop__writes_nothing_again_when_nobody_changed(void **state)
{
    (void)state;
    struct world w;
    begin(&w, 1);
    load(&w, 0, 20);
    restart(&w, 1);
    SCOPED(buf_fini) struct buf before = {0};
    SCOPED(buf_fini) struct buf after = {0};
    assert_ok(&w.s, file_read(&w.s.cx, path_of(&w), 64 << 20, &before));
    restart(&w, 1); /* START and STOP entries, and no people */
    assert_ok(&w.s, file_read(&w.s.cx, path_of(&w), 64 << 20, &after));
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len); /* the moment's tag would be another one */
    world_end(&w);
}

static void test_start__serves_whatever_is_in_the_place_of_the_snapshot(void **state)
{
    (void)state;
    static const char *const instead[] = {"", "idemidx1", "no snapshot at all, but some text that is longer than it"};
    struct world w;
    begin(&w, 1);
    load(&w, 0, 40);
    for (size_t i = 0; i < sizeof instead / sizeof instead[0]; i++) {
        struct mpi_counts before = mpi_count(engine_mpi(w.engine));
        world_close(&w);
        assert_ok(&w.s, file_replace(&w.s.cx, path_of(&w), str_from(instead[i]), 0600));
        open_with(&w, 1);
        assert_true(same_counts(before, mpi_count(engine_mpi(w.engine))));
    }
    world_close(&w);
    assert_int_equal(unlink(path_of(&w)), 0);
    assert_int_equal(mkdir(path_of(&w), 0700), 0); /* a folder there: neither read nor replaced */
    open_with(&w, 1);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 40);
    world_end(&w);
}

/* The store is made again from the journal: the snapshot is of the one before. */
static void test_rebuild__does_not_take_the_snapshot_of_the_old_store(void **state)
{
    (void)state;
    struct world w;
    begin(&w, 1);
    load(&w, 0, 50);
    struct mpi_counts before = mpi_count(engine_mpi(w.engine));
    world_close(&w);
    assert_ok(&w.s, data_discard(&w.s.cx, w.dir));
    open_with(&w, 1);
    assert_true(same_counts(before, mpi_count(engine_mpi(w.engine))));
    restart(&w, 1);
    world_end(&w);
}

/* ---- and the journal: a start reads what is newer than the one before ---- */

static void open_long(struct world *w)
{
    struct engine_options options = {
        .dir = w->dir, .version = "test", .journal_segment_bytes = 4096, .journal_verify_bytes = 1};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
}

static void flip_first_segment(struct world *w)
{
    enum { IN_THE_FIRST_ENTRY = 100 };
    const char *path = arena_printf(&w->s.arena, "%s/journal/0000000000000001.seg", w->dir).data;
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fseek(file, IN_THE_FIRST_ENTRY, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, IN_THE_FIRST_ENTRY, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void test_journal__that_is_long_is_verified_behind_the_start(void **state)
{
    (void)state;
    struct world w;
    support_init(&w.s);
    w.dir = support_make_dir(&w.s);
    const char *note = arena_printf(&w.s.arena, "%s/journal/verified", w.dir).data;
    open_long(&w);
    load(&w, 0, 100);
    world_close(&w);
    open_long(&w); /* reads all: nothing was verified yet */
    load(&w, 100, 120);
    world_close(&w);
    flip_first_segment(&w);
    open_long(&w);                  /* serves: what is newer holds */
    while (access(note, F_OK) == 0) /* until it was found */
        usleep(1000);
    load(&w, 120, 130);
    world_close(&w);
    struct engine_options options = {.dir = w.dir, .version = "test", .journal_verify_bytes = 1};
    assert_fails(&w.s, engine_open(&w.s.cx, &options, &w.engine), "data.journal-damaged");
    flip_first_segment(&w);
    open_long(&w);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, 130);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop__saves_the_index_and_the_next_start_takes_it),
        cmocka_unit_test(test_stop__of_a_small_index_writes_nothing),
        cmocka_unit_test(test_stop__writes_nothing_again_when_nobody_changed),
        cmocka_unit_test(test_start__serves_whatever_is_in_the_place_of_the_snapshot),
        cmocka_unit_test(test_rebuild__does_not_take_the_snapshot_of_the_old_store),
        cmocka_unit_test(test_journal__that_is_long_is_verified_behind_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
