/* idemd.yaml: what is written is what the daemon gets; what is out of bounds or unknown is refused. */
#include "config.h"

#include "base/file.h"
#include "support.h"

static status load(struct support *s, const char *store, struct config *out_config)
{
    const char *dir = support_make_dir(s);
    struct str path = arena_printf(&s->arena, "%s/idemd.yaml", dir);
    struct str text = arena_printf(&s->arena, "data: ./data\n%s\n", store);
    assert_ok(s, file_replace(&s->cx, path.data, text, 0600));
    status got = config_load(&s->cx, path.data, out_config);
    support_remove_dir(dir);
    return got;
}

static void test_store_cache__is_read_in_bytes_and_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t want_bytes;
        const char *reason; /* NULL = good */
    } cases[] = {
        {"", 0, NULL}, /* what data_open() thinks right */
        {"store: { cache: 300MiB }", 300ull << 20, NULL},
        {"store: { cache: 16MiB }", 16ull << 20, NULL},
        {"store: { cache: 64GiB }", 64ull << 30, NULL},
        {"store: { cache: 15MiB }", 0, "yaml.bad-value"},
        {"store: { cache: 65GiB }", 0, "yaml.bad-value"},
        {"store: { cash: 64MiB }", 0, "yaml.unknown-key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        struct config config = {0};
        if (cases[i].reason == NULL)
            assert_ok(&s, load(&s, cases[i].text, &config));
        else
            assert_fails(&s, load(&s, cases[i].text, &config), cases[i].reason);
        assert_int_equal(config.store_cache_bytes, cases[i].want_bytes);
        support_fini(&s);
    }
}

static void test_models_propose__is_off_or_a_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want_us;
        const char *reason; /* NULL = good */
    } cases[] = {
        {"", 0, NULL},
        {"models: { propose: off }", 0, NULL},
        {"models: { propose: 1h }", 3600ll * 1000000, NULL},
        {"models: { propose: 7d }", 7ll * 24 * 3600 * 1000000, NULL},
        {"models: { propose: 59m }", 0, "yaml.bad-value"},
        {"models: { propose: 367d }", 0, "yaml.bad-value"},
        {"models: { propose: weekly }", 0, "yaml.bad-value"},
        {"models: { purpose: 7d }", 0, "yaml.unknown-key"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        struct config config = {0};
        if (cases[i].reason == NULL)
            assert_ok(&s, load(&s, cases[i].text, &config));
        else
            assert_fails(&s, load(&s, cases[i].text, &config), cases[i].reason);
        assert_int_equal(config.propose_every_us, cases[i].want_us);
        support_fini(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_cache__is_read_in_bytes_and_bounded),
        cmocka_unit_test(test_models_propose__is_off_or_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
