/* The rows of `idem codes`; included by cmd_codes.c alone. */
#pragma once

#define SYSTEM_ARGUMENT                                                                                                \
    {                                                                                                                  \
        "SYSTEM", CLI_TEXT, false, false, "code system: FHIR URI or HL7 name (ICD-10-CM, LN, RXNORM, SCT \u2026)",     \
            NULL                                                                                                       \
    }
#define CODE_ARGUMENT                                                                                                  \
    {                                                                                                                  \
        "CODE", CLI_TEXT, false, false, "the code", NULL                                                               \
    }

static const struct cli_argument load_arguments[] = {
    {"PATH", CLI_FILE, false, false, "file or release folder, as the daemon's machine sees it", NULL}, {0}};
static const struct cli_option load_options[] = {
    {"system", CLI_TEXT, "NAME", NULL, "name of a local map", NULL},
    {"version", CLI_TEXT, "TEXT", NULL, "version, when the files carry none", NULL},
    {"activate", CLI_FLAG, NULL, NULL, "make it count at once, when the load is clean", NULL},
    {"dry-run", CLI_FLAG, NULL, NULL, "check every row, keep nothing", NULL},
    {0}};
static const struct cli_argument release_argument[] = {
    {"RELEASE", CLI_NUMBER, false, false, "number of the release, as `codes list` shows it", NULL}, {0}};
static const struct cli_argument system_argument[] = {SYSTEM_ARGUMENT, {0}};
static const struct cli_argument code_arguments[] = {SYSTEM_ARGUMENT, CODE_ARGUMENT, {0}};
static const struct cli_argument translate_arguments[] = {
    SYSTEM_ARGUMENT,
    CODE_ARGUMENT,
    {"TARGET", CLI_TEXT, true, false, "target code system; any when left out", NULL},
    {0}};
static const struct cli_argument subsumes_arguments[] = {
    SYSTEM_ARGUMENT, {"ANCESTOR", CLI_TEXT, false, false, "the more general code", NULL}, CODE_ARGUMENT, {0}};
static const struct cli_option lookup_options[] = {
    {"release", CLI_NUMBER, "ID", NULL, "this release instead of the active one", NULL}, {0}};
static const struct cli_option validate_options[] = {
    {"display", CLI_TEXT, "TEXT", NULL, "also check that this is one of its names", NULL}, {0}};
static const struct cli_option work_options[] = {{"max", CLI_NUMBER, "N", "50", "how many at most; 0 = all", NULL},
                                                 {0}};

const struct cli_command cli_codes_commands[] = {
    {.group = "codes",
     .name = "load",
     .arguments = load_arguments,
     .options = load_options,
     .does = "load a release or a local map: all of it, or nothing",
     .more = "Recognised by content: ICD-10-CM order file, LOINC table, RxNorm RRF folder, SNOMED CT RF2 snapshot "
             "folder, map "
             "CSV. Findings name file, line and rule.",
     .example = "idem codes load examples/codes/icd10cm --activate",
     .needs_daemon = true,
     .run = run_load},
    {.group = "codes",
     .name = "list",
     .does = "list the releases and which are active",
     .example = "idem codes list",
     .needs_daemon = true,
     .run = run_list},
    {.group = "codes",
     .name = "lookup",
     .arguments = code_arguments,
     .options = lookup_options,
     .does = "say what a code means",
     .example = "idem codes lookup LN 718-7",
     .needs_daemon = true,
     .run = run_lookup},
    {.group = "codes",
     .name = "validate",
     .arguments = code_arguments,
     .options = validate_options,
     .does = "say whether a code may be used now",
     .more = "Exit code 0: valid; 1: inactive, a header, or unknown.",
     .example = "idem codes validate ICD-10-CM E11.9",
     .needs_daemon = true,
     .run = run_validate},
    {.group = "codes",
     .name = "translate",
     .arguments = translate_arguments,
     .does = "say what a code is elsewhere, by the active maps",
     .example = "idem codes translate map:north-lab GLU LN",
     .needs_daemon = true,
     .run = run_translate},
    {.group = "codes",
     .name = "subsumes",
     .arguments = subsumes_arguments,
     .does = "say whether one code is a kind of another",
     .example = "idem codes subsumes SCT 73211009 44054006",
     .needs_daemon = true,
     .run = run_subsumes},
    {.group = "codes",
     .name = "activate",
     .arguments = release_argument,
     .does = "make a loaded release count from now on",
     .example = "idem codes activate 4",
     .needs_daemon = true,
     .run = run_activate},
    {.group = "codes",
     .name = "rollback",
     .arguments = system_argument,
     .does = "go back to the release that was active before",
     .example = "idem codes rollback ICD-10-CM",
     .needs_daemon = true,
     .run = run_rollback},
    {.group = "codes",
     .name = "work",
     .options = work_options,
     .does = "list codes seen in messages that nothing knows, most used first",
     .example = "idem codes work --max 10",
     .needs_daemon = true,
     .run = run_work},
    {0}};
