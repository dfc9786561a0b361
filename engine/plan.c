#include "plan.h"

#include "base/bounds.h"
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
    VEC(struct hl7_edit) edits;       /* of the route being planned */
    VEC(const char *) whys;           /* of each edit */
    VEC(struct plan_change) left_out; /* what the message has no room or no characters for */
    struct arena scratch;             /* of the element being looked at */
    struct buf text;                  /* of one question: its memory is used again */
    size_t made_bytes;                /* for the routes planned so far */
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
    arena_fini(&planner->scratch);
    buf_fini(&planner->text);
}

static void add_edit(struct planner *p, enum hl7_edit_kind kind, struct hl7_path path, struct str value,
                     const char *why)
{
    *VEC_ADD(&p->edits) = (struct hl7_edit){.kind = kind, .path = path, .value = value};
    *VEC_ADD(&p->whys) = why;
}

static struct str path_text(struct arena *arena, const struct hl7_path *path)
{
    char text[HL7_PATH_TEXT_MAX];
    return arena_str(arena, str_make(text, hl7_path_format(path, text)));
}

static void leave_out(struct planner *p, const struct hl7_path *path, const char *why)
{
    *VEC_ADD(&p->left_out) = (struct plan_change){.path = path_text(p->cx->arena, path), .why = why};
}

/* ---- codes ---- */

/* A coded element (CE, CWE, CNE): code, text, system in 1-3; alternate in 4-6; second alternate in 10-12 from 2.7.
 * Source: [HL7 2.5.1 2.A.13 CE, 2.A.12 CWE], [HL7 2.7.1 2A.3.9]. */
struct coded {
    struct str code, text, system;
};

/* Into the scratch: an element is read again for each rule of each route. */
static struct coded read_coded(struct planner *p, struct str element, uint32_t first)
{
    const struct hl7_index *index = p->input->index;
    struct str part[3];
    for (uint32_t i = 0; i < 3; i++) {
        struct str raw = hl7_subcomponent(index, hl7_component(index, element, first + i), 1);
        part[i] = raw.len == 0 || hl7_is_null(raw) ? STR_NONE : hl7_text(index, &p->scratch, raw, NULL);
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
static bool is_coded_place(const struct hl7_index *index, const struct hl7_walk *walk)
{
    if (walk->at.name != HL7_NAME('O', 'B', 'X') || walk->at.field != 5)
        return true;
    struct str type = hl7_field(index, walk->segment_number, 2);
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
    buf_clear(&p->text);
    buf_put_str(&p->text, place);
    buf_put_byte(&p->text, ' ');
    buf_put_str(&p->text, what);
    map_put(&p->placed, buf_str(&p->text), &added);
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
    buf_clear(&p->text);
    bool fits = hl7_text_encode(p->input->index, p->cx, text, &p->text) == STATUS_OK;
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

/* What is reported outlives the scratch of its element. */
static struct str keep(struct planner *p, struct str text)
{
    return text.len ? arena_str(p->cx->arena, text) : STR_NONE;
}

static void report_code(struct planner *p, struct str path, const struct coded *sent, struct str system,
                        const struct codes_reconciled *got)
{
    bool added;
    map_put(&p->paths_seen, path, &added);
    if (!added)
        return;
    const struct codes_translation *t = &got->translation;
    bool translated = got->outcome == CODES_OUTCOME_TRANSLATED;
    *VEC_ADD(&p->codes) = (struct engine_code){
        .path = keep(p, path),
        .outcome = str_from(outcome_name(got->outcome)),
        .system = keep(p, system),
        .code = keep(p, sent->code),
        .target_system = translated ? t->system : STR_NONE,
        .target_code = translated ? t->code : STR_NONE,
        .target_display = translated ? t->display : STR_NONE,
        .map = keep(p, translated ? t->map : got->verdict.concept.system),
        .map_version = keep(p, translated ? t->map_version : got->verdict.concept.version),
        .map_row = translated ? t->map_row : 0,
    };
    *VEC_ADD(&p->outcomes) = got->outcome;
    *VEC_ADD(&p->displays) = keep(p, sent->text);
}

static struct codes_reconciled reconcile(struct planner *p, const struct route_codes *rule, struct str system,
                                         const struct coded *coded)
{
    if (coded->code.len == 0)
        return (struct codes_reconciled){.outcome = CODES_OUTCOME_UNMAPPED};
    return codes_reconcile(p->input->codes, system, coded->code, coded->text, rule->targets, rule->target_count);
}

static void reconcile_element(struct planner *p, const struct route *route, const struct route_codes *rule,
                              const struct hl7_walk *walk)
{
    arena_reset(&p->scratch);
    struct coded sent = read_coded(p, walk->value, 1), alternate = read_coded(p, walk->value, ALTERNATE);
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
    struct str place = path_text(&p->scratch, &walk->at);
    report_code(p, place, &sent, system, &got);
    if (got.outcome == CODES_OUTCOME_TRANSLATED)
        add_translation(p, walk, place, &got.translation);
}

static void reconcile_codes(struct planner *p, const struct route *route)
{
    for (size_t i = 0; i < route->codes_count; i++) {
        struct hl7_walk walk;
        hl7_walk_init(&walk, p->input->index, &route->codes[i].path);
        while (hl7_walk_next(&walk))
            if (walk.value.len > 0 && !hl7_is_null(walk.value) && is_coded_place(p->input->index, &walk))
                reconcile_element(p, route, &route->codes[i], &walk);
    }
}

/* ---- the person's number ---- */

/* The person's number as a CX in the message's own delimiters and characters; false when it has none of the needed. */
static bool encode_person_id(struct planner *p, const struct route *route, uint64_t person, struct buf *out,
                             struct buf *authority)
{
    const struct hl7_index *index = p->input->index;
    char between = index->delimiters.component;
    if (between == 0)
        return false; /* a message without components has no room for an authority */
    buf_printf(out, "%" PRIu64 "%c%c%c", person, between, between, between);
    bool fits = hl7_text_encode(index, p->cx, route->person_authority, authority) == STATUS_OK;
    buf_put_str(out, buf_str(authority));
    buf_put_byte(out, (uint8_t)between);
    fits = fits && hl7_text_encode(index, p->cx, route->person_type, out) == STATUS_OK;
    ctx_clear(p->cx);
    return fits;
}

/* Adds the person's number to its PID as one more PID-3 repetition, or puts it into the repetition that already has
 * this authority. */
static void add_person_id(struct planner *p, const struct route *route, const struct plan_person *whose,
                          uint32_t segment_number)
{
    const struct hl7_index *index = p->input->index;
    struct hl7_path path = {.name = HL7_NAME('P', 'I', 'D'), .segment = whose->pid, .field = 3};
    SCOPED(buf_fini) struct buf value = {0}, authority = {0};
    bool fits = encode_person_id(p, route, whose->person, &value, &authority);
    struct str rest = hl7_field(index, segment_number, 3), one;
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

/* Each patient's PID gets that patient's number, never another's. */
static void add_person_ids(struct planner *p, const struct route *route)
{
    const struct hl7_index *index = p->input->index;
    if (route->person_authority.len == 0)
        return;
    uint32_t pid = 0;
    for (uint32_t i = 0, next = 0; i < index->segment_count && next < p->input->person_count; i++) {
        if (index->segments[i].name != HL7_NAME('P', 'I', 'D') || ++pid != p->input->persons[next].pid)
            continue;
        add_person_id(p, route, &p->input->persons[next++], i);
    }
}

/* ---- outputs ---- */

/* `made` false: the edits as a whole were refused. The message then goes on as it came; the trace says what could not
 * be added. */
static void keep_changes(struct planner *p, struct plan_output *output, bool made)
{
    struct plan_change *changes = arena_array(p->cx->arena, p->edits.count + p->left_out.count, sizeof *changes);
    size_t count = 0;
    for (size_t i = 0; i < p->edits.count; i++) {
        const struct hl7_edit *edit = &p->edits.at[i];
        struct plan_change change = {.before = edit->before, .after = edit->after, .why = p->whys.at[i]};
        if (made && str_eq(edit->before, edit->after))
            continue;
        if (!made) {
            change.before = change.after = STR_NONE;
            change.why = strcmp(change.why, "identity.person") == 0 ? "identity.not-added" : "codes.not-added";
        }
        change.path = path_text(p->cx->arena, &edit->path);
        changes[count++] = change;
    }
    for (size_t i = 0; i < p->left_out.count; i++)
        changes[count++] = p->left_out.at[i];
    output->changes = changes;
    output->change_count = count;
}

static status too_large(struct ctx *cx, size_t bytes)
{
    bound_met(BOUND_LIMIT_MADE_BYTES);
    return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE],
                    "its routes would make more than %zu bytes of it, at most %d", bytes, LIMIT_MADE_BYTES);
}

/* About what the edits will make: escapes may make it a little more. */
static size_t bytes_to_make(const struct planner *p)
{
    size_t bytes = p->edits.count ? p->input->index->bytes.len : 0;
    for (size_t i = 0; i < p->edits.count; i++)
        bytes += p->edits.at[i].value.len;
    return bytes;
}

static status make_bytes(struct planner *p, struct plan_output *output, bool *out_made)
{
    size_t wanted = bytes_to_make(p);
    if (p->made_bytes + wanted > LIMIT_MADE_BYTES)
        return too_large(p->cx, p->made_bytes + wanted);
    SCOPED(buf_fini) struct buf bytes = {0};
    *out_made =
        p->edits.count == 0 || hl7_edit_apply(p->input->index, p->cx, p->edits.at, p->edits.count, &bytes) == STATUS_OK;
    ctx_clear(p->cx);
    if (!*out_made || p->edits.count == 0 || str_eq(buf_str(&bytes), p->input->index->bytes))
        return STATUS_OK;
    p->made_bytes += bytes.len;
    if (p->made_bytes > LIMIT_MADE_BYTES)
        return too_large(p->cx, p->made_bytes);
    output->bytes = arena_str(p->cx->arena, buf_str(&bytes));
    return STATUS_OK;
}

static status plan_route(struct planner *p, const struct route *route, struct plan_output *output)
{
    p->edits.count = p->whys.count = p->left_out.count = 0;
    map_clear(&p->placed);
    reconcile_codes(p, route);
    add_person_ids(p, route);
    bool made = false; /* gcc at -O1 does not see that make_bytes() sets it */
    TRY(make_bytes(p, output, &made));
    keep_changes(p, output, made);
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

static bool takes(const struct plan_input *input, const struct route *route)
{
    return route_takes(route, input->source, input->header->type, input->header->trigger);
}

static status plan_outputs(struct planner *p, struct plan *plan)
{
    const struct plan_input *input = p->input;
    const struct routes *routes = input->routes;
    bool *taken = arena_array(p->cx->arena, routes->destination_count + 1, sizeof *taken);
    const struct plan_output **first = arena_array(p->cx->arena, routes->route_count + 1, sizeof *first);
    plan->outputs = arena_array(p->cx->arena, routes->route_count, sizeof *plan->outputs);
    for (size_t i = 0; i < routes->route_count; i++) {
        const struct route *route = &routes->routes[i];
        if (!takes(input, route))
            continue;
        struct plan_output *output = &plan->outputs[plan->output_count++];
        output->route = route;
        take_destinations(p, route, taken, output);
        const struct plan_output *alike = first[route->like];
        if (alike) {
            output->bytes = alike->bytes;
            output->changes = alike->changes;
            output->change_count = alike->change_count;
        } else {
            TRY(plan_route(p, route, output));
            first[route->like] = output;
        }
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
    if (!str_is(input->header->type, "ACK")) /* an answer is for whom it answers */
        TRY(plan_outputs(&p, &plan));
    plan.code_count = p.codes.count;
    plan.codes = into_arena(cx, p.codes.at, p.codes.count * sizeof *p.codes.at);
    plan.outcomes = into_arena(cx, p.outcomes.at, p.outcomes.count * sizeof *p.outcomes.at);
    plan.displays = into_arena(cx, p.displays.at, p.displays.count * sizeof *p.displays.at);
    *out_plan = plan;
    return STATUS_OK;
}

/* ---- what it would come to ---- */

/* What its rules would look at, counted until it is too much. */
struct looked_at {
    size_t places, bytes;
};

static status look_at(struct ctx *cx, const struct hl7_index *index, const struct hl7_path *path,
                      struct looked_at *looked)
{
    struct hl7_walk walk;
    hl7_walk_init(&walk, index, path);
    while (hl7_walk_next(&walk)) {
        looked->places += walk.value.len > 0;
        looked->bytes += is_coded_place(index, &walk) ? walk.value.len : 0;
        if (BEYOND(LIMIT_CODES_PER_MESSAGE, looked->places))
            return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE],
                            "its routes would look at more than %d coded elements", LIMIT_CODES_PER_MESSAGE);
        if (BEYOND(LIMIT_CODED_BYTES, looked->bytes))
            return ctx_fail(cx, &engine_reasons[ENGINE_TOO_LARGE],
                            "its routes would look at more than %d bytes of coded elements", LIMIT_CODED_BYTES);
    }
    return STATUS_OK;
}

/* So few that nothing needs to be counted: a place takes a byte at least. */
static bool is_small(const struct plan_input *input, size_t rules)
{
    return rules == 0 || input->index->bytes.len <= LIMIT_CODES_PER_MESSAGE / rules;
}

status plan_check(struct ctx *cx, const struct plan_input *input)
{
    const struct routes *routes = input->routes;
    size_t copies = 0, rules = 0;
    struct looked_at looked = {0};
    bool *counted = arena_array(cx->arena, routes->route_count + 1, sizeof *counted);
    for (size_t i = 0; i < routes->route_count; i++) {
        const struct route *route = &routes->routes[i];
        if (!route_changes(route) || counted[route->like] || !takes(input, route))
            continue;
        counted[route->like] = true;
        copies++;
        rules += route->codes_count;
    }
    if (copies > 0 && input->index->bytes.len > LIMIT_MADE_BYTES / copies)
        return too_large(cx, copies * input->index->bytes.len);
    for (size_t i = 0; i < routes->route_count && !is_small(input, rules); i++)
        for (size_t k = 0; counted[i] && k < routes->routes[i].codes_count; k++)
            TRY(look_at(cx, input->index, &routes->routes[i].codes[k].path, &looked));
    return STATUS_OK;
}
