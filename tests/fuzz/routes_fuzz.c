/* Routes: whatever the text, a set of routes that answers questions, or a refusal with its place. */
#include "route.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct routes *routes = NULL;
    if (routes_parse(&cx, str_make(data, size), 7, &routes) == STATUS_OK) {
        for (size_t i = 0; i < routes->route_count; i++) {
            const struct route *route = &routes->routes[i];
            route_takes(route, STR("north"), STR("ADT"), STR("A01"));
            for (size_t j = 0; j < route->to_count; j++)
                if (route->to[j] >= routes->destination_count)
                    abort();
        }
        if (routes->version.len != 12 || routes->seq != 7)
            abort();
        routes_unref(routes);
    } else if (cx.reason == NULL || routes != NULL) {
        abort();
    }
    arena_fini(&arena);
    return 0;
}
