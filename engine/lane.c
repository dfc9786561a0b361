/*
 * Lanes: one ordered queue per destination, on the deliver thread.
 *
 * A lane sends the head of its queue and nothing else until the destination's own answer is there: order is kept, a
 * slow or dead destination holds up only itself. The next message goes out while the outcome of the last ones is still
 * becoming durable, or waits for room in the journal, at most UNRECORDED_MAX of them: after a crash exactly these may
 * have been sent although idem does not know, so the first UNRECORDED_MAX + 1 of each queue are then marked "in doubt"
 * and sent again under the same control id.
 *
 * Memory: a lane holds at most HELD_MAX items and about its share of HELD_BYTES_ALL; what is beyond stays in the outbox
 * table and is read when the lane gets there. Bytes that stand once in the store or the journal are read for one send,
 * and held once however many lanes send them (lane_bodies.h). Large ones wait for room, in turn, so that hundreds of
 * destinations that are away cannot hold a largest message each; the others never wait.
 */
#include "engine_internal.h"

#include "base/bounds.h"
#include "base/clock.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/connector.h"
#include "lane_bodies.h"
#include "outbox.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    UNRECORDED_MAX = 8,
    HELD_MAX = 2048,
    HELD_BYTES_MAX = 8 * 1024 * 1024,
    HELD_BYTES_ALL = 64 * 1024 * 1024,
    LARGE_BYTES = 256 * 1024,
    LARGE_BYTES_ALL = 128 * 1024 * 1024, /* sent at a time; one goes always */
    LOAD_MAX = 512,
    RECORD_AGAIN_US = 200 * 1000,
};

struct lane {
    struct lane *next;
    struct engine *engine;
    struct lanes *set;
    char name[LIMIT_NAME_BYTES];
    struct routes *routes;                  /* keeps `config` alive */
    const struct route_destination *config; /* NULL: no longer in the routes */
    struct connector *connector;
    struct lane_item *head, **tail;
    struct lane_item *sending;
    size_t held, held_bytes;
    struct outbox_key last; /* newest item taken in; older ones that are fed again are dropped */
    bool more_in_table;     /* rows behind `last` that are not held */
    bool waits_for_room;    /* in the set's queue */
    struct lane *next_waiting;
    unsigned unrecorded; /* answers known, on their way into the journal */
    unsigned in_line;    /* of these: wait for room there */
    unsigned failures;   /* in a row, for the back-off */
    struct loop_timer *timer;
    const char *state, *last_error;
    char file_name[48];     /* of the delivery under way */
    unsigned doubtful_left; /* how many of the next first sends may be repeats from before a crash */
};

struct lanes {
    struct engine *engine;
    struct map by_name; /* to lanes */
    size_t feed_bytes;  /* atomic: handed over and not yet taken in */
    bool feed_cut;      /* atomic: something was not handed over; it is in the table */
    struct lane *first;
    size_t lane_count;
    struct lane_bodies *bodies;
    struct lane *waiting, **waiting_end; /* for room for a large message */
    struct outcome *outcomes;            /* on their way into the journal */
    bool stopping, ended;                /* nothing more is sent; nothing more is recorded */
    uint64_t doubtful_to;                /* what was queued up to this entry may have been sent before a crash */
    pthread_mutex_t lock;                /* what lanes_view() reads */
};

static void lane_try(struct lane *lane);

struct lane_item *lane_item_new(struct str destination, struct outbox_key key, uint64_t message_seq,
                                struct str control_id, struct str bytes)
{
    struct lane_item *item = mem_alloc(sizeof *item + control_id.len + bytes.len + 1);
    char *text = (char *)(item + 1);
    item->key = key;
    item->message_seq = message_seq;
    if (control_id.len)
        memcpy(text, control_id.data, control_id.len);
    if (bytes.len)
        memcpy(text + control_id.len, bytes.data, bytes.len);
    item->control_id = str_make(text, control_id.len);
    item->bytes = str_make(text + control_id.len, bytes.len);
    snprintf(item->destination, sizeof item->destination, "%.*s", STR_ARGS(destination));
    return item;
}

static void free_item(struct lane_item *item)
{
    lane_body_let_go(item->body);
    mem_free(item);
}

/* What a lane may hold: the more there are, the less. */
static size_t held_bytes_max(const struct lane *lane)
{
    size_t share = HELD_BYTES_ALL / lane->set->lane_count;
    return share < HELD_BYTES_MAX ? share : HELD_BYTES_MAX;
}

static int key_order(struct outbox_key left, struct outbox_key right)
{
    if (left.seq != right.seq)
        return left.seq < right.seq ? -1 : 1;
    return left.number < right.number ? -1 : left.number > right.number;
}

static void set_state(struct lane *lane, const char *state, const char *error)
{
    pthread_mutex_lock(&lane->set->lock);
    lane->state = state;
    if (error)
        lane->last_error = error;
    pthread_mutex_unlock(&lane->set->lock);
}

static void enqueue(struct lane *lane, struct lane_item *item)
{
    item->next = NULL;
    *lane->tail = item;
    lane->tail = &item->next;
    lane->held++;
    lane->held_bytes += item->bytes.len;
    lane->last = item->key;
}

/* ---- reading the outbox ---- */

struct loading {
    struct lane *lane;
    struct arena *arena;
    size_t loaded;
    bool more;
};

static bool load_row(void *arg, struct str key, struct str bytes)
{
    struct loading *loading = arg;
    struct ctx cx = {.arena = loading->arena};
    struct str destination;
    struct outbox_key at;
    struct outbox_row row;
    if (!outbox_key_read(key, &destination, &at) || key_order(at, loading->lane->last) <= 0)
        return true;
    if (loading->loaded == LOAD_MAX || loading->lane->held_bytes >= held_bytes_max(loading->lane)) {
        loading->more = true;
        return false;
    }
    if (outbox_row_decode(&cx, bytes, &row) != STATUS_OK)
        mem_panic("outbox",
                  "a row cannot be read: stop, remove the store folder and start again to rebuild it from the journal");
    bool here = row.where == OUTBOX_HERE && row.bytes.len < LARGE_BYTES;
    struct lane_item *item =
        lane_item_new(destination, at, row.message_seq, row.control_id, here ? row.bytes : STR_NONE);
    item->elsewhere = !here;
    item->where = row.where;
    item->shared = row.shared;
    enqueue(loading->lane, item);
    loading->loaded++;
    return true;
}

static void load_more(struct lane *lane)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    struct loading loading = {.lane = lane, .arena = &arena};
    struct str prefix = outbox_prefix(&arena, str_from(lane->name));
    if (data_scan(lane->engine->outbox, &cx, prefix, outbox_key(&arena, str_from(lane->name), lane->last), load_row,
                  &loading) != STATUS_OK)
        mem_panic("outbox", "the table cannot be read");
    lane->more_in_table = loading.more;
    arena_fini(&arena);
}

/* ---- bytes that stand elsewhere ---- */

/* At the end; who had its turn and found no room stays the first. */
static void queue_for_room(struct lane *lane, bool in_turn)
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

/* Is the room for `bytes` more taken by others, or is it somebody else's turn? */
static bool must_wait(const struct lane *lane, size_t bytes, bool in_turn)
{
    size_t others = lane_bodies_bytes(lane->set->bodies);
    return bytes >= LARGE_BYTES &&
           ((lane->set->waiting && !in_turn) || (others > 0 && others + bytes > LARGE_BYTES_ALL));
}

/* The bytes of the item for one send; false: the lane waits for room. */
static bool hold_bytes(struct lane *lane, struct lane_item *item, bool in_turn)
{
    struct lane_bodies *bodies = lane->set->bodies;
    if (!item->elsewhere || item->body)
        return true;
    struct lane_body *body = lane_body_find(bodies, item); /* that costs nothing more */
    if (body == NULL && !must_wait(lane, item->bytes_known, in_turn)) {
        struct str bytes;
        SCOPED(arena_fini) struct arena arena = {0};
        struct ctx cx = {.arena = &arena};
        if (lane_body_read(lane->engine, &cx, item, &bytes) != STATUS_OK)
            mem_panic("outbox",
                      "the bytes of a queued message cannot be read: run idem journal verify and idem doctor");
        item->bytes_known = bytes.len;
        if (!must_wait(lane, bytes.len, in_turn))
            body = lane_body_keep(bodies, item, bytes);
    }
    if (body == NULL) {
        queue_for_room(lane, in_turn);
        return false;
    }
    item->body = body;
    item->bytes = lane_body_bytes(body);
    return true;
}

static void try_waiting(void *arg);

static void let_go_bytes(struct lane *lane, struct lane_item *item)
{
    if (item->body == NULL)
        return;
    lane_body_let_go(item->body);
    item->body = NULL;
    item->bytes = STR_NONE;
    if (lane->set->waiting && !lane->set->ended)
        loop_post(lane->engine->deliver_loop, try_waiting, lane->set);
}

/* ---- outcomes ---- */

struct outcome {
    struct outcome *next, **link; /* in the set, so that it can be freed when the journal never takes it */
    struct lane *lane;
    struct buf body;
    struct request request;
    struct engine_room room;
};

static void record(void *arg);

static void free_outcome(struct outcome *outcome)
{
    *outcome->link = outcome->next;
    if (outcome->next)
        outcome->next->link = outcome->link;
    buf_fini(&outcome->body);
    mem_free(outcome);
}

static void free_if_left(struct lane *lane);

static void outcome_recorded(void *arg)
{
    struct outcome *outcome = arg;
    struct lane *lane = outcome->lane;
    free_outcome(outcome);
    lane->unrecorded--;
    lane_try(lane);
    free_if_left(lane);
}

static void record_again(void *arg)
{
    struct outcome *outcome = arg;
    if (outcome->lane->set->ended)
        return; /* lanes_free() has it; the next start doubts this delivery */
    loop_timer_start(outcome->lane->engine->deliver_loop, RECORD_AGAIN_US, record, outcome);
}

static void outcome_durable(struct request *request, status result, uint64_t seq, int64_t time_us)
{
    (void)seq, (void)time_us;
    struct outcome *outcome = (struct outcome *)((char *)request - offsetof(struct outcome, request));
    loop_post(outcome->lane->engine->deliver_loop, result == STATUS_OK ? outcome_recorded : record_again, outcome);
}

/* On the loop: its turn in the journal has come. */
static void hear_room(void *arg)
{
    struct outcome *outcome = arg;
    outcome->lane->in_line--;
    record(outcome);
}

static void on_room(void *arg)
{
    struct outcome *outcome = arg;
    loop_post(outcome->lane->engine->deliver_loop, hear_room, outcome);
}

/* Never waits: what finds no room is kept and recorded in its turn, behind the earlier ones of its lane. */
static void record(void *arg)
{
    struct outcome *outcome = arg;
    struct engine *engine = outcome->lane->engine;
    outcome->room.told = on_room;
    outcome->room.arg = outcome;
    outcome->room.waiter.in_line = outcome->lane->in_line > 0;
    if (outcome->lane->set->ended) { /* the journal is about to close */
        (void)engine_forget(engine, &outcome->room);
        return;
    }
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    enum engine_taken taken = ENGINE_TAKEN;
    outcome->request = (struct request){.durable = outcome_durable};
    if (engine_offer(engine, &cx, ENTRY_DELIVERY, STR_NONE, buf_str(&outcome->body), &outcome->request, &outcome->room,
                     &taken) != STATUS_OK)
        record_again(outcome); /* nothing more is sent that could not be recorded */
    outcome->lane->in_line += taken == ENGINE_FULL;
    arena_fini(&arena);
}

static void item_ends(struct lane *lane, struct lane_item *item, enum delivery_state state,
                      const struct connector_outcome *how)
{
    struct entry_delivery entry = {.destination = str_from(lane->name),
                                   .key = item->key,
                                   .message_seq = item->message_seq,
                                   .state = state,
                                   .attempts = item->attempts,
                                   .in_doubt = item->in_doubt,
                                   .first_sent_us = item->first_sent_us,
                                   .done_us = clock_now_us(),
                                   .ack_code = str_from(how->ack_code),
                                   .why = str_from(how->why ? how->why : ""),
                                   .answer = state == DELIVERY_DEAD ? how->answer : STR_NONE};
    struct outcome *outcome = mem_alloc(sizeof *outcome);
    outcome->lane = lane;
    outcome->next = lane->set->outcomes;
    outcome->link = &lane->set->outcomes;
    if (outcome->next)
        outcome->next->link = &outcome->next;
    lane->set->outcomes = outcome;
    entry_delivery_encode(&outcome->body, &entry);
    lane->unrecorded++;
    lane->failures = 0;
    lane->head = item->next;
    if (lane->head == NULL)
        lane->tail = &lane->head;
    lane->held--;
    lane->held_bytes -= item->bytes.len;
    free_item(item);
    record(outcome);
}

static void open_lane(struct lane *lane);

static void retry(void *arg)
{
    struct lane *lane = arg;
    lane->timer = NULL;
    if (lane->connector == NULL && lane->config)
        open_lane(lane);
    lane_try(lane);
}

/* Twice as long each time, up to the limit; no jitter: one lane is one connection. */
static void back_off(struct lane *lane, const char *why)
{
    if (lane->config == NULL)
        return;
    int64_t wait = lane->config->retry_first_us;
    for (unsigned i = 0; i < lane->failures && wait < lane->config->retry_most_us; i++)
        wait *= 2;
    if (wait > lane->config->retry_most_us)
        wait = lane->config->retry_most_us;
    if (lane->failures == 0)
        log_event(LOG_WARN, "lane.retrying", LOG_NAME("destination", lane->name), LOG_NAME("why", why ? why : "?"));
    lane->failures++;
    set_state(lane, "retrying", why);
    lane->timer = loop_timer_start(lane->engine->deliver_loop, wait, retry, lane);
}

static void on_outcome(void *arg, const struct connector_outcome *outcome)
{
    struct lane *lane = arg;
    struct lane_item *item = lane->sending;
    lane->sending = NULL;
    let_go_bytes(lane, item);
    unsigned give_up = lane->config ? lane->config->give_up_after : 0;
    switch (outcome->kind) {
    case CONNECTOR_DELIVERED:
        item_ends(lane, item, DELIVERY_DELIVERED, outcome);
        break;
    case CONNECTOR_REFUSED:
        item_ends(lane, item, DELIVERY_DEAD, outcome);
        break;
    case CONNECTOR_REJECTED:
        if (give_up && ++item->answered >= give_up)
            item_ends(lane, item, DELIVERY_DEAD, outcome);
        else
            back_off(lane, outcome->why);
        break;
    case CONNECTOR_IN_DOUBT:
        item->in_doubt++;
        if (give_up && ++item->answered >= give_up)
            item_ends(lane, item, DELIVERY_DEAD, outcome);
        else
            back_off(lane, outcome->why);
        break;
    case CONNECTOR_NOT_SENT:
        back_off(lane, outcome->why); /* never given up: the destination is away, the message is fine */
        break;
    }
    lane_try(lane);
}

/* ---- sending ---- */

/* A lane is strictly first in, first out: the first ones it sends after a crash are those that the crash may have cut
 * off. */
static void mark_doubtful(struct lane *lane, struct lane_item *item)
{
    if (lane->doubtful_left == 0)
        return;
    lane->doubtful_left--;
    item->in_doubt += item->key.seq <= lane->set->doubtful_to;
}

static void lane_try_in(struct lane *lane, bool in_turn)
{
    if (lane->sending || lane->timer || lane->connector == NULL || lane->set->stopping ||
        lane->unrecorded >= UNRECORDED_MAX)
        return;
    if (lane->head == NULL && lane->more_in_table)
        load_more(lane);
    struct lane_item *item = lane->head;
    if (item == NULL) {
        set_state(lane, "idle", NULL);
        return;
    }
    set_state(lane, lane->failures ? "retrying" : "sending", NULL);
    if (!hold_bytes(lane, item, in_turn))
        return;
    snprintf(lane->file_name, sizeof lane->file_name, "%016" PRIu64 "-%04" PRIu32, item->key.seq, item->key.number);
    if (item->attempts++ == 0) {
        item->first_sent_us = clock_now_us();
        mark_doubtful(lane, item);
    }
    lane->sending = item;
    connector_send(lane->connector, item->bytes, item->control_id, lane->file_name, on_outcome, lane);
}

static void lane_try(struct lane *lane)
{
    lane_try_in(lane, false);
}

/* One after the other, until one has to wait on. */
static void try_waiting(void *arg)
{
    struct lanes *set = arg;
    size_t most = set->lane_count;
    while (set->waiting && !set->ended && most-- > 0) {
        struct lane *lane = take_waiting(set);
        lane_try_in(lane, true);
        if (lane->waits_for_room)
            break;
    }
}

/* ---- the set of lanes ---- */

static struct lane *find_lane(struct lanes *set, const char *name)
{
    const uint64_t *found = map_get(&set->by_name, str_from(name));
    return found ? (struct lane *)(uintptr_t)*found : NULL;
}

static struct lane *add_lane(struct lanes *set, const char *name)
{
    struct lane *lane = mem_alloc(sizeof *lane);
    lane->engine = set->engine;
    lane->set = set;
    snprintf(lane->name, sizeof lane->name, "%s", name);
    lane->tail = &lane->head;
    lane->state = "stopped";
    lane->last_error = "";
    pthread_mutex_lock(&set->lock);
    struct lane **end = &set->first;
    while (*end)
        end = &(*end)->next;
    *end = lane;
    set->lane_count++;
    pthread_mutex_unlock(&set->lock);
    *map_put(&set->by_name, str_from(lane->name), NULL) = (uintptr_t)lane;
    load_more(lane);
    lane->doubtful_left = set->doubtful_to ? UNRECORDED_MAX + 1 : 0;
    return lane;
}

static void drop_items(struct lane *lane)
{
    while (lane->head) {
        struct lane_item *item = lane->head;
        lane->head = item->next;
        free_item(item);
    }
}

/* Is there something about its queue that only memory knows: what may have been sent, and what was refused how often?
 */
static bool knows_more_than_table(const struct lane *lane)
{
    const struct lane_item *head = lane->head; /* nothing behind it was ever sent */
    if (head && (head->in_doubt > 0 || head->answered > 0))
        return true;
    if (lane->set->doubtful_to == 0)
        return false;
    return head ? head->key.seq <= lane->set->doubtful_to : lane->more_in_table;
}

/* The destination is not in the routes and nothing is under way: what is queued stands in the table, and the lane is
 * made again when the destination comes back. */
static void free_if_left(struct lane *lane)
{
    struct lanes *set = lane->set;
    if (lane->config || set->stopping || lane->sending || lane->unrecorded > 0 || knows_more_than_table(lane))
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
    drop_items(lane);
    mem_free(lane);
}

static bool same_destination(const struct route_destination *left, const struct route_destination *right)
{
    return left->kind == right->kind && left->tls == right->tls && str_eq(left->connect, right->connect) &&
           str_eq(left->server_name, right->server_name) && str_eq(left->folder, right->folder) &&
           left->answer_timeout_us == right->answer_timeout_us;
}

static status open_connector(struct lane *lane, struct ctx *cx)
{
    const struct route_destination *config = lane->config;
    struct loop *loop = lane->engine->deliver_loop;
    if (config->kind == ROUTE_FILE)
        return connector_open_file(loop, cx, &(struct connector_file_options){lane->name, config->folder.data},
                                   &lane->connector);
    if (config->tls && lane->engine->options.client_tls == NULL)
        return ctx_fail(cx, &engine_reasons[ENGINE_ROUTES_BAD],
                        "destination %s wants tls, but no client certificate is configured", lane->name);
    struct connector_mllp_options options = {.name = lane->name,
                                             .connect = config->connect.data,
                                             .tls = config->tls ? lane->engine->options.client_tls : NULL,
                                             .server_name = config->server_name.len ? config->server_name.data : NULL,
                                             .answer_timeout_us = config->answer_timeout_us};
    return connector_open_mllp(loop, cx, &options, &lane->connector);
}

/* What cannot be opened now (a folder on a disk that is not there yet) is tried again: nobody should have to notice. */
static void open_lane(struct lane *lane)
{
    struct arena arena = {0};
    struct ctx cx = {.arena = &arena};
    if (open_connector(lane, &cx) == STATUS_OK) {
        lane->failures = 0;
        set_state(lane, "idle", NULL);
    } else {
        if (lane->failures == 0)
            log_event(LOG_ERROR, "lane.cannot-open", LOG_NAME("destination", lane->name), LOG_WHY(&cx));
        back_off(lane, cx.reason->text);
    }
    arena_fini(&arena);
}

static void close_connector(struct lane *lane)
{
    if (lane->connector == NULL)
        return;
    connector_close(lane->connector);
    lane->connector = NULL;
    if (lane->sending) { /* its answer will not be heard any more */
        lane->sending->in_doubt++;
        let_go_bytes(lane, lane->sending);
        lane->sending = NULL;
    }
}

static void configure_lane(struct lane *lane, struct routes *routes, const struct route_destination *config)
{
    bool keep = lane->connector && lane->config && config && same_destination(lane->config, config);
    struct routes *old = lane->routes;
    lane->routes = config ? routes_ref(routes) : NULL;
    lane->config = config;
    if (!keep) {
        close_connector(lane);
        loop_timer_stop(lane->timer);
        lane->timer = NULL;
        lane->failures = 0;
        if (config)
            open_lane(lane);
        else
            set_state(lane, "stopped", "not in the routes");
    }
    routes_unref(old);
    lane_try(lane);
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
        configure_lane(lane, news->routes, find_config(news->routes, lane->name));
        free_if_left(lane);
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

struct feed {
    struct lanes *set;
    struct lane_item *first;
};

static void take_in(struct lanes *set, struct lane_item *item)
{
    struct lane *lane = find_lane(set, item->destination);
    if (lane == NULL)
        lane = add_lane(set, item->destination);        /* a replay to a destination that left the routes */
    bool stale = key_order(item->key, lane->last) <= 0; /* it was loaded from the table meanwhile */
    bool full = lane->held >= HELD_MAX || (lane->head && lane->held_bytes + item->bytes.len > held_bytes_max(lane));
    if (stale || item->in_table || lane->more_in_table || full) {
        lane->more_in_table |= !stale;
        free_item(item);
        return;
    }
    enqueue(lane, item);
}

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
        take_in(feed->set, item);
    }
    for (struct lane *after, *lane = feed->set->first; lane; lane = after) {
        after = lane->next;
        lane_try(lane);
        free_if_left(lane);
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
    while (set->outcomes)
        free_outcome(set->outcomes);
    while (set->first) {
        struct lane *lane = set->first;
        set->first = lane->next;
        close_connector(lane);
        while (lane->head) {
            struct lane_item *item = lane->head;
            lane->head = item->next;
            free_item(item);
        }
        routes_unref(lane->routes);
        mem_free(lane);
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

/* Does the queue hold a message that may have been sent already? Only this run knows; a STOP entry would make the next
 * forget. */
static bool lane_has_doubt(const struct lane *lane)
{
    for (const struct lane_item *item = lane->head; item; item = item->next)
        if (item->in_doubt)
            return true;
    if (lane->doubtful_left == 0)
        return false;
    return lane->head ? lane->head->key.seq <= lane->set->doubtful_to : lane->more_in_table;
}

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
    if (!outbox_key_read(key, &destination, &at) || at.seq > search->set->doubtful_to)
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
    for (struct lane *lane = set->first; lane; lane = lane->next) {
        loop_timer_stop(lane->timer);
        lane->timer = NULL;
        close_connector(lane);
    }
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
