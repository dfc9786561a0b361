#include "load.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

const struct reason loaders_reasons[LOADERS_REASON_COUNT] = {
    [LOADERS_UNKNOWN_RELEASE] = {"loaders.unknown-release", STATUS_INVALID_ARGUMENT, 207,
                                 "no loader knows these files"},
    [LOADERS_FAULTY] = {"loaders.faulty", STATUS_INVALID_ARGUMENT, 207, "the release has faults and was not loaded"},
    [LOADERS_CANCELLED] = {"loaders.cancelled", STATUS_CANCELLED, 207, "the load was cancelled"},
    [LOADERS_PEOPLE_COLUMNS] = {"loaders.people-columns", STATUS_INVALID_ARGUMENT, 207,
                                "the header of the people file is not understood"},
};

struct loader_row {
    const char *kind, *system;
    enum pack_keys keys;
    void (*load)(struct load *load, const struct release *release);
};

static const struct loader_row loaders[RELEASE_KINDS] = {
    [RELEASE_ICD] = {"icd10cm", "http://hl7.org/fhir/sid/icd-10-cm", PACK_KEYS_ICD, load_icd},
    [RELEASE_LOINC] = {"loinc", "http://loinc.org", PACK_KEYS_LOINC, load_loinc},
    [RELEASE_RXNORM] = {"rxnorm", "http://www.nlm.nih.gov/research/umls/rxnorm", PACK_KEYS_DIGITS, load_rxnorm},
    [RELEASE_SNOMED] = {"snomed", "http://snomed.info/sct", PACK_KEYS_DIGITS, load_snomed},
    [RELEASE_MAP] = {"map", "", PACK_KEYS_TEXT, load_map},
};
static const struct loader_row procedures = {"icd10pcs", "http://www.cms.gov/Medicare/Coding/ICD10", PACK_KEYS_ICD,
                                             load_icd};

/* The place of one more finding; NULL when it is only counted. Warnings never hide what refuses the load: a fatal one
 * takes the place of the last warning. */
static struct loader_finding *place_finding(struct load *load, bool fatal)
{
    size_t max = load->options->findings_max ? load->options->findings_max : LOAD_FINDINGS_MAX;
    if (load->findings.count < max)
        return VEC_ADD(&load->findings);
    size_t last = load->findings.count;
    while (last > 0 && load->findings.at[last - 1].fatal)
        last--;
    if (!fatal || last == 0)
        return NULL;
    for (size_t i = last; i < load->findings.count; i++)
        load->findings.at[i - 1] = load->findings.at[i]; /* the order stays that of the rows */
    return &load->findings.at[load->findings.count - 1];
}

void load_finding(struct load *load, enum load_severity severity, struct str file, uint64_t line, const char *rule,
                  const char *format, ...)
{
    load->findings_total++;
    load->findings_fatal += severity == LOAD_FATAL;
    struct loader_finding *place = place_finding(load, severity == LOAD_FATAL);
    if (place == NULL)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct arena *arena = load->cx->arena;
    *place = (struct loader_finding){
        .file = arena_str(arena, file),
        .line = line,
        .rule = arena_str(arena, str_from(rule)),
        .what = arena_str(arena, str_from(text)),
        .fatal = severity == LOAD_FATAL,
    };
}

void load_settle_version(struct load *load, struct str file, struct str found, const char *rule)
{
    struct str version = load->options->version.len ? load->options->version : found;
    if (version.len == 0 || version.len > 64)
        load_finding(load, LOAD_FATAL, file, 0, rule,
                     "the files do not say which version this is; give it with the load");
    load->name.version = arena_str(load->cx->arena, str_sub(version, 0, 64));
}

void load_plain_name(struct str text, char out[64])
{
    text = str_trim(text);
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < 63; i++) {
        char c = text.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        out[len++] = c == ' ' || c == '-' || c == '.' ? '_' : c;
    }
    out[len] = 0;
}

/* Is-a must be free of circles before anything is written, also in a dry run. */
static void check_hierarchy(struct load *load)
{
    uint32_t concept;
    const char *past = pack_builder_overflow(load->builder);
    if (past)
        load_finding(load, LOAD_FATAL, STR(""), 0, "load.bounds", "more than %s", past);
    else if (pack_builder_order(load->builder, &concept))
        return;
    else if (concept == PACK_NONE)
        load_finding(load, LOAD_FATAL, STR(""), 0, "load.bounds", "the hierarchy is too tangled to number");
    else
        load_finding(load, LOAD_FATAL, STR(""), 0, "hierarchy.circle",
                     "is-a runs in a circle through %.*s; a concept cannot be its own ancestor",
                     STR_ARGS(pack_builder_code(load->builder, concept)));
}

/* The result is filled on failure too: it carries the findings. */
static void hand_over(struct load *load, struct loader_result *result)
{
    result->findings = arena_array(load->cx->arena, load->findings.count + 1, sizeof *result->findings);
    if (load->findings.count)
        memcpy(result->findings, load->findings.at, load->findings.count * sizeof *result->findings);
    result->findings_count = load->findings.count;
    result->findings_total = load->findings_total;
    result->findings_fatal = load->findings_fatal;
    result->rows = load->rows;
}

static const struct loader_finding *first_fatal(const struct load *load)
{
    for (size_t i = 0; i < load->findings.count; i++)
        if (load->findings.at[i].fatal)
            return &load->findings.at[i];
    return NULL;
}

static status refuse(struct load *load)
{
    const struct loader_finding *first = first_fatal(load);
    unsigned long long fatal = load->findings_fatal;
    if (first == NULL) /* warnings filled the list */
        return ctx_fail(load->cx, &loaders_reasons[LOADERS_FAULTY], "%llu faults", fatal);
    return ctx_fail(load->cx, &loaders_reasons[LOADERS_FAULTY], "%llu faults, first: %.*s line %llu: %.*s: %.*s", fatal,
                    STR_ARGS(first->file), (unsigned long long)first->line, STR_ARGS(first->rule),
                    STR_ARGS(first->what));
}

static status write_pack(struct load *load, struct loader_result *result)
{
    struct codes_registration *registration = &result->registration;
    uint64_t maps = pack_builder_map_count(load->builder);
    registration->system = load->name.system;
    registration->version = load->name.version;
    registration->kind = load->name.kind;
    registration->concepts = maps ? maps : pack_builder_concept_count(load->builder);
    if (load->options->dry_run)
        return STATUS_OK;
    if (load->options->progress && !load->options->progress(load->options->arg, "write", 0, 1))
        return ctx_fail(load->cx, &loaders_reasons[LOADERS_CANCELLED], NULL);
    struct pack_written written;
    TRY(pack_builder_write(load->builder, load->cx, load->options->pack_dir, &load->name, &written));
    registration->pack_file = written.file;
    memcpy(registration->sha256, written.sha256, sizeof registration->sha256);
    return STATUS_OK;
}

static status run(struct load *load, const struct release *release, const struct loader_row *row,
                  struct loader_result *result)
{
    load->builder = pack_builder_new(row->keys);
    load->name.kind = str_from(row->kind);
    load->name.system = str_from(row->system);
    row->load(load, release);
    if (load->cancelled)
        return ctx_fail(load->cx, &loaders_reasons[LOADERS_CANCELLED], NULL);
    check_hierarchy(load);
    if (load->findings_fatal == 0 && pack_builder_concept_count(load->builder) == 0)
        load_finding(load, LOAD_FATAL, STR(""), 0, "load.empty", "there is not one row to load");
    if (load->findings_fatal > 0)
        return refuse(load);
    return write_pack(load, result);
}

status loaders_load_codes(struct ctx *cx, const struct loader_options *options, struct loader_result *out_result)
{
    *out_result = (struct loader_result){.kind = "probe"};
    struct release release = {0};
    status done = probe_release(cx, options->path, &release, &out_result->probe);
    if (done == STATUS_OK && release.kind == RELEASE_UNKNOWN)
        done = ctx_fail(cx, &loaders_reasons[LOADERS_UNKNOWN_RELEASE], "%.*s", STR_ARGS(out_result->probe));
    if (done == STATUS_OK) {
        const struct loader_row *row = release.icd_procedures ? &procedures : &loaders[release.kind];
        struct load load = {.cx = cx, .options = options};
        out_result->kind = row->kind;
        done = run(&load, &release, row, out_result);
        hand_over(&load, out_result);
        pack_builder_free(load.builder);
        VEC_FINI(&load.findings);
    }
    release_fini(&release);
    return done;
}
