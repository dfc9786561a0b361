/*
 * Completion for bash and zsh out of the rows. Only our own names get into the scripts; they are lower-case letters and
 * dashes, so nothing needs quoting but the sentences of zsh.
 */
#include "cli/help.h"

#include <stdio.h>

static void put_first_words(struct buf *out)
{
    const char *gap = "";
    for (const struct cli_group *group = cli_groups; group->commands; group++) {
        if (group->name) {
            buf_printf(out, "%s%s", gap, group->name);
            gap = " ";
            continue;
        }
        for (const struct cli_command *command = group->commands; command->name; command++, gap = " ")
            buf_printf(out, "%s%s", gap, command->name);
    }
}

static void put_option_words(struct buf *out, const struct cli_option *options)
{
    for (const struct cli_option *o = options; o && o->name; o++)
        buf_printf(out, " --%s", o->name);
}

static bool takes_files(const struct cli_command *command)
{
    for (const struct cli_argument *a = command->arguments; a && a->name; a++)
        if (a->kind == CLI_FILE)
            return true;
    return false;
}

/* One option may mean a file in one command and a text in another: what follows it is decided by the first row that has
 * it. */
static void put_choice_options(struct buf *out, const struct cli_option *options)
{
    for (const struct cli_option *o = options; o && o->name; o++) {
        if (o->kind != CLI_CHOICE)
            continue;
        buf_printf(out, "        --%s) COMPREPLY=($(compgen -W \"", o->name);
        for (const char *c = o->choices; *c; c++)
            buf_put_byte(out, *c == '|' ? ' ' : (uint8_t)*c);
        buf_put_str(out, STR("\" -- \"$cur\")); return ;;\n"));
    }
}

static size_t add_file_options(const struct cli_option *options, const char *names[CLI_OPTIONS_MAX], size_t count)
{
    for (const struct cli_option *o = options; o && o->name && count < CLI_OPTIONS_MAX; o++) {
        bool is_new = o->kind == CLI_FILE;
        for (size_t i = 0; i < count && is_new; i++)
            is_new = strcmp(names[i], o->name) != 0;
        if (is_new)
            names[count++] = o->name;
    }
    return count;
}

/* Names of all options that take a file, each once. */
static size_t gather_file_options(const char *names[CLI_OPTIONS_MAX])
{
    size_t count = add_file_options(cli_common_options, names, 0);
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at)))
        count = add_file_options(command->options, names, count);
    return count;
}

static void put_value_cases(struct buf *out)
{
    const char *files[CLI_OPTIONS_MAX];
    size_t count = gather_file_options(files);
    buf_put_str(out, STR("    case \"$prev\" in\n        "));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s--%s", i ? "|" : "", files[i]);
    buf_put_str(out, STR(") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"));
    put_choice_options(out, cli_common_options);
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at)))
        put_choice_options(out, command->options);
    buf_put_str(out, STR("    esac\n"));
}

static void put_argument_choices(struct buf *out, const struct cli_command *command)
{
    for (const struct cli_argument *a = command->arguments; a && a->name; a++) {
        if (a->kind != CLI_CHOICE)
            continue;
        for (const char *c = a->choices; *c; c++)
            buf_put_byte(out, *c == '|' ? ' ' : (uint8_t)*c);
        buf_put_byte(out, ' ');
    }
}

void cli_completion_bash(struct buf *out)
{
    buf_put_str(out, STR("# bash completion of idem, made by `idem completion bash`\n_idem() {\n"
                         "    local cur prev first second words\n"
                         "    cur=\"${COMP_WORDS[COMP_CWORD]}\"\n    prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
                         "    first=\"${COMP_WORDS[1]}\"\n    second=\"${COMP_WORDS[2]}\"\n    COMPREPLY=()\n"));
    put_value_cases(out);
    buf_put_str(out, STR("    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W \""));
    put_first_words(out);
    buf_put_str(out, STR("\" -- \"$cur\"))\n        return\n    fi\n"));
    for (const struct cli_group *group = cli_groups; group->commands; group++) {
        if (!group->name)
            continue;
        buf_printf(out,
                   "    if [ \"$COMP_CWORD\" -eq 2 ] && [ \"$first\" = %s ]; then\n        COMPREPLY=($(compgen -W \"",
                   group->name);
        for (const struct cli_command *command = group->commands; command->name; command++)
            buf_printf(out, "%s%s", command == group->commands ? "" : " ", command->name);
        buf_put_str(out, STR("\" -- \"$cur\"))\n        return\n    fi\n"));
    }
    buf_put_str(out, STR("    case \"$first $second\" in\n"));
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at))) {
        buf_printf(out, "        \"%s%s%s\"%s) words=\"", command->group ? command->group : command->name,
                   command->group ? " " : " ", command->group ? command->name : "", command->group ? "" : "*");
        put_argument_choices(out, command);
        put_option_words(out, command->options);
        put_option_words(out, cli_common_options);
        buf_printf(out, "\"%s ;;\n",
                   takes_files(command) ? "; [[ \"$cur\" == -* ]] || { COMPREPLY=($(compgen -f -- \"$cur\")); return; }"
                                        : "");
    }
    buf_put_str(out, STR("    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o filenames -F "
                         "_idem idem\n"));
}

/* Inside single quotes of _describe 'name:sentence'. */
static void put_zsh_sentence(struct buf *out, const char *sentence)
{
    for (const char *c = sentence; *c; c++) {
        if (*c == '\'')
            buf_put_str(out, STR("'\\''"));
        else if (*c == ':')
            buf_put_str(out, STR("\\:"));
        else
            buf_put_byte(out, (uint8_t)*c);
    }
}

static void put_zsh_words(struct buf *out, const struct cli_option *options)
{
    for (const struct cli_option *o = options; o && o->name; o++) {
        buf_printf(out, " '--%s:", o->name);
        put_zsh_sentence(out, o->sentence);
        buf_put_byte(out, '\'');
    }
}

static void put_zsh_commands(struct buf *out, const struct cli_command *commands)
{
    for (const struct cli_command *command = commands; command->name; command++) {
        buf_printf(out, " '%s:", command->name);
        put_zsh_sentence(out, command->does);
        buf_put_byte(out, '\'');
    }
}

void cli_completion_zsh(struct buf *out)
{
    buf_put_str(out, STR("#compdef idem\n# zsh completion of idem, made by `idem completion zsh`\n_idem() {\n"
                         "    local -a words_of\n    if (( CURRENT == 2 )); then\n        words_of=("));
    for (const struct cli_group *group = cli_groups; group->commands; group++) {
        if (!group->name) {
            put_zsh_commands(out, group->commands);
            continue;
        }
        buf_printf(out, " '%s:", group->name);
        put_zsh_sentence(out, group->does);
        buf_put_byte(out, '\'');
    }
    buf_put_str(out, STR(")\n        _describe command words_of\n        return\n    fi\n"));
    for (const struct cli_group *group = cli_groups; group->commands; group++) {
        if (!group->name)
            continue;
        buf_printf(out, "    if (( CURRENT == 3 )) && [[ $words[2] == %s ]]; then\n        words_of=(", group->name);
        put_zsh_commands(out, group->commands);
        buf_put_str(out, STR(")\n        _describe command words_of\n        return\n    fi\n"));
    }
    buf_put_str(out, STR("    case \"$words[2] $words[3]\" in\n"));
    struct cli_walk at = {0};
    const struct cli_command *command;
    while ((command = cli_next_command(&at))) {
        buf_printf(out, "        \"%s %s\"%s) words_of=(", command->group ? command->group : command->name,
                   command->group ? command->name : "", command->group ? "" : "*");
        put_zsh_words(out, command->options);
        put_zsh_words(out, cli_common_options);
        buf_printf(out, ")%s ;;\n", takes_files(command) ? "; _files" : "");
    }
    buf_put_str(out, STR("    esac\n    _describe option words_of\n    [[ $words[CURRENT] == */* ]] && "
                         "_files\n}\ncompdef _idem idem\n"));
}
