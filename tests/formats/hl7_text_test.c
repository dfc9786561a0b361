/* hl7v2/text.h and base/text/charset.h: escapes and character sets, once each, both ways. */
#include "hl7_case.h"

static void build_with_set(struct hl7_case *c, const char *sets)
{
    struct str message = arena_printf(c->support.cx.arena, "MSH|^~\\&|||||||ADT^A01|1|P|2.5.1||||||%s\r", sets);
    case_build(c, message);
    c->index.ascii = false; /* values below are not part of the message */
    c->index.stepwise = c->index.shifts || charset_shape(c->index.charset) == CHARSET_SHAPE_LEAD;
}

/* [HL7 2.5.1 2.7.3, 2.7.4, 2.7.5, 2.7.6, 2.7.7] */
static void test_decode__reads_each_escape_once(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *want;
        uint32_t unknown;
    } rows[] = {
        {"plain", "plain", 0},
        {"\\F\\\\S\\\\T\\\\R\\\\E\\", "|^&~\\", 0},
        {"\\E\\F\\E\\", "\\F\\", 0}, /* never twice */
        {"a\\.br\\b\\.ce\\c", "a\nb\nc", 0},
        {"a\\.sp3\\b\\.sp\\c\\.sp+2\\d", "a\n\n\nb\nc\n\nd", 0},
        {"a\\.sk4\\b", "a    b", 0},
        {"a\\.sp99999\\b", "a\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nb", 0}, /* bounded */
        {"\\.in+4\\a\\.ti-2\\b\\.fi\\c\\.nf\\d", "abcd", 0},
        {"\\H\\loud\\N\\", "loud", 0},
        {"\\X41\\\\x42\\", "A\\x42\\", 1},
        {"\\X0D4d\\", "\rM", 0},
        {"\\XC3A9\\ \\XC3\\\\XA9\\", "\xc3\xa9 \xc3\xa9", 0},
        {"\\X0\\", "\\X0\\", 1}, /* odd */
        {"\\XZZ\\", "\\XZZ\\", 1},
        {"\\X\\", "\\X\\", 1},
        {"\\Zab\\", "\\Zab\\", 1}, /* local */
        {"\\F", "\\F", 1},         /* unterminated */
        {"\\", "\\", 1},
        {"\\\\", "\\\\", 1},
        {"\\P\\", "\\P\\", 1}, /* no truncation character in MSH-2 */
        {"\\C2842\\a\\C9999\\", "a\\C9999\\", 1},
        {"", "", 0},
    };
    struct hl7_case c;
    case_init(&c);
    build_with_set(&c, "UNICODE UTF-8");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_text_notes notes = {0};
        struct str got = hl7_text(&c.index, c.support.cx.arena, str_from(rows[i].raw), &notes);
        if (!str_is(got, rows[i].want) || notes.unknown_escapes != rows[i].unknown)
            fail_msg("%s gives \"%.*s\", %u unknown", rows[i].raw, STR_ARGS(got), notes.unknown_escapes);
    }
    case_build(&c, STR("MSH|^~\\&#|A|\r"));
    assert_str(hl7_text(&c.index, c.support.cx.arena, STR("\\P\\"), NULL), "#");
    case_fini(&c);
}

/* [HL7 2.5.1 2.7.2, 2.15.9.18] */
static void test_decode__honours_the_sets_of_msh_18(void **state)
{
    (void)state;
    static const struct {
        const char *sets, *raw, *want;
        uint32_t bad;
    } rows[] = {
        {"8859/1", "caf\xe9", "caf\xc3\xa9", 0},
        {"8859/1", "caf\\XE9\\", "caf\xc3\xa9", 0},
        {"8859/5", "\xbc\xd8\xe0", "\xd0\x9c\xd0\xb8\xd1\x80", 0},
        {"8859/15", "\xa4", "\xe2\x82\xac", 0},
        {"8859/3", "a\xa5", "a\xef\xbf\xbd", 1},
        {"UNICODE UTF-8", "a\xe9z", "a\xef\xbf\xbdz", 1},
        {"UNICODE UTF-8", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 2}, /* overlong */
        {"ASCII", "a\xc3\xa9", "a\xef\xbf\xbd\xef\xbf\xbd", 2},
        {"", "a\xc3\xa9", "a\xc3\xa9", 0},
        {"GB 18030-2000", "\xd6\xd0\xd0\x7c\\F\\", "\xe4\xb8\xad\xe8\xa1\xb8|", 0},
        {"BIG-5", "\xa4\xa4\\E\\", "\xe4\xb8\xad\\", 0},
        {"KS X 1001", "\xb1\xe8", "\xea\xb9\x80", 0},
        {"ISO IR14", "\xb1", "\xef\xbd\xb1", 0},
        {"~ISO IR87", "A\x1b$B;3ED\x1b(BZ", "A\xe5\xb1\xb1\xe7\x94\xb0Z", 0},
        {"ISO IR87", "\x1b$B;3\x1b(B", "\xe5\xb1\xb1", 0},
        {"~ISO IR159", "\x1b$(D0!\x1b(B", "\xe4\xb8\x82", 0},
        {"ASCII", "\\M2442\\;3\\C2842\\Z", "\xe5\xb1\xb1Z", 0},
        {"8859/1~8859/5", "\xe9\x1b-L\xbc", "\xc3\xa9\xd0\x9c", 0},
        {"8859/1", "\\C2D4C\\\xbc\\C2D41\\\xe9", "\xd0\x9c\xc3\xa9", 0},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_text_notes notes = {0};
        build_with_set(&c, rows[i].sets);
        struct str got = hl7_text(&c.index, c.support.cx.arena, str_from(rows[i].raw), &notes);
        if (!str_is(got, rows[i].want) || notes.bad_bytes != rows[i].bad)
            fail_msg("row %zu, %s: \"%.*s\", %u bad", i, rows[i].sets, STR_ARGS(got), notes.bad_bytes);
    }
    case_fini(&c);
}

static void test_encode__escapes_and_reads_back(void **state)
{
    (void)state;
    static const struct {
        const char *sets, *text, *want;
    } rows[] = {
        {"", "plain", "plain"},
        {"", "a|b^c&d~e\\f", "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f"},
        {"", "a\rMSH|b", "a\\X0D\\MSH\\F\\b"}, /* a decoded CR never becomes a segment break */
        {"", "a\nb\tc", "a\\.br\\b\tc"},
        {"UNICODE UTF-8", "caf\xc3\xa9", "caf\xc3\xa9"},
        {"8859/1", "caf\xc3\xa9", "caf\xe9"},
        {"GB 18030-2000", "\xe8\xa1\xb8|", "\xd0\x7c\\F\\"},
        {"~ISO IR87", "A\xe5\xb1\xb1|Z", "A\x1b$B;3\x1b(B\\F\\Z"},
        {"", "", ""},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SCOPED(buf_fini) struct buf raw = {0};
        build_with_set(&c, rows[i].sets);
        assert_ok(&c.support, hl7_text_encode(&c.index, &c.support.cx, str_from(rows[i].text), &raw));
        if (!str_is(buf_str(&raw), rows[i].want))
            fail_msg("row %zu: \"%.*s\"", i, STR_ARGS(buf_str(&raw)));
        assert_str(hl7_text(&c.index, c.support.cx.arena, buf_str(&raw), NULL), rows[i].text);
    }
    case_fini(&c);
}

static void test_encode__refuses_what_the_set_lacks(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf raw = {0};
    buf_put_str(&raw, STR("kept"));
    build_with_set(&c, "8859/1");
    assert_fails(&c.support, hl7_text_encode(&c.index, &c.support.cx, STR("ok \xe5\xb1\xb1"), &raw),
                 "hl7.cannot-encode");
    build_with_set(&c, "");
    assert_fails(&c.support, hl7_text_encode(&c.index, &c.support.cx, STR("\xc3\xa9"), &raw), "hl7.cannot-encode");
    case_build(&c, STR("MSH|^|A|\r"));
    assert_fails(&c.support, hl7_text_encode(&c.index, &c.support.cx, STR("a^b"), &raw), "hl7.cannot-encode");
    assert_str(buf_str(&raw), "kept");
    case_fini(&c);
}

/* [HL7 2.5.1 2.5.3]: "" deletes, nothing keeps */
static void test_is_null__tells_delete_from_silence(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    case_build(&c, STR(MSH_251 "PID|\"\"|||\"\"\"\"\r"));
    assert_true(hl7_is_null(hl7_at(&c.index, "PID-1")));
    assert_false(hl7_is_null(hl7_at(&c.index, "PID-2")));
    assert_false(hl7_is_null(hl7_at(&c.index, "PID-4")));
    assert_false(hl7_is_null(hl7_at(&c.index, "PID-9")));
    case_fini(&c);
}

static void test_charset__knows_table_0211(void **state)
{
    (void)state;
    for (int set = CHARSET_ASCII; set < CHARSET_COUNT; set++) {
        enum charset again;
        assert_true(charset_from_hl7(str_from(charset_hl7_name((enum charset)set)), &again));
        assert_int_equal(again, set);
    }
    enum charset set = CHARSET_8859_9;
    assert_false(charset_from_hl7(STR("KLINGON-8"), &set));
    assert_false(charset_from_hl7(STR(""), &set));
    assert_int_equal(set, CHARSET_8859_9);
    assert_true(charset_from_hl7(STR(" unicode utf-8 "), &set));
    assert_int_equal(set, CHARSET_UTF8);
}

static void test_charset__round_trips_every_byte_of_the_one_byte_sets(void **state)
{
    (void)state;
    for (int set = CHARSET_8859_1; set <= CHARSET_JIS_X0201; set++) {
        for (int byte = 0; byte < 256; byte++) {
            SCOPED(buf_fini) struct buf text = {0};
            SCOPED(buf_fini) struct buf back = {0};
            char source = (char)byte;
            size_t bad = charset_to_utf8((enum charset)set, str_make(&source, 1), &text);
            assert_int_equal(bad == 0, charset_fits((enum charset)set, str_make(&source, 1)));
            assert_true(str_is_utf8(buf_str(&text)));
            if (bad > 0)
                continue;
            assert_int_equal(charset_from_utf8((enum charset)set, buf_str(&text), &back), 0);
            assert_true(str_eq(buf_str(&back), str_make(&source, 1)));
        }
    }
}

/* Text of the last set; one more than eight would leave it to be read as ASCII. */
static void test_sets__of_msh_18_are_taken_up_to_the_most_and_refused_past_it(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    for (int sets = HL7_CHARSETS_MAX; sets <= HL7_CHARSETS_MAX + 1; sets++) {
        SCOPED(buf_fini) struct buf message = {0};
        buf_put_str(&message, STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1||||||ASCII"));
        for (int i = 2; i < sets; i++)
            buf_put_str(&message, STR("~8859/1"));
        buf_put_str(&message, STR("~ISO IR159\rPID|1||7||\x1b$(D0!\x1b(B\r"));
        if (sets == HL7_CHARSETS_MAX) {
            struct hl7_path name = hl7_path_make("PID-5");
            assert_ok(&c.support, hl7_index_build(&c.index, &c.support.cx, buf_str(&message), NULL));
            assert_str(hl7_text(&c.index, c.support.cx.arena, hl7_get(&c.index, &name), NULL), "\xe4\xb8\x82");
        } else {
            assert_fails(&c.support, hl7_index_build(&c.index, &c.support.cx, buf_str(&message), NULL),
                         "hl7.charset-unknown");
        }
    }
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode__reads_each_escape_once),
        cmocka_unit_test(test_decode__honours_the_sets_of_msh_18),
        cmocka_unit_test(test_sets__of_msh_18_are_taken_up_to_the_most_and_refused_past_it),
        cmocka_unit_test(test_encode__escapes_and_reads_back),
        cmocka_unit_test(test_encode__refuses_what_the_set_lacks),
        cmocka_unit_test(test_is_null__tells_delete_from_silence),
        cmocka_unit_test(test_charset__knows_table_0211),
        cmocka_unit_test(test_charset__round_trips_every_byte_of_the_one_byte_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
