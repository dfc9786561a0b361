/* Maps of people, and the rows they read. */
#include "people_rows.h"
#include "support.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/yaml/yaml.h"

static struct support whole; /* of the group: the folder's name lives in it */
static const char *folder;

static int make_folder(void **state)
{
    (void)state;
    support_init(&whole);
    folder = support_make_dir(&whole);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    support_remove_dir(folder);
    support_fini(&whole);
    return 0;
}

static const char *put_file(struct support *s, const char *name, struct str text)
{
    const char *path = arena_printf(&s->arena, "%s/%s", folder, name).data;
    assert_ok(s, file_replace(&s->cx, path, text, 0600));
    return path;
}

static status read_map(struct support *s, const char *text, struct people_map *out_map)
{
    return people_map_read(&s->cx, put_file(s, "map.yaml", str_from(text)), out_map);
}

static struct people_rows *open_rows(struct support *s, const struct people_map *map, const char *text)
{
    struct people_rows *rows;
    assert_ok(s, people_rows_open(&s->cx, put_file(s, "clinic.csv", str_from(text)), map, 0, &rows));
    return rows;
}

static void test_rows__are_read_as_the_map_says(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct people_map map;
    assert_ok(&s, read_map(&s,
                           "id: number\n"
                           "truth: {column: number, between: '-'}\n"
                           "names:\n"
                           "  - {given: first, family: [last, last2]}\n"
                           "  - {full: known_as}\n"
                           "addresses: [{line: [house, street], city: town, postcode: zip}]\n"
                           "birth_year: y\n"
                           "birth_month: m\n"
                           "birth_day: d\n"
                           "sex: gender\n"
                           "phones: [home, mobile]\n"
                           "emails: [mail]\n"
                           "birth_place: born_in\n"
                           "mother: {family: maiden}\n"
                           "birth_order: nth\n"
                           "identifiers: [{column: ssn, type: SS, authority: social}]\n"
                           "absent: [NA]\n",
                           &map));
    assert_true(map.is_strict);
    assert_false(map.is_link);
    struct people_rows *rows = open_rows(
        &s, &map,
        "number,First,last,last2,known_as,house,street,town,zip,y,m,d,gender,home,mobile,maiden,nth,ssn,mail,born_in\n"
        "rec-17-dup-0,Ana,Silva,Costa,Ana Maria Silva,7, Mill Lane "
        ",NA,12345,1980,2,29,female,na,555-1,Reis,2,99-1,a@b.example,Porto\n"
        ",,,,,,,,,1981,2,29,,,,,,,,\n"
        ",,,,,,,,,1981,300,5,,,,,,,,\n"
        ",,,,,,,,,2201,2,5,,,,,,,,\n");
    struct people_row row;
    assert_true(people_rows_next(rows, &row));
    assert_int_equal(row.line, 2);
    assert_str(row.id, "rec-17-dup-0");
    assert_str(row.truth, "17");
    assert_str(row.input.source, "clinic");
    assert_int_equal(row.input.identifier_count, 2);
    assert_str(row.input.identifiers[0].authority, "clinic");
    assert_str(row.input.identifiers[0].type, "MR");
    assert_str(row.input.identifiers[1].value, "99-1");
    assert_str(row.input.identifiers[1].type, "SS");
    assert_str(row.input.identifiers[1].authority, "social");
    const struct mpi_demographics *d = &row.input.demographics;
    assert_int_equal(d->name_count, 2);
    assert_str(d->names[0].family, "Silva Costa");
    assert_str(d->names[1].given, "Ana");
    assert_str(d->names[1].middle, "Maria");
    assert_str(d->names[1].family, "Silva");
    assert_int_equal(d->address_count, 1);
    assert_str(d->addresses[0].line, "7 Mill Lane");
    assert_str(d->addresses[0].city, "");
    assert_int_equal(d->birth_date.day, 29);
    assert_int_equal(d->sex, 'F');
    assert_int_equal(d->phone_count, 1);
    assert_str(d->phones[0], "555-1");
    assert_int_equal(d->email_count, 1);
    assert_str(d->emails[0], "a@b.example");
    assert_str(d->birth_place, "Porto");
    assert_str(d->mother.family, "Reis");
    assert_int_equal(d->birth_order, 2);

    static const struct date dates[] = {{1981, 2, 29}, {1981, 0, 0}, {0, 0, 0}}; /* the first as it is written */
    for (size_t i = 0; i < 3; i++) {                                             /* these say nothing else */
        assert_true(people_rows_next(rows, &row));
        assert_str(row.id, "");
        assert_str(row.truth, "");
        assert_int_equal(row.line, 3 + i);
        assert_memory_equal(&row.input.demographics.birth_date, &dates[i], sizeof dates[i]);
        d = &row.input.demographics;
        assert_int_equal(d->name_count + d->address_count + d->phone_count + d->email_count + d->sex, 0);
    }
    assert_false(people_rows_next(rows, &row));
    assert_int_equal(people_rows_report(rows).left_out, 0);
    people_rows_close(rows);
    support_fini(&s);
}

static void test_rows__have_the_documented_columns_without_a_map(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct people_map map;
    assert_ok(&s, people_map_read(&s.cx, NULL, &map));
    assert_ok(&s, people_map_set_truth(&s.cx, &map, STR("who")));
    struct people_rows *rows =
        open_rows(&s, &map,
                  "who;system;MRN;assigning authority;Last Name;forename;DOB;street;address 2;zip;shoe_size\n"
                  "9;lake;L1;LAKE;Lind;Bo;1980-02-29;Mill Lane 7;Flat 2;12345;43\n");
    struct people_row row;
    assert_true(people_rows_next(rows, &row));
    assert_str(row.truth, "9");
    assert_str(row.input.source, "lake");
    assert_str(row.input.identifiers[0].value, "L1");
    assert_str(row.input.identifiers[0].authority, "LAKE");
    assert_str(row.input.demographics.names[0].family, "Lind");
    assert_str(row.input.demographics.addresses[0].line, "Mill Lane 7 Flat 2");
    assert_int_equal(row.input.demographics.birth_date.year, 1980);
    people_rows_close(rows);
    support_fini(&s);
}

static void test_rows__that_are_not_sound_are_left_out_and_named(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct people_map map;
    assert_ok(&s, read_map(&s, "id: id\nnames: [{family: family}]\nsources: [lab]\n", &map));
    SCOPED(buf_fini) struct buf text = {0};
    buf_put_str(&text, STR("id,family\n1,Lind\n2\n3,a\xff\n4,"));
    for (size_t i = 0; i <= (size_t)LIMIT_FIELD_VALUE_BYTES; i++)
        buf_put_byte(&text, 'x');
    buf_put_str(&text, STR("\n5,Lund\n6,"));
    enum { MOST = 1024 * 1024 };
    for (size_t i = 0; i <= MOST; i++)
        buf_put_byte(&text, 'x');
    buf_put_byte(&text, 0);
    struct people_rows *rows = open_rows(&s, &map, text.data);
    struct people_row row;
    assert_true(people_rows_next(rows, &row));
    assert_str(row.id, "1");
    assert_str(row.input.source, "lab");
    assert_true(people_rows_next(rows, &row));
    assert_str(row.id, "5");
    assert_false(people_rows_next(rows, &row));
    struct people_rows_report report = people_rows_report(rows);
    assert_int_equal(report.left_out, 4);
    assert_int_equal(report.first_line, 3);
    assert_non_null(strstr(report.first_what, "columns"));
    people_rows_close(rows);
    support_fini(&s);
}

static void test_map__names_the_place_of_what_it_does_not_take(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum yaml_reason reason;
        const char *says;
    } cases[] = {
        {"id: a\nfamly: b\n", YAML_UNKNOWN_KEY, "line 2"},
        {"names: [{famly: b}]\n", YAML_UNKNOWN_KEY, "did you mean `family`"},
        {"names: {family: b}\n", YAML_WRONG_KIND, "line 1"},
        {"mode: both\n", YAML_BAD_VALUE, "dedupe"},
        {"truth: {column: a, between: ab}\n", YAML_BAD_VALUE, "one character"},
        {"truth: {between: a}\n", YAML_MISSING_KEY, "column"},
        {"identifiers: [{type: SS}]\n", YAML_MISSING_KEY, "column"},
        {"mother: maiden\n", YAML_WRONG_KIND, "line 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        struct people_map map;
        assert_int_not_equal(read_map(&s, cases[i].text, &map), STATUS_OK);
        assert_ptr_equal(s.cx.reason, &yaml_reasons[cases[i].reason]);
        if (!strstr(ctx_message(&s.cx).data, cases[i].says))
            fail_msg("%s\nsays %s", cases[i].text, ctx_message(&s.cx).data);
        support_fini(&s);
    }
}

/* "KEY: [PREFIX0, PREFIX1 …]" with so many items. */
static void put_list(struct buf *text, const char *key, const char *prefix, size_t count)
{
    buf_printf(text, "%s: [", key);
    for (size_t i = 0; i < count; i++)
        buf_printf(text, "%s%s%zu", i ? ", " : "", prefix, i);
    buf_printf(text, "]\n");
}

static void test_map__of_every_public_set_is_understood(void **state)
{
    (void)state;
    static const char *const names[] = {"fake1000", "febrl",        "historical", "miis",
                                        "nbs",      "pseudopeople", "rldata",     "uganda"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct support s;
        support_init(&s);
        struct people_map map;
        assert_ok(&s, people_map_read(&s.cx, arena_printf(&s.arena, "tests/mpi/maps/%s.yaml", names[i]).data, &map));
        assert_true(map.truth.count + map.labels.match.count > 0);
        support_fini(&s);
    }
}

static void test_map__has_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t max;
    } lists[] = {{"sex", PEOPLE_JOINED_MAX}, {"phones", PEOPLE_LIST_MAX}, {"absent", PEOPLE_WORDS_MAX}};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (size_t beyond = 0; beyond < 2; beyond++) {
            struct support s;
            support_init(&s);
            struct people_map map;
            SCOPED(buf_fini) struct buf text = {0};
            put_list(&text, lists[i].key, "c", lists[i].max + beyond);
            buf_put_byte(&text, 0);
            assert_int_equal(read_map(&s, text.data, &map) == STATUS_OK, beyond == 0);
            support_fini(&s);
        }
    }
    /* four lists of eight with four columns each are 128 different columns: one more is too many */
    for (size_t beyond = 0; beyond < 2; beyond++) {
        struct support s;
        support_init(&s);
        struct people_map map;
        SCOPED(buf_fini) struct buf text = {0};
        buf_printf(&text, "%s", beyond ? "id: one_more\nnames:\n" : "names:\n");
        for (size_t i = 0; i < PEOPLE_LIST_MAX; i++)
            for (size_t k = 0; k < 4; k++)
                buf_printf(&text, "%s%s: [n%zu%zu0, n%zu%zu1, n%zu%zu2, n%zu%zu3]\n", k == 0 ? "  - " : "    ",
                           (const char *[]){"family", "given", "middle", "suffix"}[k], i, k, i, k, i, k, i, k);
        buf_put_byte(&text, 0);
        assert_int_equal(read_map(&s, text.data, &map) == STATUS_OK, beyond == 0);
        if (!beyond)
            assert_int_equal(map.column_count, PEOPLE_COLUMNS_MAX);
        support_fini(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows__are_read_as_the_map_says),
        cmocka_unit_test(test_rows__have_the_documented_columns_without_a_map),
        cmocka_unit_test(test_rows__that_are_not_sound_are_left_out_and_named),
        cmocka_unit_test(test_map__names_the_place_of_what_it_does_not_take),
        cmocka_unit_test(test_map__of_every_public_set_is_understood),
        cmocka_unit_test(test_map__has_bounds),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
