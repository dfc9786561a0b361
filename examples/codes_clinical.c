/*
 * The SNOMED CT sample: a small invented hierarchy in RF2. Identifiers lie in namespace 9990001, which belongs to
 * nobody; only the metadata identifiers that RF2 readers look for (is-a, fully specified name, preferred …) are SNOMED
 * CT's own.
 */
#include "codes_internal.h"

#include "base/mem.h"

#include <stdio.h>

#define NAMESPACE "9990001"

static unsigned dihedral(unsigned left, unsigned right)
{
    if (left < 5)
        return right < 5 ? (left + right) % 5 : 5 + (left + right) % 5;
    return right < 5 ? 5 + (left - right) % 5 : (left - right + 5) % 5;
}

/* Verhoeff's check digit: the one that brings the sum in the dihedral group to 0. The permutation is applied position
 * by position. */
static char check_digit(const char *digits)
{
    static const uint8_t permutation[10] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
    size_t len = strlen(digits);
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)(digits[len - 1 - i] - '0');
        for (size_t turn = 0; turn < (i + 1) % 8; turn++)
            digit = permutation[digit];
        sum = dihedral(sum, digit);
    }
    for (unsigned digit = 0; digit < 10; digit++)
        if (dihedral(digit, sum) == 0 || dihedral(sum, digit) == 0)
            return (char)('0' + (sum >= 5 ? sum : (5 - sum) % 5));
    return '0';
}

void sample_sctid(uint32_t item, const char *partition, char out[24])
{
    char digits[24];
    snprintf(digits, sizeof digits, "%u" NAMESPACE "%.2s", item, partition);
    snprintf(out, 24, "%.22s%c", digits, check_digit(digits));
}

/* ---- what there is ---- */

enum {
    ROOT = 1,
    MODULE,
    ICD_MAP,
    LOCAL_MAP,
    SITE,
    ALIKE,
    FINDING = 11,
    PROCEDURE,
    BODY,
    SUBSTANCE,
    PARTS = 21,
    KINDS = 51,
    ACTS = 71,
    FINDINGS = 101,
    PROCEDURES = 401,
    SUBSTANCES = 601
};

static const char *const parts[] = {
    "head",  "neck", "shoulder", "elbow", "wrist", "hand", "chest", "back",   "abdomen", "hip",
    "thigh", "knee", "ankle",    "foot",  "ear",   "eye",  "nose",  "throat", "skin",    "scalp",
};
static const char *const kinds[] = {"Pain",      "Swelling", "Injury",   "Infection",
                                    "Stiffness", "Numbness", "Bleeding", "Rash"};
static const char *const acts[] = {"Examination", "Imaging", "Dressing", "Repair"};
static const char *const substances[] = {"peanut", "penicillin", "latex",          "egg",       "shellfish", "pollen",
                                         "dust",   "aspirin",    "contrast agent", "bee venom", "soy",       "milk",
                                         "wheat",  "iodine",     "nickel",         "codeine"};
enum {
    PART_COUNT = sizeof parts / sizeof parts[0],
    KIND_COUNT = sizeof kinds / sizeof kinds[0],
    ACT_COUNT = sizeof acts / sizeof acts[0],
    SUBSTANCE_COUNT = sizeof substances / sizeof substances[0]
};

const size_t sample_finding_count = (size_t)PART_COUNT * KIND_COUNT;
const size_t sample_procedure_count = (size_t)PART_COUNT * ACT_COUNT;
const size_t sample_substance_count = SUBSTANCE_COUNT;

uint32_t sample_finding_item(size_t n)
{
    return (uint32_t)(FINDINGS + n);
}

uint32_t sample_procedure_item(size_t n)
{
    return (uint32_t)(PROCEDURES + n);
}

uint32_t sample_substance_item(size_t n)
{
    return (uint32_t)(SUBSTANCES + n);
}

struct str sample_finding_name(struct arena *arena, size_t n)
{
    return arena_printf(arena, "%s of %s", kinds[n % KIND_COUNT], parts[n / KIND_COUNT]);
}

struct str sample_procedure_name(struct arena *arena, size_t n)
{
    return arena_printf(arena, "%s of %s", acts[n % ACT_COUNT], parts[n / ACT_COUNT]);
}

const char *sample_substance_name(size_t n)
{
    return substances[n];
}

/* ---- RF2 ---- */

#define DAY_BEFORE "20250101"
#define DAY_NOW    "20250701"

struct files {
    struct buf concepts, descriptions, relationships, language, associations, extended_map, simple_map;
    uint32_t relationship_items, members;
    enum sample_release release;
    char module[24];
};

static void put_member(struct files *files, struct buf *out, const char *refset, const char *component)
{
    buf_printf(out, "9990001a-0000-4000-8000-%012u\t%s\t1\t%s\t%s\t%s", ++files->members, DAY_BEFORE, files->module,
               refset, component);
}

static void put_description(struct files *files, const char *concept, uint32_t item, const char *type, const char *term)
{
    char id[24];
    sample_sctid(item, "11", id);
    buf_printf(&files->descriptions, "%s\t%s\t1\t%s\t%s\ten\t%s\t%s\t900000000000448009\r\n", id, DAY_BEFORE,
               files->module, concept, type, term);
    put_member(files, &files->language, "900000000000509007", id);
    buf_printf(&files->language, "\t900000000000548007\r\n");
}

static void put_concept(struct ctx *cx, struct files *files, uint32_t item, struct str name, const char *tag,
                        bool active)
{
    char id[24];
    sample_sctid(item, "10", id);
    buf_printf(&files->concepts, "%s\t%s\t%d\t%s\t900000000000074008\r\n", id, active ? DAY_BEFORE : DAY_NOW, active,
               files->module);
    put_description(files, id, item * 10 + 1, "900000000000003001",
                    arena_printf(cx->arena, "%.*s (%s)", STR_ARGS(name), tag).data);
    put_description(files, id, item * 10 + 2, "900000000000013009", arena_str(cx->arena, name).data);
}

static void put_relation(struct files *files, uint32_t from, const char *type, uint32_t to)
{
    char id[24], source[24], target[24];
    sample_sctid(++files->relationship_items, "12", id);
    sample_sctid(from, "10", source);
    sample_sctid(to, "10", target);
    buf_printf(&files->relationships, "%s\t%s\t1\t%s\t%s\t%s\t0\t%s\t900000000000011006\t900000000000451002\r\n", id,
               DAY_BEFORE, files->module, source, target, type);
}

static void put_child(struct ctx *cx, struct files *files, uint32_t item, struct str name, const char *tag,
                      uint32_t parent)
{
    put_concept(cx, files, item, name, tag, true);
    put_relation(files, item, "116680003", parent);
}

static void put_site(struct files *files, uint32_t item, uint32_t part)
{
    char attribute[24];
    sample_sctid(SITE, "10", attribute);
    put_relation(files, item, attribute, part);
}

static void put_top(struct ctx *cx, struct files *files)
{
    static const struct {
        uint32_t item;
        const char *name, *tag;
    } tops[] = {
        {MODULE, "Sample module", "core metadata concept"},
        {ICD_MAP, "Sample map to ICD-10-CM", "foundation metadata concept"},
        {LOCAL_MAP, "Sample map to local codes", "foundation metadata concept"},
        {SITE, "Sample site", "attribute"},
        {FINDING, "Sample finding", "finding"},
        {PROCEDURE, "Sample procedure", "procedure"},
        {BODY, "Sample body structure", "body structure"},
        {SUBSTANCE, "Sample substance", "substance"},
    };
    put_concept(cx, files, ROOT, STR("Sample concept"), "sample concept", true);
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++)
        put_child(cx, files, tops[i].item, str_from(tops[i].name), tops[i].tag, ROOT);
    for (uint32_t i = 0; i < PART_COUNT; i++)
        put_child(cx, files, PARTS + i, arena_printf(cx->arena, "Structure of %s", parts[i]), "body structure", BODY);
    for (uint32_t i = 0; i < KIND_COUNT; i++)
        put_child(cx, files, KINDS + i, str_from(kinds[i]), "finding", FINDING);
    for (uint32_t i = 0; i < ACT_COUNT; i++)
        put_child(cx, files, ACTS + i, str_from(acts[i]), "procedure", PROCEDURE);
    for (uint32_t i = 0; i < SUBSTANCE_COUNT; i++)
        put_child(cx, files, SUBSTANCES + i, str_from(substances[i]), "substance", SUBSTANCE);
}

/* "Rash of scalp" is retired now and replaced by "Rash of skin"; the last procedure is new now. */
static bool is_retired(const struct files *files, size_t finding)
{
    return files->release == SAMPLE_NOW && finding + 1 == sample_finding_count;
}

static void put_findings(struct ctx *cx, struct files *files)
{
    for (size_t n = 0; n < sample_finding_count; n++) {
        uint32_t item = sample_finding_item(n), part = PARTS + (uint32_t)(n / KIND_COUNT);
        put_concept(cx, files, item, sample_finding_name(cx->arena, n), "finding", !is_retired(files, n));
        if (is_retired(files, n)) {
            char old[24], now[24];
            sample_sctid(item, "10", old);
            sample_sctid(item - KIND_COUNT, "10", now);
            put_member(files, &files->associations, "900000000000526001", old);
            buf_printf(&files->associations, "\t%s\r\n", now);
            continue;
        }
        put_relation(files, item, "116680003", KINDS + (uint32_t)(n % KIND_COUNT));
        put_site(files, item, part);
    }
    size_t procedures = sample_procedure_count - (files->release == SAMPLE_BEFORE);
    for (size_t n = 0; n < procedures; n++) {
        uint32_t item = sample_procedure_item(n);
        put_child(cx, files, item, sample_procedure_name(cx->arena, n), "procedure", ACTS + (uint32_t)(n % ACT_COUNT));
        put_site(files, item, PARTS + (uint32_t)(n / ACT_COUNT));
    }
}

/* Findings that have an ICD-10-CM code in our sample; and some that a local system knows by a number. */
static void put_maps(struct files *files)
{
    static const struct {
        const char *kind, *part, *target;
    } rows[] = {
        {"Pain", "head", "R51.9"},        {"Pain", "chest", "R07.9"},     {"Pain", "abdomen", "R10.9"},
        {"Pain", "back", "M54.50"},       {"Pain", "knee", "M25.569"},    {"Infection", "skin", "L03.90"},
        {"Infection", "throat", "J02.9"}, {"Infection", "ear", "H66.90"},
    };
    char icd_map[24], local_map[24], id[24];
    sample_sctid(ICD_MAP, "10", icd_map);
    sample_sctid(LOCAL_MAP, "10", local_map);
    for (size_t n = 0; n < sample_finding_count; n++) {
        sample_sctid(sample_finding_item(n), "10", id);
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
            if (strcmp(rows[r].kind, kinds[n % KIND_COUNT]) != 0 || strcmp(rows[r].part, parts[n / KIND_COUNT]) != 0)
                continue;
            put_member(files, &files->extended_map, icd_map, id);
            buf_printf(&files->extended_map, "\t1\t1\tTRUE\tALWAYS %s\t%s\t447561005\t447637006\r\n", rows[r].target,
                       rows[r].target);
        }
        if (n % 8 == 0) {
            put_member(files, &files->simple_map, local_map, id);
            buf_printf(&files->simple_map, "\tF%03zu\r\n", n);
        }
    }
}

#define COMMON "id\teffectiveTime\tactive\tmoduleId\t"

static status write_files(struct ctx *cx, struct files *files, const char *dir, const char *folder, const char *day)
{
    struct {
        const char *path, *header;
        struct buf *rows;
    } all[] = {
        {"Terminology/sct2_Concept_Snapshot_SMP9990001", "definitionStatusId", &files->concepts},
        {"Terminology/sct2_Description_Snapshot-en_SMP9990001",
         "conceptId\tlanguageCode\ttypeId\tterm\tcaseSignificanceId", &files->descriptions},
        {"Terminology/sct2_Relationship_Snapshot_SMP9990001",
         "sourceId\tdestinationId\trelationshipGroup\ttypeId\tcharacteristicTypeId\tmodifierId", &files->relationships},
        {"Refset/Language/der2_cRefset_LanguageSnapshot-en_SMP9990001",
         "refsetId\treferencedComponentId\tacceptabilityId", &files->language},
        {"Refset/Content/der2_cRefset_AssociationSnapshot_SMP9990001",
         "refsetId\treferencedComponentId\ttargetComponentId", &files->associations},
        {"Refset/Map/der2_iisssccRefset_ExtendedMapSnapshot_SMP9990001",
         "refsetId\treferencedComponentId\tmapGroup\tmapPriority\tmapRule\tmapAdvice\tmapTarget\tcorrelationId\tmapCate"
         "goryId",
         &files->extended_map},
        {"Refset/Map/der2_sRefset_SimpleMapSnapshot_SMP9990001", "refsetId\treferencedComponentId\tmapTarget",
         &files->simple_map},
    };
    status done = STATUS_OK;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        SCOPED(buf_fini) struct buf out = {0};
        buf_printf(&out, COMMON "%s\r\n", all[i].header);
        buf_put_str(&out, buf_str(all[i].rows));
        if (done == STATUS_OK)
            done = sample_write(
                cx, dir, arena_printf(cx->arena, "codes/%ssnomed/Snapshot/%s_%s.txt", folder, all[i].path, day).data,
                &out);
        buf_fini(all[i].rows);
    }
    return done;
}

static status write_release(struct ctx *cx, const char *dir, const char *folder, const char *day,
                            enum sample_release release)
{
    struct files files = {.release = release};
    sample_sctid(MODULE, "10", files.module);
    put_top(cx, &files);
    put_findings(cx, &files);
    put_maps(&files);
    return write_files(cx, &files, dir, folder, day);
}

status sample_write_snomed(struct ctx *cx, const char *dir)
{
    TRY(write_release(cx, dir, "before/", DAY_BEFORE, SAMPLE_BEFORE));
    return write_release(cx, dir, "", DAY_NOW, SAMPLE_NOW);
}
