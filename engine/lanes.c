/*
 * All lanes: one for each destination that is in the routes or has something queued.
 *
 * What commits queue is handed over as a list (a feed); past LIMIT_LANE_FEED_BYTES the lanes read it from the table.
 * Large messages wait for room, in turn, so that hundreds of destinations that are away cannot hold a largest message
 * each; the others never wait.
 */
#include "lane_internal.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/mem.h"

#include <stdio.h>

/* ---- which there are ---- */

static struct lane *find_lane(struct lanes *set, const char *name)
{
    const uint64_t *found = map_get(&set->by_name, str_from(name));
    return found ? (struct lane *)(uintptr_t)*found : NULL;
}

static struct lane *add_lane(struct lanes *set, const char *name)
{
    struct lane *lane = lane_new(set, name);
    pthread_mutex_lock(&set->lock);
    struct lane **end = &set->first;
    while (*end)
        end = &(*end)->next;
    *end = lane;
    set->lane_count++;
    pthread_mutex_unlock(&set->lock);
    *map_put(&set->by_name, str_from(lane->name), NULL) = (uintptr_t)lane;
    lane_load(lane);
    return lane;
}

/* The destination is not in the routes and nothing is under way: what is queued stands in the table, and the lane is
 * made again when the destination comes back. */
void lanes_let_go(struct lane *lane)
{
    struct lanes *set = lane->set;
    if (lane->config || set->stopping || !lane_may_go(lane))
        return;
    INVARIANT(lane->connector == NULL && lane->timer == NULL && lane->routes == NULL);
    pthread_mutex_lock(&set->lock);
    struct lane **at = &set->first;
    while (*at != lane)
        at = &(*at)->next;
    *at = lane->next;
    INVARIANT(set->lane_count > 0);
    set->lane_count--;
    pthread_mutex_unlock(&set->lock);
    (void)map_remove(&set->by_name, str_from(lane->name));
    lane_free(lane);
}

static const struct route_destination *find_config(const struct routes *routes, const char *name)
{
    for (size_t i = 0; i < routes->destination_count; i++)
        if (str_is(routes->destinations[i].name, name))
            return &routes->destinations[i];
    return NULL;
}

struct routes_news {
    struct lanes *set;
    struct routes *routes;
};

static void configure(void *arg)
{
    struct routes_news *news = arg;
    for (size_t i = 0; i < news->routes->destination_count; i++)
        if (find_lane(news->set, news->routes->destinations[i].name.data) == NULL)
            add_lane(news->set, news->routes->destinations[i].name.data);
    for (struct lane *next, *lane = news->set->first; lane; lane = next) {
        next = lane->next;
        lane_configure(lane, news->routes, find_config(news->routes, lane->name));
        lanes_let_go(lane);
    }
    routes_unref(news->routes);
    mem_free(news);
}

void lanes_configure(struct engine *engine, struct routes *routes)
{
    struct routes_news *news = mem_alloc(sizeof *news);
    *news = (struct routes_news){engine->lane_set, routes};
    loop_post(engine->deliver_loop, configure, news);
}

/* ---- room for large messages ---- */

bool lanes_must_wait(const struct lane *lane, size_t bytes, bool in_turn)
{
    size_t others = lane_bodies_bytes(lane->set->bodies);
    return bytes >= LARGE_BYTES &&
           ((lane->set->waiting && !in_turn) || (others > 0 && others + bytes > LARGE_BYTES_ALL));
}

/* At the end; who had its turn and found no room stays the first. */
void lanes_wait_for_room(struct lane *lane, bool in_turn)
{
    struct lanes *set = lane->set;
    if (lane->waits_for_room)
        return;
    lane->waits_for_room = true;
    struct lane **at = in_turn ? &set->waiting : set->waiting_end;
    lane->next_waiting = *at;
    *at = lane;
    if (lane->next_waiting == NULL)
        set->waiting_end = &lane->next_waiting;
}

/* The first that waits: it tries again. */
static struct lane *take_waiting(struct lanes *set)
{
    struct lane *lane = set->waiting;
    set->waiting = lane->next_waiting;
    if (set->waiting == NULL)
        set->waiting_end = &set->waiting;
    lane->waits_for_room = false;
    return lane;
}

/* One after the other, until one has to wait on. */
static void try_waiting(void *arg)
{
    struct lanes *set = arg;
    size_t most = set->lane_count;
    while (set->waiting && !set->ended && most-- > 0) {
        struct lane *lane = take_waiting(set);
        lane_try(lane, true);
        if (lane->waits_for_room)
            break;
    }
}

void lanes_give_room(struct lanes *set)
{
    if (set->waiting && !set->ended)
        loop_post(set->engine->deliver_loop, try_waiting, set);
}

/* ---- what they are fed ---- */

struct feed {
    struct lanes *set;
    struct lane_item *first;
};

static size_t fed_bytes(const struct lane_item *item)
{
    return sizeof *item + item->control_id.len + item->bytes.len;
}

static void take_feed(void *arg)
{
    struct feed *feed = arg;
    struct lane_item *next;
    bool cut = __atomic_exchange_n(&feed->set->feed_cut, false, __ATOMIC_ACQUIRE);
    if (cut) /* first of all: what comes now must not overtake what was left in the table */
        for (struct lane *lane = feed->set->first; lane; lane = lane->next)
            lane->more_in_table = true;
    for (struct lane_item *item = feed->first; item; item = next) {
        next = item->next;
        __atomic_sub_fetch(&feed->set->feed_bytes, fed_bytes(item), __ATOMIC_RELAXED);
        struct lane *lane = find_lane(feed->set, item->destination);
        if (lane == NULL)
            lane = add_lane(feed->set, item->destination); /* a replay to a destination that left the routes */
        lane_take(lane, item);
    }
    for (struct lane *after, *lane = feed->set->first; lane; lane = after) {
        after = lane->next;
        lane_try(lane, false);
        lanes_let_go(lane);
    }
    mem_free(feed);
}

/* Lanes that do not come round are not handed more and more: what is beyond the limit they find in the table. */
static void bound_feed(struct lanes *set, struct lane_item **first)
{
    struct lane_item **at = first;
    while (*at) {
        struct lane_item *item = *at;
        if (__atomic_add_fetch(&set->feed_bytes, fed_bytes(item), __ATOMIC_RELAXED) <= LIMIT_LANE_FEED_BYTES) {
            at = &item->next;
            continue;
        }
        bound_met(BOUND_LIMIT_LANE_FEED_BYTES);
        __atomic_sub_fetch(&set->feed_bytes, fed_bytes(item), __ATOMIC_RELAXED);
        __atomic_store_n(&set->feed_cut, true, __ATOMIC_RELEASE); /* before this feed is posted, after its commit */
        *at = item->next;
        mem_free(item);
    }
}

void lanes_feed(struct engine *engine, struct lane_item *first)
{
    struct feed *feed = mem_alloc(sizeof *feed);
    bound_feed(engine->lane_set, &first);
    *feed = (struct feed){engine->lane_set, first};
    loop_post(engine->deliver_loop, take_feed, feed);
}

/* ---- starting and stopping ---- */

struct lanes *lanes_new(struct engine *engine, uint64_t doubtful_to)
{
    struct lanes *set = mem_alloc(sizeof *set);
    set->engine = engine;
    set->doubtful_to = doubtful_to;
    set->bodies = lane_bodies_new();
    set->waiting_end = &set->waiting;
    pthread_mutex_init(&set->lock, NULL);
    return set;
}

void lanes_free(struct lanes *set)
{
    if (set == NULL)
        return;
    map_fini(&set->by_name);
    lane_free_outcomes(set);
    while (set->first) {
        struct lane *lane = set->first;
        set->first = lane->next;
        lane_free(lane);
    }
    lane_bodies_free(set->bodies);
    pthread_mutex_destroy(&set->lock);
    mem_free(set);
}

void *deliver_thread_main(void *arg)
{
    struct engine *engine = arg;
    loop_run(engine->deliver_loop);
    return NULL;
}

struct stopping {
    struct lanes *set;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t give_up_us;
    bool done, clean;
};

struct doubt_search {
    struct lanes *set;
    bool found;
};

/* Rows from before the crash of a destination that is not in the routes: no lane holds their doubt. */
static bool find_doubt(void *arg, struct str key, struct str row)
{
    (void)row;
    struct doubt_search *search = arg;
    struct str destination;
    struct outbox_key at;
    char name[LIMIT_NAME_BYTES];
    if (!outbox_key_read(key, &destination, &at)) {
        search->found = true; /* it may be one of them */
        return false;
    }
    if (at.seq > search->set->doubtful_to)
        return true;
    snprintf(name, sizeof name, "%.*s", STR_ARGS(str_sub(destination, 0, LIMIT_NAME_BYTES - 1)));
    search->found = find_lane(search->set, name) == NULL;
    return !search->found;
}

static bool has_doubt(struct lanes *set)
{
    for (const struct lane *lane = set->first; lane; lane = lane->next)
        if (lane_has_doubt(lane))
            return true;
    if (set->doubtful_to == 0)
        return false;
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct doubt_search search = {.set = set};
    bool read = data_scan(set->engine->outbox, &cx, STR_NONE, STR_NONE, find_doubt, &search) == STATUS_OK;
    arena_fini(&arena);
    return !read || search.found;
}

/* Polls until nothing is under way: sends answered, outcomes durable. */
static void check_stopped(void *arg)
{
    struct stopping *stopping = arg;
    struct lanes *set = stopping->set;
    set->stopping = true;
    bool quiet = true;
    for (struct lane *lane = set->first; lane; lane = lane->next)
        quiet &= lane->sending == NULL && lane->unrecorded == 0;
    if (!quiet && clock_mono_us() < stopping->give_up_us) {
        loop_timer_start(set->engine->deliver_loop, 10 * 1000, check_stopped, stopping);
        return;
    }
    bool clean = quiet && !has_doubt(set);
    for (struct lane *lane = set->first; lane; lane = lane->next)
        lane_stop(lane);
    set->ended = true;
    pthread_mutex_lock(&stopping->lock);
    stopping->done = true;
    stopping->clean = clean;
    pthread_cond_signal(&stopping->changed);
    pthread_mutex_unlock(&stopping->lock);
}

bool lanes_stop(struct engine *engine, int grace_ms)
{
    struct stopping stopping = {.set = engine->lane_set, .give_up_us = clock_mono_us() + grace_ms * 1000ll};
    pthread_mutex_init(&stopping.lock, NULL);
    pthread_cond_init(&stopping.changed, NULL);
    loop_post(engine->deliver_loop, check_stopped, &stopping);
    pthread_mutex_lock(&stopping.lock);
    while (!stopping.done)
        pthread_cond_wait(&stopping.changed, &stopping.lock);
    pthread_mutex_unlock(&stopping.lock);
    pthread_cond_destroy(&stopping.changed);
    pthread_mutex_destroy(&stopping.lock);
    return stopping.clean;
}

/* ---- for the status ---- */

void lanes_view(struct engine *engine, struct arena *arena, struct engine_lane_view *views, size_t count)
{
    struct lanes *set = engine->lane_set;
    pthread_mutex_lock(&set->lock);
    for (size_t i = 0; i < count; i++) {
        if (views[i].kind.len == 0)
            views[i].last_error = STR("not in the routes");
        for (struct lane *lane = set->first; lane; lane = lane->next) {
            if (!str_is(views[i].destination, lane->name))
                continue;
            views[i].state = str_from(lane->state);
            views[i].last_error = arena_str(arena, str_from(lane->last_error));
        }
    }
    pthread_mutex_unlock(&set->lock);
}

void lanes_memory(struct engine *engine, size_t *out_lanes, size_t *out_feed_bytes)
{
    struct lanes *set = engine->lane_set;
    pthread_mutex_lock(&set->lock);
    *out_lanes = 0;
    for (struct lane *lane = set->first; lane; lane = lane->next)
        ++*out_lanes;
    pthread_mutex_unlock(&set->lock);
    *out_feed_bytes = __atomic_load_n(&set->feed_bytes, __ATOMIC_RELAXED);
}
