/*
 * RxNorm full or prescribable release in Rich Release Format: pipe-separated, no header, a pipe at the end of each row.
 * Source: RxNorm technical documentation, sections 11 (RXNCONSO, RXNREL, RXNSAT, RXNCUI, RXNSAB). Only rows of the
 * source RXNORM are read: they are the normal form, and public domain.
 */
#include "load.h"

#include "base/mem.h"
#include "terminology/shape.h"

enum { CONSO_RXCUI = 0, CONSO_SAB = 11, CONSO_TTY = 12, CONSO_STR = 14, CONSO_SUPPRESS = 16, CONSO_COLUMNS = 18 };
enum { REL_RXCUI1 = 0, REL_RXCUI2 = 4, REL_RELA = 7, REL_SAB = 10, REL_SUPPRESS = 14, REL_COLUMNS = 16 };
enum { SAT_RXCUI = 0, SAT_ATN = 8, SAT_SAB = 9, SAT_ATV = 10, SAT_SUPPRESS = 11, SAT_COLUMNS = 13 };
enum { CUI_FROM = 0, CUI_CARDINALITY = 3, CUI_TO = 4, CUI_COLUMNS = 5 };
enum { SAB_VSAB = 2, SAB_RSAB = 3, SAB_SVER = 6, SAB_COLUMNS = 24 };

/* The term type that names a concept best, best first; synonyms last. */
static const char *const tty_order[] = {"IN",    "MIN",  "PIN",  "BN",   "SCD",  "SBD",  "GPCK",  "BPCK",
                                        "SCDC",  "SBDC", "SCDF", "SBDF", "SCDG", "SBDG", "SCDFP", "SBDFP",
                                        "SCDGP", "DF",   "DFG",  "PSN",  "SY",   "TMSY", "ET"};
enum { TTY_COUNT = sizeof tty_order / sizeof tty_order[0], TTY_SYNONYMS = 19 };

/* Relations worth keeping: "the second concept RELA the first". */
static const char *const kept_relations[] = {"has_ingredient",     "has_ingredients", "has_precise_ingredient",
                                             "has_part",           "tradename_of",    "consists_of",
                                             "contains",           "has_dose_form",   "isa",
                                             "quantified_form_of", "form_of",         "has_doseformgroup"};

static const struct {
    const char *attribute, *property;
} kept_attributes[] = {{"NDC", "ndc"}, {"RXN_AVAILABLE_STRENGTH", "available-strength"}, {"RXN_STRENGTH", "strength"}};

typedef void row_fn(struct table *table, void *arg);

static struct str field(const struct table *table, size_t column)
{
    return column < table->csv.count ? table->csv.fields[column] : STR_NONE;
}

/* Every row of one file that has at least its columns. */
static void each_row(struct load *load, const struct release_file *file, size_t columns, row_fn *visit, void *arg)
{
    if (file == NULL || load->cancelled)
        return;
    struct table *table = mem_alloc(sizeof *table);
    if (table_open(load, file, '|', false, "rrf", table)) {
        while (table_next(table)) {
            if (table->csv.count < columns)
                load_finding(load, LOAD_FATAL, file->name, table_line(table), "rrf.columns",
                             "%zu columns, at least %zu belong", table->csv.count, columns);
            else
                visit(table, arg);
        }
        table_close(table);
    }
    mem_free(table);
}

static bool rxcui_sound(struct table *table, struct str rxcui)
{
    if (shape_is_rxcui(rxcui))
        return true;
    load_finding(table->load, LOAD_FATAL, table->file->name, table_line(table), "rrf.rxcui",
                 "an RXCUI that is not a number");
    return false;
}

static size_t tty_rank(struct str tty)
{
    for (size_t i = 0; i < TTY_COUNT; i++)
        if (str_is(tty, tty_order[i]))
            return i;
    return TTY_COUNT;
}

/* Per concept: the rank of the name it shows, and whether any of its names is in use. */
struct names {
    VEC(uint8_t) ranks;
    VEC(uint8_t) in_use;
};

static void add_name(struct table *table, void *arg)
{
    struct names *names = arg;
    struct load *load = table->load;
    struct str rxcui = field(table, CONSO_RXCUI), tty = field(table, CONSO_TTY), text = field(table, CONSO_STR);
    if (!rxcui_sound(table, rxcui) || !str_is(field(table, CONSO_SAB), "RXNORM"))
        return;
    if (text.len == 0 || tty.len == 0) {
        load_finding(load, LOAD_FATAL, table->file->name, table_line(table), "rrf.empty",
                     "a name without text or term type");
        return;
    }
    bool added = false;
    uint32_t concept = pack_builder_concept(load->builder, rxcui, &added);
    if (concept == PACK_NONE)
        return;
    if (added) {
        *VEC_ADD(&names->ranks) = UINT8_MAX;
        *VEC_ADD(&names->in_use) = 0;
    }
    size_t rank = tty_rank(tty);
    bool suppressed = !str_is(field(table, CONSO_SUPPRESS), "N") && field(table, CONSO_SUPPRESS).len > 0;
    if (!suppressed)
        names->in_use.at[concept] = 1;
    uint8_t shown =
        (uint8_t)(rank + (suppressed ? TTY_COUNT + 1 : 0)); /* a name in use is better than any that is not */
    if (shown < names->ranks.at[concept]) {
        names->ranks.at[concept] = shown;
        pack_builder_display(load->builder, concept, text);
    }
    char use[64];
    load_plain_name(tty, use);
    pack_builder_designation(load->builder, concept, STR("en"), str_from(use), text);
    if (rank < TTY_SYNONYMS && !suppressed)
        pack_builder_property(load->builder, concept, STR("tty"), tty);
}

static void add_relation(struct table *table, void *arg)
{
    (void)arg;
    struct load *load = table->load;
    struct str rela = field(table, REL_RELA), one = field(table, REL_RXCUI1), two = field(table, REL_RXCUI2);
    if (!str_is(field(table, REL_SAB), "RXNORM") || one.len == 0 || two.len == 0)
        return; /* relations between atoms carry no RXCUI */
    for (size_t i = 0; i < sizeof kept_relations / sizeof kept_relations[0]; i++) {
        if (!str_is(rela, kept_relations[i]))
            continue;
        if (!rxcui_sound(table, one) || !rxcui_sound(table, two))
            return;
        uint32_t concept = pack_builder_find(load->builder, two);
        if (concept == PACK_NONE)
            load_finding(load, LOAD_WARNING, table->file->name, table_line(table), "rrf.unknown",
                         "relates a concept that RXNCONSO does not have");
        else
            pack_builder_property(load->builder, concept, str_from(kept_relations[i]), one);
        return;
    }
}

static void add_attribute(struct table *table, void *arg)
{
    (void)arg;
    struct str atn = field(table, SAT_ATN);
    if (!str_is(field(table, SAT_SAB), "RXNORM") || str_is(field(table, SAT_SUPPRESS), "O"))
        return;
    for (size_t i = 0; i < sizeof kept_attributes / sizeof kept_attributes[0]; i++) {
        if (!str_is(atn, kept_attributes[i].attribute))
            continue;
        uint32_t concept = pack_builder_find(table->load->builder, field(table, SAT_RXCUI));
        if (concept != PACK_NONE)
            pack_builder_property(table->load->builder, concept, str_from(kept_attributes[i].property),
                                  field(table, SAT_ATV));
        return;
    }
}

/* History: a retired RXCUI and what it became. The retired one is in no other file. */
static void add_history(struct table *table, void *arg)
{
    struct names *names = arg;
    struct load *load = table->load;
    struct str from = field(table, CUI_FROM), to = field(table, CUI_TO);
    if (!rxcui_sound(table, from) || (to.len > 0 && !rxcui_sound(table, to)))
        return;
    bool added = false;
    uint32_t concept = pack_builder_concept(load->builder, from, &added);
    if (concept == PACK_NONE)
        return;
    if (added) {
        *VEC_ADD(&names->ranks) = UINT8_MAX;
        *VEC_ADD(&names->in_use) = 0;
    }
    if (to.len > 0 && !str_eq(from, to) && !names->in_use.at[concept])
        pack_builder_property(load->builder, concept, STR("replaced-by"), to);
}

static void find_version(struct table *table, void *arg)
{
    struct str *version = arg;
    if (!str_is(field(table, SAB_RSAB), "RXNORM"))
        return;
    struct str found = field(table, SAB_SVER).len ? field(table, SAB_SVER) : field(table, SAB_VSAB);
    *version = arena_str(table->load->cx->arena, found);
}

void load_rxnorm(struct load *load, const struct release *release)
{
    const struct release_file *conso = release_file(release, ROLE_RXNCONSO);
    if (conso == NULL) {
        load_finding(load, LOAD_FATAL, STR("RXNCONSO.RRF"), 0, "rrf.rxnconso-missing",
                     "the folder has no RXNCONSO.RRF, which holds the concepts and names; unpack the whole rrf folder");
        return;
    }
    struct names names = {0};
    each_row(load, conso, CONSO_COLUMNS, add_name, &names);
    each_row(load, release_file(release, ROLE_RXNREL), REL_COLUMNS, add_relation, NULL);
    each_row(load, release_file(release, ROLE_RXNSAT), SAT_COLUMNS, add_attribute, NULL);
    each_row(load, release_file(release, ROLE_RXNCUI), CUI_COLUMNS, add_history, &names);
    for (uint32_t i = 0; i < names.in_use.count; i++)
        pack_builder_flags(load->builder, i, names.in_use.at[i] ? 0 : PACK_INACTIVE);
    VEC_FINI(&names.ranks);
    VEC_FINI(&names.in_use);
    struct str version = STR_NONE;
    each_row(load, release_file(release, ROLE_RXNSAB), SAB_COLUMNS, find_version, &version);
    load_settle_version(load, conso->name, version, "rrf.version");
}
