/* What would happen to a message, step by step, without any effect: Reconcile and `idem route test`. */
#include "base/bounds.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/mem.h"
#include "engine_internal.h"
#include "identify.h"

#include <inttypes.h>

/* What the plan takes on its way lives apart from the answer: products of our bounds fit here, the answer into its
 * call. */
static const size_t SCRATCH_BYTES_MAX = (size_t)512 << 20;

struct rehearsal {
    struct engine *engine;
    struct ctx *cx; /* of the answer */
    struct arena scratch;
    struct routes *routes;
    struct codes_snapshot *codes;
    struct hl7_index index;
    struct engine_rehearsal *out;
    size_t steps_cap;
    int64_t began_us;
};

static void rehearsal_fini(struct rehearsal *r)
{
    hl7_index_fini(&r->index);
    routes_unref(r->routes);
    codes_snapshot_unref(r->codes);
    arena_fini(&r->scratch);
}

/* A step for each route, and a few before them. */
static void make_room_for_steps(struct rehearsal *r)
{
    enum { OTHER_STEPS = 4 };
    r->steps_cap = r->routes->route_count + OTHER_STEPS;
    r->out->steps = arena_array(r->cx->arena, r->steps_cap, sizeof *r->out->steps);
}

static void step(struct rehearsal *r, const char *name, struct str detail)
{
    INVARIANT(r->out->step_count < r->steps_cap);
    int64_t now = clock_mono_us();
    r->out->steps[r->out->step_count++] =
        (struct engine_step){clock_now_us(), now - r->began_us, str_from(name), detail};
    r->began_us = clock_mono_us();
}

/* The plan's texts borrow routes and snapshot, which end with the rehearsal. */
static struct str keep(struct rehearsal *r, struct str text)
{
    return text.data ? arena_str(r->cx->arena, text) : text;
}

static void keep_codes(struct rehearsal *r, const struct plan *plan)
{
    struct engine_rehearsal *out = r->out;
    out->codes = arena_array(r->cx->arena, plan->code_count, sizeof *out->codes);
    out->code_count = plan->code_count;
    for (size_t i = 0; i < plan->code_count; i++) {
        const struct engine_code *from = &plan->codes[i];
        out->codes[i] = (struct engine_code){
            .path = keep(r, from->path),
            .outcome = keep(r, from->outcome),
            .system = keep(r, from->system),
            .code = keep(r, from->code),
            .target_system = keep(r, from->target_system),
            .target_code = keep(r, from->target_code),
            .target_display = keep(r, from->target_display),
            .map = keep(r, from->map),
            .map_version = keep(r, from->map_version),
            .map_row = from->map_row,
        };
    }
}

static void keep_changes(struct rehearsal *r, const struct plan_output *from, struct str route)
{
    struct engine_rehearsal *out = r->out;
    for (size_t i = 0; i < from->change_count; i++) {
        const struct plan_change *change = &from->changes[i];
        out->changes[out->change_count++] = (struct engine_change){
            route, keep(r, change->path), keep(r, change->before), keep(r, change->after), change->why};
    }
}

/* The bytes of an output, kept once for all that have the same. */
static struct str keep_bytes(struct rehearsal *r, const struct plan *plan, size_t number, struct str *kept)
{
    for (size_t i = 0; i < number; i++)
        if (kept[i].data && plan->outputs[i].bytes.data == plan->outputs[number].bytes.data)
            return kept[i];
    const struct plan_output *output = &plan->outputs[number];
    return keep(r, output->bytes.data ? output->bytes : r->index.bytes);
}

static void keep_outputs(struct rehearsal *r, const struct plan *plan, const struct identified *who)
{
    struct engine_rehearsal *out = r->out;
    size_t outputs = 0, changes = 0;
    for (size_t i = 0; i < plan->output_count; i++) {
        outputs += plan->outputs[i].to_count;
        changes += plan->outputs[i].change_count;
    }
    out->outputs = arena_array(r->cx->arena, outputs, sizeof *out->outputs);
    out->changes = arena_array(r->cx->arena, changes + who->left_out_count, sizeof *out->changes);
    for (size_t i = 0; i < who->left_out_count; i++)
        out->changes[out->change_count++] = (struct engine_change){.path = keep(r, who->left_out[i].path),
                                                                   .after = keep(r, who->left_out[i].what),
                                                                   .why = "identity.left-out"};
    struct str *kept = arena_array(&r->scratch, plan->output_count, sizeof *kept);
    for (size_t i = 0; i < plan->output_count; i++) {
        const struct plan_output *from = &plan->outputs[i];
        struct str route = keep(r, from->route->name);
        keep_changes(r, from, route);
        if (from->to_count > 0)
            kept[i] = keep_bytes(r, plan, i, kept);
        for (size_t j = 0; j < from->to_count; j++)
            out->outputs[out->output_count++] =
                (struct engine_output){keep(r, r->routes->destinations[from->to[j]].name), route, kept[i]};
    }
}

/* The answer must fit into a call: counted before it is copied there. */
static status check_answer(struct rehearsal *r, const struct plan *plan)
{
    size_t changes = 0;
    for (size_t i = 0; i < plan->output_count; i++)
        changes += plan->outputs[i].change_count;
    if (BEYOND(LIMIT_CHANGES_LISTED, changes))
        return ctx_fail(r->cx, &engine_reasons[ENGINE_TOO_LARGE],
                        "%zu changes to show, at most %d; rehearse fewer routes at a time", changes,
                        LIMIT_CHANGES_LISTED);
    return STATUS_OK;
}

static status plan(struct rehearsal *r, struct ctx *scratch, struct plan_input *input, struct plan *out_plan)
{
    status got = plan_check(scratch, input);
    if (got == STATUS_OK)
        got = plan_make(scratch, input, out_plan);
    return got == STATUS_OK ? check_answer(r, out_plan) : ctx_pass(r->cx, scratch, got);
}

static const struct plan_person *plan_persons(struct rehearsal *r, const struct identified *who, size_t *out_count)
{
    struct plan_person *persons = arena_array(&r->scratch, who->patient_count, sizeof *persons);
    *out_count = 0;
    for (size_t i = 0; i < who->patient_count; i++) /* a new patient has no number before the message is applied */
        if (who->patients[i].result.person != 0)
            persons[(*out_count)++] = (struct plan_person){who->patients[i].pid, who->patients[i].result.person};
    return persons;
}

static status run(struct rehearsal *r, struct str source, struct str message)
{
    struct arena *arena = r->cx->arena;
    struct ctx scratch = {.arena = &r->scratch, .now_us = r->cx->now_us};
    struct hl7_header header;
    struct hl7_path fault;
    make_room_for_steps(r);
    hl7_header_read(message, &header);
    struct hl7_input input_rules = routes_input(r->routes, source);
    TRY(hl7_index_build(&r->index, r->cx, message, &input_rules));
    TRY(hl7_header_check(r->cx, &header, &fault));
    step(r, "parsed",
         arena_printf(arena, "%.*s^%.*s, %u segments", STR_ARGS(header.type), STR_ARGS(header.trigger),
                      r->index.segment_count));
    struct identified who;
    status got = identify_rehearse(r->engine->mpi, &scratch, &r->index, event_meaning(header.type, header.trigger),
                                   source, &who);
    if (got != STATUS_OK)
        return ctx_pass(r->cx, &scratch, got);
    r->out->person = who.result.person;
    r->out->verdict = mpi_verdict_name(who.result.verdict);
    step(r, "identified", arena_printf(arena, "%s, person %" PRIu64, r->out->verdict, who.result.person));
    struct plan_input input = {
        .index = &r->index, .header = &header, .source = source, .routes = r->routes, .codes = r->codes};
    input.persons = plan_persons(r, &who, &input.person_count);
    struct plan made;
    TRY(plan(r, &scratch, &input, &made));
    keep_codes(r, &made);
    keep_outputs(r, &made, &who);
    step(r, "codes", arena_printf(arena, "%zu coded elements", made.code_count));
    for (size_t i = 0; i < made.output_count; i++)
        step(r, "routed",
             arena_printf(arena, "route %.*s: %zu changes, %zu destinations", STR_ARGS(made.outputs[i].route->name),
                          made.outputs[i].change_count, made.outputs[i].to_count));
    if (made.output_count == 0)
        step(r, "routed", STR("no route takes it"));
    return STATUS_OK;
}

status engine_rehearse(struct engine *engine, struct ctx *cx, struct str routes_text, struct str source,
                       struct str message, struct engine_rehearsal *out_rehearsal)
{
    struct engine_rehearsal out = {.verdict = ""};
    SCOPED(rehearsal_fini) struct rehearsal r = {.engine = engine, .cx = cx, .out = &out, .began_us = clock_mono_us()};
    if (routes_text.len) {
        TRY(routes_parse(cx, routes_text, 0, &r.routes));
    } else {
        pthread_mutex_lock(&engine->lock);
        r.routes = routes_ref(engine->routes);
        pthread_mutex_unlock(&engine->lock);
    }
    r.codes = codes_snapshot_ref(engine->codes);
    arena_init(&r.scratch, SCRATCH_BYTES_MAX);
    TRY(run(&r, source, message));
    *out_rehearsal = out;
    return STATUS_OK;
}
