#include "loaders_world.h"

#include "base/clock.h"

static void test_icd__reads_headings_leaves_and_titles(void **state)
{
    struct loaders_world *w = *state;
    const char *path =
        put_file(w, "icd10cm-order-2026.txt",
                 "00001 A00     0 Cholera                                                      Cholera\r\n"
                 "00002 A000    1 Cholera due to biovar cholerae                               Cholera due to Vibrio "
                 "cholerae 01, biovar cholerae\r\n"
                 "00003 T36     0 Poisoning                                                    Poisoning\r\n"
                 "00004 T360X1  0 Poisoning by penicillins                                     Poisoning by "
                 "penicillins, accidental\r\n"
                 "00005 T360X1A 1 Poisoning by penicillins, init                               Poisoning by "
                 "penicillins, accidental, initial encounter\r\n");
    struct loader_result result;
    assert_ok(&w->s, load_path(w, path, &result));
    assert_string_equal(result.kind, "icd10cm");
    assert_int_equal(result.findings_total, 0);
    assert_int_equal(result.registration.concepts, 5);
    assert_str(result.registration.version, "2026");
    struct pack *pack = open_result(w, &result);
    assert_true(pack_concept_at(pack, index_of(pack, "A00")).header);
    assert_str(pack_concept_at(pack, index_of(pack, "A000")).code, "A00.0");
    assert_false(pack_concept_at(pack, index_of(pack, "A00.0")).header);
    assert_str(pack_concept_at(pack, index_of(pack, "A000")).display,
               "Cholera due to Vibrio cholerae 01, biovar cholerae");
    assert_true(pack_is_a(pack, index_of(pack, "T36.0X1A"), index_of(pack, "T36"))); /* over a level that is left out */
    assert_int_equal(pack_parents(pack, index_of(pack, "T36.0X1A")).count, 1);
    pack_close(pack);
}

static void test_icd__refuses_what_is_wrong_by_line(void **state)
{
    struct loaders_world *w = *state;
    static const struct {
        const char *text, *rule;
        uint64_t line;
    } cases[] = {
        {"00001 A00     0 Cholera                                                      Cholera\n"
         "00002 A00     1 Cholera                                                      Cholera\n",
         "icd.duplicate", 2},
        {"00001 A00     0 Cholera                                                      Cholera\n"
         "00002 A0!0    1 Cholera                                                      Cholera\n",
         "icd.line", 2},
        {"00001 A00     0 Cholera                                                      Cholera\n"
         "00002 A000    2 Cholera                                                      Cholera\n",
         "icd.line", 2},
        {"00001 A00     0 Cholera                                                      Cholera\n00002 A000\n",
         "icd.line", 2},
        {"00001 A00     0 Cholera                                                      Cholera\n"
         "00002 A000    1 Choler\xe9                                                      Cholera\n",
         "icd.text", 2},
        {"00001 A00     0 Cholera                                                      Cholera\n"
         "00002 A000    1                                                                     \n",
         "icd.line", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(w, put_file(w, "order-2026.txt", cases[i].text), cases[i].rule, cases[i].line);
}

static void test_icd__wants_a_version_when_the_name_has_none(void **state)
{
    struct loaders_world *w = *state;
    const char *path = put_file(
        w, "order.txt", "00001 A00     0 Cholera                                                      Cholera\n");
    assert_refused(w, path, "icd.version", 0);
    struct loader_options options = {
        .path = path, .pack_dir = w->packs.data, .version = STR("2026-04"), .dry_run = true};
    struct loader_result result;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_str(result.registration.version, "2026-04");
    assert_int_equal(packs_seen(w), 0); /* a dry run writes nothing */
}

static void test_icd__published_releases_have_their_published_counts(void **state)
{
    struct loaders_world *w = *state;
    static const struct {
        const char *file;
        uint64_t codes, billable;
        const char *kind;
    } cases[] = {
        {"terminology/icd10cm/2019/icd10cm_order_2019.reserialised.txt", 94444, 71932, "icd10cm"},
        {"terminology/icd10cm/2021-01/icd10cm-order-Jan-2021.txt", 95358, 72621, "icd10cm"},
        {"terminology/icd10cm/2022/icd10cm_order_2022.reserialised.txt", 95524, 72748, "icd10cm"},
        {"terminology/icd10pcs/2022/icd10pcs_order_2022.reserialised.txt", 79115, 78220, "icd10pcs"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *path = support_data(&w->s, cases[i].file);
        if (path == NULL) {
            print_message("skipped: no data: %s\n", cases[i].file);
            continue;
        }
        struct loader_result result;
        int64_t start = clock_mono_us();
        assert_ok(&w->s, load_path(w, path, &result));
        print_message("%s: %lld ms\n", cases[i].file, (long long)((clock_mono_us() - start) / 1000));
        assert_int_equal(result.findings_total, 0);
        assert_string_equal(result.kind, cases[i].kind);
        assert_int_equal(result.registration.concepts, cases[i].codes);
        struct pack *pack = open_result(w, &result);
        uint64_t billable = 0;
        for (uint32_t c = 0; c < pack_concept_count(pack); c++)
            billable += !pack_concept_at(pack, c).header;
        assert_int_equal(billable, cases[i].billable);
        pack_close(pack);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_icd__reads_headings_leaves_and_titles),
        TEST(test_icd__refuses_what_is_wrong_by_line),
        TEST(test_icd__wants_a_version_when_the_name_has_none),
        TEST(test_icd__published_releases_have_their_published_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
