/* The doctor tells everything it saw, however much is wrong. */
#include "base/file.h"
#include "base/mem.h"
#include "loaders/codes.h"
#include "store_internal.h"
#include "world.h"

/* Registers a small map; answers the path of its pack. */
static const char *register_map(struct world *w, int number)
{
    const char *path = world_path(w, arena_printf(&w->s.arena, "map-%d.csv", number).data);
    struct str text =
        arena_printf(&w->s.arena, "source_system,source_code,target_system,target_code\nL,A%d,LN,2345-7\n", number);
    assert_ok(&w->s, file_replace(&w->s.cx, path, text, 0600));
    struct loader_options options = {
        .path = path, .pack_dir = engine_packs_dir(w->engine), .system = STR("map:x"), .version = STR("1")};
    struct loader_result result;
    uint64_t release;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_ok(&w->s, engine_register_codes(w->engine, &w->s.cx, &result.registration, &release));
    return arena_printf(&w->s.arena, "%s/%.*s", engine_packs_dir(w->engine), STR_ARGS(result.registration.pack_file))
        .data;
}

static void flip(struct world *w, const char *path)
{
    SCOPED(buf_fini) struct buf bytes = {0};
    assert_ok(&w->s, file_read(&w->s.cx, path, 1 << 20, &bytes));
    bytes.data[bytes.len / 2] ^= 1;
    assert_ok(&w->s, file_replace(&w->s.cx, path, buf_str(&bytes), 0600));
}

struct told {
    size_t bad_packs, good_packs, certificates, good_counts, bad_counts;
    const char *bad_count; /* the last one */
};

static struct told ask_doctor(struct world *w, struct rpc_client *client)
{
    Idem__Admin__V1__DoctorRequest ask = IDEM__ADMIN__V1__DOCTOR_REQUEST__INIT;
    Idem__Admin__V1__DoctorReply *answer;
    assert_ok(&w->s, rpc_client_call(client, &w->s.cx, "idem.admin.v1.Admin/Doctor", &ask.base,
                                     &idem__admin__v1__doctor_reply__descriptor, 0, (void **)&answer));
    struct told told = {0};
    for (size_t i = 0; i < answer->n_checks; i++) {
        bool packs = strcmp(answer->checks[i]->name, "code packs") == 0;
        told.bad_packs += packs && !answer->checks[i]->ok;
        told.good_packs += packs && answer->checks[i]->ok;
        bool counts = strcmp(answer->checks[i]->name, "kept counts") == 0;
        told.good_counts += counts && answer->checks[i]->ok;
        told.bad_counts += counts && !answer->checks[i]->ok;
        if (counts)
            told.bad_count = answer->checks[i]->detail;
        told.certificates += strcmp(answer->checks[i]->name, "certificate") == 0;
    }
    return told;
}

static void test_doctor__tells_every_bad_pack_and_all_the_rest(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    struct told told = ask_doctor(&w, client);
    assert_true(told.bad_packs == 0 && told.good_packs == 1 && told.certificates == 1);
    enum { PACKS = 40 };
    const char *paths[PACKS];
    for (int i = 0; i < PACKS; i++)
        paths[i] = register_map(&w, i);
    assert_ok(&w.s, file_replace(&w.s.cx, arena_printf(&w.s.arena, "%s/other.pack", engine_packs_dir(w.engine)).data,
                                 STR("nobody registered this"), 0600));
    told = ask_doctor(&w, client);
    assert_true(told.bad_packs == 0 && told.good_packs == 1);
    for (int i = 0; i < PACKS; i++) { /* missing and damaged ones by turns; files of others do not make up for them */
        if (i % 2)
            flip(&w, paths[i]);
        else
            assert_int_equal(unlink(paths[i]), 0);
        if (i != 0 && i != 15 && i != 16 && i != PACKS - 1)
            continue;
        told = ask_doctor(&w, client);
        assert_int_equal(told.bad_packs, i + 1);
        assert_int_equal(told.good_packs, 0);
        assert_int_equal(told.certificates, 1);
    }
    rpc_client_close(client);
    world_end(&w);
}

/* Once: only a store that nobody had open was counted again. */
static void test_doctor__finds_a_kept_count_that_is_wrong(void **state)
{
    WORLD(w);
    struct rpc_client *client = world_connect_plain(&w);
    struct told told = ask_doctor(&w, client);
    assert_true(told.good_counts == 1 && told.bad_counts == 0);
    struct data_table *releases = data_table(engine_store(w.engine), "codes.release");
    (void)register_map(&w, 0);
    releases->rows += 3; /* as if commits had miscounted */
    told = ask_doctor(&w, client);
    assert_true(told.good_counts == 0 && told.bad_counts == 1);
    assert_non_null(strstr(told.bad_count, "table codes.release: 4 rows are kept as its count, 1 are there: stop"));
    releases->rows -= 3;
    told = ask_doctor(&w, client);
    assert_true(told.good_counts == 1 && told.bad_counts == 0);
    rpc_client_close(client);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doctor__tells_every_bad_pack_and_all_the_rest),
        cmocka_unit_test(test_doctor__finds_a_kept_count_that_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
