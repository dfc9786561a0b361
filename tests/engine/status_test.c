/* Counts in the status: of lanes and rows, kept with the commit, against each other. */
#include "data/store.h"
#include "engine_internal.h"
#include "world.h"

static const struct str ROUTES =
    STR_INIT("destinations:\n"
             "  - name: one\n    mllp: { connect: \"127.0.0.1:1\" }\n"
             "  - name: two\n    mllp: { connect: \"127.0.0.1:1\" }\n"
             "routes:\n  - name: all\n    when: { source: [north] }\n    to: [one, two]\n");

static const struct engine_lane_view *lane_of(const struct engine_status *now, const char *destination)
{
    for (size_t i = 0; i < now->lane_count; i++)
        if (str_is(now->lanes[i].destination, destination))
            return &now->lanes[i];
    fail_msg("no lane %s", destination);
    return NULL;
}

static struct engine_status look(struct world *w)
{
    struct engine_status now;
    assert_ok(&w->s, engine_status(w->engine, &w->s.cx, &now));
    return now;
}

static bool take_first(void *arg, struct str key, struct str row)
{
    struct str *kept = arg;
    (void)row;
    char *copy = mem_copy(key.data, key.len);
    *kept = str_make(copy, key.len);
    return false;
}

/* Nobody listens: what is sent stays queued. */
static void queue(struct world *w, int messages)
{
    for (int i = 0; i < messages; i++) {
        char id[16];
        snprintf(id, sizeof id, "Q%d", i);
        assert_string_equal(world_submit(w, "north", world_adt(w, "A04", id, id, "Doe", "")).code[0], "AA");
    }
}

static void test_status__counts_each_lane_in_the_outbox_across_a_restart(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    world_routes(&w, ROUTES);
    queue(&w, 5);
    for (int i = 0; i < 2; i++) {
        struct engine_status now = world_status(&w);
        assert_int_equal(lane_of(&now, "one")->queued, 5);
        assert_int_equal(lane_of(&now, "two")->queued, 5);
        assert_int_equal(now.deliveries_queued, 10);
        world_close(&w);
        world_open(&w);
    }
    world_end(&w);
}

/* In all the sum is right; in both lanes it is wrong. */
static void test_status__tells_a_row_that_lies_in_another_lane(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    world_routes(&w, ROUTES);
    queue(&w, 3);
    struct data_store *store = engine_store(w.engine);
    struct data_table *outbox = data_table(store, "engine.outbox");
    struct str key = STR_NONE, row;
    assert_ok(&w.s, data_scan(outbox, &w.s.cx, outbox_prefix(&w.s.arena, STR("one")), STR_NONE, take_first, &key));
    assert_ok(&w.s, data_get(outbox, &w.s.cx, key, &row));
    struct data_txn *txn = data_txn_begin(store); /* nothing is being applied */
    data_txn_delete(txn, outbox, key);
    data_txn_put(txn, outbox, outbox_key(&w.s.arena, STR("two"), (struct outbox_key){.seq = 1}), row);
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
    struct engine_status now = look(&w);
    assert_int_equal(lane_of(&now, "one")->queued, 2);
    assert_int_equal(lane_of(&now, "two")->queued, 4);
    assert_int_equal(now.deliveries_queued, 6);
    assert_int_equal(now.unaccounted, 2);
    txn = data_txn_begin(store); /* and one of a lane that is not there */
    data_txn_put(txn, outbox, outbox_key(&w.s.arena, STR("nobody"), (struct outbox_key){.seq = 1}), row);
    data_txn_commit(txn, data_applied_seq(store), NULL, NULL);
    assert_int_equal(look(&w).unaccounted, 3);
    mem_free((void *)key.data);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status__counts_each_lane_in_the_outbox_across_a_restart),
        cmocka_unit_test(test_status__tells_a_row_that_lies_in_another_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
