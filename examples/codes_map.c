/* The local code maps of two hospitals. Columns: docs/loaders/local-map.md. */
#include "codes_internal.h"

#include "base/mem.h"

#define HEADER "source_system,source_code,source_display,target_system,target_code,target_display,equivalence,comment\n"

/* What both laboratories leave unmapped, so that there is work left: see gen_message(). */
static bool is_mapped(size_t analyte)
{
    return analyte % 13 != 12;
}

static void put_analytes(struct buf *out, const char *system, const char *prefix, unsigned specimen)
{
    for (size_t a = 0; a < sample_analyte_count; a++) {
        char number[16];
        sample_loinc(a, specimen, 0, number);
        if (is_mapped(a))
            buf_printf(out, "%s,%s%s,%s,http://loinc.org,%s,\"Sample %s, %samount in %s\",equivalent,\n", system,
                       prefix, sample_analytes[a].local, sample_analytes[a].name, number, sample_analytes[a].name,
                       a == 4 ? "measured " : "", sample_specimens[specimen]);
    }
}

static void put_diagnoses(struct buf *out, const char *system)
{
    static const struct {
        const char *local, *name, *icd, *title, *equivalence;
    } rows[] = {
        {"DX001", "Sugar, type 2", "E11.9", "Type 2 diabetes mellitus without complications", "equivalent"},
        {"DX002", "High blood pressure", "I10", "Essential (primary) hypertension", "equivalent"},
        {"DX003", "Chest infection", "J18.9", "Pneumonia, unspecified organism", "wider"},
        {"DX004", "Low back pain", "M54.50", "Low back pain, unspecified", "equivalent"},
        {"DX005", "Asthma", "J45.909", "Unspecified asthma, uncomplicated", "equivalent"},
        {"DX006", "Water infection", "N39.0", "Urinary tract infection, site not specified", "equivalent"},
        {"DX007", "Faint", "R55", "Syncope and collapse", "equivalent"},
        {"DX008", "Heart failure", "I50.9", "Heart failure, unspecified", "equivalent"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        buf_printf(out, "%s,%s,\"%s\",http://hl7.org/fhir/sid/icd-10-cm,%s,\"%s\",%s,\n", system, rows[i].local,
                   rows[i].name, rows[i].icd, rows[i].title, rows[i].equivalence);
}

static void put_drugs(struct ctx *cx, struct buf *out, const char *system)
{
    for (size_t drug = 0; drug < sample_drug_count; drug++) {
        struct str name = sample_drug_name(cx->arena, drug, 0);
        buf_printf(out, "%s,RX%03zu,%s,http://www.nlm.nih.gov/research/umls/rxnorm,%u,%.*s,equivalent,\n", system,
                   drug + 1, sample_drugs[drug].ingredient, sample_rxcui(drug, 0), STR_ARGS(name));
    }
}

static void put_allergies(struct buf *out, const char *system)
{
    for (size_t n = 0; n < sample_substance_count; n++) {
        char id[24];
        sample_sctid(sample_substance_item(n), "10", id);
        buf_printf(out, "%s,AL%02zu,%s,http://snomed.info/sct,%s,%s,equivalent,\n", system, n + 1,
                   sample_substance_name(n), id, sample_substance_name(n));
    }
}

status sample_write_maps(struct ctx *cx, const char *dir)
{
    SCOPED(buf_fini) struct buf north = {0}, lake = {0};
    buf_put_str(&north, STR(HEADER));
    put_analytes(&north, "north-lab", "", 0);
    put_diagnoses(&north, "north-lab");
    put_allergies(&north, "north-lab");
    TRY(sample_write(cx, dir, "maps/north-lab.csv", &north));
    buf_put_str(&lake, STR(HEADER));
    put_analytes(&lake, "lake-lab", "LK-", 2);
    put_drugs(cx, &lake, "lake-lab");
    put_diagnoses(&lake, "lake-lab");
    return sample_write(cx, dir, "maps/lake-lab.csv", &lake);
}
