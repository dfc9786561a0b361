#include "cli/command.h"

#include "base/invariant.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/show.h"

enum { WORDS_MAX = 128, CHOICE_WORDS_MAX = 8, CHOICE_WORD_BYTES = 32 };

const struct cli_command *cli_next_command(struct cli_walk *at)
{
    for (; cli_groups[at->group].commands; at->group++, at->command = 0) {
        const struct cli_command *command = &cli_groups[at->group].commands[at->command];
        if (command->name) {
            at->command++;
            return command;
        }
    }
    return NULL;
}

void cli_command_name(const struct cli_command *command, char out[CLI_NAME_MAX])
{
    snprintf(out, CLI_NAME_MAX, "%s%s%s", command->group ? command->group : "", command->group ? " " : "",
             command->name);
}

struct parser {
    const char *const *words;
    int count, at;
    bool no_more_options; /* after "--" */
    struct cli_parsed *parsed;
    struct cli_misuse *misuse;
};

/* Words of the command line come back in messages: made safe, whatever they hold. */
__attribute__((format(printf, 3, 0))) static void put_safe(char *out, size_t size, const char *format, va_list args)
{
    struct buf raw = {0}, safe = {0};
    buf_vprintf(&raw, format, args);
    cli_safe(&safe, buf_str(&raw));
    snprintf(out, size, "%.*s", (int)safe.len, safe.len ? safe.data : "");
    buf_fini(&raw);
    buf_fini(&safe);
}

__attribute__((format(printf, 2, 3))) static bool refuse(struct parser *parser, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_safe(parser->misuse->what, sizeof parser->misuse->what, format, args);
    va_end(args);
    return false;
}

__attribute__((format(printf, 2, 3))) static bool advise(struct parser *parser, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_safe(parser->misuse->next, sizeof parser->misuse->next, format, args);
    va_end(args);
    return false;
}

/* ---- options ---- */

/* The option of this number: common options first, then the command's. NULL past the end. */
static const struct cli_option *option_at(const struct cli_command *command, size_t number)
{
    size_t i = 0;
    for (const struct cli_option *o = cli_common_options; o->name; o++, i++)
        if (i == number)
            return o;
    for (const struct cli_option *o = command ? command->options : NULL; o && o->name; o++, i++)
        if (i == number)
            return o;
    return NULL;
}

static const struct cli_option *find_option(const struct cli_command *command, struct str name, size_t *out_number)
{
    const struct cli_option *option;
    for (size_t i = 0; (option = option_at(command, i)); i++) {
        if (!str_is(name, option->name))
            continue;
        *out_number = i;
        return option;
    }
    return NULL;
}

static bool unknown_option(struct parser *parser, struct str name)
{
    const struct cli_command *command = parser->parsed->command;
    const char *words[CLI_OPTIONS_MAX];
    size_t count = 0;
    const struct cli_option *option;
    for (size_t i = 0; (option = option_at(command, i)) && count < CLI_OPTIONS_MAX; i++)
        words[count++] = option->name;
    char full[CLI_NAME_MAX] = "";
    if (command)
        cli_command_name(command, full);
    refuse(parser, "unknown option --%.*s", STR_ARGS(name));
    const char *near = str_nearest(name, words, count);
    if (near)
        return advise(parser, "did you mean --%s?", near);
    return advise(parser, "`idem help%s%s` lists the options", *full ? " " : "", full);
}

static bool is_choice(const char *choices, struct str word)
{
    struct str rest = str_from(choices), one;
    while (str_split(&rest, '|', &one))
        if (str_eq(one, word))
            return true;
    return false;
}

static bool check_value(struct parser *parser, const char *what, enum cli_kind kind, const char *choices,
                        const char *value)
{
    uint64_t number;
    if (kind == CLI_NUMBER && !str_to_u64(str_from(value), &number)) {
        refuse(parser, "%s wants a number, not \"%s\"", what, value);
        return advise(parser, "digits only, for example 42");
    }
    if (kind == CLI_CHOICE && !is_choice(choices, str_from(value))) {
        char kept[CHOICE_WORDS_MAX][CHOICE_WORD_BYTES];
        const char *words[CHOICE_WORDS_MAX];
        struct str rest = str_from(choices), word;
        size_t count = 0;
        for (; count < CHOICE_WORDS_MAX && str_split(&rest, '|', &word); count++) {
            snprintf(kept[count], CHOICE_WORD_BYTES, "%.*s", STR_ARGS(word));
            words[count] = kept[count];
        }
        refuse(parser, "%s cannot be \"%s\"", what, value);
        const char *near = str_nearest(str_from(value), words, count);
        return near ? advise(parser, "did you mean %s? (one of %s)", near, choices)
                    : advise(parser, "one of %s", choices);
    }
    return true;
}

static bool take_option(struct parser *parser)
{
    const char *word = parser->words[parser->at++];
    if (strcmp(word, "-h") == 0)
        word = "--help";
    if (word[1] != '-') {
        refuse(parser, "unknown option %s", word);
        return advise(parser, "options are whole words, for example --json");
    }
    struct str name = str_from(word + 2);
    ptrdiff_t equals = str_find(name, '=');
    const char *value = equals < 0 ? NULL : word + 2 + equals + 1;
    if (equals >= 0)
        name.len = (size_t)equals;

    size_t number;
    const struct cli_option *option = find_option(parser->parsed->command, name, &number);
    if (!option)
        return unknown_option(parser, name);
    if (option->kind == CLI_FLAG) {
        if (value) {
            refuse(parser, "--%s takes no value", option->name);
            return advise(parser, "leave out \"=%s\"", value);
        }
        parser->parsed->values[number] = "yes";
        parser->parsed->help |= strcmp(option->name, "help") == 0;
        return true;
    }
    if (!value) {
        if (parser->at == parser->count) {
            refuse(parser, "--%s wants a value", option->name);
            return advise(parser, "--%s %s: %s", option->name, option->value, option->sentence);
        }
        value = parser->words[parser->at++];
    }
    char what[80];
    snprintf(what, sizeof what, "--%s", option->name);
    if (!check_value(parser, what, option->kind, option->choices, value))
        return false;
    parser->parsed->values[number] = value;
    return true;
}

/* ---- which command ---- */

static const struct cli_group *find_group(struct str word)
{
    for (const struct cli_group *group = cli_groups; group->commands; group++)
        if (group->name && str_is(word, group->name))
            return group;
    return NULL;
}

static const struct cli_command *find_command(const char *group, struct str word)
{
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at))) {
        bool in_group = group ? command->group && strcmp(command->group, group) == 0 : !command->group;
        if (in_group && str_is(word, command->name))
            return command;
    }
    return NULL;
}

static size_t first_words(const char *words[WORDS_MAX])
{
    size_t count = 0;
    for (const struct cli_group *group = cli_groups; group->commands; group++)
        if (group->name && count < WORDS_MAX)
            words[count++] = group->name;
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at)) && count < WORDS_MAX)
        if (!command->group)
            words[count++] = command->name;
    return count;
}

static bool unknown_command(struct parser *parser, struct str word)
{
    const char *words[WORDS_MAX];
    const char *near = str_nearest(word, words, first_words(words));
    refuse(parser, "unknown command \"%.*s\"", STR_ARGS(word));
    return near ? advise(parser, "did you mean \"%s\"? `idem help` lists all commands", near)
                : advise(parser, "`idem help` lists all commands");
}

/* "review sohw": names what the group has. */
static bool unknown_in_group(struct parser *parser, const struct cli_group *group, struct str word)
{
    const char *words[WORDS_MAX];
    char list[200] = "";
    size_t count = 0;
    for (const struct cli_command *command = group->commands; command->name && count < WORDS_MAX; command++) {
        words[count++] = command->name;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", command->name);
    }
    if (word.len == 0)
        refuse(parser, "%s what?", group->name);
    else
        refuse(parser, "%s has no command \"%.*s\"", group->name, STR_ARGS(word));
    const char *near = word.len ? str_nearest(word, words, count) : NULL;
    return near ? advise(parser, "did you mean \"%s %s\"?", group->name, near) : advise(parser, "one of: %s", list);
}

static bool takes_a_word(const struct parser *parser)
{
    const char *word = parser->words[parser->at];
    return parser->no_more_options || word[0] != '-' || word[1] == 0; /* "-" is standard input */
}

/* Options before the command are the common ones: their values must not be taken for the command. */
static bool take_command(struct parser *parser)
{
    struct cli_parsed *parsed = parser->parsed;
    while (parser->at < parser->count) {
        if (!takes_a_word(parser)) {
            if (!take_option(parser))
                return false;
            continue;
        }
        struct str word = str_from(parser->words[parser->at++]);
        if (!parsed->group) {
            parsed->command = find_command(NULL, word);
            parsed->group = parsed->command ? NULL : find_group(word);
            if (!parsed->command && !parsed->group)
                return unknown_command(parser, word);
        } else {
            parsed->command = find_command(parsed->group->name, word);
            if (!parsed->command)
                return unknown_in_group(parser, parsed->group, word);
        }
        if (parsed->command)
            return true;
    }
    if (parsed->help)
        return true;
    if (parsed->group)
        return unknown_in_group(parser, parsed->group, STR_NONE);
    refuse(parser, "no command");
    return advise(parser, "`idem help` lists all commands");
}

/* ---- arguments ---- */

static bool take_argument(struct parser *parser)
{
    struct cli_parsed *parsed = parser->parsed;
    const char *word = parser->words[parser->at++];
    const struct cli_argument *argument = parsed->command->arguments;
    for (size_t i = 0; argument && argument->name && i < parsed->argument_count && !argument->repeated; i++)
        argument++;
    char full[CLI_NAME_MAX];
    cli_command_name(parsed->command, full);
    if (!argument || !argument->name) {
        refuse(parser, "one word too many: \"%s\"", word);
        return advise(parser, "`idem help %s` shows what it takes", full);
    }
    if (parsed->argument_count == CLI_ARGUMENTS_MAX) {
        refuse(parser, "more than %d words", (int)CLI_ARGUMENTS_MAX);
        return advise(parser, "call it several times, for example with xargs -n 1000");
    }
    if (!check_value(parser, argument->name, argument->kind, argument->choices, word))
        return false;
    parsed->arguments[parsed->argument_count++] = word;
    return true;
}

static bool check_missing(struct parser *parser)
{
    const struct cli_parsed *parsed = parser->parsed;
    const struct cli_argument *argument = parsed->command->arguments;
    for (size_t i = 0; argument && argument->name; i++, argument++) {
        if (argument->optional || i < parsed->argument_count)
            continue;
        char full[CLI_NAME_MAX];
        cli_command_name(parsed->command, full);
        refuse(parser, "%s is missing: %s", argument->name, argument->sentence);
        return advise(parser, "for example: %s", parsed->command->example);
    }
    return true;
}

static bool parse_all(struct parser *parser)
{
    if (!take_command(parser))
        return false;
    if (!parser->parsed->command)
        return true;
    while (parser->at < parser->count) {
        if (!parser->no_more_options && strcmp(parser->words[parser->at], "--") == 0) {
            parser->no_more_options = true;
            parser->at++;
            continue;
        }
        bool taken = takes_a_word(parser) ? take_argument(parser) : take_option(parser);
        if (!taken)
            return false;
    }
    return parser->parsed->help || check_missing(parser);
}

bool cli_parse(int argc, const char *const *argv, struct cli_parsed *out_parsed, struct cli_misuse *out_misuse)
{
    *out_parsed = (struct cli_parsed){0};
    *out_misuse = (struct cli_misuse){0};
    for (int i = 1; i < argc; i++)
        out_parsed->json |= strcmp(argv[i], "--json") == 0;
    struct parser parser = {.words = argv, .count = argc, .at = 1, .parsed = out_parsed, .misuse = out_misuse};
    return parse_all(&parser);
}

const char *cli_parsed_text(const struct cli_parsed *parsed, const char *option)
{
    size_t number = 0;
    const struct cli_option *found = find_option(parsed->command, str_from(option), &number);
    INVARIANT(found && number < CLI_OPTIONS_MAX);
    return parsed->values[number] ? parsed->values[number] : found->fallback;
}
