#include "load.h"
#include "loaders_world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER "source_system,source_code,source_display,target_system,target_code,target_display,equivalence,comment\n"

static void test_map__reads_rows_and_normalises_systems(void **state)
{
    struct loaders_world *w = *state;
    const char *path = put_file(w, "hospital-a.csv",
                                HEADER "99LAB,GLU,\"Glucose, serum\",LN,2345-7,Glucose,equivalent,\n"
                                       "99LAB,NA,Sodium,LOINC,2951-2,,Source-is-narrower-than-target,checked\n"
                                       "99LAB,CMT,Comment,LN,,,unmatched,\n"
                                       "I10C,E11.9,,SCT,44054006,,,\n");
    struct loader_result result;
    assert_ok(&w->s, load_path(w, path, &result));
    assert_int_equal(result.findings_total, 0);
    assert_str(result.registration.system, "map:hospital-a");
    assert_str(result.registration.kind, "map");
    assert_int_equal(result.registration.concepts, 3);
    struct pack *pack = open_result(w, &result);
    struct pack_range rows = pack_map_find(pack, STR("99LAB"), STR("NA"));
    assert_int_equal(rows.count, 1);
    assert_str(pack_map_row_at(pack, rows.first).target_system, "http://loinc.org");
    assert_str(pack_map_row_at(pack, rows.first).equivalence, "wider");
    assert_int_equal(pack_map_row_at(pack, rows.first).line, 3);
    assert_int_equal(pack_map_find(pack, STR("http://hl7.org/fhir/sid/icd-10-cm"), STR("E11.9")).count, 1);
    assert_int_equal(pack_map_find(pack, STR("99LAB"), STR("CMT")).count, 0);
    pack_close(pack);
}

static void test_map__understands_other_spellings_and_separators(void **state)
{
    struct loaders_world *w = *state;
    const char *path = put_file(
        w, "m.csv",
        "\xef\xbb\xbfLocal System;Local-Code;Standard System;Standard Code;Notes\r\n99LAB;GLU;LN;2345-7;x\r\n");
    struct loader_options options = {
        .path = path, .pack_dir = w->packs.data, .system = STR("map:mine"), .version = STR("7")};
    struct loader_result result;
    assert_ok(&w->s, loaders_load_codes(&w->s.cx, &options, &result));
    assert_int_equal(result.findings_total, 0);
    assert_str(result.registration.system, "map:mine");
    assert_str(result.registration.version, "7");
}

static void test_map__warns_and_refuses_by_line(void **state)
{
    struct loaders_world *w = *state;
    static const struct {
        const char *text, *rule;
        uint64_t line;
        bool fatal;
        const char *says;
    } cases[] = {
        {"source_system,source_code,target_system,targt_code\nL,a,LN,2345-7\n", "map.column-missing", 1, true,
         "targt_code"},
        {"source_system,source_code,target_system,target_code,owner\nL,a,LN,2345-7,me\n", "map.column-unknown", 1,
         false, "owner"},
        {"source_system,source_code,target_system,target_code,coment\nL,a,LN,2345-7,me\n", "map.column-unknown", 1,
         false, "did you mean comment?"},
        {"source_system,source_code,target_system,target_code\nL,a,LN,2345-8\n", "map.target-shape", 2, true,
         "check digit"},
        {"source_system,source_code,target_system,target_code\nL,a,SCT,4.41E+07\n", "map.target-shape", 2, true, "SCT"},
        {"source_system,source_code,target_system,target_code\nL,a,I10C,E1.19\n", "map.target-shape", 2, true, "I10C"},
        {"source_system,source_code,target_system,target_code\nL,,LN,2345-7\n", "map.source-empty", 2, true, "source"},
        {"source_system,source_code,target_system,target_code\nL,a,LN,\n", "map.target-empty", 2, true, "unmatched"},
        {"source_system,source_code,target_system,target_code,equivalence\nL,a,LN,2345-7,equivalant\n",
         "map.equivalence", 2, true, "did you mean equivalent?"},
        {"source_system,source_code,target_system,target_code\nL,a,LN,2345-7\nL,a,LN,2345-7\n", "map.duplicate", 3,
         false, "line 2"},
        {"source_system,source_code,target_system,target_code\nL,a,LN,2345-7\nL,a,LN,2951-2\n", "map.ambiguous", 3,
         false, "line 2"},
        {"source_system,source_code,target_system,target_code\nL,a,LN,2345-7,extra\n", "map.columns", 2, true,
         "5 columns"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loader_result result;
        status done = load_path(w, put_file(w, "m.csv", cases[i].text), &result);
        assert_int_equal(done, cases[i].fatal ? STATUS_INVALID_ARGUMENT : STATUS_OK);
        assert_finding(&result, cases[i].rule, cases[i].line, cases[i].fatal);
        struct str what = finding(&result, cases[i].rule)->what;
        if (!memmem(what.data, what.len, cases[i].says, strlen(cases[i].says)))
            fail_msg("%s: \"%.*s\" does not say \"%s\"", cases[i].rule, STR_ARGS(what), cases[i].says);
    }
}

static void test_map__counts_every_finding_but_keeps_a_bounded_number(void **state)
{
    struct loaders_world *w = *state;
    SCOPED(buf_fini) struct buf text = {0};
    buf_put_str(&text, STR("source_system,source_code,target_system,target_code\n"));
    for (int i = 0; i < 500; i++)
        buf_printf(&text, "L,a%d,LN,2345-8\n", i);
    struct loader_options options = {
        .path = put_bytes(w, "m.csv", buf_str(&text)), .pack_dir = w->packs.data, .findings_max = 7};
    struct loader_result result;
    assert_fails(&w->s, loaders_load_codes(&w->s.cx, &options, &result), "loaders.faulty");
    assert_int_equal(result.findings_count, 7);
    assert_int_equal(result.findings_total, 500);
    assert_int_equal(result.findings_fatal, 500);
    enum { FINDINGS = 100 };
    options.findings_max = 0; /* as many as usual */
    assert_fails(&w->s, loaders_load_codes(&w->s.cx, &options, &result), "loaders.faulty");
    assert_int_equal(result.findings_count, FINDINGS);
    assert_int_equal(result.findings_total, 500);
}

static void test_map__warnings_do_not_hide_what_refuses_the_load(void **state)
{
    struct loaders_world *w = *state;
    SCOPED(buf_fini) struct buf text = {0};
    buf_put_str(&text, STR("source_system,source_code,target_system,target_code\n"));
    for (int i = 0; i < 20; i++)
        buf_printf(&text, "L,a,LN,2345-7\n"); /* the same again: a warning */
    buf_put_str(&text, STR("L,b,LN,2345-8\nL,a,LN,2345-7\nL,c,LN,2345-8\n"));
    struct loader_options options = {
        .path = put_bytes(w, "m.csv", buf_str(&text)), .pack_dir = w->packs.data, .findings_max = 3};
    struct loader_result result;
    assert_fails(&w->s, loaders_load_codes(&w->s.cx, &options, &result), "loaders.faulty");
    assert_int_equal(result.findings_count, 3);
    assert_int_equal(result.findings_total, 22);
    static const struct {
        uint64_t line;
        bool fatal;
    } want[] = {{3, false}, {22, true}, {24, true}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(result.findings[i].line, want[i].line);
        assert_int_equal(result.findings[i].fatal, want[i].fatal);
    }
}

static void test_map__rows_of_one_code_have_a_bound(void **state)
{
    struct loaders_world *w = *state;
    SCOPED(buf_fini) struct buf text = {0};
    buf_put_str(&text, STR("source_system,source_code,target_system,target_code\n"));
    for (int i = 0; i < PACK_ROWS_OF_CODE_MAX; i++)
        buf_printf(&text, "L,a,other,%d\n", i);
    struct loader_result result;
    assert_ok(&w->s, load_path(w, put_bytes(w, "m.csv", buf_str(&text)), &result));
    assert_int_equal(result.rows, PACK_ROWS_OF_CODE_MAX);
    buf_printf(&text, "L,a,other,one more\nL,a,other,and one\n");
    assert_fails(&w->s, load_path(w, put_bytes(w, "m.csv", buf_str(&text)), &result), "loaders.faulty");
    assert_finding(&result, "map.too-many", PACK_ROWS_OF_CODE_MAX + 2, true);
}

static bool cancel(void *arg, const char *stage, uint64_t done, uint64_t total)
{
    (void)stage, (void)done, (void)total;
    return ++*(int *)arg < 2;
}

static void test_load__can_be_cancelled_and_knows_what_it_does_not_know(void **state)
{
    struct loaders_world *w = *state;
    int calls = 0;
    struct loader_options options = {.path = put_file(w, "m.csv", HEADER "L,a,,LN,2345-7,,,\n"),
                                     .pack_dir = w->packs.data,
                                     .progress = cancel,
                                     .arg = &calls};
    struct loader_result result;
    assert_fails(&w->s, loaders_load_codes(&w->s.cx, &options, &result), "loaders.cancelled");
    assert_int_equal(packs_seen(w), 0);
    assert_fails(&w->s, load_path(w, put_file(w, "m.csv", "name,colour\nx,red\n"), &result), "loaders.unknown-release");
    assert_true(result.probe.len > 0);
    put_file(w, "Loinc.csv", "LOINC_NUM,COMPONENT\n1-8,a\n");
    put_file(w, "m.csv", HEADER "L,a,,LN,2345-7,,,\n");
    assert_fails(&w->s, load_path(w, w->release.data, &result),
                 "loaders.unknown-release"); /* two releases in one folder */
    assert_fails(&w->s, load_path(w, "/nonexistent", &result), "base.file");
}

static void test_load__of_too_large_a_folder_is_refused_not_read_in_part(void **state)
{
    struct loaders_world *w = *state;
    struct loader_result result;
    struct arena_mark mark = arena_mark(&w->s.arena);
    struct str folder = w->release;
    put_file(w, "map.csv", HEADER "L,GLU,Glucose,LN,2345-7,Glucose,equivalent,\n");
    for (int depth = 1; depth <= PROBE_DEPTH_MAX; depth++)
        folder = arena_printf(&w->s.arena, "%.*s/d", STR_ARGS(folder));
    assert_ok(&w->s, file_make_dirs(&w->s.cx, folder.data));
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    folder = arena_printf(&w->s.arena, "%.*s/d", STR_ARGS(folder));
    assert_ok(&w->s, file_make_dirs(&w->s.cx, folder.data));
    assert_fails(&w->s, load_path(w, w->release.data, &result), "loaders.unknown-release");
    assert_int_equal(rmdir(folder.data), 0);
    for (int i = 1; i <= PROBE_FILES_MAX; i++) {
        char path[512];
        snprintf(path, sizeof path, "%.*s/%d.txt", STR_ARGS(w->release), i);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        if (i == PROBE_FILES_MAX - 1)
            assert_ok(&w->s, load_path(w, w->release.data, &result));
    }
    assert_fails(&w->s, load_path(w, w->release.data, &result), "loaders.unknown-release");
    arena_rewind(&w->s.arena, mark);
}

/* Root may read everything. */
static void become_nobody(struct loaders_world *w)
{
    if (getuid() != 0)
        return;
    assert_int_equal(chmod(w->dir, 0755), 0);
    assert_int_equal(chmod(w->release.data, 0755), 0);
    assert_int_equal(chmod(arena_printf(&w->s.arena, "%s/map.csv", w->release.data).data, 0644), 0);
    assert_int_equal(seteuid(65534), 0);
}

static void become_who_we_are(void)
{
    assert_int_equal(seteuid(getuid()), 0);
}

static void assert_refused_unreadable(struct loaders_world *w, struct str path)
{
    struct loader_result result;
    assert_fails(&w->s, load_path(w, w->release.data, &result), "base.file");
    assert_non_null(memmem(w->s.cx.detail.data, w->s.cx.detail.len, path.data, path.len));
}

/* Once: skipped, and the rest was loaded as if it were all. */
static void test_load__of_a_folder_with_an_unreadable_one_is_refused_and_names_it(void **state)
{
    struct loaders_world *w = *state;
    struct loader_result result;
    put_file(w, "map.csv", HEADER "L,GLU,Glucose,LN,2345-7,Glucose,equivalent,\n");
    struct str folder = arena_printf(&w->s.arena, "%.*s/part", STR_ARGS(w->release));
    struct str file = arena_printf(&w->s.arena, "%.*s/more.csv", STR_ARGS(w->release));
    assert_ok(&w->s, file_make_dirs(&w->s.cx, folder.data));
    assert_ok(&w->s, load_path(w, w->release.data, &result));
    assert_int_equal(chmod(folder.data, 0), 0);
    become_nobody(w);
    assert_refused_unreadable(w, folder);
    become_who_we_are();
    assert_int_equal(rmdir(folder.data), 0);
    put_file(w, "more.csv", HEADER);
    assert_int_equal(chmod(file.data, 0), 0);
    become_nobody(w);
    assert_refused_unreadable(w, file);
    become_who_we_are();
}

static void put_x(struct buf *text, size_t count)
{
    buf_reserve(text, count);
    memset(text->data + text->len, 'x', count);
    text->len += count;
}

/* A code of so many bytes is taken, and a row of so many; one more is not. */
static void test_map__codes_and_rows_have_a_longest(void **state)
{
    struct loaders_world *w = *state;
    struct loader_result result;
    struct str head = STR("source_system,source_code,target_system,target_code,comment\n");
    for (size_t more = 0; more < 2; more++) {
        SCOPED(buf_fini) struct buf text = {0};
        buf_put_str(&text, head);
        buf_put_str(&text, STR("L,"));
        put_x(&text, PACK_CODE_MAX + more);
        buf_put_str(&text, STR(",other,1,\n"));
        const char *path = put_bytes(w, "m.csv", buf_str(&text));
        if (more) {
            assert_fails(&w->s, load_path(w, path, &result), "loaders.faulty");
            assert_finding(&result, "map.too-long", 2, true);
        } else {
            assert_ok(&w->s, load_path(w, path, &result));
        }
        buf_clear(&text);
        buf_put_str(&text, head);
        buf_put_str(&text, STR("L,a,other,1,"));
        put_x(&text, LOAD_LINE_MAX - strlen("L,a,other,1,\n") + more); /* the line end counts */
        buf_put_str(&text, STR("\nL,b,other,2,\n"));
        path = put_bytes(w, "m.csv", buf_str(&text));
        if (more) {
            assert_fails(&w->s, load_path(w, path, &result), "loaders.faulty");
        } else {
            assert_ok(&w->s, load_path(w, path, &result));
            assert_int_equal(result.rows, 2);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_map__reads_rows_and_normalises_systems),
        TEST(test_map__understands_other_spellings_and_separators),
        TEST(test_map__warns_and_refuses_by_line),
        TEST(test_map__counts_every_finding_but_keeps_a_bounded_number),
        TEST(test_map__warnings_do_not_hide_what_refuses_the_load),
        TEST(test_map__rows_of_one_code_have_a_bound),
        TEST(test_load__can_be_cancelled_and_knows_what_it_does_not_know),
        TEST(test_load__of_too_large_a_folder_is_refused_not_read_in_part),
        TEST(test_load__of_a_folder_with_an_unreadable_one_is_refused_and_names_it),
        TEST(test_map__codes_and_rows_have_a_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
