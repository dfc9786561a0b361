#include "plan.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "hl7v2/text.h"

#include <inttypes.h>

enum { CHANGES_MAX = 3 * LIMIT_CODES_PER_MESSAGE, OUTPUT_BYTES_MAX = 512 * 1024 * 1024 };

/* What is gathered while one message is planned. */
struct planner {
    const struct plan_input *input;
    struct ctx *cx;
    VEC(struct hl7_edit) edits;       /* of the route being planned */
    VEC(const char *) whys;           /* of each edit */
    VEC(struct plan_change) left_out; /* what the message has no room or no characters for */
    size_t looked_at;                 /* coded elements, by the route being planned */
    size_t changes_left;              /* that may still be listed */
    struct map placed;                /* what this route added where: another rule must not add it again */
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
    VEC_FINI(&planner->left_out);
    map_fini(&planner->placed);
    map_fini(&planner->paths_seen);
}

static void add_edit(struct planner *p, enum hl7_edit_kind kind, struct hl7_path path, struct str value,
                     const char *why)
{
    *VEC_ADD(&p->edits) = (struct hl7_edit){.kind = kind, .path = path, .value = value};
    *VEC_ADD(&p->whys) = why;
}

static struct str path_text(struct planner *p, const struct hl7_path *path)
{
    char text[HL7_PATH_TEXT_MAX];
    return arena_str(p->cx->arena, str_make(text, hl7_path_format(path, text)));
}

static void leave_out(struct planner *p, const struct hl7_path *path, const char *why)
{
    if (p->left_out.count < p->changes_left)
        *VEC_ADD(&p->left_out) = (struct plan_change){.path = path_text(p, path), .why = why};
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

enum { ALTERNATE = 4, SECOND_ALTERNATE = 10 };

/* Was this said for this place before, by another rule of the route? If not, it is now. */
static bool said_before(struct planner *p, struct str place, struct str what)
{
    bool added;
    map_put(&p->placed, arena_printf(p->cx->arena, "%.*s %.*s", STR_ARGS(place), STR_ARGS(what)), &added);
    return !added;
}

static bool is_free(struct planner *p, struct str element, struct str place, uint32_t first)
{
    struct coded there = read_coded(p, element, first);
    return there.code.len == 0 && there.text.len == 0 && there.system.len == 0 &&
           !said_before(p, place, first == ALTERNATE ? STR("#1") : STR("#2"));
}

/* First component of a free alternate triple, or 0 when there is no room: never overwrite what a sender said. */
static uint32_t free_alternate(struct planner *p, struct str element, struct str place, struct str code)
{
    if (str_eq(read_coded(p, element, ALTERNATE).code, code) || said_before(p, place, code))
        return 0;
    if (is_free(p, element, place, ALTERNATE))
        return ALTERNATE;
    bool has_second = hl7_version_number(p->input->header->version) >= 20700;
    return has_second && is_free(p, element, place, SECOND_ALTERNATE) ? SECOND_ALTERNATE : 0;
}

/* A display in a script that the message's character set lacks is left out; the code itself is ASCII. */
static bool can_encode(struct planner *p, struct str text)
{
    SCOPED(buf_fini) struct buf scratch = {0};
    bool fits = hl7_text_encode(p->input->index, p->cx, text, &scratch) == STATUS_OK;
    ctx_clear(p->cx);
    return fits;
}

static void add_translation(struct planner *p, const struct hl7_walk *walk, struct str place,
                            const struct codes_translation *translation)
{
    if (p->input->index->delimiters.component == 0 || !can_encode(p, translation->code)) {
        leave_out(p, &walk->at, "codes.not-added");
        return;
    }
    uint32_t first = free_alternate(p, walk->value, place, translation->code);
    if (first == 0)
        return;
    struct str values[3] = {translation->code, translation->display,
                            codes_system_v2_name(p->input->codes, translation->system)};
    for (uint32_t i = 0; i < 3; i++) {
        struct hl7_path path = walk->at;
        path.component = (uint16_t)(first + i);
        if (values[i].len == 0)
            continue;
        if (can_encode(p, values[i]))
            add_edit(p, HL7_EDIT_TEXT, path, values[i], "codes.translated");
        else
            leave_out(p, &path, "codes.not-added");
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

/* A map or pack that cannot be read makes the code unmapped, a work item: the message goes on. */
static struct codes_reconciled reconcile(struct planner *p, const struct route_codes *rule, struct str system,
                                         const struct coded *coded)
{
    struct codes_reconciled got;
    if (coded->code.len && codes_reconcile(p->input->codes, p->cx, system, coded->code, coded->text, rule->targets,
                                           rule->target_count, &got) == STATUS_OK)
        return got;
    ctx_clear(p->cx);
    return (struct codes_reconciled){.outcome = CODES_OUTCOME_UNMAPPED};
}

static void reconcile_element(struct planner *p, const struct route *route, const struct route_codes *rule,
                              const struct hl7_walk *walk)
{
    struct coded sent = read_coded(p, walk->value, 1);
    struct coded alternate = read_coded(p, walk->value, ALTERNATE);
    if (sent.code.len == 0 && alternate.code.len == 0)
        return;
    struct str system = meant_system(route, sent.system);
    struct codes_reconciled got = reconcile(p, rule, system, &sent);
    bool unresolved = got.outcome == CODES_OUTCOME_UNMAPPED || got.outcome == CODES_OUTCOME_INVALID;
    if (unresolved && alternate.code.len) { /* the sender may have given the standard code as its alternate */
        struct str other_system = meant_system(route, alternate.system);
        struct codes_reconciled other = reconcile(p, rule, other_system, &alternate);
        if (other.outcome == CODES_OUTCOME_STANDARD || other.outcome == CODES_OUTCOME_TRANSLATED) {
            got = other;
            if (sent.code.len == 0) {
                sent = alternate;
                system = other_system;
            }
        }
    }
    struct str place = path_text(p, &walk->at);
    report_code(p, place, &sent, system, &got);
    if (got.outcome == CODES_OUTCOME_TRANSLATED)
        add_translation(p, walk, place, &got.translation);
}

/* False when the route has looked at enough. */
static bool reconcile_rule(struct planner *p, const struct route *route, const struct route_codes *rule)
{
    struct hl7_walk walk;
    hl7_walk_init(&walk, p->input->index, &rule->path);
    while (hl7_walk_next(&walk)) {
        if (walk.value.len == 0 || hl7_is_null(walk.value) || !is_coded_place(p, &walk))
            continue;
        if (p->looked_at == LIMIT_CODES_PER_MESSAGE) {
            leave_out(p, &walk.at, "codes.too-many");
            return false;
        }
        p->looked_at++;
        reconcile_element(p, route, rule, &walk);
    }
    return true;
}

static void reconcile_codes(struct planner *p, const struct route *route)
{
    for (size_t i = 0; i < route->codes_count; i++)
        if (!reconcile_rule(p, route, &route->codes[i]))
            return;
}

/* ---- the person's number ---- */

/* The person's number as a CX in the message's own delimiters and characters; false when it has none of the needed. */
static bool encode_person_id(struct planner *p, const struct route *route, struct buf *out, struct buf *authority)
{
    const struct hl7_index *index = p->input->index;
    char between = index->delimiters.component;
    if (between == 0)
        return false; /* a message without components has no room for an authority */
    buf_printf(out, "%" PRIu64 "%c%c%c", p->input->person, between, between, between);
    bool fits = hl7_text_encode(index, p->cx, route->person_authority, authority) == STATUS_OK;
    buf_put_str(out, buf_str(authority));
    buf_put_byte(out, (uint8_t)between);
    fits = fits && hl7_text_encode(index, p->cx, route->person_type, out) == STATUS_OK;
    ctx_clear(p->cx);
    return fits;
}

/* Adds the person number as one more PID-3 repetition, or puts it into the repetition that already has this authority.
 */
static void add_person_id(struct planner *p, const struct route *route)
{
    const struct hl7_index *index = p->input->index;
    ptrdiff_t pid = hl7_find_segment(index, HL7_NAME('P', 'I', 'D'), 1, 0);
    if (route->person_authority.len == 0 || p->input->person == 0 || pid < 0)
        return;
    struct hl7_path path = {.name = HL7_NAME('P', 'I', 'D'), .segment = 1, .field = 3};
    SCOPED(buf_fini) struct buf value = {0}, authority = {0};
    bool fits = encode_person_id(p, route, &value, &authority);
    struct str rest = hl7_field(index, (uint32_t)pid, 3), one;
    uint32_t repetition = 0;
    while (rest.len && hl7_next_repetition(index, &rest, &one)) {
        repetition++;
        if (str_eq(hl7_subcomponent(index, hl7_component(index, one, 4), 1), buf_str(&authority)))
            path.repetition = repetition;
    }
    if (path.repetition == 0)
        path.repetition = repetition + 1;
    if (!fits || (path.repetition > 1 && index->delimiters.repetition == 0)) {
        leave_out(p, &path, "identity.not-added");
        return;
    }
    add_edit(p, HL7_EDIT_RAW, path, arena_str(p->cx->arena, buf_str(&value)), "identity.person");
}

/* ---- outputs ---- */

static void keep_change(struct planner *p, struct plan_output *output, struct plan_change change)
{
    if (p->changes_left == 0)
        return;
    p->changes_left--;
    output->changes[output->change_count++] = change;
}

/* `made` false: the edits as a whole were refused. The message then goes on as it came; the trace says what could not
 * be added. */
static void keep_changes(struct planner *p, struct plan_output *output, bool made)
{
    size_t most = p->edits.count + p->left_out.count;
    output->changes =
        arena_array(p->cx->arena, most < p->changes_left ? most : p->changes_left, sizeof *output->changes);
    for (size_t i = 0; i < p->edits.count && p->changes_left; i++) {
        const struct hl7_edit *edit = &p->edits.at[i];
        struct plan_change change = {.before = edit->before, .after = edit->after, .why = p->whys.at[i]};
        if (made && str_eq(edit->before, edit->after))
            continue;
        if (!made) {
            change.before = change.after = STR_NONE;
            change.why = strcmp(change.why, "identity.person") == 0 ? "identity.not-added" : "codes.not-added";
        }
        change.path = path_text(p, &edit->path);
        keep_change(p, output, change);
    }
    for (size_t i = 0; i < p->left_out.count; i++)
        keep_change(p, output, p->left_out.at[i]);
}

static void plan_route(struct planner *p, const struct route *route, struct plan_output *output)
{
    p->edits.count = p->whys.count = p->left_out.count = p->looked_at = 0;
    map_clear(&p->placed);
    reconcile_codes(p, route);
    add_person_id(p, route);
    SCOPED(buf_fini) struct buf bytes = {0};
    bool made =
        p->edits.count == 0 || hl7_edit_apply(p->input->index, p->cx, p->edits.at, p->edits.count, &bytes) == STATUS_OK;
    ctx_clear(p->cx);
    if (made && p->edits.count && !str_eq(buf_str(&bytes), p->input->index->bytes))
        output->bytes = arena_str(p->cx->arena, buf_str(&bytes));
    keep_changes(p, output, made);
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

static void plan_outputs(struct planner *p, struct plan *plan)
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
        plan_route(p, route, output);
    }
}

static void *into_arena(struct ctx *cx, const void *from, size_t size)
{
    void *copy = arena_alloc(cx->arena, size);
    if (size)
        memcpy(copy, from, size);
    return copy;
}

void plan_make(struct ctx *cx, const struct plan_input *input, struct plan *out_plan)
{
    SCOPED(planner_fini) struct planner p = {.input = input, .cx = cx, .changes_left = CHANGES_MAX};
    struct plan plan = {0};
    if (!str_is(input->header->type, "ACK")) /* an answer is for whom it answers */
        plan_outputs(&p, &plan);
    plan.code_count = p.codes.count;
    plan.codes = into_arena(cx, p.codes.at, p.codes.count * sizeof *p.codes.at);
    plan.outcomes = into_arena(cx, p.outcomes.at, p.outcomes.count * sizeof *p.outcomes.at);
    plan.displays = into_arena(cx, p.displays.at, p.displays.count * sizeof *p.displays.at);
    *out_plan = plan;
}

status plan_check_size(struct ctx *cx, const struct hl7_index *index, const struct hl7_header *header,
                       struct str source, const struct routes *routes)
{
    size_t copies = 0; /* destinations without edits share the bytes in the journal */
    for (size_t i = 0; i < routes->route_count; i++) {
        const struct route *route = &routes->routes[i];
        if ((route->codes_count || route->person_authority.len) &&
            route_takes(route, source, header->type, header->trigger))
            copies += route->to_count;
    }
    if (copies * index->bytes.len > OUTPUT_BYTES_MAX)
        return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE], "%zu bytes for each of %zu destinations",
                        index->bytes.len, copies);
    return STATUS_OK;
}
