/* Patients nobody should send: each message gets a clear answer, its record is kept or it leaves none, and the next one
 * is served. */
#include "base/limits.h"
#include "world.h"

enum { MEGABYTE = 1 << 20, VERY_MANY = 10000 };

static void put_many(struct buf *out, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s", text);
}

static void say_nothing(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N1^^^NORTH^MR"));
}

static void say_nothing_not_even_a_number(struct buf *out)
{
    buf_put_str(out, STR("PID|1||||Doe^Anna||19800229|F"));
}

static void say_very_many_names(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N2^^^NORTH^MR||Doe^Anna"));
    put_many(out, VERY_MANY - 1, "~Doe^Anna^^^^^A");
}

static void say_very_many_numbers(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N3^^^NORTH^MR"));
    for (unsigned i = 1; i < VERY_MANY; i++)
        buf_printf(out, "~%u^^^X^PI", i);
}

static void say_very_many_phones(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N4^^^NORTH^MR||Doe^Anna||||||||2065550143"));
    put_many(out, VERY_MANY - 1, "~2065550143");
}

static void say_a_long_name(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N5^^^NORTH^MR||"));
    put_many(out, MEGABYTE / 4,
             "D\xC3\xB6"
             "e");
}

static void say_a_long_number(struct buf *out)
{
    buf_put_str(out, STR("PID|1||"));
    put_many(out, MEGABYTE, "7");
    buf_put_str(out, STR("^^^NORTH^MR||Doe^Anna"));
}

static void say_a_long_address(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N6^^^NORTH^MR||Doe^Anna||19800229|F|||"));
    put_many(out, MEGABYTE / 8, "12 Elm S");
    buf_put_str(out, STR("^^Seattle^WA^98101"));
}

static void say_mixed_scripts(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N7^^^NORTH^MR||\xD0\x98van\xCE\xBF\xD0\xB2^\xE2\x80\xAE\xD8\xB9\xD8\xA8\xD8\xAF~"
                         "\xF0\x9F\x98\x80^\xE6\xAF\x9B\xEA\xB9\x80||19800229|F"));
}

static void say_piled_marks(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N8^^^NORTH^MR||e"));
    put_many(out, MEGABYTE / 2, "\xCC\x81");
}

static void say_broken_bytes(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N9^^^NORTH^MR||\xFF\xFE\x80^\xED\xA0\x80\xC3|\xC0\x80|1980\xFF"
                         "229|\xFE"));
}

static void say_impossible_dates(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N10^^^NORTH^MR||Doe^Anna||19809999|F||||||||||||||||Y|255"));
}

static void say_delimiters_only(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N11^^^NORTH^MR||^^^~~~&&&^^&&~^|~|^|~~|^^^~^^^|||||~^^^^^^^~"));
}

static void say_very_many_subcomponents(struct buf *out)
{
    buf_put_str(out, STR("PID|1||N12^^^NORTH^MR||Doe"));
    put_many(out, VERY_MANY, "&x^y");
}

static const struct hostile {
    const char *what;
    void (*say)(struct buf *out);
    const char *own;    /* the record that is kept; NULL: none */
    const char *reason; /* NULL: taken */
    bool less;          /* than was said, or otherwise: the trace tells */
} cases[] = {
    {"no usable field", say_nothing, "N1", NULL, false},
    {"no number", say_nothing_not_even_a_number, NULL, "engine.patient-missing", false},
    {"very many names", say_very_many_names, "N2", NULL, true},
    {"very many numbers", say_very_many_numbers, "N3", NULL, true},
    {"very many phones", say_very_many_phones, "N4", NULL, true},
    {"a long name", say_a_long_name, "N5", NULL, true},
    {"a long number", say_a_long_number, NULL, "engine.too-large", false},
    {"a long address", say_a_long_address, "N6", NULL, true},
    {"mixed scripts", say_mixed_scripts, "N7", NULL, false},
    {"piled marks", say_piled_marks, "N8", NULL, true},
    {"broken bytes", say_broken_bytes, NULL, "hl7.charset", false},
    {"impossible dates", say_impossible_dates, "N10", NULL, true},
    {"delimiters only", say_delimiters_only, "N11", NULL, false},
    {"very many subcomponents", say_very_many_subcomponents, "N12", NULL, false},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* What is bounded of a record is, and what was left out of it stands in the trace. */
static void check_kept(struct world *w, const struct hostile *at, const struct world_heard *heard)
{
    uint64_t person, record;
    struct mpi_record_view view;
    struct engine_trace trace;
    struct mpi_identifier own = {STR("NORTH"), str_from(at->own), STR("MR")};
    assert_ok(&w->s, mpi_find_own(engine_mpi(w->engine), &w->s.cx, own, &person, &record));
    assert_int_equal(person, heard->person);
    assert_ok(&w->s, mpi_record(engine_mpi(w->engine), &w->s.cx, record, &view));
    assert_true(view.identifier_count <= LIMIT_IDENTIFIERS_PER_RECORD);
    assert_true(view.demographics.name_count <= LIMIT_NAMES_PER_RECORD);
    assert_true(view.demographics.phone_count <= LIMIT_NAMES_PER_RECORD);
    for (size_t i = 0; i < view.demographics.name_count; i++)
        assert_true(view.demographics.names[i].family.len <= LIMIT_FIELD_VALUE_BYTES);
    assert_ok(&w->s, engine_trace(w->engine, &w->s.cx, heard->seq, STR_NONE, &trace));
    bool told = trace.change_count == 1 && strcmp(trace.changes[0].why, "identity.left-out") == 0;
    if (told != at->less)
        fail_msg("%s: the trace does not say what was left out, or says it of nothing", at->what);
}

static void send_case(struct world *w, const struct hostile *at, unsigned number)
{
    struct buf message = {0};
    uint64_t before = mpi_count(engine_mpi(w->engine)).records;
    buf_printf(&message, "MSH|^~\\&|HIS|NORTH|IDEM|HUB|20261121120000||ADT^A04|C%u|P|2.5.1||||||UNICODE UTF-8\r",
               number);
    at->say(&message);
    buf_put_str(&message, STR("\r"));
    struct world_heard heard = world_submit(w, "north", buf_str(&message));
    buf_fini(&message);
    bool taken = strcmp(heard.code[0], "AA") == 0;
    if (taken != (at->reason == NULL))
        fail_msg("%s: answered %s", at->what, heard.code[0]);
    assert_int_equal(mpi_count(engine_mpi(w->engine)).records, before + (at->own != NULL));
    if (!taken && strcmp(heard.reason, at->reason) != 0)
        fail_msg("%s: refused for %s, want %s", at->what, heard.reason, at->reason);
    if (at->own)
        check_kept(w, at, &heard);
}

static void test_hostile_patient__gets_a_clear_answer_and_the_next_is_served(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    for (unsigned i = 0; i < CASES; i++) {
        char id[16], control_id[16];
        send_case(&w, &cases[i], i);
        snprintf(id, sizeof id, "G%u", i);
        snprintf(control_id, sizeof control_id, "G%u", i);
        struct world_heard next = world_submit(&w, "north", world_adt(&w, "A04", control_id, id, "Good", ""));
        assert_string_equal(next.code[0], "AA");
    }
    struct mpi_counts counts = mpi_count(engine_mpi(w.engine));
    world_close(&w);
    world_open(&w); /* and what was kept comes back */
    assert_int_equal(mpi_count(engine_mpi(w.engine)).records, counts.records);
    assert_int_equal(mpi_count(engine_mpi(w.engine)).persons, counts.persons);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_patient__gets_a_clear_answer_and_the_next_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
