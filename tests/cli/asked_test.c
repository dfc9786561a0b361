/* Who is asked about: what a message says is asked with whole, or refused by the daemon, never in part. */
#include "asked_patient.h"
#include "base/mem.h"
#include "support.h"

static void put_field(struct buf *message, const char *prefix, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(message, "%s%s%zu", i ? "~" : "", prefix, i);
}

/* So many of each are taken as the message has, up to one more than the daemon takes. */
static void test_asked__holds_what_the_daemon_takes_and_one_more(void **state)
{
    (void)state;
    static const struct {
        size_t identifiers, others, want_identifiers, want_others;
    } cases[] = {
        {1, 1, 1, 1},
        {LIMIT_IDENTIFIERS_PER_RECORD, LIMIT_NAMES_PER_RECORD, LIMIT_IDENTIFIERS_PER_RECORD, LIMIT_NAMES_PER_RECORD},
        {LIMIT_IDENTIFIERS_PER_RECORD + 1, LIMIT_NAMES_PER_RECORD + 1, ASKED_IDENTIFIERS_MAX, ASKED_REPETITIONS_MAX},
        {5000, 5000, ASKED_IDENTIFIERS_MAX, ASKED_REPETITIONS_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        SCOPED(buf_fini) struct buf message = {0};
        buf_put_str(&message, STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\rPID|1||"));
        for (int empty = 0; empty < 400; empty++)
            buf_put_byte(&message, '~');
        put_field(&message, "I", cases[i].identifiers);
        buf_put_str(&message, STR("||"));
        put_field(&message, "N", cases[i].others);
        buf_put_str(&message, STR("||||||||"));
        put_field(&message, "555", cases[i].others);
        buf_put_byte(&message, '\r');
        Idem__Identity__V1__IdentifyRequest *ask = asked_new(&s.arena);
        assert_ok(&s, asked_read_hl7(&s.cx, buf_str(&message), ask));
        assert_int_equal(ask->n_identifiers, cases[i].want_identifiers);
        assert_int_equal(ask->demographics->n_names, cases[i].want_others);
        assert_int_equal(ask->demographics->n_phones, cases[i].want_others);
        support_fini(&s);
    }
}

/* XTN: phones and e-mail addresses of both fields, each as what it is. */
static void test_asked__tells_emails_from_phones_and_takes_the_birth_place(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    Idem__Identity__V1__IdentifyRequest *ask = asked_new(&s.arena);
    assert_true(asked_is_empty(ask));
    assert_ok(&s, asked_read_hl7(
                      &s.cx,
                      STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\rPID|1||||||||||||5551~^NET^Internet^a@b.c|"
                          "^PRN^PH^^^31^20555~d@e.f^NET^Internet|||||||||Ghent\r"),
                      ask));
    const Idem__Identity__V1__Demographics *d = ask->demographics;
    assert_int_equal(d->n_phones, 2);
    assert_string_equal(d->phones[0], "5551");
    assert_string_equal(d->phones[1], "3120555");
    assert_int_equal(d->n_emails, 2);
    assert_string_equal(d->emails[0], "a@b.c");
    assert_string_equal(d->emails[1], "d@e.f");
    assert_string_equal(d->birth_place, "Ghent");
    ask = asked_new(&s.arena);
    assert_ok(&s, asked_read_json(&s.cx, STR("{\"email\": \"a@b.c\", \"birth-place\": \"Ghent\"}"), ask));
    assert_string_equal(ask->demographics->emails[0], "a@b.c");
    assert_string_equal(ask->demographics->birth_place, "Ghent");
    assert_false(asked_is_empty(ask));
    support_fini(&s);
}

/* A message is asked about as it would be submitted; whoever types is told. */
static void test_asked__takes_the_birth_date_of_a_message_as_written(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    Idem__Identity__V1__IdentifyRequest *ask = asked_new(&s.arena);
    assert_ok(
        &s, asked_read_hl7(&s.cx, STR("MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5.1\rPID|1||||||19641171|F\r"), ask));
    assert_string_equal(ask->demographics->birth_date, "1964-11-71");
    ask = asked_new(&s.arena);
    assert_int_not_equal(asked_read_json(&s.cx, STR("{\"born\": \"1964-11-71\"}"), ask), STATUS_OK);
    support_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked__tells_emails_from_phones_and_takes_the_birth_place),
        cmocka_unit_test(test_asked__takes_the_birth_date_of_a_message_as_written),
        cmocka_unit_test(test_asked__holds_what_the_daemon_takes_and_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
