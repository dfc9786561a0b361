/* The RxNorm sample: generic names are common knowledge; brands, numbers and relations are invented; only the layout is
 * RxNorm's. */
#include "codes_internal.h"

#include <stdio.h>

const struct sample_drug sample_drugs[] = {
    {"amoxicillin", "Samplamox", {"250 MG", "500 MG", NULL}, "Oral Capsule"},
    {"metformin", "Samplaform", {"500 MG", "850 MG", "1000 MG"}, "Oral Tablet"},
    {"atorvastatin", "Samplator", {"10 MG", "20 MG", "40 MG"}, "Oral Tablet"},
    {"lisinopril", "Samplapril", {"5 MG", "10 MG", "20 MG"}, "Oral Tablet"},
    {"amlodipine", "Samplodip", {"5 MG", "10 MG", NULL}, "Oral Tablet"},
    {"omeprazole", "Samplazole", {"20 MG", "40 MG", NULL}, "Delayed Release Oral Capsule"},
    {"levothyroxine", "Samplothyr", {"0.05 MG", "0.1 MG", NULL}, "Oral Tablet"},
    {"ibuprofen", "Samplufen", {"200 MG", "400 MG", "600 MG"}, "Oral Tablet"},
    {"acetaminophen", "Samplamin", {"325 MG", "500 MG", NULL}, "Oral Tablet"},
    {"warfarin", "Samplarin", {"1 MG", "2.5 MG", "5 MG"}, "Oral Tablet"},
    {"furosemide", "Samplasem", {"20 MG", "40 MG", NULL}, "Oral Tablet"},
    {"prednisone", "Samplason", {"5 MG", "10 MG", "20 MG"}, "Oral Tablet"},
    {"sertraline", "Samplalin", {"25 MG", "50 MG", "100 MG"}, "Oral Tablet"},
    {"gabapentin", "Samplapent", {"100 MG", "300 MG", NULL}, "Oral Capsule"},
    {"tramadol", "Samplamadol", {"50 MG", "100 MG", NULL}, "Oral Tablet"},
    {"losartan", "Samplartan", {"25 MG", "50 MG", NULL}, "Oral Tablet"},
    {"hydrochlorothiazide", "Samplazide", {"12.5 MG", "25 MG", NULL}, "Oral Tablet"},
    {"simvastatin", "Samplastat", {"10 MG", "20 MG", NULL}, "Oral Tablet"},
    {"doxycycline", "Sampladox", {"50 MG", "100 MG", NULL}, "Oral Capsule"},
    {"cetirizine", "Samplazin", {"5 MG", "10 MG", NULL}, "Oral Tablet"},
    {"salbutamol", "Samplabut", {"2 MG", "4 MG", NULL}, "Oral Tablet"},
    {"influenza vaccine", "Samplaflu", {"0.03 MG/ML", NULL, NULL}, "Injectable Suspension"},
    {"tetanus toxoid vaccine", "Samplatet", {"10 UNT/ML", NULL, NULL}, "Injectable Suspension"},
    {"hepatitis B vaccine", "Samplahep", {"0.02 MG/ML", NULL, NULL}, "Injectable Suspension"},
};
const size_t sample_drug_count = sizeof sample_drugs / sizeof sample_drugs[0];

/* Numbers far above what RxNorm has given out so far. */
enum { FIRST_CUI = 900000000, CUIS_PER_DRUG = 10, INGREDIENT = 0, BRAND = 1, FORM = 2, CLINICAL = 3, BRANDED = 6 };

static uint32_t cui(size_t drug, unsigned role)
{
    return (uint32_t)(FIRST_CUI + drug * CUIS_PER_DRUG + role);
}

uint32_t sample_rxcui(size_t drug, unsigned strength)
{
    return cui(drug, CLINICAL + strength);
}

struct str sample_drug_name(struct arena *arena, size_t drug, unsigned strength)
{
    const struct sample_drug *row = &sample_drugs[drug];
    return arena_printf(arena, "%s %s %s", row->ingredient, row->strengths[strength], row->form);
}

struct files {
    struct buf names, relations, attributes, history;
    uint32_t atoms, relation_count, attribute_count;
};

/* RXCUI|LAT|TS|LUI|STT|SUI|ISPREF|RXAUI|SAUI|SCUI|SDUI|SAB|TTY|CODE|STR|SRL|SUPPRESS|CVF| */
static void put_name(struct files *files, uint32_t rxcui, const char *tty, struct str name, bool suppressed)
{
    buf_printf(&files->names, "%u|ENG||||||%u||%u||RXNORM|%s|%u|%.*s||%c|4096|\n", rxcui, FIRST_CUI + ++files->atoms,
               rxcui, tty, rxcui, STR_ARGS(name), suppressed ? 'O' : 'N');
}

/* RXCUI1|RXAUI1|STYPE1|REL|RXCUI2|RXAUI2|STYPE2|RELA|RUI|SRUI|SAB|SL|DIR|RG|SUPPRESS|CVF|: "the second has RELA the
 * first" */
static void put_relation(struct files *files, uint32_t first, uint32_t second, const char *rel, const char *rela)
{
    buf_printf(&files->relations, "%u||CUI|%s|%u||CUI|%s|%u||RXNORM||||N|4096|\n", first, rel, second, rela,
               FIRST_CUI + ++files->relation_count);
}

/* RXCUI|LUI|SUI|RXAUI|STYPE|CODE|ATUI|SATUI|ATN|SAB|ATV|SUPPRESS|CVF| */
static void put_attribute(struct files *files, uint32_t rxcui, const char *name, const char *value)
{
    buf_printf(&files->attributes, "%u|||%u|AUI|%u|AT%u||%s|RXNORM|%s|N|4096|\n", rxcui, rxcui, rxcui,
               FIRST_CUI + ++files->attribute_count, name, value);
}

static void put_clinical(struct ctx *cx, struct files *files, size_t drug, unsigned strength, bool retired)
{
    const struct sample_drug *row = &sample_drugs[drug];
    uint32_t clinical = sample_rxcui(drug, strength), branded = cui(drug, BRANDED + strength);
    struct str name = sample_drug_name(cx->arena, drug, strength);
    put_name(files, clinical, "SCD", name, retired);
    put_name(files, branded, "SBD", arena_printf(cx->arena, "%.*s [%s]", STR_ARGS(name), row->brand), retired);
    put_relation(files, cui(drug, INGREDIENT), clinical, "RO", "has_ingredient");
    put_relation(files, clinical, cui(drug, INGREDIENT), "RO", "ingredient_of");
    put_relation(files, clinical, branded, "RO", "tradename_of");
    put_relation(files, branded, clinical, "RO", "has_tradename");
    put_relation(files, cui(drug, FORM), clinical, "RO", "has_dose_form");
    put_attribute(files, clinical, "RXN_STRENGTH", row->strengths[strength]);
    char ndc[16];
    snprintf(ndc, sizeof ndc, "99999%04u%02u", (unsigned)drug, strength);
    put_attribute(files, clinical, "NDC", ndc);
}

/* From the release before to the one now: the last two drugs are new, the 100 MG tramadol tablet is withdrawn into the
 * 50 MG one. */
static void put_drug(struct ctx *cx, struct files *files, size_t drug, enum sample_release release)
{
    const struct sample_drug *row = &sample_drugs[drug];
    put_name(files, cui(drug, INGREDIENT), "IN", str_from(row->ingredient), false);
    put_name(files, cui(drug, BRAND), "BN", str_from(row->brand), false);
    put_name(files, cui(drug, FORM), "DF", str_from(row->form), false);
    put_relation(files, cui(drug, INGREDIENT), cui(drug, BRAND), "RO", "tradename_of");
    for (unsigned strength = 0; strength < 3 && row->strengths[strength]; strength++) {
        bool retired = release == SAMPLE_NOW && strcmp(row->ingredient, "tramadol") == 0 && strength == 1;
        if (retired) /* CUI1|VER_START|VER_END|CARDINALITY|CUI2| */
            buf_printf(&files->history, "%u|2025AA|2026AA|1|%u|\n", sample_rxcui(drug, 1), sample_rxcui(drug, 0));
        else
            put_clinical(cx, files, drug, strength, false);
    }
}

static status write_release(struct ctx *cx, const char *dir, const char *folder, enum sample_release release)
{
    struct files files = {0};
    /* history of a number that was merged long ago, in both */
    buf_printf(&files.history, "%u|2024AA|2025AA|1|%u|\n", FIRST_CUI + 99999u, sample_rxcui(0, 0));
    size_t count = sample_drug_count - (release == SAMPLE_BEFORE ? 2 : 0);
    for (size_t drug = 0; drug < count; drug++)
        put_drug(cx, &files, drug, release);
    /* VCUI|RCUI|VSAB|RSAB|SON|SF|SVER|… 25 columns: where a reader finds the version */
    struct buf sources = {0};
    buf_printf(&sources,
               "|C9990001|RXNORM_%s|RXNORM|idem sample in RxNorm layout|RXNORM|%s|||||||0|%u|%u||||ENG|UTF-8|Y|Y|idem "
               "sample||\n",
               release == SAMPLE_BEFORE ? "20250106" : "20250707", release == SAMPLE_BEFORE ? "20250106" : "20250707",
               files.atoms, files.atoms);
    struct {
        const char *name;
        struct buf *bytes;
    } all[] = {{"RXNSAB.RRF", &sources},
               {"RXNCONSO.RRF", &files.names},
               {"RXNREL.RRF", &files.relations},
               {"RXNSAT.RRF", &files.attributes},
               {"RXNCUI.RRF", &files.history}};
    status done = STATUS_OK;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (done == STATUS_OK)
            done = sample_write(cx, dir, arena_printf(cx->arena, "codes/%srxnorm/rrf/%s", folder, all[i].name).data,
                                all[i].bytes);
        buf_fini(all[i].bytes);
    }
    return done;
}

status sample_write_rxnorm(struct ctx *cx, const char *dir)
{
    TRY(write_release(cx, dir, "before/", SAMPLE_BEFORE));
    return write_release(cx, dir, "", SAMPLE_NOW);
}
