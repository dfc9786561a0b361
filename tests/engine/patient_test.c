/* From PID and MRG to what the index is told, for many shapes of message. */
#include "patient.h"

#include "base/limits.h"
#include "support.h"

struct read {
    struct support s;
    struct hl7_index index;
    struct mpi_record_input record;
    struct patient_left_out left_out;
    status read;
};

static void begin(struct read *r, struct str message)
{
    support_init(&r->s);
    r->index = (struct hl7_index){0};
    assert_ok(&r->s, hl7_index_build(&r->index, &r->s.cx, message, NULL));
    ptrdiff_t pid = hl7_find_segment(&r->index, HL7_NAME('P', 'I', 'D'), 1, 0);
    assert_true(pid >= 0);
    r->read = patient_read(&r->index, &r->s.cx, (uint32_t)pid, STR("north"), &r->record, &r->left_out);
}

static void end(struct read *r)
{
    hl7_index_fini(&r->index);
    support_fini(&r->s);
}

#define MSH "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\r"

static void test_identifiers__own_first_with_authority_or_the_source(void **state)
{
    (void)state;
    static const struct {
        const char *pid, *want; /* authority:value:type, … */
    } cases[] = {
        {"PID|||7^^^N^MR", "N:7:MR"},
        {"PID|||7", "north:7:"},              /* no authority: the source's own */
        {"PID||8", "north:8:"},               /* before 2.3.1: PID-2 */
        {"PID||8^^^X^MR|7^^^N^MR", "N:7:MR"}, /* PID-3 counts when it is there */
        {"PID|||1^^^N^SS~2^^^N^PI~3^^^N^MR", "N:3:MR N:1:SS N:2:PI"},
        {"PID|||1^^^N^SS~2^^^N^PI", "N:2:PI N:1:SS"},
        {"PID|||1^^^N^SS~2^^^M", "N:1:SS M:2:"},   /* neither MR nor PI: the first */
        {"PID|||7^^^&1.2.3&ISO^MR", "1.2.3:7:MR"}, /* HD without namespace */
        {"PID|||7^^^N&1.2.3&ISO^MR", "N:7:MR"},
        {"PID|||^^^N^MR~7^^^N^MR", "N:7:MR"}, /* an empty one is none */
        {"PID|||\"\"^^^N^MR~7", "north:7:"},  /* neither is an explicit null */
        {"PID|||\"\"", ""},
        {"PID|||  7 ^^^ N ^MR", "N:7:MR"},
        {"PID|||7^^^N^MR||||||||||||||||123-45-6789", "N:7:MR SSA:123-45-6789:SS"},
        {"PID||||||||||||||||||| 123-45-6789", ""}, /* the social number alone is nobody's record */
        {"PID|||A\\T\\B^^^N^MR", "N:A&B:MR"},
        {"PID|1", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct read r;
        char message[512];
        int len = snprintf(message, sizeof message, MSH "%s\r", cases[i].pid);
        begin(&r, str_make(message, (size_t)len));
        struct buf got = {0};
        for (size_t j = 0; j < r.record.identifier_count; j++) {
            const struct mpi_identifier *id = &r.record.identifiers[j];
            buf_printf(&got, "%s%.*s:%.*s:%.*s", j ? " " : "", STR_ARGS(id->authority), STR_ARGS(id->value),
                       STR_ARGS(id->type));
        }
        if (!str_is(buf_str(&got), cases[i].want))
            fail_msg("%s: got %.*s, want %s", cases[i].pid, STR_ARGS(buf_str(&got)), cases[i].want);
        buf_fini(&got);
        end(&r);
    }
}

static struct str joined(struct read *r, const struct str *texts, size_t count)
{
    struct str all = STR("");
    for (size_t i = 0; i < count; i++)
        all = arena_printf(&r->s.arena, "%.*s%s%.*s", STR_ARGS(all), i ? " " : "", STR_ARGS(texts[i]));
    return all;
}

static void test_demographics__from_their_fields(void **state)
{
    (void)state;
    struct read r;
    begin(&r,
          STR(MSH "PID|1||7^^^N^MR||de Groot&de&Groot^Anna^Maria^JR^DR^MD^L~Smit^^^^^^M~^^^|Berg^Els|198002291130|F|||"
                  "Main St 1&Main St&1^Apt 2^Town^ST^12345^NLD~^^^|NL|5551234~^PRN^PH^^31^20^5559876~^^^a@b.c|"
                  "^WPN^^^^^^^^^^+31 20 555|||||||||Ghent|Y|2|||||Y\r"));
    const struct mpi_demographics *d = &r.record.demographics;
    assert_int_equal(d->name_count, 2);
    assert_str(d->names[0].family, "de Groot"); /* FN: the first subcomponent is the whole surname */
    assert_str(d->names[0].given, "Anna");
    assert_str(d->names[0].middle, "Maria");
    assert_str(d->names[0].suffix, "JR");
    assert_str(d->names[0].prefix, "DR");
    assert_str(d->names[0].type, "L");
    assert_str(d->names[1].type, "M");
    assert_str(d->mother.family, "Berg");
    assert_true(d->birth_date.year == 1980 && d->birth_date.month == 2 && d->birth_date.day == 29);
    assert_int_equal(d->sex, 'F');
    assert_int_equal(d->address_count, 1);
    assert_str(d->addresses[0].line, "Main St 1");
    assert_str(d->addresses[0].city, "Town");
    assert_str(d->addresses[0].country, "NLD");
    assert_int_equal(d->phone_count, 3); /* XTN-1; area and local; XTN-12 */
    assert_str(d->phones[0], "5551234");
    assert_str(d->phones[1], "205559876");
    assert_str(d->phones[2], "+31 20 555");
    assert_int_equal(d->email_count, 1);
    assert_str(d->emails[0], "a@b.c");
    assert_str(d->birth_place, "Ghent");
    assert_true(d->multiple_birth);
    assert_int_equal(d->birth_order, 2);
    assert_true(d->deceased);
    assert_int_equal(r.record.cleared_fields, 0);
    end(&r);
}

/* [HL7 2.5.1 2.A.89 XTN]: .3 Internet or X.400, the address in .4; senders also write it where the number belongs. */
static void test_emails__are_told_from_phones_wherever_they_stand(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *phones, *emails; /* PID-13 and PID-14 */
    } cases[] = {
        {"^NET^Internet^a@b.c|", "", "a@b.c"},
        {"^NET^X.400^C=NL\\T\\A=x|", "", "C=NL&A=x"},
        {"|^NET^Internet^a@b.c", "", "a@b.c"},
        {"5551234^PRN^PH^a@b.c|", "5551234", "a@b.c"}, /* both in one repetition */
        {"a@b.c^NET^Internet|", "", "a@b.c"},
        {"^^^^^^^^^^^a@b.c|5551234", "5551234", "a@b.c"},
        {"a@b.c^NET^Internet^a@b.c|", "", "a@b.c"},
        {"^NET^Internet^\"\"|", "", ""},
        {"5551234~^NET^Internet^a@b.c|5559876~^NET^Internet^d@e.f", "5551234 5559876", "a@b.c d@e.f"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct read r;
        char message[512];
        int len = snprintf(message, sizeof message, MSH "PID|1||7^^^N^MR||||||||||%s\r", cases[i].fields);
        begin(&r, str_make(message, (size_t)len));
        const struct mpi_demographics *d = &r.record.demographics;
        assert_str(joined(&r, d->phones, d->phone_count), cases[i].phones);
        assert_str(joined(&r, d->emails, d->email_count), cases[i].emails);
        assert_int_equal(r.left_out.contacts, 0);
        end(&r);
    }
}

static void test_nulls_and_nonsense__clear_or_are_as_if_absent(void **state)
{
    (void)state;
    struct read r;
    begin(&r, STR(MSH "PID|1||7^^^N^MR||\"\"|\"\"|\"\"|\"\"|||\"\"||\"\"||||||||||\"\"\r"));
    assert_int_equal(r.record.cleared_fields, MPI_FIELD_NAMES | MPI_FIELD_MOTHER | MPI_FIELD_BIRTH_DATE |
                                                  MPI_FIELD_SEX | MPI_FIELD_ADDRESSES | MPI_FIELD_PHONES |
                                                  MPI_FIELD_EMAILS | MPI_FIELD_BIRTH_PLACE);
    assert_int_equal(r.record.demographics.name_count, 0);
    assert_int_equal(r.record.demographics.phone_count, 0);
    end(&r);
    begin(&r, STR(MSH "PID|1||7^^^N^MR||||31 Feb 1980|female||||||||||||||||X|200\r"));
    assert_int_equal(r.record.demographics.birth_date.year, 0);
    assert_int_equal(r.record.demographics.sex, 0);
    assert_false(r.record.demographics.multiple_birth);
    assert_int_equal(r.record.demographics.birth_order, 0);
    assert_int_equal(r.record.cleared_fields, 0);
    end(&r);
}

static void test_birth_date__of_no_day_is_kept_as_written_and_nothing_is_dropped_in_silence(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        struct date want;
        bool no_day, unreadable;
    } cases[] = {
        {"19800229", {1980, 2, 29}, false, false}, {"198002291130+0100", {1980, 2, 29}, false, false},
        {"1980", {1980, 0, 0}, false, false},      {"", {0, 0, 0}, false, false},
        {"\"\"", {0, 0, 0}, false, false},         {"19800231", {1980, 2, 31}, true, false},
        {"19641171", {1964, 11, 71}, true, false}, {"19801301", {1980, 13, 1}, true, false},
        {"198099", {1980, 99, 0}, true, false},    {"00000000", {0, 0, 0}, false, true},
        {"31.02.1980", {0, 0, 0}, false, true},    {"unknown", {0, 0, 0}, false, true},
        {"1980-2-9", {0, 0, 0}, false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct read r;
        char message[256];
        int len = snprintf(message, sizeof message, MSH "PID|1||7^^^N^MR||||%s|F\r", cases[i].said);
        begin(&r, str_make(message, (size_t)len));
        struct date got = r.record.demographics.birth_date;
        if (got.year != cases[i].want.year || got.month != cases[i].want.month || got.day != cases[i].want.day ||
            r.left_out.birth_is_no_day != cases[i].no_day || r.left_out.birth_unreadable != cases[i].unreadable)
            fail_msg("%s: %u-%u-%u, no day %d, unreadable %d", cases[i].said, got.year, got.month, got.day,
                     r.left_out.birth_is_no_day, r.left_out.birth_unreadable);
        end(&r);
    }
}

static void test_charsets_and_other_delimiters__are_read(void **state)
{
    (void)state;
    struct read r;
    begin(&r, STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1||||||8859/1\rPID|1||7^^^N^MR||M\xfcller^J\xfcrg\r"));
    assert_str(r.record.demographics.names[0].family, "M\xc3\xbcller");
    end(&r);
    begin(&r, STR("MSH#$*!%#A#B#C#D#20260101##ADT$A01#1#P#2.5.1\rPID#1##7$$$N%1.2%ISO$MR*8##Doe$J*Roe$K\r"));
    assert_int_equal(r.record.identifier_count, 2);
    assert_str(r.record.identifiers[0].authority, "N");
    assert_str(r.record.identifiers[1].authority, "north");
    assert_int_equal(r.record.demographics.name_count, 2);
    end(&r);
}

/* A PID with `count` repetitions of `one` in field `field`. */
static struct str repeated(struct buf *out, unsigned field, const char *one, size_t count)
{
    buf_put_str(out, STR(MSH "PID|1||7^^^N^MR"));
    if (field == 3)
        out->len -= strlen("7^^^N^MR");
    for (unsigned i = 3; i < field; i++)
        buf_put_byte(out, '|');
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? "~" : "", one);
    if (field == 3)
        buf_put_str(out, STR("||||||||||||||||123-45-6789"));
    buf_put_byte(out, '\r');
    return buf_str(out);
}

static void test_limits__keep_what_the_index_takes(void **state)
{
    (void)state;
    static const struct {
        unsigned field;
        const char *one;
    } cases[] = {{3, "7^^^N^MR"}, {5, "Doe^J"}, {11, "Main^^Town"}, {13, "5551234"}, {13, "^^^a@b.c"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct read r;
        struct buf message = {0};
        begin(&r, repeated(&message, cases[i].field, cases[i].one, 20000));
        assert_ok(&r.s, mpi_check_record(&r.s.cx, &r.record)); /* never refused for what was left out */
        assert_true(r.record.identifier_count <= LIMIT_IDENTIFIERS_PER_RECORD);
        end(&r);
        buf_fini(&message);
    }
}

static void test_left_out__is_counted_from_one_beyond_each_limit(void **state)
{
    (void)state;
    static const struct {
        unsigned field;
        const char *one;
        size_t most;
        struct patient_left_out want;                                    /* one beyond */
    } cases[] = {{3, "7^^^N^MR", LIMIT_IDENTIFIERS_PER_RECORD - 1, {0}}, /* and the social number */
                 {3, "7^^^N^MR", LIMIT_IDENTIFIERS_PER_RECORD, {.identifiers = 2}},
                 {5, "Doe^J", LIMIT_NAMES_PER_RECORD, {.names = 1}},
                 {11, "Main^^Town", LIMIT_NAMES_PER_RECORD, {.addresses = 1}},
                 {13, "5551234", LIMIT_NAMES_PER_RECORD, {.contacts = 1}},
                 {14, "5551234", LIMIT_NAMES_PER_RECORD, {.contacts = 1}},
                 {13, "^^^a@b.c", LIMIT_NAMES_PER_RECORD, {.contacts = 1}},
                 {14, "555^^^a@b.c", LIMIT_NAMES_PER_RECORD, {.contacts = 1}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t more = 0; more < 2; more++) {
            struct read r;
            struct buf message = {0};
            begin(&r, repeated(&message, cases[i].field, cases[i].one, cases[i].most + more));
            struct patient_left_out want = more ? cases[i].want : (struct patient_left_out){0};
            if (i == 0 && more) /* then the social number has no room */
                want.identifiers = 1;
            if (i == 1 && !more)
                want.identifiers = 1;
            assert_memory_equal(&r.left_out, &want, sizeof want);
            assert_ok(&r.s, mpi_check_record(&r.s.cx, &r.record));
            end(&r);
            buf_fini(&message);
        }
    }
}

static void put_times(struct buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buf_put_str(out, str_from(text));
}

static void test_long_values__names_end_between_characters(void **state)
{
    (void)state;
    struct read r;
    struct buf message = {0};
    buf_put_str(&message, STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1||||||UNICODE UTF-8\rPID|1||7||x"));
    put_times(&message, "\xc3\xbc", LIMIT_FIELD_VALUE_BYTES); /* after the x they straddle the limit */
    buf_put_str(&message, STR("^J\r"));
    begin(&r, buf_str(&message));
    assert_ok(&r.s, r.read);
    assert_int_equal(r.left_out.cut_values, 1);
    struct str family = r.record.demographics.names[0].family;
    assert_int_equal(family.len, LIMIT_FIELD_VALUE_BYTES - 1);
    assert_true(str_is_utf8(family));
    assert_ok(&r.s, mpi_check_record(&r.s.cx, &r.record));
    end(&r);
    buf_fini(&message);
}

/* What is decoded and then cut takes no memory: neither Latin-1 nor escapes. */
static void test_long_values__take_no_more_memory_than_is_kept(void **state)
{
    (void)state;
    static const struct {
        const char *charset, *one;
        unsigned field;
    } cases[] = {
        {"8859/1", "\xe9", 11}, {"8859/1", "\xe9", 5}, {"", "\\T\\", 6}, {"", "\\T\\", 13}, {"8859/1", "\xe9", 7}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct read r;
        struct buf message = {0};
        buf_printf(&message, "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1||||||%s\rPID|1||7", cases[i].charset);
        put_times(&message, "|", cases[i].field - 3);
        put_times(&message, cases[i].one, 200 * 1000);
        buf_put_byte(&message, '\r');
        begin(&r, buf_str(&message));
        assert_ok(&r.s, r.read);
        assert_true(r.s.arena.used < 20 * 1000);
        end(&r);
        buf_fini(&message);
    }
}

static void test_long_identifiers__are_kept_up_to_the_limit_and_refused_beyond(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after; /* of the long one */
    } cases[] = {{"PID|1||", "^^^N^MR~55^^^N"},
                 {"PID|1||55^^^N~7^^^", ""},
                 {"PID|1||55^^^&", ""},
                 {"PID|1|", ""},
                 {"PID|1||55^^^N||||||||||||||||", ""}};
    static char text[LIMIT_FIELD_VALUE_BYTES + 1];
    memset(text, '1', sizeof text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int len = LIMIT_FIELD_VALUE_BYTES; len <= LIMIT_FIELD_VALUE_BYTES + 1; len++) {
            struct read r;
            struct buf message = {0};
            buf_put_str(&message, STR(MSH));
            buf_printf(&message, "%s%.*s%s\r", cases[i].before, len, text, cases[i].after);
            begin(&r, buf_str(&message));
            if (len > LIMIT_FIELD_VALUE_BYTES) {
                assert_int_equal(r.read, STATUS_RESOURCE_EXHAUSTED);
                assert_string_equal(r.s.cx.reason->name, "engine.too-large");
            } else {
                assert_ok(&r.s, r.read);
                assert_ok(&r.s, mpi_check_record(&r.s.cx, &r.record));
                assert_memory_equal(&r.left_out, &(struct patient_left_out){0}, sizeof r.left_out);
            }
            end(&r);
            buf_fini(&message);
        }
}

static void test_a_long_retired_identifier__is_refused_and_no_other_taken_for_it(void **state)
{
    (void)state;
    struct read r;
    struct buf message = {0};
    struct mpi_identifier got;
    buf_put_str(&message, STR(MSH "PID|||7^^^N^MR\rMRG|"));
    put_times(&message, "5", LIMIT_FIELD_VALUE_BYTES + 1);
    buf_put_str(&message, STR("^^^N~6^^^N\r"));
    begin(&r, buf_str(&message));
    assert_int_equal(patient_read_retired(&r.index, &r.s.cx, 2, STR("north"), r.record.identifiers[0], &got),
                     STATUS_RESOURCE_EXHAUSTED);
    assert_string_equal(r.s.cx.reason->name, "engine.too-large");
    end(&r);
    buf_fini(&message);
}

static void test_retired__the_number_of_the_same_authority_else_the_first(void **state)
{
    (void)state;
    static const struct {
        const char *mrg, *want;
    } cases[] = {
        {"MRG|5^^^N^MR", "N:5"}, {"MRG|5^^^X~6^^^N", "N:6"}, {"MRG|5^^^X~6^^^Y", "X:5"}, {"MRG|5", "north:5"},
        {"MRG|", NULL},          {"MRG|\"\"", NULL},         {"MRG|^^^N~6^^^N", "N:6"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct read r;
        char message[256];
        int len = snprintf(message, sizeof message, MSH "PID|||7^^^N^MR\r%s\r", cases[i].mrg);
        begin(&r, str_make(message, (size_t)len));
        struct mpi_identifier got;
        assert_ok(&r.s, patient_read_retired(&r.index, &r.s.cx, 2, STR("north"), r.record.identifiers[0], &got));
        assert_int_equal(got.value.len > 0, cases[i].want != NULL);
        if (cases[i].want)
            assert_str(arena_printf(&r.s.arena, "%.*s:%.*s", STR_ARGS(got.authority), STR_ARGS(got.value)),
                       cases[i].want);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identifiers__own_first_with_authority_or_the_source),
        cmocka_unit_test(test_demographics__from_their_fields),
        cmocka_unit_test(test_emails__are_told_from_phones_wherever_they_stand),
        cmocka_unit_test(test_nulls_and_nonsense__clear_or_are_as_if_absent),
        cmocka_unit_test(test_birth_date__of_no_day_is_kept_as_written_and_nothing_is_dropped_in_silence),
        cmocka_unit_test(test_charsets_and_other_delimiters__are_read),
        cmocka_unit_test(test_limits__keep_what_the_index_takes),
        cmocka_unit_test(test_left_out__is_counted_from_one_beyond_each_limit),
        cmocka_unit_test(test_long_values__names_end_between_characters),
        cmocka_unit_test(test_long_values__take_no_more_memory_than_is_kept),
        cmocka_unit_test(test_long_identifiers__are_kept_up_to_the_limit_and_refused_beyond),
        cmocka_unit_test(test_a_long_retired_identifier__is_refused_and_no_other_taken_for_it),
        cmocka_unit_test(test_retired__the_number_of_the_same_authority_else_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
