/*
 * SNOMED CT snapshot in RF2 [RF2 4.2]: concepts, descriptions, relationships, concrete values, language, association
 * and map refsets. Tab-separated, no quoting, CR LF. Files may be several per kind (languages, extensions); rows may
 * come in any order.
 */
#include "load.h"

#include "base/date.h"
#include "base/mem.h"
#include "terminology/shape.h"

#include <stdlib.h>

#define IS_A       "116680003"
#define STATED     "900000000000010007"
#define FSN        "900000000000003001"
#define SYNONYM    "900000000000013009"
#define PREFERRED  "900000000000548007"
#define US_ENGLISH "900000000000509007"

/* Association refsets by what they say. [RF2 5.2.5] Same-as and replaced-by name the one code to use instead. */
static const struct {
    const char *refset, *property;
} associations[] = {
    {"900000000000526001", "replaced-by"},      {"900000000000527005", "replaced-by"},
    {"900000000000523009", "possibly-same-as"}, {"1186921001", "possibly-replaced-by"},
    {"900000000000530003", "alternative"},      {"900000000000528000", "was-a"},
    {"1186924009", "partially-same-as"},        {"900000000000524003", "moved-to"},
};

struct snomed {
    struct load *load;
    VEC(uint64_t) preferred_us;  /* ids of descriptions preferred in US English; sorted before use */
    VEC(uint64_t) preferred_any; /* in any other language refset */
    VEC(uint8_t) shown;          /* rank of the display of each concept; 0 = none yet, higher is better */
    uint32_t today;              /* yyyymmdd of the load */
};

enum { ID, EFFECTIVE, ACTIVE, MODULE, A, B, C, D, E, F }; /* the first four columns of every RF2 file, then its own */
enum { RF2_COMMON = 4 };

typedef void rf2_row_fn(struct snomed *snomed, struct table *table);

struct rf2_kind {
    enum release_role role;
    const char *columns[TABLE_COLUMNS_MAX];
    size_t count;
    rf2_row_fn *row;
};

static void fault(struct table *table, enum load_severity severity, const char *rule, const char *what)
{
    load_finding(table->load, severity, table->file->name, table_line(table), rule, "%s", what);
}

static bool sctid(struct table *table, size_t column)
{
    if (shape_is_sctid(table_field(table, column)))
        return true;
    load_finding(table->load, LOAD_FATAL, table->file->name, table_line(table), "rf2.sctid",
                 "column %d is not an SCTID: 6 to 18 digits with the right check digit", table->places[column] + 1);
    return false;
}

/* Columns 1 to 4. False: the row cannot be used. */
static bool common_sound(struct snomed *snomed, struct table *table)
{
    struct str active = table_field(table, ACTIVE), effective = table_field(table, EFFECTIVE);
    struct date date;
    uint64_t day;
    if (active.len != 1 || (active.data[0] != '0' && active.data[0] != '1')) {
        fault(table, LOAD_FATAL, "rf2.active", "active is neither 0 nor 1");
        return false;
    }
    if (effective.len != 8 || !str_to_u64(effective, &day) || !date_parse(effective, &date))
        fault(table, LOAD_WARNING, "rf2.effective-time", "effectiveTime is not a day");
    else if (day > snomed->today)
        fault(table, LOAD_WARNING, "rf2.effective-time", "effectiveTime lies in the future");
    if (!shape_is_sctid(table_field(table, MODULE)))
        fault(table, LOAD_WARNING, "rf2.module", "moduleId is not an SCTID"); /* nothing here depends on it */
    return true;
}

static bool is_active(const struct table *table)
{
    return table_field(table, ACTIVE).data[0] == '1';
}

/* The handle of a concept named by a row, or PACK_NONE with a finding. */
static uint32_t known(struct snomed *snomed, struct table *table, size_t column)
{
    uint32_t concept = pack_builder_find(snomed->load->builder, table_field(table, column));
    if (concept == PACK_NONE)
        load_finding(snomed->load, LOAD_WARNING, table->file->name, table_line(table), "rf2.unknown-concept",
                     "column %d names a concept that the release does not have; the row is left out",
                     table->places[column] + 1);
    return concept;
}

static void add_concept(struct snomed *snomed, struct table *table)
{
    struct load *load = snomed->load;
    if (!shape_is_sctid_concept(table_field(table, ID))) {
        fault(table, LOAD_FATAL, "rf2.sctid", "id is not the SCTID of a concept");
        return;
    }
    bool added = false;
    uint32_t concept = pack_builder_concept(load->builder, table_field(table, ID), &added);
    if (concept == PACK_NONE)
        return;
    if (!added) {
        fault(table, LOAD_FATAL, "rf2.duplicate",
              "a concept that came before: this is not a snapshot, or two releases are mixed");
        return;
    }
    *VEC_ADD(&snomed->shown) = 0;
    pack_builder_flags(load->builder, concept, is_active(table) ? 0 : PACK_INACTIVE);
    if (str_is(table_field(table, A), "900000000000073002"))
        pack_builder_property(load->builder, concept, STR("definition-status"), STR("defined"));
}

static void add_language(struct snomed *snomed, struct table *table)
{
    uint64_t description;
    if (!sctid(table, B) || !is_active(table) || !str_is(table_field(table, C), PREFERRED) ||
        !str_to_u64(table_field(table, B), &description))
        return;
    if (str_is(table_field(table, A), US_ENGLISH))
        *VEC_ADD(&snomed->preferred_us) = description;
    else
        *VEC_ADD(&snomed->preferred_any) = description;
}

static int by_id(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void sort_languages(struct snomed *snomed)
{
    if (snomed->preferred_us.count)
        qsort(snomed->preferred_us.at, snomed->preferred_us.count, sizeof(uint64_t), by_id);
    if (snomed->preferred_any.count)
        qsort(snomed->preferred_any.at, snomed->preferred_any.count, sizeof(uint64_t), by_id);
}

static bool holds(const uint64_t *ids, size_t count, uint64_t id)
{
    return count > 0 && bsearch(&id, ids, count, sizeof *ids, by_id) != NULL;
}

/* Which name a concept shows: the synonym preferred in US English, preferred anywhere, any synonym, the full name. */
static uint8_t rank_of(const struct snomed *snomed, struct str id, struct str type)
{
    uint64_t number = 0;
    if (str_is(type, FSN))
        return 1;
    if (!str_is(type, SYNONYM) || !str_to_u64(id, &number))
        return 0;
    if (holds(snomed->preferred_us.at, snomed->preferred_us.count, number))
        return 4;
    return holds(snomed->preferred_any.at, snomed->preferred_any.count, number) ? 3 : 2;
}

static void add_description(struct snomed *snomed, struct table *table)
{
    struct load *load = snomed->load;
    struct str text = table_field(table, D), type = table_field(table, C);
    if (!sctid(table, ID) || !sctid(table, A) || !is_active(table))
        return;
    if (text.len == 0) {
        fault(table, LOAD_FATAL, "rf2.term", "a description without text");
        return;
    }
    uint32_t concept = known(snomed, table, A);
    if (concept == PACK_NONE)
        return;
    uint8_t rank = rank_of(snomed, table_field(table, ID), type);
    if (rank > snomed->shown.at[concept]) {
        snomed->shown.at[concept] = rank;
        pack_builder_display(load->builder, concept, text);
    }
    struct str use = rank == 1   ? STR("fsn")
                     : rank >= 3 ? STR("preferred")
                     : rank == 2 ? STR("synonym")
                                 : STR("definition");
    pack_builder_designation(load->builder, concept, table_field(table, B), use, text);
}

static void add_relationship(struct snomed *snomed, struct table *table)
{
    struct load *load = snomed->load;
    bool sound = sctid(table, ID) && sctid(table, A) && sctid(table, B) && sctid(table, D) && sctid(table, E);
    if (!sound || !is_active(table) || str_is(table_field(table, E), STATED))
        return;
    if (str_is(table_field(table, D), IS_A) && str_eq(table_field(table, A), table_field(table, B))) {
        fault(table, LOAD_FATAL, "rf2.is-a-itself", "a concept that is-a itself");
        return;
    }
    uint32_t source = known(snomed, table, A);
    if (source == PACK_NONE)
        return;
    if (!str_is(table_field(table, D), IS_A)) {
        pack_builder_property(load->builder, source, table_field(table, D), table_field(table, B));
        return;
    }
    uint32_t target = known(snomed, table, B);
    if (target != PACK_NONE)
        pack_builder_parent(load->builder, source, target);
}

static void add_concrete(struct snomed *snomed, struct table *table)
{
    if (!sctid(table, A) || !sctid(table, D) || !is_active(table))
        return;
    uint32_t source = known(snomed, table, A);
    if (source != PACK_NONE)
        pack_builder_property(snomed->load->builder, source, table_field(table, D), table_field(table, B));
}

static void add_association(struct snomed *snomed, struct table *table)
{
    if (!sctid(table, A) || !sctid(table, B) || !sctid(table, C) || !is_active(table) ||
        !shape_is_sctid_concept(table_field(table, B)))
        return; /* associations of descriptions say nothing about codes */
    uint32_t concept = known(snomed, table, B);
    if (concept == PACK_NONE)
        return;
    struct str name = table_field(table, A);
    for (size_t i = 0; i < sizeof associations / sizeof associations[0]; i++)
        if (str_is(table_field(table, A), associations[i].refset))
            name = str_from(associations[i].property);
    pack_builder_property(snomed->load->builder, concept, name, table_field(table, C));
}

/* "map:447562003" = "S80.8", or "2.1 IFA 445518008 | … => S80.8" where a rule decides. */
static void add_map(struct snomed *snomed, struct table *table)
{
    struct str target = table_field(table, C), rule = table_field(table, F);
    if (!sctid(table, A) || !sctid(table, B) || !is_active(table) || target.len == 0)
        return;
    uint32_t concept = known(snomed, table, B);
    if (concept == PACK_NONE)
        return;
    struct arena *arena = &table->scratch;
    struct str name = arena_printf(arena, "map:%.*s", STR_ARGS(table_field(table, A)));
    if (rule.len > 0 && !(str_is(rule, "TRUE") && str_is(table_field(table, D), "1")))
        target = arena_printf(arena, "%.*s.%.*s %.*s => %.*s", STR_ARGS(table_field(table, D)),
                              STR_ARGS(table_field(table, E)), STR_ARGS(rule), STR_ARGS(target));
    pack_builder_property(snomed->load->builder, concept, name, target);
}

#define COMMON "id", "effectiveTime", "active", "moduleId"
static const struct rf2_kind kinds[] = {
    /* in the order they must be read */
    {ROLE_RF2_CONCEPT, {COMMON, "definitionStatusId"}, 5, add_concept},
    {ROLE_RF2_LANGUAGE, {COMMON, "refsetId", "referencedComponentId", "acceptabilityId"}, 7, add_language},
    {ROLE_RF2_DESCRIPTION,
     {COMMON, "conceptId", "languageCode", "typeId", "term", "caseSignificanceId"},
     9,
     add_description},
    {ROLE_RF2_RELATIONSHIP,
     {COMMON, "sourceId", "destinationId", "relationshipGroup", "typeId", "characteristicTypeId", "modifierId"},
     10,
     add_relationship},
    {ROLE_RF2_CONCRETE,
     {COMMON, "sourceId", "value", "relationshipGroup", "typeId", "characteristicTypeId", "modifierId"},
     10,
     add_concrete},
    {ROLE_RF2_ASSOCIATION, {COMMON, "refsetId", "referencedComponentId", "targetComponentId"}, 7, add_association},
    {ROLE_RF2_MAP,
     {COMMON, "refsetId", "referencedComponentId", "mapTarget", "mapGroup", "mapPriority", "mapRule"},
     7,
     add_map},
};
enum { MAP_COLUMNS_ALL = 10 };

static void warn_about_line_ends(struct table *table)
{
    const char *end = memchr(table->bytes.data ? table->bytes.data : "", '\n', table->bytes.len);
    if (end && (end == table->bytes.data || end[-1] != '\r'))
        load_finding(table->load, LOAD_WARNING, table->file->name, 1, "rf2.line-end",
                     "lines end in LF alone; RF2 ends them in CR LF");
}

static void read_file(struct snomed *snomed, const struct rf2_kind *kind, const struct release_file *file)
{
    struct load *load = snomed->load;
    struct table *table = mem_alloc(sizeof *table);
    if (table_open(load, file, '\t', false, "rf2", table)) {
        warn_about_line_ends(table);
        table->may_lack = kind->role == ROLE_RF2_DESCRIPTION; /* caseSignificanceId */
        size_t asked = kind->role == ROLE_RF2_MAP ? MAP_COLUMNS_ALL : kind->count;
        if (table_header(table, kind->columns, kind->count, asked))
            while (table_next(table))
                if (common_sound(snomed, table))
                    kind->row(snomed, table);
        table_close(table);
    }
    mem_free(table);
}

/* The release date at the end of the concept file's name: sct2_Concept_Snapshot_INT_20260101.txt [RF2 3.3]. */
static struct str date_in_name(struct str name)
{
    for (size_t i = name.len; i >= 8; i--) {
        struct str eight = str_sub(name, i - 8, 8);
        uint64_t number;
        struct date date;
        if (str_to_u64(eight, &number) && date_parse(eight, &date))
            return eight;
    }
    return STR_NONE;
}

static uint32_t day_of(int64_t now_us)
{
    struct date date = date_from_days((int32_t)(now_us / (86400 * INT64_C(1000000))));
    return (uint32_t)date.year * 10000 + date.month * 100u + date.day;
}

void load_snomed(struct load *load, const struct release *release)
{
    const struct release_file *concepts = release_file(release, ROLE_RF2_CONCEPT);
    if (concepts == NULL)
        load_finding(load, LOAD_FATAL, STR(""), 0, "rf2.concepts-missing",
                     "no file of concepts (id, effectiveTime, active, moduleId, definitionStatusId)");
    struct snomed snomed = {.load = load, .today = day_of(load->cx->now_us)};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t i = 0; i < release->files.count && !load->cancelled; i++)
            if (release->files.at[i].role == kinds[k].role)
                read_file(&snomed, &kinds[k], &release->files.at[i]);
        if (kinds[k].role == ROLE_RF2_LANGUAGE)
            sort_languages(&snomed);
    }
    VEC_FINI(&snomed.preferred_us);
    VEC_FINI(&snomed.preferred_any);
    VEC_FINI(&snomed.shown);
    if (concepts)
        load_settle_version(load, concepts->name, date_in_name(concepts->name), "rf2.version");
}
