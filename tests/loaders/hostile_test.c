/* Files made to break a loader: each has an outcome that was written down before the loader was. */
#include "loaders_world.h"

#include "base/clock.h"
#include "base/csv.h"

#define HOSTILE "adversarial/own/terminology-hostile/"

/* A concept file that holds every concept the relationship file names, so that only the hostile part is wrong. */
static void put_concepts_for(struct loaders_world *w, struct str relations)
{
    struct pack_builder *seen = pack_builder_new(PACK_KEYS_DIGITS);
    SCOPED(buf_fini) struct buf text = {0};
    buf_put_str(&text, STR("id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n"));
    static struct csv csv;
    csv_init(&csv, relations, '\t', false, &w->s.arena);
    csv_next(&csv);
    while (csv_next(&csv))
        for (size_t column = 4; column <= 5 && column < csv.count; column++) {
            bool added = false;
            if (pack_builder_concept(seen, csv.fields[column], &added) != PACK_NONE && added)
                buf_printf(&text, "%.*s\t20260101\t1\t900000000000207008\t900000000000074008\r\n",
                           STR_ARGS(csv.fields[column]));
        }
    pack_builder_free(seen);
    put_bytes(w, "sct2_Concept_Snapshot_INT_20260101.txt", buf_str(&text));
}

static bool put_hostile(struct loaders_world *w, const char *file, const char *as, bool with_concepts)
{
    const char *path = support_data(&w->s, arena_printf(&w->s.arena, HOSTILE "%s", file).data);
    if (path == NULL)
        return false;
    SCOPED(buf_fini) struct buf bytes = {0};
    assert_ok(&w->s, file_read(&w->s.cx, path, 1 << 24, &bytes));
    put_bytes(w, as, buf_str(&bytes));
    if (with_concepts)
        put_concepts_for(w, buf_str(&bytes));
    return true;
}

static void test_hostile__every_rf2_file_has_its_expected_outcome(void **state)
{
    struct loaders_world *w = *state;
    static const struct {
        const char *file, *rule; /* rule NULL: no finding at all */
        uint64_t line;
        bool accepted;
    } cases[] = {
        {"rf2-isa-cycle-2.txt", "hierarchy.circle", 0, false},
        {"rf2-isa-self.txt", "rf2.is-a-itself", 2, false},
        {"rf2-isa-chain-20000.txt", NULL, 0, true},
        {"rf2-isa-diamond-lattice.txt", NULL, 0, true},
        {"rf2-bad-checkdigit.txt", "rf2.sctid", 2, false},
        {"rf2-missing-column.txt", "rf2.columns", 1, false},
        {"rf2-extra-column.txt", "rf2.columns", 2, false},
        {"rf2-lf-only.txt", "rf2.line-end", 1, true},
        {"rf2-nul.txt", "rf2.text", 2, false},
        {"rf2-effective-future.txt", "rf2.effective-time", 2, true},
        {"rf2-id-19-digits.txt", "rf2.sctid", 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!put_hostile(w, cases[i].file, "sct2_Relationship_Snapshot_INT_20260101.txt", true)) {
            print_message("skipped: no data\n");
            skip();
        }
        struct loader_result result;
        size_t before = packs_seen(w);
        int64_t start = clock_mono_us();
        status done = load_path(w, w->release.data, &result);
        if ((done == STATUS_OK) != cases[i].accepted)
            fail_msg("%s: %s", cases[i].file, done == STATUS_OK ? "accepted" : w->s.cx.detail.data);
        assert_true(clock_mono_us() - start < 10 * 1000 * 1000); /* bounded work, also under sanitizers */
        if (cases[i].rule)
            assert_finding(&result, cases[i].rule, cases[i].line, !cases[i].accepted);
        else
            assert_int_equal(result.findings_total, 0);
        if (!cases[i].accepted)
            assert_int_equal(packs_seen(w), before);
    }
}

static void test_hostile__chain_and_lattice_answer_is_a(void **state)
{
    struct loaders_world *w = *state;
    struct loader_result result;
    if (!put_hostile(w, "rf2-isa-chain-20000.txt", "sct2_Relationship_Snapshot_INT_20260101.txt", true)) {
        print_message("skipped: no data\n");
        skip();
    }
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    struct pack *pack = open_result(w, &result);
    uint64_t most = 0, sum = 0;
    for (uint32_t i = 0; i < pack_concept_count(pack); i++) {
        uint64_t below = pack_descendant_count(pack, i);
        most = below > most ? below : most;
        sum += below;
    }
    uint64_t concepts = pack_concept_count(pack);
    assert_int_equal(most, concepts);
    assert_int_equal(sum, concepts * (concepts + 1) / 2); /* a chain: 1 + 2 + … + n */
    pack_close(pack);
    put_hostile(w, "rf2-isa-diamond-lattice.txt", "sct2_Relationship_Snapshot_INT_20260101.txt", true);
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    pack = open_result(w, &result);
    assert_true(pack_has_hierarchy(pack));
    pack_close(pack);
}

static void test_hostile__quotes_in_terms_are_text(void **state)
{
    struct loaders_world *w = *state;
    if (!put_hostile(w, "rf2-quote-in-term.txt", "sct2_Description_Snapshot-en_INT_20260101.txt", false)) {
        print_message("skipped: no data\n");
        skip();
    }
    put_file(w, "sct2_Concept_Snapshot_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n1000000009\t20260101\t1\t900000000000207008\t9"
             "00000000000074008\r\n");
    struct loader_result result;
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    assert_finding(&result, "rf2.columns", 2,
                   false); /* its row lacks the last column, which says nothing about the term */
    struct pack *pack = open_result(w, &result);
    assert_str(pack_concept_at(pack, index_of(pack, "1000000009")).display, "\"unbalanced quote ' and \\ tab");
    pack_close(pack);
}

static void test_hostile__csv_files_have_their_expected_outcome(void **state)
{
    struct loaders_world *w = *state;
    const char *quote = support_data(&w->s, HOSTILE "loinc-csv-unclosed-quote.csv");
    if (quote == NULL) {
        print_message("skipped: no data\n");
        skip();
    }
    assert_refused(w, quote, "csv.quote", 2);
    struct loader_options options = {.path = support_data(&w->s, HOSTILE "loinc-csv-embedded-newline.csv"),
                                     .pack_dir = w->packs.data,
                                     .version = STR("2.80")};
    struct loader_result result;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_int_equal(result.registration.concepts, 1);
    struct pack *pack = open_result(w, &result);
    assert_str(property_of(pack, "1-8", "component"), "a\nb");
    pack_close(pack);
    assert_int_not_equal(load_path(w, support_data(&w->s, HOSTILE "icd-dup-code.csv"), &result), STATUS_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_hostile__every_rf2_file_has_its_expected_outcome),
        TEST(test_hostile__chain_and_lattice_answer_is_a),
        TEST(test_hostile__quotes_in_terms_are_text),
        TEST(test_hostile__csv_files_have_their_expected_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
