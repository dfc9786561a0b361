/* hl7v2/batch.h: [HL7 2.5.1 2.10.3] files, batches, messages one after the other, frames in a file. */
#include "base/limits.h"
#include "hl7_case.h"
#include "hl7v2/batch.h"

#define MSG(id) "MSH|^~\\&|A|||||||" id "\rPID|1\r"

static status read_batch(struct hl7_case *c, struct str bytes, struct hl7_batch *batch, struct buf *out)
{
    struct hl7_batch_item item;
    status got;
    hl7_batch_init(batch, bytes);
    while ((got = hl7_batch_next(batch, &c->support.cx, &item)) == STATUS_OK) {
        struct hl7_path id = hl7_path_make("MSH-10");
        case_build(c, item.message);
        buf_printf(out, "%.*s%.*s%.*s ", STR_ARGS(item.file_id), STR_ARGS(item.batch_id),
                   STR_ARGS(hl7_get(&c->index, &id)));
    }
    hl7_batch_fini(batch);
    return got;
}

static void test_next__cuts_messages_and_checks_counts(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *want;
        uint32_t messages, mismatches, unclosed, stray;
        bool is_batch;
    } rows[] = {
        {MSG("1"), "1 ", 1, 0, 0, 0, false},
        {MSG("1") MSG("2"), "1 2 ", 2, 0, 0, 0, true},
        {"FHS|^~\\&|A||||||||F\rBHS|^~\\&|A||||||||B\r" MSG("1") MSG("2") "BTS|2\rFTS|1\r", "FB1 FB2 ", 2, 0, 0, 0,
         true},
        {"BHS|^~\\&|A\r" MSG("1") "BTS|9\rBHS|^~\\&|A\r" MSG("2") "BTS\r", "1 2 ", 2, 1, 0, 0, true},
        {"FHS|^~\\&|A\r" MSG("1") MSG("2") "FTS|2\r", "1 2 ", 2, 0, 0, 0, true},
        {"FHS|^~\\&|A\rBHS|^~\\&|A\rBTS|0\rFTS|1\r", "", 0, 0, 0, 0, true}, /* nothing to send */
        {"FHS|^~\\&|A\r" MSG("1"), "1 ", 1, 0, 1, 0, true},
        {MSG("1") "BTS|1\r", "1 ", 1, 0, 1, 0, true},
        {"BHS*:;!?*A\r" MSG("1") "BTS*1\r", "1 ", 1, 0, 0, 0, true},
        {"BHS|^~\\&|A\rnonsense\r" MSG("1") "BTS|x\r", "1 ", 1, 1, 0, 1, true},
        {"\xef\xbb\xbf\r\n" MSG("1"), "1 ", 1, 0, 0, 0, false},
        {"\x0b" MSG("1") "\x1c\r\x0b" MSG("2") "\x1c\r", "1 2 ", 2, 0, 0, 0, true},
        {"", "", 0, 0, 0, 0, false},
    };
    struct hl7_case c;
    case_init(&c);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hl7_batch batch;
        SCOPED(buf_fini) struct buf got = {0};
        assert_int_equal(hl7_is_batch(str_from(rows[i].bytes)), rows[i].is_batch);
        assert_int_equal(read_batch(&c, str_from(rows[i].bytes), &batch, &got), STATUS_OUT_OF_RANGE);
        if (!str_is(buf_str(&got), rows[i].want) || batch.messages != rows[i].messages ||
            batch.count_mismatches != rows[i].mismatches || batch.unclosed != rows[i].unclosed ||
            batch.stray_lines != rows[i].stray)
            fail_msg("row %zu: \"%.*s\" %u messages, %u mismatches, %u unclosed, %u stray", i, STR_ARGS(buf_str(&got)),
                     batch.messages, batch.count_mismatches, batch.unclosed, batch.stray_lines);
    }
    case_fini(&c);
}

static void test_next__refuses_nesting(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    struct hl7_batch batch;
    SCOPED(buf_fini) struct buf got = {0};
    assert_fails(&c.support, read_batch(&c, STR("FHS|^~\\&|A\rFHS|^~\\&|A\r" MSG("1")), &batch, &got),
                 "hl7.batch-nested");
    assert_fails(&c.support, read_batch(&c, STR("BHS|^~\\&|A\r" MSG("1") "BHS|^~\\&|A\r"), &batch, &got),
                 "hl7.batch-nested");
    assert_fails(&c.support, read_batch(&c, STR("BHS|^~\\&|A\rFHS|^~\\&|A\r"), &batch, &got), "hl7.batch-nested");
    case_fini(&c);
}

static void test_next__takes_the_most_messages_and_not_one_more(void **state)
{
    (void)state;
    struct hl7_case c;
    case_init(&c);
    SCOPED(buf_fini) struct buf bytes = {0};
    for (int i = 0; i < LIMIT_BATCH_MESSAGES; i++)
        buf_put_str(&bytes, STR("MSH|^~\\&|A\r"));
    for (int more = 0; more < 2; more++) {
        struct hl7_batch batch;
        struct hl7_batch_item item;
        hl7_batch_init(&batch, buf_str(&bytes));
        for (size_t i = 0; i < LIMIT_BATCH_MESSAGES; i++)
            assert_ok(&c.support, hl7_batch_next(&batch, &c.support.cx, &item));
        if (more)
            assert_fails(&c.support, hl7_batch_next(&batch, &c.support.cx, &item), "hl7.batch-too-long");
        else
            assert_int_equal(hl7_batch_next(&batch, &c.support.cx, &item), STATUS_OUT_OF_RANGE); /* the end */
        hl7_batch_fini(&batch);
        ctx_clear(&c.support.cx);
        buf_put_str(&bytes, STR("MSH|^~\\&|A\r"));
    }
    case_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next__cuts_messages_and_checks_counts),
        cmocka_unit_test(test_next__refuses_nesting),
        cmocka_unit_test(test_next__takes_the_most_messages_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
