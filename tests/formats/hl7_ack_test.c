/* hl7v2/ack.h and header.h: the matrix of acknowledgements, echoes that cannot inject, replies that confirm nothing. */
#include "base/limits.h"
#include "hl7_case.h"
#include "hl7v2/ack.h"

static void build_ack(struct hl7_case *c, struct str message, const struct reason *reason, const char *at,
                      struct buf *out)
{
    struct hl7_header header;
    struct hl7_path path = {0};
    if (at)
        assert_ok(&c->support, hl7_path_compile(&c->support.cx, str_from(at), &path));
    hl7_header_read(message, &header);
    struct hl7_ack ack = {.to = &header,
                          .code = hl7_ack_code_for(reason, false),
                          .control_id = STR("I7"),
                          .now_us = 0,
                          .reason = reason,
                          .location = &path};
    buf_clear(out);
    hl7_ack_build(&ack, out);
}

/* [HL7 2.5.1 2.9.2, table 0155] */
static void test_mode__follows_msh_15_and_16(void **state)
{
    (void)state;
    static const struct {
        const char *type, *accept, *application;
        bool enhanced;
        enum hl7_ack_when accept_when, application_when;
    } rows[] = {
        {"ADT^A01", "", "", false, HL7_ACK_NEVER, HL7_ACK_ALWAYS},
        {"ADT^A01", "AL", "", true, HL7_ACK_ALWAYS, HL7_ACK_NEVER},
        {"ADT^A01", "", "AL", true, HL7_ACK_NEVER, HL7_ACK_ALWAYS},
        {"ADT^A01", "NE", "NE", true, HL7_ACK_NEVER, HL7_ACK_NEVER},
        {"ADT^A01", "ER", "SU", true, HL7_ACK_ON_ERROR, HL7_ACK_ON_SUCCESS},
        {"ADT^A01", "SU", "ER", true, HL7_ACK_ON_SUCCESS, HL7_ACK_ON_ERROR},
        {"ADT^A01", "al", "??", true, HL7_ACK_ALWAYS, HL7_ACK_ALWAYS},
        {"ACK^A01", "", "", false, HL7_ACK_NEVER, HL7_ACK_NEVER}, /* an answer is never answered */
        {"ACK^A01", "AL", "AL", true, HL7_ACK_NEVER, HL7_ACK_NEVER},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_header header;
        hl7_header_read(arena_printf(c.support.cx.arena, "MSH|^~\\&|||||||%s|1|P|2.5.1|||%s|%s\r", rows[i].type,
                                     rows[i].accept, rows[i].application),
                        &header);
        struct hl7_ack_mode mode = hl7_ack_mode(&header);
        assert_int_equal(mode.enhanced, rows[i].enhanced);
        assert_int_equal(mode.accept, rows[i].accept_when);
        assert_int_equal(mode.application, rows[i].application_when);
    }
    static const bool due[4][2] = {{false, false}, {true, true}, {true, false}, {false, true}}; /* [when][success] */
    for (int when = 0; when < 4; when++)
        for (int success = 0; success < 2; success++)
            assert_int_equal(hl7_ack_is_due((enum hl7_ack_when)when, success != 0), due[when][success]);
    case_fini(&c);
}

/* [HL7 2.5.1 2.9.2]: AR when it cannot be processed at all, AE for its content */
static void test_code_for__tells_reject_from_error(void **state)
{
    (void)state;
    static const struct {
        enum hl7_reason reason;
        enum hl7_ack_code application, accept;
    } rows[] = {
        {HL7_NO_MSH, HL7_AR, HL7_CR},          {HL7_BAD_DELIMITERS, HL7_AR, HL7_CR},
        {HL7_CHARSET_UNKNOWN, HL7_AR, HL7_CR}, {HL7_NO_CONTROL_ID, HL7_AR, HL7_CR},
        {HL7_CHARSET, HL7_AE, HL7_CE},         {HL7_BAD_SEGMENT, HL7_AE, HL7_CE},
        {HL7_TOO_LONG, HL7_AE, HL7_CE},        {HL7_NUL_BYTE, HL7_AE, HL7_CE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(hl7_ack_code_for(&hl7_reasons[rows[i].reason], false), rows[i].application);
        assert_int_equal(hl7_ack_code_for(&hl7_reasons[rows[i].reason], true), rows[i].accept);
    }
    assert_int_equal(hl7_ack_code_for(NULL, false), HL7_AA);
    assert_int_equal(hl7_ack_code_for(NULL, true), HL7_CA);
}

/* [HL7 2.5.1 2.14.1, 2.15.5, 2.15.8] */
static void test_build__writes_the_form_of_the_version(void **state)
{
    (void)state;
    static const struct {
        const char *message, *at, *want;
        bool fails;
    } rows[] = {
        {"MSH|^~\\&|S|SF^1.2^ISO|R|RF|1||ADT^A01^ADT_A01|77|T|2.5.1\r", NULL,
         "MSH|^~\\&|R|RF|S|SF^1.2^ISO|19700101000000.000+0000||ACK^A01^ACK|I7|T|2.5.1\rMSA|AA|77\r", false},
        {"MSH|^~\\&|S||R||1||ADT^A01|77|P|2.3\r", NULL,
         "MSH|^~\\&|R||S||19700101000000.000+0000||ACK^A01|I7|P|2.3\rMSA|AA|77\r", false},
        {"MSH|^~\\&|S||R||1||ADT^A01|77|P|2.5.1|||AL|AL\r", NULL,
         "MSH|^~\\&|R||S||19700101000000.000+0000||ACK^A01^ACK|I7|P|2.5.1|||NE|NE\rMSA|AA|77\r", false},
        {"MSH|^~\\&|S||R||1||ADT^A01|77|P|2.5.1\r", "PID(2)-3(4).5.6",
         "MSH|^~\\&|R||S||19700101000000.000+0000||ACK^A01^ACK|I7|P|2.5.1\r"
         "MSA|AE|77|bytes are not text of the declared character set\r"
         "ERR||PID^2^3^4^5^6|102^Data type error^HL70357|E|hl7.charset|||bytes are not text of the declared character "
         "set\r",
         true},
        {"MSH|^~\\&|S||R||1||ADT^A01|77|P|2.4\r", "PID-3",
         "MSH|^~\\&|R||S||19700101000000.000+0000||ACK^A01^ACK|I7|P|2.4\r"
         "MSA|AE|77|bytes are not text of the declared character set\r"
         "ERR|PID^1^3^102&Data type error&HL70357\r",
         true},
        {"MSH*:;!?*S**R**1**ADT:A01*7:7;!F!*P*2.5.1\r", NULL,
         "MSH*:;!?*R**S**19700101000000.000+0000**ACK:A01:ACK*I7*P*2.5.1\rMSA*AA*7!S!7!R!!F!\r", false},
        {"MSH|^~\\&|S|||||ADT^A01\r", NULL, "MSH|^~\\&|||S||19700101000000.000+0000||ACK|I7|P|2.5.1\rMSA|AA|\r", false},
        {"nonsense", NULL, "MSH|^~\\&|||||19700101000000.000+0000||ACK|I7|P|2.5.1\rMSA|AA|\r", false},
        {"MSH|^~\\&##|S|||||| ADT^A01|77|P|2.5.1\r", NULL, /* MSH-2 is refused, yet the id can be told */
         "MSH|^~\\&|||S||19700101000000.000+0000||ACK^A01^ACK|I7|P|2.5.1\rMSA|AA|77\r", false},
    };
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf out = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        build_ack(&c, str_from(rows[i].message), rows[i].fails ? &hl7_reasons[HL7_CHARSET] : NULL, rows[i].at, &out);
        if (!str_is(buf_str(&out), rows[i].want))
            fail_msg("row %zu:\n%.*s", i, STR_ARGS(buf_str(&out)));
    }
    case_fini(&c);
}

static void test_build__echoes_up_to_the_most_bytes_and_cuts_beyond(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    for (size_t len = HL7_ECHO_MAX; len <= HL7_ECHO_MAX + 1; len++) {
        SCOPED(buf_fini) struct buf out = {0};
        SCOPED(buf_fini) struct buf message = {0};
        char application[HL7_ECHO_MAX + 1];
        memset(application, 'A', sizeof application);
        buf_printf(&message, "MSH|^~\\&|%.*s||R||1||ADT^A01|C1|P|2.5.1\r", (int)len, application);
        build_ack(&c, buf_str(&message), NULL, NULL, &out);
        size_t echoed = 0, run = 0;
        for (size_t i = 0; i < out.len; i++) {
            run = out.data[i] == 'A' ? run + 1 : 0;
            echoed = run > echoed ? run : echoed;
        }
        assert_int_equal(echoed, HL7_ECHO_MAX);
    }
    case_fini(&c);
}

static void test_build__an_echo_cannot_inject(void **state)
{
    (void)state;
    static const struct {
        struct str control_id;
        const char *msa_2;
    } rows[] = {
        {STR_INIT("A^B&C~D"), "A\\S\\B\\T\\C\\R\\D"},
        {STR_INIT("A\\X0D\\MSA"), "A\\X0D\\MSA"},
        {STR_INIT("A\\S\\B"), "A\\S\\B"},
        {STR_INIT("A\\B"), "A\\E\\B"},
        {STR_INIT("A\\ x\\"), "A\\E\\ x\\E\\"},
        {STR_INIT("A\x01\0B"), "A\\X01\\\\X00\\B"},
        {STR_INIT("%s%n'; DROP"), "%s%n'; DROP"},
    };
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf out = {0};
    SCOPED(buf_fini) struct buf message = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_reply reply;
        buf_clear(&message);
        buf_put_str(&message, STR("MSH|^~\\&|S||R||1||ADT^A01|"));
        buf_put_str(&message, rows[i].control_id);
        buf_put_str(&message, STR("|P|2.5.1\r"));
        build_ack(&c, buf_str(&message), NULL, NULL, &out);
        assert_ok(&c.support, hl7_ack_read(&c.support.cx, buf_str(&out), &reply));
        assert_str(reply.control_id, rows[i].msa_2);
    }
    char long_id[300];
    memset(long_id, 'X', sizeof long_id);
    buf_clear(&message);
    buf_printf(&message, "MSH|^~\\&|S||R||1||ADT^A01|%.*s|P|2.5.1\r", (int)sizeof long_id, long_id);
    build_ack(&c, buf_str(&message), NULL, NULL, &out);
    struct hl7_reply reply;
    assert_ok(&c.support, hl7_ack_read(&c.support.cx, buf_str(&out), &reply));
    assert_true(hl7_control_id_eq(str_make(long_id, sizeof long_id), reply.control_id)); /* echoed exactly */
    case_fini(&c);
}

static void test_read__takes_only_acknowledgements(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    struct hl7_reply reply;
    assert_ok(
        &c.support,
        hl7_ack_read(
            &c.support.cx,
            STR("MSH|^~\\&|R||S||1||ACK^A01^ACK|9|P|2.5.1\rMSA|AE|77|why|5\rERR||PID^1^3|204^x^HL70357|E||||no such\r"),
            &reply));
    assert_int_equal(reply.code, HL7_AE);
    assert_str(reply.control_id, "77");
    assert_str(reply.text, "why");
    assert_str(reply.sequence, "5");
    assert_str(reply.error_code, "204");
    assert_str(reply.header.control_id, "9");
    assert_ok(&c.support, hl7_ack_read(&c.support.cx, STR("MSH|^~\\&|R\nMSA|CR|7\nERR|PID^1^3^101&x\n"), &reply));
    assert_int_equal(reply.code, HL7_CR);
    assert_str(reply.error_code, "101");

    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("<html>503</html>"),
        STR_INIT("MSH|^~\\&|R||S||1||ACK|9|P|2.5.1\r"),
        STR_INIT("MSH|^~\\&|R||S||1||ACK|9|P|2.5.1\rMSA|OK|1\r"),
        STR_INIT("MSH|^~\\&|R||S||1||ACK|9|P|2.5.1\rMSA|AA|1\rMSA|AA|2\r"),
        STR_INIT("MSA|AA|1\r"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(&c.support, hl7_ack_read(&c.support.cx, bad[i], &reply), "hl7.not-an-ack");

    assert_true(hl7_control_id_eq(STR("MSG1"), STR(" MSG1 ")));
    assert_false(hl7_control_id_eq(STR("MSG1"), STR("MSG2")));
    assert_false(hl7_control_id_eq(STR(""), STR("")));
    case_fini(&c);
}

static void test_header_check__names_the_missing_field(void **state)
{
    (void)state;
    static const struct {
        const char *message, *reason, *where;
    } rows[] = {
        {"MSH|^~\\&|S||R||1|||77|P|2.5.1\r", "hl7.no-type", "MSH-9"},
        {"MSH|^~\\&|S||R||1||ADT^A01||P|2.5.1\r", "hl7.no-control-id", "MSH-10"},
        {"MSH|^~\\&|S||R||1||ADT^A01|\"\"|P|2.5.1\r", "hl7.no-control-id", "MSH-10"},
        {"MSH|^~\\&|S||R||1||ADT^A01|77|P\r", "hl7.no-version", "MSH-12"},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_header header;
        struct hl7_path fault = {0};
        char text[HL7_PATH_TEXT_MAX];
        hl7_header_read(str_from(rows[i].message), &header);
        assert_fails(&c.support, hl7_header_check(&c.support.cx, &header, &fault), rows[i].reason);
        hl7_path_format(&fault, text);
        assert_string_equal(text, rows[i].where);
    }
    assert_int_equal(hl7_version_number(STR("2.5.1")), 20501);
    assert_int_equal(hl7_version_number(STR("2.3")), 20300);
    assert_int_equal(hl7_version_number(STR("2.3.z")), 0);
    assert_int_equal(hl7_version_number(STR("")), 0);
    case_fini(&c);
}

static void test_header_check__takes_the_longest_control_id_and_no_longer(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    for (int len = LIMIT_CONTROL_ID_BYTES; len <= LIMIT_CONTROL_ID_BYTES + 1; len++) {
        struct hl7_header header;
        struct hl7_path fault = {0};
        char id[LIMIT_CONTROL_ID_BYTES + 2] = {0};
        memset(id, '7', (size_t)len);
        struct str message = arena_printf(&c.support.arena, "MSH|^~\\&|S||R||1||ADT^A01|%s|P|2.5.1\r", id);
        hl7_header_read(message, &header);
        if (len == LIMIT_CONTROL_ID_BYTES)
            assert_ok(&c.support, hl7_header_check(&c.support.cx, &header, &fault));
        else
            assert_fails(&c.support, hl7_header_check(&c.support.cx, &header, &fault), "hl7.long-control-id");
    }
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mode__follows_msh_15_and_16),
        cmocka_unit_test(test_code_for__tells_reject_from_error),
        cmocka_unit_test(test_build__writes_the_form_of_the_version),
        cmocka_unit_test(test_build__an_echo_cannot_inject),
        cmocka_unit_test(test_build__echoes_up_to_the_most_bytes_and_cuts_beyond),
        cmocka_unit_test(test_read__takes_only_acknowledgements),
        cmocka_unit_test(test_header_check__names_the_missing_field),
        cmocka_unit_test(test_header_check__takes_the_longest_control_id_and_no_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
