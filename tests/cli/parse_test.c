/* The rows make sense, and so does what is read by them. */
#include "support.h"

#include "cli/command.h"
#include "cli/help.h"

#include <ctype.h>

enum { WORDS_MAX = 12 };

struct line {
    const char *words[WORDS_MAX];
    int count;
    struct cli_parsed parsed;
    struct cli_misuse misuse;
};

static bool parse(struct line *line, const char *text)
{
    static char kept[1024];
    snprintf(kept, sizeof kept, "%s", text);
    line->count = 0;
    char *rest = kept;
    for (char *at = strsep(&rest, " "); at && line->count < WORDS_MAX; at = strsep(&rest, " "))
        if (*at)
            line->words[line->count++] = at;
    return cli_parse(line->count, line->words, &line->parsed, &line->misuse);
}

static void test_rows__are_whole_and_speak_alike(void **state)
{
    (void)state;
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at))) {
        char name[CLI_NAME_MAX];
        cli_command_name(command, name);
        assert_non_null(command->run);
        assert_non_null(command->does);
        assert_non_null(command->example);
        assert_non_null(strstr(command->example, "idem "));
        assert_non_null(strstr(command->example, name));
        assert_true(islower((unsigned char)command->does[0]));
        assert_true(command->does[strlen(command->does) - 1] != '.');
        bool optional = false;
        for (const struct cli_argument *a = command->arguments; a && a->name; a++) {
            assert_false(optional && !a->optional); /* nothing needed after what may be left out */
            assert_false(a->repeated && a[1].name);
            assert_true((a->kind == CLI_CHOICE) == (a->choices != NULL));
            optional |= a->optional;
        }
        for (const struct cli_option *o = command->options; o && o->name; o++) {
            assert_true((o->kind == CLI_FLAG) == (o->value == NULL));
            assert_true((o->kind == CLI_CHOICE) == (o->choices != NULL));
            for (const struct cli_option *c = cli_common_options; c->name; c++)
                assert_string_not_equal(o->name, c->name);
            for (const struct cli_option *other = o + 1; other->name; other++)
                assert_string_not_equal(o->name, other->name);
        }
    }
}

/* Every command's own example is understood, and means that command. */
static void test_parse__understands_every_example(void **state)
{
    (void)state;
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at))) {
        char example[256];
        const char *start = strstr(command->example, "idem ");
        snprintf(example, sizeof example, "%s", start);
        example[strcspn(example, "<>|)")] = 0; /* redirections are the shell's */
        char *quote = strchr(example, '"');    /* a quoted text is one word here: its blanks go */
        for (char *c = quote ? quote + 1 : NULL; c && *c && *c != '"'; c++)
            if (*c == ' ')
                *c = '_';
        struct line line;
        if (!parse(&line, example))
            fail_msg("%s: %s", example, line.misuse.what);
        assert_ptr_equal(line.parsed.command, command);
    }
}

static void test_parse__says_what_was_probably_meant(void **state)
{
    (void)state;
    static const struct {
        const char *line, *what, *next;
    } cases[] = {
        {"idem trcae 7", "unknown command \"trcae\"", "did you mean \"trace\"? `idem help` lists all commands"},
        {"idem reveiw list", "unknown command \"reveiw\"", "did you mean \"review\"? `idem help` lists all commands"},
        {"idem review lst", "review has no command \"lst\"", "did you mean \"review list\"?"},
        {"idem review xyzzy", "review has no command \"xyzzy\"", "one of: list, show, same, different, undo"},
        {"idem review", "review what?", "one of: list, show, same, different, undo"},
        {"idem trace 7 --dif", "unknown option --dif", "did you mean --diff?"},
        {"idem status --jsno", "unknown option --jsno", "did you mean --json?"},
        {"idem --adress x status", "unknown option --adress", "did you mean --address?"},
        {"idem completion bsh", "SHELL cannot be \"bsh\"", "did you mean bash? (one of bash|zsh)"},
        {"idem trace seven", "SEQ wants a number, not \"seven\"", "digits only, for example 42"},
        {"idem messages --max=-1", "--max wants a number, not \"-1\"", "digits only, for example 42"},
        {"idem messages --max", "--max wants a value", "--max N: how many at most"},
        {"idem status --json=yes", "--json takes no value", "leave out \"=yes\""},
        {"idem why 1", "OTHER is missing: number of the other", "for example: idem why 17 44"},
        {"idem why 1 2 3", "one word too many: \"3\"", "`idem help why` shows what it takes"},
        {"idem status -x", "unknown option -x", "options are whole words, for example --json"},
        {"idem", "no command", "`idem help` lists all commands"},
        {"idem \x1b[2J", "unknown command \"\u241b[2J\"", "`idem help` lists all commands"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct line line;
        assert_false(parse(&line, cases[i].line));
        assert_string_equal(line.misuse.what, cases[i].what);
        assert_string_equal(line.misuse.next, cases[i].next);
    }
}

static void test_parse__takes_options_anywhere(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "idem --json --address a:1 messages --max 3", "idem messages --address=a:1 --max=3 --json",
        "idem --address a:1 --json messages --max 3", "idem messages --max 3 --json --address a:1"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct line line;
        assert_true(parse(&line, lines[i]));
        assert_string_equal(line.parsed.command->name, "messages");
        assert_string_equal(cli_parsed_text(&line.parsed, "address"), "a:1");
        assert_string_equal(cli_parsed_text(&line.parsed, "max"), "3");
        assert_true(line.parsed.json);
        assert_null(cli_parsed_text(&line.parsed, "refused"));
    }
}

static void test_parse__takes_defaults_from_the_row(void **state)
{
    (void)state;
    struct line line;
    assert_true(parse(&line, "idem messages"));
    assert_string_equal(cli_parsed_text(&line.parsed, "max"), "50");
}

static void test_parse__ends_options_at_two_dashes(void **state)
{
    (void)state;
    struct line line;
    assert_true(parse(&line, "idem send -- --odd-name.hl7 -"));
    assert_int_equal(line.parsed.argument_count, 2);
    assert_string_equal(line.parsed.arguments[0], "--odd-name.hl7");
    assert_true(parse(&line, "idem send -"));
    assert_string_equal(line.parsed.arguments[0], "-");
}

static void test_parse__help_wins_over_what_is_missing(void **state)
{
    (void)state;
    static const char *const lines[] = {"idem --help", "idem review --help", "idem review same -h",
                                        "idem --help trace"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct line line;
        assert_true(parse(&line, lines[i]));
        assert_true(line.parsed.help);
    }
}

static void test_help__lists_every_command_and_every_option(void **state)
{
    (void)state;
    struct buf all = {0};
    cli_help_all(&all);
    buf_put_byte(&all, 0);
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at))) {
        char name[CLI_NAME_MAX];
        cli_command_name(command, name);
        assert_non_null(strstr(all.data, name));
        struct buf one = {0};
        cli_help_command(command, &one);
        buf_put_byte(&one, 0);
        for (const struct cli_option *o = command->options; o && o->name; o++)
            assert_non_null(strstr(one.data, o->sentence));
        buf_fini(&one);
    }
    buf_fini(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows__are_whole_and_speak_alike),
        cmocka_unit_test(test_parse__understands_every_example),
        cmocka_unit_test(test_parse__says_what_was_probably_meant),
        cmocka_unit_test(test_parse__takes_options_anywhere),
        cmocka_unit_test(test_parse__takes_defaults_from_the_row),
        cmocka_unit_test(test_parse__ends_options_at_two_dashes),
        cmocka_unit_test(test_parse__help_wins_over_what_is_missing),
        cmocka_unit_test(test_help__lists_every_command_and_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
