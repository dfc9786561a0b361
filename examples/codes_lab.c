/* The LOINC sample: numbers and names invented, only the layout is LOINC's. */
#include "codes_internal.h"

#include "base/mem.h"

#include <stdio.h>

const struct sample_analyte sample_analytes[] = {
    {"GLU", "glucose", "mg/dL", 70, 99},
    {"NA", "sodium", "mmol/L", 135, 145},
    {"K", "potassium", "mmol/L", 3.5, 5.1},
    {"CL", "chloride", "mmol/L", 98, 107},
    {"CA", "calcium", "mg/dL", 8.6, 10.3},
    {"CREA", "creatinine", "mg/dL", 0.6, 1.3},
    {"UREA", "urea", "mg/dL", 15, 43},
    {"ALB", "albumin", "g/dL", 3.5, 5.0},
    {"TP", "total protein", "g/dL", 6.0, 8.3},
    {"BILI", "bilirubin", "mg/dL", 0.1, 1.2},
    {"ALT", "alanine transferase", "U/L", 7, 56},
    {"AST", "aspartate transferase", "U/L", 10, 40},
    {"ALP", "alkaline phosphatase", "U/L", 44, 147},
    {"GGT", "gamma transferase", "U/L", 9, 48},
    {"LDH", "lactate dehydrogenase", "U/L", 140, 280},
    {"CHOL", "cholesterol", "mg/dL", 125, 200},
    {"TRIG", "triglyceride", "mg/dL", 40, 150},
    {"HDL", "dense lipoprotein", "mg/dL", 40, 60},
    {"FE", "iron", "ug/dL", 60, 170},
    {"FERR", "ferritin", "ng/mL", 24, 336},
    {"MG", "magnesium", "mg/dL", 1.7, 2.2},
    {"PHOS", "phosphate", "mg/dL", 2.5, 4.5},
    {"URIC", "uric acid", "mg/dL", 3.4, 7.0},
    {"TSH", "thyroid stimulating hormone", "mU/L", 0.4, 4.0},
    {"FT4", "free thyroxine", "ng/dL", 0.8, 1.8},
    {"CRP", "C-reactive protein", "mg/L", 0, 8},
    {"HGB", "haemoglobin", "g/dL", 12, 17},
    {"WBC", "white cells", "10*3/uL", 4.5, 11},
    {"PLT", "platelets", "10*3/uL", 150, 400},
    {"INR", "clotting ratio", "{ratio}", 0.9, 1.2},
    {"LAC", "lactate", "mmol/L", 0.5, 2.2},
    {"AMM", "ammonia", "umol/L", 15, 45},
    {"TROP", "troponin", "ng/L", 0, 14},
    {"BNP", "natriuretic peptide", "pg/mL", 0, 100},
    {"VITD", "calcidiol", "ng/mL", 30, 100},
    {"B12", "cobalamin", "pg/mL", 200, 900},
    {"FOL", "folate", "ng/mL", 4, 20},
    {"CORT", "cortisol", "ug/dL", 5, 25},
    {"PSA", "prostate antigen", "ng/mL", 0, 4},
    {"A1C", "glycated haemoglobin", "%", 4.0, 5.6},
};
const size_t sample_analyte_count = sizeof sample_analytes / sizeof sample_analytes[0];

const char *const sample_specimens[3] = {"Serum", "Urine", "Blood"};
static const char *const specimen_codes[3] = {"Ser", "Urine", "Bld"};

void sample_loinc(size_t analyte, unsigned specimen, unsigned kind, char out[16])
{
    unsigned number = 990001u + (unsigned)((analyte * 3 + specimen) * 2 + kind);
    unsigned sum = 0, at = 0;
    for (unsigned rest = number; rest > 0; rest /= 10, at++) {
        unsigned digit = at % 2 == 0 ? rest % 10 * 2 : rest % 10;
        sum += digit > 9 ? digit - 9 : digit;
    }
    snprintf(out, 16, "%u-%u", number, (10 - sum % 10) % 10);
}

static const char *const header[] = {
    "LOINC_NUM",
    "COMPONENT",
    "PROPERTY",
    "TIME_ASPCT",
    "SYSTEM",
    "SCALE_TYP",
    "METHOD_TYP",
    "CLASS",
    "VersionLastChanged",
    "CHNG_TYPE",
    "DefinitionDescription",
    "STATUS",
    "CONSUMER_NAME",
    "CLASSTYPE",
    "FORMULA",
    "EXMPL_ANSWERS",
    "SURVEY_QUEST_TEXT",
    "SURVEY_QUEST_SRC",
    "UNITSREQUIRED",
    "RELATEDNAMES2",
    "SHORTNAME",
    "ORDER_OBS",
    "HL7_FIELD_SUBFIELD_ID",
    "EXTERNAL_COPYRIGHT_NOTICE",
    "EXAMPLE_UNITS",
    "LONG_COMMON_NAME",
    "EXAMPLE_UCUM_UNITS",
    "STATUS_REASON",
    "STATUS_TEXT",
    "CHANGE_REASON_PUBLIC",
    "COMMON_TEST_RANK",
    "COMMON_ORDER_RANK",
    "HL7_ATTACHMENT_STRUCTURE",
    "EXTERNAL_COPYRIGHT_LINK",
    "PanelType",
    "AskAtOrderEntry",
    "AssociatedObservations",
    "VersionFirstReleased",
    "ValidHL7AttachmentRequest",
    "DisplayName",
};
enum { COLUMNS = sizeof header / sizeof header[0] };

/* The one column that has this name gets the value. */
static void set(const char *values[COLUMNS], const char *column, struct str value)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(header[i], column) == 0)
            values[i] = value.data;
}

static void put_line(struct buf *out, const char *const values[COLUMNS])
{
    for (size_t i = 0; i < COLUMNS; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : "", values[i] ? values[i] : "");
    buf_printf(out, "\r\n");
}

/* What changes from the release before to the one now: three are retired, the last analyte is new, one gets another
 * name. */
static void put_row(struct ctx *cx, struct buf *out, size_t a, unsigned specimen, unsigned kind,
                    enum sample_release release)
{
    const struct sample_analyte *analyte = &sample_analytes[a];
    char number[16];
    sample_loinc(a, specimen, kind, number);
    bool retired = release == SAMPLE_NOW && kind == 1 && specimen == 1 && a < 3;
    bool renamed = release == SAMPLE_NOW && a == 4;
    const char *values[COLUMNS] = {0};
    set(values, "LOINC_NUM", str_from(number));
    set(values, "COMPONENT", arena_printf(cx->arena, "Sample %s", analyte->name));
    set(values, "PROPERTY", str_from(kind ? "PrThr" : "MCnc"));
    set(values, "TIME_ASPCT", str_from("Pt"));
    set(values, "SYSTEM", str_from(specimen_codes[specimen]));
    set(values, "SCALE_TYP", str_from(kind ? "Ord" : "Qn"));
    set(values, "CLASS", str_from("CHEM"));
    set(values, "VersionLastChanged", str_from(retired || renamed ? "2.90" : "2.89"));
    set(values, "CHNG_TYPE", str_from(retired ? "DEL" : renamed ? "NAM" : "ADD"));
    set(values, "DefinitionDescription", str_from("Made up for idem; not a LOINC term"));
    set(values, "STATUS", str_from(retired ? "DEPRECATED" : "ACTIVE"));
    set(values, "CLASSTYPE", str_from("1"));
    set(values, "SHORTNAME",
        arena_printf(cx->arena, "%s %s %s", analyte->local, specimen_codes[specimen], kind ? "seen" : "amount"));
    set(values, "ORDER_OBS", str_from("Both"));
    set(values, "EXAMPLE_UNITS", str_from(kind ? "" : analyte->unit));
    set(values, "EXAMPLE_UCUM_UNITS", str_from(kind ? "" : analyte->unit));
    set(values, "LONG_COMMON_NAME",
        arena_printf(cx->arena, "Sample %s, %s%s in %s", analyte->name, renamed ? "measured " : "",
                     kind ? "seen or not" : "amount", sample_specimens[specimen]));
    set(values, "VersionFirstReleased", str_from(a + 1 == sample_analyte_count ? "2.90" : "2.89"));
    set(values, "COMMON_TEST_RANK", str_from("0"));
    set(values, "COMMON_ORDER_RANK", str_from("0"));
    put_line(out, values);
}

static status write_release(struct ctx *cx, const char *dir, const char *path, enum sample_release release)
{
    SCOPED(buf_fini) struct buf out = {0};
    put_line(&out, header);
    size_t count = sample_analyte_count - (release == SAMPLE_BEFORE);
    for (size_t a = 0; a < count; a++)
        for (unsigned specimen = 0; specimen < 3; specimen++)
            for (unsigned kind = 0; kind < 2; kind++)
                put_row(cx, &out, a, specimen, kind, release);
    return sample_write(cx, dir, path, &out);
}

status sample_write_loinc(struct ctx *cx, const char *dir)
{
    TRY(write_release(cx, dir, "codes/before/loinc/LoincTable/Loinc.csv", SAMPLE_BEFORE));
    return write_release(cx, dir, "codes/loinc/LoincTable/Loinc.csv", SAMPLE_NOW);
}
