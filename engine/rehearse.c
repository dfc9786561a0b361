/* What would happen to a message, step by step, without any effect: Reconcile and `idem route test`. */
#include "base/clock.h"
#include "base/mem.h"
#include "engine_internal.h"
#include "identify.h"

#include <inttypes.h>

struct rehearsal {
    struct engine *engine;
    struct ctx *cx;
    struct routes *routes;
    struct codes_snapshot *codes;
    struct hl7_index index;
    struct engine_rehearsal *out;
    int64_t began_us;
};

static void rehearsal_fini(struct rehearsal *r)
{
    hl7_index_fini(&r->index);
    routes_unref(r->routes);
    codes_snapshot_unref(r->codes);
}

static void step(struct rehearsal *r, const char *name, struct str detail)
{
    enum { STEPS_MAX = 64 };
    if (r->out->steps == NULL)
        r->out->steps = arena_array(r->cx->arena, STEPS_MAX, sizeof *r->out->steps);
    int64_t now = clock_mono_us();
    if (r->out->step_count < STEPS_MAX)
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

static void keep_outputs(struct rehearsal *r, const struct plan *plan)
{
    struct engine_rehearsal *out = r->out;
    size_t outputs = 0, changes = 0;
    for (size_t i = 0; i < plan->output_count; i++) {
        outputs += plan->outputs[i].to_count;
        changes += plan->outputs[i].change_count;
    }
    out->outputs = arena_array(r->cx->arena, outputs, sizeof *out->outputs);
    out->changes = arena_array(r->cx->arena, changes, sizeof *out->changes);
    struct str unchanged = STR_NONE; /* one copy for all who get the message as it came */
    for (size_t i = 0; i < plan->output_count; i++) {
        const struct plan_output *from = &plan->outputs[i];
        struct str route = keep(r, from->route->name);
        if (from->bytes.data == NULL && from->to_count && unchanged.data == NULL)
            unchanged = keep(r, r->index.bytes);
        for (size_t j = 0; j < from->change_count; j++)
            out->changes[out->change_count++] =
                (struct engine_change){route, from->changes[j].path, keep(r, from->changes[j].before),
                                       keep(r, from->changes[j].after), from->changes[j].why};
        for (size_t j = 0; j < from->to_count; j++)
            out->outputs[out->output_count++] = (struct engine_output){
                keep(r, r->routes->destinations[from->to[j]].name), route, from->bytes.data ? from->bytes : unchanged};
    }
}

static status run(struct rehearsal *r, struct str source, struct str message)
{
    struct arena *arena = r->cx->arena;
    struct hl7_header header;
    struct hl7_path fault;
    hl7_header_read(message, &header);
    struct hl7_input input_rules = routes_input(r->routes, source);
    TRY(hl7_index_build(&r->index, r->cx, message, &input_rules));
    TRY(hl7_header_check(r->cx, &header, &fault));
    step(r, "parsed",
         arena_printf(arena, "%.*s^%.*s, %u segments", STR_ARGS(header.type), STR_ARGS(header.trigger),
                      r->index.segment_count));
    struct mpi_result who;
    TRY(identify_rehearse(r->engine->mpi, r->cx, &r->index, event_meaning(header.type, header.trigger), source, &who));
    r->out->person = who.person;
    r->out->verdict = mpi_verdict_name(who.verdict);
    step(r, "identified", arena_printf(arena, "%s, person %" PRIu64, r->out->verdict, who.person));
    struct plan_input input = {&r->index, &header, source, r->routes, r->codes, who.person};
    struct plan plan;
    TRY(plan_check_size(r->cx, &r->index, &header, source, r->routes));
    plan_make(r->cx, &input, &plan);
    keep_codes(r, &plan);
    keep_outputs(r, &plan);
    step(r, "codes", arena_printf(arena, "%zu coded elements", plan.code_count));
    for (size_t i = 0; i < plan.output_count; i++)
        step(r, "routed",
             arena_printf(arena, "route %.*s: %zu changes, %zu destinations", STR_ARGS(plan.outputs[i].route->name),
                          plan.outputs[i].change_count, plan.outputs[i].to_count));
    if (plan.output_count == 0)
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
    TRY(run(&r, source, message));
    *out_rehearsal = out;
    return STATUS_OK;
}
