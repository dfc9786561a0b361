#include "base/csv.h"
#include "base/date.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "support.h"

static void test_str_split__keeps_empty_last_part(void **state)
{
    (void)state;
    struct str rest = STR("a||b|"), part;
    const char *want[] = {"a", "", "b", ""};
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_split(&rest, '|', &part));
        assert_str(part, want[i]);
    }
    assert_false(str_split(&rest, '|', &part));
}

static void test_str_is_utf8__refuses_overlong_surrogate_and_beyond(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        bool good;
    } cases[] = {
        {STR_INIT("plain ascii text, long enough for words"), true},
        {STR_INIT("Zo\xc3\xab"), true},
        {STR_INIT("\xf0\x9f\x98\x80"), true},
        {STR_INIT("\xc0\xaf"), false},
        {STR_INIT("\xed\xa0\x80"), false},
        {STR_INIT("\xf4\x90\x80\x80"), false},
        {STR_INIT("12345678\xe2\x82"), false},
        {STR_INIT("\x80"), false},
        {STR_INIT("\xf8\x88\x80\x80\x80"), false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(str_is_utf8(cases[i].bytes), cases[i].good);
}

static void test_str_to_u64__refuses_overflow(void **state)
{
    (void)state;
    uint64_t value = 7;
    assert_true(str_to_u64(STR("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), &value));
    assert_false(str_to_u64(STR("-1"), &value));
    assert_false(str_to_u64(STR(""), &value));
}

static void test_str_nearest__suggests_only_what_is_near(void **state)
{
    (void)state;
    const char *const words[] = {"destinations", "sources", "routes"};
    assert_string_equal(str_nearest(STR("destinatons"), words, 3), "destinations");
    assert_null(str_nearest(STR("zebra"), words, 3));
}

static void test_date_parse__knows_leap_years_and_partial_dates(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool good;
        struct date want;
    } cases[] = {
        {STR_INIT("19800229"), true, {1980, 2, 29}},
        {STR_INIT("19810229"), false, {0}},
        {STR_INIT("1980"), true, {1980, 0, 0}},
        {STR_INIT("198002"), true, {1980, 2, 0}},
        {STR_INIT("1980-02-29"), true, {1980, 2, 29}},
        {STR_INIT("20261121122503.123+0000"), true, {2026, 11, 21}},
        {STR_INIT("19801301"), false, {0}},
        {STR_INIT("1980AB01"), false, {0}},
        {STR_INIT("00000101"), false, {0}},
        {STR_INIT("99990101"), false, {0}},
        {STR_INIT(""), false, {0}},
        {STR_INIT("19800100"), false, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct date got = {0};
        assert_int_equal(date_parse(cases[i].text, &got), cases[i].good);
        assert_memory_equal(&got, &cases[i].want, sizeof got);
    }
}

static void test_date_as_written__may_be_a_day_that_does_not_exist(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        bool good;
        struct date want;
    } cases[] = {
        {STR_INIT("19641171"), true, {1964, 11, 71}}, {STR_INIT("1770-81-01"), true, {1770, 81, 1}},
        {STR_INIT("19800229"), true, {1980, 2, 29}},  {STR_INIT("198013"), true, {1980, 13, 0}},
        {STR_INIT("1980"), true, {1980, 0, 0}},       {STR_INIT("1980AB01"), false, {0}},
        {STR_INIT("1980-11/71"), false, {0}},         {STR_INIT("00001171"), false, {0}},
        {STR_INIT("99991171"), false, {0}},           {STR_INIT("19800001"), false, {0}},
        {STR_INIT("19801100"), false, {0}},           {STR_INIT(""), false, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct date got = {0};
        assert_int_equal(date_parse_as_written(cases[i].text, &got), cases[i].good);
        assert_memory_equal(&got, &cases[i].want, sizeof got);
    }
}

static void test_date_days__round_trip(void **state)
{
    (void)state;
    for (int32_t days = -60000; days < 80000; days += 7) {
        struct date date = date_from_days(days);
        assert_true(date_is_valid(date));
        assert_int_equal(date_to_days(date), days);
    }
    assert_int_equal(date_to_days((struct date){1970, 1, 1}), 0);
}

static void test_crc32c__rfc3720_vectors(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    assert_true(hash_crc32c(0, bytes, 32) == 0x8a9136aau);
    memset(bytes, 0xff, 32);
    assert_true(hash_crc32c(0, bytes, 32) == 0x62a8ab43u);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    assert_true(hash_crc32c(0, bytes, 32) == 0x46dd794eu);
    assert_true(hash_crc32c(hash_crc32c(0, bytes, 13), bytes + 13, 19) == 0x46dd794eu);
}

static void test_map__finds_what_was_put_and_not_what_was_removed(void **state)
{
    (void)state;
    struct map map = {0};
    char key[16];
    for (int i = 0; i < 5000; i++)
        *map_put(&map, str_make(key, (size_t)snprintf(key, sizeof key, "k%d", i)), NULL) = (uint64_t)i;
    for (int i = 0; i < 5000; i += 2)
        assert_true(map_remove(&map, str_make(key, (size_t)snprintf(key, sizeof key, "k%d", i))));
    for (int i = 0; i < 5000; i++) {
        uint64_t *value = map_get(&map, str_make(key, (size_t)snprintf(key, sizeof key, "k%d", i)));
        if (i % 2)
            assert_true(value && *value == (uint64_t)i);
        else
            assert_null(value);
    }
    bool added = false;
    for (int i = 0; i < 5000; i++) /* put again over tombstones */
        map_put(&map, str_make(key, (size_t)snprintf(key, sizeof key, "k%d", i)), &added);
    assert_int_equal(map.count, 5000);
    map_fini(&map);
}

static void test_csv__reads_rfc4180_and_names_the_line_of_a_fault(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct csv csv;
    csv_init(&csv,
             STR("\xef\xbb\xbf"
                 "a,\"b \"\"q\"\"\",c\r\n\n\"x\ny\",,\n\"bad\"z,1\n"),
             ',', true, &s.arena);
    assert_true(csv_next(&csv));
    assert_int_equal(csv.count, 3);
    assert_str(csv.fields[1], "b \"q\"");
    assert_true(csv_next(&csv));
    assert_int_equal(csv.line, 3);
    assert_str(csv.fields[0], "x\ny");
    assert_int_equal(csv.count, 3);
    assert_false(csv_next(&csv));
    assert_non_null(csv.bad);
    assert_int_equal(csv.line, 5);
    support_fini(&s);
}

static void test_json__escapes_and_commas(void **state)
{
    (void)state;
    struct buf out = {0};
    struct json json = {.out = &out};
    json_object(&json, NULL);
    json_text(&json, "a", STR("q\"\n\x01\xff\xc3\xa9"));
    json_array(&json, "l");
    json_u64(&json, NULL, 1);
    json_bool(&json, NULL, true);
    json_end(&json);
    json_null(&json, "n");
    json_end(&json);
    assert_str(buf_str(&out), "{\"a\":\"q\\\"\\n\\u0001\xef\xbf\xbd\xc3\xa9\",\"l\":[1,true],\"n\":null}");
    buf_fini(&out);
}

static void test_buf__cut_reads_what_was_put_and_stops_at_the_end(void **state)
{
    (void)state;
    struct buf out = {0};
    buf_put_u16(&out, 0x1234);
    buf_put_varint(&out, UINT64_MAX);
    buf_put_lstr(&out, STR("hello"));
    buf_put_u64(&out, 42);
    struct cut cut = {buf_str(&out), false};
    assert_int_equal(cut_u16(&cut), 0x1234);
    assert_true(cut_varint(&cut) == UINT64_MAX);
    assert_str(cut_lstr(&cut), "hello");
    assert_int_equal(cut_u64(&cut), 42);
    assert_false(cut.bad);
    assert_int_equal(cut_u8(&cut), 0);
    assert_true(cut.bad);
    buf_fini(&out);
}

static void test_csv__takes_as_many_fields_as_it_may(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    for (size_t fields = CSV_FIELDS_MAX; fields <= CSV_FIELDS_MAX + 1; fields++) {
        char line[2 * CSV_FIELDS_MAX + 4];
        for (size_t i = 0; i < fields; i++)
            memcpy(line + 2 * i, "a,", 2);
        struct csv csv;
        csv_init(&csv, str_make(line, 2 * fields - 1), ',', true, &s.arena);
        assert_int_equal(csv_next(&csv), fields == CSV_FIELDS_MAX);
        assert_int_equal(csv.bad != NULL, fields > CSV_FIELDS_MAX);
    }
    support_fini(&s);
}

static void test_date_parse__takes_years_up_to_its_bounds(void **state)
{
    (void)state;
    struct date date;
    assert_true(date_parse(STR("0001-01-01"), &date));
    assert_true(date_parse(STR("2200-12-31"), &date));
    assert_false(date_parse(STR("0000-12-31"), &date));
    assert_false(date_parse(STR("2201-01-01"), &date));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_split__keeps_empty_last_part),
        cmocka_unit_test(test_str_is_utf8__refuses_overlong_surrogate_and_beyond),
        cmocka_unit_test(test_str_to_u64__refuses_overflow),
        cmocka_unit_test(test_str_nearest__suggests_only_what_is_near),
        cmocka_unit_test(test_date_parse__knows_leap_years_and_partial_dates),
        cmocka_unit_test(test_date_as_written__may_be_a_day_that_does_not_exist),
        cmocka_unit_test(test_date_days__round_trip),
        cmocka_unit_test(test_crc32c__rfc3720_vectors),
        cmocka_unit_test(test_map__finds_what_was_put_and_not_what_was_removed),
        cmocka_unit_test(test_csv__reads_rfc4180_and_names_the_line_of_a_fault),
        cmocka_unit_test(test_csv__takes_as_many_fields_as_it_may),
        cmocka_unit_test(test_date_parse__takes_years_up_to_its_bounds),
        cmocka_unit_test(test_json__escapes_and_commas),
        cmocka_unit_test(test_buf__cut_reads_what_was_put_and_stops_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
