/* The status tells how often each bound was met, and how long commits kept readers out. */
#include "base/bounds.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "world.h"

static Idem__Admin__V1__Status *ask_status(struct world *w, struct rpc_client *client)
{
    Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
    Idem__Admin__V1__Status *now;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "idem.admin.v1.Admin/GetStatus", &ask.base,
                                     &idem__admin__v1__status__descriptor, 0, (void **)&now));
    return now;
}

static uint64_t times_met(struct world *w, struct rpc_client *client, const char *name)
{
    Idem__Admin__V1__Status *now = ask_status(w, client);
    uint64_t times = 0;
    for (size_t i = 0; i < now->n_bounds_met; i++) {
        assert_true(now->bounds_met[i]->times > 0);
        if (strcmp(now->bounds_met[i]->name, name) == 0)
            times = now->bounds_met[i]->times;
    }
    return times;
}

static status identify(struct world *w, struct rpc_client *client, size_t count)
{
    static Idem__Identity__V1__Identifier identifier = IDEM__IDENTITY__V1__IDENTIFIER__INIT;
    Idem__Identity__V1__Identifier *all[LIMIT_IDENTIFIERS_PER_RECORD + 1];
    Idem__Identity__V1__IdentifyRequest ask = IDEM__IDENTITY__V1__IDENTIFY_REQUEST__INIT;
    identifier.authority = identifier.value = (char *)(uintptr_t) "A";
    for (size_t i = 0; i < count; i++)
        all[i] = &identifier;
    ask.identifiers = all;
    ask.n_identifiers = count;
    void *reply;
    return rpc_client_call(client, &w->s.cx, "idem.identity.v1.Identity/Identify", &ask.base,
                           &idem__identity__v1__identify_reply__descriptor, 0, &reply);
}

static void test_bounds__that_were_met_are_told_with_how_often(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    uint64_t before = times_met(&w, client, "LIMIT_IDENTIFIERS_PER_RECORD");
    assert_ok(&w.s, identify(&w, client, LIMIT_IDENTIFIERS_PER_RECORD));
    assert_int_equal(times_met(&w, client, "LIMIT_IDENTIFIERS_PER_RECORD"), before);
    for (uint64_t more = 1; more <= 3; more++) {
        assert_fails(&w.s, identify(&w, client, LIMIT_IDENTIFIERS_PER_RECORD + 1), "rpc.argument");
        assert_int_equal(times_met(&w, client, "LIMIT_IDENTIFIERS_PER_RECORD"), before + more);
    }
    rpc_client_close(client);
    world_end(&w);
}

static uint64_t sum(const uint64_t *numbers, size_t count)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += numbers[i];
    return all;
}

static void test_commits__are_told_by_how_long_readers_were_kept_out(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    for (unsigned i = 0; i < 3; i++) {
        Idem__Routing__V1__SubmitRequest ask = IDEM__ROUTING__V1__SUBMIT_REQUEST__INIT;
        SCOPED(buf_fini) struct buf message = {0};
        buf_printf(&message,
                   "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^A08|S%u|P|2.5.1\rPID|1||S%u^^^NORTH^MR\r", i, i);
        ask.source = (char *)(uintptr_t) "north";
        ask.message = (ProtobufCBinaryData){message.len, (uint8_t *)message.data};
        void *reply;
        assert_ok(&w.s, rpc_client_call(client, &w.s.cx, "idem.routing.v1.Routing/Submit", &ask.base,
                                        &idem__routing__v1__submit_reply__descriptor, 0, &reply));
    }
    Idem__Admin__V1__CommitTimes *times = ask_status(&w, client)->commit_times;
    assert_true(times->commits >= 3);
    assert_int_equal(sum(times->held, times->n_held), times->commits);
    assert_int_equal(sum(times->waited, times->n_waited), times->commits);
    assert_true(times->held_max_us > 0 && times->held_p99_us > times->held_max_us / 2);
    static const char *const names[] = {"log", "checkpoint", "readers"};
    assert_int_equal(times->n_waits, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < times->n_waits; i++) {
        assert_string_equal(times->waits[i]->name, names[i]);
        assert_true(times->waits[i]->max_us <= times->waits[i]->total_us);
        assert_true(times->waits[i]->max_us <= times->waited_max_us);
    }
    rpc_client_close(client);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds__that_were_met_are_told_with_how_often),
        cmocka_unit_test(test_commits__are_told_by_how_long_readers_were_kept_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
