/* The routes in use, and new ones: checked, journaled, shown. */
#include "engine_internal.h"

static struct routes *current_routes(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct routes *routes = routes_ref(engine->routes);
    pthread_mutex_unlock(&engine->lock);
    return routes;
}

static void view_routes(struct ctx *cx, const struct routes *routes, struct engine_routes_view *out)
{
    struct arena *arena = cx->arena;
    *out = (struct engine_routes_view){
        .version = arena_str(arena, routes->version), .text = arena_str(arena, routes->text), .seq = routes->seq};
    out->routes = arena_array(arena, routes->route_count, sizeof *out->routes);
    out->destinations = arena_array(arena, routes->destination_count, sizeof *out->destinations);
    size_t sources = 0;
    for (size_t i = 0; i < routes->route_count; i++) {
        out->routes[out->route_count++] = arena_str(arena, routes->routes[i].name);
        sources += routes->routes[i].source_count;
    }
    for (size_t i = 0; i < routes->destination_count; i++)
        out->destinations[out->destination_count++] = arena_str(arena, routes->destinations[i].name);
    out->sources = arena_array(arena, sources, sizeof *out->sources);
    for (size_t i = 0; i < routes->route_count; i++)
        for (size_t j = 0; j < routes->routes[i].source_count; j++) {
            struct str source = routes->routes[i].sources[j];
            bool seen = false;
            for (size_t k = 0; k < out->source_count && !seen; k++)
                seen = str_eq(out->sources[k], source);
            if (!seen)
                out->sources[out->source_count++] = arena_str(arena, source);
        }
}

status engine_routes(struct engine *engine, struct ctx *cx, struct engine_routes_view *out_routes)
{
    struct routes *routes = current_routes(engine);
    view_routes(cx, routes, out_routes);
    routes_unref(routes);
    return STATUS_OK;
}

status engine_apply_routes(struct engine *engine, struct ctx *cx, struct str text, bool dry_run,
                           struct engine_routes_view *out_routes)
{
    struct routes *routes;
    TRY(routes_parse(cx, text, 0, &routes)); /* a faulty text never becomes an entry */
    uint64_t seq = 0;
    if (!dry_run) {
        struct applied applied;
        status got = engine_change_state(engine, cx, ENTRY_ROUTES, text, &applied);
        if (got != STATUS_OK) {
            routes_unref(routes);
            return got;
        }
        seq = applied.seq;
    }
    view_routes(cx, routes, out_routes);
    out_routes->seq = seq;
    routes_unref(routes);
    return STATUS_OK;
}
