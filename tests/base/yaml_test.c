#include "base/buf.h"
#include "base/mem.h"
#include "base/yaml/yaml.h"
#include "support.h"

static const struct yaml_node *parse(struct support *s, const char *text)
{
    const struct yaml_node *root = NULL;
    assert_ok(s, yaml_parse(&s->cx, str_from(text), &root));
    return root;
}

static void test_parse__keeps_order_and_places(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    const struct yaml_node *root = parse(&s, "zebra: 1\nlist:\n  - a\n  - {x: y}\n\"ape\": no\n");
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 3);
    assert_str(root->first->key, "zebra");
    const struct yaml_node *list = yaml_get(root, "list");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->line, 3);
    assert_int_equal(list->key_line, 2);
    assert_int_equal(list->key_column, 1);
    assert_int_equal(list->first->line, 3);
    assert_int_equal(list->first->column, 5);
    assert_str(yaml_get(list->first->next, "x")->text, "y");
    assert_str(list->next->key, "ape");
    assert_str(list->next->text, "no"); /* a text, not false */
    assert_int_equal(parse(&s, "")->kind, YAML_MAP);
    assert_int_equal(parse(&s, "# only a comment\n")->count, 0);
    support_fini(&s);
}

static void test_parse__refuses_with_a_reason_and_a_place(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *reason, *place;
    } cases[] = {
        {STR_INIT("a: 1\na: 2\n"), "yaml.duplicate-key", "line 2, column 1: the key stands already in line 1"},
        {STR_INIT("a: &x 1\nb: *x\n"), "yaml.refused", "line 1, column 4"},
        {STR_INIT("b: *x\n"), "yaml.refused", "line 1, column 4"},
        {STR_INIT("a: !!int 5\n"), "yaml.refused", "line 1, column 4"},
        {STR_INIT("a: ! x\n"), "yaml.refused", "line 1, column 4"},
        {STR_INIT("a: !!map {}\n"), "yaml.refused", "line 1, column 4"},
        {STR_INIT("%YAML 1.1\n---\na: b\n"), "yaml.refused", "line 1"},
        {STR_INIT("a: b\n---\nc: d\n"), "yaml.refused", "line 2"},
        {STR_INIT("? [a, b]\n: c\n"), "yaml.refused", "line 1, column 3"},
        {STR_INIT("{a: b}: c\n"), "yaml.refused", "line 1, column 1"},
        {STR_INIT("a: \"x\\0y\"\n"), "yaml.refused", "line 1, column 4"},
        {STR_INIT("a: [1, 2\nb: c\n"), "yaml.syntax", "line 2"},
        {STR_INIT("a: b: c\n"), "yaml.syntax", "line 1, column 5"},
        {STR_INIT("\ta: b\n"), "yaml.syntax", "line 1"},
        {STR_INIT("a: \xff\xfe\n"), "yaml.syntax", "byte 3"},
        {STR_INIT("a: \x01\n"), "yaml.syntax", ""},
    };
    struct support s;
    support_init(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct yaml_node *root = NULL;
        ctx_clear(&s.cx);
        assert_int_equal(yaml_parse(&s.cx, cases[i].text, &root), STATUS_INVALID_ARGUMENT);
        if (strcmp(s.cx.reason->name, cases[i].reason) != 0 || !str_starts(s.cx.detail, str_from(cases[i].place)))
            fail_msg("case %zu: %s (%.*s)", i, s.cx.reason->name, STR_ARGS(s.cx.detail));
        assert_null(root);
    }
    support_fini(&s);
}

static void test_parse__is_bounded(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct buf text = {0};
    const struct yaml_node *root;
    for (int i = 0; i < 1000; i++)
        buf_put_byte(&text, '[');
    assert_fails(&s, yaml_parse(&s.cx, buf_str(&text), &root), "yaml.too-large");
    buf_clear(&text);
    for (int i = 0; i < 60000; i++)
        buf_put_str(&text, STR("- a\n"));
    assert_fails(&s, yaml_parse(&s.cx, buf_str(&text), &root), "yaml.too-large");
    buf_clear(&text);
    for (int i = 0; i < 1001; i++)
        buf_printf(&text, "k%d: v\n", i);
    assert_fails(&s, yaml_parse(&s.cx, buf_str(&text), &root), "yaml.too-large");
    buf_clear(&text);
    for (int i = 0; i <= YAML_BYTES_MAX; i++)
        buf_put_byte(&text, '#');
    assert_fails(&s, yaml_parse(&s.cx, buf_str(&text), &root), "yaml.too-large");
    buf_fini(&text);
    support_fini(&s);
}

static void test_map_keys__suggests_the_key_that_was_meant(void **state)
{
    (void)state;
    static const char *const allowed[] = {"routes", "sources", "destinations"};
    struct support s;
    support_init(&s);
    const struct yaml_node *root = parse(&s, "routes: []\n\nsources: {}\n\n\n\n  \ndestinatons: x\n");
    assert_fails(&s, yaml_map_keys(&s.cx, root, allowed, 3), "yaml.unknown-key");
    assert_str(s.cx.detail, "line 8, column 1: unknown key `destinatons`; did you mean `destinations`?");
    root = parse(&s, "\"zebra\\n\": x\n");
    assert_fails(&s, yaml_map_keys(&s.cx, root, allowed, 3), "yaml.unknown-key");
    assert_str(s.cx.detail, "line 1, column 1: unknown key `zebra?`");
    assert_fails(&s, yaml_map_keys(&s.cx, parse(&s, "- a\n"), allowed, 3), "yaml.wrong-kind");
    const struct yaml_node *node = NULL;
    assert_fails(&s, yaml_need(&s.cx, root, "routes", &node), "yaml.missing-key");
    assert_null(node);
    support_fini(&s);
}

enum getter { BOOL, INTEGER, DURATION, SIZE, ADDRESS, CHOICE, TEXT };

static status get(struct support *s, enum getter getter, const struct yaml_node *node, int64_t *out)
{
    static const char *const words[] = {"pass", "hold", "flag"};
    bool flag = false;
    uint64_t bytes = 0;
    size_t index = 0;
    struct str text = STR_NONE;
    switch (getter) {
    case BOOL:
        TRY(yaml_bool(&s->cx, node, &flag));
        *out = flag;
        return STATUS_OK;
    case INTEGER:
        return yaml_integer(&s->cx, node, -5, 1000, out);
    case DURATION:
        return yaml_duration(&s->cx, node, 0, 86400000000, out);
    case SIZE:
        TRY(yaml_size(&s->cx, node, 1, 1ull << 40, &bytes));
        *out = (int64_t)bytes;
        return STATUS_OK;
    case ADDRESS:
        TRY(yaml_address(&s->cx, node, &text));
        *out = (int64_t)text.len;
        return STATUS_OK;
    case CHOICE:
        TRY(yaml_choice(&s->cx, node, words, 3, &index));
        *out = (int64_t)index;
        return STATUS_OK;
    case TEXT:
        TRY(yaml_text(&s->cx, node, &text));
        *out = (int64_t)text.len;
        return STATUS_OK;
    }
    return STATUS_OK;
}

static void test_getters__take_only_the_forms_they_name(void **state)
{
    (void)state;
    static const struct {
        enum getter getter;
        const char *text;
        int64_t want; /* -99: refused */
    } cases[] = {
        {BOOL, "true", 1},
        {BOOL, "false", 0},
        {BOOL, "no", -99},
        {BOOL, "True", -99},
        {BOOL, "1", -99},
        {BOOL, "", -99},
        {INTEGER, "0", 0},
        {INTEGER, "-5", -5},
        {INTEGER, "1000", 1000},
        {INTEGER, "1001", -99},
        {INTEGER, "-6", -99},
        {INTEGER, "0755", -99},
        {INTEGER, "0x10", -99},
        {INTEGER, "1e2", -99},
        {INTEGER, "1_000", -99},
        {INTEGER, "+1", -99},
        {INTEGER, "99999999999999999999", -99},
        {INTEGER, "18446744073709551615", -99},
        {INTEGER, "~", -99},
        {DURATION, "250ms", 250000},
        {DURATION, "5s", 5000000},
        {DURATION, "2m", 120000000},
        {DURATION, "1h", 3600000000},
        {DURATION, "1d", 86400000000},
        {DURATION, "0", 0},
        {DURATION, "5", -99},
        {DURATION, "5 s", -99},
        {DURATION, "-5s", -99},
        {DURATION, "2d", -99},
        {DURATION, "1:30", -99},
        {DURATION, "99999999999999999h", -99},
        {SIZE, "4096", 4096},
        {SIZE, "64KiB", 65536},
        {SIZE, "64MiB", 67108864},
        {SIZE, "2GiB", 2147483648},
        {SIZE, "64MB", -99},
        {SIZE, "0", -99},
        {SIZE, "18446744073709551615GiB", -99},
        {ADDRESS, "127.0.0.1:2575", 14},
        {ADDRESS, "'[::1]:0'", 7},
        {ADDRESS, "host.example:65535", 18},
        {ADDRESS, "127.0.0.1", -99},
        {ADDRESS, "host:65536", -99},
        {ADDRESS, "'::1:80'", -99},
        {ADDRESS, "'a b:80'", -99},
        {ADDRESS, "':80'", -99},
        {ADDRESS, "'[::1:80'", -99},
        {ADDRESS, "'[]:80'", -99},
        {ADDRESS, "'host:'", -99},
        {CHOICE, "hold", 1},
        {CHOICE, "Hold", -99},
        {CHOICE, "zzzzzz", -99},
        {TEXT, "x", 1},
        {TEXT, "''", 0},
        {TEXT, "", -99},
        {TEXT, "[x]", -99},
        {TEXT, "{x: y}", -99},
    };
    struct support s;
    support_init(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str text = arena_printf(&s.arena, "v: %s\n", cases[i].text);
        const struct yaml_node *node = yaml_get(parse(&s, text.data), "v");
        int64_t got = -99;
        ctx_clear(&s.cx);
        status ended = get(&s, cases[i].getter, node, &got);
        if ((ended == STATUS_OK) != (cases[i].want != -99) || got != cases[i].want)
            fail_msg("case %zu `%s`: %d, %lld, %.*s", i, cases[i].text, ended, (long long)got, STR_ARGS(s.cx.detail));
        if (ended != STATUS_OK)
            assert_true(str_starts(s.cx.detail, STR("line 1, column ")));
        int64_t kept = 42; /* absent: the default stands */
        assert_ok(&s, cases[i].getter == INTEGER ? yaml_integer(&s.cx, NULL, 0, 1, &kept) : STATUS_OK);
        assert_int_equal(kept, 42);
    }
    support_fini(&s);
}

static void test_texts__reads_a_list_and_names_the_item_at_fault(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct str *texts = NULL;
    size_t count = 0;
    assert_ok(&s, yaml_texts(&s.cx, parse(&s, "[a, 'b c', 007]"), 3, &texts, &count));
    assert_int_equal(count, 3);
    assert_str(texts[2], "007");
    assert_fails(&s, yaml_texts(&s.cx, parse(&s, "[a, b]"), 1, &texts, &count), "yaml.too-large");
    assert_fails(&s, yaml_texts(&s.cx, parse(&s, "- a\n- [b]\n"), 3, &texts, &count), "yaml.wrong-kind");
    assert_str(s.cx.detail, "line 2, column 3: a text is needed, here is a list");
    assert_int_equal(count, 3);
    support_fini(&s);
}

/* Taken as it is, and refused when it is one larger. */
static void put_at_bound(struct buf *text, size_t bound, size_t size)
{
    buf_clear(text);
    switch (bound) {
    case 0:
        for (size_t i = 0; i < size; i++)
            buf_put_byte(text, '[');
        for (size_t i = 0; i < size; i++)
            buf_put_byte(text, ']');
        break;
    case 1: /* the list is one more */
        for (size_t i = 1; i < size; i++)
            buf_put_str(text, STR("- a\n"));
        break;
    case 2:
        for (size_t i = 0; i < size; i++)
            buf_printf(text, "k%zu: v\n", i);
        break;
    case 3:
        for (size_t i = 0; i < size; i++)
            buf_put_byte(text, 'k');
        buf_put_str(text, STR(": v\n"));
        break;
    default:
        buf_put_str(text, STR("k: v\n"));
        while (text->len < size)
            buf_put_byte(text, '#');
    }
}

static void test_parse__takes_what_is_at_its_bounds(void **state)
{
    (void)state;
    static const struct {
        size_t most;
        const char *reason;
    } bounds[] = {{YAML_DEPTH_MAX, "yaml.too-large"},
                  {YAML_NODES_MAX, "yaml.too-large"},
                  {YAML_MAP_KEYS_MAX, "yaml.too-large"},
                  {YAML_KEY_BYTES_MAX, "yaml.refused"},
                  {YAML_BYTES_MAX, "yaml.too-large"}};
    struct support s;
    support_init(&s);
    SCOPED(buf_fini) struct buf text = {0};
    const struct yaml_node *root;
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        put_at_bound(&text, i, bounds[i].most);
        assert_ok(&s, yaml_parse(&s.cx, buf_str(&text), &root));
        put_at_bound(&text, i, bounds[i].most + 1);
        assert_fails(&s, yaml_parse(&s.cx, buf_str(&text), &root), bounds[i].reason);
        ctx_clear(&s.cx);
    }
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse__keeps_order_and_places),
        cmocka_unit_test(test_parse__refuses_with_a_reason_and_a_place),
        cmocka_unit_test(test_parse__is_bounded),
        cmocka_unit_test(test_parse__takes_what_is_at_its_bounds),
        cmocka_unit_test(test_map_keys__suggests_the_key_that_was_meant),
        cmocka_unit_test(test_getters__take_only_the_forms_they_name),
        cmocka_unit_test(test_texts__reads_a_list_and_names_the_item_at_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
