#include "codes_world.h"

#include "codes_internal.h"

#include "base/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define LOINC "http://loinc.org"
#define ICD   "http://hl7.org/fhir/sid/icd-10-cm"

static const struct small_row map_rows[] = {
    {"99LAB", "GLU", LOINC, "2345-7", "equivalent"}, {"99LAB", "NA", LOINC, "2951-2", "wider"},
    {"99LAB", "NA", LOINC, "2345-7", "equal"},       /* better, though later */
    {"99LAB", "OLD", LOINC, "2340-8", "equivalent"}, /* leads to a retired code */
    {"99LAB", "DM2", ICD, "E119", "equivalent"},     {"99LAB", "DM2", LOINC, "2951-2", "relatedto"},
    {"*", "ANY", LOINC, "2951-2", "equivalent"},     {"http://snomed.info/sct", "44054006", ICD, "E11.9", "equivalent"},
    {"99LAB", "TIE", LOINC, "2345-7", "wider"},      {"99LAB", "TIE", LOINC, "2951-2", "wider"},
    {"99LAB", "GONE", LOINC, "1-8", "equivalent"},   {"99LAB", "GONE", LOINC, "9-9", "equivalent"},
};

static void load_all(struct codes_world *w)
{
    world_activate(w,
                   world_register(w, small_loinc("Glucose [Mass/volume] in Serum or Plasma"), LOINC, "2.80", "loinc"));
    world_activate(w, world_register(w, small_icd(), ICD, "2026", "icd10cm"));
    world_activate(
        w, world_register(w, small_map(map_rows, sizeof map_rows / sizeof map_rows[0]), "map:lab-a", "1", "map"));
}

static void test_lookup__finds_by_any_name_of_the_system(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    static const char *const names[] = {LOINC, "LN", "ln", "LOINC", "2.16.840.1.113883.6.1"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct codes_concept concept;
        assert_ok(&w->s, codes_lookup(now, &w->s.cx, str_from(names[i]), STR("2345-7"), 0, &concept));
        assert_str(concept.system, LOINC);
        assert_str(concept.version, "2.80");
        assert_str(concept.display, "Glucose [Mass/volume] in Serum or Plasma");
    }
    struct codes_concept concept;
    assert_fails(&w->s, codes_lookup(now, &w->s.cx, STR("LN"), STR("2345-8"), 0, &concept), "codes.code-unknown");
    assert_null(memmem(w->s.cx.detail.data, w->s.cx.detail.len, "2345", 4)); /* a code may be what somebody has */
    assert_fails(&w->s, codes_lookup(now, &w->s.cx, STR("SCT"), STR("1"), 0, &concept), "codes.system-unknown");
    assert_fails(&w->s, codes_lookup(now, &w->s.cx, STR("LN"), STR("1"), 999, &concept), "codes.release-unknown");
    assert_str(codes_system_uri(now, STR("I10C")), ICD);
    assert_str(codes_system_uri(now, STR("99LAB")), "99LAB");
    assert_str(codes_system_v2_name(now, STR(ICD)), "I10C");
    codes_snapshot_unref(now);
}

static void test_details__list_names_parents_and_properties(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    struct codes_designation *names;
    struct codes_property *properties;
    size_t name_count, property_count;
    assert_ok(&w->s, codes_details(now, &w->s.cx, STR("I10C"), STR("E119"), 0, &names, &name_count, &properties,
                                   &property_count));
    assert_int_equal(property_count, 1);
    assert_str(properties[0].name, "parent");
    assert_str(properties[0].value, "E11");
    assert_ok(&w->s, codes_details(now, &w->s.cx, STR("LN"), STR("2345-7"), 0, &names, &name_count, &properties,
                                   &property_count));
    assert_int_equal(name_count, 1);
    assert_str(names[0].use, "short");
    codes_snapshot_unref(now);
}

static void test_validate__says_why_a_code_may_not_be_used(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    static const struct {
        const char *system, *code, *display;
        enum codes_validity want;
        bool differs;
        const char *replacement;
    } cases[] = {
        {"LN", "2345-7", "", CODES_VALID, false, ""},
        {"LN", "2345-7", "GLUCOSE serpl-mcnc ", CODES_VALID, false,
         ""}, /* a designation, letter case and blanks aside */
        {"LN", "2345-7", "Sodium", CODES_VALID, true, ""},
        {"LN", "2340-8", "", CODES_INACTIVE, false, "2345-7"},
        {"LN", "1-8", "", CODES_INACTIVE, false, ""},
        {"LN", "23457", "", CODES_CODE_UNKNOWN, false, ""},
        {"LN", "", "", CODES_CODE_UNKNOWN, false, ""},
        {"I10C", "E11", "", CODES_HEADER, false, ""},
        {"I10C", "E119", "", CODES_VALID, false, ""},
        {"SCT", "44054006", "", CODES_SYSTEM_UNKNOWN, false, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct codes_verdict got =
            codes_validate(now, str_from(cases[i].system), str_from(cases[i].code), str_from(cases[i].display));
        assert_string_equal(codes_validity_name(got.validity), codes_validity_name(cases[i].want));
        assert_int_equal(got.display_differs, cases[i].differs);
        assert_str(got.replacement, cases[i].replacement);
    }
    codes_snapshot_unref(now);
}

static void test_translate__orders_by_equivalence_and_names_the_row(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    struct codes_translation *rows;
    size_t count;
    assert_ok(&w->s, codes_translate(now, &w->s.cx, STR("99LAB"), STR("NA"), STR("LN"), &rows, &count));
    assert_int_equal(count, 2);
    assert_str(rows[0].equivalence, "equal");
    assert_str(rows[0].code, "2345-7");
    assert_str(rows[0].display, "Glucose [Mass/volume] in Serum or Plasma"); /* of the release, not of the map */
    assert_int_equal(rows[0].map_row, 4);
    assert_str(rows[0].map, "map:lab-a");
    assert_ok(&w->s, codes_translate(now, &w->s.cx, STR("99LAB"), STR("DM2"), STR_NONE, &rows, &count));
    assert_int_equal(count, 2);
    assert_str(rows[0].code, "E11.9"); /* as the release spells it */
    assert_ok(&w->s, codes_translate(now, &w->s.cx, STR("99LAB"), STR("DM2"), STR("SCT"), &rows, &count));
    assert_int_equal(count, 0);
    assert_ok(&w->s, codes_translate(now, &w->s.cx, STR("L"), STR("ANY"), STR_NONE, &rows, &count));
    assert_int_equal(count, 1); /* any local system */
    assert_ok(&w->s, codes_translate(now, &w->s.cx, STR("I10"), STR("ANY"), STR_NONE, &rows, &count));
    assert_int_equal(count, 0); /* never for one that claims a standard */
    codes_snapshot_unref(now);
}

/* As many rows as one code may have in a map, and a second map: all are answered, the best by equivalence first. */
static void test_translate__answers_every_row_of_every_map(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    enum { ROWS = PACK_ROWS_OF_CODE_MAX };
    struct small_row *rows = calloc(ROWS + 1, sizeof *rows);
    for (int i = 0; i <= ROWS; i++)
        rows[i] = (struct small_row){"99LAB", "MANY", LOINC, arena_printf(&w->s.arena, "%d-0", i).data, "inexact"};
    rows[ROWS - 1] = (struct small_row){"99LAB", "MANY", LOINC, "2345-7", "equal"};
    world_activate(w, world_register(w, small_map(rows, ROWS), "map:lab-b", "1", "map"));
    world_activate(w, world_register(w, small_map(rows, 2), "map:lab-c", "1", "map"));
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    struct codes_translation *got;
    size_t count;
    assert_ok(&w->s, codes_translate(now, &w->s.cx, STR("99LAB"), STR("MANY"), STR("LN"), &got, &count));
    assert_int_equal(count, ROWS + 2);
    assert_str(got[0].equivalence, "equal");
    for (size_t i = 1; i < ROWS; i++)
        assert_int_equal(got[i].map_row, i + 1);
    assert_str(got[ROWS].map, "map:lab-c");
    static const struct str targets[] = {STR_INIT("LN")};
    struct codes_reconciled best = codes_reconcile(now, STR("99LAB"), STR("MANY"), STR_NONE, targets, 1);
    assert_int_equal(best.outcome, CODES_OUTCOME_TRANSLATED);
    assert_str(best.translation.code, "2345-7"); /* the last line: the others lead to codes that do not exist */
    codes_snapshot_unref(now);

    struct pack_builder *past = small_map(rows, ROWS + 1); /* one more of the same code is no map */
    assert_string_equal(pack_builder_overflow(past), "1,000 map rows of one code");
    pack_builder_free(past);
    for (int i = 0; i <= ROWS; i++)
        rows[i].code = i % 2 ? "ODD" : "EVEN";
    past = small_map(rows, ROWS + 1); /* of one code, not of the map */
    assert_null(pack_builder_overflow(past));
    pack_builder_free(past);
    free(rows);
}

static void test_translate__refuses_more_than_a_reply_holds(void **state)
{
    struct codes_world *w = *state;
    enum { ROWS = PACK_ROWS_OF_CODE_MAX, MAPS = CODES_TRANSLATIONS_MAX / ROWS };
    struct small_row *rows = calloc(ROWS, sizeof *rows);
    for (int i = 0; i < ROWS; i++)
        rows[i] = (struct small_row){"99LAB", "MANY", "local", arena_printf(&w->s.arena, "%d", i).data, "inexact"};
    for (int i = 0; i < MAPS; i++)
        world_activate(
            w, world_register(w, small_map(rows, ROWS), arena_printf(&w->s.arena, "map:%d", i).data, "1", "map"));
    struct codes_translation *got;
    size_t count;
    struct codes_snapshot *at = codes_snapshot_ref(w->codes);
    assert_ok(&w->s, codes_translate(at, &w->s.cx, STR("99LAB"), STR("MANY"), STR_NONE, &got, &count));
    assert_int_equal(count, MAPS * ROWS);
    codes_snapshot_unref(at);

    rows[0].target_system = "other";
    world_activate(w, world_register(w, small_map(rows, 1), "map:more", "1", "map"));
    struct codes_snapshot *beyond = codes_snapshot_ref(w->codes);
    assert_fails(&w->s, codes_translate(beyond, &w->s.cx, STR("99LAB"), STR("MANY"), STR_NONE, &got, &count),
                 "codes.too-many-rows");
    assert_ok(&w->s, codes_translate(beyond, &w->s.cx, STR("99LAB"), STR("MANY"), STR("other"), &got, &count));
    assert_int_equal(count, 1);
    codes_snapshot_unref(beyond);
    free(rows);
}

static void test_reconcile__decides_once_per_element(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    static const struct {
        const char *system, *code;
        enum codes_outcome want;
        enum codes_validity validity;
        const char *translated;
    } cases[] = {
        {"99LAB", "", CODES_OUTCOME_EMPTY, CODES_SYSTEM_UNKNOWN, ""},
        {"LN", "2345-7", CODES_OUTCOME_STANDARD, CODES_VALID, ""},
        {"99LAB", "GLU", CODES_OUTCOME_TRANSLATED, CODES_SYSTEM_UNKNOWN, "2345-7"},
        {"99LAB", "DM2", CODES_OUTCOME_TRANSLATED, CODES_SYSTEM_UNKNOWN, "2951-2"}, /* LOINC is wanted before ICD */
        {"99LAB", "TIE", CODES_OUTCOME_TRANSLATED, CODES_SYSTEM_UNKNOWN, "2345-7"}, /* the earlier line */
        {"99LAB", "GONE", CODES_OUTCOME_INVALID, CODES_INACTIVE, ""}, /* of two that may not be used, the earlier */
        {"99LAB", "NOPE", CODES_OUTCOME_UNMAPPED, CODES_SYSTEM_UNKNOWN, ""},
        {"LN", "2345-8", CODES_OUTCOME_INVALID, CODES_CODE_UNKNOWN, ""},
        {"LN", "2340-8", CODES_OUTCOME_INVALID, CODES_INACTIVE, ""},
        {"I10C", "E11", CODES_OUTCOME_INVALID, CODES_HEADER, ""},
        {"99LAB", "OLD", CODES_OUTCOME_INVALID, CODES_INACTIVE, ""}, /* never write a retired code into a message */
        {"SCT", "44054006", CODES_OUTCOME_TRANSLATED, CODES_SYSTEM_UNKNOWN, "E11.9"},
        {"SCT", "73211009", CODES_OUTCOME_UNMAPPED, CODES_SYSTEM_UNKNOWN, ""},
        {"", "GLU", CODES_OUTCOME_UNMAPPED, CODES_SYSTEM_UNKNOWN, ""},
    };
    static const struct str targets[] = {STR_INIT("LN"), STR_INIT("I10C")};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct codes_reconciled got =
            codes_reconcile(now, str_from(cases[i].system), str_from(cases[i].code), STR_NONE, targets, 2);
        if (got.outcome != cases[i].want || got.verdict.validity != cases[i].validity)
            fail_msg("%s %s: outcome %d, %s", cases[i].system, cases[i].code, got.outcome,
                     codes_validity_name(got.verdict.validity));
        assert_str(got.translation.code, cases[i].translated);
    }
    codes_snapshot_unref(now);
}

static void test_subsumes__needs_a_hierarchy(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    bool is = false;
    assert_ok(&w->s, codes_subsumes(now, &w->s.cx, STR("I10C"), STR("E11"), STR("E119"), &is));
    assert_true(is);
    assert_ok(&w->s, codes_subsumes(now, &w->s.cx, STR("I10C"), STR("E119"), STR("E11"), &is));
    assert_false(is);
    assert_fails(&w->s, codes_subsumes(now, &w->s.cx, STR("LN"), STR("2345-7"), STR("2345-7"), &is),
                 "codes.no-hierarchy");
    assert_fails(&w->s, codes_subsumes(now, &w->s.cx, STR("I10C"), STR("E12"), STR("E119"), &is), "codes.code-unknown");
    codes_snapshot_unref(now);
}

static struct str display_now(struct codes_world *w, struct codes_snapshot *snapshot)
{
    struct codes_concept concept;
    assert_ok(&w->s, codes_lookup(snapshot, &w->s.cx, STR("LN"), STR("2345-7"), 0, &concept));
    return concept.display;
}

static void test_activation__rolls_back_and_leaves_running_calls_alone(void **state)
{
    struct codes_world *w = *state;
    uint64_t old = world_register(w, small_loinc("old words"), LOINC, "2.80", "loinc");
    uint64_t new = world_register(w, small_loinc("new words"), LOINC, "2.81", "loinc");
    struct codes_snapshot *none = codes_snapshot_ref(w->codes);
    assert_int_equal(codes_validate(none, STR("LN"), STR("2345-7"), STR_NONE).validity, CODES_SYSTEM_UNKNOWN);
    assert_int_equal(codes_release_count(none), 2);
    assert_false(codes_release_at(none, 0).active);
    assert_fails(&w->s, world_roll_back(w, "LN"), "codes.nothing-to-roll-back-to");
    world_activate(w, old);
    assert_fails(&w->s, world_roll_back(w, "LN"), "codes.nothing-to-roll-back-to");
    struct codes_snapshot *before = codes_snapshot_ref(w->codes);
    world_activate(w, new);
    world_activate(w, new); /* again: changes nothing */
    struct codes_snapshot *after = codes_snapshot_ref(w->codes);
    assert_str(display_now(w, before), "old words");
    assert_str(display_now(w, after), "new words");
    struct codes_concept staged;
    assert_ok(&w->s, codes_lookup(after, &w->s.cx, STR("LN"), STR("2345-7"), old, &staged));
    assert_str(staged.display, "old words");
    assert_ok(&w->s, world_roll_back(w, "LN"));
    struct codes_snapshot *back = codes_snapshot_ref(w->codes);
    assert_str(display_now(w, back), "old words");
    assert_true(codes_release_at(back, 0).active);
    assert_true(codes_release_at(back, 1).activated_us > 0);
    SCOPED(buf_fini) struct buf body = {0};
    codes_activation_encode(&body, 4711);
    assert_fails(&w->s, world_apply(w, codes_apply_activate, buf_str(&body)), "codes.release-unknown");
    assert_fails(&w->s, world_apply(w, codes_apply_activate, STR("")), "codes.bad-entry");
    codes_snapshot_unref(none);
    codes_snapshot_unref(before);
    codes_snapshot_unref(after);
    codes_snapshot_unref(back);
}

static status apply_activation(struct codes_world *w, struct data_txn *txn, uint64_t id)
{
    SCOPED(buf_fini) struct buf body = {0};
    codes_activation_encode(&body, id);
    return codes_apply_activate(w->codes, txn, &w->s.cx, ++w->seq, buf_str(&body));
}

static void assert_readers_see(struct codes_world *w, const char *version, size_t releases)
{
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    struct codes_concept concept;
    assert_int_equal(codes_release_count(now), releases);
    assert_ok(&w->s, codes_lookup(now, &w->s.cx, STR("LN"), STR("2345-7"), 0, &concept));
    assert_str(concept.version, version);
    codes_snapshot_unref(now);
}

static void test_publish__readers_see_a_batch_whole_and_after_its_commit(void **state)
{
    struct codes_world *w = *state;
    uint64_t first = world_register(w, small_loinc("first words"), LOINC, "1", "loinc");
    world_activate(w, first);
    SCOPED(buf_fini) struct buf second = world_pack(w, small_loinc("second words"), LOINC, "2", "loinc");

    struct data_txn *txn = data_txn_begin(w->store);
    assert_ok(&w->s, codes_apply_register(w->codes, txn, &w->s.cx, ++w->seq, buf_str(&second)));
    uint64_t id = w->seq;
    assert_ok(&w->s, apply_activation(w, txn, id));
    assert_str(display_now(w, codes_applied_snapshot(w->codes)), "second words"); /* the writer's later entries */
    assert_readers_see(w, "1", 1);
    data_txn_commit(txn, w->seq, world_publish, w->codes);
    assert_readers_see(w, "2", 2);
}

static void test_publish__a_refused_entry_leaves_no_trace(void **state)
{
    struct codes_world *w = *state;
    uint64_t first = world_register(w, small_loinc("first words"), LOINC, "1", "loinc");
    uint64_t second = world_register(w, small_loinc("second words"), LOINC, "2", "loinc");
    world_activate(w, first);
    SCOPED(buf_fini) struct buf twin = world_pack(w, small_loinc("second words"), LOINC, "2", "loinc");

    struct data_txn *txn = data_txn_begin(w->store);
    assert_ok(&w->s, apply_activation(w, txn, second));
    struct codes_snapshot *applied = codes_applied_snapshot(w->codes);
    size_t rows = data_txn_mark(txn);
    assert_fails(&w->s, codes_apply_register(w->codes, txn, &w->s.cx, ++w->seq, buf_str(&twin)),
                 "codes.release-exists");
    data_txn_undo_to(txn, rows);
    assert_fails(&w->s, apply_activation(w, txn, 4711), "codes.release-unknown");
    data_txn_undo_to(txn, rows);
    assert_ptr_equal(codes_applied_snapshot(w->codes), applied);
    data_txn_commit(txn, w->seq, world_publish, w->codes);
    assert_readers_see(w, "2", 2);
}

static void damage(struct codes_world *w, const char *path)
{
    SCOPED(buf_fini) struct buf bytes = {0};
    assert_ok(&w->s, file_read(&w->s.cx, path, 1 << 20, &bytes));
    bytes.data[bytes.len / 2] ^= 1;
    assert_ok(&w->s, file_replace(&w->s.cx, path, buf_str(&bytes), 0600));
}

static void test_packs__are_mapped_only_while_somebody_needs_them(void **state)
{
    struct codes_world *w = *state;
    static const char *const words[] = {"first words", "second words", "third words"};
    uint64_t ids[3];
    for (size_t i = 0; i < 3; i++)
        ids[i] = world_register(w, small_loinc(words[i]), LOINC, words[i], "loinc");
    assert_int_equal(world_mapped(w), 0);
    for (size_t i = 0; i < 3; i++)
        world_activate(w, ids[i]);
    codes_free_unused(w->codes);
    assert_int_equal(world_mapped(w), 2); /* the active one, and the one a roll back leads to */

    struct codes_snapshot *held = codes_snapshot_ref(w->codes);
    struct codes_concept concept;
    for (int i = 0; i < 2; i++)
        assert_ok(&w->s, codes_lookup(held, &w->s.cx, STR("LN"), STR("2345-7"), ids[0], &concept));
    assert_int_equal(world_mapped(w), 3); /* asked for: opened once */
    assert_ok(&w->s, world_roll_back(w, "LN"));
    codes_free_unused(w->codes);
    assert_int_equal(world_mapped(w), 3);
    assert_str(concept.display, "first words");
    codes_snapshot_unref(held);
    codes_free_unused(w->codes);
    assert_int_equal(world_mapped(w), 2); /* active: the second; before it: the first, open when that was decided */
    world_activate(w, ids[1]);
    codes_free_unused(w->codes);
    assert_int_equal(world_mapped(w), 2);

    world_close(w);
    assert_int_equal(world_mapped(w), 0);
    world_open(w);
    codes_free_unused(w->codes);
    assert_int_equal(world_mapped(w), 2);
}

static struct codes_registration registration_of(struct codes_world *w, struct str body)
{
    struct cut cut = {.rest = body};
    struct codes_registration registration = {0};
    registration.system = cut_lstr(&cut);
    registration.version = cut_lstr(&cut);
    registration.kind = cut_lstr(&cut);
    registration.pack_file = cut_lstr(&cut);
    struct str digest = cut_bytes(&cut, sizeof registration.sha256);
    assert_false(cut.bad);
    memcpy(registration.sha256, digest.data, digest.len);
    (void)w;
    return registration;
}

static void test_hold__the_writer_needs_no_file(void **state)
{
    struct codes_world *w = *state;
    world_activate(w, world_register(w, small_loinc("first words"), LOINC, "1", "loinc"));
    SCOPED(buf_fini) struct buf body = world_pack(w, small_loinc("second words"), LOINC, "2", "loinc");
    struct codes_registration registration = registration_of(w, buf_str(&body));
    const char *path = world_pack_path(w, buf_str(&body)), *aside = arena_printf(&w->s.arena, "%s/aside", w->dir).data;

    struct codes_hold hold = {0};
    assert_ok(&w->s, codes_hold_registration(w->codes, &w->s.cx, &registration, &hold));
    assert_int_equal(rename(path, aside), 0);
    assert_ok(&w->s, world_apply(w, codes_apply_register, buf_str(&body)));
    codes_hold_end(&hold);
    uint64_t second = w->seq;

    assert_fails(&w->s, codes_hold_activation(w->codes, &w->s.cx, second, &hold), "codes.pack-damaged");
    assert_int_equal(rename(aside, path), 0);
    assert_ok(&w->s, codes_hold_activation(w->codes, &w->s.cx, second, &hold));
    assert_int_equal(rename(path, aside), 0);
    world_activate(w, second);
    codes_hold_end(&hold);
    assert_readers_see(w, "2", 2);

    assert_ok(&w->s, codes_hold_rollback(w->codes, &w->s.cx, STR("LN"), &hold));
    assert_ok(&w->s, world_roll_back(w, "LN"));
    codes_hold_end(&hold);
    assert_readers_see(w, "1", 2);
    assert_int_equal(rename(aside, path), 0);
}

static void test_hold__refuses_before_there_is_an_entry(void **state)
{
    struct codes_world *w = *state;
    struct codes_hold hold = {0};
    assert_fails(&w->s, codes_hold_activation(w->codes, &w->s.cx, 4711, &hold), "codes.release-unknown");
    assert_fails(&w->s, codes_hold_rollback(w->codes, &w->s.cx, STR("LN"), &hold), "codes.nothing-to-roll-back-to");
    world_activate(w, world_register(w, small_loinc("first words"), LOINC, "1", "loinc"));
    assert_fails(&w->s, codes_hold_rollback(w->codes, &w->s.cx, STR("LN"), &hold), "codes.nothing-to-roll-back-to");

    SCOPED(buf_fini) struct buf body = world_pack(w, small_icd(), ICD, "2027", "icd10cm");
    struct codes_registration registration = registration_of(w, buf_str(&body)), other = registration;
    other.version = STR("2026");
    assert_fails(&w->s, codes_hold_registration(w->codes, &w->s.cx, &other, &hold), "codes.pack-damaged");
    damage(w, world_pack_path(w, buf_str(&body)));
    assert_fails(&w->s, codes_hold_registration(w->codes, &w->s.cx, &registration, &hold), "codes.pack-damaged");
    unlink(world_pack_path(w, buf_str(&body)));
    assert_fails(&w->s, codes_hold_registration(w->codes, &w->s.cx, &registration, &hold), "codes.pack-damaged");
    codes_hold_end(&hold); /* nothing was held: nothing happens */
}

static void test_open__refuses_a_registered_pack_that_is_not_whole(void **state)
{
    struct codes_world *w = *state;
    SCOPED(buf_fini) struct buf body = world_pack(w, small_loinc("words"), LOINC, "1", "loinc");
    assert_ok(&w->s, world_apply(w, codes_apply_register, buf_str(&body))); /* never active: it must be there */
    const char *path = world_pack_path(w, buf_str(&body)), *aside = arena_printf(&w->s.arena, "%s/aside", w->dir).data;
    for (int missing = 0; missing < 2; missing++) {
        SCOPED(buf_fini) struct buf whole = {0};
        assert_ok(&w->s, file_read(&w->s.cx, path, 1 << 20, &whole));
        world_close(w);
        if (missing)
            assert_int_equal(rename(path, aside), 0);
        else
            damage(w, path);
        world_open_store(w);
        assert_fails(&w->s, codes_open(&w->s.cx, w->packs.data, w->store, &w->codes), "codes.pack-damaged");
        const char *why = ctx_message(&w->s.cx).data;
        assert_non_null(strstr(why, strrchr(path, '/') + 1));
        assert_non_null(strstr(why, "next: put this file back into"));
        assert_ok(&w->s, file_replace(&w->s.cx, path, buf_str(&whole), 0600));
        ctx_clear(&w->s.cx);
        assert_ok(&w->s, codes_open(&w->s.cx, w->packs.data, w->store, &w->codes));
    }
}

static void test_rows__that_cannot_be_read_are_damage(void **state)
{
    struct codes_world *w = *state;
    world_activate(w, world_register(w, small_loinc("words"), LOINC, "1", "loinc"));
    static const struct {
        const char *table;
        struct str key, row;
    } cases[] = {
        {"codes.active", STR_INIT(LOINC), STR_INIT("")},
        {"codes.active", STR_INIT(LOINC), STR_INIT("\xff")},
        {"codes.active", STR_INIT(LOINC), STR_INIT("\x63")},     /* a release that is not there */
        {"codes.active", STR_INIT(LOINC), STR_INIT("\x63\x01")}, /* the same, before the active one */
        {"codes.release", STR_INIT("\0\0\0\0\0\0\0\x01"), STR_INIT("\x01")},
        {"codes.release", STR_INIT("\0\0\0\0\0\0\x01"), STR_INIT("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data_table *table = data_table(w->store, cases[i].table);
        struct data_txn *txn = data_txn_begin(w->store);
        struct str held = STR_NONE;
        bool was = data_txn_get(txn, table, &w->s.cx, cases[i].key, &held) == STATUS_OK;
        data_txn_put(txn, table, cases[i].key, cases[i].row);
        SCOPED(buf_fini) struct buf body = {0};
        codes_activation_encode(&body, 1);
        assert_fails(&w->s, codes_apply_activate(w->codes, txn, &w->s.cx, ++w->seq, buf_str(&body)),
                     "data.store-damaged");
        data_txn_commit(txn, w->seq, NULL, NULL);
        codes_close(w->codes);
        assert_fails(&w->s, codes_open(&w->s.cx, w->packs.data, w->store, &w->codes), "data.store-damaged");
        txn = data_txn_begin(w->store);
        if (was)
            data_txn_put(txn, table, cases[i].key, held);
        else
            data_txn_delete(txn, table, cases[i].key);
        data_txn_commit(txn, ++w->seq, NULL, NULL);
        ctx_clear(&w->s.cx);
        assert_ok(&w->s, codes_open(&w->s.cx, w->packs.data, w->store, &w->codes));
    }
}

static void test_registry__survives_closing_and_refuses_what_is_damaged(void **state)
{
    struct codes_world *w = *state;
    load_all(w);
    world_close(w);
    world_open(w);
    struct codes_snapshot *now = codes_snapshot_ref(w->codes);
    assert_int_equal(codes_release_count(now), 3);
    assert_str(display_now(w, now), "Glucose [Mass/volume] in Serum or Plasma");
    codes_snapshot_unref(now);

    SCOPED(buf_fini) struct buf again = world_pack(w, small_icd(), ICD, "2026", "icd10cm");
    assert_fails(&w->s, world_apply(w, codes_apply_register, buf_str(&again)), "codes.release-exists");
    SCOPED(buf_fini) struct buf other = world_pack(w, small_icd(), ICD, "2027", "icd10cm");
    const char *path = world_pack_path(w, buf_str(&other));
    damage(w, path);
    assert_fails(&w->s, world_apply(w, codes_apply_register, buf_str(&other)), "codes.pack-damaged");
    unlink(path);
    assert_fails(&w->s, world_apply(w, codes_apply_register, buf_str(&other)), "codes.pack-damaged");
    for (size_t len = 0; len < other.len; len++)
        assert_fails(&w->s, world_apply(w, codes_apply_register, str_make(other.data, len)), "codes.bad-entry");
}

static void see(struct codes_world *w, struct data_txn *txn, const char *source, const char *code, const char *display,
                enum codes_outcome outcome)
{
    struct codes_seen seen = {.source = str_from(source),
                              .path = STR("OBX-3"),
                              .system = STR("99LAB"),
                              .code = str_from(code),
                              .display = str_from(display),
                              .outcome = outcome};
    w->s.cx.now_us += 10;
    assert_ok(&w->s, codes_apply_work_item(w->codes, txn, &w->s.cx, ++w->seq, &seen));
}

static uint64_t work_count(struct codes_world *w)
{
    uint64_t count = 4711;
    assert_ok(&w->s, codes_work_count(w->codes, &w->s.cx, &count));
    return count;
}

static struct codes_work_page work_page(struct codes_world *w, size_t max, struct str after)
{
    struct codes_work_page page;
    assert_ok(&w->s, codes_work_items(w->codes, &w->s.cx, max, after, &page));
    return page;
}

static void test_work_items__are_counted_and_listed_most_used_first(void **state)
{
    struct codes_world *w = *state;
    assert_int_equal(work_count(w), 0);
    assert_int_equal(work_page(w, 100, STR_NONE).count, 0);
    struct data_txn *txn = data_txn_begin(w->store);
    static const struct {
        const char *source, *code;
        int times;
    } cases[] = {{"lab-a", "X1", 2}, {"lab-a", "X2", 9}, {"lab-b", "X1", 5}, {"lab-b", "", 1}};
    for (size_t i = 0; i < 4; i++)
        for (int t = 0; t < cases[i].times; t++)
            see(w, txn, cases[i].source, cases[i].code, t == 0 ? "some test" : "",
                i == 2 ? CODES_OUTCOME_INVALID : CODES_OUTCOME_UNMAPPED);
    assert_int_equal(work_count(w), 0); /* with the commit */
    data_txn_commit(txn, w->seq, NULL, NULL);
    assert_int_equal(work_count(w), 4);
    struct codes_work_page page = work_page(w, 3, STR_NONE);
    assert_int_equal(page.count, 3);
    assert_str(page.items[0].code, "X2");
    assert_int_equal(page.items[0].count, 9);
    assert_str(page.items[0].display, "some test");
    assert_str(page.items[1].source, "lab-b");
    assert_str(page.items[1].outcome, "invalid");
    assert_int_equal(page.items[1].last_seq - page.items[1].first_seq, 4);
    assert_int_equal(page.items[2].count, 2);
    assert_true(page.next.len > 0);
    page = work_page(w, 3, page.next);
    assert_int_equal(page.count, 1);
    assert_str(page.items[0].source, "lab-b");
    assert_str(page.next, "");
    page = work_page(w, 4, STR_NONE); /* just enough */
    assert_int_equal(page.count, 4);
    assert_str(page.next, "");
}

static void test_work_items__every_page_goes_on_where_the_last_one_ended(void **state)
{
    struct codes_world *w = *state;
    enum { ITEMS = 100 };
    struct data_txn *txn = data_txn_begin(w->store);
    for (int i = 0; i < ITEMS; i++)
        for (int times = 0; times <= i % 7; times++) /* many with equal counts */
            see(w, txn, "lab", arena_printf(&w->s.arena, "C%d", i).data, "", CODES_OUTCOME_UNMAPPED);
    data_txn_commit(txn, w->seq, NULL, NULL);
    struct codes_work_page all = work_page(w, ITEMS, STR_NONE);
    assert_int_equal(all.count, ITEMS);
    static const size_t sizes[] = {1, 2, 7, 33, 99, 100, 101};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct str after = STR_NONE;
        size_t seen = 0;
        do {
            struct codes_work_page page = work_page(w, sizes[s], after);
            for (size_t i = 0; i < page.count; i++) {
                assert_true(seen < ITEMS && str_eq(page.items[i].code, all.items[seen].code));
                seen++;
            }
            after = page.next;
        } while (after.len > 0);
        assert_int_equal(seen, ITEMS);
    }
    static const char *const bad[] = {
        ".", "1", "1.", "x.77", "1.7", "1.7g", "-1.77", "1.77 ", "18446744073709551616.77"};
    struct codes_work_page page;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(&w->s, codes_work_items(w->codes, &w->s.cx, 10, str_from(bad[i]), &page), "codes.page-bad");
}

/* The counter preset to just below the bound; a million rows would say the same. */
static void test_work_items__past_a_million_are_counted_by_source_and_path(void **state)
{
    struct codes_world *w = *state;
    SCOPED(buf_fini) struct buf count = {0};
    buf_put_varint(&count, CODES_WORK_ROWS_MAX - 1);
    struct data_txn *txn = data_txn_begin(w->store);
    data_txn_put(txn, data_table(w->store, "codes.work"), STR("#"), buf_str(&count));
    see(w, txn, "lab-a", "LAST", "the last one", CODES_OUTCOME_INVALID);
    see(w, txn, "lab-a", "MORE", "one more", CODES_OUTCOME_INVALID);
    see(w, txn, "lab-a", "MOST", "two more", CODES_OUTCOME_UNMAPPED);
    see(w, txn, "lab-a", "LAST", "", CODES_OUTCOME_INVALID);
    see(w, txn, "lab-a", "LAST", "", CODES_OUTCOME_INVALID);
    see(w, txn, "lab-b", "MORE", "one more", CODES_OUTCOME_UNMAPPED);
    data_txn_commit(txn, w->seq, NULL, NULL);
    assert_int_equal(work_count(w), CODES_WORK_ROWS_MAX + 2); /* a row each for what is beyond */
    struct codes_work_page page = work_page(w, 10, STR_NONE);
    assert_int_equal(page.count, 3);
    assert_str(page.items[0].code, "LAST");
    assert_int_equal(page.items[0].count, 3);
    assert_str(page.items[0].outcome, "invalid");
    assert_str(page.items[1].source, "lab-a");
    assert_str(page.items[1].code, "");
    assert_str(page.items[1].display, "");
    assert_int_equal(page.items[1].count, 2);
    assert_str(page.items[1].outcome, "beyond-limit");
    assert_str(page.items[2].outcome, "beyond-limit");
    assert_str(page.items[2].source, "lab-b");
}

static void test_work_items__long_texts_end_in_an_ellipsis_after_a_whole_character(void **state)
{
    struct codes_world *w = *state;
    char at[201] = {0}, beyond[202] = {0}, wide[401] = {0};
    memset(at, 'a', 200);
    memset(beyond, 'a', 201);
    for (size_t i = 0; i < 200; i++)
        memcpy(wide + 2 * i, "\xc3\xa9", 2);
    struct data_txn *txn = data_txn_begin(w->store);
    see(w, txn, "1", at, at, CODES_OUTCOME_UNMAPPED);
    see(w, txn, "2", beyond, beyond, CODES_OUTCOME_UNMAPPED);
    see(w, txn, "3", wide, wide, CODES_OUTCOME_UNMAPPED);
    data_txn_commit(txn, w->seq, NULL, NULL);
    struct codes_work_page page = work_page(w, 10, STR_NONE);
    assert_int_equal(page.count, 3);
    for (size_t i = 0; i < 3; i++) {
        bool whole = str_is(page.items[i].source, "1");
        assert_true(str_eq(page.items[i].code, page.items[i].display));
        assert_true(str_is_utf8(page.items[i].code) && page.items[i].code.len <= 200);
        assert_int_equal(memcmp(page.items[i].code.data + page.items[i].code.len - 3, "\xe2\x80\xa6", 3) == 0, !whole);
        assert_int_equal(str_eq(page.items[i].code, str_from(at)), whole);
    }
}

static void test_work_items__that_cannot_be_read_are_damage(void **state)
{
    struct codes_world *w = *state;
    struct data_table *table = data_table(w->store, "codes.work");
    struct data_txn *txn = data_txn_begin(w->store);
    see(w, txn, "lab", "X1", "", CODES_OUTCOME_UNMAPPED);
    see(w, txn, "lab", "X2", "", CODES_OUTCOME_UNMAPPED);
    data_txn_commit(txn, w->seq, NULL, NULL);
    static const struct codes_seen seen = {.source = STR_INIT("lab"),
                                           .path = STR_INIT("OBX-3"),
                                           .system = STR_INIT("99LAB"),
                                           .code = STR_INIT("X1"),
                                           .outcome = CODES_OUTCOME_UNMAPPED};
    static const struct str key = STR_INIT("w\3lab\5OBX-3\00599LAB\2X1");
    static const struct str bad[] = {STR_INIT(""), STR_INIT("\1"), STR_INIT("\0\1\1\1\1\2"),
                                     STR_INIT("\1\1\1\1\1\2\1ab")};
    struct codes_work_page page;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        txn = data_txn_begin(w->store);
        data_txn_put(txn, table, key, bad[i]);
        assert_fails(&w->s, codes_apply_work_item(w->codes, txn, &w->s.cx, ++w->seq, &seen), "data.store-damaged");
        data_txn_commit(txn, w->seq, NULL, NULL);
        assert_fails(&w->s, codes_work_items(w->codes, &w->s.cx, 10, STR_NONE, &page), "data.store-damaged");
    }
    txn = data_txn_begin(w->store); /* a new item asks how many there are: never from 0 again */
    data_txn_delete(txn, table, key);
    data_txn_put(txn, table, STR("#"), STR("\xff"));
    assert_fails(&w->s, codes_apply_work_item(w->codes, txn, &w->s.cx, ++w->seq, &seen), "data.store-damaged");
    data_txn_put(txn, table, STR("wX"), STR("\1\1\1\1\1\2\0")); /* a key that is none */
    data_txn_commit(txn, w->seq, NULL, NULL);
    uint64_t count;
    assert_fails(&w->s, codes_work_count(w->codes, &w->s.cx, &count), "data.store-damaged");
    assert_fails(&w->s, codes_work_items(w->codes, &w->s.cx, 10, STR_NONE, &page), "data.store-damaged");
}

/* --- readers beside the writer --- */

struct reader {
    struct codes *codes;
    uint64_t staged; /* never active: each snapshot opens its pack anew */
    _Atomic bool stop;
    _Atomic uint64_t calls;
    uint64_t wrong;
};

static void *read_on(void *arg)
{
    struct reader *reader = arg;
    struct arena arena = {0};
    arena_init(&arena, 0);
    struct ctx cx = {.arena = &arena};
    while (!atomic_load(&reader->stop)) {
        struct codes_snapshot *now = codes_snapshot_ref(reader->codes);
        struct codes_concept one, two, other;
        bool sound = codes_lookup(now, &cx, STR("LN"), STR("2345-7"), 0, &one) == STATUS_OK &&
                     codes_lookup(now, &cx, STR("LN"), STR("2345-7"), 0, &two) == STATUS_OK &&
                     codes_lookup(now, &cx, STR("LN"), STR("2345-7"), reader->staged, &other) == STATUS_OK &&
                     str_eq(one.version, two.version) && str_eq(one.display, one.version) && str_is(other.display, "C");
        reader->wrong += !sound;
        reader->calls++;
        codes_snapshot_unref(now);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return NULL;
}

static void test_snapshots__readers_never_see_two_releases_in_one_call(void **state)
{
    struct codes_world *w = *state;
    uint64_t ids[2];
    ids[0] = world_register(w, small_loinc("A"), LOINC, "A", "loinc");
    ids[1] = world_register(w, small_loinc("B"), LOINC, "B", "loinc");
    world_activate(w, ids[0]);
    struct reader readers[2] = {{.codes = w->codes}, {.codes = w->codes}};
    readers[0].staged = readers[1].staged = world_register(w, small_loinc("C"), LOINC, "C", "loinc");
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, read_on, &readers[i]);
    for (int i = 0; i < 2; i++)
        while (atomic_load(&readers[i].calls) == 0)
            sched_yield();
    for (int i = 0; i < 200; i++) {
        world_activate(w, ids[i % 2]);
        codes_free_unused(w->codes);
    }
    for (int i = 0; i < 2; i++) {
        atomic_store(&readers[i].stop, true);
        pthread_join(threads[i], NULL);
        assert_int_equal(readers[i].wrong, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_lookup__finds_by_any_name_of_the_system),
        TEST(test_details__list_names_parents_and_properties),
        TEST(test_validate__says_why_a_code_may_not_be_used),
        TEST(test_translate__orders_by_equivalence_and_names_the_row),
        TEST(test_translate__answers_every_row_of_every_map),
        TEST(test_translate__refuses_more_than_a_reply_holds),
        TEST(test_reconcile__decides_once_per_element),
        TEST(test_subsumes__needs_a_hierarchy),
        TEST(test_activation__rolls_back_and_leaves_running_calls_alone),
        TEST(test_publish__readers_see_a_batch_whole_and_after_its_commit),
        TEST(test_publish__a_refused_entry_leaves_no_trace),
        TEST(test_packs__are_mapped_only_while_somebody_needs_them),
        TEST(test_hold__the_writer_needs_no_file),
        TEST(test_hold__refuses_before_there_is_an_entry),
        TEST(test_open__refuses_a_registered_pack_that_is_not_whole),
        TEST(test_rows__that_cannot_be_read_are_damage),
        TEST(test_registry__survives_closing_and_refuses_what_is_damaged),
        TEST(test_work_items__are_counted_and_listed_most_used_first),
        TEST(test_work_items__every_page_goes_on_where_the_last_one_ended),
        TEST(test_work_items__past_a_million_are_counted_by_source_and_path),
        TEST(test_work_items__long_texts_end_in_an_ellipsis_after_a_whole_character),
        TEST(test_work_items__that_cannot_be_read_are_damage),
        TEST(test_snapshots__readers_never_see_two_releases_in_one_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
