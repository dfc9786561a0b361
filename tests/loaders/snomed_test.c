#include "loaders_world.h"

#include "base/csv.h"
#include "base/map.h"
#include "base/vec.h"

#define C "\t20260101\t1\t900000000000207008\t"

static void put_small(struct loaders_world *w)
{
    put_file(w, "sct2_Concept_Snapshot_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n"
             "138875005" C "900000000000074008\r\n"
             "404684003" C "900000000000074008\r\n"
             "73211009" C "900000000000073002\r\n"
             "44054006\t20260101\t0\t900000000000207008\t900000000000074008\r\n");
    put_file(w, "sct2_Description_Snapshot-en_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId\r\n"
             "1000000013" C "73211009\ten\t900000000000003001\tDiabetes mellitus (disorder)\t900000000000448009\r\n"
             "1000001012" C "73211009\ten\t900000000000013009\tDM \"sugar\" \\ '\t900000000000448009\r\n"
             "1000002017" C "73211009\ten\t900000000000013009\tDiabetes mellitus\t900000000000448009\r\n"
             "1000003010\t20260101\t0\t900000000000207008\t73211009\ten\t900000000000013009\tSwept "
             "away\t900000000000448009\r\n");
    put_file(w, "der2_cRefset_LanguageSnapshot-en_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tacceptabilityId\r\n"
             "a" C "900000000000509007\t1000002017\t900000000000548007\r\n"
             "b" C "900000000000509007\t1000001012\t900000000000549004\r\n");
    put_file(w, "sct2_Relationship_Snapshot_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\trelationshipGroup\ttypeId\tcharacteristicTy"
             "peId\tmodifierId\r\n"
             "10000000020" C "404684003\t138875005\t0\t116680003\t900000000000011006\t900000000000451002\r\n"
             "10000001024" C "73211009\t404684003\t0\t116680003\t900000000000011006\t900000000000451002\r\n"
             "10000002028" C "73211009\t404684003\t1\t363698007\t900000000000011006\t900000000000451002\r\n");
    put_file(w, "der2_cRefset_AssociationSnapshot_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\ttargetComponentId\r\n"
             "a" C "900000000000527005\t44054006\t73211009\r\n");
    put_file(w, "der2_iisssccRefset_ExtendedMapSnapshot_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\tmapGroup\tmapPriority\tmapRule\tmap"
             "Advice\tmapTarget\tcorrelationId\tmapCategoryId\r\n"
             "a" C "447562003\t73211009\t1\t1\tTRUE\tALWAYS E14.9\tE14.9\t447561005\t447637006\r\n"
             "b" C "447562003\t73211009\t1\t2\tIFA 248152002\tIF FEMALE\tO24.9\t447561005\t447637006\r\n");
}

static void test_snomed__reads_names_hierarchy_history_and_maps(void **state)
{
    struct loaders_world *w = *state;
    put_small(w);
    struct loader_result result;
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    assert_int_equal(result.findings_total, 0);
    assert_str(result.registration.version, "20260101");
    struct pack *pack = open_result(w, &result);
    assert_int_equal(pack_concept_count(pack), 4);
    assert_str(pack_concept_at(pack, index_of(pack, "73211009")).display, "Diabetes mellitus");
    struct pack_range names = pack_designations(pack, index_of(pack, "73211009"));
    assert_int_equal(names.count, 3);
    assert_str(pack_designation_at(pack, names.first).use, "fsn");
    assert_str(pack_designation_at(pack, names.first + 1).text, "DM \"sugar\" \\ '"); /* RF2 has no quoting */
    assert_str(pack_designation_at(pack, names.first + 2).use, "preferred");
    assert_true(pack_is_a(pack, index_of(pack, "73211009"), index_of(pack, "138875005")));
    assert_str(property_of(pack, "73211009", "363698007"), "404684003");
    assert_str(property_of(pack, "73211009", "map:447562003"), "E14.9");
    assert_false(pack_concept_at(pack, index_of(pack, "44054006")).active);
    assert_str(property_of(pack, "44054006", "replaced-by"), "73211009");
    pack_close(pack);
}

static void test_snomed__full_and_delta_beside_a_snapshot_are_not_read(void **state)
{
    struct loaders_world *w = *state;
    put_small(w);
    put_file(w, "sct2_Concept_Full_INT_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n138875005" C "900000000000074008\r\n");
    struct loader_result result;
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    assert_int_equal(result.registration.concepts, 4);
    put_file(w, "sct2_Concept_Snapshot_XX_20260101.txt",
             "id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n138875005" C "900000000000074008\r\n");
    assert_refused(w, w->release.data, "rf2.duplicate", 2);
}

/* --- the real subset, against a walk that knows nothing of packs --- */

struct edge {
    uint32_t child, parent;
};

struct walk {
    struct map ids; /* concept -> number */
    VEC(struct edge) edges;
    VEC(char) active;
};

static void read_subset(struct loaders_world *w, const char *folder, struct walk *walk)
{
    SCOPED(buf_fini) struct buf concepts = {0}, relations = {0};
    struct arena *arena = &w->s.arena;
    assert_ok(&w->s,
              file_read(&w->s.cx,
                        arena_printf(arena, "%s/Terminology/sct2_Concept_Snapshot_INT_20250909.txt", folder).data,
                        1 << 28, &concepts));
    assert_ok(&w->s,
              file_read(&w->s.cx,
                        arena_printf(arena, "%s/Terminology/sct2_Relationship_Snapshot_INT_20250909.txt", folder).data,
                        1 << 28, &relations));
    static struct csv csv;
    csv_init(&csv, buf_str(&concepts), '\t', false, arena);
    csv_next(&csv);
    while (csv_next(&csv)) {
        *map_put(&walk->ids, csv.fields[0], NULL) = walk->active.count;
        *VEC_ADD(&walk->active) = csv.fields[2].data[0];
    }
    csv_init(&csv, buf_str(&relations), '\t', false, arena);
    csv_next(&csv);
    while (csv_next(&csv))
        if (str_is(csv.fields[2], "1") && str_is(csv.fields[7], "116680003") &&
            !str_is(csv.fields[8], "900000000000010007"))
            *VEC_ADD(&walk->edges) = (struct edge){(uint32_t)*map_get(&walk->ids, csv.fields[4]),
                                                   (uint32_t)*map_get(&walk->ids, csv.fields[5])};
}

/* Ancestors of one concept, itself left out, by going over all edges until nothing is added. */
static uint32_t mark_ancestors(const struct walk *walk, uint32_t concept, char *marked)
{
    uint32_t count = 0;
    memset(marked, 0, walk->ids.count);
    marked[concept] = 1;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < walk->edges.count; i++) {
            if (!marked[walk->edges.at[i].child] || marked[walk->edges.at[i].parent])
                continue;
            marked[walk->edges.at[i].parent] = 1;
            count++;
            more = true;
        }
    }
    return count;
}

static void test_snomed__the_published_subset_has_its_published_counts(void **state)
{
    struct loaders_world *w = *state;
    const char *folder = support_data(&w->s, "terminology/tx-ecosystem/tx-source/snomed");
    if (folder == NULL) {
        print_message("skipped: no data\n");
        skip();
    }
    struct loader_result result;
    assert_ok(&w->s, load_path(w, folder, &result));
    assert_int_equal(result.findings_fatal, 0);
    assert_int_equal(result.registration.concepts, 2258);
    assert_str(result.registration.version, "20250909");
    struct pack *pack = open_result(w, &result);

    struct walk walk = {0};
    read_subset(w, folder, &walk);
    assert_int_equal(walk.edges.count, 3264);
    uint32_t *index = mem_array(walk.ids.count, sizeof *index);
    char *marked = mem_alloc(walk.ids.count);
    uint32_t active = 0, pairs = 0, longest = 0;
    for (uint32_t i = 0; i < walk.ids.count; i++) {
        assert_true(pack_find(pack, walk.ids.entries[i].key, &index[i]));
        active += pack_concept_at(pack, index[i]).active;
    }
    assert_int_equal(active, 2254);
    for (uint32_t i = 0; i < walk.ids.count; i++) {
        uint32_t ancestors = mark_ancestors(&walk, i, marked);
        pairs += ancestors;
        longest = ancestors > longest ? ancestors : longest;
        for (uint32_t a = 0; a < walk.ids.count; a++)
            if (pack_is_a(pack, index[i], index[a]) != (marked[a] != 0))
                fail_msg("%.*s is-a %.*s: want %d", STR_ARGS(walk.ids.entries[i].key),
                         STR_ARGS(walk.ids.entries[a].key), marked[a]);
    }
    print_message("closure %u pairs, longest ancestor list %u\n", pairs, longest);
    assert_int_equal(pairs, 29126);
    assert_int_equal(longest, 54);
    uint64_t counted = 0;
    for (uint32_t i = 0; i < walk.ids.count; i++)
        counted += pack_descendant_count(pack, index[i]) - 1;
    assert_int_equal(counted, pairs);
    mem_free(index);
    mem_free(marked);
    map_fini(&walk.ids);
    VEC_FINI(&walk.edges);
    VEC_FINI(&walk.active);
    pack_close(pack);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_snomed__reads_names_hierarchy_history_and_maps),
        TEST(test_snomed__full_and_delta_beside_a_snapshot_are_not_read),
        TEST(test_snomed__the_published_subset_has_its_published_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
