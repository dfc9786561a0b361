/* What strangers write must never steer a terminal. */
#include "support.h"

#include "base/file.h"
#include "base/hash.h"
#include "cli/show.h"

#include <dirent.h>

static struct str safe(struct support *s, struct str bytes)
{
    return cli_safe_str(&s->arena, bytes);
}

/* No byte a terminal obeys: C0, DEL, C1 in UTF-8, bidirectional and other steering characters; and it is UTF-8. */
static void assert_harmless(struct str text)
{
    assert_true(str_is_utf8(text));
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        assert_true(c >= 0x20 && c != 0x7f);
        if (c == 0xc2 && i + 1 < text.len)
            assert_true((uint8_t)text.data[i + 1] >= 0xa0);
        if (c == 0xe2 && i + 2 < text.len && (uint8_t)text.data[i + 1] == 0x80) {
            uint8_t last = (uint8_t)text.data[i + 2]; /* U+200B..F, U+2028..E */
            assert_false((last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae));
        }
        if (c == 0xe2 && i + 2 < text.len && (uint8_t)text.data[i + 1] == 0x81) /* U+2060..F */
            assert_false((uint8_t)text.data[i + 2] >= 0xa0 && (uint8_t)text.data[i + 2] <= 0xaf);
    }
}

static void test_safe__shows_what_it_must_not_send(void **state)
{
    (void)state;
    static const struct {
        struct str raw;
        const char *want;
    } cases[] = {
        {STR_INIT("Ada Lind"), "Ada Lind"},
        {STR_INIT("\x1b[2J"), "\u241b[2J"},
        {STR_INIT("\x1b]0;title\x07"), "\u241b]0;title\u2407"},
        {STR_INIT("a\rb\nc\td"), "a\u240db\u240ac\u2409d"},
        {STR_INIT("a\0b"), "a\u2400b"},
        {STR_INIT("\x7f"), "\u2421"},
        {STR_INIT("\xc2\x9b"
                  "31m"),
         "<U+009B>31m"}, /* CSI as one character */
        {STR_INIT("\x9b"
                  "31m"),
         "<9B>31m"}, /* CSI as one byte */
        {STR_INIT("a\u202e"
                  "bc"),
         "a<U+202E>bc"}, /* right-to-left override */
        {STR_INIT("a\u2066"
                  "bc\u2069"),
         "a<U+2066>bc<U+2069>"},
        {STR_INIT("a\u200b"
                  "b"),
         "a<U+200B>b"},
        {STR_INIT("a\u2028"
                  "b"),
         "a<U+2028>b"},
        {STR_INIT("\xff\xfe"), "<FF><FE>"},
        {STR_INIT("\xc0\x9b"), "<C0><9B>"},         /* overlong */
        {STR_INIT("\xed\xa0\x80"), "<ED><A0><80>"}, /* surrogate */
        {STR_INIT("\xe2\x82"), "<E2><82>"},         /* cut off */
        {STR_INIT("Ng\u00f4 \u738b \u05d3\u05d5\u05d3"), "Ng\u00f4 \u738b \u05d3\u05d5\u05d3"},
        {STR_INIT(""), ""},
    };
    struct support s;
    support_init(&s);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str got = safe(&s, cases[i].raw);
        assert_string_equal(got.data, cases[i].want);
        assert_harmless(got);
    }
    support_fini(&s);
}

static void test_safe__is_harmless_for_every_pair_of_bytes_and_for_random_ones(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (unsigned first = 0; first < 256; first++) {
        struct arena_mark mark = arena_mark(&s.arena);
        for (unsigned second = 0; second < 256; second++) {
            char pair[2] = {(char)first, (char)second};
            assert_harmless(safe(&s, str_make(pair, 2)));
        }
        arena_rewind(&s.arena, mark);
    }
    uint64_t seed = 42;
    for (unsigned n = 0; n < 20000; n++) {
        struct arena_mark mark = arena_mark(&s.arena);
        uint64_t bytes[4];
        for (size_t i = 0; i < 4; i++)
            bytes[i] = hash_random(&seed) | (n % 2 ? UINT64_C(0x8080808080808080) : 0);
        assert_harmless(safe(&s, str_make(bytes, 1 + n % sizeof bytes)));
        arena_rewind(&s.arena, mark);
    }
    support_fini(&s);
}

static void test_safe__shows_every_steering_character_of_unicode_by_number(void **state)
{
    (void)state;
    static const char *const steering[] = {"\u061c",     "\u200e", "\u200f", "\u202a", "\u202b", "\u202c",
                                           "\u202d",     "\u2066", "\u2067", "\u2068", "\u2069", "\ufeff",
                                           "\U000e0041", "\ue000", "\u2029", "\ufff9"};
    struct support s;
    support_init(&s);
    for (size_t i = 0; i < sizeof steering / sizeof steering[0]; i++)
        assert_true(str_starts(safe(&s, str_from(steering[i])), STR("<U+")));
    support_fini(&s);
}

static void test_safe__does_not_let_combining_marks_pile_up(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct buf raw = {0};
    buf_put_byte(&raw, 'a');
    for (int i = 0; i < 100; i++)
        buf_put_str(&raw, STR("\u0301"));
    struct str got = safe(&s, buf_str(&raw));
    assert_true(str_starts(got, STR("a\u0301\u0301\u0301\u0301<U+0301>")));
    assert_string_equal(safe(&s, STR("Vi\u00ea\u0323\u0301t")).data,
                        "Vi\u00ea\u0323\u0301t"); /* two marks are a letter */
    buf_fini(&raw);
    support_fini(&s);
}

static void test_width__counts_wide_letters_twice_and_marks_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t want;
    } cases[] = {{"", 0},        {"abc", 3},          {"\u738b\u5c0f\u660e", 6},
                 {"e\u0301", 1}, {"\ud55c\uad6d", 4}, {"\u2588\u2588", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(cli_width(str_from(cases[i].text)), cases[i].want);
}

static void test_clip__never_exceeds_its_columns(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct str text = STR("a\u738b\u5c0fe\u0301 long name indeed");
    for (size_t columns = 1; columns < 30; columns++) {
        struct str cut = cli_clip(&s.arena, text, columns);
        assert_true(cli_width(cut) <= columns);
        assert_true(str_is_utf8(cut));
    }
    support_fini(&s);
}

/* Every hostile file there is, whole, through the one function. */
static void run_folder(struct support *s, const char *below, size_t *files)
{
    const char *path = support_data(s, below);
    DIR *dir = path ? opendir(path) : NULL;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        struct arena_mark mark = arena_mark(&s->arena);
        struct buf bytes = {0};
        struct str file = arena_printf(&s->arena, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && file_read(&s->cx, file.data, 4 * 1024 * 1024, &bytes) == STATUS_OK) {
            struct buf out = {0};
            cli_safe(&out, buf_str(&bytes));
            assert_harmless(buf_str(&out));
            buf_fini(&out);
            ++*files;
        }
        buf_fini(&bytes);
        arena_rewind(&s->arena, mark);
    }
    if (dir)
        closedir(dir);
}

static void test_safe__tames_the_hostile_files(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    size_t files = 0;
    run_folder(&s, "adversarial/own/text-injection", &files);
    run_folder(&s, "adversarial/own/hl7-malformed", &files);
    run_folder(&s, "adversarial/third-party/naughty-strings", &files);
    run_folder(&s, "adversarial/third-party/utf8", &files);
    support_fini(&s);
    if (files == 0) {
        print_message("skipped: no data\n");
        skip();
    }
    print_message("%zu hostile files\n", files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_safe__shows_what_it_must_not_send),
        cmocka_unit_test(test_safe__is_harmless_for_every_pair_of_bytes_and_for_random_ones),
        cmocka_unit_test(test_safe__shows_every_steering_character_of_unicode_by_number),
        cmocka_unit_test(test_safe__does_not_let_combining_marks_pile_up),
        cmocka_unit_test(test_width__counts_wide_letters_twice_and_marks_not_at_all),
        cmocka_unit_test(test_clip__never_exceeds_its_columns),
        cmocka_unit_test(test_safe__tames_the_hostile_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
