/* Rows of the code tables byte by byte, as they stand in stores that are in use. */
#include "codes_rows.h"

#include "base/mem.h"
#include "stored_bytes.h"

static void test_release__stands_as_it_always_did(void **state)
{
    (void)state;
    SCOPED(buf_fini) struct buf bytes = {0};
    struct codes_release_row row = {.system = STR("s"),
                                    .version = STR("v"),
                                    .kind = STR("k"),
                                    .pack_file = STR("p"),
                                    .sha256 = {9},
                                    .concepts = 300,
                                    .registered_us = 1,
                                    .activated_us = 2},
                             read = {0};
    codes_release_row_encode(&bytes, &row);
    assert_bytes(buf_str(&bytes), "0173 0176 016b 0170 0900000000000000000000000000000000000000000000000000000000000000"
                                  "ac02 01 02");
    assert_true(codes_release_row_decode(buf_str(&bytes), &read));
    assert_memory_equal(read.sha256, row.sha256, sizeof row.sha256);
    assert_str(read.pack_file, "p");
    assert_int_equal(read.activated_us, 2);
    for (size_t len = 0; len < bytes.len; len++)
        assert_false(codes_release_row_decode(str_make(bytes.data, len), &read));
    buf_put_byte(&bytes, 0);
    assert_false(codes_release_row_decode(buf_str(&bytes), &read));
}

static void test_work_item__stands_as_it_always_did(void **state)
{
    (void)state;
    static const struct {
        enum codes_work_outcome outcome;
        const char *bytes;
    } cases[] = {{CODES_WORK_UNMAPPED, "ac02 01 02 03 04 02 0164"},
                 {CODES_WORK_INVALID, "ac02 01 02 03 04 03 0164"},
                 {CODES_WORK_BEYOND_LIMIT, "ac02 01 02 03 04 ff 0164"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SCOPED(buf_fini) struct buf bytes = {0};
        struct codes_work_row row = {300, 1, 2, 3, 4, cases[i].outcome, STR("d")}, read = {0};
        codes_work_row_encode(&bytes, &row);
        assert_bytes(buf_str(&bytes), cases[i].bytes);
        assert_true(codes_work_row_decode(buf_str(&bytes), &read));
        assert_int_equal(read.outcome, cases[i].outcome);
        assert_int_equal(read.last_us, 4);
    }
}

/* Once: an outcome that there is not was listed as unmapped. */
static void test_work_item__that_is_damaged_is_none(void **state)
{
    (void)state;
    static const char *const cases[] = {"\x01\x01\x01\x01\x01\x02", "\x01\x01\x01\x01\x01\x07\x01x",
                                        "\x01\x01\x01\x01\x01\x02\x02x", "\x01\x01\x01\x01\x01\x02\x01xx"};
    struct codes_work_row read;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_false(codes_work_row_decode(str_from(cases[i]), &read));
    static const char none[] = "\0\x01\x01\x01\x01\x02\x01x"; /* counted, but never */
    assert_false(codes_work_row_decode(str_make(none, sizeof none - 1), &read));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_release__stands_as_it_always_did),
        cmocka_unit_test(test_work_item__stands_as_it_always_did),
        cmocka_unit_test(test_work_item__that_is_damaged_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
