#include "loaders_world.h"

static const char table[] =
    "\"LOINC_NUM\",\"COMPONENT\",\"PROPERTY\",\"STATUS\",\"SHORTNAME\",\"LONG_COMMON_NAME\",\"VersionLastChanged\"\r\n"
    "\"2345-7\",\"Glucose\",\"MCnc\",\"ACTIVE\",\"Glucose SerPl-mCnc\",\"Glucose [Mass/volume] in Serum\",\"2.9\"\r\n"
    "\"2340-8\",\"Glucose\",\"MCnc\",\"DEPRECATED\",\"\",\"Glucose by \"\"strip\"\"\",\"2.72\"\r\n";

static void test_loinc__reads_the_table_by_column_names(void **state)
{
    struct loaders_world *w = *state;
    put_file(w, "Loinc.csv", table);
    put_file(w, "LoincTableCore.csv",
             "\"LOINC_NUM\",\"COMPONENT\"\r\n\"2345-7\",\"Glucose\"\r\n"); /* the fuller one is read */
    put_file(w, "MapTo.csv", "\"LOINC\",\"MAP_TO\",\"COMMENT\"\r\n\"2340-8\",\"2345-7\",\"\"\r\n");
    struct loader_result result;
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    assert_str(result.registration.version, "2.72");
    assert_finding(&result, "loinc.version", 0, false);
    struct pack *pack = open_result(w, &result);
    assert_int_equal(pack_concept_count(pack), 2);
    assert_str(pack_concept_at(pack, index_of(pack, "2345-7")).display, "Glucose [Mass/volume] in Serum");
    assert_str(pack_concept_at(pack, index_of(pack, "2340-8")).display, "Glucose by \"strip\"");
    assert_false(pack_concept_at(pack, index_of(pack, "2340-8")).active);
    assert_str(property_of(pack, "2340-8", "replaced-by"), "2345-7");
    assert_str(property_of(pack, "2345-7", "property"), "MCnc");
    pack_close(pack);
}

static void test_loinc__version_is_read_from_the_folder(void **state)
{
    struct loaders_world *w = *state;
    struct str folder = arena_printf(&w->s.arena, "%s/Loinc_2.82", w->release.data);
    assert_ok(&w->s, file_make_dirs(&w->s.cx, folder.data));
    put_file(w, "Loinc_2.82/Loinc.csv", table);
    struct loader_result result;
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    assert_str(result.registration.version, "2.82");
    assert_int_equal(result.findings_total, 0);
}

static void test_loinc__refuses_what_is_wrong_by_line(void **state)
{
    struct loaders_world *w = *state;
    static const struct {
        const char *text, *rule;
        uint64_t line;
    } cases[] = {
        {"LOINC_NUM,COMPONENT,VersionLastChanged\n1-8,a,2.1\n1-9,b,2.1\n", "loinc.check-digit", 3},
        {"LOINC_NUM,COMPONENT,VersionLastChanged\n1-8,a,2.1\n1-8,b,2.1\n", "loinc.duplicate", 3},
        {"LOINC_NUM,COMPONENT,VersionLastChanged\n1-8,a,2.1\n2-6,b\n", "loinc.columns", 3},
        {"LOINC_NUM,COMPONENT,VersionLastChanged\n1-8,\"a\"x,2.1\n", "csv.quote", 2},
        {"LOINC_NUM,STATUS\n1-8,ACTIVE\n", "loinc.columns", 1},
        {"LOINC_NUM,COMPONENT,VersionLastChanged\n", "loinc.version", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(w, put_file(w, "Loinc.csv", cases[i].text), cases[i].rule, cases[i].line);
}

static void test_loinc__the_published_subset_has_its_published_counts(void **state)
{
    struct loaders_world *w = *state;
    const char *path = support_data(&w->s, "terminology/tx-ecosystem/tx-source/loinc");
    if (path == NULL) {
        print_message("skipped: no data\n");
        skip();
    }
    struct loader_result result;
    assert_ok(&w->s, load_path(w, path, &result));
    assert_int_equal(result.registration.concepts, 322);
    struct pack *pack = open_result(w, &result);
    uint32_t retired = 0, discouraged = 0;
    for (uint32_t i = 0; i < pack_concept_count(pack); i++) {
        struct str code = pack_concept_at(pack, i).code;
        retired += !pack_concept_at(pack, i).active;
        discouraged += str_is(property_of(pack, arena_str(&w->s.arena, code).data, "status"), "DISCOURAGED");
    }
    assert_int_equal(retired, 7);
    assert_int_equal(discouraged, 2);
    pack_close(pack);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_loinc__reads_the_table_by_column_names),
        TEST(test_loinc__version_is_read_from_the_folder),
        TEST(test_loinc__refuses_what_is_wrong_by_line),
        TEST(test_loinc__the_published_subset_has_its_published_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
