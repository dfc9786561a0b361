#include "support.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "terminology/pack.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    struct support s;
    const char *dir;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    support_init(&w->s);
    w->dir = support_make_dir(&w->s);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    support_remove_dir(w->dir);
    support_fini(&w->s);
    free(w);
    return 0;
}

static const struct pack_name a_name = {STR_INIT("http://example.org/cs"), STR_INIT("1"), STR_INIT("test")};

static struct pack *written(struct world *w, struct pack_builder *builder, struct str *out_path)
{
    uint32_t circle;
    assert_true(pack_builder_order(builder, &circle));
    struct pack_written file;
    assert_ok(&w->s, pack_builder_write(builder, &w->s.cx, w->dir, &a_name, &file));
    pack_builder_free(builder);
    struct str path = arena_printf(&w->s.arena, "%s/%s", w->dir, file.file.data);
    struct pack *pack;
    assert_ok(&w->s, pack_open(&w->s.cx, path.data, NULL, &pack));
    pack_close(pack);
    assert_ok(&w->s, pack_open(&w->s.cx, path.data, file.sha256, &pack));
    if (out_path)
        *out_path = path;
    return pack;
}

static uint32_t add(struct pack_builder *builder, const char *code, const char *display)
{
    uint32_t concept = pack_builder_concept(builder, str_from(code), NULL);
    assert_int_not_equal(concept, PACK_NONE);
    pack_builder_display(builder, concept, str_from(display));
    return concept;
}

static struct pack_builder *small(void)
{
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_ICD);
    uint32_t diabetes = add(builder, "E11", "Type 2 diabetes mellitus"),
             plain = add(builder, "E11.9", "without complications");
    pack_builder_flags(builder, diabetes, PACK_HEADER);
    pack_builder_parent(builder, plain, diabetes);
    pack_builder_designation(builder, plain, STR("en"), STR("short"), STR("T2DM w/o compl"));
    pack_builder_designation(builder, plain, STR("de"), STR("long"), STR("ohne Komplikationen"));
    pack_builder_property(builder, plain, STR("replaced-by"), STR("E11.8"));
    uint32_t old = add(builder, "E10.0", "retired");
    pack_builder_flags(builder, old, PACK_INACTIVE);
    return builder;
}

static void test_pack__answers_what_was_built(void **state)
{
    struct world *w = *state;
    struct pack *pack = written(w, small(), NULL);
    assert_str(pack_system(pack), "http://example.org/cs");
    assert_str(pack_kind(pack), "test");
    assert_int_equal(pack_concept_count(pack), 3);

    uint32_t plain, same, diabetes, old;
    assert_true(pack_find(pack, STR("E11.9"), &plain));
    assert_true(pack_find(pack, STR("E119"), &same));
    assert_int_equal(plain, same);
    assert_true(pack_find(pack, STR("e11.9"), &same));
    assert_false(pack_find(pack, STR("E1.19"), &same));
    assert_false(pack_find(pack, STR("E11.9 "), &same));
    assert_false(pack_find(pack, STR(""), &same));
    assert_true(pack_find(pack, STR("E11"), &diabetes));
    assert_true(pack_find(pack, STR("E10.0"), &old));
    assert_str(pack_concept_at(pack, plain).display, "without complications");
    assert_true(pack_concept_at(pack, diabetes).header);
    assert_false(pack_concept_at(pack, old).active);

    struct pack_range names = pack_designations(pack, plain);
    assert_int_equal(names.count, 2);
    assert_str(pack_designation_at(pack, names.first + 1).language, "de");
    assert_str(pack_designation_at(pack, names.first + 1).text, "ohne Komplikationen");
    struct pack_range rows = pack_properties(pack, plain);
    assert_int_equal(rows.count, 1);
    assert_str(pack_property_at(pack, rows.first).name, "replaced-by");
    assert_int_equal(pack_designations(pack, old).count, 0);

    struct pack_range parents = pack_parents(pack, plain);
    assert_int_equal(parents.count, 1);
    assert_int_equal(pack_parent_at(pack, parents.first), diabetes);
    assert_true(pack_is_a(pack, plain, diabetes));
    assert_false(pack_is_a(pack, diabetes, plain));
    assert_true(pack_is_a(pack, old, old));
    assert_false(pack_is_a(pack, old, diabetes));
    pack_close(pack);
}

static void test_pack__answers_rows_of_a_map_in_file_order(void **state)
{
    struct world *w = *state;
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_TEXT);
    static const char *const sources[][2] = {{"99LAB", "GLU"}, {"99LAB", "NA"}, {"99LAB", "GLU"}, {"OTHER", "GLU"}};
    for (size_t i = 0; i < 4; i++)
        pack_builder_map(builder, &(struct pack_map_row){
                                      .source_system = str_from(sources[i][0]),
                                      .source_code = str_from(sources[i][1]),
                                      .target_system = STR("http://loinc.org"),
                                      .target_code = arena_printf(&w->s.arena, "T%zu", i),
                                      .equivalence = STR("equivalent"),
                                      .line = i + 2,
                                  });
    struct pack *pack = written(w, builder, NULL);
    assert_int_equal(pack_map_row_count(pack), 4);
    struct pack_range rows = pack_map_find(pack, STR("99LAB"), STR("GLU"));
    assert_int_equal(rows.count, 2);
    assert_str(pack_map_row_at(pack, rows.first).target_code, "T0");
    assert_str(pack_map_row_at(pack, rows.first + 1).target_code, "T2");
    assert_int_equal(pack_map_row_at(pack, rows.first + 1).line, 4);
    assert_int_equal(pack_map_find(pack, STR("OTHER"), STR("GLU")).count, 1);
    assert_int_equal(pack_map_find(pack, STR("OTHER"), STR("NA")).count, 0);
    uint32_t index;
    assert_false(pack_find(pack, STR("GLU"), &index)); /* a source code of a map is not a concept of a code system */
    pack_close(pack);
}

static void test_pack__the_same_rows_give_the_same_bytes(void **state)
{
    struct world *w = *state;
    struct pack_written one, two;
    uint32_t circle;
    struct pack_builder *builder = small();
    assert_true(pack_builder_order(builder, &circle));
    assert_ok(&w->s, pack_builder_write(builder, &w->s.cx, w->dir, &a_name, &one));
    pack_builder_free(builder);
    builder = small();
    assert_true(pack_builder_order(builder, &circle));
    assert_ok(&w->s, pack_builder_write(builder, &w->s.cx, w->dir, &a_name, &two));
    pack_builder_free(builder);
    assert_memory_equal(one.sha256, two.sha256, 32);
    assert_true(str_eq(one.file, two.file));
}

static void test_pack__no_flipped_bit_goes_unseen(void **state)
{
    struct world *w = *state;
    struct str path;
    pack_close(written(w, small(), &path));
    SCOPED(buf_fini) struct buf bytes = {0};
    assert_ok(&w->s, file_read(&w->s.cx, path.data, 1 << 20, &bytes));
    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        struct arena_mark mark = arena_mark(&w->s.arena);
        struct pack *pack;
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_fails(&w->s, pack_open_bytes(&w->s.cx, buf_str(&bytes), &pack), "codes.pack-damaged");
        bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        arena_rewind(&w->s.arena, mark);
    }
    for (size_t len = 0; len < bytes.len; len += 7) {
        struct pack *pack;
        assert_fails(&w->s, pack_open_bytes(&w->s.cx, str_make(bytes.data, len), &pack), "codes.pack-damaged");
    }
}

/* lookup = naive table, for random codes of every kind of key */
static void test_pack__lookup_is_that_of_a_naive_table(void **state)
{
    struct world *w = *state;
    uint64_t seed = 20261121;
    for (enum pack_keys keys = 0; keys < PACK_KEYS_COUNT; keys++) {
        struct map table = {0};
        struct pack_builder *builder = pack_builder_new(keys);
        for (int i = 0; i < 5000; i++) {
            char code[32];
            unsigned long long number = hash_random(&seed) % 20000;
            int len = keys == PACK_KEYS_LOINC  ? snprintf(code, sizeof code, "%llu-%llu", number / 10 + 1, number % 10)
                      : keys == PACK_KEYS_ICD  ? snprintf(code, sizeof code, "%c%02llu.%llX", (char)('A' + number % 26),
                                                          number % 100, number)
                      : keys == PACK_KEYS_TEXT ? snprintf(code, sizeof code, "tést %llu", number)
                                               : snprintf(code, sizeof code, "%llu", number);
            bool added;
            uint32_t concept = pack_builder_concept(builder, str_make(code, (size_t)len), &added);
            bool fresh;
            uint64_t *held = map_put(&table, str_make(code, (size_t)len), &fresh);
            assert_int_equal(added, fresh);
            if (fresh) {
                *held = number;
                pack_builder_display(builder, concept, arena_printf(&w->s.arena, "d%llu", number));
            }
        }
        struct pack *pack = written(w, builder, NULL);
        assert_int_equal(pack_concept_count(pack), table.count);
        for (size_t i = 0; i < table.used; i++) {
            uint32_t index;
            assert_true(pack_find(pack, table.entries[i].key, &index));
            assert_true(str_eq(pack_concept_at(pack, index).code, table.entries[i].key));
            char want[32];
            snprintf(want, sizeof want, "d%llu", (unsigned long long)table.entries[i].value);
            assert_str(pack_concept_at(pack, index).display, want);
        }
        for (int i = 0; i < 5000; i++) {
            struct str code = arena_printf(&w->s.arena, "%llu", (unsigned long long)(hash_random(&seed) % 40000));
            uint32_t index;
            if (keys == PACK_KEYS_DIGITS)
                assert_int_equal(pack_find(pack, code, &index), map_get(&table, code) != NULL);
        }
        pack_close(pack);
        map_fini(&table);
    }
}

/* is-a = naive walk, over random graphs of several shapes */
static void check_random_graph(struct world *w, uint64_t seed, uint32_t count, uint32_t parents_max)
{
    enum { MOST = 256 };
    static bool reach[MOST][MOST];
    memset(reach, 0, sizeof reach);
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_DIGITS);
    for (uint32_t i = 0; i < count; i++) {
        add(builder, arena_printf(&w->s.arena, "%u", 1000 - i).data,
            "x"); /* the file's order is not the order of arrival */
        reach[i][i] = true;
        uint32_t parents = i == 0 ? 0 : (uint32_t)(hash_random(&seed) % (parents_max + 1));
        for (uint32_t p = 0; p < parents; p++) {
            uint32_t parent = (uint32_t)(hash_random(&seed) % i);
            pack_builder_parent(builder, i, parent);
            for (uint32_t a = 0; a < count; a++)
                reach[i][a] = reach[i][a] || reach[parent][a];
        }
    }
    struct pack *pack = written(w, builder, NULL);
    uint32_t index[MOST];
    for (uint32_t i = 0; i < count; i++)
        assert_true(pack_find(pack, arena_printf(&w->s.arena, "%u", 1000 - i), &index[i]));
    uint64_t pairs = 0, counted = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t a = 0; a < count; a++) {
            pairs += reach[i][a];
            if (pack_is_a(pack, index[i], index[a]) != reach[i][a])
                fail_msg("seed %llu: %u is-a %u, want %d", (unsigned long long)seed, i, a, reach[i][a]);
        }
    for (uint32_t a = 0; a < count; a++)
        counted += pack_descendant_count(pack, index[a]);
    assert_int_equal(counted, pairs);
    pack_close(pack);
}

static void test_pack__is_a_is_that_of_a_naive_walk(void **state)
{
    struct world *w = *state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        check_random_graph(w, seed, (uint32_t)(2 + seed * 6 % 250), (uint32_t)(1 + seed % 5));
}

static void test_pack__a_circle_is_named_by_a_concept_on_it(void **state)
{
    (void)state;
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_DIGITS);
    uint32_t concept[6];
    for (uint32_t i = 0; i < 6; i++) {
        char code[8];
        snprintf(code, sizeof code, "%u", i + 1);
        concept[i] = pack_builder_concept(builder, str_from(code), NULL);
    }
    pack_builder_parent(builder, concept[1], concept[0]);
    pack_builder_parent(builder, concept[2], concept[3]); /* 3 -> 4 -> 3, and 5, 6 hang below the circle */
    pack_builder_parent(builder, concept[3], concept[2]);
    pack_builder_parent(builder, concept[4], concept[3]);
    pack_builder_parent(builder, concept[5], concept[4]);
    uint32_t found = PACK_NONE;
    assert_false(pack_builder_order(builder, &found));
    assert_true(found == concept[2] || found == concept[3]);
    pack_builder_free(builder);
}

static void test_pack__deep_chains_and_lattices_are_only_data(void **state)
{
    struct world *w = *state;
    enum { DEEP = 200000, LEVELS = 300 };
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_DIGITS);
    for (uint32_t i = 0; i < DEEP + LEVELS * 2; i++) {
        char code[16];
        snprintf(code, sizeof code, "%u", i + 1);
        pack_builder_concept(builder, str_from(code), NULL);
        if (i > 0 && i < DEEP)
            pack_builder_parent(builder, i, i - 1);
        if (i >= DEEP + 2) { /* each of two under both of the level above: 2^300 paths */
            uint32_t above = (i - DEEP) / 2 * 2 + DEEP - 2;
            pack_builder_parent(builder, i, above);
            pack_builder_parent(builder, i, above + 1);
        }
    }
    struct pack *pack = written(w, builder, NULL);
    uint32_t top = 0, bottom = 0, left = 0, right = 0;
    assert_true(pack_find(pack, STR("1"), &top) && pack_find(pack, STR("200000"), &bottom));
    assert_true(pack_is_a(pack, bottom, top));
    assert_false(pack_is_a(pack, top, bottom));
    assert_int_equal(pack_descendant_count(pack, top), DEEP);
    assert_true(pack_find(pack, STR("200001"), &left) && pack_find(pack, STR("200002"), &right));
    assert_true(pack_find(pack, STR("200600"), &bottom));
    assert_true(pack_is_a(pack, bottom, left) && pack_is_a(pack, bottom, right));
    assert_int_equal(pack_descendant_count(pack, left), LEVELS * 2 - 1);
    assert_int_equal(pack_descendant_count(pack, right), LEVELS * 2 - 1);
    pack_close(pack);
}

static void test_pack__keys_refuse_what_would_give_two_codes_one_key(void **state)
{
    (void)state;
    struct pack_builder *digits = pack_builder_new(PACK_KEYS_DIGITS), *loinc = pack_builder_new(PACK_KEYS_LOINC);
    assert_int_equal(pack_builder_concept(digits, STR("0123"), NULL), PACK_NONE);
    assert_int_equal(pack_builder_concept(digits, STR("12a"), NULL), PACK_NONE);
    assert_int_equal(pack_builder_concept(digits, STR("1234567890123456789"), NULL), PACK_NONE);
    assert_int_equal(pack_builder_concept(digits, STR(""), NULL), PACK_NONE);
    assert_int_not_equal(pack_builder_concept(loinc, STR("2160-0"), NULL), PACK_NONE);
    assert_int_equal(pack_builder_find(loinc, STR("21600")), PACK_NONE);
    assert_int_equal(pack_builder_find(loinc, STR("216-00")), PACK_NONE);
    pack_builder_free(digits);
    pack_builder_free(loinc);
}

static void test_pack__names_are_taken_up_to_the_most_and_then_it_overflows(void **state)
{
    (void)state;
    struct pack_builder *builder = pack_builder_new(PACK_KEYS_TEXT);
    uint32_t concept = pack_builder_concept(builder, STR("A"), NULL);
    char name[16];
    for (int i = 0; i < PACK_NAMES_MAX; i++) {
        int len = snprintf(name, sizeof name, "n%d", i);
        pack_builder_property(builder, concept, str_make(name, (size_t)len), STR("x"));
        if (pack_builder_overflow(builder))
            fail_msg("%d names", i);
    }
    pack_builder_property(builder, concept, STR("n7"), STR("again"));
    assert_null(pack_builder_overflow(builder));
    pack_builder_property(builder, concept, STR("one more"), STR("x"));
    assert_non_null(pack_builder_overflow(builder));
    pack_builder_free(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pack__answers_what_was_built, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack__answers_rows_of_a_map_in_file_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack__the_same_rows_give_the_same_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack__no_flipped_bit_goes_unseen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack__lookup_is_that_of_a_naive_table, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack__is_a_is_that_of_a_naive_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack__a_circle_is_named_by_a_concept_on_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pack__deep_chains_and_lattices_are_only_data, setup, teardown),
        cmocka_unit_test(test_pack__keys_refuse_what_would_give_two_codes_one_key),
        cmocka_unit_test(test_pack__names_are_taken_up_to_the_most_and_then_it_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
