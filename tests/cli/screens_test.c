/* Screens from replies made here: everything a stranger could have written is hostile, and nothing of it gets out. */
#include "support.h"

#include "base/buf.h"
#include "commands.h"

static const char evil[] = "a\x1b[2J\x07\r\nb\u202e\xc2\x9b"
                           "c";

struct screen {
    struct support s;
    struct buf out;
    struct cli_show show;
};

static void open_screen(struct screen *screen, size_t width)
{
    support_init(&screen->s);
    screen->out = (struct buf){0};
    screen->show = (struct cli_show){.arena = &screen->s.arena, .out = &screen->out, .width = width};
}

static void close_screen(struct screen *screen)
{
    buf_fini(&screen->out);
    support_fini(&screen->s);
}

/* Only line ends of our own: no ESC (colours are off), no CR, no bidirectional override, no C1; and every line fits. */
static void assert_calm(const struct screen *screen, size_t width_max)
{
    struct str text = buf_str(&screen->out);
    assert_true(str_is_utf8(text));
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        assert_true(c == '\n' || (c >= 0x20 && c != 0x7f));
    }
    assert_null(memmem(text.data, text.len, "\u202e", 3));
    assert_null(memmem(text.data, text.len, "\xc2\x9b", 2));
    struct str rest = text, line;
    while (str_split(&rest, '\n', &line)) {
        if (cli_width(line) > width_max)
            fail_msg("%zu columns: %.*s", cli_width(line), STR_ARGS(line));
        assert_true(line.len == 0 || line.data[line.len - 1] != ' ');
    }
}

static bool shows(const struct screen *screen, const char *text)
{
    return memmem(screen->out.data, screen->out.len, text, strlen(text)) != NULL;
}

static void fill_trace(Idem__Admin__V1__Trace *trace)
{
    static Idem__Admin__V1__TraceStep step = IDEM__ADMIN__V1__TRACE_STEP__INIT;
    static Idem__Admin__V1__TraceEvidence first = IDEM__ADMIN__V1__TRACE_EVIDENCE__INIT,
                                          second = IDEM__ADMIN__V1__TRACE_EVIDENCE__INIT;
    static Idem__Admin__V1__TraceCode code = IDEM__ADMIN__V1__TRACE_CODE__INIT;
    static Idem__Admin__V1__TraceChange change = IDEM__ADMIN__V1__TRACE_CHANGE__INIT;
    static Idem__Admin__V1__TraceDelivery delivery = IDEM__ADMIN__V1__TRACE_DELIVERY__INIT;
    static Idem__Admin__V1__TraceStep *steps[] = {&step};
    static Idem__Admin__V1__TraceEvidence *evidence[] = {&first, &second};
    static Idem__Admin__V1__TraceCode *codes[] = {&code};
    static Idem__Admin__V1__TraceChange *changes[] = {&change};
    static Idem__Admin__V1__TraceDelivery *deliveries[] = {&delivery};
    char *text = (char *)evil;
    ProtobufCBinaryData bytes = {sizeof evil - 1, (uint8_t *)text};
    step.step = step.detail = text;
    first.field = first.level = second.field = second.level = text;
    first.weight_mbit = 8500;
    second.weight_mbit = -1250;
    code.path = code.outcome = code.system = code.code = code.target_system = code.target_code = code.target_display =
        code.map = code.map_version = text;
    code.map_row = 7;
    change.destination = change.path = change.why = text;
    change.before = change.after = bytes;
    delivery.destination = delivery.state = delivery.ack_code = delivery.reason = text;
    idem__admin__v1__trace__init(trace);
    trace->seq = 17;
    trace->person = 4;
    trace->source = trace->principal = trace->control_id = trace->type = trace->ack_code = trace->reason =
        trace->verdict = trace->routes_version = text;
    trace->message = bytes;
    trace->score_mbit = -6750;
    trace->n_steps = trace->n_codes = trace->n_changes = trace->n_deliveries = 1;
    trace->n_evidence = 2;
    trace->steps = steps;
    trace->evidence = evidence;
    trace->codes = codes;
    trace->changes = changes;
    trace->deliveries = deliveries;
}

static void test_trace__lets_nothing_steer_the_terminal(void **state)
{
    (void)state;
    Idem__Admin__V1__Trace trace;
    fill_trace(&trace);
    for (int all = 0; all < 2; all++) {
        struct screen screen;
        open_screen(&screen, 120);
        cli_show_trace(&screen.show, &trace, all);
        assert_calm(&screen, 200); /* fixed columns hold hostile text here; sane ones fit, see below */
        assert_true(shows(&screen, "\u241b[2J"));
        assert_true(shows(&screen, "<U+202E>"));
        close_screen(&screen);
    }
}

/* 8.500 - 1.250 - 14.000 = -6.750: what the rows lack is shown, so that the column adds up. */
static void test_bars__add_up_to_the_score_exactly(void **state)
{
    (void)state;
    static const struct cli_evidence evidence[] = {{"family name", "exact", 8500}, {"sex", "differs", -1250}};
    struct screen screen;
    open_screen(&screen, 80);
    cli_bars(&screen.show, evidence, 2, -6750, 9200);
    assert_calm(&screen, 80);
    assert_true(shows(&screen, "+8.500"));
    assert_true(shows(&screen, "-1.250"));
    assert_true(shows(&screen, "-14.000"));
    assert_true(shows(&screen, "-6.750"));
    assert_true(shows(&screen, "0.9200 %"));
    close_screen(&screen);
}

static void test_bars__know_the_probability_of_a_score(void **state)
{
    (void)state;
    static const struct {
        int32_t score_mbit;
        const char *want;
    } cases[] = {{0, "50.0000 %"},
                 {1000, "66.6667 %"},
                 {-1000, "33.3333 %"},
                 {2000000000, "100.0000 %"},
                 {-2000000000, "0.0000 %"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct screen screen;
        open_screen(&screen, 80);
        cli_bars(&screen.show, NULL, 0, cases[i].score_mbit, CLI_PROBABILITY_UNKNOWN);
        assert_true(shows(&screen, cases[i].want));
        close_screen(&screen);
    }
}

static void test_format__numbers_for_people(void **state)
{
    (void)state;
    char out[32];
    cli_format_count(0, out);
    assert_string_equal(out, "0");
    cli_format_count(1234567, out);
    assert_string_equal(out, "1,234,567");
    cli_format_count(UINT64_MAX, out);
    assert_string_equal(out, "18,446,744,073,709,551,615");
    cli_format_size(999, out);
    assert_string_equal(out, "999 B");
    cli_format_size(12345678, out);
    assert_string_equal(out, "12.3 MB");
    cli_format_span(830, out);
    assert_string_equal(out, "830 us");
    cli_format_span(12400, out);
    assert_string_equal(out, "12.4 ms");
    cli_format_span(INT64_C(7500) * 1000000, out);
    assert_string_equal(out, "2 h 05 min");
    char bits[24];
    cli_format_bits(INT32_MIN, bits);
    assert_string_equal(bits, "-2147483.648");
    cli_format_time(0, out);
    assert_string_equal(out, "-");
}

static void fill_record(Idem__Identity__V1__Record *record, const char *family, const char *born, const char *phone)
{
    Idem__Identity__V1__Name *name = calloc(1, sizeof *name);
    Idem__Identity__V1__Demographics *d = calloc(1, sizeof *d);
    idem__identity__v1__record__init(record);
    idem__identity__v1__name__init(name);
    idem__identity__v1__demographics__init(d);
    name->family = (char *)family;
    d->names = calloc(1, sizeof(void *));
    d->names[d->n_names++] = name;
    d->phones = calloc(1, sizeof(void *));
    d->phones[d->n_phones++] = (char *)phone;
    d->birth_date = (char *)born;
    record->demographics = d;
}

static void free_record(Idem__Identity__V1__Record *record)
{
    free(record->demographics->names[0]);
    free(record->demographics->names);
    free(record->demographics->phones);
    free(record->demographics);
}

static void test_review__marks_what_differs_and_only_that(void **state)
{
    (void)state;
    Idem__Identity__V1__Review review = IDEM__IDENTITY__V1__REVIEW__INIT;
    Idem__Identity__V1__Record left, right;
    fill_record(&left, "Lind", "1980-02-29", "+1 292 555 5900");
    fill_record(&right, "LIND", "1980-02-28", "292-555-5900");
    char *email[2] = {(char *)"Ada@example.org", (char *)"ada@example.org"};
    left.demographics->emails = &email[0];
    right.demographics->emails = &email[1];
    left.demographics->n_emails = right.demographics->n_emails = 1;
    left.demographics->birth_place = (char *)"Ghent";
    right.demographics->birth_place = (char *)"Bruges";
    review.id = 3;
    review.state = (char *)"open";
    review.left = &left;
    review.right = &right;
    struct screen screen;
    open_screen(&screen, 80);
    cli_show_review(&screen.show, &review);
    assert_calm(&screen, 80);
    assert_true(shows(&screen, "\u2260 born"));
    assert_false(shows(&screen, "\u2260 name"));  /* letter case is no difference */
    assert_false(shows(&screen, "\u2260 phone")); /* nor are blanks and the country */
    assert_true(shows(&screen, "e-mail"));
    assert_false(shows(&screen, "\u2260 e-mail"));
    assert_true(shows(&screen, "\u2260 birth place"));
    assert_true(shows(&screen, "idem review same 3"));
    close_screen(&screen);
    left.demographics->names[0]->family = (char *)evil;
    open_screen(&screen, 80);
    cli_show_review(&screen.show, &review);
    assert_calm(&screen, 80);
    assert_true(shows(&screen, "\u2260 name"));
    close_screen(&screen);
    free_record(&left);
    free_record(&right);
}

static void test_table__cuts_the_widest_columns_to_fit(void **state)
{
    (void)state;
    static const struct cli_column columns[] = {
        {"n", true, 0, true}, {"text", false, 10, false}, {"more", false, 10, false}};
    for (size_t width = 80; width <= 120; width++) {
        struct screen screen;
        struct cli_table table;
        open_screen(&screen, width);
        cli_table_init(&table, &screen.show, columns, 3);
        for (unsigned i = 0; i < 50; i++) {
            struct buf text = {0};
            for (unsigned n = 0; n < i * 3; n++)
                buf_put_str(&text, n % 2 ? STR("\u738b") : STR("x"));
            cli_cellf(&table, "%u", i);
            cli_cell(&table, CLI_PLAIN, buf_str(&text));
            cli_cell(&table, CLI_PLAIN, buf_str(&text));
            buf_fini(&text);
        }
        cli_table_end(&table, 2);
        assert_calm(&screen, width);
        close_screen(&screen);
    }
}

static void test_colours__wrap_the_safe_text_only(void **state)
{
    (void)state;
    struct screen screen;
    open_screen(&screen, 80);
    screen.show.color = true;
    cli_putf(&screen.show, CLI_RED, "%s", evil);
    assert_string_equal(arena_str(&screen.s.arena, buf_str(&screen.out)).data,
                        "\x1b[31ma\u241b[2J\u2407\u240d\u240ab<U+202E><U+009B>c\x1b[0m");
    close_screen(&screen);
}

/* ---- pages of messages ---- */

/* A daemon with messages 1 to `count`, of which each tenth is refused, that looks at few at a time. */
struct pages {
    struct arena *arena;
    uint64_t count;
    unsigned page_max, asked;
    unsigned fail_at; /* this page cannot be had; 0: every one can */
};

static status give_page(void *arg, const Idem__Admin__V1__ListMessagesRequest *ask,
                        Idem__Admin__V1__ListMessagesReply **out_reply)
{
    struct pages *pages = arg;
    if (++pages->asked == pages->fail_at)
        return STATUS_UNAVAILABLE;
    assert_true(ask->max > 0);
    Idem__Admin__V1__ListMessagesReply *reply = arena_array(pages->arena, 1, sizeof *reply);
    idem__admin__v1__list_messages_reply__init(reply);
    reply->messages = arena_array(pages->arena, ask->max, sizeof(void *));
    uint64_t seq = ask->before ? ask->before - 1 : pages->count;
    for (unsigned looked = 0; seq > 0 && looked < pages->page_max && reply->n_messages < ask->max; seq--, looked++) {
        if (ask->refused_only && seq % 10 != 0)
            continue;
        Idem__Admin__V1__MessageLine *line = arena_array(pages->arena, 1, sizeof *line);
        idem__admin__v1__message_line__init(line);
        line->seq = seq;
        reply->messages[reply->n_messages++] = line;
    }
    reply->next_before = seq > 0 ? seq + 1 : 0;
    *out_reply = reply;
    return STATUS_OK;
}

static void test_messages__are_gathered_page_by_page_until_there_are_enough(void **state)
{
    (void)state;
    static const struct {
        uint64_t count, max, before;
        bool refused;
        uint64_t want, newest, next;
    } cases[] = {
        {95, 1000, 0, false, 95, 95, 0}, {95, 20, 0, false, 20, 95, 76},
        {95, 7, 0, false, 7, 95, 89},    {95, 1000, 50, false, 49, 49, 0},
        {0, 10, 0, false, 0, 0, 0},      {95, 95, 0, false, 95, 95, 0},
        {95, 1000, 0, true, 9, 90, 0},   {95, 4, 0, true, 4, 90, 60},
        {5, 10, 0, true, 0, 0, 0},       {25000, 30000, 0, false, 25000, 25000, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct support s;
        support_init(&s);
        struct pages pages = {.arena = &s.arena, .count = cases[i].count, .page_max = 7};
        Idem__Admin__V1__ListMessagesReply got;
        assert_int_equal(
            cli_gather_messages(&s.arena, give_page, &pages, cases[i].max, cases[i].before, cases[i].refused, &got),
            STATUS_OK);
        assert_int_equal(got.n_messages, cases[i].want);
        assert_int_equal(got.next_before, cases[i].next);
        for (size_t k = 0; k < got.n_messages; k++)
            assert_int_equal(got.messages[k]->seq, cases[i].newest - k * (cases[i].refused ? 10 : 1));
        support_fini(&s);
    }
}

static void test_messages__are_not_shown_in_part_when_a_page_fails(void **state)
{
    (void)state;
    struct support s;
    support_init(&s);
    struct pages pages = {.arena = &s.arena, .count = 95, .page_max = 7, .fail_at = 3};
    Idem__Admin__V1__ListMessagesReply got;
    assert_int_equal(cli_gather_messages(&s.arena, give_page, &pages, 1000, 0, false, &got), STATUS_UNAVAILABLE);
    assert_int_equal(pages.asked, 3);
    support_fini(&s);
}

static void test_outputs__that_are_not_shown_are_named(void **state)
{
    (void)state;
    Idem__Admin__V1__TestRouteReply reply = IDEM__ADMIN__V1__TEST_ROUTE_REPLY__INIT;
    Idem__Admin__V1__TestOutput first = IDEM__ADMIN__V1__TEST_OUTPUT__INIT, second = first;
    Idem__Admin__V1__TestOutput *outputs[] = {&first, &second};
    first.destination = (char *)"lab";
    first.route = second.route = (char *)"all";
    first.message = (ProtobufCBinaryData){4, (uint8_t *)"MSH|"};
    second.destination = (char *)evil;
    reply.outputs = outputs;
    reply.n_outputs = 2;
    for (unsigned missing = 0; missing < 2; missing++) {
        struct screen screen;
        open_screen(&screen, 100);
        second.message = missing ? (ProtobufCBinaryData){0, NULL} : first.message;
        reply.outputs_without_message = missing;
        cli_show_outputs(&screen.show, &reply, false);
        assert_calm(&screen, 140);
        assert_true(shows(&screen, "to lab by route all, 4 bytes"));
        assert_int_equal(shows(&screen, "by route all, not shown: the reply would be too large"), missing);
        assert_int_equal(shows(&screen, "1 of 2 messages are not shown"), missing);
        close_screen(&screen);
    }
}

static void test_status__shows_bounds_that_were_met_and_how_long_readers_were_kept_out(void **state)
{
    (void)state;
    Idem__Admin__V1__Status now = IDEM__ADMIN__V1__STATUS__INIT;
    Idem__Admin__V1__CommitTimes times = IDEM__ADMIN__V1__COMMIT_TIMES__INIT;
    Idem__Admin__V1__BoundMet first = IDEM__ADMIN__V1__BOUND_MET__INIT, second = first;
    Idem__Admin__V1__BoundMet *met[] = {&first, &second};
    first.name = (char *)"LIMIT_MESSAGE_BYTES";
    first.times = 12345;
    second.name = (char *)evil;
    second.times = 1;
    now.commit_times = &times;
    now.bounds_met = met;
    for (unsigned count = 0; count <= 2; count += 2) {
        struct screen screen;
        open_screen(&screen, 100);
        now.n_bounds_met = count;
        times.commits = count;
        times.held_max_us = 12300;
        times.held_p99_us = 2048;
        cli_show_status(&screen.show, &now, 0);
        assert_calm(&screen, 140);
        assert_int_equal(shows(&screen, "LIMIT_MESSAGE_BYTES"), count > 0);
        assert_int_equal(shows(&screen, "12,345"), count > 0);
        assert_int_equal(shows(&screen, "12.3 ms at most, p99 2.0"), count > 0);
        close_screen(&screen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace__lets_nothing_steer_the_terminal),
        cmocka_unit_test(test_status__shows_bounds_that_were_met_and_how_long_readers_were_kept_out),
        cmocka_unit_test(test_bars__add_up_to_the_score_exactly),
        cmocka_unit_test(test_bars__know_the_probability_of_a_score),
        cmocka_unit_test(test_format__numbers_for_people),
        cmocka_unit_test(test_review__marks_what_differs_and_only_that),
        cmocka_unit_test(test_table__cuts_the_widest_columns_to_fit),
        cmocka_unit_test(test_colours__wrap_the_safe_text_only),
        cmocka_unit_test(test_messages__are_gathered_page_by_page_until_there_are_enough),
        cmocka_unit_test(test_messages__are_not_shown_in_part_when_a_page_fails),
        cmocka_unit_test(test_outputs__that_are_not_shown_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
