#include "support.h"

#include "terminology/shape.h"
#include "terminology/systems.h"

static void test_shape__tells_codes_from_typing_errors(void **state)
{
    (void)state;
    static const struct {
        bool (*shape)(struct str);
        const char *code;
        bool want;
    } cases[] = {
        {shape_is_sctid, "138875005", true},
        {shape_is_sctid, "73211009", true},
        {shape_is_sctid, "73211008", false},            /* wrong check digit */
        {shape_is_sctid, "73210119", false},            /* two digits swapped */
        {shape_is_sctid, "12345", false},               /* too short */
        {shape_is_sctid, "9999999999999999999", false}, /* 19 digits */
        {shape_is_sctid, "0138875005", false},
        {shape_is_sctid_concept, "138875005", true},
        {shape_is_sctid_concept, "10000001024", false}, /* a relationship */
        {shape_is_loinc, "2160-0", true},
        {shape_is_loinc, "2160-1", false},
        {shape_is_loinc, "1-8", true},
        {shape_is_loinc, "21600", false},
        {shape_is_loinc, "LP190769-2", true},
        {shape_is_loinc, "-0", false},
        {shape_is_loinc, "", false},
        {shape_is_icd10cm, "E11.9", true},
        {shape_is_icd10cm, "E119", true},
        {shape_is_icd10cm, "E11", true},
        {shape_is_icd10cm, "E11.", false},
        {shape_is_icd10cm, "E1.19", false},
        {shape_is_icd10cm, "T36.0X1A", true},
        {shape_is_icd10cm, "T36.0X1AB", false},
        {shape_is_icd10cm, "119", false},
        {shape_is_icd10cm, "C7A.00", true},
        {shape_is_icd10pcs, "0016070", true},
        {shape_is_icd10pcs, "001607O", false}, /* letter O */
        {shape_is_rxcui, "161", true},
        {shape_is_rxcui, "0161", false},
        {shape_is_rxcui, "1610000000", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (cases[i].shape(str_from(cases[i].code)) != cases[i].want)
            fail_msg("%s: want %d", cases[i].code, cases[i].want);
}

static void test_systems__are_found_by_any_name(void **state)
{
    (void)state;
    static const char *const names[] = {
        "http://loinc.org", "LN", "ln", "LOINC", "2.16.840.1.113883.6.1", "urn:oid:2.16.840.1.113883.6.1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct system_row *row = systems_find(str_from(names[i]));
        assert_non_null(row);
        assert_string_equal(row->v2_name, "LN");
    }
    for (size_t i = 0; i < systems_count; i++) {
        const struct system_row *row = &systems_rows[i];
        assert_ptr_equal(systems_find(str_from(row->uri)), row);
        assert_ptr_equal(systems_find(str_from(row->v2_name)), row);
        for (size_t k = 0; k < SYSTEM_ALIASES && row->aliases[k]; k++)
            assert_ptr_equal(systems_find(str_from(row->aliases[k])), row);
    }
    char longer[80];
    memset(longer, 'a', sizeof longer);
    for (size_t len = 0; len <= sizeof longer; len++)
        assert_null(systems_find(str_make(longer, len)));
    assert_null(systems_find(STR("99LAB")));
    assert_null(systems_find(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape__tells_codes_from_typing_errors),
        cmocka_unit_test(test_systems__are_found_by_any_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
