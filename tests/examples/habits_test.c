/* Habits of the sources: who is known where, how often twice, what is filled in, and what mistakes leave sound. */
#include "support.h"

#include "gen_internal.h"

#include "base/map.h"

enum { HUMANS = 50000 };

static struct gen fresh(uint64_t seed)
{
    struct gen gen;
    gen_init(&gen, &(struct gen_options){.seed = seed});
    return gen;
}

static void test_records__are_a_pure_function_of_seed_and_number(void **state)
{
    (void)state;
    struct gen first = fresh(7), second = fresh(7), other = fresh(8);
    static struct gen_record a[GEN_RECORDS_PER_HUMAN], b[GEN_RECORDS_PER_HUMAN];
    bool differs = false;
    for (uint64_t i = 500; i-- > 0;) { /* in any order */
        size_t count = gen_records(&first, i, a);
        assert_int_equal(gen_records(&second, i, b), count);
        assert_memory_equal(a, b, count * sizeof a[0]);
        differs = differs || gen_records(&other, i, b) != count || strcmp(a[0].family, b[0].family) != 0;
    }
    assert_true(differs);
}

static void test_identifiers__stay_different_up_to_the_last_human(void **state)
{
    (void)state;
    struct map seen = {0};
    for (uint64_t index = 0; index < GEN_PEOPLE_MAX; index += index < 2000 ? 1 : 99991)
        for (unsigned slot = 0; slot < GEN_SLOTS; slot++)
            for (unsigned source = 0; source < GEN_SOURCES; source++) {
                char id[24];
                bool added;
                gen_identifier((enum gen_source)source, index, slot, id);
                map_put(&seen, str_from(id), &added);
                assert_true(added);
            }
    map_fini(&seen);
}

static bool is_sound(const struct gen_record *record)
{
    return str_is_utf8(str_from(record->family)) && str_is_utf8(str_from(record->given)) && record->family[0] &&
           record->given[0] && str_is_utf8(str_from(record->line)) &&
           (record->birth_date.year == 0 || date_is_valid(record->birth_date)) && strchr("FMU", record->sex);
}

struct counts {
    uint32_t records, twice, bare, phone, line, national_id, mother, middle, suffix, former, order, day_missing;
    uint32_t year_missing, newborn, placeholder, initial, native;
};

static void count_record(const struct gen_record *record, struct counts *counts)
{
    counts->records++;
    counts->bare += gen_record_is_bare(record);
    counts->phone += record->phone[0] != 0;
    counts->line += record->line[0] != 0;
    counts->national_id += record->national_id[0] != 0;
    counts->mother += record->mother_family[0] != 0;
    counts->middle += record->middle[0] != 0;
    counts->suffix += record->suffix[0] != 0;
    counts->former += record->former_family[0] != 0;
    counts->order += record->multiple_birth;
    counts->day_missing += record->birth_date.year && record->birth_date.day == 0;
    counts->year_missing += record->birth_date.year == 0;
    counts->newborn += strncmp(record->given, "Baby ", 5) == 0 || strncmp(record->given, "BABY ", 5) == 0;
    counts->placeholder += record->birth_date.year == 1900 || strcmp(record->phone, "999-999-9999") == 0 ||
                           strcmp(record->line, "UNKNOWN") == 0 || strcmp(record->national_id, "999-99-9999") == 0 ||
                           strcmp(record->family, "TEST") == 0;
    counts->initial += record->given[1] == '\0';
    counts->native += (uint8_t)record->family[0] >= 0xC8;
}

static uint32_t percent(uint32_t part, uint32_t whole)
{
    return (part * 100 + whole / 2) / whole;
}

static void test_sources__write_as_their_habits_are(void **state)
{
    (void)state;
    static const struct {
        uint32_t known, twice; /* percent of the humans, of those known */
        uint32_t phone, line, national_id, mother, middle, former, bare;
    } want[GEN_SOURCES] = {
        [GEN_NORTH] = {71, 5, 88, 94, 25, 41, 40, 4, 0},
        [GEN_LAKE] = {45, 5, 86, 92, 0, 36, 20, 2, 1},
        [GEN_LAB] = {40, 4, 40, 0, 0, 0, 0, 0, 60},
        [GEN_INSURER] = {50, 3, 84, 97, 60, 0, 55, 14, 0},
    };
    struct gen gen = fresh(7);
    static struct gen_record records[GEN_RECORDS_PER_HUMAN];
    struct counts of[GEN_SOURCES] = {0}, all = {0};
    for (uint64_t i = 0; i < HUMANS; i++) {
        size_t count = gen_records(&gen, i, records);
        assert_in_range(count, 1, GEN_RECORDS_PER_HUMAN);
        for (size_t r = 0; r < count; r++) {
            assert_int_equal(records[r].human, i);
            if (!is_sound(&records[r]))
                fail_msg("human %u: \"%s\" \"%s\"", (unsigned)i, records[r].family, records[r].given);
            count_record(&records[r], &of[records[r].source]);
            count_record(&records[r], &all);
            of[records[r].source].twice += r > 0 && records[r].source == records[r - 1].source;
        }
    }
    for (unsigned s = 0; s < GEN_SOURCES; s++) {
        const struct counts *c = &of[s];
        assert_in_range(percent(c->records - c->twice, HUMANS) + 1, want[s].known, want[s].known + 2);
        assert_int_equal(percent(c->twice, c->records - c->twice), want[s].twice);
        assert_in_range(percent(c->phone, c->records) + 1, want[s].phone, want[s].phone + 2);
        assert_in_range(percent(c->line, c->records) + 1, want[s].line, want[s].line + 2);
        assert_in_range(percent(c->national_id, c->records) + 1, want[s].national_id, want[s].national_id + 2);
        assert_in_range(percent(c->mother, c->records) + 1, want[s].mother, want[s].mother + 2);
        assert_in_range(percent(c->middle, c->records) + 1, want[s].middle, want[s].middle + 2);
        assert_in_range(percent(c->former, c->records) + 1, want[s].former, want[s].former + 2);
        assert_in_range(percent(c->bare, c->records) + 1, want[s].bare, want[s].bare + 2);
    }
    assert_true(of[GEN_LAB].initial > 1000 && of[GEN_LAB].native == 0);
    assert_in_range(all.native, 1000, 5000);
    assert_in_range(all.suffix, 1000, 3000);
    assert_in_range(all.order, 1000, 3000);
    assert_in_range(all.day_missing, 300, 1500);
    assert_in_range(all.year_missing, 1000, 3000);
    assert_in_range(all.newborn, 500, 3000);
    assert_in_range(all.placeholder, 1000, 4000);
}

static void test_twins__share_the_day_but_not_the_name(void **state)
{
    (void)state;
    struct gen gen = fresh(3);
    static struct gen_human a, b;
    uint32_t pairs = 0, alike = 0, nearby = 0;
    for (uint64_t i = 1; i < HUMANS; i++) {
        gen_human(&gen, i, &b);
        if (b.self->twin != 2)
            continue;
        gen_human(&gen, i - 1, &a);
        pairs++;
        assert_int_equal(a.self->twin, 1);
        assert_int_equal(a.house.first, b.house.first);
        assert_int_equal(date_to_days(a.self->birth), date_to_days(b.self->birth));
        assert_string_not_equal(a.given.native, b.given.native);
        assert_string_equal(a.mother_family.native, b.mother_family.native);
        alike += a.given.native[0] == b.given.native[0];
        nearby += !a.self->away && !b.self->away;
    }
    assert_in_range(pairs, 700, 900);
    assert_in_range(percent(alike, pairs), 30, 50);
    assert_in_range(percent(nearby, pairs), 60, 80);
}

static void test_spoil__makes_one_sound_mistake(void **state)
{
    (void)state;
    struct gen gen = fresh(4);
    static struct gen_record records[GEN_RECORDS_PER_HUMAN];
    uint32_t dates = 0, names = 0, others = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        gen_records(&gen, i % 2000, records);
        struct gen_record spoilt = records[0];
        gen_spoil(&spoilt, i * 7919);
        assert_true(is_sound(&spoilt));
        assert_memory_not_equal(&spoilt, &records[0], sizeof spoilt);
        bool name = strcmp(spoilt.family, records[0].family) != 0 || strcmp(spoilt.given, records[0].given) != 0;
        bool date = memcmp(&spoilt.birth_date, &records[0].birth_date, sizeof spoilt.birth_date) != 0;
        names += name;
        dates += date;
        others += !name && !date;
        assert_false(name && date);
    }
    assert_in_range(names, 10000, 13000);
    assert_in_range(dates, 5000, 7000);
    assert_in_range(others, 1500, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records__are_a_pure_function_of_seed_and_number),
        cmocka_unit_test(test_identifiers__stay_different_up_to_the_last_human),
        cmocka_unit_test(test_sources__write_as_their_habits_are),
        cmocka_unit_test(test_twins__share_the_day_but_not_the_name),
        cmocka_unit_test(test_spoil__makes_one_sound_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
