/* Old segments go, what is needed stays; a store is made again from the journal only while the journal is whole. */
#include "world.h"

#include "engine_internal.h"

#include <fcntl.h>

static void open_small(struct world *w)
{
    struct engine_options options = {.dir = w->dir, .version = "test", .journal_segment_bytes = 64 * 1024};
    assert_ok(&w->s, engine_open(&w->s.cx, &options, &w->engine));
}

static void begin_small(struct world *w)
{
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    w->folder = arena_printf(&w->s.arena, "%s/out", w->dir).data;
    open_small(w);
}

static void route_to_folder(struct world *w, const char *extra_destination)
{
    world_routes(w, arena_printf(&w->s.arena,
                                 "destinations:\n  - name: archive\n    file: { folder: %s }\n%s"
                                 "routes:\n  - name: all\n    to: [archive]\n%s",
                                 w->folder, extra_destination,
                                 extra_destination[0]
                                     ? "  - name: more\n    when: { type: [\"ADT^A05\"] }\n    to: [away]\n"
                                     : ""));
}

static void send_many(struct world *w, const char *event, const char *prefix, int count)
{
    for (int i = 0; i < count; i++) {
        char control_id[24], id[24];
        snprintf(control_id, sizeof control_id, "%s%d", prefix, i);
        snprintf(id, sizeof id, "%s%d", prefix, i % 7);
        assert_string_equal(world_submit(w, "north", world_adt(w, event, control_id, id, "Doe", "")).code[0], "AA");
    }
}

static uint64_t drop(struct world *w)
{
    uint64_t freed;
    assert_ok(&w->s, retention_run(w->engine, &w->s.cx, clock_now_us() + 1000000, &freed));
    return freed;
}

static void test_retention__drops_what_nobody_needs_and_goes_on_after_a_restart(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 600);
    world_settled(&w, 600, 0);
    uint64_t freed;
    assert_ok(&w.s, retention_run(w.engine, &w.s.cx, 0, &freed));
    assert_int_equal(freed, 0); /* nothing is that old */
    assert_true(drop(&w) > 0);
    uint64_t first = journal_first_seq(engine_journal(w.engine));
    assert_true(first > 1);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, 0, STR("C0"), &trace));
    assert_str(trace.ack_code, "AA"); /* the row tells the story, the bytes are gone */
    assert_int_equal(trace.message.len, 0);
    world_close(&w);
    open_small(&w);
    send_many(&w, "A08", "D", 5);
    world_settled(&w, 605, 0);
    world_end(&w);
}

static void test_retention__keeps_what_waits_for_a_destination(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "  - name: away\n    mllp: { connect: \"127.0.0.1:1\" }\n");
    send_many(&w, "A08", "A", 3);
    uint64_t waiting = world_submit(&w, "north", world_adt(&w, "A05", "W", "9", "Doe", "")).seq;
    send_many(&w, "A08", "B", 600);
    world_settled(&w, 604, 0);
    drop(&w);
    struct engine_trace trace;
    assert_ok(&w.s, engine_trace(w.engine, &w.s.cx, waiting, STR_NONE, &trace));
    assert_true(trace.message.len > 0);
    world_end(&w);
}

/* Damage that only a reader of the rows finds, not the opening of the tables. */
static void damage_store(struct world *w)
{
    struct str path = arena_printf(&w->s.arena, "%s/store/mpi.record.db", w->dir);
    int fd = open(path.data, O_RDWR);
    assert_true(fd >= 0);
    char byte;
    for (off_t at = 16 * 1024 + 8000; at < 16 * 1024 + 8064; at++) {
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte = (char)~byte;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    close(fd);
}

static void test_damaged_store__is_made_again_while_the_journal_is_whole(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 300);
    world_settled(&w, 300, 0);
    uint64_t persons = mpi_count(engine_mpi(w.engine)).persons;
    world_close(&w);
    damage_store(&w);
    open_small(&w);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, persons);
    world_settled(&w, 300, 0);
    world_end(&w);
}

static void test_damaged_store__is_left_alone_when_the_journal_has_lost_its_beginning(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 600);
    world_settled(&w, 600, 0);
    assert_true(drop(&w) > 0);
    world_close(&w);
    damage_store(&w);
    struct engine_options options = {.dir = w.dir, .version = "test"};
    ctx_clear(&w.s.cx);
    assert_int_equal(engine_open(&w.s.cx, &options, &w.engine), STATUS_DATA_LOSS);
    struct str record = arena_printf(&w.s.arena, "%s/store/mpi.record.db", w.dir);
    assert_int_equal(access(record.data, F_OK), 0); /* all that is left of the beginning is still there */
    support_remove_dir(w.dir);
    support_fini(&w.s);
}

/* Damage in a segment that is not the last: nobody reads it at the start, and it must not be served all the same. */
static void test_damaged_old_segment__is_refused_with_segment_number_and_next_step(void **state)
{
    (void)state;
    struct world w;
    begin_small(&w);
    route_to_folder(&w, "");
    send_many(&w, "A08", "C", 600);
    world_settled(&w, 600, 0);
    world_close(&w);
    struct str path = arena_printf(&w.s.arena, "%s/journal/0000000000000001.seg", w.dir);
    int fd = open(path.data, O_RDWR);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, 20000), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 20000), 1);
    close(fd);
    struct engine_options options = {.dir = w.dir, .version = "test"};
    assert_fails(&w.s, engine_open(&w.s.cx, &options, &w.engine), "data.journal-damaged");
    assert_non_null(strstr(w.s.cx.detail.data, "segment 0000000000000001.seg"));
    assert_non_null(strstr(w.s.cx.detail.data, "next: idem journal verify --dir"));
    support_remove_dir(w.dir);
    support_fini(&w.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retention__drops_what_nobody_needs_and_goes_on_after_a_restart),
        cmocka_unit_test(test_retention__keeps_what_waits_for_a_destination),
        cmocka_unit_test(test_damaged_store__is_made_again_while_the_journal_is_whole),
        cmocka_unit_test(test_damaged_old_segment__is_refused_with_segment_number_and_next_step),
        cmocka_unit_test(test_damaged_store__is_left_alone_when_the_journal_has_lost_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Berkeley DB forgets memory when it closes an environment in which it found damage. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libdb-5.3.so";
}
