/*
 * What nobody should say, said: a clear refusal or a kept record, never a crash, and work that does not grow with the
 * crowd. Also under AddressSanitizer.
 */
#include "crowd.h"
#include "same.h"

#include "base/limits.h"

enum { MEGABYTE = 1 << 20 };

/* ---- one record at a time ---- */

struct hostile {
    struct mpi_identifier numbers[LIMIT_IDENTIFIERS_PER_RECORD + 1];
    struct mpi_name names[10000];
    struct str texts[LIMIT_NAMES_PER_RECORD];
    struct mpi_address addresses[LIMIT_NAMES_PER_RECORD];
    struct mpi_record_input input; /* points into this: one number, one name */
};

static struct str long_text(struct arena *arena, const char *unit, size_t bytes)
{
    size_t len = strlen(unit), count = bytes / len;
    char *text = arena_alloc(arena, count * len + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * len, unit, len);
    return str_make(text, count * len);
}

typedef void make_fn(struct arena *arena, struct hostile *hostile);

static struct mpi_demographics *said(struct hostile *hostile)
{
    return &hostile->input.demographics;
}

static void make_nothing(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    said(hostile)->name_count = 0;
}

static void make_placeholders(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    hostile->names[0] = (struct mpi_name){.family = STR("TEST"), .given = STR("PATIENT")};
    hostile->numbers[1] = (struct mpi_identifier){STR("USA"), STR("999-99-9999"), STR("SS")};
    hostile->input.identifier_count = 2;
    hostile->texts[0] = STR("000-000-0000");
    said(hostile)->phone_count = 1;
    hostile->addresses[0] =
        (struct mpi_address){.line = STR("UNKNOWN"), .city = STR("Anytown"), .postcode = STR("00000")};
    said(hostile)->address_count = 1;
    said(hostile)->birth_date = (struct date){1900, 1, 1};
}

static void make_marks_only(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    hostile->names[0] = (struct mpi_name){.family = STR("---'..."), .given = STR("?"), .middle = STR("\t \r\n")};
    hostile->texts[0] = STR("+()- x");
    said(hostile)->phone_count = said(hostile)->email_count = 1;
    hostile->addresses[0] = (struct mpi_address){.line = STR("#"), .city = STR("\xC2\xA0"), .postcode = STR("-")};
    said(hostile)->address_count = 1;
}

static void make_many_names(struct arena *arena, struct hostile *hostile)
{
    for (size_t i = 0; i < 10000; i++)
        hostile->names[i] = (struct mpi_name){.family = arena_printf(arena, "Name%zu", i), .given = STR("Anna")};
    said(hostile)->name_count = 10000;
}

static void make_long_name(struct arena *arena, struct hostile *hostile)
{
    hostile->names[0].family = long_text(arena, "Lindqvist ", MEGABYTE);
}

static void make_long_phone(struct arena *arena, struct hostile *hostile)
{
    hostile->texts[0] = long_text(arena, "2", MEGABYTE);
    said(hostile)->phone_count = 1;
}

static void make_long_number(struct arena *arena, struct hostile *hostile)
{
    hostile->numbers[0].value = long_text(arena, "7", MEGABYTE);
}

static void make_no_number(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    hostile->input.identifier_count = 0;
}

static void make_blank_number(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    hostile->numbers[0].value = STR("  \t ");
}

static void make_many_numbers(struct arena *arena, struct hostile *hostile)
{
    for (size_t i = 1; i <= LIMIT_IDENTIFIERS_PER_RECORD; i++)
        hostile->numbers[i] = (struct mpi_identifier){STR("X"), arena_printf(arena, "%zu", i), STR("PI")};
    hostile->input.identifier_count = LIMIT_IDENTIFIERS_PER_RECORD + 1;
}

static void make_impossible_date(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    said(hostile)->birth_date = (struct date){1964, 11, 71};
}

static void make_wildest_date(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    said(hostile)->birth_date = (struct date){2200, 99, 99};
    said(hostile)->birth_order = UINT8_MAX;
    said(hostile)->sex = '\x7f';
}

static void make_day_of_no_month(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    said(hostile)->birth_date = (struct date){1980, 0, 31};
}

/* Latin, Cyrillic and Greek letters that look alike, Arabic between marks of direction, a face, a family of joined
 * ones. */
static void make_mixed_scripts(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    hostile->names[0] =
        (struct mpi_name){.family = STR("\xD0\x98van\xCE\xBF\xD0\xB2"), .given = STR("A\xD0\xBD\xCE\xBD\xC3\xA5")};
    hostile->names[1] = (struct mpi_name){.family = STR("\xE2\x80\xAE\xD8\xB9\xD8\xA8\xD8\xAF\xE2\x80\xAC Smith"),
                                          .given = STR("\xF0\x9F\x98\x80\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9")};
    hostile->names[2] = (struct mpi_name){.family = STR("\xE6\xAF\x9B\xEA\xB9\x80\xE3\x81\x82"),
                                          .given = STR("\xE0\xB8\xAA\xE0\xB8\xA1")};
    said(hostile)->name_count = 3;
}

/* One letter under two thousand accents, and letters that fold to very many. */
static void make_piled_marks(struct arena *arena, struct hostile *hostile)
{
    hostile->names[0].family = long_text(arena, "\xCC\x81", LIMIT_FIELD_VALUE_BYTES);
    hostile->names[0].given = long_text(arena, "\xEF\xB7\xBA", LIMIT_FIELD_VALUE_BYTES); /* U+FDFA: eighteen letters */
}

static void make_broken_bytes(struct arena *arena, struct hostile *hostile)
{
    (void)arena;
    hostile->names[0] = (struct mpi_name){.family = STR("\xFF\xFE\x80\xC3"), .given = STR("a\0b\0\xED\xA0\x80")};
    hostile->numbers[0].value = STR("9\0\xFF");
    hostile->addresses[0] = (struct mpi_address){.line = STR("\xF8\x88\x80\x80\x80 St"), .city = STR("\xC0\x80")};
    said(hostile)->address_count = 1;
}

static void make_as_much_as_may_be(struct arena *arena, struct hostile *hostile)
{
    struct mpi_demographics *d = said(hostile);
    struct str most = long_text(arena, "ab1 ", LIMIT_FIELD_VALUE_BYTES);
    for (size_t i = 0; i < LIMIT_NAMES_PER_RECORD; i++) {
        hostile->names[i] = (struct mpi_name){most, most, most, most, most, most};
        hostile->texts[i] = most;
        hostile->addresses[i] = (struct mpi_address){most, most, most, most, most};
    }
    for (size_t i = 1; i < LIMIT_IDENTIFIERS_PER_RECORD; i++)
        hostile->numbers[i] = (struct mpi_identifier){most, most, most};
    hostile->input.identifier_count = LIMIT_IDENTIFIERS_PER_RECORD;
    d->name_count = d->phone_count = d->email_count = d->address_count = LIMIT_NAMES_PER_RECORD;
    d->mother = hostile->names[0];
    d->birth_place = most;
}

static const struct hostile_case {
    const char *what;
    make_fn *make;
    const char *refused; /* NULL: kept */
} hostile_cases[] = {
    {"no usable field", make_nothing, NULL},
    {"placeholders only", make_placeholders, NULL},
    {"marks only", make_marks_only, NULL},
    {"ten thousand names", make_many_names, "mpi.too-many"},
    {"a name of a megabyte", make_long_name, "mpi.too-many"},
    {"a phone of a megabyte", make_long_phone, "mpi.too-many"},
    {"a number of a megabyte", make_long_number, "mpi.too-many"},
    {"no number", make_no_number, "mpi.identifier-missing"},
    {"a blank number", make_blank_number, "mpi.identifier-missing"},
    {"a number too many", make_many_numbers, "mpi.too-many"},
    {"an impossible date", make_impossible_date, NULL},
    {"the wildest date", make_wildest_date, NULL},
    {"a day of no month", make_day_of_no_month, NULL},
    {"mixed scripts", make_mixed_scripts, NULL},
    {"piled marks", make_piled_marks, NULL},
    {"broken bytes", make_broken_bytes, NULL},
    {"as much as may be said", make_as_much_as_may_be, NULL},
};
enum { HOSTILE_CASES = sizeof hostile_cases / sizeof hostile_cases[0] };

static struct hostile *make(struct world *world, const struct hostile_case *at, const char *id)
{
    struct hostile *hostile = arena_alloc(&world->support.arena, sizeof *hostile);
    *hostile = (struct hostile){.numbers = {{STR("HOSP"), str_from(id), STR("MR")}},
                                .names = {{.family = STR("Lindqvist"), .given = STR("Anna")}},
                                .input = {.source = STR("test"), .identifier_count = 1}};
    hostile->input.identifiers = hostile->numbers;
    hostile->input.demographics = (struct mpi_demographics){.names = hostile->names,
                                                            .name_count = 1,
                                                            .phones = hostile->texts,
                                                            .emails = hostile->texts,
                                                            .addresses = hostile->addresses};
    at->make(&world->support.arena, hostile);
    return hostile;
}

/* Everything that can be asked of it is answered. */
static void ask_about(struct world *world, const struct hostile_case *at, struct hostile *hostile, uint64_t record)
{
    struct ctx *cx = &world->support.cx;
    struct mpi *mpi = world->mpi;
    struct mpi_record_view view;
    struct mpi_person_view person;
    struct mpi_match *matches;
    struct mpi_why why;
    struct mpi_event *events;
    size_t count;
    bool older;
    world_commit(world);
    assert_ok(&world->support, mpi_record(mpi, cx, record, &view));
    assert_int_equal(view.demographics.name_count, said(hostile)->name_count);
    assert_memory_equal(&view.demographics.birth_date, &said(hostile)->birth_date, sizeof(struct date));
    status got = mpi_person(mpi, cx, view.person, &person);
    if (got != STATUS_OK) /* more than one answer holds: the records can be had one by one */
        assert_string_equal(cx->reason->name, "mpi.too-many");
    ctx_clear(cx);
    assert_ok(&world->support, mpi_identify(mpi, cx, hostile->numbers, 1, said(hostile), 100, &matches, &count));
    if (count == 0 || !matches[0].by_identifier || matches[0].record != record)
        fail_msg("%s: not found by its own number", at->what);
    assert_ok(&world->support, mpi_identify(mpi, cx, NULL, 0, said(hostile), 100, &matches, &count));
    for (uint64_t other = 1; other <= mpi->shown.records; other++)
        if (other != record)
            assert_ok(&world->support, mpi_why(mpi, cx, record, other, &why));
    assert_ok(&world->support, mpi_history(mpi, cx, view.person, NULL, &events, &count, &older));
}

/* Said by two numbers, then said again: the second time is no change. */
static void say(struct world *world, const struct hostile_case *at, const char *id)
{
    struct mpi_result result, again;
    struct hostile *hostile = make(world, at, id);
    struct mpi_mark people = mpi_mark(world->mpi);
    uint32_t records = world->mpi->applied.records;
    ctx_clear(&world->support.cx);
    status got = mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &hostile->input, &result);
    if (at->refused) {
        if (got == STATUS_OK || strcmp(world->support.cx.reason->name, at->refused) != 0)
            fail_msg("%s: not refused for %s", at->what, at->refused);
        mpi_undo_to(world->mpi, people);
        assert_int_equal(world->mpi->applied.records, records);
        return;
    }
    assert_ok(&world->support, got);
    assert_int_equal(result.record, records + 1);
    assert_ok(&world->support,
              mpi_apply_record(world->mpi, world->txn, &world->support.cx, ++world->seq, &hostile->input, &again));
    assert_int_equal(again.record, result.record);
    assert_int_equal(again.verdict, MPI_VERDICT_KNOWN);
    ask_about(world, at, hostile, result.record);
}

static void test_hostile_record__is_refused_clearly_or_kept_and_answered_about(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    for (size_t i = 0; i < HOSTILE_CASES; i++) {
        struct arena_mark mark = arena_mark(&world.support.arena);
        const char *ids[] = {arena_printf(&world.support.arena, "%zu", i).data,
                             arena_printf(&world.support.arena, "%zu again", i).data};
        for (size_t k = 0; k < 2; k++)
            if (hostile_cases[i].make != make_broken_bytes || k == 0) /* which bring a number of their own */
                say(&world, &hostile_cases[i], ids[k]);
        arena_rewind(&world.support.arena, mark);
    }
    struct mpi_counts counts = mpi_count(world.mpi);
    world_reopen(&world);
    assert_int_equal(mpi_count(world.mpi).persons, counts.persons);
    assert_int_equal(mpi_count(world.mpi).reviews_open, counts.reviews_open);
    world_fini(&world);
}

/* Who says nothing that counts is nobody's: not even one of those who say as little. */
static void test_who_says_nothing__is_a_person_alone(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    for (size_t i = 0; i < 3 * 50; i++) {
        struct arena_mark mark = arena_mark(&world.support.arena);
        struct mpi_result result;
        struct hostile *hostile =
            make(&world, &hostile_cases[i % 3], arena_printf(&world.support.arena, "%zu", i).data);
        if (i % 3 == 1)
            hostile->input.identifier_count = 1;
        assert_ok(&world.support,
                  mpi_apply_record(world.mpi, world.txn, &world.support.cx, ++world.seq, &hostile->input, &result));
        assert_int_equal(result.verdict, MPI_VERDICT_NEW);
        assert_int_equal(result.candidates, 0);
        arena_rewind(&world.support.arena, mark);
    }
    world_fini(&world);
}

/* ---- very many with one phone ---- */

static uint32_t add_caller(struct crowd *crowd, uint64_t *random, uint32_t number)
{
    struct stranger stranger;
    make_stranger(random, number, &stranger);
    stranger.human.phone = "2065550143";
    return crowd_add(crowd, &stranger.human);
}

/*
 * IDEM_CALLERS says how many. The work of one more is counted, not timed: of the second half nobody is compared with
 * more than caps allow, and no more than in the first.
 */
static void test_one_phone_of_very_many__costs_the_last_no_more_than_the_first(void **state)
{
    (void)state;
    enum { CALLERS = 30000, ONE_BLOCK = BLOCK_CAP_DEFAULT * LAST_CAPS };
    const char *said_so = getenv("IDEM_CALLERS");
    uint32_t callers = said_so ? (uint32_t)strtoul(said_so, NULL, 10) : CALLERS, most_before;
    uint64_t random = 11;
    struct crowd crowd;
    crowd_init(&crowd, BLOCK_CAP_DEFAULT);
    for (uint32_t i = 0; i < callers / 2; i++)
        (void)add_caller(&crowd, &random, i);
    crowd_tell(&crowd, "the first half of the callers");
    most_before = crowd.most_compared;
    crowd.most_compared = 0;
    for (uint32_t i = callers / 2; i < callers; i++)
        (void)add_caller(&crowd, &random, i);
    crowd_tell(&crowd, "all callers");
    assert_true(crowd.most_compared <= most_before + ONE_BLOCK);
    assert_true(crowd.mpi->applied.persons >= callers - callers / 1000); /* a phone alone joins nobody */
    crowd_fini(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_record__is_refused_clearly_or_kept_and_answered_about),
        cmocka_unit_test(test_who_says_nothing__is_a_person_alone),
        cmocka_unit_test(test_one_phone_of_very_many__costs_the_last_no_more_than_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
