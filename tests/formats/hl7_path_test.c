/* hl7v2/path.h: the grammar, its errors, and walking. */
#include "hl7_case.h"

static void test_compile__reads_what_format_writes(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "PID",        "PID-3",      "PID-3(2)",          "PID-3.4",   "PID-3(2).4.1",  "OBX(3)-5",
        "OBX(*)-3.1", "PID-3(*).5", "OBX(*)-5(*).65534", "ZB2-65534", "OBX(99999999)", "MSH-9.2"};
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct hl7_path path;
        char text[HL7_PATH_TEXT_MAX];
        assert_ok(&c.support, hl7_path_compile(&c.support.cx, str_from(paths[i]), &path));
        assert_int_equal(hl7_path_format(&path, text), strlen(paths[i]));
        assert_string_equal(text, paths[i]);
    }
    case_fini(&c);
}

static void test_compile__names_the_position_of_the_error(void **state)
{
    (void)state;
    static const struct {
        const char *path, *position;
    } rows[] = {
        {"", "position 1:"},
        {"PI", "position 1:"},
        {"pid-3", "position 1:"},
        {"PID-", "position 5:"},
        {"PID-0", "position 5:"},
        {"PID-03", "position 5:"},
        {"PID-65535", "position 5:"},
        {"PID-3.", "position 7:"},
        {"PID-3(", "position 7:"},
        {"PID-3(2", "position 8:"},
        {"PID-3()", "position 7:"},
        {"PID-3.1.2.3", "position 10:"},
        {"PID.3", "position 4:"},
        {"PID-3 ", "position 6:"},
        {"PID(0)-1", "position 5:"},
        {"PID-3(2)4", "position 9:"},
        {"PID-3.*", "position 7:"},
        {"1ID-3", "position 1:"},
        {"PID(100000000)", "position 5:"},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_path path = {.field = 77};
        assert_fails(&c.support, hl7_path_compile(&c.support.cx, str_from(rows[i].path), &path), "hl7.bad-path");
        if (!str_starts(c.support.cx.detail, str_from(rows[i].position)))
            fail_msg("%s: %.*s", rows[i].path, STR_ARGS(c.support.cx.detail));
        assert_int_equal(path.field, 77); /* untouched on failure */
    }
    case_fini(&c);
}

static void test_walk__answers_every_present_place_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"OBX(*)-1", "OBX-1=1 OBX(2)-1=2 OBX(3)-1= "},
        {"OBX(*)-5", "OBX-5=a~b^c OBX(2)-5=d "},
        {"OBX(*)-5(*)", "OBX-5(1)=a OBX-5(2)=b^c OBX(2)-5(1)=d "},
        {"OBX(*)-5(*).2", "OBX-5(2).2=c "},
        {"OBX(*)-5.1", "OBX-5.1=a OBX(2)-5.1=d "},
        {"OBX(2)-5(*)", "OBX(2)-5(1)=d "},
        {"OBX-5(2)", "OBX-5(2)=b^c "},
        {"OBX(*)", "OBX=OBX|1||||a~b^c OBX(2)=OBX|2||||d OBX(3)=OBX| "},
        {"NK1(*)-1", ""},
        {"MSH-2(*)", "MSH-2(1)=^~\\& "},
    };
    struct hl7_case c;
    case_init(&c);
    case_build(&c, STR(MSH_251 "OBX|1||||a~b^c\rNTE|1\rOBX|2||||d\rOBX|\r"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_path path = hl7_path_make(rows[i].path);
        struct hl7_walk walk;
        SCOPED(buf_fini) struct buf got = {0};
        hl7_walk_init(&walk, &c.index, &path);
        while (hl7_walk_next(&walk)) {
            char text[HL7_PATH_TEXT_MAX];
            struct str again = hl7_get(&c.index, &walk.at);
            assert_true(again.data == walk.value.data && again.len == walk.value.len);
            hl7_path_format(&walk.at, text);
            buf_printf(&got, "%s=%.*s ", text, STR_ARGS(walk.value));
        }
        assert_str(buf_str(&got), rows[i].want);
    }
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compile__reads_what_format_writes),
        cmocka_unit_test(test_compile__names_the_position_of_the_error),
        cmocka_unit_test(test_walk__answers_every_present_place_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
