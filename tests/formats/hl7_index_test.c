/* hl7v2/index.h: what is found, what is tolerated, what is refused and why. */
#include "base/limits.h"
#include "hl7_case.h"
#include "hl7v2/bench.h"

#include <malloc.h>

static void test_build__finds_segments_and_fields(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    case_build(&c, STR(MSH_251 "EVN||20260101\rPID|1||77^^^NORTH^MR~88^^^SOUTH&1.2&ISO^MR||MADE^UP\rPID|2\rZZ1|"));
    assert_int_equal(c.index.segment_count, 5);
    assert_true(c.index.ascii);
    assert_int_equal(hl7_warnings_total(&c.index.warnings), 0);
    static const struct {
        const char *path, *want; /* NULL: absent */
    } rows[] = {
        {"MSH-1", "|"},
        {"MSH-2", "^~\\&"},
        {"MSH-2.1", "^~\\&"},
        {"MSH-2.2", NULL},
        {"MSH-3", "LAB"},
        {"MSH-9.2", "A01"},
        {"MSH-10", "ID1"},
        {"MSH-12", "2.5.1"},
        {"MSH-13", NULL},
        {"PID-1", "1"},
        {"PID-2", ""},
        {"PID-3.1", "77"},
        {"PID-3(2).1", "88"},
        {"PID-3(3).1", NULL},
        {"PID-3.4.1", "NORTH"},
        {"PID-3.4.2", NULL},
        {"PID-3(2).4.2", "1.2"},
        {"PID-3(2).4.3", "ISO"},
        {"PID-5", "MADE^UP"},
        {"PID-5.3", NULL},
        {"PID-6", NULL},
        {"PID(2)-1", "2"},
        {"PID(3)-1", NULL},
        {"ZZ1-1", ""},
        {"ZZ1-2", NULL},
        {"EVN", "EVN||20260101"},
        {"NK1-1", NULL},
        {"PID-3(1)", "77^^^NORTH^MR"},
        {"PID-3", "77^^^NORTH^MR~88^^^SOUTH&1.2&ISO^MR"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str got = hl7_at(&c.index, rows[i].path);
        if (rows[i].want == NULL && got.data != NULL)
            fail_msg("%s should be absent", rows[i].path);
        if (rows[i].want != NULL && (got.data == NULL || !str_is(got, rows[i].want)))
            fail_msg("%s is \"%.*s\", want \"%s\"", rows[i].path, STR_ARGS(got), rows[i].want);
    }
    case_fini(&c);
}

/* [HL7 2.5.1 2.15.9.2]: MSH-2 may be short; what is missing is absent, never defaulted */
static void test_build__short_msh_2_leaves_delimiters_absent(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    case_build(&c, STR("MSH|^|A|B\rPID|1~2|a&b^c\\F\\\r"));
    assert_int_equal(c.index.delimiters.repetition, 0);
    assert_int_equal(c.index.delimiters.escape, 0);
    assert_int_equal(c.index.delimiters.subcomponent, 0);
    assert_str(hl7_at(&c.index, "PID-1(1)"), "1~2");
    assert_true(hl7_at(&c.index, "PID-1(2)").data == NULL);
    assert_str(hl7_at(&c.index, "PID-2.1.1"), "a&b");
    assert_str(case_text(&c, "PID-2.2"), "c\\F\\");
    case_fini(&c);
}

/* [HL7 2.5.1 2.5.4] any distinct printable delimiters; [HL7 2.7 2.5.5.2] truncation character */
static void test_build__takes_any_distinct_delimiters(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    case_build(&c, STR("MSH*:;!?*A:B*C\rPID*1;2*x:y?z\r"));
    assert_str(hl7_at(&c.index, "MSH-3.2"), "B");
    assert_str(hl7_at(&c.index, "PID-1(2)"), "2");
    assert_str(hl7_at(&c.index, "PID-2.2.2"), "z");
    case_build(&c, STR("MSH|^~\\&#|A|B\r"));
    assert_int_equal(c.index.delimiters.truncation, '#');
    case_fini(&c);
}

static void test_build__refuses_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        const char *reason;
    } rows[] = {
        {STR_INIT(""), "hl7.no-msh"},
        {STR_INIT("MS"), "hl7.no-msh"},
        {STR_INIT("   MSH|^~\\&|A|\r"), "hl7.no-msh"},
        {STR_INIT("PID|1\rMSH|^~\\&|A|\r"), "hl7.no-msh"},
        {STR_INIT("MSH"), "hl7.short-msh"},
        {STR_INIT("MSH|"), "hl7.short-msh"},
        {STR_INIT("MSH|^~\\&"), "hl7.short-msh"},
        {STR_INIT("MSH|^~\\&\r"), "hl7.short-msh"},
        {STR_INIT("MSH||A|\r"), "hl7.bad-delimiters"},
        {STR_INIT("MSH|^^\\&|A|\r"), "hl7.bad-delimiters"},
        {STR_INIT("MSH|^~\\&##|A|\r"), "hl7.bad-delimiters"},
        {STR_INIT("MSHA^~\\&A"), "hl7.bad-delimiters"},
        {STR_INIT("MSH|1~\\&|A"), "hl7.bad-delimiters"},
        {STR_INIT("MSH\r^~\\&\r"), "hl7.bad-delimiters"},
        {STR_INIT("MSH\0^~\\&\0"), "hl7.bad-delimiters"},
        {STR_INIT("MSH\xc2\xa6^~\\&\xc2\xa6"), "hl7.bad-delimiters"},
        {STR_INIT("MSH|^~\\&|A\rpid|1\r"), "hl7.bad-segment"},
        {STR_INIT("MSH|^~\\&|A\rPI|1\r"), "hl7.bad-segment"},
        {STR_INIT("MSH|^~\\&|A\r1ID|1\r"), "hl7.bad-segment"},
        {STR_INIT("MSH|^~\\&|A\rPIDX|1\r"), "hl7.bad-segment"},
        {STR_INIT("MSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\r"), "hl7.second-msh"},
        {STR_INIT("MSH|^~\\&|A\rPID|a\0b\r"), "hl7.nul-byte"},
        {STR_INIT("MSH|^~\\&|A|||||||||||||||KLINGON-8\r"), "hl7.charset-unknown"},
        {STR_INIT("MSH|^~\\&|A|||||||||||||||UNICODE UTF-16\r"), "hl7.charset-unknown"},
        {STR_INIT("MSH|^~\\&|A\rPID|a\xe9z\r"), "hl7.charset"},
        {STR_INIT("MSH|^~\\&|A|||||||||||||||UNICODE UTF-8\rPID|a\xe9z\r"), "hl7.charset"},
        {STR_INIT("MSH|^~\\&|A|||||||||||||||8859/3\rPID|a\xa5z\r"), "hl7.charset"},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_fails(&c.support, hl7_index_build(&c.index, &c.support.cx, rows[i].bytes, NULL), rows[i].reason);
        assert_int_equal(c.index.segment_count, 0);
        assert_true(c.support.cx.reason->hl7_code >= 100);
    }
    case_fini(&c);
}

static void test_build__says_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        const char *where;
    } rows[] = {
        {STR_INIT("MSH|^~\\&|A\rPID|1\rPID|2|a\0b\r"), "PID(2)-2"},
        {STR_INIT("MSH|^~\\&|A|||||||||||||||KLINGON-8\r"), "MSH-18(1)"},
        {STR_INIT("MSH|^~\\&|A\rPID|1|ok|a\xe9z\r"), "PID-3"},
        {STR_INIT("MSH|^^~&|A|\r"), "MSH-2"},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[HL7_PATH_TEXT_MAX];
        assert_int_not_equal(hl7_index_build(&c.index, &c.support.cx, rows[i].bytes, NULL), STATUS_OK);
        hl7_path_format(&c.index.fault, text);
        assert_string_equal(text, rows[i].where);
    }
    case_fini(&c);
}

/* [HL7 2.5.1 2.5.1]: the segment end is CR; what else is met in the field is tolerated and counted */
static void test_build__tolerates_line_ends_and_counts(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        uint32_t segments, line_ends, blank_lines, feeds_in_text;
    } rows[] = {
        {STR_INIT("MSH|^~\\&|A\rPID|1\r"), 2, 0, 0, 0},
        {STR_INIT("MSH|^~\\&|A\rPID|1"), 2, 0, 0, 0},
        {STR_INIT("MSH|^~\\&|A\nPID|1\n"), 2, 2, 0, 0},
        {STR_INIT("MSH|^~\\&|A\r\nPID|1\r\n"), 2, 2, 0, 0},
        {STR_INIT("MSH|^~\\&|A\rPID|1\nPV1|1\r\n"), 3, 2, 0, 0},
        {STR_INIT("MSH|^~\\&|A\r\rPID|1\r\r"), 2, 0, 2, 0},
        {STR_INIT("\r\nMSH|^~\\&|A\r"), 1, 0, 2, 0},
        {STR_INIT("MSH|^~\\&|A\rOBX|1|one\ntwo|x\r"), 2, 0, 0, 1},
        {STR_INIT("MSH|^~\\&|A\rOBX|1|one\nNTE|x\r"), 3, 1, 0, 0},
        {STR_INIT("MSH|^~\\&|A\rPID\nPV1"), 3, 1, 0, 0},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        case_build(&c, rows[i].bytes);
        if (c.index.segment_count != rows[i].segments || c.index.warnings.line_ends != rows[i].line_ends ||
            c.index.warnings.blank_lines != rows[i].blank_lines ||
            c.index.warnings.feeds_in_text != rows[i].feeds_in_text)
            fail_msg("row %zu: %u segments, %u line ends, %u blank, %u feeds", i, c.index.segment_count,
                     c.index.warnings.line_ends, c.index.warnings.blank_lines, c.index.warnings.feeds_in_text);
    }
    struct hl7_input strict = {.strict_line_ends = true};
    assert_ok(&c.support, hl7_index_build(&c.index, &c.support.cx, STR("MSH|^~\\&|A\rPID|1\nPV1|1\r"), &strict));
    assert_int_equal(c.index.segment_count, 2);
    assert_str(hl7_at(&c.index, "PID-1"), "1\nPV1");
    case_fini(&c);
}

static void test_build__keeps_limits(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    struct hl7_input input = {.bytes_max = 19, .segments_max = 2};
    struct str two = STR("MSH|^~\\&|A\rPID|1\r"), three = STR("MSH|^~\\&|A\rP01|\rP02\r");
    assert_ok(&c.support, hl7_index_build(&c.index, &c.support.cx, two, &input));
    assert_fails(&c.support, hl7_index_build(&c.index, &c.support.cx, three, &input), "hl7.too-long");
    input.bytes_max = 0;
    assert_fails(&c.support, hl7_index_build(&c.index, &c.support.cx, three, &input), "hl7.too-many-segments");
    case_fini(&c);
}

/* The vector scanner works in blocks of 64: every length and every place of a separator must give the same as a plain
 * split. */
static void check_every_length(void)
{
    struct hl7_case c;
    case_init(&c);
    char text[400];
    uint64_t seed = 7;
    for (size_t len = 15; len < sizeof text; len++) {
        memcpy(text, "MSH|^~\\&|A\r", 11);
        for (size_t i = 11; i < len; i++)
            text[i] = hash_random(&seed) % 4 ? 'x' : '|';
        memcpy(text + 11, "ZZZ|", 4);
        case_build(&c, str_make(text, len));
        struct str rest = str_make(text + 15, len - 15), part;
        uint32_t field = 1;
        do {
            size_t end = 0;
            while (end < rest.len && rest.data[end] != '|')
                end++;
            part = str_sub(rest, 0, end);
            struct str got = hl7_field(&c.index, 1, field);
            assert_true(got.data == part.data && got.len == part.len);
            field++;
            if (end == rest.len)
                break;
            rest = str_from_at(rest, end + 1);
        } while (true);
        assert_int_equal(c.index.segments[1].fields, field - 1);
    }
    case_fini(&c);
}

static void test_scan__agrees_with_a_plain_split_at_every_length(void **state)
{
    (void)state;
    check_every_length();
    hl7_bench_without_avx2(true);
    check_every_length();
    test_build__tolerates_line_ends_and_counts(state);
    test_build__refuses_with_a_reason(state);
    hl7_bench_without_avx2(false);
}

/* [HL7 2.5.1 2.15.9.18] sets whose bytes look like delimiters are never split inside a character */
static void test_build__never_splits_inside_a_character(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    case_build(&c, STR("MSH|^~\\&|A|||||||||||||||GB 18030-2000\rPID|\xd5\x5c^\xd0\x7c|X\r"));
    assert_str(hl7_at(&c.index, "PID-1.1"), "\xd5\x5c");
    assert_str(hl7_at(&c.index, "PID-1.2"), "\xd0\x7c");
    assert_str(hl7_at(&c.index, "PID-2"), "X");
    case_build(&c, STR("MSH|^~\\&|A|||||||||||||||BIG-5\rPID|\xa4\x7c^\xa4\x5e|X\r"));
    assert_str(hl7_at(&c.index, "PID-1.2"), "\xa4\x5e");
    assert_str(hl7_at(&c.index, "PID-2"), "X");
    /* a JIS character whose second byte is 0x7C, and a shift that is never taken back */
    case_build(&c, STR("MSH|^~\\&|A|||||||||||||||~ISO IR87\rPID|\x1b$B;|\x1b(B^Q|X|\x1b$B;3|Y\r"));
    assert_str(hl7_at(&c.index, "PID-1.2"), "Q");
    assert_str(hl7_at(&c.index, "PID-2"), "X");
    assert_str(hl7_at(&c.index, "PID-4"), "Y");
    case_fini(&c);
}

static void test_build__reads_undeclared_utf8_and_counts_it(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    case_build(&c, STR("\xef\xbb\xbfMSH|^~\\&|A\rPID|\xc3\xa9\r"));
    assert_int_equal(c.index.charset, CHARSET_UTF8);
    assert_int_equal(c.index.warnings.charset, 1);
    assert_int_equal(c.index.warnings.byte_order_mark, 1);
    struct hl7_input latin = {.charset_default = CHARSET_8859_1};
    assert_ok(&c.support, hl7_index_build(&c.index, &c.support.cx, STR("MSH|^~\\&|A\rPID|\xe9\r"), &latin));
    assert_str(case_text(&c, "PID-1"), "\xc3\xa9");
    case_fini(&c);
}

static void test_build__allocates_nothing_in_steady_state(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    struct str message = STR(MSH_251 "PID|1||77^^^NORTH^MR||MADE^UP\rPV1|1|I\r");
    case_build(&c, message);
    const void *segments = c.index.segments, *marks = c.index.marks;
    size_t used = mallinfo2().uordblks;
    for (int i = 0; i < 10000; i++)
        case_build(&c, message);
    assert_int_equal(mallinfo2().uordblks, used);
    assert_ptr_equal(c.index.segments, segments);
    assert_ptr_equal(c.index.marks, marks);
    hl7_index_trim(&c.index, 16);
    assert_int_equal(c.index.marks_cap, 0);
    case_fini(&c);
}

static void test_build__takes_the_most_segments_and_not_one_more(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf message = {0};
    buf_put_str(&message, STR(MSH_251));
    for (int i = 1; i < LIMIT_MESSAGE_SEGMENTS; i++)
        buf_put_str(&message, STR("OBX|1\r"));
    assert_ok(&c.support, hl7_index_build(&c.index, &c.support.cx, buf_str(&message), NULL));
    assert_int_equal(c.index.segment_count, LIMIT_MESSAGE_SEGMENTS);
    buf_put_str(&message, STR("OBX|1\r"));
    assert_fails(&c.support, hl7_index_build(&c.index, &c.support.cx, buf_str(&message), NULL),
                 "hl7.too-many-segments");
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build__finds_segments_and_fields),
        cmocka_unit_test(test_build__short_msh_2_leaves_delimiters_absent),
        cmocka_unit_test(test_build__takes_any_distinct_delimiters),
        cmocka_unit_test(test_build__refuses_with_a_reason),
        cmocka_unit_test(test_build__says_where_it_is_wrong),
        cmocka_unit_test(test_build__tolerates_line_ends_and_counts),
        cmocka_unit_test(test_build__keeps_limits),
        cmocka_unit_test(test_build__takes_the_most_segments_and_not_one_more),
        cmocka_unit_test(test_scan__agrees_with_a_plain_split_at_every_length),
        cmocka_unit_test(test_build__never_splits_inside_a_character),
        cmocka_unit_test(test_build__reads_undeclared_utf8_and_counts_it),
        cmocka_unit_test(test_build__allocates_nothing_in_steady_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
