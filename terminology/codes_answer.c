/* What a code means: lookup, details, validity, is-a. */
#include "codes_internal.h"

/* One release and its pack. */
struct answering {
    const struct codes_release *release;
    const struct pack *pack;
};

static status find_active(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system,
                          struct answering *out)
{
    ptrdiff_t active = codes_active_index(snapshot, system);
    if (active < 0)
        return ctx_fail(cx, &codes_reasons[CODES_SYSTEM_NOT_FOUND], NULL);
    *out = (struct answering){&snapshot->releases[active], codes_active_pack(snapshot, (size_t)active)};
    return STATUS_OK;
}

/* The release asked for, or the active one. */
static status find_release(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system,
                           uint64_t release_id, struct answering *out)
{
    if (release_id == 0)
        return find_active(snapshot, cx, system, out);
    ptrdiff_t index = codes_release_index(snapshot, release_id);
    if (index < 0)
        return ctx_fail(cx, &codes_reasons[CODES_RELEASE_UNKNOWN], "id %llu", (unsigned long long)release_id);
    struct answering found = {.release = &snapshot->releases[index]};
    TRY(codes_pack_of(snapshot, cx, (size_t)index, &found.pack));
    *out = found;
    return STATUS_OK;
}

static status find_concept(const struct answering *from, struct ctx *cx, struct str code, uint32_t *out_concept)
{
    if (pack_find(from->pack, code, out_concept))
        return STATUS_OK;
    return ctx_fail(cx, &codes_reasons[CODES_CODE_NOT_FOUND], "%.*s version %.*s", STR_ARGS(from->release->system),
                    STR_ARGS(from->release->version));
}

static struct codes_concept concept_of(const struct answering *from, uint32_t concept)
{
    struct pack_concept held = pack_concept_at(from->pack, concept);
    return (struct codes_concept){
        .system = from->release->system,
        .version = from->release->version,
        .code = held.code,
        .display = held.display,
        .active = held.active,
        .billable = !held.header,
    };
}

status codes_lookup(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                    uint64_t release_id, struct codes_concept *out_concept)
{
    struct answering from = {0};
    uint32_t concept = 0;
    TRY(find_release(snapshot, cx, system, release_id, &from));
    TRY(find_concept(&from, cx, code, &concept));
    *out_concept = concept_of(&from, concept);
    return STATUS_OK;
}

status codes_details(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str code,
                     uint64_t release_id, struct codes_designation **out_designations, size_t *out_designation_count,
                     struct codes_property **out_properties, size_t *out_property_count)
{
    struct answering from = {0};
    uint32_t concept = 0;
    TRY(find_release(snapshot, cx, system, release_id, &from));
    TRY(find_concept(&from, cx, code, &concept));
    const struct pack *pack = from.pack;

    struct pack_range names = pack_designations(pack, concept);
    struct codes_designation *designations = arena_array(cx->arena, names.count + 1, sizeof *designations);
    for (uint32_t i = 0; i < names.count; i++) {
        struct pack_designation held = pack_designation_at(pack, names.first + i);
        designations[i] = (struct codes_designation){held.language, held.use, held.text};
    }

    struct pack_range parents = pack_parents(pack, concept), rows = pack_properties(pack, concept);
    struct codes_property *properties =
        arena_array(cx->arena, (size_t)parents.count + rows.count + 1, sizeof *properties);
    size_t count = 0;
    for (uint32_t i = 0; i < parents.count; i++) {
        struct pack_concept parent = pack_concept_at(pack, pack_parent_at(pack, parents.first + i));
        properties[count++] = (struct codes_property){STR("parent"), parent.code};
    }
    for (uint32_t i = 0; i < rows.count; i++) {
        struct pack_property held = pack_property_at(pack, rows.first + i);
        properties[count++] = (struct codes_property){held.name, held.value};
    }
    *out_designations = designations;
    *out_designation_count = names.count;
    *out_properties = properties;
    *out_property_count = count;
    return STATUS_OK;
}

const char *codes_validity_name(enum codes_validity validity)
{
    static const char *const names[] = {
        [CODES_VALID] = "valid",
        [CODES_INACTIVE] = "inactive",
        [CODES_HEADER] = "header",
        [CODES_CODE_UNKNOWN] = "code-unknown",
        [CODES_SYSTEM_UNKNOWN] = "system-unknown",
    };
    return names[validity];
}

bool codes_display_known(const struct pack *pack, uint32_t concept, struct str display)
{
    display = str_trim(display);
    if (str_eq_nocase(display, str_trim(pack_concept_at(pack, concept).display)))
        return true;
    struct pack_range names = pack_designations(pack, concept);
    for (uint32_t i = 0; i < names.count; i++)
        if (str_eq_nocase(display, str_trim(pack_designation_at(pack, names.first + i).text)))
            return true;
    return false;
}

/* "replaced-by" when there is exactly one: with several, choosing is a person's work. */
static struct str only_replacement(const struct pack *pack, uint32_t concept)
{
    struct pack_range rows = pack_properties(pack, concept);
    struct str found = STR_NONE;
    for (uint32_t i = 0; i < rows.count; i++) {
        struct pack_property held = pack_property_at(pack, rows.first + i);
        if (!str_is(held.name, "replaced-by"))
            continue;
        if (found.len > 0 && !str_eq(found, held.value))
            return STR_NONE;
        found = held.value;
    }
    return found;
}

struct codes_verdict codes_judge(const struct codes_snapshot *snapshot, size_t release, struct str code,
                                 struct str display)
{
    struct answering from = {&snapshot->releases[release], codes_active_pack(snapshot, release)};
    const struct pack *pack = from.pack;
    struct codes_verdict verdict = {.validity = CODES_CODE_UNKNOWN};
    uint32_t concept = 0;
    if (!pack_find(pack, code, &concept))
        return verdict;
    verdict.concept = concept_of(&from, concept);
    verdict.validity = !verdict.concept.active     ? CODES_INACTIVE
                       : !verdict.concept.billable ? CODES_HEADER
                                                   : CODES_VALID;
    verdict.display_differs = display.len > 0 && !codes_display_known(pack, concept, display);
    if (verdict.validity == CODES_INACTIVE)
        verdict.replacement = only_replacement(pack, concept);
    return verdict;
}

struct codes_verdict codes_validate(const struct codes_snapshot *snapshot, struct str system, struct str code,
                                    struct str display)
{
    ptrdiff_t release = codes_active_index(snapshot, system);
    if (release < 0)
        return (struct codes_verdict){.validity = CODES_SYSTEM_UNKNOWN};
    return codes_judge(snapshot, (size_t)release, code, display);
}

status codes_subsumes(const struct codes_snapshot *snapshot, struct ctx *cx, struct str system, struct str ancestor,
                      struct str code, bool *out_subsumes)
{
    struct answering from = {0};
    uint32_t above = 0, below = 0;
    TRY(find_active(snapshot, cx, system, &from));
    if (!pack_has_hierarchy(from.pack))
        return ctx_fail(cx, &codes_reasons[CODES_NO_HIERARCHY], "%.*s", STR_ARGS(from.release->system));
    TRY(find_concept(&from, cx, ancestor, &above));
    TRY(find_concept(&from, cx, code, &below));
    *out_subsumes = pack_is_a(from.pack, below, above);
    return STATUS_OK;
}
