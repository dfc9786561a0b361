#include "plan.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "hl7v2/text.h"

#include <inttypes.h>

/* What is gathered while one message is planned. */
struct planner {
    const struct plan_input *input;
    struct ctx *cx;
    VEC(struct hl7_edit) edits; /* of the route being planned */
    VEC(const char *) whys;     /* of each edit */
    VEC(struct engine_code) codes;
    VEC(enum codes_outcome) outcomes;
    VEC(struct str) displays;
    struct map paths_seen; /* a place is reported once, by the first route that looks at it */
};

static void planner_fini(struct planner *planner)
{
    VEC_FINI(&planner->edits);
    VEC_FINI(&planner->whys);
    VEC_FINI(&planner->codes);
    VEC_FINI(&planner->outcomes);
    VEC_FINI(&planner->displays);
    map_fini(&planner->paths_seen);
}

static void add_edit(struct planner *p, enum hl7_edit_kind kind, struct hl7_path path, struct str value,
                     const char *why)
{
    *VEC_ADD(&p->edits) = (struct hl7_edit){.kind = kind, .path = path, .value = value};
    *VEC_ADD(&p->whys) = why;
}

/* ---- codes ---- */

/* A coded element (CE, CWE, CNE): code, text, system in 1-3; alternate in 4-6; second alternate in 10-12 from 2.7.
 * Source: [HL7 2.5.1 2.A.13 CE, 2.A.12 CWE], [HL7 2.7.1 2A.3.9]. */
struct coded {
    struct str code, text, system;
};

static struct coded read_coded(struct planner *p, struct str element, uint32_t first)
{
    const struct hl7_index *index = p->input->index;
    struct arena *arena = p->cx->arena;
    struct str part[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct str raw = hl7_subcomponent(index, hl7_component(index, element, first + i), 1);
        part[i] = raw.len == 0 || hl7_is_null(raw) ? STR_NONE : hl7_text(index, arena, raw, NULL);
    }
    return (struct coded){str_trim(part[0]), part[1], str_trim(part[2])};
}

static struct str meant_system(const struct route *route, struct str seen)
{
    for (size_t i = 0; i < route->local_system_count; i++)
        if (str_eq_nocase(route->local_systems[i].seen, seen))
            return route->local_systems[i].system;
    return seen;
}

/* OBX-5 is coded only when OBX-2 says so. */
static bool is_coded_place(struct planner *p, const struct hl7_walk *walk)
{
    if (walk->at.name != HL7_NAME('O', 'B', 'X') || walk->at.field != 5)
        return true;
    struct str type = hl7_field(p->input->index, walk->segment_number, 2);
    return str_is(type, "CE") || str_is(type, "CWE") || str_is(type, "CNE") || str_is(type, "CF");
}

static const char *outcome_name(enum codes_outcome outcome)
{
    switch (outcome) {
    case CODES_OUTCOME_STANDARD:
        return "standard";
    case CODES_OUTCOME_TRANSLATED:
        return "translated";
    case CODES_OUTCOME_UNMAPPED:
        return "unmapped";
    case CODES_OUTCOME_INVALID:
        return "invalid";
    case CODES_OUTCOME_EMPTY:
        break;
    }
    return "empty";
}

/* First component of a free alternate triple, or 0 when there is no room: never overwrite what a sender said. */
static uint32_t free_alternate(struct planner *p, struct str element, struct str code)
{
    struct coded alternate = read_coded(p, element, 4);
    if (alternate.code.len == 0 && alternate.text.len == 0 && alternate.system.len == 0)
        return 4;
    if (str_eq(alternate.code, code))
        return 0;
    struct coded second = read_coded(p, element, 10);
    bool has_second = hl7_version_number(p->input->header->version) >= 20700;
    return has_second && second.code.len == 0 && second.text.len == 0 && second.system.len == 0 ? 10 : 0;
}

/* A display in a script that the message's character set lacks is left out; the code itself is ASCII. */
static bool can_encode(struct planner *p, struct str text)
{
    SCOPED(buf_fini) struct buf scratch = {0};
    bool fits = hl7_text_encode(p->input->index, p->cx, text, &scratch) == STATUS_OK;
    ctx_clear(p->cx);
    return fits;
}

static void add_translation(struct planner *p, const struct hl7_walk *walk, const struct codes_translation *translation)
{
    uint32_t first = free_alternate(p, walk->value, translation->code);
    if (first == 0)
        return;
    struct str values[3] = {translation->code, translation->display,
                            codes_system_v2_name(p->input->codes, translation->system)};
    for (uint32_t i = 0; i < 3; i++) {
        struct hl7_path path = walk->at;
        path.component = (uint16_t)(first + i);
        if (values[i].len && can_encode(p, values[i]))
            add_edit(p, HL7_EDIT_TEXT, path, values[i], "codes.translated");
    }
}

static void report_code(struct planner *p, struct str path, const struct coded *sent, struct str system,
                        const struct codes_reconciled *got)
{
    bool added;
    map_put(&p->paths_seen, path, &added);
    if (!added || p->codes.count >= LIMIT_CODES_PER_MESSAGE)
        return;
    const struct codes_translation *t = &got->translation;
    bool translated = got->outcome == CODES_OUTCOME_TRANSLATED;
    *VEC_ADD(&p->codes) = (struct engine_code){
        .path = path,
        .outcome = str_from(outcome_name(got->outcome)),
        .system = system,
        .code = sent->code,
        .target_system = translated ? t->system : STR_NONE,
        .target_code = translated ? t->code : STR_NONE,
        .target_display = translated ? t->display : STR_NONE,
        .map = translated ? t->map : got->verdict.concept.system,
        .map_version = translated ? t->map_version : got->verdict.concept.version,
        .map_row = translated ? t->map_row : 0,
    };
    *VEC_ADD(&p->outcomes) = got->outcome;
    *VEC_ADD(&p->displays) = sent->text;
}

static status reconcile_element(struct planner *p, const struct route *route, const struct route_codes *rule,
                                const struct hl7_walk *walk)
{
    struct coded sent = read_coded(p, walk->value, 1);
    struct coded alternate = read_coded(p, walk->value, 4);
    if (sent.code.len == 0 && alternate.code.len == 0)
        return STATUS_OK;
    struct str system = meant_system(route, sent.system);
    struct codes_reconciled got = {.outcome = CODES_OUTCOME_UNMAPPED};
    if (sent.code.len)
        TRY(codes_reconcile(p->input->codes, p->cx, system, sent.code, sent.text, rule->targets, rule->target_count,
                            &got));
    bool unresolved = got.outcome == CODES_OUTCOME_UNMAPPED || got.outcome == CODES_OUTCOME_INVALID;
    if (unresolved && alternate.code.len) { /* the sender may have given the standard code as its alternate */
        struct codes_reconciled other;
        struct str other_system = meant_system(route, alternate.system);
        TRY(codes_reconcile(p->input->codes, p->cx, other_system, alternate.code, alternate.text, rule->targets,
                            rule->target_count, &other));
        if (other.outcome == CODES_OUTCOME_STANDARD || other.outcome == CODES_OUTCOME_TRANSLATED) {
            got = other;
            if (sent.code.len == 0) {
                sent = alternate;
                system = other_system;
            }
        }
    }
    char path[HL7_PATH_TEXT_MAX];
    size_t len = hl7_path_format(&walk->at, path);
    report_code(p, arena_str(p->cx->arena, str_make(path, len)), &sent, system, &got);
    if (got.outcome == CODES_OUTCOME_TRANSLATED)
        add_translation(p, walk, &got.translation);
    return STATUS_OK;
}

static status reconcile_codes(struct planner *p, const struct route *route)
{
    for (size_t i = 0; i < route->codes_count; i++) {
        struct hl7_walk walk;
        hl7_walk_init(&walk, p->input->index, &route->codes[i].path);
        while (hl7_walk_next(&walk))
            if (walk.value.len && !hl7_is_null(walk.value) && is_coded_place(p, &walk))
                TRY(reconcile_element(p, route, &route->codes[i], &walk));
    }
    return STATUS_OK;
}

/* ---- the person's number ---- */

/* Adds the person number as one more PID-3 repetition, or puts it into the repetition that already has this authority.
 */
static void add_person_id(struct planner *p, const struct route *route)
{
    const struct hl7_index *index = p->input->index;
    ptrdiff_t pid = hl7_find_segment(index, HL7_NAME('P', 'I', 'D'), 1, 0);
    if (route->person_authority.len == 0 || p->input->person == 0 || pid < 0)
        return;
    char between = index->delimiters.component;
    if (between == 0)
        return; /* a message without components has no room for an authority */
    struct str rest = hl7_field(index, (uint32_t)pid, 3), one;
    uint16_t repetition = 0, place = 0;
    while (rest.len && hl7_next_repetition(index, &rest, &one)) {
        repetition++;
        if (str_eq(hl7_subcomponent(index, hl7_component(index, one, 4), 1), route->person_authority))
            place = repetition;
    }
    if (place == 0)
        place = repetition + 1;
    if (place > 1 && index->delimiters.repetition == 0)
        return;
    struct str value = arena_printf(p->cx->arena, "%" PRIu64 "%c%c%c%.*s%c%.*s", p->input->person, between, between,
                                    between, STR_ARGS(route->person_authority), between, STR_ARGS(route->person_type));
    struct hl7_path path = {.name = HL7_NAME('P', 'I', 'D'), .segment = 1, .field = 3, .repetition = place};
    add_edit(p, HL7_EDIT_RAW, path, value, "identity.person");
}

/* ---- outputs ---- */

static void keep_changes(struct planner *p, struct plan_output *output)
{
    output->changes = arena_array(p->cx->arena, p->edits.count, sizeof *output->changes);
    for (size_t i = 0; i < p->edits.count; i++) {
        const struct hl7_edit *edit = &p->edits.at[i];
        if (str_eq(edit->before, edit->after))
            continue;
        char path[HL7_PATH_TEXT_MAX];
        size_t len = hl7_path_format(&edit->path, path);
        output->changes[output->change_count++] = (struct plan_change){arena_str(p->cx->arena, str_make(path, len)),
                                                                       edit->before, edit->after, p->whys.at[i]};
    }
}

/* The message goes on as it came; the trace says what could not be added. */
static void keep_refused_changes(struct planner *p, struct plan_output *output)
{
    output->changes = arena_array(p->cx->arena, p->edits.count, sizeof *output->changes);
    for (size_t i = 0; i < p->edits.count; i++) {
        char path[HL7_PATH_TEXT_MAX];
        size_t len = hl7_path_format(&p->edits.at[i].path, path);
        bool is_person = strcmp(p->whys.at[i], "identity.person") == 0;
        output->changes[output->change_count++] =
            (struct plan_change){arena_str(p->cx->arena, str_make(path, len)), STR_NONE, STR_NONE,
                                 is_person ? "identity.not-added" : "codes.not-added"};
    }
}

static status plan_route(struct planner *p, const struct route *route, struct plan_output *output)
{
    p->edits.count = p->whys.count = 0;
    TRY(reconcile_codes(p, route));
    add_person_id(p, route);
    if (p->edits.count == 0)
        return STATUS_OK;
    SCOPED(buf_fini) struct buf bytes = {0};
    if (hl7_edit_apply(p->input->index, p->cx, p->edits.at, p->edits.count, &bytes) != STATUS_OK) {
        ctx_clear(p->cx);
        keep_refused_changes(p, output);
        return STATUS_OK;
    }
    if (!str_eq(buf_str(&bytes), p->input->index->bytes))
        output->bytes = arena_str(p->cx->arena, buf_str(&bytes));
    keep_changes(p, output);
    return STATUS_OK;
}

/* The destinations of a route that no earlier route took: a destination gets a message once. */
static void take_destinations(struct planner *p, const struct route *route, bool *taken, struct plan_output *output)
{
    size_t *to = arena_array(p->cx->arena, route->to_count, sizeof *to);
    for (size_t i = 0; i < route->to_count; i++) {
        if (taken[route->to[i]])
            continue;
        taken[route->to[i]] = true;
        to[output->to_count++] = route->to[i];
    }
    output->to = to;
}

static status plan_outputs(struct planner *p, struct plan *plan)
{
    const struct plan_input *input = p->input;
    bool *taken = arena_array(p->cx->arena, input->routes->destination_count + 1, sizeof *taken);
    plan->outputs = arena_array(p->cx->arena, input->routes->route_count, sizeof *plan->outputs);
    for (size_t i = 0; i < input->routes->route_count; i++) {
        const struct route *route = &input->routes->routes[i];
        if (!route_takes(route, input->source, input->header->type, input->header->trigger))
            continue;
        struct plan_output *output = &plan->outputs[plan->output_count++];
        output->route = route;
        take_destinations(p, route, taken, output);
        TRY(plan_route(p, route, output));
    }
    return STATUS_OK;
}

static void *into_arena(struct ctx *cx, const void *from, size_t size)
{
    void *copy = arena_alloc(cx->arena, size);
    if (size)
        memcpy(copy, from, size);
    return copy;
}

status plan_make(struct ctx *cx, const struct plan_input *input, struct plan *out_plan)
{
    SCOPED(planner_fini) struct planner p = {.input = input, .cx = cx};
    struct plan plan = {0};
    TRY(plan_outputs(&p, &plan));
    plan.code_count = p.codes.count;
    plan.codes = into_arena(cx, p.codes.at, p.codes.count * sizeof *p.codes.at);
    plan.outcomes = into_arena(cx, p.outcomes.at, p.outcomes.count * sizeof *p.outcomes.at);
    plan.displays = into_arena(cx, p.displays.at, p.displays.count * sizeof *p.displays.at);
    *out_plan = plan;
    return STATUS_OK;
}
