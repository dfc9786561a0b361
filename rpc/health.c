#include "health.h"

#include "base/bounds.h"
#include "base/mem.h"
#include "base/vec.h"
#include "grpc/health/v1/health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckRequest ask;
typedef Grpc__Health__V1__HealthCheckResponse answer;

enum { SERVICES_MAX = 32, WATCHERS_MAX = 1024 };
enum {
    SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING,
    NOT_SERVING = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING,
    SERVICE_UNKNOWN = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN,
};

struct service {
    struct str name; /* empty = the server as a whole */
    bool serving;
};

/* One Watch stream. The worker owns it; the list is under health->lock. */
struct watcher {
    struct wire_post post; /* first */
    struct rpc_call *call;
    struct health *health;
    struct str service;
    int told;    /* last status sent */
    bool posted; /* under lock: a post is on its way */
    bool left;   /* under lock: not in the list any more */
};

struct health {
    pthread_mutex_t lock;
    struct service services[SERVICES_MAX];
    size_t service_count;
    VEC(struct watcher *) watchers;
    bool closing;
};

static void add_service(struct health *health, struct str name)
{
    for (size_t i = 0; i < health->service_count; i++)
        if (str_eq(health->services[i].name, name))
            return;
    if (health->service_count == SERVICES_MAX)
        mem_panic("rpc", "more services than health knows");
    health->services[health->service_count++] = (struct service){.name = name};
}

struct health *health_new(void)
{
    struct health *health = mem_alloc(sizeof *health);
    pthread_mutex_init(&health->lock, NULL);
    add_service(health, STR(""));
    for (size_t i = 0; i < rpc_method_count; i++) {
        struct str service, rest = str_from(rpc_methods[i].path + 1);
        if (str_split(&rest, '/', &service))
            add_service(health, service);
    }
    return health;
}

void health_free(struct health *health)
{
    if (health == NULL)
        return;
    VEC_FINI(&health->watchers);
    pthread_mutex_destroy(&health->lock);
    mem_free(health);
}

static int status_locked(const struct health *health, struct str name)
{
    for (size_t i = 0; i < health->service_count; i++)
        if (str_eq(health->services[i].name, name))
            return health->services[i].serving && !health->closing ? SERVING : NOT_SERVING;
    return SERVICE_UNKNOWN;
}

static void tell_all_locked(struct health *health)
{
    for (size_t i = 0; i < health->watchers.count; i++) {
        struct watcher *watcher = health->watchers.at[i];
        if (watcher->posted)
            continue;
        watcher->posted = true;
        wire_post(watcher->call->wire, &watcher->post);
    }
}

void health_set(struct health *health, const char *service, bool serving)
{
    pthread_mutex_lock(&health->lock);
    for (size_t i = 0; i < health->service_count; i++)
        if (service == NULL || str_is(health->services[i].name, service))
            health->services[i].serving = serving;
    tell_all_locked(health);
    pthread_mutex_unlock(&health->lock);
}

void health_close(struct health *health)
{
    pthread_mutex_lock(&health->lock);
    health->closing = true;
    tell_all_locked(health);
    pthread_mutex_unlock(&health->lock);
}

status health_check(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    const ask *asked = request;
    struct health *health = call->server->health;
    pthread_mutex_lock(&health->lock);
    int now = status_locked(health, str_from(asked->service));
    pthread_mutex_unlock(&health->lock);
    if (now == SERVICE_UNKNOWN)
        return ctx_fail(cx, &rpc_reasons[RPC_SERVICE_UNKNOWN], NULL);
    ((answer *)reply)->status = now;
    return STATUS_OK;
}

static void tell(struct watcher *watcher, int now)
{
    if (now == watcher->told)
        return;
    watcher->told = now;
    answer message = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    message.status = now;
    rpc_call_send(watcher->call, &watcher->call->cx, &message);
}

static void remove_locked(struct health *health, struct watcher *watcher)
{
    watcher->left = true;
    for (size_t i = 0; i < health->watchers.count; i++) {
        if (health->watchers.at[i] != watcher)
            continue;
        health->watchers.at[i] = health->watchers.at[--health->watchers.count];
        return;
    }
}

static void on_change(struct wire_call *wire, struct wire_post *post)
{
    struct watcher *watcher = (struct watcher *)(void *)post;
    struct health *health = watcher->health;
    pthread_mutex_lock(&health->lock);
    watcher->posted = false;
    int now = status_locked(health, watcher->service);
    bool left = watcher->left, end = health->closing && !left;
    if (end)
        remove_locked(health, watcher);
    pthread_mutex_unlock(&health->lock);
    if (!left)
        tell(watcher, now);
    if (end) {
        struct ctx *cx = &watcher->call->cx;
        rpc_call_fail(watcher->call, cx, ctx_fail(cx, &rpc_reasons[RPC_DRAINING], "the stream ends with the daemon"));
    }
    if (left || end)
        wire_release(wire);
}

status health_watch(struct rpc_call *call, struct ctx *cx, const void *request, void *reply)
{
    (void)reply;
    const ask *asked = request;
    struct health *health = call->server->health;
    struct watcher *watcher = arena_alloc(cx->arena, sizeof *watcher);
    *watcher = (struct watcher){.post.fn = on_change, .call = call, .health = health, .told = -1};
    watcher->service = str_from(asked->service);
    call->state = watcher;
    pthread_mutex_lock(&health->lock);
    bool room = health->watchers.count < WATCHERS_MAX && !health->closing;
    if (room)
        *VEC_ADD(&health->watchers) = watcher;
    int now = status_locked(health, watcher->service);
    pthread_mutex_unlock(&health->lock);
    if (!room) {
        bound_met(BOUND_WATCHERS_MAX);
        call->state = NULL;
        return ctx_fail(cx, &rpc_reasons[RPC_BUSY], "no more watchers");
    }
    wire_hold(call->wire);
    tell(watcher, now);
    return STATUS_OK;
}

void health_watch_cancelled(struct rpc_call *call)
{
    struct watcher *watcher = call->state;
    if (watcher == NULL)
        return;
    struct health *health = watcher->health;
    pthread_mutex_lock(&health->lock);
    bool already = watcher->left, posted = watcher->posted;
    if (!already)
        remove_locked(health, watcher);
    pthread_mutex_unlock(&health->lock);
    if (already)
        return;
    struct ctx *cx = &call->cx;
    rpc_call_fail(call, cx, ctx_fail(cx, &rpc_reasons[RPC_CANCELLED], NULL));
    if (!posted)
        wire_release(call->wire); /* else the post on its way does */
}
