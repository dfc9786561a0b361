/* Who calls: every name of a certificate counts, however many it has. */
#include "world.h"

/* reader-1 by its common name, behind so many other names. */
static void issue_with_names(struct world *w, const char *file, size_t count)
{
    const char **names = calloc(count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = arena_printf(&w->s.arena, i % 2 ? "urn:site:%zu" : "host-%zu.example", i).data;
    struct crypto_pki_request request = {.common_name = "reader-1", .names = names, .name_count = count};
    assert_ok(&w->s, crypto_pki_issue(&w->s.cx, world_path(w, "ca.pem"), world_path(w, "ca.key"), &request,
                                      world_path(w, arena_printf(&w->s.arena, "%s.pem", file).data),
                                      world_path(w, arena_printf(&w->s.arena, "%s.key", file).data)));
    free(names);
}

static void test_principal__is_found_behind_any_number_of_names(void **state)
{
    WORLD(w);
    static const size_t counts[] = {0, 1, 15, 16, 17, 200};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const char *file = arena_printf(&w.s.arena, "many-%zu", counts[i]).data;
        issue_with_names(&w, file, counts[i]);
        struct rpc_client *client = world_connect(&w, file);
        Idem__Admin__V1__GetStatusRequest ask = IDEM__ADMIN__V1__GET_STATUS_REQUEST__INIT;
        Idem__Admin__V1__Status *answer;
        assert_ok(&w.s, rpc_client_call(client, &w.s.cx, "idem.admin.v1.Admin/GetStatus", &ask.base,
                                        &idem__admin__v1__status__descriptor, 0, (void **)&answer));
        rpc_client_close(client);
    }
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_principal__is_found_behind_any_number_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
