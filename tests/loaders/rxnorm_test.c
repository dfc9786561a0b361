#include "loaders_world.h"

/* A made-up drug in three forms, a brand, and a retired concept that became the drug. */
static const char conso[] = "900001|ENG||||||A1||||OTHER|XX|900001|not a source we read||N||\n"
                            "900001|ENG||||||A2||||RXNORM|IN|900001|examplol||N||\n"
                            "900002|ENG||||||A3||||RXNORM|SY|900002|examplol ten mg pill||N||\n"
                            "900002|ENG||||||A4||||RXNORM|SCD|900002|examplol 10 MG Oral Tablet||N||\n"
                            "900003|ENG||||||A5||||RXNORM|BN|900003|Brandol||N||\n"
                            "900004|ENG||||||A6||||RXNORM|SCD|900004|examplol 5 MG Oral Tablet||O||\n";
static const char rel[] = "900001|||RO|900002|||has_ingredient|R1||RXNORM||||N||\n"
                          "900001|||RO|900003|||tradename_of|R2||RXNORM||||N||\n"
                          "900001|||RO|900002|||something_else|R3||RXNORM||||N||\n"
                          "|A1||RO||A2||has_ingredient|R4||RXNORM||||N||\n";
static const char sat[] = "900002|||A4|AUI|900002|||NDC|RXNORM|00000000011|N||\n"
                          "900002|||A4|AUI|900002|||NDC|RXNORM|00000000012|N||\n"
                          "900002|||A4|AUI|900002|||NDC|OTHER|99999999999|N||\n";
static const char cui[] = "800001|RXNORM_04AC_050210F|RXNORM_09AA_090706F|1|900001|\n"
                          "800002|RXNORM_04AC_050210F|RXNORM_09AA_090706F|2|900001|\n"
                          "800002|RXNORM_04AC_050210F|RXNORM_09AA_090706F|2|900003|\n";
static const char sab[] = "C1|C2|RXNORM_26AA_260105F|RXNORM|RxNorm|RXNORM|26AA_260105F|||||||||||||||||||\n";

static void put_release(struct loaders_world *w)
{
    put_file(w, "RXNCONSO.RRF", conso);
    put_file(w, "RXNREL.RRF", rel);
    put_file(w, "RXNSAT.RRF", sat);
    put_file(w, "RXNCUI.RRF", cui);
    put_file(w, "RXNSAB.RRF", sab);
}

static void test_rxnorm__reads_names_relations_codes_and_history(void **state)
{
    struct loaders_world *w = *state;
    put_release(w);
    struct loader_result result;
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    assert_int_equal(result.findings_total, 0);
    assert_str(result.registration.version, "26AA_260105F");
    struct pack *pack = open_result(w, &result);
    assert_int_equal(pack_concept_count(pack), 6);
    assert_str(pack_concept_at(pack, index_of(pack, "900002")).display, "examplol 10 MG Oral Tablet");
    assert_str(property_of(pack, "900002", "tty"), "SCD");
    assert_str(property_of(pack, "900002", "has_ingredient"), "900001");
    assert_str(property_of(pack, "900003", "tradename_of"), "900001");
    assert_str(property_of(pack, "900002", "something_else"), "");
    assert_str(property_of(pack, "900002", "ndc"), "00000000011");
    assert_int_equal(pack_properties(pack, index_of(pack, "900002")).count, 4);
    assert_true(pack_concept_at(pack, index_of(pack, "900001")).active);
    assert_false(pack_concept_at(pack, index_of(pack, "900004")).active); /* every name obsolete */
    assert_false(pack_concept_at(pack, index_of(pack, "800001")).active);
    assert_str(property_of(pack, "800001", "replaced-by"), "900001");
    assert_int_equal(pack_properties(pack, index_of(pack, "800002")).count, 2); /* split in two: a person must choose */
    assert_false(pack_has_hierarchy(pack));
    pack_close(pack);
}

static void test_rxnorm__says_that_the_names_are_missing(void **state)
{
    struct loaders_world *w = *state;
    put_file(w, "RXNCUI.RRF", cui);
    assert_refused(w, w->release.data, "rrf.rxnconso-missing", 0);
    const char *path = support_data(&w->s, "terminology/tx-ecosystem/tx-source/rxnorm");
    if (path)
        assert_refused(w, path, "rrf.rxnconso-missing", 0);
    else
        print_message("skipped: no data\n");
}

static void test_rxnorm__refuses_what_is_wrong_by_line(void **state)
{
    struct loaders_world *w = *state;
    put_release(w);
    put_file(w, "RXNCONSO.RRF", "900001|ENG||||||A2||||RXNORM|IN|900001|examplol||N||\nx|y\n");
    assert_refused(w, w->release.data, "rrf.columns", 2);
    put_file(w, "RXNCONSO.RRF", "0900001|ENG||||||A2||||RXNORM|IN|900001|examplol||N||\n");
    assert_refused(w, w->release.data, "rrf.rxcui", 1);
    put_file(w, "RXNCONSO.RRF", "900001|ENG||||||A2||||RXNORM|IN|900001|||N||\n");
    assert_refused(w, w->release.data, "rrf.empty", 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_rxnorm__reads_names_relations_codes_and_history),
        TEST(test_rxnorm__says_that_the_names_are_missing),
        TEST(test_rxnorm__refuses_what_is_wrong_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
