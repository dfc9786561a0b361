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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked__holds_what_the_daemon_takes_and_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
